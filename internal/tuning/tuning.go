// Package tuning remembers exceptions: rules that are muted for an address until a time.
package tuning

import (
	"errors"
	"fmt"
	"time"

	"tocsin/internal/entry"
)

// Longest is how far ahead a mute may end: one that nobody looks at again for longer is a hole.
const Longest = 90 * 24 * time.Hour

// A Mute is one exception.
type Mute struct {
	entry.Mute
	By      string // who added it
	Added   time.Time
	Removed time.Time // zero while it stands
}

// Holds reports whether the mute silences at a time.
func (m Mute) Holds(now time.Time) bool { return m.Removed.IsZero() && now.Before(m.Until) }

// A Book holds every mute ever, by id from 1.
type Book struct{ Mutes []Mute }

// Add decides to mute.
func (b *Book) Add(actor string, now time.Time, m entry.Mute) (entry.Draft, error) {
	switch {
	case m.Rule == "":
		return entry.Draft{}, errors.New("a mute needs a rule")
	case !m.Until.After(now):
		return entry.Draft{}, errors.New("a mute must end in the future")
	case m.Until.Sub(now) > Longest:
		return entry.Draft{}, fmt.Errorf("a mute ends within %d days at the latest; renew it then if it is still right", int(Longest.Hours()/24))
	}
	m.ID = int64(len(b.Mutes)) + 1
	return entry.Draft{Actor: actor, Kind: entry.MuteAdded, Subject: fmt.Sprintf("mute:%d", m.ID), Body: m}, nil
}

// Remove decides to end a mute now.
func (b *Book) Remove(actor string, now time.Time, id int64) (entry.Draft, error) {
	if id < 1 || id > int64(len(b.Mutes)) || !b.Mutes[id-1].Holds(now) {
		return entry.Draft{}, fmt.Errorf("no mute %d is in force", id)
	}
	return entry.Draft{Actor: actor, Kind: entry.MuteRemoved, Subject: fmt.Sprintf("mute:%d", id), Body: entry.MuteEnd{ID: id}}, nil
}

// Silences returns the id of a mute that covers the rule and every one of the addresses (keyed hashes), or 0.
func (b *Book) Silences(now time.Time, rule string, addresses []string) int64 {
	for _, m := range b.Mutes {
		if m.Rule != rule || !m.Holds(now) {
			continue
		}
		if m.Address == "" || len(addresses) > 0 && allAre(addresses, m.Address) {
			return m.ID
		}
	}
	return 0
}

func allAre(list []string, x string) bool {
	for _, s := range list {
		if s != x {
			return false
		}
	}
	return true
}

// Apply folds an entry and reports whether it was a mute's.
func (b *Book) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.MuteAdded:
		x, err := entry.Body[entry.Mute](e)
		if err == nil && x.ID != int64(len(b.Mutes))+1 {
			err = fmt.Errorf("entry %d: mute %d does not follow %d", e.N, x.ID, len(b.Mutes))
		}
		b.Mutes = append(b.Mutes, Mute{Mute: x, By: e.Actor, Added: e.Time})
		return true, err
	case entry.MuteRemoved:
		x, err := entry.Body[entry.MuteEnd](e)
		if err != nil || x.ID < 1 || x.ID > int64(len(b.Mutes)) {
			return true, fmt.Errorf("entry %d: no mute %d (%v)", e.N, x.ID, err)
		}
		b.Mutes[x.ID-1].Removed = e.Time
		return true, nil
	}
	return false, nil
}
