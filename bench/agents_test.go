//go:build bench

package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/cli"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
)

// TestAgentPath measures the whole way of a line: an agent in a process of its own tails a log and sends it over mutual TLS, the server archives it, and detection
// with the whole shop pack reads it. TOCSIN_BENCH_AGENT_SECONDS says how long (60). The log lies there before, so that writing it costs neither of them.
func TestAgentPath(t *testing.T) {
	seconds := 60
	if n, err := strconv.Atoi(os.Getenv("TOCSIN_BENCH_AGENT_SECONDS")); err == nil {
		seconds = n
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(cli.MemoryLimit)) // as the program does
	dir := t.TempDir()
	exe := filepath.Join(dir, "tocsin-agent")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", exe, "./cmd/tocsin-agent")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	log := filepath.Join(dir, "access.log")
	writeLog(t, log, seconds*300_000)

	var layers []disk.Layer
	for _, sub := range []string{"data", "keys"} {
		l, err := disk.Open(filepath.Join(dir, sub))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		layers = append(layers, l)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, err := desk.Open(slog.New(slog.DiscardHandler), desk.Options{Version: "bench", Data: layers[0], Keys: layers[1], Rules: shopRules(t), Reserve: 64 << 20,
		Hub: &desk.HubOptions{Listener: l, Address: l.Addr().String(), Limit: 40 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	go cli.TendMemory(ctx, d.Late)
	i, err := d.InviteAgent(desk.Local("command"), "web-1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "agent.yaml")
	if err := os.WriteFile(settings, fmt.Appendf(nil, "data: %s\nwatch: [%s]\njournal: false\n", filepath.Join(dir, "agent"), log), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(exe, "--config", settings, "join", "https://"+l.Addr().String(), i.Token).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	agent := exec.Command(exe, "--config", settings, "run")
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	for d.Reading().Next < 10_000 {
		time.Sleep(10 * time.Millisecond)
	}

	var server, host int64
	begin, own := time.Now(), cpu()
	read0, kept0 := d.Reading().Next, d.Reading().Last
	for time.Since(begin) < time.Duration(seconds)*time.Second {
		server, host = max(server, resident(t, os.Getpid())), max(host, resident(t, agent.Process.Pid))
		time.Sleep(200 * time.Millisecond)
	}
	took, r := time.Since(begin).Seconds(), d.Reading()
	spent := cpu() - own
	perSecond := float64(r.Next-read0) / took
	var x table
	x.add("agent, TLS, archive: lines/s kept", "250,000", false, "%.0f", float64(r.Last-kept0)/took)
	x.add("agent, TLS, archive, detection: lines/s read", "250,000", perSecond < 250_000, "%.0f", perSecond)
	x.add("detection is behind the archive", "<= 2 s", float64(r.Lag())/perSecond > 2, "%d lines, %.1f s", r.Lag(), float64(r.Lag())/perSecond)
	x.add("server, resident", "<= 512 MB", server > 512e6, "%d MB", server/1e6)
	x.add("agent, resident", "<= 40 MB", host > 40e6, "%d MB", host/1e6)
	x.add("server, processor", "", false, "%.2f of 2 cores", spent.Seconds()/took)
	_ = agent.Process.Signal(syscall.SIGTERM)
	if err := agent.Wait(); err != nil {
		t.Errorf("the agent: %v", err)
	}
	x.add("agent, processor", "", false, "%.2f of 2 cores", (agent.ProcessState.UserTime()+agent.ProcessState.SystemTime()).Seconds()/took)
	stop()
	if err := errors.Join(<-ended, d.Close()); err != nil {
		t.Error(err)
	}
	for _, f := range x {
		if f.bad {
			t.Errorf("%s is %s; the goal is %s", f.what, f.is, f.goal)
		}
	}
	x.print(t)
}

func writeLog(t *testing.T, name string, lines int) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	g := newBackground(200_000)
	var b strings.Builder
	at := time.Now().Add(-time.Duration(lines) * 4 * time.Microsecond)
	for n := range lines {
		b.Reset()
		g.line(&b, at.Add(time.Duration(n)*4*time.Microsecond))
		if _, err := w.WriteString(b.String()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// resident is VmRSS of a process, in bytes.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("no /proc here: ", err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	return 0
}

// cpu is what this process has spent.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
