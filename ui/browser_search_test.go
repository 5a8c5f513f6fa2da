package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// telling serves a search that runs, and lines that come, as the test tells them.
type telling struct {
	t    *testing.T
	tell chan map[string]any
	gone chan string // paths whose browser went away
}

func (s *telling) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := searchView()
	view.Run = r.URL.Path == "/search"
	if view.Run {
		view = SearchView{Frame: view.Frame, Query: view.Query, Run: true, Wait: "/search?q=union&wait=1"}
	}
	switch r.URL.Path {
	case "/search", "/found":
		if err := Search.Show(w, http.StatusOK, view); err != nil {
			s.t.Error(err)
		}
		return
	case "/search/complete":
		fmt.Fprint(w, `{"suggestions":[]}`)
		return
	}
	for {
		http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			s.gone <- r.URL.Path
			return
		case x := <-s.tell:
			if err := json.NewEncoder(w).Encode(x); err != nil {
				s.t.Error(err)
			}
			if x["kind"] == "end" {
				return
			}
		}
	}
}

func (s *telling) part(name string, view any) string {
	var b strings.Builder
	if err := Search.Part(&b, name, view); err != nil {
		s.t.Error(err)
	}
	return b.String()
}

// soon waits until a script says true.
func soon(t *testing.T, ctx context.Context, what, script string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !get(t, ctx, chromedp.Evaluate[bool](`Boolean(`+script+`)`)); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s\n%s", what, get(t, ctx, chromedp.Evaluate[string](`document.querySelector('main').innerText`)))
		}
	}
}

// testRunningSearch looks at a search while it runs: it shows how far it is and what it has found, keeps what the reader has open, ends, and can be stopped.
func testRunningSearch(t *testing.T, ctx context.Context) {
	s := &telling{t: t, tell: make(chan map[string]any), gone: make(chan string, 9)}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", Static())
	mux.HandleFunc("GET /search/line/{id}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<p class="whole-record">all of it</p>`) })
	mux.Handle("/", s)
	server := httptest.NewServer(Secure(mux, false))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })

	run(t, ctx, desk(), chromedp.Navigate(server.URL+"/search"), chromedp.WaitVisible(chromedp.CSS("#run button")))
	if wait := get(t, ctx, chromedp.Evaluate[bool](`document.getElementById('wait') === null && document.cookie.includes('script=1')`)); !wait {
		t.Error("the link that waits stays")
	}
	partly := searchView()
	partly.Partly, partly.Bars.Range = true, ""
	partly.Lines = partly.Lines[:1]
	s.tell <- map[string]any{"kind": "progress", "done": .25, "says": "25 % of 4 volumes", "html": s.part("found", partly)}
	soon(t, ctx, "a first line", `document.querySelectorAll('#found-lines > li').length === 1 && document.querySelector('#run progress').value === .25 && document.querySelector('#run').innerText.includes('25 %')`)
	run(t, ctx, js(`document.querySelector('#found-lines details').open = true; document.querySelector('#found-lines input').checked = true`))
	soon(t, ctx, "the whole record", `document.querySelector('#found-lines .whole-record') !== null`)
	s.tell <- map[string]any{"kind": "end", "html": s.part("found", searchView())}
	soon(t, ctx, "the end", `document.querySelectorAll('#found-lines > li').length === 2 && document.getElementById('run') === null && document.querySelector('svg[data-dressed]') !== null`)
	if open := get(t, ctx, chromedp.Evaluate[bool](`document.querySelector('#found-lines details').open && document.querySelector('#found-lines input').checked && !document.querySelector('[data-follow]').hidden`)); !open {
		t.Error("what was open or chosen is so no longer, or nobody can follow")
	}

	run(t, ctx, chromedp.Navigate(server.URL+"/search"), chromedp.WaitVisible(chromedp.CSS("#run button")))
	s.tell <- map[string]any{"kind": "progress", "html": s.part("found", partly)}
	soon(t, ctx, "a line", `document.querySelectorAll('#found-lines > li').length === 1`)
	run(t, ctx, chromedp.KeyEvent("\u001b"))
	soon(t, ctx, "the stop", `document.getElementById('run') === null && document.querySelector('#found > .warn').innerText.startsWith('Stopped')`)
	if path := <-s.gone; path != "/search/run" {
		t.Errorf("%s ended", path)
	}
}

// testFollowedLines looks at lines that come: the newest first, held back while it pauses, until it is stopped.
func testFollowedLines(t *testing.T, ctx context.Context) {
	s := &telling{t: t, tell: make(chan map[string]any), gone: make(chan string, 9)}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", Static())
	mux.Handle("/", s)
	server := httptest.NewServer(Secure(mux, false))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	row := func(number string) string {
		return s.part("found-line", FoundLine{Number: number, Href: "/search/line/" + number, At: before(0), Line: injection[1]})
	}
	run(t, ctx, chromedp.Navigate(server.URL+"/found"), chromedp.WaitVisible(chromedp.CSS("[data-follow]")), chromedp.Click(chromedp.CSS("[data-follow]")))
	s.tell <- map[string]any{"kind": "rows", "behind": 7, "left": 3, "html": row("501") + row("502")}
	soon(t, ctx, "two lines", `document.querySelector('#found-lines').firstElementChild.id === 'line-502' && document.querySelector('#says').innerText.includes('2 new lines, 3 more came too fast')`)
	run(t, ctx, chromedp.Click(chromedp.CSS("[data-follow] + button")))
	s.tell <- map[string]any{"kind": "rows", "html": row("503")}
	soon(t, ctx, "a line that waits", `document.querySelector('#says').innerText.includes('Paused; 1 wait') && document.getElementById('line-503') === null`)
	run(t, ctx, chromedp.Click(chromedp.CSS("[data-follow] + button")))
	soon(t, ctx, "the line that waited", `document.querySelector('#found-lines').firstElementChild.id === 'line-503'`)
	run(t, ctx, chromedp.Click(chromedp.CSS("[data-follow]")))
	if path := <-s.gone; path != "/search/live" {
		t.Errorf("%s ended", path)
	}
	soon(t, ctx, "the end", `document.querySelector('[data-follow]').innerText === 'Follow' && document.querySelectorAll('#found-lines > li').length === 5`)
}
