package oncall

import (
	"fmt"
	"slices"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// Mute reports whether no late step of an incident is rung for, now or later: it is history, or not worked on under its number.
func (b *Book) Mute(incident int64) bool {
	if incident < 1 || incident > int64(len(b.needs)) {
		return true
	}
	n := b.needs[incident-1]
	return n.over() || n.history
}

// Late decides to ring for a step of a playbook that was not done in its time: who are staff ids or roles, and they are rung, and the
// commanders with them when none of them answers in time, until somebody does. ok is false where nobody is to be rung by it: the incident is over or history, or a call for it rings already, which somebody has to answer first.
func (b *Book) Late(incident, run int64, step string, who []string) (d entry.Draft, ok bool) {
	if incident < 1 || incident > int64(len(b.needs)) || len(who) == 0 {
		return entry.Draft{}, false
	}
	n := b.needs[incident-1]
	if c := b.Of(incident); n.over() || n.history || c != nil && c.Rings() || slices.Contains(b.waiting, incident) && wants(n, b.policy("medium").Medium) {
		return entry.Draft{}, false
	}
	id, name := int64(len(b.Calls))+1, b.policy(n.severity).ID
	if name == "" {
		name = plan.DefaultName
	}
	return entry.Draft{Actor: "desk", Kind: entry.CallOpened, Subject: fmt.Sprintf("call:%d", id),
		Body: entry.Call{ID: id, Incidents: []int64{incident}, Severity: n.severity, Policy: name, Why: "late", Who: who, Run: run, Late: step}}, true
}
