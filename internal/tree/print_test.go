package tree

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// trees draws any YAML that a document can hold.
func trees(t *rapid.T, depth int) *Tree {
	kinds := []Kind{Null, Bool, Number, Text, Text}
	if depth > 0 {
		kinds = append(kinds, List, Map)
	}
	x := &Tree{Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
	switch x.Kind {
	case Bool:
		x.Text = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
	case Number:
		x.Text = rapid.SampledFrom([]string{"0", "-1", "007", "0x1F", "0o17", "1.50", ".5", "+3", "9223372036854775807"}).Draw(t, "number")
	case Text:
		x.Text = texts(t)
	case List:
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			x.Values = append(x.Values, trees(t, depth-1))
		}
	case Map:
		for range rapid.IntRange(0, 3).Draw(t, "keys") {
			if k := texts(t); x.Get(k) == nil {
				x.Keys = append(x.Keys, &Tree{Kind: Text, Text: k})
				x.Values = append(x.Values, trees(t, depth-1))
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
		"`", "|", ">", "---", "...", "a\nb", "a\nb\n", "a\n\n  b # c\n", "a\nb\n\n", " a\nb", "a \nb", "- a\nb: c", "\n", "a\n", "\ta", "a ", "[", "{a: b}", "<<", "?", "? a", ":", "=", "2026-11-09", ".inf", ".NaN", "+1", "0777", "1_000",
		"\u2028", "\u0085", "\ufeff", "\u00a0", "\U0001F600", "é", "\x00", "\x7f", "\u200b", "\U000E0001", "a\u00a0", "\r", "a\r\nb",
	}).Draw(t, "text")
}

func alike(a, b *Tree) bool {
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Values) != len(b.Values) || len(a.Keys) != len(b.Keys) {
		return false
	}
	for i := range a.Keys {
		if a.Keys[i].Text != b.Keys[i].Text {
			return false
		}
	}
	for i := range a.Values {
		if !alike(a.Values[i], b.Values[i]) {
			return false
		}
	}
	return true
}

// TestPrintedTreesReadBack: whatever a document holds, what is printed is read back as it was.
func TestPrintedTreesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &Tree{Kind: Map, Keys: []*Tree{{Kind: Text, Text: "custom"}}, Values: []*Tree{trees(t, 3)}}
		text := want.Print()
		got, err := Parse(Chunk{Text: text})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !alike(want, got) {
			t.Fatalf("printed:\n%s\nread back:\n%s", text, got.Print())
		}
	})
}
