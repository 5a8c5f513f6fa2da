// Package agent is the part of Tocsin on a shop host: it follows log files and hands their lines over.
//
// A Watcher owns everything in one goroutine, which goes round: look at the watched files, read what is new, merge it
// by record time, hand over batches. Append is durable when it returns, and a batch holds the lines together with how
// far each file was read, so that both are kept or neither is. Nothing else is remembered anywhere: after a crash at
// any instruction, the positions that come back through Options.Start are the truth, and no line is lost or repeated.
//
// A file is known by its content: the position holds a print, SHA-256 over the first bytes that were read (1024 at most;
// of a shorter file, what there was, growing with it). So a file is found again under another name:
//
//   - rotation by rename: the old file is read to its end, then, oldest first, those that were rotated meanwhile, then the
//     new one. It is found among names like access.log.1, access.log-20261123, access.1.log, also packed by gzip, and,
//     if none fits, among all files beside it. As long as it is open it is known by its inode.
//   - rotation by truncation (copytruncate): seen when the file is shorter than what was read, or begins otherwise. The rest
//     is read from the copy, if there is one, then the file from its start.
//
// The new file is read when it has content and the old one was quiet for Options.Linger; what is still written to the
// old one later is read for 15 minutes, but has no position.
//
// Only whole lines are taken; they end in "\n", and "\r" before it is part of the line. A last line without an end waits
// for it, for ever, unless its file was rotated away or truncated: then it will not get one, and is taken as it is.
// Of a line longer than record.MaxLine the beginning is taken and the rest is skipped and counted.
//
// Files are merged by record time over all folders, not only within one: what detection sees is in order wherever the
// files lie. A line without a time follows the line before it. Lines of one file never change their order.
// Reading is bounded: 64 KiB of each file at a time, and one batch.
//
// inotify only wakes the Watcher up earlier; everything is also found by looking at every file every Options.Poll.
package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/internal/record"
)

// Options say what is watched and where lines go. Paths and Append are needed.
type Options struct {
	// Paths are files, globs (filepath.Match) and folders. A file that is not there is waited for. Of a folder all
	// files are watched whose name looks like a log, without the folders in it; of globs and folders, never packed
	// files nor those rotated away from another file there. What appears later is watched too.
	Paths []string
	// Start says how far each file was archived (archive.Positions). A file that is not in it was never seen: its
	// first batch has Start set, no lines, and a position at 0 with a print over what is there.
	Start map[string]record.Position
	// Since is when watching last stopped, if known: a file that appeared after that in a folder or glob watched before
	// is new, and not history. Zero: such a file is history.
	Since time.Time
	// Append makes a batch durable before it returns. After an error the same batch is tried again, until it succeeds.
	Append func(record.Batch) (record.Receipt, error)
	// Stamp returns the record time of a line, false when it has none.
	Stamp func(file, raw string) (time.Time, bool)

	Agent string // for Batch.Agent
	Host  string // for Line.Host

	Poll       time.Duration // how often everything is looked at without being woken; 0 is 500 ms
	Linger     time.Duration // how long a rotated file must be quiet before the next is read; 0 is 1 s
	BatchLines int           // lines of a batch, at most; 0 is 8000. Its lines have at most 4 MiB, or are one line
	BatchDelay time.Duration // least time between two batches, while lines keep coming; 0 is 5 ms. Idle, a line goes at once
	Behind     func() bool   // reports whether lines have to wait anyway: then batches are ten times rarer, and larger; nil: they have not
}

const (
	batchBytes = 4 << 20
	retryFirst = 250 * time.Millisecond // after a failed Append; doubles up to retryLast
	retryLast  = 5 * time.Second
	scanRest   = 50 * time.Millisecond // least time between two readings of all folders
)

// A State says whether a source can be read.
type State string

const (
	OK         State = "ok"
	Missing    State = "missing"
	Unreadable State = "unreadable"
)

// A Source is what is known of a watched file since this start. A glob or folder in which there is no file yet is
// a source with its own path.
type Source struct {
	Path      string
	Pattern   string // the entry of Options.Paths that found it
	State     State
	Why       string    // unless State is OK: what is wrong and how to mend it
	Lines     int64     // archived
	Bytes     int64     // archived, line ends included
	Lag       int64     // bytes of the file that are not archived yet
	LastLine  time.Time // wall time at which its last line was archived; zero when there was none
	Rotated   int       // times that reading went on to the next file
	Truncated int       //
	Gaps      int       // times that a file read before was not found again, so that lines may be missing
	Cut       int64     // lines longer than record.MaxLine
}

// A Watcher follows files. Run it once.
type Watcher struct {
	log  *slog.Logger
	o    Options
	boot string

	// Of the goroutine of Run alone:
	sources []*source
	byPath  map[string]*source
	number  uint64            // of the last batch
	folders map[string]bool   // in which new files may appear
	scanned time.Time         // when the folders were last read
	scanAt  time.Time         // when they are read again
	again   time.Time         // when to look once more before that; zero is only when something happens
	done    []record.Position // files rotated away and read to their end, the newest last; at most maxDone
	batch   []record.Line
	size    int       // bytes of the batch's lines
	part    []*source // that have lines in the batch
	sent    time.Time // when the last batch was handed over
	buf     []byte

	mu     sync.Mutex // for what screens ask:
	shown  []*source  // their field seen
	empty  map[string]Source
	stuck  error
	failed time.Time
}

// New returns a watcher. It touches no file before Run.
func New(log *slog.Logger, o Options) *Watcher {
	if o.Poll <= 0 {
		o.Poll = 500 * time.Millisecond
	}
	if o.Linger <= 0 {
		o.Linger = time.Second
	}
	if o.BatchLines <= 0 {
		o.BatchLines = 8000
	}
	if o.BatchDelay <= 0 {
		o.BatchDelay = 5 * time.Millisecond
	}
	paths := make([]string, 0, len(o.Paths))
	for _, p := range o.Paths {
		if abs, err := filepath.Abs(p); err == nil {
			p = abs
		}
		if !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	o.Paths = paths
	o.Start = maps.Clone(o.Start)
	var boot [8]byte
	rand.Read(boot[:])
	return &Watcher{
		log: log, o: o, boot: hex.EncodeToString(boot[:]),
		byPath: make(map[string]*source), empty: make(map[string]Source), buf: make([]byte, chunk),
	}
}

// Run watches until ctx ends, and returns nil then. What was read and not handed over is read again at the next start.
func (w *Watcher) Run(ctx context.Context) error {
	if w.o.Append == nil {
		return errors.New("watching files: there is nowhere to put their lines")
	}
	defer w.close()
	wake := newWaker(w.log)
	defer wake.close()
	for {
		looked, err := w.due(ctx, wake)
		if err == nil {
			err = w.round(ctx, looked)
		}
		if err != nil {
			return nil // ctx ended: nothing else does
		}
		until := time.Until(minTime(w.scanAt, w.again))
		if !wake.wait(ctx, until, time.Until(w.sent.Add(w.delay()))) {
			return nil
		}
	}
}

// delay is the least time between two batches now.
func (w *Watcher) delay() time.Duration {
	if w.o.Behind != nil && w.o.Behind() {
		return 10 * w.o.BatchDelay
	}
	return w.o.BatchDelay
}

// due returns the sources to look at now: those that something happened to, and all when their time has come.
func (w *Watcher) due(ctx context.Context, wake *waker) ([]*source, error) {
	names, fresh := wake.take()
	now := time.Now()
	if fresh { // a folder that gets many new names is not read for each
		w.scanAt = minTime(w.scanAt, w.scanned.Add(scanRest))
	}
	if !now.Before(w.scanAt) {
		w.scanAt, w.again = now.Add(w.o.Poll), time.Time{}
		if err := w.scan(ctx); err != nil {
			return nil, err
		}
		wake.watch(w.sources, w.folders)
		return w.sources, nil
	}
	if !w.again.IsZero() && !now.Before(w.again) {
		w.again = time.Time{}
		return w.sources, nil
	}
	var looked []*source
	for _, s := range w.sources {
		if names[s.path] || names[s.real] {
			looked = append(looked, s)
		}
	}
	return looked, nil
}

// lookAgain makes the next look come at t at the latest.
func (w *Watcher) lookAgain(t time.Time) {
	w.again = minTime(w.again, t)
}

// minTime returns the earlier of two times; zero is never.
func minTime(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (w *Watcher) close() {
	for _, s := range w.sources {
		if s.tail != nil {
			s.tail.close()
		}
		for _, l := range s.late {
			l.close()
		}
	}
}

// Sources returns what is known of every watched file, by path. It may be called at any time, and looks at the files'
// lengths itself: how far reading lags is right even while Append does not return.
func (w *Watcher) Sources() []Source {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Collect(maps.Values(w.empty))
	for _, s := range w.shown {
		x := s.seen
		x.Lag = s.left
		if st, err := os.Stat(s.path); err == nil && st.Mode().IsRegular() {
			if s.kept != nil && os.SameFile(st, s.kept) {
				x.Lag = max(0, st.Size()-s.keptEnd)
			} else {
				x.Lag += st.Size()
			}
		}
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b Source) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Stuck returns why lines cannot be handed over now, and since when; nil while they can.
func (w *Watcher) Stuck() (since time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed, w.stuck
}

// count changes what screens are told of a source.
func (w *Watcher) count(s *source, change func(*Source)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&s.seen)
}

// say sets the state of a source, and logs it when it is another.
func (w *Watcher) say(s *source, state State, why string) {
	w.mu.Lock()
	was := s.seen.State
	changed := was != state || s.seen.Why != why
	s.seen.State, s.seen.Why = state, why
	w.mu.Unlock()
	switch {
	case !changed:
	case state == OK:
		w.log.Info("a watched file can be read", "file", s.path)
	default:
		w.log.Warn("a watched file cannot be read", "file", s.path, "why", why)
	}
}
