package agent

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
)

// TestFollow: given a watched file, when something happens to it, then its lines are kept once, in order.
func TestFollow(t *testing.T) {
	tests := []struct {
		name string
		do   func(t *testing.T, k *kept, log string) // the file holds "a" when it begins, and "a" is kept
		want []string
	}{
		{"more is written", func(t *testing.T, k *kept, log string) {
			write(t, log, "b\nc\n")
		}, []string{"a", "b", "c"}},
		{"a line comes in pieces", func(t *testing.T, k *kept, log string) {
			write(t, log, "b1")
			time.Sleep(30 * time.Millisecond)
			write(t, log, "b2")
			time.Sleep(30 * time.Millisecond)
			write(t, log, "b3\n")
		}, []string{"a", "b1b2b3"}},
		{"carriage returns, NULs, empty lines and bytes that are no text", func(t *testing.T, k *kept, log string) {
			write(t, log, "b\r\n\x00c\x00\n\n\xff\xfe\n")
		}, []string{"a", "b\r", "\x00c\x00", "", "\xff\xfe"}},
		{"rotation by rename", func(t *testing.T, k *kept, log string) {
			write(t, log, "b\n")
			rename(t, log, log+".1")
			write(t, log+".1", "c\n") // the program was not told yet
			write(t, log, "d\n")
		}, []string{"a", "b", "c", "d"}},
		{"rotation by rename, the last line without an end", func(t *testing.T, k *kept, log string) {
			write(t, log, "b")
			rename(t, log, log+".1")
			write(t, log, "c\n")
		}, []string{"a", "b", "c"}},
		{"rotation by rename, a line that comes late", func(t *testing.T, k *kept, log string) {
			rename(t, log, log+".1")
			write(t, log, "b\n")
			exactly(t, k, log, "a", "b")
			write(t, log+".1", "c\n")
		}, []string{"a", "b", "c"}},
		{"several rotations at once", func(t *testing.T, k *kept, log string) {
			write(t, log, "b\n")
			rename(t, log, log+".1")
			write(t, log, "c\n")
			rename(t, log+".1", log+".2")
			rename(t, log, log+".1")
			write(t, log, "d\n")
		}, []string{"a", "b", "c", "d"}},
		{"rotation to dated names", func(t *testing.T, k *kept, log string) {
			rename(t, log, log+"-20261122")
			write(t, log, "b\n")
			rename(t, log, log+"-20261123")
			write(t, log, "c\n")
		}, []string{"a", "b", "c"}},
		{"truncation", func(t *testing.T, k *kept, log string) {
			os.Truncate(log, 0)
			time.Sleep(50 * time.Millisecond)
			write(t, log, "b\n")
		}, []string{"a", "b"}},
		{"truncation, and soon longer than before", func(t *testing.T, k *kept, log string) {
			os.Truncate(log, 0)
			write(t, log, "bbbbbbbbbbbb\nc\n")
		}, []string{"a", "bbbbbbbbbbbb", "c"}},
		{"copy and truncate", func(t *testing.T, k *kept, log string) {
			write(t, log, "b\nrest")
			copyTruncate(t, log, log+".1")
			write(t, log, "c\n")
		}, []string{"a", "b", "rest", "c"}},
		{"deleted and made again", func(t *testing.T, k *kept, log string) {
			write(t, log, "b\n")
			exactly(t, k, log, "a", "b")
			os.Remove(log)
			time.Sleep(30 * time.Millisecond)
			write(t, log, "c\n")
		}, []string{"a", "b", "c"}},
		{"rotated and packed at once", func(t *testing.T, k *kept, log string) {
			write(t, log, "b\n")
			rename(t, log, log+".1")
			pack(t, log+".1")
			write(t, log, "c\n")
		}, []string{"a", "b", "c"}},
		{"replaced by a symbolic link to another file", func(t *testing.T, k *kept, log string) {
			other := filepath.Join(t.TempDir(), "other")
			write(t, other, "b\n")
			os.Symlink(other, log+".new")
			rename(t, log+".new", log)
			write(t, other, "c\n")
		}, []string{"a", "b", "c"}},
		{"renamed to a name that says nothing", func(t *testing.T, k *kept, log string) {
			write(t, log, "b\n")
			rename(t, log, filepath.Join(filepath.Dir(log), "saved"))
			write(t, log, "c\n")
		}, []string{"a", "b", "c"}},
	}
	for _, down := range []string{"running", "stopped meanwhile"} {
		for _, x := range tests {
			if down != "running" && (x.name == "deleted and made again" || x.name == "rotation by rename, a line that comes late" || strings.Contains(x.name, "symbolic")) {
				continue // then it is gone, or read only by who was there
			}
			t.Run(x.name+", "+down, func(t *testing.T) {
				t.Parallel()
				log := filepath.Join(t.TempDir(), "shop.log")
				first := "a" + strings.Repeat(".", 40) // prints of less are not believed of foreign names
				write(t, log, first+"\n")
				k := newKept()
				_, stop := run(t, fast(k, log))
				exactly(t, k, log, first)
				if down != "running" {
					stop()
				}
				k.mu.Lock()
				k.lines[0].Raw = "a"
				k.mu.Unlock()
				x.do(t, k, log)
				if down != "running" {
					run(t, fast(k, log))
				}
				exactly(t, k, log, x.want...)
				time.Sleep(60 * time.Millisecond)
				exactly(t, k, log, x.want...)
			})
		}
	}
}

func copyTruncate(t *testing.T, log, to string) {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(data))
	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
}

// pack does as gzip does: the new file has the old one's times.
func pack(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	st, _ := os.Stat(name)
	f, err := os.Create(name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	z.Write(data)
	z.Close()
	f.Close()
	os.Chtimes(name+".gz", st.ModTime(), st.ModTime())
	os.Remove(name)
}

func TestMissingThenThere(t *testing.T) {
	log := filepath.Join(t.TempDir(), "later", "shop.log")
	k := newKept()
	before := time.Now()
	w, _ := run(t, fast(k, log))
	until(t, "shown as missing", func() bool { return sourceOf(w, log).State == Missing })
	if s := sourceOf(w, log); s.Why == "" || s.Pattern != log {
		t.Errorf("the source says %+v", s)
	}
	after := time.Now()
	os.Mkdir(filepath.Dir(log), 0o700)
	write(t, log, "a\n")
	exactly(t, k, log, "a")
	says(t, w, log, func(s Source) bool {
		return s.State == OK && s.Why == "" && s.Lines == 1 && s.Bytes == 2 && s.Lag == 0 && !s.LastLine.Before(after)
	})
	if at := k.started[log]; at.Before(before) || at.After(after) {
		t.Errorf("watching is said to start at %v, and not when it was first waited for: what comes then would be history", at)
	}
	os.Remove(log)
	until(t, "shown as missing again", func() bool { return sourceOf(w, log).State == Missing })
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	secret, pipe, sub := filepath.Join(dir, "secret.log"), filepath.Join(dir, "a[b"), filepath.Join(dir, "x.log")
	write(t, secret, "a\n")
	if err := mkfifo(pipe); err != nil {
		t.Fatal(err)
	}
	os.Chmod(secret, 0)
	k := newKept()
	w, _ := run(t, fast(k, secret, pipe, sub))
	until(t, "the pipe is refused", func() bool {
		return sourceOf(w, pipe).State == Unreadable && strings.Contains(sourceOf(w, pipe).Why, "not a regular file")
	})
	if os.Geteuid() == 0 {
		t.Log("root reads everything: no permission is missing")
		exactly(t, k, secret, "a")
		return
	}
	until(t, "shown as unreadable", func() bool { return sourceOf(w, secret).State == Unreadable })
	os.Chmod(secret, 0o600)
	exactly(t, k, secret, "a")
	says(t, w, secret, func(s Source) bool { return s.State == OK })
}

func TestPatterns(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"shop.log", "shop.log.1", "shop.log-20261101", "shop.log.2.gz", "messages", ".hidden.log", "wtmp", "photo.png", "php8.2-fpm.log", "day-2026-11-22.log"} {
		write(t, in(name), name+"\n")
	}
	os.Mkdir(in("sub.log"), 0o700)
	write(t, in("sub.log/inner.log"), "inner\n")
	os.Symlink(in("shop.log"), in("alias.log"))
	k := newKept()
	w, _ := run(t, fast(k, dir, in("*.jsonl"), in("none-*.log")))
	exactly(t, k, in("shop.log"), "shop.log")
	write(t, in("new.log"), "n\n")
	write(t, in("orders.jsonl"), "{}\n")
	write(t, in("none-1.log"), "one\n")
	exactly(t, k, in("new.log"), "n")
	exactly(t, k, in("orders.jsonl"), "{}")
	rename(t, in("shop.log"), in("shop.log.0"))
	if s := sourceOf(w, dir); s.Path != "" {
		t.Errorf("a folder with logs is shown as %+v", s)
	}
	write(t, in("shop.log"), "again\n")
	exactly(t, k, in("shop.log"), "shop.log", "again")
	var got []string
	for _, s := range w.Sources() {
		got = append(got, filepath.Base(s.Path))
	}
	want := "day-2026-11-22.log messages new.log none-*.log none-1.log orders.jsonl php8.2-fpm.log shop.log"
	if s := strings.Join(got, " "); s != want && s != strings.Replace(want, "none-*.log ", "", 1) {
		t.Errorf("sources are\n%s, want\n%s", s, want)
	}
	until(t, "the glob is no longer shown as empty", func() bool { return sourceOf(w, in("none-*.log")).Path == "" })
	if got := k.of(in("alias.log")); got != nil {
		t.Errorf("the link was read beside the file: %q", got)
	}
}

// TestRenamedInFolder: given a watched folder, when a log is renamed to a name that looks like another log, then its lines are
// not read again, and what is added to it is read.
func TestRenamedInFolder(t *testing.T) {
	dir := t.TempDir()
	log, other := filepath.Join(dir, "shop.log"), filepath.Join(dir, "shop_closed.log")
	line := strings.Repeat("x", 100)
	write(t, log, line+"\n")
	k := newKept()
	w, stop := run(t, fast(k, dir))
	exactly(t, k, log, line)
	rename(t, log, other)
	write(t, log, "b\n")
	exactly(t, k, log, line, "b")
	until(t, "the other name is watched", func() bool { return sourceOf(w, other).State == OK })
	write(t, other, "c\n")
	exactly(t, k, other, "c")
	stop()
	write(t, other, "d\n")
	run(t, fast(k, dir))
	exactly(t, k, other, "c", "d")
	exactly(t, k, log, line, "b")
}

// TestHistory: given files with content of their own times, when watching starts, then lines come in order of time,
// and those without one after the line before them.
func TestHistory(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.log"), "t=1 a\nt=4 a\n more\nt=9 a\n")
	write(t, filepath.Join(dir, "b.log"), "t=2 b\nt=3 b\nt=5 b\n")
	write(t, filepath.Join(dir, "c.log"), "head\nt=4 c\nt=2 c\n")
	k := newKept()
	run(t, fast(k, dir))
	until(t, "everything is read", func() bool { return len(k.all()) == 10 })
	want := []string{"c.log head", "a.log t=1 a", "b.log t=2 b", "b.log t=3 b", "a.log t=4 a", "a.log  more", "c.log t=4 c", "c.log t=2 c", "b.log t=5 b", "a.log t=9 a"}
	if got := k.all(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if k.batches != 2 {
		t.Errorf("%d batches, want one that starts watching and one with lines", k.batches)
	}
}

func TestLongLine(t *testing.T) {
	log := filepath.Join(t.TempDir(), "shop.log")
	full, over := strings.Repeat("f", record.MaxLine), strings.Repeat("o", record.MaxLine+1)
	write(t, log, "a\n"+full+"\n"+over+over+over+"\nb\n")
	k := newKept()
	w, _ := run(t, fast(k, log))
	exactly(t, k, log, "a", full, over[:record.MaxLine], "b")
	says(t, w, log, func(s Source) bool {
		return s.Cut == 1 && s.Lines == 4 && s.Bytes == 2+record.MaxLine+1+3*(record.MaxLine+1)+1+2
	})
}

func TestLost(t *testing.T) {
	log := filepath.Join(t.TempDir(), "shop.log")
	write(t, log, strings.Repeat("a", 100)+"\n")
	k := newKept()
	_, stop := run(t, fast(k, log))
	exactly(t, k, log, strings.Repeat("a", 100))
	stop()
	os.Remove(log)
	write(t, log, strings.Repeat("b", 200)+"\n")
	w, _ := run(t, fast(k, log))
	exactly(t, k, log, strings.Repeat("a", 100), strings.Repeat("b", 200))
	says(t, w, log, func(s Source) bool { return s.Gaps == 1 })
}

// TestEmptyThenRotated: given a log that was empty when watching stopped, when it got lines and was rotated before watching
// goes on, then they are found by the time at which watching stopped.
func TestEmptyThenRotated(t *testing.T) {
	log := filepath.Join(t.TempDir(), "shop.log")
	write(t, log+".1", "old\n")
	os.Chtimes(log+".1", time.Time{}, time.Now().Add(-time.Hour))
	write(t, log, "")
	k := newKept()
	_, stop := run(t, fast(k, log))
	until(t, "watching has started", func() bool { return len(k.start()) == 1 })
	stop()
	rename(t, log+".1", log+".2")
	write(t, log, "a\n")
	rename(t, log, log+".1")
	write(t, log, "b\n")
	o := fast(k, log)
	o.Since = time.Now().Add(-time.Minute)
	run(t, o)
	exactly(t, k, log, "a", "b")
}

func TestStuck(t *testing.T) {
	log := filepath.Join(t.TempDir(), "shop.log")
	write(t, log, "a\n")
	k := newKept()
	full := true
	k.refuse = func() error {
		if full {
			return errTest
		}
		return nil
	}
	w, _ := run(t, fast(k, log))
	until(t, "it says that it waits", func() bool { _, err := w.Stuck(); return err == errTest })
	write(t, log, "b\n")
	says(t, w, log, func(s Source) bool { return s.Lines == 0 && s.Lag == 4 })
	k.mu.Lock()
	full = false
	k.mu.Unlock()
	exactly(t, k, log, "a", "b")
	until(t, "it says that it goes on", func() bool { _, err := w.Stuck(); return err == nil })
}

func TestStampPanics(t *testing.T) {
	log := filepath.Join(t.TempDir(), "shop.log")
	write(t, log, "a\nb\n")
	k := newKept()
	o := fast(k, log)
	o.Stamp = func(_, raw string) (time.Time, bool) { panic("on " + raw) }
	run(t, o)
	exactly(t, k, log, "a", "b")
}
