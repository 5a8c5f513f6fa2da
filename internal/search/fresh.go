package search

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// Lines that are not on the shelf yet are kept parsed, as columns in memory, so that a search parses only those that came since the one before. They go when
// the shelf has them. When detection is so far behind that they are more than Options.Fresh, those beyond are read by one search at a time, which keeps nothing of them.
type fresh struct {
	most   int64         // bytes
	free   chan struct{} // holds one token when nobody uses what follows
	let    atomic.Int64  // lines up to this number may be let go
	last   int64         // number of the last line that is in pieces
	gone   int64         // lines up to this number were let go
	pieces []*piece
	grow   map[string]*piece // by log source, the one that grows
	size   int64
}

func newFresh(most int64) *fresh {
	f := &fresh{most: most, free: make(chan struct{}, 1)}
	f.free <- struct{}{}
	return f
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

// A taken is what there was at one moment of lines that are not on the shelf.
type taken struct {
	some []found
	last int64 // number of the last line in them, or on the shelf
	full bool  // there may be more lines, which are not kept parsed
	late bool  // lines went to the shelf since it was looked at: look again
}

// take makes pieces of the lines that came, forgets those that are on the shelf, and returns what is there. When ctx ends, it is what there is by then.
func (s *Searcher) take(ctx context.Context, through int64) (out taken, err error) {
	f := s.fresh
	select {
	case <-f.free:
		defer f.release()
	case <-ctx.Done():
		return taken{last: through, full: true}, nil
	}
	if through < f.gone {
		return taken{late: true}, nil
	}
	f.forget(through)
	if out.full = f.size > f.most; !out.full {
		out.full, err = f.read(ctx, s.o.Tail, through)
	}
	if err != nil {
		return out, err
	}
	for _, p := range f.pieces {
		c := p.chunk
		if c == nil {
			c = p.table.Chunk()
		}
		skip, _ := slices.BinarySearchFunc(p.lines, through+1, func(l record.Line, seq int64) int { return cmp.Compare(l.Seq, seq) })
		v := &shelf.Volume{Wrote: p.wrote, Rows: c.Rows, From: math.MinInt64, Until: math.MaxInt64}
		out.some = append(out.some, found{v, c, p.lines[:len(p.lines):len(p.lines)], skip})
	}
	out.last = max(f.last, through)
	return out, nil
}

// read takes lines until there are no more, there are too many, or ctx ends; full: there may be more. Lines are taken whole, so that the next search goes on behind the last.
func (f *fresh) read(ctx context.Context, tail Tail, through int64) (full bool, err error) {
	if f.last < through {
		f.last = 0
	}
	whole := true
	defer func() {
		if !whole { // what parses lines broke off in one
			f.clear()
		}
	}()
	for line, err := range tail(ctx, max(f.last, through), false) {
		if err != nil {
			return true, err
		}
		whole = false
		for r := range line {
			f.add(r)
		}
		whole = true
		if f.size > f.most || ctx.Err() != nil {
			return true, nil
		}
	}
	return ctx.Err() != nil, nil
}

// Forget lets go of what is kept of lines up to a number, when they are on the shelf. It does not wait for a search that reads lines just now: that, or the next, does it.
func (s *Searcher) Forget(through int64) {
	f := s.fresh
	f.let.Store(max(f.let.Load(), through))
	select {
	case <-f.free:
		f.release()
	default:
	}
}

// release is for whoever took the token.
func (f *fresh) release() {
	if n := f.let.Load(); n > f.gone {
		f.forget(n)
	}
	f.free <- struct{}{}
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
			delete(f.grow, p.wrote.Key())
		}
		return true
	})
}

func (f *fresh) add(r *record.Record) {
	wrote := shelf.Wrote{Categories: r.Source.Categories, Product: r.Source.Product, Service: r.Source.Service}
	key := wrote.Key()
	p := f.grow[key]
	if p == nil {
		wrote.Categories = slices.Clone(wrote.Categories)
		p = &piece{wrote: wrote, table: shelf.NewTable()}
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
