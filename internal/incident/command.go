package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// A Command is what people who work on an incident wrote of it besides its timeline. Every text in it is a vault object. Nothing is ever taken out:
// what changed has all its versions, the newest last.
type Command struct {
	Statements []Written[entry.Statement] // what is known
	Decisions  []Decision                 // by number from 1, as are all that follow
	Questions  []Question
	Handovers  []Handover
	Tasks      []Task
	Files      []File // what was brought as evidence
	Causes     []Written[entry.Cause]
	Lessons    []Written[entry.Lessons]
	Affected   []Written[entry.Affected]
	Labels     []Written[entry.Label]
	Facts      []Written[entry.Fact]  // what was answered about the whole incident: affected, verdict
	Merges     []Written[entry.Merge] // of it into others, and out again: Entry says which
	Lines      map[int64]*Tag         // what was added to lines of the timeline, by entry
}

// Written is a body with the entry that has it.
type Written[T any] struct {
	What T
	N    int64
	Kind entry.Kind
	By   string // the entry's actor
	At   time.Time
}

func written[T any](e entry.Entry, x T) Written[T] {
	return Written[T]{x, e.N, e.Kind, e.Actor, e.Time}
}

// last returns the newest version, and whether there is one.
func last[T any](of []Written[T]) (w Written[T], any bool) {
	if len(of) == 0 {
		return w, false
	}
	return of[len(of)-1], true
}

// Overtaken is the refusal of a change by somebody who looked at what is not the newest any more: two worked at once, and the other was first. It has
// what the first wrote, so that it can be shown, and nothing of either is lost.
type Overtaken struct {
	What string // "decision 2 of incident 4 was decided"
	N    int64  // the first one's entry
	By   string
	At   time.Time
	Text string // vault object with the first one's words, "" of none
	Then string // what the second can do
}

func (o *Overtaken) Error() string {
	return fmt.Sprintf("%s meanwhile by %s at %s; %s", o.What, o.By, o.At.UTC().Format("2006-01-02 15:04:05 UTC"), o.Then)
}

// atMost is how many of one noun an incident takes: far more than people can read, and a bound on what a mistake can write.
const atMost = 10_000

// Command returns what people wrote of the incident; it is to be read only.
func (i *Incident) Command() *Command {
	if i.command == nil {
		return &Command{}
	}
	return i.command
}

// kept returns incident id if something about it may still be written, be it closed.
func (b *Book) kept(id int64) (*Incident, error) {
	i, err := b.Get(id)
	if err == nil && i.Merged != 0 {
		err = fmt.Errorf("incident %d: %w into incident %d; work on that one, or take it out again", id, ErrMerged, b.Root(id))
	}
	return i, err
}

// numbered returns a part of an incident by its number from 1.
func numbered[T any](of []T, id int64, noun string, incident int64) (*T, error) {
	if id < 1 || id > int64(len(of)) {
		return nil, fmt.Errorf("incident %d has no %s %d", incident, noun, id)
	}
	return &of[id-1], nil
}

// room checks that one more fits.
func room[T any](of []T, noun string, incident int64) error {
	if len(of) >= atMost {
		return fmt.Errorf("incident %d has %d of its %ss, and takes no more", incident, len(of), noun)
	}
	return nil
}

// aRole checks that a role is one of the response team's; "" is everybody.
func aRole(role string) error {
	if role != "" && !slices.Contains(plan.ResponseRoles(), role) {
		return fmt.Errorf("there is no role %q; known: %s", role, strings.Join(plan.ResponseRoles(), ", "))
	}
	return nil
}

var errNobody = errors.New("nobody is named who does this: say which person")

// fold decodes a body and changes the incident that it is about, and adds the mark to its timeline. What change refuses changed nothing.
func fold[T any](b *Book, e entry.Entry, of func(*T) int64, change func(*Incident, *Command, *T, *Mark) error) (bool, error) {
	x, err := entry.Body[T](e)
	if err != nil {
		return true, err
	}
	i, err := b.Get(of(&x))
	if err != nil {
		return true, fmt.Errorf("entry %d: %w", e.N, err)
	}
	if i.command == nil {
		i.command = &Command{}
	}
	m := Mark{N: e.N, Happened: e.Time, Learned: e.Time, Kind: e.Kind, Actor: e.Actor}
	if err := change(i, i.command, &x, &m); err != nil {
		return true, fmt.Errorf("entry %d (%s): %w", e.N, e.Kind, err)
	}
	i.Timeline = append(i.Timeline, m)
	return true, nil
}

// follows checks that a number is the next.
func follows[T any](of []T, id int64, noun string) error {
	if id != int64(len(of))+1 {
		return fmt.Errorf("%s %d does not follow %d", noun, id, len(of))
	}
	return nil
}

// applyCommand folds how an incident is commanded.
func (b *Book) applyCommand(e entry.Entry) (bool, error) {
	noun, _, _ := strings.Cut(string(e.Kind), ".")
	switch noun {
	case "decision":
		return b.applyDecision(e)
	case "question":
		return b.applyQuestion(e)
	case "handover":
		return b.applyHandover(e)
	case "task":
		return b.applyTask(e)
	case "attachment":
		return b.applyFile(e)
	case "note":
		return b.applyNote(e)
	case "fact", "run", "step":
		return false, b.applyFact(e) // package playbook owns them
	}
	switch e.Kind {
	case entry.IncidentStated:
		return fold(b, e, func(x *entry.Statement) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Statement, m *Mark) error {
			c.Statements, m.Ref = append(c.Statements, written(e, *x)), x.Text
			return nil
		})
	case entry.IncidentLabelled:
		return fold(b, e, func(x *entry.Label) int64 { return x.Incident }, func(i *Incident, c *Command, x *entry.Label, m *Mark) error {
			b.mayBeRed(i, x.Label)
			c.Labels, m.Ref, m.To, m.From = append(c.Labels, written(e, *x)), x.Text, x.Label, x.What
			return nil
		})
	case entry.CausePut:
		return fold(b, e, func(x *entry.Cause) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Cause, m *Mark) error {
			c.Causes, m.Ref, m.To = append(c.Causes, written(e, *x)), x.Text, x.Class
			return nil
		})
	case entry.LessonsPut:
		return fold(b, e, func(x *entry.Lessons) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Lessons, m *Mark) error {
			c.Lessons, m.Ref = append(c.Lessons, written(e, *x)), x.Text
			return nil
		})
	case entry.IncidentAffected:
		return b.applyAffected(e)
	case entry.IncidentMerged, entry.IncidentUnmerged:
		return b.applyMerge(e)
	}
	return false, nil
}
