package desk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/hook"
	"tocsin/internal/notify"
	"tocsin/internal/tlp"
)

// Webhooks out: each hook of the settings (package hook) has a goroutine of its own, so that a slow receiver holds nobody else, and never the bell. It
// reads the ledger behind the position in the hook's file, sends what is wanted, and moves the position when the receiver took it. A crash
// between the two sends the same again, with the same id. Nothing is skipped: what cannot be sent holds what comes behind it, for three
// days; then the hook is off until somebody tests it with success, and goes on where it stopped.

// A Webhook is a program that is told, and how.
type Webhook struct {
	hook.Hook
	Host string                              // of the receiver, for screens: the address may hold a secret
	Send func(context.Context, []byte) error // posts a payload once, signed; its errors are *notify.Failure
}

// A WebhookState is what is known of one, for screens.
type WebhookState struct {
	Name, Host string
	What       []string
	Severity   string
	State      string    // works, fails, off, waits (nothing was told since the start)
	Since      time.Time // of fails and off
	Why        string    // of fails and off: what went wrong last
	Delivered  int64     // as far as it is known
	Failed     int64     // tries
	Last       time.Time // when it took something last
	Behind     int64     // entries of the ledger that were not looked at for it
	Next       time.Time // of fails: when it is tried again
}

const (
	webhooksDir = "webhooks"
	hookPause   = 200 * time.Millisecond // between two looks at a ledger that grows fast
	hookTest    = 20 * time.Second       // a test takes no longer
	skipsKept   = 1000                   // so many entries that nobody wanted are passed before the position is kept
)

// ErrNoHook is of a name that the settings do not have.
var ErrNoHook = errors.New("no such webhook: tocsin webhooks list names them")

// hookFile is what the hook's file says. All of it may be lost: then the ledger's last word on the hook holds.
type hookFile struct {
	Through   int64     `json:"through"`
	Delivered int64     `json:"delivered"`
	Failed    int64     `json:"failed"`
	Last      time.Time `json:"last,omitzero"`
}

// A caller tells one hook.
type caller struct {
	Webhook
	d    *Desk
	wake chan struct{} // a test succeeded

	mu    sync.Mutex
	kept  hookFile
	saved int64     // position in the file
	tries int       // that failed in a row
	since time.Time // the first of them
	next  time.Time // when it is tried again
	why   string
}

// openWebhooks reads where each hook stands, and writes down which are new and which are gone.
func (d *Desk) openWebhooks() error {
	if err := d.o.Data.MkdirAll(webhooksDir, 0o700); err != nil {
		return fmt.Errorf("making %s in the data folder: %w", webhooksDir, err)
	}
	var hooks []hook.Hook
	for _, w := range d.o.Webhooks {
		hooks = append(hooks, w.Hook)
	}
	if err := d.write(func(s *State, _ time.Time) ([]entry.Draft, error) { return s.Hooks.Settle(hooks, s.Entries), nil }); err != nil {
		return err
	}
	for _, w := range d.o.Webhooks {
		c := &caller{Webhook: w, d: d, wake: make(chan struct{}, 1)}
		b, err := disk.ReadFile(d.o.Data, c.file())
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("reading what webhook %s was told: %w", w.Name, err)
		case json.Unmarshal(b, &c.kept) != nil:
			c.kept = hookFile{}
			d.log.Warn("what a webhook was told cannot be read: some of it is told again", "webhook", w.Name)
		}
		d.Read(func(s *State) {
			known := s.Hooks.Hooks[w.Name]
			if c.kept.Through > s.Entries { // the ledger came back from a backup, and has other entries there now
				c.kept.Through = known.Through
			}
			c.kept.Through = max(c.kept.Through, known.Through)
			if known.Since != 0 {
				c.since, c.tries = known.Failing.Since, known.Failing.Tries
				c.why = d.Text(known.Failing.Text)
			}
		})
		c.saved = c.kept.Through
		d.callers = append(d.callers, c)
	}
	return nil
}

func (c *caller) file() string { return webhooksDir + "/" + c.Name + ".json" }

// tellHooks tells all hooks until ctx ends.
func (d *Desk) tellHooks(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, c := range d.callers {
		wg.Go(func() { c.run(ctx) })
	}
	wg.Wait()
	<-ctx.Done()
	return nil
}

// run tells one hook.
func (c *caller) run(ctx context.Context) {
	for {
		changed := c.d.Changed() // before the look: what changes from here on is seen at the next
		wait := c.look(ctx)
		timer := time.NewTimer(max(wait, hookPause))
		for asleep := true; asleep; {
			select {
			case <-ctx.Done():
				timer.Stop()
				c.save(true)
				return
			case <-c.wake:
				asleep = false
			case <-timer.C:
				asleep = false
				if wait == 0 { // all is told: sleep until something changes
					select {
					case <-ctx.Done():
						c.save(true)
						return
					case <-c.wake:
					case <-changed:
					}
				}
			}
		}
		timer.Stop()
	}
}

// look tells what is owed. It returns how long to wait before the next try, 0 when nothing is owed.
func (c *caller) look(ctx context.Context) time.Duration {
	if c.off() {
		return 0
	}
	for e, err := range c.d.ledger.Entries(c.through() + 1) {
		if err != nil {
			c.d.log.Error("a webhook cannot read the ledger", "webhook", c.Name, "error", err)
			return time.Minute
		}
		body, wanted, err := c.compose(e)
		if err != nil {
			c.d.log.Error("an entry cannot be told to a webhook, and is passed over", "webhook", c.Name, "entry", e.N, "error", err)
		}
		if !wanted {
			c.passed(e.N)
			continue
		}
		err = c.Send(ctx, body)
		if ctx.Err() != nil && err != nil {
			return 0 // the end of the program broke it off: the next start owes it
		}
		if err != nil {
			return c.failed(err)
		}
		if !c.took(e.N) {
			return time.Minute
		}
	}
	c.save(false)
	return 0
}

func (c *caller) through() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.Through
}

func (c *caller) off() (off bool) {
	c.d.Read(func(s *State) { off = s.Hooks.Hooks[c.Name].Off })
	return off
}

func (d *Desk) hookOrigin() hook.Of { return hook.Of{Origin: d.ledger.Head().Origin, URL: d.o.URL} }

func (c *caller) compose(e entry.Entry) (body []byte, wanted bool, err error) {
	if !hook.Tells(e.Kind) {
		return nil, false, nil
	}
	of := c.d.hookOrigin()
	var p hook.Payload
	c.d.Read(func(s *State) {
		of.Restricted = func(id int64) bool {
			i, err := s.Incidents.Get(id)
			return err == nil && (i.Restricted() || !mayTell(s, id, "", tlp.Webhook))
		}
		p, wanted, err = s.Hooks.Payload(c.Hook, e, of)
	})
	if err != nil || !wanted {
		return nil, false, err
	}
	body, err = json.Marshal(p)
	return body, err == nil, err
}

// passed moves the position over what the hook does not want.
func (c *caller) passed(n int64) {
	c.mu.Lock()
	c.kept.Through = n
	far := n-c.saved >= skipsKept
	c.mu.Unlock()
	if far {
		c.save(true)
	}
}

// took notes a delivery. When that cannot be kept, it is told again after the next start; so nothing more is told for a minute.
func (c *caller) took(n int64) bool {
	c.mu.Lock()
	c.kept.Through, c.kept.Last = n, time.Now().UTC()
	c.kept.Delivered++
	c.mu.Unlock()
	return c.works() && c.save(true)
}

// works notes that the receiver takes what it is told. That is an entry only when it was said that it does not.
func (c *caller) works() bool {
	through := c.through()
	err := c.d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		was := s.Hooks.Hooks[c.Name]
		if was.Since == 0 {
			return nil, nil
		}
		return []entry.Draft{{Actor: "desk", Kind: entry.WebhookBack, Subject: "webhook:" + c.Name, Body: entry.Webhook{Hook: c.Name, Through: through, Since: was.Failing.Since}}}, nil
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries, c.since, c.next, c.why = 0, time.Time{}, time.Time{}, ""
	if err != nil && !errors.Is(err, ErrBroken) {
		c.d.log.Error("writing that a webhook works again", "webhook", c.Name, "error", err)
	}
	return true
}

// failed notes a failure, and returns when to try again.
func (c *caller) failed(err error) time.Duration {
	now := time.Now()
	f, ok := errors.AsType[*notify.Failure](err)
	if !ok {
		f = &notify.Failure{Temporary: true, Reason: "it was not sent"}
	}
	c.mu.Lock()
	c.tries++
	c.kept.Failed++
	if c.since.IsZero() {
		c.since = now.UTC()
	}
	c.why = f.Reason
	wait := hook.Backoff(c.tries, f.Temporary, f.After)
	c.next = now.Add(wait)
	x := entry.Webhook{Hook: c.Name, Through: c.kept.Through, Since: c.since, Tries: c.tries}
	lasted := now.Sub(c.since)
	c.mu.Unlock()
	c.d.log.Warn("a webhook failed", "webhook", c.Name, "tries", x.Tries, "error", f.Reason)
	c.save(true)
	if lasted < hook.SayAfter {
		return wait
	}
	kind := entry.WebhookFailed
	if lasted >= hook.GiveUp {
		kind = entry.WebhookOff
	}
	said := false
	c.d.Read(func(s *State) { said = kind == entry.WebhookFailed && s.Hooks.Hooks[c.Name].Since != 0 })
	if said {
		return wait
	}
	if x.Text, err = c.d.text(f.Reason); err == nil {
		err = c.d.write(func(*State, time.Time) ([]entry.Draft, error) {
			return []entry.Draft{{Actor: "desk", Kind: kind, Subject: "webhook:" + c.Name, Body: x}}, nil
		})
	}
	if err != nil && !errors.Is(err, ErrBroken) {
		c.d.log.Error("writing that a webhook fails", "webhook", c.Name, "error", err)
	}
	return wait
}

// save keeps the position; without now only when there is something worth it.
func (c *caller) save(now bool) bool {
	c.mu.Lock()
	kept, saved := c.kept, c.saved
	c.mu.Unlock()
	if !now && kept.Through-saved < skipsKept {
		return true
	}
	b, err := json.Marshal(kept)
	if err == nil {
		err = disk.Replace(c.d.o.Data, c.file(), append(b, '\n'))
	}
	if err != nil {
		c.d.log.Error("where a webhook stands cannot be kept: some of it is told again after a restart", "webhook", c.Name, "error", err)
		return false
	}
	c.mu.Lock()
	c.saved = kept.Through
	c.mu.Unlock()
	return true
}

// Webhooks says how each hook does, in the order of the settings.
func (d *Desk) Webhooks() (out []WebhookState) {
	for _, c := range d.callers {
		c.mu.Lock()
		w := WebhookState{Name: c.Name, Host: c.Host, What: slices.Clone(c.What), Severity: c.Severity, State: "works", Since: c.since, Why: c.why,
			Delivered: c.kept.Delivered, Failed: c.kept.Failed, Last: c.kept.Last, Next: c.next}
		through := c.kept.Through
		c.mu.Unlock()
		d.Read(func(s *State) {
			h := s.Hooks.Hooks[c.Name]
			w.Behind = s.Entries - through
			switch {
			case h.Off:
				w.State, w.Since, w.Next = "off", h.Failing.Since, time.Time{}
			case !w.Since.IsZero():
				w.State = "fails"
			case w.Last.IsZero():
				w.State = "waits"
			}
		})
		out = append(out, w)
	}
	return out
}

// TestWebhook sends a payload that says it is a test, and returns why the receiver did not take it. One that was off, or failed, goes on at once when it did.
func (d *Desk) TestWebhook(ctx context.Context, actor auth.Actor, name string) error {
	if err := errors.Join(auth.May(actor, auth.Hosts), d.Broken()); err != nil {
		return err
	}
	k := slices.IndexFunc(d.callers, func(c *caller) bool { return c.Name == name })
	if k < 0 {
		return ErrNoHook
	}
	c := d.callers[k]
	of := d.hookOrigin()
	body, err := json.Marshal(hook.Payload{Version: hook.Version, ID: of.Origin + "/test-" + rand.Text(), Hook: name, Kind: hook.TestKind, At: time.Now().UTC(), Link: of.URL + "/webhooks"})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, hookTest)
	defer cancel()
	d.log.Info("a webhook is tested", "webhook", name, "by", actor.Name)
	if err := c.Send(ctx, body); err != nil {
		return err
	}
	c.works()
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return nil
}
