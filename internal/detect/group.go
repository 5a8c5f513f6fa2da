package detect

import (
	"container/heap"
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// A group is the state of one rule or correlation for one set of group values.
type group struct {
	Key    string
	Values []string // as first seen
	tracks []track  // of a correlation: one per slot (temporal), per value (value_count, a share), or one
	Newest int64    // record time of its newest mark
	weight int      // records that it holds
	live   *live
	place  *list.Element
}

// A bin is the state of one node: its groups, those used last at the back.
type bin struct {
	groups map[string]*group
	order  *list.List
	weight int
	broken string // why the rule was set aside, "" while it works
	stats  RuleStats
}

// groupKey joins values to one text that no other values give, without regard to case.
func groupKey(values []string) string {
	var b strings.Builder
	for _, v := range values {
		v = sigma.Fold(v)
		if len(v) > maxText {
			sum := sha256.Sum256([]byte(v))
			v = v[:maxText/2] + hex.EncodeToString(sum[:])
		}
		b.WriteString(strconv.Itoa(len(v)))
		b.WriteByte(':')
		b.WriteString(v)
	}
	return b.String()
}

// ruleGroup gives the group values of a plain rule's match. Where the rule names none it is the address, else the account,
// else the file; the first character of the key keeps these apart.
func ruleGroup(n *node, r *record.Record) (key string, values []string) {
	if len(n.group) > 0 {
		for _, f := range n.group {
			v, _ := f.Value(r)
			values = append(values, v.Text)
		}
		return groupKey(values), values
	}
	for _, f := range []record.Field{record.SourceIP, record.UserName} {
		if s := r.Text(f); s != "" {
			return f.String() + " " + groupKey([]string{s}), []string{s}
		}
	}
	return "file " + groupKey([]string{r.Line.File}), []string{r.Line.File}
}

// group finds or makes a group and moves it to the back.
func (d *Detector) group(n *node, key string, values []string) *group {
	b := &d.bins[n.n]
	g := b.groups[key]
	if g == nil {
		g = &group{Key: key}
		for _, v := range values {
			g.Values = append(g.Values, keep(v, maxText))
		}
		if n.corr != nil {
			g.tracks = make([]track, n.tracks())
		}
		b.groups[key] = g
		g.place = b.order.PushBack(g)
		d.groups++
	}
	b.order.MoveToBack(g.place)
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

// weigh counts what a group holds anew.
func (d *Detector) weigh(n *node, g *group) {
	w := 0
	for i := range g.tracks {
		for j := range g.tracks[i].marks {
			w += g.tracks[i].marks[j].weight()
		}
	}
	d.bins[n.n].weight += w - g.weight
	d.weight += w - g.weight
	g.weight = w
}

// remove forgets a group; its alert, if it has one, is the caller's to end.
func (d *Detector) remove(n *node, g *group) {
	b := &d.bins[n.n]
	delete(b.groups, g.Key)
	b.order.Remove(g.place)
	b.weight -= g.weight
	d.weight -= g.weight
	d.groups--
}

// shrink keeps the state within its limits: as long as it is too large, the rule that holds the most loses the group that it
// used the longest ago. So a flood against one rule costs that rule. What is lost is counted; an alert of the group ends.
func (d *Detector) shrink(changes []Change) []Change {
	for d.groups > d.o.MaxGroups || d.weight > d.o.MaxRecords {
		tooMany := d.groups > d.o.MaxGroups
		most := slices.MaxFunc(d.rules.nodes, func(a, b *node) int {
			x, y := &d.bins[a.n], &d.bins[b.n]
			if tooMany {
				return len(x.groups) - len(y.groups)
			}
			return x.weight - y.weight
		})
		b := &d.bins[most.n]
		if b.order.Len() == 0 {
			return changes
		}
		g := b.order.Front().Value.(*group)
		if g.live != nil {
			changes = d.end(most, g, changes)
		}
		if g.place != nil && b.groups[g.Key] == g {
			d.remove(most, g)
		}
		b.stats.Evicted++
		d.evicted++
	}
	return changes
}

// sweep forgets the groups that no window can reach any more.
func (d *Detector) sweep() {
	for _, n := range d.rules.nodes[d.rules.plain:] {
		reach := d.watermark() - int64(n.corr.Timespan)
		for e := d.bins[n.n].order.Front(); e != nil; {
			g := e.Value.(*group)
			e = e.Next()
			if g.live != nil {
				continue
			}
			if g.Newest >= reach {
				break
			}
			d.remove(n, g)
		}
	}
}

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
	heap.Push(&d.due, deadline{n.endsAt(g.live), n.n, g, g.live})
	if len(d.due) > 2*d.lives+1024 {
		d.due = slices.DeleteFunc(d.due, func(x deadline) bool { return x.g.live != x.l })
		heap.Init(&d.due)
	}
}

// endsAt is the record time after which an alert has been quiet for long enough.
func (n *node) endsAt(l *live) int64 { return l.Active + int64(n.meta.Tocsin.Quiet) }

// endQuiet ends the alerts whose quiet is over, in order of time, then of rules, then of groups.
func (d *Detector) endQuiet(changes []Change) []Change {
	now := d.watermark()
	var over []deadline
	for len(d.due) > 0 && d.due[0].at < now {
		x := heap.Pop(&d.due).(deadline)
		if x.g.live != x.l {
			continue
		}
		if x.at = d.rules.nodes[x.node].endsAt(x.l); x.at >= now {
			heap.Push(&d.due, x)
			continue
		}
		over = append(over, x)
	}
	slices.SortFunc(over, func(a, b deadline) int {
		if a.at != b.at {
			return int(min(max(a.at-b.at, -1), 1))
		}
		if a.node != b.node {
			return a.node - b.node
		}
		return strings.Compare(a.g.Key, b.g.Key)
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
	if n.rule != nil || g.weight == 0 {
		d.remove(n, g)
	}
	if n.raises {
		changes = append(changes, Change{Step: Ended, Alert: l.copied()})
		d.active--
	}
	return changes
}
