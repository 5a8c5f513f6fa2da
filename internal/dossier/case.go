package dossier

import "time"

// A Case is everything that a dossier may say. Every field is optional. Free text is resolved from the vault already; people and systems are
// by name. Times are instants; the zero time is not known. Numbers N are entries of the ledger.
type Case struct {
	ID           int64
	Reference    string // as people call it; "" is ID
	Title        Text
	Organisation string
	Label        Label  // of what has no label of its own; "" is TLP:AMBER
	Restricted   string // insider, hr, legal; "" is for everybody of the team
	Sample       bool   // played from sample data

	Severity string
	Criteria []Text // why it is of that severity
	Verdict  string // true, false: of the alarm
	Affected string // site-only, customers, unknown
	Phase    string // where it stands
	Closed   bool
	Playbook string // the one that is followed, with its revision

	Happened, Detected, Answered, Contained, Recovered, Ended time.Time
	How                                                       How // one knows these times

	ReportedBy []Reporter
	Summary    []Text
	Systems    []System
	Phases     []Span
	Team       []Holder
	Cause      Cause
	Data       []Data
	People     []People
	Actions    []Action
	Decisions  []Decision
	Told       []Told
	Costs      []Cost
	Timeline   []Moment
	Evidence   []Exhibit
	Well       []Text
	Badly      []Text
	Lessons    []Text
	Measures   []Measure
	Questions  []Question
	Tasks      []Task
	Handovers  []Handover
	Related    []Text

	Head Head // of the ledger out of which the case was read
	Made time.Time
	By   string // who asked for the dossier
	For  string // the person for whose eyes alone it is; "" of a document for an audience
}

// How says of each time how it was found, or why it is not known: "the first alert was raised (entry 12)".
type How struct{ Happened, Detected, Answered, Contained, Recovered, Ended string }

// A Text is something that people wrote.
type Text struct {
	Says  string
	Label Label
}

// A Head is the ledger at the moment when the case was read: as a head of package entry, without its signature.
type Head struct {
	Origin string
	Size   int64
	Root   string // base64
}

// A Reporter is who or what told of it first.
type Reporter struct {
	Name  string // "" is somebody without a name
	What  string // customer, employee, rule, supplier
	At    time.Time
	Label Label
}

// A System is a host, site or service of others that it touches.
type System struct {
	Name, Role, Effect, State string
	Label                     Label
}

// A Span is a phase from when to when.
type Span struct {
	Phase       string
	From, Until time.Time // Until zero is still under way
}

// A Holder is who had which role.
type Holder struct {
	Role, Person string
	From, Until  time.Time
	Label        Label
}

// A Cause is why it could happen.
type Cause struct {
	Says  []Text
	Class string // own code, third-party software, credentials, configuration, supplier, person
	Whys  []Text // each asks why of the one before
	Bones []Bone // of a fishbone
	Links []Text // lines, files, commits, CVE
	Label Label  // of Class
}

// A Bone is a contributing cause under its heading.
type Bone struct {
	Heading, Says string
	Label         Label
}

// Data is what left, was changed or was lost.
type Data struct {
	What, Fate string // Fate: read, copied, changed, destroyed, exposed
	Records    int64  // -1 is not known
	Basis      string // how one knows
	Label      Label
}

// People are those whom it touches.
type People struct {
	Who   string
	Count int64 // -1 is not known
	Where string
	Basis string
	Label Label
}

// An Action is something done against it.
type Action struct {
	N                       int64
	At                      time.Time
	What, Who, Result, Undo string
	Label                   Label
}

// A Decision is one of the log of decisions.
type Decision struct {
	N                          int64
	At                         time.Time
	Question, Decided, By, Why string
	Options                    []string
	Label                      Label
}

// Told is a duty or promise to tell somebody.
type Told struct {
	N                int64
	Whom, Law, State string
	Due, Sent        time.Time
	Label            Label
}

// A Cost is money in hundredths of a currency, hours, or both.
type Cost struct {
	What     string
	Cents    int64
	Currency string // ISO 4217
	Minutes  int64  // of people's work
	Estimate bool
	Label    Label
}

// A Moment is one entry of the timeline.
type Moment struct {
	N                 int64
	Happened, Learned time.Time
	Who, What         string
	Pinned            bool
	Corrects          int64 // the entry that this one corrects; 0 is none
	Label             Label
}

// An Exhibit is a piece of evidence with its custody.
type Exhibit struct {
	N                               int64
	Name, SHA256, From, By, Custody string
	At                              time.Time
	Label                           Label
}

// A Measure is what is to be changed, by whom.
type Measure struct {
	What, Owner, State, Verified string
	Due                          time.Time
	Label                        Label
}

// A Question is one that was asked. Without an Answer it is still open.
type Question struct {
	N          int64
	Ask, Whom  string
	Answer, By string
	Label      Label
}

// A Task is something outside of the playbook that is still to be done.
type Task struct {
	N          int64
	What, Whom string
	Due        time.Time
	Label      Label
}

// A Handover is what one shift told the next. Taken zero was not taken over yet.
type Handover struct {
	N                     int64
	Given, Taken          time.Time
	From, To, Roles, Says string
	Label                 Label
}
