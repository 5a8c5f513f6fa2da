package query_test

import (
	"strings"
	"testing"

	"tocsin/internal/query"
	"tocsin/internal/record"
)

// Whatever the text of a line, a search finds what is in the folded line, and patterns and needs agree with it.
func FuzzText(f *testing.F) {
	f.Add("Größe KELVIN \u212a ſ \xff", "kelvin k s")
	f.Add("wp-login.php", "WP-")
	f.Add("aaab", "AAB")
	f.Fuzz(func(t *testing.T, line, text string) {
		if len(line) > 1000 || len(text) > 1000 {
			return
		}
		v, low := record.Text(line), query.Folded(text)
		in := strings.Contains(query.Folded(line), low)
		if got := query.Holds(query.Raw, text).MatchValue(v); got != in {
			t.Errorf("Holds(%q) of %q is %v, want %v", text, line, got, in)
		}
		if got, want := query.Is(query.Raw, text).MatchValue(v), query.Folded(line) == low; got != want {
			t.Errorf("Is(%q) of %q is %v, want %v", text, line, got, want)
		}
		escaped := strings.NewReplacer(`\`, `\\`, "*", `\*`).Replace(text)
		if got := query.Like(query.Raw, "*"+escaped+"*").MatchValue(v); got != in {
			t.Errorf("Like(*%q*) of %q is %v, want %v", escaped, line, got, in)
		}
		if query.Folded(low) != low {
			t.Errorf("%q is folded twice", text)
		}
		if e, err := query.Fits(query.Raw, text, "i"); err == nil {
			if need := e.Needs(); need != nil && e.MatchValue(v) {
				found := false
				for _, s := range need {
					found = found || strings.Contains(query.Folded(line), s)
				}
				if !found {
					t.Errorf("/%s/i matches %q, but needs one of %q", text, line, need)
				}
			}
		}
	})
}
