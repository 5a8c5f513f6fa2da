package incident

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// When a person is reminded of a task: an hour before it is due, unless it was given less than two hours before; when it is due; and each day after that, while the
// incident is worked on. Whom a reminder did not reach is reminded once more soon, and then later and later (triesAfter).
const (
	soonBefore = time.Hour
	soonLeast  = 2 * time.Hour
	againAfter = 24 * time.Hour
)

// A Debt is a reminder that is owed.
type Debt struct {
	entry.Reminder
	People []string // who holds it now: a person, or the role's holder and deputies; none is nobody in the incident: whoever has the role on the team
	Role   string
}

// Owed returns the reminders of tasks that are owed at a time, by incident and task. What is written as sent is not owed again.
func (b *Book) Owed(now time.Time) (out []Debt) {
	for _, x := range b.dated.Due(now) {
		i, err := b.Get(x.incident)
		if err != nil {
			continue
		}
		t := &i.Command().Tasks[x.id-1]
		stage := t.owed(now)
		if stage == "" || stage == "again" && b.over(i) {
			continue
		}
		d := Debt{Reminder: entry.Reminder{Incident: x.incident, ID: x.id, Stage: stage, Due: t.Due}, Role: t.Role}
		if t.Person != "" {
			d.People = []string{t.Person}
		} else if h := b.worked(i).Roles[t.Role]; h.Person != "" {
			d.People = append([]string{h.Person}, h.Deputies...)
		} else {
			d.People = slices.Clone(h.Deputies)
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(x, y Debt) int { return cmp.Or(cmp.Compare(x.Incident, y.Incident), cmp.Compare(x.ID, y.ID)) })
	return out
}

// triesAfter is how long after a reminder failed it is sent again: for the first time, the second, and so on. Behind the last the next day's comes.
func triesAfter() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour}
}

// again is when the newest reminder is sent once more, because it did not reach everybody; zero when it did, or was tried often enough.
func (t *Task) again() time.Time {
	miss, any := last(t.Missed)
	was, _ := last(t.Reminded)
	if !any || miss.What.Why != "" || miss.What.N != was.N || !was.What.Due.Equal(t.Due) {
		return time.Time{}
	}
	tries, missed := 0, len(t.Missed)
	for k := len(t.Reminded) - 1; k >= 0 && missed > 0; k-- {
		r := t.Reminded[k]
		if m := t.Missed[missed-1]; m.What.N != r.N || r.What.Stage != was.What.Stage || !r.What.Due.Equal(t.Due) || miss.At.Sub(m.At) >= againAfter {
			break
		}
		missed--
		tries++
	}
	after := triesAfter()
	if tries > len(after) {
		return time.Time{}
	}
	return miss.At.Add(after[tries-1])
}

// owed returns which reminder of a task is owed; "" is none.
func (t *Task) owed(now time.Time) string {
	if t.Due.IsZero() || now.Before(t.Due.Add(-soonBefore)) {
		return ""
	}
	var of []Written[entry.Reminder] // of this time: another one begins anew
	for _, r := range t.Reminded {
		if r.What.Due.Equal(t.Due) {
			of = append(of, r)
		}
	}
	was, any := last(of)
	if again := t.again(); !again.IsZero() && !now.Before(again) && (was.What.Stage != "soon" || now.Before(t.Due)) {
		return was.What.Stage
	}
	switch {
	case now.Before(t.Due):
		if given := t.Versions[len(t.Versions)-1].At; any || t.Due.Sub(given) < soonLeast {
			return ""
		}
		return "soon"
	case !any || was.What.Stage == "soon":
		return "due"
	case !now.Before(was.At.Add(againAfter)):
		return "again"
	}
	return ""
}

// Remind decides that a reminder counts as sent: to be written before it is.
func (b *Book) Remind(d Debt) entry.Draft {
	return draft("desk", entry.TaskReminded, d.Incident, d.Reminder)
}

// A RemindedTask is a reminder that was written down.
type RemindedTask struct {
	Incident int64
	Task     *Task
	Stage    string
	N        int64 // the entry
	At       time.Time
	First    int64    // the entry of the first try
	Only     []string // whom the try before did not reach; none is everybody
}

// Reminded returns the reminders of tasks that are still open, and that were written behind an entry, in the order of the ledger. It looks at what is newest, at nothing else.
func (b *Book) Reminded(after int64) (out []RemindedTask) {
	for _, r := range slices.Backward(b.reminded) {
		if r.n <= after {
			break
		}
		i, err := b.Get(r.incident)
		if err != nil {
			continue
		}
		if t := &i.Command().Tasks[r.id-1]; t.Open() {
			first, only := t.series(r.n)
			out = append(out, RemindedTask{r.incident, t, r.stage, r.n, r.at, first, only})
		}
	}
	slices.Reverse(out)
	return out
}

// series looks at the reminders of which one is the newest try: it returns the entry of the first, and whom the one before did not reach.
func (t *Task) series(n int64) (first int64, only []string) {
	first = n
	k := slices.IndexFunc(t.Reminded, func(r Written[entry.Reminder]) bool { return r.N == n })
	for ; k > 0; k-- {
		before, r := t.Reminded[k-1], t.Reminded[k]
		m := slices.IndexFunc(t.Missed, func(m Written[entry.Unreminded]) bool { return m.What.N == before.N })
		if m < 0 || before.What.Stage != r.What.Stage || r.At.Sub(t.Missed[m].At) >= againAfter/2 {
			break
		}
		if first == n {
			only = t.Missed[m].What.People
		}
		first = before.N
	}
	return first, only
}

// Unremind decides that a reminder did not reach some people, and why it is not tried again soon: "" it is, or entry.Unreachable.
func (b *Book) Unremind(r RemindedTask, people []string, why string) entry.Draft {
	return draft("desk", entry.TaskUnreminded, r.Incident, entry.Unreminded{Incident: r.Incident, ID: r.Task.ID, N: r.N, People: people, Why: why})
}

func (b *Book) applyMissed(e entry.Entry) (bool, error) {
	return fold(b, e, func(x *entry.Unreminded) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Unreminded, m *Mark) error {
		t, err := numbered(c.Tasks, x.ID, "task", x.Incident)
		if err != nil {
			return err
		}
		t.Missed = append(t.Missed, written(e, *x))
		b.date(t, e.Time)
		if m.To = fmt.Sprint(x.ID); x.Why != "" {
			m.Why = []string{x.Why}
		}
		return nil
	})
}

// reminder is a reminder as it is found again.
type reminder struct {
	incident, id, n int64
	stage           string
	at              time.Time
}

// remindersKept is how many reminders are found again: those that wait to be sent are few.
const remindersKept = 1000

// NextReminder is when the next reminder of a task is owed, zero when time alone brings none.
func (b *Book) NextReminder() time.Time { return b.dated.Next() }

// next is when the next reminder of an open task is owed, as of an entry's time; zero is never.
func (t *Task) next(now time.Time, over bool) time.Time {
	if t.Due.IsZero() || !t.Open() {
		return time.Time{}
	}
	was, any := last(t.Reminded)
	any = any && was.What.Due.Equal(t.Due)
	if again := t.again(); !again.IsZero() && (was.What.Stage != "soon" || again.Before(t.Due)) {
		return again
	}
	switch {
	case any && was.What.Stage != "soon" && over:
		return time.Time{}
	case any && was.What.Stage != "soon":
		return was.At.Add(againAfter)
	case any, t.Due.Sub(t.Versions[len(t.Versions)-1].At) < soonLeast, now.After(t.Due):
		return t.Due
	}
	return t.Due.Add(-soonBefore)
}

// date notes when a reminder of a task is owed next: the bell looks at these alone.
func (b *Book) date(t *Task, now time.Time) {
	i, err := b.Get(t.Incident)
	b.dated.Set(todo{t.Incident, Tasked, t.ID}, t.next(now, err == nil && b.over(i)))
}

// redate is date for the open tasks of an incident and of what is part of it, when it was closed, opened, merged or taken out.
func (b *Book) redate(id int64, now time.Time) {
	for _, p := range b.Parts(id) {
		for k := range p.Command().Tasks {
			if t := &p.Command().Tasks[k]; t.Open() {
				b.date(t, now)
			}
		}
	}
}
