// Package letterbox is the slot through which reports fall: whoever puts one in needs only the team's public key, and what lies in it
// opens with the team's secret key alone.
//
//	browser or Seal ── age (X25519): to the team, and to the key of the receipt ──> the vault
//	Derive(receipt): a token that finds the thread, and the secret key to which answers are sealed
//	Key: made here, kept in the vault, or wrapped by a passphrase so that the machine alone cannot open a report
//	ReadForm: a form without script, held in memory and never on the disk, sealed before it is written anywhere
//
// The format is age (C2SP, age-encryption.org/v1) by filippo.io/age, in the browser by the age-encryption package of the same author.
// A report is padded before it is sealed (report.WriteParcel), so its size says only its class.
package letterbox

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"tocsin/internal/report"
)

// A Key is the team's secret key. It prints as its recipient only.
type Key struct{ identity *age.X25519Identity }

// NewKey makes a key.
func NewKey() (Key, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return Key{}, fmt.Errorf("making the key for reports: %w", err)
	}
	return Key{id}, nil
}

// Recipient is the public half, age1…, which the page has.
func (k Key) Recipient() string { return k.identity.Recipient().String() }

// String does not say the secret, so that no log does.
func (k Key) String() string { return "key of " + k.Recipient() }

// Secret is the text form of the secret key (AGE-SECRET-KEY-1…), to be put into the vault.
func (k Key) Secret() []byte { return []byte(k.identity.String()) }

// ParseKey reads what Secret gave.
func ParseKey(secret []byte) (Key, error) {
	id, err := age.ParseX25519Identity(strings.TrimSpace(string(secret)))
	if err != nil {
		return Key{}, errors.New("this is no secret key of age (AGE-SECRET-KEY-1…)") // the error of age may quote it
	}
	return Key{id}, nil
}

// Work factors of a passphrase (scrypt, 2^n): a second of one core at most when it is wrapped, and no more is done for what is unwrapped.
const (
	workFactor     = 16
	mostWorkFactor = 18
	leastPass      = 12 // characters
)

// Wrap encrypts the secret key under a passphrase (age, scrypt), so that reports open only while somebody gives it.
func (k Key) Wrap(passphrase string) ([]byte, error) {
	if len([]rune(passphrase)) < leastPass {
		return nil, fmt.Errorf("the passphrase is shorter than %d characters", leastPass)
	}
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("wrapping the key for reports: %w", err)
	}
	r.SetWorkFactor(workFactor)
	return seal(k.Secret(), r)
}

// Unwrap opens what Wrap made.
func Unwrap(wrapped []byte, passphrase string) (Key, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return Key{}, errors.New("the passphrase is empty")
	}
	id.SetMaxWorkFactor(mostWorkFactor)
	secret, err := open(wrapped, id)
	if err != nil {
		return Key{}, errors.New("the passphrase does not open the key for reports")
	}
	return ParseKey(secret)
}

// Seal encrypts for recipients (age1…): the team, and the key of the receipt where there is one.
func Seal(plain []byte, recipients ...string) ([]byte, error) {
	var to []age.Recipient
	for _, s := range recipients {
		if s == "" {
			continue
		}
		r, err := age.ParseX25519Recipient(s)
		if err != nil {
			return nil, errors.New("sealing a report: one of the keys is no key of age (age1…)")
		}
		to = append(to, r)
	}
	if to == nil {
		return nil, errors.New("sealing a report: the team has no key for reports yet; make one first")
	}
	return seal(plain, to...)
}

// CheckRecipient says whether something can be sealed to a recipient. To some that look like one nothing can: points of small order (RFC 7748, section 6.1).
func CheckRecipient(recipient string) error {
	_, err := Seal(nil, recipient)
	return err
}

func seal(plain []byte, to ...age.Recipient) ([]byte, error) {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("sealing a report: %w", err)
	}
	return b.Bytes(), nil
}

// ErrSealed: it was not sealed for this key, or was changed.
var ErrSealed = errors.New("this was not sealed for our key, or was changed since")

// Open decrypts with the team's keys, newest last, or with the key of a receipt. It gives at most the largest class.
func Open(sealed []byte, keys ...Key) ([]byte, error) {
	var ids []age.Identity
	for _, k := range keys {
		ids = append(ids, k.identity)
	}
	if ids == nil {
		return nil, errors.New("opening a report: no key was given")
	}
	return open(sealed, ids...)
}

func open(sealed []byte, ids ...age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	if err != nil {
		return nil, ErrSealed
	}
	classes := report.Classes()
	most := classes[len(classes)-1]
	plain, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil || int64(len(plain)) > most {
		return nil, ErrSealed
	}
	return plain, nil
}

// Post seals a parcel that reached us readable: padded to its class, to the team and to the key of the receipt.
func Post(p report.Parcel, recipients ...string) ([]byte, error) {
	n := 0
	for _, r := range recipients {
		if r != "" {
			n++
		}
	}
	b, err := report.WriteParcel(p, Overhead(n))
	if err != nil {
		return nil, err
	}
	return Seal(b, recipients...)
}

// Read opens and reads a parcel.
func Read(sealed []byte, keys ...Key) (report.Parcel, error) {
	b, err := Open(sealed, keys...)
	if err != nil {
		return report.Parcel{}, err
	}
	return report.ReadParcel(b)
}

// Parts of an age file, in bytes: its first line, a stanza for an X25519 recipient, the line with the header's MAC, the nonce, and the tag
// of each chunk of 64 KiB (C2SP age.md).
const (
	mark       = "age-encryption.org/v1\n"
	stanzaLong = 10 + 43 + 1 + 43 + 1
	macLong    = 4 + 43 + 1
	nonceLong  = 16
	tagLong    = 16
	chunkLong  = 64 << 10
)

// Overhead is how many bytes sealing adds for a number of recipients.
func Overhead(recipients int) func(size int64) int64 {
	return func(size int64) int64 {
		chunks := max((size+chunkLong-1)/chunkLong, 1)
		return int64(len(mark)+recipients*stanzaLong+macLong+nonceLong) + chunks*tagLong
	}
}

// CheckSealed says whether what a browser sent looks like a sealed report to two X25519 recipients, of the size of a class. It cannot
// say whether it opens: perhaps nobody can open it now.
func CheckSealed(b []byte) error {
	size := int64(len(b))
	if class, ok := report.Class(size); !ok || class != size {
		return fmt.Errorf("it has %d bytes, which is the size of no report", size)
	}
	head := mark
	if !bytes.HasPrefix(b, []byte(head)) {
		return errors.New("it is not sealed: it does not begin like an age file")
	}
	rest := b[len(head):]
	for range 2 {
		if len(rest) < stanzaLong || !bytes.HasPrefix(rest, []byte("-> X25519 ")) || rest[53] != '\n' || rest[stanzaLong-1] != '\n' {
			return errors.New("it is not sealed to the team and to a receipt")
		}
		rest = rest[stanzaLong:]
	}
	if !bytes.HasPrefix(rest, []byte("--- ")) {
		return errors.New("it is sealed to more than the team and a receipt")
	}
	return nil
}

// A Thread is what is derived from a receipt: what shows that one holds it, and the key to which answers are sealed.
type Thread struct {
	Token [32]byte
	Key   Key
}

// Derive derives both by HKDF-SHA256 (RFC 5869), without salt, with the labels below. The page's script does the same. A receipt has a
// hundred bits, so nothing slower is needed.
func Derive(r report.Receipt) (Thread, error) {
	token, err := hkdf.Key(sha256.New, []byte(r), nil, "tocsin report token", 32)
	if err != nil {
		return Thread{}, fmt.Errorf("deriving from a receipt: %w", err)
	}
	secret, err := hkdf.Key(sha256.New, []byte(r), nil, "tocsin report key", 32)
	if err != nil {
		return Thread{}, fmt.Errorf("deriving from a receipt: %w", err)
	}
	k, err := ParseKey([]byte(strings.ToUpper(bech32("age-secret-key-", secret))))
	return Thread{[32]byte(token), k}, err
}

// bech32 writes bytes in the text form of age's keys (BIP 173, without its limit of 90 signs).
func bech32(prefix string, data []byte) string {
	const signs = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	var five []byte
	var bits, have uint32
	for _, b := range data {
		bits, have = bits<<8|uint32(b), have+8
		for have >= 5 {
			have -= 5
			five = append(five, byte(bits>>have&31))
		}
	}
	if have > 0 {
		five = append(five, byte(bits<<(5-have)&31))
	}
	sum := uint32(1)
	turn := func(v byte) {
		top := sum >> 25
		sum = (sum&0x1ffffff)<<5 ^ uint32(v)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for _, c := range []byte(prefix) {
		turn(c >> 5)
	}
	turn(0)
	for _, c := range []byte(prefix) {
		turn(c & 31)
	}
	for _, v := range five {
		turn(v)
	}
	for range 6 {
		turn(0)
	}
	sum ^= 1
	var out strings.Builder
	out.WriteString(prefix + "1")
	for _, v := range five {
		out.WriteByte(signs[v])
	}
	for i := 5; i >= 0; i-- {
		out.WriteByte(signs[sum>>(5*i)&31])
	}
	return out.String()
}
