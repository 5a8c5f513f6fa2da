package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// within is how long a test waits for what must come; it is no measure.
const within = 20 * time.Second

// A far is the fake's end of one connection.
type far struct {
	t    *testing.T
	conn *websocket.Conn
	acks chan string // what the fake received, as it came
}

// joined returns the next connection, with hello said.
func (f *workspace) joined(t *testing.T) *far {
	t.Helper()
	select {
	case c := <-f.conns:
		x := &far{t, c, make(chan string, 100)}
		t.Cleanup(func() { c.Close() })
		x.send(`{"type":"hello","num_connections":1,"connection_info":{"app_id":"A1"},"debug_info":{"host":"applink-1"}}`)
		go func() {
			defer close(x.acks)
			for {
				_, b, err := c.ReadMessage()
				if err != nil {
					return
				}
				x.acks <- string(b)
			}
		}()
		return x
	case <-time.After(within):
		t.Fatal("nobody connected")
		return nil
	}
}

func (x *far) send(s string) {
	x.t.Helper()
	if err := x.conn.WriteMessage(websocket.TextMessage, []byte(s)); err != nil {
		x.t.Fatal(err)
	}
}

// acked returns the next acknowledgement, which must be of the envelope id.
func (x *far) acked(id string) (payload string) {
	x.t.Helper()
	select {
	case b, open := <-x.acks:
		var a struct {
			ID      string          `json:"envelope_id"`
			Payload json.RawMessage `json:"payload"`
		}
		if err := json.Unmarshal([]byte(b), &a); !open || err != nil || a.ID != id {
			x.t.Fatalf("got %q (open %v), want the acknowledgement of %s", b, open, id)
		}
		return string(a.Payload)
	case <-time.After(within):
		x.t.Fatalf("the envelope %s was not acknowledged", id)
		return ""
	}
}

// run starts the app, and stops it at the test's end.
func run(t *testing.T, s *Slack) (ended chan error) {
	t.Helper()
	c, cancel := ctxOf(t)
	ended = make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { ended <- s.Run(c) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return ended
}

func press(envelope, user, action, value, at string) string {
	return fmt.Sprintf(`{"envelope_id":%q,"type":"interactive","accepts_response_payload":false,"payload":{"type":"block_actions","user":{"id":%q,"username":"x","team_id":"T1"},
		"api_app_id":"A1","container":{"type":"message","message_ts":"1700000000.000001","channel_id":"C042"},"trigger_id":"1.2.3","channel":{"id":"C042","name":"inc-42"},
		"message":{"ts":"1700000000.000001"},"response_url":"http://127.0.0.1:1/never","actions":[{"action_id":%q,"block_id":"tocsin_acts","type":"button","value":%q,"selected_option":{"value":%q},"action_ts":%q}]}}`,
		envelope, user, action, value, value, at)
}

func command(envelope, user, channel, text, trigger string, reply bool) string {
	t, _ := json.Marshal(text)
	return fmt.Sprintf(`{"envelope_id":%q,"type":"slash_commands","accepts_response_payload":%v,"payload":{"command":"/tocsin","text":%s,"user_id":%q,"channel_id":%q,"trigger_id":%q,"response_url":"http://127.0.0.1:1/never"}}`,
		envelope, reply, t, user, channel, trigger)
}

func said1(envelope, channel, more string) string {
	return fmt.Sprintf(`{"envelope_id":%q,"type":"events_api","accepts_response_payload":false,"retry_attempt":0,"payload":{"event_id":"Ev1","type":"event_callback","event":{"type":"message","channel":%q,%s}}}`, envelope, channel, more)
}

// shown waits until the fake received what is shown to user alone, and returns its text.
func (f *workspace) shownTo(t *testing.T, user string, n int) url.Values {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var got []url.Values
		for _, c := range f.calls("chat.postEphemeral", "chat.postMessage") {
			if c.form.Get("user") == user || c.form.Get("channel") == user {
				got = append(got, c.form)
			}
		}
		if len(got) >= n {
			return got[n-1]
		}
	}
	t.Fatalf("%s was shown nothing", user)
	return nil
}

func TestPresses(t *testing.T) {
	f := newWorkspace(t)
	pressed := make(chan Press, 10)
	troubles := make(chan error, 10)
	hold := make(chan struct{})
	s := f.client(func(o *Options) {
		o.Trouble = func(err error) { troubles <- err }
		o.Press = func(c ctx, p Press) (string, error) {
			pressed <- p
			switch p.Act {
			case PassOn:
				<-hold
			case TakeTask:
				return "", errors.New("the ledger is full")
			}
			return "Done <!channel>.", nil
		}
	})
	run(t, s)
	x := f.joined(t)
	// Given one of the team, when they acknowledge, then it is decided once, however often it comes, and the reply is theirs alone.
	x.send(press("e1", anna, actAcknowledge, "42/k7Qx/", "1700000001.1"))
	x.acked("e1")
	want := Press{ID: "press:U0ANNA:C042:1700000001.1:" + actAcknowledge, User: anna, Team: "T1", Staff: "anna", Incident: 42, Key: "k7Qx", Channel: "C042", Card: "1700000000.000001", Act: Acknowledge}
	if p := <-pressed; p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
	if v := f.shownTo(t, anna, 1); v.Get("channel") != "C042" || v.Get("text") != "Done &lt;!channel&gt;." {
		t.Errorf("shown: %v", v)
	}
	x.send(press("e1", anna, actAcknowledge, "42/k7Qx/", "1700000001.1"))
	x.acked("e1")
	x.send(press("e2", anna, actAcknowledge, "42/k7Qx/", "1700000001.1"))
	x.acked("e2")
	// Given a stranger, then they are refused, and nothing is decided.
	x.send(press("e3", outsider, actAcknowledge, "42/k7Qx/", "1700000002.1"))
	x.acked("e3")
	if v := f.shownTo(t, outsider, 1); !strings.Contains(v.Get("text"), "does not know you") {
		t.Errorf("shown: %v", v)
	}
	// Given a user of another workspace (a shared channel) whose id is that of one of the team, then they are a stranger.
	x.send(strings.Replace(press("e3b", anna, actAcknowledge, "42/k7Qx/", "1700000002.2"), `"team_id":"T1"`, `"team_id":"T2"`, 1))
	x.acked("e3b")
	if v := f.shownTo(t, anna, 2); !strings.Contains(v.Get("text"), "does not know you") || len(pressed) > 0 {
		t.Errorf("shown: %v", v)
	}
	// Given a decision that takes long, then the envelope is acknowledged before it is taken.
	x.send(press("e4", anna, actPass, "42/k7Qx/", "1700000003.1"))
	x.acked("e4")
	if p := <-pressed; p.Act != PassOn {
		t.Errorf("%+v", p)
	}
	close(hold)
	f.shownTo(t, anna, 3)
	x.send(press("e5", anna, actSeverity, "42/k7Qx/Low", "1700000004.1"))
	x.acked("e5")
	if p := <-pressed; p.Act != SetSeverity || p.Severity != "Low" {
		t.Errorf("%+v", p)
	}
	f.shownTo(t, anna, 4)
	// Given a decision that fails, then the person is told, without our words for it.
	x.send(press("e6", anna, actTake+"_0", "42/k7Qx/t1", "1700000005.1"))
	x.acked("e6")
	if p := <-pressed; p.Task != "t1" {
		t.Errorf("%+v", p)
	}
	if v := f.shownTo(t, anna, 5); strings.Contains(v.Get("text"), "ledger") {
		t.Errorf("shown: %v", v)
	}
	if err := <-troubles; !strings.Contains(err.Error(), "ledger is full") {
		t.Error(err)
	}
	// Given presses that no card of ours has, then they are acknowledged and decide nothing.
	for i, bad := range []string{
		press("b", anna, actSeverity, "42/k7Qx/Worst", "1.1"), press("b", anna, actAcknowledge, "0/k7Qx/", "1.1"), press("b", anna, actAcknowledge, "42/k7Qx/x", "1.1"),
		press("b", anna, "other_app", "42/k7Qx/", "1.1"), press("b", "<@U1>", actAcknowledge, "42/k7Qx/", "1.1"), press("b", anna, actAcknowledge, "42/k7Qx/", "now"),
		`{"envelope_id":"b","type":"interactive","payload":{"type":"view_submission"}}`, `{"envelope_id":"b","type":"interactive","payload":[]}`, `{"envelope_id":"b","type":"news"}`,
	} {
		x.send(bad)
		x.acked("b")
		if len(pressed) > 0 {
			t.Fatalf("%d: %+v", i, <-pressed)
		}
	}
}

func TestCommands(t *testing.T) {
	f := newWorkspace(t)
	got := make(chan Command, 10)
	s := f.client(func(o *Options) {
		o.Command = func(_ ctx, c Command) (string, error) { got <- c; return "2 incidents are open & well.", nil }
	})
	run(t, s)
	x := f.joined(t)
	for i, c := range []struct {
		channel, text string
		want          Command // without ID, User, Staff, Channel; no Verb: it says what it understands
	}{
		{"C0X", "status", Command{Verb: AskStatus}},
		{"C0X", " WHO  ", Command{Verb: AskWho}},
		{"C0X", "open The shop is <https://evil.example|slow> &amp; <@U0ANNA> weeps", Command{Verb: OpenIncident, Text: "The shop is slow (https://evil.example) & @U0ANNA weeps"}},
		{"C0X", "note 7 Rebooted", Command{Verb: AddNote, Number: 7, Text: "Rebooted"}},
		{"C0X", "note #7 Rebooted", Command{Verb: AddNote, Number: 7, Text: "Rebooted"}},
		{"C042", "note Rebooted it", Command{Verb: AddNote, Number: 42, Text: "Rebooted it"}},
		{"C042", "status", Command{Verb: AskStatus, Number: 42}},
		{"C0X", "note Rebooted", Command{}},
		{"C0X", "open", Command{}},
		{"C0X", "rm -rf", Command{}},
		{"C0X", "", Command{}},
	} {
		id := fmt.Sprintf("e%d", i)
		x.send(command(id, anna, c.channel, c.text, "t"+id, true))
		payload := x.acked(id)
		if c.want.Verb == "" {
			if !strings.Contains(payload, "/tocsin open TEXT") {
				t.Errorf("%q: %s", c.text, payload)
			}
			continue
		}
		want := c.want
		want.ID, want.User, want.Staff, want.Channel = "command:t"+id, anna, "anna", c.channel
		if g := <-got; g != want {
			t.Errorf("%q: got %+v, want %+v", c.text, g, want)
		}
		if payload != `{"response_type":"ephemeral","text":"2 incidents are open \u0026amp; well."}` {
			t.Errorf("%q: %s", c.text, payload)
		}
	}
	// Given a stranger, then a refusal; given a repeat, then no second time; given an envelope that takes no payload, then a message of its own, and a direct one where the app is not in the channel.
	x.send(command("s", outsider, "C0X", "open x", "ts", true))
	if p := x.acked("s"); !strings.Contains(p, "does not know you") {
		t.Error(p)
	}
	x.send(strings.Replace(command("s2", anna, "C0X", "open x", "ts2", true), `"user_id"`, `"team_id":"T2","user_id"`, 1))
	if p := x.acked("s2"); !strings.Contains(p, "does not know you") {
		t.Error(p)
	}
	x.send(command("again", anna, "C0X", "status", "te0", true))
	if p := x.acked("again"); p != "" {
		t.Error(p)
	}
	f.fails("chat.postEphemeral", false, says(200, no("channel_not_found")))
	x.send(command("n", anna, "C0X", "status", "tn", false))
	x.acked("n")
	<-got
	if v := f.shownTo(t, anna, 2); v.Get("channel") != anna {
		t.Errorf("%v", v)
	}
	if len(got) != 0 {
		t.Errorf("%+v", <-got)
	}
}

func TestHeard(t *testing.T) {
	f := newWorkspace(t)
	got, tried := make(chan Heard, 10), make(chan struct{})
	full := true
	s := f.client(func(o *Options) {
		o.Heard = func(_ ctx, h Heard) error {
			if full {
				full = false
				close(tried)
				return errors.New("the disk is full")
			}
			got <- h
			return nil
		}
	})
	run(t, s)
	x := f.joined(t)
	text := `"user":"U0ANNA","ts":"1700000010.000200","text":"<@U0ANNA> &amp; <@U0STRANGER> see <#C1|general>, <!here>\u202e"`
	// Given a message that could not be kept, then it is not acknowledged, and taken when Slack brings it again; once.
	x.send(said1("e1", "C042", text))
	x.send(said1("e2", "C0OTHER", text)) // acknowledged at once: not an incident's
	x.acked("e2")
	<-tried
	for full := true; full; { // until the first is given back
		s.seen.mu.Lock()
		_, full = s.seen.state["heard:C042:1700000010.000200::2023-11-14 22:13:30.0002 +0000 UTC"]
		s.seen.mu.Unlock()
	}
	x.send(said1("e3", "C042", text))
	x.acked("e3")
	want := Heard{ID: "C042:1700000010.000200", Incident: 42, Channel: "C042", User: anna, Staff: "anna", Name: "anna", At: time.Date(2023, 11, 14, 22, 13, 30, 200000, time.UTC),
		Text: "@anna & @somebody who is not on the team (Slack user U0STRANGER) see #general, @here"}
	if h := <-got; h != want {
		t.Errorf("got  %+v\nwant %+v", h, want)
	}
	x.send(said1("e4", "C042", text))
	x.acked("e4")
	for _, c := range []struct{ name, more, who, change, text string }{
		{"stranger", `"user":"U0STRANGER","ts":"1700000011.1","text":"hi"`, "somebody who is not on the team (Slack user U0STRANGER)", "", "hi"},
		{"shared", `"user":"U0ANNA","user_team":"T2","team":"T1","ts":"1700000011.2","text":"hi"`, "somebody who is not on the team (Slack user U0ANNA)", "", "hi"},
		{"edited", `"subtype":"message_changed","ts":"1700000012.1","message":{"type":"message","user":"U0ANNA","text":"new","ts":"1700000010.000200"},"previous_message":{"text":"old"}`, "anna", "edited", "new"},
		{"deleted", `"subtype":"message_deleted","ts":"1700000013.1","deleted_ts":"1700000010.000200","previous_message":{"user":"U0ANNA","text":"new","ts":"1700000010.000200"}`, "anna", "deleted", "new"},
		{"file", `"subtype":"file_share","user":"U0ANNA","ts":"1700000014.1","text":"","files":[{},{}]`, "anna", "", ""},
	} {
		x.send(said1(c.name, "C042", c.more))
		x.acked(c.name)
		if h := <-got; h.Name != c.who || h.Change != c.change || h.Text != c.text || h.Change != "" && h.ID != want.ID {
			t.Errorf("%s: %+v", c.name, h)
		}
	}
	for name, more := range map[string]string{
		"bot":     `"bot_id":"B1","user":"U0BOT","ts":"1700000015.1","text":"card"`,
		"join":    `"subtype":"channel_join","user":"U0ANNA","ts":"1700000015.1","text":"joined"`,
		"preview": `"subtype":"message_changed","ts":"1700000016.1","message":{"user":"U0ANNA","text":"new","ts":"1700000010.000200"},"previous_message":{"text":"new"}`,
		"nobody":  `"ts":"1700000015.1","text":"x"`,
	} {
		x.send(said1(name, "C042", more))
		x.acked(name)
		if len(got) > 0 {
			t.Errorf("%s: %+v", name, <-got)
		}
	}
}

func TestReconnect(t *testing.T) {
	f := newWorkspace(t)
	states := make(chan string, 100)
	s := f.client(func(o *Options) {
		o.State = func(up bool, why string) { states <- fmt.Sprint(up, " ", why) }
	})
	s.quiet = 2 * time.Second
	run(t, s)
	x := f.joined(t)
	if got := <-states; got != "true " {
		t.Error(got)
	}
	// Given a warning, then there is a new connection before the old one ends, the old one is still served, and nobody was told that it was down.
	x.send(`{"type":"disconnect","reason":"warning","debug_info":{"host":"applink-1"}}`)
	y := f.joined(t)
	x.send(command("old", anna, "C0X", "status", "t1", true))
	x.acked("old")
	y.send(command("new", anna, "C0X", "status", "t2", true))
	y.acked("new")
	x.conn.Close()
	// Given that it is to connect anew, then it does; the old end is closed by us.
	y.send(`{"type":"disconnect","reason":"refresh_requested"}`)
	z := f.joined(t)
	if b, open := <-y.acks; open {
		t.Errorf("got %q", b)
	}
	if len(states) != 0 {
		t.Errorf("state: %s", <-states)
	}
	// Given garbage, then it is passed over; given a break, silence, or too long a message, then there is a new connection.
	z.send(`{"type":`)
	z.send(`[]`)
	z.send(`{"type":"interactive"}`)
	z.send(command("z", anna, "C0X", "status", "t3", true))
	z.acked("z")
	for name, do := range map[string]func(*far){
		"break":    func(x *far) { x.conn.UnderlyingConn().Close() },
		"silence":  func(*far) {},
		"too long": func(x *far) { x.conn.WriteMessage(websocket.TextMessage, make([]byte, maxEnvelope+1)) },
	} {
		do(z)
		z = f.joined(t)
		down, up := <-states, <-states
		if !strings.HasPrefix(down, "false slack, the socket") || up != "true " || strings.Contains(down, "ticket") {
			t.Errorf("%s: %q, %q", name, down, up)
		}
	}
	// Given that Slack is down for a while, then it tries again, and asks no sooner than it may.
	f.fails("apps.connections.open", false, says(503, "x"))
	f.fails("apps.connections.open", false, says(429, "x", "Retry-After", "1"))
	z.conn.Close()
	f.joined(t)
	opens := f.calls("apps.connections.open")
	if n := len(opens); opens[n-1].at.Sub(opens[n-2].at) < time.Second {
		t.Errorf("it did not wait")
	}
}

func TestSocketEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*workspace, *testing.T)
		want string
	}{
		{"revoked", func(f *workspace, _ *testing.T) {
			f.fails("apps.connections.open", false, says(200, no("invalid_auth")))
		}, "install the app anew"},
		{"revoked while running", func(f *workspace, t *testing.T) {
			f.fails("apps.connections.open", false, func(w httpWriter, r httpRequest) {
				f.fails2("apps.connections.open", says(200, no("account_inactive")))
				json.NewEncoder(w).Encode(f.connect(nil))
			})
		}, "install the app anew"},
		{"switched off", nil, "Socket Mode is switched off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newWorkspace(t)
			if c.do != nil {
				c.do(f, t)
			}
			ended := run(t, f.client(nil))
			switch c.name {
			case "switched off":
				f.joined(t).send(`{"type":"disconnect","reason":"link_disabled"}`)
			case "revoked while running":
				f.joined(t).conn.Close()
			}
			select {
			case err := <-ended:
				if fail := failure(t, err); fail.Temporary || !strings.Contains(fail.Reason, c.want) {
					t.Errorf("%+v", fail)
				}
			case <-time.After(within):
				t.Error("it did not end")
			}
		})
	}
}

// TestLyingAddress: a ticket is not carried to an address that is not Slack's.
func TestLyingAddress(t *testing.T) {
	f := newWorkspace(t)
	for _, a := range []string{"ws://evil.example/", "http://127.0.0.1/", "wss://u:p@evil.example/", "%zz", "javascript:x"} {
		f.address = a
		if fail := failure(t, f.client(nil).Check(t.Context())); !fail.Temporary {
			t.Errorf("%s: %+v", a, fail)
		}
	}
}
