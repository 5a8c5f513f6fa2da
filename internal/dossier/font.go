package dossier

import (
	"embed"
	"encoding/binary"
	"errors"
)

// fonts are DejaVu Sans Condensed 2.37 (font/LICENSE): Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic. A PDF file gets only the
// letters that it uses.
//
//go:embed font/*.ttf
var fonts embed.FS

// The cuts of the font by their style.
const (
	regular = "font/DejaVuSansCondensed.ttf"
	bold    = "font/DejaVuSansCondensed-Bold.ttf"
)

// A coverage says which code points up to U+FFFF a font has a picture of.
type coverage []bool

func (c coverage) has(r rune) bool { return r >= 0 && int(r) < len(c) && c[r] }

// covered reads the table cmap of a TrueType font, its subtable of format 4 for Unicode (OpenType specification, cmap).
func covered(font []byte) (coverage, error) {
	broken := errors.New("the font of PDF files in this program is damaged: install the program again")
	u16 := func(at int) int {
		if at < 0 || at+2 > len(font) {
			return 0
		}
		return int(binary.BigEndian.Uint16(font[at:]))
	}
	u32 := func(at int) int { return u16(at)<<16 | u16(at+2) }
	cmap := 0
	for k := range u16(4) {
		if at := 12 + 16*k; at+16 <= len(font) && string(font[at:at+4]) == "cmap" {
			cmap = u32(at + 8)
		}
	}
	table := 0
	for k := range u16(cmap + 2) {
		at := cmap + 4 + 8*k
		if sub := cmap + u32(at+4); u16(at) == 3 && u16(at+2) == 1 && u16(sub) == 4 {
			table = sub
		}
	}
	if cmap == 0 || table == 0 {
		return nil, broken
	}
	out := make(coverage, 1<<16)
	n := u16(table+6) / 2
	ends, starts := table+14, table+16+2*n
	for k := range n {
		first, last := u16(starts+2*k), u16(ends+2*k)
		delta, from := u16(starts+2*n+2*k), u16(starts+4*n+2*k)
		for r := first; r <= last && r < 0xffff; r++ {
			glyph := r + delta
			if from != 0 {
				if glyph = u16(starts + 4*n + 2*k + from + 2*(r-first)); glyph != 0 {
					glyph += delta
				}
			}
			out[r] = glyph&0xffff != 0
		}
	}
	if !out['A'] {
		return nil, broken
	}
	return out, nil
}
