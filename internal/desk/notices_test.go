package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/intake"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/record"
)

// sshAccepted is a line of sshd.
func sshAccepted(at time.Time, account, address string) string {
	return fmt.Sprintf("%s shop1 sshd[7]: Accepted publickey for %s from %s port 50122 ssh2: ED25519 SHA256:abc", at.UTC().Format("2006-01-02T15:04:05.000000+00:00"), account, address)
}

// ask has anna told, or fails.
func (h *house) ask(d *Desk, x entry.Notice, account string) {
	h.t.Helper()
	if x.Person == "" {
		x.Person = "anna"
	}
	if x.Channel == "" {
		x.Channel = plan.Mail
	}
	if err := d.AskNotice(Local("test"), x, account); err != nil {
		h.t.Fatal(err)
	}
}

// signin archives lines of sign-ins.
func (h *house) signin(d *Desk, lines ...string) {
	h.t.Helper()
	b := record.Batch{Received: time.Now()}
	for _, l := range lines {
		b.Lines = append(b.Lines, record.Line{File: "/log/auth.log", Raw: l})
	}
	if _, err := d.keep(b); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) withGeo() {
	h.t.Helper()
	var err error
	if h.o.Geo, err = intake.ReadGeo(strings.NewReader("192.0.2.0/24\tDE\n203.0.113.0/24\tBR\n")); err != nil {
		h.t.Fatal(err)
	}
}

func TestNoticeOfEachSignin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.withGeo()
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.signin(d, sshAccepted(time.Now(), "deploy", "203.0.113.9")) // before it was asked for
		synctest.Wait()
		h.ask(d, entry.Notice{Mode: plan.Each, Realms: []string{"admin", "ssh"}}, "")
		h.ask(d, entry.Notice{Person: "boris", Channel: plan.Webhook, Mode: plan.Each}, "DEPLOY")
		at := time.Now()
		h.signin(d, sshAccepted(at, "deploy", "203.0.113.9"))
		synctest.Wait()
		h.signin(d, sshAccepted(at, "root", "192.0.2.4"), request(at, "192.0.2.9", "/fine"))
		synctest.Wait()
		ms := h.sent()
		if len(ms) != 3 {
			t.Fatalf("%d messages: %+v", len(ms), ms)
		}
		slices.SortFunc(ms, func(a, b notify.Message) int { return strings.Compare(a.To+a.ID, b.To+b.ID) })
		for k, want := range []struct{ to, subject, body string }{
			{"anna@shop.example", "[Tocsin] Sign-in: deploy by SSH from 203.0.113.9 (BR)", "deploy signed in by SSH."},
			{"anna@shop.example", "[Tocsin] Sign-in: root by SSH from 192.0.2.4 (DE)", "  From: 192.0.2.4, DE\n  How: publickey\n  Where: shop1, log auth.log\n"},
			{"https://chat.example/hook", "[Tocsin] Sign-in: deploy by SSH from 203.0.113.9 (BR)", "When: Saturday 1 January 2000, 00:00:00 UTC"},
		} {
			if m := ms[k]; m.To != want.to || m.Subject != want.subject || !strings.Contains(m.Body, want.body) || m.Call != "" || m.Link != "" {
				t.Errorf("message %d: %+v", k, m)
			}
		}
		h.want(d, entry.NoticeWanted, 3)
		h.want(d, entry.NoticeSent, 3)
		h.want(d, entry.CallOpened, 0)
		es, err := d.LastEntries(100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			for _, secret := range []string{"deploy", "203.0.113.9", "root"} {
				if strings.Contains(strings.ToLower(string(e.Body)+e.Subject), secret) {
					t.Errorf("entry %d (%s) names %s: %s", e.N, e.Kind, secret, e.Body)
				}
			}
		}
	})
}

// A burst is told with its first ones and a count, and what comes in the ten minutes after it in one message more.
func TestNoticesCollapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.ask(d, entry.Notice{Mode: plan.Each, Realms: []string{"ssh"}}, "")
		var lines []string
		for n := range 241 {
			lines = append(lines, sshAccepted(time.Now(), fmt.Sprintf("user%d", n%14), fmt.Sprintf("203.0.113.%d", n)))
		}
		h.signin(d, lines...)
		synctest.Wait()
		for n := range 40 {
			time.Sleep(10 * time.Second)
			h.signin(d, sshAccepted(time.Now(), "late", fmt.Sprintf("192.0.2.%d", n)))
		}
		synctest.Wait()
		ms := h.sent()
		if len(ms) != 1 || !strings.Contains(ms[0].Subject, "241 sign-ins") || !strings.Contains(ms[0].Body, "and 231 further sign-ins of 14 accounts.") || strings.Count(ms[0].Body, " signed in by SSH") != 10 {
			t.Fatalf("%d messages: %+v", len(ms), ms)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if ms = h.sent(); len(ms) != 2 || !strings.Contains(ms[1].Body, "and 30 further sign-ins of 1 account.") {
			t.Fatalf("%d messages after it: %+v", len(ms), ms[1:])
		}
		h.want(d, entry.NoticeWanted, 2)
	})
}

func TestNoticeOfWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.withGeo()
		d, stop := h.start()
		h.team(d)
		for range 10 { // a usual life: mornings, from Germany
			h.signin(d, sshAccepted(time.Now(), "deploy", "192.0.2.4"))
			time.Sleep(24 * time.Hour)
		}
		synctest.Wait()
		h.ask(d, entry.Notice{Mode: plan.New, New: []string{plan.NewCountry, plan.NewHour}, Realms: []string{"ssh"}}, "")
		h.ask(d, entry.Notice{Person: "boris", Mode: plan.New, New: []string{plan.NewAddress}, Realms: []string{"ssh"}}, "")
		told := func(what string, anna, boris string) {
			t.Helper()
			synctest.Wait()
			had := map[string]string{}
			h.mu.Lock()
			for _, m := range h.mail {
				had[m.To] += m.Body
			}
			h.mail = nil
			h.mu.Unlock()
			for to, want := range map[string]string{"anna@shop.example": anna, "boris@shop.example": boris} {
				if got := had[to]; want == "" && got != "" || !strings.Contains(got, want) {
					t.Errorf("%s: %s got %q, want %q", what, to, got, want)
				}
			}
		}
		h.signin(d, sshAccepted(time.Now(), "deploy", "192.0.2.4"))
		told("as usual", "", "")
		stop()
		d, stop = h.start()
		defer func() { stop() }()
		h.signin(d, sshAccepted(time.Now(), "deploy", "192.0.2.5"))
		told("a new address, after a restart", "", "New for this account: the address\n")
		h.signin(d, sshAccepted(time.Now(), "deploy", "192.0.2.5"))
		told("the address again", "", "")
		time.Sleep(time.Hour)
		h.signin(d, sshAccepted(time.Now(), "deploy", "192.0.2.4"))
		told("an hour later", "", "")
		time.Sleep(9 * time.Hour)
		h.signin(d, sshAccepted(time.Now(), "deploy", "192.0.2.4"))
		told("an odd hour", "New for this account: the hour (between 10:00 and 11:00)", "")
		h.signin(d, sshAccepted(time.Now(), "deploy", "203.0.113.9"))
		told("a new country", "New for this account: the address, the country", "the address")
		h.signin(d, sshAccepted(time.Now(), "fresh", "192.0.2.4"))
		told("a new account", "this is its first sign-in here", "this is its first sign-in here")
		stop() // six weeks of rounds of the bell take long, even in fake time
		time.Sleep(40 * 24 * time.Hour)
		d, stop = h.start()
		h.signin(d, sshAccepted(time.Now(), "deploy", "192.0.2.4"))
		told("after six weeks", "the country", "the address")
	})
}

// A digest comes at its hour in the reader's zone, over a restart, and not when there was nothing.
func TestNoticeDigest(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("snapshot lost: %v", lost), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.withGeo()
				d, stop := h.start()
				h.team(d)
				if err := d.PutPerson(Local("test"), "anna", []string{plan.Commander}, Contact{Name: "Anna", Mail: "anna@shop.example", Zone: "Asia/Tokyo"}, false); err != nil {
					t.Fatal(err)
				}
				h.ask(d, entry.Notice{Mode: plan.Digest, Hour: 18, Realms: []string{"ssh"}}, "") // 09:00 UTC
				for n := range 30 {
					h.signin(d, sshAccepted(time.Now(), []string{"deploy", "root"}[n%5/4], "203.0.113.9"), sshAccepted(time.Now(), "deploy", "192.0.2.4"))
					time.Sleep(10 * time.Minute)
				}
				synctest.Wait()
				stop()
				if lost {
					if err := h.data.Remove(readerFile); err != nil {
						t.Fatal(err)
					}
				}
				if len(h.sent()) != 0 {
					t.Error("a digest came before its hour")
				}
				_, stop = h.start()
				defer stop()
				time.Sleep(3 * time.Hour) // 08:00
				synctest.Wait()
				if len(h.sent()) != 0 {
					t.Error("a digest came before its hour, after the restart")
				}
				time.Sleep(time.Hour + time.Second)
				synctest.Wait()
				ms := h.sent()
				if len(ms) != 1 {
					t.Fatalf("%d messages", len(ms))
				}
				for _, want := range []string{"60 sign-ins since the last digest", "deploy by SSH: 54 sign-ins, the last Saturday 1 January 2000, 13:50:00 JST (04:50:00 UTC)\n  from 203.0.113.9 (BR), 192.0.2.4 (DE)\n",
					"root by SSH: 6 sign-ins", "/notices"} {
					if !strings.Contains(ms[0].Body, want) {
						t.Errorf("no %q in %q", want, ms[0].Body)
					}
				}
				if ms[0].Subject != "[Tocsin] Digest: 60 sign-ins of 2 accounts" {
					t.Error(ms[0].Subject)
				}
				time.Sleep(3 * 24 * time.Hour)
				synctest.Wait()
				if n := len(h.sent()); n != 1 {
					t.Errorf("%d messages without a sign-in", n)
				}
			})
		})
	}
}

// Whatever is killed when: each sign-in is told once, or, if the kill fell between the act and its entry, twice and marked.
func TestNoticesOutliveARestart(t *testing.T) {
	for _, x := range []struct {
		name string
		lose bool // the snapshot
	}{{"with its snapshot", false}, {"without its snapshot", true}} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				d, stop := h.start()
				h.team(d)
				h.ask(d, entry.Notice{Mode: plan.Each, Realms: []string{"ssh"}}, "")
				down := &notify.Failure{Temporary: true, Reason: "no connection"}
				for n := range 4 {
					h.failing(func(context.Context, notify.Message) error { return down })
					h.signin(d, sshAccepted(time.Now(), fmt.Sprintf("user%d", n), "203.0.113.9"))
					synctest.Wait()
					h.signin(d, sshAccepted(time.Now(), fmt.Sprintf("user%d-while-down", n), "203.0.113.9"))
					time.Sleep(time.Second)
					synctest.Wait()
					stop()
					if x.lose {
						if err := h.data.Remove(readerFile); err != nil {
							t.Fatal(err)
						}
					}
					h.failing(nil)
					d, stop = h.start()
					time.Sleep(time.Minute)
					synctest.Wait()
				}
				defer stop()
				all := ""
				for _, m := range h.sent() {
					all += m.Body
				}
				for n := range 4 {
					for _, who := range []string{fmt.Sprintf("user%d signed", n), fmt.Sprintf("user%d-while-down signed", n)} {
						if got := strings.Count(all, who); got != 1 {
							t.Errorf("%s in: told %d times", who, got)
						}
					}
				}
				if n := len(h.sent()); n != 8 {
					t.Errorf("%d messages", n)
				}
			})
		})
	}
}

// A message that the stop of the program overtook is sent again, and says so.
func TestANoticePossiblyTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		h.team(d)
		h.ask(d, entry.Notice{Mode: plan.Each}, "")
		h.failing(func(ctx context.Context, _ notify.Message) error { <-ctx.Done(); return errors.New("broken off") })
		h.signin(d, sshAccepted(time.Now(), "deploy", "203.0.113.9"))
		synctest.Wait()
		stop()
		h.failing(nil)
		time.Sleep(time.Second)
		d, stop = h.start()
		defer stop()
		synctest.Wait()
		if ms := h.sent(); len(ms) != 1 || !ms[0].Twice || !strings.Contains(ms[0].Subject, "(possibly twice)") || !strings.HasPrefix(ms[0].ID, "notice-1-1@") {
			t.Errorf("%+v", ms)
		}
		h.want(d, entry.NoticeWanted, 1)
	})
}

// History is learnt from and told to nobody.
func TestNoticesTellNoHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.ask(d, entry.Notice{Mode: plan.Each}, "")
		h.ask(d, entry.Notice{Person: "boris", Mode: plan.New, New: []string{plan.NewAddress}}, "")
		if _, err := d.keep(record.Batch{Received: time.Now(), Start: true, Positions: []record.Position{{File: "/log/auth.log"}}}); err != nil {
			t.Fatal(err)
		}
		h.signin(d, sshAccepted(time.Now().Add(-time.Hour), "deploy", "203.0.113.9"))
		synctest.Wait()
		if ms := h.sent(); len(ms) != 0 {
			t.Errorf("history was told: %+v", ms)
		}
		h.signin(d, sshAccepted(time.Now(), "deploy", "203.0.113.9"))
		synctest.Wait()
		if got := receivers(h.sent()); len(got) != 1 || got[0] != "anna@shop.example" {
			t.Errorf("told %v", got)
		}
	})
}

// Two logs that tell of one sign-in make one notice of it; two sign-ins in one log make two.
func TestTwinsAreToldOnce(t *testing.T) {
	var g gathered
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	for k, x := range []struct {
		account, file string
		after         time.Duration
		want          bool
	}{
		{"anna", "auth.log", 0, false}, {"anna", "audit.log", time.Second, true}, {"anna", "audit.log", 2 * time.Second, false},
		{"anna", "auth.log", 3 * time.Second, true}, {"anna", "auth.log", 4 * time.Second, false}, {"anna", "auth.log", 5 * time.Second, false},
		{"boris", "audit.log", 5 * time.Second, false}, {"boris", "auth.log", 2 * time.Minute, false},
	} {
		if got := g.twin(Login{At: at.Add(x.after), Account: x.account, Realm: "ssh"}, x.file); got != x.want {
			t.Errorf("%d: %v", k, got)
		}
	}
	for n := range 1000 {
		g.twin(Login{At: at, Account: fmt.Sprint(n)}, "x")
	}
	if len(g.Twins) > loginTwins {
		t.Errorf("%d twins", len(g.Twins))
	}
}

func TestBundlesAreBounded(t *testing.T) {
	var b bundle
	for n := range 9000 {
		b.add(Login{Seq: int64(n + 1), Account: fmt.Sprintf("a%d", n%1000), Address: fmt.Sprintf("192.0.2.%d", n%256)}, loginsTold)
	}
	if len(b.Logins) != loginsTold || b.Count != 9000 || b.More != 9000-loginsTold || len(b.Accounts) != loginAccounts || !b.Uncounted || b.Through != 9000 || b.accounts() != loginAccounts+loginsTold {
		t.Errorf("%d told, %d counted, %d more of %d accounts", len(b.Logins), b.Count, b.More, len(b.Accounts))
	}
	for _, x := range b.Accounts {
		if len(x.From) > loginFrom || !x.More {
			t.Fatalf("%+v", x)
		}
	}
}

func TestFirstsAreBounded(t *testing.T) {
	var f firsts
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	for n := range firstsAccounts + 10 {
		f.look(Login{At: at.Add(time.Duration(n) * time.Second), Account: fmt.Sprint(n), Realm: "ssh", Address: "192.0.2.1"}, time.UTC)
	}
	if len(f.By) != firstsAccounts || f.Forgot != 10 || f.By["ssh/9"] != nil || f.By["ssh/10"] == nil {
		t.Errorf("%d accounts, %d forgotten", len(f.By), f.Forgot)
	}
	for n := range 1000 {
		f.look(Login{At: at.Add(time.Duration(n) * time.Second), Account: "roams", Realm: "ssh", Address: fmt.Sprintf("192.0.2.%d", n), Country: fmt.Sprint(n)}, time.UTC)
	}
	x := f.By["ssh/roams"]
	if len(x.Addresses) != firstsPlaces || len(x.Countries) != firstsPlaces || x.Addresses["192.0.2.999"] == 0 || x.Addresses["192.0.2.0"] != 0 {
		t.Errorf("%d addresses, %d countries", len(x.Addresses), len(x.Countries))
	}
}

func TestGatheredOfABrokenFile(t *testing.T) {
	for _, bad := range []string{`{`, `[]`, `{"waiting":{"x":{}}}`} {
		if _, err := parseGathered([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	g, err := parseGathered([]byte(`{"waiting":{"1":null},"firsts":{"by":{"ssh/a":null,"ssh/b":{"since":1}}}}`))
	if err != nil || len(g.Waiting) != 0 || len(g.Firsts.By) != 1 {
		t.Errorf("%+v, %v", g, err)
	}
	g.Firsts.look(Login{At: time.Now(), Account: "b", Realm: "ssh", Address: "192.0.2.1", Country: "DE"}, time.UTC)
}

// Everybody may have themselves told; others only who keeps the team.
func TestWhoMayAskForNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		anna, boris := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{plan.Reader}}, auth.Actor{Name: "person:boris", ID: "boris", Roles: []string{plan.Engineer}}
		x := entry.Notice{Person: "anna", Channel: plan.Mail, Mode: plan.Each}
		other := entry.Notice{Person: "boris", Channel: plan.Mail, Mode: plan.Each}
		if err := d.AskNotice(anna, other, ""); err == nil {
			t.Error("a reader had somebody else told")
		}
		if err := errors.Join(d.AskNotice(anna, x, ""), d.AskNotice(boris, other, "")); err != nil {
			t.Fatal(err)
		}
		if d.EndNotice(anna, 2) == nil || d.TestNotice(anna, 2) == nil || d.EndNotice(anna, 99) == nil || d.TestNotice(boris, 99) == nil {
			t.Error("a reader decided on somebody else's notice, or on none")
		}
		if err := d.TestNotice(anna, 1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if ms := h.sent(); len(ms) != 1 || !strings.HasPrefix(ms[0].Subject, "[Tocsin test] ") || !strings.Contains(ms[0].Body, "Nobody has signed in") {
			t.Errorf("%+v", ms)
		}
		if err := d.EndNotice(boris, 1); err != nil {
			t.Fatal(err)
		}
		h.signin(d, sshAccepted(time.Now(), "deploy", "203.0.113.9"))
		synctest.Wait()
		if got := receivers(h.sent()); len(got) != 2 || got[1] != "boris@shop.example" {
			t.Errorf("told %v", got)
		}
	})
}

// What was asked for in the words of a form is stored in one order, and what is not of its mode is left out.
func TestAskNoticeTidiesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.ask(d, entry.Notice{Mode: plan.Each, Hour: 9, New: []string{"hour"}, Realms: []string{"admin", "ssh", "admin"}}, "  anna ")
		d.Read(func(s *State) {
			n := s.Notices.List[0]
			if fmt.Sprintln(n.Realms, n.Hour, n.New, n.Mode) != "[ssh admin] 0 [] each\n" || d.Text(n.Vault) != "anna" || n.Account != d.accountHash("Anna") {
				t.Errorf("%+v", n.Notice)
			}
		})
		if err := d.AskNotice(Local("test"), entry.Notice{Person: "anna", Channel: plan.Mail, Mode: plan.Each}, strings.Repeat("x", 300)); err == nil {
			t.Error("a name of 300 bytes was taken")
		}
	})
}
