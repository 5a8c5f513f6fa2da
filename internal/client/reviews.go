package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// A PlanPart is a part of the plan, and when it is to be reviewed.
type PlanPart struct {
	ID         string    `json:"id"` // playbook:skimmer, roles, contacts, letters, schedules, rules, glossary
	Title      string    `json:"title"`
	Owner      string    `json:"owner,omitempty"` // staff id of who is named
	Role       string    `json:"role,omitempty"`  // that keeps it right where nobody is named
	Keepers    []string  `json:"keepers"`         // staff ids
	Due        time.Time `json:"due"`
	Late       bool      `json:"late,omitempty"`
	Why        string    `json:"why"`
	Revision   string    `json:"revision"` // as it stands
	Approved   string    `json:"approved,omitempty"`
	ApprovedAt time.Time `json:"approved_at,omitzero"`
	ApprovedBy string    `json:"approved_by,omitempty"`
	ReadBy     []string  `json:"read_by"` // who read all of it as it stands, and waits for an approval
}

// A PlanPartText is a part with its sections.
type PlanPartText struct {
	PlanPart
	Sections []PlanSection `json:"sections"`
	Ticked   []string      `json:"ticked"` // that who asks has read

	Gone    []string             `json:"gone,omitempty"`    // names of sections that were there when it was approved last
	Changes []PlaybookDifference `json:"changes,omitempty"` // of a playbook, since it was approved last
}

// A PlanSection is a section of a part.
type PlanSection struct {
	Name  string   `json:"name"`
	Title string   `json:"title"`
	State string   `json:"state,omitempty"` // new, changed, same, since it was approved last
	Lines []string `json:"lines"`
}

// A PlanMeasure is what is done so that a gap is closed.
type PlanMeasure struct {
	ID       int64     `json:"id"`
	Incident int64     `json:"incident,omitempty"`
	Text     string    `json:"text"`
	Owner    string    `json:"owner"`
	Due      time.Time `json:"due"`
	Remind   int64     `json:"remind_hours,omitempty"` // before it is due
	State    string    `json:"state"`                  // open, done, verified, dropped
	Late     bool      `json:"late,omitempty"`
}

// An IncidentReview is the internal review of an incident.
type IncidentReview struct {
	Reviewed bool            `json:"reviewed"`
	Called   time.Time       `json:"called,omitzero"` // for when
	Chair    string          `json:"chair,omitempty"`
	Invited  []string        `json:"invited,omitempty"`
	Agenda   string          `json:"agenda"` // Markdown
	Meetings []ReviewMeeting `json:"meetings"`
}

// A ReviewMeeting is a review that took place.
type ReviewMeeting struct {
	At        time.Time `json:"at"`
	Attendees []string  `json:"attendees"`
	Minutes   string    `json:"minutes"`
	Gaps      []string  `json:"gaps,omitempty"`
}

// PlanParts returns the parts of the plan, what is due first in front.
func (c *Client) PlanParts(ctx context.Context, person string) (out []PlanPart, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/review/parts", person), nil, &out)
}

// PlanPart returns a part with its sections.
func (c *Client) PlanPart(ctx context.Context, id, person string) (out PlanPartText, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/review/parts/"+url.PathEscape(id), person), nil, &out)
}

// ReadPart says that a person has read sections of a part.
func (c *Client) ReadPart(ctx context.Context, id, revision, against string, sections []string, person string) error {
	return c.do(ctx, http.MethodPost, as("/v1/review/parts/"+url.PathEscape(id)+"/read", person), map[string]any{"revision": revision, "against": against, "sections": sections}, nil)
}

// ApprovePart approves of a part.
func (c *Client) ApprovePart(ctx context.Context, id, revision, person string) error {
	return c.do(ctx, http.MethodPost, as("/v1/review/parts/"+url.PathEscape(id)+"/approve", person), map[string]string{"revision": revision}, nil)
}

// AllMeasures returns the measures of every incident, and of none.
func (c *Client) AllMeasures(ctx context.Context, person string) (out []PlanMeasure, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/measures", person), nil, &out)
}

// StepMeasure says of a measure that it is done, verified, reopened or dropped.
func (c *Client) StepMeasure(ctx context.Context, number int64, step, text, person string) error {
	return c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/measures/%d/step", number), person), map[string]string{"step": step, "text": text}, nil)
}
