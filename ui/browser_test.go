package ui

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium for one test, or skips it where there is none. TOCSIN_BROWSER=must makes its
// absence a failure. The returned context is a tab.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("TOCSIN_BROWSER") == "must" {
			t.Fatal("no Chromium on this machine, and TOCSIN_BROWSER=must")
		}
		t.Skip("no Chromium on this machine")
	}
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("disable-dev-shm-usage", true),
	}
	ctx, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), opts...) // the test's own ends before its clean-up
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log("closing the browser: ", err)
		}
		closeTab()
	})
	if err := chromedp.Do(ctx); err != nil { // starts the browser; under a limit of time it would end with it
		t.Fatal(err)
	}
	return ctx
}

// A step is what a test does in the browser without asking for an answer.
type step = chromedp.Action[chromedp.Void]

func run(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	get(t, ctx, chromedp.Steps(steps...))
}

// get does a step that answers.
func get[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	ctx, done := context.WithTimeout(ctx, 60*time.Second)
	defer done()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// send sends a command of the browser's protocol.
func send[P, R any](cmd cdp.Command[P, R], params P) step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, cmd, params)
		return chromedp.Void{}, err
	}
}

// js runs a script and drops what it yields.
func js(script string) step { return chromedp.Evaluate[chromedp.Void](script) }

// serve serves the examples below their names, with the headers of the console.
func serve(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /static/", Static())
	mux.Handle("GET /live", &live{})
	mux.HandleFunc("GET /search/line/{id}", func(w http.ResponseWriter, _ *http.Request) { // what a row that opens asks for
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := LinePage.Part(w, "line-records", lineView()); err != nil {
			t.Error(err)
		}
	})
	for _, e := range examples() {
		mux.HandleFunc("GET /"+e.name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := e.render(w); err != nil {
				t.Error(err)
			}
		})
	}
	for _, e := range examples() {
		mux.HandleFunc("GET /hostile/"+e.name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := e.hostile(w); err != nil {
				t.Error(err)
			}
		})
	}
	s := httptest.NewServer(Secure(mux, false))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

// complaints gathers what the browser says against our pages: broken policy, script errors, missing files.
type complaints struct {
	mu   sync.Mutex
	said []string
}

func (c *complaints) add(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, s)
}

func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	said := c.said
	c.said = nil
	return said
}

func listen(t *testing.T, ctx context.Context) *complaints {
	t.Helper()
	c := &complaints{}
	err := chromedp.Listen(ctx, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				c.add(fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
			}
		case *runtime.EventExceptionThrown:
			c.add(fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *audits.EventIssueAdded:
			if e.Issue.Details.ContentSecurityPolicyIssueDetails != nil {
				c.add(fmt.Sprintf("policy: %s %s", e.Issue.Details.ContentSecurityPolicyIssueDetails.ViolatedDirective, e.Issue.Details.ContentSecurityPolicyIssueDetails.BlockedURL))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, ctx, send(log.Enable, cdp.Empty{}), send(runtime.Enable, cdp.Empty{}), send(audits.Enable, cdp.Empty{}))
	return c
}

// phone makes the tab 360 pixels wide, desk 1280.
func phone() step { return chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2)) }
func desk() step  { return chromedp.EmulateViewport(1280, 860) }

func theme(name string) step {
	return send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// small lists what a thumb could miss: controls less than 44 pixels high. Links in running text are exempt (WCAG 2.5.5).
const small = `[...document.querySelectorAll('button, .button, summary, select, textarea, nav a, .choice, input:not([type=hidden],[type=checkbox],[type=radio])')]
	.filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
	.map(e => e.outerHTML.slice(0, 80) + ' ' + e.getBoundingClientRect().height)`

// wide is how wide the page is, in pixels, and beyond lists what sticks out at the right side.
const wide = `document.documentElement.scrollWidth`
const beyond = `[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + .5).slice(0, 5).map(e => e.outerHTML.slice(0, 100))`

// crowded lists the parts whose content is wider than they are.
const crowded = `[...document.querySelectorAll('.top, .side, main, main section, .cards, .panel, .rail, .columns > div, .call, .alert')]
	.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML.slice(0, 80) + ' ' + e.scrollWidth + ' > ' + e.clientWidth)`

const axe = `axe.run(document, {preload: false}).then(r => r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
	.map(v => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 4).map(n => n.html.slice(0, 120) + ' | ' + n.any.concat(n.all, n.none).map(c => c.message).join('; ')).join('\n')))`

func TestBrowserPages(t *testing.T) {
	ctx := browser(t)
	server := serve(t)
	source, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	complaints := listen(t, ctx)
	for _, e := range examples() {
		t.Run(e.name, func(t *testing.T) {
			run(t, ctx, theme("light"), phone(), chromedp.Navigate(server.URL+"/"+e.name), js(`document.querySelectorAll('main details').forEach(d => { d.open = true })`))
			if width := get(t, ctx, chromedp.Evaluate[int](wide)); width > 360 {
				t.Errorf("at 360 pixels the page is %d wide: %s", width, strings.Join(get(t, ctx, chromedp.Evaluate[[]string](beyond)), "\n"))
			}
			for _, s := range get(t, ctx, chromedp.Evaluate[[]string](small)) {
				t.Error("less than 44 pixels high: ", s)
			}
			for _, width := range []int64{768, 1121, 1217, 1280} {
				run(t, ctx, chromedp.EmulateViewport(width, 860))
				for _, s := range get(t, ctx, chromedp.Evaluate[[]string](crowded)) {
					t.Errorf("at %d pixels a part is wider than its place: %s", width, s)
				}
			}
			for _, th := range []string{"light", "dark"} {
				run(t, ctx, desk(), theme(th), js(string(source)))
				for _, v := range get(t, ctx, chromedp.Evaluate[[]string](axe, chromedp.EvalAwaitPromise)) {
					t.Errorf("axe (%s): %s", th, v)
				}
			}
			for _, s := range complaints.take() {
				t.Error(s)
			}
			run(t, ctx, phone(), chromedp.Navigate(server.URL+"/hostile/"+e.name), js(`document.querySelectorAll('main details').forEach(d => { d.open = true })`))
			if width := get(t, ctx, chromedp.Evaluate[int](wide)); width > 360 {
				t.Errorf("with hostile data the page is %d wide: %s", width, strings.Join(get(t, ctx, chromedp.Evaluate[[]string](beyond)), "\n"))
			}
			for _, s := range complaints.take() {
				if !strings.Contains(s, "The specified value") { // of an input for numbers, which the browser leaves empty
					t.Error(s)
				}
			}
		})
	}
}

// TestBrowserFindsFaults shows that the test above bites: a page with every fault is found out.
func TestBrowserFindsFaults(t *testing.T) {
	ctx := browser(t)
	server := httptest.NewServer(Secure(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><html><title>x</title><body style="color:red"><script>document.title="ran"</script><input name="q"><button>x</button><div>`+strings.Repeat("x", 900)+`</div>`)
	}), false))
	t.Cleanup(server.Close)
	source, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	complaints := listen(t, ctx)
	run(t, ctx, phone(), chromedp.Navigate(server.URL+"/"), js(string(source)))
	if got := get(t, ctx, chromedp.Title()); got != "x" {
		t.Errorf("an inline script ran: title %q", got)
	}
	if got := get(t, ctx, chromedp.Evaluate[[]string](axe, chromedp.EvalAwaitPromise)); len(got) < 2 {
		t.Errorf("axe found only %q", got)
	}
	if got := get(t, ctx, chromedp.Evaluate[[]string](small)); len(got) != 2 {
		t.Errorf("small controls: %q", got)
	}
	if got := get(t, ctx, chromedp.Evaluate[int](wide)); got <= 360 {
		t.Errorf("the page is %d wide", got)
	}
	if got := strings.Join(complaints.take(), "\n"); !strings.Contains(got, "style-src") || !strings.Contains(got, "script-src") {
		t.Errorf("the browser complained only of %s", got)
	}
}

func TestBrowserWithoutScript(t *testing.T) {
	ctx := browser(t)
	server := serve(t)
	run(t, ctx, send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), phone())
	for _, e := range examples() {
		t.Run(e.name, func(t *testing.T) {
			run(t, ctx, chromedp.Navigate(server.URL+"/"+e.name))
			if heading := get(t, ctx, chromedp.Text(chromedp.CSS("main h1"))); heading == "" {
				t.Error("the page shows no heading")
			}
		})
	}
	t.Run("the menu opens without script", func(t *testing.T) {
		run(t, ctx, chromedp.Navigate(server.URL+"/alerts"), chromedp.Click(chromedp.CSS("button.menu")), chromedp.WaitVisible(chromedp.CSS("#menu nav")))
	})
}

// TestShots draws every page, for people to look at: TOCSIN_SHOTS=folder go test -run Shots ./ui
func TestShots(t *testing.T) {
	dir := os.Getenv("TOCSIN_SHOTS")
	if dir == "" {
		t.Skip("TOCSIN_SHOTS names no folder")
	}
	only := os.Getenv("TOCSIN_SHOTS_ONLY")
	ctx := browser(t)
	server := serve(t)
	for _, e := range examples() {
		if only != "" && !strings.Contains(","+only+",", ","+e.name+",") {
			continue
		}
		for _, size := range []struct {
			name string
			act  step
		}{{"desk", desk()}, {"phone", phone()}} {
			for _, th := range []string{"light", "dark"} {
				run(t, ctx, size.act, theme(th), chromedp.Navigate(server.URL+"/"+e.name))
				if err := os.WriteFile(filepath.Join(dir, e.name+"-"+size.name+"-"+th+".png"), get(t, ctx, chromedp.FullScreenshot(100)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// live serves one page that the test changes, and its pings.
type live struct {
	mu   sync.Mutex
	view IncidentView
	ping chan struct{}
}

func (l *live) change(f func(*IncidentView)) {
	l.mu.Lock()
	f(&l.view)
	l.mu.Unlock()
	l.ping <- struct{}{}
}

func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/live" {
		l.mu.Lock()
		defer l.mu.Unlock()
		if err := Incident.Show(w, http.StatusOK, l.view); err != nil {
			http.Error(w, "", http.StatusInternalServerError)
		}
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	http.NewResponseController(w).Flush()
	for {
		select {
		case <-l.ping:
			fmt.Fprint(w, "event: changed\ndata:\n\n")
			http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func TestBrowserFollowsChanges(t *testing.T) {
	ctx := browser(t)
	l := &live{view: incidentView(), ping: make(chan struct{})}
	l.view.Ringing = nil
	mux := http.NewServeMux()
	mux.Handle("GET /static/", Static())
	mux.Handle("/", l)
	server := httptest.NewServer(Secure(mux, false))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	complaints := listen(t, ctx)
	run(t, ctx, desk(), chromedp.Navigate(server.URL+"/incidents/12"),
		chromedp.SendKeys(chromedp.CSS("#note"), "I have blocked it"),
		js(`document.querySelector('#alerts details').open = true; document.querySelector('#note').setSelectionRange(2, 6)`))

	t.Run("a new line and a banner come in; text, caret, focus, details and place stay", func(t *testing.T) {
		l.change(func(v *IncidentView) {
			v.Ringing = ringing(Frame{}).Ringing
			v.Timeline = append([]Moment{{Icon: "alert", Learned: before(0), Says: "A new alert joined"}}, v.Timeline...)
			v.Severity = "high"
			v.Title = "Now another title"
			v.News = "1 call rings"
		})
		run(t, ctx, chromedp.WaitVisible(chromedp.CSS("#ringing")))
		type page struct {
			Text, Focus, Title, Says, Status string
			From, To                         int
			Open                             bool
			Moments                          int
			Scripts                          int
		}
		got := get(t, ctx, chromedp.Evaluate[page](`({Text: note.value, Focus: document.activeElement.id, From: note.selectionStart, To: note.selectionEnd,
			Open: document.querySelector('#alerts details').open, Title: document.title, Says: document.querySelector('.moment-says').innerText,
			Moments: document.querySelectorAll('.moment').length, Status: document.getElementById('status').innerText, Scripts: document.scripts.length})`))
		if got.Text != "I have blocked it" || got.Focus != "note" || got.From != 2 || got.To != 6 || !got.Open {
			t.Errorf("something of the reader's was lost: %+v", got)
		}
		if got.Moments != 6 || got.Says != "A new alert joined" || got.Title != "(1 ringing) Now another title · Tocsin" || got.Status != "1 call rings" || got.Scripts != 1 {
			t.Errorf("something new did not come in: %+v", got)
		}
	})
	t.Run("the banner goes when the call is answered; a form begun stays even if the server has it no more", func(t *testing.T) {
		l.change(func(v *IncidentView) {
			v.Ringing = nil
			v.Alerts = v.Alerts[:1]
			v.ID = "13" // so that no form of the old page is on the new one
		})
		run(t, ctx, chromedp.WaitNotPresent(chromedp.CSS("#ringing")))
		text, alerts := get(t, ctx, chromedp.Evaluate[string](`[...document.querySelectorAll('#note')].map(n => n.value).join('|')`)), get(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll('article.alert').length`))
		if text != "I have blocked it" || alerts != 1 {
			t.Errorf("text %q, %d alerts", text, alerts)
		}
	})
	t.Run("the sound waits for a gesture and can be muted", func(t *testing.T) {
		word := get(t, ctx, chromedp.Text(chromedp.CSS("[data-sound]")))
		run(t, ctx, chromedp.Click(chromedp.CSS("[data-sound]")), chromedp.Sleep(300*time.Millisecond))
		if then := get(t, ctx, chromedp.Text(chromedp.CSS("[data-sound]"))); word == then {
			t.Errorf("the button says %q before and after it was pressed", word)
		}
	})
	t.Run("a search that runs", func(t *testing.T) { testRunningSearch(t, ctx) })
	t.Run("lines that come", func(t *testing.T) { testFollowedLines(t, ctx) })
	for _, s := range complaints.take() {
		t.Error(s)
	}
}
