package sigma

import "tocsin/internal/record"

// Reads reports whether the rule or one of its filters asks for a field of a kind.
func (u *Rule) Reads(is func(record.Field) bool) (found bool) {
	all := u.selections
	for _, f := range u.filters {
		all = append(all[:len(all):len(all)], f.selections...)
	}
	of := func(f Field) { found = found || f.place == placeKnown && is(f.known) }
	for _, s := range all {
		s.expr.terms(func(t *term) {
			if !t.keyword {
				of(t.field)
			}
			for _, w := range t.wants {
				if w.kind == wantField {
					of(w.field)
				}
			}
		})
	}
	return found
}
