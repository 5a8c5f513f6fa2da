package desk

import (
	"context"
	"sync"
	"time"
)

const (
	seekers   = 3 // searches side by side
	followers = 8 // that follow lines at once
	uploads   = 3 // large requests that lie in memory, such as attachments
	downloads = 3 // exports that lie in memory, from their beginning until they are handed out

	// PerPerson is how many searches of one person work or wait, and how many of them follow lines.
	PerPerson = 6
)

// Bounds of a large request.
const (
	BringLarge  = 512 << 10        // bytes from which on it needs one of the slots of Bringing; one that does not say how large it is needs one, too
	BringWait   = 10 * time.Second // for a slot
	BringWithin = 5 * time.Minute  // in which it must have come then: 32 MiB over a line of 1 Mbit/s
)

// Slots bound what many ask for at once: most work side by side, of one person one fewer, so that nobody keeps the others from it by work that takes long; and of one
// person at most PerPerson work or wait.
type Slots struct {
	free chan struct{}
	each int // of one person, that work

	mu sync.Mutex
	of map[string]*asker // by who asks
}

// An asker is a person who works or waits.
type asker struct {
	all  int           // that work or wait
	free chan struct{} // for those that work, or are next to
}

// Seeking are the slots of searches, traces and exports while they read: the same for the console and for programs.
func (d *Desk) Seeking() *Slots { return d.seeking }

// Following are the slots of those that follow lines.
func (d *Desk) Following() *Slots { return d.following }

// Exporting are the slots of exports until they are handed out, which is as slow as who asked for them.
func (d *Desk) Exporting() *Slots { return d.exporting }

// Bringing are the slots of large requests, which lie in memory while they come and until they are done: the same for the console and for programs.
func (d *Desk) Bringing() *Slots { return d.bringing }

// Taken is how many slots are taken.
func (s *Slots) Taken() int { return len(s.free) }

func newSlots(most int) *Slots {
	return &Slots{free: make(chan struct{}, most), each: max(1, most-1), of: map[string]*asker{}}
}

// Take waits for a slot and returns what gives it back. False: who asks has too many already, or ctx ended before.
func (s *Slots) Take(ctx context.Context, who string) (giveBack func(), ok bool) {
	a := s.enter(who)
	if a == nil {
		return nil, false
	}
	select {
	case a.free <- struct{}{}:
	case <-ctx.Done():
		s.leave(who)
		return nil, false
	}
	select {
	case s.free <- struct{}{}:
		return func() { <-s.free; <-a.free; s.leave(who) }, true
	case <-ctx.Done():
		<-a.free
		s.leave(who)
		return nil, false
	}
}

// Try is Take without waiting.
func (s *Slots) Try(who string) (giveBack func(), ok bool) {
	a := s.enter(who)
	if a == nil {
		return nil, false
	}
	select {
	case a.free <- struct{}{}:
	default:
		s.leave(who)
		return nil, false
	}
	select {
	case s.free <- struct{}{}:
		return func() { <-s.free; <-a.free; s.leave(who) }, true
	default:
		<-a.free
		s.leave(who)
		return nil, false
	}
}

// enter returns nil when there are too many of one who asks.
func (s *Slots) enter(who string) *asker {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.of[who]
	if a == nil {
		a = &asker{free: make(chan struct{}, s.each)}
		s.of[who] = a
	}
	if a.all >= PerPerson {
		return nil
	}
	a.all++
	return a
}

func (s *Slots) leave(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[who].all--; s.of[who].all == 0 {
		delete(s.of, who)
	}
}
