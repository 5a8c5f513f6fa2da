package web

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// textOf is the text and the revision of a playbook that stands.
func (c *console) textOf(t *testing.T, id string) (text, revision string) {
	t.Helper()
	for _, b := range c.desk.Playbooks() {
		if b.ID == id {
			raw, err := c.desk.PlaybookText(b.Revision)
			if err != nil {
				t.Fatal(err)
			}
			return string(raw), b.Revision
		}
	}
	t.Fatalf("there is no playbook %s", id)
	return "", ""
}

// Given a playbook that is edited, when its text names another one, or a new one names one that there is, then nothing is proposed, however often it is sent, and what
// was typed stands in the form.
func TestAPlaybookOverwritesNoOther(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, boring(), nil, planned).staffed(t)
	anna := c.as(t, "anna")
	text, before := c.textOf(t, "lost-device")
	_, other := c.textOf(t, "skimmer")
	text = strings.Replace(text, "playbook: lost-device", "playbook: skimmer", 1)
	for path, seen := range map[string][]string{"/plan/lost-device/edit": {before, other}, "/plan/new/edit": {"", other}} {
		for _, x := range seen { // as the page came, and as it came back when another was first
			got := anna.post(path, "before", x, "text", text, "deed", "propose", "reason", "mine")
			if got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "playbook: skimmer") || !strings.Contains(got.body, "skimmer") || strings.Contains(got.body, `name="before" value="`+other) && x != other {
				t.Errorf("%s, before %.8q: %d to %q", path, x, got.code, got.location)
			}
		}
	}
	if a := c.desk.Approvals(c.actorOf(t, "anna"), 10); len(a) > 0 {
		t.Errorf("%d changes wait", len(a))
	}
}

// Given a file of CACAO with what our format has no place for, when it is imported, checked, sent back and proposed, then each page names that, to whoever agrees, too;
// and who agrees to a new playbook sees all of it.
func TestWhatAnImportLeavesOutIsSaid(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, boring(), nil, planned).staffed(t)
	anna := c.as(t, "anna")
	raw, err := os.ReadFile("../cacao/testdata/everything.json")
	if err != nil {
		t.Fatal(err)
	}
	page := anna.post("/plan/import", "text", string(raw))
	doc, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	areas := elements(doc, func(n *html.Node) bool {
		name, _ := attribute(n, "name")
		return n.Data == "textarea" && name == "text"
	})
	if len(areas) != 1 || areas[0].FirstChild == nil {
		t.Fatalf("%d texts of a playbook: %s", len(areas), middle(page.body))
	}
	x := url.Values{"text": {areas[0].FirstChild.Data}, "from": {hiddenField(t, page.body, "from")}}
	for _, deed := range []string{"", "propose"} {
		got := anna.post("/plan/new/edit", "text", x.Get("text"), "from", x.Get("from"), "before", x.Get("before"), "deed", deed)
		for _, want := range []string{"nobody verified", "/revoked"} {
			if !strings.Contains(page.body, want) || !strings.Contains(got.body, want) {
				t.Errorf("%q is not said of %s", want, deed)
			}
		}
	}
	got := anna.post("/plan/new/edit", "text", x.Get("text"), "from", x.Get("from"), "before", x.Get("before"), "deed", "propose", "reason", "of a friend")
	path, _, _ := strings.Cut(got.location, "?")
	if !strings.HasPrefix(path, "/proposals/") {
		t.Fatalf("%d to %q", got.code, got.location)
	}
	second := c.as(t, plan.Analyst).get(path).body
	for _, want := range []string{"nobody verified", "/revoked", "Do it", "By hand, for it is not run here", "I agree"} {
		if !strings.Contains(second, want) {
			t.Errorf("who agrees does not read %q", want)
		}
	}
}

// Given a playbook with two revisions, when the page of the older one is left by its export, then the older one is exported.
func TestAnOlderRevisionIsExported(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, boring(), nil, planned).staffed(t)
	anna := c.as(t, "anna")
	text, before := c.textOf(t, "lost-device")
	if err := c.desk.PutPlaybook(desk.Local("test"), desk.PlaybookChange{Text: []byte(strings.Replace(text, "title: ", "title: Anew, ", 1)), Before: before, From: "file", Why: "x"}); err != nil {
		t.Fatal(err)
	}
	at := "/plan/lost-device/export?revision=" + before
	if page := anna.get("/plan/lost-device?revision=" + before).body; !strings.Contains(page, `href="`+at+`"`) {
		t.Error("the page of the older revision leads to the export of another")
	}
	if old, now := anna.get(at).body, anna.get("/plan/lost-device/export").body; strings.Contains(old, "Anew, ") || !strings.Contains(now, "Anew, ") {
		t.Error("the export is of another revision")
	}
}
