package search

import (
	"hash/maphash"
	"math"
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

func (t *tally) full() bool { return len(t.counts) >= tallyMost || len(t.texts) >= tallyBytes }

func (t *tally) text(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.texts[from:t.ends[i]]
}

func (t *tally) add(s string, n int64) { t.addHashed(maphash.String(t.seed, s), s, n) }

func (t *tally) addHashed(h uint64, s string, n int64) {
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
			return
		}
		if t.hashes[i-1] == h && string(t.text(int(i-1))) == s {
			t.counts[i-1] += n
			return
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

// pour hands everything to a fold. Of a top, what is too small to be among its rows is handed over as one number, if nothing else
// is in the fold.
func (t *tally) pour(f *query.Fold, s query.Stage, alone bool) {
	least := int64(math.MinInt64)
	if alone && s.Kind == query.Top && len(t.counts) > s.N {
		sorted := slices.Clone(t.counts)
		slices.Sort(sorted)
		least = sorted[len(sorted)-s.N]
	}
	values, others := make([]string, 1), int64(0)
	for i, n := range t.counts {
		if n < least {
			others += n
			continue
		}
		values[0] = string(t.text(i))
		f.AddCounts(values, time.Time{}, n)
	}
	if others > 0 {
		f.AddOthers(others)
	}
	if t.none > 0 {
		values[0] = query.Missing
		f.AddCounts(values, time.Time{}, t.none)
	}
}
