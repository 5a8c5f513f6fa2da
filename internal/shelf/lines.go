package shelf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"sort"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/record"
)

// The lines of a volume, byte for byte, stand in a file of frames, in the order of their numbers. doc/formats/archive.md draws it.
//
//	file    "tocsin lines 1\0\0"  16 bytes    salt  16 bytes
//	frame    0  "TLf1"
//	         4  kind                        1 lines, 2 index
//	         5  flags                       1 payload is zstd
//	         6  0 0
//	         8  first                 int64 number of the first line
//	        16  last                  int64 and of the last
//	        24  count                uint32 lines
//	        28  stored               uint32 bytes of the payload in the file
//	        32  plain                uint32 bytes of the payload unpacked
//	        36  payload CRC-32C      uint32 over salt and stored payload
//	        40  header CRC-32C       uint32 over salt, offset of the frame (8 bytes) and bytes 0 to 39
//	end     offset of the index  8 bytes    CRC-32C of it over the salt  4 bytes    "TLe1"
//
// Numbers are big-endian. The index is the last frame.
const (
	linesText   = "tocsin lines 1\x00\x00"
	linesHeader = 32
	frameText   = "TLf1"
	frameHeader = 44
	endText     = "TLe1"
	endSize     = 16

	kindFrame = 1
	kindIndex = 2
	flagZstd  = 1
)

const (
	frameBytes = 64 << 10 // of lines in a frame, more or less
	frameLines = 1 << 14
	maxFrame   = record.MaxLine + frameBytes + frameLines*64 + 1<<20 // bytes of a frame unpacked, at most
	maxIndex   = 64 << 20
)

// A Line is a line with what its batch said of it.
type Line struct {
	record.Line
	Received int64  // nanoseconds since 1970, UTC
	Agent    string // who read it; "" is the agent inside this program
}

type salt [16]byte

func sum(s salt, parts ...[]byte) uint32 {
	t := crc32.MakeTable(crc32.Castagnoli)
	c := crc32.Checksum(s[:], t)
	for _, p := range parts {
		c = crc32.Update(c, t, p)
	}
	return c
}

// A frame says where in the file some lines stand.
type frame struct {
	offset      int64
	first, last int64
	count       uint32
}

// A linesWriter writes such a file.
type linesWriter struct {
	w      io.Writer
	salt   salt
	zstd   *zstd.Encoder
	at     int64
	frames []frame
	lines  []Line // of the frame to come
	size   int
	raw    int64 // bytes of all lines
	last   int64
	packed []byte
}

func newLinesWriter(w io.Writer, s salt, z *zstd.Encoder) (*linesWriter, error) {
	x := &linesWriter{w: w, salt: s, zstd: z}
	return x, x.write(append([]byte(linesText), s[:]...))
}

func (x *linesWriter) write(b []byte) error {
	n, err := x.w.Write(b)
	x.at += int64(n)
	return err
}

// add takes the next line; numbers must grow.
func (x *linesWriter) add(l Line) error {
	if l.Seq <= x.last {
		return fmt.Errorf("line %d comes after line %d", l.Seq, x.last)
	}
	x.last = l.Seq
	x.lines = append(x.lines, l)
	x.size += len(l.Raw)
	x.raw += int64(len(l.Raw)) + 1
	if x.size >= frameBytes || len(x.lines) >= frameLines {
		return x.flush()
	}
	return nil
}

func (x *linesWriter) flush() error {
	if len(x.lines) == 0 {
		return nil
	}
	first, last := x.lines[0].Seq, x.lines[len(x.lines)-1].Seq
	x.frames = append(x.frames, frame{x.at, first, last, uint32(len(x.lines))})
	err := x.put(kindFrame, first, last, uint32(len(x.lines)), encodeLines(x.lines))
	clear(x.lines)
	x.lines, x.size = x.lines[:0], 0
	return err
}

// copyFrame takes over a frame of another file as it is stored.
func (x *linesWriter) copyFrame(f frame, flags byte, plain uint32, stored []byte) error {
	if err := x.flush(); err != nil {
		return err
	}
	if f.first <= x.last {
		return fmt.Errorf("line %d comes after line %d", f.first, x.last)
	}
	x.last = f.last
	x.frames = append(x.frames, frame{x.at, f.first, f.last, f.count})
	return x.putStored(kindFrame, flags, f.first, f.last, f.count, plain, stored)
}

func (x *linesWriter) put(kind byte, first, last int64, count uint32, plain []byte) error {
	stored, flags := plain, byte(0)
	if x.packed = x.zstd.EncodeAll(plain, x.packed[:0]); len(x.packed) < len(plain) {
		stored, flags = x.packed, flagZstd
	}
	return x.putStored(kind, flags, first, last, count, uint32(len(plain)), stored)
}

func (x *linesWriter) putStored(kind, flags byte, first, last int64, count, plain uint32, stored []byte) error {
	b := make([]byte, 0, frameHeader+len(stored))
	b = append(b, frameText...)
	b = append(b, kind, flags, 0, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(first))
	b = binary.BigEndian.AppendUint64(b, uint64(last))
	b = binary.BigEndian.AppendUint32(b, count)
	b = binary.BigEndian.AppendUint32(b, uint32(len(stored)))
	b = binary.BigEndian.AppendUint32(b, plain)
	b = binary.BigEndian.AppendUint32(b, sum(x.salt, stored))
	b = binary.BigEndian.AppendUint32(b, sum(x.salt, offsetBytes(x.at), b))
	return x.write(append(b, stored...))
}

func offsetBytes(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// close writes the index and the end.
func (x *linesWriter) close() error {
	if err := x.flush(); err != nil {
		return err
	}
	at := x.at
	var w record.Packer
	w.Uint(uint64(len(x.frames)))
	before := frame{}
	for _, f := range x.frames {
		w.Uint(uint64(f.offset - before.offset))
		w.Uint(uint64(f.first - before.last))
		w.Uint(uint64(f.last - f.first))
		w.Uint(uint64(f.count))
		before = f
	}
	if err := x.put(kindIndex, 0, 0, 0, w.Finish(0)); err != nil {
		return err
	}
	b := offsetBytes(at)
	b = binary.BigEndian.AppendUint32(b, sum(x.salt, b))
	return x.write(append(b, endText...))
}

type origin struct{ agent, host, file string }

// encodeLines returns the plain payload of a frame:
//
//	texts     as in every payload of package record
//	origins   n, then n times: agent, host, file (texts)
//	lines     count times: number less that of the line before it (less 1 for the first, which the header has), origin,
//	          offset less what is expected (signed), time of receipt less that of the line before it (signed), length
//	bytes     of all lines, one after the other
//
// What is expected of an offset is the end of the line before it from the same origin, plus 1; 0 for the first one.
func encodeLines(lines []Line) []byte {
	var w record.Packer
	places := map[origin]int{}
	var origins []origin
	at := make([]int, len(lines))
	total := 0
	for i := range lines {
		l := &lines[i]
		o := origin{l.Agent, l.Host, l.File}
		if i > 0 && o == origins[at[i-1]] { // as of most
			at[i] = at[i-1]
			total += len(l.Raw)
			continue
		}
		n, ok := places[o]
		if !ok {
			n = len(origins)
			places[o] = n
			origins = append(origins, o)
		}
		at[i] = n
		total += len(l.Raw)
	}
	w.Uint(uint64(len(origins)))
	for _, o := range origins {
		w.Text(o.agent)
		w.Text(o.host)
		w.Text(o.file)
	}
	expected := make([]int64, len(origins))
	seq, received := lines[0].Seq, int64(0)
	for i := range lines {
		l := &lines[i]
		w.Uint(uint64(l.Seq - seq))
		w.Uint(uint64(at[i]))
		w.Int(l.Offset - expected[at[i]])
		w.Int(l.Received - received)
		w.Uint(uint64(len(l.Raw)))
		expected[at[i]] = l.Offset + int64(len(l.Raw)) + 1
		seq, received = l.Seq, l.Received
	}
	b := w.Finish(total)
	for i := range lines {
		b = append(b, lines[i].Raw...)
	}
	return b
}

// decodeLines is encodeLines backwards. The texts of a frame share one string. When only is not 0, it returns just the line of this number, if
// there is one.
func decodeLines(first, last int64, count uint32, plain []byte, only int64) ([]Line, error) {
	r, err := record.NewUnpacker(plain)
	if err != nil {
		return nil, err
	}
	origins := make([]origin, r.Count(3))
	for i := range origins {
		origins[i] = origin{r.Text(), r.Text(), r.Text()}
	}
	if r.Err() == nil && int64(count)*5 > int64(len(r.Rest())) {
		return nil, record.ErrShort
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	expected := make([]int64, len(origins))
	var lines []Line
	type span struct{ from, size uint64 }
	var spans []span
	if only == 0 {
		lines, spans = make([]Line, 0, count), make([]span, 0, count)
	}
	seq, received, total := first, int64(0), uint64(0)
	for i := range count {
		more, o, offset, later, n := r.Uint(), r.Uint(), r.Int(), r.Int(), r.Uint()
		if r.Err() != nil {
			return nil, r.Err()
		}
		if o >= uint64(len(origins)) || n > record.MaxLine || more > math.MaxInt32 || i > 0 && more == 0 {
			return nil, errors.New("a line of the frame has a number, an origin or a length that cannot be")
		}
		seq, received = seq+int64(more), received+later
		offset += expected[o]
		expected[o] = offset + int64(n) + 1
		if only == 0 || only == seq {
			lines = append(lines, Line{Line: record.Line{Seq: seq, Host: origins[o].host, File: origins[o].file, Offset: offset}, Agent: origins[o].agent, Received: received})
			spans = append(spans, span{total, n})
		}
		total += n
	}
	rest := r.Rest()
	if total > uint64(len(rest)) {
		return nil, record.ErrShort
	}
	if total < uint64(len(rest)) || count > 0 && seq != last {
		return nil, errors.New("the frame does not end where it should")
	}
	for i, x := range spans {
		lines[i].Raw = rest[x.from : x.from+x.size]
	}
	return lines, nil
}

// A linesFile reads such a file.
type linesFile struct {
	r      io.ReaderAt
	size   int64
	salt   salt
	frames []frame
	zstd   *zstd.Decoder
}

// openLines reads the index.
func openLines(r io.ReaderAt, size int64, z *zstd.Decoder) (*linesFile, error) {
	x := &linesFile{r: r, size: size, zstd: z}
	if size < linesHeader+frameHeader+endSize {
		return nil, errors.New("it is too short")
	}
	var head [linesHeader]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	if string(head[:16]) != linesText {
		return nil, errors.New("it does not begin as a file of lines does")
	}
	copy(x.salt[:], head[16:])
	var end [endSize]byte
	if _, err := r.ReadAt(end[:], size-endSize); err != nil {
		return nil, err
	}
	at := int64(binary.BigEndian.Uint64(end[:8]))
	if string(end[12:]) != endText || binary.BigEndian.Uint32(end[8:12]) != sum(x.salt, end[:8]) || at < linesHeader || at > size-endSize-frameHeader {
		return nil, errors.New("its end is missing or changed")
	}
	h, stored, err := x.frameAt(at, kindIndex, nil)
	if err != nil {
		return nil, err
	}
	if at+frameHeader+int64(len(stored))+endSize != size {
		return nil, errors.New("bytes stand between its index and its end")
	}
	plain, err := x.unpack(h, stored)
	if err != nil {
		return nil, err
	}
	return x, x.readIndex(plain, at)
}

func (x *linesFile) readIndex(plain []byte, end int64) error {
	u, err := record.NewUnpacker(plain)
	if err != nil {
		return err
	}
	before := frame{}
	for range u.Count(4) {
		offset, first, last, count := u.Uint(), u.Uint(), u.Uint(), u.Uint()
		if u.Err() != nil {
			return u.Err()
		}
		f := frame{before.offset + int64(offset), before.last + int64(first), 0, uint32(count)}
		f.last = f.first + int64(last)
		if offset > uint64(end) || f.offset >= end || first == 0 || first > math.MaxInt64/4 || last > math.MaxInt64/4 || f.last < f.first || count == 0 || count > frameLines {
			return errors.New("its index holds numbers that cannot be")
		}
		x.frames = append(x.frames, f)
		before = f
	}
	if u.Err() == nil && u.Rest() != "" {
		return errors.New("its index has bytes after its end")
	}
	return u.Err()
}

type frameHead struct {
	flags       byte
	first, last int64
	count       uint32
	plain       uint32
}

// frameAt reads a frame as it is stored, into buf when that is long enough.
func (x *linesFile) frameAt(at int64, kind byte, buf []byte) (frameHead, []byte, error) {
	var b [frameHeader]byte
	if _, err := x.r.ReadAt(b[:], at); err != nil {
		return frameHead{}, nil, err
	}
	if string(b[:4]) != frameText || binary.BigEndian.Uint32(b[40:]) != sum(x.salt, offsetBytes(at), b[:40]) {
		return frameHead{}, nil, fmt.Errorf("no frame is at byte %d, or the checksum of its header is wrong", at)
	}
	h := frameHead{b[5], int64(binary.BigEndian.Uint64(b[8:])), int64(binary.BigEndian.Uint64(b[16:])), binary.BigEndian.Uint32(b[24:]), binary.BigEndian.Uint32(b[32:])}
	size := binary.BigEndian.Uint32(b[28:])
	most := uint32(maxFrame)
	if kind == kindIndex {
		most = maxIndex
	}
	if b[4] != kind || h.flags&^flagZstd != 0 || b[6] != 0 || b[7] != 0 || h.plain > most || size > h.plain || h.flags == 0 && size != h.plain || h.count > frameLines || int64(size) > x.size-at-frameHeader {
		return h, nil, fmt.Errorf("the frame at byte %d holds numbers that cannot be", at)
	}
	if int(size) > cap(buf) {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	if _, err := x.r.ReadAt(buf, at+frameHeader); err != nil {
		return h, nil, err
	}
	if binary.BigEndian.Uint32(b[36:]) != sum(x.salt, buf) {
		return h, nil, fmt.Errorf("the checksum of the frame at byte %d is wrong", at)
	}
	return h, buf, nil
}

func (x *linesFile) unpack(h frameHead, stored []byte) ([]byte, error) {
	if h.flags&flagZstd == 0 {
		return stored, nil
	}
	plain, err := x.zstd.DecodeAll(stored, make([]byte, 0, min(int(h.plain), 64*len(stored))))
	if err != nil {
		return nil, fmt.Errorf("unpacking a frame: %w", err)
	}
	if len(plain) != int(h.plain) {
		return nil, fmt.Errorf("a frame unpacks to %d bytes instead of %d", len(plain), h.plain)
	}
	return plain, nil
}

// read returns the lines of frame n, or only the one of a number.
func (x *linesFile) read(n int, only int64) ([]Line, error) {
	f := x.frames[n]
	h, stored, err := x.frameAt(f.offset, kindFrame, nil)
	if err != nil {
		return nil, err
	}
	if h.first != f.first || h.last != f.last || h.count != f.count {
		return nil, fmt.Errorf("the frame at byte %d is not the one that the index names", f.offset)
	}
	plain, err := x.unpack(h, stored)
	if err != nil {
		return nil, err
	}
	return decodeLines(h.first, h.last, h.count, plain, only)
}

// frameOf is the place of the first frame that ends with line seq or later.
func (x *linesFile) frameOf(seq int64) int {
	return sort.Search(len(x.frames), func(i int) bool { return x.frames[i].last >= seq })
}
