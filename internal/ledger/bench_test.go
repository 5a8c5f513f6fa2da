package ledger

import (
	"testing"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

func BenchmarkOpen100k(b *testing.B) {
	l := disk.NewLossy()
	k := testKey(b)
	g := mustOpen(b, l, k)
	drafts := make([]entry.Draft, 1000)
	for i := range 100 {
		for j := range drafts {
			drafts[j] = draft(int64(i*1000 + j))
		}
		if _, err := g.Append(at(i), drafts...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(g.now.Load().bytes)/100_000, "B/entry")
	for b.Loop() {
		n := 0
		g, _, err := Open(l, "ledger", k, func(entry.Entry) error { n++; return nil }, Options{})
		if err != nil || n != 100_000 {
			b.Fatal(n, err)
		}
		g.Close()
	}
}

func BenchmarkAppend(b *testing.B) {
	f, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	g := mustOpen(b, f, testKey(b))
	i := int64(0)
	for b.Loop() {
		if _, err := g.Append(at(0), draft(i)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
