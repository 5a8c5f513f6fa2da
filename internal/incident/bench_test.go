package incident

import (
	"fmt"
	"testing"
	"time"

	"tocsin/internal/entry"
)

// many makes the entries of n incidents with ten alerts each.
func many(tb testing.TB, n int) []entry.Entry {
	tb.Helper()
	out := make([]entry.Entry, 0, 11*n)
	write := func(k entry.Kind, body any) {
		e, _, err := entry.Make(int64(len(out))+1, t0.Add(time.Duration(len(out))*time.Second), entry.Draft{Actor: "detect", Kind: k, Subject: "s", Body: body})
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, e)
	}
	for i := range n {
		id := int64(i) + 1
		write(entry.IncidentOpened, entry.Opened{ID: id, Title: "r", Severity: High, Why: []string{"level:high"}, Happened: t0})
		for k := range 10 {
			a := alert(fmt.Sprintf("a%d-%d", i, k), "r", "high", i, fmt.Sprintf("b%d", (i*10+k)%50_000), fmt.Sprintf("u%d", i%3000))
			a.Incident, a.By, a.Techniques = id, "address", []string{fmt.Sprintf("attack.t%d", i%40)}
			write(entry.AlertRaised, a)
		}
	}
	return out
}

// BenchmarkApply folds 10,000 incidents with 100,000 alerts, as a start does.
func BenchmarkApply(b *testing.B) {
	all := many(b, 10_000)
	for b.Loop() {
		var book Book
		for _, e := range all {
			if _, err := book.Apply(e); err != nil {
				b.Fatal(err)
			}
		}
	}
}
