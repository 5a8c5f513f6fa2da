package rota

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// readSchedule reads a body as far as it must be right to be evaluated. The zone is left to the caller.
func readSchedule(x entry.Schedule) (v version, err error) {
	if err := checkName("a schedule's id", x.ID); err != nil {
		return v, err
	}
	if len(x.Layers) == 0 {
		return v, errors.New("the schedule has no layer, so nobody would ever be on call; add one with at least one person")
	}
	if len(x.Layers) > maxLayers || len(x.Holidays) > maxHolidays {
		return v, fmt.Errorf("the schedule has %d layers and %d holidays; at most %d and %d can be", len(x.Layers), len(x.Holidays), maxLayers, maxHolidays)
	}
	for _, l := range x.Layers {
		r, err := readLayer(l)
		if err != nil {
			return v, err
		}
		if v.find(r.id) >= 0 {
			return v, fmt.Errorf("two layers have the id %s; give one another", r.id)
		}
		v.layers, v.daily = append(v.layers, r), v.daily || len(r.hours) > 0
	}
	for _, h := range x.Holidays {
		r, err := v.readHoliday(h)
		if err != nil {
			return v, err
		}
		v.holidays, v.daily = append(v.holidays, r), true
	}
	return v, nil
}

// find returns the place of a layer, -1 when there is none.
func (x *version) find(id string) int {
	return slices.IndexFunc(x.layers, func(l layer) bool { return l.id == id })
}

// maxYearly is how many days a holiday that comes every year may have.
const maxYearly = 60

func (x *version) readHoliday(in entry.ScheduleHoliday) (h holiday, err error) {
	h = holiday{id: in.ID, yearly: in.Yearly, layer: -1, person: in.Person}
	if err := checkName("a holiday's id", in.ID); err != nil {
		return h, err
	}
	wrong := func(format string, args ...any) (holiday, error) {
		return h, fmt.Errorf("holiday %s: %w", in.ID, fmt.Errorf(format, args...))
	}
	if slices.ContainsFunc(x.holidays, func(o holiday) bool { return o.id == h.id }) {
		return wrong("another one has the same id; give one another")
	}
	if h.first, err = parseDay(in.From); err != nil {
		return wrong("first day: %w", err)
	}
	if h.last, err = parseDay(in.Until); err != nil {
		return wrong("last day: %w", err)
	}
	if in.At != "" {
		if h.at, err = parseMinute(in.At, false); err != nil {
			return wrong("%w", err)
		}
	}
	if h.last < h.first {
		return wrong("it ends on %s, before it begins on %s", h.last, h.first)
	}
	days := int(h.last-h.first) + 1
	if days > maxTurn || h.yearly && days > maxYearly {
		return wrong("it has %d days; at most %d can be, and %d of one that comes every year", days, maxTurn, maxYearly)
	}
	if _, m, d := h.first.date(); h.yearly && m == time.February && d == 29 {
		return wrong("29 February does not come every year; begin on another day")
	}
	if (in.Layer == "") == (in.Person == "") {
		return wrong("say who is on call then: one layer, or one person")
	}
	if in.Layer != "" {
		if h.layer = x.find(in.Layer); h.layer < 0 {
			return wrong("the schedule has no layer %.40q", in.Layer)
		}
	}
	return h, nil
}

// checkSpan says why a time cannot be one, or returns nil.
func checkSpan(from, until time.Time, longest time.Duration) error {
	switch {
	case from.Year() < firstYear || until.Year() > lastYear:
		return fmt.Errorf("the time from %s to %s is out of sight; years %d to %d can be", from.Format(time.RFC3339), until.Format(time.RFC3339), firstYear, lastYear)
	case !from.Before(until):
		return fmt.Errorf("it ends (%s) before it begins (%s)", until.Format(time.RFC3339), from.Format(time.RFC3339))
	case until.Sub(from) > longest:
		return fmt.Errorf("it lasts %d days; at most %d can be", until.Sub(from)/(24*time.Hour), longest/(24*time.Hour))
	}
	return nil
}

// checkPerson says why a person cannot be on call, or returns nil.
func (b *Book) checkPerson(id string) error {
	switch here, known := b.people[id]; {
	case !known:
		return fmt.Errorf("nobody on the team has the id %.40q", id)
	case !here:
		return fmt.Errorf("%s has left the team", id)
	}
	return nil
}

// checkTeam holds the people of a schedule against the team.
func (b *Book) checkTeam(x entry.Schedule) error {
	usual := false
	for _, l := range x.Layers {
		for _, person := range l.People {
			if err := b.checkPerson(person); err != nil {
				return fmt.Errorf("layer %s: %w", l.ID, err)
			}
		}
		usual = usual || !l.Spare
		if l.Spare && !slices.ContainsFunc(x.Holidays, func(h entry.ScheduleHoliday) bool { return h.Layer == l.ID }) {
			return fmt.Errorf("layer %s counts only on holidays, and no holiday names it", l.ID)
		}
	}
	if !usual {
		return errors.New("every layer counts only on holidays, so nobody would be on call on all other days; add one that counts always")
	}
	for _, h := range x.Holidays {
		if h.Person != "" {
			if err := b.checkPerson(h.Person); err != nil {
				return fmt.Errorf("holiday %s: %w", h.ID, err)
			}
		}
	}
	return nil
}

// checkHolidays refuses holidays that share a day: which of them counts would be a riddle.
func checkHolidays(v version) error {
	const year = 366
	for n, h := range v.holidays {
		for _, o := range v.holidays[:n] {
			var in string
			h.over(o.first-2*year, o.last+2*year, func(first, last day) {
				o.over(first-year, last+year, func(from, until day) {
					if first <= until && from <= last && in == "" {
						in = max(first, from).String()
					}
				})
			})
			if in != "" {
				return fmt.Errorf("holidays %s and %s are both on %s; end one of them before", o.id, h.id, in)
			}
		}
	}
	return nil
}

// over calls yield with each time that the holiday comes and that touches the days from lo to hi.
func (h *holiday) over(lo, hi day, yield func(first, last day)) {
	years := func(d day) int { y, _, _ := d.date(); return y }
	if !h.yearly {
		yield(h.first, h.last)
		return
	}
	for y := years(lo) - 1; y <= years(hi); y++ { // one that began the year before may reach into this
		if first, last := h.in(y); last >= lo && first <= hi {
			yield(first, last)
		}
	}
}
