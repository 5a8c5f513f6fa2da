package disk

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLayers is the suite that both layers pass: a test on the lossy one says something about the real one.
func TestLayers(t *testing.T) {
	layers := map[string]func(t *testing.T) Layer{
		"folder": func(t *testing.T) Layer {
			f, err := Open(filepath.Join(t.TempDir(), "a", "data"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		},
		"lossy": func(*testing.T) Layer { return NewLossy() },
	}
	cases := []struct {
		name string
		run  func(*testing.T, Layer)
	}{
		{"a missing file is ErrNotExist", func(t *testing.T, l Layer) {
			_, err := ReadFile(l, "x")
			wantErr(t, err, fs.ErrNotExist)
			_, err = l.OpenFile("no/x", os.O_RDWR|os.O_CREATE, 0o600)
			wantErr(t, err, fs.ErrNotExist)
			_, err = l.Stat("x")
			wantErr(t, err, fs.ErrNotExist)
			_, err = l.ReadDir("x")
			wantErr(t, err, fs.ErrNotExist)
			wantErr(t, l.Remove("x"), fs.ErrNotExist)
			wantErr(t, l.Rename("x", "y"), fs.ErrNotExist)
			wantErr(t, l.SyncDir("x"), fs.ErrNotExist)
		}},
		{"names cannot leave", func(t *testing.T, l Layer) {
			for _, name := range []string{"../x", "/etc/x", "", "a/../../x", "./x", "a//x", "x/"} {
				_, err := l.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
				wantErr(t, err, fs.ErrInvalid)
				wantErr(t, l.Remove(name), fs.ErrInvalid)
				wantErr(t, l.Rename("a", name), fs.ErrInvalid)
				wantErr(t, l.Rename(name, "a"), fs.ErrInvalid)
				wantErr(t, l.MkdirAll(name, 0o700), fs.ErrInvalid)
				wantErr(t, l.SyncDir(name), fs.ErrInvalid)
				_, err = l.Stat(name)
				wantErr(t, err, fs.ErrInvalid)
				_, err = l.ReadDir(name)
				wantErr(t, err, fs.ErrInvalid)
			}
		}},
		{"write, read, read at, stat", func(t *testing.T, l Layer) {
			f := open(t, l, "x", os.O_RDWR|os.O_CREATE)
			write(t, f, "hello ")
			write(t, f, "world")
			if _, err := f.WriteAt([]byte("J"), 0); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 5)
			if n, err := f.ReadAt(b, 6); n != 5 || err != nil || string(b) != "world" {
				t.Fatalf("read at 6: %d %q %v", n, b, err)
			}
			if n, err := f.ReadAt(b, 9); n != 2 || err != io.EOF {
				t.Fatalf("read at 9: %d %v, want 2 EOF", n, err)
			}
			if n, err := f.Read(b); n != 0 || err != io.EOF {
				t.Fatalf("read at the end: %d %v", n, err)
			}
			if st, err := f.Stat(); err != nil || st.Size() != 11 || st.Name() != "x" || st.Mode() != 0o600 {
				t.Fatalf("stat: %v %v", st, err)
			}
			want(t, l, "x", "Jello world")
		}},
		{"append writes at the end, whoever wrote there", func(t *testing.T, l Layer) {
			a, b := open(t, l, "x", os.O_RDWR|os.O_APPEND|os.O_CREATE), open(t, l, "x", os.O_WRONLY|os.O_APPEND)
			write(t, a, "1")
			write(t, b, "2")
			write(t, a, "3")
			if _, err := a.WriteAt([]byte("x"), 0); err == nil {
				t.Fatal("WriteAt on an append file must fail")
			}
			want(t, l, "x", "123")
		}},
		{"truncate shortens, lengthens with zeros", func(t *testing.T, l Layer) {
			f := open(t, l, "x", os.O_RDWR|os.O_APPEND|os.O_CREATE)
			write(t, f, "abcdef")
			for _, size := range []int64{3, 5} {
				if err := f.Truncate(size); err != nil {
					t.Fatal(err)
				}
			}
			write(t, f, "z")
			want(t, l, "x", "abc\x00\x00z")
			f = open(t, l, "x", os.O_WRONLY|os.O_TRUNC)
			want(t, l, "x", "")
			if _, err := f.WriteAt([]byte("z"), 2); err != nil {
				t.Fatal(err)
			}
			want(t, l, "x", "\x00\x00z")
		}},
		{"flags are kept to", func(t *testing.T, l Layer) {
			f := open(t, l, "x", os.O_WRONLY|os.O_CREATE|os.O_EXCL)
			write(t, f, "1")
			if _, err := f.Read(make([]byte, 1)); err == nil {
				t.Fatal("read of a file opened for writing")
			}
			_, err := l.OpenFile("x", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			wantErr(t, err, fs.ErrExist)
			f = open(t, l, "x", os.O_RDONLY)
			if _, err := f.Write([]byte("1")); err == nil {
				t.Fatal("write to a file opened for reading")
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			wantErr(t, f.Close(), fs.ErrClosed)
			_, err = f.Read(make([]byte, 1))
			wantErr(t, err, fs.ErrClosed)
			wantErr(t, f.Sync(), fs.ErrClosed)
			_, err = f.Stat()
			wantErr(t, err, fs.ErrClosed)
		}},
		{"rename replaces; who has it open keeps the old", func(t *testing.T, l Layer) {
			put(t, l, "a", "old")
			put(t, l, "b", "new")
			f := open(t, l, "a", os.O_RDONLY)
			if err := l.Rename("b", "a"); err != nil {
				t.Fatal(err)
			}
			want(t, l, "a", "new")
			if b, err := io.ReadAll(f); err != nil || string(b) != "old" {
				t.Fatalf("open file: %q %v", b, err)
			}
			_, err := l.Stat("b")
			wantErr(t, err, fs.ErrNotExist)
		}},
		{"folders", func(t *testing.T, l Layer) {
			for range 2 {
				if err := l.MkdirAll("d/e", 0o700); err != nil {
					t.Fatal(err)
				}
			}
			put(t, l, "d/b", "1")
			put(t, l, "d/a", "22")
			list, err := l.ReadDir("d")
			if err != nil || len(list) != 3 || list[0].Name() != "a" || list[1].Name() != "b" || list[2].Name() != "e" || !list[2].IsDir() {
				t.Fatalf("folder d: %v %v", list, err)
			}
			if in, err := list[0].Info(); err != nil || in.Size() != 2 {
				t.Fatalf("d/a: %v %v", in, err)
			}
			if list, err := l.ReadDir("."); err != nil || len(list) != 1 {
				t.Fatalf("folder: %v %v", list, err)
			}
			wantErr(t, l.Remove("d"), syscall.ENOTEMPTY)
			wantErr(t, l.MkdirAll("d/a/x", 0o700), syscall.ENOTDIR)
			if err := l.Rename("d/a", "d/e/a"); err != nil {
				t.Fatal(err)
			}
			want(t, l, "d/e/a", "22")
			for _, name := range []string{"d/e/a", "d/e", "d/b", "d"} {
				if err := l.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
			if list, err := l.ReadDir("."); err != nil || len(list) != 0 {
				t.Fatalf("folder: %v %v", list, err)
			}
			if err := l.SyncDir("."); err != nil {
				t.Fatal(err)
			}
		}},
		{"replace", func(t *testing.T, l Layer) {
			if err := l.MkdirAll("d", 0o700); err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"first, longer", "second"} {
				if err := Replace(l, "d/x", []byte(text)); err != nil {
					t.Fatal(err)
				}
				want(t, l, "d/x", text)
			}
			if list, _ := l.ReadDir("d"); len(list) != 1 {
				t.Fatalf("left behind: %v", list)
			}
		}},
		{"open append", func(t *testing.T, l Layer) {
			for _, text := range []string{"1", "2"} {
				f, err := OpenAppend(l, "x")
				if err != nil {
					t.Fatal(err)
				}
				write(t, f, text)
			}
			want(t, l, "x", "12")
		}},
		{"ballast", func(t *testing.T, l Layer) {
			for _, size := range []int64{3 << 20, 3 << 20, 1 << 20} {
				if err := Ballast(l, "ballast", size); err != nil {
					t.Fatal(err)
				}
				if st, err := l.Stat("ballast"); err != nil || st.Size() != size {
					t.Fatalf("ballast: %v %v", st, err)
				}
			}
			for range 2 {
				if err := DropBallast(l, "ballast"); err != nil {
					t.Fatal(err)
				}
			}
			_, err := l.Stat("ballast")
			wantErr(t, err, fs.ErrNotExist)
		}},
		{"free is told", func(t *testing.T, l Layer) {
			if n, err := l.Free(); err != nil || n == 0 {
				t.Fatalf("free: %d %v", n, err)
			}
		}},
		{"a large file is read whole", func(t *testing.T, l Layer) {
			text := strings.Repeat("0123456789abcdef", 20000)
			put(t, l, "x", text)
			want(t, l, "x", text)
		}},
	}
	for layer, make := range layers {
		for _, c := range cases {
			t.Run(layer+"/"+c.name, func(t *testing.T) { c.run(t, make(t)) })
		}
	}
}

func open(t *testing.T, l Layer, name string, flag int) File {
	t.Helper()
	f, err := l.OpenFile(name, flag, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, f File, text string) {
	t.Helper()
	if n, err := f.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("write %q: %d %v", text, n, err)
	}
}

func put(t *testing.T, l Layer, name, text string) {
	t.Helper()
	write(t, open(t, l, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC), text)
}

func want(t *testing.T, l Layer, name, text string) {
	t.Helper()
	b, err := ReadFile(l, name)
	if err != nil || string(b) != text {
		t.Fatalf("%s is %.50q (%v), want %.50q", name, b, err, text)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

func TestFolderIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "data")
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Fatalf("mode %v (%v), want 0700", st.Mode(), err)
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(f, "out/hosts"); err == nil {
		t.Fatal("a symbolic link led out of the folder")
	}
}

func TestBallastTakesRealSpace(t *testing.T) {
	dir := t.TempDir()
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := Ballast(f, "ballast", 2<<20); err != nil {
		t.Fatal(err)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(filepath.Join(dir, "ballast"), &st); err != nil {
		t.Fatal(err)
	}
	if st.Blocks*512 < 2<<20 {
		t.Fatalf("the ballast takes %d bytes on disk, want at least %d", st.Blocks*512, 2<<20)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	held, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lock(dir)
	locked, ok := errors.AsType[*LockedError](err)
	if !ok || locked.PID != os.Getpid() || !strings.Contains(err.Error(), "stop that one first") {
		t.Fatalf("second lock: %v", err)
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	held, err = Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	// Given a lock file whose number was scribbled over, when a second asks, then it is refused without a number.
	held, err = Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Unlock()
	for _, text := range []string{"", "\x1b[31mkill everything", "-5", strings.Repeat("9", 99)} {
		if err := os.WriteFile(filepath.Join(dir, lockName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = Lock(dir)
		if locked, ok := errors.AsType[*LockedError](err); !ok || locked.PID != 0 || bytes.ContainsRune([]byte(err.Error()), 0x1b) {
			t.Fatalf("lock holding %q: %v", text, err)
		}
	}
}
