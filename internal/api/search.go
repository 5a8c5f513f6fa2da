package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/query"
)

// progressEvery is how often a search says how far it is.
const progressEvery = 200 * time.Millisecond

// longest is how long a search may take at most.
const longest = time.Hour

// query reads what is to be searched for.
func (a ask) query(x client.Search) (*query.Query, error) {
	zone, err := time.LoadLocation(x.Zone)
	if err != nil || x.Zone == "Local" {
		return nil, mistake{"zone", fmt.Sprintf("unknown time zone %.60q", x.Zone)}
	}
	return desk.ParseQuery(x.Query, zone)
}

// searchOperation is the search itself.
func searchOperation(t *table) {
	o := post("/search", "search", "Search the kept lines")
	o.need, o.web, o.about = auth.SearchLines, "GET /search, GET /search/run", "It answers in JSON lines, each with a kind: progress now and then, rows or bars, one summary; with follow, rows that come, for as long as the connection lasts. doc/search.md has the language."
	streams(t, o, "application/x-ndjson", func(a ask, in *body[client.Search], w http.ResponseWriter) error { return find(a, in.Body, w) })
}

// find answers a search. After its first byte, an error is a line of the answer.
func find(a ask, x client.Search, w http.ResponseWriter) error {
	q, err := a.query(x)
	if err != nil {
		return err
	}
	if why := desk.Followable(q); x.Follow && why != "" {
		return mistake{"follow", why}
	}
	a, stop := a.lasting(searches)
	defer stop()
	out := newTeller(a.ctx, w)
	defer out.end()
	limit := min(x.Timeout, longest)
	if limit <= 0 {
		limit = desk.SearchLimit
	}
	res, err := seek(a, limit, func(ctx context.Context) (desk.SearchResult, error) {
		return a.desk.Search(ctx, a.actor, q, out.progress)
	})
	if err != nil {
		return out.fail(err)
	}
	if err := out.result(q, res); err != nil || !x.Follow {
		return nil // who asked is gone, or has all
	}
	giveBack, ok := a.desk.Following().Try(a.actor.Name)
	if !ok {
		return out.fail(errManyFollow)
	}
	defer giveBack()
	err = a.desk.Follow(a.ctx, a.actor, q, res.Last, func(res query.Result) error { return out.rows(res, true) })
	if ended := context.Cause(a.ctx); errors.Is(ended, errEnded) {
		return out.fail(ended)
	}
	if err != nil && a.ctx.Err() == nil {
		return out.fail(err)
	}
	return nil
}

// A teller writes the answer to a search.
type teller struct {
	w     http.ResponseWriter
	to    *json.Encoder
	flush *http.ResponseController
	begun bool
	shown time.Time
	end   func() bool
}

// newTeller begins an answer. When ctx ends, writing does soon, too, however slowly it is read.
func newTeller(ctx context.Context, w http.ResponseWriter) *teller {
	t := &teller{w: w, to: json.NewEncoder(w), flush: http.NewResponseController(w), shown: time.Now()}
	t.to.SetEscapeHTML(false)
	t.end = context.AfterFunc(ctx, func() { _ = t.flush.SetWriteDeadline(time.Now().Add(time.Second)) }) // not all writers have one
	return t
}

func (t *teller) tell(f client.Found) error {
	if !t.begun {
		t.begun = true
		t.w.Header().Set("Content-Type", "application/x-ndjson")
	}
	return t.to.Encode(f)
}

// fail is an error in words: of the whole answer, or when that has begun its last line.
func (t *teller) fail(err error) error {
	if !t.begun {
		return err
	}
	_ = t.tell(client.Found{Kind: "error", Error: err.Error()}) // who asked may be gone
	return nil
}

// progress tells how far it is. Search calls it for one chunk at a time.
func (t *teller) progress(p desk.SearchProgress) {
	if now := time.Now(); now.Sub(t.shown) >= progressEvery {
		t.shown = now
		if t.tell(client.Found{Kind: "progress", Progress: &client.Progress{Done: p.Done, Seen: p.Scanned.Rows + p.Scanned.Tail}}) == nil {
			_ = t.flush.Flush()
		}
	}
}

// result tells what was found, and the summary.
func (t *teller) result(q *query.Query, r desk.SearchResult) error {
	if err := t.rows(r.Result, false); err != nil {
		return err
	}
	s := client.Summary{Query: q.String(), Matched: r.Matched, Without: r.Without, Scanned: client.Scanned(r.Scanned), Cut: r.Cut, Truncated: r.Truncated, About: r.About,
		Damaged: []client.Damaged{}, Took: float64(r.Took.Round(time.Microsecond)) / float64(time.Second)}
	for _, x := range r.Damaged {
		s.Damaged = append(s.Damaged, client.Damaged{Volume: x.Volume.Name, File: x.File, Why: x.Why})
	}
	if err := t.tell(client.Found{Kind: "summary", Summary: &s}); err != nil {
		return err
	}
	return t.flush.Flush()
}

// rows tells rows, or bars when there are any.
func (t *teller) rows(r query.Result, now bool) error {
	for _, b := range r.Bars {
		if err := t.tell(client.Found{Kind: "bar", Bar: &client.Bar{Start: b.Start, End: b.End, Count: b.Count}}); err != nil {
			return err
		}
	}
	for _, cells := range r.Rows {
		if len(r.Bars) > 0 {
			break
		}
		row := client.Row{Fields: make(client.Fields, len(cells))}
		for i, c := range cells {
			row.Fields[i] = client.Field{Name: r.Columns[i], Value: valueOf(c)}
		}
		if err := t.tell(client.Found{Kind: "row", Row: &row}); err != nil {
			return err
		}
	}
	if now {
		return t.flush.Flush()
	}
	return nil
}

// valueOf is a cell in JSON. A number is written as the line has it where that is a number in JSON, too.
func valueOf(c query.Cell) any {
	switch c.Kind {
	case query.CellMissing:
		return nil
	case query.CellNumber:
		if c.Text != "" && (c.Text[0] == '-' || c.Text[0] >= '0' && c.Text[0] <= '9') && json.Valid([]byte(c.Text)) {
			return json.Number(c.Text)
		}
		if text := strconv.FormatFloat(c.Number, 'g', -1, 64); json.Valid([]byte(text)) {
			return json.Number(text)
		}
	}
	return c.Text
}
