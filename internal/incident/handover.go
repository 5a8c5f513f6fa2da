package incident

import (
	"errors"
	"fmt"
	"slices"

	"tocsin/internal/entry"
)

// A Handover is the note from one shift to the next.
type Handover struct {
	entry.Handover
	Given Written[struct{}]
	Taken *Written[entry.Reply] // nil until the next shift has said that it read it
}

// HandOver decides that a shift tells the next what stands and what comes next. Until the taker says so, who gives still holds the roles: there is no moment
// in which nobody does. Its number is set here.
func (b *Book) HandOver(actor string, x entry.Handover) (entry.Draft, error) {
	i, err := b.open(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	all := i.Command().Handovers
	x.Roles = slices.Compact(slices.Sorted(slices.Values(x.Roles)))
	switch {
	case x.From == "" || x.To == "":
		return entry.Draft{}, errors.New("a hand-over is from one person to another: say both")
	case x.From == x.To:
		return entry.Draft{}, fmt.Errorf("%s cannot hand over to %s", x.From, x.To)
	case x.Text == "":
		return entry.Draft{}, errors.New("a hand-over needs a note: what stands, and what comes next")
	}
	for _, role := range x.Roles {
		if i.Roles[role].Person != x.From {
			return entry.Draft{}, fmt.Errorf("%s does not hold the role %q in incident %d, so they cannot hand it over", x.From, role, x.Incident)
		}
	}
	for k := range all {
		if h := &all[k]; h.Taken == nil && h.From == x.From && h.To == x.To && slices.Equal(h.Roles, x.Roles) {
			return entry.Draft{}, fmt.Errorf("hand-over %d to %s waits already: it must be taken first", h.ID, x.To)
		}
	}
	x.ID = int64(len(all)) + 1
	return draft(actor, entry.HandoverGiven, x.Incident, x), room(all, "hand-over", x.Incident)
}

// TakeOver decides that the taker has read a hand-over, x.Text is what they answer or "". The roles that the giver still holds go over with it: all
// drafts are to be appended together.
func (b *Book) TakeOver(actor string, x entry.Reply) ([]entry.Draft, error) {
	i, err := b.settling(x.Incident)
	if err != nil {
		return nil, err
	}
	h, err := numbered(i.Command().Handovers, x.ID, "hand-over", x.Incident)
	switch {
	case err != nil:
		return nil, err
	case h.Taken != nil:
		return nil, fmt.Errorf("%s took hand-over %d already", h.Taken.What.Person, h.ID)
	case x.Person != h.To:
		return nil, fmt.Errorf("hand-over %d is for %s, who alone can take it", h.ID, h.To)
	}
	out := []entry.Draft{draft(actor, entry.HandoverTaken, x.Incident, x)}
	root := b.Parts(x.Incident)[0]
	for _, role := range h.Roles {
		if root.Roles[role].Person == h.From {
			out = append(out, draft(actor, entry.IncidentRoleHanded, root.ID, entry.IncidentRole{ID: root.ID, Role: role, Person: h.To, From: h.From, Text: h.Text}))
		}
	}
	return out, nil
}

func (b *Book) applyHandover(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.HandoverGiven:
		return fold(b, e, func(x *entry.Handover) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Handover, m *Mark) error {
			if err := follows(c.Handovers, x.ID, "hand-over"); err != nil {
				return err
			}
			c.Handovers = append(c.Handovers, Handover{Handover: *x, Given: written(e, struct{}{})})
			m.Ref, m.From, m.To, m.Why = x.Text, x.From, x.To, x.Roles
			b.todo.add(ofPerson(x.To), todo{x.Incident, Given, x.ID})
			return nil
		})
	case entry.HandoverTaken:
		return fold(b, e, replyTo, func(_ *Incident, c *Command, x *entry.Reply, m *Mark) error {
			h, err := numbered(c.Handovers, x.ID, "hand-over", x.Incident)
			if err != nil {
				return err
			}
			if h.Taken != nil {
				return fmt.Errorf("hand-over %d is taken already", h.ID)
			}
			w := written(e, *x)
			h.Taken = &w
			m.Ref, m.From, m.To = x.Text, h.From, h.To
			b.todo.cut(ofPerson(h.To), todo{x.Incident, Given, x.ID})
			return nil
		})
	}
	return false, nil
}
