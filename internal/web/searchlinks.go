package web

import (
	"net/url"
	"slices"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/ui"
)

// searchFor is where a query is asked.
func searchFor(text string) string { return "/search?" + url.Values{"q": {text}}.Encode() }

// queryLink is where a query is asked that was made here; "" when it cannot be written so that it is read back as the same, such as a value that is no UTF-8.
func queryLink(q *query.Query) string {
	text := q.String()
	if len(text) > query.MaxText {
		return ""
	}
	back, err := query.Parse(text, time.Time{}, q.Zone)
	if err != nil || !back.Same(q) {
		return ""
	}
	return searchFor(text)
}

// folded is what a query looks for, with another stage that folds it; nil stages only list it.
func folded(q *query.Query, stages ...query.Stage) *query.Query {
	out := *q
	out.Stages = nil
	for _, s := range q.Stages {
		if s.Kind == query.Session {
			out.Stages = append(out.Stages, s)
		}
	}
	out.Stages = append(out.Stages, stages...)
	return &out
}

// narrowed is a query with one more condition; what folds it is left out, what shows lines stays.
func narrowed(q *query.Query, e *query.Expr) *query.Query {
	out := *q
	if _, folds := q.Folding(); folds {
		out = *folded(q)
	}
	out.Where = query.All(q.Where, e)
	return &out
}

func onlyLink(q *query.Query, f query.Field, value string) string {
	if len(value) > linksFitted {
		return ""
	}
	return queryLink(narrowed(q, query.Is(f, value)))
}

func notLink(q *query.Query, f query.Field, value string) string {
	if len(value) > linksFitted {
		return ""
	}
	return queryLink(narrowed(q, query.None(query.Is(f, value))))
}

// sessionLink leads to all that one visitor did, in the time that the query is about.
func sessionLink(q *query.Query, value string) string {
	return queryLink(&query.Query{Since: q.Since, Until: q.Until, Zone: q.Zone, Stages: []query.Stage{{Kind: query.Session, Text: value}}})
}

// rangeLink narrows a query to a time.
func rangeLink(q *query.Query, from, until time.Time) string {
	out := *q
	if _, folds := q.Folding(); folds {
		out = *folded(q)
	}
	out.Since, out.Until = from, until
	if q.Since.After(from) {
		out.Since = q.Since
	}
	if !q.Until.IsZero() && q.Until.Before(until) {
		out.Until = q.Until
	}
	return queryLink(&out)
}

// olderLink leads to the lines before those of a page. Lines of its last moment are shown again, as there may be more of them, unless that would lead nowhere.
func olderLink(q *query.Query, oldest time.Time) string {
	until := oldest.Add(1)
	if !q.Until.IsZero() && !until.Before(q.Until) {
		until = oldest
	}
	out := *q
	out.Until = until
	return queryLink(&out)
}

// foundField words a field of a line, with where its value leads.
func foundField(q *query.Query, f query.Field, c query.Cell) ui.FoundField {
	return fieldOf(q, f, c.Text)
}

// fieldOf does so for a value.
func fieldOf(q *query.Query, f query.Field, value string) ui.FoundField {
	out := ui.FoundField{Name: f.String(), Value: ui.Visible(clipped(value)), Only: onlyLink(q, f, value), Not: notLink(q, f, value)}
	if f.Place != query.PlaceKnown {
		return out
	}
	switch f.Known {
	case record.SourceIP, record.SessionID:
		out.Session = sessionLink(q, value)
	}
	switch f.Known {
	case record.SourceIP, record.SourceNetwork:
		out.Watch = watchLink(value)
	case record.UserName:
		out.Watch = watchLink("account:" + value)
	}
	return out
}

// lineLink leads to the page of a line, from a search.
func lineLink(number, asked string) string {
	to := "/search/line/" + number
	if asked != "" {
		to += "?" + url.Values{"q": {asked}}.Encode()
	}
	return to
}

// watchLink leads to the form of watch lists with a value filled in.
func watchLink(value string) string {
	return "/lists?" + url.Values{"values": {value}}.Encode() + "#watch"
}

const partiesSought = 20 // addresses or accounts that one query names

// linesOf is a fact that leads to the lines of some alerts, by their addresses, or else their accounts, and their time. None for who may not search, and of
// alerts that name nobody.
func (s *Server) linesOf(v *visit, list []alertDetails) []ui.Fact {
	if auth.May(v.actor, auth.SearchLines) != nil {
		return nil
	}
	q := &query.Query{Zone: v.zone}
	var addresses, accounts []*query.Expr
	add := func(to []*query.Expr, f record.Field, ps []detect.Party) []*query.Expr {
		for _, p := range ps {
			e := query.Is(query.KnownField(f), p.Name)
			if len(to) < partiesSought && p.Name != "" && !slices.ContainsFunc(to, e.Same) {
				to = append(to, e)
			}
		}
		return to
	}
	for _, d := range list {
		addresses = add(addresses, record.SourceIP, d.full.Sources)
		accounts = add(accounts, record.UserName, d.full.Accounts)
		if first := d.state.First; q.Since.IsZero() || first.Before(q.Since) {
			q.Since = first
		}
		if end := d.state.Last.Add(time.Second); end.After(q.Until) {
			q.Until = end
		}
	}
	who := addresses
	if len(who) == 0 {
		who = accounts
	}
	if q.Where = query.Any(who...); q.Where == nil {
		return nil
	}
	href := queryLink(q)
	if href == "" {
		return nil
	}
	return []ui.Fact{{Name: "Its lines", Value: "search for them", Href: href}}
}
