package desk

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/record"
)

// A ledger that cannot be written takes no command, is still read, and everybody is told without it.
func TestLedgerBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		if _, err := h.data.Stat(ballast); err != nil {
			t.Fatalf("no ballast: %v", err)
		}
		h.sick(ledgerDir, syscall.EIO)
		err := d.RingNow(Local("test"), "anna", plan.Mail)
		if !errors.Is(err, ErrBroken) {
			t.Fatalf("a command: %v, want ErrBroken", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := receivers(h.sent()); len(got) != 3 {
			t.Fatalf("told %v, want anna, and boris on both channels", got)
		}
		m := h.sent()[0]
		if !strings.Contains(m.Subject, "Tocsin cannot write") || !strings.Contains(m.Body, "restart") || !strings.Contains(m.Body, "its ledger") {
			t.Errorf("it says %q\n%s", m.Subject, m.Body)
		}
		if d.CannotWrite() == "" || d.Broken() == nil {
			t.Error("the screens are not told")
		}
		d.Read(func(s *State) {
			if len(s.Plan.People) != 2 {
				t.Error("the state cannot be read any more")
			}
		})
		if _, err := h.data.Stat(ballast); err == nil {
			t.Error("the ballast was not given back")
		}
		before := h.size(vaultDir)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil")) // lines are still kept
		time.Sleep(12 * time.Minute)
		synctest.Wait()
		if n := len(h.sent()); n != 9 {
			t.Errorf("after 12 minutes %d messages, want three times three", n)
		}
		if n := h.size(vaultDir) - before; n != 0 {
			t.Errorf("the vault grew by %d bytes that no entry names", n)
		}
		if !d.Alive(time.Now()) {
			t.Error("the bell's heart stands still")
		}
	})
}

// What could not be written is made good after the next start, once.
func TestLedgerBreaksThenRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		h.team(d)
		h.feed(d, request(time.Now(), "192.0.2.6", "/evil"))
		time.Sleep(3 * time.Second)
		h.sick(ledgerDir, syscall.EIO)
		h.feed(d, request(time.Now(), "198.51.100.7", "/evil"))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		h.want(d, entry.AlertRaised, 1)
		stop()
		h.sick("", nil)
		h.data = h.data.Crash()
		h.mail = nil
		d, stop = h.start()
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		h.want(d, entry.AlertRaised, 2)
		h.want(d, entry.IncidentOpened, 2)
		if n := len(h.sent()); n != 1 {
			t.Errorf("rang %d times for what was missed, want once", n)
		}
		if _, err := d.VerifyLedger(); err != nil {
			t.Error(err)
		}
	})
}

// When the disk fills, the archive stops first; the ledger goes on, and people are told. It resumes by itself.
func TestArchiveFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.o.Reserve = 64 << 20
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.data.SetFree(60 << 20)
		line := record.Batch{Received: time.Now(), Lines: []record.Line{{File: "/log/access.log", Raw: request(time.Now(), "192.0.2.7", "/evil")}}}
		if _, err := d.keep(line); err == nil {
			t.Fatal("a line was kept below the reserve")
		}
		if err := d.SetPolicy(Local("test"), plan.DefaultPolicy()); err != nil {
			t.Errorf("the ledger stopped with the archive: %v", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(h.sent()); n != 3 {
			t.Fatalf("told %d, want 3", n)
		}
		if b := h.sent()[0].Body; !strings.Contains(b, "archive") || strings.Contains(b, "takes no command") {
			t.Errorf("it says %q; commands are taken", b)
		}
		h.data.SetFree(1 << 40)
		if _, err := d.keep(line); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if d.CannotWrite() != "" {
			t.Errorf("still says it cannot write %s", d.CannotWrite())
		}
		h.want(d, entry.IncidentOpened, 1)
	})
}

// The ballast is given up while there is still room to say so, and comes back at a start with room, after the ledger was opened.
func TestBallast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.o.Reserve, h.o.Ballast = 64<<20, 0
		_, stop := h.start()
		h.data.SetFree(3 << 20)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, err := h.data.Stat(ballast); err == nil {
			t.Error("kept on a full disk")
		}
		if n := strings.Count(h.logged(), "the disk is full"); n != 1 {
			t.Errorf("said %d times", n)
		}
		stop()
		h.data.SetFree(70 << 20)
		_, stop = h.start()
		if _, err := h.data.Stat(ballast); err == nil {
			t.Error("made on a nearly full disk")
		}
		stop()
		h.data.SetFree(1 << 40)
		_, stop = h.start()
		defer stop()
		if _, err := h.data.Stat(ballast); err != nil {
			t.Error("not made again")
		}
	})
}

// A trouble is told at once and then each five minutes; a worse one does not wait for the repeat of a lesser one.
func TestAlarm(t *testing.T) {
	t0 := time.Now()
	for _, x := range []struct {
		name  string
		steps func(a *alarm) []string
		want  []string
	}{
		{"nothing", func(a *alarm) []string { return says(a, t0, t0.Add(time.Hour)) }, []string{"", ""}},
		{"repeats", func(a *alarm) []string {
			a.sound(archiveFails, "A")
			return says(a, t0, t0.Add(time.Minute), t0.Add(5*time.Minute))
		}, []string{"A", "", "A"}},
		{"worse comes at once", func(a *alarm) []string {
			a.sound(archiveFails, "A")
			first := says(a, t0)
			a.sound(ledgerFails, "L")
			return append(first, says(a, t0.Add(time.Second), t0.Add(time.Minute))...)
		}, []string{"A", "L", ""}},
		{"another's success does not quiet it", func(a *alarm) []string {
			a.sound(vaultFails, "V")
			a.quiet(archiveFails)
			return says(a, t0)
		}, []string{"V"}},
		{"flapping is not told each time", func(a *alarm) []string {
			a.sound(archiveFails, "A")
			first := says(a, t0)
			a.quiet(archiveFails)
			a.sound(archiveFails, "A")
			return append(first, says(a, t0.Add(time.Second))...)
		}, []string{"A", ""}},
		{"clock set back", func(a *alarm) []string {
			a.sound(archiveFails, "A")
			return says(a, t0, t0.Add(-time.Hour))
		}, []string{"A", "A"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := x.steps(newAlarm(nil))
			for i, want := range x.want {
				if want == "" && got[i] != "" || !strings.Contains(got[i], " "+want) && want != "" {
					t.Errorf("step %d: %q, want %q", i, got[i], want)
				}
			}
		})
	}
}

func says(a *alarm, at ...time.Time) (out []string) {
	for _, now := range at {
		_, s := a.due(now)
		out = append(out, s)
	}
	return out
}

// A vault that cannot be written holds detection back and is told; nothing is lost, and it goes on by itself.
func TestVaultFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.sick(vaultDir, syscall.ENOSPC)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(h.sent()); n != 3 || !strings.Contains(h.sent()[0].Body, "its vault") {
			t.Fatalf("told %d: %+v", n, h.sent())
		}
		if r := d.Reading(); r.Fault == "" || r.Lag() == 0 {
			t.Errorf("the screens do not say that detection waits: %+v", r)
		}
		h.sick("", nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.want(d, entry.IncidentOpened, 1)
		if r := d.Reading(); r.Fault != "" || r.Lag() != 0 || d.CannotWrite() != "" {
			t.Errorf("still: %+v, %s", r, d.CannotWrite())
		}
	})
}

// A loop that fails ends the program with its name and reason.
func TestRunFails(t *testing.T) {
	broken := errors.New("inotify is gone")
	err := runLoops(t.Context(), map[string]func(context.Context) error{
		"watcher": func(context.Context) error { return broken },
		"bell":    func(ctx context.Context) error { <-ctx.Done(); return nil },
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "watcher") {
		t.Errorf("Run: %v", err)
	}
}

// At each write of a session that fails, the next start has every line that was kept and raises each alert once.
func TestStopAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("many starts")
	}
	steps := 0
	for n := 0; ; n += 23 {
		done := false
		synctest.Test(t, func(t *testing.T) { done = stopAt(t, n) })
		steps++
		if done || t.Failed() {
			break
		}
	}
	t.Logf("stopped at %d places", steps)
}

func stopAt(t *testing.T, n int) (done bool) {
	h := newHouse(t)
	h.o.Version = "stop"
	d, stop := h.start()
	h.team(d)
	h.rough = true
	h.data.FailAfter(n)
	kept := 0
	for i, path := range []string{"/evil", "/fine", "/odd", "/evil"} {
		at := time.Now()
		b := record.Batch{Received: at, Lines: []record.Line{{File: "/log/access.log", Raw: request(at, []string{"192.0.2.1", "198.51.100.2", "203.0.113.3", "100.64.7.4"}[i], path)}}}
		if _, err := d.keep(b); err == nil {
			kept = i + 1
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
	}
	done = kept == 4 && d.Broken() == nil
	stop()
	h.rough = false
	h.data = h.data.Crash()
	d, stop = h.start()
	defer stop()
	time.Sleep(time.Minute)
	synctest.Wait()
	want := map[int]int{0: 0, 1: 1, 2: 1, 3: 2, 4: 3}[kept]
	got := h.entries(d)
	// One line more may have been kept than was acknowledged.
	if more := map[int]int{0: 1, 1: 1, 2: 2, 3: 3, 4: 3}[kept]; got[entry.AlertRaised] < want || got[entry.AlertRaised] > more {
		t.Errorf("stopped at %d: %d alerts for %d acknowledged lines", n, got[entry.AlertRaised], kept)
	}
	if got[entry.IncidentOpened] != got[entry.AlertRaised] {
		t.Errorf("stopped at %d: %d incidents for %d alerts", n, got[entry.IncidentOpened], got[entry.AlertRaised])
	}
	if _, err := d.VerifyLedger(); err != nil {
		t.Errorf("stopped at %d: %v", n, err)
	}
	return done
}
