package web

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"tocsin/internal/counterpart"
)

func browser(t *testing.T) context.Context { t.Helper(); return counterpart.Browser(t) }

type step = counterpart.Step

// in does steps in a tab.
func in(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	counterpart.Do(t, ctx, steps...)
}

// ask does a step that answers.
func ask[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	return counterpart.Ask(t, ctx, a)
}

// send sends a command of the browser's protocol.
func send[P, R any](cmd cdp.Command[P, R], params P) step { return counterpart.Send(cmd, params) }

func js(script string) step { return counterpart.JS(script) }

func fill(selector, text string) step { return chromedp.SendKeys(chromedp.CSS(selector), text) }

func click(selector string) step { return counterpart.Click(selector) }

func shown(selector string) step { return chromedp.WaitVisible(chromedp.CSS(selector)) }

func wide() step             { return counterpart.Wide() }
func narrow() step           { return counterpart.Narrow() }
func theme(name string) step { return counterpart.Theme(name) }

func overhear(t *testing.T, ctx context.Context) *counterpart.Complaints {
	t.Helper()
	return counterpart.Overhear(t, ctx)
}

var greeting = regexp.MustCompile(`(?s)console\s+(http://localhost:\d+)\n.*(http://localhost:\d+/setup/\S+)`)

// program builds Tocsin and starts it with the bundled sample, as make run does. It returns the console's address and the setup
// link that it prints.
func program(t *testing.T) (console, setup string) {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "tocsin")
	if out, err := exec.Command("go", "build", "-o", bin, "../..").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	cmd := exec.Command(bin, "serve", "--sample", "--listen", "localhost:0", "--data", filepath.Join(dir, "data"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	greeted := make(chan []string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		var all strings.Builder
		for lines := bufio.NewScanner(out); lines.Scan(); {
			all.WriteString(lines.Text() + "\n")
			if m := greeting.FindStringSubmatch(all.String()); m != nil && len(greeted) == 0 {
				select {
				case greeted <- m:
				default:
				}
			}
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Log(err)
		}
		<-read
		err := cmd.Wait()
		if t.Failed() || err != nil {
			t.Logf("the program ended with %v and said:\n%s", err, said.String())
		}
	})
	select {
	case m := <-greeted:
		return m[1], m[2]
	case <-time.After(60 * time.Second):
		t.Fatal("the program does not greet")
	}
	return "", ""
}

const password = "four unrelated words please"

// shoot keeps a picture where TOCSIN_SHOTS names a folder.
func shoot(t *testing.T, ctx context.Context, name string, a chromedp.Action[[]byte]) {
	t.Helper()
	if dir := os.Getenv("TOCSIN_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), ask(t, ctx, a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBrowserMainJob is the first run of somebody new: set up, sign in, see what rings, answer it. The later parts look at the pages that
// this run has filled. TOCSIN_SHOTS=doc draws doc/overview.png for the README, TOCSIN_SHOTS of another folder everything.
func TestBrowserMainJob(t *testing.T) {
	t.Parallel() // much of it is waiting: these three beside each other
	ctx := browser(t)
	begun := time.Now()
	console, setup := program(t)
	heard := overhear(t, ctx)
	path := func() string {
		return strings.TrimPrefix(ask(t, ctx, chromedp.Location()), console)
	}
	in(t, ctx, wide(), theme("light"), chromedp.Navigate(setup), fill("#name", "Anna Keller"), fill("#id", "anna"), fill("#password", password), fill("#again", password),
		click("main form button:not([type=button])"), shown("#team"))
	if got := path(); got != "/people?done=setup" {
		t.Errorf("after the setup the page is %s", got)
	}
	in(t, ctx, click(".who button"), shown("#password"), fill("#id", "anna"), fill("#password", password), click("form[action='/sign-in'] button:not([type=button])"), shown("#open"))
	in(t, ctx, shown("#ringing .answer"))
	open := 0
	for open < 10 {
		if time.Since(begun) > 120*time.Second {
			t.Fatalf("%d incidents are open after 120 s", open)
		}
		time.Sleep(500 * time.Millisecond)
		open = ask(t, ctx, chromedp.Evaluate[int](`parseInt(document.querySelector('.count-incidents')?.firstChild.data ?? '0')`))
	}
	t.Logf("%d incidents open and one rings after %.1f s, with building", open, time.Since(begun).Seconds())
	if os.Getenv("TOCSIN_SHOTS") != "" {
		time.Sleep(25 * time.Second)                                           // the sample ends, and the browser follows
		in(t, ctx, chromedp.EmulateViewport(1280, 1700), js(`scrollTo(0, 0)`)) // down to the chart
		shoot(t, ctx, "overview", chromedp.CaptureScreenshot())
		if filepath.Base(os.Getenv("TOCSIN_SHOTS")) == "doc" {
			t.Skip("the picture is drawn")
		}
		in(t, ctx, wide())
	}
	worst := ask(t, ctx, chromedp.Text(chromedp.CSS("#open tbody tr .what")))
	if rings := ask(t, ctx, chromedp.Text(chromedp.CSS("#ringing .ring-title a"))); rings != worst {
		t.Logf("%q rings, and %q stands first", rings, worst)
	}
	in(t, ctx, click("#ringing .answer"), shown("#timeline"), chromedp.WaitNotPresent(chromedp.CSS("#ringing")))
	if got := path(); !strings.HasSuffix(got, "?done=answered") {
		t.Errorf("after the answer the page is %s", got)
	}
	if says := ask(t, ctx, chromedp.Text(chromedp.CSS("#calls"))); !strings.Contains(says, "answered by Anna Keller") {
		t.Errorf("the call says %q", says)
	}
	heard.Report(t, "the main job")
	incident := strings.TrimSuffix(path(), "?done=answered")
	alert, rule := first(t, ctx, console+"/alerts", "/alerts/"), first(t, ctx, console+"/rules?sort=-day", "/rules/")
	pages := map[string]string{"overview": "/", "incidents": "/incidents", "incident": incident, "close": incident + "/close", "alerts": "/alerts", "alert": alert, "sources": "/sources", "agents": "/agents",
		"rules": "/rules", "rule": rule, "calls": "/calls", "people": "/people", "person": "/people/anna", "notices": "/notices", "search": "/search", "search-lines": "/search?q=status%3D200", "search-table": "/search?q=%7C+top+ip", "search-wrong": "/search?q=ip%3D", "line": "/search/line/100?q=status%3D200", "ledger": "/ledger", "me": "/me", "sheets": "/break-glass", "step-up": "/step-up", "missing": "/no/such/page", "answer": "/answer/none"}
	t.Run("what comes in leaves what is typed", func(t *testing.T) { testTypedStays(t, ctx, console+incident) })
	heard.Report(t, "live update")
	t.Run("search by keyboard", func(t *testing.T) { testSearchByKeyboard(t, ctx, console) })
	t.Run("a dragged range", func(t *testing.T) { testDraggedRange(t, ctx, console) })
	heard.Report(t, "searching")
	t.Run("pages", func(t *testing.T) { testLivePages(t, ctx, console, pages, heard) })
	t.Run("without script", func(t *testing.T) { testWithoutScript(t, ctx, console, incident, pages) })
}

// first returns the first link below a path on a page.
func first(t *testing.T, ctx context.Context, page, below string) string {
	t.Helper()
	in(t, ctx, chromedp.Navigate(page))
	return ask(t, ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector('main a[href^="%s"]').getAttribute('href')`, below)))
}

// testTypedStays types a note while somebody else works on the incident.
func testTypedStays(t *testing.T, ctx context.Context, incident string) {
	in(t, ctx, chromedp.Navigate(incident), fill("#note", "I look at the till"), js(`document.querySelector('#note').setSelectionRange(2, 6)`))
	before := ask(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll('.moment').length`))
	in(t, ctx, js(fmt.Sprintf(`fetch('%s/phase', {method: 'POST', redirect: 'manual', body: new URLSearchParams({phase: 'containment'})})`, incident)))
	for end := time.Now().Add(30 * time.Second); ask(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll('.moment').length`)) <= before; {
		if time.Now().After(end) {
			t.Fatal("the change does not come in")
		}
		time.Sleep(200 * time.Millisecond)
	}
	type state struct {
		Text, Focus, Says string
		From, To          int
	}
	got := ask(t, ctx, chromedp.Evaluate[state](`({Text: note.value, Focus: document.activeElement.id, From: note.selectionStart, To: note.selectionEnd,
		Says: document.querySelector('#timeline .moment-says').innerText})`))
	if got.Text != "I look at the till" || got.Focus != "note" || got.From != 2 || got.To != 6 {
		t.Errorf("something of the reader's was lost: %+v", got)
	}
	if !strings.Contains(got.Says, "identification to containment") {
		t.Errorf("the newest line is %q", got.Says)
	}
	in(t, ctx, click("#note-form button"), shown(".notice"))
	if says := ask(t, ctx, chromedp.Text(chromedp.CSS("#timeline .timeline"))); !strings.Contains(says, "I look at the till") {
		t.Error("the note is not in the timeline")
	}
}

const serious = `axe.run(document, {preload: false}).then(r => r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
	.map(v => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join('\n')))`

const beyond = `[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + .5).slice(0, 5).map(e => e.outerHTML.slice(0, 120))`

// testLivePages holds every page, with what the sample made, to the policy, to accessibility and to a phone's width.
func testLivePages(t *testing.T, ctx context.Context, console string, pages map[string]string, heard *counterpart.Complaints) {
	axe, err := os.ReadFile("../../ui/testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range pages {
		in(t, ctx, wide(), theme("light"), chromedp.Navigate(console+path), js(string(axe)))
		becomes(t, ctx, "the end of a search", `document.querySelector('#found[data-run]') === null`)
		for _, th := range []string{"light", "dark"} {
			in(t, ctx, theme(th))
			rules := serious
			if th == "dark" { // what the colours of the page can change
				rules = strings.Replace(serious, "{preload: false}", "{preload: false, runOnly: ['color-contrast', 'link-in-text-block']}", 1)
			}
			for _, v := range ask(t, ctx, chromedp.Evaluate[[]string](rules, chromedp.EvalAwaitPromise)) {
				t.Errorf("%s (%s): %s", name, th, v)
			}
		}
		if name == "rule" || name == "rules" || name == "alert" || name == "notices" || name == "line" || strings.HasPrefix(name, "search-") {
			shoot(t, ctx, name+"-dark", chromedp.FullScreenshot(100))
		}
		in(t, ctx, theme("light"))
		shoot(t, ctx, name+"-desk", chromedp.FullScreenshot(100))
		in(t, ctx, narrow(), js(`scrollTo(0, 0)`))
		shoot(t, ctx, name+"-phone", chromedp.FullScreenshot(100))
		in(t, ctx, js(`document.querySelectorAll('main details').forEach(d => { d.open = true })`))
		if w := ask(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); w > 360 {
			t.Errorf("%s is %d wide: %s", name, w, strings.Join(ask(t, ctx, chromedp.Evaluate[[]string](beyond)), "\n"))
		}
		if code := map[bool]string{true: "404", false: ""}[name == "missing" || name == "answer" || name == "search-wrong"]; code == "" {
			heard.Report(t, name)
		} else {
			heard.Take() // the browser says that the page was not found, or that the query is wrong, as it should
		}
	}
}

// testWithoutScript does the same work in a browser that runs no script.
func testWithoutScript(t *testing.T, ctx context.Context, console, incident string, pages map[string]string) {
	in(t, ctx, narrow(), send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	for name, path := range pages {
		in(t, ctx, chromedp.Navigate(console+path))
		if h := ask(t, ctx, chromedp.Text(chromedp.CSS("main h1"))); h == "" {
			t.Errorf("%s shows no heading", name)
		}
	}
	in(t, ctx, chromedp.Navigate(console+incident), fill("#note", "written without script"), click("#note-form button"), shown(".notice"))
	if says := ask(t, ctx, chromedp.Text(chromedp.CSS("#timeline .timeline"))); !strings.Contains(says, "written without script") {
		t.Error("the note is not in the timeline")
	}
	in(t, ctx, chromedp.Navigate(console+"/search/line/101"), click("form[action='/search/attach'] button"), shown("#lines .line"))
	in(t, ctx, chromedp.Navigate(console+"/ledger"), click("#check button"), shown(".notice"))
	if says := ask(t, ctx, chromedp.Text(chromedp.CSS("#check"))); !strings.Contains(says, "intact") {
		t.Errorf("the ledger says %q", says)
	}
	in(t, ctx, chromedp.Navigate(console+"/people/anna"), fill("#mail", "anna@shop.example"), click("main form.sheet button"), shown(".notice"))
	in(t, ctx, chromedp.Navigate(console+"/notices"), click("form.sheet button.primary"), shown(".notice"))
	if says := ask(t, ctx, chromedp.Text(chromedp.CSS("#notice-1"))); !strings.Contains(says, "each sign-in by SSH, by FTP or to the administration, by mail") {
		t.Errorf("the notice says %q", says)
	}
	in(t, ctx, click("#notice-1 form[action$='/test'] button"), shown(".notice"))
	time.Sleep(time.Second) // no sender is set up, so it fails
	in(t, ctx, chromedp.Navigate(console+"/notices"), shown("#notice-1 .state-bad"))
	shoot(t, ctx, "notices-told-phone", chromedp.FullScreenshot(100))
	in(t, ctx, click("#notice-1 form[action$='/remove'] button"), shown("#mine .empty"))
	in(t, ctx, click("button.menu"), shown("#menu nav"), click(".who button"), shown("#password"))
}
