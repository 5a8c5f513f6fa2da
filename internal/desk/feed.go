package desk

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// A feed is one file of a replay, read by pieces of whole lines. It is open only while it is read, so that a year of files needs
// few open ones.
type feed struct {
	name   string // of the folder and below it
	files  fs.FS
	path   string // in files
	hint   time.Time
	place  int // among the feeds: breaks ties
	size   int64
	stat   fs.FileInfo
	packed bool
	first  string // its first line, until its time is known

	// The reading of it: one goroutine at a time.
	in     io.Reader // nil: not opened yet
	close  func()
	carry  []byte // the beginning of a line whose end is not read yet
	offset int64  // of carry
	err    error  // why nothing more comes; io.EOF at the end
	skip   int64  // bytes at its start that are not read
	done   *atomic.Int64

	// What the crew knows, under its lock.
	queue   []*piece // in the file's order, from the one that is consumed
	begun   bool
	reading bool
	ended   bool         // no further piece will be queued
	end     intake.State // after the last piece of which it is certain
	sure    int          // pieces of queue that are certain
	guess   intake.State // after the last piece that was parsed
	guessed bool
	pieces  int       // that were parsed with a guess,
	misses  int       // and those of them for which it was wrong
	seen    time.Time // the time that parsing has reached

	// What the merge knows.
	piece *piece    // nil: to be fetched
	row   int       // of it, the next
	at    time.Time // of that; a line without a time has that of the line before
}

// look opens a file for a moment: is it a log, what is its first line, which is its newest full date.
func (f *feed) look(o ReplayOptions) (newest time.Time, err error) {
	parser, err := o.parser()
	if err != nil {
		return newest, err
	}
	l, newest, err := openLog(f.files, f.path, o.As, parser)
	if err != nil {
		return newest, err
	}
	defer l.done()
	f.hint, f.size, f.stat, f.packed = l.hint, l.stat.Size(), l.stat, l.packed
	head, err := l.in.Peek(peek)
	if i := bytes.IndexByte(head, '\n'); i >= 0 {
		f.first = string(head[:i])
	} else if errors.Is(err, io.EOF) {
		f.first = string(head)
	} // else it is longer: the file is begun before all others, as if the line had no time
	return newest, nil
}

// open begins reading.
func (f *feed) open() error {
	file, err := f.files.Open(f.path)
	if err != nil {
		return err
	}
	l := &log{close: []io.Closer{file}}
	f.close = func() { l.done() }
	if now, err := file.Stat(); err != nil {
		return err
	} else if os.SameFile(f.stat, f.stat) && !os.SameFile(f.stat, now) {
		return errors.New("another file has come into its place meanwhile")
	}
	in := bufio.NewReaderSize(&counter{in: file, n: f.done}, peek)
	if f.skip > 0 { // it is a plain file
		if _, err := file.(io.Seeker).Seek(f.skip, io.SeekStart); err != nil {
			return err
		}
		f.in, f.offset = in, f.skip
		return nil
	}
	if err := l.unpack(in); err != nil {
		return err
	}
	f.in = l.in
	return nil
}

func (f *feed) shut() {
	if f.close != nil {
		f.close()
	}
	f.close, f.carry = nil, nil
}

// read reads a piece of about size bytes into buf: whole lines, at least one unless the file ends. A line longer than
// record.MaxLine is a piece of its own, and cut. offset is where the piece begins; at the end f.err is set.
func (f *feed) read(buf []byte, size int) (text []byte, offset int64) {
	offset = f.offset
	buf = append(buf[:0], f.carry...)
	f.carry = f.carry[:0]
	for f.err == nil {
		from := len(buf)
		buf = slices.Grow(buf, max(size-from, size/4))
		buf = buf[:from+f.more(buf[from:cap(buf)])]
		if bytes.IndexByte(buf[from:], '\n') >= 0 {
			break
		}
		if len(buf) > record.MaxLine {
			return f.long(buf), offset
		}
	}
	end := bytes.LastIndexByte(buf, '\n') + 1
	if errors.Is(f.err, io.EOF) {
		end = len(buf)
	}
	if f.err == nil {
		f.carry = append(f.carry, buf[end:]...)
	}
	f.offset += int64(end)
	return buf[:end], offset
}

// more fills b, or notes why it cannot.
func (f *feed) more(b []byte) (n int) {
	for n < len(b) && f.err == nil {
		var k int
		k, f.err = f.in.Read(b[n:])
		n += k
	}
	return n
}

// long keeps the beginning of a line that is too long, and finds its end.
func (f *feed) long(line []byte) []byte {
	all := int64(len(line))
	line = line[:record.MaxLine+1]
	b := make([]byte, 64<<10)
	for f.err == nil {
		n := f.more(b)
		if i := bytes.IndexByte(b[:n], '\n'); i >= 0 {
			f.carry = append(f.carry[:0], b[i+1:n]...)
			f.offset += all + int64(i) + 1
			return line
		}
		all += int64(n)
	}
	if !errors.Is(f.err, io.EOF) {
		return line[:0]
	}
	f.offset += all
	return line
}

// A counter counts what is read of a file.
type counter struct {
	in io.Reader
	n  *atomic.Int64
}

// Read counts.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n.Add(int64(n))
	return n, err
}
