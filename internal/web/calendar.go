package web

import (
	"errors"
	"net/http"
	"strconv"

	"tocsin/internal/desk"
)

// scheduleFile is the calendar of a schedule for who is signed in.
func (s *Server) scheduleFile(v *visit, id string) error {
	if _, err := s.schedule(id); err != nil {
		return err
	}
	b, err := s.desk.Calendar(v.actor, id, v.now)
	if err != nil {
		return err
	}
	return sendCalendar(v, b, id+".ics")
}

// calendar is what a calendar program reads with a link alone. It asks who it is of nobody, and sets no cookie.
func (s *Server) calendar(v *visit) error {
	b, err := s.desk.OpenCalendar(v.r.PathValue("token"), v.now)
	if errors.Is(err, desk.ErrCalendar) {
		return errMissing
	}
	if err != nil {
		return err
	}
	return sendCalendar(v, b, "oncall.ics")
}

// sendCalendar answers with an iCalendar object (RFC 5545, section 8.1 for its media type). No search machine may keep it; a cache must ask again.
func sendCalendar(v *visit, b []byte, name string) error {
	h := v.w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `inline; filename="`+name+`"`)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "private, no-cache")
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(b) // a reader that went away is told nothing
	return nil
}
