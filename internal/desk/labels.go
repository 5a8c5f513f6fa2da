package desk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/tlp"
)

// A LabelledThing is an incident, or a thing in it that can have a label of its own (doc/tlp.md).
type LabelledThing struct {
	Incident int64
	What     string // as SetLabel names it; "" is the incident
	Text     string // vault object with its words; "" has none
	Label    tlp.Label
	Own      tlp.Label // that it was given itself; "" is none
	By       string    // actor who gave it
	At       time.Time
	Why      string // vault object
}

// Word is what a thing is called on a page: "Decision 3".
func (x LabelledThing) Word() string {
	noun, n, of := strings.Cut(x.What, ":")
	word := map[string]string{"": "The incident", "statement": "What is known", "cause": "The cause", "lessons": "The lessons", "affected": "What is affected", "status": "What stakeholders read", "note": "Line",
		"decision": "Decision", "question": "Question", "task": "Task", "handover": "Hand-over", "attachment": "Attachment"}[noun]
	if of {
		word += " " + n
	}
	return word
}

// Labels lists everything of an incident, and of what is part of it, that can have a label, with the one that holds: first the incident, then what there is one of, then what is numbered. Of
// lines of the timeline those are there that have one of their own. Errors: auth.Refusal, incident.ErrNotFound.
func (d *Desk) Labels(actor auth.Actor, id int64) (out []LabelledThing, err error) {
	if err := d.MayOn(actor, auth.See, id); err != nil {
		return nil, err
	}
	d.ReadAs(actor, func(s *State) {
		if _, err = s.Incidents.Get(id); err != nil {
			return
		}
		for _, p := range s.Incidents.Parts(id) {
			out = append(out, labelsOf(s, p)...)
		}
	})
	return out, err
}

// labelsOf are the things of one incident.
func labelsOf(s *State, i *incident.Incident) (out []LabelledThing) {
	c := i.Command()
	put := func(what, text string) {
		x := LabelledThing{Incident: i.ID, What: what, Text: text, Label: s.Incidents.Label(i.ID, what)}
		if noun, n, _ := strings.Cut(what, ":"); noun == "attachment" {
			if k, err := strconv.Atoi(n); err == nil { // the one that it came with
				x.Own, x.By, x.At = tlp.Label(c.Files[k-1].Label), c.Files[k-1].Added.By, c.Files[k-1].Added.At
			}
		}
		for _, l := range c.Labels {
			if l.What.What == what {
				x.Own, x.By, x.At, x.Why = tlp.Label(l.What.Label), l.By, l.At, l.What.Text
			}
		}
		if x.Own == "" {
			x.By, x.At, x.Why = "", time.Time{}, ""
		}
		out = append(out, x)
	}
	put("", "")
	if n := len(c.Statements); n > 0 {
		put("statement", c.Statements[n-1].What.Text)
	}
	if x, n := i.Cause(); n > 0 {
		put("cause", x.Text)
	}
	if x, n := i.Lesson(); n > 0 {
		put("lessons", x.Text)
	}
	if _, n := i.Affects(); n > 0 {
		put("affected", "")
	}
	put("status", "")
	for k := range c.Decisions {
		put(numberedThing("decision", c.Decisions[k].ID), c.Decisions[k].Text)
	}
	for k := range c.Questions {
		put(numberedThing("question", c.Questions[k].ID), c.Questions[k].Text)
	}
	for k := range c.Handovers {
		put(numberedThing("handover", c.Handovers[k].ID), c.Handovers[k].Text)
	}
	for k := range c.Tasks {
		put(numberedThing("task", c.Tasks[k].ID), c.Tasks[k].Title)
	}
	for k := range c.Files {
		put(numberedThing("attachment", c.Files[k].ID), c.Files[k].Name)
	}
	var notes []string
	for _, l := range c.Labels {
		if strings.HasPrefix(l.What.What, "note:") && !slices.Contains(notes, l.What.What) {
			notes = append(notes, l.What.What)
		}
	}
	for _, what := range notes {
		put(what, lineText(i, what))
	}
	return out
}

func numberedThing(noun string, id int64) string { return fmt.Sprintf("%s:%d", noun, id) }

// lineText is the vault object of what a person wrote in a line of the timeline, "" when it has none.
func lineText(i *incident.Incident, what string) string {
	for _, m := range i.Timeline {
		if m.Kind == entry.IncidentNoted && what == numberedThing("note", m.N) {
			if t := i.Command().Lines[m.N]; t != nil && len(t.Edits) > 0 {
				return t.Edits[len(t.Edits)-1].What.Text
			}
			return m.Ref
		}
	}
	return ""
}
