package notify

import (
	"context"
	"net/http"
	"strings"
)

// WebhookOptions says where a chat listens.
type WebhookOptions struct {
	Name string // how the room is called in errors, such as "slack"; "" is "webhook"
	URL  string // the address of an incoming webhook in Slack's format (Slack, Mattermost and others). It is a secret. TLS only, except on this machine. "" takes each message's own To, when people have rooms of their own
}

// A Webhook posts messages to one room of a chat. It may be used by many goroutines.
type Webhook struct {
	*poster
	url string
}

// NewWebhook checks the options. It does not connect; see Check. Its errors do not show the address.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	name := o.Name
	if name == "" {
		name = "webhook"
	}
	if err := ownAddress(name, o.URL); err != nil {
		return nil, err
	}
	p, err := newPoster(name, "")
	return &Webhook{p, o.URL}, err
}

// Send posts one message. nil means that the chat took it (any 2xx). Every error is a *Failure.
func (w *Webhook) Send(ctx context.Context, msg Message) error {
	r, err := jsonRequest(either(w.url, msg.To), slackMessage(msg))
	if err != nil {
		return permanent("%s: %v", w.name, err)
	}
	a, fail := w.do(ctx, r)
	if fail != nil {
		return fail
	}
	return plain(w.judge(a)) // Slack's words for its refusals (no_service, channel_is_archived, ...) are kept
}

// Check posts an empty object. A room that exists refuses it as incomplete (400) or ignores it, and shows nothing; what
// would stop a message (no such room, no connection, a certificate) stops this too. A Webhook
// without an address of its own cannot be checked: make one for the address in question. Every error is a *Failure.
func (w *Webhook) Check(ctx context.Context) error {
	a, fail := w.do(ctx, request{address: w.url, kind: "application/json", body: []byte("{}")})
	if fail != nil {
		return fail
	}
	if a.code == http.StatusBadRequest {
		return nil
	}
	return plain(w.judge(a))
}

// A slackText is a text of Slack's: mrkdwn knows links and mentions, plain_text shows every character as it is.
type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type slackBlock struct {
	Type string    `json:"type"`
	Text slackText `json:"text"`
}

// A slackPost is what an incoming webhook takes. Blocks are what Slack shows; Text is for its notices, and for the chats
// that know no blocks, so it holds everything too.
type slackPost struct {
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

// slackMessage lays a message out for a chat. Slack takes at most 3,000 characters a block.
func slackMessage(msg Message) slackPost {
	subject, body := oneLine(msg.Subject, maxSubject), lines(msg.Body, 2900)
	p := slackPost{Text: "*" + escape(subject) + "*\n" + escape(body)}
	p.Blocks = append(p.Blocks, slackBlock{"section", slackText{"mrkdwn", "*" + escape(subject) + "*"}})
	if body != "" {
		p.Blocks = append(p.Blocks, slackBlock{"section", slackText{"plain_text", body}})
	}
	if msg.Link != "" {
		link := strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E").Replace(oneLine(msg.Link, maxBody))
		p.Blocks = append(p.Blocks, slackBlock{"section", slackText{"mrkdwn", "<" + strings.ReplaceAll(link, "&", "&amp;") + "|Answer this call>"}})
	}
	return p
}

// escape writes the three characters that Slack reads as its own, so that no title can mention a channel or hide a link.
// https://docs.slack.dev/messaging/formatting-message-text
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
