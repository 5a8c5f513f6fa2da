package agent

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"slices"

	"tocsin/internal/record"
)

// A segment of the spool is pieces, each a header of 28 bytes and a payload. Numbers are big-endian.
//
//	 0  "TAs1"
//	 4  kind      1 head, 2 batch, 3 boot
//	 5  0 0 0
//	 8  place     uint64 of the batch; of a head, that of the next batch; of a boot, its base
//	16  size      uint32 bytes of the payload
//	20  plain     uint32 bytes of a batch unpacked
//	24  CRC-32C   uint32 over bytes 0 to 23 and the payload
//
// The payload of a batch is its positions (a Packer's bytes, after their length in 4 bytes) and the packed batch as it is sent.
const (
	pieceText   = "TAs1"
	pieceHeader = 28
	pieceHead   = 1
	pieceBatch  = 2
	pieceBoot   = 3
	maxPiece    = 64 << 20
)

type piece struct {
	kind    byte
	place   uint64
	plain   uint32
	payload []byte
	size    int // with its header
}

func appendPiece(b []byte, kind byte, place uint64, plain uint32, payload []byte) []byte {
	at := len(b)
	b = append(b, pieceText...)
	b = append(b, kind, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, place)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.BigEndian.AppendUint32(b, plain)
	t := crc32.MakeTable(crc32.Castagnoli)
	b = binary.BigEndian.AppendUint32(b, crc32.Update(crc32.Checksum(b[at:at+24], t), t, payload))
	return append(b, payload...)
}

// parsePiece reads the first piece of b, whose payload shares its memory.
func parsePiece(b []byte) (piece, error) {
	if len(b) < pieceHeader || string(b[:4]) != pieceText {
		return piece{}, errors.New("no piece of a spool is here")
	}
	size := binary.BigEndian.Uint32(b[16:])
	if size > maxPiece || int64(size) > int64(len(b)-pieceHeader) {
		return piece{}, errors.New("the piece ends too early")
	}
	p := piece{kind: b[4], place: binary.BigEndian.Uint64(b[8:]), plain: binary.BigEndian.Uint32(b[20:]), size: pieceHeader + int(size)}
	p.payload = b[pieceHeader:p.size:p.size]
	t := crc32.MakeTable(crc32.Castagnoli)
	if crc32.Update(crc32.Checksum(b[:24], t), t, p.payload) != binary.BigEndian.Uint32(b[24:]) {
		return piece{}, errors.New("the checksum of the piece is wrong")
	}
	return p, nil
}

// A head is what a segment begins with.
type head struct {
	boots     []boot
	positions map[string]record.Position
}

func packHead(h head) []byte {
	var w record.Packer
	w.Uint(uint64(len(h.boots)))
	for _, b := range h.boots {
		w.Text(b.name)
		w.Uint(b.base)
	}
	all := make([]record.Position, 0, len(h.positions))
	for _, name := range slices.Sorted(maps.Keys(h.positions)) {
		all = append(all, h.positions[name])
	}
	packPositions(&w, all)
	return w.Finish(0)
}

func parseHead(b []byte) (head, error) {
	r, err := record.NewUnpacker(b)
	if err != nil {
		return head{}, err
	}
	h := head{positions: map[string]record.Position{}}
	for range r.Count(2) {
		h.boots = append(h.boots, boot{r.Text(), r.Uint()})
	}
	for _, p := range unpackPositions(r) {
		h.positions[p.File] = p
	}
	if r.Rest() != "" {
		r.Fail(errors.New("the head has bytes after its end"))
	}
	return h, r.Err()
}

func packPositions(w *record.Packer, all []record.Position) {
	w.Uint(uint64(len(all)))
	for _, p := range all {
		w.Text(p.File)
		w.Text(p.Print)
		w.Int(p.PrintLen)
		w.Int(p.Offset)
	}
}

func unpackPositions(r *record.Unpacker) (all []record.Position) {
	for range r.Count(4) {
		all = append(all, record.Position{File: r.Text(), Print: r.Text(), PrintLen: r.Int(), Offset: r.Int()})
	}
	return all
}

func batchPiece(positions []record.Position, packed []byte) []byte {
	var w record.Packer
	packPositions(&w, positions)
	own := w.Finish(0)
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(own)+len(packed)), uint32(len(own)))
	return append(append(b, own...), packed...)
}

func parseBatchPiece(b []byte) (positions []record.Position, packed []byte, err error) {
	if len(b) < 4 || int64(binary.BigEndian.Uint32(b)) > int64(len(b)-4) {
		return nil, nil, record.ErrShort
	}
	n := 4 + int(binary.BigEndian.Uint32(b))
	r, err := record.NewUnpacker(b[4:n])
	if err != nil {
		return nil, nil, err
	}
	positions = unpackPositions(r)
	return positions, b[n:], r.Err()
}

// A spoolReader reads what waits, in order. One goroutine has it.
type spoolReader struct {
	s     *Spool
	name  string // of the open segment
	file  io.ReaderAt
	close func() error
	place uint64 // of the batch at off
	off   int64
}

// wait returns when batches wait to be sent, or ctx ends, or the spool breaks or is closed.
func (s *Spool) wait(ctx context.Context) error {
	for {
		s.mu.Lock()
		ready, err, turn := s.acked+1 < s.next, s.broken, s.changed
		if s.closed && err == nil {
			err = ErrClosed
		}
		s.mu.Unlock()
		if ready || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-turn:
		}
	}
}

// after returns batches after a place, at most so many of at most so many bytes together, but one if there is one.
func (r *spoolReader) after(place uint64, most int, bytes int64) (all []waiting, err error) {
	place++
	for len(all) < most && bytes > 0 {
		r.s.mu.Lock()
		place = r.s.present(place)
		r.s.mu.Unlock()
		p, ok, err := r.at(place)
		if err != nil || !ok {
			return all, err
		}
		_, packed, err := parseBatchPiece(p.payload)
		if err != nil {
			return all, err
		}
		if bytes -= int64(len(packed)); bytes < 0 && len(all) > 0 {
			break
		}
		w := waiting{place: place, frame: record.Frame{Plain: int(p.plain), Sum: sha256.Sum256(packed), Payload: packed}}
		r.s.mu.Lock()
		w.frame.Boot, w.frame.Number = r.s.nameOf(place)
		r.s.mu.Unlock()
		all = append(all, w)
		place++
	}
	return all, nil
}

// present returns the first place from one on that is in a segment: what damage took is passed over. It is told by Damage. The lock is held.
func (s *Spool) present(place uint64) uint64 {
	for _, g := range s.segments {
		if place < g.next {
			return max(place, g.first)
		}
	}
	return place
}

// follows reports whether the next batch that waits has the number after one, or is the first of another boot.
func (s *Spool) follows(newest record.SentReceipt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.present(s.acked + 1)
	boot, number := s.nameOf(place)
	return place >= s.next || boot == newest.Boot && number == newest.Number+1 || boot != newest.Boot && number == 1
}

// at reads the batch at a place; false when it is not there yet.
func (r *spoolReader) at(place uint64) (piece, bool, error) {
	r.s.mu.Lock()
	var g spooled
	for _, x := range r.s.segments {
		if x.first <= place && place < x.next {
			g = *x
		}
	}
	r.s.mu.Unlock()
	if g.name == "" {
		return piece{}, false, nil
	}
	if r.name != g.name || place < r.place {
		if err := r.open(g.name); err != nil {
			return piece{}, false, err
		}
		r.place, r.off = g.first, 0
	}
	for r.off < g.size {
		p, err := r.read(g.size)
		if err != nil {
			return piece{}, false, fmt.Errorf("reading segment %s of the spool at byte %d: %w", g.name, r.off, err)
		}
		r.off += int64(p.size)
		if p.kind == pieceBatch {
			r.place = p.place + 1
		}
		if p.kind == pieceBatch && p.place == place {
			return p, true, nil
		}
	}
	return piece{}, false, fmt.Errorf("segment %s of the spool does not have the batch at place %d", g.name, place)
}

func (r *spoolReader) open(name string) error {
	if r.close != nil {
		r.close()
		r.close, r.name = nil, ""
	}
	f, err := r.s.layer.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	r.name, r.file, r.close = name, f, f.Close
	return nil
}

// read reads the piece at off.
func (r *spoolReader) read(until int64) (piece, error) {
	var h [pieceHeader]byte
	if _, err := r.file.ReadAt(h[:], r.off); err != nil {
		return piece{}, err
	}
	size := int64(binary.BigEndian.Uint32(h[16:]))
	if size > maxPiece || r.off+pieceHeader+size > until {
		return piece{}, errors.New("the piece ends too early")
	}
	b := make([]byte, pieceHeader+size)
	if _, err := r.file.ReadAt(b, r.off); err != nil {
		return piece{}, err
	}
	return parsePiece(b)
}

// settle takes the newest receipt of the server: what it has is not sent again. It says whether the server has what this spool
// means by it; if not, Renumber is due.
func (r *spoolReader) settle(newest record.SentReceipt) (ok bool, err error) {
	s := r.s
	s.mu.Lock()
	place, there := s.placeOf(newest.Boot, newest.Number)
	acked := s.acked
	s.mu.Unlock()
	if !there {
		return false, nil
	}
	all, err := r.after(place-1, 1, 1<<40)
	if err != nil || len(all) != 1 || hex.EncodeToString(all[0].frame.Sum[:]) != newest.Sum {
		return false, err
	}
	if place < acked { // it lost again what it had acknowledged, and this is still here
		s.log.Error("the server has lost batches that it had acknowledged, as a server does that was restored from a backup; they are sent again", "batches", acked-place)
		s.mu.Lock()
		s.acked = max(place, s.segments[0].first-1)
		s.mu.Unlock()
		return true, nil
	}
	return true, s.Acked(place)
}
