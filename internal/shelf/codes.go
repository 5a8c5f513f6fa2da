package shelf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/parquet-go/bitpack"
)

// The rows of a column stand in pages of pageRows: which of them have a value, and for each of these the place of its value in the
// dictionary. Both are in Parquet's hybrid of runs and packed bits (Apache Parquet, Encodings, RLE = 3), unpacked from the disk by one pass.
const (
	pageRows = 8192
	runFrom  = 16 // equal places that are written as a run
)

// A Page is what stands of a column in some rows. It may be used again and again.
type Page struct {
	Rows  int
	Codes []uint32 // of the rows that have a value, in order: the places of their values
	Has   []uint64 // which rows have one, a bit each; nil: all

	codes   []uint32
	has     []uint64
	room    []byte
	numbers []int64
	places  []uint32
}

// appendLevels adds which of some rows have a value.
func appendLevels(b []byte, rows []uint32, values int) []byte {
	switch values {
	case 0:
		return append(binary.AppendUvarint(b, uint64(len(rows))<<1), 0)
	case len(rows):
		return append(binary.AppendUvarint(b, uint64(len(rows))<<1), 1)
	}
	groups := (len(rows) + 7) / 8
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	for i := range groups {
		var x byte
		for n, p := range rows[i*8 : min(i*8+8, len(rows))] {
			if p != 0 {
				x |= 1 << n
			}
		}
		b = append(b, x)
	}
	return b
}

// readLevels is appendLevels backwards: of rows rows, values have one.
func (p *Page) readLevels(b []byte, rows, values int) error {
	p.Rows, p.Has = rows, nil
	if values == rows {
		return nil
	}
	p.has = append(p.has[:0], make([]uint64, (rows+63)/64)...)
	p.Has = p.has
	if values == 0 {
		return nil
	}
	head, n := binary.Uvarint(b)
	if n <= 0 || head&1 == 0 || int(head>>1) != (rows+7)/8 || len(b)-n != (rows+7)/8 {
		return errors.New("a page does not say which rows have a value")
	}
	count := 0
	for i, x := range b[n:] {
		p.has[i/8] |= uint64(x) << (i % 8 * 8)
		count += bits.OnesCount8(x)
	}
	if count != values || rows%64 != 0 && p.has[len(p.has)-1]>>(rows%64) != 0 {
		return errors.New("a page has more rows, or values, than it says")
	}
	return nil
}

// appendCodes adds places, which may be changed: as runs where there are long ones, else packed.
func appendCodes(b []byte, codes []uint32) []byte {
	most, runs := uint32(0), 0
	for i, c := range codes {
		most = max(most, c)
		if i == 0 || c != codes[i-1] {
			runs++
		}
	}
	width := bits.Len32(most)
	b = append(b, byte(width))
	if runs*runFrom > len(codes) {
		return appendPacked(b, codes, width)
	}
	from := 0 // of what is not written yet
	for i := 0; i < len(codes); {
		end := i + 1
		for end < len(codes) && codes[end] == codes[i] {
			end++
		}
		if fill := (8 - (i-from)%8) % 8; end-i-fill >= runFrom {
			b = appendPacked(b, codes[from:i+fill], width)
			b = binary.AppendUvarint(b, uint64(end-i-fill)<<1)
			for at := 0; at < width; at += 8 {
				b = append(b, byte(codes[i]>>at))
			}
			from = end
		}
		i = end
	}
	return appendPacked(b, codes[from:], width)
}

func appendPacked(b []byte, codes []uint32, width int) []byte {
	if len(codes) == 0 {
		return b
	}
	groups := (len(codes) + 7) / 8
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	if rest := len(codes) % 8; rest != 0 {
		codes = append(codes[:len(codes):len(codes)], make([]uint32, 8-rest)...)
	}
	at := len(b)
	b = append(b, make([]byte, groups*width)...)
	bitpack.Pack(b[at:], codes, uint(width))
	return b
}

// readCodes is appendCodes backwards, for places below most. Bytes behind b, at least codesPadding, are looked at, but do not count.
func (p *Page) readCodes(b []byte, values int, most uint32) error {
	if cap(p.codes) < values+8 { // the last of a run of packed bits fill eight
		p.codes = make([]uint32, max(values, pageRows)+8)
	}
	p.codes = p.codes[:cap(p.codes)]
	p.Codes = p.codes[:values]
	if values == 0 {
		return nil
	}
	if len(b) == 0 || b[0] > 32 {
		return errors.New("a page has no width")
	}
	width := int(b[0])
	b = b[1:]
	for at := 0; at < values; {
		head, n := binary.Uvarint(b)
		if n <= 0 || head>>1 == 0 || head>>1 > pageRows {
			return errors.New("a page has a run that cannot be")
		}
		b = b[n:]
		if head&1 == 0 {
			var code uint32
			size := (width + 7) / 8
			if size > len(b) || at+int(head>>1) > values {
				return errors.New("a page has a run that is too long")
			}
			for i := range size {
				code |= uint32(b[i]) << (8 * i)
			}
			b = b[size:]
			run := p.codes[at : at+int(head>>1)]
			for i := range run {
				run[i] = code
			}
			at += len(run)
			continue
		}
		size := int(head>>1) * width
		count := int(head>>1) * 8
		if size > len(b) || at+count > values+7 {
			return errors.New("a page has more places than it says")
		}
		bitpack.Unpack(p.codes[at:at+count], b[:size+codesPadding:size+codesPadding], uint(width))
		b = b[size:]
		at += count
	}
	var first, second, third, fourth uint32 // four at once, which is four times as fast
	rest := p.Codes
	for ; len(rest) >= 4; rest = rest[4:] {
		first, second, third, fourth = max(first, rest[0]), max(second, rest[1]), max(third, rest[2]), max(fourth, rest[3])
	}
	found := max(first, second, third, fourth)
	for _, c := range rest {
		found = max(found, c)
	}
	if found >= most {
		return fmt.Errorf("a row names value %d of %d", found, most)
	}
	return nil
}

const codesPadding = bitpack.PaddingInt32

// Row returns the place of a row's value, if it has one.
func (p *Page) Row(row int) (code uint32, ok bool) {
	if p.Has == nil {
		return p.Codes[row], true
	}
	if p.Has[row/64]>>(row%64)&1 == 0 {
		return 0, false
	}
	n := 0
	for _, w := range p.Has[:row/64] {
		n += bits.OnesCount64(w)
	}
	return p.Codes[n+bits.OnesCount64(p.Has[row/64]&(1<<(row%64)-1))], true
}
