package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/envelope"
	"tocsin/internal/intake"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

// shopRules loads the shop pack once: it does not change.
var shopRules = sync.OnceValues(func() (desk.RuleSet, error) { return desk.LoadRules(os.DirFS("../../rules")) })

const chrome = `"-" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"`

// venom is what an attacker writes into a log so that it does something where it is read.
const venom = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202egpj.\x00\x1b[31m\xff{{.}}"

// attacks are lines that open incidents: a web shell is used, SQL is injected, SSH is guessed and got in. Some are hostile to read.
func attacks() fstest.MapFS {
	var web, ssh, odd strings.Builder
	stamp := func(sec int) string { return fmt.Sprintf("10/Nov/2026:10:%02d:%02d +0000", sec/60, sec%60) }
	for n := range 12 {
		fmt.Fprintf(&web, "198.51.100.7 - - [%s] \"GET /view.php?id=7%%20AND%%20%d=1 HTTP/1.1\" 200 512 %s\n", stamp(n*2), n, chrome)
	}
	for n := range 5 {
		fmt.Fprintf(&web, "203.0.113.9 - - [%s] \"GET /wp-content/uploads/x.php?cmd=id&x=%s%d HTTP/1.1\" 200 512 \"%s\" \"%s\"\n", stamp(60+n), venom, n, venom, venom)
	}
	for n := range 20 {
		fmt.Fprintf(&ssh, "2026-11-10T10:03:%02d.000000+00:00 shop sshd[77]: Failed password for root from 192.0.2.33 port %d ssh2\n", n, 40000+n)
	}
	fmt.Fprint(&ssh, "2026-11-10T10:03:40.000000+00:00 shop sshd[77]: Accepted password for root from 192.0.2.33 port 41000 ssh2\n")
	for n := range 3 {
		fmt.Fprintf(&odd, "192.0.2.%d - - [%s] \"GET / HTTP/1.1\" 200 512 %s\nno log line at all %s\n", n+1, stamp(200+n), chrome, venom)
	}
	return fstest.MapFS{"access.log": {Data: []byte(web.String())}, "auth.log": {Data: []byte(ssh.String())}, "odd-access.log": {Data: []byte(odd.String())}}
}

// A console is a running desk with its pages.
type console struct {
	*httptest.Server
	desk  *desk.Desk
	web   *Server
	disk  *disk.Lossy
	mails chan notify.Message
	log   *heardLog
}

// A heardLog is all that the program logged.
type heardLog struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *heardLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *heardLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// newConsole runs a desk on the lines of some files and serves it. The team is anna, a commander who is set up, and one person of
// each other role.
func newConsole(t *testing.T, files fstest.MapFS, wrap func(disk.Layer) disk.Layer) *console {
	t.Helper()
	return newEmptyConsole(t, files, wrap).staffed(t)
}

// staffed sets up the team, and starts the desk.
func (c *console) staffed(t *testing.T) *console {
	t.Helper()
	if err := c.desk.Setup(t.Context(), "anna", "correct horse battery", desk.Contact{Name: "Anna Keller", Mail: "anna@shop.example", Zone: "Europe/Berlin"}); err != nil {
		t.Fatal(err)
	}
	for _, role := range plan.Roles()[1:] {
		if err := c.desk.PutPerson(desk.Local("config"), role, []string{role}, desk.Contact{Name: "The " + role, Mail: role + "@shop.example"}, false); err != nil {
			t.Fatal(err)
		}
	}
	c.run(t)
	return c
}

// newEmptyConsole serves a desk that nobody has set up and that does not yet work.
func newEmptyConsole(t *testing.T, files fstest.MapFS, wrap func(disk.Layer) disk.Layer) *console {
	t.Helper()
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	return newConsoleOf(t, set, files, wrap)
}

// newConsoleOf is newEmptyConsole with other rules, and other options.
func newConsoleOf(t *testing.T, set desk.RuleSet, files fstest.MapFS, wrap func(disk.Layer) disk.Layer, more ...func(*desk.Options)) *console {
	t.Helper()
	geo, err := intake.ReadGeo(strings.NewReader("198.51.100.0/24\tNL\n203.0.113.0/24\tBR\n192.0.2.0/24\tUS\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := &console{Server: httptest.NewUnstartedServer(nil), disk: disk.NewLossy(), mails: make(chan notify.Message, 100), log: &heardLog{}}
	var data disk.Layer = c.disk
	if wrap != nil {
		data = wrap(data)
	}
	log := slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c.Config.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug) // as package cli has it
	o := desk.Options{Version: "test", Ballast: 1 << 16, Data: data, Keys: disk.NewLossy(), Rules: set.Rules, Geo: geo, Sample: files, Pace: time.Millisecond,
		URL: "http://" + c.Listener.Addr().String(),
		Lookup: envelope.Directory{Resolve: func(_ context.Context, host string) ([]netip.Addr, error) { // no name of this test is asked for outside
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}},
		Senders: map[string]desk.Sender{plan.Mail: func(_ context.Context, m notify.Message) error {
			select {
			case c.mails <- m:
			default: // nobody reads them in this test
			}
			return nil
		}}}
	for _, change := range more {
		change(&o)
	}
	if c.desk, err = desk.Open(log, o); err != nil {
		t.Fatal(err)
	}
	door := api.NewDoor(log, c.desk)
	c.web = New(log, c.desk, Options{Set: set, Document: door.Document, Programs: func(k Knock) http.Handler { return door.Handler(api.Guard(k)) }})
	c.Config.Handler = c.web.Handler()
	c.Start()
	return c
}

// run lets the desk work until the test ends.
func (c *console) run(t *testing.T) {
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- c.desk.Run(ctx) }()
	t.Cleanup(func() {
		c.web.Stop()
		c.CloseClientConnections()
		c.Close()
		stop()
		if err := <-ended; err != nil {
			t.Log("the desk ended with: ", err)
		}
		_ = c.desk.Close() // of a disk that a test has broken
	})
}

// until waits for something to become true of the desk.
func (c *console) until(t *testing.T, what string, is func(*desk.State) bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		ok := false
		changed := c.desk.Changed()
		c.desk.Read(func(st *desk.State) { ok = is(st) })
		if ok {
			return
		}
		if time.Now().After(end) {
			t.Fatal("not within 30 s: ", what)
		}
		select {
		case <-changed:
		case <-time.After(time.Second):
		}
	}
}

// settled waits until the attacks are incidents that ring, and all lines are read.
func (c *console) settled(t *testing.T) {
	t.Helper()
	c.until(t, "three incidents and a call", func(st *desk.State) bool {
		return len(st.Incidents.Incidents) >= 3 && len(st.Calls.Ringing()) > 0 && len(st.Calls.Calls[0].Tries) > 0
	})
	for c.desk.Reading().Lag() > 0 || c.desk.Reading().Last < 41 {
		time.Sleep(20 * time.Millisecond)
	}
}

// A visitor is a browser: it keeps its cookie and follows no redirect by itself.
type visitor struct {
	*console
	t      *testing.T
	cookie *http.Cookie            // of the session
	others map[string]*http.Cookie // by name
}

// as returns a browser in which somebody is signed in; "" is nobody.
func (c *console) as(t *testing.T, person string) *visitor {
	t.Helper()
	v := &visitor{console: c, t: t}
	if person != "" {
		now := time.Now() // an hour ago by a second factor: they may administer, and are asked again before what is dangerous
		cookie, err := signin.NewSessions(c.desk.Sessions(), false).Begin(now, signin.Session{Person: person, Second: now.Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		v.cookie = cookie
	}
	return v
}

// An answer is what came back.
type answer struct {
	code     int
	location string
	body     string
	header   http.Header
}

func (v *visitor) do(method, path string, form url.Values, header map[string]string) answer {
	v.t.Helper()
	if form == nil {
		return v.send(method, path, "", nil, header)
	}
	return v.send(method, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()), header)
}

// sendBody posts a body of a type.
func (v *visitor) sendBody(path, kind string, body io.Reader) answer {
	v.t.Helper()
	return v.send(http.MethodPost, path, kind, body, nil)
}

func (v *visitor) send(method, path, kind string, body io.Reader, header map[string]string) answer {
	v.t.Helper()
	ctx, done := context.WithTimeout(v.t.Context(), 60*time.Second)
	defer done()
	req, err := http.NewRequestWithContext(ctx, method, v.URL+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if v.cookie != nil {
		req.AddCookie(v.cookie)
	}
	for _, k := range v.others {
		req.AddCookie(k)
	}
	for k, x := range header {
		req.Header.Set(k, x)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	a := answer{code: resp.StatusCode, location: resp.Header.Get("Location"), header: resp.Header}
	for _, k := range resp.Cookies() {
		if k.Name != "tocsin" {
			if v.others == nil {
				v.others = map[string]*http.Cookie{}
			}
			v.others[k.Name] = k
			continue
		}
		v.cookie = k
		if k.MaxAge < 0 {
			v.cookie = nil
		}
	}
	if (path == "/live" || path == "/search/live") && resp.StatusCode == http.StatusOK {
		return a // it has no end
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	a.body = string(b)
	return a
}

// recorded is the page that a handler shows to somebody.
func (c *console) recorded(t *testing.T, person string, handle func(*visit) error) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(c.as(t, person).cookie)
	w := httptest.NewRecorder()
	if err := handle(c.web.visit(w, r)); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}

func (v *visitor) get(path string) answer {
	v.t.Helper()
	return v.do(http.MethodGet, path, nil, nil)
}

// post sends a form, given as pairs of field and value.
func (v *visitor) post(path string, pairs ...string) answer {
	v.t.Helper()
	form := url.Values{}
	for k := 0; k+1 < len(pairs); k += 2 {
		form.Add(pairs[k], pairs[k+1])
	}
	return v.do(http.MethodPost, path, form, nil)
}

// acts is how many things have been written down that people did; the desk writes by itself meanwhile.
func (c *console) acts(t *testing.T) (n int) {
	t.Helper()
	entries, err := c.desk.LastEntries(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Actor, "person:") {
			n++
		}
	}
	return n
}

var linkIn = regexp.MustCompile(`http://[^/\s]+(/(?:answer|setup)/[^\s"<]+)`)

// link finds the path of a one-time link in a text.
func link(t *testing.T, text string) string {
	t.Helper()
	m := linkIn.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no link in %q", text)
	}
	return m[1]
}

// documented reads the OpenAPI document.
func documented(t testing.TB, document func() ([]byte, error), into any) {
	t.Helper()
	b, err := document()
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
