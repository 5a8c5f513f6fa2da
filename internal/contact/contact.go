// Package contact decides who stands on the plan's contact list, and what stakeholders must be told by when.
//
// A contact is an entry (contact.put: id, group, ways, dates) and a Card in the vault (names, numbers, hours, how to be sure of each other on the
// phone). check.go says what a card may hold; table.go, csv.go and vcard.go read and write lists of cards; preview.go says what an import would
// change before it does; sheet.go makes the page that is printed for the day when all is down.
//
// Stakeholders hear of an incident by rules: "of High and worse, within an hour of the opening, then every four hours, and at the close".
// What is owed is Owed, a pure function of state and time (owed.go): a restart owes what was owed before. A text is filled by
// template.go, which refuses what it cannot fill. An update is written before the act (update.wanted) and after it (update.sent, update.failed); one
// without an end after a restart is sent again with the same Message-ID and marked possibly twice, as a call is.
//
// The data path of an update:
//
//	rule + incident + contact --Owed--> Due --(a person presses send, or the rule is automatic)--> template.Fill -> vault
//	   -> update.wanted -> notify -> update.sent | update.failed -> Owed again: later, or overdue
//
// link.go makes and opens the signed link to the page that shows a stakeholder what was written for stakeholders.
package contact

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// Groups of the list.
const (
	Team         = "team"
	Stakeholders = "stakeholders"
	Providers    = "providers"
	Regulators   = "regulators"
)

// Groups lists them in the order in which screens show them.
func Groups() []string { return []string{Team, Stakeholders, Providers, Regulators} }

// Kinds of ways.
const (
	Phone = "phone"
	Mail  = "mail"
	SIP   = "sip"
	Chat  = "chat"
	Form  = "form" // a form on the web
)

// Kinds lists them in the order in which screens show them.
func Kinds() []string { return []string{Phone, Mail, SIP, Chat, Form} }

// CardVersion is that of the Card which this program writes.
const CardVersion = 1

// A Card is what the vault keeps of a contact: everything that names or reaches somebody.
type Card struct {
	Version      int      `json:"version"`
	Name         string   `json:"name"` // of a person or a desk: "Night desk"
	Organisation string   `json:"organisation,omitempty"`
	Role         string   `json:"role,omitempty"`   // "Account executive"
	Duties       string   `json:"duties,omitempty"` // what to ask them for
	Hours        string   `json:"hours,omitempty"`  // see ParseHours; "" is not known
	Zone         string   `json:"zone,omitempty"`   // IANA name of Hours; "" is UTC
	Languages    []string `json:"languages,omitempty"`
	Ways         []Way    `json:"ways"`                // in the order in which to try them
	CallBack     string   `json:"call_back,omitempty"` // E.164: who calls in their name is called back here
	Phrase       string   `json:"phrase,omitempty"`    // shared words that prove who is on the phone: a secret
	Number       string   `json:"number,omitempty"`    // of the customer or contract
	Note         string   `json:"note,omitempty"`
}

// A Way is one way to reach somebody.
type Way struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Note  string `json:"note,omitempty"` // "switchboard"
}

// First returns the first way of a kind, or "".
func (c Card) First(kind string) string {
	for _, w := range c.Ways {
		if w.Kind == kind {
			return w.Value
		}
	}
	return ""
}

// Kinds returns the kinds of the card's ways, each once, in order.
func (c Card) Kinds() (out []string) {
	for _, w := range c.Ways {
		if !slices.Contains(out, w.Kind) {
			out = append(out, w.Kind)
		}
	}
	return out
}

// DefaultDays is how many days a check holds when a contact says nothing else.
const DefaultDays = 90

// maxContacts is how many may stand on the list: what people can keep right.
const maxContacts = 2000

// A Contact is the state of one.
type Contact struct {
	entry.Contact
	Put     time.Time // when it was written last, which checks it as well
	By      string    // who did
	Checked time.Time
	Checker string
	Removed time.Time // zero while it stands
	Links   int64     // how often its links to status pages were revoked
	Objects []string  // every vault object that it ever had, so that they can be erased
}

// Due returns when the next check is due.
func (c *Contact) Due() time.Time {
	days := c.Days
	if days == 0 {
		days = DefaultDays
	}
	return c.Checked.AddDate(0, 0, days)
}

// Overdue reports whether the check is due.
func (c *Contact) Overdue(now time.Time) bool { return !now.Before(c.Due()) }

// A Book holds contacts, rules, templates and updates, and as much of incidents as these need. The zero Book is empty.
type Book struct {
	Contacts  []*Contact // by id, from 1
	Templates []*Template
	Rules     []*Rule
	Updates   []*Update // by id, from 1
	Card      entry.EmergencyCard
	CardAt    time.Time
	Revision  int64 // number of the last entry that changed the list or the card

	Turned int // how often the key of links to status pages was replaced

	needs map[int64]*need // by incident
	every []*need         // the same in the order in which they came
	known map[string]alertSeen

	planned   int64        // grows with each change of rules and contacts
	named     [][]*Contact // whom each rule names, since then; nil is not known
	unsettled int          // how many of every settle has still to visit in its round
	cursor    int          // which of every it visited last
}

// ErrNotFound says that something is not there, or not any more.
var ErrNotFound = errors.New("not on the list")

// Get returns the contact with an id if it stands.
func (b *Book) Get(id int64) (*Contact, error) {
	if id < 1 || id > int64(len(b.Contacts)) || !b.Contacts[id-1].Removed.IsZero() {
		return nil, fmt.Errorf("contact %d: %w", id, ErrNotFound)
	}
	return b.Contacts[id-1], nil
}

// Standing returns the contacts that were not removed, by group and then by id.
func (b *Book) Standing() (out []*Contact) {
	for _, g := range Groups() {
		for _, c := range b.Contacts {
			if c.Removed.IsZero() && c.Group == g {
				out = append(out, c)
			}
		}
	}
	return out
}

// Put decides that x stands on the list from now on. ID 0 is a new one. staff says whether a staff id is of the team now.
func (b *Book) Put(actor string, x entry.Contact, staff func(id string) bool) (entry.Draft, error) {
	if x.ID == 0 {
		x.ID = int64(len(b.Contacts)) + 1
		if len(b.Standing()) >= maxContacts {
			return entry.Draft{}, fmt.Errorf("the list takes at most %d contacts: remove some first", maxContacts)
		}
	} else if _, err := b.Get(x.ID); err != nil {
		return entry.Draft{}, err
	}
	return b.put(actor, x, staff)
}

func (b *Book) put(actor string, x entry.Contact, staff func(id string) bool) (entry.Draft, error) {
	switch {
	case x.Vault == "" || x.Hash == "":
		return entry.Draft{}, errors.New("a contact without a card in the vault cannot be put on the list")
	case x.Person != "" && !staff(x.Person):
		return entry.Draft{}, Problem{Field: "person", Says: fmt.Sprintf("Nobody on the team has the id %q.", x.Person)}
	case x.Owner != "" && !staff(x.Owner):
		return entry.Draft{}, Problem{Field: "owner", Says: fmt.Sprintf("Nobody on the team has the id %q, who is to keep this contact right.", x.Owner)}
	}
	if p := CheckPlace(x); len(p) > 0 {
		return entry.Draft{}, p[0]
	}
	return draft(actor, entry.ContactPut, x.ID, x), nil
}

// PutAll decides on several contacts at once, new ones with ID 0: all, or none.
func (b *Book) PutAll(actor string, list []entry.Contact, staff func(id string) bool) (drafts []entry.Draft, err error) {
	next := int64(len(b.Contacts))
	fresh := 0
	for _, x := range list {
		if x.ID == 0 {
			next++
			fresh++
			x.ID = next
		} else if _, err := b.Get(x.ID); err != nil {
			return nil, err
		}
		d, err := b.put(actor, x, staff)
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, d)
	}
	if len(b.Standing())+fresh > maxContacts {
		return nil, fmt.Errorf("the list takes at most %d contacts, and would have %d", maxContacts, len(b.Standing())+fresh)
	}
	return drafts, nil
}

// Check decides that a contact is still right as it stands under a hash: if it was changed meanwhile, what was looked at is not what stands.
func (b *Book) Check(actor string, id int64, hash string) (entry.Draft, error) {
	c, err := b.Get(id)
	if err != nil {
		return entry.Draft{}, err
	}
	if c.Hash != hash {
		return entry.Draft{}, fmt.Errorf("contact %d was changed while you looked at it: look again, then say that it is right", id)
	}
	return draft(actor, entry.ContactChecked, id, entry.ContactCheck{ID: id, Hash: hash}), nil
}

// Remove decides to take a contact off the list. A rule that names it is in the way: whom else must hear is a decision of its own.
func (b *Book) Remove(actor string, id int64, text string) (entry.Draft, error) {
	if _, err := b.Get(id); err != nil {
		return entry.Draft{}, err
	}
	for _, r := range b.Rules {
		if !r.Gone && r.Contact == id {
			return entry.Draft{}, fmt.Errorf("rule %d says that contact %d must be told of incidents: change or end that rule first", r.ID, id)
		}
	}
	return draft(actor, entry.ContactRemoved, id, entry.ContactEnd{ID: id, Text: text}), nil
}

// Revoke decides that no link to a status page works that the contact got so far.
func (b *Book) Revoke(actor string, id int64, text string) (entry.Draft, error) {
	if _, err := b.Get(id); err != nil {
		return entry.Draft{}, err
	}
	return draft(actor, entry.LinkRevoked, id, entry.StatusEnd{Contact: id, Text: text}), nil
}

func draft(actor string, k entry.Kind, id int64, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: k, Subject: fmt.Sprintf("contact:%d", id), Body: body}
}
