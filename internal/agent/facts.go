package agent

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tocsin/internal/record"
)

const (
	factsEvery   = 15 * time.Minute
	updatesEvery = 6 * time.Hour
	childWithin  = 2 * time.Minute
	maxChild     = 4 << 20 // bytes of what a child prints
)

// facts are what is known of the host. They are gathered beside everything else; nothing waits for them.
type facts struct {
	mu      sync.Mutex
	host    record.Host
	updated time.Time
}

func (f *facts) now() record.Host {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.host
	h.Sources, h.Gaps = nil, nil
	return h
}

// run gathers until ctx ends. Which updates wait is asked last, because a package manager may take a minute to say it.
func (f *facts) run(ctx context.Context, roots []string) {
	for {
		h := hostFacts(ctx, roots)
		f.mu.Lock()
		h.Updates = f.host.Updates
		f.host = h
		due := time.Since(f.updated) > updatesEvery
		f.mu.Unlock()
		if due {
			updates := updatesOf(ctx)
			f.mu.Lock()
			f.host.Updates, f.updated = updates, time.Now()
			f.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(factsEvery):
		}
	}
}

// Facts gathers once what an agent says of its host, the packages that wait included.
func Facts(ctx context.Context, roots []string) record.Host {
	h := hostFacts(ctx, roots)
	h.At, h.Updates = time.Now(), updatesOf(ctx)
	return h
}

func hostFacts(ctx context.Context, roots []string) record.Host {
	h := record.Host{System: system("/etc/os-release", "/usr/lib/os-release"), Arch: runtime.GOARCH, Ports: ports("/proc")}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		h.Kernel = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	h.Booted = booted("/proc/stat")
	h.Software = append(servers(ctx), shops(roots)...)
	h.Disks = disks("/proc/self/mounts")
	return h
}

// system reads the name of the system (os-release(5)).
func system(files ...string) string {
	for _, name := range files {
		for line := range strings.Lines(readSome(name)) {
			if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
				return clip(strings.Trim(strings.TrimSpace(v), `"'`), 200)
			}
		}
	}
	return ""
}

// booted reads when the machine started (proc(5), btime).
func booted(name string) time.Time {
	for line := range strings.Lines(readSome(name)) {
		if v, ok := strings.CutPrefix(line, "btime "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
				return time.Unix(n, 0).UTC()
			}
		}
	}
	return time.Time{}
}

// readSome reads at most a megabyte of a regular file; of what cannot be read, nothing.
func readSome(name string) string {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return ""
	}
	b := make([]byte, 1<<20)
	n := 0
	for n < len(b) {
		m, err := f.Read(b[n:])
		if n += m; err != nil || m == 0 {
			break
		}
	}
	return string(b[:n])
}

// child runs a program of the system with a fixed path, without a shell, and returns what it printed. It never asks and never hangs.
func child(ctx context.Context, names []string, args ...string) (string, error) {
	var program string
	for _, n := range names {
		if st, err := os.Stat(n); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			program = n
			break
		}
	}
	if program == "" {
		return "", os.ErrNotExist
	}
	ctx, cancel := context.WithTimeout(ctx, childWithin)
	defer cancel()
	c := exec.CommandContext(ctx, program, args...)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", "HOME=/nonexistent"}
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.WaitDelay = 5 * time.Second
	out := &bounded{room: maxChild}
	c.Stdout, c.Stderr = out, out
	err := c.Run()
	return out.String(), err
}

// bounded keeps the first bytes that are written to it.
type bounded struct {
	bytes.Buffer
	room int
}

func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), b.room)])
	b.room -= min(len(p), b.room)
	return len(p), nil
}

// updatesOf asks the package manager which updates wait. It looks at the lists that the host has, and fetches none.
func updatesOf(ctx context.Context) record.Updates {
	if out, err := child(ctx, []string{"/usr/bin/apt-get"}, "--simulate", "--quiet", "-o", "Debug::NoLocking=1", "dist-upgrade"); err == nil {
		return aptUpdates(out)
	}
	dnf := []string{"/usr/bin/dnf", "/usr/bin/yum"}
	if out, err := child(ctx, dnf, "--quiet", "--cacheonly", "updateinfo", "list", "--security"); err == nil {
		return dnfUpdates(out)
	}
	return record.Updates{Why: "neither apt-get nor dnf could say which updates wait"}
}

const maxUpdates = 500

// aptUpdates reads lines like "Inst openssl [3.0.1] (3.0.2 Debian-Security:12/stable-security [amd64])".
func aptUpdates(out string) record.Updates {
	u := record.Updates{Known: true}
	for line := range strings.Lines(out) {
		rest, ok := strings.CutPrefix(line, "Inst ")
		if !ok {
			continue
		}
		u.All++
		name, rest, _ := strings.Cut(rest, " ")
		_, from, _ := strings.Cut(rest, "(")
		if strings.Contains(strings.ToLower(from), "security") && len(u.Security) < maxUpdates {
			version, _, _ := strings.Cut(from, " ")
			u.Security = append(u.Security, clip(name+" "+version, 200))
		}
	}
	return u
}

// dnfUpdates reads lines like "FEDORA-2026-1 Important/Sec. openssl-3.0.2-1.x86_64".
func dnfUpdates(out string) record.Updates {
	u := record.Updates{Known: true}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) != 3 || !strings.Contains(f[1], "Sec") {
			continue
		}
		if u.All++; len(u.Security) < maxUpdates {
			u.Security = append(u.Security, clip(f[2], 200))
		}
	}
	return u
}

// disks tells how full the file systems are that lie on a disk.
func disks(mounts string) (all []record.Disk) {
	seen := map[string]bool{}
	s := bufio.NewScanner(strings.NewReader(readSome(mounts)))
	for s.Scan() && len(all) < 50 {
		f := strings.Fields(s.Text())
		if len(f) < 3 || !strings.HasPrefix(f[0], "/dev/") && f[2] != "overlay" && f[2] != "zfs" || seen[f[0]] {
			continue
		}
		seen[f[0]] = true
		path := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`).Replace(f[1])
		var st unix.Statfs_t
		if st2, err := os.Stat(path); err != nil || !st2.IsDir() || unix.Statfs(path, &st) != nil {
			continue
		}
		all = append(all, record.Disk{Path: path, Bytes: st.Blocks * uint64(st.Bsize), Free: st.Bavail * uint64(st.Bsize)})
	}
	return all
}
