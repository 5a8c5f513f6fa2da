package sigma

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// trees draws any YAML that a document can hold.
func trees(t *rapid.T, depth int) *tree {
	kinds := []kind{kindNull, kindBool, kindNumber, kindText, kindText}
	if depth > 0 {
		kinds = append(kinds, kindList, kindMap)
	}
	x := &tree{kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
	switch x.kind {
	case kindBool:
		x.text = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
	case kindNumber:
		x.text = rapid.SampledFrom([]string{"0", "-1", "007", "0x1F", "0o17", "1.50", ".5", "+3", "9223372036854775807"}).Draw(t, "number")
	case kindText:
		x.text = texts(t)
	case kindList:
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			x.items = append(x.items, trees(t, depth-1))
		}
	case kindMap:
		for range rapid.IntRange(0, 3).Draw(t, "keys") {
			if k := texts(t); x.get(k) == nil {
				x.keys = append(x.keys, &tree{kind: kindText, text: k})
				x.items = append(x.items, trees(t, depth-1))
			}
		}
	}
	return x
}

func texts(t *rapid.T) string {
	if rapid.Bool().Draw(t, "any") {
		return strings.ToValidUTF8(rapid.String().Draw(t, "text"), "?")
	}
	return rapid.SampledFrom([]string{
		"", " ", "~", "null", "true", "No", "1", "0x1", "1e3", "-", "- a", "a: b", "a #b", "#", "'", "\"", "\\", "\\x41", "*", "&a", "!t", "%d", "@x",
		"`", "|", ">", "---", "...", "a\nb", "\n", "a\n", "\ta", "a ", "[", "{a: b}", "<<", "?", "? a", ":", "=", "2026-11-09", ".inf", ".NaN", "+1", "0777", "1_000",
		"\u2028", "\u0085", "\ufeff", "\u00a0", "\U0001F600", "é", "\x00", "\x7f", "\u200b", "\U000E0001", "a\u00a0", "\r", "a\r\nb",
	}).Draw(t, "text")
}

func alike(a, b *tree) bool {
	if a.kind != b.kind || a.text != b.text || len(a.items) != len(b.items) || len(a.keys) != len(b.keys) {
		return false
	}
	for i := range a.keys {
		if a.keys[i].text != b.keys[i].text {
			return false
		}
	}
	for i := range a.items {
		if !alike(a.items[i], b.items[i]) {
			return false
		}
	}
	return true
}

// TestPrintedTreesReadBack: whatever a document holds, what is printed is read back as it was.
func TestPrintedTreesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &tree{kind: kindMap, keys: []*tree{{kind: kindText, text: "custom"}}, items: []*tree{trees(t, 3)}}
		text := Document{Rule: &Rule{Meta: Meta{root: want}}}.Print()
		got, err := parseTree("f.yml", chunk{text: string(text)})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !alike(want, got) {
			t.Fatalf("printed:\n%s\nread back:\n%s", text, Document{Rule: &Rule{Meta: Meta{root: got}}}.Print())
		}
	})
}
