package hook

import (
	"slices"

	"tocsin/internal/entry"
)

// A State is what the ledger says of a hook.
type State struct {
	Through int64 // all up to this entry was taken, for certain
	Known   bool  // the settings had it at the last start
	Since   int64 // entry that says it takes nothing; 0 while it does
	Failing entry.Webhook
	Off     bool
}

// A Book is what must be known to word entries, and the hooks.
type Book struct {
	Hooks     map[string]State
	incidents map[int64][]moment
	calls     map[int64]call
	runs      map[int64]int64 // of playbooks: their incidents
	reports   map[int64]belongs
}

// belongs says to which incident a report from outside belongs, and since which entry.
type belongs struct{ incident, n int64 }

// A moment is an incident from an entry on.
type moment struct {
	n        int64
	severity string
	phase    string
	closed   bool
}

type call struct {
	incident int64 // the first one
	severity string
}

// at is the incident as of an entry.
func (b *Book) at(id, n int64) (moment, bool) {
	all := b.incidents[id]
	for k := len(all) - 1; k >= 0; k-- {
		if all[k].n <= n {
			return all[k], true
		}
	}
	return moment{}, false
}

// last is the incident as of now, to be changed by an entry.
func (b *Book) last(id, n int64) moment {
	m := moment{phase: "identification"}
	if all := b.incidents[id]; len(all) > 0 {
		m = all[len(all)-1]
	}
	m.n = n
	return m
}

func (b *Book) put(id int64, m moment) {
	if b.incidents == nil {
		b.incidents = map[int64][]moment{}
	}
	b.incidents[id] = append(b.incidents[id], m)
}

// Apply folds an entry. It reports whether the kind is one of this package; others are looked at, too.
func (b *Book) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.WebhookBegun, entry.WebhookFailed, entry.WebhookBack, entry.WebhookOff, entry.WebhookEnded:
		return true, b.applyHook(e)
	case entry.CallOpened:
		x, err := entry.Body[entry.Call](e)
		if err == nil && !x.Test {
			if b.calls == nil {
				b.calls = map[int64]call{}
			}
			c := call{severity: x.Severity}
			if len(x.Incidents) > 0 {
				c.incident = x.Incidents[0]
			}
			b.calls[x.ID] = c
		}
		return false, err
	case entry.RunBegun:
		x, err := entry.Body[entry.Run](e)
		if b.runs == nil {
			b.runs = map[int64]int64{}
		}
		b.runs[x.ID] = x.Incident
		return false, err
	}
	if e.Kind == entry.ReportOpened || e.Kind == entry.ReportJoined {
		x, err := entry.Body[entry.ReportStep](e)
		if b.reports == nil {
			b.reports = map[int64]belongs{}
		}
		b.reports[x.ID] = belongs{x.Incident, e.N}
		return false, err
	}
	return false, b.applyIncident(e)
}

func (b *Book) applyIncident(e entry.Entry) error {
	switch e.Kind {
	case entry.IncidentOpened:
		x, err := entry.Body[entry.Opened](e)
		m := b.last(x.ID, e.N)
		m.severity = x.Severity
		b.put(x.ID, m)
		return err
	case entry.IncidentSeverity:
		x, err := entry.Body[entry.Severity](e)
		m := b.last(x.ID, e.N)
		m.severity = x.To
		b.put(x.ID, m)
		return err
	case entry.IncidentPhase:
		x, err := entry.Body[entry.Phase](e)
		m := b.last(x.ID, e.N)
		m.phase = x.To
		b.put(x.ID, m)
		return err
	case entry.IncidentClosed, entry.IncidentReopened:
		x, err := entry.Body[entry.Closed](e)
		m := b.last(x.ID, e.N)
		m.closed = e.Kind == entry.IncidentClosed
		b.put(x.ID, m)
		return err
	}
	return nil
}

func (b *Book) applyHook(e entry.Entry) error {
	x, err := entry.Body[entry.Webhook](e)
	if err != nil {
		return err
	}
	if b.Hooks == nil {
		b.Hooks = map[string]State{}
	}
	s := b.Hooks[x.Hook]
	s.Through = max(s.Through, x.Through)
	switch e.Kind {
	case entry.WebhookBegun:
		s = State{Through: x.Through, Known: true}
	case entry.WebhookFailed:
		s.Since, s.Failing = e.N, x
	case entry.WebhookOff:
		s.Since, s.Failing, s.Off = e.N, x, true
	case entry.WebhookBack:
		s.Since, s.Failing, s.Off = 0, entry.Webhook{}, false
	case entry.WebhookEnded:
		delete(b.Hooks, x.Hook)
		return nil
	}
	b.Hooks[x.Hook] = s
	return nil
}

// Settle says which entries the settings' hooks make at a start: a new one begins behind the ledger's last entry, one that is not there any more ends.
func (b *Book) Settle(hooks []Hook, head int64) (out []entry.Draft) {
	draft := func(k entry.Kind, x entry.Webhook) {
		out = append(out, entry.Draft{Actor: "config", Kind: k, Subject: "webhook:" + x.Hook, Body: x})
	}
	for _, h := range hooks {
		if !b.Hooks[h.Name].Known {
			draft(entry.WebhookBegun, entry.Webhook{Hook: h.Name, Through: head})
		}
	}
	var gone []string
	for name := range b.Hooks {
		if !slices.ContainsFunc(hooks, func(h Hook) bool { return h.Name == name }) {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	for _, name := range gone {
		draft(entry.WebhookEnded, entry.Webhook{Hook: name, Through: b.Hooks[name].Through})
	}
	return out
}
