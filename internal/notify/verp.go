package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// refForm is what an envelope's sender may name. Lower case: some servers change the case of a local part.
var refForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9._]{0,38}[a-z0-9])?$`)

// Bounces makes envelope senders of which each names one message to one person (VERP), so that a report of non-delivery can be
// told to whom it belongs whatever is written in it, and reads them back:
//
//	bounce+call7.anna-k3f9q2m8c4d5x6w7@shop.example
//	       reference  HMAC-SHA256 of it, 80 bits in base 32
//
// Without the secret nobody can make up a token, so a forged report is refused. Who received a message knows its token, and can only say of
// that message that it did not come.
type Bounces struct {
	Local  string // before the "+": the mailbox that takes reports; "" is bounce
	Domain string // whose mail server delivers LOCAL+anything to that mailbox
	Secret []byte // 16 bytes at least
}

// ErrForged: a report whose token was not made here.
var ErrForged = errors.New("this report of non-delivery carries no token of ours, so it is not believed")

// check says whether the settings are complete.
func (b *Bounces) check() error {
	if len(b.Secret) < 16 {
		return errors.New("bounces: the secret has fewer than 16 bytes")
	}
	if _, err := address(b.local() + "@" + b.Domain); err != nil || len(b.local()) > 8 || strings.ContainsAny(b.local(), "+-\"") {
		return fmt.Errorf("bounces: %q at %q is no mailbox of at most 8 characters", oneLine(b.local(), 60), oneLine(b.Domain, 60))
	}
	return nil
}

func (b *Bounces) local() string {
	if b.Local == "" {
		return "bounce"
	}
	return strings.ToLower(b.Local)
}

// Address returns the sender for a reference: at most 40 lower-case letters, digits, dots and underscores.
func (b *Bounces) Address(ref string) (string, error) {
	if !refForm.MatchString(ref) {
		return "", fmt.Errorf("bounces: %q cannot stand in an address: give at most 40 lower-case letters, digits, dots and underscores", oneLine(ref, 60))
	}
	return b.local() + "+" + ref + "-" + b.token(ref) + "@" + b.Domain, nil
}

// Read returns the reference that an address names; ErrForged when it was not made here.
func (b *Bounces) Read(address string) (ref string, err error) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || at > 64 || !strings.EqualFold(address[at+1:], b.Domain) {
		return "", ErrForged
	}
	local, ok := strings.CutPrefix(strings.ToLower(address[:at]), b.local()+"+")
	dash := strings.LastIndexByte(local, '-')
	if !ok || dash < 0 || !refForm.MatchString(local[:dash]) || !hmac.Equal([]byte(local[dash+1:]), []byte(b.token(local[:dash]))) {
		return "", ErrForged
	}
	return local[:dash], nil
}

func (b *Bounces) token(ref string) string {
	m := hmac.New(sha256.New, b.Secret)
	m.Write([]byte("tocsin bounce 1\x00" + strings.ToLower(b.Domain) + "\x00" + ref))
	return strings.ToLower(base32.StdEncoding.EncodeToString(m.Sum(nil)[:10]))
}
