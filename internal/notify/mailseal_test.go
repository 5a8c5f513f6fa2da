package notify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tocsin/internal/counterpart"
	"tocsin/internal/envelope"
)

// seal returns a message that is sealed for anna.
func sealFor(t testing.TB, reader envelope.Reader) func(envelope.Plain) (envelope.Sealed, error) {
	t.Helper()
	now := time.Now()
	us, err := envelope.NewIdentity("Tocsin", "tocsin@shop.example", now, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s := envelope.Sealer{Identity: us, SignIn: "https://tocsin.shop.example/"}
	return func(p envelope.Plain) (envelope.Sealed, error) { return s.Seal(p, reader, now) }
}

func sealedMessage(t testing.TB) Message {
	t.Helper()
	anna, err := envelope.NewIdentity("Anna", "anna@shop.example", time.Now(), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	msg := hello
	msg.Seal = sealFor(t, envelope.Reader{Address: "anna@shop.example", Key: anna.Public()})
	return msg
}

// TestSealedMailIsReadByGnuPG: what left through SMTP is what a real gpg opens, and nothing of it stood outside.
func TestSealedMailIsReadByGnuPG(t *testing.T) {
	counterpart.Installed(t, "gpg", "gnupg")
	home, err := os.MkdirTemp("", "gpg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	gpg := func(in []byte, args ...string) (string, string) {
		var out, status bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "gpg", append([]string{"--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--status-fd", "2"}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &status
		if err := cmd.Run(); err != nil && args[0] != "--decrypt" {
			t.Fatalf("gpg %q: %s", args, status.String())
		}
		return out.String(), status.String()
	}
	gpg(nil, "--quick-generate-key", "Anna <anna@shop.example>", "rsa2048", "cert,sign", "1y")
	list, _ := gpg(nil, "--with-colons", "--list-keys")
	_, print, _ := strings.Cut(list, "\nfpr:::::::::")
	print, _, _ = strings.Cut(print, ":")
	gpg(nil, "--quick-add-key", print, "rsa2048", "encr", "1y")
	public, _ := gpg(nil, "--export", "anna@shop.example")
	key, err := envelope.ParseKey([]byte(public))
	if err != nil {
		t.Fatal(err)
	}
	us, err := envelope.NewIdentity("Tocsin", "tocsin@shop.example", time.Now(), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	gpg(us.Public().Marshal(), "--import")
	s := start(t, kind{startTLS: true})
	msg := hello
	msg.Seal = func(p envelope.Plain) (envelope.Sealed, error) {
		return envelope.Sealer{Identity: us}.Seal(p, envelope.Reader{Address: "anna@shop.example", Key: key}, time.Now().Add(time.Second))
	}
	got, err := sender(t, s.options()).Deliver(t.Context(), msg)
	if err != nil || got.Form != envelope.OpenPGP || got.Downgraded != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	raw := s.received[0]
	for _, secret := range []string{"web shell", "Critical", "What is known"} {
		if strings.Contains(raw, secret) {
			t.Errorf("%q left readable", secret)
		}
	}
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("Subject") != "..." || m.Header.Get("Message-Id") != "<"+hello.ID+">" || m.Header.Get("Auto-Submitted") == "" || m.Header.Get("X-Tocsin-Call") != "3" {
		t.Errorf("headers are %v", m.Header)
	}
	_, p, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var cipher []byte
	for r := multipart.NewReader(m.Body, p["boundary"]); ; {
		part, err := r.NextPart()
		if err != nil {
			break
		}
		cipher, _ = io.ReadAll(part)
	}
	text, status := gpg(cipher, "--decrypt")
	if !strings.Contains(status, "GOODSIG") || !strings.Contains(status, "DECRYPTION_OKAY") || !strings.Contains(text, "Subject: "+hello.Subject) || !strings.Contains(text, "What is known") {
		t.Errorf("gpg: %s\n%s", status, text)
	}
}

func TestSealFailsAndNothingIsSent(t *testing.T) {
	s := start(t, kind{})
	o := s.options()
	o.TLS = "none"
	m := sender(t, o)
	for name, seal := range map[string]func(envelope.Plain) (envelope.Sealed, error){
		"an error": func(envelope.Plain) (envelope.Sealed, error) {
			return envelope.Sealed{Body: []byte("a web shell was used")}, errors.New("no chance today")
		},
		"a bare line end": func(envelope.Plain) (envelope.Sealed, error) {
			return envelope.Sealed{Header: "Content-Type: text/plain\r\n", Body: []byte("a\nb\r\n")}, nil
		},
	} {
		msg := hello
		msg.Seal = seal
		if f := failure(t, m.Send(t.Context(), msg)); f.Temporary || !strings.Contains(f.Reason, "seal") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if n, _ := s.count(); n != 0 {
		t.Errorf("%d messages left", n)
	}

	// Without a key, what leaves says nothing, and the record says why.
	msg := hello
	msg.Seal = sealFor(t, envelope.Reader{Address: "anna@shop.example"})
	got, err := m.Deliver(t.Context(), msg)
	if err != nil || got.Downgraded == "" || got.Form != envelope.Signed || strings.Contains(s.received[0], "web shell") || strings.Contains(s.received[0], "/a/1") || !strings.Contains(s.received[0], "Sign in") {
		t.Errorf("%+v, %v:\n%s", got, err, s.received)
	}
}

func TestMailSaysWhenToTryAgain(t *testing.T) {
	for _, c := range []struct {
		code int
		text string
		want time.Duration
	}{
		{421, "4.3.2 shutting down", 0},
		{450, "4.2.0 mailbox busy", 0},
		{451, "4.7.1 Greylisting in action, please come back in 00:05:00", time.Minute},
		{451, "4.7.1 greylisted, try again in 300 seconds", 5 * time.Minute},
		{450, "4.2.0 Recipient address rejected: Greylisted for 60 seconds", time.Minute},
		{452, "4.2.2 over quota", 0},
		{454, "4.7.0 Temporary authentication failure", time.Minute},
		{454, "Throttling failure: maximum sending rate exceeded", 0},
		{451, "retry in 99999 minutes", time.Hour},
		{550, "5.7.1 retry in 5 minutes", 0},
	} {
		if got := replyAfter(c.code, c.text); got != c.want {
			t.Errorf("%d %s: %v, want %v", c.code, c.text, got, c.want)
		}
	}
	s := start(t, kind{})
	s.onRcpt = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted, try again in 90 seconds"}
	o := s.options()
	o.TLS = "none"
	if f := failure(t, sender(t, o).Send(t.Context(), hello)); !f.Temporary || f.After != 90*time.Second {
		t.Errorf("%+v", f)
	}
}

// A liar is a server that speaks SCRAM as it likes.
type liar struct {
	session
	say func(step int, from []byte) (challenge []byte, done bool, err error)
}

func (x *liar) AuthMechanisms() []string { return []string{"SCRAM-SHA-256"} }
func (x *liar) Auth(string) (sasl.Server, error) {
	return &liarSteps{say: x.say}, nil
}

type liarSteps struct {
	step int
	say  func(int, []byte) ([]byte, bool, error)
}

func (l *liarSteps) Next(from []byte) ([]byte, bool, error) {
	l.step++
	return l.say(l.step, from)
}

// TestServerMustKnowThePassword: a server that only says that all is well gets no mail.
func TestServerMustKnowThePassword(t *testing.T) {
	nonce := func(from []byte) string {
		_, r, _ := strings.Cut(string(from), ",r=")
		return r
	}
	for name, say := range map[string]func(int, []byte) ([]byte, bool, error){
		"at once":        func(int, []byte) ([]byte, bool, error) { return nil, true, nil },
		"after our name": func(step int, _ []byte) ([]byte, bool, error) { return []byte{}, step > 1, nil },
		"without a proof": func(step int, from []byte) ([]byte, bool, error) {
			switch step {
			case 1:
				return []byte{}, false, nil
			case 2:
				return []byte("r=" + nonce(from) + "x,s=c2FsdA==,i=4096"), false, nil
			}
			return nil, true, nil
		},
		"a proof of nothing": func(step int, from []byte) ([]byte, bool, error) {
			if step == 1 {
				return []byte("v=AAAA"), false, nil
			}
			return nil, true, nil
		},
		"without end": func(step int, from []byte) ([]byte, bool, error) {
			switch step {
			case 1:
				return []byte{}, false, nil
			}
			return []byte("r=" + nonce(from) + "x,s=c2FsdA==,i=2000000000"), false, nil
		},
		"too few": func(step int, from []byte) ([]byte, bool, error) {
			switch step {
			case 1:
				return []byte{}, false, nil
			}
			return []byte("r=" + nonce(from) + "x,s=c2FsdA==,i=1"), false, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, kind{startTLS: true, auth: true, say: say})
			o := s.options()
			o.Username, o.Password = "tocsin", "hunter2 is secret"
			f := failure(t, sender(t, o).Send(t.Context(), hello))
			if f.Temporary || !strings.Contains(f.Reason, "did not prove") && !strings.Contains(f.Reason, "rounds of SCRAM") {
				t.Errorf("%+v", f)
			}
			if n, _ := s.count(); n != 0 {
				t.Error("it got the mail")
			}
		})
	}
}

func TestServerThatNeverEndsItsLine(t *testing.T) {
	s := start(t, kind{})
	s.onMail = &smtp.SMTPError{Code: 250, Message: strings.Repeat("x", 2*maxHeard)}
	o := s.options()
	o.TLS = "none"
	if f := failure(t, sender(t, o).Send(t.Context(), hello)); !f.Temporary || !strings.Contains(f.Reason, "said more than") {
		t.Errorf("%+v", f)
	}
}

func TestDKIMKeysRefused(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	for _, c := range []struct {
		name, domain, selector string
		text                   []byte
		words                  string // "" is taken
	}{
		{"good", "shop.example", "r1", text(good), ""},
		{"short", "shop.example", "r1", text(short), "1024 bits"},
		{"of another kind", "shop.example", "r1", text(ec), "cannot be read"},
		{"no PEM", "shop.example", "r1", []byte("x"), "cannot be read"},
		{"hostile domain", "shop.example; l=0", "r1", text(good), "names of the DNS"},
		{"hostile selector", "shop.example", "r1\r\nBcc: eve@x", text(good), "names of the DNS"},
	} {
		if _, err := ReadDKIMKey(c.domain, c.selector, c.text); (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.words)
		}
	}
}
