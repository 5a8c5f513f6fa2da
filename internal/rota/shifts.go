package rota

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"
)

// OnCall says who is on call by a schedule at t, with the whole of their shift. It is empty in a gap, before the schedule was made,
// after it ended, and for an id that is none (ErrUnknown): whoever rings must go on to somebody else then.
func (b *Book) OnCall(id string, t time.Time) ([]Shift, error) {
	x, err := b.At(id, t)
	if err != nil || x.Person == "" {
		return nil, err
	}
	return []Shift{x}, nil
}

// At is OnCall that tells of a gap too: then Person is empty, and Passed has who would have been on call.
func (b *Book) At(id string, t time.Time) (Shift, error) {
	s, err := b.Get(id)
	if err != nil {
		return Shift{}, err
	}
	t = t.UTC().Round(0)
	return b.view(s, t.Add(-horizon), t.Add(horizon)).around(t), nil
}

// around answers at t, and looks where the shift begins and ends. A gap is one, whoever could not be on call in its parts; Passed is as at t.
func (v *view) around(t time.Time) Shift {
	x := v.at(t)
	other := func(u time.Time) bool {
		y := v.at(u)
		return v.stands(u) != v.stands(t) || y.Person != x.Person || x.Person != "" && !y.same(&x)
	}
	for u := t; x.Until.IsZero(); {
		_, next := v.bounds(u)
		if next.IsZero() || next.After(t.Add(horizon)) {
			break
		}
		if u = next; other(u) {
			x.Until = next
		}
	}
	for u := t; x.Since.IsZero(); {
		prev, _ := v.bounds(u)
		if prev.IsZero() || prev.Before(t.Add(-horizon)) {
			break
		}
		if u = prev.Add(-1); other(u) {
			x.Since = prev
		}
	}
	return x
}

// span is the part of a range in which a schedule stands.
func (b *Book) span(id string, from, until time.Time) (v *view, lo, hi time.Time, err error) {
	s, err := b.Get(id)
	if err != nil {
		return nil, lo, hi, err
	}
	lo, hi = from.UTC().Round(0), until.UTC().Round(0)
	if hi.Before(lo) || hi.Sub(lo) > MaxRange {
		return nil, lo, hi, fmt.Errorf("the schedule %s from %s to %s: ask for a time that ends after it begins, and is at most ten years long", id, lo.Format(time.DateOnly), hi.Format(time.DateOnly))
	}
	if lo.Before(s.Made) {
		lo = s.Made
	}
	if !s.Ended.IsZero() && hi.After(s.Ended) {
		hi = s.Ended
	}
	return b.view(s, lo, hi), lo, hi, nil
}

// Shifts returns the shifts of a schedule from one instant to another, in order; the first and the last are cut there. Together
// they say exactly what OnCall says of each instant. What lies between them are the gaps. At most MaxRange can be asked for.
func (b *Book) Shifts(id string, from, until time.Time) (iter.Seq[Shift], error) {
	v, lo, hi, err := b.span(id, from, until)
	if err != nil {
		return nil, err
	}
	return func(yield func(Shift) bool) {
		v.walk(lo, hi, v.at, func(x Shift) bool { return x.Person == "" || yield(x) })
	}, nil
}

// Gaps returns when nobody is on call by a schedule, in order and with exact bounds, cut to the range: each as a Shift without a person, whose
// Passed names all who could not be on call in it. Of a time before a schedule was made or after it ended no gap is told.
func (b *Book) Gaps(id string, from, until time.Time) (list []Shift, err error) {
	v, lo, hi, err := b.span(id, from, until)
	if err != nil {
		return nil, err
	}
	v.walk(lo, hi, v.at, func(x Shift) bool {
		if x.Person != "" {
			return true
		}
		if n := len(list) - 1; n >= 0 && list[n].Until.Equal(x.Since) {
			list[n].Until = x.Until
			for _, p := range x.Passed {
				if !slices.Contains(list[n].Passed, p) {
					list[n].Passed = append(list[n].Passed, p)
				}
			}
			return true
		}
		x.Passed = slices.Clone(x.Passed)
		list = append(list, x)
		return true
	})
	return list, nil
}

// A Handover is an instant at which another person comes on call, or nobody does.
type Handover struct {
	Schedule string
	At       time.Time
	From, To string // persons; "" is nobody
	Next     Shift  // that begins
}

// Handovers returns the next hand-overs of a schedule after an instant, at most n of them, none later than a year. A turn that the same person has again is none.
func (b *Book) Handovers(id string, after time.Time, n int) (list []Handover, err error) {
	v, lo, hi, err := b.span(id, after, after.Add(horizon))
	if err != nil || n <= 0 {
		return nil, err
	}
	var was *Shift
	v.walk(lo, hi.Add(horizon), v.at, func(x Shift) bool {
		if was != nil && was.Person != x.Person {
			if !x.Since.Before(hi) {
				return false
			}
			list = append(list, Handover{Schedule: id, At: x.Since, From: was.Person, To: x.Person, Next: x})
		}
		was = &x
		return len(list) < n && x.Since.Before(hi)
	})
	return list, nil
}

// A Glance is one schedule at an instant.
type Glance struct {
	Schedule *Schedule
	Now      Shift // Person "" in a gap
	Next     Shift // what begins when Now ends: the zero Shift when that is not in sight
}

// Glance says who is on call now by every schedule that stands, by id.
func (b *Book) Glance(t time.Time) (list []Glance) {
	t = t.UTC().Round(0)
	for _, s := range b.Schedules() {
		v := b.view(s, t.Add(-horizon), t.Add(2*horizon))
		g := Glance{Schedule: s, Now: v.around(t)}
		for u := g.Now.Until; !u.IsZero() && u.Before(t.Add(horizon)); { // not the same person again
			if g.Next = v.around(u); g.Next.Person != g.Now.Person {
				break
			}
			u, g.Next = g.Next.Until, Shift{}
		}
		list = append(list, g)
	}
	return list
}

// Duties returns the shifts of one person in all schedules, whole ones, of which a part lies from one instant to another: in order of their beginning, then by schedule.
func (b *Book) Duties(person string, from, until time.Time) (list []Shift, err error) {
	for _, s := range b.Schedules() {
		whole, err := b.Whole(s.ID, from, until)
		if err != nil {
			return nil, err
		}
		for _, x := range whole {
			if x.Person == person {
				list = append(list, x)
			}
		}
	}
	slices.SortStableFunc(list, func(x, y Shift) int { return cmp.Or(x.Since.Compare(y.Since), cmp.Compare(x.Schedule, y.Schedule)) })
	return list, nil
}

// Whole is Shifts with the first and the last in their full length, and with the gaps, which are cut.
func (b *Book) Whole(id string, from, until time.Time) (list []Shift, err error) {
	v, lo, hi, err := b.span(id, from, until)
	if err != nil {
		return nil, err
	}
	v.walk(lo, hi, v.at, func(x Shift) bool {
		list = append(list, x)
		return true
	})
	v = b.view(v.s, lo.Add(-horizon), hi.Add(horizon))
	for n := range list {
		x := &list[n]
		if x.Person == "" {
			continue
		}
		if n == 0 {
			x.Since = v.around(x.Since).Since
		}
		if n == len(list)-1 {
			x.Until = v.around(x.Since).Until
		}
	}
	return list, nil
}
