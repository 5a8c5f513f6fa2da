package api

import (
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/rota"
)

// maxDays is how far ahead is told at once.
const maxDays = 100

type (
	scheduleQuery struct {
		Schedule string `query:"schedule" maxLength:"64" doc:"id of one; without it, all"`
		Days     int    `query:"days" default:"14" doc:"how far ahead is told: 1 to 100"`
	}
	calendarQuery struct {
		Schedule string `query:"schedule" maxLength:"64" doc:"id of one; without it, one's own duties"`
	}
	schedule struct {
		ID       string                  `json:"id,omitempty" maxLength:"64" doc:"of a new one, such as shop"`
		Name     string                  `json:"name" maxLength:"200"`
		For      string                  `json:"for,omitempty" maxLength:"10000" doc:"what it is for"`
		Why      string                  `json:"why,omitempty" maxLength:"10000" doc:"why it is changed"`
		Zone     string                  `json:"zone" maxLength:"64" doc:"IANA name: Europe/Berlin"`
		Layers   []entry.ScheduleLayer   `json:"layers" maxItems:"50" doc:"later ones win over earlier ones"`
		Holidays []entry.ScheduleHoliday `json:"holidays,omitempty" maxItems:"500"`
	}
	// A FullSchedule is one as it was put last.
	FullSchedule struct {
		ID       string                  `json:"id"`
		Name     string                  `json:"name"`
		For      string                  `json:"for,omitempty"`
		Zone     string                  `json:"zone"`
		Layers   []entry.ScheduleLayer   `json:"layers"`
		Holidays []entry.ScheduleHoliday `json:"holidays,omitempty"`
		Ended    time.Time               `json:"ended,omitzero"`
		Covers   []Override              `json:"overrides"`
	}
	// An Override puts somebody on call for a time.
	Override struct {
		ID      int64     `json:"id"`
		Person  string    `json:"person"`
		Instead string    `json:"instead,omitempty"`
		Swap    bool      `json:"swap,omitempty"`
		From    time.Time `json:"from"`
		Until   time.Time `json:"until"`
		By      string    `json:"by"`
	}
	calendarOf struct {
		Schedule string `json:"schedule,omitempty" maxLength:"64" doc:"id of one; without it, one's own duties"`
	}
)

func (x schedule) entry(id string) (entry.Schedule, desk.ScheduleText) {
	return entry.Schedule{ID: id, Zone: x.Zone, Layers: x.Layers, Holidays: x.Holidays}, desk.ScheduleText{Name: x.Name, For: x.For, Why: x.Why}
}

// scheduleOperations are those of who is on call by which schedule.
func scheduleOperations(t *table) {
	o := get("/schedules", "listSchedules", "Say who is on call by every schedule, what comes, and the gaps")
	o.need, o.web = auth.See, "GET /oncall"
	add(t, o, schedules)
	o = get("/schedules/{id}", "getSchedule", "Show how a schedule is made")
	o.need, o.web = auth.See, "GET /oncall/{id}"
	add(t, o, func(a ask, in *named) (out FullSchedule, err error) {
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			k, e := s.Rota.Get(in.ID)
			if err = e; err != nil {
				return
			}
			text := a.desk.ScheduleText(in.ID, k.Vault)
			out = FullSchedule{ID: in.ID, Name: text.Name, For: text.For, Zone: k.Schedule.Zone, Layers: k.Schedule.Layers, Holidays: k.Schedule.Holidays, Ended: k.Ended, Covers: []Override{}}
			for _, x := range k.Overrides(a.now) {
				out.Covers = append(out.Covers, Override{x.ID, x.Person, x.Instead, x.Swap, x.Override.From, x.Override.Until, x.By})
			}
		})
		return out, err
	})
	o = post("/schedules", "addSchedule", "Make a schedule")
	o.need, o.web = auth.Team, "POST /oncall"
	act(t, o, func(a ask, in *body[schedule]) error {
		x, text := in.Body.entry(in.Body.ID)
		return a.desk.PutSchedule(a.actor, x, text, true)
	})
	o = post("/schedules/{id}", "changeSchedule", "Change a schedule from now on")
	o.need, o.web = auth.Team, "POST /oncall/{id}"
	act(t, o, func(a ask, in *namedWith[schedule]) error {
		if in.Body.ID != "" && in.Body.ID != in.ID {
			return mistake{"id", "a schedule keeps its id"}
		}
		var err error
		if a.desk.ReadAs(a.actor, func(s *desk.State) { _, err = s.Rota.Get(in.ID) }); err != nil {
			return err
		}
		x, text := in.Body.entry(in.ID)
		return a.desk.PutSchedule(a.actor, x, text, false)
	})
	o = post("/schedules/{id}/end", "endSchedule", "End a schedule")
	o.need, o.web = auth.Team, "POST /oncall/{id}/end"
	act(t, o, func(a ask, in *named) error { return a.desk.EndSchedule(a.actor, in.ID) })
	o = get("/schedules/calendar", "getCalendar", "Show a calendar (iCalendar, RFC 5545) of a schedule or of one's own duties")
	o.need = auth.See
	add(t, o, func(a ask, in *calendarQuery) (client.Exported, error) {
		b, err := a.desk.Calendar(a.actor, in.Schedule, a.now)
		return client.Exported{Data: string(b)}, err
	})
	o = post("/schedules/calendar/link", "linkCalendar", "Make an address at which a calendar program finds a calendar")
	o.need, o.shown, o.about = auth.Ring, true, "Whoever has the address reads it, until all of one's addresses are renewed."
	add(t, o, func(a ask, in *body[calendarOf]) (Link, error) {
		link, err := a.desk.CalendarLink(a.actor, in.Body.Schedule)
		return Link{link}, err
	})
	o = post("/schedules/calendar/renew", "renewCalendars", "Make every address of one's calendars worthless")
	o.need, o.web = auth.Ring, "POST /calendar/renew"
	act(t, o, func(a ask, _ *none) error { return a.desk.RenewCalendars(a.actor, a.actor.ID) })
}

func schedules(a ask, in *scheduleQuery) (out []client.Schedule, err error) {
	if in.Days < 1 || in.Days > maxDays {
		return nil, mistake{"days", fmt.Sprintf("%d days cannot be told; ask for 1 to %d", in.Days, maxDays)}
	}
	out = []client.Schedule{}
	a.desk.ReadAs(a.actor, func(s *desk.State) {
		if in.Schedule != "" {
			if _, err = s.Rota.Get(in.Schedule); err != nil {
				return
			}
		}
		for _, g := range s.Rota.Glance(a.now) {
			if in.Schedule != "" && in.Schedule != g.Schedule.ID {
				continue
			}
			var x client.Schedule
			if x, err = glance(a.desk, s, g, a.now, a.now.AddDate(0, 0, in.Days)); err != nil {
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

// coverOperations are those of overrides and absences.
func coverOperations(t *table) {
	o := post("/schedules/overrides", "putOverride", "Put somebody on call for a time, or end that")
	o.need, o.web, o.about = auth.Ring, "POST /oncall/{id}/override, POST /overrides/{id}/end", "With oneself in it; of others it needs the right team. With id and end it ends one; a new one has neither."
	add(t, o, cover(func(a ask, x client.Cover) (int64, error) {
		if x.End {
			return x.ID, a.desk.EndOverride(a.actor, x.ID)
		}
		return a.desk.Override(a.actor, entry.Override{Schedule: x.Schedule, Person: x.Who, Instead: x.Instead, Swap: x.Swap, From: x.From, Until: x.Until}, x.Why)
	}))
	o = post("/schedules/absences", "putAbsence", "Say that somebody is away, or is back")
	o.need, o.web, o.about = auth.Ring, "POST /absences, POST /absences/{id}/end", "Oneself; others by the right team. With id and end it ends one; a new one has neither."
	add(t, o, cover(func(a ask, x client.Cover) (int64, error) {
		if x.End {
			return x.ID, a.desk.EndAbsence(a.actor, x.ID)
		}
		if x.Schedule != "" || x.Instead != "" || x.Swap {
			return 0, mistake{"schedule", "an absence is of a person, in every schedule: say who, from, until and why only"}
		}
		return a.desk.PutAbsence(a.actor, entry.Absence{Person: x.Who, From: x.From, Until: x.Until}, x.Why)
	}))
	o = get("/schedules/absences", "listAbsences", "List who is away")
	o.need = auth.See
	add(t, o, func(a ask, _ *none) ([]client.Cover, error) {
		out := []client.Cover{}
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			for id := range s.Plan.People {
				for _, x := range s.Rota.Absences(id, a.now) {
					out = append(out, client.Cover{ID: x.ID, Who: id, From: x.From, Until: x.Until})
				}
			}
		})
		return out, nil
	})
}

func cover(do func(ask, client.Cover) (int64, error)) func(ask, *body[client.Cover]) (client.Covered, error) {
	return func(a ask, in *body[client.Cover]) (out client.Covered, err error) {
		if in.Body.End != (in.Body.ID != 0) {
			return out, mistake{"id", "to end one, say both its id and end; a new one has neither"}
		}
		out.ID, err = do(a, in.Body)
		return out, err
	}
}
