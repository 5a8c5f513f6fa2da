package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/plan"
)

// Sealed mail. Our own key is made once for the sender's address and lies with the ledger's keys; people's keys lie in the vault, and the ledger
// says which of them somebody compared (plan.Seals). A call's mail is sealed when it is sent, for the key that is confirmed then.

// identityLife is how long our own key for mail is good: it says so 60 days before its end.
const identityLife = 3 * 365 * 24 * time.Hour

// openIdentity reads our key for mail, or makes it. Without a sender's address there is none.
func (d *Desk) openIdentity(now time.Time) error {
	if d.o.From == "" {
		return nil
	}
	a, err := mail.ParseAddress(d.o.From)
	if err != nil {
		return fmt.Errorf("the sender's address of our mail is none: %w", err)
	}
	sum := sha256.Sum256([]byte(strings.ToLower(a.Address)))
	name := "mail-" + hex.EncodeToString(sum[:6]) + ".key"
	b, err := disk.ReadFile(d.o.Keys, name)
	if err == nil {
		if d.identity, err = envelope.LoadIdentity(b); err != nil {
			return fmt.Errorf("our key for mail, %s in the key folder, cannot be read: bring it back from its backup, or remove it so that a new one is made: %w", name, err)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading our key for mail: %w", err)
	}
	if d.identity, err = envelope.NewIdentity("Tocsin", a.Address, now, identityLife); err != nil {
		return fmt.Errorf("making our key for mail: %w", err)
	}
	if err := disk.Replace(d.o.Keys, name, d.identity.Marshal()); err != nil {
		return fmt.Errorf("keeping our key for mail: %w", err)
	}
	return nil
}

// OurKey is what others need to know our mail by.
type OurKey struct {
	Address     string
	Fingerprint string // in groups of four; "" when we have none
	Armoured    string
	Warning     string // that it ends soon
}

// OurKey returns our public key for mail.
func (d *Desk) OurKey(now time.Time) (k OurKey) {
	if d.identity == nil {
		return k
	}
	k.Address, k.Fingerprint, k.Warning = d.identity.Address(), envelope.Grouped(d.identity.Public().Fingerprint()), d.identity.Warning(now)
	k.Armoured, _ = d.identity.Armoured()
	return k
}

// Directory answers for the Web Key Directory with our own key, and with nobody else's.
func (d *Desk) Directory() http.Handler {
	return envelope.ServeWKD(func() []*envelope.Key {
		if d.identity == nil {
			return nil
		}
		return []*envelope.Key{d.identity.Public()}
	})
}

// sealFor returns what makes the mail for a person; nil when mail has no key of ours and nobody expects any. It never makes more readable what it cannot seal.
func (d *Desk) sealFor(x plan.Seal, c Contact) func(envelope.Plain) (envelope.Sealed, error) {
	if d.identity == nil && d.o.Signer == nil {
		return nil
	}
	to := envelope.Reader{Address: c.Mail, Policy: envelope.Policy(c.Sealing)}
	if to.Policy == "" {
		to.Policy = envelope.Opportunistic
		if x.Had {
			to.Policy = envelope.Required
		}
	}
	var err error
	if k := x.Keys[plan.OpenPGP].Key; k.Vault != "" {
		var b []byte
		if b, err = d.vault.Get(k.Vault); err == nil {
			to.Key, err = envelope.ParseKey(b)
		}
	}
	if k := x.Keys[plan.SMIME].Key; err == nil && k.Vault != "" {
		var b []byte
		if b, err = d.vault.Get(k.Vault); err == nil {
			to.Certificate, err = envelope.ParseCertificate(b)
		}
		to.Trust.Pinned = k.Fingerprint
	}
	s := envelope.Sealer{Identity: d.identity, Signer: d.o.Signer, SignIn: d.o.URL}
	return func(p envelope.Plain) (envelope.Sealed, error) {
		if err != nil {
			return envelope.Sealed{}, fmt.Errorf("the key of the person cannot be read, so nothing was sent: %w", err)
		}
		return s.Seal(p, to, time.Now())
	}
}

// PutKey takes an OpenPGP key, or a certificate for S/MIME, for a person; people may bring their own. It says what becomes of it: nothing is
// encrypted to a new one before ConfirmKey.
func (d *Desk) PutKey(actor auth.Actor, person string, upload []byte) (says string, err error) {
	c, x, err := d.sealed(actor, person)
	if err != nil {
		return "", err
	}
	now := time.Now()
	if strings.Contains(string(upload), "BEGIN CERTIFICATE") {
		return d.putCertificate(actor, person, c, x, upload, now)
	}
	k, err := envelope.ParseKey(upload)
	if err == nil {
		err = k.Check(c.Mail, now)
	}
	if err != nil {
		return "", FieldError{"key", err.Error()}
	}
	return d.foundKey(actor, person, x, k, "upload", now)
}

// LookUpKey asks the directory of a person's mail domain for their key, for ten seconds at most.
func (d *Desk) LookUpKey(ctx context.Context, actor auth.Actor, person string) (says string, err error) {
	c, x, err := d.sealed(actor, person)
	if err != nil {
		return "", err
	}
	now := time.Now()
	k, err := d.o.Lookup.Lookup(ctx, c.Mail, now)
	if err != nil {
		return "", FieldError{"key", "No key was taken from the directory of " + domainOf(c.Mail) + ": " + err.Error()}
	}
	return d.foundKey(actor, person, x, k, "wkd", now)
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// sealed asks whether somebody may bring keys for a person, and returns what they have. One needs a mail address to have a key for.
func (d *Desk) sealed(actor auth.Actor, person string) (c Contact, x plan.Seal, err error) {
	if actor.ID != person || person == "" {
		if err := auth.May(actor, auth.Team); err != nil {
			return c, x, err
		}
	}
	p, ok := d.Person(person)
	if !ok {
		return c, x, fmt.Errorf("nobody on the team has the id %.40q", person)
	}
	c = d.People.Get(p.Vault)
	if c.Mail == "" {
		return c, x, FieldError{"key", "A key is for a mail address, and this person has none: give them one first."}
	}
	d.Read(func(s *State) { x = s.Seals.Of(person) })
	return c, x, d.Broken()
}

func (d *Desk) foundKey(actor auth.Actor, person string, x plan.Seal, k *envelope.Key, found string, now time.Time) (string, error) {
	var kept *envelope.Key
	if p := x.Keys[plan.OpenPGP].Key; p.Vault != "" {
		b, err := d.vault.Get(p.Vault)
		if err == nil {
			kept, err = envelope.ParseKey(b)
		}
		if err != nil {
			return "", fmt.Errorf("reading the confirmed key: %w", err)
		}
	}
	v := envelope.Judge(kept, k, now)
	if !v.Keep && !v.Confirm {
		return v.Why, nil
	}
	return v.Why, d.keepKey(actor, entry.Key{Person: person, Form: plan.OpenPGP, Fingerprint: k.Fingerprint(), Found: found, Keep: v.Keep}, k.Marshal())
}

func (d *Desk) putCertificate(actor auth.Actor, person string, c Contact, x plan.Seal, upload []byte, now time.Time) (string, error) {
	k, err := envelope.ParseCertificate(upload)
	if err == nil {
		err = k.Check(c.Mail, envelope.Trust{Pinned: k.Fingerprint()}, now) // all but whose it is: that is for people to compare
	}
	if err != nil {
		return "", FieldError{"key", err.Error()}
	}
	if x.Keys[plan.SMIME].Key.Fingerprint == k.Fingerprint() {
		return "The same certificate is in use.", nil
	}
	return "Compare the fingerprint of the certificate with its owner, by phone or face to face, before it is used: " + envelope.Grouped(k.Fingerprint()),
		d.keepKey(actor, entry.Key{Person: person, Form: plan.SMIME, Fingerprint: k.Fingerprint(), Found: "upload"}, k.Marshal())
}

func (d *Desk) keepKey(actor auth.Actor, x entry.Key, b []byte) (err error) {
	if x.Vault, err = d.vault.Put(b); err != nil {
		return fmt.Errorf("keeping the key: %w", err)
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		put, err := s.Seals.Put(actor.Name, x)
		return []entry.Draft{put}, err
	})
}

// ConfirmKey says that the fingerprint of a key that waits was compared with its owner; typed is what the owner said. Mail is encrypted to it from now on.
func (d *Desk) ConfirmKey(actor auth.Actor, person, typed string) error {
	return d.do(actor, auth.Team, func(s *State, _ time.Time) (entry.Draft, error) { return s.Seals.Confirm(actor.Name, person, typed) })
}

// RemoveKey ends the use of a key, or refuses one that waits.
func (d *Desk) RemoveKey(actor auth.Actor, person, fingerprint, why string) error {
	return d.say(actor, auth.Team, why, func(s *State, text string) (entry.Draft, error) {
		return s.Seals.Remove(actor.Name, person, fingerprint, text)
	})
}
