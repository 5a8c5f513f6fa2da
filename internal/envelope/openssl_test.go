package envelope

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"mime/quotedprintable"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func qp(r io.Reader) io.Reader { return quotedprintable.NewReader(r) }

// An authority signs certificates for mail.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t}
	a.key = a.ec()
	a.cert = a.issue(a.key, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage, c.EmailAddresses = true, true, x509.KeyUsageCertSign, nil, nil
		c.Subject.CommonName = "Test authority"
	})
	return a
}

func (a *authority) ec() crypto.Signer {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

func (a *authority) rsa(bits int) crypto.Signer {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

// issue signs a certificate for anna@shop.example, valid for a year, that change may change.
func (a *authority) issue(key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	a.t.Helper()
	n, _ := rand.Int(rand.Reader, big.NewInt(1<<60))
	c := &x509.Certificate{
		SerialNumber: n, Subject: pkix.Name{CommonName: "Anna"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		EmailAddresses: []string{"anna@shop.example"},
	}
	if change != nil {
		change(c)
	}
	parent, by := a.cert, a.key
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
	if err != nil {
		a.t.Fatal(err)
	}
	x, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return x
}

func (a *authority) roots() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func pemOf(t testing.TB, x *x509.Certificate, key crypto.Signer) []byte {
	t.Helper()
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.Raw})
	if key != nil {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	}
	return b
}

func openssl(t testing.TB, args ...string) (string, bool) {
	t.Helper()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "openssl", args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return complaint.String(), false
	}
	return out.String(), true
}

func TestOpenSSLReads(t *testing.T) {
	needs(t, "openssl", "openssl")
	a := newAuthority(t)
	dir, now := t.TempDir(), time.Now()
	write := func(name string, b []byte) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	annaKey := a.rsa(2048)
	annaCert := a.issue(annaKey, nil)
	ca, recipient := write("ca.pem", pemOf(t, a.cert, nil)), write("anna.pem", pemOf(t, annaCert, annaKey))
	anna, err := ParseCertificate(pemOf(t, annaCert, nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"RSA": a.rsa(2048), "ECDSA": a.ec()} {
		t.Run(name, func(t *testing.T) {
			ours := a.issue(key, func(c *x509.Certificate) { c.EmailAddresses = []string{"tocsin@shop.example"} })
			signer, err := LoadSigner(pemOf(t, ours, key), "tocsin@shop.example", now)
			if err != nil {
				t.Fatal(err)
			}
			s := Sealer{Signer: signer}
			sealed, err := s.Seal(incident, Reader{Address: "anna@shop.example", Certificate: anna, Trust: Trust{Roots: a.roots()}}, now)
			if err != nil {
				t.Fatal(err)
			}
			if sealed.Form != SMIME || sealed.Downgraded || sealed.Subject != "..." {
				t.Fatalf("%s, downgraded %v because %s", sealed.Form, sealed.Downgraded, sealed.Why)
			}
			eml := write("enc.eml", []byte("MIME-Version: 1.0\r\n"+sealed.Header+"\r\n"+string(sealed.Body)))
			shown, ok := openssl(t, "cms", "-cmsout", "-print", "-in", eml)
			if !ok || !strings.Contains(shown, "aes-256-cbc") {
				t.Errorf("openssl shows no AES-256: %s", shown)
			}
			inner, ok := openssl(t, "cms", "-decrypt", "-in", eml, "-recip", recipient)
			if !ok {
				t.Fatalf("openssl does not decrypt: %s", inner)
			}
			signed := write("inner.eml", []byte(inner))
			text, ok := openssl(t, "cms", "-verify", "-in", signed, "-CAfile", ca)
			if !ok {
				t.Fatalf("openssl does not verify: %s", text)
			}
			readEntity(t, text)

			changed := write("changed.eml", []byte(strings.Replace(inner, "closed", "opened", 1)))
			if words, ok := openssl(t, "cms", "-verify", "-in", changed, "-CAfile", ca); ok || !strings.Contains(words, "erification failure") {
				t.Errorf("openssl took a changed text: %s", words)
			}
			der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(sealed.Body), "\r\n", ""))
			if err != nil {
				t.Fatal(err)
			}
			der[len(der)-200] ^= 1 // CBC: it may well decrypt, so the signature must fail
			bad := write("bad.der", der)
			if inner, ok := openssl(t, "cms", "-decrypt", "-inform", "DER", "-in", bad, "-recip", recipient); ok {
				f := write("badinner.eml", []byte(inner))
				if words, ok := openssl(t, "cms", "-verify", "-in", f, "-CAfile", ca); ok {
					t.Errorf("openssl took a changed cipher text: %s", words)
				}
			}

			// Without a certificate of the reader, what leaves is signed and has no details.
			sealed, err = s.Seal(incident, Reader{Address: "ben@shop.example"}, now)
			if err != nil {
				t.Fatal(err)
			}
			bare := write("bare.eml", []byte("MIME-Version: 1.0\r\n"+sealed.Header+"\r\n"+string(sealed.Body)))
			text, ok = openssl(t, "cms", "-verify", "-in", bare, "-CAfile", ca)
			if !ok || !strings.Contains(text, "Sign in") || strings.Contains(text, "skimmer") || !sealed.Downgraded {
				t.Errorf("%v: %s", ok, text)
			}
		})
	}
}

func TestCertificatesRefused(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	key := a.rsa(2048)
	now := time.Now()
	trust := Trust{Roots: a.roots()}
	for _, c := range []struct {
		name   string
		key    crypto.Signer
		change func(*x509.Certificate)
		trust  Trust
		want   Reason // "" is none
	}{
		{"good", key, nil, trust, ""},
		{"expired", key, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }, trust, Expired},
		{"not yet valid", key, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }, trust, NotYet},
		{"for another address", key, func(c *x509.Certificate) { c.EmailAddresses = []string{"eve@shop.example"} }, trust, OtherAddress},
		{"for signing only", key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }, trust, NoEncryption},
		{"for web servers", key, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, trust, NoEncryption},
		{"not RSA", a.ec(), nil, trust, NoEncryption},
		{"short RSA", a.rsa(1024), nil, trust, Weak},
		{"of another authority", key, nil, Trust{Roots: other.roots()}, Untrusted},
		{"nothing trusted", key, nil, Trust{}, Untrusted},
		{"another one pinned", key, nil, Trust{Pinned: strings.Repeat("0", 64)}, Untrusted},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := ParseCertificate(pemOf(t, a.issue(c.key, c.change), nil))
			if err != nil {
				t.Fatal(err)
			}
			err = x.Check("Anna@Shop.example", c.trust, now)
			if r, _ := err.(*Refusal); c.want == "" && err != nil || c.want != "" && (r == nil || r.Reason != c.want || r.Words == "") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if c.want == Untrusted {
				if err := x.Check("anna@shop.example", Trust{Pinned: x.Fingerprint()}, now); err != nil {
					t.Errorf("pinned: %v", err)
				}
			}
		})
	}
	for name, c := range map[string]struct {
		upload []byte
		want   Reason
	}{
		"empty":             {nil, Unreadable},
		"too large":         {make([]byte, maxUpload+1), TooLarge},
		"with its key":      {pemOf(t, a.issue(key, nil), key), Secret},
		"two persons'":      {append(pemOf(t, a.issue(key, nil), nil), pemOf(t, a.issue(key, nil), nil)...), Several},
		"half a block":      {pemOf(t, a.issue(key, nil), nil)[:300], Unreadable},
		"something else":    {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte("x")}), Unreadable},
		"a block of no use": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), Unreadable},
	} {
		_, err := ParseCertificate(c.upload)
		if r, _ := err.(*Refusal); r == nil || r.Reason != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestOurCertificateRefused(t *testing.T) {
	a := newAuthority(t)
	key, now := a.ec(), time.Now()
	ours := func(change func(*x509.Certificate)) []byte {
		return pemOf(t, a.issue(key, func(c *x509.Certificate) {
			c.EmailAddresses = []string{"tocsin@shop.example"}
			if change != nil {
				change(c)
			}
		}), key)
	}
	for _, c := range []struct {
		name  string
		text  []byte
		words string
	}{
		{"without its key", pemOf(t, a.issue(key, nil), nil), "private key"},
		{"another's key", append(pemOf(t, a.issue(key, nil), nil), ours(nil)[len(pemOf(t, a.issue(key, nil), nil)):]...), ""},
		{"expired", ours(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }), "expired"},
		{"for another address", ours(func(c *x509.Certificate) { c.EmailAddresses = []string{"eve@shop.example"} }), "not for tocsin@shop.example"},
		{"may not sign", ours(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), "may not sign"},
	} {
		if _, err := LoadSigner(c.text, "tocsin@shop.example", now); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.words)
		}
	}
	s, err := LoadSigner(ours(nil), "tocsin@shop.example", now)
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]string{0: "", 320 * 24 * time.Hour: "expires on", 400 * 24 * time.Hour: "expired on"} {
		if got := s.Warning(now.Add(after)); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("after %v: %q", after, got)
		}
	}
}
