package incident

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"tocsin/internal/entry"
)

// An Exception is what could keep a rule quiet about somebody: facts for a mute that ends (package tuning), whose time, reason and names a person gives. The
// vault objects of the alerts have the address and the account in clear.
type Exception struct {
	Rule, Title string
	Address     string   // keyed hash, "" of none
	Account     string   // keyed hash; only where no address is named
	Own, Shared bool     // the address is in our own network; many customers share it: such an exception also covers them
	Alerts      []string // that it would have kept quiet
	Count       int64    // of their records
}

// Mute returns the exception as the mute to be decided; Until and Vault are a person's.
func (x Exception) Mute() entry.Mute {
	return entry.Mute{Rule: x.Rule, Address: x.Address, Account: x.Account}
}

// Key names the exception for as long as its rule and whom it is about are the same: 32 hexadecimal digits. A list is sorted anew with each alert, so a place in it names nothing.
func (x Exception) Key() string {
	h := sha256.New()
	for _, part := range []string{x.Rule, x.Address, x.Account} {
		h.Write(append([]byte(part), 0))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Exceptions lists those that would have kept the alerts of an incident quiet, and of those merged into it; what covers most alerts comes first. An alert
// that names nobody, or everybody, has the whole rule: it is last, because that is the last resort.
func (b *Book) Exceptions(id int64) ([]Exception, error) {
	if _, err := b.Get(id); err != nil {
		return nil, err
	}
	var out []Exception
	place := map[[3]string]int{}
	put := func(a *Alert, x Exception) {
		key := [3]string{a.Rule, x.Address, x.Account}
		k, ok := place[key]
		if !ok {
			k = len(out)
			place[key] = k
			x.Rule, x.Title = a.Rule, a.Title
			out = append(out, x)
		}
		out[k].Alerts = append(out[k].Alerts, a.ID)
		out[k].Count += a.Count
	}
	for _, a := range b.alertsOf(id) {
		named := false
		for _, p := range a.Sources {
			if p.Role == "suspect" {
				named = true
				put(a, Exception{Address: p.Hash, Own: p.Own, Shared: p.Shared})
			}
		}
		if named {
			continue
		}
		for _, p := range a.Accounts {
			named = true
			put(a, Exception{Account: p.Hash})
		}
		if !named {
			put(a, Exception{})
		}
	}
	whole := func(x Exception) int {
		if x.Address == "" && x.Account == "" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(x, y Exception) int {
		return cmp.Or(cmp.Compare(whole(x), whole(y)), cmp.Compare(len(y.Alerts), len(x.Alerts)), cmp.Compare(x.Rule, y.Rule))
	})
	return out, nil
}

// alertsOf returns the alerts of an incident and of those that are one with it, as raised.
func (b *Book) alertsOf(id int64) (out []*Alert) {
	for _, i := range b.family(id) {
		for _, a := range i.Alerts {
			if x := b.Alerts[a]; x != nil {
				out = append(out, x)
			}
		}
	}
	slices.SortFunc(out, func(x, y *Alert) int { return cmp.Compare(x.N, y.N) })
	return out
}
