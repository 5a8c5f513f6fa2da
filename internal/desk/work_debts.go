package desk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/incident"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/internal/review"
)

// What the work on incidents owes: a playbook to an incident for which something speaks, a call for a step that is late (step.late and call.opened in one
// batch), and a reminder of a task. A reminder is written down before it is sent, and so is that it failed: then it is sent again, soon at first and later and later. One of which a crash
// left nothing but the intent is not sent twice: the next one comes in a day.

// owedWork says what is owed now, and when to look again. free says that nothing else is written with it, so that a call may be opened.
func (d *Desk) owedWork(s *State, now time.Time, free bool) (drafts []entry.Draft, again time.Time) {
	s.Runs.Reread(now)
	drafts = d.lead(s)
	if len(drafts) > 0 {
		return drafts, again
	}
	for _, x := range s.Incidents.Owed(now) {
		drafts = append(drafts, s.Incidents.Remind(x))
	}
	again = s.Incidents.NextReminder()
	if !free {
		return drafts, again // the round that follows asks again
	}
	waits := false
	for _, x := range s.Runs.Owed(now) {
		i, err := s.Incidents.Get(s.Incidents.Root(x.Incident))
		if err != nil {
			continue
		}
		who := []string{"role:" + x.Role}
		if h := i.Roles[x.Role]; h.Person != "" || len(h.Deputies) > 0 {
			who = whoHolds(s, i, h)
		}
		switch c, rings := s.Calls.Late(i.ID, x.Run, x.Step, who); {
		case i.Sample || s.Calls.Mute(i.ID):
			drafts = append(drafts, s.Runs.Late(x)) // nobody is ever rung for these
		case rings:
			return append(drafts, s.Runs.Late(x), c), again // one call a round: the next has the next number
		default: // a call of it rings, which somebody has to answer first
			waits = true
		}
	}
	if waits {
		return drafts, sooner(again, now.Add(lateAgain))
	}
	return drafts, sooner(again, s.Runs.Next())
}

// lateAgain is when a late step is looked at again whose call waits for another.
const lateAgain = time.Minute

// whoHolds are the people of a role in an incident who can be rung; if there is none, the role on the team.
func whoHolds(s *State, i *incident.Incident, h incident.Holder) (who []string) {
	can := CanHold(s, i.ID)
	for _, p := range append([]string{h.Person}, h.Deputies...) {
		if p != "" && can(p) {
			who = append(who, p)
		}
	}
	if len(who) == 0 {
		return []string{"role:" + plan.Commander}
	}
	return who
}

// lateWords says what a call for a late step is about.
func (d *Desk) lateWords(s *State, call entry.Call) string {
	r, err := s.Runs.Get(call.Run)
	if err != nil || r.Book() == nil || r.Book().Step(call.Late) == nil {
		return "A step of its playbook is late."
	}
	x := r.Book().Step(call.Late)
	return fmt.Sprintf("A step of %s is late, which is for the %s: %s.", r.Book().Title, playbookRole(x), x.What)
}

func playbookRole(x *playbook.Step) string { return plan.RoleWord(x.Role) }

// A reminding is a reminder on its way to everybody whom it is for.
type reminding struct {
	incident.RemindedTask
	mails []remindingMail
	lost  []string // who has no address by which they may be told
}

type remindingMail struct {
	person string
	to     Contact
	text   notify.Message
}

// remind sends the reminders that were written down since it looked last.
func (d *Desk) remind(ctx context.Context) {
	var all []reminding
	now := time.Now()
	d.Read(func(s *State) {
		for _, x := range s.Incidents.Reminded(d.reminded) {
			i, err := s.Incidents.Get(x.Incident)
			if err != nil || i.Sample || x.At.Before(s.Started) {
				continue
			}
			r := reminding{RemindedTask: x}
			whole, err := s.Incidents.Get(s.Incidents.Root(i.ID)) // whose roles count
			if err != nil {
				continue
			}
			for _, id := range remindedOf(s, whole, x) {
				to := d.People.Get(s.Plan.People[id].Vault)
				if to.Mail == "" || i.Hides(id) || plan.Bars(s.Calls.Barred(i.ID), plan.Mail) {
					r.lost = append(r.lost, id)
					continue
				}
				r.mails = append(r.mails, remindingMail{id, to, d.reminderMail(s, i, x, id, to, now)})
			}
			all = append(all, r)
		}
		d.reminded = s.Entries
	})
	for _, r := range all {
		d.sending.Go(func() { d.sendReminder(ctx, r) })
	}
}

// sendReminder sends the mails of one reminder, and writes down whom it did not reach.
func (d *Desk) sendReminder(ctx context.Context, r reminding) {
	var mu sync.Mutex
	var missed []string
	var wg sync.WaitGroup
	for _, m := range r.mails {
		wg.Go(func() {
			ctx, stop := context.WithTimeout(ctx, reminderWithin)
			defer stop()
			if _, err := d.carry(ctx, plan.Mail, d.forPerson(m.text, m.person, m.to, envelope.IncidentNeeds, "")); err != nil {
				d.log.Warn("a reminder of a task was not sent; it is tried again", "incident", r.Incident, "person", m.person, "error", err)
				mu.Lock()
				defer mu.Unlock()
				missed = append(missed, m.person)
			}
		})
	}
	wg.Wait()
	why := ""
	switch {
	case len(missed) == 0 && len(r.lost) == 0 && len(r.mails) > 0:
		return
	case len(missed) == 0:
		why = entry.Unreachable
		d.log.Warn("nobody could be reminded of a task, or not all: give them an address for mail, or the task to somebody else", "incident", r.Incident, "task", r.Task.ID, "people", r.lost)
	}
	missed = append(append([]string{}, missed...), r.lost...)
	slices.Sort(missed)
	err := d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		return []entry.Draft{s.Incidents.Unremind(r.RemindedTask, missed, why)}, nil
	})
	if err != nil {
		d.log.Error("writing that a reminder was not sent; the next one comes in a day", "incident", r.Incident, "error", err)
	}
}

// reminderWithin is how long the sending of a reminder may take.
const reminderWithin = 2 * time.Minute

// remindedOf are the people who are reminded of a task: all who have it, or those of them whom the reminder before did not reach.
func remindedOf(s *State, i *incident.Incident, x incident.RemindedTask) []string {
	all := holdersOf(s, i, x.Task)
	left := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return len(x.Only) > 0 && !slices.Contains(x.Only, id) })
	if len(left) == 0 { // others have it now, and know nothing of it yet
		return all
	}
	return left
}

// holdersOf are the people who have a task.
func holdersOf(s *State, i *incident.Incident, t *incident.Task) (ids []string) {
	if onTeam(s)(t.Person) {
		return []string{t.Person}
	}
	role := cmp.Or(t.Role, plan.Commander) // who had it left: somebody has to give it to another
	h := i.Roles[role]
	for _, id := range append([]string{h.Person}, h.Deputies...) {
		if onTeam(s)(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		return ids
	}
	for id, p := range s.Plan.People {
		if !p.Gone && slices.Contains(p.Roles, role) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// dueSays words how long there is for a task: a reminder may be sent long after it was owed.
func dueSays(due, now time.Time) string {
	switch left := due.Sub(now).Round(time.Minute); {
	case left >= time.Minute:
		return "is due in " + review.Span(left)
	case left > -5*time.Minute:
		return "is due now"
	}
	return "is late"
}

// reminderMail words a reminder. What its label keeps inside says only that something waits.
func (d *Desk) reminderMail(s *State, i *incident.Incident, x incident.RemindedTask, person string, to Contact, now time.Time) notify.Message {
	says := dueSays(x.Task.Due, now)
	m := notify.Message{To: to.Mail, Subject: fmt.Sprintf("A task of incident %d %s", i.ID, says), ID: fmt.Sprintf("task-%d-%d-%s-%d@%s", i.ID, x.Task.ID, dashless(person), x.First, d.origin()),
		Body: fmt.Sprintf("What: %s\nDue: %s\n\n%s/incidents/%d\n", d.Text(x.Task.Title), x.Task.Due.In(to.Location()).Format("2006-01-02 15:04 MST"), d.o.URL, i.ID)}
	if !mayTell(s, i.ID, fmt.Sprintf("task:%d", x.Task.ID), teamMail) {
		m.Subject, m.Body = bareTitle, fmt.Sprintf("%s\n\n%s/\n", bareWords, d.o.URL)
	}
	return m
}
