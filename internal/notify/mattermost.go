package notify

import (
	"fmt"
	"strings"
)

// MattermostOptions says where a Mattermost listens.
type MattermostOptions struct {
	URL    string // of an incoming webhook, such as https://chat.shop.example/hooks/xxx. It is a secret. "" takes each message's own To
	CAFile string // PEM file of the authority that signed the server's certificate; "" trusts what the machine trusts
}

// maxMattermost is how many characters a post has. https://developers.mattermost.com/integrate/webhooks/incoming
const maxMattermost = 16383

// NewMattermost checks the options. It does not connect. Its errors do not show the address.
func NewMattermost(o MattermostOptions) (*Post, error) {
	if err := ownAddress("mattermost", o.URL); err != nil {
		return nil, err
	}
	p, err := newPoster("mattermost", o.CAFile)
	if err != nil {
		return nil, err
	}
	return &Post{poster: p, compose: func(msg Message) (request, error) {
		return jsonRequest(either(o.URL, msg.To), map[string]string{"text": mattermostText(msg)})
	}, taken: func(a answer) *Failure {
		if f := p.judge(a); f != nil {
			return f
		}
		if strings.TrimSpace(string(a.body)) != "ok" {
			return p.lied(a, "its word ok")
		}
		return nil
	}}, nil
}

// mattermostText lays a message out: the body stands in a block of code, where nothing is a mention, a link or layout.
func mattermostText(msg Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n", markdown(oneLine(msg.Subject, maxSubject)))
	tail := ""
	if publicLink(msg.Link) {
		tail = "\n[Answer this call](" + strings.NewReplacer("(", "%28", ")", "%29", "]", "%5D").Replace(msg.Link) + ")"
	}
	if body := strings.ReplaceAll(lines(msg.Body, maxBody), "```", "'''"); body != "" {
		b.WriteString("```\n" + runes(body, maxMattermost-b.Len()-len(tail)-20) + "\n```")
	}
	return b.String() + tail
}

// markdown writes what a chat would read as layout, mention or link as itself. A mention is broken by a space that has no width.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_{}[]()#+-!|>~<:&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if r == '@' {
			b.WriteRune('\u200b')
		}
	}
	return b.String()
}
