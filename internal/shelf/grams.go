package shelf

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Grams tell in which blocks of a dictionary a text can be: for each three bytes that follow each other in a value, but for case, the blocks with such a
// value. They are known by 16 bits of a hash, so a block may be named that has them not, but none is left out. Bytes beyond
// ASCII are in none.
const (
	gramShards  = 256      // pieces of the index, each read alone
	gramOften   = 4        // what is in more than one of so many blocks tells nothing, and is not listed
	gramsAtMost = 32       // grams of a text that are looked up
	gramBytes   = 24 << 20 // of an index, unless it leaves out more
)

// gramHash mixes three bytes.
func gramHash(a, b, c byte) uint16 {
	return uint16((uint32(a)<<16 | uint32(b)<<8 | uint32(c)) * 0x9e3779b1 >> 16)
}

// foldedBytes appends a value as its grams are taken: ASCII letters in lower case. Of other characters only the long s and the sign of Kelvin
// fold into ASCII.
func foldedBytes(to []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c == 0xc5 && i+1 < len(s) && s[i+1] == 0xbf:
			c = 's'
			i++
		case c == 0xe2 && i+2 < len(s) && s[i+1] == 0x84 && s[i+2] == 0xaa:
			c = 'k'
			i += 2
		}
		to = append(to, c)
	}
	return to
}

// eachGram calls act with the hashes of a folded text's grams.
func eachGram[T string | []byte](s T, act func(h uint16)) {
	for i := 2; i < len(s); i++ {
		if s[i-2]|s[i-1]|s[i] < 0x80 {
			act(gramHash(s[i-2], s[i-1], s[i]))
		}
	}
}

// A gramWriter collects the grams of a dictionary, block by block.
type gramWriter struct {
	lists  [][]byte // blocks of each gram: the first, then how much later the next one is
	newest []uint32 // 1 + the block that each names last
	counts []uint32
	gone   []bool // it was in too many blocks
	block  uint32
	before []byte // the value before, folded
	now    []byte
	size   int
	often  int // what is in more blocks than that tells nothing
}

// newGramWriter begins an index of at most so many blocks.
func newGramWriter(blocks int) *gramWriter {
	return &gramWriter{lists: make([][]byte, 1<<16), newest: make([]uint32, 1<<16), counts: make([]uint32, 1<<16), gone: make([]bool, 1<<16), often: max(1, blocks/gramOften)}
}

// add takes a value of the block. Values come in order, so each mostly begins as the one before.
func (w *gramWriter) add(s string) {
	w.now = foldedBytes(w.now[:0], s)
	same := 0
	for same < len(w.before) && same < len(w.now) && w.now[same] == w.before[same] {
		same++
	}
	if same < 3 {
		same = 2
	}
	for i := same; i < len(w.now); i++ {
		if w.now[i-2]|w.now[i-1]|w.now[i] < 0x80 {
			w.mark(gramHash(w.now[i-2], w.now[i-1], w.now[i]))
		}
	}
	w.before, w.now = w.now, w.before
}

func (w *gramWriter) mark(h uint16) {
	if w.newest[h] == w.block+1 {
		return
	}
	if !w.gone[h] {
		before := len(w.lists[h])
		w.lists[h] = binary.AppendUvarint(w.lists[h], uint64(w.block+1-w.newest[h]))
		w.size += len(w.lists[h]) - before
	}
	w.newest[h] = w.block + 1
	w.counts[h]++
}

// next ends a block. What has become too often, or too much, is left out.
func (w *gramWriter) next() {
	w.block++
	w.before = w.before[:0]
	for w.size > gramBytes && w.often > 1 {
		w.often /= 2
		w.drop()
	}
}

func (w *gramWriter) drop() {
	for h, n := range w.counts {
		if int(n) > w.often && !w.gone[h] {
			w.gone[h], w.size = true, w.size-len(w.lists[h])
			w.lists[h] = nil
		}
	}
}

// shards returns the pieces of the index: of each gram the low byte of its hash, how many bytes its list has and one more, and the list. 0 stands for one
// that is in too many blocks to be listed.
func (w *gramWriter) shards() [][]byte {
	w.often = min(w.often, max(1, int(w.block)/gramOften))
	w.drop()
	out := make([][]byte, gramShards)
	for h, n := range w.counts {
		if n == 0 {
			continue
		}
		b := append(out[h>>8], byte(h))
		if w.gone[h] {
			b = append(b, 0)
		} else {
			b = binary.AppendUvarint(b, uint64(len(w.lists[h]))+1)
			b = append(b, w.lists[h]...)
		}
		out[h>>8] = b
	}
	return out
}

// gramBlocks reads the blocks of a gram from the piece that it is in; all is true when they are not listed.
func gramBlocks(shard []byte, h uint16, most int) (blocks []uint32, all bool, err error) {
	bad := errors.New("a piece of an index is not as it was written")
	for len(shard) > 0 {
		low := shard[0]
		size, n := binary.Uvarint(shard[1:])
		if n <= 0 || size > uint64(len(shard)-n) {
			return nil, false, bad
		}
		shard = shard[1+n:]
		if size == 0 {
			if low == byte(h) {
				return nil, true, nil
			}
			continue
		}
		list := shard[:size-1]
		shard = shard[size-1:]
		if low != byte(h) {
			continue
		}
		for at := uint64(0); len(list) > 0; {
			more, n := binary.Uvarint(list)
			if n <= 0 || more == 0 || more > uint64(most) || at+more > uint64(most) {
				return nil, false, bad
			}
			at += more
			blocks = append(blocks, uint32(at-1))
			list = list[n:]
		}
		return blocks, false, nil
	}
	return nil, false, nil
}

// both returns what is in two lists in order.
func both(a, b []uint32) []uint32 {
	out := a[:0]
	for _, x := range a {
		if len(b) > 0 && b[0] < x {
			n, _ := slices.BinarySearch(b, x)
			b = b[n:]
		}
		if len(b) > 0 && b[0] == x {
			out = append(out, x)
		}
	}
	return out
}
