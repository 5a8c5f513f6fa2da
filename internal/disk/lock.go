package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// lockName is the file in a folder that its writer holds locked. It stays after Unlock: removing it would let two
// programs lock two files of that name.
const lockName = "lock"

// A Held is the lock of a folder. It ends with Unlock or with the process, however that ends.
type Held struct{ f *os.File }

// A LockedError says that another program works on the folder.
type LockedError struct {
	Dir string
	PID int // its process number; 0 when it could not be read
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("the folder %s is in use by another tocsin; stop that one first, or give another folder", e.Dir)
	}
	return fmt.Sprintf("the folder %s is in use by process %d; stop that one first (kill %d, or systemctl stop tocsin), or give another folder", e.Dir, e.PID, e.PID)
}

// Lock makes this process the only writer of the folder dir, which must exist. When another one holds it the error is
// a *LockedError. It uses flock(2), so a crash leaves no lock behind.
func Lock(dir string) (*Held, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("locking the folder %s: %w", dir, err)
	}
	defer root.Close()
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the folder %s: %w", dir, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &LockedError{Dir: dir, PID: holder(f)}
		}
		return nil, fmt.Errorf("locking the folder %s: %w", dir, err)
	}
	// The number is for the message of the second program only; the lock holds without it, on a full disk too.
	if f.Truncate(0) == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return &Held{f: f}, nil
}

// holder reads the process number that the holder of a lock wrote into it.
func holder(f *os.File) int {
	b, err := io.ReadAll(io.LimitReader(f, 20))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// Unlock lets other programs work on the folder.
func (h *Held) Unlock() error {
	_ = h.f.Truncate(0) // before the close: after it the file is another's
	return h.f.Close()
}
