package sigma

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
	"tocsin/internal/tree"
)

// A Rule is a Sigma rule, ready to be held against records. It is not changed after Parse; several goroutines may use it.
type Rule struct {
	Meta
	LogSource  LogSource
	Conditions []string // as written; one of them must hold

	selections []selection
	expr       *expr
	loose      []Field   // fields that nothing here gives
	filters    []*Filter // that expr has in it
}

// A selection is a named part of the detection section.
type selection struct {
	name string
	expr *expr
	at   *tree.Tree
}

// An expr is a formula over terms.
type expr struct {
	op   op
	kids []*expr // of and, or; the only one of not
	term *term   // of leaf
	name string  // of a selection: what the condition calls it
}

type op uint8

const (
	opLeaf op = iota
	opAnd
	opOr
	opNot
)

const (
	maxSelections = 1000 // of a rule
	maxWords      = 2000 // of a condition
)

func (r *reader) plain(u *Rule) {
	r.meta(&u.Meta, time.Hour)
	u.LogSource = r.logsource()
	d := r.root.Get("detection")
	if d == nil || d.Kind != tree.Map {
		r.fail(d, "detection", "a rule needs a detection section: a map of selections and a condition")
		return
	}
	if len(d.Keys) > maxSelections {
		r.fail(d, "selections", "more than %d selections", maxSelections)
		return
	}
	u.selections = r.selections(u.LogSource, d)
	u.Conditions, u.expr = r.conditions(d, u.selections)
	for _, g := range u.Tocsin.Group {
		r.field(u.LogSource, r.root.Get("tocsin").Get("group"), g)
	}
	u.loose = u.unsure()
}

// selections reads the named parts of a detection section.
func (r *reader) selections(source LogSource, d *tree.Tree, others ...string) []selection {
	var out []selection
	for i, k := range d.Keys {
		switch {
		case k.Text == "condition" || slices.Contains(others, k.Text):
		case k.Text == "timeframe":
			r.fail(k, "timeframe", "timeframe belonged to the old aggregations: write a correlation document instead")
		default:
			e := r.selection(source, k, d.Values[i])
			out = append(out, selection{k.Text, &expr{op: opAnd, kids: []*expr{e}, name: k.Text}, k})
		}
	}
	return out
}

func (r *reader) logsource() LogSource {
	t := r.root.Get("logsource")
	if t == nil || t.Kind != tree.Map {
		r.fail(t, "logsource", "a rule or filter needs a logsource: a map with category, product or service")
		return LogSource{}
	}
	for _, key := range []string{"category", "product", "service"} {
		if s := r.text(t, key); strings.ToLower(s) != s || strings.ContainsAny(s, " \t\n") {
			r.fail(t.Get(key), "logsource", "%s %q must be in lower case, with _ for spaces (Sigma 2.1); else no log fits it", key, s)
		}
	}
	l := LogSource{r.text(t, "category"), r.text(t, "product"), r.text(t, "service")}
	if l == (LogSource{}) {
		r.fail(t, "logsource", "the logsource names no category, product or service")
	}
	return l
}

// selection reads the value of one key of the detection section.
func (r *reader) selection(source LogSource, k, v *tree.Tree) *expr {
	switch v.Kind {
	case tree.Map:
		return r.allOf(source, k, v)
	case tree.List:
		if len(v.Values) == 0 {
			r.fail(k, "empty list", "the selection %q is empty: nothing can match", k.Text)
		}
		return r.oneOf(source, k, v)
	case tree.Text, tree.Number:
		return r.oneOf(source, k, &tree.Tree{Kind: tree.List, Values: []*tree.Tree{v}, Line: v.Line, Col: v.Col})
	}
	r.fail(k, "selection", "the selection %q must be a map, a list or a keyword, not %v", k.Text, v.Kind)
	return &expr{op: opOr}
}

// allOf reads a map: every term must hold.
func (r *reader) allOf(source LogSource, k, v *tree.Tree) *expr {
	e := &expr{op: opAnd}
	if len(v.Keys) == 0 {
		r.fail(k, "empty map", "%q is an empty map: it would match every record", k.Text)
	}
	for i, name := range v.Keys {
		e.kids = append(e.kids, r.term(source, name, v.Values[i]))
	}
	return e
}

// oneOf reads a list: texts are keywords, maps are selections; one of all of them must hold.
func (r *reader) oneOf(source LogSource, k, v *tree.Tree) *expr {
	e := &expr{op: opOr}
	keywords := &term{keyword: true}
	for _, x := range v.Values {
		switch x.Kind {
		case tree.Map:
			e.kids = append(e.kids, r.allOf(source, k, x))
		case tree.List:
			r.fail(x, "list in a list", "the selection %q has a list inside a list", k.Text)
		default:
			keywords.said = append(keywords.said, x.Scalar())
			keywords.wants = append(keywords.wants, r.wants(source, k, x, keywords, modes{})...)
		}
	}
	if len(keywords.said) > 0 {
		e.kids = append(e.kids, &expr{term: keywords})
	}
	return e
}

// terms calls yield with every term below e.
func (e *expr) terms(yield func(*term)) {
	if e.term != nil {
		yield(e.term)
	}
	for _, k := range e.kids {
		k.terms(yield)
	}
}

// unsure lists the fields of a rule and its filters that only an application's own log could have.
func (u *Rule) unsure() []Field {
	var out []Field
	add := func(f Field) {
		if _, standing := u.LogSource.Field(f.name); standing == Unsure && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	all := u.selections
	for _, f := range u.filters {
		all = slices.Concat(all, f.selections)
	}
	for _, s := range all {
		s.expr.terms(func(t *term) {
			if !t.keyword {
				add(t.field)
			}
			for _, w := range t.wants {
				if w.kind == wantField {
					add(w.field)
				}
			}
		})
	}
	return out
}

// Loose names the fields of a rule that no parser here gives. A term over one of them never holds unless an
// application's own log has it, so a person should know.
func (u *Rule) Loose() []string {
	var out []string
	for _, f := range u.loose {
		out = append(out, f.name)
	}
	return out
}

// Unused names the selections that no condition mentions: mostly a slip of the pen.
func (u *Rule) Unused() []string {
	used := map[string]bool{}
	var walk func(e *expr)
	walk = func(e *expr) {
		used[e.name] = true
		for _, k := range e.kids {
			walk(k)
		}
	}
	if u.expr != nil {
		walk(u.expr)
	}
	var out []string
	for _, s := range u.selections {
		if !used[s.name] {
			out = append(out, s.name)
		}
	}
	return out
}

// Routed reports whether the rule reads records from a source.
func (u *Rule) Routed(s record.LogSource) bool {
	fits := func(l LogSource) bool { return s.Fits(l.Category, l.Product, l.Service) }
	return fits(u.LogSource) || slices.ContainsFunc(elsewhere[u.LogSource], fits)
}
