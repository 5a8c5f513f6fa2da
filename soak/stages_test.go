package soak

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync/atomic"

	"tocsin/internal/disk"
)

// A stage is one thing that is done to the disk while lines go from the write-ahead log to the shelf, or while volumes are joined. A kill falls
// before it, in the middle of it when it writes, or behind it, which is before the next.
type stage int

// The steps in their order. Those of joining follow those of sealing.
const (
	folderMade stage = iota
	folderSynced
	linesBegun
	linesWritten
	linesSynced
	columnsBegun
	columnsWritten
	columnsSynced
	linesNamed
	columnsNamed
	namesSynced
	manifestWritten
	manifestSynced
	entryWritten
	entrySynced
	headReplaced
	oldRemoved // a segment of the log, or a file of a volume that was joined
	oldSynced
	ofOne  // how many steps there are of each kind
	stages = 2 * ofOne
)

var stepNames = [ofOne]string{"folder made", "folder synced", "lines begun", "lines written", "lines synced", "columns begun", "columns written", "columns synced",
	"lines named", "columns named", "names synced", "manifest written", "manifest synced", "entry written", "entry synced", "head replaced", "old ones removed", "removal synced"}

func (s stage) String() string {
	if s < ofOne {
		return "seal: " + stepNames[s]
	}
	return "join: " + stepNames[s-ofOne]
}

// allSteps are those that happen: volumes are joined in a folder that is there.
func allSteps() (all []stage) {
	for s := range stages {
		if s != ofOne+folderMade && s != ofOne+folderSynced {
			all = append(all, s)
		}
	}
	return all
}

// A stepBoard is the part of the board that steps are counted on.
type stepBoard struct {
	passed [stages]atomic.Int64
	armed  atomic.Int64 // 1 + the step at which the program kills itself; 0 is none
	after  atomic.Int64 // how many times it passes there before
	late   atomic.Int64 // 0: before it, or within; 1: behind it
	fell   atomic.Int64 // 1 + the step at which it did
}

func (b *stepBoard) arm(s stage, after, late int) {
	b.after.Store(int64(after))
	b.late.Store(int64(late))
	b.armed.Store(int64(s) + 1)
}

// pass does a step, or dies at it. torn does the first part of it; nil when it has no parts.
func (b *stepBoard) pass(s stage, act func() error, torn func()) error {
	if s < 0 {
		return act()
	}
	struck := b.armed.Load() == int64(s)+1 && b.after.Add(-1) < 0
	if struck {
		b.fell.Store(int64(s) + 1)
		if b.late.Load() == 0 {
			if torn != nil {
				torn()
			}
			die()
		}
	}
	err := act()
	b.passed[s].Add(1)
	if struck {
		die()
	}
	return err
}

// A stepped layer tells the board of the steps.
type stepped struct {
	disk.Layer
	b *stepBoard
}

// kindOf says by who calls whether lines are sealed or volumes joined just now, and in which part; ok is false when neither is.
func kindOf() (kind stage, part string, ok bool) {
	var at [40]uintptr
	frames := runtime.CallersFrames(at[:runtime.Callers(3, at[:])])
	for {
		f, more := frames.Next()
		name := f.Function[strings.LastIndexByte(f.Function, '.')+1:]
		switch name {
		case "makeFolder", "finish", "remove":
			if part == "" {
				part = name
			}
		case "shelveOnce":
			return 0, part, true
		case "joinShelf":
			return ofOne, part, true
		}
		if !more {
			return 0, "", false
		}
	}
}

// ours reports whether a step may have to do with a file.
func ours(name string) bool {
	return strings.HasPrefix(name, "shelf") || strings.HasPrefix(name, "archive") || strings.HasPrefix(name, "ledger")
}

// stepOf finds the step among those for a file of lines, of columns, the manifest and the ledger's entries; none is -1.
func stepOf(name string, lines, columns, manifest, entries stage) stage {
	if !ours(name) {
		return -1
	}
	s := stage(-1)
	switch base := strings.TrimSuffix(name, ".new"); {
	case name == "shelf/manifest":
		s = manifest
	case name == "ledger/entries.jsonl":
		s = entries
	case strings.HasPrefix(name, "shelf/") && strings.HasSuffix(base, ".lines"):
		s = lines
	case strings.HasPrefix(name, "shelf/") && base != name && strings.Count(name, "/") > 1:
		s = columns
	}
	kind, _, ok := kindOf()
	if s < 0 || !ok {
		return -1
	}
	return kind + s
}

func (l stepped) OpenFile(name string, flag int, perm fs.FileMode) (f disk.File, err error) {
	s := stage(-1)
	if flag&os.O_CREATE != 0 && strings.HasSuffix(name, ".new") {
		s = stepOf(name, linesBegun, columnsBegun, -1, -1)
	}
	err = l.b.pass(s, func() error { f, err = l.Layer.OpenFile(name, flag, perm); return err }, nil)
	if err != nil {
		return nil, err
	}
	return &steppedFile{f, l.b, name}, nil
}

func (l stepped) MkdirAll(name string, perm fs.FileMode) error {
	s := stage(-1)
	if kind, _, ok := kindOf(); ok && strings.HasPrefix(name, "shelf/") {
		s = kind + folderMade
	}
	return l.b.pass(s, func() error { return l.Layer.MkdirAll(name, perm) }, nil)
}

func (l stepped) Rename(old, to string) error {
	s := stage(-1)
	if to == "ledger/head" {
		if kind, _, ok := kindOf(); ok {
			s = kind + headReplaced
		}
	} else if strings.HasSuffix(old, ".new") {
		s = stepOf(old, linesNamed, columnsNamed, -1, -1)
	}
	return l.b.pass(s, func() error { return l.Layer.Rename(old, to) }, nil)
}

func (l stepped) Remove(name string) error {
	s := stage(-1)
	if ours(name) {
		if kind, part, ok := kindOf(); ok && (kind == 0 && strings.HasPrefix(name, "archive/") || kind > 0 && part == "remove") {
			s = kind + oldRemoved
		}
	}
	return l.b.pass(s, func() error { return l.Layer.Remove(name) }, nil)
}

func (l stepped) SyncDir(name string) error {
	s := stage(-1)
	if ours(name) {
		switch kind, part, ok := kindOf(); {
		case !ok:
		case part == "makeFolder":
			s = kind + folderSynced
		case part == "finish":
			s = kind + namesSynced
		case part == "remove", kind == 0 && name == "archive":
			s = kind + oldSynced
		}
	}
	return l.b.pass(s, func() error { return l.Layer.SyncDir(name) }, nil)
}

type steppedFile struct {
	disk.File
	b    *stepBoard
	name string
}

func (f *steppedFile) Write(p []byte) (n int, err error) {
	s := stepOf(f.name, linesWritten, columnsWritten, manifestWritten, entryWritten)
	err = f.b.pass(s, func() error { n, err = f.File.Write(p); return err }, func() { _, _ = f.File.Write(p[:rand.IntN(len(p)+1)]) })
	return n, err
}

func (f *steppedFile) Sync() error {
	return f.b.pass(stepOf(f.name, linesSynced, columnsSynced, manifestSynced, entrySynced), f.File.Sync, nil)
}
