package record

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Limits of a batch that an agent sends. doc/formats/agent.md names them; a hub refuses what is beyond.
const (
	MaxSentLines = 1 << 14 // lines, and positions
	MaxSentPlain = 8 << 20 // bytes of a payload, unpacked
	MaxSentName  = 4096    // bytes of a file's name
	maxSentPrint = 1024    // bytes of a position's print: a hash, or the cursor of a journal
	maxBoot      = 64      // bytes of a boot
)

// A Frame is a batch on its way from an agent to the hub. The payload is what PackBatch gives as a zstd frame (RFC 8878); packing is
// left to those who have it. Who sent it is not in it: that is what the certificate of the connection says.
//
//	 0  "TAf1"
//	 4  plain     uint32 bytes of the payload unpacked
//	 8  number    uint64 of the batch since that start of the agent, from 1
//	16  payload   uint32 bytes
//	20  SHA-256   32 bytes, of the payload as it stands here
//	52  boot      1 byte of length, then 1 to 64 of a-z and 0-9
//	    payload
//
// Numbers are big-endian.
type Frame struct {
	Boot    string
	Number  uint64
	Plain   int // bytes of the payload unpacked
	Sum     [sha256.Size]byte
	Payload []byte
}

const (
	frameText   = "TAf1"
	frameHeader = 53
)

// ErrMore says that a frame is not complete: more bytes are wanted.
var ErrMore = errors.New("the frame ends too early")

// ErrChanged says that the payload of a frame does not have the hash that the frame gives it.
var ErrChanged = errors.New("the payload of the frame does not have the hash that the frame says: it was changed on the way")

// AppendFrame adds a frame to b. Its Sum is worked out here.
func AppendFrame(b []byte, f Frame) []byte {
	sum := sha256.Sum256(f.Payload)
	b = append(b, frameText...)
	b = binary.BigEndian.AppendUint32(b, uint32(f.Plain))
	b = binary.BigEndian.AppendUint64(b, f.Number)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Payload)))
	b = append(b, sum[:]...)
	b = append(b, byte(len(f.Boot)))
	b = append(b, f.Boot...)
	return append(b, f.Payload...)
}

// ParseFrame reads the first frame of b and returns what follows it. The payload shares b's memory, and its hash is checked.
func ParseFrame(b []byte) (f Frame, rest []byte, err error) {
	if len(b) < frameHeader {
		return Frame{}, nil, ErrMore
	}
	if string(b[:4]) != frameText {
		return Frame{}, nil, errors.New("this is no frame of an agent")
	}
	plain, size := binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[16:])
	f.Number = binary.BigEndian.Uint64(b[8:])
	if plain == 0 || plain > MaxSentPlain || size == 0 || size > MaxSentPlain || f.Number == 0 {
		return Frame{}, nil, fmt.Errorf("the frame holds numbers that cannot be: payload of %d bytes, %d unpacked, number %d", size, plain, f.Number)
	}
	n := int(b[52])
	copy(f.Sum[:], b[20:])
	if b = b[frameHeader:]; len(b) < n {
		return Frame{}, nil, ErrMore
	}
	f.Boot, f.Plain = string(b[:n]), int(plain)
	if err := CheckBoot(f.Boot); err != nil {
		return Frame{}, nil, err
	}
	if b = b[n:]; len(b) < int(size) {
		return Frame{}, nil, ErrMore
	}
	f.Payload = b[:size:size]
	if sha256.Sum256(f.Payload) != f.Sum {
		return Frame{}, nil, ErrChanged
	}
	return f, b[size:], nil
}

// CheckBoot says whether a text may name a start of an agent.
func CheckBoot(boot string) error {
	if boot == "" || len(boot) > maxBoot || strings.ContainsFunc(boot, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return errors.New("the name of the agent's start must have 1 to 64 letters a-z and digits")
	}
	return nil
}

const sentStart = 1

// PackBatch returns the plain payload of a batch: its lines, positions, time of receipt and start. Agent, boot, number and hosts are not
// in it.
//
//	texts      n, then n times: length, bytes
//	flags      1 start of watching
//	received   nanoseconds since 1970 by the agent's clock (signed)
//	files      n, then n times: text
//	positions  n, then n times: file (text), print (text), print length (signed), offset (signed)
//	lines      n, then n times: place of its file, offset less what is expected (signed), length
//	bytes      of all lines, one after the other
//
// Numbers are as in a Packer; what is expected of an offset is as in the archive: the end of the line before from the same file and
// one byte. A batch beyond the limits above is an error: split it.
func PackBatch(b Batch) ([]byte, error) {
	if len(b.Lines) > MaxSentLines || len(b.Positions) > MaxSentLines {
		return nil, fmt.Errorf("a batch of %d lines and %d positions cannot be sent, at most %d of each", len(b.Lines), len(b.Positions), MaxSentLines)
	}
	var w Packer
	flags := uint64(0)
	if b.Start {
		flags = sentStart
	}
	w.Uint(flags)
	w.Int(b.Received.UnixNano())
	places, files, total := placesOf(b.Lines)
	w.Uint(uint64(len(files)))
	for _, f := range files {
		w.Text(f)
	}
	w.Uint(uint64(len(b.Positions)))
	for _, p := range b.Positions {
		w.Text(p.File)
		w.Text(p.Print)
		w.Int(p.PrintLen)
		w.Int(p.Offset)
	}
	w.Uint(uint64(len(b.Lines)))
	expected := make([]int64, len(files))
	for i, l := range b.Lines {
		at := places[i]
		w.Uint(uint64(at))
		w.Int(l.Offset - expected[at])
		w.Uint(uint64(len(l.Raw)))
		expected[at] = l.Offset + int64(len(l.Raw)) + 1
	}
	plain := w.Finish(total)
	for _, l := range b.Lines {
		plain = append(plain, l.Raw...)
	}
	if len(plain) > MaxSentPlain {
		return nil, fmt.Errorf("a batch of %d bytes cannot be sent, at most %d", len(plain), MaxSentPlain)
	}
	return plain, nil
}

// placesOf returns the different files of lines, for each line the place of its own, and how many bytes they have.
func placesOf(lines []Line) (places []int, files []string, total int) {
	known := map[string]int{}
	places = make([]int, len(lines))
	for i, l := range lines {
		at, ok := known[l.File]
		if !ok {
			at = len(files)
			known[l.File] = at
			files = append(files, l.File)
		}
		places[i], total = at, total+len(l.Raw)
	}
	return places, files, total
}

// UnpackBatch is PackBatch backwards, and refuses whatever PackBatch would not write. Texts of the batch share one string.
func UnpackBatch(plain []byte) (Batch, error) {
	if len(plain) > MaxSentPlain {
		return Batch{}, fmt.Errorf("a payload of %d bytes, at most %d", len(plain), MaxSentPlain)
	}
	r, err := NewUnpacker(plain)
	if err != nil {
		return Batch{}, err
	}
	flags := r.Uint()
	b := Batch{Start: flags == sentStart, Received: time.Unix(0, r.Int()).UTC()}
	if flags > sentStart {
		return Batch{}, fmt.Errorf("a batch with flags %d, which this program does not know: it may be of a newer agent", flags)
	}
	files := make([]string, min(r.Count(1), MaxSentLines))
	for i := range files {
		files[i] = sentName(r, MaxSentName, true)
	}
	if n := sentCount(r, 4); n > 0 {
		b.Positions = make([]Position, n)
	}
	for i := range b.Positions {
		p := Position{File: sentName(r, MaxSentName, true), Print: sentName(r, maxSentPrint, false), PrintLen: r.Int(), Offset: r.Int()}
		if p.PrintLen < 0 || p.Offset < 0 {
			r.Fail(errors.New("a position of the batch lies before the start of its file"))
		}
		b.Positions[i] = p
	}
	if err := sentLines(r, &b, files); err != nil {
		return Batch{}, err
	}
	return b, nil
}

func sentCount(r *Unpacker, size int) int {
	n := r.Count(size)
	if n > MaxSentLines {
		r.Fail(fmt.Errorf("a batch of %d lines or positions, at most %d", n, MaxSentLines))
		return 0
	}
	return n
}

// sentName reads a name of at most so many bytes, which must not be empty when it is needed.
func sentName(r *Unpacker, most int, needed bool) string {
	s := r.Text()
	if len(s) > most || needed && s == "" || strings.ContainsRune(s, 0) {
		r.Fail(errors.New("a name of the batch is empty, too long or holds a NUL"))
	}
	return s
}

// sentLines reads the lines of a batch.
func sentLines(r *Unpacker, b *Batch, files []string) error {
	n := sentCount(r, 3)
	if r.Err() != nil {
		return r.Err()
	}
	if n > 0 {
		b.Lines = make([]Line, n)
	}
	lengths := make([]int, n)
	expected := make([]int64, len(files))
	for i := range b.Lines {
		at, delta, length := r.Uint(), r.Int(), r.Uint()
		if r.Err() != nil {
			return r.Err()
		}
		if at >= uint64(len(files)) || length > MaxLine {
			return errors.New("a line of the batch has a file or a length that cannot be")
		}
		offset := expected[at] + delta
		if offset < 0 || offset > 1<<60 {
			return errors.New("a line of the batch lies outside of its file")
		}
		b.Lines[i] = Line{File: files[at], Offset: offset}
		lengths[i], expected[at] = int(length), offset+int64(length)+1
	}
	rest := r.Rest()
	for i, length := range lengths {
		if length > len(rest) {
			return ErrShort
		}
		b.Lines[i].Raw, rest = rest[:length], rest[length:]
	}
	if rest != "" {
		return errors.New("the batch has bytes after its last line")
	}
	return nil
}
