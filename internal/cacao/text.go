package cacao

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// short cuts a text that a finding repeats, and makes what nobody can see of it visible.
func short(s string) string {
	s = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '\ufffd'
		}
		return c
	}, s)
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:60]) + ellipsis
}

// clean makes a text one that a playbook takes: no signs that nobody can see, and at most so many characters. A text that is taken already stays as it is.
func clean(s string, most int) string {
	if len(s) > 4*most+1000 { // no more of it can stay
		s = strings.ToValidUTF8(s[:4*most+1000], "")
	}
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", "    ", "\u2028", "\n", "\u2029", "\n").Replace(s)
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || unicode.IsPrint(c):
			return c
		case unicode.IsSpace(c):
			return ' '
		}
		return -1
	}, s)
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most-1])) + ellipsis
}

// ellipsis stands where a text was cut.
const ellipsis = "…"

// cut reports whether clean made a text shorter, by its looks: blanks before the place are gone, too.
func cut(s string, most int) bool {
	return strings.HasSuffix(s, ellipsis) && utf8.RuneCountInString(s) > most-80
}

// line is clean, on one line.
func line(s string, most int) string {
	return clean(strings.Join(strings.Fields(clean(s, len(s)+8)), " "), most)
}

// slug makes a name of a text: small letters, digits and "-", at most 40; "" when nothing of it is left.
func slug(s string) string {
	var b strings.Builder
	gap := false
	for _, c := range strings.ToLower(s) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(c)
			continue
		}
		gap = true
	}
	out := b.String()
	if len(out) > 36 {
		out = strings.TrimRight(out[:36], "-")
	}
	return out
}

// A namer gives names that nobody else has.
type namer map[string]bool

// name is the slug of a text, with a number behind it when somebody has it already.
func (n namer) name(text, standard string) string {
	base := slug(text)
	if base == "" {
		base = standard
	}
	out := base
	for i := 2; n[out]; i++ {
		out = fmt.Sprintf("%s-%d", base, i)
	}
	n[out] = true
	return out
}
