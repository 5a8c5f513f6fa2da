package shelf

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"tocsin/internal/record"
)

// The columns of a volume are a Parquet file (Apache Parquet format 2) of one row group, which other programs read too, with an index of
// ours beside the pages. doc/formats/archive.md draws it. What makes it quick to search:
//
//   - The rows stand in the order of the lines. The values of a column stand in order in its dictionary, so that a comparison
//     is a span of places, and a text is found by halving.
//   - A dictionary is packed in blocks of some hundred values, each a zstd frame of its own (frames one behind the other are one, RFC 8878):
//     a value is read without the others.
//   - Places of rows are packed bits, not compressed: 12 million of them are read and unpacked in some milliseconds.
//   - For each column of many texts the index says which three bytes are in which blocks (grams.go), and on which pages a value is
//     (where.go).
//
// Everything that is read by way of the index has a checksum there. Without it the file is read as any Parquet file.
const (
	blockValues = 128
	blockWholes = 1024
	blockBytes  = 32 << 10 // of a block unpacked, unless a value is longer
	fenceBytes  = 48       // of the first value of a block that the index holds
	indexKey    = "tocsin.index"
	indexForm   = 1
)

// What a column holds.
const (
	kindText    = 1 // texts, in order; those of equal texts by their number
	kindWhole   = 2 // whole numbers, in order
	kindFloat   = 3 // numbers of a column of texts, for other programs
	kindNumbers = 4 // numbers of a row, without a dictionary
)

// A typed is a value on its way into a dictionary.
type typed struct {
	text   string
	whole  int64
	number float64 // NaN when the value is just a text
}

// An input is a column on its way into a file.
type input struct {
	name     string
	kind     byte
	stamps   bool // numbers are nanoseconds since 1970
	required bool
	most     int                                // values there may be at most
	numbered bool                               // values have numbers
	values   func(yield func(typed) bool) error // in order
	places   func(page int, to []uint32) error  // 0: the row has none, else 1 + the place of its value
	rows     func(page int, to []int64) error   // of kindNumbers; NoTime: the row has none
}

// A columnsWriter writes such a file, column by column.
type columnsWriter struct {
	w      io.Writer
	at     int64
	rows   int
	zstd   *zstd.Encoder
	schema []format.SchemaElement
	chunks []format.ColumnChunk
	names  []string
	sheets [][]byte
	packed []byte
	plain  []byte

	numbers []byte // of the dictionary that was written last, for the index
	shards  [][]byte
	where   *whereWriter
	room    struct { // for a page
		places, codes   []uint32
		numbers, deltas []int64
	}
}

func newColumnsWriter(w io.Writer, rows int, z *zstd.Encoder) (*columnsWriter, error) {
	x := &columnsWriter{w: w, rows: rows, zstd: z}
	return x, x.write([]byte("PAR1"))
}

func (x *columnsWriter) write(b []byte) error {
	n, err := x.w.Write(b)
	x.at += int64(n)
	return err
}

func crcOf(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// add writes a column.
func (x *columnsWriter) add(in *input) error {
	s := sheet{kind: in.kind}
	m := format.ColumnMetaData{Codec: format.Zstd, NumValues: int64(x.rows), PathInSchema: thrift.Slice[string]{in.name}}
	begin := x.at
	m.Type = format.ByteArray
	switch in.kind {
	case kindWhole, kindNumbers:
		m.Type = format.Int64
	case kindFloat:
		m.Type = format.Double
	}
	m.Encoding = thrift.Slice[format.Encoding]{format.Plain, format.RLE, format.RLEDictionary}
	plain := int64(0)
	if in.kind == kindNumbers {
		m.Encoding = thrift.Slice[format.Encoding]{format.RLE, format.DeltaBinaryPacked}
	} else {
		m.DictionaryPageOffset = x.at
		n, err := x.dictionary(in, &s)
		if err != nil {
			return err
		}
		plain += n
	}
	m.DataPageOffset = x.at
	pages := x.at
	if err := x.pages(in, &s); err != nil {
		return err
	}
	m.TotalCompressedSize = x.at - begin
	m.TotalUncompressedSize = plain + x.at - pages
	if err := x.beside(&s); err != nil {
		return err
	}
	x.chunks = append(x.chunks, format.ColumnChunk{MetaData: m})
	x.schema = append(x.schema, in.element(m.Type))
	x.names, x.sheets = append(x.names, in.name), append(x.sheets, s.encode())
	return nil
}

func (in *input) element(t format.Type) format.SchemaElement {
	e := format.SchemaElement{Name: in.name, Type: thrift.New(t), RepetitionType: thrift.New(format.Optional)}
	switch {
	case in.kind == kindText:
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType = format.LogicalType{Value: &format.StringType{}}
	case in.stamps:
		e.LogicalType = format.LogicalType{Value: &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.NanoSeconds{}}}}
	}
	if in.required {
		e.RepetitionType = thrift.New(format.Required)
	}
	return e
}

// dictionary writes the values of a column, and returns how many bytes they are unpacked.
func (x *columnsWriter) dictionary(in *input, s *sheet) (plain int64, err error) {
	x.packed, x.plain = x.packed[:0], x.plain[:0]
	s.lower, s.plain = true, true
	var grams *gramWriter
	if in.kind == kindText && in.most > 2*blockValues && in.name != record.SourceIP.String() {
		grams = newGramWriter(in.most/blockValues + 1)
	}
	var numbers []byte
	most := blockValues
	if in.kind != kindText {
		most = blockWholes
	}
	var b block
	end := func() {
		before := len(x.packed)
		x.packed = x.zstd.EncodeAll(x.plain, x.packed)
		b.stored, b.plain, b.sum = uint32(len(x.packed)-before), uint32(len(x.plain)), crcOf(x.packed[before:])
		plain += int64(len(x.plain))
		x.plain = x.plain[:0]
		s.blocks, b = append(s.blocks, b), block{}
		if grams != nil {
			grams.next()
		}
	}
	err = in.values(func(v typed) bool {
		if b.count == 0 {
			b.first, b.fence, b.whole = s.count, strings.Clone(v.text[:min(len(v.text), fenceBytes)]), v.whole
		}
		switch in.kind {
		case kindText:
			x.plain = append(binary.LittleEndian.AppendUint32(x.plain, uint32(len(v.text))), v.text...)
			s.lower = s.lower && !lettered(v.text)
			s.plain = s.plain && strings.IndexByte(v.text, ':') < 0
			if grams != nil {
				grams.add(v.text)
			}
			if in.numbered {
				numbers = binary.LittleEndian.AppendUint64(numbers, math.Float64bits(v.number))
			}
		case kindWhole:
			x.plain = binary.LittleEndian.AppendUint64(x.plain, uint64(v.whole))
		case kindFloat:
			x.plain = binary.LittleEndian.AppendUint64(x.plain, math.Float64bits(v.number))
		}
		s.count++
		if b.count++; b.count >= most || len(x.plain) >= blockBytes {
			end()
		}
		return true
	})
	if err != nil {
		return 0, err
	}
	if b.count > 0 {
		end()
	}
	if plain > math.MaxInt32 || len(x.packed) > math.MaxInt32 {
		return 0, fmt.Errorf("the values of %s are too many", in.name)
	}
	head, err := thrift.Marshal(new(thrift.CompactProtocol), &format.PageHeader{Type: format.DictionaryPage, UncompressedPageSize: int32(plain), CompressedPageSize: int32(len(x.packed)),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(s.count), Encoding: format.Plain, IsSorted: true})})
	if err != nil {
		return 0, err
	}
	s.values = x.at + int64(len(head))
	if err := x.write(append(head, x.packed...)); err != nil {
		return 0, err
	}
	x.numbers, x.shards, x.where = numbers, nil, nil
	if in.kind == kindText && s.count > 2*blockValues && x.rows > pageRows {
		x.where = newWhereWriter(s.count)
	}
	if grams != nil && len(s.blocks) > 1 {
		x.shards = grams.shards()
	}
	return plain, nil
}

// beside writes what of a column only the index names: other readers want the pages of a column one behind the other.
func (x *columnsWriter) beside(s *sheet) (err error) {
	if len(x.numbers) > 0 {
		if s.numbers, err = x.piece(x.numbers); err != nil {
			return err
		}
	}
	for _, shard := range x.shards {
		p, err := x.piece(shard)
		if err != nil {
			return err
		}
		s.grams = append(s.grams, p)
	}
	if x.where != nil {
		for i, b := range x.where.lists(s.blocks) {
			p, err := x.piece(b)
			if err != nil {
				return err
			}
			if i == 0 {
				s.where = p.offset
			}
			s.blocks[i].where, s.blocks[i].whereSum = p.size, p.sum
		}
	}
	x.numbers, x.shards, x.where = nil, nil, nil
	return nil
}

// lettered reports whether a text may be another when case does not count.
func lettered(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' || c >= 0x80 {
			return true
		}
	}
	return false
}

// piece writes bytes that only the index names.
func (x *columnsWriter) piece(b []byte) (piece, error) {
	p := piece{x.at, uint32(len(b)), crcOf(b)}
	return p, x.write(b)
}

// pages writes the rows of a column.
func (x *columnsWriter) pages(in *input, s *sheet) error {
	if x.room.places == nil {
		most := min(pageRows, x.rows)
		x.room.places, x.room.numbers = make([]uint32, most), make([]int64, most)
	}
	places, numbers, codes, deltas := x.room.places, x.room.numbers, x.room.codes, x.room.deltas
	defer func() { x.room.codes, x.room.deltas = codes, deltas }()
	var encoder delta.BinaryPackedEncoding
	for n := 0; n*pageRows < x.rows; n++ {
		rows := min(pageRows, x.rows-n*pageRows)
		p := place{rows: uint32(rows)}
		codes, deltas = codes[:0], deltas[:0]
		if in.kind == kindNumbers {
			if err := in.rows(n, numbers[:rows]); err != nil {
				return err
			}
			for i, v := range numbers[:rows] {
				places[i] = 0
				if v != NoTime {
					deltas, places[i] = append(deltas, v), 1
				}
			}
			p.values = uint32(len(deltas))
		} else {
			if err := in.places(n, places[:rows]); err != nil {
				return err
			}
			for _, v := range places[:rows] {
				if v != 0 {
					codes = append(codes, v-1)
				}
			}
			p.values = uint32(len(codes))
		}
		var b []byte
		if !in.required {
			b = appendLevels(x.plain[:0], places[:rows], int(p.values))
		}
		p.levels = uint32(len(b))
		encoding := format.RLEDictionary
		if in.kind == kindNumbers {
			packed, err := encoder.EncodeInt64(nil, deltas)
			if err != nil {
				return err
			}
			b, encoding = append(b, packed...), format.DeltaBinaryPacked
		} else {
			if x.where != nil {
				x.where.add(uint32(n), codes)
			}
			b = appendCodes(b, codes)
		}
		p.size, p.sum = uint32(len(b)), crcOf(b)
		head, err := thrift.Marshal(new(thrift.CompactProtocol), &format.PageHeader{Type: format.DataPageV2, UncompressedPageSize: int32(len(b)), CompressedPageSize: int32(len(b)),
			DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{NumValues: int32(rows), NumNulls: int32(rows) - int32(p.values), NumRows: int32(rows), Encoding: encoding,
				DefinitionLevelsByteLength: int32(p.levels), IsCompressed: thrift.New(false)})})
		if err != nil {
			return err
		}
		p.offset = x.at + int64(len(head))
		x.plain = b
		if err := x.write(append(head, b...)); err != nil {
			return err
		}
		s.pages = append(s.pages, p)
	}
	return nil
}

// close writes the index and the end.
func (x *columnsWriter) close() error {
	var root record.Packer
	root.Uint(uint64(x.rows))
	root.Uint(uint64(len(x.names)))
	for i, b := range x.sheets {
		p, err := x.piece(b)
		if err != nil {
			return err
		}
		root.Bytes(x.names[i])
		root.Uint(uint64(x.sheets[i][0])) // its kind
		p.encode(&root)
	}
	p, err := x.piece(root.Finish(0))
	if err != nil {
		return err
	}
	total, packed := int64(0), int64(0)
	for _, c := range x.chunks {
		total, packed = total+c.MetaData.TotalUncompressedSize, packed+c.MetaData.TotalCompressedSize
	}
	meta := format.FileMetaData{Version: 2, NumRows: int64(x.rows), CreatedBy: "tocsin version 2 (build 0)",
		Schema:           slices.Concat(thrift.Slice[format.SchemaElement]{{Name: "record", NumChildren: thrift.New(int32(len(x.schema)))}}, x.schema),
		KeyValueMetadata: thrift.Slice[format.KeyValue]{{Key: indexKey, Value: fmt.Sprintf("%d %d %d %08x", indexForm, p.offset, p.size, p.sum)}}}
	if x.rows > 0 {
		meta.RowGroups = thrift.Slice[format.RowGroup]{{Columns: x.chunks, TotalByteSize: total, TotalCompressedSize: packed, NumRows: int64(x.rows), FileOffset: 4}}
	}
	b, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return err
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return x.write(append(b, "PAR1"...))
}
