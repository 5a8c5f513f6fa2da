package oncall

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// recentKept is how many tries of one channel of one person are remembered for the throttle: as many as the greatest limit and some.
const recentKept = 64

// applySteps folds what becomes of a call between its beginning and its end.
func (b *Book) applySteps(e entry.Entry) (known bool, err error) {
	switch e.Kind {
	case entry.CallStepped:
		x, err := entry.Body[entry.CallStep](e)
		if err != nil {
			return true, err
		}
		c, err := b.Get(x.ID)
		if err == nil {
			b.stepped(c, x, e.Time)
		}
		return true, err
	case entry.CallPutOff:
		x, err := entry.Body[entry.CallHeld](e)
		if err != nil {
			return true, err
		}
		return true, b.applyHeld(x, e.Time)
	case entry.CallTaken:
		x, err := entry.Body[entry.Answer](e)
		return true, b.with(x.ID, err, func(c *Call) { c.Taken = append(c.Taken, Take{x, e.Time}) })
	case entry.CallPassed:
		x, err := entry.Body[entry.CallPass](e)
		return true, b.with(x.ID, err, func(c *Call) { c.Passed = append(c.Passed, Pass{x, e.Time}) })
	case entry.CallSnoozed:
		x, err := entry.Body[entry.CallSnooze](e)
		return true, b.with(x.ID, err, func(c *Call) {
			c.Rests = append(c.Rests, Rest{CallSnooze: x, At: e.Time, rank: rank(b.severity(c))})
		})
	case entry.CallResumed:
		x, err := entry.Body[entry.CallAgain](e)
		return true, b.with(x.ID, err, func(c *Call) {
			if n := len(c.Rests); n > 0 {
				c.Rests[n-1].Over, c.Rests[n-1].Why = e.Time, x.Why
			}
			for _, n := range c.open { // the first step asks anew
				c.Asked[n-1].Off = "again"
			}
			c.open = nil
			c.Base = c.Step + 1
		})
	case entry.IncidentChannels:
		x, err := entry.Body[entry.Barred](e)
		if err != nil {
			return true, err
		}
		b.work(e)
		return true, b.change(x.ID, func(n *need) { n.barred = x.Not })
	}
	return false, nil
}

// with changes a call.
func (b *Book) with(id int64, err error, change func(*Call)) error {
	if err != nil {
		return err
	}
	c, err := b.Get(id)
	if err == nil {
		change(c)
	}
	return err
}

func (b *Book) stepped(c *Call, x entry.CallStep, at time.Time) {
	c.Step, c.Stepped = x.Step, at
	c.need = max(c.need, plan.StepOf(b.inForce(c), max(x.Step-c.Base, 0)).Answers)
	c.Steps = append(c.Steps, Step{x, at})
	for _, r := range x.Rings {
		due := r.Due
		if due.IsZero() {
			due = at
		}
		c.Asked = append(c.Asked, Ring{CallRing: r, Step: x.Step, Due: due})
		c.open = append(c.open, len(c.Asked))
	}
}

func (b *Book) applyHeld(x entry.CallHeld, at time.Time) error {
	if x.ID == 0 {
		return b.change(x.Incident, func(n *need) { n.held = x.Maintenance })
	}
	c, err := b.Get(x.ID)
	if err == nil && (x.Ring < 1 || x.Ring > len(c.Asked)) {
		err = fmt.Errorf("call %d has no ring %d", x.ID, x.Ring)
	}
	if err != nil {
		return err
	}
	c.Held = append(c.Held, Hold{x, at})
	r := &c.Asked[x.Ring-1]
	if !x.Until.IsZero() {
		r.Due = x.Until
		return nil
	}
	b.done(c, x.Ring)
	r.Off = x.Why
	if x.Instead != "" {
		c.Asked = append(c.Asked, Ring{CallRing: entry.CallRing{Person: r.Person, Channel: x.Instead, Why: "instead", Ring: x.Ring}, Step: r.Step, Due: at})
		c.open = append(c.open, len(c.Asked))
	}
	return nil
}

// done takes a ring from those that are pending.
func (b *Book) done(c *Call, ring int) {
	c.open = slices.DeleteFunc(c.open, func(n int) bool { return n == ring })
}

// tried notes a try for its ring and for the throttle.
func (b *Book) tried(c *Call, x entry.CallTry, at time.Time) error {
	if x.Ring < 0 || x.Ring > len(c.Asked) {
		return fmt.Errorf("call %d has no ring %d", c.ID, x.Ring)
	}
	if x.Ring > 0 && x.Again == 0 {
		c.Asked[x.Ring-1].Try = x.Try
		b.done(c, x.Ring)
	}
	if x.Person != "" {
		w := way{x.Person, x.Channel}
		l := append(b.last[w], recent{c.ID, x.Try, at})
		b.last[w] = l[max(0, len(l)-recentKept):]
	}
	return nil
}

// work notes that a person has done something about an incident: whatever the entry, it is about it, and it is a person's.
func (b *Book) work(e entry.Entry) {
	if len(b.idle) == 0 || !strings.HasPrefix(e.Actor, "person:") && e.Actor != "command" {
		return
	}
	id, ok := strings.CutPrefix(e.Subject, "incident:")
	if !ok {
		return
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return
	}
	if c := b.Of(n); c != nil {
		b.needs[n-1].worked = e.Time
		b.busy(c.ID)
	}
}

// busy takes a call from those of which nobody has shown work yet.
func (b *Book) busy(call int64) {
	b.idle = slices.DeleteFunc(b.idle, func(id int64) bool { return id == call })
}

// unneeded takes a call from them when none of its incidents needs anybody any more.
func (b *Book) unneeded(c *Call) {
	for _, id := range c.Incidents {
		if n := b.needs[id-1]; n.call == c.ID && !n.over() && rings(n.severity, c.medium) {
			return
		}
	}
	b.busy(c.ID)
}
