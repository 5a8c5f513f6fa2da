package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// A lossyFile is an open file of a Lossy. It stays usable when its name is removed or replaced.
type lossyFile struct {
	l      *Lossy
	n      *node
	name   string
	flag   int
	at     int64
	closed bool
}

func (f *lossyFile) fail(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

func (f *lossyFile) readable() error {
	if f.closed {
		return fs.ErrClosed
	}
	if f.flag&os.O_WRONLY != 0 {
		return syscall.EBADF
	}
	return f.l.alive()
}

func (f *lossyFile) writable() error {
	if f.closed {
		return fs.ErrClosed
	}
	if f.flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return syscall.EBADF
	}
	return f.l.step()
}

func (f *lossyFile) Read(p []byte) (int, error) {
	f.l.mu.Lock()
	defer f.l.mu.Unlock()
	n, err := f.readAt(p, f.at)
	f.at += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *lossyFile) ReadAt(p []byte, off int64) (int, error) {
	f.l.mu.Lock()
	defer f.l.mu.Unlock()
	if off < 0 {
		return 0, f.fail("readat", fs.ErrInvalid)
	}
	return f.readAt(p, off)
}

func (f *lossyFile) readAt(p []byte, off int64) (int, error) {
	if err := f.readable(); err != nil {
		return 0, f.fail("read", err)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *lossyFile) Write(p []byte) (int, error) {
	f.l.mu.Lock()
	defer f.l.mu.Unlock()
	if f.flag&os.O_APPEND != 0 {
		f.at = int64(len(f.n.data))
	}
	n, err := f.writeAt(p, f.at)
	f.at += int64(n)
	return n, err
}

func (f *lossyFile) WriteAt(p []byte, off int64) (int, error) {
	f.l.mu.Lock()
	defer f.l.mu.Unlock()
	if f.flag&os.O_APPEND != 0 {
		return 0, f.fail("writeat", errors.New("invalid use of WriteAt on a file opened with O_APPEND"))
	}
	if off < 0 {
		return 0, f.fail("writeat", fs.ErrInvalid)
	}
	return f.writeAt(p, off)
}

// writeAt writes as much as the layer has room for, as a disk that fills up does.
func (f *lossyFile) writeAt(p []byte, off int64) (int, error) {
	if err := f.writable(); err != nil {
		return 0, f.fail("write", err)
	}
	if len(p) == 0 {
		return 0, nil
	}
	room := max(int64(len(f.n.data))-off, 0) + max(f.l.free-max(off-int64(len(f.n.data)), 0), 0)
	var err error
	if int64(len(p)) > room {
		p, err = p[:room], f.fail("write", syscall.ENOSPC)
	}
	if len(p) > 0 {
		c := change{at: off, data: append([]byte(nil), p...)}
		size := len(f.n.data)
		f.n.data = c.on(f.n.data)
		f.l.free -= int64(len(f.n.data) - size)
		f.n.changes = append(f.n.changes, c)
	}
	return len(p), err
}

func (f *lossyFile) Truncate(size int64) error {
	f.l.mu.Lock()
	defer f.l.mu.Unlock()
	if size < 0 {
		return f.fail("truncate", fs.ErrInvalid)
	}
	if err := f.writable(); err != nil {
		return f.fail("truncate", err)
	}
	if size-int64(len(f.n.data)) > f.l.free {
		return f.fail("truncate", syscall.ENOSPC)
	}
	f.l.truncate(f.n, size)
	return nil
}

func (l *Lossy) truncate(n *node, size int64) {
	c := change{at: size, cut: true}
	l.free += int64(len(n.data)) - size
	n.data = c.on(n.data)
	n.changes = append(n.changes, c)
}

func (f *lossyFile) Sync() error {
	f.l.mu.Lock()
	defer f.l.mu.Unlock()
	if f.closed {
		return f.fail("sync", fs.ErrClosed)
	}
	if err := f.l.step(); err != nil {
		if !errors.Is(err, ErrStopped) {
			f.n.changes = nil
		}
		return f.fail("sync", err)
	}
	for _, c := range f.n.changes {
		f.n.synced = c.on(f.n.synced)
	}
	f.n.changes = nil
	return nil
}

func (f *lossyFile) Stat() (fs.FileInfo, error) {
	f.l.mu.Lock()
	defer f.l.mu.Unlock()
	if f.closed {
		return nil, f.fail("stat", fs.ErrClosed)
	}
	if err := f.l.alive(); err != nil {
		return nil, f.fail("stat", err)
	}
	return f.n.stat(path.Base(f.name)), nil
}

func (f *lossyFile) Close() error {
	f.l.mu.Lock()
	defer f.l.mu.Unlock()
	if f.closed {
		return f.fail("close", fs.ErrClosed)
	}
	f.closed = true
	return nil
}

// on applies c to a file's bytes. A hole reads as zeros.
func (c change) on(b []byte) []byte {
	end := c.at + int64(len(c.data))
	if c.cut && end < int64(len(b)) {
		return b[:end:end]
	}
	if grow := end - int64(len(b)); grow > 0 {
		b = append(b, make([]byte, grow)...)
	}
	copy(b[c.at:], c.data)
	return b
}
