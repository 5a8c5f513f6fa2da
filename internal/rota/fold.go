package rota

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// Apply folds an entry and reports whether it was about schedules or about who can be on call. A body that cannot be evaluated is an error; one that
// Put or Override would refuse today for another reason is not, because their rules may change and entries do not.
func (b *Book) Apply(e entry.Entry) (known bool, err error) {
	switch e.Kind {
	case entry.SchedulePut:
		err = b.applyPut(e)
	case entry.ScheduleEnded:
		err = b.applyEnd(e)
	case entry.ScheduleOverridden:
		err = b.applyOverride(e)
	case entry.OverrideEnded:
		err = b.applyOverrideEnd(e)
	case entry.PersonAbsent:
		err = b.applyAbsence(e)
	case entry.PersonBack:
		err = b.applyBack(e)
	case entry.PersonPut:
		var moved bool
		if moved, err = b.applyPerson(e); !moved {
			return true, err
		}
	default:
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("entry %d (%s): %w", e.N, e.Kind, err)
	}
	b.n, b.changed = e.N, e.Time.UTC()
	return true, nil
}

func (b *Book) applyPut(e entry.Entry) error {
	x, err := entry.Body[entry.Schedule](e)
	if err != nil {
		return err
	}
	v, err := readSchedule(x)
	if err != nil {
		return err
	}
	at := e.Time.UTC()
	v.since = at
	s := b.schedules[x.ID]
	switch {
	case s == nil && len(b.schedules) >= maxSchedules:
		return fmt.Errorf("there are %d schedules already", maxSchedules)
	case s == nil:
		s = &Schedule{Made: at}
		b.schedules[x.ID] = s
	case !s.Ended.IsZero():
		return fmt.Errorf("the schedule %s has ended", x.ID)
	}
	var lost error
	if v.zone, lost = b.findZone(x.Zone); lost != nil {
		v.zone = time.UTC // somebody must be on call all the same
	}
	s.Schedule, s.ZoneLost, s.versions = x, lost != nil, append(s.versions, v)
	if at.Before(s.Made) { // the clock was set back
		s.Made = at
	}
	return nil
}

func (b *Book) applyEnd(e entry.Entry) error {
	x, err := entry.Body[entry.ScheduleEnd](e)
	if err != nil {
		return err
	}
	s, err := b.standing(x.ID)
	if err != nil {
		return err
	}
	s.Ended = e.Time.UTC()
	return nil
}

func (b *Book) applyOverride(e entry.Entry) error {
	x, err := entry.Body[entry.Override](e)
	if err != nil {
		return err
	}
	s, err := b.standing(x.Schedule)
	if err != nil {
		return err
	}
	if x.ID != int64(len(b.overrides))+1 {
		return fmt.Errorf("override %d does not follow %d", x.ID, len(b.overrides))
	}
	if err := checkSpan(x.From, x.Until, maxOverride); err != nil {
		return err
	}
	if x.Person == "" || x.Swap && x.Instead == "" {
		return fmt.Errorf("override %d does not say who", x.ID)
	}
	o := &Override{Override: x, By: e.Actor, At: e.Time.UTC()}
	o.From, o.Until = clip(x.From, x.Until, o.At)
	b.overrides = append(b.overrides, o)
	s.overrides = append(s.overrides, o)
	return nil
}

// clip returns the part of a time that is not over at now; an empty one begins where it ends.
func clip(from, until, now time.Time) (time.Time, time.Time) {
	if from.Before(now) {
		from = now
	}
	if until.Before(from) {
		until = from
	}
	return from.UTC().Round(0), until.UTC().Round(0)
}

func (b *Book) applyOverrideEnd(e entry.Entry) error {
	x, err := entry.Body[entry.OverrideEnd](e)
	if err != nil {
		return err
	}
	o, err := b.FindOverride(x.ID)
	if err != nil {
		return err
	}
	o.Ended, o.Until = true, cut(o.From, o.Until, e.Time)
	return nil
}

// cut ends a time at now: what was before stays, and what had not begun is empty.
func cut(from, until, now time.Time) time.Time {
	switch {
	case now.Before(from):
		return from
	case now.Before(until):
		return now.UTC().Round(0)
	}
	return until
}

func (b *Book) applyAbsence(e entry.Entry) error {
	x, err := entry.Body[entry.Absence](e)
	if err != nil {
		return err
	}
	if x.ID != int64(len(b.absences))+1 {
		return fmt.Errorf("absence %d does not follow %d", x.ID, len(b.absences))
	}
	if err := checkSpan(x.From, x.Until, maxAbsence); err != nil {
		return err
	}
	a := &Absence{Absence: x, By: e.Actor, At: e.Time.UTC()}
	a.From, a.Until = clip(x.From, x.Until, a.At)
	b.absences = append(b.absences, a)
	return nil
}

func (b *Book) applyBack(e entry.Entry) error {
	x, err := entry.Body[entry.AbsenceEnd](e)
	if err != nil {
		return err
	}
	a, err := b.FindAbsence(x.ID)
	if err != nil {
		return err
	}
	a.Ended, a.Until = true, cut(a.From, a.Until, e.Time)
	return nil
}

// FindAbsence returns one by its number.
func (b *Book) FindAbsence(id int64) (*Absence, error) {
	if id < 1 || id > int64(len(b.absences)) {
		return nil, fmt.Errorf("there is no absence %d", id)
	}
	return b.absences[id-1], nil
}

// applyPerson remembers who is on the team and who left, and reports whether that changed.
func (b *Book) applyPerson(e entry.Entry) (bool, error) {
	x, err := entry.Body[entry.Person](e)
	if err != nil {
		return false, err
	}
	was, known := b.people[x.ID]
	b.people[x.ID] = !x.Gone
	at := e.Time.UTC()
	switch {
	case x.Gone && (was || !known):
		b.left[x.ID] = append(b.left[x.ID], away{from: at, why: Left})
	case !x.Gone && known && !was:
		last := &b.left[x.ID][len(b.left[x.ID])-1]
		if last.until = at; at.Before(last.from) {
			last.until = last.from
		}
	default:
		return !known, nil
	}
	return true, nil
}

// standing returns a schedule that has not ended.
func (b *Book) standing(id string) (*Schedule, error) {
	s, err := b.Get(id)
	if err == nil && !s.Ended.IsZero() {
		err = fmt.Errorf("the schedule %s has ended", id)
	}
	return s, err
}

// findZone asks for a time zone by its name. The machine's own zone is none: a schedule must say the same everywhere.
func (b *Book) findZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, fmt.Errorf("the time zone %.40q is not known; write one such as Europe/Berlin", name)
	}
	zone, err := b.zone(name)
	if err != nil || zone == nil {
		return nil, fmt.Errorf("the time zone %.40q is not known; write one such as Europe/Berlin", name)
	}
	return zone, nil
}

// With returns a copy of the book in which x is put at an instant, so that a page can show what a schedule would mean before it is one.
func (b *Book) With(actor string, x entry.Schedule, now time.Time) (*Book, error) {
	d, err := b.Put(actor, x)
	if err != nil {
		return nil, err
	}
	c := *b
	c.schedules = maps.Clone(b.schedules)
	if s := c.schedules[x.ID]; s != nil {
		other := *s
		other.versions = slices.Clip(slices.Clone(s.versions))
		c.schedules[x.ID] = &other
	}
	e, _, err := entry.Make(b.n+1, now, d)
	if err == nil {
		_, err = c.Apply(e)
	}
	return &c, err
}
