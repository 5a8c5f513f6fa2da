package archive

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// A pending is one batch that waits for its commit, and then what became of it.
type pending struct {
	block  Block // its lines are numbered by the commit
	stored []byte
	plain  int
	flags  byte
	alone  func(healthy bool) error // what to do instead, while nothing is appended

	turn    chan bool // true: lead the next commit; false: done
	receipt record.Receipt
	err     error
	same    *pending // the batch of this commit that it repeats
}

// Append keeps a batch: when it returns without error, lines and positions are on the disk. All that wait at the same time
// share one fsync. A batch with a number that came before from the same start of the same agent is dropped, and its
// first receipt returned; when that is no longer remembered, one without lines.
//
// Errors: ErrFull, nothing was kept, a later try may succeed; ErrTooLarge (MaxLines, MaxBytes, record.MaxLine), split the
// batch; ErrBroken, an earlier write or fsync failed and only opening again helps; ErrClosed; ErrReadOnly. One who
// sends batches that depend on each other's order must not send the next before the last one is kept.
func (a *Archive) Append(b record.Batch) (record.Receipt, error) {
	if a.options.ReadOnly {
		return record.Receipt{}, ErrReadOnly
	}
	if _, err := toNanos(b.Received); err != nil {
		return record.Receipt{}, err
	}
	plain, err := encodeBatch(b)
	if err != nil {
		return record.Receipt{}, err
	}
	p := &pending{plain: len(plain), turn: make(chan bool, 1)}
	p.block = Block{Received: b.Received, Agent: b.Agent, Boot: b.Boot, Number: b.Number, Start: b.Start, Lines: b.Lines, Positions: b.Positions}
	p.stored, p.flags = pack(a.packer, plain)
	if b.Start {
		p.flags |= flagStart
	}
	if !a.enqueue(p, false) {
		return record.Receipt{}, ErrClosed
	}
	return p.receipt, p.err
}

// enqueue waits until p is done, leading when it is p's turn. It returns false when the archive is closed.
func (a *Archive) enqueue(p *pending, last bool) bool {
	a.queue.Lock()
	if a.closed {
		a.queue.Unlock()
		return false
	}
	a.closed = last
	a.waiting = append(a.waiting, p)
	follow := a.leading
	a.leading = true
	a.queue.Unlock()
	if !follow || <-p.turn {
		a.lead(p)
	}
	return true
}

// lead commits what waits, of which own is the first, tells the others, and hands the lead to the next that came meanwhile.
func (a *Archive) lead(own *pending) {
	a.queue.Lock()
	n, size := 0, int64(0)
	for n < len(a.waiting) && (n == 0 || size < a.options.SegmentBytes) && a.waiting[n].alone == nil {
		size += int64(len(a.waiting[n].stored)) + blockHeader
		n++
	}
	group := a.waiting[:max(n, 1)]
	a.waiting = a.waiting[len(group):]
	broken := a.broken
	a.queue.Unlock()

	switch alone := group[0].alone; {
	case alone != nil:
		group[0].err = alone(broken == nil)
		if !errors.Is(group[0].err, ErrFull) {
			broken = group[0].err
		}
	case broken != nil:
		fail(group, fmt.Errorf("%w: %w", ErrBroken, broken))
	default:
		broken = a.commit(group)
	}

	a.queue.Lock()
	if a.broken == nil {
		a.broken = broken
	}
	if len(a.waiting) > 0 {
		a.waiting[0].turn <- true
	} else {
		a.waiting, a.leading = nil, false
	}
	a.queue.Unlock()
	for _, p := range group {
		if p != own {
			p.turn <- false
		}
	}
}

func fail(group []*pending, err error) {
	for _, p := range group {
		p.err = err
	}
}

// commit writes a group with one fsync. The error that it returns breaks the archive.
func (a *Archive) commit(group []*pending) error {
	fresh := a.withoutRepeats(group)
	if len(fresh) == 0 {
		return nil
	}
	fresh = a.withinReserve(fresh)
	var err error
	if len(fresh) > 0 {
		err = a.write(fresh)
	}
	if errors.Is(err, ErrFull) {
		fail(fresh, err)
		err = nil
	}
	if err != nil {
		fail(fresh, fmt.Errorf("%w: %w", ErrBroken, err))
	}
	for _, p := range group {
		if p.same != nil {
			p.receipt, p.err = p.same.receipt, p.same.err
		}
	}
	return err
}

// withoutRepeats gives repeats their receipts and returns the others.
func (a *Archive) withoutRepeats(group []*pending) []*pending {
	type key struct {
		agent, boot string
		number      uint64
	}
	came := make(map[key]*pending)
	var fresh []*pending
	for _, p := range group {
		if r, known := a.state.former(p.block.Agent, p.block.Boot, p.block.Number); known {
			p.receipt = r
			continue
		}
		k := key{p.block.Agent, p.block.Boot, p.block.Number}
		if p.same = came[k]; p.same != nil {
			continue
		}
		if k.number != 0 {
			came[k] = p
		}
		fresh = append(fresh, p)
	}
	return fresh
}

// withinReserve returns the batches for which there is room, and refuses the rest: from the first without room on, so
// that no later batch of a watcher is kept without the one before. The head of a next segment is not counted: it is
// small against any sensible reserve.
func (a *Archive) withinReserve(fresh []*pending) []*pending {
	if a.options.Reserve == 0 {
		return fresh
	}
	free, err := a.layer.Free()
	if err != nil {
		fail(fresh, fmt.Errorf("asking how much the disk can still take: %w", err))
		return nil
	}
	need := a.options.Reserve + 2*blockHeader + fileHeader
	for i, p := range fresh {
		need += uint64(blockHeader + len(p.stored))
		if free < need {
			fail(fresh[i:], fmt.Errorf("%w: %d bytes are free, and %d are kept for the ledger", ErrFull, free, a.options.Reserve))
			return fresh[:i]
		}
	}
	return fresh
}

// write makes the batches durable in the live segment, then lets readers see them.
func (a *Archive) write(fresh []*pending) error {
	if err := a.roll(fresh[0].block.Received.UnixNano()); err != nil {
		return err
	}
	s := a.last()
	type place struct {
		h      header
		offset int64
	}
	var buf []byte
	places := make([]place, len(fresh))
	next := a.next
	for i, p := range fresh {
		h := header{kind: kindLines, flags: p.flags, first: next, count: uint32(len(p.block.Lines)), plain: uint32(p.plain), received: p.block.Received.UnixNano(), synced: s.size}
		places[i] = place{h, s.size + int64(len(buf))}
		buf = appendBlock(buf, s.salt, places[i].offset, h, p.stored)
		p.block.First = next
		next += int64(len(p.block.Lines))
	}
	if err := a.put(s, buf); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, p := range fresh {
		p.receipt = receiptOf(p.block)
		s.seen(places[i].h, places[i].offset)
		a.state.add(p.block, p.receipt)
	}
	s.size += int64(len(buf))
	if next > a.next {
		a.next = next
		close(a.grown)
		a.grown = make(chan struct{})
	}
	return nil
}

// put writes at the end of the live segment and syncs. When the disk is full it takes back what came of the write: then,
// and only when that is durable, the error is ErrFull and the archive is as before.
func (a *Archive) put(s *segment, b []byte) error {
	_, err := a.live.WriteAt(b, s.size)
	if disk.Full(err) {
		if a.live.Truncate(s.size) == nil && a.live.Sync() == nil {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	if err == nil {
		err = a.live.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing archive segment %s: %w", s.name, err)
	}
	return nil
}

func receiptOf(b Block) record.Receipt {
	return record.Receipt{First: b.First, Last: b.First + int64(len(b.Lines)) - 1}
}

// roll sees to it that there is a live segment which may take a batch received now.
func (a *Archive) roll(now int64) error {
	if a.live != nil {
		s := a.last()
		old := s.oldest != noTime && now-s.oldest >= int64(a.options.SegmentAge)
		if s.next == s.first || s.size < a.options.SegmentBytes && !old {
			return nil
		}
		if err := a.seal(s); err != nil {
			return err
		}
	}
	return a.begin()
}

// last returns the newest segment. Only the leader may change what is in it.
func (a *Archive) last() *segment {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.segments[len(a.segments)-1]
}

// seal writes the end of the live segment.
func (a *Archive) seal(s *segment) error {
	end := appendBlock(nil, s.salt, s.size, header{kind: kindEnd, first: s.next, received: s.newest, synced: s.size}, nil)
	if err := a.put(s, end); err != nil {
		return err
	}
	live := a.live
	a.mu.Lock()
	s.size += int64(len(end))
	s.sealed, s.indexComplete = true, true
	a.live = nil
	a.remember(s)
	a.mu.Unlock()
	if err := live.Close(); err != nil {
		return fmt.Errorf("closing archive segment %s: %w", s.name, err)
	}
	return nil
}

// begin makes a segment that holds its head only. It gets its name when it is synced: a file with the name of a
// segment always has a good head.
func (a *Archive) begin() error {
	s := &segment{name: a.nameOf(a.next), first: a.next, next: a.next, oldest: noTime, newest: noTime, indexComplete: true}
	if _, err := io.ReadFull(a.options.Random, s.salt[:]); err != nil {
		return fmt.Errorf("making a salt for archive segment %s: %w", s.name, err)
	}
	plain := a.state.encode()
	stored, flags := pack(a.packer, plain)
	h := header{kind: kindHead, flags: flags, first: s.first, plain: uint32(len(plain))}
	b := appendBlock(append([]byte(fileText), s.salt[:]...), s.salt, fileHeader, h, stored)
	s.size = int64(len(b))
	f, err := a.born(s.name, b)
	if err != nil {
		return fmt.Errorf("beginning archive segment %s: %w", s.name, err)
	}
	a.mu.Lock()
	a.segments = append(a.segments, s)
	a.live = f
	a.mu.Unlock()
	return nil
}

// born writes the first bytes of a segment and returns it open. A full disk leaves nothing behind.
func (a *Archive) born(name string, b []byte) (disk.File, error) {
	temporary := strings.TrimSuffix(name, suffix) + unborn
	f, err := a.layer.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = f.WriteAt(b, 0)
		if err == nil {
			err = f.Sync()
		}
	}
	if disk.Full(err) {
		if f != nil {
			_ = f.Close()
			_ = a.layer.Remove(temporary) // else the next try overwrites it
		}
		return nil, fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err == nil {
		err = a.layer.Rename(temporary, name)
	}
	if err == nil {
		err = a.layer.SyncDir(a.dir)
	}
	return f, err
}

// finish ends appending and tells readers who wait. After it the archive is closed.
func (a *Archive) finish(healthy bool) error {
	var err error
	if a.live != nil {
		s := a.last()
		if healthy {
			rest := appendBlock(nil, s.salt, s.size, header{kind: kindRest, first: s.next, synced: s.size}, nil)
			if err = a.put(s, rest); errors.Is(err, ErrFull) {
				err = nil // the mark only helps to tell damage from a torn tail
			}
		}
		err = errors.Join(err, a.live.Close())
	}
	a.mu.Lock()
	a.live, a.ended = nil, true
	close(a.grown)
	a.mu.Unlock()
	if err != nil {
		return fmt.Errorf("closing the archive: %w", err)
	}
	return nil
}
