package shelf

import (
	"encoding/binary"
	"errors"
	"slices"
)

// On which pages a value is, the index says value by value, for columns of many texts: so the rows of an address are found without a look at all
// others. A value's list is its pages in order: of the first the number, of each other how many pages later it is, less one; each shifted
// by one bit, which says whether more follow. A value that is on more than one of whereOften pages has just the number 2n+1 of n pages that there are.
const whereOften = 4

// A whereWriter collects the pages of values.
type whereWriter struct {
	newest []uint32 // 1 + the page that each value is on last
	counts []uint32 // of pages
	codes  []uint32 // of each page the values on it, page by page
	ends   []int
}

func newWhereWriter(values int) *whereWriter {
	return &whereWriter{newest: make([]uint32, values), counts: make([]uint32, values)}
}

// add takes the places that are on the next page.
func (w *whereWriter) add(page uint32, codes []uint32) {
	for _, c := range codes {
		if w.newest[c] != page+1 {
			w.newest[c] = page + 1
			w.counts[c]++
			w.codes = append(w.codes, c)
		}
	}
	w.ends = append(w.ends, len(w.codes))
}

// lists returns the lists of the values of each block, one after the other.
func (w *whereWriter) lists(blocks []block) [][]byte {
	starts := make([]uint32, len(w.counts)+1)
	for i, n := range w.counts {
		starts[i+1] = starts[i] + n
	}
	pages, at := make([]uint32, len(w.codes)), slices.Clone(starts)
	begin := 0
	for page, end := range w.ends {
		for _, c := range w.codes[begin:end] {
			pages[at[c]] = uint32(page)
			at[c]++
		}
		begin = end
	}
	all := uint64(len(w.ends))
	var out [][]byte
	for _, b := range blocks {
		var list []byte
		for v := b.first; v < b.first+b.count; v++ {
			some := pages[starts[v]:starts[v+1]]
			if uint64(len(some))*whereOften > all || len(some) == 0 {
				list = binary.AppendUvarint(list, all<<1|1)
				continue
			}
			next := uint32(0)
			for i, p := range some {
				x := uint64(p-next) << 1
				if i+1 < len(some) {
					x |= 1
				}
				list = binary.AppendUvarint(list, x)
				next = p + 1
			}
		}
		out = append(out, list)
	}
	return out
}

// whereOf goes over the lists of a block's values, and calls act with each page of those that are wanted; any is true when one of these may be on
// any page.
func whereOf(list []byte, values, pages int, wanted func(i int) bool, act func(page int)) (any bool, err error) {
	bad := errors.New("a list of pages is not as it was written")
	for i := range values {
		next := uint64(0)
		want := wanted(i)
		for {
			x, n := binary.Uvarint(list)
			if n <= 0 {
				return true, bad
			}
			list = list[n:]
			if next == 0 && x == uint64(pages)<<1|1 {
				if any = any || want; any {
					return true, nil
				}
				break
			}
			next += x >> 1
			if next >= uint64(pages) {
				return true, bad
			}
			if want {
				act(int(next))
			}
			next++
			if x&1 == 0 {
				break
			}
		}
	}
	if len(list) > 0 {
		return true, bad
	}
	return false, nil
}

// whereAtMost is of how many values the lists are read; of more, all pages are.
const whereAtMost = 2048

// Where adds to on, a bit a page, the pages on which there may be one of the values from lo on and below hi that are wanted. It returns false when that may be all.
func (s *Stored) Where(lo, hi int, wanted func(place int) bool, on []uint64) (bool, error) {
	if s.held != nil || s.sheet.where == 0 || hi-lo > s.Len/2 {
		return false, nil
	}
	var buf []byte
	offset := s.sheet.where
	left := whereAtMost
	for i := range s.sheet.blocks {
		b := &s.sheet.blocks[i]
		at := offset
		offset += int64(b.where)
		if b.first+b.count <= lo {
			continue
		}
		if b.first >= hi {
			break
		}
		n := 0
		for v := max(lo, b.first); v < min(hi, b.first+b.count); v++ {
			if wanted(v) {
				n++
			}
		}
		if n == 0 {
			continue
		}
		if left -= n; left < 0 {
			return false, nil
		}
		var err error
		if buf, err = s.file.read(piece{at, b.where, b.whereSum}, buf); err != nil {
			return false, err
		}
		any, err := whereOf(buf, b.count, len(s.sheet.pages), func(i int) bool {
			v := b.first + i
			return v >= lo && v < hi && wanted(v)
		}, func(page int) { on[page/64] |= 1 << (page % 64) })
		if any || err != nil {
			return false, err
		}
	}
	return true, nil
}
