package desk

import (
	"slices"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
)

// A CauseText is what an incident came from, in words. Before is the entry of the version that the person looked at, 0 of none.
type CauseText struct {
	Class, Sum  string
	Whys, Bones []ReasonText
	Before      int64
}

// A ReasonText is one why, or one bone of the fishbone with its branch. The reference of a link to a file is its path.
type ReasonText struct {
	Branch, Text string
	Links        []entry.Link
}

// PutCause says what an incident came from.
func (d *Desk) PutCause(actor auth.Actor, id int64, x CauseText) error {
	words := []string{x.Sum}
	for _, r := range slices.Concat(x.Whys, x.Bones) {
		words = append(words, r.Text)
		for _, l := range r.Links {
			if l.Kind == "file" {
				words = append(words, l.Ref)
			}
		}
	}
	return d.wrote(actor, auth.Note, id, words, func(s *State, _ time.Time, _ string, texts []string) ([]entry.Draft, error) {
		c := entry.Cause{Incident: id, Class: x.Class, Text: texts[0], Before: x.Before}
		texts = texts[1:]
		reasons := func(of []ReasonText) (out []entry.Reason) {
			for _, r := range of {
				y := entry.Reason{Branch: r.Branch, Text: texts[0], Links: slices.Clone(r.Links)}
				texts = texts[1:]
				for k := range y.Links {
					if y.Links[k].Kind == "file" {
						y.Links[k].Ref, texts = texts[0], texts[1:]
					}
				}
				out = append(out, y)
			}
			return out
		}
		c.Whys = reasons(x.Whys)
		c.Bones = reasons(x.Bones)
		return one(s.Incidents.PutCause(actor.Name, c))
	})
}

// Cause returns what an incident came from, as last written, in words.
func (d *Desk) Cause(actor auth.Actor, id int64) (out CauseText, err error) {
	var c entry.Cause
	d.ReadAs(actor, func(s *State) {
		if _, err = s.Incidents.Get(id); err == nil {
			c, out.Before = causeOf(s, id)
		}
	})
	reasons := func(of []entry.Reason) (out []ReasonText) {
		for _, r := range of {
			y := ReasonText{Branch: r.Branch, Text: d.Text(r.Text), Links: slices.Clone(r.Links)}
			for k := range y.Links {
				if y.Links[k].Kind == "file" {
					y.Links[k].Ref = d.Text(y.Links[k].Ref)
				}
			}
			out = append(out, y)
		}
		return out
	}
	out.Class, out.Sum, out.Whys, out.Bones = c.Class, d.Text(c.Text), reasons(c.Whys), reasons(c.Bones)
	return out, err
}

// A LessonsText is what was learnt from an incident, in words.
type LessonsText struct {
	Well, Badly, Follows string
	Before               int64
}

// PutLessons says what was learnt.
func (d *Desk) PutLessons(actor auth.Actor, id int64, x LessonsText) error {
	return d.wrote(actor, auth.Note, id, []string{x.Well, x.Badly, x.Follows}, func(s *State, _ time.Time, _ string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.PutLessons(actor.Name, entry.Lessons{Incident: id, Well: texts[0], Badly: texts[1], Text: texts[2], Before: x.Before}))
	})
}

// Lessons returns what was learnt, as last written.
func (d *Desk) Lessons(actor auth.Actor, id int64) (out LessonsText, err error) {
	var l entry.Lessons
	d.ReadAs(actor, func(s *State) {
		if _, err = s.Incidents.Get(id); err == nil {
			l, out.Before = lessonOf(s, id)
		}
	})
	out.Well, out.Badly, out.Follows = d.Text(l.Well), d.Text(l.Badly), d.Text(l.Text)
	return out, err
}
