// Package client speaks to a running Tocsin through the socket in its data folder. Only whoever may use the folder can.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"time"
)

// Socket is the name of the socket in the data folder.
const Socket = "tocsin.sock"

// A Client calls one server.
type Client struct{ http *http.Client }

// New returns a client of the server that works on a data folder.
func New(data string) *Client {
	name := filepath.Join(data, Socket)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", name)
	}
	return &Client{&http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// ErrNotRunning says that no server works on the folder.
var ErrNotRunning = errors.New("no Tocsin is running on this data folder")

// An Answered call is the answer to Answer.
type Answered struct {
	Call int64 `json:"call"`
}

// Answer takes a call for a person of the team ("" is whoever sits at this machine). Call 0 is the one that rings
// longest. Errors: ErrNotRunning, or the server's words.
func (c *Client) Answer(ctx context.Context, call int64, person string) (Answered, error) {
	var out Answered
	id := "ringing"
	if call != 0 {
		id = fmt.Sprint(call)
	}
	return out, c.do(ctx, http.MethodPost, "/v1/calls/"+id+"/answer", map[string]string{"person": person}, &out)
}

// Forget forgets what is normal for an account, in the name of a person of the team ("" is whoever sits at this machine). Errors:
// ErrNotRunning, or the server's words.
func (c *Client) Forget(ctx context.Context, realm, account, why, person string) error {
	return c.do(ctx, http.MethodPost, "/v1/habits/forget", map[string]string{"realm": realm, "account": account, "why": why, "person": person}, nil)
}

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 256 << 20

// do asks for one thing. in may be nil, and so may out. Errors: ErrNotRunning, or the server's words.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://tocsin"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("asking the running Tocsin: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return problemIn(resp)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading what the running Tocsin said: %w", err)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// Alive returns nil if a server works on the folder and its bell looks at what is owed. Errors: ErrNotRunning, or what is wrong.
func (c *Client) Alive(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://tocsin/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("asking the running Tocsin: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New("a server runs on this folder, but its bell does not work")
	}
	return nil
}
