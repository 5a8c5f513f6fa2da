package tree

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Print writes a map as YAML that reads back as the same, but for places.
func (t *Tree) Print() string {
	var b strings.Builder
	printMap(&b, t, 0, false)
	return b.String()
}

// printMap writes the pairs of a map, each on lines of its own, indented by depth levels of two spaces; begun says that the
// first line is indented already.
func printMap(b *strings.Builder, t *Tree, depth int, begun bool) {
	for i, k := range t.Keys {
		if i > 0 || !begun {
			b.WriteString(strings.Repeat("  ", depth))
		}
		b.WriteString(quote(k.Text))
		b.WriteByte(':')
		printValue(b, t.Values[i], depth)
	}
}

// printValue writes what stands after "key:" or "-".
func printValue(b *strings.Builder, t *Tree, depth int) {
	switch {
	case t.Kind == Map && len(t.Values) > 0:
		b.WriteByte('\n')
		printMap(b, t, depth+1, false)
	case t.Kind == List && len(t.Values) > 0:
		b.WriteByte('\n')
		for _, v := range t.Values {
			b.WriteString(strings.Repeat("  ", depth+1))
			b.WriteByte('-')
			if v.Kind == Map && len(v.Values) > 0 {
				b.WriteByte(' ')
				printMap(b, v, depth+2, true)
				continue
			}
			printValue(b, v, depth+1)
		}
	default:
		b.WriteByte(' ')
		if t.Kind == Text && printBlock(b, t.Text, depth+1) {
			return
		}
		b.WriteString(t.Scalar())
		b.WriteByte('\n')
	}
}

// printBlock writes a text of several lines as a literal block (YAML 1.2 section 8.1.2), where that reads back as the same.
func printBlock(b *strings.Builder, s string, depth int) bool {
	text, ended := strings.CutSuffix(s, "\n")
	lines := strings.Split(text, "\n")
	if len(lines) < 2 || strings.HasPrefix(lines[0], " ") || lines[0] == "" || lines[len(lines)-1] == "" {
		return false
	}
	for _, l := range lines {
		if strings.TrimRight(l, " ") != l || strings.ContainsFunc(l, func(c rune) bool { return !unicode.IsPrint(c) }) {
			return false
		}
	}
	b.WriteByte('|')
	if !ended {
		b.WriteByte('-')
	}
	b.WriteByte('\n')
	for _, l := range lines {
		if l != "" {
			b.WriteString(strings.Repeat("  ", depth))
		}
		b.WriteString(l)
		b.WriteByte('\n')
	}
	return true
}

// Scalar writes a value that stands on one line.
func (t *Tree) Scalar() string {
	switch t.Kind {
	case Null:
		return "null"
	case Bool, Number:
		return t.Text
	case List:
		return "[]"
	case Map:
		return "{}"
	}
	return quote(t.Text)
}

// quote writes a text so that YAML reads it back as that text: bare where that is safe, else in single quotes, else
// in double quotes with escapes.
func quote(s string) string {
	if bare(s) {
		return s
	}
	for _, c := range s {
		if !unicode.IsPrint(c) && c != ' ' {
			return double(s)
		}
	}
	if strings.TrimSpace(s) != s {
		return double(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func bare(s string) bool {
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || !(c >= '0' && c <= '9') && c != '-' && c != '.') {
			return false
		}
	}
	words := []string{"", "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
	return !slices.Contains(words, strings.ToLower(s))
}

func double(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < 0x100 && !unicode.IsPrint(c):
			fmt.Fprintf(&b, `\x%02x`, c)
		case c > 0xffff && !unicode.IsPrint(c):
			fmt.Fprintf(&b, `\U%08x`, c)
		case !unicode.IsPrint(c):
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
