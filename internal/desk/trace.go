package desk

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/trace"
)

const (
	// TraceLimit is how long a trace may take when nobody says otherwise: it then ends with what it knows.
	TraceLimit = 30 * time.Second
	// tracedAlerts is how many alerts of an incident a trace begins with, the first ones and the last ones.
	tracedAlerts = 200
)

// Trace reads for the cause of an incident: what led to it, as far as kept lines say so. It changes nothing. It ends when ctx does, or after
// TraceLimit, with what was known by then (Story.Cut). Errors: no such incident, an auth.Refusal, a disk that cannot be read.
func (d *Desk) Trace(ctx context.Context, actor auth.Actor, id int64) (trace.Story, error) {
	if err := d.MayOn(actor, auth.SearchLines, id); err != nil {
		return trace.Story{}, err
	}
	c, cut, err := d.caseOf(id)
	if err != nil {
		return trace.Story{}, err
	}
	if _, set := ctx.Deadline(); !set {
		short, stop := context.WithTimeout(ctx, TraceLimit)
		defer stop()
		ctx = short
	}
	story, err := trace.Trace(c, tracing(ctx, func(q *query.Query) (search.Result, error) { return d.Search(ctx, actor, q, nil) }))
	story.Cut = append(cut, story.Cut...)
	if err == nil {
		err = d.MayOn(actor, auth.SearchLines, id) // it may have been restricted meanwhile
	}
	if err != nil {
		return trace.Story{}, err
	}
	return story, nil
}

// caseOf is what an incident names. Alerts whose details were erased are left out, and it is said.
func (d *Desk) caseOf(id int64) (c trace.Case, cut []string, err error) {
	type known struct{ vault, level string }
	var list []known
	d.Read(func(s *State) {
		i, e := s.Incidents.Get(id)
		if err = e; err != nil {
			return
		}
		ids := i.Alerts
		if over := len(ids) - tracedAlerts; over > 0 {
			cut = append(cut, fmt.Sprintf("Of %d alerts %d are left out, between the first and the last ones.", len(ids), over))
			ids = append(slices.Clone(ids[:tracedAlerts/2]), ids[len(ids)-tracedAlerts/2:]...)
		}
		for _, id := range ids {
			if a := s.Incidents.Alerts[id]; a != nil {
				list = append(list, known{a.Vault, a.Level})
			}
		}
	})
	gone := 0
	for _, k := range list {
		a, err := d.Details(k.vault)
		if err != nil {
			gone++
			continue
		}
		c.Alerts = append(c.Alerts, tracedAlert(a))
		for _, s := range a.Sessions {
			if !slices.Contains(c.Sessions, s) {
				c.Sessions = append(c.Sessions, s)
			}
		}
	}
	if gone > 0 {
		cut = append(cut, fmt.Sprintf("The details of %s cannot be read, or were erased.", plural(gone, "alert", "alerts")))
	}
	slices.SortStableFunc(c.Alerts, func(a, b trace.Alert) int { return a.Raised.Compare(b.Raised) })
	c.Ours = func(address string) bool {
		a, err := netip.ParseAddr(address)
		in := func(p netip.Prefix) bool { return p.Contains(a.Unmap()) }
		return err == nil && (slices.ContainsFunc(d.o.Own, in) || slices.ContainsFunc(d.o.Shared, in))
	}
	return c, cut, err
}

// tracedAlert is an alert as a trace reads it.
func tracedAlert(a detect.Alert) trace.Alert {
	parties := func(list []detect.Party) (out []trace.Party) {
		for _, p := range list {
			out = append(out, trace.Party{Name: p.Name, Realm: p.Realm, Country: p.Country, Suspect: p.Role == detect.Suspect, Own: p.Own, Shared: p.Shared})
		}
		return out
	}
	return trace.Alert{Title: a.Title, Level: a.Level, First: a.First, Last: a.Last, Raised: a.Raised, Addresses: parties(a.Sources), Accounts: parties(a.Accounts), Logs: a.Logs}
}

// tracing lets a trace ask by searching.
func tracing(ctx context.Context, run func(*query.Query) (search.Result, error)) trace.Archive {
	return trace.Archive{
		Lines: func(a trace.Ask, most int, last bool) (trace.Answer, error) {
			q := TraceQuery(a, time.UTC)
			fields := tracedFields()
			q.Stages = []query.Stage{{Kind: query.Columns, By: fields}, {Kind: query.Head, N: most}}
			if last {
				q.Stages[1].Kind = query.Tail
			}
			res, err := run(q)
			out := trace.Answer{All: res.Matched, Cut: notWhole(ctx, res)}
			for n, row := range res.Rows {
				out.Rows = append(out.Rows, tracedRow(fields, row, res.Numbers[n]))
			}
			return out, err
		},
		Top: func(a trace.Ask, by trace.Field, n int) (list []trace.Counted, cut string, err error) {
			q := TraceQuery(a, time.UTC)
			q.Stages = []query.Stage{{Kind: query.Top, By: []query.Field{tracedField(by)}, N: n}}
			res, err := run(q)
			for _, row := range res.Rows {
				list = append(list, trace.Counted{Value: row[0].Text, N: int64(row[1].Number)})
			}
			return list, notWhole(ctx, res), err
		},
	}
}

// notWhole says in one sentence, however many questions it is about, why not all kept lines were asked.
func notWhole(ctx context.Context, res search.Result) string {
	switch {
	case ctx.Err() != nil:
		return "The time was up before all questions were answered; what they would have led to is not told."
	case res.Cut != "":
		return res.Cut
	case len(res.Damaged) > 0:
		return "A volume of lines is damaged and was not searched. Run: tocsin doctor"
	}
	return ""
}

// TraceQuery is the query that finds what an Ask does.
func TraceQuery(a trace.Ask, zone *time.Location) *query.Query {
	q := &query.Query{Since: a.Since, Until: a.Until, Zone: zone}
	var all []*query.Expr
	for _, t := range a.Terms {
		all = append(all, tracedTerm(t))
	}
	q.Where = query.All(all...)
	return q
}

func tracedTerm(t trace.Term) *query.Expr {
	f := tracedField(t.Field)
	literal := strings.NewReplacer(`\`, `\\`, `*`, `\*`)
	var any []*query.Expr
	for _, text := range t.Is {
		switch t.How {
		case trace.Begins:
			any = append(any, query.Like(f, literal.Replace(text)+"*"))
		case trace.Ends:
			any = append(any, query.Like(f, "*"+literal.Replace(text)))
		default:
			if n, err := strconv.Atoi(text); err == nil && t.Field == trace.Field(record.HTTPStatus) {
				any = append(any, query.IsNumber(f, text, float64(n))) // as people write it
			} else {
				any = append(any, query.Is(f, text))
			}
		}
	}
	if t.How == trace.Exists {
		return query.Has(f)
	}
	return query.Any(any...)
}

func tracedField(f trace.Field) query.Field {
	if f == trace.Log {
		return query.File
	}
	return query.KnownField(record.Field(f))
}

// tracedFields are the columns that a trace reads of a line.
func tracedFields() []query.Field {
	out := []query.Field{query.Time, query.Host, query.File}
	for _, f := range trace.Needed() {
		out = append(out, query.KnownField(f))
	}
	return out
}

// tracedRow makes a record of a row.
func tracedRow(fields []query.Field, row []query.Cell, number int64) *record.Record {
	r := &record.Record{Time: row[0].Time.UTC(), Line: record.Line{Seq: number, Host: row[1].Text, File: row[2].Text}}
	for i, c := range row[3:] {
		switch f := fields[i+3].Known; c.Kind {
		case query.CellMissing:
		case query.CellNumber:
			r.Set(f, record.Int(int64(c.Number), c.Text))
		default:
			r.Set(f, record.Text(c.Text))
		}
	}
	return r
}
