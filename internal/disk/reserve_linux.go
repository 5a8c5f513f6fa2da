package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// reserve allocates size bytes of a file on the real disk without writing them. done is false where the file system
// cannot (some network and overlay ones) or the file is not on a disk.
func reserve(f File, size int64) (done bool, err error) {
	file, ok := f.(*os.File)
	if !ok || size <= 0 {
		return false, nil
	}
	for {
		err = unix.Fallocate(int(file.Fd()), 0, 0, size)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return false, nil
	}
	return err == nil, err
}
