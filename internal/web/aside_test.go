package web

import (
	"strings"
	"testing"
	"testing/fstest"

	"tocsin/internal/desk"
)

// A rule over its budget is set aside, and the console says so: among the problems, in the list of rules, and on the rule's page.
func TestARuleOverItsBudgetIsShown(t *testing.T) {
	const id = "5b9a11f0-0000-4000-8000-000000000013"
	set, err := desk.LoadRules(fstest.MapFS{"costly.yml": {Data: []byte(`title: Costly
id: ` + id + `
status: test
logsource: {category: webserver}
detection:
  s: {url.original|re: '(?:\w\d?\s?[a-f]?){400}'}
  condition: s
level: high
`)}})
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, attacks(), nil).staffed(t)
	anna := c.as(t, "anna")
	for path, want := range map[string]string{"/": id + " was set aside: over its budget", "/rules": "set aside", "/rules/" + id: "set aside"} {
		if body := anna.get(path).body; !strings.Contains(body, want) {
			t.Errorf("%s does not say %q:\n%.3000s", path, want, body)
		}
	}
}
