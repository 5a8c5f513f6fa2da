package web

import (
	"net/http"
	"strings"
	"testing"
)

// Given rules of a person with a mistake in one of them, when they are sent, then the form comes back open, with every rule as it was typed.
func TestRulesComeBackAsTyped(t *testing.T) {
	c := quiet(t)
	got := c.as(t, "anna").post("/people/anna/ways", "quiet-from", "22:15", "quiet-until", "06:45", "channel.0", "mail", "after.0", "soon", "from.0", "08:10", "until.0", "19:20", "severities.0", "high",
		"channel.1", "console", "after.1", "7")
	if got.code != http.StatusUnprocessableEntity {
		t.Fatalf("%d to %q", got.code, got.location)
	}
	_, form, _ := strings.Cut(got.body, `action="/people/anna/ways"`)
	for _, want := range []string{`value="22:15"`, `value="06:45"`, `value="soon"`, `value="08:10"`, `value="19:20"`, `value="7"`, `value="mail" selected`, `value="high" checked`} {
		if !strings.Contains(form, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
}
