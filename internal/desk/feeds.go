package desk

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/entry"
	"tocsin/internal/fleet"
	"tocsin/internal/hub"
	"tocsin/internal/record"
)

// # What agents say of their logs
//
// An agent tells each half minute which logs it follows and which lines it lost. That is the word of a host that may be an intruder's, so there is a bound to
// everything that it can cause: fleet.MaxKnown sources of an agent are remembered, ten are alerts at once, and when a source spoke last is when
// the server saw its count grow, not what the agent says. Names go into the vault in one write a pass, without the desk's lock.

// feedLeast is the least limit of silence of a source on another host: its agent tells of it twice a minute.
const feedLeast = 3 * time.Minute

// A hostLog is a log source of another host.
type hostLog struct {
	heard fleet.Heard // its limit is 0 until it has a name in the vault
	limit time.Duration
	lines int64
	told  bool // by the newest word of its agent
}

// feeds follows what agents tell of their logs. One goroutine has it.
type feeds struct {
	d     *Desk
	by    map[string]map[string]*hostLog // by agent and name
	seen  map[string]time.Time           // the newest word of each agent that was looked at
	spoke []fresh                        // for the first time, not written yet
}

// A fresh source spoke for the first time.
type fresh struct {
	fleet.Heard
	name string
}

// listen follows the logs of this host and of others until ctx ends: what speaks for the first time, what is not told of any more, what is lost.
func (d *Desk) listen(ctx context.Context) error {
	f := &feeds{d: d, by: map[string]map[string]*hostLog{}, seen: map[string]time.Time{}}
	return again(ctx, lookAgain, func() {
		f.look(time.Now())
		if err := errors.Join(f.write(), f.losses(time.Now())); err != nil && !errors.Is(err, ErrBroken) {
			d.log.Error("writing down what log sources are there", "error", err)
		}
	})
}

// again does something now and then until ctx ends.
func again(ctx context.Context, every time.Duration, do func()) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look looks at this host, and at the agents that said something new.
func (f *feeds) look(now time.Time) {
	for name, last := range f.d.ownSources() {
		if !last.IsZero() {
			f.spoken(fleet.Heard{Hash: f.d.vault.Hash("source", name), Last: last}, name)
		}
	}
	all := f.d.agents.present.Load()
	if all == nil {
		return
	}
	changed := false
	for _, a := range *all {
		if a.HostAt.IsZero() || f.seen[a.ID].Equal(a.HostAt) {
			continue
		}
		f.seen[a.ID], changed = a.HostAt, true
		f.agent(a, now)
	}
	if !changed {
		return
	}
	var hs []fleet.Heard
	for _, of := range f.by {
		for _, x := range of {
			hs = append(hs, x.heard)
		}
	}
	f.d.agents.heard.Store(&hs)
}

// agent looks at the sources of which an agent tells now.
func (f *feeds) agent(a hub.Agent, now time.Time) {
	of := f.by[a.ID]
	if of == nil {
		of = map[string]*hostLog{}
		f.by[a.ID] = of
	}
	for _, x := range of {
		x.told = false
	}
	for _, s := range a.Host.Sources {
		name := a.Name + ":" + groupOf(s.Path, s.Pattern, agent.State(s.State))
		x := of[name]
		if x == nil {
			if len(of) >= fleet.MaxKnown {
				continue
			}
			x = &hostLog{lines: s.Lines, heard: fleet.Heard{Hash: f.d.vault.Hash("agent source", a.ID+"\x00"+name), Last: now, Agent: a.ID}}
			if f.d.o.Silent != nil {
				if l := f.d.o.Silent(name); l > 0 {
					x.limit = max(l, feedLeast)
				}
			}
			of[name] = x
		}
		if s.Lines != x.lines { // a smaller count is of an agent that was started again
			x.lines, x.heard.Last = s.Lines, now
		}
		x.told = true
		if s.Lines > 0 {
			f.spoken(x.heard, name)
		}
	}
	told := map[string]bool{}
	for name, x := range of {
		if !x.told {
			delete(of, name)
			continue
		}
		told[x.heard.Hash] = true
	}
	f.known(of)
	var gone []entry.Draft
	f.d.Read(func(s *State) { gone = s.Fleet.Gone(a.ID, told) })
	if len(gone) > 0 {
		if err := f.d.write(func(s *State, _ time.Time) ([]entry.Draft, error) { return s.Fleet.Gone(a.ID, told), nil }); err != nil {
			f.d.log.Debug("writing that sources are not followed any more", "error", err)
		}
	}
}

// known gives sources the vault objects with their names. One that never spoke has none, and is not silent.
func (f *feeds) known(of map[string]*hostLog) {
	f.d.Read(func(s *State) {
		for _, x := range of {
			k, known := s.Fleet.Known[x.heard.Hash]
			if x.heard.Vault = k.Vault; known {
				x.heard.Limit = x.limit
			}
		}
	})
}

// spoken notes a source that may have spoken for the first time.
func (f *feeds) spoken(h fleet.Heard, name string) {
	is := false
	f.d.Read(func(s *State) {
		_, known := s.Fleet.Known[h.Hash]
		is = !known && s.Fleet.May(h.Agent)
	})
	if is {
		f.spoke = append(f.spoke, fresh{h, name})
	}
}

// atOnce is how many names go into the vault in one pass.
const atOnce = 200

// write makes the entries of sources that spoke for the first time.
func (f *feeds) write() error {
	now := f.spoke[:min(len(f.spoke), atOnce)]
	f.spoke = nil // what is left is seen again
	if len(now) == 0 {
		return nil
	}
	var names [][]byte
	for _, x := range now {
		names = append(names, []byte(x.name))
	}
	ids, err := f.d.vault.PutAll(names)
	if err != nil {
		return err
	}
	clear(f.seen) // their names are known at the next look
	return f.d.write(func(s *State, _ time.Time) (drafts []entry.Draft, _ error) {
		of := map[string]int{}
		for k, x := range now {
			if x.Vault = ids[k]; of[x.Agent] < fleet.MaxKnown {
				more := s.Fleet.Add(x.Heard)
				drafts, of[x.Agent] = append(drafts, more...), of[x.Agent]+len(more)
			}
		}
		return drafts, nil
	})
}

// losses makes the entries of lines that agents lost.
func (f *feeds) losses(now time.Time) error {
	all := f.d.agents.present.Load()
	if all == nil {
		return nil
	}
	var fresh []entry.AgentLoss
	var texts [][]byte
	for _, a := range *all {
		for _, g := range a.Host.Gaps {
			x := entry.AgentLoss{ID: a.ID, Since: g.Since.UTC(), Until: g.Until.UTC()}
			if len(fresh) >= atOnce || !f.lossIsNew(&x, g, now) {
				continue
			}
			b, err := json.Marshal(g)
			if err != nil {
				return err
			}
			fresh, texts = append(fresh, x), append(texts, b)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	ids, err := f.d.vault.PutAll(texts)
	if err != nil {
		return err
	}
	return f.d.write(func(s *State, now time.Time) (drafts []entry.Draft, _ error) {
		for k, x := range fresh {
			x.Vault = ids[k]
			if more, err := s.Fleet.Lose(x, now); err == nil { // one that was revoked meanwhile says nothing
				drafts = append(drafts, more...)
			}
		}
		return drafts, nil
	})
}

// lossIsNew names a loss by file, print and beginning, and says whether it is to be written down.
func (f *feeds) lossIsNew(x *entry.AgentLoss, g record.Gap, now time.Time) (is bool) {
	f.d.Read(func(s *State) { is = s.Fleet.MayLose(x.ID, now) == nil })
	if !is {
		return false
	}
	key, err := json.Marshal([]any{x.ID, g.File, g.Print, g.From})
	if err != nil {
		return false
	}
	x.Hash = f.d.vault.Hash("gap", string(key))
	f.d.Read(func(s *State) { _, known := s.Fleet.Gaps[x.Hash]; is = !known })
	return is
}
