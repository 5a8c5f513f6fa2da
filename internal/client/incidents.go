package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// An Incident is what people work on, in short.
type Incident struct {
	ID         int64     `json:"id"`
	Title      string    `json:"title"`
	Severity   string    `json:"severity"` // low, medium, high, critical
	Phase      string    `json:"phase"`
	Closed     bool      `json:"closed,omitempty"`
	Verdict    string    `json:"verdict,omitempty"` // of a closed one: true, false
	Person     string    `json:"person,omitempty"`  // staff id of who works on it
	Alerts     int       `json:"alerts"`
	Began      time.Time `json:"began"` // when the first thing in it was
	Opened     time.Time `json:"opened"`
	Last       time.Time `json:"last"` // when the last thing in it was
	Ended      time.Time `json:"ended,omitzero"`
	Call       int64     `json:"call,omitempty"` // the newest call for it
	Rings      bool      `json:"rings,omitempty"`
	Held       bool      `json:"held,omitempty"`       // its lines are kept beyond their time
	History    bool      `json:"history,omitempty"`    // it was over before watching began
	Restricted string    `json:"restricted,omitempty"` // insider, hr, legal: only the people who are named see it
	People     []string  `json:"people,omitempty"`     // who is named
	Merged     int64     `json:"merged,omitempty"`     // the incident that it is part of
	Label      string    `json:"label"`                // TLP, as it holds
	Scope      string    `json:"scope"`                // whom it touches: site-only, customers, unknown
}

// Incidents are some of them, worst first.
type Incidents struct {
	Incidents []Incident `json:"incidents"`
	All       int        `json:"all"` // that match, with those that are not in this answer
}

// A FullIncident is one with all that became of it.
type FullIncident struct {
	Incident
	Why      []string         `json:"why,omitempty"` // of its severity, in words
	Channels []string         `json:"not_used,omitempty"`
	Timeline []IncidentMoment `json:"timeline"` // oldest first; at most a thousand, the newest
	Roles    []HeldRole       `json:"roles"`
	AlertIDs []string         `json:"alert_ids"` // at most a thousand, the newest
}

// A IncidentMoment is one line of an incident's timeline.
type IncidentMoment struct {
	Entry    int64     `json:"entry"` // of the ledger
	At       time.Time `json:"at"`    // when it was
	Learned  time.Time `json:"learned"`
	Kind     string    `json:"kind"` // of the entry
	By       string    `json:"by"`
	From     string    `json:"from,omitempty"`
	To       string    `json:"to,omitempty"`
	Text     string    `json:"text,omitempty"`  // what a person wrote
	Alert    string    `json:"alert,omitempty"` // its id
	Severity []string  `json:"why,omitempty"`
}

// Opened is the number of an incident that was opened.
type Opened struct {
	ID int64 `json:"id"`
}

// A Telling opens an incident.
type Telling struct {
	Words string `json:"words" minLength:"1" maxLength:"10000" doc:"what happened; it rings as an incident of high severity until somebody says otherwise"`
}

// A Jotting is a note.
type Jotting struct {
	Note     string    `json:"note" minLength:"1" maxLength:"10000" doc:"what a person saw, did or decided"`
	Happened time.Time `json:"happened,omitzero" doc:"when it was; without it, now"`
}

// A Naming restricts an incident to named people.
type Naming struct {
	Kind   string   `json:"kind" enum:"insider,hr,legal" doc:"why: it is about one of ours, about personnel, or under legal privilege"`
	People []string `json:"people" minItems:"1" maxItems:"200" doc:"staff ids of all who shall see it, you among them"`
}

// A Reason says why.
type Reason struct {
	Why string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
}

// Incidents lists them: open, closed, or all. Errors: ErrNotRunning, or the server's words.
func (c *Client) Incidents(ctx context.Context, state, person string) (out Incidents, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/incidents?state="+url.QueryEscape(state), person), nil, &out)
}

// Incident returns one.
func (c *Client) Incident(ctx context.Context, id int64, person string) (out FullIncident, err error) {
	return out, c.do(ctx, http.MethodGet, as(fmt.Sprintf("/v1/incidents/%d", id), person), nil, &out)
}

// OpenIncident opens one, and returns its number.
func (c *Client) OpenIncident(ctx context.Context, words, person string) (out Opened, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/incidents", person), Telling{Words: words}, &out)
}

// Note writes a note into an incident.
func (c *Client) Note(ctx context.Context, id int64, x Jotting, person string) error {
	return c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/incidents/%d/note", id), person), x, nil)
}

// Restrict shows an incident to named people only.
func (c *Client) Restrict(ctx context.Context, id int64, x Naming, person string) error {
	return c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/incidents/%d/restrict", id), person), x, nil)
}

// Unrestrict shows it to everybody again, which needs a second person: its error is a Waiting then.
func (c *Client) Unrestrict(ctx context.Context, id int64, why, person string) error {
	return c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/incidents/%d/unrestrict", id), person), Reason{Why: why}, nil)
}
