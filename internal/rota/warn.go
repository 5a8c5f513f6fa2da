package rota

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Kinds of warnings.
const (
	WarnZone     = "zone"     // the machine does not know the schedule's zone
	WarnLeft     = "left"     // somebody who has left the team still stands in it
	WarnGap      = "gap"      // nobody is on call
	WarnNever    = "never"    // a layer decides nothing
	WarnOverride = "override" // an override does not count, for a time at least, because its person is away
)

// A Warning is something that somebody should see before it hurts.
type Warning struct {
	Kind   string
	Person string // of WarnLeft and WarnOverride
	Layer  string // of WarnNever
	ID     int64  // of WarnOverride
	Gap    Shift  // of WarnGap, and of WarnOverride the shift that comes of it
}

// String says it in a sentence, with times in UTC.
func (w Warning) String() string {
	span := w.Gap.Since.Format(time.RFC3339) + " to " + w.Gap.Until.Format(time.RFC3339)
	switch w.Kind {
	case WarnZone:
		return "this machine does not know the time zone of the schedule, so that all its times are reckoned in UTC; update the program, or choose another zone"
	case WarnLeft:
		return fmt.Sprintf("%s has left the team and is passed over; take them out of the schedule", w.Person)
	case WarnGap:
		return fmt.Sprintf("nobody is on call from %s; ask somebody for an override", span)
	case WarnNever:
		return fmt.Sprintf("layer %s puts nobody on call in all this time, because others are above it, or because its people are away", w.Layer)
	default:
		return fmt.Sprintf("override %d does not count from %s, because %s cannot be on call then", w.ID, span, w.Person)
	}
}

// Warnings says what is wrong with a schedule, and what will be from one instant to another: gaps and overrides in order of time, at most a hundred of them.
func (b *Book) Warnings(id string, from, until time.Time) (list []Warning, err error) {
	v, lo, hi, err := b.span(id, from, until)
	if err != nil {
		return nil, err
	}
	if v.s.ZoneLost {
		list = append(list, Warning{Kind: WarnZone})
	}
	for _, person := range v.s.people() {
		if here, known := b.people[person]; known && !here {
			list = append(list, Warning{Kind: WarnLeft, Person: person})
		}
	}
	decides := map[string]bool{}
	var later []Warning
	v.walk(lo, hi, v.at, func(x Shift) bool {
		if x.By == ByLayer {
			decides[x.ID] = true
		}
		for _, p := range x.Passed {
			if n, err := strconv.ParseInt(p.ID, 10, 64); err == nil && p.By == ByOverride {
				later = append(later, Warning{Kind: WarnOverride, Person: p.Person, ID: n, Gap: x})
			}
		}
		return true
	})
	for _, l := range v.s.Layers {
		if !l.Spare && !decides[l.ID] && lo.Before(hi) {
			list = append(list, Warning{Kind: WarnNever, Layer: l.ID})
		}
	}
	gaps, err := b.Gaps(id, from, until)
	for _, g := range gaps {
		later = append(later, Warning{Kind: WarnGap, Gap: g})
	}
	slices.SortStableFunc(later, func(x, y Warning) int { return x.Gap.Since.Compare(y.Gap.Since) })
	return append(list, later[:min(len(later), maxWarnings)]...), err
}

const maxWarnings = 100

// people returns everybody who stands in the newest version, each once, in order.
func (s *Schedule) people() (list []string) {
	add := func(person string) {
		if person != "" && !slices.Contains(list, person) {
			list = append(list, person)
		}
	}
	for _, l := range s.Layers {
		for _, person := range l.People {
			add(person)
		}
	}
	for _, h := range s.Holidays {
		add(h.Person)
	}
	return list
}
