package shelf

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// parserOf is intake's, as the desk gives it.
func parserOf(t testing.TB) Parser {
	t.Helper()
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Parser{
		Parse:   parts(p),
		Save:    p.Snapshot,
		Restore: p.Restore,
	}
}

func open(t testing.TB, l disk.Layer) *Shelf {
	t.Helper()
	s, _, err := Open(l, "shelf", Options{Parser: parserOf(t)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mixed are n lines of two sources over some hours, numbered from first; a few have no time, a few are odd.
func mixed(first, n int) (lines []Line) {
	for i := range n {
		seq := int64(first + i)
		raw := fmt.Sprintf(`203.0.113.%d - anna [10/Nov/2026:%02d:%02d:%02d +0000] "GET /p/%d HTTP/1.1" 200 %d "-" "Mozilla/5.0"`, seq%7, 8+seq/40%5, seq%60, seq%60, seq%13, seq)
		file := "/var/log/nginx/access.log"
		switch {
		case seq%5 == 0:
			raw = fmt.Sprintf("Nov 10 09:00:%02d shop1 sshd[%d]: Failed password for root from 198.51.100.%d port 5 ssh2", seq%60, seq, seq%9)
			file = "/var/log/auth.log"
		case seq%11 == 0:
			raw = "\x00\xff\u202e" + strings.Repeat("odd ", int(seq%9))
		}
		lines = append(lines, Line{Line: record.Line{Host: []string{"", "shop2"}[seq%2], File: file, Offset: seq * 131, Seq: seq, Raw: raw},
			Received: time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC).UnixNano() + seq*1e6, Agent: []string{"", "a1"}[seq%2]})
	}
	return lines
}

// inPieces hands lines over as an archive would.
func inPieces(lines []Line, n int) iter.Seq2[[]Line, error] {
	return func(yield func([]Line, error) bool) {
		for some := range slices.Chunk(lines, n) {
			if !yield(some, nil) {
				return
			}
		}
	}
}

func seal(s *Shelf, lines []Line) error {
	_, err := s.Seal(context.Background(), lines[len(lines)-1].Seq, inPieces(lines, 17))
	return err
}

func readAll(t testing.TB, s *Shelf, from int64, max int) (all []Line) {
	t.Helper()
	for {
		some, err := s.Read(from, max)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			return all
		}
		all = append(all, some...)
		from = some[len(some)-1].Seq + 1
	}
}

func verified(t testing.TB, s *Shelf, rows int) {
	t.Helper()
	c, err := s.Verify(context.Background(), nil)
	if err != nil || len(c.Damaged) > 0 || c.Rows != int64(rows) {
		t.Fatalf("verified: %+v, %v; want %d rows", c, err, rows)
	}
}

func TestSealedLinesComeBack(t *testing.T) {
	l := disk.NewLossy()
	s := open(t, l)
	lines := mixed(1, 900)
	for some := range slices.Chunk(lines, 300) {
		if err := seal(s, some); err != nil {
			t.Fatal(err)
		}
	}
	if err := seal(s, lines[:300]); err != nil || s.Through() != 900 { // again: nothing
		t.Fatal(err, s.Through())
	}
	check := func(s *Shelf) {
		t.Helper()
		for _, max := range []int{1, 7, 5000} {
			if got := readAll(t, s, 1, max); !slices.Equal(got, lines) {
				t.Fatalf("%d at once: %d lines came back of %d", max, len(got), len(lines))
			}
		}
		if got := readAll(t, s, 450, 100); !slices.Equal(got, lines[449:]) {
			t.Fatalf("from line 450: %d lines", len(got))
		}
		verified(t, s, 900)
	}
	check(s)
	check(open(t, l.Crash()))

	v := s.View()
	before := len(v.Volumes)
	n := 0
	for {
		did, err := s.Join(context.Background(), time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if len(did.Gone) == 0 {
			break
		}
		n++
	}
	if n == 0 {
		t.Fatal("nothing was joined")
	}
	check(s)
	if c, err := s.OpenLines(v.Volumes[0]); err != nil { // a view keeps what it names
		t.Error(err)
	} else {
		_ = c.Close()
	}
	v.Close()
	if _, err := s.OpenLines(v.Volumes[0]); err == nil {
		t.Error("a volume that was joined is still there")
	}
	after := s.View()
	defer after.Close()
	t.Logf("%d volumes became %d in %d steps", before, len(after.Volumes), n)
	for _, x := range after.Volumes {
		if x.Source != "nginx-access" && x.Source != "linux-sshd" && !strings.Contains(x.Name, "/2026-11-10/") {
			t.Errorf("volume %s", x.Name)
		}
	}
	check(open(t, l.Crash()))
}

// work seals, joins and expires until the layer fails. It returns up to which line sealing was acknowledged.
func work(t *testing.T, l disk.Layer, lines []Line) (through int64, err error) {
	s, _, err := Open(l, "shelf", Options{Parser: parserOf(t), Random: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		return 0, err
	}
	for some := range slices.Chunk(lines, 50) {
		if err := seal(s, some); err != nil {
			return through, err
		}
		through = some[len(some)-1].Seq
		if through == 100 {
			if _, err := s.Join(context.Background(), time.Now().Add(time.Hour)); err != nil {
				return through, err
			}
		}
	}
	_, err = s.Join(context.Background(), time.Now().Add(time.Hour))
	return through, errors.Join(err, s.Close())
}

func TestShelfAfterACutAtEveryStep(t *testing.T) {
	lines := mixed(1, 150)
	steps, stride, seeds := rand.IntN(5), 5, uint64(1) // each step in make soak, one of five otherwise
	if os.Getenv("TOCSIN_SOAK") != "" {
		steps, stride, seeds = 0, 1, 8
	}
	survives := func(l disk.Layer, through int64) {
		t.Helper()
		s, said, err := Open(l, "shelf", Options{Parser: parserOf(t)})
		if err != nil {
			t.Fatalf("step %d: %v", steps, err)
		}
		if len(said.Missing) > 0 || s.Through() < through {
			t.Fatalf("step %d: lines up to %d were acknowledged, they are there up to %d; %+v", steps, through, s.Through(), said)
		}
		now := s.Through()
		if got := readAll(t, s, 1, 40); !slices.Equal(got, lines[:now]) {
			t.Fatalf("step %d: %d lines are there, want %d", steps, len(got), now)
		}
		verified(t, s, int(now))
		if now < int64(len(lines)) { // and it goes on
			if err := seal(s, lines[now:]); err != nil {
				t.Fatalf("step %d: %v", steps, err)
			}
		}
		if got := readAll(t, s, 1, 40); !slices.Equal(got, lines) {
			t.Fatalf("step %d: in the end %d lines are there", steps, len(got))
		}
	}
	for ; ; steps += stride {
		l := disk.NewLossy()
		l.FailAfter(steps)
		through, err := work(t, l, lines)
		if err == nil {
			break
		}
		if !errors.Is(err, disk.ErrStopped) {
			t.Fatalf("step %d: %v", steps, err)
		}
		survives(l.Crash(), through)
		for seed := range seeds {
			survives(l.CrashSeed(seed), through)
		}
		l.FailAfter(-1)
		survives(l, through)
	}
	t.Logf("%d steps", steps)
}

func TestShelfOnAFullDisk(t *testing.T) {
	lines := mixed(1, 400)
	for free := uint64(0); ; free += 4000 {
		l := disk.NewLossy()
		s := open(t, l)
		if err := seal(s, lines[:100]); err != nil {
			t.Fatal(err)
		}
		l.SetFree(free)
		err := seal(s, lines[100:])
		if err == nil {
			break
		}
		if !errors.Is(err, ErrFull) {
			t.Fatalf("with %d bytes: %v", free, err)
		}
		l.SetFree(1 << 40)
		if err := seal(s, lines[100:]); err != nil { // as if nothing had been tried
			t.Fatalf("with %d bytes: then %v", free, err)
		}
		if got := readAll(t, s, 1, 40); !slices.Equal(got, lines) {
			t.Fatalf("with %d bytes: %d lines are there", free, len(got))
		}
		verified(t, s, len(lines))
	}
}

func TestEveryChangedBitIsFound(t *testing.T) {
	l := disk.NewLossy()
	s := open(t, l)
	lines := mixed(1, 600)
	if err := seal(s, lines); err != nil {
		t.Fatal(err)
	}
	v := s.View()
	defer v.Close()
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		x := v.Volumes[r.IntN(len(v.Volumes))]
		name := s.file(x, []string{linesEnd, columnsEnd}[r.IntN(2)])
		at := r.Int64()
		flip(t, l, name, at)
		c, err := s.Verify(context.Background(), nil)
		if err != nil || len(c.Damaged) != 1 || c.Damaged[0].Volume.Name != x.Name {
			t.Fatalf("a bit of %s: %+v, %v", name, c, err)
		}
		flip(t, l, name, at)
	}
	// One is set aside, the rest is there.
	bad := v.Volumes[0]
	flip(t, l, s.file(bad, linesEnd), 77)
	var got []Line
	for from := int64(1); ; {
		some, err := s.Read(from, 50)
		if d, ok := errors.AsType[*DamageError](err); ok {
			if _, err := s.SetAside(d.Volume, d.Why); err != nil {
				t.Fatal(err)
			}
		} else if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 && err == nil {
			break
		}
		got = append(got, some...)
		if len(some) > 0 {
			from = some[len(some)-1].Seq + 1
		}
	}
	if len(got) < len(lines)-bad.Rows || !slices.IsSortedFunc(got, func(a, b Line) int { return int(a.Seq - b.Seq) }) {
		t.Errorf("%d lines of %d are left", len(got), len(lines))
	}
	verified(t, open(t, l.Crash()), len(lines)-bad.Rows)
}

// flip changes one bit, by a number; the same number changes it back.
func flip(t *testing.T, l disk.Layer, name string, at int64) {
	t.Helper()
	f, err := l.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, _ := f.Stat()
	bit := at % (st.Size() * 8)
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, bit/8); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << (bit % 8)
	if _, err := f.WriteAt(b, bit/8); err != nil {
		t.Fatal(err)
	}
}

func TestExpire(t *testing.T) {
	l := disk.NewLossy()
	s := open(t, l)
	if err := seal(s, mixed(1, 500)); err != nil {
		t.Fatal(err)
	}
	v := s.View()
	all := len(v.Volumes)
	held := v.Volumes[0]
	v.Close()
	now := time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC)
	if gone, err := expire(s, now, []Keep{{Age: 90 * 24 * time.Hour}}, func(*Volume) bool { return false }); err != nil || len(gone) > 0 {
		t.Fatal(gone, err)
	}
	gone, err := expire(s, now, []Keep{{Source: "linux-sshd", Age: 24 * time.Hour}}, func(*Volume) bool { return false })
	if err != nil || len(gone) == 0 {
		t.Fatal(gone, err)
	}
	for _, g := range gone {
		if g.Source != "linux-sshd" {
			t.Errorf("%s went", g.Name)
		}
	}
	more, err := expire(s, now, []Keep{{Bytes: 1}}, func(x *Volume) bool { return x.Name == held.Name })
	if err != nil || len(more)+len(gone) < all-1 {
		t.Fatal(len(more), len(gone), all, err)
	}
	s = open(t, l.Crash())
	left := s.View()
	defer left.Close()
	if s.Through() != 500 || len(left.Volumes) != all-len(more)-len(gone) {
		t.Errorf("%d volumes are left, through %d", len(left.Volumes), s.Through())
	}
}

// parts parses each event of a line, as the desk does.
func parts(p *intake.Parser) func(record.Line, time.Time) iter.Seq[*record.Record] {
	var r record.Record
	return func(l record.Line, at time.Time) iter.Seq[*record.Record] {
		return func(yield func(*record.Record) bool) {
			for part := range intake.Parts(l.Raw) {
				l.Raw = part
				if p.ParseInto(&r, l, at); !yield(&r) {
					return
				}
			}
		}
	}
}

func expire(s *Shelf, now time.Time, keeps []Keep, held func(*Volume) bool) ([]*Volume, error) {
	due := s.Due(now, keeps, held)
	return due, s.Expire(now, due)
}
