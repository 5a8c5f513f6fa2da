package ui

// Rights shows who may do what, and who has which role. GET /rights
var Rights = page[RightsView]("rights")

// RightsView is what Rights shows.
type RightsView struct {
	Frame
	Roles   []string // the columns
	Rows    []RightRow
	Holders []Fact // of each role: the people
}

// A RightRow is an action.
type RightRow struct {
	Action string // as tokens name it
	Words  string
	May    []bool // by role
	Two    bool   // a second person must approve
}

// Approvals lists what waits for a second person. GET /approvals; posts to /approvals/{id}
var Approvals = page[ApprovalsView]("approvals")

// ApprovalsView is what Approvals shows.
type ApprovalsView struct {
	Frame
	Rows []ApprovalRow
}

// An ApprovalRow is something that a second person approves.
type ApprovalRow struct {
	ID     string
	Words  string // what it is
	About  string
	Why    Text
	By     string
	At     Time
	Ends   Time // when it expires, or passes alone
	State  State
	Says   string // who could approve, or who did
	May    bool   // the reader can approve it
	Mine   bool   // the reader asked for it, and can take it back
	Action string
}

// A RoleRow is a role within an incident.
type RoleRow struct {
	Key      string // the ledger's word
	Word     string
	Holder   string // a name; "" is nobody
	Gap      bool
	Says     string // "Anna Keller left the team"
	Deputies string
	Mine     bool // the reader has it
	Holds    bool // somebody on the team holds it
}

// RolesPart is the section of an incident that says who holds what.
type RolesPart struct {
	Rows   []RoleRow
	People []Option
	Kinds  []Option // of a restriction
	Named  []Option // who may be named, with who is
	Kind   string   // of the restriction that holds; "" is none
}
