package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"tocsin/internal/archive"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/hub"
	"tocsin/internal/ledger"
	"tocsin/internal/record"
)

// A house is a server for agents: hub, archive and ledger, all real, on loopback.
type house struct {
	t       testing.TB
	ca      []byte
	layer   *disk.Lossy
	archive *archive.Archive
	ledger  atomic.Pointer[ledger.Ledger]
	key     ledger.Key
	hub     *hub.Hub
	saved   atomic.Pointer[hub.State]
	ahead   atomic.Int64 // of the server's clock, nanoseconds
	address string
	stop    func()
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, layer: disk.NewLossy(), address: "127.0.0.1:0"}
	h.saved.Store(&hub.State{})
	var err error
	if h.ca, err = hub.NewCA(time.Now()); err == nil {
		h.archive, _, err = archive.Open(h.layer, "archive", archive.Options{})
	}
	if err == nil {
		h.key, err = ledger.NewKey("")
	}
	if err != nil {
		t.Fatal(err)
	}
	h.openLedger(disk.NewLossy())
	h.begin()
	return h
}

func (h *house) openLedger(l disk.Layer) *ledger.Ledger {
	h.t.Helper()
	if err := l.MkdirAll("ledger", 0o700); err != nil {
		h.t.Fatal(err)
	}
	g, _, err := ledger.Open(l, "ledger", h.key, func(entry.Entry) error { return nil }, ledger.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.ledger.Store(g)
	h.t.Cleanup(func() { g.Close() })
	return g
}

func (h *house) write(n int) {
	h.t.Helper()
	for range n {
		if _, err := h.ledger.Load().Append(time.Now(), entry.Draft{Actor: "desk", Kind: "program.started", Subject: "desk", Body: struct{}{}}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) begin() {
	h.t.Helper()
	var err error
	h.hub, err = hub.New(hub.Options{
		CA: h.ca, State: *h.saved.Load(), Append: h.archive.Append, Positions: h.archive.Positions,
		Save:   func(s hub.State) error { h.saved.Store(&s); return nil },
		Now:    func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) },
		Ledger: h.key.Public().String(),
		Head: func(from int64) ([]byte, entry.Proof, error) {
			return h.ledger.Load().ProveSigned(from) // a head and the proof of that very head
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	l, err := net.Listen("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.hub.Serve(ctx, l) }()
	h.stop = sync.OnceFunc(func() { cancel(); <-done })
	h.t.Cleanup(h.stop)
}

// join makes a data folder of an agent.
func (h *house) join(name string) string {
	h.t.Helper()
	token, err := h.hub.NewToken(name, "somebody", time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	dir := filepath.Join(h.t.TempDir(), "agent")
	if _, err := Join(h.t.Context(), dir, "https://"+h.address, token, "", ""); err != nil {
		h.t.Fatal(err)
	}
	return dir
}

// of returns the archived lines of a file.
func (h *house) of(file string) (all []string) {
	h.t.Helper()
	if h.archive.Last() == 0 {
		return nil
	}
	blocks, err := h.archive.Read(1, 1<<20)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, b := range blocks {
		for _, l := range b.Lines {
			if l.File == file {
				all = append(all, l.Raw)
			}
		}
	}
	return all
}

func (h *house) exactly(file string, want ...string) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if slices.Equal(h.of(file), want) {
			return
		}
	}
	h.t.Fatalf("lines of %s:\n got %s\nwant %s", file, brief(h.of(file)), brief(want))
}

func remoteOptions(dir string, paths ...string) RemoteOptions {
	return RemoteOptions{Dir: dir, Paths: paths, Spool: 1 << 20, Poll: 20 * time.Millisecond, BatchDelay: time.Millisecond, Roots: []string{"/nonexistent"}}
}

// runRemote runs an agent until stop is called.
func runRemote(t testing.TB, o RemoteOptions, change func(*Remote)) (r *Remote, stop func()) {
	t.Helper()
	r, err := OpenRemote(quiet(), o)
	if err != nil {
		t.Fatal(err)
	}
	r.found.updated = time.Now() // asking the package manager is another test's
	r.sender.every.retry = 5 * time.Millisecond
	if change != nil {
		change(r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

func stateOf(r *Remote) string {
	r.sender.mu.Lock()
	defer r.sender.mu.Unlock()
	return r.sender.state
}

// TestRemote: given an agent that joined, when lines are written while it, the server or none of both runs, then all are archived once,
// with the agent's own name.
func TestRemote(t *testing.T) {
	h := newHouse(t)
	dir := h.join("shop1")
	log := filepath.Join(t.TempDir(), "a.log")
	write(t, log, "one\n")
	r, stop := runRemote(t, remoteOptions(dir, log), nil)
	h.exactly(log, "one")
	h.stop()
	write(t, log, "two\n")
	until(t, "it waits in the spool", func() bool { return r.Spooled().Batches > 0 })
	stop()
	write(t, log, "three\n")
	r, stop = runRemote(t, remoteOptions(dir, log), nil)
	h.begin()
	h.exactly(log, "one", "two", "three")
	until(t, "every receipt came", func() bool { return r.Spooled().Batches == 0 })
	stop()
	b, err := h.archive.Read(1, 10)
	if err != nil {
		t.Fatal(err)
	}
	agents := h.hub.Agents()
	for _, x := range b {
		for _, l := range x.Lines {
			if l.Host != "shop1" || x.Agent != agents[0].ID {
				t.Errorf("host %q, agent %q", l.Host, x.Agent)
			}
		}
	}
	s, err := ReadStatus(dir)
	if err != nil || s.Name != "shop1" || s.Host.Spool.Batches != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestWrongServer: given a token of one server, when the address leads to another, then nothing is told to it.
func TestWrongServer(t *testing.T) {
	h, other := newHouse(t), newHouse(t)
	token, err := h.hub.NewToken("shop1", "somebody", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := Join(t.Context(), dir, "https://"+other.address, token, "", ""); err == nil || !strings.Contains(err.Error(), "fingerprint") {
		t.Fatalf("%v", err)
	}
	if len(h.hub.Tokens()) != 1 {
		t.Error("the token was spent")
	}
	for _, address := range []string{"http://" + h.address, h.address, "https://user@" + h.address, ""} {
		if _, err := Join(t.Context(), dir, address, token, "", ""); err == nil {
			t.Errorf("%q is an address", address)
		}
	}
	if _, err := Join(t.Context(), dir, "https://"+h.address, token, "", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Join(t.Context(), dir, "https://"+h.address, token, "", ""); err == nil {
		t.Error("it joins twice")
	}
	st, err := os.Stat(filepath.Join(dir, identityFile))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// TestHead: given an agent that keeps a head, when the server's ledger grows, is cut, forked or signed by another key, then the agent goes
// on or sends nothing more.
func TestHead(t *testing.T) {
	h := newHouse(t)
	h.write(5)
	dir := h.join("shop1")
	log := filepath.Join(t.TempDir(), "a.log")
	write(t, log, "one\n")
	fast := func(r *Remote) { r.sender.every.head = 10 * time.Millisecond }
	r, stop := runRemote(t, remoteOptions(dir, log), fast)
	h.exactly(log, "one")
	h.write(3)
	until(t, "the new head is kept", func() bool {
		b, _ := os.ReadFile(filepath.Join(dir, headFile))
		return string(b) == string(h.ledger.Load().SignedHead())
	})
	good := h.ledger.Load()
	kept, err := os.ReadFile(filepath.Join(dir, headFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, entries := range map[string]int{"cut": 4, "forked": 8, "forked and longer": 20} {
		h.openLedger(disk.NewLossy())
		h.write(entries)
		until(t, name+": it says so", func() bool { return strings.Contains(stateOf(r), "not what it was") })
		write(t, log, name+"\n")
		until(t, name+": the line waits", func() bool { return r.Spooled().Batches > 0 })
		if got := h.of(log); slices.Contains(got, name) {
			t.Errorf("%s: lines were sent", name)
		}
		if now, _ := os.ReadFile(filepath.Join(dir, headFile)); string(now) != string(kept) {
			t.Errorf("%s: the head was replaced", name)
		}
		stop()
		h.ledger.Store(good)
		r, stop = runRemote(t, remoteOptions(dir, log), fast)
		until(t, name+": it goes on with the right ledger", func() bool { return slices.Contains(h.of(log), name) })
	}
}

// TestHeadOfAnother: given a head that another key signed, when the agent sees it, then it refuses.
func TestHeadOfAnother(t *testing.T) {
	h := newHouse(t)
	dir := h.join("shop1")
	was := h.key
	var err error
	if h.key, err = ledger.NewKey(was.Origin()); err != nil {
		t.Fatal(err)
	}
	if _, err := note.NewVerifier(h.key.Public().String()); err != nil {
		t.Fatal(err)
	}
	h.openLedger(disk.NewLossy())
	r, _ := runRemote(t, remoteOptions(dir, "/nonexistent"), nil)
	until(t, "it says so", func() bool { return strings.Contains(stateOf(r), "not by the key of this ledger") })
}

// TestClock: given a server whose clock differs, when the agent measures, then it finds by how much, within half a round trip.
func TestClock(t *testing.T) {
	h := newHouse(t)
	dir := h.join("shop1")
	for _, ahead := range []time.Duration{0, 90 * time.Second, -time.Hour} {
		h.ahead.Store(int64(ahead))
		r, stop := runRemote(t, remoteOptions(dir, "/nonexistent"), nil)
		until(t, "the clock is known", func() bool { r.sender.mu.Lock(); defer r.sender.mu.Unlock(); return r.sender.clock.Known })
		r.sender.mu.Lock()
		c := r.sender.clock
		r.sender.mu.Unlock()
		if off := c.Offset - ahead; off.Abs() > c.Within+time.Millisecond {
			t.Errorf("off by %v instead of %v, within %v", c.Offset, ahead, c.Within)
		}
		until(t, "the server knows it", func() bool { return h.hub.Agents()[0].Host.Clock.Offset == c.Offset })
		stop()
	}
}

// TestRenew: given a certificate of which less than a third is left, when the agent runs, then it has another and the same id; one that
// ended is no use.
func TestRenew(t *testing.T) {
	h := newHouse(t)
	h.ahead.Store(int64(-61 * 24 * time.Hour)) // it joined a while ago
	token, err := h.hub.NewToken("shop1", "somebody", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	// Its own view of the server's certificate is of today, so it joins through the hub's clock of then.
	dir := filepath.Join(t.TempDir(), "agent")
	before, err := Join(t.Context(), dir, "https://"+h.address, token, "", "")
	if err != nil {
		t.Fatal(err)
	}
	h.ahead.Store(0)
	r, _ := runRemote(t, remoteOptions(dir, "/nonexistent"), nil)
	until(t, "it has another certificate", func() bool { return string(r.sender.client.identity().Certificate) != string(before.Certificate) })
	until(t, "it is connected", func() bool { return stateOf(r) == connected })
	l, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	id, err := readIdentity(l)
	if err != nil || id.Agent != before.Agent || string(id.Key) == string(before.Key) {
		t.Errorf("%v, %v", id.Agent, err)
	}
}

// TestRestoredServer: given a server that was restored from a backup, when the agent comes again, then it sends again what it still has,
// and tells the numbers of what is lost.
func TestRestoredServer(t *testing.T) {
	h := newHouse(t)
	dir := h.join("shop1")
	log := filepath.Join(t.TempDir(), "a.log")
	write(t, log, "line 1\n")
	r, stop := runRemote(t, remoteOptions(dir, log), nil)
	h.exactly(log, "line 1")
	backup := h.layer.Crash()
	for n := 2; n <= 4; n++ {
		write(t, log, fmt.Sprint("line ", n, "\n"))
		h.exactly(log, lineTexts(1, n)...)
	}
	until(t, "all is acknowledged", func() bool { return r.Spooled().Batches == 0 })
	stop()
	h.stop()
	var err error
	if h.archive, _, err = archive.Open(backup, "archive", archive.Options{}); err != nil {
		t.Fatal(err)
	}
	h.begin()
	_, stop = runRemote(t, remoteOptions(dir, log), nil)
	h.exactly(log, lineTexts(1, 4)...)
	stop()
}

// TestDamagedSpool: given a spool of which a part is damaged, when the agent sends, then all else comes and the loss is told.
func TestDamagedSpool(t *testing.T) {
	h := newHouse(t)
	dir := h.join("shop1")
	l, err := disk.Open(filepath.Join(dir, "spool"))
	if err != nil {
		t.Fatal(err)
	}
	s := openSpool(t, l, 1<<20)
	s.roll = 300
	for n := 1; n <= 9; n++ {
		if _, err := s.Append(numbered(n, strings.Repeat(" ", 100))); err != nil {
			t.Fatal(err)
		}
	}
	name, lost := s.segments[1].name, int(s.segments[1].next-1)
	s.Close()
	b, err := disk.ReadFile(l, name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := disk.Replace(l, name, b); err != nil {
		t.Fatal(err)
	}
	runRemote(t, remoteOptions(dir, "/nonexistent"), func(r *Remote) { r.sender.every.state = 20 * time.Millisecond })
	want := slices.Delete(lineTexts(1, 9), lost-1, lost)
	for i := range want {
		want[i] += strings.Repeat(" ", 100)
	}
	h.exactly("/a.log", want...)
	until(t, "the loss is told", func() bool {
		g := h.hub.Agents()[0].Host.Gaps
		return len(g) == 1 && g[0].From == int64(lost)
	})
}

// A cutter passes connections through and ends each after so many bytes.
type cutter struct {
	l    net.Listener
	to   string
	left atomic.Int64 // of the next connection; negative: all
	cuts atomic.Int64
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{l: l, to: to}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.pass(in, c.left.Load()) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return c
}

// pass counts the bytes of both directions together, so that every byte of the talk is an end once.
func (c *cutter) pass(in net.Conn, most int64) {
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		in.Close()
		return
	}
	var left atomic.Int64
	left.Store(most)
	end := sync.OnceFunc(func() { in.Close(); out.Close() })
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() {
			defer end()
			buf := make([]byte, 32<<10)
			for {
				n, err := way[0].Read(buf)
				if most >= 0 && n > 0 {
					if rest := left.Add(int64(-n)); rest < 0 {
						n = max(0, n+int(rest))
						err = io.EOF
						c.cuts.Add(1)
					}
				}
				if _, werr := way[1].Write(buf[:n]); err != nil || werr != nil {
					return
				}
			}
		})
	}
	both.Wait()
}

// TestLostConnection: given a connection that is lost at every byte of the talk in turn, when lines are sent through it, then all are
// archived once and in order.
func TestLostConnection(t *testing.T) {
	step := int64(97)
	if os.Getenv("TOCSIN_SOAK") != "" {
		step = 1
	}
	h := newHouse(t)
	h.write(3)
	dir := h.join("shop1")
	c := newCutter(t, h.address)
	id := mustIdentity(t, dir)
	id.URL = "https://" + c.l.Addr().String()
	l, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := openSpool(t, disk.NewLossy(), 256<<20)
	cl, err := newClient(id, "")
	if err != nil {
		t.Fatal(err)
	}
	defer cl.close()
	x := &sender{log: quiet(), layer: l, spool: s, client: cl, host: func() record.Host { return record.Host{} }, every: usualRhythm()}
	x.reader.s = s
	n := 0
	var past bool
	for at := int64(1); !past; at += step {
		n++
		if _, err := s.Append(numbered(n, "")); err != nil {
			t.Fatal(err)
		}
		c.left.Store(at)
		cuts := c.cuts.Load()
		ctx, cancel := context.WithCancel(t.Context())
		watch := make(chan struct{})
		go func() { // the session goes on for ever once everything was said
			defer close(watch)
			for ctx.Err() == nil && (s.State().Batches > 0 || c.cuts.Load() == cuts) {
				if s.State().Batches == 0 {
					time.Sleep(20 * time.Millisecond)
					break
				}
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		_ = x.session(ctx)
		cancel()
		<-watch
		past = c.cuts.Load() == cuts && s.State().Batches == 0
		if err := cl.become(id); err != nil { // the next connection
			t.Fatal(err)
		}
	}
	c.left.Store(-1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.session(ctx) }()
	h.exactly("/a.log", lineTexts(1, n)...)
	until(t, "every receipt came", func() bool { return s.State().Batches == 0 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	t.Logf("%d connections, %d of them lost", n, c.cuts.Load())
}

func mustIdentity(t *testing.T, dir string) Identity {
	t.Helper()
	l, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	id, err := readIdentity(l)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestRemoteFull: given a server that is away until the spool is full and a log that is rotated away and removed meanwhile, when it comes
// back, then all lines that were read are there, and what was removed is told with its exact bounds.
func TestRemoteFull(t *testing.T) {
	h := newHouse(t)
	dir := h.join("shop1")
	log := filepath.Join(t.TempDir(), "a.log")
	write(t, log, "line 0\n")
	var limit int64
	r, stop := runRemote(t, remoteOptions(dir, log), func(r *Remote) { r.sender.every.state = 50 * time.Millisecond })
	defer stop()
	h.exactly(log, "line 0")
	h.stop()
	r.spool.mu.Lock()
	limit = r.spool.size() + 300
	r.spool.limit = limit
	r.spool.mu.Unlock()
	want := []string{"line 0"}
	for n := 1; r.Spooled().Full.IsZero(); n++ {
		write(t, log, fmt.Sprint("line ", n, "\n"))
		want = append(want, fmt.Sprint("line ", n))
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(3 * guardEvery)
	rename(t, log, log+".1")
	lost := strings.Repeat("lost line of the second file\n", 5)
	write(t, log, lost)
	time.Sleep(3 * guardEvery)
	rename(t, log+".1", log+".2")
	rename(t, log, log+".1")
	write(t, log, "third file\n")
	time.Sleep(3 * guardEvery)
	if err := os.Remove(log + ".1"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * guardEvery)
	r.spool.mu.Lock()
	r.spool.limit = 1 << 20
	r.spool.tell()
	r.spool.mu.Unlock()
	h.begin()
	h.exactly(log, append(want, "third file")...)
	until(t, "the gap is told", func() bool { return len(h.hub.Agents()[0].Host.Gaps) > 0 })
	g := h.hub.Agents()[0].Host.Gaps
	if len(g) != 1 || g[0].File != log || g[0].From != 0 || g[0].To != int64(len(lost)) || g[0].Print != printOf([]byte(lost)) {
		t.Errorf("%+v", g)
	}
}

// TestHostTooLong: given a host of which more is known than the server takes, when the agent runs, then its lines are sent all the same.
func TestHostTooLong(t *testing.T) {
	h := newHouse(t)
	dir := h.join("shop1")
	log := filepath.Join(t.TempDir(), "a.log")
	write(t, log, "one\n")
	runRemote(t, remoteOptions(dir, log), func(r *Remote) {
		r.sender.host = func() record.Host { return record.Host{System: strings.Repeat("x", 2<<20)} }
	})
	h.exactly(log, "one")
	if n := h.hub.Counts()[hub.Count{Agent: h.hub.Agents()[0].ID, Reason: record.Request}]; n == 0 {
		t.Error("it was not refused")
	}
}
