package web

import (
	"bufio"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/signin"
)

// elsewhere is an OpenID provider that runs for one test: npm's oidc-provider, which is certified, of the versions in testdata/oidc.
type elsewhere struct {
	t      *testing.T
	issuer string
	cmd    *exec.Cmd
}

// startProvider installs and starts it. What it needs must be there: a skipped test shows nothing.
func startProvider(t *testing.T, redirect string) *elsewhere {
	t.Helper()
	for _, p := range []string{"node", "npm"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%s is not installed, and the provider of single sign-on runs on it: apt-get install nodejs npm", p)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join("testdata", "oidc", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm cannot install oidc-provider (testdata/oidc/package-lock.json): %v\n%s", err, out)
	}
	cmd := exec.Command("node", "testdata/oidc/provider.mjs", redirect)
	cmd.Env = append(os.Environ(), "NODE_MODULES="+filepath.Join(dir, "node_modules"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	x := &elsewhere{t: t, cmd: cmd}
	t.Cleanup(x.stop)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if issuer, ok := strings.CutPrefix(lines.Text(), "issuer "); ok {
			x.issuer = issuer
			return x
		}
	}
	t.Fatal("the provider ended before it said its issuer")
	return nil
}

func (x *elsewhere) stop() {
	if x.cmd != nil {
		_ = x.cmd.Process.Kill()
		_ = x.cmd.Wait() // it was killed, which is an error
		x.cmd = nil
	}
}

// journey goes through the provider's pages as somebody, with a browser of its own, and returns our address to which it sends them back.
func (x *elsewhere) journey(at, as string) string {
	x.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		x.t.Fatal(err)
	}
	c := http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for range 12 {
		if !strings.HasPrefix(at, x.issuer) {
			return at
		}
		if strings.HasPrefix(strings.TrimPrefix(at, x.issuer), "/interaction/") {
			at += "?as=" + as
		}
		resp, err := c.Get(at)
		if err != nil {
			x.t.Fatal(err)
		}
		resp.Body.Close()
		to, err := resp.Location()
		if err != nil {
			x.t.Fatalf("the provider answers %d at %s and sends nobody on", resp.StatusCode, at)
		}
		at = to.String()
	}
	x.t.Fatal("the provider sends people in circles")
	return ""
}

// TestProvider signs in at a certified provider: who is known, who is not, what groups give, what is forged, and what happens when it is down.
func TestProvider(t *testing.T) {
	t.Parallel()
	var p *elsewhere
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	c := newConsoleOf(t, set, boring(), nil, func(o *desk.Options) {
		p = startProvider(t, o.URL+"/sign-in/provider/back")
		o.SignOn = &signin.ProviderConfig{Name: "Kontor", Issuer: p.issuer, ClientID: "tocsin", Secret: "a secret of the test", Scopes: []string{"groups"},
			Roles: map[string][]string{"oncall": {"analyst", "engineer"}, "lawyers": {"legal"}}}
	})
	c.web.log = textLog(&said)
	c.staffed(t)
	if err := c.desk.PutPerson(desk.Local("test"), "boris", []string{"reader"}, desk.Contact{Name: "Boris Lang", Mail: "boris@shop.example"}, false); err != nil {
		t.Fatal(err)
	}
	leave := func(v *visitor, path string) string {
		t.Helper()
		got := v.get(path)
		if got.code != http.StatusSeeOther || !strings.HasPrefix(got.location, p.issuer+"/auth?") {
			t.Fatalf("%s: %d to %q\n%s", path, got.code, got.location, got.body)
		}
		return got.location
	}
	back := func(v *visitor, at string) answer { return v.get(strings.TrimPrefix(at, c.URL)) }
	says := func(name string, got answer, words string) {
		t.Helper()
		if got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, words) {
			t.Errorf("%s: %d, and the page does not say %q to %q\n%s", name, got.code, words, got.location, middle(got.body))
		}
	}
	change := func(at, field, value string) string {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set(field, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	sub := func(v *visitor) (id string, actor auth.Actor) {
		r := httptestRequest(v)
		w := c.web.visit(nil, r)
		return w.actor.ID, w.actor
	}

	// The request has all that protects it.
	v := c.as(t, "")
	u, err := url.Parse(leave(v, "/sign-in/provider?next=/calls"))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"state", "nonce", "code_challenge"} {
		if len(u.Query().Get(field)) < 20 {
			t.Errorf("the request has no %s", field)
		}
	}
	if u.Query().Get("code_challenge_method") != "S256" || u.Query().Get("response_type") != "code" {
		t.Errorf("the request is %s", u.RawQuery)
	}

	// Boris has a verified address of the team: he waits until an administrator confirms, and is in then, as what his groups give.
	at := p.journey(u.String(), "sub-boris")
	says("an account that waits", back(v, at), "confirm")
	anna := c.as(t, "anna")
	if page := anna.get("/people/boris").body; !strings.Contains(page, "Link this account to them") || !strings.Contains(page, "sub-boris") {
		t.Error("the page of the person does not show who waits")
	}
	if got := anna.post("/people/boris/link", "subject", "sub-other"); got.code != http.StatusNotFound {
		t.Errorf("another subject than was seen is confirmed: %d", got.code)
	}
	if got := anna.post("/people/boris/link", "subject", "sub-boris"); got.location != "/people/boris?done=linked" {
		t.Fatalf("confirming: %d %s", got.code, got.location)
	}
	at = p.journey(leave(v, "/sign-in/provider?next=/calls"), "sub-boris")
	if got := back(v, at); got.code != http.StatusSeeOther || got.location != "/calls" || v.cookie == nil {
		t.Fatalf("Boris is not in: %d to %q\n%s", got.code, got.location, middle(got.body))
	}
	id, actor := sub(v)
	if id != "boris" || !slices.Equal(actor.Roles, []string{"engineer", "analyst"}) {
		t.Errorf("Boris is %s with the roles %v, want those of his group and no other", id, actor.Roles)
	}
	if got := v.get("/people/anna"); got.code != http.StatusForbidden || !strings.Contains(got.body, "This needs a second factor") {
		t.Errorf("an engineer by group, of whom the provider does not say that there was a second factor, keeps the team: %d", got.code)
	}
	e := lastOf[entry.Signin](t, c, entry.SignedIn)
	if e.Method != "oidc" || !slices.Equal(e.Roles, actor.Roles) || e.Session == "" {
		t.Errorf("the entry is %+v", e)
	}
	for _, x := range c.web.sessions.List(time.Now(), "boris") {
		if x.Until.IsZero() || x.Until.After(time.Now().Add(signin.ProviderTime+time.Minute)) {
			t.Errorf("the provider's session lasts until %v", x.Until)
		}
	}

	// What came back once does not come back again, nor in another browser.
	says("the same way back again", back(c.as(t, ""), at), "not begun here")
	stolen := p.journey(leave(c.as(t, ""), "/sign-in/provider"), "sub-boris")
	says("a way back of another browser", back(c.as(t, ""), stolen), "not begun here")

	// What is forged is refused, and signs nobody in.
	for name, forge := range map[string]func(v *visitor) answer{
		"another state": func(v *visitor) answer {
			return back(v, change(p.journey(leave(v, "/sign-in/provider"), "sub-boris"), "state", "x"))
		},
		"no state": func(v *visitor) answer { return v.get("/sign-in/provider/back?code=x") },
		"another nonce": func(v *visitor) answer {
			return back(v, p.journey(change(leave(v, "/sign-in/provider"), "nonce", "0123456789abcdef"), "sub-boris"))
		},
		"another challenge": func(v *visitor) answer {
			return back(v, p.journey(change(leave(v, "/sign-in/provider"), "code_challenge", strings.Repeat("A", 43)), "sub-boris"))
		},
		"another code": func(v *visitor) answer {
			return back(v, change(p.journey(leave(v, "/sign-in/provider"), "sub-boris"), "code", "x"))
		},
		"another issuer (iss)": func(v *visitor) answer {
			return back(v, change(p.journey(leave(v, "/sign-in/provider"), "sub-boris"), "iss", "https://evil.example"))
		},
	} {
		v := c.as(t, "")
		says(name, forge(v), "not begun here")
		if v.cookie != nil {
			t.Errorf("%s: somebody is signed in", name)
		}
	}

	// Who is not known, or whose groups give nothing, is not in.
	v = c.as(t, "")
	says("an unverified address", back(v, p.journey(leave(v, "/sign-in/provider"), "sub-nobody")), "not linked to anybody")
	if _, waits := c.desk.Wish("legal"); waits {
		t.Error("an unverified address makes a wish")
	}
	says("a verified address", back(v, p.journey(leave(v, "/sign-in/provider"), "sub-none")), "confirm")
	if err := c.desk.ConfirmLink(desk.Local("test"), "analyst", "sub-none"); err != nil {
		t.Fatal(err)
	}
	says("groups that give nothing", back(v, p.journey(leave(v, "/sign-in/provider"), "sub-none")), "None of your groups")

	// Somebody who is signed in links their own account, which nobody else can have then.
	legal := c.as(t, "legal")
	if got := back(legal, p.journey(leave(legal, "/me/link"), "sub-legal")); got.location != "/me?done=linked" {
		t.Fatalf("linking: %d %s\n%s", got.code, got.location, middle(got.body))
	}
	says("an account of somebody else", back(legal, p.journey(leave(legal, "/me/link"), "sub-boris")), "somebody else")
	victim := c.as(t, "analyst")
	says("a link that somebody else began", back(victim, p.journey(leave(legal, "/me/link"), "sub-legal")), "not begun here")

	// An open redirect is none.
	v = c.as(t, "")
	if got := back(v, p.journey(leave(v, "/sign-in/provider?next=//evil.example/x"), "sub-boris")); got.location != "/" {
		t.Errorf("led to %q", got.location)
	}

	// Nothing that opens something is in the log.
	for _, secret := range []string{"a secret of the test", "code=", "id_token", v.cookie.Value} {
		if strings.Contains(said.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}

	// The provider is down: a console that has not asked it yet says so, and its local ways work.
	p.stop()
	down, err := signin.NewProvider(signin.ProviderConfig{Name: "Kontor", Issuer: p.issuer, ClientID: "tocsin", Known: []string{"analyst"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := down.Depart(t.Context(), time.Now(), func(signin.Journey) string { return "x" }, signin.Journey{}); err == nil || !strings.Contains(err.Error(), "a passkey or a password works") {
		t.Errorf("of a provider that is down: %v", err)
	}
	v = c.as(t, "")
	got := v.get("/sign-in/provider") // it was asked before: the browser finds nobody there, and comes back
	if got.code != http.StatusSeeOther {
		t.Errorf("leaving for a provider that is down: %d", got.code)
	}
	state := must(url.Parse(got.location)).Query().Get("state")
	if got := v.get("/sign-in/provider/back?code=x&state=" + url.QueryEscape(state)); got.code != http.StatusServiceUnavailable || !strings.Contains(got.body, "a passkey or a password works without it") {
		t.Errorf("coming back while it is down: %d\n%s", got.code, middle(got.body))
	}
	if got := v.post("/sign-in", "id", "anna", "password", "correct horse battery"); got.code != http.StatusSeeOther || v.cookie == nil {
		t.Errorf("the password does not work while the provider is down: %d", got.code)
	}
}
