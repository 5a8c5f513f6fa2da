package api

import (
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
)

// dossierOperations write the report of an incident.
func dossierOperations(t *table) {
	o := post("/incidents/{id}/report", "makeReport", "Write the report of an incident as it stands now, signed")
	o.need, o.web, o.shown, o.about = auth.Note, "GET /incidents/{id}/report, POST /incidents/{id}/report", true,
		"What the audience may not know by its label (TLP) is left out; an incident that is TLP:RED has no report, but for who is named on it while it is restricted: they ask for the audience RED, for their own eyes. The ledger says who made it before a byte is handed out. The manifest vouches for its bytes: tocsin ledger verify checks it."
	add(t, o, func(a ask, in *numberedWith[client.DossierAsk]) (out client.Dossier, err error) {
		zone := time.UTC
		if in.Body.Zone != "" {
			if zone, err = time.LoadLocation(in.Body.Zone); err != nil {
				return out, desk.FieldError{Field: "zone", Says: "No zone has that name; an example is Europe/Berlin."}
			}
		}
		m, err := a.desk.Dossier(a.actor, in.ID, desk.DossierAsk{Form: in.Body.Format, Depth: in.Body.Depth, Audience: in.Body.Audience, Zone: zone, Own: in.Body.Template})
		return client.Dossier{Name: m.Name, Type: m.Type, Bytes: m.Bytes, Manifest: string(m.Manifest)}, err
	})
	o = post("/incidents/{id}/exchange", "exchangeIncident", "Write an incident for other teams, as STIX 2.1 or VERIS 1.3.7")
	o.need, o.web, o.shown, o.about = auth.Note, "POST /incidents/{id}/exchange", true, "What the audience may not know by its label (TLP), and what is a victim's, is left out; an incident that is TLP:RED is not told. The ledger says who did it before a byte is handed out."
	add(t, o, func(a ask, in *numberedWith[client.ExchangeAsk]) (client.Exchanged, error) {
		r, err := a.desk.Exchange(a.actor, in.ID, in.Body.Format, in.Body.Audience)
		return client.Exchanged{Data: string(r.Data), Label: r.Label, Objects: r.Objects, Hidden: r.Hidden, Victims: r.Victims, Wrong: r.Wrong, More: r.More}, err
	})
}
