// Package auth says who may do what. There is one question, May, and one table behind it.
//
// Within one incident the question is MayOn: who holds a role there may do what that role may, in this incident only, and an incident
// that is restricted to others gives nobody anything. Some actions need a second person (TwoPersons); who that may be says MayApprove.
package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Action is something that a person may or may not do.
type Action string

const (
	See      Action = "see"      // look at everything but other people's addresses
	Own      Action = "own"      // how one signs in oneself
	Ask      Action = "ask"      // ask to be told of sign-ins, and test one's own channels
	Report   Action = "report"   // file a report, and see one's own
	Ring     Action = "answer"   // answer a call
	Handle   Action = "handle"   // severity, phase, assignment, closing of incidents
	Lead     Action = "lead"     // give roles within an incident
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

	Restrict   Action = "restrict"    // restrict an incident to named people
	Unrestrict Action = "unrestrict"  // show it to everybody again
	Release    Action = "release"     // let the lines of an incident go when their time is over
	Forget     Action = "erase"       // destroy the details of an alert
	GivePower  Action = "give-power"  // make somebody commander, engineer or administrator
	Sheets     Action = "break-glass" // make break-glass sheets
	Shorten    Action = "shorten"     // keep lines for a shorter time
	Playbooks  Action = "playbooks"   // change the playbooks of the plan
	Order      Action = "order"       // order an act on the shop that can hurt it
)

// A Rule is one row of the table: who may do an action. The words of roles are those of package plan.
type Rule struct {
	Action Action
	Words  string // what it is, after "may"
	Roles  []string
	Two    bool // a second person who may do it too must approve
}

// Table is all that anybody may do. Where a ledger knows no administrator, commander and engineer do what they always did: the
// administrator has these rights beside them, and takes none away.
func Table() []Rule { return slices.Clone(whole) }

// whole is made once and never changed: a page asks it a hundred times.
var whole = rules()

func rules() []Rule {
	f := strings.Fields
	return []Rule{
		{See, "see incidents, alerts, sources, rules, people, calls and the ledger", f("commander engineer analyst legal communications administrator reader auditor"), false},
		{Own, "manage how one signs in oneself", f("commander engineer analyst legal communications administrator reader auditor reporter"), false},
		{Ask, "ask to be told of sign-ins, and test one's own channels", f("commander engineer analyst legal communications administrator reader"), false},
		{Report, "file a report, and see one's own", f("commander engineer analyst legal communications administrator reader reporter"), false},
		{Ring, "answer a call", f("commander engineer analyst legal communications"), false},
		{Handle, "set severity and phase, assign, close and reopen incidents", f("commander engineer analyst"), false},
		{Lead, "give roles within an incident", f("commander engineer analyst"), false},
		{Note, "write a note", f("commander engineer analyst legal communications"), false},
		{Tune, "mute rules, forget habits, keep watch lists", f("commander engineer analyst"), false},
		{SearchLines, "read and export the kept lines", f("commander engineer analyst auditor"), false},
		{Hold, "keep the lines of an incident beyond their time", f("commander engineer analyst legal"), false},
		{Release, "let held lines go when their time is over", f("commander engineer analyst legal"), true},
		{Restrict, "restrict an incident to named people", f("commander analyst legal"), false},
		{Unrestrict, "show a restricted incident to everybody again", f("commander analyst legal"), true},
		{Forget, "destroy the details of an alert", f("commander engineer administrator"), true},
		{Reach, "see how contacts of the plan are reached", f("commander engineer analyst legal communications auditor"), false},
		{Contacts, "keep the contact list, and say which stakeholders hear of what", f("commander engineer legal communications"), false},
		{Inform, "tell stakeholders, or decide that they need not be told", f("commander legal communications"), false},
		{Verify, "check the ledger and the kept lines", f("commander engineer analyst legal auditor"), false},
		{Team, "keep people, their credentials, and the escalation policy", f("commander engineer administrator"), false},
		{GivePower, "make somebody commander, engineer or administrator", f("commander engineer administrator"), true},
		{Sheets, "make break-glass sheets", f("commander engineer administrator"), true},
		{TestRing, "test the channels of others", f("commander engineer administrator"), false},
		{Hosts, "let agents in, and put them out", f("commander engineer administrator"), false},
		{Shorten, "keep lines for a shorter time", f("commander administrator"), true},
		{Playbooks, "change the playbooks of the plan", f("commander engineer analyst"), true},
		{Order, "order an act on the shop that can hurt it", f("commander engineer"), true},
	}
}

// ruleOf returns the row of an action.
func ruleOf(a Action) (Rule, bool) {
	t := whole
	k := slices.IndexFunc(t, func(r Rule) bool { return r.Action == a })
	if k < 0 {
		return Rule{}, false
	}
	return t[k], true
}

// Actions lists every action, in alphabetical order.
func Actions() []Action {
	var as []Action
	for _, r := range whole {
		as = append(as, r.Action)
	}
	slices.Sort(as)
	return as
}

// TwoPersons reports whether a second person must approve a.
func TwoPersons(a Action) bool {
	r, _ := ruleOf(a)
	return r.Two
}

// An Actor is who asks: a person with roles, or a part of the program. It is passed on, never taken from a context.
type Actor struct {
	Name  string   // "person:anna", "desk", "detect", "command", "setup", "config"
	ID    string   // staff id of a person
	Roles []string // of a person
	Scope []Action // of a token: all that it may do, of what its owner may; nil is no such limit
	Via   string   // the session or token by which a person acts, "" if neither
	Weak  bool     // signed in without a second factor: may not administer (see Administers)
	Local bool     // the program itself, or the owner of the folder on its command line: may do everything
}

// A Refusal says what was not allowed to whom.
type Refusal struct {
	Actor  string
	Action Action
	Weak   bool // they may, but only after signing in with a second factor
}

func (r Refusal) Error() string {
	if r.Weak {
		return fmt.Sprintf("%s may %s only after signing in with a second factor: add a passkey or an authenticator app under How you sign in", r.Actor, r.Action)
	}
	return fmt.Sprintf("%s may not %s: that needs another role (see People)", r.Actor, r.Action)
}

// May returns nil if actor may do a, or a Refusal.
func May(actor Actor, a Action) error {
	if actor.Local {
		return nil
	}
	if actor.Scope != nil && !slices.Contains(actor.Scope, a) {
		return Refusal{Actor: actor.Name, Action: a}
	}
	rule, _ := ruleOf(a)
	for _, r := range actor.Roles {
		if slices.Contains(rule.Roles, r) {
			if actor.Weak && Administers(a) {
				return Refusal{Actor: actor.Name, Action: a, Weak: true}
			}
			return nil
		}
	}
	return Refusal{Actor: actor.Name, Action: a}
}

// Administers reports whether an action decides who else may do what, or destroys what nobody can bring back: that asks for a second factor at the
// sign-in (OWASP ASVS 4.0.3, 4.3.1).
func Administers(a Action) bool {
	return slices.Contains([]Action{Team, GivePower, Sheets, Hosts, Shorten, Forget, Playbooks}, a)
}

// A Case is what one incident means for an actor.
type Case struct {
	Incident int64
	Hidden   bool     // it is restricted, and the actor is not named
	Roles    []string // that the actor holds in it, as holder or as deputy
}

// A Closed says that an incident is restricted to others.
type Closed struct{ Incident int64 }

func (c Closed) Error() string {
	return fmt.Sprintf("incident %d is restricted: only the people who are named in it see it", c.Incident)
}

// MayOn returns nil if actor may do a to an incident: by a role on the team, or by one held in that incident.
func MayOn(actor Actor, a Action, c Case) error {
	if actor.Local {
		return nil
	}
	if c.Hidden {
		return Closed{c.Incident}
	}
	if len(c.Roles) > 0 && !slices.Contains(actor.Roles, "auditor") {
		actor.Roles = slices.Concat(actor.Roles, c.Roles)
	}
	return May(actor, a)
}

// One is who an actor is when persons are counted: all break-glass sheets are one person.
func One(person string) string {
	if strings.HasPrefix(person, "break-glass:") {
		return "break-glass"
	}
	return person
}

// MayApprove returns nil if second may approve what first asked for: another person, by another session or token, who may do it too.
// restricted is what the incident means for the second, if it is about one.
func MayApprove(first, second Actor, a Action, restricted Case) error {
	switch {
	case second.Scope != nil:
		return Refusal{Actor: second.Name, Action: a} // a token is no person who looks
	case second.ID == "":
		return fmt.Errorf("%s is no person: an approval needs somebody who signed in", second.Name)
	case One(first.ID) == One(second.ID):
		return fmt.Errorf("%s asked for it: another person must approve", first.Name)
	case first.Via != "" && first.Via == second.Via:
		return fmt.Errorf("it was asked for in this very session: another person must approve, signed in for themselves")
	}
	return MayOn(second, a, restricted)
}

// Apart returns nil if who does a step of a playbook and who agrees to it are two persons, in two sessions, as MayApprove wants it of what is dangerous.
func Apart(doer, agrees Actor) error {
	switch {
	case One(doer.ID) == One(agrees.ID):
		return fmt.Errorf("%s does it, so another person has to agree; all break-glass sheets are one person", doer.Name)
	case doer.Via != "" && doer.Via == agrees.Via:
		return errors.New("it is done and agreed to in one session: another person has to agree, signed in for themselves")
	}
	return nil
}
