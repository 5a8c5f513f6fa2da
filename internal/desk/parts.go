package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
)

// What is part of an incident is worked on in it: its pages, the API and its report read the incidents that are one with it (incident.Book.Parts), and the runs of
// them all. Whatever was written stays with the number under which it was written.

// RunsOf returns the runs of an incident and of those that are one with it: its own first.
func (s *State) RunsOf(id int64) (out []*playbook.Run) {
	for _, i := range s.Incidents.Parts(id) {
		out = append(out, s.Runs.Of(i.ID)...)
	}
	return out
}

// FilesOf returns the attachments of an incident and of those that are one with it, oldest first.
func (s *State) FilesOf(id int64) (out []incident.File) {
	for _, i := range s.Incidents.Parts(id) {
		out = append(out, i.Command().Files...)
	}
	slices.SortFunc(out, func(a, b incident.File) int { return cmp.Compare(a.Added.N, b.Added.N) })
	return out
}

// worked says why nobody works on what belongs to an incident: it is closed, or part of one that is.
func worked(s *State, id int64) error {
	for _, of := range []int64{id, s.Incidents.Root(id)} {
		if i, err := s.Incidents.Get(of); err != nil {
			return err
		} else if i.Closed {
			return fmt.Errorf("incident %d: %w", of, incident.ErrClosed)
		}
	}
	return nil
}

// causeOf is the cause of an incident with the entry that says so, or else, with 0, of the first that is one with it and has one: its links to attachments name
// them as this incident does.
func causeOf(s *State, id int64) (entry.Cause, int64) {
	c, n, _ := causeFrom(s, id)
	return c, n
}

// causeFrom is causeOf with the incident that has it, whose label is that of the cause; 0 there is none.
func causeFrom(s *State, id int64) (c entry.Cause, n, from int64) {
	if i, err := s.Incidents.Get(id); err == nil {
		if c, n := i.Cause(); n > 0 {
			return c, n, id
		}
	}
	for _, p := range s.Incidents.Parts(id) {
		if c, n := p.Cause(); n > 0 {
			c.Whys, c.Bones = reasonsOf(c.Whys, p.ID), reasonsOf(c.Bones, p.ID)
			return c, 0, p.ID
		}
	}
	return entry.Cause{}, 0, 0
}

func reasonsOf(all []entry.Reason, part int64) []entry.Reason {
	all = slices.Clone(all)
	for k := range all {
		all[k].Links = slices.Clone(all[k].Links)
		for j := range all[k].Links {
			if l := &all[k].Links[j]; l.Kind == "attachment" && !strings.Contains(l.Ref, "/") {
				l.Ref = fmt.Sprintf("%d/%s", part, l.Ref)
			}
		}
	}
	return all
}

// lessonOf is what was learnt, found in the same way.
func lessonOf(s *State, id int64) (entry.Lessons, int64) {
	l, n, _ := lessonFrom(s, id)
	return l, n
}

// lessonFrom is lessonOf with the incident that has it, 0 when there is none.
func lessonFrom(s *State, id int64) (l entry.Lessons, n, from int64) {
	if i, err := s.Incidents.Get(id); err == nil {
		if l, n := i.Lesson(); n > 0 {
			return l, n, id
		}
	}
	for _, p := range s.Incidents.Parts(id) {
		if l, n := p.Lesson(); n > 0 {
			return l, 0, p.ID
		}
	}
	return entry.Lessons{}, 0, 0
}
