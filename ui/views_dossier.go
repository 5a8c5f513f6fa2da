package ui

// Dossier asks which report of an incident is wanted. GET /incidents/{id}/report
var Dossier = page[DossierView]("dossier")

// DossierView is what Dossier shows.
type DossierView struct {
	Frame
	ID        string
	Incident  string // its title
	Severity  Severity
	Formats   []Option
	Depths    []Option
	Audiences []Option
	Exchange  Form // for the programs of other teams
	Errors    Errors
}
