package ledger

import (
	"fmt"
	"path"
	"slices"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// Append numbers the drafts, writes them as entries in one write, and returns once they and the new head are durable:
// all of them or, as far as anybody was told, none.
//
// now is written into the entries and means nothing to the ledger: it may run backwards. A draft that cannot be an
// entry (no actor, no kind, a body that does not encode or is larger than MaxLine) is an error before anything is
// written, and harmless. After any other error the Ledger is broken and answers ErrBroken from then on.
func (g *Ledger) Append(now time.Time, drafts ...entry.Draft) ([]entry.Entry, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.broken != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, g.broken)
	}
	if len(drafts) == 0 {
		return nil, nil
	}
	b, err := g.makeBatch(now, drafts)
	if err != nil {
		return nil, err
	}
	if err := g.write(b); err != nil {
		g.broken = err
		return nil, fmt.Errorf("writing to the ledger: %w", err)
	}
	g.edge = b.edge
	g.now.Store(b.state)
	return b.entries, nil
}

// A batch is what one append will have changed.
type batch struct {
	entries []entry.Entry
	lines   []byte
	hashes  []byte // for the tree file, at treeAt
	treeAt  int64
	edge    edge
	state   *state
}

func (g *Ledger) makeBatch(now time.Time, drafts []entry.Draft) (*batch, error) {
	was := g.now.Load()
	next := *was
	b := &batch{edge: g.edge.clone(), treeAt: treeBytes(was.head.Size), state: &next}
	for _, d := range drafts {
		if d.Actor == "" || d.Kind == "" {
			return nil, fmt.Errorf("an entry needs an actor and a kind, not %q and %q", d.Actor, d.Kind)
		}
		e, line, err := entry.Make(next.head.Size+1, now, d)
		if err != nil {
			return nil, fmt.Errorf("making entry %d: %w", next.head.Size+1, err)
		}
		if len(line) > MaxLine {
			return nil, fmt.Errorf("making entry %d (%s): it has %d bytes, the limit is %d", e.N, e.Kind, len(line), MaxLine)
		}
		if next.head.Size%markEvery == 0 {
			next.marks = append(next.marks, next.bytes)
		}
		b.entries = append(b.entries, e)
		b.lines = append(append(b.lines, line...), '\n')
		b.hashes = b.edge.add(line, b.hashes)
		next.bytes += int64(len(line)) + 1
		next.head.Size++
	}
	next.head.Root = b.edge.root()
	var err error
	next.signed, err = entry.SignHead(next.head, g.key.signer)
	if err != nil {
		return nil, fmt.Errorf("signing the head of the ledger: %w", err)
	}
	return b, nil
}

// write makes b durable. A crash before the head is replaced leaves lines beyond it, which the next Open moves aside; a
// crash during the replacement leaves the old head or the new one. No sync is tried twice: the caller is broken then.
func (g *Ledger) write(b *batch) error {
	if _, err := g.entries.Write(b.lines); err != nil {
		return err
	}
	if err := g.entries.Sync(); err != nil {
		return err
	}
	if _, err := g.tree.WriteAt(b.hashes, b.treeAt); err != nil {
		return err
	}
	return disk.Replace(g.layer, path.Join(g.dir, headName), b.state.signed)
}

// Prove shows that today's head extends the one of size entries that somebody else keeps. It returns the head that the
// proof is for; entry.Head.Extends checks it.
func (g *Ledger) Prove(size int64) (entry.Head, entry.Proof, error) {
	now := g.now.Load()
	proof, err := g.proveTo(now.head, size)
	return now.head, proof, err
}

// ProveSigned is Prove with the head as it is signed.
func (g *Ledger) ProveSigned(size int64) ([]byte, entry.Proof, error) {
	now := g.now.Load()
	proof, err := g.proveTo(now.head, size)
	return now.signed, proof, err
}

func (g *Ledger) proveTo(head entry.Head, size int64) (entry.Proof, error) {
	if size < 0 || size > head.Size {
		return nil, fmt.Errorf("proving a head of %d entries: the ledger has %d", size, head.Size)
	}
	g.mu.Lock() // the file must stay open
	defer g.mu.Unlock()
	if g.tree == nil {
		return nil, fmt.Errorf("proving a head: the ledger is closed")
	}
	proof, err := prove(g.tree, head.Size, size)
	return slices.Clip(proof), err
}
