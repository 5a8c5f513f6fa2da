package search

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"

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
	p := newPicks(like.keep, like.last)
	n := 0
	var edge pick // when there are enough rows, those beyond this one are not listed
	var failed error
	err := c.eachTime(rows, func(row int, at int64) {
		n++
		if at == shelf.NoTime {
			at = math.MaxInt64
		}
		if edge.scan != nil && (p.last && at < edge.at || !p.last && at > edge.at) {
			return
		}
		p.rows = append(p.rows, pick{at, 0, c, row})
		if len(p.rows) > 4*p.keep+1000 {
			if failed = c.numbered(p); failed != nil {
				return
			}
			p.bound(p.keep)
			edge = p.rows[0]
			if !p.last {
				edge = p.rows[len(p.rows)-1]
			}
		}
	})
	if err = cmp.Or(err, failed); err != nil {
		return nil, err
	}
	if err := c.numbered(p); err != nil {
		return nil, err
	}
	p.bound(p.keep)
	f.AddUnseen(int64(n - len(p.rows)))
	c.columns, c.times, c.seqs = map[string]*at{}, nil, nil // read again for the few rows that are listed
	c.page, c.block = shelf.Page{}, shelf.Block{}
	return p, nil
}

// numbered gives picks the numbers of their lines.
func (c *scan) numbered(p *picks) error {
	for i := range p.rows {
		if x := &p.rows[i]; x.seq == 0 {
			seq, err := c.seq(x.row)
			if err != nil {
				return err
			}
			x.seq = seq
		}
	}
	return nil
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
		return cmp.Or(cmp.Compare(a.scan.number, b.scan.number), cmp.Compare(a.seq, b.seq))
	})
	var parts [][]pick // each of one scan, so that none is used by two goroutines
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].scan == rows[0].scan {
			n++
		}
		parts, rows = append(parts, rows[:n]), rows[n:]
	}
	errs := make([]error, x.s.workers())
	var wait sync.WaitGroup
	var next atomic.Int64
	for n := range errs {
		wait.Go(func() {
			defer func() { errs[n] = cmp.Or(panicked(recover()), errs[n]) }()
			fold := query.NewFold(x.q)
			var said Scanned
			for errs[n] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(parts) {
					break
				}
				errs[n] = x.note(x.list(parts[i], fold, &said))
			}
			x.mu.Lock()
			defer x.mu.Unlock()
			x.fold.Merge(fold)
			x.said.add(said)
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// near is how far from each other lines may be that are mostly read together.
const near = 64

// list makes records of rows of one chunk.
func (x *run) list(rows []pick, fold *query.Fold, said *Scanned) error {
	c := rows[0].scan
	names, raw := c.namesFor(append(slices.Clone(x.q.Shown()), query.Host, query.File, query.Raw))
	c.said = said
	var r record.Record
	for i := range rows {
		c.alone = i+1 == len(rows) || rows[i+1].seq > rows[i].seq+near
		if err := c.rebuild(&r, rows[i].row, raw, names); err != nil {
			return err
		}
		fold.Add(&r)
	}
	return nil
}
