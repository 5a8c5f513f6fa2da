package client

// A ReviewCalendar is when the internal review of an incident is held.
type ReviewCalendar struct {
	Calendar string `json:"calendar" doc:"iCalendar (RFC 5545)"`
}
