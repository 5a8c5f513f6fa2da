package ui

import "strings"

// Me is how the reader signs in: passkeys, authenticator, recovery codes, password, sessions, tokens. GET /me; the posts below it show it again
// with what was wrong, or with what is shown once.
var Me = page[MeView]("me")

// MeView is what Me shows.
type MeView struct {
	Frame
	Weak     string // what is not safe enough about it; "" is nothing
	Told     string // how the reader is told of changes here
	NoKeys   string // why there can be no passkeys here; "": there can
	Passkeys []WayIn
	KeyName  string // typed before
	App      *WayIn // nil: none
	Recovery int    // codes that are left
	Recover  bool   // codes can be made: there is a second factor
	Codes    []string
	Password bool    // there is one
	Accounts []WayIn // accounts of the provider
	Provider string  // its name; "": there is none
	Sessions []SessionRow
	Tokens   []ProgramToken
	Token    string // shown once
	Scopes   []Option
	TokenFor string // its name, typed before
	Days     string
	Glass    string // "/break-glass" for those who keep the team
}

// A WayIn is one passkey, app or account.
type WayIn struct {
	ID     string
	Name   string
	Made   Time
	Last   Time // its last use
	Says   string
	Warn   string
	Remove string // the form's action
}

// A SessionRow is a browser in which the reader is signed in.
type SessionRow struct {
	ID     string
	Device string // "Firefox on Linux"
	Net    string // "203.0.113.0/24"
	How    string // "by a passkey"
	Since  Time
	Seen   Time
	Here   bool   // this browser
	End    string // the form's action
}

// A ProgramToken is a token for programs.
type ProgramToken struct {
	ID      string
	Name    string
	May     string // "see, note"
	Made    Time
	Expires Time
	Last    string // "2026-11-27", or "never"
	Revoke  string
}

// App asks to scan the secret of an authenticator app and to prove it by a code. The answer to POST /me/app and POST /me/app/confirm
var App = page[AppView]("app")

// AppView is what App shows.
type AppView struct {
	Frame
	Ceremony string
	Size     int    // of the drawing, in modules
	Path     Stroke // of the drawing
	Secret   string // as text, in groups
	Account  string
}

// StepUp asks to prove once more who it is. GET and POST /step-up, and the answer to a form that asks for it.
var StepUp = page[StepUpView]("stepup")

// StepUpView is what StepUp shows.
type StepUpView struct {
	Frame
	Why      string // what it is asked for
	Passkey  bool
	Code     bool // an app, or recovery codes
	Password bool
	Provider string   // sign in there again; "" is no way
	Fields   []Option // hidden: what the form that asked for it held
	Next     string
	Wait     int
}

// Glass asks for a code from the safe. GET and POST /sign-in/break-glass
var Glass = page[GlassView]("glass")

// GlassView is what Glass shows.
type GlassView struct {
	Frame
	Wait int
}

// Sheets lists the break-glass sheets, and shows new ones once, to be printed. GET and POST /break-glass
var Sheets = page[SheetsView]("sheets")

// SheetsView is what Sheets shows.
type SheetsView struct {
	Frame
	New    []PrintedSheet
	Sheets []SheetRow
	Count  string // typed before
}

// A PrintedSheet is a sheet as it goes into the safe.
type PrintedSheet struct {
	Number  int
	Code    string
	Address string
	Made    Time
	By      string
}

// A SheetRow is a sheet without its code.
type SheetRow struct {
	Number int
	State  State
	Made   Time
	By     string
	Ended  Time // used, or replaced
}

// A Stroke is the path of a drawing (SVG 2, 9.3: the letters of its commands, numbers).
type Stroke string

// D is the stroke, or nothing when it holds what no path does.
func (s Stroke) D() string {
	if strings.Trim(string(s), "MmLlHhVvZz0123456789 .,-") != "" || s == "" || s[0] != 'M' {
		return ""
	}
	return string(s)
}
