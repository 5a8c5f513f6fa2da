package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/tuning"
)

// Each form of the page Lists does what it says: a redirect with a notice, and the page shows it.
func TestListsFormsDoWhatTheySay(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	bundle := `{"type":"bundle","objects":[{"type":"indicator","id":"indicator--1","name":"C2","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z",
"pattern":"[ipv4-addr:value ISSUBSET '203.0.113.0/24'] OR [file:name = 'x']"}]}`
	month := fmt.Sprint(30 * 24 * 3600)
	for _, x := range []struct {
		name, path string
		form       []string
		to, shows  string
	}{
		{"a new list", "/lists", []string{"list", "Those who left us", "level", "high", "about", "the yearly review", "values", "203.0.113.77\r\nanna.k # left in May <script>alert(1)</script>\r\naccount:<script>alert(1)</script>", "until", ""}, "/lists/1?done=watched", "anna.k"},
		{"more of it", "/lists", []string{"list", "those who left us", "level", "", "values", "evil.example,2027-01-31,phishing", "until", month}, "/lists/1?done=watched", "evil.example"},
		{"a bundle", "/lists", []string{"list", "feed", "level", "low", "values", bundle, "until", month}, "/lists/2?done=partly", "1 network"},
		{"a value goes", "/lists/1/remove", []string{"value", "203.0.113.77"}, "/lists/1?done=unwatched", "2 accounts, 1 domain"},
		{"a list ends", "/lists/2/end", nil, "/lists?done=ended", "Those who left us"},
		{"a network never alerts", "/never", []string{"from", "198.51.100.9/24", "account", "backup", "rule", "", "until", month, "reason", "ours " + venom}, "/lists?done=never", "198.51.100.0/24"},
		{"nor does a rule", "/never", []string{"rule", "tocsin-source-silent", "until", "86400", "reason", "we know"}, "/lists?done=never", "A log source fell silent"},
		{"one goes", "/mutes/1/remove", []string{"back", "/lists"}, "/lists?done=unmuted", "every address"},
		{"the other, to elsewhere", "/mutes/2/remove", []string{"back", "https://evil.example/"}, "/people?done=unmuted", "Nothing is muted"},
	} {
		got := anna.post(x.path, x.form...)
		if got.code != http.StatusSeeOther || got.location != x.to {
			t.Errorf("%s: %d to %q, want 303 to %q\n%s", x.name, got.code, got.location, x.to, got.body)
			continue
		}
		page := anna.get(got.location)
		p := readPage(t, page.body)
		if page.code != http.StatusOK || !strings.Contains(p.text, x.shows) || !strings.Contains(page.body, `class="notice"`) {
			t.Errorf("%s: the page after it (%d) does not show %q, or no notice", x.name, page.code, x.shows)
		}
		for _, w := range p.wrong {
			t.Errorf("%s: %s", x.name, w)
		}
	}
	for _, l := range c.desk.WatchLists() {
		if l.Name != "Those who left us" || l.Level != "high" || len(l.Values) != 3 {
			t.Errorf("list %+v", l)
		}
	}
	reader := c.as(t, "reader").get("/lists")
	if reader.code != http.StatusOK || strings.Contains(reader.body, "<textarea") {
		t.Errorf("a reader is offered forms that they may not send (%d)", reader.code)
	}
	if got := anna.get("/lists/1?q=phishing"); !strings.Contains(got.body, "evil.example") || strings.Contains(got.body, "anna.k") {
		t.Error("the values are not filtered")
	}
	for _, path := range []string{"/lists/2", "/lists/9", "/lists/x"} {
		if got := anna.get(path); got.code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.code)
		}
	}
	if got := anna.post("/lists/1/remove", "value", "192.0.2.1"); got.code != http.StatusNotFound {
		t.Errorf("removing what is not on it: %d", got.code)
	}
}

// A form with a mistake does nothing, names the field, and comes back with what was typed.
func TestListsFormsComeBack(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	year := fmt.Sprint(365 * 24 * 3600)
	for _, x := range []struct {
		name, path string
		form       []string
		field      string
		typed      []string
	}{
		{"no name", "/lists", []string{"list", " ", "values", "203.0.113.9"}, "watch-list", []string{"203.0.113.9</textarea>"}},
		{"a number that is no list", "/lists", []string{"list", "77", "values", "203.0.113.9"}, "watch-list", []string{`value="77"`}},
		{"nothing to watch", "/lists", []string{"list", "x", "values", "# nothing"}, "watch-values", []string{"# nothing</textarea>"}},
		{"nothing that can be watched", "/lists", []string{"list", "x", "values", "10.0.0.0/2"}, "watch-values", []string{"10.0.0.0/2</textarea>"}},
		{"half a bundle", "/lists", []string{"list", "x", "values", `{"type":`}, "watch-values", nil},
		{"an unknown level", "/lists", []string{"list", "x", "values", "203.0.113.9", "level", "awful"}, "watch-level", nil},
		{"an end that is none", "/lists", []string{"list", "x", "values", "203.0.113.9", "until", "soon"}, "watch-until", nil},
		{"nobody", "/never", []string{"until", "86400", "reason", "x"}, "never-from", []string{"x</textarea>"}},
		{"no address", "/never", []string{"from", "shop.example", "until", "86400", "reason", "x"}, "never-from", []string{`value="shop.example"`}},
		{"a third of the internet", "/never", []string{"from", "0.0.0.0/2", "until", "86400", "reason", "x"}, "never-from", nil},
		{"no reason", "/never", []string{"from", "203.0.113.9", "until", "86400", "reason", " "}, "never-reason", []string{`value="203.0.113.9"`}},
		{"no end", "/never", []string{"from", "203.0.113.9", "until", "", "reason", "x"}, "never-until", nil},
		{"too long", "/never", []string{"from", "203.0.113.9", "until", fmt.Sprint(366 * 24 * 3600), "reason", "x"}, "never-until", nil},
		{"a rule for a year", "/never", []string{"rule", "tocsin-source-silent", "until", year, "reason", "x"}, "never-until", []string{`<option value="` + year + `" selected>`}},
		{"no rule of ours", "/never", []string{"rule", "nope", "until", "86400", "reason", "x"}, "never-rule", nil},
	} {
		before := c.acts(t)
		got := anna.post(x.path, x.form...)
		p := readPage(t, got.body)
		if got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `class="wrongs"`) || !strings.Contains(got.body, `href="#`+x.field+`"`) {
			t.Errorf("%s: %d, and %q is not named", x.name, got.code, x.field)
			continue
		}
		for _, want := range x.typed {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s: no %q on the page that comes back", x.name, want)
			}
		}
		for _, w := range p.wrong {
			t.Errorf("%s: %s", x.name, w)
		}
		if n := c.acts(t) - before; n != 0 {
			t.Errorf("%s: %d entries were written", x.name, n)
		}
	}
	if lists := c.desk.WatchLists(); len(lists) > 0 {
		t.Errorf("lists were made: %+v", lists)
	}
	until := time.Now().Add(time.Hour)
	if _, err := c.desk.AddNever(desk.Local("test"), desk.Never{From: "203.0.113.9", Why: "x", Until: until}); err != nil {
		t.Error(err)
	}
}

// An alert says on which list its parties are, and which exception kept it quiet, and why.
func TestAlertsNameListsAndExceptions(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	list := []tuning.Listed{{Kind: tuning.Network, Text: "192.0.2.0/24"}}
	if _, err := c.desk.Watch(desk.Local("test"), desk.Listing{List: "known guessers", Values: list}); err != nil {
		t.Fatal(err)
	}
	found := 0
	c.desk.Read(func(st *desk.State) { found = len(st.Incidents.Order) })
	for k := range found {
		id := ""
		c.desk.Read(func(st *desk.State) { id = st.Incidents.Order[k] })
		p := readPage(t, anna.get("/alerts/"+id).body)
		if strings.Contains(p.text, "192.0.2.33") != strings.Contains(p.text, "known guessers") {
			t.Errorf("alert %s: %s", id, p.text)
		}
	}
}
