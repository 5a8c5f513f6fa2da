package ledger

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// Entries yields the entries from number from (1 is the first) up to the head of this moment, in order. It works while
// appends go on, which it does not see, and after Close. An error ends it.
func (g *Ledger) Entries(from int64) iter.Seq2[entry.Entry, error] {
	s := g.now.Load()
	from = max(from, 1)
	first, at := int64(1), int64(0)
	if m := (from - 1) / markEvery; m < int64(len(s.marks)) {
		first, at = m*markEvery+1, s.marks[m]
	}
	return read(g.layer, g.dir, span{first: first, at: at, from: from, to: s.head.Size})
}

// Read yields the entries of the ledger in the folder dir of l, from number from (1 is the first) up to its signed head,
// beside a running server too. It checks that they are entries in order, not that they are the ones that were signed:
// that is Verify's. An error ends it.
func Read(l disk.Layer, dir string, from int64) iter.Seq2[entry.Entry, error] {
	fail := func(err error) iter.Seq2[entry.Entry, error] {
		return func(yield func(entry.Entry, error) bool) { yield(entry.Entry{}, err) }
	}
	signed, err := readHead(l, dir)
	if err != nil {
		return fail(err)
	}
	head, err := entry.PeekHead(signed)
	if err != nil {
		return fail(headFault(err))
	}
	return read(l, dir, span{first: 1, from: max(from, 1), to: head.Size})
}

// A span says which entries to read. Entry first begins at byte at.
type span struct{ first, at, from, to int64 }

func read(l disk.Layer, dir string, s span) iter.Seq2[entry.Entry, error] {
	return func(yield func(entry.Entry, error) bool) {
		if s.from > s.to {
			return
		}
		f, err := l.OpenFile(path.Join(dir, entriesName), os.O_RDONLY, 0)
		if err != nil {
			yield(entry.Entry{}, fmt.Errorf("reading the ledger: %w", err))
			return
		}
		defer f.Close()
		in := newLines(f, s.at)
		for n := s.first; n <= s.to; n++ {
			line, err := in.next()
			if err == nil && n < s.from {
				continue
			}
			var e entry.Entry
			if err == nil {
				e, err = parse(line, n, nil)
			}
			if err != nil {
				if lineError(err) {
					err = structural(&badLine{n: n, of: s.to, err: err})
				}
				yield(entry.Entry{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

var (
	errTorn = errors.New("the file ends in the middle of it")
	errLong = fmt.Errorf("it is longer than %d bytes", MaxLine)
)

// A wrongNumber is an entry that stands where another belongs.
type wrongNumber int64

func (n wrongNumber) Error() string { return fmt.Sprintf("its number is %d", int64(n)) }

// A notEntry is a line that is no entry at all.
type notEntry struct{ err error }

func (e notEntry) Error() string { return fmt.Sprintf("it is not an entry: %.200v", e.err) }

// parse reads the line of entry n. With words the line's hash will be checked, so that its body need not be.
func parse(line []byte, n int64, words *entry.Words) (entry.Entry, error) {
	var e entry.Entry
	var ok bool
	if words != nil {
		e, ok = quick(line, words)
	}
	if !ok {
		var err error
		if e, err = entry.Parse(line); err != nil {
			return e, notEntry{err}
		}
	}
	if e.N != n {
		return e, wrongNumber(e.N)
	}
	return e, nil
}

// lineError tells what is wrong with a line from what is wrong with reading it.
func lineError(err error) bool {
	var no notEntry
	var wrong wrongNumber
	return err == io.EOF || err == errTorn || err == errLong || errors.As(err, &no) || errors.As(err, &wrong)
}

// lines reads line after line of entries.jsonl, none longer than MaxLine.
type lines struct {
	r   *bufio.Reader
	at  int64 // where the next line begins
	buf []byte
}

func newLines(f io.ReaderAt, at int64) *lines {
	return &lines{r: bufio.NewReaderSize(io.NewSectionReader(f, at, 1<<62), 16<<10), at: at}
}

// next returns the next line without its line end; it is good until the next call. The error is io.EOF at a clean end,
// errTorn when bytes without a line end follow, errLong, or that of the disk.
func (in *lines) next() ([]byte, error) {
	in.buf = in.buf[:0]
	for {
		part, err := in.r.ReadSlice('\n')
		switch {
		case err == nil && len(in.buf) == 0:
			in.at += int64(len(part))
			return part[:len(part)-1], nil
		case err == nil || err == bufio.ErrBufferFull:
			in.buf = append(in.buf, part...)
		case err == io.EOF && len(in.buf)+len(part) == 0:
			return nil, io.EOF
		case err == io.EOF:
			return nil, errTorn
		default:
			return nil, fmt.Errorf("reading the ledger: %w", err)
		}
		if len(in.buf) > MaxLine+1 {
			return nil, errLong
		}
		if err == nil {
			in.at += int64(len(in.buf))
			return in.buf[:len(in.buf)-1], nil
		}
	}
}

// countLines counts the whole lines in b.
func countLines(b []byte) int64 { return int64(bytes.Count(b, []byte{'\n'})) }
