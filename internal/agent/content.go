package agent

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"syscall"
	"time"

	"tocsin/internal/record"
)

// printMax is how many bytes of a file its print is taken over, at most. Doc of record.Position: for ever.
const printMax = 1024

// A tail is an open file that is read from its start, or from where it was left, to its end.
//
//	0          len(head)      lines.start      lines.off      until
//	|---- print ---|               |                |           |
//	|------------- whole lines ----|-- no end yet --|-- unread -|
//
// The head is read as soon as the file is seen, before anything else of it: so a file that is truncated in between
// is noticed, and its copy looked for.
type tail struct {
	name   string // where it was found
	id     fs.FileInfo
	twin   fs.FileInfo // the gzip file that it was packed into
	file   *os.File
	from   io.ReaderAt // file, or what is packed in it
	packed bool        // gzip: it is complete and does not change
	ended  bool        // nothing more is to be read from it
	gone   bool        // it no longer begins with what was read from it: it was truncated
	copied bool        // it is a copy that was made before a truncation: what follows it is the truncated file
	head   []byte      // its first bytes, as far as they were there, at most printMax
	lines  splitter
	until  int64     // its length when last looked at
	wrote  time.Time // its time of change then
	grew   time.Time // when something was last read from it, or when it was opened
	print  string    // of the whole head, once that has printMax bytes
}

// openTail opens a regular file for reading from its start. It never waits: a pipe under a log's name is refused.
func openTail(name string) (*tail, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if !st.Mode().IsRegular() {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("it is not a regular file")}
	}
	t := &tail{name: name, id: st, file: f, from: f, until: st.Size(), wrote: st.ModTime(), grew: time.Now(), lines: newSplitter(0, record.MaxLine)}
	if strings.HasSuffix(name, ".gz") {
		t.packed, t.until, t.from = true, math.MaxInt64, &unpacked{file: f}
	}
	t.begin()
	return t, nil
}

// begin learns more of the head. It cannot fail: what is not learnt now is learnt later.
func (t *tail) begin() {
	have := len(t.head)
	if have == printMax || int64(have) >= t.until {
		return
	}
	more := make([]byte, printMax-have)
	n, _ := t.from.ReadAt(more, int64(have))
	t.head = append(t.head, more[:n]...)
}

func (t *tail) close() {
	t.file.Close()
}

// look learns the file's present length, and whether it was truncated.
func (t *tail) look() error {
	if t.packed || t.ended {
		return nil
	}
	st, err := t.file.Stat()
	if err != nil {
		return err
	}
	t.until = st.Size()
	if t.until < t.lines.off || !st.ModTime().Equal(t.wrote) {
		t.wrote = st.ModTime()
		if err := t.check(); err != nil || t.gone {
			return err
		}
	}
	t.begin()
	return nil
}

// read reads what comes next, at most len(buf) bytes and not beyond until, and appends the lines that end in it.
// It says how many bytes it read; 0 is the end. When the file turns out to be truncated, what was read is thrown away.
func (t *tail) read(buf []byte, lines []line) ([]line, int, error) {
	want := min(int64(len(buf)), t.until-t.lines.off)
	if t.ended || t.gone || want <= 0 {
		return lines, 0, nil
	}
	n, err := t.from.ReadAt(buf[:want], t.lines.off)
	if n == 0 && err != io.EOF {
		return lines, 0, err
	}
	if n < int(want) && t.packed {
		t.until = t.lines.off + int64(n)
	}
	// Checked after reading: if the file begins as before now, then it did so while buf was filled.
	if err := t.check(); err != nil || t.gone || n == 0 {
		return lines, 0, err
	}
	t.grew = time.Now()
	return t.lines.add(string(buf[:n]), lines), n, nil
}

// check sets gone when the file no longer begins with what was read from it.
func (t *tail) check() error {
	if t.packed || t.ended {
		return nil
	}
	st, err := t.file.Stat()
	if err != nil {
		return err
	}
	var now [printMax]byte
	n, err := t.file.ReadAt(now[:len(t.head)], 0)
	if n < len(t.head) && err != nil && err != io.EOF {
		return err
	}
	t.gone = st.Size() < t.lines.off || !bytes.Equal(now[:n], t.head)
	return nil
}

// position says that the file was read up to end, the end of one of its lines.
func (t *tail) position(path string, end int64) record.Position {
	n := min(int64(len(t.head)), end)
	if n < printMax {
		return record.Position{File: path, Print: printOf(t.head[:n]), PrintLen: n, Offset: end}
	}
	if t.print == "" {
		t.print = printOf(t.head)
	}
	return record.Position{File: path, Print: t.print, PrintLen: n, Offset: end}
}

// printOf returns the print of a file's first bytes; none have none.
func printOf(head []byte) string {
	if len(head) == 0 {
		return ""
	}
	sum := sha256.Sum256(head)
	return hex.EncodeToString(sum[:])
}

// seek makes t go on from p, if it is the file that p is about. A position without a print fits every file.
func (t *tail) seek(p record.Position) (bool, error) {
	if p.Offset < 0 || p.PrintLen < 0 || p.PrintLen > printMax {
		return false, nil
	}
	head := make([]byte, max(p.PrintLen, min(p.Offset, printMax)))
	n, err := t.from.ReadAt(head, 0)
	if n < len(head) {
		return false, notShort(err)
	}
	if printOf(head[:p.PrintLen]) != p.Print {
		return false, nil
	}
	var last [1]byte
	if p.Offset > 0 {
		if n, err := t.from.ReadAt(last[:], p.Offset-1); n < 1 {
			return false, notShort(err)
		}
	}
	if len(head) > len(t.head) {
		t.head = head
	}
	t.lines = newSplitter(p.Offset, record.MaxLine)
	return true, nil
}

// begins returns the position at the start of a file, with a print over what is there.
func begins(path string) record.Position {
	p := record.Position{File: path}
	t, err := openTail(path)
	if err != nil {
		return p
	}
	defer t.close()
	p.Print, p.PrintLen = printOf(t.head), int64(len(t.head))
	return p
}

// notShort drops the errors that only say that a file, packed or not, has no more bytes.
func notShort(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return nil
	}
	return err
}

// unpacked reads what is in a gzip file, as logrotate leaves it. It is quick when read forwards, and begins again otherwise.
type unpacked struct {
	file *os.File
	open *gzip.Reader
	off  int64
	err  error // what ended it
}

func (u *unpacked) ReadAt(p []byte, off int64) (int, error) {
	if u.open == nil || off < u.off {
		z, err := gzip.NewReader(bufio.NewReader(io.NewSectionReader(u.file, 0, math.MaxInt64)))
		if err != nil {
			return 0, err
		}
		u.open, u.off, u.err = z, 0, nil
	}
	if u.err != nil {
		return 0, u.err
	}
	if n, err := io.CopyN(io.Discard, u.open, off-u.off); err != nil {
		u.off, u.err = u.off+n, err
		return 0, err
	}
	n, err := io.ReadFull(u.open, p)
	u.off = off + int64(n)
	if err == io.ErrUnexpectedEOF && n > 0 {
		err = io.EOF // short is not broken, as far as ReadAt goes
	}
	u.err = err
	return n, err
}
