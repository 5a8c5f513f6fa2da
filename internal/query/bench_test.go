package query_test

import (
	"fmt"
	"testing"

	"tocsin/internal/query"
)

// BenchmarkParse reads and prints a query as an investigator writes it.
func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := query.Parse(`action=login outcome=failure ip not in (10.0.0.0/8, 192.168.0.0/16) -agent~uptime since 6h | distinct(user) by ip | sort distinct(user) desc`, now, berlin); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMatch holds a condition of each kind against a record, plainly: what an executor over columns has to beat.
func BenchmarkMatch(b *testing.B) {
	r := given()["a"]
	for _, text := range []string{"status>=500", "ip in 10.0.0.0/8", "user=root", "path=*.env", "url~select", "sqlmap", `/union\s+select/i`} {
		q := parse(b, text)
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				if q.Where.Match(r) {
					b.Fatal("it does not match")
				}
			}
		})
	}
}

// BenchmarkCounts folds grouped counts of ten thousand values.
func BenchmarkCounts(b *testing.B) {
	f := query.NewFold(parse(b, "| top ip"))
	values := make([]string, 10_000)
	for i := range values {
		values[i] = fmt.Sprintf("10.0.%d.%d", i/256, i%256)
	}
	i := 0
	for b.Loop() {
		f.AddCounts(values[i:i+1], now, 1)
		i = (i + 1) % len(values)
	}
}
