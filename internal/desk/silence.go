package desk

import (
	"crypto/sha256"
	"fmt"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/detect"
	"tocsin/internal/fleet"
	"tocsin/internal/incident"
)

// A source that says nothing for longer than its limit is an alert: logs stop when a service dies, when a disk is full, and
// when somebody stops them. Files that a glob or folder found speak for each other, since most of them are yesterday's; one of
// them that is gone speaks for itself.

// heard says when each source spoke last; of one that has not since the program started, that moment, or what is known of
// it if it was silent before: a restart is no word from it. The caller holds the desk's lock.
func (d *Desk) heard(state *State, now time.Time) (hs []fleet.Heard) {
	if d.o.Silent == nil {
		return nil
	}
	groups := map[string]int{}
	for _, s := range d.Sources() {
		name := s.Path
		if s.Pattern != s.Path && s.State != agent.Missing {
			name = s.Pattern
		}
		h := fleet.Heard{Hash: d.vault.Hash("source", name), Last: s.LastLine, Limit: d.o.Silent(name)}
		if h.Last.IsZero() {
			h.Last = state.Started
			if was, silent := state.Fleet.Silent[h.Hash]; silent {
				h.Last = was.Since
			}
		}
		k, again := groups[name]
		if again {
			hs[k].Last = later(hs[k].Last, h.Last)
			continue
		}
		groups[name] = len(hs)
		hs = append(hs, h)
	}
	for name, k := range groups {
		d.nameSilent(state, &hs[k], name, now)
	}
	return hs
}

// nameSilent puts the path of a source that falls silent now into the vault. If that cannot be written, it is told later.
func (d *Desk) nameSilent(state *State, h *fleet.Heard, name string, now time.Time) {
	if _, told := state.Fleet.Silent[h.Hash]; told || h.Limit <= 0 || now.Before(h.Last.Add(h.Limit)) {
		return
	}
	id, err := d.vault.Put([]byte(name))
	if err != nil {
		d.log.Error("keeping the name of a silent source", "error", err)
		h.Limit = 0
		return
	}
	h.Vault = id
}

// Silent returns since when each silent source said nothing, by its path or pattern.
func (d *Desk) Silent() map[string]time.Time {
	out := map[string]time.Time{}
	for _, s := range d.silences() {
		out[s.name] = s.Since
	}
	return out
}

type silentSource struct {
	fleet.Silence
	hash, name string
}

// silences names the silent sources, from the vault.
func (d *Desk) silences() (out []silentSource) {
	d.Read(func(s *State) {
		for hash, x := range s.Fleet.Silent {
			out = append(out, silentSource{Silence: x, hash: hash})
		}
	})
	for k := range out {
		out[k].name = d.Text(out[k].Vault)
	}
	return out
}

// SilentRule is the id under which a silent source is an alert. It has no Sigma rule: nothing is what it matches.
const SilentRule = "tocsin-source-silent"

// raiseSilence makes alerts of silent sources, and ends those of sources that speak again.
func (d *Desk) raiseSilence() {
	now := time.Now().UTC()
	live := map[string]detect.Alert{}
	for _, s := range d.silences() {
		a := silence(s, now)
		live[a.ID] = a
	}
	var changes []told
	d.Read(func(s *State) {
		for id, a := range live {
			if _, known := s.Incidents.Alerts[id]; !known {
				changes = append(changes, told{Change: detect.Change{Step: detect.Raised, Alert: a}})
			}
		}
		for id := range s.Silences {
			if _, still := live[id]; !still {
				a := s.Incidents.Alerts[id]
				changes = append(changes, told{Change: detect.Change{Step: detect.Ended, Alert: detect.Alert{ID: id, Rule: a.Rule, RuleVersion: a.RuleVersion,
					Title: a.Title, Level: a.Level, Impact: detect.Attempt, First: a.First, Last: now, Raised: a.Raised, Count: a.Count}}})
			}
		}
	})
	if len(changes) == 0 {
		return
	}
	if err := d.raise(changes); err != nil {
		d.log.Error("raising the alert of a silent source", "error", err)
	}
}

// silence is the alert of one silent source.
func silence(s silentSource, now time.Time) detect.Alert {
	since := s.Since.UTC()
	sum := sha256.Sum256([]byte(SilentRule + "\x00" + s.hash + "\x00" + since.Format(time.RFC3339Nano)))
	return detect.Alert{ID: fmt.Sprintf("%x", sum[:16]), Rule: SilentRule, Title: "A log source fell silent", Level: incident.Medium, Impact: detect.Attempt,
		Author: "Tocsin", First: since, Last: now, Raised: now, Count: 1, Logs: []string{s.name},
		Samples: []string{"no line from " + s.name + " since " + since.Format(time.RFC3339)}}
}
