package cacao

import (
	"fmt"
	"slices"
	"strings"
)

// An edge leads from one step of a file to another.
type edge struct {
	from, to     string
	fork, branch string // of a fork, the branch that this is
	join         bool   // what stands behind a block: it waits for the last steps of all its branches
	silent       bool   // it says only what comes before what, not when a step is needed
}

// A graph is the workflow as edges without a ring. Steps of kind end are not in it.
type graph struct {
	d     *document
	out   map[string][]edge
	in    map[string][]edge
	order []string // each step behind all that lead to it
}

// again is the step behind the body of a loop.
func again(id string) string { return id + "\x00" }

// newGraph walks the workflow from its start, and refuses rings.
func newGraph(d *document) *graph {
	g := &graph{d: d, out: map[string][]edge{}, in: map[string][]edge{}}
	w := &walker{graph: g, state: map[string]int{}}
	w.visit(str(d.root, "workflow_start"), nil)
	slices.Reverse(g.order)
	for _, id := range g.order {
		for _, e := range g.out[id] {
			g.in[e.to] = append(g.in[e.to], e)
		}
	}
	exception := str(d.root, "workflow_exception")
	for _, id := range keys(d.flow) {
		if kind := str(d.flow[id], "type"); w.state[id] == 0 && kind != "end" {
			if id == exception {
				d.warn("/workflow_exception", "what is done when anything fails is kept with the file, and is no step of ours: people see for themselves when a step fails")
				continue
			}
			d.warn(at(id), "no way leads to this step; it is kept with the file, and nobody is asked to do it")
		}
	}
	return g
}

type walker struct {
	*graph
	state map[string]int // 1 while it is walked through, 2 afterwards
	path  []string
}

// visit walks a step before those that it leads to, the last of them first, so that the order is that in which people read. loops are those in whose body it stands.
func (w *walker) visit(id string, loops []string) {
	w.state[id] = 1
	w.path = append(w.path, id)
	kind := str(w.d.flow[id], "type")
	edges := w.edges(id)
	for i := len(edges) - 1; i >= 0; i-- {
		e := &edges[i]
		inside := loops
		if kind == "while-condition" && !e.join && !e.silent && e.fork != "" {
			inside = append(slices.Clone(loops), id)
		}
		if w.state[e.to] == 1 {
			if slices.Contains(inside, e.to) { // back to the loop that it stands in, which is what its end means
				e.to = ""
				continue
			}
			w.ring(id, e.to)
			e.to = ""
			continue
		}
		if w.state[e.to] == 0 {
			w.visit(e.to, inside)
		}
	}
	w.out[id] = slices.DeleteFunc(edges, func(e edge) bool { return e.to == "" })
	w.path = w.path[:len(w.path)-1]
	w.state[id] = 2
	w.order = append(w.order, id)
}

func (w *walker) ring(id, to string) {
	var names []string
	for _, x := range append(slices.Clone(w.path[slices.Index(w.path, to):]), to) {
		names = append(names, w.d.call(strings.TrimSuffix(x, "\x00")))
	}
	if len(names) > 8 {
		names = append(append(names[:4:4], "..."), names[len(names)-3:]...)
	}
	w.d.say(at(strings.TrimSuffix(id, "\x00")), "the workflow goes around in a ring: %s. A run of a playbook ends; write a while-condition for what is repeated", strings.Join(names, ", then "))
}

// call is what a step is called.
func (d *document) call(id string) string {
	if name := str(d.flow[id], "name"); name != "" {
		return fmt.Sprintf("%q", short(name))
	}
	return short(id)
}

// edges are those of a step, in the order in which people read.
func (w *walker) edges(id string) (out []edge) {
	if loop, ok := strings.CutSuffix(id, "\x00"); ok {
		return w.add(nil, edge{from: id, to: w.behind(loop), silent: true})
	}
	s := w.d.flow[id]
	switch str(s, "type") {
	case "end":
		return nil
	case "parallel":
		for _, to := range texts(s, "next_steps") {
			out = w.add(out, edge{from: id, to: to})
		}
	case "if-condition":
		yes, no := branches(s)
		out = w.add(out, edge{from: id, to: yes, fork: id, branch: "yes"})
		out = w.add(out, edge{from: id, to: no, fork: id, branch: "no"})
	case "switch-condition":
		cases := obj(s, "cases")
		if onlyDefault(s) {
			out = w.add(out, edge{from: id, to: lead(cases, "default")})
			break
		}
		for _, k := range keys(cases) {
			if k != "default" {
				out = w.add(out, edge{from: id, to: lead(cases, k), fork: id, branch: k})
			}
		}
		out = w.add(out, edge{from: id, to: lead(cases, "default"), fork: id, branch: "default"})
	case "while-condition":
		yes, _ := branches(s)
		out = w.add(out, edge{from: id, to: yes, fork: id, branch: "yes"})
		out = append(out, edge{from: id, to: again(id), fork: id, branch: "yes", join: true})
		return w.add(out, edge{from: id, to: w.behind(id)})
	default:
		good, bad := lead(s, "on_success"), lead(s, "on_failure")
		if bad == "" || bad == good || str(w.d.flow[bad], "type") == "end" && str(w.d.flow[good], "type") == "end" {
			return w.add(out, edge{from: id, to: w.behind(id)})
		}
		out = w.add(out, edge{from: id, to: good, fork: id, branch: "yes"})
		return w.add(out, edge{from: id, to: bad, fork: id, branch: "no"})
	}
	if lead(s, "on_failure") != "" && !asAction(s) {
		w.d.warn(at(id, "on_failure"), "what follows when a whole block fails is kept with the file, and is no step of ours: people see for themselves when a step fails")
	}
	return w.add(out, edge{from: id, to: w.behind(id), join: true})
}

// onlyDefault reports whether a switch leads one way only, so that there is nothing to ask.
func onlyDefault(s map[string]any) bool {
	cases := obj(s, "cases")
	return len(cases) == 1 && cases["default"] != nil && str(s, "type") == "switch-condition"
}

// behind is the step that comes when one is over.
func (w *walker) behind(id string) string {
	s := w.d.flow[id]
	if to := lead(s, "on_completion"); to != "" || asAction(s) {
		return to
	}
	return lead(s, "on_success")
}

// add adds an edge that leads anywhere.
func (w *walker) add(out []edge, e edge) []edge {
	if e.to == "" || str(w.d.flow[e.to], "type") == "end" {
		return out
	}
	return append(out, e)
}

// reach is what is reached from some steps, without those that are shut.
func (g *graph) reach(from []string, shut map[string]bool) map[string]bool {
	found := map[string]bool{}
	for len(from) > 0 {
		id := from[0]
		from = from[1:]
		if id == "" || found[id] || shut[id] {
			continue
		}
		found[id] = true
		for _, e := range g.out[id] {
			from = append(from, e.to)
		}
	}
	return found
}

// last are the last steps of the branches of a block, in the order of the graph.
func (g *graph) last(block, behind string) (out []string) {
	var heads []string
	for _, e := range g.out[block] {
		if !e.join && e.to != behind {
			heads = append(heads, e.to)
		}
	}
	inside := g.reach(heads, g.reach([]string{behind}, nil))
	if strings.HasPrefix(behind, block+"\x00") { // what is behind the loop is not its body
		for id := range g.reach([]string{again(block)}, nil) {
			delete(inside, id)
		}
	}
	for _, id := range g.order {
		if inside[id] && !slices.ContainsFunc(g.out[id], func(e edge) bool { return inside[e.to] }) {
			out = append(out, id)
		}
	}
	return out
}
