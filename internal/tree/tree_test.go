package tree

import (
	"strings"
	"testing"
)

func TestFaults(t *testing.T) {
	for name, x := range map[string]struct {
		text      string
		line, col int
		says      string
	}{
		"anchor":  {"a: &x 1\nb: *x\n", 1, 4, "anchors and aliases"},
		"tag":     {"a: 1\nb: !!str 1\n", 2, 4, "tags"},
		"twice":   {"a: 1\nb: 2\na: 3\n", 3, 1, "already defined"},
		"control": {"a: 1\nb: \x01\n", 2, 1, "control character U+0001"},
		"deep":    {strings.Repeat("- ", MaxNest+2) + "a\n", 1, 1, "nested too deeply"},
		"long":    {"a: " + strings.Repeat("x", MaxChunk) + "\n", 1, 1, "larger than"},
		"broken":  {"a: [1, 2\n", 1, 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, fault := Parse(Chunk{Text: x.text})
			if fault == nil {
				t.Fatal("taken")
			}
			if fault.Line != x.line || fault.Col != x.col || !strings.Contains(fault.Why, x.says) {
				t.Errorf("%d:%d %s; want %d:%d %s", fault.Line, fault.Col, fault.Why, x.line, x.col, x.says)
			}
		})
	}
}

func TestChunks(t *testing.T) {
	chunks := Chunks("a: 1\n---\nb: &x\n---\nc: 3\n")
	if len(chunks) != 3 {
		t.Fatalf("%d documents", len(chunks))
	}
	if _, fault := Parse(chunks[1]); fault == nil || fault.Line != 3 {
		t.Errorf("a fault in the second document: %+v; want line 3 of the file", fault)
	}
	third, fault := Parse(chunks[2])
	if fault != nil || third.Get("c").Text != "3" || third.Get("c").Kind != Number || third.Get("c").Line != 5 {
		t.Errorf("the third document: %+v, %v", third.Get("c"), fault)
	}
}

// FuzzParse: whatever comes, there is a tree or a fault, and every place lies within the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a: 1", "- a\n- {b: [c, 'd']}\n", "a: |\n  x\n  y\n", "? a\n: b", "a: \"\\x00\"", "---\n...\n", "a: *b", "<<: x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lines := strings.Count(s, "\n") + strings.Count(s, "\r") + 1
		for _, c := range Chunks(s) {
			root, fault := Parse(c)
			if fault != nil {
				if root != nil || fault.Why == "" || fault.Line < 1 || fault.Line > lines+1 || fault.Col < 1 {
					t.Fatalf("%+v with %v of %q", fault, root, s)
				}
				continue
			}
			walk(root, func(x *Tree) {
				if x.Line < 1 || x.Line > lines || x.Col < 1 || x.Kind == Map && len(x.Keys) != len(x.Values) {
					t.Fatalf("%+v in %q", x, s)
				}
			})
		}
	})
}

func walk(t *Tree, f func(*Tree)) {
	if t == nil {
		return
	}
	f(t)
	for _, x := range t.Keys {
		walk(x, f)
	}
	for _, x := range t.Values {
		walk(x, f)
	}
}
