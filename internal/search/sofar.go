package search

import (
	"slices"

	"tocsin/internal/query"
	"tocsin/internal/record"
)

// soFarAtMost is how many lines are read for what was found so far: somebody waits for it, and the search for that.
const soFarAtMost = 50

// soFar is what was found until now. Of a query that lists lines in order of time these are read for it, which takes a moment. mu is held.
func (x *run) soFar() query.Result {
	if x.picks == nil {
		return x.counted()
	}
	counted := x.fold.Result()
	some := &picks{keep: x.picks.keep, last: x.picks.last, rows: slices.Clone(x.picks.rows)}
	some.keep = min(some.keep, soFarAtMost)
	some.bound(some.keep)
	f := query.NewFold(x.q)
	fields := append(slices.Clone(x.q.Shown()), query.Host, query.File, query.Raw)
	var r record.Record
	for _, p := range some.rows {
		names, raw := p.scan.namesFor(fields)
		p.scan.said = &x.said
		if p.scan.rebuild(&r, p.row, raw, names) == nil { // what cannot be read is named in the end
			f.Add(&r)
		}
		p.scan.columns, p.scan.frame, p.scan.lines, p.scan.rows = map[string]*at{}, -1, nil, nil // they are held no longer than that
	}
	out := f.Result()
	out.Matched = counted.Matched + int64(x.picks.gone) + int64(len(x.picks.rows))
	return out
}

// counted is what was counted until now. mu is held.
func (x *run) counted() query.Result {
	if x.tally == nil {
		return x.fold.Result()
	}
	stage, _ := x.q.Folding()
	f := query.NewFold(x.q)
	whole := census{x.census.words, x.census.of, slices.Clone(x.census.counts)}
	t := newTally(x.s.seed)
	t.merge(x.tally)
	whole.pour(f, stage, t, false)
	f.Merge(x.fold)
	return f.Result()
}
