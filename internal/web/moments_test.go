package web

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
)

// Given an incident with more lines than a page shows, when a person goes on to the earlier ones, then each line is seen once.
func TestEarlierMoments(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	anna := c.as(t, "anna")
	p, _ := c.desk.Person("anna")
	const notes = momentsShown + 30
	id, err := c.desk.Report(desk.Actor(p), "it burns")
	if err != nil {
		t.Fatal(err)
	}
	for n := range notes {
		if err := c.desk.Note(desk.Actor(p), id, fmt.Sprintf("line <%d>", n), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	earlier := regexp.MustCompile(`href="([^"]*before=[^"]*)">[^<]*earlier`)
	path, seen, pages := fmt.Sprintf("/incidents/%d", id), map[string]int{}, 0
	for ; path != "" && pages < 5; pages++ {
		got := anna.get(path)
		if got.code != http.StatusOK {
			t.Fatalf("%s: %d", path, got.code)
		}
		for _, m := range regexp.MustCompile(`line &lt;\d+&gt;`).FindAllString(got.body[strings.Index(got.body, `id="timeline"`):], -1) {
			seen[m]++
		}
		path = ""
		if m := earlier.FindStringSubmatch(got.body); m != nil {
			path, _, _ = strings.Cut(html.UnescapeString(m[1]), "#")
		}
	}
	for n := range notes {
		if k := seen[fmt.Sprintf("line &lt;%d&gt;", n)]; k != 1 {
			t.Errorf("line %d is seen %d times", n, k)
		}
	}
	if pages != 2 {
		t.Errorf("%d pages", pages)
	}
}
