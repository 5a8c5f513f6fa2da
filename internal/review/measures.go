package review

import (
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// A State says where a measure stands.
type State string

const (
	Open     State = "open"
	Done     State = "done"     // says its owner; another person has yet to look
	Verified State = "verified" // says another person
	Dropped  State = "dropped"  // with a reason
)

// A Measure is what is done so that a gap is closed.
type Measure struct {
	entry.Measure
	State State
	By    string // who wrote it down
	Made  time.Time
	Since time.Time // when it was last opened
	Links []entry.MeasureLink
	Steps []Step // what people said of it, in order

	doneBy string
	doneAt time.Time
}

// A Step is what a person said of a measure.
type Step struct {
	entry.MeasureStep
	Kind entry.Kind
	At   time.Time
}

// due is when it is to be done. One that is opened again after its time is due at once.
func (m *Measure) due() time.Time {
	if m.Since.After(m.Due) {
		return m.Since
	}
	return m.Due
}

// Overdue reports whether it is open past its time.
func (m *Measure) Overdue(now time.Time) bool { return m.State == Open && !now.Before(m.due()) }

// Measure returns the measure of an id.
func (b *Book) Measure(id int64) (*Measure, error) {
	if id < 1 || id > int64(len(b.Measures)) {
		return nil, fmt.Errorf("measure %d: %w", id, ErrNotFound)
	}
	return b.Measures[id-1], nil
}

// MeasuresOf lists the measures of an incident; 0 is of every one.
func (b *Book) MeasuresOf(incident int64) (out []*Measure) {
	for _, m := range b.Measures {
		if incident == 0 || m.Incident == incident {
			out = append(out, m)
		}
	}
	return out
}

// PutMeasure decides on a measure: a new one when its id is 0, or another owner, time or text of one that is open, with x.Why. One that is overdue may stay so.
func (b *Book) PutMeasure(actor string, x entry.Measure, staff func(string) bool, now time.Time) (entry.Draft, error) {
	dated := true // its time is another one
	if x.ID != 0 {
		m, err := b.Measure(x.ID)
		dated = err != nil || !x.Due.Equal(m.Due)
		switch {
		case err != nil:
			return entry.Draft{}, err
		case m.State != Open:
			return entry.Draft{}, fmt.Errorf("measure %d is %s: open it again first", x.ID, m.State)
		case x.Why == "":
			return entry.Draft{}, wrong("why", "A measure that is changed needs a reason.")
		case x.Incident != m.Incident:
			return entry.Draft{}, wrong("incident", "A measure stays with its incident.")
		}
	} else {
		x.ID, x.Why = int64(len(b.Measures))+1, ""
	}
	switch {
	case x.ID > maxMeasures:
		return entry.Draft{}, wrong("", "There are at most %d measures.", maxMeasures)
	case x.Incident != 0 && b.cases[x.Incident] == nil:
		return entry.Draft{}, wrong("incident", "There is no incident %d.", x.Incident)
	case x.Text == "" || x.Hash == "":
		return entry.Draft{}, wrong("gap", "Say what the gap is, what is done, and how one will see that it is closed.")
	case !staff(x.Owner):
		return entry.Draft{}, wrong("owner", "Nobody on the team has the id %q.", x.Owner)
	case dated && (!x.Due.After(now) || x.Due.Sub(now) > longestDue):
		return entry.Draft{}, wrong("due", "A measure is due within two years from now.")
	case x.Remind < 0 || x.Remind > 90*day:
		return entry.Draft{}, wrong("remind", "The reminder comes at most 90 days before a measure is due.")
	}
	x.Due = x.Due.UTC().Round(0)
	return draft(actor, entry.MeasurePut, "measure:%d", x.ID, x), nil
}

// Link decides by which change a measure was carried out. known says whether a playbook has a revision, or there is a rule.
func (b *Book) Link(actor string, x entry.MeasureLink, known func(entry.MeasureLink) bool) (entry.Draft, error) {
	m, err := b.Measure(x.ID)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case m.State == Dropped:
		return entry.Draft{}, fmt.Errorf("measure %d is dropped: open it again first", x.ID)
	case x.Kind != "playbook" && x.Kind != "rule":
		return entry.Draft{}, wrong("kind", "A measure is linked with a playbook or a rule.")
	case x.Kind == "playbook" && x.Revision == "", !known(x):
		return entry.Draft{}, wrong("ref", "There is no %s %q of this revision.", x.Kind, x.Ref)
	case slices.Contains(m.Links, x):
		return entry.Draft{}, wrong("ref", "Measure %d is linked with it already.", x.ID)
	case len(m.Links) >= 50:
		return entry.Draft{}, wrong("ref", "A measure has at most 50 links.")
	}
	return draft(actor, entry.MeasureLinked, "measure:%d", x.ID, x), nil
}

// Do decides that a person says a measure is done; x.Text says what was done.
func (b *Book) Do(actor string, x entry.MeasureStep) (entry.Draft, error) {
	return b.step(actor, entry.MeasureDone, x, "Say what was done.", Open)
}

// Verify decides that another person saw that the gap is closed; x.Text says how.
func (b *Book) Verify(actor string, x entry.MeasureStep) (entry.Draft, error) {
	m, err := b.Measure(x.ID)
	if err == nil && m.State == Done && (x.Person == m.Owner || x.Person == m.doneBy) {
		return entry.Draft{}, wrong("person", "Somebody else than %s verifies measure %d: who carried it out does not see what is missing.", x.Person, x.ID)
	}
	return b.step(actor, entry.MeasureVerified, x, "Say how it was verified.", Done)
}

// Reopen decides that the gap is still there.
func (b *Book) Reopen(actor string, x entry.MeasureStep) (entry.Draft, error) {
	return b.step(actor, entry.MeasureReopened, x, "Opening a measure again needs a reason.", Done, Verified, Dropped)
}

// Drop decides that nothing is done about it.
func (b *Book) Drop(actor string, x entry.MeasureStep) (entry.Draft, error) {
	return b.step(actor, entry.MeasureDropped, x, "Dropping a measure needs a reason.", Open, Done)
}

func (b *Book) step(actor string, k entry.Kind, x entry.MeasureStep, says string, from ...State) (entry.Draft, error) {
	m, err := b.Measure(x.ID)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case !slices.Contains(from, m.State):
		return entry.Draft{}, fmt.Errorf("measure %d is %s", x.ID, m.State)
	case x.Person == "":
		return entry.Draft{}, wrong("person", "Say who says so.")
	case x.Text == "":
		return entry.Draft{}, Problem{"text", says}
	case len(m.Steps) >= 1000:
		return entry.Draft{}, wrong("", "Measure %d was decided on a thousand times: make a new one.", x.ID)
	}
	return draft(actor, k, "measure:%d", x.ID, x), nil
}

// become folds what a person said.
func (m *Measure) become(k entry.Kind, x entry.MeasureStep, at time.Time) {
	m.Steps = append(m.Steps, Step{x, k, at})
	switch k {
	case entry.MeasureDone:
		m.State, m.doneBy, m.doneAt = Done, x.Person, at
	case entry.MeasureVerified:
		m.State = Verified
	case entry.MeasureReopened:
		m.State, m.Since = Open, at
	case entry.MeasureDropped:
		m.State = Dropped
	}
}
