package sigma

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A mark is one piece of a text pattern.
type mark struct {
	kind markKind
	text string // of a literal
}

type markKind uint8

const (
	literal markKind = iota
	anyRun           // "*": any run of characters, also none
	anyOne           // "?": one character
	anyDash          // of windash: one of - / – — ―
)

// A pattern is a text with wildcards. The zero pattern matches the empty text only.
type pattern struct {
	marks []mark
	cased bool
	shape shape
	need  string // the literal of a simple shape, folded unless cased
	pairs pairs  // of need; empty for a glob
}

// A shape is a form of pattern that a function of package strings answers by itself.
type shape uint8

const (
	exact    shape = iota // literal
	prefix                // literal *
	suffix                // * literal
	contains              // * literal *
	anything              // *
	glob                  // any other
)

// parsePattern reads a value of a rule. With percent, "\%" is a percent sign too (modifier expand).
func parsePattern(s string, percent bool) pattern {
	var p pattern
	var lit strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (strings.IndexByte(`*?\`, s[i+1]) >= 0 || percent && s[i+1] == '%'):
			i++
			lit.WriteByte(s[i])
		case c == '*' || c == '?':
			p.add(lit.String())
			lit.Reset()
			p.wild(c)
		default:
			lit.WriteByte(c)
		}
	}
	p.add(lit.String())
	return p
}

// plain is a pattern of one literal, without wildcards.
func plain(s string) pattern {
	var p pattern
	p.add(s)
	return p
}

func (p *pattern) add(lit string) {
	if lit != "" {
		p.marks = append(p.marks, mark{literal, lit})
	}
}

func (p *pattern) wild(c byte) {
	if c == '?' {
		p.marks = append(p.marks, mark{kind: anyOne})
	} else if n := len(p.marks); n == 0 || p.marks[n-1].kind != anyRun {
		p.marks = append(p.marks, mark{kind: anyRun})
	}
}

// open puts "*" before and behind the pattern.
func (p *pattern) open(before, behind bool) {
	if before && (len(p.marks) == 0 || p.marks[0].kind != anyRun) {
		p.marks = append([]mark{{kind: anyRun}}, p.marks...)
	}
	if behind && (len(p.marks) == 0 || p.marks[len(p.marks)-1].kind != anyRun) {
		p.marks = append(p.marks, mark{kind: anyRun})
	}
}

// bare returns the text of a pattern without wildcards.
func (p pattern) bare() (string, bool) {
	switch {
	case len(p.marks) == 0:
		return "", true
	case len(p.marks) == 1 && p.marks[0].kind == literal:
		return p.marks[0].text, true
	}
	return "", false
}

// dashes lets each dash or slash that stands before a word, and not behind one, be any of them (modifier windash).
func (p *pattern) dashes() {
	var out []mark
	for _, m := range p.marks {
		if m.kind != literal {
			out = append(out, m)
			continue
		}
		from, before := 0, ' '
		for i, n := 0, 0; i < len(m.text); i += n {
			var c rune
			c, n = utf8.DecodeRuneInString(m.text[i:])
			next, _ := utf8.DecodeRuneInString(m.text[i+n:])
			option := strings.ContainsRune(windashes, c) && wordy(next) && !wordy(before)
			before = c
			if !option {
				continue
			}
			if i > from {
				out = append(out, mark{literal, m.text[from:i]})
			}
			out = append(out, mark{kind: anyDash})
			from = i + n
		}
		if from < len(m.text) {
			out = append(out, mark{literal, m.text[from:]})
		}
	}
	p.marks = out
}

// windashes are the characters that options of a command begin with: hyphen, slash, en dash, em dash, horizontal bar.
const windashes = "-/–—―"

func wordy(c rune) bool {
	return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c)
}

// compile folds the literals and finds the shape. A pattern is not changed after it.
func (p *pattern) compile(cased bool) {
	p.cased = cased
	if !cased {
		marks := make([]mark, len(p.marks))
		for i, m := range p.marks {
			marks[i] = mark{m.kind, Fold(m.text)}
		}
		p.marks = marks
	}
	kinds := make([]markKind, len(p.marks))
	for i, m := range p.marks {
		kinds[i] = m.kind
		if m.kind == literal {
			p.need = m.text
		}
	}
	switch string(kindBytes(kinds)) {
	case "", "l":
		p.shape = exact
	case "l*":
		p.shape = prefix
	case "*l":
		p.shape = suffix
	case "*l*":
		p.shape = contains
	case "*":
		p.shape = anything
	default:
		p.shape = glob
		p.need = ""
	}
	p.pairs = pairsOf(Fold(p.need))
}

func kindBytes(kinds []markKind) []byte {
	out := make([]byte, len(kinds))
	for i, k := range kinds {
		out[i] = "l*?-"[k]
	}
	return out
}

// match reports whether the whole of s fits. s is folded unless the pattern is cased.
func (p *pattern) match(s string) bool {
	switch p.shape {
	case exact:
		return s == p.need
	case prefix:
		return strings.HasPrefix(s, p.need)
	case suffix:
		return strings.HasSuffix(s, p.need)
	case contains:
		return strings.Contains(s, p.need)
	case anything:
		return true
	}
	return matchMarks(p.marks, s)
}

// matchMarks tries the marks in order; at a "*" it remembers where to go on when what follows does not fit, and only
// the last "*" ever needs to be tried again. Time is at most len(marks) * len(s).
func matchMarks(marks []mark, s string) bool {
	i, at := 0, 0
	star, from := -1, 0
	for {
		if i < len(marks) && marks[i].kind == anyRun {
			star, from = i, at
			i++
			continue
		}
		if i < len(marks) {
			if n, ok := step(marks[i], s[at:]); ok {
				i, at = i+1, at+n
				continue
			}
		} else if at == len(s) {
			return true
		}
		if star < 0 || from >= len(s) {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[from:])
		from += n
		i, at = star+1, from
	}
}

// pairs is a set of pairs of neighbouring bytes, hashed to 256 places. A text can hold a literal only when its set holds
// the literal's: that answers nearly every comparison without looking at the text. Both are made of folded text.
type pairs [4]uint64

func pairsOf(s string) pairs {
	var p pairs
	for i := 1; i < len(s); i++ {
		h := s[i-1]*29 + s[i]
		p[h>>6] |= 1 << (h & 63)
	}
	return p
}

// within reports whether every pair of p is in q.
func (p *pairs) within(q *pairs) bool {
	return p[0]&^q[0]|p[1]&^q[1]|p[2]&^q[2]|p[3]&^q[3] == 0
}

// step is how many bytes of s one mark takes.
func step(m mark, s string) (int, bool) {
	if m.kind == literal {
		return len(m.text), strings.HasPrefix(s, m.text)
	}
	c, n := utf8.DecodeRuneInString(s)
	if m.kind == anyDash {
		return n, n > 0 && strings.ContainsRune(windashes, c)
	}
	return n, n > 0
}

// Fold brings texts that differ in case only to one form: Unicode simple case folding, each character by itself.
// Bytes that are not UTF-8 stay as they are.
func Fold(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	b := make([]byte, 0, len(s)+4)
	b = append(b, s[:i]...)
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			b = append(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, c)
		} else {
			b = utf8.AppendRune(b, foldRune(r))
		}
		i += n
	}
	return string(b)
}

// foldRune returns the least character of those that r equals but for case; a letter of ASCII in lower case.
func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least >= 'A' && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}
