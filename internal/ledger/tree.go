package ledger

import (
	"fmt"
	"io"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"tocsin/internal/entry"
)

// An edge is the right edge of the Merkle tree: the roots of its perfect subtrees, largest first. It is all that an
// append needs, so memory does not grow with the ledger. The hashes are those of RFC 6962, section 2.1.
type edge struct {
	size  int64
	peaks []tlog.Hash // one for each bit that is set in size
}

func (e *edge) clone() edge { return edge{size: e.size, peaks: slices.Clone(e.peaks)} }

// add puts the next line into the tree and appends to stored the hashes that it completes, in tlog's stored order.
func (e *edge) add(line []byte, stored []byte) []byte {
	return e.addHash(tlog.RecordHash(line), stored)
}

func (e *edge) addHash(h tlog.Hash, stored []byte) []byte {
	stored = append(stored, h[:]...)
	for i := e.size; i&1 == 1; i >>= 1 {
		h = tlog.NodeHash(e.peaks[len(e.peaks)-1], h)
		e.peaks = e.peaks[:len(e.peaks)-1]
		stored = append(stored, h[:]...)
	}
	e.peaks = append(e.peaks, h)
	e.size++
	return stored
}

// edgeAt is the edge when the ledger had n entries, from the stored hashes of it or of a later one.
func edgeAt(stored []byte, n int64) edge {
	e := edge{size: n}
	for done := int64(0); done < n; {
		level := bits.Len64(uint64(n-done)) - 1
		at := tlog.StoredHashIndex(level, done>>level) * tlog.HashSize
		e.peaks = append(e.peaks, tlog.Hash(stored[at:at+tlog.HashSize]))
		done += 1 << level
	}
	return e
}

// root is the hash over the whole tree.
func (e *edge) root() tlog.Hash {
	if e.size == 0 {
		h, _ := tlog.TreeHash(0, nil) // SHA-256 of nothing; needs no reader and cannot fail
		return h
	}
	h := e.peaks[len(e.peaks)-1]
	for _, p := range slices.Backward(e.peaks[:len(e.peaks)-1]) {
		h = tlog.NodeHash(p, h)
	}
	return h
}

// treeBytes is the length of the tree file for n entries.
func treeBytes(n int64) int64 { return tlog.StoredHashCount(n) * tlog.HashSize }

// prove builds the proof that the tree of size now extends the one of size then, from the tree file.
func prove(tree io.ReaderAt, now, then int64) (entry.Proof, error) {
	if then == 0 || then == now {
		return nil, nil
	}
	return tlog.ProveTree(now, then, tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(at))
		for i, n := range at {
			if _, err := tree.ReadAt(hashes[i][:], n*tlog.HashSize); err != nil {
				return nil, fmt.Errorf("reading the tree of the ledger: %w", err)
			}
		}
		return hashes, nil
	}))
}

// leaves picks the hashes of single entries out of a tree file: at most max, fewer when the file is shorter. Zeros at
// the end, which a power cut may leave, do not count.
func leaves(tree []byte, max int64) []tlog.Hash {
	var list []tlog.Hash
	for n := range max {
		at := tlog.StoredHashIndex(0, n) * tlog.HashSize
		if at+tlog.HashSize > int64(len(tree)) {
			break
		}
		list = append(list, tlog.Hash(tree[at:at+tlog.HashSize]))
	}
	for len(list) > 0 && list[len(list)-1] == (tlog.Hash{}) {
		list = list[:len(list)-1]
	}
	return list
}
