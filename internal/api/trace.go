package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/trace"
)

// traced answers how an incident came about.
func traced(d *desk.Desk, w http.ResponseWriter, r *http.Request) (any, error) {
	var x client.Tracing
	if err := read(w, r, maxBody, &x); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(x.Zone)
	if err != nil || x.Zone == "Local" {
		return nil, fmt.Errorf("unknown time zone %q", x.Zone)
	}
	actor, err := actorOf(d, x.Person)
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not the number of an incident", r.PathValue("id"))
	}
	limit := min(x.Timeout, longest)
	if limit <= 0 {
		limit = desk.TraceLimit
	}
	ctx, stop := context.WithTimeout(r.Context(), limit)
	defer stop()
	s, err := d.Trace(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	out := storyOf(s, zone)
	out.Incident = id
	d.ReadAs(actor, func(st *desk.State) {
		if i, err := st.Incidents.Get(id); err == nil {
			out.Title = i.Title
		}
	})
	return out, nil
}

// storyOf is a story as it is printed.
func storyOf(s trace.Story, zone *time.Location) client.Story {
	out := client.Story{Statements: []client.Statement{}, Nodes: []client.Node{}, Edges: []client.Edge{}, Cut: append([]string{}, s.Cut...), Asked: s.Asked}
	for _, x := range s.Statements {
		st := client.Statement{At: x.At, Until: x.Until, Kind: string(x.Kind), Step: string(x.Step), Text: x.Text, Why: x.Why, Bytes: x.Bytes, About: append([]int{}, x.Nodes...),
			Count: x.Proof.Count(), Query: desk.TraceQuery(x.Proof.Ask(), zone).String(), Lines: []client.LineRef{}}
		for _, l := range x.Proof.Lines() {
			st.Lines = append(st.Lines, client.LineRef{Number: l.Number, Host: l.Host, File: l.File, Time: l.Time})
		}
		out.Statements = append(out.Statements, st)
	}
	for _, n := range s.Nodes {
		out.Nodes = append(out.Nodes, client.Node{Kind: string(n.Kind), Name: n.Name, Note: n.Note, Suspect: n.Suspect})
	}
	for _, e := range s.Edges {
		out.Edges = append(out.Edges, client.Edge{From: e.From, To: e.To, Verb: e.Verb, Statement: e.Statement, Guess: e.Guess})
	}
	return out
}
