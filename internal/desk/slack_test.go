package desk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"tocsin/internal/entry"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

// A workspace is a Slack with what the desk needs of it: channels with one card each, and a socket.
type workspace struct {
	t *testing.T
	*httptest.Server
	socket chan *websocket.Conn
	acks   chan string

	mu       sync.Mutex
	made     []string          // names of channels
	purpose  map[string]string // by channel
	cards    []map[string]any  // messages in the first channel, as history has them
	blocks   string            // of the card, as it stands
	shown    []string          // to one person alone
	invited  string
	updates  int
	failNext string // a method that answers with an error after it did its work
}

func newWorkspace(t *testing.T) *workspace {
	w := &workspace{t: t, socket: make(chan *websocket.Conn, 10), acks: make(chan string, 100), purpose: map[string]string{}}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/link" {
			c, err := up.Upgrade(rw, r, nil)
			if err != nil {
				return
			}
			c.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello"}`))
			w.socket <- c
			for {
				_, b, err := c.ReadMessage()
				if err != nil {
					return
				}
				w.acks <- string(b)
			}
		}
		r.ParseForm()
		json.NewEncoder(rw).Encode(w.answer(strings.TrimPrefix(r.URL.Path, "/api/"), r.Form))
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *workspace) answer(method string, v url.Values) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]any{"ok": true}
	switch method {
	case "auth.test":
		out["user_id"] = "U0BOT"
	case "apps.connections.open":
		out["url"] = "ws" + strings.TrimPrefix(w.URL, "http") + "/link"
	case "conversations.create":
		for _, n := range w.made {
			if n == v.Get("name") {
				return map[string]any{"ok": false, "error": "name_taken"}
			}
		}
		w.made = append(w.made, v.Get("name"))
		out["channel"] = w.channel(len(w.made) - 1)
	case "conversations.list":
		list := []any{}
		for k := range w.made {
			list = append(list, w.channel(k))
		}
		out["channels"] = list
	case "conversations.setPurpose":
		w.purpose[v.Get("channel")] = v.Get("purpose")
	case "conversations.history":
		out["messages"] = w.cards
	case "conversations.invite":
		w.invited += v.Get("users") + " "
	case "chat.postMessage":
		if strings.HasPrefix(v.Get("channel"), "U") {
			w.shown = append(w.shown, v.Get("text"))
			break
		}
		m := map[string]any{"ts": fmt.Sprintf("1700000000.%06d", len(w.cards)+1), "user": "U0BOT"}
		if s := v.Get("metadata"); s != "" {
			m["metadata"] = json.RawMessage(s)
		}
		w.cards = append([]map[string]any{m}, w.cards...)
		w.blocks, out["ts"], out["channel"] = v.Get("blocks"), m["ts"], v.Get("channel")
	case "chat.update":
		w.blocks, out["ts"], out["channel"] = v.Get("blocks"), v.Get("ts"), v.Get("channel")
		w.updates++
	case "chat.postEphemeral":
		w.shown = append(w.shown, v.Get("text"))
		out["message_ts"] = "1.1"
	}
	if w.failNext == method {
		w.failNext = ""
		return map[string]any{"ok": false, "error": "fatal_error"}
	}
	return out
}

func (w *workspace) channel(k int) map[string]any {
	id := fmt.Sprintf("C0%d", k+1)
	return map[string]any{"id": id, "name": w.made[k], "creator": "U0BOT", "purpose": map[string]any{"value": w.purpose[id]}}
}

func (w *workspace) until(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		ok := is()
		w.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("not within 20 s: %s\n%+v", what, w.shown)
		}
	}
}

func (w *workspace) connected() *websocket.Conn {
	w.t.Helper()
	select {
	case c := <-w.socket:
		return c
	case <-time.After(20 * time.Second):
		w.t.Fatal("nobody connected")
		return nil
	}
}

// send sends an envelope and waits for its acknowledgement.
func (w *workspace) send(c *websocket.Conn, envelope string) {
	w.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(envelope)); err != nil {
		w.t.Fatal(err)
	}
	select {
	case <-w.acks:
	case <-time.After(20 * time.Second):
		w.t.Fatal("not acknowledged")
	}
}

func pressing(user, action, value, at string) string {
	return fmt.Sprintf(`{"envelope_id":"e%[4]s%[1]s","type":"interactive","payload":{"type":"block_actions","user":{"id":%[1]q},"container":{"type":"message","message_ts":"1700000000.000001","channel_id":"C01"},
		"channel":{"id":"C01"},"actions":[{"action_id":%[2]q,"type":"button","value":%[3]q,"selected_option":{"value":%[3]q},"action_ts":%[4]q}]}}`, user, action, value, at)
}

func (h *house) slackTeam(d *Desk) {
	h.t.Helper()
	h.team(d)
	p, _ := d.Person("anna")
	if err := d.PutPerson(Local("test"), "anna", p.Roles, Contact{Name: "Anna", Mail: "anna@shop.example", Slack: "U0ANNA"}, false); err != nil {
		h.t.Fatal(err)
	}
	if err := d.PutPerson(Local("test"), "rita", []string{plan.Reader}, Contact{Name: "Rita", Mail: "rita@shop.example", Slack: "U0RITA"}, false); err != nil {
		h.t.Fatal(err)
	}
}

func slackOf(w *workspace) *SlackOptions {
	return &SlackOptions{BotToken: "xoxb-1-secret", AppToken: "xapp-1-secret", API: w.URL + "/api/", Timeline: true, Invite: map[string][]string{"high": {"role:" + plan.Commander}}}
}

// TestSlack: an incident gets a channel and a card; a press of one of the team acknowledges the call, twice is harmless; others are refused; what
// is said comes into the timeline once.
func TestSlack(t *testing.T) {
	w, h := newWorkspace(t), newHouse(t)
	h.o.Slack = slackOf(w)
	d, stop := h.start()
	defer func() { stop() }()
	h.slackTeam(d)
	id, err := d.Report(Local("test"), "the shop shows another's orders")
	if err != nil {
		t.Fatal(err)
	}
	c := w.connected()
	w.until("the card", func() bool { return strings.Contains(w.blocks, "not acknowledged yet") })
	w.until("the invitation", func() bool { return w.invited == "U0ANNA " })
	if strings.Contains(w.blocks, "orders") {
		t.Error("a person's words went to Slack")
	}
	ringing := func() (n int) {
		d.Read(func(s *State) { n = len(s.Calls.Ringing()) })
		return n
	}
	w.until("the call", func() bool { return ringing() == 1 })
	value := fmt.Sprintf("%d/%s/", id, d.cardKey(id))
	w.send(c, pressing("U0NOBODY", "tocsin_acknowledge", value, "1.1"))
	w.send(c, pressing("U0RITA", "tocsin_acknowledge", value, "1.2"))
	w.send(c, pressing("U0ANNA", "tocsin_acknowledge", fmt.Sprintf("%d/%s/", id, strings.Repeat("a", 32)), "1.3"))
	w.until("three refusals", func() bool { return len(w.shown) == 3 })
	if ringing() != 1 {
		t.Fatalf("somebody who may not has acknowledged: %v", w.shown)
	}
	for range 2 {
		w.send(c, pressing("U0ANNA", "tocsin_acknowledge", value, "2.1"))
	}
	w.until("the card says who acknowledged", func() bool { return strings.Contains(w.blocks, "acknowledged by Anna") })
	d.Read(func(s *State) {
		var call *oncall.Call = s.Calls.Of(id)
		if call == nil || call.Rings() || call.Answered.Person != "anna" || call.Answered.Via != "slack" {
			t.Errorf("the call: %+v", call)
		}
	})
	h.want(d, entry.CallAnswered, 1)
	w.send(c, pressing("U0ANNA", "tocsin_take_0", value+workTask, "3.1"))
	w.send(c, pressing("U0ANNA", "tocsin_severity", value+"Critical", "3.2"))
	w.until("severity and holder", func() bool {
		return strings.Contains(w.blocks, "Works on it: Anna") && strings.Contains(w.blocks, "Incident 1, ▲▲▲ Critical")
	})
	said := `{"envelope_id":"m%s","type":"events_api","payload":{"event_id":"Ev1","type":"event_callback","event":{"type":"message","channel":"C01","user":"U0ANNA","text":"the backup is there","ts":"1700000100.000100"}}}`
	notes := h.entries(d)[entry.IncidentNoted]
	w.send(c, fmt.Sprintf(said, "1"))
	h.until("the note", func() bool { return h.entries(d)[entry.IncidentNoted] > notes })
	stop()
	d, stop = h.start()
	c = w.connected()
	w.send(c, fmt.Sprintf(said, "2"))
	h.want(d, entry.IncidentNoted, notes+1)
	w.send(c, `{"envelope_id":"k1","type":"slash_commands","payload":{"command":"/tocsin","text":"open a strange invoice","user_id":"U0ANNA","channel_id":"C09","trigger_id":"t1"}}`)
	h.until("the second incident", func() bool { return h.entries(d)[entry.IncidentOpened] >= 2 })
	w.until("the second channel", func() bool { return len(w.made) == 2 && w.made[1] == "inc-2" })
	h.until("where its card stands is written", func() bool { return h.entries(d)[entry.ChatPlaced] >= 2 }) // once Slack has answered all, not when it made the channel
	h.want(d, entry.ChatPlaced, 2)
}

// TestSlackKilled: a program that ends between Show and its entry finds channel and card again.
func TestSlackKilled(t *testing.T) {
	w, h := newWorkspace(t), newHouse(t)
	h.o.Slack = slackOf(w)
	h.o.Slack.Invite = nil
	d, stop := h.start()
	h.slackTeam(d)
	id, err := d.Report(Local("test"), "a strange invoice")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	d, stop = h.start() // without the loop's entry: as if it was killed
	x := cardDebt{}
	d.Read(func(s *State) { i, _ := s.Incidents.Get(id); x.card = d.cardOf(s, i) })
	w.until("one channel and card", func() bool { return len(w.made) == 1 && len(w.cards) == 1 })
	if _, err := d.chat.slack.Show(t.Context(), x.at, x.card); err != nil { // it knows no place
		t.Fatal(err)
	}
	w.mu.Lock()
	if len(w.made) != 1 || len(w.cards) != 1 {
		t.Errorf("%v, %d cards", w.made, len(w.cards))
	}
	w.mu.Unlock()
	stop()
}
