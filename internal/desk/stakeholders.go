package desk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/entry"
)

// statusWithin is how long a link to a status page works. Each update has a new one.
const statusWithin = 30 * 24 * time.Hour

// statusKey signs links to status pages, after the key was turned so often. An older key opens nothing.
func (d *Desk) statusKey(turned int) contact.Key {
	id := uint32(1 + turned)
	return contact.Key{ID: id, Secret: []byte(d.vault.Hash("status links", fmt.Sprintf("key %d", id)))}
}

// A ListedText is a template with its text.
type ListedText struct {
	contact.Template
	Text  contact.Text
	Fault string
}

// Templates returns the texts for stakeholders.
func (d *Desk) Templates() (out []ListedText) {
	d.Read(func(s *State) {
		for _, t := range s.Contacts.Templates {
			if !t.Gone {
				out = append(out, ListedText{Template: *t})
			}
		}
	})
	for i := range out {
		if err := d.fromVault(out[i].Vault, &out[i].Text); err != nil {
			out[i].Fault = err.Error()
		}
	}
	return out
}

// PutTemplate keeps a text for stakeholders; ID 0 is a new one.
func (d *Desk) PutTemplate(actor auth.Actor, id int64, text contact.Text) error {
	if err := errors.Join(auth.May(actor, auth.Contacts), d.Broken()); err != nil {
		return err
	}
	if err := fields(contact.CheckText(&text)); err != nil {
		return err
	}
	x := entry.Template{ID: id}
	for _, v := range text.Versions {
		x.Langs = append(x.Langs, v.Lang)
	}
	var err error
	if x.Vault, x.Hash, err = d.keepAs("template", text); err != nil {
		return err
	}
	return d.do(actor, auth.Contacts, func(s *State, _ time.Time) (entry.Draft, error) { return s.Contacts.PutTemplate(actor.Name, x) })
}

// EndTemplate takes a text away that no rule uses.
func (d *Desk) EndTemplate(actor auth.Actor, id int64) error {
	return d.do(actor, auth.Contacts, func(s *State, _ time.Time) (entry.Draft, error) {
		t, err := s.Contacts.TemplateOf(id)
		if err != nil {
			return entry.Draft{}, err
		}
		x := t.Template
		x.Gone = true
		return s.Contacts.PutTemplate(actor.Name, x)
	})
}

// PutRule says who must hear of what by when.
func (d *Desk) PutRule(actor auth.Actor, x entry.StakeholderRule) error {
	return field(d.do(actor, auth.Contacts, func(s *State, _ time.Time) (entry.Draft, error) { return s.Contacts.PutRule(actor.Name, x) }))
}

// EndRule ends a rule.
func (d *Desk) EndRule(actor auth.Actor, id int64) error {
	return d.do(actor, auth.Contacts, func(s *State, _ time.Time) (entry.Draft, error) {
		if id < 1 || id > int64(len(s.Contacts.Rules)) {
			return entry.Draft{}, fmt.Errorf("rule %d: %w", id, contact.ErrNotFound)
		}
		x := s.Contacts.Rules[id-1].StakeholderRule
		if x.Gone {
			return entry.Draft{}, fmt.Errorf("rule %d: %w", id, contact.ErrNotFound)
		}
		x.Gone = true
		return s.Contacts.PutRule(actor.Name, x)
	})
}

// SetStatus says what stakeholders may know of an incident, in one or more languages, and when more is promised.
func (d *Desk) SetStatus(actor auth.Actor, incident int64, text contact.Sentences, next time.Time) error {
	if err := cmp.Or(d.MayOn(actor, auth.Inform, incident), d.Broken()); err != nil {
		return err
	}
	var err error
	d.Read(func(s *State) {
		_, err = s.Contacts.SetStatus(actor.Name, entry.Status{Incident: incident, Vault: "-", Hash: "-", Next: next}, time.Now())
	})
	if wrong := fields(contact.CheckSentences(&text)); err == nil {
		err = wrong
	}
	if err != nil {
		return field(err)
	}
	x := entry.Status{Incident: incident, Next: next.UTC()}
	if next.IsZero() {
		x.Next = time.Time{}
	}
	if x.Vault, x.Hash, err = d.keepAs("status", text); err != nil {
		return err
	}
	return field(d.doOn(actor, auth.Inform, incident, func(s *State, now time.Time) (entry.Draft, error) { return s.Contacts.SetStatus(actor.Name, x, now) }))
}

// A Stand is what the team wrote for stakeholders of an incident.
type Stand struct {
	Sentences contact.Sentences
	At        time.Time // zero: nothing was written
	By        string
	Next      time.Time
}

// Stand returns what stakeholders may know of an incident.
func (d *Desk) Stand(incident int64) (x Stand) {
	var status entry.Status
	d.Read(func(s *State) { status, x.At, x.By = s.Contacts.Status(incident) })
	x.Next = status.Next
	if status.Vault != "" && d.fromVault(status.Vault, &x.Sentences) != nil {
		x.Sentences = contact.Sentences{}
	}
	return x
}

// A Page is the status page of one contact and one incident. It has nothing that was not written for stakeholders.
type Page struct {
	Incident int64
	Severity string
	State    string // open, closed
	Phase    string
	Sample   bool
	Name     string // of the contact
	Lang     string // of our words: en, de
	Text     contact.Version
	Written  time.Time
	Next     time.Time
	Expires  time.Time
	Zone     *time.Location
}

// OpenStatus opens the link of a status page. It writes nothing. Errors: contact.ErrLink (also for a revoked one), contact.ErrExpired.
func (d *Desk) OpenStatus(token string) (Page, error) {
	turned := 0
	d.Read(func(s *State) { turned = s.Contacts.Turned })
	claim, err := contact.OpenLink([]contact.Key{d.statusKey(turned)}, token, time.Now())
	if err != nil {
		return Page{}, err
	}
	p := Page{Incident: claim.Incident, Expires: claim.Expires, State: "open"}
	vault := ""
	d.Read(func(s *State) {
		i, ierr := s.Incidents.Get(claim.Incident)
		if !s.Contacts.Honours(claim) || ierr != nil || i.Restricted() || statusWithheld(s, claim.Incident) != nil {
			err = contact.ErrLink
			return
		}
		vault = s.Contacts.Contacts[claim.Contact-1].Vault
		p.Severity, p.Phase, p.Sample = i.Severity, i.Phase, i.Sample
		if i.Closed {
			p.State = "closed"
		}
	})
	if err != nil {
		return Page{}, err
	}
	card, err := d.card(vault)
	if err != nil {
		return Page{}, contact.ErrLink
	}
	stand := d.Stand(claim.Incident)
	p.Name, p.Zone, p.Lang = card.Name, zoneOf(card), contact.PageLang(card.Languages)
	p.Text, p.Written, p.Next = stand.Sentences.For(card.Languages), stand.At, stand.Next
	return p, nil
}

func zoneOf(c contact.Card) *time.Location {
	if z, err := time.LoadLocation(c.Zone); err == nil && c.Zone != "Local" {
		return z
	}
	return time.UTC
}

// StatusLink returns a link to the status page of an incident for a contact.
func (d *Desk) StatusLink(actor auth.Actor, incident, id int64) (link string, err error) {
	if err := d.MayOn(actor, auth.Inform, incident); err != nil {
		return "", err
	}
	d.Read(func(s *State) {
		i, gone := s.Incidents.Get(incident)
		if gone == nil && i.Restricted() {
			err = errRestricted
			return
		}
		if err = statusWithheld(s, incident); err != nil {
			return
		}
		var c *contact.Contact
		if err = gone; err == nil {
			if c, err = s.Contacts.Get(id); err == nil {
				link = d.statusLink(s.Contacts.Turned, incident, c, time.Now())
			}
		}
	})
	return link, err
}

func (d *Desk) statusLink(turned int, incident int64, c *contact.Contact, now time.Time) string {
	return d.o.URL + "/status/" + contact.SignLink(d.statusKey(turned), contact.Claim{Incident: incident, Contact: c.ID, Expires: now.Add(statusWithin), Nonce: uint64(c.Links)})
}

// RevokeLinks makes every link to a status page worthless that a contact has so far.
func (d *Desk) RevokeLinks(actor auth.Actor, id int64, why string) error {
	return d.say(actor, auth.Inform, why, func(s *State, text string) (entry.Draft, error) { return s.Contacts.Revoke(actor.Name, id, text) })
}

// TurnLinkKey signs links to status pages with another key from now on: every link that anybody has so far is worthless.
func (d *Desk) TurnLinkKey(actor auth.Actor, why string) error {
	if strings.TrimSpace(why) == "" {
		return FieldError{"turn-reason", "Ending all links needs a reason."}
	}
	return d.say(actor, auth.Inform, why, func(_ *State, text string) (entry.Draft, error) {
		return entry.Draft{Actor: actor.Name, Kind: entry.LinkRevoked, Subject: "contacts", Body: entry.StatusEnd{Text: text}}, nil
	})
}

// An Update is a worded message to a stakeholder, as the vault keeps it.
type Update struct {
	Lang    string `json:"lang"`
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// Compose words what is owed to a contact now. It refuses a text that cannot be filled; what is missing is said in the error.
func (d *Desk) Compose(due contact.Due, now time.Time) (Update, error) {
	card, err := d.card(due.Contact.Vault)
	if err != nil {
		return Update{}, fmt.Errorf("the contact cannot be read: %w", err)
	}
	var vault string
	values := map[string]string{}
	var opened, closed time.Time
	sample, turned := false, 0
	d.Read(func(s *State) {
		t, terr := s.Contacts.TemplateOf(due.Rule.Template)
		i, ierr := s.Incidents.Get(due.Incident)
		if err = errors.Join(terr, ierr); err != nil {
			return
		}
		vault, opened, sample, turned = t.Vault, i.Opened, i.Sample, s.Contacts.Turned
		values["severity"], values["phase"], values["state"] = i.Severity, i.Phase, "open"
		if i.Closed {
			values["state"], closed = "closed", i.Ended
		}
	})
	var text contact.Text
	if err == nil {
		err = d.fromVault(vault, &text)
	}
	if err != nil {
		return Update{}, err
	}
	v := text.For(card.Languages)
	zone, stand := zoneOf(card), d.Stand(due.Incident)
	for _, name := range []string{"severity", "phase", "state"} {
		values[name] = contact.Word(v.Lang, values[name])
	}
	for name, at := range map[string]time.Time{"opened": opened, "closed": closed, "now": now, "next.update": stand.Next} {
		values[name] = contact.When(v.Lang, at, zone)
	}
	values["incident.number"] = strconv.FormatInt(due.Incident, 10)
	values["contact.name"] = card.Name
	values["status"] = stand.Sentences.For(append([]string{v.Lang}, card.Languages...)).Body
	values["status.link"] = d.statusLink(turned, due.Incident, due.Contact, now)
	u := Update{Lang: v.Lang}
	if u.Subject, u.Body, err = v.FillBoth(values); err != nil {
		return Update{}, field(err)
	}
	if sample {
		u.Subject, u.Body = "[Tocsin sample] "+u.Subject, "SAMPLE: the bundled logs are played. Nothing has happened.\n\n"+u.Body
	}
	return u, nil
}

// errRestricted says why the program tells outsiders nothing.
var errRestricted = errors.New("the incident is restricted, so nothing of it leaves from here: tell them yourself, and write down that you did")

// Owed returns what stakeholders of an incident must hear, due or not; incident 0 is every one that actor may see. What it points to is a copy.
func (d *Desk) Owed(actor auth.Actor, incident int64, now time.Time) (out []contact.Due) {
	d.ReadAs(actor, func(s *State) {
		out = slices.DeleteFunc(s.Contacts.Owed(incident, now), func(x contact.Due) bool { _, gone := s.Incidents.Get(x.Incident); return gone != nil })
		for i := range out {
			rule, c := *out[i].Rule, *out[i].Contact
			out[i].Rule, out[i].Contact = &rule, &c
			if out[i].Latest != nil {
				u := *out[i].Latest
				out[i].Latest = &u
			}
		}
	})
	return out
}

// An Owing names one thing that is owed.
type Owing struct {
	Incident, Rule, Contact int64
	Stage                   string
}

// owedOne finds it, as a copy.
func (d *Desk) owedOne(actor auth.Actor, o Owing, now time.Time) (contact.Due, error) {
	for _, x := range d.Owed(actor, o.Incident, now) {
		if x.Rule.ID == o.Rule && x.Contact.ID == o.Contact && x.Stage == o.Stage {
			return x, nil
		}
	}
	return contact.Due{}, contact.ErrNotOwed
}

// SendUpdate sends by mail what is owed to a contact, due or not.
func (d *Desk) SendUpdate(actor auth.Actor, o Owing) error {
	if err := cmp.Or(d.MayOn(actor, auth.Inform, o.Incident), d.Broken()); err != nil {
		return err
	}
	return d.wantUpdate(actor, o, time.Now())
}

// wantUpdate words an update and writes that it is to be sent.
func (d *Desk) wantUpdate(actor auth.Actor, o Owing, now time.Time) error {
	if !d.MayUse(o.Incident, "") {
		return errRestricted
	}
	if err := d.updateWithheld(o.Incident); err != nil {
		return err
	}
	due, err := d.owedOne(actor, o, now)
	if err != nil {
		return err
	}
	u, err := d.Compose(due, now)
	if err != nil {
		return err
	}
	x := entry.UpdateTry{Incident: o.Incident, Rule: o.Rule, Contact: o.Contact, Stage: o.Stage, Way: contact.Mail, Template: due.Rule.Template, Text: "-"}
	want := func(s *State, now time.Time) ([]entry.Draft, error) {
		e, err := s.Contacts.Want(actor.Name, x, now)
		return []entry.Draft{e}, err
	}
	d.Read(func(s *State) { _, err = want(s, now) }) // before anything is kept of it
	if err == nil {
		x.Text, x.Hash, err = d.keepAs("update", u)
	}
	if err != nil {
		return err
	}
	return d.write(want)
}

// ToldUpdate notes that somebody told a contact themselves, by phone or in another way. note is what was said.
func (d *Desk) ToldUpdate(actor auth.Actor, o Owing, way, note string) error {
	if err := cmp.Or(d.MayOn(actor, auth.Inform, o.Incident), d.Broken()); err != nil {
		return err
	}
	text, err := d.text(note)
	if err != nil {
		return err
	}
	return d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		return s.Contacts.Told(actor.Name, entry.UpdateTry{Incident: o.Incident, Rule: o.Rule, Contact: o.Contact, Stage: o.Stage, Way: way, Text: text}, now)
	})
}

// WaiveUpdate decides that a contact need not be told this time, with a reason.
func (d *Desk) WaiveUpdate(actor auth.Actor, o Owing, why string) error {
	return field(d.sayOn(actor, auth.Inform, o.Incident, why, func(s *State, text string) (entry.Draft, error) {
		return s.Contacts.Waive(actor.Name, entry.UpdateWaiver{Incident: o.Incident, Rule: o.Rule, Contact: o.Contact, Stage: o.Stage, Text: text}, time.Now())
	}))
}

// Told returns the updates of an incident, the newest first, and at most so many.
func (d *Desk) Told(incident int64, most int) (out []contact.Update) {
	d.Read(func(s *State) {
		for i := len(s.Contacts.Updates) - 1; i >= 0 && len(out) < most; i-- {
			if u := s.Contacts.Updates[i]; u.Incident == incident {
				out = append(out, *u)
			}
		}
	})
	return out
}
