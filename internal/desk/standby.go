package desk

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"tocsin/internal/voice"
)

// What stays connected to somebody else's server: the registration at the telephone provider, and the mailbox for reports of non-delivery. Neither holds
// up the start, and neither ends the program: what is wrong stands among the problems until it is mended.

const (
	standbyFirst = 5 * time.Second
	standbyMost  = 5 * time.Minute
	standbyGrace = time.Minute // after the start nothing is said to be wrong
)

// A Standby is how such a connection does.
type Standby struct {
	On    bool      // it is set up
	Up    bool      // it stands
	Since time.Time // since when it does, or does not
	Until time.Time // of a registration: when the provider forgets us, unless we register again
	Why   string    // it does not stand: why
}

// standby is one of them.
type standby struct {
	mu    sync.Mutex
	begun time.Time
	now   Standby
}

func (s *standby) is(now time.Time, up bool, until time.Time, why string) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if changed = !s.now.On || s.now.Up != up || s.now.Why != why; changed && (s.now.Up != up || s.now.Since.IsZero()) {
		s.now.Since = now
	}
	s.now.On, s.now.Up, s.now.Until, s.now.Why = true, up, until, why
	return changed
}

func (s *standby) begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun, s.now = now, Standby{On: true, Since: now}
}

// state returns how it does; in the first minute it is not said to be down unless it said why.
func (s *standby) state(now time.Time) Standby {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.now
	if x.On && !x.Up && x.Why == "" {
		x.Up = now.Sub(s.begun) < standbyGrace
		x.Why = "it did not connect yet"
	}
	return x
}

// Registration says how the registration at the telephone provider does.
func (d *Desk) Registration(now time.Time) Standby { return d.registration.state(now) }

// ReportsBox says how the mailbox for reports of non-delivery does.
func (d *Desk) ReportsBox(now time.Time) Standby { return d.mailbox.state(now) }

// register keeps us registered at the telephone provider. It comes back by itself but from a refusal that only other settings mend.
func (d *Desk) register(ctx context.Context) error {
	if d.o.Register == nil {
		return nil
	}
	d.registration.begin(time.Now())
	err := d.o.Register(ctx, func(r voice.Registration) {
		if d.registration.is(time.Now(), r.Registered, r.Until, r.Reason) {
			d.changed.say()
			if r.Registered {
				d.log.Info("registered at the telephone provider", "until", r.Until)
			} else {
				d.log.Warn("not registered at the telephone provider", "reason", r.Reason, "tried again", r.Temporary)
			}
		}
	})
	if err != nil && ctx.Err() == nil {
		d.registration.is(time.Now(), false, time.Time{}, err.Error())
		d.changed.say()
	}
	return nil
}

// hearReports stays connected to the mailbox for reports of non-delivery.
func (d *Desk) hearReports(ctx context.Context) error {
	if d.o.Reports == nil {
		return nil
	}
	d.stayConnected(ctx, &d.mailbox, "the mailbox for reports of non-delivery", func() error { return d.o.Reports(ctx, d.bounced, d.looked) })
	return nil
}

// stayConnected calls hear, which returns when its connection ends, again and again until ctx ends, ever later while it does not stand. what names the far side
// in the program's log.
func (d *Desk) stayConnected(ctx context.Context, box *standby, what string, hear func() error) {
	box.begin(time.Now())
	for wait := standbyFirst; ctx.Err() == nil; wait = min(2*wait, standbyMost) {
		begun := time.Now()
		err := hear()
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > standbyMost { // it stood for a while
			wait = standbyFirst
		}
		why := "its server ended the connection"
		if err != nil {
			why = err.Error()
		}
		if box.is(time.Now(), false, time.Time{}, why) {
			d.log.Warn(what+" cannot be read", "error", why)
			d.changed.say()
		}
		pause := time.NewTimer(jittered(wait))
		select {
		case <-ctx.Done():
			pause.Stop()
		case <-pause.C:
		}
	}
}

// jittered is about wait: what lost its server together does not come back all at once.
func jittered(wait time.Duration) time.Duration {
	return wait*3/4 + rand.N(wait/2)
}
