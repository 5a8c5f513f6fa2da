package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DiscordOptions says where a Discord channel listens.
type DiscordOptions struct {
	URL string // of a channel's webhook, https://discord.com/api/webhooks/ID/TOKEN. It is a secret. "" takes each message's own To
}

// What an embed takes, in characters. https://discord.com/developers/docs/resources/message#embed-object-embed-limits
const (
	maxDiscordTitle = 256
	maxDiscordText  = 4096
)

type discordEmbed struct {
	Title string `json:"title"`
	Text  string `json:"description,omitempty"`
	URL   string `json:"url,omitempty"`
}

type discordPost struct {
	Embeds   []discordEmbed      `json:"embeds"`
	Mentions map[string][]string `json:"allowed_mentions"` // {"parse":[]}: nothing in it mentions anybody
}

// NewDiscord checks the options. It does not connect. Its errors do not show the address.
func NewDiscord(o DiscordOptions) (*Post, error) {
	if err := ownAddress("discord", o.URL); err != nil {
		return nil, err
	}
	p, err := newPoster("discord", "")
	if err != nil {
		return nil, err
	}
	return &Post{poster: p, compose: func(msg Message) (request, error) {
		u, err := url.Parse(either(o.URL, msg.To))
		if err != nil {
			return request{}, fmt.Errorf("the address is no URL")
		}
		q := u.Query()
		q.Set("wait", "true") // else the answer comes before the message is kept
		u.RawQuery = q.Encode()
		return jsonRequest(u.String(), discordMessage(msg))
	}, taken: func(a answer) *Failure { return discordTaken(p, a) }}, nil
}

// discordMessage lays a message out.
func discordMessage(msg Message) discordPost {
	e := discordEmbed{Title: runes(markdown(oneLine(msg.Subject, 120)), maxDiscordTitle)}
	tail := ""
	if publicLink(msg.Link) {
		e.URL = msg.Link
		tail = "\n[Answer this call](" + strings.NewReplacer("(", "%28", ")", "%29", "]", "%5D").Replace(msg.Link) + ")"
	}
	if body := strings.ReplaceAll(lines(msg.Body, maxBody), "```", "'''"); body != "" {
		e.Text = "```\n" + runes(body, maxDiscordText-len(tail)-20) + "\n```"
	}
	e.Text += tail
	return discordPost{Embeds: []discordEmbed{e}, Mentions: map[string][]string{"parse": {}}}
}

// discordTaken reads an answer: with wait=true it is the message as it was kept. The wait of a 429 stands in the body too, in
// seconds with a fraction; it is rounded up.
func discordTaken(p *poster, a answer) *Failure {
	var x struct {
		ID    string
		Retry float64 `json:"retry_after"`
	}
	err := json.Unmarshal(a.body, &x)
	f := p.judge(a)
	switch {
	case f == nil && (err != nil || x.ID == ""):
		return p.lied(a, "the message's id")
	case f != nil && a.code == http.StatusTooManyRequests && f.After == 0 && x.Retry > 0:
		f.After = min(time.Duration(min(x.Retry, 1e6)*float64(time.Second)).Truncate(time.Second)+time.Second, maxAfter)
	}
	return f
}
