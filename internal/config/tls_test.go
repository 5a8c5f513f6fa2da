package config

import (
	"strings"
	"testing"
	"time"
)

const acme = "public_url: https://tocsin.example.com\nlisten: 0.0.0.0:443\ntls: {acme: {names: [tocsin.example.com], terms: true}}\n"

// TestTLS: given settings of certificates, when they are read, then what cannot work is told.
func TestTLS(t *testing.T) {
	c, err := Parse("tocsin.yaml", []byte(acme))
	if err != nil || !c.TLS.On() || time.Duration(c.TLS.HSTS) != 365*24*time.Hour {
		t.Fatalf("%+v, %v", c.TLS, err)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"both ways", "tls: {", "tls: {cert: a, key: b, ", "the console has one certificate"},
		{"no agreement", "terms: true", "terms: false", "write terms: true if you agree"},
		{"no names", "names: [tocsin.example.com], ", "", "tls.acme.names: the names of the console are missing"},
		{"an address", "names: [", "names: [192.0.2.1, ", "192.0.2.1 is an address"},
		{"a wildcard", "names: [", "names: ['*.example.com', ", "dns-01"},
		{"capitals", "names: [", "names: [Tocsin.example.com, ", "no full name"},
		{"a short name", "names: [", "names: [tocsin, ", "no full name"},
		{"twice", "names: [", "names: [tocsin.example.com, ", "twice"},
		{"another public name", "public_url: https://tocsin", "public_url: https://other", "one of tls.acme.names"},
		{"no public name", "public_url: https://tocsin.example.com\n", "", "one of tls.acme.names"},
		{"http", "public_url: https", "public_url: http", "must begin with https://"},
		{"a directory in the clear", "terms: true", "terms: true, directory: 'http://ca.example.com/'", "begins with https://"},
		{"the same port", "tls: {", "tls: {http_listen: '0.0.0.0:443', ", "where the console listens"},
		{"no port", "tls: {", "tls: {http_listen: '80', ", "no address with port"},
		{"for ever", "tls: {", "tls: {hsts: 3000d, ", "longer than two years"},
	} {
		text := strings.Replace(acme, tt.from, tt.to, 1)
		if text == acme {
			t.Fatalf("%s: nothing was changed", tt.name)
		}
		if _, err := Parse("tocsin.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := Parse("tocsin.yaml", []byte("tls: {http_listen: '0.0.0.0:80'}")); err == nil || !strings.Contains(err.Error(), "only where the console speaks TLS") {
		t.Errorf("a redirect to nothing: %v", err)
	}
}

func TestWebhooks(t *testing.T) {
	const good = "webhooks:\n  - {name: tickets, url: 'https://t.example.com/h', key_file: tickets.key, what: [incident, call.answered], severity: high}\n"
	if c, err := Parse("tocsin.yaml", []byte(good)); err != nil || len(c.Webhooks) != 1 {
		t.Fatalf("%+v, %v", c.Webhooks, err)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"no name", "name: tickets, ", "", "no name of a webhook"},
		{"a wrong name", "tickets,", "Tickets!,", "no name of a webhook"},
		{"two", "webhooks:\n", "webhooks:\n  - {name: tickets, url: 'https://x.example', key_file: k}\n", "two webhooks"},
		{"in the clear", "https://t", "http://t", "begins with https://"},
		{"no address", "url: 'https://t.example.com/h', ", "", "begins with https://"},
		{"no key", "key_file: tickets.key, ", "", "key of the signature is missing"},
		{"of what", "what: [incident", "what: [incidents", `did you mean "incident"?`},
		{"how grave", "severity: high", "severity: hihg", `did you mean "high"?`},
	} {
		text := strings.Replace(good, tt.from, tt.to, 1)
		if _, err := Parse("tocsin.yaml", []byte(text)); text == good || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
