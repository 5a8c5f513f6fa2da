package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// # Sign-in at a provider
//
// OpenID Connect's code flow with PKCE, state and nonce. What was decided:
//
//   - A person is known by issuer and subject, pinned to a staff id (Link). A mail address alone never signs anybody in: addresses are handed on,
//     and many providers let anybody write one. At a first use whose verified address is that of one person on the team, a wish is kept, and an
//     administrator pins it, or not; a person who is signed in pins their own.
//   - Where a table of groups is configured, it alone says which roles such a session has: groups that it does not name give nothing, and no group at
//     all gives no way in. The entry of the sign-in names the roles.
//   - There is no back-channel: who is put out at the provider is out here after providerTime at the latest.
//   - The provider is asked when somebody uses it, never at the start, with timeouts, and what it says is bounded. When it is down, the button says
//     so, and every local way in works.

const (
	providerTime  = 8 * time.Hour    // a session of a provider lasts at most so long
	providerWait  = 8 * time.Second  // for one answer
	providerAgain = 20 * time.Second // after a failure it is not asked again sooner
	providerBytes = 1 << 20          // of one answer
	mostGroups    = 500
	maxClaim      = 255 // bytes of a subject; longer ones are refused (OpenID Connect Core 2)
)

// ProviderTime is how long a session that a provider vouches for lasts at most.
const ProviderTime = providerTime

// A ProviderConfig says where people sign in elsewhere.
type ProviderConfig struct {
	Name     string              // on the button: "Kontor Nord"
	Issuer   string              // https, or http on loopback
	ClientID string              //
	Secret   string              // "" of a public client
	Redirect string              // our address of the way back: https://tocsin.shop.example/sign-in/provider/back
	Claim    string              // that lists groups; "" is "groups"
	Scopes   []string            // besides openid, email and profile
	Roles    map[string][]string // roles by group; empty: the plan's roles count
	Known    []string            // the roles that there are
}

// ErrProvider means that the provider cannot be used at this moment; its text is for the person.
type ErrProvider struct {
	Name string
	Why  error
}

func (e ErrProvider) Error() string {
	return fmt.Sprintf("%s cannot be reached or does not answer as it should, so nobody can sign in by it now; a passkey or a password works without it", e.Name)
}

func (e ErrProvider) Unwrap() error { return e.Why }

// ErrForeign means that the provider's answer is not the one to our question: forged, replayed, or of another browser.
var ErrForeign = errors.New("this sign-in was not begun here, or took too long: begin again")

// A Provider is where people sign in elsewhere. Safe for use by many goroutines.
type Provider struct {
	c      ProviderConfig
	client *http.Client

	mu     sync.Mutex
	p      *oidc.Provider
	failed time.Time
	why    error
}

// NewProvider checks a configuration; it asks nobody yet. Its errors are for those who run Tocsin.
func NewProvider(c ProviderConfig) (*Provider, error) {
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, fmt.Errorf("the issuer of single sign-on must be an https address, such as https://login.shop.example; got %q", c.Issuer)
	}
	if c.ClientID == "" {
		return nil, errors.New("single sign-on needs the client id that the provider gave to Tocsin")
	}
	if c.Name == "" {
		c.Name = u.Hostname()
	}
	if c.Claim == "" {
		c.Claim = "groups"
	}
	for group, roles := range c.Roles {
		if len(roles) == 0 || group == "" {
			return nil, fmt.Errorf("single sign-on: the group %q gives no role; remove it, or name one", group)
		}
		for _, r := range roles {
			if !slices.Contains(c.Known, r) {
				return nil, fmt.Errorf("single sign-on: the group %q gives the role %q, which there is not; known: %s", group, r, strings.Join(c.Known, ", "))
			}
		}
	}
	dial := &net.Dialer{Timeout: providerWait / 2}
	t := &http.Transport{DialContext: dial.DialContext, TLSHandshakeTimeout: providerWait / 2, ResponseHeaderTimeout: providerWait, MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true, Proxy: http.ProxyFromEnvironment}
	return &Provider{c: c, client: &http.Client{Transport: bounded{t}, Timeout: providerWait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// bounded is a transport whose answers have an end.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, providerBytes), resp.Body}
	}
	return resp, err
}

// Name is what the provider is called.
func (p *Provider) Name() string { return p.c.Name }

// Issuer is the provider's name for itself.
func (p *Provider) Issuer() string { return p.c.Issuer }

// Mapped reports whether roles come from the provider's groups.
func (p *Provider) Mapped() bool { return len(p.c.Roles) > 0 }

// discover returns what the provider says of itself; it is asked once, and after a failure not at once again.
func (p *Provider) discover(ctx context.Context, now time.Time) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.p != nil {
		return p.p, nil
	}
	if p.why != nil && now.Sub(p.failed) < providerAgain && now.Sub(p.failed) >= 0 {
		return nil, ErrProvider{p.c.Name, p.why}
	}
	ctx, done := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerWait)
	defer done()
	found, err := oidc.NewProvider(ctx, p.c.Issuer)
	if err != nil {
		p.failed, p.why = now, err
		return nil, ErrProvider{p.c.Name, err}
	}
	p.p, p.why = found, nil
	return found, nil
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.c.ClientID, ClientSecret: p.c.Secret, Endpoint: found.Endpoint(), RedirectURL: p.c.Redirect,
		Scopes: append([]string{oidc.ScopeOpenID, "email", "profile"}, p.c.Scopes...)}
}

// A Journey is one way to the provider and back: keep it in Ceremonies under its state.
type Journey struct {
	Nonce, Verifier string
	Person          string // who wants to pin their own account; "" is a sign-in
	Next            string // where to go afterwards
}

// Depart returns the address at the provider to which the browser goes, and what must be kept until it comes back. state names the journey: it
// is the id that Ceremonies gave it, so it is bound to the browser.
func (p *Provider) Depart(ctx context.Context, now time.Time, keep func(Journey) (state string), j Journey) (string, error) {
	found, err := p.discover(ctx, now)
	if err != nil {
		return "", err
	}
	raw := make([]byte, 32)
	rand.Read(raw) // never fails (crypto/rand)
	j.Nonce, j.Verifier = base64.RawURLEncoding.EncodeToString(raw), oauth2.GenerateVerifier()
	return p.oauth(found).AuthCodeURL(keep(j), oidc.Nonce(j.Nonce), oauth2.S256ChallengeOption(j.Verifier)), nil
}

// A Stranger is who came back from the provider: proved there, not yet known here.
type Stranger struct {
	Issuer, Subject string
	Mail            string // only when the provider says that it is verified
	Name            string
	Groups          []string
	Roles           []string // that the groups give, in the order of the known ones
	Second          bool     // the provider says that more than one factor was used (RFC 8176)
}

// Arrive takes the code that a browser brought back, with what Depart had kept, and returns who it is. Errors: ErrProvider, ErrForeign.
func (p *Provider) Arrive(ctx context.Context, now time.Time, j Journey, code string) (Stranger, error) {
	if code == "" || len(code) > 4096 {
		return Stranger{}, ErrForeign
	}
	found, err := p.discover(ctx, now)
	if err != nil {
		return Stranger{}, err
	}
	ctx, done := context.WithTimeout(oidc.ClientContext(ctx, p.client), 2*providerWait)
	defer done()
	token, err := p.oauth(found).Exchange(ctx, code, oauth2.VerifierOption(j.Verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < 500 {
			return Stranger{}, fmt.Errorf("%w (the provider refused the code: %s)", ErrForeign, refused.ErrorCode)
		}
		return Stranger{}, ErrProvider{p.c.Name, err}
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Stranger{}, ErrProvider{p.c.Name, errors.New("it sent no ID token")}
	}
	id, err := found.Verifier(&oidc.Config{ClientID: p.c.ClientID, Now: func() time.Time { return now }}).Verify(ctx, raw)
	if err != nil {
		return Stranger{}, ErrProvider{p.c.Name, err}
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(j.Nonce)) != 1 || j.Nonce == "" {
		return Stranger{}, fmt.Errorf("%w (the nonce is another)", ErrForeign)
	}
	if id.Subject == "" || len(id.Subject) > maxClaim {
		return Stranger{}, ErrProvider{p.c.Name, errors.New("its subject is empty or too long")}
	}
	claims := map[string]json.RawMessage{}
	if err := id.Claims(&claims); err != nil {
		return Stranger{}, ErrProvider{p.c.Name, err}
	}
	if _, ok := claims[p.c.Claim]; !ok && found.UserInfoEndpoint() != "" {
		if err := p.more(ctx, found, token, id.Subject, claims); err != nil {
			return Stranger{}, ErrProvider{p.c.Name, err}
		}
	}
	return p.stranger(id.Subject, claims), nil
}

// more adds what the provider's userinfo endpoint says, which must be of the same subject (OpenID Connect Core 5.3.2).
func (p *Provider) more(ctx context.Context, found *oidc.Provider, token *oauth2.Token, subject string, claims map[string]json.RawMessage) error {
	u, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return err
	}
	if u.Subject != subject {
		return errors.New("its userinfo is of another subject")
	}
	further := map[string]json.RawMessage{}
	if err := u.Claims(&further); err != nil {
		return err
	}
	for k, v := range further {
		if _, there := claims[k]; !there {
			claims[k] = v
		}
	}
	return nil
}

// stranger reads the claims that count. Claims of another form than the standard's say nothing.
func (p *Provider) stranger(subject string, claims map[string]json.RawMessage) Stranger {
	read := func(name string, into any) bool { return json.Unmarshal(claims[name], into) == nil }
	s := Stranger{Issuer: p.c.Issuer, Subject: subject}
	var mail, name string
	var verified bool
	if read("email", &mail) && read("email_verified", &verified) && verified && len(mail) <= maxClaim {
		s.Mail = mail
	}
	if read("name", &name) && len(name) <= maxClaim {
		s.Name = name
	}
	s.Groups = groupsIn(claims[p.c.Claim])
	s.Roles = RolesOf(p.c.Roles, s.Groups, p.c.Known)
	var amr []string
	if read("amr", &amr) {
		s.Second = twoFactors(amr)
	}
	return s
}

// twoFactors reports whether methods of a sign-in (RFC 8176) are of two kinds: known, had, been. One alone, such as a code by mail ("otp"), is no second factor.
func twoFactors(amr []string) bool {
	kinds := [][]string{{"pwd", "pin", "kba"}, {"hwk", "swk", "otp", "sc", "pop", "sms", "tel"}, {"fpt", "face", "iris", "retina", "vbm"}}
	n := 0
	for _, k := range kinds {
		if slices.ContainsFunc(k, func(m string) bool { return slices.Contains(amr, m) }) {
			n++
		}
	}
	return n > 1 || slices.Contains(amr, "mfa")
}

// groupsIn reads a claim of groups: a list of texts, or one text.
func groupsIn(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list[:min(len(list), mostGroups)]
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}

// RolesOf returns the roles that groups give by a table, in the order of known. Groups are compared byte by byte; those that the table does not
// name give nothing.
func RolesOf(table map[string][]string, groups, known []string) (roles []string) {
	for _, r := range known {
		if slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(table[g], r) }) {
			roles = append(roles, r)
		}
	}
	return roles
}
