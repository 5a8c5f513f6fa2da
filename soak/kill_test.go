package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
)

// A siege is one run of kills.
type siege struct {
	t     testing.TB
	dir   string
	board *board
	sink  *sink
	shop  *shop
	rng   *rand.Rand
	life  time.Duration // longest life of the program
	exe   string

	head     []byte         // copy of the signed head, from after the last kill
	answered map[int64]bool // calls whose answer was acknowledged
	kills    []kill
	verified int64 // entries, after the last kill
	breaths  int   // lives without new lines
}

// A kill is the end of one life.
type kill struct {
	how    string // by chance, watched, armed
	inside []place
	lived  time.Duration
}

func newSiege(t testing.TB, rate int, attack, rotate, life time.Duration) *siege {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	s := &siege{t: t, dir: t.TempDir(), rng: rand.New(rand.NewPCG(seed, 2)), life: life, answered: map[int64]bool{}}
	t.Logf("seed %d", seed)
	var err error
	if s.exe, err = os.Executable(); err != nil {
		t.Fatal(err)
	}
	if s.board, err = openBoard(s.path("board")); err != nil {
		t.Fatal(err)
	}
	pauses := rand.New(rand.NewPCG(seed, 3))
	var turn = make(chan struct{}, 1)
	s.sink = newSink(t, func() time.Duration {
		turn <- struct{}{}
		defer func() { <-turn }()
		return time.Duration(pauses.IntN(20)) * time.Millisecond
	})
	if s.shop, err = newShop(s.path("logs"), rate, attack, rotate, seed); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf(`listen: localhost:0
mail: {host: 127.0.0.1, port: %d, from: bell@shop.example, starttls: none}
people:
  - {id: anna, name: Anna, roles: [commander], mail: anna@shop.example}
  - {id: ben, name: Ben, roles: [engineer], mail: ben@shop.example}
escalation:
  steps:
    - {who: [everyone], by: [mail], wait: 24h}
  every: 24h
  throttle: 0s
`, s.sink.port)
	if err := os.WriteFile(s.path("tocsin.yaml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *siege) path(name string) string { return filepath.Join(s.dir, name) }

// start begins a life of the program. What it says goes to a file.
func (s *siege) start() *exec.Cmd {
	s.t.Helper()
	args := []string{"serve", "--data", s.path("data"), "--config", s.path("tocsin.yaml")}
	for _, l := range s.shop.logs {
		args = append(args, "--watch", l.name)
	}
	said, err := os.OpenFile(s.path("said"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer said.Close()
	c := exec.Command(s.exe, args...)
	c.Env = append(os.Environ(), boardEnv+"="+s.path("board"))
	c.Stdout, c.Stderr = said, said
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Process.Kill() }) // after a test that failed
	return c
}

// said returns the end of what the program said.
func (s *siege) said() string {
	b, err := os.ReadFile(s.path("said"))
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}

// alive waits until the program answers on its socket.
func (s *siege) alive(within time.Duration) {
	s.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		err := client.New(s.path("data")).Alive(s.t.Context())
		if err == nil {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("the program does not come up: %v\n%s", err, s.said())
		}
	}
}

// write lets the shop write while act runs.
func (s *siege) write(act func()) {
	s.t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		s.shop.run(stop)
	}()
	act()
	close(stop)
	<-done
	if s.shop.failed != nil {
		s.t.Fatal(s.shop.failed)
	}
}

// aim says how and where the nth kill is meant to fall. The first ones are armed, one for each place; then a third is, a
// third waits until the program is seen in a place, and a third falls when it falls.
func (s *siege) aim(n int) (kill, place) {
	if n >= int(places) {
		n -= int(places)
		switch n % 3 {
		case 0:
			return kill{how: "by chance"}, 0
		case 1:
			return kill{how: "watched"}, place(n / 3 % int(acknowledged))
		}
		n /= 3
	}
	at := place(n % int(places))
	most := map[place]int{appending: 60, writing: 40, syncing: 200, positioning: 1, shelving: 6, sending: 12, acknowledged: 12}[at]
	s.board.arm(at, s.rng.IntN(most), s.rng.IntN(2))
	return kill{how: "armed"}, at
}

// strike is one life and its end, the nth.
func (s *siege) strike(n int) {
	s.t.Helper()
	s.board.reset()
	k, at := s.aim(n)
	c := s.start()
	begun := time.Now()
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	s.write(func() {
		switch k.how {
		case "armed":
			s.wait(ended, 30*time.Second) // it strikes by itself, on a slow machine later
		case "watched":
			s.wait(ended, time.Duration(s.rng.Int64N(int64(s.life))))
			for limit := time.Now().Add(time.Second); s.board.inside[at].Load() == 0 && time.Now().Before(limit); {
				select {
				case <-ended:
					limit = time.Time{}
				default:
				}
			}
		default:
			s.wait(ended, time.Duration(s.rng.Int64N(int64(s.life))))
		}
		_ = c.Process.Kill()
		<-ended
	})
	k.lived = time.Since(begun)
	if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		s.t.Fatalf("kill %d: the program ended by itself (%v)\n%s", n, c.ProcessState, s.said())
	}
	for p := range places {
		if s.board.inside[p].Load() > 0 {
			k.inside = append(k.inside, p)
		}
	}
	s.kills = append(s.kills, k)
	s.verify(n)
}

// wait waits, and answers a call sometimes, until the program ended or the time is over.
func (s *siege) wait(ended <-chan struct{}, d time.Duration) {
	over := time.After(d)
	for {
		select {
		case <-ended:
			return
		case <-over:
			return
		case <-time.After(250 * time.Millisecond):
			s.answer()
		}
	}
}

// answer takes the call that was heard last. An answer counts only when the program said yes.
func (s *siege) answer() {
	id := s.sink.latest()
	if id == 0 || s.answered[id] || s.rng.IntN(2) == 0 {
		return
	}
	ctx, stop := context.WithTimeout(s.t.Context(), 500*time.Millisecond)
	defer stop()
	if a, err := client.New(s.path("data")).Answer(ctx, id, "anna"); err == nil {
		s.answered[a.Call] = true
	}
}

// layer opens the data folder as anybody may who stands beside.
func (s *siege) layer() disk.Layer {
	s.t.Helper()
	l, err := disk.Open(s.path("data"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.Close() })
	return l
}

func (s *siege) ledger(l disk.Layer) desk.Offline {
	s.t.Helper()
	o, err := desk.OpenLedger(l, nil, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// verify checks the ledger as it lies there, and that it extends what it was after the kill before.
func (s *siege) verify(n int) {
	s.t.Helper()
	l, err := disk.Open(s.path("data"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	r, err := s.ledger(l).Verify(s.head)
	if err != nil {
		s.t.Fatalf("kill %d: the ledger does not verify: %v", n, err)
	}
	if s.head, err = disk.ReadFile(l, "ledger/head"); err != nil {
		s.t.Fatal(err)
	}
	s.verified = r.Entries
}

// finish lets the program work off everything, and ends it in peace.
func (s *siege) finish(within time.Duration) {
	s.t.Helper()
	limit := time.Now().Add(within)
	for {
		s.board.reset()
		c := s.start()
		s.alive(time.Minute)
		s.settle(limit)
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			s.t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			s.t.Fatalf("the program did not end in peace: %v\n%s", err, s.said())
		}
		if s.behind() == 0 {
			return
		}
		if time.Now().After(limit) {
			s.t.Fatalf("detection is %d of %d lines behind\n%s", s.behind(), s.shop.lines, s.said())
		}
	}
}

// behind says how many lines are written and not yet read by detection, by its last snapshot.
func (s *siege) behind() int64 {
	s.t.Helper()
	return s.shop.lines + 1 - s.read()
}

// read says which line detection reads next, by its last snapshot.
func (s *siege) read() int64 {
	s.t.Helper()
	b, err := os.ReadFile(s.path("data/" + snapshot))
	if errors.Is(err, fs.ErrNotExist) {
		return 1
	}
	if err != nil {
		s.t.Fatal(err)
	}
	var at struct{ Next int64 }
	head, _, _ := bytes.Cut(b, []byte("\n"))
	if err := json.Unmarshal(head, &at); err != nil {
		s.t.Fatal(err)
	}
	return at.Next
}

// breathe gives the program a life without new lines when detection is far behind: a life that ends before the first snapshot
// gets nowhere, and kills are to find detection and calls at work on what was just written.
func (s *siege) breathe() {
	s.t.Helper()
	seconds := int64(s.shop.rate)
	if s.behind() < 15*seconds {
		return
	}
	s.board.reset()
	c := s.start()
	s.alive(time.Minute)
	for limit := time.Now().Add(5 * time.Minute); s.behind() > seconds && time.Now().Before(limit); {
		time.Sleep(500 * time.Millisecond)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	s.breaths++
}

// settle waits until every line is archived and the ledger rests.
func (s *siege) settle(limit time.Time) {
	s.t.Helper()
	for s.archived() < s.shop.lines && time.Now().Before(limit) {
		time.Sleep(time.Second)
	}
	size, rest := int64(-1), 0
	for rest < 6 && time.Now().Before(limit) {
		time.Sleep(500 * time.Millisecond)
		st, err := os.Stat(s.path("data/ledger/entries.jsonl"))
		if err != nil {
			s.t.Fatal(err)
		}
		if rest++; st.Size() != size {
			size, rest = st.Size(), 0
		}
	}
}

// archived returns how many lines the archive has, as seen from beside.
func (s *siege) archived() int64 {
	s.t.Helper()
	l, err := disk.Open(s.path("data"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	var a *archive.Archive
	var said archive.Opened
	for range 20 { // a segment may go to the shelf meanwhile
		if a, said, err = archive.Open(l, "archive", archive.Options{ReadOnly: true, CheckBytes: 1}); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if err := a.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		s.t.Fatal(err)
	}
	return said.Last
}

// run is the whole siege. It prints what was struck, and fails when a place never was.
func (s *siege) run(kills int, within time.Duration) {
	s.t.Helper()
	c := s.start() // the first life makes keys and folders, and begins to watch: what comes later is not history
	s.alive(time.Minute)
	time.Sleep(1500 * time.Millisecond)
	s.write(func() { time.Sleep(500 * time.Millisecond) })
	_ = c.Process.Kill()
	_ = c.Wait()
	s.verify(0)
	for n := range kills {
		s.strike(n)
		s.breathe()
		if n%20 == 19 {
			s.t.Logf("%d kills: %d lines written, %d entries verified, %d lives to catch up, %d mails heard", n+1, s.shop.lines, s.verified, s.breaths, len(s.sink.counts()))
		}
	}
	s.finish(within)
	s.verify(kills)
	s.judge()
	s.table()
}

// table prints how many kills fell where.
func (s *siege) table() {
	var b strings.Builder
	ways := []string{"by chance", "watched", "armed"}
	count := map[place]map[string]int{}
	lived := time.Duration(0)
	for _, k := range s.kills {
		lived += k.lived
		for _, p := range k.inside {
			if count[p] == nil {
				count[p] = map[string]int{}
			}
			count[p][k.how]++
			count[p]["all"]++
		}
	}
	fmt.Fprintf(&b, "%d kills with -9, lives of %v on average; a kill may fall inside several places at once:\n", len(s.kills), (lived / time.Duration(max(1, len(s.kills)))).Round(time.Millisecond))
	fmt.Fprintf(&b, "  %-24s %5s %10s %8s %6s\n", "inside", "kills", ways[0], ways[1], ways[2])
	for p := range places {
		fmt.Fprintf(&b, "  %-24s %5d %10d %8d %6d\n", p, count[p]["all"], count[p][ways[0]], count[p][ways[1]], count[p][ways[2]])
	}
	s.t.Log("\n" + b.String())
	for p := range places {
		if count[p]["all"] == 0 {
			s.t.Errorf("no kill fell inside %v", p)
		}
	}
}

// TestKills is the short form: some kills, at a gentle rate.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("kills take some seconds")
	}
	s := newSiege(t, 2000, 60*time.Millisecond, 2*time.Second, 500*time.Millisecond)
	s.run(10, 2*time.Minute)
}
