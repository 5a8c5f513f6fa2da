package desk

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/internal/review"
)

// The review of the plan, part by part (package review decides): a person reads every section of a part as it stands, and sees which of them differ from what was
// approved last; another person approves of it. What a part holds is partcontent.go, who is reminded reminders.go.

// A PartRow is a part of the plan, as lists show it.
type PartRow struct {
	review.Part
	Title    string
	Role     string   // that keeps it right where nobody is named
	Keepers  []string // staff ids of who keeps it right: who is named, or who has the role
	Revision string   // as it stands now
	Due      time.Time
	Why      string // a sentence: why it is due then
	Over     bool
	ReadBy   []string // staff ids of who read all of it as it stands, and waits for an approval
}

// A PartPage is a part with what is read of it.
type PartPage struct {
	PartRow
	Sections []PartSection
	Gone     []string          // sections that were there when it was approved last
	Changes  []playbook.Change // of a playbook, since it was approved last
	Ticked   []string          // sections that who looks has read as they stand
	Alone    bool              // nobody else on the team could approve: who read it may
}

// Parts returns the parts of the plan, what is due first in front.
func (d *Desk) Parts(actor auth.Actor, now time.Time) (out []PartRow, err error) {
	if err := auth.May(actor, auth.See); err != nil {
		return nil, err
	}
	d.Read(func(s *State) {
		for _, x := range s.Reviews.Due(now) {
			out = append(out, d.partRow(s, x))
		}
	})
	return out, nil
}

func (d *Desk) partRow(s *State, x review.Due) PartRow {
	row := PartRow{Part: *x.Part, Title: d.partTitle(s, x.Part.ID), Due: x.At, Why: x.Why, Over: x.Over}
	row.Asks, row.Readings = slices.Clone(row.Asks), slices.Clone(row.Readings)
	if row.Owner != "" {
		row.Keepers = []string{row.Owner}
	} else {
		row.Role = d.keeperOf(s, row.ID)
		row.Keepers = holders(s, row.Role)
	}
	row.Revision = d.partContent(s, row.ID).revision
	for _, r := range row.Readings {
		if r.Revision == row.Revision && r.Against == row.Approved && r.Whole() {
			row.ReadBy = append(row.ReadBy, r.Person)
		}
	}
	return row
}

// holders are the people on the team who have a role, by id.
func holders(s *State, role string) (ids []string) {
	for id, p := range s.Plan.People {
		if !p.Gone && slices.Contains(p.Roles, role) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Part returns a part with its sections as they stand, compared with what was approved last. Names of contacts are for those who may see how they are reached.
// Errors: review.ErrNotFound.
func (d *Desk) Part(actor auth.Actor, id string, now time.Time) (out PartPage, err error) {
	if err := auth.May(actor, auth.See); err != nil {
		return out, err
	}
	var c partContent
	d.Read(func(s *State) {
		for _, x := range s.Reviews.Due(now) {
			if x.Part.ID == id {
				out.PartRow, c = d.partRow(s, x), d.partContent(s, id)
				out.Alone = soleReviewer(s, actor.ID)
			}
		}
		if out.ID == "" {
			_, err = s.Reviews.Part(id)
			err = cmp.Or(err, review.ErrNotFound)
		}
	})
	if err != nil {
		return out, err
	}
	was := d.snapshot(out.Snapshot)
	for _, x := range c.sections {
		row := PartSection{Name: x.name, Title: x.title, Lines: x.lines, State: sectionState(was, x)}
		d.nameSection(actor, x, &row)
		out.Sections = append(out.Sections, row)
		delete(was, x.name)
	}
	for name := range was {
		out.Gone = append(out.Gone, name)
	}
	slices.Sort(out.Gone)
	if c.playbook != nil && out.Approved != "" && out.Approved != out.Revision {
		if before := d.Playbook(out.Approved); before != nil {
			out.Changes = playbook.Diff(before, c.playbook)
		}
	}
	for _, r := range out.Readings {
		if r.Person == actor.ID && r.Revision == out.Revision && r.Against == out.Approved && r.Refused == "" {
			out.Ticked = slices.Clone(r.Ticked)
		}
	}
	return out, nil
}

// soleReviewer reports whether nobody else on the team than a person may approve of a part.
func soleReviewer(s *State, person string) bool {
	for id, p := range s.Plan.People {
		if id != person && !p.Gone && auth.May(Actor(p), auth.Note) == nil {
			return false
		}
	}
	return true
}

// A PartRead is what a person ticked of a part: revision and against are what they saw.
type PartRead struct {
	Revision, Against string
	Sections          []string
}

// ReadPart writes down that who acts has read sections of a part. Errors: FieldError, review.ErrNotFound, auth.Refusal.
func (d *Desk) ReadPart(actor auth.Actor, id string, x PartRead) error {
	person, err := d.reviewer(actor)
	if err != nil {
		return err
	}
	var c partContent
	y := entry.PartReading{ID: id, Revision: x.Revision, Against: x.Against, Sections: x.Sections, Person: person}
	d.Read(func(s *State) {
		c = d.partContent(s, id)
		_, err = s.Reviews.Read(actor.Name, y, c.content())
	})
	if err == nil {
		y.Vault, err = d.toVault(c.prints())
	}
	if err == nil {
		err = d.do(actor, auth.Note, func(s *State, _ time.Time) (entry.Draft, error) {
			return s.Reviews.Read(actor.Name, y, d.partContent(s, id).content())
		})
	}
	return reviewField(err)
}

// ApprovePart approves of a part as it stands, which another person read. A token is no person who looks.
func (d *Desk) ApprovePart(actor auth.Actor, id, revision string) error {
	person, err := d.reviewer(actor)
	if err != nil {
		return err
	}
	if actor.Scope != nil {
		return auth.Refusal{Actor: actor.Name, Action: auth.Note}
	}
	return reviewField(d.do(actor, auth.Note, func(s *State, _ time.Time) (entry.Draft, error) {
		c := d.partContent(s, id).content()
		if c.Revision != revision {
			return entry.Draft{}, FieldError{"revision", "It was changed since you looked at it: look again, and approve of what stands now."}
		}
		return s.Reviews.Approve(actor.Name, id, person, c, soleReviewer(s, person))
	}))
}

// RefusePart says what is not right with a part as it was read.
func (d *Desk) RefusePart(actor auth.Actor, id, revision, why string) error {
	person, err := d.reviewer(actor)
	if err != nil {
		return err
	}
	return reviewField(d.say(actor, auth.Note, why, func(s *State, text string) (entry.Draft, error) {
		return s.Reviews.Refuse(actor.Name, id, person, revision, text)
	}))
}

// KeepPart says who keeps a part right, "" is its role, and after how many days it is reviewed, 0 is a quarter.
func (d *Desk) KeepPart(actor auth.Actor, id, owner string, days int) error {
	return reviewField(d.do(actor, auth.Playbooks, func(s *State, _ time.Time) (entry.Draft, error) {
		if _, err := s.Reviews.Part(id); err != nil {
			return entry.Draft{}, err
		}
		return s.Reviews.PutPart(actor.Name, entry.PlanPart{ID: id, Owner: owner, Days: days}, func(p string) bool { return p == "" || onTeam(s)(p) })
	}))
}

// AskReview asks that parts are reviewed before their time: cause is person or architecture. A zero due is two weeks from now.
func (d *Desk) AskReview(actor auth.Actor, parts []string, cause, why string, due time.Time) error {
	if _, err := d.reviewer(actor); err != nil {
		return err
	}
	now := time.Now()
	return reviewField(d.say(actor, auth.Note, why, func(s *State, text string) (entry.Draft, error) {
		return s.Reviews.Ask(actor.Name, entry.PartAsk{Parts: parts, Cause: cause, Due: due, Text: text}, now)
	}))
}

// reviewer is the person who acts on the review of the plan.
func (d *Desk) reviewer(actor auth.Actor) (string, error) {
	if err := errors.Join(auth.May(actor, auth.Note), d.Broken()); err != nil {
		return "", err
	}
	return doer(actor)
}

// reviewField makes of a problem of package review what a form shows beside its field.
func reviewField(err error) error {
	if p, ok := errors.AsType[review.Problem](err); ok {
		return FieldError{p.Field, p.Says}
	}
	return err
}

// keeperOf is the role that keeps a part right where nobody is named: a playbook says it itself.
func (d *Desk) keeperOf(s *State, id string) string {
	if p := d.bookOf(s, id); p != nil && slices.Contains(plan.Roles(), p.Owner) {
		return p.Owner
	}
	return review.Keeper(id)
}
