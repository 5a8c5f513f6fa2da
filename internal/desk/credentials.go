package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

// # Credentials
//
// What a person signs in with, but for the password, is one value (signin.Credentials) in one vault object. A change reads it, has package
// signin decide, puts the new value into the vault, writes the entry that names it, and then destroys the old object: a secret that was removed is not
// kept. Two changes come one after the other. What may be lost lies in scratch: last use, a passkey's counter, the newest step of an app.

// The kinds of credentials, in entries.
const (
	passkeyKind  = "passkey"
	appKind      = "totp"
	recoveryKind = "recovery"
	linkKind     = "oidc"
	everyFactor  = "all"
)

const (
	usedKind  = "used"               // in scratch: when something was used last
	stepKind  = "totp step"          // in scratch: the newest step of an app of which a code was used
	stepsKind = "totp steps"         // in scratch: the last few of which codes were used
	stepsKept = 4                    // more than there are codes of an app that can be right at one time
	usedTime  = 400 * 24 * time.Hour // how long that is known
	stepTime  = 24 * time.Hour
)

// ways remembers the credentials that were read from the vault.
type ways struct {
	changing sync.Mutex // held while credentials are changed, or something of them is used up
	mu       sync.Mutex
	by       map[string]way
	keys     *signin.Passkeys
	noKeys   error // why there are no passkeys here
	provider *signin.Provider
}

type way struct {
	ref string
	c   signin.Credentials
}

// openWays prepares how people prove who they are.
func (d *Desk) openWays() (err error) {
	d.ways.by = map[string]way{}
	d.ways.keys, d.ways.noKeys = signin.NewPasskeys(d.o.URL)
	if c := d.o.SignOn; c != nil {
		full := *c
		full.Known = plan.Roles()
		if full.Redirect == "" {
			full.Redirect = d.o.URL + "/sign-in/provider/back"
		}
		d.ways.provider, err = signin.NewProvider(full)
	}
	return err
}

// Credentials returns what a person signs in with, but for the password.
func (d *Desk) Credentials(person string) (signin.Credentials, error) {
	c, _, err := d.credentials(person)
	return c, err
}

func (d *Desk) credentials(person string) (c signin.Credentials, ref string, err error) {
	d.Read(func(s *State) { ref = s.Identity.Ways[person] })
	if ref == "" {
		c, err = signin.ParseCredentials(nil)
		return c, "", err
	}
	d.ways.mu.Lock()
	defer d.ways.mu.Unlock()
	if w, ok := d.ways.by[person]; ok && w.ref == ref {
		return w.c, ref, nil
	}
	raw, err := d.vault.Get(ref)
	if err == nil {
		c, err = signin.ParseCredentials(raw)
	}
	if err != nil {
		return c, ref, fmt.Errorf("reading the credentials of %s: %w", person, err)
	}
	d.ways.by[person] = way{ref, c}
	return c, ref, nil
}

// change has a person's credentials decided on, kept and written down. draft gets the vault object that the entry names.
func (d *Desk) change(person string, decide func(signin.Credentials) (signin.Credentials, error), draft func(ref string, c signin.Credentials) entry.Draft) error {
	d.ways.changing.Lock()
	defer d.ways.changing.Unlock()
	return d.changeLocked(person, decide, draft)
}

func (d *Desk) changeLocked(person string, decide func(signin.Credentials) (signin.Credentials, error), draft func(ref string, c signin.Credentials) entry.Draft) error {
	old, oldRef, err := d.credentials(person)
	if err != nil {
		return err
	}
	next, err := decide(old)
	if err != nil {
		return err
	}
	raw, err := next.Bytes()
	if err != nil {
		return err
	}
	ref, err := d.vault.Put(raw)
	if err != nil {
		return fmt.Errorf("keeping the credentials of %s: %w", person, err)
	}
	err = d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		if p, ok := s.Plan.People[person]; !ok || p.Gone || s.Identity.Ways[person] != oldRef {
			return nil, signin.ErrUnknown
		}
		return []entry.Draft{draft(ref, next)}, nil
	})
	gone := oldRef
	if err != nil {
		gone = ref
	}
	if gone != "" {
		if e := d.erase([]string{gone}); e != nil {
			d.log.Error("an older state of somebody's credentials is still in the vault", "error", e)
		}
	}
	return err
}

// own says whether an actor may change their own ways in: a person of the team, by themselves, not by a token.
func (d *Desk) own(actor auth.Actor) error {
	if _, ok := d.Person(actor.ID); !ok || actor.Scope != nil {
		return auth.Refusal{Actor: actor.Name, Action: "change how they sign in"}
	}
	return auth.May(actor, auth.Own)
}

// HasPassword reports whether a person has one.
func (d *Desk) HasPassword(person string) (has bool) {
	d.Read(func(s *State) { has = s.Plan.Passwords[person] != "" })
	return has
}

func credentialDraft(k entry.Kind, actor auth.Actor, x entry.Credential) entry.Draft {
	return entry.Draft{Actor: actor.Name, Kind: k, Subject: "person:" + x.ID, Body: x}
}

// Passkeys returns why there can be no passkeys at the console's address, or nil.
func (d *Desk) Passkeys() error { return d.ways.noKeys }

// A Registration is a passkey that is being made.
type Registration struct {
	challenge signin.Challenge
	with      signin.Credentials
}

// BeginPasskey begins to make a passkey for who asks. options is what the browser needs, as JSON.
func (d *Desk) BeginPasskey(actor auth.Actor) (options []byte, r Registration, err error) {
	if err := errors.Join(d.own(actor), d.ways.noKeys); err != nil {
		return nil, r, err
	}
	c, err := d.Credentials(actor.ID)
	if err != nil {
		return nil, r, err
	}
	r.with = c.WithHandle()
	name := actor.ID
	if p, ok := d.Person(actor.ID); ok {
		name = d.People.Get(p.Vault).Name
	}
	options, r.challenge, err = d.ways.keys.Register(r.with, actor.ID, name)
	return options, r, err
}

// AddPasskey ends it with the browser's response.
func (d *Desk) AddPasskey(actor auth.Actor, r Registration, name string, response []byte) error {
	if err := errors.Join(d.own(actor), d.ways.noKeys); err != nil {
		return err
	}
	p, err := d.ways.keys.Registered(r.with, actor.ID, r.challenge, name, response, time.Now())
	if err != nil {
		return err
	}
	return d.change(actor.ID, func(c signin.Credentials) (signin.Credentials, error) {
		if len(c.Handle) == 0 {
			c.Handle = r.with.Handle
		}
		if !bytes.Equal(c.Handle, r.with.Handle) { // two first ones at once
			return c, signin.ErrCeremony
		}
		return c.WithPasskey(p)
	}, func(ref string, _ signin.Credentials) entry.Draft {
		return credentialDraft(entry.CredentialAdded, actor, entry.Credential{ID: actor.ID, Kind: passkeyKind, Key: p.ID, Vault: ref})
	})
}

// RemovePasskey removes a passkey of who asks.
func (d *Desk) RemovePasskey(actor auth.Actor, id string) error {
	if err := d.own(actor); err != nil {
		return err
	}
	return d.change(actor.ID, func(c signin.Credentials) (signin.Credentials, error) {
		next, _, err := c.WithoutPasskey(id, d.HasPassword(actor.ID))
		return next, err
	}, func(ref string, _ signin.Credentials) entry.Draft {
		return credentialDraft(entry.CredentialRemoved, actor, entry.Credential{ID: actor.ID, Kind: passkeyKind, Key: id, Vault: ref})
	})
}

// AddApp takes an authenticator app of who asks, if code proves that the app has the secret.
func (d *Desk) AddApp(actor auth.Actor, a signin.Authenticator, code string) error {
	if err := d.own(actor); err != nil {
		return err
	}
	step, ok := a.Check(code, time.Now(), 0)
	if !ok {
		return FieldError{"app-code", "This is not the code that the app shows now. Does the clock of the phone go right?"}
	}
	d.ways.changing.Lock()
	defer d.ways.changing.Unlock()
	err := d.changeLocked(actor.ID, func(c signin.Credentials) (signin.Credentials, error) { return c.WithApp(a), nil },
		func(ref string, _ signin.Credentials) entry.Draft {
			return credentialDraft(entry.CredentialAdded, actor, entry.Credential{ID: actor.ID, Kind: appKind, Vault: ref})
		})
	if err != nil {
		return err
	}
	return d.usedStep(actor.ID, step)
}

// RemoveApp removes the authenticator app of who asks.
func (d *Desk) RemoveApp(actor auth.Actor) error {
	if err := d.own(actor); err != nil {
		return err
	}
	return d.change(actor.ID, signin.Credentials.WithoutApp, func(ref string, _ signin.Credentials) entry.Draft {
		return credentialDraft(entry.CredentialRemoved, actor, entry.Credential{ID: actor.ID, Kind: appKind, Vault: ref})
	})
}

// NewRecovery makes new recovery codes for who asks, and returns them: it is the only time.
func (d *Desk) NewRecovery(actor auth.Actor) (codes []string, err error) {
	if err := d.own(actor); err != nil {
		return nil, err
	}
	err = d.change(actor.ID, func(c signin.Credentials) (signin.Credentials, error) {
		next, shown, err := c.WithRecovery()
		codes = shown
		return next, err
	}, func(ref string, c signin.Credentials) entry.Draft {
		return credentialDraft(entry.CredentialAdded, actor, entry.Credential{ID: actor.ID, Kind: recoveryKind, Vault: ref, Left: len(c.Recovery)})
	})
	return codes, err
}

// RemoveFactors takes everything from a person but the password and the account of the provider: they have lost their phone and their codes. Who
// keeps the team does it, and hands over a one-time link, too.
func (d *Desk) RemoveFactors(actor auth.Actor, person string) error {
	if err := keepsAccounts(actor); err != nil {
		return err
	}
	if _, ok := d.Person(person); !ok {
		return signin.ErrUnknown
	}
	return d.change(person, func(c signin.Credentials) (signin.Credentials, error) {
		if !c.Second() && len(c.Tokens) == 0 {
			return c, signin.ErrUnknown
		}
		return c.WithoutFactors(), nil
	}, func(ref string, _ signin.Credentials) entry.Draft {
		return credentialDraft(entry.CredentialRemoved, actor, entry.Credential{ID: person, Kind: everyFactor, Vault: ref})
	})
}

// ChangePassword gives who asks a new password, if they know the one that they have.
func (d *Desk) ChangePassword(ctx context.Context, actor auth.Actor, current, password string) error {
	if err := d.own(actor); err != nil {
		return err
	}
	if d.HasPassword(actor.ID) {
		if _, _, err := d.checkPassword(ctx, actor.ID, current); err != nil {
			if errors.Is(err, ErrWrong) {
				return FieldError{"current", "This is not your password."}
			}
			return err
		}
	}
	return d.SetPassword(ctx, actor, actor.ID, password)
}

// EndedSessions writes down that somebody ended sessions of a person. session is which; "" is all but their own.
func (d *Desk) EndedSessions(actor auth.Actor, person, session string, count int) error {
	return d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: actor.Name, Kind: entry.SessionRevoked, Subject: "person:" + person, Body: entry.SessionEnd{Person: person, Session: session, Count: count}}}, nil
	})
}

// A LastUse is when something was used last: of a passkey with its counter, of a token to the day.
type LastUse struct {
	At     time.Time `json:"at"`
	Count  uint32    `json:"count,omitempty"`
	Cloned bool      `json:"cloned,omitempty"`
}

// LastUse returns when a passkey or a token of a person was used last; the zero LastUse is not known.
func (d *Desk) LastUse(person, id string) LastUse {
	var raw json.RawMessage
	var u LastUse
	if !d.scratch.Get(usedKind, person+" "+id, time.Now(), &raw) || json.Unmarshal(raw, &u) != nil {
		return LastUse{}
	}
	return u
}

func (d *Desk) used(person, id string, u LastUse) error {
	return d.scratch.Put(usedKind, person+" "+id, u, time.Now().Add(usedTime))
}

// usedStep remembers the newest step of an app, at once: the code must not work again after a crash. The few before it say which older codes were used.
func (d *Desk) usedStep(person string, step int64) error {
	now, steps := time.Now(), []int64{}
	d.scratch.Get(stepsKind, person, now, &steps)
	steps = append(steps, step)
	if err := d.scratch.Put(stepsKind, person, steps[max(0, len(steps)-stepsKept):], now.Add(stepTime)); err != nil {
		return err
	}
	if err := d.scratch.Put(stepKind, person, step, now.Add(stepTime)); err != nil {
		return err
	}
	return d.scratch.Flush(now)
}

// usedBefore reports whether the code of a step of an app is known to have been used.
func (d *Desk) usedBefore(person string, step, last int64) bool {
	var steps []int64
	return step == last || d.scratch.Get(stepsKind, person, time.Now(), &steps) && slices.Contains(steps, step)
}
