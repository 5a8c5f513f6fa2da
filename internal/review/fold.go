package review

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Apply folds an entry and reports whether it was of this package. It looks at entries of incidents too, and leaves those to others.
func (b *Book) Apply(e entry.Entry) (bool, error) {
	if mine, err := b.watch(e); mine || err != nil {
		return mine, err
	}
	if err := b.derive(e); err != nil {
		return false, err
	}
	switch e.Kind {
	case entry.ReviewCalled:
		return true, entry.With(e, func(x entry.ReviewCall) error {
			if b.Calls == nil {
				b.Calls = map[int64]Call{}
			}
			b.Calls[x.Incident] = Call{x, e.Actor, e.Time}
			return nil
		})
	case entry.ReviewHeld:
		return true, entry.With(e, func(x entry.ReviewMeeting) error {
			if b.Meetings == nil {
				b.Meetings = map[int64][]Meeting{}
			}
			b.Meetings[x.Incident] = append(b.Meetings[x.Incident], Meeting{x, e.Actor, e.Time})
			return nil
		})
	case entry.MeasurePut:
		return true, entry.With(e, func(x entry.Measure) error { return b.measure(e, x) })
	case entry.MeasureLinked:
		return true, entry.With(e, func(x entry.MeasureLink) error {
			m, err := b.Measure(x.ID)
			if err == nil {
				m.Links = append(m.Links, x)
			}
			return err
		})
	case entry.MeasureDone, entry.MeasureVerified, entry.MeasureReopened, entry.MeasureDropped:
		return true, entry.With(e, func(x entry.MeasureStep) error {
			m, err := b.Measure(x.ID)
			if err == nil {
				m.become(e.Kind, x, e.Time)
			}
			return err
		})
	case entry.ReminderWanted:
		return true, entry.With(e, func(x entry.ReminderTry) error { return b.want(x, e.Time) })
	case entry.ReminderSent, entry.ReminderFailed:
		return true, entry.With(e, func(x entry.NoticeResult) error { return b.end(x, e.Time, e.Kind == entry.ReminderFailed) })
	}
	return b.applyPart(e)
}

// applyPart folds what is of parts of the plan.
func (b *Book) applyPart(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.PartPut:
		return true, entry.With(e, func(x entry.PlanPart) error {
			if b.Parts == nil {
				b.Parts = map[string]*Part{}
			}
			p := b.Parts[x.ID]
			if p == nil || p.Gone && !x.Gone {
				p = &Part{Made: e.Time}
				b.Parts[x.ID] = p
			}
			p.PlanPart = x
			return nil
		})
	case entry.PartAsked:
		return true, entry.With(e, func(x entry.PartAsk) error {
			for _, id := range x.Parts {
				if p := b.Parts[id]; p != nil {
					p.ask(Ask{x.Cause, x.Refs, e.Time, x.Due, x.Text})
				}
			}
			return nil
		})
	case entry.PartRead:
		return true, entry.With(e, func(x entry.PartReading) error {
			return b.part(x.ID, func(p *Part) { p.read(x, e.Time) })
		})
	case entry.PartApproved, entry.PartRefused:
		return true, entry.With(e, func(x entry.PartVerdict) error {
			return b.part(x.ID, func(p *Part) { p.judge(e.Kind, x, e.Time) })
		})
	case entry.ThreatsSeen:
		return true, entry.With(e, func(x entry.Threats) error {
			if b.threats == nil {
				b.threats = map[string]bool{}
			}
			for _, id := range x.Rules {
				b.threats[id] = true
			}
			for _, id := range x.Parts {
				if p := b.Parts[id]; p != nil {
					p.ask(Ask{Cause: ByThreat, Refs: x.Rules, At: e.Time, Due: e.Time.Add(AfterReason)})
				}
			}
			return nil
		})
	case entry.ArchitectureSeen:
		return true, entry.With(e, func(x entry.Architecture) error {
			if b.hosts == nil {
				b.hosts = map[string]map[string]string{}
			}
			if b.hosts[x.Host] = x.Facts; len(x.Facts) == 0 {
				delete(b.hosts, x.Host)
			}
			if len(x.Changed) > 0 {
				b.everywhere(Ask{Cause: ByArchitecture, Refs: []string{x.Host}, At: e.Time, Due: e.Time.Add(AfterReason)})
			}
			return nil
		})
	}
	return false, nil
}

// everywhere asks for a review of what a changed host concerns: the playbooks and the rules. Roles, contacts, letters, schedules and the
// glossary say nothing of hosts.
func (b *Book) everywhere(a Ask) {
	for id, p := range b.Parts {
		if !p.Gone && (id == "rules" || strings.HasPrefix(id, "playbook:")) {
			p.ask(a)
		}
	}
}

func (b *Book) measure(e entry.Entry, x entry.Measure) error {
	if x.ID == int64(len(b.Measures))+1 {
		b.Measures = append(b.Measures, &Measure{Measure: x, State: Open, By: e.Actor, Made: e.Time, Since: e.Time})
		return nil
	}
	m, err := b.Measure(x.ID)
	if err == nil {
		m.Measure = x
	}
	return err
}

func (b *Book) part(id string, f func(*Part)) error {
	p := b.Parts[id]
	if p == nil {
		return fmt.Errorf("there is no part %q of the plan", id)
	}
	f(p)
	return nil
}

// watch folds what others write of incidents: how severe they are, which parts of the plan they use, and how they end.
func (b *Book) watch(e entry.Entry) (mine bool, err error) {
	use := func(incident int64, parts ...string) {
		c := b.cases[incident]
		for _, p := range parts {
			if c != nil && !slices.Contains(c.used, p) {
				c.used = append(c.used, p)
			}
		}
	}
	switch e.Kind {
	case entry.IncidentOpened:
		return false, entry.With(e, func(x entry.Opened) error {
			if b.cases == nil {
				b.cases = map[int64]*past{}
			}
			b.cases[x.ID] = &past{severity: x.Severity, sample: x.Sample || x.History}
			return nil
		})
	case entry.IncidentSeverity:
		return false, entry.With(e, func(x entry.Severity) error {
			if c := b.cases[x.ID]; c != nil {
				c.severity = x.To
			}
			return nil
		})
	case entry.IncidentClosed:
		return false, entry.With(e, func(x entry.Closed) error {
			if c := b.cases[x.ID]; c != nil {
				c.closed, c.verdict = e.Time, x.Verdict
				b.closed(x.ID, c)
			}
			return nil
		})
	case entry.IncidentReopened:
		return false, entry.With(e, func(x entry.Reopened) error {
			if c := b.cases[x.ID]; c != nil {
				c.closed, c.verdict = time.Time{}, ""
			}
			return nil
		})
	case entry.IncidentMerged, entry.IncidentUnmerged:
		return false, entry.With(e, func(x entry.Merge) error {
			if c := b.cases[x.Into]; c != nil {
				c.merged = slices.DeleteFunc(c.merged, func(id int64) bool { return id == x.Incident })
				if e.Kind == entry.IncidentMerged {
					c.merged = append(c.merged, x.Incident)
				}
			}
			return nil
		})
	case entry.RunBegun:
		return false, entry.With(e, func(x entry.Run) error { use(x.Incident, "playbook:"+x.Playbook); return nil })
	case entry.IncidentRoleTaken, entry.IncidentRoleGiven:
		return false, entry.With(e, func(x entry.IncidentRole) error { use(x.ID, "roles"); return nil })
	case entry.UpdateWanted:
		return false, entry.With(e, func(x entry.UpdateTry) error { use(x.Incident, "contacts", "letters"); return nil })
	case entry.CallOpened:
		return false, entry.With(e, func(x entry.Call) error {
			for _, id := range x.Incidents {
				use(id, "schedules")
			}
			return nil
		})
	case entry.AlertRaised:
		return false, entry.With(e, func(x entry.Alert) error { use(x.Incident, "rules"); return nil })
	}
	return false, nil
}
