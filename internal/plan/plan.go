// Package plan remembers the written emergency plan as far as calls need it: who is on the team, and who is rung in
// which order. It decides changes to it and folds them; it reads no clock.
package plan

import (
	"errors"
	"fmt"
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

// A Plan is the state. The zero Plan is empty.
type Plan struct {
	People    map[string]entry.Person
	Passwords map[string]string // vault object by person; of nobody who is gone
	Left      map[string]int64  // number of the entry by which a person went last
	Policy    entry.Policy
	PolicyN   int64 // number of the entry that set it; 0 is the default

	Policies map[string]entry.Policy // the named ones
	Table    map[string]string       // policy by severity
	Ways     map[string]entry.Ways   // by person, where they have rules
	Windows  []Window                // of maintenance, by id from 1
	Since    map[string]time.Time    // when a person came, or came back

	// What the plan is told from outside. They are funcs of what was written and of the time alone, so that a replay decides the same.
	OnCall func(schedule string, t time.Time) []string `json:"-"` // who is on call then; nil: there are no schedules
	Zone   func(name string) (*time.Location, error)   `json:"-"` // nil: every zone is UTC
	Tests  time.Duration                               `json:"-"` // how often each channel of a person is tested; 0 is never
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

// SetPassword decides that a person has a new password, kept in a vault object.
func (p *Plan) SetPassword(actor, id, vault string) (entry.Draft, error) {
	if x, ok := p.People[id]; !ok || x.Gone {
		return entry.Draft{}, fmt.Errorf("nobody on the team has the id %q", id)
	}
	return entry.Draft{Actor: actor, Kind: entry.PersonPassword, Subject: "person:" + id, Body: entry.Password{ID: id, Vault: vault}}, nil
}

// Apply folds an entry and reports whether it was one of the plan's.
func (p *Plan) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.PersonPut:
		x, err := entry.Body[entry.Person](e)
		if p.People == nil {
			p.People = map[string]entry.Person{}
		}
		p.arrived(x, e.Time)
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
	}
	return p.applyPolicies(e)
}

// arrived notes since when a person is on the team.
func (p *Plan) arrived(x entry.Person, at time.Time) {
	if was, known := p.People[x.ID]; !known || was.Gone && !x.Gone {
		if p.Since == nil {
			p.Since = map[string]time.Time{}
		}
		p.Since[x.ID] = at
	}
}
