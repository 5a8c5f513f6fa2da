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
		return d.Correlation.explain(func(string) string { return "" })
	case d.Filter != nil:
		return d.Filter.explain()
	}
	return nil
}

func (u *Rule) explain() []string {
	out := []string{fmt.Sprintf("Reads %s.", u.LogSource.words())}
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
	if u.Level == "informational" {
		return append(out, "It marks lines for other rules, and raises no alert.")
	}
	group := "address (or account, or file, where the line says none)"
	if len(u.Tocsin.Group) > 0 {
		group = groupWords(u.Tocsin.Group)
	}
	return append(out, fmt.Sprintf("One alert for each %s; it ends after %s without a match.", group, spanWords(u.Tocsin.Quiet)))
}

// groupWords names the fields that an alert is told apart by: "address (source.ip)".
func groupWords(fields []string) string {
	var out []string
	for _, f := range fields {
		if w := fieldWords[f]; w != "" {
			f = strings.TrimPrefix(w, "the ") + " (" + f + ")"
		}
		out = append(out, f)
	}
	return strings.Join(out, " and ")
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
		case m == "i":
			remarks = append(remarks, "in upper or lower case")
		default:
			remarks = append(remarks, m)
		}
	}
	values := slices.Clone(t.said)
	if len(values) == 1 && values[0] == "null" {
		values[0] = "missing"
	}
	if verb == verbs["exists"] && len(values) == 1 {
		there := map[string]string{"true": who + " is there", "false": who + " is missing"}[values[0]]
		if there != "" && !t.negate && len(remarks) == 0 {
			return there
		}
	}
	if more := len(values) - maxValues; more > 0 {
		values = append(values[:maxValues], fmt.Sprintf("and %d more", more))
	}
	for i := range values {
		values[i] = cutWords(values[i])
	}
	quantity := ""
	if len(t.said) > 1 {
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

// maxValues is how many values of a term are shown: of some rules there are a hundred, and the rule's own text has them.
const maxValues = 12

// ExplainWith is Explain, with a func that gives the title of a rule by its id or name, or "".
func (d Document) ExplainWith(title func(string) string) []string {
	if d.Correlation != nil {
		return d.Correlation.explain(title)
	}
	return d.Explain()
}

// When says what fulfils the correlation, as the end of a sentence: "when, within 10 minutes, at least 10 lines match ...".
func (c *Correlation) When(title func(string) string) string {
	when := "when " + c.what(c.named(title))
	if c.Type != Temporal || len(c.Rules) > 1 {
		when = "when, within " + spanWords(c.Timespan) + ", " + c.what(c.named(title))
	}
	if len(c.GroupBy) > 0 {
		when += fmt.Sprintf(", counted for each %s by itself", groupWords(c.GroupBy))
	}
	return when
}

func (c *Correlation) explain(title func(string) string) []string {
	lead := "Raises an alert"
	if c.Level == "informational" {
		lead = "Marks lines for other rules, and raises no alert. It is met"
	}
	out := []string{lead + " " + c.When(title) + "."}
	for _, a := range c.Aliases {
		for _, p := range a.Of {
			out = append(out, fmt.Sprintf("  %s is %s in %s", a.Name, p.Field, p.Rule))
		}
	}
	if len(c.GroupBy) > 0 {
		out = append(out, "Lines that do not name it are not counted.")
	}
	if c.Level == "informational" {
		return out
	}
	if !c.Generate {
		out = append(out, "The rules that it counts raise no alerts of their own.")
	}
	return append(out, fmt.Sprintf("The alert ends after %s without another.", spanWords(c.Tocsin.Quiet)))
}

// named lists the correlation's rules by their titles where they are known.
func (c *Correlation) named(title func(string) string) []string {
	var out []string
	for _, r := range c.Rules {
		if t := title(r); t != "" {
			r = t
		}
		out = append(out, `"`+r+`"`)
	}
	return out
}

// what says what a correlation waits for.
func (c *Correlation) what(rules []string) string {
	n := boundsInWords(c.Bounds)
	lines := "lines that match " + strings.Join(rules, " or ")
	every := c.Bounds[0] == (Bound{"gte", float64(len(c.Rules))}) && len(c.Bounds) == 1
	var field, several []string
	for _, f := range c.Fields {
		w := f
		if w = strings.TrimSuffix(FieldWords(f), ","); w != f {
			w += " (" + f + ")"
		}
		field = append(field, w)
		several = append(several, manyWords(f))
	}
	of := strings.Join(field, " and ")
	switch c.Type {
	case EventCount:
		if n == "at least 1" {
			return "a line matches " + strings.Join(rules, " or ")
		}
		return n + " lines match " + strings.Join(rules, " or ")
	case ValueCount:
		return fmt.Sprintf("%s have %s different %s", lines, n, strings.Join(several, " and "))
	case ValueSum:
		return fmt.Sprintf("in %s %s adds up to %s", lines, of, n)
	case ValueAvg:
		return fmt.Sprintf("in %s %s is on average %s", lines, of, n)
	case ValuePercentile:
		if c.Percentile > 0 {
			return fmt.Sprintf("of %s, %d in a hundred have as %s what is not above a value that is %s", lines, c.Percentile, of, n)
		}
		return fmt.Sprintf("of %s, %s in a hundred have the same value of %s as the last one", lines, n, of)
	case Temporal:
		switch {
		case every && len(rules) == 1:
			return "a line matches " + rules[0]
		case every:
			return strings.Join(rules, " and ") + " match"
		}
		return fmt.Sprintf("%s of the rules %s match", n, strings.Join(rules, ", "))
	}
	if every {
		return strings.Join(rules, ", and then ") + " match"
	}
	return fmt.Sprintf("%s of the rules %s match, in this order", n, strings.Join(rules, ", "))
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
