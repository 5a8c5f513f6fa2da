package web

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"

	"tocsin/internal/desk"
	"tocsin/internal/disk"
)

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// A page is a fetched page, taken apart.
type page struct {
	links []string // to our own paths
	posts []string // actions of forms that post
	ids   map[string]bool
	text  string
	wrong []string
}

func readPage(t *testing.T, body string) page {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	p := page{ids: map[string]bool{}, text: words(doc)}
	say := func(format string, args ...any) { p.wrong = append(p.wrong, fmt.Sprintf(format, args...)) }
	headings, labelled := 0, map[string]bool{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if id := attr(n, "id"); id != "" && p.ids[id] {
			say("id %q twice", id)
		} else if id != "" {
			p.ids[id] = true
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				say("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
		switch n.Data {
		case "style", "iframe", "object", "base":
			say("<%s> in the page", n.Data)
		case "script":
			if !strings.HasPrefix(attr(n, "src"), "/static/") || n.FirstChild != nil {
				say("a script of nobody's: %q", words(n))
			}
		case "img":
			say("a picture from %q", attr(n, "src"))
		case "h1":
			headings++
			if words(n) == "" {
				say("an empty heading")
			}
		case "label":
			labelled[attr(n, "for")] = true
		case "a":
			p.links = append(p.links, attr(n, "href"))
		case "form":
			if attr(n, "method") == "post" {
				p.posts = append(p.posts, attr(n, "action"))
			}
		}
	}
	if headings != 1 {
		say("%d h1", headings)
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "input" || n.Data == "select" || n.Data == "textarea") && attr(n, "type") != "hidden" &&
			!labelled[attr(n, "id")] && n.Parent.Data != "label" {
			say("no label for %q", attr(n, "name"))
		}
	}
	for _, l := range p.links {
		if f, ok := strings.CutPrefix(l, "#"); ok && !p.ids[f] {
			say("a link to #%s, which is not on the page", f)
		}
	}
	for _, s := range []string{"<script>alert", "onerror=alert(2)>", "\u202e", "\x00", "\x1b", "\xff"} {
		if strings.Contains(body, s) {
			say("%q stands in the page as it was written", s)
		}
	}
	return p
}

// TestEveryPageThatIsLinked walks through the whole console from its first page: every link leads somewhere, every form posts
// to a route, and every page holds to the policy, with hostile lines in it.
func TestEveryPageThatIsLinked(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	if got := anna.post("/incidents/1/note", "note", venom+"\r\nsecond line"); got.code != http.StatusSeeOther {
		t.Fatalf("a note: %d", got.code)
	}
	if got := anna.post("/incidents/1/mute", "rule", "tocsin-source-silent", "address", "198.51.100.7", "until", "3600", "reason", venom); got.code != http.StatusSeeOther {
		t.Fatalf("a mute: %d", got.code)
	}
	mux := http.NewServeMux()
	for _, r := range routes() {
		mux.HandleFunc(r.pattern, func(http.ResponseWriter, *http.Request) {})
	}
	seen, next, hostile, searches := map[string]bool{"/": true}, []string{"/"}, 0, 0
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		got := anna.get(path)
		if got.code != http.StatusOK {
			t.Errorf("%s: %d", path, got.code)
			continue
		}
		if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			continue // a file to be kept
		}
		if path == "/plan/print" {
			if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'sha256-") || strings.Contains(got.body, "<script") {
				t.Errorf("%s: the policy %q does not name its one sheet", path, policy)
			}
			continue // for paper, without navigation
		}
		p := readPage(t, got.body)
		for _, w := range p.wrong {
			t.Errorf("%s: %s", path, w)
		}
		if strings.Contains(p.text, "<script>alert(1)</script>") {
			hostile++
		}
		for _, action := range p.posts {
			req, err := http.NewRequest(http.MethodPost, action, nil)
			if err != nil {
				t.Errorf("%s: a form posts to %q", path, action)
			} else if _, pattern := mux.Handler(req); pattern == "/" || pattern == "" {
				t.Errorf("%s: a form posts to %s, which no route takes", path, action)
			}
		}
		for _, l := range p.links {
			u, err := url.Parse(l)
			if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/") {
				continue
			}
			u.Fragment = ""
			if u.Path == "/search" && !seen[u.String()] { // each leads to hundreds of others
				if searches++; searches > 25 {
					continue
				}
			}
			if u := u.String(); !seen[u] && len(seen) < 500 {
				seen[u] = true
				next = append(next, u)
			}
		}
	}
	for _, path := range []string{"/incidents/1", "/incidents/1/close", "/alerts?page=1", "/people/anna", "/rules", "/ledger", "/calls", "/sources", "/incidents?sort=-began"} {
		if !seen[path] && path != "/alerts?page=1" {
			t.Errorf("no page leads to %s", path)
		}
	}
	if hostile < 3 {
		t.Errorf("the hostile lines are shown on %d pages only: this test tests nothing", hostile)
	}
	t.Logf("%d pages, %d with hostile lines", len(seen), hostile)
}

func TestPageOfAnIncident(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	shell := int64(0)
	c.desk.Read(func(st *desk.State) {
		for _, i := range st.Incidents.Incidents {
			for _, k := range i.Sources {
				if k.Country == "BR" {
					shell = i.ID
				}
			}
		}
	})
	p := readPage(t, anna.get(fmt.Sprintf("/incidents/%d", shell)).body)
	for _, want := range []string{"203.0.113.9", "BR", "suspect", "sample line", "Why Critical", "Timeline", "Opened as", "Answer the call", "rings since", "Assign", "Change severity", "Mute a rule"} {
		if !strings.Contains(p.text, want) {
			t.Errorf("no %q on the page", want)
		}
	}
}

func TestListsFilterAndSort(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	for path, want := range map[string][2]string{
		"/incidents?q=ssh":                  {"SSH", "SQL"},
		"/incidents?state=closed":           {"", "SSH sign-in"},
		"/incidents?severity=low":           {"", "SSH sign-in"},
		"/alerts?q=sql":                     {"SQL", "SSH sign-in"},
		"/alerts?level=critical":            {"Critical", "Many requests with SQL"},
		"/rules?q=gift&level=high":          {"", "SSH"},
		"/sources":                          {"no log line at all", "is missing"},
		"/incidents?page=999":               {"", "SSH sign-in"},
		"/incidents?page=-3&sort=nonsense":  {"SSH", "999"},
		"/incidents?sort=-last&state=other": {"SSH", ""},
	} {
		got := anna.get(path)
		rows := got.body[strings.Index(got.body, "<main"):]
		if at := strings.LastIndex(rows, "</form>"); strings.HasPrefix(path, "/alerts") && at > 0 {
			rows = rows[at:] // the filter names every rule
		}
		if i := strings.Index(rows, "<tbody"); i >= 0 && path != "/sources" {
			rows = rows[i:]
		}
		if got.code != http.StatusOK || !strings.Contains(rows, want[0]) || want[1] != "" && strings.Contains(rows, want[1]) {
			t.Errorf("%s: %d; want %q and not %q", path, got.code, want[0], want[1])
		}
	}
}

// A counting layer counts reads of the vault's packs.
type counting struct {
	disk.Layer
	reads *atomic.Int64
}

func (l counting) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := l.Layer.OpenFile(name, flag, perm)
	if err != nil || !strings.HasPrefix(name, "vault/") {
		return f, err
	}
	return countedFile{f, l.reads}, nil
}

type countedFile struct {
	disk.File
	reads *atomic.Int64
}

func (f countedFile) ReadAt(b []byte, at int64) (int, error) {
	f.reads.Add(1)
	return f.File.ReadAt(b, at)
}

// TestAStormDoesNotSlowPages opens one incident of many alerts: no page reads all of their details.
func TestAStormDoesNotSlowPages(t *testing.T) {
	const addresses = 250
	var web strings.Builder
	for n := range addresses {
		fmt.Fprintf(&web, "203.0.113.%d - - [10/Nov/2026:10:%02d:%02d +0000] \"GET /wp-content/uploads/x.php?cmd=id HTTP/1.1\" 200 512 %s\n", n, n/60, n%60, chrome)
	}
	var reads atomic.Int64
	c := newConsole(t, fstest.MapFS{"access.log": {Data: []byte(web.String())}}, func(l disk.Layer) disk.Layer { return counting{l, &reads} })
	c.until(t, "an incident of many alerts", func(st *desk.State) bool {
		return len(st.Incidents.Incidents) > 0 && len(st.Incidents.Incidents[0].Alerts) >= addresses && len(st.Calls.Ringing()) > 0
	})
	anna := c.as(t, "anna")
	anna.get("/people") // opens the contacts
	most := int64(0)
	for _, path := range []string{"/", "/incidents", "/incidents/1", "/alerts", "/alerts?q=shell", "/sources", "/rules", "/calls", "/people", "/ledger"} {
		before := reads.Load()
		if got := anna.get(path); got.code != http.StatusOK {
			t.Errorf("%s: %d", path, got.code)
		}
		n := reads.Load() - before
		most = max(most, n)
		if n > 2*alertsOpened+20 {
			t.Errorf("%s reads the vault %d times", path, n)
		}
	}
	if most < alertsShown {
		t.Errorf("the busiest page reads the vault %d times: this test counts nothing", most)
	}
	p := readPage(t, anna.get("/incidents/1").body)
	if !strings.Contains(p.text, "the newest 100 with their addresses") {
		t.Error("the page does not say that it leaves alerts out")
	}
}
