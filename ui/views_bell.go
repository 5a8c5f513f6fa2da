package ui

// CallPage shows one call with all that became of it. GET /calls/{id}; posts to its actions.
var CallPage = page[CallView]("call")

// CallView is what CallPage shows.
type CallView struct {
	Frame
	Call    CallRow
	Facts   []Fact
	Pass    string // where it is passed on; "" when that is not possible
	Snooze  string // where it is snoozed; "" when that is not possible
	Lasts   []Option
	History []CallMoment
	More    string // "the oldest 200 are not shown", or ""
}

// A CallMoment is one thing that happened to a call.
type CallMoment struct {
	At    Time
	State State
	Says  string
	Left  []string // whom a step could not ring, and why
}

// BellPage says whether the bell works, and what keeps it from ringing. GET /bell; posts to /policies and /maintenance.
var BellPage = page[BellView]("bell")

// BellView is what BellPage shows.
type BellView struct {
	Frame
	Change   bool // the reader may change what stands here
	Ready    string
	Proofs   []Proof
	Windows  []Window
	Form     MaintenanceForm
	Watchers []Pulse
	Watches  []Pulse
	Chosen   []Choice
	Policies []NamedPolicy
}

// A Proof is what is known of one channel of one person.
type Proof struct {
	Who     Link
	Channel string
	State   State
	At      Time
	Says    string
}

// A Window is a time of maintenance.
type Window struct {
	ID    string
	Says  string // "High and Medium do not ring"
	State State
	From  Time
	Until Time
	By    string
	Why   Text
	End   string // where it is ended; ""
}

// A MaintenanceForm is what was typed.
type MaintenanceForm struct {
	From, Until, Why string
	Severities       []Option
	Open             bool
}

// A Pulse is who is told that the bell works, or whose bell is listened for.
type Pulse struct {
	Name  string
	State State
	At    Time
	Says  string
}

// A Choice says which policy rings for a severity.
type Choice struct {
	Severity Severity
	Key      string
	Options  []Option
}

// A NamedPolicy is a policy with its words.
type NamedPolicy struct {
	Name string
	Href string
	Says []string
	End  string // where it is ended; ""
}

// PolicyPage changes one policy. GET /policies/{name}; posts to the same path.
var PolicyPage = page[PolicyView]("policy")

// PolicyView is what PolicyPage shows.
type PolicyView struct {
	Frame
	Name   string
	New    bool
	Policy PolicyForm
}

// Simulate says who would be rung. GET /simulate
var Simulate = page[SimulateView]("simulate")

// SimulateView is what Simulate shows.
type SimulateView struct {
	Frame
	Policies   []Option
	Severities []Option
	When       string // as in a datetime-local field
	Says       string
	Strip      Strip
	Rows       []SimulatedRow
}

// A SimulatedRow is one thing that would happen.
type SimulatedRow struct {
	After string // "5 min"
	At    Time
	State State
	Says  string
}

// A Strip is a span of time with a mark for each ring.
type Strip struct {
	Title string
	Marks []StripMark
	Ticks []StripMark
}

// A StripMark is a place on a strip, in units of its drawing.
type StripMark struct {
	X, Y float64
	Kind string // ring, held
	Word string
}

// A WaysForm is by what a person is rung, and when.
type WaysForm struct {
	Action     string
	Says       []string
	Rules      []WayRow
	QuietFrom  string
	QuietUntil string
	Zone       string
	Open       bool
}

// A WayRow is one rule of it.
type WayRow struct {
	N          int
	Word       string
	Channels   []Option
	After      string // minutes
	Severities []Option
	From       string
	Until      string
}
