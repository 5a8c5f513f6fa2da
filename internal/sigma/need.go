package sigma

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	minLiteral = 2   // bytes; a shorter one is found nearly everywhere
	maxTexts   = 200 // literals of one regular expression
	maxCross   = 64
	maxTextLen = 128 // bytes of one
	maxClass   = 16  // characters of a class that is written out
)

// regexNeed returns folded texts of which one is in every text that a regular expression matches, nil when there are none that
// are worth looking for. The idea is that of RE2's and codesearch's prefilters (R. Cox, "Regular Expression Matching
// with a Trigram Index", 2012): for each part either all texts that it can match, or texts of which one must be there.
func regexNeed(expr string) []string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	return needed(re.Simplify()).best()
}

// wordings is what is known of a part of a regular expression.
type wordings struct {
	all   []string // when whole: every folded text that the part can match
	whole bool
	some  []string // otherwise: one of them is in every match; nil: unknown
}

// best returns the literals to look for.
func (t wordings) best() []string {
	if t.whole {
		return worth(t.all)
	}
	return t.some
}

// worth returns the texts, without those that hold another, when each is long enough to look for.
func worth(all []string) []string {
	if len(all) == 0 || len(all) > maxTexts {
		return nil
	}
	for _, s := range all {
		if len(s) < minLiteral || strings.ContainsRune(s, utf8.RuneError) {
			return nil
		}
	}
	var out []string
	for i, s := range all {
		if !slices.ContainsFunc(all, func(o string) bool { return o != s && strings.Contains(s, o) }) && !slices.Contains(all[:i], s) {
			out = append(out, s)
		}
	}
	return out
}

// rarer reports whether a is the better set to look for: its shortest text is longer, or there are fewer.
func rarer(a, b []string) bool {
	if a == nil || b == nil {
		return a != nil
	}
	x, y := shortest(a), shortest(b)
	if min(x, 6) != min(y, 6) {
		return x > y
	}
	return len(a) < len(b)
}

func shortest(all []string) int {
	n := len(all[0])
	for _, s := range all {
		n = min(n, len(s))
	}
	return n
}

func one(s string) wordings { return wordings{all: []string{s}, whole: true} }

func needed(re *syntax.Regexp) wordings {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return one("")
	case syntax.OpLiteral:
		return one(Fold(string(re.Rune)))
	case syntax.OpCharClass:
		return class(re.Rune)
	case syntax.OpCapture:
		return needed(re.Sub[0])
	case syntax.OpQuest:
		if t := needed(re.Sub[0]); t.whole {
			return limited(append([]string{""}, t.all...))
		}
		return wordings{}
	case syntax.OpPlus:
		t := needed(re.Sub[0])
		return wordings{some: t.best()}
	case syntax.OpRepeat:
		if re.Min > 0 {
			return wordings{some: needed(re.Sub[0]).best()}
		}
		return wordings{}
	case syntax.OpConcat:
		return concat(re.Sub)
	case syntax.OpAlternate:
		return alternate(re.Sub)
	}
	return wordings{} // any character, star, no match
}

// class writes out a small class of characters.
func class(ranges []rune) wordings {
	var all []string
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] >= 2*maxClass {
			return wordings{}
		}
		for c := ranges[i]; c <= ranges[i+1]; c++ {
			if c == utf8.RuneError || c >= utf8.RuneSelf && c <= 0xff {
				return wordings{} // a broken byte reads as RuneError; be careful
			}
			if s := Fold(string(c)); !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	if len(all) > maxClass {
		return wordings{}
	}
	return limited(all)
}

func limited(all []string) wordings {
	if len(all) == 0 || len(all) > maxTexts {
		return wordings{some: worth(all)}
	}
	for _, s := range all {
		if len(s) > maxTextLen {
			return wordings{some: worth(all)}
		}
	}
	return wordings{all: all, whole: true}
}

func concat(parts []*syntax.Regexp) wordings {
	run := one("") // what the parts since the last unknown one can match
	var some []string
	whole := true
	keep := func(t wordings) {
		if b := t.best(); rarer(b, some) {
			some = b
		}
	}
	for _, p := range parts {
		t := needed(p)
		if t.whole {
			if next := cross(run.all, t.all); next.whole {
				run = next
				continue
			}
			keep(run)
			whole, run = false, t
			continue
		}
		keep(run)
		keep(t)
		whole, run = false, one("")
	}
	if whole {
		return run
	}
	keep(run)
	return wordings{some: some}
}

// cross is every text of a followed by every text of b.
func cross(a, b []string) wordings {
	if len(a)*len(b) > maxCross {
		return wordings{}
	}
	var all []string
	for _, x := range a {
		for _, y := range b {
			if s := x + y; !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return limited(all)
}

func alternate(parts []*syntax.Regexp) wordings {
	var all, some []string
	whole, known := true, true
	for _, p := range parts {
		t := needed(p)
		b := t.best()
		whole, known = whole && t.whole, known && b != nil
		all, some = append(all, t.all...), append(some, b...)
	}
	slices.Sort(all)
	slices.Sort(some)
	if whole {
		return limited(slices.Compact(all))
	}
	if !known {
		return wordings{}
	}
	return wordings{some: worth(slices.Compact(some))}
}
