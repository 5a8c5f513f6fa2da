package client

import (
	"context"
	"fmt"
	"net/http"
)

// A ReportEvidence says which attachments of a report become evidence of its incident.
type ReportEvidence struct {
	Files      []int  `json:"files,omitempty"` // from 1 on; none is all
	Why        string `json:"why,omitempty"`
	Label      string `json:"label,omitempty"` // TLP; "" is that of the incident
	Passphrase string `json:"passphrase,omitempty"`
}

// BroughtEvidence is what became of it.
type BroughtEvidence struct {
	Incident int64         `json:"incident"`
	Files    []BroughtFile `json:"files"`
}

// A BroughtFile is an attachment of a report, and which attachment of the incident it is.
type BroughtFile struct {
	File       int   `json:"file"`
	Attachment int64 `json:"attachment"`
	Was        bool  `json:"was,omitempty"` // it was evidence already
}

// BringReportFiles makes attachments of a report evidence of its incident.
func (c *Client) BringReportFiles(ctx context.Context, id int64, x ReportEvidence, person string) (out BroughtEvidence, err error) {
	return out, c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/reports/%d/evidence", id), person), x, &out)
}
