package counterpart

import (
	"context"
	"fmt"
	"os/exec"
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

// Browser starts a headless Chromium for one test; the returned context is a tab. It fails the test where there is no Chromium, and passes it over
// with -short, because a browser takes seconds.
func Browser(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Fatal("this test looks at pages in a real browser, and there is no Chromium or Chrome on this machine: apt-get install chromium (or run the tests with -short)")
	}
	ctx, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), append([]chromedp.ExecAllocatorOption{ // the test's own ends before its clean-up
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("disable-dev-shm-usage", true)}, more...)...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)                      // ends the process: nothing of it is kept
	if err := chromedp.Do(ctx); err != nil { // starts the browser; under a limit of time it would end with it
		t.Fatal(err)
	}
	return ctx
}

// A Step is what a test does in a browser without asking for an answer.
type Step = chromedp.Action[chromedp.Void]

// Do does steps in a tab.
func Do(t *testing.T, ctx context.Context, steps ...Step) {
	t.Helper()
	Ask(t, ctx, chromedp.Steps(steps...))
}

// Ask does a step that answers, within a minute.
func Ask[T any](t *testing.T, tab context.Context, a chromedp.Action[T]) T {
	t.Helper()
	ctx, done := context.WithTimeout(tab, 60*time.Second)
	defer done()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatalf("%v; the page is %s", err, page(tab))
	}
	return v
}

// page says where a tab is and what it shows, for the words of a failure.
func page(tab context.Context) string {
	ctx, done := context.WithTimeout(tab, 5*time.Second)
	defer done()
	says, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + "\n" + document.body.innerText.slice(0, 2000)`))
	if err != nil {
		return "not to be read: " + err.Error()
	}
	return says
}

// Send sends a command of the browser's protocol.
func Send[P, R any](cmd cdp.Command[P, R], params P) Step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, cmd, params)
		return chromedp.Void{}, err
	}
}

// JS runs a script and drops what it yields.
func JS(script string) Step { return chromedp.Evaluate[chromedp.Void](script) }

// Click presses the first of what a selector finds.
func Click(selector string) Step { return chromedp.Click(chromedp.CSS(selector)) }

// Wide makes the tab 1280 pixels wide, Narrow 360, as a small phone is.
func Wide() Step   { return chromedp.EmulateViewport(1280, 860) }
func Narrow() Step { return chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2)) }

// Phone makes the tab a small phone: 360 pixels and a touch screen.
func Phone() Step {
	return chromedp.Steps(Narrow(), Send(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true}))
}

// Theme shows pages "light" or "dark", without movement.
func Theme(name string) Step {
	return Send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// Complaints are what a browser says against our pages: broken policy, script errors, missing files.
type Complaints struct {
	mu   sync.Mutex
	said []string
}

func (c *Complaints) add(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, s)
}

// Take returns what was said since the last time.
func (c *Complaints) Take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	said := c.said
	c.said = nil
	return said
}

// Report fails the test with what was said since the last time.
func (c *Complaints) Report(t *testing.T, where string) {
	t.Helper()
	for _, s := range c.Take() {
		t.Errorf("%s: %s", where, s)
	}
}

// Overhear begins to gather a tab's complaints.
func Overhear(t *testing.T, ctx context.Context) *Complaints {
	t.Helper()
	c := &Complaints{}
	err := chromedp.Listen(ctx, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				c.add(fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
			}
		case *runtime.EventExceptionThrown:
			c.add(fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *audits.EventIssueAdded:
			if p := e.Issue.Details.ContentSecurityPolicyIssueDetails; p != nil {
				c.add(fmt.Sprintf("policy: %s %s", p.ViolatedDirective, p.BlockedURL))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	Do(t, ctx, Send(log.Enable, cdp.Empty{}), Send(runtime.Enable, cdp.Empty{}), Send(audits.Enable, cdp.Empty{}))
	return c
}
