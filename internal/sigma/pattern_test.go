package sigma

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// checkPattern compares a pattern's answer with that of a regular expression made from its marks.
func checkPattern(t interface {
	Fatalf(string, ...any)
}, text, s string) {
	p := parsePattern(text, false)
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for _, m := range p.marks {
		switch m.kind {
		case literal:
			b.WriteString(regexp.QuoteMeta(Fold(m.text)))
		case anyRun:
			b.WriteString(`.*`)
		case anyOne:
			b.WriteString(`.`)
		}
	}
	b.WriteString(`$`)
	if !utf8.ValidString(text) || !utf8.ValidString(s) || len(text)+len(s) > 1000 {
		return // regexp refuses such a pattern, or counts broken bytes as it likes
	}
	want := regexp.MustCompile(b.String()).MatchString(Fold(s))
	p.compile(false)
	v := subject{}
	v.value.Text = s
	if got := v.fits(&p); got != want {
		t.Fatalf("pattern %q, text %q: %v, the regular expression %s says %v", text, s, got, b.String(), want)
	}
}

func TestPatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune(`aAbkK*?\\\u212aé`)), 0, 8, -1).Draw(t, "pattern")
		s := rapid.StringOfN(rapid.SampledFrom([]rune("aAbkK*?\\\u212aéÉ\n")), 0, 10, -1).Draw(t, "text")
		checkPattern(t, text, s)
	})
}

func TestFold(t *testing.T) {
	for _, c := range [][2]string{{"ABC", "abc"}, {"K\u212a", "kk"}, {"ſS", "ss"}, {"ÄÖß", "äöß"}, {"Σσς", "σσσ"}, {"\xff\xfe", "\xff\xfe"}} {
		if Fold(c[0]) != Fold(c[1]) || Fold(Fold(c[0])) != Fold(c[0]) {
			t.Errorf("%q and %q: %q, %q", c[0], c[1], Fold(c[0]), Fold(c[1]))
		}
	}
	if Fold("ß") == Fold("ss") {
		t.Error("simple folding keeps the number of characters")
	}
}
