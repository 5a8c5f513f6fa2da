package shelf

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"tocsin/internal/disk"
)

// A DamageError says that a file of a volume is not what was written. Its volume is to be set aside.
type DamageError struct {
	Volume *Volume
	File   string
	Why    string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("the volume %s is damaged (%s): %s. It can be brought back from a backup; all others can be read", e.Volume.Name, e.File, e.Why)
}

func (s *Shelf) damaged(v *Volume, end string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading %s: %w", s.file(v, end), e)
	}
	return &DamageError{v, s.file(v, end), err.Error()}
}

// Lines are the lines of one volume, open.
type Lines struct {
	shelf *Shelf
	v     *Volume
	f     disk.File
	x     *linesFile
}

// OpenLines opens the lines of a volume of a View.
func (s *Shelf) OpenLines(v *Volume) (*Lines, error) {
	f, size, err := s.openFile(v, linesEnd)
	if err != nil {
		return nil, s.damaged(v, linesEnd, err)
	}
	x, err := openLines(f, size, s.open)
	if err != nil {
		_ = f.Close()
		return nil, s.damaged(v, linesEnd, err)
	}
	return &Lines{s, v, f, x}, nil
}

// Close closes it.
func (l *Lines) Close() error { return l.f.Close() }

// Frames is how many pieces it has; the lines of one are read together.
func (l *Lines) Frames() int { return len(l.x.frames) }

// FrameOf is the place of the piece with a line, if the volume has that line.
func (l *Lines) FrameOf(seq int64) int { return l.x.frameOf(seq) }

// Read returns the lines of a piece, in order.
func (l *Lines) Read(n int) ([]Line, error) { return l.read(n, 0) }

// One returns one line of a piece, by its number: none when it is not there.
func (l *Lines) One(n int, seq int64) ([]Line, error) { return l.read(n, seq) }

func (l *Lines) read(n int, only int64) ([]Line, error) {
	lines, err := l.x.read(n, only)
	if err != nil {
		return nil, l.shelf.damaged(l.v, linesEnd, err)
	}
	return lines, nil
}

// Columns are the columns of one volume, open.
type Columns struct {
	Chunks []*Chunk
	f      disk.File
}

// OpenColumns opens the columns of a volume of a View.
func (s *Shelf) OpenColumns(v *Volume) (*Columns, error) {
	f, size, err := s.openFile(v, columnsEnd)
	if err != nil {
		return nil, s.damaged(v, columnsEnd, err)
	}
	chunks, err := openColumns(io.NewSectionReader(f, 0, size), size, s.open) // places outside of a changed file are its fault, not the disk's
	if err != nil {
		_ = f.Close()
		return nil, s.damaged(v, columnsEnd, err)
	}
	return &Columns{chunks, f}, nil
}

// Close closes it.
func (c *Columns) Close() error { return c.f.Close() }

// A reel is the lines of a volume from one on, on their way into a cursor.
type reel struct {
	lines *Lines
	frame int // to read next
	some  []Line
}

// more reads until there is a line from number from on; false when there is none.
func (r *reel) more(from int64) (bool, error) {
	for {
		for len(r.some) > 0 && r.some[0].Seq < from {
			r.some = r.some[1:]
		}
		if len(r.some) > 0 {
			return true, nil
		}
		if r.frame >= r.lines.Frames() {
			return false, nil
		}
		var err error
		if r.some, err = r.lines.Read(r.frame); err != nil {
			return false, err
		}
		r.frame++
	}
}

type reels []*reel

func (h reels) Len() int           { return len(h) }
func (h reels) Less(i, j int) bool { return h[i].some[0].Seq < h[j].some[0].Seq }
func (h reels) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *reels) Push(x any)        { *h = append(*h, x.(*reel)) }
func (h *reels) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// A cursor goes through the lines of all volumes in their order.
type cursor struct {
	shelf *Shelf
	view  *View
	next  int64 // the line to come, or the first after it that there is
	later []*Volume
	open  reels
}

func (s *Shelf) newCursor(from int64) *cursor {
	c := &cursor{shelf: s, view: s.View(), next: from}
	for _, v := range c.view.Volumes {
		if v.Last >= from {
			c.later = append(c.later, v)
		}
	}
	return c
}

func (c *cursor) close() {
	for _, r := range c.open {
		_ = r.lines.Close()
	}
	c.open = nil
	c.view.Close()
}

// take returns the next lines, at most max; none at the end. A volume that is damaged is an error, after which the cursor
// goes on without it.
func (c *cursor) take(max int) (out []Line, err error) {
	for len(out) < max {
		for len(c.later) > 0 && (len(c.open) == 0 || c.later[0].First <= c.open[0].some[0].Seq) {
			v := c.later[0]
			c.later = c.later[1:]
			if err := c.add(v); err != nil {
				return out, err
			}
		}
		if len(c.open) == 0 {
			return out, nil
		}
		r := c.open[0]
		out = append(out, r.some[0])
		c.next = r.some[0].Seq + 1
		r.some = r.some[1:]
		ok, err := r.more(c.next)
		if !ok {
			_ = r.lines.Close()
			heap.Pop(&c.open)
		} else {
			heap.Fix(&c.open, 0)
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

func (c *cursor) add(v *Volume) error {
	l, err := c.shelf.OpenLines(v)
	if err != nil {
		return err
	}
	r := &reel{lines: l, frame: l.FrameOf(c.next)}
	ok, err := r.more(c.next)
	if !ok {
		return errors.Join(err, l.Close())
	}
	heap.Push(&c.open, r)
	return nil
}

// Read returns lines from number from on, in order, at most max; none when there is none. Numbers of lines that are gone are passed over.
// Errors: *DamageError, with the lines that were read before it; the next call goes on without that volume.
func (s *Shelf) Read(from int64, max int) ([]Line, error) {
	s.mu.Lock()
	c := s.cursor
	s.cursor = nil
	through := s.state.through
	s.mu.Unlock()
	if c != nil && (c.next != from || c.view.Through != through) {
		c.close()
		c = nil
	}
	if c == nil {
		c = s.newCursor(from)
	}
	lines, err := c.take(max)
	if len(lines) == 0 && err == nil {
		c.close()
		return nil, nil
	}
	s.mu.Lock()
	done := c
	if err != nil || len(s.doomed) == 0 && len(c.open)+len(c.later) > 0 { // else it would keep files that are to go
		done, s.cursor = s.cursor, c
	}
	s.mu.Unlock()
	if done != nil {
		done.close()
	}
	return lines, err
}

// First is the number of the oldest line on the shelf; 0 when there is none.
func (s *Shelf) First() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	first := int64(0)
	for _, v := range s.state.volumes {
		if first == 0 || v.First < first {
			first = v.First
		}
	}
	return first
}
