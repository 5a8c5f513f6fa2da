package cli

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/inlet"
)

// hubOf opens the port for agents; nil when there is none. The sample has no agents.
func hubOf(c config.Config, sample bool) (*desk.HubOptions, error) {
	if c.Agents.Listen == "" || sample {
		return nil, nil
	}
	l, err := net.Listen("tcp", c.Agents.Listen)
	if err != nil {
		return nil, fmt.Errorf("agents cannot be heard at %s: %w; stop what uses that port, or choose another in agents.listen", c.Agents.Listen, err)
	}
	return &desk.HubOptions{Listener: l, Address: c.At(), Limit: time.Duration(c.Agents.LostAfter)}, nil
}

// doorsOf is what the settings say of other ways in. They were checked before.
func doorsOf(c config.Config) (d desk.Doors) {
	s := c.Syslog
	d.Syslog = inlet.SyslogOptions{TLSAddr: s.TLS, TCPAddr: s.TCP, UDPAddr: s.UDP, TLS: inlet.TLS{Cert: s.Cert, Key: s.Key, ClientCA: s.ClientCA, Names: s.Names}}
	for _, p := range s.Pins {
		d.Syslog.TLS.Pins = append(d.Syslog.TLS.Pins, inlet.Pin{Fingerprint: p.Fingerprint, Name: p.Name})
	}
	for _, p := range s.From {
		d.Syslog.Peers = append(d.Syslog.Peers, inlet.Peer{From: netip.Prefix(p.Network), Name: p.Name})
	}
	for _, h := range c.HTTP {
		t := inlet.Token{Name: h.Name, Doors: h.Doors, Host: h.Host}
		if b, err := hex.DecodeString(h.Token); err == nil {
			copy(t.Hash[:], b)
		}
		d.Tokens = append(d.Tokens, t)
	}
	for _, b := range c.Buckets {
		d.Buckets = append(d.Buckets, inlet.BucketOptions{Name: b.Name, Bucket: b.Bucket, Region: b.Region, Prefixes: b.Prefixes, Only: b.Only, KeyFile: b.KeyFile,
			Endpoint: b.Endpoint, PathStyle: b.PathStyle, Window: time.Duration(b.Window), Host: b.Host})
	}
	return d
}

// withLines hands what comes to the doors of HTTP to them, and all else to the console.
func withLines(console, lines http.Handler) http.Handler {
	if lines == nil {
		return console
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/in/") || r.URL.Path == "/v1/logs" {
			lines.ServeHTTP(w, r)
			return
		}
		console.ServeHTTP(w, r)
	})
}
