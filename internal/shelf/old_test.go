package shelf

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"tocsin/internal/record"
)

// What earlier programs wrote, for the tests that it can still be read.
//
// The columns of a volume are a Parquet file (Apache Parquet format 2), which other programs read too: one column a field, text, or whole
// numbers where all values are such; rows sorted by source.ip, @timestamp, tocsin.line; row groups of groupRows, with the least and the
// most of each page, and bloom filters for those fields that people look for.
const (
	groupRows = 1 << 17
	pageBytes = 32 << 10 // of places in a dictionary, 4 each: 8,192 rows
	bloomBits = 16       // per value: some 1 of 2,000 asked for in vain is not told at once
)

// bloomed are the fields with a bloom filter.
func bloomed() []string {
	return []string{record.SourceIP.String(), record.SessionID.String(), record.UserName.String()}
}

// writeParquet writes a table that is done.
func writeParquet(w io.Writer, t *Table) error {
	names := slices.Sorted(maps.Keys(t.Columns))
	codec := &parquet.Zstd
	group := parquet.Group{
		LineColumn: parquet.Compressed(parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked), codec),
		TimeColumn: parquet.Optional(parquet.Compressed(parquet.Encoded(parquet.Timestamp(parquet.Nanosecond), t.timeEncoding()), codec)),
	}
	for _, name := range names {
		leaf := parquet.String()
		if t.Columns[name].Whole {
			leaf = parquet.Int(64)
		}
		group[name] = parquet.Optional(parquet.Compressed(parquet.Encoded(leaf, &parquet.RLEDictionary), codec))
		if t.Columns[name].Numbers != nil {
			group[name+NumberEnd] = parquet.Optional(parquet.Compressed(parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.RLEDictionary), codec))
		}
	}
	options := []parquet.WriterOption{
		parquet.NewSchema("record", group),
		parquet.CreatedBy("tocsin", "1", ""),
		parquet.PageBufferSize(pageBytes),
		parquet.MaxRowsPerRowGroup(1 << 62),
		parquet.DataPageStatistics(true),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending(record.SourceIP.String()), parquet.Ascending(TimeColumn))),
	}
	if t.Columns[record.SourceIP.String()] == nil {
		options = options[:len(options)-1]
	}
	var blooms []parquet.BloomFilterColumn
	for _, name := range bloomed() {
		if c := t.Columns[name]; c != nil && !c.Whole {
			blooms = append(blooms, parquet.SplitBlockFilter(bloomBits, name))
		}
	}
	options = append(options, parquet.BloomFilters(blooms...))
	out := parquet.NewGenericWriter[any](w, options...)
	order := t.order()
	for len(order) > 0 {
		n := min(len(order), groupRows)
		if err := t.writeGroup(out, order[:n]); err != nil {
			return fmt.Errorf("writing columns: %w", err)
		}
		order = order[n:]
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("writing columns: %w", err)
	}
	return nil
}

// timeEncoding is a dictionary when many rows have the same time: most logs tell the second.
func (t *Table) timeEncoding() encoding.Encoding {
	different := make(map[int64]struct{}, 1024)
	for _, at := range t.Time {
		if different[at] = struct{}{}; len(different) > len(t.Time)/4 {
			return &parquet.DeltaBinaryPacked
		}
	}
	return &parquet.RLEDictionary
}

// writeAtOnce is how many values are handed over at once, so that pages are cut where they should.
const writeAtOnce = 1024

func (t *Table) writeGroup(out *parquet.GenericWriter[any], rows []uint32) error {
	var values [writeAtOnce]parquet.Value
	for n, path := range out.Schema().Columns() {
		w := out.ColumnWriters()[n]
		value := t.valuesOf(path[0], n)
		for at := 0; at < len(rows); {
			some := rows[at:min(at+writeAtOnce, len(rows))]
			for i, row := range some {
				values[i] = value(row)
			}
			if _, err := w.WriteRowValues(values[:len(some)]); err != nil {
				return err
			}
			at += len(some)
		}
	}
	return out.Flush()
}

// valuesOf returns what gives the value of a row in a column.
func (t *Table) valuesOf(name string, n int) func(row uint32) parquet.Value {
	null := parquet.NullValue().Level(0, 0, n)
	switch name {
	case LineColumn:
		return func(row uint32) parquet.Value { return parquet.Int64Value(t.Seq[row]).Level(0, 0, n) }
	case TimeColumn:
		return func(row uint32) parquet.Value {
			if t.Time[row] == NoTime {
				return null
			}
			return parquet.Int64Value(t.Time[row]).Level(0, 1, n)
		}
	}
	c := t.Columns[name]
	if c == nil {
		c = t.Columns[strings.TrimSuffix(name, NumberEnd)]
		values := make([]parquet.Value, len(c.Values)+1)
		values[0] = null
		for i, x := range c.Numbers {
			values[i+1] = null
			if x == x {
				values[i+1] = parquet.DoubleValue(x).Level(0, 1, n)
			}
		}
		return func(row uint32) parquet.Value { return values[c.Rows[row]] }
	}
	values := make([]parquet.Value, len(c.Values)+1)
	values[0] = null
	for i, s := range c.Values {
		if c.Whole {
			x, _ := strconv.ParseInt(s, 10, 64)
			values[i+1] = parquet.Int64Value(x).Level(0, 1, n)
		} else {
			values[i+1] = parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s))).Level(0, 1, n)
		}
	}
	return func(row uint32) parquet.Value { return values[c.Rows[row]] }
}

// order returns the rows in the order in which they are stored: by source.ip, then time, then line.
func (t *Table) order() []uint32 {
	rank := make([]uint32, t.Len()) // of the row's address
	if c := t.Columns[record.SourceIP.String()]; c != nil {
		byValue := make([]uint32, len(c.Values))
		for i := range byValue {
			byValue[i] = uint32(i)
		}
		slices.SortFunc(byValue, func(a, b uint32) int { return cmp.Compare(c.Values[a], c.Values[b]) })
		ranks := make([]uint32, len(c.Values)+1)
		for n, i := range byValue {
			ranks[i+1] = uint32(n + 1)
		}
		for row, p := range c.Rows {
			rank[row] = ranks[p]
		}
	}
	rows := make([]uint32, t.Len())
	for i := range rows {
		rows[i] = uint32(i)
	}
	slices.SortFunc(rows, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(t.Time[a], t.Time[b]), cmp.Compare(t.Seq[a], t.Seq[b]))
	})
	return rows
}
