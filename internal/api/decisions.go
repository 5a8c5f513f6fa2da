package api

import (
	"slices"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
)

// What requests say.
type (
	deciding struct {
		Question string   `json:"question" minLength:"1" maxLength:"10000"`
		Options  []string `json:"options" minItems:"2" maxItems:"6" doc:"what can be chosen"`
		Replaces int64    `json:"replaces,omitempty" minimum:"0" doc:"the decision whose place it takes once it is made; 0 is none"`
		Option   int      `json:"option,omitempty" minimum:"0" maximum:"6" doc:"what was chosen already, from 1; 0 leaves it open"`
		Why      string   `json:"why,omitempty" maxLength:"10000" doc:"of a choice: the reason"`
	}
	choosing struct {
		Option int    `json:"option" minimum:"1" maximum:"6" doc:"from 1"`
		Seen   int64  `json:"seen" minimum:"1" doc:"the decision's entry when you looked at it: who decides at the same time and comes second is told so"`
		Why    string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	withdrawing struct {
		Seen int64  `json:"seen" minimum:"1" doc:"its entry when you looked at it"`
		Why  string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	asking struct {
		Text string `json:"text" minLength:"1" maxLength:"10000"`
		Role string `json:"role,omitempty" enum:",commander,engineer,analyst,legal,communications" doc:"who is asked; empty is everybody"`
	}
	saying struct {
		Text string `json:"text" minLength:"1" maxLength:"10000"`
	}
	handing struct {
		To    string   `json:"to" minLength:"1" maxLength:"64" doc:"staff id of who takes over"`
		Roles []string `json:"roles,omitempty" maxItems:"5" doc:"of yours in it that go over once it is taken"`
		Note  string   `json:"note" minLength:"1" maxLength:"10000" doc:"what stands, and what comes next"`
	}
	correcting struct {
		To   string `json:"to" minLength:"1" maxLength:"64" doc:"staff id of who takes over"`
		Note string `json:"note" minLength:"1" maxLength:"10000" doc:"what stands, and what comes next"`
	}
	taking struct {
		Answer string `json:"answer,omitempty" maxLength:"10000"`
	}
)

// decisionOperations are decisions, questions and hand-overs.
func decisionOperations(t *table) {
	makes(t, "decisions", "askDecision", "Say that something must be decided, or write down what was", func(a ask, id int64, x deciding) (int64, error) {
		y := desk.DecisionAsk{Question: x.Question, Options: x.Options, Replaces: x.Replaces}
		if x.Option > 0 {
			return a.desk.LogDecision(a.actor, id, y, x.Option, x.Why)
		}
		return a.desk.AskDecision(a.actor, id, y)
	})
	onPart(t, "decisions/{number}/choose", "choose", "Decide a decision", func(a ask, id, number int64, x choosing) error {
		return a.desk.Choose(a.actor, id, number, x.Seen, x.Option, x.Why)
	})
	onPart(t, "decisions/{number}/withdraw", "withdrawDecision", "Say that a decision need not be made", func(a ask, id, number int64, x withdrawing) error {
		return a.desk.WithdrawDecision(a.actor, id, number, x.Seen, x.Why)
	})
	makes(t, "questions", "askQuestion", "Ask a role something, or everybody", func(a ask, id int64, x asking) (int64, error) {
		return a.desk.AskQuestion(a.actor, id, x.Role, x.Text)
	})
	onPart(t, "questions/{number}/answer", "answerQuestion", "Answer a question", func(a ask, id, number int64, x saying) error {
		return a.desk.AnswerQuestion(a.actor, id, number, x.Text)
	})
	onPart(t, "questions/{number}/withdraw", "withdrawQuestion", "Say that a question need not be answered", func(a ask, id, number int64, x client.Reason) error {
		return a.desk.WithdrawQuestion(a.actor, id, number, x.Why)
	})
	makes(t, "handovers", "handOver", "Hand over to the next shift", func(a ask, id int64, x handing) (int64, error) {
		return a.desk.HandOver(a.actor, id, x.To, x.Roles, x.Note)
	})
	makesOn(t, "handovers/{number}/correct", "correctHandover", "Put another note in the place of a hand-over that nobody has taken yet", func(a ask, id, number int64, x correcting) (int64, error) {
		return a.desk.CorrectHandover(a.actor, id, number, x.To, x.Note)
	})
	onPart(t, "handovers/{number}/withdraw", "withdrawHandover", "Say that a hand-over need not be taken any more", func(a ask, id, number int64, x client.Reason) error {
		return a.desk.WithdrawHandover(a.actor, id, number, x.Why)
	})
	onPart(t, "handovers/{number}/take", "takeOver", "Take a hand-over, with its roles", func(a ask, id, number int64, x taking) error {
		return a.desk.TakeOver(a.actor, id, number, x.Answer)
	})
}

func decisions(a ask, id int64, all []incident.Decision) []client.IncidentDecision {
	out := []client.IncidentDecision{}
	for _, d := range all {
		what := subject("decision", d.ID)
		x := client.IncidentDecision{ID: d.ID, Incident: elsewhere(id, d.Incident), Entry: d.N, Question: a.word(d.Incident, what, d.Text), By: d.Asked.By, At: d.Asked.At, State: "open"}
		for _, o := range d.Options {
			x.Options = append(x.Options, a.word(d.Incident, what, o))
		}
		switch {
		case d.Gone != nil:
			x.State, x.Person, x.Why, x.Decided = "withdrawn", d.Gone.What.Person, a.word(d.Incident, what, d.Gone.What.Text), d.Gone.At
		case d.Made != nil:
			x.State, x.Option, x.Person, x.Why, x.Decided = "made", d.Made.What.Option, d.Made.What.Person, a.word(d.Incident, what, d.Made.What.Text), d.Made.At
			if !d.Stands() {
				x.State = "replaced"
			}
		}
		out = append(out, x)
	}
	return out
}

func questions(a ask, id int64, all []incident.Question) []client.Question {
	out := []client.Question{}
	for _, q := range all {
		what := subject("question", q.ID)
		x := client.Question{ID: q.ID, Incident: elsewhere(id, q.Incident), Text: a.word(q.Incident, what, q.Text), Person: q.Person, Role: q.Role, At: q.Asked.At, State: "open"}
		switch {
		case q.Answer != nil:
			x.State, x.Answer, x.By = "answered", a.word(q.Incident, what, q.Answer.What.Text), q.Answer.What.Person
		case q.Gone != nil:
			x.State, x.Answer, x.By = "withdrawn", a.word(q.Incident, what, q.Gone.What.Text), q.Gone.What.Person
		}
		out = append(out, x)
	}
	return out
}

func handovers(a ask, id int64, all []incident.Handover) []client.Handover {
	out := []client.Handover{}
	for _, h := range all {
		x := client.Handover{ID: h.ID, Incident: elsewhere(id, h.Incident), From: h.From, To: h.To, Roles: slices.Clone(h.Roles), Text: a.word(h.Incident, subject("handover", h.ID), h.Text), At: h.Given.At}
		if h.Taken != nil {
			x.Taken = h.Taken.At
		}
		if h.Gone != nil {
			x.Withdrawn, x.Why = h.Gone.At, a.word(h.Incident, subject("handover", h.ID), h.Gone.What.Text)
		}
		out = append(out, x)
	}
	return out
}
