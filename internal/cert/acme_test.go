package cert

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

const shop = "tocsin.shop.test"

// A server is Pebble, Let's Encrypt's own server for tests, with a name server that leads every name here, and two listeners of ours to which its challenges go.
type server struct {
	*httptest.Server
	ca          *ca.CAImpl
	https, http net.Listener
	caFile      string
	limit       atomic.Bool // answers 429 to new orders
	orders      atomic.Int64
	blocked     *db.MemoryStore
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// pebble starts it; certificates are good for life seconds. Without tlsALPN that challenge goes where nobody listens.
func pebble(t *testing.T, life uint64, tlsALPN bool) *server {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "5")
	s := &server{https: listen(t), http: listen(t), blocked: db.NewMemoryStore()}
	names := listen(t)
	addr := names.Addr().String()
	_ = names.Close()
	dns, err := challtestsrv.New(challtestsrv.Config{DNSAddrs: []string{addr}, Log: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	dns.SetDefaultDNSIPv4("127.0.0.1")
	dns.SetDefaultDNSIPv6("")
	go dns.Run()
	t.Cleanup(dns.Shutdown)
	quiet := log.New(io.Discard, "", 0)
	tlsPort := port(s.https)
	if !tlsALPN {
		dead := listen(t)
		tlsPort = port(dead)
		_ = dead.Close()
	}
	s.ca = ca.New(quiet, s.blocked, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "test", ValidityPeriod: life}})
	front := wfe.New(quiet, s.blocked, va.New(quiet, port(s.http), tlsPort, false, addr, s.blocked), s.ca, []string{"pebble.test"}, false, false, 1, 1)
	h := front.Handler()
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/order-plz" {
			s.orders.Add(1)
			if s.limit.Load() {
				w.Header().Set("Retry-After", "3600")
				w.Header().Set("Content-Type", "application/problem+json")
				w.Header().Set("Replay-Nonce", "bm9uZQ")
				w.WriteHeader(http.StatusTooManyRequests)
				fmt.Fprint(w, `{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates, retry after 2026-11-28 10:00:00 UTC\u001b[31m","status":429}`)
				return
			}
		}
		h.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = quiet
	s.StartTLS()
	t.Cleanup(s.Server.Close)
	s.caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(s.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) options(t *testing.T, dir string) Options {
	return Options{Names: []string{shop}, Mail: "ops@shop.test", Directory: s.URL + wfe.DirectoryPath, CAFile: s.caFile, Dir: dir,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})), quick: quick{noARI: true}}
}

// open makes an ACME with the server's listeners, and answers http-01 if that is wanted.
func (s *server) open(t *testing.T, o Options, http01 bool) *ACME {
	t.Helper()
	var second net.Addr
	if http01 {
		second = s.http.Addr()
	}
	a, err := NewACME(o, s.https.Addr(), second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if http01 {
		web := &http.Server{Handler: a.Challenge(http.NotFoundHandler()), ReadHeaderTimeout: time.Second}
		go func() { _ = web.Serve(s.http) }()
		t.Cleanup(func() { _ = web.Close() })
	}
	return a
}

// shown serves the console at the listener, and returns what a browser gets when it asks for a name.
func (s *server) shown(t *testing.T, a *ACME) func(name string) (*http.Response, error) {
	t.Helper()
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the console") }), TLSConfig: a.TLS(),
		ReadHeaderTimeout: time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = web.ServeTLS(s.https, "", "") }()
	t.Cleanup(func() { _ = web.Close() })
	roots := x509.NewCertPool()
	roots.AddCert(s.ca.GetRootCert(0).Cert)
	return func(name string) (*http.Response, error) {
		to := (&net.Dialer{}).DialContext
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true,
			DialContext: func(ctx context.Context, n, _ string) (net.Conn, error) { return to(ctx, n, s.https.Addr().String()) }}
		defer tr.CloseIdleConnections()
		return (&http.Client{Transport: tr, Timeout: 10 * time.Second}).Get("https://" + name + "/")
	}
}

func TestIssue(t *testing.T) {
	for _, tt := range []struct {
		name            string
		tlsALPN, http01 bool
	}{{"tls-alpn-01", true, false}, {"http-01", false, true}} {
		t.Run(tt.name, func(t *testing.T) {
			s := pebble(t, 90*86400, tt.tlsALPN)
			dir := filepath.Join(t.TempDir(), "acme")
			a := s.open(t, s.options(t, dir), tt.http01)
			if err := a.Obtain(t.Context(), s.https); err != nil {
				t.Fatal(err)
			}
			get := s.shown(t, a)
			got, err := get(shop)
			if err != nil {
				t.Fatal(err)
			}
			if got.ProtoMajor != 2 || got.TLS.PeerCertificates[0].DNSNames[0] != shop {
				t.Errorf("HTTP/%d under the names %v", got.ProtoMajor, got.TLS.PeerCertificates[0].DNSNames)
			}
			if _, err := get("other.shop.test"); err == nil || !strings.Contains(err.Error(), "tls:") {
				t.Errorf("a name that is not the console's: %v", err)
			}
			for _, states := range [][]State{a.States(), Stored(a.o)} {
				if v := states[0].Judge(time.Now()); len(states) != 1 || v.Step != 0 || !strings.Contains(v.Says, "is good until") {
					t.Errorf("%+v: %+v", states, v)
				}
			}
			if err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
				if i, ierr := d.Info(); err == nil && (ierr != nil || i.Mode().Perm()&0o077 != 0) && !strings.Contains(name, "/locks/") {
					t.Errorf("%s has mode %v (%v)", name, i.Mode(), ierr)
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

// A certificate in its last part is renewed while the program runs, and shown at once.
func TestRenew(t *testing.T) {
	s := pebble(t, 3600, true)
	o := s.options(t, t.TempDir())
	o.quick = quick{look: 300 * time.Millisecond, ratio: 0.9999, noARI: true}
	a := s.open(t, o, false)
	if err := a.Obtain(t.Context(), s.https); err != nil {
		t.Fatal(err)
	}
	get := s.shown(t, a)
	first, err := get(shop)
	if err != nil {
		t.Fatal(err)
	}
	s.limit.Store(true)
	wait(t, "the failed renewal is on record", func() bool { return a.States()[0].Fault != "" && Stored(o)[0].Fault != "" })
	if f := a.States()[0].Fault; !strings.Contains(f, "rateLimited: too many certificates") || strings.Contains(f, "\x1b") {
		t.Errorf("why it failed: %q", f)
	}
	if got, err := get(shop); err != nil || got.TLS.PeerCertificates[0].SerialNumber.Cmp(first.TLS.PeerCertificates[0].SerialNumber) != 0 {
		t.Errorf("the old one is not shown while renewing fails: %v", err)
	}
}

func TestRenewed(t *testing.T) {
	s := pebble(t, 3600, true)
	o := s.options(t, t.TempDir())
	o.Names = []string{"renewed.shop.test"}                                   // the library tries a name once at a time in a process, and that of TestRenew waits for its next try
	o.quick = quick{look: 300 * time.Millisecond, ratio: 0.9999, noARI: true} // after 0.4 s
	a := s.open(t, o, false)
	if err := a.Obtain(t.Context(), s.https); err != nil {
		t.Fatal(err)
	}
	get := s.shown(t, a)
	first, err := get(o.Names[0])
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "another certificate is shown", func() bool {
		got, err := get(o.Names[0])
		return err == nil && got.TLS.PeerCertificates[0].SerialNumber.Cmp(first.TLS.PeerCertificates[0].SerialNumber) != 0
	})
	if got := a.States()[0]; got.Fault != "" {
		t.Errorf("renewed, and %+v", got)
	}
}

func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func TestDirectoryDown(t *testing.T) {
	s := pebble(t, 90*86400, true)
	dir := t.TempDir()
	o := s.options(t, dir)
	a := s.open(t, o, false)
	if err := a.Obtain(t.Context(), s.https); err != nil {
		t.Fatal(err)
	}
	a.Close()
	s.Server.Close()
	t.Run("with what the folder has", func(t *testing.T) {
		a := s.open(t, o, false)
		begun := time.Now()
		if err := a.Obtain(t.Context(), s.https); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("the start waited %v for a server that it does not need", took)
		}
		if v := a.States()[0].Judge(time.Now()); v.Step != 0 {
			t.Errorf("%+v", v)
		}
	})
	t.Run("with nothing", func(t *testing.T) {
		o := o
		o.Dir = t.TempDir()
		err := s.open(t, o, false).Obtain(t.Context(), s.https)
		if err == nil || !strings.Contains(err.Error(), "the console does not start, because there is no certificate for "+shop) || !strings.Contains(err.Error(), "reaches the ACME server") {
			t.Errorf("the error: %v", err)
		}
		if v := Stored(o)[0].Judge(time.Now()); v.Step != 4 || !strings.Contains(v.Says, "there is no certificate") {
			t.Errorf("what the doctor says: %+v", v)
		}
	})
}

func TestRefusals(t *testing.T) {
	s := pebble(t, 90*86400, true)
	t.Run("rate limited", func(t *testing.T) {
		s.limit.Store(true)
		defer s.limit.Store(false)
		before := s.orders.Load()
		err := s.open(t, s.options(t, t.TempDir()), false).Obtain(t.Context(), s.https)
		if err == nil || !strings.Contains(err.Error(), "retry after 2026-11-28 10:00:00 UTC") || !strings.Contains(err.Error(), "do not restart in a loop") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("the error: %v", err)
		}
		if n := s.orders.Load() - before; n > 5 {
			t.Errorf("a server that asks to wait was asked %d times", n)
		}
	})
	t.Run("a name that is not given", func(t *testing.T) {
		if err := s.blocked.AddBlockedDomain("blocked.test"); err != nil {
			t.Fatal(err)
		}
		o := s.options(t, t.TempDir())
		o.Names = []string{"tocsin.blocked.test"}
		err := s.open(t, o, false).Obtain(t.Context(), s.https)
		if err == nil || !strings.Contains(err.Error(), "does not give certificates for this name") {
			t.Errorf("the error: %v", err)
		}
	})
	t.Run("nobody answers the challenge", func(t *testing.T) {
		deaf := pebble(t, 90*86400, false)
		err := deaf.open(t, deaf.options(t, t.TempDir()), false).Obtain(t.Context(), deaf.https)
		if err == nil || !strings.Contains(err.Error(), "port 443") {
			t.Errorf("the error: %v", err)
		}
	})
	t.Run("the server's own certificate does not hold", func(t *testing.T) {
		o := s.options(t, t.TempDir())
		o.CAFile = ""
		err := s.open(t, o, false).Obtain(t.Context(), s.https)
		if err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
			t.Errorf("the error: %v", err)
		}
	})
	t.Run("a file that is no certificate", func(t *testing.T) {
		o := s.options(t, t.TempDir())
		o.CAFile = filepath.Join(o.Dir, "empty")
		if err := os.WriteFile(o.CAFile, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewACME(o, s.https.Addr(), nil); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
			t.Errorf("the error: %v", err)
		}
	})
}

// put writes a certificate with its key where the library keeps them.
func put(t *testing.T, o Options, from, to time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: from, NotAfter: to, DNSNames: o.Names}
	b, err := x509.CreateCertificate(rand.Reader, form, form, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	issuer := (&certmagic.ACMEIssuer{CA: o.Directory}).IssuerKey()
	for name, text := range map[string][]byte{
		certmagic.StorageKeys.SiteCert(issuer, o.Names[0]):       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b}),
		certmagic.StorageKeys.SitePrivateKey(issuer, o.Names[0]): pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		certmagic.StorageKeys.SiteMeta(issuer, o.Names[0]):       []byte(`{"sans":["` + o.Names[0] + `"],"issuer_data":{}}`),
	} {
		name = filepath.Join(o.Dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// A certificate that ran out is got anew at the start; one of the future means a wrong clock, and nobody is asked.
func TestClock(t *testing.T) {
	s := pebble(t, 90*86400, true)
	o := s.options(t, t.TempDir())
	put(t, o, time.Now().Add(-90*day), time.Now().Add(-time.Minute))
	if v := Stored(o)[0].Judge(time.Now()); v.Step != 4 || !strings.Contains(v.Says, "expired on") {
		t.Errorf("one that ran out: %+v", v)
	}
	a := s.open(t, o, false)
	if err := a.Obtain(t.Context(), s.https); err != nil {
		t.Fatal(err)
	}
	orders := s.orders.Load() // mostly one: the directory refuses a nonce now and then on purpose
	if got := a.States()[0]; orders < 1 || !got.NotAfter.After(time.Now()) {
		t.Errorf("after %d orders %+v", orders, got)
	}
	if got, err := s.shown(t, a)(shop); err != nil || got.TLS.PeerCertificates[0].NotAfter.Before(time.Now()) {
		t.Errorf("what is shown then: %v", err)
	}
	o.Dir = t.TempDir()
	put(t, o, time.Now().Add(24*time.Hour), time.Now().Add(90*day))
	if err := s.open(t, o, false).Obtain(t.Context(), s.https); err == nil || !strings.Contains(err.Error(), "see whether the clock of this machine is right") || s.orders.Load() != orders {
		t.Errorf("one of the future: %v after %d orders", err, s.orders.Load())
	}
	o.Dir = t.TempDir()
	put(t, o, time.Now().Add(-time.Hour), time.Now().Add(90*day))
	name := filepath.Join(o.Dir, certmagic.StorageKeys.SiteCert((&certmagic.ACMEIssuer{CA: o.Directory}).IssuerKey(), shop))
	if err := os.WriteFile(name, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.open(t, o, false).Obtain(t.Context(), s.https); err == nil || !strings.Contains(err.Error(), "bring the folder back") {
		t.Errorf("half a file: %v", err)
	}
}

// While there is no certificate, whoever connects sees none.
func TestNothingIsShownBefore(t *testing.T) {
	s := pebble(t, 3600, true)
	a := s.open(t, s.options(t, t.TempDir()), false)
	stop := a.answer(s.https)
	conn, err := tls.Dial("tcp", s.https.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: shop})
	if err == nil {
		t.Errorf("somebody was shown %v", conn.ConnectionState().PeerCertificates)
	}
	half, err := net.Dial("tcp", s.https.Addr().String()) // says nothing, and does not hold the end
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the end waited %v", took)
	}
	go func() {
		if c, err := net.Dial("tcp", s.https.Addr().String()); err == nil {
			_ = c.Close()
		}
	}()
	if c, err := s.https.Accept(); err != nil {
		t.Errorf("the listener is not left open: %v", err)
	} else {
		_ = c.Close()
	}
}
