package disk

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Lossy is a Layer in memory that knows what a power cut would leave, for tests.
//
// A write or truncation of a file is durable after Sync of that file; a created, renamed or removed name after
// SyncDir of its folder. Nothing else makes anything durable, so code that passes here relies on no file system's
// kindness. Crash gives what a cut at this moment leaves; CrashSeed also keeps, by chance, some of what was not
// synced, because disks do. FailAfter stops it at a step, so that a test can crash at each one:
//
//	for n := 0; ; n++ {
//		l := disk.NewLossy()
//		l.FailAfter(n)
//		err := work(l)
//		check(l.Crash())
//		if err == nil { break }
//	}
//
// It is safe for use by several goroutines.
type Lossy struct {
	mu    sync.Mutex
	root  *node
	free  int64
	ops   int
	stop  int // operations after this one fail; negative: none
	fails map[int]error
}

// ErrStopped is what every operation of a Lossy returns after FailAfter's.
var ErrStopped = errors.New("the lossy layer was stopped here")

// A node is a file or a folder. Durable state and the changes since stand apart, so that a cut can keep any part.
type node struct {
	dir     bool
	perm    fs.FileMode
	names   map[string]*node // a folder, now
	kept    map[string]*node // a folder, after a cut
	moves   []move           // since SyncDir
	data    []byte           // a file, now
	synced  []byte           // a file, after a cut
	changes []change         // since Sync
}

// A move is one operation on the names of a folder, whole or not at all: nil removes the name.
type move map[string]*node

// A change is one write to a file, or a truncation.
type change struct {
	at   int64
	data []byte
	cut  bool // truncate to at
}

func newFolder() *node {
	return &node{dir: true, perm: fs.ModeDir | 0o700, names: map[string]*node{}, kept: map[string]*node{}}
}

// NewLossy makes an empty layer that never fails and has room for 2^60 bytes.
func NewLossy() *Lossy {
	return &Lossy{root: newFolder(), free: 1 << 60, stop: -1, fails: map[int]error{}}
}

// Ops counts the operations so far that change or sync something. Reads do not count.
func (l *Lossy) Ops() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ops
}

// FailAfter lets the first n operations (as Ops counts, from the layer's beginning) pass; every later one, reads too
// once the n+1st was tried, returns ErrStopped and does nothing. A negative n never stops.
func (l *Lossy) FailAfter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop = n
}

// FailAt lets operation n (from 1, as Ops counts) fail once with err and do nothing; a sync that fails so loses what
// it should have kept, also when it is tried again, as on Linux.
func (l *Lossy) FailAt(n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails[n] = err
}

// SetFree sets how many more bytes the layer takes before writes fail with ENOSPC. Removing and shortening files gives
// bytes back.
func (l *Lossy) SetFree(bytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = int64(min(bytes, 1<<60))
}

func (l *Lossy) Free() (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(max(l.free, 0)), l.alive()
}

// step counts an operation and says whether it may happen.
func (l *Lossy) step() error {
	l.ops++
	if err, ok := l.fails[l.ops]; ok {
		delete(l.fails, l.ops)
		return err
	}
	return l.alive()
}

func (l *Lossy) alive() error {
	if l.stop >= 0 && l.ops > l.stop {
		return ErrStopped
	}
	return nil
}

// find returns the node of a name.
func (l *Lossy) find(name string) (*node, error) {
	n := l.root
	if name == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if !n.dir {
			return nil, syscall.ENOTDIR
		}
		if n = n.names[part]; n == nil {
			return nil, fs.ErrNotExist
		}
	}
	return n, nil
}

// parent returns the folder of a name, and the name within it.
func (l *Lossy) parent(name string) (*node, string, error) {
	if name == "." {
		return nil, "", fs.ErrInvalid
	}
	dir, err := l.find(path.Dir(name))
	if err == nil && !dir.dir {
		err = syscall.ENOTDIR
	}
	return dir, path.Base(name), err
}

func (n *node) apply(m move) {
	for name, to := range m {
		if to == nil {
			delete(n.names, name)
		} else {
			n.names[name] = to
		}
	}
	n.moves = append(n.moves, m)
}

func (l *Lossy) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	fail := func(err error) (File, error) { return nil, &fs.PathError{Op: "open", Path: name, Err: err} }
	if err := valid("open", name); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.alive(); err != nil {
		return fail(err)
	}
	dir, base, err := l.parent(name)
	if err != nil {
		return fail(err)
	}
	n := dir.names[base]
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return fail(fs.ErrNotExist)
	case n == nil:
		if err := l.step(); err != nil {
			return fail(err)
		}
		n = &node{perm: perm.Perm()}
		dir.apply(move{base: n})
	case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return fail(fs.ErrExist)
	case n.dir:
		return fail(syscall.EISDIR)
	case flag&os.O_TRUNC != 0 && len(n.data) > 0:
		if err := l.step(); err != nil {
			return fail(err)
		}
		l.truncate(n, 0)
	}
	return &lossyFile{l: l, n: n, name: name, flag: flag}, nil
}

func (l *Lossy) Rename(old, new string) error {
	fail := func(err error) error { return &os.LinkError{Op: "rename", Old: old, New: new, Err: err} }
	if err := errors.Join(valid("rename", old), valid("rename", new)); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.step(); err != nil {
		return fail(err)
	}
	from, a, err := l.parent(old)
	if err != nil {
		return fail(err)
	}
	to, b, err := l.parent(new)
	if err != nil {
		return fail(err)
	}
	n, there := from.names[a], to.names[b]
	switch {
	case n == nil:
		return fail(fs.ErrNotExist)
	case n == there:
		return nil
	case there != nil && there.dir && !n.dir:
		return fail(syscall.EISDIR)
	case there != nil && !there.dir && n.dir:
		return fail(syscall.ENOTDIR)
	case there != nil && len(there.names) > 0:
		return fail(syscall.ENOTEMPTY)
	case n.dir && strings.HasPrefix(new+"/", old+"/"):
		return fail(syscall.EINVAL)
	}
	if there != nil {
		l.free += int64(len(there.data))
	}
	if from == to {
		from.apply(move{a: nil, b: n})
		return nil
	}
	to.apply(move{b: n})
	from.apply(move{a: nil})
	return nil
}

func (l *Lossy) Remove(name string) error {
	fail := func(err error) error { return &fs.PathError{Op: "remove", Path: name, Err: err} }
	if err := valid("remove", name); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.step(); err != nil {
		return fail(err)
	}
	dir, base, err := l.parent(name)
	if err != nil {
		return fail(err)
	}
	n := dir.names[base]
	switch {
	case n == nil:
		return fail(fs.ErrNotExist)
	case len(n.names) > 0:
		return fail(syscall.ENOTEMPTY)
	}
	l.free += int64(len(n.data))
	dir.apply(move{base: nil})
	return nil
}

func (l *Lossy) MkdirAll(name string, perm fs.FileMode) error {
	fail := func(err error) error { return &fs.PathError{Op: "mkdir", Path: name, Err: err} }
	if err := valid("mkdir", name); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.alive(); err != nil {
		return fail(err)
	}
	if name == "." {
		return nil
	}
	n := l.root
	for part := range strings.SplitSeq(name, "/") {
		next := n.names[part]
		if next == nil {
			if err := l.step(); err != nil {
				return fail(err)
			}
			next = newFolder()
			next.perm = fs.ModeDir | perm.Perm()
			n.apply(move{part: next})
		}
		if n = next; !n.dir {
			return fail(syscall.ENOTDIR)
		}
	}
	return nil
}

func (l *Lossy) ReadDir(name string) ([]fs.DirEntry, error) {
	fail := func(err error) ([]fs.DirEntry, error) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	if err := valid("readdir", name); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.alive(); err != nil {
		return fail(err)
	}
	n, err := l.find(name)
	if err != nil {
		return fail(err)
	}
	if !n.dir {
		return fail(syscall.ENOTDIR)
	}
	var list []fs.DirEntry
	for _, base := range sortedNames(n.names) {
		list = append(list, fs.FileInfoToDirEntry(n.names[base].stat(base)))
	}
	return list, nil
}

func sortedNames(m map[string]*node) []string { return slices.Sorted(maps.Keys(m)) }

func (l *Lossy) Stat(name string) (fs.FileInfo, error) {
	if err := valid("stat", name); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.find(name)
	if err = errors.Join(l.alive(), err); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return n.stat(path.Base(name)), nil
}

func (l *Lossy) SyncDir(name string) error {
	fail := func(err error) error { return &fs.PathError{Op: "sync", Path: name, Err: err} }
	if err := valid("sync", name); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.find(name)
	if err != nil {
		return fail(err)
	}
	if err := l.step(); err != nil {
		if !errors.Is(err, ErrStopped) {
			n.moves = nil
		}
		return fail(err)
	}
	n.keepMoves(n.moves)
	n.moves = nil
	return nil
}

func (n *node) keepMoves(moves []move) {
	for _, m := range moves {
		for name, to := range m {
			if to == nil {
				delete(n.kept, name)
			} else {
				n.kept[name] = to
			}
		}
	}
}

// A stat is what Stat tells of a node. Time is not modelled: it is always zero.
type stat struct {
	name string
	size int64
	mode fs.FileMode
}

func (n *node) stat(name string) fs.FileInfo {
	return stat{name: name, size: int64(len(n.data)), mode: n.perm}
}

func (s stat) Name() string       { return s.name }
func (s stat) Size() int64        { return s.size }
func (s stat) Mode() fs.FileMode  { return s.mode }
func (s stat) ModTime() time.Time { return time.Time{} }
func (s stat) IsDir() bool        { return s.mode.IsDir() }
func (s stat) Sys() any           { return nil }
