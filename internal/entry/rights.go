package entry

import "time"

// IncidentRole is a role in one incident that somebody took, was given, handed on or left.
type IncidentRole struct {
	ID     int64  `json:"id"`               // the incident
	Role   string `json:"role"`             // one of the response team's
	Person string `json:"person"`           // who has it from then on; of one that is left, who had it
	Deputy bool   `json:"deputy,omitempty"` // as a deputy, not as the holder
	From   string `json:"from,omitempty"`   // of a hand-over: who had it until then
	Text   string `json:"text,omitempty"`   // vault object: the note that is handed over
}

// Restriction says that an incident is for named people only. Once more with others, it changes who they are.
type Restriction struct {
	ID     int64    `json:"id"`
	Kind   string   `json:"kind"` // insider, hr, legal
	People []string `json:"people"`
}

// RestrictionEnd says that everybody may see the incident again.
type RestrictionEnd struct {
	ID       int64  `json:"id"`
	Approval int64  `json:"approval,omitempty"` // the one by which it was lifted
	Text     string `json:"text,omitempty"`     // vault object: the reason
}

// Approval is something that somebody wants done and that needs a second person.
type Approval struct {
	ID       int64     `json:"id"`
	Action   string    `json:"action"`        // of the table in package auth
	Person   string    `json:"person"`        // who asks
	Via      string    `json:"via,omitempty"` // her session or token
	About    string    `json:"about"`         // what it is about: incident:4, alert:..., person:anna
	Incident int64     `json:"incident,omitempty"`
	Vault    string    `json:"vault"`           // what was asked, and why
	Hash     string    `json:"hash"`            // keyed hash of that
	Until    time.Time `json:"until"`           // when it expires
	Alone    bool      `json:"alone,omitempty"` // nobody else could approve when it was asked: it passes at Due unless somebody denies it
	Due      time.Time `json:"due,omitzero"`
}

// Approved is a decision on an approval, or its end by time.
type Approved struct {
	ID     int64  `json:"id"`
	Person string `json:"person,omitempty"` // who decided; "" of one that expired or passed alone
	Via    string `json:"via,omitempty"`
	Hash   string `json:"hash,omitempty"`  // of what was approved, as the person saw it
	Alone  bool   `json:"alone,omitempty"` // it passed because there is nobody else
	Text   string `json:"text,omitempty"`  // vault object: the reason
}

// ApprovalResult says that what was approved is done: it stands in the same batch of entries as the act itself.
type ApprovalResult struct {
	ID     int64  `json:"id"`
	Failed bool   `json:"failed,omitempty"` // it could not be done any more
	Text   string `json:"text,omitempty"`   // vault object: why not
}
