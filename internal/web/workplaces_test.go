package web

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/desk"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
)

// Given tasks of an incident that became part of another, more than a page has, when their person looks at all of theirs, then each leads to the page on which it stands.
func TestTasksLeadToWhereTheyStand(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	who := c.actorOf(t, "anna")
	whole, err := c.desk.Report(who, "the same again")
	if err != nil {
		t.Fatal(err)
	}
	for n := range eachShown + 2 {
		if _, err := c.desk.AddTask(who, 1, desk.TaskAsk{Title: fmt.Sprint("task ", n+1), Person: "anna"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.desk.AskQuestion(who, 1, "", "Who has the backup?"); err != nil {
		t.Fatal(err)
	}
	if err := c.desk.Merge(who, 1, whole, "one hand"); err != nil {
		t.Fatal(err)
	}
	anna := c.as(t, "anna")
	all := anna.get("/tasks").body + anna.get("/tasks?page=2").body
	at := fmt.Sprintf("/incidents/%d", whole)
	for _, id := range []string{"task-1-1", "task-1-2", "task-1-3", "question-1-1"} {
		href := at + "?at=" + id + "#" + id
		if !strings.Contains(all, `href="`+href+`"`) {
			t.Errorf("nothing leads to %s", href)
		}
		path, _, _ := strings.Cut(href, "#")
		if page := anna.get(path).body; !strings.Contains(page, `id="`+id+`"`) {
			t.Errorf("%s has no %s", path, id)
		}
	}
}

// Given answers that somebody types into a step, when another person settles it meanwhile, then the answers come back in words, with their questions, to be kept as a note.
func TestAnswersComeBackWhenAnotherSettledTheStep(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, attacks(), nil, planned).staffed(t)
	c.settled(t)
	c.until(t, "a playbook is begun", func(st *desk.State) bool { return len(st.Runs.All) > 0 })
	at, form, asks, said := "", []string{"text", "", "without", "it was gone"}, "", ""
	c.desk.Read(func(st *desk.State) {
		for _, r := range st.Runs.All {
			for _, x := range r.Look(r.Begun) {
				if at != "" || x.State != playbook.Ready || len(x.Asks) == 0 {
					continue
				}
				at = fmt.Sprintf("/incidents/%d/steps/%d/%s/", r.Incident, r.ID, x.ID)
				for _, id := range x.Asks {
					f, _ := r.Book().Fact(id)
					answer := "as I saw it"
					if len(f.Of) > 0 {
						answer = f.Of[0]
						asks, said = f.Ask, desk.FactWord(answer)
					}
					form = append(form, "fact."+id, answer)
				}
			}
		}
	})
	if at == "" || asks == "" {
		t.Fatal("no step asks anything")
	}
	anna, second := c.as(t, "anna"), c.as(t, plan.Engineer)
	for _, got := range []answer{anna.post(at + "take"), second.post(at+"take", "from", "anna"), second.post(at+"done", slices.Concat([]string{"text", "I was faster"}, form)...)} {
		if got.code != http.StatusSeeOther {
			t.Fatalf("%d\n%s", got.code, middle(got.body))
		}
	}
	got := anna.post(at+"done", form...)
	if got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="kept"`) {
		t.Fatalf("%d\n%s", got.code, middle(got.body))
	}
	kept := got.body[strings.Index(got.body, `id="kept"`):]
	kept, _, _ = strings.Cut(kept, "</form>")
	for _, want := range []string{html.EscapeString(asks), html.EscapeString(said), "it was gone"} {
		if !strings.Contains(kept, want) {
			t.Errorf("what was typed lacks %q:\n%s", want, kept)
		}
	}
}
