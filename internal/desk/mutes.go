package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
)

// AddMute silences a rule for an address ("" is all) until a time.
func (d *Desk) AddMute(actor auth.Actor, rule, address, why string, until time.Time) error {
	if err := errors.Join(auth.May(actor, auth.Tune), d.Broken()); err != nil {
		return err
	}
	why = strings.TrimSpace(why)
	if why == "" {
		return errors.New("a mute needs a reason")
	}
	m := entry.Mute{Rule: rule, Until: until.UTC()}
	if address != "" {
		a, err := netip.ParseAddr(address)
		if err != nil {
			return fmt.Errorf("%q is no address; write it as in the alert, such as 203.0.113.9", address)
		}
		address = a.Unmap().String()
		m.Address = d.vault.Hash("address", address)
	}
	if !d.hasRule(rule) {
		return fmt.Errorf("no rule has the id %q", rule)
	}
	b, err := json.Marshal(MuteText{address, why})
	if err != nil {
		return err
	}
	if m.Vault, err = d.vault.Put(b); err != nil {
		return fmt.Errorf("keeping the mute: %w", err)
	}
	return d.do(actor, auth.Tune, func(s *State, now time.Time) (entry.Draft, error) {
		return s.Tuning.Add(actor.Name, now, m)
	})
}

// A MuteText is what the vault keeps of a mute.
type MuteText struct {
	Address string `json:"address"`
	Why     string `json:"why"`
}

// MuteText returns the address and reason of a mute.
func (d *Desk) MuteText(vault string) MuteText {
	var x MuteText
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
	return key == SilentRule
}
