package desk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/entry"
)

// cards are the contacts' cards that were read from the vault, by object.
type cards struct {
	mu sync.Mutex
	by map[string]contact.Card
}

// A Listed contact is one of the plan's list, with its card.
type Listed struct {
	contact.Contact
	Card  contact.Card
	Fault string // why the card cannot be read, "" if it can
}

// card reads the card in a vault object, once.
func (d *Desk) card(vault string) (contact.Card, error) {
	d.cards.mu.Lock()
	defer d.cards.mu.Unlock()
	if c, ok := d.cards.by[vault]; ok {
		return c, nil
	}
	var c contact.Card
	if err := d.fromVault(vault, &c); err != nil {
		return contact.Card{Name: "(not readable)"}, err
	}
	if d.cards.by == nil {
		d.cards.by = map[string]contact.Card{}
	}
	d.cards.by[vault] = c
	return c, nil
}

// Contacts returns the plan's contact list, by group. It is for those who may see how contacts are reached (auth.Reach).
func (d *Desk) Contacts(actor auth.Actor) ([]Listed, error) {
	if err := auth.May(actor, auth.Reach); err != nil {
		return nil, err
	}
	return d.listed(), nil
}

func (d *Desk) listed() (out []Listed) {
	d.Read(func(s *State) {
		for _, c := range s.Contacts.Standing() {
			x := *c
			x.Objects = slices.Clone(c.Objects)
			out = append(out, Listed{Contact: x})
		}
	})
	for i := range out {
		var err error
		if out[i].Card, err = d.card(out[i].Vault); err != nil {
			out[i].Fault = err.Error()
		}
	}
	return out
}

// ContactOf returns one contact of the list. Errors: contact.ErrNotFound.
func (d *Desk) ContactOf(actor auth.Actor, id int64) (Listed, error) {
	if err := auth.May(actor, auth.Reach); err != nil {
		return Listed{}, err
	}
	for _, c := range d.listed() {
		if c.ID == id {
			return c, nil
		}
	}
	return Listed{}, fmt.Errorf("contact %d: %w", id, contact.ErrNotFound)
}

// movedContact is ErrMoved of a contact.
type movedContact struct{ id int64 }

func (m movedContact) Error() string {
	return fmt.Sprintf("somebody else changed contact %d since you looked at it, so nothing was done: look at it as it is now, and make the change again", m.id)
}

// Is lets callers branch on what moved.
func (movedContact) Is(err error) bool { return err == ErrMoved }

// fields makes of problems what a form shows beside its fields; nil when there are none.
func fields(wrong []contact.Problem) error {
	var errs []error
	for _, p := range wrong {
		errs = append(errs, FieldError{strings.ReplaceAll(p.Field, ".", "-"), p.Says})
	}
	return errors.Join(errs...)
}

// field makes of one problem what a form shows.
func field(err error) error {
	if p, ok := errors.AsType[contact.Problem](err); ok {
		return fields([]contact.Problem{p})
	}
	return err
}

func knownZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "Local"
}

// staff says whether an id is of the team now.
func staff(s *State) func(string) bool {
	return func(id string) bool { p, ok := s.Plan.People[id]; return ok && !p.Gone }
}

// keepAs puts something of the contact list into the vault and returns its object and its keyed hash.
func (d *Desk) keepAs(kind string, x any) (vault, hash string, err error) {
	b, err := json.Marshal(x)
	if err != nil {
		return "", "", err
	}
	if vault, err = d.vault.Put(b); err != nil {
		return "", "", fmt.Errorf("keeping a %s: %w", kind, err)
	}
	return vault, d.vault.Hash(kind, string(b)), nil
}

// PutContact puts a contact on the list, or changes it; ID 0 is a new one. It returns the id. What is wrong with fields comes as FieldErrors.
//
// x.Hash is that of the card from which a change was made, "" does not say: when another stands by now, the error is ErrMoved, for the whole card would undo what
// somebody else changed.
func (d *Desk) PutContact(actor auth.Actor, x entry.Contact, c contact.Card) (int64, error) {
	if err := errors.Join(auth.May(actor, auth.Contacts), d.Broken()); err != nil {
		return 0, err
	}
	if err := fields(append(contact.Check(&c, knownZone), contact.CheckPlace(x)...)); err != nil {
		return 0, err
	}
	x.Ways = c.Kinds()
	seen, try := x.Hash, x
	try.Vault, try.Hash = "-", "-"
	put := func(s *State, x entry.Contact) (entry.Draft, error) {
		if was, err := s.Contacts.Get(x.ID); err == nil && seen != "" && was.Hash != seen {
			return entry.Draft{}, movedContact{x.ID}
		}
		return s.Contacts.Put(actor.Name, x, staff(s))
	}
	var err error
	d.Read(func(s *State) { _, err = put(s, try) }) // before anything is kept of it
	if err == nil {
		x.Vault, x.Hash, err = d.keepAs("contact", c)
	}
	if err != nil {
		return 0, field(err)
	}
	id := x.ID
	err = d.do(actor, auth.Contacts, func(s *State, _ time.Time) (entry.Draft, error) {
		if x.ID == 0 {
			id = int64(len(s.Contacts.Contacts)) + 1
		}
		return put(s, x)
	})
	return id, field(err)
}

// CheckContact notes that a contact is still right, as it was shown: hash is that of what was looked at.
func (d *Desk) CheckContact(actor auth.Actor, id int64, hash string) error {
	return d.do(actor, auth.Contacts, func(s *State, _ time.Time) (entry.Draft, error) {
		return s.Contacts.Check(actor.Name, id, hash)
	})
}

// RemoveContact takes a contact off the list. With erase all that was ever kept of it is destroyed for good: who it was cannot be read any more.
func (d *Desk) RemoveContact(actor auth.Actor, id int64, why string, erase bool) error {
	if strings.TrimSpace(why) == "" {
		return FieldError{"reason", "Taking a contact off the list needs a reason."}
	}
	var objects []string
	try := func(s *State, text string) (entry.Draft, error) {
		x, err := s.Contacts.Remove(actor.Name, id, text)
		if err == nil {
			objects = slices.Clone(s.Contacts.Contacts[id-1].Objects)
		}
		return x, err
	}
	var err error
	d.Read(func(s *State) { _, err = try(s, "") })
	if err == nil {
		err = d.say(actor, auth.Contacts, why, try)
	}
	if err != nil || !erase {
		return err
	}
	err = d.do(actor, auth.Contacts, func(*State, time.Time) (entry.Draft, error) {
		return entry.Draft{Actor: actor.Name, Kind: entry.VaultErased, Subject: fmt.Sprintf("contact:%d", id), Body: entry.Erased{IDs: objects}}, nil
	})
	if err == nil {
		err = d.eraseOrdered(objects)
	}
	return err
}

// rows are the contacts of the list as a table.
func rows(list []Listed) (out []contact.Row) {
	for _, c := range list {
		out = append(out, contact.Row{Entry: c.Contact.Contact, Card: c.Card, Checked: c.Checked.UTC().Format(time.DateOnly)})
	}
	return out
}

// readContacts reads a file of contacts: vCards if it begins as one, else CSV.
func readContacts(data []byte, group string) ([]contact.Row, error) {
	head := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if len(head) >= 11 && bytes.EqualFold(head[:11], []byte("BEGIN:VCARD")) {
		return contact.ReadVCards(data, group, knownZone)
	}
	return contact.ReadCSV(data, group, knownZone)
}

// PreviewContacts says what importing a file would change, and of which revision of the list that is true. group is that of contacts which
// name none. Errors: contact.LineError.
func (d *Desk) PreviewContacts(actor auth.Actor, data []byte, group string) (p contact.Preview, revision int64, err error) {
	if err := auth.May(actor, auth.Contacts); err != nil {
		return p, 0, err
	}
	in, err := readContacts(data, group)
	if err != nil {
		return p, 0, err
	}
	d.Read(func(s *State) { revision = s.Contacts.Revision })
	standing := rows(d.listed())
	d.Read(func(s *State) { p = contact.Compare(standing, in, staff(s)) })
	return p, revision, nil
}

// ImportContacts does what a preview of a revision of the list said: all of it, or nothing. revision -1 is whatever stands now.
func (d *Desk) ImportContacts(actor auth.Actor, data []byte, group string, revision int64) (contact.Preview, error) {
	p, now, err := d.PreviewContacts(actor, data, group)
	if err = errors.Join(err, d.Broken()); err != nil {
		return p, err
	}
	if revision >= 0 && revision != now {
		return p, errors.New("the contact list was changed since the preview: look at the preview again, then import")
	}
	if p.Refused > 0 {
		return p, fmt.Errorf("%s of the file cannot be taken, so nothing was imported: mend what the preview names", plural(p.Refused, "contact", "contacts"))
	}
	var objects [][]byte
	var list []entry.Contact
	for _, c := range p.Changes {
		if c.What == contact.Same {
			continue
		}
		b, err := json.Marshal(c.Card)
		if err != nil {
			return p, err
		}
		x := c.Entry
		x.Hash = d.vault.Hash("contact", string(b))
		objects, list = append(objects, b), append(list, x)
	}
	if len(list) == 0 {
		return p, nil
	}
	ids, err := d.vault.PutAll(objects)
	if err != nil {
		return p, fmt.Errorf("keeping the contacts: %w", err)
	}
	for i := range list {
		list[i].Vault = ids[i]
	}
	err = d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		if s.Contacts.Revision != now {
			return nil, errors.New("the contact list was changed at the same time: look at the preview again, then import")
		}
		return s.Contacts.PutAll(actor.Name, list, staff(s))
	})
	return p, field(err)
}

// ExportContacts writes the list as csv or vcard. Phrases and customer numbers are in it only when asked for, by those who keep the list.
func (d *Desk) ExportContacts(actor auth.Actor, form string, secrets bool) ([]byte, error) {
	if secrets {
		if err := auth.May(actor, auth.Contacts); err != nil {
			return nil, err
		}
	}
	list, err := d.Contacts(actor)
	if err != nil {
		return nil, err
	}
	switch form {
	case "csv":
		return contact.WriteCSV(rows(list), secrets), nil
	case "vcard":
		return contact.WriteVCards(rows(list), secrets), nil
	}
	return nil, fmt.Errorf("unknown form %q; known: csv, vcard", form)
}

// CardText returns what the emergency card says besides the contacts; own is false while the team has not written it.
func (d *Desk) CardText() (text contact.CardText, own bool) {
	vault := ""
	d.Read(func(s *State) { vault = s.Contacts.Card.Vault })
	if vault == "" || d.fromVault(vault, &text) != nil {
		return contact.DefaultCard(), false
	}
	return text, true
}

// PutCardText changes it.
func (d *Desk) PutCardText(actor auth.Actor, text contact.CardText) error {
	if err := errors.Join(auth.May(actor, auth.Contacts), d.Broken()); err != nil {
		return err
	}
	if err := fields(contact.CheckCard(&text)); err != nil {
		return err
	}
	vault, hash, err := d.keepAs("card", text)
	if err != nil {
		return err
	}
	return d.do(actor, auth.Contacts, func(*State, time.Time) (entry.Draft, error) {
		return entry.Draft{Actor: actor.Name, Kind: entry.CardPut, Subject: "card", Body: entry.EmergencyCard{Vault: vault, Hash: hash}}, nil
	})
}

// Sheet draws the emergency card. Phrases and customer numbers are on it only when asked for.
func (d *Desk) Sheet(actor auth.Actor, secrets bool, now time.Time) (contact.Sheet, error) {
	list, err := d.Contacts(actor)
	if err != nil {
		return contact.Sheet{}, err
	}
	var revision int64
	table := rows(list)
	d.Read(func(s *State) {
		revision = s.Contacts.Revision
		for i, c := range list {
			if id, ok := strings.CutPrefix(c.Checker, "person:"); ok {
				table[i].Checker = cmp.Or(d.nameOf(s, id), id)
			}
		}
	})
	text, _ := d.CardText()
	return contact.Draw(table, text, revision, now, secrets), nil
}
