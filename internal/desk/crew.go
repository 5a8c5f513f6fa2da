package desk

import (
	"slices"
	"sync"

	"tocsin/internal/intake"
)

// # Replay on every core
//
// The merge takes records in order of time, one after the other, as detection must. Everything before that is done ahead, by
// workers: a file is read by pieces of whole lines, and pieces are parsed and sifted (detect.Sieve) side by side, those of one file
// too. A parser knows a file by its State. A piece whose state before it is not known yet is parsed as if it were what the
// newest parsed piece of its file ended with, which is right nearly always; when the piece before it has ended otherwise, it is
// parsed again. A file of which that is often wrong is read one piece after the other.
//
// Only files that have begun are open: those whose first line is not reached wait. Workers take what the merge will need first:
// the file whose parsed lines end the earliest. How many pieces lie in memory is bounded: mostPieces, and, beyond them, one of
// the file that the merge waits for. With many files open at once pieces get smaller.
//
// What comes out does not depend on how many workers there are, nor on which is faster: rows come in the same order, and each
// says the same.

const (
	pieceSize  = 128 << 10 // bytes of lines
	manyFiles  = 16        // a piece is at least one part of so many of that
	piecesEach = 8         // for each worker
	mostPieces = 96
	leastReady = 16
)

// A crew is the workers of one replay, and what they share.
type crew struct {
	mu      sync.Mutex
	work    *sync.Cond // there is something to do
	ready   *sync.Cond // a piece is certain, or a file has ended
	open    []*feed    // being read
	waiting []*feed    // not begun, by the time of the first line
	again   []*piece   // to be parsed again
	free    []*piece
	used    int // pieces that are not free
	most    int
	size    int   // bytes of a piece
	wanted  *feed // what the merge waits for
	stopped bool
	wg      sync.WaitGroup
}

// newCrew starts workers. feeds are in order of their first lines.
func newCrew(feeds []*feed, workers []*worker, size int) *crew {
	c := &crew{waiting: feeds, size: size, most: min(max(piecesEach*len(workers), leastReady), mostPieces)}
	c.work, c.ready = sync.NewCond(&c.mu), sync.NewCond(&c.mu)
	for _, w := range workers {
		c.wg.Go(func() { c.run(w) })
	}
	return c
}

// stop ends the workers and closes what is open.
func (c *crew) stop() {
	c.mu.Lock()
	c.stopped = true
	c.work.Broadcast()
	c.mu.Unlock()
	c.wg.Wait()
	for _, f := range c.open {
		f.shut()
	}
}

func (c *crew) run(w *worker) {
	for {
		f, p := c.next()
		switch {
		case p != nil:
			w.parse(p)
		case f != nil:
			if p = c.read(f); p == nil {
				continue
			}
			w.parse(p)
		default:
			return
		}
		c.parsed(p)
	}
}

// next waits for something to do: a file to read on, or a piece to parse again. Neither: the end.
func (c *crew) next() (*feed, *piece) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.stopped {
		if n := len(c.again); n > 0 {
			p := c.again[n-1]
			c.again = c.again[:n-1]
			return nil, p
		}
		if f := c.choose(); f != nil {
			f.reading = true
			c.used++
			return f, nil
		}
		c.work.Wait()
	}
	return nil, nil
}

// choose says which file is to be read on.
func (c *crew) choose() *feed {
	if f := c.wanted; f != nil && len(f.queue) == 0 && f.readable() {
		c.begin(f)
		return f
	}
	if c.used >= c.most {
		return nil
	}
	var best *feed
	for _, f := range c.open {
		if f.readable() && (best == nil || f.seen.Before(best.seen)) {
			best = f
		}
	}
	if len(c.waiting) == 0 || best != nil && !c.waiting[0].at.Before(best.seen) {
		return best
	}
	if best == nil && c.used >= c.most*3/4 {
		return nil // the rest is for files that the merge needs sooner
	}
	best = c.waiting[0]
	c.begin(best)
	return best
}

// begin takes a waiting file among the open ones.
func (c *crew) begin(f *feed) {
	if f.begun {
		return
	}
	i := slices.Index(c.waiting, f)
	c.waiting = slices.Delete(c.waiting, i, i+1)
	c.open = append(c.open, f)
	f.begun, f.seen = true, f.at
}

// readable reports whether a worker can read on: nobody does, and it is known, or can be guessed, with which state to parse.
func (f *feed) readable() bool {
	if f.reading || f.ended {
		return false
	}
	if f.sure == len(f.queue) {
		return true
	}
	return f.guessed && (f.misses < 3 || f.misses*4 < f.pieces)
}

// read reads a piece of a file and queues it; nil when there is none.
func (c *crew) read(f *feed) *piece {
	c.mu.Lock()
	var p *piece
	if n := len(c.free); n > 0 {
		p, c.free = c.free[n-1], c.free[:n-1]
	} else {
		p = &piece{}
	}
	size := max(c.size/manyFiles, c.size*c.most/(c.most+2*len(c.open)))
	c.mu.Unlock()
	if f.in == nil {
		f.err = f.open()
	}
	if f.err == nil {
		p.buf, p.offset = f.read(p.buf, size)
		p.text = string(p.buf)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f.reading = false
	if f.err != nil {
		f.ended = true
		f.shut()
		c.open = slices.DeleteFunc(c.open, func(o *feed) bool { return o == f })
	}
	c.ready.Broadcast()
	c.work.Broadcast()
	if p.text == "" {
		c.release(p)
		return nil
	}
	p.feed, p.parsed, p.start = f, false, f.end
	if f.sure < len(f.queue) {
		p.start = f.guess
		f.pieces++
	}
	f.queue = append(f.queue, p)
	return p
}

// parsed takes in what a piece ended with, and makes certain what can be.
func (c *crew) parsed(p *piece) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := p.feed
	p.parsed = true
	f.guess, f.guessed = p.end, true
	if n := len(p.rows); n > 0 {
		f.seen = later(f.seen, p.rows[n-1].time())
	}
	for f.sure < len(f.queue) && f.queue[f.sure].parsed {
		q := f.queue[f.sure]
		if !q.start.Fits(f.end, q.lent) {
			f.misses++
			q.parsed, q.start = false, f.end
			c.again = append(c.again, q)
			break
		}
		q.text = ""
		f.end = q.end
		f.sure++
	}
	c.ready.Broadcast()
	c.work.Broadcast()
}

// piece waits for the next certain piece of a file; nil at its end.
func (c *crew) piece(f *feed) *piece {
	c.mu.Lock()
	defer c.mu.Unlock()
	for f.sure == 0 {
		if f.ended && len(f.queue) == 0 {
			c.wanted = nil
			return nil
		}
		if c.wanted != f {
			c.wanted = f
			c.work.Broadcast()
		}
		c.ready.Wait()
	}
	c.wanted = nil
	return f.queue[0]
}

// consumed frees a piece that the merge has used up.
func (c *crew) consumed(p *piece) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := p.feed
	f.queue = slices.Delete(f.queue, 0, 1)
	f.sure--
	c.release(p)
	c.work.Signal()
}

// release makes the memory of a piece free for another.
func (c *crew) release(p *piece) {
	c.used--
	p.feed, p.text = nil, ""
	p.start, p.end = intake.State{}, intake.State{}
	c.free = append(c.free, p)
}
