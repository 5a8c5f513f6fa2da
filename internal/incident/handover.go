package incident

import (
	"errors"
	"fmt"
	"slices"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// A Handover is the note from one shift to the next.
type Handover struct {
	entry.Handover
	Given Written[struct{}]
	Taken *Written[entry.Reply] // nil until the next shift has said that it read it
	Gone  *Written[entry.Reply] // withdrawn, also because another note takes its place
}

// Open reports whether it waits to be taken.
func (h *Handover) Open() bool { return h.Taken == nil && h.Gone == nil }

// HandOver decides that a shift tells the next what stands and what comes next. Until the taker says so, who gives still holds the roles: there is no moment
// in which nobody does. Its number is set here.
func (b *Book) HandOver(actor string, x entry.Handover) (entry.Draft, error) {
	return b.handOver(actor, x, 0)
}

// handOver decides it; instead is the number of one that is withdrawn with it, 0 of none.
func (b *Book) handOver(actor string, x entry.Handover, instead int64) (entry.Draft, error) {
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
		if h := &all[k]; h.Open() && h.ID != instead && h.From == x.From && h.To == x.To && slices.Equal(h.Roles, x.Roles) {
			return entry.Draft{}, fmt.Errorf("hand-over %d to %s waits already: it must be taken first", h.ID, x.To)
		}
	}
	x.ID = int64(len(all)) + 1
	return draft(actor, entry.HandoverGiven, x.Incident, x), room(all, "hand-over", x.Incident)
}

// CorrectHandover decides that a hand-over that waits is withdrawn, and that another note takes its place: to whom and what it says are x's. x.Roles are as they
// are held now. The drafts are to be appended together; text is the vault object with the reason that the first one has.
func (b *Book) CorrectHandover(actor string, number int64, text string, x entry.Handover) ([]entry.Draft, error) {
	gone, err := b.WithdrawHandover(actor, entry.Reply{Incident: x.Incident, ID: number, Person: x.From, Text: text})
	if err != nil {
		return nil, err
	}
	if h := &b.Incidents[x.Incident-1].Command().Handovers[number-1]; h.From != x.From {
		return nil, fmt.Errorf("hand-over %d is from %s, who alone can correct it", number, h.From)
	}
	next, err := b.handOver(actor, x, number)
	if err != nil {
		return nil, err
	}
	out := []entry.Draft{gone, next}
	if is := b.Label(x.Incident, thing("handover", number)); is != b.whole(b.Incidents[x.Incident-1]) { // it says the same to the same people as the first does today
		out = append(out, draft(actor, entry.IncidentLabelled, x.Incident, entry.Label{Incident: x.Incident, What: thing("handover", next.Body.(entry.Handover).ID), Label: string(is), Text: text}))
	}
	return out, nil
}

// WithdrawHandover decides that a hand-over need not be taken any more; x.Text says why. Who gave it withdraws it, or who has command: somebody must be able to when
// who gave it has gone.
func (b *Book) WithdrawHandover(actor string, x entry.Reply) (entry.Draft, error) {
	i, err := b.Get(x.Incident) // also of one that is closed, or part of another
	if err != nil {
		return entry.Draft{}, err
	}
	h, err := numbered(i.Command().Handovers, x.ID, "hand-over", x.Incident)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case !h.Open():
		return entry.Draft{}, h.overtaken()
	case x.Person == "":
		return entry.Draft{}, errNobody
	case x.Text == "":
		return entry.Draft{}, errors.New("say why the hand-over is withdrawn")
	}
	if root, err := b.Get(b.Root(x.Incident)); x.Person != h.From && (err != nil || !root.has(x.Person, plan.Commander, nil)) {
		return entry.Draft{}, fmt.Errorf("hand-over %d is from %s: they withdraw it, or who has command", h.ID, h.From)
	}
	return draft(actor, entry.HandoverWithdrawn, x.Incident, x), nil
}

// overtaken is the refusal of who does something with a hand-over that does not wait any more.
func (h *Handover) overtaken() error {
	first, did := h.Taken, "taken"
	if first == nil {
		first, did = h.Gone, "withdrawn"
	}
	return &Overtaken{What: fmt.Sprintf("hand-over %d of incident %d was %s", h.ID, h.Incident, did), N: first.N, By: first.By, At: first.At, Text: first.What.Text,
		Then: "look at it, and hand over anew where that is still right"}
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
	case h.Gone != nil:
		return nil, h.overtaken()
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
	case entry.HandoverTaken, entry.HandoverWithdrawn:
		return fold(b, e, replyTo, func(_ *Incident, c *Command, x *entry.Reply, m *Mark) error {
			h, err := numbered(c.Handovers, x.ID, "hand-over", x.Incident)
			if err != nil {
				return err
			}
			if !h.Open() {
				return h.overtaken()
			}
			w := written(e, *x)
			if e.Kind == entry.HandoverTaken {
				h.Taken = &w
			} else {
				h.Gone = &w
			}
			m.Ref, m.From, m.To = x.Text, h.From, h.To
			b.todo.cut(ofPerson(h.To), todo{x.Incident, Given, x.ID})
			return nil
		})
	}
	return false, nil
}
