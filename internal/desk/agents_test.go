package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/fleet"
	"tocsin/internal/plan"
)

// A hubbed desk hears agents on loopback.
type hubbed struct {
	*Desk
	url  string
	stop func()
}

// openHubbed starts a desk with a hub on data and keys.
func openHubbed(t *testing.T, data, keys disk.Layer, limit time.Duration) *hubbed {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	d, err := Open(log, Options{Version: "test", Ballast: 1 << 16, Data: data, Keys: keys, Rules: testRules(t).Rules, URL: "http://localhost",
		Silent: func(string) time.Duration { return 0 }, Hub: &HubOptions{Listener: l, Address: l.Addr().String(), Limit: limit}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	h := &hubbed{Desk: d, url: "https://" + l.Addr().String()}
	stopped := false
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the desk ended: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(h.stop)
	return h
}

// A shopHost is a machine with an agent on it.
type shopHost struct {
	dir, log string
	stop     func()
}

// joined lets a new host in, with one log.
func joined(t *testing.T, d *hubbed, name string) *shopHost {
	t.Helper()
	i, err := d.InviteAgent(Local("command"), name, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if want := "tocsin-agent join " + d.url + " " + i.Token; i.Command() != want {
		t.Errorf("the command is %q, want %q", i.Command(), want)
	}
	s := &shopHost{dir: t.TempDir(), log: filepath.Join(t.TempDir(), "access.log")}
	if _, err := agent.Join(t.Context(), s.dir, d.url, i.Token, "itself", ""); err != nil {
		t.Fatal(err)
	}
	return s
}

// run starts the agent.
func (s *shopHost) run(t *testing.T) {
	t.Helper()
	r, err := agent.OpenRemote(slog.New(slog.DiscardHandler), agent.RemoteOptions{Dir: s.dir, Paths: []string{s.log}, Version: "test", Poll: 20 * time.Millisecond, Roots: []string{t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stopped := false
	s.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			<-ended
		}
	}
	t.Cleanup(func() { s.stop() })
}

func (s *shopHost) write(t *testing.T, lines ...string) {
	t.Helper()
	f, err := os.OpenFile(s.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
		t.Fatal(err)
	}
}

// hit is a request that the rule of evil matches.
func hit(addr string) string {
	return fmt.Sprintf(`%s - - [%s] "GET /evil HTTP/1.1" 200 5 "-" "x"`, addr, time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"))
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// alertsOf counts alerts of a rule, and says whether the newest stands.
func (h *hubbed) alertsOf(rule string) (n, standing int) {
	h.Read(func(s *State) {
		for id, a := range s.Incidents.Alerts {
			if a.Rule == rule {
				n++
				if s.Silences[id] {
					standing++
				}
			}
		}
	})
	return n, standing
}

func (h *hubbed) kinds(t *testing.T) map[entry.Kind]int {
	t.Helper()
	es, err := h.LastEntries(10_000)
	if err != nil {
		t.Fatal(err)
	}
	out := map[entry.Kind]int{}
	for _, e := range es {
		out[e.Kind]++
	}
	return out
}

// An agent joins, its lines are detected under its name, it is lost and comes back, and a revoked one is not heard; all of it is in the ledger
// and is so again after a restart.
func TestAgentsLife(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	const limit = 2 * time.Second
	d := openHubbed(t, data, keys, limit)
	web := joined(t, d, "web-1")
	web.write(t, "nothing")
	web.run(t)
	soon(t, "web-1 is heard", func() bool {
		all, _ := d.Agents()
		return len(all) == 1 && all[0].State() == "heard" && !all[0].HostAt.IsZero()
	})
	soon(t, "its first line is kept", func() bool { all, _ := d.Agents(); return all[0].Lines > 0 })
	web.write(t, hit("203.0.113.9"))
	soon(t, "the attack on web-1 is an alert", func() bool { n, _ := d.alertsOf(evilRule); return n == 1 })
	vault := ""
	d.Read(func(s *State) {
		for _, a := range s.Incidents.Alerts {
			if a.Rule == evilRule {
				vault = a.Vault
			}
		}
	})
	if full, err := d.Details(vault); err != nil || len(full.Hosts) != 1 || full.Hosts[0] != "web-1" {
		t.Errorf("the alert is of the hosts %v, %v", full.Hosts, err)
	}

	web.stop()
	soon(t, "web-1 is lost", func() bool { _, standing := d.alertsOf(LostRule); return standing == 1 })
	if all, _ := d.Agents(); all[0].State() != "lost" {
		t.Errorf("it is %s", all[0].State())
	}
	web.write(t, hit("203.0.113.10"))
	web.run(t)
	soon(t, "web-1 is back", func() bool { n, standing := d.alertsOf(LostRule); return n == 1 && standing == 0 })
	soon(t, "what happened meanwhile is an alert", func() bool { n, _ := d.alertsOf(evilRule); return n == 2 })

	db := joined(t, d, "")
	db.write(t, "nothing")
	db.run(t)
	soon(t, "the other is heard", func() bool {
		all, _ := d.Agents()
		return len(all) == 2 && all[0].Name == "itself" && all[0].State() == "heard"
	})
	if err := d.RevokeAgent(auth.Actor{Name: "person:x", Roles: []string{plan.Reader}}, "itself", ""); err == nil {
		t.Error("a reader puts agents out")
	}
	if err := d.RevokeAgent(Local("command"), "itself", "it was sold"); err != nil {
		t.Fatal(err)
	}
	if err := d.RevokeAgent(Local("command"), "itself", ""); !errors.Is(err, fleet.ErrRevoked) {
		t.Errorf("revoked twice: %v", err)
	}
	before := d.archive.Last()
	db.write(t, hit("203.0.113.11"))
	soon(t, "the revoked one is refused", func() bool { all, _ := d.Agents(); return all[1].Refused["revoked"] > 0 })
	if n, _ := d.alertsOf(evilRule); n != 2 || d.archive.Last() != before {
		t.Errorf("it was heard: %d alerts, %d lines more", n, d.archive.Last()-before)
	}

	web.stop()
	db.stop()
	d.stop()
	d = openHubbed(t, data, keys, limit)
	all, tokens := d.Agents()
	if len(all) != 2 || len(tokens) != 0 || all[0].Name != "web-1" || all[1].State() != "revoked" || d.Text(all[1].Why) != "it was sold" || !strings.HasPrefix(d.Text(all[0].From), "127.0.0.1:") {
		t.Errorf("after a restart: %+v, tokens %v", all, tokens)
	}
	for kind, want := range map[entry.Kind]int{entry.AgentInvited: 2, entry.AgentJoined: 2, entry.AgentRevoked: 1} {
		if got := d.kinds(t)[kind]; got != want {
			t.Errorf("%d entries %s, want %d", got, kind, want)
		}
	}
}

// A token works once, not after its time, and not for whoever may not give one.
func TestInvitations(t *testing.T) {
	d := openHubbed(t, disk.NewLossy(), disk.NewLossy(), 0)
	for _, x := range []struct {
		name  string
		actor auth.Actor
		host  string
		valid time.Duration
		want  string
	}{
		{"an analyst", auth.Actor{Name: "person:x", Roles: []string{plan.Analyst}}, "web-1", time.Hour, "may not hosts"},
		{"a bad name", Local("command"), "web 1", time.Hour, "cannot name a host"},
		{"for ever", Local("command"), "web-1", 10000 * time.Hour, "30 days at most"},
	} {
		if _, err := d.InviteAgent(x.actor, x.host, x.valid); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", x.name, err, x.want)
		}
	}
	i, err := d.InviteAgent(Local("command"), "web-1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, tokens := d.Agents(); len(tokens) != 1 || tokens[0].By != "command" || tokens[0].Name != "web-1" {
		t.Errorf("tokens %+v", tokens)
	}
	if _, err := agent.Join(t.Context(), t.TempDir(), d.url, i.Token, "", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Join(t.Context(), t.TempDir(), d.url, i.Token, "", ""); err == nil {
		t.Error("a token worked twice")
	}
	if d.Strangers()["token"] != 1 {
		t.Errorf("strangers: %v", d.Strangers())
	}
}

// The key of the hub is needed once an agent joined: without it, no agent would know this server again.
func TestHubKeyIsGone(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	d := openHubbed(t, data, keys, 0)
	joined(t, d, "web-1")
	d.stop()
	if err := keys.Remove(authorityFile); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Open(slog.New(slog.DiscardHandler), Options{Version: "test", Ballast: 1 << 16, Data: data, Keys: keys, Rules: testRules(t).Rules, Hub: &HubOptions{Listener: l}})
	if err == nil || !strings.Contains(err.Error(), "agents.pem, is gone") {
		t.Errorf("says %v", err)
	}
}
