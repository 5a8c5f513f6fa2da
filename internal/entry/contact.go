package entry

import "time"

// Kinds of the contact list, of what stakeholders must be told, and of what they were told. Names, numbers and sentences lie in the vault:
// here stand ids, keyed hashes and times.
const (
	ContactPut     Kind = "contact.put"     // Contact
	ContactChecked Kind = "contact.checked" // ContactCheck
	ContactRemoved Kind = "contact.removed" // ContactEnd
	CardPut        Kind = "card.put"        // EmergencyCard

	TemplatePut Kind = "template.put"         // Template
	RulePut     Kind = "stakeholder.rule_put" // StakeholderRule
	StatusPut   Kind = "status.put"           // Status
	LinkRevoked Kind = "status.revoked"       // StatusEnd

	UpdateWanted Kind = "update.wanted" // UpdateTry
	UpdateSent   Kind = "update.sent"   // UpdateResult
	UpdateFailed Kind = "update.failed" // UpdateResult
	UpdateWaived Kind = "update.waived" // UpdateWaiver
)

// Contact is somebody on the contact list, as from now on.
type Contact struct {
	ID     int64    `json:"id"`
	Group  string   `json:"group"`            // team, stakeholders, providers, regulators
	Vault  string   `json:"vault"`            // contact.Card as JSON
	Hash   string   `json:"hash"`             // keyed hash of that object
	Ways   []string `json:"ways,omitempty"`   // kinds, in the order in which they are tried: phone, mail, sip, chat, form
	Person string   `json:"person,omitempty"` // staff id, when it is a member of the team
	Owner  string   `json:"owner,omitempty"`  // staff id of who keeps it right
	Days   int      `json:"days,omitempty"`   // from check to check; 0 is 90
}

// ContactCheck says that somebody looked, and all was still right. Who did is the entry's actor.
type ContactCheck struct {
	ID   int64  `json:"id"`
	Hash string `json:"hash"` // Contact.Hash of what was looked at
}

// ContactEnd takes somebody off the list. Links to status pages end with it.
type ContactEnd struct {
	ID   int64  `json:"id"`
	Text string `json:"text,omitempty"` // vault object with the reason
}

// EmergencyCard is what stands on the printed card besides the contacts: the first steps, and where the sealed envelope lies.
type EmergencyCard struct {
	Vault string `json:"vault"`
	Hash  string `json:"hash"`
}

// Template is a text for stakeholders, as from now on.
type Template struct {
	ID    int64    `json:"id"`
	Vault string   `json:"vault"` // contact.Template as JSON
	Hash  string   `json:"hash"`
	Langs []string `json:"langs"` // of its versions; the first is for readers of none of them
	Gone  bool     `json:"gone,omitempty"`
}

// StakeholderRule says who must hear of which incidents by when, as from now on.
type StakeholderRule struct {
	ID       int64         `json:"id"`
	Group    string        `json:"group,omitempty"`   // everybody in it,
	Contact  int64         `json:"contact,omitempty"` // or one contact
	Least    string        `json:"least"`             // of this severity or a worse one
	Impacts  []string      `json:"impacts,omitempty"` // of one of these kinds; none is every kind
	Within   time.Duration `json:"within_ns"`         // of the opening, and of the close
	Every    time.Duration `json:"every_ns,omitempty"`
	Close    bool          `json:"close,omitempty"` // at the close, too
	Template int64         `json:"template"`
	Auto     bool          `json:"auto,omitempty"` // sent when due, without a person's look
	Gone     bool          `json:"gone,omitempty"`
}

// Status is what the team tells stakeholders of an incident.
type Status struct {
	Incident int64     `json:"incident"`
	Vault    string    `json:"vault"` // sentences by language
	Hash     string    `json:"hash"`
	Next     time.Time `json:"next,omitzero"` // when more is promised
}

// StatusEnd makes every link to a status page worthless that a contact has so far; contact 0 is everybody: links are signed with another key from then on.
type StatusEnd struct {
	Contact int64  `json:"contact"`
	Text    string `json:"text,omitempty"` // vault object with the reason
}

// UpdateTry is the intent to tell one contact of one incident, written before the act.
type UpdateTry struct {
	ID       int64  `json:"id"` // over all incidents
	Incident int64  `json:"incident"`
	Rule     int64  `json:"rule"`
	Contact  int64  `json:"contact"`
	Stage    string `json:"stage"` // opened, again, closed
	Way      string `json:"way"`   // mail is sent by the program; with others a person told it
	Template int64  `json:"template,omitempty"`
	Text     string `json:"text,omitempty"`    // vault object with subject and body, as sent
	Hash     string `json:"hash,omitempty"`    // keyed hash of that object
	Message  string `json:"message,omitempty"` // Message-ID, the same in every repeat
	Again    int64  `json:"again,omitempty"`   // the failed one that this repeats
	Twice    bool   `json:"twice,omitempty"`   // the repeated one may have reached its goal all the same
}

// UpdateResult is what became of it.
type UpdateResult struct {
	ID        int64         `json:"id"`
	Twice     bool          `json:"twice,omitempty"`
	Temporary bool          `json:"temporary,omitempty"`
	Uncertain bool          `json:"uncertain,omitempty"`
	After     time.Duration `json:"after_ns,omitempty"`
	Text      string        `json:"text,omitempty"` // vault object: the other side's words
	Form      string        `json:"form,omitempty"` // how the mail was protected: openpgp, smime, signed, clear
	Less      bool          `json:"less,omitempty"` // it had less protection, or fewer details, than was asked for
	Why       string        `json:"why,omitempty"`  // of a failure: bounced
}

// UpdateWaiver says that somebody need not be told this time, and why. Who decided it is the entry's actor.
type UpdateWaiver struct {
	Incident int64  `json:"incident"`
	Rule     int64  `json:"rule"`
	Contact  int64  `json:"contact"`
	Stage    string `json:"stage"`
	Text     string `json:"text"` // vault object with the reason
}
