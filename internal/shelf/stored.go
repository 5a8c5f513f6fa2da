package shelf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/delta"

	"tocsin/internal/record"
)

// A columnsFile is a file of columns, read by its index.
type columnsFile struct {
	r    io.ReaderAt
	size int64
	zstd *zstd.Decoder
	rows int
	root map[string]piece // sheets of columns
	kind map[string]byte
}

// openIndexed reads the index that a Parquet file names.
func openIndexed(r io.ReaderAt, size int64, z *zstd.Decoder, said string) (*columnsFile, error) {
	x := &columnsFile{r: r, size: size, zstd: z, root: map[string]piece{}, kind: map[string]byte{}}
	var form int
	var p piece
	if n, err := fmt.Sscanf(said, "%d %d %d %x", &form, &p.offset, &p.size, &p.sum); n != 4 || err != nil || form != indexForm {
		return nil, errors.New("its index is of a form that this program does not know")
	}
	b, err := x.read(p, nil)
	if err != nil {
		return nil, err
	}
	u, err := record.NewUnpacker(b)
	if err != nil {
		return nil, err
	}
	if x.rows = int(u.Uint()); x.rows < 0 || x.rows > math.MaxInt32 {
		return nil, errors.New("its index holds what cannot be")
	}
	for range u.Count(5) {
		name := u.Bytes()
		x.kind[name] = byte(u.Uint())
		x.root[name] = readPiece(u)
	}
	return x, u.Err()
}

// read reads a piece and checks it, into buf when that is long enough.
func (x *columnsFile) read(p piece, buf []byte) ([]byte, error) {
	if p.offset < 0 || p.offset > x.size || int64(p.size) > x.size-p.offset {
		return nil, errors.New("its index names bytes that are not there")
	}
	if cap(buf) < int(p.size)+codesPadding {
		buf = make([]byte, int(p.size)+codesPadding+1024)
	}
	buf = buf[:p.size]
	if _, err := x.r.ReadAt(buf, p.offset); err != nil {
		return nil, err
	}
	if crcOf(buf) != p.sum {
		return nil, fmt.Errorf("the checksum of %d bytes at %d is wrong", p.size, p.offset)
	}
	return buf, nil
}

// A Stored is a column that is read in parts: blocks of values, pages of rows. Any number of goroutines may read it.
type Stored struct {
	Len   int  // different values
	Whole bool // they are whole numbers
	Lower bool // they are texts without capital letters and without any beyond ASCII
	Plain bool // they are texts without a colon
	Order bool // they are in order: numbers by size, texts by their bytes

	held    *Column  // it is in memory
	of      *Stored  // its rows are those of another, whose values
	become  []uint32 // become others: 1 + the place of each; 0: none
	file    *columnsFile
	sheet   *sheet
	numbers []float64
}

// open reads the sheet of a column.
func (x *columnsFile) open(name string) (*Stored, error) {
	p, ok := x.root[name]
	if !ok {
		return nil, nil
	}
	b, err := x.read(p, nil)
	if err != nil {
		return nil, err
	}
	s, err := readSheet(b, x.rows, x.size)
	if err != nil {
		return nil, err
	}
	if kind := x.kind[name]; s.kind != kind || kind == kindFloat != strings.HasSuffix(name, NumberEnd) || kind == kindNumbers && name != LineColumn && name != TimeColumn {
		return nil, fmt.Errorf("its index has the column %q as another kind", name)
	}
	out := &Stored{Len: s.count, Whole: s.kind == kindWhole, Lower: s.lower && s.kind == kindText, Plain: s.plain && s.kind == kindText, Order: true, file: x, sheet: s}
	if s.numbers.size > 0 {
		b, err := x.read(s.numbers, nil)
		if err != nil {
			return nil, err
		}
		for ; len(b) >= 8; b = b[8:] {
			out.numbers = append(out.numbers, math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
	}
	return out, nil
}

// Held is a column in memory as one that is stored.
func Held(c *Column) *Stored { return &Stored{Len: len(c.Values), Whole: c.Whole, held: c} }

// Become is a column that follows from this one: values, and for each value of this one 1 + the place of what it becomes, 0 for none.
func (s *Stored) Become(values []string, places []uint32) *Stored {
	return &Stored{Len: len(values), held: &Column{Values: values}, of: s, become: places}
}

// On returns the same column, read from a chunk of the same volume that was opened again.
func (s *Stored) On(c *Chunk) *Stored {
	out := *s
	if out.file != nil {
		out.file = c.file
	}
	if out.of != nil {
		out.of = out.of.On(c)
	}
	return &out
}

// On returns the same column, read from a chunk of the same volume that was opened again.
func (x *Numbers) On(c *Chunk) *Numbers {
	out := *x
	if out.file != nil {
		out.file = c.file
	}
	return &out
}

// Bytes is about what it takes in memory.
func (s *Stored) Bytes() int64 {
	if c := s.held; c != nil {
		n := int64(len(c.Rows))*4 + int64(len(c.Values))*16 + int64(len(c.Numbers))*8 + int64(len(s.become))*4 + 64
		for _, v := range c.Values {
			n += int64(len(v))
		}
		return n
	}
	return s.sheet.bytes() + int64(len(s.numbers))*8
}

// A Block is some values of a column. It may be used again and again.
type Block struct {
	First int // place of its first value
	Count int

	of      *Stored
	texts   []string
	wholes  []int64
	numbers []float64
	stored  []byte
	plain   []byte
}

// Value returns a value of the block, typed.
func (b *Block) Value(i int) record.Value {
	if b.wholes != nil {
		return record.Int(b.wholes[i], strconv.FormatInt(b.wholes[i], 10))
	}
	if b.numbers != nil && !math.IsNaN(b.numbers[i]) {
		return record.Float(b.numbers[i], b.texts[i])
	}
	return record.Text(b.texts[i])
}

// Text returns the text of a value of the block.
func (b *Block) Text(i int) string {
	if b.wholes != nil {
		return strconv.FormatInt(b.wholes[i], 10)
	}
	return b.texts[i]
}

// Blocks is how many blocks of values there are.
func (s *Stored) Blocks() int {
	if s.held != nil {
		return (len(s.held.Values) + blockWholes - 1) / blockWholes
	}
	return len(s.sheet.blocks)
}

// Span returns the places of a block's values: from first on, below end.
func (s *Stored) Span(n int) (first, end int) {
	if s.held != nil {
		return n * blockWholes, min((n+1)*blockWholes, len(s.held.Values))
	}
	b := &s.sheet.blocks[n]
	return b.first, b.first + b.count
}

// Fence is what the first text of a block begins with, of texts that are in order.
func (s *Stored) Fence(n int) string { return s.sheet.blocks[n].fence }

// BlockOf is the block that a value is in, by its place.
func (s *Stored) BlockOf(place int) int {
	if s.held != nil {
		return place / blockWholes
	}
	return sort.Search(len(s.sheet.blocks), func(i int) bool { return s.sheet.blocks[i].first > place }) - 1
}

// ReadBlock reads a block.
func (s *Stored) ReadBlock(n int, b *Block) error {
	b.of = nil
	if c := s.held; c != nil {
		b.First = n * blockWholes
		b.Count = min(blockWholes, len(c.Values)-b.First)
		b.texts, b.numbers, b.wholes = c.Values[b.First:b.First+b.Count], nil, nil
		if c.Whole {
			b.wholes = make([]int64, b.Count)
			for i, t := range b.texts {
				b.wholes[i], _ = strconv.ParseInt(t, 10, 64)
			}
		} else if c.Numbers != nil {
			b.numbers = c.Numbers[b.First : b.First+b.Count]
		}
		b.of = s
		return nil
	}
	x := &s.sheet.blocks[n]
	var err error
	if b.stored, err = s.file.read(piece{s.sheet.values + x.offset, x.stored, x.sum}, b.stored); err != nil {
		return err
	}
	var head zstd.Header
	if err := head.Decode(b.stored); err != nil || head.HasFCS && head.FrameContentSize != uint64(x.plain) {
		return errors.New("a block of values is not as long as its index says")
	}
	if b.plain, err = s.file.zstd.DecodeAll(b.stored, b.plain[:0]); err != nil {
		return fmt.Errorf("unpacking values: %w", err)
	}
	if len(b.plain) != int(x.plain) {
		return fmt.Errorf("values unpack to %d bytes instead of %d", len(b.plain), x.plain)
	}
	b.First, b.Count = x.first, x.count
	b.numbers, b.wholes = nil, nil
	if s.numbers != nil {
		b.numbers = s.numbers[b.First : b.First+b.Count]
	}
	if err := b.split(s.sheet.kind); err != nil {
		return err
	}
	b.of = s
	return nil
}

// split finds the values in the bytes of a block. Texts share one string.
func (b *Block) split(kind byte) error {
	short := errors.New("a block of values is shorter than it says")
	if kind != kindText {
		if len(b.plain) != 8*b.Count {
			return short
		}
		b.wholes = make([]int64, b.Count)
		for i := range b.wholes {
			b.wholes[i] = int64(binary.LittleEndian.Uint64(b.plain[8*i:]))
		}
		return nil
	}
	all := string(b.plain)
	b.texts = slices.Grow([]string(nil), b.Count)
	for range b.Count {
		if len(all) < 4 {
			return short
		}
		n := uint32(all[0]) | uint32(all[1])<<8 | uint32(all[2])<<16 | uint32(all[3])<<24
		if uint64(n) > uint64(len(all)-4) {
			return short
		}
		b.texts = append(b.texts, all[4:4+n])
		all = all[4+n:]
	}
	if all != "" {
		return short
	}
	return nil
}

// Value reads one value, by its place; b is the block that was read last.
func (s *Stored) Value(place int, b *Block) (record.Value, error) {
	if b.of != s || place < b.First || place >= b.First+b.Count {
		if place < 0 || place >= s.Len {
			return record.Value{}, fmt.Errorf("a row names value %d of %d", place, s.Len)
		}
		if err := s.ReadBlock(s.BlockOf(place), b); err != nil {
			return record.Value{}, err
		}
	}
	return b.Value(place - b.First), nil
}

// Find returns the place of a text, of a column that is in order; false when no value is it. Of equal texts it is the first.
func (s *Stored) Find(text string, b *Block) (place int, ok bool, err error) {
	blocks := s.sheet.blocks
	short := text[:min(len(text), fenceBytes)]
	// The first block that may have it is the one before the first whose beginning is not smaller.
	for n := max(0, sort.Search(len(blocks), func(i int) bool { return blocks[i].fence >= short })-1); n < len(blocks) && blocks[n].fence <= short; n++ {
		if err := s.ReadBlock(n, b); err != nil {
			return 0, false, err
		}
		if i, ok := slices.BinarySearch(b.texts, text); ok {
			return b.First + i, true, nil
		} else if i < len(b.texts) {
			return 0, false, nil
		}
	}
	return 0, false, nil
}

// FindText returns the place of the first value that is not less than a text of at most 48 bytes, of texts that are in order.
func (s *Stored) FindText(least string, b *Block) (place int, err error) {
	blocks := s.sheet.blocks
	n := sort.Search(len(blocks), func(i int) bool { return blocks[i].fence >= least }) - 1
	if n < 0 {
		return 0, nil
	}
	if err := s.ReadBlock(n, b); err != nil {
		return 0, err
	}
	i, _ := slices.BinarySearch(b.texts, least)
	return b.First + i, nil
}

// FindWhole returns the place of the first value that is not less than a number, of whole numbers that are in order.
func (s *Stored) FindWhole(least int64, b *Block) (place int, err error) {
	blocks := s.sheet.blocks
	n := sort.Search(len(blocks), func(i int) bool { return blocks[i].whole >= least }) - 1
	if n < 0 {
		return 0, nil
	}
	if err := s.ReadBlock(n, b); err != nil {
		return 0, err
	}
	i, _ := slices.BinarySearch(b.wholes, least)
	return b.First + i, nil
}

// Indexed reports whether Holding can tell anything.
func (s *Stored) Indexed() bool { return s.held == nil && len(s.sheet.grams) > 0 }

// Holding returns the blocks, in order, in which there may be a value that has a text in it but for case; the text is folded (package query). All is true
// when that may be any.
func (s *Stored) Holding(folded string) (blocks []uint32, all bool, err error) {
	var hashes []uint16
	eachGram(folded, func(h uint16) { hashes = append(hashes, h) })
	hashes = hashes[:min(len(hashes), gramsAtMost)]
	all = true
	var buf []byte
	for _, h := range hashes {
		if buf, err = s.file.read(s.sheet.grams[h>>8], buf); err != nil {
			return nil, true, err
		}
		some, any, err := gramBlocks(buf, h, len(s.sheet.blocks))
		switch {
		case err != nil:
			return nil, true, err
		case any:
			continue
		case all:
			blocks, all = some, false
		default:
			blocks = both(blocks, some)
		}
		if len(blocks) < 2 {
			break
		}
	}
	return blocks, all, nil
}

// Pages is how many pages of rows there are, each of PageRows rows but the last.
func (s *Stored) Pages() int {
	if s.of != nil {
		return s.of.Pages()
	}
	if s.held != nil {
		return (len(s.held.Rows) + pageRows - 1) / pageRows
	}
	return len(s.sheet.pages)
}

// PageRows is how many rows a page has.
const PageRows = pageRows

// ReadPage reads a page.
func (s *Stored) ReadPage(n int, p *Page) error {
	if s.of != nil {
		if err := s.of.ReadPage(n, p); err != nil {
			return err
		}
		places := p.Places()
		for i, c := range places {
			if c != 0 {
				places[i] = s.become[c-1]
			}
		}
		p.hold(places)
		return nil
	}
	if c := s.held; c != nil {
		p.hold(c.Rows[n*pageRows : min((n+1)*pageRows, len(c.Rows))])
		return nil
	}
	x := &s.sheet.pages[n]
	var err error
	if p.room, err = s.file.read(piece{x.offset, x.size, x.sum}, p.room); err != nil {
		return err
	}
	if err := p.readLevels(p.room[:x.levels], int(x.rows), int(x.values)); err != nil {
		return err
	}
	return p.readCodes(p.room[x.levels:], int(x.values), uint32(s.Len))
}

// hold makes a page of places as a Column has them.
func (p *Page) hold(rows []uint32) {
	p.Rows, p.Has = len(rows), nil
	p.codes = slices.Grow(p.codes[:0], len(rows))
	none := false
	for _, c := range rows {
		if c != 0 {
			p.codes = append(p.codes, c-1)
		} else {
			none = true
		}
	}
	p.Codes = p.codes
	if none {
		p.has = append(p.has[:0], make([]uint64, (len(rows)+63)/64)...)
		for i, c := range rows {
			if c != 0 {
				p.has[i/64] |= 1 << (i % 64)
			}
		}
		p.Has = p.has
	}
}

// Column reads all of it.
func (s *Stored) Column() (*Column, error) {
	if s.held != nil && s.of == nil {
		return s.held, nil
	}
	out := &Column{Whole: s.Whole, Numbers: s.numbers, Values: make([]string, 0, s.Len)}
	var b Block
	for n := range s.Blocks() {
		if err := s.ReadBlock(n, &b); err != nil {
			return nil, err
		}
		for i := range b.Count {
			out.Values = append(out.Values, strings.Clone(b.Text(i)))
		}
	}
	var p Page
	for n := range s.Pages() {
		if err := s.ReadPage(n, &p); err != nil {
			return nil, err
		}
		out.Rows = p.appendPlaces(out.Rows)
	}
	return out, nil
}

// appendPlaces adds the rows of a page as a Column has them.
func (p *Page) appendPlaces(to []uint32) []uint32 {
	at := len(to)
	to = slices.Grow(to, p.Rows)[:at+p.Rows]
	if p.Has == nil {
		for i, c := range p.Codes {
			to[at+i] = c + 1
		}
		return to
	}
	n := 0
	for i := range p.Rows {
		to[at+i] = 0
		if p.Has[i/64]>>(i%64)&1 != 0 {
			to[at+i] = p.Codes[n] + 1
			n++
		}
	}
	return to
}

// Places returns the rows of a page as a Column has them; good until the next call.
func (p *Page) Places() []uint32 {
	p.places = p.appendPlaces(p.places[:0])
	return p.places
}

// A Numbers is a column of numbers of rows: LineColumn, TimeColumn. Any number of goroutines may read it.
type Numbers struct {
	held   []int64
	file   *columnsFile
	sheet  *sheet
	values []int64
}

// openNumbers reads what is needed of such a column.
func (x *columnsFile) openNumbers(name string) (*Numbers, error) {
	s, err := x.open(name)
	if s == nil || err != nil {
		return nil, err
	}
	out := &Numbers{file: x, sheet: s.sheet}
	var b Block
	for n := range s.Blocks() {
		if err := s.ReadBlock(n, &b); err != nil {
			return nil, err
		}
		out.values = append(out.values, b.wholes...)
	}
	return out, nil
}

// Full reports whether every row is known to have a number.
func (x *Numbers) Full() bool {
	if x.held != nil {
		return !slices.Contains(x.held, NoTime)
	}
	return !slices.ContainsFunc(x.sheet.pages, func(p place) bool { return p.values != p.rows })
}

// HeldNumbers is such a column in memory.
func HeldNumbers(n []int64) *Numbers { return &Numbers{held: n} }

// Bytes is about what it takes in memory.
func (x *Numbers) Bytes() int64 {
	if x.held != nil {
		return int64(len(x.held)) * 8
	}
	return x.sheet.bytes() + int64(len(x.values))*8
}

// Page reads the numbers of a page, into room; NoTime is a row that has none. They are good until the next call.
func (x *Numbers) Page(n int, room *Page) ([]int64, error) {
	if x.held != nil {
		return x.held[n*pageRows : min((n+1)*pageRows, len(x.held))], nil
	}
	p := &x.sheet.pages[n]
	var err error
	if room.room, err = x.file.read(piece{p.offset, p.size, p.sum}, room.room); err != nil {
		return nil, err
	}
	if p.levels > 0 || p.rows == p.values {
		if err := room.readLevels(room.room[:p.levels], int(p.rows), int(p.values)); err != nil {
			return nil, err
		}
	} else {
		return nil, errors.New("a page does not say which rows have a number")
	}
	rest := room.room[p.levels:]
	if x.sheet.kind == kindNumbers {
		if err := checkDelta(rest, p.values); err != nil {
			return nil, err
		}
		out, err := new(delta.BinaryPackedEncoding).DecodeInt64(room.numbers, rest)
		if err == nil && len(out) != int(p.values) {
			err = fmt.Errorf("a page has %d numbers instead of %d", len(out), p.values)
		}
		if err != nil {
			return nil, err
		}
		room.numbers = out
	} else {
		if err := room.readCodes(rest, int(p.values), uint32(len(x.values))); err != nil {
			return nil, err
		}
		room.numbers = slices.Grow(room.numbers[:0], int(p.values))[:p.values]
		for i, c := range room.Codes {
			room.numbers[i] = x.values[c]
		}
	}
	if room.Has == nil {
		return room.numbers, nil
	}
	room.numbers = slices.Grow(room.numbers, int(p.rows)-len(room.numbers))[:p.rows]
	for i, n := int(p.rows)-1, int(p.values); i >= 0; i-- { // from behind, so that none is lost
		if room.Has[i/64]>>(i%64)&1 != 0 {
			n--
			room.numbers[i] = room.numbers[n]
		} else {
			room.numbers[i] = NoTime
		}
	}
	return room.numbers, nil
}

// checkDelta holds what the head of packed numbers says (Parquet, DELTA_BINARY_PACKED: the length of a block, its parts, the count) against how many there are to be, because
// it is unpacked by what it says.
func checkDelta(b []byte, values uint32) error {
	var said [3]uint64
	for i := range said {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return errors.New("packed numbers end in their head")
		}
		said[i], b = v, b[n:]
	}
	if said[0] == 0 || said[0] > 1<<12 || said[1] == 0 || said[1] > 128 || said[2] != uint64(values) {
		return fmt.Errorf("a page says that it has %d numbers, and its index that it has %d", said[2], values)
	}
	return nil
}

// Stored returns the column of numbers as one with values, when it has a dictionary.
func (x *Numbers) Stored() (*Stored, bool) {
	if x.held != nil || x.sheet.kind != kindWhole {
		return nil, false
	}
	return &Stored{Len: len(x.values), Whole: true, Order: true, file: x.file, sheet: x.sheet}, true
}

// Values returns its values in order, when it has a dictionary.
func (x *Numbers) Values() []int64 { return x.values }

// All reads all of them.
func (x *Numbers) All() (out []int64, err error) {
	if x.held != nil {
		return x.held, nil
	}
	var p Page
	for n := range x.sheet.pages {
		some, err := x.Page(n, &p)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}
