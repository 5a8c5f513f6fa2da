package search

import (
	"slices"
	"sync"

	"tocsin/internal/shelf"
)

// keptOpen is how many volumes stay open that no search uses.
const keptOpen = 200

// A volume is open. uses is guarded by Searcher.mu.
type volume struct {
	v       *shelf.Volume
	columns *shelf.Columns
	uses    int

	mu    sync.Mutex
	lines *shelf.Lines // opened when first needed
	shelf *shelf.Shelf
}

// use opens a volume, or takes it from those that are open.
func (s *Searcher) use(v *shelf.Volume) (*volume, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range s.open {
		if o.v.Name == v.Name {
			o.uses++
			s.open = append(slices.Delete(s.open, i, i+1), o)
			return o, nil
		}
	}
	c, err := s.o.Shelf.OpenColumns(v)
	if err != nil {
		return nil, err
	}
	o := &volume{v: v, columns: c, uses: 1, shelf: s.o.Shelf}
	s.open = append(s.open, o)
	return o, nil
}

// letGo ends the use of volumes, and closes those that are gone from the shelf, and the ones that were used longest ago when there are many.
func (s *Searcher) letGo(some []*volume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range some {
		if o.uses--; o.uses == 0 && !s.o.Shelf.Has(o.v.Name) {
			s.open = slices.DeleteFunc(s.open, func(x *volume) bool { return x == o })
			o.close()
		}
	}
	for over := len(s.open) - keptOpen; over > 0; over-- {
		i := slices.IndexFunc(s.open, func(o *volume) bool { return o.uses == 0 })
		if i < 0 {
			return
		}
		s.open[i].close()
		s.open = slices.Delete(s.open, i, i+1)
	}
}

// CloseGone closes volumes that are gone from the shelf: until then the disk keeps their files. What a search uses is closed behind it.
func (s *Searcher) CloseGone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(o *volume) bool {
		gone := o.uses == 0 && !s.o.Shelf.Has(o.v.Name)
		if gone {
			o.close()
		}
		return gone
	})
}

// Close closes what is open. No search may be under way.
func (s *Searcher) Close() {
	s.end()
	s.kept.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.open {
		o.close()
	}
	s.open = nil
}

func (o *volume) close() {
	_ = o.columns.Close()
	if o.lines != nil {
		_ = o.lines.Close()
	}
}

// line returns a line. The frame that it stands in is kept by the caller, for the next one, but of a line that is alone.
func (o *volume) line(seq int64, alone bool, frame *int, lines *[]shelf.Line, said *Scanned) (*shelf.Line, error) {
	o.mu.Lock()
	if o.lines == nil {
		l, err := o.shelf.OpenLines(o.v)
		if err != nil {
			o.mu.Unlock()
			return nil, err
		}
		o.lines = l
	}
	l := o.lines
	o.mu.Unlock()
	n := l.FrameOf(seq)
	if alone && n != *frame && n < l.Frames() {
		some, err := l.One(n, seq)
		if err != nil {
			return nil, err
		}
		if len(some) == 1 {
			said.Lines++
			return &some[0], nil
		}
	}
	if n != *frame && n < l.Frames() {
		some, err := l.Read(n)
		if err != nil {
			return nil, err
		}
		*frame, *lines = n, some
		said.Lines += int64(len(some))
	}
	i, ok := slices.BinarySearchFunc(*lines, seq, func(x shelf.Line, n int64) int {
		return int(min(max(x.Seq-n, -1), 1))
	})
	if !ok {
		return nil, &shelf.DamageError{Volume: o.v, File: o.v.Name, Why: "a line that its columns name is not there"}
	}
	return &(*lines)[i], nil
}
