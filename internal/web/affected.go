package web

import (
	"fmt"

	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/ui"
)

// affectedFold is the form of what an incident touched and cost, which its report says: one row a line.
func (s *Server) affectedFold(i *incident.Incident) ui.Fold {
	a, seen := i.Affects()
	x, _ := incident.ReadSheet(s.desk.Text(a.Text)) // what was erased has no rows
	systems, data, people, costs := x.Fields()
	field := func(name, label, hint, value string) ui.Field {
		return ui.Field{Name: name, Kind: "lines", Label: label, Hint: hint, Value: value, Rows: 2, Most: 20_000}
	}
	return ui.Fold{Summary: "What is affected", Form: ui.Form{ID: "affected", Action: fmt.Sprintf("/incidents/%d/affected", i.ID), Button: "Write it down", Hidden: []ui.Option{{Word: "seen", Value: fmt.Sprint(seen)}},
		Hint: "The report says it. One row a line, its parts with semicolons between them; leave away what you do not know.",
		Fields: []ui.Field{
			field("systems", "Systems", "name; what it is for; what happened to it; its state now", systems),
			field("data", "Data", "which; read, copied, changed or lost; how many records; how we know. If none, write: none", data),
			field("people", "People", "who; how many; in which countries; how we know. If nobody, write: nobody", people),
			field("costs", "Costs", "what; 12500.50 EUR; 32 h; estimate", costs),
		}}}
}

func (s *Server) putAffected(v *visit) error {
	return s.deed(v, "affected", "affected", "", func(id int64) error {
		return s.desk.PutAffected(v.actor, id, desk.AffectedText{Systems: text(v.r, "systems"), Data: text(v.r, "data"), People: text(v.r, "people"), Costs: text(v.r, "costs"), Before: v.seen()})
	})
}
