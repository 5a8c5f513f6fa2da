package desk

import (
	"time"

	"tocsin/internal/entry"
)

// An Identity is what the ledger says of how people prove who they are. What proves it lies in the vault; here is where.
type Identity struct {
	Ways   map[string]string      // vault object with all credentials of a person but the password; of nobody who is gone
	Sheets string                 // vault object with the break-glass sheets
	Glass  map[string]GlassUse    // sheets that were used, by the person as whom they signed in
	Tokens map[string]entry.Token // that were made and not revoked, by id
}

// A GlassUse is a break-glass sheet that was used.
type GlassUse struct {
	entry.GlassUse
	At time.Time
}

func newIdentity() Identity {
	return Identity{Ways: map[string]string{}, Glass: map[string]GlassUse{}, Tokens: map[string]entry.Token{}}
}

// Apply folds an entry and reports whether it was one of these.
func (x *Identity) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.PersonPut:
		p, err := entry.Body[entry.Person](e)
		if p.Gone { // who comes back begins anew
			delete(x.Ways, p.ID)
			for id, t := range x.Tokens {
				if t.Person == p.ID {
					delete(x.Tokens, id)
				}
			}
		}
		return false, err // it is the plan's
	case entry.CredentialAdded, entry.CredentialRemoved:
		c, err := entry.Body[entry.Credential](e)
		x.Ways[c.ID] = c.Vault
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
