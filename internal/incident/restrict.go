package incident

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/entry"
)

// Restrictions are the reasons for which an incident is for named people only.
func Restrictions() []string { return []string{"insider", "hr", "legal"} }

// Restricted reports whether the incident is for named people only.
func (i *Incident) Restricted() bool { return i.Restriction.Kind != "" }

// Hides reports whether a person may not see the incident.
func (i *Incident) Hides(person string) bool {
	return i.Restricted() && !slices.Contains(i.Restriction.People, person)
}

// Restrict decides that an incident is for named people only, or who they are from then on. A closed one can be restricted too.
func (b *Book) Restrict(actor string, x entry.Restriction) (entry.Draft, error) {
	i, err := b.kept(x.ID)
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
	i, err := b.kept(id)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case !i.Restricted():
		return entry.Draft{}, fmt.Errorf("incident %d is not restricted", id)
	}
	return draft(actor, entry.IncidentUnrestricted, id, entry.RestrictionEnd{ID: id, Approval: approval, Text: text}), nil
}

// restrict folds it: incidents that are one are for the same people, because what joins one of them is shown with all.
func (b *Book) restrict(i *Incident, x entry.Restriction) {
	for _, m := range b.family(i.ID) {
		m.Restriction = x
		b.limited = slices.DeleteFunc(b.limited, func(o *Incident) bool { return o == m })
		if m.Restricted() {
			b.limited = append(b.limited, m)
		}
	}
	slices.SortFunc(b.limited, func(a, c *Incident) int { return cmp.Compare(a.ID, c.ID) })
}

// Limited lists the restricted incidents, by id: they are few, and who sees what is asked for every page.
func (b *Book) Limited() []*Incident { return b.limited }

// Without returns the book as it looks to somebody from whom some incidents are hidden: these are not there, nor are their alerts. What it
// returns is to be read only. It returns b itself when nothing is hidden.
func (b *Book) Without(hidden func(incident int64) bool) *Book {
	gone := func(i *Incident) bool { return hidden(i.ID) }
	if !slices.ContainsFunc(b.limited, gone) && !slices.ContainsFunc(b.Incidents, gone) {
		return b
	}
	out := &Book{limited: slices.DeleteFunc(slices.Clone(b.limited), gone), Incidents: slices.DeleteFunc(slices.Clone(b.Incidents), gone), Alerts: make(map[string]*Alert, len(b.Alerts)), index: b.index, todo: b.todo, runs: b.runs, reds: b.reds}
	for _, id := range b.Order {
		if a := b.Alerts[id]; !hidden(a.Incident) {
			out.Alerts[id] = a
			out.Order = append(out.Order, id)
		}
	}
	return out
}
