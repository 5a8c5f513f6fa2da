package query

import (
	"slices"
	"strings"
	"unicode"
)

// words are those that mean something where a term may stand; as texts to search for they are put in quotes.
var words = []string{"and", "or", "not", "in", "since", "until", "between", "on", "last"}

func isWord(s string) bool { return slices.Contains(words, strings.ToLower(s)) }

// nameRune reports whether a field's name may have c without quotes.
func nameRune(c rune, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '@':
		return true
	}
	return !first && (c >= '0' && c <= '9' || c == '.' || c == '-')
}

// bareName reports whether a field's name needs no quotes.
func bareName(s string) bool {
	for i, c := range s {
		if !nameRune(c, i == 0) {
			return false
		}
	}
	return s != "" && !isWord(s)
}

// quoted writes a text in quotes: a quote and a backslash in it have a backslash before them.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// plainText reports whether a text can be written without quotes wherever a text may stand.
func plainText(s string) bool {
	for i, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.':
		case i > 0 && (c == '-' || c == '/' || c == '@' || c == '%' || c == '+' || c == '*'):
		default:
			return false
		}
	}
	return s != "" && !isWord(s)
}

// escaped writes a text without quotes: what means something has a backslash before it.
func escaped(s string) string { return escapedPattern(glob{s}.pattern()) }

// escapedPattern does so with a pattern, whose "*", "\*" and "\\" stay.
func escapedPattern(s string) string {
	var b strings.Builder
	pair := false
	for _, c := range s {
		switch {
		case pair:
			pair = false
		case c == '\\':
			pair = true
		case c != '*' && (unicode.IsSpace(c) || isQuote(c) || strings.ContainsRune(escapable, c)):
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
