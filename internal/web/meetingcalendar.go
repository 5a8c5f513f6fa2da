package web

import (
	"errors"
	"fmt"

	"tocsin/internal/review"
)

// meetingCalendar is the review of an incident as a file for a calendar.
func (s *Server) meetingCalendar(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	file, err := s.desk.ReviewCalendar(v.actor, id)
	if errors.Is(err, review.ErrNotFound) {
		return errMissing
	}
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/calendar; charset=utf-8; method=PUBLISH")
	v.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="review-%d.ics"`, id))
	_, err = v.w.Write(file)
	return err
}
