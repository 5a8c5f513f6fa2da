package desk

import (
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
)

// A NoteText is a note with all that a person knows of it.
type NoteText struct {
	Text, Role string    // Role is whose work it is about, "" of nobody's in particular
	Happened   time.Time // when what it tells happened; zero is now
	Learned    time.Time // when we learned of it, if that was before it is written
}

// Write keeps a note in an incident's timeline.
func (d *Desk) Write(actor auth.Actor, id int64, x NoteText) error {
	return d.sayOn(actor, auth.Note, id, x.Text, func(s *State, text string) (entry.Draft, error) {
		return s.Incidents.Write(actor.Name, time.Now(), entry.Note{ID: id, Text: text, Role: x.Role, Happened: x.Happened, Learned: x.Learned})
	})
}

// EditNote gives a note other words, time or role; before is the entry with the words that were changed. What it said stays.
func (d *Desk) EditNote(actor auth.Actor, id, note, before int64, x NoteText) error {
	return d.wrote(actor, auth.Note, id, []string{x.Text}, func(s *State, now time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.EditNote(actor.Name, now, entry.NoteEdit{Incident: id, Note: note, Before: before, Text: texts[0], Happened: x.Happened, Role: x.Role, Person: person}))
	})
}

// Pin keeps a line of the timeline in sight, or takes the pin out.
func (d *Desk) Pin(actor auth.Actor, id, line int64, off bool) error {
	return d.wrote(actor, auth.Note, id, nil, func(s *State, _ time.Time, person string, _ []string) ([]entry.Draft, error) {
		return one(s.Incidents.Pin(actor.Name, entry.NotePin{Incident: id, Note: line, Off: off, Person: person}))
	})
}

const (
	lookedKind = "incident.looked"
	lookedKept = 90 * 24 * time.Hour
)

// LookedAt returns the last entry that a person had seen when they looked at an incident last, 0 if they never did or it was forgotten.
func (d *Desk) LookedAt(actor auth.Actor, id int64) (n int64) {
	d.scratch.Get(lookedKind, fmt.Sprintf("%s %d", actor.ID, id), time.Now(), &n)
	return n
}

// Looked is LookedAt, and remembers that they have seen the incident as of an entry, which is that of the page that they looked at: what was written after it was made is
// not seen. Nothing that was seen is unseen again. Local actors leave no trace.
func (d *Desk) Looked(actor auth.Actor, id, upto int64) (n int64) {
	n = d.LookedAt(actor, id)
	if actor.ID == "" || d.MayOn(actor, auth.See, id) != nil {
		return n
	}
	now := int64(0)
	d.Read(func(s *State) { now = min(upto, s.Entries) })
	if now <= n {
		return n
	}
	if err := d.scratch.Put(lookedKind, fmt.Sprintf("%s %d", actor.ID, id), now, time.Now().Add(lookedKept)); err != nil {
		d.log.Debug("remembering who looked at an incident", "error", err)
	}
	return n
}
