package detect

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"tocsin/internal/sigma"
)

// # When a correlation is fulfilled
//
// A window is a stretch of record time as long as the correlation's timespan, both ends counted in, that ends at a match.
// Windows lie anywhere; no clock boundary cuts them. A match is looked at in every window that holds it, so one that
// comes late still counts where it belongs. It completes the correlation when in one of these windows
//
//	event_count       the number of matches is within the bounds; a record that several rules match counts once
//	value_count       the number of distinct values (tuples, without regard to case) is within the bounds, and the
//	                  match brought a value that the window did not have, or an alert is active already
//	value_sum         the sum of the field over the matches is within the bounds
//	value_avg         the mean of the field over the matches is within the bounds
//	value_percentile  the matches that have the same value of the field (without regard to case) as the match are, in
//	                  percent of all, within the bounds; with percentile: that percentile (nearest rank) of the field is
//	temporal          the number of rules with a match is within the bounds; without a condition all rules have one
//	temporal_ordered  the number of matches in the longest row is within the bounds, and the match is one of such a row.
//	                  A row is matches of different rules in the order of the rules and of time (equal times are in
//	                  order), no two neighbours of it the same record. Without a condition it has one of each rule
//
// A record that lacks a group-by field, or a field of the condition, does not count: missing is no value, and text that is
// no number is none where numbers are added up.
// A correlation below counts once for each of its alerts in event_count, value_sum, value_avg and value_percentile; elsewhere
// each completing record is a match of it.
//
// The window's records that no alert has told go into the alert; of temporal_ordered those that stand in such a row, of a
// share those of the same value. What an ended alert told is spent: it takes no part in later windows, but for value_count
// and a share, where it still is one of the values.
//
// A group keeps what a window can need and no more: of event_count the newest 2N+64 matches, N being the highest number
// in its bounds, and when N is above 128 the newest 256, those before, and those that come while it is 64 short of its alert, joined by
// slices of a 64th of the timespan, each at its latest time, so that a count is exact to that; of value_count 2N+64 values with 16 matches each, and when there are
// more than 576 an estimate of how many there were (sketch.go); of temporal rules 64 matches each; of value_sum,
// value_avg and a percentile 512, and when there are more the newest 256, those before joined by the same slices, with their
// sum; of a share 1,024, of which those of the most frequent value but its newer half are joined by slices, or, when that
// makes no room, the oldest match is forgotten that stands for the fewest.

const (
	spareMarks  = 64  // kept beyond what the bounds need
	exactCount  = 128 // the highest bound of event_count up to which each match is kept
	exactMarks  = 256 // matches of event_count that are kept each when its bound is higher
	countSlices = 64  // of a timespan, in which older ones are joined
	valueMarks  = 16  // of one value
	valueTracks = 576 // values of value_count that are kept each
	sumMarks    = 512 // of value_sum, value_avg and a percentile
	shareMarks  = 1024
	maxEnds     = 64  // windows in which a late match is looked at: whoever makes lines come late must not make them cost
	bundleMarks = 512 // records that a correlation hands on when it is fulfilled
	pruneSlack  = 8   // what no window reaches goes when it is older by this part of the timespan
)

// A track is marks in order.
type track struct {
	key   uint64 // of value_count and a share: the value's hash
	marks []mark
}

// A counting says what the bounds of a correlation count.
type counting uint8

const (
	countOther counting = iota
	countRecords
	countValues
)

func (n *node) counting() counting {
	switch n.corr.Type {
	case sigma.EventCount:
		return countRecords
	case sigma.ValueCount:
		return countValues
	}
	return countOther
}

// insert puts m in its place and returns false when its record is there already.
func (t *track) insert(m mark) bool {
	if n := len(t.marks); n == 0 || t.marks[n-1].before(&m) {
		t.marks = append(t.marks, m)
	} else {
		i := sort.Search(n, func(i int) bool { return m.before(&t.marks[i]) })
		if i > 0 && t.marks[i-1].At == m.At && t.marks[i-1].Ord == m.Ord {
			return false
		}
		t.marks = slices.Insert(t.marks, i, m)
	}
	if old := len(t.marks) - 1 - markRaws; old >= 0 {
		t.marks[old].setRaw("")
	}
	return true
}

// extend lets m stand for the last mark too, when it is a later record of the same slice; false when it is not.
func (t *track) extend(n *node, m *mark) bool {
	if len(t.marks) == 0 {
		return false
	}
	last := &t.marks[len(t.marks)-1]
	if !last.before(m) || !last.joins(m, max(int64(n.corr.Timespan)/countSlices, 1)) {
		return false
	}
	m.join(last)
	*last = *m
	return true
}

// drop takes the oldest n marks away.
func (t *track) drop(n int) {
	if n > 0 {
		clear(t.marks[:n])
		t.marks = t.marks[n:]
	}
}

// from is the place of the first mark at or after a time.
func (t *track) from(at int64) int {
	return sort.Search(len(t.marks), func(i int) bool { return t.marks[i].At >= at })
}

// span returns the marks from lo to hi, both counted in.
func (t *track) span(lo, hi int64) []mark {
	i := t.from(lo)
	return t.marks[i : i+sort.Search(len(t.marks)-i, func(j int) bool { return t.marks[i+j].At > hi })]
}

// most is how many marks or values of a correlation are kept.
func (n *node) keeps() int {
	most := 2*n.most + spareMarks
	switch n.counting() {
	case countRecords:
		if n.most > exactCount {
			return 2 * exactMarks
		}
	case countValues:
		return min(most, valueTracks)
	case countOther:
		if n.share() {
			return shareMarks
		}
		if n.numeric() {
			return sumMarks
		}
		return spareMarks
	}
	return most
}

// prune forgets what no window of a timely record can reach any more, and what is beyond the limits. It does so when there
// is enough to forget, because it looks at all that the group has.
func (g *group) prune(n *node, reach int64) {
	keeps, full := n.keeps(), false
	switch {
	case n.counting() == countValues:
		full = len(g.tracks) > keeps
	case n.share():
		full = g.held > keeps
	default:
		for i := range g.tracks {
			full = full || len(g.tracks[i].marks) > keeps
		}
	}
	if !full && g.oldest >= reach-int64(n.corr.Timespan)/pruneSlack {
		return
	}
	for i := range g.tracks {
		g.tracks[i].drop(g.tracks[i].from(reach))
	}
	switch {
	case n.counting() == countValues:
		g.tracks = slices.DeleteFunc(g.tracks, func(t track) bool { return len(t.marks) == 0 })
		g.pruneValues(n, keeps)
	case n.share():
		g.pruneShare(int64(n.corr.Timespan))
	case n.numeric():
		if t := &g.tracks[0]; len(t.marks) > keeps {
			t.joinSlices(int64(n.corr.Timespan), exactMarks)
			t.drop(len(t.marks) - keeps)
		}
	case n.counting() == countRecords:
		if t := &g.tracks[0]; len(t.marks) > keeps {
			if n.most > exactCount {
				t.joinSlices(int64(n.corr.Timespan), exactMarks)
				keeps = exactMarks + 3*countSlices
			}
			t.drop(len(t.marks) - keeps)
		}
	default:
		for i := range g.tracks {
			g.tracks[i].drop(len(g.tracks[i].marks) - keeps)
		}
	}
	g.recount()
}

// pruneValues keeps the values of value_count within their number; what is forgotten before its time lives on in a sketch.
func (g *group) pruneValues(n *node, keeps int) {
	if len(g.tracks) <= keeps {
		return
	}
	if keeps == valueTracks && g.sketch == nil {
		g.sketch = &sketch{}
		for i := range g.tracks {
			for _, m := range g.tracks[i].marks {
				g.sketch.add(g.tracks[i].key, m.At, m.Ord, int64(n.corr.Timespan))
			}
		}
	}
	var last []mark // of each value
	for i := range g.tracks {
		last = append(last, g.tracks[i].marks[len(g.tracks[i].marks)-1])
	}
	slices.SortFunc(last, func(a, b mark) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Ord, b.Ord)) })
	from := last[len(last)-(keeps-keeps/8)]
	g.tracks = slices.DeleteFunc(g.tracks, func(t track) bool { return t.marks[len(t.marks)-1].before(&from) })
}

// recount counts what the group holds.
func (g *group) recount() {
	g.held, g.count, g.oldest = 0, 0, math.MaxInt64
	for i := range g.tracks {
		for k := range g.tracks[i].marks {
			g.held += g.tracks[i].marks[k].weight()
			g.count += int64(g.tracks[i].marks[k].N)
		}
		if len(g.tracks[i].marks) > 0 {
			g.oldest = min(g.oldest, g.tracks[i].marks[0].At)
		}
	}
	if g.sketch != nil {
		g.held += sketchWeight
	}
}

// joinSlices joins the marks before the newest by slices of the timespan. What is joined must not go on to be joined with what
// comes later: it would never be too old.
func (t *track) joinSlices(span int64, newest int) {
	cut, slice := len(t.marks)-newest, max(span/countSlices, 1)
	out := t.marks[:0]
	for i, m := range t.marks {
		if i < cut && len(out) > 0 {
			if last := &out[len(out)-1]; last.joins(&m, slice) {
				m.join(last)
				*last = m
				continue
			}
		}
		out = append(out, m)
	}
	clear(t.marks[len(out):])
	t.marks = out
}

// joins reports whether a newer mark may stand for m too.
func (m *mark) joins(o *mark, slice int64) bool {
	return m.At/slice == o.At/slice && m.Told == o.Told && len(m.more())+len(o.more()) == 0
}

// pruneShare keeps a share's marks within their number.
func (g *group) pruneShare(span int64) {
	g.tracks = slices.DeleteFunc(g.tracks, func(t track) bool { return len(t.marks) == 0 })
	held := 0
	for i := range g.tracks {
		held += len(g.tracks[i].marks)
	}
	for held > shareMarks {
		t := &g.tracks[0]
		for i := range g.tracks {
			if len(g.tracks[i].marks) > len(t.marks) {
				t = &g.tracks[i]
			}
		}
		before := len(t.marks)
		if t.joinSlices(span, before/2); len(t.marks) < before {
			held -= before - len(t.marks)
			continue
		}
		i := g.least()
		if g.tracks[i].drop(1); len(g.tracks[i].marks) == 0 {
			g.tracks = slices.Delete(g.tracks, i, i+1)
		}
		held--
	}
}

// share reports whether a correlation asks how common a value is.
func (n *node) share() bool {
	return n.corr.Type == sigma.ValuePercentile && n.corr.Percentile == 0
}

// numeric reports whether a correlation reckons with the number in its field.
func (n *node) numeric() bool {
	t := n.corr.Type
	return t == sigma.ValueSum || t == sigma.ValueAvg || t == sigma.ValuePercentile && !n.share()
}

// least is the value whose oldest mark stands for the fewest records, of equals the oldest.
func (g *group) least() int {
	least := 0
	for i := range g.tracks {
		a, b := &g.tracks[i].marks[0], &g.tracks[least].marks[0]
		if a.N < b.N || a.N == b.N && a.before(b) {
			least = i
		}
	}
	return least
}

// limit keeps the newest marks, first giving up those whose address and account a newer one names too.
func (t *track) limit(most int) {
	for len(t.marks) > most {
		out := 0
		for i := range t.marks[:len(t.marks)-1] {
			m := &t.marks[i]
			if slices.ContainsFunc(t.marks[i+1:], func(o mark) bool { return o.Sight.IP == m.Sight.IP && o.Sight.Account == m.Sight.Account }) {
				out = i
				break
			}
		}
		t.marks = slices.Delete(t.marks, out, out+1)
	}
}

// put stores a mark in the track of its slot or value. It returns false when its record is there already.
func (g *group) put(n *node, slot int, value uint64, m mark) bool {
	t := g.trackOf(n, slot, value)
	if n.counting() == countRecords && n.most > exactCount && g.live == nil && g.count+spareMarks < int64(n.least) && t.extend(n, &m) {
		g.count++
		g.Newest = max(g.Newest, m.At)
		return true
	}
	if !t.insert(m) {
		return false
	}
	g.oldest = min(g.oldest, m.At)
	g.held += m.weight()
	g.count += int64(m.N)
	g.Newest = max(g.Newest, m.At)
	if n.counting() != countValues {
		return true
	}
	if len(t.marks) > valueMarks {
		before := t.weight()
		t.limit(valueMarks)
		g.held += t.weight() - before
	}
	if g.sketch != nil {
		g.sketch.add(value, m.At, m.Ord, int64(n.corr.Timespan))
	}
	return true
}

func (t *track) weight() (w int) {
	for i := range t.marks {
		w += t.marks[i].weight()
	}
	return w
}

// trackOf finds the track of a slot or value; a new value gets one.
func (g *group) trackOf(n *node, slot int, value uint64) *track {
	switch {
	case n.counting() == countValues || n.share():
		for i := range g.tracks {
			if g.tracks[i].key == value {
				return &g.tracks[i]
			}
		}
		g.tracks = append(g.tracks, track{key: value})
		return &g.tracks[len(g.tracks)-1]
	case n.corr.Type == sigma.Temporal || n.corr.Type == sigma.TemporalOrdered:
		return &g.tracks[slot]
	}
	return &g.tracks[0]
}

// short reports whether a group has too little for the correlation in any window. Only of counts can that be told at once.
func (g *group) short(n *node) bool {
	switch n.counting() {
	case countRecords:
		return g.count < int64(n.least)
	case countValues:
		return g.sketch == nil && len(g.tracks) < n.least
	}
	return false
}

// near reports whether a group may be so near to an alert that the alert will want to show this record's line.
func (g *group) near(n *node) bool {
	if g.live != nil {
		return len(g.live.Alert.Samples) < MaxSamples
	}
	switch n.counting() {
	case countRecords:
		return g.count+markRaws+1 >= int64(n.least)
	case countValues:
		return len(g.tracks)+markRaws+1 >= n.least
	}
	return true
}

// A window is a stretch of record time in which a correlation is fulfilled.
type window struct {
	lo, hi int64
	fresh  bool     // of value_count: the match brought a new value
	in     [][]bool // of temporal_ordered: which marks stand in a row
	only   *track   // of a share: the match's value
}

// fulfilled takes from every window that holds the match of record ord, at a time, and fulfils the correlation the
// records that no alert has, each once, in order; they count as told then. Active says that an alert is; fresh that
// the match brought a new value (of value_count).
func (g *group) fulfilled(n *node, at, ord int64, active bool) (untold []mark, fresh, ok bool) {
	span := int64(n.corr.Timespan)
	var room [8]int64
	for _, hi := range g.ends(room[:0], at, at+span) {
		w := window{lo: hi - span, hi: hi}
		if g.holds(n, &w, ord, active || ok) {
			ok, fresh = true, fresh || w.fresh
			untold = g.untold(w, untold)
		}
	}
	slices.SortStableFunc(untold, func(a, b mark) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Ord, b.Ord)) })
	return slices.CompactFunc(untold, func(a, b mark) bool { return a.At == b.At && a.Ord == b.Ord }), fresh, ok
}

// ends lists the times of marks from at to last: where windows that hold a match at that time can end.
func (g *group) ends(ends []int64, at, last int64) []int64 {
	ends = append(ends, at)
	if g.Newest <= at {
		return ends
	}
	for i := range g.tracks {
		marks := g.tracks[i].marks
		if len(marks) == 0 || marks[len(marks)-1].At <= at {
			continue
		}
		for _, m := range g.tracks[i].span(at+1, last) {
			ends = append(ends, m.At)
		}
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	if n := len(ends); n > maxEnds { // evenly, the first and the last among them
		for i := range maxEnds {
			ends[i] = ends[i*(n-1)/(maxEnds-1)]
		}
		ends = ends[:maxEnds]
	}
	return ends
}

func (g *group) holds(n *node, w *window, ord int64, active bool) bool {
	switch n.corr.Type {
	case sigma.EventCount:
		count := int64(0)
		marks := g.tracks[0].span(w.lo, w.hi)
		for i := range marks {
			count += int64(marks[i].N)
		}
		return n.corr.Hold(float64(count))
	case sigma.ValueSum, sigma.ValueAvg:
		sum, count := 0.0, int64(0)
		for _, m := range g.tracks[0].span(w.lo, w.hi) {
			sum, count = sum+m.of().X, count+int64(m.N)
		}
		if n.corr.Type == sigma.ValueAvg {
			sum /= float64(count)
		}
		return n.corr.Hold(sum)
	case sigma.ValuePercentile:
		if n.share() {
			return g.holdsShare(n, w, ord)
		}
		return n.corr.Hold(percentile(g.tracks[0].span(w.lo, w.hi), n.corr.Percentile))
	case sigma.ValueCount:
		count := 0
		for i := range g.tracks {
			marks := g.tracks[i].span(w.lo, w.hi)
			if len(marks) > 0 {
				count++
			}
			w.fresh = w.fresh || len(marks) == 1 && marks[0].Ord == ord
		}
		is := float64(count)
		if g.sketch != nil {
			is = max(is, math.Round(g.sketch.count(w.lo, w.hi, int64(n.corr.Timespan))))
			w.fresh = w.fresh && g.sketch.Fresh == ord
		}
		return (active || w.fresh) && n.corr.Hold(is)
	case sigma.Temporal:
		count := 0
		for i := range g.tracks {
			if len(g.tracks[i].span(w.lo, w.hi)) > 0 {
				count++
			}
		}
		return n.corr.Hold(float64(count))
	}
	lengths := g.rows(w.lo, w.hi)
	longest, ok := 0, false
	w.in = make([][]bool, len(lengths))
	for i := range g.tracks {
		for j, m := range g.tracks[i].span(w.lo, w.hi) {
			in := n.corr.Hold(float64(lengths[i][j]))
			w.in[i] = append(w.in[i], in)
			longest, ok = max(longest, lengths[i][j]), ok || in && m.Ord == ord
		}
	}
	return ok && n.corr.Hold(float64(longest))
}

// holdsShare compares how common the value of the match of record ord is.
func (g *group) holdsShare(n *node, w *window, ord int64) bool {
	var all, same int64
	for i := range g.tracks {
		var count int64
		mine := false
		for _, m := range g.tracks[i].span(w.lo, w.hi) {
			count += int64(m.N)
			mine = mine || m.Ord == ord
		}
		all += count
		if mine {
			same, w.only = count, &g.tracks[i]
		}
	}
	return w.only != nil && n.corr.Hold(100*float64(same)/float64(all))
}

// percentile is the value that p percent of the marks do not exceed (nearest rank). A joined mark counts as often as the
// records that it stands for, each with their mean.
func percentile(marks []mark, p int) float64 {
	sorted := slices.Clone(marks)
	mean := func(m *mark) float64 { return m.of().X / float64(m.N) }
	slices.SortFunc(sorted, func(a, b mark) int { return cmp.Compare(mean(&a), mean(&b)) })
	var all, below int64
	for _, m := range sorted {
		all += int64(m.N)
	}
	for i := range sorted {
		if below += int64(sorted[i].N); 100*below >= int64(p)*all {
			return mean(&sorted[i])
		}
	}
	return 0
}

// rows says of each mark of a window, by track, how many marks the longest row has that it stands in. A row has at most one
// mark of each track, in order of tracks and of time, and no two neighbours of it are the same record.
func (g *group) rows(lo, hi int64) [][]int {
	in := make([][]int, len(g.tracks))
	earlier := func(a, b int64) bool { return a < b }
	later := func(a, b int64) bool { return a > b }
	var ending []neighbours // by length of the row that ends there, from 1
	for i := range g.tracks {
		marks := g.tracks[i].span(lo, hi)
		in[i] = make([]int, len(marks))
		for j := range marks {
			in[i][j] = 1 + longest(ending, marks[j].Ord, func(at int64) bool { return at <= marks[j].At })
		}
		ending = offer(ending, marks, in[i], earlier)
	}
	var beginning []neighbours
	for i := len(g.tracks) - 1; i >= 0; i-- {
		marks := g.tracks[i].span(lo, hi)
		behind := make([]int, len(marks))
		for j := range marks {
			behind[j] = 1 + longest(beginning, marks[j].Ord, func(at int64) bool { return at >= marks[j].At })
			in[i][j] += behind[j] - 1
		}
		beginning = offer(beginning, marks, behind, later)
	}
	return in
}

// longest is the length of the longest row that a mark of record ord can go on from.
func longest(rows []neighbours, ord int64, fits func(at int64) bool) int {
	for n := len(rows); n > 0; n-- {
		if rows[n-1].some(ord, fits) {
			return n
		}
	}
	return 0
}

// offer notes marks as ends of rows of their lengths.
func offer(rows []neighbours, marks []mark, lengths []int, better func(a, b int64) bool) []neighbours {
	for j := range marks {
		for n := range lengths[j] {
			if n == len(rows) {
				rows = append(rows, neighbours{})
			}
			rows[n].add(&marks[j], better)
		}
	}
	return rows
}

// neighbours are the two marks that are the easiest to stand beside: the earliest for what comes behind, the latest for
// what comes before. Two, because one may be the same record.
type neighbours struct {
	at, ord [2]int64
	n       int
}

func (x *neighbours) add(m *mark, better func(a, b int64) bool) {
	i := x.n
	switch {
	case x.n > 0 && x.ord[0] == m.Ord || x.n > 1 && x.ord[1] == m.Ord:
		return
	case x.n < len(x.at):
		x.n++
	default:
		i = 0
		if better(x.at[0], x.at[1]) {
			i = 1
		}
		if !better(m.At, x.at[i]) {
			return
		}
	}
	x.at[i], x.ord[i] = m.At, m.Ord
}

// some reports whether one of them is of another record and at a fitting time.
func (x *neighbours) some(ord int64, fits func(at int64) bool) bool {
	for i := range x.n {
		if x.ord[i] != ord && fits(x.at[i]) {
			return true
		}
	}
	return false
}

// untold adds to out the records of a window that no alert has, and notes that one has them now.
func (g *group) untold(w window, out []mark) []mark {
	for i := range g.tracks {
		marks := g.tracks[i].span(w.lo, w.hi)
		for j := range marks {
			m := &marks[j]
			if m.Told || w.in != nil && !w.in[i][j] || w.only != nil && w.only != &g.tracks[i] {
				continue
			}
			m.Told = true
			more := m.more()
			if len(more) == 0 {
				out = append(out, *m)
			}
			out = append(out, more...)
		}
	}
	return out
}

// spend takes away what an ended alert told.
func (g *group) spend(n *node) {
	if n.corr == nil || n.corr.Type == sigma.ValueCount || n.share() {
		return
	}
	for i := range g.tracks {
		g.tracks[i].marks = slices.DeleteFunc(g.tracks[i].marks, func(m mark) bool { return m.Told })
	}
	g.recount()
}
