package archive

import (
	"fmt"
	"slices"
	"time"
)

// Expire removes the oldest segments of which every batch was received longer than age before now, and returns how many.
// The segment that is being written stays; when all that it holds is too old, it is closed first, and a new one
// begun. So lines live at most Options.SegmentAge longer than age. Positions, starts and the memory of repeats stay.
// Each removal is durable before the next, so that a crash leaves no gap.
func (a *Archive) Expire(now time.Time, age time.Duration) (int, error) {
	if a.options.ReadOnly {
		return 0, ErrReadOnly
	}
	limit := now.Add(-age).UnixNano()
	p := &pending{turn: make(chan bool, 1)}
	p.alone = func(healthy bool) error { return a.turnOver(healthy, limit) }
	if !a.enqueue(p, false) {
		return 0, ErrClosed
	}
	if p.err != nil {
		return 0, p.err
	}
	for n := 0; ; n++ {
		s := a.takeOldest(limit)
		if s == nil {
			return n, nil
		}
		if err := a.layer.Remove(s.name); err != nil {
			return n, fmt.Errorf("removing archive segment %s: %w", s.name, err)
		}
		if err := a.layer.SyncDir(a.dir); err != nil {
			return n, fmt.Errorf("removing archive segment %s: %w", s.name, err)
		}
	}
}

// turnOver closes the live segment when all its lines are older than the limit. The leader calls it.
func (a *Archive) turnOver(healthy bool, limit int64) error {
	if !healthy || a.live == nil {
		return nil
	}
	s := a.last()
	if s.next == s.first || s.newest >= limit {
		return nil
	}
	if err := a.seal(s); err != nil {
		return err
	}
	return a.begin()
}

// takeOldest forgets the oldest segment when it is older than the limit, and returns it. The newest stays in any case:
// it holds what outlives all others.
func (a *Archive) takeOldest(limit int64) *segment {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.segments) < 2 || a.segments[0].newest >= limit {
		return nil
	}
	s := a.segments[0]
	a.segments = slices.Clone(a.segments[1:])
	a.indexed = slices.DeleteFunc(a.indexed, func(t *segment) bool { return t == s })
	return s
}

// A Span is the lines of a segment.
type Span struct{ First, Last int64 }

// Complete returns the segments to which nothing is written any more, oldest first, those without lines left out.
func (a *Archive) Complete() (spans []Span) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, s := range a.segments {
		if s.sealed && s.next > s.first {
			spans = append(spans, Span{s.first, s.next - 1})
		}
	}
	return spans
}

// Drop removes complete segments of which no line has a number above through, oldest first, because their lines are kept elsewhere.
// Each removal is durable before the next, so that a crash leaves no gap. The newest segment stays.
func (a *Archive) Drop(through int64) error {
	if a.options.ReadOnly {
		return ErrReadOnly
	}
	for {
		a.mu.Lock()
		var s *segment
		if len(a.segments) > 1 && a.segments[0].sealed && a.segments[0].next-1 <= through {
			s = a.segments[0]
			a.segments = slices.Clone(a.segments[1:])
			a.indexed = slices.DeleteFunc(a.indexed, func(t *segment) bool { return t == s })
		}
		a.mu.Unlock()
		if s == nil {
			return nil
		}
		if err := a.layer.Remove(s.name); err != nil {
			return fmt.Errorf("removing archive segment %s: %w", s.name, err)
		}
		if err := a.layer.SyncDir(a.dir); err != nil {
			return fmt.Errorf("removing archive segment %s: %w", s.name, err)
		}
	}
}
