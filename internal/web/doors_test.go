package web

import (
	"bufio"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
)

func TestSetupLinkWorksOnce(t *testing.T) {
	c := newEmptyConsole(t, attacks(), nil)
	c.run(t)
	nobody := c.as(t, "")
	if got := nobody.get("/sign-in"); !strings.Contains(got.body, "Open the setup link") {
		t.Error("the sign-in does not say how to begin")
	}
	path := link(t, c.desk.SetupLink(time.Now()))
	for _, x := range []struct {
		name  string
		form  []string
		field string
	}{
		{"no name", []string{"id", "anna", "password", "correct horse battery", "again", "correct horse battery"}, "name"},
		{"a bad id", []string{"name", "Anna", "id", "Anna K", "password", "correct horse battery", "again", "correct horse battery"}, "id"},
		{"a bad mail address", []string{"name", "Anna", "id", "anna", "mail", "not one", "password", "correct horse battery", "again", "correct horse battery"}, "mail"},
		{"an unknown zone", []string{"name", "Anna", "id", "anna", "mail", "anna@shop.example", "zone", "Middle/Earth", "password", "correct horse battery", "again", "correct horse battery"}, "zone"},
		{"a weak password", []string{"name", "Anna", "id", "anna", "mail", "anna@shop.example", "password", "short", "again", "short"}, "password"},
		{"two passwords", []string{"name", "Anna", "id", "anna", "mail", "anna@shop.example", "password", "correct horse battery", "again", "another horse battery"}, "again"},
	} {
		got := nobody.post(path, x.form...)
		p := readPage(t, got.body)
		if got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `href="#`+x.field+`"`) || len(p.wrong) > 0 || nobody.cookie != nil {
			t.Errorf("%s: %d %q", x.name, got.code, p.wrong)
		}
		for k := 0; k < len(x.form); k += 2 {
			if secret := x.form[k] == "password" || x.form[k] == "again"; strings.Contains(got.body, `value="`+x.form[k+1]+`"`) == secret {
				t.Errorf("%s: %s does not come back as it should", x.name, x.form[k])
			}
		}
	}
	good := []string{"name", "Anna Keller", "id", "anna", "mail", "anna@shop.example", "password", "correct horse battery", "again", "correct horse battery"}
	if got := nobody.post(path, good...); got.code != http.StatusSeeOther || got.location != "/people?done=setup" || nobody.cookie == nil {
		t.Fatalf("setting up: %d to %q", got.code, got.location)
	}
	if got := nobody.get("/people?done=setup"); got.code != http.StatusOK || !strings.Contains(got.body, "Anna Keller") {
		t.Errorf("after it: %d", got.code)
	}
	thief := c.as(t, "")
	if a, b := thief.get(path), thief.post(path, "name", "Eve", "id", "eve", "password", "correct horse battery", "again", "correct horse battery"); a.code != http.StatusNotFound || b.code != http.StatusNotFound || thief.cookie != nil {
		t.Errorf("the link a second time: %d, %d", a.code, b.code)
	}
}

func TestInviteLinkWorksOnceAndEndsOldSessions(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	anna, old, analyst := c.as(t, "anna"), c.as(t, "analyst"), c.as(t, "")
	got := anna.post("/people/analyst/invite")
	if got.code != http.StatusOK {
		t.Fatalf("inviting: %d", got.code)
	}
	path := link(t, got.body)
	if strings.Contains(anna.get("/people/analyst").body, path) {
		t.Error("the link is shown a second time")
	}
	if p := analyst.get(path); p.code != http.StatusOK || !strings.Contains(p.body, "Choose your password") || old.get("/").code != http.StatusOK {
		t.Errorf("opening the link: %d", p.code)
	}
	if got := analyst.post(path, "id", "anna", "password", "correct horse battery", "again", "correct horse battery"); got.code != http.StatusSeeOther || analyst.cookie == nil {
		t.Fatalf("choosing a password: %d", got.code)
	}
	if got := analyst.get("/people"); !strings.Contains(got.body, "The analyst") || strings.Contains(got.body, "anna@shop.example") || !strings.Contains(got.body, "analyst@shop.example") {
		t.Error("an analyst should see their own address, and not those of others")
	}
	if got := old.get("/"); got.code != http.StatusSeeOther {
		t.Errorf("who was signed in before is still in: %d", got.code)
	}
	if got := c.as(t, "").post(path, "password", "another horse battery", "again", "another horse battery"); got.code != http.StatusNotFound {
		t.Errorf("the link a second time: %d", got.code)
	}
}

func TestSigningInAndOut(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	v := c.as(t, "")
	if got := v.get("/incidents?severity=high"); got.location != "/sign-in?next=%2Fincidents%3Fseverity%3Dhigh" {
		t.Errorf("turned away to %q", got.location)
	}
	if got := v.get("/sign-in?next=%2Fincidents%3Fseverity%3Dhigh"); !strings.Contains(got.body, `name="next" value="/incidents?severity=high"`) {
		t.Error("the form forgets where to go")
	}
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "/\t/evil.example", "/\n/evil.example", "javascript:alert(1)", "evil", "/\u0000/x"} {
		if got := c.as(t, "").get("/sign-in?next=" + strings.NewReplacer("\t", "%09", "\n", "%0a", "\u0000", "%00", `\`, "%5c").Replace(next)); strings.Contains(got.body, `name="next"`) {
			t.Errorf("%q is kept", next)
		}
		if to := local(next); to != "" {
			t.Errorf("%q leads to %q", next, to)
		}
	}
	if got := v.post("/sign-in", "id", "anna", "password", "wrong", "next", "/ledger"); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `value="anna"`) || !strings.Contains(got.body, `value="/ledger"`) || v.cookie != nil {
		t.Errorf("a wrong password: %d", got.code)
	}
	unknown, known := v.post("/sign-in", "id", "nobody", "password", "wrong"), v.post("/sign-in", "id", "reader", "password", "wrong")
	said := func(a answer) string { return a.body[:strings.Index(a.body, "<footer")] } // which has the time
	if a, b := strings.ReplaceAll(said(unknown), "nobody", "reader"), said(known); a != b || unknown.code != known.code {
		t.Errorf("the answer says which ids exist: %d and %d\n%s\n%s", unknown.code, known.code, a, b)
	}
	if got := v.post("/sign-in", "id", "anna", "password", "correct horse battery", "next", "/ledger"); got.code != http.StatusSeeOther || got.location != "/ledger" || v.cookie == nil {
		t.Fatalf("signing in: %d to %q", got.code, got.location)
	}
	if k := v.cookie; !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Path != "/" {
		t.Errorf("cookie %v", k)
	}
	kept := *v
	if got := kept.get("/"); got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("after signing out, Back shows what the browser kept: %q", got.header.Get("Cache-Control"))
	}
	if got := v.post("/sign-out"); got.code != http.StatusSeeOther || got.location != "/sign-in?done=out" || v.cookie != nil {
		t.Errorf("signing out: %d to %q", got.code, got.location)
	}
	if got := kept.get("/"); got.code != http.StatusSeeOther {
		t.Errorf("the old cookie is still good: %d", got.code)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	v := c.as(t, "")
	waited := 0
	for range 12 {
		switch got := v.post("/sign-in", "id", "anna", "password", "wrong"); got.code {
		case http.StatusUnprocessableEntity:
		case http.StatusTooManyRequests:
			waited++
			if got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "Try again in") {
				t.Error("it does not say how long to wait")
			}
		default:
			t.Errorf("%d", got.code)
		}
	}
	if waited < 4 {
		t.Errorf("of 12 tries %d were told to wait", waited)
	}
	c.desk.Read(func(st *desk.State) {
		for _, x := range st.Refused {
			if x.Count != 1 {
				t.Errorf("the ledger says %d refused, want the first only", x.Count)
			}
		}
	})
}

func TestAnswerLink(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	links := map[string]string{}
	for links["anna@shop.example"] == "" || links["analyst@shop.example"] == "" {
		select {
		case m := <-c.mails:
			links[m.To] = link(t, m.Body)
		case <-time.After(20 * time.Second):
			t.Fatalf("mails came for %v only", links)
		}
	}
	path, other := links["anna@shop.example"], links["analyst@shop.example"]
	nobody := c.as(t, "")
	rings := func() (n int) {
		c.desk.Read(func(st *desk.State) { n = len(st.Calls.Ringing()) })
		return n
	}
	before := rings()
	for range 3 {
		if got := nobody.get(path); got.code != http.StatusOK || !strings.Contains(got.body, "I answer") || strings.Contains(got.body, "203.0.113.9") || rings() != before {
			t.Fatalf("opening the link: %d, %d calls ring", got.code, rings())
		}
	}
	if got := nobody.post(path); got.code != http.StatusOK || !strings.Contains(got.body, "You answered") || rings() >= before {
		t.Fatalf("answering: %d, %d calls ring", got.code, rings())
	}
	second := c.as(t, "").post(other)
	if second.code != http.StatusOK || !strings.Contains(second.body, "Somebody else answered first") || !strings.Contains(second.body, "Anna Keller answered") {
		t.Errorf("the second answer: %d", second.code)
	}
	if got := nobody.get(path); !strings.Contains(got.body, "Anna Keller answered") || strings.Contains(got.body, "I answer<") {
		t.Error("the link still offers to answer")
	}
	if nobody.cookie != nil {
		t.Error("an answer link signs nobody in")
	}
	for _, bad := range []string{path + "x", path[:len(path)-4], "/answer/", "/setup/" + strings.TrimPrefix(path, "/answer/")} {
		if got := nobody.get(bad); got.code != http.StatusNotFound {
			t.Errorf("%s: %d", bad, got.code)
		}
	}
}

func TestLivePings(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(anna.cookie)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	pings := make(chan time.Time, 100)
	go func() {
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if lines.Text() == "event: changed" {
				pings <- time.Now()
			}
		}
	}()
	quiet := func() {
		for {
			select {
			case <-pings:
			case <-time.After(1500 * time.Millisecond):
				return
			}
		}
	}
	quiet()
	actor := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{"commander"}}
	for _, phase := range []string{"containment", "eradication"} { // the second while the first's pause lasts
		if err := c.desk.SetPhase(actor, 1, phase); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	for k := range 2 {
		select {
		case <-pings:
		case <-time.After(5 * time.Second):
			t.Fatalf("%d pings for two changes", k)
		}
	}
}

func TestHealthAndABrokenLedger(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	anna.get("/people")
	if got := c.as(t, "").get("/healthz"); got.code != http.StatusOK {
		t.Errorf("health: %d", got.code)
	}
	c.disk.FailAfter(c.disk.Ops())
	got := anna.post("/incidents/1/phase", "phase", "containment")
	if got.code != http.StatusServiceUnavailable || !strings.Contains(got.body, "Tocsin cannot write") || !strings.Contains(got.body, "tocsin doctor") {
		t.Errorf("a command without a ledger: %d", got.code)
	}
	if got := anna.get("/"); got.code != http.StatusOK || !strings.Contains(got.body, "Tocsin cannot write its ledger") {
		t.Errorf("the overview: %d", got.code)
	}
	door := c.as(t, "").get("/sign-in")
	if !strings.Contains(door.body, "Tocsin cannot write") || strings.Contains(door.body, "ledger/") {
		t.Error("the door says nothing, or too much")
	}
	if got := c.as(t, "").get("/healthz"); got.code != http.StatusServiceUnavailable {
		t.Errorf("health without a ledger: %d", got.code)
	}
}

// TestBehindTLS serves the same desk by https only: the cookie is the host's own, and browsers are told to stay with https.
func TestBehindTLS(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	secure := New(slog.New(slog.DiscardHandler), c.desk, Options{TLS: true, Set: set})
	server := httptest.NewTLSServer(secure.Handler())
	t.Cleanup(func() { secure.Stop(); server.Close() })
	form := url.Values{"id": {"anna"}, "password": {"correct horse battery"}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := server.Client().Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cookies := resp.Cookies()
	if len(cookies) != 2 || cookies[0].Name != "__Host-tocsin" || cookies[1].Name != "__Host-tocsin-device" {
		t.Errorf("cookies %v", cookies)
	}
	for _, k := range cookies {
		if !k.Secure || !k.HttpOnly || k.Path != "/" || k.Domain != "" || k.SameSite < http.SameSiteLaxMode {
			t.Errorf("cookie %v", k)
		}
	}
	if h := resp.Header.Get("Strict-Transport-Security"); !strings.Contains(h, "max-age=") {
		t.Errorf("HSTS %q", h)
	}
}
