package shelf

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
)

// Columns without an index, as earlier programs wrote them, and those whose index cannot be read, are read by package parquet: whole columns, from
// which nothing is kept away.

// A Chunk is a row group of a volume. Its columns are read when they are asked for.
type Chunk struct {
	Rows      int
	Unindexed bool // there is no index that can be read
	file      *columnsFile
	table     *Table                         // it is in memory
	columns   map[string]parquet.ColumnChunk // without an index
}

// openColumns opens the columns of a volume.
func openColumns(r io.ReaderAt, size int64, z *zstd.Decoder) (chunks []*Chunk, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("the file is not as it was written: %v", e)
		}
	}()
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	if said, ok := f.Lookup(indexKey); ok {
		x, err := openIndexed(r, size, z, said)
		if err == nil && int64(x.rows) == f.NumRows() {
			return []*Chunk{{Rows: x.rows, file: x}}, nil
		}
	}
	return openParquet(r, size)
}

// openParquet opens the columns of a volume without its index.
func openParquet(r io.ReaderAt, size int64) ([]*Chunk, error) {
	f, err := parquet.OpenFile(r, size, parquet.SkipBloomFilters(false), parquet.ReadBufferSize(256<<10))
	if err != nil {
		return nil, err
	}
	paths := f.Schema().Columns()
	var chunks []*Chunk
	for _, g := range f.RowGroups() {
		if g.NumRows() > math.MaxInt32 {
			return nil, errors.New("a row group is too large")
		}
		c := &Chunk{Rows: int(g.NumRows()), Unindexed: true, columns: map[string]parquet.ColumnChunk{}}
		for n, x := range g.ColumnChunks() {
			if len(paths[n]) == 1 {
				c.columns[paths[n][0]] = x
			}
		}
		chunks = append(chunks, c)
	}
	return chunks, nil
}

// Has reports whether any row may have the field.
func (c *Chunk) Has(name string) bool {
	if c.file != nil {
		_, ok := c.file.root[name]
		return ok
	}
	if c.table != nil {
		return c.table.Columns[name] != nil
	}
	return c.columns[name] != nil
}

// Names lists the columns that Column reads.
func (c *Chunk) Names() (names []string) {
	all := func(yield func(string) bool) {
		for n := range c.columns {
			if !yield(n) {
				return
			}
		}
		if c.file != nil {
			for n := range c.file.root {
				if !yield(n) {
					return
				}
			}
		}
		if c.table != nil {
			for n := range c.table.Columns {
				if !yield(n) {
					return
				}
			}
		}
	}
	for n := range all {
		base, number := strings.CutSuffix(n, NumberEnd)
		if (!number || !c.Has(base)) && n != LineColumn && n != TimeColumn {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// May reports whether a value may be in a column, by what filters and bounds say: false is certain.
func (c *Chunk) May(name, value string) (bool, error) {
	x := c.columns[name]
	if x == nil {
		return c.Has(name), nil
	}
	v := parquet.ValueOf(value)
	if x.Type().Kind() != parquet.ByteArray {
		return true, nil
	}
	if i, ok := x.(*parquet.FileColumnChunk); ok {
		if least, most, ok := i.Bounds(); ok && (x.Type().Compare(v, least) < 0 || x.Type().Compare(v, most) > 0) {
			return false, nil
		}
	}
	if b := x.BloomFilter(); b != nil {
		return b.Check(v)
	}
	return true, nil
}

// Open opens a column; one that no row has is nil.
func (c *Chunk) Open(name string) (*Stored, error) {
	if c.file != nil {
		s, err := c.file.open(name)
		if err != nil {
			err = fmt.Errorf("the column %s: %w", name, err)
		}
		return s, err
	}
	if c.table != nil {
		if x := c.table.Columns[name]; x != nil {
			return Held(x), nil
		}
		return nil, nil
	}
	x, err := c.column(name)
	if x == nil || err != nil {
		return nil, err
	}
	return Held(x), nil
}

// Numbers opens a column of numbers that are no values of a field: LineColumn, TimeColumn. A row without one has NoTime.
func (c *Chunk) Numbers(name string) (*Numbers, error) {
	if c.table != nil {
		if name == LineColumn {
			return HeldNumbers(c.table.Seq), nil
		}
		return HeldNumbers(c.table.Time), nil
	}
	if c.file == nil {
		n, err := c.wholes(name)
		return HeldNumbers(n), err
	}
	n, err := c.file.openNumbers(name)
	if err == nil && n == nil {
		err = errors.New("it is missing")
	}
	if err != nil {
		err = fmt.Errorf("the column %s: %w", name, err)
	}
	return n, err
}

// wholes reads such a column.
func (c *Chunk) wholes(name string) ([]int64, error) {
	x := c.columns[name]
	if x == nil {
		return nil, fmt.Errorf("the column %s is missing", name)
	}
	out := make([]int64, 0, c.Rows)
	err := eachPage(x, func(p parquet.Page) error {
		values, err := wholes(p)
		if err != nil {
			return err
		}
		levels := p.DefinitionLevels()
		if len(levels) == 0 || p.NumNulls() == 0 {
			out = append(out, values...)
			return nil
		}
		for _, l := range levels {
			if l == 0 {
				out = append(out, NoTime)
				continue
			}
			out, values = append(out, values[0]), values[1:]
		}
		return nil
	})
	if err == nil && len(out) != c.Rows {
		err = fmt.Errorf("the column %s has %d rows instead of %d", name, len(out), c.Rows)
	}
	return out, err
}

// wholes are the numbers of a page, those that are missing left out.
func wholes(p parquet.Page) ([]int64, error) {
	data := p.Data()
	d := p.Dictionary()
	if d == nil {
		return data.Int64(), nil
	}
	words := d.Page().Data()
	numbers, places := words.Int64(), data.Int32()
	out := make([]int64, len(places))
	for i, n := range places {
		if n < 0 || int(n) >= len(numbers) {
			return nil, errors.New("a row names a value that is not there")
		}
		out[i] = numbers[n]
	}
	return out, nil
}

// eachPage goes over the pages of a column. What a changed file makes the reader panic over is an error.
func eachPage(x parquet.ColumnChunk, act func(parquet.Page) error) (err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("the file is not as it was written: %v", e)
		}
	}()
	pages := x.Pages()
	defer pages.Close()
	for {
		p, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = act(p)
		parquet.Release(p)
		if err != nil {
			return err
		}
	}
}

// column reads a column; one that no row has is nil.
func (c *Chunk) column(name string) (*Column, error) {
	x := c.columns[name]
	if x == nil {
		return nil, nil
	}
	out := &Column{Rows: make([]uint32, 0, c.Rows), Whole: x.Type().Kind() == parquet.Int64}
	err := eachPage(x, func(p parquet.Page) error { return out.take(p) })
	if err == nil && len(out.Rows) != c.Rows {
		err = fmt.Errorf("it has %d rows instead of %d", len(out.Rows), c.Rows)
	}
	if err != nil {
		return nil, fmt.Errorf("the column %s: %w", name, err)
	}
	if x := c.columns[name+NumberEnd]; x != nil {
		return out, c.number(out, x)
	}
	return out, nil
}

// number gives the values of a column their numbers, which stand in another.
func (c *Chunk) number(to *Column, x parquet.ColumnChunk) error {
	from := &Column{Rows: make([]uint32, 0, c.Rows)}
	err := eachPage(x, func(p parquet.Page) error { return from.take(p) })
	if err == nil && len(from.Rows) != len(to.Rows) {
		err = errors.New("it has another number of rows than its texts")
	}
	if err != nil {
		return fmt.Errorf("a column of numbers: %w", err)
	}
	type pair struct{ text, number uint32 }
	places := map[pair]uint32{}
	var values []string
	for row, p := range to.Rows {
		if p == 0 {
			continue
		}
		k := pair{p, from.Rows[row]}
		at, ok := places[k]
		if !ok {
			number := math.NaN()
			if k.number > 0 {
				if number, err = strconv.ParseFloat(from.Values[k.number-1], 64); err != nil {
					return fmt.Errorf("a column of numbers: %w", err)
				}
			}
			values, to.Numbers = append(values, to.Values[p-1]), append(to.Numbers, number)
			at = uint32(len(values))
			places[k] = at
		}
		to.Rows[row] = at
	}
	to.Values = values
	return nil
}

// take adds the rows of a page.
func (c *Column) take(p parquet.Page) error {
	d := p.Dictionary()
	if d == nil {
		return errors.New("a page has no dictionary")
	}
	if c.Values == nil {
		c.Values = dictionary(d)
	}
	data := p.Data()
	places, levels := data.Int32(), p.DefinitionLevels()
	most := int32(len(c.Values))
	if len(levels) == 0 || p.NumNulls() == 0 {
		for _, n := range places {
			if n < 0 || n >= most {
				return errors.New("a row names a value that is not there")
			}
			c.Rows = append(c.Rows, uint32(n)+1)
		}
		return nil
	}
	for _, l := range levels {
		if l == 0 {
			c.Rows = append(c.Rows, 0)
			continue
		}
		if len(places) == 0 || places[0] < 0 || places[0] >= most {
			return errors.New("a row names a value that is not there")
		}
		c.Rows = append(c.Rows, uint32(places[0])+1)
		places = places[1:]
	}
	return nil
}

// dictionary copies the values of a column. Texts share one string.
func dictionary(d parquet.Dictionary) []string {
	data := d.Page().Data()
	if d.Type().Kind() == parquet.Int64 {
		var out []string
		for _, n := range data.Int64() {
			out = append(out, strconv.FormatInt(n, 10))
		}
		return out
	}
	if d.Type().Kind() == parquet.Double {
		var out []string
		for _, x := range data.Double() {
			out = append(out, strconv.FormatFloat(x, 'g', -1, 64))
		}
		return out
	}
	bytes, offsets := data.ByteArray()
	all := string(bytes)
	out := make([]string, 0, d.Len())
	for i := range d.Len() {
		out = append(out, all[offsets[i]:offsets[i+1]])
	}
	return out
}
