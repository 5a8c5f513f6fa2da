package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// A Webhook is a program that is told what happens, as `webhooks list --json` prints it.
type Webhook struct {
	Name      string    `json:"name"`
	Host      string    `json:"host"`
	What      []string  `json:"what,omitempty"` // none is incidents and calls
	Severity  string    `json:"severity,omitempty"`
	State     string    `json:"state"` // works, fails, off, waits
	Since     time.Time `json:"since,omitzero"`
	Why       string    `json:"why,omitempty"`
	Delivered int64     `json:"delivered"`
	Failed    int64     `json:"failed"` // tries
	Last      time.Time `json:"last,omitzero"`
	Behind    int64     `json:"behind"` // entries of the ledger that were not looked at for it
	Next      time.Time `json:"next,omitzero"`
}

// A WebhookList is all of them.
type WebhookList struct {
	Webhooks []Webhook `json:"webhooks"`
}

// Webhooks lists them. Errors: ErrNotRunning, or the server's words.
func (c *Client) Webhooks(ctx context.Context) (out WebhookList, err error) {
	return out, c.do(ctx, http.MethodGet, "/v1/webhooks", nil, &out)
}

// TestWebhook sends one a test. Its error says why it was not taken.
func (c *Client) TestWebhook(ctx context.Context, name, person string) error {
	return c.do(ctx, http.MethodPost, as("/v1/webhooks/"+url.PathEscape(name)+"/test", person), nil, nil)
}
