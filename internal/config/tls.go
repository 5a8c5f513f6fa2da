package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TLS is how the console shows who it is: by a certificate and key of your own, or by ACME; not both.
type TLS struct {
	Cert string `yaml:"cert"` // with its chain, PEM
	Key  string `yaml:"key"`  // PEM
	ACME ACME   `yaml:"acme"`
	// HTTPListen is an address and port, such as 0.0.0.0:80, at which http leads to https and ACME's challenge http-01 is answered. Default: none.
	HTTPListen string `yaml:"http_listen"`
	// HSTS is how long browsers shall remember that the console speaks https only; 0s is not at all. Default: 365d.
	HSTS Duration `yaml:"hsts"`
}

// ACME gets a certificate for each name and renews it (RFC 8555).
type ACME struct {
	Names     []string `yaml:"names"`     // of the console; the host of public_url is one of them
	Mail      string   `yaml:"mail"`      // whom the ACME server tells of trouble
	Directory string   `yaml:"directory"` // of the ACME server; default: Let's Encrypt
	CAFile    string   `yaml:"ca_file"`   // authority of the ACME server itself, PEM, if it is one of your own
	Terms     bool     `yaml:"terms"`     // you agree to the ACME server's terms; it must say true
}

// On reports whether the console itself speaks TLS.
func (t TLS) On() bool { return t.Cert != "" || t.ACME.On() }

// On reports whether certificates are got by ACME.
func (a ACME) On() bool { return len(a.Names) > 0 }

// hostForm is a full name without wildcards (RFC 1123 2.1).
var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func checkTLS(c *Config, say say) {
	t := c.TLS
	a := t.ACME
	some := a.On() || a.Mail != "" || a.Directory != "" || a.CAFile != "" || a.Terms
	switch {
	case some && (t.Cert != "" || t.Key != ""):
		say("tls.acme", "the console has one certificate: give tls.cert and tls.key, or tls.acme")
	case t.Cert == "" && t.Key != "":
		say("tls.cert", "the certificate of the key is missing")
	case t.Cert != "" && t.Key == "":
		say("tls.key", "the key of the certificate is missing")
	}
	if h := time.Duration(t.HSTS); h > 730*24*time.Hour {
		say("tls.hsts", "browsers would remember it for longer than two years; 365d is usual")
	}
	if t.HTTPListen != "" {
		switch _, port, err := net.SplitHostPort(t.HTTPListen); {
		case err != nil || !isPort(port):
			say("tls.http_listen", "%q is no address with port; write 0.0.0.0:80", t.HTTPListen)
		case !t.On():
			say("tls.http_listen", "http can lead to https only where the console speaks TLS: give tls.cert and tls.key, or tls.acme")
		case t.HTTPListen == c.Listen:
			say("tls.http_listen", "%s is where the console listens", t.HTTPListen)
		}
	}
	if some {
		checkACME(c, say)
	}
}

func checkACME(c *Config, say say) {
	a := c.TLS.ACME
	if !a.On() {
		say("tls.acme.names", "the names of the console are missing: names: [tocsin.example.com]")
	}
	for i, n := range a.Names {
		key := "tls.acme.names[" + strconv.Itoa(i+1) + "]"
		_, ip := netip.ParseAddr(n)
		switch {
		case ip == nil:
			say(key, "%s is an address; the console needs a name, also for passkeys", n)
		case strings.HasPrefix(n, "*."):
			say(key, "%q would need the challenge dns-01, which is not supported: name each host", n)
		case n != strings.ToLower(n) || !hostForm.MatchString(n):
			say(key, "%q is no full name of a host; write tocsin.example.com", n)
		case slices.Index(a.Names, n) != i:
			say(key, "%q stands there twice", n)
		}
	}
	if len(a.Names) > 20 {
		say("tls.acme.names", "there are %d names; 20 can be", len(a.Names))
	}
	if a.Mail != "" {
		checkAddress("tls.acme.mail", a.Mail, say)
	}
	if u, err := url.Parse(a.Directory); a.Directory != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil) {
		say("tls.acme.directory", "%q is no address of an ACME server; it begins with https://", a.Directory)
	}
	if !a.Terms {
		say("tls.acme.terms", "read the terms of the ACME server (Let's Encrypt: https://letsencrypt.org/repository/), and write terms: true if you agree")
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL == "" || err == nil && !slices.Contains(a.Names, strings.ToLower(u.Hostname())) {
		say("public_url", "it must begin with https:// and one of tls.acme.names, so that links in calls lead to a certificate that holds")
	} else if u.Scheme != "https" {
		say("public_url", "the console speaks TLS: the address must begin with https://")
	}
}

// Hook is another program that is told what happens.
type Hook struct {
	Name string `yaml:"name"` // small letters, digits and -, for screens and the ledger; do not change it
	URL  string `yaml:"url"`  // https://, or http:// to this machine. It is shown to nobody but for its host
	// KeyFile holds the key of the signature, at least 32 bytes (openssl rand -hex 32). A name without a slash is a systemd credential first.
	KeyFile string `yaml:"key_file"`
	KeyID   string `yaml:"key_id"`  // which key it is, while one replaces another; default: the hook's name
	CAFile  string `yaml:"ca_file"` // authority of the receiver's certificate, PEM, if it is one of your own
	// What it is told: incident, alert, call, source, agent, or single kinds such as incident.opened. Default: incident and call.
	What []string `yaml:"what"`
	// Severity is the least one of what it is told: low, medium, high, critical. Default: all.
	Severity string `yaml:"severity"`
}

var hookForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// hooksMost is how many there can be: each has a goroutine.
const hooksMost = 20

// hookNouns and hookKinds are those of package hook, which this package may not import; cli asks again.
func hookNouns() []string { return []string{"incident", "alert", "call", "source", "agent"} }

func checkHooks(hooks []Hook, say say) {
	if len(hooks) > hooksMost {
		say("webhooks", "there are %d; %d can be", len(hooks), hooksMost)
	}
	seen := map[string]bool{}
	for i, h := range hooks {
		key := func(name string) string { return "webhooks[" + strconv.Itoa(i+1) + "]." + name }
		switch {
		case !hookForm.MatchString(h.Name):
			say(key("name"), "%q is no name of a webhook: a small letter, then up to 31 of a-z 0-9 -", h.Name)
		case seen[h.Name]:
			say(key("name"), "there are two webhooks with the name %q", h.Name)
		}
		seen[h.Name] = true
		u, err := url.Parse(h.URL)
		if h.URL == "" || err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
			say(key("url"), "an address that begins with https:// is wanted here (http:// only to this machine)")
		}
		if h.KeyFile == "" {
			say(key("key_file"), "the file with the key of the signature is missing: openssl rand -hex 32 makes one")
		}
		for j, w := range h.What {
			n, _, single := strings.Cut(w, ".")
			if !slices.Contains(hookNouns(), n) || single && strings.HasSuffix(w, ".") {
				say(key("what")+"["+strconv.Itoa(j+1)+"]", "%s, or a kind of these such as incident.opened", oneOf(w, hookNouns()))
			}
		}
		if s := []string{"low", "medium", "high", "critical"}; h.Severity != "" && !slices.Contains(s, h.Severity) {
			say(key("severity"), "%s", oneOf(h.Severity, s))
		}
	}
}
