// Package client speaks to a running Tocsin: through the socket in its data folder, which only whoever may use the folder can, or from
// anywhere at the address of its console, with a token (API, doc/api.md). Both take the same requests.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Socket is the name of the socket in the data folder.
const Socket = "tocsin.sock"

// A Client calls one server.
type Client struct {
	http  *http.Client
	base  string // before every path
	token string // "" on the socket
}

// New returns a client of the server that works on a data folder.
func New(data string) *Client {
	name := filepath.Join(data, Socket)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", name)
	}
	return &Client{http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}, base: "http://tocsin"}
}

// ErrNotRunning says that no server works on the folder.
var ErrNotRunning = errors.New("no Tocsin is running on this data folder")

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 256 << 20

// as adds in whose name a request is made: on the socket only, because a token has an owner. "" is whoever sits at the machine.
func as(path, person string) string {
	switch {
	case person == "":
		return path
	case strings.Contains(path, "?"):
		return path + "&person=" + url.QueryEscape(person)
	}
	return path + "?person=" + url.QueryEscape(person)
}

// request makes a request of ours.
func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, r)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// asked words why a request had no answer.
func (c *Client) asked(err error) error {
	if c.token == "" && (errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)) {
		return ErrNotRunning
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the address is known, and long
	}
	if c.token != "" {
		return fmt.Errorf("asking %s: %w", c.base, err)
	}
	return fmt.Errorf("asking the running Tocsin: %w", err)
}

// A request to a server elsewhere is made again when no answer comes, when the same is still under way, and when what stands before the server cannot reach it. What
// acts has a key, so it is done once.
const (
	tries     = 5
	longPause = 15 * time.Second // at most, between two
)

// again says how long to wait before a request is made again, for the n-th time; false is not at all.
func (c *Client) again(err error, n int) (time.Duration, bool) {
	pause := min(time.Second<<(n-1), longPause)
	if c.token == "" || n >= tries {
		return 0, false
	}
	if _, network := errors.AsType[*url.Error](err); network {
		return pause, !certificate(err)
	}
	p, ok := errors.AsType[Problem](err)
	switch {
	case !ok:
		return 0, false
	case p.Status == http.StatusConflict: // under way, when it says when to ask
		return min(max(pause, p.After), longPause), p.After > 0
	}
	return min(max(pause, p.After), longPause), p.Status == http.StatusBadGateway || p.Status == http.StatusServiceUnavailable || p.Status == http.StatusGatewayTimeout
}

// do asks for one thing. in may be nil, and so may out. Errors: ErrNotRunning, a Problem or Waiting of the server, or of the network.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	var err error
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	key := ""
	if c.token != "" && method == http.MethodPost {
		key = rand.Text()
	}
	for n := 1; ; n++ {
		b, err := c.once(ctx, method, path, body, key)
		if pause, ok := c.again(err, n); ok && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			continue
		}
		if _, network := errors.AsType[*url.Error](err); network {
			return c.asked(err)
		}
		if err != nil || out == nil {
			return err
		}
		return json.Unmarshal(b, out)
	}
}

// once makes one request, and reads its answer. What goes wrong on the way is a url.Error.
func (c *Client) once(ctx context.Context, method, path string, body []byte, key string) ([]byte, error) {
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", `"`+key+`"`)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, problemIn(resp)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, &url.Error{Op: method, URL: path, Err: err}
	}
	return b, nil
}

// stream asks for something that comes bit by bit, and may take its time.
func (c *Client) stream(ctx context.Context, path string, in any) (io.ReadCloser, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := c.request(ctx, http.MethodPost, path, b)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Transport: c.http.Transport, CheckRedirect: c.http.CheckRedirect}).Do(req)
	if err != nil {
		return nil, c.asked(err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	return nil, problemIn(resp)
}

// Alive returns nil if a server works on the folder and its bell looks at what is owed. Errors: ErrNotRunning, or what is wrong.
func (c *Client) Alive(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.base, "/api")+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.asked(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New("a server runs, but its bell does not work")
	}
	return nil
}

// An Answered call is the answer to Answer.
type Answered struct {
	Call int64 `json:"call"`
}

// Answer takes a call for a person of the team ("" is whoever sits at this machine). Call 0 is the one that rings
// longest. Errors: ErrNotRunning, or the server's words.
func (c *Client) Answer(ctx context.Context, call int64, person string) (out Answered, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/calls/"+callWord(call)+"/answer", person), nil, &out)
}

// A Forgetting is an account of which what is normal is forgotten.
type Forgetting struct {
	Realm   string `json:"realm" doc:"of the account: customer, admin, ssh, ftp, system, database"`
	Account string `json:"account"`
	Why     string `json:"why" doc:"the reason, for the ledger"`
}

// Forget forgets what is normal for an account, in the name of a person of the team ("" is whoever sits at this machine). Errors:
// ErrNotRunning, or the server's words.
func (c *Client) Forget(ctx context.Context, realm, account, why, person string) error {
	return c.do(ctx, http.MethodPost, as("/v1/habits/forget", person), Forgetting{realm, account, why}, nil)
}

// habitsAtOnce is how many accounts one answer has.
const habitsAtOnce = 500

// Habits returns what is normal for each account, as the server's operation listHabits has it (detect.Habit in JSON). An account that moves to the next answer
// while the list changes is in it once. Errors: ErrNotRunning, or the server's words.
func (c *Client) Habits(ctx context.Context) (out []json.RawMessage, err error) {
	type account struct{ Realm, Account string }
	seen, from := map[account]bool{}, 0
	for {
		var x struct {
			Habits []json.RawMessage `json:"habits"`
			All    int               `json:"all"`
		}
		if err := c.do(ctx, http.MethodGet, fmt.Sprintf("/v1/habits?from=%d&most=%d", from, habitsAtOnce), nil, &x); err != nil {
			return nil, err
		}
		for _, h := range x.Habits {
			var of account
			if err := json.Unmarshal(h, &of); err != nil {
				return nil, err
			}
			if !seen[of] {
				seen[of], out = true, append(out, h)
			}
		}
		if from += len(x.Habits); len(x.Habits) == 0 || from >= x.All {
			return out, nil
		}
	}
}
