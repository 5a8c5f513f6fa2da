package oncall

import (
	"slices"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// inForce is the policy by which a call rings. Where all of its open incidents are restricted, that is the people whom they name, and then
// those and the commanders, who learn the number alone; chats and everybody else hear nothing. Where one is not, the call rings for
// that one, by its policy: what it says of the others is the number.
func (b *Book) inForce(c *Call) entry.Policy {
	var only []string
	for _, id := range c.Incidents {
		n := b.needs[id-1]
		switch {
		case n.closed:
		case n.only == nil:
			return c.Policy
		default:
			only = append(only, n.only...)
		}
	}
	if only == nil {
		return c.Policy
	}
	only = slices.Compact(slices.Sorted(slices.Values(only)))
	x, wait := c.Policy, plan.StepOf(c.Policy, 0).Wait
	x.Rounds = 1
	x.Steps = []entry.PolicyStep{{Who: only, Wait: wait}, {Who: append(slices.Clone(only), "role:"+plan.Commander), Wait: wait}}
	return x
}
