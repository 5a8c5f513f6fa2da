package api_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/client"
	"tocsin/internal/plan"
)

func TestListsThroughTheSocket(t *testing.T) {
	_, _, dir := running(t)
	c := client.New(dir)
	until := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	got, err := c.Watch(t.Context(), client.Watching{Person: plan.Analyst, List: "suspects", Level: "high", Values: []string{"203.0.113.77", "account:eve"}, Until: until})
	if err != nil || got.List != 1 || got.Added != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	got, err = c.Import(t.Context(), client.Watching{List: "feed", File: "feed.txt", Data: "198.51.100.0/24 # x\n10.0.0.0/1\n"})
	if err != nil || got.Added != 1 || len(got.Refused) != 1 || got.Refused[0].Where != "line 2" || got.Format != "text" {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err = c.Unwatch(t.Context(), client.Watching{List: "1", Values: []string{"account:eve"}}); err != nil || got.Removed != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	lists, err := c.WatchLists(t.Context())
	if err != nil || len(lists) != 2 || lists[0].Level != "high" || len(lists[0].Values) != 1 || !lists[0].Values[0].Until.Equal(until) || lists[1].Values[0].Note != "x" || lists[1].Values[0].Of != "feed.txt" {
		t.Errorf("%+v, %v", lists, err)
	}
	n, err := c.AddNever(t.Context(), client.Never{From: "192.0.2.0/24", Account: "backup", Until: until, Why: "ours"})
	if err != nil || n.ID != 1 {
		t.Fatalf("%+v, %v", n, err)
	}
	nevers, err := c.Nevers(t.Context())
	if err != nil || len(nevers) != 1 || nevers[0].From != "192.0.2.0/24" || nevers[0].Account != "backup" || nevers[0].Why != "ours" || nevers[0].By != "command" {
		t.Errorf("%+v, %v", nevers, err)
	}
	if err := c.RemoveNever(t.Context(), 1, ""); err != nil {
		t.Error(err)
	}
	rules, err := c.Rules(t.Context())
	if err != nil || rules.Loaded < 100 || len(rules.Hash) != 64 || rules.Kept == nil || len(rules.Refused) != 0 {
		t.Errorf("%+v, %v", rules, err)
	}
	for name, x := range map[string]struct {
		err  error
		says string
	}{
		"who may only read": {second(c.Watch(t.Context(), client.Watching{Person: plan.Reader, List: "x", Values: []string{"1.2.3.4"}})), "may not tune"},
		"a stranger":        {second(c.AddNever(t.Context(), client.Never{Person: "eve", From: "1.2.3.4", Until: until, Why: "x"})), `has the id "eve"`},
		"no value":          {second(c.Watch(t.Context(), client.Watching{List: "x", Values: []string{"address:x"}})), "is no address"},
		"the past":          {second(c.Watch(t.Context(), client.Watching{List: "x", Values: []string{"1.2.3.4"}, Until: time.Unix(1, 0)})), "must lie in the future"},
		"no list":           {second(c.Unwatch(t.Context(), client.Watching{List: "nope", End: true})), "no watch list"},
		"no mute":           {c.RemoveNever(t.Context(), 1, ""), "no mute 1 is in force"},
		"nothing to import": {second(c.Import(t.Context(), client.Watching{List: "x", Data: "#"})), "holds nothing to watch"},
	} {
		if x.err == nil || !strings.Contains(x.err.Error(), x.says) {
			t.Errorf("%s: %v, want %q", name, x.err, x.says)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A handler in the same process is asked as a server is.
func TestAHandlerOfOurOwn(t *testing.T) {
	d, _, _ := running(t)
	c := client.Of(api.Handler(slog.New(slog.DiscardHandler), d, nil))
	if _, err := c.Watch(t.Context(), client.Watching{List: "x", Values: []string{"1.2.3.4"}}); err != nil {
		t.Error(err)
	}
	if lists, err := c.WatchLists(t.Context()); err != nil || len(lists) != 1 {
		t.Errorf("%+v, %v", lists, err)
	}
	if _, err := c.Unwatch(t.Context(), client.Watching{List: "y"}); err == nil {
		t.Error("no error came back")
	}
}

// A request that is no JSON, has an unknown member, or is too long is refused.
func TestListRequestsAreStrict(t *testing.T) {
	d, _, _ := running(t)
	h := api.Handler(slog.New(slog.DiscardHandler), d, nil)
	for _, path := range []string{"/v1/watch", "/v1/watch/import", "/v1/watch/remove", "/v1/never"} {
		for _, body := range []string{"", "list=x", `{"lists":"x"}`, `{"list":1}`, `{"why":1}`, "[]"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
			if w.Code != http.StatusBadRequest && w.Code != http.StatusUnprocessableEntity || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %q: %d %s", path, body, w.Code, w.Body)
			}
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/never", strings.NewReader(`{"why":"`+strings.Repeat("a", 70_000)+`"}`)))
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", w.Code)
	}
}
