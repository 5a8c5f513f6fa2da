package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A poster makes HTTP requests to one provider: TLS 1.2 and better with the certificate checked, no redirects followed, bounded in time and
// in what is read of an answer. Where it posts to is set by an administrator or, for rooms of their own, by a member of the team; so addresses within
// the shop's own network are allowed (a Mattermost or ntfy stands there), and what comes back is shown to them only as far as an error needs.
type poster struct {
	name    string
	client  *http.Client
	secrets []string // what may not stand in a Failure
}

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 64 << 10

// A request is one exchange of a poster.
type request struct {
	method  string // "" is POST
	address string
	kind    string // Content-Type
	header  http.Header
	body    []byte
}

// An answer is what came back.
type answer struct {
	code  int
	body  []byte // the start of it
	after string // the header Retry-After
	shown string // the body as one line, bounded, without secrets
}

// newPoster returns a poster; caFile is a PEM file of an authority of one's own, "" trusts what the machine trusts.
func newPoster(name, caFile string, secrets ...string) (*poster, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connectTimeout}).DialContext
	t.TLSHandshakeTimeout = connectTimeout
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	t.MaxIdleConnsPerHost = mailConns
	t.IdleConnTimeout = keepOpen
	t.MaxResponseHeaderBytes = maxAnswer
	roots, err := rootsOf(caFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t.TLSClientConfig.RootCAs = roots
	p := &poster{name: name, client: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, s := range secrets {
		if len(s) >= 4 {
			p.secrets = append(p.secrets, s)
		}
	}
	return p, nil
}

// Close closes the idle connections.
func (p *poster) Close() { p.client.CloseIdleConnections() }

// do makes one request.
func (p *poster) do(ctx context.Context, r request) (a answer, _ *Failure) {
	if why := badAddress(r.address); why != "" {
		return a, permanent("%s: %s", p.name, why)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	var written atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(i httptrace.WroteRequestInfo) { written.Store(i.Err == nil) },
	})
	if r.method == "" {
		r.method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(traced, r.method, r.address, bytes.NewReader(r.body))
	if err != nil {
		return a, permanent("%s: the address is no URL", p.name)
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	if r.kind != "" {
		req.Header.Set("Content-Type", r.kind)
	}
	req.Header.Set("User-Agent", "Tocsin")
	resp, err := p.client.Do(req)
	if err != nil {
		// A *url.Error shows the address: only what is inside it may be told.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		fail := network(ctx, p.name+": posting to "+req.URL.Hostname(), err)
		if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			fail = permanent("%s: the certificate of %s does not hold (%s)", p.name, req.URL.Hostname(), oneLine(cert.Err.Error(), maxReply))
		}
		fail.Reason = p.hide(fail.Reason, req.URL)
		fail.Uncertain = written.Load()
		return a, fail
	}
	defer resp.Body.Close()
	a.code, a.after = resp.StatusCode, resp.Header.Get("Retry-After")
	a.body, _ = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status is what counts; who needs more finds it cut off
	a.shown = oneLine(p.hide(string(a.body[:min(len(a.body), 4<<10)]), req.URL), maxReply)
	return a, nil
}

// judge says what the status of an answer means. The far side's words for a refusal are kept.
func (p *poster) judge(a answer) *Failure {
	if a.code >= 200 && a.code < 300 {
		return nil
	}
	f := &Failure{Reason: fmt.Sprintf("%s: it answered %d %s", p.name, a.code, a.shown)}
	switch {
	case a.code >= 300 && a.code < 400:
		f.Reason = fmt.Sprintf("%s: it answered %d and points elsewhere, which is not followed: give the address that it leads to", p.name, a.code)
	case a.code == http.StatusRequestTimeout || a.code == http.StatusTooEarly || a.code == http.StatusTooManyRequests || a.code >= 500:
		f.Temporary = true
		f.After = retryAfter(a.after, time.Now())
	}
	return f
}

// lied is the Failure of an answer whose status says yes and whose body does not. It may have been taken all the same.
func (p *poster) lied(a answer, want string) *Failure {
	return &Failure{Temporary: true, Uncertain: true, Reason: fmt.Sprintf("%s: it answered %d, but without %s, so nobody knows whether it took the message: %s", p.name, a.code, want, a.shown)}
}

// hide takes the address, or the part of it that is secret, and the other secrets out of a text.
func (p *poster) hide(s string, u *url.URL) string {
	for _, secret := range p.secrets {
		s = strings.ReplaceAll(s, secret, "[secret]")
		s = strings.ReplaceAll(s, url.QueryEscape(secret), "[secret]")
	}
	return hide(s, u)
}

// hide takes the address out of a text, and the parts of it that are long enough to be secrets.
func hide(s string, u *url.URL) string {
	s = strings.ReplaceAll(s, u.String(), "[address]")
	parts := []string{u.RequestURI(), u.Path}
	for p := range strings.SplitSeq(u.Path, "/") {
		parts = append(parts, p)
	}
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	for _, p := range parts {
		if len(p) > 8 {
			s = strings.ReplaceAll(s, p, "[address]")
			s = strings.ReplaceAll(s, url.QueryEscape(p), "[address]")
		}
	}
	return s
}

// badAddress returns why an address is not used, without showing it; "" when it is good.
func badAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "the address is no URL"
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return "the address must begin with https://, or anybody on the way could read it and post in its name"
	}
	return ""
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// retryAfter reads the header of RFC 9110 10.2.3: seconds or a date.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, maxAfter)
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(t.Sub(now), 0), maxAfter)
	}
	return 0
}

// A Post sends messages to one service by one HTTP request each. It is made by NewMattermost, NewTeams, NewDiscord, NewTelegram, NewNtfy, NewSigned
// and NewSMS, and may be used by many goroutines.
type Post struct {
	*poster
	compose func(Message) (request, error) // lays a message out; its error is permanent and shows no secret
	taken   func(answer) *Failure          // what an answer means; nil takes any 2xx
}

// Send posts one message. nil means that the service took it, not that anybody read it. Every error is a *Failure.
func (p *Post) Send(ctx context.Context, msg Message) error {
	r, err := p.compose(msg)
	if err != nil {
		return permanent("%s: %v", p.name, err)
	}
	a, fail := p.do(ctx, r)
	if fail != nil {
		return fail
	}
	if p.taken == nil {
		return plain(p.judge(a))
	}
	return plain(p.taken(a))
}

// jsonRequest returns a POST of v.
func jsonRequest(address string, v any) (request, error) {
	b, err := json.Marshal(v)
	return request{address: address, kind: "application/json", body: b}, err
}

// ownAddress checks an address that "" may stand for each message's own To; to is then that.
func ownAddress(name, address string) error {
	if address == "" {
		return nil
	}
	if why := badAddress(address); why != "" {
		return fmt.Errorf("%s: %s", name, why)
	}
	return nil
}

// either returns the first of the two that is set.
func either(address, to string) string {
	if address != "" {
		return address
	}
	return to
}

// publicLink reports whether a phone can be given the link as a button: a full address with a name that has a dot, or one that is an address.
func publicLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && strings.Contains(u.Hostname(), ".") && !loopback(u.Hostname()) && len(s) <= 512 && oneLine(s, 512) == s
}

// urgency is how loud a message is, from its severity: 4 Critical, 3 High, 2 Medium or not said, 1 Low.
func urgency(severity string) int {
	if i := slices.Index([]string{"Low", "Medium", "High", "Critical"}, severity); i >= 0 {
		return i + 1
	}
	return 2
}

// runes shortens s to at most limit characters, and shows that it did.
func runes(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}
