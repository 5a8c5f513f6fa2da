package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tocsin/internal/signin"
)

func TestAddressBehindProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("198.51.100.0/24")}
	for _, tt := range []struct {
		name, peer string
		header     []string
		trusted    []netip.Prefix
		want       string
	}{
		{"nobody between", "203.0.113.9:4000", nil, trusted, "203.0.113.9"},
		{"a header of a stranger", "203.0.113.9:4000", []string{"192.0.2.1"}, trusted, "203.0.113.9"},
		{"no proxy is trusted", "127.0.0.1:4000", []string{"203.0.113.9"}, nil, "127.0.0.1"},
		{"a proxy on this machine", "127.0.0.1:4000", []string{"203.0.113.9"}, trusted, "203.0.113.9"},
		{"the same by IPv6", "[::1]:4000", []string{"2001:db8::9"}, trusted, "2001:db8::9"},
		{"an address in the longer form", "[::ffff:127.0.0.1]:4000", []string{"::ffff:203.0.113.9"}, trusted, "203.0.113.9"},
		{"an invented hop before the real one", "127.0.0.1:4000", []string{"192.0.2.1, 203.0.113.9"}, trusted, "203.0.113.9"},
		{"two proxies", "127.0.0.1:4000", []string{"192.0.2.1, 203.0.113.9, 198.51.100.7"}, trusted, "203.0.113.9"},
		{"two headers", "127.0.0.1:4000", []string{"203.0.113.9", "198.51.100.7"}, trusted, "203.0.113.9"},
		{"a proxy that says nothing", "127.0.0.1:4000", nil, trusted, "127.0.0.1"},
		{"what is no address", "127.0.0.1:4000", []string{"203.0.113.9, unknown"}, trusted, "127.0.0.1"},
	} {
		s := &Server{o: Options{Trusted: tt.trusted}}
		r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{}}
		for _, h := range tt.header {
			r.Header.Add("X-Forwarded-For", h)
		}
		if got := s.address(r).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Behind a proxy that speaks TLS the cookie is for TLS only, though the console itself speaks none; and what the settings lack
// is on every page of those who are signed in.
func TestBehindAProxy(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	o := c.web.o
	o.TLS = true
	o.Warnings = func() []Warning { return []Warning{{"The links lead nowhere.", "Set public_url."}} }
	behind := New(c.web.log, c.desk, o)
	sessions := signin.NewSessions(c.desk.Sessions(), true)
	cookie, err := sessions.Start(time.Now(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(cookie)
	w := httptest.NewRecorder()
	behind.Handler().ServeHTTP(w, r)
	if !cookie.Secure || !strings.HasPrefix(cookie.Name, "__Host-") || w.Header().Get("Strict-Transport-Security") == "" {
		t.Errorf("cookie %v, headers %v", cookie, w.Header())
	}
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "The links lead nowhere.") {
		t.Errorf("%d, and the page does not say what the settings lack", w.Code)
	}
}
