package desk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// An arrival is a message that reached the other side, whatever became of our knowing it.
type arrival struct {
	notify.Message
	at time.Time
}

// A sink is mail server and chat as one. What it took is taken, also when we die before we hear of it.
type sink struct {
	mu   sync.Mutex
	rand *rand.Rand
	hits []arrival
}

func (s *sink) wait(ctx context.Context) bool {
	s.mu.Lock()
	d := time.Duration(s.rand.IntN(1500)) * time.Millisecond
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (s *sink) send(ctx context.Context, m notify.Message) error {
	if !s.wait(ctx) {
		return &notify.Failure{Temporary: true, Reason: "broken off"}
	}
	s.mu.Lock()
	if ctx.Err() == nil && m.Call != "alarm" {
		s.hits = append(s.hits, arrival{m, time.Now()})
	}
	s.mu.Unlock()
	s.wait(ctx)
	return nil
}

// A night is six hours with four incidents, and with crashes. Every other call is answered while its sixth step rings, with messages in the air, the
// others after 40 minutes, when nothing is.
type night struct {
	*cut
	sink    *sink
	rand    *rand.Rand
	crashes []time.Time
	answers map[int64]time.Time
	flew    int // messages that were in the air at an answer
	d       *Desk
	stop    func()
}

func (n *night) open(t *testing.T) {
	t.Helper()
	n.d, n.stop = n.live()
	if n.d == nil {
		t.Fatal("it does not start again")
	}
}

// airborne is the step that is answered while its messages are in the air.
const airborne = 5

// due reports whether a call is to be answered now, and how many of its messages are in the air.
func (n *night) due(call int64) (due bool, flies int) {
	n.d.Read(func(s *State) {
		c, err := s.Calls.Get(call)
		if err != nil {
			return
		}
		due = call%2 != 0 && time.Since(c.Opened) >= 40*time.Minute || call%2 == 0 && c.Step >= airborne
		for _, x := range c.Tries {
			if x.Done.IsZero() && x.Channel != plan.Console {
				flies++
			}
		}
	})
	return due, flies
}

// crash lets some more operations of the disk pass, then none, and then ends the program: what was not synced is lost.
func (n *night) crash(t *testing.T) {
	t.Helper()
	n.data.FailAfter(n.data.Ops() + n.rand.IntN(12))
	time.Sleep(time.Duration(n.rand.IntN(3000)) * time.Millisecond)
	n.data.FailAfter(n.data.Ops())
	n.crashes = append(n.crashes, time.Now())
	n.stop()
	n.data, n.keys = n.data.CrashSeed(n.rand.Uint64()), n.keys.Crash()
	n.open(t)
}

// TestEscalationUnderCrash is six hours in which the program dies again and again: each step rings everybody once by each channel, what comes twice says that
// it may, none is left out, and an answer stops all within a second. TOCSIN_SOAK makes it 300 crashes.
func TestEscalationUnderCrash(t *testing.T) {
	crashes := 20
	if os.Getenv("TOCSIN_SOAK") != "" {
		crashes = 300
	}
	synctest.Test(t, func(t *testing.T) {
		n := &night{cut: &cut{house: newHouse(t)}, sink: &sink{rand: rand.New(rand.NewPCG(1, 2))}, rand: rand.New(rand.NewPCG(3, uint64(crashes))), answers: map[int64]time.Time{}}
		n.o.Senders = map[string]Sender{plan.Mail: n.sink.send, plan.Webhook: n.sink.send}
		n.open(t)
		defer func() { n.stop() }()
		if _, err := n.d.SeedPlan(Seed{
			People: []SeedPerson{
				{ID: "anna", Roles: []string{plan.Commander}, Contact: Contact{Name: "Anna", Mail: "anna@shop.example"}},
				{ID: "boris", Roles: []string{plan.Engineer}, Contact: Contact{Name: "Boris", Mail: "boris@shop.example", Webhook: "https://chat.example/hook"}},
			},
			Policy: &entry.Policy{Steps: []entry.PolicyStep{{Who: []string{"anna"}, Wait: 5 * time.Minute}, {Who: []string{"role:engineer"}, Wait: 5 * time.Minute},
				{Who: []string{plan.Everyone}, Wait: 5 * time.Minute}}, Rounds: 1, Every: 10 * time.Minute},
		}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var at []time.Duration
		for k := range crashes {
			when := time.Duration(n.rand.Int64N(int64(6 * time.Hour)))
			if k%2 == 0 { // every other one falls where a step rings
				step := []time.Duration{0, 5, 10, 15, 25, 35}[n.rand.IntN(6)] * time.Minute
				when = time.Duration(n.rand.IntN(4))*90*time.Minute + step + time.Duration(n.rand.IntN(5000))*time.Millisecond
			}
			at = append(at, when)
		}
		slices.Sort(at)
		fed, actor := 0, auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{plan.Commander}}
		for now := time.Duration(0); now < 6*time.Hour; now = time.Since(began) {
			if fed < 4 && now >= time.Duration(fed)*90*time.Minute {
				before := len(n.acked)
				if n.keepLines(n.d, request(time.Now(), fmt.Sprintf("192.0.%d.7", fed), "/evil")); len(n.acked) > before {
					fed++
				}
			}
			for _, r := range n.d.Ringing(Local("test")) {
				if due, flies := n.due(r.ID); due && n.d.Answer(actor, r.ID, "console") == nil {
					n.answers[r.ID] = time.Now()
					n.flew += flies
				}
			}
			if len(at) > 0 && now >= at[0] {
				at = at[1:]
				n.crash(t)
				continue
			}
			time.Sleep(500 * time.Millisecond)
		}
		if n.flew == 0 {
			t.Error("no message was in the air at any answer, so nothing shows that it stops them")
		}
		n.judgeNight(t, crashes)
	})
}

func (n *night) judgeNight(t *testing.T, crashes int) {
	t.Helper()
	if len(n.crashes) < crashes*9/10 {
		t.Errorf("%d crashes, want %d", len(n.crashes), crashes)
	}
	by := map[string][]arrival{}
	for _, h := range n.sink.hits {
		id, _, _ := strings.Cut(h.ID, "@")
		by[id] = append(by[id], h)
	}
	twice, sent := 0, 0
	n.d.Read(func(s *State) {
		if len(s.Calls.Calls) != 4 || len(n.answers) != 4 {
			t.Fatalf("%d calls, %d answers, want 4 of each", len(s.Calls.Calls), len(n.answers))
		}
		for _, c := range s.Calls.Calls {
			want := []string{"0 anna mail", "1 boris mail", "1 boris webhook"}
			last := 6
			if c.ID%2 == 0 {
				last = airborne // whose messages the answer broke off, or not
			}
			for step := 2; step < last; step++ {
				want = append(want, fmt.Sprintf("%d anna mail", step), fmt.Sprintf("%d boris mail", step), fmt.Sprintf("%d boris webhook", step))
			}
			var got []string
			for k, x := range c.Steps {
				if x.Step != k {
					t.Errorf("call %d: step %d begins as number %d", c.ID, x.Step, k)
				}
			}
			for _, try := range c.Tries {
				if try.Channel == plan.Console {
					continue
				}
				if try.Again == 0 && try.Step < last {
					got = append(got, fmt.Sprintf("%d %s %s", try.Step, try.Person, try.Channel))
				}
				hits := by[try.Message]
				delete(by, try.Message)
				sent += len(hits)
				if len(hits) == 0 && try.Step < last {
					t.Errorf("call %d: try %d was never sent", c.ID, try.Try)
				}
				if try.Step >= last && try.Wanted.After(n.answers[c.ID]) {
					t.Errorf("call %d: try %d was wanted after the answer", c.ID, try.Try)
				}
				for k, h := range hits {
					if h.at.After(n.answers[c.ID].Add(time.Second)) {
						t.Errorf("call %d: try %d was sent %v after the answer", c.ID, try.Try, h.at.Sub(n.answers[c.ID]))
					}
					if k == 0 {
						continue
					}
					twice++
					died := slices.ContainsFunc(n.crashes, func(at time.Time) bool { return !at.Before(hits[k-1].at) && !at.After(h.at) })
					if !h.Twice || !try.Result.Twice || !died {
						t.Errorf("call %d: try %d came again: marked %v, its entry %v, a crash between the two %v", c.ID, try.Try, h.Twice, try.Result.Twice, died)
					}
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("call %d rang\n  %s\nwant\n  %s", c.ID, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		}
	})
	for id, hits := range by {
		t.Errorf("%s was sent %d times, and no entry knows of it", id, len(hits))
	}
	if _, err := n.d.VerifyLedger(); err != nil {
		t.Errorf("the ledger: %v", err)
	}
	t.Logf("%d crashes; %d messages, %d of them again, %d in the air at an answer", len(n.crashes), sent, twice, n.flew)
}
