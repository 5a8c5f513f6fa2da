package search

import (
	"math/bits"

	"tocsin/internal/shelf"
)

const pageRows = shelf.PageRows

// rowsOf puts those of rows into out that have one of the chosen values.
func (c *scan) rowsOf(x *at, of choice, in, out rowSet) error {
	if of.lo >= of.hi {
		return nil
	}
	whole := of.bits == nil && of.lo == 0 && int(of.hi) == x.Len
	hits := make(rowSet, pageRows/64)
	on := newRows(x.Pages())
	some, err := x.Where(int(of.lo), int(of.hi), of.has, on)
	if err != nil { // it only makes it slower
		c.slow = true
	}
	return in.pages(func(n int, rows rowSet) error {
		if some && !on.has(n) {
			return nil
		}
		if err := x.ReadPage(n, &c.page); err != nil {
			return c.damage(err)
		}
		p := &c.page
		to := out[n*pageRows/64:]
		if whole {
			for i, w := range rows {
				if p.Has != nil {
					w &= p.Has[i]
				}
				to[i] |= w
			}
			return nil
		}
		of.hold(p.Codes, hits)
		if p.Has == nil {
			for i, w := range rows {
				to[i] |= w & hits[i]
			}
			return nil
		}
		spread(p.Has, hits, rows, to)
		return nil
	})
}

// hold sets a bit for each place that is chosen; bits behind the last one are as they may be.
func (of *choice) hold(places []uint32, hits rowSet) {
	lo, span := of.lo, of.hi-of.lo
	for n := 0; len(places) > 0; n++ {
		some := places[:min(64, len(places))]
		places = places[len(some):]
		var w uint64
		if of.bits == nil {
			for i, p := range some {
				w |= (uint64(p-lo) - uint64(span)) >> 63 << (i & 63)
			}
		} else {
			for i, p := range some {
				w |= of.bits[p>>6] >> (p & 63) & 1 << (i & 63)
			}
		}
		hits[n] = w
	}
}

// has reports whether a value is chosen.
func (of *choice) has(place int) bool {
	return place >= int(of.lo) && place < int(of.hi) && (of.bits == nil || of.bits.has(place))
}

// spread gives the bits of the rows that have a value, which are given one after the other, to these rows.
func spread(has []uint64, hits, rows, to rowSet) {
	n := 0
	for i, w := range has {
		for left := w; left != 0; left &= left - 1 {
			if hits[n>>6]>>(n&63)&1 != 0 {
				to[i] |= left & -left & rows[i]
			}
			n++
		}
	}
}

// counts counts how many of some rows have each value of a column, and how many have none.
func (c *scan) counts(x *at, rows rowSet) (counts []uint32, without int64, err error) {
	counts = make([]uint32, x.Len)
	err = rows.pages(func(n int, some rowSet) error {
		if err := x.ReadPage(n, &c.page); err != nil {
			return c.damage(err)
		}
		p := &c.page
		switch {
		case p.Has == nil && some.full(p.Rows):
			for _, code := range p.Codes {
				counts[code]++
			}
		case p.Has == nil:
			for i, w := range some {
				codes := p.Codes[i*64:]
				for ; w != 0; w &= w - 1 {
					counts[codes[bits.TrailingZeros64(w)]]++
				}
			}
		default:
			at := 0
			for i, w := range p.Has {
				without += int64(bits.OnesCount64(some[i] &^ w))
				if some[i]&w == 0 {
					at += bits.OnesCount64(w)
					continue
				}
				for left := w; left != 0; left &= left - 1 {
					if some[i]&left&-left != 0 {
						counts[p.Codes[at]]++
					}
					at++
				}
			}
		}
		return nil
	})
	return counts, without, err
}
