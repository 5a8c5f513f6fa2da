package web

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

// Given people in the war room, on the live channel and with links, when the incident becomes restricted to others, then the room is closed to
// them, their streams tell nothing, and the links are dead.
func TestWhatStoodOpenIsClosed(t *testing.T) {
	x := restricted(t)
	alive := func(secret string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.URL+"/room/alive", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+secret)
		got, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		return got.StatusCode
	}
	for who, want := range map[string]int{"anna": http.StatusNoContent, "engineer": http.StatusUnauthorized, "guest": http.StatusUnauthorized} {
		if got := alive(x.joined[who]); got != want {
			t.Errorf("the seat of %s in the war room: %d, want %d", who, got, want)
		}
	}
	if code, _ := joinRoom(t, x.console, x.invited); code == http.StatusOK {
		t.Error("a guest came in by a link of before")
	}
	if _, err := x.desk.RoomLink(desk.Actor(mustPerson(t, x.console, "anna")), 1, "guest", time.Hour); err == nil {
		t.Error("a guest was invited")
	}
	if got := x.as(t, "").get(x.status); got.code != http.StatusNotFound {
		t.Errorf("the status page: %d, want 404", got.code)
	}
	legal := desk.Actor(mustPerson(t, x.console, "legal"))
	if _, err := x.desk.StatusLink(legal, 1, 1); err == nil {
		t.Error("a new link to a status page was made")
	}
	if due := x.desk.Owed(legal, 1, time.Now().Add(24*time.Hour)); len(due) > 0 {
		if err := x.desk.SendUpdate(legal, desk.Owing{Incident: 1, Rule: due[0].Rule.ID, Contact: due[0].Contact.ID, Stage: due[0].Stage}); err == nil {
			t.Error("an update was sent to a stakeholder")
		}
	}
	for _, id := range []string{"engineer", "anna"} {
		got := x.as(t, "").get(x.answers[id])
		if found := x.leaks("/answer", got.body); len(found) > 0 {
			t.Errorf("the old answer link of %s: %d %v", id, got.code, found)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.URL+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(x.as(t, "engineer").cookie)
	live, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	var noting sync.WaitGroup
	defer noting.Wait()
	defer stop()
	noting.Go(func() { // the channel begins to look some time after its first line
		for n := 0; ctx.Err() == nil; n++ {
			if err := x.desk.Note(legal, 1, fmt.Sprint(mark, " again ", n), time.Time{}); err != nil {
				t.Error(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	lines, pinged := bufio.NewScanner(live.Body), false
	for lines.Scan() && !pinged {
		if !slices.Contains([]string{"", "retry: 3000", "event: changed", "data: 1"}, lines.Text()) {
			t.Errorf("the live channel says %q", lines.Text())
		}
		pinged = lines.Text() == "event: changed"
	}
	if !pinged {
		t.Error("the live channel says nothing at all")
	}
}

// Given a restricted incident, when the newest message with a link comes to who is named, then the page behind it says no more than the message; the link answers.
func TestAnswerLinkOfARestrictedIncident(t *testing.T) {
	x := restricted(t)
	path := ""
	for _, s := range x.since(0) {
		if strings.HasPrefix(s, "mail anna@") && strings.Contains(s, "restricted incident needs you: number 1") {
			path = link(t, s)
		}
	}
	page := x.as(t, "").get(path).body
	if !strings.Contains(page, "Restricted incident 1") || strings.Contains(page, x.title) || strings.Contains(page, mark) {
		t.Errorf("the page of the link:\n%s", page)
	}
	if got := x.as(t, "").post(path); got.code != http.StatusOK || strings.Contains(got.body, x.title) {
		t.Errorf("answering: %d\n%s", got.code, got.body)
	}
	x.desk.Read(func(st *desk.State) {
		if c, err := st.Calls.Get(x.call); err != nil || c.Rings() {
			t.Error("the link answered nothing")
		}
	})
}

// Given an incident that is restricted to somebody who cannot be rung, when it rings, then those who keep the team are told that they are needed and
// nothing else; they see a banner without a button, and cannot silence the call.
func TestNobodyWhoIsNamedCanBeRung(t *testing.T) {
	x := restricted(t)
	before := len(x.since(0))
	if err := x.desk.PutPerson(desk.Local("test"), "nina", []string{plan.Analyst}, desk.Contact{Name: "Nina"}, false); err != nil {
		t.Fatal(err)
	}
	if err := x.desk.SetSeverity(desk.Local("test"), 2, incident.Low, "x"); err == nil {
		err = x.desk.SetSeverity(desk.Local("test"), 2, incident.Critical, "y")
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := x.desk.Restrict(desk.Local("test"), 2, "hr", []string{"nina"}); err != nil {
		t.Fatal(err)
	}
	var call int64
	x.until(t, "the last step", func(st *desk.State) bool {
		c := st.Calls.Of(2)
		if c == nil || len(c.Incidents) != 1 || len(c.Steps) < 2 {
			return false
		}
		call = c.ID
		return !slices.ContainsFunc(c.Tries, func(t oncall.Try) bool { return t.Done.IsZero() })
	})
	told := map[string]bool{}
	for _, s := range x.since(before) {
		to, words, _ := strings.Cut(s, ": ")
		if strings.Contains(words, "needs you") || strings.HasPrefix(to, plan.Voice) {
			told[to] = true
			if strings.Contains(words, "/incidents/") || strings.Contains(words, "/answer/") || strings.Contains(words, "Critical") || strings.Contains(words, "number") || regexp.MustCompile(`(?m)^2$`).MatchString(words) {
				t.Errorf("%s was told:\n%s", to, words)
			}
		}
		if strings.HasPrefix(to, "out ") && strings.Contains(words, `"id":2,`) {
			t.Errorf("a webhook was told: %s", words)
		}
	}
	for _, want := range []string{"mail anna@shop.example", "mail administrator@shop.example", "sms +4930111", "voice +4930112"} {
		if !told[want] {
			t.Errorf("%s was not told that they are needed; told were %v", want, told)
		}
	}
	if told["mail engineer@shop.example"] {
		t.Error("the engineer has nothing to do with it, and was rung")
	}
	anna := x.as(t, "anna")
	if page := anna.get("/").body; !strings.Contains(page, "An incident needs you: sign in") || strings.Contains(page, fmt.Sprintf("/calls/%d/answer", call)) {
		t.Error("the banner of who was rung and is not named")
	}
	if got := anna.post(fmt.Sprintf("/calls/%d/answer", call)); got.code != http.StatusNotFound {
		t.Errorf("who is not named answers: %d, want 404", got.code)
	}
}

// Given a restricted incident, when everybody is to see it again, then a second person who is named must approve; nobody else can, nor learns of it.
func TestUnrestrictNeedsASecondWhoIsNamed(t *testing.T) {
	x := restricted(t)
	anna, legal, analyst := desk.Actor(mustPerson(t, x.console, "anna")), desk.Actor(mustPerson(t, x.console, "legal")), desk.Actor(mustPerson(t, x.console, "analyst"))
	if err := x.desk.Unrestrict(anna, 1, ""); err == nil {
		t.Error("without a reason")
	}
	if err := x.desk.SetPassword(t.Context(), desk.Local("test"), "legal", "correct horse battery"); err != nil { // else there would be no second person
		t.Fatal(err)
	}
	if err := x.desk.Unrestrict(anna, 1, mark+" is over"); err == nil || !strings.Contains(err.Error(), "second person") {
		t.Fatalf("asking: %v", err)
	}
	id := x.approval + 1
	for _, who := range []string{"analyst", "engineer", "auditor"} {
		if page := x.as(t, who).get("/approvals").body; strings.Contains(page, mark) || strings.Contains(page, "incident:1") {
			t.Errorf("%s reads what is asked for", who)
		}
	}
	if err := x.desk.Approve(analyst, id, true, ""); err == nil || numbers.ReplaceAllString(err.Error(), "0") != numbers.ReplaceAllString(x.desk.Approve(analyst, 99, true, "").Error(), "0") {
		t.Errorf("an analyst who is not named: %v", err)
	}
	if err := x.desk.Approve(anna, id, true, ""); err == nil {
		t.Error("the same person approved")
	}
	if x.as(t, "analyst").get("/incidents/1").code != http.StatusNotFound {
		t.Error("it is shown before it is approved")
	}
	second := legal
	second.Via = "another session"
	if err := x.desk.Approve(second, id, true, ""); err != nil {
		t.Fatal(err)
	}
	x.until(t, "it is not restricted", func(st *desk.State) bool { return !st.Incidents.Incidents[0].Restricted() })
	if got := x.as(t, "analyst").get("/incidents/1"); got.code != http.StatusOK || !strings.Contains(got.body, marks[0]) {
		t.Errorf("afterwards: %d", got.code)
	}
}

// Given a restricted incident, when roles are given in it, then only to those who are named; who held one and is not named is shown as a gap.
func TestRolesInARestrictedIncident(t *testing.T) {
	x := restricted(t)
	anna := desk.Actor(mustPerson(t, x.console, "anna"))
	if err := x.desk.GiveRole(anna, 1, plan.Engineer, "engineer", false, ""); err == nil || !strings.Contains(err.Error(), "name them first") {
		t.Errorf("a role for who is not named: %v", err)
	}
	if err := x.desk.Assign(anna, 1, "engineer"); err == nil || !strings.Contains(err.Error(), "name them first") {
		t.Errorf("work for who is not named: %v", err)
	}
	if err := x.desk.GiveRole(anna, 1, plan.Engineer, "legal", false, ""); err != nil {
		t.Errorf("a role for who is named: %v", err)
	}
	if err := x.desk.Restrict(anna, 1, "insider", []string{"engineer"}); err != nil { // legal holds two roles, and is no longer named
		t.Fatal(err)
	}
	if page := x.as(t, "anna").get("/incidents/1").body; !strings.Contains(page, "The legal is not named here") {
		t.Error("the gap is not shown")
	}
	if got := x.as(t, "legal").get("/incidents/1").code; got != http.StatusNotFound {
		t.Errorf("who is no longer named sees it: %d", got)
	}
	if err := x.desk.TakeRole(anna, 1, plan.Commander, false); err != nil {
		t.Errorf("the role of who is no longer named cannot be taken: %v", err)
	}
}
