package rota

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"tocsin/internal/entry"
)

// Put decides to make a schedule, or to change one from now on. An id is one schedule for ever: calls name it.
func (b *Book) Put(actor string, x entry.Schedule) (entry.Draft, error) {
	v, err := readSchedule(x)
	if err != nil {
		return entry.Draft{}, err
	}
	if _, err := b.findZone(x.Zone); err != nil {
		return entry.Draft{}, err
	}
	if err := b.checkTeam(x); err != nil {
		return entry.Draft{}, err
	}
	if err := checkHolidays(v); err != nil {
		return entry.Draft{}, err
	}
	switch s := b.schedules[x.ID]; {
	case s != nil && !s.Ended.IsZero():
		return entry.Draft{}, fmt.Errorf("the id %s names a schedule that has ended, and stays its own: choose another one", x.ID)
	case s == nil && len(b.schedules) >= maxSchedules:
		return entry.Draft{}, fmt.Errorf("there are %d schedules, and no more can be: change one of them", maxSchedules)
	}
	return entry.Draft{Actor: actor, Kind: entry.SchedulePut, Subject: "schedule:" + x.ID, Body: x}, nil
}

// End decides that nobody is on call by a schedule any more. Whether something still rings by it is the caller's to ask.
func (b *Book) End(actor, id string) (entry.Draft, error) {
	if _, err := b.standing(id); err != nil {
		return entry.Draft{}, err
	}
	return entry.Draft{Actor: actor, Kind: entry.ScheduleEnded, Subject: "schedule:" + id, Body: entry.ScheduleEnd{ID: id}}, nil
}

// Override decides that a person is on call for a time. x needs no ID.
func (b *Book) Override(actor string, x entry.Override, now time.Time) (entry.Draft, error) {
	s, err := b.standing(x.Schedule)
	if err != nil {
		return entry.Draft{}, err
	}
	x.From, x.Until = x.From.UTC().Round(0), x.Until.UTC().Round(0)
	if err := b.checkOverride(s, x, now); err != nil {
		return entry.Draft{}, fmt.Errorf("this override cannot be: %w", err)
	}
	x.ID = int64(len(b.overrides)) + 1
	return entry.Draft{Actor: actor, Kind: entry.ScheduleOverridden, Subject: "schedule:" + x.Schedule, Body: x}, nil
}

func (b *Book) checkOverride(s *Schedule, x entry.Override, now time.Time) error {
	if err := b.checkPerson(x.Person); err != nil {
		return err
	}
	if x.Instead != "" {
		if _, known := b.people[x.Instead]; !known {
			return fmt.Errorf("nobody on the team has the id %.40q", x.Instead)
		}
	}
	switch {
	case x.Instead == x.Person:
		return fmt.Errorf("%s cannot stand in for themselves", x.Person)
	case x.Swap && x.Instead == "":
		return errors.New("a swap needs the person to swap with")
	}
	if err := checkTime(x.From, x.Until, now, maxOverride); err != nil {
		return err
	}
	standing := s.Overrides(now)
	if len(standing) >= maxStanding {
		return fmt.Errorf("the schedule %s has %d overrides that are not over, and no more can be: end some, or change the schedule", s.ID, maxStanding)
	}
	for _, o := range standing {
		if o.Person == x.Person && o.Instead == x.Instead && o.Swap == x.Swap && !x.From.Before(o.From) && !x.Until.After(o.Until) {
			return fmt.Errorf("override %d says the same", o.ID)
		}
	}
	if err := checkCycle(standing, x); err != nil {
		return err
	}
	return b.checkEffect(s, x, now)
}

// checkTime says why a time that is asked for now cannot be, or returns nil.
func checkTime(from, until, now time.Time, longest time.Duration) error {
	if err := checkSpan(from, until, longest); err != nil {
		return err
	}
	switch {
	case !until.After(now):
		return fmt.Errorf("it is over since %s", until.Format(time.RFC3339))
	case from.Sub(now) > maxAhead:
		return fmt.Errorf("it begins on %s, more than three years from now", from.Format(time.DateOnly))
	}
	return nil
}

// checkCycle refuses to give a duty back to whom an override took it from: of two that do so only the later counts, which is not what two people mean who swap.
func checkCycle(standing []*Override, x entry.Override) error {
	if x.Instead == "" || x.Swap {
		return nil
	}
	seen := map[string]bool{}
	var back func(person string) int64
	back = func(person string) int64 { // along who takes whose duty, from the new one on
		if seen[person] {
			return 0
		}
		seen[person] = true
		for _, o := range standing {
			if o.Instead != person || o.Swap || !o.From.Before(x.Until) || !x.From.Before(o.Until) {
				continue
			}
			if o.Person == x.Instead || back(o.Person) != 0 {
				return o.ID
			}
		}
		return 0
	}
	if id := back(x.Person); id != 0 {
		return fmt.Errorf("it would go in a circle: override %d gives %s's duty away in the same time; end that one first, or make one swap of both", id, x.Person)
	}
	return nil
}

// checkEffect refuses an override that would change nothing.
func (b *Book) checkEffect(s *Schedule, x entry.Override, now time.Time) error {
	from, until := clip(x.From, x.Until, now)
	o := &Override{Override: x}
	o.ID, o.From, o.Until = int64(len(b.overrides))+1, from, until
	v := b.view(s, from, until)
	v.overrides = append(v.overrides, o)
	counts, gone := false, ""
	v.walk(from, until, v.at, func(y Shift) bool {
		counts = counts || y.By == ByOverride && y.ID == strconv.FormatInt(o.ID, 10)
		for _, p := range y.Passed {
			if p.By == ByOverride && p.ID == strconv.FormatInt(o.ID, 10) {
				gone = p.Person
			}
		}
		return !counts
	})
	switch {
	case counts:
		return nil
	case gone != "":
		return fmt.Errorf("%s is away all the time from %s to %s", gone, from.Format(time.RFC3339), until.Format(time.RFC3339))
	case x.Swap:
		return fmt.Errorf("neither %s nor %s is on call by %s from %s to %s", x.Person, x.Instead, s.ID, from.Format(time.RFC3339), until.Format(time.RFC3339))
	}
	return fmt.Errorf("%s is not on call by %s from %s to %s", x.Instead, s.ID, from.Format(time.RFC3339), until.Format(time.RFC3339))
}

// EndOverride decides that an override counts no longer.
func (b *Book) EndOverride(actor string, id int64, now time.Time) (entry.Draft, error) {
	o, err := b.FindOverride(id)
	if err != nil {
		return entry.Draft{}, err
	}
	if o.Ended {
		return entry.Draft{}, fmt.Errorf("override %d has ended already", id)
	}
	if !now.Before(o.Until) {
		return entry.Draft{}, fmt.Errorf("override %d is over since %s", id, o.Until.Format(time.RFC3339))
	}
	return entry.Draft{Actor: actor, Kind: entry.OverrideEnded, Subject: "schedule:" + o.Schedule, Body: entry.OverrideEnd{ID: id}}, nil
}

// PutAbsence decides that a person cannot be on call for a time. x needs no ID.
func (b *Book) PutAbsence(actor string, x entry.Absence, now time.Time) (entry.Draft, error) {
	x.From, x.Until = x.From.UTC().Round(0), x.Until.UTC().Round(0)
	err := b.checkPerson(x.Person)
	if err == nil {
		err = checkTime(x.From, x.Until, now, maxAbsence)
	}
	standing := b.Absences(x.Person, now)
	for _, a := range standing {
		if err == nil && a.From.Before(x.Until) && x.From.Before(a.Until) {
			err = fmt.Errorf("%s is away from %s to %s already (absence %d); end that one first", x.Person, a.From.Format(time.RFC3339), a.Until.Format(time.RFC3339), a.ID)
		}
	}
	if err == nil && len(standing) >= maxStanding {
		err = fmt.Errorf("%s has %d absences that are not over, and no more can be", x.Person, maxStanding)
	}
	if err != nil {
		return entry.Draft{}, fmt.Errorf("this absence cannot be: %w", err)
	}
	x.ID = int64(len(b.absences)) + 1
	return entry.Draft{Actor: actor, Kind: entry.PersonAbsent, Subject: "person:" + x.Person, Body: x}, nil
}

// EndAbsence decides that a person is back, or does not go.
func (b *Book) EndAbsence(actor string, id int64, now time.Time) (entry.Draft, error) {
	a, err := b.FindAbsence(id)
	if err != nil {
		return entry.Draft{}, err
	}
	if a.Ended {
		return entry.Draft{}, fmt.Errorf("absence %d has ended already", id)
	}
	if !now.Before(a.Until) {
		return entry.Draft{}, fmt.Errorf("absence %d is over since %s", id, a.Until.Format(time.RFC3339))
	}
	return entry.Draft{Actor: actor, Kind: entry.PersonBack, Subject: "person:" + a.Person, Body: entry.AbsenceEnd{ID: id}}, nil
}
