package notify

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestSegments(t *testing.T) {
	for _, c := range []struct {
		text  string
		parts int
		ucs2  bool
	}{
		{"", 0, false}, {"x", 1, false}, {strings.Repeat("x", 160), 1, false}, {strings.Repeat("x", 161), 2, false}, {strings.Repeat("x", 306), 2, false}, {strings.Repeat("x", 307), 3, false},
		{strings.Repeat("€", 80), 1, false}, {strings.Repeat("€", 81), 2, false}, {"x" + strings.Repeat("€", 153), 3, false}, // an escape is not parted
		{strings.Repeat("é", 160), 1, false}, {strings.Repeat("ж", 70), 1, true}, {strings.Repeat("ж", 71), 2, true}, {strings.Repeat("😀", 35), 1, true}, {strings.Repeat("😀", 36), 2, true},
		{"x" + strings.Repeat("😀", 66), 2, true}, {strings.Repeat("😀", 67), 3, true}, // a pair is not parted
		{"“quoted”", 1, true},
	} {
		if n, ucs2 := Segments(c.text); n != c.parts || ucs2 != c.ucs2 {
			t.Errorf("%.10q (%d): %d parts, ucs2 %v", c.text, len([]rune(c.text)), n, ucs2)
		}
	}
}

func TestSMSText(t *testing.T) {
	link := "https://t.example/answer/AQAAAABoGTq3YW5uYQ"
	for _, c := range []struct {
		m     Message
		parts int
		want  string
	}{
		{Message{Subject: "[Tocsin] Critical: “Web shell” – now", Link: link}, 1, "[Tocsin] Critical: \"Web shell\" - now\n" + link},
		{Message{Subject: strings.Repeat("x", 190), Link: link}, 1, strings.Repeat("x", 160-len(link)-1-3) + "...\n" + link},
		{Message{Link: link}, 1, link},
		{Message{Subject: "a", Link: "https://" + strings.Repeat("x", 200)}, 1, ""},
	} {
		got, err := SMSText(c.m, c.parts)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("got %q, %v, want %q", got, err, c.want)
		}
	}
	g, err := NewSMS(SMSOptions{URL: "https://sms.example/", Body: "to={{to}}&text={{text}}"})
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Describe(Message{Subject: "Überfall ж"}); got != "1 part of 2 at most; it holds a character that is not in GSM-7, so a part holds 70 characters in place of 160" {
		t.Error(got)
	}
}

func TestSMSOptions(t *testing.T) {
	good := SMSOptions{URL: "https://sms.example/send", Body: "to={{to}}&text={{text}}"}
	for _, c := range []struct {
		name string
		do   func(*SMSOptions)
		want string // in the error; "" is good
	}{
		{"form", func(*SMSOptions) {}, ""},
		{"get", func(o *SMSOptions) { o.Method, o.Body, o.URL = "GET", "", "https://sms.example/send/{{to}}?t={{text}}" }, ""},
		{"json", func(o *SMSOptions) {
			o.ContentType, o.Body = "application/json; charset=utf-8", `{"to":["{{to}}"],"b":{"t":"Alarm: {{text}}"}}`
		}, ""},
		{"xml", func(o *SMSOptions) { o.ContentType, o.Body = "text/xml", `<sms to="{{to}}"><t>{{text}}</t></sms>` }, ""},
		{"plain", func(o *SMSOptions) {
			o.ContentType, o.Body, o.URL = "text/plain", `{{text}}`, "https://sms.example/{{to}}"
		}, ""},
		{"json without quotes", func(o *SMSOptions) { o.ContentType, o.Body = "application/json", `{"to":"{{to}}","t":{{text}}}` }, "within quotes"},
		{"json as a name", func(o *SMSOptions) { o.ContentType, o.Body = "application/json", `{"to":"{{to}}","{{text}}":1}` }, "whole value"},
		{"xml in a tag", func(o *SMSOptions) { o.ContentType, o.Body = "text/xml", `<sms to="{{to}}" {{text}}></sms>` }, "XML"},
		{"in the host", func(o *SMSOptions) { o.URL = "https://{{text}}.example/" }, ""},
		{"no text", func(o *SMSOptions) { o.Body = "to={{to}}" }, "{{text}}"},
		{"unknown placeholder", func(o *SMSOptions) { o.Body += "&x={{from}}" }, "{{from}}"},
		{"in the clear", func(o *SMSOptions) { o.URL = "http://sms.example/" }, "https://"},
		{"method", func(o *SMSOptions) { o.Method = "DELETE" }, "DELETE"},
		{"kind", func(o *SMSOptions) { o.ContentType = "application/soap+x" }, "content type"},
		{"parts", func(o *SMSOptions) { o.MaxParts = 99 }, "99"},
		{"path without value", func(o *SMSOptions) { o.Path = "a" }, "go together"},
		{"header", func(o *SMSOptions) { o.Header = map[string]string{"X": "a\r\nb"} }, "header"},
	} {
		o := good
		c.do(&o)
		_, err := NewSMS(o)
		if c.name == "in the host" {
			if err == nil {
				t.Error("a text may choose the host")
			}
			continue
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSMSAnswers(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		code         int
		do           func(*SMSOptions)
		id, refusal  string
	}{
		{"status alone", "", 202, func(*SMSOptions) {}, "", ""},
		{"another status", "", 200, func(o *SMSOptions) { o.Status = []int{202} }, "", "not among"},
		{"number", `{"messages":[{"status":0,"id":"m1"}]}`, 200, func(o *SMSOptions) { o.Path, o.Value, o.IDPath = "messages.0.status", []string{"0"}, "messages.0.id" }, "m1", ""},
		{"refused", `{"messages":[{"status":"6","error":"no such number +491701234567"}]}`, 200, func(o *SMSOptions) { o.Path, o.Value = "messages.0.status", []string{"0"} }, "", "no such number"},
		{"bool", `{"ok":true}`, 200, func(o *SMSOptions) { o.Path, o.Value = "ok", []string{"true"} }, "", ""},
		{"index beyond", `{"messages":[]}`, 200, func(o *SMSOptions) { o.Path, o.Value = "messages.-1.status", []string{"0"} }, "", "without a value"},
		{"no id", `{}`, 200, func(o *SMSOptions) { o.IDPath = "id" }, "", "without the message's id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := provide(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.code); io.WriteString(w, c.answer) })
			p.Start()
			o := SMSOptions{URL: p.URL + "/s", Body: "to={{to}}&text={{text}}", Plus: "00"}
			c.do(&o)
			g, err := NewSMS(o)
			if err != nil {
				t.Fatal(err)
			}
			id, err := g.Text(t.Context(), Message{To: "+491701234567", Subject: "a&to=1 ä"})
			if c.refusal == "" && (err != nil || id != c.id) {
				t.Errorf("%q, %v", id, err)
			}
			if c.refusal != "" {
				f := failure(t, err)
				noSecret(t, f)
				if !strings.Contains(f.Reason, c.refusal) {
					t.Errorf("%+v", *f)
				}
			}
			v, err := url.ParseQuery(string(p.posts()[0].body))
			if err != nil || len(v) != 2 || len(v["to"]) != 1 || v.Get("to") != "00491701234567" || v.Get("text") != "a&to=1 ä" {
				t.Errorf("the gateway got %v, %v", v, err)
			}
		})
	}
	g, err := NewSMS(SMSOptions{URL: "https://sms.example/", Body: "to={{to}}&text={{text}}"})
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"", "0170123456", "+0170123456", "+49 170 123", "+49170123456789012", "+49170\n1234567", "anna"} {
		if f := failure(t, g.Send(t.Context(), Message{To: to, Subject: "x"})); f.Temporary {
			t.Errorf("%q: %+v", to, *f)
		}
	}
}

// FuzzSMS: a text is read back whole from the field in which it stands, in every kind of body.
func FuzzSMS(f *testing.F) {
	for _, h := range hostile {
		f.Add(h, "id@x")
	}
	f.Add("\u202e\x00\xff 😀 ]]>", "{{to}}")
	f.Fuzz(func(t *testing.T, text, id string) {
		text, id = lines(text, maxBody), oneLine(id, 200)
		const to = "+15551234567"
		for kind, body := range map[string]string{
			"application/json": `{"a":[{"to":"{{to}}","t":"{{text}}","i":"{{id}}"}]}`, "application/x-www-form-urlencoded": "to={{to}}&t={{text}}&i={{id}}", "text/xml": "<s><to>{{to}}</to><t>{{text}}</t><i>{{id}}</i></s>",
		} {
			g, err := NewSMS(SMSOptions{URL: "https://sms.example/x?t={{text}}", ContentType: kind, Body: body})
			if err != nil {
				t.Fatal(err)
			}
			r := g.fill(to, text, id)
			u, err := url.Parse(r.address)
			if err != nil || u.Query().Get("t") != text || len(u.Query()) != 1 || u.Host != "sms.example" {
				t.Errorf("%q: %v", r.address, err)
			}
			var gotTo, gotText, gotID string
			switch kind {
			case "application/json":
				var x struct{ A []struct{ To, T, I string } }
				if err := json.Unmarshal(r.body, &x); err != nil || len(x.A) != 1 {
					t.Fatalf("%q: %v", r.body, err)
				}
				gotTo, gotText, gotID = x.A[0].To, x.A[0].T, x.A[0].I
			case "text/xml":
				var x struct {
					To string `xml:"to"`
					T  string `xml:"t"`
					I  string `xml:"i"`
				}
				if err := xml.Unmarshal(r.body, &x); err != nil {
					t.Fatalf("%q: %v", r.body, err)
				}
				gotTo, gotText, gotID = x.To, x.T, x.I
				xmlHas := strings.NewReplacer("\uFFFE", "\uFFFD", "\uFFFF", "\uFFFD") // XML has no others that are left here
				if gotText == xmlHas.Replace(text) && gotID == xmlHas.Replace(id) {
					gotText, gotID = text, id
				}
			default:
				v, err := url.ParseQuery(string(r.body))
				if err != nil || len(v) != 3 {
					t.Fatalf("%q: %v", r.body, err)
				}
				gotTo, gotText, gotID = v.Get("to"), v.Get("t"), v.Get("i")
			}
			if gotTo != to || gotText != text || gotID != id {
				t.Errorf("%s: %q: got %q, %q, %q", kind, r.body, gotTo, gotText, gotID)
			}
		}
		if s, err := SMSText(Message{Subject: text, Link: "https://t.example/a"}, 2); err == nil {
			if n, _ := Segments(s); n > 2 || !strings.HasSuffix(s, "https://t.example/a") {
				t.Errorf("%d parts: %q", n, s)
			}
		}
	})
}

func TestVerify(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	body := []byte(`{"id":"a"}`)
	keys := map[string][]byte{"k1": signingKey, "short": []byte("x")}
	for _, c := range []struct {
		name string
		do   func(h http.Header, body *[]byte, now *time.Time)
		want string
	}{
		{"good", func(http.Header, *[]byte, *time.Time) {}, ""},
		{"at the window's edge", func(_ http.Header, _ *[]byte, n *time.Time) { *n = n.Add(ReplayWindow) }, ""},
		{"replayed", func(_ http.Header, _ *[]byte, n *time.Time) { *n = n.Add(ReplayWindow + time.Second) }, "replay"},
		{"from the future", func(_ http.Header, _ *[]byte, n *time.Time) { *n = n.Add(-ReplayWindow - time.Second) }, "replay"},
		{"changed", func(_ http.Header, b *[]byte, _ *time.Time) { *b = []byte(`{"id":"b"}`) }, "does not hold"},
		{"time changed", func(h http.Header, _ *[]byte, _ *time.Time) { h.Set(HeaderTimestamp, "1800000001") }, "does not hold"},
		{"moved full stop", func(h http.Header, b *[]byte, _ *time.Time) { h.Set(HeaderTimestamp, "1800000000.{"); *b = (*b)[1:] }, "no number"},
		{"time with a sign", func(h http.Header, _ *[]byte, _ *time.Time) { h.Set(HeaderTimestamp, "+1800000000") }, "no number"},
		{"unknown key", func(h http.Header, _ *[]byte, _ *time.Time) { h.Set(HeaderKey, "k2") }, "not known"},
		{"short key", func(h http.Header, b *[]byte, n *time.Time) { Sign(h, *b, "short", []byte("x"), *n) }, "not known"},
		{"no version", func(h http.Header, _ *[]byte, _ *time.Time) { h.Set(HeaderSignature, h.Get(HeaderSignature)[3:]) }, "does not hold"},
		{"empty", func(h http.Header, _ *[]byte, _ *time.Time) { h.Set(HeaderSignature, "v1=") }, "does not hold"},
		{"twice", func(h http.Header, _ *[]byte, _ *time.Time) { h.Add(HeaderSignature, "v1=00") }, "once"},
		{"not signed", func(h http.Header, _ *[]byte, _ *time.Time) { clear(h) }, "once"},
	} {
		h, b, n := http.Header{}, body, now
		Sign(h, body, "k1", signingKey, now)
		c.do(h, &b, &n)
		if err := Verify(h, b, keys, n); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestPushoverReceipt(t *testing.T) {
	state := `{"status":1,"acknowledged":0,"expired":0}`
	p := provide(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			io.WriteString(w, `{"status":1,"receipt":"`+receipt+`"}`)
			return
		}
		io.WriteString(w, state)
	})
	p.Start()
	x, err := NewPushover(PushoverOptions{Token: pushoverApp, API: p.URL})
	if err != nil {
		t.Fatal(err)
	}
	got, err := x.Ring(t.Context(), Message{To: pushoverUser, Subject: "x", Severity: "Critical"})
	if err != nil || got != receipt {
		t.Fatalf("%q, %v", got, err)
	}
	if by, _, ended, err := x.Acknowledged(t.Context(), got); by != "" || ended || err != nil {
		t.Errorf("%q, %v, %v", by, ended, err)
	}
	state = `{"status":1,"acknowledged":1,"acknowledged_at":1800000000,"acknowledged_by":"` + pushoverUser + `"}`
	if by, at, ended, err := x.Acknowledged(t.Context(), got); by != pushoverUser || at.Unix() != 1800000000 || !ended || err != nil {
		t.Errorf("%q, %v, %v, %v", by, at, ended, err)
	}
	if r := p.posts()[1].r; r.URL.Path != "/1/receipts/"+receipt+".json" || r.URL.Query().Get("token") != pushoverApp {
		t.Error(r.URL)
	}
	state = "<html>"
	_, _, _, err = x.Acknowledged(t.Context(), got)
	noSecret(t, failure(t, err))
	for _, o := range []PushoverOptions{{}, {Token: pushoverApp, Retry: time.Second}, {Token: pushoverApp, Expire: 4 * time.Hour}} {
		if _, err := NewPushover(o); err == nil || strings.Contains(err.Error(), "averysecret") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// FuzzVerify: only what Sign made is taken; and what it made is, whatever the body.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"id":"a"}`), "1800000000", "v1=")
	f.Fuzz(func(t *testing.T, body []byte, stamp, given string) {
		now := time.Unix(1_800_000_000, 0)
		keys := map[string][]byte{"k1": signingKey}
		h := http.Header{}
		Sign(h, body, "k1", signingKey, now)
		if err := Verify(h, body, keys, now); err != nil {
			t.Error(err)
		}
		if stamp != h.Get(HeaderTimestamp) || given != h.Get(HeaderSignature) {
			h.Set(HeaderTimestamp, stamp)
			h.Set(HeaderSignature, given)
			if Verify(h, body, keys, now) == nil && !strings.EqualFold(given, "v1="+strings.TrimPrefix(given, "v1=")) {
				t.Errorf("taken: %q %q", stamp, given)
			}
		}
	})
}
