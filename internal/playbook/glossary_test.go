package playbook

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const words = `terms:
  - {word: web shell, also: [web shells], says: A foreign program.}
  - {word: shell, says: A place for commands.}
  - {word: DoS, also: [denial of service], says: Too many requests.}
  - {word: RPO, says: How much may be lost.}
  - {word: RTO, says: How long it may take.}
  - {word: TLP, also: ['TLP:RED'], says: How far it may go.}
  - {word: card testing, says: Stolen cards are tried.}
  - {word: Überwachung, says: Watching.}
  - {word: session, says: The time of being signed in.}
`

func glossary(t testing.TB, text string) *Glossary {
	t.Helper()
	g, findings := ReadGlossary("glossary.yaml", []byte(text))
	if g == nil {
		t.Fatalf("not taken: %v", findings)
	}
	return g
}

func TestFind(t *testing.T) {
	g := glossary(t, words)
	for text, want := range map[string][]string{
		"":                                   nil,
		"A Web Shell is more than a shell.":  {"Web Shell>web shell", "shell>shell"},
		"Web\n  shells, shells and webshell": {"Web\n  shells>web shell"},
		"los dos DoS, denial-of-service":     {"DoS>DoS", "denial-of-service>DoS"},
		"dos rpo":                            nil,
		"RPO/RTO: (RTO)":                     {"RPO>RPO", "RTO>RTO", "RTO>RTO"},
		"TLP:RED, TLP RED and TLP: RED":      {"TLP:RED>TLP", "TLP RED>TLP", "TLP>TLP"},
		"session.go a@session.org x_session": nil,
		"The session. Session's end":         {"session>session", "Session>session"},
		"ÜBERWACHUNG, überwachung":           {"ÜBERWACHUNG>Überwachung", "überwachung>Überwachung"},
		"card, testing; card - testing":      nil,
		"shell\xffshell":                     {"shell>shell", "shell>shell"},
		"shells":                             nil,
		"日本shell":                            nil,
	} {
		var got []string
		for _, f := range g.Find(text) {
			got = append(got, text[f.From:f.To]+">"+f.Term.Word)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q; want %q", text, got, want)
		}
	}
}

func TestGlossaryFindings(t *testing.T) {
	for name, x := range map[string]struct{ text, says string }{
		"empty":        {"", "0 documents"},
		"no terms":     {"terms: []", "terms is missing or empty"},
		"unknown key":  {"words: []", `has no key "words"`},
		"no meaning":   {"terms:\n  - word: shell", "says is missing"},
		"long meaning": {"terms:\n  - {word: shell, says: " + strings.Repeat("long ", 100) + "}", "read under stress"},
		"twice":        {"terms:\n  - {word: shell, says: One.}\n  - {word: hull, also: [Shell], says: Two.}", "there twice"},
		"twice itself": {"terms:\n  - {word: shell, also: [shell], says: One.}", "there twice"},
		"no word":      {"terms:\n  - {word: '---', says: One.}", "has 0 words"},
		"many words":   {"terms:\n  - {word: a b c d e f g, says: One.}", "has 7 words"},
		"bidi":         {"terms:\n  - {word: \"a \u202eb\", says: One.}", "nobody can see"},
		"two":          {"terms: []\n---\nterms: []\n", "2 documents"},
		"not YAML":     {"terms: [", "not YAML"},
		"too large":    {strings.Repeat("#", MaxFile+1), "larger than"},
	} {
		g, findings := ReadGlossary("g.yaml", []byte(x.text))
		if g != nil || !slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.String(), x.says) }) {
			t.Errorf("%s: %v; want %q", name, findings, x.says)
		}
	}
}

// TestShippedGlossary: each term is explained in one or two sentences, each of its forms is found whole, and the playbooks use many of them.
func TestShippedGlossary(t *testing.T) {
	text, err := os.ReadFile("../../plan/glossary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g := glossary(t, string(text))
	if len(g.Terms) < 80 {
		t.Errorf("%d terms", len(g.Terms))
	}
	for i, x := range g.Terms {
		if i > 0 && fold(g.Terms[i-1].Word) >= fold(x.Word) {
			t.Errorf("%q does not stand in the order of the alphabet", x.Word)
		}
		if n := strings.Count(x.Says+" ", ". "); !strings.HasSuffix(x.Says, ".") || n > 2 {
			t.Errorf("%s is explained in %d sentences: %q", x.Word, n, x.Says)
		}
		for _, s := range append([]string{x.Word}, x.Also...) {
			if f := g.Find("(" + s + ")"); len(f) != 1 || f[0].Term.Word != x.Word || f[0].To-f[0].From != len(s) {
				t.Errorf("%q is not found as %s: %v", s, x.Word, f)
			}
		}
	}
	used := map[string]bool{}
	for _, p := range shipped(t) {
		for _, s := range p.Steps {
			for _, f := range g.Find(strings.Join([]string{p.Summary, s.What, s.Why, s.How, s.Done}, "\n")) {
				used[f.Term.Word] = true
			}
		}
	}
	if len(used) < 35 {
		t.Errorf("the playbooks use %d of the terms only", len(used))
	}
}

// FuzzFind: what is found lies in the text, in its order, apart from each other, between word boundaries, and reads as a form of its term.
func FuzzFind(f *testing.F) {
	for _, s := range []string{"A web shell, a web\nshell.", "RPO/RTO", "TLP:RED", "shell\xff", "Überwachung\u0301 überwachung", "a.shell@b shell."} {
		f.Add(s)
	}
	g := glossary(f, words)
	f.Fuzz(func(t *testing.T, s string) {
		end := 0
		for _, x := range g.Find(s) {
			if x.From < end || x.To <= x.From || x.To > len(s) {
				t.Fatalf("%d to %d of %q, after %d", x.From, x.To, s, end)
			}
			end = x.To
			if before, _ := utf8.DecodeLastRuneInString(s[:x.From]); wordRune(before) {
				t.Fatalf("%q begins within a word of %q", s[x.From:x.To], s)
			}
			if behind, _ := utf8.DecodeRuneInString(s[x.To:]); wordRune(behind) {
				t.Fatalf("%q ends within a word of %q", s[x.From:x.To], s)
			}
			if !slices.ContainsFunc(append([]string{x.Term.Word}, x.Term.Also...), func(form string) bool {
				return slices.EqualFunc(wordsOf(form), wordsOf(s[x.From:x.To]), func(a, b word) bool { return a.folded == b.folded })
			}) {
				t.Fatalf("%q is no form of %s", s[x.From:x.To], x.Term.Word)
			}
			if again := g.Find(s[x.From:x.To]); len(again) != 1 || again[0].Term != x.Term {
				t.Fatalf("%q alone is %v", s[x.From:x.To], again)
			}
		}
	})
}

// FuzzGlossary: whatever a file holds, reading it ends, and what is refused is refused with words.
func FuzzGlossary(f *testing.F) {
	f.Add(words)
	f.Add("terms:\n  - {word: DoS, also: [dos], says: x}\n")
	f.Fuzz(func(t *testing.T, s string) {
		g, findings := ReadGlossary("g.yaml", []byte(s))
		if (g == nil) != (len(findings) > 0) {
			t.Fatalf("taken: %v, with %v", g != nil, findings)
		}
		if g != nil {
			for _, x := range g.Terms {
				if len(g.Find(x.Word)) == 0 {
					t.Fatalf("%q is not found in itself", x.Word)
				}
			}
		}
	})
}
