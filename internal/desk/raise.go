package desk

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
)

// A told change is one of detection's, with what only the reader knows.
type told struct {
	detect.Change
	history bool // its newest line is older than the start of watching
}

// raise takes what detection says of a batch of lines: the details go to the vault, what was decided to the ledger, in
// one append. Changes that the ledger has already (a restart reads again what it had read) do nothing.
func (d *Desk) raise(batch []told) error {
	var fresh []told
	d.Read(func(s *State) {
		for _, c := range batch {
			if !stale(&s.Incidents, c.Change) {
				fresh = append(fresh, c)
			}
		}
	})
	if len(fresh) == 0 {
		return nil
	}
	if err := d.Broken(); err != nil {
		return err // else each try would leave details in the vault that no entry names
	}
	d.details.Lock()
	defer d.details.Unlock()
	ids, err := d.keepDetails(fresh)
	if err != nil {
		d.alarm.sound(vaultFails, "its vault: "+err.Error())
		return err
	}
	d.alarm.quiet(vaultFails)
	return d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		changes := make([]incident.Change, 0, len(fresh))
		for i, c := range fresh {
			a := facts(c.Alert, d.vault.Hash)
			a.Vault, a.History, a.Sample = ids[i], c.history, d.Sample()
			a.Everyone = unmuted(a.Rule)
			x := incident.Change{Step: string(c.Step), Alert: a}
			if s.Tuning.Stands(now) && !a.Everyone {
				x.Mute = s.Tuning.Silences(now, a.Rule, d.parties(s, now, c.Alert))
			}
			changes = append(changes, x)
		}
		return s.Incidents.Decide(changes), nil
	})
}

// keepDetails puts the names and sample lines of each change into the vault. An alert whose details were erased gets no new ones: its
// id is "".
func (d *Desk) keepDetails(changes []told) ([]string, error) {
	details := make([][]byte, 0, len(changes))
	for _, c := range changes {
		if d.forgotten(c.Alert.ID) {
			continue
		}
		b, err := json.Marshal(c.Alert)
		if err != nil {
			return nil, fmt.Errorf("encoding alert %s: %w", c.Alert.ID, err)
		}
		details = append(details, b)
	}
	ids, err := d.vault.PutAll(details)
	if err != nil {
		return nil, fmt.Errorf("keeping the details of alerts: %w", err)
	}
	for k, c := range changes {
		if d.forgotten(c.Alert.ID) {
			ids = slices.Insert(ids, k, "")
		}
	}
	return ids, nil
}

// stale reports whether the ledger has what c says.
func stale(b *incident.Book, c detect.Change) bool {
	a, known := b.Alerts[c.Alert.ID]
	switch {
	case !known:
		return false
	case c.Step == detect.Raised, a.Ended:
		return true
	case c.Step == detect.Ended:
		return false
	}
	return a.Count >= c.Alert.Count
}

// facts is an alert as its entry holds it: every address, account and session as a keyed hash.
func facts(a detect.Alert, hash func(kind, text string) string) entry.Alert {
	f := entry.Alert{ID: a.ID, Rule: a.Rule, RuleVersion: a.RuleVersion, Title: a.Title, Level: a.Level, Impact: string(a.Impact),
		First: a.First, Last: a.Last, Raised: a.Raised, Seq: a.RaisedSeq, Count: a.Count, Bytes: a.Bytes, Succeeded: a.Succeeded}
	for _, t := range a.Tags {
		if strings.HasPrefix(t, "attack.t") {
			f.Techniques = append(f.Techniques, t)
		}
	}
	for _, p := range a.Sources {
		x := party(p, hash("address", p.Name))
		if n := network(p.Name); n != "" {
			x.Net = hash("network", n)
		}
		f.Sources = append(f.Sources, x)
	}
	for _, p := range a.Accounts {
		f.Accounts = append(f.Accounts, party(p, hash("account", p.Realm+"/"+p.Name)))
	}
	for _, s := range a.Sessions {
		f.Sessions = append(f.Sessions, hash("session", s))
	}
	return f
}

func party(p detect.Party, hash string) entry.Party {
	return entry.Party{Hash: hash, Role: string(p.Role), Realm: p.Realm, Country: p.Country, Own: p.Own, Shared: p.Shared}
}

// network returns the /24 or /64 of an address, "" if it is none.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	bits := 24
	if a.Is6() && !a.Is4In6() {
		bits = 64
	}
	p, err := a.Unmap().Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// Details returns the addresses, accounts and sample lines of an alert, from the vault.
func (d *Desk) Details(vault string) (detect.Alert, error) {
	b, err := d.vault.Get(vault)
	if err != nil {
		return detect.Alert{}, fmt.Errorf("the details of the alert: %w", err)
	}
	var a detect.Alert
	if err := json.Unmarshal(b, &a); err != nil {
		return detect.Alert{}, fmt.Errorf("the details of the alert: %w", err)
	}
	return a, nil
}
