package incident

import (
	"errors"
	"fmt"
	"time"

	"tocsin/internal/entry"
)

// A Task is something to be done that no playbook has. It may outlive its incident: what was promised is owed.
type Task struct {
	entry.Task                       // as it holds now
	Versions   []Written[entry.Task] // the first is how it was added
	Ended      *Written[entry.Reply] // done or dropped, by Kind
	Reminded   []Written[entry.Reminder]
	Missed     []Written[entry.Unreminded] // reminders that did not reach everybody
}

// Open reports whether it is still to be done.
func (t *Task) Open() bool { return t.Ended == nil }

// goal is the list that a task stands in.
func (t *Task) goal() string {
	if t.Person != "" {
		return ofPerson(t.Person)
	}
	return ofRole(t.Role)
}

// AddTask decides that somebody is to do something, at the latest when it is due, if it is. Its number is set here.
func (b *Book) AddTask(actor string, now time.Time, x entry.Task) (entry.Draft, error) {
	i, err := b.kept(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	all := i.Command().Tasks
	x.ID, x.Text = int64(len(all))+1, ""
	if err := checkTask(now, &x); err != nil {
		return entry.Draft{}, err
	}
	return draft(actor, entry.TaskAdded, x.Incident, x), room(all, "task", x.Incident)
}

// farthest is how far ahead something can be due: what is later is a slip of the hand.
const farthest = 10 * 366 * 24 * time.Hour

func checkTask(now time.Time, x *entry.Task) error {
	switch {
	case x.Title == "":
		return errors.New("say what is to be done")
	case x.Role == "" && x.Person == "":
		return errors.New("a task that nobody has is not done: name a person or a role")
	case x.Role != "" && x.Person != "":
		return errors.New("a task is a person's or a role's, not both")
	case !x.Due.IsZero() && !x.Due.After(now):
		return errors.New("a task must be due in the future")
	case x.Due.Sub(now) > farthest && !x.Due.IsZero():
		return errors.New("a task must be due within ten years")
	}
	if !x.Due.IsZero() {
		x.Due = x.Due.UTC().Round(0)
	}
	return aRole(x.Role)
}

// ChangeTask decides that a task has another title, person, role or time; x has all that holds from then on, x.Text says why. Seen is the entry of the version
// that the person looked at.
func (b *Book) ChangeTask(actor string, now time.Time, seen int64, x entry.Task) (entry.Draft, error) {
	t, err := b.task(x.Incident, x.ID)
	if err != nil {
		return entry.Draft{}, err
	}
	if err := unseen(t.Versions, seen, fmt.Sprintf("task %d of incident %d", x.ID, x.Incident), func(x entry.Task) string { return x.Text }); err != nil {
		return entry.Draft{}, err
	}
	due := x.Due
	if due.Equal(t.Due) {
		due = time.Time{} // one that is late already may stay so
	}
	x2 := x
	x2.Due = due
	if err := checkTask(now, &x2); err != nil {
		return entry.Draft{}, err
	}
	x.Due = x.Due.UTC().Round(0)
	switch {
	case x.Text == "":
		return entry.Draft{}, errors.New("say why the task changes")
	case x.Title == t.Title && x.Role == t.Role && x.Person == t.Person && x.Due.Equal(t.Due):
		return entry.Draft{}, fmt.Errorf("task %d is so already", x.ID)
	}
	return draft(actor, entry.TaskChanged, x.Incident, x), nil
}

// FinishTask decides that a task is done; x.Text says what was done, or is "".
func (b *Book) FinishTask(actor string, x entry.Reply) (entry.Draft, error) {
	if _, err := b.task(x.Incident, x.ID); err != nil {
		return entry.Draft{}, err
	}
	if x.Person == "" {
		return entry.Draft{}, errNobody
	}
	return draft(actor, entry.TaskDone, x.Incident, x), nil
}

// DropTask decides that a task is not done; x.Text says why.
func (b *Book) DropTask(actor string, x entry.Reply) (entry.Draft, error) {
	if _, err := b.task(x.Incident, x.ID); err != nil {
		return entry.Draft{}, err
	}
	switch {
	case x.Person == "":
		return entry.Draft{}, errNobody
	case x.Text == "":
		return entry.Draft{}, errors.New("say why the task is dropped")
	}
	return draft(actor, entry.TaskDropped, x.Incident, x), nil
}

// task returns an open task. One of a merged incident can still be worked on, where it stands.
func (b *Book) task(incident, id int64) (*Task, error) {
	i, err := b.Get(incident)
	if err != nil {
		return nil, err
	}
	t, err := numbered(i.Command().Tasks, id, "task", incident)
	if err != nil || t.Open() {
		return t, err
	}
	return nil, t.overtaken()
}

func (t *Task) overtaken() error {
	did := "done"
	if t.Ended.Kind == entry.TaskDropped {
		did = "dropped"
	}
	return &Overtaken{What: fmt.Sprintf("task %d of incident %d was %s", t.ID, t.Incident, did), N: t.Ended.N, By: t.Ended.By, At: t.Ended.At, Text: t.Ended.What.Text,
		Then: "add another task if there is more to do"}
}

func (b *Book) applyTask(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.TaskAdded, entry.TaskChanged:
		return fold(b, e, func(x *entry.Task) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Task, m *Mark) error {
			ref := todo{x.Incident, Tasked, x.ID}
			if e.Kind == entry.TaskAdded {
				if err := follows(c.Tasks, x.ID, "task"); err != nil {
					return err
				}
				c.Tasks = append(c.Tasks, Task{})
			}
			t, err := numbered(c.Tasks, x.ID, "task", x.Incident)
			if err != nil {
				return err
			}
			if !t.Open() {
				return t.overtaken()
			}
			if e.Kind == entry.TaskChanged {
				b.todo.cut(t.goal(), ref)
			}
			t.Task, t.Versions = *x, append(t.Versions, written(e, *x))
			b.todo.add(t.goal(), ref)
			b.date(t, e.Time)
			m.Ref, m.To, m.Why = x.Title, fmt.Sprint(x.ID), []string{x.Role + x.Person}
			if x.Text != "" {
				m.Ref = x.Text
			}
			c.tag(e.N, x.Role)
			return nil
		})
	case entry.TaskDone, entry.TaskDropped:
		return fold(b, e, replyTo, func(_ *Incident, c *Command, x *entry.Reply, m *Mark) error {
			t, err := numbered(c.Tasks, x.ID, "task", x.Incident)
			if err != nil {
				return err
			}
			if !t.Open() {
				return t.overtaken()
			}
			w := written(e, *x)
			t.Ended = &w
			b.todo.cut(t.goal(), todo{x.Incident, Tasked, x.ID})
			b.date(t, e.Time)
			m.Ref, m.To = x.Text, fmt.Sprint(x.ID)
			c.tag(e.N, t.Role)
			return nil
		})
	case entry.TaskReminded:
		return fold(b, e, func(x *entry.Reminder) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Reminder, m *Mark) error {
			t, err := numbered(c.Tasks, x.ID, "task", x.Incident)
			if err != nil {
				return err
			}
			t.Reminded = append(t.Reminded, written(e, *x))
			if len(b.reminded) >= 2*remindersKept {
				b.reminded = append([]reminder(nil), b.reminded[remindersKept:]...)
			}
			b.date(t, e.Time)
			b.reminded = append(b.reminded, reminder{x.Incident, x.ID, e.N, x.Stage, e.Time})
			m.To, m.Why = fmt.Sprint(x.ID), []string{x.Stage}
			return nil
		})
	case entry.TaskUnreminded:
		return b.applyMissed(e)
	}
	return false, nil
}
