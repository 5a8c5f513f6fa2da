//go:build soak

package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A server is `tocsin serve` as a process of its own.
type server struct {
	t       *testing.T
	program string
	dir     string
	console string // its address
	setup   string // the link that it prints
}

var greeting = regexp.MustCompile(`(?s)console\s+(http://localhost:\d+)\n.*(http://localhost:\d+/setup/\S+)`)

// startServer starts it with the shop's rules; agents are heard at an address.
func startServer(t *testing.T, program, dir, agents string) *server {
	t.Helper()
	s := &server{t: t, program: program, dir: dir}
	settings := filepath.Join(dir, "tocsin.yaml")
	if err := os.WriteFile(settings, fmt.Appendf(nil, "listen: localhost:0\nagents: {listen: %s}\n", agents), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "serve", "--config", settings, "--data", s.data())
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	greeted, read := make(chan []string, 1), make(chan struct{})
	go func() {
		defer close(read)
		var all strings.Builder
		for lines := bufio.NewScanner(out); lines.Scan(); {
			all.WriteString(lines.Text() + "\n")
			if m := greeting.FindStringSubmatch(all.String()); m != nil {
				select {
				case greeted <- m:
				default:
				}
			}
		}
	}()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		<-read
		if err := c.Wait(); err != nil || t.Failed() {
			t.Logf("the server ended with %v and said:\n%s", err, said.String()[max(0, said.Len()-6000):])
		}
	})
	select {
	case m := <-greeted:
		s.console, s.setup = m[1], m[2]
	case <-read:
		t.Fatalf("the server ended: %s", said.String())
	case <-time.After(time.Minute):
		t.Fatal("the server does not greet")
	}
	return s
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

// tocsin runs a command beside the server and returns its standard output.
func (s *server) tocsin(args ...string) string {
	s.t.Helper()
	var said strings.Builder
	c := exec.Command(s.program, append(args, "--data", s.data())...)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		s.t.Fatalf("tocsin %q: %v\n%s", args, err, said.String())
	}
	return strings.TrimSpace(string(out))
}

// matched is how many kept lines a query finds.
func (s *server) matched(query string) int {
	s.t.Helper()
	for line := range strings.Lines(s.tocsin("search", query, "--json", "--limit", "1")) {
		var x struct {
			Kind    string
			Matched int
		}
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			s.t.Fatal(err)
		}
		if x.Kind == "summary" {
			return x.Matched
		}
	}
	s.t.Fatalf("the search %s has no summary", query)
	return 0
}

// A tab is a page of a headless Chromium that somebody is signed in to.
type tab struct {
	t   *testing.T
	ctx context.Context
	s   *server
}

const password = "four unrelated words please"

// openTab begins as the first person, and signs in.
func openTab(t *testing.T, s *server) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log("closing the browser: ", err)
		}
		closeTab()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b := &tab{t, ctx, s}
	fill := func(selector, text string) { step(b, chromedp.SendKeys(chromedp.CSS(selector), text)) }
	click := func(selector string) { step(b, chromedp.Click(chromedp.CSS(selector))) }
	step(b, chromedp.EmulateViewport(1280, 900))
	step(b, chromedp.Navigate(s.setup))
	for _, x := range [][2]string{{"#name", "Anna Keller"}, {"#id", "anna"}, {"#password", password}, {"#again", password}} {
		fill(x[0], x[1])
	}
	click("main form button:not([type=button])")
	step(b, chromedp.WaitVisible(chromedp.CSS("#team")))
	return b
}

// step does one thing in the browser.
func step[T any](b *tab, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, done := context.WithTimeout(b.ctx, 60*time.Second)
	defer done()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// open goes to a page of the console.
func (b *tab) open(path string) {
	b.t.Helper()
	step(b, chromedp.Navigate(b.s.console+path))
}

// says is the text of the page.
func (b *tab) says() string {
	b.t.Helper()
	return step(b, chromedp.Text(chromedp.CSS("main")))
}

// await waits until the page that is open says all of some texts, without opening it anew.
func (b *tab) await(within time.Duration, texts ...string) {
	b.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(200 * time.Millisecond) {
		page, missing := b.says(), ""
		for _, want := range texts {
			if !strings.Contains(page, want) {
				missing = want
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("no %q on %s after %v:\n%.3000s", missing, step(b, chromedp.Location()), within, page)
		}
	}
}

// shoot keeps a picture where TOCSIN_SHOTS names a folder.
func (b *tab) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("TOCSIN_SHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, "agents-"+name+".png"), step(b, chromedp.CaptureScreenshot()), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// first is the first link on the page that leads below a path.
func first(b *tab, below string) string {
	b.t.Helper()
	return step(b, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector('main a[href^="%s"]').getAttribute('href')`, below)))
}
