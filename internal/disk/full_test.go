package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

func TestFull(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.ENOSPC: true,
		syscall.EDQUOT: true,
		fmt.Errorf("writing: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}): true,
		syscall.EIO:        false,
		errors.New("full"): false,
	} {
		if Full(err) != want {
			t.Errorf("%v is full: %v", err, !want)
		}
	}
	if Full(nil) {
		t.Error("no error is full")
	}
}
