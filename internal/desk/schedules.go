package desk

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
)

// A ScheduleText is what people wrote of a schedule, as the vault keeps it with each version.
type ScheduleText struct {
	Name string `json:"name"`
	For  string `json:"for,omitempty"` // what it is for
	Why  string `json:"why,omitempty"` // why this version was put
}

const (
	scheduleName  = 100  // bytes
	scheduleWords = 2000 // bytes of each of the others
)

// A ScheduleChange is one entry about a schedule.
type ScheduleChange struct {
	N     int64
	At    time.Time
	By    string     // as entries name actors
	Kind  entry.Kind // SchedulePut, ScheduleEnded, ScheduleOverridden, OverrideEnded
	Vault string     // of SchedulePut: a ScheduleText; of ScheduleOverridden: text
	ID    int64      // of the override
}

// changesKept is how many changes of one schedule are at hand; the ledger has all.
const changesKept = 200

// OnCall says who is on call by a schedule at t: nobody in a gap, of a schedule that is none, or that has ended.
func (s *State) OnCall(schedule string, t time.Time) (people []string) {
	shifts, err := s.Rota.OnCall(schedule, t)
	if err != nil {
		return nil
	}
	for _, x := range shifts {
		people = append(people, x.Person)
	}
	return people
}

// applySchedule remembers what changed a schedule, and which calendar links are worthless.
func (s *State) applySchedule(e entry.Entry) (known bool, err error) {
	c := ScheduleChange{N: e.N, At: e.Time, By: e.Actor, Kind: e.Kind}
	id := ""
	switch e.Kind {
	case entry.SchedulePut:
		var x entry.Schedule
		x, err = entry.Body[entry.Schedule](e)
		id, c.Vault = x.ID, x.Vault
	case entry.ScheduleEnded:
		var x entry.ScheduleEnd
		x, err = entry.Body[entry.ScheduleEnd](e)
		id = x.ID
	case entry.ScheduleOverridden:
		var x entry.Override
		x, err = entry.Body[entry.Override](e)
		id, c.Vault, c.ID = x.Schedule, x.Text, x.ID
	case entry.OverrideEnded:
		var x entry.OverrideEnd
		if x, err = entry.Body[entry.OverrideEnd](e); err == nil {
			o, missing := s.Rota.FindOverride(x.ID)
			if missing != nil {
				return true, nil // the book has said so
			}
			id, c.ID = o.Schedule, x.ID
		}
	case entry.CalendarRenewed:
		x, err := entry.Body[entry.Calendar](e)
		s.Calendars[x.Person] = e.N
		return true, err
	default:
		return false, nil
	}
	if err == nil {
		list := append(s.Changes[id], c)
		s.Changes[id] = list[max(0, len(list)-changesKept):]
	}
	return true, err
}

// mayCover asks whether somebody may decide on an override or absence that concerns persons: who answers calls may where they are one of them, and
// who keeps the team may always. It is the one place that says so.
func mayCover(actor auth.Actor, persons ...string) error {
	if actor.ID != "" && slices.Contains(persons, actor.ID) {
		return auth.May(actor, auth.Ring)
	}
	return auth.May(actor, auth.Team)
}

// MayOverride reports whether somebody may ask for an override, or end it: for themselves instead of whoever it is, or a swap in which they are.
func MayOverride(actor auth.Actor, x entry.Override) bool { return mayCover(actor, sides(x)...) == nil }

// MayAbsence reports whether somebody may say that a person is away.
func MayAbsence(actor auth.Actor, person string) bool { return mayCover(actor, person) == nil }

// sides are whom an override puts on call.
func sides(x entry.Override) []string {
	if x.Swap {
		return []string{x.Person, x.Instead}
	}
	return []string{x.Person}
}

// PutSchedule makes a schedule, or changes it from now on. fresh refuses an id that is in use.
func (d *Desk) PutSchedule(actor auth.Actor, x entry.Schedule, text ScheduleText, fresh bool) error {
	if err := errors.Join(auth.May(actor, auth.Team), d.Broken()); err != nil {
		return err
	}
	if err := checkScheduleText(&text); err != nil {
		return err
	}
	put := func(s *State) (entry.Draft, error) {
		if _, err := s.Rota.Get(x.ID); fresh && err == nil {
			return entry.Draft{}, FieldError{"id", fmt.Sprintf("There is a schedule %s already.", x.ID)}
		}
		return s.Rota.Put(actor.Name, x)
	}
	var err error
	d.Read(func(s *State) { _, err = put(s) }) // before anything is kept of it
	if err != nil {
		return err
	}
	b, err := json.Marshal(text)
	if err != nil {
		return err
	}
	if x.Vault, err = d.vault.Put(b); err != nil {
		return fmt.Errorf("keeping the schedule's name: %w", err)
	}
	return d.do(actor, auth.Team, func(s *State, _ time.Time) (entry.Draft, error) { return put(s) })
}

func checkScheduleText(t *ScheduleText) error {
	t.Name, t.For, t.Why = strings.TrimSpace(t.Name), strings.TrimSpace(t.For), strings.TrimSpace(t.Why)
	switch {
	case t.Name == "":
		return FieldError{"name", "A schedule needs a name."}
	case len(t.Name) > scheduleName:
		return FieldError{"name", fmt.Sprintf("The name is longer than %d bytes.", scheduleName)}
	case len(t.For) > scheduleWords:
		return FieldError{"for", fmt.Sprintf("The text is longer than %d bytes.", scheduleWords)}
	case len(t.Why) > scheduleWords:
		return FieldError{"why", fmt.Sprintf("The reason is longer than %d bytes.", scheduleWords)}
	}
	return nil
}

// EndSchedule ends a schedule for good. While a policy names it that is refused, because its step would ring nobody.
func (d *Desk) EndSchedule(actor auth.Actor, id string) error {
	return d.do(actor, auth.Team, func(s *State, _ time.Time) (entry.Draft, error) {
		if names := s.Plan.Naming("schedule:" + id); len(names) > 0 {
			return entry.Draft{}, FieldError{"", fmt.Sprintf("The schedule %s cannot end yet: %s it. Change that first, under The bell.", id, naming(names))}
		}
		return s.Rota.End(actor.Name, id)
	})
}

// naming words which policies name something.
func naming(policies []string) string {
	if len(policies) == 1 {
		return "the policy " + policies[0] + " names"
	}
	return "the policies " + strings.Join(policies, ", ") + " name"
}

// ScheduleText reads what people wrote with a version of a schedule. What cannot be read has the schedule's id as its name.
func (d *Desk) ScheduleText(id, vault string) (t ScheduleText) {
	if vault != "" {
		_ = d.fromVault(vault, &t) // the id stands for it
	}
	t.Name = cmp.Or(t.Name, id)
	return t
}

// Override puts a person on call for a time; with Swap, it exchanges two. It returns its number.
func (d *Desk) Override(actor auth.Actor, x entry.Override, why string) (int64, error) {
	if err := errors.Join(mayCover(actor, sides(x)...), d.Broken()); err != nil {
		return 0, err
	}
	return d.cover(why, func(s *State, text string, now time.Time) (entry.Draft, error) {
		x.Text = text
		return s.Rota.Override(actor.Name, x, now)
	})
}

// PutAbsence says that a person cannot be on call for a time. It returns its number.
func (d *Desk) PutAbsence(actor auth.Actor, x entry.Absence, why string) (int64, error) {
	if err := errors.Join(mayCover(actor, x.Person), d.Broken()); err != nil {
		return 0, err
	}
	return d.cover(why, func(s *State, text string, now time.Time) (entry.Draft, error) {
		x.Text = text
		return s.Rota.PutAbsence(actor.Name, x, now)
	})
}

// cover writes an override or absence, and keeps its reason once it is known that it can be.
func (d *Desk) cover(why string, put func(s *State, text string, now time.Time) (entry.Draft, error)) (id int64, err error) {
	if why = strings.TrimSpace(why); len(why) > scheduleWords {
		return 0, FieldError{"why", fmt.Sprintf("The reason is longer than %d bytes.", scheduleWords)}
	}
	now := time.Now()
	d.Read(func(s *State) { _, err = put(s, "", now) })
	if err != nil {
		return 0, err
	}
	text, err := d.text(why)
	if err != nil {
		return 0, err
	}
	err = d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		x, err := put(s, text, now)
		switch b := x.Body.(type) {
		case entry.Override:
			id = b.ID
		case entry.Absence:
			id = b.ID
		}
		return []entry.Draft{x}, err
	})
	return id, err
}

// EndOverride ends an override before its time, or before it begins.
func (d *Desk) EndOverride(actor auth.Actor, id int64) error {
	return d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		o, err := s.Rota.FindOverride(id)
		if err == nil {
			err = mayCover(actor, sides(o.Override)...)
		}
		if err != nil {
			return nil, err
		}
		x, err := s.Rota.EndOverride(actor.Name, id, now)
		return []entry.Draft{x}, err
	})
}

// EndAbsence says that a person is back, or does not go.
func (d *Desk) EndAbsence(actor auth.Actor, id int64) error {
	return d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		a, err := s.Rota.FindAbsence(id)
		if err == nil {
			err = mayCover(actor, a.Person)
		}
		if err != nil {
			return nil, err
		}
		x, err := s.Rota.EndAbsence(actor.Name, id, now)
		return []entry.Draft{x}, err
	})
}
