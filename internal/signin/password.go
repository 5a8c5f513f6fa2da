package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// ErrBusy means that too many passwords are being checked; the person should try again in a moment.
var ErrBusy = errors.New("too many people are signing in at this moment; try again in a few seconds")

// Passwords hashes and checks passwords, at most two at once, so that memory stays bounded however many try.
type Passwords struct {
	slots   chan struct{}
	waiting atomic.Int32
}

// NewPasswords returns a Passwords. A program has one.
func NewPasswords() *Passwords {
	return &Passwords{slots: make(chan struct{}, maxAtOnce)}
}

// A cost is what one hashing takes.
type cost struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
}

// current is OWASP's first recommendation for Argon2id. Older hashes are still checked, and Check then says rehash.
var current = cost{memory: 19 * 1024, time: 2, threads: 1}

const saltLen, keyLen = 16, 32 // bytes

// A hash is a password's hash as it is stored, in the PHC string format:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>      base64 without padding
type hash struct {
	cost
	salt, key []byte
}

func (h hash) String() string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads, b.EncodeToString(h.salt), b.EncodeToString(h.key))
}

// parseHash reads what String writes, and nothing else. The bounds keep a damaged hash from taking the machine's memory.
func parseHash(s string) (hash, error) {
	bad := errors.New("the stored password hash is damaged")
	parts := strings.Split(s, "$")
	if len(parts) != 6 {
		return hash{}, bad
	}
	var h hash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return hash{}, bad
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(h.salt) < 8 || len(h.salt) > 64 || len(h.key) < 16 || len(h.key) > 64 ||
		h.memory < 8 || h.memory > 256*1024 || h.time < 1 || h.time > 16 || h.threads < 1 || h.threads > 8 || h.String() != s {
		return hash{}, bad
	}
	return h, nil
}

// Hash returns the hash of a new password, with a salt of its own, as a PHC string of about 97 bytes. It does not judge the
// password (see Refuse). It takes some 60 ms of one core and 19 MiB. The only errors are ErrBusy and the context's.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	h := hash{cost: current, salt: make([]byte, saltLen)}
	rand.Read(h.salt) // never fails (crypto/rand)
	var err error
	h.key, err = p.derive(ctx, password, h.cost, h.salt, keyLen)
	if err != nil {
		return "", err
	}
	return h.String(), nil
}

// Check reports whether password is the one that phc was made from, and whether it should be hashed anew because the cost was
// raised since. phc "" stands for an account that does not exist: it takes as long and is never right, so that the time
// tells nobody which accounts there are. Errors: a damaged phc, ErrBusy, the context's.
func (p *Passwords) Check(ctx context.Context, phc, password string) (ok, rehash bool, err error) {
	h := hash{cost: current, salt: make([]byte, saltLen), key: make([]byte, keyLen)}
	if phc != "" {
		if h, err = parseHash(phc); err != nil {
			return false, false, err
		}
	}
	key, err := p.derive(ctx, password, h.cost, h.salt, len(h.key))
	if err != nil {
		return false, false, err
	}
	if subtle.ConstantTimeCompare(key, h.key) != 1 || phc == "" {
		return false, false, nil
	}
	return true, h.cost != current || len(h.salt) < saltLen || len(h.key) < keyLen, nil
}

// derive waits for its turn and hashes.
func (p *Passwords) derive(ctx context.Context, password string, c cost, salt []byte, length int) ([]byte, error) {
	if len(password) > 4*maxPassword {
		password = password[:4*maxPassword] // nobody has such a password; its length must not cost time
	}
	if p.waiting.Add(1) > maxWaiting+maxAtOnce {
		p.waiting.Add(-1)
		return nil, ErrBusy
	}
	defer p.waiting.Add(-1)
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.slots }()
	return argon2.IDKey([]byte(password), salt, c.time, c.memory, c.threads, uint32(length)), nil
}

// worst holds the words that bad passwords are made of, one a line, lower case, letters only.
//
//go:embed worst.txt
var worst string

// Refuse returns why password may not become the password of account, in words for the person, or "". The rules are those
// of NIST SP 800-63B-4 3.1.1.2: length counts, common and leaked ones are refused, no composition rules.
func Refuse(account, password string) string {
	n := utf8.RuneCountInString(password)
	switch {
	case n < minPassword:
		return fmt.Sprintf("The password has %d characters; it needs at least %d. Four or five unrelated words are easy to remember.", n, minPassword)
	case n > maxPassword:
		return fmt.Sprintf("The password has more than %d characters.", maxPassword)
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return "The password has a character that cannot be typed."
	case account != "" && made(password, strings.ToLower(account)):
		return "The password is made from the account's name."
	case monotone(password):
		return "The password repeats few characters, or runs along the alphabet or the digits."
	}
	for word := range strings.SplitSeq(worst, "\n") {
		if word != "" && made(password, word) {
			return fmt.Sprintf("The password is made from %q, which is among the first that attackers try.", word)
		}
	}
	if fromLeaks(password) {
		return "The password is one of those that leaked from other places most often, or is made from one: attackers try these first."
	}
	return ""
}

// made reports whether password is word, once or more, and besides only digits and signs: "P@ssw0rd-2026" is made from "password".
func made(password, word string) bool {
	only := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return r
			}
			return -1
		}, s)
	}
	word = only(word)
	if word == "" {
		return false
	}
	low := strings.ToLower(password)
	inner := strings.TrimFunc(low, func(r rune) bool { return !unicode.IsLetter(r) })
	spelt := strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(inner)
	for _, s := range []string{low, spelt} {
		if letters := only(s); letters != "" && strings.ReplaceAll(letters, word, "") == "" {
			return true
		}
	}
	return false
}

// monotone reports whether password has fewer than five different characters, or nearly each is a neighbour of the one before.
func monotone(password string) bool {
	seen := map[rune]bool{}
	var before rune
	steps, n := 0, 0
	for _, r := range password {
		if d := r - before; n > 0 && d >= -1 && d <= 1 {
			steps++
		}
		seen[r] = true
		before = r
		n++
	}
	return len(seen) < 5 || steps >= n-3
}
