package rota

import (
	"slices"
	"strconv"
	"time"
)

// A view is a schedule and what of the book bears on it between two instants.
type view struct {
	s         *Schedule
	overrides []*Override
	away      map[string][]away
	edges     []time.Time // where versions, overrides and absences begin and end, sorted
}

// view gathers what bears on a schedule from lo to hi. It costs one look at every override of the schedule and every absence.
func (b *Book) view(s *Schedule, lo, hi time.Time) *view {
	v := &view{s: s, away: map[string][]away{}}
	for _, x := range s.versions {
		v.edges = append(v.edges, x.since)
	}
	if !s.Ended.IsZero() {
		v.edges = append(v.edges, s.Ended)
	}
	for _, o := range s.overrides {
		if o.From.Before(o.Until) && o.From.Before(hi) && o.Until.After(lo) {
			v.overrides = append(v.overrides, o)
			v.edges = append(v.edges, o.From, o.Until)
		}
	}
	for _, a := range b.absences {
		if a.From.Before(a.Until) && a.From.Before(hi) && a.Until.After(lo) {
			v.away[a.Person] = append(v.away[a.Person], away{a.From, a.Until, Absent})
			v.edges = append(v.edges, a.From, a.Until)
		}
	}
	for person, list := range b.left {
		for _, a := range list {
			v.away[person] = append(v.away[person], a)
			if v.edges = append(v.edges, a.from); !a.until.IsZero() {
				v.edges = append(v.edges, a.until)
			}
		}
	}
	slices.SortFunc(v.edges, time.Time.Compare)
	return v
}

// stands reports whether the schedule is there at t.
func (v *view) stands(t time.Time) bool { return v.s.stands(t) }

func (s *Schedule) stands(t time.Time) bool {
	return !t.Before(s.Made) && (s.Ended.IsZero() || t.Before(s.Ended))
}

// version returns the one that counts at t: the last one entered whose time has come. Before all it is the first.
func (s *Schedule) version(t time.Time) *version {
	for n := len(s.versions) - 1; n > 0; n-- { // not by search: a clock that was set back leaves them out of order
		if !t.Before(s.versions[n].since) {
			return &s.versions[n]
		}
	}
	return &s.versions[0]
}

// gone returns why a person cannot be on call at t, "" when they can.
func (v *view) gone(person string, t time.Time) (why string) {
	for _, a := range v.away[person] {
		if a.covers(t) {
			if a.why == Left {
				return Left
			}
			why = a.why
		}
	}
	return why
}

// at answers who is on call at t. Since and Until are not set.
func (v *view) at(t time.Time) Shift {
	x := Shift{Schedule: v.s.ID}
	if !v.stands(t) {
		return x
	}
	v.base(&x, t)
	for _, o := range v.overrides {
		if !t.Before(o.From) && t.Before(o.Until) {
			v.override(&x, o, t)
		}
	}
	return x
}

// base answers without overrides.
func (v *view) base(x *Shift, t time.Time) {
	now := v.s.version(t)
	for n := len(now.holidays) - 1; n >= 0; n-- {
		h := &now.holidays[n]
		began, _, ok := h.span(now.zone, t)
		if !ok {
			continue
		}
		if h.layer >= 0 {
			if v.layer(x, now, &now.layers[h.layer], t) {
				if x.Person != "" {
					x.Holiday = h.id
				}
				return
			}
			continue
		}
		if why := v.gone(h.person, t); why != "" {
			x.Passed = append(x.Passed, Passed{h.person, why, ByHoliday, h.id})
			continue
		}
		x.Person, x.By, x.ID, x.Turn = h.person, ByHoliday, h.id, began
		return
	}
	for n := len(now.layers) - 1; n >= 0; n-- {
		if l := &now.layers[n]; !l.spare && v.layer(x, now, l, t) {
			return
		}
	}
}

// layer answers by one layer, and reports whether it decides.
func (v *view) layer(x *Shift, now *version, l *layer, t time.Time) bool {
	if !l.open(now.zone, t) {
		return false
	}
	k, began, _ := l.turn(now.zone, t)
	if k < 0 {
		return false
	}
	for n := range l.people {
		person := l.people[(k+n)%len(l.people)]
		why := v.gone(person, t)
		if why == "" {
			x.Person, x.By, x.ID, x.Turn = person, ByLayer, l.id, began
			return true
		}
		if p := (Passed{person, why, ByLayer, l.id}); !slices.Contains(x.Passed, p) {
			x.Passed = append(x.Passed, p)
		}
		if l.gap {
			return true
		}
	}
	return false
}

// override lets one count.
func (v *view) override(x *Shift, o *Override, t time.Time) {
	person := o.Person
	switch {
	case o.Instead == "" || x.Person == o.Instead:
	case o.Swap && x.Person == o.Person:
		person = o.Instead
	default:
		return
	}
	id := strconv.FormatInt(o.ID, 10)
	if why := v.gone(person, t); why != "" {
		x.Passed = append(x.Passed, Passed{person, why, ByOverride, id})
		return
	}
	y := Shift{Schedule: x.Schedule, Person: person, By: ByOverride, ID: id, Turn: o.From}
	if o.Instead != "" { // of one instead of whoever it is nothing is said of what lies beneath, or it would be cut wherever that changes
		y.Instead, y.Passed = x.Person, x.Passed
	}
	*x = y
}

// bounds returns the nearest instants around t at which the answer may change: prev is not after t, next is after it. Where there are hours or
// holidays they are at most two days away, so that only what happens on days near t has to be looked at.
func (v *view) bounds(t time.Time) (prev, next time.Time) {
	mark := func(e time.Time) {
		if !e.After(t) {
			if e.After(prev) || prev.IsZero() {
				prev = e
			}
		} else if e.Before(next) || next.IsZero() {
			next = e
		}
	}
	n, _ := slices.BinarySearchFunc(v.edges, t, func(e, t time.Time) int {
		if e.After(t) {
			return 1
		}
		return -1
	})
	if n > 0 {
		mark(v.edges[n-1])
	}
	if n < len(v.edges) {
		mark(v.edges[n])
	}
	v.s.version(t).marks(t, mark)
	return prev, next
}

// marks calls mark with the instants around t at which turns, hours and holidays begin and end.
func (x *version) marks(t time.Time, mark func(time.Time)) {
	today := dayOf(t, x.zone)
	if x.daily {
		for d := today - 1; d <= today+2; d++ {
			mark(wall(x.zone, d, 0))
		}
	}
	for n := range x.layers {
		l := &x.layers[n]
		if k, began, ends := l.turn(x.zone, t); k >= 0 {
			mark(began)
			mark(ends)
		} else {
			mark(ends)
		}
		for _, h := range l.hours {
			for d := today - 2; d <= today+2; d++ {
				if from, until, ok := h.span(x.zone, d); ok {
					mark(from)
					mark(until)
				}
			}
		}
	}
	for n := range x.holidays {
		h := &x.holidays[n]
		h.near(today, func(first, last day) {
			if first >= today-2 && first <= today+2 {
				mark(wall(x.zone, first, h.at))
			}
			if last+1 >= today-2 && last+1 <= today+2 {
				mark(wall(x.zone, last+1, h.at))
			}
		})
	}
}

// walk calls yield with each stretch from lo to hi in which at says the same, in order and without a hole, until it returns false.
func (v *view) walk(lo, hi time.Time, at func(time.Time) Shift, yield func(Shift) bool) {
	if !lo.Before(hi) {
		return
	}
	cur := at(lo)
	cur.Since = lo
	for t := lo; ; {
		_, next := v.bounds(t)
		if next.IsZero() || !next.Before(hi) {
			cur.Until = hi
			yield(cur)
			return
		}
		if x := at(next); !x.same(&cur) {
			cur.Until = next
			if !yield(cur) {
				return
			}
			cur = x
			cur.Since = next
		}
		t = next
	}
}
