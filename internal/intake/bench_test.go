package intake

import (
	"strings"
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

// BenchmarkFiles reads the lines of each new format, over and over.
func BenchmarkFiles(b *testing.B) {
	byFormat := map[string][]string{}
	for _, c := range fileCases() {
		if c.file == "" {
			byFormat[c.format] = append(byFormat[c.format], strings.Split(c.lines, "\n")...)
		}
	}
	for _, format := range sortedKeys(byFormat) {
		b.Run(format, func(b *testing.B) { benchmark(b, byFormat[format]) })
	}
}
