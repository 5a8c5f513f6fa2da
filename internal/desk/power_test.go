package desk

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/record"
)

// A cut is one run of the program whose disk stops at a step, as the plug is pulled.
type cut struct {
	*house
	acked    []string // lines that the archive acknowledged
	answered []int64  // calls
	closed   []int64  // incidents
	noted    bool
}

// live opens the desk and runs it; the plug may be pulled at any moment, so every error is allowed. It returns nil when the desk
// did not open.
func (c *cut) live() (*Desk, func()) {
	o := c.o
	o.Data, o.Keys = c.data, c.keys
	d, err := Open(slog.New(slog.NewTextHandler(io.Discard, nil)), o)
	if err != nil {
		return nil, func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { defer close(ran); _ = d.Run(ctx) }()
	return d, func() {
		cancel()
		<-ran
		_ = d.Close()
	}
}

func (c *cut) keepLines(d *Desk, lines ...string) {
	b := record.Batch{Received: time.Now()}
	for _, l := range lines {
		b.Lines = append(b.Lines, record.Line{File: "/log/access.log", Raw: l})
	}
	if _, err := d.keep(b); err == nil {
		c.acked = append(c.acked, lines...)
	}
}

// work is what a bad night is made of. Each step notes what was acknowledged.
func (c *cut) work(d *Desk) {
	_, _ = d.SeedPlan(Seed{
		People: []SeedPerson{{ID: "anna", Roles: []string{plan.Commander}, Contact: Contact{Name: "Anna", Mail: "anna@shop.example"}}},
		Policy: &entry.Policy{Steps: []entry.PolicyStep{{Who: []string{plan.Everyone}, Wait: 5 * time.Minute}}, Rounds: 1, Every: 5 * time.Minute},
	})
	actor := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{plan.Commander}}
	for n := range 3 {
		c.keepLines(d, request(time.Now(), fmt.Sprintf("192.0.%d.7", n), "/evil"), request(time.Now(), "198.51.100.1", fmt.Sprint("/fine/", n)))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if d.Answer(actor, int64(n+1), "console") == nil {
			c.answered = append(c.answered, int64(n+1))
		}
	}
	c.noted = d.Note(actor, 1, "we took the server off", time.Time{}) == nil
	if d.Finish(actor, 1, "true", "done", "it was clear at once") == nil {
		c.closed = append(c.closed, 1)
	}
	time.Sleep(time.Minute)
	synctest.Wait()
}

// judge starts the program again on what the power cut left, lets it go on, and holds everything against what was acknowledged.
func (c *cut) judge(t *testing.T) {
	t.Helper()
	d, stop := c.live()
	if d == nil {
		o := c.o
		o.Data, o.Keys = c.data, c.keys
		_, err := Open(slog.New(slog.NewTextHandler(io.Discard, nil)), o)
		t.Fatalf("it does not start again: %v", err)
	}
	defer stop()
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	c.judgeLines(t, d)
	if _, err := d.VerifyLedger(); err != nil {
		t.Errorf("the ledger: %v", err)
	}
	d.Read(func(s *State) {
		c.judgeAlerts(t, d, s)
		c.judgeCalls(t, s)
		for _, id := range c.closed {
			if i, err := s.Incidents.Get(id); err != nil || !i.Closed {
				t.Errorf("incident %d was closed, and is not", id)
			}
		}
		if c.noted {
			i, err := s.Incidents.Get(1)
			if err != nil || !slices.ContainsFunc(i.Timeline, func(m incident.Mark) bool { return d.Text(m.Ref) == "we took the server off" }) {
				t.Error("the note is lost")
			}
		}
	})
}

func (c *cut) judgeLines(t *testing.T, d *Desk) {
	t.Helper()
	blocks, err := d.archive.Read(1, 1<<20)
	if err != nil {
		t.Fatalf("reading the archive: %v", err)
	}
	count := map[string]int{}
	for _, b := range blocks {
		for _, l := range b.Lines {
			count[l.Raw]++
		}
	}
	for _, l := range c.acked {
		if count[l] != 1 {
			t.Errorf("an acknowledged line is %d times in the archive: %s", count[l], l)
		}
	}
}

func (c *cut) judgeAlerts(t *testing.T, d *Desk, s *State) {
	t.Helper()
	raised := 0
	for _, l := range c.acked {
		if strings.Contains(l, "/evil") {
			raised++
		}
	}
	if len(s.Incidents.Order) < raised {
		t.Errorf("%d alerts for %d acknowledged attacks", len(s.Incidents.Order), raised)
	}
	seen := map[string]bool{}
	for _, id := range s.Incidents.Order {
		if seen[id] {
			t.Errorf("alert %s was raised twice", id)
		}
		seen[id] = true
		a, err := d.Details(s.Incidents.Alerts[id].Vault)
		if err != nil {
			t.Errorf("the details of alert %s: %v", id, err)
			continue
		}
		key := "address " + a.Sources[0].Name
		if seen[key] {
			t.Errorf("two alerts for %s", key)
		}
		seen[key] = true
	}
}

func (c *cut) judgeCalls(t *testing.T, s *State) {
	t.Helper()
	got := map[string]int{}
	for _, m := range c.sent() {
		got[m.ID]++
	}
	for _, i := range s.Incidents.Incidents {
		if call := s.Calls.Of(i.ID); call == nil && !i.Closed {
			t.Errorf("incident %d rings nobody", i.ID)
		}
	}
	for _, call := range s.Calls.Calls {
		for _, try := range call.Tries {
			if try.Channel == plan.Console {
				continue
			}
			n := 0
			for id, times := range got {
				if strings.HasPrefix(id, try.Message+"@") {
					n += times
				}
			}
			if try.Done.IsZero() && call.Rings() || !try.Done.IsZero() && !try.Failed && n == 0 {
				t.Errorf("try %d of call %d was never sent", try.Try, call.ID)
			}
			if n > 1 && !try.Result.Twice {
				t.Errorf("try %d of call %d went out %d times and does not say so", try.Try, call.ID, n)
			}
		}
	}
	for _, id := range c.answered {
		if call, err := s.Calls.Get(id); err != nil || call.Rings() {
			t.Errorf("call %d was answered, and rings", id)
		}
	}
}

// TestPowerCut pulls the plug at every step of a bad night (at every 13th in the short form): whatever was acknowledged is
// true after the next start, nothing twice, and no call is lost. Set TOCSIN_SOAK for every step with several ways of tearing.
func TestPowerCut(t *testing.T) {
	steps := 0
	synctest.Test(t, func(t *testing.T) {
		c := &cut{house: newHouse(t)}
		d, stop := c.live()
		c.work(d)
		stop()
		steps = c.data.Ops()
		if len(c.acked) != 6 || len(c.answered) != 3 || len(c.closed) != 1 || !c.noted {
			t.Fatalf("without a cut: %d lines, answered %v, closed %v, noted %v", len(c.acked), c.answered, c.closed, c.noted)
		}
		c.judge(t)
	})
	stride, seeds := 13, []uint64{1}
	if os.Getenv("TOCSIN_SOAK") != "" {
		stride, seeds = 1, []uint64{1, 2, 3}
	}
	cuts := 0
	for n := 1; n <= steps; n += stride {
		for _, seed := range seeds {
			ok := t.Run(fmt.Sprintf("step %d, seed %d", n, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { pull(t, n, seed) })
			})
			cuts++
			if !ok {
				return
			}
		}
	}
	t.Logf("%d power cuts over %d steps", cuts, steps)
}

func pull(t *testing.T, n int, seed uint64) {
	c := &cut{house: newHouse(t)}
	c.data.FailAfter(n)
	if d, stop := c.live(); d != nil {
		c.work(d)
		stop()
	}
	c.keys = c.keys.Crash()
	if seed == 1 {
		c.data = c.data.Crash()
	} else {
		c.data = c.data.CrashSeed(seed)
	}
	c.judge(t)
}
