package desk

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/letterbox"
	"tocsin/internal/report"
)

// The team's key for reports. Its secret half is a vault object: as it is, so that whoever has both the data and the keys of this machine opens reports;
// or wrapped by a passphrase, so that this machine alone cannot. Who opens one gives the passphrase; the key is then held for that session for a while, in memory.

// unlockedFor is how long an opened key is held for one session.
const unlockedFor = 15 * time.Minute

type unlocked struct {
	keys  []letterbox.Key
	until time.Time
}

// TeamKey is to whom reports and our answers are sealed now, "" when there is no key. It stays when the page takes reports no more (TakesReports).
func (d *Desk) TeamKey() (recipient string) {
	d.Read(func(s *State) { recipient = s.reports.Key.Recipient })
	return recipient
}

// MakeReportKey makes a new key, to which reports are sealed from now on. With a passphrase this machine alone cannot open them. A token makes none: whoever stole it
// could choose the passphrase.
func (d *Desk) MakeReportKey(actor auth.Actor, passphrase string) error {
	if err := errors.Join(auth.May(actor, auth.Team), d.Broken()); err != nil {
		return err
	}
	if actor.Scope != nil {
		return auth.Refusal{Actor: actor.Name, Action: auth.Team}
	}
	if d.o.Outside == nil {
		return ErrNoReportKey
	}
	return d.makeReportKey(actor.Name, passphrase)
}

func (d *Desk) makeReportKey(actor, passphrase string) error {
	d.outside.changing.Lock()
	defer d.outside.changing.Unlock()
	k, err := letterbox.NewKey()
	if err != nil {
		return err
	}
	secret := k.Secret()
	if passphrase != "" {
		if secret, err = k.Wrap(passphrase); err != nil {
			return FieldError{"passphrase", Title(err.Error()) + "."}
		}
	}
	x := entry.ReportKey{Recipient: k.Recipient()}
	if x.Vault, err = d.vault.Put(secret); err != nil {
		return fmt.Errorf("keeping the key for reports: %w", err)
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		x.Before = s.reports.Key.Recipient
		return []entry.Draft{{Actor: actor, Kind: entry.ReportKeyMade, Subject: "reports", Body: x}}, nil
	})
}

// ErrReportLocked says that the key is kept under a passphrase.
var ErrReportLocked = errors.New("the key for reports is kept under a passphrase: give it, and the report opens")

// reportKeys are the keys with which an actor opens reports now, and whether some are kept under a passphrase that they did not give.
func (d *Desk) reportKeys(actor auth.Actor) (keys []letterbox.Key, locked bool, err error) {
	d.outside.unlocked.Lock()
	if u := d.outside.keys[actor.Via]; time.Now().Before(u.until) && (actor.Via != "" || actor.Local) {
		keys = append(keys, u.keys...)
	}
	d.outside.unlocked.Unlock()
	given, wraps := len(keys), 0
	err = d.eachReportKey(func(secret []byte, wrapped bool) error {
		if wrapped {
			wraps++
			return nil
		}
		k, err := letterbox.ParseKey(secret)
		keys = append(keys, k)
		return err
	})
	return keys, wraps > given, err
}

func (d *Desk) eachReportKey(look func(secret []byte, wrapped bool) error) error {
	var all []entry.ReportKey
	d.Read(func(s *State) { all = append(all, s.reports.Keys...) })
	for _, x := range all {
		secret, err := d.vault.Get(x.Vault)
		if err == nil {
			err = look(secret, bytes.HasPrefix(secret, []byte("age-encryption.org/")))
		}
		if err != nil {
			return fmt.Errorf("reading the key for reports: %w", err)
		}
	}
	return nil
}

// UnlockReports opens the keys that are kept under a passphrase, for the session or token of an actor.
func (d *Desk) UnlockReports(actor auth.Actor, passphrase string) error {
	if err := auth.May(actor, auth.Handle); err != nil {
		return err
	}
	var u unlocked
	var wrong error
	err := d.eachReportKey(func(secret []byte, wrapped bool) error {
		if !wrapped {
			return nil
		}
		k, err := letterbox.Unwrap(secret, passphrase)
		if err != nil {
			wrong = err
			return nil
		}
		u.keys = append(u.keys, k)
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(u.keys) == 0 && wrong != nil:
		return FieldError{"unlock", Title(wrong.Error()) + "."}
	case actor.Via == "" && !actor.Local:
		return FieldError{"unlock", "The key is held for a session or token, and this is none."}
	}
	u.until = time.Now().Add(unlockedFor)
	d.outside.unlocked.Lock()
	defer d.outside.unlocked.Unlock()
	if d.outside.keys == nil {
		d.outside.keys = map[string]unlocked{}
	}
	for via, x := range d.outside.keys {
		if time.Now().After(x.until) {
			delete(d.outside.keys, via)
		}
	}
	for _, k := range d.outside.keys[actor.Via].keys { // each passphrase opens its key, and those given before go on
		if !slices.ContainsFunc(u.keys, func(o letterbox.Key) bool { return o.Recipient() == k.Recipient() }) {
			u.keys = append(u.keys, k)
		}
	}
	d.outside.keys[actor.Via] = u
	return nil
}

// openParcel opens something sealed, with the keys that an actor has now.
func (d *Desk) openParcel(vault string, keys []letterbox.Key, locked bool) (report.Parcel, error) {
	sealed, err := d.vault.Get(vault)
	if err != nil {
		return report.Parcel{}, fmt.Errorf("reading a report: %w", err)
	}
	if len(keys) == 0 {
		return report.Parcel{}, ErrReportLocked
	}
	p, err := letterbox.Read(sealed, keys...)
	if errors.Is(err, letterbox.ErrSealed) && locked {
		return p, ErrReportLocked
	}
	return p, err
}

// ReportKey says how reports are sealed: the recipient, and whether its secret half is kept under a passphrase.
func (d *Desk) ReportKey() (recipient string, wrapped bool, err error) {
	err = d.eachReportKey(func(_ []byte, is bool) error { wrapped = is; return nil }) // the last is the present one
	return strings.TrimSpace(d.TeamKey()), wrapped, err
}
