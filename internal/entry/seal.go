package entry

import "time"

// Key is a public key or certificate that was brought for a person. It is a candidate, and nothing is encrypted to it, until somebody who compared its
// fingerprint confirms it; Keep says that it is a newer copy of the one that was confirmed, and takes its place.
type Key struct {
	Person      string `json:"person"`
	Form        string `json:"form"`        // openpgp, smime
	Fingerprint string `json:"fingerprint"` // upper-case hexadecimal digits: of the key (RFC 9580), or SHA-256 of the certificate
	Vault       string `json:"vault"`       // the key itself, which names its owner
	Found       string `json:"found"`       // upload, wkd
	Keep        bool   `json:"keep,omitempty"`
	Issued      bool   `json:"issued,omitempty"` // a certificate of an authority that the settings name: it is used without a comparison
}

// MailKey is a key of our own for mail, by its fingerprint. Before is the one whose place it takes.
type MailKey struct {
	Fingerprint string    `json:"fingerprint"`
	Expires     time.Time `json:"expires,omitzero"`
	Before      string    `json:"before,omitempty"`
	Text        string    `json:"text,omitempty"` // vault object with the reason
}

// MailKeyEnd says that a key of our own was revoked: others are told so.
type MailKeyEnd struct {
	Fingerprint string `json:"fingerprint"`
	Compromised bool   `json:"compromised,omitempty"` // somebody else may have it
	Text        string `json:"text,omitempty"`        // vault object with the reason
}

// KeyCheck says that somebody compared a fingerprint with its owner: mail is encrypted to that key from now on, and to no other.
type KeyCheck struct {
	Person      string `json:"person"`
	Fingerprint string `json:"fingerprint"`
}

// KeyEnd says that a key is used no more, or that a candidate was refused.
type KeyEnd struct {
	Person      string `json:"person"`
	Fingerprint string `json:"fingerprint"`
	Text        string `json:"text,omitempty"` // vault object with the reason
}

// PIN says that a person's PIN for calls changed.
type PIN struct {
	ID    string `json:"id"`
	Vault string `json:"vault,omitempty"` // the argon2id string; "" is none any more
}
