package desk

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
)

// Given two steps that are late at once, when the call for the first rings, then the second waits for it, is rung for when somebody answered, and is not written as rung before.
func TestLateStepsRingOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		both := strings.NewReplacer("role: commander, what: Call, why: w, how: h, done: d, if: big = yes", "role: engineer, what: Call, why: w, how: h, done: d, within: 30m, after: []").Replace(fire)
		h.o.Plan = fsOf([]byte(both))
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		wait := func(x time.Duration) {
			time.Sleep(x)
			synctest.Wait()
		}
		anna := person("anna", plan.Commander)
		rung := func(given string, steps, calls int) {
			t.Helper()
			if n := h.entries(d); n[entry.StepLate] != steps || n[entry.CallOpened] != calls {
				t.Errorf("%s: %d steps are written as rung in %d calls; want %d, %d", given, n[entry.StepLate], n[entry.CallOpened], steps, calls)
			}
		}
		wait(10 * time.Second)
		h.want(d, entry.RunBegun, 1)
		wait(40 * time.Minute)
		rung("the alarm itself rings", 0, 1)
		must(t, d.Answer(anna, 1, "console"))
		wait(2 * time.Minute)
		rung("somebody answered the alarm", 1, 2)
		wait(2 * time.Minute)
		rung("the first call rings", 1, 2)
		must(t, d.Answer(anna, 2, "console"))
		wait(2 * time.Minute)
		rung("somebody answered the first", 2, 3)
	})
}

// Given open incidents from before, when a program comes that has playbooks, then none begins by itself in what is old or was history; one does in what a crash came between.
func TestPlaybooksDoNotBeginInOldIncidents(t *testing.T) {
	for _, tt := range []struct {
		given string
		off   time.Duration
		old   bool
		runs  int
	}{
		{"a crash", 10 * time.Minute, false, 1},
		{"an upgrade", 72 * time.Hour, false, 0},
		{"what was over before anybody watched", 10 * time.Minute, true, 0},
	} {
		t.Run(tt.given, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				d, stop := h.start()
				h.team(d)
				at := time.Now()
				if tt.old {
					time.Sleep(48 * time.Hour)
				}
				h.watching(d, time.Now())
				h.feed(d, request(at, "192.0.2.7", "/evil"))
				time.Sleep(10 * time.Second)
				synctest.Wait()
				d.Read(func(s *State) {
					if i, err := s.Incidents.Get(1); err != nil || i.History != tt.old {
						t.Errorf("%+v, %v", i, err)
					}
				})
				stop()
				time.Sleep(tt.off)
				h.o.Plan = firePlan()
				d, stop = h.start()
				defer stop()
				time.Sleep(10 * time.Second)
				synctest.Wait()
				h.want(d, entry.RunBegun, tt.runs)
			})
		})
	}
}

// Given a step, when a second person takes it or answers otherwise, or somebody agrees to what they do themselves, then it is refused with the first one's words, and what was refused leaves nothing in the vault.
func TestASecondPersonAtAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		anna, boris := person("anna", plan.Commander), person("boris", plan.Engineer)
		must(t, d.TakeStep(anna, 1, "look", ""))
		if o, ok := errors.AsType[*Overtaken](d.TakeStep(boris, 1, "look", "")); !ok || o.By != "person:anna" || o.N == 0 {
			t.Errorf("who takes a taken step is told %+v", o)
		}
		must(t, d.TakeStep(boris, 1, "look", "anna"), d.AnswerFact(anna, 1, "big", "no", ""), d.AnswerFact(anna, 1, "where", "the cellar", ""))
		size := h.size("vault")
		for _, answers := range []map[string]string{{"big": "yes"}, {"where": "the roof"}} {
			o, ok := errors.AsType[*Overtaken](d.FinishStep(boris, StepDone{Run: 1, Step: "look", Found: "fire", Answers: answers}))
			if !ok || o.By != "person:anna" || !strings.Contains(o.Then, "correct the answer") || !strings.Contains(o.Yours, "fire") || answers["where"] != "" && o.First != "the cellar" {
				t.Errorf("who answers otherwise is told %+v", o)
			}
		}
		for what, err := range map[string]error{
			"a step that waits":       d.SkipStep(boris, 1, "nothing", "a long reason"),
			"a hand-over":             d.TakeOver(boris, 1, 9, "thanks"),
			"a severity as it is":     d.SetSeverity(anna, 1, "high", "it is"),
			"a merge into itself":     d.Merge(anna, 1, 1, "the same"),
			"a question that is none": d.AnswerQuestion(anna, 1, 3, "so"),
		} {
			if err == nil {
				t.Errorf("%s is taken", what)
			}
		}
		if now := h.size("vault"); now != size {
			t.Errorf("what was refused leaves %d bytes in the vault", now-size)
		}
		must(t, d.FinishStep(boris, StepDone{Run: 1, Step: "look", Answers: map[string]string{"big": "no", "where": "the cellar"}}))

		one, two := person("break-glass:1", plan.Commander), person("break-glass:2", plan.Commander)
		must(t, d.TakeStep(one, 1, "clean", ""))
		if err := d.ApproveStep(two, 1, "clean"); err == nil {
			t.Error("two sheets agree with each other")
		}
		must(t, d.LeaveStep(one, 1, "clean", ""), d.ApproveStep(one, 1, "clean"))
		if err := d.FinishStep(two, StepDone{Run: 1, Step: "clean"}); err == nil {
			t.Error("a sheet does what another agreed to")
		}
		session := func(a auth.Actor, via string) auth.Actor { a.Via = via; return a }
		must(t, d.SkipStep(anna, 1, "clean", "by hand"), d.ReopenStep(anna, 1, "clean", "it came back"), d.TakeStep(session(boris, "s1"), 1, "clean", ""))
		if err := d.ApproveStep(session(anna, "s1"), 1, "clean"); err == nil {
			t.Error("it is agreed to in the session in which it is done")
		}
		must(t, d.ApproveStep(session(anna, "s2"), 1, "clean"), d.FinishStep(session(boris, "s1"), StepDone{Run: 1, Step: "clean"}))

		n, err := d.HandOver(anna, 1, "boris", nil, "all is quiet")
		must(t, err, d.TakeOver(boris, 1, n, ""))
		_, err = d.CorrectHandover(anna, 1, n, "boris", " nothing is quiet ")
		if o, ok := errors.AsType[*Overtaken](err); !ok || o.By != "person:boris" || o.Yours != "nothing is quiet" {
			t.Errorf("who corrects what was taken is told %+v, %v", o, err)
		}
	})
}

// Given a task of somebody who left, when it is late, then whoever leads is reminded.
func TestRemindersOfWhoLeft(t *testing.T) {
	s := &State{}
	s.Plan.People = map[string]entry.Person{"anna": {ID: "anna", Roles: []string{plan.Commander}}, "ben": {ID: "ben", Roles: []string{plan.Engineer}, Gone: true}, "boris": {ID: "boris", Roles: []string{plan.Engineer}}}
	for _, tt := range []struct{ person, role, want string }{
		{"boris", "", "boris"}, {"ben", "", "anna"}, {"ben", plan.Engineer, "boris"}, {"", plan.Engineer, "boris"}, {"nobody", "", "anna"},
	} {
		x := &incident.Task{}
		x.Person, x.Role = tt.person, tt.role
		if got := strings.Join(remindedOf(s, &incident.Incident{}, incident.RemindedTask{Task: x}), " "); got != tt.want {
			t.Errorf("of %q, %q: %q are reminded; want %q", tt.person, tt.role, got, tt.want)
		}
	}
}
