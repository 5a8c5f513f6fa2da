package intake

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

// fieldsOf is all that a record says.
func fieldsOf(r *record.Record) map[string]any {
	all := map[string]any{"class": r.Class.String(), "format": r.Format, "time": r.Time, "source": r.Source, "cut": r.Cut}
	for name, v := range r.Fields {
		all[name] = v
	}
	return all
}

// both reads lines with and without the quick way, and says how many the quick way took.
func both(t *testing.T, lines []string) (taken int) {
	t.Helper()
	fast, slow := parser(t, Options{}), parser(t, Options{})
	slow.quick = false
	var r record.Record
	for _, l := range lines {
		line := record.Line{File: "access.log", Raw: l}
		fast.ParseInto(&r, line, hint)
		if fast.quick && fast.streams[streamKey{"", "access.log"}].Format == combinedName {
			var q record.Record
			q.Reset(line)
			if fast.readQuick(fast.stream, &q, &line) {
				taken++
			}
		}
		if d := cmp.Diff(fieldsOf(slow.Parse(line, hint)), fieldsOf(&r)); d != "" {
			t.Fatalf("%q\n%s", l, d)
		}
	}
	if d := cmp.Diff(slow.Counts(), fast.Counts()); d != "" {
		t.Error(d)
	}
	return taken
}

func TestQuickSaysTheSame(t *testing.T) {
	for _, name := range []string{"range-a/logs/access.log", "logs/elastic/apache_access_10k.log"} {
		t.Run(name, func(t *testing.T) {
			lines := logLines(t, name)
			if n := both(t, lines); n < len(lines)*9/10 {
				t.Errorf("%d of %d lines are read the quick way", n, len(lines))
			}
		})
	}
}

const usual = `198.51.100.7 - - [10/Nov/2026:10:00:01 +0000] "GET /shop?q=a%20b+c HTTP/1.1" 200 512 "https://shop.example/" "Mozilla/5.0 (X11)"`

func FuzzQuick(f *testing.F) {
	for _, l := range []string{
		usual,
		`1.2.3.4 - anna [10/Nov/2026:10:00:01 +0200] "POST /wp-admin/x.PHP HTTP/2.0" 302 0 "-" "-"`,
		`01.2.3.4 - - [10/Nov/2026:10:00:01 +0000] "GET / HTTP/1.1" 200 5 "-" "a"`,
		`1.2.3.4 - - [31/Feb/2026:10:00:01 +0000] "GET / HTTP/1.1" 200 5 "-" "a"`,
		`1.2.3.4 - - [10/Nov/2026:10:00:01 +0000] "GET /a b?c HTTP/1.1" 200 5 "x" y" "a"`,
		`1.2.3.4 - - [10/Nov/2026:10:00:01 +0000] "GET /a HTTP/" 200 5 "x" "a"`,
		`1.2.3.4 - - [10/Nov/2026:10:00:01 +0000] "GET /\x22 HTTP/1.1" 200 5 "x" "a" "9.9.9.9"`,
		`1.2.3.4 - - [10/Nov/2026:10:00:01 +0000] "GET /a?b?c HTTP/1.1" 099 999999999999999999 "" ""`,
	} {
		f.Add(l)
	}
	f.Fuzz(func(t *testing.T, l string) {
		both(t, []string{usual, l, usual})
	})
}

func BenchmarkQuick(b *testing.B) {
	for _, name := range []string{"range-a/logs/access.log", "logs/elastic/apache_access_10k.log"} {
		b.Run(name, func(b *testing.B) {
			lines := logLines(b, name)
			p := parser(b, Options{})
			var r record.Record
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.ParseInto(&r, record.Line{File: "f", Raw: lines[i%len(lines)]}, hint)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
