package oncall

import (
	"slices"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// An incident that is restricted has a call of its own: who answers for others must not silence it, and what is said of it is for others. When
// it is restricted, when others are named, and when everybody may see it again, it leaves the call that rings for it, and a new one begins.

// part takes an incident out of the call that rings for it.
func (b *Book) part(n *need) {
	c := b.Of(n.id)
	if c == nil || !c.Rings() {
		return
	}
	c.apart = append(c.apart, n.id)
	c.Incidents = slices.DeleteFunc(slices.Clone(c.Incidents), func(id int64) bool { return id == n.id })
	b.uncover(n)
}

// restricted reports whether a call is about a restricted incident.
func (b *Book) restricted(c *Call) bool {
	return slices.ContainsFunc(c.Incidents, func(id int64) bool { return b.needs[id-1].only != nil })
}

// inForce is the policy by which a call rings. For a restricted incident that is the people whom it names; then those again, and with them
// the administrators and the commanders, who are told only that somebody must be found (a ledger need not have an administrator). Chats,
// schedules and everybody else hear nothing. The last step repeats as the policy says, until one who is named answers.
func (b *Book) inForce(c *Call) entry.Policy {
	only := b.Only(c)
	switch {
	case only == nil && b.everyone(c):
		return plan.DefaultPolicy()
	case only == nil && len(c.Who) > 0:
		x, wait := c.Policy, plan.StepOf(c.Policy, 0).Wait
		x.Rounds, x.Steps = 1, []entry.PolicyStep{{Who: c.Who, Wait: wait}, {Who: append(slices.Clone(c.Who), "role:"+plan.Commander), Wait: wait}}
		return x
	case only == nil:
		return c.Policy
	}
	x, wait := c.Policy, plan.StepOf(c.Policy, 0).Wait
	x.Rounds = 1
	x.Steps = []entry.PolicyStep{{Who: only, Wait: wait}, {Who: append(slices.Clone(only), "role:"+plan.Administrator, "role:"+plan.Commander), Wait: wait}}
	return x
}

// Only returns the people whom the open incidents of a call name, sorted; nil when one of them is not restricted, or none is open.
func (b *Book) Only(c *Call) (only []string) {
	for _, id := range c.Incidents {
		n := b.needs[id-1]
		switch {
		case n.over():
		case n.only == nil:
			return nil
		default:
			only = append(only, n.only...)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(only)))
}

// Without returns the book as it looks to somebody from whom some incidents are hidden: calls about them alone are not there, and others do not
// say that they were about them. What it returns is to be read only.
func (b *Book) Without(hidden func(incident int64) bool) *Book {
	out := *b
	out.Calls = make([]*Call, 0, len(b.Calls))
	for _, c := range b.Calls {
		about := slices.Concat(c.Incidents, c.apart)
		if !slices.ContainsFunc(about, hidden) {
			out.Calls = append(out.Calls, c)
			continue
		}
		if slices.ContainsFunc(about, func(id int64) bool { return !hidden(id) }) {
			x := *c
			x.Incidents = slices.DeleteFunc(slices.Clone(c.Incidents), hidden)
			out.Calls = append(out.Calls, &x)
		}
	}
	return &out
}

// Rang reports whether a call has rung a person, or is to.
func (c *Call) Rang(person string) bool {
	return person != "" && slices.ContainsFunc(c.Asked, func(r Ring) bool { return r.Person == person })
}

// everyone reports whether a call has an open incident for which everyone is rung at once, whatever the policy's steps.
func (b *Book) everyone(c *Call) bool {
	return slices.ContainsFunc(c.Incidents, func(id int64) bool { n := b.needs[id-1]; return n.everyone && !n.over() })
}
