package desk

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/signin"
)

// An Identity is what the ledger says of how people prove who they are. What proves it lies in the vault; here is where.
type Identity struct {
	Ways   map[string]string      // vault object with all credentials of a person but the password; of nobody who is gone
	Sheets string                 // vault object with the break-glass sheets
	Glass  map[string]GlassUse    // sheets that were used, by the person as whom they signed in
	Setup  time.Time              // when the first password was set; zero is not yet
	First  string                 // whose that was
	Tokens map[string]entry.Token // that were made and not revoked, by id
	Given  map[string]Given       // which roles a provider's groups gave people at their last sign-in there
	Hands  map[string][]Hand      // who had a hand in how a person signs in, besides themselves
}

// A Given is the roles that a provider gave somebody, and when.
type Given struct {
	Roles []string
	At    time.Time
}

// givenTime is how long somebody who signed in with a provider's roles counts as one who can come back and approve by them.
const givenTime = 30 * 24 * time.Hour

// A GlassUse is a break-glass sheet that was used.
type GlassUse struct {
	entry.GlassUse
	At time.Time
}

// A Hand is somebody who made another's one-time link, set their password, took their factors or linked their account: so long as it is fresh they may be
// in that account, and the two are not two persons. The hand of a link counts from when it was made until handTime after it was used, or could not be
// used any more. Of who is in by a sheet from the safe every change of a person is a hand: also an address, to which the links of calls go.
type Hand struct {
	By   string // staff id, or the person of a sheet
	At   time.Time
	Link bool // At is when a link ends that nobody has used
}

// handTime is how long a hand counts: as long as an approval waits, so that nobody asks, makes a second account their own, and approves.
const handTime = auth.ApprovalLasts

// hand notes who had a hand in the ways in of a person.
func (x *Identity) hand(person string, e entry.Entry) {
	by, ok := strings.CutPrefix(e.Actor, "person:")
	if !ok || by == person {
		return
	}
	x.handUntil(person, Hand{By: by, At: e.Time})
}

// handUntil notes a hand. One of the same person that counts for longer stays.
func (x *Identity) handUntil(person string, h Hand) {
	hs := slices.Clone(x.Hands[person])
	if k := slices.IndexFunc(hs, func(o Hand) bool { return o.By == h.By }); k < 0 {
		hs = append(hs, h)
	} else if h.At.After(hs[k].At) {
		hs[k] = h
	}
	x.Hands[person] = hs
}

// linked ends the links of a person, because a password was set: who made them may be in from that moment on.
func (x *Identity) linked(person string, at time.Time) {
	hs := slices.Clone(x.Hands[person])
	for k, h := range hs {
		if h.Link && h.At.After(at) {
			hs[k] = Hand{By: h.By, At: at}
		}
	}
	x.Hands[person] = hs
}

// handOfGlass reports whether a person is in by a sheet from the safe, or somebody is who had a hand in their account lately, or in the account of who had.
func (x *Identity) handOfGlass(person string, now time.Time) bool {
	seen, next := map[string]bool{}, []string{person}
	for len(next) > 0 {
		id := next[0]
		if next = next[1:]; seen[id] {
			continue
		}
		if seen[id] = true; strings.HasPrefix(id, signin.GlassPrefix) {
			return true
		}
		for _, h := range x.Hands[id] {
			if now.Sub(h.At) < handTime {
				next = append(next, h.By)
			}
		}
	}
	return false
}

// sameHand reports whether somebody had a hand in the ways in of both of two people lately, or one of them in those of the other.
func (x *Identity) sameHand(one, other string, now time.Time) bool {
	of := func(person string) []string {
		all := []string{auth.One(person)} // all sheets lie in one safe
		for _, h := range x.Hands[person] {
			if now.Sub(h.At) < handTime {
				all = append(all, auth.One(h.By))
			}
		}
		return all
	}
	others := of(other)
	return slices.ContainsFunc(of(one), func(id string) bool { return slices.Contains(others, id) })
}

func newIdentity() Identity {
	return Identity{Ways: map[string]string{}, Glass: map[string]GlassUse{}, Tokens: map[string]entry.Token{}, Given: map[string]Given{}, Hands: map[string][]Hand{}}
}

// graceTime is how long the first person may administer by the password alone.
const graceTime = 24 * time.Hour

// Grace returns until when a person may administer without a second factor; zero is no such time. Administration asks for one (OWASP ASVS 4.0.3, 4.3.1),
// and somebody has to be able to begin: the first person who was set up, for a day, and only while nobody else can sign in.
func (d *Desk) Grace(person string, now time.Time) (until time.Time) {
	d.Read(func(s *State) {
		if s.Identity.First != person || s.Identity.Setup.IsZero() {
			return
		}
		for id, p := range s.Plan.People {
			if id != person && !p.Gone && (s.Plan.Passwords[id] != "" || s.Identity.Ways[id] != "") {
				return
			}
		}
		until = s.Identity.Setup.Add(graceTime)
	})
	if !now.Before(until) || now.Before(until.Add(-graceTime-time.Minute)) { // a clock that was set back makes no new day
		return time.Time{}
	}
	return until
}

// Apply folds an entry and reports whether it was one of these.
func (x *Identity) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.PersonPassword:
		p, err := entry.Body[entry.Password](e)
		if x.Setup.IsZero() {
			x.Setup, x.First = e.Time, p.ID
		}
		if e.Actor != "desk" { // the desk only hashes it anew
			x.linked(p.ID, e.Time)
		}
		x.hand(p.ID, e)
		return false, err // it is the plan's
	case entry.PersonPut:
		p, err := entry.Body[entry.Person](e)
		if strings.HasPrefix(e.Actor, "person:"+signin.GlassPrefix) {
			x.hand(p.ID, e)
		}
		if p.Gone { // who comes back begins anew
			delete(x.Ways, p.ID)
			delete(x.Given, p.ID)
			for id, t := range x.Tokens {
				if t.Person == p.ID {
					delete(x.Tokens, id)
				}
			}
		}
		return false, err // it is the plan's
	case entry.SignedIn:
		i, err := entry.Body[entry.Signin](e)
		if i.Method == "oidc" {
			x.Given[i.ID] = Given{i.Roles, e.Time}
		}
		return false, err // others remember when it was
	case entry.PersonInvited:
		i, err := entry.Body[entry.Invitation](e)
		x.hand(i.ID, e)
		if by, ok := strings.CutPrefix(e.Actor, "person:"); ok && by != i.ID && i.Until.After(e.Time) {
			x.handUntil(i.ID, Hand{By: by, At: i.Until, Link: true})
		}
		return true, err
	case entry.CredentialAdded, entry.CredentialRemoved:
		c, err := entry.Body[entry.Credential](e)
		x.hand(c.ID, e)
		x.Ways[c.ID] = c.Vault
		if e.Kind == entry.CredentialRemoved && c.Kind == linkKind {
			delete(x.Given, c.ID)
		}
		if e.Kind == entry.CredentialRemoved && c.Kind == everyFactor {
			for id, t := range x.Tokens {
				if t.Person == c.ID {
					delete(x.Tokens, id)
				}
			}
		}
		return true, err
	case entry.TokenMade:
		t, err := entry.Body[entry.Token](e)
		x.Ways[t.Person] = t.Vault
		x.Tokens[t.ID] = t
		return true, err
	case entry.TokenRevoked:
		t, err := entry.Body[entry.Token](e)
		x.Ways[t.Person] = t.Vault
		delete(x.Tokens, t.ID)
		return true, err
	case entry.SessionRevoked:
		return true, nil
	case entry.GlassMade:
		g, err := entry.Body[entry.Glass](e)
		x.Sheets = g.Vault
		return true, err
	case entry.GlassUsed:
		g, err := entry.Body[entry.GlassUse](e)
		x.Sheets = g.Vault
		x.Glass[g.Person] = GlassUse{g, e.Time}
		return true, err
	}
	return false, nil
}
