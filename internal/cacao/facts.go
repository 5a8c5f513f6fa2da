package cacao

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tocsin/internal/playbook"
)

var idShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// maxAnswers is how many texts a variable is compared with before it is free text.
const maxAnswers = 28

// variables makes facts of the variables of the file. One that is compared with texts only has these as answers, and "other"; all others are
// free text, which people write down and no condition reads.
func (m *mapping) variables() {
	asked := map[string]string{}
	truth := map[string]bool{}
	values := map[string][]string{}
	declare := func(where map[string]any) {
		for _, name := range keys(where) {
			v := obj(where, name)
			if asked[name] == "" {
				asked[name] = str(v, "description")
			}
			truth[name] = truth[name] || str(v, "type") == "bool" || str(v, "type") == "boolean"
			values[name] = append(values[name], texts(v, "enum")...)
		}
	}
	declare(obj(m.d.root, "playbook_variables"))
	for _, id := range m.graph.order {
		s := m.d.flow[id]
		declare(obj(s, "step_variables"))
		for _, a := range texts(s, "out_args") {
			if name, ok := variable(a); ok && values[name] == nil {
				values[name] = []string{}
			}
		}
		switch str(s, "type") {
		case "if-condition":
			if t := parseTest(str(s, "condition")); t != nil {
				t.variables(func(name string, v []string) { values[name] = append(values[name], v...) })
			}
		case "switch-condition":
			if name, ok := variable(str(s, "switch")); ok {
				values[name] = append(values[name], slices.DeleteFunc(keys(obj(s, "cases")), func(k string) bool { return k == "default" })...)
			}
		}
	}
	for _, name := range keys(values) {
		if a := m.builtIn(name); a != nil {
			m.vars[name] = a
			continue
		}
		if truth[name] {
			values[name] = append(values[name], "true", "false")
		}
		ask := asked[name]
		if ask == "" {
			ask = "What is " + strings.Trim(name, "_") + "?"
		}
		m.vars[name] = m.answersOf(name, ask, values[name])
	}
}

// builtIn is a variable that an export of ours made of a fact that every playbook knows.
func (m *mapping) builtIn(name string) *answers {
	for _, id := range []string{playbook.Severity, playbook.Affected, playbook.Verdict} {
		f, _ := (&playbook.Playbook{}).Fact(id)
		if name != variableOf(id) || str(obj(obj(m.d.root, "playbook_variables"), name), "description") != described(f) {
			continue
		}
		a := &answers{fact: f, values: map[string]string{}, used: true}
		for _, v := range f.Of {
			a.values[v] = v
		}
		return a
	}
	return nil
}

// described is what an export of ours says of the variable of a fact.
func described(f playbook.Fact) string {
	if len(f.Of) == 0 {
		return f.Ask
	}
	return f.Ask + " One of: " + strings.Join(f.Of, ", ") + "."
}

// answersOf makes a fact whose answers stand for texts; without texts, or with too many, any words will do.
func (m *mapping) answersOf(name, ask string, values []string) *answers {
	a := &answers{values: map[string]string{}}
	a.fact = playbook.Fact{ID: m.facts.name(name, "answer"), Ask: line(ask, maxAsk)}
	values = slices.Clone(values)
	slices.Sort(values)
	values = slices.Compact(values)
	pair := func(yes, no string) bool {
		return len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return v != yes && v != no })
	}
	switch {
	case pair("true", "false"):
		a.fact.Of, a.values = []string{"yes", "no"}, map[string]string{"true": "yes", "false": "no"}
	case pair("yes", "no"):
		a.fact.Of, a.values = []string{"yes", "no"}, map[string]string{"yes": "yes", "no": "no"}
	case len(values) > 0 && len(values) <= maxAnswers:
		names := namer{"other": true}
		for _, v := range values {
			a.values[v] = names.name(v, "empty")
			a.fact.Of = append(a.fact.Of, a.values[v])
		}
		a.fact.Of = append(a.fact.Of, "other")
	}
	return a
}

// use lets a playbook ask for a fact.
func (m *mapping) use(a *answers) string {
	if !a.used {
		a.used = true
		m.p.Facts = append(m.p.Facts, a.fact)
	}
	return a.fact.ID
}

// returned are the facts that a step asks for: what the file wants returned of it.
func (m *mapping) returned(s map[string]any) (out []string) {
	for _, a := range texts(s, "out_args") {
		name, ok := variable(a)
		if !ok || m.vars[name] == nil || m.vars[name].fact.ID == playbook.Severity {
			continue
		}
		if id := m.use(m.vars[name]); !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// yesNo makes a fork that a person decides, and returns its fact. known is the name that an export of ours gave it.
func (m *mapping) yesNo(id, known, name, ask string) string {
	a := &answers{fact: playbook.Fact{ID: known, Ask: line(ask, maxAsk), Of: []string{"yes", "no"}}}
	if !idShape.MatchString(known) || m.facts[known] {
		a.fact.ID = m.facts.name(name, "question")
	}
	m.facts[a.fact.ID] = true
	m.asked[id] = a.fact.ID
	fact := m.use(a)
	m.forks[id] = &choice{a.fact.Of, func(branch string) string { return fact + " = " + branch }}
	return fact
}

// fork makes the fork of a condition. It returns the facts that are to be asked for it; none when they are asked before.
func (m *mapping) fork(id string, before []int) (asks []string) {
	s := m.d.flow[id]
	kind := str(s, "type")
	if kind == "switch-condition" {
		a := m.switched(id)
		fact := a.fact.ID
		m.forks[id] = &choice{a.fact.Of, func(branch string) string { return fact + " = " + branch }}
		if len(a.fact.Of) == 0 { // there are too many
			m.d.say(at(id, "cases"), "the switch has %d cases; a question has at most %d answers: cut it into several", len(obj(s, "cases")), maxAnswers)
			return nil
		}
		return m.unasked(before, a)
	}
	t := parseTest(str(s, "condition"))
	if kind == "while-condition" || m.plain || t == nil || !m.finite(t) {
		return []string{m.yesNo(id, "", m.d.titled(id, "condition"), "What is the answer to: "+strings.TrimRight(m.d.titled(id, str(s, "condition")), " ?")+"?")}
	}
	yes := t.print(func(v string) string { return m.vars[v].fact.ID }, func(v, text string) string { return m.vars[v].values[text] })
	m.forks[id] = &choice{[]string{"yes", "no"}, func(branch string) string {
		if branch == "no" {
			return "not (" + yes + ")"
		}
		return "(" + yes + ")"
	}}
	t.variables(func(v string, _ []string) {
		for _, f := range m.unasked(before, m.vars[v]) {
			if !slices.Contains(asks, f) {
				asks = append(asks, f)
			}
		}
	})
	return asks
}

// finite reports whether all that a test compares has finitely many answers.
func (m *mapping) finite(t *test) bool {
	ok := true
	t.variables(func(name string, values []string) {
		a := m.vars[name]
		ok = ok && a != nil && len(a.fact.Of) > 0 && !slices.ContainsFunc(values, func(v string) bool { return a.values[v] == "" })
	})
	return ok
}

// unasked is the fact of some answers, when no step asks for it that comes before.
func (m *mapping) unasked(before []int, a *answers) []string {
	fact := a.fact.ID
	if fact == playbook.Severity {
		return nil
	}
	for _, b := range before {
		if slices.Contains(m.p.Steps[b].Asks, fact) {
			return nil
		}
		for x := range m.after[b] {
			if slices.Contains(m.p.Steps[x].Asks, fact) {
				return nil
			}
		}
	}
	return []string{m.use(a)}
}

// titled is what a step is called, or other words for it.
func (d *document) titled(id, standard string) string {
	if name := line(str(d.flow[id], "name"), 120); name != "" {
		return name
	}
	if standard = line(standard, 120); standard != "" {
		return standard
	}
	return "this"
}

// asked is how a person finds the answer to a condition: what the file says of it, in its words.
func (d *document) asked(id string) string {
	s := d.flow[id]
	says := str(s, "description")
	if c := str(s, "condition"); c != "" {
		says += "\n\nThe playbook that this was taken from compares: " + line(c, 1000)
	}
	if c := str(s, "switch"); c != "" {
		says += fmt.Sprintf("\n\nThe playbook that this was taken from looks at: %s", line(c, 1000))
	}
	if strings.TrimSpace(says) == "" {
		return noHow
	}
	return says
}

// head is a playbook with what a file says of itself.
func (d *document) head() *playbook.Playbook {
	p := &playbook.Playbook{ID: slug(str(d.root, "name")), Title: line(str(d.root, "name"), maxLine), Summary: clean(str(d.root, "description"), maxWhy), Owner: "commander", Review: 90, Severity: severity(d.root)}
	if d.own != nil {
		p.ID, p.Owner, p.Review, p.Signs, p.Suggest, p.Criteria = d.own.ID, d.own.Owner, d.own.Review, d.own.Signs, d.own.Suggest, d.own.Criteria
	}
	if p.ID == "" {
		p.ID = "imported"
	}
	if !playbook.BookID(p.ID) && d.own == nil {
		p.ID += "-playbook" // its name is an address of the console
	}
	if p.Title == "" {
		p.Title = "A playbook without a name"
	}
	if p.Summary == "" {
		p.Summary = p.Title
	}
	return p
}

// severity is that of a file, from 1 to 100, in four equal parts; "" when it has none.
func severity(root map[string]any) string {
	n, ok := root["severity"].(float64)
	if !ok || n < 1 || n > 100 {
		return ""
	}
	return playbook.Severities()[min(int(n-1)/25, 3)]
}

// phaseOf is the phase in which the steps of a file stand, by what it says that it is for.
func phaseOf(root map[string]any) string {
	for _, t := range texts(root, "playbook_types") {
		switch t {
		case "detection", "investigation":
			return playbook.Identification
		case "mitigation":
			return playbook.Short
		case "prevention":
			return playbook.Long
		case "remediation":
			return playbook.Eradication
		}
	}
	return playbook.Identification
}
