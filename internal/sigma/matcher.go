package sigma

import (
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"tocsin/internal/record"
	"tocsin/internal/tree"
)

// A Matcher holds records against a Set, one after the other. It is not safe for several goroutines.
type Matcher struct {
	set    *Set
	view   *View // for what only the plain evaluator does
	viewed bool
	record *record.Record

	epoch  uint32
	memo   []uint32 // of nodes: 2*epoch, +1 when it holds
	truth  []uint32 // of preds: 4*epoch + a verdict
	chosen []uint32 // of rules: the epoch in which one became a candidate
	rules  []int32  // candidates
	out    []int32

	low    []byte // the line, folded
	ascii  bool   // each byte of low has its place of the line
	arena  []byte // folded values that do not stand in low
	values []value
	loaded []span       // of fields
	solo   []*automaton // of preds, made when first asked
	bundle []*automaton // of bundles
	placed []span       // of record.Record.Place: views that are as what they are views of share its values
	pieces []piece
	now    int32                  // the value that is being scanned
	words  [record.NumFields]bool // in which keywords are searched
}

// A value is one value of a field.
type value struct {
	record.Value
	at      int // where it stands in the line; -1: not there as it is
	folded  string
	done    bool // folded is set
	parsed  bool // address is set: the zero one when it is none
	address netip.Addr
}

// A span says which of values are a field's.
type span struct {
	epoch    uint32
	from, to int32
}

// Verdicts on a predicate, for one record.
const (
	unseen   = iota // nothing was found
	possible        // something that it needs was found
	refuted
	proved
)

const (
	ownLine = -2 // a scanned text is the line, in which fields stand
	ownNone = -3 // it is a value that only keywords look into
)

// NewMatcher returns a Matcher that reads times in a zone; nil is UTC.
func (s *Set) NewMatcher(zone *time.Location) *Matcher {
	var words [record.NumFields]bool
	for f := range words {
		words[f] = !record.Field(f).Added()
	}
	return &Matcher{
		set: s, words: words, view: NewView(zone), memo: make([]uint32, len(s.nodes)), truth: make([]uint32, len(s.preds)),
		chosen: make([]uint32, len(s.rules)), loaded: make([]span, len(s.fields)), placed: make([]span, 256),
		solo: make([]*automaton, len(s.preds)), bundle: make([]*automaton, len(s.bundles)),
	}
}

// Match returns the rules that a record matches, as their places in the list that Compile took, in order. The
// result is good until the next call. The record must not change meanwhile.
func (m *Matcher) Match(r *record.Record) []int32 {
	m.reset(r)
	s := m.set
	m.find()
	m.rules = append(m.rules, s.always...)
	slices.Sort(m.rules)
	for _, i := range m.rules {
		if m.holds(s.roots[i]) {
			m.out = append(m.out, i)
		}
	}
	return m.out
}

// maxEpoch is where counting begins anew: four times it still fits.
const maxEpoch = 1<<30 - 1

func (m *Matcher) reset(r *record.Record) {
	if m.epoch++; m.epoch == maxEpoch {
		clear(m.memo)
		clear(m.truth)
		clear(m.chosen)
		clear(m.loaded)
		clear(m.placed)
		m.epoch = 1
	}
	m.record, m.viewed = r, false
	m.rules, m.out, m.values, m.arena = m.rules[:0], m.out[:0], m.values[:0], m.arena[:0]
	m.low, m.ascii = appendFold(m.low[:0], r.Line.Raw)
}

// find looks for what the predicates need.
func (m *Matcher) find() {
	s := m.set
	for i := range s.numbers {
		m.findNumber(&s.numbers[i])
	}
	for i := range s.exact {
		t := &s.exact[i]
		from, to := m.load(t.field)
		for k := from; k < to; k++ {
			for _, p := range t.find(m.folded(k)) {
				m.mark(p)
			}
		}
	}
	m.search()
}

func (m *Matcher) findNumber(t *numberTable) {
	from, to := m.load(t.field)
	for k := from; k < to; k++ {
		s := subject{value: m.values[k].Value}
		n, ok := s.number()
		if !ok {
			continue
		}
		if !n.Whole {
			n.I = int64(n.F)
			if n.F < -exactFloat || n.F > exactFloat || float64(n.I) != n.F {
				m.findFloat(t, n)
				continue
			}
		}
		for _, p := range t.find(n.I) {
			m.mark(p)
		}
	}
}

// exactFloat is up to where whole numbers are themselves as floats.
const exactFloat = 1 << 53

// findFloat compares a number that no table can have with each.
func (m *Matcher) findFloat(t *numberTable, n tree.Num) {
	for _, p := range t.all {
		if n.Compare(m.set.preds[p].want.num) == 0 {
			m.mark(p)
		}
	}
}

// findKeywords scans the values of the log's words that do not stand in the line.
func (m *Matcher) findKeywords(g *grams) {
	for v := range m.record.Each(&m.words) {
		m.findKeyword(g, v.Text)
	}
	for i := range m.record.Extra {
		m.findKeyword(g, m.record.Extra[i].Value.Text)
	}
}

func (m *Matcher) findKeyword(g *grams, text string) {
	if text == "" || m.place(text) >= 0 {
		return
	}
	at := len(m.arena)
	m.arena, _ = appendFold(m.arena, text)
	g.scan(m, m.arena[at:], 0, len(m.arena)-at, ownNone)
}

// found takes in that a scanned text has a literal.
func (m *Matcher) found(l *literalEntry, from, to int, owner int32) {
	for _, i := range l.preds {
		p := &m.set.preds[i]
		if v := m.truth[i]; v == 4*m.epoch+proved || v == 4*m.epoch+possible {
			continue
		}
		switch {
		case p.field == keywordField:
			if owner == ownLine || owner == ownNone { // a field's value need not be one that keywords look into
				m.mark(i)
			}
		case owner == ownLine:
			a, b := m.load(p.field)
			for k := a; k < b; k++ {
				if v := &m.values[k]; v.at >= 0 && m.fits(p, from-v.at, to-v.at, len(v.Text)) {
					m.mark(i)
					break
				}
			}
		case owner == p.field:
			if m.fits(p, from, to, len(m.folded(m.now))) {
				m.mark(i)
			}
		}
	}
}

// fits reports whether a literal found at a place of a value is where the predicate wants it.
func (m *Matcher) fits(p *pred, from, to, size int) bool {
	if from < 0 || to > size {
		return false
	}
	if p.want.kind != wantText {
		return true
	}
	switch p.want.pattern.shape {
	case prefix:
		return from == 0
	case suffix:
		return to == size
	}
	return true
}

// mark notes that what a predicate needs was found.
func (m *Matcher) mark(i int32) {
	p := &m.set.preds[i]
	if p.direct {
		m.truth[i] = 4*m.epoch + proved
	} else if m.truth[i]>>2 != m.epoch {
		m.truth[i] = 4*m.epoch + possible
	}
	for _, u := range p.rules {
		if m.chosen[u] != m.epoch {
			m.chosen[u] = m.epoch
			m.rules = append(m.rules, u)
		}
	}
}

// holds evaluates a node.
func (m *Matcher) holds(n int32) bool {
	x := &m.set.nodes[n]
	if x.op == opPred {
		return m.predHolds(x.pred)
	}
	if v := m.memo[n]; v>>1 == m.epoch {
		return v&1 != 0
	}
	hit := m.formula(x)
	m.memo[n] = 2 * m.epoch
	if hit {
		m.memo[n]++
	}
	return hit
}

func (m *Matcher) formula(x *node) bool {
	switch x.op {
	case opNot:
		return !m.holds(x.kids[0])
	case opAnd:
		for _, k := range x.kids {
			if !m.holds(k) {
				return false
			}
		}
		return true
	}
	for _, k := range x.kids {
		if m.holds(k) {
			return true
		}
	}
	return false
}

func (m *Matcher) predHolds(i int32) bool {
	p, verdict := &m.set.preds[i], uint32(unseen)
	if m.truth[i]>>2 == m.epoch {
		verdict = m.truth[i] & 3
	}
	switch {
	case verdict == proved:
		return true
	case verdict == refuted, verdict == unseen && p.watched:
		return false
	}
	hit := m.try(i)
	m.truth[i] = 4*m.epoch + refuted
	if hit {
		m.truth[i] = 4*m.epoch + proved
	}
	return hit
}

// try evaluates a predicate. What is frequent is done here, the rest by the plain evaluator.
func (m *Matcher) try(i int32) bool {
	p := &m.set.preds[i]
	w := p.want
	if w.kind == wantPart && p.term.field.place == placeTime {
		return !m.record.Time.IsZero() && w.inTime(m.record.Time.In(m.view.zone))
	}
	if p.field != keywordField && m.set.fields[p.field].plain {
		switch w.kind {
		case wantText:
			from, to := m.load(p.field)
			for k := from; k < to; k++ {
				text := m.values[k].Text
				if !w.pattern.cased {
					text = m.folded(k)
				}
				if w.pattern.match(text) {
					return true
				}
			}
			return false
		case wantNull, wantExists:
			from, to := m.load(p.field)
			return (from < to) == (w.kind == wantExists && w.yes)
		case wantRegex:
			return m.regex(i)
		case wantCIDR:
			from, to := m.load(p.field)
			for k := from; k < to; k++ {
				if a := m.addressOf(k); a.IsValid() && w.net.Contains(a) {
					return true
				}
			}
			return false
		case wantNumber, wantOrder, wantBool:
			from, to := m.load(p.field)
			for k := from; k < to; k++ {
				s := subject{value: m.values[k].Value}
				if w.holds(m.view, &s) {
					return true
				}
			}
			return false
		}
	}
	if !m.viewed {
		m.view.Reset(m.record)
		m.viewed = true
	}
	return w.match(m.view, p.term)
}

// addressOf is a value as an address, as want.holds reads it; the zero one when it is none.
func (m *Matcher) addressOf(k int32) netip.Addr {
	v := &m.values[k]
	if !v.parsed {
		v.parsed = true
		if a, err := netip.ParseAddr(v.Text); err == nil {
			v.address = a.Unmap().WithZone("")
		}
	}
	return v.address
}

// regex evaluates a regular expression, and with it those of its bundle.
func (m *Matcher) regex(i int32) bool {
	p := &m.set.preds[i]
	from, to := m.load(p.field)
	if from == to {
		return false
	}
	if p.bundle > 0 {
		m.runBundle(p.bundle-1, from, to)
		return m.truth[i] == 4*m.epoch+proved
	}
	a := m.solo[i]
	if a == nil {
		a = newAutomaton([]string{p.want.regex.String()})
		m.solo[i] = a
	}
	for k := from; k < to; k++ {
		text := m.regexText(k, p.want.sees)
		if a.run(text) && a.matched[0] || a.gaveUp && p.want.regex.MatchString(text) {
			return true
		}
	}
	return false
}

// runBundle evaluates the regular expressions of a bundle.
func (m *Matcher) runBundle(n, from, to int32) {
	b := &m.set.bundles[n]
	a := m.bundle[n]
	if a == nil {
		a = newAutomaton(b.exprs)
		m.bundle[n] = a
	}
	for _, q := range b.preds {
		m.truth[q] = 4*m.epoch + refuted
	}
	for k := from; k < to; k++ {
		text := m.regexText(k, MaxRegex)
		a.run(text)
		for j, q := range b.preds {
			if a.matched[j] && !a.gaveUp || a.gaveUp && m.set.preds[q].want.regex.MatchString(text) {
				m.truth[q] = 4*m.epoch + proved
			}
		}
	}
}

// regexText is what a regular expression sees of a value.
func (m *Matcher) regexText(k int32, sees int) string {
	text := m.values[k].Text
	return text[:min(len(text), sees)]
}

// load returns the places of a field's values.
func (m *Matcher) load(f int32) (from, to int32) {
	s := &m.loaded[f]
	if s.epoch == m.epoch {
		return s.from, s.to
	}
	s.epoch, s.from = m.epoch, int32(len(m.values))
	x := &m.set.fields[f].field
	switch x.place {
	case placeKnown:
		at := m.record.Place(x.known)
		if at == 0 {
			break
		}
		if p := &m.placed[at]; p.epoch != m.epoch {
			m.values = append(m.values, value{})
			v := &m.values[len(m.values)-1]
			v.Value, _ = m.record.Get(x.known)
			v.at = m.place(v.Text)
			*p = span{m.epoch, s.from, s.from + 1}
		}
		*s = m.placed[at]
		return s.from, s.to
	case placeExtra:
		for i := range m.record.Extra {
			if p := &m.record.Extra[i]; p.Name == x.name {
				m.values = append(m.values, value{Value: p.Value, at: m.place(p.Value.Text)})
			}
		}
	default:
		if v, ok := x.Value(m.record); ok {
			m.values = append(m.values, value{Value: v, at: m.place(v.Text)})
		}
	}
	s.to = int32(len(m.values))
	return s.from, s.to
}

// place says where in the line a value stands: most are slices of it. An equal text elsewhere does not count. An empty text
// stands nowhere.
func (m *Matcher) place(s string) int {
	raw := m.record.Line.Raw
	if len(s) == 0 || len(raw) == 0 {
		return -1
	}
	// The two pointers are only compared: of one string's bytes their difference is a place in it, of different strings' it
	// is out of bounds, because both are alive.
	at := uintptr(unsafe.Pointer(unsafe.StringData(s))) - uintptr(unsafe.Pointer(unsafe.StringData(raw)))
	if at > uintptr(len(raw)) || at+uintptr(len(s)) > uintptr(len(raw)) {
		return -1
	}
	return int(at)
}

// folded returns a value's folded text. It is good until the next record.
func (m *Matcher) folded(k int32) string {
	v := &m.values[k]
	if v.done {
		return v.folded
	}
	if m.ascii && v.at >= 0 {
		v.folded = stringOf(m.low[v.at : v.at+len(v.Text)])
	} else {
		at := len(m.arena)
		m.arena, _ = appendFold(m.arena, v.Text)
		v.folded = stringOf(m.arena[at:])
	}
	v.done = true
	return v.folded
}

// stringOf and bytesOf look at the same bytes in the other type. Nobody keeps what they return beyond one record, and the
// bytes do not change before.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
func bytesOf(s string) []byte  { return unsafe.Slice(unsafe.StringData(s), len(s)) }
