package shelf

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/record"
)

// Names of columns that are no field of package record. Columns of fields have their ECS names; those of an application's own
// fields begin with ownPrefix.
const (
	LineColumn     = "tocsin.line"     // number of the line in the archive, which leads to its bytes
	TimeColumn     = "@timestamp"      // record time; missing when the line has none
	ReceivedColumn = "tocsin.received" // when its batch was received
	HostColumn     = "tocsin.host"     // that the file lies on; missing is the server's own
	FileColumn     = "log.file.path"
	ClassColumn    = "tocsin.class"  // parsed, unparsed, header, continuation, empty
	FormatColumn   = "tocsin.format" // that the line was read as
	MoreColumn     = "tocsin.more"   // JSON [[name, value], ...] of own fields that have no column
	OwnPrefix      = "own."
)

// maxOwn is how many own fields of an application get a column in one volume; the rest goes to MoreColumn.
const maxOwn = 48

// A Column has the values of one field: the different ones, and for each row which it is.
type Column struct {
	Values []string // different
	Rows   []uint32 // 0: the row has none; else 1 + place in Values
	Whole  bool     // every value is a whole number, as strconv.FormatInt writes it
}

// A Table is records as columns. It is what a volume's Parquet file is written from.
type Table struct {
	Seq      []int64
	Time     []int64 // nanoseconds; NoTime when the line has none
	Received []int64
	Columns  map[string]*Column

	places map[string]map[string]uint32 // by column: places of its values
	own    int
}

// NoTime stands for the time that a line does not have.
const NoTime = -1 << 63

// NewTable returns an empty one.
func NewTable() *Table {
	return &Table{Columns: map[string]*Column{}, places: map[string]map[string]uint32{}}
}

// Len is how many rows it has.
func (t *Table) Len() int { return len(t.Seq) }

// Add adds a record as a row. Of fields that follow from others (package record, views) nothing is kept.
func (t *Table) Add(r *record.Record, received int64) {
	t.Seq = append(t.Seq, r.Line.Seq)
	at := int64(NoTime)
	if t, ok := nanos(r.Time); ok {
		at = t
	}
	t.Time = append(t.Time, at)
	t.Received = append(t.Received, received)
	t.set(FileColumn, r.Line.File)
	if r.Line.Host != "" {
		t.set(HostColumn, r.Line.Host)
	}
	t.set(ClassColumn, r.Class.String())
	if r.Format != "" {
		t.set(FormatColumn, r.Format)
	}
	for f := range record.NumFields {
		f := record.Field(f)
		if _, view := f.Base(); view || f.Habit() {
			continue
		}
		if v, ok := r.Get(f); ok {
			t.put(f.String(), v)
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
		if c == nil && t.own < maxOwn {
			t.own++
			c = t.column(name)
		}
		if c == nil || len(c.Rows) == row && c.Rows[row-1] != 0 { // a second one of this name
			more = append(more, [2]string{extra[i].Name, extra[i].Value.Text})
			continue
		}
		t.put(name, extra[i].Value)
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
		c = &Column{Whole: true}
		t.Columns[strings.Clone(name)] = c
		t.places[name] = map[string]uint32{}
	}
	return c
}

func (t *Table) set(name, value string) { t.put(name, record.Text(value)) }

// put gives the newest row a value.
func (t *Table) put(name string, v record.Value) {
	c := t.column(name)
	row := t.Len() - 1
	for len(c.Rows) < row {
		c.Rows = append(c.Rows, 0)
	}
	if n := len(c.Values); n > 0 && row > 0 && len(c.Rows) == row && c.Rows[row-1] != 0 && c.Values[c.Rows[row-1]-1] == v.Text {
		c.Rows = append(c.Rows, c.Rows[row-1]) // as in the row before, as is so of most
		return
	}
	places := t.places[name]
	p, ok := places[v.Text]
	if !ok {
		text := strings.Clone(v.Text)
		c.Values = append(c.Values, text)
		p = uint32(len(c.Values))
		places[text] = p
		c.Whole = c.Whole && v.Kind == record.KindInt && strconv.FormatInt(v.Int, 10) == text
	}
	c.Rows = append(c.Rows, p)
}

// done makes every column as long as the table.
func (t *Table) done() {
	for _, c := range t.Columns {
		for len(c.Rows) < t.Len() {
			c.Rows = append(c.Rows, 0)
		}
	}
	t.places = nil
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
