package shelf

import (
	"fmt"
	"io"
)

// openGuarded is openParquet for files whose bytes may have been changed: places outside of the file are its fault, not the disk's, and what
// makes the reader panic is an error. So such a volume is set aside, and the others are searched.
func openGuarded(r io.ReaderAt, size int64) (chunks []*Chunk, err error) {
	defer func() {
		if e := recover(); e != nil {
			chunks, err = nil, fmt.Errorf("the file is not as it was written: %v", e)
		}
	}()
	return openParquet(io.NewSectionReader(r, 0, size), size)
}
