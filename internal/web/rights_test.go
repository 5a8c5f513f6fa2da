package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

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
	for _, tt := range []struct {
		who, path string
		code      int
		says      string
	}{
		{"anna", "/approvals/1", http.StatusConflict, "another person must approve"},
		{"reader", "/approvals/1", http.StatusForbidden, ""},
		{"anna", "/approvals/9", http.StatusNotFound, ""},
	} {
		if got := c.as(t, tt.who).post(tt.path, "decision", "yes"); got.code != tt.code || !strings.Contains(got.body, tt.says) {
			t.Errorf("%s approves %s: %d, want %d and %q\n%s", tt.who, tt.path, got.code, tt.code, tt.says, middle(got.body))
		}
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
	if got := c.as(t, "engineer").post("/approvals/1", "decision", "no"); got.code != http.StatusConflict || !strings.Contains(got.body, "Approval 1 is done already") {
		t.Errorf("denied when it is done: %d\n%s", got.code, middle(got.body))
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
