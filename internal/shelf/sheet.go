package shelf

import (
	"errors"
	"math"

	"tocsin/internal/record"
)

// A piece is a part of a file that only the index names.
type piece struct {
	offset int64
	size   uint32
	sum    uint32 // CRC-32C
}

func (p piece) encode(w *record.Packer) {
	w.Uint(uint64(p.offset))
	w.Uint(uint64(p.size))
	w.Uint(uint64(p.sum))
}

func readPiece(r *record.Unpacker) piece {
	return piece{int64(r.Uint()), uint32(r.Uint()), uint32(r.Uint())}
}

// A block is some values of a dictionary, as a zstd frame.
type block struct {
	first  int // place of its first value
	count  int
	stored uint32
	plain  uint32
	sum    uint32 // CRC-32C of what is stored
	offset int64  // in the dictionary
	fence  string // of texts the beginning of the first value
	whole  int64  // of whole numbers the first value

	where    uint32 // bytes of the lists of pages
	whereSum uint32
}

// A place is a page of rows.
type place struct {
	offset int64  // of what stands behind its header
	levels uint32 // bytes that say which rows have a value
	size   uint32 // bytes of these and of the values
	sum    uint32 // CRC-32C of them
	rows   uint32
	values uint32
}

// A sheet is what the index says of a column.
type sheet struct {
	kind    byte
	lower   bool // no text has a capital letter or one beyond ASCII
	plain   bool // no text has a colon: addresses are of IPv4
	count   int  // values
	values  int64
	blocks  []block
	pages   []place
	numbers piece // of texts that have numbers: 8 bytes each, in the order of the values
	grams   []piece
	where   int64 // offset of the lists of pages, one block's behind the other's; 0: there are none
}

// encode writes a sheet: kind, flags (1 lower, 2 plain), values; offset of the dictionary; blocks: count, bytes stored and unpacked, sum, and of texts
// the fence, of whole numbers how much greater the first value is than that of the block before (signed); pages: offset less the end of the page before, bytes of
// levels, bytes, sum, rows, values; numbers; grams: none, or their pieces; lists of pages: offset, and of each block bytes and
// sum.
func (s *sheet) encode() []byte {
	var w record.Packer
	flags := uint64(0)
	if s.lower {
		flags |= 1
	}
	if s.plain {
		flags |= 2
	}
	w.Uint(flags)
	w.Uint(uint64(s.count))
	w.Uint(uint64(s.values))
	w.Uint(uint64(len(s.blocks)))
	before := int64(0)
	for _, b := range s.blocks {
		w.Uint(uint64(b.count))
		w.Uint(uint64(b.stored))
		w.Uint(uint64(b.plain))
		w.Uint(uint64(b.sum))
		if s.kind == kindText {
			w.Bytes(b.fence)
		} else {
			w.Int(b.whole - before)
			before = b.whole
		}
	}
	w.Uint(uint64(len(s.pages)))
	end := int64(0)
	for _, p := range s.pages {
		w.Uint(uint64(p.offset - end))
		w.Uint(uint64(p.levels))
		w.Uint(uint64(p.size))
		w.Uint(uint64(p.sum))
		w.Uint(uint64(p.rows))
		w.Uint(uint64(p.values))
		end = p.offset + int64(p.size)
	}
	s.numbers.encode(&w)
	w.Uint(uint64(len(s.grams)))
	for _, p := range s.grams {
		p.encode(&w)
	}
	w.Uint(uint64(s.where))
	if s.where > 0 {
		for _, b := range s.blocks {
			w.Uint(uint64(b.where))
			w.Uint(uint64(b.whereSum))
		}
	}
	return append([]byte{s.kind}, w.Finish(0)...)
}

// readSheet is encode backwards, for a column of so many rows in a file of so many bytes.
func readSheet(b []byte, rows int, size int64) (*sheet, error) {
	bad := errors.New("the index of a column holds what cannot be")
	if len(b) == 0 || b[0] < kindText || b[0] > kindNumbers {
		return nil, bad
	}
	s := &sheet{kind: b[0]}
	r, err := record.NewUnpacker(b[1:])
	if err != nil {
		return nil, err
	}
	within := func(at int64, n uint32) bool { return at >= 4 && at <= size && int64(n) <= size-at }
	flags := r.Uint()
	s.lower, s.plain = flags&1 != 0, flags&2 != 0
	s.count, s.values = int(r.Uint()), int64(r.Uint())
	if s.count < 0 || s.count > math.MaxInt32 {
		return nil, bad
	}
	first, offset, before := 0, int64(0), int64(0)
	s.blocks = make([]block, r.Count(5))
	for i := range s.blocks {
		x := &s.blocks[i]
		x.first, x.offset, x.count = first, offset, int(r.Uint())
		x.stored, x.plain, x.sum = uint32(r.Uint()), uint32(r.Uint()), uint32(r.Uint())
		if s.kind == kindText {
			x.fence = r.Bytes()
		} else {
			before += r.Int()
			x.whole = before
		}
		first, offset = first+x.count, offset+int64(x.stored)
		if r.Err() != nil || x.count < 1 || x.count > blockWholes || x.plain > record.MaxLine+2*blockBytes || !within(s.values+offset-int64(x.stored), x.stored) {
			return nil, bad
		}
	}
	if first != s.count {
		return nil, bad
	}
	s.pages = make([]place, r.Count(6))
	end, sum := int64(0), 0
	for i := range s.pages {
		p := &s.pages[i]
		p.offset = end + int64(r.Uint())
		p.levels, p.size, p.sum, p.rows, p.values = uint32(r.Uint()), uint32(r.Uint()), uint32(r.Uint()), uint32(r.Uint()), uint32(r.Uint())
		end = p.offset + int64(p.size)
		sum += int(p.rows)
		if r.Err() != nil || p.levels > p.size || p.rows > pageRows || p.values > p.rows || p.size > 16*pageRows || !within(p.offset, p.size) || i > 0 && s.pages[i-1].rows != pageRows {
			return nil, bad
		}
	}
	s.numbers = readPiece(r)
	if s.numbers.size > 0 && (int(s.numbers.size) != 8*s.count || !within(s.numbers.offset, s.numbers.size)) {
		return nil, bad
	}
	if n := r.Count(3); n != 0 {
		if n != gramShards {
			return nil, bad
		}
		s.grams = make([]piece, n)
		for i := range s.grams {
			if s.grams[i] = readPiece(r); !within(s.grams[i].offset, s.grams[i].size) {
				return nil, bad
			}
		}
	}
	if s.where = int64(r.Uint()); s.where != 0 {
		end := s.where
		for i := range s.blocks {
			b := &s.blocks[i]
			b.where, b.whereSum = uint32(r.Uint()), uint32(r.Uint())
			if !within(end, b.where) {
				return nil, bad
			}
			end += int64(b.where)
		}
	}
	if r.Err() != nil || r.Rest() != "" || sum != rows {
		return nil, bad
	}
	return s, nil
}

// bytes is about what a sheet takes in memory.
func (s *sheet) bytes() int64 {
	n := int64(len(s.blocks))*88 + int64(len(s.pages))*32 + int64(len(s.grams))*16 + 200
	for i := range s.blocks {
		n += int64(len(s.blocks[i].fence))
	}
	return n
}
