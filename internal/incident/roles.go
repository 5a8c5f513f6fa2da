package incident

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// A Holder is who has a role in an incident.
type Holder struct {
	Person   string // "" is nobody, with deputies perhaps
	Since    time.Time
	Deputies []string // in the order in which they came
}

// Held says of a role who fills it now: staff are the people on the team. A holder who left the team is a gap.
func (h Holder) Held(staff func(person string) bool) (person string, gap bool) {
	if h.Person != "" && staff(h.Person) {
		return h.Person, false
	}
	return "", true
}

// RolesOf returns the roles that a person has in an incident, as holder or deputy, in the order of the team's.
func (i *Incident) RolesOf(person string) (roles []string) {
	for _, r := range plan.ResponseRoles() {
		if h := i.Roles[r]; person != "" && (h.Person == person || slices.Contains(h.Deputies, person)) {
			roles = append(roles, r)
		}
	}
	return roles
}

// role checks that something can be done with a role of an open incident.
func (b *Book) role(id int64, role, person string) (*Incident, Holder, error) {
	i, err := b.open(id)
	switch {
	case err != nil:
		return nil, Holder{}, err
	case !slices.Contains(plan.ResponseRoles(), role):
		return nil, Holder{}, fmt.Errorf("nobody holds the role %q in an incident; known: %v", role, plan.ResponseRoles())
	case person == "":
		return nil, Holder{}, errors.New("a role in an incident is held by a person: say who")
	}
	return i, i.Roles[role], nil
}

// TakeRole decides that a person takes a role that nobody on the team holds (staff says who is), or becomes a deputy.
func (b *Book) TakeRole(actor string, staff func(string) bool, id int64, role, person string, deputy bool) (entry.Draft, error) {
	return b.get(actor, entry.IncidentRoleTaken, staff, entry.IncidentRole{ID: id, Role: role, Person: person, Deputy: deputy})
}

// GiveRole decides that somebody else gets it; text is a vault object with a note, or "".
func (b *Book) GiveRole(actor string, staff func(string) bool, id int64, role, person string, deputy bool, text string) (entry.Draft, error) {
	return b.get(actor, entry.IncidentRoleGiven, staff, entry.IncidentRole{ID: id, Role: role, Person: person, Deputy: deputy, Text: text})
}

func (b *Book) get(actor string, kind entry.Kind, staff func(string) bool, x entry.IncidentRole) (entry.Draft, error) {
	_, h, err := b.role(x.ID, x.Role, x.Person)
	holder, _ := h.Held(staff)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case h.Person == x.Person || slices.Contains(h.Deputies, x.Person) && x.Deputy:
		return entry.Draft{}, fmt.Errorf("%s has the role %s in incident %d already", x.Person, x.Role, x.ID)
	case holder != "" && !x.Deputy:
		return entry.Draft{}, fmt.Errorf("%s holds the role %s in incident %d: it must be handed over or left first, or you become a deputy", holder, x.Role, x.ID)
	}
	return draft(actor, kind, x.ID, x), nil
}

// HandRole decides that the holder of a role, from, hands it to somebody; text is a vault object with the note.
func (b *Book) HandRole(actor string, id int64, role, from, to, text string) (entry.Draft, error) {
	_, h, err := b.role(id, role, to)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case h.Person == "" || from != "" && h.Person != from:
		return entry.Draft{}, fmt.Errorf("%q does not hold the role %s in incident %d", from, role, id)
	case h.Person == to:
		return entry.Draft{}, fmt.Errorf("%s holds the role %s in incident %d already", to, role, id)
	case text == "":
		return entry.Draft{}, errors.New("a hand-over needs a note: what stands, and what comes next")
	}
	return draft(actor, entry.IncidentRoleHanded, id, entry.IncidentRole{ID: id, Role: role, Person: to, From: h.Person, Text: text}), nil
}

// LeaveRole decides that a person has a role in an incident no more.
func (b *Book) LeaveRole(actor string, id int64, role, person, text string) (entry.Draft, error) {
	_, h, err := b.role(id, role, person)
	if err != nil {
		return entry.Draft{}, err
	}
	deputy := slices.Contains(h.Deputies, person)
	if h.Person != person && !deputy {
		return entry.Draft{}, fmt.Errorf("%s does not have the role %s in incident %d", person, role, id)
	}
	return draft(actor, entry.IncidentRoleLeft, id, entry.IncidentRole{ID: id, Role: role, Person: person, Deputy: deputy, Text: text}), nil
}

// become folds a role that changed.
func (i *Incident) become(kind entry.Kind, x entry.IncidentRole, at time.Time) {
	if i.Roles == nil {
		i.Roles = map[string]Holder{}
	}
	h := i.Roles[x.Role]
	out := func(person string) []string {
		return slices.DeleteFunc(slices.Clone(h.Deputies), func(p string) bool { return p == person })
	}
	switch {
	case kind == entry.IncidentRoleLeft && x.Deputy:
		h.Deputies = out(x.Person)
	case kind == entry.IncidentRoleLeft:
		h.Person, h.Since = "", at
	case x.Deputy:
		h.Deputies = append(out(x.Person), x.Person)
	default:
		h.Deputies = out(x.Person)
		h.Person, h.Since = x.Person, at
	}
	i.Roles[x.Role] = h
}
