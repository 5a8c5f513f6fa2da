package rota

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

func TestPutRefuses(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, x := range []struct {
		name   string
		change func(*entry.Schedule, *entry.ScheduleLayer)
		says   string
	}{
		{"good", func(*entry.Schedule, *entry.ScheduleLayer) {}, ""},
		{"every three days", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Rotation, l.Weekday, l.Days = Days, "", 3 }, ""},
		{"Mon-Fri 18:00-08:00", func(_ *entry.Schedule, l *entry.ScheduleLayer) {
			l.Hours = []entry.ScheduleHours{{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "18:00", Until: "08:00"}}
		}, ""},
		{"no id", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.ID = "" }, "a schedule's id is a small letter"},
		{"a hostile id", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.ID = "web\r\nX:1" }, `got "web\r\nX:1"`},
		{"a long id", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.ID = long }, "a schedule's id"},
		{"a path as id", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.ID = "../../x" }, "a schedule's id"},
		{"no zone", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.Zone = "" }, "the time zone \"\" is not known; write one such as Europe/Berlin"},
		{"the machine's zone", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.Zone = "Local" }, "is not known"},
		{"an unknown zone", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.Zone = "Europe/Atlantis" }, `"Europe/Atlantis" is not known`},
		{"a path as zone", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.Zone = "../../etc/passwd" }, "is not known"},
		{"a long zone", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.Zone = long }, "is not known"},
		{"no layer", func(s *entry.Schedule, _ *entry.ScheduleLayer) { s.Layers = nil }, "nobody would ever be on call"},
		{"too many layers", func(s *entry.Schedule, l *entry.ScheduleLayer) {
			for range maxLayers {
				s.Layers = append(s.Layers, *l)
			}
		}, "at most 16"},
		{"two of the same id", func(s *entry.Schedule, l *entry.ScheduleLayer) { s.Layers = append(s.Layers, *l) }, "two layers have the id week"},
		{"a layer without an id", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.ID = "" }, "a layer's id"},
		{"nobody in it", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.People = nil }, "layer week: nobody is in it"},
		{"a stranger", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.People = []string{"anna", "eve"} }, `layer week: nobody on the team has the id "eve"`},
		{"somebody who left", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.People = []string{"gone"} }, "layer week: gone has left the team"},
		{"hand-over at 25:00", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.At = "25:00" }, `hand-over: "25:00" is no time of day`},
		{"hand-over at 24:00", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.At = "24:00" }, "no time of day"},
		{"no hand-over", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.At = "" }, "no time of day"},
		{"no weekday", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Weekday = "" }, "no day of the week"},
		{"a weekday of another language", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Weekday = "montag" }, `"montag" is no day of the week`},
		{"a weekday of days", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Rotation, l.Days = Days, 3 }, "goes with a weekly rotation only"},
		{"days of a week", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Days = 3 }, "goes with the rotation \"days\" only"},
		{"no days", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Rotation, l.Weekday = Days, "" }, "a turn of 0 days"},
		{"minus a day", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Rotation, l.Weekday, l.Days = Days, "", -1 }, "a turn of -1 days"},
		{"too many days", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Rotation, l.Weekday, l.Days = Days, "", 1<<40 }, "1 to 366 can"},
		{"no rotation", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Rotation, l.Weekday = "hourly", "" }, `"hourly" is no rotation`},
		{"no start", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Start = "tomorrow" }, `start: "tomorrow" is no day`},
		{"30 February", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Start = "2026-02-30" }, "is no day"},
		{"another way to stand in", func(_ *entry.Schedule, l *entry.ScheduleLayer) { l.Absent = "shrug" }, `"shrug" is no way`},
		{"hours of no day", func(_ *entry.Schedule, l *entry.ScheduleLayer) {
			l.Hours = []entry.ScheduleHours{{From: "18:00", Until: "08:00"}}
		}, "hours 1: no day of the week is named"},
		{"hours of a day twice", func(_ *entry.Schedule, l *entry.ScheduleLayer) {
			l.Hours = []entry.ScheduleHours{{Days: []string{"mon", "mon"}, From: "18:00", Until: "08:00"}}
		}, "mon is named twice"},
		{"hours from 24:00", func(_ *entry.Schedule, l *entry.ScheduleLayer) {
			l.Hours = []entry.ScheduleHours{{Days: []string{"mon"}, From: "24:00", Until: "08:00"}}
		}, `"24:00" is no time of day`},
		{"spare without a holiday", func(s *entry.Schedule, l *entry.ScheduleLayer) {
			o := *l
			o.ID, o.Spare = "feast", true
			s.Layers = append(s.Layers, o)
		}, "layer feast counts only on holidays, and no holiday names it"},
		{"spare alone", func(s *entry.Schedule, l *entry.ScheduleLayer) {
			l.Spare = true
			s.Holidays = []entry.ScheduleHoliday{{ID: "x", From: "2026-05-01", Until: "2026-05-01", Layer: "week"}}
		}, "every layer counts only on holidays"},
	} {
		k := team("anna", "boris", "gone")
		if err := k.person(monday, "gone", true); err != nil {
			t.Fatal(err)
		}
		s := weekly("Europe/Berlin")
		x.change(&s, &s.Layers[0])
		d, err := k.Put("person:anna", s)
		if x.says == "" && (err != nil || d.Kind != entry.SchedulePut || d.Subject != "schedule:web" || d.Actor != "person:anna") || x.says != "" && (err == nil || !strings.Contains(err.Error(), x.says)) {
			t.Errorf("%s: %+v, %v, want %q", x.name, d, err, x.says)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: the error has %d bytes", x.name, len(err.Error()))
		}
	}
}

func TestPutHolidays(t *testing.T) {
	holiday := func(id, from, until string) entry.ScheduleHoliday {
		return entry.ScheduleHoliday{ID: id, From: from, Until: until, Person: "anna"}
	}
	yearly := func(id, from, until string) entry.ScheduleHoliday {
		h := holiday(id, from, until)
		h.Yearly = true
		return h
	}
	for _, x := range []struct {
		name string
		list []entry.ScheduleHoliday
		says string
	}{
		{"side by side", []entry.ScheduleHoliday{holiday("a", "2026-05-01", "2026-05-01"), holiday("b", "2026-05-02", "2026-05-03")}, ""},
		{"yearly, of other days", []entry.ScheduleHoliday{yearly("a", "2026-12-24", "2027-01-01"), yearly("b", "2026-01-02", "2026-01-03")}, ""},
		{"the same id", []entry.ScheduleHoliday{holiday("a", "2026-05-01", "2026-05-01"), holiday("a", "2026-05-02", "2026-05-03")}, "another one has the same id"},
		{"no id", []entry.ScheduleHoliday{holiday("", "2026-05-01", "2026-05-01")}, "a holiday's id"},
		{"backwards", []entry.ScheduleHoliday{holiday("a", "2026-05-02", "2026-05-01")}, "before it begins"},
		{"endless", []entry.ScheduleHoliday{holiday("a", "2026-05-02", "2190-05-01")}, "at most 366"},
		{"on the same day", []entry.ScheduleHoliday{holiday("a", "2026-05-01", "2026-05-03"), holiday("b", "2026-05-03", "2026-05-04")}, "holidays a and b are both on 2026-05-03"},
		{"in another year", []entry.ScheduleHoliday{yearly("a", "2020-12-24", "2021-01-02"), holiday("b", "2031-01-02", "2031-01-02")}, "holidays a and b are both on 2031-01-02"},
		{"before the year that is named", []entry.ScheduleHoliday{yearly("a", "2030-05-01", "2030-05-01"), holiday("b", "2026-05-01", "2026-05-01")}, "both on 2026-05-01"},
		{"both yearly", []entry.ScheduleHoliday{yearly("a", "2020-12-24", "2021-01-02"), yearly("b", "2026-01-01", "2026-01-01")}, "both on"},
		{"29 February", []entry.ScheduleHoliday{yearly("a", "2024-02-29", "2024-02-29")}, "does not come every year"},
		{"a yearly quarter", []entry.ScheduleHoliday{yearly("a", "2024-03-01", "2024-06-29")}, "60 of one that comes every year"},
		{"nobody", []entry.ScheduleHoliday{{ID: "a", From: "2026-05-01", Until: "2026-05-01"}}, "say who is on call then"},
		{"two answers", []entry.ScheduleHoliday{{ID: "a", From: "2026-05-01", Until: "2026-05-01", Person: "anna", Layer: "week"}}, "say who is on call then"},
		{"a layer that is not there", []entry.ScheduleHoliday{{ID: "a", From: "2026-05-01", Until: "2026-05-01", Layer: "feast"}}, `no layer "feast"`},
		{"a stranger", []entry.ScheduleHoliday{{ID: "a", From: "2026-05-01", Until: "2026-05-01", Person: "eve"}}, `holiday a: nobody on the team has the id "eve"`},
		{"at 24:00", []entry.ScheduleHoliday{{ID: "a", From: "2026-05-01", Until: "2026-05-01", Person: "anna", At: "24:00"}}, "no time of day"},
	} {
		s := weekly("Europe/Berlin")
		s.Holidays = x.list
		_, err := team("anna", "boris").Put("person:anna", s)
		if x.says == "" && err != nil || x.says != "" && (err == nil || !strings.Contains(err.Error(), x.says)) {
			t.Errorf("%s: %v, want %q", x.name, err, x.says)
		}
	}
}

// In the two weeks from monday on boris is on call first (until the 12th, 08:00 UTC), then anna.
func TestOverrideRefuses(t *testing.T) {
	h := func(n int) time.Time { return monday.Add(time.Duration(n) * time.Hour) }
	now := h(10)
	for _, x := range []struct {
		name string
		o    entry.Override
		says string
	}{
		{"good", entry.Override{Person: "carla", From: h(20), Until: h(30)}, ""},
		{"instead of boris", entry.Override{Person: "carla", From: h(20), Until: h(30), Instead: "boris"}, ""},
		{"begun already", entry.Override{Person: "carla", From: h(0), Until: h(30)}, ""},
		{"carla's duty of before goes on to anna", entry.Override{Person: "anna", From: h(40), Until: h(50), Instead: "carla"}, ""},
		{"a swap", entry.Override{Person: "anna", From: h(100), Until: h(300), Instead: "boris", Swap: true}, ""},
		{"of another schedule", entry.Override{Schedule: "moon", Person: "carla", From: h(20), Until: h(30)}, "there is no such schedule"},
		{"a stranger", entry.Override{Person: "eve", From: h(20), Until: h(30)}, `nobody on the team has the id "eve"`},
		{"nobody", entry.Override{From: h(20), Until: h(30)}, "nobody on the team"},
		{"somebody who left", entry.Override{Person: "gone", From: h(20), Until: h(30)}, "gone has left the team"},
		{"instead of a stranger", entry.Override{Person: "carla", From: h(20), Until: h(30), Instead: "eve"}, `"eve"`},
		{"instead of herself", entry.Override{Person: "carla", From: h(20), Until: h(30), Instead: "carla"}, "carla cannot stand in for themselves"},
		{"a swap with nobody", entry.Override{Person: "carla", From: h(20), Until: h(30), Swap: true}, "needs the person to swap with"},
		{"backwards", entry.Override{Person: "carla", From: h(30), Until: h(20)}, "before it begins"},
		{"of no length", entry.Override{Person: "carla", From: h(30), Until: h(30)}, "before it begins"},
		{"without an end", entry.Override{Person: "carla", From: h(30)}, "before it begins"},
		{"without a beginning", entry.Override{Person: "carla", Until: h(30)}, "is out of sight"},
		{"over", entry.Override{Person: "carla", From: h(3), Until: h(10)}, "it is over since"},
		{"endless", entry.Override{Person: "carla", From: h(20), Until: h(20 + 24*400)}, "at most 366"},
		{"far away", entry.Override{Person: "carla", From: h(24 * 2000), Until: h(24 * 2001)}, "more than three years from now"},
		{"out of sight", entry.Override{Person: "carla", From: time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(9999, 1, 2, 0, 0, 0, 0, time.UTC)}, "out of sight"},
		{"instead of somebody who is not on call then", entry.Override{Person: "carla", From: h(20), Until: h(30), Instead: "anna"}, "anna is not on call by web"},
		{"a swap of two who are not", entry.Override{Person: "carla", From: h(20), Until: h(30), Instead: "anna", Swap: true}, "neither carla nor anna is on call"},
		{"the same again", entry.Override{Person: "carla", From: h(41), Until: h(49), Instead: "boris"}, "override 1 says the same"},
		{"in a circle", entry.Override{Person: "boris", From: h(45), Until: h(55), Instead: "carla"}, "in a circle: override 1 gives boris's duty away"},
		{"no circle at another time", entry.Override{Person: "boris", From: h(100), Until: h(110), Instead: "carla"}, "carla is not on call by web"},
		{"somebody who is away", entry.Override{Person: "dmitri", From: h(62), Until: h(68)}, "dmitri is away all the time"},
		{"somebody who is away for a part", entry.Override{Person: "dmitri", From: h(62), Until: h(71)}, ""},
	} {
		k := team("anna", "boris", "carla", "dmitri", "gone")
		k.put(t, monday, weekly("Europe/Berlin"))
		if err := k.person(monday, "gone", true); err != nil {
			t.Fatal(err)
		}
		k.override(t, monday, entry.Override{Schedule: "web", Person: "carla", From: h(40), Until: h(50), Instead: "boris"})
		k.absent(t, monday, "dmitri", h(60), h(70))
		if x.o.Schedule == "" {
			x.o.Schedule = "web"
		}
		d, err := k.Override("person:anna", x.o, now)
		if x.says == "" && err != nil || x.says != "" && (err == nil || !strings.Contains(err.Error(), x.says)) {
			t.Errorf("%s: %+v, %v, want %q", x.name, d, err, x.says)
		}
		if err == nil {
			k.must(t, now, d, nil)
		}
	}
}

// Two who swap have each other's duties, and who takes a duty that was taken over has it.
func TestSwapAndChain(t *testing.T) {
	at := func(d int) time.Time { return monday.Add(time.Duration(d*24+8) * time.Hour) } // 09:00 in Berlin
	k := team("anna", "boris", "carla")
	k.put(t, monday, weekly("Europe/Berlin"))
	k.override(t, monday, entry.Override{Schedule: "web", Person: "anna", From: at(5), Until: at(9), Instead: "boris", Swap: true})
	k.override(t, monday, entry.Override{Schedule: "web", Person: "carla", From: at(6), Until: at(8), Instead: "anna"})
	k.want(t, "web", at(0), at(10), `
		Mon 05.01. 09:00 - Sat 10.01. 09:00 boris: turn in layer week
		Sat 10.01. 09:00 - Sun 11.01. 09:00 anna: override 1, instead of boris
		Sun 11.01. 09:00 - Mon 12.01. 09:00 carla: override 2, instead of anna
		Mon 12.01. 09:00 - Wed 14.01. 09:00 boris: override 1, instead of anna
		Wed 14.01. 09:00 - Thu 15.01. 09:00 anna: turn in layer week
	`)
	d, err := k.EndOverride("person:anna", 1, at(7))
	k.must(t, at(7), d, err)
	k.want(t, "web", at(0), at(10), `
		Mon 05.01. 09:00 - Sat 10.01. 09:00 boris: turn in layer week
		Sat 10.01. 09:00 - Sun 11.01. 09:00 anna: override 1, instead of boris
		Sun 11.01. 09:00 - Tue 13.01. 09:00 carla: override 2, instead of anna
		Tue 13.01. 09:00 - Thu 15.01. 09:00 anna: turn in layer week
	`)
}

func TestEndings(t *testing.T) {
	now := monday.Add(10 * time.Hour)
	k := team("anna", "boris", "carla")
	k.put(t, monday, weekly("Europe/Berlin"))
	k.override(t, now, entry.Override{Schedule: "web", Person: "carla", From: now.Add(time.Hour), Until: now.Add(2 * time.Hour)})
	k.absent(t, now, "boris", now.Add(time.Hour), now.Add(2*time.Hour))
	if _, err := k.PutAbsence("a", entry.Absence{Person: "boris", From: now, Until: now.Add(90 * time.Minute)}, now); err == nil || !strings.Contains(err.Error(), "already (absence 1)") {
		t.Errorf("absent twice: %v", err)
	}
	for _, id := range []int64{0, -1, 2} {
		if _, err := k.EndOverride("a", id, now); err == nil {
			t.Errorf("override %d ended", id)
		}
		if _, err := k.EndAbsence("a", id, now); err == nil {
			t.Errorf("absence %d ended", id)
		}
	}
	d, err := k.EndOverride("a", 1, now)
	k.must(t, now, d, err)
	d, err = k.EndAbsence("a", 1, now)
	k.must(t, now, d, err)
	if _, err := k.EndOverride("a", 1, now.Add(time.Hour)); err == nil || !strings.Contains(err.Error(), "ended already") {
		t.Errorf("ended twice: %v", err)
	}
	if _, err := k.EndAbsence("a", 1, now.Add(time.Hour)); err == nil {
		t.Error("ended twice")
	}
	if n := len(k.Absences("", now)) + len(k.schedules["web"].Overrides(now)); n != 0 {
		t.Errorf("%d stand that were taken back", n)
	}
	k.want(t, "web", now, now.Add(3*time.Hour), "Mon 05.01. 11:00 - Mon 05.01. 14:00 boris: turn in layer week\n")

	d, err = k.End("a", "web")
	k.must(t, now.Add(5*time.Hour), d, err)
	if _, err := k.End("a", "web"); err == nil {
		t.Error("ended twice")
	}
	if _, err := k.Put("a", weekly("Europe/Berlin")); err == nil || !strings.Contains(err.Error(), "choose another one") {
		t.Errorf("an ended id again: %v", err)
	}
	if _, err := k.Override("a", entry.Override{Schedule: "web", Person: "carla", From: now, Until: now.Add(100 * time.Hour)}, now); err == nil {
		t.Error("overridden after its end")
	}
	if x, err := k.OnCall("web", now.Add(5*time.Hour)); len(x) != 0 || err != nil {
		t.Errorf("after its end: %v, %v", x, err)
	}
	if x, err := k.OnCall("web", now.Add(5*time.Hour-1)); len(x) != 1 || err != nil || !x[0].Until.Equal(now.Add(5*time.Hour)) {
		t.Errorf("before its end: %v, %v", x, err)
	}
	if _, err := k.OnCall("moon", now); !errors.Is(err, ErrUnknown) {
		t.Errorf("an unknown one: %v", err)
	}
	if len(k.Schedules()) != 0 || len(k.Glance(now.Add(6*time.Hour))) != 0 {
		t.Error("an ended schedule is listed")
	}
}
