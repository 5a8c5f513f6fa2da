package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

func TestLossyCrash(t *testing.T) {
	cases := []struct {
		name string
		do   func(*testing.T, *Lossy)
		left map[string]string
	}{
		{"nothing synced, nothing left", func(t *testing.T, l *Lossy) {
			put(t, l, "x", "1")
		}, map[string]string{}},
		{"file synced, its name not", func(t *testing.T, l *Lossy) {
			f := open(t, l, "x", os.O_RDWR|os.O_CREATE)
			write(t, f, "1")
			syncFile(t, f)
		}, map[string]string{}},
		{"name synced, file not: empty", func(t *testing.T, l *Lossy) {
			put(t, l, "x", "1")
			syncDir(t, l, ".")
		}, map[string]string{"x": ""}},
		{"both synced, then more written and cut", func(t *testing.T, l *Lossy) {
			f := keep(t, l, "x", "123")
			write(t, f, "4")
			if err := f.Truncate(1); err != nil {
				t.Fatal(err)
			}
		}, map[string]string{"x": "123"}},
		{"rename not synced: the old name", func(t *testing.T, l *Lossy) {
			keep(t, l, "x", "old")
			keep(t, l, "y", "new")
			if err := l.Rename("y", "x"); err != nil {
				t.Fatal(err)
			}
		}, map[string]string{"x": "old", "y": "new"}},
		{"rename synced", func(t *testing.T, l *Lossy) {
			keep(t, l, "x", "old")
			keep(t, l, "y", "new")
			if err := l.Rename("y", "x"); err != nil {
				t.Fatal(err)
			}
			syncDir(t, l, ".")
		}, map[string]string{"x": "new"}},
		{"remove not synced", func(t *testing.T, l *Lossy) {
			keep(t, l, "x", "1")
			if err := l.Remove("x"); err != nil {
				t.Fatal(err)
			}
		}, map[string]string{"x": "1"}},
		{"folder not synced in its parent", func(t *testing.T, l *Lossy) {
			if err := l.MkdirAll("d", 0o700); err != nil {
				t.Fatal(err)
			}
			f := open(t, l, "d/x", os.O_RDWR|os.O_CREATE)
			write(t, f, "1")
			syncFile(t, f)
			syncDir(t, l, "d")
		}, map[string]string{}},
		{"rename to another folder, only the new one synced: both names, one file", func(t *testing.T, l *Lossy) {
			if err := l.MkdirAll("d", 0o700); err != nil {
				t.Fatal(err)
			}
			keep(t, l, "x", "1")
			if err := l.Rename("x", "d/x"); err != nil {
				t.Fatal(err)
			}
			syncDir(t, l, "d")
		}, map[string]string{"x": "1", "d/x": "1"}},
		{"replace", func(t *testing.T, l *Lossy) {
			for _, text := range []string{"1", "2"} {
				if err := Replace(l, "x", []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
		}, map[string]string{"x": "2"}},
		{"open append keeps what it shows", func(t *testing.T, l *Lossy) {
			put(t, l, "x", "1")
			if _, err := OpenAppend(l, "x"); err != nil {
				t.Fatal(err)
			}
		}, map[string]string{"x": "1"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := NewLossy()
			c.do(t, l)
			if got := files(t, l.Crash(), "."); fmt.Sprint(got) != fmt.Sprint(c.left) {
				t.Fatalf("left %q, want %q", got, c.left)
			}
			before := files(t, l, ".")
			l.Crash()
			if fmt.Sprint(files(t, l, ".")) != fmt.Sprint(before) {
				t.Fatal("a crash changed the layer itself")
			}
		})
	}
}

// A seeded crash keeps parts of what was not synced, never less than what was; the same seed gives the same.
func TestLossyCrashSeed(t *testing.T) {
	l := NewLossy()
	f := keep(t, l, "x", "synced.")
	write(t, f, "one.")
	write(t, f, "two.")
	keep(t, l, "y", "1")
	if err := l.Rename("y", "z"); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for seed := range uint64(300) {
		got := files(t, l.CrashSeed(seed), ".")
		if again := files(t, l.CrashSeed(seed), "."); fmt.Sprint(got) != fmt.Sprint(again) {
			t.Fatalf("seed %d: %q, then %q", seed, got, again)
		}
		if len(got["x"]) < 7 || got["x"][:7] != "synced." || got["y"]+got["z"] != "1" {
			t.Fatalf("seed %d lost what was synced: %q", seed, got)
		}
		seen[got["x"]]++
		seen["z="+got["z"]]++
	}
	for _, want := range []string{"synced.", "synced.one.two.", "synced.on", "synced.\x00\x00\x00\x00two.", "z=", "z=1"} {
		if seen[want] == 0 {
			t.Errorf("no seed left %q: %v", want, seen)
		}
	}
}

// Given a replace stopped at each of its steps, when the power is cut, by any seed, the file is the old one or the new.
func TestReplaceAtEveryStep(t *testing.T) {
	for n := 0; ; n++ {
		l := NewLossy()
		if err := Replace(l, "x", []byte("old")); err != nil {
			t.Fatal(err)
		}
		l.FailAfter(l.Ops() + n)
		err := Replace(l, "x", []byte("new"))
		if err != nil && !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		for seed := range uint64(20) {
			got, rerr := ReadFile(l.CrashSeed(seed), "x")
			if rerr != nil || (string(got) != "old" && string(got) != "new") || (err == nil && string(got) != "new") {
				t.Fatalf("step %d, seed %d: %q %v after %v", n, seed, got, rerr, err)
			}
		}
		if err == nil {
			if n != 5 {
				t.Fatalf("replace takes %d steps, want 5: create, write, sync, rename, sync of the folder", n)
			}
			return
		}
		if _, err := l.Stat("x"); !errors.Is(err, ErrStopped) {
			t.Fatalf("a stopped layer answers: %v", err)
		}
	}
}

// A sync that failed has lost its bytes: trying again must not make them durable.
func TestFailedSyncLoses(t *testing.T) {
	l := NewLossy()
	f := keep(t, l, "x", "1")
	write(t, f, "2")
	l.FailAt(l.Ops()+1, syscall.EIO)
	wantErr(t, f.Sync(), syscall.EIO)
	syncFile(t, f)
	want(t, l, "x", "12")
	want(t, l.Crash(), "x", "1")
}

func TestFullDisk(t *testing.T) {
	l := NewLossy()
	if err := Ballast(l, "ballast", 10); err != nil {
		t.Fatal(err)
	}
	f := open(t, l, "x", os.O_RDWR|os.O_APPEND|os.O_CREATE)
	l.SetFree(4)
	n, err := f.Write([]byte("abcdef"))
	wantErr(t, err, syscall.ENOSPC)
	if n != 4 {
		t.Fatalf("wrote %d, want the 4 that fit", n)
	}
	wantErr(t, Replace(l, "y", []byte("1")), syscall.ENOSPC)
	wantErr(t, Ballast(l, "more", 1), syscall.ENOSPC)
	if _, err := l.Stat("more"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("a failed ballast was left behind")
	}
	if err := DropBallast(l, "ballast"); err != nil {
		t.Fatal(err)
	}
	if free, _ := l.Free(); free != 10 {
		t.Fatalf("free is %d after the ballast went, want 10", free)
	}
	write(t, f, "efghijklmn")
	wantErr(t, Replace(l, "x", []byte("1")), syscall.ENOSPC)
	want(t, l, "x", "abcdefghijklmn")
}

func keep(t *testing.T, l Layer, name, text string) File {
	t.Helper()
	f := open(t, l, name, os.O_RDWR|os.O_CREATE)
	write(t, f, text)
	syncFile(t, f)
	syncDir(t, l, ".")
	return f
}

func syncFile(t *testing.T, f File) {
	t.Helper()
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

func syncDir(t *testing.T, l Layer, name string) {
	t.Helper()
	if err := l.SyncDir(name); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, l Layer, dir string) map[string]string {
	t.Helper()
	list, err := l.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range list {
		name := e.Name()
		if dir != "." {
			name = dir + "/" + name
		}
		if e.IsDir() {
			for k, v := range files(t, l, name) {
				got[k] = v
			}
			continue
		}
		b, err := ReadFile(l, name)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(b)
	}
	return got
}
