package inlet

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// program skips a test where a program is not installed, and returns its path.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}

func run(t *testing.T, stdin, name string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	if stdin != "" {
		c.Stdin = strings.NewReader(stdin)
	}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

const failedSignIn = "Failed password for invalid user admin from 203.0.113.7 port 5022 ssh2"

// parsedSignIn says whether intake reads a line as the failed sign-in that it is.
func parsedSignIn(t *testing.T, l record.Line) bool {
	t.Helper()
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := p.Parse(l, time.Now())
	return r.Class == record.Parsed && r.Text(record.SourceIP) == "203.0.113.7" && r.Text(record.EventOutcome) == "failure" && r.Text(record.UserName) == "admin"
}

// Given logger of util-linux, when it sends in both formats over TCP, in both framings, and UDP, then its line is kept with its priority
// and intake reads the sign-in in it.
func TestLogger(t *testing.T) {
	logger := program(t, "logger")
	k := newKept()
	s, stop := doors(t, quietLog(), SyslogOptions{Append: k.Append, TCPAddr: "127.0.0.1:0", UDPAddr: "127.0.0.1:0", Peers: loopback()})
	n := 0
	for _, door := range []string{syslogTCP, syslogUDP} {
		_, port, _ := net.SplitHostPort(s.Addr(door).String())
		for _, format := range [][]string{{"--rfc3164"}, {"--rfc5424"}, {"--rfc5424", "--octet-count"}, {"--rfc5424=notime,nohost"}} {
			way := "--tcp"
			if door == syslogUDP {
				way = "--udp"
				if len(format) > 1 {
					continue
				}
			}
			args := append([]string{way, "--server", "127.0.0.1", "--port", port, "--priority", "auth.info", "--tag", "sshd", "--id=77"}, format...)
			run(t, "", logger, append(args, failedSignIn)...)
			n++
			until(t, fmt.Sprintf("the line of logger %q is kept", args), func() bool { return len(k.raws()) == n })
			l := k.all()[n-1]
			if !strings.HasPrefix(l.Raw, "<38>") || !strings.HasSuffix(l.Raw, failedSignIn) || l.Host != "web-1" || l.File != door {
				t.Errorf("logger %q: %+v", args, l)
			}
			if !parsedSignIn(t, l) {
				t.Errorf("logger %q: intake does not read %q", args, l.Raw)
			}
		}
	}
	stop()
}

// Given rsyslog as a sender over TLS with octet counting, and over TCP, when lines are written to its input, then each is kept once and in
// order, though the archive refuses for a while in between.
func TestRsyslog(t *testing.T) {
	rsyslogd, logger := program(t, "rsyslogd"), program(t, "logger")
	dir, _ := certs(t, "server", "anna")
	k := newKept()
	s, stop := doors(t, quietLog(), SyslogOptions{Append: k.Append, TCPAddr: "127.0.0.1:0", TLSAddr: "127.0.0.1:0", Peers: loopback(),
		TLS: TLS{Cert: filepath.Join(dir, "server.pem"), Key: filepath.Join(dir, "server.key"), ClientCA: filepath.Join(dir, "ca.pem")}})
	for _, x := range []struct{ door, driver, extra string }{
		{syslogTCP, "ptcp", `TCP_Framing="traditional"`},
		{syslogTCP, "ptcp", `TCP_Framing="octet-counted"`},
		{syslogTLS, "gtls", `StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="server" TCP_Framing="octet-counted"`},
		{syslogTLS, "ossl", `StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="server" TCP_Framing="octet-counted"`},
	} {
		t.Run(x.door+" "+x.driver+" "+x.extra[:min(len(x.extra), 30)], func(t *testing.T) {
			drivers, _ := filepath.Glob("/usr/lib*/rsyslog/lmnsd_" + x.driver + ".so")
			debian, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_" + x.driver + ".so")
			if len(drivers)+len(debian) == 0 {
				t.Skipf("rsyslog's driver %s is not installed", x.driver)
			}
			work := t.TempDir()
			_, port, _ := net.SplitHostPort(s.Addr(x.door).String())
			write(t, filepath.Join(work, "conf"), fmt.Sprintf(`
global(workDirectory="%[1]s" DefaultNetstreamDriverCAFile="%[2]s/ca.pem" DefaultNetstreamDriverCertFile="%[2]s/anna.pem" DefaultNetstreamDriverKeyFile="%[2]s/anna.key")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="%[1]s/log" RateLimit.Interval="0")
action(type="omfwd" Target="127.0.0.1" Port="%[3]s" Protocol="tcp" StreamDriver="%[4]s" %[5]s Template="RSYSLOG_SyslogProtocol23Format"
  queue.type="linkedList" action.resumeRetryCount="-1" action.resumeInterval="1")
`, work, dir, port, x.driver, x.extra))
			before := len(k.raws())
			c := exec.Command(rsyslogd, "-n", "-f", filepath.Join(work, "conf"), "-i", filepath.Join(work, "pid"))
			var out logged
			c.Stdout, c.Stderr = &out, &out
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = c.Process.Signal(syscall.SIGTERM)
				_ = c.Wait()
				if t.Failed() {
					t.Logf("rsyslog said:\n%s", out.String())
				}
			}()
			until(t, "rsyslog listens", func() bool { _, err := os.Stat(filepath.Join(work, "log")); return err == nil })
			mine := func() (all []string) {
				for _, raw := range k.raws()[before:] {
					if strings.Contains(raw, "203.0.113.7") {
						all = append(all, raw)
					}
				}
				return all
			}
			var text strings.Builder
			const lines = 300
			for i := range lines {
				fmt.Fprintf(&text, "%s\n", strings.Replace(failedSignIn, "5022", fmt.Sprint(1000+i), 1))
				if i == lines/2 {
					k.set(func() error { return fmt.Errorf("refused") })
					time.AfterFunc(300*time.Millisecond, func() { k.set(nil) })
				}
			}
			run(t, text.String(), logger, "--socket", filepath.Join(work, "log"), "--tag", "sshd", "--priority", "auth.info")
			until(t, "all lines are kept", func() bool { return len(mine()) >= lines })
			for i, raw := range mine() {
				if !strings.Contains(raw, fmt.Sprintf("port %d ", 1000+i)) {
					t.Fatalf("line %d is %q", i, raw)
				}
			}
			l := k.all()[slices.Index(k.raws(), mine()[0])]
			if want := map[string]string{syslogTLS: "anna", syslogTCP: "web-1"}[x.door]; l.Host != want || l.File != x.door || !parsedSignIn(t, l) {
				t.Errorf("%+v", l)
			}
		})
	}
	stop()
}

// Given openssl s_client, when it sends frames over TLS, then they are kept; and without its certificate they are not.
func TestOpenSSL(t *testing.T) {
	openssl := program(t, "openssl")
	dir, prints := certs(t, "server", "anna")
	k := newKept()
	s, stop := doors(t, quietLog(), SyslogOptions{Append: k.Append, TLSAddr: "127.0.0.1:0",
		TLS: TLS{Cert: filepath.Join(dir, "server.pem"), Key: filepath.Join(dir, "server.key"), Pins: []Pin{{prints["anna"], "firewall-1"}}}})
	client := func(input string, args ...string) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c := exec.CommandContext(ctx, openssl, append([]string{"s_client", "-quiet", "-no_ign_eof", "-CAfile", filepath.Join(dir, "ca.pem"), "-connect", s.Addr(syslogTLS).String()}, args...)...)
		c.Stdin = strings.NewReader(input)
		_ = c.Run() // it may say that the server closed
	}
	client("13 <34>1 - - - -", "-cert", filepath.Join(dir, "anna.pem"), "-key", filepath.Join(dir, "anna.key"))
	until(t, "the frame is kept", func() bool { return len(k.raws()) == 1 })
	client("13 <34>1 - - - -", "-tls1_2")
	until(t, "who has no certificate is refused", func() bool {
		c := countOf(s.Counts(), syslogTLS)
		return c.Refused[BadPeer]+c.Refused[BadHandshake] == 1
	})
	stop()
	if l := k.all(); len(l) != 1 || l[0].Host != "firewall-1" || l[0].Raw != "<34>1 - - - -" {
		t.Errorf("%+v", l)
	}
}
