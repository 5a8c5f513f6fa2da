package web

import (
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/api"
	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// Every route of the console is done by an operation of the API, or excused with a reason; and nothing is excused twice.
func TestEveryRouteHasAnOperation(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	var doc struct {
		Paths map[string]map[string]struct {
			ID  string   `json:"operationId"`
			Web []string `json:"x-tocsin-console"`
		} `json:"paths"`
	}
	documented(t, c.web.o.Document, &doc)
	by := map[string]string{}
	for _, verbs := range doc.Paths {
		for _, op := range verbs {
			for _, r := range op.Web {
				by[r] = op.ID
			}
		}
	}
	known := map[string]bool{}
	for _, r := range routes() {
		known[r.pattern] = true
		_, excused := api.Excused()[r.pattern]
		if id, done := by[r.pattern]; done == excused {
			t.Errorf("%s: operation %q, excused %v; it is to be one of them", r.pattern, id, excused)
		}
	}
	for r := range by {
		if !known[r] {
			t.Errorf("%s does %s, which is no route", by[r], r)
		}
	}
	for r := range api.Excused() {
		if !known[r] {
			t.Errorf("%s is excused, and is no route", r)
		}
	}
}

// Given a token, when a program asks at the console's address, then it is heard there; a session is no token, and the pages name each operation.
func TestProgramsAtTheConsole(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	p, _ := c.desk.Person(plan.Analyst)
	token, err := c.desk.MakeToken(desk.Actor(p), "test", []auth.Action{auth.See}, 1)
	if err != nil {
		t.Fatal(err)
	}
	anna := c.as(t, "anna")
	if got := anna.do("GET", "/api/v1/incidents", nil, map[string]string{"Authorization": "Bearer " + token}); got.code != http.StatusOK {
		t.Errorf("by a token: %d %s", got.code, got.body)
	}
	if got := anna.get("/api/v1/incidents"); got.code != http.StatusUnauthorized {
		t.Errorf("by a session: %d, want 401", got.code)
	}
	waited := 0
	for range 12 {
		if got := anna.do("GET", "/api/v1/incidents", nil, map[string]string{"Authorization": "Bearer tcs_0"}); got.code == http.StatusTooManyRequests {
			waited++
		}
	}
	if waited == 0 {
		t.Error("wrong tokens are not throttled")
	}
	if got := anna.do("GET", "/api/v1/incidents", nil, map[string]string{"Authorization": "Bearer " + token}); got.code != http.StatusOK {
		t.Errorf("a right token has to wait for wrong ones: %d", got.code)
	}
	page := anna.get("/api")
	var doc struct {
		Paths map[string]map[string]struct {
			ID   string   `json:"operationId"`
			Tags []string `json:"tags"`
		} `json:"paths"`
	}
	documented(t, c.web.o.Document, &doc)
	chapters := map[string]string{}
	for path, verbs := range doc.Paths {
		for _, op := range verbs {
			if chapters[op.Tags[0]] == "" {
				chapters[op.Tags[0]] = anna.get("/api/" + op.Tags[0]).body
			}
			if strings.Contains(chapters[op.Tags[0]], "https://"+strings.TrimPrefix(c.URL, "http://")) {
				t.Errorf("an example asks this console, which has no TLS, by https: %s", op.Tags[0])
			}
			if !strings.Contains(page.body, op.ID) || !strings.Contains(chapters[op.Tags[0]], `id="`+op.ID+`"`) {
				t.Errorf("%s of %s is on no page", op.ID, path)
			}
		}
	}
}
