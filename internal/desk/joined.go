package desk

import (
	"cmp"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
)

// SetLabel says to whom an incident, or one thing in it, may be told (TLP 2.0). what is "" for the incident, or as incident.SetLabel names it. What is TLP:RED stays
// so for a token, with ErrRedByToken: it is no person, so nobody would have decided it. A face asks LiftsRed, and has a person prove who they are.
func (d *Desk) SetLabel(actor auth.Actor, id int64, what, label, why string) error {
	err := d.sayOn(actor, auth.Note, id, why, func(s *State, text string) (entry.Draft, error) {
		x, err := s.Incidents.SetLabel(actor.Name, entry.Label{Incident: id, What: what, Label: label, Text: text})
		if err == nil && actor.Scope != nil && s.Incidents.LiftsRed(id, what, label) {
			err = ErrRedByToken
		}
		return x, err
	})
	if err == nil && what == "" {
		d.clearRoom(id) // guests came in by an exit
	}
	return err
}

// LiftsRed reports whether a label would let others than those who are named hear what is TLP:RED in an incident that an actor sees.
func (d *Desk) LiftsRed(actor auth.Actor, id int64, what, label string) (lifts bool) {
	d.ReadAs(actor, func(s *State) { lifts = s.Incidents.LiftsRed(id, what, label) })
	return lifts
}

// PartsRed reports whether an incident stands with others under a label that is TLP:RED: to take it out may let more people see what was one with it.
func (d *Desk) PartsRed(actor auth.Actor, id int64) (parts bool) {
	d.ReadAs(actor, func(s *State) { parts = partsRed(s, id) })
	return parts
}

func partsRed(s *State, id int64) bool {
	i, err := s.Incidents.Get(id)
	return err == nil && len(s.Incidents.Family(id)) > 1 && s.Incidents.IsRed(i)
}

// Merge makes incident id part of incident into. Who does it may handle both.
func (d *Desk) Merge(actor auth.Actor, id, into int64, why string) error {
	return d.joining(actor, id, into, why, func(s *State, text string) ([]entry.Draft, error) {
		return s.Incidents.Merge(actor.Name, id, into, text)
	})
}

// Unmerge makes an incident stand alone again. A token does it with nothing that is TLP:RED (ErrRedByToken), as of SetLabel.
func (d *Desk) Unmerge(actor auth.Actor, id int64, why string) error {
	return d.joining(actor, id, id, why, func(s *State, text string) ([]entry.Draft, error) {
		if actor.Scope != nil && partsRed(s, id) {
			return nil, ErrRedByToken
		}
		return one(s.Incidents.Unmerge(actor.Name, id, text))
	})
}

func (d *Desk) joining(actor auth.Actor, id, other int64, why string, decide func(s *State, text string) ([]entry.Draft, error)) error {
	if err := cmp.Or(d.MayOn(actor, auth.Handle, id), d.MayOn(actor, auth.Handle, other), d.Broken()); err != nil {
		return err
	}
	allowed := func(texts []string) func(*State, time.Time) ([]entry.Draft, error) {
		return func(s *State, now time.Time) ([]entry.Draft, error) {
			if err := cmp.Or(mayOn(s, actor, auth.Handle, id), mayOn(s, actor, auth.Handle, other), ownAlarm(s, actor, id, now)); err != nil {
				return nil, err
			}
			return decide(s, texts[0])
		}
	}
	if err := d.tried([]string{why}, allowed); err != nil {
		return err
	}
	texts, err := d.texts(why)
	if err != nil {
		return err
	}
	return d.write(allowed(texts))
}
