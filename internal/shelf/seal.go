package shelf

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"os"
	"path"
	"slices"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// hoursAtOnce is how many hours of one source become volumes of their own in one sealing; lines of further hours go into one volume
// of several.
const hoursAtOnce = 12

// Seal puts lines, in order, on the shelf: those up to number through, of which the ones before were sealed already or are gone. It
// returns the volumes that came. When it returns nil they are on the disk, and the lines may go from the write-ahead log; after an error nothing
// has changed. Errors: ErrFull, ErrBroken, of the lines or of ctx.
func (s *Shelf) Seal(ctx context.Context, through int64, lines iter.Seq2[[]Line, error]) ([]Volume, error) {
	s.work.Lock()
	defer s.work.Unlock()
	if s.o.ReadOnly {
		return nil, ErrReadOnly
	}
	if through <= s.state.through {
		return nil, nil
	}
	if err := s.room(); err != nil {
		return nil, err
	}
	if !s.ready {
		if err := s.restore(); err != nil {
			return nil, err
		}
	}
	b := s.newBinder()
	came, err := b.bind(ctx, lines)
	var parser []byte
	if err == nil {
		parser, err = s.o.Parser.Save()
	}
	if err == nil {
		err = s.do(deed{Deed: sealed, Through: through, Parser: parser, Came: came, At: stampOf(came)})
	}
	if err != nil {
		s.ready = false // the parser has read on
		if !errors.Is(err, ErrBroken) {
			b.undo() // else nobody knows whether the manifest names them: the next start does
		}
		if disk.Full(err) && !errors.Is(err, ErrFull) {
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
		return nil, err
	}
	return came, nil
}

func stampOf(came []Volume) string {
	newest := int64(0)
	for i := range came {
		newest = max(newest, came[i].Received)
	}
	return time.Unix(0, newest).UTC().Format(time.RFC3339)
}

func (s *Shelf) restore() error {
	if len(s.state.parser) > 0 {
		if err := s.o.Parser.Restore(s.state.parser); err != nil {
			return fmt.Errorf("what the parser knew when lines up to %d were sealed: %w", s.state.through, err)
		}
	}
	s.ready = true
	return nil
}

// room refuses when the disk has no more than the reserve.
func (s *Shelf) room() error {
	if s.o.Reserve == 0 {
		return nil
	}
	free, err := s.layer.Free()
	if err != nil {
		return fmt.Errorf("asking how much the disk can still take: %w", err)
	}
	if free < s.o.Reserve {
		return fmt.Errorf("%w: %d bytes are free, and %d are kept for the ledger", ErrFull, free, s.o.Reserve)
	}
	return nil
}

// A binder makes volumes.
type binder struct {
	shelf  *Shelf
	drafts map[string]*draft // by source and hour
	order  []*draft
	hours  map[string]int // volumes of a source
	last   *draft         // that a line went into, when it is of one hour
	made   []string       // files that are there, under any name
}

// A draft is a volume that is being made.
type draft struct {
	v       Volume
	table   *Table
	columns func(w io.Writer) error // writes them when all lines are there
	lines   *linesWriter
	file    *sumFile
}

func (s *Shelf) newBinder() *binder {
	return &binder{shelf: s, drafts: map[string]*draft{}, hours: map[string]int{}}
}

func (b *binder) bind(ctx context.Context, lines iter.Seq2[[]Line, error]) ([]Volume, error) {
	for some, err := range lines {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		for i := range some {
			if err := b.take(&some[i]); err != nil {
				return nil, err
			}
		}
	}
	return b.finish(ctx)
}

// take puts a line into the volume of its first record, and all its records with it.
func (b *binder) take(l *Line) error {
	var d *draft
	n := 0
	for r := range b.shelf.o.Parser.Parse(l.Line, time.Unix(0, l.Received).UTC()) {
		at := l.Received
		if t, ok := nanos(r.Time); ok {
			at = t
		}
		if n++; n == 1 {
			var err error
			if d, err = b.draftFor(r.Source, at, l.Seq); err != nil {
				return err
			}
		}
		part := n
		if r.Line.Raw == l.Raw {
			part = 0
		}
		d.table.Add(r, part)
		d.v.met(at)
	}
	if d == nil {
		return fmt.Errorf("the parser made no record of line %d", l.Seq)
	}
	v := &d.v
	if v.First == 0 {
		v.First = l.Seq
	}
	v.Kept++
	v.Last, v.Received = l.Seq, max(v.Received, l.Received)
	return d.lines.add(*l)
}

// met counts a record of a time.
func (v *Volume) met(at int64) {
	if v.Rows == 0 {
		v.From, v.Until = at, at
	}
	v.Rows++
	v.From, v.Until = min(v.From, at), max(v.Until, at)
}

// nanos is a record time as it is stored; false when the record has none that can be.
func nanos(t time.Time) (int64, bool) {
	if y := t.Year(); t.IsZero() || y < 1678 || y > 2261 {
		return 0, false
	}
	return t.UnixNano(), true
}

func (b *binder) draftFor(wrote record.LogSource, at, seq int64) (*draft, error) {
	hour := time.Unix(0, at).UTC().Truncate(time.Hour)
	if d := b.last; d != nil && d.v.Hour.Equal(hour) && d.v.Wrote.Product == wrote.Product && d.v.Wrote.Service == wrote.Service && slices.Equal(d.v.Wrote.Categories, wrote.Categories) {
		return d, nil
	}
	w := Wrote{slices.Clone(wrote.Categories), wrote.Product, wrote.Service}
	source := w.Key()
	key := source + hour.Format("\x002006-01-02/15")
	if d := b.drafts[key]; d != nil {
		b.last = d
		return d, nil
	}
	if b.hours[source] == hoursAtOnce {
		key = source
		if d := b.drafts[key]; d != nil {
			return d, nil
		}
	} else {
		b.hours[source]++
	}
	d, err := b.begin(SourceName(wrote), w, hour, seq)
	b.drafts[key] = d
	return d, err
}

// begin makes the files of a volume.
func (b *binder) begin(source string, wrote Wrote, hour time.Time, seq int64) (*draft, error) {
	s := b.shelf
	var salt salt
	if _, err := io.ReadFull(s.o.Random, salt[:]); err != nil {
		return nil, fmt.Errorf("making a salt for a volume: %w", err)
	}
	d := &draft{table: NewTable()}
	d.v.Form = formIndexed
	d.columns = func(w io.Writer) error {
		d.table.done()
		return writeColumns(w, d.table, s.packer)
	}
	d.v.Source, d.v.Wrote, d.v.Hour = source, wrote, hour
	d.v.Name = fmt.Sprintf("%s/%s/%s-%019d-%s", source, hour.Format(time.DateOnly), hour.Format("15"), seq, hex.EncodeToString(salt[:4]))
	if err := s.makeFolder(path.Dir(path.Join(s.dir, d.v.Name))); err != nil {
		return nil, err
	}
	var err error
	if d.file, err = b.create(s.file(&d.v, linesEnd)); err != nil {
		return nil, err
	}
	b.order = append(b.order, d)
	d.lines, err = newLinesWriter(d.file, salt, s.packer)
	return d, err
}

// finish writes what is missing and gives the files their names.
func (b *binder) finish(ctx context.Context) ([]Volume, error) {
	s := b.shelf
	var came []Volume
	for _, d := range b.order {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := d.lines.close()
		if d.v.Lines, err = d.file.finish(err); err != nil {
			return nil, err
		}
		d.v.Raw = d.lines.raw
		f, err := b.create(s.file(&d.v, columnsEnd))
		if err != nil {
			return nil, err
		}
		if d.v.Columns, err = f.finish(d.columns(f)); err != nil {
			return nil, err
		}
		d.table, d.columns = nil, nil
		came = append(came, d.v)
	}
	folders := map[string]bool{}
	for i := range came {
		for _, end := range []string{linesEnd, columnsEnd} {
			name := s.file(&came[i], end)
			if err := s.layer.Rename(name+unborn, name); err != nil {
				return nil, err
			}
			b.made = append(b.made, name)
			folders[path.Dir(name)] = true
		}
	}
	for f := range folders {
		if err := s.layer.SyncDir(f); err != nil {
			return nil, err
		}
	}
	return came, nil
}

// undo removes what was made. What it cannot, the next start does.
func (b *binder) undo() {
	for _, d := range b.order {
		if d.file != nil && d.file.File != nil {
			_ = d.file.Close()
		}
	}
	for _, name := range b.made {
		_ = b.shelf.layer.Remove(name)
	}
}

func (b *binder) create(name string) (*sumFile, error) {
	f, err := b.shelf.layer.OpenFile(name+unborn, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	b.made = append(b.made, name+unborn)
	return &sumFile{File: f, hash: sha256.New()}, nil
}

// A sumFile is a new file with the SHA-256 of what was written to it.
type sumFile struct {
	disk.File
	hash hash.Hash
	size int64
}

func (f *sumFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	f.hash.Write(b[:n])
	f.size += int64(n)
	return n, err
}

// finish syncs and closes, unless there was an error.
func (f *sumFile) finish(err error) (File, error) {
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	f.File = nil
	return File{f.size, hex.EncodeToString(f.hash.Sum(nil))}, err
}
