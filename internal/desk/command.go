package desk

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
)

// How an incident is commanded: each act is decided by package incident, and its words go to the vault first. Whoever may write notes may do these; what only the
// Commander keeps, and what only a role holds, is refused there.

// State says what is known of an incident, in at most three sentences. seen is the entry of the statement that the person looked at, 0 of none.
func (d *Desk) State(actor auth.Actor, id, seen int64, text string) error {
	if err := incident.FitsStatement(text); err != nil {
		return FieldError{"text", Title(err.Error()) + "."}
	}
	return d.wrote(actor, auth.Note, id, []string{text}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.State(actor.Name, person, CanHold(s, id), id, seen, texts[0]))
	})
}

// A DecisionAsk is a question that must be decided, with two to six options. Replaces is the number of a decision whose place it takes, 0 of none.
type DecisionAsk struct {
	Question string
	Options  []string
	Replaces int64
}

func (x DecisionAsk) words() []string {
	out := []string{x.Question}
	for _, o := range x.Options {
		if strings.TrimSpace(o) != "" {
			out = append(out, strings.TrimSpace(o))
		}
	}
	return out
}

// alike says that two options read the same: in the vault each is an object of its own.
func (x DecisionAsk) alike() error {
	seen := map[string]bool{}
	for _, o := range x.words()[1:] {
		if seen[strings.ToLower(o)] {
			return FieldError{"options", "Two of the options are the same."}
		}
		seen[strings.ToLower(o)] = true
	}
	return nil
}

// AskDecision says that something must be decided, and returns its number.
func (d *Desk) AskDecision(actor auth.Actor, id int64, x DecisionAsk) (number int64, err error) {
	if err := x.alike(); err != nil {
		return 0, err
	}
	err = d.wrote(actor, auth.Note, id, x.words(), func(s *State, _ time.Time, _ string, texts []string) ([]entry.Draft, error) {
		y, err := s.Incidents.AskDecision(actor.Name, entry.Decision{Incident: id, Text: texts[0], Options: texts[1:], Replaces: x.Replaces})
		if err == nil {
			number = y.Body.(entry.Decision).ID
		}
		return one(y, err)
	})
	return number, err
}

// Choose decides a decision. seen is the entry that changed it last when the person looked (incident.Decision.N): of two who decide at once the second is
// Overtaken, sees what was decided, and has their words back.
func (d *Desk) Choose(actor auth.Actor, id, decision, seen int64, option int, why string) error {
	return d.wrote(actor, auth.Note, id, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.Choose(actor.Name, seen, entry.Choice{Incident: id, ID: decision, Option: option, Person: person, Text: texts[0]}))
	})
}

// LogDecision writes down what was asked and decided already, in one go.
func (d *Desk) LogDecision(actor auth.Actor, id int64, x DecisionAsk, option int, why string) (number int64, err error) {
	if err := x.alike(); err != nil {
		return 0, err
	}
	err = d.wrote(actor, auth.Note, id, append([]string{why}, x.words()...), func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		drafts, err := s.Incidents.LogDecision(actor.Name, entry.Decision{Incident: id, Text: texts[1], Options: texts[2:], Replaces: x.Replaces}, option, person, texts[0])
		if err == nil {
			number = drafts[0].Body.(entry.Decision).ID
		}
		return drafts, err
	})
	return number, err
}

// WithdrawDecision says that an open one need not be decided, and why.
func (d *Desk) WithdrawDecision(actor auth.Actor, id, decision, seen int64, why string) error {
	return d.wrote(actor, auth.Note, id, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.WithdrawDecision(actor.Name, seen, entry.Reply{Incident: id, ID: decision, Person: person, Text: texts[0]}))
	})
}

// AskQuestion asks a role something, or everybody by role "", and returns its number.
func (d *Desk) AskQuestion(actor auth.Actor, id int64, role, text string) (number int64, err error) {
	err = d.wrote(actor, auth.Note, id, []string{text}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		x, err := s.Incidents.Ask(actor.Name, entry.Question{Incident: id, Text: texts[0], Person: person, Role: role})
		if err == nil {
			number = x.Body.(entry.Question).ID
		}
		return one(x, err)
	})
	return number, err
}

// AnswerQuestion answers one.
func (d *Desk) AnswerQuestion(actor auth.Actor, id, question int64, text string) error {
	return d.wrote(actor, auth.Note, id, []string{text}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.Answer(actor.Name, entry.Reply{Incident: id, ID: question, Person: person, Text: texts[0]}))
	})
}

// WithdrawQuestion says that one need not be answered, and why.
func (d *Desk) WithdrawQuestion(actor auth.Actor, id, question int64, why string) error {
	return d.wrote(actor, auth.Note, id, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.WithdrawQuestion(actor.Name, entry.Reply{Incident: id, ID: question, Person: person, Text: texts[0]}))
	})
}

// HandOver tells the next shift what stands and what comes next, and names the roles that go over once it is taken. It returns its number.
func (d *Desk) HandOver(actor auth.Actor, id int64, to string, roles []string, note string) (number int64, err error) {
	err = d.wrote(actor, auth.Note, id, []string{note}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		if err := mayHold(s, id, to); err != nil {
			return nil, err
		}
		x, err := s.Incidents.HandOver(actor.Name, entry.Handover{Incident: id, From: person, To: to, Roles: roles, Text: texts[0]})
		if err == nil {
			number = x.Body.(entry.Handover).ID
		}
		return one(x, err)
	})
	return number, err
}

// WithdrawHandover says that one need not be taken any more, and why.
func (d *Desk) WithdrawHandover(actor auth.Actor, id, handover int64, why string) error {
	return d.wrote(actor, auth.Note, id, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		return one(s.Incidents.WithdrawHandover(actor.Name, entry.Reply{Incident: id, ID: handover, Person: person, Text: texts[0]}))
	})
}

// CorrectHandover puts another note in the place of one that who acts gave and that nobody has taken yet, in one append, and returns its number. The roles are those that
// the first one named and they still hold.
func (d *Desk) CorrectHandover(actor auth.Actor, id, handover int64, to, note string) (number int64, err error) {
	err = d.wrote(actor, auth.Note, id, []string{note, "It was corrected: another note takes its place."}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		if err := mayHold(s, id, to); err != nil {
			return nil, err
		}
		x := entry.Handover{Incident: id, From: person, To: to, Text: texts[0]}
		if i, err := s.Incidents.Get(id); err == nil && handover >= 1 && handover <= int64(len(i.Command().Handovers)) {
			for _, role := range i.Command().Handovers[handover-1].Roles {
				if i.Roles[role].Person == person {
					x.Roles = append(x.Roles, role)
				}
			}
		}
		drafts, err := s.Incidents.CorrectHandover(actor.Name, handover, texts[1], x)
		if err == nil {
			number = drafts[1].Body.(entry.Handover).ID
		}
		return drafts, err
	})
	if o, ok := errors.AsType[*Overtaken](err); ok {
		o.Yours = strings.TrimSpace(note) // of what was to be kept the rest is ours
	}
	return number, err
}

// TakeOver says that who acts has read a hand-over; the roles go over with it.
func (d *Desk) TakeOver(actor auth.Actor, id, handover int64, answer string) error {
	return d.wrote(actor, auth.Note, id, []string{answer}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		if err := mayHold(s, id, person); err != nil {
			return nil, err
		}
		return s.Incidents.TakeOver(actor.Name, entry.Reply{Incident: id, ID: handover, Person: person, Text: texts[0]})
	})
}

// Finish ends the work on an incident: verdict is true or false. What must be written first and is not is an *incident.Lacks, unless the excuse says why.
// A watch for its return begins.
func (d *Desk) Finish(actor auth.Actor, id int64, verdict, why, excuse string) error {
	if err := cmp.Or(d.MayOn(actor, auth.Handle, id), d.Broken()); err != nil {
		return err
	}
	try := error(nil)
	d.Read(func(s *State) {
		x := ""
		if strings.TrimSpace(excuse) != "" {
			x = "-"
		}
		_, try = s.Incidents.Finish(actor.Name, id, verdict, "-", x)
	})
	if lacks, ok := errors.AsType[*incident.Lacks](try); ok {
		return lacks
	}
	texts, err := d.texts(why, excuse)
	if err != nil {
		return err
	}
	return d.doOn(actor, auth.Handle, id, func(s *State, _ time.Time) (entry.Draft, error) {
		return s.Incidents.Finish(actor.Name, id, verdict, texts[0], texts[1])
	})
}

// Work is something that a person has to do, wherever it is.
type Work struct {
	Incident int64
	Title    string // of the incident
	What     string // step, approval, task, question, handover
	ID       int64  // its number, or the run's of a step
	Step     string // of a step
	Text     string // in words
	Role     string // by which it is theirs, "" their own
	Due      time.Time
	Since    time.Time
	Late     bool
}

// MyWork returns what an actor has to do across all incidents that they may see, at most so much, and how much it is: what is late first, then what is due first, then
// the oldest.
func (d *Desk) MyWork(actor auth.Actor, most int) (out []Work, all int) {
	now := time.Now()
	var found []*Work
	d.ReadAs(actor, func(s *State) {
		mine := s.Incidents.Mine(actor.ID, actor.Roles)
		works := make([]Work, len(mine))
		found = make([]*Work, 0, len(mine)+64)
		for k, x := range mine {
			if i, err := s.Incidents.Get(x.Incident); err == nil {
				found = append(found, &works[k])
				works[k] = Work{Incident: x.Incident, Title: i.Title, What: x.What, ID: x.ID, Text: x.Text, Role: x.Role, Due: x.Due, Since: x.Since, Late: !x.Due.IsZero() && now.After(x.Due)}
			}
		}
		for _, r := range s.Runs.Working() {
			if i, err := s.Incidents.Get(s.Incidents.Root(r.Incident)); err == nil {
				found = mySteps(found, s, actor, i, r, now)
			}
		}
	})
	before := func(x, y bool) int {
		switch {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	}
	slices.SortFunc(found, func(a, b *Work) int {
		return cmp.Or(before(a.Late, b.Late), before(!a.Due.IsZero(), !b.Due.IsZero()), a.Due.Compare(b.Due), a.Since.Compare(b.Since), cmp.Compare(a.Incident, b.Incident),
			cmp.Compare(a.What, b.What), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Step, b.Step))
	})
	for _, w := range found[:min(len(found), most)] {
		if w.Step == "" {
			w.Text = d.Text(w.Text)
		}
		out = append(out, *w)
	}
	return out, len(found)
}

// mySteps adds the steps of a run that are an actor's: those that they do, those of their roles that nobody does, and those that wait for their agreement.
func mySteps(out []*Work, s *State, actor auth.Actor, i *incident.Incident, r *playbook.Run, now time.Time) []*Work {
	var roles []string
	asked := false
	mine := func(role string) bool { // most runs have nothing of an actor's: what they may do there is asked once, where it matters
		if role == "" || !slices.Contains(actor.Roles, role) && len(i.Roles) == 0 {
			return false
		}
		if !asked {
			roles, asked = OwnRoles(s, actor, i), true
		}
		return slices.Contains(roles, role)
	}
	for x := range r.Doing(now) {
		what, role := "step", x.Role
		switch {
		case x.Person != actor.ID && mine(x.Approval):
			what, role = "approval", x.Approval
		case x.Person != "" && x.Person != actor.ID, x.Person == "" && !mine(x.Role):
			continue
		}
		out = append(out, &Work{Incident: i.ID, Title: i.Title, What: what, ID: r.ID, Step: x.ID, Text: x.What, Role: role, Due: x.Due, Since: x.Since, Late: x.Late})
	}
	return out
}
