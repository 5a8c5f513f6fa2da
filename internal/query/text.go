package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Folded brings texts that differ in case only to one form: Unicode simple case folding, each character by itself, as package
// sigma does it, so that a search finds what a rule finds. Bytes that are not UTF-8 stay as they are.
func Folded(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	out := append(make([]byte, 0, len(s)+4), s[:i]...)
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			out = append(out, s[i])
		case r >= 'A' && r <= 'Z':
			out = append(out, byte(r)+'a'-'A')
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		default:
			out = utf8.AppendRune(out, foldedRune(r))
		}
		i += n
	}
	return string(out)
}

// foldedRune returns the least of the characters that differ from r in case only; a letter of ASCII in lower case.
func foldedRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least >= 'A' && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// A glob is a text with wildcards: pieces between which anything may stand. The first piece begins the text and the last ends it,
// either may be empty. It has two pieces at least.
type glob []string

// globOf reads a pattern: "*" is any run of characters, "\*" and "\\" are the characters themselves. It returns the pieces as they
// stand, one when there is no wildcard.
func globOf(pattern string) glob {
	var g glob
	var piece strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern) && (pattern[i+1] == '*' || pattern[i+1] == '\\'):
			i++
			piece.WriteByte(pattern[i])
		case c == '*':
			if len(g) == 0 || piece.Len() > 0 {
				g = append(g, piece.String())
			}
			piece.Reset()
		default:
			piece.WriteByte(c)
		}
	}
	return append(g, piece.String())
}

// pattern writes the glob as globOf reads it.
func (g glob) pattern() string {
	out := make([]string, len(g))
	for i, p := range g {
		out[i] = strings.NewReplacer(`\`, `\\`, `*`, `\*`).Replace(p)
	}
	return strings.Join(out, "*")
}

// folded returns the glob with its pieces folded.
func (g glob) folded() glob {
	out := make(glob, len(g))
	for i, p := range g {
		out[i] = Folded(p)
	}
	return out
}

// fits reports whether the whole of s fits; both are folded. Each piece is looked for once, from where the last one ended, which
// is enough because the first place leaves the most room.
func (g glob) fits(s string) bool {
	first, last := g[0], g[len(g)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, p := range g[1 : len(g)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return true
}

// holds reports whether Folded(s) has a folded text in it. Nearly every text that is looked for is ASCII, and of other characters only "ſ" and the
// sign of Kelvin fold into ASCII, so the line need not be folded first.
func holds(s, folded string) bool {
	if folded == "" {
		return true
	}
	for i := range len(folded) {
		if folded[i] >= utf8.RuneSelf {
			return strings.Contains(Folded(s), folded)
		}
	}
	if foldsIntoASCII(s) {
		return strings.Contains(Folded(s), folded)
	}
	for i := 0; i+len(folded) <= len(s); i++ {
		if lower(s[i]) == folded[0] && sameASCII(s[i:i+len(folded)], folded) {
			return true
		}
	}
	return false
}

// is reports whether Folded(s) is a folded text.
func is(s, folded string) bool {
	if len(s) == len(folded) && sameASCII(s, folded) {
		return true
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return Folded(s) == folded
		}
	}
	return false
}

func foldsIntoASCII(s string) bool { return strings.Contains(s, "ſ") || strings.Contains(s, "\u212a") }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// sameASCII compares byte by byte; folded is, and both are of one length.
func sameASCII(s, folded string) bool {
	for i := range len(s) {
		if lower(s[i]) != folded[i] {
			return false
		}
	}
	return true
}
