package web

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
)

// Given an incident that anybody on the team sees, then what is typed about it and its measures stays in the browser; once something in it is RED, or it is restricted,
// or what is merged into it is, in the tab alone.
func TestWhatIsGuardedIsTypedInTheTabAlone(t *testing.T) {
	c := newConsole(t, boring(), nil)
	anna, who := c.as(t, "anna"), c.actorOf(t, "anna")
	must := func(n int64, err error) int64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	tab := func(path string, want bool) {
		t.Helper()
		if got := anna.get(path); got.code != 200 || strings.Contains(got.body, `data-drafts="tab"`) != want {
			t.Errorf("%s: %d, kept in the tab alone: %v", path, got.code, !want)
		}
	}
	for n := range int64(3) {
		must(c.desk.Report(who, "something happened"))
		must(c.desk.AddMeasure(who, n+1, desk.MeasureText{Text: "patch it", Owner: "anna", Due: time.Now().Add(time.Hour)}))
	}
	for _, path := range []string{"/incidents/1", "/incidents/1/review", "/review/measures/1", "/review/measures/2", "/review/measures/3"} {
		tab(path, false)
	}
	must(0, c.desk.SetLabel(who, 1, "lessons", "RED", ""))
	must(0, c.desk.Restrict(who, 2, "hr", []string{"anna"}))
	for _, path := range []string{"/incidents/1", "/incidents/1/cause", "/incidents/1/review", "/review/measures/1", "/incidents/2", "/incidents/2/review", "/review/measures/2"} {
		tab(path, true)
	}
	tab("/review/measures/3", false)
	tab("/review", false)
}
