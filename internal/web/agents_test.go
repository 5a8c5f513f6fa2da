package web

import (
	"context"
	"fmt"
	"html"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/desk"
	"tocsin/internal/fleet"
	"tocsin/internal/record"
	"tocsin/ui"
)

// heardHere makes a desk hear agents on loopback.
func heardHere(t *testing.T) func(*desk.Options) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return func(o *desk.Options) {
		o.Hub = &desk.HubOptions{Listener: l, Address: l.Addr().String()}
	}
}

// letIn makes an agent join and returns its id.
func (c *console) letIn(t *testing.T, dir, name string) string {
	t.Helper()
	i, err := c.desk.InviteAgent(desk.Local("command"), name, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	id, err := agent.Join(t.Context(), dir, "https://"+i.Address, i.Token, "itself", "")
	if err != nil {
		t.Fatal(err)
	}
	return id.Agent
}

var joinCommand = regexp.MustCompile(`tocsin-agent join (https://\S+) ([a-z2-7]+\.[a-z2-7]+)`)

// TestAgentFromFormToRevoked lets an agent in by the form, runs it with what the page said, and puts it out again.
func TestAgentFromFormToRevoked(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, attacks(), nil, heardHere(t)).staffed(t)
	anna, analyst, reader := c.as(t, "anna"), c.as(t, "analyst"), c.as(t, "reader")
	for name, x := range map[string]struct {
		form  []string
		field string
	}{
		"a bad name":        {[]string{"name", "web 1", "valid", "3600"}, "agent-name"},
		"for ever":          {[]string{"name", "web-1", "valid", "99999999"}, "agent-valid"},
		"a time of nothing": {[]string{"name", "web-1"}, "agent-valid"},
	} {
		got := anna.post("/agents", x.form...)
		if got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `href="#`+x.field+`"`) || !strings.Contains(got.body, `value="`+x.form[1]+`"`) || strings.Contains(got.body, "data-live") {
			t.Errorf("%s: %d", name, got.code)
		}
	}

	made := anna.post("/agents", "name", "web-1", "valid", "3600")
	m := joinCommand.FindStringSubmatch(html.UnescapeString(made.body))
	if made.code != http.StatusOK || made.location != "" || m == nil || strings.Contains(made.body, "data-live") || made.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("a token: %d, %q, %v", made.code, made.location, made.header)
	}
	if again := anna.get("/agents").body; strings.Contains(again, m[2]) || !strings.Contains(again, "Tokens that wait") || !strings.Contains(again, "Anna Keller") {
		t.Error("the page shows the token a second time, or does not say that it waits")
	}
	if strings.Contains(reader.get("/agents").body, "Make a token") || !strings.Contains(anna.get("/agents").body, "Make a token") {
		t.Error("the form is shown to the wrong people")
	}
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "access.log")
	id, err := agent.Join(t.Context(), dir, m[1], m[2], "itself", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := anna.get("/agents/" + id.Agent); got.code != http.StatusOK || !strings.Contains(got.body, "not heard yet") {
		t.Errorf("before it runs: %d", got.code)
	}
	writeLog(t, log)
	r, err := agent.OpenRemote(slog.New(slog.DiscardHandler), agent.RemoteOptions{Dir: dir, Paths: []string{log}, Version: "v9", Poll: 20 * time.Millisecond, Roots: []string{t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })

	shows := func(path string, want ...string) {
		t.Helper()
		var p page
		var lacks string
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			p, lacks = readPage(t, analyst.get(path).body), ""
			for _, w := range want {
				if !strings.Contains(p.text, w) {
					lacks = w
				}
			}
			if lacks == "" {
				break
			}
		}
		if lacks != "" {
			t.Fatalf("%s never shows %q:\n%s", path, lacks, p.text)
		}
		for _, w := range p.wrong {
			t.Errorf("%s: %s", path, w)
		}
	}
	shows("/agents", "1 agent is heard", "web-1", "from 127.0.0.1:")
	shows("/agents/"+id.Agent, "web-1", "heard", "Let in byAnna Keller", "v9", "right", "The host, in its own words", "Lines since Tocsin started1")
	shows("/sources", log+" on web-1")
	c.logLink(t, id.Agent, log)
	if strings.Contains(analyst.get("/agents/"+id.Agent).body, "Revoke it") {
		t.Error("an analyst is offered to put an agent out")
	}

	revoke := "/agents/" + id.Agent + "/revoke"
	acts := c.acts(t)
	if got := anna.post(revoke, "reason", " "); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `href="#revoke-reason"`) {
		t.Errorf("without a reason: %d", got.code)
	}
	asked := anna.post(revoke, "reason", "it was <b>sold</b>")
	if asked.code != http.StatusOK || !strings.Contains(asked.body, "What this does") || !strings.Contains(asked.body, `name="sure" value="yes"`) || !strings.Contains(asked.body, "it was &lt;b&gt;sold") || c.acts(t) != acts {
		t.Errorf("it does not ask: %d, %d entries more", asked.code, c.acts(t)-acts)
	}
	got := anna.post(revoke, "reason", "it was <b>sold</b>", "sure", "yes")
	if got.code != http.StatusSeeOther || got.location != "/agents/"+id.Agent+"?done=revoked" || c.acts(t) != acts+1 {
		t.Fatalf("revoked: %d to %q", got.code, got.location)
	}
	if again := anna.post(revoke, "reason", "twice", "sure", "yes"); again.code != http.StatusSeeOther || c.acts(t) != acts+1 {
		t.Errorf("revoked twice: %d", again.code)
	}
	after := anna.get(got.location)
	if p := readPage(t, after.body); !strings.Contains(p.text, "Revoked byAnna Keller") || !strings.Contains(p.text, "it was <b>sold</b>") || !strings.Contains(after.body, `class="notice"`) || strings.Contains(after.body, "revoke-reason") {
		t.Error("the page does not say that it was revoked")
	}
	writeLog(t, log) // it has something to send
	shows("/agents/"+id.Agent, "Refused: after it was revoked")
	shows("/agents", "0 agents are heard, 1 revoked")
}

// writeLog adds a line to a log.
func writeLog(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("203.0.113.9 - - [10/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"\n"); err != nil {
		t.Fatal(err)
	}
}

// logLink shows the page of an agent as it is when the agent has told of its log, and follows the way to its lines.
func (c *console) logLink(t *testing.T, id, log string) {
	t.Helper()
	all, _ := c.desk.Agents()
	if len(all) != 1 || all[0].ID != id {
		t.Fatalf("agents %+v", all)
	}
	all[0].Host.Sources = []record.Feed{{Path: log, State: "ok", Lines: 1}, {Path: "/var/log/gone", State: "missing"}}
	show := func(v *visit) error { return c.web.showAgent(v, all[0], http.StatusOK, nil) }
	if strings.Contains(c.recorded(t, "reader", show), "/search?") {
		t.Error("a reader is offered a search")
	}
	p := readPage(t, c.recorded(t, "analyst", show))
	if !strings.Contains(p.text, "reading") || strings.Index(p.text, "/var/log/gone") > strings.Index(p.text, log) {
		t.Error("what is missing does not stand first")
	}
	found := false
	for _, l := range p.links {
		if strings.HasPrefix(l, "/search?") {
			got := c.as(t, "analyst").get(l)
			found = got.code == http.StatusOK && strings.Contains(got.body, "1 line") && strings.Contains(got.body, "203.0.113.9")
		}
	}
	if !found {
		t.Error("no link leads to the line")
	}
}

// TestPagesOfWhatNobodySends looks at pages of a console that hears no agents: made-up ones are shown where one is needed.
func TestPagesOfWhatNobodySends(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	t.Run("agents are off", func(t *testing.T) { testAgentsOff(t, c) })
	t.Run("a hostile host", func(t *testing.T) { testHostileHost(t, c) })
	t.Run("many sources", func(t *testing.T) { testManySources(t, c) })
}

// testAgentsOff wants to see how to turn agents on, and no form.
func testAgentsOff(t *testing.T, c *console) {
	anna := c.as(t, "anna")
	if got := anna.get("/agents"); got.code != http.StatusOK || !strings.Contains(got.body, "listen: 0.0.0.0:8443") || strings.Contains(got.body, "Make a token") {
		t.Errorf("the page: %d", got.code)
	}
	if got := anna.post("/agents", "name", "web-1", "valid", "3600"); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "How to turn that on") {
		t.Errorf("the form: %d", got.code)
	}
}

// hostileHost is what an agent tells whose host is an attacker's.
func hostileHost() record.Host {
	long := venom + strings.Repeat("W", 5000)
	h := record.Host{At: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), Version: long, System: long, Kernel: long, Arch: long, Booted: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), Head: math.MinInt64,
		Updates: record.Updates{Known: true, All: math.MinInt}, Clock: record.Clock{Known: true, Offset: math.MinInt64, Within: math.MinInt64},
		Spool: record.Spool{Bytes: math.MinInt64, Limit: math.MaxInt64, Batches: math.MaxInt64, Full: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}}
	for range 2000 {
		h.Updates.Security = append(h.Updates.Security, long)
		h.Ports = append(h.Ports, record.Port{Protocol: long, Address: long, Port: math.MinInt, Program: long})
		h.Software = append(h.Software, record.Software{Kind: long, Name: long, Version: long, Path: long})
		h.Disks = append(h.Disks, record.Disk{Path: long, Bytes: math.MaxUint64, Free: math.MaxUint64})
		h.Sources = append(h.Sources, record.Feed{Path: long, Pattern: venom, State: long, Why: long, Lines: math.MaxInt64, Lag: math.MaxInt64})
	}
	return h
}

// testHostileHost renders what an attacker's agent tells: nothing of it runs, and the page stays small.
func testHostileHost(t *testing.T, c *console) {
	h := hostileHost()
	gaps := make([]desk.Loss, 1000)
	for k := range gaps {
		gaps[k] = desk.Loss{Gap: record.Gap{File: h.System, Why: h.System, From: math.MinInt64, To: math.MinInt64}}
	}
	a := desk.Agent{Agent: fleet.Agent{ID: "x", Name: "web-1"}, Seen: time.Now(), Address: "192.0.2.1:1", Host: h, HostAt: time.Now(), Gaps: gaps, Refused: map[record.Reason]int64{record.Reason(venom): 1}}
	begun := time.Now()
	recorder := c.recorded(t, "analyst", func(v *visit) error { return c.web.showAgent(v, a, http.StatusOK, nil) })
	p := readPage(t, recorder)
	for _, w := range p.wrong {
		t.Error(w)
	}
	if len(recorder) > 500_000 {
		t.Errorf("the page has %d bytes", len(recorder))
	}
	for _, want := range []string{"292 years fast", "And 1,900 more", "And 980 older losses", "its spool is full"} {
		if !strings.Contains(strings.ToLower(p.text), strings.ToLower(want)) {
			t.Errorf("no %q on the page", want)
		}
	}
	t.Logf("%d bytes in %v", len(recorder), time.Since(begun))
}

func TestClockWords(t *testing.T) {
	for _, x := range []struct {
		clock record.Clock
		want  string
	}{
		{record.Clock{}, "not measured"},
		{record.Clock{Known: true, Offset: time.Millisecond, Within: 3 * time.Millisecond}, "right, give or take 3ms"},
		{record.Clock{Known: true, Offset: 3 * time.Second}, "3 s slow"},
		{record.Clock{Known: true, Offset: -90 * time.Minute}, "1 h fast"},
		{record.Clock{Known: true, Offset: -36500 * 24 * time.Hour}, "100 years fast"},
	} {
		if got := clockWord(x.clock); got != x.want {
			t.Errorf("%v: %q, want %q", x.clock, got, x.want)
		}
	}
	for g, want := range map[record.Gap]string{
		{File: "/var/log/a", From: 5, To: 5121}: "bytes 5 to 5,120", {File: "spool:b", From: 88}: "batches from 88 on; nobody knows how many", {File: "syslog:", From: 1, To: 3}: "datagrams 1 to 2",
	} {
		if got := bounds(g); got != want {
			t.Errorf("%+v: %q, want %q", g, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0 bytes", 1023: "1023 bytes", 1536: "1.5 KiB", 200 << 20: "200 MiB", math.MaxUint64: "16.0 EiB"} {
		if got := bytesWord(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if got := fmt.Sprint(agentSigns(&visit{now: time.Now()}, desk.Agent{Agent: fleet.Agent{Expires: time.Now().Add(-time.Hour)}})); got != fmt.Sprint([]ui.State{{Tone: "bad", Word: "its certificate has ended: let it join again"}}) {
		t.Error(got)
	}
}
