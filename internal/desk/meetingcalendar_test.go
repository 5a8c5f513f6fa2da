package desk

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/plan"
	"tocsin/internal/review"
)

// Given a review that is called, when the mail of its invitation is made, then it says when, who leads it and where the agenda is; of an incident that is kept inside it says no more
// than that one signs in, and neither does the file for a calendar.
func TestAReviewInvites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		anna := person("anna", plan.Commander)
		if _, err := d.ReviewCalendar(anna, 1); !errors.Is(err, review.ErrNotFound) {
			t.Errorf("nobody called it: %v", err)
		}
		must(t, d.CallReview(anna, 1, ReviewCalling{At: time.Now().Add(48 * time.Hour), Chair: "anna", Invited: []string{"boris"}}))
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		var said []string
		for _, m := range h.sent() {
			if m.Subject == "You are invited to an internal review" {
				said = append(said, m.Body)
			}
		}
		if len(said) != 2 || !strings.Contains(said[0], "/incidents/1/review") || !strings.Contains(said[0], "leads it") {
			t.Errorf("the mails: %q", said)
		}
		file, err := d.ReviewCalendar(anna, 1)
		must(t, err)
		if !strings.Contains(string(file), "SUMMARY:Internal review of incident 1") {
			t.Errorf("%s", file)
		}
		must(t, d.Restrict(anna, 1, "insider", []string{"anna"}))
		file, err = d.ReviewCalendar(anna, 1)
		must(t, err)
		if strings.Contains(string(file), "incident 1") || strings.Contains(string(file), "/incidents/1") {
			t.Errorf("what is restricted is named:\n%s", file)
		}
		if _, err := d.ReviewCalendar(person("boris", plan.Engineer), 1); err == nil {
			t.Error("who may not know of it gets the file")
		}
		d.Read(func(s *State) {
			line := d.meetingLine(s, review.Reminder{}, 1, time.UTC, true)
			if strings.Contains(line, "incident 1") || !strings.Contains(line, "Sign in") {
				t.Errorf("%q", line)
			}
		})
	})
}
