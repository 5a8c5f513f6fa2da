package rota

import (
	"fmt"
	"slices"
	"time"
)

// A schedule lives by the clock on its wall, and a clock change must neither skip a hand-over nor make it twice. So each time of day
// happens at the first instant at which the clock has reached it: 02:30 of a night without an hour from 2 to 3 is the instant after the
// jump, and 02:30 of a night that has this hour twice is the first of the two. Read backwards: a schedule's clock stands
// still while the wall clock repeats what it has shown. A day that a place left out (Pacific/Apia, 30 December 2011) counts as a day of no length.

// A day is a date, as days since 1 January 1970.
type day int

// minute is a time of day: minutes after midnight, by the clock on the wall. 24*60 is the end of a day.
type minute int

const (
	secondsADay = 24 * 60 * 60
	firstYear   = 2000
	lastYear    = 2200
)

// parseDay reads 2026-11-30.
func parseDay(s string) (day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < firstYear || t.Year() > lastYear {
		return 0, fmt.Errorf("%.20q is no day; write one from %d to %d as 2026-11-30", s, firstYear, lastYear)
	}
	return day(t.Unix() / secondsADay), nil
}

// date returns the day's year, month and day of month.
func (d day) date() (int, time.Month, int) {
	return time.Unix(int64(d)*secondsADay, 0).UTC().Date()
}

func (d day) String() string { return time.Unix(int64(d)*secondsADay, 0).UTC().Format(time.DateOnly) }

// weekday returns it; 1 January 1970 was a Thursday.
func (d day) weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) }

// dayOf returns the day that the clocks of zone show at t.
func dayOf(t time.Time, zone *time.Location) day {
	return dayAt(t.In(zone).Date())
}

// dayAt returns the day of a date.
func dayAt(year int, m time.Month, d int) day {
	return day(floorDiv(int(time.Date(year, m, d, 0, 0, 0, 0, time.UTC).Unix()), secondsADay))
}

// parseMinute reads 09:00; end allows 24:00.
func parseMinute(s string, end bool) (minute, error) {
	digit := func(i int) int { return int(s[i]) - '0' }
	if len(s) == 5 && s[2] == ':' && !slices.ContainsFunc([]int{0, 1, 3, 4}, func(i int) bool { return digit(i) < 0 || digit(i) > 9 }) {
		h, m := digit(0)*10+digit(1), digit(3)*10+digit(4)
		if h < 24 && m < 60 || end && h == 24 && m == 0 {
			return minute(h*60 + m), nil
		}
	}
	if end {
		return 0, fmt.Errorf("%.20q is no time of day; write 00:00 to 24:00", s)
	}
	return 0, fmt.Errorf("%.20q is no time of day; write 00:00 to 23:59", s)
}

func (m minute) String() string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

// weekdays are the days of the week as entries write them, as time.Weekday counts them.
func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

func parseWeekday(s string) (time.Weekday, error) {
	if n := slices.Index(weekdays(), s); n >= 0 {
		return time.Weekday(n), nil
	}
	return 0, fmt.Errorf("%.20q is no day of the week; write mon, tue, wed, thu, fri, sat or sun", s)
}

// wall returns the first instant at which the clocks of zone show m on day d, or later.
func wall(zone *time.Location, d day, m minute) time.Time {
	shown := int64(d)*secondsADay + int64(m)*60 // as if the clocks showed UTC
	// Two days before, every clock of the world shows less. From there on, each period in which the clocks keep their offset is looked at in turn.
	from := time.Unix(shown-2*secondsADay, 0).In(zone)
	for {
		_, offset := from.Zone()
		_, end := from.ZoneBounds()
		at := time.Unix(shown-int64(offset), 0)
		switch {
		case at.Before(from): // the jump into this period passed it
			return from.UTC()
		case end.IsZero() || at.Before(end):
			return at.UTC()
		}
		from = end.In(zone)
	}
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
