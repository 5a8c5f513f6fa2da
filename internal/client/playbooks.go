package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// A Playbook is one of the plan, as lists show it.
type Playbook struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	Summary   string    `json:"summary"`
	Owner     string    `json:"owner"`
	Revision  string    `json:"revision"` // SHA-256 of its bytes: what a change names as the one before
	From      string    `json:"from"`     // shipped, console, file, cacao
	By        string    `json:"by,omitempty"`
	Approver  string    `json:"approver,omitempty"`
	Changed   time.Time `json:"changed"`
	Revisions int       `json:"revisions"`
	Retired   bool      `json:"retired,omitempty"`
	Offered   string    `json:"offered,omitempty"` // revision that came with the program and was not taken
	Waits     int64     `json:"waits,omitempty"`   // approval under which a change waits
}

// A PlaybookFile is a playbook with its text.
type PlaybookFile struct {
	Playbook
	Text    string             `json:"text"`
	History []PlaybookRevision `json:"history"` // newest first
}

// A PlaybookRevision is one change of a playbook.
type PlaybookRevision struct {
	Revision string    `json:"revision"`
	At       time.Time `json:"at"`
	From     string    `json:"from"`
	By       string    `json:"by,omitempty"`
	Approver string    `json:"approver,omitempty"`
	Why      string    `json:"why"`
}

// A PlaybookChange is a new text of a playbook.
type PlaybookChange struct {
	Text   string `json:"text" minLength:"1" maxLength:"524288" doc:"the playbook, as YAML"`
	Before string `json:"before,omitempty" maxLength:"64" doc:"the revision that was changed; empty is a new playbook"`
	Why    string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
}

// A ForeignPlaybook is a file of CACAO 2.0.
type ForeignPlaybook struct {
	Source string `json:"source" minLength:"1" maxLength:"524288" doc:"the file, JSON"`
	Why    string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
}

// A TakenOver is a foreign playbook that was taken over.
type TakenOver struct {
	ID    string   `json:"id"`
	Says  []string `json:"says"`            // what was taken over otherwise than it is written
	Waits int64    `json:"waits,omitempty"` // approval under which it waits
}

// A PlaybookFinding is something about a playbook, with its place.
type PlaybookFinding struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Says    string `json:"says"`
	Warning bool   `json:"warning,omitempty"`
}

// A PlaybookText is one to be checked.
type PlaybookText struct {
	Text string `json:"text" maxLength:"524288"`
}

// A PlaybookDifference is one row of the differences of two revisions.
type PlaybookDifference struct {
	Kind   string           `json:"kind"` // added, removed, moved, changed
	Of     string           `json:"of"`   // playbook, fact, step
	ID     string           `json:"id,omitempty"`
	What   string           `json:"what"`
	Fields []PlaybookFields `json:"fields,omitempty"`
}

// PlaybookFields is a field that changed.
type PlaybookFields struct {
	Name string `json:"name"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// An ExportedPlaybook is one as CACAO 2.0.
type ExportedPlaybook struct {
	Source string   `json:"source"`
	Says   []string `json:"says"` // what the file cannot say
}

// Playbooks lists those of the plan.
func (c *Client) Playbooks(ctx context.Context, person string) (out []Playbook, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/playbooks", person), nil, &out)
}

// Playbook returns one with its text.
func (c *Client) Playbook(ctx context.Context, id, person string) (out PlaybookFile, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/playbooks/"+url.PathEscape(id), person), nil, &out)
}

// PutPlaybook changes one. A second person may have to approve: its error is a Waiting then.
func (c *Client) PutPlaybook(ctx context.Context, x PlaybookChange, person string) error {
	return c.do(ctx, http.MethodPost, as("/v1/playbooks", person), x, nil)
}

// ExportPlaybook returns one as CACAO 2.0.
func (c *Client) ExportPlaybook(ctx context.Context, id, person string) (out ExportedPlaybook, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/playbooks/"+url.PathEscape(id)+"/cacao", person), nil, &out)
}

// ImportPlaybook takes a file of CACAO 2.0 over.
func (c *Client) ImportPlaybook(ctx context.Context, x ForeignPlaybook, person string) (out TakenOver, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/playbooks/cacao", person), x, &out)
}

// A PrintedPlan is the whole plan as one file.
type PrintedPlan struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Bytes []byte `json:"bytes" doc:"base64"`
}

// PrintPlan writes the whole plan as pdf, html or md, with times in the zone; "" is UTC.
func (c *Client) PrintPlan(ctx context.Context, format, zone, person string) (out PrintedPlan, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/plan/print?"+url.Values{"format": {format}, "zone": {zone}}.Encode(), person), nil, &out)
}
