// Package auth says who may do what. There is one question, May, and one table behind it.
package auth

import (
	"fmt"
	"slices"
)

// An Action is something that a person may or may not do.
type Action string

const (
	See      Action = "see"      // look at everything but other people's addresses
	Ring     Action = "answer"   // answer a call
	Handle   Action = "handle"   // severity, phase, assignment, closing of incidents
	Note     Action = "note"     // write a note
	Tune     Action = "tune"     // mute and unmute rules
	Team     Action = "team"     // people, policy, passwords of others
	Verify   Action = "verify"   // check the ledger, and the kept lines, now
	TestRing Action = "ring-now" // test a channel

	Hold        Action = "hold"   // keep the lines of an incident beyond their time
	SearchLines Action = "search" // read the kept lines, with all the personal data in them
	Hosts       Action = "hosts"  // let agents in, and put them out

	Reach    Action = "reach"    // see how contacts of the plan are reached
	Contacts Action = "contacts" // keep the contact list, and say which stakeholders hear of what
	Inform   Action = "inform"   // tell stakeholders, or decide that they need not be told
)

// may is the table; the words are those of package plan's roles.
var may = map[Action][]string{
	See:      {"commander", "engineer", "analyst", "legal", "communications", "reader"},
	Ring:     {"commander", "engineer", "analyst", "legal", "communications"},
	Handle:   {"commander", "engineer", "analyst"},
	Note:     {"commander", "engineer", "analyst", "legal", "communications"},
	Tune:     {"commander", "engineer", "analyst"},
	Team:     {"commander", "engineer"},
	Verify:   {"commander", "engineer", "analyst", "legal"},
	TestRing: {"commander", "engineer"},

	Hold:        {"commander", "engineer", "analyst", "legal"},
	SearchLines: {"commander", "engineer", "analyst"},
	Hosts:       {"commander", "engineer"},

	Reach:    {"commander", "engineer", "analyst", "legal", "communications"},
	Contacts: {"commander", "engineer", "legal", "communications"},
	Inform:   {"commander", "legal", "communications"},
}

// Actions lists every action, in alphabetical order.
func Actions() []Action {
	var as []Action
	for a := range may {
		as = append(as, a)
	}
	slices.Sort(as)
	return as
}

// An Actor is who asks: a person with roles, or a part of the program. It is passed on, never taken from a context.
type Actor struct {
	Name  string   // "person:anna", "desk", "detect", "command", "setup", "config"
	ID    string   // staff id of a person
	Roles []string // of a person
	Scope []Action // of a token: all that it may do, of what its owner may; nil is no such limit
	Local bool     // the program itself, or the owner of the folder on its command line: may do everything
}

// A Refusal says what was not allowed to whom.
type Refusal struct {
	Actor  string
	Action Action
}

func (r Refusal) Error() string {
	return fmt.Sprintf("%s may not %s: that needs another role (see People)", r.Actor, r.Action)
}

// May returns nil if actor may do a, or a Refusal.
func May(actor Actor, a Action) error {
	if actor.Local {
		return nil
	}
	if actor.Scope != nil && !slices.Contains(actor.Scope, a) {
		return Refusal{actor.Name, a}
	}
	for _, r := range actor.Roles {
		if slices.Contains(may[a], r) {
			return nil
		}
	}
	return Refusal{actor.Name, a}
}
