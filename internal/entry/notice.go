package entry

import "time"

// Notice is a wish to be told of sign-ins.
type Notice struct {
	ID      int64    `json:"id"`
	Person  string   `json:"person"`            // who is told
	Channel string   `json:"channel"`           // mail, webhook
	Realms  []string `json:"realms,omitempty"`  // of accounts: ssh, ftp, admin, ...; none is every realm
	Account string   `json:"account,omitempty"` // keyed hash of one account's name; "" is every account
	Vault   string   `json:"vault,omitempty"`   // that name
	Mode    string   `json:"mode"`              // each, digest, new
	Hour    int      `json:"hour,omitempty"`    // of a digest: 0 to 23, in the person's zone
	New     []string `json:"new,omitempty"`     // of mode new: address, country, hour
	After   int64    `json:"after"`             // archive number of the last line when it was asked for: told is what comes after
}

// NoticeEnd ends it.
type NoticeEnd struct {
	ID int64 `json:"id"`
}

// NoticeTry is the intent to tell of some sign-ins, written before the act. Who signed in, and from where, is in the vault object.
type NoticeTry struct {
	ID       int64  `json:"id"`  // of the wish
	Try      int    `json:"try"` // from 1, over all that was told of it
	Person   string `json:"person"`
	Channel  string `json:"channel"`
	Message  string `json:"message"`            // Message-ID, the same in every repeat of this try
	Count    int64  `json:"count,omitempty"`    // sign-ins; none in a test
	Accounts int    `json:"accounts,omitempty"` // of so many accounts, at least
	Through  int64  `json:"through,omitempty"`  // archive number of the last of them: what comes up to it is told
	Text     string `json:"text"`               // vault object
	Test     bool   `json:"test,omitempty"`
	Again    int    `json:"again,omitempty"` // the failed try that this one repeats
	Twice    bool   `json:"twice,omitempty"` // the repeated one may have reached its goal all the same
}

// NoticeResult is what became of it.
type NoticeResult struct {
	ID        int64         `json:"id"`
	Try       int           `json:"try"`
	Twice     bool          `json:"twice,omitempty"`     // the program had stopped between act and entry: possibly sent twice
	Temporary bool          `json:"temporary,omitempty"` // of a failure: worth another try
	Uncertain bool          `json:"uncertain,omitempty"` // of a failure: it broke off when the other side may already have had the message
	After     time.Duration `json:"after_ns,omitempty"`  // the other side asked to wait so long
	Text      string        `json:"text,omitempty"`      // vault object: the other side's words
	Form      string        `json:"form,omitempty"`      // how the mail was protected: openpgp, smime, signed, clear
	Less      bool          `json:"less,omitempty"`      // it had less protection, or fewer details, than was asked for
	Why       string        `json:"why,omitempty"`       // of a failure: bounced
}
