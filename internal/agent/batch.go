package agent

import (
	"container/heap"
	"context"
	"slices"
	"time"

	"tocsin/internal/record"
)

// round looks at some sources and hands over what is new in them, merged by record time. It ends when everything was
// read that was there when it began, so that no line, whatever time it claims, waits for longer than that.
func (w *Watcher) round(ctx context.Context, sources []*source) error {
	var m merge
	for _, s := range sources {
		if w.look(s); w.fill(s) {
			m = append(m, s)
		}
	}
	heap.Init(&m)
	for len(m) > 0 {
		s := m[0]
		if len(w.batch) > 0 && w.size+len(s.queue[s.next].raw) > batchBytes || len(w.batch) == w.o.BatchLines {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
		w.take(s)
		switch {
		case s.next < len(s.queue) || w.fill(s):
			if len(m) > 1 {
				heap.Fix(&m, 0)
			}
		default:
			heap.Pop(&m)
		}
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	w.measure(sources)
	return nil
}

// take moves the next line of s to the batch.
func (w *Watcher) take(s *source) {
	q := &s.queue[s.next]
	s.next++
	if s.taken.lines == 0 {
		w.part = append(w.part, s)
	}
	w.batch = append(w.batch, record.Line{Host: w.o.Host, File: s.path, Offset: q.start, Raw: q.raw})
	w.size += len(q.raw)
	s.taken.lines++
	s.taken.bytes += q.end - q.start
	if q.cut {
		s.taken.cut++
	}
	if q.tail != nil {
		s.taken.tail, s.taken.end = q.tail, q.end
	}
}

// flush hands over the batch. When it returns nil, every line in it is kept, and the positions with them.
func (w *Watcher) flush(ctx context.Context) error {
	if len(w.batch) == 0 {
		return ctx.Err()
	}
	b := record.Batch{Lines: w.batch}
	for _, s := range w.part {
		if s.taken.tail != nil {
			b.Positions = append(b.Positions, s.taken.tail.position(s.path, s.taken.end))
		}
	}
	if err := w.send(ctx, b); err != nil {
		return err
	}
	now := time.Now()
	w.mu.Lock()
	for _, s := range w.part {
		s.seen.Lines += s.taken.lines
		s.seen.Bytes += s.taken.bytes
		s.seen.Cut += s.taken.cut
		s.seen.LastLine = now
		if s.taken.tail != nil {
			s.kept, s.keptEnd = s.taken.tail.id, s.taken.end
		}
		s.taken = taken{}
	}
	w.mu.Unlock()
	w.batch, w.part, w.size = make([]record.Line, 0, min(cap(w.batch), w.o.BatchLines)), w.part[:0], 0
	return nil
}

// start begins the watching of sources never seen: their position at 0 is kept before their first line is, with the
// moment from which their lines are not history.
func (w *Watcher) start(ctx context.Context) error {
	var fresh []*source
	for _, s := range w.sources {
		if !s.since.IsZero() {
			fresh = append(fresh, s)
		}
	}
	slices.SortStableFunc(fresh, func(a, b *source) int { return a.since.Compare(b.since) })
	for len(fresh) > 0 {
		n := 1
		for n < len(fresh) && n < w.o.BatchLines && fresh[n].since.Equal(fresh[0].since) {
			n++
		}
		b := record.Batch{Received: fresh[0].since, Start: true}
		for _, s := range fresh[:n] {
			if s.pos.Offset == 0 {
				s.pos = begins(s.path)
			}
			s.pos.File = s.path
			b.Positions = append(b.Positions, s.pos)
		}
		if err := w.send(ctx, b); err != nil {
			return err
		}
		for _, s := range fresh[:n] {
			s.since = time.Time{}
		}
		fresh = fresh[n:]
	}
	return nil
}

// send numbers a batch and hands it over, again and again with the same number until it is kept or ctx ends.
func (w *Watcher) send(ctx context.Context, b record.Batch) error {
	w.number++
	b.Agent, b.Boot, b.Number = w.o.Agent, w.boot, w.number
	if b.Received.IsZero() {
		b.Received = time.Now()
	}
	for wait := retryFirst; ; wait = min(2*wait, retryLast) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		_, err := w.o.Append(b)
		w.sent = time.Now()
		w.waits(err)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// waits shows that lines cannot be handed over, and that they can again.
func (w *Watcher) waits(err error) {
	w.mu.Lock()
	was, since := w.stuck, w.failed
	w.stuck = err
	if err == nil {
		w.failed = time.Time{}
	} else if was == nil {
		w.failed = time.Now()
	}
	w.mu.Unlock()
	switch {
	case err != nil && (was == nil || was.Error() != err.Error()):
		w.log.Error("log lines cannot be kept; reading waits and tries again, nothing is lost as long as the log files stay", "err", err)
	case err == nil && was != nil:
		w.log.Info("log lines are kept again", "waited", time.Since(since).Round(time.Second))
	}
}

// measure learns how much there still is of files that were rotated away.
func (w *Watcher) measure(sources []*source) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range sources {
		s.left = 0
		if s.tail != nil && s.moved && !s.tail.packed {
			s.left = max(0, s.tail.until-s.tail.lines.start)
		}
	}
}

// merge is a heap of sources that have lines, the one with the oldest first.
type merge []*source

func (m merge) Len() int      { return len(m) }
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)   { *m = append(*m, x.(*source)) }
func (m *merge) Pop() any {
	last := len(*m) - 1
	s := (*m)[last]
	*m = (*m)[:last]
	return s
}

func (m merge) Less(i, j int) bool {
	a, b := m[i], m[j]
	if x, y := a.queue[a.next].at, b.queue[b.next].at; x != y {
		return x < y
	}
	return a.order < b.order
}
