package oncall

import (
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// Given a step that wants two answers, when only one person who can be rung may answer, then that one answer ends the call: whoever audits, reports,
// looks on or keeps the accounts is no second one, and a call must not ring for ever for want of them.
func TestAnswersAreWantedOfThoseWhoMayGiveThem(t *testing.T) {
	two := entry.Policy{Steps: []entry.PolicyStep{{Who: []string{plan.Everyone}, Wait: 5 * time.Minute, Answers: 2}}, Rounds: 1, Every: 5 * time.Minute}
	for _, x := range []struct {
		role string
		ends bool
	}{{plan.Auditor, true}, {plan.Reporter, true}, {plan.Reader, true}, {plan.Administrator, true}, {plan.Legal, false}, {plan.Engineer, false}} {
		w := newWorld(t)
		w.person("anna", []string{plan.Commander}, "mail")
		w.person("otto", []string{x.role}, "mail")
		w.policy(two)
		w.incident(1, "critical")
		w.until(time.Minute)
		answer(t, w, 1)
		if c := w.book.Calls[0]; c.Rings() == x.ends {
			t.Errorf("with a second person who is %s the call rings on: %v", x.role, c.Rings())
		}
	}
}

// Given an incident that is restricted to one person, and a policy that wants two answers, then the one ends the call: nobody else is rung who could.
func TestOneAnswerEndsARestrictedCall(t *testing.T) {
	w := newWorld(t)
	w.person("anna", []string{plan.Commander}, "mail")
	w.person("boris", []string{plan.Engineer}, "mail")
	w.policy(entry.Policy{Steps: []entry.PolicyStep{{Who: []string{plan.Everyone}, Wait: 5 * time.Minute, Answers: 2}}, Rounds: 1, Every: 5 * time.Minute})
	w.incident(1, "critical")
	w.write(entry.Draft{Kind: entry.IncidentRestricted, Body: entry.Restriction{ID: 1, Kind: "insider", People: []string{"anna"}}})
	w.until(time.Minute)
	answer(t, w, 1)
	if w.book.Calls[0].Rings() {
		t.Error("the only person who is rung has answered, and it rings on")
	}
}

// Given a step that reaches nobody, because the only person's hours have not begun, when they begin, then the next step does not wait for the end of this one:
// also where nothing but the time that Owed gave says when to look again, as in a simulation.
func TestADeafStepIsLookedAtAgain(t *testing.T) {
	w := newWorld(t)
	w.person("boris", []string{plan.Engineer}, "mail")
	w.write(entry.Draft{Kind: entry.PersonWays, Body: entry.Ways{ID: "boris", Rules: []entry.Way{{Channel: "mail", Hours: &entry.Hours{From: "10:00", Until: "18:00"}}}}})
	w.policy(entry.Policy{Steps: []entry.PolicyStep{{Who: []string{plan.Everyone}, Wait: 4 * time.Hour}}, Rounds: 1, Every: 5 * time.Minute})
	w.incident(1, "high") // at nine
	w.until(61 * time.Minute)
	w.got("boris by mail @1h0m0s call-1-3")
}
