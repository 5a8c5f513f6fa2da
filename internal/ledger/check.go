package ledger

import (
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// A FaultKind says in which way a ledger is not what was signed.
type FaultKind string

const (
	Changed FaultKind = "changed" // an entry's bytes are not those that were signed
	Missing FaultKind = "missing" // an entry is gone, or its end is
	Order   FaultKind = "order"   // an entry stands in another's place
	Head    FaultKind = "head"    // the head is missing, unreadable, or not signed by the ledger's key
	Cut     FaultKind = "cut"     // a copy of the head knows of more entries
	Forked  FaultKind = "forked"  // a copy of the head knows of other entries
)

// A Fault is damage or tampering: what is wrong, with which entry, and how to mend it.
type Fault struct {
	Kind  FaultKind
	Entry int64 // the first bad one; 0 when it is not an entry, or cannot be told
	Text  string
	Mend  string
}

func (f *Fault) Error() string {
	return "the ledger is damaged: " + f.Text + "; to mend it: " + f.Mend
}

const (
	mendEntries = "put the ledger's folder back from a backup, or the bad lines from an export, then run tocsin ledger verify; keep the damaged files as evidence"
	mendHead    = "put the newest copy of the head (agents and backups keep one) in its place, then run tocsin ledger verify; keep the damaged file as evidence"
)

func headFault(err error) error { return &Fault{Kind: Head, Text: err.Error(), Mend: mendHead} }

// A badLine is where reading the entries stopped to make sense.
type badLine struct {
	n   int64 // the entry that should be there; 0: each is an entry in order, but together they are not what was signed
	of  int64 // how many there should be
	err error // of parse or lines.next
}

func (b *badLine) Error() string { return fmt.Sprintf("entry %d: %v", b.n, b.err) }

// A found is what scan made of the entries.
type found struct {
	edge  edge
	marks []int64
	bytes int64     // of the entries, line ends included
	last  time.Time // when the newest was written
	first time.Time
}

// scan reads the entries up to head, hands each to visit, and compares the hash over all with the head's. A *badLine is
// its error for whatever is not as signed. It is the one way in which entries are checked: at start, by Verify and by Export.
//
// visit hears of entries before the hash over all of them is known; their bodies and lines are good until it returns. When it
// refuses one, the rest is read without it: that an entry was changed is the better answer.
//
// What comes before visit (reading, hashing, decode and tree, each of which may be nil) is done by another goroutine, a few hundred lines ahead: at a
// start that is half of the work. tree hears the hashes that the tree file must hold, piece by piece.
func scan(f io.ReaderAt, head entry.Head, decode func(*entry.Entry), tree func(hashes []byte), visit func(e entry.Entry, line []byte) error) (*found, error) {
	r := &found{}
	full, empty := make(chan *chunk, chunks), make(chan *chunk, chunks)
	for range chunks {
		empty <- &chunk{}
	}
	var err error
	go func() {
		defer close(full)
		err = r.read(f, head, decode, tree, full, empty)
	}()
	var refused error
	for c := range full {
		for k := range c.entries {
			if e := &c.entries[k]; refused == nil {
				if err := visit(*e, c.lines[k]); err != nil {
					refused = fmt.Errorf("entry %d of the ledger (%.40q): %w", e.N, e.Kind, err)
				}
			}
		}
		empty <- c
	}
	if err != nil {
		return r, err
	}
	if r.edge.root() != head.Root {
		return r, &badLine{of: head.Size}
	}
	return r, refused
}

// A chunk is some lines that were read ahead, with what was made of them.
type chunk struct {
	bytes   []byte
	lines   [][]byte
	entries []entry.Entry
}

const (
	chunks     = 4         // under way
	chunkBytes = 128 << 10 // in one, or more if a single line has more
)

// add copies a line; ok is false when it has no room.
func (c *chunk) add(line []byte) (kept []byte, ok bool) {
	if len(c.bytes)+len(line) > cap(c.bytes) {
		if len(c.lines) > 0 {
			return nil, false
		}
		c.bytes = make([]byte, 0, max(chunkBytes, len(line)))
	}
	at := len(c.bytes)
	c.bytes = append(c.bytes, line...)
	kept = c.bytes[at:len(c.bytes):len(c.bytes)]
	c.lines = append(c.lines, kept)
	return kept, true
}

// read fills empty chunks until all is read or something is wrong.
func (r *found) read(f io.ReaderAt, head entry.Head, decode func(*entry.Entry), tree func(hashes []byte), full, empty chan *chunk) error {
	in := newLines(f, 0)
	var words entry.Words
	var hashes []byte
	c := <-empty
	defer func() { full <- c }()
	for n := int64(1); n <= head.Size; n++ {
		at := in.at
		line, err := in.next()
		var e entry.Entry
		if err == nil {
			kept, ok := c.add(line)
			if !ok {
				full <- c
				c = <-empty
				c.bytes, c.lines, c.entries = c.bytes[:0], c.lines[:0], c.entries[:0]
				kept, _ = c.add(line)
			}
			if e, err = parse(kept, n, &words); err != nil {
				c.lines = c.lines[:len(c.lines)-1]
			}
		}
		if err != nil {
			if lineError(err) {
				err = &badLine{n: n, of: head.Size, err: err}
			}
			return err
		}
		if decode != nil {
			decode(&e)
		}
		c.entries = append(c.entries, e)
		if (n-1)%markEvery == 0 {
			r.marks = append(r.marks, at)
		}
		if n == 1 {
			r.first = e.Time
		}
		r.last = e.Time
		hashes = r.edge.add(line, hashes[:0])
		if tree != nil {
			tree(hashes)
		}
	}
	r.bytes = in.at
	return nil
}

// roomAtOnce is how many bytes a number in a file may make us reserve before anything was read: those of the hashes of half a million entries.
const roomAtOnce = 32 << 20

// collected is a list of hashes with room for a whole tree, and the func that fills it.
func collected(head entry.Head) (stored *[]byte, tree func(hashes []byte)) {
	all := make([]byte, 0, min(treeBytes(head.Size), roomAtOnce)) // a head can claim any size
	return &all, func(hashes []byte) { all = append(all, hashes...) }
}

// locate says which entry is the first bad one. bad is what scan stumbled over, which may come after a change that still
// reads as an entry; the tree file knows the hash of each entry, and the signed head vouches for the tree file.
func locate(l disk.Layer, dir string, head entry.Head, bad *badLine) error {
	tree, err := disk.ReadFile(l, path.Join(dir, treeName))
	if err != nil {
		tree = nil // derived, and only makes the answer more exact
	}
	f, err := l.OpenFile(path.Join(dir, entriesName), os.O_RDONLY, 0)
	if err != nil {
		return structural(bad)
	}
	defer f.Close()
	is, end := hashes(f)
	should := leaves(tree, head.Size)
	if k := int64(len(should)); k < head.Size && int64(len(is)) >= head.Size {
		should = append(should, is[k:head.Size]...) // the tree file is not synced at each append: its end may be missing
	}
	if int64(len(should)) < head.Size || rootOf(should) != head.Root {
		return structural(bad)
	}
	k := 0
	for k < len(is) && k < len(should) && is[k] == should[k] {
		k++
	}
	if k == len(should) {
		return fmt.Errorf("entry %d of the ledger stands as it was signed, but this program cannot read it: %w; use the version of tocsin that wrote it, or a newer one", bad.n, bad.err)
	}
	return name(f, k, is, should, end)
}

// hashes returns the hash of each line of the file, and why it ended.
func hashes(f io.ReaderAt) (list []tlog.Hash, end error) {
	in := newLines(f, 0)
	for {
		line, err := in.next()
		if err != nil {
			return list, err
		}
		list = append(list, tlog.RecordHash(line))
	}
}

func rootOf(leaves []tlog.Hash) tlog.Hash {
	var e edge
	var stored []byte
	for _, h := range leaves {
		stored = e.addHash(h, stored[:0])
	}
	return e.root()
}

// name words what is wrong at line k (from 0), the first whose hash is not the one that it should be.
func name(f io.ReaderAt, k int, is, should []tlog.Hash, end error) error {
	n := int64(k) + 1
	of := int64(len(should))
	if k >= len(is) {
		return structural(&badLine{n: n, of: of, err: end})
	}
	later := slices.Contains(is[k+1:], should[k])
	switch other := slices.Index(should, is[k]); {
	case other > k && !later:
		return structural(&badLine{n: n, of: of, err: wrongNumber(other + 1)})
	case other >= 0:
		return &Fault{Kind: Order, Entry: n, Text: fmt.Sprintf("entry %d stands in the place of entry %d", other+1, n), Mend: mendEntries}
	case later:
		return &Fault{Kind: Order, Entry: n, Text: fmt.Sprintf("a line that was never signed stands in the place of entry %d, which comes later", n), Mend: mendEntries}
	}
	text := fmt.Sprintf("entry %d of %d was changed", n, of)
	in := newLines(f, 0)
	for range k {
		if _, err := in.next(); err != nil {
			break
		}
	}
	if line, err := in.next(); err == nil {
		if _, err := parse(line, n, nil); err != nil {
			text += ": " + err.Error()
		}
	}
	return &Fault{Kind: Changed, Entry: n, Text: text, Mend: mendEntries}
}

// structural words what is wrong when only the lines themselves can tell.
func structural(b *badLine) error {
	fault := &Fault{Entry: b.n, Mend: mendEntries}
	wrong, isWrong := b.err.(wrongNumber)
	switch {
	case b.n == 0:
		fault.Kind = Changed
		fault.Text = fmt.Sprintf("one of its %d entries or more was changed; which one cannot be told, as the file %s is missing or changed too", b.of, treeName)
	case b.err == io.EOF && b.n == b.of:
		fault.Kind, fault.Text = Missing, fmt.Sprintf("entry %d, the last one, is missing", b.n)
	case b.err == io.EOF:
		fault.Kind, fault.Text = Missing, fmt.Sprintf("entries %d to %d are missing at the end of the file", b.n, b.of)
	case b.err == errTorn:
		fault.Kind, fault.Text = Missing, fmt.Sprintf("entry %d of %d is cut off: %v", b.n, b.of, b.err)
	case isWrong && int64(wrong) > b.n:
		fault.Kind, fault.Text = Missing, fmt.Sprintf("entry %d is missing: entry %d stands in its place", b.n, int64(wrong))
	case isWrong:
		fault.Kind, fault.Text = Order, fmt.Sprintf("entry %d stands in the place of entry %d", int64(wrong), b.n)
	default:
		fault.Kind, fault.Text = Changed, fmt.Sprintf("entry %d of %d was changed: %v", b.n, b.of, b.err)
	}
	return fault
}
