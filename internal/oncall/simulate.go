package oncall

import (
	"fmt"
	"maps"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// simulated is how far a simulation goes.
const (
	SimulatedMost = 24 * time.Hour
	simulatedRows = 2000
)

// A Moment is one thing that a simulation saw.
type Moment struct {
	After   time.Duration // since the incident
	At      time.Time
	Step    int    // of the policy, from 0 over all rounds; -1 is none
	What    string // step, ring, later (a ring that is put off), held, left, maintenance
	Person  string
	Channel string
	Target  string
	Why     string    // as in the entries
	Until   time.Time // of later and held: when it rings, if it does
	Instead string
}

// Simulate says who would be rung, minute by minute, if an incident of a severity opened at a moment and nobody answered: by the same
// decisions as a real one, with everything sent at once and nothing rung before. The policy is the one that rings for the severity,
// or x where it is given. What is written of the plan after now is not known, so it is the plan as it stands.
func Simulate(p *plan.Plan, x *entry.Policy, severity string, at time.Time, lasts time.Duration) (out []Moment, err error) {
	if rank(severity) < rank("medium") {
		return nil, fmt.Errorf("%.40q rings nobody; simulate critical, high or medium", severity)
	}
	lasts = min(max(lasts, time.Minute), SimulatedMost)
	as := *p
	as.Tests = 0
	if x != nil {
		as.Table, as.Policies = map[string]string{severity: x.ID}, maps.Clone(p.Policies)
		if x.ID == "" {
			as.Policy, as.PolicyN = *x, 1
		} else {
			if as.Policies == nil {
				as.Policies = map[string]entry.Policy{}
			}
			as.Policies[x.ID] = *x
		}
	}
	b := NewBook(as.PolicyFor)
	w := &walk{book: b, plan: &as, began: at, now: at}
	if err := w.write(entry.Draft{Actor: "simulation", Kind: entry.IncidentOpened, Subject: "incident:1", Body: entry.Opened{ID: 1, Severity: severity, Happened: at}}); err != nil {
		return nil, err
	}
	for end := at.Add(lasts); !w.now.After(end) && len(w.out) < simulatedRows; {
		again, err := w.settle()
		if err != nil {
			return w.out, err
		}
		if !again.After(w.now) {
			break
		}
		w.now = again
	}
	return w.out, nil
}

// A walk is one simulation.
type walk struct {
	book  *Book
	plan  *plan.Plan
	began time.Time
	now   time.Time
	n     int64
	out   []Moment
}

func (w *walk) settle() (again time.Time, err error) {
	for range 1000 {
		debts, due := w.book.Owed(w.plan, w.now)
		if len(debts) == 0 {
			return due, nil
		}
		for _, d := range debts {
			x := d.Draft
			if d.Send != nil {
				t := d.Send.Try
				x = &entry.Draft{Kind: entry.CallSent, Body: entry.CallResult{ID: t.ID, Try: t.Try}}
			}
			if err := w.write(*x); err != nil {
				return again, err
			}
		}
	}
	return again, fmt.Errorf("the simulation owes without an end at %s", w.now.UTC().Format(time.RFC3339))
}

func (w *walk) write(d entry.Draft) error {
	w.n++
	e, _, err := entry.Make(w.n, w.now, d)
	if err != nil {
		return err
	}
	if _, err := w.book.Apply(e); err != nil {
		return err
	}
	w.note(d.Body)
	return nil
}

// note adds what an entry says to what the simulation saw.
func (w *walk) note(body any) {
	m := Moment{After: w.now.Sub(w.began), At: w.now, Step: -1}
	add := func() { w.out = append(w.out, m) }
	switch x := body.(type) {
	case entry.CallStep:
		m.Step, m.What, m.Why = x.Step, "step", x.Why
		add()
		for _, l := range x.Left {
			m.What, m.Target, m.Person, m.Channel, m.Why = "left", l.Target, l.Person, l.Channel, l.Why
			add()
		}
		for _, r := range x.Rings {
			if r.Due.After(w.now) {
				m.What, m.Target, m.Person, m.Channel, m.Why, m.Until = "later", "", r.Person, r.Channel, r.Why, r.Due
				add()
			}
		}
	case entry.CallTry:
		m.Step, m.What, m.Person, m.Channel = x.Step, "ring", x.Person, x.Channel
		if x.Ring > 0 {
			m.Why = w.book.Calls[x.ID-1].Asked[x.Ring-1].Why
		}
		add()
	case entry.CallHeld:
		m.What, m.Why, m.Until, m.Instead = "held", x.Why, x.Until, x.Instead
		if x.ID == 0 {
			m.What = "maintenance"
		} else {
			r := w.book.Calls[x.ID-1].Asked[x.Ring-1]
			m.Step, m.Person, m.Channel = r.Step, r.Person, r.Channel
		}
		add()
	}
}
