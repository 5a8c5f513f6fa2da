package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/record"
)

// A file begins with 32 bytes; blocks follow, each a header of 52 bytes and a payload.
//
//	file    "tocsin archive 1"  16 bytes    salt  16 bytes
//	block    0  "TAb1"
//	         4  kind                        1 head, 2 lines, 3 end, 4 rest
//	         5  flags                       1 payload is zstd, 2 start of watching
//	         6  0 0
//	         8  first                 int64 number of the first line, or of the next to come
//	        16  count                uint32 lines
//	        20  stored               uint32 bytes of the payload in the file
//	        24  plain                uint32 bytes of the payload unpacked
//	        28  payload CRC-32C      uint32 over salt and stored payload
//	        32  received              int64 nanoseconds since 1970, UTC
//	        40  synced                int64 bytes of this file that were synced before this block was written
//	        48  header CRC-32C       uint32 over salt, offset of the block (8 bytes) and bytes 0 to 47
//
// Numbers are big-endian. The salt is chance: a hostile line that holds the bytes of a block cannot be taken for one.
// For ever: a change is a new text in the first 16 bytes.
const (
	fileText    = "tocsin archive 1"
	fileHeader  = 32
	blockText   = "TAb1"
	blockHeader = 52
)

const (
	kindHead  = 1 // what must outlive older segments; the first block of a segment
	kindLines = 2 // a batch
	kindEnd   = 3 // the segment is complete
	kindRest  = 4 // the archive was closed in order: all before this is synced
)

const (
	flagZstd  = 1
	flagStart = 2
)

// maxPlain bounds what a header may make a reader allocate: the lines, and what is said about each.
const maxPlain = MaxBytes + MaxLines*128 + 16<<20

// packFrom is the length in bytes from which a payload is worth packing.
const packFrom = 300

type salt [16]byte

type header struct {
	kind, flags   byte
	first         int64
	count         uint32
	stored, plain uint32
	sum           uint32
	received      int64
	synced        int64
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func payloadSum(s salt, payload []byte) uint32 {
	t := castagnoli()
	return crc32.Update(crc32.Checksum(s[:], t), t, payload)
}

func headerSum(s salt, offset int64, b []byte) uint32 {
	t := castagnoli()
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(offset))
	return crc32.Update(crc32.Update(crc32.Checksum(s[:], t), t, at[:]), t, b)
}

// appendBlock adds a block that will stand at offset of a file with this salt.
func appendBlock(b []byte, s salt, offset int64, h header, payload []byte) []byte {
	start := len(b)
	b = append(b, blockText...)
	b = append(b, h.kind, h.flags, 0, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(h.first))
	b = binary.BigEndian.AppendUint32(b, h.count)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.BigEndian.AppendUint32(b, h.plain)
	b = binary.BigEndian.AppendUint32(b, payloadSum(s, payload))
	b = binary.BigEndian.AppendUint64(b, uint64(h.received))
	b = binary.BigEndian.AppendUint64(b, uint64(h.synced))
	b = binary.BigEndian.AppendUint32(b, headerSum(s, offset, b[start:]))
	return append(b, payload...)
}

// A tornError is what a write that was not finished leaves: it may be damage or a torn tail.
type tornError string

func (e tornError) Error() string { return string(e) }

const errBlock = tornError("no block is here, or the checksum of its header is wrong")

// parseHeader reads the header that stands at offset. Its checksum is right when there is no error.
func parseHeader(b []byte, s salt, offset int64) (header, error) {
	if len(b) < blockHeader || string(b[:4]) != blockText || binary.BigEndian.Uint32(b[48:]) != headerSum(s, offset, b[:48]) {
		return header{}, errBlock
	}
	h := header{
		kind: b[4], flags: b[5],
		first:    int64(binary.BigEndian.Uint64(b[8:])),
		count:    binary.BigEndian.Uint32(b[16:]),
		stored:   binary.BigEndian.Uint32(b[20:]),
		plain:    binary.BigEndian.Uint32(b[24:]),
		sum:      binary.BigEndian.Uint32(b[28:]),
		received: int64(binary.BigEndian.Uint64(b[32:])),
		synced:   int64(binary.BigEndian.Uint64(b[40:])),
	}
	switch {
	case h.kind < kindHead || h.kind > kindRest || h.flags&^(flagZstd|flagStart) != 0 || b[6] != 0 || b[7] != 0:
		return header{}, fmt.Errorf("a block of kind %d with flags %d, which this program does not know: it may be of a newer one", h.kind, h.flags)
	case h.plain > maxPlain || h.stored > h.plain || h.count > MaxLines || h.first < 1 || h.first > math.MaxInt64-MaxLines:
		return header{}, errors.New("the block's header holds numbers that cannot be")
	case h.flags&flagZstd == 0 && h.stored != h.plain:
		return header{}, errors.New("the block's header gives two lengths for one payload")
	}
	return h, nil
}

func newUnpacker() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxPlain), zstd.WithDecoderLowmem(true))
}

// pack returns the payload as it is stored: zstd when that is shorter.
func pack(z *zstd.Encoder, plain []byte) (stored []byte, flags byte) {
	if len(plain) < packFrom {
		return plain, 0
	}
	if packed := z.EncodeAll(plain, make([]byte, 0, len(plain)/4)); len(packed) < len(plain) {
		return packed, flagZstd
	}
	return plain, 0
}

// unpack returns the plain payload of a block whose checksum was right, in room when that is large enough.
func unpack(z *zstd.Decoder, h header, stored, room []byte) ([]byte, error) {
	if h.flags&flagZstd == 0 {
		return stored, nil
	}
	plain, err := z.DecodeAll(stored, slices.Grow(room[:0], min(int(h.plain), 32*len(stored))))
	if err != nil {
		return nil, fmt.Errorf("unpacking the block: %w", err)
	}
	if len(plain) != int(h.plain) {
		return nil, fmt.Errorf("the block unpacks to %d bytes instead of %d", len(plain), h.plain)
	}
	return plain, nil
}

// toNanos returns t as it is stored. Times before 1678 and after 2261 cannot be; the zero time is one of them.
func toNanos(t time.Time) (int64, error) {
	if y := t.UTC().Year(); y < 1678 || y > 2261 {
		return 0, fmt.Errorf("the batch's time of receipt is %v, which is not within the years 1678 to 2261", t)
	}
	return t.UnixNano(), nil
}

func fromNanos(n int64) time.Time { return time.Unix(0, n).UTC() }

// A Block is a batch as it was appended, with numbered lines.
type Block struct {
	First       int64 // number of the first line here
	Received    time.Time
	Agent, Boot string
	Number      uint64
	Start       bool
	Lines       []record.Line
	Positions   []record.Position
}

// encodeBatch returns the plain payload of a batch:
//
//	strings    n, then n times: length, bytes        each text once
//	origin     agent, boot (places in strings), number
//	sources    n, then n times: host, file (places)
//	positions  n, then n times: file, print (places), print length, offset (signed)
//	lines      per line: source (place), offset less what was expected (signed), length
//	bytes      of all lines, one after the other
//
// Numbers are unsigned varints of encoding/binary, signed ones zigzag varints. What is expected of a line's offset is
// the end of the line before it from the same source, and one byte for the line end; 0 for the first.
func encodeBatch(b record.Batch) ([]byte, error) {
	if len(b.Lines) > MaxLines || len(b.Positions) > MaxLines {
		return nil, fmt.Errorf("%w: %d lines and %d positions, at most %d of each", ErrTooLarge, len(b.Lines), len(b.Positions), MaxLines)
	}
	total := 0
	for _, l := range b.Lines {
		if len(l.Raw) > record.MaxLine {
			return nil, fmt.Errorf("%w: a line of %d bytes in %q, at most %d", ErrTooLarge, len(l.Raw), l.File, record.MaxLine)
		}
		total += len(l.Raw)
	}
	if total > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, total, MaxBytes)
	}
	w := record.Packer{}
	w.Text(b.Agent)
	w.Text(b.Boot)
	w.Uint(b.Number)
	places, sources := sourcesOf(b.Lines)
	w.Uint(uint64(len(sources)))
	for _, s := range sources {
		w.Text(s.host)
		w.Text(s.file)
	}
	w.Uint(uint64(len(b.Positions)))
	for _, p := range b.Positions {
		w.Text(p.File)
		w.Text(p.Print)
		w.Int(p.PrintLen)
		w.Int(p.Offset)
	}
	expected := make([]int64, len(sources))
	for i, l := range b.Lines {
		s := places[i]
		w.Uint(uint64(s))
		w.Int(l.Offset - expected[s])
		w.Uint(uint64(len(l.Raw)))
		expected[s] = l.Offset + int64(len(l.Raw)) + 1
	}
	if w.Said() > 16<<20 {
		return nil, fmt.Errorf("%w: %d bytes of names", ErrTooLarge, w.Said())
	}
	plain := w.Finish(total)
	for _, l := range b.Lines {
		plain = append(plain, l.Raw...)
	}
	return plain, nil
}

type source struct{ host, file string }

// sourcesOf returns the different sources of lines, and for each line the place of its own.
func sourcesOf(lines []record.Line) (places []uint32, sources []source) {
	places = make([]uint32, len(lines))
	known := make(map[source]uint32)
	var last source
	var at uint32
	for i, l := range lines {
		if s := (source{l.Host, l.File}); i == 0 || s != last {
			n, ok := known[s]
			if !ok {
				n = uint32(len(sources))
				known[s] = n
				sources = append(sources, s)
			}
			last, at = s, n
		}
		places[i] = at
	}
	return places, sources
}

// decodeBatch is encodeBatch backwards. The texts of the block share one string.
func decodeBatch(h header, plain []byte) (Block, error) {
	r, err := record.NewUnpacker(plain)
	if err != nil {
		return Block{}, err
	}
	b := Block{First: h.first, Received: fromNanos(h.received), Start: h.flags&flagStart != 0}
	b.Agent, b.Boot, b.Number = r.Text(), r.Text(), r.Uint()
	sources := make([]source, r.Count(2))
	for i := range sources {
		sources[i] = source{r.Text(), r.Text()}
	}
	if n := r.Count(4); n > 0 {
		b.Positions = make([]record.Position, n)
	}
	for i := range b.Positions {
		b.Positions[i] = record.Position{File: r.Text(), Print: r.Text(), PrintLen: r.Int(), Offset: r.Int()}
	}
	lengths, err := readLines(r, &b, h.count, sources)
	if err != nil {
		return Block{}, err
	}
	at := 0
	for i, n := range lengths {
		if n > uint32(len(r.Rest())-at) {
			return Block{}, record.ErrShort
		}
		b.Lines[i].Raw = r.Rest()[at : at+int(n)]
		at += int(n)
	}
	if at != len(r.Rest()) {
		return Block{}, errors.New("the block has bytes after its last line")
	}
	return b, nil
}

// readLines reads what is said about each line, and returns their lengths.
func readLines(r *record.Unpacker, b *Block, count uint32, sources []source) ([]uint32, error) {
	if r.Err() != nil {
		return nil, r.Err()
	}
	if int64(count)*3 > int64(len(r.Rest())) {
		return nil, record.ErrShort
	}
	if count > 0 {
		b.Lines = make([]record.Line, count)
	}
	lengths := make([]uint32, count)
	expected := make([]int64, len(sources))
	for i := range b.Lines {
		s, delta, n := r.Uint(), r.Int(), r.Uint()
		if r.Err() != nil {
			return nil, r.Err()
		}
		if s >= uint64(len(sources)) || n > record.MaxLine {
			return nil, errors.New("a line of the block has a source or a length that cannot be")
		}
		l := &b.Lines[i]
		l.Host, l.File, l.Seq = sources[s].host, sources[s].file, b.First+int64(i)
		l.Offset = expected[s] + delta
		expected[s] = l.Offset + int64(n) + 1
		lengths[i] = uint32(n)
	}
	return lengths, nil
}
