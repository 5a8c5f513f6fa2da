package signin

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOrigin(t *testing.T) {
	for _, tt := range []struct {
		public           string
		url, host        string
		secure, passkeys bool
		says             string
	}{
		{"https://tocsin.example.com", "https://tocsin.example.com", "tocsin.example.com", true, true, ""},
		{"https://Tocsin.Example.com:443", "https://tocsin.example.com", "tocsin.example.com", true, true, ""},
		{"https://tocsin.example.com:8443", "https://tocsin.example.com:8443", "tocsin.example.com", true, true, ""},
		{"http://localhost:8181", "http://localhost:8181", "localhost", true, true, ""},
		{"http://tocsin.localhost", "http://tocsin.localhost", "tocsin.localhost", true, true, ""},
		{"http://127.0.0.1:8181", "http://127.0.0.1:8181", "127.0.0.1", true, false, "bound to a name"},
		{"https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", "2001:db8::1", true, false, "bound to a name"},
		{"http://tocsin.example.com", "http://tocsin.example.com", "tocsin.example.com", false, false, "under https only"},
		{"http://localhost.example.com", "http://localhost.example.com", "localhost.example.com", false, false, "under https only"},
		{"", "", "", false, false, "Nobody said"},
		{"ftp://x", "", "", false, false, "Nobody said"},
		{"https://%zz", "", "", false, false, "Nobody said"},
	} {
		o := NewOrigin(tt.public)
		if o.URL != tt.url || o.Host != tt.host || o.Secure != tt.secure || o.Passkeys != tt.passkeys || (o.Says == "") != (tt.says == "") || !strings.Contains(o.Says, tt.says) {
			t.Errorf("%s: %+v", tt.public, o)
		}
	}
	o := NewOrigin("https://tocsin.example.com")
	for origin, same := range map[string]bool{"https://tocsin.example.com": true, "https://TOCSIN.example.com": true, "http://tocsin.example.com": false, "https://tocsin.example.com:8443": false,
		"https://tocsin.example.com.evil.example": false, "null": false, "": false} {
		r := httptest.NewRequest("GET", "/", nil)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if o.Same(r) != same {
			t.Errorf("%q is the same: %v", origin, !same)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	if (Origin{}).Same(r) || NewOrigin("").Same(r) {
		t.Error("no origin is the same as none")
	}
}
