package desk

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/detect"
	"tocsin/internal/fleet"
	"tocsin/internal/incident"
	"tocsin/internal/record"
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
	for name, last := range d.ownSources() {
		h := fleet.Heard{Hash: d.vault.Hash("source", name), Last: last, Limit: d.o.Silent(name)}
		if h.Last.IsZero() {
			h.Last = state.Started
			if was, silent := state.Fleet.Silent[h.Hash]; silent {
				h.Last = was.Since
			}
		}
		d.nameSilent(state, &h, name, now)
		hs = append(hs, h)
	}
	if all := d.agents.heard.Load(); all != nil {
		for _, h := range *all {
			if a := state.Fleet.Agents[h.Agent]; a.Lost.IsZero() && a.Revoked.IsZero() { // those of an agent that is lost are not silent by themselves
				hs = append(hs, h)
			}
		}
	}
	return hs
}

// ownSources are the watched sources and the doors, and when each spoke last. Files that a glob or folder found speak for each other.
func (d *Desk) ownSources() map[string]time.Time {
	out := map[string]time.Time{}
	for _, s := range d.Sources() {
		name := groupOf(s.Path, s.Pattern, s.State)
		out[name] = later(out[name], s.LastLine)
	}
	for _, c := range d.Doors() {
		out[c.Door] = later(out[c.Door], c.Last)
	}
	return out
}

// groupOf is the name under which a source speaks.
func groupOf(path, pattern string, state agent.State) string {
	if pattern != "" && pattern != path && state != agent.Missing {
		return pattern
	}
	return path
}

// nameSilent puts the path of a source that falls silent now into the vault. If that cannot be written, it is told later.
func (d *Desk) nameSilent(state *State, h *fleet.Heard, name string, now time.Time) {
	if _, told := state.Fleet.Silent[h.Hash]; told || h.Limit <= 0 || now.Before(h.Last.Add(h.Limit)) {
		return
	}
	if known, ok := state.Fleet.Known[h.Hash]; ok {
		h.Vault = known.Vault
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
		out[k].name = d.sourceName(out[k].hash, out[k].Vault)
	}
	return out
}

// sourceName is what a vault object holds that names a source or a loss, remembered by their keyed hash: screens and the bell ask again and again.
func (d *Desk) sourceName(hash, vault string) string {
	if name, ok := d.names.Load(hash); ok {
		return name.(string)
	}
	name := d.Text(vault)
	d.names.Store(hash, name)
	return name
}

// Ids under which something is an alert that no Sigma rule matches: nothing is what it would match.
const (
	SilentRule = "tocsin-source-silent"
	LostRule   = "tocsin-agent-lost"
	GapRule    = "tocsin-lines-lost"
	CertRule   = "tocsin-certificate-ends"
	HookRule   = "tocsin-webhook-off"
)

// StandingTitle is the title of such an alert, "" of one that has a rule.
func StandingTitle(rule string) string {
	switch rule {
	case SilentRule:
		return "A log source fell silent"
	case LostRule:
		return "An agent is not heard of any more"
	case GapRule:
		return "Log lines of a host are lost"
	case CertRule:
		return "A certificate of the console ends"
	case HookRule:
		return "A webhook is told nothing more"
	case BeatRule:
		return "Another Tocsin is not heard of any more"
	case GlassRule:
		return "A break-glass sheet was used"
	case ReportRule:
		return "A report from outside came in"
	case AloneRule:
		return "Something dangerous passes without a second person"
	}
	return ""
}

// unmuted reports whether a rule tells of what nobody may keep quiet: it cannot be muted, and everyone is rung for it at once.
func unmuted(rule string) bool { return rule == GlassRule || rule == AloneRule }

// silentAtOnce is how many sources of one agent are alerts at a time; the others are shown as silent.
const silentAtOnce = 10

// gapStands is how long the alert of lost lines lasts: they do not come back, so it ends by itself.
const gapStands = time.Hour

// standing are the alerts of what is silent or lost now.
func (d *Desk) standing(now time.Time) map[string]detect.Alert {
	live := map[string]detect.Alert{}
	add := func(a detect.Alert) { live[a.ID] = a }
	for _, a := range append(append(d.brokenGlass(now), d.aloneAlerts(now)...), d.waitingReports(now)...) {
		add(a)
	}
	of := map[string]int{}
	silent := d.silences()
	slices.SortFunc(silent, func(a, b silentSource) int { return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.hash, b.hash)) })
	for _, s := range silent {
		if of[s.Agent]++; s.Agent == "" || of[s.Agent] <= silentAtOnce {
			add(standing(SilentRule, s.hash, s.Since.UTC(), now, s.name, "no line from "+s.name+" since "))
		}
	}
	for _, a := range d.lostBeats(now) {
		add(a)
	}
	type lost struct {
		fleet.Agent
		fleet.Gap
	}
	var agents []fleet.Agent
	gaps := map[string]lost{}
	d.Read(func(s *State) {
		for _, a := range s.Fleet.Agents {
			if !a.Lost.IsZero() {
				agents = append(agents, a)
			}
		}
		for hash, g := range s.Fleet.Gaps {
			if now.Sub(g.Told) < gapStands {
				gaps[hash] = lost{s.Fleet.Agents[g.ID], g}
			}
		}
	})
	for _, a := range agents {
		add(standing(LostRule, a.ID, a.Lost.UTC(), now, a.Name, "nothing was heard of the agent on "+a.Name+" since "))
	}
	for hash, g := range gaps {
		a := standing(GapRule, hash, g.Since.UTC(), now, g.Name, "")
		var x record.Gap
		if err := json.Unmarshal([]byte(d.sourceName(hash, g.Gap.Vault)), &x); err == nil {
			a.Samples = []string{fmt.Sprintf("%s on %s: from %d to %d, between %s and %s: %s", x.File, g.Name, x.From, x.To,
				x.Since.UTC().Format(time.RFC3339), x.Until.UTC().Format(time.RFC3339), x.Why)}
		}
		add(a)
	}
	for _, a := range d.ending(now) {
		add(a)
	}
	return live
}

// An Expiry is a certificate that ends soon, or does not hold.
type Expiry struct {
	Name  string
	Level string    // low, medium, high, critical
	Since time.Time // when it came to this level
	Says  string    // a sentence with what to do
}

// ending are the alerts of certificates that end and of webhooks that are off. A certificate that comes to the next level is another alert, so that it is heard again.
func (d *Desk) ending(now time.Time) (out []detect.Alert) {
	if d.o.Expiries != nil {
		for _, x := range d.o.Expiries(now) {
			a := standing(CertRule, x.Name+" "+x.Level, x.Since.UTC(), now, x.Name, "")
			a.Level, a.Samples = x.Level, []string{x.Says}
			out = append(out, a)
		}
	}
	for _, w := range d.Webhooks() {
		if w.State == "off" {
			out = append(out, standing(HookRule, w.Name, w.Since.UTC(), now, "webhook "+w.Name, "the webhook "+w.Name+" ("+w.Host+") took nothing for three days, and is off until a test of it succeeds: "+w.Why+"; since "))
		}
	}
	return out
}

// standing is the alert of one of them.
func standing(rule, key string, since, now time.Time, log, says string) detect.Alert {
	id := alertID(rule + "\x00" + key + "\x00" + since.Format(time.RFC3339Nano)) // the same whenever it is asked
	if since.IsZero() || since.After(now) {
		since = now
	}
	return detect.Alert{ID: id, Rule: rule, Title: StandingTitle(rule), Level: incident.Medium,
		Impact: detect.Attempt, Author: "Tocsin", First: since, Last: now, Raised: now, Count: 1, Logs: []string{log}, Samples: []string{says + since.Format(time.RFC3339)}}
}

// raiseStanding makes alerts of what fell silent or was lost, and ends those of what speaks again.
func (d *Desk) raiseStanding() {
	now := time.Now().UTC()
	live := d.standing(now)
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
		d.log.Error("raising the alert of something that fell silent", "error", err)
	}
}
