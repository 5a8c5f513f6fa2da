package client

import (
	"context"
	"net/http"
)

// A Contact is one of the plan's list, in short.
type Contact struct {
	ID        int64    `json:"id"`
	Group     string   `json:"group"`
	Name      string   `json:"name"`
	Role      string   `json:"role,omitempty"`
	Of        string   `json:"organisation,omitempty"`
	Hours     string   `json:"hours,omitempty"`
	Zone      string   `json:"zone,omitempty"`
	Languages []string `json:"languages,omitempty"`
	Ways      []string `json:"ways"` // in the order in which to try them: "phone:+493012345 | switchboard"
	Checked   string   `json:"checked"`
	Due       string   `json:"due"`
	Overdue   bool     `json:"overdue,omitempty"`
}

// An Importing is a file of contacts, CSV or vCard.
type Importing struct {
	Person string `json:"-"`               // staff id of who does it; "" is whoever sits at this machine
	Group  string `json:"group,omitempty"` // of those who name none
	Data   string `json:"data"`
	Do     bool   `json:"do,omitempty"` // false only says what would change
}

// An ImportedContacts answer says what would change, or did.
type ImportedContacts struct {
	New     int             `json:"new"`
	Changed int             `json:"changed"`
	Same    int             `json:"same"`
	Refused int             `json:"refused"`
	Done    bool            `json:"done"`
	Rows    []ImportContact `json:"rows"`
}

// An ImportContact is what would become of one contact of a file.
type ImportContact struct {
	Line   int      `json:"line"`
	Name   string   `json:"name"`
	What   string   `json:"what"` // new, changed, same, refused
	Fields []string `json:"fields,omitempty"`
	Wrong  []string `json:"wrong,omitempty"`
}

// Contacts returns the contact list. Errors: ErrNotRunning, or the server's words.
func (c *Client) Contacts(ctx context.Context, person string) (out []Contact, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/contacts", person), nil, &out)
}

// ImportContacts says what a file would change, or does it.
func (c *Client) ImportContacts(ctx context.Context, x Importing) (out ImportedContacts, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/contacts/import", x.Person), x, &out)
}

// An Exported file is text: CSV, vCards, or the emergency card.
type Exported struct {
	Data string `json:"data"`
}

// ExportContacts writes the list as csv, vcard, or card. Phrases and customer numbers are in it only when secrets are asked for.
func (c *Client) ExportContacts(ctx context.Context, form string, secrets bool, person string) (out Exported, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/contacts/export", person), map[string]any{"form": form, "secrets": secrets}, &out)
}
