package playbook

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// Apply folds an entry and reports whether it was about a playbook or a run.
func (s *Runs) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.IncidentOpened:
		return false, entry.With(e, func(x entry.Opened) error { return s.severe(e, x.ID, x.Severity) })
	case entry.IncidentSeverity:
		return false, entry.With(e, func(x entry.Severity) error { return s.severe(e, x.ID, x.To) })
	case entry.IncidentClosed:
		return false, entry.With(e, func(x entry.Closed) error { return s.rest(e, x.ID, func() { setIn(&s.closed, x.ID, true) }) })
	case entry.IncidentReopened:
		return false, entry.With(e, func(x entry.Reopened) error { return s.rest(e, x.ID, func() { delete(s.closed, x.ID) }) })
	case entry.IncidentMerged:
		return false, entry.With(e, func(x entry.Merge) error {
			return s.rest(e, x.Incident, func() {
				setIn(&s.into, x.Incident, x.Into)
				setIn(&s.parts, x.Into, append(s.parts[x.Into], x.Incident))
			})
		})
	case entry.IncidentUnmerged:
		return false, entry.With(e, func(x entry.Merge) error {
			return s.rest(e, x.Incident, func() {
				delete(s.into, x.Incident)
				s.parts[x.Into] = slices.DeleteFunc(s.parts[x.Into], func(p int64) bool { return p == x.Incident })
			})
		})
	case entry.PlaybookPut:
		return true, entry.With(e, func(x entry.Playbook) error {
			if s.Books == nil {
				s.Books = map[string]*Book{}
			}
			if s.Books[x.ID] == nil {
				s.Books[x.ID] = &Book{ID: x.ID}
			}
			b := s.Books[x.ID]
			b.Revisions, b.Retired = append(b.Revisions, Revision{x, e.N, e.Time}), false
			return nil
		})
	case entry.PlaybookRetired:
		return true, entry.With(e, func(x entry.PlaybookEnd) error {
			if s.Books[x.ID] == nil {
				return fmt.Errorf("there is no playbook %s", x.ID)
			}
			s.Books[x.ID].Retired = true
			return nil
		})
	case entry.RunBegun:
		return true, entry.With(e, func(x entry.Run) error {
			if x.ID != int64(len(s.All))+1 {
				return fmt.Errorf("run %d does not follow %d", x.ID, len(s.All))
			}
			r := &Run{ID: x.ID, Incident: x.Incident, Playbook: x.Playbook, Revision: x.Revision, Begun: e.Time, Actor: e.Actor, Answers: map[string]Answer{}, Marks: map[string]*Mark{}, runs: s}
			s.reread(r)
			s.All = append(s.All, r)
			if s.of == nil {
				s.of = map[int64][]*Run{}
			}
			s.of[x.Incident] = append(s.of[x.Incident], r)
			r.keep(e, "", "", "")
			r.settle(e.Time)
			return nil
		})
	case entry.RunMoved:
		return true, entry.With(e, func(x entry.RunMove) error {
			return s.in(x.ID, func(r *Run) {
				old := r.book
				r.Revision, r.Moves = x.To, append(r.Moves, x)
				s.reread(r)
				r.unagreed(old)
				r.keep(e, "", "", x.Text)
				r.settle(e.Time)
			})
		})
	case entry.RunStopped:
		return true, entry.With(e, func(x entry.RunEnd) error {
			return s.in(x.ID, func(r *Run) {
				r.Stopped = true
				r.keep(e, "", "", x.Text)
				r.settle(e.Time)
			})
		})
	case entry.FactAnswered:
		return true, entry.With(e, func(x entry.Fact) error { return s.answered(e, x) })
	}
	return s.applyStep(e)
}

// applyStep folds what was done with a step.
func (s *Runs) applyStep(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.StepTaken, entry.StepLeft, entry.StepSkipped, entry.StepReopened, entry.StepApproved, entry.StepDenied:
		return true, entry.With(e, func(x entry.StepWork) error {
			return s.in(x.Run, func(r *Run) {
				m := r.mark(x.Step)
				x.Person = s.words.Same(x.Person)
				switch e.Kind {
				case entry.StepTaken:
					m.Taken, m.TakenVia = x.Person, x.Via
				case entry.StepLeft:
					m.Taken, m.TakenVia = "", ""
				case entry.StepApproved:
					m.Approved, m.AgreedBy = x.Person, x.Via
				case entry.StepSkipped:
					m.Settled, m.By, m.At, m.Ready, m.Text = Skipped, x.Person, e.Time, r.since[x.Step], x.Text
				case entry.StepDenied:
					m.Settled, m.By, m.At, m.Ready, m.Text = Denied, x.Person, e.Time, r.since[x.Step], x.Text
				case entry.StepReopened:
					*m = Mark{Evidence: m.Evidence}
				}
				r.keep(e, x.Step, x.Person, x.Text)
				r.settle(e.Time)
			})
		})
	case entry.StepDone:
		return true, entry.With(e, func(x entry.StepResult) error {
			return s.in(x.Run, func(r *Run) {
				m := r.mark(x.Step)
				x.Person = s.words.Same(x.Person)
				m.Settled, m.By, m.At, m.Ready, m.Text = Done, x.Person, e.Time, r.since[x.Step], x.Text
				m.Evidence = append(m.Evidence, x.Evidence...)
				for _, a := range x.Answers {
					a.Fact, a.Value = s.words.Same(a.Fact), s.words.Same(a.Value)
					s.set(r, a.Fact, Answer{a.Value, a.Text, x.Person, e.Time, e.N})
				}
				r.keep(e, x.Step, x.Person, x.Text)
				s.settle(r.Incident, e.Time)
			})
		})
	case entry.StepLate:
		return true, entry.With(e, func(x entry.StepOverdue) error {
			return s.in(x.Run, func(r *Run) {
				m := r.mark(x.Step)
				m.Late = append(m.Late, Rung{x.Role, x.Due})
				r.keep(e, x.Step, "", "")
				r.settle(e.Time)
			})
		})
	}
	return false, nil
}

func (s *Runs) in(id int64, f func(*Run)) error {
	r, err := s.Get(id)
	if err == nil {
		f(r)
	}
	return err
}

func (s *Runs) text(revision string) *Playbook {
	if s.Text == nil {
		return nil
	}
	return s.Text(revision)
}

// reread reads the revision of a run, and notes which could not be read.
func (s *Runs) reread(r *Run) {
	if r.book = s.text(r.Revision); r.book != nil {
		delete(s.blank, r.ID)
		return
	}
	if s.blank == nil {
		s.blank = map[int64]*Run{}
	}
	s.blank[r.ID] = r
}

// Reread tries again to read the texts of runs that could not be read. Their clocks begin when they can.
func (s *Runs) Reread(now time.Time) {
	for _, r := range s.blank {
		if s.reread(r); r.book != nil {
			r.settle(now)
		}
	}
}

// severe keeps how severe an incident is: conditions read it.
func (s *Runs) severe(e entry.Entry, incident int64, severity string) error {
	if s.severity == nil {
		s.severity = map[int64]string{}
	}
	s.severity[incident] = severity
	s.settle(incident, e.Time)
	return nil
}

// answered folds an answer that stands alone.
func (s *Runs) answered(e entry.Entry, x entry.Fact) error {
	a := Answer{x.Value, x.Text, x.Person, e.Time, e.N}
	if x.Run == 0 {
		s.whole(x.Incident, x.Fact, a)
		s.settle(x.Incident, e.Time)
		return nil
	}
	return s.in(x.Run, func(r *Run) {
		s.set(r, x.Fact, a)
		r.keep(e, "", x.Person, x.Why)
		s.settle(r.Incident, e.Time)
	})
}

// set keeps an answer where it belongs.
func (s *Runs) set(r *Run, fact string, a Answer) {
	if whole(fact) {
		s.whole(r.Incident, fact, a)
		return
	}
	r.Answers[fact] = a
}

func (s *Runs) whole(incident int64, fact string, a Answer) {
	if s.answers == nil {
		s.answers = map[about]Answer{}
	}
	s.answers[about{incident, s.words.Same(fact)}] = a
}

// settle notes which steps of an incident's runs became ready.
func (s *Runs) settle(incident int64, t time.Time) {
	for _, id := range s.with(incident) {
		for _, r := range s.Of(id) {
			r.settle(t)
		}
	}
}

func (r *Run) settle(t time.Time) {
	next := time.Time{}
	clear(r.open)
	r.open = r.open[:0]
	states := r.states(r.runs.room)
	if states != nil {
		r.runs.room = states
	}
	for i, state := range states {
		if state != Ready && state != Taken {
			continue
		}
		s := r.status(i, states, t)
		if s.Since.IsZero() {
			if s.Since = t; s.Within > 0 {
				s.Due = t.Add(s.Within)
			}
		}
		if r.since == nil {
			r.since = map[string]time.Time{}
		}
		r.since[s.ID] = s.Since
		r.open = append(r.open, s)
		if _, at := r.owes(s); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	maps.DeleteFunc(r.since, func(id string, _ time.Time) bool {
		return !slices.ContainsFunc(r.open, func(s Status) bool { return s.ID == id })
	})
	delete(r.runs.open, r.ID)
	if len(r.open) > 0 && !r.runs.rests(r.Incident) {
		if r.runs.open == nil {
			r.runs.open = map[int64]*Run{}
		}
		r.runs.open[r.ID] = r
	}
	if r.runs.rests(r.Incident) { // nobody asks what is to do in it
		next, r.open = time.Time{}, nil
	}
	r.runs.due.Set(r.ID, next)
}

// rest lets an incident be closed, opened, made part of another or taken out, and stops the clocks of its runs, or lets them begin anew: nobody is rung for what
// was late while nobody was to work.
func (s *Runs) rest(e entry.Entry, incident int64, change func()) error {
	all, was := s.with(incident), map[int64]bool{}
	for _, id := range all {
		was[id] = s.rests(id)
	}
	change()
	for _, id := range all {
		for _, r := range s.Of(id) {
			if was[id] && !s.rests(id) {
				r.since = nil
			}
			if r.settle(e.Time); !was[id] && s.rests(id) {
				r.History = slices.Clone(r.History) // it grows no more, mostly
			}
		}
	}
	return nil
}

// unagreed forgets who agreed to steps that are not what they agreed to any more, after the run was taken from a revision to another.
func (r *Run) unagreed(old *Playbook) {
	for id, m := range r.Marks {
		if m.Approved != "" && m.Settled == "" && !(old != nil && r.book != nil && sameDeed(old.Step(id), r.book.Step(id))) {
			m.Approved, m.AgreedBy = "", ""
		}
	}
}

// sameDeed reports whether whoever agreed to one step agreed to the other.
func sameDeed(a, b *Step) bool {
	if a == nil || b == nil || (a.Action == nil) != (b.Action == nil) {
		return false
	}
	deed := func(s *Step) [6]string { return [...]string{s.Role, s.What, s.Why, s.How, s.Done, s.Approve} }
	return deed(a) == deed(b) && (a.Action == nil || a.Action.Do == b.Action.Do && maps.Equal(a.Action.With, b.Action.With))
}

// rests reports whether nobody works on an incident: it is closed, or part of one that is.
func (s *Runs) rests(incident int64) bool {
	for range len(s.into) + 1 {
		if s.closed[incident] {
			return true
		}
		next, part := s.into[incident]
		if !part {
			break
		}
		incident = next
	}
	return false
}

// with are an incident and those that are part of it.
func (s *Runs) with(incident int64) []int64 {
	out := []int64{incident}
	for k := 0; k < len(out) && k <= len(s.into); k++ {
		out = append(out, s.parts[out[k]]...)
	}
	return out
}

func setIn[V any](m *map[int64]V, id int64, v V) {
	if *m == nil {
		*m = map[int64]V{}
	}
	(*m)[id] = v
}

func (r *Run) mark(step string) *Mark {
	if r.Marks[step] == nil {
		r.Marks[r.runs.words.Same(step)] = &Mark{}
	}
	return r.Marks[step]
}

func (r *Run) keep(e entry.Entry, step, by, text string) {
	r.History = append(r.History, Deed{e.N, e.Time, e.Kind, r.runs.words.Same(step), r.runs.words.Same(by), text})
}
