package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"tocsin/internal/disk"
)

const (
	suffix = ".log" // of segments
	unborn = ".new" // of a segment that is not whole yet
)

// A segment is one file. Its fields are guarded by Archive.mu once it is among the segments.
type segment struct {
	name          string // below the layer's folder
	salt          salt
	first, next   int64 // numbers of the first line in it, and after the last
	size          int64 // bytes
	oldest        int64 // time of receipt of the first batch, nanoseconds; noTime while there is none
	newest        int64 // time of receipt of the newest batch, likewise
	sealed        bool  // has its end; nothing is written to it any more
	indexComplete bool
	index         []mark
}

// noTime stands for the time of a batch that there is not.
const noTime = math.MinInt64

// A mark says where a block with lines starts: 8 bytes of memory a block, nothing for its lines.
type mark struct {
	offset uint32
	line   uint32 // number of its first line, less that of the segment
}

func (s *segment) seen(h header, offset int64) {
	if h.kind != kindLines {
		return
	}
	if s.oldest == noTime {
		s.oldest = h.received
	}
	s.newest = max(s.newest, h.received)
	if h.count > 0 {
		s.index = append(s.index, mark{uint32(offset), uint32(h.first - s.first)})
	}
	s.next = h.first + int64(h.count)
}

func (a *Archive) nameOf(first int64) string {
	return path.Join(a.dir, fmt.Sprintf("%019d%s", first, suffix))
}

// clean returns the names of the segments, oldest first, and removes one that was not finished.
func (a *Archive) clean() ([]string, error) {
	names, unfinished, err := list(a.layer, a.dir)
	if err != nil {
		return nil, err
	}
	if a.options.ReadOnly || len(unfinished) == 0 {
		return names, nil
	}
	for _, n := range unfinished {
		if err := a.layer.Remove(n); err != nil {
			return nil, err
		}
	}
	return names, a.layer.SyncDir(a.dir)
}

// list returns the segments of a folder by the number in their names, and those that were being made. Other files are left alone.
func list(l disk.Layer, dir string) (names, unfinished []string, err error) {
	all, err := l.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range all {
		base, ok := strings.CutSuffix(d.Name(), suffix)
		if strings.HasSuffix(d.Name(), unborn) {
			unfinished = append(unfinished, path.Join(dir, d.Name()))
		} else if _, bad := strconv.ParseUint(base, 10, 63); ok && bad == nil && len(base) == 19 {
			names = append(names, path.Join(dir, d.Name()))
		}
	}
	return names, unfinished, nil
}

// look opens a segment, and checks it whole or, when it is an older one and whole is false, only head, end and length.
// It returns where its good bytes end. The state of the newest is taken over.
func (a *Archive) look(name string, newest, whole bool) (s *segment, end int64, err error) {
	f, err := a.layer.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("opening archive segment %s: %w", name, err)
	}
	defer f.Close()
	s, err = newSegment(name, f)
	if err != nil {
		return nil, 0, err
	}
	if !newest && !whole {
		return s, s.size, quick(s, f)
	}
	visit := func(h header, offset int64, stored []byte) error {
		s.seen(h, offset)
		if !newest {
			return nil
		}
		return a.takeOver(h, stored)
	}
	end, err = scan(s, f, visit)
	if err != nil {
		return nil, 0, err
	}
	if !newest && !s.sealed {
		return nil, 0, &DamageError{name, end, "the segment has no end, though another follows"}
	}
	s.indexComplete = true
	if !newest {
		s.index, s.indexComplete = nil, false // made again when it is read
	}
	return s, end, nil
}

// takeOver adds what a block of the newest segment says to the state.
func (a *Archive) takeOver(h header, stored []byte) error {
	c, err := content(a.open, h, stored)
	if err != nil {
		return err
	}
	switch c := c.(type) {
	case *state:
		a.state = c
	case Block:
		a.state.add(c, receiptOf(c))
	}
	return nil
}

// newSegment reads the head of a file.
func newSegment(name string, f disk.File) (*segment, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading archive segment %s: %w", name, err)
	}
	s := &segment{name: name, size: stat.Size(), oldest: noTime, newest: noTime}
	var b [fileHeader]byte
	if _, err := f.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading archive segment %s: %w", name, err)
	}
	if string(b[:16]) != fileText {
		return nil, &DamageError{name, 0, fmt.Sprintf("it does not begin with %q; a file of another program, or of a newer version of this one", fileText)}
	}
	copy(s.salt[:], b[16:])
	s.first, err = strconv.ParseInt(strings.TrimSuffix(path.Base(name), suffix), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("archive segment %s: %w", name, err)
	}
	s.next = s.first
	return s, nil
}

// quick checks a sealed segment by its two ends.
func quick(s *segment, f io.ReaderAt) error {
	at := s.size - blockHeader
	b := make([]byte, blockHeader)
	if at < fileHeader {
		return &DamageError{s.name, s.size, "it is too short"}
	}
	if _, err := f.ReadAt(b, fileHeader); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading archive segment %s: %w", s.name, err)
	}
	if h, err := parseHeader(b, s.salt, fileHeader); err != nil || h.kind != kindHead || h.first != s.first {
		return &DamageError{s.name, fileHeader, "its first block is not the head of a segment with this name"}
	}
	if _, err := f.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading archive segment %s: %w", s.name, err)
	}
	h, err := parseHeader(b, s.salt, at)
	if err != nil || h.kind != kindEnd || h.first < s.first {
		return &DamageError{s.name, at, "its end is missing: the file was cut or added to"}
	}
	s.next, s.newest, s.sealed = h.first, h.received, true
	return nil
}

// scan calls visit with each good block, in order, and returns where they end. What stands there is either the end of
// the file or a torn tail; acknowledged bytes that are bad are a *DamageError.
func scan(s *segment, f disk.File, visit func(h header, offset int64, stored []byte) error) (int64, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, fileHeader, s.size-fileHeader), int(min(max(s.size, 4<<10), 256<<10)))
	at := int64(fileHeader)
	var buf []byte
	next := s.first
	for at < s.size {
		h, stored, err := readBlock(r, s.salt, at, buf)
		if err == nil {
			err = inOrder(h, at, s.size, s.first, next, s.sealed)
		}
		if err == nil {
			err = visit(h, at, stored)
		}
		if err != nil {
			return at, judge(s, f, at, err)
		}
		s.sealed = h.kind == kindEnd
		next = h.first + int64(h.count)
		buf = stored
		at += blockHeader + int64(len(stored))
	}
	if at == fileHeader {
		return at, &DamageError{s.name, at, "its head is missing"}
	}
	return at, nil
}

// readBlock reads the block at offset, into buf when that is long enough.
func readBlock(r io.Reader, s salt, offset int64, buf []byte) (header, []byte, error) {
	var b [blockHeader]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return header{}, nil, cutShort(err)
	}
	h, err := parseHeader(b[:], s, offset)
	if err != nil {
		return header{}, nil, err
	}
	if int(h.stored) > cap(buf) {
		buf = make([]byte, h.stored)
	}
	buf = buf[:h.stored]
	if _, err := io.ReadFull(r, buf); err != nil {
		return header{}, nil, cutShort(err)
	}
	if payloadSum(s, buf) != h.sum {
		return header{}, nil, tornError("the checksum of a block's payload is wrong")
	}
	return h, buf, nil
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return tornError("a block ends after the end of the file")
	}
	return err
}

// inOrder checks a block against what came before it.
func inOrder(h header, at, size, first, next int64, ended bool) error {
	switch {
	case ended:
		return errors.New("a block comes after the end of the segment")
	case (at == fileHeader) != (h.kind == kindHead):
		return errors.New("the head of the segment is not its first block")
	case h.first != next:
		return fmt.Errorf("line %d should follow, but the block starts with line %d", next, h.first)
	case h.kind != kindLines && h.count != 0 || h.synced > at || h.synced < 0:
		return errors.New("the block's header holds numbers that cannot be")
	case h.kind == kindEnd && at+blockHeader+int64(h.stored) != size:
		return errors.New("bytes come after the end of the segment")
	}
	return nil
}

// judge says what an error at an offset means: damage; or nil, a torn tail, when bytes do not fit, they are not
// the head, and no block after them was written once they were synced.
func judge(s *segment, f io.ReaderAt, at int64, why error) error {
	if _, failed := errors.AsType[*fs.PathError](why); failed {
		return fmt.Errorf("reading archive segment %s: %w", s.name, why)
	}
	damage := &DamageError{s.name, at, why.Error()}
	if _, torn := errors.AsType[tornError](why); !torn || at == fileHeader || s.sealed {
		return damage
	}
	const step = 1 << 20
	buf := make([]byte, min(step+blockHeader, s.size-at))
	for from := at + 1; from < s.size; from += step {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), s.size-from)], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading archive segment %s: %w", s.name, err)
		}
		text := string(buf[:n])
		for i := 0; ; i++ {
			j := strings.Index(text[i:], blockText)
			if j < 0 {
				break
			}
			i += j
			if h, err := parseHeader(buf[i:n], s.salt, from+int64(i)); err == nil && h.synced > at {
				return damage
			}
		}
	}
	return nil
}
