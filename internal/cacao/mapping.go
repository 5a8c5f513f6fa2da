package cacao

import (
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/playbook"
)

const (
	maxSteps = 500       // of a playbook (package playbook)
	maxCost  = 3_000_000 // combinations of answers that are tried to see whether steps can be needed
)

// A mapping makes a playbook of a file. It is a function of the file alone: an export makes it again, to see what people changed since.
type mapping struct {
	d     *document
	plain bool // ask for each condition, in place of reading answers to the file's own variables
	graph *graph
	p     *playbook.Playbook
	names namer // of steps
	facts namer
	vars  map[string]*answers
	forks map[string]*choice
	asked map[string]string // of a fork that a person decides, its fact
	outs  map[string][]int  // of each step of the file, the steps of ours that what follows waits for
	of    map[string]string // of each step of ours that is an action, the id of its step in the file
	after []map[int]bool    // of each step of ours, all that come before it
}

// answers are a variable of the file as a fact.
type answers struct {
	fact   playbook.Fact
	values map[string]string // the answer that stands for a text
	used   bool
}

// A choice is a fork: how a branch is written as a condition, and the branches there are.
type choice struct {
	branches []string
	print    func(branch string) string
}

func newMapping(d *document, plain bool) *mapping {
	return &mapping{d: d, plain: plain, names: namer{}, facts: namer{"and": true, "or": true, "not": true, "in": true, "severity": true, "affected": true, "verdict": true},
		vars: map[string]*answers{}, forks: map[string]*choice{}, asked: map[string]string{}, outs: map[string][]int{}, of: map[string]string{}}
}

// playbook makes it. What cannot be taken over is said to the document.
func (m *mapping) playbook() *playbook.Playbook {
	m.graph = newGraph(m.d)
	if m.d.refused() {
		return nil
	}
	m.p = m.d.head()
	m.variables()
	guards := map[string]guard{str(m.d.root, "workflow_start"): {way{}}}
	for _, id := range m.graph.order {
		for _, e := range m.graph.in[id] {
			if !e.silent {
				if err := m.join(guards, e); err != nil {
					m.d.say(at(strings.TrimSuffix(id, "\x00")), "%v", err)
					return nil
				}
			}
		}
		if m.place(id, guards[id]); m.d.refused() {
			return nil
		}
		if len(m.p.Steps) > maxSteps {
			break
		}
	}
	if len(m.p.Steps) > maxSteps {
		m.d.say("/workflow", "the workflow becomes more than %d steps: nobody works through that; cut it into several playbooks", maxSteps)
		return nil
	}
	if m.cost() > maxCost {
		m.d.say("/workflow", "so many conditions stand within each other, with so many steps in them, that it cannot be checked which steps can be needed: cut the workflow into several playbooks")
		return nil
	}
	if len(m.p.Steps) == 0 {
		m.d.say("/workflow", "nothing is to be done in the workflow: it has no step of kind action or playbook-action that is reached from its start")
		return nil
	}
	phase := phaseOf(m.d.root)
	nodes := make([]playbook.Node, len(m.p.Steps))
	for i, s := range m.p.Steps {
		s.Phase = phase
		nodes[i] = playbook.Node{Step: s}
	}
	m.p.Phases = []playbook.Phase{{Name: phase, Nodes: nodes}}
	return m.p
}

// join adds what an edge says to the guard of the step that it leads to.
func (m *mapping) join(guards map[string]guard, e edge) (err error) {
	ways := []guard{guards[e.from]}
	if e.fork != "" {
		ways = nil
		for _, b := range m.meant(e) {
			ways = append(ways, guards[e.from].with(e.fork, b))
		}
	}
	for _, g := range ways {
		if guards[e.to], err = guards[e.to].or(g, func(f string) []string { return m.forks[f].branches }); err != nil {
			return err
		}
	}
	return nil
}

// meant are the branches of a fork that an edge is: of a switch, the answer that stands for its case, and for default all others.
func (m *mapping) meant(e edge) []string {
	s := m.d.flow[e.from]
	if str(s, "type") != "switch-condition" {
		return []string{e.branch}
	}
	a := m.switched(e.from)
	if e.branch != "default" {
		return []string{a.values[e.branch]}
	}
	cases := map[string]bool{}
	for k := range obj(s, "cases") {
		cases[a.values[k]] = k != "default"
	}
	return slices.DeleteFunc(slices.Clone(a.fact.Of), func(x string) bool { return cases[x] })
}

// switched are the answers of a switch: those of its variable, or of a fact of its own.
func (m *mapping) switched(id string) *answers {
	s := m.d.flow[id]
	if name, ok := variable(str(s, "switch")); ok && !m.plain && len(m.vars[name].fact.Of) > 0 {
		return m.vars[name]
	}
	key := "switch " + id
	if m.vars[key] == nil {
		values := slices.DeleteFunc(keys(obj(s, "cases")), func(k string) bool { return k == "default" })
		m.vars[key] = m.answersOf(m.d.titled(id, "case"), "Which case is it: "+strings.TrimRight(m.d.titled(id, str(s, "switch")), " ?")+"?", values)
	}
	return m.vars[key]
}

// place makes the step of ours that a step of the file becomes, if it becomes one.
func (m *mapping) place(id string, g guard) {
	var before []int
	for _, e := range m.graph.in[id] {
		from := []string{e.from}
		if e.join {
			if from = m.graph.last(e.from, id); len(from) == 0 {
				from = []string{e.from}
			}
		}
		for _, f := range from {
			before = append(before, m.outs[f]...)
		}
	}
	slices.Sort(before)
	before = slices.Compact(before)
	m.outs[id] = before
	if len(g) == 0 {
		m.d.warn(at(strings.TrimSuffix(id, "\x00")), "no answers lead to this step; it is kept with the file, and nobody is asked to do it")
		return
	}
	literal := func(fork, branch string) string { return m.forks[fork].print(branch) }
	emit := func(s *playbook.Step, name string) {
		if s.ID == "" {
			s.ID = m.names.name(name, fmt.Sprintf("step-%d", len(m.p.Steps)+1))
		}
		m.names[s.ID] = true
		var err error
		if s.If, err = playbook.ParseCondition(g.print(literal)); err != nil { // it would be needed always
			m.d.say(at(strings.TrimSuffix(id, "\x00")), "when this step is needed cannot be written as a condition: %v. Let branches end, and go on behind on_completion", err)
			return
		}
		m.emit(s, before)
		m.outs[id] = []int{len(m.p.Steps) - 1}
	}
	if loop, ok := strings.CutSuffix(id, "\x00"); ok {
		name := m.d.titled(loop, "the condition")
		emit(&playbook.Step{Role: "engineer", What: line("Repeat until it is no longer so: "+name, maxLine), Why: clean(m.d.asked(loop), maxWhy),
			How: "Do the steps above again, from " + line(fmt.Sprintf("%q", name), 60) + ", as long as it is so. Write down how often you did.", Done: "It is no longer so."}, "repeat "+name)
		return
	}
	s := m.d.flow[id]
	switch str(s, "type") {
	case "action", "playbook-action":
		step := m.d.step(s)
		step.Asks = m.returned(s)
		name := step.What
		if x := str(extended(s), "step"); idShape.MatchString(x) && !m.names[x] {
			step.ID = x
		} else if str(s, "name") == "" && str(s, "description") == "" {
			name = ""
		}
		if m.forked(id) {
			step.Asks = append(step.Asks, m.yesNo(id, str(extended(s), "outcome"), m.d.titled(id, "step")+" worked", "Did it work: "+strings.TrimRight(m.d.titled(id, "the step"), " ?")+"?"))
		}
		emit(step, name)
		m.of[step.ID] = id
		if cut(step.Why, maxWhy) {
			m.d.warn(at(id, "description"), "the text is too long for a step of ours: it is cut there, and whole in the file")
		}
		if cut(step.How, maxHow) {
			m.d.warn(at(id, "commands"), "the text is too long for a step of ours: it is cut there, and whole in the file")
		}
	case "if-condition", "while-condition", "switch-condition":
		if onlyDefault(s) {
			return
		}
		if asks := m.fork(id, before); len(asks) > 0 {
			fact, _ := m.p.Fact(asks[0])
			title := m.d.titled(id, strings.TrimPrefix(fact.Ask, "What is the answer to: "))
			why := clean(str(s, "description"), maxWhy)
			if why == "" {
				why = "What is done next depends on it."
			}
			emit(&playbook.Step{Role: "engineer", What: line("Find out: "+title, maxLine), Why: why, How: clean(m.d.asked(id), maxHow), Done: "The question is answered.", Asks: asks}, title)
		}
	}
}

// emit adds a step that waits for others. Where these are just the one written before it, that need not be said.
func (m *mapping) emit(s *playbook.Step, before []int) {
	n := len(m.p.Steps)
	all := map[int]bool{}
	before = slices.DeleteFunc(slices.Clone(before), func(b int) bool { // who waits for a step waits for what that waits for
		return slices.ContainsFunc(before, func(x int) bool { return m.after[x][b] })
	})
	for _, b := range before {
		all[b] = true
		for a := range m.after[b] {
			all[a] = true
		}
	}
	if n == 0 && len(before) > 0 || n > 0 && !slices.Equal(before, []int{n - 1}) {
		s.Early = true
		for _, b := range before {
			s.After = append(s.After, m.p.Steps[b].ID)
		}
	}
	m.p.Steps, m.after = append(m.p.Steps, s), append(m.after, all)
}

// forked reports whether it matters if a step worked.
func (m *mapping) forked(id string) bool {
	return slices.ContainsFunc(m.graph.out[id], func(e edge) bool { return e.fork == id })
}

// cost is how many combinations of answers it takes to see whether all steps can be needed, as package playbook does.
func (m *mapping) cost() (all int) {
	asking := map[string][]string{} // facts that bear on the asking for a fact
	for _, s := range m.p.Steps {
		for _, f := range s.Asks {
			asking[f] = append(asking[f], s.If.Facts()...)
		}
	}
	for _, s := range m.p.Steps {
		seen := map[string]bool{}
		cases := 1
		for todo := s.If.Facts(); len(todo) > 0 && cases <= 1<<16; todo = todo[1:] {
			if f, _ := m.p.Fact(todo[0]); !seen[todo[0]] {
				seen[todo[0]] = true
				cases *= len(f.Of) + 1
				todo = append(todo, asking[f.ID]...)
			}
		}
		if cases <= 1<<16 { // more are not tried
			all += cases
		}
	}
	return all
}
