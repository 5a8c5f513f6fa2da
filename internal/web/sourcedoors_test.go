package web

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/inlet"
	"tocsin/internal/intake"
)

// TestDoorsOnThePageOfSources sends lines through a door with a token and without: the page says what came, what was refused and why.
func TestDoorsOnThePageOfSources(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, attacks(), nil, func(o *desk.Options) {
		o.Doors.Tokens = []inlet.Token{{Name: "shop", Hash: sha256.Sum256([]byte("the right token")), Host: "shop-1"}}
	}).staffed(t)
	for token, want := range map[string]int{"": http.StatusUnauthorized, "another": http.StatusUnauthorized, "the right token": http.StatusOK} {
		r := httptest.NewRequest(http.MethodPost, "/in/lines?log=access.log", strings.NewReader("203.0.113.9 - - [10/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"\n"))
		r.Header.Set("Content-Type", "text/plain")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		c.desk.LineHandler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("with the token %q: %d, want %d", token, w.Code, want)
		}
	}
	analyst := c.as(t, "analyst")
	wants := []string{"http:lines", "A door, through which others send lines", "Refused since Tocsin started", "no token1", "unknown token1", "The last: ", "http:lines/access.log on shop-1", "comes by a door"}
	var p page
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if p = readPage(t, analyst.get("/sources").body); strings.Contains(p.text, wants[len(wants)-1]) {
			break // the line was read
		}
	}
	for _, want := range wants {
		if !strings.Contains(p.text, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	for _, w := range p.wrong {
		t.Error(w)
	}
}

// testManySources has as many sources as hundreds of hosts have: each page shows some, and the overview leads to the page of each.
func testManySources(t *testing.T, c *console) {
	r := desk.Reading{}
	for k := range 3000 {
		r.Counts = append(r.Counts, intake.Count{Host: fmt.Sprintf("web-%d", k/10), File: fmt.Sprintf("/var/log/%d.log", k%10)})
	}
	list := c.web.sourceList(&visit{now: time.Now(), zone: time.UTC}, r)
	if len(list) < 3000 || list[120].Href != "/sources?page=3#source-121" || list[7].Href != "/sources#source-8" {
		t.Errorf("%d sources, the 121st at %s", len(list), list[120].Href)
	}
	if got := c.as(t, "reader").get("/sources?page=99"); got.code != http.StatusOK {
		t.Errorf("a page beyond the last: %d", got.code)
	}
}
