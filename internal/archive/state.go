package archive

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"tocsin/internal/record"
)

// What is remembered of batches, so that repeats are known.
const (
	keptReceipts = 64 // receipts per start of an agent
	keptBoots    = 16 // starts per agent, by last use; batches of older ones are no longer known as repeats
)

// state is what must outlive the segments it came in. Each segment begins with a copy of it.
type state struct {
	positions map[fileKey]record.Position
	started   map[fileKey]int64  // nanoseconds since 1970
	boots     map[string][]*boot // by agent, least recently used first
}

type fileKey struct{ agent, file string }

// A boot is one start of an agent, and which of its batches came.
type boot struct {
	id       string
	seen     []span // ascending, apart from each other by at least one number
	receipts []kept // oldest first
}

// A span is numbers from low to high.
type span struct{ low, high uint64 }

type kept struct {
	number  uint64
	receipt record.Receipt
}

func newState() *state {
	return &state{
		positions: make(map[fileKey]record.Position),
		started:   make(map[fileKey]int64),
		boots:     make(map[string][]*boot),
	}
}

// former returns the receipt of a batch that came before. One whose receipt is no longer remembered has no lines in it.
func (s *state) former(agent, id string, number uint64) (record.Receipt, bool) {
	if number == 0 {
		return record.Receipt{}, false
	}
	for _, b := range s.boots[agent] {
		if b.id != id {
			continue
		}
		for _, k := range b.receipts {
			if k.number == number {
				return k.receipt, true
			}
		}
		i, _ := slices.BinarySearchFunc(b.seen, number, func(s span, n uint64) int { return cmp.Compare(s.high, n) })
		if i < len(b.seen) && b.seen[i].low <= number {
			return record.Receipt{First: 1, Last: 0}, true
		}
	}
	return record.Receipt{}, false
}

// add takes in a batch that is durable.
func (s *state) add(b Block, r record.Receipt) {
	for _, p := range b.Positions {
		s.positions[fileKey{b.Agent, p.File}] = p
	}
	if b.Start {
		at := b.Received.UnixNano()
		for _, p := range b.Positions {
			s.start(fileKey{b.Agent, p.File}, at)
		}
		for _, l := range b.Lines {
			s.start(fileKey{b.Agent, l.File}, at)
		}
	}
	if b.Number != 0 {
		s.boot(b.Agent, b.Boot).add(b.Number, r)
	}
}

func (s *state) start(k fileKey, at int64) {
	if _, ok := s.started[k]; !ok {
		s.started[k] = at
	}
}

// boot returns the boot of an agent as the one used last, new when it is not known.
func (s *state) boot(agent, id string) *boot {
	all := s.boots[agent]
	b := &boot{id: id}
	if i := slices.IndexFunc(all, func(b *boot) bool { return b.id == id }); i >= 0 {
		b = all[i]
		all = slices.Delete(all, i, i+1)
	}
	all = append(all, b)
	if len(all) > keptBoots {
		all = slices.Delete(all, 0, len(all)-keptBoots)
	}
	s.boots[agent] = all
	return b
}

func (b *boot) add(number uint64, r record.Receipt) {
	b.receipts = append(b.receipts, kept{number, r})
	if len(b.receipts) > keptReceipts {
		b.receipts = slices.Delete(b.receipts, 0, len(b.receipts)-keptReceipts)
	}
	i, _ := slices.BinarySearchFunc(b.seen, number, func(s span, n uint64) int { return cmp.Compare(s.high, n) })
	if i < len(b.seen) && b.seen[i].low <= number {
		return
	}
	b.seen = slices.Insert(b.seen, i, span{number, number})
	if i+1 < len(b.seen) && b.seen[i+1].low == number+1 {
		b.seen[i].high = b.seen[i+1].high
		b.seen = slices.Delete(b.seen, i+1, i+2)
	}
	if i > 0 && b.seen[i-1].high+1 == number {
		b.seen[i-1].high = b.seen[i].high
		b.seen = slices.Delete(b.seen, i, i+1)
	}
}

// encode returns the payload of a head:
//
//	strings    as in a batch
//	positions  n, then n times: agent, file, print (places), print length, offset (signed)
//	started    n, then n times: agent, file (places), nanoseconds (signed)
//	boots      n, then n times: agent, boot (places), spans, receipts
//	spans      n, then n times: low less the high before, high less low
//	receipts   n, then n times: number, first (signed), last less first (signed)
//
// Positions and starts are sorted by agent and file, boots by agent and last use: equal states have equal bytes.
func (s *state) encode() []byte {
	w := record.Packer{}
	w.Uint(uint64(len(s.positions)))
	for _, k := range slices.SortedFunc(maps.Keys(s.positions), fileKey.compare) {
		p := s.positions[k]
		w.Text(k.agent)
		w.Text(k.file)
		w.Text(p.Print)
		w.Int(p.PrintLen)
		w.Int(p.Offset)
	}
	w.Uint(uint64(len(s.started)))
	for _, k := range slices.SortedFunc(maps.Keys(s.started), fileKey.compare) {
		w.Text(k.agent)
		w.Text(k.file)
		w.Int(s.started[k])
	}
	n := 0
	for _, all := range s.boots {
		n += len(all)
	}
	w.Uint(uint64(n))
	for _, agent := range slices.Sorted(maps.Keys(s.boots)) {
		for _, b := range s.boots[agent] {
			w.Text(agent)
			w.Text(b.id)
			packBoot(&w, b)
		}
	}
	return w.Finish(0)
}

func (k fileKey) compare(o fileKey) int {
	return cmp.Or(cmp.Compare(k.agent, o.agent), cmp.Compare(k.file, o.file))
}

func packBoot(w *record.Packer, b *boot) {
	w.Uint(uint64(len(b.seen)))
	var before uint64
	for _, s := range b.seen {
		w.Uint(s.low - before)
		w.Uint(s.high - s.low)
		before = s.high
	}
	w.Uint(uint64(len(b.receipts)))
	for _, k := range b.receipts {
		w.Uint(k.number)
		w.Int(k.receipt.First)
		w.Int(k.receipt.Last - k.receipt.First)
	}
}

// decodeState is encode backwards.
func decodeState(plain []byte) (*state, error) {
	r, err := record.NewUnpacker(plain)
	if err != nil {
		return nil, err
	}
	s := newState()
	for range r.Count(5) {
		k := fileKey{r.Text(), r.Text()}
		s.positions[k] = record.Position{File: k.file, Print: r.Text(), PrintLen: r.Int(), Offset: r.Int()}
	}
	for range r.Count(3) {
		k := fileKey{r.Text(), r.Text()}
		s.started[k] = r.Int()
	}
	for range r.Count(4) {
		agent := r.Text()
		b := &boot{id: r.Text()}
		unpackBoot(r, b)
		s.boots[agent] = append(s.boots[agent], b)
	}
	if r.Err() == nil && r.Rest() != "" {
		r.Fail(errors.New("the head has bytes after its end"))
	}
	return s, r.Err()
}

func unpackBoot(r *record.Unpacker, b *boot) {
	var before uint64
	for range r.Count(2) {
		low := before + r.Uint()
		high := low + r.Uint()
		if (low < before || high < low || len(b.seen) > 0 && low < before+2) && r.Err() == nil {
			r.Fail(errors.New("the head has spans of batches that cannot be"))
		}
		b.seen = append(b.seen, span{low, high})
		before = high
	}
	for range r.Count(3) {
		k := kept{number: r.Uint()}
		k.receipt.First = r.Int()
		k.receipt.Last = k.receipt.First + r.Int()
		b.receipts = append(b.receipts, k)
	}
}
