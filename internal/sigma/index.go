package sigma

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// grams finds literals in a text in one pass. Of a literal of four bytes or more one window of four, the rarest, stands in a
// hashed table; of a shorter one its first two bytes. A bit map small enough for the nearest cache says of nearly
// every place of a text that no literal has its window there.
type grams struct {
	literals []literalEntry

	bitmap []uint64 // hashed windows of four bytes
	shift  uint32
	heads  []int32 // hashed more coarsely: first of windows
	narrow uint32
	wide   []window

	pairs      [1024]uint64 // windows of two bytes, each a bit
	shortHeads [shortHashes]int32
	third      [shortHashes]uint64 // what the byte behind may be, modulo 64; all of a literal of two bytes
	shorts     []window            // of literals of two and three bytes
}

const (
	shortHashes = 1 << 12
	windowSize  = 4
)

// A literalEntry is a literal and the predicates that look for it.
type literalEntry struct {
	text  string
	preds []int32
}

// A window is four bytes of a literal.
type window struct {
	bytes   uint32
	offset  int32 // in the literal
	literal int32
	next    int32 // of the same hash; -1
}

const hashFactor = 0x9E3779B1 // 2^32 / golden ratio (Knuth, The Art of Computer Programming 3, 6.4)

func newGrams(byLiteral map[string][]int32, rate func(string) float64) grams {
	g := grams{}
	for l, preds := range byLiteral {
		g.literals = append(g.literals, literalEntry{l, preds})
	}
	slices.SortFunc(g.literals, func(a, b literalEntry) int {
		return cmp.Or(cmp.Compare(len(a.text), len(b.text)), cmp.Compare(a.text, b.text))
	})
	logBits := min(max(bits.Len(uint(64*len(g.literals))), 10), 18)
	g.bitmap, g.shift = make([]uint64, 1<<(logBits-6)), uint32(32-logBits)
	log := bits.Len(uint(2*len(g.literals))) + 1
	g.heads, g.narrow = make([]int32, 1<<log), uint32(32-log)
	for i := range g.heads {
		g.heads[i] = -1
	}
	for i := range g.shortHeads {
		g.shortHeads[i] = -1
	}
	used := map[uint32]bool{}
	for i, l := range g.literals {
		if len(l.text) < 4 {
			k := uint16(l.text[0]) | uint16(l.text[1])<<8
			g.pairs[k>>6] |= 1 << (k & 63)
			if len(l.text) == 2 {
				g.third[shortHash(k)] = ^uint64(0)
			} else {
				g.third[shortHash(k)] |= 1 << (l.text[2] & 63)
			}
			head := &g.shortHeads[shortHash(k)]
			g.shorts = append(g.shorts, window{uint32(k), 0, int32(i), *head})
			*head = int32(len(g.shorts) - 1)
			continue
		}
		g.addWindow(l.text, int32(i), used, rate)
	}
	return g
}

// addWindow chooses the rarest window of a literal; one that another literal has already costs nothing.
func (g *grams) addWindow(text string, literal int32, used map[uint32]bool, rate func(string) float64) {
	best, at := 2.0, 0
	for o := 0; o+4 <= len(text); o++ {
		r := rate(text[o : o+4])
		if used[le32(text[o:])] {
			r *= 0.5
		}
		if r < best {
			best, at = r, o
		}
	}
	w := le32(text[at:])
	used[w] = true
	h := w * hashFactor
	g.bitmap[h>>g.shift>>6] |= 1 << (h >> g.shift & 63)
	k := h >> g.narrow
	g.wide = append(g.wide, window{w, int32(at), literal, g.heads[k]})
	g.heads[k] = int32(len(g.wide) - 1)
}

func le32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// scan calls m.found with each literal of which a folded text has the window between two places of it.
func (g *grams) scan(m *Matcher, text []byte, start, end int, owner int32) {
	n := end
	if len(g.wide) > 0 {
		bm, sh := g.bitmap, g.shift&31
		i := start
		for ; i+12 <= n; i += 8 {
			x := binary.LittleEndian.Uint64(text[i:])
			y := uint64(binary.LittleEndian.Uint32(text[i+8:]))
			h0 := uint32(x) * hashFactor >> sh
			h1 := uint32(x>>8) * hashFactor >> sh
			h2 := uint32(x>>16) * hashFactor >> sh
			h3 := uint32(x>>24) * hashFactor >> sh
			h4 := uint32(x>>32) * hashFactor >> sh
			h5 := uint32(x>>40|y<<24) * hashFactor >> sh
			h6 := uint32(x>>48|y<<16) * hashFactor >> sh
			h7 := uint32(x>>56|y<<8) * hashFactor >> sh
			any := bm[h0>>6]>>(h0&63) | bm[h1>>6]>>(h1&63) | bm[h2>>6]>>(h2&63) | bm[h3>>6]>>(h3&63) |
				bm[h4>>6]>>(h4&63) | bm[h5>>6]>>(h5&63) | bm[h6>>6]>>(h6&63) | bm[h7>>6]>>(h7&63)
			if any&1 != 0 {
				for j, h := range [8]uint32{h0, h1, h2, h3, h4, h5, h6, h7} {
					if bm[h>>6]>>(h&63)&1 != 0 {
						g.try(m, text, i+j, owner)
					}
				}
			}
		}
		for ; i+4 <= n; i++ {
			g.try(m, text, i, owner)
		}
	}
	if len(g.shorts) > 0 {
		g.scanShort(m, text, start, end, owner)
	}
}

// try looks at one place more closely.
func (g *grams) try(m *Matcher, text []byte, i int, owner int32) {
	w := binary.LittleEndian.Uint32(text[i:])
	h := w * hashFactor
	if b := h >> g.shift; g.bitmap[b>>6]>>(b&63)&1 == 0 {
		return
	}
	for x := g.heads[h>>g.narrow]; x >= 0; x = g.wide[x].next {
		c := &g.wide[x]
		if c.bytes != w {
			continue
		}
		l := &g.literals[c.literal]
		if from := i - int(c.offset); from >= 0 && from+len(l.text) <= len(text) && string(text[from:from+len(l.text)]) == l.text {
			m.found(l, from, from+len(l.text), owner)
		}
	}
}

func shortHash(k uint16) uint16 { return (k ^ k>>4) & (shortHashes - 1) }

func (g *grams) scanShort(m *Matcher, text []byte, start, end int, owner int32) {
	n, p := end, &g.pairs
	i := start
	for ; i+9 <= n; i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		k0, k1, k2, k3 := uint16(x), uint16(x>>8), uint16(x>>16), uint16(x>>24)
		k4, k5, k6, k7 := uint16(x>>32), uint16(x>>40), uint16(x>>48), uint16(x>>56)|uint16(text[i+8])<<8
		any := p[k0>>6]>>(k0&63) | p[k1>>6]>>(k1&63) | p[k2>>6]>>(k2&63) | p[k3>>6]>>(k3&63) |
			p[k4>>6]>>(k4&63) | p[k5>>6]>>(k5&63) | p[k6>>6]>>(k6&63) | p[k7>>6]>>(k7&63)
		if any&1 != 0 {
			for j := i; j < i+8; j++ {
				k := uint16(text[j]) | uint16(text[j+1])<<8
				if p[k>>6]>>(k&63)&1 != 0 && (j+2 == n || g.third[shortHash(k)]>>(text[j+2]&63)&1 != 0) {
					g.tryShort(m, text, j, owner)
				}
			}
		}
	}
	for ; i+2 <= n; i++ {
		g.tryShort(m, text, i, owner)
	}
}

func (g *grams) tryShort(m *Matcher, text []byte, i int, owner int32) {
	k := binary.LittleEndian.Uint16(text[i:])
	if g.pairs[k>>6]>>(k&63)&1 == 0 {
		return
	}
	for x := g.shortHeads[shortHash(k)]; x >= 0; x = g.shorts[x].next {
		c := &g.shorts[x]
		if c.bytes != uint32(k) {
			continue
		}
		l := &g.literals[c.literal]
		if len(l.text) == 2 || i+3 <= len(text) && text[i+2] == l.text[2] {
			m.found(l, i, i+len(l.text), owner)
		}
	}
}

// appendFold appends Fold(s) to b, and reports whether s was ASCII: then each byte stayed in its place.
func appendFold(b []byte, s string) (out []byte, ascii bool) {
	at := len(b)
	b = append(b, s...)
	if lowerASCII(b[at:]) {
		return b, true
	}
	b = b[:at]
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			b = append(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, c)
		} else {
			b = utf8.AppendRune(b, foldRune(r))
		}
		i += n
	}
	return b, false
}

// lowerASCII lowers the letters of ASCII, eight bytes at a time, and reports whether all bytes are ASCII.
func lowerASCII(b []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	var all uint64
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		all |= x
		y := x &^ high
		upper := (y + (0x80-'A')*ones) &^ (y + (0x80-'Z'-1)*ones) & high &^ x
		binary.LittleEndian.PutUint64(b[i:], x|upper>>2)
	}
	for ; i < len(b); i++ {
		c := b[i]
		all |= uint64(c)
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return all&high == 0 // of the last bytes too: their eighth bit is one of these
}
