package chat

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	helloWithin = 10 * time.Second // after the socket is open
	writeWithin = 5 * time.Second
	steady      = 10 * time.Second // a connection that lived so long was a good one: the next dial is not held back
	maxWait     = time.Minute      // between two dials
	drainFor    = 30 * time.Second // how long a connection that is being replaced is still read: Slack closes it after about ten seconds
)

// Run keeps the socket open until the context ends (then it returns nil) or Slack says that the app cannot work any more, which is
// a *Failure that says how to mend it. What is being worked on when the context ends is waited for.
func (s *Slack) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	places := make(chan struct{}, atOnce)
	up := false
	state := func(now bool, why string) {
		if now != up {
			up = now
			s.o.State(now, why)
		}
	}
	defer func() { state(false, "Tocsin stopped listening") }()
	for wait := s.first; ; {
		began := time.Now()
		var lived time.Duration
		l, f := s.dial(ctx)
		if f == nil {
			state(true, "")
			l.serve(ctx, &work, places)
			select {
			case f = <-l.left:
			case <-ctx.Done():
			}
			lived = time.Since(began)
		}
		if ctx.Err() != nil {
			return nil
		}
		replaced := f.code == "warning" || f.code == "refresh_requested"
		if !replaced {
			state(false, f.Reason)
		}
		if f.fatal() {
			return f
		}
		if lived >= steady {
			wait = s.first
			if replaced {
				continue
			}
		}
		if sleep(ctx, max(f.After, wait/2+rand.N(wait/2+1))) != nil {
			return nil
		}
		wait = min(2*wait, maxWait)
	}
}

// socketAddress asks where to dial. The answer holds a ticket, so it is a secret.
func (s *Slack) socketAddress(ctx context.Context) (address string, _ *Failure) {
	f := s.call(ctx, "apps.connections.open", "", func(ctx context.Context) (err error) {
		_, address, err = s.api.StartSocketModeContext(ctx)
		return err
	})
	if f != nil {
		return "", f
	}
	u, err := url.Parse(address)
	here := strings.HasPrefix(s.o.API, "http://") // a test's, on this machine
	slacks := s.o.API != slackAPI || err == nil && strings.HasSuffix(u.Hostname(), ".slack.com")
	if err != nil || u.Host == "" || u.User != nil || !slacks || u.Scheme != "wss" && !(here && u.Scheme == "ws" && loopback(u.Hostname())) {
		return "", &Failure{Temporary: true, Reason: "slack, apps.connections.open: the answer names no address of Slack's to connect to"}
	}
	return address, nil
}

// A socket is one connection, from hello to its end.
type socket struct {
	s    *Slack
	conn *websocket.Conn
	left chan *Failure // why it is not to be waited for any more; gets one
	mu   sync.Mutex    // one writer at a time
}

// dial connects and waits for hello.
func (s *Slack) dial(ctx context.Context) (*socket, *Failure) {
	address, f := s.socketAddress(ctx)
	if f != nil {
		return nil, f
	}
	dialer := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, NetDialContext: (&net.Dialer{Timeout: callTimeout / 2}).DialContext,
		TLSClientConfig: tlsConfig(), HandshakeTimeout: callTimeout, WriteBufferSize: 32 << 10, // Slack reads no message in parts
	}
	conn, resp, err := dialer.DialContext(ctx, address, http.Header{"Origin": {"https://api.slack.com"}})
	if resp != nil && resp.Body != nil {
		resp.Body.Close()
	}
	if err != nil {
		f := s.failure(ctx, "the socket", err)
		f.Reason = strings.ReplaceAll(f.Reason, address, "[address]")
		f.Temporary = true // a certificate may hold again tomorrow: the socket is tried for ever, and what it says is on screen
		return nil, f
	}
	conn.SetReadLimit(maxEnvelope)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetReadDeadline(time.Now().Add(min(helloWithin, s.quiet)))
	_, b, err := conn.ReadMessage()
	if err != nil {
		conn.Close()
		return nil, s.failure(ctx, "the socket, waiting for hello", err)
	}
	e, err := readEnvelope(b)
	switch {
	case err == nil && e.Type == "disconnect":
		conn.Close()
		return nil, leaving(e.Reason)
	case err != nil || e.Type != "hello":
		conn.Close()
		return nil, &Failure{Temporary: true, Reason: "slack, the socket: it did not say hello"}
	}
	return &socket{s: s, conn: conn, left: make(chan *Failure, 1)}, nil
}

// leaving words a message of type disconnect.
func leaving(reason string) *Failure {
	f := &Failure{Temporary: true, code: reason, Reason: "slack, the socket: Slack asked us to connect anew (" + short(reason, 40) + ")"}
	if reason == "link_disabled" {
		f.Temporary = false
		f.Reason = "slack, the socket: Socket Mode is switched off for the app: switch it on in the app's settings under Socket Mode, and start Tocsin again"
	}
	return f
}

// serve starts to read. The connection ends with the context, by itself, or some time after Slack warned of its end.
func (l *socket) serve(ctx context.Context, work *sync.WaitGroup, places chan struct{}) {
	alive := func() { l.conn.SetReadDeadline(time.Now().Add(l.s.quiet)) }
	alive()
	l.conn.SetPingHandler(func(data string) error {
		alive()
		l.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeWithin)) // when it fails, reading fails soon too
		return nil
	})
	stop := context.AfterFunc(ctx, func() { l.conn.Close() })
	work.Go(func() {
		defer l.conn.Close()
		defer stop()
		l.read(ctx, alive, work, places)
	})
}

// read takes envelopes until the connection ends.
func (l *socket) read(ctx context.Context, alive func(), work *sync.WaitGroup, places chan struct{}) {
	warned := false
	leave := func(f *Failure) {
		select {
		case l.left <- f:
		default: // it was said before
		}
	}
	for {
		_, b, err := l.conn.ReadMessage()
		if err != nil {
			f := l.s.failure(ctx, "the socket", err)
			if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
				f.Reason = "slack, the socket: Slack said nothing for " + l.s.quiet.String()
			}
			leave(f)
			return
		}
		if !warned {
			alive()
		}
		e, err := readEnvelope(b)
		switch {
		case err != nil:
			l.s.o.Trouble(err)
		case e.Type == "hello":
		case e.Type == "disconnect":
			leave(leaving(e.Reason))
			if e.Reason != "warning" {
				return
			}
			warned = true
			l.conn.SetReadDeadline(time.Now().Add(drainFor))
			l.conn.SetPingHandler(func(data string) error {
				l.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeWithin))
				return nil
			})
		default:
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return
			}
			work.Go(func() {
				defer func() { <-places }()
				l.s.take(ctx, e, func(payload any) error { return l.acknowledge(e.ID, payload) })
			})
		}
	}
}

// acknowledge answers an envelope.
func (l *socket) acknowledge(id string, payload any) error {
	b, err := json.Marshal(struct {
		ID      string `json:"envelope_id"`
		Payload any    `json:"payload,omitempty"`
	}{id, payload})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	return l.conn.WriteMessage(websocket.TextMessage, b)
}
