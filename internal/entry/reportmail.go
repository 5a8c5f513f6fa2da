package entry

import "time"

// Kinds of what reporters who gave a mail address are told by mail. Intent, act, outcome: one that has no outcome is owed.
const (
	ReportMailWanted Kind = "report.mail.wanted" // ReportMail
	ReportMailSent   Kind = "report.mail.sent"   // ReportMailEnd
	ReportMailFailed Kind = "report.mail.failed" // ReportMailEnd
)

// ReportMail is a mail to a reporter. Its address and words are in a vault object, which is destroyed when the mail has gone.
type ReportMail struct {
	Report  int64  `json:"report"`
	N       int    `json:"n"`       // of the message in the thread that it brings
	Vault   string `json:"vault"`   // address, subject, body
	Message string `json:"message"` // left side of its Message-ID
}

// ReportMailEnd is what became of it.
type ReportMailEnd struct {
	Report int64     `json:"report"`
	N      int       `json:"n"`
	Twice  bool      `json:"twice,omitempty"`  // it may have been sent before
	Again  time.Time `json:"again,omitzero"`   // of failed: when it is tried again; zero is never
	Text   string    `json:"text,omitempty"`   // vault object: why it failed
	Unread bool      `json:"unread,omitempty"` // of failed: it could not be read here, so nobody was asked to carry it
}
