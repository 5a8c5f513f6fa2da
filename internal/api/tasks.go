package api

import (
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
)

// What requests say.
type (
	tasking struct {
		Title  string    `json:"title" minLength:"1" maxLength:"1000" doc:"what is to be done"`
		Role   string    `json:"role,omitempty" enum:",commander,engineer,analyst,legal,communications" doc:"whose it is: a role or a person"`
		Person string    `json:"person,omitempty" maxLength:"64" doc:"staff id"`
		Due    time.Time `json:"due,omitzero" doc:"when it must be done; without it there is no hurry"`
	}
	retasking struct {
		Title  string    `json:"title" minLength:"1" maxLength:"1000" doc:"what is to be done"`
		Role   string    `json:"role,omitempty" enum:",commander,engineer,analyst,legal,communications" doc:"whose it is: a role or a person"`
		Person string    `json:"person,omitempty" maxLength:"64" doc:"staff id"`
		Due    time.Time `json:"due,omitzero" doc:"when it must be done; without it there is no hurry"`
		Seen   int64     `json:"seen" minimum:"1" doc:"the task's entry when you looked at it"`
		Why    string    `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	reporting struct {
		Said string `json:"said,omitempty" maxLength:"10000" doc:"what was done"`
	}
	writing struct {
		Text     string    `json:"text" minLength:"1" maxLength:"10000"`
		Role     string    `json:"role,omitempty" enum:",commander,engineer,analyst,legal,communications" doc:"whose work it is about"`
		Happened time.Time `json:"happened,omitzero" doc:"when it was; without it, now"`
		Learned  time.Time `json:"learned,omitzero" doc:"when it was learned, if before it is written"`
	}
	rewriting struct {
		Text     string    `json:"text" minLength:"1" maxLength:"10000"`
		Role     string    `json:"role,omitempty" enum:",commander,engineer,analyst,legal,communications"`
		Happened time.Time `json:"happened,omitzero"`
		Before   int64     `json:"before" minimum:"1" doc:"entry with the words that you changed: the note's own, or its newest edit's"`
	}
	pinning struct {
		Off bool `json:"off,omitempty" doc:"take the pin out"`
	}
)

func (x tasking) ask() desk.TaskAsk {
	return desk.TaskAsk{Title: x.Title, Role: x.Role, Person: x.Person, Due: x.Due}
}

// taskOperations are tasks beside the playbooks, and notes.
func taskOperations(t *table) {
	makes(t, "tasks", "addTask", "Add a task that no playbook has", func(a ask, id int64, x tasking) (int64, error) { return a.desk.AddTask(a.actor, id, x.ask()) })
	onPart(t, "tasks/{number}/change", "changeTask", "Change a task", func(a ask, id, number int64, x retasking) error {
		if err := a.unshown(id, subject("task", number)); err != nil {
			return err
		}
		return a.desk.ChangeTask(a.actor, id, number, x.Seen, tasking{x.Title, x.Role, x.Person, x.Due}.ask(), x.Why)
	})
	onPart(t, "tasks/{number}/done", "finishTask", "Say that a task is done", func(a ask, id, number int64, x reporting) error {
		return a.desk.FinishTask(a.actor, id, number, x.Said)
	})
	onPart(t, "tasks/{number}/drop", "dropTask", "Say that a task is not done", func(a ask, id, number int64, x client.Reason) error {
		return a.desk.DropTask(a.actor, id, number, x.Why)
	})
	onIncident(t, "notes", "writeNote", "Write a note with all that is known of it", auth.Note, func(a ask, id int64, x writing) error {
		return a.desk.Write(a.actor, id, desk.NoteText{Text: x.Text, Role: x.Role, Happened: x.Happened, Learned: x.Learned})
	})
	onPart(t, "notes/{number}/edit", "editNote", "Give a note other words; what it said stays", func(a ask, id, number int64, x rewriting) error {
		if err := a.unshown(id, subject("note", number)); err != nil {
			return err
		}
		return a.desk.EditNote(a.actor, id, number, x.Before, desk.NoteText{Text: x.Text, Role: x.Role, Happened: x.Happened})
	})
	onPart(t, "notes/{number}/pin", "pinLine", "Pin a line of the timeline, by its entry", func(a ask, id, number int64, x pinning) error {
		return a.desk.Pin(a.actor, id, number, x.Off)
	})
}

func tasks(a ask, id int64, all []incident.Task) []client.IncidentTask {
	out := []client.IncidentTask{}
	for _, t := range all {
		what := subject("task", t.ID)
		x := client.IncidentTask{ID: t.ID, Incident: elsewhere(id, t.Incident), Entry: t.Versions[len(t.Versions)-1].N, Title: a.word(t.Incident, what, t.Title), Role: t.Role, Person: t.Person, Due: t.Due, State: "open"}
		if t.Ended != nil {
			x.State, x.Said = "done", a.word(t.Incident, what, t.Ended.What.Text)
			if t.Ended.Kind == entry.TaskDropped {
				x.State = "dropped"
			}
		}
		out = append(out, x)
	}
	return out
}
