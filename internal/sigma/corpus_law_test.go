package sigma

import (
	"cmp"
	"maps"
	"os"
	"slices"
	"testing"
)

// TestSetIsItsRulesOnAll holds the compiled sets of all of SigmaHQ's rules, by log source as detection does, and of the shop pack,
// against each rule by itself: over 1,000,000 random records with TOCSIN_SOAK=1, over some thousands without.
func TestSetIsItsRulesOnAll(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the SigmaHQ corpus is not here")
	}
	records := 4_000
	if os.Getenv("TOCSIN_SOAK") != "" {
		records = 1_000_000
	}
	bySource := map[LogSource][]*Rule{}
	all := append(rulesOf(t, corpus), rulesOf(t, "../../rules")...)
	for _, u := range all {
		bySource[u.LogSource] = append(bySource[u.LogSource], u)
	}
	sources := slices.SortedFunc(maps.Keys(bySource), func(a, b LogSource) int {
		return cmp.Or(len(bySource[b])-len(bySource[a]), cmp.Compare(a.String(), b.String()))
	})
	held := 0
	for i, source := range sources {
		n := max(records*len(bySource[source])/len(all), records/1000, 10) // the more rules, the more records
		held += n
		t.Run(source.String(), func(t *testing.T) {
			t.Parallel()
			sameAsRules(t, bySource[source], uint64(i%7), n)
		})
	}
	t.Logf("%d rules of %d log sources, %d records", len(all), len(sources), held)
}
