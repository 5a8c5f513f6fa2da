package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

var update = flag.Bool("update", false, "write golden files anew")

// shopRules loads the shop pack once: it does not change.
var shopRules = sync.OnceValues(func() (desk.RuleSet, error) { return desk.LoadRules(os.DirFS("../../rules")) })

// A gate is the API for programs elsewhere, with a team of one person for each role, who is called as it.
type gate struct {
	t    testing.TB
	d    *desk.Desk
	data *disk.Lossy
	keys *disk.Lossy
	log  *bytes.Buffer
	door *api.Door
	h    http.Handler
}

// opened opens a desk on disks, and the API of it.
func opened(t testing.TB, data, keys *disk.Lossy) *gate {
	t.Helper()
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, data: data, keys: keys, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if g.d, err = desk.Open(log, desk.Options{Version: "test", Ballast: 1 << 16, Data: data, Keys: keys, Rules: set.Rules, URL: "http://localhost"}); err != nil {
		t.Fatal(err)
	}
	g.door = api.NewDoor(log, g.d)
	g.h = g.door.Handler(api.Guard{Failed: func(*http.Request) time.Duration { return 0 }, Remote: func(*http.Request) string { return "192.0.2.1" }})
	return g
}

// elsewhere is opened, with a team, an incident for everybody (1) and one that is restricted to the analyst (2).
func elsewhere(t testing.TB) *gate {
	g := opened(t, disk.NewLossy(), disk.NewLossy())
	t.Cleanup(func() { _ = g.d.Close() })
	for _, role := range plan.Roles() {
		g.must(g.d.PutPerson(desk.Local("config"), role, []string{role}, desk.Contact{Name: "The " + role, Mail: role + "@shop.example"}, false))
	}
	g.must(g.d.PutPerson(desk.Local("config"), "carla", []string{plan.Reader}, desk.Contact{Name: "Carla"}, false))
	for _, id := range append(plan.Roles(), "carla") { // who administers has a second factor
		a := signin.NewAuthenticator(time.Now())
		g.must(g.d.AddApp(g.actor(id), a, a.Code(time.Now())))
	}
	for range 2 {
		_, err := g.d.Report(desk.Local("test"), "something happened")
		g.must(err)
	}
	g.must(g.d.Restrict(desk.Local("test"), 2, "hr", []string{plan.Analyst}))
	return g
}

func (g *gate) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// actor is the person of a role.
func (g *gate) actor(id string) auth.Actor {
	p, _ := g.d.Person(id)
	return desk.Actor(p)
}

// token makes a token of a person that may all they may, or what scope says.
func (g *gate) token(id string, scope ...auth.Action) string {
	g.t.Helper()
	a := g.actor(id)
	if len(scope) == 0 {
		for _, x := range auth.Actions() {
			if auth.May(a, x) == nil {
				scope = append(scope, x)
			}
		}
	}
	token, err := g.d.MakeToken(a, "test of "+id, scope, 30)
	g.must(err)
	return token
}

// ask makes a request with a token.
func (g *gate) ask(token, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, "/api/v1"+path, r)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for k := 0; k+1 < len(headers); k += 2 {
		req.Header.Set(headers[k], headers[k+1])
	}
	w := httptest.NewRecorder()
	g.h.ServeHTTP(w, req)
	return w
}

// An op is an operation as the document has it.
type op struct {
	verb, path, ID string
	Action         string `json:"x-tocsin-action"`
	Sum            string `json:"summary"`
	OperationID    string `json:"operationId"`
}

func (g *gate) document() []byte {
	g.t.Helper()
	b, err := g.door.Document()
	g.must(err)
	return b
}

func (g *gate) ops() (out []op) {
	var doc struct {
		Paths map[string]map[string]op `json:"paths"`
	}
	g.must(json.Unmarshal(g.document(), &doc))
	for path, verbs := range doc.Paths {
		for verb, o := range verbs {
			o.verb, o.path, o.ID = strings.ToUpper(verb), path, o.OperationID
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b op) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// fill puts what exists into a path.
func fill(path, incident string) string {
	id := "1"
	if strings.HasPrefix(path, "/incidents/") {
		id = incident
	}
	if strings.HasPrefix(path, "/people/") {
		id = "carla" // who loses what she signs in with
	}
	return strings.NewReplacer("{id}", id, "{call}", "1", "{agent}", "web-1").Replace(path)
}

// Given every operation of the document, when every role asks by a token, then who has not the right hears 403 with its name, and who has it does not;
// an operation without a row in testdata/rights.txt fails, and so does a row without an operation.
func TestEveryOperationByEveryRole(t *testing.T) {
	g := elsewhere(t)
	tokens := map[string]string{}
	for _, role := range plan.Roles() {
		tokens[role] = g.token(role)
	}
	var rows strings.Builder
	for _, o := range g.ops() {
		fmt.Fprintf(&rows, "%s %s %s %s\n", o.ID, o.verb, o.path, o.Action)
	}
	golden(t, "testdata/rights.txt", []byte(rows.String()))
	for _, o := range g.ops() {
		if w := g.ask("", o.verb, fill(o.path, "1"), ""); w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s without a token: %d", o.ID, w.Code)
		}
		for role, token := range tokens {
			name := o.ID + " by " + role
			may := auth.May(g.actor(role), auth.Action(o.Action)) == nil
			body := ""
			if o.verb == http.MethodPost {
				body = `{"none":1}` // whoever may gets as far as its form
			}
			w := g.ask(token, o.verb, fill(o.path, "1"), body)
			switch {
			case !may && w.Code != http.StatusForbidden:
				t.Errorf("%s: %d, want 403", name, w.Code)
			case !may && !strings.Contains(w.Body.String(), `"right":"`+o.Action+`"`):
				t.Errorf("%s does not say which right is missing: %s", name, w.Body)
			case may && w.Code == http.StatusForbidden && !personal(o):
				t.Errorf("%s: 403: %s", name, w.Body)
			case w.Code >= 500:
				t.Errorf("%s: %d: %s", name, w.Code, w.Body)
			}
			if !strings.Contains(o.path, "/incidents/{id}") {
				continue
			}
			if w := g.ask(token, o.verb, fill(o.path, "2"), body); role != plan.Analyst && w.Code != http.StatusForbidden && w.Code != http.StatusNotFound {
				t.Errorf("%s on an incident that is restricted to others: %d, want 403: %s", name, w.Code, w.Body)
			}
		}
	}
}

// personal are operations that ask for more than a right: that it is oneself, another right besides, or no token.
func personal(o op) bool {
	return strings.HasPrefix(o.path, "/me") || strings.HasPrefix(o.path, "/people/{id}") || strings.HasPrefix(o.path, "/approvals/") || strings.HasPrefix(o.path, "/notices/") || strings.HasPrefix(o.path, "/mail/key/re") || o.ID == "renewCalendars" || o.ID == "removeFactors"
}

// A restricted incident is in no list of those who are not named.
func TestRestrictedIncidentsAreNowhere(t *testing.T) {
	g := elsewhere(t)
	for _, role := range plan.Roles() {
		if auth.May(g.actor(role), auth.See) != nil {
			continue
		}
		w := g.ask(g.token(role), "GET", "/incidents?state=all", "")
		if got := strings.Contains(w.Body.String(), `"id":2`); w.Code != http.StatusOK || got != (role == plan.Analyst) {
			t.Errorf("%s: %d, sees the restricted incident: %v: %s", role, w.Code, got, w.Body)
		}
	}
}

// Given tokens of every kind that opens nothing, then 401 with a challenge, never by a query or a cookie, and no token is in the log.
func TestTokens(t *testing.T) {
	g := elsewhere(t)
	good, gone, revoked, bounded := g.token(plan.Analyst), g.token(plan.Legal), g.token(plan.Analyst), g.token(plan.Engineer, auth.See)
	g.must(g.d.PutPerson(desk.Local("config"), plan.Legal, []string{plan.Legal}, desk.Contact{Name: "Gone"}, true))
	c, err := g.d.Credentials(plan.Analyst)
	g.must(err)
	g.must(g.d.RevokeToken(g.actor(plan.Analyst), plan.Analyst, c.Tokens[len(c.Tokens)-1].ID))
	if _, err := g.d.TokenActor(good, time.Now().AddDate(0, 0, 31)); err == nil {
		t.Error("a token works behind its end")
	}
	for name, x := range map[string]struct {
		token   string
		path    string
		headers []string
		code    int
	}{
		"a right one":                     {good, "/incidents", nil, 200},
		"none":                            {"", "/incidents", nil, 401},
		"a made up one":                   {"tcs_00000000000000000000000000000000000000", "/incidents", nil, 401},
		"one cut short":                   {good[:20], "/incidents", nil, 401},
		"of somebody who is gone":         {gone, "/incidents", nil, 401},
		"a revoked one":                   {revoked, "/incidents", nil, 401},
		"in a query":                      {"", "/incidents?access_token=" + good, nil, 401},
		"in a query beside a right one":   {good, "/incidents?token=" + good, nil, 401},
		"in a cookie":                     {"", "/incidents", []string{"Cookie", "tocsin=" + good}, 401},
		"by another scheme":               {"", "/incidents", []string{"Authorization", "Basic " + good}, 401},
		"its owner named":                 {good, "/incidents?person=" + plan.Analyst, nil, 200},
		"another person named":            {good, "/incidents?person=" + plan.Commander, nil, 403},
		"within its scope":                {bounded, "/incidents", nil, 200},
		"what its scope leaves out":       {bounded, "/me", nil, 403},
		"no such operation":               {good, "/nothing", nil, 404},
		"no such operation, and no token": {"", "/nothing", nil, 401},
	} {
		w := g.ask(x.token, "GET", x.path, "", x.headers...)
		if w.Code != x.code {
			t.Errorf("%s: %d, want %d: %s", name, w.Code, x.code, w.Body)
		}
		if w.Code == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") || w.Code != 200 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: headers %v", name, w.Header())
		}
		if strings.Contains(w.Body.String(), good) || strings.Contains(w.Body.String(), revoked) {
			t.Errorf("%s: the answer has the token", name)
		}
	}
	g.ask(good, "POST", "/incidents/1/note", `{"note":"x"}`)
	for _, token := range []string{good, gone, revoked, bounded} {
		if strings.Contains(g.log.String(), token) || strings.Contains(g.log.String(), token[5:20]) {
			t.Errorf("the log has a token: %s", g.log)
		}
	}
	if w := g.ask("", "GET", "/openapi.json", ""); w.Code != 200 {
		t.Errorf("the document: %d", w.Code)
	}
	if w := g.ask("", "GET", "/openapi.yaml", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "openapi: 3.1.0") {
		t.Errorf("the document as YAML: %d %.40s", w.Code, w.Body)
	}
}

// notes counts the notes in incident 1.
func (g *gate) notes() (n int) {
	g.d.Read(func(s *desk.State) {
		for _, m := range s.Incidents.Incidents[0].Timeline {
			if m.Kind == "incident.noted" {
				n++
			}
		}
	})
	return n
}

// Given a key, when the same is asked for again, at once by many, and after a restart, then it was done once and the first answer comes again.
func TestIdempotencyKeys(t *testing.T) {
	g := elsewhere(t)
	token, other := g.token(plan.Analyst), g.token(plan.Commander)
	before := g.notes()
	note := func(g *gate, token, key, body string) *httptest.ResponseRecorder {
		return g.ask(token, "POST", "/incidents/1/note", body, "Idempotency-Key", key)
	}
	var wg sync.WaitGroup
	codes := make(chan int, 20)
	for range 20 {
		wg.Go(func() { codes <- note(g, token, `"one"`, `{"note":"first"}`).Code })
	}
	wg.Wait()
	close(codes)
	for code := range codes {
		if code != 200 && code != 409 {
			t.Errorf("at once: %d", code)
		}
	}
	if n := g.notes() - before; n != 1 {
		t.Fatalf("%d notes, want 1", n)
	}
	first := note(g, token, "one", `{"note":"first"}`) // without quotes it is the same key
	if first.Code != 200 || first.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("again: %d %v", first.Code, first.Header())
	}
	for name, x := range map[string]struct {
		token, key, body string
		code, more       int
	}{
		"another body":           {token, "one", `{"note":"second"}`, 422, 0},
		"another person's key":   {other, "one", `{"note":"first"}`, 200, 1},
		"another key":            {token, "two", `{"note":"first"}`, 200, 1},
		"a key of nothing":       {token, `""`, `{"note":"first"}`, 400, 0},
		"a long key":             {token, strings.Repeat("a", 256), `{"note":"first"}`, 400, 0},
		"a mistake":              {token, "three", `{}`, 422, 0},
		"a mistake takes no key": {token, "three", `{"note":"other"}`, 200, 1},
	} {
		was := g.notes()
		if w := note(g, x.token, x.key, x.body); w.Code != x.code || g.notes()-was != x.more {
			t.Errorf("%s: %d and %d notes, want %d and %d: %s", name, w.Code, g.notes()-was, x.code, x.more, w.Body)
		}
	}
	secret := func(g *gate) *httptest.ResponseRecorder {
		return g.ask(token, "POST", "/schedules/calendar/link", `{}`, "Idempotency-Key", "link")
	}
	if w := secret(g); w.Code != 200 {
		t.Errorf("a link: %d %s", w.Code, w.Body)
	}
	if w := secret(g); w.Code != 409 || !strings.Contains(w.Body.String(), "shown only once") {
		t.Errorf("a link again: %d %s", w.Code, w.Body)
	}
	was := g.notes()
	next := opened(t, g.data.Crash(), g.keys.Crash())
	defer next.d.Close()
	if w := note(next, token, "one", `{"note":"first"}`); w.Code != 200 || w.Body.String() != first.Body.String() || w.Header().Get("Idempotent-Replayed") != "true" || next.notes() != was {
		t.Errorf("after a crash: %d %s, %d notes, want %d", w.Code, w.Body, next.notes(), was)
	}
}

// Given a key whose request was killed, when it is asked for again, then what was done is not done again, and what was not is done now.
func TestIdempotencyKeysAfterAKill(t *testing.T) {
	for _, acted := range []bool{false, true} {
		g := elsewhere(t)
		a := g.actor(plan.Analyst)
		if r, err := g.d.Once(desk.Asking{Actor: a, Key: "key", Print: "print"}, time.Now()); r != nil || err != nil {
			t.Fatal(r, err)
		}
		if acted {
			g.must(g.d.Note(a, 1, "it was done", time.Time{}))
		}
		next := opened(t, g.data.Crash(), g.keys.Crash())
		r, err := next.d.Once(desk.Asking{Actor: a, Key: "key", Print: "print"}, time.Now())
		if _, uncertain := errors.AsType[desk.Uncertain](err); uncertain != acted || r != nil || (err == nil) == acted {
			t.Errorf("acted %v: %v, %v", acted, r, err)
		}
		if r, err := next.d.Once(desk.Asking{Actor: a, Key: "key", Print: "print"}, time.Now().Add(25*time.Hour)); err != nil && acted || r != nil {
			t.Errorf("a day later: %v, %v", r, err)
		}
		next.must(next.d.Close())
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code says: programs rely on it; if the change is meant, go test ./internal/api -update, and read the difference", name)
	}
}
