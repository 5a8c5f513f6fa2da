package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// Given somebody on call who holds a role in an incident, when their shift ends within the hour, then the page asks for the hand-over and names who comes; not to who has
// handed over, and not while the shift is long.
func TestAShiftThatEndsAsksForItsHandover(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	if got := anna.post("/incidents/1/role/take", "role", plan.Legal); got.code != http.StatusSeeOther {
		t.Fatal(got.code)
	}
	const says = "Your shift ends at"
	if got := anna.get("/incidents/1").body; strings.Contains(got, says) {
		t.Error("who is not on call is asked")
	}
	put := func(ends time.Time, fresh bool) {
		t.Helper()
		at := ends.UTC()
		x := entry.Schedule{ID: "shop", Zone: "UTC", Layers: []entry.ScheduleLayer{{ID: "days", People: []string{"anna", "engineer"}, Rotation: "daily", At: at.Format("15:04"), Start: at.AddDate(0, 0, -1).Format(time.DateOnly)}}}
		if err := c.desk.PutSchedule(desk.Local("test"), x, desk.ScheduleText{Name: "The shop"}, fresh); err != nil {
			t.Fatal(err)
		}
	}
	put(time.Now().Add(30*time.Minute), true)
	st, next := time.Time{}, ""
	c.desk.Read(func(s *desk.State) { st, next = shiftEnds(s, "anna", time.Now()) })
	if st.IsZero() || next != "engineer" {
		t.Fatalf("the shift ends at %v, then %q", st, next)
	}
	got := anna.get("/incidents/1").body
	if !strings.Contains(got, says) || !strings.Contains(got, "The engineer comes on call then") || !strings.Contains(got, `<option value="engineer" selected>`) {
		t.Errorf("the page does not ask for the hand-over:\n%s", got)
	}
	if got := anna.post("/incidents/1/handovers", "to", "engineer", "text", "All is quiet."); got.code != http.StatusSeeOther {
		t.Fatal(got.code)
	}
	if got := anna.get("/incidents/1").body; strings.Contains(got, says) {
		t.Error("who has handed over is asked again")
	}
	put(time.Now().Add(5*time.Hour), false)
	if got := anna.get("/incidents/1").body; strings.Contains(got, says) {
		t.Error("who is on call for hours is asked")
	}
}
