package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// Given an incident that is part of another, when the page of the other is opened, then it shows and settles what was written of the part, whoever comes second finds their words there,
// what was written since the page was made is not seen by it, and one person alone sees the steps of every role that nobody holds.
func TestAPartOnThePageOfTheWhole(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna, second := c.as(t, "anna"), c.as(t, plan.Engineer)
	must := func(got answer) answer {
		t.Helper()
		if got.code != http.StatusSeeOther {
			t.Fatalf("%d\n%s", got.code, got.body)
		}
		return got
	}
	whole := int64(0)
	who := desk.Actor(mustPerson(t, c, "anna"))
	whole, err := c.desk.Report(who, "the same again")
	if err != nil {
		t.Fatal(err)
	}
	must(anna.post("/incidents/1/decisions", "text", "Does the shop go offline?", "options", "Yes\nNo"))
	must(anna.post("/incidents/1/questions", "text", "Who has the backup?"))
	must(anna.post("/incidents/1/lessons", "seen", "0", "well", "We were quick."))
	if _, err := c.desk.AddFile(who, 1, desk.FileText{Name: "page.html", From: "the shop"}, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("/incidents/%d", whole)
	must(anna.post("/incidents/1/merge", "into", fmt.Sprint(whole), "reason", "one hand"))
	must(anna.post(at+"/decisions", "text", "Do we tell the bank?", "options", "Yes\nNo"))
	page := anna.get(at).body
	for _, want := range []string{"Does the shop go offline?", "Do we tell the bank?", "Who has the backup?", `id="decision-1-1"`, `id="decision-1"`, `action="/incidents/1/decisions/1/choose"`, `id="answer-1-1"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the whole lacks %s", want)
		}
	}
	if files := anna.get(at + "/files").body; !strings.Contains(files, `id="file-1-1"`) || !strings.Contains(files, `action="/incidents/1/files/1/read"`) {
		t.Error("the files of the whole lack that of the part")
	}
	if cause := anna.get(at + "/cause").body; !strings.Contains(cause, "We were quick.") {
		t.Error("the lessons of the whole lack those of the part")
	}
	seen := ""
	c.desk.Read(func(st *desk.State) { seen = fmt.Sprint(st.Incidents.Incidents[0].Command().Decisions[0].N) })
	if got := must(anna.post("/incidents/1/decisions/1/choose", "seen", seen, "option", "1", "reason", "Cards are going out.")); !strings.HasPrefix(got.location, at+"?") {
		t.Errorf("it goes on at %s", got.location)
	}
	got := second.post("/incidents/1/decisions/1/choose", "seen", seen, "option", "2", "reason", "We lose money.", "draft", "1790000000000")
	if got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "We lose money.</textarea>") || !strings.Contains(got.body, `id="anew-1-1"`) || !strings.Contains(got.body, "Do we tell the bank?") {
		t.Errorf("the second decides: %d\n%s", got.code, got.body)
	}
	if got := must(second.post("/incidents/1/decisions/1/anew", "option", "2", "reason", "We lose money.", "draft", "1790000000000")); !strings.Contains(got.location, "&took=1790000000000") {
		t.Errorf("the server does not say whose draft may go: %s", got.location)
	}
	if got := must(second.post(at+"/note", "note", "x", "draft", "1&x=<b>")); strings.Contains(got.location, "took") {
		t.Errorf("anything comes back: %s", got.location)
	}
	must(anna.post("/incidents/1/questions/1/answer", "text", "The agency."))

	// seen is what the page showed
	must(second.post(at+"/seen", "seen", "3"))
	if got := second.get(at).body; !strings.Contains(got, "since you looked last") || !strings.Contains(got, `name="seen"`) {
		t.Error("what came after the page counts as seen")
	}
}

// Given what ends in a number, when it is of a part, then the part's number comes before; runs are numbered over all incidents.
func TestPlacesOfParts(t *testing.T) {
	for form, want := range map[string]string{"choose-7": "choose-2-7", "#task-1": "#task-2-1", "stop-4": "stop-4", "move-4": "move-4", "switch-4": "switch-4", "state": "state", "scope-again": "scope-again", "": ""} {
		if got := ofPart(form, 2); got != want {
			t.Errorf("%s becomes %s, want %s", form, got, want)
		}
	}
}
