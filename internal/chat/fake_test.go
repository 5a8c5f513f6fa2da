package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/slacktest"
)

const (
	botToken = "xoxb-111-very-secret"
	appToken = "xapp-1-A1-very-secret"
	outsider = "U0STRANGER"
	anna     = "U0ANNA"
)

// A received is one call as the fake got it.
type received struct {
	method string
	form   url.Values
	at     time.Time
}

// A message that stands in a room of the fake.
type message struct {
	TS       string          `json:"ts"`
	User     string          `json:"user"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	text     string
	blocks   string
	pinned   bool
	updates  int
}

type chatRoom struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Creator    string         `json:"creator"`
	IsArchived bool           `json:"is_archived"`
	Purpose    map[string]any `json:"purpose"`
	topic      string
	messages   []*message
}

// A workspace is a Slack that keeps what it is told: slacktest's server, with the calls that it lacks or answers always alike done here, and a
// socket of its own.
type workspace struct {
	t    testing.TB
	api  *slacktest.Server
	sock *httptest.Server

	mu      sync.Mutex
	log     []received
	rooms   []*chatRoom
	clock   int
	before  map[string][]http.HandlerFunc // answers that are given in place of the next calls of a method
	after   map[string][]http.HandlerFunc // the same, but the call was done
	address string                        // what apps.connections.open answers; "" is the socket's
	conns   chan *websocket.Conn
}

func newWorkspace(t testing.TB) *workspace {
	t.Helper()
	f := &workspace{t: t, before: map[string][]http.HandlerFunc{}, after: map[string][]http.HandlerFunc{}, conns: make(chan *websocket.Conn, 20)}
	up := websocket.Upgrader{CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://api.slack.com" }}
	f.sock = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Errorf("the socket: %v", err)
			return
		}
		f.conns <- c
	}))
	t.Cleanup(f.sock.Close)
	f.api = slacktest.NewTestServer(func(c slacktest.Customize) {
		for method, do := range map[string]func(url.Values) any{
			"auth.test":                func(url.Values) any { return ok("user_id", "U0BOT", "team_id", "T1", "bot_id", "B1") },
			"conversations.create":     f.create,
			"conversations.list":       f.list,
			"conversations.setPurpose": f.setPurpose,
			"conversations.setTopic":   f.setTopic,
			"conversations.history":    f.history,
			"conversations.archive":    f.archive,
			"conversations.invite":     func(url.Values) any { return ok() },
			"chat.postMessage":         f.post,
			"chat.update":              f.update,
			"chat.postEphemeral":       func(url.Values) any { return ok("message_ts", "1.1") },
			"pins.add":                 f.pin,
			"apps.connections.open":    f.connect,
		} {
			c.Handle("/"+method, func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, method, do) })
		}
	})
	f.api.Start()
	t.Cleanup(f.api.Stop)
	return f
}

func ok(pairs ...any) map[string]any {
	out := map[string]any{"ok": true}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

func no(why string) map[string]any { return map[string]any{"ok": false, "error": why} }

// fails answers so in place of the next call of a method; after has it done all the same.
func (f *workspace) fails(method string, after bool, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if after {
		f.after[method] = append(f.after[method], h)
	} else {
		f.before[method] = append(f.before[method], h)
	}
}

func says(code int, body any, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		json.NewEncoder(w).Encode(body)
	}
}

func (f *workspace) serve(w http.ResponseWriter, r *http.Request, method string, do func(url.Values) any) {
	r.ParseForm()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		token = r.Form.Get("token")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	want := botToken
	if method == "apps.connections.open" {
		want = appToken
	}
	if token != want {
		f.t.Errorf("%s came with the wrong token", method)
	}
	f.log = append(f.log, received{method, r.Form, time.Now()})
	if q := f.before[method]; len(q) > 0 {
		f.before[method] = q[1:]
		q[0](w, r)
		return
	}
	answer := do(r.Form)
	if q := f.after[method]; len(q) > 0 {
		f.after[method] = q[1:]
		q[0](w, r)
		return
	}
	json.NewEncoder(w).Encode(answer)
}

func (f *workspace) room(id string) *chatRoom {
	for _, r := range f.rooms {
		if r.ID == id {
			return r
		}
	}
	return nil
}

func (f *workspace) create(v url.Values) any {
	for _, r := range f.rooms {
		if r.Name == v.Get("name") {
			return no("name_taken")
		}
	}
	r := &chatRoom{ID: fmt.Sprintf("C0%d", len(f.rooms)+1), Name: v.Get("name"), Creator: "U0BOT", Purpose: map[string]any{"value": ""}}
	f.rooms = append(f.rooms, r)
	return ok("channel", r)
}

func (f *workspace) list(v url.Values) any {
	// One room a call, so that the pages are walked.
	var n int
	fmt.Sscan(v.Get("cursor"), &n)
	next := ""
	if n+1 < len(f.rooms) {
		next = fmt.Sprint(n + 1)
	}
	return ok("channels", f.rooms[n:min(n+1, len(f.rooms))], "response_metadata", map[string]any{"next_cursor": next})
}

func (f *workspace) in(v url.Values, do func(*chatRoom) any) any {
	r := f.room(v.Get("channel"))
	switch {
	case r == nil:
		return no("channel_not_found")
	case r.IsArchived:
		return no("is_archived")
	}
	return do(r)
}

func (f *workspace) setPurpose(v url.Values) any {
	return f.in(v, func(r *chatRoom) any { r.Purpose["value"] = v.Get("purpose"); return ok("channel", r) })
}

func (f *workspace) setTopic(v url.Values) any {
	return f.in(v, func(r *chatRoom) any {
		if len([]rune(v.Get("topic"))) > 250 {
			return no("too_long")
		}
		r.topic = v.Get("topic")
		return ok("channel", r)
	})
}

func (f *workspace) archive(v url.Values) any {
	return f.in(v, func(r *chatRoom) any { r.IsArchived = true; return ok() })
}

func (f *workspace) history(v url.Values) any {
	return f.in(v, func(r *chatRoom) any {
		list := slices.Clone(r.messages)
		slices.Reverse(list)
		return ok("messages", list)
	})
}

func (f *workspace) post(v url.Values) any {
	if strings.HasPrefix(v.Get("channel"), "U") {
		return ok("channel", "D1", "ts", "9.1")
	}
	return f.in(v, func(r *chatRoom) any {
		if why := badBlocks(v.Get("blocks")); why != "" {
			f.t.Errorf("Slack would refuse the blocks: %s", why)
			return no("invalid_blocks")
		}
		f.clock++
		m := &message{TS: fmt.Sprintf("1700000000.%06d", f.clock), User: "U0BOT", text: v.Get("text"), blocks: v.Get("blocks")}
		if s := v.Get("metadata"); s != "" {
			m.Metadata = json.RawMessage(s)
		}
		r.messages = append(r.messages, m)
		return ok("channel", r.ID, "ts", m.TS)
	})
}

func (f *workspace) update(v url.Values) any {
	return f.in(v, func(r *chatRoom) any {
		for _, m := range r.messages {
			if m.TS == v.Get("ts") {
				m.text, m.blocks = v.Get("text"), v.Get("blocks")
				m.updates++
				return ok("channel", r.ID, "ts", m.TS, "text", m.text)
			}
		}
		return no("message_not_found")
	})
}

func (f *workspace) pin(v url.Values) any {
	return f.in(v, func(r *chatRoom) any {
		for _, m := range r.messages {
			if m.TS == v.Get("timestamp") {
				if m.pinned {
					return no("already_pinned")
				}
				m.pinned = true
				return ok()
			}
		}
		return no("message_not_found")
	})
}

func (f *workspace) connect(url.Values) any {
	if f.address != "" {
		return ok("url", f.address)
	}
	return ok("url", "ws"+strings.TrimPrefix(f.sock.URL, "http")+"/link/?ticket=ticket-very-secret")
}

// badBlocks says what Slack would say of blocks. https://docs.slack.dev/reference/block-kit/blocks
func badBlocks(s string) string {
	type text struct{ Type, Text string }
	type element struct {
		Type     string
		ActionID string `json:"action_id"`
		Text     json.RawMessage
		Value    string
		Options  []struct {
			Text  text
			Value string
		}
		Initial *struct{ Value string } `json:"initial_option"`
	}
	var blocks []struct {
		Type, BlockID string
		Text          text
		Elements      []element
		Accessory     *element
	}
	if err := json.Unmarshal([]byte(s), &blocks); err != nil {
		return err.Error()
	}
	if len(blocks) == 0 || len(blocks) > 50 {
		return fmt.Sprintf("%d blocks", len(blocks))
	}
	ids := map[string]bool{}
	for _, b := range blocks {
		limit := map[string]int{"header": 150, "section": 3000, "actions": 0, "context": 0}
		if n, known := limit[b.Type]; !known || len([]rune(b.Text.Text)) > n || n > 0 && b.Text.Text == "" {
			return fmt.Sprintf("a block %s with %d characters", b.Type, len([]rune(b.Text.Text)))
		}
		if b.Accessory != nil {
			b.Elements = append(b.Elements, *b.Accessory)
		}
		for _, e := range b.Elements {
			if b.Type == "context" {
				continue
			}
			if e.ActionID == "" || ids[e.ActionID] || len(e.Value) > 2000 {
				return "an element without an id of its own: " + e.ActionID
			}
			ids[e.ActionID] = true
			for _, o := range e.Options {
				if len(o.Value) > 150 || len(o.Text.Text) > 75 || o.Text.Text == "" {
					return "an option that is too long"
				}
			}
		}
	}
	return ""
}

// calls returns what came of these methods, or of all.
func (f *workspace) calls(methods ...string) []received {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []received
	for _, c := range f.log {
		if len(methods) == 0 || slices.Contains(methods, c.method) {
			out = append(out, c)
		}
	}
	return out
}

// everything is all that was sent to the fake, as text.
func (f *workspace) everything() string {
	var b strings.Builder
	for _, c := range f.calls() {
		for k, v := range c.form {
			if k != "token" {
				fmt.Fprintln(&b, c.method, k, v)
			}
		}
	}
	return b.String()
}

// client returns the app in this workspace, as after a start of the program.
func (f *workspace) client(change func(*Options)) *Slack {
	f.t.Helper()
	o := Options{
		BotToken: botToken, AppToken: appToken, API: f.api.GetAPIURL(),
		Who:     func(u string) (string, bool) { return "anna", u == anna },
		Room:    func(c string) (int, bool) { return 42, c == "C042" },
		Press:   func(_ ctx, p Press) (string, error) { return "done: " + p.Act, nil },
		Command: func(_ ctx, c Command) (string, error) { return "done: " + c.Verb, nil },
	}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		f.t.Fatal(err)
	}
	s.every, s.first = 0, 10*time.Millisecond
	f.t.Cleanup(s.Close)
	return s
}

type (
	httpWriter  = http.ResponseWriter
	httpRequest = *http.Request
)

// fails2 is fails for an answer that sets the next one: the lock is held.
func (f *workspace) fails2(method string, h http.HandlerFunc) {
	f.before[method] = append(f.before[method], h)
}

func ctxOf(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
