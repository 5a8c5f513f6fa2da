// Package review decides what follows an incident, and what keeps the plan right: internal reviews, the measures that come of them, figures over
// incidents, and the review of the plan itself, part by part. It folds the same entries that it decides.
//
//	incident closed -> Agenda(Case) -> review.called -> review.held -> measure.put -> measure.done -> measure.verified (by another person)
//	a quarter, an incident, new rules, a changed host -> Book.Due -> part.read (every section, against what was approved) -> part.approved (by another person)
//	Book.Owed(crew, now) -> reminder.wanted -> the desk sends it -> reminder.sent | reminder.failed
//
// A part of the plan is known by an id: "playbook:skimmer" for each playbook, and roles, contacts, letters, schedules, rules, glossary. It was reviewed
// when one person ticked every section of it as it stands, with the differences from what was last approved before them, and another
// person approved of that. A change after the reading, or a new reason for a review after it began, is not covered by it.
//
// What people wrote (gaps, minutes, reasons) lies in the vault; the book holds ids, staff, times and hashes.
package review

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Times of reviews.
const (
	Quarter      = 91 // days from review to review, where a part says nothing else
	day          = 24 * time.Hour
	AfterReason  = 14 * day // in which a part is reviewed that an incident, new rules or a changed host concern
	FirstReading = 14 * day // in which a part is reviewed for the first time
	MeetWithin   = 14 * day // in which an incident that was real and grave is reviewed
)

// Bounds.
const (
	maxPeople   = 50
	maxMeasures = 10_000
	maxParts    = 500
	maxAsks     = 200 // that a part keeps until it is reviewed; further ones change nothing
	maxSections = 600
	maxThreats  = 10_000 // new rules of one entry
	maxFacts    = 200    // of a host
	longestDue  = 2 * 365 * day
)

// Causes of a review before its time.
const (
	ByIncident     = "incident"
	ByArchitecture = "architecture"
	ByThreat       = "threat"
	ByPerson       = "person"
)

// ErrNotFound says that there is no such measure or part.
var ErrNotFound = errors.New("there is nothing of this name")

// A Problem is what a form got wrong. Field is the name of its input, "" the whole form.
type Problem struct{ Field, Says string }

func (p Problem) Error() string { return p.Says }

func wrong(field, says string, args ...any) error { return Problem{field, fmt.Sprintf(says, args...)} }

// A Call is a review that is to be held.
type Call struct {
	entry.ReviewCall
	By     string
	Called time.Time
}

// A Meeting is a review that took place.
type Meeting struct {
	entry.ReviewMeeting
	By      string
	Written time.Time
}

// A Book holds reviews, measures, parts and reminders. The zero Book is empty.
type Book struct {
	Calls     map[int64]Call      // by incident: the one that counts
	Meetings  map[int64][]Meeting // by incident, as they were written down
	Measures  []*Measure          // by id from 1
	Parts     map[string]*Part
	Reminders []*Reminder // by try from 1

	cases   map[int64]*past
	threats map[string]bool // rules that were there; nil before the first entry
	hosts   map[string]map[string]string
	told    map[cycle]int // the rank of the last step that was wanted
	rules   entry.Rules   // as they were loaded last
	joined  int           // hosts with an agent
}

// past is what the book knows of an incident.
type past struct {
	severity string
	used     []string // parts of the plan
	merged   []int64  // incidents that are part of it
	closed   time.Time
	verdict  string
	sample   bool // or history: nobody has to learn from it
}

// Call decides when the review of an incident is to be held. staff says who is on the team.
func (b *Book) Call(actor string, x entry.ReviewCall, staff func(string) bool, now time.Time) (entry.Draft, error) {
	switch {
	case b.cases[x.Incident] == nil:
		return entry.Draft{}, fmt.Errorf("incident %d: %w", x.Incident, ErrNotFound)
	case x.At.Before(now) || x.At.Sub(now) > 365*day:
		return entry.Draft{}, wrong("at", "The review is held within a year from now.")
	case !staff(x.Chair):
		return entry.Draft{}, wrong("chair", "Nobody on the team has the id %q.", x.Chair)
	case x.Agenda == "" || x.Hash == "":
		return entry.Draft{}, wrong("agenda", "The review needs an agenda.")
	}
	if err := people("invited", x.Invited, staff); err != nil {
		return entry.Draft{}, err
	}
	x.At = x.At.UTC().Round(0)
	return draft(actor, entry.ReviewCalled, "incident:%d", x.Incident, x), nil
}

// Hold decides that the review of an incident took place: who was there, and what was said.
func (b *Book) Hold(actor string, x entry.ReviewMeeting, staff func(string) bool, now time.Time) (entry.Draft, error) {
	switch {
	case b.cases[x.Incident] == nil:
		return entry.Draft{}, fmt.Errorf("incident %d: %w", x.Incident, ErrNotFound)
	case x.At.IsZero() || x.At.After(now):
		return entry.Draft{}, wrong("at", "Say when the review was held; it cannot lie in the future.")
	case len(x.Attendees) == 0:
		return entry.Draft{}, wrong("attendees", "Say who was there.")
	case x.Minutes == "" || x.Hash == "":
		return entry.Draft{}, wrong("minutes", "The review needs minutes: a few sentences on what was found.")
	case len(b.Meetings[x.Incident]) >= maxPeople:
		return entry.Draft{}, wrong("", "Incident %d has %d reviews already: write what is new as a note.", x.Incident, maxPeople)
	}
	if err := people("attendees", x.Attendees, nil); err != nil { // who left the team since was there all the same
		return entry.Draft{}, err
	}
	x.At = x.At.UTC().Round(0)
	return draft(actor, entry.ReviewHeld, "incident:%d", x.Incident, x), nil
}

// people checks a list of staff; a nil staff takes everybody.
func people(field string, list []string, staff func(string) bool) error {
	if len(list) > maxPeople {
		return wrong(field, "At most %d people are named.", maxPeople)
	}
	for n, p := range list {
		if p == "" || len(p) > 100 || slices.Contains(list[:n], p) || staff != nil && !staff(p) {
			return wrong(field, "%q is nobody on the team, or is named twice.", p)
		}
	}
	return nil
}

// Reviewed reports whether a review of an incident was held since it was closed, or at all while it is open.
func (b *Book) Reviewed(incident int64) bool {
	c := b.cases[incident]
	return c != nil && slices.ContainsFunc(b.Meetings[incident], func(m Meeting) bool { return !m.Written.Before(c.closed) || !m.At.Before(c.closed) })
}

// Unreviewed lists incidents that were real, high or critical, and closed for MeetWithin without a review, the oldest first.
func (b *Book) Unreviewed(now time.Time) (out []int64) {
	for id, c := range b.cases {
		if c.counts() && !now.Before(c.closed.Add(MeetWithin)) && !b.Reviewed(id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// Unheld returns the incidents that were real, high or critical, and have no review since they were closed, and when that was.
func (b *Book) Unheld() map[int64]time.Time {
	out := map[int64]time.Time{}
	for id, c := range b.cases {
		if c.counts() && !b.Reviewed(id) {
			out[id] = c.closed
		}
	}
	return out
}

// counts reports whether everything that an incident used is to be reviewed after it.
func (c *past) counts() bool {
	return c.real() && (c.severity == "high" || c.severity == "critical")
}

func (c *past) real() bool { return !c.closed.IsZero() && c.verdict == "true" && !c.sample }

func draft(actor string, k entry.Kind, subject string, of any, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: k, Subject: fmt.Sprintf(subject, of), Body: body}
}

// listed joins words as one says them: a, b and c. More than most are counted.
func listed(words []string, most int) string {
	more := len(words) - most
	if more > 0 {
		words = append(slices.Clone(words[:most]), fmt.Sprintf("%d more", more))
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
