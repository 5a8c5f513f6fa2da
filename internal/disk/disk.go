// Package disk is the one place where files are written durably.
//
// A Layer is a folder in which the program keeps things. There are two: Folder, on the real disk, and Lossy, for
// tests, which forgets at a chosen step every write and rename that was not yet synced, as a power cut does.
// Both pass the same suite.
//
// The rules that all durable writing here keeps to:
//
//   - What must stay is synced before it is acknowledged: a file by File.Sync, a new, renamed or removed name by
//     SyncDir of its folder. Replace and OpenAppend do both.
//   - An error of a sync is returned and the sync is never tried again: after it Linux may have dropped the pages, and
//     a second sync would say yes to bytes that are gone. Whoever gets one stops writing to that file.
//   - One process writes to a folder (Lock); others may read beside it.
//   - A reserve of real space (Ballast) is given back when the disk is full, so that the alarm can still be written.
package disk

import (
	"io"
	"io/fs"
)

// A File is an open file of a Layer.
type File interface {
	io.Reader
	io.Writer // at the end, when the file was opened with os.O_APPEND
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error                // fsync: after it, what was written stays
	Truncate(size int64) error  //
	Stat() (fs.FileInfo, error) //
}

// A Layer is a folder and the files below it. Names use slashes and may not leave the folder.
type Layer interface {
	OpenFile(name string, flag int, perm fs.FileMode) (File, error) // flags and errors as os.OpenFile
	Rename(old, new string) error                                   // replaces new; durable after SyncDir
	Remove(name string) error                                       // durable after SyncDir
	MkdirAll(name string, perm fs.FileMode) error                   //
	ReadDir(name string) ([]fs.DirEntry, error)                     // sorted by name
	Stat(name string) (fs.FileInfo, error)                          //
	SyncDir(name string) error                                      // fsync of a folder: its new, renamed and removed names stay
	Free() (bytes uint64, err error)                                // what the disk can still take
}
