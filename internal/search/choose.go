package search

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/query"
	"tocsin/internal/record"
)

// A choice is values of a column by their places: those from lo on and below hi, of which, if bits is there, those whose bit is set.
type choice struct {
	lo, hi uint32
	bits   rowSet
}

func all(x *at) choice { return choice{hi: uint32(x.Len)} }

func (c *choice) set(place int) {
	c.bits.set(place)
}

// choose returns the values that a leaf is meant of. Of rows that are few only their values are asked.
func (c *scan) choose(e *query.Expr, x *at, in rowSet) (choice, error) {
	if e.Op == query.Exists {
		return all(x), nil
	}
	if x.Order {
		if x.Whole {
			if of, ok, err := chooseWhole(e, x); ok || err != nil {
				return of, err
			}
		} else if of, ok, err := chooseText(e, x); ok || err != nil {
			return of, err
		}
		if e.Op == query.Within && x.Plain {
			return askWithin(e, x)
		}
	}
	blocks, every := c.blocksFor(e, x)
	if !every {
		return ask(e, x, slices.Values(blocks))
	}
	if x.Blocks() > 8 && in.count() < x.Blocks() {
		return c.askRows(e, x, in)
	}
	return ask(e, x, func(yield func(uint32) bool) {
		for n := range x.Blocks() {
			if !yield(uint32(n)) {
				return
			}
		}
	})
}

// exact is below what whole numbers are exactly as floating point.
const exact = 1 << 52

// chooseWhole finds numbers by halving; false when all must be asked.
func chooseWhole(e *query.Expr, x *at) (of choice, ok bool, err error) {
	bound := func(n float64) uint32 {
		if err != nil {
			return 0
		}
		var place int
		place, err = x.FindWhole(int64(n), &x.block)
		return uint32(place)
	}
	of = all(x)
	if math.Abs(e.Number) >= exact {
		return of, false, nil
	}
	switch e.Op {
	case query.Less:
		of.hi = bound(math.Ceil(e.Number))
	case query.AtMost:
		of.hi = bound(math.Floor(e.Number) + 1)
	case query.More:
		of.lo = bound(math.Floor(e.Number) + 1)
	case query.AtLeast:
		of.lo = bound(math.Ceil(e.Number))
	case query.Equal:
		of = choice{bits: newRows(x.Len)}
		try := func(n int64) {
			place, failed := x.FindWhole(n, &x.block)
			if err = failed; err != nil || place >= x.Len {
				return
			}
			v, failed := x.Value(place, &x.block)
			if err = failed; err == nil && e.MatchValue(v) {
				of.hi = uint32(x.Len)
				of.set(place)
			}
		}
		if n, wrong := strconv.ParseInt(e.Text, 10, 64); wrong == nil {
			try(n)
		}
		if e.Numeric && err == nil {
			try(int64(e.Number))
		}
	default:
		return of, false, nil
	}
	return of, true, err
}

// chooseText finds a text by halving; false when that cannot be.
func chooseText(e *query.Expr, x *at) (of choice, ok bool, err error) {
	needs := e.Needs()
	if e.Op != query.Equal || !x.Lower || len(needs) != 1 {
		return of, false, nil
	}
	place, found, err := x.Find(needs[0], &x.block)
	if err != nil || !found {
		return of, true, err
	}
	of = choice{lo: uint32(place), hi: uint32(place)}
	for ; int(of.hi) < x.Len; of.hi++ { // the same text may be there with several numbers
		v, err := x.Value(int(of.hi), &x.block)
		if err != nil || !e.MatchValue(v) {
			return of, true, err
		}
	}
	return of, true, nil
}

// askWithin asks the addresses of IPv4 that begin as those of a network do.
func askWithin(e *query.Expr, x *at) (of choice, err error) {
	if !e.Net.Addr().Is4() {
		return of, nil // what has no colon is none of IPv6
	}
	begin := ""
	for _, b := range e.Net.Addr().AsSlice()[:e.Net.Bits()/8] {
		begin += strconv.Itoa(int(b)) + "."
	}
	if e.Net.Bits() == 32 {
		begin = begin[:len(begin)-1]
	}
	from, err := x.FindText(begin, &x.block)
	if err != nil || from >= x.Len {
		return of, err
	}
	first := x.BlockOf(from)
	return ask(e, x, func(yield func(uint32) bool) {
		for n := first; n < x.Blocks(); n++ {
			if n > first && !strings.HasPrefix(x.Fence(n), begin) {
				return
			}
			if !yield(uint32(n)) {
				return
			}
		}
	})
}

// blocksFor returns the blocks in which there may be what a leaf is meant of; every: all of them.
func (c *scan) blocksFor(e *query.Expr, x *at) (blocks []uint32, every bool) {
	needs := e.Needs()
	if needs == nil || !x.Indexed() {
		return nil, true
	}
	for _, need := range needs {
		some, any, err := x.Holding(need)
		if err != nil { // it only makes it slower
			c.slow = true
			return nil, true
		}
		if any {
			return nil, true
		}
		blocks = append(blocks, some...)
	}
	slices.Sort(blocks)
	return slices.Compact(blocks), false
}

// ask asks the values of blocks.
func ask(e *query.Expr, x *at, blocks func(yield func(uint32) bool)) (of choice, err error) {
	of = choice{hi: uint32(x.Len), bits: newRows(x.Len)}
	lo, hi := x.Len, 0
	for n := range blocks {
		if err := x.ReadBlock(int(n), &x.block); err != nil {
			return of, err
		}
		for i := range x.block.Count {
			if e.MatchValue(x.block.Value(i)) {
				place := x.block.First + i
				of.set(place)
				lo, hi = min(lo, place), max(hi, place+1)
			}
		}
	}
	of.lo, of.hi = uint32(min(lo, hi)), uint32(hi)
	if n := of.bits.count(); n == hi-lo {
		of.bits = nil
	}
	return of, nil
}

// askRows asks the values that rows have.
func (c *scan) askRows(e *query.Expr, x *at, in rowSet) (of choice, err error) {
	of = choice{hi: uint32(x.Len), bits: newRows(x.Len)}
	asked := newRows(x.Len)
	in.each(func(row int) bool {
		var v record.Value
		var ok bool
		if v, ok, err = c.value(x, row); err != nil || !ok {
			return err == nil
		}
		place, _ := x.page.Row(row - x.n*pageRows)
		if !asked.has(int(place)) {
			asked.set(int(place))
			if e.MatchValue(v) {
				of.set(int(place))
			}
		}
		return true
	})
	return of, err
}
