package oncall

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// How long a call can be snoozed.
const (
	MaxSnooze      = 4 * time.Hour
	CriticalSnooze = 15 * time.Minute
)

// doublePress is how soon a second press of the same person is the same press.
const doublePress = 15 * time.Second

// ErrAnswered says that somebody was faster, or that the same person pressed twice.
var ErrAnswered = errors.New("the call is answered already")

// ErrTaken says that this person has answered already, and that the call wants somebody else as well. It is an ErrAnswered.
var ErrTaken = fmt.Errorf("you have taken this call; it rings on because it wants another answer besides yours: %w", ErrAnswered)

// ErrPassed says that this person has passed the call on already: nothing was done again.
var ErrPassed = errors.New("you have passed this call on already, and the next step rings")

// ErrRests says that the call is snoozed already.
var ErrRests = errors.New("the call is snoozed already")

// ringing returns a call that rings.
func (b *Book) ringingCall(id int64) (*Call, error) {
	c, err := b.Get(id)
	if err == nil && !c.Rings() {
		err = fmt.Errorf("call %d: %w", id, ErrAnswered)
	}
	return c, err
}

// Needed returns how many answers a call wants: as many as the step that wanted most so far, and no more than there are people who can be rung and
// may answer. Where the policy is set aside (inForce) it is one.
func (b *Book) Needed(p *plan.Plan, c *Call) int {
	if b.Only(c) != nil || b.everyone(c) {
		return 1
	}
	here := 0
	for _, x := range p.People {
		if !x.Gone && len(x.Channels) > 0 && plan.Answers(x) {
			here++
		}
	}
	return min(max(c.need, 1), max(here, 1))
}

// Answer decides that somebody has taken the call: it ends, or waits for those whose answer it wants as well.
func (b *Book) Answer(actor string, p *plan.Plan, id int64, person, via string) (entry.Draft, error) {
	c, err := b.ringingCall(id)
	if err != nil {
		return entry.Draft{}, err
	}
	x := entry.Answer{ID: id, Person: person, Via: via}
	if c.Test {
		return draft(actor, entry.CallAnswered, id, x), nil
	}
	if slices.ContainsFunc(c.Taken, func(t Take) bool { return t.Person == person }) {
		return entry.Draft{}, fmt.Errorf("call %d: %w", id, ErrTaken)
	}
	if len(c.Taken)+1 < b.Needed(p, c) {
		return draft(actor, entry.CallTaken, id, x), nil
	}
	return draft(actor, entry.CallAnswered, id, x), nil
}

// PassOn decides that the next step rings at once. A second press of the same person is none.
func (b *Book) PassOn(actor string, id int64, person, via string, now time.Time) (entry.Draft, error) {
	c, err := b.ringingCall(id)
	if err != nil {
		return entry.Draft{}, err
	}
	if c.Test {
		return entry.Draft{}, fmt.Errorf("call %d is a test: it goes to nobody else, so answer it", id)
	}
	for _, x := range c.Passed {
		if x.Person == person && (x.Step == c.Step || now.Sub(x.At).Abs() < doublePress) {
			return entry.Draft{}, fmt.Errorf("call %d: %w", id, ErrPassed)
		}
	}
	if _, rests := c.Resting(); rests {
		return entry.Draft{}, fmt.Errorf("call %d: %w, so there is nothing to pass on", id, ErrRests)
	}
	return draft(actor, entry.CallPassed, id, entry.CallPass{ID: id, Step: c.Step, Person: person, Via: via}), nil
}

// Snooze decides that a call is quiet for a while, and then rings again.
func (b *Book) Snooze(actor string, id int64, person, via string, lasts time.Duration, now time.Time) (entry.Draft, error) {
	c, err := b.ringingCall(id)
	if err != nil {
		return entry.Draft{}, err
	}
	_, rests := c.Resting()
	switch {
	case rests:
		return entry.Draft{}, fmt.Errorf("call %d: %w", id, ErrRests)
	case c.Test:
		return entry.Draft{}, fmt.Errorf("call %d is a test: answer it, or let it end", id)
	case lasts < time.Minute || lasts > MaxSnooze:
		return entry.Draft{}, fmt.Errorf("a call can be snoozed for 1 min to %d h", int(MaxSnooze.Hours()))
	case lasts > CriticalSnooze && b.severity(c) == "critical":
		return entry.Draft{}, fmt.Errorf("a critical call can be snoozed for %d min at most", int(CriticalSnooze.Minutes()))
	}
	return draft(actor, entry.CallSnoozed, id, entry.CallSnooze{ID: id, Person: person, Via: via, Until: now.Add(lasts).UTC()}), nil
}

// Bar decides which channels must not be used for an incident, from now on. None lifts it.
func (b *Book) Bar(actor string, incident int64, not []string, text string) (entry.Draft, error) {
	if incident < 1 || incident > int64(len(b.needs)) {
		return entry.Draft{}, fmt.Errorf("no incident %d", incident)
	}
	if b.needs[incident-1].over() {
		return entry.Draft{}, errors.New("the incident is closed: nothing is sent for it any more")
	}
	if err := plan.CheckBarred(not); err != nil {
		return entry.Draft{}, err
	}
	not = slices.Compact(slices.Sorted(slices.Values(not)))
	return entry.Draft{Actor: actor, Kind: entry.IncidentChannels, Subject: fmt.Sprintf("incident:%d", incident), Body: entry.Barred{ID: incident, Not: not, Text: text}}, nil
}
