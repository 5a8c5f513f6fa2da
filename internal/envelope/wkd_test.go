package envelope

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// directory returns a Directory that finds every domain of hosts at a server on this machine, and what that server was asked.
func directory(t *testing.T, hosts []string, h http.Handler) Directory {
	t.Helper()
	a := newAuthority(t)
	key := a.ec()
	cert := a.issue(key, func(c *x509.Certificate) {
		c.DNSNames, c.EmailAddresses, c.ExtKeyUsage = hosts, nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return Directory{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Roots: a.roots(),
		Port:  srv.Listener.Addr().(*net.TCPAddr).Port,
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			for _, known := range hosts {
				if host == known {
					return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
				}
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		},
	}
}

// TestDirectoryFindsWhatIsServed: what one Tocsin serves, another finds, in both forms.
func TestDirectoryFindsWhatIsServed(t *testing.T) {
	now := time.Now()
	us, before := identity(t, now), identity(t, now)
	gone, err := before.Revoke(false, now)
	if err != nil {
		t.Fatal(err)
	}
	revoked := parse(t, []byte(gone)) // is served beside the next one
	for name, hosts := range map[string][]string{"advanced": {"openpgpkey.shop.example"}, "direct": {"shop.example"}} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			serve := ServeWKD(func() []*Key { return []*Key{us.Public(), revoked} })
			d := directory(t, hosts, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.Host+r.URL.String())
				serve.ServeHTTP(w, r)
			}))
			k, err := d.Lookup(t.Context(), "Tocsin@Shop.example", now)
			if err != nil {
				t.Fatal(err)
			}
			if k.Fingerprint() != us.Public().Fingerprint() {
				t.Errorf("found %s", k.Fingerprint())
			}
			want := map[string]string{
				"advanced": "openpgpkey.shop.example/.well-known/openpgpkey/shop.example/hu/" + WKDHash("tocsin") + "?l=Tocsin",
				"direct":   "shop.example/.well-known/openpgpkey/hu/" + WKDHash("tocsin") + "?l=Tocsin",
			}[name]
			if len(asked) != 1 || asked[0] != want {
				t.Errorf("asked %q, want %q", asked, want)
			}
			_, err = d.Lookup(t.Context(), "nobody@shop.example", now)
			if r, _ := err.(*Refusal); r == nil || r.Reason != NoKey {
				t.Errorf("nobody: %v", err)
			}
		})
	}
}

func TestDirectoryServes(t *testing.T) {
	us := identity(t, time.Now())
	file := "/.well-known/openpgpkey/shop.example/hu/" + WKDHash("tocsin")
	for _, c := range []struct {
		method, path string
		key          *Key
		code         int
		kind         string
	}{
		{"GET", file, us.Public(), 200, "application/octet-stream"},
		{"HEAD", file, us.Public(), 200, "application/octet-stream"},
		{"GET", "/.well-known/openpgpkey/hu/" + WKDHash("tocsin"), us.Public(), 200, "application/octet-stream"},
		{"GET", "/.well-known/openpgpkey/policy", us.Public(), 200, "text/plain; charset=utf-8"},
		{"GET", "/.well-known/openpgpkey/shop.example/policy", us.Public(), 200, "text/plain; charset=utf-8"},
		{"GET", file, nil, 404, ""},
		{"GET", "/.well-known/openpgpkey/shop.example/hu/" + WKDHash("anna"), us.Public(), 404, ""},
		{"GET", "/.well-known/openpgpkey/other.example/hu/" + WKDHash("tocsin"), us.Public(), 404, ""},
		{"GET", "/.well-known/openpgpkey/", us.Public(), 404, ""},
		{"GET", "/", us.Public(), 404, ""},
		{"POST", file, us.Public(), 405, ""},
	} {
		w := httptest.NewRecorder()
		ServeWKD(func() []*Key {
			if c.key == nil {
				return nil
			}
			return []*Key{c.key}
		}).ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.code || c.kind != "" && w.Header().Get("Content-Type") != c.kind {
			t.Errorf("%s %s: %d, %s", c.method, c.path, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

func TestDirectoryThatLies(t *testing.T) {
	now := time.Now()
	us, other := identity(t, now), identity(t, now)
	elsewhere, err := NewIdentity("Eve", "eve@evil.example", now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := us.Revoke(true, now)
	if err != nil {
		t.Fatal(err)
	}
	revoked := parse(t, []byte(gone))
	write := func(b []byte) http.HandlerFunc { return func(w http.ResponseWriter, _ *http.Request) { w.Write(b) } }
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		reason Reason // "" when it is no Refusal
		words  string
	}{
		{"a key of somebody else", write(elsewhere.Public().Marshal()), OtherAddress, "not for"},
		{"a revoked key", write(revoked.Marshal()), Revoked, "revoked"},
		{"a revoked key and the next", write(append(revoked.Marshal(), other.Public().Marshal()...)), "-", ""},
		{"two keys", write(append(us.Public().Marshal(), other.Public().Marshal()...)), Several, "2 keys"},
		{"a secret key", write(us.Marshal()), Secret, "secret"},
		{"nothing", write(nil), Unreadable, "nothing"},
		{"a page", write([]byte("<html>")), Unreadable, "no OpenPGP key"},
		{"without an end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}, TooLarge, "at most"},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}, "", "redirects are not followed"},
		{"broken", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", 500) }, "", "it answered 500"},
		{"large headers", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 64<<10)) }, "", "looking up a key at"},
		{"gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, NoKey, "publishes no key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := directory(t, []string{"openpgpkey.shop.example"}, c.answer)
			k, err := d.Lookup(t.Context(), "tocsin@shop.example", now)
			if c.reason == "-" {
				if err != nil || k.Fingerprint() != other.Public().Fingerprint() {
					t.Errorf("got %v, %v", k, err)
				}
				return
			}
			r, _ := errors.AsType[*Refusal](err)
			if err == nil || (r == nil) != (c.reason == "") || r != nil && r.Reason != c.reason || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v, want %s %q", err, c.reason, c.words)
			}
		})
	}
}

// TestDirectoryAsksNobodyInside: whatever a name server says, no address of a network inside is connected to.
func TestDirectoryAsksNobodyInside(t *testing.T) {
	for _, a := range []string{
		"127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1",
		"::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001::1", "fec0::1",
	} {
		d := Directory{Resolve: func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr(a)}, nil }}
		if _, err := d.Lookup(t.Context(), "anna@shop.example", time.Now()); err == nil || !strings.Contains(err.Error(), "no public address") {
			t.Errorf("%s: %v", a, err)
		}
	}
	for _, a := range []string{"9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9"} {
		if !(Directory{}).allowed(netip.MustParseAddr(a).Unmap()) {
			t.Errorf("%s is public", a)
		}
	}
	for _, address := range []string{
		"anna", "anna@localhost", "anna@127.0.0.1", "anna@[127.0.0.1]", "anna@shop.example:8080", "anna@shop.example/x", "anna@shop..example", "@shop.example",
		"anna@" + strings.Repeat("a.", 130) + "example", "Anna <anna@shop.example>", "anna@shöp.example", "a@b@shop.example",
	} {
		if _, _, err := WKDPaths(address); err == nil {
			t.Errorf("%q has a place", address)
		}
	}
}

// TestDirectoryIsSlow: a resolver that never answers costs ten seconds.
func TestDirectoryIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		d := Directory{Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		if _, err := d.Lookup(t.Context(), "anna@shop.example", begin); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begin); took != lookupTimeout {
			t.Errorf("took %v", took)
		}
	})
}

func TestJudge(t *testing.T) {
	now := time.Now()
	us, other := identity(t, now), identity(t, now)
	gone, err := us.Revoke(false, now)
	if err != nil {
		t.Fatal(err)
	}
	key, next, revoked := us.Public(), other.Public(), parse(t, []byte(gone))
	for _, c := range []struct {
		name          string
		kept, found   *Key
		keep, confirm bool
		words         string
	}{
		{"nothing at all", nil, nil, false, false, "No key"},
		{"first", nil, key, false, true, "Compare its fingerprint"},
		{"no longer published", key, nil, false, false, "stays in use"},
		{"the same", key, key, false, false, "The same key"},
		{"another", key, next, false, true, "Somebody may be trying"},
		{"revoked", key, revoked, true, false, "revoked by its owner"},
		{"the revocation is gone", revoked, key, false, false, "stays revoked"},
	} {
		v := Judge(c.kept, c.found, now)
		if v.Keep != c.keep || v.Confirm != c.confirm || !strings.Contains(v.Why, c.words) {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}
