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
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// WebhookOptions says where a chat listens.
type WebhookOptions struct {
	Name string // how the room is called in errors, such as "slack"; "" is "webhook"
	URL  string // the address of an incoming webhook in Slack's format (Slack, Mattermost and others). It is a secret. TLS only, except on this machine. "" takes each message's own To, when people have rooms of their own
}

// A Webhook posts messages to one room of a chat. It may be used by many goroutines.
type Webhook struct {
	name   string
	url    string
	client *http.Client
}

// NewWebhook checks the options. It does not connect; see Check. Its errors do not show the address.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	name := o.Name
	if name == "" {
		name = "webhook"
	}
	if why := badAddress(o.URL); why != "" && o.URL != "" {
		return nil, fmt.Errorf("%s: %s", name, why)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connectTimeout}).DialContext
	t.TLSHandshakeTimeout = connectTimeout
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	t.MaxIdleConnsPerHost = mailConns
	t.IdleConnTimeout = keepOpen
	return &Webhook{name: name, url: o.URL, client: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// badAddress returns why a webhook's address is not used, without showing it; "" when it is good.
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

// Send posts one message. nil means that the chat took it (any 2xx). Every error is a *Failure.
func (w *Webhook) Send(ctx context.Context, msg Message) error {
	body, err := json.Marshal(slackMessage(msg))
	if err != nil {
		return permanent("%s: %v", w.name, err)
	}
	address := w.url
	if address == "" {
		address = msg.To
	}
	code, answer, after, fail := w.post(ctx, address, body)
	if fail != nil {
		return fail
	}
	return plain(w.judge(code, answer, after))
}

// Check posts an empty object. A room that exists refuses it as incomplete (400) or ignores it, and shows nothing; what
// would stop a message (no such room, no connection, a certificate) stops this too. A Webhook
// without an address of its own cannot be checked: make one for the address in question. Every error is a *Failure.
func (w *Webhook) Check(ctx context.Context) error {
	code, answer, after, fail := w.post(ctx, w.url, []byte("{}"))
	if fail != nil {
		return fail
	}
	if code == http.StatusBadRequest {
		return nil
	}
	return plain(w.judge(code, answer, after))
}

// Close closes the idle connections.
func (w *Webhook) Close() { w.client.CloseIdleConnections() }

// post sends body to address and returns the status, the start of the answer without the address, and the header Retry-After.
func (w *Webhook) post(ctx context.Context, address string, body []byte) (code int, answer, after string, fail *Failure) {
	if why := badAddress(address); why != "" {
		return 0, "", "", permanent("%s: %s", w.name, why)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	var written atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(i httptrace.WroteRequestInfo) { written.Store(i.Err == nil) },
	})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, "", "", permanent("%s: the address is no URL", w.name)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Tocsin")
	resp, err := w.client.Do(req)
	if err != nil {
		// A *url.Error shows the address: only what is inside it may be told.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		fail = network(ctx, w.name+": posting to "+req.URL.Hostname(), err)
		if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			fail = permanent("%s: the certificate of %s does not hold (%s)", w.name, req.URL.Hostname(), oneLine(cert.Err.Error(), maxReply))
		}
		fail.Uncertain = written.Load()
		return 0, "", "", fail
	}
	defer resp.Body.Close()
	start, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // the status is what counts
	return resp.StatusCode, oneLine(hide(string(start), req.URL), maxReply), resp.Header.Get("Retry-After"), nil
}

// judge says what an answer means. Slack's words for its refusals (no_service, channel_is_archived, ...) are kept.
func (w *Webhook) judge(code int, answer, after string) *Failure {
	if code >= 200 && code < 300 {
		return nil
	}
	f := &Failure{Reason: fmt.Sprintf("%s: it answered %d %s", w.name, code, answer)}
	switch {
	case code >= 300 && code < 400:
		f.Reason = fmt.Sprintf("%s: it answered %d and points elsewhere, which is not followed: give the address that it leads to", w.name, code)
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests || code >= 500:
		f.Temporary = true
		f.After = retryAfter(after, time.Now())
	}
	return f
}

// hide takes the address, or the part of it that is secret, out of a text.
func hide(s string, u *url.URL) string {
	s = strings.ReplaceAll(s, u.String(), "[address]")
	if len(u.Path) > 8 {
		s = strings.ReplaceAll(s, u.Path, "[address]")
	}
	return s
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

// A slackText is a text of Slack's: mrkdwn knows links and mentions, plain_text shows every character as it is.
type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type slackBlock struct {
	Type string    `json:"type"`
	Text slackText `json:"text"`
}

// A slackPost is what an incoming webhook takes. Blocks are what Slack shows; Text is for its notices, and for the chats
// that know no blocks, so it holds everything too.
type slackPost struct {
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

// slackMessage lays a message out for a chat. Slack takes at most 3,000 characters a block.
func slackMessage(msg Message) slackPost {
	subject, body := oneLine(msg.Subject, maxSubject), lines(msg.Body, 2900)
	p := slackPost{Text: "*" + escape(subject) + "*\n" + escape(body)}
	p.Blocks = append(p.Blocks, slackBlock{"section", slackText{"mrkdwn", "*" + escape(subject) + "*"}})
	if body != "" {
		p.Blocks = append(p.Blocks, slackBlock{"section", slackText{"plain_text", body}})
	}
	if msg.Link != "" {
		link := strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E").Replace(oneLine(msg.Link, maxBody))
		p.Blocks = append(p.Blocks, slackBlock{"section", slackText{"mrkdwn", "<" + strings.ReplaceAll(link, "&", "&amp;") + "|Answer this call>"}})
	}
	return p
}

// escape writes the three characters that Slack reads as its own, so that no title can mention a channel or hide a link.
// https://docs.slack.dev/messaging/formatting-message-text
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
