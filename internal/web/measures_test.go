package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
)

// Given a measure whose time is over, when its owner is changed on its page and the reminder is emptied, then it has the other owner, the same time, and no reminder.
func TestAnOverdueMeasureChangesItsOwner(t *testing.T) {
	c := newConsole(t, boring(), nil)
	who := c.actorOf(t, "anna")
	n, err := c.desk.AddMeasure(who, 0, desk.MeasureText{Text: "no smoke detector", Owner: "anna", Due: time.Now().Add(50 * time.Millisecond), Remind: 36 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	anna := c.as(t, "anna")
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	before, err := c.desk.MeasureOf(who, n)
	if err != nil || !before.Overdue {
		t.Fatalf("%+v, %v", before, err)
	}
	shown := before.Due.In(berlin).Format(typedLayout)
	if page := anna.get("/review/measures/1").body; !strings.Contains(page, `value="`+shown+`"`) || !strings.Contains(page, `name="remind"`) {
		t.Errorf("the form does not show when it was due, %s\n%s", shown, middle(page))
	}
	change := func(remind string) desk.MeasureRow {
		t.Helper()
		if got := anna.post("/review/measures/1/change", "owner", "engineer", "due", shown, "remind", remind, "reason", "anna is ill"); got.code != http.StatusSeeOther {
			t.Fatalf("%d\n%s", got.code, middle(got.body))
		}
		m, err := c.desk.MeasureOf(who, n)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := change("2"); m.Owner != "engineer" || !m.Due.Equal(before.Due) || m.Remind != 36*time.Hour { // two days, as the form shows a day and a half
		t.Errorf("what was left as it was is changed: %+v", m)
	}
	if m := change(""); m.Remind != 0 {
		t.Errorf("the reminder stays: %+v", m)
	}
	if m := change("5"); m.Remind != 5*24*time.Hour {
		t.Errorf("the reminder is %v before", m.Remind)
	}
	if got := anna.post("/review/measures/1/change", "owner", "engineer", "due", shown, "remind", "x", "reason", "why"); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "a number of days") {
		t.Errorf("%d\n%s", got.code, middle(got.body))
	}
}
