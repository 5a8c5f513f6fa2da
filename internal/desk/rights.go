package desk

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/tlp"
)

// # Who sees what
//
// Faces look at the state by ReadAs, and act by what begins with mayOn: an incident that is restricted to others is not in the one, and for the
// other it is as one that is not there: the same words, after the same steps. This is the one place where it is decided; what it means for calls,
// alerts and approvals is what their books say without it. The program itself sees all, and so does the owner of the data folder on its command line.

// views are states with something left out, made again when something was written.
type views struct {
	mu sync.Mutex
	at int64
	by map[string]*State
}

// ReadAs is Read for somebody: what is restricted to others is not in the state.
func (d *Desk) ReadAs(actor auth.Actor, look func(*State)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	look(d.viewOf(actor))
}

// viewOf is the state as actor sees it. d.mu is held.
func (d *Desk) viewOf(actor auth.Actor) *State {
	var key strings.Builder
	gone, covered := map[int64]bool{}, map[int64]bool{}
	for _, i := range d.state.Incidents.Guarded() {
		switch {
		case hides(d.state, i, actor):
			gone[i.ID] = true
			fmt.Fprintf(&key, "%d ", i.ID)
		case d.state.Incidents.MayBeRed(i) && !hears(i, actor):
			covered[i.ID] = true
			fmt.Fprintf(&key, "red %d ", i.ID)
		}
	}
	if key.Len() == 0 {
		return d.state
	}
	d.views.mu.Lock()
	defer d.views.mu.Unlock()
	if d.views.by == nil || d.views.at != d.state.Entries {
		d.views.at, d.views.by = d.state.Entries, map[string]*State{}
	}
	s := d.views.by[key.String()]
	if s == nil {
		whole, c := d.state, *d.state
		hidden := func(id int64) bool { return gone[id] }
		if len(covered) > 0 {
			c.Incidents = *c.Incidents.Covering(func(id int64) bool { return covered[id] })
			c.Runs = c.Runs.Covering(covered, func(id, n int64) bool { return whole.Incidents.Label(id, timelineLine(whole, id, n)) == tlp.Red }, incident.Covered)
		}
		c.Tuning = c.Tuning.Covering(func(id int64) bool {
			i, err := whole.Incidents.Get(id)
			return gone[id] || err == nil && covered[id] && whole.Incidents.IsRed(i)
		}, incident.Covered)
		c.Incidents, c.Calls, c.Approvals = *c.Incidents.Without(hidden), c.Calls.Without(hidden), c.Approvals.Without(hidden)
		c.Runs, c.Returns = c.Runs.Without(hidden), c.Returns.Without(hidden)
		s = &c
		d.views.by[key.String()] = s
	}
	return s
}

// hides is the one question of who may see an incident: of a restricted one the people who are named, of one that is TLP:RED and names nobody the response team.
func hides(s *State, i *incident.Incident, actor auth.Actor) bool {
	return !actor.Local && (i.Hides(actor.ID) || s.Incidents.MayBeRed(i) && s.Incidents.IsRed(i) && !meant(i, actor))
}

// meant reports whether an actor is one of the people for whom what is TLP:RED in an incident is: those who are named where it is restricted, else those who may write
// in it, by their role on the team or in this incident.
func meant(i *incident.Incident, actor auth.Actor) bool {
	if i.Restricted() {
		return !i.Hides(actor.ID)
	}
	return auth.MayOn(auth.Actor{ID: actor.ID, Roles: actor.Roles}, auth.Note, auth.Case{Incident: i.ID, Roles: i.RolesOf(actor.ID)}) == nil
}

// hears reports whether an actor gets what is TLP:RED in an incident. A token is no person, so it is an exit, and none gets it.
func hears(i *incident.Incident, actor auth.Actor) bool {
	return actor.Local || actor.Scope == nil && meant(i, actor)
}

// caseFor is what an incident means for an actor. Of none, and of one that does not exist, it is nothing.
func caseFor(s *State, actor auth.Actor, id int64) auth.Case {
	c := auth.Case{Incident: id}
	if i, err := s.Incidents.Get(id); err == nil {
		if c.Hidden = hides(s, i, actor); !c.Hidden {
			c.Roles = i.RolesOf(actor.ID)
		}
	}
	return c
}

// mayOn returns nil if actor may do a to an incident, else an auth.Refusal, or incident.ErrNotFound: also of one that is restricted to others.
func mayOn(s *State, actor auth.Actor, a auth.Action, id int64) error {
	c := caseFor(s, actor, id)
	_, err := s.Incidents.Get(id)
	if c.Hidden {
		c.Hidden, err = false, incident.NotFound(id)
	}
	if may := auth.MayOn(actor, a, c); may != nil {
		return may
	}
	return err
}

// MayOn returns nil if actor may do a to an incident, else an auth.Refusal or incident.ErrNotFound.
func (d *Desk) MayOn(actor auth.Actor, a auth.Action, id int64) (err error) {
	d.Read(func(s *State) { err = mayOn(s, actor, a, id) })
	return err
}

// doOn is do about an incident, in which a role can be held.
func (d *Desk) doOn(actor auth.Actor, a auth.Action, id int64, decide func(*State, time.Time) (entry.Draft, error)) error {
	return d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		if err := mayOn(s, actor, a, id); err != nil {
			return nil, err
		}
		if a == auth.Handle || a == auth.Restrict {
			if err := ownAlarm(s, actor, id, now); err != nil {
				return nil, err
			}
		}
		x, err := decide(s, now)
		return []entry.Draft{x}, err
	})
}

// sayOn is doOn with what a person wrote.
func (d *Desk) sayOn(actor auth.Actor, a auth.Action, id int64, words string, decide func(s *State, text string) (entry.Draft, error)) error {
	if err := d.MayOn(actor, a, id); err != nil {
		return err
	}
	if err := d.Broken(); err != nil {
		return err
	}
	try := func(texts []string) func(*State, time.Time) ([]entry.Draft, error) {
		return func(s *State, _ time.Time) ([]entry.Draft, error) { return one(decide(s, texts[0])) }
	}
	if err := d.tried([]string{words}, try); err != nil {
		return err
	}
	text, err := d.text(strings.TrimSpace(words))
	if err != nil {
		return err
	}
	return d.doOn(actor, a, id, func(s *State, _ time.Time) (entry.Draft, error) { return decide(s, text) })
}

// Restrict makes an incident one for named people only, who are on the team; who restricts it is among them.
func (d *Desk) Restrict(actor auth.Actor, id int64, kind string, people []string) error {
	err := d.doOn(actor, auth.Restrict, id, func(s *State, _ time.Time) (entry.Draft, error) {
		if actor.ID != "" {
			people = append(people, actor.ID)
		}
		for _, p := range people {
			if !onTeam(s)(p) {
				return entry.Draft{}, FieldError{"people", fmt.Sprintf("Nobody on the team has the id %q.", p)}
			}
			if auth.May(Actor(s.Plan.People[p]), auth.See) != nil {
				return entry.Draft{}, FieldError{"people", p + " only reports, and sees no incident: give them another role first."}
			}
		}
		if i, err := s.Incidents.Get(id); err == nil && actor.Scope != nil && i.Restricted() && s.Incidents.IsRed(i) {
			return entry.Draft{}, ErrRedByToken // others would hear of it, or those who were named no more
		}
		return s.Incidents.Restrict(actor.Name, entry.Restriction{ID: id, Kind: kind, People: people})
	})
	if err == nil {
		d.clearRoom(id)
	}
	return err
}

// Unrestrict asks that everybody may see an incident again: a second person who is named in it must approve (Asked).
func (d *Desk) Unrestrict(actor auth.Actor, id int64, why string) error {
	if err := d.MayOn(actor, auth.Unrestrict, id); err != nil {
		return err
	}
	if actor.Local {
		return d.sayOn(actor, auth.Unrestrict, id, why, func(s *State, text string) (entry.Draft, error) {
			return s.Incidents.Unrestrict(actor.Name, id, 0, text)
		})
	}
	try := error(nil)
	d.Read(func(s *State) { _, try = s.Incidents.Unrestrict(actor.Name, id, 0, "") })
	if try != nil {
		return try
	}
	return d.askFor(actor, auth.Unrestrict, demand{About: fmt.Sprintf("incident:%d", id), Incident: id, Why: why})
}

func onTeam(s *State) func(string) bool {
	return func(id string) bool { p, ok := s.Plan.People[id]; return ok && !p.Gone }
}

// CanHold says of people whether they can hold a role in an incident: they are on the team, and may see it. Who cannot is a gap.
func CanHold(s *State, id int64) func(person string) bool {
	team := onTeam(s)
	return func(person string) bool { return team(person) && named(s, id, person) == nil }
}

// TakeRole takes a role in an incident for who acts, as its holder or as a deputy.
func (d *Desk) TakeRole(actor auth.Actor, id int64, role string, deputy bool) error {
	return d.doOn(actor, auth.Note, id, func(s *State, _ time.Time) (entry.Draft, error) {
		if !deputy && auth.May(actor, auth.Lead) != nil && !slices.Contains(actor.Roles, role) {
			return entry.Draft{}, auth.Refusal{Actor: actor.Name, Action: auth.Lead}
		}
		return s.Incidents.TakeRole(actor.Name, CanHold(s, id), id, role, actor.ID, deputy)
	})
}

// GiveRole gives it to somebody, with a note or without.
func (d *Desk) GiveRole(actor auth.Actor, id int64, role, person string, deputy bool, note string) error {
	return d.sayOn(actor, auth.Lead, id, note, func(s *State, text string) (entry.Draft, error) {
		if err := mayHold(s, id, person); err != nil {
			return entry.Draft{}, err
		}
		return s.Incidents.GiveRole(actor.Name, CanHold(s, id), id, role, person, deputy, text)
	})
}

// HandRole hands a role on: who holds it may, and who may give roles.
func (d *Desk) HandRole(actor auth.Actor, id int64, role, to, note string) error {
	if strings.TrimSpace(note) == "" {
		return FieldError{"note", "A hand-over needs a note: what stands, and what comes next."}
	}
	return d.sayOn(actor, d.overRole(actor, id, role, actor.ID), id, note, func(s *State, text string) (entry.Draft, error) {
		if err := mayHold(s, id, to); err != nil {
			return entry.Draft{}, err
		}
		return s.Incidents.HandRole(actor.Name, id, role, "", to, text)
	})
}

// LeaveRole ends that a person has a role; person "" is who acts.
func (d *Desk) LeaveRole(actor auth.Actor, id int64, role, person, note string) error {
	if person == "" {
		person = actor.ID
	}
	return d.sayOn(actor, d.overRole(actor, id, role, person), id, note, func(s *State, text string) (entry.Draft, error) {
		return s.Incidents.LeaveRole(actor.Name, id, role, person, text)
	})
}

// overRole is what one must be allowed to end a role of person: one's own is one's own.
func (d *Desk) overRole(actor auth.Actor, id int64, role, person string) auth.Action {
	a := auth.Lead
	d.ReadAs(actor, func(s *State) {
		if i, err := s.Incidents.Get(id); err == nil && person != "" && person == actor.ID && slices.Contains(i.RolesOf(person), role) {
			a = auth.Note
		}
	})
	return a
}

// mayHold says why somebody cannot have a role in an incident: who left, who changes nothing, who may not see it.
func mayHold(s *State, id int64, person string) error {
	if _, err := s.Incidents.Get(id); err != nil {
		return err
	}
	p, ok := s.Plan.People[person]
	switch {
	case !ok || p.Gone:
		return FieldError{"person", fmt.Sprintf("Nobody on the team has the id %q.", person)}
	case slices.Contains(p.Roles, "auditor") || auth.May(Actor(p), auth.See) != nil:
		return FieldError{"person", "Auditors and reporters hold no role in an incident."}
	}
	return named(s, id, person)
}

// named says that somebody may not see an incident, and so can neither hold a role in it nor work on it. Nobody ("") may.
func named(s *State, id int64, person string) error {
	if i, err := s.Incidents.Get(id); err == nil && person != "" && i.Hides(person) {
		return FieldError{"person", person + " is not named in this restricted incident: name them first."}
	}
	return nil
}
