package desk

import (
	"cmp"
	"crypto/sha1" // UUIDs of version 5 (RFC 9562) are made with it; nothing rests on its strength
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/exchange"
	"tocsin/internal/tlp"
)

// exchangedAlerts is of how many alerts an exchange reads the details.
const exchangedAlerts = 2_000

// Exchange writes an incident as stix (STIX 2.1) or veris (VERIS 1.3.7) for readers of a TLP label, "" is AMBER, and writes down that it did before it hands a byte
// out. What the readers may not know, and what is a victim's, is left out; the result says how much. Errors: a FieldError, an auth.Refusal, incident.ErrNotFound
// (also of one that is restricted to others), a Withheld.
func (d *Desk) Exchange(actor auth.Actor, id int64, form, readers string) (r exchange.Result, err error) {
	label, err := tlp.Parse(cmp.Or(readers, string(tlp.Amber)))
	switch {
	case err != nil:
		return r, FieldError{"audience", err.Error()}
	case form != "stix" && form != "veris":
		return r, FieldError{"format", fmt.Sprintf("An incident is exchanged as stix or veris, and %.20q is neither.", form)}
	case label == tlp.Red:
		return r, FieldError{"audience", "What is TLP:RED leaves by no exit: sign in to read it."}
	}
	if err := cmp.Or(d.MayOn(actor, auth.Note, id), d.Broken(), d.MayLeave(id, "", tlp.Export)); err != nil {
		return r, err
	}
	c, size, err := d.exchanged(actor, id)
	if err != nil {
		return r, err
	}
	write := exchange.STIX
	if form == "veris" {
		write = exchange.VERIS
	}
	if r, err = write(c, string(label), sha1.Sum); err != nil {
		return exchange.Result{}, FieldError{"audience", err.Error()}
	}
	err = d.doOn(actor, auth.Note, id, func(s *State, _ time.Time) (entry.Draft, error) {
		return entry.Draft{Actor: actor.Name, Kind: entry.DossierMade, Subject: fmt.Sprintf("incident:%d", id), Body: entry.Dossier{Incident: id, Person: actor.ID, Form: form, Depth: "full",
			Audience: string(label), Head: size, SHA256: sumOf(r.Data)}}, withheld(s, id, "", tlp.Export)
	})
	if err != nil {
		return exchange.Result{}, err
	}
	return r, nil
}
