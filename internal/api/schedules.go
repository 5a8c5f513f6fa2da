package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/rota"
)

// maxDays is how far ahead is told at once.
const maxDays = 100

// scheduleRoutes are the routes of who is on call by which schedule.
func scheduleRoutes(d *desk.Desk) []route {
	return []route{
		{"GET /v1/schedules", func(_ http.ResponseWriter, r *http.Request) (any, error) { return schedules(d, r) }},
		{"GET /v1/schedules/calendar", func(_ http.ResponseWriter, r *http.Request) (any, error) { return calendarOf(d, r) }},
		{"POST /v1/schedules/overrides", func(w http.ResponseWriter, r *http.Request) (any, error) { return cover(d, w, r, override) }},
		{"POST /v1/schedules/absences", func(w http.ResponseWriter, r *http.Request) (any, error) { return cover(d, w, r, absence) }},
	}
}

func schedules(d *desk.Desk, r *http.Request) ([]client.Schedule, error) {
	q := r.URL.Query()
	actor, err := actorOf(d, q.Get("person"))
	if err == nil {
		err = auth.May(actor, auth.See)
	}
	if err != nil {
		return nil, err
	}
	days := 14
	if t := q.Get("days"); t != "" {
		if days, err = strconv.Atoi(t); err != nil || days < 1 || days > maxDays {
			return nil, fmt.Errorf("%.20q days cannot be told; ask for 1 to %d", t, maxDays)
		}
	}
	now, out := time.Now(), []client.Schedule{}
	d.Read(func(s *desk.State) {
		if id := q.Get("schedule"); id != "" {
			if _, err = s.Rota.Get(id); err != nil {
				return
			}
		}
		for _, g := range s.Rota.Glance(now) {
			if id := q.Get("schedule"); id != "" && id != g.Schedule.ID {
				continue
			}
			var x client.Schedule
			if x, err = glance(d, s, g, now, now.AddDate(0, 0, days)); err != nil {
				return
			}
			out = append(out, x)
		}
	})
	return out, err
}

// glance tells one schedule, and its shifts and gaps until then.
func glance(d *desk.Desk, s *desk.State, g rota.Glance, now, until time.Time) (client.Schedule, error) {
	id := g.Schedule.ID
	name := func(person string) string {
		if person == "" {
			return ""
		}
		if n := d.People.Get(s.Plan.People[person].Vault).Name; n != "" {
			return n
		}
		return person
	}
	x := client.Schedule{Schedule: id, Name: d.ScheduleText(id, g.Schedule.Vault).Name, Zone: g.Schedule.Schedule.Zone, Person: g.Now.Person, Who: name(g.Now.Person), Until: g.Now.Until, Next: g.Next.Person,
		NextWho: name(g.Next.Person), Why: g.Now.Why(), Shifts: []client.Shift{}, Gaps: []client.Shift{}, Warnings: []string{}}
	if !g.Next.Since.IsZero() {
		x.Until = g.Next.Since
	}
	tell := func(y rota.Shift) client.Shift {
		return client.Shift{Person: y.Person, Who: name(y.Person), From: y.Since, Until: y.Until, Why: y.Why()}
	}
	whole, err := s.Rota.Whole(id, now, until)
	if err != nil {
		return x, err
	}
	for _, y := range whole {
		x.Shifts = append(x.Shifts, tell(y))
	}
	gaps, err := s.Rota.Gaps(id, now, until)
	if err != nil {
		return x, err
	}
	for _, y := range gaps {
		x.Gaps = append(x.Gaps, tell(y))
	}
	list, err := s.Rota.Warnings(id, now, until)
	for _, w := range list {
		x.Warnings = append(x.Warnings, w.String())
	}
	return x, err
}

func calendarOf(d *desk.Desk, r *http.Request) (client.Exported, error) {
	actor, err := actorOf(d, r.URL.Query().Get("person"))
	if err != nil {
		return client.Exported{}, err
	}
	b, err := d.Calendar(actor, r.URL.Query().Get("schedule"), time.Now())
	return client.Exported{Data: string(b)}, err
}

// cover reads what is asked for, and does it.
func cover(d *desk.Desk, w http.ResponseWriter, r *http.Request, do func(*desk.Desk, auth.Actor, client.Cover) (int64, error)) (out client.Covered, err error) {
	var x client.Cover
	actor, err := readFrom(d, w, r, &x, &x.Person)
	if err != nil {
		return out, err
	}
	if x.End != (x.ID != 0) {
		return out, errors.New("to end one, say both its id and end; a new one has neither")
	}
	out.ID, err = do(d, actor, x)
	return out, err
}

func override(d *desk.Desk, actor auth.Actor, x client.Cover) (int64, error) {
	if x.End {
		return x.ID, d.EndOverride(actor, x.ID)
	}
	return d.Override(actor, entry.Override{Schedule: x.Schedule, Person: x.Who, Instead: x.Instead, Swap: x.Swap, From: x.From, Until: x.Until}, x.Why)
}

func absence(d *desk.Desk, actor auth.Actor, x client.Cover) (int64, error) {
	if x.End {
		return x.ID, d.EndAbsence(actor, x.ID)
	}
	if x.Schedule != "" || x.Instead != "" || x.Swap {
		return 0, errors.New("an absence is of a person, in every schedule: say who, from, until and why only")
	}
	return d.PutAbsence(actor, entry.Absence{Person: x.Who, From: x.From, Until: x.Until}, x.Why)
}
