package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// alphabet is Crockford's base 32: no I, L, O and U, so that a code that was read from paper is typed as it was meant.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// errTyped is what is wrong with a code that cannot be one of ours.
var errTyped = errors.New("this is not a whole code: type all of its groups, letters and digits only")

// spell writes bytes in the alphabet, five bits a character, the last padded with zeros.
func spell(b []byte) string {
	var out []byte
	var bits uint
	var have int
	for _, x := range b {
		bits, have = bits<<8|uint(x), have+8
		for have >= 5 {
			have -= 5
			out = append(out, alphabet[bits>>have&31])
		}
	}
	if have > 0 {
		out = append(out, alphabet[bits<<(5-have)&31])
	}
	return string(out)
}

// inGroups writes groups of four, for paper.
func inGroups(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// typed returns what spell wrote of something that a person typed: in small letters, with blanks and dashes, with O for 0 and I or L
// for 1. It refuses whatever has not length characters then.
func typed(s string, length int) (string, error) {
	if len(s) > 4*length+16 {
		return "", errTyped
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch {
		case r == ' ' || r == '-' || r == '\t' || r == '\u00a0' || r == '\u2010' || r == '\u2011' || r == '\u2013':
			continue
		case r == 'O':
			r = '0'
		case r == 'I' || r == 'L':
			r = '1'
		}
		if !strings.ContainsRune(alphabet, r) {
			return "", errTyped
		}
		b.WriteRune(r)
	}
	if b.Len() != length {
		return "", errTyped
	}
	return b.String(), nil
}

// salted returns the hash of a code under a salt of its own: "<salt>.<SHA-256>", base64url. Codes have 80 bits of chance or more, so
// that nobody tries them all, and a slow hash would only cost time (OWASP ASVS 2.6.2).
func salted(purpose, code string) string {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails (crypto/rand)
	return saltedWith(salt, purpose, code)
}

func saltedWith(salt []byte, purpose, code string) string {
	h := sha256.New()
	fmt.Fprintf(h, "tocsin %s\x00", purpose)
	h.Write(salt)
	h.Write([]byte(code))
	return base64.RawURLEncoding.EncodeToString(salt) + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// proves reports whether code is the one that stored was made from.
func proves(stored, purpose, code string) bool {
	left, _, _ := strings.Cut(stored, ".")
	salt, err := base64.RawURLEncoding.DecodeString(left)
	return err == nil && len(salt) == 16 && subtle.ConstantTimeCompare([]byte(saltedWith(salt, purpose, code)), []byte(stored)) == 1
}

// which returns the place of the hash that code proves, -1 when there is none. It looks at every hash, so that the time tells nothing.
func which(stored []string, purpose, code string) int {
	found := -1
	for i, s := range stored {
		if proves(s, purpose, code) {
			found = i
		}
	}
	return found
}
