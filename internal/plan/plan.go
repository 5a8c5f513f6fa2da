// Package plan remembers the written emergency plan as far as calls need it: who is on the team, and who is rung in
// which order. It decides changes to it and folds them; it reads no clock.
package plan

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// The roles of a response team (NIST SP 800-61r3 names their work; the words are the product's).
const (
	Commander      = "commander"
	Engineer       = "engineer"
	Analyst        = "analyst"
	Legal          = "legal"
	Communications = "communications"
	Administrator  = "administrator" // keeps people, credentials, settings, agents and channels; handles no incident
	Reader         = "reader"        // sees, does nothing: screens say Observer
	Auditor        = "auditor"       // reads all, the ledger too; changes nothing
	Reporter       = "reporter"      // files reports, and sees her own
)

// Roles lists every role, in the order in which screens show them.
func Roles() []string {
	return []string{Commander, Engineer, Analyst, Legal, Communications, Administrator, Reader, Auditor, Reporter}
}

// RoleWord is what a role is called on screens, by the word that the ledger keeps.
func RoleWord(role string) string {
	switch role {
	case Commander:
		return "Incident Commander"
	case Engineer:
		return "Platform Engineer"
	case Analyst:
		return "Security Analyst"
	case Legal:
		return "Legal Advisor"
	case Communications:
		return "Communications Officer"
	case Administrator:
		return "Administrator"
	case Reader:
		return "Observer"
	case Auditor:
		return "Auditor"
	case Reporter:
		return "Reporter"
	}
	return role
}

// ResponseRoles are the roles that somebody can hold within an incident.
func ResponseRoles() []string { return []string{Commander, Engineer, Analyst, Legal, Communications} }

// Channels by which a person can be rung.
const (
	Mail    = "mail"
	Webhook = "webhook"
	Console = "console"
)

// Everyone in a step means every person who is not gone.
const Everyone = "everyone"

// A Plan is the state. The zero Plan is empty.
type Plan struct {
	People    map[string]entry.Person
	Passwords map[string]string // vault object by person; of nobody who is gone
	Left      map[string]int64  // number of the entry by which a person went last
	Policy    entry.Policy
	PolicyN   int64 // number of the entry that set it; 0 is the default
}

// DefaultPolicy rings everyone at once, then again every five minutes.
func DefaultPolicy() entry.Policy {
	return entry.Policy{
		Steps:  []entry.PolicyStep{{Who: []string{Everyone}, Wait: 5 * time.Minute}},
		Rounds: 1, Every: 5 * time.Minute, Throttle: 2 * time.Minute,
	}
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,31}$`)

// CheckID says in words why id cannot be a staff id, or returns nil.
func CheckID(id string) error {
	if !idForm.MatchString(id) {
		return fmt.Errorf("a staff id is a small letter, then up to 31 of a-z 0-9 . _ -; got %q", id)
	}
	if id == Everyone {
		return fmt.Errorf("%q means the whole team and cannot be a staff id", id)
	}
	return nil
}

// ErrTaken says that a staff id names somebody already. An id is one person for ever, because entries name people by it.
var ErrTaken = errors.New("this id names somebody who is or was on the team, and stays theirs: choose another one")

// Add decides to add a person, under an id that was never used.
func (p *Plan) Add(actor string, x entry.Person) (entry.Draft, error) {
	if _, used := p.People[x.ID]; used {
		return entry.Draft{}, ErrTaken
	}
	return p.Put(actor, x)
}

// Put decides to add or change a person.
func (p *Plan) Put(actor string, x entry.Person) (entry.Draft, error) {
	if err := CheckID(x.ID); err != nil {
		return entry.Draft{}, err
	}
	for _, r := range x.Roles {
		if !slices.Contains(Roles(), r) {
			return entry.Draft{}, fmt.Errorf("unknown role %q; known: %s", r, strings.Join(Roles(), ", "))
		}
	}
	if len(x.Roles) == 0 {
		return entry.Draft{}, errors.New("a person needs at least one role")
	}
	if slices.Contains(x.Roles, Auditor) && len(x.Roles) > 1 {
		return entry.Draft{}, errors.New("an auditor changes nothing, so she has no other role")
	}
	for _, role := range []string{Commander, Administrator} {
		if p.last(x, role, func(string) bool { return true }) {
			return entry.Draft{}, fmt.Errorf("somebody must stay %s: give that role to another person first", role)
		}
		if p.last(x, role, func(id string) bool { return p.Passwords[id] != "" }) {
			return entry.Draft{}, fmt.Errorf("somebody who can sign in must stay %s: let another %s choose a password first", role, role)
		}
	}
	return entry.Draft{Actor: actor, Kind: entry.PersonPut, Subject: "person:" + x.ID, Body: x}, nil
}

// last reports whether x would leave the team without somebody in a role, of a kind that it has now. A team that never had an
// administrator needs none: there, commanders and engineers keep the team.
func (p *Plan) last(x entry.Person, role string, kind func(id string) bool) bool {
	commands := func(o entry.Person) bool { return !o.Gone && slices.Contains(o.Roles, role) && kind(o.ID) }
	was, ok := p.People[x.ID]
	if !ok || !commands(was) || commands(x) {
		return false
	}
	for id, o := range p.People {
		if id != x.ID && commands(o) {
			return false
		}
	}
	return true
}

// SetPolicy decides who is rung in which order.
func (p *Plan) SetPolicy(actor string, x entry.Policy) (entry.Draft, error) {
	if len(x.Steps) == 0 {
		return entry.Draft{}, errors.New("an escalation policy needs at least one step")
	}
	if len(x.Steps) > 20 || x.Rounds < 1 || x.Rounds > 20 {
		return entry.Draft{}, errors.New("an escalation policy has 1 to 20 steps and 1 to 20 rounds")
	}
	if x.Every < 30*time.Second || x.Every > 24*time.Hour {
		return entry.Draft{}, errors.New("the last step repeats every 30 s to 24 h")
	}
	if x.Throttle < 0 || x.Throttle > time.Hour {
		return entry.Draft{}, errors.New("the throttle is 0 (off) to 1 h")
	}
	for i, s := range x.Steps {
		if err := p.checkStep(s); err != nil {
			return entry.Draft{}, fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	last := x.Steps[len(x.Steps)-1]
	if len(last.By) > 0 && !slices.Contains(last.By, Mail) && !slices.Contains(last.By, Webhook) {
		return entry.Draft{}, errors.New("the last step must ring by mail or webhook, not in the console alone: nobody may be looking at it")
	}
	if !slices.Contains(last.Who, Everyone) {
		return entry.Draft{}, fmt.Errorf("the last step must ring %q, so that a call never ends unheard", Everyone)
	}
	return entry.Draft{Actor: actor, Kind: entry.PolicyPut, Subject: "policy", Body: x}, nil
}

func (p *Plan) checkStep(s entry.PolicyStep) error {
	if len(s.Who) == 0 {
		return errors.New("nobody to ring")
	}
	if s.Wait < 10*time.Second || s.Wait > 24*time.Hour {
		return errors.New("the wait for an answer is 10 s to 24 h")
	}
	for _, w := range s.Who {
		role, isRole := strings.CutPrefix(w, "role:")
		_, known := p.People[w]
		if w != Everyone && !known && !(isRole && slices.Contains(Roles(), role)) {
			return fmt.Errorf("%q is neither a person, nor role:<role>, nor %s", w, Everyone)
		}
	}
	for _, b := range s.By {
		if b != Mail && b != Webhook && b != Console {
			return fmt.Errorf("unknown channel %q; known: mail, webhook, console", b)
		}
	}
	return nil
}

// A Ring is one person on one channel. Person "" is the console as a whole, before anybody is set up.
type Ring struct{ Person, Channel string }

// Resolve says whom step n of the policy rings now. Beyond the last round it is the last step again.
// The console is always among them: it costs nothing and it needs no address.
func (p *Plan) Resolve(x entry.Policy, n int) []Ring {
	s := StepOf(x, n)
	who := map[string]bool{}
	for _, w := range s.Who {
		role, isRole := strings.CutPrefix(w, "role:")
		for id, person := range p.People {
			if !person.Gone && (w == Everyone || w == id || isRole && slices.Contains(person.Roles, role)) {
				who[id] = true
			}
		}
	}
	rings := []Ring{{"", Console}}
	for _, id := range slices.Sorted(maps.Keys(who)) {
		for _, c := range p.People[id].Channels {
			if len(s.By) == 0 || slices.Contains(s.By, c) {
				rings = append(rings, Ring{id, c})
			}
		}
	}
	return rings
}

// StepOf returns step n of x, counted over all rounds.
func StepOf(x entry.Policy, n int) entry.PolicyStep {
	if n >= len(x.Steps)*x.Rounds {
		s := x.Steps[len(x.Steps)-1]
		s.Wait = x.Every
		return s
	}
	return x.Steps[n%len(x.Steps)]
}

// SetPassword decides that a person has a new password, kept in a vault object.
func (p *Plan) SetPassword(actor, id, vault string) (entry.Draft, error) {
	if x, ok := p.People[id]; !ok || x.Gone {
		return entry.Draft{}, fmt.Errorf("nobody on the team has the id %q", id)
	}
	return entry.Draft{Actor: actor, Kind: entry.PersonPassword, Subject: "person:" + id, Body: entry.Password{ID: id, Vault: vault}}, nil
}

// CurrentPolicy returns the policy in force.
func (p *Plan) CurrentPolicy() entry.Policy {
	if p.PolicyN == 0 {
		return DefaultPolicy()
	}
	return p.Policy
}

// Apply folds an entry and reports whether it was one of the plan's.
func (p *Plan) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.PersonPut:
		x, err := entry.Body[entry.Person](e)
		if p.People == nil {
			p.People = map[string]entry.Person{}
		}
		p.People[x.ID] = x
		if x.Gone { // who comes back chooses a new password
			delete(p.Passwords, x.ID)
			if p.Left == nil {
				p.Left = map[string]int64{}
			}
			p.Left[x.ID] = e.N
		}
		return true, err
	case entry.PersonPassword:
		x, err := entry.Body[entry.Password](e)
		if p.Passwords == nil {
			p.Passwords = map[string]string{}
		}
		p.Passwords[x.ID] = x.Vault
		return true, err
	case entry.PolicyPut:
		x, err := entry.Body[entry.Policy](e)
		p.Policy, p.PolicyN = x, e.N
		return true, err
	}
	return false, nil
}
