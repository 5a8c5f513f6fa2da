package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"
)

// TelegramOptions says as which bot, and to which chat.
type TelegramOptions struct {
	Token string // of the bot, from @BotFather: a number, a colon and 35 characters. It is a secret
	Chat  string // number of the chat, or @name of a channel; "" takes each message's own To
	API   string // "" is https://api.telegram.org; another is a Bot API server of one's own
}

var (
	telegramToken = regexp.MustCompile(`^[0-9]{3,20}:[0-9A-Za-z_-]{20,100}$`)
	telegramChat  = regexp.MustCompile(`^(-?[0-9]{1,20}|@[0-9A-Za-z_]{3,40})$`)
)

// maxTelegram is how long a text may be, in UTF-16 units. https://core.telegram.org/bots/api#sendmessage
const maxTelegram = 4096

type telegramButton struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

type telegramPost struct {
	Chat    string          `json:"chat_id"`
	Text    string          `json:"text"` // without parse_mode every character is shown as it is
	Preview map[string]bool `json:"link_preview_options"`
	Silent  bool            `json:"disable_notification,omitempty"`
	Markup  any             `json:"reply_markup,omitempty"`
}

// NewTelegram checks the options. It does not connect. Its errors do not show the token.
func NewTelegram(o TelegramOptions) (*Post, error) {
	if !telegramToken.MatchString(o.Token) {
		return nil, errors.New("telegram: the bot's token must be a number, a colon and some 35 characters, as @BotFather gives it")
	}
	if o.API == "" {
		o.API = "https://api.telegram.org"
	}
	if why := badAddress(o.API); why != "" {
		return nil, fmt.Errorf("telegram: %s", why)
	}
	if o.Chat != "" && !telegramChat.MatchString(o.Chat) {
		return nil, errors.New("telegram: the chat must be a number (a group's begins with -), or a channel's @name")
	}
	p, err := newPoster("telegram", "", o.Token, o.Token[strings.Index(o.Token, ":")+1:])
	if err != nil {
		return nil, err
	}
	return &Post{poster: p, compose: func(msg Message) (request, error) {
		chat := either(o.Chat, msg.To)
		if !telegramChat.MatchString(chat) {
			return request{}, errors.New("the chat must be a number (a group's begins with -), or a channel's @name")
		}
		return jsonRequest(strings.TrimSuffix(o.API, "/")+"/bot"+o.Token+"/sendMessage", telegramMessage(chat, msg))
	}, taken: func(a answer) *Failure { return telegramTaken(p, a) }}, nil
}

// telegramMessage lays a message out.
func telegramMessage(chat string, msg Message) telegramPost {
	text := oneLine(msg.Subject, maxSubject)
	if body := lines(msg.Body, maxBody); body != "" {
		text += "\n\n" + body
	}
	m := telegramPost{Chat: chat, Text: units(text, maxTelegram), Preview: map[string]bool{"is_disabled": true}, Silent: msg.Severity == "Low"}
	if publicLink(msg.Link) { // Telegram refuses a message with a button that leads nowhere
		m.Markup = map[string]any{"inline_keyboard": [][]telegramButton{{{"Answer this call", msg.Link}}}}
	}
	return m
}

// units shortens s to at most limit UTF-16 units.
func units(s string, limit int) string {
	n := 0
	for i, r := range s {
		if n += utf16.RuneLen(r); n > limit {
			return cut(s, max(0, i-len("…")))
		}
	}
	return s
}

// telegramTaken reads an answer, whose body says more than its status. https://core.telegram.org/bots/api#making-requests
func telegramTaken(p *poster, a answer) *Failure {
	var x struct {
		OK         bool
		Code       int `json:"error_code"`
		Parameters struct {
			Retry int `json:"retry_after"`
		}
		Result struct {
			Message int64 `json:"message_id"`
		}
	}
	err := json.Unmarshal(a.body, &x)
	if f := p.judge(a); f != nil {
		if f.Temporary && f.After == 0 && x.Parameters.Retry > 0 {
			f.After = min(time.Duration(min(x.Parameters.Retry, 1e6))*time.Second, maxAfter)
		}
		if a.code == 401 || a.code == 404 {
			f.Reason += ". The bot's token does not hold: ask @BotFather for a new one"
		}
		return f
	}
	switch {
	case err != nil || x.OK && x.Result.Message == 0:
		return p.lied(a, "the message's number")
	case !x.OK:
		return &Failure{Temporary: x.Code == 429 || x.Code >= 500, After: min(time.Duration(max(0, min(x.Parameters.Retry, 1e6)))*time.Second, maxAfter), Reason: "telegram: it refused: " + a.shown}
	}
	return nil
}
