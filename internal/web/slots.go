package web

import (
	"context"
	"sync"
)

// Slots bound what many ask for at once: most work side by side, and of one person at most perPerson work or wait, so that nobody keeps the others from searching.
type slots struct {
	free chan struct{}

	mu sync.Mutex
	of map[string]int // by who asks: those that work or wait
}

// perPerson is how many searches of one person work or wait: some pages, each with what it looks up.
const perPerson = 6

func newSlots(most int) *slots {
	return &slots{free: make(chan struct{}, most), of: map[string]int{}}
}

// take waits for a slot and returns what gives it back. False: who asks has too many already, or ctx ended before.
func (s *slots) take(ctx context.Context, who string) (giveBack func(), ok bool) {
	if !s.enter(who) {
		return nil, false
	}
	select {
	case s.free <- struct{}{}:
		return func() { <-s.free; s.leave(who) }, true
	case <-ctx.Done():
		s.leave(who)
		return nil, false
	}
}

func (s *slots) enter(who string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[who] >= perPerson {
		return false
	}
	s.of[who]++
	return true
}

func (s *slots) leave(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[who]--; s.of[who] == 0 {
		delete(s.of, who)
	}
}
