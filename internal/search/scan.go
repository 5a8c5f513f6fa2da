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

// A scan is one chunk of a volume on its way through a query. What it reads it keeps until it is done. It is for one goroutine.
type scan struct {
	s       *Searcher
	v       *shelf.Volume
	place   int // of the chunk in its volume
	chunk   *shelf.Chunk
	open    *volume
	columns map[string]*at
	times   *numbers
	seqs    *numbers
	page    shelf.Page // for reading one page after the other
	block   shelf.Block
	alone   bool // the next line is the only one that is wanted of those near to it
	frame   int  // of the lines that were read last; -1
	lines   []shelf.Line
	said    *Scanned
	slow    bool // its index could not be read
	number  int  // among those of a search

	fresh *found        // instead of a volume
	rows  []record.Line // of its pack that was read last, which is frame
}

// An at is a column, and what was read of it last.
type at struct {
	*shelf.Stored
	n     int // of the page; -1
	page  shelf.Page
	block shelf.Block
}

// A numbers is a column of numbers of rows, and the page that was read last.
type numbers struct {
	*shelf.Numbers
	n    int
	some []int64
	page shelf.Page
}

func newScan(s *Searcher, v *volume, place int, said *Scanned) *scan {
	return &scan{s: s, v: v.v, place: place, chunk: v.columns.Chunks[place], open: v, columns: map[string]*at{}, frame: -1, said: said}
}

// newFreshScan is of lines that are not on the shelf yet.
func newFreshScan(s *Searcher, f *found, said *Scanned) *scan {
	return &scan{s: s, v: f.v, chunk: f.chunk, fresh: f, columns: map[string]*at{}, frame: -1, said: said}
}

// kept looks for what is kept of a column.
func (c *scan) kept(key cacheKey) any {
	if c.fresh != nil {
		return nil
	}
	return c.s.cache.get(key)
}

// keep keeps something of a column.
func (c *scan) keep(key cacheKey, x any, size int64) {
	if c.fresh == nil {
		c.s.cache.put(key, x, size)
	}
}

// column opens a column; nil when no row has it.
func (c *scan) column(name string) (*at, error) {
	if x, ok := c.columns[name]; ok {
		return x, nil
	}
	key := cacheKey{c.v.Name, c.place, name}
	x, _ := c.kept(key).(*shelf.Stored)
	if x == nil {
		var err error
		if name == network {
			x, err = c.networks()
		} else if x, err = c.chunk.Open(name); err != nil {
			err = c.damage(err)
		}
		if err != nil {
			return nil, err
		}
		if x == nil {
			c.columns[name] = nil
			return nil, nil
		}
		c.keep(key, x, x.Bytes())
	}
	c.columns[name] = &at{Stored: x.On(c.chunk), n: -1}
	return c.columns[name], nil
}

// value returns the value of a row, if it has one.
func (c *scan) value(x *at, row int) (v record.Value, ok bool, err error) {
	if n := row / shelf.PageRows; n != x.n {
		x.n = -1
		if err := x.ReadPage(n, &x.page); err != nil {
			return v, false, c.damage(err)
		}
		x.n = n
	}
	place, ok := x.page.Row(row % shelf.PageRows)
	if !ok {
		return v, false, nil
	}
	if v, err = x.Value(int(place), &x.block); err != nil {
		return v, false, c.damage(err)
	}
	return v, true, nil
}

// network is the one column that is not stored: it follows from the addresses.
var network = record.SourceNetwork.String()

// networks makes that column.
func (c *scan) networks() (*shelf.Stored, error) {
	from, err := c.column(record.SourceIP.String())
	if err != nil || from == nil || c.s.o.Network == nil {
		return nil, err
	}
	var values []string
	known := map[string]uint32{}
	places := make([]uint32, from.Len)
	for n := range from.Blocks() {
		b := &from.block
		if err := from.ReadBlock(n, b); err != nil {
			return nil, c.damage(err)
		}
		for i := range b.Count {
			net, ok := c.s.o.Network(b.Text(i))
			if !ok {
				continue
			}
			if known[net] == 0 {
				values = append(values, net)
				known[net] = uint32(len(values))
			}
			places[b.First+i] = known[net]
		}
	}
	return from.Become(values, places), nil
}

// has reports whether any row may have a column.
func (c *scan) has(name string) bool {
	return c.chunk.Has(name) || name == network && c.chunk.Has(record.SourceIP.String())
}

// numbers opens a column of numbers that are no values of a field.
func (c *scan) numbers(name string) (*numbers, error) {
	key := cacheKey{c.v.Name, c.place, name}
	x, _ := c.kept(key).(*shelf.Numbers)
	if x == nil {
		var err error
		if x, err = c.chunk.Numbers(name); err != nil {
			return nil, c.damage(err)
		}
		c.keep(key, x, x.Bytes())
	}
	return &numbers{Numbers: x.On(c.chunk), n: -1}, nil
}

// read returns the numbers of a page.
func (c *scan) read(x *numbers, page int) ([]int64, error) {
	if page != x.n {
		x.n = -1
		some, err := x.Page(page, &x.page)
		if err != nil {
			return nil, c.damage(err)
		}
		x.n, x.some = page, some
	}
	return x.some, nil
}

func (c *scan) damage(err error) error {
	if _, ok := errors.AsType[*shelf.DamageError](err); ok {
		return err
	}
	return &shelf.DamageError{Volume: c.v, File: c.v.Name, Why: err.Error()}
}

func (c *scan) time() (x *numbers, err error) {
	if c.times == nil {
		c.times, err = c.numbers(shelf.TimeColumn)
	}
	return c.times, err
}

// seq returns the number of a row's line.
func (c *scan) seq(row int) (int64, error) {
	if c.seqs == nil {
		x, err := c.numbers(shelf.LineColumn)
		if err != nil {
			return 0, err
		}
		c.seqs = x
	}
	some, err := c.read(c.seqs, row/shelf.PageRows)
	if err != nil {
		return 0, err
	}
	return some[row%shelf.PageRows], nil
}

// line returns the line of a row, with that part of it that is the row's.
func (c *scan) line(row int) (record.Line, error) {
	if c.fresh != nil {
		return c.freshLine(row)
	}
	seq, err := c.seq(row)
	if err != nil {
		return record.Line{}, err
	}
	x, err := c.open.line(seq, c.alone, &c.frame, &c.lines, c.said)
	if err != nil {
		return record.Line{}, err
	}
	l := x.Line
	which, err := c.column(shelf.PartColumn)
	if err != nil || which == nil || c.s.o.Parts == nil {
		return l, err
	}
	part, ok, err := c.value(which, row)
	if err != nil || !ok {
		return l, err
	}
	n := part.Int
	for part := range c.s.o.Parts(l.Raw) {
		if n--; n == 0 {
			l.Raw = part
			break
		}
	}
	return l, nil
}

// freshLine does it for a row that is not on the shelf.
func (c *scan) freshLine(row int) (record.Line, error) {
	if c.fresh.packs == nil {
		return c.fresh.lines[row], nil
	}
	if n := row / packRows; n != c.frame {
		some, err := unpack(c.fresh.packs[n])
		if err != nil {
			return record.Line{}, err
		}
		c.frame, c.rows = n, some
	}
	return c.rows[row%packRows], nil
}

// at is a row's time as records have it.
func (c *scan) at(row int) (time.Time, error) {
	x, err := c.time()
	if err != nil {
		return time.Time{}, err
	}
	some, err := c.read(x, row/shelf.PageRows)
	if err != nil || some[row%shelf.PageRows] == shelf.NoTime {
		return time.Time{}, err
	}
	return time.Unix(0, some[row%shelf.PageRows]).UTC(), nil
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
		seq, err := c.seq(row)
		if err != nil {
			return err
		}
		l.Seq = seq
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
		if x == nil {
			continue
		}
		v, ok, err := c.value(x, row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
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
