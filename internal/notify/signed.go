package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// SignedOptions says which program is told, and with which key.
type SignedOptions struct {
	URL    string // of the receiver; https:// but on this machine
	KeyID  string // which key it is, so that two can be in use while one is being replaced: 1 to 40 letters, digits, ., - and _
	Key    []byte // shared with the receiver: at least 32 bytes. It is a secret
	CAFile string // PEM file of the authority that signed the receiver's certificate; "" trusts what the machine trusts
}

// The headers of a signed message.
const (
	HeaderTimestamp = "Tocsin-Timestamp" // when it was sent, in seconds since 1970
	HeaderKey       = "Tocsin-Key"       // SignedOptions.KeyID
	HeaderSignature = "Tocsin-Signature" // v1= and the HMAC-SHA256 (RFC 2104) in hexadecimal of timestamp, a full stop and the body
)

// ReplayWindow is how old, or how far ahead, the timestamp of a signed message may be. A receiver keeps the field id of what it took for twice as
// long, and passes over what it has: the same message comes again when it was in doubt, with a new timestamp and the same id.
const ReplayWindow = 5 * time.Minute

var keyForm = regexp.MustCompile(`^[0-9A-Za-z._-]{1,40}$`)

// SignedBody is the JSON that a receiver gets. Fields are only added.
type SignedBody struct {
	ID       string `json:"id"`
	Call     string `json:"call,omitempty"`
	Severity string `json:"severity,omitempty"`
	Subject  string `json:"subject"`
	Body     string `json:"body,omitempty"`
	Link     string `json:"link,omitempty"`
	Twice    bool   `json:"twice,omitempty"` // it may have been sent before
}

// poster checks the options, and returns what posts to their address. Errors show neither address nor key.
func (o SignedOptions) poster(name string) (*poster, error) {
	if why := badAddress(o.URL); why != "" {
		return nil, fmt.Errorf("%s: %s", name, why)
	}
	if !keyForm.MatchString(o.KeyID) || len(o.Key) < 32 {
		return nil, fmt.Errorf("%s: it needs a key of at least 32 bytes, and a name for it of 1 to 40 letters, digits, ., - and _", name)
	}
	return newPoster(name, o.CAFile, string(o.Key), hex.EncodeToString(o.Key))
}

// NewSigned checks the options. It does not connect. Its errors do not show address and key.
func NewSigned(o SignedOptions) (*Post, error) {
	p, err := o.poster("signed webhook")
	if err != nil {
		return nil, err
	}
	return &Post{poster: p, compose: func(msg Message) (request, error) {
		r, err := jsonRequest(o.URL, SignedBody{
			ID: msg.ID, Call: oneLine(msg.Call, maxSubject), Severity: oneLine(msg.Severity, 20), Subject: oneLine(msg.Subject, maxSubject),
			Body: lines(msg.Body, maxBody), Link: oneLine(msg.Link, 2000), Twice: msg.Twice,
		})
		r.header = http.Header{}
		Sign(r.header, r.body, o.KeyID, o.Key, time.Now())
		return r, err
	}}, nil
}

// Sign writes the three headers of a body.
func Sign(h http.Header, body []byte, keyID string, key []byte, now time.Time) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderKey, keyID)
	h.Set(HeaderSignature, "v1="+hex.EncodeToString(signature(stamp, body, key)))
}

func signature(stamp string, body, key []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// Verify is for receivers: it returns nil when the headers are of this body, made with one of the keys (by name), and not older or newer than
// ReplayWindow. It compares in constant time. A receiver also passes over ids that it has.
func Verify(h http.Header, body []byte, keys map[string][]byte, now time.Time) error {
	stamp, given := h.Get(HeaderTimestamp), h.Get(HeaderSignature)
	if len(h.Values(HeaderTimestamp)) != 1 || len(h.Values(HeaderSignature)) != 1 || len(h.Values(HeaderKey)) != 1 {
		return errors.New("the message is not signed: it must have each of the headers " + HeaderTimestamp + ", " + HeaderKey + " and " + HeaderSignature + " once")
	}
	key, known := keys[h.Get(HeaderKey)]
	if !known || len(key) < 32 {
		return errors.New("the message is signed with a key that is not known here")
	}
	sec, err := strconv.ParseUint(stamp, 10, 40)
	if err != nil || stamp != strconv.FormatUint(sec, 10) {
		return errors.New("the message's timestamp is no number of seconds")
	}
	sum, err := hex.DecodeString(cutPrefix(given, "v1="))
	if err != nil || !hmac.Equal(sum, signature(stamp, body, key)) {
		return errors.New("the message's signature does not hold: it was changed, or made with another key")
	}
	if d := now.Sub(time.Unix(int64(sec), 0)); d > ReplayWindow || d < -ReplayWindow {
		return fmt.Errorf("the message is signed for another time, %v from now: it is a replay, or a clock is wrong", d.Round(time.Second))
	}
	return nil
}

// cutPrefix returns what follows the prefix, and what is no hexadecimal without it.
func cutPrefix(s, prefix string) string {
	if len(s) < len(prefix) || s[:len(prefix)] != prefix {
		return "?"
	}
	return s[len(prefix):]
}
