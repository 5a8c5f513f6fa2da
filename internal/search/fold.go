package search

import (
	"cmp"
	"slices"
	"time"

	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// fold folds rows of a chunk: by the places of values in their columns where it can, else a record for each row.
func (c *scan) fold(q *query.Query, f *query.Fold, rows rowSet) error {
	s, folding := q.Folding()
	if folding {
		if done, err := c.foldPlaces(s, f, rows); done || err != nil {
			return err
		}
	}
	fields := slices.Clone(s.By)
	if s.Kind >= query.Sum && s.Kind <= query.Distinct && folding {
		fields = append(fields, s.Of)
	}
	if !folding {
		fields = append(slices.Clone(q.Shown()), query.Host, query.File, query.Raw)
		for _, sort := range q.Stages {
			fields = append(fields, sort.By...)
		}
	}
	names, raw := c.namesFor(fields)
	order, err := c.inLineOrder(rows)
	if err != nil {
		return err
	}
	var r record.Record
	for _, row := range order {
		if err := c.rebuild(&r, row, raw, names); err != nil {
			return err
		}
		f.Add(&r)
	}
	return nil
}

// A groupKey is the places of a row's values in their columns, and its bucket of time.
type groupKey struct {
	places [6]uint32
	start  int64
}

// foldPlaces counts rows that have the same values; false when the fields do not stand in one column each.
func (c *scan) foldPlaces(s query.Stage, f *query.Fold, rows rowSet) (done bool, err error) {
	measured := s.Kind >= query.Sum && s.Kind <= query.Distinct
	fields := slices.Clone(s.By)
	if measured {
		fields = append(fields, s.Of)
	}
	var columns []*shelf.Column
	if len(fields) > len(groupKey{}.places) {
		return false, nil
	}
	for _, field := range fields {
		o := c.sourceOf(field)
		if o.slow || o.raw || o.time || len(o.fixed) > 0 || len(o.columns) != 1 {
			return false, nil
		}
		x, err := c.column(o.columns[0])
		if err != nil {
			return false, err
		}
		if x == nil { // as when no row had a value
			x = &shelf.Column{Rows: make([]uint32, c.chunk.Rows)}
		}
		columns = append(columns, x)
	}
	var times []int64
	if s.Every > 0 || s.Kind == query.Timeline {
		if times, err = c.time(); err != nil {
			return false, err
		}
	}
	if len(columns) == 1 && times == nil && !measured {
		c.foldColumn(f, columns[0], rows)
		return true, nil
	}
	counts := map[groupKey]int64{}
	var last groupKey
	var n, without int64
	rows.each(func(row int) bool {
		var k groupKey
		for i, x := range columns {
			if k.places[i] = x.Rows[row]; k.places[i] == 0 && i == len(s.By) { // nothing to reckon with
				without++
				return true
			}
		}
		if times != nil {
			if times[row] == shelf.NoTime {
				without++
				return true
			}
			k.start = times[row] / 1e9 // buckets are of whole seconds
		}
		if k == last {
			n++
			return true
		}
		if n > 0 {
			counts[last] += n
		}
		last, n = k, 1
		return true
	})
	if n > 0 {
		counts[last] += n
	}
	if without > 0 {
		f.AddWithout(without)
	}
	c.handOver(s, f, columns, counts, times != nil)
	return true, nil
}

// handOver adds what was counted, in an order that does not depend on chance.
func (c *scan) handOver(s query.Stage, f *query.Fold, columns []*shelf.Column, counts map[groupKey]int64, timed bool) {
	keys := make([]groupKey, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b groupKey) int {
		return cmp.Or(cmp.Compare(a.start, b.start), slices.Compare(a.places[:], b.places[:]))
	})
	values := make([]string, len(s.By))
	for _, k := range keys {
		for i := range s.By {
			values[i] = query.Missing
			if p := k.places[i]; p > 0 {
				values[i] = columns[i].Values[p-1]
			}
		}
		at := time.Time{}
		if timed {
			at = time.Unix(k.start, 0).UTC()
		}
		if n := len(s.By); n < len(columns) {
			f.AddValue(values, at, columns[n].Value(int(k.places[n]-1)), counts[k])
		} else {
			f.AddCounts(values, at, counts[k])
		}
	}
}

// foldColumn counts the values of one column.
func (c *scan) foldColumn(f *query.Fold, x *shelf.Column, rows rowSet) {
	counts := make([]int64, len(x.Values)+1)
	rows.each(func(row int) bool {
		counts[x.Rows[row]]++
		return true
	})
	values := make([]string, 1)
	for p, n := range counts {
		if n == 0 {
			continue
		}
		values[0] = query.Missing
		if p > 0 {
			values[0] = x.Values[p-1]
		}
		f.AddCounts(values, time.Time{}, n)
	}
}
