package playbook

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// runsAtMost is how many runs an incident takes.
const runsAtMost = 20

func draft(actor string, k entry.Kind, subject string, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: k, Subject: subject, Body: body}
}

func ofRun(actor string, k entry.Kind, r *Run, body any) entry.Draft {
	return draft(actor, k, fmt.Sprintf("incident:%d", r.Incident), body)
}

// Put decides that a revision is the one that is begun from now on. x.Vault holds its bytes, x.Text why it was changed.
func (s *Runs) Put(actor string, x entry.Playbook) (entry.Draft, error) {
	b := s.Books[x.ID]
	switch {
	case x.Revision == "" || x.Vault == "":
		return entry.Draft{}, errors.New("a playbook needs its bytes")
	case b != nil && !b.Retired && b.Current() == x.Revision:
		return entry.Draft{}, fmt.Errorf("the playbook %s is this already", x.ID)
	case x.From != "shipped" && x.Text == "":
		return entry.Draft{}, errors.New("say why the playbook is changed")
	case x.From != "shipped" && x.Approver == x.By:
		return entry.Draft{}, errors.New("a change of a playbook is approved by another person than who wrote it")
	case b != nil:
		x.Before = b.Current()
	}
	return draft(actor, entry.PlaybookPut, "playbook:"+x.ID, x), nil
}

// Retire decides that a playbook is not begun any more; text is the reason.
func (s *Runs) Retire(actor, id, text string) (entry.Draft, error) {
	b := s.Books[id]
	switch {
	case b == nil:
		return entry.Draft{}, fmt.Errorf("there is no playbook %s", id)
	case b.Retired:
		return entry.Draft{}, fmt.Errorf("the playbook %s is retired already", id)
	case text == "":
		return entry.Draft{}, errors.New("say why the playbook is not used any more")
	}
	return draft(actor, entry.PlaybookRetired, "playbook:"+id, entry.PlaybookEnd{ID: id, Text: text}), nil
}

// Begin decides to work an incident through by a playbook, in its current revision.
func (s *Runs) Begin(actor string, incident int64, id, why string) (x entry.Draft, run int64, err error) {
	b := s.Books[id]
	switch {
	case b == nil || b.Retired:
		return entry.Draft{}, 0, fmt.Errorf("there is no playbook %s in use", id)
	case slices.ContainsFunc(s.Of(incident), func(r *Run) bool { return r.Playbook == id && !r.Stopped }):
		return entry.Draft{}, 0, fmt.Errorf("incident %d is worked through by %s already", incident, id)
	case len(s.Of(incident)) >= runsAtMost:
		return entry.Draft{}, 0, fmt.Errorf("incident %d has %d runs of playbooks; stop what is not needed", incident, runsAtMost)
	}
	run = int64(len(s.All)) + 1
	return draft(actor, entry.RunBegun, fmt.Sprintf("incident:%d", incident), entry.Run{ID: run, Incident: incident, Playbook: id, Revision: b.Current(), Why: why}), run, nil
}

// Move decides to take a run to another revision of its playbook; text is the reason.
func (s *Runs) Move(actor string, run int64, to, text string) (entry.Draft, error) {
	r, err := s.going(run)
	if err != nil {
		return entry.Draft{}, err
	}
	known := slices.ContainsFunc(s.Books[r.Playbook].Revisions, func(x Revision) bool { return x.Revision == to })
	switch {
	case !known:
		return entry.Draft{}, fmt.Errorf("%.12s is no revision of %s", to, r.Playbook)
	case to == r.Revision:
		return entry.Draft{}, errors.New("the run is at this revision already")
	case text == "":
		return entry.Draft{}, errors.New("say why the run is taken to another revision")
	}
	return ofRun(actor, entry.RunMoved, r, entry.RunMove{ID: run, From: r.Revision, To: to, Text: text}), nil
}

// Stop decides that a run was the wrong one; text is the reason.
func (s *Runs) Stop(actor string, run int64, text string) (entry.Draft, error) {
	r, err := s.going(run)
	if err == nil && text == "" {
		err = errors.New("say why the run is stopped")
	}
	if err != nil {
		return entry.Draft{}, err
	}
	return ofRun(actor, entry.RunStopped, r, entry.RunEnd{ID: run, Text: text}), nil
}

func (s *Runs) going(run int64) (*Run, error) {
	r, err := s.Get(run)
	if err == nil && r.Stopped {
		err = fmt.Errorf("run %d of %s is stopped", run, r.Playbook)
	}
	return r, err
}

// step returns a step as it stands.
func (s *Runs) step(run int64, step string) (*Run, Status, error) {
	r, err := s.going(run)
	if err != nil {
		return nil, Status{}, err
	}
	for _, x := range r.Look(time.Time{}) {
		if x.ID == step {
			return r, x, nil
		}
	}
	if r.book == nil {
		return nil, Status{}, errors.New(r.Waits(time.Time{})[0])
	}
	return nil, Status{}, fmt.Errorf("the playbook %s has no step %q in the revision of this run", r.Playbook, step)
}

// workable says why nobody can work on a step now.
func workable(x Status) error {
	switch {
	case x.State == Waiting:
		return fmt.Errorf("%s waits for: %s", x.ID, strings.Join(x.WaitsFor, ", "))
	case x.State == NotNeeded:
		return fmt.Errorf("%s is not needed, as the questions are answered now", x.ID)
	case Settled(x.State):
		return fmt.Errorf("%s is %s already, by %s; reopen it if that was wrong", x.ID, x.State, x.Person)
	}
	return nil
}

// ErrTaken says that somebody else does a step than the one who takes it saw.
var ErrTaken = errors.New("somebody else does it")

// Take decides that x.Person does a step from now on, also in place of another. from is who does it as they saw it, "" for nobody: when it is another meanwhile, it is an ErrTaken.
func (s *Runs) Take(actor string, x entry.StepWork, from string) (entry.Draft, error) {
	r, at, err := s.step(x.Run, x.Step)
	if err == nil {
		err = workable(at)
	}
	switch {
	case err != nil:
	case at.Person == x.Person:
		err = fmt.Errorf("%s does %s already", x.Person, x.Step)
	case at.Person != "" && at.Person != from:
		err = fmt.Errorf("%s is done by %s: %w", x.Step, at.Person, ErrTaken)
	}
	if err != nil {
		return entry.Draft{}, err
	}
	return ofRun(actor, entry.StepTaken, r, x), nil
}

// Leave decides that whoever does a step does it no more; text may say why.
func (s *Runs) Leave(actor string, run int64, step, person, text string) (entry.Draft, error) {
	r, x, err := s.step(run, step)
	if err == nil && x.State != Taken {
		err = fmt.Errorf("nobody does %s", step)
	}
	if err != nil {
		return entry.Draft{}, err
	}
	return ofRun(actor, entry.StepLeft, r, entry.StepWork{Run: run, Step: step, Person: person, Text: text}), nil
}

// An Answered is the refusal of an answer other than the one that stands: to correct one takes its reason (Say).
type Answered struct {
	Fact string
	Was  Answer
}

func (e *Answered) Error() string {
	return fmt.Sprintf("%s was answered otherwise, by %s: correct the answer, and say why it is another one now", e.Fact, e.Was.Person)
}

// overwrites refuses an answer with which a step would write over another's. "unknown" is no answer that stands, and neither is one from before the step was opened again: that had its reason.
func (r *Run) overwrites(step string, a entry.Fact) error {
	was := r.Answer(a.Fact)
	again := func(d Deed) bool { return d.Kind == entry.StepReopened && d.Step == step && d.N > was.N }
	if was.Value+was.Text == "" || was.Value == "unknown" || was.Value == a.Value && was.Text == a.Text || slices.ContainsFunc(r.History, again) {
		return nil
	}
	return &Answered{a.Fact, was}
}

// Finish decides that a step is done. x.Answers must answer all that the step asks; what was answered before counts, and is not written over: that is an *Answered.
func (s *Runs) Finish(actor string, x entry.StepResult) (entry.Draft, error) {
	r, at, err := s.step(x.Run, x.Step)
	if err == nil {
		err = workable(at)
	}
	if err == nil && at.Approval != "" {
		err = fmt.Errorf("%s needs the agreement of the %s first", x.Step, at.Approval)
	}
	if err == nil && at.Approve != "" && at.Mark.Approved == x.Person {
		err = fmt.Errorf("%s agreed to %s, so another person does it", x.Person, x.Step)
	}
	if err != nil {
		return entry.Draft{}, err
	}
	given := map[string]bool{}
	for _, a := range x.Answers {
		if !slices.Contains(at.Asks, a.Fact) {
			return entry.Draft{}, fmt.Errorf("%s does not ask for %q", x.Step, a.Fact)
		}
		if given[a.Fact] {
			return entry.Draft{}, fmt.Errorf("%q is answered twice", a.Fact)
		}
		if err := cmp.Or(r.fits(a), r.overwrites(x.Step, a)); err != nil {
			return entry.Draft{}, err
		}
		given[a.Fact] = true
	}
	for _, f := range at.Asks {
		if old := r.Answer(f); !given[f] && old.Value == "" && old.Text == "" {
			ask, _ := r.book.Fact(f)
			return entry.Draft{}, fmt.Errorf("%s asks: %s", x.Step, ask.Ask)
		}
	}
	return ofRun(actor, entry.StepDone, r, x), nil
}

// fits says why an answer is none.
func (r *Run) fits(a entry.Fact) error {
	f, known := r.book.Fact(a.Fact)
	switch {
	case !known || a.Fact == Severity:
		return fmt.Errorf("there is no question %q", a.Fact)
	case len(f.Of) == 0 && (a.Text == "" || a.Value != ""):
		return fmt.Errorf("%s: answer it in words", f.Ask)
	case len(f.Of) > 0 && !slices.Contains(f.Of, a.Value):
		return fmt.Errorf("%s: %q is no answer; say one of %s", f.Ask, a.Value, strings.Join(f.Of, ", "))
	}
	return nil
}

// Say decides an answer that stands alone: one that nobody asked for yet, or another one than before, with the reason in x.Why.
func (s *Runs) Say(actor string, x entry.Fact) (entry.Draft, error) {
	if x.Run == 0 {
		return s.sayWhole(actor, x)
	}
	r, err := s.going(x.Run)
	if err != nil {
		return entry.Draft{}, err
	}
	if r.book == nil {
		return entry.Draft{}, errors.New(r.Waits(time.Time{})[0])
	}
	if err := r.fits(x); err != nil {
		return entry.Draft{}, err
	}
	old := r.Answer(x.Fact)
	if err := differs(old, x); err != nil {
		return entry.Draft{}, err
	}
	if whole(x.Fact) {
		x.Run, x.Incident = 0, r.Incident
	}
	return ofRun(actor, entry.FactAnswered, r, x), nil
}

func (s *Runs) sayWhole(actor string, x entry.Fact) (entry.Draft, error) {
	i := slices.IndexFunc(builtIn(), func(f Fact) bool { return f.ID == x.Fact && f.ID != Severity })
	if i < 0 {
		return entry.Draft{}, fmt.Errorf("there is no question %q about a whole incident", x.Fact)
	}
	if f := builtIn()[i]; !slices.Contains(f.Of, x.Value) {
		return entry.Draft{}, fmt.Errorf("%s: %q is no answer; say one of %s", f.Ask, x.Value, strings.Join(f.Of, ", "))
	}
	if err := differs(s.Answer(x.Incident, x.Fact), x); err != nil {
		return entry.Draft{}, err
	}
	return draft(actor, entry.FactAnswered, fmt.Sprintf("incident:%d", x.Incident), x), nil
}

func differs(old Answer, x entry.Fact) error {
	switch {
	case old.Value != "" && old.Value == x.Value:
		return fmt.Errorf("%s is %s already", x.Fact, x.Value)
	case (old.Value != "" || old.Text != "") && x.Why == "":
		return fmt.Errorf("%s was answered before: say why the answer is another one now", x.Fact)
	}
	return nil
}

// Skip decides that a step is not done; text is the reason.
func (s *Runs) Skip(actor string, run int64, step, person, text string) (entry.Draft, error) {
	r, x, err := s.step(run, step)
	switch {
	case err != nil:
	case Settled(x.State) && x.State != NotNeeded:
		err = workable(x)
	case text == "":
		err = errors.New("say why the step is not done")
	}
	if err != nil {
		return entry.Draft{}, err
	}
	return ofRun(actor, entry.StepSkipped, r, entry.StepWork{Run: run, Step: step, Person: person, Text: text}), nil
}

// Reopen decides that a step that was settled by a person is to be done again; text is the reason.
func (s *Runs) Reopen(actor string, run int64, step, person, text string) (entry.Draft, error) {
	r, x, err := s.step(run, step)
	switch {
	case err != nil:
	case x.Mark.Settled == "":
		err = fmt.Errorf("%s is not settled by anybody", step)
	case text == "":
		err = errors.New("say why the step is to be done again")
	}
	if err != nil {
		return entry.Draft{}, err
	}
	return ofRun(actor, entry.StepReopened, r, entry.StepWork{Run: run, Step: step, Person: person, Text: text}), nil
}

// Approve decides that x.Person, who may as a holder of x.Role, agrees to a step.
func (s *Runs) Approve(actor string, x entry.StepWork) (entry.Draft, error) {
	return s.agree(actor, entry.StepApproved, x)
}

// Deny decides that she does not; text is the reason.
func (s *Runs) Deny(actor string, run int64, step, person, role, text string) (entry.Draft, error) {
	if text == "" {
		return entry.Draft{}, errors.New("say why you do not agree")
	}
	return s.agree(actor, entry.StepDenied, entry.StepWork{Run: run, Step: step, Person: person, Role: role, Text: text})
}

func (s *Runs) agree(actor string, k entry.Kind, x entry.StepWork) (entry.Draft, error) {
	r, at, err := s.step(x.Run, x.Step)
	if err == nil {
		err = workable(at)
	}
	switch {
	case err != nil:
	case at.Approval == "":
		err = fmt.Errorf("%s needs nobody's agreement", x.Step)
	case x.Role != at.Approval:
		err = fmt.Errorf("%s needs the agreement of the %s", x.Step, at.Approval)
	case at.Person == x.Person && k == entry.StepApproved:
		err = fmt.Errorf("%s does %s, so another person has to agree", x.Person, x.Step)
	}
	if err != nil {
		return entry.Draft{}, err
	}
	return ofRun(actor, k, r, x), nil
}

// Late decides that the calls of a debt are rung.
func (s *Runs) Late(d Debt) entry.Draft {
	return draft("desk", entry.StepLate, fmt.Sprintf("incident:%d", d.Incident), entry.StepOverdue{Run: d.Run, Step: d.Step, Due: d.Due, Role: d.Role})
}
