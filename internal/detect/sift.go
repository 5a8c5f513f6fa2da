package detect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// # Sifting
//
// Which plain rules a record matches follows from the record alone, so many goroutines may find it out ahead of the one that
// counts and correlates; but for rules that ask what is normal for an account (the fields habit.*), which the Detector alone
// knows: these are held once more, against the few records that tell of somebody. They share a Sieve, and each has a Sifter. What they find goes to the Detector in the records'
// order, by StepSifted, or by Pass for a record of which nothing is needed but its time; the Detector then says what it
// would have said to Step.

// A Sieve is rules made ready to be held against records by several goroutines.
type Sieve struct {
	rules    *Rules
	zone     *time.Location
	asked    []record.Field
	together func(act func())
	shared   []*screen
}

// A screen is what a Sieve, or a Sifter of it, has for one log source.
type screen struct {
	source  record.LogSource
	rules   []int32 // places in Rules.nodes
	list    []*sigma.Rule
	set     *sigma.Set       // nil at first
	sample  []*record.Record // of the Sieve: until there are enough
	learnt  bool             // set will not change any more
	matcher *sigma.Matcher   // of a Sifter, for set
}

// NewSieve returns a Sieve of rules that read hours in a zone. together runs act while no other act of this Sieve runs: a
// mutex, when Sifters are used by several goroutines.
func NewSieve(rules *Rules, zone *time.Location, together func(act func())) *Sieve {
	return &Sieve{rules: rules, zone: zone, together: together, asked: rules.asked()}
}

// asked lists the fields that correlations and groups take values from.
func (r *Rules) asked() (all []record.Field) {
	note := func(f sigma.Field) {
		if k, ok := record.FieldNamed(f.Name()); ok && !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	for _, n := range r.nodes {
		for _, f := range n.group {
			note(f)
		}
		if n.rule != nil && n.habits { // it is held once more, when it is known what is normal
			n.rule.Reads(func(k record.Field) bool {
				if !slices.Contains(all, k) {
					all = append(all, k)
				}
				return false
			})
		}
		for _, s := range n.slots {
			for _, of := range [][]source{s.by, s.of} {
				for _, x := range of {
					note(x.field)
				}
			}
		}
	}
	return all
}

// sightFields are what a Detector asks of every record that a rule matches, whatever the rules are (sightOf, moved, ruleGroup).
var sightFields = []record.Field{
	record.SourceIP, record.SourceCountry, record.SourceNetwork, record.UserName, record.UserRealm, record.SessionID, record.HostName,
	record.EventAction, record.EventOutcome, record.TransferBytes,
}

// plainFields are all but views.
var plainFields = slices.DeleteFunc(allFields(), func(f record.Field) bool {
	return f.View() || f == record.URLDecoded || f == record.URLDecodedTwice
})

// A Keeper copies of records what Detectors need to step through them.
type Keeper struct{ some, all []record.Field }

// NewKeeper returns a Keeper for Detectors of the rules of some Sieves.
func NewKeeper(sieves ...*Sieve) Keeper {
	var asked []record.Field
	for _, s := range sieves {
		asked = append(asked, s.asked...)
	}
	return Keeper{some: slices.Concat(sightFields, asked), all: slices.Concat(plainFields, asked)}
}

// Keep makes o a copy of r that shares no text with it. Of a record with an account, from which a Detector learns what is
// normal, it has every field but views that no rule counts by; of others, what alerts tell and rules count by.
func (k Keeper) Keep(r, o *record.Record) {
	if of(r) {
		r.CopyTo(o, k.all)
	} else {
		r.CopyTo(o, k.some)
	}
}

// A Sifter finds the rules that records match. It is one goroutine's.
type Sifter struct {
	sieve   *Sieve
	screens []*screen
	last    *screen
	view    *sigma.View
	hits    []int32
	faults  []Fault
	costs   []cost // by node
	timer   timer
}

// A Fault is a rule that panicked on a record, and why.
type Fault struct {
	node int32
	why  string
}

// NewSifter returns a Sifter.
func (s *Sieve) NewSifter() *Sifter {
	return &Sifter{sieve: s, view: sigma.NewView(s.zone), costs: make([]cost, s.rules.plain)}
}

// Sift finds the rules that a record matches, by their places, and those that it breaks. Both are good until the next call.
func (x *Sifter) Sift(r *record.Record) (hits []int32, faults []Fault) {
	x.hits, x.faults = x.hits[:0], nil
	if !heard(r.Class) {
		return nil, nil
	}
	o := x.screen(r.Source)
	if !o.learnt {
		x.sieve.together(func() { x.sieve.learn(o, r) })
	}
	if !x.compiled(o, r) {
		x.plainly(o, r)
	}
	return x.hits, x.faults
}

// Whole reports whether a Detector must be given a record itself though no rule matches it: it learns from what people do.
func (x *Sifter) Whole(r *record.Record) bool { return of(r) }

// of reports whether a record is of somebody, or of a try to be: from such records is learnt what is normal, and who shares an address.
func of(r *record.Record) bool { return r.Has(record.UserName) || deedOf(r) != nothing }

// learn takes a record into the shared sample of its log source, and brings the Sifter's set up to date.
func (s *Sieve) learn(own *screen, r *record.Record) {
	o, fresh := find(s.shared, own.source)
	if fresh {
		if len(s.shared) == maxRoutes {
			s.shared = slices.Delete(s.shared, 0, 1)
		}
		s.shared = append(s.shared, o)
		o.list = own.list
	}
	if !o.learnt {
		c := &record.Record{}
		r.CopyTo(c, allFields())
		o.sample = append(o.sample, c)
		if n := len(o.sample); n == firstSample || n == lastSample {
			o.set = sigma.Compile(o.list, o.sample)
			o.learnt = n == lastSample
		}
		if o.learnt {
			o.sample = nil
		}
	}
	if own.set != o.set {
		own.set, own.matcher = o.set, o.set.NewMatcher(s.zone)
	}
	own.learnt = o.learnt
}

// allFields are what a sample must have: rules ask for anything.
func allFields() []record.Field {
	all := make([]record.Field, record.NumFields)
	for f := range all {
		all[f] = record.Field(f)
	}
	return all
}

func find(all []*screen, s record.LogSource) (o *screen, fresh bool) {
	for _, o := range all {
		if same(o.source, s) {
			return o, false
		}
	}
	return &screen{source: record.LogSource{Categories: slices.Clone(s.Categories), Product: strings.Clone(s.Product), Service: strings.Clone(s.Service)}}, true
}

func same(a, b record.LogSource) bool {
	return a.Product == b.Product && a.Service == b.Service && slices.Equal(a.Categories, b.Categories)
}

// screen returns the Sifter's screen for a log source.
func (x *Sifter) screen(s record.LogSource) *screen {
	if x.last != nil && same(x.last.source, s) {
		return x.last
	}
	o, fresh := find(x.screens, s)
	if fresh {
		for i, n := range x.sieve.rules.nodes[:x.sieve.rules.plain] {
			if n.rule.Routed(s) && n.aside == "" {
				o.rules, o.list = append(o.rules, int32(i)), append(o.list, n.rule)
			}
		}
		if len(x.screens) == maxRoutes {
			x.screens = slices.Delete(x.screens, 0, 1)
		}
		x.screens = append(x.screens, o)
	}
	x.last = o
	return o
}

// compiled uses the compiled set; false when there is none yet, or it panics: then each rule is held by itself.
func (x *Sifter) compiled(o *screen, r *record.Record) (done bool) {
	if o.matcher == nil {
		return false
	}
	defer func() {
		if recover() != nil {
			x.hits, done = x.hits[:0], false
		}
	}()
	for _, h := range x.match(o, r) {
		x.hits = append(x.hits, o.rules[h])
	}
	return true
}

func (x *Sifter) plainly(o *screen, r *record.Record) {
	x.view.Reset(r)
	for h, i := range o.rules {
		x.hold(o.list[h], i)
	}
}

// hold holds one rule against the record in view. A panic is that rule's fault.
func (x *Sifter) hold(u *sigma.Rule, place int32) {
	defer func() {
		if e := recover(); e != nil {
			x.faults = append(x.faults, Fault{place, fmt.Sprint(e)})
		}
	}()
	if u.MatchView(x.view) {
		x.hits = append(x.hits, place)
	}
}

// StepSifted is Step for a record of which a Sifter of the same rules has found what it matches and breaks. The record may be a
// Keeper's copy. All hosts are one lane: who sifts has put lines in order.
func (d *Detector) StepSifted(r *record.Record, hits []int32, faults []Fault) []Change {
	if !heard(r.Class) {
		d.hits = d.hits[:0]
		return nil
	}
	d.past = false
	at, changes := d.begin("", r.Time)
	d.judge(r, at)
	for _, f := range faults {
		if d.bins[f.node].broken == "" {
			changes = d.setAside(d.rules.nodes[f.node], f.why, changes)
		}
	}
	if d.habits.now.deed != nothing {
		hits, changes = d.holdHabits(r, hits, changes)
	}
	return d.finish(r, at, hits, changes)
}

// holdHabits holds the rules that ask what is normal against a record of which it is known now: the Sifter could not.
func (d *Detector) holdHabits(r *record.Record, hits []int32, changes []Change) ([]int32, []Change) {
	d.places = d.places[:0]
	for _, i := range hits {
		if !d.rules.nodes[i].habits {
			d.places = append(d.places, i)
		}
	}
	d.view.Reset(r)
	for i, n := range d.rules.nodes[:d.rules.plain] {
		if !n.habits || d.bins[i].broken != "" || !n.rule.Routed(r.Source) {
			continue
		}
		changes = d.guard(n, changes, func() []Change {
			if n.rule.MatchView(d.view) {
				d.places = append(d.places, int32(i))
			}
			return changes
		})
	}
	slices.Sort(d.places)
	return d.places, changes
}

// Pass is Step for a record that no rule matches and that need not be whole (Sifter.Whole), given its class and time.
func (d *Detector) Pass(c record.Class, t time.Time) []Change {
	if !heard(c) {
		d.hits = d.hits[:0]
		return nil
	}
	_, changes := d.begin("", t)
	return d.shrink(changes)
}

// Heard counts records of a log source that were sifted, for the figures of its rules. Lines that are only headers, and
// empty ones, do not count.
func (d *Detector) Heard(s record.LogSource, n int64) { d.route(s).seen += n }

// Add takes what a Sifter measured into the Detector's figures. The Sifter begins anew.
func (d *Detector) Add(x *Sifter) {
	for i := range x.costs {
		d.costs[i].add(x.costs[i])
		x.costs[i] = cost{}
	}
	d.scanned.add(x.timer.scanned)
	x.timer.scanned = cost{}
}
