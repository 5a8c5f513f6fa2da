package notify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

const (
	telegramBot  = "123456:AAverysecretAAverysecretAAverysecret"
	pushoverApp  = "averysecretaverysecretaverysec"
	pushoverUser = "uverysecretuverysecretuverysec"
	receipt      = "r23456789012345678901234567890"
)

// A posted is a request as the far side got it.
type posted struct {
	r    *http.Request
	body []byte
}

// A provider is the far side: it keeps what it got, and answers as a test says.
type provider struct {
	*httptest.Server
	mu  sync.Mutex
	got []posted
}

func provide(t testing.TB, answer http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.got = append(p.got, posted{r.Clone(context.Background()), b})
		p.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(b)))
		answer(w, r)
	}))
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(func() { p.CloseClientConnections(); p.Close() })
	return p
}

func bodyOf(r *http.Request) string {
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

func (p *provider) posts() []posted {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]posted(nil), p.got...)
}

// A service is a sender with what its provider documents.
type service struct {
	name string
	make func(base, caFile string) (func(context.Context, Message) error, error)
	good string              // an answer that means that it was taken
	bad  string              // one with status 200 that means that it was not, or that nobody knows
	ok   func(posted) string // "" or what the provider would object to
	ca   bool                // it can be told an authority
}

func services() []service {
	sender := func(p *Post, err error) (func(context.Context, Message) error, error) {
		if err != nil {
			return nil, err
		}
		return p.Send, nil
	}
	return []service{
		{"mattermost", func(base, ca string) (func(context.Context, Message) error, error) {
			return sender(NewMattermost(MattermostOptions{URL: base + "/hooks/very-secret-hook", CAFile: ca}))
		}, "ok", `{"id":"web.incoming_webhook.general.app_error","status_code":400}`, mattermostTakes, true},
		{"teams", func(base, _ string) (func(context.Context, Message) error, error) {
			return sender(NewTeams(TeamsOptions{URL: base + "/workflows/1/triggers/manual/paths/invoke?sig=very-secret-sig"}))
		}, "", "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429", teamsTakes, false},
		{"discord", func(base, _ string) (func(context.Context, Message) error, error) {
			return sender(NewDiscord(DiscordOptions{URL: base + "/api/webhooks/1/very-secret-token"}))
		}, `{"id":"1"}`, `{"message":"Unknown Webhook","code":10015}`, discordTakes, false},
		{"telegram", func(base, _ string) (func(context.Context, Message) error, error) {
			return sender(NewTelegram(TelegramOptions{Token: telegramBot, Chat: "-100123", API: base}))
		}, `{"ok":true,"result":{"message_id":7}}`, `{"ok":false,"error_code":500,"description":"Internal"}`, telegramTakes, false},
		{"ntfy", func(base, ca string) (func(context.Context, Message) error, error) {
			return sender(NewNtfy(NtfyOptions{URL: base, Topic: "very-secret-topic", Token: "tk_very-secret", CAFile: ca}))
		}, `{"id":"x","time":1,"event":"message","topic":"t"}`, `<html>sign in</html>`, ntfyTakes, true},
		{"pushover", func(base, _ string) (func(context.Context, Message) error, error) {
			p, err := NewPushover(PushoverOptions{Token: pushoverApp, User: pushoverUser, API: base})
			return p.Send, err
		}, `{"status":1,"request":"q","receipt":"` + receipt + `"}`, `{"status":1,"request":"q"}`, pushoverTakes, false},
		{"signed webhook", func(base, ca string) (func(context.Context, Message) error, error) {
			return sender(NewSigned(SignedOptions{URL: base + "/very-secret-path", KeyID: "k1", Key: signingKey, CAFile: ca}))
		}, "", "", signedTakes, true},
		{"sms", func(base, ca string) (func(context.Context, Message) error, error) {
			g, err := NewSMS(SMSOptions{URL: base + "/v1/messages", Header: map[string]string{"Authorization": "Bearer very-secret"}, ContentType: "application/json",
				Body: `{"messages":[{"to":"{{to}}","text":"{{text}}","ref":"{{id}}"}]}`, Path: "messages.0.status", Value: []string{"queued", "0"}, IDPath: "messages.0.id", CAFile: ca})
			if err != nil {
				return nil, err
			}
			return g.Send, nil
		}, `{"messages":[{"status":"Queued","id":12345678901234567890}]}`, `{"messages":[]}`, smsTakes, true},
	}
}

var signingKey = []byte("very-secret-very-secret-very-secret-very-secret")

// hostileMessage tries each chat's own marks, in each field, too long.
func hostileMessage() Message {
	evil := "<!channel> @everyone @channel [a](https://evil.example) **x** ```\u202e\x1b[2J\r\n\"}],\"x\":\"<b>&amp;</b> 😀 "
	return Message{To: "+491701234567", Subject: strings.Repeat(evil, 10), Body: strings.Repeat(evil, 400), ID: "call.1@tocsin", Call: "c1", Severity: "Critical", Link: "https://t.example/answer/a(b)?x=1&y=2"}
}

func TestServicesTakeIt(t *testing.T) {
	for _, s := range services() {
		t.Run(s.name, func(t *testing.T) {
			p := provide(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s.good) })
			p.Start()
			send, err := s.make(p.URL, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []Message{hostileMessage(), {To: "+491701234567", Subject: "Test", ID: "t@tocsin", Severity: "Critical"}, {To: "+491701234567", Subject: "Test", Body: "a\nb", Link: "http://localhost:8080/x", ID: "t@tocsin", Severity: "Critical"}} {
				if err := send(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
			for i, got := range p.posts() {
				if why := s.ok(got); why != "" {
					t.Errorf("message %d: the provider would object: %s: %s", i, why, got.body)
				}
			}
			if len(p.posts()) != 3 {
				t.Errorf("%d posts", len(p.posts()))
			}
		})
	}
}

// noSecret fails when a Failure shows one, or is not one bounded line.
func noSecret(t *testing.T, f *Failure) {
	t.Helper()
	for _, secret := range []string{"very-secret", "averysecret", "491701234567"} {
		if strings.Contains(f.Reason, secret) {
			t.Errorf("the failure shows %s: %s", secret, f.Reason)
		}
	}
	if len(f.Reason) > 1000 || strings.ContainsAny(f.Reason, "\r\n\x1b") {
		t.Errorf("the failure is not one bounded line: %q", f.Reason)
	}
}

func TestServicesFail(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) { // a far side that shows what it got
		w.WriteHeader(400)
		fmt.Fprintf(w, "%s %s %s\x1b[0m", r.URL, r.Header, bodyOf(r))
	}
	for _, s := range services() {
		for _, c := range []struct {
			name                 string
			answer               http.HandlerFunc
			temporary, uncertain bool
			after                time.Duration
		}{
			{"refused, and repeats secrets", echo, false, false, 0},
			{"too many", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(429)
			}, true, false, 7 * time.Second},
			{"down", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, true, false, 0},
			{"points elsewhere", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
			}, false, false, 0},
			{"breaks off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true, true, 0},
			{"half open", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, true, true, 0},
			{"lies", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s.bad) }, true, true, 0},
			{"endless", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(500)
				for range 1000 {
					if _, err := w.Write(make([]byte, 10_000)); err != nil {
						return
					}
				}
			}, true, false, 0},
		} {
			t.Run(s.name+"/"+c.name, func(t *testing.T) {
				if c.name == "lies" && s.bad == "" {
					t.Skip("any 2xx of this one means that it was taken")
				}
				p := provide(t, c.answer)
				p.Start()
				send, err := s.make(p.URL, "")
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if c.name == "half open" {
					ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
				}
				defer cancel()
				f := failure(t, send(ctx, Message{To: "+491701234567", Subject: "x", Body: "y", ID: "t@tocsin", Severity: "Critical"}))
				noSecret(t, f)
				after := c.after
				if s.name == "pushover" && c.after > 0 {
					after = time.Hour // the month's messages are used up
				}
				uncertain := c.uncertain
				if c.name == "lies" && (s.name == "teams" || s.name == "telegram") {
					uncertain = false // they say so
				}
				if f.Temporary != c.temporary || f.Uncertain != uncertain || f.After != after {
					t.Errorf("%+v", *f)
				}
				if len(p.posts()) != 1 {
					t.Errorf("%d posts: a sender tries once", len(p.posts()))
				}
			})
		}
	}
}

// certify returns a TLS configuration with a certificate for name, good until end, and the file of its authority.
func certify(t *testing.T, name string, ip net.IP, end time.Time) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotBefore: end.Add(-2 * time.Hour), NotAfter: end,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, DNSNames: []string{name}}
	if ip != nil {
		c.IPAddresses = []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

func TestServicesCertificates(t *testing.T) {
	here := net.IPv4(127, 0, 0, 1)
	for _, s := range services() {
		for _, c := range []struct {
			name  string
			ip    net.IP
			end   time.Time
			trust bool
			want  string // "" is sent
		}{
			{"good", here, time.Now().Add(time.Hour), true, ""},
			{"expired", here, time.Now().Add(-time.Hour), true, "expired"},
			{"of another name", nil, time.Now().Add(time.Hour), true, "127.0.0.1"},
			{"of an authority that nobody knows", here, time.Now().Add(time.Hour), false, "authority"},
		} {
			if c.trust && !s.ca {
				continue
			}
			t.Run(s.name+"/"+c.name, func(t *testing.T) {
				config, ca := certify(t, "other.example", c.ip, c.end)
				p := provide(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s.good) })
				p.TLS = config
				p.StartTLS()
				if !c.trust {
					ca = ""
				}
				send, err := s.make(p.URL, ca)
				if err != nil {
					t.Fatal(err)
				}
				err = send(t.Context(), Message{To: "+491701234567", Subject: "x", ID: "t@tocsin", Severity: "Critical"})
				if c.want == "" {
					if err != nil || len(p.posts()) != 1 {
						t.Error(err)
					}
					return
				}
				f := failure(t, err)
				noSecret(t, f)
				if f.Temporary || f.Uncertain || !strings.Contains(f.Reason, c.want) || len(p.posts()) != 0 {
					t.Errorf("%+v, %d posts", *f, len(p.posts()))
				}
			})
		}
	}
}

func TestWaitsInTheBody(t *testing.T) {
	for _, c := range []struct {
		service int
		body    string
		want    time.Duration
	}{
		{2, `{"message":"You are being rate limited.","retry_after":1.337,"global":false}`, 2 * time.Second},
		{2, `{"retry_after":1e300}`, time.Hour},
		{3, `{"ok":false,"error_code":429,"parameters":{"retry_after":35}}`, 35 * time.Second},
		{3, `{"ok":false,"error_code":429,"parameters":{"retry_after":-1}}`, 0},
	} {
		p := provide(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429); io.WriteString(w, c.body) })
		p.Start()
		send, err := services()[c.service].make(p.URL, "")
		if err != nil {
			t.Fatal(err)
		}
		if f := failure(t, send(t.Context(), Message{Subject: "x"})); f.After != c.want || !f.Temporary {
			t.Errorf("%s: %+v", c.body, *f)
		}
	}
}

// strict reads a JSON body without any field that v lacks.
func strict(p posted, v any) string {
	if p.r.Method != http.MethodPost || p.r.Header.Get("Content-Type") != "application/json" {
		return p.r.Method + " " + p.r.Header.Get("Content-Type")
	}
	d := json.NewDecoder(strings.NewReader(string(p.body)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err.Error()
	}
	return ""
}

// clean says what of a text is not shown as it is meant.
func clean(s string) string {
	if strings.ContainsAny(s, "\u202e\x1b\r") {
		return "it holds what cannot be seen"
	}
	return ""
}

func mattermostTakes(p posted) string {
	var x struct{ Text string }
	if why := strict(p, &x); why != "" {
		return why
	}
	head, _, _ := strings.Cut(x.Text, "\n```")
	switch {
	case len([]rune(x.Text)) > 16383 || x.Text == "":
		return fmt.Sprintf("%d characters", len([]rune(x.Text)))
	case strings.Contains(head, "@channel") || strings.Count(x.Text, "```")%2 != 0:
		return "it mentions, or its code does not end"
	}
	return clean(x.Text)
}

func teamsTakes(p posted) string {
	var x teamsPost
	if why := strict(p, &x); why != "" {
		return why
	}
	if len(p.body) > 28<<10 || x.Type != "message" || len(x.Attachments) != 1 || x.Attachments[0].Type != "application/vnd.microsoft.card.adaptive" || x.Attachments[0].Content.Type != "AdaptiveCard" {
		return fmt.Sprintf("%d bytes, or no card", len(p.body))
	}
	for _, b := range x.Attachments[0].Content.Body {
		if b.Type != "RichTextBlock" || len(b.Inlines) != 1 || b.Inlines[0].Type != "TextRun" || b.Inlines[0].Text == "" {
			return "a block that it does not know"
		}
		if why := clean(b.Inlines[0].Text); why != "" {
			return why
		}
	}
	return ""
}

func discordTakes(p posted) string {
	var x discordPost
	if why := strict(p, &x); why != "" {
		return why
	}
	if parse, found := x.Mentions["parse"]; !found || len(parse) != 0 || p.r.URL.Query().Get("wait") != "true" || len(x.Embeds) != 1 {
		return "mentions, wait or embeds"
	}
	e := x.Embeds[0]
	if len([]rune(e.Title)) > 256 || e.Title == "" || len([]rune(e.Text)) > 4096 || len([]rune(e.Title+e.Text)) > 6000 {
		return "too long"
	}
	return clean(e.Title + e.Text)
}

func telegramTakes(p posted) string {
	var x struct {
		telegramPost
		Markup struct {
			Keyboard [][]telegramButton `json:"inline_keyboard"`
		} `json:"reply_markup"`
	}
	if why := strict(p, &x); why != "" {
		return why
	}
	if p.r.URL.Path != "/bot"+telegramBot+"/sendMessage" || x.Chat != "-100123" || !x.Preview["is_disabled"] {
		return p.r.URL.Path
	}
	if n := len(utf16.Encode([]rune(x.Text))); n == 0 || n > 4096 {
		return fmt.Sprintf("message is too long: %d", n)
	}
	for _, row := range x.Markup.Keyboard {
		if strings.Contains(row[0].URL, "localhost") {
			return "Wrong HTTP URL"
		}
	}
	return clean(x.Text)
}

func ntfyTakes(p posted) string {
	var x ntfyPost
	if why := strict(p, &x); why != "" {
		return why
	}
	if p.r.URL.Path != "/" || p.r.Header.Get("Authorization") != "Bearer tk_very-secret" || x.Topic != "very-secret-topic" || x.Priority != 5 || len(x.Message) > 4096 || x.Message == "" || len(x.Actions) > 3 {
		return fmt.Sprintf("%+v", x)
	}
	return clean(x.Title + x.Message)
}

func pushoverTakes(p posted) string {
	v, err := url.ParseQuery(string(p.body))
	if err != nil || p.r.URL.Path != "/1/messages.json" || v.Get("token") != pushoverApp || v.Get("user") != pushoverUser {
		return "path or keys"
	}
	if v.Get("priority") != "2" || v.Get("retry") != "60" || v.Get("expire") != "3600" {
		return "an emergency needs retry of at least 30 and expire of at most 10800"
	}
	if n := len([]rune(v.Get("message"))); n == 0 || n > 1024 || len([]rune(v.Get("title"))) > 250 || len(v.Get("url")) > 512 || len(v.Get("url_title")) > 100 {
		return "a length"
	}
	return clean(v.Get("title") + v.Get("message"))
}

func signedTakes(p posted) string {
	var x SignedBody
	if why := strict(p, &x); why != "" {
		return why
	}
	if err := Verify(p.r.Header, p.body, map[string][]byte{"k1": signingKey}, time.Now()); err != nil {
		return err.Error()
	}
	if x.ID == "" || x.Severity != "Critical" {
		return "id or severity"
	}
	return clean(x.Subject + x.Body)
}

func smsTakes(p posted) string {
	var x struct {
		Messages []struct{ To, Text, Ref string }
	}
	if why := strict(p, &x); why != "" {
		return why
	}
	if len(x.Messages) != 1 || x.Messages[0].To != "+491701234567" || !strings.HasSuffix(x.Messages[0].Ref, "@tocsin") || p.r.Header.Get("Authorization") != "Bearer very-secret" {
		return "the fields"
	}
	if n, _ := Segments(x.Messages[0].Text); n < 1 || n > 2 {
		return fmt.Sprintf("%d parts", n)
	}
	return clean(x.Messages[0].Text)
}
