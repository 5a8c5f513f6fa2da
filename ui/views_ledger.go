package ui

import "net/http"

// Ledger shows the head of the ledger and checks it. GET /ledger; posts to /ledger/verify.
var Ledger = page[LedgerView]("ledger")

// LedgerView is what Ledger shows.
type LedgerView struct {
	Frame
	Size    string // entries
	Root    string // base64
	Signer  string
	Signed  Time
	Copies  []Fact // where the head is kept besides, and of when
	Checked Check
	Rows    []EntryRow // newest first
}

// A Check is the result of reading the whole ledger again.
type Check struct {
	State State  // "intact", "damaged", "never checked"
	Says  string // "entry 4,812 does not follow from entry 4,811: ..."
	At    Time
	Took  string
}

// An EntryRow is an entry of the ledger.
type EntryRow struct {
	N       string
	At      Time
	Actor   string
	Kind    string
	Subject string
	Says    string
}

// Error says what went wrong and what to do. It never shows an error text of the program.
var Error = page[ErrorView]("error")

// ErrorView is what Error shows. The title is in the frame.
type ErrorView struct {
	Frame
	Code int
	Says string
	Mend []string
	Link Link
}

// ErrorWeak says that an act of administration needs a second factor.
func ErrorWeak() ErrorView {
	return ErrorView{Frame: Frame{Title: "This needs a second factor"}, Code: http.StatusForbidden, Says: "Who keeps the team, lets agents in or destroys something signs in with more than a password. Nothing was done.",
		Mend: []string{"Add a passkey or an authenticator app.", "If you have one, sign out and sign in with it.", "If you lost it, somebody else who keeps the team can help, or a sheet from the safe."}, Link: Link{"How you sign in", "/me"}}
}

// ErrorFor words an HTTP status. The caller completes the frame when somebody is signed in.
func ErrorFor(code int) ErrorView {
	v := ErrorView{Code: code, Link: Link{"Go to the overview", "/"}}
	switch code {
	case http.StatusForbidden:
		v.Title = "This is not allowed"
		v.Says = "Tocsin refused the request, and nothing was done."
		v.Mend = []string{
			"If you followed a form on another site, open Tocsin itself and do it there.",
			"If you use a proxy, see that it hands on the Host and Origin headers as they are.",
			"If you are signed in and should be allowed, ask who runs Tocsin for the role.",
		}
	case http.StatusNotFound:
		v.Title = "There is no such page"
		v.Says = "The address names nothing that Tocsin has."
		v.Mend = []string{
			"See that the whole link was copied. Links in mails break at line ends.",
			"A link that sets up or answers works once, and only for its time. Ask for a new one, or sign in.",
		}
	case http.StatusConflict:
		v.Title = "Somebody was faster"
		v.Says = "What you wanted to change has changed meanwhile, so nothing was done."
		v.Mend = []string{"Go back, reload, and look again."}
	case http.StatusTooManyRequests:
		v.Title = "Too many tries"
		v.Says = "Tocsin looks at no more tries from here for a while."
		v.Mend = []string{"Wait a minute and try once more."}
	case http.StatusServiceUnavailable:
		v.Title = "Tocsin cannot write"
		v.Says = "The act could not be recorded, so it was not done."
		v.Mend = []string{
			"See that the disk of the data folder is not full and can be written.",
			"Run: tocsin doctor",
			"Then start Tocsin again. What was acknowledged before is safe.",
		}
	default:
		v.Title = "Tocsin made a mistake"
		v.Says = "The page could not be made. This is our error, not yours."
		v.Mend = []string{
			"Reload. If it stays, run: tocsin doctor",
			"The program's log says what happened; please report it.",
		}
	}
	return v
}
