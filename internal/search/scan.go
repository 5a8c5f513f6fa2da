package search

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// A scan is one chunk of a volume on its way through a query. What it reads it keeps until it is done.
type scan struct {
	s       *Searcher
	v       *shelf.Volume
	place   int // of the chunk in its volume
	chunk   *shelf.Chunk
	open    *volume
	columns map[string]*shelf.Column
	times   []int64
	seqs    []int64
	frame   int // of the lines that were read last; -1
	lines   []shelf.Line
	said    *Scanned
}

func newScan(s *Searcher, v *volume, place int, said *Scanned) *scan {
	return &scan{s: s, v: v.v, place: place, chunk: v.columns.Chunks[place], open: v, columns: map[string]*shelf.Column{}, frame: -1, said: said}
}

// column reads a column; nil when no row has it.
func (c *scan) column(name string) (*shelf.Column, error) {
	if x, ok := c.columns[name]; ok {
		return x, nil
	}
	key := cacheKey{c.v.Name, c.place, name}
	if got := c.s.cache.get(key); got != nil {
		c.columns[name] = got.column
		return got.column, nil
	}
	var x *shelf.Column
	var err error
	if name == network {
		x, err = c.networks()
	} else if x, err = c.chunk.Column(name); err != nil {
		err = c.damage(err)
	}
	if err != nil {
		return nil, err
	}
	c.columns[name] = x
	if x != nil {
		c.s.cache.put(&cached{key: key, column: x, size: sizeOf(x)})
	}
	return x, nil
}

// network is the one column that is not stored: it follows from the addresses.
var network = record.SourceNetwork.String()

// networks makes that column.
func (c *scan) networks() (*shelf.Column, error) {
	from, err := c.column(record.SourceIP.String())
	if err != nil || from == nil || c.s.o.Network == nil {
		return nil, err
	}
	out := &shelf.Column{Rows: make([]uint32, len(from.Rows))}
	known := map[string]uint32{}
	places := make([]uint32, len(from.Values)+1)
	for i, ip := range from.Values {
		net, ok := c.s.o.Network(ip)
		if !ok {
			continue
		}
		if known[net] == 0 {
			out.Values = append(out.Values, net)
			known[net] = uint32(len(out.Values))
		}
		places[i+1] = known[net]
	}
	for row, p := range from.Rows {
		out.Rows[row] = places[p]
	}
	return out, nil
}

// has reports whether any row may have a column.
func (c *scan) has(name string) bool {
	return c.chunk.Has(name) || name == network && c.chunk.Has(record.SourceIP.String())
}

// numbers reads a column of numbers that are no values of a field.
func (c *scan) numbers(name string) ([]int64, error) {
	key := cacheKey{c.v.Name, c.place, name}
	if got := c.s.cache.get(key); got != nil {
		return got.numbers, nil
	}
	n, err := c.chunk.Numbers(name)
	if err != nil {
		return nil, c.damage(err)
	}
	c.s.cache.put(&cached{key: key, numbers: n, size: int64(len(n)) * 8})
	return n, nil
}

func (c *scan) damage(err error) error {
	if _, ok := errors.AsType[*shelf.DamageError](err); ok {
		return err
	}
	return &shelf.DamageError{Volume: c.v, File: c.v.Name, Why: err.Error()}
}

func (c *scan) time() ([]int64, error) {
	if c.times == nil {
		t, err := c.numbers(shelf.TimeColumn)
		if err != nil {
			return nil, err
		}
		c.times = t
	}
	return c.times, nil
}

func (c *scan) seq() ([]int64, error) {
	if c.seqs == nil {
		t, err := c.numbers(shelf.LineColumn)
		if err != nil {
			return nil, err
		}
		c.seqs = t
	}
	return c.seqs, nil
}

// line returns the line of a row, with that part of it that is the row's.
func (c *scan) line(row int) (record.Line, error) {
	seqs, err := c.seq()
	if err != nil {
		return record.Line{}, err
	}
	x, err := c.open.line(seqs[row], &c.frame, &c.lines, c.said)
	if err != nil {
		return record.Line{}, err
	}
	l := x.Line
	which, err := c.column(shelf.PartColumn)
	if err != nil || which == nil || which.Rows[row] == 0 || c.s.o.Parts == nil {
		return l, err
	}
	n := which.Value(int(which.Rows[row] - 1)).Int
	for part := range c.s.o.Parts(l.Raw) {
		if n--; n == 0 {
			l.Raw = part
			break
		}
	}
	return l, nil
}

// at is a row's time as records have it.
func (c *scan) at(row int) (time.Time, error) {
	t, err := c.time()
	if err != nil || t[row] == shelf.NoTime {
		return time.Time{}, err
	}
	return time.Unix(0, t[row]).UTC(), nil
}

// A source says how the values of a field stand in a chunk.
type source struct {
	columns []string // in which they stand
	fixed   []string // values that every row has
	time    bool
	raw     bool
	slow    bool // they follow from other fields, or more than one may be there: a record is made for each row
}

// sourceOf finds a field.
func (c *scan) sourceOf(f query.Field) source {
	switch f.Place {
	case query.PlaceKnown:
		if _, view := f.Known.Base(); view {
			return source{slow: true}
		}
		return source{columns: []string{f.Known.String()}}
	case query.PlaceRaw:
		return source{raw: true}
	case query.PlaceNumber:
		return source{slow: true}
	case query.PlaceTime:
		return source{time: true}
	case query.PlaceHost:
		return source{columns: []string{shelf.HostColumn}}
	case query.PlaceFile:
		return source{columns: []string{shelf.FileColumn}}
	case query.PlaceLog:
		o := source{columns: []string{shelf.FormatColumn}}
		for _, s := range append([]string{c.v.Wrote.Product, c.v.Wrote.Service}, c.v.Wrote.Categories...) {
			if s != "" {
				o.fixed = append(o.fixed, s)
			}
		}
		return o
	}
	var o source
	want := query.Folded(f.Name)
	for _, name := range c.chunk.Names() {
		if own, ok := strings.CutPrefix(name, shelf.OwnPrefix); ok && query.Folded(own) == want {
			o.columns = append(o.columns, name)
		}
	}
	o.slow = c.chunk.Has(shelf.MoreColumn)
	return o
}

// rebuild makes the record of a row again, with the fields that columns have; with its line when raw is true.
func (c *scan) rebuild(r *record.Record, row int, raw bool, names []string) error {
	l := record.Line{}
	if raw {
		x, err := c.line(row)
		if err != nil {
			return err
		}
		l = x
	} else {
		seqs, err := c.seq()
		if err != nil {
			return err
		}
		l.Seq = seqs[row]
	}
	r.Reset(l)
	at, err := c.at(row)
	if err != nil {
		return err
	}
	r.Time, r.Source, r.Class = at, c.v.Wrote.LogSource(), record.Parsed
	for _, name := range names {
		x, err := c.column(name)
		if err != nil {
			return err
		}
		if x == nil || x.Rows[row] == 0 {
			continue
		}
		v := x.Value(int(x.Rows[row] - 1))
		switch name {
		case shelf.HostColumn:
			r.Line.Host = v.Text
		case shelf.FileColumn:
			r.Line.File = v.Text
		case shelf.FormatColumn:
			r.Format = v.Text
		case shelf.ClassColumn:
			r.Class = classOf(v.Text)
		case shelf.MoreColumn:
			if err := more(r, v.Text); err != nil {
				return c.damage(err)
			}
		default:
			if own, ok := strings.CutPrefix(name, shelf.OwnPrefix); ok {
				r.Extra = append(r.Extra, record.Pair{Name: own, Value: v})
			} else if f, ok := record.FieldNamed(name); ok {
				r.Set(f, v)
			}
		}
	}
	if c.s.o.Views != nil {
		c.s.o.Views(r)
	}
	return nil
}

func classOf(s string) record.Class {
	for c := record.Unparsed; c <= record.Empty; c++ {
		if c.String() == s {
			return c
		}
	}
	return record.Unparsed
}

func more(r *record.Record, text string) error {
	var pairs [][2]string
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		return err
	}
	for _, p := range pairs {
		r.Extra = append(r.Extra, record.Pair{Name: p[0], Value: record.Text(p[1])})
	}
	return nil
}

// namesFor are the columns that are needed for asking a record for fields.
func (c *scan) namesFor(fields []query.Field) (names []string, raw bool) {
	for _, f := range fields {
		o := c.sourceOf(f)
		names = append(names, o.columns...)
		raw = raw || o.raw
		if o.slow && f.Place == query.PlaceOwn {
			names = append(names, shelf.MoreColumn)
		}
		if f.Place == query.PlaceKnown {
			if base, ok := f.Known.Base(); ok {
				names = append(names, base.String(), record.URLPath.String())
			}
		}
	}
	return names, raw
}
