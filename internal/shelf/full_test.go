package shelf

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"tocsin/internal/disk"
)

// A filling layer has no room from an operation on.
type filling struct {
	*disk.Lossy
	at   int
	room uint64
}

func (f *filling) look() {
	if f.at >= 0 && f.Ops() >= f.at {
		f.at = -1
		f.SetFree(f.room)
	}
}

func (f *filling) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f.look()
	return f.Lossy.OpenFile(name, flag, perm)
}

func (f *filling) Rename(old, to string) error {
	f.look()
	return f.Lossy.Rename(old, to)
}

func (f *filling) SyncDir(name string) error {
	f.look()
	return f.Lossy.SyncDir(name)
}

// Given a disk that becomes full at some steps of sealing and joining (20 with TOCSIN_SOAK), and loses its power then or a little later, when there is room again, then what was
// acknowledged is there once, all can be read, and the rest can be sealed.
func TestShelfAfterACutOnAFullDisk(t *testing.T) {
	lines := mixed(1, 150)
	l := disk.NewLossy()
	if _, err := work(t, l, lines); err != nil {
		t.Fatal(err)
	}
	steps := l.Ops()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	times := 6
	if os.Getenv("TOCSIN_SOAK") != "" {
		times = 20
	}
	for k := range times {
		at := steps * (k + 1) / (times + 1)
		l := &filling{Lossy: disk.NewLossy(), at: at, room: uint64(r.IntN(4) * 700)}
		l.FailAfter(at + r.IntN(20))
		through, _ := work(t, l, lines)
		c := l.Crash()
		if k%2 == 1 {
			c = l.CrashSeed(r.Uint64())
		}
		c.SetFree(1 << 40)
		s, said, err := Open(c, "shelf", Options{Parser: parserOf(t)})
		if err != nil || len(said.Missing) > 0 || s.Through() < through {
			t.Fatalf("seed %d, step %d: lines up to %d were acknowledged; %+v, %v", seed, at, through, said, err)
		}
		now := s.Through()
		if got := readAll(t, s, 1, 40); !slices.Equal(got, lines[:now]) {
			t.Fatalf("seed %d, step %d: %d lines are there, want %d", seed, at, len(got), now)
		}
		if now < int64(len(lines)) {
			if err := seal(s, lines[now:]); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, at, err)
			}
		}
		if got := readAll(t, s, 1, 40); !slices.Equal(got, lines) {
			t.Fatalf("seed %d, step %d: in the end %d lines are there", seed, at, len(got))
		}
		verified(t, s, len(lines))
	}
}
