package entry

import "time"

// Credential is a way to sign in that a person got or lost. What proves it (public keys, hashes, an app's secret) and what its owner calls it
// are in the vault: each entry names the object with all that the person has from then on.
type Credential struct {
	ID    string `json:"id"`            // the person
	Kind  string `json:"kind"`          // passkey, totp, recovery, oidc, all
	Key   string `json:"key,omitempty"` // which one, of passkeys
	Vault string `json:"vault"`
	Left  int    `json:"left,omitempty"` // of recovery codes, when one was used
	Used  bool   `json:"used,omitempty"` // a recovery code went because it was used
}

// Token is a token for programs that was made or revoked. Its name and its hash are in the vault object.
type Token struct {
	ID      string    `json:"id"` // of the token
	Person  string    `json:"person"`
	Scope   []string  `json:"scope,omitempty"` // what it may do, of what its owner may
	Expires time.Time `json:"expires,omitzero"`
	Vault   string    `json:"vault"`
}

// Invitation is a one-time link by which a person can choose a password. Who made it has seen it.
type Invitation struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"`
}

// SessionEnd is sessions of a person that somebody ended.
type SessionEnd struct {
	Person  string `json:"person"`
	Session string `json:"session,omitempty"` // which; "" is all but the one of who ended them
	Count   int    `json:"count"`
}

// Glass is a set of break-glass sheets, which replaces the one before. The hashes are in the vault object.
type Glass struct {
	First int    `json:"first"` // number of the first sheet
	Count int    `json:"count"`
	Vault string `json:"vault"`
}

// GlassUse is a sheet that was used. Everybody is rung for it.
type GlassUse struct {
	Sheet   int       `json:"sheet"`
	Person  string    `json:"person"` // "break-glass:3"
	Net     string    `json:"net,omitempty"`
	Session string    `json:"session,omitempty"`
	Until   time.Time `json:"until"`
	Vault   string    `json:"vault"`
}
