package detect

import (
	"time"

	"tocsin/internal/record"
)

// # What a rule costs
//
// By a clock that comes in from outside, of one record in some: the time that a rule's own part of the formula takes once
// the index has found that the rule may match, and, of a rule that matched, the time for its alert; of a correlation, the time
// for its windows. A predicate that several rules share costs the first of them that asks. Finding in one pass which rules may
// match is no rule's cost, and stands apart (Stats.Scan).

// clockEvery is one record of how many is measured where Options say nothing: two readings of a clock take as long as a record.
const clockEvery = 1024

// A cost is what was measured.
type cost struct {
	took    time.Duration
	records int64 // that were measured
	tried   int64 // of which the rule was looked at
}

func (c *cost) add(o cost) {
	c.took += o.took
	c.records += o.records
	c.tried += o.tried
}

// measure begins measuring a step of a rule; what it returns ends it.
func (d *Detector) measure(n *node) func() {
	begin := d.o.Clock()
	return func() { d.costs[n.n].took += d.o.Clock() - begin }
}

// correlateTimed is correlate, measured when it is this record's turn.
func (d *Detector) correlateTimed(n *node, r *record.Record, changes []Change) []Change {
	if d.timed {
		defer d.measure(n)()
	}
	return d.correlate(n, r, changes)
}

// matchTimed is the matcher's Match, measured.
func (d *Detector) matchTimed(o *route, r *record.Record) []int32 {
	o.timed++
	hits, scan := o.matcher.MatchTimed(r, d.o.Clock, func(h int32, took time.Duration) {
		c := &d.costs[o.rules[h]]
		c.took += took
		c.tried++
	})
	d.scanned.add(cost{took: scan, records: 1})
	return hits
}

// A timer measures for a Sifter.
type timer struct {
	clock   func() time.Duration // nil measures nothing
	every   int64
	n       int64
	scanned cost
}

// Time has a Sifter measure one record of so many; 0 is 1,024.
func (x *Sifter) Time(clock func() time.Duration, every int) {
	if every <= 0 {
		every = clockEvery
	}
	x.timer.clock, x.timer.every = clock, int64(every)
}

// match is the matcher's Match, measured when it is this record's turn.
func (x *Sifter) match(o *screen, r *record.Record) []int32 {
	t := &x.timer
	if t.clock == nil {
		return o.matcher.Match(r)
	}
	if t.n++; t.n%t.every != 0 {
		return o.matcher.Match(r)
	}
	for _, i := range o.rules {
		x.costs[i].records++
	}
	hits, scan := o.matcher.MatchTimed(r, t.clock, func(h int32, took time.Duration) {
		c := &x.costs[o.rules[h]]
		c.took += took
		c.tried++
	})
	t.scanned.add(cost{took: scan, records: 1})
	return hits
}
