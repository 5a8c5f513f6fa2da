package agent

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// TestProxy: given a proxy, when the agent joins and sends, then everything goes through it, and it sees nothing but the server's name.
func TestProxy(t *testing.T) {
	h := newHouse(t)
	var through atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "tocsin.example:8443" {
			t.Errorf("%s %s", r.Method, r.Host)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		through.Add(1)
		out, err := net.Dial("tcp", h.address)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		in, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			out.Close()
			return
		}
		io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
		var both sync.WaitGroup
		end := sync.OnceFunc(func() { in.Close(); out.Close() })
		both.Go(func() { defer end(); io.Copy(out, in) })
		both.Go(func() { defer end(); io.Copy(in, out) })
		both.Wait()
	}))
	defer proxy.Close()
	token, err := h.hub.NewToken("shop1", "somebody", 1e12)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "agent")
	if _, err := Join(t.Context(), dir, "https://tocsin.example:8443", token, "", proxy.URL); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "a.log")
	write(t, log, "one\n")
	o := remoteOptions(dir, log)
	o.Proxy = proxy.URL
	_, stop := runRemote(t, o, nil)
	h.exactly(log, "one")
	stop()
	if through.Load() < 2 {
		t.Errorf("%d connections", through.Load())
	}
	o.Proxy = "proxy:3128"
	if _, err := OpenRemote(quiet(), o); err == nil {
		t.Error("a proxy that is none")
	}
}
