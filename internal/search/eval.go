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

// leafColumn asks the values of a column, and takes the rows that have one of those that are meant.
func (c *scan) leafColumn(e *query.Expr, name string, in, out rowSet) error {
	if !c.has(name) {
		return nil
	}
	x, err := c.column(name)
	if err != nil || x == nil {
		return err
	}
	of, err := c.choose(e, x, in)
	if err != nil {
		return c.damage(err)
	}
	return c.rowsOf(x, of, in, out)
}

func (c *scan) leafTime(e *query.Expr, in rowSet) (rowSet, error) {
	out := newRows(c.chunk.Rows)
	err := c.eachTime(in, func(row int, at int64) {
		if at != shelf.NoTime && e.MatchTime(time.Unix(0, at).UTC()) {
			out.set(row)
		}
	})
	return out, err
}

// eachTime goes over rows with their times.
func (c *scan) eachTime(in rowSet, act func(row int, at int64)) error {
	x, err := c.time()
	if err != nil {
		return err
	}
	return in.pages(func(n int, rows rowSet) error {
		some, err := c.read(x, n)
		if err != nil {
			return err
		}
		rows.each(func(row int) bool {
			act(n*shelf.PageRows+row, some[row])
			return true
		})
		return nil
	})
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

// inLineOrder lists rows. Those of columns with an index are in that order.
func (c *scan) inLineOrder(in rowSet) ([]int, error) {
	rows := make([]int, 0, in.count())
	in.each(func(row int) bool {
		rows = append(rows, row)
		return true
	})
	if !c.chunk.Unindexed {
		return rows, nil
	}
	x, err := c.numbers(shelf.LineColumn)
	if err != nil {
		return nil, err
	}
	seqs, err := x.All()
	if err != nil {
		return nil, c.damage(err)
	}
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
	if c.fresh != nil {
		for i := range c.fresh.skip {
			all.unset(i)
		}
	}
	if q.Since.IsZero() && q.Until.IsZero() {
		return all, nil
	}
	x, err := c.time()
	if err != nil {
		return nil, err
	}
	lo, hi := bounds(q)
	if c.v.From >= lo && c.v.Until < hi && x.Full() {
		return all, nil
	}
	out := newRows(c.chunk.Rows)
	err = c.eachTime(all, func(row int, at int64) {
		if at != shelf.NoTime && at >= lo && at < hi {
			out.set(row)
		}
	})
	return out, err
}
