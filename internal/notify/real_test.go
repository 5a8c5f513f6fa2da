package notify

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"tocsin/internal/counterpart"
)

// eventually waits until a log or a mailbox says something.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 800 {
		if done() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("after 20 seconds still not: %s", what)
}

// TestBounceRoundTrip: what Postfix cannot deliver comes back as a report, and the report names the message and the person.
func TestBounceRoundTrip(t *testing.T) {
	dead, inbox := start(t, kind{}), start(t, kind{})
	dead.utf8, inbox.utf8 = true, true
	dead.onRcpt = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	port, caFile, log := counterpart.Postfix(t, map[string]int{"bad.example": dead.port, "shop.example": inbox.port}, "", "")
	b := &Bounces{Domain: "shop.example", Secret: []byte("a secret of sixteen bytes")}
	m := sender(t, MailOptions{Host: "127.0.0.1", Port: port, CAFile: caFile, From: "Tocsin <tocsin@shop.example>", DSN: true, Bounces: b})

	got, err := m.Deliver(t.Context(), Message{To: "ben@bad.example", Subject: "x", Body: "y", ID: "call-3.2.ben+1@shop.example", Ref: "call3.2.ben"})
	if err != nil {
		t.Fatal(err)
	}
	_, queued, ok := strings.Cut(got.Reply, "queued as ")
	if !ok || !strings.HasPrefix(got.Reply, "250 2.0.0 ") || !got.DSN {
		t.Fatalf("accepted: %+v", got)
	}
	if !counterpart.Logged(log, "TLS connection established from", "[127.0.0.1]: TLSv1.3")() {
		t.Error("Postfix's log shows no STARTTLS")
	}
	eventually(t, "Postfix's log names the message by what it told us", counterpart.Logged(log, queued+": to=<ben@bad.example>", "status=bounced"))

	inbound := func(n int) func() bool { return func() bool { c, _ := inbox.count(); return c >= n } }
	eventually(t, "the report came", inbound(1))
	inbox.mu.Lock()
	report, to := inbox.received[0], inbox.to[0]
	inbox.mu.Unlock()
	r, err := ReadReport(strings.NewReader(report), to, b)
	if err != nil {
		t.Fatalf("%v in\n%s", err, report)
	}
	if r.Ref != "call3.2.ben" || r.MessageID != "call-3.2.ben+1@shop.example" || r.Envelope != "call-3.2.ben+1@shop.example" || len(r.Outcomes) != 1 {
		t.Fatalf("%+v", r)
	}
	if o := r.Outcomes[0]; o.Recipient != "ben@bad.example" || o.Original != "ben@bad.example" || !o.Failed() || !o.Dead() || o.Status != "5.1.1" || !strings.Contains(o.Words, "no such user here") {
		t.Errorf("%+v", o)
	}
	if strings.Contains(report, "\r\ny\r\n") {
		t.Error("the report holds the message's body, although only its header was asked for")
	}

	// A report with another's token, or none, is refused.
	forged := strings.ReplaceAll(report, "call3.2.ben-", "call9.2.eve-")
	if r, err := ReadReport(strings.NewReader(forged), strings.Replace(to, "call3.2.ben-", "call9.2.eve-", 1), b); err != ErrForged {
		t.Errorf("forged: %+v, %v", r, err)
	}
	if _, err := ReadReport(strings.NewReader(report), to, &Bounces{Domain: "shop.example", Secret: []byte("another secret of its own")}); err != ErrForged {
		t.Errorf("with another secret: %v", err)
	}

	// With SMTPUTF8, Postfix writes the other form (RFC 6533); it is read too.
	t.Run("global", func(t *testing.T) {
		from, err := b.Address("call4.1.ben")
		if err != nil {
			t.Fatal(err)
		}
		c, err := smtp.Dial(fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Mail(from, &smtp.MailOptions{UTF8: true}); err != nil {
			t.Fatal(err)
		}
		if err := c.Rcpt("bän@bad.example", nil); err != nil {
			t.Fatal(err)
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("Subject: ä\r\nMessage-ID: <4.1@shop.example>\r\n\r\nx\r\n"))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the second report came", inbound(2))
		inbox.mu.Lock()
		report, to := inbox.received[1], inbox.to[1]
		inbox.mu.Unlock()
		if !strings.Contains(report, "message/global-delivery-status") {
			t.Fatalf("Postfix wrote another form:\n%s", report)
		}
		r, err := ReadReport(strings.NewReader(report), to, b)
		if err != nil || r.Ref != "call4.1.ben" || r.MessageID != "4.1@shop.example" || len(r.Outcomes) != 1 || r.Outcomes[0].Recipient != "bän@bad.example" || !r.Outcomes[0].Failed() {
			t.Errorf("%+v, %v in\n%s", r, err, report)
		}
	})
}

// TestSubmission: the mail goes only through the server that it is for, to which we prove that we know the password without telling it.
func TestSubmission(t *testing.T) {
	relay := start(t, kind{})
	server := counterpart.Submission(t, relay.port)
	port, caFile, log := server.Port, server.CAFile, server.Log
	good := MailOptions{Host: "127.0.0.1", Port: port, CAFile: caFile, Username: "tocsin", Password: counterpart.Password, From: "tocsin@shop.example"}
	got, err := sender(t, good).Deliver(t.Context(), hello)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := relay.count(); n != 1 || !strings.HasPrefix(got.TLS, "TLS 1.3 ") {
		t.Errorf("relayed %d, %+v", n, got)
	}
	if !counterpart.Logged(log, "Login: user=<tocsin>", "method=SCRAM-SHA-256", "TLS")() {
		t.Error("Dovecot's log shows no sign-in by SCRAM-SHA-256 over TLS")
	}
	for _, c := range []struct {
		name   string
		change func(*MailOptions)
		words  string   // in our reason
		log    []string // in one line of Dovecot's log
	}{
		{"wrong password", func(o *MailOptions) { o.Password = "a bad password" }, "535 5.7.8", []string{"submission-login", "auth failed", "user=<tocsin>", "TLS"}},
		{"no such user", func(o *MailOptions) { o.Username = "eve" }, "535 5.7.8", []string{"unknown user"}},
		{"in the clear", func(o *MailOptions) { o.TLS, o.Host = "none", "127.0.0.2" }, "no way to sign in", []string{"submission-login", "no auth attempts", "user=<>", "lip=127.0.0.2"}},
		{"expired certificate", func(o *MailOptions) { o.Host = "127.0.0.2" }, "expired", []string{"lip=127.0.0.2", "alert bad certificate"}},
		{"certificate for another name", func(o *MailOptions) { o.Host = "127.0.0.3" }, "certificate does not hold", []string{"lip=127.0.0.3", "alert bad certificate"}},
		{"unknown authority", func(o *MailOptions) { o.CAFile = "" }, "certificate does not hold", []string{"lip=127.0.0.1", "alert bad certificate"}},
		{"unknown authority, opportunistic", func(o *MailOptions) { o.CAFile, o.TLS = "", "opportunistic" }, "certificate does not hold", []string{"lip=127.0.0.1", "alert bad certificate"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := good
			c.change(&o)
			f := failure(t, sender(t, o).Send(t.Context(), hello))
			if f.Temporary || !strings.Contains(f.Reason, c.words) || strings.Contains(f.Reason, "bad password") {
				t.Errorf("%+v", f)
			}
			eventually(t, fmt.Sprintf("Dovecot's log says %q", c.log), counterpart.Logged(log, c.log...))
			if n, _ := relay.count(); n != 1 {
				t.Errorf("relayed %d", n)
			}
		})
	}
}

// TestOpenDKIMVerifies: a real verifier takes what we sign, sealed or not, and refuses it changed.
func TestOpenDKIMVerifies(t *testing.T) {
	put := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	program := counterpart.Installed(t, "opendkim", "opendkim")
	dir := t.TempDir()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := []DKIMKey{{"shop.example", "r1", rsaKey}, {"shop.example", "e1", edKey}}
	dns := ""
	for _, k := range keys {
		name, text, err := k.Record()
		if err != nil {
			t.Fatal(err)
		}
		dns += name + " " + text + "\n"
	}
	conf := put(filepath.Join(dir, "conf"), "Mode v\nTestDNSData "+put(filepath.Join(dir, "dns"), dns)+"\n")
	verify := func(raw string) string {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		b, _ := exec.CommandContext(ctx, program, "-x", conf, "-vv", "-t", put(filepath.Join(dir, "message"), raw)).CombinedOutput()
		return string(b)
	}
	for name, c := range map[string]struct {
		keys []DKIMKey
		msg  Message
	}{
		"RSA":          {keys[:1], hello},
		"Ed25519":      {keys[1:], hello},
		"both":         {keys, hello},
		"not ASCII":    {keys[:1], Message{To: "anna@shop.example", Subject: strings.Repeat("Größe – ", 20), Body: ".\nFrom here\n.\n \n€", ID: "1@h"}},
		"RSA, sealed":  {keys[:1], sealedMessage(t)},
		"both, sealed": {keys, sealedMessage(t)},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, kind{})
			o := s.options()
			o.TLS, o.DKIM = "none", c.keys
			if err := sender(t, o).Send(t.Context(), c.msg); err != nil {
				t.Fatal(err)
			}
			raw := s.received[0]
			if said := verify(raw); !strings.Contains(said, "verification (s=") || !strings.Contains(said, "succeeded") || strings.Contains(said, "failed") {
				t.Errorf("opendkim: %s\n%s", said, raw)
			}
			head, body, _ := strings.Cut(raw, "\r\n\r\n")
			for what, changed := range map[string]string{
				"body":           head + "\r\n\r\n" + body + "One line more.\r\n",
				"subject":        strings.Replace(raw, "\r\nSubject:", "\r\nSubject: Re:", 1),
				"second subject": "Subject: another\r\n" + raw,
			} {
				if said := verify(changed); strings.Contains(said, "succeeded") {
					t.Errorf("%s changed, opendkim: %s", what, said)
				}
			}
		})
	}
}
