package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/envelope"
)

// Our own key for mail. One signs at a time; it lies in the key folder with its revocation, which is made beforehand, because whoever lost a key can
// make none any more. The next one is certified by the one before, which stays good until it expires. Of those before only the public part is
// kept; a revoked one is served with its revocation beside the present one.

// identityLife is how long our own key for mail is good: it says so 60 days before its end.
const identityLife = 3 * 365 * 24 * time.Hour

// ourKeys are our keys for mail.
type ourKeys struct {
	change sync.Mutex // one change at a time
	mu     sync.Mutex // for what follows
	now    *envelope.Identity
	past   []pastKey
	name   string // of the files, without their endings
}

// A pastKey is one that is not used any more.
type pastKey struct {
	Fingerprint string    `json:"fingerprint"`
	Public      []byte    `json:"public"` // packets; with the revocation of one that was revoked
	Ended       time.Time `json:"ended"`
	Revoked     bool      `json:"revoked,omitempty"`
}

func (k *ourKeys) identity() *envelope.Identity {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// present are the keys that others may ask for: that of the moment, and those that were revoked.
func (k *ourKeys) present() (out []*envelope.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now == nil {
		return nil
	}
	out = append(out, k.now.Public())
	for _, p := range k.past {
		if x, err := envelope.ParseKey(p.Public); p.Revoked && err == nil {
			out = append(out, x)
		}
	}
	return out
}

// keyName is the name of the files of our key for an address.
func keyName(from string) (name, address string, err error) {
	a, err := mail.ParseAddress(from)
	if err != nil {
		return "", "", fmt.Errorf("the sender's address of our mail is none: %w", err)
	}
	sum := sha256.Sum256([]byte(strings.ToLower(a.Address)))
	return "mail-" + hex.EncodeToString(sum[:6]), a.Address, nil
}

// loadIdentity reads our key; nil when there is none yet.
func loadIdentity(keys disk.Layer, name string) (*envelope.Identity, error) {
	b, err := disk.ReadFile(keys, name+".key")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading our key for mail: %w", err)
	}
	i, err := envelope.LoadIdentity(b)
	if err != nil {
		return nil, fmt.Errorf("our key for mail, %s.key in the key folder, cannot be read: bring it back from its backup, or remove it so that a new one is made: %w", name, err)
	}
	return i, nil
}

// openIdentity reads our key for mail, or makes it. Without a sender's address there is none.
func (d *Desk) openIdentity(now time.Time) (err error) {
	if d.o.From == "" {
		return nil
	}
	k := &d.seals
	address := ""
	if k.name, address, err = keyName(d.o.From); err != nil {
		return err
	}
	b, err := disk.ReadFile(d.o.Keys, k.name+".past")
	if err == nil {
		err = json.Unmarshal(b, &k.past)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("our past keys for mail, %s.past in the key folder, cannot be read: bring the file back from its backup, or remove it, and revoked keys are served no more: %w", k.name, err)
	}
	if k.now, err = loadIdentity(d.o.Keys, k.name); err != nil {
		return err
	}
	if k.now == nil {
		if k.now, err = envelope.NewIdentity("Tocsin", address, now, identityLife); err != nil {
			return fmt.Errorf("making our key for mail: %w", err)
		}
		if err := d.keepIdentity(k.now, now); err != nil {
			return err
		}
		return nil
	}
	print := k.now.Public().Fingerprint()
	k.past = slices.DeleteFunc(k.past, func(p pastKey) bool { return p.Fingerprint == print && !p.Revoked }) // the program ended while this one was renewed
	if d.revocationOf() != print {                                                                           // of a version that kept none, or of the key that was to follow
		return d.keepRevocation(k.now, now)
	}
	return nil
}

// revocationOf is the fingerprint of the key that the kept revocation revokes, "" when none can be read.
func (d *Desk) revocationOf() string {
	b, err := disk.ReadFile(d.o.Keys, d.seals.name+".rev")
	if err != nil {
		return ""
	}
	x, err := envelope.ParseKey(b)
	if err != nil {
		return ""
	}
	return x.Fingerprint()
}

// noteIdentity writes down which key is ours, when the ledger does not say it yet. A key whose revocation is on the ledger is never used, whatever lies in the
// key folder: the program ended before its follower was kept, or the folder came back from a backup. Then another is made, which the revoked one does not certify.
func (d *Desk) noteIdentity() error {
	k := &d.seals
	if k.now == nil {
		return nil
	}
	print, known, end := k.now.Public().Fingerprint(), false, time.Time{}
	d.Read(func(s *State) {
		for _, o := range s.Seals.Ours {
			if o.Fingerprint == print {
				known, end = true, o.Revoked
			}
		}
	})
	switch {
	case !end.IsZero():
		return d.replaceRevoked(end)
	case known:
		return nil
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		return []entry.Draft{madeKey("desk", s, k.now, "")}, nil
	})
}

// replaceRevoked makes the key that follows one that was revoked at a time. It does not hold up the start when it cannot be kept: then it is good until the next one.
func (d *Desk) replaceRevoked(at time.Time) error {
	k, now := &d.seals, time.Now()
	old := k.now
	next, err := envelope.NewIdentity("Tocsin", old.Address(), now, identityLife)
	if err != nil {
		return fmt.Errorf("making the key for mail that follows a revoked one: %w", err)
	}
	packets, err := revokedPackets(old, true, now)
	if err != nil {
		return fmt.Errorf("revoking our key for mail, which the ledger says is revoked: %w", err)
	}
	err = d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		return []entry.Draft{madeKey("desk", s, next, "")}, nil
	})
	if err != nil {
		return err
	}
	past := pastKey{Fingerprint: old.Public().Fingerprint(), Public: packets, Ended: at.UTC(), Revoked: true}
	list := k.withPast(past)
	k.mu.Lock()
	k.now, k.past = next, list
	k.mu.Unlock()
	d.log.Warn("our key for mail in the key folder is revoked, so another was made: give people its fingerprint", "revoked", past.Fingerprint, "fingerprint", next.Public().Fingerprint())
	if err := d.keepKeys(next, list, now); err != nil {
		d.log.Error("our new key for mail is good only until the next start: mend the key folder", "error", err)
	}
	return nil
}

// withPast is the list of past keys with one more; what was known of the same key is replaced.
func (k *ourKeys) withPast(p pastKey) []pastKey {
	list := slices.DeleteFunc(slices.Clone(k.past), func(x pastKey) bool { return x.Fingerprint == p.Fingerprint })
	return append(list, p)
}

// keepKeys puts our keys into the key folder: those before first, so that a revoked one is served as revoked whatever follows.
func (d *Desk) keepKeys(now *envelope.Identity, past []pastKey, at time.Time) error {
	b, err := json.Marshal(past)
	if err == nil {
		err = disk.Replace(d.o.Keys, d.seals.name+".past", b)
	}
	if err != nil {
		return fmt.Errorf("keeping our past keys for mail: %w", err)
	}
	return d.keepIdentity(now, at)
}

func madeKey(actor string, s *State, i *envelope.Identity, text string) entry.Draft {
	x := entry.MailKey{Fingerprint: i.Public().Fingerprint(), Expires: i.Public().Expires().UTC(), Text: text}
	if n := len(s.Seals.Ours); n > 0 {
		x.Before = s.Seals.Ours[n-1].Fingerprint
	}
	return entry.Draft{Actor: actor, Kind: entry.MailKeyMade, Subject: "mailkey:" + x.Fingerprint, Body: x}
}

// keepIdentity puts a key into the key folder, its revocation first.
func (d *Desk) keepIdentity(i *envelope.Identity, now time.Time) error {
	if err := d.keepRevocation(i, now); err != nil {
		return err
	}
	if err := disk.Replace(d.o.Keys, d.seals.name+".key", i.Marshal()); err != nil {
		return fmt.Errorf("keeping our key for mail: %w", err)
	}
	return nil
}

func (d *Desk) keepRevocation(i *envelope.Identity, now time.Time) error {
	text, err := i.Revoke(true, now)
	if err == nil {
		err = disk.Replace(d.o.Keys, d.seals.name+".rev", []byte(text))
	}
	if err != nil {
		return fmt.Errorf("keeping the revocation of our key for mail: %w", err)
	}
	return nil
}

// OurKey is what others need to know our mail by.
type OurKey struct {
	Address     string
	Fingerprint string // in groups of four; "" when we have none
	Expires     time.Time
	Armoured    string
	Warning     string // that it ends soon
	Past        []OurPast
}

// An OurPast is a key that we used before.
type OurPast struct {
	Fingerprint string // in groups of four
	Ended       time.Time
	Revoked     bool
}

// OurKey returns our public key for mail.
func (d *Desk) OurKey(now time.Time) (k OurKey) {
	i := d.seals.identity()
	if i == nil {
		return k
	}
	k.Address, k.Fingerprint, k.Warning, k.Expires = i.Address(), envelope.Grouped(i.Public().Fingerprint()), i.Warning(now), i.Public().Expires()
	k.Armoured, _ = i.Armoured()
	d.seals.mu.Lock()
	defer d.seals.mu.Unlock()
	for _, p := range d.seals.past {
		k.Past = append(k.Past, OurPast{envelope.Grouped(p.Fingerprint), p.Ended, p.Revoked})
	}
	return k
}

// Directory answers for the Web Key Directory with our own keys, and with nobody else's.
func (d *Desk) Directory() http.Handler { return envelope.ServeWKD(d.seals.present) }

// ErrNoMailKey says that there is no key of our own.
var ErrNoMailKey = errors.New("there is no OpenPGP key of our own: one is made when mail has a sender's address (mail.from in tocsin.yaml)")

// Revocation returns the certificate that revokes our key for mail, for the safe: whoever imports or publishes it revokes the key.
func (d *Desk) Revocation(actor auth.Actor) (string, error) {
	if err := auth.May(actor, auth.Team); err != nil {
		return "", err
	}
	d.seals.change.Lock()
	defer d.seals.change.Unlock()
	if d.seals.identity() == nil {
		return "", ErrNoMailKey
	}
	b, err := disk.ReadFile(d.o.Keys, d.seals.name+".rev")
	if err != nil {
		return "", fmt.Errorf("reading the revocation of our key for mail: %w", err)
	}
	return string(b), nil
}

// RenewMailKey makes the next key for our mail. It signs from now on, is certified by the present one, and is what the directory serves; the
// present one stays good for what it signed until it expires.
func (d *Desk) RenewMailKey(actor auth.Actor, why string) (OurKey, error) {
	return d.nextKey(actor, why, false, false)
}

// RevokeMailKey revokes our key for mail, and makes a new one. compromised says that somebody else may have it: then it does not certify the new
// one, whose fingerprint people have to compare again.
func (d *Desk) RevokeMailKey(actor auth.Actor, why string, compromised bool) (OurKey, error) {
	if strings.TrimSpace(why) == "" {
		return OurKey{}, FieldError{"reason", "Say why the key is revoked: it stands in the ledger."}
	}
	return d.nextKey(actor, why, true, compromised)
}

func (d *Desk) nextKey(actor auth.Actor, why string, revoke, compromised bool) (OurKey, error) {
	if err := errors.Join(auth.May(actor, auth.Team), d.Broken()); err != nil {
		return OurKey{}, err
	}
	k := &d.seals
	k.change.Lock()
	defer k.change.Unlock()
	old, now := k.identity(), time.Now()
	if old == nil {
		return OurKey{}, ErrNoMailKey
	}
	text, err := d.text(strings.TrimSpace(why))
	if err != nil {
		return OurKey{}, err
	}
	var next *envelope.Identity
	if compromised {
		next, err = envelope.NewIdentity("Tocsin", old.Address(), now, identityLife)
	} else {
		next, err = old.Rotate("Tocsin", now, identityLife)
	}
	if err != nil {
		return OurKey{}, err
	}
	past := pastKey{Fingerprint: old.Public().Fingerprint(), Public: old.Public().Marshal(), Ended: now.UTC(), Revoked: revoke}
	if revoke {
		if past.Public, err = revokedPackets(old, compromised, now); err != nil {
			return OurKey{}, err
		}
	}
	err = d.write(func(s *State, _ time.Time) (drafts []entry.Draft, _ error) { // the record before the act
		if revoke {
			x := entry.MailKeyEnd{Fingerprint: past.Fingerprint, Compromised: compromised, Text: text}
			drafts = append(drafts, entry.Draft{Actor: actor.Name, Kind: entry.MailKeyRevoked, Subject: "mailkey:" + x.Fingerprint, Body: x})
		}
		return append(drafts, madeKey(actor.Name, s, next, text)), nil
	})
	if err != nil {
		return OurKey{}, err
	}
	list, use := k.withPast(past), func(now *envelope.Identity, past []pastKey) {
		k.mu.Lock()
		k.now, k.past = now, past
		k.mu.Unlock()
		d.changed.say()
	}
	if revoke { // the ledger says so: it signs nothing any more, whether the next one can be kept or not
		use(next, list)
		d.followSecurityText(now)
	}
	if err := d.keepKeys(next, list, now); err != nil && revoke {
		return OurKey{}, fmt.Errorf("the key is revoked and not used any more; the one that follows could not be kept, so the next start makes another: mend the key folder, then renew the key: %w", err)
	} else if err != nil {
		return OurKey{}, fmt.Errorf("the ledger names the new key, and it could not be kept, so the old one stays in use; mend the key folder and do it again: %w", err)
	}
	use(next, list)
	d.followSecurityText(now)
	return d.OurKey(now), nil
}

// followSecurityText lets security.txt name the key that is used now: who reads it seals with what it names.
func (d *Desk) followSecurityText(now time.Time) {
	if d.o.Outside == nil {
		return
	}
	if err := d.keepSecurityText(now); err != nil {
		d.log.Error("security.txt may name a key that is not used any more: renew it, on the page of reports from outside", "error", err)
	}
}

func revokedPackets(old *envelope.Identity, compromised bool, now time.Time) ([]byte, error) {
	text, err := old.Revoke(compromised, now)
	if err != nil {
		return nil, err
	}
	k, err := envelope.ParseKey([]byte(text))
	if err != nil {
		return nil, err
	}
	return k.Marshal(), nil
}
