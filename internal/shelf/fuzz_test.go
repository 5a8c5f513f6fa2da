package shelf

import (
	"bytes"
	"slices"
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
			lines, err := x.read(n)
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
		got, err := decodeLines(first, last, count, plain)
		if err != nil || len(got) == 0 {
			return
		}
		again, err := decodeLines(first, last, count, encodeLines(got))
		if err != nil || !slices.Equal(again, got) {
			t.Fatalf("%v comes back as %v, %v", got, again, err)
		}
	})
}
