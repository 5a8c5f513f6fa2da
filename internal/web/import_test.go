package web

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tocsin/internal/plan"
)

// Given a file that is called as a playbook of ours, when it is imported on the page, then it becomes another one, and the second person sees all of it and what the file says of itself.
func TestAnImportIsSeenWhole(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, boring(), nil, planned).staffed(t)
	anna := c.as(t, "anna")
	const file = `{"type":"playbook","spec_version":"cacao-2.0","id":"playbook--61a6c41e-6efc-4516-a242-dfbc5c89d562","name":"Lost device","signatures":[{}],"workflow_start":"s",` +
		`"workflow":{"s":{"type":"start","on_completion":"a"},"a":{"type":"action","name":"Ring the bell","commands":[{"type":"bash","command":"<script>alert(1)</script>"}],"on_completion":"e"},"e":{"type":"end"}}}`
	page := anna.post("/plan/import", "text", file)
	if page.code != http.StatusOK || !strings.Contains(page.body, "this one is called lost-device-2") || strings.Contains(page.body, "<script>alert") {
		t.Fatalf("%d\n%s", page.code, page.body)
	}
	area := regexp.MustCompile(`(?s)<textarea[^>]*name="text"[^>]*>\n?(.*?)</textarea>`).FindStringSubmatch(page.body)
	if area == nil {
		t.Fatalf("no text on\n%s", page.body)
	}
	text := strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&#43;", "+", "&amp;", "&").Replace(area[1])
	got := anna.post("/plan/new/edit", "from", "cacao", "before", "", "text", text, "deed", "propose", "reason", "of a friend")
	path, _, _ := strings.Cut(got.location, "?")
	if got.code != http.StatusSeeOther || !strings.HasPrefix(path, "/proposals/") {
		t.Fatalf("proposing: %d to %q\n%s", got.code, got.location, got.body)
	}
	if page := c.as(t, plan.Analyst).get(path).body; !strings.Contains(page, "Ring the bell") || !strings.Contains(page, "nobody verified them") || !strings.Contains(page, "I agree") || strings.Contains(page, "<script>alert") {
		t.Errorf("the second person sees\n%s", page)
	}
}
