package notify

import "strings"

// TeamsOptions says where a Microsoft Teams channel listens.
type TeamsOptions struct {
	URL string // of a workflow "post to a channel when a webhook request is received". It is a secret: its signature stands in it. "" takes each message's own To
}

// maxTeams is how many bytes of body go into a card, of which Teams takes 28 KB as a whole.
// https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
const maxTeams = 8000

// A teamsRun is text that is shown as it is: other parts of a card read Markdown.
type teamsRun struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Weight string `json:"weight,omitempty"`
	Size   string `json:"size,omitempty"`
}

type teamsBlock struct {
	Type    string     `json:"type"`
	Inlines []teamsRun `json:"inlines"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

type teamsCard struct {
	Schema  string        `json:"$schema"`
	Type    string        `json:"type"`
	Version string        `json:"version"`
	Body    []teamsBlock  `json:"body"`
	Actions []teamsAction `json:"actions,omitempty"`
}

type teamsAttachment struct {
	Type    string    `json:"contentType"`
	URL     *string   `json:"contentUrl"`
	Content teamsCard `json:"content"`
}

type teamsPost struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

// NewTeams checks the options. It does not connect. Its errors do not show the address.
func NewTeams(o TeamsOptions) (*Post, error) {
	if err := ownAddress("teams", o.URL); err != nil {
		return nil, err
	}
	p, err := newPoster("teams", "")
	if err != nil {
		return nil, err
	}
	return &Post{poster: p, compose: func(msg Message) (request, error) {
		return jsonRequest(either(o.URL, msg.To), teamsMessage(msg))
	}, taken: func(a answer) *Failure {
		f := p.judge(a)
		if f == nil && strings.Contains(strings.ToLower(string(a.body)), "delivery failed") { // the old connectors say 200 and mean 429
			f = &Failure{Temporary: true, Reason: "teams: it answered that it did not deliver: " + a.shown}
		}
		return f
	}}, nil
}

// teamsMessage lays a message out as an Adaptive Card of version 1.4, the newest that Teams shows everywhere.
func teamsMessage(msg Message) teamsPost {
	c := teamsCard{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4"}
	c.Body = append(c.Body, teamsBlock{"RichTextBlock", []teamsRun{{"TextRun", oneLine(msg.Subject, maxSubject), "bolder", "medium"}}})
	if body := lines(msg.Body, maxTeams); body != "" {
		c.Body = append(c.Body, teamsBlock{"RichTextBlock", []teamsRun{{Type: "TextRun", Text: body}}})
	}
	if publicLink(msg.Link) {
		c.Actions = []teamsAction{{"Action.OpenUrl", "Answer this call", msg.Link}}
	}
	return teamsPost{"message", []teamsAttachment{{Type: "application/vnd.microsoft.card.adaptive", Content: c}}}
}
