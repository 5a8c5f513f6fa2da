package fleet

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"tocsin/internal/entry"
)

// A Token was made and not used yet.
type Token struct {
	Hash    string // SHA-256 of its secret, in hex
	Name    string // that the agent gets; "" lets it name itself
	Made    time.Time
	By      string // who made it, as entries name actors
	Expires time.Time
}

// An Agent joined.
type Agent struct {
	ID      string
	Name    string // host of its lines
	Joined  time.Time
	By      string    // who made its token
	From    string    // vault object with the address from which it joined
	Key     string    // SHA-256 of its public key, in hex
	Expires time.Time // of its certificate
	Revoked time.Time // zero while it is heard
	Ended   string    // who revoked it
	Why     string    // vault object with the reason
	Lost    time.Time // when it was heard of last, while it is lost; else zero
}

// A Gap is lines that an agent lost.
type Gap struct {
	ID    string // agent
	Told  time.Time
	Vault string // the object that holds file and bounds
	Since time.Time
	Until time.Time
}

// maxLosses is how many losses of one agent are remembered in lossesIn: one that tells ever new ones would fill the ledger.
const (
	maxLosses = 100
	lossesIn  = 30 * 24 * time.Hour
)

// losses counts those of an agent.
type losses struct {
	since time.Time
	n     int
}

// Why a change of agents is refused.
var (
	ErrNoAgent   = errors.New("there is no such agent")
	ErrRevoked   = errors.New("this agent was revoked before")
	ErrTooManyOf = errors.New("this agent told of too many losses")
)

// Invite makes the entry of a new token.
func (b *Book) Invite(actor string, t entry.AgentToken) entry.Draft {
	return entry.Draft{Actor: actor, Kind: entry.AgentInvited, Subject: "token:" + t.Hash[:min(16, len(t.Hash))], Body: t}
}

// Join makes the entry of an agent that spent its token.
func (b *Book) Join(x entry.AgentJoin) (entry.Draft, error) {
	if _, known := b.Tokens[x.Token]; !known {
		return entry.Draft{}, errors.New("the agent's token is not known")
	}
	if _, there := b.Agents[x.ID]; there {
		return entry.Draft{}, fmt.Errorf("there is an agent %s already", x.ID)
	}
	return entry.Draft{Actor: "hub", Kind: entry.AgentJoined, Subject: "agent:" + x.ID, Body: x}, nil
}

// Renew makes the entry of a next certificate.
func (b *Book) Renew(x entry.AgentCertificate) (entry.Draft, error) {
	return entry.Draft{Actor: "hub", Kind: entry.AgentRenewed, Subject: "agent:" + x.ID, Body: x}, b.heard(x.ID)
}

// Revoke makes the entry of an agent that is not to be heard any more. text is the vault object with the reason.
func (b *Book) Revoke(actor, id, text string) (entry.Draft, error) {
	return entry.Draft{Actor: actor, Kind: entry.AgentRevoked, Subject: "agent:" + id, Body: entry.AgentEnd{ID: id, Text: text}}, b.heard(id)
}

// MayLose returns why no more losses of an agent are taken, nil while they are.
func (b *Book) MayLose(id string, now time.Time) error {
	if l := b.losses[id]; l.n >= maxLosses && now.Sub(l.since) < lossesIn {
		return ErrTooManyOf
	}
	return b.heard(id)
}

// Lose makes the entry of lines that an agent lost; none when it is known.
func (b *Book) Lose(x entry.AgentLoss, now time.Time) (drafts []entry.Draft, err error) {
	if err := b.MayLose(x.ID, now); err != nil {
		return nil, err
	}
	if _, known := b.Gaps[x.Hash]; known {
		return nil, nil
	}
	return []entry.Draft{{Actor: "hub", Kind: entry.AgentGap, Subject: "agent:" + x.ID, Body: x}}, nil
}

func (b *Book) heard(id string) error {
	switch a, ok := b.Agents[id]; {
	case !ok:
		return ErrNoAgent
	case !a.Revoked.IsZero():
		return ErrRevoked
	}
	return nil
}

// OwedAgents says which agents were lost and which came back, as entries that are not written yet, and when to look again. last says when each
// was heard of last, by id; of one that is not in it, that is since.
func (b *Book) OwedAgents(last map[string]time.Time, since, now time.Time, limit time.Duration) (drafts []entry.Draft, again time.Time) {
	for id, a := range b.Agents {
		if !a.Revoked.IsZero() {
			continue
		}
		seen, heard := last[id]
		if limit <= 0 { // nobody asks any more
			if !a.Lost.IsZero() {
				drafts = append(drafts, entry.Draft{Actor: "desk", Kind: entry.AgentBack, Subject: "agent:" + id, Body: entry.AgentSilence{ID: id, Since: a.Lost.UTC(), Limit: limit}})
			}
			continue
		}
		if !heard {
			seen = since
			if a.Joined.After(seen) {
				seen = a.Joined
			}
			if !a.Lost.IsZero() {
				continue // a start of ours is no word from it
			}
		}
		due := seen.Add(limit)
		body := entry.AgentSilence{ID: id, Since: seen.UTC(), Limit: limit}
		switch {
		case a.Lost.IsZero() && !now.Before(due):
			drafts = append(drafts, entry.Draft{Actor: "desk", Kind: entry.AgentLost, Subject: "agent:" + id, Body: body})
		case !a.Lost.IsZero() && now.Before(due):
			drafts = append(drafts, entry.Draft{Actor: "desk", Kind: entry.AgentBack, Subject: "agent:" + id, Body: body})
		}
		if now.Before(due) && (again.IsZero() || due.Before(again)) {
			again = due
		}
	}
	return drafts, again
}

// applyAgent folds an entry about agents, and reports whether it was one.
func (b *Book) applyAgent(e entry.Entry) (bool, error) {
	if b.Agents == nil {
		b.Tokens, b.Agents, b.Gaps, b.losses = map[string]Token{}, map[string]Agent{}, map[string]Gap{}, map[string]losses{}
	}
	switch e.Kind {
	case entry.AgentInvited:
		x, err := entry.Body[entry.AgentToken](e)
		for hash, t := range b.Tokens {
			if !e.Time.Before(t.Expires) {
				delete(b.Tokens, hash)
			}
		}
		b.Tokens[x.Hash] = Token{Hash: x.Hash, Name: x.Name, Made: e.Time, By: e.Actor, Expires: x.Expires}
		return true, err
	case entry.AgentJoined:
		x, err := entry.Body[entry.AgentJoin](e)
		b.Agents[x.ID] = Agent{ID: x.ID, Name: x.Name, Joined: e.Time, By: b.Tokens[x.Token].By, From: x.From, Key: x.Key, Expires: x.Expires}
		delete(b.Tokens, x.Token)
		return true, err
	case entry.AgentRenewed:
		x, err := entry.Body[entry.AgentCertificate](e)
		b.change(x.ID, func(a *Agent) { a.Key, a.Expires = x.Key, x.Expires })
		return true, err
	case entry.AgentRevoked:
		x, err := entry.Body[entry.AgentEnd](e)
		b.change(x.ID, func(a *Agent) { a.Revoked, a.Ended, a.Why, a.Lost = e.Time, e.Actor, x.Text, time.Time{} })
		maps.DeleteFunc(b.Silent, func(_ string, s Silence) bool { return s.Agent == x.ID })
		return true, err
	case entry.AgentLost, entry.AgentBack:
		x, err := entry.Body[entry.AgentSilence](e)
		b.change(x.ID, func(a *Agent) {
			if a.Lost = x.Since; e.Kind == entry.AgentBack {
				a.Lost = time.Time{}
			}
		})
		return true, err
	case entry.AgentGap:
		x, err := entry.Body[entry.AgentLoss](e)
		l := b.losses[x.ID]
		if e.Time.Sub(l.since) >= lossesIn {
			l = losses{since: e.Time}
		}
		l.n++
		b.losses[x.ID] = l
		b.Gaps[x.Hash] = Gap{ID: x.ID, Told: e.Time, Vault: x.Vault, Since: x.Since, Until: x.Until}
		return true, err
	}
	return false, nil
}

func (b *Book) change(id string, how func(*Agent)) {
	if a, ok := b.Agents[id]; ok {
		how(&a)
		b.Agents[id] = a
	}
}
