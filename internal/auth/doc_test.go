package auth

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of doc/rights.md anew")

// TestDocument holds the table of doc/rights.md against the code.
func TestDocument(t *testing.T) {
	const name, begin, end = "../../doc/rights.md", "<!-- table: go test ./internal/auth -update -->\n", "<!-- end of table -->"
	roles := []string{"commander", "engineer", "analyst", "legal", "communications", "administrator", "reader", "auditor", "reporter"}
	var b strings.Builder
	b.WriteString("| action | may | " + strings.Join(roles, " | ") + " | two persons |\n|" + strings.Repeat("---|", len(roles)+3) + "\n")
	yes := map[bool]string{true: "yes", false: "–"}
	for _, r := range Table() {
		b.WriteString("| `" + string(r.Action) + "` | " + r.Words)
		for _, role := range roles {
			b.WriteString(" | " + yes[slices.Contains(r.Roles, role)])
		}
		b.WriteString(" | " + yes[r.Two] + " |\n")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	table, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has no place for the table", name)
	}
	if table == b.String() {
		return
	}
	if !*update {
		t.Fatalf("the table of %s is not that of the code: go test ./internal/auth -update", name)
	}
	if err := os.WriteFile(name, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
