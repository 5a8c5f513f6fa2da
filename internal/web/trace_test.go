package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tocsin/internal/desk"
	"tocsin/internal/plan"
	"tocsin/internal/query"
)

// Given incidents of hostile lines, when somebody asks how they came about, then each statement leads to a search that finds as many lines as it
// says, and the page is whole; who may not search has neither the page nor the way to it.
func TestTracePage(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	incidents := 0
	c.desk.Read(func(s *desk.State) { incidents = len(s.Incidents.Incidents) })
	followed := 0
	for id := 1; id <= incidents; id++ {
		path := fmt.Sprintf("/incidents/%d", id)
		if !strings.Contains(anna.get(path).body, `href="`+path+`/trace"`) {
			t.Errorf("%s has no way to its trace", path)
		}
		got := anna.get(path + "/trace")
		if got.code != http.StatusOK {
			t.Fatalf("%d: %.2000s", got.code, got.body)
		}
		p := readPage(t, got.body)
		for _, w := range p.wrong {
			t.Error(w)
		}
		if !strings.Contains(p.text, "First sign") || !strings.Contains(p.text, "is seen first") {
			t.Errorf("%s: %.2000s", path, p.text)
		}
		for _, l := range statementLinks(t, got.body) {
			says, q := l[0], l[1]
			parsed, err := desk.ParseQuery(q, time.UTC)
			if err != nil {
				t.Errorf("%s: %v", q, err)
				continue
			}
			parsed.Stages = append(parsed.Stages, query.Stage{Kind: query.Count})
			res, err := c.desk.Search(t.Context(), desk.Local("test"), parsed, nil)
			if err != nil || len(res.Rows) != 1 || !strings.HasPrefix(says, res.Rows[0][0].Text+" line") {
				t.Errorf("%s: the page says %q, the search finds %+v, %v", q, says, res.Rows, err)
			}
			followed++
		}
	}
	if incidents < 3 || followed < 10 {
		t.Errorf("%d incidents, %d links were followed", incidents, followed)
	}
	reader := c.as(t, plan.Reader)
	if got := reader.get("/incidents/1"); got.code != http.StatusOK || strings.Contains(got.body, "/trace") {
		t.Errorf("a reader: %d, and the way to the trace: %v", got.code, strings.Contains(got.body, "/trace"))
	}
	if got := reader.get("/incidents/1/trace"); got.code != http.StatusForbidden {
		t.Errorf("a reader traces: %d", got.code)
	}
}

// statementLinks are the searches to which statements lead: what is said of each, and its query.
func statementLinks(t *testing.T, page string) (out [][2]string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for d := range doc.Descendants() {
		if d.Type != html.ElementNode || d.Data != "a" || attr(d.Parent, "class") != "told-lines" {
			continue
		}
		for _, a := range d.Attr {
			if u, err := url.Parse(a.Val); a.Key == "href" && err == nil {
				out = append(out, [2]string{d.FirstChild.Data, u.Query().Get("q")})
			}
		}
	}
	return out
}
