package shelf

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// tableOf parses lines of an access log into a table.
func tableOf(t testing.TB, lines []string) (*Table, []Line) {
	t.Helper()
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	table := NewTable()
	var out []Line
	var r record.Record
	for i, l := range lines {
		x := record.Line{File: "/var/log/access.log", Offset: int64(i * 100), Seq: int64(i + 1), Raw: l}
		p.ParseInto(&r, x, time.Unix(1e9, 0))
		table.Add(&r, 0)
		out = append(out, Line{Line: x, Received: int64(i)})
	}
	table.done()
	return table, out
}

func accessLines(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf(`203.0.%d.%d - - [10/Nov/2026:10:%02d:%02d +0000] "GET /p/%d?q=%d HTTP/1.1" %d %d "-" "Mozilla/5.0 (%d)" rt=%d.%03d`,
			i%7, i%251, i/60%60, i%60, i%997, i, 200+i%3*100, i*17, i%5, i%2, i%1000))
	}
	return lines
}

// stored reads columns with their index, or, without, as any Parquet file.
func stored(t *testing.T, b []byte, indexed bool) []*Chunk {
	t.Helper()
	chunks, err := openColumns(bytes.NewReader(b), int64(len(b)), unpacker(t))
	if !indexed {
		chunks, err = openParquet(bytes.NewReader(b), int64(len(b)))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chunks {
		if c.Unindexed == indexed {
			t.Fatalf("indexed: %v, want %v", !c.Unindexed, indexed)
		}
	}
	return chunks
}

func packer(t testing.TB) *zstd.Encoder {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func unpacker(t testing.TB) *zstd.Decoder {
	t.Helper()
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// sameTable holds chunks against a table, whose rows they have in an order.
func sameTable(t *testing.T, table *Table, chunks []*Chunk, order []uint32) {
	t.Helper()
	at := 0
	for _, c := range chunks {
		seq, err := c.lines()
		if err != nil {
			t.Fatal(err)
		}
		n, err := c.Numbers(TimeColumn)
		if err != nil {
			t.Fatal(err)
		}
		times, err := n.All()
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range table.Columns {
			x, err := c.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			var got *Column
			if x != nil {
				if got, err = x.Column(); err != nil {
					t.Fatal(err)
				}
			}
			for i := range c.Rows {
				row := order[at+i]
				if seq[i] != table.Seq[row] || times[i] != table.Time[row] {
					t.Fatalf("row %d is line %d at %d instead of %d at %d", i, seq[i], times[i], table.Seq[row], table.Time[row])
				}
				a, has := valueAt(got, i)
				b, had := valueAt(want, int(row))
				if a != b || has != had {
					t.Fatalf("%s of line %d is %v, %v instead of %v, %v", name, seq[i], a, has, b, had)
				}
			}
		}
		at += c.Rows
	}
	if at != table.Len() {
		t.Errorf("%d rows instead of %d", at, table.Len())
	}
}

func inLineOrder(t *Table) (rows []uint32) {
	for i := range t.Len() {
		rows = append(rows, uint32(i))
	}
	return rows
}

func TestColumnsKeepATable(t *testing.T) {
	for _, n := range []int{1, 7, pageRows, 2*pageRows + 5} {
		table, _ := tableOf(t, accessLines(n))
		var b bytes.Buffer
		if err := writeColumns(&b, table, packer(t)); err != nil {
			t.Fatal(err)
		}
		sameTable(t, table, stored(t, b.Bytes(), true), inLineOrder(table))
		sameTable(t, table, stored(t, b.Bytes(), false), inLineOrder(table))
	}
}

// What an earlier program wrote is read as it was.
func TestOldColumnsAreRead(t *testing.T) {
	table, _ := tableOf(t, accessLines(20_000))
	var b bytes.Buffer
	if err := writeParquet(&b, table); err != nil {
		t.Fatal(err)
	}
	chunks := stored(t, b.Bytes(), false)
	sameTable(t, table, chunks, table.order())
	found := 0
	for _, c := range chunks {
		if may, err := c.May("source.ip", "9.9.9.9"); may || err != nil {
			t.Errorf("an address that is not there: %v, %v", may, err)
		}
		if may, err := c.May("source.ip", "203.0.1.1"); err != nil {
			t.Errorf("an address that is there: %v", err)
		} else if may {
			found++
		}
	}
	if found != 1 { // rows were sorted by address
		t.Errorf("%d chunks may have an address that one has", found)
	}
}

func valueAt(c *Column, row int) (v record.Value, ok bool) {
	if c == nil || c.Rows[row] == 0 {
		return v, false
	}
	return c.Value(int(c.Rows[row] - 1)), true
}

func BenchmarkWriteColumns(b *testing.B) {
	table, _ := tableOf(b, accessLines(200_000))
	z := packer(b)
	b.ResetTimer()
	for b.Loop() {
		if err := writeColumns(io.Discard, table, z); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(table.Len()*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func TestCanonical(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 10, 404, -17, 1<<63 - 1, -1 << 63} {
		text := strconv.FormatInt(n, 10)
		if !canonical(text, n) || canonical("0"+text, n) || canonical(text+"x", n) || canonical("+"+text, n) || canonical(text, n+1) || canonical("", n) {
			t.Errorf("%s", text)
		}
	}
}
