package ui

// People lists people, the policy and the mutes. GET /people; posts to /people and /policy.
var People = page[PeopleView]("people")

// PeopleView is what People shows.
type PeopleView struct {
	Frame
	People []Person
	Add    PersonForm
	Policy PolicyForm
	Mutes  []Mute
}

// A Person is a member of the team.
type Person struct {
	ID       string
	Href     string // where they are changed
	Name     string
	Roles    []string // in words
	Zone     string
	You      bool
	Gone     bool   // no longer rung, may not sign in
	Says     string // "not in the policy: is never rung", or ""
	Channels []Channel
}

// A Channel is a way to reach a person, with its test.
type Channel struct {
	Key     string // "mail"; posted as channel
	Word    string // "Mail"
	Address string
	Private string // how private it is
	State   State  // of the last test: "reached", "failed", "never tested"
	Says    string // the other side's words
	At      Time
	Action  string // "/people/anna/ring"; "" when it cannot be tested
	Proof   string // why it is unproven; "" when it is not
}

// A PersonForm is what stands in the form of a person.
type PersonForm struct {
	Action  string // "/people", or "/people/anna"
	New     bool   // the id can still be chosen
	ID      string
	Name    string
	Mail    string
	Ways    []WayField // the other channels
	Sealing []Option   // what mail they get when nothing can be encrypted to them
	Speaks  []Option   // languages of calls
	Slack   string     // id in the workspace
	Zone    string
	Roles   []Option
	Gone    bool
	Read    string // says as what the person was read that the form was filled with
	Open    bool   // shown open, because it comes back with errors
}

// A WayField is the address of one channel in the form of a person.
type WayField struct {
	Key     string // name of the field
	Word    string // what the address is
	Like    string // what one looks like
	Private string // how private the channel is
	Value   string
	Kept    bool // there is one that is shown to nobody: empty leaves it, and a tick drops it
}

// A SealsView is the keys and the PIN of a person. Posts to Action + "/key", "/key/find", "/key/confirm", "/key/remove" and "/pin".
type SealsView struct {
	Action  string // "/people/anna"
	Says    string // what mail they get as it stands
	Keys    []SealKey
	Find    string // the mail domain whose directory can be asked; "" is none
	Confirm bool   // may confirm and remove
	PIN     bool   // has one
	Call    string // how private a call is, and what the PIN does; "" when they have no phone
	Ours    string // the fingerprint of our key, for people to compare; "" is none
	Said    string // what became of a key that was just brought; "" is nothing
}

// A SealKey is a key or certificate of a person.
type SealKey struct {
	Form        string // "OpenPGP key", "certificate (S/MIME)"
	Fingerprint string // in groups of four
	Plain       string // the same without spaces
	Waits       bool   // for somebody to compare its fingerprint
	Says        string // what is wrong with it, when it ends
}

// PersonPage changes one person. GET /people/{id}; posts to the same path.
var PersonPage = page[PersonView]("person")

// PersonView is what PersonPage shows.
type PersonView struct {
	Frame
	Person Person
	Form   PersonForm
	Ways   WaysForm
	Seals  SealsView
	Invite string // where a new one-time sign-in link is asked for; "" when that is not offered
	Link   string // the one-time link just made, shown once

	Factors string   // the form's action that removes all they have but the password; "" is none
	Wish    LinkWish // an account of the provider that waits to be linked to them
}

// A LinkWish is an account of the provider that may be somebody's.
type LinkWish struct {
	Action  string // "" is none
	Subject string
	Says    string // "Boris Lang (7c1e) at https://login.shop.example"
}

// A PolicyForm is who is rung in which order.
type PolicyForm struct {
	Action   string // where it is posted
	Named    bool   // its name can be typed
	Name     string
	Says     []string // the policy in words, a line per step
	Steps    []PolicyStep
	Rounds   string
	Every    string // minutes
	Throttle string // minutes
	Attend   string // minutes
	Medium   bool
	Open     bool
}

// A PolicyStep is one row of the form; its fields are named who.N, by.N and wait.N with N from 0.
type PolicyStep struct {
	N       int
	Word    string   // "Step 1"
	Who     []Option // people and groups, several at once
	By      []Option // channels; none chosen is all
	Wait    string   // minutes
	Answers string   // wanted
}

// Answer is opened by the signed link of a call. It needs no sign-in, and so shows only severity, title and time.
// GET /answer/{token}; posts to the same path.
var Answer = page[AnswerView]("answer")

// AnswerView is what Answer shows.
type AnswerView struct {
	Frame
	Severity Severity
	Call     string // the incident's title
	More     string // "and 2 more incidents"
	Opened   Time
	To       string   // whose link it is: "Anna Keller"
	Rung     []string // "Anna Keller by mail, 2 min ago", only for who is signed in
	Action   string   // "" when there is nothing left to answer
	Pass     bool     // it can be passed on
	Says     string   // instead of the button: "Boris Lang answered 4 min ago."
}

// Answered says that a call was answered, and by whom. Answers POST /answer/{token}
var Answered = page[AnsweredView]("answered")

// AnsweredView is what Answered shows.
type AnsweredView struct {
	Frame
	Severity Severity
	Call     string
	You      bool   // this answer was the first
	Passed   bool   // the call rings on: it was passed on, or wants another answer
	Says     string // "You answered at 03:14:02. Nobody else is rung."
	Href     string // the incident
	Next     []string
}

// Setup makes the first person, or lets a new one choose a password, by a one-time link. GET and POST /setup/{token}
var Setup = page[SetupView]("setup")

// SetupView is what Setup shows.
type SetupView struct {
	Frame
	Action string
	Known  bool // name and id are given, only the password is chosen
	Name   string
	ID     string
	Mail   string
	Zone   string // as in Europe/Berlin
}

// SignIn asks who you are. GET and POST /sign-in
var SignIn = page[SignInView]("signin")

// SignInView is what SignIn shows.
type SignInView struct {
	Frame
	ID   string // typed before
	Next string // where to go afterwards: a path of ours

	Passkeys bool   // can be used at this address
	Provider string // where one may sign in elsewhere; "" is nowhere
	Wait     int    // seconds until the next try is looked at; 0 is none
}

// A PersonFields is the form of a person together with what was wrong with it.
type PersonFields struct {
	Form   PersonForm
	Errors Errors
}

// PersonForm returns the form that adds a person. What is wrong with the policy's form is not shown in it.
func (v PeopleView) PersonForm() PersonFields {
	if !v.Add.Open {
		return PersonFields{Form: v.Add}
	}
	return PersonFields{v.Add, v.Errors}
}

// PersonForm returns the form that changes the person.
func (v PersonView) PersonForm() PersonFields { return PersonFields{v.Form, v.Errors} }
