package desk

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
	"tocsin/internal/signin"
)

// onCall is do about a call. One about what is restricted to others is as one that is not there, also for who was rung by it: they are to find
// somebody who may answer it. Who came in by a sheet from the safe cannot take the call of that sheet, nor can whose account they had a hand in.
func (d *Desk) onCall(actor auth.Actor, id int64, decide func(*State, time.Time) (entry.Draft, error)) error {
	return d.do(actor, auth.Ring, func(s *State, now time.Time) (entry.Draft, error) {
		c, err := d.viewOf(actor).Calls.Get(id)
		if err != nil {
			return entry.Draft{}, err
		}
		if err := MayAnswer(s, actor, c, now); err != nil {
			return entry.Draft{}, err
		}
		return decide(s, now)
	})
}

// MayAnswer says why somebody cannot answer a call, nil if they can.
func MayAnswer(s *State, actor auth.Actor, c *oncall.Call, now time.Time) error {
	if err := auth.May(actor, auth.Ring); err != nil {
		return err
	}
	for _, i := range c.Incidents {
		if err := ownAlarm(s, actor, i, now); err != nil {
			return err
		}
	}
	return nil
}

// Answer takes a call for a person; the first answer stops the rest.
func (d *Desk) Answer(actor auth.Actor, id int64, via string) error {
	return d.onCall(actor, id, func(s *State, _ time.Time) (entry.Draft, error) {
		return s.Calls.Answer(actor.Name, &s.Plan, id, actor.ID, via)
	})
}

// PassOn lets the next step ring at once, because this person cannot.
func (d *Desk) PassOn(actor auth.Actor, id int64, via string) error {
	return d.onCall(actor, id, func(s *State, now time.Time) (entry.Draft, error) {
		return s.Calls.PassOn(actor.Name, id, actor.ID, via, now)
	})
}

// Snooze keeps a call quiet for a while; then it rings again.
func (d *Desk) Snooze(actor auth.Actor, id int64, via string, lasts time.Duration) error {
	return d.onCall(actor, id, func(s *State, now time.Time) (entry.Draft, error) {
		return s.Calls.Snooze(actor.Name, id, actor.ID, via, lasts, now)
	})
}

// A Link is an opened answer link.
type Link struct {
	Call   int64
	Person string
}

// OpenLink checks an answer link and says which call it answers for whom. It changes nothing: mail scanners open links too.
func (d *Desk) OpenLink(token string) (Link, error) {
	claim, err := signin.Open(d.secret, "answer", token, time.Now())
	if err != nil {
		return Link{}, err
	}
	l := Link{Person: claim.Person}
	if _, err := fmt.Sscanf(claim.Subject, "call:%d", &l.Call); err != nil {
		return Link{}, errors.New("the link is not an answer link")
	}
	return l, nil
}

// AnswerLink answers the call of a link. Whoever has the link is the person it was sent to.
func (d *Desk) AnswerLink(token string) (Link, error) {
	return d.pressLink(token, func(p auth.Actor, call int64) error { return d.Answer(p, call, "link") })
}

// PassLink passes on the call of a link.
func (d *Desk) PassLink(token string) (Link, error) {
	return d.pressLink(token, func(p auth.Actor, call int64) error { return d.PassOn(p, call, "link") })
}

func (d *Desk) pressLink(token string, press func(auth.Actor, int64) error) (Link, error) {
	l, err := d.OpenLink(token)
	if err != nil {
		return l, err
	}
	p, ok := d.Person(l.Person)
	if !ok {
		return l, fmt.Errorf("nobody on the team has the id %q any more", l.Person)
	}
	return l, press(Actor(p), l.Call)
}

// Rings is a call for a face to show: what a state's book says, with the words of its worst incident.
type Rings struct {
	ID       int64 // 0: it is not the actor's to answer
	Severity string
	Title    string
	Since    time.Time
	Test     bool
	Incident int64
	More     int
	Now      string // who is being rung, in words
	Not      error  // why the actor cannot answer it; nil: they can
}

// Ringing returns the calls that nobody has answered, oldest first, as actor may see them, and those by which they were rung. A monthly test is
// none that everybody must see.
func (d *Desk) Ringing(actor auth.Actor) (rs []Rings) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	view := d.viewOf(actor)
	for _, c := range d.state.Calls.Ringing() {
		seen, err := view.Calls.Get(c.ID)
		switch {
		case c.Why == oncall.Monthly:
		case err == nil:
			rs = append(rs, d.rings(view, seen, actor))
		case c.Rang(actor.ID):
			w := d.words(d.state, c, actor.ID, "")
			rs = append(rs, Rings{Title: w.Title, Since: c.Opened, Now: w.Known})
		}
	}
	return rs
}

func (d *Desk) rings(s *State, c *oncall.Call, actor auth.Actor) Rings {
	r := Rings{ID: c.ID, Test: c.Test, Since: c.Opened, Title: "Ring me now", Not: MayAnswer(s, actor, c, time.Now())}
	if worst, more := worstOf(s, c); worst != nil {
		r.Incident, r.Title, r.Severity, r.More = worst.ID, worst.Title, worst.Severity, more
	} else if !c.Test {
		r.Title = "closed meanwhile"
	}
	var who []string
	for _, t := range c.Tries {
		if p, ok := s.Plan.People[t.Person]; ok && t.Step == c.Step && !t.Failed {
			who = append(who, d.People.Get(p.Vault).Name+" by "+t.Channel)
		}
	}
	r.Now = "Nobody is rung by mail or chat: the console alone shows it"
	if x, rests := c.Resting(); rests {
		r.Now = "Snoozed by " + d.nameOf(s, x.Person) + " until " + x.Until.UTC().Format("15:04 MST") + "; it rings again then"
	} else if len(who) > 0 {
		r.Now = strings.Join(who, ", ") + " rung"
	}
	return r
}

// nameOf is what a person is called, by id.
func (d *Desk) nameOf(s *State, id string) string {
	if p, ok := s.Plan.People[id]; ok {
		return d.People.Get(p.Vault).Name
	}
	return "somebody at the command line"
}

// WorstOf returns the worst open incident of a call, or nil.
func WorstOf(s *State, c *oncall.Call) *incident.Incident {
	i, _ := worstOf(s, c)
	return i
}
