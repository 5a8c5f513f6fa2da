package desk

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
)

func shopSchedule(people ...string) entry.Schedule {
	return entry.Schedule{ID: "shop", Zone: "Europe/Berlin", Layers: []entry.ScheduleLayer{{ID: "days", People: people, Rotation: "daily", At: "09:00", Start: "2000-01-01"}}}
}

// person is a member of the team as one who acts.
func (h *house) person(d *Desk, id string) auth.Actor {
	h.t.Helper()
	p, ok := d.Person(id)
	if !ok {
		h.t.Fatalf("nobody is %s", id)
	}
	return Actor(p)
}

// Given a schedule, when it is put, overridden and survived a start, then whoever asks hears the same, and no entry names a name or a reason.
func TestScheduleByTheOneDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer func() { stop() }()
		h.onCall(d)
		anna, eve := h.person(d, "anna"), h.person(d, "eve")
		now := time.Now()
		who := func(at time.Time) (s string) {
			d.Read(func(st *State) { s = strings.Join(st.OnCall("shop", at), " ") })
			return s
		}
		first := who(now)
		other := map[string]string{"anna": "boris", "boris": "anna"}[first]
		if other == "" || who(now.Add(24*time.Hour)) != other {
			t.Fatalf("on call: %q, then %q", first, who(now.Add(24*time.Hour)))
		}
		refused := func(err error) bool { _, ok := errors.AsType[auth.Refusal](err); return ok }
		if err := d.PutSchedule(eve, shopSchedule("eve"), ScheduleText{Name: "x"}, false); !refused(err) {
			t.Errorf("a reader changes a schedule: %v", err)
		}
		boris := h.person(d, "boris")
		own := entry.Override{Schedule: "shop", Person: "boris", From: now, Until: now.Add(72 * time.Hour)}
		theirs := own
		theirs.Person = "anna"
		if _, err := d.Override(boris, theirs, ""); !refused(err) {
			t.Errorf("an analyst puts somebody else on call: %v", err)
		}
		n, err := d.Override(boris, own, "Anna has a secret wedding")
		if err != nil || n != 1 || who(now.Add(time.Minute)) != "boris" || who(now.Add(25*time.Hour)) != "boris" {
			t.Fatalf("override %d, %v; on call %q", n, err, who(now.Add(time.Minute)))
		}
		if err := d.EndOverride(eve, 1); !refused(err) {
			t.Errorf("a reader ends an override: %v", err)
		}
		if _, err := d.PutAbsence(boris, entry.Absence{Person: "anna", From: now, Until: now.Add(time.Hour)}, ""); !refused(err) {
			t.Errorf("an analyst sends somebody else away: %v", err)
		}
		if _, err := d.PutAbsence(boris, entry.Absence{Person: "boris", From: now, Until: now.Add(96 * time.Hour)}, "ill"); err != nil || who(now.Add(time.Minute)) != "anna" {
			t.Errorf("absence: %v; on call %q", err, who(now.Add(time.Minute)))
		}
		time.Sleep(time.Minute)
		if err := d.EndAbsence(boris, 1); err != nil || who(time.Now()) != "boris" {
			t.Errorf("back: %v; on call %q", err, who(time.Now()))
		}
		if err := d.EndOverride(anna, 1); err != nil {
			t.Error(err)
		}
		if err := d.PutSchedule(anna, shopSchedule("anna"), ScheduleText{Name: "Shop"}, true); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("a second schedule of the same id: %v", err)
		}
		before := who(time.Now())
		stop()
		d, stop = h.start()
		if got := who(time.Now()); got != before {
			t.Errorf("after a start %q is on call, before it %q", got, before)
		}
		d.Read(func(s *State) {
			if len(s.Changes["shop"]) != 3 {
				t.Errorf("changes: %+v", s.Changes["shop"])
			}
			if got := d.ScheduleText("shop", s.Changes["shop"][0].Vault); got.Name != "The shop" || got.Why != "the first one" {
				t.Errorf("the text: %+v", got)
			}
		})
		text, err := d.LastEntries(1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range text {
			if strings.Contains(string(e.Body), "wedding") || strings.Contains(string(e.Body), "The shop") {
				t.Errorf("entry %d tells what the vault keeps: %s", e.N, e.Body)
			}
		}
	})
}

// onCall makes a team of three and a schedule of two.
func (h *house) onCall(d *Desk) {
	h.t.Helper()
	time.Sleep(12 * time.Hour) // the first turn begins at nine
	me := Local("test")
	err := errors.Join(d.PutPerson(me, "anna", []string{"commander", "engineer"}, Contact{Name: "Anna Keller"}, false), d.PutPerson(me, "boris", []string{"analyst"}, Contact{Name: "Boris Lang"}, false),
		d.PutPerson(me, "eve", []string{"reader"}, Contact{Name: "Eve Ray"}, false), d.PutSchedule(me, shopSchedule("anna", "boris"), ScheduleText{Name: "The shop", Why: "the first one"}, true))
	if err != nil {
		h.t.Fatal(err)
	}
}

// Given a link to a calendar, when it is changed anywhere, renewed, or its person leaves, then it opens nothing; and one's own names nobody else.
func TestCalendarLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.onCall(d)
		boris := h.person(d, "boris")
		token := func(schedule string) string {
			link, err := d.CalendarLink(boris, schedule)
			if err != nil {
				t.Fatal(err)
			}
			return link[strings.LastIndex(link, "/")+1:]
		}
		own, shop := token(""), token("shop")
		a, err := d.OpenCalendar(own, time.Now())
		b, err2 := d.OpenCalendar(shop, time.Now())
		if err != nil || err2 != nil || strings.Contains(string(a), "Anna") || strings.Contains(string(a), "anna") || !strings.Contains(string(a), "The shop") || !strings.Contains(string(b), "Anna Keller") {
			t.Fatalf("%v, %v\n%s\n%s", err, err2, a, b)
		}
		for i := range len(own) - len(".ics") {
			c := byte('A')
			if own[i] == c {
				c = 'B'
			}
			if _, err := d.OpenCalendar(own[:i]+string(c)+own[i+1:], time.Now()); !errors.Is(err, ErrCalendar) {
				t.Errorf("character %d changed: %v", i, err)
			}
		}
		for _, x := range []string{"", ".ics", "AA", strings.Repeat("A", 400), strings.Repeat("A", 401), own[:40], own + "\n", "\n" + own} {
			if _, err := d.OpenCalendar(x, time.Now()); !errors.Is(err, ErrCalendar) {
				t.Errorf("%.20q: %v", x, err)
			}
		}
		if _, err := d.CalendarLink(h.person(d, "eve"), ""); err == nil {
			t.Error("a reader, who is never on call, has a link")
		}
		if err := d.RenewCalendars(boris, "anna"); err == nil {
			t.Error("an analyst makes somebody else's links worthless")
		}
		if err := d.RenewCalendars(boris, "boris"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.OpenCalendar(own, time.Now()); !errors.Is(err, ErrCalendar) {
			t.Errorf("an old link: %v", err)
		}
		own = token("")
		if _, err := d.OpenCalendar(own, time.Now()); err != nil {
			t.Errorf("the new link: %v", err)
		}
		if err := d.PutPerson(Local("test"), "boris", []string{"analyst"}, Contact{Name: "Boris Lang"}, true); err != nil {
			t.Fatal(err)
		}
		if _, err := d.OpenCalendar(own, time.Now()); !errors.Is(err, ErrCalendar) {
			t.Errorf("the link of who left: %v", err)
		}
	})
}
