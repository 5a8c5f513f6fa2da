package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/record"
)

// kept is an archive in memory: it drops repeats of a batch, as the real one does, and can fail or die.
type kept struct {
	mu        sync.Mutex
	lines     []record.Line
	positions map[string]record.Position
	started   map[string]time.Time
	seen      map[string]bool
	batches   int
	refuse    func() error // before the batch is kept
	lose      func() error // after it is kept: the answer is lost
}

func newKept() *kept {
	return &kept{positions: map[string]record.Position{}, started: map[string]time.Time{}, seen: map[string]bool{}}
}

func (k *kept) Append(b record.Batch) (record.Receipt, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refuse != nil {
		if err := k.refuse(); err != nil {
			return record.Receipt{}, err
		}
	}
	if id := b.Boot + " " + strconv.FormatUint(b.Number, 10); !k.seen[id] {
		k.seen[id] = true
		k.batches++
		k.lines = append(k.lines, b.Lines...)
		for _, p := range b.Positions {
			k.positions[p.File] = p
			if _, ok := k.started[p.File]; b.Start && !ok {
				k.started[p.File] = b.Received
			}
		}
	}
	if k.lose != nil {
		if err := k.lose(); err != nil {
			return record.Receipt{}, err
		}
	}
	return record.Receipt{}, nil
}

func (k *kept) start() map[string]record.Position {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.positions)
}

// of returns the lines of a file, as kept.
func (k *kept) of(file string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for _, l := range k.lines {
		if l.File == file {
			all = append(all, l.Raw)
		}
	}
	return all
}

func (k *kept) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for _, l := range k.lines {
		all = append(all, filepath.Base(l.File)+" "+l.Raw)
	}
	return all
}

// fast are options with which tests need not wait for long.
func fast(k *kept, paths ...string) Options {
	return Options{Paths: paths, Start: k.start(), Append: k.Append, Stamp: stampOf, Poll: 20 * time.Millisecond, Linger: 10 * time.Millisecond}
}

// stampOf reads lines like "t=12 text": seconds since 1970.
func stampOf(_, raw string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(raw, "t=")
	if !ok {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(strings.Fields(rest + " ")[0], 10, 64)
	return time.Unix(n, 0), err == nil
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// run watches until stop is called, which returns when Run has.
func run(t *testing.T, o Options) (w *Watcher, stop func()) {
	t.Helper()
	log := quiet()
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	w = New(log, o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return w, stop
}

// until waits for something that comes soon.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 20 s in vain: %s", what)
		}
	}
}

// exactly waits until the lines of a file are those wanted.
func exactly(t *testing.T, k *kept, file string, want ...string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if slices.Equal(k.of(file), want) {
			return
		}
	}
	t.Fatalf("lines of %s:\n got %s\nwant %s", filepath.Base(file), brief(k.of(file)), brief(want))
}

func brief(lines []string) string {
	if len(lines) > 20 {
		return fmt.Sprintf("%.60q ... (%d lines)", lines[:20], len(lines))
	}
	return fmt.Sprintf("%.60q", lines)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = cmp.Or(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func sourceOf(w *Watcher, path string) Source {
	for _, s := range w.Sources() {
		if s.Path == path {
			return s
		}
	}
	return Source{}
}

// says waits until what is shown of a file is so: it is said behind the keeping of its lines.
func says(t *testing.T, w *Watcher, path string, ok func(Source) bool) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for ; !ok(sourceOf(w, path)); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the source says %+v", sourceOf(w, path))
		}
	}
}

var errTest = errors.New("the disk is full, says the test")
