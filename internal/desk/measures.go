package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
	"tocsin/internal/review"
	"tocsin/internal/tlp"
)

// A MeasureText is what a person puts down against a gap that an incident showed.
type MeasureText struct {
	Text   string // the gap, what is done, and how one will see that it is closed
	Owner  string // staff id
	Due    time.Time
	Remind time.Duration // before it is due
}

// A MeasureRow is a measure, in words.
type MeasureRow struct {
	review.Measure
	Text    string
	Title   string // of its incident
	Overdue bool
	Said    []SaidStep // what people said of it
}

// A SaidStep is what a person said of a measure, in words.
type SaidStep struct {
	review.Step
	Text string
}

// AddMeasure decides on a measure after an incident, 0 is none, and returns its number.
func (d *Desk) AddMeasure(actor auth.Actor, id int64, x MeasureText) (number int64, err error) {
	say := func(decide func(*State, string) (entry.Draft, error)) error {
		if id == 0 {
			return d.say(actor, auth.Note, x.Text, decide)
		}
		return d.sayOn(actor, auth.Note, id, x.Text, decide)
	}
	err = say(func(s *State, text string) (entry.Draft, error) {
		hash := ""
		if text != "" {
			hash = d.vault.Hash("measure", strings.TrimSpace(x.Text)) // as the vault keeps it
		}
		y, err := s.Reviews.PutMeasure(actor.Name, entry.Measure{Incident: id, Text: text, Hash: hash, Owner: x.Owner, Due: x.Due, Remind: x.Remind}, owns(s, id), time.Now())
		if err == nil {
			number = y.Body.(entry.Measure).ID
		}
		return y, err
	})
	return number, reviewField(err)
}

// owns says who may own a measure of an incident: who is on the team, and may see it.
func owns(s *State, id int64) func(string) bool {
	if id == 0 {
		return onTeam(s)
	}
	return CanHold(s, id)
}

// A MeasureChange is what becomes another in a measure: what is empty stays.
type MeasureChange struct {
	Text   string
	Owner  string // staff id
	Due    time.Time
	Remind *time.Duration // before it is due; 0 takes the reminder away
}

// ChangeMeasure gives an open measure another owner, time, reminder or text, with the reason why.
func (d *Desk) ChangeMeasure(actor auth.Actor, number int64, x MeasureChange, why string) error {
	text := strings.TrimSpace(x.Text)
	return d.onMeasure(actor, 0, number, []string{why, text}, func(s *State, m *review.Measure, _ string, texts []string) (entry.Draft, error) {
		y := m.Measure
		y.Why, y.Owner = texts[0], cmp.Or(x.Owner, y.Owner)
		if x.Remind != nil {
			y.Remind = *x.Remind
		}
		if !x.Due.IsZero() {
			y.Due = x.Due
		}
		if text != "" {
			y.Text, y.Hash = texts[1], d.vault.Hash("measure", text)
		}
		return s.Reviews.PutMeasure(actor.Name, y, owns(s, m.Incident), time.Now())
	})
}

// StepMeasure says of a measure that it is done, verified (by another person), reopened or dropped, with the words that say what, how or why. id is its
// incident; 0 is whichever it has.
func (d *Desk) StepMeasure(actor auth.Actor, id, number int64, step, words string) error {
	return d.onMeasure(actor, id, number, []string{words}, func(s *State, _ *review.Measure, person string, texts []string) (entry.Draft, error) {
		x := entry.MeasureStep{ID: number, Person: person, Text: texts[0]}
		switch step {
		case "done":
			return s.Reviews.Do(actor.Name, x)
		case "verified":
			return s.Reviews.Verify(actor.Name, x)
		case "reopened":
			return s.Reviews.Reopen(actor.Name, x)
		case "dropped":
			return s.Reviews.Drop(actor.Name, x)
		}
		return entry.Draft{}, FieldError{"step", fmt.Sprintf("A measure is done, verified, reopened or dropped, and %.20q is none of these.", step)}
	})
}

// LinkMeasure says by which change of the plan or the rules a measure was carried out: kind is playbook or rule, ref its id. A playbook without a revision is the
// one that stands.
func (d *Desk) LinkMeasure(actor auth.Actor, id, number int64, kind, ref, revision string) error {
	return d.onMeasure(actor, id, number, nil, func(s *State, _ *review.Measure, _ string, _ []string) (entry.Draft, error) {
		x := entry.MeasureLink{ID: number, Kind: kind, Ref: strings.TrimSpace(ref), Revision: strings.TrimSpace(revision)}
		b := s.Runs.Books[x.Ref]
		if kind == "playbook" && b != nil && x.Revision == "" {
			x.Revision = b.Current()
		}
		return s.Reviews.Link(actor.Name, x, func(entry.MeasureLink) bool {
			if kind == "playbook" {
				return b != nil && slices.ContainsFunc(b.Revisions, func(r playbook.Revision) bool { return r.Revision == x.Revision })
			}
			return d.hasRule(x.Ref)
		})
	})
}

// onMeasure is wrote about a measure: within its incident, or by auth.Note alone where it has none.
func (d *Desk) onMeasure(actor auth.Actor, id, number int64, words []string, decide func(s *State, m *review.Measure, person string, texts []string) (entry.Draft, error)) error {
	var of int64
	err := error(nil)
	d.ReadAs(actor, func(s *State) {
		m, e := s.Reviews.Measure(number)
		if e == nil {
			of = m.Incident
			if of != 0 {
				_, e = s.Incidents.Get(of)
			}
		}
		if e == nil && id != 0 && of != id {
			e = fmt.Errorf("%w: incident %d has no measure %d", incident.ErrNotFound, id, number)
		}
		err = e
	})
	if err != nil {
		return err
	}
	act := func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		m, err := s.Reviews.Measure(number)
		if err != nil {
			return nil, err
		}
		return one(decide(s, m, person, texts))
	}
	if of != 0 {
		return reviewField(d.wrote(actor, auth.Note, of, words, act))
	}
	person, err := d.reviewer(actor)
	if err != nil {
		return err
	}
	texts, err := d.texts(words...)
	if err != nil {
		return err
	}
	return reviewField(d.write(func(s *State, now time.Time) ([]entry.Draft, error) { return act(s, now, person, texts) }))
}

// Measures returns those of an incident, as an actor may see it.
func (d *Desk) Measures(actor auth.Actor, id int64) (out []MeasureRow, err error) {
	d.ReadAs(actor, func(s *State) {
		if _, err = s.Incidents.Get(id); err == nil {
			out = measureRows(s, actor, s.Reviews.MeasuresOf(id))
		}
	})
	d.measureWords(out)
	return out, err
}

// AllMeasures returns the measures of every incident that an actor may see, and those of none, by number.
func (d *Desk) AllMeasures(actor auth.Actor) (out []MeasureRow, err error) {
	if err := auth.May(actor, auth.See); err != nil {
		return nil, err
	}
	d.ReadAs(actor, func(s *State) { out = measureRows(s, actor, s.Reviews.MeasuresOf(0)) })
	d.measureWords(out)
	return out, nil
}

// MeasureOf returns a measure, as an actor may see it. Errors: review.ErrNotFound.
func (d *Desk) MeasureOf(actor auth.Actor, number int64) (MeasureRow, error) {
	if err := auth.May(actor, auth.See); err != nil {
		return MeasureRow{}, err
	}
	var rows []MeasureRow
	err := error(nil)
	d.ReadAs(actor, func(s *State) {
		m, e := s.Reviews.Measure(number)
		if err = e; e == nil {
			rows = measureRows(s, actor, []*review.Measure{m})
		}
	})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("measure %d: %w", number, review.ErrNotFound)
	}
	if err != nil {
		return MeasureRow{}, err
	}
	d.measureWords(rows)
	return rows[0], nil
}

// measureRows leaves those out that are of an incident which is not in the state, and covers the words where lessons are TLP:RED for others.
func measureRows(s *State, actor auth.Actor, list []*review.Measure) (out []MeasureRow) {
	now := time.Now()
	for _, m := range list {
		x, covered := MeasureRow{Measure: *m, Overdue: m.Overdue(now)}, false
		if m.Incident != 0 {
			i, err := s.Incidents.Get(m.Incident)
			if err != nil {
				continue
			}
			x.Title = i.Title
			covered = s.Incidents.Label(i.ID, "lessons") == tlp.Red && !hears(i, actor)
		}
		x.Links, x.Steps = slices.Clone(m.Links), slices.Clone(m.Steps)
		if covered {
			x.Measure.Text = incident.Covered
			for k := range x.Steps {
				x.Steps[k].Text = incident.Covered
			}
		}
		out = append(out, x)
	}
	return out
}

func (d *Desk) measureWords(rows []MeasureRow) {
	for k := range rows {
		rows[k].Text = d.Text(rows[k].Measure.Text)
		for _, y := range rows[k].Steps {
			rows[k].Said = append(rows[k].Said, SaidStep{y, d.Text(y.Text)})
		}
	}
}
