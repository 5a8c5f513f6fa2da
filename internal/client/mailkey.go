package client

import (
	"context"
	"net/http"
	"time"
)

// A MailKey is our own OpenPGP key for mail, as `mail key --json` prints it.
type MailKey struct {
	Address     string        `json:"address"`
	Fingerprint string        `json:"fingerprint"` // in groups of four
	Expires     time.Time     `json:"expires,omitzero"`
	Warning     string        `json:"warning,omitempty"` // that it ends soon
	Armoured    string        `json:"armoured"`          // the public key, for others
	Past        []PastMailKey `json:"past,omitempty"`    // those before, the oldest first
}

// A PastMailKey is one that is not used any more.
type PastMailKey struct {
	Fingerprint string    `json:"fingerprint"`
	Ended       time.Time `json:"ended"`
	Revoked     bool      `json:"revoked,omitempty"`
}

// MailKey returns our key for mail. Errors: ErrNotRunning, or the server's words.
func (c *Client) MailKey(ctx context.Context) (out MailKey, err error) {
	return out, c.do(ctx, http.MethodGet, "/v1/mail/key", nil, &out)
}

// RenewMailKey makes the next key for mail, and returns it.
func (c *Client) RenewMailKey(ctx context.Context, why, person string) (out MailKey, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/mail/key/renew", person), map[string]any{"reason": why}, &out)
}

// RevokeMailKey revokes the key for mail, and returns the new one. compromised says that somebody else may have the old one.
func (c *Client) RevokeMailKey(ctx context.Context, why string, compromised bool, person string) (out MailKey, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/mail/key/revoke", person), map[string]any{"reason": why, "compromised": compromised}, &out)
}

// MailKeyRevocation returns the certificate that revokes the key for mail, in armour.
func (c *Client) MailKeyRevocation(ctx context.Context, person string) (string, error) {
	var out struct {
		Revocation string `json:"revocation"`
	}
	err := c.do(ctx, http.MethodPost, as("/v1/mail/key/revocation", person), nil, &out)
	return out.Revocation, err
}

// PutKey brings a public key or certificate for somebody, as its file has it, and returns what becomes of it.
func (c *Client) PutKey(ctx context.Context, owner string, upload []byte, person string) (string, error) {
	var out struct {
		Says string `json:"says"`
	}
	err := c.do(ctx, http.MethodPost, as("/v1/mail/keys", person), map[string]any{"owner": owner, "upload": upload}, &out)
	return out.Says, err
}
