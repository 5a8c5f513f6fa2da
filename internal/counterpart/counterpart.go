// Package counterpart starts the real programs that tests talk to, and is only for tests: nothing of the program imports it.
//
//	browser.go    a headless Chromium, and what it says against our pages
//	person.go     a Chromium with a fake microphone, and what it hears
//	tone.go       what a fake microphone says, and whether a sound holds it
//	telephone.go  baresip: a telephone that answers, presses keys and keeps what it hears
//	trunk.go      Kamailio: a telephone provider with digest over TLS
//	mail.go       Postfix and Dovecot: mail that goes out, comes back, and lies in a mailbox
//	authority.go  certificates for 127.0.0.1
//
// Whatever it starts listens on loopback alone and ends with the test. A program that is not installed fails the test with the name of its Debian
// package: make test installs them all, and a test that was passed over in silence would prove nothing.
package counterpart

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Installed returns the path of a program, and fails the test when it is not installed.
func Installed(t *testing.T, program, pkg string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program, "/usr/lib/postfix/sbin/" + program, "/usr/libexec/postfix/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("this test talks to a real %s, which is not installed: apt-get install %s", program, pkg)
	return ""
}

// An output is what a program said so far.
type output struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said.Write(b)
}

// Start starts a program of a Debian package, and returns a func for what it said so far. At the end of the test its whole process group is ended; what
// it said is logged if the test failed.
func Start(t *testing.T, pkg, program string, args ...string) (said func() string) {
	t.Helper()
	cmd := exec.Command(Installed(t, program, pkg), args...)
	out := &output{}
	said = func() string {
		out.mu.Lock()
		defer out.mu.Unlock()
		return out.said.String()
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(3 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
		if t.Failed() {
			t.Logf("%s said:\n%.4000s", program, said())
		}
	})
	return said
}

// ports are those that FreePair has given out.
var ports struct {
	sync.Mutex
	next int
}

// FreePair returns an even port of loopback that was free just now, and so was the odd one behind it. It gives none out twice.
func FreePair(t *testing.T) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.next == 0 {
		ports.next = 21000 + os.Getpid()%4000*2 // tests of several packages run at the same time
	}
	for ; ports.next < 32000; ports.next += 2 {
		a, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.next))
		if err != nil {
			continue
		}
		b, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.next+1))
		a.Close()
		if err == nil {
			b.Close()
			ports.next += 2
			return ports.next - 2
		}
	}
	t.Fatal("no two free ports")
	return 0
}

// Reachable waits until something listens on a port of loopback.
func Reachable(t *testing.T, port int) {
	t.Helper()
	for range 800 {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("nothing listens on port %d", port)
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
