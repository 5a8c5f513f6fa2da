package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/signin"
)

// # Signing in
//
// A face has the proof checked, and gets an Accepted from which it begins a session. The entry is written before. Throttling is the face's: it
// knows the browser.

// A Proof is a password, and a code when the person has a second factor.
type Proof struct {
	ID, Password string
	Code         string // of the authenticator app, or a recovery code
	Address      string // from where
	Session      string // name of the session that will begin; "" of none
}

// An Accepted sign-in.
type Accepted struct {
	Actor  auth.Actor
	Method string    // password, password+code, password+recovery, passkey, oidc, breakglass
	Second bool      // by a second factor
	Given  bool      // the roles are those of the provider's groups
	Until  time.Time // the session ends then at the latest; zero is no such end
	Left   int       // recovery codes that are left, when one was used
}

// What callers branch on. ErrWrong is the answer to a wrong id and to a wrong password alike.
var (
	// ErrBusy says that too many passwords are looked at in this moment.
	ErrBusy     = signin.ErrBusy
	ErrWrong    = errors.New("the id or the password is wrong")
	ErrNeedCode = errors.New("type the code of your authenticator app, or one of your recovery codes, too; or sign in with your passkey")
	ErrCode     = errors.New("the code is wrong, or was used already: wait for the next one")
	ErrOldCode  = errors.New("the code is an older one than the last that you used, and works no more: type the one that the app shows now")
)

// SignIn checks a password and returns who it is. Throttling is the caller's.
func (d *Desk) SignIn(ctx context.Context, id, password, address string) (auth.Actor, error) {
	a, err := d.Prove(ctx, Proof{ID: id, Password: password, Address: address})
	return a.Actor, err
}

// Prove checks a proof and writes down the sign-in. Errors: ErrWrong; ErrNeedCode and ErrCode only to who knows the password; signin.ErrBusy.
func (d *Desk) Prove(ctx context.Context, p Proof) (Accepted, error) {
	x, rehash, err := d.checkPassword(ctx, p.ID, p.Password)
	net := d.vault.Hash("network", network(p.Address))
	if errors.Is(err, ErrWrong) {
		return Accepted{}, errors.Join(ErrWrong, d.refuse(net))
	}
	if err != nil {
		return Accepted{}, err
	}
	a := Accepted{Actor: Actor(x), Method: "password"}
	if err := d.checkCode(p.ID, p.Code, net, &a); err != nil {
		if errors.Is(err, ErrCode) {
			err = errors.Join(err, d.refuse(net))
		}
		return Accepted{}, err
	}
	if err := d.accepted(a, net, p.Session, false); err != nil {
		return Accepted{}, err
	}
	if rehash {
		if err := d.hashAnew(ctx, p.ID, p.Password); err != nil {
			d.log.Error("hashing a password anew", "error", err)
		}
	}
	return a, nil
}

// checkPassword returns whose password it is, and whether it should be hashed anew. It takes as long for an id that nobody has.
func (d *Desk) checkPassword(ctx context.Context, id, password string) (x entry.Person, rehash bool, err error) {
	var ref string
	d.Read(func(s *State) { ref, x = s.Plan.Passwords[id], s.Plan.People[id] })
	phc := d.nobody // so that an unknown id takes as long as a wrong password
	if ref != "" && !x.Gone {
		b, err := d.vault.Get(ref)
		if err != nil {
			return x, false, fmt.Errorf("reading the password: %w", err)
		}
		phc = string(b)
	}
	ok, rehash, err := d.passwords.Check(ctx, phc, password)
	if err == nil && (!ok || ref == "" || x.Gone) {
		err = ErrWrong
	}
	return x, rehash, err
}

// hashAnew keeps a password with the cost of today.
func (d *Desk) hashAnew(ctx context.Context, id, password string) error {
	var old string
	d.Read(func(s *State) { old = s.Plan.Passwords[id] })
	phc, err := d.passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	ref, err := d.vault.Put([]byte(phc))
	if err != nil {
		return err
	}
	took := false
	err = d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		if took = s.Plan.Passwords[id] == old; !took {
			return nil, nil // it was changed meanwhile
		}
		x, err := s.Plan.SetPassword("desk", id, ref)
		return []entry.Draft{x}, err
	})
	if err == nil && took {
		err = d.erase([]string{old}) // the weaker one is of no use any more, but to a thief
	}
	return err
}

// checkCode checks the second factor of somebody whose password is right. What works once is used up here.
func (d *Desk) checkCode(id, code, net string, a *Accepted) error {
	d.ways.changing.Lock()
	defer d.ways.changing.Unlock()
	c, err := d.Credentials(id)
	if err != nil {
		return err
	}
	if !c.Second() {
		return nil
	}
	if code == "" {
		return ErrNeedCode
	}
	now := time.Now()
	if c.App != nil {
		var last int64
		d.scratch.Get(stepKind, id, now, &last)
		if step, ok := c.App.Check(code, now, last); ok {
			a.Method, a.Second = "password+code", true
			return d.usedStep(id, step)
		}
		if step, right := c.App.Check(code, now, 0); right && !d.usedBefore(id, step, last) { // nobody is known to have used it, but it may be of who read it over a shoulder
			return errors.Join(ErrCode, ErrOldCode)
		} else if right { // it was used already
			return errors.Join(ErrCode, d.replayed(id, step, net))
		}
	}
	if _, ok := c.Recover(code); !ok {
		return ErrCode
	}
	err = d.changeLocked(id, func(c signin.Credentials) (signin.Credentials, error) {
		next, ok := c.Recover(code)
		if !ok {
			return c, ErrCode
		}
		a.Left = len(next.Recovery)
		return next, nil
	}, func(ref string, c signin.Credentials) entry.Draft {
		return credentialDraft(entry.CredentialRemoved, a.Actor, entry.Credential{ID: id, Kind: recoveryKind, Vault: ref, Left: len(c.Recovery), Used: true})
	})
	a.Method, a.Second = "password+recovery", true
	return err
}

// accepted writes down a sign-in.
func (d *Desk) accepted(a Accepted, net, session string, cloned bool) error {
	x := entry.Signin{ID: a.Actor.ID, Net: net, Method: a.Method, Session: session, Cloned: cloned}
	if a.Given {
		x.Roles = a.Actor.Roles
	}
	return d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: a.Actor.Name, Kind: entry.SignedIn, Subject: "person:" + a.Actor.ID, Body: x}}, nil
	})
}

// AskPasskey begins to ask a browser for a passkey. options is what it needs, as JSON.
func (d *Desk) AskPasskey() (options []byte, ch signin.Challenge, err error) {
	if d.ways.noKeys != nil {
		return nil, ch, d.ways.noKeys
	}
	return d.ways.keys.Ask()
}

// ProvePasskey checks the browser's response and writes down the sign-in. What proves nothing is signin.ErrPasskey.
func (d *Desk) ProvePasskey(ch signin.Challenge, response []byte, address, session string) (Accepted, error) {
	net := d.vault.Hash("network", network(address))
	x, p, err := d.checkPasskey(ch, response)
	if signin.ErrPasskey(err) {
		return Accepted{}, errors.Join(err, d.refuse(net))
	}
	if err != nil {
		return Accepted{}, err
	}
	a := Accepted{Actor: Actor(x), Method: "passkey", Second: !p.Cloned}
	return a, d.accepted(a, net, session, p.Cloned)
}

func (d *Desk) checkPasskey(ch signin.Challenge, response []byte) (x entry.Person, p signin.Proved, err error) {
	if d.ways.noKeys != nil {
		return x, p, d.ways.noKeys
	}
	d.ways.changing.Lock() // two responses at once see the counter one after the other
	defer d.ways.changing.Unlock()
	p, err = d.ways.keys.Answer(ch, response, d.byHandle, func(person, key string) uint32 { return d.LastUse(person, key).Count })
	if err != nil {
		return x, p, err
	}
	x, ok := d.Person(p.Person)
	if !ok {
		return x, p, signin.ErrUnknown
	}
	if p.Cloned {
		d.log.Warn("the counter of a passkey did not grow: somebody may have a copy of it", "person", p.Person, "passkey", p.Passkey.ID)
	}
	before := d.LastUse(p.Person, p.Passkey.ID)
	return x, p, d.used(p.Person, p.Passkey.ID, LastUse{At: time.Now().UTC(), Count: max(before.Count, p.Count), Cloned: before.Cloned || p.Cloned})
}

// byHandle finds whose a user handle is, among those who are on the team.
func (d *Desk) byHandle(handle []byte) (person string, c signin.Credentials, ok bool) {
	want := signin.HandleText(handle)
	for _, id := range d.waysOf() {
		x, err := d.Credentials(id)
		if err == nil && len(x.Handle) > 0 && signin.HandleText(x.Handle) == want {
			if _, here := d.Person(id); here {
				return id, x, true
			}
		}
	}
	return "", c, false
}

// waysOf lists the people who have credentials.
func (d *Desk) waysOf() (ids []string) {
	d.Read(func(s *State) {
		for id := range s.Identity.Ways {
			ids = append(ids, id)
		}
	})
	return ids
}

// ProveAgain checks once more that it is who is signed in: by the code when they have an app or recovery codes, else by the password. It says
// whether that was a second factor.
func (d *Desk) ProveAgain(ctx context.Context, actor auth.Actor, p Proof) (second bool, err error) {
	if err := d.own(actor); err != nil {
		return false, err
	}
	a := Accepted{Actor: actor}
	c, err := d.Credentials(actor.ID)
	if err != nil {
		return false, err
	}
	net := d.vault.Hash("network", network(p.Address))
	if c.Second() {
		if err = d.checkCode(actor.ID, p.Code, net, &a); errors.Is(err, ErrCode) {
			err = errors.Join(err, d.refuse(net))
		}
		return a.Second, err
	}
	if _, _, err = d.checkPassword(ctx, actor.ID, p.Password); errors.Is(err, ErrWrong) {
		err = errors.Join(err, d.refuse(net))
	}
	return false, err
}

// ProvePasskeyAgain is ProveAgain by a passkey, which must be one of who is signed in.
func (d *Desk) ProvePasskeyAgain(actor auth.Actor, ch signin.Challenge, response []byte, address string) (second bool, err error) {
	if err := d.own(actor); err != nil {
		return false, err
	}
	x, p, err := d.checkPasskey(ch, response)
	if err == nil && x.ID != actor.ID {
		err = FieldError{"", "This passkey is somebody else's."}
	}
	if err != nil && !errors.Is(err, d.ways.noKeys) {
		err = errors.Join(err, d.refuse(d.vault.Hash("network", network(address))))
	}
	return err == nil && !p.Cloned, err
}
