package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

// # A second person
//
// What needs one is asked for, kept in the vault, and approved by another person within a day. Then the bell's loop does it as a debt: the
// entry of the act and approval.done are written at once, so that it is done exactly once, whatever ends the program in between. Break-glass
// sheets are printed for who asked, so these are made by them, once, after the approval. Where nobody else could approve, everyone is rung, and it
// passes after ten minutes. The owner of the data folder on its command line needs no second person: they have all of it anyway.

// AloneRule is the id of the alert that something passes without a second person.
const AloneRule = "tocsin-approval-alone"

// Asked says that something waits for a second person. It is no failure.
type Asked struct {
	ID    int64
	Alone time.Time // nobody else can approve it: when it passes
}

func (a Asked) Error() string {
	if !a.Alone.IsZero() {
		return fmt.Sprintf("there is no second person who could approve this, so everyone is rung, and it passes at %s unless somebody denies it (approval %d)", a.Alone.UTC().Format("15:04 MST"), a.ID)
	}
	return fmt.Sprintf("this waits for a second person: approval %d, within 24 hours", a.ID)
}

// A demand is what was asked for, as the vault keeps it.
type demand struct {
	About    string        `json:"about"`
	Incident int64         `json:"incident,omitempty"`
	Alert    string        `json:"alert,omitempty"`
	Person   *entry.Person `json:"person,omitempty"`
	Was      *entry.Person `json:"was,omitempty"`   // what the person was when it was asked
	Add      bool          `json:"add,omitempty"`   // of a person: new on the team
	Given    bool          `json:"given,omitempty"` // who asked has the right by a provider's groups, for a session
	Count    int           `json:"count,omitempty"`
	Book     *bookChange   `json:"book,omitempty"` // of a playbook
	Why      string        `json:"why,omitempty"`
}

// askFor writes that something waits for a second person, and returns Asked.
func (d *Desk) askFor(actor auth.Actor, a auth.Action, r demand) error {
	if actor.ID == "" || actor.Scope != nil { // a token asks for nothing that needs two persons
		return auth.Refusal{Actor: actor.Name, Action: a}
	}
	if strings.TrimSpace(r.Why) == "" && (a == auth.Forget || a == auth.Release || a == auth.Unrestrict || a == auth.Playbooks) {
		return FieldError{"reason", "What needs a second person needs a reason."}
	}
	d.Read(func(s *State) { r.Given = stillMay(s, actor.ID, a, r.Incident, time.Now()) != nil })
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	x := entry.Approval{Action: string(a), About: r.About, Incident: r.Incident, Hash: d.vault.Hash("approval", string(b))}
	if x.Vault, err = d.vault.Put(b); err != nil {
		return fmt.Errorf("keeping what is asked for: %w", err)
	}
	var asked Asked
	err = d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		may := auth.May(actor, a)
		if r.Incident != 0 {
			may = mayOn(s, actor, a, r.Incident)
		}
		if may != nil {
			return nil, may
		}
		draft, err := s.Approvals.Ask(x, actor, len(othersWhoMay(s, actor, a, r.Incident, now)) == 0, now)
		if err == nil {
			w := draft.Body.(entry.Approval)
			asked = Asked{ID: w.ID, Alone: w.Due}
		}
		return []entry.Draft{draft}, err
	})
	if err != nil {
		return err
	}
	return asked
}

// stillMay says why somebody who asked for something may not have it any more: the right went, or they did.
func stillMay(s *State, person string, a auth.Action, incident int64, now time.Time) error {
	if strings.HasPrefix(person, signin.GlassPrefix) {
		if u, used := s.Identity.Glass[person]; !used || !now.Before(u.Until) {
			return errors.New("the time of the sheet by which it was asked for is over")
		}
		return auth.MayOn(glassActor(person), a, caseFor(s, glassActor(person), incident))
	}
	p, ok := s.Plan.People[person]
	if !ok || p.Gone {
		return fmt.Errorf("%s, who asked for it, is not on the team any more", person)
	}
	return auth.MayOn(Actor(p), a, caseFor(s, Actor(p), incident))
}

// approvers are the people who could approve what first asks for, sorted.
func approvers(s *State, first auth.Actor, a auth.Action, incident int64, now time.Time) []string {
	return slices.DeleteFunc(othersWhoMay(s, first, a, incident, now), func(id string) bool { return s.Identity.sameHand(first.ID, id, now) })
}

// othersWhoMay are the people who have the right to approve it, sorted, those among them in whose ways in first had a hand. These cannot approve, but while there is
// one of them nothing passes by time alone: else whoever asks could bring that about. Roles that a provider gave them lately count beside those of the plan.
func othersWhoMay(s *State, first auth.Actor, a auth.Action, incident int64, now time.Time) (ids []string) {
	for id, p := range s.Plan.People {
		x := Actor(p)
		if g := s.Identity.Given[id]; now.Sub(g.At) < givenTime {
			x.Roles = slices.Concat(x.Roles, g.Roles)
		}
		if !p.Gone && (s.Plan.Passwords[id] != "" || s.Identity.Ways[id] != "") && auth.MayApprove(first, x, a, caseFor(s, x, incident)) == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// A Pending is an approval as a face shows it.
type Pending struct {
	auth.Approval
	Why  string
	Who  []string // who can approve it
	Mine bool     // who looks asked for it
	May  bool     // who looks can approve it
}

// Approvals returns what waits for a second person, and what became of the last ones, newest first: of those, what actor may see.
func (d *Desk) Approvals(actor auth.Actor, most int) (out []Pending) {
	now := time.Now()
	d.ReadAs(actor, func(s *State) {
		for _, x := range slices.Backward(s.Approvals.All) {
			first := auth.Actor{Name: "person:" + x.Person, ID: x.Person, Via: x.Via}
			c := caseFor(s, actor, x.Incident)
			if len(out) == most {
				break
			}
			out = append(out, Pending{Approval: *x, Who: approvers(s, first, auth.Action(x.Action), x.Incident, now), Mine: x.Person == actor.ID,
				May: x.State == "asked" && auth.MayApprove(first, actor, auth.Action(x.Action), c) == nil && !s.Identity.sameHand(x.Person, actor.ID, now)})
		}
	})
	for k := range out {
		if r, err := d.requested(out[k].Vault, out[k].Hash); err == nil {
			out[k].Why = r.Why
		} else {
			out[k].Why = err.Error()
		}
	}
	return out
}

// requested reads what was asked for, and holds it against its hash.
func (d *Desk) requested(vault, hash string) (r demand, err error) {
	b, err := d.vault.Get(vault)
	if err != nil {
		return r, err
	}
	if d.vault.Hash("approval", string(b)) != hash {
		return r, errors.New("what was asked for is not what the vault holds now")
	}
	return r, json.Unmarshal(b, &r)
}

// Approve approves what waits under id, or denies it; who asked can deny it, which takes it back.
func (d *Desk) Approve(actor auth.Actor, id int64, yes bool, why string) error {
	vault := ""
	err := error(nil)
	d.ReadAs(actor, func(s *State) {
		x, e := s.Approvals.Get(id)
		if err = e; err == nil {
			vault = x.Vault
		}
	})
	if err != nil {
		return err
	}
	b, err := d.vault.Get(vault)
	if err != nil {
		return fmt.Errorf("reading what was asked for: %w", err)
	}
	decide := func(texts []string) func(*State, time.Time) ([]entry.Draft, error) {
		return func(s *State, now time.Time) ([]entry.Draft, error) {
			x, err := s.Approvals.Get(id)
			if err != nil {
				return nil, err
			}
			if yes && x.Person != actor.ID && s.Identity.sameHand(x.Person, actor.ID, now) {
				return nil, FieldError{"", "Within the last day one of you opened the other's account, or somebody opened both (a one-time link, a password, lost factors, a linked account), so you do not count as two persons here."}
			}
			return one(s.Approvals.Decide(actor, id, yes, d.vault.Hash("approval", string(b)), texts[0], caseFor(s, actor, x.Incident), now))
		}
	}
	if err := d.Broken(); err != nil {
		return err
	}
	if err := d.tried([]string{why}, decide); err != nil {
		return err
	}
	texts, err := d.texts(why)
	if err != nil {
		return err
	}
	return d.write(decide(texts))
}

// settleApprovals lets time decide, and does what is approved. It returns when to look again.
func (d *Desk) settleApprovals() (again time.Time) {
	var due []auth.Approval
	err := d.write(func(s *State, now time.Time) (drafts []entry.Draft, _ error) {
		drafts, again = s.Approvals.Owed(now, func(x *auth.Approval) bool {
			return len(othersWhoMay(s, auth.Actor{ID: x.Person, Via: x.Via}, auth.Action(x.Action), x.Incident, now)) == 0
		})
		return drafts, nil
	})
	d.Read(func(s *State) {
		for _, x := range s.Approvals.All {
			if x.State == "approved" && auth.Action(x.Action) != auth.Sheets {
				due = append(due, *x)
			}
		}
	})
	for _, x := range due {
		if e := d.execute(x); e != nil {
			err = e
		}
	}
	if err != nil && !errors.Is(err, ErrBroken) {
		d.log.Error("what a second person approved", "error", err)
	}
	return again
}

// execute does what is approved, in one batch of entries with approval.done. What cannot be done any more ends the approval too.
func (d *Desk) execute(x auth.Approval) error {
	r, err := d.requested(x.Vault, x.Hash)
	text := ""
	if err == nil {
		text, err = d.text(strings.TrimSpace(r.Why))
	}
	actor := "person:" + x.Person
	var ids []string
	if err == nil && auth.Action(x.Action) == auth.Forget {
		d.details.Lock() // no details of a batch may come in between
		defer d.details.Unlock()
		ids, err = d.detailsOf(r.Alert)
	}
	ways := ""
	act := func(s *State, now time.Time) (entry.Draft, error) {
		if may := stillMay(s, x.Person, auth.Action(x.Action), x.Incident, now); may != nil && !(r.Given && onTeam(s)(x.Person)) {
			return entry.Draft{}, may
		}
		switch auth.Action(x.Action) {
		case auth.Release:
			return s.Incidents.Release(actor, r.Incident, text)
		case auth.Unrestrict:
			return s.Incidents.Unrestrict(actor, r.Incident, x.ID, text)
		case auth.Forget:
			return entry.Draft{Actor: actor, Kind: entry.VaultErased, Subject: alertSubject + r.Alert, Body: entry.Erased{IDs: ids, Text: text}}, nil
		case auth.Playbooks:
			return d.putAsked(s, actor, x, r, text)
		case auth.GivePower:
			var was entry.Person
			if r.Was != nil {
				was = *r.Was
			}
			if !reflect.DeepEqual(was, s.Plan.People[r.Person.ID]) { // what was approved would undo what was done since
				return entry.Draft{}, fmt.Errorf("%s was changed since it was asked for: ask again", r.Person.ID)
			}
			if ways = s.Identity.Ways[r.Person.ID]; r.Add {
				return s.Plan.Add(actor, *r.Person)
			}
			return s.Plan.Put(actor, *r.Person)
		}
		return entry.Draft{}, fmt.Errorf("this program does not know how to do %q", x.Action)
	}
	werr := d.write(func(s *State, at time.Time) ([]entry.Draft, error) {
		now, e := s.Approvals.Get(x.ID)
		if e != nil || now.State != "approved" {
			return nil, e
		}
		if err == nil {
			var draft entry.Draft
			if draft, err = act(s, at); err == nil {
				return []entry.Draft{draft, now.Done("")}, nil
			}
		}
		why, e := d.text(err.Error())
		if e != nil {
			return nil, e
		}
		return []entry.Draft{now.Done(why)}, nil
	})
	if werr != nil || err != nil {
		return errors.Join(werr, err)
	}
	if auth.Action(x.Action) == auth.Forget {
		return d.eraseOrdered(ids)
	}
	if r.Person != nil && r.Person.Gone && ways != "" {
		return d.erase([]string{ways})
	}
	return nil
}

// aloneAlerts are the alerts of what passes without a second person.
func (d *Desk) aloneAlerts(now time.Time) (out []detect.Alert) {
	d.Read(func(s *State) {
		for _, x := range s.Approvals.All {
			if x.State == "asked" && x.Alone {
				a := standing(AloneRule, fmt.Sprint(x.ID), x.At.UTC(), now, "Tocsin", fmt.Sprintf("approval %d (%s) was asked for at ", x.ID, x.Action))
				a.Level = incident.Critical
				out = append(out, a)
			}
		}
	})
	return out
}

// sheetsApproved returns the approval by which an actor may make break-glass sheets now, or nil.
func sheetsApproved(s *State, actor auth.Actor, now time.Time) *auth.Approval {
	for _, x := range s.Approvals.All {
		if x.State == "approved" && auth.Action(x.Action) == auth.Sheets && x.Person == actor.ID && now.Before(x.Until) {
			return x
		}
	}
	return nil
}

// power reports whether a person would become commander, administrator or engineer, who acts on hosts, and is not now.
func power(s *State, x entry.Person) bool {
	was := s.Plan.People[x.ID]
	for _, r := range []string{plan.Commander, plan.Engineer, administrator} {
		if !x.Gone && slices.Contains(x.Roles, r) && (was.Gone || !slices.Contains(was.Roles, r)) {
			return true
		}
	}
	return false
}
