package rota

import (
	"fmt"
	"testing"
	"time"

	"tocsin/internal/entry"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// The instants are known from the zones' rules, not from this program.
func TestWall(t *testing.T) {
	for _, x := range []struct {
		name, zone, date string
		at               minute
		want             string // UTC
	}{
		{"an ordinary day", "Europe/Berlin", "2026-01-05", 9 * 60, "2026-01-05T08:00:00Z"},
		{"in the hour that is left out: the first instant after it", "Europe/Berlin", "2026-03-29", 2*60 + 30, "2026-03-29T01:00:00Z"},
		{"where that hour begins", "Europe/Berlin", "2026-03-29", 2 * 60, "2026-03-29T01:00:00Z"},
		{"where that hour ends", "Europe/Berlin", "2026-03-29", 3 * 60, "2026-03-29T01:00:00Z"},
		{"a minute before it", "Europe/Berlin", "2026-03-29", 2*60 - 1, "2026-03-29T00:59:00Z"},
		{"in the hour that comes twice: the first time", "Europe/Berlin", "2026-10-25", 2*60 + 30, "2026-10-25T00:30:00Z"},
		{"where that hour begins: the first time", "Europe/Berlin", "2026-10-25", 2 * 60, "2026-10-25T00:00:00Z"},
		{"where that hour ends: the only time", "Europe/Berlin", "2026-10-25", 3 * 60, "2026-10-25T02:00:00Z"},
		{"New York, left out", "America/New_York", "2026-03-08", 2*60 + 30, "2026-03-08T07:00:00Z"},
		{"New York, twice", "America/New_York", "2026-11-01", 1*60 + 30, "2026-11-01T05:30:00Z"},
		{"Lord Howe, half an hour left out", "Australia/Lord_Howe", "2026-10-04", 2*60 + 15, "2026-10-03T15:30:00Z"},
		{"Lord Howe, behind that", "Australia/Lord_Howe", "2026-10-04", 2*60 + 45, "2026-10-03T15:45:00Z"},
		{"Lord Howe, half an hour twice", "Australia/Lord_Howe", "2026-04-05", 1*60 + 45, "2026-04-04T14:45:00Z"},
		{"Kolkata", "Asia/Kolkata", "2026-03-29", 2*60 + 30, "2026-03-28T21:00:00Z"},
		{"St. John's, whose clocks went back at 00:01, over midnight", "America/St_Johns", "2010-11-07", 0, "2010-11-07T02:30:00Z"},
		{"and one hour before that midnight", "America/St_Johns", "2010-11-06", 23*60 + 30, "2010-11-07T02:00:00Z"},
		{"Casablanca, before Ramadan: clocks go back", "Africa/Casablanca", "2026-02-15", 2*60 + 30, "2026-02-15T01:30:00Z"},
		{"Casablanca, after it: an hour is left out", "Africa/Casablanca", "2026-03-22", 2*60 + 30, "2026-03-22T02:00:00Z"},
		{"Santiago, whose midnight is left out", "America/Santiago", "2026-09-06", 0, "2026-09-06T04:00:00Z"},
		{"Samoa, a day that was left out", "Pacific/Apia", "2011-12-30", 9 * 60, "2011-12-30T10:00:00Z"},
		{"and the day after", "Pacific/Apia", "2011-12-31", 9 * 60, "2011-12-30T19:00:00Z"},
		{"the end of a day", "Europe/Berlin", "2026-01-05", 24 * 60, "2026-01-05T23:00:00Z"},
	} {
		d, err := parseDay(x.date)
		if err != nil {
			t.Fatal(err)
		}
		if got := wall(zoneOf(t, x.zone), d, x.at).Format(time.RFC3339); got != x.want {
			t.Errorf("%s: %s %s %s is %s, want %s", x.name, x.zone, x.date, x.at, got, x.want)
		}
	}
}

// Around each change of many clocks wall is the first instant at which a clock that is watched has come so far.
func TestWallIsTheFirstInstant(t *testing.T) {
	told := 0
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca", "America/Santiago", "Africa/Cairo", "Asia/Gaza", "Antarctica/Troll",
		"Asia/Beirut", "America/Havana", "Pacific/Apia", "Pacific/Chatham", "Asia/Tehran", "America/Sao_Paulo", "Europe/Lisbon", "America/Caracas", "Asia/Pyongyang"} {
		zone := zoneOf(t, name)
		shown := func(u time.Time) time.Time {
			l := u.In(zone)
			return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)
		}
		for from := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC); from.Year() < 2028; {
			_, end := from.In(zone).ZoneBounds()
			if end.IsZero() {
				break
			}
			step := 15 * time.Minute
			if !end.Equal(end.Truncate(step)) { // some have changed at 00:01
				step = time.Minute
			}
			want := shown(end.Add(-40 * time.Hour)).Truncate(step).Add(step)
			for at := end.Add(-40 * time.Hour).UTC().Truncate(step); at.Before(end.Add(30 * time.Hour)); at = at.Add(step) {
				for ; !want.After(shown(at)); want = want.Add(step) { // now, for the first time, the clock has come to want
					d := dayOf(want, time.UTC)
					m := minute(want.Sub(time.Unix(int64(d)*secondsADay, 0)) / time.Minute)
					if got := wall(zone, d, m); !got.Equal(at) {
						t.Fatalf("%s: %s %s is first at %s, not %s", name, d, m, at, got)
					}
					told++
				}
			}
			from = end.Add(time.Second).UTC()
		}
	}
	if told < 50_000 {
		t.Errorf("%d times of day only", told)
	}
}

func TestParseClocks(t *testing.T) {
	for s, want := range map[string]minute{"00:00": 0, "09:05": 545, "23:59": 1439, "24:00": -1, "25:00": -1, "9:00": -1, "09:60": -1, "": -1, "+9:00": -1, "09:0a": -1, "09.00": -1, "٠٩:٠٠": -1} {
		if m, err := parseMinute(s, false); (err != nil) != (want < 0) || err == nil && (m != want || m.String() != s) {
			t.Errorf("%q: %v, %v", s, m, err)
		}
	}
	if m, err := parseMinute("24:00", true); m != 24*60 || err != nil {
		t.Errorf("24:00 as an end: %v, %v", m, err)
	}
	for _, s := range []string{"", "2026-02-29", "2026-2-1", "1999-12-31", "2201-01-01", "2026-01-01T00:00:00Z", "mon"} {
		if d, err := parseDay(s); err == nil {
			t.Errorf("%q is %s", s, d)
		}
	}
	for y := firstYear; y <= lastYear; y++ {
		d := dayAt(y, time.March, 1)
		if want := time.Date(y, time.March, 1, 0, 0, 0, 0, time.UTC); d.weekday() != want.Weekday() || d.String() != want.Format(time.DateOnly) {
			t.Errorf("1 March %d is %s, a %s", y, d, d.weekday())
		}
	}
}

// A hand-over in the hour that is left out, or comes twice, happens once; turns count days.
func TestHandoversWhenClocksChange(t *testing.T) {
	for _, x := range []struct {
		zone, at, want string
		from           time.Time
	}{
		{"Europe/Berlin", "02:30", `
			Sat 28.03. 02:30 - Sun 29.03. 03:00 boris: turn in layer week
			Sun 29.03. 03:00 - Mon 30.03. 02:30 anna: turn in layer week
			`, time.Date(2026, 3, 28, 1, 30, 0, 0, time.UTC)},
		{"Europe/Berlin", "02:30", `
			Sat 24.10. 02:30 - Sun 25.10. 02:30 boris: turn in layer week
			Sun 25.10. 02:30 - Mon 26.10. 02:30 anna: turn in layer week
			`, time.Date(2026, 10, 24, 0, 30, 0, 0, time.UTC)},
		{"Australia/Lord_Howe", "02:15", `
			Sat 03.10. 02:15 - Sun 04.10. 02:30 boris: turn in layer week
			Sun 04.10. 02:30 - Mon 05.10. 02:15 anna: turn in layer week
			`, time.Date(2026, 10, 2, 15, 45, 0, 0, time.UTC)},
	} {
		k := team("anna", "boris")
		s := weekly(x.zone)
		l := &s.Layers[0]
		l.Rotation, l.Weekday, l.At, l.Start = Daily, "", x.at, x.from.In(zoneOf(t, x.zone)).AddDate(0, 0, -7).Format(time.DateOnly)
		k.put(t, monday, s)
		m, err := parseMinute(x.at, false)
		if err != nil {
			t.Fatal(err)
		}
		until := wall(zoneOf(t, x.zone), dayOf(x.from, zoneOf(t, x.zone))+2, m)
		k.want(t, "web", x.from, until, x.want)
	}
	k := team("anna", "boris")
	s := weekly("Europe/Berlin")
	s.Layers[0].Rotation, s.Layers[0].Weekday, s.Layers[0].At = Daily, "", "02:30"
	k.put(t, monday, s)
	for day, want := range map[string]time.Duration{
		"2026-03-27": 24 * time.Hour, "2026-03-28": 23*time.Hour + 30*time.Minute, // up to 03:00, when the clock jumps
		"2026-03-29": 23*time.Hour + 30*time.Minute, "2026-10-24": 24 * time.Hour, "2026-10-25": 25 * time.Hour, // both hours after the first 02:30
	} {
		d, err := parseDay(day)
		if err != nil {
			t.Fatal(err)
		}
		x, err := k.OnCall("web", wall(zoneOf(t, "Europe/Berlin"), d, 12*60))
		if err != nil || len(x) != 1 || x[0].Until.Sub(x[0].Since) != want {
			t.Errorf("%s: %v, %v, want %v", day, x, err, want)
		}
	}
}

// Hours that the clock leaves out are none; hours that it repeats are longer.
func TestHoursWhenClocksChange(t *testing.T) {
	k := team("anna")
	s := weekly("Europe/Berlin")
	s.Layers[0].Rotation, s.Layers[0].Weekday, s.Layers[0].People = Daily, "", []string{"anna"}
	s.Layers[0].Hours = []entry.ScheduleHours{{Days: []string{"sun"}, From: "02:00", Until: "03:00"}}
	k.put(t, monday, s)
	for month, want := range map[time.Month]string{time.March: "[01 1h0m0s 08 1h0m0s 15 1h0m0s 22 1h0m0s]", time.October: "[04 1h0m0s 11 1h0m0s 18 1h0m0s 25 2h0m0s]"} {
		from, until := k.schedules["web"].Month(2026, month)
		var got []string
		for _, x := range k.shifts(t, "web", from, until) {
			got = append(got, x.Since.In(k.schedules["web"].Zone()).Format("02"), x.Until.Sub(x.Since).String())
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", month, got, want)
		}
	}
}
