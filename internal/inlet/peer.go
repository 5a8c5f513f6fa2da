package inlet

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Peer is who may send syslog without a certificate.
type Peer struct {
	From netip.Prefix // one address is a prefix of all its bits
	Name string       // for Line.Host; "" is the address
}

// A Pin is a client certificate that is believed for itself, whoever signed it, until it is taken off the list.
type Pin struct {
	Fingerprint string // SHA-256 of the certificate in hexadecimal, with colons or without, also behind "sha-256:" (RFC 5425, section 4.2.2)
	Name        string // for Line.Host; "" is the name in the certificate
}

// peerOf returns the name of a listed address. Of several prefixes the longest counts.
func peerOf(peers []Peer, addr netip.Addr) (name string, ok bool) {
	addr = addr.Unmap().WithZone("")
	best := -1
	for _, p := range peers {
		if p.From.Bits() > best && p.From.Contains(addr) {
			best, name = p.From.Bits(), p.Name
		}
	}
	return cmp.Or(name, addr.String()), best >= 0
}

// checkPeers refuses a list that lets everybody in or nobody.
func checkPeers(door string, peers []Peer) error {
	if len(peers) == 0 {
		return fmt.Errorf("%s: no address may send: list those of your senders, such as 192.0.2.7 or 192.0.2.0/24", door)
	}
	for _, p := range peers {
		if !p.From.IsValid() || p.From.Bits() == 0 {
			return fmt.Errorf("%s: %s is no list of senders, because there is no proof of who sends here: name their addresses, or use TLS", door, p.From)
		}
		if p.Name != "" && !plainName(p.Name) {
			return fmt.Errorf("%s: %q is no name of a host: use letters, digits, dots, - and _", door, p.Name)
		}
	}
	return nil
}

// plainName reports whether a name is fit to be shown as a host's: letters, digits, dots, - and _, at most 253 bytes (RFC 1035).
func plainName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// A TLS says who we are and who may send, for syslog over TLS.
type TLS struct {
	Cert, Key string // PEM files of our certificate with its chain, and its key; read again when they change
	ClientCA  string // PEM file of the authorities whose client certificates are believed; "" is none
	Names     []string
	// Names are those of the clients that an authority may vouch for, as their certificates have them; none is every name.
	Pins []Pin
}

// A clients knows who may send over TLS.
type clients struct {
	roots *x509.CertPool
	names []string
	pins  map[string]string // SHA-256 to name
}

var (
	errNoCertificate = errors.New("the client showed no certificate")
	errNotListed     = errors.New("the client's certificate is neither of a known authority nor pinned")
)

func newClients(t TLS) (*clients, error) {
	c := &clients{names: t.Names, pins: map[string]string{}}
	if t.ClientCA != "" {
		pem, err := os.ReadFile(t.ClientCA)
		if err != nil {
			return nil, fmt.Errorf("reading the authorities of clients that may send syslog: %w", err)
		}
		if c.roots = x509.NewCertPool(); !c.roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate of an authority: it must hold at least one in PEM form, which begins with -----BEGIN CERTIFICATE-----", t.ClientCA)
		}
	}
	for _, p := range t.Pins {
		text := strings.ToLower(p.Fingerprint)
		text = strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(text, "sha-256:"), "sha256:"), ":", "")
		if b, err := hex.DecodeString(text); err != nil || len(b) != sha256.Size {
			return nil, fmt.Errorf("%q is no SHA-256 fingerprint of a certificate: print it with openssl x509 -in FILE -noout -fingerprint -sha256", p.Fingerprint)
		}
		if p.Name != "" && !plainName(p.Name) {
			return nil, fmt.Errorf("%q is no name of a host: use letters, digits, dots, - and _", p.Name)
		}
		c.pins[text] = p.Name
	}
	if c.roots == nil && len(c.pins) == 0 {
		return nil, errors.New("syslog:tls: no client may send: name a file of authorities or pin the certificates of your senders")
	}
	return c, nil
}

// name returns whom a client's certificate names, or why it may not send.
func (c *clients) name(certs []*x509.Certificate, now time.Time) (string, error) {
	if len(certs) == 0 {
		return "", errNoCertificate
	}
	leaf := certs[0]
	own := ""
	for _, n := range append(slices.Clone(leaf.DNSNames), leaf.Subject.CommonName) {
		if plainName(n) {
			own = n
			break
		}
	}
	sum := sha256.Sum256(leaf.Raw)
	if name, ok := c.pins[hex.EncodeToString(sum[:])]; ok {
		return cmp.Or(name, own), nil
	}
	if c.roots == nil {
		return "", errNotListed
	}
	between := x509.NewCertPool()
	for _, i := range certs[1:] {
		between.AddCert(i)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNotListed, err)
	}
	if len(c.names) > 0 && !slices.Contains(c.names, own) {
		return "", fmt.Errorf("the authority is known, and %q is not on the list of names that may send", own)
	}
	return own, nil
}

// config is what a server of TLS 1.2 or later asks of clients (RFC 9662 for syslog).
func (c *clients) config(pair *keyPair) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		GetCertificate:         pair.get,
		VerifyConnection: func(s tls.ConnectionState) error {
			_, err := c.name(s.PeerCertificates, time.Now())
			return err
		},
	}
}

// A keyPair is our certificate, read again when its file is another.
type keyPair struct {
	cert, key string

	mu   sync.Mutex
	pair *tls.Certificate
	read time.Time // when the files were changed that pair is of
}

func newKeyPair(cert, key string) (*keyPair, error) {
	k := &keyPair{cert: cert, key: key}
	if _, err := k.get(nil); err != nil {
		return nil, fmt.Errorf("reading the certificate for syslog over TLS: %w", err)
	}
	return k, nil
}

// get returns the certificate. One that cannot be read any more, because it is just being replaced, is used on.
func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var changed time.Time
	for _, name := range []string{k.cert, k.key} {
		if st, err := os.Stat(name); err == nil && st.ModTime().After(changed) {
			changed = st.ModTime()
		}
	}
	if k.pair != nil && changed.Equal(k.read) {
		return k.pair, nil
	}
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	switch {
	case err == nil:
		k.pair, k.read = &pair, changed
	case k.pair == nil:
		return nil, err
	}
	return k.pair, nil
}

// addrOf returns the address of the other side of a connection.
func addrOf(c net.Conn) netip.Addr {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// A gate bounds how many may be inside, of all and of one address.
type gate struct {
	most, each int

	mu  sync.Mutex
	all int
	of  map[netip.Addr]int
}

func newGate(o SyslogOptions) *gate {
	return &gate{most: o.Connections, each: o.PerPeer, of: map[netip.Addr]int{}}
}

func (g *gate) enter(a netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= g.most || g.of[a] >= g.each {
		return false
	}
	g.all++
	g.of[a]++
	return true
}

func (g *gate) leave(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.of[a]--; g.of[a] == 0 {
		delete(g.of, a)
	}
}
