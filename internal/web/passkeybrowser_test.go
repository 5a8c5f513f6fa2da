package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/signin"
)

// virtual gives a tab an authenticator: a device with a key store that verifies its owner.
func virtual(t *testing.T, ctx context.Context) webauthn.AuthenticatorID {
	t.Helper()
	in(t, ctx, send(webauthn.Enable, webauthn.EnableParams{}))
	return ask(t, ctx, func(ctx context.Context, tab *chromedp.Target) (webauthn.AuthenticatorID, error) {
		r, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
			IsUserVerified: true, AutomaticPresenceSimulation: true}})
		return r.AuthenticatorID, err
	})
}

// keysOf are the passkeys that a virtual authenticator holds.
func keysOf(t *testing.T, ctx context.Context, id webauthn.AuthenticatorID) []*webauthn.Credential {
	t.Helper()
	return ask(t, ctx, func(ctx context.Context, tab *chromedp.Target) ([]*webauthn.Credential, error) {
		r, err := cdp.Call(ctx, tab, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: id})
		return r.Credentials, err
	})
}

// TestBrowserPasskeys registers and uses passkeys in Chromium, as a person does: sign-in without typing an id, step-up, a device that does not know its
// owner, a copied key, and the last way in.
func TestBrowserPasskeys(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, boring(), nil, func(o *desk.Options) { o.URL = strings.Replace(o.URL, "127.0.0.1", "localhost", 1) }).staffed(t)
	at := strings.Replace(c.URL, "127.0.0.1", "localhost", 1)
	device := virtual(t, ctx)
	heard := overhear(t, ctx)
	path := func() string { return strings.TrimPrefix(ask(t, ctx, chromedp.Location()), at) }
	text := func(selector string) string { return ask(t, ctx, chromedp.Text(chromedp.CSS(selector))) }
	token := func() string { return mustCookie(t, ctx) }

	in(t, ctx, wide(), chromedp.Navigate(at+"/sign-in"), shown("#password"), fill("#id", "anna"), fill("#password", "correct horse battery"), click("form[action='/sign-in'] button:not([type=button])"), shown("#open"))
	before := token()
	in(t, ctx, chromedp.Navigate(at+"/me"), shown("#passkey-name"), fill("#passkey-name", "my phone"), click("form[action='/me/passkeys'] button"), shown(".notice"))
	if got := path(); got != "/me?done=passkey" {
		t.Fatalf("after adding it the page is %s", got)
	}
	if says := text("#passkeys"); !strings.Contains(says, "my phone") {
		t.Errorf("the page says %q", says)
	}
	if token() == before {
		t.Error("the session has its old token after the passkey was proved")
	}
	ks := keysOf(t, ctx, device)
	if len(ks) != 1 || !ks[0].IsResidentCredential || len(ks[0].UserHandle) != 32 || strings.Contains(string(ks[0].UserHandle), "anna") {
		t.Fatalf("the device holds %+v", ks)
	}
	in(t, ctx, fill("#passkey-name", "again"), click("form[action='/me/passkeys'] button"), shown("[data-passkey-says]:not([hidden])"))
	if says := text("[data-passkey-says]"); !strings.Contains(says, "already") {
		t.Errorf("the same device twice: %q", says)
	}
	shoot(t, ctx, "me", chromedp.FullScreenshot(100))
	heard.Report(t, "registering")

	// The password alone opens nothing now; the passkey does, without an id.
	in(t, ctx, click(".who button"), shown("#password"), fill("#id", "anna"), fill("#password", "correct horse battery"), click("form[action='/sign-in'] button:not([type=button])"), shown(".wrongs"))
	if says := text(".wrongs"); !strings.Contains(says, "passkey") {
		t.Errorf("the password alone: %q", says)
	}
	heard.Take() // the browser says that the form came back with 422
	shoot(t, ctx, "signin", chromedp.FullScreenshot(100))
	in(t, ctx, chromedp.Navigate(at+"/sign-in?next=/calls"), shown("form[action='/sign-in/passkey'] button"), click("form[action='/sign-in/passkey'] button"), shown(".who button"))
	if got := path(); got != "/calls" {
		t.Errorf("after the passkey the page is %s", got)
	}
	e := lastOf[entry.Signin](t, c, entry.SignedIn)
	if e.ID != "anna" || e.Method != "passkey" || e.Cloned {
		t.Errorf("the entry is %+v", e)
	}
	if u := c.desk.LastUse("anna", must(c.desk.Credentials("anna")).Passkeys[0].ID); u.At.IsZero() || u.Count == 0 {
		t.Errorf("the last use is %+v", u)
	}

	// Ten minutes later a dangerous act asks for it again, and gets it.
	old := time.Now().Add(-time.Hour)
	setCookie(t, ctx, at, must(c.web.sessions.Begin(time.Now(), signin.Session{Person: "anna", Proved: old, Second: old})))
	in(t, ctx, chromedp.Navigate(at+"/me"), click("form[action='/me/recovery'] button"), shown("form[action='/step-up/passkey'] button"), click("form[action='/step-up/passkey'] button"),
		shown("main form.sheet button"), click("main form.sheet button"), shown("#codes"))
	if n := ask(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll('#codes li').length`)); n != 10 {
		t.Errorf("%d recovery codes", n)
	}
	heard.Report(t, "step-up")

	// A device that does not know its owner proves nothing.
	in(t, ctx, click(".who button"), shown("form[action='/sign-in/passkey'] button"),
		send(webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device}), click("form[action='/sign-in/passkey'] button"), shown("[data-passkey-says]:not([hidden])"))
	if got := path(); !strings.HasPrefix(got, "/sign-in") {
		t.Errorf("an unverified owner is at %s", got)
	}
	in(t, ctx, send(webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device, IsUserVerified: true}))

	// A copy of the key, whose counter lags: let in, written down, shown, and not a fresh second factor.
	copied := keysOf(t, ctx, device)[0]
	twin := map[string]any{"authenticatorId": device, "credential": map[string]any{"credentialId": copied.CredentialID, "isResidentCredential": true, "rpId": copied.RpID,
		"privateKey": copied.PrivateKey, "userHandle": copied.UserHandle, "signCount": 0}} // the generated type has members that this device refuses
	in(t, ctx, send(webauthn.RemoveCredential, webauthn.RemoveCredentialParams{AuthenticatorID: device, CredentialID: copied.CredentialID}),
		send(cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}, twin),
		chromedp.Navigate(at+"/sign-in"), shown("form[action='/sign-in/passkey'] button"), click("form[action='/sign-in/passkey'] button"), shown(".who button"))
	if e := lastOf[entry.Signin](t, c, entry.SignedIn); !e.Cloned || e.Method != "passkey" {
		t.Errorf("the entry of the copy is %+v", e)
	}
	in(t, ctx, chromedp.Navigate(at+"/me"), shown("#passkeys .warn"))
	if says := text("#passkeys .warn"); !strings.Contains(says, "copy") {
		t.Errorf("the page says %q", says)
	}
	if x := c.web.sessions.List(time.Now(), "anna")[0]; signin.Fresh(x, time.Now()) {
		t.Error("a copied key is a fresh second factor")
	}

	// It can be removed while there is a password, and then proves nothing.
	setCookie(t, ctx, at, must(c.web.sessions.Begin(time.Now(), signin.Session{Person: "anna", Second: time.Now()})))
	in(t, ctx, chromedp.Navigate(at+"/me"), click("#passkeys li form button"), shown("#passkeys .empty"), click(".who button"), shown("form[action='/sign-in/passkey'] button"))
	heard.Take()
	in(t, ctx, click("form[action='/sign-in/passkey'] button"), shown(".wrongs"))
	if says := text(".wrongs"); !strings.Contains(says, "could not be verified") {
		t.Errorf("a removed passkey: %q", says)
	}
}

// mustCookie is the value of the session's cookie in the browser.
func mustCookie(t *testing.T, ctx context.Context) string {
	t.Helper()
	return ask(t, ctx, func(ctx context.Context, tab *chromedp.Target) (string, error) {
		r, err := cdp.Call(ctx, tab, network.GetCookies, network.GetCookiesParams{})
		if err != nil {
			return "", err
		}
		for _, k := range r.Cookies {
			if k.Name == "tocsin" {
				return k.Value, nil
			}
		}
		return "", nil
	})
}

func setCookie(t *testing.T, ctx context.Context, at string, k *http.Cookie) {
	t.Helper()
	in(t, ctx, send(network.SetCookie, network.SetCookieParams{Name: k.Name, Value: k.Value, URL: at, Path: "/", SameSite: network.CookieSameSiteLax}))
}
