package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"

	"tocsin/internal/record"
)

const (
	chunk     = 64 << 10         // bytes read at once
	lateFor   = 15 * time.Minute // how long a rotated file is looked at for lines that a slow writer still adds
	holdGone  = time.Minute      // how long a file without a name is kept open
	minPrint  = 32               // bytes of a print from which a file with a foreign name is believed to be the log
	patience  = 2 * time.Second  // how long a rotation may take from one file to the next before the file counts as missing
	soon      = 20 * time.Millisecond
	maxDone   = 1000
	forgetFor = 30 * 24 * time.Hour // how long a file of a folder or glob that is gone is shown: longer than it may be silent unheard
)

// A source is one watched path and the file that is being read for it: the file at the path, or one that was rotated
// away from it and is not read to its end yet.
type source struct {
	path    string
	real    string // where a symbolic link at path leads, else path
	pattern string
	order   int             // by which lines of the same time are sorted
	single  bool            // the pattern names this path alone
	since   time.Time       // of a source never seen: when watching it starts; zero when it started before
	pos     record.Position // where to go on when tail is nil
	drained bool            // the file of pos was read to its end before it was let go
	tail    *tail
	moved   bool // tail is not the file at the path
	late    []late
	queue   []queued // lines read and not yet in a batch
	next    int      // the first of them
	at      int64    // record time of the line read last, nanoseconds since 1970
	absent  time.Time
	st      fs.FileInfo // of the path, when last looked at
	lines   []line      // memory for reading
	taken   taken
	hidden  bool // gone for long: not looked at, until its pattern finds it again

	// What screens are told, under Watcher.mu:
	seen    Source
	kept    fs.FileInfo // the file that the last archived line is in
	keptEnd int64       // how far
	left    int64       // what was not archived of it when it was last looked at and was not the file at the path
}

// A late file was rotated away and read to its end. What is still added to it is read too, but has no position: the
// position of its source is in the next file. A crash may lose it, and never repeats it.
type late struct {
	*tail
	end time.Time
}

// queued is a line that waits for its turn.
type queued struct {
	line
	at   int64 // record time; that of the line before when it has none of its own
	tail *tail // nil when the line has no position
}

// taken is what a batch holds of one source.
type taken struct {
	tail  *tail // of the last line with a position
	end   int64
	lines int64
	bytes int64
	cut   int64
}

// look learns what is at the source's path now.
func (w *Watcher) look(s *source) {
	st, err := os.Stat(s.path)
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	gone := errors.Is(err, fs.ErrNotExist)
	if !gone {
		s.absent = time.Time{}
	} else if s.absent.IsZero() {
		s.absent = time.Now()
	}
	s.st = st
	if err != nil {
		s.moved = s.tail != nil && gone
		if !s.moved || time.Since(s.absent) > patience {
			w.fail(s, err)
		}
	} else if s.tail != nil {
		s.moved = !os.SameFile(st, s.tail.id)
	}
	if s.tail == nil {
		return
	}
	if lerr := s.tail.look(); lerr != nil {
		w.fail(s, lerr)
	} else if err == nil && !s.moved {
		w.say(s, OK, "")
	}
}

// fill reads until the source has lines for its turn. It returns false when there is nothing more for now.
func (w *Watcher) fill(s *source) bool {
	s.queue, s.next = s.queue[:0], 0
	if cap(s.queue) > chunk/8 {
		s.queue = nil // a piece of nothing but line ends took much memory
	}
	w.fillLate(s)
	for len(s.queue) == 0 {
		if s.tail == nil && !w.resume(s) {
			return false
		}
		if s.tail.gone && !w.restart(s) {
			break
		}
		n, err := w.read(s, s.tail)
		switch {
		case err != nil && s.tail.packed:
			w.log.Warn("a packed log cannot be read to its end, the rest of its lines is missing", "file", s.tail.name, "err", err)
			w.count(s, func(x *Source) { x.Gaps++ })
			s.tail.ended = true
		case err != nil:
			w.fail(s, err)
			return false
		case n > 0 || s.tail.gone:
		case !s.moved:
			return false
		case !w.advance(s):
			return len(s.queue) > 0
		}
	}
	return len(s.queue) > 0
}

// read queues the next lines of t, which is the source's tail or a late one.
func (w *Watcher) read(s *source, t *tail) (int, error) {
	lines, n, err := t.read(w.buf, s.lines[:0])
	for _, l := range lines {
		w.enqueue(s, l, t)
	}
	if clear(lines); cap(lines) <= chunk/8 {
		s.lines = lines
	}
	if n > 0 && s.moved {
		w.lookAgain(time.Now().Add(soon))
	}
	return n, err
}

func (w *Watcher) enqueue(s *source, l line, t *tail) {
	if at, ok := w.stamp(s.path, l.raw); ok {
		s.at = at
	}
	if t != s.tail {
		t = nil
	}
	s.queue = append(s.queue, queued{line: l, at: s.at, tail: t})
}

// stamp asks for the record time of a line. A panic there costs that line its time, and nothing else.
func (w *Watcher) stamp(file, raw string) (at int64, ok bool) {
	if w.o.Stamp == nil {
		return 0, false
	}
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("reading the time of a line failed; this is an error of the program, please report it", "file", file, "panic", p)
			ok = false
		}
	}()
	t, ok := w.o.Stamp(file, raw)
	if !ok || t.Unix() > math.MaxInt64/int64(time.Second)-1 || t.Unix() < math.MinInt64/int64(time.Second)+1 {
		return 0, false
	}
	return t.UnixNano(), true
}

// fillLate reads what was added to files after they were rotated away.
func (w *Watcher) fillLate(s *source) {
	now := time.Now()
	s.late = slices.DeleteFunc(s.late, func(l late) bool {
		if err := l.look(); err == nil && !l.gone && now.Before(l.end) {
			if _, err = w.read(s, l.tail); err == nil && !l.gone {
				return false
			}
		}
		if end, ok := l.lines.rest(); ok {
			w.enqueue(s, end, l.tail)
		}
		l.close()
		return true
	})
}

// rest queues the last line of a file that will not grow any more, though it has no line end.
func (w *Watcher) rest(s *source) {
	if l, ok := s.tail.lines.rest(); ok {
		w.enqueue(s, l, s.tail)
	}
}

// resume opens the file that the source's position is about, or the file at its path when there is no such file.
func (w *Watcher) resume(s *source) bool {
	if s.drained && !s.absent.IsZero() {
		return false
	}
	t, err := openTail(s.path)
	if err == nil && s.pos.PrintLen > 0 {
		fits, serr := t.seek(s.pos)
		if err = serr; err != nil || !fits {
			t.close()
			t = nil
		}
	}
	own := t != nil
	if old := w.unread(s); old != nil {
		if own {
			t.close()
		}
		t, own, err = old, false, nil
	} else if err == nil && t == nil || errors.Is(err, fs.ErrNotExist) && s.pos.PrintLen > 0 {
		t, own, err = w.find(s, s.pos, nil)
	}
	if err != nil {
		w.fail(s, err)
		return false
	}
	switch {
	case t == nil: // only its beginning can be read again
		if t, err = openTail(s.path); err != nil {
			w.fail(s, err)
			return false
		}
		own = true
		if !s.drained {
			w.log.Warn("the file that was read before is not found again, neither under its name nor under another in its folder: lines after the offset given here may be missing. The file that is there now is read from its start",
				"file", s.path, "offset", s.pos.Offset)
			w.count(s, func(x *Source) { x.Gaps++ })
		}
	case !own:
		w.log.Info("the file that was read before was rotated away; reading its rest", "file", s.path, "now", t.name)
	}
	s.tail, s.moved, s.drained = t, !own, false
	w.count(s, func(*Source) { s.kept, s.keptEnd = t.id, t.lines.start })
	if own {
		w.say(s, OK, "")
	}
	return true
}

// unread opens the oldest file that was rotated away, while nobody watched, from a log that was empty when watching
// stopped: such a log has no print, only time can tell.
func (w *Watcher) unread(s *source) *tail {
	if _, known := w.o.Start[s.path]; !known || s.pos.PrintLen > 0 || s.drained || w.o.Since.IsZero() {
		return nil
	}
	f, _ := findFamily(s.path, w.others(s))
	for _, m := range f {
		if m.own || !m.st.ModTime().After(w.o.Since) {
			continue
		}
		if t, err := openTail(m.name); err == nil {
			return t
		}
	}
	return nil
}

// errUnsettled says that names changed while the folder was read. It is tried again at once.
var errUnsettled = errors.New("files are being renamed")

// find looks for the file that p is about, except the file of not: at the path, among what was rotated away from it,
// then under foreign names beside it. It returns nil when there is none.
func (w *Watcher) find(s *source, p record.Position, not *tail) (t *tail, own bool, err error) {
	f, ok := findFamily(s.path, w.others(s))
	if !ok {
		return nil, false, errUnsettled
	}
	all := slices.Clone(f)
	slices.Reverse(all)
	if p.PrintLen >= minPrint {
		all = append(all, strangers(s.path, f, w.others(s))...)
	}
	for _, m := range all {
		if not != nil && os.SameFile(m.st, not.id) {
			continue
		}
		t, err := openTail(m.name)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(t.id, m.st):
			if t != nil {
				t.close()
			}
			return nil, false, errUnsettled
		case err != nil && m.own:
			return nil, false, err
		case err != nil:
			continue
		}
		fits, err := t.seek(p)
		if fits {
			return t, m.own, nil
		}
		t.close()
		if err != nil && m.own {
			return nil, false, err
		}
	}
	if not == nil && (len(f) == 0 || !f[len(f)-1].own) {
		return nil, false, &fs.PathError{Op: "open", Path: s.path, Err: fs.ErrNotExist}
	}
	return nil, false, nil
}

// restart goes on after the tail was truncated: with the rest of the copy that was made before, if there is one
// (logrotate copytruncate), else from the start of the file.
func (w *Watcher) restart(s *source) bool {
	t := s.tail
	var copied *tail
	if len(t.head) > 0 {
		p := record.Position{File: s.path, Print: printOf(t.head), PrintLen: int64(len(t.head)), Offset: t.lines.off}
		var err error
		if copied, _, err = w.find(s, p, t); err != nil {
			w.fail(s, err)
			return false
		}
	}
	next, moved := copied, true
	if copied != nil {
		copied.copied, copied.lines = true, newSplitter(t.lines.start, record.MaxLine)
	} else if s.moved { // it was rotated away before: nothing of it is left
		w.rest(s)
		t.gone, t.ended = false, true
		return true
	} else {
		var err error
		if next, err = openTail(s.path); err != nil {
			w.fail(s, err)
			return false
		}
		moved = false // if it is another file already, the next look will tell
		w.rest(s)
	}
	w.log.Info("a watched file was truncated; reading it from its start", "file", s.path, "read", t.lines.off, "copy", copied != nil)
	w.count(s, func(x *Source) { x.Truncated++ })
	t.close()
	s.tail, s.moved = next, moved
	return true
}

// advance goes on with the file that follows the tail, which was rotated away and is read to its end. It returns
// false when that file is not to be read yet.
func (w *Watcher) advance(s *source) bool {
	t := s.tail
	f, ok := findFamily(s.path, w.others(s))
	if !ok {
		w.lookAgain(time.Now().Add(soon))
		return false
	}
	m, ok := f.newer(t)
	if !ok || m.own && m.st.Size() == 0 {
		if !ok && !s.absent.IsZero() && time.Since(s.absent) > holdGone {
			w.letGo(s)
		}
		return false
	}
	// Programs go on writing to a renamed file until they are told to open the new one, and not all of them at once.
	if quiet := t.grew.Add(w.o.Linger); m.own && !t.packed && !t.ended && time.Now().Before(quiet) {
		w.lookAgain(quiet)
		return false
	}
	// The end is only the end when it still is after the next file was seen.
	if err := t.look(); err != nil || t.gone || !t.packed && !t.ended && t.until > t.lines.off {
		w.lookAgain(time.Now().Add(soon))
		return false
	}
	next, err := w.open(s, m)
	if err != nil {
		w.fail(s, err)
		return false
	}
	next.copied = t.copied && !m.own
	again := false
	if t.copied && m.own { // was the copy still being made? Then the log itself has what is missing
		again, _ = next.seek(t.position(s.path, t.lines.start))
	}
	if !again {
		w.rest(s)
		w.finish(s)
	}
	if t.packed || t.ended || t.copied {
		t.close()
	} else {
		s.late = append(s.late, late{t, time.Now().Add(lateFor)})
	}
	s.tail, s.moved = next, !m.own
	w.log.Info("a watched file was rotated", "file", s.path, "next", m.name)
	w.count(s, func(x *Source) { x.Rotated++ })
	if m.own {
		w.say(s, OK, "")
	}
	return true
}

// open opens the member that follows the tail, if it still does when its beginning was read: a log that is copied
// and truncated stays the same file.
func (w *Watcher) open(s *source, m member) (*tail, error) {
	next, err := openTail(m.name)
	if err != nil {
		return nil, err
	}
	f, ok := findFamily(s.path, w.others(s))
	now, found := f.newer(s.tail)
	if !ok || !found || now.name != m.name || !os.SameFile(next.id, m.st) || !os.SameFile(now.st, m.st) {
		next.close()
		return nil, errUnsettled
	}
	return next, nil
}

// letGo closes a file that has lost its name and is read to its end, so that its space on the disk becomes free.
func (w *Watcher) letGo(s *source) {
	w.rest(s)
	s.pos = s.tail.position(s.path, s.tail.lines.start)
	w.finish(s)
	s.tail.close()
	s.tail, s.moved, s.drained = nil, false, true
}

// finish remembers that the tail was read to its end, in case a glob or folder shows it under another name.
func (w *Watcher) finish(s *source) {
	p := s.tail.position(s.path, s.tail.lines.start)
	if p.PrintLen < minPrint {
		return
	}
	w.done = append(w.done, p)
	if len(w.done) > maxDone {
		w.done = slices.Delete(w.done, 0, len(w.done)-maxDone)
	}
}

// fail shows why a source cannot be read now. It is tried again at every look.
func (w *Watcher) fail(s *source, err error) {
	switch {
	case errors.Is(err, errUnsettled):
		w.lookAgain(time.Now().Add(soon))
	case errors.Is(err, fs.ErrNotExist):
		w.say(s, Missing, "there is no such file; it is read as soon as there is one")
	case errors.Is(err, fs.ErrPermission):
		w.say(s, Unreadable, "Tocsin may not read it: give its user the right, for example by the group that owns the file (adm on Debian)")
	default:
		w.say(s, Unreadable, why(err))
	}
}

// why words an error without the path, which is shown beside it.
func why(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Sprintf("%s: %v", p.Op, p.Err)
	}
	return err.Error()
}
