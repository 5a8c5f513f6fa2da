package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/notify"
)

// The dead man's switch. Who watches us is told every minute, but only while the bell goes round and the ledger can be written; when that stops,
// it is the watcher that rings. And another Tocsin may be watched here: when its beats stay away, that is an alert that rings.

// BeatEvery is how often watchers are told.
const BeatEvery = time.Minute

// BeatLimit is how long another Tocsin may be silent, unless the settings say otherwise.
const BeatLimit = 3 * time.Minute

// A Watcher is told that this bell works.
type Watcher struct {
	Name string // of its host, for screens: the address may be a secret
	Tell func(context.Context, notify.Beat) error
}

// A Watch is another Tocsin whose beats are taken here.
type Watch struct {
	ID    string
	Key   []byte        // notify.BeatKey of its token
	Limit time.Duration // 0 is BeatLimit
}

func (w Watch) limit() time.Duration {
	if w.Limit > 0 {
		return w.Limit
	}
	return BeatLimit
}

// Told is how telling a watcher went.
type Told struct {
	Name string
	OK   time.Time // when it last took a beat; zero is never
	Last time.Time // when it was last told, or tried to be
	Why  string    // why it did not take the last one; "" is that it did
}

// WatchedBell is what is known of another Tocsin.
type WatchedBell struct {
	ID    string
	From  string    // what it calls itself; "" is not heard yet
	Last  time.Time // its last beat since we started; zero is none
	Lost  time.Time // since when it is not heard of; zero is heard
	Limit time.Duration
}

// beats is what is known of watchers and of the watched since the start.
type beats struct {
	mu    sync.Mutex
	told  map[string]Told
	heard map[string]pulse
}

type pulse struct {
	at, signed time.Time
	from       string
}

// ErrNoWatch says that no beats are taken under an id.
var ErrNoWatch = errors.New("no beats are taken under this name: see `watches` in tocsin.yaml")

// errReplay says that a beat came twice.
var errReplay = errors.New("this beat has come before")

// TakeBeat hears another Tocsin. Errors: ErrNoWatch, or why the beat does not count.
func (d *Desk) TakeBeat(id, signature string, body []byte) error {
	k := slices.IndexFunc(d.o.Watches, func(w Watch) bool { return w.ID == id })
	if k < 0 { // as much work as for one that is known
		_, _, _ = notify.CheckBeat(notify.BeatKey(rand.Text()), signature, body, time.Now())
		return ErrNoWatch
	}
	now := time.Now()
	b, signed, err := notify.CheckBeat(d.o.Watches[k].Key, signature, body, now)
	if err != nil {
		return err
	}
	d.beats.mu.Lock()
	defer d.beats.mu.Unlock()
	if !signed.After(d.beats.heard[id].signed) {
		return errReplay
	}
	d.beats.heard[id] = pulse{now, signed, b.From}
	d.owes()
	return nil
}

// owedBeats writes down who is not heard of any more, and who is again. The caller holds the desk's lock.
func (d *Desk) owedBeats(s *State, now time.Time) (drafts []entry.Draft, again time.Time) {
	d.beats.mu.Lock()
	defer d.beats.mu.Unlock()
	for _, w := range d.o.Watches {
		heard := d.beats.heard[w.ID].at
		lost, isLost := s.Beats[w.ID]
		say := func(k entry.Kind, since time.Time) {
			drafts = append(drafts, entry.Draft{Actor: "desk", Kind: k, Subject: "beat:" + w.ID, Body: entry.BeatSilence{ID: w.ID, Since: since.UTC(), Limit: w.limit()}})
		}
		switch since := later(heard, s.Started); {
		case isLost && heard.After(lost.Since):
			say(entry.BeatBack, heard)
		case isLost:
		case !now.Before(since.Add(w.limit())):
			say(entry.BeatLost, since)
		default:
			again = sooner(again, since.Add(w.limit()))
		}
	}
	for id := range s.Beats { // nobody watches it any more
		if !slices.ContainsFunc(d.o.Watches, func(w Watch) bool { return w.ID == id }) {
			drafts = append(drafts, entry.Draft{Actor: "desk", Kind: entry.BeatBack, Subject: "beat:" + id, Body: entry.BeatSilence{ID: id, Since: now.UTC()}})
		}
	}
	return drafts, again
}

// BeatRule is the id under which another Tocsin that fell silent is an alert.
const BeatRule = "tocsin-beat-lost"

// lostBeats are the alerts of those that are not heard of. Their level rings: what should have rung may be what is broken.
func (d *Desk) lostBeats(now time.Time) (as []detect.Alert) {
	d.Read(func(s *State) {
		for id, x := range s.Beats {
			a := standing(BeatRule, id, x.Since.UTC(), now, id, "nothing was heard of the bell "+id+" since ")
			a.Level = incident.High
			as = append(as, a)
		}
	})
	return as
}

// tell tells the watchers every minute that the bell works, while it does.
func (d *Desk) tell(ctx context.Context) error {
	var telling sync.WaitGroup
	defer telling.Wait()
	tick := time.NewTicker(BeatEvery)
	defer tick.Stop()
	for first := time.After(heartbeat); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-first:
		case <-tick.C:
		}
		now := time.Now()
		if !d.Alive(now) || d.Broken() != nil || d.alarm.Why() != "" {
			d.log.Warn("the bell does not work, so the watchers are not told that it does")
			continue
		}
		b := notify.Beat{From: d.ledger.Head().Origin, At: now.UTC()}
		d.Read(func(s *State) { b.Entries, b.Ringing = s.Entries, len(s.Calls.Ringing()) })
		for _, w := range d.o.Watchers {
			telling.Go(func() { d.told(w.Name, now, w.Tell(ctx, b)) })
		}
	}
}

func (d *Desk) told(name string, at time.Time, err error) {
	d.beats.mu.Lock()
	defer d.beats.mu.Unlock()
	x := d.beats.told[name]
	x.Name, x.Last, x.Why = name, at, ""
	if err != nil {
		x.Why = err.Error()
		d.log.Warn("a watcher could not be told that the bell works", "watcher", name, "error", err)
	} else {
		x.OK = at
	}
	d.beats.told[name] = x
}

// Watchers returns how telling each watcher went.
func (d *Desk) Watchers() (out []Told) {
	d.beats.mu.Lock()
	defer d.beats.mu.Unlock()
	for _, w := range d.o.Watchers {
		x := d.beats.told[w.Name]
		x.Name = w.Name
		out = append(out, x)
	}
	return out
}

// Watches returns what is known of each Tocsin whose beats are taken here.
func (d *Desk) Watches() (out []WatchedBell) {
	lost := map[string]time.Time{}
	d.Read(func(s *State) {
		for id, x := range s.Beats {
			lost[id] = x.Since
		}
	})
	d.beats.mu.Lock()
	defer d.beats.mu.Unlock()
	for _, w := range d.o.Watches {
		p := d.beats.heard[w.ID]
		out = append(out, WatchedBell{ID: w.ID, From: strings.ToValidUTF8(p.from, "?"), Last: p.at, Lost: lost[w.ID], Limit: w.limit()})
	}
	return out
}
