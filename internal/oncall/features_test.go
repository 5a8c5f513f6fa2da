package oncall

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// voiced is a team of two with phones, who are rung by every channel at once.
func voiced(t *testing.T, policy entry.Policy) *world {
	w := newWorld(t)
	w.person("anna", []string{"commander"}, "mail", "voice")
	w.person("boris", []string{"engineer"}, "mail", "sms")
	w.policy(policy)
	return w
}

func everyone(wait, every time.Duration) entry.Policy {
	return entry.Policy{Steps: []entry.PolicyStep{{Who: []string{"everyone"}, Wait: wait}}, Rounds: 1, Every: every, Attend: 30 * time.Minute}
}

func (w *world) ways(x entry.Ways) {
	w.t.Helper()
	d, err := w.plan.SetWays("test", x)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(d)
}

// held lists what was held back, as "anna by voice: throttle".
func held(c *Call) (out []string) {
	for _, h := range c.Held {
		r := c.Asked[h.Ring-1]
		out = append(out, fmt.Sprintf("%s by %s: %s%s", r.Person, r.Channel, h.Why, h.Instead))
	}
	return out
}

// count says how many messages went to somebody by a channel.
func (w *world) count(prefix string) (n int) {
	for _, s := range w.sent {
		if strings.HasPrefix(s, prefix+" @") {
			n++
		}
	}
	return n
}

func TestAScheduleWithNobodyIsSaidAndTheNextStepRingsAtOnce(t *testing.T) {
	w := team(t)
	p := twoSteps
	p.Steps = slices.Insert(slices.Clone(p.Steps), 0, entry.PolicyStep{Who: []string{"schedule:web"}, Wait: 5 * time.Minute})
	w.policy(p)
	w.plan.OnCall = func(string, time.Time) []string { return nil }
	w.incident(1, "high")
	w.until(time.Minute)
	w.got("anna by mail @0s call-1-3")
	first := w.book.Calls[0].Steps[0]
	if !first.Empty || len(first.Left) != 1 || first.Left[0] != (entry.CallSkip{Target: "schedule:web", Why: plan.Nobody}) {
		t.Errorf("the entry of the step says %+v", first)
	}
	if why := w.book.Calls[0].Steps[1].Why; why != stepUnheard {
		t.Errorf("the next step began because %q", why)
	}
}

func TestWhoIsOnCallIsRung(t *testing.T) {
	w := team(t)
	p := twoSteps
	p.Steps = slices.Insert(slices.Clone(p.Steps), 0, entry.PolicyStep{Who: []string{"schedule:web"}, Wait: 5 * time.Minute})
	w.policy(p)
	w.plan.OnCall = func(s string, at time.Time) []string {
		if s == "web" && at.Equal(t0) {
			return []string{"boris", "left"}
		}
		return nil
	}
	w.incident(1, "high")
	w.until(time.Minute)
	w.got("boris by mail @0s call-1-2")
	if l := w.book.Calls[0].Steps[0].Left; len(l) != 1 || l[0].Why != plan.Unknown {
		t.Errorf("who is not on the team: %+v", l)
	}
}

func TestPolicyBySeverity(t *testing.T) {
	w := team(t)
	night := everyone(time.Minute, time.Minute)
	night.ID = "night"
	w.policy(night)
	d, err := w.plan.Choose("test", map[string]string{"critical": "night", "high": plan.DefaultName})
	if err != nil {
		t.Fatal(err)
	}
	w.write(d)
	if _, err := w.plan.EndPolicy("test", "night"); err == nil {
		t.Error("a policy that is chosen may go")
	}
	w.incident(1, "high")
	w.settle()
	w.incident(2, "critical")
	w.settle()
	if a, b := w.book.Calls[0], w.book.Calls[1]; a.Policy.ID != "" || a.Call.Policy != plan.DefaultName || b.Policy.ID != "night" || b.Call.Policy != "night" {
		t.Errorf("high rings by %q, critical by %q", a.Call.Policy, b.Call.Policy)
	}
}

func TestSeveralAnswers(t *testing.T) {
	w := voiced(t, entry.Policy{Steps: []entry.PolicyStep{{Who: []string{"everyone"}, Wait: 5 * time.Minute, Answers: 2}}, Rounds: 1, Every: 5 * time.Minute})
	w.incident(1, "critical")
	w.until(time.Minute)
	answer(t, w, 1)
	c := w.book.Calls[0]
	if !c.Rings() || len(c.Taken) != 1 {
		t.Fatalf("one of two has answered: rings %v, taken %v", c.Rings(), c.Taken)
	}
	if _, err := w.book.Answer("person:anna", &w.plan, 1, "anna", "voice"); !errors.Is(err, ErrTaken) || !errors.Is(err, ErrAnswered) {
		t.Errorf("a second press: %v", err)
	}
	w.sent = nil
	w.until(6 * time.Minute)
	if w.count("anna by mail") != 0 || w.count("boris by mail") != 1 {
		t.Errorf("who has answered is rung again: %v", w.sent)
	}
	d, err := w.book.Answer("person:boris", &w.plan, 1, "boris", "link")
	if err != nil || d.Kind != entry.CallAnswered {
		t.Errorf("the second answer: %v, %v", d.Kind, err)
	}
}

func TestPassOn(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	w.until(time.Minute)
	d, err := w.book.PassOn("person:anna", 1, "anna", "voice", w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.write(d)
	w.settle()
	if _, err := w.book.PassOn("person:anna", 1, "anna", "voice", w.now.Add(3*time.Second)); !errors.Is(err, ErrPassed) {
		t.Errorf("a double press passes on twice: %v", err)
	}
	w.got("anna by mail @0s call-1-2", "anna by mail @1m0s call-1-4", "anna by webhook @1m0s call-1-5", "boris by mail @1m0s call-1-6")
	if why := w.book.Calls[0].Steps[1].Why; why != stepPassed {
		t.Errorf("the step began because %q", why)
	}
}

func TestSnooze(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	w.until(time.Minute)
	for says, lasts := range map[string]time.Duration{"1 min to 4 h": 5 * time.Hour, "can be snoozed": time.Second} {
		if _, err := w.book.Snooze("person:anna", 1, "anna", "link", lasts, w.now); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", lasts, err)
		}
	}
	d, err := w.book.Snooze("person:anna", 1, "anna", "link", time.Hour, w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.write(d)
	w.until(30 * time.Minute)
	w.got("anna by mail @0s call-1-2")
	w.incident(2, "high") // what is new is not kept quiet
	w.until(31 * time.Minute)
	w.got("anna by mail @0s call-1-2", "anna by mail @30m0s call-2-2")
	w.write(severity("high", "critical")) // nor what became worse
	w.until(32 * time.Minute)
	if c := w.book.Calls[0]; len(c.Rests) != 1 || c.Rests[0].Why != "worse" || c.Steps[len(c.Steps)-1].Why != stepAgain {
		t.Errorf("worse: %+v", c.Rests)
	}
	if _, err := w.book.Snooze("person:anna", 1, "anna", "link", time.Hour, w.now); err == nil || !strings.Contains(err.Error(), "15 min") {
		t.Errorf("a critical call is snoozed for an hour: %v", err)
	}
}

func TestNobodyWorksOnIt(t *testing.T) {
	for name, x := range map[string]struct {
		note  entry.Draft
		again bool
	}{
		"nothing":           {entry.Draft{}, true},
		"a note":            {entry.Draft{Actor: "person:boris", Kind: entry.IncidentNoted, Subject: "incident:1", Body: entry.Note{ID: 1, Text: "v"}}, false},
		"what we did":       {entry.Draft{Actor: "desk", Kind: entry.IncidentNoted, Subject: "incident:1", Body: entry.Note{ID: 1, Text: "v"}}, true},
		"another incident":  {entry.Draft{Actor: "person:boris", Kind: entry.IncidentNoted, Subject: "incident:2", Body: entry.Note{ID: 2, Text: "v"}}, true},
		"closing it":        {entry.Draft{Actor: "person:boris", Kind: entry.IncidentClosed, Subject: "incident:1", Body: entry.Closed{ID: 1, Verdict: "true", Text: "v"}}, false},
		"lowering it (us)":  {entry.Draft{Actor: "desk", Kind: entry.IncidentSeverity, Subject: "incident:1", Body: entry.Severity{ID: 1, From: "high", To: "low"}}, false},
		"an unknown number": {entry.Draft{Actor: "person:boris", Kind: entry.IncidentNoted, Subject: "incident:999", Body: entry.Note{ID: 999, Text: "v"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := voiced(t, everyone(5*time.Minute, 5*time.Minute))
			w.incident(1, "high")
			w.settle()
			answer(t, w, 1)
			w.until(10 * time.Minute)
			if x.note.Kind != "" {
				w.write(x.note)
			}
			w.until(29 * time.Minute)
			if len(w.book.Calls) != 1 {
				t.Fatal("it rings again before its time")
			}
			w.until(31 * time.Minute)
			if again := len(w.book.Calls) == 2; again != x.again {
				t.Fatalf("rings again: %v, want %v", again, x.again)
			}
			if x.again {
				if c := w.book.Calls[1]; c.Why != "unattended" || c.Before != 1 || len(c.Incidents) != 1 {
					t.Errorf("why: %+v", c.Call)
				}
			}
		})
	}
}

// An answer from before policies had names asks for no sign of work: an upgrade rings nobody.
func TestOldAnswersAreLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.person("anna", []string{"commander"}, "mail")
	w.incident(1, "high")
	w.write(entry.Draft{Kind: entry.CallOpened, Body: entry.Call{ID: 1, Incidents: []int64{1}, Severity: "high"}})
	w.write(entry.Draft{Kind: entry.CallAnswered, Body: entry.Answer{ID: 1, Person: "anna", Via: "link"}})
	w.until(24 * time.Hour)
	if len(w.book.Calls) != 1 {
		t.Errorf("%d calls", len(w.book.Calls))
	}
}

func TestQuietHours(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	given := func(sev string) *world {
		w := voiced(t, everyone(5*time.Minute, 30*time.Minute))
		w.plan.Zone = func(string) (*time.Location, error) { return zone, nil }
		w.ways(entry.Ways{ID: "anna", Quiet: &entry.Hours{From: "09:30", Until: "11:00"}, Zone: "Europe/Berlin"}) // t0 is 10:00 there
		w.incident(1, sev)
		w.settle()
		return w
	}
	w := given("high")
	if w.count("anna by voice") != 0 || w.count("boris by mail") != 1 {
		t.Errorf("in quiet hours rang %v", w.sent)
	}
	if r := w.book.Calls[0].Steps[0].Rings; !slices.ContainsFunc(r, func(r entry.CallRing) bool {
		return r.Person == "anna" && r.Channel == "voice" && r.Why == plan.Quiet && r.Due.Equal(t0.Add(time.Hour))
	}) {
		t.Errorf("it is not said that anna is put off to 11:00: %+v", r)
	}
	w.until(61 * time.Minute)
	if n := w.count("anna by voice"); n < 1 || n > 3 {
		t.Errorf("at the end of quiet hours anna is rung %d times: %v", n, w.sent)
	}
	if w := given("critical"); w.count("anna by voice") != 1 {
		t.Errorf("critical waits for quiet hours: %v", w.sent)
	}
	all := voiced(t, everyone(5*time.Minute, 30*time.Minute))
	for _, id := range []string{"anna", "boris"} {
		all.ways(entry.Ways{ID: id, Quiet: &entry.Hours{From: "08:00", Until: "11:00"}})
	}
	all.incident(1, "high")
	all.settle()
	if all.count("anna by mail") != 1 || all.count("boris by sms") != 1 || all.book.Calls[0].Steps[0].Rings[1].Why != plan.Loud {
		t.Errorf("when all are quiet, nobody is woken: %v", all.sent)
	}
}

func TestThrottle(t *testing.T) {
	w := voiced(t, everyone(time.Minute, time.Minute))
	w.incident(1, "high")
	w.until(59 * time.Minute)
	if n := w.count("anna by voice"); n > 7 {
		t.Errorf("%d phone calls in an hour, most are 7", n)
	}
	for _, from := range []time.Duration{0, 15 * time.Minute, 30 * time.Minute, 45 * time.Minute} {
		n := 0
		for _, try := range w.book.Calls[0].Tries {
			if at := try.Wanted.Sub(t0); try.Channel == plan.Voice && at >= from && at < from+15*time.Minute {
				n++
			}
		}
		if n > 3 {
			t.Errorf("%d phone calls in the quarter from %v", n, from)
		}
	}
	if n := w.count("anna by mail"); n < 59 {
		t.Errorf("mail has no throttle, and %d were sent", n)
	}
	if h := held(w.book.Calls[0]); len(h) < 10 || !slices.Contains(h, "anna by voice: throttle") {
		t.Errorf("what is held back is said: %v", h)
	}
}

func TestThrottleUsesAnotherChannel(t *testing.T) {
	w := newWorld(t)
	w.person("anna", []string{"commander"}, "voice", "mail")
	w.policy(everyone(time.Minute, time.Minute))
	w.ways(entry.Ways{ID: "anna", Rules: []entry.Way{{Channel: "voice"}}})
	w.incident(1, "high")
	w.until(4 * time.Minute)
	if w.count("anna by voice") != 3 || w.count("anna by mail") != 2 {
		t.Errorf("after three calls in a row it is mail: %v", w.sent)
	}
	if h := held(w.book.Calls[0]); !slices.Contains(h, "anna by voice: throttlemail") {
		t.Errorf("said: %v", h)
	}
}

func TestCriticalsFirstRingIsNeverThrottled(t *testing.T) {
	p := everyone(time.Minute, time.Minute)
	w := voiced(t, p)
	w.incident(1, "high")
	w.until(10 * time.Minute)
	answer(t, w, 1)
	before := w.count("anna by voice")
	w.incident(2, "critical")
	w.settle()
	if w.count("anna by voice") != before+1 {
		t.Errorf("held back: %v", held(w.book.Calls[1]))
	}
}

func TestMaintenance(t *testing.T) {
	p := everyone(5*time.Minute, 5*time.Minute)
	p.Attend = 0
	w := voiced(t, p)
	if _, err := w.plan.Maintain("test", entry.Maintenance{From: t0, Until: t0.Add(time.Hour), Severities: []string{"critical"}}, t0); err == nil {
		t.Error("critical is held back")
	}
	d, err := w.plan.Maintain("person:anna", entry.Maintenance{From: t0, Until: t0.Add(time.Hour), Severities: []string{"high"}}, t0)
	if err != nil {
		t.Fatal(err)
	}
	w.write(d)
	w.incident(1, "high")
	w.until(30 * time.Minute)
	w.got()
	if w.book.HeldBy(1) != 1 {
		t.Error("nothing says that the incident is held back")
	}
	w.incident(2, "critical")
	w.incident(3, "high")
	w.settle()
	if len(w.book.Calls) != 1 || !slices.Equal(w.book.Calls[0].Incidents, []int64{2}) {
		t.Fatalf("critical rings alone: %+v", w.book.Calls[0].Call)
	}
	w.write(entry.Draft{Kind: entry.IncidentClosed, Body: entry.Closed{ID: 3, Verdict: "false", Text: "v"}})
	answer(t, w, 1)
	w.until(59 * time.Minute)
	n := len(w.book.Calls)
	w.until(61 * time.Minute)
	if len(w.book.Calls) != n+1 {
		t.Fatalf("%d calls after the window, %d before", len(w.book.Calls), n)
	}
	if c := w.book.Calls[n]; c.Why != "maintenance" || !slices.Equal(c.Incidents, []int64{1}) {
		t.Errorf("what is still open rings at the end: %+v", c.Call)
	}
}

func TestBarredChannels(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	d, err := w.book.Bar("person:anna", 1, []string{"mail"}, "")
	if err != nil {
		t.Fatal(err)
	}
	w.write(d)
	w.until(6 * time.Minute)
	w.got("anna by webhook @0s call-1-3") // the first step is mail alone, so the next one rings at once
	for _, x := range w.book.Calls[0].Steps[:2] {
		if !slices.ContainsFunc(x.Left, func(l entry.CallSkip) bool {
			return l.Person == "anna" && l.Channel == "mail" && l.Why == plan.IsBarred
		}) {
			t.Errorf("step %d does not say that mail is barred: %+v", x.Step, x.Left)
		}
	}
	for _, not := range [][]string{{"console"}, {"Not A Channel"}, make([]string, 60)} {
		if _, err := w.book.Bar("person:anna", 1, not, ""); err == nil {
			t.Errorf("%q may be barred", not)
		}
	}
}

// What was wanted and has not left when its channel is barred does not leave any more.
func TestBarredBeforeItLeft(t *testing.T) {
	w := team(t)
	w.incident(1, "high")
	for range 2 {
		debts, _ := w.book.Owed(&w.plan, w.now)
		for _, d := range debts {
			if d.Draft != nil {
				w.write(*d.Draft)
			}
		}
	}
	d, _ := w.book.Bar("person:anna", 1, []string{"mail"}, "")
	w.write(d)
	w.settle()
	for _, s := range w.sent {
		if strings.Contains(s, "by mail") {
			t.Errorf("sent all the same: %s", s)
		}
	}
}

func TestMonthlyTests(t *testing.T) {
	w := newWorld(t) // a Friday, 09:00
	w.person("anna", []string{"commander"}, "mail", "voice")
	w.plan.Tests = 30 * 24 * time.Hour
	proofs, percent := w.book.Readiness(&w.plan, w.now)
	if percent != 0 || len(proofs) != 2 || proofs[0].State != Never {
		t.Errorf("before any test: %v, %d", proofs, percent)
	}
	for w.now.Before(t0.Add(40 * 24 * time.Hour)) {
		again := w.settle()
		for _, c := range w.book.Ringing() {
			if c.Channel == "mail" && c.Tries != nil {
				answer(t, w, c.ID)
			}
		}
		if !again.After(w.now) {
			again = w.now.Add(time.Hour)
		}
		w.now = again
	}
	mail, voice := 0, 0
	for _, c := range w.book.Calls {
		if !c.Test || c.Why != Monthly {
			t.Fatalf("%+v", c.Call)
		}
		if h := c.Opened.Hour(); h < testFrom || h >= testUntil || c.Opened.Weekday() == time.Sunday || c.Opened.Weekday() == time.Saturday {
			t.Errorf("tested at %v", c.Opened)
		}
		if c.Channel == "mail" {
			mail++
		} else {
			voice++
		}
	}
	if mail != 2 || voice < 5 {
		t.Errorf("%d tests of mail, which answers, and %d of the phone, which does not: want one a month, and one a week", mail, voice)
	}
	proofs, percent = w.book.Readiness(&w.plan, w.now)
	if percent != 50 || proofs[0].State != Proven || proofs[1].State != Silent && proofs[1].State != Testing {
		t.Errorf("after: %v, %d", proofs, percent)
	}
}

func TestSimulate(t *testing.T) {
	w := voiced(t, everyone(5*time.Minute, 10*time.Minute))
	before := len(w.book.Calls)
	ms, err := Simulate(&w.plan, nil, "high", t0, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	rings := map[time.Duration]int{}
	for _, m := range ms {
		if m.What == "ring" && m.Channel != plan.Console {
			rings[m.After]++
		}
	}
	if rings[0] != 4 || rings[5*time.Minute] != 4 || rings[15*time.Minute] == 0 || len(w.book.Calls) != before {
		t.Errorf("rings by time: %v", rings)
	}
	if _, err := Simulate(&w.plan, nil, "low", t0, time.Hour); err == nil {
		t.Error("low rings")
	}
	ms, err = Simulate(&w.plan, nil, "medium", t0, time.Hour)
	if err != nil || len(ms) != 0 {
		t.Errorf("medium, which this policy does not ring for: %v, %v", ms, err)
	}
}
