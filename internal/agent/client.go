package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"tocsin/internal/record"
)

const (
	maxAnswer = 1 << 20 // bytes of an answer of the server that are read
	askWithin = 90 * time.Second
)

// A client speaks to the hub over one connection.
type client struct {
	proxy string

	mu   sync.Mutex
	id   Identity
	http *http.Client
}

func newClient(id Identity, proxy string) (*client, error) {
	c := &client{proxy: proxy}
	return c, c.become(id)
}

// become goes on with another certificate, on a new connection.
func (c *client) become(id Identity) error {
	settings, err := id.settings()
	if err != nil {
		return err
	}
	through, err := proxyOf(c.proxy)
	if err != nil {
		return err
	}
	next := &http.Client{
		Timeout:   askWithin,
		Transport: transport(settings, through),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the server sends us elsewhere, which no hub does")
		},
	}
	c.close()
	c.mu.Lock()
	c.id, c.http = id, next
	c.mu.Unlock()
	return nil
}

// transport carries requests over one connection. When the network swallows what is sent, nobody tells: a connection on which nothing
// came for a while is asked for a sign of life, and given up without one. Else requests would go into it, one after the other, until the
// kernel gave it up after a quarter of an hour, also when the network was whole again.
func transport(settings *tls.Config, proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	return &http.Transport{
		Proxy: proxy, TLSClientConfig: settings, ForceAttemptHTTP2: true, MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1, IdleConnTimeout: 2 * time.Minute,
		DialContext: (&net.Dialer{Timeout: 20 * time.Second, KeepAlive: 30 * time.Second}).DialContext, TLSHandshakeTimeout: 20 * time.Second,
		HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 10 * time.Second, WriteByteTimeout: 20 * time.Second}, DisableCompression: true,
	}
}

// close gives up the connection, if no request is under way on it.
func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
}

// keep goes on with the same certificate and what else is kept with it.
func (c *client) keep(id Identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id = id
}

func (c *client) identity() Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

// A refusedError is what the hub said no with.
type refusedError struct {
	status int
	record.Receipts
	after time.Duration // to come again; 0 when it did not say
}

func (e *refusedError) Error() string {
	if e.Why == "" {
		return fmt.Sprintf("the server answers with status %d", e.status)
	}
	return fmt.Sprintf("the server refuses: %s (%s)", e.Why, e.Refused)
}

func (c *client) post(ctx context.Context, path string, what, answer any) error {
	b, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, path, "application/json", b, answer)
}

func (c *client) get(ctx context.Context, path string, answer any) error {
	return c.ask(ctx, http.MethodGet, path, "", nil, answer)
}

// ask sends a request and reads the answer, whole.
func (c *client) ask(ctx context.Context, method, path, kind string, body []byte, answer any) error {
	c.mu.Lock()
	h, address := c.http, c.id.URL
	c.mu.Unlock()
	r, err := http.NewRequestWithContext(ctx, method, address+"/agent/v1/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	r.Header.Set("Tocsin-Now", strconv.FormatInt(time.Now().UnixNano(), 10))
	r.Header.Set("User-Agent", "tocsin-agent")
	got, err := h.Do(r)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	b, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	if got.StatusCode != http.StatusOK {
		refused := &refusedError{status: got.StatusCode}
		_ = json.Unmarshal(b, &refused.Receipts) // something on the way may have answered, and not the hub
		if n, err := strconv.Atoi(got.Header.Get("Retry-After")); err == nil && n > 0 && n <= 3600 {
			refused.after = time.Duration(n) * time.Second
		}
		return refused
	}
	if err := json.Unmarshal(b, answer); err != nil {
		return errors.New("the server's answer cannot be read")
	}
	return nil
}
