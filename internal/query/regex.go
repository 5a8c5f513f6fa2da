package query

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxProgram = 2000     // instructions of one regular expression (one like .{1000} has about as many as it counts to)
	maxSees    = 64 << 10 // bytes of a value that one is shown
	maxSteps   = 1 << 22  // instructions times bytes: some tens of milliseconds for the worst value
	flagOrder  = "ims"    // case does not count, ^ and $ at each line, "." takes line ends too
	maxNeeds   = 16       // texts of which one must be there
)

// Fits asks for a value that a regular expression matches, in the syntax of RE2 (package regexp). Flags are of "ims". The error
// says what is wrong with the expression.
func Fits(f Field, expression, flags string) (*Expr, error) {
	ordered := ""
	for _, c := range flagOrder {
		if strings.ContainsRune(flags, c) {
			ordered += string(c)
		}
	}
	full := expression
	if ordered != "" {
		full = "(?" + ordered + ")" + expression
	}
	tree, err := syntax.Parse(full, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxProgram {
		return nil, fmt.Errorf("it takes %d instructions, and at most %d are run", len(program.Inst), maxProgram)
	}
	re, err := regexp.Compile(full)
	if err != nil {
		return nil, err
	}
	return &Expr{Op: Matches, Field: f, Text: expression, Flags: ordered, Regex: re, Sees: min(maxSees, maxSteps/len(program.Inst)), needs: neededBy(tree.Simplify())}, nil
}

// Needs returns folded texts of which one is in the folded text of every value that a leaf holds for, so that a planner can pass over what
// has none of them; nil when there are none: the leaf may hold for any value. Of a number that counts (Equal with Numeric) there are
// none, because 10 is 10.0 too. All of a Matches lies in the first Sees bytes.
func (e *Expr) Needs() []string {
	need := ""
	switch e.Op {
	case Equal:
		if !e.Numeric {
			need = e.folded
		}
	case Contains:
		need = e.folded
	case Glob:
		for _, piece := range e.glob {
			if len(piece) > len(need) {
				need = piece
			}
		}
	case Matches:
		return e.needs
	}
	if need == "" {
		return nil
	}
	return []string{need}
}

// neededBy returns folded texts of which one is in whatever a part of a regular expression matches. Of a sequence it is the best of its
// parts', so texts that go over two parts are not put together: that costs some selectivity and keeps this short.
func neededBy(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		s := Folded(string(re.Rune))
		if slices.Contains(re.Rune, utf8.RuneError) { // it stands for a broken byte too
			return nil
		}
		return []string{s}
	case syntax.OpCapture, syntax.OpPlus:
		return neededBy(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return neededBy(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if need := neededBy(sub); rarer(need, best) {
				best = need
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			need := neededBy(sub)
			if need == nil || len(all)+len(need) > maxNeeds {
				return nil
			}
			all = append(all, need...)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	return nil
}

// rarer reports whether a is better to look for than b: its shortest text is longer, or as long and there are fewer.
func rarer(a, b []string) bool {
	if a == nil || b == nil {
		return a != nil
	}
	shortest := func(all []string) int {
		n := len(all[0])
		for _, s := range all {
			n = min(n, len(s))
		}
		return n
	}
	x, y := shortest(a), shortest(b)
	return x > y || x == y && len(a) < len(b)
}
