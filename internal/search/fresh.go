package search

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/s2"

	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// Lines that are not on the shelf yet are kept parsed, as columns in memory, so that a search parses only those that came since the one before. Of a full page the lines
// themselves are packed, since few searches want them. They go when the shelf has them. When detection is so far behind that they are more than Options.Fresh, those
// beyond are read by one search at a time, which keeps nothing of them.
type fresh struct {
	most   int64         // bytes
	free   chan struct{} // holds one token when nobody uses what follows
	let    atomic.Int64  // lines up to this number may be let go
	last   int64         // number of the last line that is in pieces
	gone   int64         // lines up to this number were let go
	pieces []*piece
	grow   map[string]*piece // by log source, the one that grows
	size   int64
	filled int64     // pieces that were ever full
	room   [2][]byte // of pack
}

func newFresh(most int64) *fresh {
	f := &fresh{most: most, free: make(chan struct{}, 1)}
	f.free <- struct{}{}
	return f
}

// A piece is rows of one log source, at most a page of them.
type piece struct {
	name  string // when it is full: for the cache, as volumes have one
	wrote shelf.Wrote
	seqs  []int64       // of each row the number of its line
	table *shelf.Table  // while it grows
	lines []record.Line // while it grows
	chunk *shelf.Chunk  // when it is full
	packs packs         // when it is full
	size  int64
}

// A found is a piece as it was at one moment. Of lines and packs it has one.
type found struct {
	v     *shelf.Volume // what a scan asks of one
	chunk *shelf.Chunk
	lines []record.Line
	packs packs
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
	if out.full, err = f.catchUp(ctx, s.o.Tail, through); err != nil {
		return out, err
	}
	for _, p := range f.pieces {
		c := p.chunk
		if c == nil {
			c = p.table.Chunk()
		}
		skip, _ := slices.BinarySearch(p.seqs, through+1)
		v := &shelf.Volume{Name: p.name, Wrote: p.wrote, Rows: c.Rows, From: math.MinInt64, Until: math.MaxInt64}
		out.some = append(out.some, found{v, c, p.lines[:len(p.lines):len(p.lines)], p.packs, skip})
	}
	out.last = max(f.last, through)
	return out, nil
}

// catchUp makes pieces of the lines that came behind those on the shelf; full: there may be more.
func (f *fresh) catchUp(ctx context.Context, tail Tail, through int64) (full bool, err error) {
	f.forget(through)
	if f.size > f.most {
		return true, nil
	}
	return f.read(ctx, tail, through)
}

// Who searched once mostly does so again soon. Until this long after the last search, lines are made pieces of as they come, and the next search finds them so.
const (
	freshFor   = 30 * time.Second
	freshEvery = 100 * time.Millisecond
)

// keepUp has somebody do that.
func (s *Searcher) keepUp() {
	if s.o.Tail == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked = time.Now(); s.keeping || s.life.Err() != nil {
		return
	}
	s.keeping = true
	s.kept.Go(func() {
		tick := time.NewTicker(freshEvery)
		defer tick.Stop()
		for whole := true; s.goesOn(whole); {
			select {
			case <-tick.C:
				whole = s.freshen() == nil
			case <-s.life.Done():
			}
		}
	})
}

// goesOn reports whether lines are still to be kept up with: not when that went wrong, which the next search meets, and says.
func (s *Searcher) goesOn(whole bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keeping = whole && s.life.Err() == nil && time.Since(s.asked) < freshFor
	return s.keeping
}

// freshen keeps up for a moment, unless a search does, or the processors are needed for those who read lines for good.
func (s *Searcher) freshen() (err error) {
	if s.late() {
		return nil
	}
	f := s.fresh
	select {
	case <-f.free:
		defer f.release()
	default:
		return nil
	}
	defer func() { err = cmp.Or(panicked(recover()), err) }()
	ctx, stop := context.WithTimeout(s.life, freshEvery) // a search may wait
	defer stop()
	if through := s.o.Shelf.Through(); through >= f.gone {
		_, err = f.catchUp(ctx, s.o.Tail, through)
	}
	return err
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
		if p.seqs[len(p.seqs)-1] > through {
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
	l := r.Line
	l.Raw = strings.Clone(l.Raw) // the texts of a batch share their memory: one line would hold all of it
	if n := len(p.lines); n > 0 && p.lines[n-1].File == l.File && p.lines[n-1].Host == l.Host {
		l.File, l.Host = p.lines[n-1].File, p.lines[n-1].Host
	} else {
		l.File, l.Host = strings.Clone(l.File), strings.Clone(l.Host)
	}
	p.lines, p.seqs = append(p.lines, l), append(p.seqs, l.Seq)
	size := int64(len(l.Raw)) + growing
	p.size, f.size = p.size+size, f.size+size
	f.last = l.Seq
	if len(p.lines) == shelf.PageRows {
		f.size -= p.size
		f.filled++ // so that no name is used twice
		p.fill(fmt.Sprintf("piece %d", f.filled), &f.room)
		f.size += p.size
		delete(f.grow, key)
	}
}

// growing is about what a row takes beside the text of its line while its piece grows, in bytes.
const growing = 500

// fill makes a piece that grew one that is full.
func (p *piece) fill(name string, room *[2][]byte) {
	p.name = name
	p.chunk, p.table = p.table.Chunk(), nil
	p.packs, p.lines = pack(p.lines, room), nil
	p.size = p.chunk.Bytes() + p.packs.bytes() + 8*int64(len(p.seqs))
}

// packs are lines, packRows to each, so that one is read without the others.
type packs [][]byte

const packRows = 256

// roomKept is how large a buffer may be that is used again.
const roomKept = 1 << 20

// pack packs lines. room has two buffers that are used again.
func pack(lines []record.Line, room *[2][]byte) (out packs) {
	text := func(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	for some := range slices.Chunk(lines, packRows) {
		plain := append(room[0][:0], 0) // no texts that are stored once
		for i := range some {
			plain = text(text(plain, some[i].Host), some[i].File)
			plain = binary.AppendVarint(binary.AppendVarint(plain, some[i].Offset), some[i].Seq)
			plain = text(plain, some[i].Raw)
		}
		packed := slices.Grow(room[1][:0], s2.MaxEncodedLen(len(plain)))
		out = append(out, bytes.Clone(s2.Encode(packed[:cap(packed)], plain)))
		if room[0], room[1] = plain, packed; cap(plain) > roomKept {
			room[0], room[1] = nil, nil
		}
	}
	return out
}

func (p packs) bytes() (n int64) {
	for _, b := range p {
		n += int64(len(b))
	}
	return n
}

// unpack returns the lines of one.
func unpack(packed []byte) (lines []record.Line, err error) {
	plain, err := s2.Decode(nil, packed)
	if err != nil {
		return nil, err
	}
	u, err := record.NewUnpacker(plain)
	for err == nil && len(u.Rest()) > 0 {
		lines = append(lines, record.Line{Host: u.Bytes(), File: u.Bytes(), Offset: u.Int(), Seq: u.Int(), Raw: u.Bytes()})
		err = u.Err()
	}
	return lines, err
}
