package desk

import (
	"errors"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
)

// An AffectedText is what an incident touched and cost, a row a line, as incident.ParseSheet reads it. Before is the entry of the version that the person looked at, 0 of none.
type AffectedText struct {
	Systems, Data, People, Costs string
	Before                       int64
}

// PutAffected writes down what an incident touched and cost. A row that cannot be read is a FieldError that names it; nothing is written then.
func (d *Desk) PutAffected(actor auth.Actor, id int64, x AffectedText) error {
	sheet, err := incident.ParseSheet(x.Systems, x.Data, x.People, x.Costs)
	if m, ok := errors.AsType[incident.SheetMistake](err); ok {
		return FieldError{m.Field, m.Error()}
	}
	if err != nil {
		return err
	}
	return d.wrote(actor, auth.Note, id, []string{sheet.Text()}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.PutAffected(actor.Name, entry.Affected{Incident: id, Person: person, Text: texts[0], Before: x.Before,
			Systems: len(sheet.Systems), Data: len(sheet.Data), People: len(sheet.People), Costs: len(sheet.Costs)}))
	})
}

// Affected returns what was last written of what an incident touched and cost.
func (d *Desk) Affected(actor auth.Actor, id int64) (out AffectedText, err error) {
	var x entry.Affected
	d.ReadAs(actor, func(s *State) {
		var i *incident.Incident
		if i, err = s.Incidents.Get(id); err == nil {
			x, out.Before = i.Affects()
		}
	})
	if err == nil && x.Text != "" {
		out.Systems, out.Data, out.People, out.Costs = d.sheet(x.Text).Fields()
	}
	return out, err
}

// sheet reads a sheet out of the vault. What cannot be read, because it was erased, is a sheet without rows.
func (d *Desk) sheet(vault string) incident.Sheet {
	x, err := incident.ReadSheet(strings.TrimSpace(d.Text(vault)))
	if err != nil {
		return incident.Sheet{}
	}
	return x
}
