package search

import (
	"math/bits"

	"tocsin/internal/shelf"
)

// A rowSet is rows of a chunk, a bit each.
type rowSet []uint64

func newRows(n int) rowSet { return make(rowSet, (n+63)/64) }

func allRows(n int) rowSet {
	s := newRows(n)
	for i := range s {
		s[i] = ^uint64(0)
	}
	if n%64 != 0 {
		s[len(s)-1] = 1<<(n%64) - 1
	}
	return s
}

func (s rowSet) set(i int)      { s[i/64] |= 1 << (i % 64) }
func (s rowSet) unset(i int)    { s[i/64] &^= 1 << (i % 64) }
func (s rowSet) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }

func (s rowSet) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func (s rowSet) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// without returns the rows of s that are not in o.
func (s rowSet) without(o rowSet) rowSet {
	out := make(rowSet, len(s))
	for i := range s {
		out[i] = s[i] &^ o[i]
	}
	return out
}

// add puts the rows of o into s.
func (s rowSet) add(o rowSet) {
	for i := range o {
		s[i] |= o[i]
	}
}

// each goes over the rows in order.
func (s rowSet) each(act func(row int) bool) {
	for i, w := range s {
		for w != 0 {
			if !act(i*64 + bits.TrailingZeros64(w)) {
				return
			}
			w &= w - 1
		}
	}
}

// pages goes over the pages of a chunk in which there are rows of s, with these.
func (s rowSet) pages(act func(n int, rows rowSet) error) error {
	const words = shelf.PageRows / 64
	for n := 0; n*words < len(s); n++ {
		some := s[n*words : min((n+1)*words, len(s))]
		if some.empty() {
			continue
		}
		if err := act(n, some); err != nil {
			return err
		}
	}
	return nil
}

// full reports whether the first n rows are in s.
func (s rowSet) full(n int) bool {
	for i := range n / 64 {
		if s[i] != ^uint64(0) {
			return false
		}
	}
	return n%64 == 0 || s[n/64]&(1<<(n%64)-1) == 1<<(n%64)-1
}
