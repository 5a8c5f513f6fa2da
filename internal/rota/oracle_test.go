package rota

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/internal/entry"
)

// The oracle says who is on call in the dumbest way that can be thought of. It never turns a time of day into an instant: it walks along the time,
// looks at the clock on the wall, and remembers the latest that this clock has shown so far. All days and times of day are held against that. So it
// shares neither a line nor an idea with the package, but for the sentence of clock.go that says when a time of day is.
type oracle struct {
	entries  []entry.Entry // that are still to come, in order of time
	id       string        // of the schedule
	step     time.Duration // so short that no time of day of the schedule is stepped over where clocks go back
	zone     *time.Location
	shown    time.Time // the latest that the clock has shown, as if it were UTC
	turns    map[turnKey]int
	clocks   map[clockKey]time.Time
	schedule *entry.Schedule
	version  int
	left     map[string]bool
	absences []entry.Absence
	overs    []entry.Override
}

type turnKey struct {
	version int
	layer   string
}

type clockKey struct {
	date, at string
	days     int
}

// walk goes on to t.
func (o *oracle) walk(t time.Time) {
	l := t.In(o.zone)
	now := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)
	if now.After(o.shown) {
		o.shown = now
	}
}

func parse[T any](e entry.Entry) (x T) {
	if err := json.Unmarshal(e.Body, &x); err != nil {
		panic(err)
	}
	return x
}

// clockOn is a time of day so many days after a date. It is remembered, because reading texts would be nearly all that this test does.
func (o *oracle) clockOn(date, at string, days int) time.Time {
	key := clockKey{date, at, days}
	if t, ok := o.clocks[key]; ok {
		return t
	}
	t, err := time.Parse("2006-01-02 15:04", date+" "+cmp.Or(strings.Replace(at, "24:00", "00:00", 1), "00:00"))
	if err != nil {
		panic(err)
	}
	if at == "24:00" {
		days++
	}
	o.clocks[key] = t.AddDate(0, 0, days)
	return o.clocks[key]
}

// read takes in what was entered up to t.
func (o *oracle) read(t time.Time) {
	for ; len(o.entries) > 0 && !o.entries[0].Time.After(t); o.entries = o.entries[1:] {
		switch e := o.entries[0]; e.Kind {
		case entry.SchedulePut:
			if x := parse[entry.Schedule](e); x.ID == o.id {
				o.schedule, o.version = &x, o.version+1
				zone, err := time.LoadLocation(x.Zone)
				if err != nil {
					panic(err)
				}
				o.zone, o.shown = zone, time.Time{}
				for at := t.Add(-72 * time.Hour); !at.After(t); at = at.Add(o.step) { // what this other clock has shown
					o.walk(at)
				}
			}
		case entry.ScheduleEnded:
			if parse[entry.ScheduleEnd](e).ID == o.id {
				o.schedule = nil
			}
		case entry.ScheduleOverridden:
			o.overs = append(o.overs, parse[entry.Override](e))
		case entry.OverrideEnded:
			o.overs[parse[entry.OverrideEnd](e).ID-1].Until = time.Time{}
		case entry.PersonAbsent:
			o.absences = append(o.absences, parse[entry.Absence](e))
		case entry.PersonBack:
			o.absences[parse[entry.AbsenceEnd](e).ID-1].Until = time.Time{}
		case entry.PersonPut:
			x := parse[entry.Person](e)
			o.left[x.ID] = x.Gone
		}
	}
}

// who answers at t: "anna layer week", or "" for nobody.
func (o *oracle) who(t time.Time) string {
	o.read(t)
	if o.schedule == nil {
		return ""
	}
	away := maps.Clone(o.left)
	for _, a := range o.absences {
		if !t.Before(a.From) && t.Before(a.Until) {
			away[a.Person] = true
		}
	}
	person, why := o.base(away)
	for n, x := range o.overs {
		if x.Schedule != o.id || t.Before(x.From) || !t.Before(x.Until) {
			continue
		}
		to := x.Person
		if x.Swap && person == x.Person {
			to = x.Instead
		} else if x.Instead != "" && person != x.Instead {
			continue
		}
		if !away[to] {
			person, why = to, fmt.Sprintf("override %d", n+1)
		}
	}
	if person == "" {
		return ""
	}
	return person + " " + why
}

func (o *oracle) base(away map[string]bool) (person, why string) {
	s := o.schedule
	for _, h := range slices.Backward(s.Holidays) {
		for year := -1; year <= 5; year++ { // after the one that is named
			from, until := o.clockOn(h.From, h.At, 0), o.clockOn(h.Until, h.At, 1)
			if year != 0 {
				if !h.Yearly {
					continue
				}
				days := until.Sub(from)
				from = time.Date(from.Year()+year, from.Month(), from.Day(), from.Hour(), from.Minute(), 0, 0, time.UTC)
				until = from.Add(days)
			}
			if o.shown.Before(from) || !o.shown.Before(until) {
				continue
			}
			if h.Person != "" && !away[h.Person] {
				return h.Person, "holiday " + h.ID
			}
			for _, l := range s.Layers {
				if l.ID == h.Layer {
					if person, ok := o.layer(l, away); ok {
						return person, "layer " + l.ID
					}
				}
			}
		}
	}
	for _, l := range slices.Backward(s.Layers) {
		if !l.Spare {
			if person, ok := o.layer(l, away); ok {
				return person, "layer " + l.ID
			}
		}
	}
	return "", ""
}

func (o *oracle) layer(l entry.ScheduleLayer, away map[string]bool) (string, bool) {
	open := len(l.Hours) == 0
	for _, h := range l.Hours {
		for _, back := range []int{0, 1} {
			day := o.shown.AddDate(0, 0, -back)
			name := day.Weekday().String()
			name = string(name[0]+'a'-'A') + name[1:3]
			if !slices.Contains(h.Days, name) {
				continue
			}
			date := day.Format("2006-01-02")
			from, until := o.clockOn(date, h.From, 0), o.clockOn(date, h.Until, 0)
			if !until.After(from) {
				until = o.clockOn(date, h.Until, 1)
			}
			if !o.shown.Before(from) && o.shown.Before(until) {
				open = true
			}
		}
	}
	if !open {
		return "", false
	}
	first, every := o.clockOn(l.Start, l.At, 0), 1
	switch l.Rotation {
	case "weekly":
		every = 7
		for first.Weekday().String()[:3] != string(l.Weekday[0]+'A'-'a')+l.Weekday[1:] {
			first = first.AddDate(0, 0, 1)
		}
	case "days":
		every = l.Days
	}
	key := turnKey{o.version, l.ID}
	for !first.AddDate(0, 0, every*o.turns[key]).After(o.shown) {
		o.turns[key]++
	}
	if o.turns[key] == 0 {
		return "", false
	}
	for n := range l.People {
		p := l.People[(o.turns[key]-1+n)%len(l.People)]
		if !away[p] {
			return p, true
		}
		if l.Absent == "gap" {
			return "", true
		}
	}
	return "", false
}

// near reports whether the clocks change within two days of t.
func near(t time.Time) bool {
	begun, end := t.ZoneBounds()
	return !begun.IsZero() && t.Sub(begun) < 48*time.Hour || !end.IsZero() && end.Sub(t) < 48*time.Hour
}

// hold walks a schedule with the oracle from one instant to another in steps and holds OnCall, Shifts and Gaps against it: at every step, or at every full
// hour and at every step near a change of clocks.
func (k *kept) hold(t rapid.TB, id string, from, until time.Time, step time.Duration, every bool) {
	t.Helper()
	s, err := k.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	o := &oracle{entries: k.entries, id: id, step: step, zone: time.UTC, turns: map[turnKey]int{}, left: map[string]bool{}, clocks: map[clockKey]time.Time{}}
	list := k.shifts(t, id, from, until)
	gaps, err := k.Gaps(id, from, until)
	if err != nil {
		t.Fatal(err)
	}
	v := k.view(s, from.Add(-horizon), until.Add(horizon))
	before, n, last := "?", 0, time.Time{}
	for at := from; at.Before(until); at = at.Add(step) {
		if o.walk(at); !every && at.Minute() != 0 && !near(at.In(o.zone)) {
			continue
		}
		fine := at.Sub(last) == step
		last = at
		want := o.who(at)
		word := func(x Shift) string {
			if x.Person == "" {
				return ""
			}
			return x.Person + " " + x.By + " " + x.ID
		}
		if got := word(v.at(at)); got != want {
			t.Fatalf("%s, at %s: %q, the oracle says %q", s.Schedule.Zone, at.In(o.zone), got, want)
		}
		for len(list) > 0 && !at.Before(list[0].Until) {
			list = list[1:]
		}
		for len(gaps) > 0 && !at.Before(gaps[0].Until) {
			gaps = gaps[1:]
		}
		in := len(list) > 0 && !at.Before(list[0].Since)
		gap := len(gaps) > 0 && !at.Before(gaps[0].Since)
		if in != (want != "") || in && word(list[0]) != want || gap != (want == "" && v.stands(at)) {
			t.Fatalf("%s, at %s: shifts %v, gaps %v, the oracle says %q", s.Schedule.Zone, at.In(o.zone), list[:min(1, len(list))], gaps[:min(1, len(gaps))], want)
		}
		if want != before && in && fine && !list[0].Since.Equal(at) {
			t.Fatalf("%s, at %s: %q begins at %s", s.Schedule.Zone, at.In(o.zone), want, list[0].Since.In(o.zone))
		}
		if n++; n%97 == 0 && in {
			x, err := k.OnCall(id, at)
			if err != nil || len(x) != 1 || word(x[0]) != want || !list[0].Since.Equal(from) && !x[0].Since.Equal(list[0].Since) || !list[0].Until.Equal(until) && !x[0].Until.Equal(list[0].Until) {
				t.Fatalf("%s, at %s: OnCall %v (%v), Shifts %v", s.Schedule.Zone, at.In(o.zone), x, err, list[0])
			}
		}
		before = want
	}
}

// zones are five that change their clocks in different ways, and one that never does; Lord Howe by half an hour, Casablanca four times a year or not at all.
var zones = []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns", "Africa/Casablanca"}

// busy is a schedule in which everything happens, most of it when clocks change.
func busy(t rapid.TB, zone string) *kept {
	k := team("anna", "boris", "carla", "dmitri", "elif", "farid")
	x := weekly(zone)
	x.Layers = append(x.Layers,
		entry.ScheduleLayer{ID: "three", People: []string{"carla", "dmitri"}, Rotation: Days, Days: 3, At: "02:30", Start: "2026-01-06", Absent: LeaveGap,
			Hours: []entry.ScheduleHours{{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "18:00", Until: "08:00"}, {Days: []string{"sun"}, From: "01:30", Until: "02:15"}}},
		entry.ScheduleLayer{ID: "dawn", People: []string{"elif", "farid", "elif"}, Rotation: Daily, At: "02:00", Start: "2026-02-01",
			Hours: []entry.ScheduleHours{{Days: []string{"sat", "sun"}, From: "02:00", Until: "03:00"}, {Days: []string{"tue"}, From: "00:00", Until: "24:00"}}},
		entry.ScheduleLayer{ID: "feast", People: []string{"farid", "boris"}, Rotation: Weekly, Weekday: "sun", At: "03:00", Start: "2026-01-05", Spare: true,
			Hours: []entry.ScheduleHours{{Days: []string{"thu", "fri", "sat", "sun"}, From: "06:00", Until: "02:00"}}})
	x.Holidays = []entry.ScheduleHoliday{
		{ID: "christmas", From: "2025-12-24", Until: "2026-01-02", Yearly: true, At: "02:30", Layer: "feast"},
		{ID: "spring", From: "2026-03-29", Until: "2026-03-29", Person: "carla"},
		{ID: "autumn", From: "2026-10-25", Until: "2026-10-25", At: "02:30", Person: "dmitri"},
		{ID: "may", From: "2026-05-01", Until: "2026-05-01", Yearly: true, Person: "elif"},
	}
	k.put(t, monday.Add(30*time.Minute), x)
	for n := range 40 {
		from := monday.Add(time.Duration(n)*417*time.Hour + 45*time.Minute)
		o := entry.Override{Schedule: "web", Person: "elif", From: from, Until: from.Add(31 * time.Hour)}
		switch n % 4 {
		case 1:
			o.Instead = "anna"
		case 2:
			o.Instead, o.Person = "boris", "anna"
			o.Swap = true
		}
		if d, err := k.Override("desk", o, from.Add(-time.Hour)); err == nil {
			k.must(t, from.Add(-time.Hour), d, nil)
		}
		k.absent(t, from.Add(-time.Hour), []string{"anna", "dmitri", "elif"}[n%3], from.Add(9*time.Hour), from.Add(120*time.Hour))
		switch n {
		case 8:
			d, err := k.EndOverride("desk", int64(len(k.Book.overrides)), from.Add(time.Hour))
			k.must(t, from.Add(time.Hour), d, err)
			d, err = k.EndAbsence("desk", int64(len(k.Book.absences)), from.Add(10*time.Hour))
			k.must(t, from.Add(10*time.Hour), d, err)
		case 20, 23:
			x.Layers[0].Rotation, x.Layers[0].Weekday, x.Layers[0].At = Daily, "", "00:00"
			x.Layers[1].Start = "2026-01-07"
			k.put(t, from.Add(time.Hour), x)
		case 25, 33:
			if err := k.person(from.Add(time.Hour), "farid", n == 25); err != nil {
				t.Fatal(err)
			}
		}
	}
	return k
}

// Every hour of two years in six zones, and every quarter of an hour when clocks change, is what the oracle says; every minute with TOCSIN_SOAK.
func TestTwoYearsInSixZones(t *testing.T) {
	step, every := 15*time.Minute, false
	if os.Getenv("TOCSIN_SOAK") != "" {
		step, every = time.Minute, true
	}
	for _, zone := range zones {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			busy(t, zone).hold(t, "web", monday.Add(-time.Hour), monday.AddDate(2, 0, 0), step, every)
		})
	}
}

// Clocks that go back over midnight, so that a day comes again, and a day that a place left out.
func TestOddestDays(t *testing.T) {
	for zone, day := range map[string]time.Time{"America/St_Johns": time.Date(2010, 11, 7, 0, 0, 0, 0, time.UTC), "Pacific/Apia": time.Date(2011, 12, 30, 0, 0, 0, 0, time.UTC)} {
		for _, at := range []string{"00:00", "23:30", "09:00"} {
			k := &kept{Book: NewBook(time.LoadLocation)}
			for _, p := range []string{"anna", "boris"} {
				if err := k.person(day.AddDate(0, 0, -20), p, false); err != nil {
					t.Fatal(err)
				}
			}
			x := weekly(zone)
			x.Layers[0].Rotation, x.Layers[0].Weekday, x.Layers[0].At, x.Layers[0].Start = Daily, "", at, day.AddDate(0, 0, -9).Format(time.DateOnly)
			x.Layers = append(x.Layers, entry.ScheduleLayer{ID: "sunday", People: []string{"boris"}, Rotation: Daily, At: at, Start: "2010-01-01",
				Hours: []entry.ScheduleHours{{Days: []string{"sun", "fri"}, From: "00:00", Until: "24:00"}}})
			k.put(t, day.AddDate(0, 0, -10), x)
			k.hold(t, "web", day.AddDate(0, 0, -3), day.AddDate(0, 0, 4), time.Minute, true)
		}
	}
}
