package agent

import (
	"context"
	"log/slog"
	"os"
	"syscall"
	"time"

	"tocsin/internal/record"
)

const guardEvery = 500 * time.Millisecond

// A guard looks after the watched files while the Watcher cannot, because the spool is full: it keeps every file open that stands at
// a watched path, so that one which is rotated away and removed before it was read is known, with its exact size.
type guard struct {
	log     *slog.Logger
	watcher *Watcher
	spool   *Spool
	gap     func(record.Gap)
	seen    map[string][]*tail // by path, since the spool is full
	own     map[string]os.FileInfo
	since   time.Time
}

func newGuard(log *slog.Logger, w *Watcher, s *Spool, gap func(record.Gap)) *guard {
	return &guard{log: log, watcher: w, spool: s, gap: gap}
}

func (g *guard) run(ctx context.Context) {
	defer g.end()
	for {
		g.look()
		select {
		case <-ctx.Done():
			return
		case <-time.After(guardEvery):
		}
	}
}

// look opens what is new at the watched paths, and reports what is gone, while the spool is full.
func (g *guard) look() {
	full := g.spool.State().Full
	if full.IsZero() {
		g.end()
		return
	}
	g.watcher.mu.Lock()
	shown := g.watcher.shown
	if g.seen == nil {
		g.seen, g.own, g.since = map[string][]*tail{}, map[string]os.FileInfo{}, full
		for _, s := range shown { // the file that the Watcher has open is read to its end, with or without a name
			g.own[s.path] = s.kept
		}
	}
	paths := make([]string, 0, len(shown))
	for _, s := range shown {
		paths = append(paths, s.path)
	}
	g.watcher.mu.Unlock()
	for _, path := range paths {
		g.lookAt(path)
	}
}

func (g *guard) lookAt(path string) {
	kept := g.seen[path][:0]
	for _, t := range g.seen[path] {
		st, err := t.file.Stat()
		if err == nil && links(st) > 0 {
			kept = append(kept, t)
			continue
		}
		g.gone(path, t, st)
		t.close()
	}
	g.seen[path] = kept
	st, err := os.Stat(path)
	if err != nil || g.own[path] != nil && os.SameFile(st, g.own[path]) {
		return
	}
	for _, t := range kept {
		if os.SameFile(st, t.id) {
			return
		}
	}
	if t, err := openTail(path); err == nil {
		if g.own[path] == nil && len(kept) == 0 { // the first is what the Watcher has, or will open
			g.own[path] = t.id
			t.close()
			return
		}
		g.seen[path] = append(kept, t)
	}
}

// gone reports a file that lost its last name unread, unless it was packed: then it is read from there.
func (g *guard) gone(path string, t *tail, st os.FileInfo) {
	if st == nil || st.Size() == 0 {
		return
	}
	t.until = st.Size()
	t.begin()
	p := record.Position{Print: printOf(t.head), PrintLen: int64(len(t.head))}
	f, _ := findFamily(path, func(string) bool { return false })
	for _, m := range f {
		if o, err := openTail(m.name); err == nil {
			fits, _ := o.seek(p)
			o.close()
			if fits {
				return
			}
		}
	}
	x := record.Gap{File: path, Print: p.Print, From: 0, To: st.Size(), Since: g.since, Until: time.Now(), Why: "the file was rotated away and removed while the spool was full; none of it was read"}
	g.log.Error("lines are lost: a log was rotated away and removed while the spool was full", "file", path, "bytes", x.To, "print", x.Print, "since", x.Since)
	g.gap(x)
}

// end lets the files go.
func (g *guard) end() {
	for _, all := range g.seen {
		for _, t := range all {
			t.close()
		}
	}
	g.seen, g.own = nil, nil
}

// links is how many names a file has.
func links(st os.FileInfo) uint64 {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}
