package desk

import (
	"context"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/trace"
)

// plainly lets a trace ask by searching as people do.
func plainly(d *Desk) trace.Archive {
	return tracing(context.Background(), func(q *query.Query) ([]search.Result, error) {
		res, err := d.Search(context.Background(), Local("test"), q, nil)
		return []search.Result{res}, err
	})
}

// Given lines that are not on the shelf yet, when an inquiry holds them on one in memory, then its answers are those of plain searches.
func TestInquiry(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	h.manyLines(d, 0, 6000)
	x := d.newInquiry(Local("test"))
	defer func() {
		if err := x.close(); err != nil {
			t.Error(err)
		}
	}()
	a := tracing(t.Context(), func(q *query.Query) ([]search.Result, error) { return x.run(t.Context(), q) })
	all := trace.Ask{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}
	for _, terms := range [][]trace.Term{
		nil,
		{{Field: trace.Field(record.SourceIP), Is: []string{"198.51.3.7"}}},
		{{Field: trace.Field(record.URLPath), How: trace.Begins, Is: []string{"/evil/1"}}},
		{{Field: trace.Field(record.HTTPStatus), Is: []string{"404", "500"}}, {Field: trace.Log, How: trace.Ends, Is: []string{"access.log"}}},
		{{Field: trace.Field(record.UserName), How: trace.Exists}},
	} {
		ask := all
		ask.Terms = terms
		for _, last := range []bool{false, true} {
			want, err := plainly(d).Lines(ask, 50, last)
			got, err2 := a.Lines(ask, 50, last)
			if err != nil || err2 != nil || want.All != got.All || len(want.Rows) != len(got.Rows) || got.Cut != "" {
				t.Fatalf("%+v: %d of %d, want %d of %d; %v, %v, %q", terms, len(got.Rows), got.All, len(want.Rows), want.All, err, err2, got.Cut)
			}
			for n, r := range got.Rows {
				if d := diff.Diff(want.Rows[n].Line, r.Line); d != "" || !ask.Match(r) || r.Text(record.URLPath) != want.Rows[n].Text(record.URLPath) {
					t.Errorf("%+v: row %d: %s", terms, n, d)
				}
			}
		}
		want, _, err := plainly(d).Top(ask, trace.Field(record.SourceIP), 20)
		got, _, err2 := a.Top(ask, trace.Field(record.SourceIP), 20)
		if d := diff.Diff(want, got); d != "" || err != nil || err2 != nil {
			t.Errorf("%+v: %v, %v\n%s", terms, err, err2, d)
		}
	}
	if x.late == nil {
		t.Error("nothing was held in memory")
	}
}

// Given an inquiry, when lines go to the shelf meanwhile, then each counts once, and those that come later do not.
func TestInquiryWhileLinesMove(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.o.LogBytes = 3000
	d, stop := h.start()
	defer stop()
	h.manyLines(d, 0, 9000)
	x := d.newInquiry(Local("test"))
	q := &query.Query{Stages: []query.Stage{{Kind: query.Count}}}
	moved := map[int64]bool{}
	h.until("the shelf", func() bool {
		var n int64
		results, err := x.run(t.Context(), q)
		if err != nil {
			if strings.Contains(err.Error(), "faster than they can be searched") {
				return false // on this machine, with this tiny log
			}
			t.Fatal(err)
		}
		for _, r := range results {
			n += r.Matched
		}
		if n != 9000 {
			t.Fatalf("%d lines of 9000 were found, %d of them on the shelf", n, x.through)
		}
		moved[x.through] = true
		return x.through > 7000
	})
	t.Logf("asked at %d places", len(moved))
	if err := x.close(); err != nil {
		t.Error(err)
	}
}
