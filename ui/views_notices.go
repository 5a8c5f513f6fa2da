package ui

// Notices lists who is told of which sign-ins, with the form that asks for more. GET and POST /notices; posts to /notices/{id}/remove
// and /notices/{id}/test.
var Notices = page[NoticesView]("notices")

// NoticesView is what Notices shows.
type NoticesView struct {
	Frame
	Mine   []Notice
	Others []Notice // of other people, shown to who keeps the team
	Form   NoticeForm
	Forgot string // "20 accounts were forgotten, ...", or ""
}

// A Notice is a wish to be told of sign-ins.
type Notice struct {
	ID      string
	Who     string // whom it tells: "Anna Keller"
	Says    string // "each sign-in by SSH or FTP, by mail"
	Account Text   // of one account only; nil is all
	State   State  // of the last message: "sent", "failed", "nothing told yet"
	At      Time
	Detail  string // the other side's words, or what the last message told
	Waits   string // "3 sign-ins wait, until 18:00", or ""
	Told    string // "41 sign-ins told since 3 Nov"
	Remove  string // where it is removed; "" when the reader may not
	Test    string // and where a test is asked for
	Send    string // the word on its button: "Send me one now"
	Tries   []Try  // newest first
}

// A NoticeForm is what stands in the form of a notice.
type NoticeForm struct {
	People  []Option // whom; one when the reader may ask for themselves only
	Ways    []Option // mail, webhook
	Realms  []Option
	Account string
	Modes   []Option
	Hours   []Option
	New     []Option
	Open    bool
}

// NoticeFields is the form together with what was wrong with it.
type NoticeFields struct {
	Form   NoticeForm
	Errors Errors
}

// Fields returns the form with its errors.
func (v NoticesView) Fields() NoticeFields { return NoticeFields{v.Form, v.Errors} }
