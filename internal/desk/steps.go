package desk

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
)

// Each act on a step is one entry, so whatever ends the program in between, a step is done or it is not. Whoever may write notes works on steps: the five roles; to agree to
// one wants the role that the playbook names.

// A StepDone is what a person says of a step that is done.
type StepDone struct {
	Run      int64
	Step     string
	Found    string            // what was found; may be empty
	Answers  map[string]string // of the questions that the step asks: one of their answers, or words
	Evidence []string          // attachments, as incident.File.Named names them
	Without  string            // why it is done without evidence that it expects
}

// TakeStep says that who acts does a step from now on. from is who does it as they saw it, "" for nobody: if another took it meanwhile, they are told (*Overtaken).
func (d *Desk) TakeStep(actor auth.Actor, run int64, step, from string) error {
	return d.onRun(actor, auth.Note, run, nil, func(s *State, _ time.Time, person string, _ []string) ([]entry.Draft, error) {
		x, err := s.Runs.Take(actor.Name, entry.StepWork{Run: run, Step: step, Person: person, Via: actor.Via}, from)
		if errors.Is(err, playbook.ErrTaken) {
			return nil, takenBefore(s, run, step)
		}
		return settledBefore(s, run, step)(x, err)
	})
}

// takenBefore is the refusal of who takes a step that another took meanwhile.
func takenBefore(s *State, run int64, step string) error {
	r, err := s.Runs.Get(run)
	if err != nil {
		return err
	}
	o := &incident.Overtaken{What: fmt.Sprintf("step %s of run %d was taken", step, run), Then: "leave it to them, or do it in their place"}
	for _, x := range r.History {
		if x.Step == step && x.Kind == entry.StepTaken {
			o.N, o.By, o.At = x.N, "person:"+x.By, x.Time
		}
	}
	return o
}

// LeaveStep says that whoever does a step does it no more.
func (d *Desk) LeaveStep(actor auth.Actor, run int64, step, why string) error {
	return d.onRun(actor, auth.Note, run, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Runs.Leave(actor.Name, run, step, person, texts[0]))
	})
}

// FinishStep says that a step is done. All that it asks must be answered, here or before. When fewer attachments are named than it expects evidence, it wants a reason, which
// is kept with what was found.
func (d *Desk) FinishStep(actor auth.Actor, x StepDone) error {
	facts := slices.Sorted(maps.Keys(x.Answers))
	words := []string{x.Found}
	if why := strings.TrimSpace(x.Without); why != "" {
		words[0] = strings.TrimSpace(x.Found + "\n" + withoutWord + why)
	}
	for _, f := range slices.Clone(facts) {
		switch {
		case d.choice(actor, x.Run, f):
		case d.said(actor, x.Run, f) == strings.TrimSpace(x.Answers[f]):
			facts = slices.DeleteFunc(facts, func(g string) bool { return g == f }) // it came back as the form had it
		default:
			words = append(words, x.Answers[f])
		}
	}
	return d.onRun(actor, auth.Note, x.Run, words, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		r, err := s.Runs.Get(x.Run)
		if err != nil {
			return nil, err
		}
		done := entry.StepResult{Run: x.Run, Step: x.Step, Person: person, Evidence: x.Evidence, Text: texts[0]}
		free := texts[1:]
		for _, f := range facts {
			a := entry.Fact{Fact: f, Person: person}
			if choice(r, f) {
				a.Value = x.Answers[f]
			} else if len(free) > 0 {
				a.Text, free = free[0], free[1:]
			}
			if a.Value+a.Text != "" {
				done.Answers = append(done.Answers, a)
			}
		}
		if err := evidenceIs(s, r.Incident, x.Evidence); err != nil {
			return nil, err
		}
		y, err := s.Runs.Finish(actor.Name, done)
		if a, ok := errors.AsType[*playbook.Answered](err); ok {
			return nil, answeredBefore(r, a)
		}
		if m := r.Marks[x.Step]; err == nil && m != nil && m.Approved != "" {
			err = auth.Apart(actor, agreed(m))
		}
		if err == nil {
			err = lacksEvidence(r, x)
		}
		return settledBefore(s, x.Run, x.Step)(y, err)
	})
}

// answeredBefore is the refusal of who answers a question of a run otherwise than it is answered.
func answeredBefore(r *playbook.Run, a *playbook.Answered) error {
	ask, said := a.Fact, ""
	if f, known := r.Book().Fact(a.Fact); known {
		ask = f.Ask
	}
	if a.Was.Value != "" {
		said = ` with "` + strings.ReplaceAll(a.Was.Value, "-", " ") + `"`
	}
	return &incident.Overtaken{What: fmt.Sprintf("%q was answered%s", ask, said), N: a.Was.N, By: "person:" + a.Was.Person, At: a.Was.Time, Text: a.Was.Text,
		Then: "leave it as it is, or correct the answer, with the reason"}
}

// took and agreed are who took a step and who agreed to it, as far as they must be two.
func took(m *playbook.Mark) auth.Actor {
	return auth.Actor{Name: "person:" + m.Taken, ID: m.Taken, Via: m.TakenVia}
}

func agreed(m *playbook.Mark) auth.Actor {
	return auth.Actor{Name: "person:" + m.Approved, ID: m.Approved, Via: m.AgreedBy}
}

// withoutWord stands before the reason for which a step is done without its evidence.
const withoutWord = "Done without all its evidence, because: "

// lacksEvidence asks why a step is done without evidence that it expects.
func lacksEvidence(r *playbook.Run, x StepDone) error {
	step := r.Book().Step(x.Step)
	have := map[string]bool{}
	if m := r.Marks[x.Step]; m != nil {
		for _, e := range m.Evidence {
			have[e] = true
		}
	}
	for _, e := range x.Evidence {
		have[e] = true
	}
	if len(have) >= len(step.Evidence) || strings.TrimSpace(x.Without) != "" {
		return nil
	}
	return FieldError{"without", fmt.Sprintf("This step expects evidence: %s. Name the attachments that are it, or say why it is done without.", strings.Join(step.Evidence, ", "))}
}

// settledBefore makes the refusal of who comes second to a step that another settled show what that one wrote.
func settledBefore(s *State, run int64, step string) func(entry.Draft, error) ([]entry.Draft, error) {
	return func(x entry.Draft, err error) ([]entry.Draft, error) {
		r, e := s.Runs.Get(run)
		if err == nil || e != nil || r.Marks[step] == nil || r.Marks[step].Settled == "" {
			return []entry.Draft{x}, err
		}
		m := r.Marks[step]
		o := &incident.Overtaken{What: fmt.Sprintf("step %s of run %d was %s", step, run, m.Settled), By: "person:" + m.By, At: m.At, Text: m.Text, Then: "look at it, and open the step again if that was wrong"}
		for _, x := range r.History {
			if x.Step == step && x.Time.Equal(m.At) {
				o.N = x.N
			}
		}
		return nil, o
	}
}

// evidenceIs checks that what is named as evidence was attached, to the incident or to one that is one with it.
func evidenceIs(s *State, id int64, evidence []string) error {
	for _, e := range evidence {
		if s.Incidents.FileOf(id, e) == nil {
			return FieldError{"evidence", fmt.Sprintf("Incident %d has no attachment %.20q: attach it first.", id, e)}
		}
	}
	return nil
}

// choice reports whether a question of a run has answers to choose from.
func choice(r *playbook.Run, fact string) bool {
	if r.Book() == nil {
		return false
	}
	f, known := r.Book().Fact(fact)
	return known && len(f.Of) > 0
}

// said are the words that stand for a question of a run, "" of none.
func (d *Desk) said(actor auth.Actor, run int64, fact string) string {
	text := ""
	d.ReadAs(actor, func(s *State) {
		if r, err := s.Runs.Get(run); err == nil {
			text = r.Answer(fact).Text
		}
	})
	return d.Text(text)
}

func (d *Desk) choice(actor auth.Actor, run int64, fact string) (is bool) {
	d.ReadAs(actor, func(s *State) {
		r, err := s.Runs.Get(run)
		is = err == nil && choice(r, fact)
	})
	return is
}

// SkipStep says that a step is not done, and why.
func (d *Desk) SkipStep(actor auth.Actor, run int64, step, why string) error {
	return d.onRun(actor, auth.Note, run, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return settledBefore(s, run, step)(s.Runs.Skip(actor.Name, run, step, person, texts[0]))
	})
}

// ReopenStep says that a step that was settled is to be done again, and why.
func (d *Desk) ReopenStep(actor auth.Actor, run int64, step, why string) error {
	return d.onRun(actor, auth.Note, run, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Runs.Reopen(actor.Name, run, step, person, texts[0]))
	})
}

// ApproveStep agrees to a step, for the role whose agreement it needs.
func (d *Desk) ApproveStep(actor auth.Actor, run int64, step string) error {
	return d.onRun(actor, auth.Note, run, nil, func(s *State, _ time.Time, person string, _ []string) ([]entry.Draft, error) {
		role, err := d.agrees(s, actor, run, step)
		if err != nil {
			return nil, err
		}
		x, err := s.Runs.Approve(actor.Name, entry.StepWork{Run: run, Step: step, Person: person, Role: role, Via: actor.Via})
		if r, _ := s.Runs.Get(run); err == nil && r.Marks[step] != nil && r.Marks[step].Taken != "" {
			err = auth.Apart(took(r.Marks[step]), actor)
		}
		return settledBefore(s, run, step)(x, err)
	})
}

// DenyStep says no to it.
func (d *Desk) DenyStep(actor auth.Actor, run int64, step, why string) error {
	return d.onRun(actor, auth.Note, run, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		role, err := d.agrees(s, actor, run, step)
		if err != nil {
			return nil, err
		}
		return settledBefore(s, run, step)(s.Runs.Deny(actor.Name, run, step, person, role, texts[0]))
	})
}

// agrees returns the role for which an actor agrees to a step.
func (d *Desk) agrees(s *State, actor auth.Actor, run int64, step string) (string, error) {
	r, err := s.Runs.Get(run)
	if err != nil {
		return "", err
	}
	if actor.Scope != nil {
		return "", auth.Refusal{Actor: actor.Name, Action: auth.Note} // a token is no person who looks
	}
	var x *playbook.Step
	if r.Book() != nil {
		x = r.Book().Step(step)
	}
	switch {
	case x == nil:
		return "", fmt.Errorf("the run has no step %.40q", step)
	case x.Approve != "" && !plays(s, actor, r.Incident, x.Approve):
		return "", fmt.Errorf("%s needs the agreement of the %s, and you do not have that role", step, x.Approve)
	}
	return x.Approve, nil
}

// AnswerFact answers a question of a run that stands alone, or corrects an answer, with the reason.
func (d *Desk) AnswerFact(actor auth.Actor, run int64, fact, value, why string) error {
	words := []string{why}
	free := !d.choice(actor, run, fact)
	if free {
		words = append(words, value)
	}
	return d.onRun(actor, auth.Note, run, words, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		x := entry.Fact{Run: run, Fact: fact, Person: person, Why: texts[0]}
		if free {
			x.Text = texts[1]
		} else {
			x.Value = value
		}
		return one(s.Runs.Say(actor.Name, x))
	})
}

// SetScope says whom an incident touches: site-only, customers, unknown. Another answer than before needs a reason.
func (d *Desk) SetScope(actor auth.Actor, id int64, affected, why string) error {
	return d.wrote(actor, auth.Note, id, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		if err := working(s, id); err != nil {
			return nil, err
		}
		return one(s.Runs.Say(actor.Name, entry.Fact{Incident: id, Fact: playbook.Affected, Value: affected, Person: person, Why: texts[0]}))
	})
}
