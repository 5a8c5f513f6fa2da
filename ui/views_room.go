package ui

// Room is the war room: an audio conference. GET /incidents/{id}/room for who is signed in, GET /room for guests, whose code stands
// behind the # of their link, where only the page's script sees it. The script posts to the routes below RoomView.Base.
var Room = page[RoomView]("room")

// RoomView is what Room shows before its script has joined.
type RoomView struct {
	Frame
	Incident string // its title; "" for guests, who learn nothing of it before they are in
	Href     string // the incident; "" for guests
	Base     string // where the routes of package room are mounted: "/room"
	Code     string // of the reader's own ticket; "" for guests
	Phone    string // what to do without a browser: "Call +49 30 1234 and ask for incident 12."; "" says to ask whoever invited
	Insecure string // why the browser gives no microphone here; "" when it does
	Closed   string // why there is no room for the reader, in a sentence; "" when there is
	Invite   Invite // zero: the reader may invite nobody
}

// An Invite is the form that makes a link for a guest. It posts name (id invite-name) and hours (id invite-hours).
type Invite struct {
	Action string
	Name   string   // typed before
	Hours  []Option // how long the link is good for
	Link   string   // the link just made, shown once
	For    string   // whom it is for
}

// Scripts names what the page runs besides app.js.
func (v RoomView) Scripts() []string {
	if v.Closed != "" {
		return nil
	}
	return []string{"room.js"}
}

// Styles names the sheets that the page has besides everybody's.
func (v RoomView) Styles() []string { return []string{"room.css"} }
