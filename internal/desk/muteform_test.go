package desk

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/tuning"
)

// A mute covers its address in whatever form it was typed.
func TestMutedAddressHasOneForm(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	until := time.Now().Add(time.Hour)
	for typed, same := range map[string]string{"::ffff:192.0.2.7": "192.0.2.7", "2001:DB8:0:0::7": "2001:db8::7", "203.0.113.9": "203.0.113.9"} {
		if err := d.AddMute(Local("test"), evilRule, typed, "our own scanner", until); err != nil {
			t.Errorf("%s: %v", typed, err)
			continue
		}
		covered := false
		d.Read(func(s *State) {
			covered = s.Tuning.Silences(time.Now(), evilRule, tuning.Parties{Addresses: []tuning.Place{{Hash: d.vault.Hash("address", same)}}}) != 0
		})
		if !covered {
			t.Errorf("%s does not cover %s", typed, same)
		}
	}
	for _, wrong := range []string{"192.0.2.0/24", "192.0.2.7 ", "shop.example", "192.0.2"} {
		if err := d.AddMute(Local("test"), evilRule, wrong, "our own scanner", until); err == nil || !strings.Contains(err.Error(), "is no address") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
