package record

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
)

// HubName is the name that a hub's certificate has, whatever the address is at which agents reach it: they know it by its authority.
const HubName = "hub.tocsin.internal"

// A Token lets one agent join, once. Its secret is known to the hub by its hash only; the fingerprint is what the agent knows the hub by
// before it says anything.
type Token struct {
	Secret      [32]byte
	Fingerprint [sha256.Size]byte // of the DER of the hub's own certificate authority
}

// base32Lower is RFC 4648 in small letters and without padding.
const base32Lower = "abcdefghijklmnopqrstuvwxyz234567"

func tokenText() *base32.Encoding {
	return base32.NewEncoding(base32Lower).WithPadding(base32.NoPadding)
}

// String is the token as people paste it: secret, dot, fingerprint.
func (t Token) String() string {
	return tokenText().EncodeToString(t.Secret[:]) + "." + tokenText().EncodeToString(t.Fingerprint[:])
}

// GoString hides the secret.
func (t Token) GoString() string { return "a token" }

// Hash is what the hub keeps of it.
func (t Token) Hash() [sha256.Size]byte { return sha256.Sum256(t.Secret[:]) }

// ParseToken reads what String gives and nothing else. Space around it does not matter. Its error holds nothing of the text.
func ParseToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	bad := errors.New("this is not a token: paste the whole text that the server gave, 105 letters, digits and a dot")
	secret, print, ok := strings.Cut(text, ".")
	if !ok || len(text) > 200 {
		return Token{}, bad
	}
	var t Token
	for _, part := range []struct {
		from string
		to   []byte
	}{{secret, t.Secret[:]}, {print, t.Fingerprint[:]}} {
		b, err := tokenText().DecodeString(part.from)
		if err != nil || len(b) != len(part.to) {
			return Token{}, bad
		}
		copy(part.to, b)
	}
	if t.String() != text { // stray bits at the end, line ends within
		return Token{}, bad
	}
	return t, nil
}
