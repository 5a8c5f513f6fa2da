package detect

import (
	"cmp"
	"slices"
)

// # Other rules, the same windows
//
// When rules change, those that did not keep what they saw: a node of the new set takes over the bin of the old one that has
// its key and its version. A version is the hash of a rule's own text, so a correlation that did not change keeps its
// windows even when a rule that it reads did: what the old one matched is in them still. A rule that is new or changed has
// whatever its own Detector saw, which may be nothing. An alert of a rule that is gone or changed ends.
//
// The old state comes as a snapshot, so that a change of rules while the program runs and one between two starts go
// through the same code.

// Adopted says what became of a snapshot's rules.
type Adopted struct {
	Kept  int      // rules that took over their windows
	Fresh []string // keys of rules that are new or changed, in the order of the set
	Gone  []string // keys of the snapshot's rules that are not in the set any more; changed ones are Fresh
	Ended []Change // alerts that were told and whose rule is gone or changed, or raises none any more, oldest first
}

// Adopt takes over the windows, alerts and figures of those rules that are in a snapshot with the same key and version, and
// what the snapshot knows beside rules. Of the others the Detector keeps what it has itself. It is called before the
// record is stepped through that follows the snapshot. An error leaves the Detector as it was.
func (d *Detector) Adopt(data []byte) (Adopted, error) {
	var out Adopted
	s, err := decode(data)
	if err != nil {
		return out, err
	}
	places := map[[2]string]int{}
	for i, b := range s.Bins {
		places[[2]string{b.Rule, b.Version}] = i
	}
	trial := New(d.rules, d.o) // so that damage is found before anything is changed
	from := make([]int, len(d.rules.nodes))
	for i, n := range d.rules.nodes {
		at, same := places[[2]string{n.meta.Key(), n.meta.Version}]
		if from[i] = at; !same {
			from[i] = -1
			out.Fresh = append(out.Fresh, n.meta.Key())
			continue
		}
		if err := trial.restoreBin(n, &s.Bins[at], s.Sights); err != nil {
			return Adopted{}, damaged(n, err)
		}
		out.Kept++
	}
	place := func(old int) (int, bool) {
		i := slices.Index(from, old)
		return i, i >= 0 && d.rules.nodes[i].corr != nil
	}
	if err := trial.restoreRest(s, d.habits, place); err != nil {
		return Adopted{}, err
	}
	taken := map[int]bool{}
	for i, n := range d.rules.nodes {
		if from[i] < 0 {
			continue
		}
		taken[from[i]] = true
		d.empty(n)
		if err := d.restoreBin(n, &s.Bins[from[i]], s.Sights); err != nil {
			panic("detect: what could be read a moment ago cannot: " + err.Error())
		}
		if !n.raises {
			out.Ended = append(out.Ended, d.hush(n)...)
		}
	}
	for i := range s.Bins {
		if !taken[i] {
			out.Ended = append(out.Ended, s.Bins[i].told()...)
			if key := s.Bins[i].Rule; !slices.Contains(out.Fresh, key) {
				out.Gone = append(out.Gone, key)
			}
		}
	}
	slices.SortStableFunc(out.Ended, func(a, b Change) int { return cmp.Compare(a.Alert.RaisedSeq, b.Alert.RaisedSeq) })
	d.ord = max(d.ord, s.Ord) // a record's number is its own, in old windows and in new ones
	if err := d.restoreRest(s, d.habits, place); err != nil {
		panic("detect: what could be read a moment ago cannot: " + err.Error())
	}
	return out, nil
}

// empty forgets what a rule has seen. Its alerts are not told to end: they were told to nobody.
func (d *Detector) empty(n *node) {
	d.bins[n.n].each(func(g *group) bool {
		if g.live != nil {
			g.live = nil
			d.lives--
			if n.raises {
				d.active--
			}
		}
		d.remove(n, g)
		return true
	})
}

// hush ends the told alerts of a rule that raises none any more, because a correlation reads it now; they go on untold.
func (d *Detector) hush(n *node) (out []Change) {
	for e := d.bins[n.n].order.Front(); e != nil; e = e.Next() {
		if l := e.Value.(*group).live; l != nil && l.Entry.Count > 0 {
			l.Entry = entered{}
			out = append(out, ending(l))
		}
	}
	return out
}

// told returns the ends of the alerts of a bin that were told.
func (f *binForm) told() (out []Change) {
	for _, g := range f.Groups {
		if g.Live != nil && g.Live.Entry.Count > 0 {
			out = append(out, ending(g.Live))
		}
	}
	return out
}

func ending(l *live) Change {
	a := l.copied()
	a.Ended = true
	return Change{Step: Ended, Alert: a}
}
