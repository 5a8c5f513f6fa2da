package intake

import (
	"testing"

	"tocsin/internal/record"
)

func benchmark(b *testing.B, lines []string) {
	p := parser(b, Options{})
	size := 0
	for _, l := range lines {
		size += len(l)
	}
	b.SetBytes(int64(size / len(lines)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		p.Parse(record.Line{File: "f", Raw: lines[i]}, hint)
		if i++; i == len(lines) {
			i = 0
		}
	}
}

func BenchmarkCombined(b *testing.B) { benchmark(b, logLines(b, "range-a/logs/access.log")) }
func BenchmarkWebJSON(b *testing.B)  { benchmark(b, logLines(b, "range-a/same/access.json")) }
func BenchmarkAppJSON(b *testing.B)  { benchmark(b, logLines(b, "range-a/logs/app.jsonl")) }
func BenchmarkSyslog(b *testing.B)   { benchmark(b, logLines(b, "range-a/logs/auth.log")) }
func BenchmarkGeneral(b *testing.B)  { benchmark(b, logLines(b, "range-a/logs/mariadb-general.log")) }
