package sigma

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/tree"
)

// A CorrelationType is how a correlation looks at the matches of its rules.
type CorrelationType string

const (
	EventCount      CorrelationType = "event_count"      // how many there are
	ValueCount      CorrelationType = "value_count"      // how many distinct values of fields they have
	ValueSum        CorrelationType = "value_sum"        // the sum of a field
	ValueAvg        CorrelationType = "value_avg"        // the mean of a field
	ValuePercentile CorrelationType = "value_percentile" // how common the value of a field is, or a percentile of the field
	Temporal        CorrelationType = "temporal"         // how many of the rules match
	TemporalOrdered CorrelationType = "temporal_ordered" // how many of the rules match in the order in which they are listed
)

// A Correlation is a Sigma correlation rule. When it is fulfilled, and by what, is defined in package detect.
type Correlation struct {
	Meta
	Type     CorrelationType
	Rules    []string // ids or names of rules and correlations, at least one
	GroupBy  []string // fields or aliases; empty: all matches are one group
	Timespan time.Duration
	Bounds   []Bound  // all must hold; of temporal and temporal_ordered without a condition: gte the number of rules
	Fields   []string // of value_count (several make a tuple) and the other value types (one)
	// Percentile is of value_percentile. 0, as the specification writes it: what is compared is the share, in percent,
	// of the matches in the window that have the same value as the match at hand ("lte: 1" is a rare value). 1 to
	// 100, as pySigma writes it: that percentile of a field of numbers (nearest rank); 50 is the median.
	Percentile int
	Aliases    []Alias
	Generate   bool // its rules raise alerts of their own too
}

// A Bound is one comparison of a correlation's condition.
type Bound struct {
	Op    string // gt gte lt lte eq neq
	Value float64
}

// Holds reports whether x is within the bound.
func (b Bound) Holds(x float64) bool {
	return inOrder(tree.Num{F: x}.Compare(tree.Num{F: b.Value}), b.Op)
}

// Hold reports whether x is within all bounds of the correlation.
func (c *Correlation) Hold(x float64) bool {
	for _, b := range c.Bounds {
		if !b.Holds(x) {
			return false
		}
	}
	return true
}

// An Alias is a name for a field that the rules of a correlation call differently.
type Alias struct {
	Name string
	Of   []Pair // in the order of the document
}

// A Pair says how one rule calls the aliased field.
type Pair struct {
	Rule  string // id or name, as in Rules
	Field string
}

// FieldFor says how a rule calls a field or alias of the correlation; known are the rule's id and name. It is false for
// an alias that says nothing of the rule.
func (c *Correlation) FieldFor(name string, known ...string) (string, bool) {
	i := slices.IndexFunc(c.Aliases, func(a Alias) bool { return a.Name == name })
	if i < 0 {
		return name, true
	}
	for _, p := range c.Aliases[i].Of {
		if slices.Contains(known, p.Rule) {
			return p.Field, true
		}
	}
	return "", false
}

func (r *reader) correlation(c *Correlation) {
	t := r.root.Get("correlation")
	if t.Kind != tree.Map {
		r.fail(t, "correlation", "correlation must be a map, not %v", t.Kind)
		return
	}
	r.strict(t, "correlation", "type", "rules", "group-by", "timespan", "condition", "aliases", "generate")
	c.Timespan = r.span(t, "timespan", 0)
	r.meta(&c.Meta, c.Timespan)
	c.Rules = r.texts(t, "rules")
	c.GroupBy = r.texts(t, "group-by")
	c.Generate = r.flag(t, "generate") || r.flag(r.root, "generate") // the schema has it beside the section, pySigma inside it
	if len(c.Rules) == 0 {
		r.fail(t, "rules", "a correlation needs rules: a list of ids or names")
	}
	if len(c.Rules) > maxRules {
		r.fail(t.Get("rules"), "rules", "a correlation may read at most %d rules", maxRules)
		return
	}
	if c.Timespan == 0 {
		r.fail(t, "timespan", "a correlation needs a timespan such as 5m")
	}
	if len(c.Tocsin.Group) > 0 {
		r.fail(r.root.Get("tocsin"), "group", "a correlation is grouped by its group-by, not by tocsin.group")
	}
	r.kind(c, t)
	r.aliases(c, t.Get("aliases"))
	r.bounds(c, t)
}

func (r *reader) kind(c *Correlation, t *tree.Tree) {
	switch s := r.text(t, "type"); CorrelationType(s) {
	case EventCount, ValueCount, ValueSum, ValueAvg, ValuePercentile, Temporal, TemporalOrdered:
		c.Type = CorrelationType(s)
	case "":
		r.fail(t, "type", "a correlation needs a type: event_count, value_count, value_sum, value_avg, value_percentile, temporal or temporal_ordered")
	default:
		r.fail(t.Get("type"), "correlation type", "there is no correlation type %q%s", s,
			suggest(s, []string{"event_count", "value_count", "value_sum", "value_avg", "value_percentile", "temporal", "temporal_ordered"}))
	}
}

func (r *reader) aliases(c *Correlation, t *tree.Tree) {
	if t == nil {
		return
	}
	if t.Kind != tree.Map {
		r.fail(t, "aliases", "aliases must be a map of names, not %v", t.Kind)
		return
	}
	for i, k := range t.Keys {
		a := Alias{Name: k.Text}
		v := t.Values[i]
		if v.Kind != tree.Map {
			r.fail(v, "aliases", "the alias %q must be a map from rules to their fields", k.Text)
			continue
		}
		for _, rule := range v.Keys {
			a.Of = append(a.Of, Pair{rule.Text, r.text(v, rule.Text)})
		}
		c.Aliases = append(c.Aliases, a)
	}
}

// bounds reads the condition.
func (r *reader) bounds(c *Correlation, t *tree.Tree) {
	x := t.Get("condition")
	if x == nil {
		if !c.Type.temporal() {
			r.fail(t, "condition", "a correlation of type %s needs a condition such as gte: 10", c.Type)
		}
		c.Bounds = []Bound{{"gte", float64(len(c.Rules))}}
		return
	}
	if x.Kind != tree.Map {
		r.fail(x, "condition", "the condition must be a map such as gte: 10, not %v; a formula over rules is not part of Sigma 2.1", x.Kind)
		return
	}
	known := []string{"gt", "gte", "lt", "lte", "eq", "neq"}
	for i, k := range x.Keys {
		if k.Text == "field" || k.Text == "percentile" {
			continue
		}
		n, ok := tree.Numeral(x.Values[i].Text)
		if x.Values[i].Kind != tree.Number || !ok {
			r.fail(x.Values[i], "condition", "%s needs a number, not %s", k.Text, x.Values[i].Scalar())
		}
		if n.F < 0 && c.counts() {
			r.fail(x.Values[i], "condition", "%s needs a number of at least 0, not %s", k.Text, x.Values[i].Scalar())
		}
		c.Bounds = append(c.Bounds, Bound{k.Text, n.F})
	}
	r.strict(x, "the condition", append(known, "field", "percentile")...)
	c.Percentile = r.percentile(c, x)
	if len(c.Bounds) == 0 {
		r.fail(x, "condition", "the condition compares with no number; write gte: 10 or the like")
	}
	r.possible(c, x)
	c.Fields = r.texts(x, "field")
	switch n := len(c.Fields); {
	case c.Type == EventCount || c.Type.temporal():
		if n > 0 {
			r.fail(x, "field", "the condition of %s takes no field", c.Type)
		}
	case n == 0:
		r.fail(x, "field", "the condition of %s needs a field", c.Type)
	case n > 1 && c.Type != ValueCount:
		r.fail(x, "field", "the condition of %s needs one field, not %d", c.Type, n)
	}
}

// temporal reports whether a type counts rules.
func (t CorrelationType) temporal() bool { return t == Temporal || t == TemporalOrdered }

// counts reports whether what the bounds are compared with is a whole number of at least 0.
func (c *Correlation) counts() bool {
	return c.Type != ValueSum && c.Type != ValueAvg && c.Type != ValuePercentile
}

// percentile reads which percentile of a field of numbers is meant.
func (r *reader) percentile(c *Correlation, t *tree.Tree) int {
	x := t.Get("percentile")
	if x == nil {
		return 0
	}
	n, ok := tree.Numeral(x.Text)
	switch {
	case c.Type != ValuePercentile:
		r.fail(x, "percentile", "the condition of %s takes no percentile", c.Type)
	case x.Kind != tree.Number || !ok || !n.Whole || n.I < 1 || n.I > 100:
		r.fail(x, "percentile", "percentile must be a whole number from 1 to 100, not %s", x.Scalar())
	default:
		return int(n.I)
	}
	return 0
}

// maxThreshold is the highest count that a correlation may compare with: each group keeps some records for each unit.
const maxThreshold = 100_000

// maxRules is how many rules a correlation may read: rows of temporal_ordered take time by their square.
const maxRules = 200

// possible refuses counts that would need too much memory, and conditions that nothing can fulfil.
func (r *reader) possible(c *Correlation, x *tree.Tree) {
	most, values := 0.0, []float64(nil)
	for _, b := range c.Bounds {
		if c.counts() && b.Value > maxThreshold {
			r.fail(x, "condition", "%v is too high to count to: at most %d", b.Value, maxThreshold)
			return
		}
		most = max(most, b.Value)
		values = append(values, b.Value)
	}
	share := c.Type == ValuePercentile && c.Percentile == 0 // more than 0, at most 100
	if share {
		values = append(values, 0, 100)
	}
	points := between(values)
	if share {
		points = slices.DeleteFunc(points, func(p float64) bool { return p <= 0 || p > 100 })
	}
	if c.counts() {
		top := int(most) + 1
		if c.Type.temporal() {
			top = len(c.Rules)
		}
		points = nil
		for n := range top {
			points = append(points, float64(n+1))
		}
	}
	if len(c.Bounds) > 0 && !slices.ContainsFunc(points, c.Hold) {
		r.fail(x, "condition", "%s can never be fulfilled", boundsInWords(c.Bounds))
	}
}

// between returns numbers, one in each gap between them, and one on either side.
func between(values []float64) []float64 {
	slices.Sort(values)
	out := slices.Clone(values)
	for i, v := range values {
		if i == 0 {
			out = append(out, v-1)
		} else {
			out = append(out, (values[i-1]+v)/2)
		}
	}
	if len(values) > 0 {
		out = append(out, values[len(values)-1]+1)
	}
	return out
}

// String writes a bound in words.
func (b Bound) String() string {
	words := map[string]string{"gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most", "eq": "exactly", "neq": "not"}
	return words[b.Op] + " " + figure(b.Value)
}

func boundsInWords(list []Bound) string {
	var out []string
	for _, b := range list {
		out = append(out, b.String())
	}
	return strings.Join(out, " and ")
}
