package sigma

import (
	"time"

	"tocsin/internal/record"
)

// A Held is one selection of a rule, and what of it a record has.
type Held struct {
	Selection string
	Yes       bool     // the record has it
	Parts     []string // if so: what makes it hold, in words, a line each
}

// maxParts is how many lines a selection has at most: a record can fulfil many of a long list.
const maxParts = 12

// Held says why a record matches the rule: for each selection that holds only what makes it hold, and of a list of values only those that
// the record has. Why says also what does not hold. Times are read in zone; nil is UTC. The record's texts are in it as they
// are: not safe to show without escaping.
func (u *Rule) Held(r *record.Record, zone *time.Location) (held []Held, matches bool) {
	v := NewView(zone)
	v.Reset(r)
	for _, s := range u.selections {
		h := Held{Selection: s.name, Yes: s.expr.match(v)}
		if h.Yes {
			h.Parts = s.expr.held(v, nil)
		}
		held = append(held, h)
	}
	return held, u.expr.match(v)
}

// held collects the terms that make e hold, which it does.
func (e *expr) held(v *View, parts []string) []string {
	if len(parts) >= maxParts {
		return parts
	}
	if e.term != nil {
		return append(parts, e.term.holding(v))
	}
	if e.op == opNot {
		return e.kids[0].reasons(v, false, parts)
	}
	for _, k := range e.kids {
		if k.match(v) {
			parts = k.held(v, parts)
		}
	}
	return parts
}

// holding says why a term holds, in words.
func (t *term) holding(v *View) string { return t.reason(v, true) }
