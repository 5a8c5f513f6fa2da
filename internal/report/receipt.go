package report

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// The signs of a receipt: Crockford's base 32, which has neither I, L, O nor U. 20 of them are 100 bits, two more find mistakes.
const (
	signs      = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	secretLong = 20
	checkLong  = 2
)

// ReceiptBytes is how many bytes of chance NewReceipt takes; of each, five bits are used.
const ReceiptBytes = secretLong

// A Receipt is the secret of a receipt, in its one form: 20 signs, without check signs and dashes.
type Receipt string

// NewReceipt makes a receipt of ReceiptBytes bytes of chance.
func NewReceipt(chance [ReceiptBytes]byte) Receipt {
	b := make([]byte, secretLong)
	for i, c := range chance {
		b[i] = signs[c&31]
	}
	return Receipt(b)
}

// String is the receipt as people see it: K7QX9-…-3M, with its check signs.
func (r Receipt) String() string {
	s := string(r) + check(string(r))
	var b strings.Builder
	for i, c := range s {
		if i > 0 && i%5 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// check are two signs of the SHA-256 of the secret: one mistyped receipt in 1024 passes, and then is unknown.
func check(secret string) string {
	sum := sha256.Sum256([]byte("tocsin receipt " + secret))
	return string([]byte{signs[sum[0]&31], signs[sum[1]&31]})
}

// ParseReceipt reads what a person typed: in small letters, with blanks or dashes anywhere, O for 0, I or L for 1. It needs no
// secret to say that a receipt is mistyped, so this costs the reader none of their tries.
func ParseReceipt(typed string) (Receipt, error) {
	if len(typed) > 200 {
		return "", fmt.Errorf("this is longer than a receipt; a receipt has %d signs", secretLong+checkLong)
	}
	var b []byte
	for _, c := range strings.ToUpper(typed) {
		switch c {
		case ' ', '-', '\t', '\n', '\r', '\u00a0', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014':
			continue
		case 'O':
			c = '0'
		case 'I', 'L':
			c = '1'
		}
		if c >= 0x80 || !strings.ContainsRune(signs, c) {
			return "", fmt.Errorf("the sign %q is in no receipt", c)
		}
		b = append(b, byte(c))
	}
	if len(b) != secretLong+checkLong {
		return "", fmt.Errorf("a receipt has %d signs, and this has %d", secretLong+checkLong, len(b))
	}
	secret := string(b[:secretLong])
	if check(secret) != string(b[secretLong:]) {
		return "", fmt.Errorf("one of the signs is not right; compare them with the receipt")
	}
	return Receipt(secret), nil
}
