package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/tuning"
)

// AddMute silences a rule for an address ("" is all) until a time.
func (d *Desk) AddMute(actor auth.Actor, rule, address, why string, until time.Time) error {
	if rule == "" {
		return errors.New("a mute needs a rule")
	}
	if address != "" {
		if _, err := netip.ParseAddr(address); err != nil {
			return fmt.Errorf("%q is no address; write it as in the alert, such as 203.0.113.9", address)
		}
	}
	_, err := d.AddNever(actor, Never{Rule: rule, From: address, Why: why, Until: until})
	if f, ok := errors.AsType[FieldError](err); ok && f.Field != "reason" {
		return errors.New(f.Says)
	}
	return err
}

// A Never is a mute as people say it: who never alerts until when, and why. What is empty says nothing; what is said must all hold.
type Never struct {
	Rule    string
	From    string // an address, or a network such as 203.0.113.0/24
	Account string // whatever the realm, and without regard to case
	Why     string
	Until   time.Time
}

// AddNever keeps alerts from opening incidents and ringing; they are raised and counted all the same. It returns the id of the
// mute. Errors of one thing that was said are FieldErrors of from, account, rule, until or reason.
func (d *Desk) AddNever(actor auth.Actor, n Never) (id int64, err error) {
	if err := errors.Join(auth.May(actor, auth.Tune), d.Broken()); err != nil {
		return 0, err
	}
	n.Why, n.From, n.Account = strings.TrimSpace(n.Why), strings.TrimSpace(n.From), strings.TrimSpace(n.Account)
	if n.Why == "" {
		return 0, FieldError{"reason", "A mute needs a reason."}
	}
	if n.Rule != "" && !d.hasRule(n.Rule) {
		return 0, FieldError{"rule", fmt.Sprintf("No rule has the id %q.", n.Rule)}
	}
	if unmuted(n.Rule) {
		return 0, FieldError{"rule", "This cannot be muted: everyone shall hear of it."}
	}
	m := entry.Mute{Rule: n.Rule, Until: n.Until.UTC()}
	if err := d.hashParty(&m, &n); err != nil {
		return 0, err
	}
	b, err := json.Marshal(MuteText{n.From, n.Account, n.Why})
	if err != nil {
		return 0, err
	}
	if m.Vault, err = d.vault.Put(b); err != nil {
		return 0, fmt.Errorf("keeping the mute: %w", err)
	}
	err = d.do(actor, auth.Tune, func(s *State, now time.Time) (entry.Draft, error) {
		x, err := addMute(s, actor, now, m)
		id = int64(len(s.Tuning.Mutes)) + 1
		return x, err
	})
	return id, err
}

// hashParty brings who is named into one form, and its keyed hashes into the entry.
func (d *Desk) hashParty(m *entry.Mute, n *Never) error {
	if n.From != "" {
		kind := tuning.Address
		if strings.Contains(n.From, "/") {
			kind = tuning.Network
		}
		v, err := tuning.NewValue(kind, n.From)
		if err != nil {
			return FieldError{"from", Title(err.Error()) + "."}
		}
		n.From = v.Text
		if v.Kind == tuning.Address {
			m.Address = d.vault.Hash("address", v.Text)
		} else {
			m.Network, m.Bits = d.vault.Hash("network", v.Text), netip.MustParsePrefix(v.Text).Bits()
		}
	}
	if n.Account != "" {
		v, err := tuning.NewValue(tuning.Account, n.Account)
		if err != nil {
			return FieldError{"account", Title(err.Error()) + "."}
		}
		n.Account, m.Account = v.Text, d.hashAccount(v.Text)
	}
	return nil
}

// hashAccount is the keyed hash of an account's name, whatever the realm.
func (d *Desk) hashAccount(name string) string {
	return d.vault.Hash("account name", strings.ToLower(name))
}

// parties are who an alert names, as mutes know them.
func (d *Desk) parties(s *State, now time.Time, a detect.Alert) (p tuning.Parties) {
	bits := s.Tuning.Bits(now)
	for _, x := range a.Sources {
		at := tuning.Place{Hash: d.vault.Hash("address", x.Name)}
		addr, err := netip.ParseAddr(x.Name)
		for _, n := range bits {
			if net, perr := addr.Unmap().WithZone("").Prefix(n); err == nil && perr == nil {
				if at.Nets == nil {
					at.Nets = map[int]string{}
				}
				at.Nets[n] = d.vault.Hash("network", net.String())
			}
		}
		p.Addresses = append(p.Addresses, at)
	}
	for _, x := range a.Accounts {
		p.Accounts = append(p.Accounts, d.hashAccount(x.Name))
	}
	if a.Dropped > 0 && len(a.Sources) >= detect.MaxParties { // somebody beyond those that it names, whom no mute covers
		p.Addresses = append(p.Addresses, tuning.Place{})
	}
	if a.Dropped > 0 && len(a.Accounts) >= detect.MaxParties {
		p.Accounts = append(p.Accounts, "")
	}
	return p
}

// A MuteText is what the vault keeps of a mute.
type MuteText struct {
	Address string `json:"address"` // or network
	Account string `json:"account,omitempty"`
	Why     string `json:"why"`
}

// MuteText returns the address and reason of a mute.
func (d *Desk) MuteText(vault string) MuteText {
	var x MuteText
	if vault == incident.Covered {
		return MuteText{Why: d.Text(vault)}
	}
	b, err := d.vault.Get(vault)
	if err == nil {
		err = json.Unmarshal(b, &x)
	}
	if err != nil {
		return MuteText{Why: "(not readable: " + err.Error() + ")"}
	}
	return x
}

// RemoveMute ends a mute now.
func (d *Desk) RemoveMute(actor auth.Actor, id int64) error {
	return d.do(actor, auth.Tune, func(s *State, now time.Time) (entry.Draft, error) {
		return s.Tuning.Remove(actor.Name, now, id)
	})
}

func (d *Desk) hasRule(key string) bool {
	for _, x := range d.rules.Load().Rules.Documents() {
		if x.Meta().Key() == key {
			return true
		}
	}
	return StandingTitle(key) != ""
}
