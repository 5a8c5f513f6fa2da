// Package incident decides what people work on: whether an alert opens an incident, joins one or is left alone, how
// severe an incident is and why, and what a person may change. It folds the same entries that it decides.
//
// One attack is one incident, however many rules, lines, addresses and hours it has. An alert joins an open incident by, in
// this order: an address that is suspect in both (never one of our own networks, never one that many customers share); a
// session; an account within 24 hours; the same rule from the same /24 or /64 within an hour; the same ATT&CK technique against
// accounts of the same kind within six hours of an attack from eight or more addresses (a wave: no address stands for it); an
// alert that names nobody, as those from a database log, by the same technique within ten minutes. Otherwise it opens one,
// unless its level is low.
//
// Everything here is a keyed hash: the book holds no address and no account name.
//
// How an incident is commanded (Command) is what people write of it: what is known, decisions, questions, hand-overs, tasks, evidence with its custody, root cause,
// lessons, labels of the Traffic Light Protocol. Each has a file with what may be decided, which returns drafts, and how it is folded. Three things hold for all of it.
// Texts are ids of vault objects. Nothing is taken out: what changes has versions. And who changes what another changed since they looked is refused by an
// *Overtaken that shows the other's work, so that of two who act at once neither loses a word.
package incident

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// Severities, with the written criteria that Propose applies.
const (
	Low      = "low"      // minor inconsistency, likely a false alarm
	Medium   = "medium"   // potentially malicious activity
	High     = "high"     // a component compromised, no data loss yet
	Critical = "critical" // financial loss or data breach imminent
)

// Severities lists them from the least to the worst.
func Severities() []string { return []string{Low, Medium, High, Critical} }

// Rank orders severities and rule levels; -1 is unknown, informational counts as low.
func Rank(s string) int {
	if s == "informational" {
		return 0
	}
	return slices.Index(Severities(), s)
}

// Phases of NIST SP 800-61r2's life cycle, as the plan names them.
func Phases() []string {
	return []string{"identification", "containment", "eradication", "recovery", "lessons"}
}

var (
	ErrNotFound = errors.New("no such incident")
	ErrClosed   = errors.New("the incident is closed; reopen it first")
)

// A Known is an address, account or session that an incident is about.
type Known struct {
	entry.Party
	First, Last time.Time // record times of the alerts that named it
}

// A Mark is one line of an incident's timeline.
type Mark struct {
	N        int64     // the ledger entry
	Happened time.Time // when it was, by the records or the person's word
	Learned  time.Time // when we wrote it down
	Kind     entry.Kind
	Actor    string
	Ref      string // alert id, vault object, or person, by kind
	From, To string // of a change
	Why      []string
}

// An Attachment is kept lines that a person made part of an incident.
type Attachment struct {
	entry.Attached
	N       int64 // the ledger entry
	Actor   string
	Learned time.Time
}

// linesAtMost is how many lines an incident takes: what people can look through. More are evidence, to be exported.
const linesAtMost = 10_000

// An Incident is the state of one.
type Incident struct {
	ID       int64
	Title    string
	Severity string
	Proposed string   // the worst that the program proposed
	Why      []string // of Severity: codes, or "person"
	WhyText  string   // vault object with a person's reason
	Closed   bool
	Verdict  string // true, false
	Phase    string
	Person   string // who works on it
	History  bool   // nothing in it is newer than the start of watching
	Sample   bool
	Opened   time.Time
	Ended    time.Time // when it was closed
	Held     bool      // its lines are kept beyond their time
	Happened time.Time // when the first thing in it was
	Last     time.Time // and the last
	Alerts   []string
	Sources  []Known
	Accounts []Known
	Sessions []string
	Timeline []Mark
	Lines    []Attachment // as they were attached

	Roles       map[string]Holder // who holds which role of the team in it
	Restriction entry.Restriction // Kind "" is none
	Merged      int64             // the incident that it is part of; 0 is none. Root says where it is worked on

	command   *Command // nil until somebody wrote something that belongs there
	parts     []int64  // incidents merged into it
	lacked    []string // what was not written when it was closed
	titleRank int
	sources   places
	accounts  places
	sessions  places
}

// An Alert is the state of one alert.
type Alert struct {
	entry.Alert
	N       int64     // the entry that raised it
	Learned time.Time // when that was written
	Ended   bool
	Listed  int64 // the incident in whose list it was put last
}

// A Book holds every incident and alert. The zero Book is empty.
type Book struct {
	Incidents []*Incident // by id, ascending: from 1 without a gap, but for a book that lacks some (Without)
	Alerts    map[string]*Alert
	Order     []string // alert ids, as raised

	index index
	todo  todos

	dated    entry.Agenda[todo] // open tasks, by when a reminder of them is owed next
	reminded []reminder         // the newest, in the order of the ledger
	runs     map[int64]int64    // of playbooks: their incidents
	reds     map[int64]bool     // incidents in which something was labelled TLP:RED
	words    entry.Words        // that many alerts have
	limited  []*Incident        // restricted ones, by id
}

// Get returns incident id. A book may lack some (Without).
func (b *Book) Get(id int64) (*Incident, error) {
	k, found := slices.BinarySearchFunc(b.Incidents, id, func(i *Incident, id int64) int { return cmp.Compare(i.ID, id) })
	if !found {
		return nil, NotFound(id)
	}
	return b.Incidents[k], nil
}

// NotFound says that there is no incident id. It is said of one that is restricted to others as well.
func NotFound(id int64) error { return fmt.Errorf("%w: %d", ErrNotFound, id) }

// open returns incident id if a person may work on it.
func (b *Book) open(id int64) (*Incident, error) {
	i, err := b.kept(id)
	if err == nil && i.Closed {
		err = fmt.Errorf("incident %d: %w", id, ErrClosed)
	}
	return i, err
}

func draft(actor string, k entry.Kind, id int64, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: k, Subject: fmt.Sprintf("incident:%d", id), Body: body}
}

// SetSeverity decides that a person sees it otherwise; text is the vault object with the reason.
func (b *Book) SetSeverity(actor string, id int64, to, text string) (entry.Draft, error) {
	i, err := b.open(id)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case !slices.Contains(Severities(), to):
		return entry.Draft{}, fmt.Errorf("unknown severity %q; known: low, medium, high, critical", to)
	case to == i.Severity:
		return entry.Draft{}, fmt.Errorf("incident %d is %s already", id, to)
	case text == "":
		return entry.Draft{}, errors.New("a changed severity needs a reason")
	}
	return draft(actor, entry.IncidentSeverity, id, entry.Severity{ID: id, From: i.Severity, To: to, Text: text}), nil
}

// SetPhase decides where the work stands.
func (b *Book) SetPhase(actor string, id int64, to string) (entry.Draft, error) {
	i, err := b.open(id)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case !slices.Contains(Phases(), to):
		return entry.Draft{}, fmt.Errorf("unknown phase %q; known: identification, containment, eradication, recovery, lessons", to)
	case to == i.Phase:
		return entry.Draft{}, fmt.Errorf("incident %d is in %s already", id, to)
	}
	return draft(actor, entry.IncidentPhase, id, entry.Phase{ID: id, From: i.Phase, To: to}), nil
}

// Note decides to keep a note; text is a vault object. A closed incident takes notes too.
func (b *Book) Note(actor string, id int64, text string, happened time.Time) (entry.Draft, error) {
	if _, err := b.Get(id); err != nil {
		return entry.Draft{}, err
	}
	if text == "" {
		return entry.Draft{}, errors.New("the note is empty")
	}
	return draft(actor, entry.IncidentNoted, id, entry.Note{ID: id, Text: text, Happened: happened}), nil
}

// Assign decides who works on it; person "" takes it away.
func (b *Book) Assign(actor string, id int64, person string) (entry.Draft, error) {
	i, err := b.open(id)
	if err != nil {
		return entry.Draft{}, err
	}
	if person == i.Person {
		return entry.Draft{}, fmt.Errorf("incident %d is with %q already", id, person)
	}
	return draft(actor, entry.IncidentAssigned, id, entry.Assigned{ID: id, Person: person}), nil
}

// Hold decides that the lines of an incident are kept beyond their time; text is the reason. A closed one can be held too.
func (b *Book) Hold(actor string, id int64, text string) (entry.Draft, error) {
	return b.holding(actor, id, true, text)
}

// Release decides that they go when their time is over.
func (b *Book) Release(actor string, id int64, text string) (entry.Draft, error) {
	return b.holding(actor, id, false, text)
}

func (b *Book) holding(actor string, id int64, hold bool, text string) (entry.Draft, error) {
	i, err := b.Get(id)
	kind, already := entry.IncidentHeld, "held"
	if !hold {
		kind, already = entry.IncidentReleased, "not held"
	}
	switch {
	case err != nil:
		return entry.Draft{}, err
	case i.Held == hold:
		return entry.Draft{}, fmt.Errorf("the lines of incident %d are %s already", id, already)
	case text == "":
		return entry.Draft{}, errors.New("holding lines, and letting them go, needs a reason")
	}
	return draft(actor, kind, id, entry.Held{ID: id, Text: text}), nil
}

// Attach decides that kept lines are part of an incident: x names them.
func (b *Book) Attach(actor string, x entry.Attached) (entry.Draft, error) {
	i, err := b.open(x.ID)
	if err != nil {
		return entry.Draft{}, err
	}
	all := x.Lines
	for _, a := range i.Lines {
		all += a.Lines
	}
	switch {
	case x.Lines < 1 || x.Vault == "":
		return entry.Draft{}, errors.New("no line is named that could be attached")
	case all > linesAtMost:
		return entry.Draft{}, fmt.Errorf("incident %d would have %d lines, and takes %d; export them as evidence in place of it", x.ID, all, linesAtMost)
	}
	return draft(actor, entry.IncidentAttached, x.ID, x), nil
}

// holdBefore is how long before an incident its lines are held: its first signs lie there. holdAfter is how long behind its last alert.
const (
	holdBefore = 30 * 24 * time.Hour
	holdAfter  = 24 * time.Hour
)

// Holds reports whether a held incident needs lines of a time.
func (b *Book) Holds(from, until time.Time) bool {
	return slices.ContainsFunc(b.Incidents, func(i *Incident) bool {
		return b.holds(i) && !until.Before(i.Happened.Add(-holdBefore)) && !from.After(i.Last.Add(holdAfter))
	})
}

// holds reports whether an incident is held, or the one that it is part of.
func (b *Book) holds(i *Incident) bool {
	if i.Held || i.Merged == 0 {
		return i.Held
	}
	root, err := b.Get(b.Root(i.ID))
	return err == nil && root.Held
}

// Close decides that the work is done; verdict says whether the alarm was true or false, text is the reason.
func (b *Book) Close(actor string, id int64, verdict, text string) (entry.Draft, error) {
	_, err := b.open(id)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case verdict != "true" && verdict != "false":
		return entry.Draft{}, errors.New("say whether it was a true or a false alarm")
	case text == "":
		return entry.Draft{}, errors.New("closing an incident needs a reason")
	}
	return draft(actor, entry.IncidentClosed, id, entry.Closed{ID: id, Verdict: verdict, Text: text}), nil
}

// Reopen decides to resume the work.
func (b *Book) Reopen(actor string, id int64, text string) (entry.Draft, error) {
	i, err := b.kept(id)
	if err != nil {
		return entry.Draft{}, err
	}
	if !i.Closed {
		return entry.Draft{}, fmt.Errorf("incident %d is open", id)
	}
	return draft(actor, entry.IncidentReopened, id, entry.Reopened{ID: id, Text: text}), nil
}

// Report decides to open an incident that a person reports and no rule saw. What it is about is the person's words, so a note has them.
func (b *Book) Report(actor, severity string, now time.Time) (x entry.Draft, id int64, err error) {
	if Rank(severity) < 0 {
		return entry.Draft{}, 0, fmt.Errorf("unknown severity %q; known: low, medium, high, critical", severity)
	}
	id = int64(len(b.Incidents)) + 1
	return draft(actor, entry.IncidentOpened, id, entry.Opened{ID: id, Title: "Reported by a person", Severity: severity, Why: []string{WhyReported}, Happened: now.UTC().Round(0)}), id, nil
}
