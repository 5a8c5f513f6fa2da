package desk

import (
	"context"
	"io"
	stdlog "log"
	"log/slog"
	"mime"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// A postbox is a real SMTP server on this machine.
type postbox struct {
	port int
	mu   sync.Mutex
	mail []string
	full bool // it asks to come back later
}

func newPostbox(t *testing.T) *postbox {
	t.Helper()
	p := &postbox{}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &posting{p}, nil }))
	srv.Domain = "mail.test"
	srv.ErrorLog = stdlog.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(l) })
	t.Cleanup(func() {
		_ = srv.Close()
		wg.Wait()
	})
	return p
}

type posting struct{ p *postbox }

func (x *posting) Reset()                               {}
func (x *posting) Logout() error                        { return nil }
func (x *posting) Mail(string, *smtp.MailOptions) error { return nil }
func (x *posting) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (x *posting) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	x.p.mu.Lock()
	defer x.p.mu.Unlock()
	if x.p.full {
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full, come back later"}
	}
	if err == nil {
		x.p.mail = append(x.p.mail, string(b))
	}
	return err
}

// wait returns the mail once there are so many.
func (p *postbox) wait(t *testing.T, n int) []string {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		p.mu.Lock()
		mail := append([]string(nil), p.mail...)
		p.mu.Unlock()
		if len(mail) >= n {
			return mail
		}
	}
	t.Fatalf("not %d mails within 30 s", n)
	return nil
}

// The whole way, in real time: a line of a log, and a mail in a box; a box that is full for a while; a restart in between.
func TestNoticeByRealMail(t *testing.T) {
	box := newPostbox(t)
	sender, err := notify.NewMail(notify.MailOptions{Host: "127.0.0.1", Port: box.port, TLS: "none", From: "Tocsin <tocsin@shop.example>"})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	h := newHouse(t)
	h.withGeo()
	h.o.Senders = map[string]Sender{plan.Mail: sender.Send}
	start := func() (*Desk, func()) {
		o := h.o
		o.Data, o.Keys = sickLayer{h.data, &h.ill}, h.keys
		d, err := Open(slog.New(slog.NewTextHandler(h, nil)), o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan error, 1)
		go func() { ran <- d.Run(ctx) }()
		return d, func() {
			cancel()
			if err := <-ran; err != nil {
				t.Error(err)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	d, stop := start()
	h.team(d)
	if err := d.PutPerson(Local("test"), "anna", []string{plan.Commander}, Contact{Name: "Anna", Mail: "anna@shop.example", Zone: "Europe/Berlin"}, false); err != nil {
		t.Fatal(err)
	}
	h.ask(d, entry.Notice{Mode: plan.Each, Realms: []string{"ssh", "ftp", "admin"}}, "")
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	h.signin(d, sshAccepted(at, "deploy", "203.0.113.9"))
	first := box.wait(t, 1)[0]
	m, err := mail.ReadMessage(strings.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "[Tocsin] Sign-in: deploy by SSH from 203.0.113.9 (BR)" || m.Header.Get("X-Tocsin-Call") != "" || !strings.HasPrefix(m.Header.Get("Message-ID"), "<notice-1-1@") {
		t.Errorf("%q %v %v", subject, err, m.Header)
	}
	body, err := io.ReadAll(m.Body)
	if err != nil || !strings.Contains(string(body), "When: Friday 27 November 2026, 10:00:00 CET (09:00:00 UTC)") {
		t.Errorf("%s (%v)", body, err)
	}
	box.mu.Lock()
	box.full = true
	box.mu.Unlock()
	h.signin(d, sshAccepted(at.Add(time.Minute), "root", "203.0.113.9"))
	for end := time.Now().Add(20 * time.Second); h.entries(d)[entry.NoticeFailed] == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the full box is no failure")
		}
	}
	d.Read(func(s *State) {
		if tries := s.Notices.List[0].Tries; !strings.Contains(d.Text(tries[1].Result.Text), "come back later") || !tries[1].Result.Temporary {
			t.Errorf("%+v", tries)
		}
	})
	h.signin(d, sshAccepted(at.Add(2*time.Minute), "anna", "203.0.113.9"))
	stop()
	box.mu.Lock()
	box.full = false
	box.mu.Unlock()
	d, stop = start()
	defer func() { stop() }()
	all := strings.Join(box.wait(t, 3), "\n")
	for _, who := range []string{"deploy", "root", "anna"} {
		if n := strings.Count(all, who+" signed in by SSH"); n != 1 {
			t.Errorf("of %s told %d times", who, n)
		}
	}
	h.want(d, entry.CallOpened, 0)
}
