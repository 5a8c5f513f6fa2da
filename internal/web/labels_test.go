package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/plan"
	"tocsin/internal/report"
)

// Given an incident with things in it, when somebody looks at who may hear of them, then each has its label and its form, a label that is set comes back on the page with
// its reason, one that lets more people hear it needs a reason, and what is RED is not told to who may not have it.
func TestLabelsOfEverything(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna, reader := c.as(t, "anna"), c.as(t, plan.Reader)
	must := func(got answer) answer {
		t.Helper()
		if got.code != http.StatusSeeOther {
			t.Fatalf("%d\n%s", got.code, got.body)
		}
		return got
	}
	must(anna.post("/incidents/1/role/take", "role", plan.Commander))
	must(anna.post("/incidents/1/state", "seen", "0", "text", "zebra-known is known."))
	must(anna.post("/incidents/1/decisions", "text", "zebra-decision", "options", "Yes\nNo"))
	must(anna.post("/incidents/1/questions", "text", "zebra-question"))
	must(anna.post("/incidents/1/tasks", "title", "zebra-task", "who", "person:anna"))
	must(anna.post("/incidents/1/handovers", "to", plan.Engineer, "text", "zebra-handover"))
	must(anna.post("/incidents/1/lessons", "seen", "0", "well", "zebra-well"))
	must(anna.post("/incidents/1/cause", "seen", "0", "class", "own-code", "text", "zebra-cause"))
	if _, err := c.desk.AddFile(desk.Actor(mustPerson(t, c, "anna")), 1, desk.FileText{Name: "zebra.html", From: "the shop"}, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	page := anna.get("/incidents/1/label").body
	for _, what := range []string{"statement", "cause", "lessons", "status", "decision:1", "question:1", "task:1", "handover:1", "attachment:1"} {
		href := labelHref(1, what)
		if !strings.Contains(page, `href="`+href+`"`) {
			t.Errorf("the page of all labels lacks %s", what)
		}
		one := anna.get(href)
		if one.code != http.StatusOK || !strings.Contains(one.body, `name="what" value="`+what+`"`) {
			t.Fatalf("%s has no form: %d\n%s", what, one.code, one.body)
		}
		if got := anna.post("/incidents/1/label", "what", what, "label", "CLEAR", "reason", ""); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "say why") || !strings.Contains(got.body, `name="what" value="`+what+`"`) {
			if what != "status" || got.code != http.StatusUnprocessableEntity {
				t.Errorf("%s becomes wider without a reason: %d\n%s", what, got.code, got.body)
			}
		}
		if got := must(anna.post("/incidents/1/label", "what", what, "label", "RED", "reason", "because of "+what)); !strings.HasPrefix(got.location, href) {
			t.Errorf("after the label of %s it goes on at %s", what, got.location)
		}
		if one := anna.get(href).body; !strings.Contains(one, "because of "+what) || !strings.Contains(one, "TLP:RED") {
			t.Errorf("%s does not say that it is RED, and why:\n%s", what, one)
		}
	}
	if work := anna.get("/incidents/1").body; !strings.Contains(work, `href="/incidents/1/label"`) || !strings.Contains(work, `action="/incidents/1/label"`) || strings.Count(work, `href="/incidents/1/label?what=`) < 4 {
		t.Error("the page of the incident does not lead to its labels")
	}
	for _, path := range []string{"/incidents/1/label", labelHref(1, "decision:1"), labelHref(1, "statement"), labelHref(1, "cause")} {
		got := reader.get(path)
		if got.code != http.StatusOK || strings.Contains(got.body, "zebra-") || strings.Contains(got.body, "because of") || strings.Contains(got.body, `action="/incidents/1/label"`) {
			t.Errorf("a reader gets at %s: %d\n%s", path, got.code, got.body)
		}
	}
	for _, path := range []string{labelHref(1, "decision:9"), labelHref(1, "nonsense"), "/incidents/77/label"} {
		if got := anna.get(path); got.code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.code)
		}
	}
	if got := anna.post("/incidents/1/label", "what", "nonsense", "label", "RED"); got.code == http.StatusSeeOther || got.code >= 500 {
		t.Errorf("a label of nothing: %d", got.code)
	}
	if err := c.desk.Restrict(c.actorOf(t, "anna"), 1, "insider", []string{"anna"}); err != nil {
		t.Fatal(err)
	}
	if got := c.as(t, plan.Engineer).get("/incidents/1/label"); got.code != http.StatusNotFound {
		t.Errorf("a restricted incident: %d", got.code)
	}
}

// Given somebody who handed over, when they correct or withdraw it on the page, then who should take it sees the other note or none, and nobody else may.
func TestHandoverIsCorrectedAndWithdrawn(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna, other := c.as(t, "anna"), c.as(t, plan.Engineer)
	must := func(got answer) {
		t.Helper()
		if got.code != http.StatusSeeOther {
			t.Fatalf("%d\n%s", got.code, got.body)
		}
	}
	must(anna.post("/incidents/1/role/take", "role", plan.Legal))
	must(anna.post("/incidents/1/handovers", "to", plan.Engineer, "text", "The wrong note."))
	page := anna.get("/incidents/1").body
	for _, form := range []string{"rehand-1", "unhand-1"} {
		if !strings.Contains(page, `id="`+form+`"`) {
			t.Errorf("the page lacks the form %s", form)
		}
	}
	if got := other.get("/incidents/1").body; strings.Contains(got, `id="rehand-1"`) || !strings.Contains(got, "I have read it and take over") {
		t.Error("who should take it may correct it, or cannot take it")
	}
	if got := other.post("/incidents/1/handovers/1/withdraw", "reason", "not mine"); got.code != http.StatusUnprocessableEntity {
		t.Errorf("another withdraws it: %d", got.code)
	}
	if got := anna.post("/incidents/1/handovers/1/correct", "to", plan.Engineer, "text", " "); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="rehand-1"`) {
		t.Errorf("an empty note: %d", got.code)
	}
	must(anna.post("/incidents/1/handovers/1/correct", "to", plan.Engineer, "text", "The right note."))
	if got := other.get("/incidents/1").body; !strings.Contains(got, "The right note.") || !strings.Contains(got, "handovers/2/take") || strings.Contains(got, "handovers/1/take") {
		t.Error("who should take it does not get the right note alone")
	}
	must(anna.post("/incidents/1/handovers/2/withdraw", "reason", "I stay after all."))
	if got := other.get("/incidents/1").body; strings.Contains(got, "handovers/2/take") || !strings.Contains(got, "I stay after all.") {
		t.Error("a note that was withdrawn waits, or does not say why it went")
	}
	if got := other.post("/incidents/1/handovers/2/take", "text", ""); got.code == http.StatusSeeOther {
		t.Error("what was withdrawn is taken")
	}
}

// Given a report with files that belongs to an incident, when they are made evidence on its page, then they stand among the incident's files, and a form that came back keeps
// what was typed.
func TestReportFilesBecomeEvidenceOnThePage(t *testing.T) {
	c := outsideConsole(t)
	anna := c.as(t, "anna")
	c.toldFiles(t)
	if got := anna.get("/reports/1").body; strings.Contains(got, "/reports/1/evidence") {
		t.Error("a report without an incident offers evidence")
	}
	if got := anna.post("/reports/1", "deed", "open"); got.code != http.StatusSeeOther {
		t.Fatalf("%d %s", got.code, got.body)
	}
	if got := anna.get("/reports/1").body; !strings.Contains(got, `action="/reports/1/evidence"`) || strings.Count(got, `name="files"`) != 2 {
		t.Errorf("the page has no form for its files:\n%s", got)
	}
	if got := anna.post("/reports/1/evidence", "why", "zebra-why", "label", "AMBER+STRICT"); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "zebra-why") || !strings.Contains(got.body, "Tick at least one file.") {
		t.Errorf("nothing is ticked: %d\n%s", got.code, got.body)
	}
	id := int64(0)
	c.desk.Read(func(st *desk.State) { id = st.Incidents.Incidents[len(st.Incidents.Incidents)-1].ID })
	got := anna.post("/reports/1/evidence", "files", "1", "why", "zebra-why", "label", "AMBER+STRICT")
	if at := fmt.Sprintf("/incidents/%d/files", id); got.code != http.StatusSeeOther || !strings.HasPrefix(got.location, at) {
		t.Fatalf("%d to %s\n%s", got.code, got.location, got.body)
	}
	page := anna.get(fmt.Sprintf("/incidents/%d/files", id)).body
	for _, want := range []string{"log.txt", "report 1 from outside, attachment 1", "zebra-why", "TLP:AMBER&#43;STRICT"} {
		if !strings.Contains(page, want) {
			t.Errorf("the files of the incident lack %q", want)
		}
	}
	if strings.Contains(page, "photo.png") {
		t.Error("a file that was not ticked is evidence")
	}
	if got := anna.post("/reports/77/evidence", "files", "1"); got.code != http.StatusNotFound {
		t.Errorf("a report that there is not: %d", got.code)
	}
}

// toldFiles files a report with two files.
func (c *console) toldFiles(t *testing.T) {
	t.Helper()
	c.told(t, report.Parcel{What: "look", Files: []report.File{{Name: "log.txt", Size: 3, Data: []byte("odd")}, {Name: "photo.png", Size: 8, Data: []byte("\x89PNG\r\n\x1a\n")}}})
}

// Given a shop that says its name, when a stranger opens the page for reports, or gets an answer by mail, then the name stands there.
func TestTheNameOfTheShop(t *testing.T) {
	c := outsideConsole(t, func(o *desk.Options) { o.Organisation = "Shop & <b>Sons</b>" })
	page := c.as(t, "").get("/report").body
	if !strings.Contains(page, "Shop &amp; &lt;b&gt;Sons&lt;/b&gt;</span></span></header>") || strings.Contains(page, "<b>Sons") {
		t.Errorf("the page does not say whose it is:\n%.1500s", page)
	}
	c.told(t, report.Parcel{From: report.Customer, What: "odd", Contact: "mara@research.example"})
	if got := c.as(t, "anna").post("/reports/1", "deed", "answer", "message", "Thank you."); got.code != http.StatusSeeOther {
		t.Fatalf("%d %s", got.code, got.body)
	}
	for late := time.After(20 * time.Second); ; {
		select {
		case m := <-c.mails:
			if m.To == "mara@research.example" {
				if !strings.HasSuffix(m.Body, "\n-- \nShop & <b>Sons</b>\n") {
					t.Errorf("the mail: %q", m.Body)
				}
				return
			}
		case <-late:
			t.Fatal("no mail to the reporter")
		}
	}
}
