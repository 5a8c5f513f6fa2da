package notify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A server is a real SMTP server that does what a test tells it.
type server struct {
	port   int
	caFile string

	mu       sync.Mutex
	sessions int
	conns    []net.Conn
	received []string // raw messages that were taken
	from, to []string
	onMail   error
	onRcpt   error
	onData   func(c net.Conn, r io.Reader) error // nil takes the message
	signedIn string
	utf8     bool // SMTPUTF8 is welcome: our own mail never asks for it
}

type kind struct {
	startTLS, implicitTLS, auth bool

	say func(step int, from []byte) (challenge []byte, done bool, err error) // of SCRAM, by a server that lies
}

func start(t testing.TB, k kind) *server {
	t.Helper()
	s := &server{}
	config := s.certificate(t)
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions++
		s.conns = append(s.conns, c.Conn())
		if k.say != nil {
			return &liar{session{s, c}, k.say}, nil
		}
		if k.auth {
			return &authSession{session{s, c}}, nil
		}
		return &session{s, c}, nil
	}))
	srv.Domain = "mail.test"
	srv.EnableSMTPUTF8 = true
	srv.ErrorLog = log.New(io.Discard, "", 0)
	if k.startTLS {
		srv.TLSConfig = config
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	if k.implicitTLS {
		l = tls.NewListener(l, config)
	}
	var wg sync.WaitGroup
	wg.Go(func() { srv.Serve(l) })
	t.Cleanup(func() {
		srv.Close()
		l.Close() // when Serve had not begun yet
		wg.Wait()
	})
	return s
}

// certificate makes an authority and a certificate of it for 127.0.0.1, in one.
func (s *server) certificate(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(s.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

type session struct {
	s *server
	c *smtp.Conn
}

func (x *session) Reset()        {}
func (x *session) Logout() error { return nil }
func (x *session) Mail(from string, o *smtp.MailOptions) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if o.UTF8 && !x.s.utf8 {
		return errors.New("SMTPUTF8 was asked for")
	}
	x.s.from = append(x.s.from, from)
	return x.s.onMail
}

func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.to = append(x.s.to, to)
	return x.s.onRcpt
}

func (x *session) Data(r io.Reader) error {
	x.s.mu.Lock()
	onData := x.s.onData
	x.s.mu.Unlock()
	if onData != nil {
		return onData(x.c.Conn(), r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.received = append(x.s.received, string(b))
	return nil
}

type authSession struct{ session }

func (x *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (x *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "tocsin" || password != "hunter2 is secret" {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "bad password " + password}
		}
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		x.s.signedIn = user
		return nil
	}), nil
}

// count returns how many messages were taken, and over how many sessions.
func (s *server) count() (received, sessions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.received), s.sessions
}

func (s *server) options() MailOptions {
	return MailOptions{Host: "127.0.0.1", Port: s.port, CAFile: s.caFile, From: "Tocsin <tocsin@shop.example>"}
}

func sender(t testing.TB, o MailOptions) *Mail {
	t.Helper()
	m, err := NewMail(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

var hello = Message{
	To: "Anna <anna@shop.example>", Subject: "Critical: a web shell was used", Body: "What is known.\n\nhttps://tocsin.example/a/1",
	ID: "call-3.2.anna@shop.example", Call: "3", Twice: true,
}

// failure demands a *Failure and returns it.
func failure(t *testing.T, err error) *Failure {
	t.Helper()
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		t.Fatalf("got error %v, want a *Failure", err)
	}
	return f
}

func TestMailArrives(t *testing.T) {
	for _, c := range []struct {
		name string
		kind kind
		tls  string
		user string
	}{
		{"STARTTLS", kind{startTLS: true}, "", ""},
		{"STARTTLS, signed in", kind{startTLS: true, auth: true}, "required", "tocsin"},
		{"implicit TLS, signed in", kind{implicitTLS: true, auth: true}, "implicit", "tocsin"},
		{"opportunistic, offered", kind{startTLS: true, auth: true}, "opportunistic", "tocsin"},
		{"opportunistic, not offered", kind{}, "opportunistic", ""},
		{"none", kind{}, "none", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.kind)
			o := s.options()
			o.TLS, o.Username, o.Password = c.tls, c.user, "hunter2 is secret"
			m := sender(t, o)
			if err := m.Check(t.Context()); err != nil {
				t.Fatalf("Check: %v", err)
			}
			if err := m.Send(t.Context(), hello); err != nil {
				t.Fatalf("Send: %v", err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.received) != 1 || s.from[0] != "tocsin@shop.example" || s.to[0] != "anna@shop.example" || s.signedIn != c.user {
				t.Fatalf("received %d, from %q, to %q, signed in as %q", len(s.received), s.from, s.to, s.signedIn)
			}
			got, err := netmail.ReadMessage(strings.NewReader(s.received[0]))
			if err != nil {
				t.Fatal(err)
			}
			for h, want := range map[string]string{
				"From":            `"Tocsin" <tocsin@shop.example>`,
				"To":              `"Anna" <anna@shop.example>`,
				"Subject":         hello.Subject,
				"Message-Id":      "<call-3.2.anna@shop.example>",
				"Auto-Submitted":  "auto-generated",
				"X-Tocsin-Call":   "3",
				"X-Tocsin-Repeat": "possibly twice",
				"Content-Type":    "text/plain; charset=UTF-8",
			} {
				if got.Header.Get(h) != want {
					t.Errorf("%s is %q, want %q", h, got.Header.Get(h), want)
				}
			}
			if _, err := got.Header.Date(); err != nil {
				t.Errorf("Date: %v", err)
			}
		})
	}
}

func TestMailFailures(t *testing.T) {
	bad := func(code int, words string) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 2, 1}, Message: words}
	}
	for _, c := range []struct {
		name      string
		kind      kind
		given     func(*server, *MailOptions, *Message)
		temporary bool
		uncertain bool
		words     string // in the reason
	}{
		{"4xx to the sender", kind{}, func(s *server, _ *MailOptions, _ *Message) { s.onMail = bad(451, "try later") }, true, false, "451 4.2.1 try later"},
		{"5xx to the recipient", kind{}, func(s *server, _ *MailOptions, _ *Message) { s.onRcpt = bad(550, "no such user") }, false, false, "RCPT TO <anna@shop.example>: it answered 550 5.2.1 no such user"},
		{"4xx to the recipient", kind{}, func(s *server, _ *MailOptions, _ *Message) { s.onRcpt = bad(450, "greylisted") }, true, false, "450 4.2.1 greylisted"},
		{"5xx to the message", kind{}, func(s *server, _ *MailOptions, _ *Message) {
			s.onData = func(_ net.Conn, r io.Reader) error {
				io.Copy(io.Discard, r)
				return bad(554, "spam")
			}
		}, false, false, "554 5.2.1 spam"},
		{"hostile words", kind{}, func(s *server, _ *MailOptions, _ *Message) {
			s.onRcpt = bad(550, "a\x1b[31mb\u202Ec "+strings.Repeat("x", 900))
		}, false, false, "a[31mbc xxx"},
		{"dropped in the middle of the message", kind{}, func(s *server, _ *MailOptions, _ *Message) {
			s.onData = func(c net.Conn, r io.Reader) error {
				io.ReadFull(r, make([]byte, 10))
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
				return nil
			}
		}, true, true, "the message's end"},
		{"dropped after the message", kind{}, func(s *server, _ *MailOptions, _ *Message) {
			s.onData = func(c net.Conn, r io.Reader) error {
				io.Copy(io.Discard, r)
				c.Close()
				return nil
			}
		}, true, true, "the message's end"},
		{"slow after the message", kind{}, func(s *server, _ *MailOptions, _ *Message) {
			s.onData = func(c net.Conn, r io.Reader) error {
				io.Copy(io.Discard, r)
				io.Copy(io.Discard, c) // until the sender gives up
				return nil
			}
		}, true, true, "no answer in time"},
		{"no STARTTLS", kind{}, func(_ *server, o *MailOptions, _ *Message) { o.TLS = "required" }, false, false, "offers no STARTTLS"},
		{"unknown authority", kind{startTLS: true}, func(_ *server, o *MailOptions, _ *Message) { o.TLS, o.CAFile = "required", "" }, false, false, "certificate does not hold"},
		{"unknown authority, opportunistic", kind{startTLS: true}, func(_ *server, o *MailOptions, _ *Message) { o.TLS, o.CAFile = "opportunistic", "" }, false, false, "certificate does not hold"},
		{"wrong password", kind{startTLS: true, auth: true}, func(_ *server, o *MailOptions, _ *Message) {
			o.TLS, o.Username, o.Password = "required", "tocsin", "wrong horse"
		}, false, false, "535 5.7.8 bad password [password]"},
		{"no way to sign in", kind{}, func(_ *server, o *MailOptions, _ *Message) { o.Username, o.Password = "tocsin", "secret" }, false, false, "no way to sign in"},
		{"nobody listens", kind{}, func(_ *server, o *MailOptions, _ *Message) { o.Port = 1 }, true, false, "connecting to the mail server 127.0.0.1:1: connect: connection refused"},
		{"no such recipient form", kind{}, func(_ *server, _ *MailOptions, m *Message) { m.To = "anna@shop.example\r\nRCPT TO:<eve@x>" }, false, false, "no mail address"},
		{"recipient not ASCII", kind{}, func(_ *server, _ *MailOptions, m *Message) { m.To = "änna@shop.example" }, false, false, "mail servers do not take"},
		{"hostile Message-ID", kind{}, func(_ *server, _ *MailOptions, m *Message) { m.ID = "a@b>\r\nBcc: eve@x" }, false, false, "Message-ID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.kind)
			o, msg := s.options(), hello
			o.TLS = "none"
			c.given(s, &o, &msg)
			m := sender(t, o)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			f := failure(t, m.Send(ctx, msg))
			if f.Temporary != c.temporary || f.Uncertain != c.uncertain || !strings.Contains(f.Reason, c.words) {
				t.Errorf("got %+v, want temporary %v, uncertain %v, words %q", *f, c.temporary, c.uncertain, c.words)
			}
			if len(f.Reason) > 700 || strings.ContainsAny(f.Reason, "\r\n\x1b\u202E") || strings.Contains(f.Reason, "horse") {
				t.Errorf("the reason is too long, not clean, or tells a secret: %q", f.Reason)
			}
			if n, _ := s.count(); n != 0 {
				t.Errorf("the server took %d messages", n)
			}
		})
	}
}

func TestMailConnectionIsReused(t *testing.T) {
	// Given a burst of messages, then all go over one connection.
	s := start(t, kind{startTLS: true})
	m := sender(t, s.options())
	send := func() {
		t.Helper()
		if err := m.Send(t.Context(), hello); err != nil {
			t.Fatal(err)
		}
	}
	refuse := func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.onRcpt = err
	}
	send()
	_, before := s.count()
	for range 20 {
		send()
	}
	if _, n := s.count(); n != before {
		t.Errorf("%d sessions for the burst, want none beside the first", n-before)
	}

	// When the server refuses one recipient, the connection stays.
	refuse(&smtp.SMTPError{Code: 550, Message: "no"})
	if f := failure(t, m.Send(t.Context(), hello)); f.Temporary {
		t.Errorf("got %+v", f)
	}
	refuse(nil)
	send()
	if _, n := s.count(); n != before {
		t.Error("a refused recipient cost the connection")
	}

	// When the server closes the idle connection, the next message goes over a new one, once.
	s.mu.Lock()
	conns := slices.Clone(s.conns)
	s.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
	taken, _ := s.count()
	send()
	if n, sessions := s.count(); n != taken+1 || sessions == before {
		t.Errorf("received %d more messages, %d more sessions", n-taken, sessions-before)
	}
}

func TestMailManyAtOnce(t *testing.T) {
	s := start(t, kind{})
	o := s.options()
	o.TLS = "none"
	m := sender(t, o)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := m.Send(t.Context(), hello); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n, sessions := s.count(); n != 50 || sessions > mailConns {
		t.Errorf("received %d messages over %d sessions", n, sessions)
	}
}

func TestMailOptionsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     MailOptions
		words string
	}{
		{"no host", MailOptions{From: "a@b"}, "host is missing"},
		{"no sender", MailOptions{Host: "h"}, "no mail address"},
		{"unknown TLS", MailOptions{Host: "h", From: "a@b", TLS: "maybe"}, `TLS is "maybe"`},
		{"no CA file", MailOptions{Host: "h", From: "a@b", CAFile: "testdata/missing.pem"}, "reading the CA file"},
		{"a CA file without a certificate", MailOptions{Host: "h", From: "a@b", CAFile: "mail.go"}, "holds no certificate"},
		{"hostile EHLO name", MailOptions{Host: "h", From: "a@b", Hello: "x\r\nMAIL FROM:<>"}, "EHLO"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := NewMail(c.o); err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v, want %q", err, c.words)
			}
		})
	}
}

// FuzzMail: what a mail program reads is what was written, whatever title and body say, and no header is added.
func FuzzMail(f *testing.F) {
	for _, s := range []string{
		"plain", "a\r\nBcc: eve@evil.example\r\n\r\nbody", "=?utf-8?q?=42cc?= x", "ümlaut   and \t tabs \u202e",
		strings.Repeat("wide ", 60), strings.Repeat("x", 300), strings.Repeat("ü", 120), ".\r\n.\r\nQUIT", "\xff\xfe\x00", " lead", "a =\n b = ",
	} {
		f.Add(s, s, s)
	}
	m, err := NewMail(MailOptions{Host: "h", From: "Tocsin <t@shop.example>"})
	if err != nil {
		f.Fatal(err)
	}
	to := &netmail.Address{Name: "Anna", Address: "anna@shop.example"}
	f.Fuzz(func(t *testing.T, subject, body, call string) {
		msg := Message{Subject: subject, Body: body, ID: "1@h", Call: call}
		raw, err := m.compose(msg, to)
		if err != nil {
			t.Fatal(err)
		}
		for l := range strings.SplitSeq(string(raw), "\r\n") {
			if len(l) > 998 || strings.ContainsAny(l, "\r\n\x00") {
				t.Fatalf("a line that SMTP forbids: %q", l)
			}
		}
		got, err := netmail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatalf("not to be read: %v\n%q", err, raw)
		}
		want := 9 // Date, From, To, Subject, Message-ID, MIME-Version, Auto-Submitted, Content-Type, Content-Transfer-Encoding
		if call != "" {
			want++
		}
		if len(got.Header) != want {
			t.Fatalf("%d headers, want %d: %v", len(got.Header), want, got.Header)
		}
		s, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
		if err != nil || s != oneLine(subject, maxSubject) {
			t.Fatalf("subject came as %q, want %q (%v)", s, oneLine(subject, maxSubject), err)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(got.Body))
		text := strings.ReplaceAll(string(b), "\r\n", "\n")
		if err != nil || text != lines(body, maxBody)+"\n" {
			t.Fatalf("body came as %q, want %q (%v)", text, lines(body, maxBody), err)
		}
	})
}

// BenchmarkMailSend is one message over a kept connection to a server on this machine.
func BenchmarkMailSend(b *testing.B) {
	s := start(b, kind{startTLS: true})
	m := sender(b, s.options())
	for b.Loop() {
		if err := m.Send(b.Context(), hello); err != nil {
			b.Fatal(err)
		}
	}
}
