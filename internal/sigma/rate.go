package sigma

import (
	"strings"

	"tocsin/internal/record"
)

// guess is the rate of a literal of which nothing is known: the longer the rarer.
func guess(literal string) float64 {
	r := 0.5
	for range min(len(literal)-1, 8) {
		r *= 0.35
	}
	return r
}

// guess is the rate of a need of which nothing is known.
func (n need) guess(w *want) float64 {
	switch {
	case n.number && (w.num.I == 200 || w.num.I == 304):
		return 0.9
	case n.number:
		return 0.1
	case n.exact && n.literals[0] == "get":
		return 0.9
	case n.exact:
		return 0.1
	}
	sum := 0.0
	for _, l := range n.literals {
		sum += guess(l)
	}
	return sum
}

// frequencies are what was found in a sample.
type frequencies struct {
	records float64
	preds   []int // records in which a predicate's need is met
	fields  []int // and that have a field
	windows map[uint32]int
}

// count looks at a sample.
func (s *Set) count(sample []*record.Record) frequencies {
	f := frequencies{records: float64(len(sample)), preds: make([]int, len(s.preds)), fields: make([]int, len(s.fields)), windows: map[uint32]int{}}
	needs := make([]need, len(s.preds))
	for i := range s.preds {
		needs[i] = needOf(s.preds[i].term, s.preds[i].want)
	}
	m := s.NewMatcher(nil)
	for _, r := range sample {
		m.reset(r)
		f.text(stringOf(m.low))
		for i := range s.fields {
			from, to := m.load(int32(i))
			if from < to {
				f.fields[i]++
			}
			for k := from; k < to; k++ {
				if folded := m.folded(k); m.values[k].at < 0 {
					f.text(folded)
				}
			}
		}
		for i := range s.preds {
			if needs[i].known() && m.meets(int32(i), needs[i]) {
				f.preds[i]++
			}
		}
	}
	return f
}

// meets reports whether a record has what a predicate needs.
func (m *Matcher) meets(i int32, n need) bool {
	if n.number || n.exact {
		return m.try(i)
	}
	p := &m.set.preds[i]
	if p.field == keywordField {
		return has(stringOf(m.low), n.literals)
	}
	from, to := m.load(p.field)
	for k := from; k < to; k++ {
		if has(m.folded(k), n.literals) {
			return true
		}
	}
	return false
}

func has(text string, literals []string) bool {
	for _, l := range literals {
		if strings.Contains(text, l) {
			return true
		}
	}
	return false
}

func (f *frequencies) text(s string) {
	for i := 0; i+4 <= len(s); i++ {
		f.windows[le32(s[i:])]++
	}
}

func (f *frequencies) pred(i int32) float64 {
	return (float64(f.preds[i]) + 0.01) / (f.records + 1)
}

func (f *frequencies) field(i int32) float64 {
	if int(i) >= len(f.fields) {
		return 1
	}
	return float64(f.fields[i]) / (f.records + 1)
}

// window is the rate of four bytes; longer texts and what was not seen are guessed to be rarer.
func (f *frequencies) window(s string) float64 {
	return (float64(f.windows[le32(s)]) + guess(s)) / (f.records + 1)
}
