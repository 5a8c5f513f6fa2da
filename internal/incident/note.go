package incident

import (
	"errors"
	"fmt"
	"time"

	"tocsin/internal/entry"
)

// Write decides to keep a note with all that a person knows of it: x.Happened is when what it tells happened, x.Learned when we learned of it if that
// was before it is written, x.Role whose work it is about. A closed incident takes notes too.
func (b *Book) Write(actor string, now time.Time, x entry.Note) (entry.Draft, error) {
	if _, err := b.Get(x.ID); err != nil {
		return entry.Draft{}, err
	}
	if x.Text == "" {
		return entry.Draft{}, errors.New("the note is empty")
	}
	if err := aRole(x.Role); err != nil {
		return entry.Draft{}, err
	}
	x.Happened, x.Learned = plain(x.Happened), plain(x.Learned)
	return draft(actor, entry.IncidentNoted, x.ID, x), checkTimes(now, x.Happened, x.Learned)
}

func plain(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Round(0)
}

// slack is how far a person's clock may be ahead of ours.
const slack = 5 * time.Minute

func checkTimes(now, happened, learned time.Time) error {
	switch {
	case happened.After(now.Add(slack)):
		return errors.New("what is noted has not happened yet: its time lies in the future")
	case learned.After(now.Add(slack)):
		return errors.New("what is noted was not learned yet: its time lies in the future")
	case !happened.IsZero() && !learned.IsZero() && learned.Before(happened):
		return errors.New("nobody learns of a thing before it happens: mend one of the two times")
	}
	return nil
}

// EditNote decides that a note says something else from now on; what it said stays. x.Before is the entry with the words that the person changed: if somebody else did
// meanwhile, the refusal is an *Overtaken. x.Happened and x.Role are as they hold from then on.
func (b *Book) EditNote(actor string, now time.Time, x entry.NoteEdit) (entry.Draft, error) {
	i, err := b.Get(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	m := i.line(x.Note)
	switch {
	case m == nil || m.Kind != entry.IncidentNoted:
		return entry.Draft{}, fmt.Errorf("incident %d has no note of entry %d; only notes can be edited", x.Incident, x.Note)
	case x.Text == "":
		return entry.Draft{}, errors.New("the note is empty: a note cannot be taken back, but it can say what was wrong with it")
	case x.Person == "":
		return entry.Draft{}, errNobody
	}
	x.Happened = plain(x.Happened)
	if err := errors.Join(aRole(x.Role), checkTimes(now, x.Happened, time.Time{})); err != nil {
		return entry.Draft{}, err
	}
	said := Written[entry.NoteEdit]{N: m.N, By: m.Actor, At: m.Learned}
	if t := i.Command().Lines[x.Note]; t != nil && len(t.Edits) > 0 {
		said, _ = last(t.Edits)
	}
	if said.N != x.Before {
		return entry.Draft{}, &Overtaken{What: fmt.Sprintf("note %d of incident %d was edited", x.Note, x.Incident), N: said.N, By: said.By, At: said.At, Text: m.Ref,
			Then: "look at what it says now, and edit that"}
	}
	return draft(actor, entry.NoteEdited, x.Incident, x), nil
}

// Pin decides that a line of the timeline stays in sight, or not any more.
func (b *Book) Pin(actor string, x entry.NotePin) (entry.Draft, error) {
	i, err := b.Get(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	t := i.Command().Lines[x.Note]
	pinned := t != nil && t.Pinned != nil
	switch {
	case i.line(x.Note) == nil:
		return entry.Draft{}, fmt.Errorf("the timeline of incident %d has no line of entry %d", x.Incident, x.Note)
	case x.Person == "":
		return entry.Draft{}, errNobody
	case pinned != x.Off:
		state := map[bool]string{true: "pinned already", false: "not pinned"}[pinned]
		return entry.Draft{}, fmt.Errorf("the line of entry %d is %s", x.Note, state)
	}
	return draft(actor, entry.NotePinned, x.Incident, x), nil
}

func (b *Book) applyNote(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.NoteEdited:
		return fold(b, e, func(x *entry.NoteEdit) int64 { return x.Incident }, func(i *Incident, c *Command, x *entry.NoteEdit, m *Mark) error {
			was := i.line(x.Note)
			if was == nil {
				return fmt.Errorf("incident %d has no note of entry %d", x.Incident, x.Note)
			}
			t := c.at(x.Note)
			if t.First == nil {
				first := *was
				t.First = &first
			}
			t.Edits, t.Role = append(t.Edits, written(e, *x)), x.Role
			m.Ref, m.From, m.To = x.Text, was.Ref, fmt.Sprint(x.Note)
			was.Ref = x.Text
			if !x.Happened.IsZero() {
				was.Happened = x.Happened
			}
			return nil
		})
	case entry.NotePinned:
		return fold(b, e, func(x *entry.NotePin) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.NotePin, m *Mark) error {
			t := c.at(x.Note)
			t.Pinned = nil
			if !x.Off {
				w := written(e, *x)
				t.Pinned = &w
			}
			m.To, m.Why = fmt.Sprint(x.Note), []string{map[bool]string{true: "off", false: "on"}[x.Off]}
			return nil
		})
	}
	return false, nil
}
