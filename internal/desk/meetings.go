package desk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/review"
	"tocsin/internal/tlp"
)

// The internal review of an incident: an agenda that the case itself fills, who is invited to when, and what was said. What was found to be a gap becomes a measure.

// A ReviewCalling says when a review is to be held.
type ReviewCalling struct {
	At      time.Time
	Chair   string // staff id
	Invited []string
}

// A ReviewNotes is what was said in a review.
type ReviewNotes struct {
	At        time.Time
	Attendees []string // staff ids
	Says      string
	Gaps      []string // each a sentence
}

// keptNotes is what the vault keeps of one.
type keptNotes struct {
	Says string   `json:"says"`
	Gaps []string `json:"gaps,omitempty"`
}

// Bounds of what is said in a review, in bytes.
const (
	mostGaps   = 50
	longestGap = 2000
)

// A MeetingRow is a review that took place, in words.
type MeetingRow struct {
	review.Meeting
	Says string
	Gaps []string
}

// A ReviewPage is all that is known of the review of an incident.
type ReviewPage struct {
	Agenda   review.Agenda // as the case fills it now
	Call     *review.Call  // that counts; nil is none
	Meetings []MeetingRow
	Measures []MeasureRow
	Reviewed bool // since it was closed
	Owed     bool // it was real and grave, so a review is due
	Due      time.Time
}

// ReviewOf returns the review of an incident, as an actor may see it. zone is the reader's.
func (d *Desk) ReviewOf(actor auth.Actor, id int64, zone *time.Location) (out ReviewPage, err error) {
	if err := d.MayOn(actor, auth.See, id); err != nil {
		return out, err
	}
	c, err := d.reviewCase(actor, id)
	if err != nil {
		return out, err
	}
	out.Agenda = review.Make(c, zone)
	covered := false
	d.ReadAs(actor, func(s *State) {
		if x, called := s.Reviews.Calls[id]; called {
			out.Call = &x
		}
		for _, m := range s.Reviews.Meetings[id] {
			out.Meetings = append(out.Meetings, MeetingRow{Meeting: m})
		}
		if i, e := s.Incidents.Get(id); e == nil && s.Incidents.Label(id, "lessons") == tlp.Red && !hears(i, actor) {
			covered = true
		}
		out.Reviewed = s.Reviews.Reviewed(id)
		if i, e := s.Incidents.Get(id); e == nil && i.Closed && i.Verdict == "true" && !i.Sample && incident.Rank(i.Severity) >= incident.Rank("high") {
			out.Owed, out.Due = !out.Reviewed, i.Ended.Add(review.MeetWithin)
		}
	})
	for k := range out.Meetings {
		if covered {
			out.Meetings[k].Says = d.Text(incident.Covered)
			continue
		}
		var x keptNotes
		if e := d.fromVault(out.Meetings[k].Minutes, &x); e != nil {
			x.Says = d.Text(out.Meetings[k].Minutes)
		}
		out.Meetings[k].Says, out.Meetings[k].Gaps = x.Says, x.Gaps
	}
	out.Measures, err = d.Measures(actor, id)
	return out, err
}

// reviewCase is what is known of an incident, for its agenda.
func (d *Desk) reviewCase(actor auth.Actor, id int64) (c review.Case, err error) {
	x, err := d.dossierCase(actor, id)
	if err != nil {
		return c, err
	}
	c = review.Case{ID: id, Title: x.Title.Says, Kind: x.Playbook, Severity: x.Severity, Verdict: x.Verdict, Happened: x.Happened, Detected: x.Detected, Answered: x.Answered,
		Contained: x.Contained, Recovered: x.Recovered, Closed: x.Ended}
	for _, m := range x.Timeline {
		if m.Pinned {
			c.Timeline = append(c.Timeline, review.Moment{At: cmp.Or(m.Happened, m.Learned), Says: m.What, By: strings.TrimPrefix(m.Who, "person:")})
		}
	}
	for _, y := range x.Decisions {
		if y.Decided != "" {
			c.Decisions = append(c.Decisions, review.Decision{At: y.At, Question: y.Question, Taken: y.Decided, Why: y.Why, By: y.By})
		}
	}
	rows, err := d.Measures(actor, id)
	if err != nil {
		return c, err
	}
	d.ReadAs(actor, func(s *State) {
		i, e := s.Incidents.Get(id)
		if e != nil {
			err = e
			return
		}
		for _, m := range i.Timeline {
			if m.Kind == entry.IncidentReopened {
				c.Reopened++
			}
		}
		for _, m := range rows {
			if m.State == review.Open || m.State == review.Done {
				c.Measures = append(c.Measures, fmt.Sprintf("%s (%s, %s)", m.Text, d.nameOf(s, m.Owner), m.State))
			}
		}
		d.reviewRoles(s, i, &c)
		reviewCalls(s, i, &c)
		c.ToldBy = toldBy(s, i)
		for _, r := range s.RunsOf(id) {
			for _, y := range r.Look(time.Time{}) {
				w := review.Worked{What: y.What, Role: plan.RoleWord(y.Role), State: y.State}
				if !y.Mark.Ready.IsZero() {
					w.Within, w.Took = y.Within, y.Mark.At.Sub(y.Mark.Ready)
				}
				c.Steps = append(c.Steps, w)
			}
		}
	})
	return c, err
}

// reviewRoles says which roles of the team nobody ever held in an incident or what is one with it, and who held several. A deputy holds a role that nobody else has.
func (d *Desk) reviewRoles(s *State, i *incident.Incident, c *review.Case) {
	held, deputies := map[string][]string{}, map[string][]string{} // people by role
	put := func(in map[string][]string, role, p string) {
		if p != "" && !slices.Contains(in[role], p) {
			in[role] = append(in[role], p)
		}
	}
	for _, part := range s.Incidents.Parts(i.ID) {
		for _, m := range part.Timeline {
			switch m.Kind {
			case entry.IncidentRoleTaken, entry.IncidentRoleGiven, entry.IncidentRoleHanded:
				if in := held; len(m.Why) > 0 {
					if len(m.Why) > 1 { // "deputy"
						in = deputies
					}
					put(in, m.Why[0], m.To)
				}
			}
		}
	}
	roles := map[string]int{}
	for _, role := range plan.ResponseRoles() {
		who := held[role]
		if len(who) == 0 {
			who = deputies[role]
		}
		if len(who) == 0 {
			c.Unheld = append(c.Unheld, plan.RoleWord(role))
		}
		for _, p := range who {
			if roles[p]++; roles[p] == 2 {
				c.Twice = true
			} else if roles[p] == 3 {
				c.Alone = append(c.Alone, d.nameOf(s, p))
			}
		}
	}
}

// reviewCalls counts the calls about an incident and what is one with it, and those that nobody answered while their first step rang.
func reviewCalls(s *State, i *incident.Incident, c *review.Case) {
	family, sure := s.Incidents.Family(i.ID), true
	for _, call := range s.Calls.Calls {
		if call.Test || !slices.ContainsFunc(call.Incidents, func(id int64) bool { return slices.Contains(family, id) }) {
			continue
		}
		switch c.Calls++; {
		case call.Step > 0:
			c.Unanswered++
		case call.Rings() || call.Ended != "":
			sure = false
		}
	}
	if !sure {
		c.Calls = 0
	}
}

// CallReview says when the review of an incident is to be held; once more, it is moved. Its agenda of that moment is kept. Errors: FieldError, what MayOn says.
func (d *Desk) CallReview(actor auth.Actor, id int64, x ReviewCalling) error {
	if _, err := doer(actor); err != nil {
		return err
	}
	if err := d.MayOn(actor, auth.Note, id); err != nil {
		return err
	}
	y := entry.ReviewCall{Incident: id, At: x.At, Chair: x.Chair, Invited: x.Invited, Agenda: "-", Hash: "-"}
	now, err := time.Now(), error(nil)
	d.Read(func(s *State) { _, err = s.Reviews.Call(actor.Name, y, CanHold(s, id), now) }) // before anything is kept of it
	if err != nil {
		return reviewField(err)
	}
	c, err := d.reviewCase(actor, id)
	if err != nil {
		return err
	}
	agenda := review.Make(c, time.UTC).Text()
	return reviewField(d.sayReview(actor, id, agenda, func(s *State, text string) (entry.Draft, error) {
		y.Agenda, y.Hash = text, d.vault.Hash("agenda", agenda)
		return s.Reviews.Call(actor.Name, y, CanHold(s, id), now)
	}))
}

// sayReview is sayOn with a text that the program wrote, which may be longer than what people write.
func (d *Desk) sayReview(actor auth.Actor, id int64, words string, decide func(s *State, text string) (entry.Draft, error)) error {
	if err := errors.Join(d.MayOn(actor, auth.Note, id), d.Broken()); err != nil {
		return err
	}
	text, err := d.vault.Put([]byte(words))
	if err != nil {
		return fmt.Errorf("keeping what a review is about: %w", err)
	}
	return d.doOn(actor, auth.Note, id, func(s *State, _ time.Time) (entry.Draft, error) { return decide(s, text) })
}

// HoldReview writes down that the review of an incident took place: who was there, what was said, and which gaps were found.
func (d *Desk) HoldReview(actor auth.Actor, id int64, x ReviewNotes) error {
	if _, err := doer(actor); err != nil {
		return err
	}
	if err := d.MayOn(actor, auth.Note, id); err != nil {
		return err
	}
	says := strings.TrimSpace(x.Says)
	kept := keptNotes{Says: says}
	for _, g := range x.Gaps {
		if g = strings.TrimSpace(g); g != "" {
			kept.Gaps = append(kept.Gaps, g)
		}
	}
	switch {
	case says == "":
		return FieldError{"minutes", "The review needs minutes: a few sentences on what was found."}
	case len(says) > mostWords:
		return FieldError{"minutes", fmt.Sprintf("The minutes are longer than %d bytes: shorten them, or attach a file to the incident.", mostWords)}
	case len(kept.Gaps) > mostGaps || slices.ContainsFunc(kept.Gaps, func(g string) bool { return len(g) > longestGap }):
		return FieldError{"gaps", fmt.Sprintf("At most %d gaps are named, each in at most %d bytes.", mostGaps, longestGap)}
	}
	y := entry.ReviewMeeting{Incident: id, At: x.At, Attendees: x.Attendees, Minutes: "-", Hash: "-"}
	now, err := time.Now(), error(nil)
	d.Read(func(s *State) {
		for _, p := range x.Attendees { // who left the team since was there all the same
			if _, known := s.Plan.People[p]; !known {
				err = FieldError{"attendees", fmt.Sprintf("Nobody has the id %.60q.", p)}
				return
			}
		}
		_, err = s.Reviews.Hold(actor.Name, y, CanHold(s, id), now)
	})
	if err != nil {
		return reviewField(err)
	}
	object, hash, err := d.keepAs("minutes", kept)
	if err != nil {
		return err
	}
	return reviewField(d.doOn(actor, auth.Note, id, func(s *State, _ time.Time) (entry.Draft, error) {
		y.Minutes, y.Hash = object, hash
		return s.Reviews.Hold(actor.Name, y, CanHold(s, id), now)
	}))
}

// mostWords is how many bytes a text of a person has at most.
const mostWords = 20_000

// An UnreviewedRow is an incident whose review is owed.
type UnreviewedRow struct {
	Incident int64
	Title    string
	Closed   time.Time
	Due      time.Time
	Called   time.Time // when it is to be held; zero is not said yet
}

// UnreviewedIncidents lists the closed incidents that were real and grave and had no review yet, as an actor may see them, what is due first in front.
func (d *Desk) UnreviewedIncidents(actor auth.Actor) (out []UnreviewedRow, err error) {
	if err := auth.May(actor, auth.See); err != nil {
		return nil, err
	}
	d.ReadAs(actor, func(s *State) {
		for id, closed := range s.Reviews.Unheld() {
			if i, e := s.Incidents.Get(id); e == nil {
				out = append(out, UnreviewedRow{id, i.Title, closed, closed.Add(review.MeetWithin), s.Reviews.Calls[id].At})
			}
		}
	})
	slices.SortFunc(out, func(a, b UnreviewedRow) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Incident, b.Incident))
	})
	return out, nil
}
