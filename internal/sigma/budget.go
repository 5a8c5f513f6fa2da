package sigma

import (
	"fmt"
	"regexp/syntax"
	"strings"
)

// # The budget of patterns without a text to look for
//
// Most patterns hold a text that must be there, so that the index passes over records without it. One without, such as
// .{1000,} or \d+\.\d+, is tried on every record of its log source, and a client can make it cost: a regular expression takes up to
// as many steps for each byte as its program has instructions. So such a pattern has a budget in each record: it sees at
// most MaxRegex bytes, and at most maxSteps divided by its instructions. And a rule has one: when its patterns without a
// text take more than maxRuleSteps steps for each byte together, the rule is over its budget, and is set aside when it is
// loaded, which is shown. That is decided once, from the rule alone: if what lines cost set rules aside, an attacker would
// choose which rules watch.
//
// Of SigmaHQ's rules none is over the budget; the most costly has a program of 1,003 instructions (.{1000,}).

const (
	maxSteps     = 512 * MaxRegex // of one pattern in one value, some milliseconds
	maxRuleSteps = 2048           // of a rule, for each byte
)

// budgeted sets how much a regular expression may see.
func (w *want) budgeted() {
	w.sees = MaxRegex
	if regexNeed(w.regex.String()) != nil {
		return
	}
	if re, err := syntax.Parse(w.regex.String(), syntax.Perl); err == nil {
		if p, err := syntax.Compile(re.Simplify()); err == nil {
			w.steps = len(p.Inst)
			w.sees = min(MaxRegex, maxSteps/max(w.steps, 1))
		}
	}
}

// costs is how many steps a pattern without a text takes for each byte, at most; 0 of anything else.
func (w *want) costs(t *term) int {
	if w.kind == wantText && w.pattern.shape == glob && !needOf(t, w).known() {
		return len(w.pattern.marks)
	}
	return w.steps
}

// OverBudget says why a rule is too costly to be used, "" when it is not.
func (u *Rule) OverBudget() string {
	steps, most, worst := 0, 0, ""
	var walk func(e *expr)
	walk = func(e *expr) {
		if e.term != nil {
			for i := range e.term.wants {
				n := e.term.wants[i].costs(e.term)
				if steps += n; n > most {
					most, worst = n, e.term.words()
				}
			}
		}
		for _, k := range e.kids {
			walk(k)
		}
	}
	if u.expr != nil {
		walk(u.expr)
	}
	if steps <= maxRuleSteps {
		return ""
	}
	if len(worst) > maxShown {
		worst = strings.ToValidUTF8(worst[:maxShown], "") + "..."
	}
	return fmt.Sprintf("over its budget: patterns without a text that must be there take up to %d steps for each byte of every record, and %d are the most; give them a text of two characters or more, or fewer repetitions (%s)", steps, maxRuleSteps, worst)
}

// Lacks names the fields without which a rule can never match and that no parser here gives: unless an application's own log has
// them, the rule rests. None: it can match.
func (u *Rule) Lacks() []string {
	loose := map[Field]bool{}
	for _, f := range u.loose {
		loose[f] = true
	}
	if len(loose) == 0 || u.expr == nil {
		return nil
	}
	if can, _ := u.expr.may(loose); can {
		return nil
	}
	return u.Loose()
}

// may says whether a formula can hold, and whether it can fail, when some fields are always missing.
func (e *expr) may(missing map[Field]bool) (hold, fail bool) {
	if t := e.term; t != nil {
		if t.keyword || !missing[t.field] {
			return true, true
		}
		hold = t.all
		for i := range t.wants {
			w := &t.wants[i]
			if is := w.kind == wantNull || w.kind == wantExists && !w.yes; is != t.all {
				hold = !t.all
			}
		}
		hold = hold != t.negate
		return hold, !hold
	}
	switch e.op {
	case opNot:
		hold, fail = e.kids[0].may(missing)
		return fail, hold
	case opAnd:
		hold = true
		for _, k := range e.kids {
			h, f := k.may(missing)
			hold, fail = hold && h, fail || f
		}
		return hold, fail
	}
	fail = true
	for _, k := range e.kids {
		h, f := k.may(missing)
		hold, fail = hold || h, fail && f
	}
	return hold, fail
}
