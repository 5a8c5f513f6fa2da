package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

func openSpool(t testing.TB, l disk.Layer, limit int64) *Spool {
	t.Helper()
	s, err := OpenSpool(quiet(), l, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// numbered is the nth batch of tests: its line says which it is.
func numbered(n int, more string) record.Batch {
	text := fmt.Sprint("line ", n, more)
	return record.Batch{
		Received: time.Unix(int64(n), 0), Lines: []record.Line{{File: "/a.log", Offset: int64(n), Raw: text}},
		Positions: []record.Position{{File: "/a.log", Offset: int64(n)}, {File: fmt.Sprint("/", n%3, ".log"), Offset: int64(n)}},
	}
}

// textsOf reads all lines that wait in a spool, and holds their numbers against each other.
func textsOf(t testing.TB, s *Spool) (all []string) {
	t.Helper()
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	r := spoolReader{s: s}
	waiting, err := r.after(s.acked, 1<<20, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	if r.close != nil {
		r.close()
	}
	last := map[string]uint64{}
	for _, w := range waiting {
		plain, err := z.DecodeAll(w.frame.Payload, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := record.UnpackBatch(plain)
		if err != nil {
			t.Fatal(err)
		}
		if was, ok := last[w.frame.Boot]; ok && w.frame.Number != was+1 || w.frame.Number == 0 || w.frame.Boot == "" {
			t.Fatalf("boot %q: %d after %d", w.frame.Boot, w.frame.Number, was)
		}
		last[w.frame.Boot] = w.frame.Number
		for _, l := range b.Lines {
			all = append(all, strings.TrimRight(l.Raw, " "))
		}
	}
	return all
}

func lineTexts(from, to int) (all []string) {
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprint("line ", n))
	}
	return all
}

// TestSpoolPowerCut: given a spool that is filled, emptied and opened again, when the power fails at any step, then every batch that was
// acknowledged and not let go is there in order, and positions are those of the last batch that is there.
func TestSpoolPowerCut(t *testing.T) {
	const limit = 4 << 20
	pad := strings.Repeat(" ", 1<<10)
	work := func(l disk.Layer) (kept, gone int, err error) {
		n := 0
		for range 3 {
			s, err := OpenSpool(quiet(), l, limit)
			if err != nil {
				return kept, gone, err
			}
			s.roll = 300 // so that segments come and go
			for range 6 {
				n++
				if _, err := s.Append(numbered(n, pad)); err != nil {
					return kept, gone, err
				}
				kept = n
			}
			gone = n - 3
			if err := s.Acked(uint64(n - 3)); err != nil {
				return kept, gone, err
			}
			if n == 12 {
				if err := s.Renumber(); err != nil {
					return kept, gone, err
				}
			}
			s.Close()
		}
		return kept, gone, nil
	}
	for step := 0; ; step++ {
		l := disk.NewLossy()
		l.FailAfter(step)
		kept, gone, err := work(l)
		cuts := []*disk.Lossy{l.Crash()}
		for seed := range uint64(4) {
			cuts = append(cuts, l.CrashSeed(seed))
		}
		for i, c := range cuts {
			s, oerr := OpenSpool(quiet(), c, limit)
			if oerr != nil {
				t.Fatalf("step %d, cut %d: %v", step, i, oerr)
			}
			if len(s.Damage()) > 0 {
				t.Fatalf("step %d, cut %d: %v", step, i, s.Damage())
			}
			first, last := int(s.acked)+1, int(s.next)-1
			if first > gone+1 || last < kept || last > kept+1 {
				t.Fatalf("step %d, cut %d: places %d to %d; %d were kept, %d let go", step, i, first, last, kept, gone)
			}
			if got := textsOf(t, s); !slices.Equal(got, lineTexts(first, last)) {
				t.Fatalf("step %d, cut %d: %q, want %d to %d", step, i, got, first, last)
			}
			if p := s.Positions()["/a.log"].Offset; int(p) != last {
				t.Fatalf("step %d, cut %d: position %d, want %d", step, i, p, last)
			}
			if _, err := s.Append(numbered(last+1, "")); err != nil {
				t.Fatalf("step %d, cut %d: appending: %v", step, i, err)
			}
			s.Close()
		}
		if err == nil {
			t.Logf("%d steps", step)
			return
		}
	}
}

// TestSpoolFull: given a full spool, when more comes, then it waits until the server has something, and nothing is dropped.
func TestSpoolFull(t *testing.T) {
	s := openSpool(t, disk.NewLossy(), 64<<10)
	noise := func(n int) string { // does not pack well
		var b strings.Builder
		x := uint32(n*7919 + 1)
		for range 8 << 10 {
			x = x*1664525 + 1013904223
			b.WriteByte('a' + byte(x>>24)%26)
		}
		return b.String()
	}
	const total = 40
	done := make(chan error, 1)
	go func() {
		for n := 1; n <= total; n++ {
			if _, err := s.Append(numbered(n, noise(n))); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	until(t, "the spool is full", func() bool { return !s.State().Full.IsZero() })
	if st := s.State(); st.Bytes > st.Limit {
		t.Errorf("%d bytes of %d", st.Bytes, st.Limit)
	}
	r := spoolReader{s: s}
	sent := 0
	for sent < total {
		if err := s.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := r.after(s.acked, 3, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range all {
			sent++
			if w.place != uint64(sent) {
				t.Fatalf("place %d, want %d", w.place, sent)
			}
			if err := s.Acked(w.place); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if st := s.State(); !st.Full.IsZero() || st.Batches != 0 {
		t.Errorf("%+v", st)
	}
	r.close()
}

// TestSpoolClosed: given somebody who waits for room, when the spool is closed, then he is told so.
func TestSpoolClosed(t *testing.T) {
	s := openSpool(t, disk.NewLossy(), 1<<10)
	done := make(chan error, 1)
	go func() {
		for n := 1; ; n++ {
			if _, err := s.Append(numbered(n, "")); err != nil {
				done <- err
				return
			}
		}
	}()
	until(t, "the spool is full", func() bool { return !s.State().Full.IsZero() })
	s.Close()
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestSpoolDisk: given a disk that is full or fails, when a batch comes, then the one can be tried again, and the other ends the spool.
func TestSpoolDisk(t *testing.T) {
	l := disk.NewLossy()
	s := openSpool(t, l, 1<<20)
	l.SetFree(10)
	if _, err := s.Append(numbered(1, "")); !errors.Is(err, syscall.ENOSPC) || s.Err() != nil {
		t.Fatalf("%v, %v", err, s.Err())
	}
	l.SetFree(1 << 30)
	if _, err := s.Append(numbered(1, "")); err != nil {
		t.Fatal(err)
	}
	l.FailAt(l.Ops()+2, syscall.EIO) // the sync
	if _, err := s.Append(numbered(2, "")); !errors.Is(err, syscall.EIO) || s.Err() == nil {
		t.Fatalf("%v, %v", err, s.Err())
	}
	if _, err := s.Append(numbered(2, "")); err == nil {
		t.Error("it goes on after a sync that failed")
	}
	if got := textsOf(t, openSpool(t, l.Crash(), 1<<20)); !slices.Equal(got, lineTexts(1, 1)) {
		t.Errorf("%q", got)
	}
}

// TestSpoolDamage: given a segment that was changed on the disk, when the spool is opened, then the loss is told with its place and all else
// is there.
func TestSpoolDamage(t *testing.T) {
	l := disk.NewLossy()
	s := openSpool(t, l, 1<<20)
	s.roll = 300
	for n := 1; n <= 9; n++ {
		if _, err := s.Append(numbered(n, strings.Repeat(" ", 100))); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.segments) < 3 {
		t.Fatalf("%d segments", len(s.segments))
	}
	second := *s.segments[1]
	s.Close()
	b, err := disk.ReadFile(l, second.name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := disk.Replace(l, second.name, b); err != nil {
		t.Fatal(err)
	}
	s = openSpool(t, l, 1<<20)
	d := s.Damage()
	if len(d) != 1 || d[0].From != int64(second.next-1) {
		t.Fatalf("%+v, want place %d", d, second.next-1)
	}
	r := spoolReader{s: s}
	for n := uint64(1); n <= 9; n++ {
		_, ok, err := r.at(n)
		if err != nil || ok != (n != second.next-1) {
			t.Errorf("place %d: %v, %v", n, ok, err)
		}
	}
}

// TestSpoolDamageAgain: given a segment that is damaged, wholly or in part, when the spool is opened again and again, then the same loss is told, with the same times.
func TestSpoolDamageAgain(t *testing.T) {
	for name, hurt := range map[string]func([]byte){"its end": func(b []byte) { b[len(b)-1] ^= 1 }, "its head": func(b []byte) { b[0] ^= 1 }} {
		l := disk.NewLossy()
		s := openSpool(t, l, 1<<20)
		s.roll = 300
		for n := 1; n <= 9; n++ {
			if _, err := s.Append(numbered(n, strings.Repeat(" ", 100))); err != nil {
				t.Fatal(err)
			}
		}
		second := *s.segments[1]
		s.Close()
		b, err := disk.ReadFile(l, second.name)
		if err != nil {
			t.Fatal(err)
		}
		hurt(b)
		if err := disk.Replace(l, second.name, b); err != nil {
			t.Fatal(err)
		}
		s = openSpool(t, l, 1<<20)
		first := s.Damage()
		if len(first) != 1 || first[0].From < int64(second.first) || first[0].Until.Before(first[0].Since) {
			t.Fatalf("%s: %+v", name, first)
		}
		if name == "its head" { // the segment before it goes
			if err := s.Acked(second.first - 1); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		time.Sleep(5 * time.Millisecond)
		s = openSpool(t, l, 1<<20)
		again := s.Damage()
		if len(again) != 1 || again[0].File != first[0].File || again[0].From != first[0].From || !again[0].Until.Equal(first[0].Until) {
			t.Errorf("%s: first %+v, then %+v", name, first, again)
		}
		s.Close()
	}
}

// TestSettle: given what the server has, when the spool settles with it, then it goes on there.
func TestSettle(t *testing.T) {
	s := openSpool(t, disk.NewLossy(), 1<<20)
	for n := 1; n <= 5; n++ {
		if _, err := s.Append(numbered(n, "")); err != nil {
			t.Fatal(err)
		}
	}
	r := spoolReader{s: s}
	all, err := r.after(0, 10, 1<<40)
	if err != nil || len(all) != 5 {
		t.Fatal(len(all), err)
	}
	sum := func(n int) string { return fmt.Sprintf("%x", all[n-1].frame.Sum) }
	boot := all[0].frame.Boot
	for _, x := range []struct {
		name   string
		newest record.SentReceipt
		ok     bool
		acked  uint64
	}{
		{"another boot", record.SentReceipt{Boot: "other", Number: 3, Sum: sum(3)}, false, 0},
		{"another content", record.SentReceipt{Boot: boot, Number: 3, Sum: sum(2)}, false, 0},
		{"the third", record.SentReceipt{Boot: boot, Number: 3, Sum: sum(3)}, true, 3},
		{"it lost two again", record.SentReceipt{Boot: boot, Number: 1, Sum: sum(1)}, true, 1},
		{"one that does not exist", record.SentReceipt{Boot: boot, Number: 9, Sum: sum(1)}, false, 1},
	} {
		if ok, err := r.settle(x.newest); ok != x.ok || err != nil || s.acked != x.acked {
			t.Errorf("%s: %v, %v, place %d", x.name, ok, err, s.acked)
		}
	}
	if err := s.Renumber(); err != nil {
		t.Fatal(err)
	}
	again, err := r.after(s.acked, 10, 1<<40)
	if err != nil || len(again) != 4 || again[0].frame.Number != 1 || again[0].frame.Boot == boot || !bytes.Equal(again[0].frame.Payload, all[1].frame.Payload) {
		t.Errorf("%+v, %v", again, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.Acked(5)
	if err := s.wait(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// FuzzSpool: whatever lies in a segment, opening ends, and what is kept afterwards is read back.
func FuzzSpool(f *testing.F) {
	l := disk.NewLossy()
	s := openSpool(f, l, 1<<20)
	for n := 1; n <= 3; n++ {
		_, _ = s.Append(numbered(n, ""))
	}
	name := s.segments[0].name
	b, err := disk.ReadFile(l, name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		l := disk.NewLossy()
		if err := disk.Replace(l, name, b); err != nil {
			t.Fatal(err)
		}
		s, err := OpenSpool(quiet(), l, 1<<20)
		if err != nil {
			return
		}
		defer s.Close()
		from := s.next
		if _, err := s.Append(numbered(7, "")); err != nil {
			t.Fatal(err)
		}
		r := spoolReader{s: s}
		if _, ok, err := r.at(from); !ok || err != nil {
			t.Errorf("what was appended is not there: %v", err)
		}
	})
}
