package playbook

import (
	"fmt"
	"slices"
	"strings"
)

// A Condition says when a step is needed. It compares facts with values:
//
//	severity >= high and (affected = customers or verdict in (real, unknown)) and not backup = no
//
// "not" binds closest, then "and", then "or". The facts have finitely many values, so that it can be told whether a condition can hold at all.
// The zero Condition always holds.
type Condition struct{ root *clause }

// A clause is a comparison, or clauses that are joined.
type clause struct {
	op     string // and, or, not; =, !=, in, <, <=, >, >=
	fact   string
	values []string
	parts  []*clause
	at     int // byte of the text
}

const (
	maxCondition = 2000 // bytes
	maxNest      = 32   // parentheses and nots within each other
)

// A Slip is what is wrong with a condition.
type Slip struct {
	At  int // byte of the text
	Why string
}

func (s *Slip) Error() string { return fmt.Sprintf("at character %d: %s", s.At+1, s.Why) }

// ParseCondition reads one. The empty text is the condition that always holds. The error is a *Slip.
func ParseCondition(text string) (Condition, error) {
	if len(text) > maxCondition {
		return Condition{}, &Slip{maxCondition, fmt.Sprintf("the condition is longer than %d bytes: ask for a fact that says the same", maxCondition)}
	}
	p := &conditions{text: text}
	p.next()
	if p.token == "" && p.slip == nil {
		return Condition{}, nil
	}
	root := p.or(0)
	if p.slip == nil && p.token != "" {
		p.fail("%q is not expected here: join comparisons with and, or", p.token)
	}
	if p.slip != nil {
		return Condition{}, p.slip
	}
	return Condition{root}, nil
}

// conditions reads a text from left to right and keeps its first fault.
type conditions struct {
	text  string
	pos   int    // behind token
	at    int    // where token begins
	token string // "" at the end
	slip  *Slip
}

func (p *conditions) fail(format string, args ...any) {
	if p.slip == nil {
		p.slip = &Slip{p.at, fmt.Sprintf(format, args...)}
	}
	p.token, p.pos = "", len(p.text)
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}

// next reads a word, an operator, a comma or a parenthesis.
func (p *conditions) next() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
	p.at, p.token = p.pos, ""
	if p.pos == len(p.text) {
		return
	}
	end := p.pos
	for end < len(p.text) && wordByte(p.text[end]) {
		end++
	}
	switch c := p.text[p.pos]; {
	case end > p.pos:
	case strings.IndexByte("(),=", c) >= 0:
		end++
	case strings.IndexByte("<>!", c) >= 0:
		if end++; end < len(p.text) && p.text[end] == '=' {
			end++
		}
		if c == '!' && end == p.pos+1 {
			p.fail(`"!" stands alone: write != or not`)
			return
		}
	default:
		p.fail("the sign %q is not known here: facts and values are of small letters, digits and -", []rune(p.text[p.pos:])[0])
		return
	}
	p.token, p.pos = p.text[p.pos:end], end
}

func (p *conditions) or(depth int) *clause  { return p.list("or", depth, p.and) }
func (p *conditions) and(depth int) *clause { return p.list("and", depth, p.not) }

// list reads parts with a word between them. Parts of the same kind become one list, so that parentheses that say nothing are forgotten.
func (p *conditions) list(word string, depth int, part func(int) *clause) *clause {
	first := part(depth)
	if p.token != word {
		return first
	}
	all := &clause{op: word, at: first.at}
	add := func(c *clause) {
		if c.op == word {
			all.parts = append(all.parts, c.parts...)
			return
		}
		all.parts = append(all.parts, c)
	}
	add(first)
	for p.token == word {
		p.next()
		add(part(depth))
	}
	return all
}

func (p *conditions) not(depth int) *clause {
	at := p.at
	switch {
	case depth > maxNest:
		p.fail("more than %d parentheses within each other", maxNest)
	case p.token == "not":
		p.next()
		return &clause{op: "not", parts: []*clause{p.not(depth + 1)}, at: at}
	case p.token == "(":
		p.next()
		c := p.or(depth + 1)
		if p.token != ")" {
			p.fail("the parenthesis of character %d is not closed", at+1)
		}
		p.next()
		return c
	}
	return p.compare()
}

// word reads the name of a fact, or a value.
func (p *conditions) word(what string) string {
	w := p.token
	if w == "" || !wordByte(w[0]) || slices.Contains([]string{"and", "or", "not", "in"}, w) {
		p.fail("%s is wanted here", what)
		return ""
	}
	p.next()
	return w
}

func (p *conditions) compare() *clause {
	c := &clause{at: p.at}
	c.fact = p.word("the name of a fact")
	switch op := p.token; op {
	case "=", "!=", "<", "<=", ">", ">=":
		c.op = op
		p.next()
		c.values = []string{p.word("a value")}
	case "in":
		c.op = op
		p.next()
		if p.token != "(" {
			p.fail("values in parentheses are wanted here, as in: severity in (high, critical)")
			return c
		}
		for p.token == "(" || p.token == "," {
			p.next()
			c.values = append(c.values, p.word("a value"))
		}
		if p.token != ")" {
			p.fail("the list of values is not closed")
		}
		p.next()
	default:
		p.fail("what is %q compared with? Write for example: %s = yes", c.fact, c.fact)
	}
	return c
}

// String prints it so that it reads back as the same.
func (c Condition) String() string {
	if c.root == nil {
		return ""
	}
	return c.root.print("")
}

// print writes a clause that is a part of another one, of kind within.
func (c *clause) print(within string) string {
	switch c.op {
	case "and", "or":
		parts := make([]string, len(c.parts))
		for i, p := range c.parts {
			parts[i] = p.print(c.op)
		}
		s := strings.Join(parts, " "+c.op+" ")
		if within == "not" || c.op == "or" && within == "and" {
			s = "(" + s + ")"
		}
		return s
	case "not":
		return "not " + c.parts[0].print("not")
	case "in":
		return c.fact + " in (" + strings.Join(c.values, ", ") + ")"
	}
	return c.fact + " " + c.op + " " + c.values[0]
}

// Parts takes it apart: op is and, or, not (of parts), a comparison (of fact with values), or "" of the one that always holds.
func (c Condition) Parts() (op, fact string, values []string, parts []Condition) {
	if c.root == nil {
		return "", "", nil, nil
	}
	for _, p := range c.root.parts {
		parts = append(parts, Condition{p})
	}
	return c.root.op, c.root.fact, c.root.values, parts
}

// Always reports whether it is the condition that always holds.
func (c Condition) Always() bool { return c.root == nil }

// Holds reports whether it holds. answer gives the value of a fact, "" of one that nobody has answered: "=", "in" and comparisons
// of order are false of it, "!=" is true.
func (c Condition) Holds(answer func(fact string) string) bool {
	return c.root == nil || c.root.holds(answer)
}

func (c *clause) holds(answer func(string) string) bool {
	switch c.op {
	case "and":
		return !slices.ContainsFunc(c.parts, func(p *clause) bool { return !p.holds(answer) })
	case "or":
		return slices.ContainsFunc(c.parts, func(p *clause) bool { return p.holds(answer) })
	case "not":
		return !c.parts[0].holds(answer)
	}
	v := answer(c.fact)
	switch c.op {
	case "=", "in":
		return slices.Contains(c.values, v)
	case "!=":
		return v != c.values[0]
	}
	a, b := slices.Index(Severities(), v), slices.Index(Severities(), c.values[0])
	if a < 0 || b < 0 {
		return false
	}
	switch c.op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

// comparisons are the clauses that compare, from left to right.
func (c Condition) comparisons() (out []*clause) {
	var walk func(*clause)
	walk = func(c *clause) {
		if len(c.parts) == 0 {
			out = append(out, c)
		}
		for _, p := range c.parts {
			walk(p)
		}
	}
	if c.root != nil {
		walk(c.root)
	}
	return out
}

// Facts names the facts that it reads, each once.
func (c Condition) Facts() (out []string) {
	for _, x := range c.comparisons() {
		if !slices.Contains(out, x.fact) {
			out = append(out, x.fact)
		}
	}
	return out
}
