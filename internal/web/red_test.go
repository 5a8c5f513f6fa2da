package web

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
)

// canary begins each of the words below, so that one that leaves names the text that it left from.
const canary = "ibis-"

// A cage is a console with an incident that is TLP:AMBER and has something RED of each kind, and one that is RED as a whole.
type cage struct {
	*console
	*capture
	amber, red int64
	status     string // the path of a status page of the second, from before
	seat       string // of a guest in its war room, from before
	anna       auth.Actor
}

// caged puts a canary into each text that can be labelled, and gives it a label: RED, or another so that one sees what would leave.
func caged(t *testing.T, as string) *cage {
	t.Helper()
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	x := &cage{capture: &capture{}, amber: 1, red: 2}
	x.console = newConsoleOf(t, set, attacks(), nil, x.options(t, ""), planned).staffed(t)
	x.settled(t)
	x.anna = desk.Actor(mustPerson(t, x.console, "anna"))
	d, n := x.desk, 0
	must := func(errs ...error) {
		t.Helper()
		n++
		for _, err := range errs {
			if err != nil {
				t.Fatalf("act %d: %v", n, err)
			}
		}
	}
	label := func(what string) { t.Helper(); must(d.SetLabel(x.anna, x.amber, what, as, canary+"label")) }
	last := func(id int64, kind entry.Kind) string {
		what := ""
		d.Read(func(st *desk.State) {
			i, _ := st.Incidents.Get(id)
			for _, m := range i.Timeline {
				if m.Kind == kind {
					what = fmt.Sprint("note:", m.N)
				}
			}
		})
		return what
	}
	must(d.Note(x.anna, 1, "open words", time.Time{}), d.Note(x.anna, 1, canary+"note", time.Time{}))
	note := last(1, entry.IncidentNoted)
	label(note)
	var line int64
	_, err = fmt.Sscanf(note, "note:%d", &line)
	must(err, d.EditNote(x.anna, 1, line, line, desk.NoteText{Text: canary + "edit"}))
	must(d.SetSeverity(x.anna, 1, incident.Critical, canary+"severity"))
	label(last(1, entry.IncidentSeverity))
	must(d.State(x.anna, 1, 0, canary+"statement"))
	label("statement")
	decision, err := d.AskDecision(x.anna, 1, desk.DecisionAsk{Question: canary + "decision", Options: []string{canary + "option", "no"}})
	must(err)
	var seen int64
	d.Read(func(st *desk.State) { i, _ := st.Incidents.Get(1); seen = i.Command().Decisions[decision-1].N })
	must(d.Choose(x.anna, 1, decision, seen, 1, canary+"choice"))
	label(fmt.Sprint("decision:", decision))
	question, err := d.AskQuestion(x.anna, 1, plan.Legal, canary+"question")
	must(err, d.AnswerQuestion(x.anna, 1, question, canary+"answer"))
	label(fmt.Sprint("question:", question))
	task, err := d.AddTask(x.anna, 1, desk.TaskAsk{Title: canary + "task", Role: plan.Engineer})
	must(err)
	label(fmt.Sprint("task:", task))
	file, err := d.AddFile(x.anna, 1, desk.FileText{Name: canary + "file", Kind: "code", From: canary + "from", Why: canary + "because", Label: as}, strings.NewReader(canary+"content"))
	must(err)
	if file != 1 {
		t.Fatal("it has evidence already")
	}
	handover, err := d.HandOver(x.anna, 1, "engineer", nil, canary+"handover")
	must(err)
	label(fmt.Sprint("handover:", handover))
	must(d.PutCause(x.anna, 1, desk.CauseText{Class: "person", Sum: canary + "cause", Whys: []desk.ReasonText{{Text: canary + "reason", Links: []entry.Link{{Kind: "file", Ref: "/" + canary + "path.php"}}}},
		Bones: []desk.ReasonText{{Branch: "people", Text: canary + "bone"}}}))
	label("cause")
	must(d.PutAffected(x.anna, 1, desk.AffectedText{Systems: canary + "system; front; was changed; restored", Data: canary + "data; copied; 312", People: canary + "people; ?; Germany", Costs: canary + "costs; 1250 EUR; estimate"}))
	label("affected")
	must(d.PutLessons(x.anna, 1, desk.LessonsText{Well: canary + "well", Badly: canary + "badly", Follows: canary + "follows"}))
	label("lessons")
	must(d.SetStatus(x.anna, 1, contact.Sentences{Versions: []contact.Version{{Lang: "en", Body: canary + "standing"}}}, time.Time{}))
	label("status")
	_, err = d.AddMeasure(x.anna, 1, desk.MeasureText{Text: canary + "measure", Owner: "anna", Due: time.Now().Add(time.Hour)})
	must(err)
	must(d.Merge(x.anna, 3, 1, canary+"merge"))
	label(last(1, entry.IncidentMerged))

	board, err := d.PutContact(desk.Local("test"), entry.Contact{Group: contact.Stakeholders}, contact.Card{Name: "Board", Ways: []contact.Way{{Kind: contact.Mail, Value: "board@shop.example"}}})
	must(err, d.SetStatus(x.anna, x.red, contact.Sentences{Versions: []contact.Version{{Lang: "en", Body: canary + "status"}}}, time.Time{}))
	must(d.Note(x.anna, x.red, canary+"whole", time.Time{}), d.State(x.anna, x.red, 0, canary+"known"))
	x.status, err = d.StatusLink(x.anna, x.red, board)
	must(err)
	x.status = strings.TrimPrefix(x.status, x.URL)
	guest, err := d.RoomLink(x.anna, x.red, "guest", time.Hour)
	must(err)
	_, code, _ := strings.Cut(guest, "#")
	_, x.seat = joinRoom(t, x.console, code)
	must(d.SetLabel(x.anna, x.red, "", as, canary+"label"))
	return x
}

// red are all words that must be seen by those for whom they are.
var red = []string{"note", "edit", "severity", "statement", "decision", "option", "choice", "question", "answer", "task", "file", "from", "because", "handover", "cause", "reason", "path.php", "bone", "well", "badly",
	"follows", "merge", "whole", "known", "label", "system", "data", "people", "costs", "standing"}

// silent fails the test when a text that left by some way has one of the words.
func silent(t *testing.T) func(way, text string) {
	return func(way, text string) {
		t.Helper()
		if k := strings.Index(text, canary); k >= 0 {
			t.Errorf("%s: %q", way, text[max(0, k-60):min(len(text), k+40)])
		}
	}
}

// all is everything that an answer has: where it leads, its headers, among them the names of files, and its body, with titles and what is shown on hovering.
func (a answer) all() string { return fmt.Sprint(a.location, "\n", a.header, "\n", a.body) }

// listens reads an open answer for a while, during which something changes.
func (x *cage) listens(t *testing.T, who, path string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, x.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(x.as(t, who).cookie)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := x.desk.Note(x.anna, x.red, canary+"live", time.Time{}); err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body) // until the time is over
	return fmt.Sprint(resp.Header, "\n", string(b))
}

// operations are the addresses of the interface that can be read, for an incident.
func operations(t *testing.T, x *cage, id int64) (paths []string) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	documented(t, api.NewDoor(nil, x.desk).Document, &doc)
	for p, by := range doc.Paths {
		if by["get"] != nil && !strings.Contains(p, "/live") && !strings.Contains(p, "follow") {
			paths = append(paths, "/api/v1"+strings.TrimPrefix(strings.NewReplacer("{id}", fmt.Sprint(id), "{number}", "1", "{run}", "1").Replace(p), "/v1"))
		}
	}
	slices.Sort(paths)
	return paths
}

// Given words that are RED, in an incident that is not and in one that is, when every exit of the program is tried by everybody for whom they are not, then none of them leaves by
// any; those for whom they are read them by signing in.
func TestRedLeavesByNoExit(t *testing.T) {
	x := caged(t, "RED")
	told := len(x.since(0))
	none := silent(t)
	seen := map[string]bool{}
	for _, who := range []string{"", "administrator", "reader", "auditor", "reporter", "anna"} {
		v := x.as(t, who)
		for _, r := range routes() {
			method, path := x.pathOf(r.pattern)
			if method != http.MethodGet || strings.HasSuffix(path, "/live") || path == "/me/link" || strings.HasPrefix(path, "/sign-in/provider") {
				continue
			}
			if slices.Contains([]string{"administrator", "auditor", "reporter"}, who) && !strings.HasPrefix(path, "/incidents/") {
				continue // of what is no incident's page they see what a reader does, or less
			}
			for _, id := range []int64{1, 2, 3} {
				path := path
				if strings.HasPrefix(path, "/incidents/1") {
					path = strings.Replace(path, "/incidents/1", fmt.Sprint("/incidents/", id), 1)
				} else if id > 1 {
					continue
				}
				got := v.get(path)
				if who != "anna" {
					none(path+" to "+who, got.all())
					continue
				}
				for _, w := range red {
					seen[w] = seen[w] || strings.Contains(got.body, canary+w)
				}
			}
		}
	}
	anna := x.as(t, "anna")
	x.desk.Read(func(st *desk.State) {
		i, _ := st.Incidents.Get(1)
		for _, m := range i.Timeline {
			if m.Kind == entry.IncidentNoted || m.Kind == entry.IncidentSeverity {
				body := anna.get(fmt.Sprintf("/incidents/1/moments/%d", m.N)).body
				none("moment to a reader", x.as(t, "reader").get(fmt.Sprintf("/incidents/1/moments/%d", m.N)).body)
				for _, w := range red {
					seen[w] = seen[w] || strings.Contains(body, canary+w)
				}
			}
		}
	})
	for _, w := range red {
		if !seen[w] {
			t.Errorf("anna, for whom it is, does not see %q: that others do not proves nothing", w)
		}
	}
	if page := x.as(t, "reader").get("/incidents/1").body; !strings.Contains(page, "open words") || !strings.Contains(page, "TLP:RED") {
		t.Error("a reader does not see the rest of an AMBER incident, or not that something is kept")
	}
	if got := x.as(t, "reader").get("/incidents/2"); got.code != http.StatusNotFound {
		t.Errorf("a RED incident to a reader: %d", got.code)
	}
	for _, path := range []string{"/live", "/search/live?q=ibis", "/search/live?q=evil"} {
		none(path, x.listens(t, "auditor", path))
	}
	for _, path := range []string{"/search/complete?q=ibis", "/search/complete?q=inc", "/search?q=ibis", "/ledger"} {
		none(path, x.as(t, "auditor").get(path).all())
	}
	for _, r := range routes() { // who may not do it is refused in words that say nothing of it
		if method, path := x.pathOf(r.pattern); method == http.MethodPost && strings.HasPrefix(path, "/incidents/") {
			for _, id := range []int64{1, 2} {
				path := strings.Replace(path, "/incidents/1", fmt.Sprint("/incidents/", id), 1)
				none(path+" by a reader", x.as(t, "reader").do(method, path, form(), nil).all())
			}
		}
	}
	x.programs(t, none)
	x.files(t, none)
	if got := x.as(t, "").get(x.status); got.code != http.StatusNotFound {
		t.Errorf("the status page: %d", got.code)
	}
	got := x.as(t, "").send(http.MethodPost, "/room/alive", "application/json", strings.NewReader("{}"), map[string]string{"Authorization": "Bearer " + x.seat})
	if got.code != http.StatusUnauthorized {
		t.Errorf("a guest stays in the war room: %d", got.code)
	}
	for _, s := range x.since(told) {
		none("a message", s)
	}
	none("the program's log", x.log.String())
}

// programs tries the interface, by tokens of one who may read the words on a page and of one who may not.
func (x *cage) programs(t *testing.T, none func(way, text string)) {
	t.Helper()
	for _, who := range []string{"analyst", "reader"} {
		scope := []auth.Action{auth.See, auth.Note, auth.Handle, auth.Tune, auth.SearchLines}
		if who == "reader" {
			scope = scope[:1]
		}
		token, err := x.desk.MakeToken(desk.Actor(mustPerson(t, x.console, who)), "red", scope, 1)
		if err != nil {
			t.Fatal(err)
		}
		bearer, read := map[string]string{"Authorization": "Bearer " + token}, 0
		for _, id := range []int64{1, 2, 3} {
			for _, path := range operations(t, x, id) {
				got := x.as(t, "").do(http.MethodGet, path, nil, bearer)
				if none(path+" to a token of "+who, got.all()); got.code == http.StatusOK {
					read++
				}
			}
		}
		if read < 20 {
			t.Errorf("a token of %s read %d answers only, which proves little", who, read)
		}
		for _, a := range [][2]string{{"/api/v1/incidents/1/attachments/1/open", `{"why":"x"}`}, {"/api/v1/incidents/1/report", `{"format":"md"}`}, {"/api/v1/incidents/2/report", `{"format":"md"}`}} {
			got := x.as(t, "").send(http.MethodPost, a[0], "application/json", strings.NewReader(a[1]), bearer)
			none(a[0]+" by a token of "+who, got.all())
		}
	}
}

// files tries all that one of the team can take out of the program.
func (x *cage) files(t *testing.T, none func(way, text string)) {
	t.Helper()
	for _, readers := range []string{"CLEAR", "GREEN", "AMBER", "AMBER+STRICT"} {
		for _, form := range []string{"html", "md", "docx", "pdf"} {
			if form != "md" && readers != "AMBER+STRICT" {
				continue // one model is made for the readers, and the forms are made of it
			}
			m, err := x.desk.Dossier(x.anna, 1, desk.DossierAsk{Form: form, Audience: readers})
			if err != nil {
				t.Fatal(form, err)
			}
			none("the report for "+readers+" as "+form, textOf(t, form, m.Bytes))
		}
		for _, form := range []string{"stix", "veris"} {
			if r, err := x.desk.Exchange(x.anna, 1, form, readers); err == nil {
				none(form+" for "+readers, string(r.Data))
			} else if readers != "CLEAR" && readers != "GREEN" {
				t.Error(form, err)
			}
		}
	}
	for _, form := range []string{"stix", "veris"} {
		if _, err := x.desk.Exchange(x.anna, 2, form, "AMBER+STRICT"); err == nil {
			t.Errorf("a RED incident is written as %s", form)
		}
	}
	if _, err := x.desk.Dossier(x.anna, 2, desk.DossierAsk{}); err == nil {
		t.Error("a RED incident has a report")
	}
	if _, err := x.desk.RoomLink(x.anna, 2, "guest", time.Hour); err == nil {
		t.Error("a guest is invited to a RED incident")
	}
	if err := x.desk.PassFile(x.anna, 1, 1, "", "police", "x"); err == nil {
		t.Error("RED evidence is passed on")
	}
	anna := x.as(t, "anna")
	got := anna.post("/incidents/1/files/1/read", "why", "x")
	if got.code == http.StatusOK || strings.Contains(got.body, canary+"content") {
		t.Error("RED evidence of an incident that names nobody is handed out")
	}
	if err := x.desk.Restrict(x.anna, 1, "legal", []string{"legal"}); err != nil { // now somebody is named: these are its recipients
		t.Fatal(err)
	}
	if got := anna.post("/incidents/1/files/1/read", "why", "x"); got.code != http.StatusOK || got.body != canary+"content" {
		t.Errorf("RED evidence to who is named: %d", got.code)
	}
	for _, who := range []string{"engineer", "analyst", "administrator", "reader"} {
		got := x.as(t, who).post("/incidents/1/files/1/read", "why", "x")
		none("evidence to "+who, got.body)
	}
}

// textOf is what a report says.
func textOf(t *testing.T, form string, b []byte) string {
	t.Helper()
	switch form {
	case "docx":
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(&all, r); err != nil {
				t.Fatal(err)
			}
			r.Close()
		}
		return all.String()
	case "pdf":
		tool, err := exec.LookPath("pdftotext")
		if err != nil {
			return "" // the other forms are made of the same model
		}
		name := filepath.Join(t.TempDir(), "report.pdf")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), tool, name, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	return string(b)
}
