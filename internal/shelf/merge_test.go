package shelf

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tocsin/internal/record"
)

// oddRow is a record with fields that are numbers in some volumes, texts in others, both, or missing.
func oddRow(r *rand.Rand, seq int64, volume int) *record.Record {
	var x record.Record
	x.Reset(record.Line{File: "a.jsonl", Seq: seq, Raw: "x"})
	x.Class = record.Parsed
	if r.IntN(5) > 0 {
		x.Time = time.Unix(1_800_000_000+seq/7, int64(volume/2)*seq)
	}
	number := func(n int64) record.Value { return record.Int(n, fmt.Sprint(n)) }
	if volume != 1 {
		x.Set(record.HTTPStatus, number(int64(200+r.IntN(4)*100)))
	}
	x.Set(record.URLPath, record.Text(fmt.Sprintf("/p/%d", r.IntN(900))))
	mixed := []record.Value{number(r.Int64N(300) - 100), record.Text(fmt.Sprint(r.IntN(50))), record.Float(float64(r.IntN(9))/4, fmt.Sprint(r.IntN(3))), record.Bool(r.IntN(2) == 0), record.Text("")}
	x.Extra = append(x.Extra, record.Pair{Name: "mixed", Value: mixed[r.IntN(min(len(mixed), 1+2*volume))]})
	if r.IntN(volume+1) == 0 {
		x.Extra = append(x.Extra, record.Pair{Name: "some", Value: number(r.Int64() >> r.IntN(60))})
	}
	if volume == 2 {
		x.Extra = append(x.Extra, record.Pair{Name: "seconds", Value: record.Float(float64(r.IntN(2000))*1e6, fmt.Sprintf("0.%03d", r.IntN(2000)))})
	}
	return &x
}

// Given several volumes, when they are joined, then their columns are those that one volume of all lines would have.
func TestMergeIsOneTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	whole := NewTable()
	var chunks []*Chunk
	seq := int64(0)
	for volume, n := range []int{300, 1, pageRows + 17, 40, pageRows} {
		table := NewTable()
		for range n {
			seq += 1 + r.Int64N(3)
			x := oddRow(r, seq, volume)
			table.Add(x, 0)
			whole.Add(x, 0)
		}
		table.done()
		var b bytes.Buffer
		if err := writeColumns(&b, table, packer(t)); err != nil {
			t.Fatal(err)
		}
		sameTable(t, table, stored(t, b.Bytes(), true), inLineOrder(table))
		sameTable(t, table, stored(t, b.Bytes(), false), inLineOrder(table))
		chunks = append(chunks, stored(t, slices.Clone(b.Bytes()), true)...)
	}
	whole.done()
	var b bytes.Buffer
	if err := mergeColumns(&b, chunks, packer(t)); err != nil {
		t.Fatal(err)
	}
	for _, indexed := range []bool{true, false} {
		sameTable(t, whole, stored(t, b.Bytes(), indexed), inLineOrder(whole))
	}
}
