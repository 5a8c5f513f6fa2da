package contact

import (
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// need is an incident, as far as stakeholders go.
type need struct {
	id       int64
	history  bool
	severity string
	impacts  map[string]bool
	opened   time.Time
	worse    []step // how its severity and kinds changed
	closed   time.Time
	verdict  string
	part     bool // of another incident, of which they are told in its place
	status   entry.Status
	statusAt time.Time
	statusBy string
	pairs    map[pair]*told
	quiet    int64 // nothing is owed of it while this is the book's planned; 0 is not known
}

// A step is a moment from which on an incident was of a severity, and of kinds.
type step struct {
	at       time.Time
	severity string
	impacts  []string
}

// A pair is a rule and one contact whom it names.
type pair struct{ rule, contact int64 }

// told is what one contact heard of one incident by one rule.
type told struct {
	last   time.Time // when it was told, or waived, last
	stage  string    // which that was
	count  int
	latest int64 // the newest update, 0 is none
}

// alertSeen is as much of an alert as makes the kind of an incident.
type alertSeen struct {
	incident int64
	impact   string
}

// Status returns what the team tells stakeholders of an incident, when that was written, and by whom; it is zero when nothing was.
func (b *Book) Status(incident int64) (x entry.Status, at time.Time, by string) {
	if n := b.needs[incident]; n != nil {
		return n.status, n.statusAt, n.statusBy
	}
	return entry.Status{}, time.Time{}, ""
}

// Apply folds an entry and reports whether it was one of this package. Those of incidents and alerts are folded as far as stakeholders need
// them, but reported as not ours.
func (b *Book) Apply(e entry.Entry) (bool, error) {
	ours, err := b.apply(e)
	b.settle(e.Time)
	return ours, err
}

func (b *Book) apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.ContactPut, entry.ContactChecked, entry.ContactRemoved, entry.LinkRevoked:
		return true, at(e, b.applyContact(e))
	case entry.CardPut:
		x, err := entry.Body[entry.EmergencyCard](e)
		b.Card, b.CardAt, b.Revision = x, e.Time, e.N
		return true, err
	case entry.TemplatePut, entry.RulePut:
		return true, at(e, b.applyPlan(e))
	case entry.StatusPut:
		x, err := entry.Body[entry.Status](e)
		if err == nil {
			n := b.need(x.Incident)
			n.status, n.statusAt, n.statusBy = x, e.Time, e.Actor
		}
		return true, err
	case entry.UpdateWanted, entry.UpdateSent, entry.UpdateFailed, entry.UpdateWaived:
		return true, at(e, b.applyUpdate(e))
	}
	return false, b.applyNeed(e)
}

func at(e entry.Entry, err error) error {
	if err != nil {
		err = fmt.Errorf("entry %d (%s): %w", e.N, e.Kind, err)
	}
	return err
}

// contactOf returns a contact that an entry names, removed or not.
func (b *Book) contactOf(id int64, err error) (*Contact, error) {
	if err == nil && (id < 1 || id > int64(len(b.Contacts))) {
		err = fmt.Errorf("no contact %d", id)
	}
	if err != nil {
		return nil, err
	}
	return b.Contacts[id-1], nil
}

func (b *Book) applyContact(e entry.Entry) error {
	b.Revision = e.N
	b.replan()
	switch e.Kind {
	case entry.ContactPut:
		x, err := entry.Body[entry.Contact](e)
		if err == nil && (x.ID < 1 || x.ID > int64(len(b.Contacts))+1) {
			err = fmt.Errorf("contact %d does not follow %d", x.ID, len(b.Contacts))
		}
		if err != nil {
			return err
		}
		if x.ID > int64(len(b.Contacts)) {
			b.Contacts = append(b.Contacts, &Contact{})
		}
		c := b.Contacts[x.ID-1]
		c.Contact, c.Put, c.By, c.Checked, c.Checker = x, e.Time, e.Actor, e.Time, e.Actor
		c.Objects = append(c.Objects, x.Vault)
	case entry.ContactChecked:
		x, err := entry.Body[entry.ContactCheck](e)
		c, err := b.contactOf(x.ID, err)
		if err != nil {
			return err
		}
		c.Checked, c.Checker = e.Time, e.Actor
	case entry.ContactRemoved:
		x, err := entry.Body[entry.ContactEnd](e)
		c, err := b.contactOf(x.ID, err)
		if err != nil {
			return err
		}
		c.Removed = e.Time
	case entry.LinkRevoked:
		x, err := entry.Body[entry.StatusEnd](e)
		if err == nil && x.Contact == 0 {
			b.Turned++
			return nil
		}
		c, err := b.contactOf(x.Contact, err)
		if err != nil {
			return err
		}
		c.Links++
	}
	return nil
}

func (b *Book) applyPlan(e entry.Entry) error {
	if e.Kind == entry.TemplatePut {
		x, err := entry.Body[entry.Template](e)
		if err == nil && (x.ID < 1 || x.ID > int64(len(b.Templates))+1) {
			err = fmt.Errorf("template %d does not follow %d", x.ID, len(b.Templates))
		}
		if err != nil {
			return err
		}
		if x.ID > int64(len(b.Templates)) {
			b.Templates = append(b.Templates, nil)
		}
		b.Templates[x.ID-1] = &Template{Template: x, Put: e.Time, By: e.Actor}
		return nil
	}
	b.replan()
	x, err := entry.Body[entry.StakeholderRule](e)
	if err == nil && (x.ID < 1 || x.ID > int64(len(b.Rules))+1) {
		err = fmt.Errorf("rule %d does not follow %d", x.ID, len(b.Rules))
	}
	if err != nil {
		return err
	}
	if x.ID > int64(len(b.Rules)) {
		b.Rules = append(b.Rules, &Rule{Made: e.Time})
	}
	r := b.Rules[x.ID-1]
	r.StakeholderRule, r.Put, r.By = x, e.Time, e.Actor
	return nil
}

func (b *Book) applyUpdate(e entry.Entry) error {
	switch e.Kind {
	case entry.UpdateWanted:
		x, err := entry.Body[entry.UpdateTry](e)
		if err == nil && x.ID != int64(len(b.Updates))+1 {
			err = fmt.Errorf("update %d does not follow %d", x.ID, len(b.Updates))
		}
		if err != nil {
			return err
		}
		b.Updates = append(b.Updates, &Update{UpdateTry: x, Wanted: e.Time, By: e.Actor})
		b.told(x.Incident, pair{x.Rule, x.Contact}).latest = x.ID
		if x.Again > 0 && x.Again < x.ID {
			b.Updates[x.Again-1].repeated = true
		}
	case entry.UpdateSent, entry.UpdateFailed:
		x, err := entry.Body[entry.UpdateResult](e)
		if err == nil && (x.ID < 1 || x.ID > int64(len(b.Updates))) {
			err = fmt.Errorf("no update %d", x.ID)
		}
		if err != nil {
			return err
		}
		u := b.Updates[x.ID-1]
		sent := !u.Done.IsZero() && !u.Failed
		u.Done, u.Failed, u.Result = e.Time, e.Kind == entry.UpdateFailed, x
		p := pair{u.Rule, u.Contact}
		switch t := b.told(u.Incident, p); {
		case !u.Failed:
			u.before = *t
			b.heard(u.Incident, p, u.Stage, u.Wanted)
		case sent && t.last.Equal(u.Wanted) && t.stage == u.Stage: // it came back: they were not told after all
			t.last, t.stage, t.count = u.before.last, u.before.stage, u.before.count
		}
	case entry.UpdateWaived:
		x, err := entry.Body[entry.UpdateWaiver](e)
		if err != nil {
			return err
		}
		b.heard(x.Incident, pair{x.Rule, x.Contact}, x.Stage, e.Time)
	}
	return nil
}

// heard notes that a contact was told at a time, or need not be.
func (b *Book) heard(incident int64, p pair, stage string, when time.Time) {
	t := b.told(incident, p)
	t.last, t.stage, t.count = when, stage, t.count+1
}

func (b *Book) told(incident int64, p pair) *told {
	n := b.need(incident)
	t := n.pairs[p]
	if t == nil {
		t = &told{}
		n.pairs[p] = t
	}
	return t
}

// need returns an incident to change it: whether something is owed of it is not known from then on.
func (b *Book) need(incident int64) *need {
	if b.needs == nil {
		b.needs = map[int64]*need{}
	}
	n := b.needs[incident]
	if n == nil {
		n = &need{id: incident, impacts: map[string]bool{}, pairs: map[pair]*told{}}
		b.needs[incident] = n
		b.every = append(b.every, n)
	}
	n.quiet, b.unsettled = 0, len(b.every)
	return n
}

// applyNeed folds what happens to incidents.
func (b *Book) applyNeed(e entry.Entry) error {
	switch e.Kind {
	case entry.IncidentOpened:
		x, err := entry.Body[entry.Opened](e)
		if err != nil {
			return err
		}
		n := b.need(x.ID)
		n.history, n.severity, n.opened = x.History, x.Severity, e.Time
		n.step(e.Time)
	case entry.IncidentSeverity:
		x, err := entry.Body[entry.Severity](e)
		if err != nil {
			return err
		}
		n := b.need(x.ID)
		n.severity = x.To
		n.step(e.Time)
	case entry.IncidentClosed:
		x, err := entry.Body[entry.Closed](e)
		if err != nil {
			return err
		}
		n := b.need(x.ID)
		n.closed, n.verdict = e.Time, x.Verdict
	case entry.IncidentMerged, entry.IncidentUnmerged:
		x, err := entry.Body[entry.Merge](e)
		if err != nil {
			return err
		}
		b.need(x.Incident).part = e.Kind == entry.IncidentMerged
	case entry.IncidentReopened:
		x, err := entry.Body[entry.Reopened](e)
		if err != nil {
			return err
		}
		n := b.need(x.ID)
		n.closed, n.verdict = time.Time{}, ""
		n.step(e.Time)
	case entry.AlertRaised:
		x, err := entry.Body[entry.Alert](e)
		if err != nil {
			return err
		}
		b.seen(e.Time, x.ID, x.Incident, x.Impact, !x.History)
	case entry.AlertGrew:
		x, err := entry.Body[entry.AlertGrowth](e)
		if err != nil {
			return err
		}
		b.seen(e.Time, x.ID, x.Incident, x.Impact, x.Live)
	case entry.AlertEnded:
		x, err := entry.Body[entry.AlertGrowth](e)
		delete(b.known, x.ID)
		return err
	}
	return nil
}

// seen takes in the kind of an alert. live says that it goes on after the start of watching.
func (b *Book) seen(when time.Time, id string, incident int64, impact string, live bool) {
	if b.known == nil {
		b.known = map[string]alertSeen{}
	}
	a := b.known[id]
	if incident != 0 {
		a.incident = incident
	}
	if impact != "" {
		a.impact = impact
	}
	b.known[id] = a
	if a.incident == 0 {
		return
	}
	n := b.need(a.incident)
	if live && n.history {
		n.history = false
		n.opened = when // before, it was nobody's concern
		n.worse = nil
		n.step(when)
	}
	if a.impact != "" && !n.impacts[a.impact] {
		n.impacts[a.impact] = true
		n.step(when)
	}
}

// step notes what an incident is from a moment on.
func (n *need) step(when time.Time) {
	s := step{at: when, severity: n.severity}
	for i := range n.impacts {
		s.impacts = append(s.impacts, i)
	}
	slices.Sort(s.impacts)
	n.worse = append(n.worse, s)
}
