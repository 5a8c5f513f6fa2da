package web

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// planned gives a desk the plan that the program ships.
func planned(o *desk.Options) { o.Plan = os.DirFS("../../plan") }

// commanded waits until a playbook is begun in the first incident, and asks for a change of the plan.
func (c *console) commanded(t *testing.T) {
	t.Helper()
	c.until(t, "the playbooks that fit are begun", func(st *desk.State) bool { return len(st.Runs.Of(1)) > 0 })
	p, _ := c.desk.Person("anna")
	if err := c.desk.RetirePlaybook(desk.Actor(p), "lost-device", "we have none"); err == nil {
		t.Fatal("nobody else was asked")
	}
}

// A follower clicks what the page marks as the next step, and nothing else; what is asked they take from a table, by the label of the field.
type follower struct {
	*visitor
	words map[string]string
	path  string
	body  string
}

func (f *follower) open(path string) {
	f.t.Helper()
	for range 5 {
		at, _, _ := strings.Cut(path, "#")
		got := f.get(at)
		if got.code == http.StatusSeeOther {
			path = got.location
			continue
		}
		if got.code != http.StatusOK {
			f.t.Fatalf("%s: %d\n%s", path, got.code, got.body)
		}
		f.path, f.body = at, got.body
		return
	}
	f.t.Fatalf("%s leads round", path)
}

func elements(n *html.Node, is func(*html.Node) bool) (out []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && is(d) {
			out = append(out, d)
		}
	}
	return out
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func wordsOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// next clicks the mark of the page and says what it was; "" is none.
func (f *follower) next() string {
	f.t.Helper()
	doc, err := html.Parse(strings.NewReader(f.body))
	if err != nil {
		f.t.Fatal(err)
	}
	marks := elements(doc, func(n *html.Node) bool { _, ok := attribute(n, "data-next"); return ok })
	switch {
	case len(marks) == 0:
		return ""
	case len(marks) > 1:
		f.t.Fatalf("%s marks %d next steps: %s, %s", f.path, len(marks), wordsOf(marks[0]), wordsOf(marks[1]))
	}
	mark := marks[0]
	says := wordsOf(mark)
	if mark.Data == "a" {
		to, _ := attribute(mark, "href")
		if strings.HasPrefix(to, "#") {
			return "" // a place on this page: somebody writes there
		}
		f.open(to)
		return says
	}
	form := mark
	for form != nil && form.Data != "form" {
		form = form.Parent
	}
	action, _ := attribute(form, "action")
	got := f.do(http.MethodPost, action, f.fill(form), nil)
	if got.code != http.StatusSeeOther {
		f.t.Fatalf("%s, %s: %d\n%s", f.path, says, got.code, got.body)
	}
	f.open(got.location)
	return says
}

// fill answers a form: what is hidden or chosen stays, what must be filled in comes from the table.
func (f *follower) fill(form *html.Node) url.Values {
	f.t.Helper()
	out := url.Values{}
	needed := map[string]string{} // boxes of which one must be ticked, with what they ask
	for _, n := range elements(form, func(n *html.Node) bool { return slices.Contains([]string{"input", "textarea", "select"}, n.Data) }) {
		name, _ := attribute(n, "name")
		kind, _ := attribute(n, "type")
		value, _ := attribute(n, "value")
		_, must := attribute(n, "required")
		_, ticked := attribute(n, "checked")
		switch {
		case kind == "hidden":
			out.Set(name, value)
		case kind == "radio":
			legend := wordsOf(elements(n.Parent.Parent.Parent, func(x *html.Node) bool { return x.Data == "legend" })[0])
			if ticked {
				out.Set(name, value)
			}
			if must {
				needed[name] = legend
			}
			if f.words[legend] == value {
				out.Set(name, value)
			}
		case n.Data == "textarea" && must, n.Data == "input" && must, n.Data == "textarea" && f.words[f.label(form, n)] != "":
			text, ok := f.words[f.label(form, n)]
			if !ok {
				f.t.Fatalf("%s asks %q, and the table has no answer", f.path, f.label(form, n))
			}
			out.Set(name, text)
		case n.Data == "select":
			if w := f.words[f.label(form, n)]; w != "" {
				out.Set(name, w)
			}
		}
	}
	for name, legend := range needed {
		if out.Get(name) == "" {
			f.t.Fatalf("%s asks %q, and the table has no answer", f.path, legend)
		}
	}
	return out
}

func (f *follower) label(form, field *html.Node) string {
	id, _ := attribute(field, "id")
	for _, l := range elements(form, func(n *html.Node) bool { return n.Data == "label" }) {
		if to, _ := attribute(l, "for"); to == id {
			return wordsOf(l)
		}
	}
	return ""
}

// Given an incident and the playbook for skimmers, when five people follow only what their pages mark as the next step, then the incident is worked
// through and closed, with its root cause and lessons.
func TestFollowingTheMarksClosesAnIncident(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, attacks(), nil, planned).staffed(t)
	c.settled(t)
	c.until(t, "the playbooks that fit are begun", func(st *desk.State) bool { return len(st.Runs.Of(1)) > 0 })
	run := int64(0)
	c.desk.Read(func(st *desk.State) { run = st.Runs.Of(1)[0].ID })
	anna, _ := c.desk.Person("anna")
	run, err = c.desk.SwitchRun(desk.Actor(anna), run, "skimmer", "it is in the payment page")
	if err != nil {
		t.Fatal(err)
	}
	words := skimmerWords()
	answersAbout(c, run, words)
	var team []*follower
	for _, who := range []string{"anna", plan.Engineer, plan.Analyst, plan.Legal, plan.Communications} {
		team = append(team, &follower{visitor: c.as(t, who), words: words})
	}
	closed := func() (is bool) {
		c.desk.Read(func(st *desk.State) { is = st.Incidents.Incidents[0].Closed })
		return is
	}
	var done []string
	for rounds := 0; !closed() && rounds < 60; rounds++ {
		before := len(done)
		for _, f := range team {
			f.open("/incidents/1")
			for range 12 { // a person does at most so much in a row
				if closed() {
					break
				}
				says := f.next()
				if says == "" {
					break
				}
				done = append(done, says)
			}
		}
		if len(done) == before {
			c.desk.Read(func(st *desk.State) {
				for x := range st.Runs.All[run-1].Doing(time.Now()) {
					t.Logf("%s %s of %s: %s %s", x.ID, x.State, x.Role, x.Person, x.Approval)
				}
				t.Log(st.Incidents.Incidents[0].Phase, st.Incidents.Incidents[0].Roles)
			})
			t.Fatalf("nobody has a next step; the last ones: %s", strings.Join(done[max(0, len(done)-60):], " | "))
		}
	}
	if !closed() {
		t.Fatalf("it is still open after %d clicks; the last ones: %s", len(done), strings.Join(done[max(0, len(done)-10):], " | "))
	}
	c.desk.Read(func(st *desk.State) {
		i := st.Incidents.Incidents[0]
		if lacking := i.Lacking("true"); len(lacking) > 0 || len(i.Excused()) > 0 {
			t.Errorf("closed, and it lacks %v", lacking)
		}
		if !st.Runs.All[run-1].Over() {
			t.Error("closed, and the playbook is not done")
		}
	})
	t.Log(fmt.Sprint(len(done)), "clicks")
	m, err := c.desk.Dossier(desk.Actor(anna), 1, desk.DossierAsk{Form: "md"})
	if err != nil {
		t.Fatal(err)
	}
	says := strings.ReplaceAll(string(m.Bytes), `\`, "")
	name := ""
	c.desk.Read(func(st *desk.State) { name = c.desk.Called(st, "anna") })
	for _, want := range []string{"| Incident Commander | " + name + " |", "| " + name + " (Incident Commander) |"} {
		if name == "anna" || !strings.Contains(says, want) {
			t.Errorf("the report names people and roles otherwise than %q", want)
		}
	}
}

// Given an incident that two people command at once, when both send the same form, then the second is told what the first wrote, finds their own text, and can let
// it take the place of the first one's.
func TestTwoAtOnce(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna, second := c.as(t, "anna"), c.as(t, plan.Engineer)
	must := func(got answer) {
		t.Helper()
		if got.code != http.StatusSeeOther {
			t.Fatalf("%d\n%s", got.code, got.body)
		}
	}
	must(anna.post("/incidents/1/decisions", "text", "Does the shop go offline?", "options", "Yes\nNo"))
	seen := ""
	c.desk.Read(func(st *desk.State) { seen = fmt.Sprint(st.Incidents.Incidents[0].Command().Decisions[0].N) })
	must(anna.post("/incidents/1/decisions/1/choose", "seen", seen, "option", "1", "reason", "Cards are going out."))
	got := second.post("/incidents/1/decisions/1/choose", "seen", seen, "option", "2", "reason", "We lose 900 EUR an hour.")
	if got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Cards are going out.") || !strings.Contains(got.body, "We lose 900 EUR an hour.</textarea>") || !strings.Contains(got.body, `action="/incidents/1/decisions/1/anew"`) {
		t.Errorf("the second decides: %d\n%s", got.code, got.body)
	}
	must(second.post("/incidents/1/decisions/1/anew", "option", "2", "reason", "We lose 900 EUR an hour."))
	if page := anna.get("/incidents/1").body; !strings.Contains(page, "Decision 2 took its place.") {
		t.Error("the page does not say that another decision took its place")
	}
	must(anna.post("/incidents/1/questions", "text", "Since when?"))
	must(anna.post("/incidents/1/questions/1/answer", "text", "Since nine o'clock."))
	if got := second.post("/incidents/1/questions/1/answer", "text", "Since eight, says the backup."); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Since eight, says the backup.</textarea>") || !strings.Contains(got.body, "Since nine o") {
		t.Errorf("the second answers: %d\n%s", got.code, got.body)
	}
	must(anna.post("/incidents/1/lessons", "seen", "0", "well", "We were quick."))
	if got := second.post("/incidents/1/lessons", "seen", "0", "well", "Nobody was rung."); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Nobody was rung.</textarea>") || !strings.Contains(got.body, "We were quick.") {
		t.Errorf("the second writes lessons: %d", got.code)
	}
}

// Given an alarm that was nothing, when it is closed from the page of triage, then one click opens that page and one closes it, and a third keeps the rule quiet.
func TestFalseAlarmInTwoClicks(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	f := &follower{visitor: c.as(t, "anna")}
	f.open("/incidents/1/triage") // the first click, on the incident's page
	doc, err := html.Parse(strings.NewReader(f.body))
	if err != nil {
		t.Fatal(err)
	}
	forms := elements(doc, func(n *html.Node) bool { id, _ := attribute(n, "id"); return id == "false-alarm" })
	if len(forms) != 1 {
		t.Fatalf("%d forms that close a false alarm", len(forms))
	}
	sent := f.fill(forms[0]) // nothing is typed
	tuned, err := c.desk.Exceptions(c.actorOf(t, "anna"), 1)
	if err != nil || len(tuned) == 0 {
		t.Fatal(tuned, err)
	}
	sent.Set("until", "86400")
	sent.Set("mute", "0") // a place in a list names nothing
	if got := f.do(http.MethodPost, "/incidents/1/triage", sent, nil); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "does not have the exception any more") {
		t.Errorf("an exception by its place: %d\n%s", got.code, middle(got.body))
	}
	sent.Set("mute", tuned[0].Key())
	if got := f.do(http.MethodPost, "/incidents/1/triage", sent, nil); got.code != http.StatusSeeOther || !strings.Contains(got.location, "false-alarm") {
		t.Fatalf("closing: %d to %q\n%s", got.code, got.location, got.body)
	}
	c.desk.Read(func(st *desk.State) {
		i := st.Incidents.Incidents[0]
		if !i.Closed || i.Verdict != "false" {
			t.Errorf("closed %v, verdict %q", i.Closed, i.Verdict)
		}
		if len(st.Tuning.Mutes) != 1 || st.Tuning.Mutes[0].Until.IsZero() {
			t.Errorf("exceptions: %+v", st.Tuning.Mutes)
		}
	})
}

// Given a false alarm whose alerts were erased, when an exception of it is sent, then it is refused: without a name it would keep the rule quiet for everybody. What was typed comes back.
func TestNoExceptionWithoutNames(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	if got := anna.post("/incidents/1/triage", "verdict", "false-alarm", "kind", "ours"); got.code != http.StatusSeeOther {
		t.Fatalf("closing: %d\n%s", got.code, middle(got.body))
	}
	tuned, err := c.desk.Exceptions(c.actorOf(t, "anna"), 1)
	if err != nil || len(tuned) == 0 || tuned[0].Address == "" {
		t.Fatalf("%+v, %v", tuned, err)
	}
	if page := anna.get("/incidents/1/triage"); !strings.Contains(page.body, "tune-"+tuned[0].Key()) {
		t.Errorf("the exception is not offered:\n%s", middle(page.body))
	}
	for _, a := range tuned[0].Alerts {
		if err := c.desk.EraseAlert(desk.Local("test"), a, "asked by the customer"); err != nil {
			t.Fatal(err)
		}
	}
	got := anna.post("/incidents/1/triage/tune", "exception", tuned[0].Key(), "until", "86400", "reason", "our nightly scan")
	if got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "cannot be read any more") || !strings.Contains(got.body, "our nightly scan") {
		t.Errorf("an exception that names nobody: %d\n%s", got.code, middle(got.body))
	}
	if page := anna.get("/incidents/1/triage"); strings.Contains(page.body, "tune-"+tuned[0].Key()) {
		t.Error("it is offered still, as one for everybody")
	}
	c.desk.Read(func(st *desk.State) {
		if len(st.Tuning.Mutes) != 0 {
			t.Errorf("muted: %+v", st.Tuning.Mutes)
		}
	})
}

// Given a file, when it is brought as evidence and opened, then it is what was brought, it is downloaded and never shown, and both stand in its custody.
func TestEvidence(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	bring := func(file string, fields ...string) answer {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for k := 0; k+1 < len(fields); k += 2 {
			if err := w.WriteField(fields[k], fields[k+1]); err != nil {
				t.Fatal(err)
			}
		}
		if file != "" {
			part, err := w.CreateFormFile("file", "page.html")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := part.Write([]byte(file)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return anna.sendBody("/incidents/1/files", w.FormDataContentType(), &body)
	}
	if got := bring("", "kind", "document", "from", "the payment page"); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Choose a file.") || !strings.Contains(got.body, `value="the payment page"`) {
		t.Errorf("without a file: %d", got.code)
	}
	if got := bring("", "kind", "document", "from", "x", "step", "7/look"); !strings.Contains(got.body, `name="step" value="7/look"`) {
		t.Error("a mistake forgets for which step the file is")
	}
	if got := bring("x", "kind", "document"); got.code != http.StatusUnprocessableEntity {
		t.Errorf("without an origin: %d", got.code)
	}
	if got := bring("<script>alert(1)</script>", "kind", "document", "from", "the payment page", "why", "first proof"); got.code != http.StatusSeeOther {
		t.Fatalf("bringing: %d\n%s", got.code, got.body)
	}
	got := anna.post("/incidents/1/files/1/read", "why", "I compare")
	if got.code != http.StatusOK || got.body != "<script>alert(1)</script>" || got.header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("opening: %d, %v, %q", got.code, got.header, got.body)
	}
	if page := anna.get("/incidents/1/files").body; !strings.Contains(page, "looked at") || !strings.Contains(page, "I compare") || !strings.Contains(page, "whole whenever somebody looked") {
		t.Error("the page does not show its custody")
	}
	if err := c.desk.SetLabel(desk.Actor(mustPerson(t, c, "anna")), 1, "", "RED", ""); err != nil {
		t.Fatal(err)
	}
	if got := anna.post("/incidents/1/files/1/read", "why", "again"); got.code != http.StatusUnprocessableEntity {
		t.Errorf("what is RED is handed out: %d", got.code)
	}
}

// Given the plan, when somebody changes a playbook in the console, then mistakes are shown at their lines, the change waits for another person, who sees what differs,
// and once they agree it stands.
func TestChangingThePlan(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, boring(), nil, planned).staffed(t)
	anna := c.as(t, "anna")
	text, before := "", ""
	for _, b := range c.desk.Playbooks() {
		if b.ID == "lost-device" {
			raw, err := c.desk.PlaybookText(b.Revision)
			if err != nil {
				t.Fatal(err)
			}
			text, before = string(raw), b.Revision
		}
	}
	if got := anna.post("/plan/lost-device/edit", "before", before, "text", strings.Replace(text, "role: ", "role: boss-", 1), "reason", "x"); got.code != http.StatusOK || !strings.Contains(got.body, "Line ") || !strings.Contains(got.body, "It cannot be used yet") {
		t.Errorf("the check of a mistake: %d", got.code)
	}
	changed := strings.Replace(text, "title: ", "title: Anew, ", 1)
	if got := anna.post("/plan/lost-device/edit", "before", before, "text", changed, "deed", "propose"); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Anew, ") {
		t.Errorf("without a reason: %d", got.code)
	}
	got := anna.post("/plan/lost-device/edit", "before", before, "text", changed, "deed", "propose", "reason", "a better title")
	if got.code != http.StatusSeeOther || !strings.HasPrefix(got.location, "/proposals/") {
		t.Fatalf("proposing: %d to %q\n%s", got.code, got.location, got.body)
	}
	path, _, _ := strings.Cut(got.location, "?")
	if page := anna.get(path).body; strings.Contains(page, "I agree") || !strings.Contains(page, "You proposed it") {
		t.Error("who proposed it can agree to it")
	}
	second := c.as(t, plan.Analyst)
	if page := second.get(path).body; !strings.Contains(page, "I agree") || !strings.Contains(page, "Anew, ") || !strings.Contains(page, "a better title") {
		t.Errorf("the second does not see what changes:\n%s", page)
	}
	p := desk.Actor(mustPerson(t, c, plan.Analyst))
	p.Via = "s2"
	if err := c.desk.Approve(p, approvalOf(path), true, ""); err != nil {
		t.Fatal(err)
	}
	c.until(t, "the revision stands", func(st *desk.State) bool { return st.Runs.Books["lost-device"].Current() != before })
	if page := anna.get("/plan/lost-device").body; !strings.Contains(page, "Anew, ") || !strings.Contains(page, "The analyst") {
		t.Error("the page does not show the revision and who agreed")
	}
	if got := anna.post("/plan/lost-device/edit", "before", before, "text", changed, "deed", "propose", "reason", "late"); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Meanwhile somebody else wrote") {
		t.Errorf("a change of what does not stand any more: %d", got.code)
	}
	if out := anna.get("/plan/skimmer/export"); out.code != http.StatusOK || !strings.Contains(out.body, `"spec_version":"cacao-2.0"`) {
		t.Errorf("the export: %d", out.code)
	}
}

func approvalOf(path string) (n int64) {
	_, _ = fmt.Sscanf(path, "/proposals/%d", &n)
	return n
}
