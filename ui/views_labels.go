package ui

// Labels shows to whom an incident, and each thing in it, may be told. GET /incidents/{id}/label?what=decision:3; posts to the same path.
var Labels = page[LabelsView]("labels")

// LabelsView is what Labels shows.
type LabelsView struct {
	Frame
	CaseHead
	Rows []LabelRow // one, when the page is about one thing
	Form []Form     // sets its label
	All  Link       // from one thing to all; empty on the page of all
}

// A LabelRow is a thing with its label.
type LabelRow struct {
	Word  string // "Decision 3"
	Href  string
	Text  Text // its words
	Label Label
	Own   bool   // it was given itself
	Says  string // "as the incident"
	By    string
	At    Time
	Why   Text
}
