package chat

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzEnvelope: whatever comes over the socket, what is handed on is bounded, plain, and says by whom and where; and the value of a press is one that
// a card writes.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(press("e1", anna, actAcknowledge, "42/k7Qx/", "1700000001.1")))
	f.Add([]byte(press("e1", anna, actSeverity, "42/k7Qx/Low", "1700000001.1")))
	f.Add([]byte(command("e1", anna, "C042", "note 7 <@U1|x> &lt;", "t1", true)))
	f.Add([]byte(said1("e1", "C042", `"user":"U0ANNA","ts":"1700000010.000200","text":"<!here>\u202e<"`)))
	f.Add([]byte(said1("e1", "C042", `"subtype":"message_changed","ts":"1.1","message":{"user":"U0ANNA","text":"new","ts":"1.1"}`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := readEnvelope(b)
		if err != nil {
			return
		}
		text := func(s string) {
			if len(s) > maxText || !utf8.ValidString(s) || strings.ContainsAny(s, "\r\x00\x1b\u202e\u200b") {
				t.Errorf("text is not plain: %q", s)
			}
		}
		if p, err := readPress(e.Payload); err == nil {
			more := p.Task + p.Severity
			n, key, again, ok := readValue(Card{Number: p.Incident, Key: p.Key}.value(more))
			if !ok || n != p.Incident || key != p.Key || again != more || !userForm.MatchString(p.User) || p.Act == "" || len(p.ID) > 200 {
				t.Errorf("%+v", p)
			}
		}
		if c, err := readCommand(e.Payload); err == nil {
			text(c.Text)
			if !userForm.MatchString(c.User) || (c.Verb == OpenIncident || c.Verb == AddNote) != (c.Text != "") && c.Verb != "" {
				t.Errorf("%+v", c)
			}
		}
		if h, err := readHeard(e.Payload, func(string) string { return "x" }); err == nil {
			text(h.Text)
			if !userForm.MatchString(h.User) || h.ID == "" || h.At.IsZero() {
				t.Errorf("%+v", h)
			}
		}
	})
}

// FuzzCard: no text of an incident becomes a mark of Slack's, or makes a card that Slack refuses.
func FuzzCard(f *testing.F) {
	f.Add("<!channel>", "Critical", "*x*", "https://t.example/?a=1|2>")
	f.Add("\u202e\x1b[2J", strings.Repeat("ü", 400), "a\n\n`b", "javascript:x")
	f.Fuzz(func(t *testing.T, title, severity, other, address string) {
		c := Card{Number: 1, Key: "k", Title: title, Severity: severity, Phase: other, Answered: other, Next: other, Open: true, Link: address,
			Holders: []Holder{{title, other}}, Tasks: []Task{{"t", title, ""}, {"u", other, title}}}
		if why := badBlocks(c.print()); why != "" {
			t.Errorf("%s: %s", why, c.print())
		}
		for _, s := range []string{c.topic(), escape(c.head())} {
			if strings.ContainsAny(s, "<>*`\u202e\x1b\n") {
				t.Errorf("%q", s)
			}
		}
		if n := len([]rune(unescape(c.topic()))); n > maxTopic {
			t.Errorf("the topic has %d characters", n)
		}
	})
}
