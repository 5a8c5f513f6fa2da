package cacao

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// A guard says on which ways through the workflow a step is reached: one way holds when all of its choices were made so. No way at all is never,
// a way without choices is always.
type guard []way

// A way is choices: of each fork the branch that was taken.
type way map[string]string

const (
	maxWays    = 12
	maxChoices = 10
)

var errTangled = errors.New("so many branches meet here that nobody could say when the step is needed: let them end, and go on behind on_completion")

// with is a guard and one more choice.
func (g guard) with(fork, branch string) guard {
	var out guard
	for _, w := range g {
		if old, chosen := w[fork]; chosen && old != branch {
			continue // this fork went another way
		}
		w = maps.Clone(w)
		w[fork] = branch
		out = append(out, w)
	}
	return out
}

// or joins guards. branches gives all branches of a fork: where all of them lead to the same, it does not matter which one was taken.
func (g guard) or(more guard, branches func(fork string) []string) (guard, error) {
	out := append(slices.Clone(g), more...)
	if len(out) > 4*maxWays {
		return nil, errTangled
	}
	for changed := true; changed; {
		out = absorb(out)
		if out, changed = merge(out, branches); !changed {
			break
		}
	}
	if len(out) > maxWays || slices.ContainsFunc(out, func(w way) bool { return len(w) > maxChoices }) {
		return nil, errTangled
	}
	return out, nil
}

// absorb takes out ways that another one holds: that with fewer choices.
func absorb(g guard) (out guard) {
	for i, w := range g {
		held := false
		for j, x := range g {
			if i == j || len(x) > len(w) || len(x) == len(w) && (j > i || !maps.Equal(x, w)) {
				continue
			}
			inside := true
			for k, v := range x {
				inside = inside && w[k] == v
			}
			held = held || inside
		}
		if !held {
			out = append(out, w)
		}
	}
	return out
}

// merge joins ways that differ in one fork only, of which they take all branches.
func merge(g guard, branches func(string) []string) (guard, bool) {
	for i, w := range g {
		for _, fork := range keys(w) {
			taken := map[string]bool{}
			var same []int
			for j, x := range g {
				if j >= i && sameBut(w, x, fork) {
					taken[x[fork]] = true
					same = append(same, j)
				}
			}
			if len(taken) < len(branches(fork)) {
				continue
			}
			rest := maps.Clone(w)
			delete(rest, fork)
			out := guard{rest}
			for j, x := range g {
				if !slices.Contains(same, j) {
					out = append(out, x)
				}
			}
			return out, true
		}
	}
	return g, false
}

// sameBut reports whether two ways differ at most in one fork, which both have.
func sameBut(a, b way, fork string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if x, there := b[k]; !there || x != v && k != fork {
			return false
		}
	}
	return true
}

// print writes a guard as a condition of ours; literal writes a choice.
func (g guard) print(literal func(fork, branch string) string) string {
	var ways []string
	for _, w := range g {
		var choices []string
		for _, fork := range keys(w) {
			choices = append(choices, literal(fork, w[fork]))
		}
		if len(choices) == 0 {
			return ""
		}
		ways = append(ways, strings.Join(choices, " and "))
	}
	if len(ways) == 1 {
		return ways[0]
	}
	slices.Sort(ways)
	return "(" + strings.Join(ways, ") or (") + ")"
}
