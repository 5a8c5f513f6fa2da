package detect

import (
	"cmp"
	"container/heap"
)

// # When there are too many groups
//
// The state is of a fixed size. Under a flood, of addresses that each come once above all, three things keep what matters:
//
//   - The rule that holds the most gives way first, so a flood against one rule costs that rule.
//   - A group with one match, or of event_count with some that no alert has told, is not dropped but remembered in 48 bytes
//     (waiting): when its values come again, the count goes on. What is lost is the line, for the alert's samples, and of several
//     matches when each was: they are taken to have been spread evenly from the first to the last.
//   - That memory is a set-associative table. Where a set is full, the one seen least often goes, the oldest among
//     those; a count-min sketch (Cormode and Muthukrishnan, 2005) remembers how often also those came that had no place, so what
//     comes again and again gets one, and an address that came once cannot drive it out.
//
// What is lost for good is counted, and when it mattered (a group that had come half of the way to an alert) that is an
// alert of its own: BluntRule.

const (
	waitingWays  = 8
	spareShare   = 32 // this part of the room is made at once
	waitingMarks = 4  // most that a waiter becomes again
	bluntAfter   = 3  // losses that matter within an hour of record time
	sketchRows   = 4
	sketchPerSet = 8 // counters of a row for each set
)

// A waiter is what is remembered of a group that had to give way: its newest mark, how many it had, and since when.
type waiter struct {
	key   uint64 // 0: free
	at    int64  // record time of the mark
	ord   int64
	seq   int64
	value uint64 // of value_count: the value's hash; of event_count: record time of the oldest mark, 0: none is known
	n     uint16 // marks
	node  uint16
	slot  uint8
	often uint8 // how often the key was seen, as far as is known
}

// A waitingRoom is a table of waiters.
type waitingRoom struct {
	waiters []waiter // waitingWays to a set
	counts  []uint8  // the count-min sketch: sketchRows rows
	adds    int      // since the counts were halved
	used    int
}

func newWaitingRoom(most int) *waitingRoom {
	sets := 1
	for sets*waitingWays < most {
		sets *= 2
	}
	return &waitingRoom{waiters: make([]waiter, sets*waitingWays), counts: make([]uint8, sketchRows*sketchPerSet*sets)}
}

// key is what a group of a node is remembered by. A reload of rules does not change it.
func (w *waitingRoom) key(n *node, group uint64) uint64 { return mix(group^n.salt, hashMix) | 1 }

func (w *waitingRoom) set(key uint64) []waiter {
	sets := len(w.waiters) / waitingWays
	i := int(key>>32) & (sets - 1) * waitingWays
	return w.waiters[i : i+waitingWays]
}

// seen counts a key and returns how often it was, at least.
func (w *waitingRoom) seen(key uint64) uint8 {
	row := len(w.counts) / sketchRows
	if w.adds++; w.adds > row {
		for i := range w.counts {
			w.counts[i] /= 2
		}
		w.adds = 0
	}
	least := uint8(255)
	var at [sketchRows]int
	for i := range at {
		key = mix(key^hashStart, hashMix)
		at[i] = i*row + int(key>>33)&(row-1)
		least = min(least, w.counts[at[i]])
	}
	if least < 255 {
		least++
	}
	for _, i := range at { // conservative update (Estan and Varghese, 2002)
		w.counts[i] = max(w.counts[i], least)
	}
	return least
}

// put remembers x and returns what it drove out, which may be x itself. expired says that nothing can use a waiter any more.
func (w *waitingRoom) put(x waiter, expired func(*waiter) bool) (lost waiter) {
	x.often = max(w.seen(x.key), uint8(min(x.n, 255)))
	set := w.set(x.key)
	worst := &set[0]
	for i := range set {
		o := &set[i]
		if o.key == 0 || o.key == x.key || expired(o) {
			if o.key == 0 {
				w.used++
			}
			*o = x
			return waiter{}
		}
		if cmp.Or(cmp.Compare(o.often, worst.often), cmp.Compare(o.at, worst.at)) < 0 {
			worst = o
		}
	}
	if worst.often > x.often {
		return x
	}
	lost, *worst = *worst, x
	return lost
}

// take returns what is remembered under a key and forgets it.
func (w *waitingRoom) take(key uint64) (x waiter, ok bool) {
	set := w.set(key)
	for i := range set {
		if set[i].key == key {
			x, set[i] = set[i], waiter{}
			w.used--
			return x, true
		}
	}
	return x, false
}

// compact returns what can be remembered of a group in few bytes, and whether it is all that counts from reach on.
func (n *node) compact(g *group, reach int64) (x waiter, ok bool) {
	if n.corr == nil || g.live != nil || g.sketch != nil || n.share() || n.numeric() {
		return x, false
	}
	for i := range g.tracks {
		t := &g.tracks[i]
		if len(t.marks) == 0 {
			continue
		}
		last := &t.marks[len(t.marks)-1]
		if x.n > 0 || len(t.marks) > 1 && n.counting() != countRecords || last.Told || len(last.more()) > 0 {
			return x, false
		}
		for k := range t.marks {
			if m := &t.marks[k]; m.Told || len(m.more()) > 0 {
				return x, false
			}
			if t.marks[k].At < reach {
				continue
			}
			if x.n == 0 {
				x.value = uint64(t.marks[k].At)
			}
			x.n = uint16(min(int(x.n)+int(t.marks[k].N), 1<<16-1))
		}
		if n.counting() != countRecords {
			x.value = t.key
		}
		x.at, x.ord, x.seq, x.slot = last.At, last.Ord, last.Seq, uint8(i)
	}
	return x, x.n > 0 && len(g.tracks) < 256
}

// promote gives a new group what was remembered of it.
func (d *Detector) promote(n *node, g *group) {
	x, ok := d.waiting.take(d.waiting.key(n, g.Hash))
	if !ok || int(x.node) != n.n || x.at < d.reach(n) {
		return
	}
	s := &sight{}
	for i, f := range n.slots[0].by {
		switch f.field.Name() {
		case "source.ip":
			s.IP = g.Values[i]
		case "user.name":
			s.Account = g.Values[i]
		}
	}
	m := mark{At: x.at, Ord: x.ord, Seq: x.seq, Sight: s, N: int32(x.n)}
	switch n.counting() {
	case countValues:
		g.tracks = append(g.tracks, track{key: x.value, marks: []mark{m}})
	case countRecords:
		g.tracks[0].marks = m.spread(int64(x.value))
	default:
		if int(x.slot) >= len(g.tracks) {
			return
		}
		g.tracks[x.slot].marks = []mark{m}
	}
	g.Newest = m.At
	g.recount()
	d.weigh(n, g)
}

// spread makes of a mark of several records, the last of which it is, marks that lie evenly from the first on.
func (m mark) spread(first int64) (out []mark) {
	k := min(int64(m.N), waitingMarks)
	if first == 0 || first > m.At-k {
		return []mark{m}
	}
	for i := range k {
		x := m
		x.N = (m.N + int32(i)) / int32(k)
		if k > 1 {
			x.At = first + (m.At-first)/(k-1)*i
		}
		out = append(out, x)
	}
	out[k-1].At = m.At
	return out
}

// shrink keeps the state within its limits: as long as it is too large, the rule that holds the most loses the group that it
// used the longest ago, singles first when there are too many groups. An alert of the group ends.
func (d *Detector) shrink(changes []Change) []Change {
	if d.groups > d.o.MaxGroups {
		d.sweep()
		r := d.rank(func(b *bin) int { return len(b.groups) })
		for target := d.o.MaxGroups - d.o.MaxGroups/spareShare; d.groups > target; heap.Fix(r, 0) {
			b, n := r.largest()
			stop := min(r.runnerUp(), len(b.groups))
			for d.groups > target && len(b.groups) >= stop {
				changes = d.giveWay(n, b, changes)
			}
		}
	}
	if d.weight > d.o.MaxRecords {
		d.sweep()
		r := d.rank(func(b *bin) int { return b.weight })
		for target := d.o.MaxRecords - d.o.MaxRecords/spareShare; d.weight > target; heap.Fix(r, 0) {
			b, n := r.largest()
			if b.weight == 0 {
				break
			}
			changes = d.giveWayHeavy(n, b, changes)
		}
	}
	return d.dull(changes)
}

// A ranking is a heap of the bins, the largest by some size first; of equals the first.
type ranking struct {
	d    *Detector
	size func(*bin) int
	bins []int
}

func (d *Detector) rank(size func(*bin) int) *ranking {
	r := &ranking{d, size, make([]int, len(d.bins))}
	for i := range r.bins {
		r.bins[i] = i
	}
	heap.Init(r)
	return r
}

func (r *ranking) sizeOf(i int) int { return r.size(&r.d.bins[r.bins[i]]) }

// largest returns the largest bin, and its node. When its size changed, heap.Fix puts it in its place.
func (r *ranking) largest() (*bin, *node) { return &r.d.bins[r.bins[0]], r.d.rules.nodes[r.bins[0]] }

// runnerUp is the size of the largest bin but one.
func (r *ranking) runnerUp() (most int) {
	for i := 1; i < min(3, len(r.bins)); i++ {
		most = max(most, r.sizeOf(i))
	}
	return most
}

// Len, Less, Swap, Push and Pop are for package heap; bins neither come nor go.
func (r *ranking) Len() int      { return len(r.bins) }
func (r *ranking) Swap(i, j int) { r.bins[i], r.bins[j] = r.bins[j], r.bins[i] }
func (r *ranking) Push(any)      {}
func (r *ranking) Pop() any      { return nil }
func (r *ranking) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(r.sizeOf(j), r.sizeOf(i)), cmp.Compare(r.bins[i], r.bins[j])) < 0
}

func (d *Detector) giveWay(n *node, b *bin, changes []Change) []Change {
	e := b.singles.Front()
	if e == nil {
		e = b.order.Front()
	}
	return d.drop(n, e.Value.(*group), changes)
}

func (d *Detector) giveWayHeavy(n *node, b *bin, changes []Change) []Change {
	e := b.order.Front()
	if e == nil {
		e = b.singles.Front()
	}
	return d.drop(n, e.Value.(*group), changes)
}

// drop takes a group out of the way: into the waiting room if that is enough, else for good.
func (d *Detector) drop(n *node, g *group, changes []Change) []Change {
	var reach int64
	if n.corr != nil {
		reach = d.reach(n)
	}
	if n.corr != nil && g.live == nil && g.Newest < reach { // nothing can use it any more
		d.remove(n, g)
		return changes
	}
	if x, ok := n.compact(g, reach); ok {
		if d.waiting == nil {
			d.waiting = newWaitingRoom(d.o.MaxWaiting)
		}
		x.key, x.node = d.waiting.key(n, g.Hash), uint16(n.n)
		d.remove(n, g)
		lost := d.waiting.put(x, func(o *waiter) bool { return o.at < d.reach(d.rules.nodes[o.node]) })
		if lost.key != 0 {
			d.lose(d.rules.nodes[lost.node], int(lost.n))
		}
		return changes
	}
	count := g.counted(n)
	if g.live != nil {
		changes = d.end(n, g, changes)
	}
	if d.bins[n.n].groups[g.Hash] == g {
		d.remove(n, g)
	}
	d.lose(n, count)
	return changes
}

// lose counts a group of n that is lost for good, having come so far.
func (d *Detector) lose(n *node, count int) {
	d.bins[n.n].stats.Evicted++
	d.evicted++
	if n.corr != nil && count > 1 && 2*count >= n.least {
		d.blunt.lose(d.newest)
	}
}

// counted is how far a group has come, in what its bounds count.
func (g *group) counted(n *node) (count int) {
	if n.corr == nil {
		return 0
	}
	if n.counting() == countValues {
		return len(g.tracks)
	}
	for i := range g.tracks {
		for k := range g.tracks[i].marks {
			count += int(g.tracks[i].marks[k].N)
		}
	}
	return count
}
