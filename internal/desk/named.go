package desk

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/incident"
)

// Named is who some alerts name, summed over them: who was counted most stands first, of sessions who was seen last.
type Named struct {
	Addresses, Accounts, Sessions []Seen
	Alerts                        int // that it was summed over
	Of                            int // alerts in the incident
}

// Seen is an address, an account or a session, with when the alerts that name it began and ended. Count is over all of them; of a session there is only a name.
type Seen struct {
	detect.Party
	First, Last time.Time
}

// namedAlerts is over how many alerts of an incident, the newest, is summed: each is read from the vault.
const namedAlerts = 1000

// List returns one of the lists by its name: addresses, accounts or sessions. ok says that there is such a list.
func (n *Named) List(name string) (list []Seen, ok bool) {
	switch name {
	case "addresses":
		return n.Addresses, true
	case "accounts":
		return n.Accounts, true
	case "sessions":
		return n.Sessions, true
	}
	return nil, false
}

// Named returns who the newest thousand alerts of an incident name. What cannot be read of them is left out. The error is incident.ErrNotFound.
func (d *Desk) Named(actor auth.Actor, id int64) (Named, error) {
	var list []incident.Alert
	var err error
	of := 0
	d.ReadAs(actor, func(st *State) {
		i, e := st.Incidents.Get(id)
		if err = e; err != nil {
			return
		}
		of = len(i.Alerts)
		for _, a := range slices.Backward(i.Alerts[max(0, of-namedAlerts):]) {
			if x := st.Incidents.Alerts[a]; x != nil {
				list = append(list, *x)
			}
		}
	})
	var s Sum
	for k := range list {
		if full, e := d.Details(list[k].Vault); e == nil {
			s.Add(&list[k], &full)
		}
	}
	out := s.Named()
	out.Of = of
	return out, err
}

// A Sum adds up who alerts name. The zero Sum is empty.
type Sum struct {
	addresses, accounts, sessions tallied
	alerts                        int
}

// tallied are parties in the order in which they came.
type tallied struct {
	at   map[string]int
	list []Seen
}

func (t *tallied) add(p detect.Party, a *incident.Alert) {
	key := p.Realm + "/" + p.Name
	k, known := t.at[key]
	if !known {
		if t.at == nil {
			t.at = map[string]int{}
		}
		k = len(t.list)
		t.at[key] = k
		t.list = append(t.list, Seen{p, a.First, a.Last})
		return
	}
	x := &t.list[k]
	x.Count += p.Count
	if p.Role == detect.Suspect {
		x.Role = p.Role
	}
	if a.First.Before(x.First) {
		x.First = a.First
	}
	if a.Last.After(x.Last) {
		x.Last = a.Last
	}
}

// Add takes an alert with its details.
func (s *Sum) Add(a *incident.Alert, full *detect.Alert) {
	s.alerts++
	for _, p := range full.Sources {
		s.addresses.add(p, a)
	}
	for _, p := range full.Accounts {
		s.accounts.add(p, a)
	}
	for _, id := range full.Sessions {
		s.sessions.add(detect.Party{Name: id, Role: detect.Suspect}, a)
	}
}

// Named returns what came together.
func (s *Sum) Named() Named {
	most := func(a, b Seen) int { return cmp.Compare(b.Count, a.Count) }
	slices.SortStableFunc(s.addresses.list, most)
	slices.SortStableFunc(s.accounts.list, most)
	return Named{Addresses: s.addresses.list, Accounts: s.accounts.list, Sessions: s.sessions.list, Alerts: s.alerts}
}

// An AlertFilter says which alerts are wanted. The zero AlertFilter wants all.
type AlertFilter struct {
	Rule, Level string
	Incident    int64
	Text        string // a part of the title, or an address or account as a whole, whatever the realm of the account
}

// Alerts calls yield with the alerts that a filter wants, newest first. It belongs inside of ReadAs, with the state that that gave.
func (d *Desk) Alerts(st *State, f AlertFilter, yield func(*incident.Alert)) {
	ids := st.Incidents.Order
	if f.Incident != 0 {
		i, err := st.Incidents.Get(f.Incident)
		if err != nil {
			return
		}
		ids = i.Alerts
	}
	wants := d.naming(f.Text)
	for _, id := range slices.Backward(ids) {
		if a := st.Incidents.Alerts[id]; a != nil && (f.Rule == "" || a.Rule == f.Rule) && (f.Level == "" || a.Level == f.Level) && wants(a) {
			yield(a)
		}
	}
}

// naming tells of alerts whether their title has a text in it, or they name it: a ledger has names as keyed hashes, so only a whole name can be found.
func (d *Desk) naming(text string) func(*incident.Alert) bool {
	text = strings.TrimSpace(text)
	if text == "" {
		return func(*incident.Alert) bool { return true }
	}
	low, address := strings.ToLower(text), text
	if a, err := netip.ParseAddr(text); err == nil {
		address = a.Unmap().WithZone("").String()
	}
	address = d.vault.Hash("address", address)
	accounts := map[string][]string{} // by realm: hashes of the name as it was typed, and in small letters
	return func(a *incident.Alert) bool {
		if strings.Contains(strings.ToLower(a.Title), low) {
			return true
		}
		for k := range a.Sources {
			if a.Sources[k].Hash == address {
				return true
			}
		}
		for k := range a.Accounts {
			realm := a.Accounts[k].Realm
			of, known := accounts[realm]
			if !known {
				of = []string{d.HabitID(realm, text), d.HabitID(realm, low)}
				accounts[realm] = of
			}
			if slices.Contains(of, a.Accounts[k].Hash) {
				return true
			}
		}
		return false
	}
}
