package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/rota"
	"tocsin/ui"
)

// rotaTyped is what came with a post and must be shown again.
type rotaTyped struct {
	cover   *ui.CoverForm
	form    *ui.RotaForm
	preview *ui.RotaPreview
}

// handovers is how many of the next are listed.
const handovers = 8

// rota is the page of a schedule; with .ics behind its id it is the calendar of it.
func (s *Server) rota(v *visit) error {
	id := v.r.PathValue("id")
	if schedule, ok := strings.CutSuffix(id, ".ics"); ok {
		return s.scheduleFile(v, schedule)
	}
	return s.showRota(v, http.StatusOK, id, rotaTyped{}, nil)
}

// showRota shows a schedule; forms that were wrong come back with what was typed.
func (s *Server) showRota(v *visit, code int, id string, typed rotaTyped, mistake error) error {
	view := ui.RotaView{Frame: s.frame(v, "oncall", "On call"), May: auth.May(v.actor, auth.Team) == nil, ID: id}
	view.Path = "/oncall/" + id
	week, at := weekOf(v)
	err := error(errMissing)
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		var k *rota.Schedule
		if k, err = st.Rota.Get(id); err != nil {
			err = errMissing
			return
		}
		words := s.desk.ScheduleText(id, k.Vault)
		view.Name, view.For, view.Title, view.Ended = words.Name, words.For, words.Name, v.at(k.Ended)
		view.Says = "The week of " + monday(at.In(k.Zone())).Format("2 January 2006")
		if view.Row, err = s.rotaRow(v, st, st.Rota, k, at); err != nil {
			return
		}
		for _, o := range k.Overrides(v.now) {
			view.Overrides = append(view.Overrides, s.overrideRow(v, st, o))
		}
		for _, c := range slices.Backward(st.Changes[id]) {
			view.Changes = append(view.Changes, s.changeRow(v, st, c))
		}
		if !k.Ended.IsZero() {
			return
		}
		for _, g := range st.Rota.Glance(v.now) {
			if g.Schedule == k {
				view.Duty = s.duty(v, st, g)
			}
		}
		view.Faults = s.rotaFaults(v, st, st.Rota, k, "")
		list, herr := st.Rota.Handovers(id, v.now, handovers)
		for _, h := range list {
			view.Handovers = append(view.Handovers, s.shiftRow(v, st, h.Next))
		}
		err = herr
		if auth.May(v.actor, auth.Ring) == nil {
			view.Cover = s.coverForm(v, st, k)
		}
		if view.May {
			view.Form, view.End = s.rotaForm(st, k, words), "/oncall/"+id+"/end"
		}
	})
	if err != nil {
		return err
	}
	view.Faults = view.Faults[:min(len(view.Faults), faultsShown)]
	view.Prev, view.Next = weekHref("/oncall/"+id, week-1), weekHref("/oncall/"+id, week+1)
	view.Calendar = "/oncall/" + id + ".ics"
	if typed.cover != nil {
		view.Cover = *typed.cover
	}
	if typed.form != nil {
		view.Form = *typed.form
	}
	view.Preview, view.Still = typed.preview, typed.preview != nil || mistake != nil
	if mistake != nil {
		view.Errors = mistakes(mistake)
	}
	return ui.Rota.Show(v.w, code, view)
}

func (s *Server) changeRow(v *visit, st *desk.State, c desk.ScheduleChange) ui.ChangeRow {
	x := ui.ChangeRow{At: v.at(c.At), By: s.actorName(st, c.By), Says: desk.Title(kindWords(c.Kind)) + ".", N: ui.Number(c.N)}
	switch c.Kind {
	case entry.SchedulePut:
		x.Why = s.desk.ScheduleText("", c.Vault).Why
	case entry.ScheduleOverridden:
		x.Why = s.desk.Text(c.Vault)
	}
	if c.ID != 0 {
		if o, err := st.Rota.FindOverride(c.ID); err == nil {
			x.Says = fmt.Sprintf("Override %s, %s.", s.overrideRow(v, st, o).Says, spanWords(v.zone, o.Override.From, o.Override.Until))
			if c.Kind == entry.OverrideEnded {
				x.Says = fmt.Sprintf("Override %d ended before its time.", c.ID)
			}
		}
	}
	return x
}

func (s *Server) coverForm(v *visit, st *desk.State, k *rota.Schedule) ui.CoverForm {
	f := s.coverTimes(v, v.zone)
	f.Action, f.People, f.Swap = "/oncall/"+k.ID+"/override", s.oncallStaff(v, st, text(v.r, "person")), text(v.r, "swap") != ""
	f.Instead = s.staffOptions(st, text(v.r, "instead"), "whoever it is")
	return f
}

// putOverride takes a duty over, or swaps.
func (s *Server) putOverride(v *visit) error {
	id := v.r.PathValue("id")
	k, err := s.schedule(id)
	if err != nil {
		return err
	}
	from, until, err := typedCover(v, v.zone)
	if err == nil {
		x := entry.Override{Schedule: id, Person: text(v.r, "person"), Instead: text(v.r, "instead"), Swap: text(v.r, "swap") != "", From: from, Until: until}
		_, err = s.desk.Override(v.actor, x, text(v.r, "why"))
	}
	if err != nil {
		if known(err) {
			return err
		}
		var f ui.CoverForm
		s.desk.ReadAs(v.actor, func(st *desk.State) { f = s.coverForm(v, st, k) })
		return s.showRota(v, http.StatusUnprocessableEntity, id, rotaTyped{cover: &f}, err)
	}
	return done(v, "/oncall/"+id, "covered")
}

// schedule finds one; only what never changes of it may be read.
func (s *Server) schedule(id string) (k *rota.Schedule, err error) {
	s.desk.Read(func(st *desk.State) { k, err = st.Rota.Get(id) })
	if err != nil {
		return nil, errMissing
	}
	return k, nil
}

func (s *Server) endSchedule(v *visit) error {
	id := v.r.PathValue("id")
	if _, err := s.schedule(id); err != nil {
		return err
	}
	err := error(desk.FieldError{Field: "", Says: "Say that you are sure."})
	if text(v.r, "sure") != "" {
		err = s.desk.EndSchedule(v.actor, id)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showRota(v, http.StatusUnprocessableEntity, id, rotaTyped{}, err)
	}
	return done(v, "/oncall", "schedule-ended")
}

// addSchedule and changeSchedule show what a schedule would mean, and put it only when asked to.
func (s *Server) addSchedule(v *visit) error { return s.putSchedule(v, text(v.r, "id"), true) }

func (s *Server) changeSchedule(v *visit) error {
	id := v.r.PathValue("id")
	if _, err := s.schedule(id); err != nil {
		return err
	}
	return s.putSchedule(v, id, false)
}

func (s *Server) putSchedule(v *visit, id string, fresh bool) error {
	x, words, err := typedSchedule(v, id)
	var preview *ui.RotaPreview
	if err == nil && text(v.r, "do") == "put" {
		if err = s.desk.PutSchedule(v.actor, x, words, fresh); err == nil {
			return done(v, "/oncall/"+id, "schedule")
		}
	} else if err == nil {
		preview, err = s.rotaPreview(v, x, words, fresh)
	}
	if known(err) {
		return err
	}
	code := http.StatusOK
	if err != nil {
		err, code = rotaField(err), http.StatusUnprocessableEntity
	}
	var f ui.RotaForm
	s.desk.ReadAs(v.actor, func(st *desk.State) { f = s.typedRota(v, st, id, fresh) })
	f.Ready = preview != nil
	if !fresh {
		return s.showRota(v, code, id, rotaTyped{form: &f, preview: preview}, err)
	}
	if preview == nil {
		return s.showOnCall(v, code, nil, &f, err)
	}
	view := ui.RotaView{Frame: s.frame(v, "oncall", "A new schedule"), May: true, Form: f, Preview: preview}
	view.Still = true
	return ui.Rota.Show(v.w, code, view)
}

// rotaPreview shows what a schedule would mean, from now on, in a book of its own.
func (s *Server) rotaPreview(v *visit, x entry.Schedule, words desk.ScheduleText, fresh bool) (p *ui.RotaPreview, err error) {
	if words.Name == "" {
		return nil, desk.FieldError{Field: "name", Says: "A schedule needs a name."}
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		if _, missing := st.Rota.Get(x.ID); fresh && missing == nil {
			err = desk.FieldError{Field: "id", Says: fmt.Sprintf("There is a schedule %s already.", x.ID)}
			return
		}
		var b *rota.Book
		if b, err = st.Rota.With(v.actor.Name, x, v.now); err != nil {
			return
		}
		var k *rota.Schedule
		if k, err = b.Get(x.ID); err != nil {
			return
		}
		var strip *rota.Strip
		if strip, err = b.Strip(x.ID, v.now.Truncate(time.Hour), v.now.Truncate(time.Hour).Add(gapsAhead), v.now); err != nil {
			return
		}
		p = &ui.RotaPreview{Strip: s.strip(v, st, strip), Faults: s.rotaFaults(v, st, b, k, ""), New: fresh}
		p.Strip.ID, p.Strip.Title = "preview", "The next 14 days as they would be"
		p.Faults = p.Faults[:min(len(p.Faults), faultsShown)]
	})
	return p, err
}

// rotaField puts a mistake beside its field, as far as it names one.
func rotaField(err error) error {
	if f, ok := errors.AsType[desk.FieldError](err); ok {
		if slices.Contains([]string{"name", "for", "why"}, f.Field) {
			f.Field = "rota-" + f.Field
		}
		return f
	}
	t := err.Error()
	switch {
	case strings.HasPrefix(t, "the time zone"):
		return desk.FieldError{Field: "rota-zone", Says: sentence(err)}
	case strings.HasPrefix(t, "a schedule's id"):
		return desk.FieldError{Field: "id", Says: sentence(err)}
	case strings.HasPrefix(t, "holiday"):
		return desk.FieldError{Field: "holidays", Says: sentence(err)}
	}
	return err
}
