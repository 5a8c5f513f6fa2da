package shelf

import (
	"cmp"
	"container/heap"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/record"
)

// A merge is the columns of several volumes on their way into one, the rows of one volume behind those of the other. It goes column by column, and of a
// column value by value and page by page, so that it takes little memory however large they are: for each value of a column the
// place that it gets.
type merge struct {
	chunks []*Chunk
	rows   int
}

// mergeColumns writes the columns of chunks that have an index.
func mergeColumns(w io.Writer, chunks []*Chunk, z *zstd.Encoder) (err error) {
	defer func() {
		if e := recover(); e != nil { // the bytes are those that were written, so it is a mistake of the program: it costs the join
			err = fmt.Errorf("joining columns went wrong: %v", e)
		}
	}()
	m := &merge{chunks: chunks}
	names := map[string]bool{}
	for _, c := range chunks {
		m.rows += c.Rows
		for _, n := range c.Names() {
			names[n] = true
		}
	}
	x, err := newColumnsWriter(w, m.rows, z)
	if err != nil {
		return err
	}
	lines, err := m.numbers(LineColumn)
	if err != nil {
		return err
	}
	if err := x.add(&input{name: LineColumn, kind: kindNumbers, required: true, rows: lines()}); err != nil {
		return err
	}
	pages, err := m.numbers(TimeColumn)
	if err != nil {
		return err
	}
	times, err := timesInput(m.rows, pages)
	if err == nil {
		err = x.add(times)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if err == nil {
			err = m.column(x, name)
		}
	}
	if err != nil {
		return err
	}
	return x.close()
}

// numbers returns what makes readers of a column of numbers, each from its first page on.
func (m *merge) numbers(name string) (func() func(page int, to []int64) error, error) {
	var all []*Numbers
	for _, c := range m.chunks {
		n, err := c.Numbers(name)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return func() func(int, []int64) error {
		var room Page
		var rest []int64
		n, page := 0, 0
		return func(_ int, to []int64) (err error) {
			for len(to) > 0 {
				for len(rest) == 0 {
					if page*pageRows >= m.chunks[n].Rows {
						n, page = n+1, 0
						continue
					}
					if rest, err = all[n].Page(page, &room); err != nil {
						return err
					}
					page++
				}
				some := copy(to, rest)
				to, rest = to[some:], rest[some:]
			}
			return nil
		}
	}, nil
}

// column writes one column.
func (m *merge) column(x *columnsWriter, name string) error {
	from := make([]*Stored, len(m.chunks))
	whole, numbered, most := true, false, 0
	for i, c := range m.chunks {
		s, err := c.Open(name)
		if err != nil {
			return err
		}
		if from[i] = s; s != nil {
			whole = whole && s.Whole
			most += s.Len
		}
	}
	for _, s := range from {
		numbered = numbered || s != nil && !whole && (s.Whole || s.numbers != nil)
	}
	v := &values{whole: whole, numbered: numbered, places: make([][]uint32, len(from))}
	in := &input{name: name, kind: kindText, most: most, numbered: numbered, values: func(yield func(typed) bool) error { return v.merge(from, yield) }}
	if whole {
		in.kind = kindWhole
	}
	in.places = m.places(from, v)
	if err := x.add(in); err != nil || !numbered {
		return err
	}
	return x.add(floatInput(name, v.numbers, m.places(from, v)))
}

// places reads the rows of a column from the first page on, with the places that their values got.
func (m *merge) places(from []*Stored, v *values) func(page int, to []uint32) error {
	var room Page
	var rest []uint32
	n, page := 0, 0
	return func(_ int, to []uint32) error {
		for len(to) > 0 {
			for len(rest) == 0 {
				rows := m.chunks[n].Rows
				if page*pageRows >= rows {
					n, page = n+1, 0
					continue
				}
				if from[n] == nil {
					rest = make([]uint32, min(pageRows, rows-page*pageRows))
				} else {
					if err := from[n].ReadPage(page, &room); err != nil {
						return err
					}
					rest = room.Places()
					for i, p := range rest {
						if p != 0 {
							rest[i] = v.places[n][p-1]
						}
					}
				}
				page++
			}
			some := copy(to, rest)
			to, rest = to[some:], rest[some:]
		}
		return nil
	}
}

// values are those of several columns becoming those of one.
type values struct {
	whole    bool
	numbered bool
	places   [][]uint32 // of each column's values: 1 + the place in the one
	numbers  []float64  // of each value, when they are numbered
}

// A reader goes over the values of one column in order.
type reader struct {
	column int
	place  int // of the value that it stands at
	value  typed
	next   func() (place int, v typed, ok bool, err error)
}

type readers struct {
	all   []*reader
	whole bool
}

func (h *readers) Len() int           { return len(h.all) }
func (h *readers) Less(i, j int) bool { return h.compare(h.all[i].value, h.all[j].value) < 0 }
func (h *readers) Swap(i, j int)      { h.all[i], h.all[j] = h.all[j], h.all[i] }
func (h *readers) Push(x any)         { h.all = append(h.all, x.(*reader)) }
func (h *readers) Pop() any {
	last := h.all[len(h.all)-1]
	h.all = h.all[:len(h.all)-1]
	return last
}

func (h *readers) compare(a, b typed) int {
	if h.whole {
		return cmp.Compare(a.whole, b.whole)
	}
	return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.number, b.number))
}

// merge goes over the different values in order, and notes which place each gets.
func (v *values) merge(from []*Stored, yield func(typed) bool) error {
	h := &readers{whole: v.whole}
	for i, s := range from {
		if s == nil {
			continue
		}
		v.places[i] = make([]uint32, s.Len)
		r := &reader{column: i, next: v.reader(s)}
		if s.Whole && !v.whole {
			all, err := asTexts(s)
			if err != nil {
				return err
			}
			r.next = all
		}
		if err := h.step(r); err != nil {
			return err
		}
	}
	heap.Init(h)
	count := uint32(0)
	var last typed
	for h.Len() > 0 {
		r := h.all[0]
		if count == 0 || h.compare(r.value, last) != 0 {
			last = r.value
			count++
			if v.numbered {
				v.numbers = append(v.numbers, last.number)
			}
			if !yield(last) {
				return nil
			}
		}
		v.places[r.column][r.place] = count
		place, value, ok, err := r.next()
		if err != nil {
			return err
		}
		if !ok {
			heap.Pop(h)
			continue
		}
		r.place, r.value = place, value
		heap.Fix(h, 0)
	}
	return nil
}

// step adds a reader that has a value.
func (h *readers) step(r *reader) error {
	place, value, ok, err := r.next()
	if ok {
		r.place, r.value = place, value
		h.all = append(h.all, r)
	}
	return err
}

// reader goes over the values of a column block by block.
func (v *values) reader(s *Stored) func() (int, typed, bool, error) {
	var b Block
	block, at := 0, 0
	return func() (int, typed, bool, error) {
		if at == b.Count {
			if block == s.Blocks() {
				return 0, typed{}, false, nil
			}
			if err := s.ReadBlock(block, &b); err != nil {
				return 0, typed{}, false, err
			}
			block, at = block+1, 0
		}
		x := typed{number: math.NaN()}
		if v.whole {
			x.whole = b.wholes[at]
		} else {
			x.text = b.texts[at]
			if b.numbers != nil {
				x.number = b.numbers[at]
			}
		}
		at++
		return b.First + at - 1, x, true, nil
	}
}

// asTexts goes over whole numbers in the order of their texts: one volume had nothing else in the column.
func asTexts(s *Stored) (func() (int, typed, bool, error), error) {
	type numbered struct {
		typed
		place int
	}
	var all []numbered
	var b Block
	for n := range s.Blocks() {
		if err := s.ReadBlock(n, &b); err != nil {
			return nil, err
		}
		for i, x := range b.wholes {
			all = append(all, numbered{typed{text: strconv.FormatInt(x, 10), number: record.Int(x, "").Float}, b.First + i})
		}
	}
	slices.SortFunc(all, func(a, b numbered) int { return strings.Compare(a.text, b.text) })
	return func() (int, typed, bool, error) {
		if len(all) == 0 {
			return 0, typed{}, false, nil
		}
		x := all[0]
		all = all[1:]
		return x.place, x.typed, true, nil
	}, nil
}
