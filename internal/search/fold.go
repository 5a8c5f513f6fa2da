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
func (c *scan) fold(q *query.Query, w *worker, rows rowSet) error {
	s, folding := q.Folding()
	if tallied(q) {
		if done, err := c.foldTally(s, w, rows); done || err != nil {
			return err
		}
		w.loose() // what follows is counted beside the tally
	}
	f := w.fold
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

// tallied reports whether a query only counts the values of one field, which a tally does.
func tallied(q *query.Query) bool {
	s, ok := q.Folding()
	return ok && s.Kind <= query.Count && s.Every == 0 && len(s.By) == 1
}

// columnsOf returns the columns of fields; false when a field does not stand in one column. A column that no row has is nil.
func (c *scan) columnsOf(fields []query.Field) (columns []*at, ok bool, err error) {
	for _, field := range fields {
		o := c.sourceOf(field)
		if o.slow || o.raw || o.time || len(o.fixed) > 0 || len(o.columns) != 1 {
			return nil, false, nil
		}
		x, err := c.column(o.columns[0])
		if err != nil {
			return nil, false, err
		}
		columns = append(columns, x)
	}
	return columns, true, nil
}

// foldTally counts the values of one column; false when the field does not stand in one.
func (c *scan) foldTally(s query.Stage, w *worker, rows rowSet) (done bool, err error) {
	columns, ok, err := c.columnsOf(s.By)
	if !ok || err != nil {
		return false, err
	}
	x := columns[0]
	if x == nil {
		w.count("", int64(rows.count()), true)
		return true, nil
	}
	counts, without, err := c.counts(x, rows)
	if err != nil {
		return false, err
	}
	if without > 0 {
		w.count("", without, true)
	}
	if done, err := w.countWords(c, s.By[0], x, counts); done || err != nil {
		return true, err
	}
	for n := range x.Blocks() {
		first, end := x.Span(n)
		if !slices.ContainsFunc(counts[first:end], func(n uint32) bool { return n > 0 }) {
			continue
		}
		if err := x.ReadBlock(n, &x.block); err != nil {
			return false, c.damage(err)
		}
		for i, n := range counts[first:end] {
			if n > 0 {
				w.count(x.block.Text(i), int64(n), false)
			}
		}
	}
	return true, nil
}

// A groupKey is the places of a row's values in their columns, and its bucket of time.
type groupKey struct {
	places [6]uint32
	start  int64
}

// dense is how many groups are counted in a table of all that there can be.
const dense = 1 << 16

// foldPlaces counts rows that have the same values; false when the fields do not stand in one column each.
func (c *scan) foldPlaces(s query.Stage, f *query.Fold, rows rowSet) (done bool, err error) {
	measured := s.Kind >= query.Sum && s.Kind <= query.Distinct
	fields := slices.Clone(s.By)
	if measured {
		fields = append(fields, s.Of)
	}
	if len(fields) > len(groupKey{}.places) {
		return false, nil
	}
	columns, ok, err := c.columnsOf(fields)
	if !ok || err != nil {
		return false, err
	}
	g := &grouping{columns: columns, by: len(s.By), counts: map[groupKey]int64{}}
	if s.Every > 0 || s.Kind == query.Timeline {
		if g.times, err = c.time(); err != nil {
			return false, err
		}
	}
	if len(columns) == 0 && g.times != nil {
		if x, ok := g.times.Stored(); ok {
			return true, c.foldTimes(f, &at{Stored: x, n: -1}, g.times.Values(), rows)
		}
	}
	size := 1
	for _, x := range columns {
		n := 1
		if x != nil {
			n += x.Len
		}
		size = min(size*n, dense+1)
	}
	if size <= dense && g.times == nil {
		g.table = make([]int64, size)
	}
	if err := rows.pages(func(n int, some rowSet) error { return c.group(g, n, some) }); err != nil {
		return false, err
	}
	g.end()
	if g.without > 0 {
		f.AddWithout(g.without)
	}
	return true, c.handOver(s, f, g)
}

// foldTimes counts rows by their times alone, of which there are few.
func (c *scan) foldTimes(f *query.Fold, x *at, times []int64, rows rowSet) error {
	counts, without, err := c.counts(x, rows)
	if err != nil {
		return err
	}
	if without > 0 {
		f.AddWithout(without)
	}
	for i := 0; i < len(times); { // buckets are of whole seconds
		n, second := int64(0), times[i]/1e9
		for ; i < len(times) && times[i]/1e9 == second; i++ {
			n += int64(counts[i])
		}
		if n > 0 {
			f.AddCounts(nil, time.Unix(second, 0).UTC(), n)
		}
	}
	return nil
}

// A grouping is the groups of a chunk.
type grouping struct {
	columns []*at
	by      int // of the columns; one behind them has the values that are measured
	times   *numbers
	counts  map[groupKey]int64
	table   []int64 // instead, where there are few: a number for each that can be
	without int64

	last groupKey
	n    int64
}

func (g *grouping) add(k groupKey) {
	if k == g.last {
		g.n++
		return
	}
	g.end()
	g.last, g.n = k, 1
}

func (g *grouping) end() {
	if g.n > 0 {
		g.counts[g.last] += g.n
	}
	g.n = 0
}

// group counts the rows of a page.
func (c *scan) group(g *grouping, page int, rows rowSet) error {
	var places [6][]uint32
	for i, x := range g.columns {
		if x == nil { // as when no row had a value
			places[i] = make([]uint32, pageRows)
			continue
		}
		x.n = -1
		if err := x.ReadPage(page, &x.page); err != nil {
			return c.damage(err)
		}
		places[i] = x.page.Places()
	}
	var times []int64
	if g.times != nil {
		var err error
		if times, err = c.read(g.times, page); err != nil {
			return err
		}
	}
	n := len(g.columns)
	begin, start := int64(0), int64(0) // the second of the row before
	rows.each(func(row int) bool {
		if n > g.by && places[g.by][row] == 0 { // nothing to reckon with
			g.without++
			return true
		}
		if g.table != nil {
			at := 0
			for i := range n {
				at = at*g.size(i) + int(places[i][row])
			}
			g.table[at]++
			return true
		}
		var k groupKey
		for i := range n {
			k.places[i] = places[i][row]
		}
		if times != nil {
			at := times[row]
			if at == shelf.NoTime {
				g.without++
				return true
			}
			if at-begin < 0 || at-begin >= 1e9 || start == 0 {
				start = at / 1e9 // buckets are of whole seconds
				begin = start * 1e9
			}
			k.start = start
		}
		g.add(k)
		return true
	})
	return nil
}

func (g *grouping) size(i int) int {
	if g.columns[i] == nil {
		return 1
	}
	return g.columns[i].Len + 1
}

// keys returns what was counted, in an order that does not depend on chance.
func (g *grouping) keys() []groupKey {
	for at, n := range g.table {
		if n > 0 {
			var k groupKey
			for i := len(g.columns) - 1; i >= 0; i-- {
				k.places[i] = uint32(at % g.size(i))
				at /= g.size(i)
			}
			g.counts[k] = n
		}
	}
	keys := make([]groupKey, 0, len(g.counts))
	for k := range g.counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b groupKey) int {
		return cmp.Or(cmp.Compare(a.start, b.start), slices.Compare(a.places[:], b.places[:]))
	})
	return keys
}

// handOver adds what was counted.
func (c *scan) handOver(s query.Stage, f *query.Fold, g *grouping) error {
	values := make([]string, len(s.By))
	for _, k := range g.keys() {
		for i := range s.By {
			values[i] = query.Missing
			if p := k.places[i]; p > 0 {
				v, err := g.columns[i].Value(int(p-1), &g.columns[i].block)
				if err != nil {
					return c.damage(err)
				}
				values[i] = v.Text
			}
		}
		at := time.Time{}
		if g.times != nil {
			at = time.Unix(k.start, 0).UTC()
		}
		if n := len(s.By); n < len(g.columns) {
			v, err := g.columns[n].Value(int(k.places[n]-1), &g.columns[n].block)
			if err != nil {
				return c.damage(err)
			}
			f.AddValue(values, at, v, g.counts[k])
		} else {
			f.AddCounts(values, at, g.counts[k])
		}
	}
	return nil
}
