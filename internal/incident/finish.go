package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/entry"
)

// Lesson returns what was learnt, as last written, and the entry that says so; 0 of none.
func (i *Incident) Lesson() (entry.Lessons, int64) {
	w, _ := last(i.Command().Lessons)
	return w.What, w.N
}

// PutLessons decides what was learnt from an incident; Before is the entry that the person looked at, 0 of none. A closed one learns too.
func (b *Book) PutLessons(actor string, x entry.Lessons) (entry.Draft, error) {
	i, err := b.kept(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	if x.Well == "" && x.Badly == "" && x.Text == "" {
		return entry.Draft{}, errors.New("the lessons are empty: say what went well, what went badly, or what follows from it")
	}
	err = unseen(i.Command().Lessons, x.Before, fmt.Sprintf("what was learnt from incident %d", x.Incident), func(x entry.Lessons) string { return x.Text })
	return draft(actor, entry.LessonsPut, x.Incident, x), err
}

// Lacking lists what must be written before an incident counts as done: cause (its class, and why) and lessons. A false alarm needs neither.
func (i *Incident) Lacking(verdict string) (out []string) {
	if verdict != "true" {
		return nil
	}
	if x, _ := i.Cause(); !causeKnown(x) {
		out = append(out, "cause")
	}
	if _, n := i.Lesson(); n == 0 {
		out = append(out, "lessons")
	}
	return out
}

// Lacking lists what must be written before an incident with all that is part of it counts as done: what stands with one of them stands for all. A false alarm needs
// neither, but its verdict: when one of them was judged a real attack, that is to be corrected first.
func (b *Book) Lacking(id int64, verdict string) (out []string) {
	parts := b.Parts(id)
	if verdict == "false" && slices.ContainsFunc(parts, (*Incident).real) {
		return []string{"verdict"}
	}
	for _, what := range []string{"cause", "lessons"} {
		if len(parts) > 0 && !slices.ContainsFunc(parts, func(i *Incident) bool { return !slices.Contains(i.Lacking(verdict), what) }) {
			out = append(out, what)
		}
	}
	return out
}

// real reports whether somebody judged it a real attack, and nobody corrected that.
func (i *Incident) real() bool {
	f, ok := i.Fact(Verdict)
	return ok && f.What.Value == Real
}

// Lacks is the refusal to close an incident of which something is not written.
type Lacks struct {
	Incident int64
	What     []string // cause, lessons; verdict when a false alarm was judged a real attack
}

func (l *Lacks) Error() string {
	if slices.Contains(l.What, "verdict") {
		return fmt.Sprintf("incident %d cannot be closed as a false alarm: it, or one that is part of it, was judged a real attack. Correct that on the page for triage first; or say why it is closed so", l.Incident)
	}
	word := map[string]string{"cause": "its root cause", "lessons": "what was learnt from it"}
	var says []string
	for _, w := range l.What {
		says = append(says, word[w])
	}
	return fmt.Sprintf("incident %d cannot be closed as done: %s must be written first; or say why it is not", l.Incident, strings.Join(says, ", and "))
}

// Finish decides that the work is done, as Close does, and holds it against what must be written: what lacks, lacks with an excuse (a vault object, "" is none)
// that stays with the incident. Without one the refusal is a *Lacks.
func (b *Book) Finish(actor string, id int64, verdict, text, excuse string) (entry.Draft, error) {
	d, err := b.Close(actor, id, verdict, text)
	if err != nil {
		return entry.Draft{}, err
	}
	lacking := b.Lacking(id, verdict)
	switch {
	case len(lacking) > 0 && excuse == "":
		return entry.Draft{}, &Lacks{id, lacking}
	case len(lacking) > 0:
		d.Body = entry.Closed{ID: id, Verdict: verdict, Text: text, Lacking: lacking, Excuse: excuse}
	}
	return d, nil
}

// Excused reports what was not written when the incident was closed as done, and is not yet: what an honest report says of it.
func (i *Incident) Excused() []string {
	if !i.Closed {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(i.lacked), func(w string) bool { return !slices.Contains(i.Lacking(i.Verdict), w) })
}
