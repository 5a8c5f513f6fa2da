package disk

import "math/rand/v2"

// Crash returns what a power cut at this moment leaves, as a new layer: exactly what was synced. The old layer is not
// changed and may go on.
func (l *Lossy) Crash() *Lossy { return l.crash(nil) }

// CrashSeed returns what a power cut may also leave: of the writes that were not synced, each is kept, lost or torn; of
// the operations on names that were not synced, the first few of each folder are kept. A seed gives the same cut again.
func (l *Lossy) CrashSeed(seed uint64) *Lossy {
	return l.crash(rand.New(rand.NewPCG(seed, 0)))
}

func (l *Lossy) crash(chance *rand.Rand) *Lossy {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := NewLossy()
	c.root = l.root.cut(chance, map[*node]*node{})
	c.free = l.free + l.root.used() - c.root.used()
	return c
}

// used counts the bytes of the files that have a name.
func (n *node) used() int64 {
	sum := int64(len(n.data))
	for _, below := range n.names {
		sum += below.used()
	}
	return sum
}

// cut copies what a cut leaves of n. done keeps a file one file that a rename between folders left with two names.
func (n *node) cut(chance *rand.Rand, done map[*node]*node) *node {
	if c := done[n]; c != nil {
		return c
	}
	if !n.dir {
		c := &node{perm: n.perm, synced: append([]byte(nil), n.synced...)}
		done[n] = c
		if chance != nil {
			for _, change := range n.changes {
				c.synced = change.torn(chance, c.synced)
			}
		}
		c.data = append([]byte(nil), c.synced...)
		return c
	}
	c := newFolder()
	c.perm = n.perm
	done[n] = c
	kept := &node{kept: map[string]*node{}}
	kept.keepMoves([]move{n.kept})
	if chance != nil {
		kept.keepMoves(n.moves[:chance.IntN(len(n.moves)+1)])
	}
	for _, name := range sortedNames(kept.kept) { // in order: chance must fall the same way each time
		c.names[name] = kept.kept[name].cut(chance, done)
		c.kept[name] = c.names[name]
	}
	return c
}

// torn applies c to a file's bytes wholly, in part or not at all.
func (c change) torn(chance *rand.Rand, b []byte) []byte {
	switch chance.IntN(3) {
	case 0:
		return b
	case 1:
		if !c.cut {
			c.data = c.data[:chance.IntN(len(c.data)+1)]
			if len(c.data) == 0 {
				return b
			}
		}
	}
	return c.on(b)
}
