package desk

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

// The bell looks at least this often, whatever it was told: the heartbeat on the screen rests on it.
const heartbeat = 5 * time.Second

// jump is from when on a step of the wall clock against the steady one is an entry.
const jump = time.Minute

// A flight is a try that is being sent.
type flight struct {
	call int64
	try  int
}

// A landing is what became of one.
type landing struct {
	flight
	kind   entry.Kind // CallSent or CallFailed
	result entry.CallResult
}

// beat remembers when the bell last went round.
type beat struct{ at atomic.Int64 }

// Heartbeat returns when the bell last looked at what is owed.
func (d *Desk) Heartbeat() time.Time { return time.Unix(0, d.beat.at.Load()) }

// Alive reports whether the bell has looked lately.
func (d *Desk) Alive(now time.Time) bool { return now.Sub(d.Heartbeat()) < 4*heartbeat }

// ring is the debt loop: ask what is owed, write the intent, act, write the outcome.
func (d *Desk) ring(ctx context.Context) error {
	last := time.Now()
	for {
		now := time.Now()
		if err := d.noteJump(now.Round(0).Sub(last.Round(0)) - now.Sub(last)); err != nil {
			d.log.Error("noting a clock jump", "error", err)
		}
		last = now
		d.ground()
		d.beat.at.Store(now.UnixNano())
		again := sooner(sooner(sooner(d.settle(ctx, now), d.settleReminders(ctx, now)), d.settleNotices(ctx, now)), sooner(d.settleUpdates(ctx, now), sooner(d.settleApprovals(), sooner(d.settleReportMail(ctx, now), d.settleChanges(ctx, now)))))
		wait := heartbeat
		if !again.IsZero() {
			wait = max(time.Millisecond, min(heartbeat, time.Until(again)))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case l := <-d.landed:
			if d.land(l) {
				delete(d.flying, l.flight)
			}
		case l := <-d.notices.landed:
			if d.landNotice(l) {
				delete(d.notices.flying, l.courier)
			}
		case l := <-d.updates.landed:
			if d.landUpdate(l) {
				delete(d.updates.flying, l.ID)
			}
		case l := <-d.postmen.landed:
			d.landedReminders(l)
		case <-d.owing:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// noteJump writes an entry when the wall clock went otherwise than the steady one by so much.
func (d *Desk) noteJump(by time.Duration) error {
	if by.Abs() < jump {
		return nil
	}
	d.log.Warn("the clock jumped", "by", by)
	return d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: "desk", Kind: entry.ClockJumped, Subject: "clock", Body: entry.Jumped{By: by}}}, nil
	})
}

// settle writes and sends what is owed until nothing is, and returns when to look again.
func (d *Desk) settle(ctx context.Context, now time.Time) (again time.Time) {
	for range 1000 {
		var sends []oncall.Send
		wrote := false
		err := d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
			var debts []oncall.Debt
			debts, again = s.Calls.Owed(&s.Plan, now)
			var drafts []entry.Draft
			for _, x := range debts {
				if x.Draft != nil {
					drafts = append(drafts, *x.Draft)
				} else {
					sends = append(sends, *x.Send)
				}
			}
			heard, due := s.Fleet.Owed(d.heard(s, now), now)
			lost, dueToo := s.Fleet.OwedAgents(d.lastHeard(), s.Started, now, d.agents.o.Limit)
			drafts = append(append(drafts, heard...), lost...)
			beats, dueBeat := d.owedBeats(s, now)
			rings, dueRing := d.owedReports(s, now)
			drafts = append(append(drafts, beats...), rings...)
			again = sooner(sooner(again, dueRing), sooner(dueBeat, sooner(due, dueToo)))
			work, dueWork := d.owedWork(s, now, len(drafts) == 0)
			drafts = append(drafts, work...)
			again = sooner(again, dueWork)
			wrote = len(drafts) > 0
			return drafts, nil
		})
		if err != nil {
			if !errors.Is(err, ErrBroken) {
				d.log.Error("the bell cannot write", "error", err)
			}
			return now.Add(heartbeat)
		}
		for _, s := range sends {
			d.send(ctx, s)
		}
		d.raiseStanding()
		d.remind(ctx)
		d.settleReturns(now)
		if !wrote {
			return again
		}
	}
	return now.Add(time.Second)
}

// send starts a try that is owed, once.
func (d *Desk) send(ctx context.Context, s oncall.Send) {
	f := flight{s.Call.ID, s.Try.Try}
	if d.flying[f] != nil {
		return
	}
	ending := ctx
	ctx, cancel := context.WithCancel(ctx)
	d.flying[f] = cancel
	twice := s.Try.Twice || s.Try.Wanted.Before(d.started())
	job, err := d.compose(s, twice)
	if s.Try.Channel == plan.Console {
		if d.land(landing{flight: f, kind: entry.CallSent, result: entry.CallResult{ID: f.call, Try: f.try, Twice: twice}}) {
			delete(d.flying, f)
			cancel()
		}
		return
	}
	d.sending.Go(func() {
		defer cancel()
		var l landing
		if err != nil {
			l = d.missed(f, err, twice)
		} else {
			l = d.try(ctx, f, s.Try.Channel, job, twice)
		}
		if l.kind == entry.CallFailed && ending.Err() != nil {
			return // the end of the program broke it off: the next start owes it
		}
		if l.kind == entry.CallFailed && ctx.Err() != nil {
			l.result.Why, l.result.Temporary = "over", false // somebody answered meanwhile
		}
		select {
		case d.landed <- l:
		case <-ending.Done():
			d.land(l)
		}
	})
}

// ground breaks off the tries of calls that are over, or quiet: a phone that still rings for them would call somebody for nothing.
func (d *Desk) ground() {
	if len(d.flying) == 0 {
		return
	}
	d.Read(func(s *State) {
		for f, cancel := range d.flying {
			c, err := s.Calls.Get(f.call)
			if err != nil || cancel == nil {
				continue
			}
			if _, rests := c.Resting(); rests || !c.Rings() {
				cancel()
			}
		}
	})
}

// landLast writes what became of tries that ended while the program did. The loops have ended.
func (d *Desk) landLast() {
	for {
		select {
		case l := <-d.landed:
			d.land(l)
		default:
			return
		}
	}
}

// land writes what became of a try. When that cannot be written the try stays owed: it is sent again after the next start,
// marked possibly twice.
func (d *Desk) land(l landing) bool {
	err := d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: "desk", Kind: l.kind, Subject: subjectCall(l.call), Body: l.result}}, nil
	})
	if err != nil {
		d.log.Error("writing what became of a call", "call", l.call, "try", l.try, "error", err)
	}
	return err == nil
}

func (d *Desk) started() time.Time {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Started
}
