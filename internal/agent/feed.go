package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tocsin/internal/record"
)

// A feed gathers lines that come from no file into batches, and hands them over one after the other. Who adds waits while
// the batch before is not kept: at most two batches are in memory.
type feed struct {
	log    *slog.Logger
	name   string // Line.File
	append func(record.Batch) (record.Receipt, error)
	boot   string

	mu     sync.Mutex
	ready  chan struct{} // has one when lines wait
	room   chan struct{} // closed and replaced when they went
	lines  []record.Line
	size   int
	at     int64  // offset of the next line: bytes since the first, line ends included
	cursor string // of the last line
	number uint64
	begun  bool // its start is kept
	total  int64
	last   time.Time
	state  State
	why    string
}

const (
	feedLines = 4000
	feedBytes = 2 << 20
	feedDelay = 50 * time.Millisecond
)

func newFeed(log *slog.Logger, name string, was record.Position, known bool, append func(record.Batch) (record.Receipt, error)) *feed {
	var boot [8]byte
	rand.Read(boot[:])
	return &feed{log: log, name: name, append: append, boot: hex.EncodeToString(boot[:]), ready: make(chan struct{}, 1), room: make(chan struct{}),
		at: was.Offset, cursor: was.Print, begun: known, state: OK}
}

// add takes a line, or says that there is no room now: then wait on the channel.
func (f *feed) add(raw, cursor string) (full <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lines) >= feedLines || f.size+len(raw) > feedBytes && f.size > 0 {
		return f.room
	}
	f.lines = append(f.lines, record.Line{File: f.name, Offset: f.at, Raw: raw})
	f.size += len(raw)
	f.at += int64(len(raw)) + 1
	f.cursor = cursor
	select {
	case f.ready <- struct{}{}:
	default:
	}
	return nil
}

// wait adds a line as soon as there is room.
func (f *feed) wait(ctx context.Context, raw, cursor string) error {
	for {
		full := f.add(raw, cursor)
		if full == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-full:
		}
	}
}

// run hands batches over until ctx ends; what waits then is lost with the process, and comes again where the source remembers it.
func (f *feed) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.ready:
		}
		f.mu.Lock()
		b := record.Batch{Boot: f.boot, Received: time.Now(), Lines: f.lines, Start: !f.begun}
		b.Positions = []record.Position{{File: f.name, Print: f.cursor, Offset: f.at}}
		f.number++
		b.Number = f.number
		n := int64(len(f.lines))
		f.lines, f.size = nil, 0
		close(f.room)
		f.room = make(chan struct{})
		f.mu.Unlock()
		if !f.keep(ctx, b) {
			return
		}
		f.mu.Lock()
		f.begun, f.total, f.last = true, f.total+n, time.Now()
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(feedDelay):
		}
	}
}

// keep hands a batch over until it is kept.
func (f *feed) keep(ctx context.Context, b record.Batch) bool {
	for wait := retryFirst; ; wait = min(2*wait, retryLast) {
		_, err := f.append(b)
		if err == nil {
			f.say(OK, "")
			return true
		}
		if errors.Is(err, ErrClosed) {
			return false
		}
		f.say(Unreadable, err.Error())
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

func (f *feed) say(state State, why string) {
	f.mu.Lock()
	was := f.why
	f.state, f.why = state, why
	f.mu.Unlock()
	if why != was && why != "" {
		f.log.Warn("lines do not come in", "from", f.name, "why", why)
	}
}

func (f *feed) now() record.Feed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return record.Feed{Path: f.name, State: string(f.state), Why: f.why, Lines: f.total, Lag: int64(f.size), Last: f.last}
}
