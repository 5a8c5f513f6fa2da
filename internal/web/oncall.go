package web

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/rota"
	"tocsin/ui"
)

const (
	gapsAhead   = 14 * 24 * time.Hour // that are told of before they hurt
	faultsShown = 12
	weeksFar    = 500 // from this week, either way
)

// oncall is the page of who is on call now.
func (s *Server) oncall(v *visit) error { return s.showOnCall(v, http.StatusOK, nil, nil, nil) }

// showOnCall shows it; a form that was wrong, of an absence or of a new schedule, comes back with what was typed.
func (s *Server) showOnCall(v *visit, code int, away *ui.CoverForm, add *ui.RotaForm, mistake error) error {
	view := ui.OnCallView{Frame: s.frame(v, "oncall", "Who is on call now"), May: auth.May(v.actor, auth.Team) == nil}
	view.Path = "/oncall"
	week, at := weekOf(v)
	var err error
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.Now = s.duties(v, st)
		for _, k := range st.Rota.Schedules() {
			name := s.rotaName(k)
			var row ui.RotaRow
			if row, err = s.rotaRow(v, st, st.Rota, k, at); err != nil {
				return
			}
			row.Name, row.Href = name, "/oncall/"+k.ID
			view.Rotas = append(view.Rotas, row)
			view.Faults = append(view.Faults, s.rotaFaults(v, st, st.Rota, k, name+": ")...)
		}
		for _, a := range st.Rota.Absences("", v.now) {
			view.Absences = append(view.Absences, s.absenceRow(v, st, a))
		}
		if auth.May(v.actor, auth.Ring) == nil {
			view.Away = s.awayForm(v, st)
		}
		view.Add = s.rotaForm(st, nil, desk.ScheduleText{})
	})
	if err != nil {
		return err
	}
	view.Faults = view.Faults[:min(len(view.Faults), faultsShown)]
	view.Says = "The week of " + monday(at.In(v.zone)).Format("2 January 2006")
	view.Prev, view.Next = weekHref("/oncall", week-1), weekHref("/oncall", week+1)
	if week != 0 {
		view.Week = ui.Link{Word: "This week", Href: "/oncall#week"}
	}
	if auth.May(v.actor, auth.Ring) == nil {
		view.Renew = "/calendar/renew"
		own, err := s.desk.CalendarLink(v.actor, "")
		if err != nil {
			return err
		}
		view.Calendars = []ui.Calendar{{Name: "My duties", Link: own}}
		for _, r := range view.Rotas {
			link, err := s.desk.CalendarLink(v.actor, r.ID)
			if err != nil {
				return err
			}
			view.Calendars = append(view.Calendars, ui.Calendar{Name: r.Name + ", everybody", Link: link})
		}
	}
	if away != nil {
		view.Away = *away
	}
	if add != nil {
		view.Add = *add
	}
	if mistake != nil {
		view.Errors, view.Frame.Still = mistakes(mistake), true
	}
	return ui.OnCall.Show(v.w, code, view)
}

// weekOf reads which week is asked for: 0 is this one.
func weekOf(v *visit) (n int, at time.Time) {
	n, err := strconv.Atoi(queried(v, "week"))
	if err != nil || n < -weeksFar || n > weeksFar {
		n = 0
	}
	return n, v.now.AddDate(0, 0, 7*n)
}

func weekHref(path string, n int) string { return fmt.Sprintf("%s?week=%d#week", path, n) }

func monday(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }

// rotaName is what a schedule is called.
func (s *Server) rotaName(k *rota.Schedule) string { return s.desk.ScheduleText(k.ID, k.Vault).Name }

// duties are who is on call now, by schedule; where nobody is first.
func (s *Server) duties(v *visit, st *desk.State) (out []ui.Duty) {
	for _, g := range st.Rota.Glance(v.now) {
		out = append(out, s.duty(v, st, g))
	}
	slices.SortStableFunc(out, func(a, b ui.Duty) int { return cmp.Compare(min(len(a.Who), 1), min(len(b.Who), 1)) })
	return out
}

func (s *Server) duty(v *visit, st *desk.State, g rota.Glance) ui.Duty {
	x := ui.Duty{ID: g.Schedule.ID, Name: s.rotaName(g.Schedule), Href: "/oncall/" + g.Schedule.ID, Until: v.at(g.Now.Until)}
	if x.Why = "Calls go on to whom the policy names next."; g.Now.Person != "" {
		x.Who, x.Why = s.name(st, g.Now.Person), s.whyOn(st, &g.Now, false)
	}
	if !g.Next.Since.IsZero() {
		x.After, x.Gap = "nobody", g.Next.Person == ""
		if !x.Gap {
			x.After = s.name(st, g.Next.Person)
		}
		x.Until = v.at(g.Next.Since) // one turn after the other of the same person is one
	}
	return x
}

// whyOn says why somebody is on call; without all, only what is not simply their turn.
func (s *Server) whyOn(st *desk.State, x *rota.Shift, all bool) string {
	var parts []string
	switch x.By {
	case rota.ByOverride:
		t := "override " + x.ID
		if x.Instead != "" {
			t += " instead of " + s.name(st, x.Instead)
		}
		parts = append(parts, t)
	case rota.ByHoliday:
		parts = append(parts, "holiday "+x.ID)
	case rota.ByLayer:
		if all {
			parts = append(parts, "layer "+x.ID)
		}
		if x.Holiday != "" {
			parts = append(parts, "holiday "+x.Holiday)
		}
	}
	for _, p := range x.Passed {
		why := " is away"
		if p.Why == rota.Left {
			why = " has left the team"
		}
		parts = append(parts, s.name(st, p.Person)+why)
	}
	return strings.Join(parts, "; ")
}

// rotaFaults are the gaps and warnings of a schedule, as problems.
func (s *Server) rotaFaults(v *visit, st *desk.State, b *rota.Book, k *rota.Schedule, of string) (out []ui.Problem) {
	list, err := b.Warnings(k.ID, v.now, v.now.Add(gapsAhead))
	if err != nil {
		return []ui.Problem{{Says: of + sentence(err)}}
	}
	href := "/oncall/" + k.ID
	span := func(x rota.Shift) string { return spanWords(v.zone, x.Since, x.Until) }
	for _, w := range list {
		p := ui.Problem{Href: href}
		switch w.Kind {
		case rota.WarnGap:
			p.Grave, p.Says, p.Mend = true, of+"nobody is on call "+span(w.Gap)+".", "Ask somebody to take over, or change the schedule."
			if names := passedNames(func(id string) string { return s.name(st, id) }, w.Gap.Passed); names != "" {
				p.Says = strings.TrimSuffix(p.Says, ".") + ", because " + names + " cannot be."
			}
		case rota.WarnZone:
			p.Says, p.Mend = of+"this machine does not know its time zone, so that all its times are reckoned in UTC.", "Update Tocsin, or choose another zone."
		case rota.WarnLeft:
			p.Says, p.Mend = of+s.name(st, w.Person)+" has left the team and is passed over.", "Take them out of the schedule."
		case rota.WarnNever:
			p.Says, p.Mend = of+"layer "+w.Layer+" puts nobody on call in the next 14 days.", "Others above it always decide, or its people are away."
		default:
			p.Says, p.Mend = fmt.Sprintf("%soverride %d does not count %s, because %s cannot be on call then.", of, w.ID, span(w.Gap), s.name(st, w.Person)), "Ask somebody else."
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b ui.Problem) int { // gaps first
		return map[bool]int{true: 0, false: 1}[a.Grave] - map[bool]int{true: 0, false: 1}[b.Grave]
	})
	return out
}

func passedNames(name func(string) string, list []rota.Passed) string {
	var names []string
	for _, p := range list {
		if n := name(p.Person); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, " and ")
}

// spanWords says from when to when, by the reader's clock and in UTC.
func spanWords(zone *time.Location, from, until time.Time) string {
	const form = "Mon 2 Jan 15:04"
	t := "from " + from.In(zone).Format(form) + " to " + until.In(zone).Format(form+" MST")
	if _, offset := until.In(zone).Zone(); offset != 0 {
		t += " (" + from.UTC().Format(form) + " to " + until.UTC().Format("15:04") + " UTC)"
	}
	return t
}

// rotaRow is a schedule's week and month around an instant.
func (s *Server) rotaRow(v *visit, st *desk.State, b *rota.Book, k *rota.Schedule, at time.Time) (ui.RotaRow, error) {
	row := ui.RotaRow{ID: k.ID}
	week, err := b.Week(k.ID, at, v.now)
	if err != nil {
		return row, err
	}
	row.Strip = s.strip(v, st, week)
	local := at.In(k.Zone())
	row.Month = local.Format("January 2006")
	from, until := k.Month(local.Year(), local.Month())
	loads, err := b.Loads(k.ID, from, until)
	if err != nil {
		return row, err
	}
	most := time.Duration(1)
	for _, l := range loads {
		most = max(most, l.All)
	}
	hours := func(d time.Duration) string { return strconv.FormatFloat(d.Hours(), 'f', -1, 32) }
	round := func(d time.Duration) string { return hours(d.Round(30 * time.Minute)) }
	for _, l := range loads {
		row.Loads = append(row.Loads, ui.LoadRow{Who: s.name(st, l.Person), Gap: l.Person == "", All: round(l.All), Night: round(l.Night), Weekend: round(l.Weekend), Holiday: round(l.Holiday),
			Shifts: strconv.Itoa(l.Shifts), Part: ui.LoadPart(float64(l.All) / float64(most))})
	}
	return row, nil
}

// strip draws a week; the table beside it has what comes of all.
func (s *Server) strip(v *visit, st *desk.State, x *rota.Strip) ui.RotaStrip {
	var days []ui.StripPart
	for _, d := range x.Days {
		days = append(days, ui.StripPart{X: d.X, W: d.W, Word: d.Date.In(x.Zone).Format("Mon 2 Jan"), Off: d.Weekend || d.Holiday != ""})
	}
	var lines []ui.StripLine
	for _, r := range x.Rows {
		line := ui.StripLine{Word: r.ID, Final: r.Kind == rota.RowFinal}
		switch r.Kind {
		case rota.RowFinal:
			line.Word = "On call"
		case rota.RowOverride:
			line.Word = "Overrides"
		}
		for _, bar := range r.Bars {
			p := ui.StripPart{X: bar.X, W: bar.W, Hue: -1, Word: "nobody"}
			if bar.Shift.Person != "" {
				p.Word, p.Hue = s.name(st, bar.Shift.Person), hue(bar.Shift.Person)
			}
			p.Says = p.Word + " " + spanWords(x.Zone, bar.Shift.Since, bar.Shift.Until)
			line.Parts = append(line.Parts, p)
		}
		lines = append(lines, line)
	}
	title := s.desk.ScheduleText(x.Schedule, "").Name
	if k, err := st.Rota.Get(x.Schedule); err == nil {
		title = s.rotaName(k)
	}
	out := ui.NewStrip(x.Schedule, title+", the week of "+x.From.In(x.Zone).Format("2 January 2006"), x.Zone.String(), x.Now, days, lines)
	for _, bar := range x.Rows[len(x.Rows)-1].Bars {
		out.Table = append(out.Table, s.shiftRow(v, st, bar.Shift))
	}
	return out
}

// hue is a person's colour: the same everywhere.
func hue(person string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(person)) // a hash refuses nothing
	return int(h.Sum32() % 8)
}

func (s *Server) shiftRow(v *visit, st *desk.State, x rota.Shift) ui.ShiftRow {
	r := ui.ShiftRow{Gap: x.Person == "", From: v.at(x.Since), Until: v.at(x.Until), Why: s.whyOn(st, &x, true)}
	if !r.Gap {
		r.Who = s.name(st, x.Person)
	}
	return r
}

func (s *Server) absenceRow(v *visit, st *desk.State, a *rota.Absence) ui.CoverRow {
	x := ui.CoverRow{ID: fmt.Sprintf("away-%d", a.ID), Says: s.name(st, a.Person), From: v.at(a.From), Until: v.at(a.Until), By: s.actorName(st, a.By), Why: s.desk.Text(a.Text)}
	if desk.MayAbsence(v.actor, a.Person) {
		x.End = fmt.Sprintf("/absences/%d/end", a.ID)
	}
	return x
}

func (s *Server) overrideRow(v *visit, st *desk.State, o *rota.Override) ui.CoverRow {
	x := ui.CoverRow{ID: fmt.Sprintf("override-%d", o.ID), From: v.at(o.From), Until: v.at(o.Until), By: s.actorName(st, o.By), Why: s.desk.Text(o.Text)}
	x.Says = fmt.Sprintf("%d: %s", o.ID, s.name(st, o.Person))
	switch {
	case o.Swap:
		x.Says += " and " + s.name(st, o.Instead) + " swap"
	case o.Instead != "":
		x.Says += " instead of " + s.name(st, o.Instead)
	default:
		x.Says += " instead of whoever it is"
	}
	if desk.MayOverride(v.actor, o.Override) {
		x.End = fmt.Sprintf("/overrides/%d/end", o.ID)
	}
	return x
}

// onCallProblems says on every page where nobody is on call now.
func (s *Server) onCallProblems(v *visit) (ps []ui.Problem) {
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, k := range st.Rota.Schedules() {
			if x, err := st.Rota.At(k.ID, v.now); err == nil && x.Person == "" {
				ps = append(ps, ui.Problem{Grave: true, Says: "Nobody is on call now: " + s.rotaName(k) + ".", Mend: "Calls go on to whom the policy names next; ask somebody to take over.", Href: "/oncall/" + k.ID})
			}
		}
	})
	return ps
}

// oncallStaff are the members of the team for a form: oneself, or for who keeps the team everybody who answers calls.
func (s *Server) oncallStaff(v *visit, st *desk.State, chosen string) []ui.Option {
	var pairs []string
	for _, id := range staff(st) {
		if auth.May(desk.Actor(st.Plan.People[id]), auth.Ring) == nil && (id == v.actor.ID || auth.May(v.actor, auth.Team) == nil) {
			pairs = append(pairs, id, s.name(st, id))
		}
	}
	return options(cmp.Or(chosen, v.actor.ID), pairs...)
}

func (s *Server) awayForm(v *visit, st *desk.State) ui.CoverForm {
	f := s.coverTimes(v, v.zone)
	f.Action, f.People = "/absences", s.oncallStaff(v, st, text(v.r, "person"))
	f.Hint = "The next in order stands in, unless a layer wants the gap to be seen."
	return f
}

const localForm = "2006-01-02T15:04"

// coverTimes are the times of a form: what was typed, or the day that begins with the next hour.
func (s *Server) coverTimes(v *visit, zone *time.Location) ui.CoverForm {
	f := ui.CoverForm{Zone: zone.String()}
	if v.r.Method == http.MethodPost {
		f.From, f.Until, f.Why, f.Open = text(v.r, "from"), text(v.r, "until"), text(v.r, "why"), true
		return f
	}
	from := v.now.In(zone).Truncate(time.Hour).Add(time.Hour)
	f.From, f.Until = from.Format(localForm), from.AddDate(0, 0, 1).Format(localForm)
	return f
}

// typedCover reads two local times. What the clocks leave out or show twice is read as time.ParseInLocation does.
func typedCover(v *visit, zone *time.Location) (from, until time.Time, err error) {
	for _, x := range []struct {
		field string
		to    *time.Time
	}{{"from", &from}, {"until", &until}} {
		t := text(v.r, x.field)
		if len(t) > len(localForm) && strings.Count(t, ":") == 2 {
			t = t[:len(localForm)] // some browsers send seconds
		}
		if *x.to, err = time.ParseInLocation(localForm, t, zone); err != nil {
			return from, until, desk.FieldError{Field: "cover-" + x.field, Says: "Write a day and a time, as 2026-11-30T18:00."}
		}
	}
	if !until.After(from) {
		return from, until, desk.FieldError{Field: "cover-until", Says: "It must end after it begins."}
	}
	return from, until, nil
}

// putAbsence says that somebody is away.
func (s *Server) putAbsence(v *visit) error {
	from, until, err := typedCover(v, v.zone)
	if err == nil {
		_, err = s.desk.PutAbsence(v.actor, entry.Absence{Person: text(v.r, "person"), From: from, Until: until}, text(v.r, "why"))
	}
	if err != nil {
		if known(err) {
			return err
		}
		var f ui.CoverForm
		s.desk.ReadAs(v.actor, func(st *desk.State) { f = s.awayForm(v, st) })
		return s.showOnCall(v, http.StatusUnprocessableEntity, &f, nil, err)
	}
	return done(v, "/oncall", "covered")
}

// endAbsence and endOverride end one before its time; renewCalendars makes one's links worthless.
func (s *Server) endAbsence(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	missing := false
	s.desk.ReadAs(v.actor, func(st *desk.State) { _, err = st.Rota.FindAbsence(id); missing = err != nil })
	if missing {
		return errMissing
	}
	if err := s.desk.EndAbsence(v.actor, id); err != nil {
		if known(err) {
			return err
		}
		return s.showOnCall(v, http.StatusConflict, nil, nil, err)
	}
	return done(v, "/oncall", "uncovered")
}

func (s *Server) endOverride(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	schedule := ""
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		if o, err := st.Rota.FindOverride(id); err == nil {
			schedule = o.Schedule
		}
	})
	if schedule == "" {
		return errMissing
	}
	if err := s.desk.EndOverride(v.actor, id); err != nil {
		if known(err) {
			return err
		}
		return s.showRota(v, http.StatusConflict, schedule, rotaTyped{}, err)
	}
	return done(v, "/oncall/"+schedule, "uncovered")
}

func (s *Server) renewCalendars(v *visit) error {
	if err := s.desk.RenewCalendars(v.actor, v.actor.ID); err != nil {
		return err
	}
	return done(v, "/oncall", "renewed")
}
