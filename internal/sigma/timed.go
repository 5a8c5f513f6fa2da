package sigma

import (
	"slices"
	"time"

	"tocsin/internal/record"
)

// MatchTimed is Match, measured by a clock that tells the time since any moment. scan is the time for finding which rules may
// match, which they share; each is called for each of those, by its place, with the time for its formula. What several
// rules ask for costs the first of them.
func (m *Matcher) MatchTimed(r *record.Record, clock func() time.Duration, each func(rule int32, took time.Duration)) (hits []int32, scan time.Duration) {
	begin := clock()
	m.reset(r)
	m.find()
	m.rules = append(m.rules, m.set.always...)
	slices.Sort(m.rules)
	at := clock()
	scan = at - begin
	for _, i := range m.rules {
		if m.holds(m.set.roots[i]) {
			m.out = append(m.out, i)
		}
		now := clock()
		each(i, now-at)
		at = now
	}
	return m.out, scan
}
