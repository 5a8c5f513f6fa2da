package ui

// PlanPage lists the playbooks of the plan. GET /plan
var PlanPage = page[PlanView]("plan")

// PlanView is what PlanPage shows.
type PlanView struct {
	Frame
	Rows      []BookRow
	Retired   []BookRow
	Proposals []ProposalRow
	History   []RevisionRow // of all, the newest first
	Built     string        // "14 of 22 actions are built; steps with the others are done by hand."
	May       bool          // the reader may propose changes
	Forms     []Fold        // a new one, an import
}

// A BookRow is a playbook in short.
type BookRow struct {
	ID, Href string
	Title    string
	Summary  string
	Owner    string
	Severity Severity
	Steps    string // "31 steps"
	Review   State  // "reviewed 12 days ago", "review is late"
	Reviewed Time
	Due      Time
	Revision string
}

// A ProposalRow is a change of a playbook that waits for another person.
type ProposalRow struct {
	Href  string
	Title string // of the playbook
	By    string
	At    Time
	Why   Text
	State State
}

// A RevisionRow is one state of a playbook.
type RevisionRow struct {
	Revision string // its first letters
	Title    string // of the playbook, where several are listed
	Href     string // it, read
	Diff     string // what changed
	At       Time
	By       string
	Approver string
	Why      Text
	From     string // shipped, console, file, cacao
	Current  bool
}

// BookPage shows one playbook. GET /plan/{id}
var BookPage = page[BookView]("book")

// BookView is what BookPage shows.
type BookView struct {
	Frame
	Row       BookRow
	Current   bool // the revision that is begun
	Signs     []string
	Criteria  []CriterionRow
	Asks      []Fact // a question and its answers
	Ends      string
	Phases    []PhaseFlow
	Findings  []FindingRow
	Revisions []RevisionRow
	Exports   []Link
	Edit      string // the page on which it is changed; "" is none
	Folds     []Fold // retire
}

// A PhaseFlow is a phase with its steps, as a drawing.
type PhaseFlow struct {
	ID    string
	Word  string
	Nodes []NodeFlow
}

// A NodeFlow is a step, or branches that are worked on at the same time.
type NodeFlow struct {
	Steps    []StepFlow // one at most
	Branches []BranchFlow
}

// A BranchFlow is steps one behind the other, beside others.
type BranchFlow struct {
	Word  string
	Steps []StepFlow
}

// A StepFlow is a step as it is written.
type StepFlow struct {
	Number   string
	ID       string
	What     string
	Role     string
	RoleKey  string // commander, engineer, analyst, legal, communications
	Why      string
	How      []Para
	Done     string
	If       string
	Facts    []Fact
	Evidence []string
}

// A FindingRow is something wrong with a playbook, with its place.
type FindingRow struct {
	Line    string // "12"; "" is the whole
	Says    string
	Text    string // the line as typed
	Warning bool
}

// BookEdit takes a changed playbook. GET, POST /plan/{id}/edit
var BookEdit = page[BookEditView]("bookedit")

// BookEditView is what BookEdit shows.
type BookEditView struct {
	Frame
	Back     Link
	Findings []FindingRow
	Checked  string // "It can be used. 2 things to know.", "" is not checked yet
	Usable   bool
	Changes  []ChangeView // from the revision that stands
	Other    []Text       // what another put in meanwhile
	Form     Form
	Refused  []string // parts of an imported file that this format has no place for, by name
}

// A ChangeView is one difference between two revisions.
type ChangeView struct {
	Kind   string // added, removed, moved, changed
	What   string
	Place  string
	Fields []FieldView
}

// A FieldView is a field with the text it had and has.
type FieldView struct {
	Name     string
	From, To []Text
}

// BookDiff shows what a revision changed, and takes the agreement to a proposed one. GET /plan/{id}/diff?from=&to=, GET /plan/proposals/{id}
var BookDiff = page[BookDiffView]("bookdiff")

// BookDiffView is what BookDiff shows.
type BookDiffView struct {
	Frame
	Back    Link
	From    RevisionRow
	To      RevisionRow
	Changes []ChangeView
	Decide  []Form
	Says    string // why nobody can agree here
	Note    State

	Findings []FindingRow // of a proposed one: what whoever agrees must know
}

// GlossaryPage says what words mean. GET /plan/glossary
var GlossaryPage = page[GlossaryView]("glossary")

// GlossaryView is what GlossaryPage shows.
type GlossaryView struct {
	Frame
	Terms []TermRow
}

// A TermRow is a word with what it means.
type TermRow struct {
	ID   string
	Word string
	Also string
	Says string
}

// Verdict is what the check of a playbook says.
func (v BookEditView) Verdict() State {
	if v.Usable {
		return State{"good", v.Checked}
	}
	return State{"bad", v.Checked}
}
