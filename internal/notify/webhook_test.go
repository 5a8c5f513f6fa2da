package notify

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const secretPath = "/services/T0/B0/very-secret-token"

// room returns a chat that answers so, and what was posted to it.
func room(t *testing.T, answer http.HandlerFunc) (*Webhook, func() []slackPost) {
	t.Helper()
	var mu sync.Mutex
	var posts []slackPost
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var p slackPost
		if err := json.Unmarshal(b, &p); err != nil || r.Method != http.MethodPost || r.URL.Path != secretPath {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		mu.Lock()
		posts = append(posts, p)
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	w, err := NewWebhook(WebhookOptions{Name: "slack", URL: srv.URL + secretPath})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w, func() []slackPost {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(posts)
	}
}

func TestWebhookPosts(t *testing.T) {
	w, posts := room(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") })
	err := w.Send(t.Context(), Message{
		Subject: "Critical: <!channel> & \r\nmore", Body: "a < b\nc", Link: "https://t.example/a?x=1&y=|>",
	})
	if err != nil {
		t.Fatal(err)
	}
	p := posts()[0]
	if want := "*Critical: &lt;!channel&gt; &amp; more*\na &lt; b\nc"; p.Text != want {
		t.Errorf("text is %q, want %q", p.Text, want)
	}
	want := []slackBlock{
		{"section", slackText{"mrkdwn", "*Critical: &lt;!channel&gt; &amp; more*"}},
		{"section", slackText{"plain_text", "a < b\nc"}},
		{"section", slackText{"mrkdwn", "<https://t.example/a?x=1&amp;y=%7C%3E|Answer this call>"}},
	}
	if len(p.Blocks) != len(want) {
		t.Fatalf("blocks: %+v", p.Blocks)
	}
	for i := range want {
		if p.Blocks[i] != want[i] {
			t.Errorf("block %d is %+v, want %+v", i, p.Blocks[i], want[i])
		}
	}
}

func TestWebhookFailures(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   Failure
		check  bool // Check finds it too
	}{
		{"room gone", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no_service", 404) },
			Failure{Reason: "slack: it answered 404 no_service"}, true},
		{"refused", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "invalid_payload", 400) },
			Failure{Reason: "slack: it answered 400 invalid_payload"}, false},
		{"too many, wait", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(429)
		}, Failure{Temporary: true, After: 7 * time.Second, Reason: "slack: it answered 429 "}, true},
		{"too many, wait for a year", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "31536000")
			w.WriteHeader(429)
		}, Failure{Temporary: true, After: time.Hour, Reason: "slack: it answered 429 "}, true},
		{"down", func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "down at "+r.URL.Path+"\x1b[0m", http.StatusServiceUnavailable)
		},
			Failure{Temporary: true, Reason: "slack: it answered 503 down at [address][0m"}, true},
		{"points elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusTemporaryRedirect)
		}, Failure{Reason: "slack: it answered 307 and points elsewhere, which is not followed: give the address that it leads to"}, true},
		{"breaks off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			Failure{Temporary: true, Uncertain: true, Reason: "slack: posting to 127.0.0.1: EOF"}, true},
		{"slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			Failure{Temporary: true, Uncertain: true, Reason: "slack: posting to 127.0.0.1: no answer in time"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := room(t, c.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			if f := failure(t, w.Send(ctx, Message{Subject: "x"})); *f != c.want {
				t.Errorf("got  %+v\nwant %+v", *f, c.want)
			}
			ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			if err := w.Check(ctx); (err != nil) != c.check {
				t.Errorf("Check: %v", err)
			}
		})
	}
}

func TestWebhookNobodyListens(t *testing.T) {
	w, err := NewWebhook(WebhookOptions{URL: "http://127.0.0.1:1" + secretPath})
	if err != nil {
		t.Fatal(err)
	}
	f := failure(t, w.Send(t.Context(), Message{Subject: "x"}))
	if !f.Temporary || f.Uncertain || strings.Contains(f.Reason, "secret") || !strings.Contains(f.Reason, "connection refused") {
		t.Errorf("got %+v", *f)
	}
}

func TestWebhookAddressRefused(t *testing.T) {
	for _, u := range []string{"hooks.slack.com/secret", "http://hooks.slack.com/secret", "ftp://127.0.0.1/secret", "https:///secret", "https://%zz/secret"} {
		if _, err := NewWebhook(WebhookOptions{URL: u}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", u, err)
		}
	}
}

func TestWebhookOfEachPerson(t *testing.T) {
	// Given a sender without an address of its own, then each message goes where its To says, by the same rules.
	one, posts := room(t, func(w http.ResponseWriter, r *http.Request) {})
	w, err := NewWebhook(WebhookOptions{Name: "slack"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if err := w.Send(t.Context(), Message{To: one.url, Subject: "x"}); err != nil || len(posts()) != 1 {
		t.Errorf("%d posts, %v", len(posts()), err)
	}
	for _, to := range []string{"", "http://hooks.slack.com/secret"} {
		if f := failure(t, w.Send(t.Context(), Message{To: to, Subject: "x"})); f.Temporary || strings.Contains(f.Reason, "secret") {
			t.Errorf("%q: %+v", to, *f)
		}
	}
	if f := failure(t, w.Check(t.Context())); f.Temporary {
		t.Errorf("Check: %+v", *f)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 5, 3, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "0": 0, "12": 12 * time.Second, "-4": 0, "soon": 0, "99999999999": 0,
		"Tue, 05 May 2026 03:00:30 GMT": 30 * time.Second, "Tue, 05 May 2026 02:00:30 GMT": 0, "Tue, 12 May 2026 03:00:30 GMT": time.Hour,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}
