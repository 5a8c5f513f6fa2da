package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/entry"
)

// Restrictions are the reasons for which an incident is for named people only.
func Restrictions() []string { return []string{"insider", "hr", "legal"} }

// RestrictedTitle is what everybody else reads in place of the title of a restricted incident.
const RestrictedTitle = "Restricted"

// Restricted reports whether the incident is for named people only.
func (i *Incident) Restricted() bool { return i.Restriction.Kind != "" }

// Hides reports whether a person may not see the incident.
func (i *Incident) Hides(person string) bool {
	return i.Restricted() && !slices.Contains(i.Restriction.People, person)
}

// Restrict decides that an incident is for named people only, or who they are from then on. A closed one can be restricted too.
func (b *Book) Restrict(actor string, x entry.Restriction) (entry.Draft, error) {
	i, err := b.Get(x.ID)
	if err != nil {
		return entry.Draft{}, err
	}
	x.People = slices.Compact(slices.Sorted(slices.Values(x.People)))
	switch {
	case !slices.Contains(Restrictions(), x.Kind):
		return entry.Draft{}, fmt.Errorf("an incident is restricted as one of %s; got %q", strings.Join(Restrictions(), ", "), x.Kind)
	case len(x.People) == 0:
		return entry.Draft{}, errors.New("a restricted incident needs a person who sees it: name at least one person")
	case i.Restriction.Kind == x.Kind && slices.Equal(i.Restriction.People, x.People):
		return entry.Draft{}, fmt.Errorf("incident %d is restricted to them already", x.ID)
	}
	return draft(actor, entry.IncidentRestricted, x.ID, x), nil
}

// Unrestrict decides that everybody may see it again.
func (b *Book) Unrestrict(actor string, id, approval int64, text string) (entry.Draft, error) {
	i, err := b.Get(id)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case !i.Restricted():
		return entry.Draft{}, fmt.Errorf("incident %d is not restricted", id)
	}
	return draft(actor, entry.IncidentUnrestricted, id, entry.RestrictionEnd{ID: id, Approval: approval, Text: text}), nil
}

// Without returns the book as it looks to somebody who may not see some incidents: of those stay the number, when they were opened, and
// whether they are open; their alerts are not there. What it returns is to be read only. It returns b itself when nothing is hidden.
func (b *Book) Without(hidden func(*Incident) bool) *Book {
	if !slices.ContainsFunc(b.Incidents, hidden) {
		return b
	}
	out := &Book{Alerts: make(map[string]*Alert, len(b.Alerts)), index: b.index}
	gone := map[int64]bool{}
	for _, i := range b.Incidents {
		if hidden(i) {
			gone[i.ID] = true
			i = &Incident{ID: i.ID, Title: RestrictedTitle, Phase: i.Phase, Closed: i.Closed, Verdict: i.Verdict, History: i.History, Sample: i.Sample,
				Opened: i.Opened, Ended: i.Ended, Happened: i.Opened, Last: i.Opened, Restriction: entry.Restriction{ID: i.ID, Kind: hiddenKind}}
		}
		out.Incidents = append(out.Incidents, i)
	}
	for _, id := range b.Order {
		if a := b.Alerts[id]; !gone[a.Incident] {
			out.Alerts[id] = a
			out.Order = append(out.Order, id)
		}
	}
	return out
}

// hiddenKind stands where an incident may not be seen: why it is restricted is no one's business either.
const hiddenKind = "restricted"
