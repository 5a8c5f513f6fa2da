package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/trace"
)

// traced answers how an incident came about.
func traced(a ask, in *numberedWith[client.Tracing]) (out client.Story, err error) {
	zone, err := time.LoadLocation(in.Body.Zone)
	if err != nil || in.Body.Zone == "Local" {
		return out, mistake{"zone", fmt.Sprintf("unknown time zone %.60q", in.Body.Zone)}
	}
	limit := min(in.Body.Timeout, longest)
	if limit <= 0 {
		limit = desk.TraceLimit
	}
	a, stop := a.lasting(func(x auth.Actor) error { return a.desk.MayOn(x, auth.SearchLines, in.ID) })
	defer stop()
	s, err := seek(a, limit, func(ctx context.Context) (trace.Story, error) { return a.desk.Trace(ctx, a.actor, in.ID) })
	if ended := context.Cause(a.ctx); errors.Is(ended, errEnded) {
		return out, ended // and not what was known by then
	}
	if err != nil {
		return out, err
	}
	out = storyOf(s, zone)
	out.Incident = in.ID
	a.desk.ReadAs(a.actor, func(st *desk.State) {
		if i, err := st.Incidents.Get(in.ID); err == nil {
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
