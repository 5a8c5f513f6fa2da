package inlet

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"tocsin/internal/record"
)

// kept is an archive in memory: it drops repeats of a batch, as the real one does, and can refuse or lose its answer.
type kept struct {
	mu        sync.Mutex
	lines     []record.Line
	positions map[string]record.Position
	batches   []record.Batch
	seen      map[string]bool
	refuse    func() error               // before the batch is kept
	lose      func(b record.Batch) error // after it is kept: the answer is lost
}

func newKept() *kept {
	return &kept{positions: map[string]record.Position{}, seen: map[string]bool{}}
}

func (k *kept) Append(b record.Batch) (record.Receipt, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refuse != nil {
		if err := k.refuse(); err != nil {
			return record.Receipt{}, err
		}
	}
	id := fmt.Sprint(b.Agent, " ", b.Boot, " ", b.Number)
	if b.Number != 0 && k.seen[id] {
		return record.Receipt{First: 1}, nil
	}
	k.seen[id] = true
	for _, l := range b.Lines {
		if len(l.Raw) > record.MaxLine {
			return record.Receipt{}, fmt.Errorf("a line of %d bytes", len(l.Raw))
		}
	}
	k.lines = append(k.lines, b.Lines...)
	k.batches = append(k.batches, b)
	for _, p := range b.Positions {
		k.positions[p.File] = p
	}
	if k.lose != nil {
		if err := k.lose(b); err != nil {
			return record.Receipt{}, err
		}
	}
	return record.Receipt{First: 1, Last: int64(len(b.Lines))}, nil
}

func (k *kept) set(refuse func() error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refuse = refuse
}

func (k *kept) raws() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := []string{}
	for _, l := range k.lines {
		out = append(out, l.Raw)
	}
	return out
}

func (k *kept) all() []record.Line {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.lines)
}

func (k *kept) start() map[string]record.Position {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.positions)
}

// logged is a logger whose text a test may read.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// until waits for something that another goroutine or process brings about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came about that %s", what)
		}
	}
}

// countOf returns the count of a door.
func countOf(all []Count, door string) Count {
	for _, c := range all {
		if c.Door == door {
			return c
		}
	}
	return Count{}
}
