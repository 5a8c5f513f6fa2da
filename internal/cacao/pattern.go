package cacao

import (
	"slices"
	"strings"

	"tocsin/internal/playbook"
)

// A test is a condition of a file: the specification writes it in the grammar of STIX patterns (2.1, section 9) over variables, as in
// __backup__:value = 'yes' AND NOT __seen__:value IN ('a', 'b'). Only what compares variables with texts for equality is read; all else is
// asked of a person.
type test struct {
	op       string // and, or, not, in
	variable string
	values   []string
	parts    []*test
}

const (
	maxTest = 4000
	maxNots = 20
)

// parseTest reads one; nil when it says something else.
func parseTest(s string) *test {
	s = strings.TrimSpace(s)
	if len(s) > maxTest {
		return nil
	}
	p := &tests{tokens: tokens(s)}
	if len(p.tokens) == 0 {
		return nil
	}
	t := p.or(0)
	if t == nil || len(p.tokens) > 0 {
		return nil
	}
	return t
}

// tokens cuts a pattern into words, texts (with a quotation mark in front) and signs; nil when it has others.
func tokens(s string) (out []string) {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case c == '\'' || c == '"':
			var b strings.Builder
			j := i + 1
			for ; j < len(s) && s[j] != c; j++ {
				if s[j] == '\\' && j+1 < len(s) {
					j++
				}
				b.WriteByte(s[j])
			}
			if j == len(s) {
				return nil
			}
			out = append(out, "'"+b.String())
			i = j + 1
		case strings.IndexByte("()[],", c) >= 0:
			out = append(out, string(c))
			i++
		case strings.HasPrefix(s[i:], "!=") || strings.HasPrefix(s[i:], "=="):
			out = append(out, s[i:i+2])
			i += 2
		case c == '=':
			out = append(out, "=")
			i++
		case wordByte(c):
			j := i
			for j < len(s) && wordByte(s[j]) {
				j++
			}
			out = append(out, s[i:j])
			i = j
		default:
			return nil
		}
	}
	return out
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-:.", c) >= 0
}

type tests struct{ tokens []string }

func (p *tests) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *tests) take(s string) bool {
	if !strings.EqualFold(p.peek(), s) || len(p.tokens) == 0 {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *tests) or(depth int) *test  { return p.joined("OR", depth, p.and) }
func (p *tests) and(depth int) *test { return p.joined("AND", depth, p.one) }

func (p *tests) joined(word string, depth int, part func(int) *test) *test {
	all := &test{op: strings.ToLower(word)}
	for {
		t := part(depth)
		if t == nil {
			return nil
		}
		all.parts = append(all.parts, t)
		if !p.take(word) {
			break
		}
	}
	if len(all.parts) == 1 {
		return all.parts[0]
	}
	return all
}

func (p *tests) one(depth int) *test {
	if depth > maxNots {
		return nil
	}
	for open, shut := range map[string]string{"(": ")", "[": "]"} {
		if p.take(open) {
			if t := p.or(depth + 1); t != nil && p.take(shut) {
				return t
			}
			return nil
		}
	}
	if p.take("NOT") {
		t := p.one(depth + 1)
		if t == nil {
			return nil
		}
		return &test{op: "not", parts: []*test{t}}
	}
	name, ok := variable(p.peek())
	if !ok {
		return nil
	}
	p.tokens = p.tokens[1:]
	negated := p.take("NOT")
	t := &test{op: "in", variable: name}
	switch {
	case p.take("=") || p.take("=="):
		t.values = p.values(1)
	case p.take("!="):
		t.values, negated = p.values(1), !negated
	case p.take("IN") && p.take("("):
		t.values = p.values(30)
		if !p.take(")") {
			return nil
		}
	}
	if len(t.values) == 0 {
		return nil
	}
	if negated {
		return &test{op: "not", parts: []*test{t}}
	}
	return t
}

// values reads texts, numbers and truths, with commas between them.
func (p *tests) values(most int) (out []string) {
	for len(p.tokens) > 0 && len(out) < most {
		t := p.tokens[0]
		if text, quoted := strings.CutPrefix(t, "'"); quoted {
			t = text
		} else if !wordByte(t[0]) {
			return nil
		} else if _, name := variable(t); name {
			return nil // two variables compared
		}
		p.tokens = p.tokens[1:]
		out = append(out, t)
		if most == 1 || !p.take(",") {
			return out
		}
	}
	return out
}

// variable takes the name out of __name__ or __name__:value (specification, 10.18).
func variable(s string) (string, bool) {
	s = strings.TrimSuffix(s, ":value")
	if len(s) < 5 || !strings.HasPrefix(s, "__") || !strings.HasSuffix(s, "__") || strings.Contains(s, ":") {
		return "", false
	}
	return s, true
}

// variables are what a test compares, each once, with the texts.
func (t *test) variables(add func(name string, values []string)) {
	if t.op == "in" {
		add(t.variable, t.values)
	}
	for _, p := range t.parts {
		p.variables(add)
	}
}

// print writes a test as a condition of ours. fact gives the fact of a variable and the answer that stands for a text.
func (t *test) print(fact func(variable string) string, answer func(variable, value string) string) string {
	switch t.op {
	case "and", "or":
		var parts []string
		for _, p := range t.parts {
			parts = append(parts, p.print(fact, answer))
		}
		return "(" + strings.Join(parts, " "+t.op+" ") + ")"
	case "not":
		return "not (" + t.parts[0].print(fact, answer) + ")"
	}
	var values []string
	for _, v := range t.values {
		if a := answer(t.variable, v); !slices.Contains(values, a) {
			values = append(values, a)
		}
	}
	if len(values) == 1 {
		return fact(t.variable) + " = " + values[0]
	}
	return fact(t.variable) + " in (" + strings.Join(values, ", ") + ")"
}

// variableOf is the variable of a file that stands for a fact.
func variableOf(fact string) string {
	if fact[0] >= '0' && fact[0] <= '9' || fact[0] == '-' {
		fact = "_" + fact
	}
	return "__" + fact + "__"
}

// naming gives the variable of a fact, and the text of an answer to it.
type naming struct {
	variable func(fact string) string
	text     func(fact, answer string) string
}

// pattern writes a condition of ours in the grammar of STIX patterns, in which NOT stands only within comparisons: so it is carried inwards.
// An order of severities becomes the list of those that it means.
func (n naming) pattern(c playbook.Condition, negated bool) string {
	op, fact, values, parts := c.Parts()
	switch op {
	case "":
		return ""
	case "not":
		return n.pattern(parts[0], !negated)
	case "and", "or":
		word := " AND "
		if (op == "or") != negated {
			word = " OR "
		}
		var out []string
		for _, p := range parts {
			out = append(out, n.pattern(p, negated))
		}
		return "(" + strings.Join(out, word) + ")"
	case "<", "<=", ">", ">=":
		values = []string{}
		for _, s := range playbook.Severities() {
			if c.Holds(func(string) string { return s }) {
				values = append(values, s)
			}
		}
		if len(values) == 0 { // severity < low
			values = []string{"never"}
		}
	case "!=":
		negated = !negated
	}
	var quoted []string
	for _, v := range values {
		quoted = append(quoted, "'"+strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(n.text(fact, v))+"'")
	}
	name := n.variable(fact) + ":value "
	switch {
	case len(quoted) == 1 && negated:
		return name + "!= " + quoted[0]
	case len(quoted) == 1:
		return name + "= " + quoted[0]
	case negated:
		return name + "NOT IN (" + strings.Join(quoted, ", ") + ")"
	}
	return name + "IN (" + strings.Join(quoted, ", ") + ")"
}
