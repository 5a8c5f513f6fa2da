package incident

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Apply folds an entry and reports whether it was about an alert or an incident.
func (b *Book) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.AlertRaised:
		return true, b.applyRaised(e)
	case entry.AlertGrew, entry.AlertEnded:
		return true, b.applyGrowth(e)
	case entry.IncidentOpened:
		x, err := entry.Body[entry.Opened](e)
		if err == nil && x.ID != int64(len(b.Incidents))+1 {
			err = fmt.Errorf("entry %d: incident %d does not follow %d", e.N, x.ID, len(b.Incidents))
		}
		if err != nil {
			return true, err
		}
		b.Incidents = append(b.Incidents, &Incident{ID: x.ID, Title: x.Title, titleRank: Rank(x.Severity), Severity: x.Severity, Proposed: x.Severity, Why: x.Why,
			Phase: Phases()[0], History: x.History, Sample: x.Sample, Opened: e.Time, Happened: x.Happened, Last: x.Happened,
			Timeline: []Mark{{N: e.N, Happened: x.Happened, Learned: e.Time, Kind: e.Kind, Actor: e.Actor, To: x.Severity, Why: x.Why}}})
		return true, nil
	}
	return b.applyWork(e)
}

func (b *Book) applyRaised(e entry.Entry) error {
	a, err := entry.Body[entry.Alert](e)
	if err != nil {
		return err
	}
	if b.Alerts == nil {
		b.Alerts = map[string]*Alert{}
	}
	x := &Alert{Alert: a, N: e.N, Learned: e.Time}
	for _, s := range []*string{&x.Rule, &x.RuleVersion, &x.Title} {
		*s = b.words.Same(*s)
	}
	for k := range x.Techniques {
		x.Techniques[k] = b.words.Same(x.Techniques[k])
	}
	b.Alerts[x.ID] = x
	b.Order = append(b.Order, x.ID)
	return b.attach(e, x)
}

func (b *Book) applyGrowth(e entry.Entry) error {
	g, err := entry.Body[entry.AlertGrowth](e)
	if err != nil {
		return err
	}
	a := b.Alerts[g.ID]
	if a == nil {
		return fmt.Errorf("entry %d: no alert %s", e.N, g.ID)
	}
	a.Last, a.Count, a.Bytes, a.Succeeded = g.Last, g.Count, g.Bytes, g.Succeeded
	if g.Level != "" {
		a.Level = g.Level
	}
	if g.Impact != "" {
		a.Impact = g.Impact
	}
	if g.Live {
		a.History = false
	}
	if g.Vault != "" && g.Vault != a.Vault {
		a.Vault = g.Vault
	}
	a.Ended = a.Ended || e.Kind == entry.AlertEnded
	if !slices.Equal(a.Sources, g.Sources) { // what is the same keeps its bytes
		a.Sources = g.Sources
	}
	if !slices.Equal(a.Accounts, g.Accounts) {
		a.Accounts = g.Accounts
	}
	if !slices.Equal(a.Sessions, g.Sessions) {
		a.Sessions = g.Sessions
	}
	if g.Incident != 0 {
		a.Incident, a.By = g.Incident, g.By
	}
	return b.attach(e, a)
}

// attach makes a part of its incident, or brings that up to date.
func (b *Book) attach(e entry.Entry, x *Alert) error {
	a := &x.Alert
	if a.Incident == 0 {
		return nil
	}
	i, err := b.Get(a.Incident)
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.N, err)
	}
	if was := x.Listed; was != i.ID && (was == 0 || !slices.Contains(i.Alerts, a.ID)) {
		x.Listed = i.ID
		if n := len(i.Alerts); n > 0 {
			x.share(b.Alerts[i.Alerts[n-1]])
		}
		i.Alerts = append(i.Alerts, a.ID)
		i.Timeline = append(i.Timeline, Mark{N: e.N, Happened: a.First, Learned: e.Time, Kind: entry.AlertRaised, Actor: e.Actor, Ref: a.ID, To: a.By})
	}
	i.History = i.History && (a.History || Rank(a.Level) <= 0)
	i.Last = later(i.Last, a.Last)
	if a.First.Before(i.Happened) {
		i.Happened = a.First
	}
	severity := propose(a, nil)
	if r := Rank(severity); r > i.titleRank {
		i.Title, i.titleRank = a.Title, r
	}
	i.Proposed = worse(i.Proposed, severity)
	i.know(a, &b.index.kin)
	b.index.add(i.ID, a)
	return nil
}

// fit gives back the room that lists of an incident have left to grow: most incidents are closed, and grow no more.
func (i *Incident) fit() {
	i.Timeline, i.Alerts = slices.Clone(i.Timeline), slices.Clone(i.Alerts)
	i.Sources, i.Accounts = slices.Clone(i.Sources), slices.Clone(i.Accounts)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func worse(a, b string) string {
	if Rank(b) > Rank(a) {
		return b
	}
	return a
}

// share lets an alert have the lists of the one before it in its incident, where they are the same, as they are of one attacker.
func (x *Alert) share(before *Alert) {
	if slices.Equal(x.Sources, before.Sources) {
		x.Sources = before.Sources
	}
	if slices.Equal(x.Accounts, before.Accounts) {
		x.Accounts = before.Accounts
	}
	if slices.Equal(x.Techniques, before.Techniques) {
		x.Techniques = before.Techniques
	}
}

// know adds what a names to the incident.
func (i *Incident) know(a *entry.Alert, related *kin) {
	for k := range a.Sources {
		i.Sources = meet(i.Sources, &i.sources, &a.Sources[k], a)
	}
	for k := range a.Accounts {
		before := len(i.Accounts)
		i.Accounts = meet(i.Accounts, &i.accounts, &a.Accounts[k], a)
		if len(i.Accounts) > before {
			related.put(&related.accounts, a.Accounts[k].Hash, i.ID)
		}
	}
	for _, s := range a.Sessions {
		if i.sessions.of(len(i.Sessions), s, func(k int) string { return i.Sessions[k] }) < 0 {
			i.sessions.add(s, len(i.Sessions))
			i.Sessions = append(i.Sessions, s)
		}
	}
}

// places finds what stands where in a list that only grows. Most lists are short, and looked through.
type places map[string]int

const shortList = 12

// of returns the place of a key in a list of n; -1 is none.
func (p *places) of(n int, key string, at func(int) string) int {
	if n <= shortList {
		for k := range n {
			if at(k) == key {
				return k
			}
		}
		return -1
	}
	if *p == nil {
		*p = make(places, n+1)
		for k := range n {
			(*p)[at(k)] = k
		}
	}
	if k, ok := (*p)[key]; ok {
		return k
	}
	return -1
}

func (p *places) add(key string, k int) {
	if *p != nil {
		(*p)[key] = k
	}
}

// meet adds a party of an alert to those of its incident, and lets the two share their bytes.
func meet(list []Known, at *places, p *entry.Party, a *entry.Alert) []Known {
	k := at.of(len(list), p.Hash, func(k int) string { return list[k].Hash })
	if k < 0 {
		at.add(p.Hash, len(list))
		return append(list, Known{Party: *p, First: a.First, Last: a.Last})
	}
	p.Hash = list[k].Hash
	if p.Net == list[k].Net {
		p.Net = list[k].Net
	}
	list[k].Last = later(list[k].Last, a.Last)
	if p.Role == "suspect" {
		list[k].Role = p.Role
	}
	return list
}

// applyWork folds what people did.
func (b *Book) applyWork(e entry.Entry) (bool, error) {
	var id int64
	var err error
	m := Mark{N: e.N, Happened: e.Time, Learned: e.Time, Kind: e.Kind, Actor: e.Actor}
	var change func(*Incident)
	switch e.Kind {
	case entry.IncidentSeverity:
		var x entry.Severity
		x, err = entry.Body[entry.Severity](e)
		id, m.From, m.To, m.Why, m.Ref = x.ID, x.From, x.To, x.Why, x.Text
		change = func(i *Incident) { i.Severity, i.Why, i.WhyText = x.To, x.Why, x.Text }
	case entry.IncidentPhase:
		var x entry.Phase
		x, err = entry.Body[entry.Phase](e)
		id, m.From, m.To = x.ID, x.From, x.To
		change = func(i *Incident) { i.Phase = x.To }
	case entry.IncidentNoted:
		var x entry.Note
		x, err = entry.Body[entry.Note](e)
		id, m.Ref = x.ID, x.Text
		if !x.Happened.IsZero() {
			m.Happened = x.Happened
		}
		if !x.Learned.IsZero() {
			m.Learned = x.Learned
		}
		change = func(i *Incident) {
			if x.Role != "" {
				if i.command == nil {
					i.command = &Command{}
				}
				i.command.tag(e.N, x.Role)
			}
		}
	case entry.IncidentAssigned:
		var x entry.Assigned
		x, err = entry.Body[entry.Assigned](e)
		id, m.To = x.ID, x.Person
		change = func(i *Incident) { m.From = i.Person; i.Person = x.Person }
	case entry.IncidentClosed:
		var x entry.Closed
		x, err = entry.Body[entry.Closed](e)
		id, m.To, m.Ref = x.ID, x.Verdict, x.Text
		if x.Excuse != "" {
			m.From, m.Why = x.Excuse, x.Lacking
		}
		change = func(i *Incident) {
			i.Closed, i.Verdict, i.Ended, i.lacked = true, x.Verdict, e.Time, x.Lacking
			b.redate(i.ID, e.Time)
		}
	case entry.IncidentReopened:
		var x entry.Reopened
		x, err = entry.Body[entry.Reopened](e)
		id, m.Ref = x.ID, x.Text
		change = func(i *Incident) {
			i.Closed, i.Verdict, i.Ended, i.lacked = false, "", time.Time{}, nil
			b.redate(i.ID, e.Time)
		}
	case entry.IncidentHeld, entry.IncidentReleased:
		var x entry.Held
		x, err = entry.Body[entry.Held](e)
		id, m.Ref = x.ID, x.Text
		change = func(i *Incident) { i.Held = e.Kind == entry.IncidentHeld }
	case entry.IncidentChannels:
		var x entry.Barred
		x, err = entry.Body[entry.Barred](e)
		id, m.Ref, m.To = x.ID, x.Text, strings.Join(x.Not, ", ")
		change = func(*Incident) {}
	case entry.IncidentAttached:
		var x entry.Attached
		x, err = entry.Body[entry.Attached](e)
		id, m.Ref, m.To = x.ID, x.Vault, strconv.Itoa(x.Lines)
		change = func(i *Incident) { i.Lines = append(i.Lines, Attachment{x, e.N, e.Actor, e.Time}) }
	case entry.IncidentRoleTaken, entry.IncidentRoleGiven, entry.IncidentRoleHanded, entry.IncidentRoleLeft:
		var x entry.IncidentRole
		x, err = entry.Body[entry.IncidentRole](e)
		id, m.From, m.To, m.Ref, m.Why = x.ID, x.From, x.Person, x.Text, []string{x.Role}
		if x.Deputy {
			m.Why = append(m.Why, "deputy")
		}
		change = func(i *Incident) { i.become(e.Kind, x, e.Time) }
	case entry.IncidentRestricted:
		var x entry.Restriction
		x, err = entry.Body[entry.Restriction](e)
		id, m.To, m.Why = x.ID, x.Kind, x.People
		change = func(i *Incident) { b.restrict(i, x) }
	case entry.IncidentUnrestricted:
		var x entry.RestrictionEnd
		x, err = entry.Body[entry.RestrictionEnd](e)
		id, m.Ref = x.ID, x.Text
		change = func(i *Incident) { b.restrict(i, entry.Restriction{}) }
	case entry.RoomJoined, entry.RoomLeft, entry.RoomMuted:
		var x entry.RoomSeat
		x, err = entry.Body[entry.RoomSeat](e)
		id, m.Ref, m.From, m.To = x.ID, x.Name, x.Person, x.Why
		change = func(*Incident) {}
	case entry.RoomRecorded:
		var x entry.RoomTape
		x, err = entry.Body[entry.RoomTape](e)
		id, m.Ref, m.From, m.To = x.ID, x.Text, x.Folder, x.SHA256
		if x.On {
			m.To = "on"
		}
		change = func(*Incident) {}
	case entry.RoomEnded:
		var x entry.RoomEnd
		x, err = entry.Body[entry.RoomEnd](e)
		id, change = x.ID, func(*Incident) {}
	default:
		return b.applyCommand(e)
	}
	if err != nil {
		return true, err
	}
	i, err := b.Get(id)
	if err != nil {
		return true, fmt.Errorf("entry %d: %w", e.N, err)
	}
	change(i)
	i.Timeline = append(i.Timeline, m)
	if e.Kind == entry.IncidentClosed {
		i.fit()
	}
	return true, nil
}
