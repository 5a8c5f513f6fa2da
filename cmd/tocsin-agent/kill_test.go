package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/archive"
	"tocsin/internal/disk"
	"tocsin/internal/hub"
	"tocsin/internal/record"
)

// serverEnv makes this test binary a server for agents: folder and address.
const serverEnv = "TOCSIN_TEST_SERVER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(serverEnv); dir != "" {
		if err := serve(dir, os.Getenv(serverEnv+"_ADDRESS")); err != nil {
			fmt.Fprintln(os.Stderr, "server:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve is a hub over a real archive in a folder. Its first start leaves two tokens there.
func serve(dir, address string) error {
	l, err := disk.Open(dir)
	if err != nil {
		return err
	}
	read := func(name string, make func() ([]byte, error)) ([]byte, error) {
		b, err := disk.ReadFile(l, name)
		if errors.Is(err, fs.ErrNotExist) {
			if b, err = make(); err == nil {
				err = disk.Replace(l, name, b)
			}
		}
		return b, err
	}
	ca, err := read("ca.pem", func() ([]byte, error) { return hub.NewCA(time.Now()) })
	if err != nil {
		return err
	}
	b, err := read("state", func() ([]byte, error) { return []byte("{}"), nil })
	if err != nil {
		return err
	}
	var state hub.State
	if err := json.Unmarshal(b, &state); err != nil {
		return err
	}
	a, _, err := archive.Open(l, "archive", archive.Options{})
	if err != nil {
		return err
	}
	h, err := hub.New(hub.Options{
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), CA: ca, State: state, Append: a.Append, Positions: a.Positions,
		Save: func(s hub.State) error {
			b, err := json.Marshal(s)
			if err != nil {
				return err
			}
			return disk.Replace(l, "state", b)
		},
	})
	if err != nil {
		return err
	}
	for file, name := range map[string]string{"token": "shop1", "token2": "shop2"} {
		if _, err := read(file, func() ([]byte, error) { t, err := h.NewToken(name, "somebody", time.Hour); return []byte(t), err }); err != nil {
			return err
		}
	}
	n, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return h.Serve(context.Background(), n)
}

// build builds the agent as it is shipped.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tocsin-agent")
	c := exec.Command("go", "build", "-trimpath", "-o", program, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// TestProgram: the agent has at most 15 MB, is linked statically, and has no server code in it.
func TestProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds")
	}
	st, err := os.Stat(build(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f MB", float64(st.Size())/1e6)
	if st.Size() > 15e6 {
		t.Errorf("the program has %d bytes", st.Size())
	}
	c := exec.Command("go", "list", "-deps", ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"tocsin/cmd/tocsin-agent", "tocsin/internal/agent", "tocsin/internal/config", "tocsin/internal/disk", "tocsin/internal/entry", "tocsin/internal/record"}
	for name := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(name, "tocsin/") && !slices.Contains(allowed, name) || name == "runtime/cgo" {
			t.Errorf("it links %s", name)
		}
	}
}

// A stage has an agent and a server as processes.
type stage struct {
	t       *testing.T
	program string
	dir     string
	address string
	logs    []string
	said    *os.File
	agent   *exec.Cmd
	server  *exec.Cmd
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) start(c *exec.Cmd) *exec.Cmd {
	s.t.Helper()
	c.Stdout, c.Stderr = s.said, s.said
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *stage) startServer() {
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), serverEnv+"="+s.path("server"), serverEnv+"_ADDRESS="+s.address)
	s.server = s.start(c)
}

func (s *stage) startAgent() {
	s.agent = s.start(exec.Command(s.program, "run", "--config", s.path("agent.yaml")))
}

func kill(c *exec.Cmd) {
	_ = c.Process.Kill()
	_ = c.Wait()
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, program: build(t), dir: t.TempDir()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	l.Close()
	if s.said, err = os.Create(s.path("said")); err != nil {
		t.Fatal(err)
	}
	settings := "data: data\njournal: false\nspool_mib: 4\nweb_roots: [none]\nwatch:\n"
	for _, name := range []string{"a.log", "b.log", "c.log"} {
		s.logs = append(s.logs, s.path("logs/"+name))
		settings += "  - logs/" + name + "\n"
	}
	if err := errors.Join(os.Mkdir(s.path("logs"), 0o700), os.WriteFile(s.path("agent.yaml"), []byte(settings), 0o600)); err != nil {
		t.Fatal(err)
	}
	s.startServer()
	t.Cleanup(func() {
		kill(s.server)
		if s.agent != nil {
			kill(s.agent)
		}
		if b, err := os.ReadFile(s.path("said")); err == nil && t.Failed() {
			t.Logf("they said:\n%s", b[max(0, len(b)-6000):])
		}
	})
	var out []byte
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		token, err := os.ReadFile(s.path("server/token"))
		if err != nil {
			continue
		}
		c := exec.Command(s.program, "join", "https://"+s.address, string(token), "--config", s.path("agent.yaml"))
		if out, err = c.CombinedOutput(); err == nil {
			return s
		}
	}
	t.Fatalf("the agent does not join: %s", out)
	return nil
}

// write appends numbered lines to the logs until stop is closed, and rotates them now and then. It returns how many each has.
func (s *stage) write(stop <-chan struct{}, rng *rand.Rand) []int {
	counts := make([]int, len(s.logs))
	rotations := make([]int, len(s.logs))
	for {
		select {
		case <-stop:
			return counts
		case <-time.After(time.Duration(rng.IntN(4)) * time.Millisecond):
		}
		at := rng.IntN(len(s.logs))
		f, err := os.OpenFile(s.logs[at], os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			s.t.Error(err)
			return counts
		}
		var b strings.Builder
		for range 1 + rng.IntN(20) {
			counts[at]++
			fmt.Fprintf(&b, "line %d of %s with some more text, so that it is about as long as a line of a log is\n", counts[at], filepath.Base(s.logs[at]))
		}
		_, err = f.WriteString(b.String())
		if err = errors.Join(err, f.Close()); err != nil {
			s.t.Error(err)
			return counts
		}
		if rng.IntN(300) == 0 { // as logrotate does, with dates: nothing is removed
			rotations[at]++
			if err := os.Rename(s.logs[at], fmt.Sprintf("%s-20261101%02d", s.logs[at], rotations[at])); err != nil {
				s.t.Error(err)
			}
		}
	}
}

// TestKills: given an agent and a server that are killed at any moment, when all is quiet again, then every line that was written is in the
// archive once, and those of a file in their order.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and kills")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	s := newStage(t)
	s.startAgent()
	stop := make(chan struct{})
	var counts []int
	var writing sync.WaitGroup
	writing.Go(func() { counts = s.write(stop, rand.New(rand.NewPCG(seed, 2))) })
	for range rounds {
		time.Sleep(time.Duration(20+rng.IntN(200)) * time.Millisecond)
		which := rng.IntN(3)
		if which != 0 {
			kill(s.agent)
		}
		if which != 1 {
			kill(s.server)
		}
		time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond)
		if which != 1 {
			s.startServer()
		}
		if which != 0 {
			s.startAgent()
		}
	}
	close(stop)
	writing.Wait()
	kill(s.agent) // its wait for the server may have grown long
	s.startAgent()
	want := 0
	for _, n := range counts {
		want += n
	}
	s.settled()
	kill(s.agent)
	kill(s.server)
	s.check(counts)
	t.Logf("%d kills, %d lines", rounds, want)
}

// settled waits until the agent says that nothing waits and nothing is unread.
func (s *stage) settled() {
	s.t.Helper()
	var st agent.Status
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		out, err := exec.Command(s.program, "status", "--json", "--config", s.path("agent.yaml")).Output()
		if err != nil || json.Unmarshal(out, &st) != nil || st.State != "connected" || st.Host.Spool.Batches > 0 || len(st.Host.Sources) < len(s.logs) {
			continue
		}
		behind := slices.ContainsFunc(st.Host.Sources, func(f record.Feed) bool { return f.Lag > 0 })
		if !behind && time.Since(st.At) < 4*time.Second {
			return
		}
	}
	s.t.Fatalf("it does not settle: %+v", st)
}

// check holds the archive against what was written.
func (s *stage) check(counts []int) {
	s.t.Helper()
	l, err := disk.Open(s.path("server"))
	if err != nil {
		s.t.Fatal(err)
	}
	a, _, err := archive.Open(l, "archive", archive.Options{ReadOnly: true})
	if err != nil {
		s.t.Fatal(err)
	}
	next := map[string]int{}
	for at := a.First(); at <= a.Last(); {
		blocks, err := a.Read(at, 1<<16)
		if err != nil || len(blocks) == 0 {
			s.t.Fatal(len(blocks), err)
		}
		for _, b := range blocks {
			for _, line := range b.Lines {
				at = line.Seq + 1
				next[line.File]++
				want := fmt.Sprintf("line %d of %s ", next[line.File], filepath.Base(line.File))
				if !strings.HasPrefix(line.Raw, want) || line.Host != "shop1" {
					s.t.Fatalf("line %d of the archive, of %s, is %.60q, want %q", line.Seq, line.File, line.Raw, want)
				}
			}
		}
	}
	for i, log := range s.logs {
		if next[log] != counts[i] {
			s.t.Errorf("%s: %d lines are archived, %d were written", log, next[log], counts[i])
		}
	}
}
