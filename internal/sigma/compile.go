package sigma

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/record"
)

// A Set is rules made ready to be held against one record together. It says of each rule what Rule.Match says, and
// is made for speed: predicates that rules share are evaluated once, and most rules are never looked at, because of
// each rule a few predicates are known of which one must hold (its witnesses), and those are found by one scan of
// the record's text for their literals.
//
// A Set is not changed after Compile; each goroutine needs a Matcher of its own.
type Set struct {
	rules  []*Rule
	roots  []int32 // node of each rule
	nodes  []node
	preds  []pred
	fields []setField
	always []int32 // rules without a witness: evaluated for every record

	regions []region
	exact   []exactTable // by field: texts that a whole value may be
	numbers []numberTable
	extras  map[string]int32
	bundles []bundle
}

// A bundle is regular expressions of one field that are asked often: one automaton runs them all.
type bundle struct {
	field int32
	preds []int32
	exprs []string
}

// A node is a formula over predicates. Equal formulas are one node.
type node struct {
	op   op
	pred int32 // of opPred
	kids []int32
}

// opPred marks a node that is one predicate.
const opPred op = 255

// A pred is one want of one field, or a keyword.
type pred struct {
	field   int32 // place in Set.fields; keywordField
	term    *term // what the plain evaluator needs
	want    *want
	watched bool    // it can hold only where the scan found one of its literals, its text or its number
	direct  bool    // and the find is the proof
	rules   []int32 // whose witness it is
	bundle  int32   // of a regular expression: 1 + its place in Set.bundles; 0: it stands alone
}

const keywordField = -1

// A setField is a field that a predicate of the set looks at.
type setField struct {
	field Field
	plain bool // values are texts that can be compared as they are: not @timestamp
}

// An exactTable finds the predicates whose text a whole value is.
type exactTable struct {
	field int32
	lens  uint64 // bit min(len, 63)
	first [4]uint64
	preds map[string][]int32
}

// A numberTable finds the predicates whose number a value is.
type numberTable struct {
	field int32
	small [1024][]int32
	large map[int64][]int32
	all   []int32 // of both, for values that are not typed
}

// Compile makes a Set of rules. The sample is records as they are to come, for knowing what is rare among them; it changes the
// speed only, and may be empty.
func Compile(rules []*Rule, sample []*record.Record) *Set {
	s := compile(rules, estimate{
		found:   func(n need, _ int32, w *want) float64 { return n.guess(w) },
		window:  guess,
		present: func(int32) float64 { return 1 },
	})
	if len(sample) == 0 {
		return s
	}
	f := s.count(sample)
	return compile(rules, estimate{
		found:   func(_ need, p int32, _ *want) float64 { return f.pred(p) },
		window:  f.window,
		present: f.field,
	})
}

// An estimate says how often, per record, something is found.
type estimate struct {
	found   func(need, int32, *want) float64 // what a predicate needs
	window  func(string) float64             // four bytes
	present func(int32) float64              // a field, at all
}

// Often is how often a rule must be a candidate for all its predicates to be looked for by the scan, and rare how seldom such
// a predicate's need must be found, common when that is the proof already. A field that fewer records than unusual have is
// scanned by itself.
const often, rare, common, unusual, longEnough = 0.01, 0.05, 0.5, 0.1, 4

func compile(rules []*Rule, e estimate) *Set {
	c := &compiler{set: &Set{rules: rules, extras: map[string]int32{}}, estimate: e, nodes: map[string]int32{}, preds: map[string]int32{}, fields: map[Field]int32{},
		wanted: map[int32]bool{}, asked: map[int32]bool{}}
	for _, u := range rules {
		c.set.roots = append(c.set.roots, c.expr(u.expr))
	}
	c.witnesses()
	c.build()
	c.bundle()
	return c.set
}

type compiler struct {
	set *Set
	estimate
	nodes  map[string]int32
	preds  map[string]int32
	fields map[Field]int32
	needs  []need         // by pred
	wanted map[int32]bool // preds of rules that are candidates often
	asked  map[int32]bool // regular expressions of those that no scan keeps away
	key    []byte         // reused
}

// rate is how often what a predicate needs is found, per record.
func (c *compiler) rate(i int32) float64 { return c.found(c.needs[i], i, c.set.preds[i].want) }

func (c *compiler) expr(e *expr) int32 {
	if e.term != nil {
		return c.term(e.term)
	}
	var kids []int32
	for _, k := range e.kids {
		kids = append(kids, c.expr(k))
	}
	return c.node(e.op, kids)
}

func (c *compiler) term(t *term) int32 {
	var kids []int32
	for i := range t.wants {
		kids = append(kids, c.node(opPred, []int32{c.pred(t, &t.wants[i])}))
	}
	o := opOr
	if t.all {
		o = opAnd
	}
	n := c.node(o, kids)
	if t.negate {
		n = c.node(opNot, []int32{n})
	}
	return n
}

// node returns the node of a formula; kids of opPred is the predicate.
func (c *compiler) node(o op, kids []int32) int32 {
	if o == opAnd || o == opOr {
		if o == opOr {
			slices.Sort(kids)
			kids = slices.Compact(kids)
		}
		if len(kids) == 1 {
			return kids[0]
		}
	}
	c.key = append(c.key[:0], byte(o))
	for _, k := range kids {
		c.key = binary.AppendVarint(c.key, int64(k))
	}
	if n, ok := c.nodes[string(c.key)]; ok {
		return n
	}
	key := string(c.key)
	x := node{op: o, kids: kids}
	if o == opPred {
		x.pred, x.kids = kids[0], nil
	}
	n := int32(len(c.set.nodes))
	c.set.nodes = append(c.set.nodes, x)
	c.nodes[key] = n
	return n
}

func (c *compiler) pred(t *term, w *want) int32 {
	p := pred{field: keywordField, term: t, want: w}
	if !t.keyword {
		p.field = c.field(t.field)
	}
	key := strconv.Itoa(int(p.field)) + " " + w.key()
	if i, ok := c.preds[key]; ok {
		return i
	}
	i := int32(len(c.set.preds))
	c.preds[key] = i
	c.set.preds = append(c.set.preds, p)
	c.needs = append(c.needs, needOf(t, w))
	return i
}

func (c *compiler) field(f Field) int32 {
	if f.place == placeKnown {
		f.name = "" // rules of several log sources call it differently
	}
	if i, ok := c.fields[f]; ok {
		return i
	}
	i := int32(len(c.set.fields))
	c.fields[f] = i
	c.set.fields = append(c.set.fields, setField{field: f, plain: f.place != placeTime})
	if f.place == placeExtra {
		c.set.extras[f.name] = i
	}
	return i
}

// key says all that makes a want what it is.
func (w *want) key() string {
	if w.kind == wantText { // most are
		b := append(make([]byte, 0, 64), byte(w.kind), byte(w.pattern.shape), '-')
		if w.pattern.cased {
			b[2] = '+'
		}
		for _, m := range w.pattern.marks {
			b = binary.AppendUvarint(append(b, byte(m.kind)), uint64(len(m.text)))
			b = append(b, m.text...)
		}
		return string(b)
	}
	re := ""
	if w.regex != nil {
		re = w.regex.String()
	}
	return fmt.Sprintf("%d|%v|%v|%q|%v|%v|%q|%q|%v|%v|%v|%v|%v", w.kind, w.pattern.shape, w.pattern.cased, w.pattern.marks, w.net, w.num, w.op, w.part, w.yes, w.field, w.before, w.behind, w.cased) + re
}

// A need is what must be found for a predicate to hold: one of some literals somewhere in the value, or the whole value.
// The zero need is unknown.
type need struct {
	literals []string // folded, each of at least two bytes
	exact    bool     // the folded value is literals[0]
	number   bool     // the value is want.num
	direct   bool     // what is found is the proof
}

func (n need) known() bool { return len(n.literals) > 0 || n.number || n.exact }

// needOf says what a want needs.
func needOf(t *term, w *want) need {
	switch {
	case t.field.place == placeTime, t.field.place == placeFile:
		return need{}
	case w.kind == wantNumber && w.num.Whole:
		return need{number: true, direct: true}
	case w.kind == wantRegex:
		return need{literals: regexNeed(w.regex.String())}
	case w.kind != wantText:
		return need{}
	}
	p := &w.pattern
	if p.shape == exact && !t.keyword {
		return need{literals: []string{Fold(p.need)}, exact: true, direct: !p.cased}
	}
	best := ""
	for _, m := range p.marks {
		if f := Fold(m.text); m.kind == literal && len(f) > len(best) {
			best = f
		}
	}
	if len(best) < minLiteral {
		return need{}
	}
	return need{literals: []string{best}, direct: p.shape != glob && !p.cased}
}

// A choice is predicates of which one must hold for a formula to hold, and how often one is found, per record.
type choice struct {
	preds []int32
	rate  float64
	known bool
}

// witnesses chooses for each rule.
func (c *compiler) witnesses() {
	known := make(map[int32]choice, len(c.set.nodes))
	for i, root := range c.set.roots {
		w := c.choose(root, known)
		if !w.known || w.rate > often {
			c.want(root)
		}
		if !w.known {
			c.set.always = append(c.set.always, int32(i))
			continue
		}
		for _, p := range w.preds {
			c.set.preds[p].rules = append(c.set.preds[p].rules, int32(i))
		}
	}
}

// want notes the predicates of a formula that the scan can look for at little cost.
func (c *compiler) want(n int32) {
	x := &c.set.nodes[n]
	for _, k := range x.kids {
		c.want(k)
	}
	if x.op != opPred {
		return
	}
	d, p, rate := c.needs[x.pred], &c.set.preds[x.pred], c.rate(x.pred)
	if p.want.kind == wantRegex && p.field != keywordField && (!d.known() || rate > rare) {
		c.asked[x.pred] = true
	}
	most := rare
	if d.direct {
		most = common
	}
	if d.exact || d.number || len(d.literals) > 0 && len(shortestOf(d.literals)) >= longEnough && rate <= most {
		c.wanted[x.pred] = true
	}
}

func shortestOf(all []string) string {
	return slices.MinFunc(all, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
}

func (c *compiler) choose(n int32, known map[int32]choice) (w choice) {
	if w, ok := known[n]; ok {
		return w
	}
	x := &c.set.nodes[n]
	switch x.op {
	case opPred:
		if d := c.needs[x.pred]; d.known() {
			w = choice{[]int32{x.pred}, c.rate(x.pred), true}
		}
	case opAnd:
		for _, k := range x.kids {
			if o := c.choose(k, known); o.known && (!w.known || o.rate < w.rate) {
				w = o
			}
		}
	case opOr:
		w.known = len(x.kids) > 0
		for _, k := range x.kids {
			o := c.choose(k, known)
			if !o.known {
				w = choice{}
				break
			}
			w.preds, w.rate = append(slices.Clip(w.preds), o.preds...), w.rate+o.rate
		}
	}
	slices.Sort(w.preds)
	w.preds = slices.Compact(w.preds)
	known[n] = w
	return w
}

// build fills the tables. Watched are the witnesses, every regular expression and glob that has literals, because those are
// slow to try, and what else is asked often.
func (c *compiler) build() {
	s := c.set
	exact, numbers := map[int32]*exactTable{}, map[int32]*numberTable{}
	regions := map[int32]*regionPlan{}
	tabled := map[int32]bool{} // fields that are looked up in a table anyway: then it finds all that it can
	watch := func(i int) bool {
		p := &s.preds[i]
		d := c.needs[i]
		slow := (p.want.kind == wantRegex || p.want.kind == wantText && p.want.pattern.shape == glob) &&
			len(d.literals) > 0 && len(shortestOf(d.literals)) >= longEnough
		return d.known() && (len(p.rules) > 0 || slow || c.wanted[int32(i)])
	}
	for i := range s.preds {
		if d := c.needs[i]; watch(i) && (d.exact || d.number) {
			tabled[s.preds[i].field] = true
		}
	}
	for i := range s.preds {
		p, d := &s.preds[i], c.needs[i]
		if !watch(i) && !((d.exact || d.number) && tabled[p.field]) {
			continue
		}
		p.watched, p.direct = true, d.direct
		switch {
		case d.number:
			addNumber(numbers, p.field, p.want.num.I, int32(i))
		case d.exact:
			addExact(exact, p.field, d.literals[0], int32(i))
		default:
			c.plan(regions, int32(i), d.literals)
		}
	}
	for _, t := range exact {
		s.exact = append(s.exact, *t)
	}
	slices.SortFunc(s.exact, func(a, b exactTable) int { return cmp.Compare(a.field, b.field) })
	for _, t := range numbers {
		s.numbers = append(s.numbers, *t)
	}
	slices.SortFunc(s.numbers, func(a, b numberTable) int { return cmp.Compare(a.field, b.field) })
	c.regions(regions)
}

const mostBundled = 24 // expressions of one automaton: more would make too many states

// bundle puts the regular expressions that are asked often together.
func (c *compiler) bundle() {
	s := c.set
	open := map[int32]int32{} // by field: the bundle that takes more
	sizes := map[int32]int{}  // of bundles, in instructions
	for i := range s.preds {
		p := &s.preds[i]
		if !c.asked[int32(i)] || !s.fields[p.field].plain || p.want.sees < MaxRegex {
			continue
		}
		expr := p.want.regex.String()
		a := newAutomaton([]string{expr})
		if a.useless {
			continue
		}
		b, ok := open[p.field]
		if !ok || len(s.bundles[b].preds) == mostBundled || sizes[b]+len(a.insts) > maxInsts {
			b = int32(len(s.bundles))
			s.bundles = append(s.bundles, bundle{field: p.field})
			open[p.field] = b
		}
		x := &s.bundles[b]
		x.preds, x.exprs = append(x.preds, int32(i)), append(x.exprs, expr)
		p.bundle, sizes[b] = b+1, sizes[b]+len(a.insts)
	}
	for i := range s.bundles {
		if x := &s.bundles[i]; len(x.preds) > 1 && newAutomaton(x.exprs).useless { // too many kinds of characters together
			for _, p := range x.preds {
				s.preds[p].bundle = 0
			}
		}
	}
}

func addNumber(tables map[int32]*numberTable, field int32, n int64, pred int32) {
	t := tables[field]
	if t == nil {
		t = &numberTable{field: field, large: map[int64][]int32{}}
		tables[field] = t
	}
	t.all = append(t.all, pred)
	if n >= 0 && n < int64(len(t.small)) {
		t.small[n] = append(t.small[n], pred)
	} else {
		t.large[n] = append(t.large[n], pred)
	}
}

func addExact(tables map[int32]*exactTable, field int32, text string, pred int32) {
	t := tables[field]
	if t == nil {
		t = &exactTable{field: field, preds: map[string][]int32{}}
		tables[field] = t
	}
	t.preds[text] = append(t.preds[text], pred)
	t.lens |= 1 << min(len(text), 63)
	if text != "" {
		t.first[text[0]>>6] |= 1 << (text[0] & 63)
	}
}

// find returns the predicates of a folded value.
func (t *exactTable) find(folded string) []int32 {
	if t.lens>>min(len(folded), 63)&1 == 0 || folded != "" && t.first[folded[0]>>6]>>(folded[0]&63)&1 == 0 {
		return nil
	}
	return t.preds[folded]
}

func (t *numberTable) find(n int64) []int32 {
	if n >= 0 && n < int64(len(t.small)) {
		return t.small[n]
	}
	return t.large[n]
}

// Rules returns how many rules the set has.
func (s *Set) Rules() int { return len(s.rules) }

// Unwatched names the rules that have no witness, so that each record costs their evaluation.
func (s *Set) Unwatched() []*Rule {
	var out []*Rule
	for _, i := range s.always {
		out = append(out, s.rules[i])
	}
	return out
}

// String says what the set is made of, for people who look for what costs time.
func (s *Set) String() string {
	watched, literals := 0, 0
	for i := range s.regions {
		literals += len(s.regions[i].grams.literals)
	}
	for i := range s.preds {
		if s.preds[i].watched {
			watched++
		}
	}
	var names []string
	for _, f := range s.fields {
		names = append(names, cmp.Or(f.field.name, f.field.Name()))
	}
	return fmt.Sprintf("%d rules, %d of them without a witness; %d predicates, %d watched by %d literals; fields %s",
		len(s.rules), len(s.always), len(s.preds), watched, literals, strings.Join(names, " "))
}
