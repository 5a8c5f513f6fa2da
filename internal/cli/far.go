package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/envelope"
)

// What the doctor asks of far sides: as much as can be proved without sending, each for a bounded time, all at once.

const (
	farWithin = 10 * time.Second
	farAnswer = 1 << 20 // bytes of an answer
)

// A farCheck is one question. Its answer is what was proved.
type farCheck struct {
	what, mend string
	ask        func(context.Context) (says string, err error)
	soft       bool // what fails is to be looked at, and rings nobody less
}

// examineFar asks everything that is set up beside mail, telephone and the team's own chats.
func (p Program) examineFar(ctx context.Context, s settings) []finding {
	checks := append(p.chatChecks(s.Config), p.identityChecks(s)...)
	out := make([]finding, len(checks))
	var wg sync.WaitGroup
	for k, c := range checks {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, farWithin)
			defer cancel()
			says, err := c.ask(ctx)
			out[k] = finding{What: c.what, OK: err == nil || c.soft, Warn: err != nil && c.soft, Says: says}
			if err != nil {
				out[k].Says, out[k].Mend = err.Error(), c.mend
				if errors.Is(ctx.Err(), context.DeadlineExceeded) {
					out[k].Says = fmt.Sprintf("no answer within %v: %v", farWithin, err)
				}
			}
		})
	}
	wg.Wait()
	return out
}

// chatChecks are of the ways to ring people. Their addresses are secrets: only hosts are shown.
func (p Program) chatChecks(c config.Config) (out []farCheck) {
	reach := func(what, address, ca string) {
		out = append(out, farCheck{what: what, mend: "see " + what + " in tocsin.yaml, and whether this machine may connect there", ask: func(ctx context.Context) (string, error) {
			return greetTLS(ctx, address, ca)
		}})
	}
	if c.SMS.URL != "" {
		reach("sms", c.SMS.URL, c.SMS.CAFile)
	}
	if c.Telegram.TokenFile != "" {
		reach("telegram", cmp.Or(c.Telegram.API, "https://api.telegram.org"), "")
	}
	if c.Pushover.TokenFile != "" {
		reach("pushover", "https://api.pushover.net", "")
	}
	if c.Ntfy != (config.Ntfy{}) {
		reach("ntfy", cmp.Or(c.Ntfy.URL, "https://ntfy.sh"), c.Ntfy.CAFile)
	}
	for _, h := range c.Webhooks {
		reach("webhooks", h.URL, h.CAFile)
	}
	for _, w := range c.Watchers {
		reach("watchers", w.URL, "")
	}
	for _, x := range c.Chats {
		if x.Kind == "telegram" || x.Kind == "ntfy" {
			continue // their servers are asked above
		}
		if address, err := p.named("address_file", x.AddressFile); err == nil {
			reach("chats", address, x.CAFile)
		}
	}
	if c.Slack.BotTokenFile != "" {
		out = append(out, farCheck{what: "slack", mend: "see slack in tocsin.yaml, and whether the app is still installed", ask: func(ctx context.Context) (string, error) {
			token, err := p.named("slack.bot_token_file", c.Slack.BotTokenFile)
			if err != nil {
				return "", err
			}
			return slackTest(ctx, http.DefaultTransport, "https://slack.com/api/", token)
		}})
	}
	if b := c.Mail.Bounces; b.IMAP != (config.IMAP{}) {
		out = append(out, farCheck{what: "reports", mend: "see mail.bounces.imap in tocsin.yaml", ask: func(ctx context.Context) (string, error) {
			box, err := p.reports(b)
			if err == nil {
				err = box.Check(ctx)
			}
			return "the mailbox for reports of non-delivery can be read", err
		}})
	}
	if c.Reports.IMAP != (config.IMAP{}) {
		out = append(out, farCheck{what: "reports", mend: "see reports.imap in tocsin.yaml", ask: func(ctx context.Context) (string, error) {
			box, err := p.letters(c)
			if err == nil {
				err = box.Check(ctx)
			}
			return "the mailbox for reports from outside can be read", err
		}})
	}
	return out
}

// identityChecks are of who we are to others, and who others are to us.
func (p Program) identityChecks(s settings) (out []farCheck) {
	if i := s.SignOn.Issuer; i != "" {
		out = append(out, farCheck{what: "sign_on", mend: "see sign_on in tocsin.yaml; people sign in by passkey and password meanwhile", ask: func(ctx context.Context) (string, error) {
			return discovery(ctx, http.DefaultTransport, i)
		}})
	}
	if a := s.TLS.ACME; a.On() {
		out = append(out, farCheck{what: "acme", mend: "see tls.acme in tocsin.yaml; the certificate cannot be renewed meanwhile", ask: func(ctx context.Context) (string, error) {
			return acmeDirectory(ctx, cmp.Or(a.Directory, "https://acme-v02.api.letsencrypt.org/directory"), a.CAFile)
		}})
	}
	if s.Mail.From != "" && s.Mail.Host != "" {
		out = append(out, farCheck{what: "wkd", soft: true, mend: "doc/mail.md says how it is served; without it people get the key by hand", ask: func(ctx context.Context) (string, error) {
			return servedKey(ctx, s, envelope.Directory{})
		}})
	}
	return out
}

// greetTLS connects and starts TLS, and says nothing. Its errors name the host alone.
func greetTLS(ctx context.Context, address, ca string) (string, error) {
	u, err := url.Parse(strings.NewReplacer("{{to}}", "1", "{{text}}", "1", "{{id}}", "1").Replace(address))
	if err != nil || u.Hostname() == "" {
		return "", errors.New("the address is no URL")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80"}[u.Scheme]
	}
	host := net.JoinHostPort(u.Hostname(), cmp.Or(port, "443"))
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return "", fmt.Errorf("%s cannot be reached: %w", host, err)
	}
	defer conn.Close()
	if u.Scheme == "http" {
		return host + " takes connections; whether it takes messages shows a test on the page People", nil
	}
	config := &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if config.RootCAs, err = rootsOf(ca); err != nil {
		return "", err
	}
	if err := tls.Client(conn, config).HandshakeContext(ctx); err != nil {
		return "", fmt.Errorf("%s: TLS does not hold: %w", host, err)
	}
	return host + " answers, and its certificate holds; whether it takes messages shows a test", nil
}

// rootsOf reads a file of authorities; "" is those of the machine.
func rootsOf(ca string) (*x509.CertPool, error) {
	if ca == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", ca)
	}
	return pool, nil
}

// ask makes a request that changes nothing and reads a JSON answer. Redirects are not followed.
func ask(ctx context.Context, transport http.RoundTripper, method, address, token string, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return errors.New("the address is no URL")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", r.URL.Host, resp.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, farAnswer)).Decode(into); err != nil {
		return fmt.Errorf("%s answered no JSON: %w", r.URL.Host, err)
	}
	return nil
}

// slackTest asks Slack whose token it is (auth.test).
func slackTest(ctx context.Context, transport http.RoundTripper, api, token string) (string, error) {
	var said struct {
		OK                bool
		Error, Team, User string
	}
	if err := ask(ctx, transport, http.MethodPost, api+"auth.test", token, &said); err != nil {
		return "", err
	}
	if !said.OK {
		return "", fmt.Errorf("the bot's token is refused by Slack: %s", Safe(said.Error))
	}
	return "Slack knows the app as " + Safe(said.User) + " in " + Safe(said.Team), nil
}

// discovery reads what the provider says of itself (OpenID Connect Discovery 1.0, section 4).
func discovery(ctx context.Context, transport http.RoundTripper, issuer string) (string, error) {
	var said struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
		Token  string `json:"token_endpoint"`
	}
	if err := ask(ctx, transport, http.MethodGet, strings.TrimRight(issuer, "/")+"/.well-known/openid-configuration", "", &said); err != nil {
		return "", err
	}
	if said.Issuer != issuer {
		return "", fmt.Errorf("the provider names itself %.100q, and sign_on.issuer says %q: they must be the same to the letter", said.Issuer, issuer)
	}
	if said.Keys == "" || said.Token == "" {
		return "", errors.New("the provider does not say where its keys and tokens are")
	}
	return "the provider " + issuer + " answers; whether it knows us shows a sign-in", nil
}

// acmeDirectory reads the ACME server's directory (RFC 8555 section 7.1.1).
func acmeDirectory(ctx context.Context, directory, ca string) (string, error) {
	roots, err := rootsOf(ca)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	var said struct {
		NewOrder string `json:"newOrder"`
	}
	if err := ask(ctx, transport, http.MethodGet, directory, "", &said); err != nil {
		return "", err
	}
	if said.NewOrder == "" {
		return "", errors.New("this is no ACME server: its directory names no newOrder")
	}
	return "the ACME server answers", nil
}

// servedKey asks the directory of our own mail domain for our key, as others do, and compares it.
func servedKey(ctx context.Context, s settings, d envelope.Directory) (string, error) {
	a, err := mail.ParseAddress(s.Mail.From)
	if err != nil {
		return "", err
	}
	keys, err := disk.Open(s.keys)
	if err != nil {
		return "", err
	}
	ours, err := desk.MailKey(keys, s.Mail.From)
	if err != nil || ours == nil {
		return "there is no key of our own yet: the first start makes it", err
	}
	found, err := d.Lookup(ctx, a.Address, time.Now())
	if err != nil {
		return "", fmt.Errorf("others do not find our key in the directory of %s: %w", a.Address[strings.LastIndexByte(a.Address, '@')+1:], err)
	}
	if found.Fingerprint() != ours.Public().Fingerprint() {
		return "", fmt.Errorf("the directory serves another key (%s) than we sign with (%s)", envelope.Grouped(found.Fingerprint()), envelope.Grouped(ours.Public().Fingerprint()))
	}
	return "others find our key in the directory of our mail domain", nil
}

// examineMailKey says how long our own key for mail is good. It asks nobody.
func examineMailKey(s settings, now time.Time) []finding {
	if s.Mail.From == "" || s.Mail.Host == "" || s.exists() != nil {
		return nil
	}
	f := finding{What: "mail key"}
	keys, err := disk.Open(s.keys)
	var ours *envelope.Identity
	if err == nil {
		ours, err = desk.MailKey(keys, s.Mail.From)
	}
	switch {
	case err != nil:
		f.Says, f.Mend = err.Error(), "bring the key folder back from its backup"
	case ours == nil:
		f.OK, f.Warn, f.Says = true, true, "there is no OpenPGP key of our own for mail yet: the first start makes it"
	default:
		end := ours.Public().Expires()
		f.OK, f.Says = end.IsZero() || now.Before(end), envelope.Grouped(ours.Public().Fingerprint())+" is our OpenPGP key, until "+end.UTC().Format("2 January 2006")
		if w := ours.Warning(now); w != "" {
			f.Warn, f.Says, f.Mend = f.OK, w, "tocsin mail renew makes the next one"
		}
	}
	return []finding{f}
}
