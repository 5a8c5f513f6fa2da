package shelf

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// The law: any bytes are read or refused, and what is read can be written and read again.
func FuzzManifest(f *testing.F) {
	whole, _ := encodeDeed((&state{through: 7, parser: []byte("x")}).whole())
	came, _ := encodeDeed(deed{Deed: sealed, Through: 9, Came: []Volume{{Name: "a/2026-11-10/08-1-x", Source: "a", Rows: 1, Kept: 1, First: 8, Last: 9}}})
	gone, _ := encodeDeed(deed{Deed: expired, Gone: []string{"a/2026-11-10/08-1-x"}})
	f.Add(slices.Concat(whole, came, gone))
	f.Add(slices.Concat(whole, came, gone[:20]))
	f.Add(slices.Concat(whole, came[:30], gone))
	f.Add([]byte("hello\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, end, err := readManifest(b)
		if err != nil {
			return
		}
		if end > len(b) {
			t.Fatalf("good lines end at %d of %d", end, len(b))
		}
		again, err := encodeDeed(s.whole())
		if err != nil {
			t.Fatal(err)
		}
		o, end, err := readManifest(again)
		if err != nil || end != len(again) || o.through != s.through || len(o.volumes) != len(s.volumes) {
			t.Fatalf("%q is read as %+v, %v", again, o, err)
		}
	})
}

// The law: any file of lines is read or refused, in bounded memory, and no frame of it panics.
func FuzzLines(f *testing.F) {
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxIndex))
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range []int{1, 30} {
		var b bytes.Buffer
		w, err := newLinesWriter(&b, salt{1, 2}, packer)
		if err != nil {
			f.Fatal(err)
		}
		for i, l := range mixed(1, n) {
			if err := w.add(l); err != nil {
				f.Fatal(err)
			}
			if i%8 == 7 {
				if err := w.flush(); err != nil {
					f.Fatal(err)
				}
			}
		}
		if err := w.close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := openLines(bytes.NewReader(b), int64(len(b)), unpacker)
		if err != nil {
			return
		}
		for n := range x.frames {
			lines, err := x.read(n, 0)
			if err == nil && uint32(len(lines)) != x.frames[n].count {
				t.Fatalf("frame %d has %d lines", n, len(lines))
			}
		}
	})
}

// The law: what stands in a frame comes back, and any other payload is read or refused.
func FuzzFrame(f *testing.F) {
	lines := mixed(5, 20)
	f.Add(encodeLines(lines), int64(5), int64(24), uint32(20))
	f.Fuzz(func(t *testing.T, plain []byte, first, last int64, count uint32) {
		if count > frameLines || first < 1 || first > 1<<60 {
			return
		}
		got, err := decodeLines(first, last, count, plain, 0)
		if err != nil || len(got) == 0 {
			return
		}
		again, err := decodeLines(first, last, count, encodeLines(got), 0)
		if err != nil || !slices.Equal(again, got) {
			t.Fatalf("%v comes back as %v, %v", got, again, err)
		}
		one := got[int(count)/2]
		if alone, err := decodeLines(first, last, count, plain, one.Seq); err != nil || len(alone) != 1 || alone[0] != one {
			t.Fatalf("%v comes back alone as %v, %v", one, alone, err)
		}
	})
}

// The law: places come back as they were written, and any other page is read or refused.
func FuzzCodes(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 9}, uint8(0), uint8(3))
	f.Add(bytes.Repeat([]byte{0, 7, 0, 0, 200}, 30), uint8(11), uint8(20))
	f.Add([]byte{}, uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, raw []byte, shift, run uint8) {
		var rows, codes []uint32 // each byte some times, so that there are runs
		for i, c := range raw {
			for range 1 + int(run)*(i%3) {
				if rows = append(rows, uint32(c)<<(shift%20)); c != 0 {
					codes = append(codes, uint32(c)<<(shift%20)-1)
				}
			}
		}
		if len(rows) > pageRows {
			return
		}
		b := appendLevels(nil, rows, len(codes))
		levels := len(b)
		b = appendCodes(b, slices.Clone(codes))
		var p Page
		read := func(b []byte, levels, rows, values int) error {
			b = append(slices.Clip(b), make([]byte, codesPadding)...)
			if err := p.readLevels(b[:levels], rows, values); err != nil {
				return err
			}
			return p.readCodes(b[levels:len(b)-codesPadding], values, 1<<30)
		}
		if err := read(b, levels, len(rows), len(codes)); err != nil {
			t.Fatal(err)
		}
		if got := p.Places(); !slices.Equal(got, rows) {
			t.Fatalf("%v come back as %v", rows, got)
		}
		for i, want := range rows {
			if got, ok := p.Row(i); ok != (want != 0) || ok && got != want-1 {
				t.Fatalf("row %d is %d, %v", i, got, ok)
			}
		}
		if len(raw) > 0 { // and the bytes of anybody
			n := int(raw[0])
			_ = read(raw, min(len(raw), n%5), n, n/2)
			_ = read(raw, min(len(raw), n%5), n, n)
		}
	})
}

// The law: an index leaves out no block that has a text, and any other piece is read or refused.
func FuzzGrams(f *testing.F) {
	f.Add("/catalog/item-1\n/Catalog/ITEM-2\n/admin\n\u212aelvin \u017f", "em-")
	f.Fuzz(func(t *testing.T, values, part string) {
		w := newGramWriter(100)
		all := strings.Split(values, "\n")
		for _, v := range all {
			w.add(v)
			w.next()
		}
		shards := w.shards()
		folded := string(foldedBytes(nil, part))
		for i, v := range all {
			if !strings.Contains(string(foldedBytes(nil, v)), folded) {
				continue
			}
			eachGram(folded, func(h uint16) {
				blocks, every, err := gramBlocks(shards[h>>8], h, len(all))
				if err != nil || !every && !slices.Contains(blocks, uint32(i)) {
					t.Fatalf("%q is not said to be in %q: %v, %v", folded, v, blocks, err)
				}
			})
		}
		_, _, _ = gramBlocks([]byte(values), 7, 9)
	})
}

// The law: any sheet is read or refused.
func FuzzSheet(f *testing.F) {
	s := &sheet{kind: kindText, lower: true, count: 3, values: 40, blocks: []block{{count: 3, stored: 9, plain: 20, fence: "a"}}, pages: []place{{offset: 90, levels: 2, size: 9, rows: 5, values: 4}}}
	f.Add(s.encode(), 5, int64(1000))
	f.Fuzz(func(t *testing.T, b []byte, rows int, size int64) {
		s, err := readSheet(b, rows, size)
		if err != nil {
			return
		}
		if _, err := readSheet(s.encode(), rows, size); err != nil {
			t.Fatal(err)
		}
	})
}

// The law: a value's list has the pages that it is on, or says that it may be on any, and any other bytes are read or refused.
func FuzzWhere(f *testing.F) {
	f.Add([]byte("abcaabbbbcccdefghij\x00xyz"), uint8(3))
	f.Add(bytes.Repeat([]byte{7, 9, 7}, 50), uint8(9))
	f.Fuzz(func(t *testing.T, raw []byte, rows uint8) {
		n := int(rows) + 1
		w := newWhereWriter(256)
		on := map[byte]map[int]bool{}
		pages := 0
		for some := range slices.Chunk(raw, n) {
			var codes []uint32
			for _, c := range some {
				codes = append(codes, uint32(c))
				if on[c] == nil {
					on[c] = map[int]bool{}
				}
				on[c][pages] = true
			}
			w.add(uint32(pages), codes)
			pages++
		}
		list := w.lists([]block{{first: 0, count: 256}})[0]
		for c := range 256 {
			got := map[int]bool{}
			any, err := whereOf(list, 256, pages, func(i int) bool { return i == c }, func(page int) { got[page] = true })
			if err != nil {
				t.Fatal(err)
			}
			if want := on[byte(c)]; any != (len(want)*whereOften > pages || len(want) == 0) || !any && !maps.Equal(got, want) {
				t.Fatalf("value %d is on %v, found on %v of %d, any %v", c, want, got, pages, any)
			}
		}
		_, _ = whereOf(raw, n, 9, func(int) bool { return true }, func(page int) {
			if page >= 9 {
				t.Fatal(page)
			}
		})
	})
}
