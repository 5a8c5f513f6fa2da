// Package fleet remembers which sources speak, and the agents on the shop's hosts: who was let in, who is not heard any more, who was lost.
package fleet

import (
	"time"

	"tocsin/internal/entry"
)

// A Book holds the sources that are silent beyond their limit.
type Book struct {
	Silent  map[string]Silence // by keyed hash of the path
	Sealed  int64              // lines up to this number were said to be on the shelf
	Volumes int                // how many the ledger names that are on the shelf
	Aside   []string           // volumes that are damaged
	Exports []Export           // lines that were handed out as evidence, in their order
	Known   map[string]Known   // sources that ever spoke, by keyed hash of the path
	Tokens  map[string]Token   // that were made and not used, by their hash
	Agents  map[string]Agent   // that ever joined, by id
	Gaps    map[string]Gap     // lines that agents lost, by keyed hash
	known   map[string]int     // how many of Known each agent has
	losses  map[string]losses  // how many of Gaps each agent told of lately
}

// A Known source spoke once.
type Known struct {
	Vault string // the object that holds its path
	Agent string // id of the agent that tells of it; "" is this host
}

// A Silence is a source that says nothing for longer than its limit.
type Silence struct {
	Since time.Time // when its last line came
	Vault string    // the object that holds its path
	Agent string    // id of the agent that tells of it; "" is this host
}

// An Export is lines that were handed out as evidence.
type Export struct {
	At       time.Time
	By       string // who did, as entries name actors
	Query    string // the vault object that holds it
	Lines    int64
	Manifest string // SHA-256 of its manifest, in hex
}

// A Heard source is what the watcher saw of a file.
type Heard struct {
	Hash  string    // keyed hash of its path
	Vault string    // object with its path; needed when it falls silent
	Last  time.Time // when its last line came, or when watching began
	Limit time.Duration
	Agent string // id of the agent that tells of it; "" is this host
}

// MaxKnown is how many sources of one agent, or of this host, are remembered: more have no entry when they first speak, and are never silent.
const MaxKnown = 200

// May reports whether one more source of an agent ("" is this host) can be remembered.
func (b *Book) May(agent string) bool { return b.known[agent] < MaxKnown }

// Add makes the entry of a source that speaks for the first time; none when it is known, or too many of its agent are.
func (b *Book) Add(h Heard) []entry.Draft {
	if _, known := b.Known[h.Hash]; known || !b.May(h.Agent) {
		return nil
	}
	return []entry.Draft{draft(entry.SourceAdded, h)}
}

// Owed says which sources fell silent and which spoke again, as entries that are not written yet, and when to look again.
func (b *Book) Owed(heard []Heard, now time.Time) (drafts []entry.Draft, again time.Time) {
	for _, h := range heard {
		if h.Limit <= 0 {
			continue
		}
		due := h.Last.Add(h.Limit)
		_, silent := b.Silent[h.Hash]
		switch {
		case !silent && !now.Before(due):
			drafts = append(drafts, draft(entry.SourceSilent, h))
		case silent && now.Before(due):
			drafts = append(drafts, draft(entry.SourceBack, h))
		}
		if now.Before(due) && (again.IsZero() || due.Before(again)) {
			again = due
		}
	}
	return drafts, again
}

// Gone says which silent sources of an agent it does not tell of any more, as entries: nobody waits for them. told has the hashes of those of which it does.
func (b *Book) Gone(agent string, told map[string]bool) (drafts []entry.Draft) {
	for hash, s := range b.Silent {
		if s.Agent == agent && !told[hash] {
			drafts = append(drafts, draft(entry.SourceBack, Heard{Hash: hash, Vault: s.Vault, Last: s.Since, Agent: agent}))
		}
	}
	return drafts
}

func draft(k entry.Kind, h Heard) entry.Draft {
	return entry.Draft{Actor: "desk", Kind: k, Subject: "source:" + h.Hash,
		Body: entry.Source{Hash: h.Hash, Vault: h.Vault, Since: h.Last.UTC(), Limit: h.Limit, Agent: h.Agent}}
}

// Apply folds an entry and reports whether it was about a source.
func (b *Book) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.SourceSilent, entry.SourceBack, entry.SourceAdded:
	case entry.LinesSealed, entry.LinesJoined, entry.LinesExpired, entry.LinesAside:
		x, err := entry.Body[entry.Lines](e)
		b.Sealed = max(b.Sealed, x.Through)
		b.Volumes += len(x.Came) - len(x.Gone)
		if e.Kind == entry.LinesAside {
			b.Aside = append(b.Aside, x.Gone...)
		}
		return true, err
	case entry.LinesExported:
		x, err := entry.Body[entry.LinesExport](e)
		b.Exports = append(b.Exports, Export{At: e.Time, By: e.Actor, Query: x.Query, Lines: x.Lines, Manifest: x.Manifest})
		return true, err
	default:
		return b.applyAgent(e)
	}
	x, err := entry.Body[entry.Source](e)
	if e.Kind == entry.SourceAdded {
		if b.Known == nil {
			b.Known, b.known = map[string]Known{}, map[string]int{}
		}
		b.Known[x.Hash] = Known{x.Vault, x.Agent}
		b.known[x.Agent]++
		return true, err
	}
	if b.Silent == nil {
		b.Silent = map[string]Silence{}
	}
	if e.Kind == entry.SourceSilent {
		b.Silent[x.Hash] = Silence{x.Since, x.Vault, x.Agent}
	} else {
		delete(b.Silent, x.Hash)
	}
	return true, err
}
