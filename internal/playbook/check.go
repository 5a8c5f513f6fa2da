package playbook

import (
	"fmt"
	"slices"
	"strings"
)

// link gives each step those that it waits for.
func (r *reader) link() {
	var ends []int
	for _, f := range r.p.Phases {
		ends = r.p.order(f.Nodes, ends)
	}
	for _, s := range r.p.Steps {
		if !s.Early {
			continue
		}
		s.Before = nil
		for _, id := range s.After {
			i := r.p.index(id)
			if i < 0 {
				r.findings = append(r.findings, r.p.finding(r.file, "after "+s.ID, "%s waits for the step %q, which does not exist: take it out of after, or write that step", s.ID, id))
				continue
			}
			s.Before = append(s.Before, i)
		}
	}
}

// order lets nodes wait for those before them, the first for what stands in before. It returns what the next one waits for.
func (p *Playbook) order(nodes []Node, before []int) []int {
	for _, n := range nodes {
		if n.Step != nil {
			n.Step.Before = before
			before = []int{p.index(n.Step.ID)}
			continue
		}
		var ends []int
		for _, b := range n.Together {
			for _, i := range p.order(b.Nodes, before) {
				if !slices.Contains(ends, i) {
					ends = append(ends, i)
				}
			}
		}
		before = ends
	}
	return before
}

func (p *Playbook) finding(file, about, format string, args ...any) Finding {
	at := p.place[about]
	return Finding{File: file, Line: at[0], Column: at[1], Says: fmt.Sprintf(format, args...)}
}

// check says what can never be done.
func (p *Playbook) check(file string) (out []Finding) {
	say := func(about, format string, args ...any) { out = append(out, p.finding(file, about, format, args...)) }
	warn := func(about, format string, args ...any) {
		f := p.finding(file, about, format, args...)
		f.Warning = true
		out = append(out, f)
	}
	if ring := p.cycle(); ring != nil {
		say("after "+ring[0], "steps wait for each other, so that none of them can begin: %s. Take one out of after", strings.Join(ring, " waits for "))
		return out
	}
	for _, f := range p.Facts {
		if !slices.ContainsFunc(p.Steps, func(s *Step) bool { return slices.Contains(s.Asks, f.ID) }) {
			warn("fact "+f.ID, "no step asks for the fact %s", f.ID)
		}
	}
	before := p.ancestors()
	for i, s := range p.Steps {
		for _, id := range s.Asks {
			if _, known := p.Fact(id); !known || id == Severity {
				say("asks "+s.ID, "%s asks for the fact %q, which does not stand under facts: write it there, or take it out of asks", s.ID, id)
			}
		}
		for _, why := range p.faults(s.If) {
			say("if "+s.ID, "if: %s", why)
		}
		for _, id := range s.If.Facts() {
			if f, known := p.Fact(id); known && len(f.Of) > 0 && id != Severity && !p.asked(id, before[i]) {
				say("if "+s.ID, "%s reads the fact %s, for which no step before it asks: put %s under asks of a step that comes before it", s.ID, id, id)
			}
		}
	}
	for _, why := range p.faults(p.Ends) {
		say("ends", "ends: %s", why)
	}
	for _, id := range p.Ends.Facts() {
		if id != Severity && !slices.ContainsFunc(p.Steps, func(s *Step) bool { return slices.Contains(s.Asks, id) }) {
			say("ends", "ends reads the fact %s, for which no step asks: put %s under asks of a step", id, id)
		}
	}
	if len(out) > 0 && slices.ContainsFunc(out, func(f Finding) bool { return !f.Warning }) {
		return out
	}
	out = append(out, p.impossible(file)...)
	for _, role := range Roles() {
		if !slices.ContainsFunc(p.Steps, func(s *Step) bool { return s.Role == role }) {
			warn("", "no step belongs to the role %s", role)
		}
	}
	return out
}

// Unbuilt says which actions the program cannot do: their steps are done by hand. built are those that it can.
func (p *Playbook) Unbuilt(file string, built []string) (out []Finding) {
	for _, s := range p.Steps {
		if s.Action != nil && !slices.Contains(built, s.Action.Do) {
			f := p.finding(file, "step "+s.ID, "the action %q of %s is not built: the step is done by hand", s.Action.Do, s.ID)
			f.Warning = true
			out = append(out, f)
		}
	}
	return out
}

// asked reports whether one of some steps asks for a fact.
func (p *Playbook) asked(fact string, steps map[int]bool) bool {
	for i := range steps {
		if slices.Contains(p.Steps[i].Asks, fact) {
			return true
		}
	}
	return false
}

// faults says what a condition compares that cannot be compared.
func (p *Playbook) faults(c Condition) (out []string) {
	for _, x := range c.comparisons() {
		f, known := p.Fact(x.fact)
		switch {
		case !known:
			out = append(out, fmt.Sprintf("the fact %q does not stand under facts: write it there, or take it out of the condition", x.fact))
			continue
		case len(f.Of) == 0:
			out = append(out, fmt.Sprintf("the fact %s is free text, which cannot be compared: give it answers with of", x.fact))
			continue
		case strings.ContainsAny(x.op, "<>") && x.fact != Severity:
			out = append(out, fmt.Sprintf("only severity has an order; compare %s with =, != or in", x.fact))
			continue
		}
		for _, v := range x.values {
			if !slices.Contains(f.Of, v) {
				out = append(out, fmt.Sprintf("%s is never %q; its answers are %s", x.fact, v, strings.Join(f.Of, ", ")))
			}
		}
	}
	return out
}

// cycle returns steps that wait for each other, the first of them again at the end; nil when there are none.
func (p *Playbook) cycle() []string {
	const under, done = 1, 2
	state := make([]int, len(p.Steps))
	var path []int
	var visit func(int) []string
	visit = func(i int) []string {
		state[i] = under
		path = append(path, i)
		for _, b := range p.Steps[i].Before {
			if state[b] == under {
				var ring []string
				for _, x := range path[slices.Index(path, b):] {
					ring = append(ring, p.Steps[x].ID)
				}
				return append(ring, p.Steps[b].ID)
			}
			if state[b] == 0 {
				if ring := visit(b); ring != nil {
					return ring
				}
			}
		}
		state[i], path = done, path[:len(path)-1]
		return nil
	}
	for i := range p.Steps {
		if state[i] == 0 {
			if ring := visit(i); ring != nil {
				return ring
			}
		}
	}
	return nil
}

// ancestors are, of each step, all that must be settled before it is ready. There is no cycle.
func (p *Playbook) ancestors() []map[int]bool {
	out := make([]map[int]bool, len(p.Steps))
	var of func(int) map[int]bool
	of = func(i int) map[int]bool {
		if out[i] == nil {
			all := map[int]bool{}
			for _, b := range p.Steps[i].Before {
				all[b] = true
				for a := range of(b) {
					all[a] = true
				}
			}
			out[i] = all
		}
		return out[i]
	}
	for i := range p.Steps {
		of(i)
	}
	return out
}
