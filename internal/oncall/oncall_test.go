package oncall

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// t0 is a Black Friday.
var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// A world is a plan and a call book over one list of entries.
type world struct {
	t    *testing.T
	plan plan.Plan
	book *Book
	all  []entry.Entry
	now  time.Time
	sent []string // "anna by mail @5m0s"
	fail func(Try) (fail, temporary bool)
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: t0}
	w.book = NewBook(w.plan.PolicyFor)
	return w
}

func (w *world) write(d entry.Draft) {
	w.t.Helper()
	e, _, err := entry.Make(int64(len(w.all))+1, w.now, d)
	if err != nil {
		w.t.Fatal(err)
	}
	w.all = append(w.all, e)
	w.apply(e)
}

func (w *world) apply(e entry.Entry) {
	w.t.Helper()
	if _, err := w.plan.Apply(e); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.book.Apply(e); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(id string, roles []string, channels ...string) {
	w.write(entry.Draft{Kind: entry.PersonPut, Body: entry.Person{ID: id, Roles: roles, Channels: channels}})
}

func (w *world) policy(p entry.Policy) {
	w.t.Helper()
	d, err := w.plan.SetPolicy("test", p)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(d)
}

func (w *world) incident(id int64, severity string) {
	w.write(entry.Draft{Kind: entry.IncidentOpened, Body: entry.Opened{ID: id, Severity: severity}})
}

// settle pays every debt, as the desk does.
func (w *world) settle() (again time.Time) {
	w.t.Helper()
	for range 100 {
		debts, due := w.book.Owed(&w.plan, w.now)
		if len(debts) == 0 {
			return due
		}
		for _, d := range debts {
			if d.Draft != nil {
				w.write(*d.Draft)
			} else {
				w.send(d.Send.Try)
			}
		}
	}
	w.t.Fatal("debts without end")
	return time.Time{}
}

func (w *world) send(t Try) {
	kind, r := entry.CallSent, entry.CallResult{ID: t.ID, Try: t.Try}
	if w.fail != nil && t.Channel != plan.Console {
		if fail, temporary := w.fail(t); fail {
			kind, r.Temporary = entry.CallFailed, temporary
		}
	}
	if t.Channel != plan.Console {
		w.sent = append(w.sent, fmt.Sprintf("%s by %s @%v %s", t.Person, t.Channel, w.now.Sub(t0), t.Message))
	}
	w.write(entry.Draft{Kind: kind, Body: r})
}

// until lets time pass, settling whenever a debt falls due.
func (w *world) until(d time.Duration) {
	w.t.Helper()
	end := t0.Add(d)
	for {
		again := w.settle()
		if again.IsZero() || again.After(end) {
			break
		}
		if !again.After(w.now) {
			w.t.Fatalf("at %v due again at %v: no progress", w.now, again)
		}
		w.now = again
	}
	w.now = end
	w.settle()
}

func (w *world) got(want ...string) {
	w.t.Helper()
	if !reflect.DeepEqual(w.sent, want) {
		w.t.Errorf("rang\n  %s\nwant\n  %s", strings.Join(w.sent, "\n  "), strings.Join(want, "\n  "))
	}
}

var twoSteps = entry.Policy{
	Steps: []entry.PolicyStep{
		{Who: []string{"anna"}, By: []string{"mail"}, Wait: 5 * time.Minute},
		{Who: []string{"everyone"}, Wait: 10 * time.Minute},
	},
	Rounds: 1, Every: 15 * time.Minute, Throttle: 2 * time.Minute,
}

func team(t *testing.T) *world {
	w := newWorld(t)
	w.person("anna", []string{"commander"}, "mail", "webhook")
	w.person("boris", []string{"engineer"}, "mail")
	w.policy(twoSteps)
	return w
}

func TestEscalation(t *testing.T) {
	w := team(t)
	w.incident(1, "critical")
	w.until(29 * time.Minute)
	w.got(
		"anna by mail @0s call-1-2",
		"anna by mail @5m0s call-1-4", "anna by webhook @5m0s call-1-5", "boris by mail @5m0s call-1-6",
		"anna by mail @15m0s call-1-8", "anna by webhook @15m0s call-1-9", "boris by mail @15m0s call-1-10",
	)
}

func TestFirstAnswerStopsTheRest(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	w.until(6 * time.Minute)
	d, err := w.book.Answer("person:boris", &w.plan, 1, "boris", "link")
	if err != nil {
		t.Fatal(err)
	}
	w.write(d)
	n := len(w.sent)
	w.until(3 * time.Hour)
	if len(w.sent) != n {
		t.Errorf("rang on after the answer: %v", w.sent[n:])
	}
	if _, err := w.book.Answer("person:anna", &w.plan, 1, "anna", "link"); err == nil {
		t.Error("a second answer was taken")
	}
}

func TestWhoIsRungAtAll(t *testing.T) {
	for _, tt := range []struct {
		name     string
		severity string
		history  bool
		medium   bool
		rings    bool
	}{
		{"critical", "critical", false, false, true},
		{"high", "high", false, false, true},
		{"medium", "medium", false, false, false},
		{"medium when told", "medium", false, true, true},
		{"low never", "low", false, true, false},
		{"history never", "critical", true, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := team(t)
			p := twoSteps
			p.Medium = tt.medium
			w.policy(p)
			w.write(entry.Draft{Kind: entry.IncidentOpened, Body: entry.Opened{ID: 1, Severity: tt.severity, History: tt.history}})
			w.until(time.Minute)
			if rang := len(w.sent) > 0; rang != tt.rings {
				t.Errorf("rang %v, want %v", rang, tt.rings)
			}
		})
	}
}

func TestHistoryThatGoesOnRings(t *testing.T) {
	w := team(t)
	w.write(entry.Draft{Kind: entry.IncidentOpened, Body: entry.Opened{ID: 1, Severity: "high", History: true}})
	w.until(time.Minute)
	w.got()
	w.write(entry.Draft{Kind: entry.AlertGrew, Body: entry.AlertGrowth{ID: "a", Live: true, Incident: 1}})
	w.until(2 * time.Minute)
	w.got("anna by mail @1m0s call-1-2")
}

func TestSeverityRaisedRings(t *testing.T) {
	w := team(t)
	w.incident(1, "medium")
	w.until(time.Minute)
	w.write(entry.Draft{Kind: entry.IncidentSeverity, Body: entry.Severity{ID: 1, From: "medium", To: "high"}})
	w.until(2 * time.Minute)
	w.got("anna by mail @1m0s call-1-2")
}

// A storm of incidents rings once: what comes while a call rings joins it, what comes soon after waits for the throttle.
func TestStormRingsOnce(t *testing.T) {
	w := team(t)
	for id := int64(1); id <= 50; id++ {
		w.incident(id, "high")
		w.settle()
	}
	w.until(time.Minute)
	w.got("anna by mail @0s call-1-2")
	if n := len(w.book.Calls[0].Incidents); n != 50 {
		t.Errorf("the call stands for %d incidents, want 50", n)
	}
	d, _ := w.book.Answer("person:anna", &w.plan, 1, "anna", "link")
	w.write(d)
	for id := int64(51); id <= 60; id++ {
		w.incident(id, "high")
		w.settle()
	}
	if len(w.sent) != 1 {
		t.Errorf("rang again within the throttle: %v", w.sent)
	}
	w.until(3 * time.Minute)
	w.got("anna by mail @0s call-1-2", "anna by mail @2m0s call-2-2")
	if n := len(w.book.Calls[1].Incidents); n != 10 {
		t.Errorf("the second call stands for %d incidents, want 10", n)
	}
}

func TestCriticalDoesNotWaitForTheThrottleOfALesserCall(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	w.settle()
	d, _ := w.book.Answer("person:anna", &w.plan, 1, "anna", "link")
	w.write(d)
	w.incident(2, "critical")
	w.settle()
	w.got("anna by mail @0s call-1-2", "anna by mail @0s call-2-2")
}

func TestThrottleOffRingsForEach(t *testing.T) {
	w := team(t)
	p := twoSteps
	p.Throttle = 0
	w.policy(p)
	for id := int64(1); id <= 3; id++ {
		w.incident(id, "high")
	}
	w.settle()
	w.got("anna by mail @0s call-1-2", "anna by mail @0s call-2-2", "anna by mail @0s call-3-2")
}

func TestFailures(t *testing.T) {
	t.Run("temporary is tried again, later and later", func(t *testing.T) {
		w := team(t)
		w.fail = func(x Try) (bool, bool) { return x.Step == 0, true }
		w.incident(1, "high")
		w.until(90 * time.Second)
		w.got("anna by mail @0s call-1-2", "anna by mail @5s call-1-2", "anna by mail @15s call-1-2", "anna by mail @35s call-1-2", "anna by mail @1m15s call-1-2")
	})
	t.Run("for good goes to the next step at once", func(t *testing.T) {
		w := team(t)
		w.fail = func(x Try) (bool, bool) { return x.Person == "anna", false }
		w.incident(1, "high")
		w.until(time.Minute)
		w.got("anna by mail @0s call-1-2", "anna by mail @0s call-1-4", "anna by webhook @0s call-1-5", "boris by mail @0s call-1-6")
	})
	t.Run("everything fails for good: no storm of our own", func(t *testing.T) {
		w := team(t)
		w.fail = func(Try) (bool, bool) { return true, false }
		w.incident(1, "high")
		w.until(time.Hour)
		if n := len(w.sent); n < 8 || n > 30 {
			t.Errorf("%d tries in an hour: %v", n, w.sent)
		}
	})
}

// A try that was wanted and has no end is owed again by the same Message-ID.
func TestRestartOwesWhatWasOwed(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	for range 2 { // call.opened, then the wanted tries
		debts, _ := w.book.Owed(&w.plan, w.now)
		for _, d := range debts {
			if d.Draft != nil {
				w.write(*d.Draft)
			}
		}
	}
	again := newWorld(t)
	for _, e := range w.all {
		again.apply(e)
	}
	debts, _ := again.book.Owed(&again.plan, w.now)
	want, _ := w.book.Owed(&w.plan, w.now)
	if len(debts) != 2 || debts[1].Send == nil || debts[1].Send.Try.Message != "call-1-2" {
		t.Fatalf("after the restart owed: %+v", debts)
	}
	if !reflect.DeepEqual(debts, want) {
		t.Errorf("replay owes %+v, live owes %+v", debts, want)
	}
}

func TestClosedIncidentEndsTheCall(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	w.until(time.Minute)
	w.write(entry.Draft{Kind: entry.IncidentClosed, Body: entry.Closed{ID: 1, Verdict: "false", Text: "v"}})
	w.until(time.Hour)
	w.got("anna by mail @0s call-1-2")
	if c := w.book.Calls[0]; c.Rings() || c.Ended != "closed" {
		t.Errorf("call: %+v", c)
	}
}

func TestNobodyYetRingsTheConsole(t *testing.T) {
	w := newWorld(t)
	w.incident(1, "critical")
	w.until(time.Minute)
	c := w.book.Calls[0]
	if !c.Rings() || len(c.Tries) != 1 || c.Tries[0].Channel != plan.Console {
		t.Errorf("call: %+v", c)
	}
}

func TestRingNow(t *testing.T) {
	w := team(t)
	d, err := w.book.Test("person:anna", &w.plan, "boris", "mail")
	if err != nil {
		t.Fatal(err)
	}
	w.write(d)
	w.until(testRings - time.Second)
	if !w.book.Calls[0].Rings() {
		t.Error("a test does not wait for its answer")
	}
	w.until(time.Hour)
	w.got("boris by mail @0s call-1-1")
	if c := w.book.Calls[0]; c.Ended != "tested" {
		t.Errorf("call: %+v", c)
	}
	if _, err := w.book.Test("person:anna", &w.plan, "boris", "webhook"); err == nil {
		t.Error("boris has no webhook")
	}
}

func TestRingNowFails(t *testing.T) {
	w := team(t)
	w.fail = func(Try) (bool, bool) { return true, true }
	d, err := w.book.Test("person:anna", &w.plan, "boris", "mail")
	if err != nil {
		t.Fatal(err)
	}
	w.write(d)
	w.until(time.Second)
	w.got("boris by mail @0s call-1-1")
	if c := w.book.Calls[0]; c.Rings() {
		t.Errorf("a test that failed has its result: %+v", c)
	}
}

// A clock that was ahead and is set back must not silence the bell until it catches up.
func TestClockSetBack(t *testing.T) {
	for _, x := range []struct {
		name  string
		given func(*world)
		rings int // more mails than before
	}{
		{"while a step waits", func(w *world) {}, 3},
		{"while a failed try waits for its repeat", func(w *world) {
			w.fail = func(Try) (bool, bool) { return true, true }
		}, 3},
		{"while the throttle holds a new call back", func(w *world) {
			d, err := w.book.Answer("anna", &w.plan, 1, "anna", "test")
			if err != nil {
				w.t.Fatal(err)
			}
			w.write(d)
			w.incident(2, "high")
		}, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := team(t)
			w.policy(twoSteps)
			w.incident(1, "high")
			w.until(time.Second)
			x.given(w)
			before := len(w.sent)
			w.now = t0.Add(-48 * time.Hour)
			if again := w.settle(); again.After(t0) {
				t.Errorf("looks again only at %v", again)
			}
			if got := len(w.sent) - before; got < 1 || got > x.rings {
				t.Errorf("%d more mails, want 1 to %d: %v", got, x.rings, w.sent[before:])
			}
		})
	}
}

func answer(t *testing.T, w *world, call int64) {
	t.Helper()
	d, err := w.book.Answer("person:anna", &w.plan, call, "anna", "link")
	if err != nil {
		t.Fatal(err)
	}
	w.write(d)
}

func severity(from, to string) entry.Draft {
	return entry.Draft{Kind: entry.IncidentSeverity, Body: entry.Severity{ID: 1, From: from, To: to}}
}

func TestWorseThanAnsweredRingsAgain(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	w.settle()
	answer(t, w, 1)
	w.write(severity("high", "critical"))
	w.until(time.Minute)
	w.got("anna by mail @0s call-1-2", "anna by mail @0s call-2-2")
	answer(t, w, 2)
	w.write(severity("critical", "high"))
	w.write(severity("high", "critical"))
	w.until(time.Hour)
	w.got("anna by mail @0s call-1-2", "anna by mail @0s call-2-2") // no worse than what was answered
}

func TestLoweredThenRaisedRingsAgain(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	w.settle()
	w.write(severity("high", "medium"))
	w.settle()
	w.write(severity("medium", "high"))
	w.until(3 * time.Minute)
	w.got("anna by mail @0s call-1-2", "anna by mail @2m0s call-2-2")
}

func TestReopenedRingsAgain(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	w.settle()
	answer(t, w, 1)
	w.write(entry.Draft{Kind: entry.IncidentClosed, Body: entry.Closed{ID: 1, Verdict: "false", Text: "v"}})
	w.write(entry.Draft{Kind: entry.IncidentReopened, Body: entry.Reopened{ID: 1}})
	w.until(3 * time.Minute)
	w.got("anna by mail @0s call-1-2", "anna by mail @2m0s call-2-2")
}

func TestAStepThatReachesNobodyDoesNotWait(t *testing.T) {
	w := newWorld(t)
	w.person("anna", []string{"commander"})
	w.person("boris", []string{"engineer"}, "mail")
	w.policy(twoSteps)
	w.incident(1, "high")
	w.until(time.Minute)
	w.got("boris by mail @0s call-1-3")
}

func TestUncertainIsRepeatedByTheSameMessageAndSaysSo(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	w.settle()
	w.book.Calls[0].Tries[1].Failed = true
	w.book.Calls[0].Tries[1].Result = entry.CallResult{Temporary: true, Uncertain: true}
	w.until(10 * time.Second)
	last := w.book.Calls[0].Tries[len(w.book.Calls[0].Tries)-1]
	if last.Again != 2 || last.Message != "call-1-2" || !last.Twice {
		t.Errorf("repeated as %+v", last)
	}
}
