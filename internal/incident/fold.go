package incident

import (
	"fmt"
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
	b.Alerts[a.ID] = &Alert{Alert: a, N: e.N, Learned: e.Time}
	b.Order = append(b.Order, a.ID)
	return b.attach(e, a)
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
	if g.Vault != "" {
		a.Vault = g.Vault
	}
	a.Ended = a.Ended || e.Kind == entry.AlertEnded
	a.Sources, a.Accounts, a.Sessions = g.Sources, g.Accounts, g.Sessions
	if g.Incident != 0 {
		a.Incident, a.By = g.Incident, g.By
	}
	return b.attach(e, a.Alert)
}

// attach makes a part of its incident, or brings that up to date.
func (b *Book) attach(e entry.Entry, a entry.Alert) error {
	if a.Incident == 0 {
		return nil
	}
	i, err := b.Get(a.Incident)
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.N, err)
	}
	if i.alerts == nil {
		i.alerts = map[string]bool{}
	}
	if !i.alerts[a.ID] {
		i.alerts[a.ID] = true
		i.Alerts = append(i.Alerts, a.ID)
		i.Timeline = append(i.Timeline, Mark{N: e.N, Happened: a.First, Learned: e.Time, Kind: entry.AlertRaised, Actor: e.Actor, Ref: a.ID, To: a.By})
	}
	i.History = i.History && (a.History || Rank(a.Level) <= 0)
	i.Last = later(i.Last, a.Last)
	if a.First.Before(i.Happened) {
		i.Happened = a.First
	}
	severity, _ := Propose(a)
	if r := Rank(severity); r > i.titleRank {
		i.Title, i.titleRank = a.Title, r
	}
	i.Proposed = worse(i.Proposed, severity)
	i.know(a)
	b.index.add(i.ID, a)
	return nil
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

// know adds what a names to the incident.
func (i *Incident) know(a entry.Alert) {
	if i.sources == nil {
		i.sources, i.accounts, i.sessions = map[string]int{}, map[string]int{}, map[string]bool{}
	}
	for _, p := range a.Sources {
		i.Sources = meet(i.Sources, i.sources, p, a)
	}
	for _, p := range a.Accounts {
		i.Accounts = meet(i.Accounts, i.accounts, p, a)
	}
	for _, s := range a.Sessions {
		if !i.sessions[s] {
			i.sessions[s] = true
			i.Sessions = append(i.Sessions, s)
		}
	}
}

func meet(list []Known, places map[string]int, p entry.Party, a entry.Alert) []Known {
	k, ok := places[p.Hash]
	if !ok {
		places[p.Hash] = len(list)
		return append(list, Known{Party: p, First: a.First, Last: a.Last})
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
		change = func(*Incident) {}
	case entry.IncidentAssigned:
		var x entry.Assigned
		x, err = entry.Body[entry.Assigned](e)
		id, m.To = x.ID, x.Person
		change = func(i *Incident) { m.From = i.Person; i.Person = x.Person }
	case entry.IncidentClosed:
		var x entry.Closed
		x, err = entry.Body[entry.Closed](e)
		id, m.To, m.Ref = x.ID, x.Verdict, x.Text
		change = func(i *Incident) { i.Closed, i.Verdict, i.Ended = true, x.Verdict, e.Time }
	case entry.IncidentReopened:
		var x entry.Reopened
		x, err = entry.Body[entry.Reopened](e)
		id, m.Ref = x.ID, x.Text
		change = func(i *Incident) { i.Closed, i.Verdict, i.Ended = false, "", time.Time{} }
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
		change = func(i *Incident) { i.Restriction = x }
	case entry.IncidentUnrestricted:
		var x entry.RestrictionEnd
		x, err = entry.Body[entry.RestrictionEnd](e)
		id, m.Ref = x.ID, x.Text
		change = func(i *Incident) { i.Restriction = entry.Restriction{} }
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
		return false, nil
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
	return true, nil
}
