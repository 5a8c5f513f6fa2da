package sigma

import (
	"cmp"
	"slices"

	"tocsin/internal/record"
)

// # Where literals are looked for
//
// Most values are pieces of the line, and many are pieces of each other: a URL holds its path and its query, and its decoded forms
// are mostly itself. So literals are sorted by the piece of the line that their fields lie in (a region), and each piece is
// scanned once, for its own literals only: what stands in the referring address is no find for a rule that reads the URL.
// A value that does not lie in the piece is scanned by itself.

// A region is fields that lie in one piece of the line, and what is looked for there.
type region struct {
	anchor int32 // the field that is the piece; wholeLine, or noPiece
	grams  grams
	fields []regionField
}

const (
	wholeLine = -1 // for keywords
	noPiece   = -2 // of fields that few records have: each value is scanned by itself
)

// A regionField is a field with literals. When it is a view, most records have in it what its base has.
type regionField struct {
	field    int32
	base     int32 // of a view: the field that it is a view of; -1
	view, of record.Field
}

// A regionPlan is a region that is being put together.
type regionPlan struct {
	literals map[string][]int32 // the predicates that look for each
	fields   []int32
}

// plan adds a predicate that is looked for by its literals.
func (c *compiler) plan(plans map[int32]*regionPlan, pred int32, literals []string) {
	f := c.set.preds[pred].field
	at := c.anchor(f)
	r := plans[at]
	if r == nil {
		r = &regionPlan{literals: map[string][]int32{}}
		plans[at] = r
	}
	if f != keywordField && !slices.Contains(r.fields, f) {
		r.fields = append(r.fields, f)
	}
	for _, l := range literals {
		r.literals[l] = append(r.literals[l], pred)
	}
}

// anchor is the field that is the piece of the line in which a field lies.
func (c *compiler) anchor(f int32) int32 {
	if f == keywordField {
		return wholeLine
	}
	if c.present(f) < unusual {
		return noPiece
	}
	x := c.set.fields[f].field
	if x.place != placeKnown {
		return f
	}
	known, view := x.known.Base()
	if !view {
		known = x.known
	}
	if known == record.URLPath || known == record.URLQuery {
		known = record.URLOriginal
	}
	return c.field(Field{place: placeKnown, known: known})
}

// regions makes what was planned, in order. Keywords are looked for in each piece too.
func (c *compiler) regions(plans map[int32]*regionPlan) {
	s := c.set
	if words := plans[wholeLine]; words != nil {
		for at, p := range plans {
			if at >= 0 {
				for l, preds := range words.literals {
					p.literals[l] = append(p.literals[l], preds...)
				}
			}
		}
	}
	for at, p := range plans {
		r := region{anchor: at, grams: newGrams(p.literals, c.window)}
		slices.Sort(p.fields)
		for _, f := range p.fields {
			x := regionField{field: f, base: -1}
			if k := s.fields[f].field; at != noPiece && k.place == placeKnown {
				if of, ok := k.known.Base(); ok {
					x.view, x.of, x.base = k.known, of, c.field(Field{place: placeKnown, known: of})
				}
			}
			r.fields = append(r.fields, x)
		}
		s.regions = append(s.regions, r)
	}
	slices.SortFunc(s.regions, func(a, b region) int { return cmp.Compare(a.anchor, b.anchor) })
}

// search looks for the literals of all regions.
func (m *Matcher) search() {
	pieces := m.pieces[:0]
	var words *grams
	for i := range m.set.regions {
		g := &m.set.regions[i]
		if g.anchor == wholeLine {
			words = &g.grams
			continue
		}
		if p := m.searchRegion(g); p.lo >= 0 {
			pieces = append(pieces, p)
		}
	}
	m.pieces = pieces
	if words == nil {
		return
	}
	if !m.ascii {
		words.scan(m, m.low, 0, len(m.low), ownNone)
		m.findKeywords(words)
		return
	}
	// What the regions have scanned, they have scanned for keywords too: what is left is the gaps.
	slices.SortFunc(pieces, func(a, b piece) int { return a.lo - b.lo })
	at := 0
	for _, p := range pieces {
		if p.lo > at {
			words.scan(m, m.low, at, min(p.lo+windowSize-1, len(m.low)), ownLine)
		}
		at = max(at, p.hi-windowSize+1)
	}
	words.scan(m, m.low, at, len(m.low), ownLine)
	m.findKeywords(words)
}

// A piece is a part of the line that a region has scanned: each window that begins and ends in it.
type piece struct{ lo, hi int }

func (p piece) holds(v *value) bool { return v.at >= p.lo && v.at+len(v.Text) <= p.hi && p.lo >= 0 }

func (m *Matcher) searchRegion(g *region) piece {
	p := piece{-1, -1}
	if g.anchor != noPiece && m.ascii {
		if from, to := m.load(g.anchor); to-from == 1 && m.values[from].at >= 0 {
			p.lo = m.values[from].at
			p.hi = p.lo + len(m.values[from].Text)
			g.grams.scan(m, m.low, p.lo, p.hi, ownLine)
		}
	}
	for i := range g.fields {
		x := &g.fields[i]
		if x.base >= 0 && p.lo >= 0 {
			from, to := m.load(x.base)
			if from < to && p.holds(&m.values[from]) && m.record.Place(x.view) == m.record.Place(x.of) {
				continue
			}
		}
		from, to := m.load(x.field)
		for k := from; k < to; k++ {
			if !p.holds(&m.values[k]) {
				m.now = k
				text := bytesOf(m.folded(k))
				g.grams.scan(m, text, 0, len(text), x.field)
			}
		}
	}
	return p
}
