package query

import (
	"slices"
	"time"

	"tocsin/internal/record"
)

// A CellKind is what a cell holds.
type CellKind uint8

const (
	CellMissing CellKind = iota // the line has no such field
	CellText
	CellNumber
	CellTime
)

// A Cell is one value of a row. Text is always set but for a missing one; it is hostile where it comes from a line.
type Cell struct {
	Kind   CellKind
	Text   string
	Number float64   // of CellNumber; bytes or nanoseconds where the field has them
	Time   time.Time // of CellTime
}

// A Bar is one bar of a histogram: how many lines there are in [Start, End).
type Bar struct {
	Start, End time.Time
	Count      int64
}

// A Result is what a query comes to.
type Result struct {
	Columns   []string // names of fields as they are typed, time, count, or a figure such as sum(bytes)
	Rows      [][]Cell // as many cells each as there are columns
	Numbers   []int64  // of a query that lists lines: the number in the archive of each row's line; nil when something but the list put them in order
	Bars      []Bar    // of timeline, in order of time, those without lines too
	Matched   int64    // lines that were folded
	Without   int64    // of these, lines that are in no row: they lack the field of top or rare, a number to sum up, or the time
	Truncated string   // a sentence that says what was cut, "" if nothing was
	About     string   // a sentence that says which figures are estimates, "" if none is
}

// A Fold makes a Result of the lines that match a query, which it is given in any order. It is for one goroutine; several make one each, which are
// merged. As long as nothing is cut, the result does not depend on how the lines were split up; what has to be cut
// with more than maxGroups groups does (the most frequent ones stay).
type Fold struct {
	q       *Query
	stage   Stage // the one that folds
	folding bool
	matched int64
	without int64

	groups groups // of Top to Distinct
	bars   bars   // of Timeline
	list   list   // of a query that lists lines
	values []string
}

// NewFold returns the empty fold of a query.
func NewFold(q *Query) *Fold {
	f := &Fold{q: q}
	f.stage, f.folding = q.Folding()
	switch {
	case !f.folding:
		f.list = newList(q)
	case f.stage.Kind == Timeline:
		f.bars = newBars(f.stage.Every, q.zone())
	default:
		f.groups = newGroups(f.stage.Kind)
	}
	return f
}

func (q *Query) zone() *time.Location {
	if q.Zone == nil {
		return time.UTC
	}
	return q.Zone
}

// Columns returns the names of the columns of the result.
func (q *Query) Columns() []string {
	s, folding := q.Folding()
	var out []string
	if folding && s.Every > 0 || s.Kind == Timeline && folding {
		out = append(out, "time")
	}
	fields := s.By
	if !folding {
		fields = q.Shown()
	}
	for _, f := range fields {
		out = append(out, f.String())
	}
	switch {
	case !folding:
		return out
	case s.Kind >= Sum && s.Kind <= Distinct:
		return append(out, s.Kind.String()+"("+s.Of.String()+")")
	}
	return append(out, "count")
}

// Shown returns what is shown of a line.
func (q *Query) Shown() []Field {
	for _, s := range q.Stages {
		if s.Kind == Columns {
			return s.By
		}
	}
	return []Field{Time, Host, File, Raw}
}

// Add folds a record that the query matches. It keeps nothing of the record.
func (f *Fold) Add(r *record.Record) {
	if !f.folding {
		f.matched++
		f.list.add(r)
		return
	}
	f.values = f.values[:0]
	for _, by := range f.stage.By {
		v, ok := by.Value(r)
		if !ok {
			v.Text = Missing
		}
		f.values = append(f.values, v.Text)
	}
	if f.stage.Kind < Sum || f.stage.Kind > Distinct {
		f.AddCounts(f.values, r.Time, 1)
	} else if v, ok := f.stage.Of.Value(r); ok {
		f.AddValue(f.values, r.Time, v, 1)
	} else {
		f.skip(1)
	}
}

func (f *Fold) skip(n int64) {
	f.matched += n
	f.without += n
}

// Missing is what AddCounts and AddValue take for a value that a line lacks: a byte that is no text in UTF-8. A line that says just this is
// counted as one that says nothing.
const Missing = "\xff"

// AddCounts folds n lines of which somebody else knows the values: those of Stage.By, in this order, as texts or Missing, and a time that
// may be rounded to Query.Grain. It is for Top, Rare, Count and Timeline. Values are the first ones of their fields (Field.Value).
func (f *Fold) AddCounts(values []string, at time.Time, n int64) {
	start, ok := f.bucket(at)
	if !ok || f.stage.Kind <= Rare && slices.Contains(values, Missing) {
		f.skip(n)
		return
	}
	f.matched += n
	if f.stage.Kind == Timeline {
		f.bars.add(at, n)
		return
	}
	f.groups.at(values, start).n += n
	f.groups.bound()
}

// AddValue folds n lines that have one value of Stage.Of. It is for Sum to Distinct; lines without such a value are told by AddWithout.
func (f *Fold) AddValue(values []string, at time.Time, v record.Value, n int64) {
	start, ok := f.bucket(at)
	x, number := NumberOf(v)
	if !ok || !number && f.stage.Kind != Distinct {
		f.skip(n)
		return
	}
	f.matched += n
	g := f.groups.at(values, start)
	g.n += n
	g.measure.add(f.stage.Kind, v.Text, x, n)
	f.groups.bound()
}

// AddWithout counts n lines that match and have no value to fold.
func (f *Fold) AddWithout(n int64) { f.skip(n) }

// AddOthers counts n lines that match and are of groups with too few lines to be among the rows of a top, which the caller must know.
func (f *Fold) AddOthers(n int64) { f.matched += n }

// AddUnseen counts n lines that match and stand before or behind those that a query lists (Listing).
func (f *Fold) AddUnseen(n int64) {
	f.matched += n
	f.list.cut = f.list.cut || n > 0
}

// bucket returns where the bucket of a time begins. Without buckets any time will do.
func (f *Fold) bucket(at time.Time) (time.Time, bool) {
	switch {
	case f.stage.Kind == Timeline:
		return at, !at.IsZero()
	case f.stage.Every == 0:
		return time.Time{}, true
	case at.IsZero():
		return time.Time{}, false
	}
	return Bucket(at, f.stage.Every, f.q.zone()), true
}

// Merge adds what another fold of the same query has. The other is not to be used afterwards.
func (f *Fold) Merge(o *Fold) {
	f.matched += o.matched
	f.without += o.without
	switch {
	case !f.folding:
		f.list.merge(&o.list)
	case f.stage.Kind == Timeline:
		f.bars.merge(&o.bars)
	default:
		f.groups.merge(&o.groups)
	}
}

// Result returns what was folded so far, in an order that depends on nothing but the rows: most frequent first (rare: last), in order of time
// with buckets or when lines are listed, and then by the other columns.
func (f *Fold) Result() Result {
	res := Result{Columns: f.q.Columns(), Matched: f.matched, Without: f.without}
	from := 0
	switch {
	case !f.folding:
		from = f.list.result(&res)
	case f.stage.Kind == Timeline:
		f.bars.result(&res, f.q)
	default:
		f.groupRows(&res)
	}
	for i, s := range f.q.Stages {
		if i >= from {
			s.arrange(&res)
		}
	}
	if len(res.Rows) > maxRows {
		res.truncate("Of %d rows the first %d are shown.", len(res.Rows), maxRows)
		res.Rows = res.Rows[:maxRows]
	}
	return res
}

// arrange sorts and cuts rows.
func (s Stage) arrange(res *Result) {
	switch s.Kind {
	case Sort:
		if i := slices.Index(res.Columns, s.Column); i >= 0 {
			slices.SortStableFunc(res.Rows, func(a, b []Cell) int { return a[i].compare(b[i], s.Descending) })
			res.Numbers = nil
		}
	case Head:
		res.Rows = res.Rows[:min(len(res.Rows), s.N)]
		res.Numbers = res.Numbers[:min(len(res.Numbers), s.N)]
	case Tail:
		res.Rows = res.Rows[max(0, len(res.Rows)-s.N):]
		res.Numbers = res.Numbers[max(0, len(res.Numbers)-s.N):]
	}
}
