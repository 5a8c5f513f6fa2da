package playbook

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/tree"
)

// Bounds of a glossary.
const (
	maxTerms = 500
	maxForms = 20 // words of the same meaning, of one term
	maxWords = 6  // of a form
	maxSays  = 300
)

// A Term is a word that a shop owner may not know.
type Term struct {
	Word string
	Also []string // other forms: plurals, short forms, other names
	Says string   // what it means, in a sentence or two
}

// A Glossary finds its terms in texts. It is not changed after it was read.
type Glossary struct {
	Terms []Term // in the order of the file

	forms map[string][]form // by first word, folded; those with the most words first
}

// A form is one way to write a term.
type form struct {
	term  int
	words []string // folded
	exact string   // of a form with capitals behind its first letter: only as written, so that DoS is not found in "dos"
}

// A Found is where a term stands in a text.
type Found struct {
	From, To int // bytes
	Term     *Term
}

// ReadGlossary reads a file with the one key terms: a list of word, also and says. It is nil when something in it cannot be understood.
func ReadGlossary(file string, data []byte) (*Glossary, []Finding) {
	r := &reader{file: file, p: &Playbook{place: map[string][2]int{}}}
	if len(data) > MaxFile {
		r.say(nil, "the file is larger than %d bytes: a glossary of this size is read by nobody", MaxFile)
		return nil, r.findings
	}
	chunks := tree.Chunks(strings.TrimPrefix(string(data), "\ufeff"))
	if len(chunks) != 1 {
		r.say(nil, "one glossary is wanted in the file, and there are %d documents", len(chunks))
		return nil, r.findings
	}
	root, fault := tree.Parse(chunks[0])
	if fault != nil {
		return nil, append(r.findings, Finding{File: file, Line: fault.Line, Column: fault.Col, Says: "this is not YAML as it is read here: " + fault.Why})
	}
	g := &Glossary{forms: map[string][]form{}}
	if r.keys(root, "a glossary", "terms") {
		list := r.list(root, "terms", maxTerms)
		if len(list) == 0 {
			r.say(root, "terms is missing or empty")
		}
		for _, t := range list {
			r.term(g, t)
		}
	}
	if len(r.findings) > 0 {
		return nil, r.findings
	}
	for _, f := range g.forms {
		slices.SortStableFunc(f, func(a, b form) int {
			return cmp.Or(len(b.words)-len(a.words), len(b.exact)-len(a.exact)) // as written before however it is written
		})
	}
	return g, nil
}

// term reads one term into g.
func (r *reader) term(g *Glossary, t *tree.Tree) {
	if !r.keys(t, "a term", "word", "also", "says") {
		return
	}
	x := Term{Word: r.text(t, "word", 60, true), Also: r.texts(t, "also", maxForms), Says: r.text(t, "says", maxSays, true)}
	for _, s := range append([]string{x.Word}, x.Also...) {
		f := form{term: len(g.Terms)}
		for _, w := range wordsOf(s) {
			f.words = append(f.words, w.folded)
		}
		if _, first := utf8.DecodeRuneInString(s); strings.IndexFunc(s[first:], unicode.IsUpper) >= 0 {
			f.exact = strings.Join(plain(s), " ")
		}
		if len(f.words) == 0 || len(f.words) > maxWords {
			r.say(t, "%q has %d words; a form of a term has 1 to %d", short(s), len(f.words), maxWords)
			continue
		}
		for _, old := range g.forms[f.words[0]] {
			if slices.Equal(old.words, f.words) && old.exact == f.exact {
				r.say(t, "%q is there twice: pages would not know what to show", short(s))
			}
		}
		g.forms[f.words[0]] = append(g.forms[f.words[0]], f)
	}
	g.Terms = append(g.Terms, x)
}

// Find returns where terms stand in a text, from its start to its end; they do not overlap, and of several that begin at one word the longest is
// taken. A term stands between word boundaries: letters, digits, marks and "_" of any script are one word, and so are names with "." or "@" in them
// (session.go, abuse@example.com). Capitals count only in forms that have them behind their first letter. Between the words of a form there may be
// spaces, a line's end, or one sign such as "-".
func (g *Glossary) Find(text string) (out []Found) {
	words := wordsOf(text)
	for i := 0; i < len(words); {
		n := 1
		for _, f := range g.forms[words[i].folded] {
			if len(f.words) <= len(words)-i && f.stands(text, words[i:i+len(f.words)]) {
				n = len(f.words)
				out = append(out, Found{words[i].from, words[i+n-1].to, &g.Terms[f.term]})
				break
			}
		}
		i += n
	}
	return out
}

// stands reports whether words of a text, which are as many as its own, are this form.
func (f form) stands(text string, words []word) bool {
	for i, w := range words {
		if w.folded != f.words[i] || i > 0 && !near(text[words[i-1].to:w.from]) {
			return false
		}
	}
	return f.exact == "" || f.exact == strings.Join(plain(text[words[0].from:words[len(words)-1].to]), " ")
}

// near reports whether what stands between two words lets them be one term.
func near(between string) bool {
	if strings.TrimSpace(between) == "" {
		return between != ""
	}
	return slices.Contains([]string{"-", "/", ":", "&", "'", "’", "‐", "‑"}, between)
}

// A word is a run of letters, digits, marks and "_" in a text.
type word struct {
	from, to int // bytes
	folded   string
}

// wordsOf cuts a text into words. What is joined by "." or "@" is one.
func wordsOf(s string) (out []word) {
	const joins = ".@"
	from := -1
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case wordRune(c):
			if from < 0 {
				from = i
			}
		case from >= 0 && strings.ContainsRune(joins, c):
			if next, _ := utf8.DecodeRuneInString(s[i+n:]); !wordRune(next) {
				out, from = append(out, word{from, i, fold(s[from:i])}), -1
			}
		case from >= 0:
			out, from = append(out, word{from, i, fold(s[from:i])}), -1
		}
		i += n
	}
	if from >= 0 {
		out = append(out, word{from, len(s), fold(s[from:])})
	}
	return out
}

func wordRune(c rune) bool {
	return c != utf8.RuneError && (c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c))
}

// fold makes words equal that differ in capitals only.
func fold(s string) string {
	return strings.Map(func(c rune) rune { return unicode.ToLower(unicode.ToUpper(c)) }, s)
}

// plain are the words of a text as they are written.
func plain(s string) (out []string) {
	for _, w := range wordsOf(s) {
		out = append(out, s[w.from:w.to])
	}
	return out
}
