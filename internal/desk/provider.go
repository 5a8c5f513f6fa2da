package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/signin"
)

// SignOn says where people sign in elsewhere; the desk fills in our address and the roles that there are.
type SignOn = signin.ProviderConfig

// A Wish is somebody who came from the provider with the verified address of a person on the team, and waits for an administrator to say that
// it is them.
type Wish struct {
	Issuer  string    `json:"issuer"`
	Subject string    `json:"subject"`
	Name    string    `json:"name,omitempty"`
	At      time.Time `json:"at"`
}

const (
	wishKind = "oidc wish"
	wishTime = 7 * 24 * time.Hour
)

// What callers branch on; their texts are for the person.
var (
	ErrStranger = errors.New("this account is not linked to anybody here. Sign in another way and link it under How you sign in, or ask somebody who keeps the team")
	ErrWaits    = errors.New("this account is not linked yet. Somebody who keeps the team has to confirm on your page under People that it is you; then sign in again")
	ErrNoGroup  = errors.New("none of your groups at the provider gives a role here. Ask those who run it, or sign in another way")
)

// Provider returns where people sign in elsewhere, nil when there is no such place.
func (d *Desk) Provider() *signin.Provider { return d.ways.provider }

// Welcome signs in who came from the provider.
func (d *Desk) Welcome(s signin.Stranger, address, session string) (Accepted, error) {
	net := d.vault.Hash("network", network(address))
	a, err := d.welcome(s)
	if err != nil {
		return Accepted{}, errors.Join(err, d.refuse(net))
	}
	return a, d.accepted(a, net, session, false)
}

func (d *Desk) welcome(s signin.Stranger) (Accepted, error) {
	for _, id := range d.waysOf() {
		c, err := d.Credentials(id)
		if err != nil {
			return Accepted{}, err
		}
		for _, l := range c.Links {
			p, here := d.Person(id)
			if l.Issuer != s.Issuer || l.Subject != s.Subject || !here {
				continue
			}
			a := Accepted{Actor: Actor(p), Method: "oidc", Second: s.Second, Until: time.Now().Add(signin.ProviderTime).UTC()}
			if d.ways.provider.Mapped() {
				if len(s.Roles) == 0 {
					return a, ErrNoGroup
				}
				a.Actor.Roles, a.Given = s.Roles, true
			}
			return a, nil
		}
	}
	id, ok := d.byMail(s.Mail)
	if !ok {
		return Accepted{}, ErrStranger
	}
	err := d.scratch.Put(wishKind, id, Wish{s.Issuer, s.Subject, s.Name, time.Now().UTC()}, time.Now().Add(wishTime))
	return Accepted{}, errors.Join(err, ErrWaits)
}

// byMail finds the one person with a mail address.
func (d *Desk) byMail(address string) (id string, ok bool) {
	if address == "" {
		return "", false
	}
	var people []entry.Person
	d.Read(func(s *State) {
		for _, p := range s.Plan.People {
			if !p.Gone {
				people = append(people, p)
			}
		}
	})
	n := 0
	for _, p := range people {
		if strings.EqualFold(d.People.Get(p.Vault).Mail, address) {
			id, n = p.ID, n+1
		}
	}
	return id, n == 1
}

// Wish returns who waits to be linked to a person.
func (d *Desk) Wish(person string) (w Wish, ok bool) {
	var raw json.RawMessage
	ok = d.scratch.Get(wishKind, person, time.Now(), &raw) && json.Unmarshal(raw, &w) == nil
	return w, ok
}

// ConfirmLink pins the account that waits to a person. subject is the one that was looked at: another may have come since.
func (d *Desk) ConfirmLink(actor auth.Actor, person, subject string) error {
	if err := keepsAccounts(actor); err != nil {
		return err
	}
	w, ok := d.Wish(person)
	if _, here := d.Person(person); !ok || !here || w.Subject != subject {
		return signin.ErrUnknown
	}
	if err := d.pin(actor, person, w.Issuer, w.Subject); err != nil {
		return err
	}
	d.scratch.Delete(wishKind, person)
	return nil
}

// LinkOwn pins an account, from which who asks has just come, to them.
func (d *Desk) LinkOwn(actor auth.Actor, s signin.Stranger) error {
	if err := d.own(actor); err != nil {
		return err
	}
	return d.pin(actor, actor.ID, s.Issuer, s.Subject)
}

func (d *Desk) pin(actor auth.Actor, person, issuer, subject string) error {
	for _, id := range d.waysOf() {
		c, err := d.Credentials(id)
		if err != nil {
			return err
		}
		for _, l := range c.Links {
			if _, here := d.Person(id); here && id != person && l.Issuer == issuer && l.Subject == subject {
				return FieldError{"", fmt.Sprintf("This account is linked to somebody else already (%s).", id)}
			}
		}
	}
	return d.change(person, func(c signin.Credentials) (signin.Credentials, error) {
		return c.WithLink(signin.Link{Issuer: issuer, Subject: subject, Made: time.Now().UTC(), By: actor.Name})
	}, func(ref string, _ signin.Credentials) entry.Draft {
		return credentialDraft(entry.CredentialAdded, actor, entry.Credential{ID: person, Kind: linkKind, Vault: ref})
	})
}

// Unlink unpins the account number n, from 0, of who asks.
func (d *Desk) Unlink(actor auth.Actor, n int) error {
	if err := d.own(actor); err != nil {
		return err
	}
	return d.change(actor.ID, func(c signin.Credentials) (signin.Credentials, error) {
		next, _, err := c.WithoutLink(n, d.HasPassword(actor.ID))
		return next, err
	}, func(ref string, _ signin.Credentials) entry.Draft {
		return credentialDraft(entry.CredentialRemoved, actor, entry.Credential{ID: actor.ID, Kind: linkKind, Vault: ref})
	})
}

// Secret signs the links of the desk, and the cookies by which a face knows a browser again.
func (d *Desk) Secret() []byte { return d.secret }
