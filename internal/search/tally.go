package search

import (
	"hash/maphash"
	"slices"
	"time"

	"tocsin/internal/query"
)

// A tally counts texts: what the folds of a top or count by one field come to, without a map's cost for each of the hundreds of thousands
// that every volume has. It is a table with open addresses, at most half full; the texts stand one behind the other.
type tally struct {
	seed   maphash.Seed
	slots  []uint32 // 1 + the place of an entry
	hashes []uint64
	counts []int64
	ends   []uint32 // of the texts
	texts  []byte
	none   int64 // rows without a value
}

const (
	tallyMost  = 1 << 18 // texts; of more, package query decides which stay
	tallyBytes = 32 << 20
	tallyText  = 1024 // bytes of one; package query cuts those that are longer
)

func newTally(seed maphash.Seed) *tally {
	return &tally{seed: seed, slots: make([]uint32, 1<<10)}
}

// tally returns an empty one, with the room of one that was done with.
func (s *Searcher) tally() *tally {
	if t, ok := s.tallies.Get().(*tally); ok {
		return t
	}
	return newTally(s.seed)
}

// done takes a tally whose texts nobody needs any more.
func (s *Searcher) done(t *tally) {
	if len(t.counts) > 0 {
		clear(t.slots)
	}
	t.hashes, t.counts, t.ends, t.texts, t.none = t.hashes[:0], t.counts[:0], t.ends[:0], t.texts[:0], 0
	s.tallies.Put(t)
}

func (t *tally) full() bool { return len(t.counts) >= tallyMost || len(t.texts) >= tallyBytes }

func (t *tally) text(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.texts[from:t.ends[i]]
}

func (t *tally) add(s string, n int64) { t.addHashed(maphash.String(t.seed, s), s, n) }

// addHashed returns the place of the text.
func (t *tally) addHashed(h uint64, s string, n int64) int {
	for at := h & uint64(len(t.slots)-1); ; at = (at + 1) & uint64(len(t.slots)-1) {
		i := t.slots[at]
		if i == 0 {
			t.hashes, t.counts = append(t.hashes, h), append(t.counts, n)
			t.texts = append(t.texts, s...)
			t.ends = append(t.ends, uint32(len(t.texts)))
			t.slots[at] = uint32(len(t.counts))
			if 2*len(t.counts) > len(t.slots) {
				t.grow()
			}
			return len(t.counts) - 1
		}
		if t.hashes[i-1] == h && string(t.text(int(i-1))) == s {
			t.counts[i-1] += n
			return int(i - 1)
		}
	}
}

func (t *tally) grow() {
	t.slots = make([]uint32, 4*len(t.slots))
	for i, h := range t.hashes {
		at := h & uint64(len(t.slots)-1)
		for t.slots[at] != 0 {
			at = (at + 1) & uint64(len(t.slots)-1)
		}
		t.slots[at] = uint32(i + 1)
	}
}

// merge adds what another tally with the same seed has.
func (t *tally) merge(o *tally) {
	t.none += o.none
	for i, n := range o.counts {
		t.addHashed(o.hashes[i], string(o.text(i)), n)
	}
}

// pour hands what was counted to a fold: so many rows with each text, and so many without one. Of a top, what is too small to be among its rows is
// handed over as one number, if nothing else is in the fold.
func pour(f *query.Fold, s query.Stage, counts []int64, text func(i int) []byte, none int64, alone bool) {
	least := int64(1)
	if alone && s.Kind == query.Top {
		least = max(least, atLeast(counts, s.N))
	}
	values, others := make([]string, 1), int64(0)
	for i, n := range counts {
		if n < least {
			others += n
			continue
		}
		values[0] = string(text(i))
		f.AddCounts(values, time.Time{}, n)
	}
	if others > 0 {
		f.AddOthers(others)
	}
	if none > 0 {
		values[0] = query.Missing
		f.AddCounts(values, time.Time{}, none)
	}
}

// atLeast returns what the n largest numbers are at least; 0 when there are not so many.
func atLeast(counts []int64, n int) int64 {
	if n <= 0 || len(counts) < n {
		return 0
	}
	heap := slices.Clone(counts[:n]) // the least on top
	down := func(i int) {
		for {
			k := 2*i + 1
			if k >= n {
				return
			}
			if k+1 < n && heap[k+1] < heap[k] {
				k++
			}
			if heap[i] <= heap[k] {
				return
			}
			heap[i], heap[k] = heap[k], heap[i]
			i = k
		}
	}
	for i := n / 2; i >= 0; i-- {
		down(i)
	}
	for _, x := range counts[n:] {
		if x > heap[0] {
			heap[0] = x
			down(0)
		}
	}
	return heap[0]
}

// pour hands everything to a fold.
func (t *tally) pour(f *query.Fold, s query.Stage, alone bool) {
	pour(f, s, t.counts, t.text, t.none, alone)
}
