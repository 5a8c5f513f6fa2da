package room

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	ticketVersion = "r1"
	longestTicket = 24 * time.Hour
	longestName   = 60   // runes
	longestCode   = 2000 // bytes
)

// A Ticket says who may come into which room. Sealed into a code it goes into a link:
//
//	r1.<base64url of the JSON below>.<base64url of HMAC-SHA-256 over all before the last dot>
//
// The code belongs behind the # of the link, where neither servers nor proxies see it.
type Ticket struct {
	Room   string    `json:"room"`             // the incident
	Name   string    `json:"name"`             // shown to the others; 60 runes at most
	Person string    `json:"person,omitempty"` // staff id; "" is a guest
	Host   bool      `json:"host,omitempty"`   // may mute and send out others, record, and end the room
	Once   bool      `json:"once,omitempty"`   // the first browser that comes with it keeps it
	Made   time.Time `json:"made"`
	Until  time.Time `json:"until"` // 24 hours after Made at most
	Nonce  string    `json:"nonce"`
}

// Seal returns the code of a ticket, with the nonce and, if it has none, the time of making filled in.
func (rs *Rooms) Seal(t Ticket) (string, error) {
	if t.Made.IsZero() {
		t.Made = time.Now()
	}
	t.Made, t.Until, t.Nonce = t.Made.UTC().Round(0), t.Until.UTC().Truncate(time.Second), rand.Text()
	switch {
	case t.Room == "" || len(t.Room) > 100:
		return "", fmt.Errorf("a ticket to the war room needs the room's name, of 100 bytes at most")
	case utf8.RuneCountInString(t.Name) > longestName || strings.ContainsFunc(t.Name, unicode.IsControl) || !utf8.ValidString(t.Name):
		return "", fmt.Errorf("the name on a ticket has %d letters at most and no control characters", longestName)
	case len(t.Person) > 100:
		return "", fmt.Errorf("the staff id on a ticket has 100 bytes at most")
	case !t.Until.After(t.Made) || t.Until.Sub(t.Made) > longestTicket:
		return "", fmt.Errorf("a ticket to the war room is valid for up to 24 hours from when it is made")
	}
	b, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("writing a ticket to the war room: %w", err)
	}
	code := ticketVersion + "." + base64.RawURLEncoding.EncodeToString(b)
	return code + "." + base64.RawURLEncoding.EncodeToString(sign(rs.o.Key, code)), nil
}

// sign returns the seal of a code.
func sign(key []byte, code string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("tocsin war room ticket\n" + code))
	return m.Sum(nil)
}

// errCode is the one answer to every code that is not ours, so that nothing is learnt from it.
var errCode = Refusal{Status: http.StatusForbidden, Says: "This code opens no room. Check that the whole link was copied, or ask for a new one."}

// unseal reads a code. It looks at nothing of it before the seal is found right, in constant time.
func unseal(key []byte, code string, now time.Time) (Ticket, error) {
	var t Ticket
	at := strings.LastIndexByte(code, '.')
	if len(code) > longestCode || at < 0 || strings.ContainsAny(code, "\r\n") { // which base64 passes over
		return t, errCode
	}
	seal, err := base64.RawURLEncoding.Strict().DecodeString(code[at+1:])
	if err != nil || !hmac.Equal(seal, sign(key, code[:at])) {
		return t, errCode
	}
	version, body, _ := strings.Cut(code[:at], ".")
	b, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if version != ticketVersion || err != nil || json.Unmarshal(b, &t) != nil {
		return Ticket{}, errCode
	}
	if now.After(t.Until) {
		return Ticket{}, Refusal{Status: http.StatusForbidden, Says: "This link has run out. Ask for a new one."}
	}
	return t, nil
}
