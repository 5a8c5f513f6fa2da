package client

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// What names a server is looked at before a token leaves.
func TestServersAreChecked(t *testing.T) {
	for name, x := range map[string]struct {
		s    Server
		says string
	}{
		"no address":           {Server{URL: "tocsin.example", Token: "tcs_1"}, "is not the address"},
		"plain http elsewhere": {Server{URL: "http://tocsin.example", Token: "tcs_1"}, "read on the way"},
		"another scheme":       {Server{URL: "ftp://tocsin.example", Token: "tcs_1"}, "by https"},
		"a name in it":         {Server{URL: "https://anna:secret@tocsin.example", Token: "tcs_1"}, "is not the address"},
		"no token":             {Server{URL: "https://tocsin.example"}, "wants a token"},
		"a token with a line":  {Server{URL: "https://tocsin.example", Token: "tcs_1\nX: y"}, "wants a token"},
		"half a fingerprint":   {Server{URL: "https://tocsin.example", Token: "tcs_1", Fingerprint: "abcd"}, "64 hex digits"},
		"no certificates":      {Server{URL: "https://tocsin.example", Token: "tcs_1", CA: []byte("none")}, "has none in PEM"},
		"this machine":         {Server{URL: "http://127.0.0.1:1", Token: "tcs_1"}, ""},
		"elsewhere":            {Server{URL: "https://tocsin.example/", Token: "tcs_1"}, ""},
	} {
		_, err := At(x.s)
		if (err == nil) != (x.says == "") || err != nil && !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v, want %q", name, err, x.says)
		}
	}
}

// Given a server with a certificate of its own, then it is believed by its authority or its fingerprint alone, a redirect takes no token along, and an act
// whose answer was lost is asked for again under the same key.
func TestAServerElsewhere(t *testing.T) {
	var mu sync.Mutex
	var keys, tokens []string
	lost := 1
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed, with %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		keys, tokens = append(keys, r.Header.Get("Idempotency-Key")), append(tokens, r.Header.Get("Authorization"))
		gone := r.Method == http.MethodPost && lost > 0
		if gone {
			lost--
		}
		mu.Unlock()
		switch {
		case gone:
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/api/v1/rights":
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case r.Method == http.MethodPost:
			_, _ = io.WriteString(w, `{"id":7}`)
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"status":403,"title":"Forbidden","detail":"you may not","right":"see"}`)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	sum := sha256.Sum256(server.Certificate().Raw)
	print := hex.EncodeToString(sum[:])
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, x := range map[string]struct {
		s    Server
		says string
	}{
		"nobody knows it":     {Server{}, "certificate"},
		"its authority":       {Server{CA: ca}, "you may not"},
		"its fingerprint":     {Server{Fingerprint: "SHA256:" + strings.ToUpper(print)}, "you may not"},
		"another fingerprint": {Server{Fingerprint: strings.Repeat("00", 32)}, "not the one that was given"},
	} {
		x.s.URL, x.s.Token = server.URL, "tcs_1"
		c, err := At(x.s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Incidents(t.Context(), "open", ""); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v, want %q", name, err, x.says)
		}
	}
	c, err := At(Server{URL: server.URL, Token: "tcs_1", CA: ca})
	if err != nil {
		t.Fatal(err)
	}
	keys = nil
	if x, err := c.OpenIncident(t.Context(), "words", ""); err != nil || x.ID != 7 {
		t.Errorf("an act whose answer was lost: %v, %v", x, err)
	}
	if len(keys) != 2 || keys[0] == "" || keys[0] != keys[1] {
		t.Errorf("the keys were %q", keys)
	}
	if _, err := c.Rights(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("a redirect: %v", err)
	}
	for _, x := range tokens {
		if x != "Bearer tcs_1" {
			t.Errorf("the token came as %q", x)
		}
	}
}
