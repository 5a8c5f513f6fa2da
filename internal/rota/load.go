package rota

import (
	"cmp"
	"slices"
	"time"
)

// Night is from 23:00 to 06:00 by the schedule's clock: the seven hours that Directive 2003/88/EC, article 2, asks of a night time at least. A weekend is
// Saturday and Sunday.
const (
	nightFrom  minute = 23 * 60
	nightUntil minute = 6 * 60
)

// A Load is what one person carries in a time. All are hours on call as they pass, so that a night in which clocks change has one more or less;
// an hour of a Sunday night counts as night and as weekend.
type Load struct {
	Person  string // "" is nobody: the gaps
	All     time.Duration
	Night   time.Duration
	Weekend time.Duration
	Holiday time.Duration // on holidays of the schedule
	Shifts  int           // of which a part lies in the time
}

// Loads says who carries how much of a schedule from one instant to another, whoever carries most first, and nobody last. Everybody of the team
// who is in the schedule is told of, so that a zero is seen too.
func (b *Book) Loads(id string, from, until time.Time) ([]Load, error) {
	v, lo, hi, err := b.span(id, from, until)
	if err != nil {
		return nil, err
	}
	sum := map[string]*Load{}
	for _, l := range v.s.Layers {
		for _, person := range l.People {
			if b.people[person] {
				sum[person] = &Load{Person: person}
			}
		}
	}
	v.walk(lo, hi, v.at, func(x Shift) bool {
		l := sum[x.Person]
		if l == nil {
			l = &Load{Person: x.Person}
			sum[x.Person] = l
		}
		l.add(v, x)
		return true
	})
	var list []Load
	for _, l := range sum {
		list = append(list, *l)
	}
	slices.SortFunc(list, func(x, y Load) int {
		return cmp.Or(cmp.Compare(b2i(x.Person == ""), b2i(y.Person == "")), cmp.Compare(y.All, x.All), cmp.Compare(x.Person, y.Person))
	})
	return list, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Month says when a month begins and ends by the clocks of the schedule's newest zone.
func (s *Schedule) Month(year int, month time.Month) (from, until time.Time) {
	return wall(s.Zone(), dayAt(year, month, 1), 0), wall(s.Zone(), dayAt(year, month+1, 1), 0)
}

// add counts a shift.
func (l *Load) add(v *view, x Shift) {
	l.Shifts++
	l.All += x.Until.Sub(x.Since)
	for t := x.Since; t.Before(x.Until); { // a stretch in which one version counts
		now := v.s.version(t)
		end := x.Until
		for _, o := range v.s.versions {
			if o.since.After(t) && o.since.Before(end) {
				end = o.since
			}
		}
		within := func(from, until time.Time) time.Duration { return max(earlier(until, end).Sub(later(from, t)), 0) }
		for d := dayOf(t, now.zone) - 1; d <= dayOf(end, now.zone)+1; d++ {
			l.Night += within(wall(now.zone, d, nightFrom), wall(now.zone, d+1, nightUntil))
			begin, next := wall(now.zone, d, 0), wall(now.zone, d+1, 0)
			if w := d.weekday(); w == time.Saturday || w == time.Sunday {
				l.Weekend += within(begin, next)
			}
		}
		for n := range now.holidays {
			h := &now.holidays[n]
			h.over(dayOf(t, now.zone)-1, dayOf(end, now.zone)+1, func(first, last day) {
				l.Holiday += within(wall(now.zone, first, h.at), wall(now.zone, last+1, h.at))
			})
		}
		t = end
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
