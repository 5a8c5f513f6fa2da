package ui

// ReviewPage shows what is to be reviewed: the plan, one part of it, a measure, or the review of an incident. GET /review, /review/parts/{part},
// /review/measures/{n}, /incidents/{id}/review
var ReviewPage = page[ReviewView]("review")

// ReviewView is what ReviewPage shows. The pages differ in what they fill.
type ReviewView struct {
	Frame
	Case   []CaseHead // of an incident, one at most; else Over and the frame's title stand above
	Over   Link       // the page that it belongs to
	Intro  Text
	State  State // "" is none
	Next   []StepCard
	Lists  []ReviewList
	Papers []ReviewPaper
	Change []ChangeView // of a playbook, since it was approved last
	Forms  []Titled
	Folds  []Fold
}

// A ReviewList is rows below a heading.
type ReviewList struct {
	ID, Title string
	Empty     string // what is said when there are none
	Rows      []ReviewRow
}

// A ReviewRow is a part, a measure or a review that is to be held.
type ReviewRow struct {
	ID, Href string
	Title    Text
	State    State
	Who      string
	Due      Time
	Late     bool
	Why      Text
	Where    Link // the incident
}

// A ReviewPaper is text to be read: a section of a part, a topic of an agenda, what was said.
type ReviewPaper struct {
	ID    string
	Title string
	State State // "" is none
	Open  bool
	Says  Text
	Lines []Text
	Links []Link
}

// Titled is a form below a heading.
type Titled struct {
	Title string
	Form  Form
}
