package oncall

import (
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// Why a step began (entry.CallStep.Why).
const (
	stepFirst   = "first"
	stepDue     = "due"     // nobody answered in time
	stepPassed  = "passed"  // somebody passed the call on
	stepUnheard = "unheard" // the one before reaches nobody
	stepAgain   = "again"   // the call was quiet, and rings from its first step
)

// Why a try failed that its far side had taken (entry.CallResult.Why).
const (
	NotAnswered = "noanswer" // it rang
	Bounced     = "bounced"  // a mail that came back
)

// owedCall goes on with a call that rings.
func (b *Book) owedCall(c *Call, l *look) (debts []Debt) {
	if c.Test {
		return b.owedTest(c, l)
	}
	if d, ok := b.ended(c); ok {
		return []Debt{{Draft: &d}}
	}
	if r, rests := c.Resting(); rests {
		return b.owedRest(c, r, l)
	}
	not := b.barred(c)
	for n := range c.Tries {
		t := &c.Tries[n]
		switch {
		case !t.Done.IsZero():
		case plan.Bars(not, t.Channel): // wanted, and barred before it left
			debts = append(debts, debt(entry.CallFailed, c.ID, entry.CallResult{ID: c.ID, Try: t.Try, Why: plan.IsBarred}))
		default:
			debts = append(debts, Debt{Send: &Send{c, *t}})
		}
	}
	if why := b.stepWhy(c, l); why != "" {
		return append(debts, b.step(c, why, not, l)...)
	}
	l.sooner(c.Stepped.Add(b.wait(c)))
	tries := 0
	for _, n := range slices.Clone(c.open) {
		r := &c.Asked[n-1]
		if l.now.Before(r.Due) && !(r.Why != plan.Quiet && turnedBack(c.Stepped, l.now)) {
			l.sooner(r.Due)
			continue
		}
		d, tried := b.ring(c, n, r.CallRing, c.Step, len(c.Tries)+1+tries, not, l)
		if tried {
			tries++
		}
		debts = append(debts, d)
	}
	for n := range c.Tries {
		t := &c.Tries[n]
		at, ok := repeatAt(c, t)
		switch {
		case !ok || plan.Bars(not, t.Channel):
		case l.now.Before(at) && !turnedBack(t.Done, l.now):
			l.sooner(at)
		default:
			tries++
			debts = append(debts, repeat(c, *t, len(c.Tries)+tries))
		}
	}
	return debts
}

// wait is how long the step that rings waits for its answer.
func (b *Book) wait(c *Call) time.Duration {
	return plan.StepOf(b.inForce(c), max(c.Step-c.Base, 0)).Wait
}

// stepWhy says why the next step begins now, "" when it does not.
func (b *Book) stepWhy(c *Call, l *look) string {
	switch due := c.Stepped.Add(b.wait(c)); {
	case c.Step < 0:
		return stepFirst
	case c.Step < c.Base:
		return stepAgain
	case len(c.Passed) > 0 && c.Passed[len(c.Passed)-1].Step == c.Step:
		return stepPassed
	case !l.now.Before(due) || turnedBack(c.Stepped, l.now):
		return stepDue
	case b.deaf(c, l):
		return stepUnheard
	}
	return ""
}

// ask is what a step of a call is found out by.
func (b *Book) ask(c *Call, step int, not []string, l *look) plan.Want {
	w := plan.Want{Policy: b.inForce(c), Step: step - c.Base, Severity: b.severity(c), At: l.now, Not: not}
	for _, t := range c.Taken {
		w.Took = append(w.Took, t.Person)
	}
	w.Waiting = func(person, channel string) bool {
		return slices.ContainsFunc(c.open, func(n int) bool {
			r := c.Asked[n-1]
			return r.Person == person && r.Channel == channel && r.Due.After(l.now)
		})
	}
	return w
}

// step begins the next one: finds out whom it rings, and wants those that are due at once.
func (b *Book) step(c *Call, why string, not []string, l *look) (debts []Debt) {
	next := max(c.Step+1, c.Base)
	asked, left := l.p.Resolve(b.ask(c, next, not, l))
	x := entry.CallStep{ID: c.ID, Step: next, Why: why, Rings: asked, Left: left, Empty: true}
	for _, r := range asked {
		if r.Channel != plan.Console && (r.Due.IsZero() || r.Due.Before(l.now.Add(plan.StepOf(b.inForce(c), next-c.Base).Wait))) {
			x.Empty = false
		}
	}
	debts = append(debts, debt(entry.CallStepped, c.ID, x))
	tries := 0
	for k, r := range asked {
		if r.Due.IsZero() || !l.now.Before(r.Due) {
			d, tried := b.ring(c, len(c.Asked)+1+k, r, next, len(c.Tries)+1+tries, not, l)
			if tried {
				tries++
			}
			debts = append(debts, d)
		}
	}
	return debts
}

// ring does a ring that is due: wants a try, or holds it back and says why.
func (b *Book) ring(c *Call, n int, r entry.CallRing, step, try int, not []string, l *look) (d Debt, tried bool) {
	hold := func(why string) (Debt, bool) {
		return debt(entry.CallPutOff, c.ID, entry.CallHeld{ID: c.ID, Ring: n, Why: why}), false
	}
	switch person, known := l.p.People[r.Person]; {
	case plan.Bars(not, r.Channel):
		return hold(plan.IsBarred)
	case r.Person == "":
	case !known || person.Gone:
		return hold(plan.Gone)
	case !slices.Contains(person.Channels, r.Channel):
		return hold(plan.Unreachable)
	case slices.ContainsFunc(c.Taken, func(t Take) bool { return t.Person == r.Person }):
		return hold(plan.Taken)
	default:
		if until := b.throttled(c, r.Person, r.Channel, l); !until.IsZero() {
			return b.holdBack(c, n, r, until, not, l), false
		}
	}
	l.wants[way{r.Person, r.Channel}]++
	return debt(entry.CallWanted, c.ID, entry.CallTry{ID: c.ID, Try: try, Step: step, Person: r.Person, Channel: r.Channel,
		Message: fmt.Sprintf("call-%d-%d", c.ID, try), Ring: n}), true
}

// holdBack is a ring that would come too often: another channel that the step does not ring yet is used, or it waits.
func (b *Book) holdBack(c *Call, n int, r entry.CallRing, until time.Time, not []string, l *look) Debt {
	x := entry.CallHeld{ID: c.ID, Ring: n, Why: "throttle"}
	step := max(c.Step, c.Base)
	if n <= len(c.Asked) {
		step = c.Asked[n-1].Step
	}
	x.Instead = l.p.InsteadOf(r.Person, r.Channel, plan.StepOf(b.inForce(c), step-c.Base), func(channel string) bool {
		return !plan.Bars(not, channel) && b.throttled(c, r.Person, channel, l).IsZero() && l.wants[way{r.Person, channel}] == 0 &&
			!slices.ContainsFunc(c.Asked, func(o Ring) bool {
				return o.Step == step && o.Person == r.Person && o.Channel == channel && n <= len(c.Asked)
			})
	})
	if x.Instead == "" {
		x.Until = until.UTC()
	}
	return debt(entry.CallPutOff, c.ID, x)
}

// throttled returns until when a person must not be rung by a channel again, zero when they may be now. The first ring of a critical call is
// never held back. Tries that failed rang nobody, and do not count, but for telephones that nobody answered.
func (b *Book) throttled(c *Call, person, channel string, l *look) (until time.Time) {
	limits := plan.Limits(channel)
	if len(limits) == 0 {
		return time.Time{}
	}
	w := way{person, channel}
	first := l.wants[w] == 0
	var rung []time.Time
	for _, r := range b.last[w] {
		t := b.Calls[r.call-1].Tries[r.try-1]
		if t.Failed && t.Result.Why != NotAnswered || turnedBack(r.at, l.now) {
			continue
		}
		rung = append(rung, r.at)
		first = first && r.call != c.ID
	}
	for range l.wants[w] {
		rung = append(rung, l.now)
	}
	if first && b.severity(c) == "critical" {
		return time.Time{}
	}
	for _, lim := range limits {
		if k := len(rung) - lim.Most; k >= 0 {
			if free := rung[k].Add(lim.Within); free.After(l.now) && free.After(until) {
				until = free
			}
		}
	}
	return until
}

// repeat wants a failed try once more, by the same Message-ID.
func repeat(c *Call, t Try, try int) Debt {
	return debt(entry.CallWanted, c.ID, entry.CallTry{ID: c.ID, Try: try, Step: t.Step, Person: t.Person, Channel: t.Channel, Message: t.Message,
		Again: t.Try, Twice: t.Twice || t.Result.Uncertain, Ring: t.Ring})
}

// deaf reports whether waiting for an answer to the current step is of no use: it rings the console only, or every try of
// it failed for good, and a later step can reach somebody.
func (b *Book) deaf(c *Call, l *look) bool {
	for n := range c.Tries {
		t := &c.Tries[n]
		if t.Step == c.Step && t.Channel != plan.Console && (!t.Failed || t.Result.Temporary) {
			return false
		}
	}
	over := c.Stepped.Add(b.wait(c))
	for _, n := range c.open {
		if r := c.Asked[n-1]; r.Channel != plan.Console && r.Due.Before(over) {
			return false
		}
	}
	not := b.barred(c)
	for step := c.Step + 1; step-c.Base <= len(b.inForce(c).Steps)*b.inForce(c).Rounds; step++ {
		until := l.now.Add(plan.StepOf(b.inForce(c), step-c.Base).Wait)
		asked, _ := l.p.Resolve(b.ask(c, step, not, l))
		for _, r := range asked {
			if r.Channel != plan.Console && (r.Due.IsZero() || r.Due.Before(until)) {
				return true
			}
		}
	}
	l.sooner(l.now.Add(deafAgain)) // somebody's hours may begin
	return false
}

// repeatAt says when a failed try is worth another.
func repeatAt(c *Call, t *Try) (time.Time, bool) {
	if !t.Failed || !t.Result.Temporary || t.Step != c.Step {
		return time.Time{}, false
	}
	repeats := 0
	for n := range c.Tries {
		o := &c.Tries[n]
		if o.Again == t.Try {
			return time.Time{}, false
		}
		if o.Step == t.Step && o.Person == t.Person && o.Channel == t.Channel {
			repeats++
		}
	}
	if repeats > maxRepeats {
		return time.Time{}, false
	}
	wait := min(firstRepeat<<(repeats-1), lastRepeat)
	return t.Done.Add(max(wait, t.Result.After)), true
}

// owedRest ends a snooze when its time has come, or when what it is about became worse.
func (b *Book) owedRest(c *Call, r Rest, l *look) []Debt {
	now := rank(b.severity(c))
	until := r.Until
	if now == rank("critical") {
		until = minTime(until, r.At.Add(CriticalSnooze))
	}
	switch {
	case now > r.rank:
		return []Debt{debt(entry.CallResumed, c.ID, entry.CallAgain{ID: c.ID, Why: "worse"})}
	case !l.now.Before(until) || turnedBack(r.At, l.now):
		return []Debt{debt(entry.CallResumed, c.ID, entry.CallAgain{ID: c.ID, Why: "snoozed"})}
	}
	l.sooner(until)
	return nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
