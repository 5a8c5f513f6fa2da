package rota

import (
	"fmt"
	"time"

	"tocsin/internal/entry"
)

// Rotations.
const (
	Daily  = "daily"
	Weekly = "weekly"
	Days   = "days"
)

// LeaveGap, as a layer's Absent: nobody is on call while the one whose turn it is is away, so that somebody sees it and decides.
const LeaveGap = "gap"

// A layer is an entry.ScheduleLayer, read.
type layer struct {
	id     string
	people []string
	first  day // of the first turn
	every  int // days a turn has
	at     minute
	hours  []hours // none is always
	gap    bool
	spare  bool
}

// hours are a part of the week.
type hours struct {
	on          [7]bool // by time.Weekday
	from, until minute
	next        bool // until is on the next day
}

func readLayer(x entry.ScheduleLayer) (l layer, err error) {
	l = layer{id: x.ID, people: x.People, every: 1, gap: x.Absent == LeaveGap, spare: x.Spare}
	if err := checkName("a layer's id", x.ID); err != nil {
		return l, err
	}
	wrong := func(err error) (layer, error) { return l, fmt.Errorf("layer %s: %w", x.ID, err) }
	if len(x.People) == 0 {
		return wrong(fmt.Errorf("nobody is in it; name at least one person"))
	}
	if len(x.People) > maxPeople {
		return wrong(fmt.Errorf("it has %d people; at most %d take turns in one layer", len(x.People), maxPeople))
	}
	if l.at, err = parseMinute(x.At, false); err != nil {
		return wrong(fmt.Errorf("hand-over: %w", err))
	}
	if l.first, err = parseDay(x.Start); err != nil {
		return wrong(fmt.Errorf("start: %w", err))
	}
	if err := l.readRotation(x); err != nil {
		return wrong(err)
	}
	if x.Absent != "" && x.Absent != LeaveGap {
		return wrong(fmt.Errorf("%.20q is no way to stand in for somebody who is away; leave it empty (the next in order) or write %s", x.Absent, LeaveGap))
	}
	if len(x.Hours) > maxHours {
		return wrong(fmt.Errorf("it has %d parts of the week; at most %d are read", len(x.Hours), maxHours))
	}
	for n, h := range x.Hours {
		r, err := readHours(h)
		if err != nil {
			return wrong(fmt.Errorf("hours %d: %w", n+1, err))
		}
		l.hours = append(l.hours, r)
	}
	return l, nil
}

// readRotation reads how long a turn is, and moves the first one to its day of the week.
func (l *layer) readRotation(x entry.ScheduleLayer) error {
	if x.Rotation != Weekly && x.Weekday != "" {
		return fmt.Errorf("a day of the week goes with a weekly rotation only; the rotation is %.20q", x.Rotation)
	}
	if x.Rotation != Days && x.Days != 0 {
		return fmt.Errorf("a number of days goes with the rotation %q only; the rotation is %.20q", Days, x.Rotation)
	}
	switch x.Rotation {
	case Daily:
	case Weekly:
		on, err := parseWeekday(x.Weekday)
		if err != nil {
			return fmt.Errorf("hand-over: %w", err)
		}
		l.first += day((on - l.first.weekday() + 7) % 7)
		l.every = 7
	case Days:
		if x.Days < 1 || x.Days > maxTurn {
			return fmt.Errorf("a turn of %d days cannot be; 1 to %d can", x.Days, maxTurn)
		}
		l.every = x.Days
	default:
		return fmt.Errorf("%.20q is no rotation; write %s, %s or %s", x.Rotation, Daily, Weekly, Days)
	}
	return nil
}

func readHours(x entry.ScheduleHours) (h hours, err error) {
	if len(x.Days) == 0 {
		return h, fmt.Errorf("no day of the week is named")
	}
	for _, s := range x.Days {
		on, err := parseWeekday(s)
		if err != nil {
			return h, err
		}
		if h.on[on] {
			return h, fmt.Errorf("%s is named twice", s)
		}
		h.on[on] = true
	}
	if h.from, err = parseMinute(x.From, false); err != nil {
		return h, err
	}
	if h.until, err = parseMinute(x.Until, true); err != nil {
		return h, err
	}
	h.next = h.until <= h.from
	return h, nil
}

// turn says which turn it is at t, counted from 0, and when it began and ends. Before the first one it is -1, and began is zero.
// A turn counts days of the calendar, so one with a clock change is an hour longer or shorter.
func (l *layer) turn(zone *time.Location, t time.Time) (k int, began, ends time.Time) {
	begin := func(k int) time.Time { return wall(zone, l.first+day(k*l.every), l.at) }
	k = max(floorDiv(int(dayOf(t, zone)-l.first), l.every), -1)
	for k >= 0 && begin(k).After(t) {
		k--
	}
	for !begin(k + 1).After(t) {
		k++
	}
	if k < 0 {
		return -1, time.Time{}, begin(0)
	}
	return k, begin(k), begin(k + 1)
}

// open reports whether the layer's hours cover t.
func (l *layer) open(zone *time.Location, t time.Time) bool {
	if len(l.hours) == 0 {
		return true
	}
	d := dayOf(t, zone)
	for _, h := range l.hours {
		for on := d - 1; on <= d+1; on++ { // tomorrow too: where clocks go back over midnight, today comes again after it
			if from, until, ok := h.span(zone, on); ok && !t.Before(from) && t.Before(until) {
				return true
			}
		}
	}
	return false
}

// span returns when the hours that begin on a day begin and end; not ok when none do.
func (h *hours) span(zone *time.Location, on day) (from, until time.Time, ok bool) {
	if !h.on[on.weekday()] {
		return from, until, false
	}
	end := on
	if h.next {
		end++
	}
	return wall(zone, on, h.from), wall(zone, end, h.until), true
}

// A holiday is an entry.ScheduleHoliday, read.
type holiday struct {
	id          string
	first, last day
	at          minute
	yearly      bool
	layer       int // -1 is none
	person      string
}

// in returns the first and last day of a yearly holiday that begins in a year.
func (h *holiday) in(year int) (first, last day) {
	_, month, dom := h.first.date()
	first = dayAt(year, month, dom)
	return first, first + h.last - h.first
}

// near calls yield with the first and last day of the holiday in each year in which it may touch day d.
func (h *holiday) near(d day, yield func(first, last day)) {
	if !h.yearly {
		yield(h.first, h.last)
		return
	}
	year, _, _ := d.date()
	for y := year - 1; y <= year+1; y++ {
		yield(h.in(y))
	}
}

// span returns when the holiday that covers t began and ends; not ok when it does not.
func (h *holiday) span(zone *time.Location, t time.Time) (from, until time.Time, ok bool) {
	d := dayOf(t, zone)
	h.near(d, func(first, last day) {
		if d < first-1 || d > last+2 {
			return
		}
		if b, e := wall(zone, first, h.at), wall(zone, last+1, h.at); !t.Before(b) && t.Before(e) {
			from, until, ok = b, e, true
		}
	})
	return from, until, ok
}
