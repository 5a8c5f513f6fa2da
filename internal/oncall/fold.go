package oncall

import (
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// Apply folds an entry and reports whether it was a call's. Incidents' entries are folded too, as far as ringing
// needs them, but reported as not ours.
func (b *Book) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.CallOpened:
		x, err := entry.Body[entry.Call](e)
		if err == nil && x.ID != int64(len(b.Calls))+1 {
			err = fmt.Errorf("entry %d: call %d does not follow %d", e.N, x.ID, len(b.Calls))
		}
		if err != nil {
			return true, err
		}
		c := &Call{Call: x, Opened: e.Time, Policy: b.policy(x.Severity), Step: -1, medium: b.policy("medium").Medium}
		b.Calls = append(b.Calls, c)
		b.ringing = append(b.ringing, x.ID)
		if x.Test {
			b.tested[way{x.Person, x.Channel}] = x.ID
		}
		b.busy(x.Before)
		for _, id := range x.Incidents {
			if err := b.cover(id, x.ID); err != nil {
				return true, fmt.Errorf("entry %d: %w", e.N, err)
			}
		}
		return true, nil
	case entry.CallJoined:
		x, err := entry.Body[entry.CallJoin](e)
		if err != nil {
			return true, err
		}
		c, err := b.Get(x.ID)
		if err == nil {
			c.Incidents = append(slices.Clip(c.Incidents), x.Incident)
			err = b.cover(x.Incident, x.ID)
		}
		return true, at(e, err)
	case entry.CallWanted:
		x, err := entry.Body[entry.CallTry](e)
		if err != nil {
			return true, err
		}
		c, err := b.Get(x.ID)
		if err == nil && x.Try != len(c.Tries)+1 {
			err = fmt.Errorf("try %d does not follow %d", x.Try, len(c.Tries))
		}
		if err != nil {
			return true, at(e, err)
		}
		if x.Step > c.Step {
			c.Step, c.Stepped = x.Step, e.Time
		}
		c.Tries = append(c.Tries, Try{CallTry: x, Wanted: e.Time})
		return true, at(e, b.tried(c, x, e.Time))
	case entry.CallSent, entry.CallFailed:
		return true, b.applyResult(e)
	case entry.CallAnswered, entry.CallEnded:
		return true, b.applyEnd(e)
	}
	if known, err := b.applySteps(e); known {
		return true, at(e, err)
	}
	return false, b.applyNeed(e)
}

func at(e entry.Entry, err error) error {
	if err != nil {
		err = fmt.Errorf("entry %d (%s): %w", e.N, e.Kind, err)
	}
	return err
}

func (b *Book) applyResult(e entry.Entry) error {
	x, err := entry.Body[entry.CallResult](e)
	if err != nil {
		return err
	}
	c, err := b.Get(x.ID)
	if err == nil && (x.Try < 1 || x.Try > len(c.Tries)) {
		err = fmt.Errorf("no try %d", x.Try)
	}
	if err != nil {
		return at(e, err)
	}
	t := &c.Tries[x.Try-1]
	t.Done, t.Failed, t.Result = e.Time, e.Kind == entry.CallFailed, x
	if t.Failed && x.Why == Bounced {
		if b.back == nil {
			b.back = map[way]time.Time{}
		}
		b.back[way{t.Person, t.Channel}] = e.Time
	}
	return nil
}

func (b *Book) applyEnd(e entry.Entry) error {
	var id int64
	var answer entry.Answer
	var why string
	if e.Kind == entry.CallAnswered {
		x, err := entry.Body[entry.Answer](e)
		if err != nil {
			return err
		}
		id, answer = x.ID, x
	} else {
		x, err := entry.Body[entry.CallEnd](e)
		if err != nil {
			return err
		}
		id, why = x.ID, x.Why
	}
	c, err := b.Get(id)
	if err != nil {
		return at(e, err)
	}
	c.At, c.Answered, c.Ended = e.Time, answer, why
	c.open = nil
	if why == "" && !c.Test && c.Call.Policy != "" && c.Policy.Attend > 0 { // of calls before there were names nothing is asked
		b.idle = append(b.idle, id)
	}
	for _, i := range c.Incidents {
		n := b.needs[i-1]
		n.answered = rank(n.severity)
		if why == "lowered" {
			b.uncover(n)
		}
	}
	b.ringing = slices.DeleteFunc(b.ringing, func(r int64) bool { return r == id })
	return nil
}

// uncover notes that an incident may have to be rung for again.
func (b *Book) uncover(n *need) {
	b.leave(n, 0)
	if !slices.Contains(b.waiting, n.id) {
		b.waiting = append(b.waiting, n.id)
	}
}

// leave moves an incident to another call, or to none. The one that it leaves may have nothing left to ring for again.
func (b *Book) leave(n *need, call int64) {
	was := n.call
	n.call = call
	if was != 0 && was != call {
		b.unneeded(b.Calls[was-1])
	}
}

// live notes that an incident is no history any more.
func (b *Book) live(incident int64) error {
	return b.change(incident, func(n *need) {
		if n.history {
			n.history = false
			b.past--
		}
	})
}

// cover notes that a call rings for an incident.
func (b *Book) cover(incident, call int64) error {
	if incident < 1 || incident > int64(len(b.needs)) {
		return fmt.Errorf("no incident %d", incident)
	}
	b.leave(b.needs[incident-1], call)
	b.waiting = slices.DeleteFunc(b.waiting, func(id int64) bool { return id == incident })
	return nil
}

// applyNeed folds what incidents' entries mean for ringing.
func (b *Book) applyNeed(e entry.Entry) error {
	b.work(e)
	switch e.Kind {
	case entry.IncidentOpened:
		x, err := entry.Body[entry.Opened](e)
		if err != nil {
			return err
		}
		if x.ID != int64(len(b.needs))+1 {
			return fmt.Errorf("entry %d: incident %d does not follow %d", e.N, x.ID, len(b.needs))
		}
		b.needs = append(b.needs, &need{id: x.ID, severity: x.Severity, history: x.History, since: e.Time, everyone: x.Everyone})
		b.waiting = append(b.waiting, x.ID)
		if x.History {
			b.past++
		}
	case entry.IncidentSeverity:
		x, err := entry.Body[entry.Severity](e)
		if err != nil {
			return err
		}
		return at(e, b.change(x.ID, func(n *need) {
			n.severity = x.To
			if c := b.Of(x.ID); c != nil {
				b.unneeded(c)
			}
			switch c := b.Of(x.ID); {
			case c == nil:
			case !c.Rings() && rank(x.To) > n.answered:
				b.uncover(n) // worse than what somebody answered for
			case c.Rings() && len(c.Who) > 0 && rank(x.To) > rank(c.Severity):
				b.uncover(n) // a call for a late step rings one role
			}
		}))
	case entry.IncidentRestricted:
		x, err := entry.Body[entry.Restriction](e)
		if err != nil {
			return err
		}
		return at(e, b.changeFamily(x.ID, func(n *need) {
			n.only = append([]string{}, x.People...)
			b.part(n)
		}))
	case entry.IncidentUnrestricted:
		x, err := entry.Body[entry.RestrictionEnd](e)
		if err != nil {
			return err
		}
		return at(e, b.changeFamily(x.ID, func(n *need) {
			n.only = nil
			b.part(n)
		}))
	case entry.IncidentClosed:
		x, err := entry.Body[entry.Closed](e)
		if err != nil {
			return err
		}
		b.waiting = slices.DeleteFunc(b.waiting, func(id int64) bool { return id == x.ID })
		return at(e, b.change(x.ID, func(n *need) {
			n.closed = true
			if c := b.Of(x.ID); c != nil {
				b.unneeded(c)
			}
		}))
	case entry.IncidentReopened:
		x, err := entry.Body[entry.Reopened](e)
		if err != nil {
			return err
		}
		return at(e, b.change(x.ID, func(n *need) {
			n.closed = false
			b.uncover(n)
		}))
	case entry.IncidentMerged, entry.IncidentUnmerged:
		x, err := entry.Body[entry.Merge](e)
		if err != nil {
			return err
		}
		into := int64(0)
		if e.Kind == entry.IncidentMerged {
			into = x.Into
		}
		return at(e, b.change(x.Incident, func(n *need) { b.merge(n, into) }))
	case entry.AlertRaised:
		if b.past == 0 {
			return nil // most entries are alerts, and these need no look: a start reads them all
		}
		x, err := entry.Body[entry.Alert](e)
		if err != nil || x.Incident == 0 || x.History || x.Level == "low" || x.Level == "informational" {
			return err // a low alert ties nothing and wakes nobody
		}
		return at(e, b.live(x.Incident))
	case entry.AlertGrew:
		if b.past == 0 {
			return nil
		}
		x, err := entry.Body[entry.AlertGrowth](e)
		if err != nil || x.Incident == 0 || !x.Live {
			return err
		}
		return at(e, b.live(x.Incident))
	}
	return nil
}

// merge notes that an incident is rung for under another number, or under its own again: then into is 0.
func (b *Book) merge(n *need, into int64) {
	n.into = into
	c := b.Of(n.id)
	switch {
	case into != 0:
		b.waiting = slices.DeleteFunc(b.waiting, func(id int64) bool { return id == n.id })
		if c != nil {
			b.unneeded(c)
		}
	case c == nil || c.Ended != "":
		b.uncover(n) // what it rang for ended because it was merged
	}
}

func (b *Book) change(incident int64, f func(*need)) error {
	if incident < 1 || incident > int64(len(b.needs)) {
		return fmt.Errorf("no incident %d", incident)
	}
	f(b.needs[incident-1])
	return nil
}

// changeFamily changes an incident and those that are one with it (package incident says which): they are for the same people, also when one is taken out again.
func (b *Book) changeFamily(incident int64, f func(*need)) error {
	root := b.root(incident)
	for _, n := range b.needs {
		if n.id != incident && b.root(n.id) == root {
			f(n)
		}
	}
	return b.change(incident, f)
}

// root is the incident under whose number an incident is rung for.
func (b *Book) root(incident int64) int64 {
	for range b.needs {
		if incident < 1 || incident > int64(len(b.needs)) || b.needs[incident-1].into == 0 {
			break
		}
		incident = b.needs[incident-1].into
	}
	return incident
}
