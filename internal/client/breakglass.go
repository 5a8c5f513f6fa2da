package client

import (
	"context"
	"net/http"
	"time"
)

// A GlassSheet is one break-glass sheet.
type GlassSheet struct {
	Number int       `json:"number"`
	Made   time.Time `json:"made"`
	By     string    `json:"by"`
	State  string    `json:"state"` // sealed, used, replaced
	Used   time.Time `json:"used,omitzero"`
	Void   time.Time `json:"void,omitzero"` // when a newer set replaced it
}

// A PrintedSheet is what is printed for the safe, once.
type PrintedSheet struct {
	Number  int       `json:"number"`
	Code    string    `json:"code"`
	Address string    `json:"address"` // where it is typed
	Made    time.Time `json:"made"`
	By      string    `json:"by"`
}

// SheetCount is how many sheets to make.
type SheetCount struct {
	Count int `json:"count" minimum:"1" maximum:"20" doc:"how many; they replace all that are sealed now"`
}

// Sheets lists the break-glass sheets. Errors: ErrNotRunning, or the server's words.
func (c *Client) Sheets(ctx context.Context, person string) (out []GlassSheet, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/break-glass", person), nil, &out)
}

// MakeSheets makes sheets, and returns what is to be printed: it is the only time. Its error is a Waiting until a second person has approved.
func (c *Client) MakeSheets(ctx context.Context, count int, person string) (out []PrintedSheet, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/break-glass", person), SheetCount{Count: count}, &out)
}
