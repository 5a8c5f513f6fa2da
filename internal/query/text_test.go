package query_test

import (
	"strings"
	"testing"

	"tocsin/internal/query"
	"tocsin/internal/record"

	"pgregory.net/rapid"
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
			if got, want := e.MatchValue(v), e.Regex.MatchString(line); got != want {
				t.Errorf("/%s/i of %q is %v, want %v; it needs one of %q", text, line, got, want, e.Needs())
			}
		}
		if e, err := query.Fits(query.Raw, text, ""); err == nil {
			if got, want := e.MatchValue(v), e.Regex.MatchString(line); got != want {
				t.Errorf("/%s/ of %q is %v, want %v; it needs one of %q", text, line, got, want, e.Needs())
			}
		}
	})
}

// Given expressions and lines of few letters, so that they match often, when a leaf says what it needs, then it still matches what the expression does.
func TestNeedsAgreeWithTheExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "k", "K", "ſ", "S", "\u212a", ".", "[ab]", "[^a]", "(a|bk)", "(?:ab|a|)", "(?i:ks)", "a?", "(ab)+", "b*", "a{2,3}", "(bk){0,2}", "|", "^", "$", `\b`, `\xff`}), 1, 6)
		line := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "k", "K", "s", "S", "ſ", "\u212a", " ", "\xff", "A", "B"}), 0, 8).Draw(t, "line"), "")
		e, err := query.Fits(query.Raw, strings.Join(pieces.Draw(t, "expression"), ""), rapid.SampledFrom([]string{"", "i"}).Draw(t, "flags"))
		if err != nil {
			t.Skip()
		}
		if got, want := e.MatchValue(record.Text(line)), e.Regex.MatchString(line); got != want {
			t.Fatalf("%s of %q is %v, want %v; it needs one of %q", e, line, got, want, e.Needs())
		}
	})
}
