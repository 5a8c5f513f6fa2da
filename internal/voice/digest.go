package voice

import (
	"crypto/md5" //nolint:gosec // SIP's digest (RFC 3261) is MD5 at most providers; it travels inside TLS
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// A challenge is one WWW-Authenticate or Proxy-Authenticate of the far side (RFC 7616, RFC 8760).
type challenge struct {
	Realm, Nonce, Opaque, Algorithm string
	Auth                            bool // qop has "auth"
	Stale                           bool
}

// readChallenge reads the value of the header. Errors: no Digest, no nonce, a qop without "auth", an algorithm that we do not know.
func readChallenge(value string) (challenge, error) {
	var c challenge
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !strings.EqualFold(scheme, "digest") || len(value) > 4096 {
		return c, errors.New("the provider asks for a way to sign in that is no Digest")
	}
	qop, asked := "", false
	for rest != "" {
		var name, text string
		name, rest, _ = strings.Cut(rest, "=")
		rest = strings.TrimLeft(rest, " \t")
		if strings.HasPrefix(rest, `"`) {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return c, errors.New("the provider's challenge has an open quote")
			}
			text, rest = rest[1:1+end], rest[2+end:]
			_, rest, _ = strings.Cut(rest, ",")
		} else {
			text, rest, _ = strings.Cut(rest, ",")
			text = strings.TrimSpace(text)
		}
		if strings.ContainsAny(text, "\r\n\\\x00") {
			return c, errors.New("the provider's challenge has a character that could break a header")
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "realm":
			c.Realm = text
		case "nonce":
			c.Nonce = text
		case "opaque":
			c.Opaque = text
		case "algorithm":
			c.Algorithm = strings.ToUpper(text)
		case "stale":
			c.Stale = strings.EqualFold(text, "true")
		case "qop":
			qop, asked = text, true
		}
	}
	for q := range strings.SplitSeq(qop, ",") {
		c.Auth = c.Auth || strings.EqualFold(strings.TrimSpace(q), "auth")
	}
	switch {
	case c.Nonce == "":
		return c, errors.New("the provider's challenge has no nonce")
	case asked && !c.Auth:
		return c, errors.New("the provider asks for a protection of bodies (auth-int) that is not offered here")
	case c.Algorithm != "" && c.Algorithm != "MD5" && c.Algorithm != "SHA-256":
		return c, fmt.Errorf("the provider asks for the algorithm %.20q; MD5 and SHA-256 are known", c.Algorithm)
	}
	return c, nil
}

// strongest returns the best of the challenges that can be answered. Errors: that of the first when none can.
func strongest(values []string) (challenge, error) {
	var best challenge
	var first error
	for _, v := range values {
		c, err := readChallenge(v)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if best.Nonce == "" || c.Algorithm == "SHA-256" && best.Algorithm != "SHA-256" {
			best = c
		}
	}
	if best.Nonce == "" {
		if first == nil {
			first = errors.New("the provider refuses without saying how to sign in")
		}
		return best, first
	}
	return best, nil
}

// answer writes the value of Authorization or Proxy-Authorization. count is how often this nonce was used, from 1 on; fresh is
// chance in text, new for every answer.
func (c challenge) answer(user, password, method, uri string, count int, fresh string) string {
	sum := func(s string) string {
		var h hash.Hash = md5.New()
		if c.Algorithm == "SHA-256" {
			h = sha256.New()
		}
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil))
	}
	secret, what := sum(user+":"+c.Realm+":"+password), sum(method+":"+uri)
	var b strings.Builder
	fmt.Fprintf(&b, `Digest username="%s", realm="%s", nonce="%s", uri="%s"`, user, c.Realm, c.Nonce, uri)
	if c.Auth {
		nc := fmt.Sprintf("%08x", count)
		fmt.Fprintf(&b, `, response="%s", qop=auth, nc=%s, cnonce="%s"`, sum(strings.Join([]string{secret, c.Nonce, nc, fresh, "auth", what}, ":")), nc, fresh)
	} else {
		fmt.Fprintf(&b, `, response="%s"`, sum(secret+":"+c.Nonce+":"+what))
	}
	if c.Algorithm != "" {
		fmt.Fprintf(&b, ", algorithm=%s", c.Algorithm)
	}
	if c.Opaque != "" {
		fmt.Fprintf(&b, `, opaque="%s"`, c.Opaque)
	}
	return b.String()
}

// A signing counts the tries of one request, so that a wrong password is not sent for ever (accounts get locked).
type signing struct {
	tried int
	stale int
}

// again says whether a request that was challenged is sent once more: the first time, once again in case the nonce was just
// replaced, and up to three times when the provider says that only the nonce was old.
func (s *signing) again(c challenge) bool {
	if c.Stale && s.stale < 3 {
		s.stale++
		return true
	}
	s.tried++
	return s.tried <= 2
}
