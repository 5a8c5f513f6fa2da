// Package archive keeps every line that a watcher handed over, numbered from 1 without gaps, until its age removes it.
//
// It is the queue between intake and detection: Append makes a batch durable and only then returns a receipt, and a
// reader with a cursor (a line number) reads from it at its own pace. Nothing else stands between the two.
//
// This is its first form, a write-ahead log. A folder holds segments, each named by the number of its first line.
// A segment is a chain of blocks: a head, which repeats all that must outlive the segments before it (how far each
// file has been read, since when it is watched, which batches came already), then a block per batch with its lines
// and positions, and, once the segment is full, an end. The bytes are drawn in doc/formats/archive.md.
//
// What a crash may do here: the blocks of one commit are written together and synced once, and each says up to where
// the file was synced before it. A bad block with no later commit after it is a torn tail: it was never acknowledged
// and is cut when the archive is opened. A bad block with a later commit after it is damage: the archive does not
// open and says where. New segments are written under another name and renamed when they are synced, so that
// a segment is never without its head.
//
// One process appends. Any number may read, also from other processes (Options.ReadOnly), which change nothing.
package archive

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// Limits of one batch. A watcher that has more splits it.
const (
	MaxLines = 1 << 17  // lines
	MaxBytes = 32 << 20 // bytes of all lines together
)

// What callers branch on.
var (
	ErrFull     = errors.New("the archive takes no more lines: the disk is full")
	ErrBroken   = errors.New("the archive takes no more lines, because an earlier write failed")
	ErrExpired  = errors.New("these lines are no longer kept")
	ErrTooLarge = errors.New("the batch is too large for the archive")
	ErrReadOnly = errors.New("the archive was opened for reading only")
	ErrClosed   = errors.New("the archive is closed")
)

// Options are what may differ between two archives. The zero value is a good one.
type Options struct {
	Reserve      uint64        // bytes that must stay free on the disk: below it Append refuses with ErrFull; 0 checks nothing
	SegmentBytes int64         // a segment is closed when it is this long; 0 is 16 MiB
	SegmentAge   time.Duration // and when its first batch is this much older than the next one; 0 is 24 hours
	CheckBytes   int64         // how much of the newest segments is checked whole on opening; 0 is 256 MiB, the newest always is
	ReadOnly     bool          // beside a running server: nothing is cut, made or appended, and what comes later is not seen
	Random       io.Reader     // where the salts of segments come from; nil is crypto/rand
}

func (o Options) filled() Options {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 16 << 20
	}
	if o.SegmentAge <= 0 {
		o.SegmentAge = 24 * time.Hour
	}
	if o.CheckBytes <= 0 {
		o.CheckBytes = 256 << 20
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return o
}

// Opened says what Open found, for the log and the console.
type Opened struct {
	Segments    int
	First, Last int64  // numbers of the lines that are there; Last < First when there is none
	CutFile     string // the segment with a torn tail, "" when there was none
	CutAt, Cut  int64  // where it began and how many bytes were cut (ReadOnly: are left out); none was acknowledged
}

// String tells a person about it.
func (o Opened) String() string {
	s := fmt.Sprintf("archive: lines %d to %d in %d segments", o.First, o.Last, o.Segments)
	if o.Last < o.First {
		s = fmt.Sprintf("archive: no lines, %d segments", o.Segments)
	}
	if o.CutFile != "" {
		s += fmt.Sprintf("; the last write was not finished when the program or the machine stopped: %d bytes at %d of %s were cut, no line in them had been acknowledged", o.Cut, o.CutAt, o.CutFile)
	}
	return s
}

// A DamageError says that bytes which had been acknowledged are not what was written.
type DamageError struct {
	File   string // segment, below the data folder
	Offset int64  // byte at which the first bad block starts
	Why    string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("archive segment %s is damaged at byte %d: %s. Bring the file back from a backup; without one, move it and all older segments to another folder: the lines from the next segment on can then be used", e.File, e.Offset, e.Why)
}

// An Archive is open. All its methods may be called at the same time.
type Archive struct {
	layer   disk.Layer
	dir     string
	options Options
	packer  *zstd.Encoder
	open    *zstd.Decoder
	plain   sync.Pool // *[]byte, of blocks that were unpacked

	// queue holds the batches that wait for a commit. The first of them leads: it commits all that wait, alone.
	queue   sync.Mutex
	waiting []*pending
	leading bool
	closed  bool
	broken  error // the write that failed; nothing is appended after it

	// live, its handle and the state are changed by the leader only, under mu; readers take mu to look.
	mu       sync.RWMutex
	segments []*segment // oldest first; the last may be live
	live     disk.File  // handle of the last segment; nil when the next append makes a new one
	state    *state
	next     int64         // number that the next line gets
	grown    chan struct{} // closed and replaced when lines came
	ended    bool          // nothing comes any more
	indexed  []*segment    // sealed segments whose index is in memory, oldest use first
}

// Open opens the archive in dir, making the folder when it is not there. The newest segments are checked block by
// block, older ones by their head, their end and their length; Verify reads everything. Errors are *DamageError
// or those of the layer.
func Open(l disk.Layer, dir string, o Options) (*Archive, Opened, error) {
	a := &Archive{layer: l, dir: dir, options: o.filled(), state: newState(), next: 1, grown: make(chan struct{})}
	var err error
	if a.packer, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(1<<20)); err != nil {
		return nil, Opened{}, fmt.Errorf("opening the archive: %w", err)
	}
	if a.open, err = newUnpacker(); err != nil {
		return nil, Opened{}, fmt.Errorf("opening the archive: %w", err)
	}
	if !o.ReadOnly {
		if err := makeFolder(l, dir); err != nil {
			return nil, Opened{}, fmt.Errorf("making the archive's folder: %w", err)
		}
	}
	said, err := a.load()
	if err != nil {
		return nil, said, err
	}
	return a, said, nil
}

// makeFolder makes dir, durably.
func makeFolder(l disk.Layer, dir string) error {
	if err := l.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for dir = path.Clean(dir); dir != "."; dir = path.Dir(dir) {
		if err := l.SyncDir(path.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// load reads the folder. A reader beside a running server tries again when a segment expired, or a block came,
// while it was looking.
func (a *Archive) load() (Opened, error) {
	tries := 1
	if a.options.ReadOnly {
		tries = 4
	}
	var said Opened
	var err error
	for range tries {
		if said, err = a.loadOnce(); err == nil {
			return said, nil
		}
	}
	return said, err
}

func (a *Archive) loadOnce() (Opened, error) {
	names, err := a.clean()
	if err != nil {
		return Opened{}, fmt.Errorf("reading the archive's folder: %w", err)
	}
	var said Opened
	a.segments, a.next, a.state = nil, 1, newState()
	budget := a.options.CheckBytes
	for i := len(names) - 1; i >= 0; i-- {
		newest := i == len(names)-1
		s, end, err := a.look(names[i], newest, budget > 0)
		if err != nil {
			return said, err
		}
		budget -= s.size
		if newest {
			if end < s.size {
				said.CutFile, said.CutAt, said.Cut = s.name, end, s.size-end
			}
			a.next = s.next
		} else if next := a.segments[0]; next.first != s.next {
			return said, &DamageError{File: next.name, Why: fmt.Sprintf("line %d should follow, but it starts with line %d: a segment is missing or out of place", s.next, next.first)}
		}
		s.size = min(s.size, end)
		a.segments = append([]*segment{s}, a.segments...)
	}
	said.Segments, said.First, said.Last = len(a.segments), a.next, a.next-1
	if len(a.segments) > 0 {
		said.First = a.segments[0].first
	}
	if a.options.ReadOnly || len(a.segments) == 0 {
		return said, nil
	}
	return said, a.resume(said)
}

// resume makes the last segment ready for appending: it cuts the torn tail, and syncs what was read. A program that
// was killed between write and sync leaves blocks that only the page cache holds; detection must not act on them before
// they are durable.
func (a *Archive) resume(said Opened) error {
	last := a.segments[len(a.segments)-1]
	f, err := a.layer.OpenFile(last.name, os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening archive segment %s for writing: %w", last.name, err)
	}
	if said.Cut > 0 {
		err = f.Truncate(last.size)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = a.layer.SyncDir(a.dir)
	}
	if err == nil && !last.sealed {
		a.live = f
		return nil
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("making archive segment %s ready: %w", last.name, err)
	}
	return nil
}

// Close waits for appends under way, marks the end of what is synced and closes. Who waits for lines gets ErrClosed.
// What is there can still be read.
func (a *Archive) Close() error {
	p := &pending{alone: a.finish, turn: make(chan bool, 1)}
	a.enqueue(p, true)
	return p.err
}

// Last returns the number of the newest line that is kept, 0 when there has been none.
func (a *Archive) Last() int64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.next - 1
}

// First returns the number of the oldest line that is kept; it is Last()+1 when there is none.
func (a *Archive) First() int64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.first()
}

func (a *Archive) first() int64 {
	if len(a.segments) == 0 {
		return a.next
	}
	return a.segments[0].first
}

// Positions returns how far an agent ("" is the one inside this program) has read each of its files, by file.
// They are as durable as the lines before them, and outlive the segments that they came in.
func (a *Archive) Positions(agent string) map[string]record.Position {
	a.mu.RLock()
	defer a.mu.RUnlock()
	m := make(map[string]record.Position)
	for k, p := range a.state.positions {
		if k.agent == agent {
			m[k.file] = p
		}
	}
	return m
}

// StartedAt returns since when a file of an agent is watched: the Received time of the first batch with Start set that named the file, in its
// positions or its lines; false when there was none. What is older than that is history.
func (a *Archive) StartedAt(agent, file string) (time.Time, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	t, ok := a.state.started[fileKey{agent, file}]
	return fromNanos(t), ok
}

// FirstStart returns since when the first file of all is watched.
func (a *Archive) FirstStart() (first time.Time, ok bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, n := range a.state.started {
		if t := fromNanos(n); !ok || t.Before(first) {
			first, ok = t, true
		}
	}
	return first, ok
}

// Err returns why nothing can be appended any more, nil while it can.
func (a *Archive) Err() error {
	a.queue.Lock()
	defer a.queue.Unlock()
	return a.broken
}
