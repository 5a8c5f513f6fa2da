//go:build soak

package soak

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/record"
)

var (
	cutFor  = flag.Duration("cut", 10*time.Minute, "how long the network is cut; 45s is the short form")
	cutLoad = flag.Int("cutload", 2500, "lines per second of the host that is cut off")
)

// A relay is the network between a host and the server.
type relay struct {
	address, to string

	mu    sync.Mutex
	l     net.Listener // nil: connections are refused
	whole bool         // false: what is sent vanishes
	now   int          // connections of an earlier time are dead, and nobody is told
	conns []net.Conn
	all   sync.WaitGroup
}

func newRelay(t testing.TB, to string) *relay {
	t.Helper()
	r := &relay{address: freePort(t), to: to}
	if err := r.heal(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.refuse()
		r.mu.Lock()
		for _, c := range r.conns {
			c.Close()
		}
		r.mu.Unlock()
		r.all.Wait()
	})
	return r
}

// heal lets connections come through that begin from now on.
func (r *relay) heal() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.whole = true
	if r.l != nil {
		return nil
	}
	l, err := net.Listen("tcp", r.address)
	if err != nil {
		return err
	}
	r.l = l
	r.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.take(c)
		}
	})
	return nil
}

// swallow drops everything from now on, without a word to either side.
func (r *relay) swallow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.whole = false
	r.now++
}

// refuse takes no connection. Those that there were stay as they are.
func (r *relay) refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.l != nil {
		r.l.Close()
		r.l = nil
	}
}

// take carries a connection, if anything comes through.
func (r *relay) take(c net.Conn) {
	r.mu.Lock()
	whole, time := r.whole, r.now
	r.conns = append(r.conns, c)
	r.mu.Unlock()
	if !whole {
		return
	}
	s, err := net.Dial("tcp", r.to)
	if err != nil { // the server is not there: the host is told
		c.Close()
		return
	}
	r.mu.Lock()
	r.conns = append(r.conns, s)
	r.mu.Unlock()
	r.all.Go(func() { r.carry(c, s, time) })
	r.all.Go(func() { r.carry(s, c, time) })
}

// carry copies one way, until the network is cut.
func (r *relay) carry(from, to net.Conn, time int) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		r.mu.Lock()
		dead := time != r.now
		r.mu.Unlock()
		if dead {
			return
		}
		if n > 0 {
			if _, werr := to.Write(b[:n]); werr != nil {
				err = errors.Join(err, werr)
			}
		}
		if err != nil {
			from.Close()
			to.Close()
			return
		}
	}
}

// A severed network has a server, and a host with an agent on the other side of a relay.
type severed struct {
	*siege
	relay *relay
	host  *host
	own   *shop
}

// entries counts entries of a kind, and says when the first one of a time was written; the rule is that of alerts, "" is any.
func (s *severed) entries(k entry.Kind, rule string) (n int, first time.Time) {
	s.t.Helper()
	l, err := disk.Open(s.path("data"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	for e, err := range s.ledger(l).Entries(1) {
		if err != nil {
			break // a write under way
		}
		if e.Kind != k {
			continue
		}
		if rule != "" {
			if a, err := entry.Body[entry.Alert](e); err != nil || a.Rule != rule {
				continue
			}
		}
		if n++; n == 1 {
			first = e.Time
		}
	}
	return n, first
}

// last is the number of the last line that the server has.
func (s *severed) last() int64 {
	l, err := disk.Open(s.path("data"))
	if err != nil {
		return 0
	}
	defer l.Close()
	a, said, err := archive.Open(l, "archive", archive.Options{ReadOnly: true, CheckBytes: 1})
	if err != nil { // a segment went meanwhile
		return 0
	}
	defer a.Close()
	return said.Last
}

// missing is how many lines were written that the server does not have.
func (s *severed) missing(more int64) int64 {
	return s.own.flushed.Load() + s.host.shop.flushed.Load() + more - s.last()
}

// attacker of the cut: it lays a script down, guesses a password and gets in.
const intruder = "203.0.113.99"

func attackLines(now time.Time) (web, auth []string) {
	web = []string{fmt.Sprintf(`%s - - [%s] "GET /wp-content/uploads/2026/11/photo.php HTTP/1.1" 200 512 "-" "Mozilla/5.0"`, intruder, now.UTC().Format("02/Jan/2006:15:04:05 -0700"))}
	for n := range 15 {
		auth = append(auth, now.UTC().Format(time.RFC3339)+fmt.Sprintf(" web-1 sshd[%d]: Failed password for root from %s port %d ssh2", 4000+n, intruder, 40000+n))
	}
	return web, append(auth, now.UTC().Format(time.RFC3339)+fmt.Sprintf(" web-1 sshd[4100]: Accepted password for root from %s port 41000 ssh2", intruder))
}

// seconds since a time, for people.
func since(begin, at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.Sub(begin).Round(100 * time.Millisecond).String()
}

// TestNetworkCut: given a host that writes thousands of lines a second, when the network between its agent and the server is cut, first so that all
// that is sent vanishes, then so that connections are refused, then this is an alert within a minute; and when it is whole again, then the server has
// all lines within a minute, once and in order, the agent is told to be back, and an attack that happened meanwhile is an alert.
func TestNetworkCut(t *testing.T) {
	const never = 1000 * time.Hour
	t.Setenv(segmentEnv, fmt.Sprint(4<<20)) // as it is shipped
	s := &severed{siege: newSiege(t, 300, never, 20*time.Second, time.Second)}
	s.own = s.shop
	hub := freePort(t)
	s.relay = newRelay(t, hub)
	limit := 40 * time.Second // the usual
	if *cutFor < 2*time.Minute {
		limit = 30 * time.Second
	}
	settings, err := os.ReadFile(s.path("tocsin.yaml"))
	if err == nil {
		err = os.WriteFile(s.path("tocsin.yaml"), append(settings, fmt.Sprintf("agents: {listen: \"%s\", address: \"%s\", lost_after: %v}\n", hub, s.relay.address, limit)...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := s.start()
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	s.alive(time.Minute)
	writing, err := newShop(s.path("logs of web-1"), *cutLoad, never, 15*time.Second, s.rng.Uint64())
	if err != nil {
		t.Fatal(err)
	}
	writing.logs[0].way, writing.logs[1].way = "packed", "dates"
	logs := slices.Clone(writing.logs)
	web, auth := &growing{name: filepath.Join(writing.dir, "attacked/access.log")}, &growing{name: filepath.Join(writing.dir, "attacked/auth.log")}
	if err := os.MkdirAll(filepath.Dir(web.name), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*growing{web, auth} {
		if err := l.open(); err != nil {
			t.Fatal(err)
		}
	}
	writing.logs = append(logs, web, auth) // the agent watches all four
	s.host = newHost(t, s.path("web-1"), "web-1", buildAgent(t), s.path("said"), writing)
	writing.logs = logs // the shop writes and rotates three
	s.host.join(s.relay.address, s.token("web-1"))
	s.host.start()
	stop, written := make(chan struct{}), make(chan error, 2)
	for _, x := range []*shop{s.own, writing} {
		go func() { x.run(stop); written <- x.failed }()
	}
	time.Sleep(5 * time.Second)
	if n := s.missing(0); n > 3*int64(*cutLoad) {
		t.Fatalf("before the cut %d lines are missing\n%s", n, s.said())
	}

	cut, before := time.Now(), writing.flushed.Load()
	s.relay.swallow()
	time.Sleep(*cutFor / 3)
	struck := time.Now()
	evil, guesses := attackLines(struck)
	for l, lines := range map[*growing][]string{web: evil, auth: guesses} {
		if _, err := l.f.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	more := int64(len(evil) + len(guesses))
	time.Sleep(time.Until(cut.Add(*cutFor / 2)))
	s.relay.refuse()
	time.Sleep(time.Until(cut.Add(*cutFor)))
	during := writing.flushed.Load() - before
	lost, lostAt := s.entries(entry.AgentLost, "")
	alerts, alertAt := s.entries(entry.AlertRaised, desk.LostRule)
	if lost != 1 || alerts != 1 || alertAt.Sub(cut) > time.Minute {
		t.Errorf("during the cut: %d entries that the agent is lost (after %s), %d alerts (after %s)", lost, since(cut, lostAt), alerts, since(cut, alertAt))
	}

	healed := time.Now()
	if err := s.relay.heal(); err != nil {
		t.Fatal(err)
	}
	gap := s.missing(more)
	for s.missing(more) > 2*int64(*cutLoad) && time.Since(healed) < 5*time.Minute {
		time.Sleep(250 * time.Millisecond)
	}
	closed := time.Now()
	if closed.Sub(healed) > time.Minute {
		t.Errorf("the gap of %d lines was closed after %s", gap, since(healed, closed))
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		if n, _ := s.entries(entry.AgentBack, ""); n > 0 {
			break
		}
	}
	_, backAt := s.entries(entry.AgentBack, "")
	close(stop)
	for range 2 {
		if err := <-written; err != nil {
			t.Fatal(err)
		}
	}
	writing.logs = append(logs, web, auth)
	total := s.own.lines + writing.lines + more
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(time.Second) {
		ok, why := s.host.settled()
		if ok && s.last() == total && s.read() > total {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it does not come to rest: %s; %d lines of %d, detection reads %d\n%s", why, s.last(), total, s.read(), s.said())
		}
	}
	time.Sleep(2 * time.Second)
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Fatalf("the server did not end in peace: %v\n%s", err, s.said())
	}
	s.host.kill()
	for k, want := range map[entry.Kind]int{entry.AgentLost: 1, entry.AgentBack: 1} {
		if n, _ := s.entries(k, ""); n != want {
			t.Errorf("%d entries %s, want %d", n, k, want)
		}
	}
	s.judgeCut(total, struck, healed)
	s.verify(1)
	t.Logf("\nthe network was cut for %v (half of it silently, half refusing) under %d lines/s: %d lines were written on the host meanwhile\nthe agent is lost in the ledger after %s, the alert of it came after %s\nhealed: all %d missing lines were there after %s; the agent is back in the ledger after %s\n%d lines kept, each once, byte for byte, each file in order; %d entries verified",
		*cutFor, *cutLoad, during, since(cut, lostAt), since(cut, alertAt), gap, since(healed, closed), since(healed, backAt), total, s.verified)
}

// judgeCut: nothing is missing, and the attack is the alerts that it would have been without a cut.
func (s *severed) judgeCut(total int64, struck, healed time.Time) {
	s.t.Helper()
	sources := map[string]*source{}
	for _, g := range s.own.logs {
		sources[":"+g.name] = &source{parts: g.parts()}
	}
	for _, g := range s.host.shop.logs {
		sources["web-1:"+g.name] = &source{parts: g.parts()}
	}
	of := map[string]string{} // alert of the attack, as a replay of all raises it, to its rule
	replay := newReplay(s.t)
	s.judgeKept(total, sources, func(line record.Line, received time.Time) {
		for _, c := range replay.detector.Step(replay.parser.Parse(line, received)) {
			if c.Step == detect.Raised && len(c.Alert.Sources) > 0 && c.Alert.Sources[0].Name == intruder {
				of[c.Alert.ID] = c.Alert.Rule
			}
		}
	})
	want, alone, seq := map[string]bool{}, newReplay(s.t), int64(0)
	evil, guesses := attackLines(struck)
	for n, lines := range [][]string{evil, guesses} {
		for _, raw := range lines {
			seq++
			l := record.Line{Seq: seq, Host: "web-1", File: []string{"access.log", "auth.log"}[n], Raw: raw}
			for _, c := range alone.detector.Step(alone.parser.Parse(l, struck)) {
				if c.Step == detect.Raised {
					want[c.Alert.Rule] = true
				}
			}
		}
	}
	c := chronicleOf(s.t, s.ledger(s.layer()))
	got := map[string]bool{}
	for id, rule := range of {
		if c.raised[id] == 1 {
			got[rule] = true
		}
	}
	if len(want) < 2 || !maps.Equal(want, got) {
		s.t.Errorf("the attack would have been alerts of the rules %v; it was those of %v", slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	}
	first := time.Time{}
	for id := range of {
		for e, err := range s.ledger(s.layer()).Entries(1) {
			if a, bad := entry.Body[entry.Alert](e); err == nil && bad == nil && e.Kind == entry.AlertRaised && a.ID == id && (first.IsZero() || e.Time.Before(first)) {
				first = e.Time
			}
		}
	}
	s.t.Logf("the attack during the cut is alerts of %d rules; the first came %s after it healed", len(got), since(healed, first))
}
