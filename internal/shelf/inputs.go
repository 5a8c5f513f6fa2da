package shelf

import (
	"cmp"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// writeColumns writes a table that is done.
func writeColumns(w io.Writer, t *Table, z *zstd.Encoder) error {
	x, err := newColumnsWriter(w, t.Len(), z)
	if err != nil {
		return err
	}
	if err := x.add(&input{name: LineColumn, kind: kindNumbers, required: true, rows: pagesOf(t.Seq)}); err != nil {
		return err
	}
	times, err := timesInput(t.Len(), func() func(int, []int64) error { return pagesOf(t.Time) })
	if err == nil {
		err = x.add(times)
	}
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		for _, in := range t.Columns[name].inputs(name) {
			if err := x.add(in); err != nil {
				return err
			}
		}
	}
	return x.close()
}

func pagesOf(all []int64) func(page int, to []int64) error {
	return func(page int, to []int64) error {
		copy(to, all[page*pageRows:])
		return nil
	}
}

// timesInput is the column of times: with a dictionary when many rows have the same time, as most logs tell the second. The pages are read twice.
func timesInput(rows int, pages func() func(page int, to []int64) error) (*input, error) {
	in := &input{name: TimeColumn, kind: kindNumbers, stamps: true, rows: pages()}
	different, err := differentTimes(rows, in.rows)
	in.rows = pages()
	if different == nil || err != nil {
		return in, err
	}
	in.kind, in.most, in.rows = kindWhole, len(different), nil
	in.values = wholesOf(different)
	places := make(map[int64]uint32, len(different))
	for i, n := range different {
		places[n] = uint32(i + 1)
	}
	next, room := pages(), make([]int64, pageRows)
	in.places = func(page int, to []uint32) error {
		if err := next(page, room[:len(to)]); err != nil {
			return err
		}
		last, place := int64(NoTime), uint32(0)
		for i, at := range room[:len(to)] {
			if at != last {
				last, place = at, places[at]
			}
			to[i] = place
		}
		return nil
	}
	return in, nil
}

// differentTimes are the times that there are, in order; nil when they are more than a quarter of the rows.
func differentTimes(rows int, next func(page int, to []int64) error) ([]int64, error) {
	seen, room := map[int64]struct{}{}, make([]int64, pageRows)
	last := int64(NoTime)
	for page := 0; page*pageRows < rows; page++ {
		some := room[:min(pageRows, rows-page*pageRows)]
		if err := next(page, some); err != nil {
			return nil, err
		}
		for _, at := range some {
			if at != last && at != NoTime {
				seen[at] = struct{}{}
				last = at
			}
		}
		if len(seen) > rows/4 {
			return nil, nil
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

func wholesOf(all []int64) func(yield func(typed) bool) error {
	return func(yield func(typed) bool) error {
		for _, n := range all {
			if !yield(typed{whole: n}) {
				break
			}
		}
		return nil
	}
}

// inputs is a column of a table as it is written: its values put in order, and for other programs the numbers of its texts as a column of its own.
func (c *Column) inputs(name string) []*input {
	order, wholes := c.inOrder()
	ranks := make([]uint32, len(order)+1)
	for rank, i := range order {
		ranks[i+1] = uint32(rank + 1)
	}
	in := &input{name: name, kind: kindText, most: len(order), numbered: c.Numbers != nil}
	if c.Whole {
		in.kind = kindWhole
	}
	in.values = func(yield func(typed) bool) error {
		for _, i := range order {
			v := typed{number: math.NaN()}
			switch {
			case c.Whole:
				v.whole = wholes[i]
			case c.Numbers != nil:
				v.text, v.number = c.Values[i], c.Numbers[i]
			default:
				v.text = c.Values[i]
			}
			if !yield(v) {
				break
			}
		}
		return nil
	}
	in.places = func(page int, to []uint32) error {
		for i := range to {
			to[i] = ranks[c.Rows[page*pageRows+i]]
		}
		return nil
	}
	if c.Numbers == nil || c.Whole {
		return []*input{in}
	}
	numbers := make([]float64, len(order))
	for rank, i := range order {
		numbers[rank] = c.Numbers[i]
	}
	return []*input{in, floatInput(name, numbers, in.places)}
}

// floatInput is the column of the numbers that the values of another have.
func floatInput(name string, numbers []float64, places func(page int, to []uint32) error) *input {
	different := slices.DeleteFunc(slices.Clone(numbers), math.IsNaN)
	slices.Sort(different)
	different = slices.Compact(different)
	ranks := make([]uint32, len(numbers)+1)
	for i, x := range numbers {
		if n, ok := slices.BinarySearch(different, x); ok {
			ranks[i+1] = uint32(n + 1)
		}
	}
	return &input{name: name + NumberEnd, kind: kindFloat, most: len(different),
		values: func(yield func(typed) bool) error {
			for _, x := range different {
				if !yield(typed{number: x}) {
					break
				}
			}
			return nil
		},
		places: func(page int, to []uint32) error {
			if err := places(page, to); err != nil {
				return err
			}
			for i, p := range to {
				to[i] = ranks[p]
			}
			return nil
		}}
}

// inOrder returns the places of the values in their order, and of whole numbers these.
func (c *Column) inOrder() (order []uint32, wholes []int64) {
	order = make([]uint32, len(c.Values))
	for i := range order {
		order[i] = uint32(i)
	}
	switch {
	case c.Whole:
		wholes = make([]int64, len(c.Values))
		for i, s := range c.Values {
			wholes[i], _ = strconv.ParseInt(s, 10, 64)
		}
		slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(wholes[a], wholes[b]) })
	case c.Numbers != nil:
		slices.SortFunc(order, func(a, b uint32) int {
			return cmp.Or(strings.Compare(c.Values[a], c.Values[b]), cmp.Compare(c.Numbers[a], c.Numbers[b]))
		})
	default:
		sortTexts(c.Values, order, 0)
	}
	return order, wholes
}

// sortTexts puts places of different texts, which are the same in their first bytes, in order: by three-way radix quicksort (J. L. Bentley and R.
// Sedgewick, 1997), because the texts of a log mostly begin alike.
func sortTexts(values []string, order []uint32, same int) {
	for len(order) > 12 {
		at := func(i uint32) int {
			if s := values[i]; same < len(s) {
				return int(s[same])
			}
			return -1
		}
		pivot := middle(at(order[0]), at(order[len(order)/2]), at(order[len(order)-1]))
		less, i, more := 0, 0, len(order)
		for i < more {
			switch c := at(order[i]); {
			case c < pivot:
				order[less], order[i] = order[i], order[less]
				less++
				i++
			case c > pivot:
				more--
				order[more], order[i] = order[i], order[more]
			default:
				i++
			}
		}
		// The largest part is done here, so that the stack stays low.
		parts := [3][]uint32{order[:less], order[less:more], order[more:]}
		deeper := [3]int{same, same + 1, same}
		if pivot < 0 {
			parts[1] = nil // they end here, and are different: there is but one
		}
		largest := 0
		for n := range parts {
			if len(parts[n]) > len(parts[largest]) {
				largest = n
			}
		}
		for n := range parts {
			if n != largest {
				sortTexts(values, parts[n], deeper[n])
			}
		}
		order, same = parts[largest], deeper[largest]
	}
	for i := 1; i < len(order); i++ {
		for j := i; j > 0 && values[order[j]][same:] < values[order[j-1]][same:]; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
}

func middle(a, b, c int) int { return max(min(a, b), min(max(a, b), c)) }
