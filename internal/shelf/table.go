package shelf

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/record"
)

// Names of columns that are no field of package record. Columns of fields have their ECS names; those of an application's own
// fields begin with ownPrefix.
const (
	LineColumn   = "tocsin.line" // number of the line in the archive, which leads to its bytes and to when it was received
	TimeColumn   = "@timestamp"  // record time; missing when the line has none
	HostColumn   = "tocsin.host" // that the file lies on; missing is the server's own
	FileColumn   = "log.file.path"
	ClassColumn  = "tocsin.class"  // parsed, unparsed, header, continuation, empty
	FormatColumn = "tocsin.format" // that the line was read as
	PartColumn   = "tocsin.part"   // of a record that is one of several in its line: which, from 1
	MoreColumn   = "tocsin.more"   // JSON [[name, value], ...] of own fields that have no column
	OwnPrefix    = "own."
	NumberEnd    = ".number" // behind the name of a column: the numbers that the parser made of its texts, where they are others
)

// maxOwn is how many own fields of an application get a column in one volume; the rest goes to MoreColumn.
const maxOwn = 48

// A Column has the values of one field: the different ones, and for each row which it is.
type Column struct {
	Values  []string  // different, or the same text of different numbers
	Rows    []uint32  // 0: the row has none; else 1 + place in Values
	Whole   bool      // every value is a whole number, as strconv.FormatInt writes it
	Numbers []float64 // of each value the number that the parser made of it; NaN where it is a text. nil: as Whole says

	index *valueIndex // while it grows
}

// Value returns one of the values, typed.
func (c *Column) Value(place int) record.Value {
	s := c.Values[place]
	if c.Whole {
		n, _ := strconv.ParseInt(s, 10, 64)
		return record.Int(n, s)
	}
	if c.Numbers != nil && !math.IsNaN(c.Numbers[place]) {
		return record.Float(c.Numbers[place], s)
	}
	return record.Text(s)
}

// A Table is records as columns. It is what the columns of a volume are written from.
type Table struct {
	Seq     []int64
	Time    []int64 // nanoseconds; NoTime when the line has none
	Columns map[string]*Column

	known  [record.NumFields]*Column // those of Columns that are fields of package record
	fields []record.Field            // that are kept
	own    int
	texts  arena
}

// NoTime stands for the time that a line does not have.
const NoTime = -1 << 63

// NewTable returns an empty one.
func NewTable() *Table {
	t := &Table{Columns: map[string]*Column{}}
	for f := range record.NumFields {
		f := record.Field(f)
		if _, view := f.Base(); !view && !f.Habit() && f != record.SourceNetwork {
			t.fields = append(t.fields, f)
		}
	}
	return t
}

// Len is how many rows it has.
func (t *Table) Len() int { return len(t.Seq) }

// Add adds a record as a row. Of fields that follow from others alone (package record, views; source.network) nothing is kept.
// Part is 0, or which of the records of its line it is, from 1.
func (t *Table) Add(r *record.Record, part int) {
	t.Seq = append(t.Seq, r.Line.Seq)
	at := int64(NoTime)
	if t, ok := nanos(r.Time); ok {
		at = t
	}
	t.Time = append(t.Time, at)
	t.set(FileColumn, r.Line.File)
	if r.Line.Host != "" {
		t.set(HostColumn, r.Line.Host)
	}
	t.set(ClassColumn, r.Class.String())
	if part > 0 {
		t.put(t.column(PartColumn), record.Int(int64(part), strconv.Itoa(part)))
	}
	if r.Format != "" {
		t.set(FormatColumn, r.Format)
	}
	for _, f := range t.fields {
		if !r.Has(f) {
			continue
		}
		if v, ok := r.Get(f); ok {
			c := t.known[f]
			if c == nil {
				c = t.column(f.String())
				t.known[f] = c
			}
			t.put(c, v)
		}
	}
	t.addOwn(r.Extra)
}

func (t *Table) addOwn(extra []record.Pair) {
	var more [][2]string
	row := t.Len()
	for i := range extra {
		name := OwnPrefix + extra[i].Name
		c := t.Columns[name]
		if c == nil && t.own < maxOwn && !strings.HasSuffix(name, NumberEnd) {
			t.own++
			c = t.column(name)
		}
		if c == nil || len(c.Rows) == row && c.Rows[row-1] != 0 { // a second one of this name
			more = append(more, [2]string{extra[i].Name, extra[i].Value.Text})
			continue
		}
		t.put(c, extra[i].Value)
	}
	if len(more) > 0 {
		b, err := json.Marshal(more)
		if err == nil { // texts always can be written
			t.set(MoreColumn, string(b))
		}
	}
}

func (t *Table) column(name string) *Column {
	c := t.Columns[name]
	if c == nil {
		c = &Column{Whole: true, Numbers: []float64{}, index: newValueIndex(&t.texts)}
		t.Columns[strings.Clone(name)] = c
	}
	return c
}

func (t *Table) set(name, value string) { t.put(t.column(name), record.Text(value)) }

// put gives the newest row a value.
func (t *Table) put(c *Column, v record.Value) {
	row := t.Len() - 1
	for len(c.Rows) < row {
		c.Rows = append(c.Rows, 0)
	}
	number := math.NaN()
	if v.Kind == record.KindInt || v.Kind == record.KindFloat {
		number = v.Float
	}
	c.Rows = append(c.Rows, c.place(v.Text, number, v.Kind == record.KindInt && canonical(v.Text, v.Int)))
}

// place is 1 + the place of a value; a new one gets one.
func (c *Column) place(text string, number float64, whole bool) uint32 {
	if n := len(c.Rows); n > 0 && c.Rows[n-1] != 0 { // as in the row before, as is so of most
		last := c.Rows[n-1]
		if x := c.Numbers[last-1]; c.Values[last-1] == text && (x == number || x != x && number != number) {
			return last
		}
	}
	return c.index.place(c, text, number, whole)
}

// done makes every column as long as the table.
func (t *Table) done() {
	for _, c := range t.Columns {
		for len(c.Rows) < t.Len() {
			c.Rows = append(c.Rows, 0)
		}
		if c.Whole || !slices.ContainsFunc(c.Numbers, func(x float64) bool { return x == x }) {
			c.Numbers = nil
		}
		c.index = nil
	}
}

// Chunk returns the rows that a table has by now as a chunk. The table may grow on; what is in the chunk stays.
func (t *Table) Chunk() *Chunk {
	out := &Table{Seq: t.Seq[:t.Len():t.Len()], Time: t.Time[:t.Len():t.Len()], Columns: make(map[string]*Column, len(t.Columns))}
	for name, c := range t.Columns {
		x := &Column{Values: c.Values[:len(c.Values):len(c.Values)], Whole: c.Whole, Numbers: c.Numbers[:len(c.Numbers):len(c.Numbers)]}
		x.Rows = make([]uint32, t.Len())
		copy(x.Rows, c.Rows)
		out.Columns[name] = x
	}
	out.done()
	return &Chunk{Rows: t.Len(), table: out}
}

// Bytes is about what a chunk that was made of a table takes in memory; 0 of one that is stored.
func (c *Chunk) Bytes() (n int64) {
	if c.table == nil {
		return 0
	}
	n = int64(len(c.table.Seq)+len(c.table.Time)) * 8
	for _, x := range c.table.Columns {
		n += Held(x).Bytes()
	}
	return n
}
