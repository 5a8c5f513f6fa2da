package ui

// Webhooks lists the programs that are told what happens. GET /webhooks; each test posts to its own path.
var Webhooks = page[WebhooksView]("webhooks")

// WebhooksView is what Webhooks shows.
type WebhooksView struct {
	Frame
	May      bool // the reader may test them
	Webhooks []WebhookRow
}

// A WebhookRow is one program.
type WebhookRow struct {
	Name  string
	Host  Text // of its address; the rest may be a secret
	What  string
	State State
	Told  string
	Last  Time
	Next  Time   // when it is tried again; zero when that is not known
	Why   Text   // what went wrong last
	Mend  string // what happens next, or what to do
	Test  string // where the button posts to
}
