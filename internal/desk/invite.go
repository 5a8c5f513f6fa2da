package desk

import (
	"context"
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

// inviteWithin is how long a link works that lets somebody choose a password, and firstWithin the one of the first setup.
const (
	inviteWithin = 24 * time.Hour
	firstWithin  = 24 * time.Hour
)

// Invited is who a setup link is for. The zero Invited is the first person of a new Tocsin.
type Invited struct {
	ID, Name string
}

// SetupLink returns the one-time link of the first setup.
func (d *Desk) SetupLink(now time.Time) string {
	return d.o.URL + "/setup/" + signin.Sign(d.secret, "setup", "first", "", now.Add(firstWithin))
}

// Invite returns a one-time link by which a person of the team chooses a password. That it was made is an entry. It works until the password is changed or the
// person goes: what it signs names the password that it replaces.
func (d *Desk) Invite(actor auth.Actor, id string) (string, error) {
	if err := keepsAccounts(actor); err != nil {
		return "", err
	}
	if _, ok := d.Person(id); !ok {
		return "", FieldError{"", "nobody on the team has the id " + id}
	}
	until := time.Now().Add(inviteWithin)
	err := d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: actor.Name, Kind: entry.PersonInvited, Subject: "person:" + id, Body: entry.Invitation{ID: id, Until: until.UTC()}}}, nil
	})
	if err != nil {
		return "", err
	}
	return d.o.URL + "/setup/" + signin.Sign(d.secret, "setup", d.placeOf(id), id, until), nil
}

// keepsAccounts says whether an actor may open the account of somebody else: those who keep the team, by themselves. A token that could would be worth more
// than its scope, because whoever holds it could sign in as anybody.
func keepsAccounts(actor auth.Actor) error {
	if actor.Scope != nil {
		return auth.Refusal{Actor: actor.Name, Action: auth.Team}
	}
	return auth.May(actor, auth.Team)
}

// placeOf names what an invitation replaces: the password, and since when the person is on the team.
func (d *Desk) placeOf(id string) (place string) {
	d.Read(func(s *State) { place = placeIn(&s.Plan, id) })
	return place
}

func placeIn(p *plan.Plan, id string) string {
	return fmt.Sprintf("password:%s@%d", p.Passwords[id], p.Left[id])
}

// OpenSetup checks a setup link and says whom it is for.
func (d *Desk) OpenSetup(token string) (Invited, error) {
	c, err := signin.Open(d.secret, "setup", token, time.Now())
	if err != nil {
		return Invited{}, err
	}
	if c.Person == "" {
		if !d.NeedsSetup() {
			return Invited{}, ErrSetUp
		}
		return Invited{}, nil
	}
	p, ok := d.Person(c.Person)
	if !ok || c.Subject != d.placeOf(c.Person) {
		return Invited{}, signin.ErrExpired
	}
	return Invited{ID: p.ID, Name: d.People.Get(p.Vault).Name}, nil
}

// TakeInvite gives the person of a setup link a password. The link is used up by it, in the same write.
func (d *Desk) TakeInvite(ctx context.Context, token, password string) error {
	who, err := d.OpenSetup(token)
	if err != nil {
		return err
	}
	before := d.placeOf(who.ID)
	ref, err := d.keepPassword(ctx, who.ID, password)
	if err != nil {
		return err
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		if placeIn(&s.Plan, who.ID) != before {
			return nil, signin.ErrExpired
		}
		x, err := s.Plan.SetPassword("person:"+who.ID, who.ID, ref)
		return []entry.Draft{x}, err
	})
}
