package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sort"
)

// keptIndexes is how many indexes of sealed segments stay in memory. A cursor needs one.
const keptIndexes = 8

// readAhead is how many bytes of blocks are read at once.
const readAhead = 1 << 20

// Read returns batches with lines from number from on, in order. It stops after the batch with which it has max lines
// or more, so that a cursor never takes a batch twice; of the first batch, lines before from are left out. It returns
// nothing when line from does not exist yet (see Wait). Batches without lines are not returned.
//
// Errors: ErrExpired when line from is gone (First tells the oldest there is); *DamageError.
func (a *Archive) Read(from int64, max int) ([]Block, error) {
	if from < 1 {
		from = 1
	}
	var blocks []Block
	for lines := 0; lines < max || len(blocks) == 0; {
		more, n, err := a.readSome(from, max-lines)
		if err != nil || n == 0 {
			return blocks, err
		}
		blocks = append(blocks, more...)
		lines += n
		last := more[len(more)-1]
		from = last.First + int64(len(last.Lines))
	}
	return blocks, nil
}

// readSome reads from one segment, and at most about readAhead bytes. It returns blocks and how many lines they have.
func (a *Archive) readSome(from int64, max int) ([]Block, int, error) {
	s, marks, end, err := a.find(from)
	if err != nil || s == nil {
		return nil, 0, err
	}
	f, err := a.layer.OpenFile(s.name, os.O_RDONLY, 0)
	if a.gone(err, from) {
		return nil, 0, a.expired(from)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("opening archive segment %s: %w", s.name, err)
	}
	defer f.Close()
	n := blocksWanted(marks, s.first, from, max)
	stop := end
	if n < len(marks) {
		stop = int64(marks[n].offset)
	}
	start := int64(marks[0].offset)
	buf := make([]byte, stop-start)
	if _, err := f.ReadAt(buf, start); err != nil {
		return nil, 0, fmt.Errorf("reading archive segment %s: %w", s.name, err)
	}
	blocks := make([]Block, 0, n)
	lines := 0
	for _, m := range marks[:n] {
		b, err := a.blockAt(s, buf[int64(m.offset)-start:], int64(m.offset))
		if err != nil {
			return nil, 0, &DamageError{s.name, int64(m.offset), err.Error()}
		}
		if skip := from - b.First; skip > 0 && skip < int64(len(b.Lines)) {
			b.Lines, b.First = b.Lines[skip:], from
		}
		lines += len(b.Lines)
		blocks = append(blocks, b)
	}
	return blocks, lines, nil
}

// blocksWanted says how many of the marks to read: at least one, until there are max lines or readAhead bytes.
func blocksWanted(marks []mark, first, from int64, max int) int {
	n := 1
	for n < len(marks) {
		if first+int64(marks[n].line)-from >= int64(max) || marks[n].offset-marks[0].offset >= readAhead {
			break
		}
		n++
	}
	return n
}

// blockAt decodes the block at the head of b.
func (a *Archive) blockAt(s *segment, b []byte, offset int64) (Block, error) {
	h, err := parseHeader(b, s.salt, offset)
	if err != nil {
		return Block{}, err
	}
	if h.kind != kindLines || int64(h.stored) > int64(len(b))-blockHeader {
		return Block{}, errors.New("another block was expected")
	}
	stored := b[blockHeader : blockHeader+h.stored]
	if payloadSum(s.salt, stored) != h.sum {
		return Block{}, errors.New("the checksum of a block's payload is wrong")
	}
	if h.flags&flagZstd == 0 {
		return decodeBatch(h, stored)
	}
	room, _ := a.plain.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	plain, err := unpack(a.open, h, stored, *room)
	if err != nil {
		return Block{}, err
	}
	block, err := decodeBatch(h, plain)
	if cap(plain) <= plainKept {
		*room = plain // a batch copied what it took of it
		a.plain.Put(room)
	}
	return block, err
}

// plainKept is how large a buffer may be that is used again.
const plainKept = 4 << 20

// find returns the segment of a line, the marks from its block on and where the blocks end; no segment when the line
// does not exist yet.
func (a *Archive) find(from int64) (s *segment, marks []mark, end int64, err error) {
	for {
		a.mu.RLock()
		next := a.next
		if i := sort.Search(len(a.segments), func(i int) bool { return a.segments[i].first > from }) - 1; i >= 0 {
			s = a.segments[i]
			marks, end = s.index, s.size
		}
		ready := s != nil && s.indexComplete
		a.mu.RUnlock()
		switch {
		case from >= next:
			return nil, nil, 0, nil
		case s == nil:
			return nil, nil, 0, a.expired(from)
		case ready:
			i := sort.Search(len(marks), func(i int) bool { return s.first+int64(marks[i].line) > from }) - 1
			if i < 0 {
				return nil, nil, 0, &DamageError{s.name, 0, fmt.Sprintf("line %d is not in it", from)}
			}
			return s, marks[i:], end, nil
		}
		if err := a.index(s, from); err != nil {
			return nil, nil, 0, err
		}
		s = nil
	}
}

func (a *Archive) expired(from int64) error {
	return fmt.Errorf("line %d: %w; the oldest is %d", from, ErrExpired, a.First())
}

// gone says whether a segment could not be opened because it expired meanwhile, here or in the process beside which
// this one only reads.
func (a *Archive) gone(err error, from int64) bool {
	return errors.Is(err, fs.ErrNotExist) && (a.options.ReadOnly || a.First() > from)
}

// index reads a sealed segment and keeps where its blocks are.
func (a *Archive) index(s *segment, from int64) error {
	f, err := a.layer.OpenFile(s.name, os.O_RDONLY, 0)
	if a.gone(err, from) {
		return a.expired(from)
	}
	if err != nil {
		return fmt.Errorf("opening archive segment %s: %w", s.name, err)
	}
	defer f.Close()
	t, err := newSegment(s.name, f)
	if err != nil {
		return err
	}
	end, err := scan(t, f, func(h header, offset int64, _ []byte) error { t.seen(h, offset); return nil })
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.salt != s.salt || end != s.size || t.next != s.next {
		return &DamageError{s.name, end, "it is not the file that it was when the archive was opened"}
	}
	s.index, s.indexComplete = t.index, true
	a.remember(s)
	return nil
}

// remember keeps the index of a sealed segment and lets go of the oldest one. Call it with mu held.
func (a *Archive) remember(s *segment) {
	a.indexed = append(slices.DeleteFunc(a.indexed, func(t *segment) bool { return t == s }), s)
	if len(a.indexed) > keptIndexes {
		a.indexed[0].index, a.indexed[0].indexComplete = nil, false
		a.indexed = slices.Delete(a.indexed, 0, 1)
	}
}

// Wait returns nil as soon as line from exists, the error of ctx when that ends before, and ErrClosed when the
// archive is closed meanwhile.
func (a *Archive) Wait(ctx context.Context, from int64) error {
	for {
		a.mu.RLock()
		next, grown, ended := a.next, a.grown, a.ended
		a.mu.RUnlock()
		if next > from {
			return nil
		}
		if ended {
			return ErrClosed
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
