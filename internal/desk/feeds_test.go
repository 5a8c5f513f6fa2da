package desk

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/fleet"
	"tocsin/internal/hub"
	"tocsin/internal/record"
)

// A fleetHouse is a desk that agents have joined, in which nothing runs: the test says what they tell.
type fleetHouse struct {
	*Desk
	feeds *feeds
	said  time.Time
}

func newFleetHouse(t *testing.T, silent time.Duration, ids ...string) *fleetHouse {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(slog.New(slog.DiscardHandler), Options{Version: "test", Ballast: 1 << 16, Data: disk.NewLossy(), Keys: disk.NewLossy(), Rules: testRules(t).Rules, URL: "http://localhost",
		Silent: func(string) time.Duration { return silent }, Hub: &HubOptions{Listener: l, Address: "x:1", Limit: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, id := range ids {
		for _, decide := range []func(*State, time.Time) ([]entry.Draft, error){
			func(s *State, now time.Time) ([]entry.Draft, error) {
				return []entry.Draft{s.Fleet.Invite("x", entry.AgentToken{Hash: id, Expires: now.Add(time.Hour)})}, nil
			},
			func(s *State, now time.Time) ([]entry.Draft, error) {
				x, err := s.Fleet.Join(entry.AgentJoin{ID: id, Name: id, Token: id, Key: "k", Expires: now.Add(time.Hour)})
				return []entry.Draft{x}, err
			},
		} {
			if err := d.write(decide); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &fleetHouse{Desk: d, feeds: &feeds{d: d, by: map[string]map[string]*hostLog{}, seen: map[string]time.Time{}}}
}

// tell says what an agent says, and looks as often as it takes to take it in.
func (h *fleetHouse) tell(t *testing.T, id string, host record.Host) {
	t.Helper()
	h.said = h.said.Add(time.Second)
	all := []hub.Agent{{Joined: hub.Joined{ID: id, Name: id}, Seen: time.Now(), Host: host, HostAt: h.said}}
	h.agents.present.Store(&all)
	for range 30 {
		h.feeds.look(time.Now())
		if err := h.feeds.write(); err != nil {
			t.Fatal(err)
		}
		if err := h.feeds.losses(time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		h.settle(context.Background(), time.Now())
	}
}

func (h *fleetHouse) count(rule string) (alerts, standing int) {
	h.Read(func(s *State) {
		for id, a := range s.Incidents.Alerts {
			if a.Rule == rule {
				alerts++
				if s.Silences[id] {
					standing++
				}
			}
		}
	})
	return alerts, standing
}

func (h *fleetHouse) entries() (n int64) {
	h.Read(func(s *State) { n = s.Entries })
	return n
}

// What one agent can cause has a bound: names, entries, alerts.
func TestAnAgentCannotFillTheLedger(t *testing.T) {
	h := newFleetHouse(t, 24*time.Hour, "web-1")
	before := h.entries()
	for round := range 3 {
		var host record.Host
		for k := range 2000 {
			host.Sources = append(host.Sources, record.Feed{Path: fmt.Sprint("/", round, "/", k), State: "ok", Lines: 1, Last: time.Unix(0, 1)})
			host.Gaps = append(host.Gaps, record.Gap{File: "x", From: int64(round*2000 + k), Until: time.Now(), Why: "w"})
		}
		h.tell(t, "web-1", host)
	}
	if got := h.entries() - before; got > 1500 {
		t.Errorf("%d entries", got)
	}
	if alerts, _ := h.count(SilentRule); alerts != 0 {
		t.Errorf("%d sources are silent, though the server has just seen them speak", alerts)
	}
	known := 0
	h.Read(func(s *State) { known = len(s.Fleet.Known) })
	if known != fleet.MaxKnown {
		t.Errorf("%d sources are remembered, want %d", known, fleet.MaxKnown)
	}
	if err := h.Broken(); err != nil {
		t.Error(err)
	}
}

// A loss is one alert, whatever its times are, and ends after its hour.
func TestALossIsOneAlert(t *testing.T) {
	for name, since := range map[string]time.Time{"then": time.Now().Add(-time.Hour), "no time": {}, "ahead": time.Now().Add(20 * time.Minute)} {
		h := newFleetHouse(t, 0, "web-1")
		g := record.Gap{File: "/var/log/a.log", Print: "aa", From: 10, To: 30, Since: since, Until: time.Now(), Why: "the spool was full"}
		for range 3 {
			g.Until = g.Until.Add(time.Second)
			h.tell(t, "web-1", record.Host{Gaps: []record.Gap{g}})
		}
		if alerts, standing := h.count(GapRule); alerts != 1 || standing != 1 {
			t.Errorf("%s: %d alerts, %d stand", name, alerts, standing)
		}
		if all, _ := h.Agents(); len(all[0].Gaps) != 1 || all[0].Gaps[0].To != 30 {
			t.Errorf("%s: %+v", name, all[0].Gaps)
		}
	}
}

// A time that no entry can hold breaks nothing.
func TestAYearThatIsNone(t *testing.T) {
	h := newFleetHouse(t, time.Hour, "web-1")
	bad := time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 23*3600))
	all := []hub.Agent{{Joined: hub.Joined{ID: "web-1", Name: "web-1"}, Host: record.Host{Gaps: []record.Gap{{File: "x", Since: bad, Until: bad}},
		Sources: []record.Feed{{Path: "/x", State: "ok", Lines: 1, Last: bad}}}, HostAt: time.Now()}}
	h.agents.present.Store(&all)
	h.feeds.look(time.Now())
	_ = h.feeds.write()
	_ = h.feeds.losses(time.Now()) // refused, and said
	h.settle(context.Background(), time.Now())
	if err := h.Broken(); err != nil {
		t.Errorf("the desk takes no command any more: %v", err)
	}
}

// A source of another host falls silent when the server has seen no line of it for its limit, once; not because its agent or the server has just started; and it
// ends when it speaks, is not followed any more, or its agent is put out.
func TestSilenceOnAnotherHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFleetHouse(t, time.Hour, "web-1")
		host := func(lines int64, paths ...string) (x record.Host) {
			for _, p := range paths {
				x.Sources = append(x.Sources, record.Feed{Path: p, State: "ok", Lines: lines})
			}
			return x
		}
		want := func(when string, alerts, standing int) {
			t.Helper()
			if a, s := h.count(SilentRule); a != alerts || s != standing {
				t.Errorf("%s: %d alerts, %d stand; want %d, %d", when, a, s, alerts, standing)
			}
		}
		time.Sleep(72 * time.Hour)
		h.tell(t, "web-1", host(0, "/never", "/a"))
		want("a quiet file of an agent that has just come", 0, 0)
		h.tell(t, "web-1", host(5, "/a", "/b"))
		time.Sleep(59 * time.Minute)
		h.tell(t, "web-1", host(5, "/a", "/b"))
		want("before its limit", 0, 0)
		time.Sleep(2 * time.Minute)
		h.tell(t, "web-1", host(5, "/a", "/b"))
		want("behind it", 2, 2)
		if names := h.Silent(); names["web-1:/a"].IsZero() || names["web-1:/b"].IsZero() {
			t.Errorf("silent are %v", names)
		}
		h.tell(t, "web-1", host(6, "/a", "/b")) // both grow
		want("they speak", 2, 0)
		time.Sleep(2 * time.Hour)
		h.tell(t, "web-1", host(6, "/a", "/b"))
		want("again", 4, 2)
		h.tell(t, "web-1", host(6, "/a"))
		want("one is not followed any more", 4, 1)
		if err := h.RevokeAgent(Local("command"), "web-1", "sold"); err != nil {
			t.Fatal(err)
		}
		h.settle(context.Background(), time.Now())
		want("its agent is put out", 4, 0)
	})
}

// An agent that was lost comes back when nobody asks for lost ones any more.
func TestLostAndNobodyAsks(t *testing.T) {
	h := newFleetHouse(t, 0, "web-1")
	if err := h.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		drafts, _ := s.Fleet.OwedAgents(nil, now.Add(-time.Hour), now.Add(time.Hour), time.Minute)
		return drafts, nil
	}); err != nil {
		t.Fatal(err)
	}
	h.settle(context.Background(), time.Now())
	if _, standing := h.count(LostRule); standing != 1 {
		t.Fatalf("%d stand", standing)
	}
	h.agents.o.Limit = 0
	for range 3 {
		h.settle(context.Background(), time.Now())
	}
	if all, _ := h.Agents(); all[0].State() == "lost" {
		t.Error("it is lost for ever")
	}
}

// A host cannot make an attack on another one look like history: an old line of its own raises the alert, and the first line that is not old rings.
func TestAnOldLineHidesNoAttack(t *testing.T) {
	h := newFleetHouse(t, 0, "bad", "good")
	now := time.Now()
	old := func(agent, host string, start bool, lines ...string) {
		t.Helper()
		b := record.Batch{Agent: agent, Boot: "b", Received: time.Now(), Start: start}
		if start {
			b.Positions = []record.Position{{File: "/x.log"}}
		}
		for _, l := range lines {
			b.Lines = append(b.Lines, record.Line{Host: host, File: "/x.log", Raw: l})
		}
		if _, err := h.keep(b); err != nil {
			t.Fatal(err)
		}
		if err := h.reader.step(); err != nil {
			t.Fatal(err)
		}
	}
	line := func(at time.Time) string {
		return fmt.Sprintf(`203.0.113.9 - - [%s] "GET /evil HTTP/1.1" 200 5 "-" "x"`, at.UTC().Format("02/Jan/2006:15:04:05 -0700"))
	}
	live := func() (open, history int) {
		h.Read(func(s *State) {
			for _, i := range s.Incidents.Incidents {
				if i.History {
					history++
				} else {
					open++
				}
			}
		})
		return open, history
	}
	old("bad", "bad", true, line(now.Add(-5*time.Second)))
	if open, history := live(); open != 0 || history != 1 {
		t.Fatalf("an old line makes %d open incidents and %d of history", open, history)
	}
	old("good", "good", true, line(now.Add(2*time.Second)))
	if open, _ := live(); open != 1 {
		t.Error("the attack on the other host is taken for history")
	}
}
