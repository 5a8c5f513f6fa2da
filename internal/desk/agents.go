package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/fleet"
	"tocsin/internal/hub"
	"tocsin/internal/record"
)

// # Agents
//
// The hub of package hub speaks with them; the ledger says who they are: what the hub asks to be kept becomes entries (keepAgents), and at the
// next start it gets its state from what they amount to. Locks are taken in the order hub, desk: nothing asks the hub while it holds the
// desk's lock, so what the hub saw is looked at once a second and kept here (present).

// HubOptions say where agents are heard.
type HubOptions struct {
	Listener net.Listener
	Address  string        // at which agents reach it, host and port; "" is not known
	Limit    time.Duration // how long an agent may say nothing; 0 is for ever
}

const (
	authorityFile = "agents.pem" // in the key folder: the hub's certificate authority and its key
	lookAgain     = time.Second  // how often it is seen which agents were heard
)

// agents is what the desk has to do with them. hub is nil when none are heard.
type agents struct {
	hub     *hub.Hub
	o       HubOptions
	present atomic.Pointer[[]hub.Agent]
	heard   atomic.Pointer[[]fleet.Heard] // their log sources

	inviting sync.Mutex // held while a token is made
	actor    string     // who makes it
}

// openHub makes the hub, if agents are to be heard.
func (d *Desk) openHub() error {
	if d.o.Hub == nil {
		return nil
	}
	d.agents.o = *d.o.Hub
	ca, err := d.authority()
	if err != nil {
		return err
	}
	d.agents.hub, err = hub.New(hub.Options{
		Log: d.log, CA: ca, State: d.hubState(), Save: d.keepAgents, Append: d.keep, Positions: d.archive.Positions, Revoked: d.revoked,
		Head: d.ledger.ProveSigned, Ledger: d.key.Public().String(), Version: d.o.Version,
	})
	return err
}

// authority reads the hub's authority, or makes it while no agent ever joined.
func (d *Desk) authority() ([]byte, error) {
	b, err := disk.ReadFile(d.o.Keys, authorityFile)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	n := 0
	for _, a := range d.state.Fleet.Agents {
		if a.Revoked.IsZero() {
			n++
		}
	}
	if n > 0 {
		return nil, fmt.Errorf("%d agents joined, but the key by which they know this server, %s, is gone from the key folder: bring the folder back from its backup. "+
			"If that cannot be, remove agents.listen from the settings, start, revoke all agents, and let them join again", n, authorityFile)
	}
	if b, err = hub.NewCA(time.Now()); err != nil {
		return nil, err
	}
	return b, disk.Replace(d.o.Keys, authorityFile, b)
}

// hubState is what the ledger says of agents, as the hub has it.
func (d *Desk) hubState() (s hub.State) {
	for _, t := range d.state.Fleet.Tokens {
		if hash, err := hex.DecodeString(t.Hash); err == nil {
			s.Tokens = append(s.Tokens, hub.Pending{Hash: hash, Name: t.Name, Made: t.Made, Expires: t.Expires})
		}
	}
	for _, a := range d.state.Fleet.Agents {
		s.Agents = append(s.Agents, hub.Joined{ID: a.ID, Name: a.Name, Joined: a.Joined, From: d.Text(a.From), Key: a.Key, Expires: a.Expires})
	}
	return s
}

// keepAgents writes down what the hub changed: tokens, agents that joined, certificates. The hub calls it under its lock, one call at a time.
func (d *Desk) keepAgents(next hub.State) error {
	from := map[string]string{}
	for _, a := range next.Agents {
		known := false
		d.Read(func(s *State) { _, known = s.Fleet.Agents[a.ID] })
		if known {
			continue
		}
		id, err := d.text(a.From)
		if err != nil {
			return err
		}
		from[a.ID] = id
	}
	return d.write(func(s *State, _ time.Time) (drafts []entry.Draft, err error) {
		for _, t := range next.Tokens {
			hash := hex.EncodeToString(t.Hash)
			if _, known := s.Fleet.Tokens[hash]; !known {
				drafts = append(drafts, s.Fleet.Invite(d.agents.actor, entry.AgentToken{Hash: hash, Name: t.Name, Expires: t.Expires}))
			}
		}
		for _, a := range next.Agents {
			x, err := d.keepAgent(s, a, from[a.ID])
			if err != nil {
				return nil, err
			}
			drafts = append(drafts, x...)
		}
		return drafts, nil
	})
}

// keepAgent makes the entry of one that joined or renewed, none of one that did neither.
func (d *Desk) keepAgent(s *State, a hub.Joined, from string) ([]entry.Draft, error) {
	was, known := s.Fleet.Agents[a.ID]
	switch {
	case !known:
		x, err := s.Fleet.Join(entry.AgentJoin{ID: a.ID, Name: a.Name, Token: hex.EncodeToString(a.Token), From: from, Key: a.Key, Expires: a.Expires})
		return []entry.Draft{x}, err
	case was.Key != a.Key || !was.Expires.Equal(a.Expires):
		x, err := s.Fleet.Renew(entry.AgentCertificate{ID: a.ID, Key: a.Key, Expires: a.Expires})
		return []entry.Draft{x}, err
	}
	return nil, nil
}

func (d *Desk) revoked(id string) (no bool) {
	d.Read(func(s *State) {
		a, known := s.Fleet.Agents[id]
		no = known && !a.Revoked.IsZero()
	})
	return no
}

// hear speaks with agents until ctx ends.
func (d *Desk) hear(ctx context.Context) error {
	if d.agents.hub == nil {
		<-ctx.Done()
		return nil
	}
	return runLoops(ctx, map[string]func(context.Context) error{
		"hub":       func(ctx context.Context) error { return d.agents.hub.Serve(ctx, d.agents.o.Listener) },
		"roll call": func(ctx context.Context) error { return again(ctx, lookAgain, d.rollCall) },
	})
}

// rollCall looks at whom the hub heard. It waits for no disk.
func (d *Desk) rollCall() {
	all := d.agents.hub.Agents()
	d.agents.present.Store(&all)
	seen, back := d.lastHeard(), false
	d.Read(func(s *State) {
		for id, a := range s.Fleet.Agents {
			back = back || seen[id].After(a.Lost) && !a.Lost.IsZero()
		}
	})
	if back {
		d.owes()
	}
}

// lastHeard is when each agent was heard of last, as the last roll call saw it.
func (d *Desk) lastHeard() map[string]time.Time {
	all := d.agents.present.Load()
	if all == nil {
		return nil
	}
	out := make(map[string]time.Time, len(*all))
	for _, a := range *all {
		if !a.Seen.IsZero() {
			out[a.ID] = a.Seen
		}
	}
	return out
}

// ErrNoHub says that no agents are heard.
var ErrNoHub = errors.New("agents are not heard here yet: write into tocsin.yaml\nagents:\n  listen: 0.0.0.0:8443\nand restart Tocsin; open that port in the firewall for your hosts")

// An Invitation lets one agent join.
type Invitation struct {
	Token   string
	Address string // host and port, "" when nobody said it
	Expires time.Time
}

// Command is what is to be typed on the host.
func (i Invitation) Command() string {
	at := i.Address
	if at == "" {
		at = "THIS-SERVER:8443"
	}
	return "tocsin-agent join https://" + at + " " + i.Token
}

// InviteAgent makes a token with which one agent may join. With a name, the agent gets it; without, it is called as its host is.
func (d *Desk) InviteAgent(actor auth.Actor, name string, valid time.Duration) (Invitation, error) {
	if err := auth.May(actor, auth.Hosts); err != nil {
		return Invitation{}, err
	}
	if d.agents.hub == nil {
		return Invitation{}, ErrNoHub
	}
	d.agents.inviting.Lock()
	defer d.agents.inviting.Unlock()
	d.agents.actor = actor.Name
	token, err := d.agents.hub.NewToken(name, valid)
	return Invitation{Token: token, Address: d.agents.o.Address, Expires: time.Now().Add(valid)}, err
}

// RevokeAgent hears an agent no more, at once. It is named by its id, or by its name.
func (d *Desk) RevokeAgent(actor auth.Actor, which, why string) error {
	if err := auth.May(actor, auth.Hosts); err != nil {
		return err
	}
	a, err := d.agent(which)
	if err != nil {
		return err
	}
	return d.say(actor, auth.Hosts, why, func(s *State, text string) (entry.Draft, error) { return s.Fleet.Revoke(actor.Name, a.ID, text) })
}

// agent finds one by its id, else the one that is heard under a name.
func (d *Desk) agent(which string) (found fleet.Agent, err error) {
	err = fleet.ErrNoAgent
	d.Read(func(s *State) {
		for _, a := range s.Fleet.Agents {
			if a.ID == which {
				found, err = a, nil
				return
			}
			if a.Name == which && (err != nil || a.Revoked.IsZero()) {
				found, err = a, nil
			}
		}
	})
	return found, err
}

// An Agent is what is known of one. Host is its own words.
type Agent struct {
	fleet.Agent
	Seen    time.Time // when it was heard of last since the start of the program; zero when it was not
	Address string    // from which
	Lines   int64     // since the start of the program
	Host    record.Host
	HostAt  time.Time
	Refused map[record.Reason]int64
	Gaps    []Loss
}

// State says in a word whether it is heard.
func (a Agent) State() string {
	switch {
	case !a.Revoked.IsZero():
		return "revoked"
	case !a.Lost.IsZero():
		return "lost"
	case a.Seen.IsZero():
		return "not heard yet"
	}
	return "heard"
}

// A Loss is lines that an agent lost.
type Loss struct {
	Told time.Time
	record.Gap
}

// Hub says at which address agents are heard, and the fingerprint by which they know this server. heard is false when they are not.
func (d *Desk) Hub() (address string, fingerprint string, heard bool) {
	if d.agents.hub == nil {
		return "", "", false
	}
	sum := d.agents.hub.Fingerprint()
	return d.agents.o.Address, hex.EncodeToString(sum[:]), true
}

// Agents are all that ever joined, those that are heard first, by name; and the tokens that may still be used.
func (d *Desk) Agents() (all []Agent, tokens []fleet.Token) {
	now := time.Now()
	at := map[string]int{}
	var gaps []fleet.Gap
	d.Read(func(s *State) {
		for _, a := range s.Fleet.Agents {
			all = append(all, Agent{Agent: a})
		}
		for _, t := range s.Fleet.Tokens {
			if now.Before(t.Expires) {
				tokens = append(tokens, t)
			}
		}
		for _, g := range s.Fleet.Gaps {
			gaps = append(gaps, g)
		}
	})
	sortAgents(all, tokens)
	for k, a := range all {
		at[a.ID] = k
	}
	if d.agents.hub != nil {
		for _, x := range d.agents.hub.Agents() {
			if k, ok := at[x.ID]; ok {
				all[k].Seen, all[k].Address, all[k].Lines, all[k].Host, all[k].HostAt = x.Seen, x.Address, x.Lines, x.Host, x.HostAt
			}
		}
		for c, n := range d.agents.hub.Counts() {
			if k, ok := at[c.Agent]; ok {
				if all[k].Refused == nil {
					all[k].Refused = map[record.Reason]int64{}
				}
				all[k].Refused[c.Reason] += n
			}
		}
	}
	for _, g := range gaps {
		var x record.Gap
		if k, ok := at[g.ID]; ok && json.Unmarshal([]byte(d.Text(g.Vault)), &x) == nil {
			all[k].Gaps = append(all[k].Gaps, Loss{g.Told, x})
		}
	}
	for k := range all {
		sortLosses(all[k].Gaps)
	}
	return all, tokens
}

// Strangers counts what was refused of those who are no agents, by reason.
func (d *Desk) Strangers() map[record.Reason]int64 {
	out := map[record.Reason]int64{}
	if d.agents.hub != nil {
		for c, n := range d.agents.hub.Counts() {
			if c.Agent == "" {
				out[c.Reason] += n
			}
		}
	}
	return out
}

// alertID names an alert by what it is about.
func alertID(parts string) string {
	sum := sha256.Sum256([]byte(parts))
	return hex.EncodeToString(sum[:16])
}

func sortAgents(all []Agent, tokens []fleet.Token) {
	slices.SortFunc(all, func(a, b Agent) int {
		return cmp.Or(byBool(!a.Revoked.IsZero(), !b.Revoked.IsZero()), strings.Compare(a.Name, b.Name), a.Joined.Compare(b.Joined), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(tokens, func(a, b fleet.Token) int { return cmp.Or(a.Made.Compare(b.Made), strings.Compare(a.Hash, b.Hash)) })
}

func byBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func sortLosses(all []Loss) {
	slices.SortFunc(all, func(a, b Loss) int { return cmp.Or(a.Until.Compare(b.Until), strings.Compare(a.File, b.File)) })
}
