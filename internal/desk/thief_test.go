package desk

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
	"tocsin/internal/voice"
)

// four are two who keep the team, a third, and a commander, who can sign in.
func four(t *testing.T, d *Desk) {
	t.Helper()
	for id, role := range map[string]string{"carla": plan.Commander, "dmitri": plan.Analyst} {
		if err := d.PutPerson(Local("test"), id, []string{role}, Contact{Name: id, Mail: id + "@shop.example"}, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"anna", "boris", "carla"} {
		if err := d.SetPassword(t.Context(), Local("test"), id, "a long and good sentence of "+id); err != nil {
			t.Fatal(err)
		}
	}
}

// staffed runs a test in a house with these people, by a clock of its own.
func staffed(t *testing.T, run func(t *testing.T, h *house, d *Desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.t = t
		d, stop := h.start()
		defer stop()
		h.team(d)
		four(t, d)
		run(t, h, d)
	})
}

func refusedByAuth(err error) bool {
	_, refused := errors.AsType[auth.Refusal](err)
	_, closed := errors.AsType[auth.Closed](err)
	return refused || closed
}

// Given a request for power that waits for a second person, when meanwhile the person it is about is changed or goes, or who asked loses the right or goes,
// then the approval does nothing: what was looked at is not what would be done.
func TestAnApprovalIsOfWhatStandsNow(t *testing.T) {
	contact := Contact{Name: "dmitri", Mail: "dmitri@shop.example"}
	for _, x := range []struct {
		name      string
		meanwhile func(d *Desk) error
		done      bool
	}{
		{"nothing", func(*Desk) error { return nil }, true},
		{"the person goes", func(d *Desk) error {
			return d.PutPerson(Local("test"), "dmitri", []string{plan.Analyst}, contact, true)
		}, false},
		{"the person gets another address", func(d *Desk) error {
			return d.PutPerson(Local("test"), "dmitri", []string{plan.Analyst}, Contact{Name: "dmitri", Mail: "new@shop.example"}, false)
		}, false},
		{"who asked loses the right", func(d *Desk) error {
			return d.PutPerson(Local("test"), "boris", []string{plan.Reader}, Contact{Name: "Boris"}, false)
		}, false},
		{"who asked goes", func(d *Desk) error {
			return d.PutPerson(Local("test"), "boris", []string{plan.Engineer}, Contact{Name: "Boris"}, true)
		}, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			staffed(t, func(t *testing.T, h *house, d *Desk) {
				boris := h.person(d, "boris")
				err := d.PutPerson(boris, "dmitri", []string{plan.Analyst, plan.Commander}, contact, false)
				if _, asked := errors.AsType[Asked](err); !asked {
					t.Fatalf("asking: %v", err)
				}
				if err := x.meanwhile(d); err != nil {
					t.Fatal(err)
				}
				var before entry.Person
				d.Read(func(s *State) { before = s.Plan.People["dmitri"] })
				err = d.Approve(h.person(d, "carla"), 1, true, "")
				time.Sleep(time.Minute)
				synctest.Wait()
				d.Read(func(s *State) {
					p, a := s.Plan.People["dmitri"], s.Approvals.All[0]
					if has := slices.Contains(p.Roles, plan.Commander); has != x.done {
						t.Errorf("is commander: %v (gone %v); the approval is %s, %v", has, p.Gone, a.State, err)
					}
					if !x.done && (p.Vault != before.Vault || p.Gone != before.Gone) {
						t.Errorf("%+v became %+v", before, p)
					}
				})
			})
		})
	}
}

// Given somebody who keeps the team, when they get into another's account by a link, by taking the factors away or by an account of the provider, then that
// account is no second person for what they ask; and the link is an entry.
func TestASecondAccountIsNoSecondPerson(t *testing.T) {
	staffed(t, func(t *testing.T, h *house, d *Desk) {
		boris := h.person(d, "boris")
		link, err := d.Invite(boris, "carla")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.TakeInvite(t.Context(), link[strings.LastIndex(link, "/")+1:], "boris knows this sentence"); err != nil {
			t.Fatal(err)
		}
		h.want(d, entry.PersonInvited, 1)
		err = d.PutPerson(boris, "dmitri", []string{plan.Commander}, Contact{Name: "dmitri"}, false)
		if _, asked := errors.AsType[Asked](err); !asked {
			t.Fatalf("asking: %v", err)
		}
		carla := h.person(d, "carla")
		carla.Via = "another session"
		if err := d.Approve(carla, 1, true, ""); err == nil {
			t.Error("boris approved by carla's account, into which he let himself an instant ago")
		}
		if who := d.Approvals(carla, 1)[0].Who; slices.Contains(who, "carla") || !slices.Contains(who, "anna") {
			t.Errorf("it can be approved by %v", who)
		}
		if err := d.Approve(h.person(d, "anna"), 1, true, ""); err != nil {
			t.Errorf("anna, whom nobody touched: %v", err)
		}
	})
}

// Given an administrator who makes links for everybody else who could approve, when she asks for something dangerous, then it does not pass by time alone: nobody can approve
// it, and it waits.
func TestLinksForAllMakeNothingPassAlone(t *testing.T) {
	staffed(t, func(t *testing.T, h *house, d *Desk) {
		boris := h.person(d, "boris")
		for _, id := range []string{"anna", "carla", "dmitri"} {
			if _, err := d.Invite(boris, id); err != nil {
				t.Fatal(err)
			}
		}
		asked, ok := errors.AsType[Asked](d.PutPerson(boris, "dmitri", []string{plan.Commander}, Contact{Name: "dmitri"}, false))
		if !ok || !asked.Alone.IsZero() {
			t.Fatalf("asking: %+v", asked)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		h.want(d, entry.ApprovalGiven, 0)
		h.want(d, entry.ApprovalDone, 0)
	})
}

// Given a token that may keep the team, then it opens no account: it makes no link, sets no password, takes nobody's factors and links nobody.
func TestATokenOpensNoAccount(t *testing.T) {
	staffed(t, func(t *testing.T, h *house, d *Desk) {
		token := h.person(d, "boris")
		token.Scope, token.Via = []auth.Action{auth.Team, auth.Own}, "token:x"
		for name, try := range map[string]func() error{
			"a link":             func() error { _, err := d.Invite(token, "anna"); return err },
			"a password":         func() error { return d.SetPassword(t.Context(), token, "anna", "a sentence that boris knows") },
			"one's own password": func() error { return d.SetPassword(t.Context(), token, "boris", "a sentence that a thief knows") },
			"factors":            func() error { return d.RemoveFactors(token, "anna") },
			"an account to link": func() error { return d.ConfirmLink(token, "anna", "x") },
			"power": func() error {
				return d.PutPerson(token, "dmitri", []string{plan.Commander}, Contact{Name: "dmitri"}, false)
			},
			"somebody else's token": func() error { return d.RevokeToken(token, "boris", "x") },
		} {
			err := try()
			if name == "somebody else's token" { // to revoke is no way in
				if !errors.Is(err, signin.ErrUnknown) {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if !refusedByAuth(err) {
				t.Errorf("%s by a token: %v", name, err)
			}
		}
	})
}

// Given an incident about somebody of ours, when they press on its call, then it goes on: whoever is not named cannot stop it, and to them it is not there.
func TestWhoIsNotNamedCannotStopACall(t *testing.T) {
	staffed(t, func(t *testing.T, h *house, d *Desk) {
		anna, boris := h.person(d, "anna"), h.person(d, "boris")
		id, err := d.Report(anna, "boris takes copies of the customers")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Restrict(anna, id, "insider", []string{"dmitri"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		rings := func() (n int) {
			d.Read(func(s *State) { n = len(s.Calls.Ringing()) })
			return n
		}
		if rings() != 1 {
			t.Fatalf("%d calls ring", rings())
		}
		call := int64(0) // another one than at first, if it rang before the incident was restricted
		d.Read(func(s *State) { call = s.Calls.Ringing()[0].ID })
		if err := d.BarChannels(boris, id, []string{"mail"}, "quiet"); !errors.Is(err, incident.ErrNotFound) {
			t.Errorf("boris bars the mail: %v", err)
		}
		for name, press := range map[string]func() error{
			"answers":  func() error { return d.Answer(boris, call, "console") },
			"passes":   func() error { return d.PassOn(boris, call, "console") },
			"snoozes":  func() error { return d.Snooze(boris, call, "console", time.Hour) },
			"by a key": func() error { return d.keyed(call, "boris", voice.Acknowledged) },
		} {
			if err := press(); err == nil || rings() != 1 {
				t.Errorf("boris %s: %v, %d calls ring", name, err, rings())
			}
		}
		if err := d.PassOn(h.person(d, "carla"), call, "console"); err == nil {
			t.Error("another commander, who is rung too and is not named, passes it on")
		}
		if err := d.Answer(h.person(d, "dmitri"), call, "console"); err != nil || rings() != 0 {
			t.Errorf("who is named: %v, %d calls ring", err, rings())
		}
	})
}

// Given a thief with a sheet from the safe, then everybody is rung at once, whatever the policy's first step, mutes, and an earlier sheet's call that somebody
// took; and the thief can neither take that call nor close, lower or hide its incident.
func TestAThiefWithASheet(t *testing.T) {
	staffed(t, func(t *testing.T, h *house, d *Desk) {
		pages, err := d.MakeSheets(Local("test"), 3)
		if err != nil {
			t.Fatal(err)
		}
		use := func(n int) auth.Actor {
			t.Helper()
			synctest.Wait()
			h.mu.Lock()
			h.mail = nil
			h.mu.Unlock()
			a, _, err := d.UseSheet(pages[n].Code, "192.0.2.66", "s")
			if err != nil {
				t.Fatal(err)
			}
			return a.Actor
		}
		rung := func() []string {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			to := receivers(h.sent())
			slices.Sort(to)
			return slices.Compact(to)
		}
		everyone := []string{"anna@shop.example", "boris@shop.example", "carla@shop.example", "dmitri@shop.example", "https://chat.example/hook"}
		thief := use(0)
		for name, hide := range map[string]func() error{
			"closes":    func() error { return d.CloseIncident(thief, 1, "false", "nothing") },
			"lowers":    func() error { return d.SetSeverity(thief, 1, "low", "nothing") },
			"restricts": func() error { return d.Restrict(thief, 1, "legal", nil) },
			"bars":      func() error { return d.BarChannels(thief, 1, []string{"mail"}, "quiet") },
			"mutes":     func() error { return d.AddMute(thief, GlassRule, "", "quiet", time.Now().Add(time.Hour)) },
		} {
			if err := hide(); err == nil {
				t.Errorf("the thief %s the incident of the sheet", name)
			}
		}
		if got := rung(); !slices.Equal(got, everyone) {
			t.Errorf("the sheet rang %v, want everyone at once", got)
		}
		for name, press := range map[string]func() error{
			"answers": func() error { return d.Answer(thief, 1, "console") },
			"passes":  func() error { return d.PassOn(thief, 1, "console") },
			"snoozes": func() error { return d.Snooze(thief, 1, "console", 5*time.Minute) },
		} {
			if err := press(); err == nil {
				t.Errorf("the thief %s the call of the sheet", name)
			}
		}
		if err := d.Answer(h.person(d, "anna"), 1, "console"); err != nil {
			t.Fatal(err)
		}
		if err := d.AddMute(h.person(d, "anna"), GlassRule, "", "we know", time.Now().Add(time.Hour)); err == nil {
			t.Error("sheets can be muted")
		}
		use(1)
		if got := rung(); !slices.Equal(got, everyone) {
			t.Errorf("a second sheet rang %v, want everyone at once", got)
		}
	})
}

// Given a thief with a sheet who adds an engineer, whom somebody else of the team lets pass, when that engineer is in by a link of the thief's, then they can neither
// answer the sheet's call nor close its incident, also by what they add in turn; the team can.
func TestWhomAThiefAddedIsTheThief(t *testing.T) {
	staffed(t, func(t *testing.T, h *house, d *Desk) {
		pages, err := d.MakeSheets(Local("test"), 3)
		if err != nil {
			t.Fatal(err)
		}
		a, _, err := d.UseSheet(pages[0].Code, "192.0.2.66", "s")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		_, asked := errors.AsType[Asked](d.AddPerson(a.Actor, "mallory", []string{plan.Engineer}, Contact{Name: "Mallory", Mail: "mallory@shop.example"}))
		if !asked {
			t.Fatal("an engineer is added without a second person")
		}
		if err := d.Approve(h.person(d, "carla"), 1, true, ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		mallory := h.person(d, "mallory")
		if !slices.Contains(mallory.Roles, plan.Engineer) {
			t.Fatalf("mallory is %+v", mallory)
		}
		if err := d.AddPerson(mallory, "nina", []string{plan.Analyst}, Contact{Name: "Nina"}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Invite(mallory, "nina"); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"mallory", "nina"} {
			x := h.person(d, id)
			for name, press := range map[string]func() error{
				"answers": func() error { return d.Answer(x, 1, "console") },
				"passes":  func() error { return d.PassOn(x, 1, "console") },
				"closes":  func() error { return d.CloseIncident(x, 1, "false", "nothing") },
			} {
				if err := press(); err == nil {
					t.Errorf("%s %s what the sheet began", id, name)
				}
			}
			if rs := d.Ringing(x); len(rs) != 1 || rs[0].Not == nil {
				t.Errorf("%s is not told why they cannot answer: %+v", id, rs)
			}
		}
		if err := d.Answer(h.person(d, "anna"), 1, "console"); err != nil {
			t.Errorf("anna: %v", err)
		}
	})
}
