package ui

// Alerts lists alerts, newest first. GET /alerts
var Alerts = page[AlertsView]("alerts")

// AlertsView is what Alerts shows.
type AlertsView struct {
	Frame
	Query    string
	Incident string // the number of the one whose alerts these are; "" is every one
	Rules    []Option
	Levels   []Option
	Filtered bool
	Rows     []AlertRow
	Pager    Pager
}

// An AlertRow is an alert in short, with sample lines where an incident shows it.
type AlertRow struct {
	ID       string
	Href     string
	Title    string
	Level    Severity
	Count    string // records
	Sources  string // "203.0.113.9 (DE) and 3 more"
	Accounts string
	State    State // "goes on", "ended", "muted"
	First    Time
	Last     Time
	Incident Link   // Href is empty when it joined none
	Why      string // why it joined or did not: "low alerts open no incident"
	Samples  []Text
	Mark     string // "history" or ""
	Unusual  Text   // what is not normal, in the alert's words, or empty
}

// Alert shows one alert. GET /alerts/{id}
var Alert = page[AlertView]("alert")

// AlertView is what Alert shows.
type AlertView struct {
	Frame
	Row     AlertRow
	Says    string // what the rule saw, in a sentence
	Rule    Link
	Impact  string // "attempt: nothing says that it worked"
	Facts   []Fact
	Fired   []FiredAlert // why it was raised: of this alert, one or none
	Parties []PartyTable
	Dropped string // "and 120 more addresses or accounts, counted but not named"; "" is none
}

// Rules lists the rules. GET /rules
var Rules = page[RulesView]("rules")

// RulesView is what Rules shows.
type RulesView struct {
	Frame
	Summary  string // "42 rules watch, 1 refused"
	Query    string
	Levels   []Option
	States   []Option
	Filtered bool
	Refused  []RefusedRule
	Broken   []RefusedRule // set aside because they failed while they watched
	Warned   NamedRules    // loaded, and cannot match: nothing gives their logs or fields
	Never    NamedRules    // they read records and matched none of them yet
	Unread   NamedRules    // nothing has brought their logs yet
	Headings []Heading
	Kept     []RefusedRule // broken in their files, so that the last good ones stay
	Trouble  string        // why the folders could not be read again; "" if they could
	Rows     []RuleRow
	Pager    Pager
}

// NamedRules are rules that have something in common. There may be thousands, of which the first are named.
type NamedRules struct {
	Count string // all; "" is none
	Links []Link
	Notes []RefusedRule // instead of Links: why
	More  string        // "and 3,212 more"; "" is none
}

// A RefusedRule is a rule that could not be loaded, and so does not watch.
type RefusedRule struct {
	File string
	Name string // its title, if it could be read
	Why  string // with line and column, and how to mend it
}

// A RuleRow is a rule in short.
type RuleRow struct {
	ID      string
	Href    string
	Title   string
	Says    string // the first sentence of its description
	Level   Severity
	State   State  // "watching", "no source for it", "muted for 2 addresses"
	Day     string // matches in the last 24 hours
	Spark   Spark  // the same, hour by hour
	Matches string
	Alerts  string
	Last    Time
}

// Rule documents one rule. GET /rules/{id}
var Rule = page[RuleView]("rule")

// RuleView is what Rule shows.
type RuleView struct {
	Frame
	Row            RuleRow
	Description    []string // paragraphs
	Explained      []string // what it looks for, in words, a line each
	FalsePositives []string
	Tags           []Fact // ATT&CK: Name "T1110", Value "Brute force"
	LogSource      string // "web server access logs"
	Author         string
	Licence        string
	LevelWhy       string    // what its level means and does: "high: ..."
	Cost           string    // "1.2 µs a record, 3 % of all rules", or "not measured yet"
	Chart          Chart     // matches and alerts over time; Columns is empty when there were none
	Stretches      []Stretch // how far the chart may reach back
	Quiet          string    // instead of a chart: "It has matched nothing in the last 14 days."
	Fired          []FiredAlert
	Date           string
	File           string
	References     []string // shown as text: addresses from a rule are not followed
	YAML           Text     // VisibleLines
	Hits           []Text   // sample lines that it must match
	Misses         []Text   // and that it must not
	Mutes          []Mute
	Recent         []AlertRow
}

// A Mute silences a rule, or all, for an address, network or account, or for all, until a time.
type Mute struct {
	ID      string
	Rule    Link
	Address Text // or network; empty is every address
	Account Text // empty is every account
	Until   Time
	By      string
	Reason  Text
	Kept    string // "kept 12 alerts quiet, the last 5 min ago"; may be empty
	Back    string // the page that the form leads back to; empty is People
	Action  string // "/mutes/4/remove"; empty when the reader may not
}
