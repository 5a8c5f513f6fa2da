package incident

import (
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
	fewAccounts  = 10
)

// An index finds the incident that an alert joins. What it says of a closed incident is ignored.
type index struct {
	address, session, account, network, technique map[string]seen
}

type seen struct {
	incident int64
	last     time.Time
}

func put(m *map[string]seen, key string, s seen) {
	if *m == nil {
		*m = map[string]seen{}
	}
	if was := (*m)[key]; was.incident == s.incident && was.last.After(s.last) {
		s.last = was.last
	}
	(*m)[key] = s
}

// add notes that what a names is part of an incident. A low alert ties nothing together.
func (x *index) add(id int64, a entry.Alert) {
	if Rank(a.Level) <= 0 {
		return
	}
	s := seen{id, a.Last}
	for _, p := range a.Sources {
		if joins(p) {
			put(&x.address, p.Hash, s)
			put(&x.network, a.Rule+p.Net, s)
		}
	}
	for _, h := range a.Sessions {
		put(&x.session, h, s)
	}
	for _, t := range a.Techniques {
		put(&x.technique, t, s)
	}
	if len(a.Accounts) <= fewAccounts {
		for _, p := range a.Accounts {
			put(&x.account, p.Hash, s)
		}
	}
}

// joins reports whether an address may tie alerts together.
func joins(p entry.Party) bool { return p.Role == "suspect" && !p.Own && !p.Shared }

// find returns the open incident that a joins, and by what; 0 if none.
func (x *pending) find(a entry.Alert) (id int64, by string) {
	look := func(m func(*index) map[string]seen, key string, within time.Duration) int64 {
		for _, ix := range []*index{&x.index, &x.book.index} {
			if s, ok := m(ix)[key]; ok && x.isOpen(s.incident) && near(a, s.last, within) {
				return s.incident
			}
		}
		return 0
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
			if id = look(func(i *index) map[string]seen { return i.network }, a.Rule+p.Net, networkJoins); id != 0 {
				return id, "network"
			}
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
