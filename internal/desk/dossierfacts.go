package desk

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tocsin/internal/dossier"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/report"
	"tocsin/internal/tlp"
)

// Bounds of what is put together by the program itself; the timeline has all of it.
const (
	alertsInDossier = 200 // whose details are read for their hosts, the newest
	rulesInDossier  = 10  // that are named as who told of it
)

// reported reads who or what told of it, the first first.
func (r *caseReader) reported() {
	seen := map[string]bool{}
	for _, id := range r.s.Incidents.Family(r.id) {
		i, err := r.s.Incidents.Get(id)
		if err != nil {
			continue
		}
		for _, m := range i.Timeline {
			switch a := r.s.Incidents.Alerts[m.Ref]; {
			case m.Kind == entry.AlertRaised && a != nil && !seen[a.Rule]:
				if seen[a.Rule] = true; len(seen) <= rulesInDossier {
					r.c.ReportedBy = append(r.c.ReportedBy, dossier.Reporter{Name: "alert “" + a.Title + "”", What: "rule", At: m.Learned, Label: r.label(id, "")})
				}
			case m.Kind == entry.IncidentOpened && slices.Contains(m.Why, incident.WhyReported):
				r.c.ReportedBy = append(r.c.ReportedBy, dossier.Reporter{Name: r.d.ActorCalled(r.s, m.Actor), What: "person of the team", At: m.Learned, Label: r.label(id, "")})
			}
		}
		for _, x := range r.outside(id) {
			r.c.ReportedBy = append(r.c.ReportedBy, dossier.Reporter{Name: fmt.Sprintf("report %d from outside, of %s", x.ID, x.Day), What: x.From, Label: r.label(id, "")})
		}
		for _, l := range i.Lines {
			r.lines = append(r.lines, l.Vault)
		}
		for _, alert := range i.Alerts[max(0, len(i.Alerts)-alertsInDossier):] {
			if a := r.s.Incidents.Alerts[alert]; a != nil && r.s.Forgotten[alert].IsZero() {
				r.alerts = append(r.alerts, a.Vault)
			}
		}
	}
	slices.SortStableFunc(r.c.ReportedBy, func(a, b dossier.Reporter) int { return a.At.Compare(b.At) })
	if x, n := r.i.Affects(); n > 0 {
		r.sheet = x.Text
	}
	r.affects = r.label(r.id, "affected")
}

// outside are the reports from outside that belong to an incident.
func (r *caseReader) outside(id int64) (out []*report.Case) {
	for _, c := range r.s.reports.Cases() {
		if c.Incident == id {
			out = append(out, c)
		}
	}
	return out
}

// affected reads what people wrote of systems, data, people and costs, and the hosts that alerts and lines name. It asks the vault, so it is called outside of Read.
func (r *caseReader) affected() {
	x := r.d.sheet(r.sheet)
	label := r.affects
	for _, s := range x.Systems {
		r.c.Systems = append(r.c.Systems, dossier.System{Name: s.Name, Role: s.Role, Effect: s.Effect, State: s.State, Label: label})
	}
	for _, s := range x.Data {
		r.c.Data = append(r.c.Data, dossier.Data{What: s.What, Fate: s.Fate, Records: s.Records, Basis: s.Basis, Label: label})
	}
	for _, s := range x.People {
		r.c.People = append(r.c.People, dossier.People{Who: s.Who, Count: s.Count, Where: s.Where, Basis: s.Basis, Label: label})
	}
	for _, s := range x.Costs {
		r.c.Costs = append(r.c.Costs, dossier.Cost{What: s.What, Cents: s.Cents, Currency: s.Currency, Minutes: s.Minutes, Estimate: s.Estimate, Label: label})
	}
	named := map[string][]string{}
	for _, vault := range r.alerts {
		if a, err := r.d.Details(vault); err == nil {
			for _, h := range a.Hosts {
				if !slices.Contains(named[h], a.Title) {
					named[h] = append(named[h], a.Title)
				}
			}
		}
	}
	for _, vault := range r.lines {
		var lines attachedLines
		if r.d.fromVault(vault, &lines) == nil {
			for _, l := range lines.Lines {
				if named[l.Host] == nil {
					named[l.Host] = []string{"lines that were attached"}
				}
			}
		}
	}
	for _, h := range slices.Sorted(maps.Keys(named)) {
		if h == "" || slices.ContainsFunc(x.Systems, func(s incident.System) bool { return strings.EqualFold(s.Name, h) }) {
			continue
		}
		what := named[h]
		if n := len(what); n > 3 {
			what = append(slices.Clone(what[:3]), fmt.Sprintf("and %d more", n-3))
		}
		r.c.Systems = append(r.c.Systems, dossier.System{Name: h, Effect: "named by: " + strings.Join(what, ", "), Label: r.c.Label})
	}
}

// tell reads who was told of it: the team by calls, stakeholders by updates, reporters.
func (r *caseReader) tell() {
	whole := r.label(r.id, "")
	for _, c := range r.calls() {
		told := map[string]bool{}
		for k := range c.Tries {
			if t := &c.Tries[k]; !t.Failed && !t.Done.IsZero() && !told[t.Person] {
				told[t.Person] = true
				r.toldOf("", dossier.Told{Whom: r.whom(t), Law: fmt.Sprintf("call %d, by %s", c.ID, t.Channel), State: "rung", Sent: t.Done, Label: whole})
			}
		}
	}
	family := r.s.Incidents.Family(r.id)
	for _, u := range r.s.Contacts.Updates {
		if !slices.Contains(family, u.Incident) {
			continue
		}
		x := dossier.Told{Law: "promise to stakeholders (" + u.Stage + "), by " + u.Way, State: "not known to be sent", Label: r.label(u.Incident, "")}
		switch {
		case u.Failed:
			x.State = "failed"
		case !u.Done.IsZero():
			x.State, x.Sent = "sent", u.Done
		}
		vault := ""
		if u.Contact >= 1 && u.Contact <= int64(len(r.s.Contacts.Contacts)) {
			vault = r.s.Contacts.Contacts[u.Contact-1].Vault
		}
		r.toldOf(vault, x)
	}
	for _, id := range family {
		for _, c := range r.outside(id) {
			for _, st := range c.Steps {
				if st.Kind == entry.ReportAnswered || st.Kind == entry.ReportClosed {
					r.toldOf("", dossier.Told{Whom: fmt.Sprintf("who sent report %d (%s)", c.ID, c.From), Law: "answer by " + r.name(st.Person), State: strings.TrimPrefix(string(st.Kind), "report."), Sent: st.At, Label: r.label(id, "")})
				}
			}
		}
	}
}

func (r *caseReader) toldOf(vault string, x dossier.Told) {
	r.c.Told, r.told = append(r.c.Told, x), append(r.told, vault)
}

func (r *caseReader) whom(t *oncall.Try) string {
	if t.Person == "" {
		return "the team's chat"
	}
	return r.name(t.Person)
}

// runs reads what was done by the playbooks of an incident.
func (r *caseReader) runs(id int64) {
	for _, run := range r.s.Runs.Of(id) {
		b := run.Book()
		if b == nil {
			continue
		}
		if r.c.Playbook != "" {
			r.c.Playbook += "; "
		}
		r.c.Playbook += b.Title + ", revision " + run.Revision[:min(8, len(run.Revision))]
		if run.Stopped {
			r.c.Playbook += " (stopped)"
		}
		for _, x := range run.History {
			step := b.Step(x.Step)
			word := map[entry.Kind]string{entry.StepDone: "done", entry.StepSkipped: "skipped", entry.StepDenied: "refused"}[x.Kind]
			if step == nil || word == "" {
				continue
			}
			label := r.label(id, timelineLine(r.s, id, x.N))
			result := []phrase{{word: word}, {text: x.Text}}
			if m := run.Marks[x.Step]; m != nil && m.At.Equal(x.Time) {
				if m.Approved != "" {
					result = append(result, phrase{word: "agreed to by " + r.name(m.Approved)})
				}
				if len(m.Late) > 0 {
					result = append(result, phrase{word: "late"})
				}
				for _, n := range m.Evidence {
					result = append(result, r.fileNamed(id, "evidence "+n, n, label))
				}
			}
			r.act(dossier.Action{N: x.N, At: x.Time, Who: cmp.Or(strings.TrimSpace(r.doer(x.By)+" ("+plan.RoleWord(step.Role)+")"), "–"), Label: label}, phrase{word: step.What}, result...)
		}
	}
}

// fileNamed words an attachment by how a step or a cause of an incident names it, in what has a label. The name of one that carries less far stays away: it stands with
// the evidence, for those who may have it.
func (r *caseReader) fileNamed(id int64, words, name string, label dossier.Label) phrase {
	f := r.s.Incidents.FileOf(id, name)
	if f == nil {
		return phrase{word: words}
	}
	whole, own := tlp.Label(strings.TrimPrefix(string(label), "TLP:")), r.s.Incidents.Label(f.Incident, attachmentOf(f.ID))
	if tlp.Narrowest(whole, own) != whole {
		return phrase{word: words}
	}
	return phrase{words + ": ", f.Name}
}

// causeLinks reads what the root cause rests on.
func (r *caseReader) causeLinks(c entry.Cause, label dossier.Label) {
	add := func(front string, list []entry.Link) {
		for _, l := range list {
			w := phrase{word: front + l.Kind + " " + l.Ref}
			switch l.Kind {
			case "cve", "cwe":
				w.word = front + l.Ref
			case "file":
				w = phrase{front + "file ", l.Ref}
			case "lines":
				w.word = front + "lines that entry " + l.Ref + " attached"
			case "alert":
				if a := r.s.Incidents.Alerts[l.Ref]; a != nil {
					w.word = front + "alert " + a.Title
				}
			case "attachment":
				w = r.fileNamed(r.id, front+"attachment "+l.Ref, l.Ref, label)
			}
			r.c.Cause.Links, r.links = append(r.c.Cause.Links, dossier.Text{Label: label}), append(r.links, saying{w})
		}
	}
	for k, w := range c.Whys {
		add(fmt.Sprintf("Why %d: ", k+1), w.Links)
	}
	for _, b := range c.Bones {
		add(Title(b.Branch)+": ", b.Links)
	}
}
