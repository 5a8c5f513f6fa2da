package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/dossier"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
	"tocsin/internal/playbook"
)

// # The times of a report
//
// Each is taken from entries, and the report says from which. What no entry says is not known: nothing is guessed.
//
//	detected   the first alert; without one, when a person opened the incident
//	answered   the first call that somebody answered; when nobody was rung, when a person took it up (a role, or the work)
//	contained  every step of containment of its playbooks is settled; or somebody set the phase behind containment
//	recovered  every step of recovery is settled; or somebody set the phase to lessons; or it was closed as a true alarm

// timeline reads the lines, as the console shows them, with what was done in the playbooks.
func (r *caseReader) timeline() error {
	lines, err := r.s.Incidents.Timeline(r.id, incident.Filter{})
	began, phase := r.i.Opened, "identification"
	for _, l := range lines {
		m := dossier.Moment{N: l.N, Happened: l.Happened, Learned: l.Learned, Who: r.d.ActorCalled(r.s, l.Actor), Pinned: l.Pinned != nil, Label: r.label(l.Incident, fmt.Sprintf("note:%d", l.N))}
		if l.Kind == entry.NoteEdited {
			_, _ = fmt.Sscan(l.To, &m.Corrects)
		}
		said := r.d.Moment(r.s, l.Mark)
		if l.Incident != r.id {
			said.Says = fmt.Sprintf("Incident %d: %s", l.Incident, said.Says)
		}
		r.c.Timeline, r.said = append(r.c.Timeline, m), append(r.said, said)
		if l.Incident == r.id && l.Kind == entry.IncidentPhase {
			r.c.Phases = append(r.c.Phases, dossier.Span{Phase: phase, From: began, Until: l.Learned})
			began, phase = l.Learned, l.To
		}
	}
	r.c.Phases = append(r.c.Phases, dossier.Span{Phase: phase, From: began, Until: r.i.Ended})
	for _, id := range r.s.Incidents.Family(r.id) {
		for _, run := range r.s.Runs.Of(id) {
			for _, x := range run.History {
				if x.Kind == entry.FactAnswered {
					continue // a line of the timeline has it when it is about the whole incident
				}
				said, _ := DeedMoment(run, x)
				r.c.Timeline = append(r.c.Timeline, dossier.Moment{N: x.N, Happened: x.Time, Learned: x.Time, Who: r.doer(x.By), Label: r.label(id, "")})
				r.said = append(r.said, said)
			}
		}
	}
	return err
}

// doer is what somebody who did a step is called: a run names people by their staff id, and programs as the ledger does.
func (r *caseReader) doer(by string) string {
	if w := r.d.ActorCalled(r.s, by); w != by {
		return w
	}
	return r.name(by)
}

// times finds the moments by which a response is measured.
func (r *caseReader) times() {
	c := &r.c
	c.How = dossier.How{Happened: "not known: nothing of it was dated", Detected: "not known", Answered: "not known: no call was answered, and nobody took it up", Contained: "not known: no containment is marked as done", Recovered: "not known: no recovery is marked as done"}
	if !c.Happened.IsZero() {
		c.How.Happened = "the first line that an alert counts, or what a person said"
	}
	r.detected()
	r.answered()
	if r.i.Verdict == "false" {
		c.How.Contained, c.How.Recovered = "it was a false alarm", "it was a false alarm"
	} else {
		c.Contained, c.How.Contained = r.reached(c.How.Contained, []string{playbook.Short, playbook.Long}, "eradication", "recovery", "lessons")
		c.Recovered, c.How.Recovered = r.reached(c.How.Recovered, []string{"recovery"}, "lessons")
		if n, at := r.last(entry.IncidentClosed); c.Recovered.IsZero() && r.i.Closed && n > 0 {
			c.Recovered, c.How.Recovered = at, fmt.Sprintf("it was closed as a true alarm (entry %d); no recovery is marked before", n)
		}
	}
	if n, _ := r.last(entry.IncidentClosed); r.i.Closed && n > 0 {
		c.How.Ended = fmt.Sprintf("it was closed (entry %d)", n)
	} else if !r.i.Closed {
		c.How.Ended = "it is open"
	}
}

func (r *caseReader) detected() {
	for _, id := range r.s.Incidents.Family(r.id) {
		i, err := r.s.Incidents.Get(id)
		if err != nil {
			continue
		}
		for _, m := range i.Timeline {
			if m.Kind == entry.AlertRaised && (r.c.Detected.IsZero() || m.Learned.Before(r.c.Detected)) {
				r.c.Detected, r.c.How.Detected = m.Learned, fmt.Sprintf("the first alert was raised (entry %d)", m.N)
			}
		}
	}
	if n, at := r.first(entry.IncidentOpened); r.c.Detected.IsZero() && n > 0 {
		r.c.Detected, r.c.How.Detected = at, fmt.Sprintf("somebody opened the incident (entry %d)", n)
	}
}

func (r *caseReader) answered() {
	for _, call := range r.calls() {
		at := call.At
		for _, t := range call.Taken {
			if t.At.Before(at) || at.IsZero() {
				at = t.At
			}
		}
		if answered := call.Answered.Via != "" || len(call.Taken) > 0; answered && (r.c.Answered.IsZero() || at.Before(r.c.Answered)) {
			r.c.Answered, r.c.How.Answered = at, fmt.Sprintf("call %d was answered by %s", call.ID, cmp.Or(r.name(call.Answered.Person), "somebody at the command line"))
		}
	}
	if !r.c.Answered.IsZero() {
		return
	}
	if n, at := r.first(entry.IncidentAssigned, entry.IncidentRoleTaken); n > 0 {
		r.c.Answered, r.c.How.Answered = at, fmt.Sprintf("no call was answered; somebody took it up (entry %d)", n)
	}
}

// calls are those that rang for the incident, in their order.
func (r *caseReader) calls() (out []*oncall.Call) {
	family := r.s.Incidents.Family(r.id)
	for _, c := range r.s.Calls.Calls {
		if slices.ContainsFunc(c.Incidents, func(id int64) bool { return slices.Contains(family, id) }) {
			out = append(out, c)
		}
	}
	return out
}

// first returns the first line of one of some kinds, and when it was learned; 0 of none.
func (r *caseReader) first(kinds ...entry.Kind) (n int64, at time.Time) {
	for _, m := range r.i.Timeline {
		if slices.Contains(kinds, m.Kind) && m.To != "" {
			return m.N, m.Learned
		}
	}
	return 0, time.Time{}
}

func (r *caseReader) last(kind entry.Kind) (n int64, at time.Time) {
	for _, m := range slices.Backward(r.i.Timeline) {
		if m.Kind == kind {
			return m.N, m.Learned
		}
	}
	return 0, time.Time{}
}

// reached is when the work left some phases behind: by the playbooks' steps, or by a person who set the phase to one of those behind. The earlier of both holds; a phase that was gone back
// to later, or a step that was opened again, takes it away.
func (r *caseReader) reached(not string, phases []string, behind ...string) (at time.Time, how string) {
	how = not
	for _, m := range r.i.Timeline {
		switch {
		case m.Kind != entry.IncidentPhase:
		case !slices.Contains(behind, m.To):
			at, how = time.Time{}, not
		case at.IsZero():
			at, how = m.Learned, fmt.Sprintf("somebody set the phase to %s (entry %d)", m.To, m.N)
		}
	}
	var settled time.Time
	done := 0
	var titles []string
	for _, id := range r.s.Incidents.Family(r.id) {
		for _, run := range r.s.Runs.Of(id) {
			if run.Stopped {
				continue
			}
			here := 0
			for _, x := range run.Look(r.at) {
				switch {
				case !slices.Contains(phases, x.Phase) || x.State == playbook.NotNeeded:
				case !playbook.Settled(x.State):
					return at, how
				default:
					if settled = later(settled, x.Mark.At); x.State == playbook.Done {
						here++
					}
				}
			}
			if b := run.Book(); b != nil && here > 0 {
				titles = append(titles, b.Title)
			}
			done += here
		}
	}
	if done > 0 && (at.IsZero() || settled.Before(at)) {
		word := strings.ToLower(playbook.PhaseWord(phases[0]))
		if len(phases) > 1 {
			word = "containment"
		}
		return settled, fmt.Sprintf("the last step of %s was settled (playbook %s)", word, strings.Join(titles, ", "))
	}
	return at, how
}
