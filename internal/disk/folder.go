package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Folder is a Layer on the real disk. Its names cannot leave it, not through ".." and not through a symbolic link
// (os.Root), because some of them come from uploads and from other machines.
type Folder struct {
	dir  string
	root *os.Root
}

// Open opens the folder dir and makes it, for its owner alone (0700), when it is missing.
func Open(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder %s: %w", dir, err)
	}
	if err := makeFolder(dir); err != nil {
		return nil, fmt.Errorf("making the folder %s: %w; make it yourself, owned by the user that runs tocsin, or give another one", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder %s: %w", dir, err)
	}
	return &Folder{dir: dir, root: root}, nil
}

// makeFolder makes dir and the missing ones above it, and syncs the parent of each: a folder whose name is lost in a
// power cut takes with it everything that was synced inside.
func makeFolder(dir string) error {
	_, err := os.Stat(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	p, err := os.Open(parent)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.Sync()
}

// Dir is the absolute path of the folder, for messages.
func (f *Folder) Dir() string { return f.dir }

// Close gives the folder back. Files that are open stay usable.
func (f *Folder) Close() error { return f.root.Close() }

func (f *Folder) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if err := valid("open", name); err != nil {
		return nil, err
	}
	file, err := f.root.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // not file: a nil *os.File in a File is not nil
	}
	return file, nil
}

func (f *Folder) Rename(old, new string) error {
	if err := errors.Join(valid("rename", old), valid("rename", new)); err != nil {
		return err
	}
	return f.root.Rename(old, new)
}

func (f *Folder) Remove(name string) error {
	if err := valid("remove", name); err != nil {
		return err
	}
	return f.root.Remove(name)
}

func (f *Folder) MkdirAll(name string, perm fs.FileMode) error {
	if err := valid("mkdir", name); err != nil {
		return err
	}
	return f.root.MkdirAll(name, perm)
}

func (f *Folder) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := valid("readdir", name); err != nil {
		return nil, err
	}
	return fs.ReadDir(f.root.FS(), name)
}

func (f *Folder) Stat(name string) (fs.FileInfo, error) {
	if err := valid("stat", name); err != nil {
		return nil, err
	}
	return f.root.Stat(name)
}

func (f *Folder) SyncDir(name string) error {
	if err := valid("sync", name); err != nil {
		return err
	}
	d, err := f.root.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Free tells what this user can still write, in bytes: what the file system keeps back for root is not counted.
func (f *Folder) Free() (uint64, error) {
	d, err := f.root.Open(".")
	if err != nil {
		return 0, err
	}
	defer d.Close()
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(d.Fd()), &st); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: f.dir, Err: err}
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}

// valid refuses names that would leave the folder. Both layers use it, so that a test on one finds what the other refuses.
func valid(op, name string) error {
	if !fs.ValidPath(name) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}
