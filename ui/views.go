package ui

import (
	"slices"
	"strings"
)

// A Frame is what stands around every page: who reads it, where they are, and what must not be missed.
// Every view embeds it.
type Frame struct {
	Title     string // of the page; its h1 says the same or more
	Nav       string // the entry of the navigation that is current: "overview", "incidents", ...; "" is none
	Path      string // the page's own path and query, for the reload link
	Who       Who    // zero when nobody is signed in: the page then has no navigation and no live update
	Counts    Counts
	Bell      Bell
	Search    bool // the reader may search lines
	Reports   bool // the reader may read reports from outside
	Sample    bool // the lines are the bundled ones
	Problems  []Problem
	Ringing   []Ringing // calls that ring now, worst first
	Zone      string    // in which times are shown: "Europe/Berlin"
	Theme     string    // "light" or "dark" when the reader chose; "" follows the system
	Notice    string    // what the last form did; see Done
	AsOf      Time
	News      string // what a screen reader is told when it changes: "3 open incidents, 1 call rings"
	TabDrafts bool   // what is typed on the page is kept no longer than its tab
	Still     bool   // no live update, because the page shows a form again with what was typed
	Errors    Errors
	Terms     func(text string) []Term // finds words of the glossary in a text, from its start to its end; nil finds none
}

// Who is the person signed in.
type Who struct{ ID, Name string }

// Counts stand beside the entries of the navigation. Zero is not shown.
type Counts struct {
	Incidents int // open
	Calls     int // ringing
	Sources   int // silent or missing
	Agents    int // lost
	Rules     int // refused
	Reports   int // from outside, that nobody has opened, or have new words
}

// A Bell says whether Tocsin itself is able to ring.
type Bell struct {
	Known bool // false: not yet proved since the start
	Alive bool
	At    Time   // when it last proved itself
	Says  string // "a test message went through every channel"
}

// A Problem is something of Tocsin's own that does not work.
type Problem struct {
	Grave bool   // shown on every page, not on the overview only
	Says  string // what and where: "Tocsin cannot write: the disk of /var/lib/tocsin is full"
	Mend  string // how to mend it
	Href  string // where to see more; may be empty
}

// A Ringing is a call that nobody has answered, with its button.
type Ringing struct {
	ID       string
	Severity Severity
	Title    string // of the incident, or "Test call"
	Href     string // the incident
	More     string // "and 2 more incidents"; may be empty
	Since    Time
	Now      string // "Anna Keller is being rung by mail; everyone in 3 min"
	Action   string // "/calls/3/answer"
	Not      string // why who looks cannot answer it, and who can
}

// A NavLink is one entry of the navigation.
type NavLink struct {
	Key, Href, Word, Icon string
	Current               bool
	Count                 int
	CountWord             string // what the count counts, for screen readers
}

// Links returns the navigation.
func (f Frame) Links() []NavLink {
	links := []NavLink{
		{Key: "overview", Href: "/", Word: "Overview", Icon: "overview"},
		{Key: "incidents", Href: "/incidents", Word: "Incidents", Icon: "incident", Count: f.Counts.Incidents, CountWord: "open"},
		{Key: "tasks", Href: "/tasks", Word: "My tasks", Icon: "check"},
		{Key: "plan", Href: "/plan", Word: "The plan", Icon: "list"},
		{Key: "review", Href: "/review", Word: "Reviews", Icon: "check"},
		{Key: "calls", Href: "/calls", Word: "Calls", Icon: "call", Count: f.Counts.Calls, CountWord: "ringing"},
		{Key: "alerts", Href: "/alerts", Word: "Alerts", Icon: "alert"},
		{Key: "sources", Href: "/sources", Word: "Sources", Icon: "source", Count: f.Counts.Sources, CountWord: "silent or missing"},
		{Key: "agents", Href: "/agents", Word: "Agents", Icon: "host", Count: f.Counts.Agents, CountWord: "lost"},
		{Key: "rules", Href: "/rules", Word: "Rules", Icon: "rule", Count: f.Counts.Rules, CountWord: "refused"},
		{Key: "habits", Href: "/habits", Word: "Habits", Icon: "user"},
		{Key: "lists", Href: "/lists", Word: "Lists", Icon: "list"},
		{Key: "bell", Href: "/bell", Word: "Bell", Icon: "bell"},
		{Key: "oncall", Href: "/oncall", Word: "On call", Icon: "people"},
		{Key: "people", Href: "/people", Word: "People and policy", Icon: "people"},
		{Key: "contacts", Href: "/contacts", Word: "Contacts", Icon: "call"},
		{Key: "notices", Href: "/notices", Word: "Notices", Icon: "note"},
		{Key: "webhooks", Href: "/webhooks", Word: "Webhooks", Icon: "source"},
		{Key: "ledger", Href: "/ledger", Word: "Ledger", Icon: "ledger"},
	}
	if f.Search {
		links = slices.Insert(links, 7, NavLink{Key: "search", Href: "/search", Word: "Search", Icon: "search"}) // behind the alerts
	}
	if f.Reports {
		links = slices.Insert(links, 2, NavLink{Key: "reports", Href: "/reports", Word: "Reports", Icon: "note", Count: f.Counts.Reports, CountWord: "not opened"}) // behind the incidents
	}
	for i := range links {
		links[i].Current = links[i].Key == f.Nav
	}
	return links
}

// Scripts names what a page runs besides app.js, which it uses.
func (f Frame) Scripts() []string {
	switch {
	case f.Nav == "search" && f.Who.ID != "":
		return []string{"search.js"}
	case f.Nav == "me" || f.Nav == "door":
		return []string{"passkey.js", "password.js"}
	case f.Who.ID != "" && slices.Contains([]string{"incidents", "tasks", "plan", "review"}, f.Nav):
		return []string{"draft.js"}
	}
	return nil
}

// Styles names the sheets that a page has besides everybody's.
func (f Frame) Styles() []string { return nil }

// Window is the title of the browser's window. It begins with what rings, so that a tab in the background says so.
func (f Frame) Window() string {
	t := f.Title + " · Tocsin"
	if f.Sample {
		t = "SAMPLE · " + t
	}
	if n := len(f.Ringing); n > 0 {
		t = "(" + Number(int64(n)) + " ringing) " + t
	}
	return t
}

// Favicon names the drawing in the browser's tab.
func (f Frame) Favicon() string {
	if len(f.Ringing) > 0 {
		return "favicon-ringing.svg"
	}
	return "favicon.svg"
}

// Live reports whether the page follows changes by itself.
func (f Frame) Live() bool { return f.Who.ID != "" && !f.Still && len(f.Errors) == 0 }

// Reload returns Path if it is a path of ours, else the overview: a path that begins with two slashes names another host.
func (f Frame) Reload() string {
	if !strings.HasPrefix(f.Path, "/") || strings.HasPrefix(f.Path, "//") || strings.HasPrefix(f.Path, `/\`) {
		return "/"
	}
	return f.Path
}

// First returns the calls that stand in the banner; the others are counted by Rest.
func (f Frame) First() []Ringing { return f.Ringing[:min(3, len(f.Ringing))] }

// Rest counts the ringing calls that the banner leaves out.
func (f Frame) Rest() int { return max(0, len(f.Ringing)-3) }

// Grave returns the problems that every page shows.
func (f Frame) Grave() []Problem {
	var grave []Problem
	for _, p := range f.Problems {
		if p.Grave {
			grave = append(grave, p)
		}
	}
	return grave
}

// A Severity is one of critical, high, medium, low, or, of a rule, informational. It is shown by word, shape and colour.
type Severity string

// Key is the severity if it is one of ours, else "none": it becomes part of a class and of a drawing's name.
func (s Severity) Key() string {
	for _, l := range Levels {
		if l == s {
			return string(s)
		}
	}
	return "none"
}

// Word is the severity as shown.
func (s Severity) Word() string {
	if s.Key() == "none" {
		return "Unknown"
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

// A State is how something fares: a word, and a tone that picks shape and colour.
type State struct {
	Tone string // "good", "busy", "late", "bad", "off"
	Word string
}

// Key is the tone if it is one of ours, else "off".
func (s State) Key() string {
	switch s.Tone {
	case "good", "busy", "late", "bad":
		return s.Tone
	}
	return "off"
}

// Errors are what was wrong with a form, in the order of its fields.
type Errors []FieldError

// A FieldError is one thing wrong. Field is the id of the input on the page; "" is the form as a whole.
type FieldError struct{ Field, Says string }

// For returns what is wrong with a field, or "".
func (e Errors) For(field string) string {
	for _, f := range e {
		if f.Field == field {
			return f.Says
		}
	}
	return ""
}

// An Option is one choice of a list.
type Option struct {
	Value, Word string
	Chosen      bool
}

// A Fact is a name and what it is.
type Fact struct {
	Name  string
	Value string
	Href  string // where more stands; may be empty
}

// A Link leads somewhere.
type Link struct{ Word, Href string }

// A Pager leads through a list that does not fit on one page. Href is empty where there is no such page.
type Pager struct {
	Says string // "51 to 100 of 1,204"
	Prev string
	Next string
}

// A Heading is the head of a column, which sorts when it is followed.
type Heading struct {
	Word   string
	Href   string // empty: does not sort
	Sorted string // "ascending", "descending" or ""
	Number bool   // the column holds numbers
}

// Done words the notice after a form, by the key in ?done=. A key that is not ours is no notice: the address bar is
// anybody's to write, so it picks a sentence and never is one.
func Done(key string) string {
	switch key {
	case "answered":
		return "You answered the call. Nobody else is rung for it."
	case "passed":
		return "You passed the call on. The next step rings."
	case "snoozed":
		return "The call is quiet for a while; then it rings again."
	case "taken":
		return "You have taken the call. It rings on, because it wants another answer besides yours."
	case "ways":
		return "The rules are saved."
	case "chosen":
		return "The policies are chosen. Calls that ring now go on as they began."
	case "policygone":
		return "The policy is removed. Calls that began with it go on with it."
	case "maintenance":
		return "The maintenance is planned. It is said on every page."
	case "maintained":
		return "The maintenance is over. What it held back rings now."
	case "barred":
		return "From now on nothing is sent for this incident by the channels that are barred."
	case "severity":
		return "The severity is changed."
	case "phase":
		return "The phase is changed."
	case "note":
		return "The note is in the timeline."
	case "stated":
		return "What is known is written. Everybody reads it first."
	case "scope":
		return "It is noted whom it touches."
	case "seen":
		return "From now on you see what changes after this."
	case "begun":
		return "The playbook is begun. Each role finds its next step."
	case "stopped":
		return "The playbook is stopped. What was done stays."
	case "switched":
		return "The incident is worked on by the other playbook from now on. What was done stays."
	case "watch-longer":
		return "It is watched longer."
	case "watch-ended":
		return "It is not watched for its return any more."
	case "moved":
		return "The incident is on the other revision from now on."
	case "step-taken":
		return "You do it. Say when it is done."
	case "step-left":
		return "Somebody else can do the step now."
	case "step-done":
		return "The step is done."
	case "step-skipped":
		return "The step is skipped, and the reason is kept."
	case "step-reopened":
		return "The step is to be done again."
	case "step-approved":
		return "You agreed. It can be done now."
	case "step-denied":
		return "You refused, and the reason is kept. The step is not done."
	case "answered-fact":
		return "The answer is kept. Steps that hang on it follow it."
	case "decision-asked":
		return "The question is open until somebody decides it."
	case "decided":
		return "It is decided, and written down."
	case "withdrawn":
		return "It is withdrawn, and the reason is kept."
	case "question-asked":
		return "The question is asked."
	case "question-answered":
		return "The answer is kept."
	case "evidence":
		return "The files are evidence now, with their custody."
	case "handed":
		return "The hand-over waits for the next shift. Until they take it, you hold your roles."
	case "taken-over":
		return "You have taken over. The roles are yours."
	case "task":
		return "The task is kept."
	case "review-kept":
		return "It is written down."
	case "task-done":
		return "The task is done."
	case "edited":
		return "The note is edited. What it said before stays."
	case "pinned":
		return "The line is pinned."
	case "unpinned":
		return "The line is no longer pinned."
	case "labelled":
		return "The label is set. It holds for mail, chat, webhooks, exports and pages."
	case "triaged":
		return "Your judgement is written down."
	case "false-alarm":
		return "Closed as a false alarm. Below is what could keep it from coming again."
	case "tuned":
		return "The rule keeps quiet about it until the exception ends."
	case "cause":
		return "The root cause is written."
	case "affected":
		return "What is affected is written. The report says it."
	case "lessons":
		return "The lessons are written."
	case "file":
		return "The file is evidence from now on: hashed, and never replaced."
	case "passed-on":
		return "It is written down who got it."
	case "merged":
		return "The incidents are one. Nothing of either is lost."
	case "unmerged":
		return "The incident stands alone again."
	case "book":
		return "The revision stands from now on. Running incidents stay on theirs."
	case "proposed":
		return "The change waits for another person, who finds it on the page of the plan."
	case "refused":
		return "The change is refused, and the reason is kept."
	case "retired":
		return "The playbook is not begun any more. What runs goes on."
	case "assigned":
		return "The incident is assigned."
	case "unassigned":
		return "The incident is no longer assigned."
	case "closed":
		return "The incident is closed. It no longer rings anybody."
	case "reopened":
		return "The incident is open again."
	case "role":
		return "The roles of this incident are changed."
	case "restricted":
		return "The incident is restricted. Everybody else sees its number only."
	case "asked":
		return "This waits for a second person, who finds it here."
	case "approved":
		return "It is approved, and done within seconds."
	case "denied":
		return "It is not done."
	case "held":
		return "The log lines of this incident, from thirty days before it on, are kept beyond their time."
	case "released":
		return "The log lines of this incident go when their time is over."
	case "attached":
		return "The lines are part of the incident. Their SHA-256 is in the ledger's keeping, whatever becomes of the lines."
	case "muted":
		return "The rule is muted for this address. It still counts, and opens and joins no incident."
	case "unmuted":
		return "The mute is removed."
	case "forgotten":
		return "What was normal for the account is forgotten. It is learnt anew from now on."
	case "contact":
		return "The contact is on the list as you wrote it."
	case "checked":
		return "The contact is still right today."
	case "removed":
		return "The contact is off the list."
	case "imported":
		return "The file is on the contact list, all of it."
	case "card":
		return "The card has your words. Print it anew."
	case "rule":
		return "The rule holds from now on."
	case "text":
		return "The text is kept."
	case "status":
		return "Stakeholders can read it now."
	case "links":
		return "No link works that this contact got so far."
	case "all-links":
		return "No link to a status page works that anybody got so far."
	case "sending":
		return "The update is on its way. What becomes of it stands below."
	case "spoken":
		return "It is noted that you told them."
	case "waived":
		return "They need not be told this time. The reason is kept."
	case "watched":
		return "The values are on the list. Lines that name them raise alerts from now on."
	case "partly":
		return "The values are on the list, but for those that could not be taken; how many stands beside it, and tocsin watch import names each."
	case "unwatched":
		return "The value is off the list."
	case "ended":
		return "The list has ended. Nothing of it is watched for."
	case "never":
		return "The exception stands. Alerts that it keeps quiet are counted below."
	case "person":
		return "The person is saved."
	case "policy":
		return "The policy is saved. Calls that ring now go on as they began."
	case "rung":
		return "A test call is on its way. Its result appears beside the channel."
	case "key":
		return "The key is below. What is not in use yet waits for somebody to compare its fingerprint with its owner."
	case "confirmed":
		return "The key is confirmed: mail for calls is encrypted to it from now on."
	case "unsealed":
		return "The key is not used any more."
	case "pin":
		return "The PIN is saved."
	case "revoked":
		return "The agent is not heard any more. What it sent before stays."
	case "report-answer":
		return "The reporter is answered."
	case "report-open":
		return "The report is part of an incident now."
	case "report-join":
		return "The report is part of that incident now."
	case "report-close":
		return "The report is closed."
	case "report-spam":
		return "The report is dropped. Its reporter is told nothing."
	case "report-reopen":
		return "The report is taken up again."
	case "report-key":
		return "New reports are sealed to a new key."
	case "security-txt":
		return "security.txt is renewed."
	case "hook-tested":
		return "The webhook took the test."
	case "told":
		return "The notice is in force from now on."
	case "untold":
		return "The notice is removed."
	case "noticed":
		return "A test message is on its way. Its result appears beside the notice."
	case "schedule":
		return "The schedule is in force from now on."
	case "schedule-ended":
		return "The schedule has ended. Nobody is on call by it."
	case "covered":
		return "It is noted, and counts from then on."
	case "uncovered":
		return "It counts no longer."
	case "renewed":
		return "Your old calendar links open nothing any more. The new ones stand below."
	case "verified":
		return "The ledger was verified. The result is below."
	case "setup":
		return "Welcome. Next: say who is rung besides you, and ring yourself once to see that it works."
	case "passkey":
		return "The passkey is added. From now on a password alone does not sign you in."
	case "wayless":
		return "It is removed."
	case "app":
		return "The authenticator app is added. From now on a password alone does not sign you in."
	case "password":
		return "The password is changed, and all other sessions of yours have ended."
	case "unsession":
		return "The session has ended."
	case "untoken":
		return "The token is revoked. What still uses it is refused from now on."
	case "linked":
		return "The account is linked."
	case "factors":
		return "Their passkeys, app, recovery codes and tokens are gone, and their sessions have ended. Make a sign-in link if they need a new password, too."
	case "proved":
		return "It is proved. What asked for it can be done now, for ten minutes."
	case "glass":
		return "You are in by a sheet from the safe, for four hours. Everyone is being rung."
	case "recovered":
		return "You signed in by a recovery code, which is used up. See under How you sign in how many are left."
	case "out":
		return "You are signed out."
	}
	return ""
}
