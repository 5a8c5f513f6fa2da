package query_test

import (
	"os"
	"strings"
	"testing"

	"tocsin/internal/query"
)

// Given the page that teaches the language, when its examples are parsed, then each is read, and printed such that it is read again.
func TestManual(t *testing.T) {
	b, err := os.ReadFile("../../doc/search.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	parts := strings.Split(string(b), "```")
	for i := 1; i < len(parts); i += 2 {
		text := strings.TrimSpace(parts[i])
		q := parse(t, text)
		if again := parse(t, q.String()); !again.Same(q) {
			t.Errorf("%s\nis printed %s\nwhich is %s", text, q, again)
		}
		examples++
	}
	if examples < 21 {
		t.Errorf("only %d examples", examples)
	}
	// What stands in tables and sentences, as far as it is a query of itself.
	for _, text := range []string{`user=anna`, `user:anna`, `path=/wp-*`, `status=5xx`, `status!=200`, `not status=200`, `action in (login, logout)`, `user=(anna or bob)`, `user not in (anna, bob)`,
		`ip in (10.0.0.0/8, 2001:db8::/32)`, `net=203.0.113.7`, `path~login`, `agent~/curl|wget/`, `path!~login`, `bytes>10MB`, `duration>250ms`, `time<10:00`, `"usr"=x`, `"/admin/"`, `/union.*select/i`, `wp-*.php`} {
		if !strings.Contains(strings.ReplaceAll(string(b), `\|`, "|"), "`"+text+"`") {
			t.Errorf("the page does not have `%s`", text)
		}
		parse(t, text)
	}
	short, _, _ := strings.Cut(string(b)[strings.Index(string(b), "`ip user session"):], "`.")
	for _, name := range strings.Fields(strings.Trim(short, "`")) {
		if f, _ := query.FieldNamed(name); f.Place == query.PlaceOwn || f.String() != name {
			t.Errorf("the page calls %s a short name, and it is read as %s", name, f)
		}
	}
}
