package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/trace"
	"tocsin/ui"
)

const (
	pageTrace       = 15 * time.Second // what a trace may take on a page
	statementsShown = 60               // statements of a page
)

// headed returns what a page about an incident is headed with.
func (s *Server) headed(v *visit) (id int64, title string, severity ui.Severity, err error) {
	if id, err = number(v.r, "id"); err != nil {
		return 0, "", severity, err
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if err = e; err == nil {
			title, severity = i.Title, ui.Severity(i.Severity)
		}
	})
	return id, title, severity, err
}

// trace tells how an incident came about.
func (s *Server) trace(v *visit) error {
	id, title, severity, err := s.headed(v)
	if err != nil {
		return err
	}
	view := ui.TraceView{ID: fmt.Sprint(id), Incident: title, Severity: severity}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("How incident %d came about", id))
	view.Still = true // a page that follows changes would ask again each time
	ctx, stop := context.WithTimeout(v.r.Context(), pageTrace)
	defer stop()
	giveBack, ok := s.seeking.Take(ctx, v.actor.Name)
	if !ok {
		view.Wait = "Too many searches are under way. Wait a little, and load this page again."
		return ui.Trace.Show(v.w, http.StatusServiceUnavailable, view)
	}
	defer giveBack()
	story, err := s.desk.Trace(ctx, v.actor, id)
	if err != nil {
		return err
	}
	tell(v, &view, story)
	return ui.Trace.Show(v.w, http.StatusOK, view)
}

// tell words a story. Of a long one the guesses and the earliest facts are shown.
func tell(v *visit, view *ui.TraceView, story trace.Story) {
	var facts, guesses int64
	for _, st := range story.Statements {
		if st.Kind == trace.Guess {
			guesses++
		} else {
			facts++
		}
	}
	view.Says = fmt.Sprintf("%s and %s, from %s to the kept lines", ui.Plural(facts, "fact", "facts"), ui.Plural(guesses, "guess", "guesses"), ui.Plural(int64(story.Asked), "question", "questions"))
	for _, c := range story.Cut {
		view.Cut = append(view.Cut, ui.Visible(c))
	}
	shown := shownOf(story.Statements)
	if left := len(story.Statements) - len(shown); left > 0 {
		view.Cut = append(view.Cut, ui.Visible(fmt.Sprintf("%s on this page; to have all, run: tocsin trace %s", ui.Plural(int64(left), "fact is not", "facts are not"), view.ID)))
	}
	place := map[int]int{} // of a statement: its number on the page
	for n, k := range shown {
		place[k] = n + 1
		view.Told = append(view.Told, toldPart(v, n+1, story.Statements[k]))
	}
	if k := signOf(story); k >= 0 && place[k] > 0 {
		view.Sign = view.Told[place[k]-1]
	}
	var nodes []ui.GraphNode
	for _, n := range story.Nodes {
		nodes = append(nodes, ui.GraphNode{Kind: string(n.Kind), Name: n.Name, Note: n.Note, Suspect: n.Suspect})
	}
	var edges []ui.GraphEdge
	for _, e := range story.Edges {
		if place[e.Statement] > 0 {
			edges = append(edges, ui.GraphEdge{From: e.From, To: e.To, Verb: e.Verb, Told: place[e.Statement], Guess: e.Guess})
		}
	}
	view.Graph = ui.NewGraph(nodes, edges)
}

// shownOf chooses statements for a page, in their order: of too many, what says least goes first.
func shownOf(list []trace.Statement) (shown []int) {
	for _, without := range [][]trace.Step{nil, {trace.Asked, trace.Did}, {trace.Asked, trace.Did, trace.Last, trace.Looked}, {trace.Asked, trace.Did, trace.Last, trace.Looked, trace.First}} {
		shown = nil
		for k, st := range list {
			if !slices.Contains(without, st.Step) {
				shown = append(shown, k)
			}
		}
		if len(shown) <= statementsShown {
			return shown
		}
	}
	return shown[:statementsShown]
}

// signOf is the first thing that a suspect is seen to do; -1 when there is none.
func signOf(story trace.Story) int {
	return slices.IndexFunc(story.Statements, func(st trace.Statement) bool {
		return st.Step == trace.First && slices.ContainsFunc(st.Nodes, func(n int) bool { return story.Nodes[n].Suspect })
	})
}

// toldPart words a statement.
func toldPart(v *visit, n int, st trace.Statement) ui.Told {
	return ui.Told{N: fmt.Sprint(n), At: v.at(st.At), Guess: st.Kind == trace.Guess, Says: ui.Visible(st.Text), Why: ui.Visible(st.Why),
		Lines: ui.Plural(st.Proof.Count(), "line", "lines"), Where: ui.Visible(whereOf(st.Proof)), Href: queryLink(desk.TraceQuery(st.Proof.Ask(), v.zone))}
}

// whereOf says in which logs lines stand, and their numbers.
func whereOf(p trace.Proof) (says string) {
	lines := p.Lines()
	var names []string
	least, most := lines[0].Number, lines[0].Number
	for _, l := range lines {
		if name := joined(l.Host, l.File); !slices.Contains(names, name) {
			names = append(names, name)
		}
		least, most = min(least, l.Number), max(most, l.Number)
	}
	says = names[0]
	if len(names) > 1 {
		says += " and " + ui.Plural(int64(len(names)-1), "other log", "other logs")
	}
	switch {
	case p.Count() > int64(len(lines)):
		return fmt.Sprintf("%s, from number %s on", says, ui.Number(least))
	case least == most:
		return fmt.Sprintf("%s, number %s", says, ui.Number(least))
	}
	return fmt.Sprintf("%s, numbers %s to %s", says, ui.Number(least), ui.Number(most))
}
