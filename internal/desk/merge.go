package desk

import (
	"bufio"
	"bytes"
	"container/heap"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// A Skipped file was not read, and why.
type Skipped struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// A log is one file of a folder that is read as one stream with the others, by record time.
type log struct {
	name   string // of the folder and below it
	hint   time.Time
	in     *bufio.Reader
	close  []io.Closer
	stat   fs.FileInfo
	packed bool
	offset int64    // of the line to read next
	lineAt int64    // of the one that was read last
	parts  []string // events of the line that was read last, beyond next: lines of CloudTrail hold several
	next   *record.Record
	at     time.Time // of next; a line without a time has that of the line before
	place  int       // among the logs: breaks ties
	eof    bool
}

// A folder is logs that are read whole. Its name goes before those of its files; "" adds nothing.
type folder struct {
	name  string
	files fs.FS
}

// A merge reads the files of folders as one stream in order of record time. Lines of one file keep their order.
type merge struct {
	parser *intake.Parser
	shift  func(raw string) string // applied to each line before it is parsed; nil is none
	logs   logHeap
	seq    int64

	read    int // files
	skipped []Skipped
}

// newMerge opens the log files of folders; what is no log that we know is skipped and named.
func newMerge(folders []folder, parser *intake.Parser, as string, shift func(string) string) *merge {
	m := &merge{parser: parser, shift: shift}
	hints := map[string]time.Time{}
	seen := map[string]bool{}
	for _, f := range folders {
		for _, name := range m.list(f) {
			full := path.Join(f.name, name)
			if seen[full] {
				continue // named twice, as by its folder and by itself
			}
			seen[full] = true
			l, newest, err := openLog(f.files, name, as, parser)
			if err != nil {
				m.skip(full, err)
				continue
			}
			l.name, l.place = full, len(m.logs)
			m.logs = append(m.logs, l)
			if dir := path.Dir(full); newest.After(hints[dir]) {
				hints[dir] = newest
			}
		}
	}
	for _, l := range m.logs {
		if h := hints[path.Dir(l.name)]; !h.IsZero() {
			l.hint = h
		}
		if shift != nil {
			if t, ok := intake.FullDate(shift(l.hint.Format(time.RFC3339))); ok {
				l.hint = t
			}
		}
	}
	m.read = len(m.logs)
	m.start()
	return m
}

// list names the files of a folder, in order.
func (m *merge) list(f folder) (names []string) {
	err := fs.WalkDir(f.files, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			m.skip(path.Join(f.name, name), err)
		case e.IsDir():
		case !e.Type().IsRegular() && e.Type()&fs.ModeSymlink == 0:
			m.skip(path.Join(f.name, name), errors.New("not a regular file"))
		default:
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		m.skip(f.name, err)
	}
	sort.Strings(names)
	return names
}

// skip notes what was not read, or not to its end.
func (m *merge) skip(name string, err error) {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err // its name is known, and below the folder it would be another
	}
	m.skipped = append(m.skipped, Skipped{name, err.Error()})
}

func (m *merge) start() {
	open := m.logs[:0]
	for _, l := range m.logs {
		m.advance(l)
		if l.eof {
			l.done()
		} else {
			open = append(open, l)
		}
	}
	m.logs = open
	heap.Init(&m.logs)
}

// Next returns the next record; false after the last one.
func (m *merge) Next() (*record.Record, bool) {
	if len(m.logs) == 0 {
		return nil, false
	}
	l := m.logs[0]
	r := l.next
	m.seq++
	r.Line.Seq = m.seq
	m.advance(l)
	if l.eof {
		l.done()
		heap.Pop(&m.logs)
	} else {
		heap.Fix(&m.logs, 0)
	}
	return r, true
}

// Close closes what is still open.
func (m *merge) Close() {
	for _, l := range m.logs {
		l.done()
	}
}

// advance parses the next line of l. A file that breaks off, as a packed one that is still written does, ends there and is named.
func (m *merge) advance(l *log) {
	if len(l.parts) > 0 {
		raw := l.parts[0]
		l.parts = l.parts[1:]
		m.take(l, raw, l.lineAt)
		return
	}
	raw, n, err := readLine(l.in)
	if err != nil {
		l.eof = true
		if !errors.Is(err, io.EOF) {
			m.skip(l.name, fmt.Errorf("read only to byte %d, because it breaks off there: %w", l.offset, err))
		}
		return
	}
	if m.shift != nil {
		raw = m.shift(raw)
	}
	if l.lineAt = l.offset; intake.Wrapped(raw) {
		l.parts = slices.Collect(intake.Parts(raw))
		raw, l.parts = l.parts[0], l.parts[1:]
	}
	l.offset += n
	m.take(l, raw, l.lineAt)
}

// take parses a line, or an event of one.
func (m *merge) take(l *log, raw string, at int64) {
	r := m.parser.Parse(record.Line{File: l.name, Offset: at, Raw: raw}, l.hint)
	l.next = r
	if r.Time.After(l.at) {
		l.at = r.Time
	}
}

// readLine returns the next line without its end, at most record.MaxLine bytes of it, and how many bytes it took.
func readLine(in *bufio.Reader) (raw string, n int64, err error) {
	var b []byte
	for {
		part, err := in.ReadSlice('\n')
		n += int64(len(part))
		if room := record.MaxLine + 1 - len(b); room > 0 {
			b = append(b, part[:min(room, len(part))]...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && (!errors.Is(err, io.EOF) || n == 0):
			return "", n, err
		}
		return string(bytes.TrimSuffix(b, []byte("\n"))), n, nil
	}
}

func (l *log) done() {
	for _, c := range l.close {
		_ = c.Close() // read only: nothing to lose
	}
}

const (
	peek     = 64 << 10 // bytes at the start of a file in which its format is looked for
	tailPeek = 64 << 10 // and at its end, in which its newest date is
)

// openLog opens a file, undoes its compression, and finds the newest full date in it.
func openLog(files fs.FS, name, as string, parser *intake.Parser) (*log, time.Time, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	l := &log{name: name, close: []io.Closer{f}}
	stat, err := f.Stat()
	if err != nil {
		return nil, time.Time{}, errors.Join(err, f.Close())
	}
	l.stat, l.hint = stat, stat.ModTime()
	if l.hint.Year() < 1980 {
		l.hint = time.Time{}
	}
	plain := bufio.NewReaderSize(f, peek)
	if err := l.unpack(plain); err != nil {
		l.done()
		return nil, time.Time{}, err
	}
	head, err := l.in.Peek(peek)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		l.done()
		return nil, time.Time{}, err
	}
	lines := strings.Split(string(head), "\n")
	if len(head) == peek && len(lines) > 1 {
		lines = lines[:len(lines)-1]
	}
	if _, ok := parser.Known(name, lines[:min(len(lines), 50)]); !ok && as == "" {
		l.done()
		if len(bytes.TrimSpace(head)) == 0 {
			return nil, time.Time{}, errors.New("empty")
		}
		return nil, time.Time{}, errors.New("not a log format that is known; name one with --as")
	}
	newest := newestDate(lines)
	if l.in == plain && stat.Size() > peek {
		newest = later(newest, tailDate(files, name, stat.Size()))
	}
	return l, newest, nil
}

// unpack undoes gzip and zstd, known by their first bytes (RFC 1952, RFC 8878), and takes lists of objects apart.
func (l *log) unpack(in *bufio.Reader) error {
	magic, _ := in.Peek(4)
	kind := packing(magic)
	l.packed = kind != ""
	switch kind {
	case "gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("damaged gzip file: %w", err)
		}
		l.close = append(l.close, z)
		l.in = bufio.NewReaderSize(z, peek)
	case "zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return fmt.Errorf("damaged zstd file: %w", err)
		}
		l.close = append(l.close, z.IOReadCloser())
		l.in = bufio.NewReaderSize(z, peek)
	default:
		l.in = in
	}
	if in := intake.Unwrap(l.in); in != l.in {
		l.in, l.packed = in, true
	}
	return nil
}

// packing names what a file was packed with, by its first bytes; "" is nothing.
func packing(magic []byte) string {
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	}
	return ""
}

func newestDate(lines []string) (newest time.Time) {
	for _, s := range lines {
		if t, ok := intake.FullDate(s); ok {
			newest = later(newest, t)
		}
	}
	return newest
}

// tailDate returns the newest full date near the end of a file.
func tailDate(files fs.FS, name string, size int64) time.Time {
	f, err := files.Open(name)
	if err != nil {
		return time.Time{}
	}
	defer f.Close()
	s, ok := f.(io.Seeker)
	if !ok {
		return time.Time{}
	}
	if _, err := s.Seek(size-tailPeek, io.SeekStart); err != nil {
		return time.Time{}
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return time.Time{}
	}
	return newestDate(strings.Split(string(b), "\n"))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// logHeap orders logs by the time of their next line, then by place.
type logHeap []*log

func (h logHeap) Len() int { return len(h) }
func (h logHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].place < h[j].place
}
func (h logHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *logHeap) Push(x any)   { *h = append(*h, x.(*log)) }
func (h *logHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
