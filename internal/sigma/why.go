package sigma

import (
	"fmt"
	"strings"
	"time"

	"tocsin/internal/record"
)

// Why says whether a record matches the rule, and which parts of it hold: a line each, indented by two blanks for each level, "yes" or
// "no " before the words, and behind a term what the record has there. Times are read in zone; nil is UTC. The
// record's texts are in it as they are: not safe to show without escaping.
func (u *Rule) Why(r *record.Record, zone *time.Location) (lines []string, matches bool) {
	v := NewView(zone)
	v.Reset(r)
	for _, s := range u.selections {
		lines = s.expr.why(v, s.name+": ", 0, lines)
	}
	matches = u.expr.match(v)
	for i, c := range u.Conditions {
		lead := "condition: "
		if i > 0 {
			lead = "or condition: "
		}
		lines = append(lines, mood(matches)+lead+c)
	}
	return lines, matches
}

func mood(yes bool) string {
	if yes {
		return "yes  "
	}
	return "no   "
}

func (e *expr) why(v *View, name string, depth int, lines []string) []string {
	for e.term == nil && len(e.kids) == 1 && e.op != opNot {
		e = e.kids[0]
	}
	lead := strings.Repeat("  ", depth) + mood(e.match(v)) + name
	if e.term != nil {
		return append(lines, lead+e.term.words()+e.term.has(v))
	}
	lines = append(lines, lead+map[op]string{opAnd: "all of", opOr: "one of", opNot: "not"}[e.op])
	for _, k := range e.kids {
		lines = k.why(v, "", depth+1, lines)
	}
	return lines
}

const maxShown = 160 // bytes of a value

// has words what the record has in a term's field.
func (t *term) has(v *View) string {
	if t.keyword {
		return ""
	}
	var values []string
	for i := 0; ; i++ {
		s := v.at(t.field, i)
		if s == nil {
			break
		}
		text := s.value.Text
		if len(text) > maxShown {
			text = strings.ToValidUTF8(text[:maxShown], "") + "..."
		}
		values = append(values, fmt.Sprintf("%q", text))
	}
	if len(values) == 0 {
		return "; the line has none"
	}
	return "; it is " + strings.Join(values, ", ")
}
