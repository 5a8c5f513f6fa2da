package signin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// The errors of Open, in words for the person who followed the link.
var (
	ErrToken   = errors.New("this link is not one of ours, or not whole: copy it again from the message, to its end")
	ErrExpired = errors.New("this link is too old")
)

// A Claim is what a token proves: that whoever holds it may do one thing, for one person, until a time. That it does so once
// only is not proved here: the act's entry in the ledger decides that.
type Claim struct {
	Purpose string    // "setup", "answer"
	Subject string    // "call:3"
	Person  string    // "" when nobody has an account yet
	Expires time.Time // whole seconds, UTC
}

const tokenVersion = 1

// sign returns the MAC of a token's content. The prefix keeps a key that signs something else, too, from making tokens.
func sign(key, content []byte) []byte {
	if len(key) < 32 {
		panic("signin: internal error: a key of less than 32 bytes signs tokens")
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte("tocsin signin token\x00"))
	m.Write(content)
	return m.Sum(nil)
}

// Sign returns a token that fits into a link as it is. purpose, subject and person have at most 255 bytes each; key has at
// least 32 bytes and is never shown. Its form, as base64url without padding:
//
//	version 1 | expires, Unix seconds, 8 bytes big endian | 3 x (length, 1 byte | purpose, subject, person) | HMAC-SHA256, 32 bytes
func Sign(key []byte, purpose, subject, person string, expires time.Time) string {
	b := binary.BigEndian.AppendUint64([]byte{tokenVersion}, uint64(expires.Unix()))
	for _, s := range []string{purpose, subject, person} {
		if len(s) > maxField {
			panic(fmt.Sprintf("signin: internal error: a token's field has %d bytes", len(s)))
		}
		b = append(append(b, byte(len(s))), s...)
	}
	return base64.RawURLEncoding.EncodeToString(append(b, sign(key, b)...))
}

// Open returns what a token claims, when Sign made it with this key for this purpose and it has not expired at now. The
// errors are ErrToken and, for a token that was good once, ErrExpired together with its claim.
func Open(key []byte, purpose, token string, now time.Time) (Claim, error) {
	if len(token) > maxToken {
		return Claim{}, ErrToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < 1+8+3+sha256.Size || base64.RawURLEncoding.EncodeToString(b) != token { // the decoder skips line ends
		return Claim{}, ErrToken
	}
	content, mac := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if !hmac.Equal(mac, sign(key, content)) || content[0] != tokenVersion {
		return Claim{}, ErrToken
	}
	c := Claim{Expires: time.Unix(int64(binary.BigEndian.Uint64(content[1:9])), 0).UTC()}
	rest := content[9:]
	for _, f := range []*string{&c.Purpose, &c.Subject, &c.Person} {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return Claim{}, ErrToken
		}
		n := 1 + int(rest[0])
		*f, rest = string(rest[1:n]), rest[n:]
	}
	if len(rest) != 0 || c.Purpose != purpose {
		return Claim{}, ErrToken
	}
	if !now.Before(c.Expires) {
		return c, ErrExpired
	}
	return c, nil
}
