package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
)

// marker is what must not be read anywhere by who is not named.
const marker = "zebra-crossing-41"

// Given a restricted incident with a marker in its note, its hand-over and its title, when every GET route is walked as every role that is
// not named, and as nobody, then the marker appears nowhere; and when one who is named looks, then it is there.
func TestARestrictedIncidentIsForThoseWhoAreNamed(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	title, alerts := "", []string{}
	anna := desk.Actor(mustPerson(t, c, "anna"))
	if err := c.desk.Note(anna, 1, marker, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := c.desk.TakeRole(anna, 1, plan.Commander, false); err != nil {
		t.Fatal(err)
	}
	if err := c.desk.SetSeverity(anna, 1, incident.Critical, marker); err != nil {
		t.Fatal(err)
	}
	if err := c.desk.Restrict(anna, 1, "insider", []string{"legal"}); err != nil {
		t.Fatal(err)
	}
	c.desk.Read(func(st *desk.State) {
		title, alerts = st.Incidents.Incidents[0].Title, slices.Clone(st.Incidents.Incidents[0].Alerts)
	})
	walk := func(id string) (seen []string) {
		who := c.as(t, id)
		for _, r := range routes() {
			method, path, found := strings.Cut(r.pattern, " ")
			if !found || method != http.MethodGet || path == "/live" || path == "/search/live" || path == "/me/link" {
				continue
			}
			paths := []string{strings.NewReplacer("{$}", "", "{id}", "1", "{token}", "none").Replace(path)}
			if strings.HasPrefix(path, "/alerts/") {
				paths = nil
				for _, a := range alerts {
					paths = append(paths, strings.Replace(path, "{id}", a, 1))
				}
			}
			for _, p := range paths {
				got := who.get(p)
				if got.code == http.StatusOK && strings.HasPrefix(p, "/alerts/") {
					seen = append(seen, p+" opens")
				}
				if strings.HasPrefix(p, "/incidents/1") && got.code == http.StatusOK {
					seen = append(seen, p+" opens")
				}
				if strings.Contains(got.body, marker) {
					seen = append(seen, p+" has the marker")
				}
			}
		}
		return seen
	}
	for _, id := range []string{"", "engineer", "analyst", "communications", "administrator", "reader", "auditor", "reporter"} {
		if seen := walk(id); len(seen) > 0 {
			t.Errorf("%q: %v", id, seen)
		}
	}
	for _, id := range []string{"anna", "legal"} {
		seen := strings.Join(walk(id), ", ")
		if !strings.Contains(seen, "/incidents/1 has the marker") || !strings.Contains(seen, "/alerts/") {
			t.Errorf("%s, who is named, sees %s", id, seen)
		}
	}
	if page := c.as(t, "auditor").get("/incidents?state=all"); !strings.Contains(page.body, incident.RestrictedTitle) || strings.Count(page.body, "/incidents/1\"") == 0 {
		t.Errorf("the list does not count the restricted incident %q", title)
	}
	for _, id := range []string{"engineer", "administrator"} {
		for _, form := range []string{"note", "severity", "close", "role/give", "restrict"} {
			if got := c.as(t, id).do(http.MethodPost, "/incidents/1/"+form, url.Values{"note": {"x"}, "reason": {"x"}, "kind": {"hr"}}, nil); got.code != http.StatusForbidden {
				t.Errorf("%s posts %s: %d, want 403", id, form, got.code)
			}
		}
	}
}

// Given a person whose role on the team may not handle, when they hold a role in one incident, then they may there and nowhere else; when they leave the team, the gap is shown.
func TestARoleInAnIncident(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna, legal := c.as(t, "anna"), c.as(t, "legal")
	phase := func(id string) int {
		return legal.do(http.MethodPost, "/incidents/"+id+"/phase", url.Values{"phase": {"containment"}}, nil).code
	}
	if got := phase("1"); got != http.StatusForbidden {
		t.Fatalf("before: %d", got)
	}
	if got := anna.do(http.MethodPost, "/incidents/1/role/give", url.Values{"role": {plan.Commander}, "person": {"legal"}}, nil); got.code != http.StatusSeeOther {
		t.Fatalf("giving: %d\n%s", got.code, got.body)
	}
	if here, there := phase("1"), phase("2"); here != http.StatusSeeOther || there != http.StatusForbidden {
		t.Errorf("with the role in 1: %d there, %d in 2", here, there)
	}
	if got := legal.do(http.MethodPost, "/incidents/1/role/hand", url.Values{"role": {plan.Commander}, "person": {"analyst"}, "note": {"the host is imaged"}}, nil); got.code != http.StatusSeeOther {
		t.Fatalf("handing over: %d\n%s", got.code, got.body)
	}
	page := anna.get("/incidents/1").body
	if !strings.Contains(page, "handed over to The analyst") || !strings.Contains(page, "the host is imaged") {
		t.Error("the timeline does not tell of the hand-over")
	}
	if err := c.desk.PutPerson(desk.Local("test"), "analyst", []string{"analyst"}, desk.Contact{Name: "The analyst"}, true); err != nil {
		t.Fatal(err)
	}
	if page := anna.get("/incidents/1").body; !strings.Contains(page, "The analyst left the team: nobody holds it") {
		t.Error("the gap is not shown")
	}
}

func mustPerson(t *testing.T, c *console, id string) entry.Person {
	t.Helper()
	p, ok := c.desk.Person(id)
	if !ok {
		t.Fatalf("nobody has the id %q", id)
	}
	return p
}

// holds reports whether the lines of incident 1 are held.
func (c *console) holds() (is bool) {
	c.desk.Read(func(st *desk.State) { is = st.Incidents.Incidents[0].Held })
	return is
}

// Given something that needs a second person, when the same person and then another approves it, then it is done once, by the second.
func TestASecondPerson(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := desk.Actor(mustPerson(t, c, "anna"))
	second := desk.Actor(mustPerson(t, c, "engineer"))
	second.Via = "s2"
	if err := c.desk.Hold(anna, 1, "evidence"); err != nil {
		t.Fatal(err)
	}
	if got := c.as(t, "anna").do(http.MethodPost, "/incidents/1/release", url.Values{"reason": {"over"}}, nil); got.code != http.StatusSeeOther || !strings.HasPrefix(got.location, "/approvals") {
		t.Fatalf("asking: %d to %q", got.code, got.location)
	}
	if !c.holds() {
		t.Fatal("it was done at once")
	}
	if err := c.desk.Approve(anna, 1, true, ""); err == nil {
		t.Error("the same person approved")
	}
	if page := c.as(t, "anna").get("/approvals").body; !strings.Contains(page, "incident:1") || !strings.Contains(page, "over") {
		t.Error("the page does not say what is asked for")
	}
	if err := c.desk.Approve(second, 1, true, ""); err != nil {
		t.Fatal(err)
	}
	c.until(t, "the act is done", func(st *desk.State) bool { x, err := st.Approvals.Get(1); return err == nil && x.State == "done" })
	if c.holds() {
		t.Error("it was approved, and not done")
	}
	if err := c.desk.Approve(second, 1, true, ""); err == nil {
		t.Error("approved twice")
	}
}

func TestRightsPage(t *testing.T) {
	c := newConsole(t, boring(), nil)
	page := c.as(t, "reader").get("/rights").body
	for _, r := range auth.Table() {
		if !strings.Contains(page, string(r.Action)) {
			t.Errorf("the page lacks %s", r.Action)
		}
	}
	if !strings.Contains(page, "Observer") || !strings.Contains(page, "Anna Keller") {
		t.Error("the page does not say who has which role")
	}
}
