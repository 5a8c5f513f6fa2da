package shelf

import (
	"bytes"
	"fmt"
	"testing"
	"time"

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
		lines = append(lines, fmt.Sprintf(`203.0.%d.%d - - [10/Nov/2026:10:%02d:%02d +0000] "GET /p/%d?q=%d HTTP/1.1" %d %d "-" "Mozilla/5.0 (%d)"`,
			i%7, i%251, i/60%60, i%60, i%997, i, 200+i%3*100, i*17, i%5))
	}
	return lines
}

func TestParquetKeepsATable(t *testing.T) {
	table, _ := tableOf(t, accessLines(300_000))
	var b bytes.Buffer
	if err := writeParquet(&b, table); err != nil {
		t.Fatal(err)
	}
	chunks, err := openParquet(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d chunks", b.Len(), len(chunks))
	order, at, found := table.order(), 0, 0
	for _, c := range chunks {
		seq, err := c.Numbers(LineColumn)
		if err != nil {
			t.Fatal(err)
		}
		times, err := c.Numbers(TimeColumn)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range table.Columns {
			got, err := c.Column(name)
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.Rows {
				row := order[at+i]
				if seq[i] != table.Seq[row] || times[i] != table.Time[row] {
					t.Fatalf("row %d is line %d at %d instead of %d at %d", i, seq[i], times[i], table.Seq[row], table.Time[row])
				}
				if a, b := text(got, i), text(want, int(row)); a != b {
					t.Fatalf("%s of line %d is %q instead of %q", name, seq[i], a, b)
				}
			}
		}
		if may, err := c.May("source.ip", "9.9.9.9"); may || err != nil {
			t.Errorf("an address that is not there: %v, %v", may, err)
		}
		if may, err := c.May("source.ip", "203.0.1.1"); err != nil {
			t.Errorf("an address that is there: %v", err)
		} else if may {
			found++
		}
		at += c.Rows
	}
	if found != 1 { // rows are sorted by address
		t.Errorf("%d chunks may have an address that one has", found)
	}
	if at != table.Len() {
		t.Errorf("%d rows instead of %d", at, table.Len())
	}
}

func text(c *Column, row int) string {
	if c == nil || c.Rows[row] == 0 {
		return "none"
	}
	return "=" + c.Values[c.Rows[row]-1]
}

func BenchmarkWriteParquet(b *testing.B) {
	table, _ := tableOf(b, accessLines(200_000))
	b.ResetTimer()
	for b.Loop() {
		if err := writeParquet(new(bytes.Buffer), table); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(table.Len()*b.N)/b.Elapsed().Seconds(), "rows/s")
}
