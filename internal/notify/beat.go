package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Beat is what a watcher outside is told every minute while the bell works. When it stays away, the watcher rings.
type Beat struct {
	From    string    `json:"from"` // who: the origin of our ledger
	At      time.Time `json:"at"`
	Entries int64     `json:"entries"` // of the ledger
	Ringing int       `json:"ringing"` // calls that nobody has answered
}

// BeatHeader carries the signature of a beat: t=<seconds since 1970>,v1=<hex HMAC-SHA256 of "t.body">. The key is the SHA-256 of the token, so that
// who takes the beats keeps no token: of its settings nothing can be read that is typed anywhere else.
const BeatHeader = "Tocsin-Signature"

// BeatMost is how many bytes a beat may have.
const BeatMost = 2 << 10

// beatApart is how far the clocks of the two may be apart.
const beatApart = 5 * time.Minute

// Errors of CheckBeat. They do not say more to who may not know more.
var (
	ErrBeatForged = errors.New("the beat is not signed with the token that was agreed on")
	ErrBeatLate   = errors.New("the beat's time is more than 5 min from ours: set the clocks of both machines, or it is an old one that was recorded")
)

// BeatKey returns the key of a token.
func BeatKey(token string) []byte {
	k := sha256.Sum256([]byte(token))
	return k[:]
}

func beatSum(key []byte, stamp string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// SignBeat returns what stands in the header for a body.
func SignBeat(key []byte, at time.Time, body []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(beatSum(key, stamp, body))
}

// CheckBeat reads a beat that came with a signature, and returns when it was signed. Errors: ErrBeatForged, ErrBeatLate, or what is wrong with the body.
func CheckBeat(key []byte, header string, body []byte, now time.Time) (b Beat, at time.Time, err error) {
	t, v, ok := strings.Cut(header, ",")
	stamp, isT := strings.CutPrefix(t, "t=")
	sum, isV := strings.CutPrefix(v, "v1=")
	n, perr := strconv.ParseInt(stamp, 10, 64)
	got, herr := hex.DecodeString(sum)
	if !ok || !isT || !isV || perr != nil || herr != nil || len(stamp) > 12 || len(body) > BeatMost || !hmac.Equal(got, beatSum(key, stamp, body)) {
		return b, at, ErrBeatForged
	}
	at = time.Unix(n, 0).UTC()
	if now.Sub(at).Abs() > beatApart {
		return b, at, ErrBeatLate
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return b, at, fmt.Errorf("the beat is not the JSON object that was expected: %w", err)
	}
	return b, at, nil
}

// BeatTo returns what tells one watcher: any address that takes a POST, such as /beat/ID of another Tocsin. Every error is a *Failure without the address's path,
// which may be a secret. The address must begin with https://, except on this machine.
func BeatTo(address, token string) (func(context.Context, Beat) error, error) {
	w, err := NewWebhook(WebhookOptions{Name: "watcher", URL: address})
	if err != nil {
		return nil, err
	}
	key := BeatKey(token)
	return func(ctx context.Context, b Beat) error {
		body, err := json.Marshal(b)
		if err != nil {
			return permanent("watcher: %v", err)
		}
		a, fail := w.do(ctx, request{address: address, kind: "application/json", header: http.Header{BeatHeader: {SignBeat(key, b.At, body)}}, body: body})
		if fail != nil {
			return fail
		}
		if fail = w.judge(a); fail != nil {
			fail.Temporary = true // the next beat comes in a minute, whatever it said
		}
		return plain(fail)
	}, nil
}
