package envelope

import (
	"bytes"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

// A Key is somebody's public OpenPGP key. It does not change; many goroutines may use it.
type Key struct {
	packets     []byte // of this key alone
	fingerprint string
	addresses   []string // of its user IDs, in lower case
	expires     time.Time
}

// ParseKey reads one public key, in armour or not, at most 128 KiB. It says what the key is, not whether it can be used: that
// depends on the time and on whose it is (Check). The error is a *Refusal.
func ParseKey(upload []byte) (*Key, error) {
	b, fail := dearmour(upload)
	if fail != nil {
		return nil, fail
	}
	keys, fail := split(b)
	if fail != nil {
		return nil, fail
	}
	if len(keys) > 1 {
		return nil, refuse(Several, "There are %d keys in the upload. Give one (gpg --armor --export FINGERPRINT).", len(keys))
	}
	return newKey(keys[0])
}

// newKey reads the packets of one key.
func newKey(packets []byte) (*Key, error) {
	list, err := openpgp.ReadKeyRing(bytes.NewReader(packets))
	if err != nil {
		return nil, refuse(Unreadable, "This key cannot be read (%s). Export it again, or make a new one.", oneLine(err.Error(), maxSubject))
	}
	if len(list) != 1 {
		return nil, refuse(Unreadable, "This key cannot be read: it has no user ID, or none that can be understood.")
	}
	if oddSize(list[0]) {
		return nil, refuse(Weak, "This key is too weak, or of an odd size: DSA is no longer used, and RSA needs %d to %d bits. Make a new one.", minRSA, maxRSA)
	}
	k := &Key{packets: bytes.Clone(packets), fingerprint: strings.ToUpper(hex.EncodeToString(list[0].PrimaryKey.Fingerprint))}
	for _, id := range list[0].Identities {
		if a := bareAddress(id.UserId.Email); a != "" && len(k.addresses) < 100 {
			k.addresses = append(k.addresses, a)
		}
	}
	slices.Sort(k.addresses)
	k.expires = expiry(list[0])
	return k, nil
}

// expiry returns when the key expires, the zero time if never: the key itself, or the last that can encrypt before it.
func expiry(e *openpgp.Entity) time.Time {
	self, err := e.PrimarySelfSignature(time.Time{}, nil)
	if err != nil || self == nil {
		return time.Time{}
	}
	end := endOf(e.PrimaryKey.CreationTime, self.KeyLifetimeSecs)
	var last time.Time
	for _, s := range e.Subkeys {
		b, err := s.LatestValidBindingSignature(time.Time{}, nil)
		if err != nil || !b.FlagEncryptCommunications && !b.FlagEncryptStorage {
			continue
		}
		until := endOf(s.PublicKey.CreationTime, b.KeyLifetimeSecs)
		if until.IsZero() {
			return end
		}
		if until.After(last) {
			last = until
		}
	}
	if end.IsZero() || !last.IsZero() && last.Before(end) {
		return last
	}
	return end
}

// endOf returns the end of a life that is given in seconds; the zero time if there is none.
func endOf(begin time.Time, seconds *uint32) time.Time {
	if seconds == nil || *seconds == 0 {
		return time.Time{}
	}
	return begin.Add(time.Duration(*seconds) * time.Second)
}

// Marshal returns the key without armour; ParseKey reads it back.
func (k *Key) Marshal() []byte { return bytes.Clone(k.packets) }

// Fingerprint returns it in upper-case hexadecimal digits: 40 of version 4, 64 of version 6.
func (k *Key) Fingerprint() string { return k.fingerprint }

// Expires returns when the key can no longer be used; the zero time is never.
func (k *Key) Expires() time.Time { return k.expires }

// Addresses returns the mail addresses that the key names, in lower case.
func (k *Key) Addresses() []string { return append([]string(nil), k.addresses...) }

// Grouped writes a fingerprint as people compare it: four digits and a space.
func Grouped(fingerprint string) string {
	var b strings.Builder
	for i, r := range fingerprint {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Check says whether the key can be used at now to encrypt to address ("" asks for no address). The error is a *Refusal.
func (k *Key) Check(address string, now time.Time) error {
	e, err := k.entity()
	if err != nil {
		return err
	}
	if e.Revoked(now) {
		return refuse(Revoked, "The key %s was revoked by its owner. Ask them for a new one.", Grouped(k.fingerprint))
	}
	_, err = e.VerifyPrimaryKey(now, nil)
	if errors.Is(err, pgperrors.ErrKeyExpired) {
		return refuse(Expired, "The key %s expired on %s. Ask its owner to extend it and upload it again.", Grouped(k.fingerprint), k.expires.UTC().Format("2 January 2006"))
	}
	if err != nil {
		if e.PrimaryKey.CreationTime.After(now) {
			return refuse(NotYet, "The key %s is not valid yet: it was made on %s. Compare the clocks.", Grouped(k.fingerprint), e.PrimaryKey.CreationTime.UTC().Format("2 January 2006, 15:04 UTC"))
		}
		return refuse(Unreadable, "The key %s carries no valid signature of itself. Export it again.", Grouped(k.fingerprint))
	}
	if want := bareAddress(address); address != "" && (want == "" || !k.names(want)) {
		return refuse(OtherAddress, "The key %s is not for %s. Add that address to the key (gpg --edit-key, adduid), or take the right key.", Grouped(k.fingerprint), oneLine(address, maxSubject))
	}
	found, err := e.EncryptionKeyWithError(now, nil)
	if err != nil {
		return k.unfit(e, now)
	}
	if weak(found.PublicKey.PublicKey) || weak(e.PrimaryKey.PublicKey) {
		return refuse(Weak, "The key %s is too weak: RSA needs %d bits at least. Make a new one.", Grouped(k.fingerprint), minRSA)
	}
	return nil
}

// unfit says why nothing in the key can encrypt.
func (k *Key) unfit(e *openpgp.Entity, now time.Time) *Refusal {
	why := refuse(NoEncryption, "The key %s has no part that may encrypt. Add an encryption subkey (gpg --edit-key, addkey) and upload it again.", Grouped(k.fingerprint))
	for _, s := range e.Subkeys {
		b, err := s.LatestValidBindingSignature(time.Time{}, nil)
		if err != nil || !b.FlagEncryptCommunications && !b.FlagEncryptStorage {
			continue
		}
		switch {
		case s.Revoked(b, now):
			why = refuse(Revoked, "The encryption subkey of the key %s was revoked. Ask its owner for the key with a new one.", Grouped(k.fingerprint))
		case s.Expired(b, now):
			why = refuse(Expired, "The encryption subkey of the key %s has expired. Ask its owner to extend it and upload it again.", Grouped(k.fingerprint))
		default:
			why = refuse(Weak, "The encryption subkey of the key %s is of an algorithm that is no longer used. Ask its owner for the key with a new one.", Grouped(k.fingerprint))
		}
	}
	return why
}

func (k *Key) names(address string) bool {
	for _, a := range k.addresses {
		if a == address {
			return true
		}
	}
	return false
}

// oddSize reports whether checking the signatures of a key would cost a hostile amount of time: it must be asked before any is checked.
func oddSize(e *openpgp.Entity) bool {
	all := []*packet.PublicKey{e.PrimaryKey}
	for _, s := range e.Subkeys {
		all = append(all, s.PublicKey)
	}
	return slices.ContainsFunc(all, func(k *packet.PublicKey) bool {
		p, isRSA := k.PublicKey.(*rsa.PublicKey)
		return k.PubKeyAlgo == packet.PubKeyAlgoDSA || isRSA && p.N.BitLen() > maxRSA
	})
}

// weak reports whether a public key is RSA of fewer bits than are safe, or of so many that they only cost time.
func weak(public any) bool {
	p, ok := public.(*rsa.PublicKey)
	return ok && (p.N.BitLen() < minRSA || p.N.BitLen() > maxRSA)
}

// entity reads the key anew: the library notes in it which signatures it has checked, so no two goroutines may share one.
func (k *Key) entity() (*openpgp.Entity, error) {
	list, err := openpgp.ReadKeyRing(bytes.NewReader(k.packets))
	if err != nil || len(list) != 1 {
		return nil, refuse(Unreadable, "The key %s cannot be read.", Grouped(k.fingerprint))
	}
	return list[0], nil
}

// handle returns the key as the library that encrypts wants it.
func (k *Key) handle() (*crypto.Key, error) {
	e, err := k.entity()
	if err != nil {
		return nil, err
	}
	return crypto.NewKeyFromEntity(e)
}
