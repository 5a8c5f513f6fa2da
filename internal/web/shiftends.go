package web

import (
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/ui"
)

// shiftNear is how long before the end of a shift its hand-over is asked for.
const shiftNear = time.Hour

// shiftEnds says when a person's turn on call ends, if that is near, and who comes then; "" is nobody. The zero time: they are not on call, or go on.
func shiftEnds(st *desk.State, person string, now time.Time) (at time.Time, next string) {
	if person == "" {
		return at, ""
	}
	for _, s := range st.Rota.Schedules() {
		shifts, err := st.Rota.Shifts(s.ID, now, now.Add(shiftNear))
		if err != nil {
			continue
		}
		var until time.Time
		for x := range shifts {
			if until.IsZero() && (x.Person != person || x.Since.After(now)) {
				break // it is not their turn
			}
			if x.Person != person {
				if x.Since.Equal(until) {
					next = x.Person
				}
				break
			}
			until = x.Until
		}
		if !until.IsZero() && until.Before(now.Add(shiftNear)) {
			return until, next
		}
		next = ""
	}
	return time.Time{}, ""
}

// remindShift opens the form that hands over when the reader's shift ends soon, and chooses who comes on call then.
func (s *Server) remindShift(v *visit, st *desk.State, i *incident.Incident, fold *ui.Fold) {
	for _, h := range each(st, i, func(c *incident.Command) []incident.Handover { return c.Handovers }) {
		if h.Open() && h.From == v.actor.ID {
			return // they did
		}
	}
	at, next := shiftEnds(st, v.actor.ID, v.now)
	if at.IsZero() {
		return
	}
	says := "Your shift ends at " + at.In(v.zone).Format("15:04 MST") + ", and nobody comes on call then. "
	if next != "" {
		says = "Your shift ends at " + at.In(v.zone).Format("15:04 MST") + "; " + s.name(st, next) + " comes on call then. "
		for k := range fold.Form.Fields[0].Options {
			o := &fold.Form.Fields[0].Options[k]
			o.Chosen = o.Value == next
		}
	}
	fold.Open, fold.Form.Hint = true, says+fold.Form.Hint
}
