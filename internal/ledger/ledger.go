// Package ledger keeps the entries: what we would tell a court, and what decides what we do next.
//
// It is a folder of three files (byte by byte in doc/formats/ledger.md):
//
//	entries.jsonl   one entry a line, only ever appended to
//	head            the signed head: how many of these lines count, and the hash over all of them
//	tree            the hashes of the Merkle tree, 32 bytes each, so that a changed entry can be named
//
// and of side files cut-<unix time>.jsonl with what was cut from the end of entries.jsonl at a start.
//
// An append writes its lines and syncs them, then replaces the head and syncs that, and only then returns. So a line
// beyond the head was never acknowledged: a crash left it, and the next Open moves it to a side file and says so.
// Everything up to the head must be there unchanged. Whatever else is found is damage or tampering: Open then refuses
// with a *Fault that names the first bad entry and the way to mend it. An empty ledger has a head too, of size 0;
// entries without a head are damage, not a new ledger.
//
// The tree file is derived. It is not synced at each append, and written anew when it does not fit entries that the
// signed head vouches for.
//
// One Ledger writes (the caller holds the folder's lock); Read, Verify and Export work beside it without a lock, because
// they take the head first and look no further than it tells. Storage knows no meaning: what a kind is, and whether
// the clock jumped, is the caller's matter. Order is the number alone, never the time.
package ledger

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// The names of the files in a ledger's folder. They are for ever.
const (
	entriesName = "entries.jsonl"
	headName    = "head"
	treeName    = "tree"
	cutName     = "cut-%d.jsonl" // Unix time in seconds
)

// MaxLine is the most bytes that an entry may have on disk.
const MaxLine = 1 << 20

// ErrBroken is what a Ledger answers after a failed write or sync: what is on disk is then uncertain, so it takes no
// more. Close it, mend the cause (a full disk, mostly), Open it again and fold from the beginning.
var ErrBroken = errors.New("the ledger takes no more entries since a write failed")

// Options of Open.
type Options struct {
	Now    time.Time          // names the side file of a cut tail; the zero time means the clock
	Decode func(*entry.Entry) // is called with each entry before apply, ahead of it in another goroutine; may be nil
}

// Opened says what Open found.
type Opened struct {
	Entries     int64  // in the ledger
	Bytes       int64  // of entries.jsonl
	New         bool   // the ledger was made
	CutBytes    int64  // at the end, never acknowledged: moved to CutFile
	CutEntries  int64  // whole lines in them
	CutFile     string // name in the ledger's folder; "" when nothing was cut
	TreeRebuilt bool   // the derived file tree was missing or did not fit, as after a power cut
}

// String says it in words, for the log of a start.
func (o Opened) String() string {
	switch {
	case o.New:
		return "a new ledger was made"
	case o.CutFile == "":
		return fmt.Sprintf("the ledger holds %d entries and is as it was signed", o.Entries)
	}
	return fmt.Sprintf("the ledger holds %d entries and is as it was signed; %d bytes (%d whole entries) behind them were never acknowledged, a crash left them: moved to %s",
		o.Entries, o.CutBytes, o.CutEntries, o.CutFile)
}

// A Ledger is open for appending. It is safe for use by several goroutines.
type Ledger struct {
	layer disk.Layer
	dir   string
	key   Key

	now atomic.Pointer[state] // what is acknowledged; readers look at nothing else

	mu      sync.Mutex // one append at a time; guards what follows
	entries disk.File
	tree    disk.File
	edge    edge
	broken  error
}

// A state is the ledger at one moment. It never changes.
type state struct {
	head   entry.Head
	signed []byte
	bytes  int64   // of entries.jsonl up to the head
	marks  []int64 // where each markEvery-th line begins, so that a reader need not start at the beginning
}

const markEvery = 128

// Open opens the ledger in the folder dir of l, or makes it when neither entries nor a head are there, checks every
// entry against the signed head, and hands each to apply in order. The Body of an entry is good until apply returns.
//
// An error of damage is a *Fault; what apply was told before it is then worth nothing. An error of apply (this
// program is older than its ledger) stops with the entry's number.
func Open(l disk.Layer, dir string, key Key, apply func(entry.Entry) error, o Options) (*Ledger, Opened, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	g := &Ledger{layer: l, dir: dir, key: key}
	opened, err := g.open(apply, o.Decode, o.Now)
	if err != nil {
		g.closeFiles()
		return nil, opened, err
	}
	return g, opened, nil
}

func (g *Ledger) open(apply func(entry.Entry) error, decode func(*entry.Entry), now time.Time) (Opened, error) {
	signed, made, err := g.readOrMakeHead()
	if err != nil {
		return Opened{}, err
	}
	head, err := entry.OpenHead(signed, g.key.Public())
	if err != nil {
		return Opened{}, headFault(err)
	}
	name := path.Join(g.dir, entriesName)
	if _, err := g.layer.Stat(name); errors.Is(err, fs.ErrNotExist) && head.Size > 0 { // before OpenAppend would make it
		return Opened{}, structural(&badLine{n: 1, of: head.Size, err: io.EOF})
	}
	if g.entries, err = disk.OpenAppend(g.layer, name); err != nil {
		return Opened{}, fmt.Errorf("opening the ledger: %w", err)
	}
	tree := g.storedTree()
	found, err := scan(g.entries, head, decode, tree.compare, func(e entry.Entry, _ []byte) error { return apply(e) })
	tree.close()
	if bad, ok := errors.AsType[*badLine](err); ok {
		return Opened{}, locate(g.layer, g.dir, head, bad)
	}
	if err != nil {
		return Opened{}, err
	}
	opened := Opened{Entries: head.Size, Bytes: found.bytes, New: made}
	if err := g.cutTail(found.bytes, now, &opened); err != nil {
		return opened, fmt.Errorf("opening the ledger: moving aside what was never acknowledged at its end: %w; nothing is lost, free space on this disk and start again", err)
	}
	if opened.TreeRebuilt, err = g.openTree(tree, head.Size); err != nil {
		return opened, fmt.Errorf("opening the ledger: %w", err)
	}
	opened.TreeRebuilt = opened.TreeRebuilt && !made
	g.edge = found.edge
	g.now.Store(&state{head: head, signed: signed, bytes: found.bytes, marks: found.marks})
	return opened, nil
}

// readOrMakeHead returns the signed head. Making a ledger begins with the head of no entries: else a crash in the first
// append would leave entries without a head, which is what tampering looks like.
func (g *Ledger) readOrMakeHead() (signed []byte, made bool, err error) {
	signed, err = readHead(g.layer, g.dir)
	if !errors.Is(err, errNoLedger) {
		return signed, false, err
	}
	if err := g.layer.MkdirAll(g.dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("making the ledger: %w", err)
	}
	if err := syncAbove(g.layer, g.dir); err != nil {
		return nil, false, fmt.Errorf("making the ledger: %w", err)
	}
	head := entry.Head{Origin: g.key.Origin(), Root: (&edge{}).root()}
	if signed, err = entry.SignHead(head, g.key.signer); err != nil {
		return nil, false, fmt.Errorf("making the ledger: %w", err)
	}
	if err := disk.Replace(g.layer, path.Join(g.dir, headName), signed); err != nil {
		return nil, false, fmt.Errorf("making the ledger: %w", err)
	}
	return signed, true, nil
}

// errNoLedger means that neither a head nor an entry is there.
var errNoLedger = errors.New("there is no ledger in this folder")

// readHead reads the signed head, unchecked. A head without its entries and entries without their head are faults.
func readHead(l disk.Layer, dir string) ([]byte, error) {
	signed, err := disk.ReadFile(l, path.Join(dir, headName))
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return nil, fmt.Errorf("reading the head of the ledger: %w", err)
	}
	if !missing {
		return signed, nil
	}
	st, err := l.Stat(path.Join(dir, entriesName))
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.Size() == 0 {
		return nil, errNoLedger
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the entries of the ledger: %w", err)
	}
	return nil, &Fault{Kind: Head, Text: fmt.Sprintf("the file %s is missing, though there are entries", headName), Mend: mendHead}
}

// syncAbove syncs every folder above dir, so that the name of a new folder stays.
func syncAbove(l disk.Layer, dir string) error {
	for dir != "." {
		dir = path.Dir(dir)
		if err := l.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// cutTail moves what stands behind the last acknowledged line to a side file. If we crash between the two steps, the
// next start moves it once more, to another file: twice kept is better than not.
func (g *Ledger) cutTail(end int64, now time.Time, opened *Opened) error {
	st, err := g.entries.Stat()
	if err != nil || st.Size() == end {
		return err
	}
	tail := make([]byte, st.Size()-end)
	if _, err := g.entries.ReadAt(tail, end); err != nil {
		return err
	}
	opened.CutBytes = int64(len(tail))
	opened.CutEntries = countLines(tail)
	name, err := g.freeName(now)
	if err != nil {
		return err
	}
	if err := disk.Replace(g.layer, path.Join(g.dir, name), tail); err != nil {
		return err
	}
	opened.CutFile = name
	if err := g.entries.Truncate(end); err != nil {
		return err
	}
	return g.entries.Sync()
}

// freeName finds a name for a side file: two cuts may fall into one second.
func (g *Ledger) freeName(now time.Time) (string, error) {
	for at := now.Unix(); ; at++ {
		name := fmt.Sprintf(cutName, at)
		_, err := g.layer.Stat(path.Join(g.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// A storedTree is the tree file at a start. It is compared with the entries while these are read, so that neither lies in memory as a whole.
type storedTree struct {
	f    disk.File
	r    *bufio.Reader
	part []byte
	fits bool // so far
	err  error
}

func (g *Ledger) storedTree() *storedTree {
	f, err := g.layer.OpenFile(path.Join(g.dir, treeName), os.O_RDONLY, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return &storedTree{err: err}
	}
	return &storedTree{f: f, r: bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), 16<<10), fits: true}
}

// compare takes the next hashes that must be there.
func (t *storedTree) compare(hashes []byte) {
	if !t.fits {
		return
	}
	t.part = append(t.part[:0], hashes...)
	_, err := io.ReadFull(t.r, t.part)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		t.err = err
	}
	t.fits = err == nil && bytes.Equal(t.part, hashes)
}

func (t *storedTree) close() {
	if t.f != nil {
		_ = t.f.Close()
	}
}

// openTree opens the tree file for writing, after making it what it must be for so many entries.
func (g *Ledger) openTree(t *storedTree, size int64) (rebuilt bool, err error) {
	if t.err != nil {
		return false, t.err
	}
	name := path.Join(g.dir, treeName)
	if !t.fits {
		stored, err := g.hashAgain(size)
		if err == nil {
			err = disk.Replace(g.layer, name, stored)
		}
		if err != nil {
			return false, err
		}
	}
	if g.tree, err = g.layer.OpenFile(name, os.O_RDWR, 0); err != nil {
		return false, err
	}
	st, err := g.tree.Stat()
	if end := treeBytes(size); err == nil && st.Size() > end { // hashes of the tail that was cut
		err = g.tree.Truncate(end)
	}
	return !t.fits, err
}

// hashAgain returns what the tree file must hold for so many entries, which are good.
func (g *Ledger) hashAgain(size int64) ([]byte, error) {
	var e edge
	stored := make([]byte, 0, treeBytes(size))
	in := newLines(g.entries, 0)
	for range size {
		line, err := in.next()
		if err != nil {
			return nil, err
		}
		stored = e.add(line, stored)
	}
	return stored, nil
}

// Head is the newest acknowledged head.
func (g *Ledger) Head() entry.Head { return g.now.Load().head }

// SignedHead is the newest acknowledged head as it is signed, to be kept elsewhere too. The caller must not change it.
func (g *Ledger) SignedHead() []byte { return g.now.Load().signed }

// Broken is why the ledger takes no more entries; nil while it does.
func (g *Ledger) Broken() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.broken
}

// Close waits for an append under way and closes the files. What was acknowledged is durable already.
func (g *Ledger) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.entries == nil {
		return nil
	}
	if g.broken == nil {
		g.broken = errors.New("it was closed")
	}
	var err error
	if g.tree != nil {
		err = g.tree.Sync() // only so that the next start need not write it anew
	}
	return errors.Join(err, g.closeFiles())
}

func (g *Ledger) closeFiles() error {
	var errs []error
	for _, f := range []disk.File{g.entries, g.tree} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	g.entries, g.tree = nil, nil
	return errors.Join(errs...)
}
