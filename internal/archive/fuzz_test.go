package archive

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// seal gives the blocks of b the checksums that they need, so that the fuzzer gets past them.
func seal(b []byte) []byte {
	b = slices.Clone(b)
	if len(b) < fileHeader {
		return b
	}
	s := salt(b[16:fileHeader])
	for at := fileHeader; at+blockHeader <= len(b); {
		h := b[at : at+blockHeader]
		copy(h, blockText)
		stored := int(h[22])<<8 | int(h[23])
		h[20], h[21] = 0, 0
		if at+blockHeader+stored > len(b) {
			break
		}
		sum := payloadSum(s, b[at+blockHeader:at+blockHeader+stored])
		h[28], h[29], h[30], h[31] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
		sum = headerSum(s, int64(at), h[:48])
		h[48], h[49], h[50], h[51] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
		at += blockHeader + stored
	}
	return b
}

// FuzzReadSegment reads any bytes as a segment. The law: what can be read is, written again, read as the same.
func FuzzReadSegment(f *testing.F) {
	l := disk.NewLossy()
	a, _, err := Open(l, "lines", small())
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range numbered(12) {
		add(f, a, b)
	}
	if err := a.Close(); err != nil {
		f.Fatal(err)
	}
	names, _, err := list(l, "lines")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		b, err := disk.ReadFile(l, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	z, err := newUnpacker()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, seal(b)} {
			l := disk.NewLossy()
			if err := disk.Replace(l, "0000000000000000001.log", b); err != nil {
				t.Fatal(err)
			}
			file, err := l.OpenFile("0000000000000000001.log", os.O_RDONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			s, err := newSegment("0000000000000000001.log", file)
			if err != nil {
				continue
			}
			end, err := scan(s, file, func(h header, _ int64, stored []byte) error {
				c, err := content(z, h, stored)
				if err != nil {
					return err
				}
				again(t, h, c)
				return nil
			})
			if _, damage := errors.AsType[*DamageError](err); err != nil && !damage || err == nil && end > int64(len(b)) {
				t.Fatalf("%d bytes: end %d, %v", len(b), end, err)
			}
		}
	})
}

// again writes what was read and reads it.
func again(t *testing.T, h header, c any) {
	switch c := c.(type) {
	case *state:
		d, err := decodeState(c.encode())
		if err != nil || !bytes.Equal(c.encode(), d.encode()) {
			t.Fatalf("a head written again: %v", err)
		}
	case Block:
		plain, err := encodeBatch(batchOf(c))
		if err != nil {
			t.Fatal(err)
		}
		d, err := decodeBatch(h, plain)
		if diff := cmp.Diff(c, d); err != nil || diff != "" {
			t.Fatalf("a batch written again: %v %s", err, diff)
		}
	}
}

func batchOf(b Block) record.Batch {
	return record.Batch{Agent: b.Agent, Boot: b.Boot, Number: b.Number, Received: b.Received, Lines: b.Lines, Positions: b.Positions, Start: b.Start}
}

// TestBatchLaw is write∘read = id for any batches, over restarts.
func TestBatchLaw(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", "\x00", "\xff"}), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 400), func(b []byte) string { return string(b) }))
	line := rapid.Custom(func(t *rapid.T) record.Line {
		return record.Line{Host: text.Draw(t, "host"), File: text.Draw(t, "file"), Offset: rapid.Int64().Draw(t, "offset"), Raw: text.Draw(t, "raw")}
	})
	position := rapid.Custom(func(t *rapid.T) record.Position {
		return record.Position{File: text.Draw(t, "file"), Print: text.Draw(t, "print"), PrintLen: rapid.Int64().Draw(t, "length"), Offset: rapid.Int64().Draw(t, "offset")}
	})
	batch := rapid.Custom(func(t *rapid.T) record.Batch {
		return record.Batch{
			Agent: text.Draw(t, "agent"), Boot: text.Draw(t, "boot"), Number: rapid.Uint64().Draw(t, "number"),
			Received: time.Unix(0, rapid.Int64Range(-9e18, 9e18).Draw(t, "received")).UTC(),
			Lines:    rapid.SliceOfN(line, 0, 8).Draw(t, "lines"), Positions: rapid.SliceOfN(position, 0, 3).Draw(t, "positions"), Start: rapid.Bool().Draw(t, "start"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		l := disk.NewLossy()
		o := Options{SegmentBytes: 500, Random: chance()}
		var want []Block
		next := int64(1)
		for range 2 {
			a, _, err := Open(l, "a/b", o)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range rapid.SliceOfN(batch, 0, 6).Draw(t, "batches") {
				last := a.Last()
				r, err := a.Append(b)
				if err != nil {
					t.Fatal(err)
				}
				if len(b.Lines) == 0 || a.Last() == last {
					continue
				}
				w := Block{First: next, Received: b.Received, Agent: b.Agent, Boot: b.Boot, Number: b.Number, Start: b.Start, Positions: b.Positions}
				for _, line := range b.Lines {
					line.Seq = next
					w.Lines = append(w.Lines, line)
					next++
				}
				want = append(want, w)
				if (r != record.Receipt{First: w.First, Last: next - 1}) {
					t.Fatalf("receipt %v", r)
				}
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := a.Read(1, 1<<30)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Fatalf("%v %s", err, diff)
			}
			l = l.Crash()
		}
	})
}
