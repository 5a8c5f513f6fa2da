package rota

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/entry"
)

// workdays is a schedule with gaps at the weekend, and with somebody away for whom nobody stands in.
func workdays(t *testing.T) *kept {
	k := team("anna", "boris")
	x := weekly("Europe/Berlin")
	x.Layers[0].Hours = []entry.ScheduleHours{{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "00:00", Until: "24:00"}}
	x.Layers[0].Absent = LeaveGap
	k.put(t, monday, x)
	k.absent(t, monday, "anna", monday.AddDate(0, 0, 10).Add(7*time.Hour), monday.AddDate(0, 0, 14))
	return k
}

func TestGaps(t *testing.T) {
	k := workdays(t)
	gaps, err := k.Gaps("web", monday, monday.AddDate(0, 0, 21))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(strings.TrimPrefix(`
		Sat 10.01. 00:00 - Mon 12.01. 00:00 : nobody is on call
		Thu 15.01. 08:00 - Mon 19.01. 01:00 : nobody is on call; anna (layer week) is absent
		Sat 24.01. 00:00 - Mon 26.01. 00:00 : nobody is on call
	`, "\n"), "\t", "")
	if d := cmp.Diff(want, told(zoneOf(t, "Europe/Berlin"), gaps)); d != "" {
		t.Error(d)
	}
	x, err := k.At("web", monday.AddDate(0, 0, 11))
	if err != nil || x.Person != "" || !x.Since.Equal(monday.AddDate(0, 0, 10).Add(7*time.Hour)) || len(x.Passed) != 1 || x.Passed[0].Why != Absent {
		t.Errorf("in the gap: %+v, %v", x, err)
	}
	// Nobody left to take a turn: no end of the gap is in sight, and it is told where it begins.
	for _, p := range []string{"anna", "boris"} {
		if err := k.person(monday.AddDate(0, 1, 0), p, true); err != nil {
			t.Fatal(err)
		}
	}
	x, err = k.At("web", monday.AddDate(0, 2, 0))
	if err != nil || x.Person != "" || !x.Passed[0].is("boris", Left) && !x.Passed[0].is("anna", Left) {
		t.Errorf("when all have left: %+v, %v", x, err)
	}
	if gaps, err = k.Gaps("web", monday.AddDate(0, 1, 0), monday.AddDate(1, 1, 0)); err != nil || len(gaps) != 1 || len(gaps[0].Passed) != 2 {
		t.Errorf("when all have left: %v, %v", gaps, err)
	}
}

func (p Passed) is(person, why string) bool { return p.Person == person && p.Why == why }

func TestHandovers(t *testing.T) {
	k := workdays(t)
	list, err := k.Handovers("web", monday.Add(time.Hour), 5)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range list {
		got = append(got, fmt.Sprintf("%s %s>%s", h.At.In(zoneOf(t, "Europe/Berlin")).Format("02.01. 15:04"), h.From, h.To))
	}
	// On the 12th boris's turn goes on until 09:00, after a weekend of nobody.
	want := []string{"05.01. 09:00 anna>boris", "10.01. 00:00 boris>", "12.01. 00:00 >boris", "12.01. 09:00 boris>anna", "15.01. 08:00 anna>"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, n := range []int{0, -1} {
		if list, err := k.Handovers("web", monday, n); len(list) != 0 || err != nil {
			t.Errorf("%d hand-overs: %v, %v", n, list, err)
		}
	}
	if list, err := k.Handovers("web", monday, math.MaxInt); err != nil || len(list) < 150 || len(list) > 250 || list[len(list)-1].At.After(monday.Add(horizon)) {
		t.Errorf("all hand-overs: %d, %v", len(list), err)
	}
}

func TestGlance(t *testing.T) {
	k := workdays(t)
	x := weekly("America/New_York")
	x.ID = "pay"
	x.Layers[0].People = []string{"anna"}
	k.put(t, monday, x)
	var got []string
	for _, g := range k.Glance(monday.AddDate(0, 0, 5).Add(7 * time.Hour)) {
		got = append(got, fmt.Sprintf("%s: %q until %s, then %q", g.Schedule.ID, g.Now.Person, g.Now.Until.Format("02.01. 15:04"), g.Next.Person))
	}
	// In the schedule pay nobody else ever comes.
	if d := cmp.Diff([]string{`pay: "anna" until 12.01. 14:00, then ""`, `web: "" until 11.01. 23:00, then "boris"`}, got); d != "" {
		t.Error(d)
	}
	duties, err := k.Duties("anna", monday.AddDate(0, 0, 6), monday.AddDate(0, 0, 8))
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, x := range duties {
		got = append(got, fmt.Sprintf("%s %s %s", x.Schedule, x.Since.Format("02.01. 15:04"), x.Until.Format("02.01. 15:04")))
	}
	// Whole ones, though only parts of them were asked for; the last ends when she is away.
	if d := cmp.Diff([]string{"pay 05.01. 14:00 12.01. 14:00", "web 12.01. 08:00 15.01. 07:00", "pay 12.01. 14:00 15.01. 07:00"}, got); d != "" {
		t.Error(d)
	}
}

func TestRangesAreBounded(t *testing.T) {
	k := workdays(t)
	for _, x := range [][2]time.Time{{monday, monday.Add(-1)}, {monday, monday.Add(MaxRange + 1)}, {{}, monday}, {monday, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if _, err := k.Shifts("web", x[0], x[1]); err == nil || !strings.Contains(err.Error(), "ask for a time") {
			t.Errorf("from %s to %s: %v", x[0], x[1], err)
		}
	}
	for _, x := range []time.Time{{}, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Unix(math.MaxInt32, 0), monday.Add(-1)} {
		if got, err := k.OnCall("web", x); err != nil || len(got) > 1 {
			t.Errorf("at %s: %v, %v", x, got, err)
		}
	}
	if list := k.shifts(t, "web", monday, monday); len(list) != 0 {
		t.Errorf("in no time: %v", list)
	}
}

// What a question costs when every limit is reached.
func TestLargestScheduleIsQuick(t *testing.T) {
	var people []string
	for n := range maxPeople {
		people = append(people, fmt.Sprint("p", n))
	}
	k := team(people...)
	x := entry.Schedule{ID: "web", Zone: "Europe/Berlin"}
	for n := range maxLayers {
		l := entry.ScheduleLayer{ID: fmt.Sprint("l", n), People: people, Rotation: Days, Days: 3, At: "02:30", Start: "2026-01-01"}
		for h := range maxHours {
			l.Hours = append(l.Hours, entry.ScheduleHours{Days: []string{"mon", "sun"}, From: minute(h * 60).String(), Until: minute(h*60 + 30).String()})
		}
		x.Layers = append(x.Layers, l)
	}
	for n := range maxHolidays {
		at := monday.AddDate(0, 0, n).Format(time.DateOnly)
		x.Holidays = append(x.Holidays, entry.ScheduleHoliday{ID: fmt.Sprint("h", n), From: at, Until: at, Yearly: true, Layer: "l0"})
	}
	k.put(t, monday, x)
	for n := range maxStanding {
		from := monday.Add(time.Duration(n) * 8 * time.Hour)
		x := entry.Override{ID: int64(n) + 1, Schedule: "web", Person: people[n%maxPeople], From: from, Until: from.Add(48 * time.Hour)}
		k.must(t, monday, entry.Draft{Kind: entry.ScheduleOverridden, Body: x}, nil)
	}
	if _, err := k.Override("a", entry.Override{Schedule: "web", Person: "p0", From: monday, Until: monday.Add(time.Hour)}, monday); err == nil || !strings.Contains(err.Error(), "no more can be") {
		t.Errorf("one more override: %v", err)
	}
	begun := time.Now()
	if _, err := k.OnCall("web", monday.AddDate(0, 8, 0)); err != nil {
		t.Fatal(err)
	}
	one := time.Since(begun)
	begun = time.Now()
	n := len(k.shifts(t, "web", monday, monday.AddDate(0, 0, 10)))
	if month := time.Since(begun); one > 3*time.Second || month > 20*time.Second {
		t.Errorf("one answer took %v, %d shifts of ten days %v", one, n, month)
	} else if os.Getenv("TOCSIN_SOAK") != "" {
		t.Logf("one answer took %v, %d shifts of ten days %v", one, n, month)
	}
}

func TestLoads(t *testing.T) {
	k := team("anna", "boris", "carla")
	x := weekly("Europe/Berlin")
	x.Layers[0].People = []string{"anna", "boris", "carla"}
	x.Layers[0].Rotation, x.Layers[0].Weekday, x.Layers[0].At, x.Layers[0].Start = Days, "", "00:00", "2026-03-01"
	x.Layers[0].Days = 15
	x.Holidays = []entry.ScheduleHoliday{{ID: "a", From: "2026-03-10", Until: "2026-03-11", Person: "boris"}, {ID: "b", From: "2020-03-31", Until: "2020-04-02", Yearly: true, Person: "boris"}}
	k.put(t, monday, x)
	d, err := k.End("a", "web") // an hour before the month ends
	from, until := k.schedules["web"].Month(2026, time.March)
	k.must(t, until.Add(-time.Hour), d, err)
	got, err := k.Loads("web", from, until)
	if err != nil {
		t.Fatal(err)
	}
	h := time.Hour
	// anna: 1 to 15 March but the 10th and 11th: 13 days. Weekends: the 1st, 7, 8, 14, 15. Nights 7 h a day: midnight to 6, and from 23.
	// boris: 16 to 30 March with the 29th of 23 hours (whose night has 6), two holidays, and 23 hours of the 31st.
	want := []Load{
		{"boris", (15*24-1)*h + 48*h + 23*h, (15*7-1)*h + 14*h + 6*h, (4*24 - 1) * h, 48*h + 23*h, 3},
		{"anna", 13 * 24 * h, 13 * 7 * h, 5 * 24 * h, 0, 2},
		{"carla", 0, 0, 0, 0, 0},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	k = team("anna", "boris")
	x = weekly("Europe/Berlin")
	x.Holidays = []entry.ScheduleHoliday{{ID: "a", From: "2025-12-24", Until: "2026-01-02", Yearly: true, Person: "boris"}}
	k.put(t, monday, x)
	from, until = k.schedules["web"].Month(2027, time.January) // the holiday began the year before
	if got, err = k.Loads("web", from, until); err != nil || got[0].Holiday+got[1].Holiday != 48*h {
		t.Errorf("holidays over the new year: %v, %v", got, err)
	}
	// Whatever the schedule: all loads together are the time.
	for _, zone := range zones {
		k := busy(t, zone)
		from, until := k.schedules["web"].Month(2026, time.October)
		list, err := k.Loads("web", from, until)
		if err != nil {
			t.Fatal(err)
		}
		var all, weekend time.Duration
		for _, l := range list {
			all, weekend = all+l.All, weekend+l.Weekend
			if l.Night > l.All || l.Weekend > l.All || l.Holiday > l.All {
				t.Errorf("%s: %+v", zone, l)
			}
		}
		back := until.Sub(from) - 31*24*h // Saturdays and Sundays of October 2026 are nine, and clocks change on Sundays
		if all != until.Sub(from) || weekend != 9*24*h+back {
			t.Errorf("%s: %v of %v, weekends %v", zone, all, until.Sub(from), weekend)
		}
	}
}

func TestStrip(t *testing.T) {
	k := workdays(t)
	now := monday.AddDate(0, 2, 19) // 24 March 2026, in the week in which clocks change
	k.override(t, monday, entry.Override{Schedule: "web", Person: "boris", From: now.Add(-200 * time.Hour), Until: now})
	s, err := k.Week("web", now, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Days) != 7 || !s.Days[6].Weekend || s.Days[4].Weekend || math.Abs(s.Days[6].W*(7*24-1)-23) > 1e-9 || math.Abs(s.Days[6].X+s.Days[6].W-1) > 1e-9 || s.Days[0].X != 0 {
		t.Errorf("days: %+v", s.Days)
	}
	if s.Until.Sub(s.From) != (7*24-1)*time.Hour || math.Abs(s.Now*(7*24-1)-25) > 1e-9 {
		t.Errorf("from %s to %s, now %v", s.From, s.Until, s.Now)
	}
	var rows []string
	for _, r := range s.Rows {
		x := 0.0
		row := r.Kind + " " + r.ID + ":"
		for _, b := range r.Bars {
			if b.X < x-1e-9 || b.W <= 0 || b.X+b.W > 1+1e-9 {
				t.Errorf("%s: a bar at %v of %v, after %v", row, b.X, b.W, x)
			}
			x = b.X + b.W
			row += fmt.Sprintf(" %s[%.0f,%.0f]", b.Shift.Person, b.X*167, x*167)
		}
		if r.Kind == RowFinal && math.Abs(x-1) > 1e-9 {
			t.Errorf("%s ends at %v", row, x)
		}
		rows = append(rows, row)
	}
	if d := cmp.Diff([]string{"layer week: boris[0,9] anna[9,120]", "override : boris[0,25]", "final : boris[0,25] anna[25,120] [120,167]"}, rows); d != "" {
		t.Error(d)
	}
	if s, err = k.Strip("web", now, now.AddDate(1, 0, 0), monday); err != nil || !s.Cut || s.Now != -1 || len(s.Days) < 100 {
		t.Errorf("a year: %+v, %v", s, err)
	}
	if s, err = k.Strip("web", monday.AddDate(-1, 0, 0), monday.AddDate(-1, 0, 7), monday); err != nil || len(s.Rows[0].Bars) != 0 {
		t.Errorf("before it was made: %+v, %v", s, err)
	}
	if _, err = k.Strip("moon", now, now, now); err == nil {
		t.Error("a strip of nothing")
	}
}

// A schedule can be looked at before it is put, and what is looked at changes nothing.
func TestWith(t *testing.T) {
	k := team("anna", "boris", "carla")
	k.put(t, monday, weekly("Europe/Berlin"))
	now := monday.AddDate(0, 0, 3)
	x := weekly("Asia/Kolkata")
	x.Layers[0].People = []string{"carla"}
	c, err := k.With("a", x, now)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]string{now: "carla", now.Add(-1): "boris"} {
		if got, err := c.OnCall("web", at); err != nil || len(got) != 1 || got[0].Person != want {
			t.Errorf("with it, at %s: %v, %v", at, got, err)
		}
		if got, err := k.OnCall("web", at); err != nil || len(got) != 1 || got[0].Person != "boris" {
			t.Errorf("without it, at %s: %v, %v", at, got, err)
		}
	}
	x.ID = "new"
	if c, err = k.With("a", x, now); err != nil || len(c.Schedules()) != 2 || len(k.Schedules()) != 1 {
		t.Errorf("a new one: %v", err)
	}
	x.Zone = "nowhere"
	if _, err = k.With("a", x, now); err == nil {
		t.Error("a broken one was taken")
	}
}

// A zone that is gone from the machine leaves somebody on call, and is shown.
func TestLostZone(t *testing.T) {
	k := team("anna", "boris")
	k.put(t, monday, weekly("Europe/Berlin"))
	again := NewBook(func(string) (*time.Location, error) { return nil, os.ErrNotExist })
	for _, e := range k.entries {
		if _, err := again.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	x, err := again.OnCall("web", monday.AddDate(0, 0, 1))
	if s, _ := again.Get("web"); err != nil || len(x) != 1 || !s.ZoneLost {
		t.Errorf("%v, %v", x, err)
	}
}

// A clock that was set back leaves entries out of order: the one that was written last counts from its time on.
func TestClockSetBack(t *testing.T) {
	k := team("anna", "boris", "carla")
	k.put(t, monday.Add(5*time.Hour), weekly("Europe/Berlin"))
	x := weekly("Europe/Berlin")
	x.Layers[0].People = []string{"carla"}
	k.put(t, monday.Add(2*time.Hour), x)
	for h, want := range map[int]int{1: 0, 2: 1, 4: 1, 6: 1} {
		got, err := k.OnCall("web", monday.Add(time.Duration(h)*time.Hour))
		if err != nil || len(got) != want || want == 1 && got[0].Person != "carla" {
			t.Errorf("after %d hours: %v, %v", h, got, err)
		}
	}
	if err := k.person(monday.Add(20*time.Hour), "carla", true); err != nil {
		t.Fatal(err)
	}
	if err := k.person(monday.Add(19*time.Hour), "carla", false); err != nil {
		t.Fatal(err)
	}
	if got, err := k.OnCall("web", monday.Add(21*time.Hour)); err != nil || len(got) != 1 {
		t.Errorf("back before she left: %v, %v", got, err)
	}
}

func TestWarnings(t *testing.T) {
	k := workdays(t)
	x := weekly("Europe/Berlin")
	x.Layers = append([]entry.ScheduleLayer{{ID: "below", People: []string{"boris"}, Rotation: Daily, At: "00:00", Start: "2026-01-01"}}, x.Layers...)
	x.ID = "pay"
	k.put(t, monday, x)
	day := func(n int) time.Time { return monday.AddDate(0, 0, n) }
	k.override(t, monday, entry.Override{Schedule: "pay", Person: "anna", From: day(6), Until: day(11)})
	if err := k.person(day(1), "boris", true); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{
		"web": {
			"boris has left the team and is passed over; take them out of the schedule",
			"nobody is on call from 2026-01-06T00:00:00Z to 2026-01-12T08:00:00Z; ask somebody for an override",
			"nobody is on call from 2026-01-15T07:00:00Z to 2026-01-19T00:00:00Z; ask somebody for an override",
			"nobody is on call from 2026-01-19T08:00:00Z to 2026-01-20T00:00:00Z; ask somebody for an override",
		},
		"pay": {
			"boris has left the team and is passed over; take them out of the schedule",
			"layer below puts nobody on call in all this time, because others are above it, or because its people are away",
			"override 1 does not count from 2026-01-15T07:00:00Z to 2026-01-16T00:00:00Z, because anna cannot be on call then",
			"nobody is on call from 2026-01-15T07:00:00Z to 2026-01-19T00:00:00Z; ask somebody for an override",
		},
	} {
		list, err := k.Warnings(id, day(1), day(15))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range list {
			got = append(got, w.String())
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", id, d)
		}
	}
}
