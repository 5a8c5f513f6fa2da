package desk

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"tocsin/internal/auth"
	"tocsin/internal/counterpart"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/voice"
)

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 600 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it does not come to this: " + what)
}

// A line of a log rings a real telephone, the digit 1 answers, and the history tells how the call went.
func TestTelephoneAnswersCall(t *testing.T) {
	pki := counterpart.Authority(t)
	phone := counterpart.NewTelephone(t, pki, "mediaenc=srtp-mand;answermode=auto")
	line, err := voice.New(voice.Options{CAFile: filepath.Join(pki, "ca.pem"), Speech: "-"})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.o.Phone = line.Call
	d, stop := h.start()
	defer stop()
	h.team(d)
	if err := d.PutPerson(Local("test"), "anna", []string{plan.Commander}, Contact{Name: "Anna", Voice: phone.Address()}, false); err != nil {
		t.Fatal(err)
	}
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
	eventually(t, "somebody answers by pressing 1", func() bool {
		phone.Press("1")
		return h.entries(d)[entry.CallAnswered] == 1
	})
	eventually(t, "the try is in the ledger", func() bool { return h.entries(d)[entry.CallSent] == 2 }) // the console, and the telephone
	for _, line := range []string{"Call established", "SRTP is Enabled"} {
		eventually(t, "the telephone's log says "+line, func() bool { return strings.Contains(phone.Said(), line) })
	}
	d.Read(func(s *State) {
		c := s.Calls.Calls[0]
		if c.Answered.Person != "anna" || c.Answered.Via != plan.Voice {
			t.Errorf("answered %+v, want anna by voice", c.Answered)
		}
		for _, x := range c.Tries {
			if x.Channel == plan.Voice && (x.Failed || x.Result.Form != string(voice.EndToEnd)) {
				t.Errorf("the try is %+v, want one that was sent end to end", x.Result)
			}
			if x.Channel == plan.Voice {
				if text := d.Text(x.Result.Text); !strings.HasPrefix(text, "acknowledged") || strings.Count(text, "\n") < 5 {
					t.Errorf("the history says %q, want each moment of the call", text)
				}
			}
		}
	})
	if n := len(h.sent()); n != 0 {
		t.Errorf("%d further messages though anna answered", n)
	}
}

// A telephone that is not there is a failed try with a reason, and the next step rings at once.
func TestTelephoneAbsent(t *testing.T) {
	pki := counterpart.Authority(t)
	line, err := voice.New(voice.Options{CAFile: filepath.Join(pki, "ca.pem"), Speech: "-"})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.o.Phone = line.Call
	d, stop := h.start()
	defer stop()
	h.team(d)
	if err := d.PutPerson(Local("test"), "anna", []string{plan.Commander}, Contact{Name: "Anna", Voice: fmt.Sprintf("sips:anna@127.0.0.1:%d", counterpart.FreePair(t))}, false); err != nil {
		t.Fatal(err)
	}
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
	eventually(t, "the failure is in the ledger", func() bool { return h.entries(d)[entry.CallFailed] > 0 })
	d.Read(func(s *State) {
		for _, x := range s.Calls.Calls[0].Tries {
			if x.Failed && d.Text(x.Result.Text) == "" {
				t.Error("the failed call has no reason")
			}
		}
	})
}

// A mailbox is a real SMTP server that keeps what it takes.
type mailbox struct {
	mu   sync.Mutex
	mail []string
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }
func (m *mailbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (m *mailbox) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (m *mailbox) Reset()                                      {}
func (m *mailbox) Logout() error                               { return nil }
func (m *mailbox) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mail = append(m.mail, string(b))
	return err
}

func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.mail...)
}

// postbox starts a mailbox, and lets the house send its mail there.
func (h *house) postbox() *mailbox {
	h.t.Helper()
	box := &mailbox{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	server := smtp.NewServer(box)
	server.Domain = "localhost"
	go func() { _ = server.Serve(l) }()
	h.t.Cleanup(func() { server.Close() })
	m, err := notify.NewMail(notify.MailOptions{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: "none", From: "Tocsin <tocsin@shop.example>"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(m.Close)
	h.o.Senders[plan.Mail], h.o.Deliver, h.o.From = m.Send, m.Deliver, "Tocsin <tocsin@shop.example>"
	return box
}

// With a confirmed key a call's mail opens for its owner's gpg alone; without one, and with the policy required, it has no details.
func TestMailOfCallIsSealed(t *testing.T) {
	counterpart.Installed(t, "gpg", "gnupg")
	home, err := os.MkdirTemp("", "gpg") // short: the agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	gpg := func(in string, args ...string) (out, status string) {
		var o, e bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "gpg", append([]string{"--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always", "--status-fd", "2"}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &o, &e
		if err := cmd.Run(); err != nil {
			t.Fatalf("gpg %q: %v\n%s", args, err, e.String())
		}
		return o.String(), e.String()
	}
	gpg("", "--quick-generate-key", "Anna <anna@shop.example>", "default", "default", "1y")
	public, _ := gpg("", "--armor", "--export", "anna@shop.example")
	h := newHouse(t)
	box := h.postbox()
	d, stop := h.start()
	defer stop()
	h.team(d)
	us := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{plan.Commander}}
	if err := d.PutPerson(us, "anna", []string{plan.Commander}, Contact{Name: "Anna", Mail: "anna@shop.example", Sealing: "required"}, false); err != nil {
		t.Fatal(err)
	}
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
	eventually(t, "mail without details", func() bool { return len(box.all()) == 1 })
	if m := box.all()[0]; strings.Contains(m, "Request for evil") || strings.Contains(m, "/answer/") || !strings.Contains(m, "BEGIN PGP SIGNATURE") {
		t.Errorf("to somebody without a key, who is to get no details, left:\n%s", m)
	}
	eventually(t, "the downgrade is on the try", func() (is bool) {
		d.Read(func(s *State) {
			for _, x := range s.Calls.Calls[0].Tries {
				is = is || x.Channel == plan.Mail && x.Result.Less && x.Result.Form == "signed" && d.Text(x.Result.Text) != ""
			}
		})
		return is
	})
	if _, err := d.PutKey(us, "anna", []byte(public)); err != nil {
		t.Fatal(err)
	}
	var waits string
	d.Read(func(s *State) { waits = s.Seals.Of("anna").Keys[plan.OpenPGP].Candidate.Fingerprint })
	if err := d.ConfirmKey(us, "anna", strings.Repeat("A", 40)); err == nil {
		t.Error("another fingerprint than that of the key confirmed it")
	}
	if err := d.ConfirmKey(us, "anna", waits); err != nil {
		t.Fatal(err)
	}
	if err := d.RingNow(us, "anna", plan.Mail); err != nil {
		t.Fatal(err)
	}
	eventually(t, "sealed mail", func() bool { return len(box.all()) == 2 })
	m := box.all()[1]
	_, cipher, ok := strings.Cut(m, "-----BEGIN PGP MESSAGE-----")
	if !ok || strings.Contains(m, "/answer/") || !strings.Contains(m, "Subject: ...") {
		t.Fatalf("to somebody with a key left:\n%s", m)
	}
	gpg(d.OurKey(time.Now()).Armoured, "--import")
	cipher, _, _ = strings.Cut(cipher, "-----END PGP MESSAGE-----")
	clear, status := gpg("-----BEGIN PGP MESSAGE-----"+cipher+"-----END PGP MESSAGE-----\n", "--decrypt")
	if !strings.Contains(status, "GOODSIG") || !strings.Contains(status, "DECRYPTION_OKAY") || !strings.Contains(clear, "/answer/") {
		t.Errorf("gpg says %s\n%s", status, clear)
	}
	for kind, n := range map[entry.Kind]int{entry.KeyPut: 1, entry.KeyConfirmed: 1} {
		h.want(d, kind, n)
	}
}

// PINs that are guessed first are refused, and a right one is known again.
func TestPIN(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	h.team(d)
	anna := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{plan.Commander}}
	for _, weak := range []string{"123", "1111", "1234", "9876", "12a4", "1234567890123"} {
		if err := d.SetPIN(t.Context(), anna, "anna", weak); err == nil {
			t.Errorf("the PIN %q was taken", weak)
		}
	}
	if err := d.SetPIN(t.Context(), anna, "anna", "2580"); err != nil {
		t.Fatal(err)
	}
	var ref string
	d.Read(func(s *State) { ref = s.Seals.Of("anna").PIN })
	if !d.rightPIN(t.Context(), "anna", ref, "2580") || d.rightPIN(t.Context(), "anna", ref, "2581") {
		t.Error("the PIN is not told from another")
	}
	// Given a telephone in wrong hands, when nine PINs were wrong, then the right one is none any more; a new one is.
	for n := range wrongPINs + 1 {
		if d.rightPIN(t.Context(), "anna", ref, fmt.Sprint(3000+n)) {
			t.Error("a guess was taken")
		}
	}
	if d.rightPIN(t.Context(), "anna", ref, "2580") {
		t.Error("after too many guesses one was taken")
	}
	if err := d.SetPIN(t.Context(), anna, "anna", "2481"); err != nil {
		t.Fatal(err)
	}
	d.Read(func(s *State) { ref = s.Seals.Of("anna").PIN })
	if !d.rightPIN(t.Context(), "anna", ref, "2481") {
		t.Error("a new PIN is not taken")
	}
	if err := d.SetPIN(t.Context(), auth.Actor{Name: "person:boris", ID: "boris", Roles: []string{plan.Reader}}, "anna", "2581"); err == nil {
		t.Error("somebody else changed the PIN")
	}
}
