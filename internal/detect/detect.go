package detect

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// Options are what detection needs to know of the shop.
type Options struct {
	Own          []netip.Prefix // the shop's own networks: their addresses are marked Own in alerts
	Shared       []netip.Prefix // networks of shared addresses, beside those that are learnt
	Lateness     time.Duration  // how far out of order records may come; 0 is five minutes
	Zone         *time.Location // in which rules read hours and days; nil is UTC
	MaxGroups    int            // groups that are kept at once, of all rules together; 0 is 32,000 (some 400 bytes each)
	MaxRecords   int            // matches that windows hold at once, all together; 0 is 80,000 (some 100 to 300 bytes each)
	MaxWaiting   int            // groups that gave way and are remembered in 48 bytes; 0 is 500,000
	MaxAddresses int            // addresses of which is known who signs in from them; 0 is 20,000
	MaxAccounts  int            // accounts of which is known what is normal; 0 is 20,000 (some 800 bytes each)
	Plain        bool           // hold a record against one rule after the other: slow, and obviously right

	Clock      func() time.Duration // for measuring what each rule costs, since any moment; nil measures nothing
	ClockEvery int                  // one record of so many is measured; 0 is 1,024
}

func (o Options) filled() Options {
	set := func(n *int, standard int) {
		if *n <= 0 {
			*n = standard
		}
	}
	set(&o.MaxGroups, 32_000)
	set(&o.MaxRecords, 80_000)
	set(&o.MaxWaiting, 500_000)
	set(&o.MaxAddresses, 20_000)
	set(&o.MaxAccounts, 20_000)
	set(&o.ClockEvery, clockEvery)
	if o.Lateness <= 0 {
		o.Lateness = 5 * time.Minute
	}
	return o
}

// A Detector holds records against rules, one after the other. It is not safe for several goroutines.
type Detector struct {
	rules *Rules
	o     Options
	view  *sigma.View

	routes  []*route
	bins    []bin // by node
	due     deadlines
	near    neighbourhoods
	habits  *habits
	past    bool  // the record that is stepped through was there before its log was watched
	newest  int64 // the time of all: nanoseconds since 1970; 0: no record yet
	lanes   lanes
	ord     int64 // number of the record that is stepped through, from 1
	groups  int
	weight  int
	active  int // alerts that raise and have not ended
	lives   int // and those of correlations that only others read
	late    int64
	evicted int64

	waiting *waitingRoom // nil until it is needed
	blunt   bluntness

	forgotten int64 // addresses
	freezes   int64

	costs   []cost // by node
	scanned cost   // what all rules together cost before each is looked at
	timed   bool   // the record that is stepped through is measured

	// Of the record that is stepped through.
	places   []int32     // of the rules that it matches
	hits     []int       // nodes that it matched (Matched)
	arrivals [][]arrival // by node
	reached  []uint64    // nodes with arrivals, a bit each
	step     int         // the node that is at work
	raw      string      // the kept line, once asked for
	values   []string    // reused for group values,
	tuple    []string    // and for those that are counted
	touched  []*group

	sights    []*sight          // that were made last, by their hash
	texts     []byte            // reused by sightOf
	shorts    map[string]string // texts of which there are few
	host      string            // that was met last
	file, log string            // the file that was met last, and its base name
}

// A route says which rules read records of one log source.
type route struct {
	source  record.LogSource
	rules   []int // places in Rules.nodes
	list    []*sigma.Rule
	matcher *sigma.Matcher   // nil at first
	sample  []*record.Record // until there are enough
	seen    int64            // records, not yet in the rules' figures
	timed   int64            // those of them that were measured
}

// Rules are compiled when some records of their log source were seen, and again when many were: it is known then what is rare
// among them. Before, each rule is held by itself, which costs a few lines less than compiling does.
const (
	firstSample = 64
	lastSample  = 1024
)

// learn takes a record into the sample.
func (o *route) learn(r *record.Record, zone *time.Location) {
	if len(o.sample) == lastSample {
		return
	}
	o.sample = append(o.sample, r.Clone())
	if n := len(o.sample); n == firstSample || n == lastSample {
		o.matcher = sigma.Compile(o.list, o.sample).NewMatcher(zone)
	}
	if len(o.sample) == lastSample {
		clear(o.sample) // its length says that this is done
	}
}

// maxRoutes is how many log sources are remembered; there are few, but a line's header could invent more.
const maxRoutes = 64

// New returns a Detector that has seen nothing.
func New(rules *Rules, o Options) *Detector {
	d := &Detector{
		rules: rules, o: o.filled(), view: sigma.NewView(o.Zone),
		bins: make([]bin, len(rules.nodes)), near: newNeighbourhoods(), arrivals: make([][]arrival, len(rules.nodes)),
		reached: make([]uint64, (len(rules.nodes)+63)/64), shorts: map[string]string{}, sights: make([]*sight, sightsKept),
		costs: make([]cost, len(rules.nodes)),
	}
	d.habits, d.lanes = newHabits(d.o), newLanes()
	for i, n := range rules.nodes {
		d.bins[i] = newBin()
		d.bins[i].broken = n.aside
	}
	return d
}

// Step takes one record and says what it changes, alerts that end first. It puts on sign-ins and transfers what is normal for their account (the
// fields habit.*). The record may be changed afterwards.
//
// A record without a time counts as of the newest time seen. Headers and empty lines are passed over. A record that is
// later than Options.Lateness is still held against rules, but windows may have forgotten what stood before it; such
// records are counted (Stats.Late).
func (d *Detector) Step(r *record.Record) []Change { return d.stepThrough(r, false) }

// StepPast is Step for a record that was there before its log was watched. An alert that such records alone completed is past (Alert.Past);
// it is told again when the first other one joins it.
func (d *Detector) StepPast(r *record.Record) []Change { return d.stepThrough(r, true) }

func (d *Detector) stepThrough(r *record.Record, past bool) []Change {
	d.past = past
	if !heard(r.Class) {
		d.hits = d.hits[:0]
		return nil
	}
	at, changes := d.begin(r.Line.Host, r.Time)
	d.judge(r, at)
	hits, changes := d.hold(r, changes)
	return d.finish(r, at, hits, changes)
}

// heard reports whether lines of a class are held against rules.
func heard(c record.Class) bool { return c != record.Header && c != record.Empty }

// begin goes on to the time of a host's record: alerts end that it outlives.
func (d *Detector) begin(host string, t time.Time) (at int64, changes []Change) {
	d.ord++
	d.hits = d.hits[:0]
	d.timed = d.o.Clock != nil && d.ord%int64(d.o.ClockEvery) == 0
	at = d.newest
	if sound(t) {
		before := d.newest
		at = t.UnixNano()
		if d.newest = d.lanes.see(host, at, before, int64(d.o.Lateness)); d.newest < before {
			d.turnBack()
		}
	}
	if at < d.watermark() {
		d.late++
	}
	changes = d.endQuiet(nil)
	if d.ord%sweepEvery == 0 && d.ord/sweepEvery%int64(1+d.groups/sweepGroups) == 0 {
		d.sweep()
	}
	return at, changes
}

// finish does what follows from the rules that a record matched, given by their places in Rules.nodes.
func (d *Detector) finish(r *record.Record, at int64, hits []int32, changes []Change) []Change {
	changes = d.spread(r, at, hits, changes)
	d.learn(r, at)
	d.teach(r)
	return d.shrink(changes)
}

// Newest is the newest record time that was seen; zero when none was.
func (d *Detector) Newest() time.Time {
	if d.newest == 0 {
		return time.Time{}
	}
	return fromNano(d.newest)
}

// watermark is the record time before which no record is expected any more.
func (d *Detector) watermark() int64 { return d.lanes.holds(d.newest) - int64(d.o.Lateness) }

// hold runs the rules that read the record's log source, and returns the places of those that match.
func (d *Detector) hold(r *record.Record, changes []Change) ([]int32, []Change) {
	o := d.route(r.Source)
	o.seen++
	o.learn(r, d.o.Zone)
	hits, changes := d.matches(o, r, changes)
	d.places = d.places[:0]
	for _, h := range hits {
		d.places = append(d.places, int32(o.rules[h]))
	}
	return d.places, changes
}

// spread counts a record into the rules that it matched, then runs the correlations that they reach, upwards.
func (d *Detector) spread(r *record.Record, at int64, hits []int32, changes []Change) []Change {
	var m mark // of the record, once a rule matched
	d.raw = ""
	for _, i := range hits {
		n, b := d.rules.nodes[i], &d.bins[i]
		if b.broken != "" {
			continue
		}
		d.matched(n)
		if !n.raises && len(n.parents) == 0 {
			continue
		}
		if m.Sight == nil {
			m = mark{At: at, Ord: d.ord, Seq: r.Line.Seq, Sight: d.sightOf(r), N: 1}
			m.set(rest{Bytes: moved(r)})
		}
		if n.raises {
			changes = d.guard(n, changes, func() []Change { return d.match(n, r, m, changes) })
		}
		d.hand(n, arrival{mark: m, raised: true})
	}
	if m.Sight == nil {
		return changes
	}
	for more := true; more; {
		changes, more = d.climb(r, changes)
	}
	return changes
}

// climb runs the correlations that something arrived at, in their order. More is true when one of them panicked and was set
// aside: then the others remain.
func (d *Detector) climb(r *record.Record, before []Change) (changes []Change, more bool) {
	changes = before
	defer func() {
		if e := recover(); e != nil {
			changes, more = d.setAside(d.rules.nodes[d.step], e, changes), true
			d.clearArrivals(d.step)
		}
	}()
	for w := range d.reached {
		for d.reached[w] != 0 { // what a correlation hands on goes to later ones
			d.step = w*64 + bits.TrailingZeros64(d.reached[w])
			if d.bins[d.step].broken == "" {
				changes = d.correlateTimed(d.rules.nodes[d.step], r, changes)
			}
			d.clearArrivals(d.step)
		}
	}
	return changes, false
}

func (d *Detector) clearArrivals(i int) {
	clear(d.arrivals[i])
	d.arrivals[i] = d.arrivals[i][:0]
	d.reached[i/64] &^= 1 << (i % 64)
}

// guard runs a step of one rule. A panic costs that rule: it is set aside, its alerts end, and Broken tells why.
func (d *Detector) guard(n *node, before []Change, step func() []Change) (changes []Change) {
	defer func() {
		if e := recover(); e != nil {
			changes = d.setAside(n, e, before)
		}
	}()
	if d.timed {
		defer d.measure(n)()
	}
	return step()
}

// setAside ends what a rule that panicked has under way.
func (d *Detector) setAside(n *node, e any, changes []Change) []Change {
	b := &d.bins[n.n]
	b.broken = fmt.Sprint(e)
	b.each(func(g *group) bool {
		if l := g.live; l != nil && n.raises {
			l.Alert.Ended = true
			changes = append(changes, Change{Step: Ended, Alert: l.copied()})
			d.active--
		}
		if g.live != nil {
			g.live = nil
			d.lives--
		}
		d.remove(n, g)
		return true
	})
	return changes
}

// line is the record's line, kept.
func (d *Detector) line(r *record.Record) string {
	if d.raw == "" {
		d.raw = keep(r.Line.Raw, MaxSample)
	}
	return d.raw
}

// matches returns the places in o.rules of the rules that a record matches. When the compiled set panics, each rule is
// held by itself, so that one that is broken is found and set aside, and the others are still heard.
func (d *Detector) matches(o *route, r *record.Record, before []Change) (hits []int32, changes []Change) {
	changes = before
	if d.o.Plain || o.matcher == nil {
		return d.matchesPlainly(o, r, changes)
	}
	defer func() {
		if recover() != nil {
			hits, changes = d.matchesPlainly(o, r, before)
		}
	}()
	if d.timed {
		return d.matchTimed(o, r), changes
	}
	return o.matcher.Match(r), changes
}

func (d *Detector) matchesPlainly(o *route, r *record.Record, changes []Change) (hits []int32, _ []Change) {
	d.view.Reset(r)
	for h, i := range o.rules {
		n := d.rules.nodes[i]
		if d.bins[i].broken != "" {
			continue
		}
		changes = d.guard(n, changes, func() []Change {
			if n.rule.MatchView(d.view) {
				hits = append(hits, int32(h))
			}
			return changes
		})
	}
	return hits, changes
}

// route returns the rules that read a log source.
func (d *Detector) route(s record.LogSource) *route {
	for _, o := range d.routes {
		if o.source.Product == s.Product && o.source.Service == s.Service && slices.Equal(o.source.Categories, s.Categories) {
			return o
		}
	}
	o := &route{source: s}
	for i, n := range d.rules.nodes[:d.rules.plain] {
		if n.rule.Routed(s) && n.aside == "" {
			o.rules, o.list = append(o.rules, i), append(o.list, n.rule)
		}
	}
	if len(d.routes) == maxRoutes { // forgotten, the oldest first
		d.settle()
		d.routes = slices.Delete(d.routes, 0, 1)
	}
	o.source.Categories = slices.Clone(s.Categories)
	d.routes = append(d.routes, o)
	return o
}

// settle brings what was counted by route into the figures of the rules.
func (d *Detector) settle() {
	for _, o := range d.routes {
		for _, i := range o.rules {
			if d.bins[i].broken == "" {
				d.bins[i].stats.Seen += o.seen
			}
			d.costs[i].records += o.timed
		}
		o.seen, o.timed = 0, 0
	}
}

// A rule that has so many alerts under way raises no further one for each address: all others are one alert, which names the
// first MaxParties of them and counts. So a botnet whose every address sends one attack is a storm, not thousands of alerts.
const (
	stormGroups = 4000
	stormKind   = "storm"
)

// match counts a plain rule's match into the alert of its group, or raises one.
func (d *Detector) match(n *node, r *record.Record, m mark, changes []Change) []Change {
	kind, values := d.ruleGroup(n, r)
	if len(d.bins[n.n].groups) >= stormGroups && d.bins[n.n].find(kind, values) == nil {
		kind, values = stormKind, values[:0]
	}
	g := d.group(n, kind, values)
	if g.live == nil || len(g.live.Alert.Samples) < MaxSamples {
		m.setRaw(d.line(r))
	}
	return d.tell(n, g, []mark{m}, m, changes)
}

// tell puts records into the alert of a group; m is the match that does it.
func (d *Detector) tell(n *node, g *group, records []mark, m mark, changes []Change) []Change {
	l := g.live
	if l == nil {
		l = newLive(n, g, records[0], fromNano(m.At), m.Seq, d.ord)
		g.live = l
		d.lives++
		d.bins[n.n].stats.Alerts++
		if n.raises {
			d.active++
		}
	}
	l.Alert.Past = d.past && (l.Alert.Past || l.Entry.Count == 0)
	for _, x := range records {
		l.add(d, &n.meta.Tocsin, x)
		d.suspected(n, x)
		if n.habits && l.Alert.Why == "" {
			l.Alert.Why = x.Sight.Why
		}
	}
	if l.Ord == d.ord {
		d.watch(n, g)
	}
	if !n.raises {
		return changes
	}
	if step, ok := l.due(); ok {
		changes = append(changes, Change{Step: step, Alert: l.copied()})
	}
	return changes
}

// An arrival is a match on its way to a correlation.
type arrival struct {
	slot   int
	mark   mark
	values []string // group values of the correlation that it comes from
	raised bool     // it is the first of an alert; always true of a rule's match
}

// hand passes a match on to the correlations that read n.
func (d *Detector) hand(n *node, a arrival) {
	for _, p := range n.parents {
		a.slot = p.slot
		d.arrivals[p.node] = append(d.arrivals[p.node], a)
		d.reached[p.node/64] |= 1 << (p.node % 64)
	}
}

// correlate takes in the matches that the record brought to a correlation, then asks whether they complete it.
func (d *Detector) correlate(n *node, r *record.Record, changes []Change) []Change {
	reach := d.reach(n)
	d.touched = d.touched[:0]
	for i := range d.arrivals[n.n] {
		a := &d.arrivals[n.n][i]
		if a.mark.At < reach || n.once && !a.raised {
			continue
		}
		d.bins[n.n].stats.Seen++
		if d.timed {
			d.costs[n.n].records++
		}
		if g := d.take(n, a, r); g != nil && !slices.Contains(d.touched, g) {
			d.touched = append(d.touched, g)
		}
	}
	for _, g := range d.touched {
		g.prune(n, reach)
		if !g.short(n) {
			changes = d.complete(n, g, r, changes)
		}
		if d.bins[n.n].groups[g.Hash] == g {
			d.weigh(n, g)
		}
	}
	clear(d.touched)
	return changes
}

// take puts an arrival into its group; nil when it counts for nothing.
func (d *Detector) take(n *node, a *arrival, r *record.Record) *group {
	s := &n.slots[a.slot]
	var ok, has bool
	d.values, ok = valuesOf(d.values[:0], s.by, r, a.values)
	d.tuple, has = valuesOf(d.tuple[:0], s.of, r, a.values)
	x := 0.0
	if n.numeric() && has {
		x, has = amount(s.of[0], r, d.tuple[0])
	}
	if !ok || !has {
		d.bins[n.n].stats.Ungrouped++
		return nil
	}
	g := d.group(n, "", d.values)
	value := uint64(0)
	if len(s.of) > 0 && (n.counting() == countValues || n.share()) {
		value = hashValues("", d.tuple)
	}
	with := a.mark.of()
	with.X, with.Raw = x, ""
	if g.near(n) {
		with.Raw = d.line(r)
	}
	a.mark.set(with)
	if !g.put(n, a.slot, value, a.mark) {
		return nil
	}
	return g
}

// complete asks whether the record that is stepped through completes the correlation in a group.
func (d *Detector) complete(n *node, g *group, r *record.Record, changes []Change) []Change {
	last := d.arrivals[n.n][0].mark
	plain := last.of()
	plain.More = nil
	last.set(plain)
	records, fresh, ok := g.fulfilled(n, last.At, d.ord, g.live != nil)
	if !ok {
		return changes
	}
	d.matched(n)
	if n.meta.Tocsin.Parties == "last" {
		if g.live != nil && n.corr.Type == sigma.ValueCount && !fresh {
			return changes
		}
		records = []mark{last}
	}
	if len(records) == 0 {
		return changes
	}
	raised := g.live == nil
	changes = d.tell(n, g, records, last, changes)
	up := last
	if len(records) > 1 {
		plain.More = records[max(len(records)-bundleMarks, 0):]
		up.set(plain)
	}
	d.hand(n, arrival{mark: up, values: g.Values, raised: raised})
	return changes
}

// valuesOf appends the values of sources, from a record or a group below; false when one is missing.
func valuesOf(out []string, from []source, r *record.Record, below []string) ([]string, bool) {
	for i := range from {
		s := &from[i]
		if s.value >= 0 {
			out = append(out, below[s.value])
			continue
		}
		v, ok := s.field.Value(r)
		if !ok {
			return out, false
		}
		out = append(out, v.Text)
	}
	return out, true
}

// amount is the number that is reckoned with: the record's, typed as it was, or the text of a group below.
func amount(s source, r *record.Record, below string) (float64, bool) {
	if s.value >= 0 {
		return sigma.Number(record.Text(below))
	}
	v, _ := s.field.Value(r)
	return sigma.Number(v)
}
