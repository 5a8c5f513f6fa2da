package scratch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/disk"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type session struct {
	Person string `json:"person"`
	Tries  int    `json:"tries"`
}

func open(t *testing.T, l disk.Layer) (*Store, Opened) {
	t.Helper()
	s, said, err := Open(l, "state")
	if err != nil {
		t.Fatal(err)
	}
	return s, said
}

func put(t *testing.T, s *Store, kind, key string, v any, until time.Time) {
	t.Helper()
	if err := s.Put(kind, key, v, until); err != nil {
		t.Fatal(err)
	}
}

func flush(t *testing.T, s *Store, now time.Time) {
	t.Helper()
	if err := s.Flush(now); err != nil {
		t.Fatal(err)
	}
}

func keys(s *Store, kind string, now time.Time) string {
	var all []string
	for key := range s.Each(kind, now) {
		all = append(all, key)
	}
	return strings.Join(all, " ")
}

func TestStore(t *testing.T) {
	l := disk.NewLossy()
	s, _ := open(t, l)
	put(t, s, "session", "c", session{"anna", 1}, noon.Add(time.Hour))
	put(t, s, "session", "a", session{"ben", 2}, noon.Add(time.Minute))
	put(t, s, "session", "b\x00<>\u202e", session{"old", 3}, noon)
	put(t, s, "throttle", "c", 7, noon.Add(time.Hour))
	check := func(s *Store) {
		t.Helper()
		var got session
		if !s.Get("session", "a", noon, &got) || got != (session{"ben", 2}) {
			t.Errorf("session a is %+v", got)
		}
		if s.Get("session", "a", noon.Add(time.Minute), &got) || s.Get("session", "b\x00<>\u202e", noon, &got) {
			t.Error("a value outlives its end")
		}
		if s.Get("session", "none", noon, &got) || s.Get("none", "a", noon, &got) {
			t.Error("there is a value that nobody put")
		}
		if s.Get("session", "a", noon, new(int)) {
			t.Error("a session was read as a number")
		}
		if k := keys(s, "session", noon); k != "a c" {
			t.Errorf("sessions are %q", k)
		}
	}
	check(s)
	flush(t, s, noon)
	check(s)
	ops := l.Ops()
	flush(t, s, noon)
	if l.Ops() != ops {
		t.Error("Flush wrote though nothing changed")
	}
	put(t, s, "session", "a", session{"lost", 0}, noon.Add(time.Hour))
	again, said := open(t, l.Crash())
	check(again)
	if said.Values != 3 || said.Lost != nil {
		t.Errorf("the start says %v", said)
	}
	again.Delete("session", "a")
	again.Delete("session", "a")
	flush(t, again, noon.Add(2*time.Hour))
	if last, said := open(t, again.layer); said.Values != 0 || keys(last, "session", noon) != "" {
		t.Errorf("ended values are kept: %v", said)
	}
	if err := s.Put("session", "x", func() {}, noon); err == nil {
		t.Error("a function was kept")
	}
	if err := s.Put("session", "\xff", 1, noon); err == nil {
		t.Error("a key that JSON cannot hold was kept")
	}
}

func TestEachMayChange(t *testing.T) {
	s, _ := open(t, disk.NewLossy())
	for i := range 5 {
		put(t, s, "n", fmt.Sprint(i), i, noon.Add(time.Hour))
	}
	seen := 0
	for key, value := range s.Each("n", noon) {
		var n int
		if err := json.Unmarshal(value, &n); err != nil || fmt.Sprint(n) != key {
			t.Errorf("%s is %s", key, value)
		}
		s.Delete("n", key)
		if seen++; seen == 3 {
			break
		}
	}
	if k := keys(s, "n", noon); k != "3 4" {
		t.Errorf("%q are left", k)
	}
}

func TestBrokenFile(t *testing.T) {
	for _, text := range []string{"", "{", "null", "[]", `{"version":2,"kinds":{}}`, `{"version":1,"kinds":7}`, "\x00\x00\x00"} {
		l := disk.NewLossy()
		if err := l.MkdirAll("state", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := disk.Replace(l, "state/"+name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		s, said := open(t, l)
		if said.Lost == nil || !strings.Contains(said.String(), "sign in anew") {
			t.Errorf("%q: %v", text, said)
		}
		put(t, s, "k", "a", 1, noon.Add(time.Hour))
		flush(t, s, noon)
		if _, said := open(t, l.Crash()); said.Lost != nil || said.Values != 1 {
			t.Errorf("%q: after the next flush %v", text, said)
		}
	}
}

// TestCrashAtEveryStep: after a cut there is the state of one of the flushes, never less than the last that returned.
func TestCrashAtEveryStep(t *testing.T) {
	for n, done := 0, false; !done; n++ {
		l := disk.NewLossy()
		l.FailAfter(n)
		flushed := 0
		if s, _, err := Open(l, "."); err == nil {
			for i := 1; i <= 3; i++ {
				put(t, s, "n", "i", i, noon.Add(time.Hour))
				if s.Flush(noon) != nil {
					break
				}
				flushed = i
			}
		}
		done = flushed == 3
		for seed := range uint64(8) {
			s, said, err := Open(l.CrashSeed(seed), ".")
			if err != nil || said.Lost != nil {
				t.Fatal(err, said)
			}
			var i int
			if s.Get("n", "i", noon, &i); i < flushed || i > flushed+1 {
				t.Fatalf("step %d: flushed %d, found %d", n, flushed, i)
			}
		}
	}
}

func TestFlushTriesAgain(t *testing.T) {
	l := disk.NewLossy()
	s, _ := open(t, l)
	put(t, s, "k", "a", 1, noon.Add(time.Hour))
	l.SetFree(3)
	if err := s.Flush(noon); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a full disk: %v", err)
	}
	l.SetFree(1 << 20)
	flush(t, s, noon)
	if _, said := open(t, l.Crash()); said.Values != 1 {
		t.Errorf("after the second try: %v", said)
	}
}

func TestConcurrent(t *testing.T) {
	l := disk.NewLossy()
	s, _ := open(t, l)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 50 {
				key := fmt.Sprint(n, i)
				if err := s.Put("k", key, i, noon.Add(time.Hour)); err != nil {
					t.Error(err)
				}
				var got int
				if !s.Get("k", key, noon, &got) || got != i {
					t.Errorf("%s is %d", key, got)
				}
				for range s.Each("k", noon) {
					break
				}
				if i%2 == 0 {
					s.Delete("k", key)
				}
				if i%10 == 0 {
					if err := s.Flush(noon); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	flush(t, s, noon)
	if _, said := open(t, l.Crash()); said.Values != 200 {
		t.Errorf("%v", said)
	}
}
