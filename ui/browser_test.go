package ui

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"tocsin/internal/counterpart"
)

func browser(t *testing.T) context.Context { t.Helper(); return counterpart.Browser(t) }

type step = counterpart.Step

func run(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	counterpart.Do(t, ctx, steps...)
}

// get does a step that answers.
func get[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	return counterpart.Ask(t, ctx, a)
}

// send sends a command of the browser's protocol.
func send[P, R any](cmd cdp.Command[P, R], params P) step { return counterpart.Send(cmd, params) }

// js runs a script and drops what it yields.
func js(script string) step { return counterpart.JS(script) }

func listen(t *testing.T, ctx context.Context) *counterpart.Complaints {
	t.Helper()
	return counterpart.Overhear(t, ctx)
}

func phone() step            { return counterpart.Narrow() }
func desk() step             { return counterpart.Wide() }
func theme(name string) step { return counterpart.Theme(name) }

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

// axe asks for all rules, and axeColours for what differs between the themes; neither describes what passed, which is most of the work.
const (
	axe        = `axe.run(document, {preload: false, resultTypes: ['violations']})` + violations
	axeColours = `axe.run(document, {preload: false, resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block']})` + violations
)

const violations = `.then(r => r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
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
			run(t, ctx, js(string(source)))
			for th, ask := range map[string]string{"light": axe, "dark": axeColours} {
				run(t, ctx, desk(), theme(th))
				for _, v := range get(t, ctx, chromedp.Evaluate[[]string](ask, chromedp.EvalAwaitPromise)) {
					t.Errorf("axe (%s): %s", th, v)
				}
			}
			for _, s := range complaints.Take() {
				t.Error(s)
			}
			run(t, ctx, phone(), chromedp.Navigate(server.URL+"/hostile/"+e.name), js(`document.querySelectorAll('main details').forEach(d => { d.open = true })`))
			if width := get(t, ctx, chromedp.Evaluate[int](wide)); width > 360 {
				t.Errorf("with hostile data the page is %d wide: %s", width, strings.Join(get(t, ctx, chromedp.Evaluate[[]string](beyond)), "\n"))
			}
			for _, s := range complaints.Take() {
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
	if got := strings.Join(complaints.Take(), "\n"); !strings.Contains(got, "style-src") || !strings.Contains(got, "script-src") {
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
		if got.Moments != 6 || got.Says != "A new alert joined" || got.Title != "(1 ringing) Now another title · Tocsin" || got.Status != "1 call rings" || got.Scripts != 2 { // the page's and that of drafts
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
	for _, s := range complaints.Take() {
		t.Error(s)
	}
}
