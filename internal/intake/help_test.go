package intake

import (
	"bufio"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
)

// shared is where the project's test data lies; tests that need it are skipped without it.
const shared = "../../../shared/data"

// hint is the newest date of the test data's range.
var hint = time.Date(2026, 11, 14, 0, 0, 0, 0, time.UTC)

func parser(t testing.TB, o Options) *Parser {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// parse reads lines of one file and returns the record of the last.
func parse(t testing.TB, o Options, lines ...string) *record.Record {
	t.Helper()
	p := parser(t, o)
	var r *record.Record
	for i, l := range lines {
		r = p.Parse(record.Line{File: "test.log", Raw: l, Seq: int64(i + 1)}, hint)
	}
	return r
}

// shown is a record as text: class, format, source, time, and every field but the ones that follow from others.
func shown(r *record.Record) string {
	var b strings.Builder
	b.WriteString(r.Class.String() + " " + r.Format)
	if !r.Time.IsZero() {
		b.WriteString(" " + r.Time.Format(time.RFC3339Nano))
	}
	b.WriteString("\nfrom " + strings.Join(r.Source.Categories, ",") + "/" + r.Source.Product + "/" + r.Source.Service)
	for name, v := range r.Fields {
		switch name {
		case "source.network", "url.decoded", "url.decoded_twice", "url.path", "message":
			continue
		}
		b.WriteString("\n" + name + "=" + v.Text)
	}
	return b.String()
}

func values(r *record.Record) map[string]string {
	m := map[string]string{}
	for name, v := range r.Fields {
		if _, had := m[name]; !had {
			m[name] = v.Text
		}
	}
	return m
}

// logLines reads a file of the shared data, or skips the test.
func logLines(t testing.TB, path string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(shared, filepath.FromSlash(path)))
	if os.IsNotExist(err) {
		t.Skip("no shared test data here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	in := bufio.NewScanner(f)
	in.Buffer(nil, record.MaxLine)
	for in.Scan() {
		lines = append(lines, in.Text())
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func records(t testing.TB, path string) []*record.Record {
	t.Helper()
	p := parser(t, Options{})
	var out []*record.Record
	for _, l := range logLines(t, path) {
		out = append(out, p.Parse(record.Line{File: path, Raw: l}, hint))
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
