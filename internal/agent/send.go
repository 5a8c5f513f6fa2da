package agent

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

const (
	sendBytes   = 1 << 20 // of batches in one request, or one batch
	sendBatches = 256
	waitLast    = 20 * time.Second
)

// How often the sender does what it does beside sending.
type rhythm struct {
	head, clock, beat, state, renew time.Duration
	retry                           time.Duration // first wait after a failure; doubles up to waitLast
}

func usualRhythm() rhythm {
	return rhythm{head: time.Minute, clock: 10 * time.Minute, beat: 10 * time.Second, state: 30 * time.Second, renew: time.Hour, retry: 250 * time.Millisecond}
}

// A sender brings batches from the spool to the hub, in order, one request at a time. A batch goes from the spool only when the
// hub's receipt has its boot, number and hash. It first asks for the head of the ledger, and sends nothing to a server
// whose ledger was rolled back.
type sender struct {
	log    *slog.Logger
	layer  disk.Layer // where identity and head are kept
	spool  *Spool
	client *client
	host   func() record.Host
	every  rhythm
	reader spoolReader

	refusals int // of the order of batches, one after the other

	mu     sync.Mutex
	clock  record.Clock
	since  time.Time // of the present state
	state  string    // "" before the first try, "connected", or what is wrong
	last   time.Time // of the last receipt
	gaps   []record.Gap
	headAt int64
}

// run sends until ctx ends or the spool breaks, whose error it returns.
func (s *sender) run(ctx context.Context) error {
	s.reader.s = s.spool
	defer func() {
		if s.reader.close != nil {
			s.reader.close()
		}
		s.client.close()
	}()
	for wait := s.every.retry; ; {
		was := s.lastReceipt()
		err := s.session(ctx)
		if ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return nil
		}
		if broken := s.spool.Err(); broken != nil {
			return broken
		}
		s.client.close() // the next try shall not go into a connection that is dead
		s.say(err.Error())
		if s.lastReceipt() != was { // it worked
			wait = s.every.retry
		}
		pause := wait/2 + rand.N(wait)
		if refused, ok := errors.AsType[*refusedError](err); ok {
			pause = max(pause, refused.after)
		}
		if _, ok := errors.AsType[*rolledBack](err); ok {
			pause = waitLast
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		wait = min(2*wait, waitLast)
	}
}

func (s *sender) lastReceipt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// say shows the state of the connection, and logs it when it is another.
func (s *sender) say(state string) {
	s.mu.Lock()
	was := s.state
	if was != state {
		s.state, s.since = state, time.Now()
	}
	s.mu.Unlock()
	switch {
	case was == state:
	case state == connected:
		s.log.Info("connected to the server")
	default:
		s.log.Warn("lines cannot be sent now; they are kept, and sent when it works again", "why", state)
	}
}

const connected = "connected"

// session speaks with the server until something fails.
func (s *sender) session(ctx context.Context) error {
	if err := s.renew(ctx); err != nil {
		return err
	}
	if err := s.checkHead(ctx); err != nil {
		return err
	}
	var a record.Receipts
	if err := s.client.get(ctx, "receipts", &a); err != nil {
		return err
	}
	if a.Newest != nil {
		if err := s.agree(*a.Newest, false); err != nil {
			return err
		}
	}
	if err := s.measure(ctx); err != nil {
		return err
	}
	s.say(connected)
	due := map[string]time.Time{"head": time.Now().Add(s.every.head), "clock": time.Now().Add(s.every.clock), "renew": time.Now().Add(s.every.renew)}
	for {
		if err := s.beside(ctx, due); err != nil {
			return err
		}
		turn, end := context.WithDeadline(ctx, earliest(due))
		err := s.spool.wait(turn)
		end()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
		case err != nil:
			return err
		default:
			if err := s.send(ctx); err != nil {
				return err
			}
		}
	}
}

func earliest(due map[string]time.Time) (t time.Time) {
	for _, d := range due {
		t = minTime(t, d)
	}
	return t
}

// beside does what is due beside sending.
func (s *sender) beside(ctx context.Context, due map[string]time.Time) error {
	for _, x := range []struct {
		name  string
		every time.Duration
		do    func(context.Context) error
	}{
		{"head", s.every.head, s.checkHead},
		{"clock", s.every.clock, s.measure},
		{"beat", s.every.beat, s.beat},
		{"renew", s.every.renew, s.renew},
		{"state", s.every.state, s.tell},
	} {
		if now := time.Now(); now.Before(due[x.name]) {
			continue
		}
		if err := x.do(ctx); err != nil {
			return err
		}
		due[x.name] = time.Now().Add(x.every)
	}
	return nil
}

// send sends what waits, as much as fits in a request.
func (s *sender) send(ctx context.Context) error {
	s.spool.mu.Lock()
	from := s.spool.acked
	s.spool.mu.Unlock()
	all, err := s.reader.after(from, sendBatches, sendBytes)
	if err != nil || len(all) == 0 {
		return err
	}
	var b []byte
	for _, w := range all {
		b = record.AppendFrame(b, w.frame)
	}
	var a record.Receipts
	err = s.client.ask(ctx, "POST", "batches", "application/vnd.tocsin.batches", b, &a)
	refused, isRefused := errors.AsType[*refusedError](err)
	if isRefused {
		a = refused.Receipts
	} else if err != nil {
		return err
	}
	for i, r := range a.Receipts {
		if i >= len(all) || r.Boot != all[i].frame.Boot || r.Number != all[i].frame.Number || r.Sum != hex.EncodeToString(all[i].frame.Sum[:]) {
			return errors.New("the server's receipt is for something else than was sent")
		}
		if err := s.spool.Acked(all[i].place); err != nil {
			return err
		}
		s.mu.Lock()
		s.last = time.Now()
		s.mu.Unlock()
		s.refusals = 0
	}
	if !isRefused {
		if len(a.Receipts) != len(all) {
			return errors.New("the server did not say what became of every batch")
		}
		return nil
	}
	switch a.Refused {
	case record.Conflict, record.Replayed, record.Reordered:
		if a.Newest == nil {
			a.Newest = &record.SentReceipt{}
		}
		return s.agree(*a.Newest, true)
	}
	return refused
}

// agree makes the spool go on where the server is. When that has something else under our numbers, those that wait get new ones;
// refused says that it has just refused what we sent.
func (s *sender) agree(newest record.SentReceipt, refused bool) error {
	s.lost(newest)
	ok, err := s.reader.settle(newest)
	if err != nil || ok && s.spool.follows(newest) && s.refusals == 0 || !refused {
		return err
	}
	if s.refusals++; s.refusals > 3 {
		return errors.New("the server refuses batches however they are numbered")
	}
	s.log.Warn("the server expects another batch than the one that follows here; what waits is numbered anew", "boot", newest.Boot, "number", newest.Number)
	return s.spool.Renumber()
}

// lost reports batches that the server had acknowledged, does not have any more, and that are not here either.
func (s *sender) lost(newest record.SentReceipt) {
	s.spool.mu.Lock()
	var from, to uint64
	for _, b := range s.spool.boots {
		if place := b.base + newest.Number; b.name == newest.Boot && place < s.spool.acked && place+1 < s.spool.segments[0].first {
			from, to = newest.Number+1, s.spool.segments[0].first-b.base
		}
	}
	s.spool.mu.Unlock()
	if from == 0 {
		return
	}
	g := record.Gap{File: "spool:" + newest.Boot, From: int64(from), To: int64(to), Since: s.lastReceipt(), Until: time.Now(), Why: "the server lost batches that it had acknowledged"}
	if g.Since.IsZero() { // they were acknowledged before this start
		g.Since = s.spool.Stopped()
	}
	if s.gap(g) {
		s.log.Error("the server has lost batches that it had acknowledged; their lines are gone here, look for them in the log files", "boot", newest.Boot, "from", from, "to", to)
	}
}

// How many losses and sources the server is told of at once.
const (
	maxGaps  = 200
	maxFeeds = 1000
)

// gap remembers lines that are lost, for the server's screens. A loss is known by its file, print and first byte or number: it says whether this one is new, or
// greater than it was.
func (s *sender) gap(g record.Gap) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := slices.IndexFunc(s.gaps, func(x record.Gap) bool { return x.File == g.File && x.Print == g.Print && x.From == g.From }); at >= 0 {
		if s.gaps[at].To >= g.To {
			return false
		}
		g.Since = s.gaps[at].Since
		s.gaps[at] = g
		return true
	}
	if s.gaps = append(s.gaps, g); len(s.gaps) > maxGaps {
		s.gaps = s.gaps[len(s.gaps)-maxGaps:]
	}
	return true
}

// tell sends what is known of the host.
func (s *sender) tell(ctx context.Context) error {
	h := s.host()
	s.mu.Lock()
	h.Clock, h.Head = s.clock, s.headAt
	h.Gaps = append(append(h.Gaps, s.spool.Damage()...), s.gaps...)
	s.mu.Unlock()
	h.Spool = s.spool.State()
	h.Sources, h.Gaps = h.Sources[:min(len(h.Sources), maxFeeds)], h.Gaps[max(0, len(h.Gaps)-maxGaps):]
	err := s.client.post(ctx, "state", h, &struct{}{})
	if refused, ok := errors.AsType[*refusedError](err); ok && refused.status != http.StatusUnauthorized && refused.status != http.StatusForbidden {
		s.log.Warn("the server does not take what is known of this host; lines are sent all the same", "why", refused)
		return nil
	}
	return err
}

// beat lets the server know that this agent is there: when it hears nothing, that is an alert.
func (s *sender) beat(ctx context.Context) error {
	return s.client.get(ctx, "time", &struct{}{})
}

const samples = 5

// measure finds how far this host's clock is off. The server's time is taken for the middle of the round trip, so the error is at
// most half of it; the shortest of several trips counts (RFC 5905, section 8, does the same).
func (s *sender) measure(ctx context.Context) error {
	var best record.Clock
	for range samples {
		var a struct {
			Now time.Time `json:"now"`
		}
		sent := time.Now()
		if err := s.client.get(ctx, "time", &a); err != nil {
			return fmt.Errorf("asking for the server's time: %w", err)
		}
		half := time.Since(sent) / 2
		if !best.Known || half < best.Within {
			best = record.Clock{Known: true, Offset: a.Now.Sub(sent.Round(0).Add(half)), Within: half}
		}
	}
	s.mu.Lock()
	s.clock = best
	s.mu.Unlock()
	return nil
}

// renew gets the next certificate before a third of the present one's life is left. Its key is kept before it is asked for: from the answer on the server hears no other
// key, and if the answer is lost it is asked for again with the same.
func (s *sender) renew(ctx context.Context) error {
	id := s.client.identity()
	pair, err := id.pair()
	if err != nil {
		return err
	}
	from, until, now := pair.Leaf.NotBefore, pair.Leaf.NotAfter, time.Now()
	if now.After(until) {
		return fmt.Errorf("the agent's certificate ended on %s: join again with a new token", until.Format(time.DateOnly))
	}
	if len(id.Next) == 0 {
		if now.Before(until.Add(-until.Sub(from) / 3)) {
			return nil
		}
		if id.Next, err = newKey(); err != nil {
			return err
		}
		if err := id.write(s.layer); err != nil {
			return fmt.Errorf("keeping the key of the next certificate: %w", err)
		}
		s.client.keep(id)
	}
	request, err := requestFor(id.Next)
	if err != nil {
		return fmt.Errorf("renewing the certificate: %w", err)
	}
	var a record.Admission
	err = s.client.post(ctx, "renew", record.JoinRequest{Request: request}, &a)
	if refused, ok := errors.AsType[*refusedError](err); ok && refused.status != http.StatusUnauthorized && refused.status != http.StatusForbidden {
		s.log.Warn("the certificate is not renewed now; the present one holds still", "until", until, "why", refused)
		return nil
	}
	if err != nil {
		return fmt.Errorf("renewing the certificate: %w", err)
	}
	id.Key, id.Certificate, id.Next = id.Next, a.Certificate, nil
	if _, err := id.pair(); err != nil {
		return fmt.Errorf("renewing the certificate: %w", err)
	}
	if err := id.write(s.layer); err != nil {
		return fmt.Errorf("keeping the new certificate: %w", err)
	}
	s.log.Info("the certificate was renewed")
	return s.client.become(id)
}
