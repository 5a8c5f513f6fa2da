package query

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
)

// list holds the lines that a query lists: the first ones in its order, so that however many there are, a bounded number is held. The
// order is total, so it does not matter in which one they came.
type list struct {
	fields []Field
	zone   *time.Location
	sort   Field // what rows are put in order of
	down   bool  // Sort is descending
	last   bool  // the last ones are kept, not the first ones
	keep   int
	asked  bool // keep is what the query asks for
	used   int  // stages that the list has taken care of
	cut    bool
	rows   []row
}

type row struct {
	key         Cell
	at          time.Time
	seq, offset int64
	host, file  string
	cells       []Cell
}

// newList plans which lines must be held: what stands first behind the condition says so.
func newList(q *Query) list {
	l := list{fields: q.Shown(), zone: q.zone(), sort: Time, keep: maxRows, last: true}
	for i, s := range q.Stages {
		switch {
		case s.Kind < Sort:
			l.used = i + 1
			continue
		case s.Kind == Sort && l.used == i:
			l.sort, l.down, l.last, l.used = s.By[0], s.Descending, false, i+1
			continue
		case s.Kind == Head && l.used == i:
			l.last, l.keep, l.asked, l.used = false, s.N, true, i+1
		case s.Kind == Tail && l.used == i:
			l.last, l.keep, l.asked, l.used = true, s.N, true, i+1
		}
		break
	}
	return l
}

func (l *list) add(r *record.Record) {
	w := row{key: cellOf(l.sort, r, l.zone), at: r.Time, seq: r.Line.Seq, offset: r.Line.Offset, host: strings.Clone(r.Line.Host), file: strings.Clone(r.Line.File)}
	for _, f := range l.fields {
		w.cells = append(w.cells, cellOf(f, r, l.zone))
	}
	l.rows = append(l.rows, w)
	l.bound(2 * l.keep)
}

func (l *list) merge(o *list) {
	l.rows = append(l.rows, o.rows...)
	l.cut = l.cut || o.cut
	l.bound(2 * l.keep)
}

// bound puts the rows in order and cuts them when there are more than most.
func (l *list) bound(most int) {
	if len(l.rows) <= most {
		return
	}
	slices.SortFunc(l.rows, l.compare)
	if over := len(l.rows) - l.keep; over > 0 {
		l.cut = true
		if l.last {
			l.rows = slices.Delete(l.rows, 0, over)
		} else {
			l.rows = slices.Delete(l.rows, l.keep, len(l.rows))
		}
	}
}

// compare is the order of the rows: that of the sort, then of time, then of the archive.
func (l *list) compare(a, b row) int {
	sign := cmp.Or(a.key.compare(b.key, l.down), a.at.Compare(b.at), cmp.Compare(a.seq, b.seq), strings.Compare(a.host, b.host), strings.Compare(a.file, b.file),
		cmp.Compare(a.offset, b.offset))
	if sign == 0 {
		sign = slices.CompareFunc(a.cells, b.cells, func(x, y Cell) int { return cmp.Or(x.compare(y, false), strings.Compare(x.Text, y.Text)) })
	}
	return sign
}

// result puts the rows into the result, and returns the number of stages that have had their way.
func (l *list) result(res *Result) int {
	l.bound(l.keep)
	slices.SortFunc(l.rows, l.compare)
	for _, w := range l.rows {
		res.Rows = append(res.Rows, w.cells)
		res.Numbers = append(res.Numbers, w.seq)
	}
	if l.cut && !l.asked {
		which := "first"
		if l.last {
			which = "newest"
		}
		res.truncate("Of %d lines the %s %d are shown.", res.Matched, which, maxRows)
	}
	return l.used
}

// Listing says of a query that lists lines in order of time alone how many are held and whether those are the last ones, so that
// an executor need not make records of the others (AddUnseen). False: each line that matches is to be added.
func (q *Query) Listing() (keep int, last, ok bool) {
	if _, folding := q.Folding(); folding {
		return 0, false, false
	}
	l := newList(q)
	return l.keep, l.last, l.sort == Time && !l.down
}
