package desk

import (
	"errors"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/signin"
)

// MakeToken gives who asks a token for programs, and returns it: it is the only time. scope is what it may do, of what its owner may; it
// works for days.
func (d *Desk) MakeToken(actor auth.Actor, name string, scope []auth.Action, days int) (token string, err error) {
	if err := d.own(actor); err != nil {
		return "", err
	}
	var made signin.APIToken
	err = d.change(actor.ID, func(c signin.Credentials) (next signin.Credentials, err error) {
		next, made, token, err = c.MakeToken(actor, name, scope, days, time.Now())
		return next, err
	}, func(ref string, _ signin.Credentials) entry.Draft {
		x := entry.Token{ID: made.ID, Person: actor.ID, Expires: made.Expires, Vault: ref}
		for _, a := range made.Scope {
			x.Scope = append(x.Scope, string(a))
		}
		return entry.Draft{Actor: actor.Name, Kind: entry.TokenMade, Subject: "token:" + made.ID, Body: x}
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// RevokeToken ends a token of a person: one's own, or, of those who keep the team, anybody's.
func (d *Desk) RevokeToken(actor auth.Actor, person, id string) error {
	need := auth.Team
	if actor.ID == person && actor.Scope == nil {
		need = auth.Own
	}
	if err := auth.May(actor, need); err != nil {
		return err
	}
	return d.change(person, func(c signin.Credentials) (signin.Credentials, error) {
		next, _, err := c.RevokeToken(id)
		return next, err
	}, func(ref string, _ signin.Credentials) entry.Draft {
		return entry.Draft{Actor: actor.Name, Kind: entry.TokenRevoked, Subject: "token:" + id, Body: entry.Token{ID: id, Person: person, Vault: ref}}
	})
}

// ErrToken is the answer to every token that opens nothing.
var ErrToken = errors.New("the token is wrong, has expired, or was revoked: make a new one under How you sign in")

// TokenActor returns who acts by a token: its owner, with the owner's roles of now, bounded by the token's scope. Its use is noted to the day.
func (d *Desk) TokenActor(token string, now time.Time) (auth.Actor, error) {
	hash, err := signin.APITokenHash(token)
	if err != nil {
		return auth.Actor{}, errors.Join(ErrToken, err)
	}
	var owner string
	var found signin.APIToken
	second := false
	for _, id := range d.waysOf() { // all of them, so that the time does not depend on whose it is
		c, err := d.Credentials(id)
		if err != nil {
			return auth.Actor{}, err
		}
		if t, ok := c.FindToken(hash, now); ok {
			owner, found, second = id, t, c.Second()
		}
	}
	p, ok := d.Person(owner)
	if !ok {
		return auth.Actor{}, ErrToken
	}
	if day := now.UTC().Truncate(24 * time.Hour); !d.LastUse(owner, found.ID).At.Equal(day) {
		if err := d.used(owner, found.ID, LastUse{At: day}); err != nil {
			return auth.Actor{}, err
		}
	}
	a := Actor(p)
	a.Weak = !second && d.Grace(owner, now).IsZero()
	a.Scope, a.Via = found.Scope, "token:"+found.ID
	return a, nil
}

// RefuseToken counts a token that opened nothing as a refused sign-in: an entry at the first of a network and hour, and at each tenfold.
func (d *Desk) RefuseToken(address string) error {
	return d.refuseFrom(&d.tokensFrom, d.vault.Hash("network", network(address)), "others with tokens")
}
