package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
)

// Given an answer that goes on, when the right or the token is gone, or the program ends, then it ends within the time of a look, and says why.
func TestAnswersThatGoOnEnd(t *testing.T) {
	may := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{"analyst"}}
	for name, x := range map[string]struct {
		then func(*auth.Actor, *error, func())
		says string
	}{
		"the right is gone": {func(a *auth.Actor, _ *error, _ func()) { a.Roles = nil }, "may not"},
		"the token is gone": {func(_ *auth.Actor, err *error, _ func()) { *err = desk.ErrToken }, "was revoked"},
		"Tocsin stops":      {func(_ *auth.Actor, _ *error, stop func()) { stop() }, "stops"},
	} {
		synctest.Test(t, func(t *testing.T) {
			quit := make(chan struct{})
			var mu sync.Mutex
			now, err := may, error(nil)
			a := ask{ctx: t.Context(), actor: may, table: &table{quit: quit}, again: func(time.Time) (auth.Actor, error) {
				mu.Lock()
				defer mu.Unlock()
				return now, err
			}}
			a, end := a.lasting(searches)
			defer end()
			time.Sleep(time.Hour)
			synctest.Wait()
			if a.ctx.Err() != nil {
				t.Fatalf("%s: it ended by itself: %v", name, context.Cause(a.ctx))
			}
			mu.Lock()
			x.then(&now, &err, func() { close(quit) })
			mu.Unlock()
			time.Sleep(lookAgain)
			synctest.Wait()
			if why := context.Cause(a.ctx); !errors.Is(why, errEnded) || !strings.Contains(why.Error(), x.says) {
				t.Errorf("%s: %v", name, why)
			}
		})
	}
}

// Given an answer that goes on and looks whether it may, when it is ended, then it is ended no sooner than the look.
func TestEndingWaitsForTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		look := make(chan struct{})
		a := ask{ctx: t.Context(), table: &table{}, again: func(time.Time) (auth.Actor, error) { <-look; return auth.Actor{}, nil }}
		_, end := a.lasting(searches)
		time.Sleep(lookAgain)
		synctest.Wait()
		var ended atomic.Bool
		go func() { end(); ended.Store(true) }()
		if synctest.Wait(); ended.Load() {
			t.Error("it ended while it looks")
		}
		close(look)
		if synctest.Wait(); !ended.Load() {
			t.Error("it did not end")
		}
	})
}

// An error that nobody thought of is a failure of this program, and its words are not told.
func TestUnknownErrorsAreOurFailure(t *testing.T) {
	for name, x := range map[string]struct {
		err  error
		code int
	}{
		"a sentence of ours":      {errors.New("an erasure needs a reason"), 422},
		"one around another":      {fmt.Errorf("keeping it: %w", errors.New("it is too long")), 422},
		"a field":                 {desk.FieldError{Field: "zone", Says: "Unknown time zone."}, 422},
		"what is not there":       {incident.ErrNotFound, 404},
		"a file":                  {fmt.Errorf("keeping it: %w", &fs.PathError{Op: "open", Path: "/var/lib/tocsin/x", Err: fs.ErrPermission}), 500},
		"the network":             {&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("10.0.0.7 refused")}, 500},
		"half a file":             {fmt.Errorf("reading it: %w", io.ErrUnexpectedEOF), 500},
		"one of many":             {errors.Join(errors.New("ours"), &net.DNSError{Err: "no such host", Name: "inner.example"}), 500},
		"changed meanwhile":       {desk.ErrMoved, 409},
		"under way":               {desk.ErrUnderWay, 409},
		"not known after a crash": {desk.ErrNotKnown, 409},
		"by a token":              {byToken{auth.Team}, 403},
	} {
		var log strings.Builder
		p := failed(ask{log: slog.New(slog.NewTextHandler(&log, nil))}, x.err)
		if p.GetStatus() != x.code {
			t.Errorf("%s: %d, want %d", name, p.GetStatus(), x.code)
		}
		if hidden := !strings.Contains(p.Error(), x.err.Error()); hidden != (x.code == 500) || hidden && !strings.Contains(log.String(), "an operation failed") {
			t.Errorf("%s: told %q, log %q", name, p.Error(), log.String())
		}
	}
	if p, ok := failed(ask{}, desk.ManyKeys{Wait: 90*time.Minute - time.Millisecond}).(problem); !ok || p.Status != 429 || p.headers.Get("Retry-After") != "5400" {
		t.Errorf("too many keys: %+v", p)
	}
	if p, ok := failed(ask{}, desk.ErrUnderWay).(problem); !ok || p.headers.Get("Retry-After") == "" {
		t.Error("what is under way does not say when to ask again")
	}
}

// An inner object for bodies of tests.
type innerBody struct {
	Why string `json:"why" maxLength:"5"`
}

// An outerBody has what bodies have.
type outerBody struct {
	Inner innerBody         `json:"inner,omitempty"`
	Many  []innerBody       `json:"many,omitempty"`
	Free  map[string]string `json:"free,omitempty"`
}

// strict is an operation that says the longest why that came to it.
func strict() http.Handler {
	t := newTable(slog.New(slog.DiscardHandler), nil)
	o := post("/strict", "strict", "Take a body")
	o.need = auth.See
	add(t, o, func(_ ask, in *body[outerBody]) (client.Opened, error) {
		n := len(in.Body.Inner.Why)
		for _, x := range in.Body.Many {
			n = max(n, len(x.Why))
		}
		return client.Opened{ID: int64(n)}, nil
	})
	return t.mux
}

func strictly(h http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/v1/strict", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	return w
}

// Members are taken to the letter, and once: otherwise a limit of the schema could be passed by.
func TestMembersAreTakenToTheLetter(t *testing.T) {
	h := strict()
	for body, code := range map[string]int{
		`{"inner":{"why":"short"}}`:                         200,
		`{"inner":{"why":"too long"}}`:                      422,
		`{"inner":{"WHY":"too long","why":"short"}}`:        422,
		`{"inner":{"why":"a","Why":"too long"}}`:            422,
		"{\"INNER\":{\"why\":\"a\"}}":                       422,
		`{"inner":{"why":"a"},"inner":{"why":"b"}}`:         422,
		`{"many":[{"why":"a"},{"wHy":"too long"}]}`:         422,
		`{"free":{"why":"1","WHY":"2"}}`:                    200,
		`{"free":{"why":"1","why":"2"}}`:                    422,
		`{"inner":`:                                         400,
		``:                                                  400,
		strings.Repeat("[", 200) + strings.Repeat("]", 200): 422,
		`{"inner":{"why":"a"},"more":1}`:                    422,
	} {
		if w := strictly(h, body); w.Code != code {
			t.Errorf("%.60s: %d, want %d: %s", body, w.Code, code, w.Body)
		}
	}
}

// No body brings a text to an operation that is longer than its schema allows.
func FuzzBodies(f *testing.F) {
	h := strict()
	for _, x := range []string{`{"inner":{"why":"short"}}`, `{"inner":{"WHY":"too long"}}`, `{"many":[{"why":"a","why":"too long"}]}`, `{"free":{"a":"b"}}`, `[[`, `{"inner":{"why":"a"},"inner":{}}`} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := strictly(h, body)
		if w.Code == 200 && !strings.Contains("012345", strings.Trim(strings.TrimSpace(w.Body.String()), `{"id:}`)) {
			// the schema counts characters, the answer bytes
			if !strings.ContainsFunc(body, func(r rune) bool { return r > 127 || r == '\\' }) {
				t.Errorf("%q: %s", body, w.Body)
			}
		}
		if w.Code >= 500 {
			t.Errorf("%q: %d", body, w.Code)
		}
	})
}
