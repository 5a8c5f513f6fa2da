package review

import (
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Parts that stand without an entry of their own: what every plan has from the first start on, and each playbook from its first revision on. A role keeps them
// right until somebody is named (PutPart). So a first start writes nothing for them, and a ledger from before reviews has them too.

// standing are the parts of every plan.
func standing() []string {
	return []string{"roles", "contacts", "letters", "schedules", "rules", "glossary"}
}

// Keeper is the role that keeps a part right where nobody is named, in the words of the ledger; of a playbook it is the one that its text
// names, where that can be read.
func Keeper(part string) string {
	switch part {
	case "rules":
		return "analyst"
	case "letters":
		return "communications"
	case "glossary", "schedules":
		return "engineer"
	}
	return "commander"
}

// derive folds what makes parts of the plan, or asks for their review, without being of this package.
func (b *Book) derive(e entry.Entry) error {
	switch e.Kind {
	case entry.ProgramStarted:
		for _, id := range standing() {
			b.stands(id, e.Time)
		}
	case entry.PlaybookPut:
		return entry.With(e, func(x entry.Playbook) error { b.stands("playbook:"+x.ID, e.Time); return nil })
	case entry.PlaybookRetired:
		return entry.With(e, func(x entry.PlaybookEnd) error {
			if p := b.Parts["playbook:"+x.ID]; p != nil {
				p.Gone, p.retired = true, true
			}
			return nil
		})
	case entry.RulesLoaded:
		return entry.With(e, func(x entry.Rules) error { b.loaded(x, e.Time); return nil })
	case entry.AgentJoined:
		return entry.With(e, func(x entry.AgentJoin) error {
			if b.joined++; b.joined > 1 {
				b.everywhere(Ask{Cause: ByArchitecture, Refs: []string{"a new host"}, At: e.Time, Due: e.Time.Add(AfterReason)})
			}
			return nil
		})
	case entry.AgentRevoked:
		b.everywhere(Ask{Cause: ByArchitecture, Refs: []string{"a host that went"}, At: e.Time, Due: e.Time.Add(AfterReason)})
	}
	return nil
}

// stands makes a part that is not there, or stands again after its playbook was retired.
func (b *Book) stands(id string, at time.Time) {
	if b.Parts == nil {
		b.Parts = map[string]*Part{}
	}
	p := b.Parts[id]
	switch {
	case p == nil && len(b.Parts) < maxParts:
		b.Parts[id] = &Part{PlanPart: entry.PlanPart{ID: id}, Made: at}
	case p != nil && p.retired && strings.HasPrefix(id, "playbook:"):
		p.Gone, p.retired, p.Made = false, false, at
	}
}

// loaded asks for a review of the rules when there are more than before: with them come threats that the plan has not heard of. The rules of a first start
// are no news.
func (b *Book) loaded(x entry.Rules, at time.Time) {
	was := b.rules
	b.rules = x
	if p := b.Parts["rules"]; p != nil && was.Hash != "" && was.Hash != x.Hash && (x.Fresh > 0 || x.Loaded > was.Loaded) {
		p.ask(Ask{Cause: ByThreat, At: at, Due: at.Add(AfterReason)})
	}
}
