package desk

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/plan"
)

// Sealed mail. Our own key is made once for the sender's address and lies with the ledger's keys; people's keys lie in the vault, and the ledger
// says which of them somebody compared (plan.Seals). A call's mail is sealed when it is sent, for the key that is confirmed then.

// sealFor returns what makes the mail for a person; nil when mail has no key of ours and nobody expects any. It never makes more readable what it cannot seal.
func (d *Desk) sealFor(x plan.Seal, c Contact, kind envelope.Bare) func(envelope.Plain) (envelope.Sealed, error) {
	ours := d.seals.identity()
	if ours == nil && d.o.Signer == nil {
		return nil
	}
	to := envelope.Reader{Address: c.Mail, Policy: envelope.Policy(c.Sealing), Bare: kind}
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
		if k.Issued { // nobody compared it: its authority has to stand for it, now as well
			to.Trust = envelope.Trust{Roots: d.o.Authorities}
		}
	}
	return func(p envelope.Plain) (envelope.Sealed, error) {
		s := envelope.Sealer{Identity: d.seals.identity(), Signer: d.o.Signer, SignIn: d.o.URL} // our key of this moment: the one from before may be revoked
		if err == nil {
			return s.Seal(p, to, time.Now())
		}
		bare, wrong := s.Seal(p, envelope.Reader{Address: to.Address, Policy: envelope.Required, Bare: kind}, time.Now())
		bare.Why = "The key of this person cannot be read (" + err.Error() + "), so they were told nothing but to sign in."
		return bare, wrong
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
	if isCertificate(upload) {
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
	put := entry.Key{Person: person, Form: plan.SMIME, Fingerprint: k.Fingerprint(), Found: "upload"}
	used := x.Keys[plan.SMIME].Key
	if d.o.Authorities != nil && (used.Fingerprint == "" || used.Issued) && k.Check(c.Mail, envelope.Trust{Roots: d.o.Authorities}, now) == nil {
		put.Issued = true
		return "The certificate was issued by an authority that the settings name, so mail is encrypted to it from now on: " + envelope.Grouped(k.Fingerprint()), d.keepKey(actor, put, k.Marshal())
	}
	return "Compare the fingerprint of the certificate with its owner, by phone or face to face, before it is used: " + envelope.Grouped(k.Fingerprint()),
		d.keepKey(actor, put, k.Marshal())
}

// isCertificate tells a certificate from an OpenPGP key: by the words of its armour, or, without any, by its first byte. A certificate in DER form is a
// SEQUENCE (0x30); the first byte of an OpenPGP packet has its highest bit set (RFC 9580 section 4.2).
func isCertificate(upload []byte) bool {
	return bytes.Contains(upload, []byte("BEGIN CERTIFICATE")) || len(upload) > 4 && upload[0] == 0x30 && upload[1]&0x80 != 0
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

// Unfit says in words why mail cannot be encrypted to a key of a person now: it expired, was revoked, is for another address; "" when it can be.
func (d *Desk) Unfit(k entry.Key, address string, now time.Time) string {
	b, err := d.vault.Get(k.Vault)
	if err != nil {
		return "it cannot be read: " + err.Error()
	}
	if k.Form == plan.SMIME {
		var c *envelope.Certificate
		if c, err = envelope.ParseCertificate(b); err == nil {
			trust := envelope.Trust{Pinned: k.Fingerprint}
			if k.Issued {
				trust = envelope.Trust{Roots: d.o.Authorities}
			}
			err = c.Check(address, trust, now)
		}
	} else {
		var o *envelope.Key
		if o, err = envelope.ParseKey(b); err == nil {
			err = o.Check(address, now)
		}
	}
	if err != nil {
		return err.Error()
	}
	return ""
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
