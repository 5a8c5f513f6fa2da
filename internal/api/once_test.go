package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// files are the files of idempotency keys.
func (g *gate) files() (names []string) {
	g.t.Helper()
	all, err := g.data.ReadDir("once")
	if !errors.Is(err, fs.ErrNotExist) { // no key was used yet
		g.must(err)
	}
	for _, f := range all {
		names = append(names, f.Name())
	}
	return names
}

// Only what was done is kept: what was refused, and what a second person has to approve, frees its key.
func TestKeysOfWhatWasNotDone(t *testing.T) {
	g := elsewhere(t)
	token := g.token(plan.Analyst)
	for _, body := range []string{`{}`, `{"note":7}`} {
		g.ask(token, "POST", "/incidents/1/note", body, "Idempotency-Key", "form")
	}
	g.ask(token, "POST", "/incidents/99/note", `{"note":"x"}`, "Idempotency-Key", "none")
	g.ask(token, "POST", "/incidents/2/phase", `{"phase":"nonsense"}`, "Idempotency-Key", "decided")
	if names := g.files(); len(names) > 0 {
		t.Errorf("%d keys are taken by what was refused", len(names))
	}
	a := desk.Asking{Actor: g.actor(plan.Analyst), Key: "k", Print: "p"}
	for status, kept := range map[int]bool{200: true, 204: true, 202: false, 403: false, 422: false, 500: false} {
		a.Key = fmt.Sprint(status)
		_, err := g.d.Once(a, time.Now())
		g.must(err)
		g.must(g.d.Answered(a, &desk.Reply{Status: status, Body: []byte("{}")}))
		if r, err := g.d.Once(a, time.Now()); err != nil || (r != nil) != kept {
			t.Errorf("%d: %+v, %v", status, r, err)
		}
	}
	a.Silent = true
	for status, want := range map[int]error{422: nil, 500: desk.ErrNotKnown, 503: desk.ErrNotKnown} { // it may have been done before it failed
		a.Key = fmt.Sprint("silent", status)
		_, err := g.d.Once(a, time.Now())
		g.must(err)
		g.must(g.d.Answered(a, &desk.Reply{Status: status}))
		if r, err := g.d.Once(a, time.Now()); r != nil || !errors.Is(err, want) {
			t.Errorf("silent, %d: %+v, %v, want %v", status, r, err, want)
		}
	}
}

// Given who asked went away, then what they asked for is done, and its answer waits for them.
func TestWhoAskedWentAway(t *testing.T) {
	g := elsewhere(t)
	token, before := g.token(plan.Analyst), g.notes()
	ctx, gone := context.WithCancel(t.Context())
	gone()
	for range 2 {
		r := httptest.NewRequestWithContext(ctx, "POST", "/api/v1/incidents/1/note", strings.NewReader(`{"note":"x"}`))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Idempotency-Key", "away")
		w := httptest.NewRecorder()
		g.h.ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if n := g.notes() - before; n != 1 {
		t.Errorf("%d notes", n)
	}
}

// Given a crash between act and answer of what writes no entry, and a file that cannot be read, then both say that it is not known; and old keys go by themselves.
func TestKeysAreHonestAndEnd(t *testing.T) {
	g := elsewhere(t)
	a, now := g.actor(plan.Analyst), time.Now()
	silent := desk.Asking{Actor: a, Key: "silent", Print: "p", Silent: true}
	_, err := g.d.Once(silent, now)
	g.must(err)
	read := desk.Asking{Actor: a, Key: "torn", Print: "p"}
	_, err = g.d.Once(read, now)
	g.must(err)
	before := g.files()
	for _, name := range before { // the other one says that it is silent, and is longer
		b, err := disk.ReadFile(g.data, "once/"+name)
		g.must(err)
		if len(b) < longest(g, before) {
			g.must(disk.Replace(g.data, "once/"+name, []byte("half")))
		}
	}
	next := opened(t, g.data.Crash(), g.keys.Crash())
	defer next.d.Close()
	if _, err := next.d.Once(silent, now); !errors.Is(err, desk.ErrNotKnown) {
		t.Errorf("an act that writes no entry, after a crash: %v", err)
	}
	if _, err := next.d.Once(read, now); !errors.Is(err, desk.ErrOnceFile) {
		t.Errorf("a file that cannot be read: %v", err)
	}
	if n := len(next.files()); n != len(before) {
		t.Errorf("%d files, want %d: one that cannot be read was dropped", n, len(before))
	}
	if _, err := next.d.Once(desk.Asking{Actor: a, Key: "later", Print: "p"}, now.Add(25*time.Hour)); err != nil || len(next.files()) != 1 {
		t.Errorf("a day later: %v, %d files", err, len(next.files()))
	}
}

// Given answers that are kept, when people change how they sign in or go, then the answers stay; when something is erased, then they go, also those of what was
// under way, and those that a restart finds.
func TestErasuresTakeAnswers(t *testing.T) {
	g := elsewhere(t)
	token, a := g.token(plan.Analyst), g.actor(plan.Analyst)
	note := func(g *gate) *httptest.ResponseRecorder {
		return g.ask(token, "POST", "/incidents/1/note", `{"note":"x"}`, "Idempotency-Key", "kept")
	}
	if w := note(g); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	name := "once/" + g.files()[0]
	kept, err := disk.ReadFile(g.data, name)
	g.must(err)
	g.token(plan.Engineer) // each leaves older credentials behind
	g.must(g.d.PutPerson(desk.Local("config"), plan.Legal, []string{plan.Legal}, desk.Contact{Name: "Gone"}, true))
	if w := note(g); w.Code != 200 {
		t.Errorf("behind changes of credentials: %d %s", w.Code, w.Body)
	}
	id, err := g.d.PutContact(desk.Local("config"), entry.Contact{Group: contact.Providers}, contact.Card{Name: "NOC", Ways: []contact.Way{{Kind: contact.Phone, Value: "+49301234567"}}})
	g.must(err)
	var under []desk.Asking
	for key, body := range map[string]string{"named": `{"name":"NOC"}`, "nothing": `{}`} {
		x := desk.Asking{Actor: a, Key: key, Print: body}
		_, err := g.d.Once(x, time.Now())
		g.must(err)
		under = append(under, x)
	}
	g.must(g.d.RemoveContact(desk.Local("config"), id, "asked for it", true))
	for _, x := range under {
		g.must(g.d.Answered(x, &desk.Reply{Status: 200, Body: []byte(x.Print)}))
		if r, err := g.d.Once(x, time.Now()); err != nil || r == nil || r.Gone != (x.Key == "named") || r.Gone != (r.Body == nil) {
			t.Errorf("under way during the erasure, %s: %+v, %v", x.Print, r, err)
		}
	}
	gone := func(g *gate, when string) {
		t.Helper()
		if w := note(g); w.Code != 409 || !strings.Contains(w.Body.String(), "erased since") {
			t.Errorf("%s: %d %s", when, w.Code, w.Body)
		}
	}
	gone(g, "behind an erasure")
	g.must(disk.Replace(g.data, name, kept)) // the program ended before the erasure reached it
	next := opened(t, g.data.Crash(), g.keys.Crash())
	gone(next, "behind a restart")
	g.must(next.d.Close())
	next = opened(t, next.data.Crash(), next.keys.Crash())
	defer next.d.Close()
	gone(next, "behind another")
}

// longest is the length of the longest file.
func longest(g *gate, names []string) (n int) {
	for _, name := range names {
		b, err := disk.ReadFile(g.data, "once/"+name)
		g.must(err)
		n = max(n, len(b))
	}
	return n
}

// A change of a person changes what is sent.
func TestChangingAPerson(t *testing.T) {
	g := elsewhere(t)
	const hook = "https://hooks.slack.com/services/T1/B2/secret"
	full := desk.Contact{Name: "Carla", Mail: "carla@shop.example", Webhook: hook, Slack: "U0123ABCD", Zone: "Europe/Berlin", SMS: "+49301234567"}
	g.must(g.d.PutPerson(desk.Local("config"), "carla", []string{plan.Reader}, full, false))
	token := g.token(plan.Commander)
	for _, x := range []struct {
		name, body string
		code       int
		want       func(*desk.Contact)
		gone       bool
	}{
		{"nothing", `{}`, 200, func(*desk.Contact) {}, false},
		{"a zone", `{"zone":"Europe/Paris"}`, 200, func(c *desk.Contact) { c.Zone = "Europe/Paris" }, false},
		{"what GET shows", `{"channels":{"mail":"carla@shop.example","webhook":"","sms":"+49301234567"}}`, 200, func(*desk.Contact) {}, false},
		{"a channel away", `{"channels":{"sms":""}}`, 200, func(c *desk.Contact) { c.SMS = "" }, false},
		{"another id", `{"id":"eve"}`, 422, func(*desk.Contact) {}, false},
		{"no channel", `{"drop":["pigeon"]}`, 422, func(*desk.Contact) {}, false},
		{"gone", `{"gone":true}`, 200, func(*desk.Contact) {}, true},
		{"still gone", `{"language":"de"}`, 200, func(c *desk.Contact) { c.Language = "de" }, true},
		{"a secret away", `{"drop":["webhook"]}`, 200, func(c *desk.Contact) { c.Webhook = "" }, true},
	} {
		x.want(&full)
		w := g.ask(token, "POST", "/people/carla", x.body)
		var p entry.Person
		g.d.Read(func(s *desk.State) { p = s.Plan.People["carla"] })
		if got := g.d.People.Get(p.Vault); w.Code != x.code || fmt.Sprint(got) != fmt.Sprint(full) || p.Gone != x.gone || len(p.Roles) != 1 {
			t.Errorf("%s: %d %s\n%+v, want\n%+v; gone %v", x.name, w.Code, w.Body, got, full, p.Gone)
		}
	}
	for role, shown := range map[string]bool{plan.Commander: true, plan.Analyst: false} {
		w := g.ask(g.token(role), "GET", "/people", "")
		if got := strings.Contains(w.Body.String(), "U0123ABCD"); got != shown || strings.Contains(w.Body.String(), hook) {
			t.Errorf("%s is shown the id in Slack: %v", role, got)
		}
		var all []api.Person
		g.must(json.Unmarshal(w.Body.Bytes(), &all))
		for _, p := range all {
			if (p.Password != nil) != (shown || p.ID == role) {
				t.Errorf("%s is shown how %s signs in: %v", role, p.ID, p.Password != nil)
			}
		}
	}
}

// What needs a person who has just proved who they are, no token can.
func TestWhatNoTokenCan(t *testing.T) {
	g := elsewhere(t)
	token := g.token(plan.Commander)
	for _, path := range []string{"/people/" + plan.Commander + "/pin", "/people/carla/key/confirm", "/people/carla/key/remove", "/mail/key/renew", "/mail/key/revoke", "/mail/key/revocation"} {
		if w := g.ask(token, "POST", path, `{"pin":"739154","fingerprint":"A","why":"x","reason":"x"}`); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "a token cannot") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// Wrong tokens from many networks do not fill the ledger.
func TestWrongTokensFromEverywhere(t *testing.T) {
	g := elsewhere(t)
	n, before, hour := 0, g.entries(), time.Now().Truncate(time.Hour)
	g.h = g.door.Handler(api.Guard{Failed: func(*http.Request) time.Duration { return 0 }, Remote: func(*http.Request) string { n++; return fmt.Sprintf("2001:db8:%x::1", n) }})
	for range 300 {
		g.ask("tcs_00000000000000000000000000000000000000", "GET", "/incidents", "")
	}
	hours := 1 + int64(time.Since(hour)/time.Hour) // each has its own
	if got := g.entries() - before; got < 100 || got > 110*hours {
		t.Errorf("%d entries for 300 networks in %d hours", got, hours)
	}
}

func (g *gate) entries() (n int64) {
	g.d.Read(func(s *desk.State) { n = s.Entries })
	return n
}

// Given that all slots for work on the kept lines are taken, then a search, a trace, an export and an attachment by a token wait: the first two as long
// as they may, the others for as long as who asked does. Nothing is read, and nothing written down.
func TestProgramsShareTheSlots(t *testing.T) {
	g := elsewhere(t)
	token := g.token(plan.Analyst)
	var back []func()
	for n := 0; ; n++ {
		give, ok := g.d.Seeking().Try(fmt.Sprint("person:", n))
		if !ok {
			break
		}
		back = append(back, give)
	}
	for path, body := range map[string]string{"/search": `{"query":"x","timeout_ns":20000000}`, "/export": `{"query":"x","timeout_ns":20000000}`, "/incidents/1/trace": `{"timeout_ns":20000000}`} {
		if w := g.ask(token, "POST", path, body); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if g.d.Exporting().Taken() != 0 {
		t.Error("an export that was refused keeps its slot")
	}
	before, h := g.entries(), g.h
	for _, path := range []string{"/export", "/incidents/1/lines"} {
		g.h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, stop := context.WithTimeout(r.Context(), 20*time.Millisecond)
			defer stop()
			h.ServeHTTP(w, r.WithContext(ctx))
		})
		if w := g.ask(token, "POST", path, `{"query":"*"}`); w.Code != http.StatusTooManyRequests && w.Code != http.StatusGatewayTimeout || g.entries() != before {
			t.Errorf("%s: %d %s, %d entries", path, w.Code, w.Body, g.entries()-before)
		}
	}
	g.h = h
	t.Run("until Tocsin ends", func(t *testing.T) { // on the socket, too, though who asked under a key is not waited for
		quit := make(chan struct{})
		r := httptest.NewRequest("POST", "/v1/incidents/1/lines", strings.NewReader(`{"query":"*"}`))
		r.Header.Set("Idempotency-Key", "lines")
		w, done := httptest.NewRecorder(), make(chan struct{})
		go func() {
			defer close(done)
			api.Handler(slog.New(slog.DiscardHandler), g.d, quit).ServeHTTP(w, r)
		}()
		close(quit)
		<-done
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	for _, give := range back {
		give()
	}
	if w := g.ask(token, "POST", "/search", `{"query":"x"}`); w.Code != 200 || g.d.Seeking().Taken() != 0 {
		t.Errorf("a free slot: %d %s, %d taken", w.Code, w.Body, g.d.Seeking().Taken())
	}
}

// A list is ended by saying so, not by leaving its values out.
func TestEndingAList(t *testing.T) {
	g := elsewhere(t)
	token := g.token(plan.Engineer, auth.See, auth.Tune)
	g.ask(token, "POST", "/watch", `{"list":"x","values":["203.0.113.9"]}`)
	for _, x := range []struct {
		body string
		code int
	}{{`{"list":"x"}`, 422}, {`{"list":"x","values":[]}`, 422}, {`{"list":"x","values":["203.0.113.9"],"end":true}`, 422}, {`{"list":"x","end":true}`, 200}} {
		if w := g.ask(token, "POST", "/watch/remove", x.body); w.Code != x.code || x.code == 422 && !strings.Contains(w.Body.String(), "end") {
			t.Errorf("%s: %d %s", x.body, w.Code, w.Body)
		}
	}
}
