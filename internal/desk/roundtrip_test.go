package desk

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"tocsin/internal/counterpart"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/voice"
)

// A stranger is a real SMTP server that knows nobody.
type stranger struct{ mailbox }

func (s *stranger) NewSession(*smtp.Conn) (smtp.Session, error) { return s, nil }
func (s *stranger) Rcpt(string, *smtp.RcptOptions) error {
	return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
}

// Given mail that a real Postfix takes and cannot deliver, when its report travels through a real Dovecot's mailbox, then the person's way is marked as one whose mail came back, and a notice
// that came back failed, too.
func TestBounceTravels(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := smtp.NewServer(&stranger{})
	dead.Domain, dead.EnableDSN = "localhost", true
	go func() { _ = dead.Serve(l) }()
	t.Cleanup(func() { dead.Close() })
	box := counterpart.IMAP(t)
	port, ca, log := counterpart.Postfix(t, map[string]int{"bad.example": l.Addr().(*net.TCPAddr).Port}, "shop.example", box.Maildir)
	b := &notify.Bounces{Domain: "shop.example", Secret: []byte("a secret of sixteen bytes")}
	m, err := notify.NewMail(notify.MailOptions{Host: "127.0.0.1", Port: port, CAFile: ca, From: "Tocsin <tocsin@shop.example>", DSN: true, Bounces: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	in, err := notify.NewMailbox(notify.MailboxOptions{Host: "127.0.0.1", Port: box.Port, StartTLS: true, CAFile: box.CAFile, Username: "tocsin", Password: counterpart.Password, Bounces: b})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.o.Senders[plan.Mail], h.o.Deliver, h.o.Reports, h.o.From = m.Send, m.Deliver, in.Hear, "Tocsin <tocsin@shop.example>"
	d, stop := h.start()
	defer stop()
	h.team(d)
	if err := d.PutPerson(commander(), "anna", []string{plan.Commander}, Contact{Name: "Anna", Mail: "anna@bad.example"}, false); err != nil {
		t.Fatal(err)
	}
	h.ask(d, entry.Notice{Mode: plan.Each}, "")
	if err := d.TestNotice(commander(), 1); err != nil {
		t.Fatal(err)
	}
	if err := d.RingNow(commander(), "anna", plan.Mail); err != nil {
		t.Fatal(err)
	}
	eventually(t, "anna's mail came back", func() (is bool) {
		d.Read(func(s *State) {
			proofs, _ := s.Calls.Readiness(&s.Plan, time.Now())
			is = slices.ContainsFunc(proofs, func(f oncall.Proof) bool {
				return f.Person == "anna" && f.Channel == plan.Mail && f.State == oncall.CameBack
			})
		})
		return is
	})
	eventually(t, "the notice failed", func() bool { return h.entries(d)[entry.NoticeFailed] == 1 })
	eventually(t, "Postfix's log says what it could not deliver", counterpart.Logged(log, "to=<anna@bad.example>", "status=bounced", "no such user here"))
	eventually(t, "Postfix's log says that it returned it", counterpart.Logged(log, "@shop.example>", "relay=virtual", "status=sent"))
	eventually(t, "Dovecot's log says that it was SCRAM-SHA-256 over TLS", counterpart.Logged(box.Log, "Login: user=<tocsin>", "method=SCRAM-SHA-256", "TLS"))
	eventually(t, "both reports are marked as seen at Dovecot's", func() bool {
		seen, _ := filepath.Glob(filepath.Join(box.Maildir, "cur", "*:2,S"))
		return len(seen) == 2
	})
}

// Given a telephone provider, when the desk starts with its settings, then it is registered there and calls go through; with a wrong password that stands among the problems in plain words.
func TestTrunkOfDesk(t *testing.T) {
	pki := counterpart.Authority(t)
	phone := counterpart.NewTelephone(t, pki, "mediaenc=srtp-mand;answermode=auto")
	port, said := counterpart.Trunk(t, pki, phone.Port)
	with := func(password string) (*house, *Desk, func()) {
		line, err := voice.New(voice.Options{CAFile: filepath.Join(pki, "ca.pem"), Speech: "-", Trunk: &voice.Trunk{Server: fmt.Sprintf("sips:127.0.0.1:%d", port), User: "tocsin", Password: password}})
		if err != nil {
			t.Fatal(err)
		}
		h := newHouse(t)
		h.o.Phone, h.o.Register = line.Call, line.Register
		d, stop := h.start()
		return h, d, stop
	}
	_, d, stop := with("a wrong one")
	eventually(t, "the wrong password is said", func() bool { x := d.Registration(time.Now()); return x.On && !x.Up })
	if x := d.Registration(time.Now()); !strings.Contains(x.Why, "password") || strings.Contains(x.Why, "a wrong one") {
		t.Errorf("the problem reads %q", x.Why)
	}
	stop()
	eventually(t, "the trunk's log says that it refused us", func() bool { return strings.Contains(said(), "trunk: refused REGISTER of tocsin") })
	if strings.Contains(said(), "trunk: took") {
		t.Errorf("the trunk says\n%s", said())
	}

	h, d, stop := with("s3cret")
	defer stop()
	h.team(d)
	eventually(t, "it is registered", func() bool { x := d.Registration(time.Now()); return x.Up && time.Until(x.Until) > time.Minute })
	eventually(t, "the trunk's log says so, over TLS", func() bool { return strings.Contains(said(), "trunk: took REGISTER of tocsin over tls") })
	if err := d.PutPerson(commander(), "anna", []string{plan.Commander}, Contact{Name: "Anna", Voice: "+49301234567"}, false); err != nil {
		t.Fatal(err)
	}
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
	eventually(t, "anna answers by pressing 1", func() bool {
		phone.Press("1")
		return h.entries(d)[entry.CallAnswered] == 1
	})
	eventually(t, "the trunk's log has the call", func() bool { return strings.Contains(said(), "trunk: took INVITE of tocsin") })
}
