package sigma

import (
	"fmt"
	"strings"

	"tocsin/internal/tree"
)

// conditions reads the condition: a formula, or a list of formulas of which one must hold.
func (r *reader) conditions(d *tree.Tree, selections []selection) (texts []string, one *expr) {
	one = &expr{op: opOr}
	t := d.Get("condition")
	if t == nil {
		r.fail(d, "condition", "there is no condition: the formula over the selections")
		return nil, one
	}
	list := []*tree.Tree{t}
	if t.Kind == tree.List {
		list = t.Values
	}
	for _, x := range list {
		if x.Kind != tree.Text {
			r.fail(x, "condition", "a condition must be a text, not %v", x.Kind)
			continue
		}
		texts = append(texts, x.Text)
		c := &conditionReader{rest: conditionWords(x.Text), selections: selections}
		if e := c.whole(); c.why == "" {
			one.kids = append(one.kids, e)
		} else {
			r.fail(x, c.feature, "condition %q: %s", x.Text, c.why)
		}
	}
	if len(list) == 0 {
		r.fail(t, "condition", "the condition is an empty list")
	}
	return texts, one
}

// conditionWords cuts a condition into brackets, pipes and words.
func conditionWords(s string) []string {
	for _, c := range []string{"(", ")", "|"} {
		s = strings.ReplaceAll(s, c, " "+c+" ")
	}
	return strings.Fields(s)
}

// A conditionReader reads a condition by descent. What binds least comes first: or, and, not, "x of", brackets.
//
//	or   = and { "or" and }
//	and  = not { "and" not }
//	not  = "not" not | atom
//	atom = "(" or ")" | ("1" | "any" | "all") "of" ("them" | pattern) | selection
type conditionReader struct {
	rest       []string
	selections []selection
	depth      int
	feature    string
	why        string
}

func (c *conditionReader) fail(feature, format string, args ...any) *expr {
	if c.why == "" {
		c.feature, c.why = feature, fmt.Sprintf(format, args...)
	}
	c.rest = nil
	return &expr{op: opOr}
}

func (c *conditionReader) peek() string {
	if len(c.rest) == 0 {
		return ""
	}
	return c.rest[0]
}

// take consumes the next word when it is w, in any case.
func (c *conditionReader) take(w string) bool {
	if !strings.EqualFold(c.peek(), w) {
		return false
	}
	c.rest = c.rest[1:]
	return true
}

func (c *conditionReader) whole() *expr {
	if len(c.rest) > maxWords {
		return c.fail("condition", "it has more than %d words", maxWords)
	}
	if len(c.rest) == 0 {
		return c.fail("condition", "it is empty")
	}
	e := c.or()
	switch next := c.peek(); next {
	case "":
	case "|":
		if len(c.rest) > 1 && strings.EqualFold(c.rest[1], "near") {
			return c.near()
		}
		return c.fail("aggregation", "aggregations behind a pipe (count, near) are not part of Sigma 2: write a correlation document instead")
	default:
		return c.fail("condition", "%q stands where and, or or the end is expected", next)
	}
	return e
}

func (c *conditionReader) or() *expr {
	e := &expr{op: opOr, kids: []*expr{c.and()}}
	for c.take("or") {
		e.kids = append(e.kids, c.and())
	}
	return e
}

func (c *conditionReader) and() *expr {
	e := &expr{op: opAnd, kids: []*expr{c.not()}}
	for c.take("and") {
		e.kids = append(e.kids, c.not())
	}
	return e
}

func (c *conditionReader) not() *expr {
	if c.depth++; c.depth > tree.MaxNest {
		return c.fail("condition", "nested too deeply")
	}
	defer func() { c.depth-- }()
	if c.take("not") {
		return &expr{op: opNot, kids: []*expr{c.not()}}
	}
	return c.atom()
}

func (c *conditionReader) atom() *expr {
	word := c.peek()
	if word == "" {
		return c.fail("condition", "it ends where a selection is expected")
	}
	if c.take("(") {
		e := c.or()
		if !c.take(")") {
			return c.fail("condition", "a closing bracket is missing")
		}
		return e
	}
	if len(c.rest) > 1 && strings.EqualFold(c.rest[1], "of") {
		return c.of(word)
	}
	c.rest = c.rest[1:]
	for _, s := range c.selections {
		if s.name == word {
			return s.expr
		}
	}
	if strings.EqualFold(word, "near") {
		return c.near()
	}
	if word == "|" || word == ")" {
		return c.fail("condition", "%q is not supported here", word)
	}
	return c.fail("condition", "there is no selection %q%s", word, suggest(word, c.names()))
}

func (c *conditionReader) near() *expr {
	return c.fail("near", "near is not part of Sigma 2: write a correlation document of type temporal instead")
}

func (c *conditionReader) names() []string {
	var out []string
	for _, s := range c.selections {
		out = append(out, s.name)
	}
	return out
}

// of reads "1 of selection_*", "all of them" and the like. "them" leaves out selections whose name begins with "_".
func (c *conditionReader) of(quantity string) *expr {
	e := &expr{op: opOr}
	switch strings.ToLower(quantity) {
	case "1", "any":
	case "all":
		e.op = opAnd
	default:
		return c.fail("condition "+quantity+" of", "only \"1 of\", \"any of\" and \"all of\" are known, not \"%s of\"", quantity)
	}
	c.rest = c.rest[2:]
	what := c.peek()
	if what == "" {
		return c.fail("condition", "it ends where \"them\" or a pattern is expected")
	}
	c.rest = c.rest[1:]
	p := parsePattern(what, false)
	p.compile(true)
	for _, s := range c.selections {
		if what == "them" && !strings.HasPrefix(s.name, "_") || what != "them" && p.match(s.name) {
			e.kids = append(e.kids, s.expr)
		}
	}
	if len(e.kids) == 0 {
		return c.fail("condition", "%q fits no selection", what)
	}
	return e
}
