package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
)

// scheduled puts a schedule into the plan.
func (c *console) scheduled(t *testing.T) {
	t.Helper()
	x := entry.Schedule{ID: "shop", Zone: "Europe/Berlin", Layers: []entry.ScheduleLayer{{ID: "days", People: []string{"anna"}, Rotation: "daily", At: "09:00", Start: "2020-01-01"}}}
	if err := c.desk.PutSchedule(desk.Local("test"), x, desk.ScheduleText{Name: "The shop"}, true); err != nil {
		t.Fatal(err)
	}
}

// Given a team, when a schedule is typed, then it is shown first and put second, and everything on it works without a script.
func TestScheduleInTheConsole(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	form := []string{"id", "shop", "name", "The <b>shop</b>", "zone", "Europe/Berlin", "layer.1", "days", "people.1", "anna, analyst", "rotation.1", "daily", "at.1", "09:00", "start.1", "2020-01-01",
		"hours.1", "mon tue wed thu fri 08:00-18:00", "holidays", "christmas 2026-12-24 2026-12-26 yearly person:analyst"}
	before := c.acts(t)
	got := anna.post("/oncall", append(form, "do", "preview")...)
	if p := readPage(t, got.body); got.code != http.StatusOK || !strings.Contains(p.text, "Nothing is changed yet") || !strings.Contains(p.text, "nobody is on call from") || len(p.wrong) > 0 || c.acts(t) != before {
		t.Fatalf("preview: %d, %v, %d entries\n%s", got.code, p.wrong, c.acts(t)-before, got.body)
	}
	if got := anna.post("/oncall", append(form, "do", "put")...); got.code != http.StatusSeeOther || got.location != "/oncall/shop?done=schedule" {
		t.Fatalf("put: %d to %s\n%s", got.code, got.location, got.body)
	}
	for path, want := range map[string]string{"/oncall": "The <b>shop</b>: nobody is on call", "/oncall/shop": "Override", "/": "On call now", "/oncall?week=3": "The week of", "/oncall/shop?week=-400": "The week of"} {
		page := anna.get(path)
		if p := readPage(t, page.body); page.code != http.StatusOK || !strings.Contains(p.text, want) || len(p.wrong) > 0 || strings.Contains(page.body, "<b>shop") {
			t.Errorf("%s: %d, no %q, or wrong: %v", path, page.code, want, p.wrong)
		}
	}
	from, until := time.Now().UTC().Add(-time.Hour).Format(localForm), time.Now().UTC().AddDate(0, 0, 2).Format(localForm)
	for _, x := range []struct {
		name, who, path string
		form            []string
		code            int
		shows           string
	}{
		{"a second one", "anna", "/oncall", append(form, "do", "put"), 422, "There is a schedule shop already"},
		{"no zone", "anna", "/oncall/shop", []string{"name", "x", "zone", "Mars/Base", "layer.1", "days", "people.1", "anna", "rotation.1", "daily", "at.1", "09:00", "start.1", "2020-01-01"}, 422, `href="#rota-zone"`},
		{"nobody in it", "anna", "/oncall/shop", []string{"name", "x", "zone", "UTC", "layer.1", "days", "rotation.1", "daily", "at.1", "09:00", "start.1", "2020-01-01"}, 422, "Layer days: nobody is in it"},
		{"hours in words", "anna", "/oncall/shop", []string{"name", "x", "zone", "UTC", "layer.1", "days", "hours.1", "office hours"}, 422, `href="#layer-hours-1"`},
		{"an override of no time", "analyst", "/oncall/shop/override", []string{"person", "analyst", "from", "soon", "until", until}, 422, `href="#cover-from"`},
		{"an override backwards", "analyst", "/oncall/shop/override", []string{"person", "analyst", "from", until, "until", from}, 422, "must end after"},
		{"somebody else", "analyst", "/oncall/shop/override", []string{"person", "anna", "from", from, "until", until}, 403, ""},
		{"oneself", "analyst", "/oncall/shop/override", []string{"person", "analyst", "from", from, "until", until, "why", "she asked me"}, 303, ""},
		{"away, somebody else", "analyst", "/absences", []string{"person", "anna", "from", from, "until", until}, 403, ""},
		{"away", "analyst", "/absences", []string{"person", "analyst", "from", until, "until", time.Now().UTC().AddDate(0, 0, 9).Format(localForm)}, 303, ""},
		{"back", "analyst", "/absences/1/end", nil, 303, ""},
		{"an end that is none", "anna", "/absences/1/end", nil, 409, "has ended already"},
		{"the override ends", "analyst", "/overrides/1/end", nil, 303, ""},
		{"not sure", "anna", "/oncall/shop/end", nil, 422, "Say that you are sure"},
		{"ends by an analyst", "analyst", "/oncall/shop/end", []string{"sure", "yes"}, 403, ""},
		{"ends", "anna", "/oncall/shop/end", []string{"sure", "yes"}, 303, ""},
	} {
		got := c.as(t, x.who).post(x.path, x.form...)
		if got.code != x.code || !strings.Contains(got.body, x.shows) {
			t.Errorf("%s: %d, want %d and %q\n%s", x.name, got.code, x.code, x.shows, got.body)
		}
		if got.code == 422 {
			for _, w := range readPage(t, got.body).wrong {
				t.Errorf("%s: %s", x.name, w)
			}
		}
		if x.name == "oneself" {
			page := readPage(t, anna.get("/oncall/shop").body).text
			if !strings.Contains(page, "The analyst instead of whoever it is") || !strings.Contains(page, "she asked me") {
				t.Errorf("the page does not tell of the override: %s", page)
			}
		}
	}
	if page := anna.get("/oncall/shop"); page.code != http.StatusOK || !strings.Contains(page.body, "This schedule ended") {
		t.Errorf("the page of what ended: %d", page.code)
	}
}

// Given a link, when a program reads it without a sign-in, then it gets a calendar with its headers; renewed, it gets nothing.
func TestCalendarWithoutSignIn(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	c.scheduled(t)
	anna := c.as(t, "anna")
	page := anna.get("/oncall").body
	_, rest, _ := strings.Cut(page, "/calendar/")
	for strings.HasPrefix(rest, "renew") {
		_, rest, _ = strings.Cut(rest, "/calendar/")
	}
	token, _, _ := strings.Cut(rest, "<")
	got := c.as(t, "").get("/calendar/" + token)
	h := got.header
	if got.code != http.StatusOK || h.Get("Content-Type") != "text/calendar; charset=utf-8" || !strings.Contains(h.Get("X-Robots-Tag"), "noindex") || h.Get("Set-Cookie") != "" || h.Get("Cache-Control") != "private, no-cache" ||
		!strings.HasPrefix(got.body, "BEGIN:VCALENDAR\r\n") || !strings.Contains(got.body, "The shop") {
		t.Fatalf("%q: %d %v\n%s", token, got.code, h, got.body)
	}
	if got := c.as(t, "").get("/oncall/shop.ics"); got.code != http.StatusSeeOther {
		t.Errorf("the file without a sign-in: %d", got.code)
	}
	if got := anna.get("/oncall/shop.ics"); got.code != http.StatusOK || !strings.Contains(got.body, "SUMMARY:Anna Keller: The shop") {
		t.Errorf("the file: %d\n%s", got.code, got.body)
	}
	if got := anna.get("/oncall/none.ics"); got.code != http.StatusNotFound {
		t.Errorf("a file of none: %d", got.code)
	}
	if got := anna.post("/calendar/renew"); got.code != http.StatusSeeOther {
		t.Errorf("renewing: %d", got.code)
	}
	if got := c.as(t, "").get("/calendar/" + token); got.code != http.StatusNotFound {
		t.Errorf("the old link: %d", got.code)
	}
}
