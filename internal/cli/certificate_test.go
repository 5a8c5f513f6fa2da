package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// writeCertificate makes a certificate with a number, which ends at a time.
func writeCertificate(t *testing.T, dir string, number int64, end time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(number), NotBefore: noon.AddDate(-1, 0, 0), NotAfter: end, DNSNames: []string{"tocsin.shop.example"}}
	b, err := x509.CreateCertificate(rand.Reader, form, form, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: b}, key: {Type: "PRIVATE KEY", Bytes: k}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, noon, noon.Add(time.Duration(number)*time.Second)); err != nil { // two writes within one tick of the clock
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1, noon.AddDate(1, 0, 0))
	var said strings.Builder
	c, err := openCertificate(slog.New(slog.NewTextHandler(&said, nil)), cert, key, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := func(name string, after time.Duration, number int64) {
		t.Helper()
		if got := c.at(noon.Add(after)).Leaf.SerialNumber.Int64(); got != number {
			t.Errorf("%s: certificate %d, want %d", name, got, number)
		}
	}
	want("at the start", 0, 1)
	writeCertificate(t, dir, 2, noon.AddDate(1, 0, 0))
	want("within the minute", 59*time.Second, 1)
	want("after it", time.Minute, 2)
	if err := os.WriteFile(cert, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("a broken one", 2*time.Minute, 2)
	want("a broken one, still", 3*time.Minute, 2)
	if n := strings.Count(said.String(), "the one before stays in force"); n != 1 {
		t.Errorf("a broken certificate is told %d times", n)
	}
	writeCertificate(t, dir, 3, noon.AddDate(1, 0, 0))
	want("a whole one again", 4*time.Minute, 3)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	want("no key", 5*time.Minute, 3)
}

func TestExamineCertificate(t *testing.T) {
	for _, tt := range []struct {
		name     string
		end      time.Time
		ok, warn bool
		says     string
	}{
		{"fresh", noon.AddDate(0, 3, 0), true, false, "good until 27 February 2027"},
		{"ends soon", noon.AddDate(0, 0, 14), true, true, "expires on 11 December 2026"},
		{"ended", noon.AddDate(0, 0, -1), false, false, "expired on 26 November 2026"},
	} {
		cert, key := writeCertificate(t, t.TempDir(), 1, tt.end)
		if f := examineCertificate(cert, key, noon); f.OK != tt.ok || f.Warn != tt.warn || !strings.Contains(f.Says, tt.says) {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
	if f := examineCertificate(filepath.Join(t.TempDir(), "none.pem"), "none.key", noon); f.OK || f.Mend == "" {
		t.Errorf("none at all: %+v", f)
	}
}

// A body that never ends is cut off, so that nobody holds connections by it.
func TestSlowBody(t *testing.T) {
	read := make(chan error, 1)
	server := newServer(slog.New(slog.DiscardHandler), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
	}))
	if server.ReadTimeout <= 0 || server.WriteTimeout != 0 {
		t.Fatalf("limits: read %v, write %v", server.ReadTimeout, server.WriteTimeout)
	}
	server.ReadTimeout = 200 * time.Millisecond
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }() // ends by Close
	defer server.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nid="); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-read:
		if err == nil {
			t.Error("a body that never came was read")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a slow body holds its connection")
	}
}
