package sigma

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// An automaton holds several regular expressions against a text in one pass, each character once, whatever the expressions
// are: a deterministic automaton whose states are made when they are first met (K. Thompson, "Regular Expression Search
// Algorithm", 1968; R. Cox, "Regular Expression Matching Can Be Simple And Fast", 2007). It says of each expression whether
// it matches somewhere, as regexp.MatchString does. States are limited: when there are too many they are all forgotten,
// and a text for which that happens again and again is left to package regexp.
//
// An automaton learns while it runs, so each goroutine needs its own.
type automaton struct {
	insts  []syntax.Inst // of all expressions, one behind the other
	starts []uint32
	member []int32 // by instruction: which expression it is of

	ascii  [utf8.RuneSelf]uint8
	bounds []rune  // where stretches of characters of one class begin, ascending
	above  []uint8 // the class of each
	reps   []rune  // a character of each class
	width  int     // classes, and one for the end of the text

	index  map[string]int32
	states []dfaState
	next   []int32 // by state and class: a state, or unmade; with accepts set, expressions match before the class
	hits   map[int32][]int32

	held    int      // instructions that the states name, together
	set     sparse   // reused
	stack   []uint32 // reused
	key     []byte   // reused
	resets  int      // within one text
	gaveUp  bool     // on the last text, or, when useless, on all
	useless bool     // the expressions are too large
	matched []bool   // by expression, of the last text
	left    int      // of them, that have not matched
}

// A dfaState is instructions before which a text may stand, and what its last character was.
type dfaState struct {
	insts []uint32
	last  lastKind
}

type lastKind uint8

const (
	lastNone lastKind = iota // the text begins
	lastLine                 // a line end
	lastWord
	lastOther
)

const (
	unmade  = -1
	accepts = 1 << 30

	maxStates  = 4096
	maxHeld    = 1 << 18 // instructions of all states together: 1 MB
	maxResets  = 2
	maxClasses = 250
	maxInsts   = 4000 // of all expressions of an automaton
)

// newAutomaton returns the automaton of expressions in Go's syntax. One of expressions that are too many or too large gives
// up on every text.
func newAutomaton(exprs []string) *automaton {
	a := &automaton{matched: make([]bool, len(exprs))}
	for k, e := range exprs {
		if !a.add(e, int32(k)) {
			a.useless = true
			return a
		}
	}
	if !a.classify() {
		a.useless = true
		return a
	}
	a.set.grow(len(a.insts))
	a.forget()
	return a
}

// add takes in an expression; false when it is too large.
func (a *automaton) add(expr string, k int32) bool {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return false
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil || len(a.insts)+len(prog.Inst) > maxInsts {
		return false
	}
	at := uint32(len(a.insts))
	for _, in := range prog.Inst {
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			in.Out, in.Arg = in.Out+at, in.Arg+at
		case syntax.InstMatch, syntax.InstFail:
		default:
			in.Out += at
		}
		a.insts = append(a.insts, in)
		a.member = append(a.member, k)
	}
	a.starts = append(a.starts, at+uint32(prog.Start))
	return true
}

// classify divides the characters into classes that no instruction tells apart.
func (a *automaton) classify() bool {
	cuts := []rune{0, '\n', '\n' + 1, '0', '9' + 1, 'A', 'Z' + 1, '_', '_' + 1, 'a', 'z' + 1, utf8.RuneSelf, utf8.RuneError, utf8.RuneError + 1}
	for i := range a.insts {
		in := &a.insts[i]
		switch in.Op {
		case syntax.InstRune, syntax.InstRune1:
			if len(in.Rune) == 1 {
				cuts = append(cuts, in.Rune[0], in.Rune[0]+1)
				if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
					for r := unicode.SimpleFold(in.Rune[0]); r != in.Rune[0]; r = unicode.SimpleFold(r) {
						cuts = append(cuts, r, r+1)
					}
				}
				continue
			}
			for j := 0; j+1 < len(in.Rune); j += 2 {
				cuts = append(cuts, in.Rune[j], in.Rune[j+1]+1)
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.DeleteFunc(slices.Compact(cuts), func(r rune) bool { return r > unicode.MaxRune })
	// Of the stretches between cuts, those that every instruction treats alike are one class.
	seen := map[string]uint8{}
	var classOf []uint8
	for _, r := range cuts {
		k := a.signature(r)
		c, ok := seen[k]
		if !ok {
			if len(seen) == maxClasses {
				return false
			}
			c = uint8(len(seen))
			seen[k] = c
			a.reps = append(a.reps, r)
		}
		classOf = append(classOf, c)
	}
	a.bounds = cuts
	a.width = len(a.reps) + 1
	for r := range a.ascii {
		i, found := slices.BinarySearch(cuts, rune(r))
		if !found {
			i--
		}
		a.ascii[r] = classOf[i]
	}
	a.above = classOf
	return true
}

// signature says which instructions take a character, and of what kind it is.
func (a *automaton) signature(r rune) string {
	b := []byte{byte(kindOf(r))}
	for i := range a.insts {
		if takes(&a.insts[i], r) {
			b = binary.AppendUvarint(b, uint64(i))
		}
	}
	return string(b)
}

func takes(in *syntax.Inst, r rune) bool {
	switch in.Op {
	case syntax.InstRune, syntax.InstRune1:
		return in.MatchRune(r)
	case syntax.InstRuneAny:
		return true
	case syntax.InstRuneAnyNotNL:
		return r != '\n'
	}
	return false
}

func kindOf(r rune) lastKind {
	switch {
	case r == '\n':
		return lastLine
	case syntax.IsWordChar(r):
		return lastWord
	}
	return lastOther
}

// class returns the class of a character that is not ASCII.
func (a *automaton) class(r rune) uint8 {
	i, found := slices.BinarySearch(a.bounds, r)
	if !found {
		i--
	}
	return a.above[i]
}

// forget begins with the first state alone.
func (a *automaton) forget() {
	a.states, a.next, a.held = a.states[:0], a.next[:0], 0
	a.index, a.hits = map[string]int32{}, map[int32][]int32{}
	a.state(nil, lastNone)
}

// state returns the state of a sorted set of instructions.
func (a *automaton) state(insts []uint32, last lastKind) int32 {
	a.key = append(a.key[:0], byte(last))
	for _, i := range insts {
		a.key = binary.LittleEndian.AppendUint16(a.key, uint16(i))
	}
	if s, ok := a.index[string(a.key)]; ok {
		return s
	}
	s := int32(len(a.states))
	a.index[string(a.key)] = s
	a.states = append(a.states, dfaState{slices.Clone(insts), last})
	a.held += len(insts)
	for range a.width {
		a.next = append(a.next, unmade)
	}
	return s
}

// run holds all expressions against a text; a.matched says then which match. It returns false when it gave up.
func (a *automaton) run(text string) bool {
	a.gaveUp = a.useless
	if a.useless {
		return false
	}
	clear(a.matched)
	a.left, a.resets = len(a.matched), 0
	s, w := int32(0), int32(a.width)
	for i := 0; i < len(text); {
		var c uint8
		if b := text[i]; b < utf8.RuneSelf {
			c = a.ascii[b]
			i++
		} else {
			r, n := utf8.DecodeRuneInString(text[i:])
			c = a.class(r)
			i += n
		}
		n := a.next[s*w+int32(c)]
		if n < 0 || n >= accepts {
			if n < 0 {
				n = a.make(s, int(c))
			}
			if n >= accepts {
				a.accept(s*w + int32(c))
				if a.left == 0 {
					return true
				}
				n &^= accepts
			}
			if len(a.states) > maxStates || a.held > maxHeld {
				if a.resets++; a.resets > maxResets {
					a.gaveUp = true
					return false
				}
				n = a.restart(n)
			}
		}
		s = n
	}
	end := s*w + w - 1
	if a.next[end] == unmade {
		a.make(s, a.width-1)
	}
	if a.next[end] >= accepts {
		a.accept(end)
	}
	return true
}

// restart forgets all states but one, which it returns.
func (a *automaton) restart(s int32) int32 {
	x := a.states[s]
	a.forget()
	return a.state(x.insts, x.last)
}

func (a *automaton) accept(edge int32) {
	for _, k := range a.hits[edge] {
		if !a.matched[k] {
			a.matched[k] = true
			a.left--
		}
	}
}

// make works out where a class leads from a state, and which expressions match before it.
func (a *automaton) make(s int32, c int) int32 {
	x := a.states[s]
	end := c == a.width-1
	flags, kind := emptyAt(x.last, end, 0), lastOther
	if !end {
		flags, kind = emptyAt(x.last, false, a.reps[c]), kindOf(a.reps[c])
	}
	a.set.clear()
	var hits []int32
	for _, i := range x.insts {
		hits = a.follow(i, flags, hits)
	}
	for _, i := range a.starts { // an expression may begin anywhere
		hits = a.follow(i, flags, hits)
	}
	var out []uint32
	if !end {
		for _, i := range a.set.all {
			if in := &a.insts[i]; takes(in, a.reps[c]) {
				out = append(out, in.Out)
			}
		}
	}
	slices.Sort(out)
	n := a.state(slices.Compact(out), kind)
	edge := s*int32(a.width) + int32(c)
	if len(hits) > 0 {
		a.hits[edge] = hits
		n |= accepts
	}
	a.next[edge] = n
	return n
}

// follow adds the instructions that are reached from one without a character, and the expressions that end there.
func (a *automaton) follow(i uint32, flags syntax.EmptyOp, hits []int32) []int32 {
	a.stack = append(a.stack[:0], i)
	for len(a.stack) > 0 {
		i := a.stack[len(a.stack)-1]
		a.stack = a.stack[:len(a.stack)-1]
		if !a.set.add(i) {
			continue
		}
		switch in := &a.insts[i]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			a.stack = append(a.stack, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			a.stack = append(a.stack, in.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^flags == 0 {
				a.stack = append(a.stack, in.Out)
			}
		case syntax.InstMatch:
			if !slices.Contains(hits, a.member[i]) {
				hits = append(hits, a.member[i])
			}
		}
	}
	return hits
}

// emptyAt says which empty expressions hold between a last character and the next.
func emptyAt(last lastKind, end bool, next rune) syntax.EmptyOp {
	before := [...]rune{lastNone: -1, lastLine: '\n', lastWord: 'a', lastOther: ' '}[last]
	if end {
		next = -1
	}
	return syntax.EmptyOpContext(before, next)
}

// A sparse is a set of small numbers, in the order in which they came (Briggs and Torczon, 1993).
type sparse struct {
	all   []uint32
	place []uint32
}

func (s *sparse) grow(n int) { s.place = make([]uint32, n) }
func (s *sparse) clear()     { s.all = s.all[:0] }

func (s *sparse) add(i uint32) bool {
	if p := s.place[i]; int(p) < len(s.all) && s.all[p] == i {
		return false
	}
	s.place[i] = uint32(len(s.all))
	s.all = append(s.all, i)
	return true
}
