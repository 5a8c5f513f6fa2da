package sigma

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Explain says in words when a document matches, a sentence or a line of a list each.
func (d Document) Explain() []string {
	switch {
	case d.Rule != nil:
		return d.Rule.explain()
	case d.Correlation != nil:
		return d.Correlation.explain()
	case d.Filter != nil:
		return d.Filter.explain()
	}
	return nil
}

func (u *Rule) explain() []string {
	out := []string{fmt.Sprintf("Reads records of %s.", u.LogSource)}
	for i, c := range u.Conditions {
		lead := "Matches when: "
		if i > 0 {
			lead = "Or when: "
		}
		out = append(out, lead+c+", where")
	}
	for _, s := range u.selections {
		out = append(out, fmt.Sprintf("  %s is: %s", s.name, s.expr.words(false)))
	}
	for _, f := range u.filters {
		out = append(out, fmt.Sprintf("The filter %q is added. %s", f.Title, f.says()[0]))
		out = append(out, f.says()[1:]...)
	}
	group := "address, else account, else file"
	if len(u.Tocsin.Group) > 0 {
		group = strings.Join(u.Tocsin.Group, ", ")
	}
	return append(out, fmt.Sprintf("One alert per %s; it ends after %s without a match.", group, Span(u.Tocsin.Quiet)))
}

// words writes a formula; inner says that it stands inside another and may need brackets.
func (e *expr) words(inner bool) string {
	if e.term != nil {
		return e.term.words()
	}
	if len(e.kids) == 1 && e.op != opNot {
		return e.kids[0].words(inner)
	}
	link := map[op]string{opAnd: " and ", opOr: " or "}[e.op]
	var parts []string
	for _, k := range e.kids {
		parts = append(parts, k.words(true))
	}
	if e.op == opNot {
		return "not " + strings.Join(parts, "")
	}
	s := strings.Join(parts, link)
	if inner {
		s = "(" + s + ")"
	}
	return s
}

var verbs = map[string]string{
	"contains": "contains", "startswith": "starts with", "endswith": "ends with", "re": "fits the regular expression", "cidr": "lies in the network",
	"lt": "is less than", "lte": "is at most", "gt": "is more than", "gte": "is at least", "fieldref": "is the same as the field", "exists": "is there:",
}

// words writes a term: "url.original contains any of 'a', 'b'".
func (t *term) words() string {
	who := t.field.Name()
	if t.keyword {
		who = "the line"
	} else if t.name != who {
		who += " (" + t.name + ")"
	}
	verb, remarks := "is", []string(nil)
	if t.keyword {
		verb = "contains"
	}
	for _, m := range t.mods {
		switch {
		case m == "all" || m == "neq":
		case verbs[m] != "" && (verb == "is" || t.keyword && m == "re"):
			verb = verbs[m]
		case m == "minute" || m == "hour" || m == "day" || m == "week" || m == "month" || m == "year":
			who = "the " + m + " of " + who
		case m == "contains":
		default:
			remarks = append(remarks, m)
		}
	}
	values := slices.Clone(t.said)
	if len(values) == 1 && values[0] == "null" {
		values[0] = "missing"
	}
	quantity := ""
	if len(values) > 1 {
		quantity = "any of "
		if t.all {
			quantity = "all of "
		}
	}
	s := who + " " + verb + " " + quantity + strings.Join(values, ", ")
	if len(remarks) > 0 {
		s += " (" + strings.Join(remarks, ", ") + ")"
	}
	if t.negate {
		s = "not (" + s + ")"
	}
	return s
}

func (c *Correlation) explain() []string {
	of := "the rule " + strings.Join(c.Rules, "")
	if len(c.Rules) > 1 {
		of = "the rules " + strings.Join(c.Rules, ", ")
	}
	var what string
	switch n := boundsInWords(c.Bounds); c.Type {
	case EventCount:
		what = fmt.Sprintf("%s matches of %s", n, of)
	case ValueCount:
		what = fmt.Sprintf("matches of %s with %s different values of %s", of, n, strings.Join(c.Fields, " and "))
	case ValueSum:
		what = fmt.Sprintf("matches of %s whose %s adds up to %s", of, strings.Join(c.Fields, ""), n)
	case ValueAvg:
		what = fmt.Sprintf("matches of %s whose %s is on average %s", of, strings.Join(c.Fields, ""), n)
	case ValuePercentile:
		what = fmt.Sprintf("a match of %s whose %s is, of all matches, the value of %s percent", of, strings.Join(c.Fields, ""), n)
		if c.Percentile > 0 {
			what = fmt.Sprintf("matches of %s whose %s has, as percentile %d, %s", of, strings.Join(c.Fields, ""), c.Percentile, n)
		}
	case Temporal:
		what = fmt.Sprintf("matches of %s of %s", n, of)
	case TemporalOrdered:
		what = fmt.Sprintf("matches of all of %s, in this order", of)
		if len(c.Bounds) != 1 || c.Bounds[0] != (Bound{"gte", float64(len(c.Rules))}) {
			what = fmt.Sprintf("matches of %s of %s, in this order", n, of)
		}
	}
	out := []string{fmt.Sprintf("Raises an alert at %s within %s.", what, Span(c.Timespan))}
	if len(c.GroupBy) > 0 {
		out = append(out, fmt.Sprintf("Counted for each %s by itself; records that lack one are left out.", strings.Join(c.GroupBy, " and ")))
	}
	for _, a := range c.Aliases {
		for _, p := range a.Of {
			out = append(out, fmt.Sprintf("  %s is %s in %s", a.Name, p.Field, p.Rule))
		}
	}
	if !c.Generate {
		out = append(out, "Its rules raise no alerts of their own.")
	}
	return append(out, fmt.Sprintf("The alert ends after %s without another.", Span(c.Tocsin.Quiet)))
}

// Span writes a time span as rules do: "90s", "30m", "2h", "30d".
func Span(d time.Duration) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d >= u.unit && d%u.unit == 0 {
			return fmt.Sprintf("%d%s", d/u.unit, u.name)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
