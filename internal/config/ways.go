package config

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Agents says where agents on other hosts are heard.
type Agents struct {
	// Listen is an address and port for agents alone; they need it directly, not through a proxy that ends TLS. Default: none, and no agent.
	Listen string `yaml:"listen"`
	// Address is how agents reach it, host and port. Default: the host of public_url and the port of listen.
	Address string `yaml:"address"`
	// LostAfter is how long an agent may say nothing before that is an alert; "never" is for ever. Default: 40s.
	LostAfter Duration `yaml:"lost_after"`
}

// At is the host and port at which agents reach the hub, "" when nobody said it.
func (c Config) At() string {
	if c.Agents.Address != "" || c.Agents.Listen == "" {
		return c.Agents.Address
	}
	host, port, err := net.SplitHostPort(c.Agents.Listen)
	if err != nil {
		return ""
	}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" {
		return net.JoinHostPort(u.Hostname(), port)
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		return ""
	}
	return net.JoinHostPort(host, port)
}

// Syslog says where syslog is heard, and from whom. Each of TLS, TCP and UDP is an address and port; "" is no such door.
type Syslog struct {
	TLS      string   `yaml:"tls"`       // RFC 5425
	Cert     string   `yaml:"cert"`      // of the door of TLS, with its chain, PEM
	Key      string   `yaml:"key"`       //
	ClientCA string   `yaml:"client_ca"` // authorities of the senders' certificates, PEM
	Names    []string `yaml:"names"`     // that these may vouch for; none is every name
	Pins     []Pin    `yaml:"pins"`      // certificates that are believed for themselves
	TCP      string   `yaml:"tcp"`       // RFC 6587
	UDP      string   `yaml:"udp"`       // RFC 5426
	From     []Peer   `yaml:"from"`      // who may send over TCP and UDP
}

// A Pin is the SHA-256 fingerprint of a certificate, and what its host is called.
type Pin struct {
	Fingerprint string `yaml:"fingerprint"`
	Name        string `yaml:"name"`
}

// A Peer is an address or network, and what its host is called; without a name it is the address.
type Peer struct {
	Network Network `yaml:"network"`
	Name    string  `yaml:"name"`
}

// HTTPSource may send lines to the console's address by HTTP (doc/inlets.md).
type HTTPSource struct {
	Name string `yaml:"name"`
	// Token is the SHA-256 of the source's token, in hex; only the source has the token.
	Token string   `yaml:"token_hash"`
	Doors []string `yaml:"doors"` // lines, json, otlp; none is all of them
	Host  string   `yaml:"host"`  // of its lines; default: the name
}

// Bucket is an S3 bucket that logs are read from (doc/inlets.md).
type Bucket struct {
	Name      string   `yaml:"name"`
	Bucket    string   `yaml:"bucket"`
	Region    string   `yaml:"region"`
	Prefixes  []string `yaml:"prefixes"`
	Only      []string `yaml:"only"`
	KeyFile   string   `yaml:"key_file"`
	Endpoint  string   `yaml:"endpoint"`
	PathStyle bool     `yaml:"path_style"`
	Window    Duration `yaml:"window"` // default 24h
	Host      string   `yaml:"host"`
}

func checkWays(c *Config, say say) {
	port := func(key, addr string) {
		if _, p, err := net.SplitHostPort(addr); addr != "" && (err != nil || !isPort(p)) {
			say(key, "%q is no address with port; write 0.0.0.0:8443 for every address of this machine", addr)
		}
	}
	port("agents.listen", c.Agents.Listen)
	port("agents.address", c.Agents.Address)
	if c.Agents.Listen != "" && c.Agents.Listen == c.Listen {
		say("agents.listen", "the console listens on %s: agents need a port of their own", c.Listen)
	}
	if d := time.Duration(c.Agents.LostAfter); d != 0 && d < 30*time.Second {
		say("agents.lost_after", `agents speak every 10 s, so less than 30s would ring for nothing; "never" turns it off`)
	}
	port("syslog.tls", c.Syslog.TLS)
	port("syslog.tcp", c.Syslog.TCP)
	port("syslog.udp", c.Syslog.UDP)
	checkSyslog(c.Syslog, say)
	checkHTTP(c.HTTP, say)
	checkBuckets(c.Buckets, say)
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 0 && n <= 65535
}

func checkSyslog(s Syslog, say say) {
	switch {
	case s.TLS != "" && s.Cert == "":
		say("syslog.cert", "the certificate of the door of TLS is missing")
	case s.TLS != "" && s.Key == "":
		say("syslog.key", "the key of the certificate is missing")
	case s.TLS != "" && s.ClientCA == "" && len(s.Pins) == 0:
		say("syslog.client_ca", "nobody could send: name the authority of the senders' certificates, or pin some")
	}
	if (s.TCP != "" || s.UDP != "") && len(s.From) == 0 {
		say("syslog.from", "nobody could send: list the addresses of the senders")
	}
	for i, p := range s.From {
		if n := netip.Prefix(p.Network); !n.IsValid() || n.Bits() == 0 {
			say(fmt.Sprintf("syslog.from[%d].network", i+1), "there is no proof of who sends here, so name addresses: 192.0.2.7 or 192.0.2.0/24")
		}
	}
}

func checkHTTP(sources []HTTPSource, say say) {
	seen := map[string]bool{}
	for i, h := range sources {
		key := func(name string) string { return fmt.Sprintf("http[%d].%s", i+1, name) }
		if h.Name == "" || seen[h.Name] {
			say(key("name"), "each source needs a name of its own")
		}
		seen[h.Name] = true
		if b, err := hex.DecodeString(h.Token); err != nil || len(b) != 32 {
			say(key("token_hash"), "64 hex digits belong here; make a token with openssl rand -base64 24, and its hash with printf %%s TOKEN | sha256sum")
		}
		for _, d := range h.Doors {
			if doors := []string{"lines", "json", "otlp"}; !slices.Contains(doors, d) {
				say(key("doors"), "%s", oneOf(d, doors))
			}
		}
	}
}

func checkBuckets(buckets []Bucket, say say) {
	seen := map[string]bool{}
	for i, b := range buckets {
		key := func(name string) string { return fmt.Sprintf("buckets[%d].%s", i+1, name) }
		for _, x := range []struct{ name, text string }{{"name", b.Name}, {"bucket", b.Bucket}, {"region", b.Region}, {"key_file", b.KeyFile}} {
			if x.text == "" {
				say(key(x.name), "this is missing")
			}
		}
		if seen[b.Name] {
			say(key("name"), "each bucket needs a name of its own")
		}
		seen[b.Name] = true
		if w := time.Duration(b.Window); w != 0 && (w < 10*time.Minute || w > 30*24*time.Hour) {
			say(key("window"), "the window is between 10m and 30d")
		}
	}
}

// isPath reports whether the name of a log source is a path here, and not a door (syslog:tls) or a path of another host (web-1:/var/log/auth.log).
func isPath(name string) bool {
	before, _, _ := strings.Cut(name, "/")
	return !strings.Contains(before, ":")
}
