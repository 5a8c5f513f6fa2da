package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/plan"
)

// shell is a web shell in use: it rings.
const shell = `203.0.113.9 - - [10/Nov/2026:10:00:01 +0000] "GET /wp-content/uploads/x.php?cmd=id HTTP/1.1" 200 512 "-" "Mozilla/5.0"` + "\n"

// running starts a desk with a call that rings, and its socket. It returns the desk, its disk and the folder of the socket.
func running(t *testing.T) (*desk.Desk, *disk.Lossy, string) {
	t.Helper()
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	log, data := slog.New(slog.DiscardHandler), disk.NewLossy()
	d, err := desk.Open(log, desk.Options{Version: "test", Ballast: 1 << 16, Data: data, Keys: disk.NewLossy(), Rules: set.Rules, Sample: fstest.MapFS{"access.log": {Data: []byte(shell)}},
		Pace: time.Millisecond, URL: "http://localhost"})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{plan.Analyst, plan.Reader} {
		if err := d.PutPerson(desk.Local("config"), id, []string{id}, desk.Contact{Name: "The " + id}, false); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	socket, err := net.Listen("unix", filepath.Join(dir, client.Socket))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: api.Handler(log, d, nil), ReadHeaderTimeout: time.Second}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended, served := make(chan error, 1), make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	go func() { served <- server.Serve(socket) }()
	t.Cleanup(func() {
		_ = server.Close() // of listeners that nobody needs
		<-served
		stop()
		if err := <-ended; err != nil {
			t.Log("the desk ended with: ", err)
		}
		_ = d.Close() // of a disk that a test has broken
	})
	for end := time.Now().Add(30 * time.Second); len(d.Ringing(desk.Local("test"))) == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing rings")
		}
	}
	return d, data, dir
}

func TestAnsweringThroughTheSocket(t *testing.T) {
	d, _, dir := running(t)
	c := client.New(dir)
	for name, x := range map[string]struct {
		call   int64
		person string
		says   string
	}{
		"a stranger":         {0, "eve", `nobody on the team has the id "eve"`},
		"who may only read":  {0, plan.Reader, "may not answer"},
		"a call that is not": {99, plan.Analyst, "no call 99"},
	} {
		if _, err := c.Answer(t.Context(), x.call, x.person); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v, want %q", name, err, x.says)
		}
	}
	if len(d.Ringing(desk.Local("test"))) != 1 {
		t.Fatal("a refused answer has stopped the call")
	}
	got, err := c.Answer(t.Context(), 0, plan.Analyst)
	if err != nil || got.Call != 1 {
		t.Fatalf("answering what rings longest: call %d, %v", got.Call, err)
	}
	d.Read(func(st *desk.State) {
		if a := st.Calls.Calls[0].Answered; a.Person != plan.Analyst || a.Via != "command" {
			t.Errorf("the ledger says %+v", a)
		}
	})
	if _, err := c.Answer(t.Context(), 1, ""); err == nil || !strings.Contains(err.Error(), "answered already") {
		t.Errorf("answering again: %v", err)
	}
	if _, err := c.Answer(t.Context(), 0, ""); err == nil || !strings.Contains(err.Error(), "no call is ringing") {
		t.Errorf("answering when nothing rings: %v", err)
	}
}

func TestAlive(t *testing.T) {
	_, data, dir := running(t)
	c := client.New(dir)
	if err := c.Alive(t.Context()); err != nil {
		t.Errorf("a bell that works: %v", err)
	}
	data.FailAfter(data.Ops())
	if _, err := c.Answer(t.Context(), 1, plan.Analyst); err == nil || !strings.Contains(err.Error(), "the ledger cannot be written") {
		t.Errorf("answering without a ledger: %v", err)
	}
	if err := c.Alive(t.Context()); err == nil || errors.Is(err, client.ErrNotRunning) {
		t.Errorf("a bell that cannot write: %v", err)
	}
	nobody := client.New(t.TempDir())
	if err := nobody.Alive(t.Context()); !errors.Is(err, client.ErrNotRunning) {
		t.Errorf("no server: %v", err)
	}
	if _, err := nobody.Answer(t.Context(), 1, ""); !errors.Is(err, client.ErrNotRunning) {
		t.Errorf("answering without a server: %v", err)
	}
}

// Errors are problem+json with the status that programs branch on (RFC 9457).
func TestProblems(t *testing.T) {
	d, data, _ := running(t)
	h := api.Handler(slog.New(slog.DiscardHandler), d, nil)
	post := func(path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
		return w
	}
	for _, x := range []struct {
		name, path, body string
		code             int
	}{
		{"no JSON", "/v1/incidents/1/note", "note=anna", http.StatusBadRequest},
		{"an unknown member", "/v1/incidents/1/note", `{"note":"x","who":"anna"}`, http.StatusUnprocessableEntity},
		{"nothing sent", "/v1/incidents/1/note", ``, http.StatusBadRequest},
		{"an unknown parameter", "/v1/incidents/1/note?who=anna", `{"note":"x"}`, http.StatusUnprocessableEntity},
		{"another type", "/v1/incidents/1/note", `{"note":7}`, http.StatusUnprocessableEntity},
		{"too long", "/v1/incidents/1/note", `{"note":"` + strings.Repeat("a", 70_000) + `"}`, http.StatusRequestEntityTooLarge},
		{"no such operation", "/v1/nothing", `{}`, http.StatusNotFound},
		{"no incident", "/v1/incidents/99/note", `{"note":"x"}`, http.StatusNotFound},
		{"no number", "/v1/calls/x/answer", `{}`, http.StatusNotFound},
		{"two persons", "/v1/calls/1/answer?person=reader&person=analyst", `{}`, http.StatusUnprocessableEntity},
		{"not allowed", "/v1/calls/1/answer?person=reader", `{}`, http.StatusForbidden},
		{"answered", "/v1/calls/1/answer", `{}`, http.StatusOK},
		{"answered before", "/v1/calls/1/answer", `{}`, http.StatusConflict},
		{"nothing rings", "/v1/calls/ringing/answer", `{}`, http.StatusConflict},
	} {
		w := post(x.path, x.body)
		kind := "application/problem+json"
		if x.code == http.StatusOK {
			kind = "application/json"
		}
		if w.Code != x.code || w.Header().Get("Content-Type") != kind {
			t.Errorf("%s: %d %s: %s", x.name, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
	data.FailAfter(data.Ops())
	_ = d.SetPhase(desk.Local("test"), 1, "containment") // breaks the ledger
	if w := post("/v1/calls/1/answer", `{}`); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a ledger: %d", w.Code)
	}
}
