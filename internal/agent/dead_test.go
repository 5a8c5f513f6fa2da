package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Given a connection to the server, when the network swallows all that is sent on it and later carries new connections, then the client gives the old
// one up by itself and the next request goes through.
func TestSwallowedConnectionIsGivenUp(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "{}") }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var swallowed atomic.Int64 // connections up to this one are dead
	var carried int64
	var all sync.WaitGroup
	defer all.Wait()
	defer l.Close()
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			carried++
			n := carried
			carry := func(to, from net.Conn) {
				b := make([]byte, 4096)
				for {
					k, err := from.Read(b)
					if err == nil && swallowed.Load() < n {
						_, err = to.Write(b[:k])
					}
					if err != nil {
						c.Close()
						s.Close()
						return
					}
				}
			}
			all.Go(func() { carry(c, s) })
			all.Go(func() { carry(s, c) })
		}
	})
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	way := transport(&tls.Config{RootCAs: pool, ServerName: "example.com"}, nil)
	way.HTTP2.SendPingTimeout, way.HTTP2.PingTimeout = 50*time.Millisecond, 50*time.Millisecond
	c := &client{id: Identity{URL: "https://" + l.Addr().String()}, http: &http.Client{Transport: way}}
	defer way.CloseIdleConnections()
	ask := func(within time.Duration) error {
		ctx, stop := context.WithTimeout(t.Context(), within)
		defer stop()
		return c.get(ctx, "time", &struct{}{})
	}
	if err := ask(time.Minute); err != nil {
		t.Fatal(err)
	}
	swallowed.Store(1)
	if err := ask(time.Minute); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a request into a dead connection: %v", err)
	}
	if err := ask(time.Minute); err != nil {
		t.Fatalf("a request on a new connection: %v", err)
	}
}
