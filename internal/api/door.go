package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
)

// tokenKey is under what a request knows whose token it came with.
type tokenKey struct{}

// A bearer is whose token it is, and who looks at that again.
type bearer struct {
	actor auth.Actor
	again func(time.Time) (auth.Actor, error)
}

// A Guard is what the console knows of those who knock: package web has the throttle of sign-ins, and knows which proxies to believe.
type Guard struct {
	Failed func(*http.Request) time.Duration // counts a token that opens nothing, and says how long its network has to wait; 0 is not at all
	Remote func(*http.Request) string        // the address, for the ledger's count
	Quit   <-chan struct{}                   // closed when the program ends: then answers that go on end; nil is never
}

// A Door is the API for programs elsewhere.
type Door struct {
	table      *table
	json, yaml func() ([]byte, error)
}

// NewDoor returns the operations and their document, which is written when somebody asks for it.
func NewDoor(log *slog.Logger, d *desk.Desk) *Door {
	t := all(log, d)
	return &Door{table: t, json: sync.OnceValues(func() ([]byte, error) { return document(t) }), yaml: sync.OnceValues(t.api.OpenAPI().YAML)}
}

// Document returns the OpenAPI 3.1 document, as JSON.
func (d *Door) Document() ([]byte, error) { return d.json() }

// Handler returns all operations below /api/v1, for whoever has a token, and the document, for everybody: it says nothing of this Tocsin.
func (d *Door) Handler(g Guard) http.Handler {
	d.table.quit = g.Quit
	mux := http.NewServeMux()
	file := func(kind string, written func() ([]byte, error)) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			b, err := written()
			if err != nil {
				http.Error(w, "The document could not be written.", http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(b) // who asked may be gone
		}
	}
	mux.HandleFunc("GET /api/v1/openapi.json", file("application/json", d.json))
	mux.HandleFunc("GET /api/v1/openapi.yaml", file("application/yaml", d.yaml))
	mux.Handle("/api/v1/", d.tokened(g, http.StripPrefix("/api", d.table.mux)))
	return mux
}

// tokened lets in who has a token.
func (d *Door) tokened(g Guard, next http.Handler) http.Handler {
	t := d.table
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		for name := range r.URL.Query() {
			if strings.EqualFold(name, "access_token") || strings.EqualFold(name, "token") { // RFC 6750, 2.3: addresses stand in logs
				challenge(t, w, errors.New("a token is never part of an address, which stands in logs: revoke this one, and send another as Authorization: Bearer"))
				return
			}
		}
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" || len(r.Header.Values("Authorization")) > 1 {
			challenge(t, w, errors.New("send a token as Authorization: Bearer; people make theirs under How you sign in"))
			return
		}
		again := func(now time.Time) (auth.Actor, error) { return t.desk.TokenActor(token, now) }
		actor, err := again(time.Now())
		switch {
		case errors.Is(err, desk.ErrToken):
			if err := t.desk.RefuseToken(g.Remote(r)); err != nil {
				t.log.Error("a refused token could not be counted", "error", err)
			}
			if wait := g.Failed(r); wait > 0 { // who has the right one never waits: nobody can lock others out
				w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
				t.refuse(w, problemFor(http.StatusTooManyRequests, "too many tokens from this network opened nothing: wait, and try again"))
				return
			}
			challenge(t, w, desk.ErrToken)
			return
		case err != nil:
			t.log.Error("a token could not be looked up", "error", err)
			t.refuse(w, problemFor(http.StatusServiceUnavailable, "tokens cannot be looked up now. The program's log says why."))
			return
		}
		r = r.Clone(context.WithValue(r.Context(), tokenKey{}, bearer{actor, again}))
		r.Header.Del("Authorization") // nothing behind this needs it, so nothing can write it down
		r.Header.Del("Cookie")
		next.ServeHTTP(w, r)
	})
}

// challenge says how to show who asks (RFC 6750, section 3).
func challenge(t *table, w http.ResponseWriter, err error) {
	kind := `Bearer realm="tocsin"`
	if errors.Is(err, desk.ErrToken) {
		kind += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", kind)
	t.refuse(w, problemFor(http.StatusUnauthorized, fmt.Sprint(err)))
}
