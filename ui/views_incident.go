package ui

import "strings"

// Incidents lists incidents. GET /incidents
var Incidents = page[IncidentsView]("incidents")

// IncidentsView is what Incidents shows.
type IncidentsView struct {
	Frame
	Query      string // what was searched for
	States     []Option
	Severities []Option
	Sort       string // kept in the form, so that a filter does not lose it
	Filtered   bool   // some filter is set: offer to clear it
	Headings   []Heading
	Rows       []IncidentRow
	Pager      Pager
}

// An IncidentRow is an incident in short.
type IncidentRow struct {
	ID       string // "12"
	Href     string
	Title    string
	Says     string // what is known, in short: "203.0.113.9 (DE) · 412 requests · 2 rules"
	Severity Severity
	State    State  // "open", "ringing", "closed: false alarm"
	Phase    string // "containment"
	Assigned string // a name, or ""
	Alerts   string
	Began    Time   // when it happened
	Last     Time   // the newest alert
	Mark     string // "history" or ""
}

// Incident shows one incident and what can be done about it. GET /incidents/{id}
var Incident = page[IncidentView]("incident")

// IncidentView is what Incident shows.
type IncidentView struct {
	Frame
	ID        string
	Severity  Severity
	Why       []string // the severity's reasons, in words
	Suggest   Suggestion
	State     State
	Open      bool
	Channels  []Option // that may be barred for it; those that are, are chosen
	Held      bool     // its lines are kept beyond their time
	Phase     string
	Phases    []Phase
	Marks     []string // "history: it was over before watching began, and rings nobody"
	Known     string   // what is known, in a sentence
	Unusual   []Text   // what is not normal for accounts, in the alerts' words
	Next      Next
	Assigned  string
	Roles     RolesPart
	Verdict   string // "True alarm: ..."; "" while open
	Facts     []Fact // began, learned, last seen, moved bytes, ...
	Times     []TimeFact
	Timeline  []Moment     // newest first
	Alerts    []AlertRow   // the newest
	AllAlerts Link         // where all of them stand; Href is empty when Alerts are all
	HasAlerts string       // how many there are
	Parties   []PartyTable // addresses, accounts and sessions, those that there are
	Calls     []CallRow
	Lines     []AttachedLine // the first of those that were attached
	AllLines  string         // "the newest 20 of 214"; "" when Lines are all
	Forms     IncidentForms
	Room      string     // "War room, 2 in it", the words of the link to it; "" when there is none
	Report    string     // the page that writes the report; "" for who may not
	Updates   string     // the page of what stakeholders are told; "" for who may not see it
	Tapes     []RoomTape // recordings of it, newest first
	Lead      Lead       // how it is commanded
}

// A RoomTape is a recording of the war room.
type RoomTape struct {
	Folder string // below the folder of recordings
	From   Time
	State  State
	SHA256 string // of its manifest; "" when it did not end whole
	Says   string // why it ended, or what is wrong with it
}

// A TimeFact is a fact that is a moment.
type TimeFact struct {
	Name string
	At   Time
}

// A Phase is one of the five, in order; Tone as of a State: good is past, busy is now, off is to come.
type Phase struct {
	Word    string
	Done    bool
	Current bool
}

// A Next is the one thing to do now: a button that posts Fields to Action, or a link if Fields is nil and Get is set.
type Next struct {
	Says   string // why this: "Nobody has answered. Anna Keller is being rung."
	Button string // "Answer the call"; empty when there is nothing to do
	Action string
	Get    bool
	Fields []Option // hidden fields: Value is posted under the name Word
	Urgent bool
	Mine   bool // it is what the reader does next
}

// A Moment is one line of the timeline. Happened and Learned are both shown when they are a minute or more apart.
type Moment struct {
	Icon     string // "alert", "call", "user", "note", "check", "severity", ...
	Tone     string // as of a State
	Happened Time   // zero when it is not known
	Learned  Time
	Apart    bool // Happened and Learned differ
	Who      string
	Says     string
	Note     Text // what somebody wrote, or a reason (VisibleLines)
	Href     string
	Role     string // whose work it is about
	Pinned   bool
	Edited   string // "edited twice"
	Open     string // the page on which it is edited and pinned; "" is none
	N        string // its entry
}

// A Party is an address, an account or a session of an incident or alert.
type Party struct {
	Name    Text
	Role    string // "suspect", "victim"
	Country string // "DE", or ""
	Place   string // "Germany", or ""
	Realm   string // of an account: "customer"
	Own     bool   // an address of the shop's own networks
	Shared  bool   // an address that many share
	Habit   string // of an account: the page that says what is normal for it, or ""
	Count   string
	First   Time
	Last    Time
}

// IncidentForms are the choices that the forms of an incident offer, and what was typed when one comes back with errors.
type IncidentForms struct {
	Severities []Option
	Phases     []Option
	People     []Option // the first is nobody
	Rules      []Option // of the incident's alerts
	Addresses  []Option
	Until      []Option // "3600": 1 hour
	Reason     string   // typed before, for the form named Again
	Note       string
	Happened   string // typed before: "now", "14:32"
	Learned    string
	Roles      []Option // whose work a note is about; none while nobody commands
	Again      string   // which form comes back: "severity", "note", "mute", ...; it is shown open
}

// Close asks before an incident is closed. GET /incidents/{id}/close; posts to the same path.
var Close = page[CloseView]("close")

// CloseView is what Close shows.
type CloseView struct {
	Frame
	ID       string
	Severity Severity
	Incident string   // its title
	Effects  []string // what closing does: "Call 3 stops ringing."
	Undo     string   // "It can be reopened at any time; both are kept in the ledger."
	Verdict  string   // chosen before: "true" or "false"
	Reason   string
	Lacking  []Link // what must be written before it is done, unless the alarm was false
	Excuse   string // why it is not, typed before
}

// Confirm asks before any other act that is hard to take back.
var Confirm = page[ConfirmView]("confirm")

// ConfirmView is what Confirm shows.
type ConfirmView struct {
	Frame
	Effects []string
	Undo    string
	Approve string // who else must agree; "" is nobody
	Action  string
	Fields  []Option // hidden: Value is posted under the name Word
	Button  string
	Back    string // where "No, go back" leads
}

// A PartyTable is a table of addresses, accounts or sessions, or its first rows.
type PartyTable struct {
	Key   string // "addresses", "accounts", "sessions"
	Of    string // "incident", "alert"
	Rows  []Party
	Count string // of all
	All   Link   // where all of them stand; Href is empty when Rows are all
}

// Title is the table's heading.
func (t PartyTable) Title() string { return strings.ToUpper(t.Key[:1]) + t.Key[1:] }

// Caption says what the table is.
func (t PartyTable) Caption() string { return t.Title() + " of this " + t.Of }

// What is the head of its first column.
func (t PartyTable) What() string {
	return map[string]string{"addresses": "Address", "accounts": "Account", "sessions": "Session"}[t.Key]
}

// Named lists all addresses, accounts or sessions of an incident or an alert. GET /incidents/{id}?list=, GET /alerts/{id}?list=
var Named = page[NamedView]("named")

// NamedView is what Named shows.
type NamedView struct {
	Frame
	Over  Link // the incident or the alert
	Table PartyTable
	Note  string // "of the newest 1,000 of 2,345 alerts"; empty when all are looked at
	Pager Pager
}

// An IncidentTable is a table of incidents.
type IncidentTable struct {
	Headings []Heading
	Rows     []IncidentRow
}

// incidentHeadings are the columns where nothing sorts.
var incidentHeadings = []Heading{
	{Word: "Severity"}, {Word: "Incident"}, {Word: "State"}, {Word: "Assigned"}, {Word: "Alerts", Number: true}, {Word: "Began"}, {Word: "Last seen"},
}

// Table returns the rows with their columns. Without headings of its own the table does not sort.
func (v IncidentsView) Table() IncidentTable {
	if len(v.Headings) == 0 {
		return IncidentTable{incidentHeadings, v.Rows}
	}
	return IncidentTable{v.Headings, v.Rows}
}
