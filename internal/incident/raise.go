package incident

import (
	"math"

	"tocsin/internal/entry"
)

// A Change is what detection tells of an alert. Mute, if not 0, is the mute that covers it.
type Change struct {
	Step  string // raised, tenfold, level, joined, ended
	Alert entry.Alert
	Mute  int64
}

// pending is the book as it will be after the drafts decided so far.
type pending struct {
	book   *Book
	index  index
	opened map[int64]*brief // incidents as changed by the drafts
	alerts map[string]entry.Alert
	drafts []entry.Draft
	next   int64
}

// ended stands for the count of an alert that has ended: it does not grow again.
const ended = math.MaxInt64

type brief struct {
	severity, proposed string
}

// Decide says what a batch of changes does: one ledger append for all of them. Changes that are known already (a
// restart reads again what it had read) decide nothing.
func (b *Book) Decide(changes []Change) []entry.Draft {
	x := &pending{book: b, opened: map[int64]*brief{}, alerts: map[string]entry.Alert{}, next: int64(len(b.Incidents)) + 1}
	for _, c := range changes {
		was, known := x.alert(c.Alert.ID)
		switch {
		case !known && c.Step != "ended": // what was raised while nobody listened is raised now
			x.raise(c)
		case c.Step != "raised" && known:
			x.grow(c, was)
		}
	}
	return x.drafts
}

func (x *pending) alert(id string) (entry.Alert, bool) {
	if a, ok := x.alerts[id]; ok {
		return a, true
	}
	if a, ok := x.book.Alerts[id]; ok {
		kept := a.Alert
		if a.Ended {
			kept.Count = ended
		}
		return kept, true
	}
	return entry.Alert{}, false
}

func (x *pending) isOpen(id int64) bool {
	if _, ok := x.opened[id]; ok {
		return true
	}
	i, err := x.book.Get(id)
	return err == nil && i.Working()
}

// root returns the incident that is worked on in place of one that is merged.
func (x *pending) root(id int64) int64 {
	if _, ok := x.opened[id]; ok {
		return id
	}
	return x.book.Root(id)
}

func (x *pending) brief(id int64) *brief {
	if s, ok := x.opened[id]; ok {
		return s
	}
	i := x.book.Incidents[id-1]
	s := &brief{i.Severity, i.Proposed}
	x.opened[id] = s
	return s
}

// raise decides on a new alert: open, join, or leave alone.
func (x *pending) raise(c Change) {
	a := c.Alert
	x.place(&a, c.Mute)
	x.drafts = append(x.drafts, entry.Draft{Actor: "detect", Kind: entry.AlertRaised, Subject: "alert:" + a.ID, Body: a})
	x.alerts[a.ID] = a
}

// place finds or opens the incident of a, and raises that one's severity if a is worse than all before.
func (x *pending) place(a *entry.Alert, mute int64) {
	severity, why := Propose(*a)
	switch {
	case mute != 0:
		a.By, a.Mute = "muted", mute
		return
	case Rank(a.Level) <= 0:
		a.By = "low"
		if id, by := x.find(*a); by == "address" || by == "session" {
			a.Incident, a.By = id, by
		}
		return
	}
	if !a.Everyone {
		a.Incident, a.By = x.find(*a)
	}
	if a.Incident == 0 {
		a.Incident, a.By = x.next, "opened"
		x.next++
		x.opened[a.Incident] = &brief{severity, severity}
		x.drafts = append(x.drafts, draft("detect", entry.IncidentOpened, a.Incident, entry.Opened{
			ID: a.Incident, Title: a.Title, Severity: severity, Why: why, Happened: a.First, History: a.History, Sample: a.Sample, Everyone: a.Everyone}))
	} else {
		x.worsen(a.Incident, severity, why)
	}
	x.index.add(a.Incident, a)
}

// worsen raises the severity of incident id if nothing as bad was proposed for it before: so what a person lowered
// stays lowered until something worse comes.
func (x *pending) worsen(id int64, severity string, why []string) {
	s := x.brief(id)
	if Rank(severity) <= Rank(s.proposed) {
		return
	}
	s.proposed = severity
	if Rank(severity) > Rank(s.severity) {
		x.drafts = append(x.drafts, draft("detect", entry.IncidentSeverity, id, entry.Severity{ID: id, From: s.severity, To: severity, Why: why}))
		s.severity = severity
	}
}

// grow decides on a later state of a known alert.
func (x *pending) grow(c Change, was entry.Alert) {
	a := c.Alert
	if a.Count <= was.Count && c.Step != "ended" && c.Step != "level" || was.Count == ended {
		return
	}
	a.Rule, a.Title, a.First, a.Raised, a.Techniques = was.Rule, was.Title, was.First, was.Raised, was.Techniques // an alert keeps what it is
	g := entry.AlertGrowth{ID: a.ID, Step: c.Step, Last: a.Last, Count: a.Count, Bytes: a.Bytes, Succeeded: a.Succeeded, Vault: a.Vault}
	g.Live = was.History && !a.History
	if a.Level != was.Level {
		g.Level = a.Level
	}
	if a.Impact != was.Impact {
		g.Impact = a.Impact
	}
	g.Sources, g.Accounts, g.Sessions = a.Sources, a.Accounts, a.Sessions
	a.Incident, a.Mute = was.Incident, was.Mute
	kind := entry.AlertGrew
	switch over := c.Step == "ended"; {
	case !over && x.stray(was) && c.Mute == 0:
		a.Incident = 0
		x.place(&a, 0)
		g.Incident, g.By = a.Incident, a.By
	case c.Mute == 0 && was.Incident != 0 && x.isOpen(x.root(was.Incident)): // a mute that came later keeps what is open as it is
		severity, why := Propose(a)
		x.worsen(x.root(was.Incident), severity, why)
		x.index.add(was.Incident, &a)
	}
	if c.Step == "ended" {
		kind, a.Count = entry.AlertEnded, ended
	}
	if g.Live && g.Incident == 0 {
		g.Incident, g.By = a.Incident, a.By
	}
	x.drafts = append(x.drafts, entry.Draft{Actor: "detect", Kind: kind, Subject: "alert:" + a.ID, Body: g})
	x.alerts[a.ID] = a
}

// stray reports whether a growing alert is in no incident that anybody works on: it was too low or muted, or its
// incident was closed as a true alarm and it goes on.
func (x *pending) stray(a entry.Alert) bool {
	if a.Incident == 0 {
		return true
	}
	if x.isOpen(x.root(a.Incident)) {
		return false
	}
	i, err := x.book.Get(x.root(a.Incident))
	return err == nil && i.Verdict == "true"
}
