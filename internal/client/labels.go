package client

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A ThingLabel says to whom an incident, or a thing in it, may be told.
type ThingLabel struct {
	Incident int64     `json:"incident,omitzero"` // of which it is, when that is another one than asked for, which is part of it
	What     string    `json:"what"`              // "" is the incident; decision:3, attachment:1, statement, cause
	Label    string    `json:"label"`             // that holds
	Own      string    `json:"own,omitempty"`     // that it was given itself
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at,omitzero"`
	Why      string    `json:"why,omitempty"`
	Text     string    `json:"text,omitempty"` // its words
}

// Labels lists everything of an incident that can have a label.
func (c *Client) Labels(ctx context.Context, id int64, person string) (out []ThingLabel, err error) {
	return out, c.do(ctx, http.MethodGet, as(fmt.Sprintf("/v1/incidents/%d/labels", id), person), nil, &out)
}

// SetLabel labels an incident (what is ""), or a thing in it; the label "" takes the thing's own away.
func (c *Client) SetLabel(ctx context.Context, id int64, what, label, why, person string) error {
	return c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/incidents/%d/label", id), person), map[string]string{"what": what, "label": label, "why": why}, nil)
}
