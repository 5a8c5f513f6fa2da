//go:build soak

package soak

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var load = flag.Duration("load", 3*time.Minute, "how long two hosts write 2,000 lines a second each while their agents' memory is looked at")

const (
	apartEnv  = "TOCSIN_SOAK_APART" // folder of what was built; set in a network that nobody else sees
	perSecond = 2000                // lines that a host writes
	asked     = 200                 // requests a second that its web server answers besides
	unit      = "tocsin-agent.service"
	folder    = "/var/lib/tocsin-agent"
)

// TestInstalled: given two clean Debian machines with nginx and addresses of their own, when one installs the agent's package, the other
// copies the program, and both join, then what visitors ask for is seen in the console, each line under its host and none lost or mixed;
// an attack is an alert that names its host; the agents stay small; an upgrade under load loses nothing; and a removed package leaves nothing of ours.
func TestInstalled(t *testing.T) {
	built := os.Getenv(apartEnv)
	if built == "" {
		goApart(t)
		return
	}
	do(t, "ip", "link", "set", "lo", "up")
	const one, two = "10.231.0.2", "10.231.0.3"
	layCable(t, "web-1", one)
	layCable(t, "web-2", two)
	s := startServer(t, filepath.Join(built, "tocsin"), built, gate+":8443")
	tab := openTab(t, s)
	base := debianBase(t)
	web1, web2 := startMachine(t, "web-1", one, base, built), startMachine(t, "web-2", two, base, built)
	clean := web1.files()
	installPackage(t, s, web1, filepath.Join(built, "tocsin-agent_0.1.0_amd64.deb"))
	copyProgram(t, s, web2, filepath.Join(built, "tocsin-agent"))
	sees(t, tab, web1, web2)
	alarms(t, tab, web1)
	works(t, s, web1, web2, filepath.Join(built, "tocsin-agent_0.2.0_amd64.deb"))
	walls(t, s, web1)
	removePackage(t, web1, clean)
}

// goApart builds what is needed, and runs this test again where no network but its own is.
func goApart(t *testing.T) {
	for _, name := range []string{"debootstrap", "unshare", "nsenter", "ip", "dpkg-deb", "chromium"} {
		if _, err := exec.LookPath(name); err != nil || os.Geteuid() != 0 {
			t.Skipf("this needs root, and %s: script/needs.sh debootstrap", name)
		}
	}
	base, dir := debianBase(t), t.TempDir()
	t.Logf("the machines are copies of %s", base)
	build := func(name string, args ...string) {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir, c.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
	}
	build("go", "build", "-o", filepath.Join(dir, "tocsin"), ".")
	build("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, "tocsin-agent"), "./cmd/tocsin-agent")
	for _, version := range []string{"0.1.0", "0.2.0"} {
		build("packaging/agent/build.sh", version, dir)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
		exe, "-test.run", "^TestInstalled$", "-test.v", "-test.timeout", (*load + 10*time.Minute).String(), "-load", load.String())
	c.Env = append(os.Environ(), apartEnv+"="+dir)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
}

// invite makes a token and returns the arguments of the command that is to be typed on the host.
func invite(t *testing.T, s *server, name string) []string {
	t.Helper()
	command := strings.Fields(s.tocsin("agents", "add", name))
	if len(command) != 4 || command[0] != "tocsin-agent" || command[1] != "join" || command[2] != "https://"+gate+":8443" {
		t.Fatalf("the command is %q", command)
	}
	return command[1:]
}

// carry copies a file into a machine.
func carry(t *testing.T, m *machine, from, to string, mode os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err = errors.Join(err, os.WriteFile(m.path(to), b, mode)); err != nil {
		t.Fatal(err)
	}
}

func installPackage(t *testing.T, s *server, m *machine, file string) {
	t.Helper()
	carry(t, m, file, "/root/agent.deb", 0o644)
	m.run("dpkg", "-i", "/root/agent.deb")
	m.want("tocsin-agent:tocsin-agent 700", "stat", "-c", "%U:%G %a", folder)
	m.want("tocsin-agent adm systemd-journal", "id", "-nG", "tocsin-agent")
	m.want("/var/lib/tocsin-agent /usr/sbin/nologin", "sh", "-c", `getent passwd tocsin-agent | cut -d: -f6- --output-delimiter=" "`)
	m.want("", "systemd-analyze", "verify", unit)
	if out, err := m.try("systemd-analyze", "security", "--no-pager", "--threshold=15", unit); err != nil {
		t.Errorf("the unit's walls are low: %v\n%s", err, out)
	}
	if out, err := m.try("systemctl", "is-enabled", unit); out != "disabled" {
		t.Errorf("an agent that joined nothing is %q, %v", out, err)
	}
	smallProgram(t, m, "/usr/bin/tocsin-agent")
	t.Log(m.run(append([]string{"tocsin-agent"}, invite(t, s, m.name)...)...))
	m.want("tocsin-agent:tocsin-agent 600", "stat", "-c", "%U:%G %a", folder+"/identity.json")
	m.run("systemctl", "enable", "--now", unit)
	m.connected()
}

// copyProgram is the other way, as doc/agents.md has it: one program and its unit, without a package.
func copyProgram(t *testing.T, s *server, m *machine, program string) {
	t.Helper()
	carry(t, m, program, "/usr/bin/tocsin-agent", 0o755)
	carry(t, m, filepath.Join(root, "packaging/agent", unit), "/etc/systemd/system/"+unit, 0o644)
	smallProgram(t, m, "/usr/bin/tocsin-agent")
	m.run("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", folder, "--shell", "/usr/sbin/nologin", "tocsin-agent")
	m.run("usermod", "--append", "--groups", "adm,systemd-journal", "tocsin-agent")
	m.run("install", "-d", "-o", "tocsin-agent", "-g", "tocsin-agent", "-m", "700", folder)
	m.run("systemctl", "daemon-reload")
	t.Log(m.run(append([]string{"tocsin-agent"}, invite(t, s, m.name)...)...))
	m.want("tocsin-agent:tocsin-agent 600", "stat", "-c", "%U:%G %a", folder+"/identity.json")
	m.run("systemctl", "enable", "--now", unit)
	m.connected()
}

// connected waits until an agent says that it is, and sees whose process it is.
func (m *machine) connected() {
	m.t.Helper()
	m.await("the agent is connected", time.Minute, func() bool { _, err := m.try("tocsin-agent", "status"); return err == nil })
	m.want("tocsin-agent", "stat", "-c", "%U", "/proc/"+m.agent())
}

func smallProgram(t *testing.T, m *machine, name string) {
	t.Helper()
	st, err := os.Stat(m.path(name))
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("%s: the program has %.1f MB", m.name, float64(st.Size())/1e6); st.Size() > 15e6 {
		t.Errorf("the program has %d bytes", st.Size())
	}
}

// sees watches the console while visitors come.
func sees(t *testing.T, b *tab, machines ...*machine) {
	t.Helper()
	for k, m := range machines {
		v := newVisitor(t, fmt.Sprintf("10.231.8.%d", k+1))
		if err := m.get(t.Context(), v, "/hello-from-"+m.name, "Mozilla/5.0 (a visitor)"); err != nil {
			t.Fatal(err)
		}
	}
	b.open("/sources")
	for _, m := range machines {
		b.await(30*time.Second, "/var/log/nginx/access.log on "+m.name)
	}
	if page := b.says(); strings.Contains(page, "apache2") { // watched by default, and not there
		t.Errorf("what nobody misses is missing:\n%.2000s", page)
	}
	b.shoot("sources")
	for k, m := range machines {
		query := "host=" + m.name + " path~hello"
		end := time.Now().Add(30 * time.Second)
		for b.open("/search?q=" + url.QueryEscape(query)); !strings.Contains(b.says(), "/hello-from-"+m.name); b.open("/search?q=" + url.QueryEscape(query)) {
			if time.Now().After(end) {
				t.Fatalf("the lines of %s do not come:\n%s", m.name, b.says())
			}
			time.Sleep(300 * time.Millisecond)
		}
		if page := b.says(); strings.Contains(page, "hello-from-"+machines[1-k].name) {
			t.Errorf("the lines of both hosts stand under %s:\n%s", m.name, page)
		}
		b.shoot("search-" + m.name)
	}
}

// alarms attacks one host while the page of alerts is open.
func alarms(t *testing.T, b *tab, m *machine) {
	t.Helper()
	b.open("/alerts")
	before := b.says()
	v := newVisitor(t, "10.231.9.66")
	for k := range 40 {
		path := "/product?id=" + url.QueryEscape(fmt.Sprintf("%d' UNION ALL SELECT NULL,CONCAT(0x71,user,0x7e,password),NULL FROM admin_user-- -", k))
		if err := m.get(t.Context(), v, path, "sqlmap/1.7.2#stable (https://sqlmap.org)"); err != nil {
			t.Fatal(err)
		}
	}
	begun := time.Now()
	b.await(30*time.Second, "10.231.9.66")
	t.Logf("the alert stands on the open page after %.1f s", time.Since(begun).Seconds())
	b.shoot("alerts")
	if strings.Contains(before, "10.231.9.66") {
		t.Error("it stood there before")
	}
	b.open(first(b, "/alerts/"))
	b.await(10*time.Second, m.name, "10.231.9.66", "UNION")
	b.shoot("alert")
}

// newVisitor is somebody with an address of his own.
func newVisitor(t *testing.T, address string) *http.Client {
	t.Helper()
	do(t, "ip", "addr", "add", address+"/32", "dev", "lo")
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 10 * time.Second}
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 8}}
}

// works lets both hosts be busy, upgrades the package meanwhile, and then counts.
func works(t *testing.T, s *server, web1, web2 *machine, upgrade string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), *load)
	defer stop()
	var wait sync.WaitGroup
	var answered, written [2]int
	machines := [2]*machine{web1, web2}
	for k, m := range machines {
		v := newVisitor(t, fmt.Sprintf("10.231.8.%d", 10+k))
		wait.Go(func() {
			n, err := visit(ctx, v, m)
			if answered[k] = n; err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
		})
		wait.Go(func() {
			n, err := m.write(ctx)
			if written[k] = n; err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
		})
	}
	var most [2]int64
	begun, old, upgraded := time.Now(), web1.agent(), false
	for ctx.Err() == nil {
		time.Sleep(time.Second)
		if !upgraded && time.Since(begun) > *load/3 {
			upgraded = true
			carry(t, web1, upgrade, "/root/agent.deb", 0o644)
			web1.run("dpkg", "-i", "/root/agent.deb")
			web1.await("the upgraded agent runs", 30*time.Second, func() bool {
				now := web1.agent()
				return now != "" && now != old
			})
			web1.connected()
		}
		for k, m := range machines {
			most[k] = max(most[k], m.resident())
		}
	}
	wait.Wait()
	for k, m := range machines {
		want, path := answered[k]+written[k], "path=/of-"+m.name+"/*"
		m.await(fmt.Sprintf("%d lines are kept", want), 2*time.Minute, func() bool { return s.matched(path) >= want })
		if n := s.matched("host=" + m.name + " " + path); n != want {
			t.Errorf("%s answered %d requests and wrote %d lines more, and %d are kept under its name", m.name, answered[k], written[k], n)
		}
		if n := s.matched("host!=" + m.name + " " + path); n != 0 {
			t.Errorf("%d lines of %s stand under another name", n, m.name)
		}
		t.Logf("%s: %d requests and %d lines more in %v, each kept once; the agent had at most %.1f MB", m.name, answered[k], written[k], *load, float64(most[k])/1e6)
		if most[k] > 40e6 {
			t.Errorf("%s: the agent had %d bytes of memory", m.name, most[k])
		}
	}
}

// visit asks a machine again and again until ctx ends, and returns how often it was answered.
func visit(ctx context.Context, v *http.Client, m *machine) (int, error) {
	tick := time.NewTicker(time.Second / asked)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return n, nil
		case <-tick.C:
		}
		if err := m.get(context.WithoutCancel(ctx), v, fmt.Sprintf("/of-%s/%d", m.name, n), "Mozilla/5.0 (a visitor)"); err != nil {
			return n, err
		}
	}
}

// write writes a second log beside the web server's until ctx ends, and returns how many lines that were.
func (m *machine) write(ctx context.Context) (n int, err error) {
	name := m.path("/var/log/nginx/shop.access.log")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	const adm = 4 // in every Debian
	if err := os.Chown(name, 0, adm); err != nil {
		return 0, err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); ; {
		select {
		case <-ctx.Done():
			return n, nil
		case <-tick.C:
		}
		var b strings.Builder
		now := time.Now()
		for ; n < int(now.Sub(begun).Seconds()*perSecond); n++ {
			fmt.Fprintf(&b, "10.231.7.%d - - [%s] \"GET /of-%s/products/%d HTTP/1.1\" 200 5120 \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\"\n",
				n%250, now.UTC().Format("02/Jan/2006:15:04:05 -0700"), m.name, n)
		}
		if _, err := f.WriteString(b.String()); err != nil {
			return n, err
		}
	}
}

// walls sees that the agent behind the unit's walls could look at what it reports of its host.
func walls(t *testing.T, s *server, m *machine) {
	t.Helper()
	m.run("logger", "-t", "sshd", "Failed password for root from 10.231.9.67 port 40022 ssh2")
	m.await("a line of the journal is kept", 30*time.Second, func() bool { return s.matched("host="+m.name+" file~journal ip=10.231.9.67") > 0 })
	type facts struct {
		State string
		Host  struct {
			Version  string
			Updates  struct{ Known bool }
			Software []struct{ Name, Version string }
			Ports    []struct{ Port int }
			Gaps     []json.RawMessage
		}
	}
	var a facts
	m.await("the agent says which updates wait", 2*time.Minute, func() bool { // it asks every few hours, and had started anew
		a = facts{}
		if err := json.Unmarshal([]byte(s.tocsin("agents", "show", m.name, "--json")), &a); err != nil {
			t.Fatal(err)
		}
		return a.Host.Updates.Known
	})
	h := a.Host
	if a.State != "heard" || h.Version != "0.2.0" || len(h.Software) != 1 || h.Software[0].Name != "nginx" || h.Software[0].Version == "" || len(h.Ports) == 0 || len(h.Gaps) > 0 {
		t.Errorf("of its host the agent says %+v", a)
	}
	for line := range strings.Lines(m.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)) {
		if (strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN")) && !strings.Contains(line, "there is no such file") { // of Apache, by default
			t.Errorf("the agent complains: %s", line)
		}
	}
}

// removePackage removes and purges it, and looks for what is left.
func removePackage(t *testing.T, m *machine, before map[string]bool) {
	t.Helper()
	m.run("dpkg", "-r", "tocsin-agent")
	if pid := m.agent(); pid != "" {
		t.Errorf("the removed agent runs on, process %s", pid)
	}
	m.want("tocsin-agent:tocsin-agent 600", "stat", "-c", "%U:%G %a", folder+"/identity.json")
	for _, gone := range []string{"/usr/bin/tocsin-agent", "/usr/lib/systemd/system/" + unit, "/etc/systemd/system/multi-user.target.wants/" + unit} {
		if _, err := os.Lstat(m.path(gone)); err == nil {
			t.Errorf("%s is left by the removed package", gone)
		}
	}
	m.run("dpkg", "--purge", "tocsin-agent")
	m.run("rm", "/root/agent.deb")
	for name := range m.files() {
		others := false
		for _, dir := range []string{"/var/log/", "/var/lib/nginx", "/var/lib/dpkg/", "/var/lib/systemd/", "/var/cache/", "/tmp/", "/var/tmp/"} {
			others = others || strings.HasPrefix(name, dir)
		}
		ours := strings.Contains(name, "tocsin")
		// passwd, group and their like have a copy from before with a hyphen.
		if !before[name] && (!others || ours) && !(strings.HasPrefix(name, "/etc/") && strings.HasSuffix(name, "-")) {
			t.Errorf("%s is left by the purged package", name)
		}
	}
	m.want("tocsin-agent", "id", "-nG", "tocsin-agent") // the user stays, and may read nothing
	m.want("running", "systemctl", "is-system-running")
}
