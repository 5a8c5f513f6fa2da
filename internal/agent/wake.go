package agent

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const maxNames = 10_000 // changed files remembered by name; with more, everything is looked at

// A waker collects what inotify says and wakes the Watcher up. Where inotify does not work, or loses something, the
// Watcher finds out by itself a little later.
type waker struct {
	log     *slog.Logger
	inotify *fsnotify.Watcher // nil: it cannot be had
	refused string            // the last reason why a folder could not be watched
	ring    chan struct{}     // has one token when there is something to take
	done    sync.WaitGroup

	mu      sync.Mutex
	known   map[string]bool // paths of sources
	folders map[string]bool // where a new name may be a new log
	changed map[string]bool // paths of sources that something happened to
	scan    bool            // there is a new name in a folder
}

func newWaker(log *slog.Logger) *waker {
	k := &waker{log: log, ring: make(chan struct{}, 1), changed: make(map[string]bool)}
	n, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("the system does not tell of changes to files (inotify); they are found by looking regularly, a little later", "err", err)
		return k
	}
	k.inotify = n
	k.done.Go(k.listen)
	return k
}

func (k *waker) close() {
	if k.inotify != nil {
		k.inotify.Close()
		k.done.Wait()
	}
}

// listen ends when the inotify watcher is closed.
func (k *waker) listen() {
	for {
		select {
		case e, ok := <-k.inotify.Events:
			if !ok {
				return
			}
			k.hear(e)
		case _, ok := <-k.inotify.Errors: // among them: the kernel's queue ran over
			if !ok {
				return
			}
			k.found()
		}
	}
}

func (k *waker) hear(e fsnotify.Event) {
	if e.Op == fsnotify.Chmod {
		return
	}
	k.mu.Lock()
	mine := k.known[e.Name]
	fresh := e.Has(fsnotify.Create) && !mine && k.folders[filepath.Dir(e.Name)]
	if mine {
		k.changed[e.Name] = true
	}
	if fresh || len(k.changed) > maxNames {
		k.scan = true
	}
	k.mu.Unlock()
	if mine || fresh {
		k.wakeUp()
	}
}

func (k *waker) wakeUp() {
	select {
	case k.ring <- struct{}{}:
	default:
	}
}

// found asks for reading the folders.
func (k *waker) found() {
	k.mu.Lock()
	k.scan = true
	k.mu.Unlock()
	k.wakeUp()
}

// take returns what happened since it was last called.
func (k *waker) take() (changed map[string]bool, scan bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed, scan = k.changed, k.scan
	k.changed, k.scan = make(map[string]bool), false
	return changed, scan
}

// watch makes the waker listen to the folders of these sources, and to folders in which new ones may appear.
func (k *waker) watch(sources []*source, folders map[string]bool) {
	if k.inotify == nil {
		return
	}
	known := make(map[string]bool, len(sources))
	wanted := maps.Clone(folders)
	for _, s := range sources {
		for _, name := range []string{s.path, s.real} {
			known[name], wanted[filepath.Dir(name)] = true, true
		}
	}
	k.mu.Lock()
	k.known, k.folders = known, folders
	k.mu.Unlock()
	have := k.inotify.WatchList()
	for dir := range wanted {
		if !slices.Contains(have, dir) {
			k.add(dir)
		}
	}
}

func (k *waker) add(dir string) {
	err := k.inotify.Add(dir)
	if err == nil || errors.Is(err, fs.ErrNotExist) || err.Error() == k.refused {
		return
	}
	k.refused = err.Error()
	k.log.Warn("the system does not tell of changes in a folder (inotify); they are found by looking regularly, a little later", "folder", dir, "err", err)
}

// wait returns when there is something to take or after idle, but not before least. It returns false when ctx ended.
func (k *waker) wait(ctx context.Context, idle, least time.Duration) bool {
	if least > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(least):
		}
	}
	timer := time.NewTimer(idle)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-k.ring:
	case <-timer.C:
	}
	return true
}
