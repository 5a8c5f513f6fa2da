package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// ReadFile reads a whole file.
func ReadFile(l Layer, name string) ([]byte, error) {
	f, err := l.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int64(0)
	if st, err := f.Stat(); err == nil {
		size = st.Size()
	}
	data := make([]byte, 0, size+512)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return data, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

// Replace gives the file name the content data, wholly or not at all, for its owner alone (0600). When it returns
// nil the new content survives a power cut; when it returns an error the file holds the old content or the new.
//
// The order is: temporary file beside it, write, fsync, rename, fsync of the folder. A cut before the rename leaves
// the old file and perhaps name.tmp, which the next Replace overwrites.
func Replace(l Layer, name string, data []byte) error {
	tmp := name + ".tmp"
	f, err := l.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("replacing %s: %w", name, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = l.Rename(tmp, name)
	}
	if err != nil {
		_ = l.Remove(tmp) // only tidiness: on a full disk its bytes are wanted back
		return fmt.Errorf("replacing %s: %w", name, err)
	}
	if err := l.SyncDir(path.Dir(name)); err != nil {
		return fmt.Errorf("replacing %s: %w", name, err)
	}
	return nil
}

// OpenAppend opens a file for reading and for writing at its end, and makes it (0600) when it is missing.
//
// What the caller then reads is durable: file and folder are synced first. Else a program that was killed between
// write and fsync could act, after its restart, on bytes that only the page cache holds, and lose them in a power cut.
func OpenAppend(l Layer, name string) (File, error) {
	f, err := l.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err = f.Sync(); err == nil {
		err = l.SyncDir(path.Dir(name))
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	return f, nil
}

// Ballast makes a file of size bytes that takes real space, so that DropBallast can free it when the disk is full and
// the alarm must still be written. A ballast that is already there costs nothing. When the disk cannot take it,
// nothing is left behind and the error is ENOSPC.
func Ballast(l Layer, name string, size int64) error {
	if st, err := l.Stat(name); err == nil && st.Size() == size {
		return nil
	}
	err := fillBallast(l, name, size)
	if err != nil {
		_ = l.Remove(name)
		return fmt.Errorf("reserving %d bytes in %s: %w; free space on this disk", size, name, err)
	}
	return nil
}

func fillBallast(l Layer, name string, size int64) error {
	f, err := l.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if done, err := reserve(f, size); err != nil {
		return err
	} else if !done {
		if err := writeZeros(f, size); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return l.SyncDir(path.Dir(name))
}

func writeZeros(w io.Writer, size int64) error {
	zeros := make([]byte, min(size, 1<<20))
	for size > 0 {
		n, err := w.Write(zeros[:min(size, int64(len(zeros)))])
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return nil
}

// DropBallast gives the ballast's space back. It is no error when it was dropped already.
func DropBallast(l Layer, name string) error {
	err := l.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("giving back the reserve %s: %w", name, err)
	}
	if err := l.SyncDir(path.Dir(name)); err != nil {
		return fmt.Errorf("giving back the reserve %s: %w", name, err)
	}
	return nil
}

// Full reports whether err says that there is no room: on the disk (ENOSPC), or in what the account may use of it (EDQUOT).
func Full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
