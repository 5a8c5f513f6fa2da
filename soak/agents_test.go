//go:build soak

package soak

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

var (
	agentKills = flag.Int("agentkills", 500, "how many kills of agents, the server, or both; 20 is the short form")
	agentTime  = flag.Duration("agenttime", 50*time.Minute, "end with fewer kills after so long")
	agentRate  = flag.Int("agentrate", 200, "lines per second of each host")
)

// An encirclement is a siege of a server and the agents of two hosts, all of them processes.
type encirclement struct {
	*siege
	hosts   []*host
	stop    chan struct{} // ends writing
	written chan error
	fallen  map[string]int // kills, by who
	aimed   [stages][2]int // kills at each step: before it or within, behind it
	tried   [stages]int    // lives that were to end at a step
	missed  int            // armed, and the step did not come
	lives   int
	begun   time.Time
}

// shops are the server's own and those of the hosts.
func (e *encirclement) shops() (all []*shop) {
	all = append(all, e.shop)
	for _, h := range e.hosts {
		all = append(all, h.shop)
	}
	return all
}

func encircle(t testing.TB, rate int) *encirclement {
	t.Helper()
	t.Setenv(segmentEnv, "10000")
	const attack, rotate = 4 * time.Second, 6 * time.Second
	e := &encirclement{siege: newSiege(t, rate, attack, rotate, 3*time.Second), stop: make(chan struct{}), written: make(chan error, 8), fallen: map[string]int{}, begun: time.Now()}
	e.shop.past = 700 * time.Millisecond
	address := freePort(t)
	settings, err := os.ReadFile(e.path("tocsin.yaml"))
	if err == nil {
		err = os.WriteFile(e.path("tocsin.yaml"), append(settings, fmt.Sprintf("agents: {listen: \"%s\", lost_after: never}\n", address)...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	program := buildAgent(t)
	c := e.start()
	e.alive(time.Minute)
	for n, name := range []string{"web-1", "web-2"} {
		shop, err := newShop(e.path("logs of "+name), rate, attack, rotate, uint64(n)+e.rng.Uint64())
		if err != nil {
			t.Fatal(err)
		}
		shop.first = (n + 1) * 200_000
		shop.logs[0].way, shop.logs[1].way = "packed", "dates"
		h := newHost(t, e.path(name), name, program, e.path("said"), shop)
		h.join(address, e.token(name))
		e.hosts = append(e.hosts, h)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	for _, s := range e.shops() {
		go func() { s.run(e.stop); e.written <- s.failed }()
	}
	e.verify(0)
	return e
}

// aim picks the step at which the fewest kills fell; one that did not come when it was aimed at has to wait its turn.
func (e *encirclement) aim(aims []stage) stage {
	least := func(s stage) int { return 3*(e.aimed[s][0]+e.aimed[s][1]) + e.tried[s] }
	return slices.MinFunc(aims, func(a, b stage) int { return cmp.Compare(least(a), least(b)) })
}

// live is one life of the server and its end, with kills of agents meanwhile. It returns how many kills that were.
func (e *encirclement) live(n int, aims []stage) (kills int) {
	e.t.Helper()
	e.lives++
	e.board.reset()
	armed, late := n%3 != 2, 0
	at := e.aim(aims)
	if armed {
		e.tried[at]++
		if e.aimed[at][0] > e.aimed[at][1] {
			late = 1
		}
		most := map[stage]int{linesWritten: 4, columnsWritten: 20}[at%ofOne]
		e.board.steps.arm(at, e.rng.IntN(most+2), late)
	}
	c := e.start()
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	for _, h := range e.hosts {
		h.start()
	}
	for range e.rng.IntN(3) { // agents die while the server lives
		e.wait(ended, time.Duration(e.rng.Int64N(int64(e.life)/3)))
		h := e.hosts[e.rng.IntN(len(e.hosts))]
		h.kill()
		e.fallen["agent"]++
		kills++
		time.Sleep(time.Duration(e.rng.IntN(50)) * time.Millisecond)
		h.start()
		select {
		case <-ended:
			continue
		default:
		}
	}
	patience := 20 * time.Second
	if !armed {
		patience = time.Duration(e.rng.Int64N(int64(e.life)))
	}
	e.wait(ended, patience)
	who := "server"
	_ = c.Process.Kill()
	if e.rng.IntN(3) == 0 {
		who = "both"
		for _, h := range e.hosts {
			if e.rng.IntN(3) > 0 {
				h.kill()
			}
		}
	}
	<-ended
	e.fallen[who]++
	if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		e.t.Fatalf("life %d: the server ended by itself (%v)\n%s", n, c.ProcessState, e.said())
	}
	if fell := e.board.steps.fell.Load(); fell > 0 {
		e.aimed[fell-1][late]++
	} else if armed {
		e.missed++
	}
	e.verify(n)
	return kills + 1
}

// run is the whole encirclement.
func (e *encirclement) run(kills int, within time.Duration) {
	e.t.Helper()
	aims := allSteps()
	e.rng.Shuffle(len(aims), func(i, j int) { aims[i], aims[j] = aims[j], aims[i] })
	for n, done := 0, 0; done < kills && time.Since(e.begun) < *agentTime; n++ {
		done += e.live(n, aims)
		if n%25 == 24 {
			e.t.Logf("%d kills in %v, %d steps missed, %d entries verified", done, time.Since(e.begun).Round(time.Second), e.missed, e.verified)
		}
	}
	close(e.stop)
	for range e.shops() {
		if err := <-e.written; err != nil {
			e.t.Fatal(err)
		}
	}
	e.finish(within)
	e.verify(e.lives)
	e.judge()
	e.table(kills >= 400)
}

// total is how many lines were written. It may be asked when writing ended.
func (e *encirclement) total() (n int64) {
	for _, s := range e.shops() {
		n += s.lines
	}
	return n
}

// finish lets agents and server work off everything, and ends the server in peace.
func (e *encirclement) finish(within time.Duration) {
	e.t.Helper()
	limit := time.Now().Add(within)
	e.board.reset()
	c := e.start()
	e.alive(time.Minute)
	for _, h := range e.hosts {
		h.kill() // its wait for the server may have grown long
		h.start()
	}
	for says := "wait"; says != ""; time.Sleep(time.Second) {
		says = ""
		for _, h := range e.hosts {
			if ok, why := h.settled(); !ok {
				says = why
			}
		}
		if behind := e.total() + 1 - e.read(); says == "" && behind > 0 {
			says = fmt.Sprintf("detection is %d lines behind", behind)
		}
		if says != "" && time.Now().After(limit) {
			e.t.Fatalf("it does not come to rest: %s\n%s", says, e.said())
		}
	}
	time.Sleep(3 * time.Second) // for calls that ring
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		e.t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		e.t.Fatalf("the server did not end in peace: %v\n%s", err, e.said())
	}
	for _, h := range e.hosts {
		h.kill()
	}
}

// sources are all files that were written, by host and log, and how many.
func (e *encirclement) sources() (map[string]*source, int) {
	all, files := map[string]*source{}, 0
	add := func(host string, s *shop) {
		for _, g := range s.logs {
			all[host+":"+g.name] = &source{parts: g.parts()}
			files += len(g.parts())
		}
	}
	add("", e.shop)
	for _, h := range e.hosts {
		add(h.name, h.shop)
	}
	return all, files
}

// judge holds what is kept against the files that were written.
func (e *encirclement) judge() {
	e.t.Helper()
	sources, files := e.sources()
	alerts, replay := map[string]string{}, newReplay(e.t)
	e.judgeKept(e.total(), sources, func(line record.Line, received time.Time) {
		for _, c := range replay.detector.Step(replay.parser.Parse(line, received)) {
			if c.Step == detect.Raised {
				alerts[c.Alert.ID] = c.Alert.Rule
			}
		}
	})
	c := chronicleOf(e.t, e.ledger(e.layer()))
	judgeAlerts(e.t, c, alerts)
	judgeCalls(e.t, c, e.sink.counts())
	e.t.Logf("%d lines in %d files of 3 hosts, each kept once, byte for byte, each file in order; %d alerts, as a replay raises them; %d starts, %d entries verified", e.total(), files, len(c.raised), c.starts, e.verified)
	e.judgeCommands()
}

// judgeKept compares every line that is kept with the files that were written, by host and log, and hands it on.
func (s *siege) judgeKept(total int64, sources map[string]*source, act func(record.Line, time.Time)) {
	s.t.Helper()
	l := s.layer()
	a, said, err := archive.Open(l, "archive", archive.Options{ReadOnly: true})
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Close()
	kept, opened, err := shelf.Open(l, "shelf", shelf.Options{ReadOnly: true})
	if err != nil {
		s.t.Fatal(err)
	}
	defer kept.Close()
	if said.Last != total || said.First > kept.Through()+1 || len(opened.Missing) > 0 {
		s.t.Errorf("%d lines were written, the log has %d to %d, the shelf those up to %d; missing %v", total, said.First, said.Last, kept.Through(), opened.Missing)
	}
	for from := int64(1); from <= said.Last; {
		blocks, err := readLines(a, kept, from)
		if err != nil || len(blocks) == 0 {
			s.t.Fatalf("line %d: %v", from, err)
		}
		for _, b := range blocks {
			for _, line := range b.Lines {
				x := sources[line.Host+":"+line.File]
				if x == nil || line.Seq != from {
					s.t.Fatalf("line %d, of %s on %q, stands where line %d should", line.Seq, line.File, line.Host, from)
				}
				if want, err := x.next(); err != nil || string(want) != line.Raw {
					s.t.Fatalf("line %d of %s on %q is %q; the file has there %q (%v)", line.Seq, line.File, line.Host, line.Raw, want, err)
				}
				act(line, b.Received)
				from++
			}
		}
	}
	for name, x := range sources {
		if line, err := x.next(); err != io.EOF {
			s.t.Errorf("%s: the lines from %q on are not kept (%v)", name, line, err)
		}
	}
}

// judgeCommands asks the command line.
func (e *encirclement) judgeCommands() {
	e.t.Helper()
	out, err := e.tocsin("archive", "verify", "--json")
	var v struct {
		Intact         bool
		Lines, Volumes int64
		Named          int
		Faults, Aside  []desk.Fault
		Unsaid         []string
	}
	if wrong := json.Unmarshal([]byte(out), &v); err == nil {
		err = wrong
	}
	if err != nil || !v.Intact || len(v.Faults)+len(v.Aside) > 0 {
		e.t.Errorf("archive verify: %v\n%.2000s", err, out)
	}
	if out, err = e.tocsin("ledger", "verify"); err != nil {
		e.t.Errorf("ledger verify: %v\n%s", err, out)
	}
	if out, err = e.tocsin("search", "| count by host", "--json"); err != nil {
		e.t.Fatal(err)
	}
	found := map[string]int64{}
	for line := range strings.Lines(out) {
		var row struct {
			Kind   string
			Fields struct {
				Host  string
				Count int64
			}
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			e.t.Fatal(err)
		}
		if row.Kind == "row" {
			found[row.Fields.Host] = row.Fields.Count
		}
	}
	for _, h := range e.hosts {
		if found[h.name] != h.shop.lines {
			e.t.Errorf("a search finds %d lines of %s, which wrote %d", found[h.name], h.name, h.shop.lines)
		}
	}
	if found[""] != e.shop.lines {
		e.t.Errorf("a search finds %d of the server's own %d lines", found[""], e.shop.lines)
	}
	e.t.Logf("archive verify: %d lines in the log, %d volumes, %d of them as the ledger names them, %d that it does not know of", v.Lines, v.Volumes, v.Named, len(v.Unsaid))
}

// table prints what was struck.
func (e *encirclement) table(all bool) {
	var b strings.Builder
	sum, kills := 0, 0
	for _, n := range e.fallen {
		kills += n
	}
	for _, s := range allSteps() {
		sum += e.aimed[s][0] + e.aimed[s][1]
	}
	fmt.Fprintf(&b, "%d kills with -9 in %v: %d of an agent, %d of the server, %d of both at once; %d of the server at a step of sealing or joining:\n", kills,
		time.Since(e.begun).Round(time.Second), e.fallen["agent"], e.fallen["server"], e.fallen["both"], sum)
	fmt.Fprintf(&b, "  %-24s %14s %6s %12s\n", "step", "before, within", "behind", "passed alive")
	for _, s := range allSteps() {
		fmt.Fprintf(&b, "  %-24s %14d %6d %12d\n", s, e.aimed[s][0], e.aimed[s][1], e.board.steps.passed[s].Load())
		if all && e.aimed[s][0]+e.aimed[s][1] == 0 {
			e.t.Errorf("no kill fell at %q", s)
		}
	}
	e.t.Log("\n" + b.String())
}

// TestSiegeOfAgents: given a server and the agents of two hosts that are killed at any moment, and the server between each two steps of sealing and joining, when
// all is quiet again, then every line that was written on three machines is kept once, byte for byte, those of a file in their order, and all volumes are whole.
func TestSiegeOfAgents(t *testing.T) {
	e := encircle(t, *agentRate)
	e.life = *most
	e.run(*agentKills, 5*time.Minute)
}
