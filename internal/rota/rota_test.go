package rota

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/internal/entry"
)

// monday is the 5th of January 2026, 00:00 UTC.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// A kept book has the entries that made it.
type kept struct {
	*Book
	entries []entry.Entry
}

func (k *kept) apply(now time.Time, d entry.Draft) error {
	_, line, err := entry.Make(int64(len(k.entries))+1, now, d)
	if err != nil {
		return err
	}
	e, err := entry.Parse(line)
	if err != nil {
		return err
	}
	k.entries = append(k.entries, e)
	known, err := k.Apply(e)
	if err == nil && !known {
		err = fmt.Errorf("%s is not known", e.Kind)
	}
	return err
}

// team makes a book with people.
func team(people ...string) *kept {
	k := &kept{Book: NewBook(time.LoadLocation)}
	for _, p := range people {
		if err := k.person(monday.AddDate(-1, 0, 0), p, false); err != nil {
			panic(err)
		}
	}
	return k
}

func (k *kept) person(now time.Time, id string, gone bool) error {
	return k.apply(now, entry.Draft{Actor: "desk", Kind: entry.PersonPut, Subject: "person:" + id, Body: entry.Person{ID: id, Roles: []string{"engineer"}, Gone: gone}})
}

func (k *kept) must(t rapid.TB, now time.Time, d entry.Draft, err error) {
	t.Helper()
	if err == nil {
		err = k.apply(now, d)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (k *kept) put(t rapid.TB, now time.Time, x entry.Schedule) {
	t.Helper()
	d, err := k.Put("person:anna", x)
	k.must(t, now, d, err)
}

func (k *kept) override(t rapid.TB, now time.Time, x entry.Override) {
	t.Helper()
	d, err := k.Override("person:anna", x, now)
	k.must(t, now, d, err)
}

func (k *kept) absent(t rapid.TB, now time.Time, person string, from, until time.Time) {
	t.Helper()
	d, err := k.PutAbsence("person:anna", entry.Absence{Person: person, From: from, Until: until}, now)
	k.must(t, now, d, err)
}

// weekly is anna and boris by the week, handed over on Mondays at 09:00.
func weekly(zone string) entry.Schedule {
	return entry.Schedule{ID: "web", Vault: "v1", Zone: zone, Layers: []entry.ScheduleLayer{
		{ID: "week", People: []string{"anna", "boris"}, Rotation: Weekly, Weekday: "mon", At: "09:00", Start: "2025-12-29"},
	}}
}

// told is shifts, a line each, in the zone of their schedule.
func told(zone *time.Location, list []Shift) string {
	var b strings.Builder
	for _, x := range list {
		end := "…"
		if !x.Until.IsZero() {
			end = x.Until.In(zone).Format("Mon 02.01. 15:04")
		}
		fmt.Fprintf(&b, "%s - %s %s: %s\n", x.Since.In(zone).Format("Mon 02.01. 15:04"), end, x.Person, x.Why())
	}
	return b.String()
}

func (k *kept) shifts(t rapid.TB, id string, from, until time.Time) (list []Shift) {
	t.Helper()
	seq, err := k.Shifts(id, from, until)
	if err != nil {
		t.Fatal(err)
	}
	for x := range seq {
		list = append(list, x)
	}
	return list
}

func (k *kept) want(t rapid.TB, id string, from, until time.Time, want string) {
	t.Helper()
	s, err := k.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	v, lo, hi, err := k.span(id, from, until)
	if err != nil {
		t.Fatal(err)
	}
	var list []Shift
	v.walk(lo, hi, v.at, func(x Shift) bool { list = append(list, x); return true })
	if d := cmp.Diff(strings.ReplaceAll(strings.TrimLeft(want, "\n"), "\t", ""), told(s.Zone(), list)); d != "" {
		t.Error(d)
	}
}

func TestLayersOverridesHolidays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(d, h int) time.Time { return time.Date(2026, 1, d, h, 0, 0, 0, berlin) }
	k := team("anna", "boris", "carla", "dmitri")
	x := weekly("Europe/Berlin")
	x.Layers = append(x.Layers,
		entry.ScheduleLayer{ID: "night", People: []string{"carla", "dmitri"}, Rotation: Daily, At: "12:00", Start: "2026-01-07",
			Hours: []entry.ScheduleHours{{Days: []string{"wed", "thu", "fri"}, From: "18:00", Until: "08:00"}}},
		entry.ScheduleLayer{ID: "feast", People: []string{"dmitri"}, Rotation: Daily, At: "00:00", Start: "2026-01-01", Spare: true,
			Hours: []entry.ScheduleHours{{Days: []string{"sun"}, From: "08:00", Until: "20:00"}}})
	x.Holidays = []entry.ScheduleHoliday{
		{ID: "sunday", From: "2026-01-11", Until: "2026-01-11", Layer: "feast"},
		{ID: "inventory", From: "2026-01-13", Until: "2026-01-13", At: "06:00", Person: "boris"},
	}
	k.put(t, at(5, 6), x)
	k.override(t, at(6, 0), entry.Override{Schedule: "web", Person: "dmitri", From: at(6, 12), Until: at(6, 15)})
	k.override(t, at(6, 0), entry.Override{Schedule: "web", Person: "boris", From: at(9, 0), Until: at(10, 0), Instead: "carla"})
	k.absent(t, at(6, 0), "anna", at(12, 0), at(13, 3))
	k.want(t, "web", at(5, 0), at(16, 0), `
		Mon 05.01. 06:00 - Mon 05.01. 09:00 anna: turn in layer week
		Mon 05.01. 09:00 - Tue 06.01. 12:00 boris: turn in layer week
		Tue 06.01. 12:00 - Tue 06.01. 15:00 dmitri: override 1
		Tue 06.01. 15:00 - Wed 07.01. 18:00 boris: turn in layer week
		Wed 07.01. 18:00 - Thu 08.01. 08:00 carla: turn in layer night
		Thu 08.01. 08:00 - Thu 08.01. 18:00 boris: turn in layer week
		Thu 08.01. 18:00 - Fri 09.01. 08:00 dmitri: turn in layer night
		Fri 09.01. 08:00 - Fri 09.01. 18:00 boris: turn in layer week
		Fri 09.01. 18:00 - Sat 10.01. 00:00 boris: override 2, instead of carla
		Sat 10.01. 00:00 - Sat 10.01. 08:00 carla: turn in layer night
		Sat 10.01. 08:00 - Sun 11.01. 08:00 boris: turn in layer week
		Sun 11.01. 08:00 - Sun 11.01. 20:00 dmitri: turn in layer feast, because of holiday sunday
		Sun 11.01. 20:00 - Mon 12.01. 09:00 boris: turn in layer week
		Mon 12.01. 09:00 - Tue 13.01. 03:00 boris: turn in layer week; anna (layer week) is absent
		Tue 13.01. 03:00 - Tue 13.01. 06:00 anna: turn in layer week
		Tue 13.01. 06:00 - Wed 14.01. 06:00 boris: holiday inventory
		Wed 14.01. 06:00 - Wed 14.01. 18:00 anna: turn in layer week
		Wed 14.01. 18:00 - Thu 15.01. 08:00 dmitri: turn in layer night
		Thu 15.01. 08:00 - Thu 15.01. 18:00 anna: turn in layer week
		Thu 15.01. 18:00 - Fri 16.01. 00:00 carla: turn in layer night
	`)
}
