package ui

// Overview is the first page: what rings, what is open, and whether Tocsin itself is well. GET /
var Overview = page[OverviewView]("overview")

// OverviewView is what Overview shows.
type OverviewView struct {
	Frame
	Mine    *Next         // what the reader does next, in which incident; nil is nothing
	Tally   []Tally       // one per severity, worst first
	Open    []IncidentRow // worst first; as many as fit
	More    int           // open incidents that Open leaves out
	Figures []Figure      // of today
	Chart   Chart
	Sources []SourceRow // worst first; as many as fit
	Calls   []CallRow   // the last few, newest first
	Duties  []Duty      // who is on call now, by schedule
	Ready   Readiness

	MoreSources int // that Sources leaves out
}

// Readiness says whether everybody is reached when it rings, and what is to be done next.
type Readiness struct {
	State State  // "7 of 9 ways proven"
	Says  string // in a sentence
	Next  string // the next thing to do; "" is nothing
	Link  Link   // where that is done
}

// A Tally counts the open incidents of one severity.
type Tally struct {
	Severity Severity
	Count    int
	Href     string
}

// A Figure is one number of today.
type Figure struct {
	Name  string
	Value string
	Says  string // what to hold it against: "yesterday by now: 1,204"
	Href  string
}

// Sources lists the watched files. GET /sources
var Sources = page[SourcesView]("sources")

// SourcesView is what Sources shows, worst state first.
type SourcesView struct {
	Frame
	Summary string // "7 sources, 1 silent, 12 lines unparsed"
	Sources []Source
	Pager   Pager
}

// A SourceRow is a source in short.
type SourceRow struct {
	Name     string // base name of the file, with the host in front if it is another
	Href     string
	State    State // "reading", "silent for 3 h", "missing", "behind by 2 min"
	Lag      string
	Unparsed string // "0", "12"
	Bad      bool   // Unparsed is not 0
	Last     Time   // of the last line
}

// A Source is a source in full.
type Source struct {
	ID string // for the anchor
	SourceRow
	Path     string
	Host     string
	Format   string // "nginx combined", or "unknown"
	Lines    string
	Limit    string // "6 h"; silence beyond it is an alert
	Says     string // what is wrong and how to mend it; "" when nothing is
	Rejected []Rejected

	Door        bool   // it is a door, through which others send
	Note        string // what is to be known of the door always; may be empty
	Refused     []Fact // what it refused since the start, by reason
	LastRefused Text   // why, the last time
}

// A Rejected is a line that could not be parsed.
type Rejected struct {
	Number string // "line 40,218"
	At     Time   // when it was read
	Line   Text
	Why    string
}

// Calls lists the calls, newest first. GET /calls
var Calls = page[CallsView]("calls")

// CallsView is what Calls shows.
type CallsView struct {
	Frame
	Calls []CallRow
	Pager Pager
}

// A CallRow is a call: what for, whom it rang, and who answered.
type CallRow struct {
	ID       string
	Severity Severity // "" of a test
	Title    string
	Href     string // the incident; empty of a test
	More     string // "and 2 more incidents"
	State    State  // "ringing", "answered", "ended"
	Says     string // "answered by Anna Keller after 2 min, by link"
	Opened   Time
	Action   string // where an answer is posted, while it rings
	Not      string // why who looks cannot answer it while it rings, and who can
	Tries    []Try
}

// A Try is one attempt to reach one person on one channel.
type Try struct {
	Number  string
	At      Time
	Who     string
	Channel string
	State   State  // "sent", "failed", "possibly twice"
	Says    string // the other side's words, or when it is tried again
}

// BellState words whether Tocsin could ring.
func (v OverviewView) BellState() State {
	switch {
	case !v.Bell.Known:
		return State{"late", "Not yet proved"}
	case !v.Bell.Alive:
		return State{"bad", "Cannot ring"}
	}
	return State{"good", "Alive"}
}
