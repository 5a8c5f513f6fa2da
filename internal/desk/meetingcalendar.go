package desk

import (
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/review"
	"tocsin/internal/rota"
	"tocsin/internal/tlp"
)

// meetingLasts is how long a review is put into calendars for.
const meetingLasts = time.Hour

// ReviewCalendar is the review of an incident as iCalendar, for the calendar of whoever comes. Of what the label keeps inside, and of a restricted incident, there is no more in it than that one
// signs in: calendars lie with others. Errors: auth.Refusal, incident.ErrNotFound, review.ErrNotFound when it was not called.
func (d *Desk) ReviewCalendar(actor auth.Actor, id int64) (out []byte, err error) {
	if err := d.MayOn(actor, auth.See, id); err != nil {
		return nil, err
	}
	d.ReadAs(actor, func(s *State) {
		i, e := s.Incidents.Get(id)
		if err = e; err != nil {
			return
		}
		c, called := s.Reviews.Calls[id]
		if !called {
			err = fmt.Errorf("the review of incident %d: %w", id, review.ErrNotFound)
			return
		}
		x := rota.Appointment{Origin: d.origin(), Key: fmt.Sprintf("review %d", id), Sequence: c.Called.Unix(), Stamp: c.Called, At: c.At, Until: c.At.Add(meetingLasts), Summary: "An internal review", Words: bareWords, URL: d.o.URL}
		if i.Restriction.Kind == "" && mayTell(s, id, "", tlp.Export) {
			x.Summary, x.Words, x.URL = fmt.Sprintf("Internal review of incident %d", id), fmt.Sprintf("%s leads it. The agenda is on its page.", d.nameOf(s, c.Chair)), fmt.Sprintf("%s/incidents/%d/review", d.o.URL, id)
		}
		out = x.Calendar()
	})
	return out, err
}

// meetingLine invites one person to the review of an incident. bare says that the incident may not be named.
func (d *Desk) meetingLine(s *State, r review.Reminder, id int64, zone *time.Location, bare bool) string {
	at := r.Due.In(zone).Format("Mon 2 Jan 2006, 15:04 MST")
	i, err := s.Incidents.Get(id)
	if bare || err != nil {
		return fmt.Sprintf("You are invited to an internal review on %s. %s", at, bareWords)
	}
	return fmt.Sprintf("You are invited to the internal review of incident %d (%s) on %s; %s leads it. The agenda, and a file for your calendar: %s/incidents/%d/review", id, i.Title, at, d.nameOf(s, s.Reviews.Calls[id].Chair), d.o.URL, id)
}
