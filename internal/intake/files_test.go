package intake

import (
	"strings"
	"testing"

	"tocsin/internal/record"
)

// A fileCase is lines of one file as a program wrote them, from a public source, and what must be read from the last.
type fileCase struct {
	origin string // where the lines are published, and their licence
	file   string
	lines  string // one a line; those before the last are the headers that it needs
	format string
	from   string // categories/product/service
	want   map[string]string
}

// read returns the record of the last line.
func (c *fileCase) read(t testing.TB, p *Parser) *record.Record {
	t.Helper()
	var r *record.Record
	for l := range strings.SplitSeq(c.lines, "\n") {
		r = p.Parse(record.Line{File: c.file, Raw: l}, hint)
	}
	return r
}

func fromOf(r *record.Record) string {
	return strings.Join(r.Source.Categories, ",") + "/" + r.Source.Product + "/" + r.Source.Service
}

func fileCases() []fileCase {
	all := edgeCases()
	all = append(all, cloudCases()...)
	all = append(all, otlpCases()...)
	return append(all, shopCases()...)
}

// Given real lines of files, when they are read by content, then the last has its format, its log source and these fields, and names no
// other client; and the file is known as a log of that format. Origins: elastic/beats filebeat/module (Apache-2.0),
// open-telemetry/opentelemetry-collector-contrib (Apache-2.0), CrowdSec's hub tests (MIT), AWS's guides (CC BY-SA 4.0), Adobe's documentation of
// Commerce (Apache-2.0), and issue threads on GitHub, where people show a program's output. Where only a format is published and no
// line, the origin says "format of", and the values are ours.
func TestFiles(t *testing.T) {
	for _, c := range fileCases() {
		r := c.read(t, parser(t, Options{}))
		got := values(r)
		if r.Class != record.Parsed || r.Format != c.format || fromOf(r) != c.from {
			t.Errorf("%s: %.80q is %s as %s from %s, want %s from %s", c.origin, c.lines, r.Class, r.Format, fromOf(r), c.format, c.from)
			continue
		}
		if !listed(r.Source) {
			t.Errorf("%s: Sources does not list %+v", c.origin, r.Source)
		}
		if _, wants := c.want["source.ip"]; !wants && got["source.ip"] != "" {
			t.Errorf("%s: %.80q names %s", c.origin, c.lines, got["source.ip"])
		}
		for name, want := range c.want {
			if name == "@timestamp" {
				if at := r.Time.Format("2006-01-02T15:04:05.999Z07:00"); at != want {
					t.Errorf("%s: %.80q: time %s, want %s", c.origin, c.lines, at, want)
				}
				continue
			}
			if got[name] != want {
				t.Errorf("%s: %.80q: %s is %q, want %q", c.origin, c.lines, name, got[name], want)
			}
		}
		if known, ok := parser(t, Options{}).Known(c.file, strings.Split(c.lines, "\n")); !ok || known != c.format {
			t.Errorf("%s: %.80q is known as %q", c.origin, c.lines, known)
		}
	}
}

// Given a line of each format behind a line of each other one in the same file, when it is read, then it is read as it is alone: no format
// takes what another wrote. Formats that hold a file for good, because their lines may be anything, are left out, and so are those that
// only a name tells.
func TestNoFormatTakesAnothers(t *testing.T) {
	type sample struct{ file, lines string }
	var all []sample
	for _, c := range quotedCases() {
		all = append(all, sample{"f.log", c.line})
	}
	for _, c := range fileCases() {
		if c.file == "" && c.format != "mysql-slow" {
			all = append(all, sample{"f.log", c.lines})
		}
	}
	read := func(p *Parser, lines string) (r *record.Record) {
		for l := range strings.SplitSeq(lines, "\n") {
			r = p.Parse(record.Line{File: "f.log", Raw: l}, hint).Clone()
		}
		return r
	}
	for _, second := range all {
		alone := read(parser(t, Options{}), second.lines)
		for _, first := range all {
			p := parser(t, Options{})
			switch f := read(p, first.lines).Format; {
			case f == "mysql-general", f == "postgres-csv", f == "mysql-slow":
				continue
			case f == "syslog" && second.lines[0] == '2': // a full stamp, a word and a text: syslog with an RFC 3339 stamp
				continue
			}
			if got := read(p, second.lines); got.Format != alone.Format || got.Class != alone.Class || fromOf(got) != fromOf(alone) {
				t.Errorf("behind %.70q\n%.90q\nis %s as %s from %s, alone %s as %s from %s", first.lines, second.lines, got.Class, got.Format, fromOf(got), alone.Class, alone.Format, fromOf(alone))
			}
		}
	}
}
