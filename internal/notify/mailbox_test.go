package notify

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/counterpart"
)

// bounceFor is a report of non-delivery as Postfix writes one, to an address.
func bounceFor(to string) string {
	return strings.ReplaceAll(`From: MAILER-DAEMON@mail.shop.example
To: `+to+`
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.shop.example

Final-Recipient: rfc822; ben@bad.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user here
--b--
`, "\n", "\r\n")
}

// TestMailbox: given a mailbox at a real Dovecot with a report, a forged one and an answer of somebody on leave, when it is heard, then the report is taken
// once, a later one comes at once, and one that could not be taken comes again.
func TestMailbox(t *testing.T) {
	box := counterpart.IMAP(t)
	plain, secure, ca, log, maildir := box.Port, box.Secure, box.CAFile, box.Log, box.Maildir
	b := &Bounces{Domain: "shop.example", Secret: []byte("a secret of sixteen bytes")}
	arrive := func(name, text string) {
		t.Helper()
		tmp := filepath.Join(maildir, "tmp", name)
		if err := os.WriteFile(tmp, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		os.Chmod(tmp, 0o666)
		if err := os.Rename(tmp, filepath.Join(maildir, "new", name)); err != nil {
			t.Fatal(err)
		}
	}
	at := func(ref string) string {
		a, err := b.Address(ref)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	arrive("1.a.x", bounceFor(at("call7.3.ben")))
	arrive("2.b.x", bounceFor(strings.Replace(at("call9.1.ben"), "call9", "call8", 1)))
	arrive("3.c.x", "From: ben@shop.example\r\nTo: "+at("call7.3.ben")+"\r\nSubject: I am on leave\r\n\r\nuntil May\r\n")
	for _, c := range []struct {
		name string
		o    MailboxOptions
	}{
		{"STARTTLS", MailboxOptions{Host: "127.0.0.1", Port: plain, StartTLS: true}},
		{"TLS", MailboxOptions{Host: "127.0.0.1", Port: secure}},
	} {
		o := c.o
		o.CAFile, o.Username, o.Password, o.Bounces = ca, "tocsin", counterpart.Password, b
		m, err := NewMailbox(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		o.Password = "another password"
		if m, err = NewMailbox(o); err != nil {
			t.Fatal(err)
		}
		if err := m.Check(t.Context()); err == nil || strings.Contains(err.Error(), "another password") || err.(*Failure).Temporary {
			t.Errorf("%s, with a wrong password: %v", c.name, err)
		}
	}
	eventually(t, "Dovecot says that it was SCRAM over TLS", counterpart.Logged(log, "Login: user=<tocsin>", "method=SCRAM-SHA-256", "TLS"))
	for name, o := range map[string]MailboxOptions{"an authority that is not known": {Host: "127.0.0.1", Port: secure}, "a certificate that has expired": {Host: "127.0.0.2", Port: secure, CAFile: ca}} {
		o.Username, o.Password, o.Bounces = "tocsin", "x y z 1", b
		m, err := NewMailbox(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate does not hold") {
			t.Errorf("%s: %v", name, err)
		}
	}

	m, err := NewMailbox(MailboxOptions{Host: "127.0.0.1", Port: plain, StartTLS: true, CAFile: ca, Username: "tocsin", Password: counterpart.Password, Bounces: b})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var taken []string
	var sum Look
	refused := 0
	heard := func() string {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprint(taken, sum, refused)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- m.Hear(ctx, func(r Report) error {
			mu.Lock()
			defer mu.Unlock()
			if r.Ref == "call7.4.ben" && refused == 0 {
				refused++
				return ErrLater
			}
			taken = append(taken, r.Ref+" "+r.Outcomes[0].Status)
			return nil
		}, func(l Look) {
			mu.Lock()
			defer mu.Unlock()
			sum.Reports, sum.Forged, sum.Others = sum.Reports+l.Reports, sum.Forged+l.Forged, sum.Others+l.Others
		})
	}()
	eventually(t, "the report is taken", func() bool { return heard() == "[call7.3.ben 5.1.1] {1 1 1 0 0} 0" })
	arrive("4.d.x", bounceFor(at("call7.4.ben")))
	eventually(t, "the later one comes again after it could not be taken", func() bool { return heard() == "[call7.3.ben 5.1.1 call7.4.ben 5.1.1] {2 1 1 0 0} 1" })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if seen, _ := filepath.Glob(filepath.Join(maildir, "cur", "*:2,S")); len(seen) != 4 {
		t.Errorf("%d messages are marked as seen, want 4", len(seen))
	}
}

// TestMailboxLies: given a server that lies, when it is asked, then it costs little and is refused.
func TestMailboxLies(t *testing.T) {
	b := &Bounces{Domain: "shop.example", Secret: []byte("a secret of sixteen bytes")}
	for name, says := range map[string]struct{ text, want string }{
		"a line without an end":              {"* OK " + strings.Repeat("x", 64<<10), "more than it was asked for"},
		"no IMAP":                            {"220 mail.shop.example ESMTP\r\n", "220"},
		"goodbye":                            {"* BYE too many connections\r\n", "too many"},
		"no STARTTLS":                        {"* OK hello\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nt1 OK done\r\n", "no STARTTLS"},
		"words in the clear behind STARTTLS": {"* OK hello\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\nt1 OK done\r\nt2 OK begin\r\n* CAPABILITY AUTH=PLAIN\r\n", "somebody may be between"},
		"a literal of two gigabytes":         {"* OK hello\r\n* CAPABILITY {2147483647}\r\n", "more than it was asked"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				_, _ = c.Write([]byte(says.text))
				c.SetReadDeadline(time.Now().Add(5 * time.Second))
				_, _ = bufio.NewReader(c).ReadString(0)
			})
			t.Cleanup(func() { l.Close(); wg.Wait() })
			m, err := NewMailbox(MailboxOptions{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, StartTLS: true, Username: "x", Password: "a password", Bounces: b})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Check(t.Context()); err == nil || !strings.Contains(err.Error(), says.want) {
				t.Errorf("%v, want %q", err, says.want)
			}
		})
	}
}

// A mailbox with 100,000 mails names them all in one line.
func TestFullMailbox(t *testing.T) {
	var said strings.Builder
	said.WriteString("* SEARCH")
	for n := range 100_000 {
		fmt.Fprintf(&said, " %d", 100_000+n)
	}
	said.WriteString("\r\nt1 OK done\r\n")
	s := &imapLink{r: bufio.NewReaderSize(strings.NewReader(said.String()), imapLine)}
	a, err := s.answer("t1", nil)
	if err != nil || len(a.numbers("SEARCH")) != 1000 {
		t.Errorf("%d numbers, %v", len(a.numbers("SEARCH")), err)
	}
}

// talk is a mailbox's server by script: it answers each command, by its first words, with lines before the tagged one; "IDLE" is answered by "+" and ends by DONE.
func talk(t *testing.T, answer func(command string) string) (s *imapLink) {
	t.Helper()
	ours, theirs := net.Pipe()
	s = newIMAPLink(t.Context(), ours)
	var wg sync.WaitGroup
	t.Cleanup(func() { s.Close(); theirs.Close(); wg.Wait() })
	wg.Go(func() {
		for r := bufio.NewReader(theirs); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			tag, command, _ := strings.Cut(strings.TrimSpace(line), " ")
			text := answer(command)
			if command == "IDLE" {
				fmt.Fprint(theirs, text)
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
				text = ""
			}
			fmt.Fprintf(theirs, "%s%s OK done\r\n", text, tag)
		}
	})
	return s
}

// Given a server that says in the answer to another command that mail came, when we wait, then we look again soon and not at the next poll.
func TestNewsInAnAnswer(t *testing.T) {
	for name, c := range map[string]struct{ idle, store string }{
		"in the answer to STORE":        {"+ idling\r\n", "* 2 EXISTS\r\n"},
		"before the + of IDLE":          {"* 2 EXISTS\r\n+ idling\r\n", ""},
		"while idling":                  {"+ idling\r\n* 2 EXISTS\r\n", ""},
		"as recent, in lower case even": {"+ idling\r\n", "* 1 recent\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := talk(t, func(command string) string {
					if command == "IDLE" {
						return c.idle
					}
					return c.store
				})
				s.caps = []string{"IDLE"}
				if _, err := s.say("UID STORE 1 +FLAGS.SILENT (\\Seen)"); err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				if err := s.wait(t.Context(), 0); err != nil || time.Since(begun) > mailboxSoon {
					t.Errorf("waited %v, %v", time.Since(begun), err)
				}
			})
		})
	}
}

// Given a report that can never be taken, when the mailbox is heard for a day, then it is read ever more rarely, said so, and others are taken at once.
func TestReportThatIsNeverTaken(t *testing.T) {
	b := &Bounces{Domain: "shop.example", Secret: []byte("a secret of sixteen bytes")}
	text := map[string]string{}
	for id, ref := range map[string]string{"1": "call1.1.ben", "2": "call2.1.ben"} {
		to, err := b.Address(ref)
		if err != nil {
			t.Fatal(err)
		}
		text[id] = bounceFor(to)
	}
	synctest.Test(t, func(t *testing.T) {
		seen, fetched := "", map[string]int{}
		s := talk(t, func(command string) string {
			words := strings.Fields(command)
			switch {
			case words[0] == "UID" && words[1] == "SEARCH":
				if seen == "2" {
					return "* SEARCH 1\r\n"
				}
				return "* SEARCH 1 2\r\n"
			case words[0] == "UID" && words[1] == "FETCH":
				fetched[words[2]]++
				return fmt.Sprintf("* 1 FETCH (UID %s BODY[]<0> {%d}\r\n%s)\r\n", words[2], len(text[words[2]]), text[words[2]])
			case words[0] == "UID" && words[1] == "STORE":
				seen = words[2]
			}
			return ""
		})
		m := &Mailbox{o: MailboxOptions{Bounces: b}}
		var last Look
		taken := 0
		for begun := time.Now(); time.Since(begun) < 24*time.Hour; {
			l, again, err := m.look(s, func(raw []byte, l *Look) error {
				return m.take(raw, func(r Report) error {
					if r.Ref == "call1.1.ben" {
						return ErrLater
					}
					taken++
					return nil
				}, l)
			})
			if err != nil || again <= 0 {
				t.Fatal(again, err)
			}
			last = l
			if err := s.wait(t.Context(), again); err != nil {
				t.Fatal(err)
			}
		}
		if fetched["1"] < 100 || fetched["1"] > 170 || fetched["2"] != 1 || taken != 1 || last.Waiting != 1 || last.Tries < 100 {
			t.Errorf("read %v, %d taken, the last look %+v", fetched, taken, last)
		}
	})
	// Given more of them than are remembered, then all of the others rest together.
	m := &Mailbox{}
	now := time.Unix(1e9, 0)
	for id := range uint32(mailboxStuck + 100) {
		m.later(id+1, now)
	}
	if len(m.stuck) != mailboxStuck || !m.rests(mailboxStuck+50, now.Add(time.Second)) || m.rests(mailboxStuck+50, now.Add(mailboxMost)) {
		t.Errorf("%d are remembered, all others %+v", len(m.stuck), m.rest)
	}
	// Given those, when others come that are new, then these are read, and those that rest do not wait longer for them.
	before := m.rest.next
	if m.rests(mailboxStuck+101, now) {
		t.Error("what came later waits with those that could not be taken")
	}
	if m.later(mailboxStuck+101, now.Add(time.Second)); m.rest.next != before || !m.rests(mailboxStuck+101, now.Add(time.Second)) || m.rests(mailboxStuck+102, now) {
		t.Errorf("after one of these: %+v up to %d, before %v", m.rest, m.upTo, before)
	}
	if m.forget([]uint32{1, 2}); len(m.stuck) != 2 || m.rests(mailboxStuck+50, now) {
		t.Errorf("when they are gone: %d, %+v", len(m.stuck), m.rest)
	}
}

// Given a folder that was made anew, so that its UIDs are of other messages, when it is opened, then nothing is remembered by UID; otherwise all is.
func TestFolderMadeAnew(t *testing.T) {
	valid := "7"
	s := talk(t, func(string) string { return "* 3 EXISTS\r\n* OK [UIDVALIDITY " + valid + "] it holds\r\n" })
	m, now := &Mailbox{o: MailboxOptions{Folder: "INBOX"}}, time.Unix(1e9, 0)
	for _, x := range []struct {
		valid string
		kept  bool
	}{{"7", false}, {"7", true}, {"8", false}, {"4294967295", false}, {"4294967295", true}} {
		valid = x.valid
		if err := m.choose(s); err != nil {
			t.Fatal(err)
		}
		if got := m.rests(1, now); got != x.kept {
			t.Errorf("UIDVALIDITY %s: remembered %v, want %v", x.valid, got, x.kept)
		}
		m.later(1, now)
	}
}

// FuzzIMAPAnswer: whatever a server sends is read within its bounds, and ends.
func FuzzIMAPAnswer(f *testing.F) {
	f.Add([]byte("* 1 FETCH (UID 7 BODY[]<0> {5}\r\nhello)\r\nt1 OK done\r\n"))
	f.Add([]byte("* SEARCH 3 1 2 2\r\nt1 OK\r\n"))
	f.Add([]byte("* BYE\r\n"))
	f.Add([]byte("* x {99999999999}\r\n{5+}\r\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		s := &imapLink{r: bufio.NewReaderSize(strings.NewReader(string(said)), imapLine)}
		a, err := s.answer("t1", nil)
		size := 0
		for _, l := range a.untagged {
			for _, x := range l.literals {
				size += len(x)
			}
		}
		if size > maxReport+imapLine*8 || err == nil && a.tagged == "" {
			t.Fatalf("%d bytes, %v", size, err)
		}
		for k, n := range a.numbers("SEARCH") {
			if n == 0 || k >= 1000 {
				t.Fatal("a number that is none")
			}
		}
	})
}
