package search

import (
	"cmp"
	"slices"
	"time"

	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// eval returns those of some rows for which a condition holds. What is cheap is asked first, and the rest only of rows that are left.
func (c *scan) eval(e *query.Expr, in rowSet) (rowSet, error) {
	if e == nil || in.empty() {
		return in, nil
	}
	switch e.Op {
	case query.And:
		for _, k := range c.byCost(e.Kids) {
			var err error
			if in, err = c.eval(k, in); err != nil || in.empty() {
				return in, err
			}
		}
		return in, nil
	case query.Or:
		out := newRows(c.chunk.Rows)
		for _, k := range c.byCost(e.Kids) {
			got, err := c.eval(k, in.without(out))
			if err != nil {
				return nil, err
			}
			out.add(got)
		}
		return out, nil
	case query.Not:
		got, err := c.eval(e.Kids[0], in)
		if err != nil {
			return nil, err
		}
		return in.without(got), nil
	}
	return c.leaf(e, in)
}

// cost orders conditions: columns of few values, other columns, times, records, lines.
func (c *scan) cost(e *query.Expr) int {
	if len(e.Kids) > 0 {
		most := 0
		for _, k := range e.Kids {
			most = max(most, c.cost(k))
		}
		return most
	}
	o := c.sourceOf(e.Field)
	switch {
	case o.raw:
		return 5
	case o.slow:
		return 4
	case e.Op == query.Matches:
		return 3
	case e.Op == query.Contains, e.Op == query.Glob:
		return 2
	case o.time:
		return 1
	}
	return 0
}

func (c *scan) byCost(kids []*query.Expr) []*query.Expr {
	return slices.SortedStableFunc(slices.Values(kids), func(a, b *query.Expr) int { return cmp.Compare(c.cost(a), c.cost(b)) })
}

// leaf asks one thing of one field.
func (c *scan) leaf(e *query.Expr, in rowSet) (rowSet, error) {
	o := c.sourceOf(e.Field)
	switch {
	case o.time:
		return c.leafTime(e, in)
	case o.raw:
		return c.leafRaw(e, in)
	case o.slow:
		return c.leafSlow(e, in)
	}
	for _, s := range o.fixed {
		if e.MatchValue(record.Text(s)) {
			return in, nil
		}
	}
	out := newRows(c.chunk.Rows)
	for _, name := range o.columns {
		if err := c.leafColumn(e, name, in, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// leafColumn asks each value once.
func (c *scan) leafColumn(e *query.Expr, name string, in, out rowSet) error {
	if !c.has(name) {
		return nil
	}
	x, err := c.column(name)
	if err != nil || x == nil {
		return err
	}
	if e.Op == query.Exists {
		in.each(func(row int) bool {
			if x.Rows[row] != 0 {
				out.set(row)
			}
			return true
		})
		return nil
	}
	const yes, no = 1, 2
	known := make([]uint8, len(x.Values)+1)
	known[0] = no
	in.each(func(row int) bool {
		p := x.Rows[row]
		if known[p] == 0 {
			known[p] = no
			if e.MatchValue(x.Value(int(p - 1))) {
				known[p] = yes
			}
		}
		if known[p] == yes {
			out.set(row)
		}
		return true
	})
	return nil
}

func (c *scan) leafTime(e *query.Expr, in rowSet) (rowSet, error) {
	times, err := c.time()
	if err != nil {
		return nil, err
	}
	out := newRows(c.chunk.Rows)
	in.each(func(row int) bool {
		if t := times[row]; t != shelf.NoTime && e.MatchTime(time.Unix(0, t).UTC()) {
			out.set(row)
		}
		return true
	})
	return out, nil
}

// leafRaw reads lines, which is slow: a piece of a volume has thousands. Rows are asked in the order of their lines, so that each piece is read once.
func (c *scan) leafRaw(e *query.Expr, in rowSet) (rowSet, error) {
	rows, err := c.inLineOrder(in)
	if err != nil {
		return nil, err
	}
	out := newRows(c.chunk.Rows)
	for _, row := range rows {
		l, err := c.line(row)
		if err != nil {
			return nil, err
		}
		if e.MatchValue(record.Text(l.Raw)) {
			out.set(row)
		}
	}
	return out, nil
}

func (c *scan) inLineOrder(in rowSet) ([]int, error) {
	seqs, err := c.seq()
	if err != nil {
		return nil, err
	}
	rows := make([]int, 0, in.count())
	in.each(func(row int) bool {
		rows = append(rows, row)
		return true
	})
	slices.SortFunc(rows, func(a, b int) int { return cmp.Compare(seqs[a], seqs[b]) })
	return rows, nil
}

// leafSlow makes a record of each row.
func (c *scan) leafSlow(e *query.Expr, in rowSet) (rowSet, error) {
	names, raw := c.namesFor([]query.Field{e.Field})
	out := newRows(c.chunk.Rows)
	var r record.Record
	var err error
	in.each(func(row int) bool {
		if err = c.rebuild(&r, row, raw, names); err != nil {
			return false
		}
		if e.Match(&r) {
			out.set(row)
		}
		return true
	})
	return out, err
}

// window returns the rows of a time.
func (c *scan) window(q *query.Query) (rowSet, error) {
	all := allRows(c.chunk.Rows)
	if q.Since.IsZero() && q.Until.IsZero() {
		return all, nil
	}
	times, err := c.time()
	if err != nil {
		return nil, err
	}
	lo, hi := bounds(q)
	out := newRows(c.chunk.Rows)
	for row, t := range times {
		if t != shelf.NoTime && t >= lo && t < hi {
			out.set(row)
		}
	}
	return out, nil
}
