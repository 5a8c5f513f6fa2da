package search

import (
	"cmp"
	"math"
	"slices"

	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// A pick is a row that may be listed.
type pick struct {
	at   int64 // nanoseconds; a row without a time stands last, as package query has it
	seq  int64
	scan *scan
	row  int
}

func (a pick) compare(b pick) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq))
}

// picks are the first or last rows in order of time of those that were found, so that only of these the lines are read.
type picks struct {
	keep int
	last bool
	rows []pick
	gone int // rows that will not be listed
}

func newPicks(keep int, last bool) *picks { return &picks{keep: keep, last: last} }

func (p *picks) merge(o *picks) {
	if o != nil {
		p.rows = append(p.rows, o.rows...)
		p.gone += p.bound(2 * p.keep)
	}
}

// bound cuts what will not be listed when there are more rows than most, and returns how many went.
func (p *picks) bound(most int) (over int) {
	if len(p.rows) <= most {
		return 0
	}
	slices.SortFunc(p.rows, pick.compare)
	if over = len(p.rows) - p.keep; over <= 0 {
		return 0
	}
	if p.last {
		p.rows = slices.Delete(p.rows, 0, over)
	} else {
		p.rows = slices.Delete(p.rows, p.keep, len(p.rows))
	}
	return over
}

// pick notes the rows of a chunk that may be listed.
func (c *scan) pick(f *query.Fold, rows rowSet, like *picks) (*picks, error) {
	times, err := c.time()
	if err != nil {
		return nil, err
	}
	seqs, err := c.seq()
	if err != nil {
		return nil, err
	}
	p := newPicks(like.keep, like.last)
	n := 0
	rows.each(func(row int) bool {
		n++
		at := times[row]
		if at == shelf.NoTime {
			at = math.MaxInt64
		}
		p.rows = append(p.rows, pick{at, seqs[row], c, row})
		p.bound(4*p.keep + 1000)
		return true
	})
	p.bound(p.keep)
	f.AddUnseen(int64(n - len(p.rows)))
	c.columns = map[string]*shelf.Column{} // read again for the few rows that are listed
	return p, nil
}

// materialize makes records of the rows that are listed, a volume at a time.
func (x *run) materialize() error {
	if x.picks == nil {
		return nil
	}
	x.picks.gone += x.picks.bound(x.picks.keep)
	x.fold.AddUnseen(int64(x.picks.gone))
	rows := x.picks.rows
	slices.SortFunc(rows, func(a, b pick) int {
		return cmp.Or(cmp.Compare(a.scan.v.Name, b.scan.v.Name), cmp.Compare(a.seq, b.seq))
	})
	var r record.Record
	fields := append(slices.Clone(x.q.Shown()), query.Host, query.File, query.Raw)
	for i := range rows {
		c := rows[i].scan
		names, raw := c.namesFor(fields)
		c.said = &x.said
		err := c.rebuild(&r, rows[i].row, raw, names)
		if err == nil {
			x.fold.Add(&r)
		} else if err = x.note(err); err != nil {
			return err
		}
	}
	return nil
}
