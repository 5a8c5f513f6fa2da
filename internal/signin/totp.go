package signin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"rsc.io/qr"
)

// An Authenticator is the secret that a person's authenticator app shares with us (RFC 6238: SHA-1, 30 s, six digits, which is what
// every app knows). The code is written here, not taken from a module: it is twenty lines, and the law that a code works once needs the step.
type Authenticator struct {
	Secret []byte `json:"secret"` // 160 bits (RFC 4226 4, R6)
	Since  int64  `json:"since"`  // Unix seconds
}

const (
	codeStep   = 30 // seconds
	codeDigits = 6
	codeWindow = 1 // steps before and behind, for clocks that differ
	secretLen  = 20
)

// NewAuthenticator returns a secret for an app.
func NewAuthenticator(now time.Time) Authenticator {
	b := make([]byte, secretLen)
	rand.Read(b) // never fails (crypto/rand)
	return Authenticator{Secret: b, Since: now.Unix()}
}

// codeAt returns the code of a step (RFC 4226 5.3).
func codeAt(secret []byte, step int64) string {
	m := hmac.New(sha1.New, secret)
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 15
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", codeDigits, n%1_000_000)
}

// Code returns the code that the app shows at now.
func (a Authenticator) Code(now time.Time) string { return codeAt(a.Secret, now.Unix()/codeStep) }

// Check reports whether code is right at now, and which step it is of. last is the newest step of which a code was used: that one and older
// ones are refused, so that a code that somebody read over a shoulder works once (RFC 6238 5.2). Keep the step that it returns.
func (a Authenticator) Check(code string, now time.Time, last int64) (step int64, ok bool) {
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code)
	at := now.Unix() / codeStep
	for s := at - codeWindow; s <= at+codeWindow; s++ {
		right := subtle.ConstantTimeCompare([]byte(codeAt(a.Secret, s)), []byte(code)) == 1
		if right && s > last && len(a.Secret) >= 16 {
			step, ok = s, true
		}
	}
	return step, ok
}

// Text is the secret as a person types it into an app: base 32 in groups of four.
func (a Authenticator) Text() string {
	return strings.ReplaceAll(inGroups(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(a.Secret)), "-", " ")
}

// URI is the secret as an app reads it from a drawing (the key URI format that authenticator apps share).
func (a Authenticator) URI(issuer, account string) string {
	q := url.Values{"secret": {base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(a.Secret)}, "issuer": {issuer},
		"algorithm": {"SHA1"}, "digits": {fmt.Sprint(codeDigits)}, "period": {fmt.Sprint(codeStep)}}
	return "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// A Drawing is a QR code as a path of SVG: squares of one unit on a field of Size units, with the quiet border.
type Drawing struct {
	Size int
	Path string
}

// Draw makes a QR code of a text of at most a few hundred bytes.
func Draw(text string) (Drawing, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return Drawing{}, fmt.Errorf("drawing a QR code of %d bytes: %w", len(text), err)
	}
	const border = 4
	var b strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; {
			n := 0
			for x+n < c.Size && c.Black(x+n, y) {
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+border, y+border, n, n)
			}
			x += n + 1
		}
	}
	return Drawing{Size: c.Size + 2*border, Path: b.String()}, nil
}
