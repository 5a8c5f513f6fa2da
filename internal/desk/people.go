package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

// AddPerson adds a member of the team under an id that was never used: what the ledger says of somebody who went stays theirs.
func (d *Desk) AddPerson(actor auth.Actor, id string, roles []string, c Contact) error {
	if err := auth.May(actor, auth.Team); err != nil {
		return err
	}
	taken := FieldError{"id", Title(plan.ErrTaken.Error()) + "."}
	used := false
	d.Read(func(s *State) { _, used = s.Plan.People[id] })
	if used {
		return taken // before anything is kept of it
	}
	x, err := d.person(id, roles, c, false)
	if err != nil {
		return err
	}
	if err := d.twoForPower(actor, x, true, func(*State) error { return nil }); err != nil {
		return err
	}
	err = d.do(actor, auth.Team, func(s *State, _ time.Time) (entry.Draft, error) {
		return s.Plan.Add(actor.Name, x)
	})
	if errors.Is(err, plan.ErrTaken) {
		return taken
	}
	return err
}

// ErrMoved says that somebody else changed a person since that was read what a change was made from. Nothing was done: it would undo the other change.
var ErrMoved = errors.New("somebody else changed this person meanwhile, so nothing was done: look at them as they are now, and make the change again")

// PutPerson changes a member of the team whatever they were, or adds one. Who is gone may not sign in, and comes back without a password.
func (d *Desk) PutPerson(actor auth.Actor, id string, roles []string, c Contact, gone bool) error {
	return d.putPerson(actor, id, roles, c, gone, nil)
}

// ChangePerson is PutPerson of a change that was made from was, the person as it was read. Errors: ErrMoved when it is another by now.
func (d *Desk) ChangePerson(actor auth.Actor, was entry.Person, roles []string, c Contact, gone bool) error {
	return d.putPerson(actor, was.ID, roles, c, gone, &was)
}

func (d *Desk) putPerson(actor auth.Actor, id string, roles []string, c Contact, gone bool, was *entry.Person) error {
	moved := func(s *State) error {
		if was != nil && !reflect.DeepEqual(*was, s.Plan.People[id]) {
			return ErrMoved
		}
		return nil
	}
	if err := auth.May(actor, auth.Team); err != nil {
		return err
	}
	x, err := d.person(id, roles, c, gone)
	if err != nil {
		return err
	}
	if err := d.twoForPower(actor, x, false, moved); err != nil {
		return err
	}
	ways := ""
	err = d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		if err := moved(s); err != nil {
			return nil, err
		}
		ways = s.Identity.Ways[id]
		put, err := s.Plan.Put(actor.Name, x)
		return append([]entry.Draft{put}, rezoned(s, actor.Name, id, c.Zone)...), err
	})
	if err == nil && gone && ways != "" {
		if e := d.erase([]string{ways}); e != nil {
			d.log.Error("the credentials of somebody who is gone are still in the vault", "error", e)
		}
	}
	return err
}

// twoForPower asks for a second person when somebody would become commander, engineer or administrator. Until then nothing of the person changes. still is looked at with what the person was.
func (d *Desk) twoForPower(actor auth.Actor, x entry.Person, add bool, still func(*State) error) (err error) {
	if actor.Local {
		return nil
	}
	gives, was := false, entry.Person{}
	d.Read(func(s *State) {
		was = s.Plan.People[x.ID]
		if err = still(s); err != nil {
			return
		}
		if gives = power(s, x); gives && add {
			_, err = s.Plan.Add(actor.Name, x)
		} else if gives {
			_, err = s.Plan.Put(actor.Name, x)
		}
	})
	if err != nil || !gives {
		return err
	}
	return d.askFor(actor, auth.GivePower, demand{About: "person:" + x.ID, Person: &x, Was: &was, Add: add, Why: "roles: " + strings.Join(x.Roles, ", ")})
}

// person checks a contact and puts it into the vault.
func (d *Desk) person(id string, roles []string, c Contact, gone bool) (entry.Person, error) {
	x := entry.Person{ID: id, Roles: roles, Gone: gone}
	if err := plan.CheckID(id); err != nil {
		return x, FieldError{"id", Title(err.Error()) + "."}
	}
	if strings.TrimSpace(c.Name) == "" {
		return x, FieldError{"name", "A person needs a name."}
	}
	if err := checkWays(c); err != nil {
		return x, err
	}
	x.Channels = channelsOf(c)
	x.Moved = d.addressesMoved(id, c)
	if err := d.slackID(id, c.Slack); err != nil {
		return x, err
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return x, FieldError{"zone", fmt.Sprintf("Unknown time zone %q; an example is Europe/Berlin.", c.Zone)}
	}
	b, err := json.Marshal(c)
	if err != nil {
		return x, err
	}
	if x.Vault, err = d.vault.Put(b); err != nil {
		return x, fmt.Errorf("keeping the contact: %w", err)
	}
	return x, nil
}

// SetPassword gives a person a new password. People may change their own; those who keep the team, everybody's.
func (d *Desk) SetPassword(ctx context.Context, actor auth.Actor, id, password string) error {
	if actor.ID != id || actor.Scope != nil {
		if err := keepsAccounts(actor); err != nil {
			return err
		}
	}
	ref, err := d.keepPassword(ctx, id, password)
	if err != nil {
		return err
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		x, err := s.Plan.SetPassword(actor.Name, id, ref)
		return []entry.Draft{x}, err
	})
}

// Setup makes the first member of the team, once: afterwards it is refused.
func (d *Desk) Setup(ctx context.Context, id, password string, c Contact) error {
	x, err := d.person(id, []string{plan.Commander, plan.Engineer}, c, false)
	if err != nil {
		return err
	}
	ref, err := d.keepPassword(ctx, id, password)
	if err != nil {
		return err
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		if len(s.Plan.Passwords) > 0 {
			return nil, ErrSetUp
		}
		put, err := s.Plan.Put("setup", x)
		return []entry.Draft{put, {Actor: "setup", Kind: entry.PersonPassword, Subject: "person:" + id, Body: entry.Password{ID: id, Vault: ref}}}, err
	})
}

// A FieldError is something wrong with one field of a form.
type FieldError struct{ Field, Says string }

func (e FieldError) Error() string { return e.Says }

// keepPassword checks a new password and puts what proves it into the vault.
func (d *Desk) keepPassword(ctx context.Context, id, password string) (ref string, err error) {
	if why := signin.Refuse(id, password); why != "" {
		return "", FieldError{"password", why + " Its strength: " + signin.Strengths()[signin.Strength(password)] + "."}
	}
	phc, err := d.passwords.Hash(ctx, password)
	if err != nil {
		return "", err
	}
	if ref, err = d.vault.Put([]byte(phc)); err != nil {
		return "", fmt.Errorf("keeping the password: %w", err)
	}
	return ref, nil
}

// ErrSetUp says that the program was set up before.
var ErrSetUp = errors.New("this Tocsin is set up already: sign in, or ask somebody who keeps the team for an account")

// NeedsSetup reports whether nobody can sign in yet.
func (d *Desk) NeedsSetup() (needs bool) {
	d.Read(func(s *State) { needs = len(s.Plan.Passwords) == 0 })
	return needs
}

// refuse counts a refused sign-in: an entry at the first of a network and hour, and at each tenfold.
func (d *Desk) refuse(net string) error { return d.refuseFrom(&d.refusedFrom, net, "others") }

// refuseFrom is refuse with the networks that are counted by themselves, and what all others are counted as. Tokens and sign-ins have each their own, so that wrong
// tokens do not hide from where passwords are guessed.
func (d *Desk) refuseFrom(named *hourly, net, others string) error {
	now := time.Now().UTC().Truncate(time.Hour)
	if !named.name(net, now) {
		net = d.vault.Hash("network", others)
	}
	key := net + now.Format("2006010215")
	count := d.refusals.add(key)
	if !tenfold(count) {
		return nil
	}
	return d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: "desk", Kind: entry.SigninRefused, Subject: "signin", Body: entry.Refusals{Net: net, Hour: now, Count: count}}}, nil
	})
}

// networksNamed is how many networks of an hour have a count of their own; all others share one. So who comes from many networks does not fill the ledger.
const networksNamed = 100

// An hourly is the networks of an hour that are counted by themselves.
type hourly struct {
	mu   sync.Mutex
	hour time.Time
	nets map[string]bool
}

// name reports whether a network is, or becomes, one of them.
func (h *hourly) name(net string, hour time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.hour.Equal(hour) {
		h.hour, h.nets = hour, map[string]bool{}
	}
	if !h.nets[net] && len(h.nets) >= networksNamed {
		return false
	}
	h.nets[net] = true
	return true
}

func tenfold(n int64) bool {
	for n > 0 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}

// Actor is a person as one who acts.
func Actor(p entry.Person) auth.Actor {
	return auth.Actor{Name: "person:" + p.ID, ID: p.ID, Roles: p.Roles}
}

// Person returns the member of the team with an id.
func (d *Desk) Person(id string) (x entry.Person, ok bool) {
	d.Read(func(s *State) { x, ok = s.Plan.People[id] })
	return x, ok && !x.Gone
}

// BeforeReturn reports whether a moment lies before a person came back to the team: whoever left begins anew, and old sessions open nothing. A return that lies
// in the future of now was written by a clock that went wrong, and says nothing.
func (d *Desk) BeforeReturn(id string, at, now time.Time) (is bool) {
	d.Read(func(s *State) {
		back := s.Plan.Since[id]
		is = s.Plan.Left[id] != 0 && at.Before(back) && !back.After(now)
	})
	return is
}

// RingNow tests a channel of a person.
func (d *Desk) RingNow(actor auth.Actor, person, channel string) error {
	a := auth.TestRing
	if actor.ID == person && person != "" {
		a = auth.Ask
	}
	return d.do(actor, a, func(s *State, _ time.Time) (entry.Draft, error) {
		return s.Calls.Test(actor.Name, &s.Plan, person, channel)
	})
}

// A Seed is what the configuration file says of the team. It is taken once, into an empty plan.
type Seed struct {
	People []SeedPerson
	Policy *entry.Policy
}

// A SeedPerson is a member of the team in the configuration file.
type SeedPerson struct {
	ID      string
	Roles   []string
	Contact Contact
}

// SeedPlan takes the seed if the plan is empty, and says whether it did.
func (d *Desk) SeedPlan(x Seed) (bool, error) {
	empty := func(s *State) bool { return len(s.Plan.People) == 0 && s.Plan.PolicyN == 0 }
	took := false
	d.Read(func(s *State) { took = empty(s) && (len(x.People) > 0 || x.Policy != nil) })
	if !took {
		return false, nil
	}
	var people []entry.Person
	for _, p := range x.People {
		person, err := d.person(p.ID, p.Roles, p.Contact, false)
		if err != nil {
			return false, fmt.Errorf("people: %s: %w", p.ID, err)
		}
		people = append(people, person)
	}
	err := d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		if took = empty(s); !took {
			return nil, nil
		}
		return seeding(people, x.Policy, now)
	})
	return took && err == nil, err
}

// seeding decides on a whole plan at once: with a mistake in it nothing is taken, so that the file can be mended.
func seeding(people []entry.Person, policy *entry.Policy, now time.Time) (drafts []entry.Draft, err error) {
	const actor = "config"
	var p plan.Plan
	for k, x := range people {
		put, err := p.Put(actor, x)
		if err != nil {
			return nil, fmt.Errorf("people: %s: %w", x.ID, err)
		}
		e, _, err := entry.Make(int64(k+1), now, put)
		if err != nil {
			return nil, err
		}
		if _, err := p.Apply(e); err != nil {
			return nil, err
		}
		drafts = append(drafts, put)
	}
	if policy == nil {
		return drafts, nil
	}
	set, err := p.SetPolicy(actor, *policy)
	if err != nil {
		return nil, fmt.Errorf("escalation: %w", err)
	}
	return append(drafts, set), nil
}
