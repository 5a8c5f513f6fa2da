package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
)

// scan finds out which files the patterns mean now, makes sources of the new ones and forgets those that are long gone.
// Watching of the new ones starts with a batch of its own.
func (w *Watcher) scan(ctx context.Context) error {
	before := w.scanned
	w.scanned, w.folders = time.Now(), make(map[string]bool)
	for _, pattern := range w.o.Paths {
		names, single, err := expand(pattern)
		if !single {
			if !strings.ContainsAny(filepath.Dir(pattern), globs) {
				w.folders[filepath.Dir(pattern)] = true
			}
			if !strings.ContainsAny(pattern, globs) {
				w.folders[pattern] = true
			}
			for _, name := range names {
				w.folders[filepath.Dir(name)] = true
			}
		}
		found := w.adopt(pattern, names, single, before)
		for _, s := range w.sources { // one that is away for a moment is shown by itself
			if s.pattern == pattern {
				found++
			}
		}
		w.sayEmpty(pattern, found, err)
	}
	for _, s := range w.sources {
		s.real = s.path
		if st, err := os.Lstat(s.path); err == nil && st.Mode()&fs.ModeSymlink != 0 {
			if real, err := filepath.EvalSymlinks(s.path); err == nil {
				s.real = real
			}
		}
	}
	w.forget()
	w.mu.Lock()
	w.shown = slices.Clone(w.sources)
	w.mu.Unlock()
	return w.start(ctx)
}

const globs = `*?[`

// expand returns the files that a pattern means, plain files before symbolic links. A path that is no folder and
// no glob means itself, whether it is there or not: single.
func expand(pattern string) (names []string, single bool, err error) {
	st, err := os.Stat(pattern)
	switch {
	case err == nil && st.IsDir():
		names, err = folder(pattern)
		return names, false, err
	case err == nil || !strings.ContainsAny(pattern, globs):
		return []string{pattern}, true, nil
	}
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return nil, false, errors.New("this is not a pattern: * stands for any characters, ? for one, [a-z] for one of a range")
	}
	for _, name := range matches {
		st, err := os.Stat(name)
		switch {
		case err != nil:
		case st.IsDir():
			inside, _ := folder(name)
			names = append(names, inside...)
		case st.Mode().IsRegular() && !packedName(name):
			names = append(names, name)
		}
	}
	return linksLast(names), false, nil
}

// folder returns the files in a folder that look like logs.
func folder(path string) ([]string, error) {
	files, err := os.ReadDir(path)
	var names []string
	for _, e := range files {
		name := filepath.Join(path, e.Name())
		if !isLog(e.Name()) || e.IsDir() {
			continue
		}
		if !e.Type().IsRegular() {
			if st, err := os.Stat(name); err != nil || !st.Mode().IsRegular() {
				continue
			}
		}
		names = append(names, name)
	}
	return linksLast(names), err
}

func linksLast(names []string) []string {
	isLink := func(name string) bool {
		st, err := os.Lstat(name)
		return err == nil && st.Mode()&fs.ModeSymlink != 0
	}
	var plain, links []string
	for _, n := range names {
		if isLink(n) {
			links = append(links, n)
		} else {
			plain = append(plain, n)
		}
	}
	return append(plain, links...)
}

// adopt makes sources of those files of a pattern that are new, and says how many of its files are watched. Left out
// are files rotated away from another, and second names of a file that is watched.
func (w *Watcher) adopt(pattern string, names []string, single bool, before time.Time) (found int) {
	known := slices.ContainsFunc(names, func(n string) bool { _, ok := w.o.Start[n]; return ok })
	for _, name := range names {
		if s, ok := w.byPath[name]; ok {
			found++
			if s.hidden {
				s.hidden, w.sources = false, append(w.sources, s)
			}
			continue
		}
		st, err := os.Stat(name)
		if !single && (err != nil || w.isAside(name, names) || w.isSecond(name, st)) {
			continue
		}
		found++
		s := &source{path: name, real: name, pattern: pattern, order: len(w.byPath), single: single, st: st}
		s.seen = Source{Path: name, Pattern: pattern, State: OK}
		if p, ok := w.o.Start[name]; ok {
			s.pos = p
		} else {
			s.since = w.scanned
			switch {
			case single:
			case !before.IsZero():
				s.since = before
				s.pos = w.renamed(name)
			case known && !w.o.Since.IsZero():
				s.since = w.o.Since
			}
		}
		w.sources = append(w.sources, s)
		w.byPath[name] = s
	}
	return found
}

// renamed returns how far a file with a new name was read under another, before it was renamed or copied: such a name
// says nothing of rotation. What is added to it is from now on read for the new name.
func (w *Watcher) renamed(name string) record.Position {
	all := slices.Clone(w.done)
	for _, s := range w.sources {
		if s.tail != nil && len(s.tail.head) == printMax && s.tail.lines.start >= printMax {
			all = append(all, s.tail.position(s.path, s.tail.lines.start))
		}
	}
	t, err := openTail(name)
	if err != nil {
		return record.Position{}
	}
	defer t.close()
	for _, p := range slices.Backward(all) {
		if fits, _ := t.seek(p); !fits {
			continue
		}
		for _, s := range w.sources {
			for i, l := range s.late {
				if os.SameFile(l.id, t.id) {
					p = l.position(name, l.lines.start)
					l.close()
					s.late = slices.Delete(s.late, i, i+1)
					break
				}
			}
		}
		return p
	}
	return record.Position{}
}

// isAside reports whether a file was rotated away from another that is watched, was watched or is there.
func (w *Watcher) isAside(name string, names []string) bool {
	dir, base := filepath.Split(name)
	a, ok := asideOf(base)
	if !ok {
		return false
	}
	log := filepath.Join(dir, a.base)
	_, watched := w.byPath[log]
	_, was := w.o.Start[log]
	_, own := w.o.Start[name]
	return !own && (watched || was || slices.Contains(names, log))
}

// isSecond reports whether a file is watched by another name: it is the same, or a link to a name that is watched, whose file may have been put in place
// of the one before in this instant.
func (w *Watcher) isSecond(name string, st fs.FileInfo) bool {
	if real, err := filepath.EvalSymlinks(name); err == nil && real != name {
		if _, ok := w.byPath[real]; ok {
			return true
		}
	}
	return slices.ContainsFunc(w.sources, func(s *source) bool {
		return s.st != nil && os.SameFile(s.st, st) || s.tail != nil && os.SameFile(s.tail.id, st)
	})
}

// others tells the paths of the other sources.
func (w *Watcher) others(s *source) func(string) bool {
	return func(name string) bool {
		o, ok := w.byPath[name]
		return ok && o != s
	}
}

// forget hides the files of globs and folders that have been gone for an hour and are read to their end.
func (w *Watcher) forget() {
	w.sources = slices.DeleteFunc(w.sources, func(s *source) bool {
		if s.single || s.tail != nil || len(s.late) > 0 || s.absent.IsZero() || time.Since(s.absent) < forgetFor {
			return false
		}
		s.hidden, s.queue, s.lines = true, nil, nil
		return true
	})
}

// sayEmpty shows a pattern that means no file, and logs it when that is new.
func (w *Watcher) sayEmpty(pattern string, found int, err error) {
	x := Source{Path: pattern, Pattern: pattern, State: Missing, Why: "there is no log file here; files are read as soon as they come"}
	if err != nil {
		x.State, x.Why = Unreadable, why(err)
		if errors.Is(err, fs.ErrPermission) {
			x.Why = "Tocsin may not look into this folder: give its user the right, for example by the group that owns it (adm on Debian)"
		}
	}
	w.mu.Lock()
	was, shown := w.empty[pattern]
	if found > 0 && err == nil {
		delete(w.empty, pattern)
	} else {
		w.empty[pattern] = x
	}
	w.mu.Unlock()
	if (found == 0 || err != nil) && (!shown || was != x) {
		w.log.Warn("nothing can be watched here", "path", pattern, "why", x.Why)
	}
}
