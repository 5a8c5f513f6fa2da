package inlet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/minio/minio-go/v7"

	"tocsin/internal/record"
)

// A splitter cuts a stream into lines.
type splitter interface {
	add(b []byte, out []piece) ([]piece, error)
	rest(out []piece) ([]piece, error)
}

// A wire is an object as it comes. It remembers why it ended, because an object that is damaged is kept as far as it can be read, and
// one of which the rest did not come is asked for again.
type wire struct {
	in     io.Reader
	cancel func() // gives the request up
	err    error
}

func (w *wire) Read(b []byte) (int, error) {
	stall := time.AfterFunc(readStall, w.cancel)
	defer stall.Stop()
	n, err := w.in.Read(b)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// A taking is one object under way.
type taking struct {
	b     *Bucket
	o     minio.ObjectInfo
	from  int64 // what lies before it is kept already
	at    int64 // end of the last line that was taken
	batch record.Batch
	size  int
	cut   int64
}

// read reads an object, from where it was left, and keeps its lines. An error means that it is not done.
func (b *Bucket) read(ctx context.Context, o minio.ObjectInfo) error {
	ask, cancel := context.WithCancel(ctx)
	defer cancel()
	var get minio.GetObjectOptions
	if o.ETag != "" {
		if err := get.SetMatchETag(o.ETag); err != nil {
			return err
		}
	}
	body, _, _, err := b.store.GetObject(ask, b.o.Bucket, o.Key, get)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	w := &wire{in: body, cancel: cancel}
	t := &taking{b: b, o: o}
	if b.done.now == idOf(o) {
		t.from = b.done.at
	}
	t.at = t.from
	broken := t.lines(ctx, w)
	switch {
	case w.err != nil:
		return fmt.Errorf("the rest of the object did not come: %w", w.err)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if _, ours := errors.AsType[*appendError](broken); ours {
		return broken
	}
	if broken != nil {
		reason := Damaged
		if errors.Is(broken, errObject) {
			reason = TooLarge
		}
		b.tally.refuse(reason, 1, o.Key, fmt.Sprintf("The object is kept up to the place where it cannot be read on: %v.", broken))
	}
	return t.finish(ctx)
}

var errObject = fmt.Errorf("it has more than %d bytes unpacked", int64(maxObject))

// An appendError says that lines could not be kept before the stop.
type appendError struct{ error }

// lines hands over the lines of the object. An error that is no appendError and none of the wire is about what the object holds.
func (t *taking) lines(ctx context.Context, w *wire) error {
	packed := bufio.NewReader(w)
	head, _ := packed.Peek(4)
	in, done, err := unpacked(packingOf(head), packed)
	if err != nil {
		return err
	}
	defer done()
	plain := bufio.NewReaderSize(io.LimitReader(in, maxObject+1), 64<<10)
	head, _ = plain.Peek(256)
	var s splitter = &textSplitter{held: held{max: record.MaxLine}}
	if bytes.HasPrefix(withoutBlanks(head), []byte(cloudOpen)) {
		s = newObjectSplitter(cloudOpen, cloudClose, record.MaxLine)
	}
	buf := make([]byte, 64<<10)
	var read int64
	for {
		n, err := plain.Read(buf)
		if read += int64(n); read > maxObject {
			return errObject
		}
		pieces, bad := s.add(buf[:n], nil)
		if err == io.EOF && bad == nil {
			pieces, bad = s.rest(pieces)
		}
		if failed := t.take(ctx, pieces); failed != nil {
			return &appendError{failed}
		}
		switch {
		case bad != nil:
			return bad
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// packingOf knows the first bytes of a packed file (RFC 1952, RFC 8878).
func packingOf(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	}
	return ""
}

func withoutBlanks(b []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r < 0x80 && white(byte(r)) {
			return -1
		}
		return r
	}, b)
}

// take adds lines to the batch, and hands it over when it is full.
func (t *taking) take(ctx context.Context, pieces []piece) error {
	for _, p := range pieces {
		if p.end <= t.from {
			continue // kept before
		}
		if len(t.batch.Lines) == batchLines || t.size > 0 && t.size+len(p.raw) > batchBytes {
			if err := t.flush(ctx, []record.Position{t.b.done.under(t.o, t.at)}); err != nil {
				return err
			}
			t.b.done.now, t.b.done.at = idOf(t.o), t.at
		}
		t.batch.Lines = append(t.batch.Lines, record.Line{Host: t.b.o.Host, File: t.b.file, Offset: p.start, Raw: p.raw})
		t.size += len(p.raw)
		t.at = p.end
		if p.cut {
			t.cut++
		}
	}
	return nil
}

func (t *taking) flush(ctx context.Context, positions []record.Position) error {
	t.batch.Positions = positions
	err := t.b.send.send(ctx, t.b.tally, t.batch, t.cut)
	t.batch, t.size, t.cut = record.Batch{}, 0, 0
	return err
}

// finish hands over the last lines, and in the same batch that the object is done.
func (t *taking) finish(ctx context.Context) error {
	positions, take := t.b.done.with(t.o, time.Now())
	if err := t.flush(ctx, positions); err != nil {
		return err
	}
	take()
	return nil
}
