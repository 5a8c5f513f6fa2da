package chat

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// TestManifest: the app that doc/chat.md describes may do what this package calls, and no more.
func TestManifest(t *testing.T) {
	doc, err := os.ReadFile("../../doc/chat.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```yaml\n")
	text, _, found := strings.Cut(rest, "```")
	var m struct {
		Features struct {
			Commands []struct {
				Command string
				Escape  bool `yaml:"should_escape"`
			} `yaml:"slash_commands"`
		}
		OAuth    struct{ Scopes struct{ Bot []string } } `yaml:"oauth_config"`
		Settings struct {
			Interactivity struct {
				On bool `yaml:"is_enabled"`
			}
			Messages struct {
				Bot []string `yaml:"bot_events"`
			} `yaml:"event_subscriptions"`
			Socket bool `yaml:"socket_mode_enabled"`
		}
	}
	if err := yaml.Unmarshal([]byte(text), &m); err != nil || !found {
		t.Fatalf("the manifest is no YAML: %v", err)
	}
	// https://docs.slack.dev/reference/scopes
	want := []string{"channels:history", "channels:manage", "channels:read", "chat:write", "commands", "groups:history", "groups:read", "groups:write", "pins:write"}
	slices.Sort(m.OAuth.Scopes.Bot)
	if !slices.Equal(m.OAuth.Scopes.Bot, want) {
		t.Errorf("scopes are %v, want %v", m.OAuth.Scopes.Bot, want)
	}
	if len(m.Features.Commands) != 1 || m.Features.Commands[0].Command != "/tocsin" || !m.Features.Commands[0].Escape || !m.Settings.Socket || !m.Settings.Interactivity.On ||
		!slices.Equal(m.Settings.Messages.Bot, []string{"message.channels", "message.groups"}) {
		t.Errorf("%+v", m)
	}
}

// TestShowAtOnce: however many show an incident at the same time, there is one channel and one card.
func TestShowAtOnce(t *testing.T) {
	f := newWorkspace(t)
	s := f.client(nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Show(t.Context(), Place{}, card()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(f.rooms) != 1 || len(f.rooms[0].messages) != 1 {
		t.Errorf("%d rooms, %d messages", len(f.rooms), len(f.rooms[0].messages))
	}
}

func TestInvite(t *testing.T) {
	f := newWorkspace(t)
	s := f.client(nil)
	f.fails("conversations.invite", false, says(200, no("already_in_channel"))) // one of the two is in it
	f.fails("conversations.invite", false, says(200, no("already_in_channel")))
	if err := s.Invite(t.Context(), Place{Channel: "C042"}, anna, "U0BEN"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range f.calls("conversations.invite") {
		got = append(got, c.form.Get("users"))
	}
	if want := []string{anna + ",U0BEN", anna, "U0BEN"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	f.fails("conversations.invite", false, says(200, no("user_not_found")))
	if fail := failure(t, s.Invite(t.Context(), Place{Channel: "C042"}, "U0GONE")); fail.Temporary {
		t.Errorf("%+v", fail)
	}
}

// TestHalfOpen: a Slack that takes the card and never answers leaves it uncertain, and the next Show finds the card.
func TestHalfOpen(t *testing.T) {
	f := newWorkspace(t)
	s := f.client(nil)
	c, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.fails("chat.postMessage", true, func(http.ResponseWriter, *http.Request) {
		cancel()
		panic(http.ErrAbortHandler)
	})
	at, err := s.Show(c, Place{}, card())
	if fail := failure(t, err); !fail.Temporary || !fail.Uncertain {
		t.Errorf("%+v", fail)
	}
	if at, err = s.Show(t.Context(), at, card()); err != nil || len(f.rooms[0].messages) != 1 || at.Card != f.rooms[0].messages[0].TS {
		t.Errorf("%+v, %v", at, err)
	}
	c, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then is it seen that the other side left
		<-r.Context().Done()
	}))
	t.Cleanup(func() { slow.CloseClientConnections(); slow.Close() })
	if fail := failure(t, f.client(func(o *Options) { o.API = slow.URL + "/" }).Check(c)); !strings.Contains(fail.Reason, "no answer in time") {
		t.Errorf("%+v", fail)
	}
}

// TestSomebodyBetween: a certificate that does not hold sends no token.
func TestSomebodyBetween(t *testing.T) {
	f := newWorkspace(t)
	between := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it got %v", r.Header) }))
	between.Config.ErrorLog = quietLog()
	between.StartTLS()
	t.Cleanup(between.Close)
	if fail := failure(t, f.client(func(o *Options) { o.API = between.URL + "/" }).Check(t.Context())); fail.Temporary || !strings.Contains(fail.Reason, "certificate does not hold") {
		t.Errorf("%+v", fail)
	}
	if _, err := New(Options{BotToken: botToken, AppToken: appToken, API: "http://slack.example/api/", Press: func(ctx, Press) (string, error) { return "", nil }, Command: func(ctx, Command) (string, error) { return "", nil }}); err == nil {
		t.Error("tokens may go in the clear")
	}
}
