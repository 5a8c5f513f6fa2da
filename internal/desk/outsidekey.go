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

// A trial is what somebody tried of passphrases.
type trial struct {
	since time.Time // of the first that was wrong
	wrong int
	now   bool // one is being tried
}

// Of passphrases of the key for reports a person may be wrong mostWrong times in wrongFor.
const (
	mostWrong = 10
	wrongFor  = time.Hour
)

// try lets somebody try a passphrase, one at a time, and says why not. Call the func with what became of it.
func (o *outside) try(who string, now time.Time) (tried func(wrong bool), err error) {
	o.unlocked.Lock()
	defer o.unlocked.Unlock()
	x := o.tried[who]
	if x != nil && x.now {
		return nil, FieldError{"unlock", "A passphrase that you gave is being tried: wait for its answer."}
	}
	if x == nil || now.Sub(x.since) >= wrongFor || now.Before(x.since) {
		x = &trial{since: now}
	}
	if x.wrong >= mostWrong {
		left := wrongFor - now.Sub(x.since)
		return nil, FieldError{"unlock", fmt.Sprintf("You gave %d passphrases that open nothing. Try again in %d minutes.", x.wrong, int(left/time.Minute)+1)}
	}
	if o.tried == nil {
		o.tried = map[string]*trial{}
	}
	x.now, o.tried[who] = true, x
	return func(wrong bool) {
		o.unlocked.Lock()
		defer o.unlocked.Unlock()
		x.now = false
		switch { // one that opens a key that is not used any more forgives none that were wrong
		case wrong:
			x.wrong++
		case x.wrong == 0:
			delete(o.tried, who)
		}
	}, nil
}

// UnlockReports opens the keys that are kept under a passphrase, for the session or token of an actor. Who gives too many that open nothing waits.
func (d *Desk) UnlockReports(actor auth.Actor, passphrase string) error {
	if err := auth.May(actor, auth.Handle); err != nil {
		return err
	}
	tried, err := d.outside.try(actor.Name, time.Now())
	if err != nil {
		return err
	}
	d.outside.opening.Lock()
	u, err := d.unwrapReports(actor, passphrase)
	d.outside.opening.Unlock()
	_, wrong := errors.AsType[FieldError](err)
	tried(wrong)
	if err != nil {
		return err
	}
	d.holdReportKeys(actor.Via, u)
	return nil
}

// unwrapReports opens the keys that a passphrase opens.
func (d *Desk) unwrapReports(actor auth.Actor, passphrase string) (u unlocked, err error) {
	if actor.Via == "" && !actor.Local {
		return u, FieldError{"unlock", "The key is held for a session or token, and this is none."}
	}
	var wrong error
	err = d.eachReportKey(func(secret []byte, wrapped bool) error {
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
	if err == nil && len(u.keys) == 0 && wrong != nil {
		err = FieldError{"unlock", Title(wrong.Error()) + "."}
	}
	return u, err
}

// holdReportKeys holds keys for a session or token.
func (d *Desk) holdReportKeys(via string, u unlocked) {
	u.until = time.Now().Add(unlockedFor)
	d.outside.unlocked.Lock()
	defer d.outside.unlocked.Unlock()
	if d.outside.keys == nil {
		d.outside.keys = map[string]unlocked{}
	}
	for held, x := range d.outside.keys {
		if time.Now().After(x.until) {
			delete(d.outside.keys, held)
		}
	}
	for _, k := range d.outside.keys[via].keys { // each passphrase opens its key, and those given before go on
		if !slices.ContainsFunc(u.keys, func(o letterbox.Key) bool { return o.Recipient() == k.Recipient() }) {
			u.keys = append(u.keys, k)
		}
	}
	d.outside.keys[via] = u
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
