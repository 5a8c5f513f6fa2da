package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// NtfyOptions says which ntfy server and topic.
type NtfyOptions struct {
	URL    string // of the server, such as https://ntfy.shop.example; "" is https://ntfy.sh
	Topic  string // "" takes each message's own To. On a server that is open to all, who knows the name reads and posts: make it long and random
	Token  string // access token, begins with tk_; "" signs in to no server. It is a secret
	CAFile string // PEM file of the authority that signed the server's certificate; "" trusts what the machine trusts
}

// ntfyTopic is what ntfy takes as a name.
var ntfyTopic = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)

// maxNtfy is how many bytes of a text are shown as such; longer ones become a file. https://docs.ntfy.sh/publish/#limitations
const maxNtfy = 4096

type ntfyAction struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
}

type ntfyPost struct {
	Topic    string       `json:"topic"`
	Title    string       `json:"title"`
	Message  string       `json:"message"`
	Priority int          `json:"priority"` // 1 to 5; 5 rings through "do not disturb"
	Tags     []string     `json:"tags,omitempty"`
	Click    string       `json:"click,omitempty"`
	Actions  []ntfyAction `json:"actions,omitempty"`
}

// NewNtfy checks the options. It does not connect. Its errors do not show topic and token.
func NewNtfy(o NtfyOptions) (*Post, error) {
	if o.URL == "" {
		o.URL = "https://ntfy.sh"
	}
	if why := badAddress(o.URL); why != "" {
		return nil, fmt.Errorf("ntfy: %s", why)
	}
	if o.Topic != "" && !ntfyTopic.MatchString(o.Topic) {
		return nil, errors.New("ntfy: the topic must be 1 to 64 letters, digits, - and _")
	}
	p, err := newPoster("ntfy", o.CAFile, o.Topic, o.Token)
	if err != nil {
		return nil, err
	}
	return &Post{poster: p, compose: func(msg Message) (request, error) {
		topic := either(o.Topic, msg.To)
		if !ntfyTopic.MatchString(topic) {
			return request{}, errors.New("the topic must be 1 to 64 letters, digits, - and _")
		}
		r, err := jsonRequest(o.URL, ntfyMessage(topic, msg))
		if o.Token != "" {
			r.header = map[string][]string{"Authorization": {"Bearer " + o.Token}}
		}
		return r, err
	}, taken: func(a answer) *Failure {
		if f := p.judge(a); f != nil {
			return f
		}
		var x struct{ ID, Event string }
		if json.Unmarshal(a.body, &x) != nil || x.ID == "" || x.Event != "message" {
			return p.lied(a, "the message's id")
		}
		return nil
	}}, nil
}

// ntfyMessage lays a message out: Critical has the priority that rings through quiet hours.
func ntfyMessage(topic string, msg Message) ntfyPost {
	n := ntfyPost{Topic: topic, Title: oneLine(msg.Subject, maxSubject), Message: lines(msg.Body, maxNtfy), Priority: urgency(msg.Severity) + 1}
	if n.Message == "" {
		n.Message = n.Title
	}
	if s := strings.ToLower(msg.Severity); s != "" && ntfyTopic.MatchString(s) {
		n.Tags = []string{s}
	}
	if publicLink(msg.Link) {
		n.Click, n.Actions = msg.Link, []ntfyAction{{"view", "Answer this call", msg.Link}}
	}
	return n
}
