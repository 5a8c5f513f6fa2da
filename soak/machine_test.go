//go:build soak

package soak

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A machine is a Debian system of its own on this kernel: root folder, processes, network, host name.
type machine struct {
	t       *testing.T
	name    string
	address string
	pid     int // of its process 1, as it is seen here
}

const (
	mirror = "TOCSIN_DEBIAN_MIRROR" // where debootstrap loads from, when not from where it usually does
	suite  = "bookworm"
	gate   = "10.231.0.1" // this side of the machines' networks
)

// debianBase makes a clean Debian with nginx, once: later runs find it in the user's cache. Nothing of ours is in it.
func debianBase(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(cache, "tocsin-test", "debian-"+suite+"-nginx-systemd")
	if _, err := os.Stat(base); err == nil {
		return base
	}
	making := base + ".making"
	if err := os.RemoveAll(making); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{"--variant=minbase", "--include=nginx-light,systemd,systemd-sysv,dbus", suite, making}
	if m := os.Getenv(mirror); m != "" {
		args = append(args, m)
	}
	begun := time.Now()
	do(t, "debootstrap", args...)
	if err := os.Rename(making, base); err != nil {
		t.Fatal(err)
	}
	t.Logf("a clean %s was made in %.0f s", suite, time.Since(begun).Seconds())
	return base
}

// do runs a program here and returns what it printed.
func do(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// cgroups is where the version 2 of control groups is mounted here.
func cgroups(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	t.Fatal("no control groups of version 2 are mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified")
	return ""
}

// startMachine starts one with an address of its own, reached from here over a pair of interfaces. What it writes lies below work. Its
// process 1 is a systemd, which has started what the base has.
func startMachine(t *testing.T, name, address, base, work string) *machine {
	t.Helper()
	m := &machine{t: t, name: name, address: address}
	script, err := filepath.Abs("testdata/machine.sh")
	if err != nil {
		t.Fatal(err)
	}
	group := filepath.Join(cgroups(t), "tocsin-test-"+name)
	if err := os.MkdirAll(group, 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c", `echo $$ >"$1/cgroup.procs"; shift; exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child "$@"`, "sh", group,
		"sh", script, name, base, filepath.Join(work, name), "/lib/systemd/systemd"}
	c := exec.Command("sh", args...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-ended
		removeGroups(group)
	})
	children := fmt.Sprintf("/proc/%d/task/%d/children", c.Process.Pid, c.Process.Pid)
	m.await("it starts", 30*time.Second, func() bool {
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", name, said.String())
		default:
		}
		b, _ := os.ReadFile(children)
		m.pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		_, err := os.Stat(m.path("/run/machine-is-up"))
		return m.pid > 0 && err == nil
	})
	do(t, "ip", "link", "set", name+"-in", "netns", strconv.Itoa(m.pid), "name", "eth0")
	for _, args := range []string{"link set lo up", "addr add " + address + "/32 dev eth0", "link set eth0 up", "route add " + gate + " dev eth0", "route add default via " + gate} {
		do(t, "nsenter", append([]string{"-t", strconv.Itoa(m.pid), "--net", "ip"}, strings.Fields(args)...)...)
	}
	m.await("systemd is up", 2*time.Minute, func() bool { out, _ := m.try("systemctl", "is-system-running"); return out == "running" })
	return m
}

// layCable makes this end of a machine's network. It comes before the server, which listens at the gate.
func layCable(t *testing.T, name, address string) {
	t.Helper()
	do(t, "ip", "link", "add", name, "type", "veth", "peer", "name", name+"-in")
	do(t, "ip", "addr", "add", gate+"/32", "dev", name)
	do(t, "ip", "link", "set", name, "up")
	do(t, "ip", "route", "add", address, "dev", name)
}

// removeGroups removes a control group, of which no process is left, and those below it.
func removeGroups(group string) {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var all []string
		_ = filepath.WalkDir(group, func(name string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				all = append(all, name)
			}
			return nil
		})
		for k := len(all) - 1; k >= 0; k-- {
			_ = os.Remove(all[k])
		}
		if _, err := os.Stat(group); err != nil {
			return
		}
	}
}

// path is where a file of the machine is seen from here.
func (m *machine) path(name string) string { return fmt.Sprintf("/proc/%d/root%s", m.pid, name) }

func (m *machine) command(args ...string) *exec.Cmd {
	enter := []string{"-t", strconv.Itoa(m.pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--",
		"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"}
	return exec.Command("nsenter", append(enter, args...)...)
}

// try runs a program in the machine as root and returns what it printed.
func (m *machine) try(args ...string) (string, error) {
	out, err := m.command(args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (m *machine) run(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("%s: %q: %v\n%s", m.name, args, err, out)
	}
	return out
}

// want runs a program in the machine; what it prints must be so.
func (m *machine) want(want string, args ...string) {
	m.t.Helper()
	if out, err := m.try(args...); err != nil || out != want {
		m.t.Errorf("%s: %q: %v: %q, want %q", m.name, args, err, out, want)
	}
}

func (m *machine) await(what string, within time.Duration, done func() bool) {
	m.t.Helper()
	for end := time.Now().Add(within); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("%s: not within %v: %s", m.name, within, what)
		}
	}
}

// files lists everything in the machine's root folder, but not what is mounted there.
func (m *machine) files() map[string]bool {
	m.t.Helper()
	all := map[string]bool{}
	for name := range strings.SplitSeq(m.run("find", "/", "-xdev", "-print"), "\n") {
		all[name] = true
	}
	return all
}

// agent is the number of the agent's process within the machine, "" when there is none. A child that has not yet become the program that it is to run
// looks like the agent, but is younger.
func (m *machine) agent() string {
	out, _ := m.try("pidof", "tocsin-agent")
	pids := strings.Fields(out)
	slices.SortFunc(pids, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	if len(pids) == 0 {
		return ""
	}
	return pids[0]
}

// resident is how much memory the agent in the machine has (VmRSS), in bytes.
func (m *machine) resident() int64 {
	m.t.Helper()
	b, _ := os.ReadFile(m.path("/proc/" + m.agent() + "/status"))
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	m.t.Fatalf("%s: no agent runs whose memory could be looked at", m.name)
	return 0
}

// get is a request of a visitor who has an address to the machine's web server.
func (m *machine) get(ctx context.Context, c *http.Client, path, agent string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.address+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", agent)
	a, err := c.Do(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(a.Body)
	return errors.Join(err, a.Body.Close())
}
