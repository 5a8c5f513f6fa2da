package api_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tocsin/internal/api"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/query"
)

// Given the socket, when lines are searched or exported, then people may what their roles may, and a wrong question is answered in words.
func TestSearchOnTheSocket(t *testing.T) {
	d, _, dir := running(t)
	c := client.New(dir)
	for name, x := range map[string]struct {
		ask  client.Search
		want string // "" is an answer
	}{
		"whoever sits there": {client.Search{Query: "*"}, ""},
		"an analyst":         {client.Search{Query: "| count", Person: "analyst", Zone: "Europe/Berlin"}, ""},
		"a reader":           {client.Search{Query: "*", Person: "reader"}, "may not search"},
		"nobody":             {client.Search{Query: "*", Person: "nobody"}, "nobody on the team"},
		"no query":           {client.Search{Query: "status>="}, "a value is missing"},
		"no zone":            {client.Search{Query: "*", Zone: "Mars"}, "unknown time zone"},
		"the server's zone":  {client.Search{Query: "*", Zone: "Local"}, "unknown time zone"},
		"followed counts":    {client.Search{Query: "| count", Follow: true}, "cannot be followed"},
		"too long":           {client.Search{Query: strings.Repeat("x", query.MaxText+1)}, "at most"},
	} {
		var last client.Found
		err := c.Search(t.Context(), x.ask, func(f client.Found) error { last = f; return nil })
		if x.want == "" && (err != nil || last.Kind != "summary") || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%s: %v, %+v", name, err, last)
		}
	}
	for _, x := range []struct {
		ask  client.Search
		id   int64
		n    int
		want string
	}{
		{client.Search{Query: "*", Person: "reader"}, 1, 0, "may not handle"},
		{client.Search{Query: "| count"}, 1, 0, "whole lines"},
		{client.Search{Query: "*"}, 999, 0, "an incident that is open"},
		{client.Search{Query: "*", Person: "analyst"}, 1, 1, ""},
		{client.Search{Query: "*", Person: "analyst"}, 1, 0, "part of incident 1 already"},
	} {
		got, err := c.Attach(t.Context(), x.ask, x.id)
		if got.Lines < x.n || x.n == 0 && got.Lines > 0 || (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("attaching %+v to %d: %+v, %v", x.ask, x.id, got, err)
		}
	}
	if err := c.Export(t.Context(), client.Search{Query: "*", Person: "reader"}, new(strings.Builder)); err == nil || !strings.Contains(err.Error(), "may not search") {
		t.Errorf("an export by a reader: %v", err)
	}
	slowly(t, d)
	if err := client.New(t.TempDir()).Search(t.Context(), client.Search{Query: "*"}, nil); !errors.Is(err, client.ErrNotRunning) {
		t.Errorf("without a server: %v", err)
	}
}

// A slowReader is who asks for an answer and takes its first byte only when it is let.
type slowReader struct {
	*httptest.ResponseRecorder
	first      *sync.Once
	begun, let chan struct{}
}

func (w slowReader) Write(b []byte) (int, error) {
	w.first.Do(func() { close(w.begun); <-w.let })
	return w.ResponseRecorder.Write(b)
}

// slowly: given an export that is handed out slowly, then it keeps no search waiting, and exports have few slots of their own.
func slowly(t *testing.T, d *desk.Desk) {
	t.Helper()
	h := api.Handler(slog.New(slog.DiscardHandler), d, nil)
	ask := func(w http.ResponseWriter, body string) {
		r := httptest.NewRequest(http.MethodPost, "/v1/export", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(w, r)
	}
	var back []func()
	defer func() {
		for _, give := range back {
			give()
		}
	}()
	w, ended := slowReader{httptest.NewRecorder(), new(sync.Once), make(chan struct{}), make(chan struct{})}, make(chan struct{})
	go func() { defer close(ended); ask(w, `{"query":"*"}`) }()
	<-w.begun
	if d.Seeking().Taken() != 0 || d.Exporting().Taken() != 1 {
		t.Errorf("while an export is handed out, %d seek and %d export", d.Seeking().Taken(), d.Exporting().Taken())
	}
	for _, who := range []string{"one", "another"} {
		if give, ok := d.Exporting().Try(who); ok {
			back = append(back, give)
		}
	}
	many := httptest.NewRecorder()
	if ask(many, `{"query":"*","timeout_ns":20000000}`); many.Code != http.StatusTooManyRequests || !strings.Contains(many.Body.String(), "too many exports") {
		t.Errorf("a fourth export: %d %s", many.Code, many.Body)
	}
	close(w.let)
	<-ended
	if w.Code != http.StatusOK || d.Exporting().Taken() != len(back) {
		t.Errorf("the export: %d, %d export still", w.Code, d.Exporting().Taken())
	}
}
