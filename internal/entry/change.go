package entry

import "time"

// Kinds of what a person is told of how they sign in, and are reached (OWASP ASVS 4.0.3, 2.2.3, 2.5.5 and 2.8.5).
const (
	CredentialReplayed Kind = "credential.replayed" // Replay
	ChangeWanted       Kind = "change.wanted"       // ChangeTry
	ChangeSent         Kind = "change.sent"         // NoticeResult, of which ID is 0
	ChangeFailed       Kind = "change.failed"       // NoticeResult, of which ID is 0
)

// Replay is a one-time code that somebody used again: it was refused.
type Replay struct {
	ID   string `json:"id"`            // of the person
	Kind string `json:"kind"`          // totp
	Net  string `json:"net,omitempty"` // keyed hash of the network it came from
}

// ChangeTry is the intent to tell a person of changes, written before the act.
type ChangeTry struct {
	Try     int      `json:"try"` // from 1, over all people
	Person  string   `json:"person"`
	Channel string   `json:"channel"`
	Message string   `json:"message"` // Message-ID, the same in every repeat of this try
	Vault   string   `json:"vault"`   // the contact whose address is told: the one before the changes, where addresses changed
	Through int64    `json:"through"` // number of the last entry that is told of
	Changes []Change `json:"changes"`
	More    int      `json:"more,omitempty"`  // further ones, that are only counted
	Again   int      `json:"again,omitempty"` // the failed try that this one repeats
	Twice   bool     `json:"twice,omitempty"` // the repeated one may have reached its goal all the same
}

// Change is one of them.
type Change struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`   // as entries name actors
	Kind Kind      `json:"kind"` // of the entry
	What string    `json:"what,omitempty"`
}
