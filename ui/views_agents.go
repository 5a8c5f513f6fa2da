package ui

// Agents lists the agents on other hosts. GET /agents; posts to the same path, which answer with Joining.
var Agents = page[AgentsView]("agents")

// AgentsView is what Agents shows.
type AgentsView struct {
	Frame
	Summary     string
	May         bool   // the reader may let agents in
	Heard       bool   // agents are heard at all; if not, the page says how to turn that on
	Address     string // at which they are heard; "" when nobody said it
	Fingerprint string // by which they know this server
	Agents      []AgentRow
	Pager       Pager
	Tokens      []TokenRow
	Losses      []Loss // newest first
	MoreLosses  string // "and 12 older ones"; may be empty
	Refused     []Fact // of those who are no agents
	Form        AgentForm
	Joining     Joining
}

// An AgentRow is an agent in short. What is a Text is the agent's own words.
type AgentRow struct {
	ID      string
	Href    string
	Name    Text
	System  Text
	State   State // "heard", "lost for 3 h", "revoked", "not heard yet"
	Address Text
	Last    Time // when it was heard of last
	Lines   string
	Waiting string  // in its spool: "nothing", "12 batches, 3 MiB"
	Signs   []State // what is to be seen to: its clock, its updates, its certificate, lines that are lost
}

// A TokenRow is a token that nobody used yet.
type TokenRow struct {
	Name  string // that the agent gets; "" is its host's
	By    string
	Made  Time
	Until Time
}

// A Loss is lines that a host lost, with their bounds.
type Loss struct {
	Agent  Link // empty on the page of the agent
	File   Text
	Bounds string // "bytes 1,204 to 5,120"
	Why    Text
	Since  Time // the loss fell between these
	Until  Time
	Told   Time
}

// An AgentForm is what stands in the form that lets an agent in.
type AgentForm struct {
	Name  string
	Valid []Option
	Open  bool // shown open
}

// Joining is what a host's engineer needs to let the agent join; it is shown once. Zero is nothing.
type Joining struct {
	Command string // with the token
	Join    string // the same as root, and then the start, as it is typed where the package is installed
	Until   Time
	Unknown bool // nobody said at which address agents reach this server, so the command has a gap
}

// AgentPage shows what is known of one agent and its host. GET /agents/{id}; posts to /agents/{id}/revoke.
var AgentPage = page[AgentView]("agent")

// AgentView is what AgentPage shows.
type AgentView struct {
	Frame
	Agent    AgentRow
	Alarms   []Problem // of its clock and spool
	Facts    []AgentFact
	Host     []AgentFact
	Told     Time // when the host was described last; zero is never
	Sources  []Feed
	Losses   []Loss
	Lists    []AgentList
	Refused  []Fact
	Revoke   string // where it is put out; "" is not offered
	Reason   string // typed before
	MoreFeed string // "and 12 more sources"; may be empty
	MoreLoss string
}

// An AgentFact is a name and what it is: words of ours, then those of the host, then a moment.
type AgentFact struct {
	Name string
	Says string
	Text Text
	At   Time
}

// A Feed is a log that an agent follows.
type Feed struct {
	Path  Text
	Of    Text // the pattern that found it; may be empty
	State State
	Why   Text
	Lag   string
	Lines string
	Last  Time
	Href  string // its lines; may be empty
}

// An AgentList is one of the lists that a host tells: pending updates, software, ports, disks.
type AgentList struct {
	Title string // "3 updates for security wait"
	Rows  []Text
	More  string // "and 12 more"; may be empty
}
