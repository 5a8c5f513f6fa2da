package sigma

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/tree"
)

// A Filter takes matches away from rules: one place for what is harmless in this shop (Sigma filters specification 2.1.0).
//
// The specification writes the condition both as "selection" (its example) and as "not selection" (its schema, and
// pySigma), and means the same: what the selections describe is no match any more. So the condition is read by what it
// says of a record in which nothing of the filter is found. If it holds there, it says what passes and is added
// with "and"; if it does not, it says what is taken away and is added with "and not". A filter never takes away a
// record that none of its selections describes.
type Filter struct {
	Meta
	LogSource LogSource
	Rules     []string // ids or names, at least one
	Condition string   // as written

	options    Options
	selections []selection
	expr       *expr
}

func (r *reader) filter(f *Filter) {
	r.meta(&f.Meta, time.Hour)
	f.LogSource = r.logsource()
	if x := r.root.Get("tocsin"); x != nil {
		r.fail(x, "tocsin", "a filter raises no alerts: it has no section tocsin")
	}
	d := r.root.Get("filter")
	if d.Kind != tree.Map {
		r.fail(d, "filter", "filter must be a map with rules, selections and a condition, not %v", d.Kind)
		return
	}
	f.Rules = r.texts(d, "rules")
	if len(f.Rules) == 0 {
		r.fail(d, "rules", "a filter needs rules: a list of ids or names of the rules that it is for")
	}
	if x := d.Get("rules"); x != nil && x.Kind != tree.List && strings.EqualFold(x.Text, "any") {
		r.fail(x, "rules", "rules: any is not part of Sigma 2.1: list the ids or names of the rules")
	}
	if x := d.Get("condition"); x != nil && x.Kind == tree.List {
		r.fail(x, "condition", "the condition of a filter must be one text, not a list")
		return
	}
	if f.read(r, f.LogSource) == 0 {
		r.fail(d, "selection", "a filter needs a selection that says which matches it is about")
	}
}

// read reads the selections with the field names of a log source, and returns how many there are.
func (f *Filter) read(r *reader, source LogSource) int {
	d := r.root.Get("filter")
	if len(d.Keys) > maxSelections {
		r.fail(d, "selections", "more than %d selections", maxSelections)
		return len(d.Keys)
	}
	f.selections = r.selections(source, d, "rules")
	var texts []string
	if texts, f.expr = r.conditions(d, f.selections); len(texts) > 0 {
		f.Condition = texts[0]
	}
	return len(f.selections)
}

// Filtered returns the rule with a filter added; u stays as it was. Each part that the filter's log source names must
// be the rule's too, and its fields are read as the rule's log source names them. The error says why the filter is not
// for this rule.
func (u *Rule) Filtered(f *Filter) (*Rule, error) {
	if !f.LogSource.covers(u.LogSource) {
		return nil, fmt.Errorf("it is for %s, but the rule %q reads %s", f.LogSource, u.Key(), u.LogSource)
	}
	r := &reader{file: f.File, rule: f.Key(), root: f.root, options: f.options}
	g := *f
	if g.read(r, u.LogSource); len(r.errs) > 0 {
		return nil, r.errs[0]
	}
	out := *u
	out.Version = version([]string{u.Version, f.Version})
	out.filters = append(slices.Clone(u.filters), &g)
	out.expr = &expr{op: opAnd, kids: []*expr{u.expr, g.passing()}}
	out.loose = out.unsure()
	return &out, nil
}

// passing is what a match must fulfil so that the filter leaves it.
func (f *Filter) passing() *expr {
	if f.expr.nothing() {
		return f.expr
	}
	return &expr{op: opNot, kids: []*expr{f.expr}}
}

// nothing is the value of a condition where no selection holds.
func (e *expr) nothing() bool {
	switch {
	case e.name != "" || e.term != nil:
		return false
	case e.op == opNot:
		return !e.kids[0].nothing()
	case e.op == opAnd:
		return !slices.ContainsFunc(e.kids, func(k *expr) bool { return !k.nothing() })
	}
	return slices.ContainsFunc(e.kids, (*expr).nothing)
}

func (f *Filter) explain() []string {
	out := []string{fmt.Sprintf("Takes matches away from %s.", strings.Join(f.Rules, ", "))}
	return append(out, f.says()...)
}

// says words what the filter takes away.
func (f *Filter) says() []string {
	lead := "No match when: "
	if f.expr.nothing() {
		lead = "A match only when: "
	}
	out := []string{lead + f.Condition + ", where"}
	for _, s := range f.selections {
		out = append(out, fmt.Sprintf("  %s is: %s", s.name, s.expr.words(false)))
	}
	return out
}
