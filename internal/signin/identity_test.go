package signin

import (
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/go-cmp/cmp"

	"tocsin/internal/auth"
)

// TestCodesOfAnApp holds codes against the vectors of RFC 6238, appendix B (SHA-1, of which the last six digits are ours).
func TestCodesOfAnApp(t *testing.T) {
	a := Authenticator{Secret: []byte("12345678901234567890")}
	for at, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"} {
		if got := a.Code(time.Unix(at, 0)); got != want[2:] {
			t.Errorf("at %d: %s, want %s", at, got, want[2:])
		}
	}
	now := time.Unix(2000000000, 0)
	for _, x := range []struct {
		name string
		code string
		last int64
		ok   bool
	}{
		{"now", a.Code(now), 0, true},
		{"with a blank in it", a.Code(now)[:3] + " " + a.Code(now)[3:], 0, true},
		{"the one before", a.Code(now.Add(-30 * time.Second)), 0, true},
		{"the one after", a.Code(now.Add(30 * time.Second)), 0, true},
		{"two before", a.Code(now.Add(-60 * time.Second)), 0, false},
		{"two after", a.Code(now.Add(60 * time.Second)), 0, false},
		{"used", a.Code(now), now.Unix() / 30, false},
		{"older than one that was used", a.Code(now.Add(-30 * time.Second)), now.Unix() / 30, false},
		{"newer than one that was used", a.Code(now.Add(30 * time.Second)), now.Unix() / 30, true},
		{"empty", "", 0, false},
		{"longer", a.Code(now) + "0", 0, false},
		{"huge", strings.Repeat("1", 1<<20), 0, false},
	} {
		if step, ok := a.Check(x.code, now, x.last); ok != x.ok || ok && step <= x.last {
			t.Errorf("%s: %d, %v", x.name, step, ok)
		}
	}
	if _, ok := (Authenticator{}).Check((Authenticator{}).Code(now), now, 0); ok {
		t.Error("an empty secret proves something")
	}
	u := a.URI("Tocsin", "anna")
	if want := "otpauth://totp/Tocsin:anna?algorithm=SHA1&digits=6&issuer=Tocsin&period=30&secret=" + base32.StdEncoding.EncodeToString(a.Secret); u != want {
		t.Errorf("the URI is %s", u)
	}
	if d, err := Draw(u); err != nil || d.Size < 33 || !strings.HasPrefix(d.Path, "M4 4h7v1h-7z") || len(d.Path) > 20_000 {
		t.Errorf("the drawing is %d wide, %d bytes, %v", d.Size, len(d.Path), err)
	}
}

// FuzzCode: whatever is typed, a code proves a step of the window that is newer than the last, and the same one never again.
func FuzzCode(f *testing.F) {
	f.Add([]byte("12345678901234567890"), "287082", int64(59), int64(0))
	f.Add([]byte{}, "", int64(-1), int64(-5))
	f.Fuzz(func(t *testing.T, secret []byte, code string, at, last int64) {
		if at < 0 || at > 1<<40 {
			return
		}
		a, now := Authenticator{Secret: secret}, time.Unix(at, 0)
		for _, typed := range []string{code, a.Code(now)} {
			step, ok := a.Check(typed, now, last)
			if !ok {
				continue
			}
			if d := step - at/30; d < -1 || d > 1 || step <= last || len(secret) < 16 {
				t.Fatalf("%q proves step %d at %d after %d", typed, step, at/30, last)
			}
			if again, ok := a.Check(typed, now, step); ok && again <= step {
				t.Fatalf("%q proves step %d twice", typed, step)
			}
		}
	})
}

// TestRecoveryCodes: ten, 80 bits, salted, each once.
func TestRecoveryCodes(t *testing.T) {
	if _, _, err := (Credentials{}).WithRecovery(); err == nil {
		t.Error("recovery codes without a second factor")
	}
	c := Credentials{App: &Authenticator{Secret: make([]byte, 20)}}
	c, shown, err := c.WithRecovery()
	if err != nil || len(shown) != 10 || len(c.Recovery) != 10 {
		t.Fatalf("%d codes, %v", len(shown), err)
	}
	raw, err := c.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shown {
		if strings.Contains(string(raw), s) || strings.Contains(string(raw), strings.ReplaceAll(s, "-", "")) {
			t.Error("a code itself is stored")
		}
	}
	left := c
	for n, s := range shown {
		next, ok := left.Recover(strings.ToLower(strings.ReplaceAll(s, "0", "o")))
		if !ok || len(next.Recovery) != 9-n {
			t.Fatalf("code %d: %v, %d left", n, ok, len(next.Recovery))
		}
		if _, ok := next.Recover(s); ok {
			t.Errorf("code %d works twice", n)
		}
		left = next
	}
	if len(c.Recovery) != 10 {
		t.Error("the old value changed")
	}
	none, err := c.WithoutApp()
	if err != nil || len(none.Recovery) != 0 {
		t.Errorf("recovery codes outlive what they recover: %v", err)
	}
}

// FuzzTyped: what was spelt is read back however it is typed, and nothing else proves a hash.
func FuzzTyped(f *testing.F) {
	f.Add([]byte("0123456789"), "o123-il45")
	f.Fuzz(func(t *testing.T, b []byte, s string) {
		if len(b) < 10 {
			return
		}
		b = b[:10]
		code := spell(b)
		got, err := typed(" "+strings.ToLower(inGroups(code))+"-", recoveryChars)
		if err != nil || got != code {
			t.Fatalf("%q reads as %q, %v", inGroups(code), got, err)
		}
		if back, ok := unspell(code, 10); !ok || string(back) != string(b) {
			t.Fatalf("%x is spelt %q and read %x", b, code, back)
		}
		other, err := typed(s, recoveryChars)
		if err == nil && proves(salted(recoveryFor, code), recoveryFor, other) != (other == code) {
			t.Fatalf("%q and %q", s, code)
		}
		if proves(salted(recoveryFor, code), sheetFor, code) || proves(s, recoveryFor, code) {
			t.Fatal("a hash proves another thing")
		}
	})
}

// TestAPITokens: the form is 42 characters with a check, only a hash is kept, and the limits hold.
func TestAPITokens(t *testing.T) {
	owner := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{"analyst"}}
	c, made, token, err := (Credentials{}).MakeToken(owner, "  nightly   export ", []auth.Action{auth.See, auth.Note, auth.See}, 365, start)
	if err != nil {
		t.Fatal(err)
	}
	if len(token) != 42 || !strings.HasPrefix(token, "tcs_") || made.Name != "nightly export" || len(made.Scope) != 2 || made.Expires.Sub(start) != 365*24*time.Hour {
		t.Errorf("%q: %+v", token, made)
	}
	raw, err := c.Bytes()
	if err != nil || strings.Contains(string(raw), token[4:]) {
		t.Error("the token itself is stored")
	}
	hash, err := APITokenHash(token)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.FindToken(hash, made.Expires.Add(-1)); !ok {
		t.Error("not found")
	}
	if _, ok := c.FindToken(hash, made.Expires); ok {
		t.Error("found after its end")
	}
	for i := range token { // no one character can be changed unnoticed
		b := []byte(token)
		if b[i]++; b[i] == 'I' || b[i] == 'L' || b[i] == 'O' || b[i] == 'U' {
			b[i]++
		}
		if _, err := APITokenHash(string(b)); err == nil {
			t.Errorf("%q reads", b)
		}
	}
	gone, _, err := c.RevokeToken(made.ID)
	if _, ok := gone.FindToken(hash, start); ok || err != nil || len(c.Tokens) != 1 {
		t.Error("revoked, and found")
	}
	for range apiMost - 1 {
		if c, _, _, err = c.MakeToken(owner, "x", []auth.Action{auth.See}, 1, start); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, err = c.MakeToken(owner, "x", []auth.Action{auth.See}, 1, start); err == nil {
		t.Error("a twenty-first token")
	}
}

// FuzzAPIToken: only what has our form reads, and it reads as itself.
func FuzzAPIToken(f *testing.F) {
	f.Add("tcs_00000000000000000000000000000000000000")
	f.Add("tcs_" + strings.Repeat("Z", 38))
	f.Fuzz(func(t *testing.T, s string) {
		hash, err := APITokenHash(s)
		if err == nil && (len(s) != 42 || apiChecksum(s[4:36]) != s[36:] || len(hash) != 64) {
			t.Fatalf("%q reads as %s", s, hash)
		}
		body := spell([]byte((s + strings.Repeat("x", 20))[:20]))
		if _, err := APITokenHash("tcs_" + body + apiChecksum(body)); err != nil {
			t.Fatalf("%s does not read: %v", body, err)
		}
	})
}

// TestLastWay: nobody can take their own last way in.
func TestLastWay(t *testing.T) {
	key := Passkey{ID: "k1", Name: "phone", Key: webauthn.Credential{ID: []byte("1")}}
	c, err := (Credentials{}).WithPasskey(key)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.WithoutPasskey("k1", false); !errors.Is(err, ErrLastWay) {
		t.Errorf("without a password: %v", err)
	}
	if _, _, err := c.WithoutPasskey("k1", true); err != nil {
		t.Errorf("with a password: %v", err)
	}
	if _, _, err := c.WithoutPasskey("k2", true); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
	for name, p := range map[string]Passkey{"the same key": {Name: "other", Key: key.Key}, "the same name": {Name: "PHONE", Key: webauthn.Credential{ID: []byte("2")}},
		"no name": {Key: webauthn.Credential{ID: []byte("2")}}, "a name that turns": {Name: "a\u202eb", Key: webauthn.Credential{ID: []byte("2")}}} {
		if _, err := c.WithPasskey(p); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	linked, err := c.WithLink(Link{Issuer: "https://x", Subject: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := linked.WithoutPasskey("k1", false); err != nil {
		t.Errorf("with an account elsewhere: %v", err)
	}
	if _, _, err := (Credentials{Links: linked.Links}).WithoutLink(0, false); !errors.Is(err, ErrLastWay) {
		t.Errorf("the last account: %v", err)
	}
}

// FuzzCredentials: what is read prints and reads as the same.
func FuzzCredentials(f *testing.F) {
	f.Add([]byte(`{"version":1,"handle":"AAAA","recovery":["a.b"],"tokens":[{"id":"x","scope":["see"]}],"passkeys":[{"id":"k","key":{"id":"AQ=="}}]}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseCredentials(raw)
		if err != nil {
			return
		}
		b, err := c.Bytes()
		if err != nil {
			return // a time beyond year 9999 reads, and does not print
		}
		again, err := ParseCredentials(b)
		if err != nil {
			t.Fatalf("%s does not read: %v", b, err)
		}
		if x, err := again.Bytes(); err != nil || string(x) != string(b) {
			t.Fatalf("%s reads as %s", b, x)
		}
	})
}

// TestSheets: 128 bits with a check, once, for four hours; a new set ends the old one.
func TestSheets(t *testing.T) {
	if _, _, err := NewSheets(Sheets{}, 0, "anna", "", start); err == nil {
		t.Error("no sheets")
	}
	old, first, err := NewSheets(Sheets{}, 2, "anna", "https://x", start)
	if err != nil {
		t.Fatal(err)
	}
	s, pages, err := NewSheets(old, 3, "anna", "https://x", start)
	if err != nil || len(pages) != 3 || pages[0].Number != 3 {
		t.Fatalf("%+v, %v", pages, err)
	}
	if _, _, err := s.Use(first[0].Code, start); !errors.Is(err, ErrGlass) {
		t.Errorf("a void sheet: %v", err)
	}
	used, fact, err := s.Use(strings.ToLower(pages[1].Code), start)
	if want := (GlassFact{4, "break-glass:4", start.Add(4 * time.Hour)}); err != nil || fact != want {
		t.Fatalf("%+v, %v", fact, err)
	}
	if _, _, err := used.Use(pages[1].Code, start); !errors.Is(err, ErrGlass) {
		t.Errorf("twice: %v", err)
	}
	if s.Sheets[3].State() != "sealed" || used.Sheets[3].State() != "used" || used.Sheets[3].Hash != "" || used.Sheets[0].State() != "void" {
		t.Errorf("%+v", used.Sheets)
	}
	code := strings.ReplaceAll(pages[0].Code, "-", "")
	slips := 0
	for i := range code { // one wrong character is told from a wrong code, but for one of 4,096
		b := []byte(code)
		b[i] = alphabet[(strings.IndexByte(alphabet, b[i])+1)%32]
		if _, _, err := s.Use(string(b), start); errors.Is(err, ErrGlass) {
			slips++
		} else if err == nil {
			t.Fatalf("%s opens", b)
		}
	}
	if slips > 3 {
		t.Errorf("%d of %d slips were taken for another code", slips, len(code))
	}
	raw, err := json.Marshal(s)
	if err != nil || strings.Contains(string(raw), pages[0].Code) || strings.Contains(string(raw), code) {
		t.Error("a code itself is stored")
	}
}

// TestCeremonies: once, in the browser that began it, within five minutes, and never too many.
func TestCeremonies(t *testing.T) {
	c := NewCeremonies()
	begin := func() string { return c.Begin(start, "sign-in", "door:a", "203.0.113.0/24", 7) }
	for _, x := range []struct {
		name, purpose, bound string
		after                time.Duration
		ok                   bool
	}{
		{"right", "sign-in", "door:a", ceremonyTime - 1, true},
		{"late", "sign-in", "door:a", ceremonyTime, false},
		{"another browser", "sign-in", "door:b", 0, false},
		{"another purpose", "step-up", "door:a", 0, false},
	} {
		id := begin()
		got, err := c.Take(start.Add(x.after), x.purpose, x.bound, id)
		if (err == nil) != x.ok || x.ok && got != 7 {
			t.Errorf("%s: %v, %v", x.name, got, err)
		}
		if x.name != "another browser" {
			if _, err := c.Take(start, "sign-in", "door:a", id); err == nil {
				t.Errorf("%s: twice", x.name)
			}
		}
	}
	mine := begin()
	for n := range 5000 { // a flood from one network pushes out its own
		c.Begin(start, "sign-in", fmt.Sprint("door:", n), "198.51.100.0/24", n)
	}
	if c.Len() > mostOfNetwork+5 {
		t.Errorf("%d are kept", c.Len())
	}
	if _, err := c.Take(start, "sign-in", "door:a", mine); err != nil {
		t.Errorf("a flood from elsewhere ended mine: %v", err)
	}
	for n := range 5000 {
		c.Begin(start, "sign-in", "door:x", fmt.Sprint("network ", n), n)
	}
	if c.Len() > mostCeremonies {
		t.Errorf("%d are kept", c.Len())
	}
	if c.Begin(start.Add(time.Hour), "x", "y", "z", 0); c.Len() != 1 {
		t.Errorf("%d are kept after an hour", c.Len())
	}
}

// TestSessionsRise: a proof gives the session a new token; fresh is ten minutes; sessions are listed and ended one by one.
func TestSessionsRise(t *testing.T) {
	sh := &shelf{kept: map[string][]byte{}}
	s := NewSessions(sh.store(), true)
	one, err := s.Begin(start, Session{Person: "anna", Device: "Firefox on Linux"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Begin(start.Add(time.Minute), Session{Person: "anna", Until: start.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := s.Find(start, with(one))
	if Fresh(x, start) || !Recent(x, start) || Recent(x, start.Add(freshTime)) || Recent(x, start.Add(-time.Hour)) {
		t.Errorf("after a sign-in without second factor: %+v", x)
	}
	rose, err := s.Freshen(start.Add(time.Hour), with(one), true)
	if err != nil || rose.Value == one.Value {
		t.Fatalf("%v, %v", rose, err)
	}
	if _, ok := s.Find(start.Add(time.Hour), with(one)); ok {
		t.Error("the old token opens")
	}
	x, ok := s.Find(start.Add(time.Hour), with(rose))
	if !ok || !Fresh(x, start.Add(time.Hour+freshTime-1)) || Fresh(x, start.Add(time.Hour+freshTime)) || !x.Started.Equal(start) {
		t.Errorf("%+v, %v", x, ok)
	}
	if _, ok := s.Find(start.Add(time.Hour), with(two)); ok {
		t.Error("a session outlives its own end")
	}
	if _, err := s.Freshen(start, with(nil), true); err == nil {
		t.Error("nobody is fresh")
	}
	three, err := s.Begin(start.Add(time.Hour), Session{Person: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	if l := s.List(start.Add(time.Hour), "anna"); len(l) != 2 {
		t.Errorf("%d are listed", len(l))
	}
	if ok, err := s.EndOne(start.Add(time.Hour), "boris", x.ID); ok || err != nil {
		t.Errorf("somebody else's session was ended: %v, %v", ok, err)
	}
	if n, err := s.EndOthers(start.Add(time.Hour), "anna", x.ID); n < 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, ok := s.Find(start.Add(time.Hour), with(three)); ok {
		t.Error("the other one lives")
	}
	if ok, err := s.EndOne(start.Add(time.Hour), "anna", x.ID); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// TestKnownBrowserIsNotLockedOut: whatever an attacker does to an account, from everywhere and from the owner's own network, the owner's browser
// has a budget of its own; and a stolen cookie of a browser has no more than that.
func TestKnownBrowserIsNotLockedOut(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	th := NewThrottle()
	office := netip.MustParseAddr("198.51.100.20")
	for s := range 7200 {
		now := start.Add(time.Duration(s) * time.Second)
		th.Allow(now, "anna", office)
		th.Allow(now, "anna", netip.AddrFrom4([4]byte{10, byte(s >> 8), byte(s), 1}))
	}
	now := start.Add(2 * time.Hour)
	if th.Allow(now, "anna", office) == 0 {
		t.Error("the attack is not throttled")
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(DeviceCookie(key, false, "anna", start))
	device := Device(key, false, r, "Anna", now)
	if device == "" {
		t.Fatal("the browser is not known")
	}
	for range 3 {
		if w := th.AllowDevice(now, "anna", office, device); w != 0 {
			t.Errorf("the owner waits %v", w)
		}
	}
	th.SucceededDevice(now, "anna", office, device)
	tries := 0
	for s := range 3600 {
		if th.AllowDevice(now.Add(time.Duration(s)*time.Second), "anna", office, device) == 0 {
			tries++
		}
	}
	if tries > 70 {
		t.Errorf("a stolen cookie has %d tries in an hour", tries)
	}
	if Device(key, false, r, "boris", now) != "" || Device(key, false, r, "anna", start.Add(deviceTime)) != "" || Device(key, false, with(nil), "anna", now) != "" {
		t.Error("a browser is known that should not be")
	}
	forged := httptest.NewRequest(http.MethodGet, "/", nil)
	forged.AddCookie(DeviceCookie([]byte("another key of at least 32 bytes!"), false, "anna", start))
	if Device(key, false, forged, "anna", now) != "" {
		t.Error("a forged cookie is known")
	}
}

func TestDeviceWords(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                              "Firefox on Linux",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36":            "Chrome on Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0":                   "Edge on Windows",
		"<script>": "an unknown browser", "": "an unknown browser", "curl/8.5": "curl", strings.Repeat("x", 5000) + "Firefox": "an unknown browser",
	} {
		if got := DeviceWords(agent); got != want {
			t.Errorf("%.60q: %q, want %q", agent, got, want)
		}
	}
}

// TestRolesOf: groups that the table does not name give nothing.
func TestRolesOf(t *testing.T) {
	table := map[string][]string{"oncall": {"engineer", "analyst"}, "law": {"legal"}, "": {"commander"}}
	known := []string{"commander", "engineer", "analyst", "legal"}
	for _, x := range []struct{ groups, want []string }{
		{nil, nil}, {[]string{"ONCALL", "oncall "}, nil}, {[]string{"law", "oncall"}, []string{"engineer", "analyst", "legal"}}, {[]string{"admins"}, nil},
	} {
		if d := cmp.Diff(x.want, RolesOf(table, x.groups, known)); d != "" {
			t.Errorf("%v: %s", x.groups, d)
		}
	}
	for raw, want := range map[string]int{`["a","b"]`: 2, `"a"`: 1, `""`: 0, `{"a":1}`: 0, `[1]`: 0, ``: 0, `["` + strings.Repeat(`a","`, 2000) + `"]`: mostGroups} {
		if got := groupsIn(json.RawMessage(raw)); len(got) != want {
			t.Errorf("%.20s: %d groups, want %d", raw, len(got), want)
		}
	}
	for name, c := range map[string]ProviderConfig{"plain http": {Issuer: "http://login.example", ClientID: "x"}, "no client": {Issuer: "https://login.example"}, "no host": {Issuer: "https:///x", ClientID: "x"},
		"an unknown role": {Issuer: "https://login.example", ClientID: "x", Roles: map[string][]string{"a": {"king"}}}} {
		if _, err := NewProvider(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestPasskeyChallenge: 256 bits that are never the same, and the device must verify its owner: at a sign-in, and when a passkey is made.
func TestPasskeyChallenge(t *testing.T) {
	p, err := NewPasskeys("https://Tocsin.shop.example:443")
	if err != nil {
		t.Fatal(err)
	}
	if o := p.w.Config.RPOrigins; len(o) != 1 || o[0] != "https://tocsin.shop.example" {
		t.Errorf("the origin is %v, and browsers write it without the usual port", o)
	}
	seen := map[string]bool{}
	for range 20 {
		asked, _, err := p.Ask()
		if err != nil {
			t.Fatal(err)
		}
		made, _, err := p.Register((Credentials{}).WithHandle(), "anna", "Anna")
		if err != nil {
			t.Fatal(err)
		}
		for _, options := range [][]byte{asked, made} {
			var x struct {
				Challenge string `json:"challenge"`
				Verify    string `json:"userVerification"`
				Selection struct {
					Verify string `json:"userVerification"`
				} `json:"authenticatorSelection"`
			}
			if err := json.Unmarshal(options, &x); err != nil {
				t.Fatal(err)
			}
			if len(x.Challenge) != 43 || seen[x.Challenge] || x.Verify+x.Selection.Verify != "required" {
				t.Errorf("%s", options)
			}
			seen[x.Challenge] = true
		}
	}
}

func TestPasskeyAddress(t *testing.T) {
	for at, ok := range map[string]bool{"https://tocsin.shop.example": true, "https://tocsin.shop.example:8443": true, "http://localhost:8080": true, "http://tocsin.shop.example": false,
		"https://192.0.2.1": false, "http://[::1]:80": false, "": false, "tocsin": false} {
		if _, err := NewPasskeys(at); (err == nil) != ok {
			t.Errorf("%q: %v", at, err)
		}
	}
}

// FuzzPasskeyResponse: whatever a browser sends, it is refused with an error for people, in bounded memory, and nobody is proved.
func FuzzPasskeyResponse(f *testing.F) {
	p, err := NewPasskeys("https://tocsin.shop.example")
	if err != nil {
		f.Fatal(err)
	}
	cbor, err := hex.DecodeString("a363666d74646e6f6e656761747453746d74a068617574684461746158")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"id":"AQ","rawId":"AQ","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"` + hex.EncodeToString(cbor) + `"}}`))
	f.Add([]byte(`{"id":"AQ","rawId":"AQ","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AAAA","signature":"AA","userHandle":"AA"}}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, response []byte) {
		c := (Credentials{}).WithHandle()
		_, ch, err := p.Register(c, "anna", "Anna")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Registered(c, "anna", ch, "x", response, start); !ErrPasskey(err) {
			t.Fatalf("registered: %v", err)
		}
		_, ask, err := p.Ask()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Answer(ask, response, func([]byte) (string, Credentials, bool) { return "anna", c, true }, func(string, string) uint32 { return 0 }); !ErrPasskey(err) {
			t.Fatalf("signed in: %v", err)
		}
	})
}
