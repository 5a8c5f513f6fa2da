package hub

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
)

const day = 24 * time.Hour

// ahead moves the hub's clock.
func (h *house) ahead(d time.Duration) { h.now.Add(int64(d)) }

// restarted is the hub begun again as the ledger remembers it: without the tokens that were spent.
func (h *house) restarted() {
	h.t.Helper()
	ca, s := h.hub.o.CA, h.saved.Load().clone()
	for i := range s.Agents {
		s.Agents[i].Token, s.Agents[i].Until = nil, time.Time{}
	}
	h.stop()
	h.saved.Store(&s)
	h.begin(ca, nil)
}

func requestOf(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// renewed asks for another key; the guest that it returns has its certificate.
func (g *guest) renewed(key *ecdsa.PrivateKey) (*guest, int, record.Reason) {
	g.h.t.Helper()
	var a struct {
		record.Admission
		record.Receipts
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		g.h.t.Fatal(err)
	}
	status := g.ask("POST", "renew", mustJSON(record.JoinRequest{Request: der}), &a)
	next := g.h.guest(tls.Certificate{Certificate: [][]byte{a.Certificate}, PrivateKey: key})
	next.id = a.Admission
	return next, status, a.Refused
}

// TestRenewOften: given an agent that renews without end, when its newest certificate is less than a day old, then it gets no other and nothing is written.
func TestRenewOften(t *testing.T) {
	h := open(t, nil)
	g := h.joined("shop1")
	before := h.saved.Load()
	key, _ := request(t)
	if _, status, reason := g.renewed(key); status != 429 || reason != record.Soon {
		t.Errorf("right after joining: status %d, %s", status, reason)
	}
	h.ahead(day + time.Minute)
	next, status, _ := g.renewed(key)
	if status != 200 {
		t.Fatalf("a day later: status %d", status)
	}
	if h.saved.Load() == before {
		t.Fatal("nothing is kept")
	}
	before = h.saved.Load()
	for range 3 {
		if _, status, _ := next.renewed(key); status != 200 {
			t.Errorf("the same key again: status %d", status)
		}
	}
	other, _ := request(t)
	for range 3 {
		if _, status, reason := next.renewed(other); status != 429 || reason != record.Soon {
			t.Errorf("another key: status %d, %s", status, reason)
		}
	}
	if h.saved.Load() != before {
		t.Error("something is written down")
	}
	if n := h.hub.Counts()[Count{g.id.Agent, record.Soon}]; n != 4 {
		t.Errorf("%d are counted", n)
	}
}

// TestReplaced: given a copy of an agent's older certificate, when the agent has renewed, then the copy is good for nothing, before and after a restart.
func TestReplaced(t *testing.T) {
	h := open(t, nil)
	thief := h.joined("shop1")
	h.ahead(2 * day)
	key, _ := request(t)
	agent, status, _ := thief.renewed(key)
	if status != 200 {
		t.Fatal(status)
	}
	h.ahead(2 * day)
	check := func(when string) {
		t.Helper()
		for _, path := range []string{"receipts", "time", "head?from=0"} {
			var a record.Receipts
			if status := thief.ask("GET", path, nil, &a); status != 401 || a.Refused != record.Replaced || !strings.Contains(a.Why, "revoke") {
				t.Errorf("%s, %s: status %d, %+v", when, path, status, a)
			}
		}
		if status, a := thief.send(thief.frame(1, "/a.log", "x")); status != 401 {
			t.Errorf("%s: a batch: status %d, %+v", when, status, a)
		}
		mine, _ := request(t)
		if _, status, reason := thief.renewed(mine); status != 401 || reason != record.Replaced {
			t.Errorf("%s: renew: status %d, %s", when, status, reason)
		}
		if status := agent.ask("GET", "time", nil, nil); status != 200 {
			t.Errorf("%s: the agent itself: status %d", when, status)
		}
	}
	check("the newest was used")
	h.restarted()
	thief.http.CloseIdleConnections()
	agent.http.CloseIdleConnections()
	check("after a restart")
	if n := h.hub.Counts()[Count{agent.id.Agent, record.Replaced}]; n != 5 {
		t.Errorf("%d are counted", n)
	}
}

// TestRenewLost: given an agent that did not hear the answer, when it asks again with the certificate and the new key that it has, then it gets the new one, also
// from a hub that was started again meanwhile.
func TestRenewLost(t *testing.T) {
	for _, restart := range []bool{false, true} {
		h := open(t, nil)
		g := h.joined("shop1")
		h.ahead(60 * day)
		key, _ := request(t)
		if _, status, _ := g.renewed(key); status != 200 { // and the answer is lost
			t.Fatal(status)
		}
		expires := h.hub.Agents()[0].Expires
		if restart {
			h.restarted()
		}
		h.ahead(5 * day)
		next, status, reason := g.renewed(key)
		if status != 200 || !h.hub.Agents()[0].Expires.Equal(expires) {
			t.Fatalf("restart %v: status %d, %s; until %v, want %v", restart, status, reason, h.hub.Agents()[0].Expires, expires)
		}
		if status, _ := next.send(next.frame(1, "/a.log", "x")); status != 200 {
			t.Errorf("restart %v: status %d", restart, status)
		}
	}
}

// TestJoinAgain: given a join whose answer was lost, when the same host asks again, then it is the same agent, and works; when it was revoked or the
// hub started again, then it is refused with what is to be done.
func TestJoinAgain(t *testing.T) {
	h := open(t, nil)
	key, _ := request(t)
	secret, _, _ := strings.Cut(h.token("shop1"), ".")
	join := func() (status int, a struct {
		record.Admission
		record.Receipts
	}) {
		return h.guest().ask("POST", "join", mustJSON(record.JoinRequest{Secret: secret, Request: requestOf(t, key)}), &a), a
	}
	_, first := join()
	saved := h.saved.Load()
	status, second := join()
	if status != 200 || second.Agent != first.Agent || len(h.hub.Agents()) != 1 || h.saved.Load() != saved {
		t.Fatalf("status %d, %+v", status, second)
	}
	g := h.guest(tls.Certificate{Certificate: [][]byte{second.Certificate}, PrivateKey: key})
	if status, _ := g.send(g.frame(1, "/a.log", "x")); status != 200 {
		t.Errorf("status %d", status)
	}
	h.revoked.Store(first.Agent, true)
	if status, a := join(); status != 403 || !strings.Contains(a.Why, "tocsin agents revoke") {
		t.Errorf("revoked: status %d, %+v", status, a)
	}
	h.revoked.Delete(first.Agent)
	h.restarted()
	if status, a := join(); status != 403 || !strings.Contains(a.Why, "tocsin agents add") {
		t.Errorf("after a restart: status %d, %+v", status, a)
	}
}

// TestRevokedBeforeKept: given an agent that is revoked while its batch waits for room, when there is room, then the batch is not kept.
func TestRevokedBeforeKept(t *testing.T) {
	h := open(t, nil)
	g := h.joined("shop1")
	all := h.hub.desk.most
	h.hub.desk.take(all)
	answer := make(chan int, 1)
	frame := g.frame(1, "/a.log", "x")
	go func() {
		status, _ := g.send(frame)
		answer <- status
	}()
	for held := false; !held; time.Sleep(time.Millisecond) {
		h.hub.mu.Lock()
		l := h.hub.lives[g.id.Agent]
		held = l != nil && l.known
		h.hub.mu.Unlock()
	}
	time.Sleep(20 * time.Millisecond) // it waits for room, or is about to
	h.revoked.Store(g.id.Agent, true)
	h.hub.desk.give(all)
	if status := <-answer; status != 403 {
		t.Errorf("status %d", status)
	}
	same(t, h.lines())
}

// TestNames: given names, when a host is to be called so, then those of doors and ids are refused.
func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"web-1": true, "a": true, "shop.example": true, "agent-1": true, "agent-0123456789abcdeg": true, "agent-0123456789abcdef0": true, "https": true,
		"syslog": false, "S3": false, "http": false, "inlet": false, "journal": false, "queue": false, "This": false, "agent-0123456789abcdef": false,
		"Agent-0123456789ABCDEF": false, "syslog:": false, "": false, "-a": false, "a b": false, strings.Repeat("a", 64): false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestTokenBy: given tokens of two people, when the state is kept, then each says who made it, and those that have expired are gone.
func TestTokenBy(t *testing.T) {
	h := open(t, nil)
	for _, by := range []string{"person:anna", "person:bert"} {
		if _, err := h.hub.NewToken("", by, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.saved.Load().Tokens; len(got) != 2 || got[0].By != "person:anna" || got[1].By != "person:bert" {
		t.Errorf("%+v", got)
	}
	secret, _, _ := strings.Cut(h.token("shop1"), ".")
	h.ahead(30 * time.Minute)
	if _, err := h.hub.NewToken("", "person:anna", time.Hour); err != nil {
		t.Fatal(err)
	}
	h.ahead(29 * time.Minute)
	_, der := request(t)
	if status := h.guest().ask("POST", "join", mustJSON(record.JoinRequest{Secret: secret, Request: der}), nil); status != 200 {
		t.Fatal(status)
	}
	h.ahead(2 * time.Minute)
	g := h.joined("shop2")
	h.ahead(2 * day)
	key, _ := request(t)
	if _, status, _ := g.renewed(key); status != 200 {
		t.Fatal(status)
	}
	if got := h.saved.Load().Tokens; len(got) != 0 {
		t.Errorf("tokens that expired are kept: %+v", got)
	}
}
