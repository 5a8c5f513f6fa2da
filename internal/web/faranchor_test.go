package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/plan"
)

// Given more open questions than a page shows, when the one that is asked first is led to from my tasks, from the next step or from the timeline, then it is on the page
// and can be answered, and so is one that was answered long ago.
func TestAThingFarDownIsReached(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	ask := func(text, role string) {
		t.Helper()
		if got := anna.post("/incidents/1/questions", "text", text, "role", role); got.code != http.StatusSeeOther {
			t.Fatalf("%d\n%s", got.code, got.body)
		}
	}
	ask("Which backup is clean?", plan.Engineer)
	ask("Long ago.", "")
	if got := anna.post("/incidents/1/questions/2/answer", "text", "So it is."); got.code != http.StatusSeeOther {
		t.Fatal(got.code)
	}
	for n := range eachShown {
		ask(fmt.Sprint("Question ", n), "")
	}
	for n := range settledShown {
		if got := anna.post(fmt.Sprintf("/incidents/1/questions/%d/answer", n+3), "text", "Yes."); got.code != http.StatusSeeOther {
			t.Fatal(got.code)
		}
	}
	for n := range settledShown {
		ask(fmt.Sprint("Another ", n), "")
	}
	if got := anna.get("/incidents/1").body; strings.Contains(got, `id="question-1"`) || strings.Contains(got, `id="question-2"`) {
		t.Fatal("they are on the first page; ask more")
	}
	const href = "/incidents/1?at=question-1#question-1"
	if got := c.as(t, plan.Engineer).get("/tasks").body; !strings.Contains(got, `href="`+href+`"`) {
		t.Error("my tasks do not lead to it")
	}
	if got := anna.get("/incidents/1?at=question-1").body; !strings.Contains(got, `id="question-1"`) || !strings.Contains(got, `id="answer-1"`) {
		t.Error("it is not where it is led to, or cannot be answered there")
	}
	if got := anna.get("/incidents/1?at=question-2").body; !strings.Contains(got, `id="question-2"`) || !strings.Contains(got, "So it is.") {
		t.Error("what is over is not where it is led to")
	}
	if got := anna.get("/incidents/1").body; !strings.Contains(got, `href="/incidents/1?at=question-`) {
		t.Error("the timeline does not lead beyond the first page")
	}
}
