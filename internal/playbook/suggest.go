package playbook

import (
	"cmp"
	"slices"
	"strings"
)

// What a sign weighs: that a playbook names a rule is surer than words of a title, and these are surer than a technique, which many attacks share.
const (
	weighsRule   = 1000
	weighsTitle  = 100 // and weighsWord for each word of the longest that is found
	weighsWord   = 40
	weighsSame   = 20 // the technique itself
	weighsFamily = 8  // the technique of a sub-technique, or another way around
)

// Suggested names the playbooks that fit an incident, the best first and, of equals, in the order of their names; none is named that no sign speaks
// for. title is the incident's; techniques are those of its alerts (attack.t1059.007, T1059.007), rules the ids of their rules. It looks at what
// playbooks say under suggest, and nothing else: who is asked chooses.
func Suggested(books []*Playbook, title string, techniques, rules []string) []string {
	type rank struct {
		id     string
		weight int
	}
	words := wordsOf(title)
	var known []string
	for _, t := range techniques {
		if t = technique(t); !slices.Contains(known, t) {
			known = append(known, t)
		}
	}
	var ranks []rank
	for _, p := range books {
		if w := p.Suggest.weigh(words, known, rules); w > 0 {
			ranks = append(ranks, rank{p.ID, w})
		}
	}
	slices.SortStableFunc(ranks, func(a, b rank) int { return cmp.Or(b.weight-a.weight, strings.Compare(a.id, b.id)) })
	var out []string
	for _, r := range ranks {
		out = append(out, r.id)
	}
	return out
}

// weigh adds up what speaks for a playbook; 0 is nothing.
func (s Suggest) weigh(title []word, techniques, rules []string) (sum int) {
	if slices.ContainsFunc(s.Rules, func(id string) bool {
		return slices.ContainsFunc(rules, func(r string) bool { return strings.EqualFold(id, r) })
	}) {
		sum += weighsRule
	}
	longest := 0
	for _, phrase := range s.Titles {
		if p := wordsOf(phrase); len(p) > longest && holds(title, p) {
			longest = len(p)
		}
	}
	if longest > 0 {
		sum += weighsTitle + longest*weighsWord
	}
	for _, t := range techniques {
		best := 0
		for _, own := range s.Techniques {
			own = technique(own)
			a, _, _ := strings.Cut(own, ".")
			b, _, _ := strings.Cut(t, ".")
			switch {
			case own == t:
				best = weighsSame
			case a == b && (own == a || t == b):
				best = max(best, weighsFamily)
			}
		}
		sum += best
	}
	return sum
}

// technique is a technique of ATT&CK as t1059.007.
func technique(s string) string { return strings.TrimPrefix(strings.ToLower(s), "attack.") }

// holds reports whether the words of a phrase stand in a title, one behind the other.
func holds(title, phrase []word) bool {
	for i := 0; i+len(phrase) <= len(title); i++ {
		if slices.EqualFunc(title[i:i+len(phrase)], phrase, func(a, b word) bool { return a.folded == b.folded }) {
			return true
		}
	}
	return false
}
