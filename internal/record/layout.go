package record

// A Layout is the fields of records of one shape, for a parser that makes many of them: what Set and Defer would note field by
// field is noted once. It is not changed after it is made.
type Layout struct {
	index [numFields]uint8
	n     int
}

// NewLayout returns the layout of records that have fields, in this order, and deferred ones.
func NewLayout(fields, deferred []Field) *Layout {
	l := &Layout{n: len(fields)}
	for i, f := range fields {
		l.index[f] = uint8(i + 1)
	}
	for _, f := range deferred {
		l.index[f] = later
	}
	return l
}

// Lay makes r a record of a line in a layout, as Reset, Set and Defer would. The caller must set each of the values that it
// returns, which are the layout's fields in order, and call Leave for those that the line has not.
func (r *Record) Lay(line *Line, l *Layout, derive func(*Record, Field)) []Value {
	if len(r.Extra) > 0 {
		clear(r.Extra)
		r.Extra = r.Extra[:0]
	}
	r.Line, r.Cut = *line, false
	r.index, r.derive = l.index, derive
	if cap(r.values) < l.n {
		r.values = make([]Value, l.n, 2*l.n)
	}
	r.values = r.values[:l.n]
	return r.values
}

// Leave takes fields out of a record.
func (r *Record) Leave(fields ...Field) {
	for _, f := range fields {
		r.index[f] = 0
	}
}
