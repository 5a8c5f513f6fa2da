package query

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"
)

const (
	maxGroups   = 1 << 18
	maxMeasured = 1 << 13  // groups with a figure that takes room: p95, distinct
	maxKeyBytes = 64 << 20 // bytes of all values that are grouped by
	maxKey      = 1024     // bytes of one value; longer ones are one when these are the same
)

// groups counts by values and bucket. When there are too many it makes room: it forgets the half with the fewest lines, and remembers how many
// lines a group can have lost by that (missed): that is Misra's and Gries's bound ("Finding Repeated Elements", 1982) for a
// table that is cleared by halves. Rare values cannot be told that way, so for them it keeps a sample of the values by their hashes, of which each is counted whole.
type groups struct {
	m      map[string]*group
	kind   StageKind
	most   int
	bytes  int
	missed int64
	levels int // of the sample: leading zeros that a hash must have
	room   []byte
}

type group struct {
	n       int64
	measure measure
}

func newGroups(kind StageKind) groups {
	g := groups{m: map[string]*group{}, kind: kind, most: maxGroups}
	if kind == P95 || kind == Distinct {
		g.most = maxMeasured
	}
	return g
}

// at returns the group of values in a bucket.
func (g *groups) at(values []string, start time.Time) *group {
	g.room = g.room[:0]
	if !start.IsZero() {
		g.room = binary.BigEndian.AppendUint64(g.room, uint64(start.Unix()))
	} else {
		g.room = append(g.room, make([]byte, 8)...)
	}
	for _, v := range values {
		v = cut(v, maxKey)
		g.room = binary.AppendUvarint(g.room, uint64(len(v)))
		g.room = append(g.room, v...)
	}
	if at, ok := g.m[string(g.room)]; ok {
		return at
	}
	if g.kind == Rare && bits.LeadingZeros64(hashOf(g.room)) < g.levels {
		return &group{} // not in the sample
	}
	at := &group{}
	g.m[string(g.room)] = at
	g.bytes += len(g.room)
	return at
}

// hashOf is FNV-1a with its bits mixed (the last step of MurmurHash3), so that each of them is as good as another.
func hashOf(key []byte) uint64 {
	h := fnv.New64a()
	h.Write(key)
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// key takes a key apart.
func (g *groups) key(key string) (start int64, values []string) {
	b := []byte(key)
	start = int64(binary.BigEndian.Uint64(b))
	for b = b[8:]; len(b) > 0; {
		n, size := binary.Uvarint(b)
		values = append(values, string(b[size:size+int(n)]))
		b = b[size+int(n):]
	}
	return start, values
}

// bound makes room when there are too many groups.
func (g *groups) bound() {
	for len(g.m) > g.most || g.bytes > maxKeyBytes && len(g.m) > 1 {
		if g.kind == Rare {
			g.levels++
			g.drop(func(key string, _ *group) bool { return bits.LeadingZeros64(hashOf([]byte(key))) < g.levels })
			continue
		}
		counts := make([]int64, 0, len(g.m))
		for _, at := range g.m {
			counts = append(counts, at.n)
		}
		slices.Sort(counts)
		least := counts[(len(counts)-1)/2]
		g.missed += least
		g.drop(func(_ string, at *group) bool { return at.n <= least })
	}
}

func (g *groups) drop(which func(string, *group) bool) {
	maps.DeleteFunc(g.m, func(key string, at *group) bool {
		if which(key, at) {
			g.bytes -= len(key)
			return true
		}
		return false
	})
}

func (g *groups) merge(o *groups) {
	g.missed += o.missed
	if o.levels > g.levels {
		g.levels = o.levels
		g.drop(func(key string, _ *group) bool { return bits.LeadingZeros64(hashOf([]byte(key))) < g.levels })
	}
	for key, theirs := range o.m {
		if g.kind == Rare && bits.LeadingZeros64(hashOf([]byte(key))) < g.levels {
			continue
		}
		if at, ok := g.m[key]; ok {
			at.n += theirs.n
			at.measure.merge(g.kind, &theirs.measure)
		} else {
			g.m[key] = theirs
			g.bytes += len(key)
		}
	}
	g.bound()
}

// groupRows puts the groups into the result.
func (f *Fold) groupRows(res *Result) {
	type entry struct {
		key   string
		start int64
		*group
	}
	g := &f.groups
	var all []entry
	for key, at := range g.m {
		all = append(all, entry{key, int64(binary.BigEndian.Uint64([]byte(key))), at})
	}
	slices.SortFunc(all, func(a, b entry) int {
		sign := cmp.Compare(b.n, a.n)
		if g.kind == Rare {
			sign = -sign
		} else if g.kind >= Sum {
			sign = cmp.Compare(b.measure.figure(g.kind), a.measure.figure(g.kind))
		}
		return cmp.Or(cmp.Compare(a.start, b.start), sign, f.compareKeys(a.key, b.key))
	})
	if (g.kind == Top || g.kind == Rare) && len(all) > f.stage.N {
		all = all[:f.stage.N]
	}
	if len(all) == 0 && len(f.stage.By) == 0 && f.stage.Every == 0 && (g.kind == Count || g.kind == Sum || g.kind == Distinct) {
		all = append(all, entry{key: string(make([]byte, 8)), group: &group{}})
	}
	estimates := false
	for _, e := range all {
		var cells []Cell
		if f.stage.Every > 0 {
			cells = append(cells, timeCell(time.Unix(e.start, 0), f.q.zone()))
		}
		_, values := g.key(e.key)
		for _, v := range values {
			if v == Missing {
				cells = append(cells, Cell{})
			} else {
				cells = append(cells, textCell(v))
			}
		}
		if g.kind >= Sum {
			n := e.measure.figure(g.kind)
			estimates = estimates || e.measure.estimated()
			text := f.stage.Of.figure(n)
			if g.kind == Distinct {
				text = countCell(int64(n)).Text
			}
			cells = append(cells, Cell{Kind: CellNumber, Text: text, Number: n})
		} else {
			cells = append(cells, countCell(e.n))
		}
		res.Rows = append(res.Rows, cells)
	}
	f.sayCut(res, estimates)
}

func (f *Fold) compareKeys(a, b string) int {
	_, x := f.groups.key(a)
	_, y := f.groups.key(b)
	return cmp.Or(slices.CompareFunc(x, y, strings.Compare), bytes.Compare([]byte(a), []byte(b)))
}

// sayCut says what of the groups is not exact.
func (f *Fold) sayCut(res *Result, estimates bool) {
	switch g := &f.groups; {
	case g.levels > 0:
		res.truncate("There are more values than are held: these are the rarest of a sample of one in %d of them. Search for less at once.", int64(1)<<min(g.levels, 62))
	case g.missed > 0:
		res.truncate("There are more groups than the %d that are held: those with few lines are left out, and each may have up to %d lines more than are counted.", g.most, g.missed)
	}
	switch {
	case estimates && f.groups.kind == P95:
		res.About = "With many different values, p95 is right within 1 percent."
	case estimates:
		res.About = "With many different values, distinct is right within some 3 percent."
	}
}
