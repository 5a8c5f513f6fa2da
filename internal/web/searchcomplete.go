package web

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/ui"
)

const (
	seenTook   = 120 * time.Millisecond // what looking for values may take
	seenAsked  = 200                    // of the most frequent values that have the letters somewhere
	seenShown  = 12
	completing = 2 // that look for values at once
)

// A suggestion is one way to go on with a query, for search.js.
type suggestion struct {
	Kind  string `json:"kind"`
	Text  string `json:"text"`  // to put in place of the runes [from, to)
	Shown string `json:"shown"` // the same, fit to be shown
	From  int    `json:"from"`
	To    int    `json:"to"`
	Says  string `json:"says"`
	Blank bool   `json:"blank"` // a blank follows
}

// suggestionKinds are the words of query.SuggestionKind.
var suggestionKinds = [...]string{"field", "relation", "word", "time", "stage", "value"}

// completeQuery answers how a query may go on.
func (s *Server) completeQuery(v *visit) error {
	text := v.r.URL.Query().Get("q")
	text = strings.ToValidUTF8(text[:min(len(text), query.MaxText)], "\ufffd")
	at, err := strconv.Atoi(v.r.URL.Query().Get("at"))
	if err != nil {
		at = len([]rune(text))
	}
	out, again := []suggestion{}, false
	for _, x := range query.Complete(text, at) {
		if x.Kind == query.SuggestValue {
			seen, cut := s.seenValues(v, x)
			out, again = append(out, seen...), again || cut && len(seen) == 0
			continue
		}
		ends := x.Kind == query.SuggestWord || x.Kind == query.SuggestTime || x.Kind == query.SuggestStage
		out = append(out, suggestion{Kind: suggestionKinds[x.Kind], Text: x.Text, Shown: strings.TrimSpace(x.Text), From: x.From, To: x.To, Says: x.Says,
			Blank: ends && !strings.HasSuffix(x.Text, " ") && !strings.HasSuffix(x.Text, "(")})
	}
	v.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(v.w).Encode(map[string]any{"suggestions": out, "again": again})
}

// seenValues looks for a moment which values there are, in the newest lines first. It is cut when the moment was too short, as on a busy machine.
func (s *Server) seenValues(v *visit, x query.Suggestion) (out []suggestion, cut bool) {
	select {
	case s.completing <- struct{}{}:
		defer func() { <-s.completing }()
	default:
		return nil, true
	}
	field := x.Field
	switch {
	case field.Place == query.PlaceRaw, field.Place == query.PlaceTime, field.Place == query.PlaceNumber:
		return nil, false
	case field.Place == query.PlaceKnown && isView(field.Known):
		return nil, false
	}
	q := &query.Query{Zone: v.zone, Stages: []query.Stage{{Kind: query.Top, By: []query.Field{field}, N: seenAsked}}}
	if x.Prefix != "" {
		q.Where = query.Holds(field, x.Prefix)
	}
	ctx, stop := context.WithTimeout(v.r.Context(), seenTook)
	defer stop()
	var res desk.Found
	res, err := s.desk.Search(ctx, v.actor, q, nil)
	if err != nil {
		return nil, ctx.Err() != nil // a search says why
	}
	prefix := query.Folded(x.Prefix)
	for _, row := range res.Rows {
		value := row[0].Text
		shown := ui.Visible(value)
		if len(out) == seenShown || len(row) < 2 {
			break
		}
		if !strings.HasPrefix(query.Folded(value), prefix) || len(value) > linksFitted || len(shown) > 1 || len(shown) == 1 && shown[0].Ctl {
			continue // what cannot be seen is not typed
		}
		made := x.Value(value)
		out = append(out, suggestion{Kind: "value", Text: made.Text, Shown: clipped(value), From: x.From, To: x.To, Says: countOf(row[1]) + " seen", Blank: true})
	}
	return out, res.Cut != ""
}

func isView(f record.Field) bool {
	_, is := f.Base()
	return is
}
