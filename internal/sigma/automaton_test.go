package sigma

import (
	"regexp"
	"strings"
	"testing"
)

// sameAsRegexp holds an automaton of several expressions against package regexp.
func sameAsRegexp(t *testing.T, exprs []string, texts ...string) {
	t.Helper()
	a := newAutomaton(exprs)
	for _, text := range texts {
		if !a.run(text) {
			continue
		}
		for k, e := range exprs {
			if want := regexp.MustCompile(e).MatchString(text); a.matched[k] != want {
				t.Fatalf("%q in %q: the automaton says %v, regexp %v", e, text, a.matched[k], want)
			}
		}
	}
}

func TestAutomaton(t *testing.T) {
	exprs := []string{
		`abc`, `(?i)union\s+(?:all\s+)?select`, `^a.c$`, `(?m)^b$`, `\bid\b`, `\Bx`, `(?s)a.b`, `a.b`, `[^a-z]{3}`, `(?i)k`, `ſ`, `\d{2,4}-\d`, `(?:a|b)*c`,
		``, `$^`, `a{0}`, `[[:cntrl:]]`, `\x{fffd}`, `[\x80-\xff]`, `(?i)straße`, `.*x.*y`, `\z`, `\Ab`, `(a+)+$`, `[^\n]*;`, `\pL\PL`,
	}
	texts := []string{
		"", "abc", "xabcx", "UNION  all\tSELECT", "a\nc", "abc\nb\nz", "b", "an id here", "idx", "ax", "a\nb", "a-b", "12-3", "K", "\u212a", "s", "\u017f",
		"\xff", "\xc3", "é", "STRASSE", "STRAẞE", "aaaaaaaaaaaaaaaaaaaaab", "x\ny", "x;\n", "a1", "日本", "\x00\x01", "ab\x80c", "b\n", "\n", "..1...",
	}
	sameAsRegexp(t, exprs, texts...)
	for _, e := range exprs {
		sameAsRegexp(t, []string{e}, texts...)
	}
}

// A text that would make many states is given up, not paid for.
func TestAutomatonGivesUp(t *testing.T) {
	a := newAutomaton([]string{`a[ab]{30}c`})
	var b strings.Builder
	for x := uint32(1); b.Len() < 200_000; x = x*1664525 + 1013904223 {
		b.WriteByte("ab"[x>>31])
	}
	if a.run(b.String()) {
		t.Log("it did not need to")
	}
	if len(a.states) > maxStates+1 {
		t.Errorf("%d states", len(a.states))
	}
	if !a.run("ab") || a.matched[0] || a.gaveUp {
		t.Error("it should be of use for the next text")
	}
}

// The law of the automaton: it says what regexp says.
func FuzzAutomaton(f *testing.F) {
	for _, s := range [][3]string{
		{`(?i)union\s+(?:all\s+)?select`, `\bor\b`, "x' UNION  ALL SELECT or"}, {`^a|b$`, `(?m)^c$`, "a\nc\nb"}, {`[^\x00-\x7f]`, `(?i)[k-ſ]`, "\u212A\xff"},
		{`a{2,5}`, `(?s).{3}`, "aaaa"}, {`\B.\b`, `$`, "ab c"}, {`x*`, `[^x]`, "xxy"},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, one, two, text string) {
		for _, e := range []string{one, two} {
			if _, err := regexp.Compile(e); err != nil || len(e) > 200 {
				return
			}
		}
		if len(text) < 2000 {
			sameAsRegexp(t, []string{one, two}, text, text)
		}
	})
}

func BenchmarkAutomaton(b *testing.B) {
	exprs := []string{`(?i)\bunion\b.{0,20}\bselect\b`, `(?i)[\s;'"(]or\s+\d+\s*=\s*\d+`, `<[a-z]+[^>]*\son\w+\s*=`, `\.\./`, `(?i)\$\{\s*jndi`}
	text := "/shop/product-view.php?pid=417&ref=category%2Fshoes&page=3&sort=price"
	b.Run("automaton", func(b *testing.B) {
		a := newAutomaton(exprs)
		for b.Loop() {
			a.run(text)
		}
	})
	b.Run("regexp", func(b *testing.B) {
		var all []*regexp.Regexp
		for _, e := range exprs {
			all = append(all, regexp.MustCompile(e))
		}
		for b.Loop() {
			for _, re := range all {
				re.MatchString(text)
			}
		}
	})
}
