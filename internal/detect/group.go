package detect

import (
	"cmp"
	"container/heap"
	"container/list"
	"math"
	"slices"

	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// A group is the state of one rule or correlation for one set of group values.
type group struct {
	Hash   uint64   // of its node's kind of values and of the values
	Kind   string   // of a plain rule without tocsin.group: which field Values is of
	Values []string // as first seen
	tracks []track  // of a correlation: one per slot (temporal), per value (value_count, a share), or one
	sketch *sketch  // of value_count with more values than tracks
	Newest int64    // record time of its newest mark
	oldest int64    // no mark is older
	count  int64    // records that its marks stand for
	held   int      // what its marks weigh now,
	weight int      // and when that was last counted into its bin
	live   *live
	single bool // it is in bin.singles
	place  *list.Element
}

// A bin is the state of one node: its groups, those used last at the back. Singles have one mark and no alert: when room is
// needed they go first, and are remembered in few bytes.
type bin struct {
	groups  map[uint64]*group
	singles *list.List
	order   *list.List
	weight  int
	broken  string // why the rule was set aside, "" while it works
	stats   RuleStats
}

func newBin() bin {
	return bin{groups: map[uint64]*group{}, singles: list.New(), order: list.New()}
}

// each goes over the groups, singles first; of each kind those used last at the end. The group may be removed meanwhile.
func (b *bin) each(see func(g *group) (more bool)) {
	for _, l := range []*list.List{b.singles, b.order} {
		for e := l.Front(); e != nil; {
			g := e.Value.(*group)
			e = e.Next()
			if !see(g) {
				break
			}
		}
	}
}

// hashValues is the hash of group values, without regard to case.
func hashValues(kind string, values []string) uint64 {
	h := hashStart
	if kind != "" {
		h = hashText(h, kind)
	}
	for _, v := range values {
		h = hashText(h, v)
	}
	return h
}

// ruleGroup gives the group values of a plain rule's match. Where the rule names none it is the address, else the account,
// else the file; kind keeps these apart. The values are good until the next call.
func (d *Detector) ruleGroup(n *node, r *record.Record) (kind string, values []string) {
	d.values = d.values[:0]
	if len(n.group) > 0 {
		for _, f := range n.group {
			v, _ := f.Value(r)
			d.values = append(d.values, v.Text)
		}
		return "", d.values
	}
	for _, f := range []record.Field{record.SourceIP, record.UserName} {
		if s := r.Text(f); s != "" {
			d.values = append(d.values, s)
			return f.String(), d.values
		}
	}
	d.values = append(d.values, r.Line.File)
	return "file", d.values
}

// group finds or makes a group and moves it to the back.
func (d *Detector) group(n *node, kind string, values []string) *group {
	b := &d.bins[n.n]
	g := b.find(kind, values)
	if g == nil {
		h := hashValues(kind, values)
		for b.groups[h] != nil { // two of one hash: the later one has the next number
			h++
		}
		g = d.newGroup(n, h, kind, values)
	}
	if g.single {
		b.singles.MoveToBack(g.place)
	} else {
		b.order.MoveToBack(g.place)
	}
	return g
}

// find returns the group of some values, nil when there is none.
func (b *bin) find(kind string, values []string) *group {
	h := hashValues(kind, values)
	g := b.groups[h]
	for g != nil && !g.is(kind, values) {
		h++
		g = b.groups[h]
	}
	return g
}

func (g *group) is(kind string, values []string) bool {
	if kind != g.Kind || len(values) != len(g.Values) {
		return false
	}
	for i, v := range values {
		if v != g.Values[i] && !sameText(cut(v, maxText), g.Values[i]) {
			return false
		}
	}
	return true
}

func (d *Detector) newGroup(n *node, h uint64, kind string, values []string) *group {
	b := &d.bins[n.n]
	g := &group{Hash: h, Kind: kind, oldest: math.MaxInt64}
	for _, v := range values {
		g.Values = append(g.Values, keep(v, maxText))
	}
	if n.corr != nil {
		g.tracks = make([]track, n.tracks())
	}
	b.groups[h] = g
	g.single = n.corr != nil
	if g.single {
		g.place = b.singles.PushBack(g)
	} else {
		g.place = b.order.PushBack(g)
	}
	d.groups++
	if d.waiting != nil && n.corr != nil {
		d.promote(n, g)
	}
	return g
}

// tracks is how many tracks a new group of a correlation has.
func (n *node) tracks() int {
	switch n.corr.Type {
	case sigma.Temporal, sigma.TemporalOrdered:
		return len(n.slots)
	case sigma.ValueCount:
		return 0
	}
	if n.share() {
		return 0
	}
	return 1
}

// weigh counts what a group holds anew, and moves it from the singles when it has become more.
func (d *Detector) weigh(n *node, g *group) {
	b := &d.bins[n.n]
	b.weight += g.held - g.weight
	d.weight += g.held - g.weight
	g.weight = g.held
	if g.single && (g.held > 1 || g.live != nil) {
		b.singles.Remove(g.place)
		g.single = false
		g.place = b.order.PushBack(g)
	}
}

// remove forgets a group; its alert, if it has one, is the caller's to end.
func (d *Detector) remove(n *node, g *group) {
	b := &d.bins[n.n]
	delete(b.groups, g.Hash)
	if g.single {
		b.singles.Remove(g.place)
	} else {
		b.order.Remove(g.place)
	}
	b.weight -= g.weight
	d.weight -= g.weight
	d.groups--
}

// Groups are swept once in so many records, and more seldom the more there are: a sweep looks at each.
const (
	sweepEvery  = 1024
	sweepGroups = 4096
)

// sweep forgets the groups that no window can reach any more.
func (d *Detector) sweep() {
	for _, n := range d.rules.nodes[d.rules.plain:] {
		reach := d.reach(n)
		d.bins[n.n].each(func(g *group) bool {
			if g.live != nil {
				return true
			}
			if g.Newest >= reach {
				return g.Newest > d.newest+farAway // a wrong clock's
			}
			d.remove(n, g)
			return true
		})
	}
}

// reach is the record time before which no window of a timely record can reach.
func (d *Detector) reach(n *node) int64 { return d.watermark() - int64(n.corr.Timespan) }

// A deadline is when an alert ends if nothing more comes.
type deadline struct {
	at   int64
	node int
	g    *group
	l    *live
}

// deadlines is a heap; an entry whose alert went on is put back when it comes up.
type deadlines []deadline

func (h deadlines) Len() int           { return len(h) }
func (h deadlines) Less(i, j int) bool { return h[i].at < h[j].at }
func (h deadlines) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *deadlines) Push(x any)        { *h = append(*h, x.(deadline)) }
func (h *deadlines) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = deadline{}
	*h = old[:len(old)-1]
	return last
}

// watch puts the alert of a group among those that end one day. Entries of alerts that ended early are cleared out when
// they are the greater part.
func (d *Detector) watch(n *node, g *group) {
	heap.Push(&d.due, deadline{n.endsAt(g.live, math.MinInt64), n.n, g, g.live})
	if len(d.due) > 2*d.lives+1024 {
		d.due = slices.DeleteFunc(d.due, func(x deadline) bool { return x.g.live != x.l })
		heap.Init(&d.due)
	}
}

// endsAt is the record time after which an alert has been quiet for long enough, when the newest time is that.
func (n *node) endsAt(l *live, newest int64) int64 {
	return l.lasts(newest) + int64(n.meta.Tocsin.Quiet)
}

// lasts is from when on an alert is quiet, when the newest time is that.
func (l *live) lasts(newest int64) int64 {
	if l.Ahead != 0 && l.Ahead-farAway <= newest { // it is believed by now
		return max(l.Active, l.Ahead)
	}
	return l.Active
}

// turnBack puts the alerts in order again when time has gone back: what was believed to be ahead is not any more.
func (d *Detector) turnBack() {
	for i := range d.due {
		if x := &d.due[i]; x.g.live == x.l {
			x.at = d.rules.nodes[x.node].endsAt(x.l, math.MinInt64)
		}
	}
	heap.Init(&d.due)
}

// endQuiet ends the alerts whose quiet is over, in order of time, then of rules, then of groups.
func (d *Detector) endQuiet(changes []Change) []Change {
	now := d.watermark()
	var over []deadline
	for len(d.due) > 0 && d.due[0].at < now {
		x := heap.Pop(&d.due).(deadline)
		if x.g.live != x.l {
			continue
		}
		if x.at = d.rules.nodes[x.node].endsAt(x.l, d.newest); x.at >= now {
			heap.Push(&d.due, x)
			continue
		}
		over = append(over, x)
	}
	slices.SortFunc(over, func(a, b deadline) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.node, b.node), cmp.Compare(a.g.Hash, b.g.Hash))
	})
	for _, x := range over {
		changes = d.end(d.rules.nodes[x.node], x.g, changes)
	}
	return changes
}

// end ends the alert of a group.
func (d *Detector) end(n *node, g *group, changes []Change) []Change {
	l := g.live
	g.live = nil
	d.lives--
	l.Alert.Ended = true
	g.spend(n)
	d.weigh(n, g)
	if n.rule != nil || g.weight == 0 && g.sketch == nil {
		d.remove(n, g)
	}
	if n.raises {
		d.active--
		if l.Entry.Count > 0 { // it was told
			changes = append(changes, Change{Step: Ended, Alert: l.copied()})
		}
	}
	return changes
}
