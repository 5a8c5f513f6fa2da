package desk

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
)

// SetSeverity changes how severe an incident is, with a reason.
func (d *Desk) SetSeverity(actor auth.Actor, id int64, to, why string) error {
	return d.sayOn(actor, auth.Handle, id, why, func(s *State, text string) (entry.Draft, error) {
		return s.Incidents.SetSeverity(actor.Name, id, to, text)
	})
}

// SetPhase says where the work on an incident stands.
func (d *Desk) SetPhase(actor auth.Actor, id int64, to string) error {
	return d.doOn(actor, auth.Handle, id, func(s *State, _ time.Time) (entry.Draft, error) {
		return s.Incidents.SetPhase(actor.Name, id, to)
	})
}

// Note keeps a note in an incident's timeline. happened is zero when the note does not say.
func (d *Desk) Note(actor auth.Actor, id int64, note string, happened time.Time) error {
	if happened.After(time.Now()) {
		return errors.New("what the note tells of cannot lie in the future")
	}
	return d.sayOn(actor, auth.Note, id, note, func(s *State, text string) (entry.Draft, error) {
		return s.Incidents.Note(actor.Name, id, text, happened)
	})
}

// Assign gives an incident to a person; person "" takes it away.
func (d *Desk) Assign(actor auth.Actor, id int64, person string) error {
	return d.doOn(actor, auth.Handle, id, func(s *State, _ time.Time) (entry.Draft, error) {
		if p, ok := s.Plan.People[person]; person != "" && (!ok || p.Gone) {
			return entry.Draft{}, fmt.Errorf("nobody on the team has the id %q", person)
		}
		if err := named(s, id, person); err != nil {
			return entry.Draft{}, err
		}
		return s.Incidents.Assign(actor.Name, id, person)
	})
}

// Hold keeps the lines of an incident beyond their time; Release ends that. Both need a reason.
func (d *Desk) Hold(actor auth.Actor, id int64, why string) error {
	return d.sayOn(actor, auth.Hold, id, why, func(s *State, text string) (entry.Draft, error) { return s.Incidents.Hold(actor.Name, id, text) })
}

// Release lets them go when their time is over. A second person must approve (Asked).
func (d *Desk) Release(actor auth.Actor, id int64, why string) error {
	if !actor.Local {
		if err := d.MayOn(actor, auth.Release, id); err != nil {
			return err
		}
		try := error(nil)
		d.Read(func(s *State) { _, try = s.Incidents.Release(actor.Name, id, "-") })
		if try != nil {
			return try
		}
		return d.askFor(actor, auth.Release, demand{About: fmt.Sprintf("incident:%d", id), Incident: id, Why: why})
	}
	return d.sayOn(actor, auth.Release, id, why, func(s *State, text string) (entry.Draft, error) { return s.Incidents.Release(actor.Name, id, text) })
}

// CloseIncident ends the work on an incident of which all is written. Finish can say why something is not.
func (d *Desk) CloseIncident(actor auth.Actor, id int64, verdict, why string) error {
	return d.Finish(actor, id, verdict, why, "")
}

// Reopen resumes the work on an incident.
func (d *Desk) Reopen(actor auth.Actor, id int64, why string) error {
	return d.sayOn(actor, auth.Handle, id, why, func(s *State, text string) (entry.Draft, error) {
		return s.Incidents.Reopen(actor.Name, id, text)
	})
}

// Sentence says in words what is known of an incident, from the entries alone: it names no address and no account.
func Sentence(s *State, i *incident.Incident) string {
	var parts []string
	countries := map[string]bool{}
	suspects := 0
	for _, k := range i.Sources {
		if k.Role == "suspect" {
			suspects++
			if k.Country != "" {
				countries[k.Country] = true
			}
		}
	}
	if suspects > 0 {
		from := "From " + plural(suspects, "address", "addresses")
		if len(countries) > 0 {
			from += " in " + plural(len(countries), "country", "countries")
		}
		parts = append(parts, from)
	}
	if n := len(i.Accounts); n > 0 {
		parts = append(parts, plural(n, "account", "accounts")+" concerned")
	}
	var lines, bytes int64
	worked := false
	for _, id := range i.Alerts {
		if a := s.Incidents.Alerts[id]; a != nil {
			lines, bytes = max(lines, a.Count), max(bytes, a.Bytes) // several rules count the same lines
			worked = worked || a.Succeeded || a.Impact != "attempt"
		}
	}
	alerts := plural(len(i.Alerts), "alert", "alerts")
	if len(i.Alerts) > 1 {
		alerts += ", the largest"
	}
	parts = append(parts, alerts+" of "+plural(int(lines), "log line", "log lines"))
	if bytes >= worthTelling {
		parts = append(parts, Size(bytes)+" moved")
	}
	text := strings.Join(parts, ", ") + "."
	if worked {
		text += " Something worked: treat it as a break-in until shown otherwise."
	} else {
		text += " Nothing shows that an attempt worked."
	}
	return text
}

// worthTelling is from how many bytes on it is said that data was moved.
const worthTelling = 100_000

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Size words a number of bytes.
func Size(n int64) string {
	x := float64(n)
	for _, unit := range []string{"bytes", "kB", "MB", "GB"} {
		if x < 1000 {
			return fmt.Sprintf("%.3g %s", x, unit)
		}
		x /= 1000
	}
	return fmt.Sprintf("%.3g TB", x)
}
