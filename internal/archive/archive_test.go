package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// chance is a random source that is always the same.
func chance() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func small() Options {
	return Options{SegmentBytes: 700, Random: chance()}
}

func open(t testing.TB, l disk.Layer, o Options) (*Archive, Opened) {
	t.Helper()
	a, said, err := Open(l, "lines", o)
	if err != nil {
		t.Fatal(err)
	}
	return a, said
}

func add(t testing.TB, a *Archive, b record.Batch) record.Receipt {
	t.Helper()
	r, err := a.Append(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// follow makes batches of a growing file, as a watcher does: numbered, each with the position after its lines.
type follow struct {
	offset int64
	number uint64
}

func (f *follow) batch(lines ...string) record.Batch {
	f.number++
	b := record.Batch{Agent: "shop1", Boot: "b1", Number: f.number, Received: noon.Add(time.Duration(f.number) * time.Second)}
	for _, s := range lines {
		b.Lines = append(b.Lines, record.Line{Host: "shop1", File: "/var/log/access.log", Offset: f.offset, Raw: s})
		f.offset += int64(len(s)) + 1
	}
	b.Positions = []record.Position{{File: "/var/log/access.log", Print: "ab", PrintLen: 2, Offset: f.offset}}
	return b
}

func numbered(n int) []record.Batch {
	var f follow
	var all []record.Batch
	for i := range n {
		all = append(all, f.batch(fmt.Sprintf("first line of batch %d", i), strings.Repeat(fmt.Sprintf("%d ", i), 50)))
	}
	return all
}

func readAll(t testing.TB, a *Archive, from int64) []record.Line {
	t.Helper()
	var lines []record.Line
	for {
		blocks, err := a.Read(from, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(blocks) == 0 {
			return lines
		}
		for _, b := range blocks {
			if b.First != from || len(b.Lines) == 0 || b.Lines[0].Seq != from {
				t.Fatalf("asked from line %d, got a block from %d with %d lines", from, b.First, len(b.Lines))
			}
			lines = append(lines, b.Lines...)
			from += int64(len(b.Lines))
		}
	}
}

func wantLines(batches []record.Batch) []record.Line {
	var want []record.Line
	for _, b := range batches {
		for _, l := range b.Lines {
			l.Seq = int64(len(want)) + 1
			want = append(want, l)
		}
	}
	return want
}

func TestBytesComeBack(t *testing.T) {
	random := make([]byte, 5000)
	chance().Read(random)
	raws := []string{
		"", " ", "plain", "ends with CR\r", "a\x00b", "\xff\xfe not UTF-8 \xc3", "\u202e bidi", "\x1b[31m", "a\nb",
		strings.Repeat("x", record.MaxLine), string(random), blockText + strings.Repeat("\x00", 100), fileText,
	}
	for _, o := range []Options{{}, small()} {
		l := disk.NewLossy()
		a, _ := open(t, l, o)
		var batches []record.Batch
		offset := int64(-5)
		for i, raw := range raws {
			for _, host := range []string{"", "h\x00st"} {
				offset = offset*3 + 1
				b := record.Batch{Received: noon, Lines: []record.Line{{Host: host, File: raws[i%9], Offset: offset, Raw: raw}, {File: "f", Offset: 7, Raw: raw}}}
				batches = append(batches, b)
				add(t, a, b)
			}
		}
		want := wantLines(batches)
		if diff := cmp.Diff(want, readAll(t, a, 1)); diff != "" {
			t.Errorf("before closing: %s", diff)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a, _ = open(t, l.Crash(), Options{})
		if diff := cmp.Diff(want, readAll(t, a, 1)); diff != "" {
			t.Errorf("after a restart: %s", diff)
		}
	}
}

func TestReadFromTheMiddle(t *testing.T) {
	a, _ := open(t, disk.NewLossy(), small())
	batches := numbered(40)
	for _, b := range batches {
		add(t, a, b)
	}
	want := wantLines(batches)
	if len(a.segments) < 5 {
		t.Fatalf("only %d segments: the test needs more", len(a.segments))
	}
	for from := int64(1); from <= 81; from++ {
		if diff := cmp.Diff(want[from-1:], readAll(t, a, from), cmp.Transformer("empty", func(l []record.Line) []record.Line { return append([]record.Line{}, l...) })); diff != "" {
			t.Fatalf("from %d: %s", from, diff)
		}
	}
	blocks, err := a.Read(2, 3)
	if err != nil || len(blocks) != 2 || len(blocks[0].Lines) != 1 || len(blocks[1].Lines) != 2 {
		t.Fatalf("Read(2, 3) = %d blocks, %v; want the rest of the first and the second", len(blocks), err)
	}
	if b := blocks[1]; b.Agent != "shop1" || b.Boot != "b1" || b.Number != 2 || b.Start || !b.Received.Equal(noon.Add(2*time.Second)) || len(b.Positions) != 1 {
		t.Errorf("the block came back as %+v", b)
	}
}

func TestRepeatsAreDropped(t *testing.T) {
	l := disk.NewLossy()
	a, _ := open(t, l, small())
	batches := numbered(100)
	var receipts []record.Receipt
	for _, b := range batches {
		receipts = append(receipts, add(t, a, b))
	}
	check := func(a *Archive) {
		t.Helper()
		for i, b := range batches {
			r := add(t, a, b)
			want := receipts[i]
			if i < 100-keptReceipts {
				want = record.Receipt{First: 1, Last: 0}
			}
			if r != want {
				t.Fatalf("batch %d again: receipt %v, want %v", i+1, r, want)
			}
		}
		if a.Last() != 200 {
			t.Fatalf("repeats were kept: last line is %d", a.Last())
		}
	}
	check(a)
	a, _ = open(t, l.Crash(), small())
	check(a)
	other := batches[0]
	other.Boot = "b2"
	if r := add(t, a, other); r.First != 201 {
		t.Errorf("a batch of another start was dropped: %v", r)
	}
	other.Number = 0
	add(t, a, other)
	if r := add(t, a, other); r.First != 205 {
		t.Errorf("a batch without number was dropped: %v", r)
	}
}

func TestPositionsAndStarts(t *testing.T) {
	l := disk.NewLossy()
	a, _ := open(t, l, small())
	add(t, a, record.Batch{Received: noon, Start: true, Positions: []record.Position{{File: "a", Offset: 1}, {File: "b", Offset: 2}}})
	add(t, a, record.Batch{Agent: "shop1", Received: noon, Positions: []record.Position{{File: "a", Offset: 9}}})
	add(t, a, record.Batch{Received: noon.Add(time.Hour), Start: true, Lines: []record.Line{{File: "c", Raw: "x"}}, Positions: []record.Position{{File: "a", Print: "p", PrintLen: 3, Offset: 4}}})
	for _, b := range numbered(40) {
		add(t, a, b)
	}
	if n, err := a.Expire(noon.Add(48*time.Hour), time.Hour); err != nil || n < 3 {
		t.Fatalf("Expire removed %d segments, %v", n, err)
	}
	check := func(a *Archive) {
		t.Helper()
		want := map[string]record.Position{"a": {File: "a", Print: "p", PrintLen: 3, Offset: 4}, "b": {File: "b", Offset: 2}}
		if diff := cmp.Diff(want, a.Positions("")); diff != "" {
			t.Error(diff)
		}
		started := map[string]time.Time{"a": noon, "b": noon, "c": noon.Add(time.Hour)}
		for file, want := range started {
			if got, ok := a.StartedAt("", file); !ok || !got.Equal(want) {
				t.Errorf("%s is watched since %v, want %v", file, got, want)
			}
		}
		if got, ok := a.FirstStart(); !ok || !got.Equal(noon) {
			t.Errorf("the first start was %v", got)
		}
		if p := a.Positions("shop1"); p["a"].Offset != 9 || len(p) != 2 {
			t.Errorf("positions of shop1: %v", p)
		}
	}
	check(a)
	a, _ = open(t, l.Crash(), small())
	check(a)
}

func TestExpire(t *testing.T) {
	l := disk.NewLossy()
	a, _ := open(t, l, small())
	batches := numbered(40)
	for _, b := range batches {
		add(t, a, b)
	}
	last := a.segments[len(a.segments)-1].first
	beside, _ := open(t, l, Options{ReadOnly: true})
	if n, err := a.Expire(noon.Add(10*time.Second), 0); err != nil || n == 0 {
		t.Fatalf("Expire removed %d segments, %v", n, err)
	}
	if _, err := beside.Read(1, 10); !errors.Is(err, ErrExpired) {
		t.Errorf("reading beside the server what expired: %v", err)
	}
	oldest := a.First()
	if oldest < 2 || oldest > 21 {
		t.Errorf("batches up to the tenth are too old, but the oldest line is %d", oldest)
	}
	if _, err := a.Read(1, 10); !errors.Is(err, ErrExpired) {
		t.Errorf("reading an expired line: %v", err)
	}
	if lines := readAll(t, a, oldest); lines[0] != wantLines(batches)[oldest-1] || len(lines) != int(81-oldest) {
		t.Errorf("what is left starts with %v and has %d lines", lines[0], len(lines))
	}
	if _, err := a.Expire(noon.Add(40*time.Second), 0); err != nil || a.First() != last {
		t.Errorf("the segment with a line that is young enough went: the oldest line is %d, want %d (%v)", a.First(), last, err)
	}
	if _, err := a.Expire(noon.Add(time.Hour), 0); err != nil || a.First() != 81 || a.Last() != 80 {
		t.Errorf("all is too old, but lines %d to %d are left (%v)", a.First(), a.Last(), err)
	}
	a, said := open(t, l.Crash(), small())
	if said.First != 81 || said.Last != 80 || a.First() != 81 {
		t.Errorf("after a restart: %v", said)
	}
	if r := add(t, a, record.Batch{Received: noon, Lines: []record.Line{{Raw: "next"}}}); r.First != 81 {
		t.Errorf("the next line got number %d, want 81", r.First)
	}
}

func TestSegmentAge(t *testing.T) {
	a, _ := open(t, disk.NewLossy(), Options{})
	for i := range 5 {
		add(t, a, record.Batch{Received: noon.Add(time.Duration(i) * 15 * time.Hour), Lines: []record.Line{{Raw: "x"}}})
	}
	if len(a.segments) != 3 {
		t.Errorf("lines of 60 hours stand in %d segments, want 3", len(a.segments))
	}
}

func TestConcurrentAppends(t *testing.T) {
	l := disk.NewLossy()
	a, _ := open(t, l, Options{SegmentBytes: 3000})
	const writers, each = 8, 40
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				b := record.Batch{Agent: fmt.Sprint(w), Boot: "b", Number: uint64(i + 1), Received: noon, Lines: []record.Line{
					{File: fmt.Sprint(w), Offset: int64(i), Raw: fmt.Sprintf("%d/%d", w, i)}, {File: fmt.Sprint(w), Raw: "second"}}}
				r, err := a.Append(b)
				if err != nil || r.Last != r.First+1 {
					t.Errorf("append: %v, %v", r, err)
					return
				}
				if again, err := a.Append(b); err != nil || again != r {
					t.Errorf("append again: %v, %v; want %v", again, err, r)
				}
			}
		})
	}
	wg.Go(func() { // a reader beside them, also with another opening
		var from int64 = 1
		for from <= writers*each*2 {
			if err := a.Wait(t.Context(), from); err != nil {
				t.Error(err)
				return
			}
			blocks, err := a.Read(from, 50)
			if err != nil {
				t.Error(err)
				return
			}
			for _, b := range blocks {
				if b.First != from {
					t.Errorf("block from %d, want %d", b.First, from)
				}
				from += int64(len(b.Lines))
			}
			if _, _, err := Open(l, "lines", Options{ReadOnly: true}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	next := make(map[string]int64)
	for i, line := range readAll(t, a, 1) {
		if i%2 == 0 {
			if line.Offset != next[line.File] {
				t.Fatalf("line %d is %d of writer %s, want %d", line.Seq, line.Offset, line.File, next[line.File])
			}
			next[line.File]++
		}
	}
	if a.Last() != writers*each*2 {
		t.Errorf("last line is %d", a.Last())
	}
}

func TestGroupCommit(t *testing.T) {
	l := &slow{Lossy: disk.NewLossy(), gate: make(chan struct{})}
	synctest.Test(t, func(t *testing.T) {
		a, _ := open(t, l, Options{})
		add(t, a, record.Batch{Received: noon})
		l.armed = true
		l.gate = make(chan struct{})
		before := l.Ops()
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if _, err := a.Append(record.Batch{Received: noon, Boot: "b", Number: uint64(i/2 + 1), Lines: []record.Line{{Raw: "x"}}}); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(l.gate)
		wg.Wait()
		if n := l.Ops() - before; n != 4 {
			t.Errorf("ten appends at once took %d writes and syncs, want 2 writes and 2 syncs", n)
		}
		if a.Last() != 5 {
			t.Errorf("five batches came twice each; the last line is %d", a.Last())
		}
	})
}

// A slow layer holds every write back until its gate opens.
type slow struct {
	*disk.Lossy
	armed bool
	gate  chan struct{}
}

type slowFile struct {
	disk.File
	l *slow
}

func (l *slow) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := l.Lossy.OpenFile(name, flag, perm)
	return slowFile{f, l}, err
}

func (f slowFile) WriteAt(b []byte, at int64) (int, error) {
	if f.l.armed {
		<-f.l.gate
	}
	return f.File.WriteAt(b, at)
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := open(t, disk.NewLossy(), Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var came error = errors.New("still waiting")
		go func() { came = a.Wait(ctx, 2) }()
		add(t, a, record.Batch{Received: noon, Lines: []record.Line{{Raw: "one"}}})
		synctest.Wait()
		if came == nil {
			t.Error("Wait(2) returned after one line")
		}
		add(t, a, record.Batch{Received: noon, Lines: []record.Line{{Raw: "two"}}})
		synctest.Wait()
		if came != nil {
			t.Errorf("Wait(2) = %v after two lines", came)
		}
		if err := a.Wait(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait(3) = %v, want the end of the context", err)
		}
		go func() { came = a.Wait(t.Context(), 3) }()
		synctest.Wait()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !errors.Is(came, ErrClosed) {
			t.Errorf("Wait(3) = %v after Close", came)
		}
		if _, err := a.Append(record.Batch{Received: noon}); !errors.Is(err, ErrClosed) {
			t.Errorf("Append = %v after Close", err)
		}
	})
}

func TestRefused(t *testing.T) {
	a, _ := open(t, disk.NewLossy(), Options{})
	big := strings.Repeat("x", record.MaxLine)
	for name, b := range map[string]record.Batch{
		"a line that is too long":     {Received: noon, Lines: []record.Line{{Raw: big + "x"}}},
		"lines that are too many":     {Received: noon, Lines: make([]record.Line, MaxLines+1)},
		"bytes that are too many":     {Received: noon, Lines: slices.Repeat([]record.Line{{Raw: big}}, 33)},
		"names that are too long":     {Received: noon, Lines: []record.Line{{File: strings.Repeat(big, 17)}}},
		"positions that are too many": {Received: noon, Positions: make([]record.Position, MaxLines+1)},
	} {
		if _, err := a.Append(b); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.Append(record.Batch{}); err == nil {
		t.Error("a batch without time of receipt was taken")
	}
	add(t, a, record.Batch{Received: noon, Lines: make([]record.Line, MaxLines)})
	r, _, err := Open(a.layer, "lines", Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Append(record.Batch{Received: noon}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("append to what was opened for reading: %v", err)
	}
	if n := len(readAll(t, r, 1)); n != MaxLines {
		t.Errorf("%d lines came back", n)
	}
	if _, _, err := Open(disk.NewLossy(), "lines", Options{ReadOnly: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opening nothing for reading: %v", err)
	}
}
