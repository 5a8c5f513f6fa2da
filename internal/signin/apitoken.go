package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
)

// An API token is "tcs_", 160 bits of chance and 30 bits that check them, as 32 and 6 characters of Crockford's base 32. The prefix
// lets scanners of source code find one that leaked; the check lets us refuse what was cut or mistyped without looking it up.
const (
	apiPrefix  = "tcs_"
	apiBytes   = 20
	apiChars   = 32
	apiCheck   = 6
	apiLongest = 365 * 24 * time.Hour
	apiMost    = 20 // of one person
)

// An APIToken is what is kept of a token: never the token.
type APIToken struct {
	ID      string        `json:"id"`      // shown, and named in the ledger
	Name    string        `json:"name"`    // what its owner calls it
	Hash    string        `json:"hash"`    // SHA-256 of the token, hex: with 160 bits of chance nothing slower is needed
	Scope   []auth.Action `json:"scope"`   // what it may do, of what its owner may
	Made    time.Time     `json:"made"`    //
	Expires time.Time     `json:"expires"` // at most a year later
}

// APITokenHash checks the form of a token and returns what it is looked up by.
func APITokenHash(token string) (string, error) {
	bad := errors.New("this is not an API token of Tocsin, or not a whole one: it begins with tcs_ and has 42 characters")
	if len(token) != len(apiPrefix)+apiChars+apiCheck || !strings.HasPrefix(token, apiPrefix) {
		return "", bad
	}
	body := token[len(apiPrefix):]
	if strings.Trim(body, alphabet) != "" || subtle.ConstantTimeCompare([]byte(apiChecksum(body[:apiChars])), []byte(body[apiChars:])) != 1 {
		return "", bad
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:]), nil
}

// apiChecksum is the first 30 bits of the SHA-256 of a token's body.
func apiChecksum(body string) string {
	sum := sha256.Sum256([]byte("tocsin api token\x00" + body))
	return spell(sum[:4])[:apiCheck]
}

// MakeToken decides to give its owner a token, and returns it as it is shown once. scope must not be empty, and the owner must be allowed
// each action of it; days is 1 to 365. An error is for the person; it is a Mistake where one field is to blame.
func (c Credentials) MakeToken(owner auth.Actor, name string, scope []auth.Action, days int, now time.Time) (Credentials, APIToken, string, error) {
	wrong := func(field, says string) (Credentials, APIToken, string, error) {
		return c, APIToken{}, "", Mistake{field, says}
	}
	name, bad := checkName(name)
	if bad != "" {
		return wrong("token-name", bad)
	}
	if len(scope) == 0 {
		return wrong("token-scope", "Choose at least one thing that the token may do.")
	}
	scope = slices.Compact(slices.Sorted(slices.Values(scope)))
	for _, a := range scope {
		if !slices.Contains(auth.Actions(), a) || auth.May(owner, a) != nil {
			return wrong("token-scope", fmt.Sprintf("You may not give a token what you may not do yourself: %s.", a))
		}
	}
	life := time.Duration(days) * 24 * time.Hour
	if days < 1 || days > 365 || life > apiLongest {
		return wrong("token-days", "A token works for 1 to 365 days.")
	}
	var live []APIToken
	for _, t := range c.Tokens {
		if now.Before(t.Expires) {
			live = append(live, t)
		}
	}
	if len(live) >= apiMost {
		return wrong("", fmt.Sprintf("You have %d tokens. Revoke one that is not needed any more.", apiMost))
	}
	b := make([]byte, apiBytes)
	rand.Read(b) // never fails (crypto/rand)
	body := spell(b)
	token := apiPrefix + body + apiChecksum(body)
	hash, err := APITokenHash(token)
	if err != nil {
		return c, APIToken{}, "", fmt.Errorf("internal error: a token that was just made does not read: %w", err)
	}
	t := APIToken{ID: shortID(), Name: name, Hash: hash, Scope: scope, Made: now.UTC(), Expires: now.Add(life).UTC()}
	out := c.clone()
	out.Tokens = append(live, t)
	return out, t, token, nil
}

// RevokeToken decides that a token works no more.
func (c Credentials) RevokeToken(id string) (Credentials, APIToken, error) {
	for i, t := range c.Tokens {
		if t.ID == id {
			out := c.clone()
			out.Tokens = slices.Delete(out.Tokens, i, i+1)
			return out, t, nil
		}
	}
	return c, APIToken{}, ErrUnknown
}

// FindToken returns the token with a hash, if it has not expired. It looks at all of them, in a time that does not depend on which it is.
func (c Credentials) FindToken(hash string, now time.Time) (found APIToken, ok bool) {
	for _, t := range c.Tokens {
		if subtle.ConstantTimeCompare([]byte(t.Hash), []byte(hash)) == 1 && now.Before(t.Expires) {
			found, ok = t, true
		}
	}
	return found, ok
}

// shortID names something that is no secret, in 64 bits of chance.
func shortID() string {
	b := make([]byte, 8)
	rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}
