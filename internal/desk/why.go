package desk

import (
	"slices"

	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// A Because says what one rule makes of a line.
type Because struct {
	Title   string
	Format  string // as which the line was read; "no known format" otherwise
	Routed  bool   // the rule reads records of that log source
	Matches bool
	Lines   []string // which parts hold (sigma.Rule.Why)
}

// Why holds a line against a rule, or against each rule that a correlation reads, directly or through others.
func Why(set RuleSet, d sigma.Document, line string) (out []Because) {
	r := parseSample("", line)
	format := r.Format
	if format == "" {
		format = "no known format"
	}
	for _, u := range rulesBelow(set, d, nil) {
		b := Because{Title: u.Title, Format: format, Routed: u.Routed(r.Source)}
		b.Lines, b.Matches = u.Why(r, nil)
		if u.Reads(record.Field.Habit) {
			b.Lines = append(b.Lines, "(what is normal follows from the lines before this one: by itself it has no habit.*; replay says what all of them say)")
		}
		out = append(out, b)
	}
	return out
}

// rulesBelow lists the rules that a document reads, itself if it is one, each once.
func rulesBelow(set RuleSet, d sigma.Document, have []*sigma.Rule) []*sigma.Rule {
	if d.Rule != nil {
		if !slices.Contains(have, d.Rule) {
			have = append(have, d.Rule)
		}
		return have
	}
	for _, x := range set.Rules.Documents() {
		if m := x.Meta(); slices.Contains(d.Correlation.Rules, m.ID) && m.ID != "" || slices.Contains(d.Correlation.Rules, m.Name) && m.Name != "" {
			have = rulesBelow(set, x, have)
		}
	}
	return have
}
