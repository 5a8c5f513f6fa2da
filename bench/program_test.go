package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/cli"
)

// programEnv makes the test binary the program; heapEnv names the file into which it writes its heap on SIGUSR1.
const (
	programEnv = "TOCSIN_BENCH_PROGRAM"
	heapEnv    = "TOCSIN_BENCH_HEAP"
	profileEnv = "TOCSIN_BENCH_PROFILE" // a file for the program's CPU profile, beside which its heap's lies; from one SIGUSR2 to the next
)

// TestMain is the program under test when it is asked to, and the tests otherwise.
func TestMain(m *testing.M) {
	if os.Getenv(programEnv) == "" {
		os.Exit(m.Run())
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			var s runtime.MemStats
			runtime.ReadMemStats(&s)
			_ = os.WriteFile(os.Getenv(heapEnv), []byte(strconv.FormatUint(s.HeapAlloc, 10)), 0o600)
		}
	}()
	go profiles(os.Getenv(profileEnv))
	os.Exit(cli.Main(os.Args[1:], cli.Program{Files: os.DirFS(root), Out: os.Stdout, Err: os.Stderr}))
}

// profiles writes what the program does between two signals.
func profiles(name string) {
	if name == "" {
		return
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	for range asked {
		f, err := os.Create(name)
		if err != nil || pprof.StartCPUProfile(f) != nil {
			return
		}
		<-asked
		pprof.StopCPUProfile()
		_ = f.Close()
		if f, err = os.Create(name + ".heap"); err == nil {
			_ = pprof.Lookup("heap").WriteTo(f, 0)
			_ = f.Close()
		}
	}
}

// A program is one run of `tocsin serve`.
type program struct {
	t    testing.TB
	cmd  *exec.Cmd
	dir  string // with data and data-keys
	url  string
	heap string
}

// serve starts `tocsin serve` and returns when the console answers, with how long that took.
func serve(t testing.TB, dir string, args ...string) (*program, time.Duration) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	address := freePort(t)
	p := &program{t: t, dir: dir, url: "http://" + address, heap: filepath.Join(dir, "heap")}
	said, err := os.OpenFile(filepath.Join(dir, "said"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	p.cmd = exec.Command(exe, append([]string{"serve", "--data", filepath.Join(dir, "data"), "--listen", address}, args...)...)
	p.cmd.Env = append(os.Environ(), programEnv+"=1", heapEnv+"="+p.heap)
	p.cmd.Stdout, p.cmd.Stderr = said, said
	begin := time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	for {
		if err := p.healthy(); err == nil {
			return p, time.Since(begin)
		} else if time.Since(begin) > time.Minute {
			said, _ := os.ReadFile(filepath.Join(dir, "said"))
			t.Fatalf("the console does not answer: %v\n%s", err, said)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *program) healthy() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/healthz", nil)
	if err != nil {
		return err
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("the console says %s", r.Status)
	}
	return nil
}

// stop ends the program in peace. A second call does nothing.
func (p *program) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		said, _ := os.ReadFile(filepath.Join(p.dir, "said"))
		p.t.Errorf("the program did not end in peace: %v\n%s", err, said)
	}
}

// profile begins the program's profile, or ends it, if one is wanted.
func (p *program) profile() {
	if os.Getenv(profileEnv) != "" {
		_ = p.cmd.Process.Signal(syscall.SIGUSR2)
		time.Sleep(time.Second)
	}
}

// worked returns how much of a processor the program used since it began. On a machine that others use too it says more than the clock.
func (p *program) worked() time.Duration {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Skip("no /proc here: ", err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	ticks := int64(0)
	for _, n := range f[11:13] { // utime, stime: proc(5), in hundredths of a second
		x, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			p.t.Fatal(err)
		}
		ticks += x
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// peak returns the most that was resident since the program began, in bytes.
func (p *program) peak() int64 { return p.status("VmHWM:") }

// status reads a size from what the system says of the program, in bytes.
func (p *program) status(name string) (size int64) {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Skip("no /proc here: ", err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == name {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				p.t.Fatal(err)
			}
			size = kb << 10
		}
	}
	return size
}

// memory returns the resident and the heap size of the program, in bytes.
func (p *program) memory() (resident, heap int64) {
	p.t.Helper()
	resident = p.status("VmRSS:")
	_ = os.Remove(p.heap)
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		p.t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(p.heap); err == nil && len(b) > 0 {
			if heap, err = strconv.ParseInt(string(b), 10, 64); err != nil {
				p.t.Fatal(err)
			}
			return resident, heap
		}
	}
	p.t.Fatal("the program does not tell its heap")
	return 0, 0
}
