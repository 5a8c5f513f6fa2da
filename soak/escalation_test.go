package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/emersion/go-smtp"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/ledger"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

// plainEnv makes the test's own program the real one, without the marks and steps of the other sieges.
const plainEnv = "TOCSIN_SOAK_PLAIN"

// trapRule is the rule that fires.
const trapRule = "title: Somebody in the trap\nid: 22222222-2222-4222-8222-000000000001\nstatus: test\nlogsource: {category: webserver}\n" +
	"detection:\n  word: {url.original|contains: /trap}\n  condition: word\nlevel: high\n"

// An arrival is a message that reached a counterpart.
type arrival struct {
	id    string // Message-ID, or what a chat's message holds to answer by
	at    time.Time
	twice bool
}

// Counterparts are a mail server and a chat, which think for a while before they say yes.
type counterparts struct {
	mu    sync.Mutex
	mails []arrival
	chats []arrival
	port  int
	hook  string
}

func (c *counterparts) think() { time.Sleep(time.Duration(rand.IntN(600)) * time.Millisecond) }

type letterbox struct{ c *counterparts }

func (letterbox) Mail(string, *smtp.MailOptions) error { return nil }
func (letterbox) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (letterbox) Reset()                               {}
func (letterbox) Logout() error                        { return nil }

func (x letterbox) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, m.Body); err != nil {
		return err
	}
	x.c.mu.Lock()
	x.c.mails = append(x.c.mails, arrival{strings.Trim(m.Header.Get("Message-ID"), "<>"), time.Now(), m.Header.Get("X-Tocsin-Repeat") != ""})
	x.c.mu.Unlock()
	x.c.think()
	return nil
}

var linkForm = regexp.MustCompile(`/answer/[A-Za-z0-9_.=-]+`)

func newCounterparts(t *testing.T) *counterparts {
	t.Helper()
	c := &counterparts{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.port = l.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return letterbox{c}, nil }))
	server.Domain, server.ErrorLog = "sink.example", slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return
		}
		c.mu.Lock()
		c.chats = append(c.chats, arrival{linkForm.FindString(string(b)), time.Now(), bytes.Contains(b, []byte("possibly twice"))})
		c.mu.Unlock()
		c.think()
	}))
	t.Cleanup(chat.Close)
	c.hook = chat.URL + "/hook"
	return c
}

// TestKilledWhileItRings kills the real program again and again while it climbs through steps of seconds: each step rings everybody once by each
// channel, what comes twice says so, none is left out, and an answer stops all within a second. TOCSIN_SOAK makes it 20 kills.
func TestKilledWhileItRings(t *testing.T) {
	kills := 2
	if os.Getenv("TOCSIN_SOAK") != "" {
		kills = 20
	}
	c, dir := newCounterparts(t), t.TempDir()
	data, keys := filepath.Join(dir, "d"), filepath.Join(dir, "k")
	sown(t, data, keys, c.hook)
	log := filepath.Join(dir, "access.log")
	must(t, os.WriteFile(log, nil, 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "rules"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "rules", "trap.yml"), []byte(trapRule), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "tocsin.yaml"), fmt.Appendf(nil, "mail: {host: 127.0.0.1, port: %d, from: tocsin@shop.example, starttls: none}\ntest_calls: never\n", c.port), 0o600))
	start := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "serve", "--config", filepath.Join(dir, "tocsin.yaml"), "--data", data, "--keys", keys, "--listen", "localhost:0", "--watch", log, "--rules", filepath.Join(dir, "rules"))
		cmd.Env = append(os.Environ(), plainEnv+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		must(t, cmd.Start())
		for end := time.Now().Add(30 * time.Second); client.New(data).Alive(context.Background()) != nil; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				t.Fatal("it does not start")
			}
		}
		return cmd
	}
	cmd := start()
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = fmt.Fprintf(f, "203.0.113.9 - - [%s] \"GET /trap HTTP/1.1\" 404 0 \"-\" \"Mozilla/5.0\"\n", time.Now().Format("02/Jan/2006:15:04:05 -0700"))
	must(t, err)
	must(t, f.Close())
	for end := time.Now().Add(30 * time.Second); c.count() == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody is rung")
		}
	}
	var died []time.Time
	for range kills {
		time.Sleep(time.Duration(300+rand.IntN(2200)) * time.Millisecond)
		died = append(died, time.Now())
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		cmd = start()
	}
	time.Sleep(2500 * time.Millisecond)
	_, err = client.New(data).Answer(context.Background(), 1, "anna")
	answered := time.Now()
	must(t, err)
	time.Sleep(3 * time.Second)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	must(t, cmd.Wait())
	c.judge(t, data, keys, died, answered)
}

func (c *counterparts) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.mails)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sown makes folders with a team and a policy whose steps are seconds: no form and no settings file takes such a one.
func sown(t *testing.T, data, keys, hook string) {
	t.Helper()
	must(t, os.Mkdir(data, 0o700))
	must(t, os.Mkdir(keys, 0o700))
	d, err := disk.Open(data)
	must(t, err)
	k, err := disk.Open(keys)
	must(t, err)
	set, err := desk.LoadRules(fstest.MapFS{"trap.yml": {Data: []byte(trapRule)}})
	must(t, err)
	x, err := desk.Open(slog.New(slog.DiscardHandler), desk.Options{Version: "test", Data: d, Keys: k, Rules: set.Rules, URL: "http://localhost:1"})
	must(t, err)
	_, err = x.SeedPlan(desk.Seed{People: []desk.SeedPerson{
		{ID: "anna", Roles: []string{plan.Commander}, Contact: desk.Contact{Name: "Anna", Mail: "anna@shop.example"}},
		{ID: "boris", Roles: []string{plan.Engineer}, Contact: desk.Contact{Name: "Boris", Mail: "boris@shop.example", Webhook: hook}},
	}})
	must(t, errorsOf(err, x.Close()))
	l, key := openLedger(t, data, keys, func(entry.Entry) error { return nil })
	_ = key
	_, err = l.Append(time.Now(), entry.Draft{Actor: "test", Kind: entry.PolicyPut, Subject: "policy", Body: entry.Policy{Steps: []entry.PolicyStep{
		{Who: []string{"anna"}, Wait: 2 * time.Second}, {Who: []string{"role:engineer"}, Wait: 2 * time.Second}, {Who: []string{plan.Everyone}, Wait: 2 * time.Second}}, Rounds: 1, Every: 2 * time.Second}})
	must(t, errorsOf(err, l.Close()))
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func openLedger(t *testing.T, data, keys string, apply func(entry.Entry) error) (*ledger.Ledger, ledger.Key) {
	t.Helper()
	d, err := disk.Open(data)
	must(t, err)
	secret, err := os.ReadFile(filepath.Join(keys, "ledger.key"))
	must(t, err)
	key, err := ledger.ParseKey(string(secret))
	must(t, err)
	l, _, err := ledger.Open(d, "ledger", key, apply, ledger.Options{})
	must(t, err)
	return l, key
}

// judge holds the ledger against what arrived.
func (c *counterparts) judge(t *testing.T, data, keys string, died []time.Time, answered time.Time) {
	t.Helper()
	var p plan.Plan
	b := oncall.NewBook(p.PolicyFor)
	l, _ := openLedger(t, data, keys, func(e entry.Entry) error {
		if _, err := b.Apply(e); err != nil {
			return err
		}
		_, err := p.Apply(e)
		return err
	})
	must(t, l.Close())
	if len(b.Calls) != 1 || b.Calls[0].Rings() {
		t.Fatalf("%d calls", len(b.Calls))
	}
	call := b.Calls[0]
	mails := map[string][]arrival{}
	for _, m := range c.mails {
		id, _, _ := strings.Cut(m.id, "@")
		mails[id] = append(mails[id], m)
	}
	rung := map[string]int{}
	sent, again, hooks, atLeast := 0, 0, 0, 0
	for _, x := range call.Tries {
		if x.Channel == plan.Console {
			continue
		}
		if x.Again == 0 {
			rung[fmt.Sprintf("%d %s %s", x.Step, x.Person, x.Channel)]++
		}
		if x.Channel == plan.Webhook && x.Again == 0 {
			hooks++
			if x.Wanted.Before(answered.Add(-time.Second)) {
				atLeast++
			}
		}
		if x.Channel != plan.Mail {
			continue
		}
		got := mails[x.Message]
		sent += len(got)
		if len(got) == 0 && x.Wanted.Before(answered.Add(-time.Second)) {
			t.Errorf("try %d was never sent", x.Try)
		}
		for k, m := range got[min(1, len(got)):] {
			again++
			if between := slices.ContainsFunc(died, func(at time.Time) bool { return !at.Before(got[k].at) && !at.After(m.at) }); !m.twice || !between {
				t.Errorf("try %d came again: marked %v, a kill between the two %v", x.Try, m.twice, between)
			}
		}
	}
	for k, x := range call.Steps {
		if x.Step != k {
			t.Errorf("step %d begins as number %d", x.Step, k)
		}
		want := []string{"anna mail", "boris mail", "boris webhook"}
		switch k {
		case 0:
			want = want[:1]
		case 1:
			want = want[1:]
		}
		for _, w := range want {
			if n := rung[fmt.Sprintf("%d %s", k, w)]; n != 1 {
				t.Errorf("step %d rings %s %d times", k, w, n)
			}
		}
	}
	seen := map[string]time.Time{} // by the link to answer by, which is one for each try
	unmarked := 0
	for _, m := range c.chats {
		before, was := seen[m.id]
		between := slices.ContainsFunc(died, func(at time.Time) bool { return !at.Before(before) && !at.After(m.at) })
		if was && (!m.twice || !between) {
			t.Errorf("a message came to the chat again: marked %v, a kill between the two %v", m.twice, between)
		}
		if !m.twice {
			unmarked++
		}
		seen[m.id] = m.at
	}
	if unmarked > hooks || len(seen) < atLeast || len(seen) > hooks || seen[""] != (time.Time{}) {
		t.Errorf("%d tries of the chat, %d of them well before the answer; %d different messages came, %d of them unmarked", hooks, atLeast, len(seen), unmarked)
	}
	for _, m := range append(slices.Clone(c.mails), c.chats...) {
		if m.at.After(answered.Add(time.Second)) {
			t.Errorf("%s came %v after the answer", m.id, m.at.Sub(answered))
		}
	}
	text, _ := json.Marshal(map[string]int{"kills": len(died), "steps": len(call.Steps), "mails": sent, "again": again, "chats": len(c.chats)})
	t.Logf("%s", text)
}
