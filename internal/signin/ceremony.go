package signin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"sync"
	"time"
)

// Ceremonies are proofs under way: a passkey's challenge, an app's secret that no code has proved yet, the way to a provider and back. Each
// belongs to one browser (its session, or the cookie of a sign-in), is taken once, and ends after five minutes. They lie in memory: a restart ends
// them, and people begin again. A flood from one network pushes out its own, and no more than 2,000 are kept at all.
type Ceremonies struct {
	mu   sync.Mutex
	by   map[string]ceremony
	line []string // ids, oldest first
}

type ceremony struct {
	purpose, bound, network string
	until                   time.Time
	data                    any
}

const (
	ceremonyTime   = 5 * time.Minute
	mostCeremonies = 2000
	mostOfNetwork  = 50
)

// ErrCeremony means that a proof came too late, twice, or from another browser than it was begun in.
var ErrCeremony = errors.New("this took longer than five minutes, or was begun in another browser, or was used already: begin again")

// NewCeremonies returns an empty Ceremonies. A program has one.
func NewCeremonies() *Ceremonies { return &Ceremonies{by: map[string]ceremony{}} }

// Begin keeps data until Take, and returns its id, 128 bits of chance. bound names the browser and must not be empty.
func (c *Ceremonies) Begin(now time.Time, purpose, bound, network string, data any) string {
	if bound == "" {
		panic("signin: internal error: a ceremony is bound to no browser")
	}
	raw := make([]byte, 16)
	rand.Read(raw) // never fails (crypto/rand)
	id := base64.RawURLEncoding.EncodeToString(raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep(now, network)
	c.by[id] = ceremony{purpose, bound, network, now.Add(ceremonyTime), data}
	c.line = append(c.line, id)
	return id
}

// sweep makes room: what has ended goes, then the oldest of a network that has too many, then the oldest of all.
func (c *Ceremonies) sweep(now time.Time, network string) {
	kept := c.line[:0]
	own := 0
	for _, id := range c.line {
		x, ok := c.by[id]
		if ok && !now.Before(x.until) {
			delete(c.by, id)
			ok = false
		}
		if ok {
			kept = append(kept, id)
			if x.network == network {
				own++
			}
		}
	}
	c.line = kept
	for k := 0; k < len(c.line) && (own >= mostOfNetwork || len(c.line) >= mostCeremonies); k++ {
		id := c.line[k]
		mine := c.by[id].network == network
		if !mine && len(c.line) < mostCeremonies {
			continue
		}
		if mine {
			own--
		}
		delete(c.by, id)
		c.line = append(c.line[:k], c.line[k+1:]...)
		k--
	}
}

// Take returns what was begun, once. What does not fit (another purpose, another browser, too late) is used up by the try.
func (c *Ceremonies) Take(now time.Time, purpose, bound, id string) (data any, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x, ok := c.by[id]
	if !ok {
		return nil, ErrCeremony
	}
	if subtle.ConstantTimeCompare([]byte(x.bound), []byte(bound)) != 1 {
		return nil, ErrCeremony // it stays: somebody else's browser must not be able to end it
	}
	delete(c.by, id)
	if x.purpose != purpose || !now.Before(x.until) {
		return nil, ErrCeremony
	}
	return x.data, nil
}

// Len counts what is under way.
func (c *Ceremonies) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.by)
}
