package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/cert"
	"tocsin/internal/config"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestRedirect(t *testing.T) {
	h := redirector("https://tocsin.shop.example")
	for _, tt := range []struct{ method, target, host, want string }{
		{"GET", "/incidents/3?x=1&y=%2F", "tocsin.shop.example", "https://tocsin.shop.example/incidents/3?x=1&y=%2F"},
		{"HEAD", "/", "tocsin.shop.example", "https://tocsin.shop.example/"},
		{"GET", "/", "evil.example", "https://tocsin.shop.example/"},
		{"GET", "//evil.example/x", "tocsin.shop.example", "https://tocsin.shop.example/evil.example/x"},
		{"GET", "http://evil.example/x", "evil.example", "https://tocsin.shop.example/x"},
		{"GET", "/%0d%0aSet-Cookie:a", "tocsin.shop.example", "https://tocsin.shop.example/%0d%0aSet-Cookie:a"},
	} {
		r := httptest.NewRequest(tt.method, tt.target, nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		h(w, r)
		if w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != tt.want || w.Header().Get("Strict-Transport-Security") != "" {
			t.Errorf("%s %s: %d to %q, want %q", tt.method, tt.target, w.Code, w.Header().Get("Location"), tt.want)
		}
	}
	w := httptest.NewRecorder()
	h(w, httptest.NewRequest("POST", "/sign-in", strings.NewReader("password=x")))
	if w.Code != http.StatusForbidden || w.Header().Get("Location") != "" || !strings.Contains(w.Body.String(), "in the clear") {
		t.Errorf("a password in the clear: %d %s", w.Code, w.Body)
	}
}

// Browsers are told to remember https for a public name with a certificate that holds, and for nothing else.
func TestRemember(t *testing.T) {
	now := time.Now()
	good := []cert.State{{Name: "x", NotBefore: now.Add(-time.Hour), NotAfter: now.Add(90 * 24 * time.Hour)}}
	over := []cert.State{{Name: "x", NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)}}
	for _, tt := range []struct {
		name, public, host string
		tls                bool
		states             []cert.State
		want               time.Duration
	}{
		{"all is well", "tocsin.shop.example", "tocsin.shop.example", true, good, time.Hour},
		{"with a port", "tocsin.shop.example", "Tocsin.shop.example:8443", true, good, time.Hour},
		{"another name", "tocsin.shop.example", "other.shop.example", true, good, 0},
		{"by address", "192.0.2.1", "192.0.2.1", true, good, 0},
		{"by address, version 6", "2001:db8::1", "[2001:db8::1]:443", true, good, 0},
		{"this machine", "localhost", "localhost:8181", true, good, 0},
		{"it ran out", "tocsin.shop.example", "tocsin.shop.example", true, over, 0},
		{"a proxy in front", "tocsin.shop.example", "tocsin.shop.example", false, nil, time.Hour},
	} {
		s := secured{public: tt.public, hsts: time.Hour, states: func(time.Time) []cert.State { return tt.states }}
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = tt.host
		if tt.tls {
			s.tls, r.TLS = &tls.Config{}, &tls.ConnectionState{}
		}
		if got := s.remember(r); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// own are settings with a certificate of one's own, and a port of http.
func own(t *testing.T, end time.Time) settings {
	t.Helper()
	var s settings
	s.Config = config.Default()
	s.TLS.Cert, s.TLS.Key = writeCertificate(t, t.TempDir(), 1, end)
	s.TLS.HTTPListen = "127.0.0.1:0"
	s.desk.URL = "https://tocsin.shop.example"
	s.data = t.TempDir()
	return s
}

func TestSecureWithOwnCertificate(t *testing.T) {
	now := time.Now()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	set := own(t, now.Add(10*24*time.Hour))
	s, err := secure(t.Context(), quiet(), set, l)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	server := newServer(quiet(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	server.TLSConfig = s.tls
	go func() { _ = server.ServeTLS(l, "", "") }()
	defer server.Close()
	pool := x509.NewCertPool()
	text, err := os.ReadFile(set.TLS.Cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(text)
	tr := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "tocsin.shop.example"}}
	defer tr.CloseIdleConnections()
	got, err := (&http.Client{Transport: tr, Timeout: 10 * time.Second}).Get("https://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.ProtoMajor != 2 {
		t.Errorf("the console speaks %s", got.Proto)
	}
	if x := s.expiries(now); len(x) != 1 || x[0].Level != "medium" || !strings.Contains(x[0].Says, "renew it") {
		t.Errorf("ten days before the end: %+v", x)
	}
	if w := s.warnings(now); len(w) != 1 || !strings.HasPrefix(w[0].Says, "The certificate of ") {
		t.Errorf("on screens: %+v", w)
	}
}

// The console does not start half: what fails closes what was opened.
func TestSecureFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	set := own(t, time.Now().Add(time.Hour))
	set.TLS.HTTPListen = l.Addr().String()
	if _, err := secure(t.Context(), quiet(), set, l); err == nil || !strings.Contains(err.Error(), "tls.http_listen") {
		t.Errorf("a port that is taken: %v", err)
	}
	set = own(t, time.Now())
	set.TLS.Key = filepath.Join(t.TempDir(), "none.pem")
	if _, err := secure(t.Context(), quiet(), set, l); err == nil || !strings.Contains(err.Error(), "none.pem") {
		t.Errorf("no key: %v", err)
	}
	set = own(t, time.Now())
	set.TLS = config.TLS{ACME: config.ACME{Names: []string{"tocsin.shop.example"}, Terms: true, Directory: "https://127.0.0.1:1/dir"}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := secure(ctx, quiet(), set, l); err == nil || !strings.Contains(err.Error(), "the console does not start, because there is no certificate") {
		t.Errorf("no ACME server: %v", err)
	}
	if f := examineTLS(set, time.Now()); len(f) != 1 || f[0].OK || !strings.Contains(f[0].Says, "there is no certificate for tocsin.shop.example (tried last on") {
		t.Errorf("the doctor says %+v", f)
	}
	if i, err := os.Stat(filepath.Join(set.data, acmeDir)); err != nil || i.Mode().Perm() != 0o700 {
		t.Errorf("the folder of certificates: %v, %v", i, err)
	}
}

// The sample code of the manual takes what we send, and refuses what was changed, is old or came twice.
func TestWebhookManual(t *testing.T) {
	text, err := os.ReadFile("../../doc/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, found := strings.Cut(string(text), "```python\n")
	code, _, closed := strings.Cut(code, "```")
	if !found || !closed {
		t.Fatal("doc/webhooks.md has no sample code in Python")
	}
	python(t, code)
}
