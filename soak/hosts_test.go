//go:build soak

package soak

import (
	"encoding/json"
	"errors"
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

	"tocsin/internal/agent"
	"tocsin/internal/record"
)

// A host is a machine with an agent on it, as a process, and a shop that writes its logs.
type host struct {
	t       testing.TB
	name    string
	dir     string // of the agent: settings, and its data
	program string // tocsin-agent, as it is shipped
	shop    *shop
	agent   *exec.Cmd
	said    string // file
}

// buildAgent builds the agent as it is shipped.
func buildAgent(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tocsin-agent")
	c := exec.Command("go", "build", "-trimpath", "-o", program, root+"/cmd/tocsin-agent")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// newHost makes the logs and the settings of a host. What its agent says goes to the file of all that is said.
func newHost(t testing.TB, dir, name, program, said string, shop *shop) *host {
	t.Helper()
	h := &host{t: t, name: name, dir: dir, program: program, shop: shop, said: said}
	settings := "data: data\njournal: false\nspool_mib: 256\nweb_roots: [none]\nwatch:\n"
	for _, l := range shop.logs {
		settings += "  - " + l.name + "\n"
	}
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(h.config(), []byte(settings), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.kill)
	return h
}

func (h *host) config() string { return filepath.Join(h.dir, "agent.yaml") }

// join joins with a token, at an address.
func (h *host) join(address, token string) {
	h.t.Helper()
	out, err := exec.Command(h.program, "join", "https://"+address, token, "--config", h.config()).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s does not join: %v\n%s", h.name, err, out)
	}
}

// start begins a life of the agent, if it does not live.
func (h *host) start() {
	h.t.Helper()
	if h.agent != nil {
		return
	}
	said, err := os.OpenFile(h.said, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		h.t.Fatal(err)
	}
	defer said.Close()
	h.agent = exec.Command(h.program, "run", "--config", h.config())
	h.agent.Stdout, h.agent.Stderr = said, said
	h.agent.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := h.agent.Start(); err != nil {
		h.t.Fatal(err)
	}
}

// kill ends a life of the agent with -9.
func (h *host) kill() {
	if h.agent == nil {
		return
	}
	_ = h.agent.Process.Kill()
	_ = h.agent.Wait()
	h.agent = nil
}

// status is what the agent says of itself.
func (h *host) status() (s agent.Status, err error) {
	out, err := exec.Command(h.program, "status", "--json", "--config", h.config()).Output()
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(out, &s)
}

// settled reports whether the agent has read all its logs and the server has all of it.
func (h *host) settled() (bool, string) {
	s, err := h.status()
	if err != nil {
		return false, err.Error()
	}
	behind := slices.ContainsFunc(s.Host.Sources, func(f record.Feed) bool { return f.Lag > 0 || f.State != "ok" })
	says := fmt.Sprintf("%s is %s, %d batches wait, behind: %t", h.name, s.State, s.Host.Spool.Batches, behind)
	return s.State == "connected" && s.Host.Spool.Batches == 0 && len(s.Host.Sources) == len(h.shop.logs) && !behind && time.Since(s.At) < 6*time.Second, says
}

// freePort is an address on loopback on which nobody listens.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// tocsin runs a command of the program on the siege's folder.
func (s *siege) tocsin(args ...string) (string, error) {
	c := exec.Command(s.exe, append(args, "--data", s.path("data"))...)
	c.Env = append(os.Environ(), boardEnv+"="+s.path("board of commands"))
	out, err := c.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, e.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// token makes a token for an agent, on the command line as people do.
func (s *siege) token(name string) string {
	s.t.Helper()
	out, err := s.tocsin("agents", "add", name)
	if err != nil {
		s.t.Fatal(err)
	}
	words := strings.Fields(out)
	return words[len(words)-1]
}
