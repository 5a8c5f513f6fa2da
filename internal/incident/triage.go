package incident

import (
	"errors"
	"fmt"
	"slices"

	"tocsin/internal/entry"
)

// The facts about a whole incident that the playbooks ask too, and the answers: package playbook says the same.
const (
	Affected = "affected"
	Verdict  = "verdict"

	Real       = "real"
	FalseAlarm = "false-alarm"
	Unknown    = "unknown"
)

// Fact returns the newest answer to a question about the whole incident; ok is false while nobody answered it.
func (i *Incident) Fact(fact string) (w Written[entry.Fact], ok bool) {
	for _, f := range slices.Backward(i.Command().Facts) {
		if f.What.Fact == fact {
			return f, true
		}
	}
	return w, false
}

// Scope is whom the incident touches: site-only, customers or unknown. What nobody answered is unknown.
func (i *Incident) Scope() string {
	if f, ok := i.Fact(Affected); ok && f.What.Value != "" {
		return f.What.Value
	}
	return Unknown
}

// Triage decides whether an incident is a real attack, a false alarm or not known yet; text is the vault object with the reason. A false alarm closes the incident
// in the same step: all drafts are to be appended together. Exceptions says what could keep the same alarm from coming again.
func (b *Book) Triage(actor, person string, id int64, verdict, text string) ([]entry.Draft, error) {
	i, err := b.open(id)
	switch {
	case err != nil:
		return nil, err
	case verdict != Real && verdict != FalseAlarm && verdict != Unknown:
		return nil, fmt.Errorf("%q is no verdict; say one of %s, %s, %s", verdict, Real, FalseAlarm, Unknown)
	case text == "":
		return nil, errors.New("a verdict needs a reason")
	case person == "":
		return nil, errNobody
	}
	var out []entry.Draft
	f, answered := i.Fact(Verdict)
	switch {
	case answered && f.What.Value == verdict && verdict != FalseAlarm:
		return nil, fmt.Errorf("the verdict on incident %d is %s already", id, verdict)
	case !answered || f.What.Value != verdict:
		out = append(out, draft(actor, entry.FactAnswered, id, entry.Fact{Incident: id, Fact: Verdict, Value: verdict, Person: person, Why: text}))
	}
	if verdict != FalseAlarm {
		return out, nil
	}
	for _, p := range b.Parts(id)[1:] {
		if p.real() {
			return nil, fmt.Errorf("incident %d is part of incident %d, and was judged a real attack: take it out again before you close this as a false alarm", p.ID, id)
		}
	}
	closed, err := b.Close(actor, id, "false", text)
	return append(out, closed), err
}

// applyFact keeps what is answered about a whole incident, wherever it was asked: by itself, in a run, or with a step's result.
func (b *Book) applyFact(e entry.Entry) error {
	keep := func(incident int64, x entry.Fact) error {
		if x.Fact != Affected && x.Fact != Verdict {
			return nil
		}
		i, err := b.Get(incident)
		if err != nil {
			return fmt.Errorf("entry %d: %w", e.N, err)
		}
		if i.command == nil {
			i.command = &Command{}
		}
		i.command.Facts = append(i.command.Facts, written(e, x))
		ref := x.Why
		if ref == "" {
			ref = x.Text
		}
		i.Timeline = append(i.Timeline, Mark{N: e.N, Happened: e.Time, Learned: e.Time, Kind: e.Kind, Actor: e.Actor, Ref: ref, From: x.Fact, To: x.Value})
		return nil
	}
	switch e.Kind {
	case entry.RunBegun:
		x, err := entry.Body[entry.Run](e)
		if err != nil {
			return err
		}
		if b.runs == nil {
			b.runs = map[int64]int64{}
		}
		b.runs[x.ID] = x.Incident
	case entry.FactAnswered:
		x, err := entry.Body[entry.Fact](e)
		if err != nil {
			return err
		}
		if x.Incident == 0 {
			x.Incident = b.runs[x.Run]
		}
		return keep(x.Incident, x)
	case entry.StepDone:
		x, err := entry.Body[entry.StepResult](e)
		if err != nil {
			return err
		}
		for _, f := range x.Answers {
			if err := keep(b.runs[x.Run], f); err != nil {
				return err
			}
		}
	}
	return nil
}
