package inlet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"tocsin/internal/record"
)

// certs makes an authority in dir (ca.pem), and certificates NAME.pem with NAME.key that it signed; self.pem signed itself.
func certs(t *testing.T, names ...string) (dir string, fingerprints map[string]string) {
	t.Helper()
	dir, fingerprints = t.TempDir(), map[string]string{}
	var parent *x509.Certificate
	var parentKey *ecdsa.PrivateKey
	for i, name := range append([]string{"ca"}, names...) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{name}}
		signer, signKey := parent, parentKey
		if i == 0 {
			c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
			parent, parentKey = c, key
		}
		if signer == nil || name == "self" {
			signer, signKey = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, signer, key.Public(), signKey)
		if err != nil {
			t.Fatal(err)
		}
		k, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name+".pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		write(t, filepath.Join(dir, name+".key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k})))
		sum := sha256.Sum256(der)
		fingerprints[name] = hex.EncodeToString(sum[:])
	}
	return dir, fingerprints
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func loopback() []Peer { return []Peer{{From: netip.MustParsePrefix("127.0.0.0/8"), Name: "web-1"}} }

// doors runs doors of syslog until the test ends. stop ends them earlier.
func doors(t *testing.T, log *slog.Logger, o SyslogOptions) (s *Syslog, stop func()) {
	t.Helper()
	s, err := NewSyslog(log, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

func dial(t *testing.T, s *Syslog, door string) net.Conn {
	t.Helper()
	c, err := net.Dial(s.Addr(door).Network(), s.Addr(door).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Given a sender that may send, when it sends over TCP in one framing or the other, then its frames are kept as they came, with its name,
// the door and their place.
func TestTCP(t *testing.T) {
	k := newKept()
	s, stop := doors(t, quietLog(), SyslogOptions{Append: k.Append, TCPAddr: "127.0.0.1:0", Peers: loopback()})
	c := dial(t, s, syslogTCP)
	fmt.Fprint(c, "<34>Nov 28 08:00:00 h sshd[1]: a\n<34>b\n")
	until(t, "two lines are kept", func() bool { return len(k.raws()) == 2 })
	c.Close()
	c = dial(t, s, syslogTCP)
	fmt.Fprint(c, "10 <34>1 - - \n6 <34>xy")
	c.Close()
	until(t, "four lines are kept", func() bool { return len(k.raws()) == 4 })
	stop()
	want := []record.Line{
		{Host: "web-1", File: syslogTCP, Raw: "<34>Nov 28 08:00:00 h sshd[1]: a"}, {Host: "web-1", File: syslogTCP, Offset: 33, Raw: "<34>b"},
		{Host: "web-1", File: syslogTCP, Raw: "<34>1 - - "}, {Host: "web-1", File: syslogTCP, Offset: 14, Raw: "<34>xy"},
	}
	if d := cmp.Diff(want, k.all()); d != "" {
		t.Error(d)
	}
	if c := countOf(s.Counts(), syslogTCP); c.Lines != 4 || c.Open != 0 || c.Last.IsZero() || len(c.Refused) != 0 {
		t.Errorf("counted: %+v", c)
	}
}

// Given frames of both framings, when the connection is cut at any byte by its sender, then whole frames alone are kept, in order and once,
// and a frame that was begun is counted as torn.
func TestCutAtEveryByte(t *testing.T) {
	for _, stream := range []string{"6 <34>xy12 <34>abcdefgh7 <34>end", "<34>xy\n<34>abcdefgh\n<34>end\n"} {
		want, _, _ := frames(stream, record.MaxLine)
		for _, reset := range []bool{false, true} {
			k := newKept()
			s, stop := doors(t, quietLog(), SyslogOptions{Append: k.Append, TCPAddr: "127.0.0.1:0", Peers: loopback(), PerPeer: 100})
			var lines int
			var torn int64
			for i := range len(stream) + 1 {
				k.mu.Lock()
				k.lines = nil
				k.mu.Unlock()
				f := newFramer(unknown, record.MaxLine)
				out, _ := f.add([]byte(stream[:i]), nil)
				open := f.open()
				if !reset {
					out, open = f.rest(out)
				}
				c := dial(t, s, syslogTCP)
				fmt.Fprint(c, stream[:i])
				if reset { // what came is read before the reset comes, as on a network
					until(t, "what is whole is kept", func() bool { return len(k.raws()) == len(out) })
					_ = c.(*net.TCPConn).SetLinger(0)
				}
				c.Close()
				until(t, "the connection is over", func() bool { return countOf(s.Counts(), syslogTCP).Open == 0 && len(k.raws()) == len(out) })
				if d := cmp.Diff(rawsOf(out), k.raws()); d != "" {
					t.Errorf("cut after %d bytes, reset %v: %s", i, reset, d)
				}
				for n, raw := range k.raws() {
					if !strings.HasPrefix(want[n], raw) {
						t.Errorf("cut after %d bytes: %q", i, raw)
					}
				}
				lines += len(out)
				if open {
					torn++
				}
			}
			stop()
			c := countOf(s.Counts(), syslogTCP)
			if c.Lines != int64(lines) || c.Refused[Torn] > torn || !reset && c.Refused[Torn] != torn {
				t.Errorf("counted %d lines and %d torn, sent were %d and %d", c.Lines, c.Refused[Torn], lines, torn)
			}
		}
	}
}

// Given an archive that refuses, when a sender sends more than fits on the way, then it has to wait, and when the archive takes lines again,
// all of them are kept, in order and once.
func TestBackPressure(t *testing.T) {
	k := newKept()
	k.set(func() error { return errors.New("the disk is full") })
	s, stop := doors(t, quietLog(), SyslogOptions{Append: k.Append, TCPAddr: "127.0.0.1:0", Peers: loopback()})
	c := dial(t, s, syslogTCP)
	if err := c.(*net.TCPConn).SetWriteBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	const all = 60_000
	done := make(chan int)
	sent := make(chan int, all)
	go func() {
		pad := strings.Repeat("x", 300)
		for i := range all {
			if _, err := fmt.Fprintf(c, "<13>%d %s\n", i, pad); err != nil {
				t.Error(err)
				break
			}
			sent <- i
		}
		c.Close()
		close(done)
	}()
	until(t, "the door says that it is stuck", func() bool { return countOf(s.Counts(), syslogTCP).Stuck != "" })
	last := -1
	until(t, "the sender waits", func() bool {
		n := len(sent)
		same := n == last
		last = n
		time.Sleep(100 * time.Millisecond)
		return same
	})
	if last == all {
		t.Fatal("the sender did not wait")
	}
	k.set(nil)
	<-done
	until(t, "all is kept", func() bool { return len(k.raws()) == all })
	stop()
	for i, raw := range k.raws() {
		if !strings.HasPrefix(raw, fmt.Sprintf("<13>%d ", i)) {
			t.Fatalf("line %d is %.20q", i, raw)
		}
	}
	if c := countOf(s.Counts(), syslogTCP); c.Stuck != "" {
		t.Errorf("still stuck: %s", c.Stuck)
	}
}

// Given senders that misbehave, when they connect, then they are refused, counted and told of, and others are not hurt.
func TestRefusals(t *testing.T) {
	dir, prints := certs(t, "server", "anna", "self")
	k := newKept()
	log := &logged{}
	s, stop := doors(t, slog.New(slog.NewTextHandler(log, nil)), SyslogOptions{Append: k.Append, TCPAddr: "127.0.0.1:0", UDPAddr: "127.0.0.1:0", TLSAddr: "127.0.0.1:0",
		Peers: []Peer{{From: netip.MustParsePrefix("127.0.0.1/32")}}, PerPeer: 2, FrameTime: 200 * time.Millisecond,
		TLS: TLS{Cert: filepath.Join(dir, "server.pem"), Key: filepath.Join(dir, "server.key"), Pins: []Pin{{Fingerprint: prints["anna"], Name: "anna-pinned"}}}})
	refused := func(door string, r Reason) int64 { return countOf(s.Counts(), door).Refused[r] }

	far := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	if c, err := far.Dial("tcp", s.Addr(syslogTCP).String()); err == nil {
		fmt.Fprint(c, "<13>x\n")
		defer c.Close()
	}
	until(t, "an address that is not listed is refused", func() bool { return refused(syslogTCP, BadPeer) == 1 })
	u, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)}, s.Addr(syslogUDP).(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	fmt.Fprint(u, "<13>x")
	until(t, "a datagram from there is, too", func() bool { return refused(syslogUDP, BadPeer) == 1 })
	fmt.Fprint(dial(t, s, syslogUDP), "\n")
	until(t, "an empty datagram is refused", func() bool { return refused(syslogUDP, BadFrame) == 1 })

	slow := dial(t, s, syslogTCP)
	fmt.Fprint(slow, "<13>begun and not ended")
	until(t, "a frame that does not end is given up", func() bool { return refused(syslogTCP, Slow) == 1 })
	fmt.Fprint(dial(t, s, syslogTCP), "6 <1>abc what")
	until(t, "lost framing is refused", func() bool { return refused(syslogTCP, BadFrame) == 1 })
	a, b := dial(t, s, syslogTCP), dial(t, s, syslogTCP)
	until(t, "two are open", func() bool { return countOf(s.Counts(), syslogTCP).Open == 2 })
	dial(t, s, syslogTCP)
	until(t, "a third is refused", func() bool { return refused(syslogTCP, TooMany) == 1 })
	time.Sleep(300 * time.Millisecond) // longer than a frame may take: between frames a connection may wait
	fmt.Fprint(a, "<13>a\n")
	fmt.Fprint(b, "<13>b\n")
	until(t, "the others are heard", func() bool { return slices.Contains(k.raws(), "<13>a") && slices.Contains(k.raws(), "<13>b") })

	fmt.Fprint(dial(t, s, syslogTLS), "<13>no TLS at all\n")
	until(t, "no TLS is refused", func() bool { return refused(syslogTLS, BadHandshake) == 1 })
	bare := tls.Client(dial(t, s, syslogTLS), &tls.Config{InsecureSkipVerify: true})
	_ = bare.Handshake()
	until(t, "no certificate is refused", func() bool { return refused(syslogTLS, BadHandshake)+refused(syslogTLS, BadPeer) == 2 })
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "self.pem"), filepath.Join(dir, "self.key"))
	if err != nil {
		t.Fatal(err)
	}
	other := tls.Client(dial(t, s, syslogTLS), &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}})
	_ = other.Handshake()
	until(t, "a foreign certificate is refused", func() bool { return refused(syslogTLS, BadPeer) >= 1 })
	old := tls.Client(dial(t, s, syslogTLS), &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	if err := old.Handshake(); err == nil {
		t.Error("TLS 1.1 was taken")
	}
	if d := cmp.Diff([]string{"<13>a", "<13>b", "<1>abc"}, sortedRaws(k)); d != "" {
		t.Error(d)
	}
	stop()
	if out := log.String(); !strings.Contains(out, "not on the list") || !strings.Contains(out, "Datagrams can be lost") {
		t.Errorf("the log says nothing of it:\n%s", out)
	}
}

func sortedRaws(k *kept) []string {
	all := k.raws()
	slices.Sort(all)
	return all
}

// Given client certificates of an authority and pinned ones, when their holders send over TLS, then the line has the configured name, else
// that of the certificate; and one whose name is not on the list of names is refused.
func TestTLSClients(t *testing.T) {
	dir, prints := certs(t, "server", "anna", "bert", "self")
	for _, x := range []struct {
		name, cert, host string
		tls              TLS
	}{
		{"authority", "anna", "anna", TLS{ClientCA: "ca.pem"}},
		{"authority and names", "anna", "anna", TLS{ClientCA: "ca.pem", Names: []string{"anna"}}},
		{"another name", "bert", "", TLS{ClientCA: "ca.pem", Names: []string{"anna"}}},
		{"signed by itself", "self", "", TLS{ClientCA: "ca.pem"}},
		{"pinned", "self", "firewall", TLS{Pins: []Pin{{"sha-256:" + colons(prints["self"]), "firewall"}}}},
		{"pinned without a name", "self", "self", TLS{Pins: []Pin{{strings.ToUpper(prints["self"]), ""}}}},
		{"pinned beside an authority", "self", "fw", TLS{ClientCA: "ca.pem", Names: []string{"anna"}, Pins: []Pin{{prints["self"], "fw"}}}},
	} {
		k := newKept()
		o := x.tls
		o.Cert, o.Key = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
		if o.ClientCA != "" {
			o.ClientCA = filepath.Join(dir, o.ClientCA)
		}
		s, stop := doors(t, quietLog(), SyslogOptions{Append: k.Append, TLSAddr: "127.0.0.1:0", TLS: o})
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, x.cert+".pem"), filepath.Join(dir, x.cert+".key"))
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			c := tls.Client(dial(t, s, syslogTLS), &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}, MaxVersion: version})
			fmt.Fprintf(c, "9 <13>%5d", version)
			c.Close()
		}
		if x.host == "" {
			until(t, x.name+": it is refused", func() bool {
				return countOf(s.Counts(), syslogTLS).Refused[BadPeer]+countOf(s.Counts(), syslogTLS).Refused[BadHandshake] == 2
			})
		} else {
			until(t, x.name+": it is kept", func() bool { return len(k.raws()) == 2 })
		}
		stop()
		for _, l := range k.all() {
			if l.Host != x.host || l.File != syslogTLS {
				t.Errorf("%s: %+v", x.name, l)
			}
		}
	}
}

func colons(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(s[i : i+2])
	}
	return b.String()
}

// Given datagrams faster than they can be kept, when the kernel drops some, then those that came and those counted as dropped are all.
func TestDatagramsDropped(t *testing.T) {
	k := newKept()
	k.set(func() error { return errors.New("the disk is full") })
	s, stop := doors(t, quietLog(), SyslogOptions{Append: k.Append, UDPAddr: "127.0.0.1:0", Peers: loopback()})
	if err := s.packets.SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	c := dial(t, s, syslogUDP)
	sent := int64(0)
	for range datagramsHeld + 5000 { // more than is held while the archive refuses
		if _, err := fmt.Fprintf(c, "<13>%d", sent); err == nil {
			sent++
		}
	}
	k.set(nil)
	until(t, "the door catches up", func() bool { // a drop is told beside the next datagram
		if _, err := fmt.Fprint(c, "<13>more"); err == nil {
			sent++
		}
		time.Sleep(5 * time.Millisecond)
		n := countOf(s.Counts(), syslogUDP)
		return n.Lines+n.Refused[Dropped] == sent && n.Refused[Dropped] > 0
	})
	stop()
	if c := countOf(s.Counts(), syslogUDP); !strings.Contains(c.Note, "can be lost") {
		t.Errorf("the door does not say that datagrams can be lost: %q", c.Note)
	}
}

// Given settings with a mistake, when doors are opened, then the error says which and how to mend it.
func TestSyslogSettings(t *testing.T) {
	dir, _ := certs(t, "server")
	cert, key := filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	for _, x := range []struct {
		says string
		o    SyslogOptions
	}{
		{"no address is named", SyslogOptions{}},
		{"list those of your senders", SyslogOptions{TCPAddr: "127.0.0.1:0"}},
		{"name their addresses", SyslogOptions{UDPAddr: "127.0.0.1:0", Peers: []Peer{{From: netip.MustParsePrefix("0.0.0.0/0")}}}},
		{"no name of a host", SyslogOptions{UDPAddr: "127.0.0.1:0", Peers: []Peer{{From: netip.MustParsePrefix("127.0.0.1/32"), Name: "a b"}}}},
		{"no client may send", SyslogOptions{TLSAddr: "127.0.0.1:0", TLS: TLS{Cert: cert, Key: key}}},
		{"no SHA-256 fingerprint", SyslogOptions{TLSAddr: "127.0.0.1:0", TLS: TLS{Cert: cert, Key: key, Pins: []Pin{{Fingerprint: "ab"}}}}},
		{"holds no certificate", SyslogOptions{TLSAddr: "127.0.0.1:0", TLS: TLS{Cert: cert, Key: key, ClientCA: key}}},
		{"reading the certificate", SyslogOptions{TLSAddr: "127.0.0.1:0", TLS: TLS{Cert: key, Key: key, ClientCA: cert}}},
		{"Choose an address", SyslogOptions{TCPAddr: "192.0.2.1:1", Peers: loopback()}},
	} {
		x.o.Append = newKept().Append
		if _, err := NewSyslog(quietLog(), x.o); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("the error should say %q and is %v", x.says, err)
		}
	}
}
