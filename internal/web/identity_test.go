package web

import (
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/signin"
)

func textLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// middle is the part of a page between its head and its foot, for a failure.
func middle(page string) string {
	_, m, _ := strings.Cut(page, "<main")
	m, _, _ = strings.Cut(m, "</main>")
	return m[:min(len(m), 1500)]
}

// httptestRequest is a request of a visitor, with their cookies.
func httptestRequest(v *visitor) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	for _, k := range v.others {
		r.AddCookie(k)
	}
	return r
}

// lastOf returns the body of the newest entry of a kind.
func lastOf[T any](t *testing.T, c *console, k entry.Kind) (x T) {
	t.Helper()
	entries, err := c.desk.LastEntries(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	var newest int64
	for _, e := range entries {
		if e.Kind == k && e.N > newest {
			newest = e.N
			if x, err = entry.Body[T](e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if newest == 0 {
		t.Fatalf("there is no entry of %s", k)
	}
	return x
}

// quiet is a console that watches next to nothing.
func quiet(t *testing.T) *console {
	t.Helper()
	return newConsole(t, boring(), nil)
}

// boring is one line that is no attack.
func boring() fstest.MapFS {
	return fstest.MapFS{"access.log": {Data: []byte("192.0.2.1 - - [10/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 512 " + chrome + "\n")}}
}

var hiddenCeremony = regexp.MustCompile(`name="ceremony" value="([^"]+)"`)
var keyShown = regexp.MustCompile(`key <code class="link">([A-Z2-7 ]+)</code>`)

// addApp adds an authenticator app by the pages, and returns it, with the time of the code that proved it.
func (v *visitor) addApp() (signin.Authenticator, time.Time) {
	v.t.Helper()
	page := v.post("/me/app").body
	ceremony, key := hiddenCeremony.FindStringSubmatch(page), keyShown.FindStringSubmatch(page)
	if ceremony == nil || key == nil {
		v.t.Fatalf("no key is shown:\n%s", middle(page))
	}
	a := signin.Authenticator{Secret: must(base32Bytes(key[1]))}
	at := time.Now()
	if got := v.post("/me/app/confirm", "ceremony", ceremony[1], "code", a.Code(at)); got.location != "/me?done=app" {
		v.t.Fatalf("adding the app: %d\n%s", got.code, middle(got.body))
	}
	return a, at
}

// codesOn are the recovery codes that a page shows.
func codesOn(page string) (codes []string) {
	for _, m := range regexp.MustCompile(`<li><code>([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})</code></li>`).FindAllStringSubmatch(page, -1) {
		codes = append(codes, m[1])
	}
	return codes
}

// TestSecondFactor: with an authenticator app the password alone opens nothing, each code works once, and so does each recovery code.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	anna := c.as(t, "anna")
	if !strings.Contains(anna.get("/me").body, "Your password alone opens everything") {
		t.Error("the page does not say that the password alone is weak")
	}
	before := anna.cookie.Value
	a, added := anna.addApp()
	if anna.cookie.Value == before {
		t.Error("the session has its old token after the second factor was proved")
	}
	codes := codesOn(anna.post("/me/recovery").body)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes are shown", len(codes))
	}
	enter := func(code string) answer {
		return c.as(t, "").post("/sign-in", "id", "anna", "password", "correct horse battery", "code", code)
	}
	for _, x := range []struct {
		name, code, says string
	}{
		{"no code", "", "Type the code"},
		{"a wrong code", "000000", "The code is wrong"},
		{"the code that added the app", a.Code(added), "The code is wrong"},
		{"the first recovery code, small and with blanks", strings.ReplaceAll(strings.ToLower(codes[0]), "-", " "), ""},
		{"the same again", codes[0], "The code is wrong"},
		{"the next code of the app", a.Code(added.Add(30 * time.Second)), ""},
		{"the same code again", a.Code(added.Add(30 * time.Second)), "The code is wrong"},
	} {
		got := enter(x.code)
		if x.says == "" && got.code != http.StatusSeeOther || x.says != "" && (got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, x.says)) {
			t.Errorf("%s: %d\n%s", x.name, got.code, middle(got.body))
		}
		c.web.throttle = signin.NewThrottle()
	}
	if e := lastOf[entry.Credential](t, c, entry.CredentialRemoved); e.Kind != "recovery" || !e.Used || e.Left != 9 {
		t.Errorf("the entry of the recovery code is %+v", e)
	}
	if e := lastOf[entry.Signin](t, c, entry.SignedIn); e.Method != "password+code" || e.Session == "" {
		t.Errorf("the entry of the sign-in is %+v", e)
	}
	again := codesOn(anna.post("/me/recovery").body)
	if got := enter(codes[1]); got.code != http.StatusUnprocessableEntity {
		t.Errorf("a code of the old set works: %d", got.code)
	}
	if len(again) != 10 || slices.Contains(again, codes[1]) {
		t.Errorf("the new set is %v", again)
	}
	if e := lastOf[entry.Refusals](t, c, entry.SigninRefused); e.Count < 1 || e.Net == "" {
		t.Errorf("codes that were used again are counted as %+v", e)
	}
	// An invitation changes the password, and does not stand in for the second factor.
	link, err := c.desk.Invite(desk.Local("test"), "anna")
	if err != nil {
		t.Fatal(err)
	}
	v := c.as(t, "")
	if got := v.post(strings.TrimPrefix(link, c.URL), "password", "another sentence of words", "again", "another sentence of words"); got.location != "/sign-in" || v.cookie != nil {
		t.Errorf("a link alone signs in: %d %s", got.code, got.location)
	}
	for len(c.mails) > 0 { // nothing that opens something goes out
		m := <-c.mails
		for _, secret := range append(slices.Clone(again), link, a.Text()) {
			if strings.Contains(m.Subject+m.Body, secret) {
				t.Errorf("a message says %q", secret)
			}
		}
	}
	// Who has lost the phone has no session left, on the phone or elsewhere.
	if got := c.as(t, "engineer").post("/people/anna/factors"); got.location != "/people/anna?done=factors" || anna.get("/me").code != http.StatusSeeOther {
		t.Errorf("taking the factors away: %d to %q", got.code, got.location)
	}
}

// TestStepUp: what is dangerous asks for a fresh proof, keeps what was typed, and gets a session with a new token.
func TestStepUp(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	stale := func(person string) *visitor {
		v := c.as(t, "")
		old := time.Now().Add(-time.Hour)
		v.cookie = must(c.web.sessions.Begin(time.Now(), signin.Session{Person: person, Proved: old, Second: old}))
		return v
	}
	anna := stale("anna")
	form := []string{"name", "Boris", "id", "boris", "roles", "analyst", "roles", "legal", "password", "never carried"}
	got := anna.post("/people", form...)
	if !strings.Contains(got.body, "Prove that it is you") || !strings.Contains(got.body, `name="f.name" value="Boris"`) || strings.Contains(got.body, "never carried") {
		t.Fatalf("%d\n%s", got.code, middle(got.body))
	}
	before := anna.cookie
	proof := []string{"then", "/people", "f.name", "Boris", "f.id", "boris", "f.roles", "analyst", "f.roles", "legal", "next", "/people"}
	if got := anna.post("/step-up", append(proof, "password", "wrong")...); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "not your password") || !strings.Contains(got.body, `value="Boris"`) {
		t.Errorf("a wrong password: %d\n%s", got.code, middle(got.body))
	}
	got = anna.post("/step-up", append(proof, "password", "correct horse battery")...)
	if got.code != http.StatusOK || !strings.Contains(got.body, "Do it now") || strings.Count(got.body, `name="roles"`) != 2 {
		t.Fatalf("the right one: %d\n%s", got.code, middle(got.body))
	}
	if _, there := c.desk.Person("boris"); there {
		t.Error("it was done before it was confirmed")
	}
	if anna.cookie.Value == before.Value {
		t.Error("rights rose, and the session has its old token")
	}
	old := c.as(t, "")
	old.cookie = before
	if old.get("/me").code != http.StatusSeeOther {
		t.Error("the token from before still opens something")
	}
	if got := anna.post("/people", form...); got.location != "/people/boris?done=person" {
		t.Errorf("afterwards: %d %s", got.code, got.location)
	}
	// Who has an app must show its code; the password does not do.
	c.as(t, "anna").addApp()
	anna = stale("anna")
	if got := anna.post("/step-up", "password", "correct horse battery"); got.code != http.StatusUnprocessableEntity {
		t.Errorf("the password stands in for the app: %d", got.code)
	}
	// A fresh password is not a fresh second factor.
	v := c.as(t, "")
	v.cookie = must(c.web.sessions.Begin(time.Now(), signin.Session{Person: "anna"}))
	if got := v.post("/break-glass", "count", "2"); !strings.Contains(got.body, "Prove that it is you") {
		t.Errorf("sheets are made without a second factor: %d", got.code)
	}
	// So do a change of the plan and a key for reports. A passphrase is in no page, so what needs it is typed again.
	long := strings.Repeat("long ", 2_000)
	for path, carried := range map[string]string{"/plan/skimmer/edit": "f.text", "/plan/import": "f.text", "/plan/skimmer/retire": "f.text", "/plan/skimmer/offered": "f.text", "/reports/key": "f.text", "/reports/security-txt": "f.text"} {
		if got := stale("anna").post(path, "text", long); !strings.Contains(got.body, "Prove that it is you") || !strings.Contains(got.body, carried) {
			t.Errorf("%s without a fresh proof: %d\n%s", path, got.code, middle(got.body))
		}
	}
	if got := stale("anna").post("/reports/key", "passphrase", "a phrase of the team"); got.location != "/step-up?next=%2Freports" || strings.Contains(got.body, "phrase of the team") {
		t.Errorf("a key under a passphrase: %d to %q", got.code, got.location)
	}
	// Neither leads anywhere else.
	if got := stale("analyst").get("/step-up?next=//evil.example"); strings.Contains(got.body, "evil.example") {
		t.Error("the way back is another host")
	}
}

// TestSessionFixation: a token that somebody planted in a browser is not the one that is signed in, and the session that was there ends.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	planted := &http.Cookie{Name: "tocsin", Value: strings.Repeat("A", 43)}
	v := c.as(t, "")
	v.cookie = planted
	if got := v.post("/sign-in", "id", "anna", "password", "correct horse battery"); got.code != http.StatusSeeOther || v.cookie.Value == planted.Value {
		t.Fatalf("%d, and the token is %q", got.code, v.cookie.Value)
	}
	thief := c.as(t, "")
	thief.cookie = planted
	if got := thief.get("/"); got.code != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in") {
		t.Errorf("the planted token opens: %d", got.code)
	}
	first := v.cookie
	if got := v.post("/sign-in", "id", "anna", "password", "correct horse battery"); got.code != http.StatusSeeOther || v.cookie.Value == first.Value {
		t.Errorf("signing in again: %d", got.code)
	}
	thief.cookie = first
	if got := thief.get("/"); got.code != http.StatusSeeOther {
		t.Errorf("the session of before lives on: %d", got.code)
	}
	for _, x := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if s := must(c.web.sessions.Start(time.Now(), "anna")).String(); !strings.Contains(s, x) || strings.Contains(s, "Domain") {
			t.Errorf("the cookie is %s", s)
		}
	}
}

// TestSessionsAreListedAndRevoked by their owner, one by one and all others; each is an entry.
func TestSessionsAreListedAndRevoked(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	sign := func(agent string) *visitor {
		v := c.as(t, "")
		v.do(http.MethodPost, "/sign-in", url.Values{"id": {"anna"}, "password": {"correct horse battery"}}, map[string]string{"User-Agent": agent})
		if v.cookie == nil {
			t.Fatal("not signed in")
		}
		return v
	}
	phone, tablet, desktop := sign("Mozilla/5.0 (iPhone) Safari/1"), sign("<b>evil</b>"), sign("Mozilla/5.0 (X11; Linux x86_64) Firefox/140")
	page := desktop.get("/me").body
	for _, want := range []string{"Safari on iPhone", "Firefox on Linux", "an unknown browser", "127.0.0.0/24", "by password"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	list := c.web.sessions.List(time.Now(), "anna")
	var phones string
	for _, x := range list {
		if x.Device == "Safari on iPhone" {
			phones = x.ID
		}
	}
	if got := c.as(t, "legal").post("/me/sessions/" + phones + "/end"); got.code != http.StatusNotFound {
		t.Errorf("somebody else ends it: %d", got.code)
	}
	if got := desktop.post("/me/sessions/" + phones + "/end"); got.location != "/me?done=unsession" || phone.get("/").code != http.StatusSeeOther || tablet.get("/").code != http.StatusOK {
		t.Errorf("ending one: %d %s", got.code, got.location)
	}
	if e := lastOf[entry.SessionEnd](t, c, entry.SessionRevoked); e.Session != phones || e.Count != 1 {
		t.Errorf("the entry is %+v", e)
	}
	if desktop.post("/me/sessions/end"); tablet.get("/").code != http.StatusSeeOther || desktop.get("/").code != http.StatusOK {
		t.Error("ending all others ended too few or too many")
	}
	// A change of password ends the others, too, and needs the one of before.
	other := sign("curl/8")
	if got := desktop.post("/me/password", "current", "wrong", "password", "quite another sentence", "again", "quite another sentence"); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `href="#current"`) {
		t.Errorf("without the old one: %d", got.code)
	}
	if got := desktop.post("/me/password", "current", "correct horse battery", "password", "quite another sentence", "again", "quite another sentence"); got.location != "/me?done=password" || other.get("/").code != http.StatusSeeOther {
		t.Errorf("changing the password: %d\n%s", got.code, middle(got.body))
	}
}

// TestTokensForPrograms: shown once, bounded by scope and by what the owner may now, revoked, and in no page or log afterwards.
func TestTokensForPrograms(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	var said strings.Builder
	c.web.log = textLog(&said)
	analyst := c.as(t, "analyst")
	for _, x := range []struct {
		name  string
		form  []string
		field string
	}{
		{"more than one may", []string{"name", "x", "scope", "team", "days", "10"}, "token-scope"},
		{"nothing", []string{"name", "x", "days", "10"}, "token-scope"},
		{"an unknown action", []string{"name", "x", "scope", "fly", "days", "10"}, "token-scope"},
		{"for ever", []string{"name", "x", "scope", "see", "days", "366"}, "token-days"},
		{"without a name", []string{"name", " ", "scope", "see", "days", "10"}, "token-name"},
	} {
		if got := analyst.post("/me/tokens", x.form...); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `href="#`+x.field+`"`) {
			t.Errorf("%s: %d", x.name, got.code)
		}
	}
	page := analyst.post("/me/tokens", "name", "nightly export", "scope", "see", "scope", "note", "days", "10").body
	token := regexp.MustCompile(`tcs_[0-9A-Z]{38}`).FindString(page)
	if token == "" {
		t.Fatalf("no token is shown:\n%s", middle(page))
	}
	a, err := c.desk.TokenActor(token, time.Now())
	if err != nil || a.ID != "analyst" {
		t.Fatalf("the token is %+v, %v", a, err)
	}
	for action, may := range map[auth.Action]bool{auth.See: true, auth.Note: true, auth.Handle: false, auth.Team: false} {
		if (auth.May(a, action) == nil) != may {
			t.Errorf("the token may %s: %v", action, !may)
		}
	}
	if _, err := c.desk.MakeToken(a, "child", []auth.Action{auth.See}, 1); err == nil {
		t.Error("a token makes a token")
	}
	if _, err := c.desk.TokenActor(token, time.Now().Add(11*24*time.Hour)); err == nil {
		t.Error("it works after its end")
	}
	page = analyst.get("/me").body
	if strings.Contains(page, token) || !strings.Contains(page, "last used "+time.Now().UTC().Format(time.DateOnly)) {
		t.Error("the page shows the token again, or not when it was used")
	}
	all, err := c.desk.LastEntries(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if strings.Contains(string(e.Body), token) || strings.Contains(string(e.Body), "nightly") {
			t.Errorf("the ledger has the token or its name: %s", e.Body)
		}
	}
	bearer := c.as(t, "").do(http.MethodGet, "/", nil, map[string]string{"Authorization": "Bearer " + token})
	if bearer.code != http.StatusSeeOther || !strings.HasPrefix(bearer.location, "/sign-in") {
		t.Errorf("the console takes a token: %d", bearer.code)
	}
	if strings.Contains(said.String(), token[4:]) {
		t.Error("the log has the token")
	}
	id := lastOf[entry.Token](t, c, entry.TokenMade).ID
	// What its owner may no more, it may no more.
	if err := c.desk.PutPerson(desk.Local("test"), "analyst", []string{"reader"}, desk.Contact{Name: "The analyst"}, false); err != nil {
		t.Fatal(err)
	}
	if a, err := c.desk.TokenActor(token, time.Now()); err != nil || auth.May(a, auth.Note) == nil {
		t.Errorf("the token keeps a right that its owner lost: %v", err)
	}
	if got := c.as(t, "legal").post("/me/tokens/" + id + "/revoke"); got.code != http.StatusNotFound {
		t.Errorf("somebody else revokes it: %d", got.code)
	}
	if got := analyst.post("/me/tokens/" + id + "/revoke"); got.location != "/me?done=untoken" {
		t.Errorf("revoking: %d %s", got.code, got.location)
	}
	if _, err := c.desk.TokenActor(token, time.Now()); err == nil {
		t.Error("it works after it was revoked")
	}
}

// TestBreakGlass: a sheet works once, as commander, for four hours; it rings; a newer set ends an older one.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	anna := c.as(t, "anna")
	made := func(n int) []string {
		t.Helper()
		if got := anna.post("/break-glass", "count", fmt.Sprint(n)); got.code != http.StatusSeeOther || !strings.HasPrefix(got.location, "/approvals") {
			t.Fatalf("sheets without a second person: %d to %q", got.code, got.location)
		}
		asked := int64(0)
		c.desk.Read(func(st *desk.State) { asked = int64(len(st.Approvals.All)) })
		second, _ := c.desk.Person("engineer")
		if err := c.desk.Approve(desk.Actor(second), asked, true, ""); err != nil {
			t.Fatal(err)
		}
		page := anna.post("/break-glass", "count", fmt.Sprint(n)).body
		codes := regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{4}){6}`).FindAllString(page, -1)
		if len(codes) != n {
			t.Fatalf("%d codes are shown, want %d\n%s", len(codes), n, middle(page))
		}
		return codes
	}
	void := made(2)
	codes := made(3)
	if page := anna.get("/break-glass").body; strings.Contains(page, codes[0]) || strings.Count(page, "sealed") != 3 || strings.Count(page, "void") != 2 {
		t.Errorf("the page is\n%s", middle(page))
	}
	use := func(code string) (*visitor, answer) {
		v := c.as(t, "")
		return v, v.post("/sign-in/break-glass", "code", code)
	}
	swapped := []byte(codes[0])
	swapped[0], swapped[2] = swapped[2], swapped[0]
	for name, x := range map[string][2]string{"of the older set": {void[0], "opens nothing"}, "cut": {codes[0][:20], "whole code"}, "empty": {"", "whole code"}, "mistyped": {string(swapped), "mistyped"}} {
		if name == "mistyped" && string(swapped) == codes[0] {
			continue
		}
		if v, got := use(x[0]); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, x[1]) || v.cookie != nil {
			t.Errorf("a code %s: %d\n%s", name, got.code, middle(got.body))
		}
		c.web.throttle = signin.NewThrottle()
	}
	v, got := use(strings.ToLower(strings.ReplaceAll(codes[1], "-", " ")))
	if got.location != "/?done=glass" || v.cookie == nil {
		t.Fatalf("the sheet: %d %s\n%s", got.code, got.location, middle(got.body))
	}
	for _, path := range []string{"/", "/people", "/people/anna", "/me", "/break-glass"} {
		if got := v.get(path); got.code != http.StatusOK {
			t.Errorf("%s: %d", path, got.code)
		}
	}
	if !strings.Contains(v.get("/").body, "Break-glass sheet 4") {
		t.Error("the page does not say by which sheet one is in")
	}
	if _, got := use(codes[1]); got.code != http.StatusUnprocessableEntity {
		t.Errorf("the sheet works twice: %d", got.code)
	}
	if e := lastOf[entry.GlassUse](t, c, entry.GlassUsed); e.Sheet != 4 || e.Person != "break-glass:4" || time.Until(e.Until) > 4*time.Hour {
		t.Errorf("the entry is %+v", e)
	}
	c.until(t, "a call for the sheet", func(st *desk.State) bool {
		return len(st.Calls.Ringing()) > 0
	})
	c.desk.Read(func(st *desk.State) {
		if n := len(st.Incidents.Incidents); n < 1 || st.Incidents.Incidents[n-1].Severity != "critical" {
			t.Errorf("%d incidents", n)
		}
	})
	if _, ok := c.desk.GlassActor("break-glass:4", time.Now().Add(4*time.Hour)); ok {
		t.Error("it lasts longer than four hours")
	}
	if _, ok := c.desk.GlassActor("break-glass:3", time.Now()); ok {
		t.Error("a sheet that is sealed is somebody")
	}
	if got := v.post("/me/tokens", "name", "x", "scope", "see", "days", "1"); got.code != http.StatusForbidden {
		t.Errorf("a sheet makes a token: %d", got.code)
	}
}

// base32Bytes reads a key as an app does.
func base32Bytes(s string) ([]byte, error) {
	return base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(s, " ", ""))
}

// TestNoFolderListings: below /static/ only the files that pages name are served.
func TestNoFolderListings(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	v := c.as(t, "")
	for _, path := range []string{"/static/", "/static", "/static/x/", "/static/app.js", "/static/x/app.js", "/static/%2e%2e/ui.go", "/.git/config", "/testdata/"} {
		if got := v.get(path); got.code != http.StatusNotFound && got.code != http.StatusMovedPermanently && got.code != http.StatusTemporaryRedirect {
			t.Errorf("%s: %d", path, got.code)
		}
	}
}
