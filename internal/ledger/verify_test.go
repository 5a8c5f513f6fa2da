package ledger

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// A damage is one way to tamper with a ledger; it returns the first bad entry, 0 when that is the head.
type damage struct {
	name string
	do   func(r *rand.Rand, entries, head []byte) (e, h []byte, first int64)
}

func flip(r *rand.Rand, b []byte) (out []byte, at int) {
	out = bytes.Clone(b)
	at = r.IntN(len(b))
	out[at] ^= 1 << r.IntN(8)
	return out, at
}

func damages() []damage {
	return []damage{
		{"one bit of the entries", func(r *rand.Rand, entries, head []byte) ([]byte, []byte, int64) {
			b, at := flip(r, entries)
			return b, head, countLines(entries[:at]) + 1
		}},
		{"one bit of the head", func(r *rand.Rand, entries, head []byte) ([]byte, []byte, int64) {
			b, _ := flip(r, head)
			return entries, b, 0
		}},
		{"entries removed", func(r *rand.Rand, entries, head []byte) ([]byte, []byte, int64) {
			lines := bytes.SplitAfter(entries[:len(entries)-1], []byte{'\n'})
			lines[len(lines)-1] = append(bytes.Clone(lines[len(lines)-1]), '\n')
			i := r.IntN(len(lines))
			j := i + 1 + r.IntN(min(3, len(lines)-i))
			return bytes.Join(slices.Delete(lines, i, j), nil), head, int64(i) + 1
		}},
		{"two entries swapped", func(r *rand.Rand, entries, head []byte) ([]byte, []byte, int64) {
			lines := bytes.SplitAfter(bytes.Clone(entries), []byte{'\n'})
			i, j := r.IntN(len(lines)-1), r.IntN(len(lines)-2)
			if j >= i {
				j++
			}
			lines[i], lines[j] = lines[j], lines[i]
			return bytes.Join(lines, nil), head, int64(min(i, j)) + 1
		}},
		{"an entry twice", func(r *rand.Rand, entries, head []byte) ([]byte, []byte, int64) {
			lines := bytes.SplitAfter(bytes.Clone(entries), []byte{'\n'})
			i := r.IntN(len(lines) - 2)
			return bytes.Join(slices.Insert(lines, i, lines[i+r.IntN(len(lines)-1-i)]), nil), head, 0
		}},
		{"entries cut", func(r *rand.Rand, entries, head []byte) ([]byte, []byte, int64) {
			n := r.IntN(len(entries))
			return bytes.Clone(entries[:n]), head, countLines(entries[:n]) + 1
		}},
		{"head cut", func(r *rand.Rand, entries, head []byte) ([]byte, []byte, int64) {
			return entries, bytes.Clone(head[:r.IntN(len(head))]), 0
		}},
	}
}

// Show 5 of the bell: 1,000 random changes of a ledger, 1,000 found, and the first bad entry is named.
func TestThousandChanges(t *testing.T) {
	k := testKey(t)
	l := disk.NewLossy()
	g := mustOpen(t, l, k)
	for i := range int64(60) {
		mustAppend(t, g, draft(i))
	}
	entries, head, tree := get(t, l, entriesName), get(t, l, headName), get(t, l, treeName)
	r := rand.New(rand.NewPCG(5, 2026))
	all := damages()
	counts := map[string]int{}
	kinds := map[FaultKind]int{}
	for i := range 1000 {
		d := all[i%len(all)]
		e, h, first := d.do(r, entries, head)
		if bytes.Equal(e, entries) && bytes.Equal(h, head) {
			t.Fatalf("%d: %s changed nothing", i, d.name)
		}
		if d.name == "an entry twice" { // where the copy is the entry itself, the next place is the first bad one
			first = 1
			for a, b := bytes.SplitAfter(e, []byte{'\n'}), bytes.SplitAfter(entries, []byte{'\n'}); bytes.Equal(a[first-1], b[first-1]); {
				first++
			}
		}
		bad := layerOf(t, e, h, tree)
		_, err := Verify(bad, "ledger", k.Public(), nil)
		fault, ok := err.(*Fault)
		if !ok {
			t.Fatalf("%d: %s was not found: %v", i, d.name, err)
		}
		if fault.Entry != first {
			t.Fatalf("%d: %s: the first bad entry is %d, said was: %v", i, d.name, first, err)
		}
		if (fault.Kind == Head) != (first == 0) {
			t.Fatalf("%d: %s: kind %s", i, d.name, fault.Kind)
		}
		if _, _, oerr := Open(bad, "ledger", k, func(entry.Entry) error { return nil }, Options{}); oerr == nil || oerr.Error() != err.Error() {
			t.Fatalf("%d: %s: Verify says %v, Open %v", i, d.name, err, oerr)
		}
		if _, err := Verify(layerOf(t, e, h, nil), "ledger", k.Public(), head); err == nil {
			t.Fatalf("%d: %s was not found without the tree file", i, d.name)
		}
		counts[d.name]++
		kinds[fault.Kind]++
	}
	t.Log(counts, kinds)
}

func TestVerifyWords(t *testing.T) {
	k := testKey(t)
	l := filled(t, 9)
	entries, head, tree := get(t, l, entriesName), get(t, l, headName), get(t, l, treeName)
	line := func(n int) string { return strings.SplitAfter(string(entries), "\n")[n-1] }
	swap := func(old, new string) []byte { return []byte(strings.Replace(string(entries), old, new, 1)) }
	missing := bytes.Clone(tree[:0])
	cases := []struct {
		name                string
		entries, head, tree []byte
		kind                FaultKind
		entry               int64
		text                string
	}{
		{"changed, still an entry", swap(`"subject":"4"`, `"subject":"7"`), head, tree, Changed, 5, "entry 5 of 9 was changed;"},
		{"changed, another number", swap(`{"n":5`, `{"n":6`), head, tree, Changed, 5, "its number is 6"},
		{"changed, no JSON", swap(line(5), "rubbish\n"), head, tree, Changed, 5, "it is not an entry: invalid character"},
		{"changed, unknown field", swap(`"subject":"4"`, `"\u001b[2J":"4"`), head, tree, Changed, 5, `it is not an entry: json: unknown field "\x1b[2J"`},
		{"two changed: the first is named", []byte(strings.Replace(string(swap(`"subject":"4"`, `"subject":"7"`)), `{"n":3`, `{"n":4`, 1)), head, tree, Changed, 3, "entry 3 of 9"},
		{"missing in the middle", swap(line(5), ""), head, tree, Missing, 5, "entry 5 is missing: entry 6 stands in its place"},
		{"missing at the end", swap(line(8)+line(9), ""), head, tree, Missing, 8, "entries 8 to 9 are missing at the end"},
		{"the last one missing", swap(line(9), ""), head, tree, Missing, 9, "entry 9, the last one, is missing"},
		{"cut off", entries[:len(entries)-1], head, tree, Missing, 9, "entry 9 of 9 is cut off"},
		{"the file missing", nil, head, tree, Missing, 1, "entries"},
		{"swapped", swap(line(3)+line(4), line(4)+line(3)), head, tree, Order, 3, "entry 4 stands in the place of entry 3"},
		{"twice", swap(line(5), line(3)+line(5)), head, tree, Order, 5, "entry 3 stands in the place of entry 5"},
		{"foreign line put in", swap(line(5), "{}\n"+line(5)), head, tree, Order, 5, "never signed stands in the place of entry 5"},
		{"far too long", swap(line(5), strings.Repeat("x", 2*MaxLine)+"\n"), head, tree, Changed, 5, "longer than"},
		{"head missing", entries, nil, tree, Head, 0, "the file head is missing, though there are entries"},
		{"head empty", entries, []byte{}, tree, Head, 0, "no signed head"},
		{"head of a shorter tree, forged", entries, bytes.Replace(head, []byte("\n9\n"), []byte("\n8\n"), 1), tree, Head, 0, "does not fit"},
		{"changed, no tree file", swap(`"subject":"4"`, `"subject":"7"`), head, missing, Changed, 0, "which one cannot be told"},
		{"changed, end of the tree file lost", swap(`"subject":"4"`, `"subject":"7"`), head, tree[:len(tree)-64], Changed, 5, "entry 5"},
		{"changed, tree file changed too", swap(`"subject":"4"`, `"subject":"7"`), head, append([]byte("x"), tree[1:]...), Changed, 0, "which one cannot be told"},
		{"missing, no tree file", swap(line(5), ""), head, missing, Missing, 5, "entry 6 stands in its place"},
		{"swapped, no tree file", swap(line(3)+line(4), line(4)+line(3)), head, missing, Missing, 3, "entry 4 stands in its place"},
		{"no JSON, no tree file", swap(line(5), "rubbish\n"), head, missing, Changed, 5, "it is not an entry"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Verify(layerOf(t, c.entries, c.head, c.tree), "ledger", k.Public(), nil)
			fault := wantFault(t, err, c.kind, c.entry)
			if !strings.Contains(fault.Error(), c.text) || strings.ContainsRune(fault.Error(), 0x1b) {
				t.Fatalf("it says %q, want %q in it", fault, c.text)
			}
			before := layerOf(t, c.entries, c.head, c.tree)
			if _, _, err := Open(before, "ledger", k, func(entry.Entry) error { return nil }, Options{}); err == nil {
				t.Fatal("it opened")
			}
			if c.entries != nil && !bytes.Equal(get(t, before, entriesName), c.entries) {
				t.Fatal("a refused start changed the entries")
			}
		})
	}
}

// The tree file is derived: without it, or with a wrong one, a ledger is good, and the next start mends it.
func TestTreeIsDerived(t *testing.T) {
	k := testKey(t)
	l := filled(t, 9)
	entries, head, tree := get(t, l, entriesName), get(t, l, headName), get(t, l, treeName)
	longer := append(bytes.Clone(tree), make([]byte, 64)...)
	for _, c := range []struct {
		tree    []byte
		state   TreeState
		rebuilt bool
	}{
		{nil, TreeMissing, true}, {[]byte{}, TreeWrong, true}, {tree[:40], TreeWrong, true}, {append([]byte("x"), tree[1:]...), TreeWrong, true},
		{longer, TreeGood, false}, {tree, TreeGood, false},
	} {
		l := layerOf(t, entries, head, c.tree)
		if r, err := Verify(l, "ledger", k.Public(), nil); err != nil || r.Tree != c.state {
			t.Fatalf("tree of %d bytes: %+v %v", len(c.tree), r, err)
		}
		g, opened, err := Open(l, "ledger", k, func(entry.Entry) error { return nil }, Options{})
		if err != nil || opened.TreeRebuilt != c.rebuilt || !bytes.Equal(get(t, l, treeName), tree) {
			t.Fatalf("tree of %d bytes: %+v %v", len(c.tree), opened, err)
		}
		mustAppend(t, g, small(9))
		if r, err := Verify(l, "ledger", k.Public(), head); err != nil || r.Tree != TreeGood {
			t.Fatalf("after an append: %+v %v", r, err)
		}
		g.Close()
	}
}

func TestVerifyCopy(t *testing.T) {
	k := testKey(t)
	old, now, fork := filled(t, 5), filled(t, 9), disk.NewLossy()
	g := mustOpen(t, fork, k)
	for i := range 9 {
		mustAppend(t, g, small(i+i/4*100)) // another history from entry 5 on
	}
	oldHead, nowHead := get(t, old, headName), get(t, now, headName)
	other, err := NewKey("other.example")
	if err != nil {
		t.Fatal(err)
	}
	strange := disk.NewLossy()
	if _, _, err := Open(strange, "ledger", other, nil, Options{}); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name  string
		l     *disk.Lossy
		copy  []byte
		kind  FaultKind // "" is good
		entry int64
		text  string
	}{
		{"grown since", now, oldHead, "", 0, ""},
		{"the same", now, nowHead, "", 0, ""},
		{"cut with its head", old, nowHead, Cut, 6, "knows of 9 entries, this ledger of 5"},
		{"head set back, entries there", layerOf(t, get(t, now, entriesName), oldHead, nil), nowHead, Cut, 6, "the 9 entries are still in the file"},
		{"forked after the copy", fork, get(t, filled(t, 4), headName), "", 0, ""},
		{"forked before the copy", fork, oldHead, Forked, 0, "wrote another history"},
		{"forked, same size", fork, nowHead, Forked, 0, "wrote another history"},
		{"all gone", disk.NewLossy(), oldHead, Cut, 1, "no ledger in this folder"},
		{"head damaged, entries good", layerOf(t, get(t, now, entriesName), []byte("x"), nil), nowHead, Head, 0, "the first 9 entries are those of the copy"},
		{"head missing, entries good", layerOf(t, get(t, now, entriesName), nil, nil), oldHead, Head, 0, "the first 5 entries are those of the copy"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, err := Verify(c.l, "ledger", k.Public(), c.copy)
			if c.kind == "" {
				if err != nil || r.Copy == nil {
					t.Fatalf("%+v %v", r, err)
				}
				return
			}
			if fault := wantFault(t, err, c.kind, c.entry); !strings.Contains(fault.Error(), c.text) {
				t.Fatalf("it says %q, want %q in it", fault, c.text)
			}
		})
	}
	if _, err := Verify(now, "ledger", k.Public(), []byte("rubbish")); err == nil || !strings.Contains(err.Error(), "copy of the head cannot be used") {
		t.Fatalf("a copy that is none: %v", err)
	}
	if _, err := Verify(now, "ledger", other.Public(), nil); err == nil || !strings.Contains(err.Error(), `signed by "shop.example/tocsin"`) {
		t.Fatalf("another key: %v", err)
	}
	if _, err := Verify(disk.NewLossy(), "ledger", k.Public(), nil); err == nil || !strings.Contains(err.Error(), "no ledger") {
		t.Fatalf("nothing there: %v", err)
	}
	// The head may be set back by hand to a copy; what is then beyond it is kept beside.
	l := layerOf(t, get(t, now, entriesName), oldHead, nil)
	_, opened, err := Open(l, "ledger", k, func(entry.Entry) error { return nil }, Options{Now: at(0)})
	if err != nil || opened.CutEntries != 4 {
		t.Fatalf("%+v %v", opened, err)
	}
}

func TestReport(t *testing.T) {
	k := testKey(t)
	l := filled(t, 5)
	f, err := disk.OpenAppend(l, "ledger/"+entriesName)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("a\nb\nc")); err != nil {
		t.Fatal(err)
	}
	r, err := Verify(l, "ledger", k.Public(), nil)
	if err != nil || r.Entries != 5 || r.Head.Size != 5 || r.Beyond != 5 || r.BeyondEntries != 2 || r.First != at(0) || r.Last != at(4) {
		t.Fatalf("%+v %v", r, err)
	}
	if r, err := Verify(filled(t, 0), "ledger", k.Public(), nil); err != nil || r.Entries != 0 || r.Tree != TreeGood {
		t.Fatalf("of an empty ledger: %+v %v", r, err)
	}
}

func TestProve(t *testing.T) {
	l := disk.NewLossy()
	g := mustOpen(t, l, testKey(t))
	heads := []entry.Head{g.Head()}
	for i := range 20 {
		mustAppend(t, g, small(i))
		heads = append(heads, g.Head())
		for _, then := range heads {
			now, proof, err := g.Prove(then.Size)
			if err == nil {
				err = now.Extends(then, proof)
			}
			if err != nil {
				t.Fatalf("%d entries, proof of %d: %v", i+1, then.Size, err)
			}
		}
	}
	for _, size := range []int64{-1, 21} {
		if _, _, err := g.Prove(size); err == nil {
			t.Fatalf("proof of %d", size)
		}
	}
	g.Close()
	if _, _, err := g.Prove(3); err == nil {
		t.Fatal("proof after close")
	}
}

func TestExport(t *testing.T) {
	k := testKey(t)
	l := filled(t, 12)
	for from := int64(1); from <= 13; from++ {
		var out bytes.Buffer
		if err := Export(l, "ledger", k.Public(), &out, from); err != nil {
			t.Fatal(err)
		}
		head, first, err := VerifyExport(bytes.NewReader(out.Bytes()), k.Public())
		if err != nil || head.Size != 12 || first != from || countLines(out.Bytes()) != 14-from {
			t.Fatalf("from %d: %v %d %v", from, head, first, err)
		}
		for i := range out.Len() * 8 {
			if from != 1 && from != 8 || i%3 != 0 {
				continue
			}
			b := bytes.Clone(out.Bytes())
			b[i/8] ^= 1 << (i % 8)
			if _, _, err := VerifyExport(bytes.NewReader(b), k.Public()); err == nil {
				t.Fatalf("from %d: bit %d changed and not found", from, i)
			}
		}
		for n := 0; n < out.Len(); n += int(from) {
			if _, _, err := VerifyExport(bytes.NewReader(out.Bytes()[:n]), k.Public()); err == nil {
				t.Fatalf("from %d: cut to %d bytes and not found", from, n)
			}
		}
	}
	for _, from := range []int64{-1, 0, 14} {
		if err := Export(l, "ledger", k.Public(), &bytes.Buffer{}, from); err == nil {
			t.Fatalf("export from %d", from)
		}
	}
	bad := layerOf(t, bytes.Replace(get(t, l, entriesName), []byte(`"subject":"4"`), []byte(`"subject":"7"`), 1), get(t, l, headName), get(t, l, treeName))
	var out bytes.Buffer
	wantFault(t, Export(bad, "ledger", k.Public(), &out, 1), Changed, 5)
	if _, _, err := VerifyExport(&out, k.Public()); err == nil {
		t.Fatal("an export of a damaged ledger passes")
	}
	if err := Export(l, "ledger", k.Public(), brokenPipe{}, 1); err == nil {
		t.Fatal("a broken pipe went unseen")
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, fmt.Errorf("broken pipe") }
