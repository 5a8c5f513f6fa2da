package intake

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
)

type streamKey struct{ host, file string }

// A stream is what a parser remembers of one file.
type stream struct {
	Count
	Open    bool   `json:"open,omitempty"`    // the last line was part of an entry that may go on
	Quoted  int    `json:"quoted,omitempty"`  // lines of the csvlog's entry whose quote is open
	Product string `json:"product,omitempty"` // "nginx" or "apache", when file name or lines told

	Fields []string `json:"fields,omitempty"` // names of the columns, as the last header line had them
	Slow   *slow    `json:"slow,omitempty"`   // the entry of the slow query log that is being read

	timed    bool // since Begin a line had a time,
	borrowed bool // and before that one took its time from a line before Begin (part.go)
}

// A Count says what came of the lines of one file.
type Count struct {
	Host         string    `json:"host,omitempty"`
	File         string    `json:"file"`
	Format       string    `json:"format,omitempty"` // that read the last line that was read; "" while none was
	Lines        int64     `json:"lines"`            // all, the empty ones too
	Parsed       int64     `json:"parsed"`
	Header       int64     `json:"header,omitempty"`
	Continuation int64     `json:"continuation,omitempty"`
	Unparsed     int64     `json:"unparsed,omitempty"`
	Panics       int64     `json:"panics,omitempty"`     // lines that broke a parser; they are among Unparsed
	PanicText    string    `json:"panic_text,omitempty"` // of the last one, and where it happened
	Last         time.Time `json:"last,omitzero"`        // time of the last line that had one
}

func (st *stream) count(r *record.Record) {
	st.Lines++
	switch r.Class {
	case record.Parsed:
		st.Parsed++
	case record.Header:
		st.Header++
	case record.Continuation:
		st.Continuation++
	case record.Unparsed:
		st.Unparsed++
	}
	if r.Class != record.Empty {
		st.Open = r.Class == record.Parsed || r.Class == record.Continuation
	}
	st.time(r)
}

func (p *Parser) streamOf(host, file string) *stream {
	key := streamKey{host, file}
	if p.stream != nil && p.key == key {
		return p.stream
	}
	st := p.streams[key]
	if st == nil {
		st = &stream{Count: Count{Host: host, File: file}, Product: productOf(file)}
		p.streams[key] = st
	}
	p.key, p.stream = key, st
	return st
}

// productOf takes the web server from a path like /var/log/nginx/access.log. Lines of both servers look alike.
func productOf(file string) string {
	switch {
	case strings.Contains(file, "nginx"):
		return "nginx"
	case strings.Contains(file, "apache"), strings.Contains(file, "httpd"):
		return "apache"
	}
	return ""
}

// Counts returns what came of each file's lines, by host and file.
func (p *Parser) Counts() []Count {
	out := make([]Count, 0, len(p.streams))
	for _, st := range p.sorted() {
		out = append(out, st.Count)
	}
	return out
}

func (p *Parser) sorted() []*stream {
	out := make([]*stream, 0, len(p.streams))
	for _, st := range p.streams {
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b *stream) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.File, b.File))
	})
	return out
}

// A snapshot is derived state: it may be thrown away, at the cost of counts and of the year and format of the next lines.
type snapshot struct {
	Version int       `json:"version"`
	Streams []*stream `json:"streams"`
}

// Snapshot returns the state per file, as JSON: some 200 bytes a file.
func (p *Parser) Snapshot() ([]byte, error) {
	return json.Marshal(snapshot{Version: 1, Streams: p.sorted()})
}

// Restore replaces the state by that of a snapshot. After an error the state is as before.
func (p *Parser) Restore(data []byte) error {
	var s snapshot
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return fmt.Errorf("reading the parser's snapshot: %w", err)
	}
	if s.Version != 1 {
		return fmt.Errorf("the parser's snapshot has version %d, this program reads version 1", s.Version)
	}
	streams := make(map[streamKey]*stream, len(s.Streams))
	for _, st := range s.Streams {
		if st == nil {
			return fmt.Errorf("the parser's snapshot has an empty stream")
		}
		streams[streamKey{st.Host, st.File}] = st
	}
	p.streams, p.stream = streams, nil
	return nil
}

// panicText is what a person needs to report the fault: the message and the place, not the hostile line.
func panicText(v any, stack []byte) string {
	text := fmt.Sprint(v)
	if len(text) > 200 {
		text = text[:200]
	}
	for l := range strings.Lines(string(stack)) {
		l = strings.TrimSpace(l)
		if i := strings.Index(l, "/intake/"); i >= 0 && !strings.Contains(l, "intake.go") && !strings.Contains(l, "stream.go") {
			place, _, _ := strings.Cut(l[i+1:], " ")
			return text + " at " + place
		}
	}
	return text
}
