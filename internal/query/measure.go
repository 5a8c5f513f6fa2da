package query

import (
	"maps"
	"math"
	"math/big"
	"math/bits"
	"slices"
)

const (
	maxExact  = 512 // different values up to which p95 and distinct are exact
	registers = 12  // bits of a hash that choose a register: 4,096 of them
)

// A measure is the figure of one group. Whatever the order in which values come and parts are merged, it ends the same: sums are exact, and
// when p95 and distinct begin to estimate depends only on how many different values there are.
type measure struct {
	n     int64             // values
	sum   []float64         // of Sum, Average: parts that do not overlap, whose sum is exact (J. R. Shewchuk, 1997)
	least float64           // of Least
	most  float64           // of Greatest
	exact map[float64]int64 // of P95: values
	bins  map[int]int64     // of P95 instead of them: powers of ratio
	seen  map[uint64]bool   // of Distinct: hashes
	ranks []uint8           // of Distinct instead of them: HyperLogLog (P. Flajolet et al., 2007)
}

func (m *measure) add(kind StageKind, text string, x float64, n int64) {
	m.n += n
	switch kind {
	case Sum, Average:
		product := x * float64(n)
		m.plus(product)
		m.plus(math.FMA(x, float64(n), -product)) // what the product lost
	case Least:
		if m.n == n || x < m.least {
			m.least = x
		}
	case Greatest:
		if m.n == n || x > m.most {
			m.most = x
		}
	case P95:
		m.weigh(x, n)
	case Distinct:
		m.see(hashOf([]byte(text)))
	}
}

// plus adds x to the parts exactly: each sum of two leaves what it lost as a part of its own.
func (m *measure) plus(x float64) {
	kept := m.sum[:0]
	for _, y := range m.sum {
		if math.Abs(x) < math.Abs(y) {
			x, y = y, x
		}
		high := x + y
		if low := y - (high - x); low != 0 {
			kept = append(kept, low)
		}
		x = high
	}
	if x != 0 {
		kept = append(kept, x)
	}
	m.sum = kept
}

// total rounds the exact sum once.
func (m *measure) total() float64 {
	sum := new(big.Float).SetPrec(2200) // holds any sum of doubles exactly
	for _, part := range m.sum {
		sum.Add(sum, new(big.Float).SetPrec(2200).SetFloat64(part))
	}
	x, _ := sum.Float64()
	return x + 0 // no negative zero
}

const ratio = 1.01 / 0.99 // of neighbouring bins: the middle of one is within 1 percent (C. Masson et al., "DDSketch", 2019)

// binOf numbers bins: 0 is zero, others grow with the value, negative values have negative ones.
func binOf(x float64) int {
	if math.Abs(x) < 1e-9 {
		return 0
	}
	i := int(math.Ceil(math.Log(math.Abs(x))/math.Log(ratio))) + 1100 // 1e-9 has about -1036
	if x < 0 {
		return -i
	}
	return i
}

func valueOf(bin int) float64 {
	switch {
	case bin == 0:
		return 0
	case bin < 0:
		return -valueOf(-bin)
	}
	return 2 * math.Pow(ratio, float64(bin-1100)) / (ratio + 1)
}

func (m *measure) weigh(x float64, n int64) {
	if m.bins != nil {
		m.bins[binOf(x)] += n
		return
	}
	if m.exact == nil {
		m.exact = map[float64]int64{}
	}
	m.exact[x+0] += n
	if len(m.exact) > maxExact {
		m.blur()
	}
}

func (m *measure) blur() {
	if m.bins == nil {
		m.bins = map[int]int64{}
	}
	for x, n := range m.exact {
		m.bins[binOf(x)] += n
	}
	m.exact = nil
}

func (m *measure) see(h uint64) {
	if m.ranks != nil {
		m.rank(h)
		return
	}
	if m.seen == nil {
		m.seen = map[uint64]bool{}
	}
	m.seen[h] = true
	if len(m.seen) > maxExact {
		m.estimate()
	}
}

func (m *measure) estimate() {
	if m.ranks == nil {
		m.ranks = make([]uint8, 1<<registers)
	}
	for h := range m.seen {
		m.rank(h)
	}
	m.seen = nil
}

func (m *measure) rank(h uint64) {
	i := h >> (64 - registers)
	m.ranks[i] = max(m.ranks[i], uint8(min(bits.LeadingZeros64(h<<registers), 64-registers)+1))
}

func (m *measure) merge(kind StageKind, o *measure) {
	switch {
	case o.n == 0:
		return
	case m.n == 0:
		*m = *o
		return
	}
	m.n += o.n
	for _, part := range o.sum {
		m.plus(part)
	}
	m.least, m.most = min(m.least, o.least), max(m.most, o.most)
	if kind == P95 {
		if o.bins != nil {
			m.blur()
		}
		for bin, n := range o.bins {
			m.bins[bin] += n
		}
		for x, n := range o.exact {
			m.weigh(x, n)
		}
	}
	if kind == Distinct {
		if o.ranks != nil {
			m.estimate()
		}
		for i, r := range o.ranks {
			m.ranks[i] = max(m.ranks[i], r)
		}
		for h := range o.seen {
			m.see(h)
		}
	}
}

// figure returns the figure.
func (m *measure) figure(kind StageKind) float64 {
	switch kind {
	case Sum:
		return m.total()
	case Average:
		return m.total() / float64(max(m.n, 1))
	case Least:
		return m.least
	case Greatest:
		return m.most
	case P95:
		if m.bins != nil {
			return valueOf(ranked(m.bins, m.n))
		}
		return ranked(m.exact, m.n)
	}
	if m.ranks == nil {
		return float64(len(m.seen))
	}
	return m.cardinality()
}

func (m *measure) estimated() bool { return m.bins != nil || m.ranks != nil }

// ranked returns the value that 95 of 100 do not exceed (nearest rank).
func ranked[K int | float64](weights map[K]int64, n int64) K {
	left := n - n*5/100 // n*95/100, rounded up
	keys := slices.Sorted(maps.Keys(weights))
	for _, k := range keys {
		if left -= weights[k]; left <= 0 {
			return k
		}
	}
	var none K
	return none
}

// cardinality is HyperLogLog's estimate, and that of the empty registers where there are many of them.
func (m *measure) cardinality() float64 {
	size := float64(len(m.ranks))
	sum, empty := 0.0, 0.0
	for _, r := range m.ranks {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			empty++
		}
	}
	estimate := 0.7213 / (1 + 1.079/size) * size * size / sum
	if estimate <= 2.5*size && empty > 0 {
		estimate = size * math.Log(size/empty)
	}
	return math.Round(estimate)
}
