package api

import (
	"slices"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
)

// What requests say.
type (
	ofMeasure struct {
		Number int64 `path:"number" minimum:"1" doc:"its number"`
	}
	ofMeasureWith[B any] struct {
		Number int64 `path:"number" minimum:"1" doc:"its number"`
		Body   B
	}
	remeasuring struct {
		Text   string    `json:"text,omitempty" maxLength:"10000" doc:"the gap, what is done, and how one will see that it is closed; without it, as it is"`
		Owner  string    `json:"owner,omitempty" maxLength:"200" doc:"staff id; without it, as it is"`
		Due    time.Time `json:"due,omitzero"`
		Remind *int64    `json:"remind_hours,omitempty" minimum:"0" maximum:"2160" doc:"hours before it is due; 0 takes the reminder away; without it, as it is"`
		Why    string    `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	measureLink struct {
		Kind     string `json:"kind" enum:"playbook,rule"`
		Ref      string `json:"ref" minLength:"1" maxLength:"100" doc:"its id"`
		Revision string `json:"revision,omitempty" maxLength:"64" doc:"of a playbook; without it, the one that stands"`
	}
	partReading struct {
		Revision string   `json:"revision" minLength:"1" maxLength:"64" doc:"of the part, as it was read"`
		Against  string   `json:"against,omitempty" maxLength:"64" doc:"the approved revision that it was compared with"`
		Sections []string `json:"sections" minItems:"1" maxItems:"600"`
	}
	partApproval struct {
		Revision string `json:"revision" minLength:"1" maxLength:"64"`
	}
	partRefusal struct {
		Revision string `json:"revision" minLength:"1" maxLength:"64"`
		Why      string `json:"why" minLength:"1" maxLength:"10000"`
	}
	partKeeping struct {
		Owner string `json:"owner,omitempty" maxLength:"200" doc:"staff id; without it, its role"`
		Days  int    `json:"days,omitempty" minimum:"0" maximum:"730" doc:"from review to review; 0 is a quarter"`
	}
	partAsking struct {
		Parts []string  `json:"parts" minItems:"1" maxItems:"500"`
		Cause string    `json:"cause" enum:"person,architecture,threat"`
		Why   string    `json:"why" minLength:"1" maxLength:"10000"`
		Due   time.Time `json:"due,omitzero" doc:"without it, in two weeks"`
	}
	meetingCall struct {
		At      time.Time `json:"at"`
		Chair   string    `json:"chair" minLength:"1" maxLength:"200" doc:"staff id"`
		Invited []string  `json:"invited,omitempty" maxItems:"50"`
	}
	meetingHeld struct {
		At        time.Time `json:"at"`
		Attendees []string  `json:"attendees" minItems:"1" maxItems:"50" doc:"staff ids"`
		Minutes   string    `json:"minutes" minLength:"1" maxLength:"15000"`
		Gaps      []string  `json:"gaps,omitempty" maxItems:"50"`
	}
)

// reviewOperations are the review of the plan, internal reviews of incidents, and the measures of all.
func reviewOperations(t *table) {
	o := get("/review/parts", "listParts", "List the parts of the plan, and when each is to be reviewed")
	o.need, o.web = auth.See, "GET /review"
	add(t, o, func(a ask, _ *none) ([]client.PlanPart, error) {
		rows, err := a.desk.Parts(a.actor, a.now)
		out := []client.PlanPart{}
		for _, p := range rows {
			out = append(out, partOf(p))
		}
		return out, err
	})
	o = get("/review/parts/{id}", "getPart", "Show a part of the plan with its sections, and which changed since it was approved")
	o.need, o.web = auth.See, "GET /review/parts/{part}"
	add(t, o, func(a ask, in *named) (out client.PlanPartText, err error) {
		p, err := a.desk.Part(a.actor, in.ID, a.now)
		if err != nil {
			return out, err
		}
		out = client.PlanPartText{PlanPart: partOf(p.PartRow), Ticked: append([]string{}, p.Ticked...), Sections: []client.PlanSection{}, Gone: p.Gone, Changes: differences(p.Changes)}
		for _, s := range p.Sections {
			out.Sections = append(out.Sections, client.PlanSection{Name: s.Name, Title: s.Title, State: s.State, Lines: append([]string{}, s.Lines...)})
		}
		return out, nil
	})
	onPlanPart(t, "read", "readPart", "Say which sections of a part one has read", auth.Note, func(a ask, id string, x partReading) error {
		return a.desk.ReadPart(a.actor, id, desk.PartRead{Revision: x.Revision, Against: x.Against, Sections: x.Sections})
	})
	onPlanPart(t, "approve", "approvePart", "Approve of a part that another person read; no token can", auth.Note, func(a ask, id string, x partApproval) error { return a.desk.ApprovePart(a.actor, id, x.Revision) })
	onPlanPart(t, "refuse", "refusePart", "Say what is not right with a part", auth.Note, func(a ask, id string, x partRefusal) error {
		return a.desk.RefusePart(a.actor, id, x.Revision, x.Why)
	})
	onPlanPart(t, "keep", "keepPart", "Say who keeps a part right, and how often it is reviewed", auth.Playbooks, func(a ask, id string, x partKeeping) error { return a.desk.KeepPart(a.actor, id, x.Owner, x.Days) })
	o = post("/review/ask", "askReview", "Ask that parts of the plan are reviewed before their time")
	o.need, o.web = auth.Note, "POST /review/ask"
	act(t, o, func(a ask, in *body[partAsking]) error {
		return a.desk.AskReview(a.actor, in.Body.Parts, in.Body.Cause, in.Body.Why, in.Body.Due)
	})
	measuresOfAll(t)
	o = get("/incidents/{id}/review", "getReview", "Show the internal review of an incident: agenda, meetings, gaps")
	o.need, o.web = auth.See, "GET /incidents/{id}/review"
	add(t, o, func(a ask, in *numbered) (out client.IncidentReview, err error) {
		x, err := a.desk.ReviewOf(a.actor, in.ID, time.UTC)
		if err != nil {
			return out, err
		}
		says := a.kept(in.ID, "lessons")
		word := func(s string) string {
			if says != "" {
				return says
			}
			return s
		}
		out = client.IncidentReview{Reviewed: x.Reviewed, Agenda: word(x.Agenda.Text()), Meetings: []client.ReviewMeeting{}}
		if x.Call != nil {
			out.Called, out.Chair, out.Invited = x.Call.At, x.Call.Chair, slices.Clone(x.Call.Invited)
		}
		for _, m := range x.Meetings {
			y := client.ReviewMeeting{At: m.At, Attendees: slices.Clone(m.Attendees), Minutes: word(m.Says)}
			for _, g := range m.Gaps {
				y.Gaps = append(y.Gaps, word(g))
			}
			out.Meetings = append(out.Meetings, y)
		}
		return out, nil
	})
	o = get("/incidents/{id}/review/calendar", "getReviewCalendar", "Show when the internal review of an incident is held, as iCalendar")
	o.need, o.web = auth.See, "GET /incidents/{id}/review/calendar"
	add(t, o, func(a ask, in *numbered) (client.ReviewCalendar, error) {
		file, err := a.desk.ReviewCalendar(a.actor, in.ID)
		return client.ReviewCalendar{Calendar: string(file)}, err
	})
	onIncident(t, "review/call", "callReview", "Say when the internal review of an incident is held", auth.Note, func(a ask, id int64, x meetingCall) error {
		return a.desk.CallReview(a.actor, id, desk.ReviewCalling{At: x.At, Chair: x.Chair, Invited: x.Invited})
	})
	onIncident(t, "review/held", "holdReview", "Write down what an internal review found", auth.Note, func(a ask, id int64, x meetingHeld) error {
		return a.desk.HoldReview(a.actor, id, desk.ReviewNotes{At: x.At, Attendees: x.Attendees, Says: x.Minutes, Gaps: x.Gaps})
	})
}

// measuresOfAll are the measures of every incident, and of none.
func measuresOfAll(t *table) {
	o := get("/measures", "listAllMeasures", "List the measures of every incident, and of none")
	o.need = auth.See
	add(t, o, func(a ask, _ *none) ([]client.PlanMeasure, error) {
		rows, err := a.desk.AllMeasures(a.actor)
		out := []client.PlanMeasure{}
		for _, m := range rows {
			out = append(out, measureOf(a, m))
		}
		return out, err
	})
	o = get("/measures/{number}", "getMeasure", "Show a measure")
	o.need, o.web = auth.See, "GET /review/measures/{n}"
	add(t, o, func(a ask, in *ofMeasure) (client.PlanMeasure, error) {
		m, err := a.desk.MeasureOf(a.actor, in.Number)
		return measureOf(a, m), err
	})
	o = post("/measures", "putMeasure", "Put a measure down that comes of no incident")
	o.need, o.web = auth.Note, "POST /review/measures"
	add(t, o, func(a ask, in *body[measuring]) (client.Numbered, error) {
		n, err := a.desk.AddMeasure(a.actor, 0, desk.MeasureText{Text: in.Body.Text, Owner: in.Body.Owner, Due: in.Body.Due, Remind: time.Duration(in.Body.Remind) * time.Hour})
		return client.Numbered{ID: n}, err
	})
	o = post("/measures/{number}/step", "sayOfMeasure", "Say of a measure that it is done, verified by another person, reopened or dropped")
	o.need, o.web = auth.Note, "POST /review/measures/{n}/step"
	act(t, o, func(a ask, in *ofMeasureWith[measureStep]) error {
		return a.desk.StepMeasure(a.actor, 0, in.Number, in.Body.Step, in.Body.Text)
	})
	o = post("/measures/{number}/change", "changeMeasure", "Give a measure another owner, time or text")
	o.need, o.web = auth.Note, "POST /review/measures/{n}/change"
	act(t, o, func(a ask, in *ofMeasureWith[remeasuring]) error {
		x := desk.MeasureChange{Text: in.Body.Text, Owner: in.Body.Owner, Due: in.Body.Due}
		if h := in.Body.Remind; h != nil {
			x.Remind = new(time.Duration(*h) * time.Hour)
		}
		return a.desk.ChangeMeasure(a.actor, in.Number, x, in.Body.Why)
	})
	o = post("/measures/{number}/link", "linkMeasure", "Say by which change of the plan or of a rule a measure was carried out")
	o.need, o.web = auth.Note, "POST /review/measures/{n}/link"
	act(t, o, func(a ask, in *ofMeasureWith[measureLink]) error {
		return a.desk.LinkMeasure(a.actor, 0, in.Number, in.Body.Kind, in.Body.Ref, in.Body.Revision)
	})
}

// onPlanPart registers an act on a part of the plan.
func onPlanPart[B any](t *table, path, id, sum string, need auth.Action, do func(a ask, part string, x B) error) {
	o := post("/review/parts/{id}/"+path, id, sum)
	o.need, o.web = need, "POST /review/parts/{part}/"+path
	act(t, o, func(a ask, in *namedWith[B]) error { return do(a, in.ID, in.Body) })
}

func partOf(p desk.PartRow) client.PlanPart {
	return client.PlanPart{ID: p.ID, Title: p.Title, Owner: p.Owner, Role: p.Role, Keepers: append([]string{}, p.Keepers...), Due: p.Due, Late: p.Over, Why: p.Why, Revision: p.Revision, Approved: p.Approved, ApprovedAt: p.ApprovedAt,
		ApprovedBy: p.ApprovedBy, ReadBy: append([]string{}, p.ReadBy...)}
}

// measureOf words a measure; what its incident's label keeps inside says so in place of its text.
func measureOf(a ask, m desk.MeasureRow) client.PlanMeasure {
	x := client.PlanMeasure{ID: m.ID, Incident: m.Incident, Text: m.Text, Owner: m.Owner, Due: m.Due, Remind: int64(m.Remind / time.Hour), State: string(m.State), Late: m.Overdue}
	if m.Incident != 0 {
		if says := a.kept(m.Incident, "lessons"); says != "" {
			x.Text = says
		}
	}
	return x
}
