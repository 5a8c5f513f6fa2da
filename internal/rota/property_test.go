package rota

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/internal/entry"
)

var crew = []string{"anna", "boris", "carla", "dmitri"}

func drawMinute(t *rapid.T, name string) string {
	return minute(rapid.IntRange(0, 95).Draw(t, name) * 15).String()
}

func drawDays(t *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(weekdays()), 1, 7, rapid.ID[string]).Draw(t, "days")
}

// drawSchedule makes one around an instant. Not all of them can be put.
func drawSchedule(t *rapid.T, near time.Time) entry.Schedule {
	date := func(name string, from, until int) time.Time {
		return near.AddDate(0, 0, rapid.IntRange(from, until).Draw(t, name))
	}
	x := entry.Schedule{ID: "web", Zone: rapid.SampledFrom(append([]string{"UTC", "Pacific/Chatham", "America/Santiago", "Africa/Cairo", "Atlantic/Azores"}, zones...)).Draw(t, "zone")}
	for n := range rapid.IntRange(1, 4).Draw(t, "layers") {
		l := entry.ScheduleLayer{ID: fmt.Sprint("l", n), People: rapid.SliceOfN(rapid.SampledFrom(crew), 1, 4).Draw(t, "people"), At: drawMinute(t, "at"),
			Start: date("start", -40, 12).Format(time.DateOnly), Rotation: rapid.SampledFrom([]string{Daily, Weekly, Days}).Draw(t, "rotation"),
			Absent: rapid.SampledFrom([]string{"", "", LeaveGap}).Draw(t, "absent"), Spare: n > 0 && rapid.IntRange(0, 3).Draw(t, "spare") == 0}
		switch l.Rotation {
		case Weekly:
			l.Weekday = rapid.SampledFrom(weekdays()).Draw(t, "weekday")
		case Days:
			l.Days = rapid.IntRange(1, 9).Draw(t, "turn")
		}
		for range rapid.IntRange(0, 2).Draw(t, "hours") {
			l.Hours = append(l.Hours, entry.ScheduleHours{Days: drawDays(t), From: drawMinute(t, "from"), Until: drawMinute(t, "until")})
		}
		x.Layers = append(x.Layers, l)
	}
	for n := range rapid.IntRange(0, 3).Draw(t, "holidays") {
		from := date("holiday", -5, 12)
		h := entry.ScheduleHoliday{ID: fmt.Sprint("h", n), From: from.Format(time.DateOnly), Until: from.AddDate(0, 0, rapid.IntRange(0, 3).Draw(t, "long")).Format(time.DateOnly),
			Yearly: rapid.Bool().Draw(t, "yearly")}
		if rapid.Bool().Draw(t, "noon") {
			h.At = drawMinute(t, "at")
		}
		if rapid.Bool().Draw(t, "by layer") {
			h.Layer = x.Layers[rapid.IntRange(0, len(x.Layers)-1).Draw(t, "layer")].ID
		} else {
			h.Person = rapid.SampledFrom(crew).Draw(t, "person")
		}
		x.Holidays = append(x.Holidays, h)
	}
	for n := range x.Layers { // a layer for holidays that none names counts always
		l := &x.Layers[n]
		l.Spare = l.Spare && slices.ContainsFunc(x.Holidays, func(h entry.ScheduleHoliday) bool { return h.Layer == l.ID })
	}
	return x
}

// do lets chance decide something at an instant. What is refused is left.
func (k *kept) do(t *rapid.T, now time.Time) {
	from := now.Add(time.Duration(rapid.IntRange(-20, 200).Draw(t, "from")) * time.Hour)
	until := from.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "long")) * 15 * time.Minute)
	person := rapid.SampledFrom(crew).Draw(t, "person")
	var d entry.Draft
	var err error
	switch rapid.IntRange(0, 7).Draw(t, "what") {
	case 0, 1, 2:
		x := entry.Override{Schedule: "web", Person: person, From: from, Until: until, Instead: rapid.SampledFrom(append([]string{""}, crew...)).Draw(t, "instead")}
		x.Swap = x.Instead != "" && rapid.Bool().Draw(t, "swap")
		d, err = k.Override("person:anna", x, now)
	case 3, 4:
		d, err = k.PutAbsence("person:anna", entry.Absence{Person: person, From: from, Until: until}, now)
	case 5:
		if d, err = k.EndOverride("person:anna", int64(len(k.overrides)), now); rapid.Bool().Draw(t, "absence") {
			d, err = k.EndAbsence("person:anna", int64(len(k.absences)), now)
		}
	case 6:
		d, err = k.Put("person:anna", drawSchedule(t, now))
	default:
		err = k.person(now, person, k.people[person])
		d = entry.Draft{}
	}
	if d.Kind != "" && err == nil {
		err = k.apply(now, d)
		if err != nil {
			t.Fatalf("what was decided does not fold: %v", err)
		}
	}
}

// Whatever is decided in whatever order: each quarter of an hour is what the oracle says, and what was said of the past is never said otherwise later.
func TestRandomSchedules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := team(crew...)
		year := rapid.IntRange(2026, 2027).Draw(t, "year")
		start := time.Date(year, time.Month(rapid.SampledFrom([]int{1, 2, 3, 4, 9, 10, 11, 12}).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		d, err := k.Put("person:anna", drawSchedule(t, start))
		if err != nil {
			t.Skip("refused")
		}
		k.must(t, start, d, nil)
		type said struct {
			at time.Time
			x  Shift
		}
		var past []said
		now, end := start, start
		for range rapid.IntRange(0, 8).Draw(t, "decisions") {
			now = now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "later")) * 15 * time.Minute)
			k.do(t, now)
			for n := range 5 {
				at := now.Add(-time.Duration(n*n) * 5 * time.Hour)
				x := k.view(k.schedules["web"], at, at.Add(1)).at(at)
				if !at.Equal(now) { // at the instant itself a further entry may still come
					past = append(past, said{at, x})
				}
			}
			end = now
		}
		for _, s := range past {
			if x := k.view(k.schedules["web"], s.at, s.at.Add(1)).at(s.at); !x.same(&s.x) {
				t.Fatalf("at %s it was %+v, and is said to have been %+v", s.at, s.x, x)
			}
		}
		days := 2
		if os.Getenv("TOCSIN_SOAK") != "" {
			days = 40
		}
		k.hold(t, "web", start.Add(-30*time.Minute), end.AddDate(0, 0, days), 15*time.Minute, true)
		k.replayed(t)
	})
}

// replayed folds the entries again and compares what is said.
func (k *kept) replayed(t rapid.TB) {
	t.Helper()
	again := NewBook(time.LoadLocation)
	for _, e := range k.entries {
		if _, err := again.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	at := k.changed.Add(time.Minute)
	if d := cmp.Diff(k.Glance(at), again.Glance(at), cmp.AllowUnexported(Schedule{}, Override{}), cmp.Comparer(func(a, b []version) bool { return len(a) == len(b) })); d != "" {
		t.Error(d)
	}
}

// Shifts and gaps of any time fill it without a hole and without an overlap, and a part of it says the same as the whole.
func TestShiftsAndGapsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := busy(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		from := monday.Add(time.Duration(rapid.Int64Range(-int64(48*time.Hour), int64(400*24*time.Hour)).Draw(t, "from")))
		until := from.Add(time.Duration(rapid.Int64Range(0, int64(30*24*time.Hour)).Draw(t, "long")))
		var all []Shift
		all = append(all, k.shifts(t, "web", from, until)...)
		gaps, err := k.Gaps("web", from, until)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, gaps...)
		slices.SortFunc(all, func(x, y Shift) int { return x.Since.Compare(y.Since) })
		at := later(from, k.schedules["web"].Made)
		for n, x := range all {
			if !x.Since.Equal(at) || !x.Until.After(x.Since) {
				t.Fatalf("from %s to %s: %+v does not begin at %s", from, until, x, at)
			}
			if n > 0 && x.same(&all[n-1]) {
				t.Fatalf("%+v was cut in two at %s", x, x.Since)
			}
			at = x.Until
			mid := x.Since.Add(time.Duration(rapid.Int64Range(0, int64(x.Until.Sub(x.Since))-1).Draw(t, "mid")))
			y, err := k.At("web", mid)
			if err != nil || y.Person != x.Person || y.Since.After(x.Since) || !y.Until.IsZero() && y.Until.Before(x.Until) || !x.Since.Equal(from) && !y.Since.Equal(x.Since) || !x.Until.Equal(until) && !y.Until.Equal(x.Until) {
				t.Fatalf("at %s: %+v (%v), in %+v", mid, y, err, x)
			}
		}
		if !at.Equal(later(at, until)) {
			t.Fatalf("from %s to %s: all ends at %s", from, until, at)
		}
	})
}

// Whatever a body holds: it is refused, or folded into something that answers in time and without a hole.
func FuzzApply(f *testing.F) {
	body := func(k entry.Kind, x any) {
		b, err := json.Marshal(x)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(k), string(b))
	}
	full := weekly("Europe/Berlin")
	full.Layers[0].Hours = []entry.ScheduleHours{{Days: []string{"mon", "sun"}, From: "18:00", Until: "08:00"}}
	full.Layers[0].Absent = LeaveGap
	full.Holidays = []entry.ScheduleHoliday{{ID: "x", From: "2026-12-24", Until: "2027-01-02", At: "09:00", Yearly: true, Layer: "week"}, {ID: "y", From: "2026-05-01", Until: "2026-05-01", Person: "anna"}}
	body(entry.SchedulePut, full)
	full.Layers[0].Rotation, full.Layers[0].Days, full.Layers[0].Weekday, full.Zone = Days, 366, "", "Pacific/Apia"
	body(entry.SchedulePut, full)
	body(entry.ScheduleOverridden, entry.Override{ID: 2, Schedule: "web", Person: "anna", From: monday, Until: monday.AddDate(1, 0, 0), Instead: "boris", Swap: true})
	body(entry.OverrideEnded, entry.OverrideEnd{ID: 1})
	body(entry.PersonAbsent, entry.Absence{ID: 1, Person: "anna", From: monday, Until: monday.Add(time.Hour)})
	body(entry.PersonBack, entry.AbsenceEnd{ID: 1})
	body(entry.ScheduleEnded, entry.ScheduleEnd{ID: "web"})
	body(entry.PersonPut, entry.Person{ID: "anna", Gone: true})
	f.Fuzz(func(t *testing.T, kind, body string) {
		k := team("anna", "boris")
		k.put(t, monday, weekly("Europe/Berlin"))
		k.override(t, monday, entry.Override{Schedule: "web", Person: "boris", From: monday, Until: monday.Add(40 * time.Hour)})
		known, err := k.Apply(entry.Entry{N: 9, Time: monday.AddDate(0, 0, 3), Kind: entry.Kind(kind), Body: json.RawMessage(body)})
		if err != nil || !known {
			return
		}
		now := monday.AddDate(0, 0, 4)
		k.Glance(now)
		for _, s := range k.schedules {
			from, until := now.AddDate(0, 0, -10), now.AddDate(0, 0, 20)
			at, sum := later(from, s.Made), time.Duration(0)
			for _, x := range k.shifts(t, s.ID, from, until) {
				sum += x.Until.Sub(x.Since)
			}
			gaps, err := k.Gaps(s.ID, from, until)
			for _, x := range gaps {
				sum += x.Until.Sub(x.Since)
			}
			if !s.Ended.IsZero() {
				until = earlier(until, s.Ended)
			}
			if err != nil || sum != max(until.Sub(at), 0) {
				t.Fatalf("%s: %v of %v (%v)", s.ID, sum, until.Sub(at), err)
			}
			if _, err := k.Loads(s.ID, from, until.Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := k.Strip(s.ID, from, until.Add(time.Second), now); err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(s.Schedule)
			if err != nil {
				t.Fatal(err)
			}
			var x entry.Schedule
			if err := json.Unmarshal(b, &x); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(s.Schedule, x); d != "" && kind == string(entry.SchedulePut) && !cmp.Equal(s.Schedule, x, cmp.Comparer(sameEmpty[entry.ScheduleHoliday]), cmp.Comparer(sameEmpty[entry.ScheduleHours])) {
				t.Fatal(d)
			}
		}
	})
}

// sameEmpty takes an empty list as none.
func sameEmpty[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || cmp.Equal(a, b))
}
