package api

import (
	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
)

// labelOperations say who may hear of what. To set a label is setLabel.
func labelOperations(t *table) {
	o := get("/incidents/{id}/labels", "listLabels", "List an incident and all things in it that can have a label (TLP 2.0), with the one that holds")
	o.need, o.web = auth.See, "GET /incidents/{id}/label"
	add(t, o, func(a ask, in *numbered) ([]client.ThingLabel, error) {
		things, err := a.desk.Labels(a.actor, in.ID)
		out := []client.ThingLabel{}
		for _, x := range things {
			out = append(out, thingLabel(a, in.ID, x))
		}
		return out, err
	})
}

func thingLabel(a ask, at int64, x desk.LabelledThing) client.ThingLabel {
	out := client.ThingLabel{Incident: elsewhere(at, x.Incident), What: x.What, Label: x.Label.String(), By: x.By, At: x.At, Text: a.word(x.Incident, x.What, x.Text), Why: a.word(x.Incident, x.What, x.Why)}
	if x.Own != "" {
		out.Own = x.Own.String()
	}
	return out
}
