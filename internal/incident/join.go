package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// How long after an account was last seen in an incident an alert about it still joins, how long after a network,
// and how many accounts an alert may name for them to say anything (a list of stuffed passwords names hundreds).
const (
	accountJoins = 24 * time.Hour
	networkJoins = time.Hour
	addressJoins = 7 * 24 * time.Hour
	sameMoment   = 10 * time.Minute // of an alert that names nobody
	waveJoins    = 6 * time.Hour    // a slow wave lasts for hours, and tells of itself only at each doubling of its addresses
	fewAccounts  = 10
	waveSources  = 8 // suspect addresses of one alert from which on it is a wave
)

// An index finds the incident that an alert joins. What it says of a closed incident is ignored.
type index struct {
	address, session, account, technique, wave map[string]seen
	network                                    map[ruleNet]seen

	kin kin
}

// ruleNet is a network as a rule saw it.
type ruleNet struct{ rule, net string }

type seen struct {
	incident int64
	last     time.Time
	before   int32 // of addresses, sessions and techniques: place in kin.links of the newest incident with it
}

func put[K comparable](m *map[K]seen, key K, s seen) {
	if *m == nil {
		*m = map[K]seen{}
	}
	if was := (*m)[key]; was.incident == s.incident && was.last.After(s.last) {
		s.last = was.last
	}
	(*m)[key] = s
}

// tie is put for what also tells which incidents are related.
func (x *index) tie(m *map[string]seen, key string, s seen) {
	if *m == nil {
		*m = map[string]seen{}
	}
	was := (*m)[key]
	if s.before = was.before; was.incident != s.incident {
		s.before = x.kin.link(s.incident, was.before)
	} else if was.last.After(s.last) {
		s.last = was.last
	}
	(*m)[key] = s
}

// add notes that what a names is part of an incident. A low alert ties nothing together.
func (x *index) add(id int64, a *entry.Alert) {
	if Rank(a.Level) <= 0 {
		return
	}
	s := seen{incident: id, last: a.Last}
	for _, p := range a.Sources {
		if joins(p) {
			x.tie(&x.address, p.Hash, s)
			put(&x.network, ruleNet{a.Rule, p.Net}, s)
		}
	}
	for _, h := range a.Sessions {
		x.tie(&x.session, h, s)
	}
	for _, t := range a.Techniques {
		x.tie(&x.technique, t, s)
	}
	if len(a.Accounts) <= fewAccounts {
		for _, p := range a.Accounts {
			put(&x.account, p.Hash, s)
		}
	}
	if isWave(a) {
		for _, k := range waves(a) {
			put(&x.wave, k, s)
		}
	}
}

// isWave reports whether an alert is of an attack that is spread over so many addresses that none of them stands for it, or names
// no address and many accounts. Own and shared addresses do not count: the customers of a phone network are no botnet.
func isWave(a *entry.Alert) bool {
	if len(a.Sources) == 0 {
		return len(a.Accounts) > fewAccounts
	}
	n := 0
	for _, p := range a.Sources {
		if joins(p) {
			n++
		}
	}
	return n >= waveSources
}

// waves are what an alert has in common with others of the same wave: an ATT&CK technique, without its part behind the dot,
// against accounts of the same kind (customers, administrators, FTP).
func waves(a *entry.Alert) (keys []string) {
	for _, p := range a.Accounts {
		if p.Realm == "" {
			continue
		}
		for _, t := range a.Techniques {
			whole := t
			if i := strings.LastIndexByte(t, '.'); i > len("attack.") {
				whole = t[:i]
			}
			if k := whole + " " + p.Realm; !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// joins reports whether an address may tie alerts together.
func joins(p entry.Party) bool { return p.Role == "suspect" && !p.Own && !p.Shared }

// find returns the open incident that a joins, and by what; 0 if none.
func (x *pending) find(a entry.Alert) (id int64, by string) {
	both := []*index{&x.index, &x.book.index}
	of := func(s seen, within time.Duration) int64 {
		if s.incident == 0 || !near(a, s.last, within) {
			return 0
		}
		if root := x.root(s.incident); x.isOpen(root) {
			return root
		}
		return 0
	}
	look := func(m func(*index) map[string]seen, key string, within time.Duration) int64 {
		return cmp.Or(of(m(both[0])[key], within), of(m(both[1])[key], within))
	}
	for _, p := range a.Sources {
		if joins(p) {
			if id = look(func(i *index) map[string]seen { return i.address }, p.Hash, addressJoins); id != 0 {
				return id, "address"
			}
		}
	}
	for _, h := range a.Sessions {
		if id = look(func(i *index) map[string]seen { return i.session }, h, accountJoins); id != 0 {
			return id, "session"
		}
	}
	if len(a.Accounts) <= fewAccounts {
		for _, p := range a.Accounts {
			if id = look(func(i *index) map[string]seen { return i.account }, p.Hash, accountJoins); id != 0 {
				return id, "account"
			}
		}
	}
	for _, p := range a.Sources {
		if joins(p) && p.Net != "" {
			key := ruleNet{a.Rule, p.Net}
			if id = cmp.Or(of(both[0].network[key], networkJoins), of(both[1].network[key], networkJoins)); id != 0 {
				return id, "network"
			}
		}
	}
	for _, k := range waves(&a) {
		if id = look(func(i *index) map[string]seen { return i.wave }, k, waveJoins); id != 0 {
			return id, "wave"
		}
	}
	if len(a.Sources)+len(a.Accounts)+len(a.Sessions) > 0 {
		return 0, ""
	}
	for _, t := range a.Techniques {
		if id = look(func(i *index) map[string]seen { return i.technique }, t, sameMoment); id != 0 {
			return id, "technique"
		}
	}
	return 0, ""
}

// near reports whether a touches a time, give or take.
func near(a entry.Alert, t time.Time, within time.Duration) bool {
	return a.First.Sub(t) <= within && t.Sub(a.Last) <= within
}
