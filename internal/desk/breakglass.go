package desk

import (
	"encoding/json"
	"errors"
	"fmt"
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

// # Break-glass
//
// A sheet's use is an entry, a session of four hours as commander and administrator, and an alert without a Sigma rule (tocsin-break-glass, critical) that
// opens an incident of its own: everyone is rung at once, whatever the policy's steps, until somebody answers who is not in by a sheet.

// GlassRule is the id of that alert.
const GlassRule = "tocsin-break-glass"

// administrator is the role beside those of the plan that a sheet has, too.
const administrator = "administrator"

// Sheets returns the break-glass sheets, without what opens them.
func (d *Desk) Sheets() (signin.Sheets, error) {
	s, _, err := d.sheets()
	for i := range s.Sheets {
		s.Sheets[i].Hash = ""
	}
	return s, err
}

func (d *Desk) sheets() (s signin.Sheets, ref string, err error) {
	d.Read(func(x *State) { ref = x.Identity.Sheets })
	if ref == "" {
		return s, "", nil
	}
	raw, err := d.vault.Get(ref)
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err == nil && s.Version != 1 {
		err = fmt.Errorf("version %d, and this program knows version 1", s.Version)
	}
	if err != nil {
		return signin.Sheets{}, ref, fmt.Errorf("reading the break-glass sheets: %w", err)
	}
	return s, ref, nil
}

// MakeSheets makes break-glass sheets that replace all sealed ones, once a second person approved (Asked), and returns what is to be printed: it is the only time.
func (d *Desk) MakeSheets(actor auth.Actor, count int) (pages []signin.SheetPage, err error) {
	if err := auth.May(actor, auth.Sheets); err != nil {
		return nil, err
	}
	if actor.Scope != nil {
		return nil, auth.Refusal{Actor: actor.Name, Action: auth.Sheets}
	}
	if count < 1 || count > 20 {
		return nil, FieldError{"count", "Make 1 to 20 sheets at once."}
	}
	var by *auth.Approval
	if !actor.Local {
		d.Read(func(s *State) { by = sheetsApproved(s, actor, time.Now()) })
		if by == nil {
			return nil, d.askFor(actor, auth.Sheets, demand{About: "breakglass", Count: count})
		}
	}
	drafts := []func(ref string) entry.Draft{}
	if by != nil { // under the lock of credentials, so used once
		drafts = append(drafts, func(string) entry.Draft { return by.Done("") })
	}
	err = d.changeSheets(func(s signin.Sheets) (next signin.Sheets, err error) {
		if by != nil {
			d.Read(func(s *State) { by = sheetsApproved(s, actor, time.Now()) })
			if by == nil {
				return s, errors.New("this approval was used meanwhile: ask for another one")
			}
		}
		next, pages, err = signin.NewSheets(s, count, actor.Name, d.o.URL+"/sign-in/break-glass", time.Now())
		if err != nil {
			err = FieldError{"count", Title(err.Error()) + "."}
		}
		return next, err
	}, append(drafts, func(ref string) entry.Draft {
		return entry.Draft{Actor: actor.Name, Kind: entry.GlassMade, Subject: "breakglass", Body: entry.Glass{First: pages[0].Number, Count: len(pages), Vault: ref}}
	})...)
	if err != nil {
		return nil, err
	}
	return pages, nil
}

func (d *Desk) changeSheets(decide func(signin.Sheets) (signin.Sheets, error), drafts ...func(ref string) entry.Draft) error {
	d.ways.changing.Lock()
	defer d.ways.changing.Unlock()
	old, oldRef, err := d.sheets()
	if err != nil {
		return err
	}
	next, err := decide(old)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return err
	}
	ref, err := d.vault.Put(raw)
	if err != nil {
		return fmt.Errorf("keeping the break-glass sheets: %w", err)
	}
	err = d.write(func(*State, time.Time) (out []entry.Draft, _ error) {
		for _, x := range drafts {
			out = append(out, x(ref))
		}
		return out, nil
	})
	if err == nil && oldRef != "" {
		if e := d.erase([]string{oldRef}); e != nil {
			d.log.Error("an older state of the break-glass sheets is still in the vault", "error", e)
		}
	}
	return err
}

// UseSheet signs in by a code from the safe. The sheet is used up, and everyone is rung. A code that opens nothing is an error for the person.
func (d *Desk) UseSheet(code, address, session string) (Accepted, signin.GlassFact, error) {
	var fact signin.GlassFact
	var a Accepted
	net := d.vault.Hash("network", network(address))
	wrong := false
	err := d.changeSheets(func(s signin.Sheets) (next signin.Sheets, err error) {
		next, fact, err = s.Use(code, time.Now())
		wrong = err != nil
		a = Accepted{Actor: glassActor(fact.Person), Method: "breakglass", Second: true, Until: fact.Until}
		return next, err
	}, func(ref string) entry.Draft {
		return entry.Draft{Actor: a.Actor.Name, Kind: entry.GlassUsed, Subject: "breakglass",
			Body: entry.GlassUse{Sheet: fact.Sheet, Person: fact.Person, Net: net, Session: session, Until: fact.Until, Vault: ref}}
	}, func(string) entry.Draft {
		return entry.Draft{Actor: a.Actor.Name, Kind: entry.SignedIn, Subject: "person:" + fact.Person,
			Body: entry.Signin{ID: fact.Person, Net: net, Method: a.Method, Session: session, Roles: a.Actor.Roles}}
	})
	if wrong {
		if e := d.refuse(net); e != nil {
			return a, fact, e
		}
	}
	if err != nil {
		return Accepted{}, signin.GlassFact{}, err
	}
	d.raiseStanding()
	return a, fact, nil
}

// glassActor is a break-glass person as one who acts.
func glassActor(person string) auth.Actor {
	return auth.Actor{Name: "person:" + person, ID: person, Roles: []string{plan.Commander, plan.Engineer, administrator}}
}

// GlassActor returns the break-glass person of a session, while the use of the sheet lasts.
func (d *Desk) GlassActor(person string, now time.Time) (a auth.Actor, ok bool) {
	if !strings.HasPrefix(person, signin.GlassPrefix) {
		return a, false
	}
	d.Read(func(s *State) {
		u, used := s.Identity.Glass[person]
		ok = used && now.Before(u.Until)
	})
	return glassActor(person), ok
}

// GlassName is what a break-glass person is called.
func GlassName(person string) string {
	return "Break-glass sheet " + strings.TrimPrefix(person, signin.GlassPrefix)
}

// ownAlarm refuses who came in by a sheet from the safe whatever would quiet the incident that the sheet opened: they may be the thief. The people whom
// they added, invited or changed lately are the same hand.
func ownAlarm(s *State, actor auth.Actor, id int64, now time.Time) error {
	if !s.Identity.handOfGlass(actor.ID, now) {
		return nil
	}
	i, err := s.Incidents.Get(id)
	if err == nil && slices.ContainsFunc(i.Alerts, func(a string) bool { return s.Incidents.Alerts[a].Rule == GlassRule }) {
		return auth.Refusal{Actor: actor.Name, Action: auth.Handle}
	}
	return nil
}

// brokenGlass are the alerts of sheets that are in use.
func (d *Desk) brokenGlass(now time.Time) (out []detect.Alert) {
	d.Read(func(s *State) {
		for person, u := range s.Identity.Glass {
			if now.Before(u.Until) {
				a := standing(GlassRule, person, u.At.UTC(), now, "Tocsin", fmt.Sprintf("sheet %d was used at ", u.Sheet))
				a.Level = incident.Critical
				out = append(out, a)
			}
		}
	})
	return out
}
