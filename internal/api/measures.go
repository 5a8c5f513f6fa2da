package api

import (
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
)

// What requests say, and what they are answered.
type (
	measuring struct {
		Text   string    `json:"text" minLength:"1" maxLength:"10000" doc:"the gap, what is done, and how one will see that it is closed"`
		Owner  string    `json:"owner" minLength:"1" maxLength:"200" doc:"staff id"`
		Due    time.Time `json:"due"`
		Remind int64     `json:"remind_hours,omitempty" minimum:"0" maximum:"2160" doc:"hours before it is due"`
	}
	measureStep struct {
		Step string `json:"step" enum:"done,verified,reopened,dropped"`
		Text string `json:"text" minLength:"1" maxLength:"10000" doc:"what was done, how it was verified, or why"`
	}
	// A Measure is what is done so that a gap is closed.
	Measure struct {
		ID    int64     `json:"id"`
		Text  string    `json:"text"`
		Owner string    `json:"owner"`
		Due   time.Time `json:"due"`
		State string    `json:"state"`
	}
	// Measures are those of an incident.
	Measures struct {
		Measures []Measure `json:"measures"`
	}
)

// measureOperations are what follows an incident.
func measureOperations(t *table) {
	o := get("/incidents/{id}/measures", "listMeasures", "List the measures after an incident")
	o.need = auth.See
	add(t, o, func(a ask, in *numbered) (Measures, error) {
		out := Measures{Measures: []Measure{}}
		list, err := a.desk.Measures(a.actor, in.ID)
		says := a.kept(in.ID, "lessons")
		for _, m := range list {
			x := Measure{ID: m.ID, Text: m.Text, Owner: m.Owner, Due: m.Due, State: string(m.State)}
			if says != "" {
				x.Text = says
			}
			out.Measures = append(out.Measures, x)
		}
		return out, err
	})
	o = post("/incidents/{id}/measures", "addMeasure", "Put a measure down after an incident")
	o.need = auth.Note
	add(t, o, func(a ask, in *numberedWith[measuring]) (client.Numbered, error) {
		n, err := a.desk.AddMeasure(a.actor, in.ID, desk.MeasureText{Text: in.Body.Text, Owner: in.Body.Owner, Due: in.Body.Due, Remind: time.Duration(in.Body.Remind) * time.Hour})
		return client.Numbered{ID: n}, err
	})
	onPart(t, "measures/{number}", "stepMeasure", "Say of a measure that it is done, verified by another person, reopened or dropped", func(a ask, id, number int64, x measureStep) error {
		return a.desk.StepMeasure(a.actor, id, number, x.Step, x.Text)
	})
}
