package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

// An Identity is our own OpenPGP key. It does not change; many goroutines may use it.
type Identity struct {
	secret  []byte // packets of the secret key, not encrypted
	public  *Key
	address string
}

// NewIdentity makes a key of version 4 with Ed25519 and Curve25519, which every OpenPGP program of the last ten years reads. It is
// valid from now on for life, whole seconds, at most 10 years.
func NewIdentity(name, address string, now time.Time, life time.Duration) (*Identity, error) {
	a := bareAddress(address)
	if a == "" {
		return nil, fmt.Errorf("our key: %q is no mail address", oneLine(address, maxSubject))
	}
	if life < time.Hour || life > 10*366*24*time.Hour || life.Seconds() > math.MaxInt32 {
		return nil, fmt.Errorf("our key: a life of %v; it must be between an hour and ten years", life)
	}
	k, err := crypto.PGP().KeyGeneration().AddUserId(oneLine(strings.NewReplacer("<", "", ">", "", "(", "", ")", "").Replace(name), 60), a).
		GenerationTime(now.Unix()).Lifetime(int32(life.Seconds())).New().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("our key: making it: %w", err)
	}
	return newIdentity(k)
}

// LoadIdentity reads what Marshal wrote.
func LoadIdentity(secret []byte) (*Identity, error) {
	k, err := crypto.NewKey(secret)
	if err != nil {
		return nil, fmt.Errorf("our key: what was kept cannot be read: %w", err)
	}
	if !k.IsPrivate() {
		return nil, errors.New("our key: what was kept is a public key only")
	}
	if locked, err := k.IsLocked(); err != nil || locked {
		return nil, errors.New("our key: what was kept has a passphrase; remove it, the vault protects it")
	}
	return newIdentity(k)
}

func newIdentity(k *crypto.Key) (*Identity, error) {
	secret, err := k.Serialize()
	if err != nil {
		return nil, fmt.Errorf("our key: %w", err)
	}
	pub, err := k.GetPublicKey()
	if err != nil {
		return nil, fmt.Errorf("our key: %w", err)
	}
	public, err := newKey(pub)
	if err != nil {
		return nil, err
	}
	if len(public.addresses) == 0 {
		return nil, errors.New("our key: it names no mail address")
	}
	return &Identity{secret: secret, public: public, address: public.addresses[0]}, nil
}

// Marshal returns the secret key, without a passphrase: the caller keeps it encrypted (the vault) and shows it to nobody.
func (i *Identity) Marshal() []byte { return bytes.Clone(i.secret) }

// Public returns what others may have.
func (i *Identity) Public() *Key { return i.public }

// Address returns the mail address of the key.
func (i *Identity) Address() string { return i.address }

// Armoured returns the public key as a file for others.
func (i *Identity) Armoured() (string, error) {
	k, err := i.public.handle()
	if err != nil {
		return "", err
	}
	return k.Armor()
}

// Warning says that the key expires soon or has expired; "" while there is time. It begins 60 days before.
func (i *Identity) Warning(now time.Time) string {
	end := i.public.expires
	switch {
	case end.IsZero() || now.Before(end.Add(-warnBefore)):
		return ""
	case now.Before(end):
		return fmt.Sprintf("Our OpenPGP key expires on %s. Make the next one now, so that people can compare its fingerprint in time.", end.UTC().Format("2 January 2006"))
	}
	return fmt.Sprintf("Our OpenPGP key expired on %s. Those who have an OpenPGP key are told only to sign in, until you make a new one.", end.UTC().Format("2 January 2006"))
}

// fit says whether our key can be used; nil has none.
func (i *Identity) fit(now time.Time) error {
	if i == nil {
		return refuse(NoKey, "We have no OpenPGP key of our own yet. Make one, so that theirs can be used.")
	}
	if end := i.public.expires; !end.IsZero() && !now.Before(end) {
		return refuse(Expired, "%s", i.Warning(now))
	}
	return nil
}

// Rotate makes the next key, for the same address. The present key certifies it, so that those who trust the present one can tell
// that the next one is ours. The present one stays good until it expires, or until what Revoke returns is published.
func (i *Identity) Rotate(name string, now time.Time, life time.Duration) (*Identity, error) {
	next, err := NewIdentity(name, i.address, now, life)
	if err != nil {
		return nil, err
	}
	old, err := i.handle()
	if err != nil {
		return nil, err
	}
	k, err := next.handle()
	if err != nil {
		return nil, err
	}
	for id := range k.GetEntity().Identities {
		if err := k.GetEntity().SignIdentity(id, old.GetEntity(), &packet.Config{Time: func() time.Time { return now }}); err != nil {
			return nil, fmt.Errorf("our key: certifying the next by the present one: %w", err)
		}
	}
	return newIdentity(k)
}

// Revoke returns the public key with its revocation, in armour, to be published. compromised says that somebody else may have it,
// which also makes old signatures doubtful; otherwise it was superseded.
func (i *Identity) Revoke(compromised bool, now time.Time) (string, error) {
	k, err := i.handle()
	if err != nil {
		return "", err
	}
	why, words := packet.KeySuperseded, "replaced by a newer key"
	if compromised {
		why, words = packet.KeyCompromised, "somebody else may have this key"
	}
	if err := k.GetEntity().Revoke(why, words, &packet.Config{Time: func() time.Time { return now }}); err != nil {
		return "", fmt.Errorf("our key: revoking it: %w", err)
	}
	return k.GetArmoredPublicKey()
}

// handle reads the key anew, for one goroutine.
func (i *Identity) handle() (*crypto.Key, error) {
	k, err := crypto.NewKey(i.secret)
	if err != nil {
		return nil, fmt.Errorf("our key: %w", err)
	}
	return k, nil
}
