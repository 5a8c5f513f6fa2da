package search

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"sync"

	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// Lines that are not on the shelf yet are kept parsed, as columns in memory, so that a search parses only those that came since the one before. They go when
// the shelf has them. Where they are too many, as when detection is far behind, they are parsed for each search.
const freshBytes = 128 << 20

// A fresh is what is known of them.
type fresh struct {
	mu     sync.Mutex
	last   int64 // number of the last line that is in pieces
	gone   int64 // lines up to this number were let go
	pieces []*piece
	grow   map[string]*piece // by log source, the one that grows
	size   int64
	over   int64 // up to this line there were too many: until the shelf has half of them it is not tried again
}

// A piece is rows of one log source, at most a page of them.
type piece struct {
	wrote shelf.Wrote
	table *shelf.Table // while it grows
	lines []record.Line
	chunk *shelf.Chunk // when it is full
	size  int64
}

// A found is a piece as it was at one moment.
type found struct {
	v     *shelf.Volume // what a scan asks of one
	chunk *shelf.Chunk
	lines []record.Line
	skip  int // its first rows are on the shelf
}

// take makes pieces of the lines that came, forgets those that are on the shelf, and returns what is there. False: there are too many.
func (s *Searcher) take(ctx context.Context, through int64) (some []found, last int64, ok bool, err error) {
	f := &s.fresh
	f.mu.Lock()
	defer f.mu.Unlock()
	if through < f.gone || through < f.over { // another search saw the shelf later; or they are still too many
		return nil, 0, false, nil
	}
	f.forget(through)
	for r, err := range s.o.Tail(ctx, max(f.last, through)) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			f.clear() // a line may be there by half
			return nil, 0, true, err
		}
		if f.add(r); f.size > freshBytes {
			f.over = through + (f.last-through)/2
			f.clear()
			return nil, 0, false, nil
		}
	}
	for _, p := range f.pieces {
		c := p.chunk
		if c == nil {
			c = p.table.Chunk()
		}
		skip, _ := slices.BinarySearchFunc(p.lines, through+1, func(l record.Line, seq int64) int { return cmp.Compare(l.Seq, seq) })
		v := &shelf.Volume{Wrote: p.wrote, Rows: c.Rows, From: math.MinInt64, Until: math.MaxInt64}
		some = append(some, found{v, c, p.lines[:len(p.lines):len(p.lines)], skip})
	}
	return some, max(f.last, through), true, nil
}

// Forget lets go of what is kept of lines up to a number, when they are on the shelf. The next search does it too.
func (s *Searcher) Forget(through int64) {
	s.fresh.mu.Lock()
	defer s.fresh.mu.Unlock()
	if through > s.fresh.gone {
		s.fresh.forget(through)
	}
}

func (f *fresh) clear() { f.last, f.pieces, f.grow, f.size = 0, nil, nil, 0 }

// forget lets go of pieces that are on the shelf.
func (f *fresh) forget(through int64) {
	f.gone = through
	f.pieces = slices.DeleteFunc(f.pieces, func(p *piece) bool {
		if p.lines[len(p.lines)-1].Seq > through {
			return false
		}
		f.size -= p.size
		if p.chunk == nil {
			delete(f.grow, wroteKey(p.wrote.LogSource()))
		}
		return true
	})
}

func wroteKey(l record.LogSource) string {
	return strings.Join(append([]string{l.Product, l.Service}, l.Categories...), "\x00")
}

func (f *fresh) add(r *record.Record) {
	key := wroteKey(r.Source)
	p := f.grow[key]
	if p == nil {
		p = &piece{wrote: shelf.Wrote{Categories: slices.Clone(r.Source.Categories), Product: r.Source.Product, Service: r.Source.Service}, table: shelf.NewTable()}
		if f.grow == nil {
			f.grow = map[string]*piece{}
		}
		f.grow[key] = p
		f.pieces = append(f.pieces, p)
	}
	p.table.Add(r, 0)
	l := r.Line // the texts of a batch share their memory, so a line is not copied
	if n := len(p.lines); n > 0 && p.lines[n-1].File == l.File && p.lines[n-1].Host == l.Host {
		l.File, l.Host = p.lines[n-1].File, p.lines[n-1].Host
	} else {
		l.File, l.Host = strings.Clone(l.File), strings.Clone(l.Host)
	}
	p.lines = append(p.lines, l)
	size := int64(len(l.Raw)) + 500 // which is about what the columns take
	p.size, f.size = p.size+size, f.size+size
	f.last = l.Seq
	if len(p.lines) == shelf.PageRows {
		p.chunk, p.table = p.table.Chunk(), nil
		delete(f.grow, key)
	}
}
