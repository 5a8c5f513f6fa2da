package chat

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
)

// errLied is an answer that says that all is well, but lacks what was asked for.
var errLied = errors.New("it answered without what was asked for")

func tlsConfig() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }

// bounded cuts off answers that are longer than any of Slack's.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

// call makes one call of Slack's API. It waits while the method is held back (429 counts per method and workspace), and,
// when channel is given, for that channel's turn; it waits out short holds itself, and reports longer ones.
func (s *Slack) call(ctx context.Context, method, channel string, do func(context.Context) error) *Failure {
	for try := 1; ; try++ {
		if f := s.pace.method(ctx, method); f != nil {
			return f
		}
		if channel != "" {
			if err := s.pace.turn(ctx, channel, s.every); err != nil {
				return &Failure{Temporary: true, Reason: "slack, " + method + ": broken off while waiting for the channel's turn"}
			}
		}
		f := s.once(ctx, method, do)
		if f == nil || f.After == 0 {
			return f
		}
		s.pace.hold(method, f.After)
		if try == maxTries || f.After > waitAtMost {
			return f
		}
	}
}

// once makes one call, and words what went wrong.
func (s *Slack) once(ctx context.Context, method string, do func(context.Context) error) *Failure {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var written atomic.Bool
	err := do(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(i httptrace.WroteRequestInfo) { written.Store(i.Err == nil) },
	}))
	if err == nil {
		return nil
	}
	f := s.failure(ctx, method, err)
	if f.code == "" && f.After == 0 && f.Temporary {
		f.Uncertain = written.Load()
	}
	return f
}

// failure words an error of slack-go's client.
func (s *Slack) failure(ctx context.Context, method string, err error) *Failure {
	doing := "slack, " + method + ": "
	if e, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		after := min(max(e.RetryAfter, time.Second), maxAfter)
		return &Failure{Temporary: true, After: after, Reason: fmt.Sprintf("%sSlack wants us to wait for %v", doing, after)}
	}
	if e, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return refusal(doing, method, e)
	}
	if e, ok := errors.AsType[slack.StatusCodeError](err); ok {
		f := &Failure{Temporary: e.Code >= 500 || e.Code == http.StatusRequestTimeout || e.Code == http.StatusTooManyRequests, Reason: fmt.Sprintf("%sit answered %d", doing, e.Code)}
		if e.Code == http.StatusTooManyRequests { // without the header that says for how long
			f.After = time.Minute
		}
		if e.Code >= 300 && e.Code < 400 {
			f.Reason += " and points elsewhere, which is not followed: something between here and Slack answers in its place"
		}
		return f
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return permanent("%sthe certificate does not hold (%s): something between here and Slack answers in its place", doing, s.hide(e.Err.Error()))
	}
	if e, ok := errors.AsType[*url.Error](err); ok { // shows the address
		err = e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Err != nil {
		err = e.Err
	}
	why := s.hide(err.Error())
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		why = "no answer in time"
	case ctx.Err() != nil:
		why = "broken off from our side"
	}
	return &Failure{Temporary: true, Reason: doing + why}
}

// refusal words a refusal of Slack's, with how to mend the known ones. https://docs.slack.dev/reference/methods
func refusal(doing, method string, e slack.SlackErrorResponse) *Failure {
	f := &Failure{code: e.Err, Reason: doing + "it refused: " + short(tokenForm.ReplaceAllString(e.Err, "[token]"), 80)}
	which := "bot token (xoxb-)"
	if method == "apps.connections.open" {
		which = "app token (xapp-)"
	}
	switch e.Err {
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive":
		f.Reason += ". The " + which + " does not hold any more: install the app anew in Slack, put the new token in Tocsin's settings, and start it again"
	case "missing_scope", "not_allowed_token_type", "no_permission":
		f.Reason += ". The " + which + " lacks a right"
		if e.Needed != "" {
			f.Reason += " (" + short(e.Needed, 100) + ")"
		}
		f.Reason += ": add the scopes of the manifest in doc/chat.md, and install the app anew"
	case "is_archived":
		f.Reason += ". Somebody archived the incident's channel: unarchive it in Slack, or work without it"
	case "not_in_channel":
		f.Reason += ". Somebody removed the app from the incident's channel: invite it there again (/invite)"
	case "restricted_action":
		f.Reason += ". The workspace lets no apps do this: its owner can allow it under Settings, Permissions"
	case "ratelimited", "rate_limited":
		f.Temporary, f.After = true, 30*time.Second
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org":
		f.Temporary = true
	}
	return f
}

// fatal reports whether the app cannot work any more until somebody mends it.
func (f *Failure) fatal() bool {
	switch f.code {
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope", "not_allowed_token_type", "no_permission", "link_disabled":
		return true
	}
	return false
}

// hide makes an error's text safe to show: no token, one line, bounded.
func (s *Slack) hide(text string) string {
	text = strings.NewReplacer(s.o.BotToken, "[token]", s.o.AppToken, "[token]").Replace(text)
	return short(tokenForm.ReplaceAllString(text, "[token]"), maxReason)
}

// A pace holds back methods that Slack told to wait, and lets one message at a time into a channel.
type pace struct {
	mu   sync.Mutex
	held map[string]time.Time // by method
	next map[string]time.Time // by channel; those of the past are dropped when there are many
}

func newPace() *pace { return &pace{held: map[string]time.Time{}, next: map[string]time.Time{}} }

// hold lets no call of method begin for d.
func (p *pace) hold(method string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.held[method]) {
		p.held[method] = until
	}
}

// method waits until the method is free, or says for how long it is not.
func (p *pace) method(ctx context.Context, method string) *Failure {
	p.mu.Lock()
	d := time.Until(p.held[method])
	p.mu.Unlock()
	if d <= 0 {
		return nil
	}
	if d > waitAtMost {
		return &Failure{Temporary: true, After: d, Reason: fmt.Sprintf("slack, %s: Slack wants us to wait for %v more", method, d.Round(time.Second))}
	}
	if sleep(ctx, d) != nil {
		return &Failure{Temporary: true, After: d, Reason: "slack, " + method + ": broken off while Slack wanted us to wait"}
	}
	return nil
}

// turn waits for the channel's turn, and takes it.
func (p *pace) turn(ctx context.Context, channel string, every time.Duration) error {
	p.mu.Lock()
	now := time.Now()
	at := p.next[channel]
	if at.Before(now) {
		at = now
	}
	if len(p.next) >= 1000 {
		for c, t := range p.next {
			if t.Before(now) {
				delete(p.next, c)
			}
		}
	}
	p.next[channel] = at.Add(every)
	p.mu.Unlock()
	return sleep(ctx, at.Sub(now))
}

// sleep waits, unless the context ends before.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A seen remembers keys: those being worked on, and the last ones that were done.
type seen struct {
	mu    sync.Mutex
	state map[string]bool // true: done
	order []string        // of done, a ring
	at    int
}

func newSeen(n int) *seen { return &seen{state: map[string]bool{}, order: make([]string, n)} }

// begin reports whether key is new, and, when it is not, whether it is done.
func (s *seen) begin(key string) (fresh, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	done, known := s.state[key]
	if !known {
		s.state[key] = false
	}
	return !known, done
}

// end says how the work on key went: what failed is forgotten, so that a repeat is work again.
func (s *seen) end(key string, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !done {
		delete(s.state, key)
		return
	}
	delete(s.state, s.order[s.at])
	s.order[s.at], s.at = key, (s.at+1)%len(s.order)
	s.state[key] = true
}
