package desk

import (
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
)

// A TaskAsk is something to be done that no playbook has: a role's or a person's.
type TaskAsk struct {
	Title, Role, Person string
	Due                 time.Time // zero: there is no hurry
}

func (x TaskAsk) task(s *State, id int64) (entry.Task, error) {
	if x.Person != "" {
		if err := mayHold(s, id, x.Person); err != nil {
			return entry.Task{}, err
		}
	}
	return entry.Task{Incident: id, Role: x.Role, Person: x.Person, Due: x.Due}, nil
}

// AddTask says that somebody is to do something, and returns its number.
func (d *Desk) AddTask(actor auth.Actor, id int64, x TaskAsk) (number int64, err error) {
	err = d.wrote(actor, auth.Note, id, []string{x.Title}, func(s *State, now time.Time, _ string, texts []string) ([]entry.Draft, error) {
		t, err := x.task(s, id)
		if err != nil {
			return nil, err
		}
		t.Title = texts[0]
		y, err := s.Incidents.AddTask(actor.Name, now, t)
		if err == nil {
			number = y.Body.(entry.Task).ID
		}
		return one(y, err)
	})
	return number, err
}

// ChangeTask gives a task another title, person, role or time; seen is the entry of the version that the person looked at.
func (d *Desk) ChangeTask(actor auth.Actor, id, task, seen int64, x TaskAsk, why string) error {
	return d.wrote(actor, auth.Note, id, []string{x.Title, why}, func(s *State, now time.Time, _ string, texts []string) ([]entry.Draft, error) {
		t, err := x.task(s, id)
		if err != nil {
			return nil, err
		}
		t.ID, t.Title, t.Text = task, texts[0], texts[1]
		return one(s.Incidents.ChangeTask(actor.Name, now, seen, t))
	})
}

// FinishTask says that a task is done; words say what was done, or nothing.
func (d *Desk) FinishTask(actor auth.Actor, id, task int64, words string) error {
	return d.wrote(actor, auth.Note, id, []string{words}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.FinishTask(actor.Name, entry.Reply{Incident: id, ID: task, Person: person, Text: texts[0]}))
	})
}

// DropTask says that a task is not done, and why.
func (d *Desk) DropTask(actor auth.Actor, id, task int64, why string) error {
	return d.wrote(actor, auth.Note, id, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.DropTask(actor.Name, entry.Reply{Incident: id, ID: task, Person: person, Text: texts[0]}))
	})
}
