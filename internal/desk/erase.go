package desk

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/entry"
	"tocsin/internal/vault"
)

// EraseAlert destroys the details of an alert for ever: addresses, accounts and sample lines, of every state that the ledger names.
// What was counted and decided stays, and so do the keyed hashes. The erasure is written down before it is done, with who
// ordered it and why (a second person approves it: Asked), so that each start can do it again on a vault that came back from a backup. Later states of the alert
// keep no details.
//
// It does not reach the log lines themselves, which the archive holds in clear until their retention ends, nor the windows of detection
// (derived/reader), which forget by themselves.
func (d *Desk) EraseAlert(actor auth.Actor, alert, why string) error {
	if err := errors.Join(auth.May(actor, auth.Forget), d.Broken()); err != nil {
		return err
	}
	if strings.TrimSpace(why) == "" {
		return errors.New("an erasure needs a reason")
	}
	if !actor.Local {
		id, known := int64(0), false
		d.ReadAs(actor, func(s *State) {
			if a := s.Incidents.Alerts[alert]; a != nil {
				id, known = a.Incident, true
			}
		})
		if !known {
			return fmt.Errorf("no alert has the id %q", alert)
		}
		return d.askFor(actor, auth.Forget, demand{About: alertSubject + alert, Incident: id, Alert: alert, Why: why})
	}
	d.details.Lock() // no details of a batch may come in between
	defer d.details.Unlock()
	known := false
	d.Read(func(s *State) { known = s.Incidents.Alerts[alert] != nil })
	if !known {
		return fmt.Errorf("no alert has the id %q", alert)
	}
	ids, err := d.detailsOf(alert)
	if err != nil {
		return err
	}
	err = d.say(actor, auth.Forget, why, func(_ *State, text string) (entry.Draft, error) {
		return entry.Draft{Actor: actor.Name, Kind: entry.VaultErased, Subject: alertSubject + alert, Body: entry.Erased{IDs: ids, Text: text}}, nil
	})
	if err != nil {
		return err
	}
	if err := d.eraseOrdered(ids); err != nil {
		return fmt.Errorf("the erasure is ordered and written down, but not done; the next start does it: %w", err)
	}
	return nil
}

// alertSubject begins the subject of an entry that is about an alert.
const alertSubject = "alert:"

// detailsOf names every vault object that the ledger has of an alert.
func (d *Desk) detailsOf(alert string) (ids []string, err error) {
	for e, err := range d.ledger.Entries(1) {
		if err != nil {
			return nil, err
		}
		if e.Subject != alertSubject+alert || e.Kind != entry.AlertRaised && e.Kind != entry.AlertGrew && e.Kind != entry.AlertEnded {
			continue
		}
		x, err := entry.Body[struct {
			Vault string `json:"vault"`
		}](e)
		if err != nil {
			return nil, err
		}
		if x.Vault != "" && !slices.Contains(ids, x.Vault) {
			ids = append(ids, x.Vault)
		}
	}
	return ids, nil
}

// eraseOrdered destroys the objects of an erasure that is written down, and then what was kept of them elsewhere: in this order, so that nothing is kept anew.
func (d *Desk) eraseOrdered(ids []string) error {
	err := d.erase(ids)
	d.cards.mu.Lock()
	maps.DeleteFunc(d.cards.by, func(o string, _ contact.Card) bool { return slices.Contains(ids, o) })
	d.cards.mu.Unlock()
	return errors.Join(err, d.forgetAnswers(time.Now()))
}

// erase destroys objects. One that the vault does not have, because it is of an older backup, is no error.
func (d *Desk) erase(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	err := d.vault.Erase(ids...)
	if !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	for _, id := range ids {
		if err := d.vault.Erase(id); err != nil && !errors.Is(err, vault.ErrNotFound) {
			return err
		}
	}
	return nil
}

// eraseAgain does what the ledger has of erasures: the vault may have come back from a backup, or the program ended in between. The
// bell is worth more than an erasure in time, so that a failure is told and the program goes on. loadOnce does it for answers that are kept.
func (d *Desk) eraseAgain() {
	if err := d.erase(d.state.Erased); err != nil {
		d.log.Error("personal data whose erasure was ordered is still there: mend what is said here, then restart", "error", err)
	}
}

// applyErased folds an erasure.
func (s *State) applyErased(e entry.Entry) error {
	x, err := entry.Body[entry.Erased](e)
	if s.Erased = append(s.Erased, x.IDs...); !strings.HasPrefix(e.Subject, "report:") { // what is destroyed of a mail to a reporter, no answer of the interface ever had
		s.LastErased = e.Time
	}
	if alert, ok := strings.CutPrefix(e.Subject, alertSubject); ok {
		s.Forgotten[alert] = e.Time
	}
	return err
}

// forgotten reports whether the details of an alert were erased.
func (d *Desk) forgotten(alert string) (is bool) {
	d.Read(func(s *State) { is = s.Forgotten[alert] != time.Time{} })
	return is
}
