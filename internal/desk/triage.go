package desk

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// A TriageMute is the exception that goes with a false alarm: the key of one of Exceptions, and its end.
type TriageMute struct {
	Exception string
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
	words := []string{why}
	if mute != nil {
		if verdict != incident.FalseAlarm {
			return FieldError{"exception", "Only a false alarm can be excepted from a rule."}
		}
		if err := cmp.Or(d.MayOn(actor, auth.Handle, id), d.MayOn(actor, auth.Tune, id)); err != nil {
			return err
		}
		x, text, err := d.exceptionMute(actor, id, *mute, why)
		if err != nil {
			return err
		}
		m, words = x, append(words, text)
	}
	return d.wrote(actor, auth.Handle, id, words, func(s *State, now time.Time, person string, texts []string) ([]entry.Draft, error) {
		drafts, err := s.Incidents.Triage(actor.Name, person, id, verdict, texts[0])
		if err != nil || mute == nil {
			return drafts, err
		}
		m.Vault = texts[1]
		x, err := addMute(s, actor, now, m)
		return append(drafts, x), err
	})
}

// Except keeps a rule quiet about what an incident was raised by, until a time, with the reason: after it was closed as a false alarm.
func (d *Desk) Except(actor auth.Actor, id int64, x TriageMute, why string) error {
	if err := d.MayOn(actor, auth.Tune, id); err != nil {
		return err
	}
	m, text, err := d.exceptionMute(actor, id, x, why)
	if err != nil {
		return err
	}
	return d.wrote(actor, auth.Tune, id, []string{text}, func(s *State, now time.Time, _ string, texts []string) ([]entry.Draft, error) {
		m.Vault = texts[0]
		return one(addMute(s, actor, now, m))
	})
}

// exceptionMute makes the mute of an exception, and the text that the vault keeps of it.
func (d *Desk) exceptionMute(actor auth.Actor, id int64, x TriageMute, why string) (m entry.Mute, text string, err error) {
	all, err := d.Exceptions(actor, id)
	if err != nil {
		return m, "", err
	}
	k := slices.IndexFunc(all, func(r ExceptionRow) bool { return r.Key() == x.Exception })
	switch {
	case k < 0:
		return m, "", FieldError{"exception", fmt.Sprintf("Incident %d does not have the exception any more that you chose, so nothing was muted: look at the list again, and choose anew.", id)}
	case !all[k].Known:
		return m, "", FieldError{"exception", "Who the alert is about cannot be read any more, so nothing can be excepted by it."}
	case unmuted(all[k].Rule):
		return m, "", FieldError{"exception", "This cannot be muted: everyone shall hear of it."}
	case strings.TrimSpace(why) == "":
		return m, "", FieldError{"reason", "A mute needs a reason."}
	}
	n := Never{Rule: all[k].Rule, From: all[k].Address, Account: all[k].Account, Why: strings.TrimSpace(why), Until: x.Until}
	m = entry.Mute{Rule: n.Rule, Until: n.Until.UTC(), Incident: id}
	if err := d.hashParty(&m, &n); err != nil {
		return m, "", err
	}
	b, err := json.Marshal(MuteText{n.From, n.Account, n.Why})
	return m, string(b), err
}

// addMute decides on a mute; an end that cannot be is a FieldError of until.
func addMute(s *State, actor auth.Actor, now time.Time, m entry.Mute) (entry.Draft, error) {
	x, err := s.Tuning.Add(actor.Name, now, m)
	if e, ok := errors.AsType[tuning.UntilError](err); ok {
		err = FieldError{"until", Title(e.Error()) + "."}
	}
	return x, err
}
