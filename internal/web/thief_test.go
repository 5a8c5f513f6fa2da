package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/signin"
)

// glass is a browser in which somebody came in by a sheet an hour ago.
func (c *console) glass(t *testing.T) *visitor {
	t.Helper()
	pages, err := c.desk.MakeSheets(desk.Local("test"), 1)
	if err != nil {
		t.Fatal(err)
	}
	a, fact, err := c.desk.UseSheet(pages[0].Code, "127.0.0.1", "s")
	if err != nil {
		t.Fatal(err)
	}
	v := c.as(t, "")
	old := time.Now().Add(-time.Hour)
	v.cookie = must(c.web.sessions.Begin(time.Now(), signin.Session{Person: a.Actor.ID, Until: fact.Until, Proved: old, Second: old}))
	return v
}

// Given the night in which a sheet is needed, when its first ten minutes are over, then it still helps people in, which is what it is for: there is nothing
// that it could prove once more.
func TestASheetHelpsForItsWholeTime(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	v := c.glass(t)
	got := v.post("/people/legal/invite")
	if got.code != http.StatusOK || !strings.Contains(got.body, "/setup/") {
		t.Errorf("a one-time link for somebody who is locked out: %d to %q\n%s", got.code, got.location, middle(got.body))
	}
}

// Given a call of a sheet that is in use, then only to who can answer it a page offers that; the others read why they cannot, and who can.
func TestAnswerIsOfferedToWhoCan(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	thief := c.glass(t)
	c.until(t, "a call for the sheet", func(st *desk.State) bool { return len(st.Calls.Ringing()) > 0 })
	call, incident := "", ""
	c.desk.Read(func(st *desk.State) {
		x := st.Calls.Ringing()[0]
		call, incident = fmt.Sprintf("/calls/%d", x.ID), fmt.Sprintf("/incidents/%d", x.Incidents[0])
	})
	for _, x := range []struct {
		who  string
		v    *visitor
		says string
	}{
		{"anna", c.as(t, "anna"), ""},
		{"a reader", c.as(t, "reader"), "You cannot answer calls with your roles"},
		{"who came in by the sheet", thief, "You cannot answer this call"},
	} {
		for _, path := range []string{"/", "/calls", call, incident} {
			got := x.v.get(path)
			if offered := strings.Contains(got.body, `action="`+call+`/answer"`); got.code != http.StatusOK || offered != (x.says == "") {
				t.Errorf("%s at %s: %d, offered %v", x.who, path, got.code, offered)
			}
			if says := strings.Contains(got.body, "You cannot answer"); says != (x.says != "") || !strings.Contains(got.body, x.says) {
				t.Errorf("%s at %s: does not read %q", x.who, path, x.says)
			}
		}
	}
}

// Given an office in which everybody has mistyped, or one machine is the attacker's, when its passwords have to wait, then passkeys and the safe do not: nobody
// can guess them. What is tried there itself is slowed, to a minute at most.
func TestPasswordsKeepNobodyFromTheSafe(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	for n := range 40 {
		c.web.throttle.Allow(time.Now().Add(time.Duration(n-40)*time.Second), "mallory", c.web.address(&http.Request{RemoteAddr: "127.0.0.1:1"}))
	}
	v := c.as(t, "")
	if got := v.post("/sign-in", "id", "anna", "password", "wrong"); got.code != http.StatusTooManyRequests {
		t.Fatalf("the control, a password: %d", got.code)
	}
	for _, path := range []string{"/sign-in/break-glass", "/sign-in/passkey"} {
		if got := v.post(path, "code", "x", "ceremony", "x"); got.code != http.StatusUnprocessableEntity {
			t.Errorf("%s after others' passwords: %d", path, got.code)
		}
		waits := ""
		for range 40 {
			waits = v.post(path, "code", "x", "ceremony", "x").header.Get("Retry-After")
		}
		if waits == "" || len(waits) > 2 {
			t.Errorf("%s is tried 40 times and waits %q s", path, waits)
		}
	}
	known := c.as(t, "")
	known.others = map[string]*http.Cookie{"d": signin.DeviceCookie(c.desk.Secret(), false, "anna", time.Now())}
	if got := known.post("/sign-in/break-glass", "code", "x"); got.code != http.StatusUnprocessableEntity {
		t.Errorf("a browser that signed in before, while its network is slowed: %d", got.code)
	}
}

// Given another site, when it sends somebody who is signed in to where an account of the provider is linked, then nothing begins: the account could be its own.
func TestLinkingBeginsHere(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	legal := c.as(t, "legal")
	for from, want := range map[string]int{"cross-site": http.StatusSeeOther, "same-site": http.StatusSeeOther, "same-origin": http.StatusNotFound, "none": http.StatusNotFound} { // there is no provider here
		got := legal.do(http.MethodGet, "/me/link", nil, map[string]string{"Sec-Fetch-Site": from})
		if got.code != want || want == http.StatusSeeOther && got.location != "/me" {
			t.Errorf("from %s: %d to %q", from, got.code, got.location)
		}
	}
}

// Given a session from before somebody left, when they come back, then it opens nothing, whoever took them off the team and by what.
func TestOldSessionsDoNotComeBack(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	legal := c.as(t, "legal")
	if got := legal.get("/me"); got.code != http.StatusOK {
		t.Fatalf("before: %d", got.code)
	}
	for _, gone := range []bool{true, false} {
		if err := c.desk.PutPerson(desk.Local("command"), "legal", []string{"legal"}, desk.Contact{Name: "The legal"}, gone); err != nil {
			t.Fatal(err)
		}
		if got := legal.get("/me"); got.code != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in") {
			t.Errorf("gone %v: %d", gone, got.code)
		}
	}
	if got := c.as(t, "legal").get("/me"); got.code != http.StatusOK {
		t.Errorf("a new session: %d", got.code)
	}
}

// proofs are the routes that ask for a fresh proof, written down a second time: to take one out is a decision, and one that is misspelt asks nobody.
var proofs = strings.Fields(`
	/people /people/{id} /people/{id}/invite /people/{id}/factors /people/{id}/link /people/{id}/key/confirm /people/{id}/key/remove /people/{id}/pin
	/agents /agents/{id}/revoke /break-glass /approvals/{id}
	/me/passkeys /me/passkeys/begin /me/passkeys/{id}/remove /me/app /me/app/confirm /me/app/remove /me/recovery /me/links/{id}/remove /me/tokens /me/password
	/plan/import /plan/{id}/edit /plan/{id}/retire /plan/{id}/offered /reports/key /reports/security-txt`)

// Given a session whose proof is an hour old, when each dangerous form comes, then it is asked for a proof, and nothing is done.
func TestWhatIsDangerousAsksForAProof(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	v := c.as(t, "")
	old := time.Now().Add(-time.Hour)
	v.cookie = must(c.web.sessions.Begin(time.Now(), signin.Session{Person: "anna", Proved: old}))
	asked := []string{}
	before := c.acts(t)
	for _, r := range routes() {
		method, path, _ := strings.Cut(r.pattern, " ")
		if !dangerous(r.pattern) || method != http.MethodPost {
			continue
		}
		asked = append(asked, path)
		if got := v.post(strings.Replace(path, "{id}", "anna", 1), "pin", "4711", "fingerprint", "x", "id", "eve", "count", "1"); !strings.Contains(got.body, "Prove that it is you") {
			t.Errorf("%s: %d", path, got.code)
		}
	}
	for _, path := range proofs {
		if !slices.Contains(asked, path) {
			t.Errorf("%s asks for no proof", path)
		}
	}
	if len(asked) != len(proofs) || !dangerous("GET /me/link") {
		t.Errorf("%d routes ask for a proof, the test knows %d", len(asked), len(proofs))
	}
	if after := c.acts(t); after != before {
		t.Errorf("%d entries were written", after-before)
	}
}
