package chat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type ctx = context.Context

func card() Card {
	return Card{
		Number: 42, Key: "k7Qx", Title: "Web shell in /upload", Severity: "Critical", Phase: "Containment", Open: true, Answered: "anna",
		Holders: []Holder{{"Incident Commander", "anna"}, {"Legal Advisor", ""}}, Next: "Take the host out of the load balancer.",
		Tasks: []Task{{ID: "t1", Text: "Keep the disk"}, {ID: "t2", Text: "Change the keys", Taken: "ben"}}, Link: "https://t.example/incidents/42?a=1&b=2",
	}
}

func failure(t *testing.T, err error) *Failure {
	t.Helper()
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		t.Fatalf("got %v, want a *Failure", err)
	}
	for _, secret := range []string{"very-secret", "xoxb-1", "xapp-1"} {
		if strings.Contains(f.Reason, secret) {
			t.Errorf("the failure shows a secret: %s", f.Reason)
		}
	}
	if len(f.Reason) > 700 || strings.ContainsAny(f.Reason, "\n\r\x1b") {
		t.Errorf("the failure is not one bounded line: %q", f.Reason)
	}
	return f
}

func TestShow(t *testing.T) {
	f := newWorkspace(t)
	s := f.client(nil)
	// Given a new incident, when it is shown, then there is a channel with topic and pinned card.
	at, err := s.Show(t.Context(), Place{}, card())
	if err != nil {
		t.Fatal(err)
	}
	r := f.rooms[0]
	if at != (Place{Channel: r.ID, Name: "inc-42", Card: r.messages[0].TS, Pinned: true}) || r.Name != "inc-42" {
		t.Errorf("place is %+v, room %+v", at, r)
	}
	if want := "▲▲▲ Critical | Containment, acknowledged by anna"; r.topic != want {
		t.Errorf("topic is %q, want %q", r.topic, want)
	}
	m := r.messages[0]
	for _, want := range []string{"Incident 42, ▲▲▲ Critical: Web shell", "Incident Commander: anna", "Legal Advisor: nobody", "Next step: Take the host", actAcknowledge, actPass, actSeverity,
		`"42/k7Qx/t1"`, "taken by ben", `"42/k7Qx/High"`, `incidents/42?a=1\u0026amp;b=2|Open in Tocsin`} {
		if !strings.Contains(m.blocks, want) {
			t.Errorf("the card lacks %s: %s", want, m.blocks)
		}
	}
	if strings.Contains(m.blocks, `"42/k7Qx/t2"`) || !m.pinned || m.text == "" {
		t.Errorf("a taken task can be taken, or the card is not pinned: %+v", m)
	}
	// When nothing changed, then nothing is sent; when something did, then the card is updated in place, and nothing posted.
	n := len(f.calls())
	if _, err := s.Show(t.Context(), at, card()); err != nil || len(f.calls()) != n {
		t.Errorf("%d calls more, %v", len(f.calls())-n, err)
	}
	for range 3 {
		c := card()
		c.Severity, c.Next = "High", "Look at the logs."
		if _, err := s.Show(t.Context(), at, c); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.messages) != 1 || m.updates != 1 || !strings.HasPrefix(r.topic, "▲▲ High") {
		t.Errorf("%d messages, %d updates, topic %q", len(r.messages), m.updates, r.topic)
	}
	// When it is closed, then there is nothing to press.
	c := card()
	c.Open = false
	if _, err := s.Show(t.Context(), at, c); err != nil || strings.Contains(m.blocks, "tocsin_acknowledge") || strings.Contains(m.blocks, actTake) {
		t.Errorf("%v: %s", err, m.blocks)
	}
	if err := s.Archive(t.Context(), at); err != nil || !r.IsArchived {
		t.Error(err)
	}
	if fail := failure(t, s.Archive(t.Context(), at)); fail.Temporary { // the fake says is_archived, as for all else
		t.Errorf("%+v", fail)
	}
}

// TestShowAfterCrash: whatever call breaks off, before or after it was done, and whether or not the place was kept, a next program brings the incident
// to one channel with one pinned card.
func TestShowAfterCrash(t *testing.T) {
	for _, method := range []string{"auth.test", "conversations.create", "conversations.setPurpose", "chat.postMessage", "pins.add", "conversations.setTopic"} {
		for _, after := range []bool{false, true} {
			for _, kept := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/after=%v/kept=%v", method, after, kept), func(t *testing.T) {
					f := newWorkspace(t)
					f.rooms = []*chatRoom{{ID: "C0OTHER", Name: "general", Creator: "U0X", Purpose: map[string]any{}}}
					f.fails(method, after, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
					at, err := f.client(nil).Show(t.Context(), Place{}, card())
					if fail := failure(t, err); !fail.Temporary || !fail.Uncertain {
						t.Errorf("got %+v", fail)
					}
					if !kept {
						at = Place{}
					}
					at, err = f.client(nil).Show(t.Context(), at, card())
					if err != nil {
						t.Fatal(err)
					}
					r := f.rooms[len(f.rooms)-1]
					if len(f.rooms) != 2 || len(r.messages) != 1 || !r.messages[0].pinned || r.topic == "" || r.Purpose["value"] == "" && !kept ||
						at != (Place{r.ID, r.Name, r.messages[0].TS, true}) {
						t.Errorf("%d rooms, %+v, %+v", len(f.rooms), r, at)
					}
				})
			}
		}
	}
}

func TestNameTaken(t *testing.T) {
	other := purpose(Card{Number: 42, Key: "earlier"})
	for _, c := range []struct {
		name  string
		taken []*chatRoom
		want  string
	}{
		{"by a person", []*chatRoom{{ID: "C1", Name: "inc-42", Creator: "U0EVE", Purpose: map[string]any{"value": purpose(card())}}}, "inc-42-2"},
		{"by an earlier incident of this number", []*chatRoom{{ID: "C1", Name: "inc-42", Creator: "U0BOT", Purpose: map[string]any{"value": other}}}, "inc-42-2"},
		{"archived", []*chatRoom{{ID: "C1", Name: "inc-42", Creator: "U0BOT", IsArchived: true, Purpose: map[string]any{"value": purpose(card())}}}, "inc-42-2"},
		{"by ours under the second name", []*chatRoom{{ID: "C1", Name: "inc-42", Creator: "U0EVE", Purpose: map[string]any{}}, {ID: "C2", Name: "inc-42-2", Creator: "U0BOT", Purpose: map[string]any{"value": purpose(card())}}}, "inc-42-2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newWorkspace(t)
			f.rooms = c.taken
			at, err := f.client(nil).Show(t.Context(), Place{}, card())
			if err != nil || at.Name != c.want || len(f.rooms) != 2 || len(c.taken[0].messages) != 0 {
				t.Errorf("%+v, %v, %d rooms", at, err, len(f.rooms))
			}
		})
	}
	t.Run("all of them", func(t *testing.T) {
		f := newWorkspace(t)
		for range maxNames {
			f.fails("conversations.create", false, says(200, no("name_taken")))
		}
		_, err := f.client(nil).Show(t.Context(), Place{}, card())
		if fail := failure(t, err); fail.Temporary || !strings.Contains(fail.Reason, "another prefix") {
			t.Errorf("%+v", fail)
		}
	})
}

func TestSomebodyDeletes(t *testing.T) {
	f := newWorkspace(t)
	at, err := f.client(nil).Show(t.Context(), Place{}, card())
	if err != nil {
		t.Fatal(err)
	}
	// When the card is deleted, then a new one is posted and pinned.
	f.rooms[0].messages = nil
	again, err := f.client(nil).Show(t.Context(), at, card())
	if err != nil || len(f.rooms[0].messages) != 1 || !f.rooms[0].messages[0].pinned || again.Card == at.Card {
		t.Errorf("%+v, %v", again, err)
	}
	// When the channel is archived, then it says so, and makes no other.
	f.rooms[0].IsArchived = true
	_, err = f.client(nil).Show(t.Context(), again, card())
	if fail := failure(t, err); fail.Temporary || !strings.Contains(fail.Reason, "unarchive it") || len(f.rooms) != 1 {
		t.Errorf("%+v", fail)
	}
	// When the channel is deleted, then it is made anew.
	f.rooms = nil
	again, err = f.client(nil).Show(t.Context(), again, card())
	if err != nil || len(f.rooms) != 1 || len(f.rooms[0].messages) != 1 || again.Channel != f.rooms[0].ID {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestNothingLeaks(t *testing.T) {
	f := newWorkspace(t)
	c := card()
	c.Redacted = true
	if _, err := f.client(nil).Show(t.Context(), Place{}, c); err != nil {
		t.Fatal(err)
	}
	all := f.everything()
	for _, secret := range []string{"shell", "upload", "anna", "ben", "Containment", "balancer", "disk", "keys", "t.example", "Commander"} {
		if strings.Contains(all, secret) {
			t.Errorf("a redacted card sent %q: %s", secret, all)
		}
	}
	if !strings.Contains(all, "Critical") || !strings.Contains(all, "Acknowledge") {
		t.Errorf("a redacted card lacks severity or button: %s", all)
	}
}

func TestHostileTexts(t *testing.T) {
	f := newWorkspace(t)
	evil := "<!channel> <https://evil.example|click> *x* `y`\u202e\x1b[2J\r\n" + strings.Repeat("ü&", 3000)
	c := card()
	c.Title, c.Severity, c.Phase, c.Answered, c.Next, c.Link = evil, evil, evil, evil, evil, "javascript:alert(1)"
	c.Holders = nil
	for range 40 {
		c.Holders = append(c.Holders, Holder{evil, evil})
		c.Tasks = append(c.Tasks, Task{ID: "x", Text: evil})
	}
	if _, err := f.client(nil).Show(t.Context(), Place{}, c); err != nil {
		t.Fatal(err)
	}
	r := f.rooms[0]
	for _, s := range []string{r.topic, r.messages[0].text} {
		if strings.ContainsAny(s, "<>*`\u202e\x1b") {
			t.Errorf("%q", s)
		}
	}
	if s := r.messages[0].blocks; strings.Contains(s, "://evil") || strings.Contains(s, "javascript") || strings.Contains(s, "\u202e") || strings.Count(s, "mrkdwn") != 0 {
		t.Errorf("%q", s)
	}
	for _, bad := range []Card{{Number: 0, Key: "k"}, {Number: 1}, {Number: 1, Key: "a/b"}, {Number: 1, Key: "k", Tasks: []Task{{ID: "a b"}}}} {
		_, err := f.client(nil).Show(t.Context(), Place{}, bad)
		if fail := failure(t, err); fail.Temporary {
			t.Errorf("%+v", fail)
		}
	}
}

func TestRateLimit(t *testing.T) {
	f := newWorkspace(t)
	s := f.client(nil)
	// Given a short Retry-After, then it is waited out: seen by the times at which the fake was called.
	f.fails("chat.postMessage", false, says(429, no("ratelimited"), "Retry-After", "1"))
	at, err := s.Show(t.Context(), Place{}, card())
	posts := f.calls("chat.postMessage")
	if err != nil || len(posts) != 2 || posts[1].at.Sub(posts[0].at) < time.Second {
		t.Fatalf("%v, %d posts", err, len(posts))
	}
	// Given a long one, then it is reported, and no further call of that method leaves; other methods go on.
	f.fails("chat.update", false, says(429, no("ratelimited"), "Retry-After", "86400"))
	c := card()
	c.Next = "x"
	for range 2 {
		_, err = s.Show(t.Context(), at, c)
		if fail := failure(t, err); !fail.Temporary || fail.After < 59*time.Minute || fail.After > time.Hour {
			t.Errorf("%+v", fail)
		}
	}
	if n := len(f.calls("chat.update")); n != 1 {
		t.Errorf("%d updates", n)
	}
	if err := s.Invite(t.Context(), at, anna); err != nil {
		t.Error(err)
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace()
		begin := time.Now()
		var got []time.Duration
		for range 3 {
			if err := p.turn(t.Context(), "C1", postEvery); err != nil {
				t.Fatal(err)
			}
			got = append(got, time.Since(begin))
		}
		if got[0] != 0 || got[1] != postEvery || got[2] != 2*postEvery {
			t.Errorf("%v", got)
		}
		if err := p.turn(t.Context(), "C2", postEvery); err != nil || time.Since(begin) != got[2] {
			t.Error("one channel waits for another")
		}
		p.hold("chat.update", 10*time.Second)
		held := time.Now()
		if f := p.method(t.Context(), "chat.update"); f != nil || time.Since(held) != 10*time.Second {
			t.Errorf("%+v after %v", f, time.Since(held))
		}
		for i := range 3000 {
			p.turn(t.Context(), fmt.Sprint(i), time.Millisecond)
			time.Sleep(time.Millisecond)
		}
		if len(p.next) > 1001 {
			t.Errorf("%d channels are kept", len(p.next))
		}
	})
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, method string
		answer       http.HandlerFunc
		temporary    bool
		want         string
	}{
		{"revoked", "auth.test", says(200, no("token_revoked")), false, "install the app anew"},
		{"invalid", "conversations.create", says(200, no("invalid_auth")), false, "install the app anew"},
		{"inactive", "conversations.create", says(200, no("account_inactive")), false, "install the app anew"},
		{"scope", "pins.add", says(200, map[string]any{"ok": false, "error": "missing_scope", "needed": "pins:write", "provided": "x"}), false, "pins:write"},
		{"token in a refusal", "pins.add", says(200, no("bad "+botToken)), false, "[token]"},
		{"their trouble", "conversations.create", says(200, no("internal_error")), true, "internal_error"},
		{"down", "conversations.create", says(503, "x"), true, "503"},
		{"points elsewhere", "conversations.create", says(302, "x", "Location", "http://127.0.0.1:1/"), false, "not followed"},
		{"all well, but no channel", "conversations.create", says(200, ok()), true, "without what was asked for"},
		{"all well, but no card", "chat.postMessage", says(200, ok()), true, "without what was asked for"},
		{"not well, and no word why", "chat.postMessage", says(200, map[string]any{"ok": false}), true, "without what was asked for"},
		{"a page of a hotel's network", "chat.postMessage", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>sign in") }, true, "slack, chat.postMessage"},
		{"endless", "chat.postMessage", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"ok":true,"x":"`)
			for range maxAnswer / 1024 {
				w.Write(make([]byte, 2048))
			}
		}, true, "slack, chat.postMessage"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newWorkspace(t)
			f.fails(c.method, false, c.answer)
			_, err := f.client(nil).Show(t.Context(), Place{}, card())
			if fail := failure(t, err); fail.Temporary != c.temporary || !strings.Contains(fail.Reason, c.want) {
				t.Errorf("%+v", fail)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	f := newWorkspace(t)
	if err := f.client(nil).Check(t.Context()); err != nil {
		t.Error(err)
	}
	f.fails("apps.connections.open", false, says(200, no("not_allowed_token_type")))
	if fail := failure(t, f.client(nil).Check(t.Context())); fail.Temporary || !strings.Contains(fail.Reason, "xapp-") {
		t.Errorf("%+v", fail)
	}
	for _, o := range []Options{{}, {BotToken: "xapp-secret"}, {BotToken: botToken, AppToken: botToken}, {BotToken: botToken, AppToken: appToken}} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
