package ui

// Trace tells how an incident came about. GET /incidents/{id}/trace
var Trace = page[TraceView]("trace")

// TraceView is what Trace shows.
type TraceView struct {
	Frame
	ID       string
	Incident string // its title
	Severity Severity
	Says     string // "12 facts and 1 guess, from 40 questions to the kept lines"
	Sign     Told   // the first sign of a suspect; without text there is none
	Graph    Graph
	Told     []Told // in order of time
	Cut      []Text // what was not looked into, or is not told
	Wait     string // why nothing is told yet: "too many searches are under way"; "" when it is
}

// A Told is one statement and the lines that it stands on.
type Told struct {
	N     string // from 1: its place, and its id behind "told-"
	At    Time
	Guess bool // else it is a fact
	Says  Text
	Why   Text   // of a guess
	Lines string // "70 lines"
	Where Text   // "vsftpd.log, numbers 4 to 73"
	Href  string // the search that finds precisely these lines; "" when it cannot be written down
}
