package desk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
)

// A question is one of an investigator, as testdata/questions.txt has it.
type question struct {
	says, query string
	rows        []string // cells between bars
}

// questions reads them.
func questions(t *testing.T) (out []question) {
	t.Helper()
	b, err := os.ReadFile("testdata/questions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(b)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		rest = strings.TrimSpace(rest)
		switch {
		case word == fmt.Sprintf("%d.", len(out)+1):
			out = append(out, question{says: rest})
		case word == "query":
			out[len(out)-1].query = rest
		case word == "answer":
			out[len(out)-1].rows = append(out[len(out)-1].rows, rest)
		case word != "" && word != "#" && word != "by":
			t.Fatalf("a line that is no part of a question: %s", l)
		}
	}
	return out
}

// A ranged is a range whose lines are on a shelf, but for the last ones.
type ranged struct {
	*search.Searcher
	geo   *intake.Geo
	lines []shelf.Line
	truth []truth
}

// A truth is what truth.json says of one attack in one log.
type truth struct {
	ID        string    `json:"id"`
	Log       string    `json:"log"`
	First     time.Time `json:"first_line_time"`
	Last      time.Time `json:"last_line_time"`
	Addresses []string  `json:"source_addresses"`
	Account   any       `json:"account"`
	Lines     int       `json:"lines"`
}

// truths reads what is known of the range, and returns a time behind all of it.
func (x *ranged) truths(t *testing.T, dir string) (end time.Time) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err == nil {
		err = json.Unmarshal(b, &x.truth)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range x.truth {
		if h.Last.After(end) {
			end = h.Last
		}
	}
	return end.Add(2 * time.Hour)
}

// rangeOnShelf puts the range of a folder on a shelf.
func rangeOnShelf(t *testing.T, dir string) *ranged {
	t.Helper()
	x := &ranged{}
	f, err := os.Open(filepath.Join(dir, "geo.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if x.geo, err = intake.ReadGeo(f); err != nil {
		t.Fatal(err)
	}
	received := x.truths(t, dir)
	for _, name := range rangeFiles {
		b, err := os.ReadFile(filepath.Join(dir, "logs", name))
		if err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for in := bufio.NewScanner(bytes.NewReader(b)); in.Scan(); at += int64(len(in.Bytes())) + 1 {
			x.lines = append(x.lines, shelf.Line{Line: record.Line{File: name, Offset: at, Seq: int64(len(x.lines) + 1), Raw: in.Text()}, Received: received.UnixNano()})
		}
	}
	parser := func() *intake.Parser {
		p, err := intake.New(intake.Options{Geo: x.geo})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := parser()
	parse := func(l record.Line, at time.Time) iter.Seq[*record.Record] { return recordsOf(p, l, at) }
	s, _, err := shelf.Open(disk.NewLossy(), shelfDir, shelf.Options{Parser: shelf.Parser{Parse: parse, Save: p.Snapshot, Restore: p.Restore}})
	if err != nil {
		t.Fatal(err)
	}
	sealed := len(x.lines) - 50 // of xferlog, which needs no state of the parser
	if _, err := s.Seal(t.Context(), int64(sealed), func(yield func([]shelf.Line, error) bool) { yield(x.lines[:sealed], nil) }); err != nil {
		t.Fatal(err)
	}
	x.Searcher = search.New(search.Options{Shelf: s, Views: parser().Views, Network: intake.Network, Parts: intake.Parts, Tail: func(_ context.Context, behind int64, _ bool) iter.Seq2[iter.Seq[*record.Record], error] {
		return func(yield func(iter.Seq[*record.Record], error) bool) {
			p := parser()
			for _, l := range x.lines[behind:] {
				if !yield(recordsOf(p, l.Line, received), nil) {
					return
				}
			}
		}
	}})
	t.Cleanup(func() {
		x.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// ask runs a query once.
func (x *ranged) ask(t *testing.T, text string) query.Result {
	t.Helper()
	q, err := query.Parse(text, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), time.UTC)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	res, err := x.Run(t.Context(), q, nil)
	if err != nil || res.Cut != "" || res.Truncated != "" || len(res.Damaged) > 0 {
		t.Fatalf("%s: %v %s %s %v", text, err, res.Cut, res.Truncated, res.Damaged)
	}
	return res.Result
}

// Given the recorded range on the shelf, when an investigator asks twenty questions, then one query each has the answer that was worked out
// from the raw logs.
func TestTwentyQuestions(t *testing.T) {
	asked := questions(t)
	if len(asked) != 20 {
		t.Fatalf("%d questions", len(asked))
	}
	if _, err := os.Stat(rangeDir); err != nil {
		t.Skip("the recorded range is not here")
	}
	if testing.Short() || raced {
		t.Skip("long; make test runs it without the race detector")
	}
	x := rangeOnShelf(t, rangeDir)
	for n, q := range asked {
		var got []string
		for _, row := range x.ask(t, q.query).Rows {
			var cells []string
			for _, c := range row {
				if c.Kind == query.CellMissing {
					c.Text = "-"
				}
				cells = append(cells, c.Text)
			}
			got = append(got, strings.Join(cells, " | "))
		}
		if d := diff.Diff(q.rows, got); d != "" {
			t.Errorf("%d. %s\n%s\n(-from the raw logs +found)\n%s", n+1, q.says, q.query, d)
		}
	}
}
