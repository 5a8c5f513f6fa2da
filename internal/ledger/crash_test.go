package ledger

import (
	"errors"
	"fmt"
	"testing"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// Given a series of appends, when the power is cut at any step of it, then the ledger opens, verifies, and has every
// entry that was acknowledged, unchanged; what was not is set aside, not lost in silence. And a power cut during that
// start, at any step, does no harm either.
func TestCrashAtEveryStep(t *testing.T) {
	k := testKey(t)
	work := func(l *disk.Lossy) (acked []entry.Entry, kept []byte, err error) {
		g, _, err := Open(l, "ledger", k, func(entry.Entry) error { return nil }, Options{Now: at(0)})
		if err != nil {
			return nil, nil, err
		}
		defer g.Close()
		for i := range 6 {
			list, err := g.Append(at(i), small(i), small(i+100))
			if err != nil {
				return acked, kept, err
			}
			acked, kept = append(acked, list...), g.SignedHead()
		}
		return acked, kept, nil
	}
	steps := 0
	for ; ; steps++ {
		l := disk.NewLossy()
		l.FailAfter(steps)
		acked, kept, err := work(l)
		if err != nil && !errors.Is(err, disk.ErrStopped) {
			t.Fatal(err)
		}
		checkCrashed(t, fmt.Sprintf("step %d", steps), l.Crash(), k, acked, kept)
		for seed := range uint64(4) {
			checkCrashed(t, fmt.Sprintf("step %d seed %d", steps, seed), l.CrashSeed(seed), k, acked, kept)
		}
		if err == nil {
			break
		}
	}
	if steps < 6*8 {
		t.Fatalf("only %d steps: too few for 6 appends", steps)
	}
}

func checkCrashed(t *testing.T, name string, l *disk.Lossy, k Key, acked []entry.Entry, kept []byte) {
	t.Helper()
	for n := 0; ; n++ { // the start itself is cut at each step
		again := l.Crash()
		again.FailAfter(n)
		g, _, err := Open(again, "ledger", k, func(entry.Entry) error { return nil }, Options{Now: at(0)})
		if err == nil {
			g.Close()
			break
		}
		if !errors.Is(err, disk.ErrStopped) {
			t.Fatalf("%s, start step %d: %v", name, n, err)
		}
		if n%3 == 0 {
			l = again.CrashSeed(uint64(n))
		}
		if n > 100 {
			t.Fatalf("%s: the start never ends", name)
		}
	}
	var got []entry.Entry
	g, opened, err := Open(l, "ledger", k, keep(&got), Options{Now: at(0)})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer g.Close()
	if len(got) < len(acked) {
		t.Fatalf("%s: %d entries are there, %d were acknowledged", name, len(got), len(acked))
	}
	for i, e := range acked {
		if fmt.Sprint(got[i]) != fmt.Sprint(e) {
			t.Fatalf("%s: entry %d is %v, was %v", name, i+1, got[i], e)
		}
	}
	if opened.CutBytes > 0 && int64(len(get(t, l, opened.CutFile))) != opened.CutBytes {
		t.Fatalf("%s: %d bytes cut, %s has others", name, opened.CutBytes, opened.CutFile)
	}
	if _, err := Verify(l, "ledger", k.Public(), kept); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	mustAppend(t, g, small(1))
	if r, err := Verify(l.Crash(), "ledger", k.Public(), kept); err != nil || r.Entries != int64(len(got))+1 {
		t.Fatalf("%s, after one more append: %+v %v", name, r, err)
	}
}

// Every prefix of entries.jsonl, with every head that the ledger ever had: it opens when the head's entries are whole,
// moves aside what is beyond, and else says which entry is missing.
func TestEveryPrefix(t *testing.T) {
	k := testKey(t)
	l := disk.NewLossy()
	g := mustOpen(t, l, k)
	heads, ends := [][]byte{g.SignedHead()}, []int{0}
	for i := range 4 {
		mustAppend(t, g, small(i))
		heads, ends = append(heads, g.SignedHead()), append(ends, len(get(t, l, entriesName)))
	}
	whole, tree := get(t, l, entriesName), get(t, l, treeName)
	for size, head := range heads {
		for n := range len(whole) + 1 {
			l := layerOf(t, whole[:n], head, tree)
			_, verr := Verify(l, "ledger", k.Public(), nil)
			g, opened, err := Open(l, "ledger", k, func(entry.Entry) error { return nil }, Options{Now: at(0)})
			if (err == nil) != (verr == nil) {
				t.Fatalf("head %d, %d bytes: Open says %v, Verify %v", size, n, err, verr)
			}
			if n < ends[size] {
				first := int64(1)
				for ends[first] <= n {
					first++
				}
				wantFault(t, err, Missing, first)
				continue
			}
			if err != nil || opened.Entries != int64(size) || opened.CutBytes != int64(n-ends[size]) {
				t.Fatalf("head %d, %d bytes: %+v %v", size, n, opened, err)
			}
			g.Close()
			if string(get(t, l, entriesName)) != string(whole[:ends[size]]) {
				t.Fatalf("head %d, %d bytes: not cut at the head", size, n)
			}
		}
	}
	for n := range tree { // and every prefix of the derived file opens, without a word to anybody but Opened
		_, opened, err := Open(layerOf(t, whole, heads[4], tree[:n]), "ledger", k, func(entry.Entry) error { return nil }, Options{})
		if err != nil || !opened.TreeRebuilt {
			t.Fatalf("tree of %d bytes: %+v %v", n, opened, err)
		}
	}
}
