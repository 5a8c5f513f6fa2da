package archive

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// work appends batches, lets old ones expire, and closes, until the layer fails. It returns how many were acknowledged.
func work(l disk.Layer, batches []record.Batch) (acknowledged int, err error) {
	a, _, err := Open(l, "lines", small())
	if err != nil {
		return 0, err
	}
	for i, b := range batches {
		if _, err := a.Append(b); err != nil {
			return i, err
		}
		if i == 8 {
			if _, err := a.Expire(b.Received, 5*time.Second); err != nil {
				return i + 1, err
			}
		}
	}
	return len(batches), a.Close()
}

// survives checks what an archive holds after a crash: every acknowledged batch once, in order, no half batch, positions
// that fit the last line, and that the watcher may send again what it has no receipt for. expired says that the first batches may be gone.
func survives(t *testing.T, l disk.Layer, batches []record.Batch, acknowledged int, expired bool) {
	t.Helper()
	a, said, err := Open(l, "lines", small())
	if err != nil {
		t.Fatalf("after %d acknowledged batches: %v", acknowledged, err)
	}
	want := wantLines(batches)
	compare := func() {
		t.Helper()
		first := a.First()
		if first > 1 && !expired {
			t.Fatalf("line 1 is gone: %v", said)
		}
		lines := readAll(t, a, first)
		if a.Last()%2 != 0 || len(lines) != int(a.Last()-first+1) {
			t.Fatalf("lines %d to %d should be there, but %d are", first, a.Last(), len(lines))
		}
		if !slices.Equal(lines, want[first-1:a.Last()]) {
			t.Fatalf("lines differ: %s", cmp.Diff(want[first-1:a.Last()], lines))
		}
	}
	compare()
	n := int(a.Last() / 2) // batches have two lines
	if n < acknowledged {
		t.Fatalf("%d batches were acknowledged, %d are kept (%v)", acknowledged, n, said)
	}
	position := a.Positions("shop1")["/var/log/access.log"]
	if n == 0 && position.Offset != 0 || n > 0 && position != batches[n-1].Positions[0] {
		t.Fatalf("%d batches are kept, and the position is %+v", n, position)
	}
	for _, b := range batches[max(0, acknowledged-1):] {
		add(t, a, b)
	}
	compare()
	if a.Last() != int64(len(want)) {
		t.Fatalf("after sending again there are %d lines, want %d", a.Last(), len(want))
	}
	if _, err := Verify(l, "lines"); err != nil {
		t.Fatal(err)
	}
}

func TestCrashAtEveryStep(t *testing.T) {
	batches := numbered(12)
	steps := 0
	for ; ; steps++ {
		l := disk.NewLossy()
		l.FailAfter(steps)
		acknowledged, err := work(l, batches)
		expired := acknowledged > 8
		survives(t, l.Crash(), batches, acknowledged, expired)
		for seed := range uint64(8) {
			survives(t, l.CrashSeed(seed), batches, acknowledged, expired)
		}
		// Killed, not cut off: the page cache lives. What the next start reads must survive a cut right after it.
		l.FailAfter(-1)
		a, said, err2 := Open(l, "lines", small())
		if err2 != nil {
			t.Fatal(err2)
		}
		seen := a.Last()
		after, said2 := open(t, l.Crash(), small())
		if after.Last() != seen {
			t.Fatalf("step %d: the start after a kill read %d lines (%v), the start after a cut %d (%v)", steps, seen, said, after.Last(), said2)
		}
		survives(t, l, batches, acknowledged, expired)
		if err == nil {
			break
		}
		if !errors.Is(err, disk.ErrStopped) {
			t.Fatal(err)
		}
	}
	t.Logf("%d steps", steps)
}

func TestBrokenAfterAFailedWrite(t *testing.T) {
	batches := numbered(12)
	clean := disk.NewLossy()
	if _, err := work(clean, batches); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= clean.Ops(); n++ {
		l := disk.NewLossy()
		l.FailAt(n, syscall.EIO)
		a, _, err := Open(l, "lines", small())
		if err != nil {
			continue
		}
		acknowledged := 0
		for _, b := range batches {
			if _, err = a.Append(b); err != nil {
				break
			}
			acknowledged++
		}
		if err == nil {
			continue // it failed later: in Close
		}
		if !errors.Is(err, ErrBroken) || !errors.Is(err, syscall.EIO) || !errors.Is(a.Err(), syscall.EIO) {
			t.Fatalf("operation %d failed: Append says %v, Err %v", n, err, a.Err())
		}
		if _, err := a.Append(batches[0]); !errors.Is(err, ErrBroken) {
			t.Fatalf("the next append: %v", err)
		}
		if lines := readAll(t, a, 1); len(lines) != 2*acknowledged {
			t.Fatalf("%d lines can be read of %d acknowledged batches", len(lines), acknowledged)
		}
		_ = a.Close()
		survives(t, l.Crash(), batches, acknowledged, false)
		survives(t, l, batches, acknowledged, false)
	}
}

func TestFullDisk(t *testing.T) {
	batches := numbered(30)
	for _, reserve := range []uint64{0, 5000} {
		for _, room := range []uint64{0, 10, 500, 1500, 2048} {
			t.Run(fmt.Sprintf("reserve %d, room %d", reserve, room), func(t *testing.T) {
				l := disk.NewLossy()
				o := small()
				o.Reserve = reserve
				a, _ := open(t, l, o)
				l.SetFree(room + reserve)
				acknowledged := 0
				var err error
				for _, b := range batches {
					if _, err = a.Append(b); err != nil {
						break
					}
					acknowledged++
				}
				if !errors.Is(err, ErrFull) || a.Err() != nil {
					t.Fatalf("after %d batches: %v, Err %v", acknowledged, err, a.Err())
				}
				if free, _ := l.Free(); free+1000 < reserve {
					t.Fatalf("%d bytes are left of %d reserved", free, reserve)
				}
				after := l.Crash()
				after.SetFree(1 << 40)
				survives(t, after, batches, acknowledged, false)
				readAll(t, a, 1)
				l.SetFree(1 << 40)
				for _, b := range batches[acknowledged:] {
					add(t, a, b)
				}
				if diff := cmp.Diff(wantLines(batches), readAll(t, a, 1)); diff != "" {
					t.Error(diff)
				}
				survives(t, l.Crash(), batches, len(batches), false)
			})
		}
	}
}

// flip changes one bit of a file, durably.
func flip(t *testing.T, l disk.Layer, name string, at int64) {
	t.Helper()
	f, err := l.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << (at % 8)
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

// TestDamageIsFound flips every byte of an archive that was closed in order. A change in the mark of the end can look
// like a torn tail, for it is the last write; nothing acknowledged is in it.
func TestDamageIsFound(t *testing.T) {
	l := disk.NewLossy()
	if _, err := work(l, numbered(12)); err != nil {
		t.Fatal(err)
	}
	names, _, err := list(l, "lines")
	if err != nil || len(names) < 3 {
		t.Fatalf("%d segments, %v", len(names), err)
	}
	for i, name := range names {
		stat, err := l.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := range stat.Size() {
			flip(t, l, name, at)
			c, err := Verify(l, "lines")
			damage, found := errors.AsType[*DamageError](err)
			inRest := i == len(names)-1 && at >= stat.Size()-blockHeader
			if inRest && err == nil && c.Torn != blockHeader || !inRest && (!found || damage.File != name || damage.Offset > max(at, fileHeader)) {
				t.Fatalf("byte %d of %s was changed: %v, %d torn", at, name, err, c.Torn)
			}
			_, said, err := Open(l.Crash(), "lines", small())
			if damage, found := errors.AsType[*DamageError](err); !found && !inRest || found && !strings.Contains(damage.Error(), "backup") {
				t.Fatalf("byte %d of %s was changed: the start says %v, %v", at, name, said, err)
			}
			flip(t, l, name, at)
		}
	}
	if _, err := Verify(l, "lines"); err != nil {
		t.Fatal(err)
	}
}

func TestDamageOfOldSegments(t *testing.T) {
	quickly := small()
	quickly.CheckBytes = 1
	prepare := func() (*disk.Lossy, []string) {
		l := disk.NewLossy()
		if _, err := work(l, numbered(30)); err != nil {
			t.Fatal(err)
		}
		names, _, err := list(l, "lines")
		if err != nil {
			t.Fatal(err)
		}
		return l, names
	}
	tests := []struct {
		what   string
		do     func(l *disk.Lossy, names []string) error
		opens  bool
		reads  bool
		verify string // part of its message
	}{
		{"nothing", func(*disk.Lossy, []string) error { return nil }, true, true, ""},
		{"a bit in the middle", func(l *disk.Lossy, n []string) error { flip(t, l, n[1], 400); return nil }, true, false, "checksum"},
		{"a missing segment", func(l *disk.Lossy, n []string) error { return l.Remove(n[1]) }, false, false, "should follow"},
		{"a segment twice", func(l *disk.Lossy, n []string) error { return l.Rename(n[1], n[2]) }, false, false, "should follow"},
		{"a cut segment", func(l *disk.Lossy, n []string) error { return truncate(l, n[1], 600) }, false, false, "has no end"},
		{"an empty segment", func(l *disk.Lossy, n []string) error { return truncate(l, n[1], 0) }, false, false, "does not begin with"},
		{"the oldest is gone", func(l *disk.Lossy, n []string) error { return l.Remove(n[0]) }, true, true, ""},
		{"other files", func(l *disk.Lossy, n []string) error { return disk.Replace(l, "lines/notes.txt", []byte("x")) }, true, true, ""},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			l, names := prepare()
			if err := test.do(l, names); err != nil {
				t.Fatal(err)
			}
			a, _, err := Open(l, "lines", quickly)
			if (err == nil) != test.opens {
				t.Fatalf("open: %v", err)
			}
			if a != nil {
				var lines int64
				for from := a.First(); err == nil && from <= a.Last(); {
					var blocks []Block
					blocks, err = a.Read(from, 5)
					for _, b := range blocks {
						lines += int64(len(b.Lines))
						from += int64(len(b.Lines))
					}
				}
				if (err == nil) != test.reads || err == nil && lines != a.Last()-a.First()+1 {
					t.Errorf("read %d lines: %v", lines, err)
				}
			}
			_, err = Verify(l, "lines")
			if (err == nil) != (test.verify == "") || err != nil && !strings.Contains(err.Error(), test.verify) {
				t.Errorf("verify: %v", err)
			}
		})
	}
}

func truncate(l disk.Layer, name string, size int64) error {
	f, err := l.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(size)
}

// TestTornTail cuts the newest segment at every byte and puts rubbish there: what was committed before stays.
func TestTornTail(t *testing.T) {
	batches := numbered(4)
	l := disk.NewLossy()
	a, _ := open(t, l, Options{Random: chance()})
	var ends []int64
	for _, b := range batches {
		add(t, a, b)
		ends = append(ends, a.last().size)
	}
	name := a.last().name
	for at := ends[0]; at <= ends[3]; at++ {
		for i, rubbish := range []string{"", "\x00", strings.Repeat("\x00", 5000), strings.Repeat(blockText, 50)} {
			if i > 0 && at%8 != int64(i) {
				continue
			}
			c := l.Crash()
			if err := truncate(c, name, at); err != nil {
				t.Fatal(err)
			}
			f, err := c.OpenFile(name, os.O_RDWR|os.O_APPEND, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write([]byte(rubbish)); err != nil {
				t.Fatal(err)
			}
			whole := 0
			for whole < 4 && ends[whole] <= at {
				whole++
			}
			r, said, err := Open(c, "lines", Options{ReadOnly: true})
			if err != nil || r.Last() != int64(2*whole) {
				t.Fatalf("cut at %d, to read: %v, %v", at, said, err)
			}
			survives(t, c, batches, whole, false)
			if cut := at + int64(len(rubbish)) - ends[max(whole-1, 0)]; said.Cut != cut || cut > 0 && (said.CutFile != name || !strings.Contains(said.String(), "cut")) {
				t.Fatalf("cut at %d: %d bytes should go: %v", at, cut, said)
			}
		}
	}
}

// TestHostileLineIsNoBlock writes the bytes of this archive's own later block into a line whose block is torn.
func TestHostileLineIsNoBlock(t *testing.T) {
	l := disk.NewLossy()
	a, _ := open(t, l, Options{})
	fake := appendBlock(nil, salt{}, 1000, header{kind: kindLines, first: 2, synced: 999}, nil)
	add(t, a, record.Batch{Received: noon, Lines: []record.Line{{Raw: string(fake)}}})
	stat, err := l.Stat(a.last().name)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, l, a.last().name, stat.Size()-1)
	if _, said := open(t, l.Crash(), Options{}); said.Cut == 0 || said.Last != 0 {
		t.Errorf("a torn block with a hostile line: %v", said)
	}
}
