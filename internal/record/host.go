package record

import "time"

// What agent and hub say to each other as JSON. doc/formats/agent.md has every field.

// A JoinRequest asks for the first certificate, a renewal (without token and name) for the next.
type JoinRequest struct {
	Secret  string `json:"secret,omitempty"` // of the token, in base32
	Name    string `json:"name,omitempty"`   // that the host wants to be called
	Request []byte `json:"request"`          // PKCS #10, DER: its key and its proof of having it; nothing else of it counts
}

// An Admission is the answer to both.
type Admission struct {
	Agent       string `json:"agent"`       // its id, for ever
	Name        string `json:"name"`        // what its lines are called by
	Certificate []byte `json:"certificate"` // DER
	Ledger      string `json:"ledger"`      // public key of the server's ledger, as text; "" when it has none
	Server      string `json:"server"`      // version
	RenewAfter  int64  `json:"renew_after"` // seconds of its life after which it is to be renewed
}

// A SentReceipt says that a batch is kept, with fsync.
type SentReceipt struct {
	Boot   string `json:"boot"`
	Number uint64 `json:"number"`
	Sum    string `json:"sha256"` // hex, of the payload
	First  int64  `json:"first"`  // numbers of the lines in the archive; last < first when it has none
	Last   int64  `json:"last"`
}

// Receipts answer batches: one for each that was taken, in order. When one was refused, the rest was not looked at.
type Receipts struct {
	Receipts []SentReceipt `json:"receipts"`
	Refused  Reason        `json:"refused,omitempty"`
	Why      string        `json:"why,omitempty"`
	Newest   *SentReceipt  `json:"newest,omitempty"` // the last batch that the server has of this agent, when it refused one
}

// A Reason is why a hub refused something.
type Reason string

// Why a hub refuses. Busy means: again later; all others: not like this.
const (
	Garbage   Reason = "garbage"   // no frame, no zstd, no batch
	Oversize  Reason = "oversize"  // beyond a limit
	Changed   Reason = "changed"   // a hash does not fit
	Replayed  Reason = "replayed"  // it came before
	Reordered Reason = "reordered" // one before it is missing
	Conflict  Reason = "conflict"  // its number came before with other content
	Files     Reason = "files"     // the agent names more files than one host has
	Busy      Reason = "busy"      // the hub has no room for it now
	Unkept    Reason = "unkept"    // the archive does not take it now
	Revoked   Reason = "revoked"   // the agent is not to be heard any more
	Unknown   Reason = "unknown"   // no certificate, or of an agent that never joined
	BadToken  Reason = "token"     // a token that is wrong, used or too old
	Request   Reason = "request"   // a request for a certificate, or a state, that cannot be read
)

// A SignedHead is the newest head of the server's ledger, and the proof that it extends the one that the agent has.
type SignedHead struct {
	Head  string   `json:"head"`
	Proof [][]byte `json:"proof"` // hashes of RFC 6962, 2.1.2
}

// A Host is what an agent says of the machine it runs on. Everything in it is hostile text.
type Host struct {
	At       time.Time  `json:"at"` // by the agent's clock
	Version  string     `json:"version"`
	System   string     `json:"system"` // "Debian GNU/Linux 12 (bookworm)"
	Kernel   string     `json:"kernel"`
	Arch     string     `json:"arch"`
	Booted   time.Time  `json:"booted"`
	Updates  Updates    `json:"updates"`
	Ports    []Port     `json:"ports,omitempty"`
	Software []Software `json:"software,omitempty"`
	Disks    []Disk     `json:"disks,omitempty"`
	Clock    Clock      `json:"clock"`
	Spool    Spool      `json:"spool"`
	Sources  []Feed     `json:"sources,omitempty"`
	Gaps     []Gap      `json:"gaps,omitempty"`
	Head     int64      `json:"head"` // entries of the newest ledger head that it keeps
}

// Updates are packages that wait for an update that mends a security fault.
type Updates struct {
	Known    bool     `json:"known"`
	Why      string   `json:"why,omitempty"` // when they are not known
	Security []string `json:"security,omitempty"`
	All      int      `json:"all"`
}

// A Port is one that somebody listens on.
type Port struct {
	Protocol string `json:"protocol"` // tcp, udp
	Address  string `json:"address"`
	Port     int    `json:"port"`
	Program  string `json:"program,omitempty"` // as far as the agent may see it
}

// Software is a server, database or shop that was found.
type Software struct {
	Kind    string `json:"kind"` // web, php, shop, database
	Name    string `json:"name"`
	Version string `json:"version"` // "" when it does not tell
	Path    string `json:"path"`
}

// A Disk is a file system that something is kept on.
type Disk struct {
	Path  string `json:"path"`
	Bytes uint64 `json:"bytes"`
	Free  uint64 `json:"free"`
}

// A Clock is how far the host's clock is off, measured against the server.
type Clock struct {
	Known  bool          `json:"known"`
	Offset time.Duration `json:"offset"` // what is to be added to the host's time to get the server's, nanoseconds
	Within time.Duration `json:"within"` // half the shortest round trip: the error is no greater
}

// A Spool is what waits to be sent.
type Spool struct {
	Bytes   int64     `json:"bytes"`
	Limit   int64     `json:"limit"`
	Batches int64     `json:"batches"`
	Full    time.Time `json:"full,omitzero"` // since when it takes nothing more
}

// A Feed is a file, journal or port that lines come from.
type Feed struct {
	Path    string    `json:"path"`
	Pattern string    `json:"pattern,omitempty"` // the setting that found it, when that is not the path
	State   string    `json:"state"`
	Why     string    `json:"why,omitempty"`
	Lines   int64     `json:"lines"`
	Lag     int64     `json:"lag"`
	Last    time.Time `json:"last,omitzero"`
	Gaps    int       `json:"gaps,omitempty"`
}

// A Gap is lines that are lost, with its bounds: bytes of one file, or numbers of batches that the server has lost again.
type Gap struct {
	File  string    `json:"file"`
	Print string    `json:"print,omitempty"` // SHA-256 of its first bytes, hex
	From  int64     `json:"from"`            // first byte, or number, that is missing
	To    int64     `json:"to"`              // first that is not; 0 when nobody knows
	Since time.Time `json:"since"`           // the loss fell between these times
	Until time.Time `json:"until"`
	Why   string    `json:"why"`
}
