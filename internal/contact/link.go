package contact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// A Key signs links to status pages. Its id stands in the link, so that an old key opens old links until it is thrown away.
type Key struct {
	ID     uint32
	Secret []byte // at least 32 bytes, never shown
}

// A Claim is what a link proves: its holder got it as one contact, for one incident.
type Claim struct {
	Incident int64
	Contact  int64
	Expires  time.Time // whole seconds, UTC
	Nonce    uint64    // Contact.Links when it was made: revoking counts that on, so that every older link fails
}

// The errors of OpenLink. Who has no good link learns no more than this.
var (
	ErrLink    = errors.New("this link is not one of ours, or not whole: copy it again from the message, to its end")
	ErrExpired = errors.New("this link is too old: the response team can send a new one")
)

const (
	linkVersion = 1
	linkBytes   = 1 + 4 + 4*8 + sha256.Size
)

// SignLink returns the token of a link. Its form, as base64url (RFC 4648 section 5) without padding, numbers big endian:
//
//	version 1 | key id, 4 bytes | incident, 8 | contact, 8 | expires, Unix seconds, 8 | nonce, 8 | HMAC-SHA256 of all before, 32
func SignLink(k Key, c Claim) string {
	b := []byte{linkVersion}
	b = binary.BigEndian.AppendUint32(b, k.ID)
	for _, n := range []uint64{uint64(c.Incident), uint64(c.Contact), uint64(c.Expires.Unix()), c.Nonce} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return base64.RawURLEncoding.EncodeToString(append(b, linkMAC(k, b)...))
}

// linkMAC is the MAC of a token. The prefix keeps a secret that signs something else, too, from making links.
func linkMAC(k Key, content []byte) []byte {
	if len(k.Secret) < 32 {
		panic("contact: internal error: a key of less than 32 bytes signs links")
	}
	m := hmac.New(sha256.New, k.Secret)
	m.Write([]byte("tocsin status link\x00"))
	m.Write(content)
	return m.Sum(nil)
}

// OpenLink returns what a token claims, when one of the keys signed it and it has not expired at now. MACs are compared in constant time. Whether it was
// revoked is asked with Book.Honours.
func OpenLink(keys []Key, token string, now time.Time) (Claim, error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(linkBytes) {
		return Claim{}, ErrLink
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != linkBytes || b[0] != linkVersion || base64.RawURLEncoding.EncodeToString(b) != token {
		return Claim{}, ErrLink
	}
	content, mac := b[:linkBytes-sha256.Size], b[linkBytes-sha256.Size:]
	good := false
	for _, k := range keys {
		if k.ID == binary.BigEndian.Uint32(b[1:5]) {
			good = hmac.Equal(mac, linkMAC(k, content)) || good
		}
	}
	if !good {
		return Claim{}, ErrLink
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[5+8*i:]) }
	c := Claim{Incident: int64(n(0)), Contact: int64(n(1)), Expires: time.Unix(int64(n(2)), 0).UTC(), Nonce: n(3)}
	if !now.Before(c.Expires) {
		return c, ErrExpired
	}
	return c, nil
}

// Honours reports whether a link still counts: its contact is on the list, and its links were not revoked since.
func (b *Book) Honours(c Claim) bool {
	x, err := b.Get(c.Contact)
	return err == nil && uint64(x.Links) == c.Nonce
}
