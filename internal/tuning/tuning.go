// Package tuning remembers exceptions and watch lists: who never alerts until when (mutes), and whose records are marked because
// they are watched for (lists). It reads what people write and import (value.go, plain.go, stix.go, pattern.go) and
// looks records up (set.go).
package tuning

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// How far ahead a mute may end: one that nobody looks at again for longer is a hole. Of a whole rule it is a large one.
const (
	Longest      = 90 * 24 * time.Hour  // of a rule
	LongestParty = 365 * 24 * time.Hour // where an address, network or account is named
)

// A Mute is one exception.
type Mute struct {
	entry.Mute
	By         string // who added it
	Added      time.Time
	Removed    time.Time // zero while it stands
	Suppressed int64     // alerts that it kept from opening an incident
	Last       time.Time // when it did last
}

// Holds reports whether the mute silences at a time.
func (m Mute) Holds(now time.Time) bool { return m.Removed.IsZero() && now.Before(m.Until) }

// whom reports whether the mute names an address, a network or an account.
func (m Mute) whom() bool { return m.Address != "" || m.Network != "" || m.Account != "" }

// A Book holds every mute ever, by id from 1, and every watch list.
type Book struct {
	Mutes []Mute
	Lists []List // by id from 1
}

// An UntilError says what is wrong with the end of a mute.
type UntilError string

func (e UntilError) Error() string { return string(e) }

// Add decides to mute.
func (b *Book) Add(actor string, now time.Time, m entry.Mute) (entry.Draft, error) {
	longest := LongestParty
	if !(Mute{Mute: m}).whom() {
		longest = Longest
	}
	switch {
	case m.Rule == "" && longest == Longest:
		return entry.Draft{}, errors.New("a mute needs a rule, an address, a network or an account")
	case m.Address != "" && m.Network != "":
		return entry.Draft{}, errors.New("a mute names an address or a network, not both")
	case !m.Until.After(now):
		return entry.Draft{}, UntilError("a mute must end in the future")
	case m.Until.Sub(now) > longest:
		return entry.Draft{}, UntilError(fmt.Sprintf("a mute ends within %d days at the latest; renew it then if it is still right", int(longest.Hours()/24)))
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

// Covering returns the book as it looks to somebody who may not have the words of some incidents: of a mute that was made in one of these, who it is about and why stand
// there no more (with, in place of the vault object); that there is one, and of what rule, does. It is to be read only.
func (b *Book) Covering(covered func(incident int64) bool, with string) Book {
	out := *b
	out.Mutes = slices.Clone(b.Mutes)
	for k, m := range out.Mutes {
		if m.Incident != 0 && covered(m.Incident) {
			out.Mutes[k].Vault = with
		}
	}
	return out
}

// Stands reports whether any mute is in force.
func (b *Book) Stands(now time.Time) bool {
	return slices.ContainsFunc(b.Mutes, func(m Mute) bool { return m.Holds(now) })
}

// Parties are who an alert names, as keyed hashes.
type Parties struct {
	Addresses []Place
	Accounts  []string // of the names, whatever the realm
}

// A Place is an address, with the networks around it.
type Place struct {
	Hash string
	Nets map[int]string // by length of prefix: of each that Bits lists
}

// Bits lists the lengths of the prefixes of networks that are muted at a time: of an address these networks must be hashed.
func (b *Book) Bits(now time.Time) (out []int) {
	for _, m := range b.Mutes {
		if m.Network != "" && m.Holds(now) && !slices.Contains(out, m.Bits) {
			out = append(out, m.Bits)
		}
	}
	return out
}

// Silences returns the id of a mute that keeps an alert of the rule quiet, or 0. Everybody whom the alert names must be muted: an
// alert of a muted scanner and of somebody else is told. Addresses are all covered by mutes that name addresses or
// networks, or accounts are by mutes that name accounts; a mute that names both must cover both by itself.
func (b *Book) Silences(now time.Time, rule string, p Parties) int64 {
	var where, who []Mute
	for _, m := range b.Mutes {
		if m.Rule != "" && m.Rule != rule || !m.Holds(now) {
			continue
		}
		place := m.Address != "" || m.Network != ""
		switch {
		case place && m.Account != "":
			if allAre(p.Addresses, m.covers) && allAre(p.Accounts, m.is) {
				return m.ID
			}
		case place:
			where = append(where, m)
		case m.Account != "":
			who = append(who, m)
		default:
			return m.ID
		}
	}
	if allAre(p.Addresses, func(x Place) bool { return slices.ContainsFunc(where, func(m Mute) bool { return m.covers(x) }) }) {
		return where[slices.IndexFunc(where, func(m Mute) bool { return m.covers(p.Addresses[0]) })].ID
	}
	if allAre(p.Accounts, func(x string) bool { return slices.ContainsFunc(who, func(m Mute) bool { return m.is(x) }) }) {
		return who[slices.IndexFunc(who, func(m Mute) bool { return m.is(p.Accounts[0]) })].ID
	}
	return 0
}

func (m Mute) covers(x Place) bool {
	return m.Address != "" && m.Address == x.Hash || m.Network != "" && m.Network == x.Nets[m.Bits]
}

func (m Mute) is(account string) bool { return m.Account == account }

// allAre reports whether there are some and all are so.
func allAre[T any](list []T, so func(T) bool) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(x T) bool { return !so(x) })
}

// Apply folds an entry and reports whether it was of a mute or a list.
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
	case entry.AlertRaised:
		return false, b.count(e)
	}
	return b.applyList(e)
}

// count notes an alert that a mute kept quiet. Most alerts are none, and a start reads them all.
func (b *Book) count(e entry.Entry) error {
	if !bytes.Contains(e.Body, []byte(`"mute":`)) {
		return nil
	}
	x, err := entry.Body[struct {
		Mute int64 `json:"mute"`
	}](e)
	if err == nil && x.Mute >= 1 && x.Mute <= int64(len(b.Mutes)) {
		m := &b.Mutes[x.Mute-1]
		m.Suppressed, m.Last = m.Suppressed+1, e.Time
	}
	return err
}
