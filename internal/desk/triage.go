package desk

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/tuning"
)

// An ExceptionRow is what could keep a rule quiet about somebody, with the names that a person can read.
type ExceptionRow struct {
	incident.Exception
	Address string // as the log wrote it, "" of none
	Account string
	Known   bool // the names could be read; without them nothing can be excepted
}

// A TriageMute is the exception that goes with a false alarm: its place in Exceptions, from 0, and its end.
type TriageMute struct {
	Exception int
	Until     time.Time
}

// Exceptions lists what would have kept the alerts of an incident quiet, what covers most of them first.
func (d *Desk) Exceptions(actor auth.Actor, id int64) (out []ExceptionRow, err error) {
	var all []incident.Exception
	objects := map[string]string{}
	d.ReadAs(actor, func(s *State) {
		all, err = s.Incidents.Exceptions(id)
		for _, x := range all {
			for _, a := range x.Alerts {
				objects[a] = s.Incidents.Alerts[a].Vault
			}
		}
	})
	for _, x := range all {
		row := ExceptionRow{Exception: x, Known: x.Address == "" && x.Account == ""}
		for _, a := range x.Alerts[:min(len(x.Alerts), alertsRead)] {
			if row.Known || objects[a] == "" {
				continue
			}
			details, e := d.Details(objects[a])
			if e != nil {
				continue
			}
			for _, p := range details.Sources {
				if d.vault.Hash("address", p.Name) == x.Address {
					row.Address, row.Known = p.Name, true
				}
			}
			for _, p := range details.Accounts {
				if d.vault.Hash("account", p.Realm+"/"+p.Name) == x.Account {
					row.Account, row.Known = p.Name, true
				}
			}
		}
		out = append(out, row)
	}
	return out, err
}

// alertsRead is of how many alerts the names of an exception are looked for.
const alertsRead = 5

// Triage says whether an incident is real, a false-alarm, or unknown yet, with the reason. A false alarm closes it in the same step, and can except from a rule what
// raised it, until a time. A verdict that comes second is refused in words.
func (d *Desk) Triage(actor auth.Actor, id int64, verdict, why string, mute *TriageMute) error {
	var m entry.Mute
	if mute != nil {
		if verdict != incident.FalseAlarm {
			return FieldError{"exception", "Only a false alarm can be excepted from a rule."}
		}
		if err := cmp.Or(d.MayOn(actor, auth.Handle, id), d.MayOn(actor, auth.Tune, id)); err != nil {
			return err
		}
		var err error
		if m, err = d.exceptionMute(actor, id, *mute, why); err != nil {
			return err
		}
	}
	return d.wrote(actor, auth.Handle, id, []string{why}, func(s *State, now time.Time, person string, texts []string) ([]entry.Draft, error) {
		drafts, err := s.Incidents.Triage(actor.Name, person, id, verdict, texts[0])
		if err != nil || mute == nil {
			return drafts, err
		}
		x, err := s.Tuning.Add(actor.Name, now, m)
		if e, ok := errors.AsType[tuning.UntilError](err); ok {
			err = FieldError{"until", Title(e.Error()) + "."}
		}
		return append(drafts, x), err
	})
}

// exceptionMute makes the mute of an exception.
func (d *Desk) exceptionMute(actor auth.Actor, id int64, x TriageMute, why string) (m entry.Mute, err error) {
	all, err := d.Exceptions(actor, id)
	switch {
	case err != nil:
		return m, err
	case x.Exception < 0 || x.Exception >= len(all):
		return m, FieldError{"exception", fmt.Sprintf("Incident %d has no exception %d to choose.", id, x.Exception+1)}
	case !all[x.Exception].Known:
		return m, FieldError{"exception", "Who the alert is about cannot be read any more, so nothing can be excepted by it."}
	case unmuted(all[x.Exception].Rule):
		return m, FieldError{"exception", "This cannot be muted: everyone shall hear of it."}
	}
	row := all[x.Exception]
	n := Never{Rule: row.Rule, From: row.Address, Account: row.Account, Why: why, Until: x.Until}
	m = entry.Mute{Rule: row.Rule, Until: x.Until.UTC(), Incident: id}
	if err := d.hashParty(&m, &n); err != nil {
		return m, err
	}
	m.Vault, err = d.toVault(MuteText{n.From, n.Account, n.Why})
	return m, err
}
