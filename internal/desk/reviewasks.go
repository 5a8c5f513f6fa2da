package desk

import (
	"errors"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/playbook"
	"tocsin/internal/record"
)

// What brings the review of the plan forward without a person (package review decides): rules that were not there before, which are threats that the plan has not heard of, and hosts that are
// made of something else. Both are compared with what the ledger says was there last, once an hour, so that a folder of rules that is copied, or a host that is set up, asks once.

const (
	asksFirst = 10 * time.Minute // after the start: hosts have spoken by then
	asksEvery = time.Hour
)

// settleAsks writes what is new. It says when to look again.
func (d *Desk) settleAsks(now time.Time) (again time.Time) {
	if d.asks.IsZero() || d.asks.Sub(now) > asksEvery { // at the start, and when the clock was set back
		d.asks = now.Add(asksFirst)
	}
	if now.Before(d.asks) {
		return d.asks
	}
	d.asks = now.Add(asksEvery)
	agents, _ := d.Agents()
	err := d.write(func(s *State, _ time.Time) (drafts []entry.Draft, _ error) {
		if x, fresh := d.newThreats(s); fresh {
			drafts = append(drafts, x)
		}
		for _, a := range agents {
			if a.HostAt.IsZero() || !a.Revoked.IsZero() || len(drafts) >= asksAtOnce {
				continue // one that was put out is asked for by that
			}
			if x, changed := s.Reviews.Facts(a.ID, d.hostFacts(a.Host)); changed {
				drafts = append(drafts, x)
			}
		}
		return drafts, nil
	})
	if err != nil && !errors.Is(err, ErrBroken) {
		d.log.Error("what the plan is to be reviewed for cannot be written", "error", err)
	}
	return d.asks
}

// asksAtOnce is of how many hosts is written at once. The others follow in an hour.
const asksAtOnce = 50

// newThreats says which rules are there that were not before, and which playbooks speak of what they find.
func (d *Desk) newThreats(s *State) (x entry.Draft, ok bool) {
	set := d.rules.Load()
	if set == nil || set.Rules == nil || d.Sample() {
		return x, false
	}
	var ids []string
	techniques := map[string][]string{}
	for _, doc := range set.Rules.Documents() {
		m := doc.Meta()
		ids = append(ids, m.Key())
		for _, t := range m.Tags {
			if strings.HasPrefix(strings.ToLower(t), "attack.t") && len(t) > len("attack.t") && t[len("attack.t")] <= '9' {
				techniques[m.Key()] = append(techniques[m.Key()], t)
			}
		}
	}
	var books []*playbook.Playbook
	return s.Reviews.Threats(ids, func(rule string) (parts []string) {
		if books == nil {
			for _, b := range s.Runs.Books {
				if p := d.readRevision(b.Current()); p != nil && !b.Retired {
					books = append(books, p)
				}
			}
		}
		for _, id := range playbook.Suggested(books, "", techniques[rule], []string{rule}) {
			parts = append(parts, playbookSubject+id)
		}
		return parts
	})
}

// hostFacts are what the plan depends on of a host and no update changes: the kind of system and machine, and which servers, databases and shops it has. Each is a keyed hash, as the
// names in it are what the host itself says.
func (d *Desk) hostFacts(h record.Host) map[string]string {
	out := map[string]string{}
	put := func(name string, values ...string) {
		if text := strings.Join(values, "\n"); text != "" {
			out[name] = d.vault.Hash("architecture", name+"\n"+text)
		}
	}
	put("system", systemKind(h.System))
	put("machine", h.Arch)
	kinds := map[string][]string{}
	for _, x := range h.Software {
		if kind := x.Kind; slices.Contains([]string{"web", "php", "shop", "database"}, kind) && !slices.Contains(kinds[kind], x.Name) {
			kinds[kind] = append(kinds[kind], x.Name)
		}
	}
	for kind, names := range kinds {
		slices.Sort(names)
		put(kind, names...)
	}
	return out
}

// systemKind is the name of a system without its version: what stands in front of the first digit.
func systemKind(system string) string {
	name, _, _ := strings.Cut(system, "(")
	if k := strings.IndexAny(name, "0123456789"); k >= 0 {
		name = name[:k]
	}
	return strings.ToLower(strings.TrimSpace(name))
}
