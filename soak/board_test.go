package soak

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tocsin/internal/cli"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/notify"
)

// A place is a part of the program's work in which a kill may find it.
type place int

const (
	appending    place = iota // writing a block of lines, with positions, into the archive
	writing                   // writing into the ledger or the vault
	syncing                   // fsync of a file or folder
	positioning               // replacing derived/reader, which says how far detection has read
	shelving                  // making volumes of lines, naming them in the manifest, removing what they stand for
	sending                   // talking to the mail server
	acknowledged              // the mail is out, its entry is not written: only by an armed kill
	places
)

func (p place) String() string {
	return [...]string{"append (archive)", "append (ledger, vault)", "fsync", "position", "shelf", "send", "between send and entry"}[p]
}

// A board is a few numbers in a file that two processes have mapped. It outlives the kill of either.
type board struct {
	inside [places]atomic.Int64 // how many goroutines are there
	passed [places]atomic.Int64 // how many have been
	armed  atomic.Int64         // 1 + the place at which the program kills itself; 0 is none
	after  atomic.Int64         // how many times it passes there before
	manner atomic.Int64         // which instant of the place, by chance
	steps  stepBoard
}

// openBoard maps a board. The mapping lives as long as the process.
func openBoard(name string) (*board, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const size = 4096
	if err := f.Truncate(size); err != nil {
		return nil, err
	}
	m, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", name, err)
	}
	return (*board)(unsafe.Pointer(&m[0])), nil
}

// reset prepares the board for the next life.
func (b *board) reset() {
	for p := range places {
		b.inside[p].Store(0)
		b.passed[p].Store(0)
	}
	b.armed.Store(0)
	b.steps.armed.Store(0)
	b.steps.fell.Store(0)
}

// arm makes the program kill itself at a place.
func (b *board) arm(p place, after, manner int) {
	b.after.Store(int64(after))
	b.manner.Store(int64(manner))
	b.armed.Store(int64(p) + 1)
}

// struck reports whether this pass of a place is the one to die in.
func (b *board) struck(p place) bool {
	return b.armed.Load() == int64(p)+1 && b.after.Add(-1) < 0
}

func (b *board) enter(p place) { b.inside[p].Add(1) }

func (b *board) leave(p place) {
	b.inside[p].Add(-1)
	b.passed[p].Add(1)
}

// die kills this process as kill -9 does: nothing of Go runs after it.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// A marked layer tells the board where the program is.
type marked struct {
	disk.Layer
	b *board
}

const snapshot = "derived/reader"

func (l marked) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if flag&os.O_CREATE != 0 && strings.HasPrefix(name, snapshot) {
		l.b.enter(positioning) // left by SyncDir, the last step of disk.Replace
	}
	f, err := l.Layer.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &markedFile{f, l.b, name}, nil
}

func (l marked) Rename(old, to string) error {
	at := positioning
	switch {
	case strings.HasPrefix(to, "shelf/"):
		at = shelving
		l.b.enter(at)
		defer l.b.leave(at)
	case to != snapshot:
		return l.Layer.Rename(old, to)
	}
	struck := l.b.struck(at)
	if struck && l.b.manner.Load()%2 == 0 {
		die()
	}
	err := l.Layer.Rename(old, to)
	if struck {
		die()
	}
	return err
}

// Remove takes away what the shelf has instead: a complete segment, volumes that were joined.
func (l marked) Remove(name string) error {
	if !strings.HasPrefix(name, "archive/") && !strings.HasPrefix(name, "shelf/") {
		return l.Layer.Remove(name)
	}
	l.b.enter(shelving)
	defer l.b.leave(shelving)
	struck := l.b.struck(shelving)
	if struck && l.b.manner.Load()%2 == 0 {
		die()
	}
	err := l.Layer.Remove(name)
	if struck {
		die()
	}
	return err
}

func (l marked) SyncDir(name string) error {
	if name == "derived" && l.b.inside[positioning].Load() > 0 { // derived/rules lies there too
		defer l.b.leave(positioning)
	}
	return l.b.sync(func() error { return l.Layer.SyncDir(name) })
}

// sync counts an fsync, and dies before or behind it if that is wanted.
func (b *board) sync(act func() error) error {
	b.enter(syncing)
	defer b.leave(syncing)
	struck := b.struck(syncing)
	if struck && b.manner.Load()%2 == 0 {
		die()
	}
	err := act()
	if struck {
		die()
	}
	return err
}

type markedFile struct {
	disk.File
	b    *board
	name string
}

func (f *markedFile) Sync() error { return f.b.sync(f.File.Sync) }

func (f *markedFile) Write(p []byte) (int, error) { return f.mark(p, f.File.Write) }

func (f *markedFile) WriteAt(p []byte, off int64) (int, error) {
	return f.mark(p, func(p []byte) (int, error) { return f.File.WriteAt(p, off) })
}

// mark counts a write; an armed one is torn at a random byte.
func (f *markedFile) mark(p []byte, write func([]byte) (int, error)) (int, error) {
	at := writing
	switch {
	case strings.HasPrefix(f.name, "archive/"):
		at = appending
	case strings.HasPrefix(f.name, "shelf/"):
		at = shelving
	case !strings.HasPrefix(f.name, "ledger/") && !strings.HasPrefix(f.name, "vault/"):
		return write(p)
	}
	f.b.enter(at)
	defer f.b.leave(at)
	if f.b.struck(at) {
		_, _ = write(p[:rand.IntN(len(p)+1)])
		die()
	}
	return write(p)
}

// markSender counts a sending; an armed one dies before the first byte, or when the other side has taken it all.
func markSender(b *board, send desk.Sender) desk.Sender {
	return func(ctx context.Context, m notify.Message) error {
		b.enter(sending)
		if b.struck(sending) {
			die()
		}
		err := send(ctx, m)
		b.leave(sending)
		if err == nil && b.struck(acknowledged) {
			b.enter(acknowledged)
			die()
		}
		return err
	}
}

// boardEnv names the board in the environment of the program under test; rootEnv the folder with rules/.
const (
	boardEnv = "TOCSIN_SOAK_BOARD"
	root     = ".."
)

// segmentEnv says how many bytes a segment of the write-ahead log has.
const segmentEnv = "TOCSIN_SOAK_SEGMENT"

// segmentBytes is so little that lines go to the shelf in a short life, when nobody says otherwise.
func segmentBytes() int64 {
	if n, err := strconv.ParseInt(os.Getenv(segmentEnv), 10, 64); err == nil {
		return n
	}
	return 30_000
}

// TestMain is the program under test when a board is named, and the tests otherwise.
func TestMain(m *testing.M) {
	if os.Getenv(plainEnv) != "" {
		os.Exit(cli.Main(os.Args[1:], cli.Program{Files: os.DirFS(root), Out: os.Stdout, Err: os.Stderr}))
	}
	name := os.Getenv(boardEnv)
	if name == "" {
		os.Exit(m.Run())
	}
	b, err := openBoard(name)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(cli.Main(os.Args[1:], cli.Program{
		Files: os.DirFS(root), Out: os.Stdout, Err: os.Stderr,
		Layer:     func(l disk.Layer) disk.Layer { return stepped{marked{l, b}, &b.steps} },
		LogBytes:  segmentBytes(),
		JoinAfter: time.Second, // and volumes are joined at the start of the next
		Sender: func(channel string, s desk.Sender) desk.Sender {
			return markSender(b, s)
		},
	}))
}
