// Package voice calls people by telephone, encrypted: SIP over TLS (sips, RFC 3261), sound as SRTP with keys exchanged inside of that TLS
// (SDES, RFC 4568). It never falls back to anything plain: a far side that would not encrypt is refused.
//
// A call goes
//
//	Order -> dial (TLS, certificate checked) -> INVITE with RTP/SAVP -> ringing -> answered
//	      -> media: clips as mu-law frames every 20 ms -> SRTP -> UDP        (media.go)
//	      <- keys: RFC 4733, SIP INFO, or the tones themselves                (digits.go)
//	      -> talk: greeting, PIN, 1 acknowledge, 2 pass on, 3 again          (talk.go, pure)
//	      -> Outcome with its Trail
//
// Every call has its own TLS connection (link.go): what belongs to the dialog comes and goes on it alone, so a name that the far side puts in
// its Contact or Record-Route never makes us talk to anybody whose certificate was not checked. On a reliable connection a transaction is a
// request and its answers, so the package keeps them itself; the module sipgo reads the messages. RTCP is neither sent nor needed: packets that
// come on the sound's port and are not SRTP of this call are counted and dropped.
package voice

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// Options are the settings of a line.
type Options struct {
	CAFile    string     // PEM of the authorities to trust; "" for those of the system
	Advertise netip.Addr // our address as the far side sees it, behind NAT; none: the one of the connection
	PortLow   uint16     // the sound's UDP ports, 0 for any
	PortHigh  uint16
	Trunk     *Trunk        // for calls with Order.Through
	Ring      time.Duration // how long it rings; default 30 s
	Limit     time.Duration // of the whole call from the answer on; default 3 min
	Pause     time.Duration // before the words are said again; default 3 s
	Repeats   int           // how often they are; default 3
	PINTries  int           // default 3
	Stray     int           // keys without a meaning until the call ends; default 10
	Speech    string        // the program that speaks free text; default "espeak-ng", "-" for none
}

// A Trunk is an account at a telephone provider, or on a telephone system of one's own.
type Trunk struct {
	Server   string // sips:host or sips:host:port
	Domain   string // of addresses there; "" for the server's host
	User     string
	Password string
	Caller   string // user part or number shown to the person; "" for User
}

// An Order is one call to make.
type Order struct {
	To       string // sips:person@host[:port], or with Through also a number such as +49 30 1234567
	Through  bool   // by the trunk
	Number   string // of the incident; its digits are spoken before the PIN. "" is not said
	Severity string // low, medium, high, critical, or "": spoken before the PIN
	Language string // of Languages; English when unknown
	Detail   string // confidential; spoken after the PIN where espeak-ng is installed, never without a PIN
	Test     bool   // says that it is only a test

	// PIN says whether a PIN is the person's; nil when the person has none: then Detail is not spoken.
	PIN func(ctx context.Context, pin string) bool
	// Record keeps the answer, before the person hears that it is noted. nil when nothing is to be kept.
	Record func(ctx context.Context, r Result) error
}

// A Line makes calls. It may make many at a time.
type Line struct {
	options Options
	roots   *x509.CertPool // nil: the system's
	heard   func(call string, pcm []int16)
}

// New checks the settings and returns the line; it opens nothing. Errors say which setting is wrong.
func New(o Options) (*Line, error) {
	l := &Line{options: o}
	p := &l.options
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the authorities that calls trust: %w", err)
		}
		if l.roots = x509.NewCertPool(); !l.roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("the file %s has no certificate in PEM", o.CAFile)
		}
	}
	if o.PortLow > o.PortHigh || (o.PortLow == 0) != (o.PortHigh == 0) {
		return nil, fmt.Errorf("the ports for sound go from %d to %d; give a lower and a higher one, or neither", o.PortLow, o.PortHigh)
	}
	if t := o.Trunk; t != nil {
		if _, err := readAddress(t.Server); err != nil {
			return nil, fmt.Errorf("the trunk's server: %w", err)
		}
		if t.User == "" || strings.ContainsAny(t.User+t.Domain+t.Caller, "\"\\\r\n<>@;? ") || strings.ContainsAny(t.Password, "\r\n") {
			return nil, errors.New("the trunk's user, domain or caller is empty or has a character that no SIP address has")
		}
	}
	fill := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	fill(&p.Ring, 30*time.Second)
	fill(&p.Limit, 3*time.Minute)
	fill(&p.Pause, 3*time.Second)
	for n, v := range map[*int]int{&p.Repeats: 3, &p.PINTries: 3, &p.Stray: 10} {
		if *n <= 0 {
			*n = v
		}
	}
	if p.Speech == "" {
		p.Speech = "espeak-ng"
	}
	return l, nil
}

// tlsFor is how a connection to a host is checked.
func (l *Line) tlsFor(host string) *tls.Config {
	return &tls.Config{RootCAs: l.roots, ServerName: host, MinVersion: tls.VersionTLS12}
}

// An address is where a SIP request goes: sips:user@host:port. TLS is implied.
type address struct{ User, Host, Port string }

// readAddress reads a sips: address. Errors: another scheme (sip: would not be encrypted), no host, a character that could break a header.
func readAddress(s string) (address, error) {
	rest, ok := strings.CutPrefix(strings.ToLower(s[:min(5, len(s))])+s[min(5, len(s)):], "sips:")
	if !ok {
		return address{}, fmt.Errorf("the address %.80q does not begin with sips:, and others are not encrypted", s)
	}
	rest, parameters, _ := strings.Cut(rest, ";")
	if parameters != "" && parameters != "transport=tls" {
		return address{}, fmt.Errorf("the address %.80q has parameters; write sips:name@host or sips:name@host:port", s)
	}
	var a address
	if user, host, found := strings.Cut(rest, "@"); found {
		a.User, rest = user, host
	}
	if strings.HasPrefix(rest, "[") {
		host, after, closed := strings.Cut(rest[1:], "]")
		ip, err := netip.ParseAddr(host)
		if !closed || err != nil || !ip.Is6() || ip.Zone() != "" {
			return address{}, fmt.Errorf("the address %.80q has a broken IPv6 address", s)
		}
		a.Host, rest = host, after
	} else {
		a.Host, rest, _ = cutColon(rest)
	}
	a.Port = strings.TrimPrefix(rest, ":")
	if a.Port == "" {
		a.Port = "5061"
	}
	plain := func(t, extra string) bool {
		for _, r := range t {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(extra, r) {
				return false
			}
		}
		return true
	}
	n, bad := strconv.ParseUint(a.Port, 10, 16)
	if a.Host == "" || len(s) > 255 || !plain(a.Host, ".-:") || !plain(a.User, "-_.!~*'()&=+$,/%") || bad != nil || n == 0 {
		return address{}, fmt.Errorf("the address %.80q is no sips:name@host or sips:name@host:port", s)
	}
	return a, nil
}

// cutColon cuts before the first colon and keeps it with the rest.
func cutColon(s string) (before, rest string, found bool) {
	if i := strings.IndexByte(s, ':'); i >= 0 {
		return s[:i], s[i:], true
	}
	return s, "", false
}

// bracket writes a host as it stands in an address.
func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// uri writes the address for a request line or a header.
func (a address) uri() string {
	s := bracket(a.Host)
	if a.User != "" {
		s = a.User + "@" + s
	}
	if a.Port != "5061" {
		s += ":" + a.Port
	}
	return "sips:" + s + ";transport=tls"
}
