package cacao

import (
	"slices"
	"strings"

	"tocsin/internal/playbook"
)

// A builder writes a playbook over a file, or makes a file of it.
type builder struct {
	p *playbook.Playbook
	stamp
	d      *document // the file; with nothing in it, one is made
	m      *mapping
	naming naming
	flow   map[string]any    // the new workflow
	step   map[string]string // the id in the file of each step of ours that is in it
}

// whole is the file. signed says that signatures stay.
func (b *builder) whole(signed bool) map[string]any {
	root := b.d.root
	fresh := len(root) == 0
	shape := false
	b.step = map[string]string{}
	b.naming = naming{variableOf, func(_, answer string) string { return answer }}
	if !fresh {
		findings := b.d.findings
		m, p := b.d.mapped()
		b.d.findings = findings
		b.m = m
		shape = p != nil && sameShape(p, b.p)
		b.known()
	}
	root["type"], root["spec_version"] = "playbook", "cacao-2.0"
	if old := b.d.head(); fresh || old.Title != b.p.Title {
		root["name"] = b.p.Title
	}
	if old := b.d.head(); fresh || old.Summary != b.p.Summary {
		root["description"] = b.p.Summary
	}
	if severity(root) != b.p.Severity {
		delete(root, "severity")
		if i := slices.Index(playbook.Severities(), b.p.Severity); i >= 0 {
			root["severity"] = float64(25*i + 20)
		}
	}
	root["id"], root["created_by"], root["created"], root["modified"] = b.id, b.by, b.created, b.modified
	if b.from != "" {
		if from := texts(root, "derived_from"); !slices.Contains(from, b.from) {
			root["derived_from"] = values(append(from, b.from))
		}
	}
	if !signed {
		delete(root, "signatures")
	}
	if shape {
		for _, s := range b.p.Steps {
			if id := b.step[s.ID]; id != "" {
				b.d.write(b.d.flow[id], s, false)
				if x := extended(b.d.flow[id]); x != nil && b.m.asked[id] != "" { // its name comes of that of the step, which may be another one now
					x["outcome"] = b.m.asked[id]
				}
			}
		}
	} else {
		b.rebuild()
	}
	under(under(root, "playbook_extensions"), extension)["playbook"] = string(b.p.Own())
	under(root, "extension_definitions")[extension] = map[string]any{
		"type": "extension-definition", "name": "Tocsin playbook", "version": "1.0.0", "created_by": "identity--5a1c0d2e-7f64-4b8a-9c37-e0d9b1f84a27",
		"description": "What a playbook of Tocsin says that CACAO has no place for: of the playbook its whole text, of a step its name, whose it is, by what one sees that it is done, who agrees first, and what is attached.",
		"schema":      "playbook: the text of a playbook of Tocsin, YAML. Of a step: step, role, how, done, approve: texts; always: true; evidence: texts; action: {do: text, with: {name: text}}.",
	}
	return root
}

// known finds the steps of ours in the file, and the variables of its facts.
func (b *builder) known() {
	for id, x := range b.m.of {
		b.step[id] = x
	}
	for _, id := range keys(b.d.flow) {
		if x := str(extended(b.d.flow[id]), "step"); x != "" {
			b.step[x] = id
		}
	}
	vars, texts, taken := map[string]string{}, map[string]string{}, map[string]bool{}
	x := obj(obj(b.d.root, "playbook_extensions"), extension)
	for _, fact := range keys(obj(x, "variables")) { // as an export before this one named them
		if name, ok := variable(str(obj(x, "variables"), fact)); ok {
			vars[fact], taken[name] = name, true
			for answer := range obj(obj(x, "answers"), fact) {
				texts[fact+"\n"+answer] = str(obj(obj(x, "answers"), fact), answer)
			}
		}
	}
	for _, name := range keys(b.m.vars) {
		if a := b.m.vars[name]; strings.HasPrefix(name, "__") && !taken[name] && vars[a.fact.ID] == "" {
			taken[name] = true
			vars[a.fact.ID] = name
			for _, text := range keys(a.values) {
				texts[a.fact.ID+"\n"+a.values[text]] = text
			}
		}
	}
	b.naming.variable = func(fact string) string {
		if vars[fact] == "" {
			name := variableOf(fact)
			for taken[name] { // of something else
				name = "__tocsin_" + strings.Trim(name, "_") + "__"
			}
			vars[fact], taken[name] = name, true
		}
		return vars[fact]
	}
	b.naming.text = func(fact, answer string) string {
		if t, ok := texts[fact+"\n"+answer]; ok {
			return t
		}
		return answer
	}
}

// rebuild writes the workflow anew. Steps that the file has keep all that they say but what follows them; what no way led to stays.
func (b *builder) rebuild() {
	root := b.d.root
	b.flow = map[string]any{}
	reached := map[string]bool{}
	if b.m != nil && b.m.graph != nil {
		reached = b.m.graph.reach([]string{str(root, "workflow_start")}, nil)
		for id := range reached {
			s := b.d.flow[strings.TrimSuffix(id, "\x00")]
			for _, to := range leads(s) {
				if str(b.d.flow[to], "type") == "end" {
					reached[to] = true
				}
			}
		}
	}
	for _, id := range keys(b.d.flow) {
		if !reached[id] {
			b.keep(id)
		}
	}
	if x := str(root, "workflow_exception"); b.d.flow[x] != nil {
		b.keep(x)
	}
	var nodes []playbook.Node
	for _, f := range b.p.Phases {
		nodes = append(nodes, f.Nodes...)
	}
	start := "start--" + uuid(b.id, "start")
	b.flow[start] = map[string]any{"type": "start", "on_completion": b.chain(nodes, b.end("whole"))}
	root["workflow"], root["workflow_start"] = b.flow, start
	for _, s := range b.p.Steps {
		if s.Early {
			b.d.warn(at(b.step[s.ID], "on_completion"), "%s does not wait for the step before it; CACAO has no words for that, so other programs do it in the order in which it is written", s.ID)
		}
	}
	b.variables()
}

// keep takes a step over with all that it leads to, as it is.
func (b *builder) keep(id string) {
	if _, there := b.flow[id]; there || b.d.flow[id] == nil {
		return
	}
	s := b.d.flow[id]
	b.flow[id] = s
	for _, to := range leads(s) {
		b.keep(to)
	}
}

// end makes the end of a branch: each has its own.
func (b *builder) end(of string) string {
	id := "end--" + uuid(b.id, "end", of)
	b.flow[id] = map[string]any{"type": "end"}
	return id
}

// A unit is nodes one behind the other that are needed under the same condition.
type unit struct {
	nodes []playbook.Node
	test  string
}

// chain writes nodes one behind the other, and what follows them; it returns the first.
func (b *builder) chain(nodes []playbook.Node, next string) string {
	units := b.units(nodes)
	for i := len(units) - 1; i >= 0; i-- {
		u := units[i]
		key := first(u.nodes)
		if u.test == "" {
			next = b.node(u.nodes[0], next)
			continue
		}
		inner := b.end("if " + key)
		for j := len(u.nodes) - 1; j >= 0; j-- {
			inner = b.node(u.nodes[j], inner)
		}
		id := "if-condition--" + uuid(b.id, "if", key)
		b.flow[id] = map[string]any{"type": "if-condition", "name": line("Only if "+u.says(b.p), 200), "condition": u.test, "on_true": inner, "on_completion": next}
		next = id
	}
	return next
}

// says is the condition of a unit as people read it.
func (u unit) says(p *playbook.Playbook) string {
	s := u.nodes[0].Step
	switch {
	case s.If.Always():
		return "not (" + p.Ends.String() + ")"
	case s.Always || p.Ends.Always():
		return s.If.String()
	}
	return "(" + s.If.String() + ") and not (" + p.Ends.String() + ")"
}

// units joins steps under the same condition, up to one that asks what the condition reads.
func (b *builder) units(nodes []playbook.Node) (out []unit) {
	open := false
	for _, n := range nodes {
		test := ""
		if n.Step != nil {
			test = b.test(n.Step)
		}
		if open && test != "" && out[len(out)-1].test == test {
			out[len(out)-1].nodes = append(out[len(out)-1].nodes, n)
		} else {
			out = append(out, unit{[]playbook.Node{n}, test})
		}
		open = test != "" && !slices.ContainsFunc(append(n.Step.If.Facts(), b.p.Ends.Facts()...), func(f string) bool {
			return slices.Contains(n.Step.Asks, f) || f == playbook.Severity
		})
	}
	return out
}

// test is when a step is needed, in the words of CACAO: its condition, and that the run has not ended.
func (b *builder) test(s *playbook.Step) string {
	var parts []string
	if !s.If.Always() {
		parts = append(parts, b.naming.pattern(s.If, false))
	}
	if !s.Always && !b.p.Ends.Always() {
		parts = append(parts, b.naming.pattern(b.p.Ends, true))
	}
	return strings.Join(parts, " AND ")
}

// first is the name of the first step of nodes.
func first(nodes []playbook.Node) string {
	for len(nodes) > 0 {
		if nodes[0].Step != nil {
			return nodes[0].Step.ID
		}
		nodes = nodes[0].Together[0].Nodes
	}
	return ""
}

// node writes a step, or branches, with what follows.
func (b *builder) node(n playbook.Node, next string) string {
	if n.Step == nil {
		var heads, names []string
		deep := 0
		for in := n; in.Step == nil; in = in.Together[0].Nodes[0] {
			deep++
		}
		key := strings.Repeat("/", deep) + first(n.Together[0].Nodes)
		for i, br := range n.Together {
			heads = append(heads, b.chain(br.Nodes, b.end("branch "+key+" "+strings.Repeat("i", i))))
			names = append(names, br.Name)
		}
		id := "parallel--" + uuid(b.id, "together", key)
		b.flow[id] = map[string]any{"type": "parallel", "name": line(strings.Join(names, "; "), 200), "next_steps": values(heads), "on_completion": next}
		return id
	}
	s := n.Step
	id := b.step[s.ID]
	body := b.d.flow[id]
	if kind := str(body, "type"); kind != "action" && kind != "playbook-action" {
		id = "action--" + uuid(b.id, "step", s.ID)
		body = map[string]any{"type": "action", "name": s.What, "description": s.Why, "commands": []any{manual(s.How)}, "agent": b.agent(s.Role)}
		b.step[s.ID] = id
	}
	b.d.write(body, s, true)
	x := under(under(body, "step_extensions"), extension)
	x["role"], x["done"] = s.Role, s.Done
	delete(x, "outcome")
	delete(body, "on_success")
	delete(body, "on_failure")
	body["on_completion"] = next
	out := texts(body, "out_args")
	for _, f := range s.Asks {
		if v := b.naming.variable(f); !slices.Contains(out, v) && !slices.Contains(out, v+":value") {
			out = append(out, v)
		}
	}
	if len(out) > 0 {
		body["out_args"] = values(out)
	}
	b.flow[id] = body
	return id
}

// agent is the role of ours as a group of the file.
func (b *builder) agent(role string) string {
	id := "group--" + uuid("role", role)
	names := map[string]string{"commander": "Incident Commander", "engineer": "Platform Engineer", "analyst": "Security Analyst", "legal": "Legal Advisor", "communications": "Communications Officer"}
	under(b.d.root, "agent_definitions")[id] = map[string]any{"type": "group", "name": names[role], "description": "A role of the response team"}
	return id
}

// variables writes the facts that the playbook asks and reads.
func (b *builder) variables() {
	var need []string
	add := func(facts []string) {
		for _, f := range facts {
			if !slices.Contains(need, f) {
				need = append(need, f)
			}
		}
	}
	add(b.p.Ends.Facts())
	for _, s := range b.p.Steps {
		add(s.Asks)
		add(s.If.Facts())
	}
	names, answers := map[string]any{}, map[string]any{}
	for _, id := range need {
		f, _ := b.p.Fact(id)
		name := b.naming.variable(id)
		names[id] = name
		for _, a := range f.Of {
			if t := b.naming.text(id, a); t != a {
				under(answers, id)[a] = t
			}
		}
		vars := under(b.d.root, "playbook_variables")
		if vars[name] != nil || b.local(name) {
			continue
		}
		vars[name] = map[string]any{"type": "string", "description": described(f), "constant": false}
	}
	if b.m != nil { // of a file of others, whose names are not ours
		x := under(under(b.d.root, "playbook_extensions"), extension)
		x["variables"], x["answers"] = names, answers
	}
	if len(obj(b.d.root, "playbook_variables")) == 0 {
		delete(b.d.root, "playbook_variables")
	}
}

// local reports whether a step of the file has a variable of its own by that name.
func (b *builder) local(name string) bool {
	for _, s := range b.d.flow {
		if obj(s, "step_variables")[name] != nil {
			return true
		}
	}
	return false
}
