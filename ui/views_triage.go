package ui

// CaseHead is what stands above the pages of an incident besides its first.
type CaseHead struct {
	ID       string
	Severity Severity
	Incident string // its title
	State    State
	Label    Label
	Tabs     []Tab
}

// Triage helps to judge an alarm. GET /incidents/{id}/triage; posts to the same path.
var Triage = page[TriageView]("triage")

// TriageView is what Triage shows.
type TriageView struct {
	Frame
	CaseHead
	Verdict  string // "Real attack", said before; "" is none
	By       string
	At       Time
	Reason   Text
	Alerts   []AlertRow // with their lines
	More     string     // "and 12 more alerts"
	Unusual  []Text
	Past     []PastRow
	PastMore string
	Criteria []CriterionRow
	Close    []Form // a false alarm: closes it
	Judge    []Form // real, or not known yet
	Tuned    []Fold // after a false alarm: what could keep the rule quiet
	Scope    ScopeAsk
	ScopeIs  string
	Classify []Form
}

// A PastRow is an earlier incident of the same addresses and accounts.
type PastRow struct {
	ID       string
	Href     string
	Title    string
	State    State  // "closed: false alarm"
	Shares   string // "1 address, 2 accounts"
	At       Time
	Verdict  string
	Severity Severity
}

// A CriterionRow says when an incident has a severity.
type CriterionRow struct {
	Severity Severity
	Says     string
	Is       bool
}

// CausePage shows and takes the root cause. GET /incidents/{id}/cause; posts to the same path.
var CausePage = page[CauseView]("cause")

// CauseView is what CausePage shows.
type CauseView struct {
	Frame
	CaseHead
	Class    string
	Sum      Text
	By       string
	At       Time
	Versions string // "written 3 times; all are in the ledger"
	Whys     []ReasonRow
	Fish     Fishbone
	Edit     []Form
	Other    []Text // what another wrote meanwhile
	Lessons  []LessonRow
	Learn    []Form
	Marks    []Link // to the labels, and to what was written of parts
}

// A LessonRow is what was learnt.
type LessonRow struct {
	Word string
	Text []Text
}

// A ReasonRow is a why, or a bone of the fishbone, with what it rests on.
type ReasonRow struct {
	Text  Text
	Links []Link // Href may be empty
}

// Files shows the evidence of an incident. GET /incidents/{id}/files; posts to the same path bring a file, and below a file's number pass it on or
// read it.
var Files = page[FilesView]("files")

// FilesView is what Files shows.
type FilesView struct {
	Frame
	CaseHead
	Rows  []FileRow // a page of them, the newest first
	Pager Pager
	Add   []Fold
	Wants []EvidenceRow // what steps expect and nobody brought yet
}

// A FileRow is a piece of evidence with its custody.
type FileRow struct {
	ID      string
	Name    Text
	Kind    string
	Size    string
	SHA256  string
	From    Text
	Why     Text
	Label   Label
	Mark    Link  // to its label
	State   State // "whole whenever somebody looked", "changed: it is not what was brought"
	Chain   []CustodyRow
	Open    []Form
	Folds   []Fold
	Earlier string // how much of its custody is not shown
}

// A CustodyRow is one link of the chain of custody.
type CustodyRow struct {
	At     Time
	What   string // brought, passed on, looked at
	Who    string
	From   Text
	To     Text
	Why    Text
	State  State // of the bytes as found
	SHA256 string
}

// Related shows incidents that share something, and merges them. GET /incidents/{id}/related; posts to merge and unmerge below the incident.
var Related = page[RelatedView]("related")

// RelatedView is what Related shows.
type RelatedView struct {
	Frame
	CaseHead
	Merged  Link // the incident that it is part of
	Parts   []PastRow
	Rows    []PastRow
	More    string
	Merge   []Fold
	Unmerge []Fold
}

// LineOf shows one line of a timeline. GET /incidents/{id}/moments/{n}; posts go below it to edit, pin and label.
var LineOf = page[LineOfView]("moment")

// LineOfView is what LineOf shows.
type LineOfView struct {
	Frame
	CaseHead
	N        string
	Moment   Moment
	Versions []VersionRow // of a note, the newest first
	Edit     []Form
	Pin      []Form
	Mark     []Form
	Other    []Text // what another wrote meanwhile
}

// A VersionRow is what a note said.
type VersionRow struct {
	By   string
	At   Time
	Text Text
}
