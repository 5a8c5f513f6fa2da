package sigma

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
)

// Why says whether a record matches the rule, and why, in words for somebody who has no time: a reason each, and only those that
// decided. Of a rule that matches they say what the record has; of one that does not, what it lacks. Times are read in zone; nil
// is UTC. The record's texts are in it as they are: not safe to show without escaping.
func (u *Rule) Why(r *record.Record, zone *time.Location) (reasons []string, matches bool) {
	v := NewView(zone)
	v.Reset(r)
	matches = u.expr.match(v)
	for _, s := range u.expr.reasons(v, matches, nil) {
		if !slices.Contains(reasons, s) {
			reasons = append(reasons, s)
		}
	}
	return reasons, matches
}

// reasons lists why a formula holds, or why not: of several things that must hold, all that do or each that does not; of several
// of which one is enough, the first that does, or all that do not.
func (e *expr) reasons(v *View, holds bool, out []string) []string {
	if e.term != nil {
		return append(out, e.term.reason(v, holds))
	}
	if e.op == opNot {
		return e.kids[0].reasons(v, !holds, out)
	}
	for _, k := range e.kids {
		if k.match(v) != holds {
			continue
		}
		out = k.reasons(v, holds, out)
		if holds && e.op == opOr {
			return out
		}
	}
	return out
}

const (
	maxShown  = 120 // bytes of a value
	maxListed = 4   // values of a rule that are named
)

// reason words why a term holds for a record, or why not.
func (t *term) reason(v *View, holds bool) string {
	if t.keyword {
		return t.keywordReason(v, holds)
	}
	who := FieldWords(t.field.Name())
	for _, m := range t.mods {
		switch m {
		case "minute", "hour", "day", "week", "month", "year":
			who = "the " + m
		}
	}
	first := v.at(t.field, 0)
	switch kind := t.wants[0].kind; {
	case first == nil && lookedUp(t.field.Name()):
		return "the line does not give " + noun(who) + ": that comes from the geo file, which may not be read here"
	case first == nil:
		return "the line does not give " + noun(who)
	case kind == wantExists:
		return "the line gives " + noun(who)
	case kind == wantNull:
		return who + " is there: " + show(first.value.Text)
	}
	if fact := facts[t.field.Name()][first.value.Text]; fact != "" && len(t.mods) == 0 {
		return fact
	}
	fits := holds != t.negate
	for i := 0; fits && !t.all; i++ {
		s := v.at(t.field, i)
		if s == nil {
			break
		}
		for n := range t.wants {
			if t.wants[n].holds(v, s) || t.wants[n].kind == wantPart && t.wants[n].match(v, t) {
				return who + " " + t.wants[n].says(v, s)
			}
		}
	}
	return who + " is " + t.shownValue(v, first) + ", " + t.wanted(fits)
}

// lookedUp reports whether a field is none of the log's, but found in the geo file.
func lookedUp(name string) bool {
	return strings.HasPrefix(name, "source.geo.") || strings.HasPrefix(name, "source.as.")
}

// facts are what values of fields say that are clearer than field and value.
var facts = map[string]map[string]string{
	"event.outcome": {"success": "it worked", "failure": "it failed"},
	"code.valid":    {"true": "the code exists", "false": "the code does not exist"},
	"user.realm": {"customer": "it is about a customer", "admin": "it is about the administration", "ssh": "it is about SSH", "ftp": "it is about FTP",
		"database": "it is about the database", "system": "it is about an account of the host"},
}

// noun is a field's words without the comma that stands before a verb.
func noun(words string) string { return strings.TrimSuffix(words, ",") }

// shownValue is a record's value; of a part of the time that part.
func (t *term) shownValue(v *View, s *subject) string {
	if t.field.place == placeTime {
		return v.record.Time.In(v.zone).Format("2006-01-02 15:04:05 MST")
	}
	if s.value.Kind == record.KindInt || s.value.Kind == record.KindFloat {
		return s.value.Text
	}
	return show(s.value.Text)
}

// says words what a value that holds has.
func (w *want) says(v *View, s *subject) string {
	text := s.value.Text
	switch w.kind {
	case wantText:
		p := &w.pattern
		switch p.shape {
		case exact:
			return "is " + show(text)
		case prefix:
			return "begins with " + show(p.need) + within(text, p.need)
		case suffix:
			return "ends with " + show(p.need) + within(text, p.need)
		case contains:
			return "has " + show(p.need) + " in it" + within(text, p.need)
		}
		return "is " + show(text)
	case wantNumber:
		return "is " + text
	case wantRegex:
		found := w.regex.FindString(text[:min(len(text), MaxRegex)])
		switch {
		case found == "" || found == text:
			return "is " + show(text) + ", which fits the pattern of the rule"
		}
		return "has " + show(found) + " in it" + within(text, found)
	case wantCIDR:
		return "is " + show(text) + ", which lies in " + w.net.String()
	case wantOrder:
		return "is " + text + ", " + orderWords[w.op] + " " + figure(w.num.F)
	case wantPart:
		return "of " + v.record.Time.In(v.zone).Format("2006-01-02 15:04:05 MST") + " is " + orderWords[w.op] + " " + figure(w.num.F)
	case wantField:
		return "is " + show(text) + ", the same as " + noun(FieldWords(w.field.Name()))
	}
	return "is " + show(text)
}

var orderWords = map[string]string{"lt": "less than", "lte": "at most", "gt": "more than", "gte": "at least", "neq": "not", "": ""}

// within says of what a found text is a part, unless that is short enough to be seen at once.
func within(text, part string) string {
	if len(text) == len(part) {
		return ""
	}
	return ": " + show(text)
}

// show quotes a text and cuts it.
func show(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "..."
	}
	return `"` + s + `"`
}

// wanted words what a term asks for, behind a value that fits or does not.
func (t *term) wanted(fits bool) string {
	not, does := "", "does "
	if !fits {
		not, does = "not ", "does not "
	}
	list := listed(t.said, t.all)
	w := &t.wants[0]
	switch w.kind {
	case wantRegex:
		what := "the pattern of the rule"
		if len(t.wants) > 1 {
			what = "any of the rule's " + figure(float64(len(t.wants))) + " patterns"
		}
		return "which " + does + "fit " + what
	case wantCIDR:
		return "which " + does + "lie in " + strings.ReplaceAll(list, "'", "")
	case wantOrder, wantPart:
		return not + orderWords[w.op] + " " + figure(w.num.F)
	case wantField:
		return not + "the same as " + noun(FieldWords(w.field.Name()))
	case wantText:
		if verb := map[shape]string{prefix: "begin with", suffix: "end with", contains: "have"}[w.pattern.shape]; verb != "" {
			return "which " + does + verb + " " + list
		}
	}
	return not + list
}

// listed names some of a rule's values.
func listed(said []string, all bool) string {
	more := len(said) - maxListed
	if more > 0 {
		said = said[:maxListed]
	}
	var out []string
	for _, s := range said {
		out = append(out, cutWords(s))
	}
	link := " or "
	if all {
		link = " and "
	}
	switch {
	case more > 0:
		return strings.Join(out, ", ") + link + figure(float64(more)) + " others that the rule names"
	case len(out) > 1:
		return strings.Join(out[:len(out)-1], ", ") + link + out[len(out)-1]
	}
	return strings.Join(out, "")
}

// keywordReason words why keywords are in a line, or are not.
func (t *term) keywordReason(v *View, holds bool) string {
	if holds && !t.negate && !t.all {
		for i := range t.wants {
			if w := &t.wants[i]; w.match(v, t) {
				switch {
				case w.kind == wantRegex:
					if found := w.regex.FindString(v.line.value.Text[:min(len(v.line.value.Text), MaxRegex)]); found != "" {
						return "the line has " + show(found) + " in it"
					}
				case w.pattern.need != "":
					return "the line has " + show(w.pattern.need) + " in it"
				}
				break
			}
		}
	}
	if holds != t.negate {
		return "the line has " + listed(t.said, t.all) + " in it"
	}
	return "the line does not have " + listed(t.said, t.all) + " in it"
}
