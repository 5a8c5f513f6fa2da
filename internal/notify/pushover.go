package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// PushoverOptions says as which application, and to whom.
type PushoverOptions struct {
	Token  string        // of the application: 30 letters and digits. It is a secret
	User   string        // key of a person or group: 30 letters and digits; "" takes each message's own To
	API    string        // "" is https://api.pushover.net
	Retry  time.Duration // how often a Critical message rings until it is acknowledged on the phone; 0 is a minute, at least 30 seconds
	Expire time.Duration // for how long it does; 0 is an hour, at most three
}

// A Pushover sends to phones. It may be used by many goroutines.
type Pushover struct {
	*poster
	o PushoverOptions
}

var pushoverKey = regexp.MustCompile(`^[A-Za-z0-9]{30}$`)

// The lengths in characters. https://pushover.net/api#limits
const (
	maxPushoverTitle = 250
	maxPushoverText  = 1024
)

// NewPushover checks the options. It does not connect. Its errors do not show the keys.
func NewPushover(o PushoverOptions) (*Pushover, error) {
	if o.API == "" {
		o.API = "https://api.pushover.net"
	}
	if o.Retry == 0 {
		o.Retry = time.Minute
	}
	if o.Expire == 0 {
		o.Expire = time.Hour
	}
	switch {
	case !pushoverKey.MatchString(o.Token) || o.User != "" && !pushoverKey.MatchString(o.User):
		return nil, errors.New("pushover: the application's token and a user's key are 30 letters and digits each")
	case o.Retry < 30*time.Second:
		return nil, fmt.Errorf("pushover: it rings again every 30 seconds at most, not every %v", o.Retry)
	case o.Expire > 3*time.Hour || o.Expire < o.Retry:
		return nil, fmt.Errorf("pushover: it rings for three hours at most, and not for %v", o.Expire)
	}
	if why := badAddress(o.API); why != "" {
		return nil, fmt.Errorf("pushover: %s", why)
	}
	o.API = strings.TrimSuffix(o.API, "/")
	p, err := newPoster("pushover", "", o.Token, o.User)
	return &Pushover{p, o}, err
}

// Send sends one message. nil means that Pushover took it. Every error is a *Failure.
func (p *Pushover) Send(ctx context.Context, msg Message) error {
	_, err := p.Ring(ctx, msg)
	return err
}

// Ring is Send, and returns the receipt of a Critical message, with which Acknowledged asks; "" of others.
func (p *Pushover) Ring(ctx context.Context, msg Message) (receipt string, _ error) {
	user := either(p.o.User, msg.To)
	if !pushoverKey.MatchString(user) {
		return "", permanent("pushover: a user's key is 30 letters and digits")
	}
	v := url.Values{"token": {p.o.Token}, "user": {user}, "title": {runes(oneLine(msg.Subject, maxSubject), maxPushoverTitle)}, "message": {runes(lines(msg.Body, maxBody), maxPushoverText)}}
	if v.Get("message") == "" {
		v.Set("message", v.Get("title"))
	}
	if publicLink(msg.Link) {
		v.Set("url", msg.Link)
		v.Set("url_title", "Answer this call")
	}
	v.Set("priority", strconv.Itoa(urgency(msg.Severity)-2))
	critical := msg.Severity == "Critical"
	if critical {
		v.Set("retry", strconv.Itoa(int(p.o.Retry/time.Second)))
		v.Set("expire", strconv.Itoa(int(p.o.Expire/time.Second)))
	}
	a, fail := p.do(ctx, request{address: p.o.API + "/1/messages.json", kind: "application/x-www-form-urlencoded", body: []byte(v.Encode())})
	if fail != nil {
		return "", fail
	}
	if fail := p.judge(a); fail != nil {
		if a.code == http.StatusTooManyRequests { // the month's messages are used up
			fail.After = maxAfter
		}
		return "", fail
	}
	var x struct {
		Status  int
		Receipt string
	}
	err := json.Unmarshal(a.body, &x)
	switch {
	case err == nil && x.Status == 0 && strings.Contains(string(a.body), `"errors"`):
		return "", permanent("pushover: it refused: %s", a.shown)
	case err != nil || x.Status != 1 || critical && !pushoverKey.MatchString(x.Receipt):
		return "", p.lied(a, "its status 1 and, for a Critical one, a receipt")
	}
	return x.Receipt, nil
}

// Acknowledged asks once whether a Critical message was acknowledged on a phone, and by which user's key; ended is that it rings no more.
// Pushover allows one question in five seconds. Every error is a *Failure.
func (p *Pushover) Acknowledged(ctx context.Context, receipt string) (by string, at time.Time, ended bool, _ error) {
	if !pushoverKey.MatchString(receipt) {
		return "", time.Time{}, false, permanent("pushover: a receipt is 30 letters and digits")
	}
	a, fail := p.do(ctx, request{method: http.MethodGet, address: p.o.API + "/1/receipts/" + receipt + ".json?token=" + p.o.Token})
	if fail == nil {
		fail = p.judge(a)
	}
	if fail != nil {
		return "", time.Time{}, false, fail
	}
	var x struct {
		Status, Acknowledged, Expired int
		At                            int64  `json:"acknowledged_at"`
		By                            string `json:"acknowledged_by"`
	}
	if json.Unmarshal(a.body, &x) != nil || x.Status != 1 {
		return "", time.Time{}, false, &Failure{Temporary: true, Reason: "pushover: it answered without the receipt's state: " + a.shown}
	}
	if x.Acknowledged != 1 {
		return "", time.Time{}, x.Expired == 1, nil
	}
	return oneLine(x.By, 40), time.Unix(x.At, 0).UTC(), true, nil
}
