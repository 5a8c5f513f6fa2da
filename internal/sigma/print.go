package sigma

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Print writes a document as YAML: every key that it had, also those that this program does not know, in their order,
// without comments. Parsing what Print wrote gives the same document, but for places and Version.
func (d Document) Print() []byte {
	var b strings.Builder
	if m := d.Meta(); m != nil && m.root != nil {
		printMap(&b, m.root, 0, false)
	}
	return []byte(b.String())
}

// printMap writes the pairs of a map, each on lines of its own, indented by depth levels of two spaces; begun says that the
// first line is indented already.
func printMap(b *strings.Builder, t *tree, depth int, begun bool) {
	for i, k := range t.keys {
		if i > 0 || !begun {
			b.WriteString(strings.Repeat("  ", depth))
		}
		b.WriteString(quote(k.text))
		b.WriteByte(':')
		printValue(b, t.items[i], depth)
	}
}

// printValue writes what stands after "key:" or "-".
func printValue(b *strings.Builder, t *tree, depth int) {
	switch {
	case t.kind == kindMap && len(t.items) > 0:
		b.WriteByte('\n')
		printMap(b, t, depth+1, false)
	case t.kind == kindList && len(t.items) > 0:
		b.WriteByte('\n')
		for _, v := range t.items {
			b.WriteString(strings.Repeat("  ", depth+1))
			b.WriteByte('-')
			if v.kind == kindMap && len(v.items) > 0 {
				b.WriteByte(' ')
				printMap(b, v, depth+2, true)
				continue
			}
			printValue(b, v, depth+1)
		}
	default:
		b.WriteByte(' ')
		b.WriteString(scalar(t))
		b.WriteByte('\n')
	}
}

func scalar(t *tree) string {
	switch t.kind {
	case kindNull:
		return "null"
	case kindBool, kindNumber:
		return t.text
	case kindList:
		return "[]"
	case kindMap:
		return "{}"
	}
	return quote(t.text)
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
