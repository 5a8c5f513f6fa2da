package review

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Reminders: who is told when a part of the plan or an incident is to be reviewed, and when a measure is to be done. They go by mail or chat and never ring. What is
// owed follows from the book and the time alone: each step of each round is wanted once for each person, a step that a later one has overtaken
// is left out, and what failed for the moment is tried again while it is still owed.

// Steps of a reminder, from the first to the last.
const (
	StepInvited        = "invited"        // who leads a review that is called, and who is invited to it
	StepBefore         = "before"         // its owner, some time before a measure is due
	StepOwner          = "owner"          // its owner, when it is due
	StepAgain          = "again"          // its owner
	StepCommander      = "commander"      // who commands
	StepAdministrators = "administrators" // everybody with that role
	StepVerify         = "verify"         // who commands: a measure is done, and nobody has looked
)

// When steps come after what is due.
const (
	againAfter          = 7 * day
	commanderAfter      = 14 * day // of a part
	overdueAfter        = day      // of a measure: the commander
	administratorsAfter = 30 * day
	verifyAfter         = 7 * day

	maxRepeats  = 10
	firstRepeat = 10 * time.Second // doubles with each failure, up to lastRepeat
	lastRepeat  = 10 * time.Minute
)

// A Reminder is one message that was to be sent.
type Reminder struct {
	entry.ReminderTry
	Wanted time.Time
	Done   time.Time // zero: not known to be sent or failed
	Failed bool
	Result entry.NoticeResult

	before   int // failed tries of the same message
	repeated bool
}

// Crew says who is there to be reminded.
type Crew struct {
	Staff          func(person string) bool
	Commander      func(incident int64) []string // who commands it; of 0, who has that role in the team
	Administrators []string
	Channel        func(person string) string               // by which a person is reminded, "" is none
	Keepers        func(part string) []string               // who keeps a part right where nobody is named; nil is nobody
	Sees           func(person string, incident int64) bool // who may know of an incident; nil is everybody
}

// An Unreached person cannot be reminded: this is shown, as nothing is silent.
type Unreached struct{ About, Step, Person string }

// Debts are what is owed now.
type Debts struct {
	Wanted    []entry.Draft
	Sends     []*Reminder // that are wanted, and not known to be sent or failed
	Unreached []Unreached
	Again     time.Time // when to look again if nothing changes before; zero: not by time alone
}

func (d *Debts) sooner(t time.Time) {
	if d.Again.IsZero() || t.Before(d.Again) {
		d.Again = t
	}
}

// A cycle is one round of reminders for one person: about something that is due at a time.
type cycle struct {
	about  string
	due    int64 // in nanoseconds since 1970
	person string
}

// A duty is something that is due, with the steps of its reminders in their order.
type duty struct {
	about string
	due   time.Time
	steps []stage
}

type stage struct {
	name string
	at   time.Time
	whom []string
}

// rank orders steps; 0 is none.
func rank(step string) int {
	return slices.Index([]string{StepInvited, StepBefore, StepOwner, StepAgain, StepCommander, StepAdministrators, StepVerify}, step) + 1
}

// duties lists everything that has a time.
func (b *Book) duties(c Crew, now time.Time) (out []duty) {
	for _, d := range b.Due(now) {
		owner, above := c.people(d.Part.Owner, 0)
		if d.Part.Owner == "" && c.Keepers != nil {
			owner = slices.DeleteFunc(c.Keepers(d.Part.ID), func(p string) bool { return !c.Staff(p) })
			if len(owner) == 0 {
				owner = above
			}
		}
		out = append(out, duty{"part:" + d.Part.ID, d.At, []stage{{StepOwner, d.At, owner}, {StepAgain, d.At.Add(againAfter), owner},
			{StepCommander, d.At.Add(commanderAfter), above}, {StepAdministrators, d.At.Add(administratorsAfter), c.admins()}}})
	}
	for id, x := range b.cases {
		if x.counts() && !b.Reviewed(id) {
			_, above := c.people("", id)
			due := x.closed.Add(MeetWithin)
			out = append(out, duty{fmt.Sprintf("review:%d", id), due, []stage{{StepCommander, due, c.seeing(above, id)}, {StepAdministrators, due.Add(administratorsAfter), c.seeing(c.admins(), id)}}})
		}
	}
	for id, x := range b.Calls {
		if now.Before(x.At) && !x.held(b.Meetings[id]) { // one that is moved is another round: all are told anew
			whom := c.seeing(append([]string{x.Chair}, slices.DeleteFunc(slices.Clone(x.Invited), func(p string) bool { return p == x.Chair })...), id)
			out = append(out, duty{fmt.Sprintf("meeting:%d", id), x.At, []stage{{StepInvited, x.Called, slices.DeleteFunc(whom, func(p string) bool { return !c.Staff(p) })}}})
		}
	}
	slices.SortFunc(out, func(a, b duty) int { return strings.Compare(a.about, b.about) })
	for _, m := range b.Measures {
		owner, above := c.people(m.Owner, m.Incident)
		owner, above = c.seeing(owner, m.Incident), c.seeing(above, m.Incident)
		admins := c.seeing(c.admins(), m.Incident)
		about := "measure:" + fmt.Sprint(m.ID)
		switch m.State {
		case Open:
			due := m.due()
			var steps []stage
			if m.Remind > 0 {
				steps = []stage{{StepBefore, due.Add(-m.Remind), owner}}
			}
			out = append(out, duty{about, due, append(steps, stage{StepOwner, due, owner}, stage{StepCommander, due.Add(overdueAfter), above},
				stage{StepAdministrators, due.Add(administratorsAfter), admins})})
		case Done:
			others := slices.DeleteFunc(slices.Clone(above), func(p string) bool { return p == m.Owner || p == m.doneBy })
			if len(others) == 0 {
				others = slices.DeleteFunc(admins, func(p string) bool { return p == m.Owner || p == m.doneBy })
			}
			out = append(out, duty{about, m.doneAt, []stage{{StepVerify, m.doneAt.Add(verifyAfter), others}}})
		}
	}
	return out
}

// held reports whether a review was held since it was called.
func (x Call) held(all []Meeting) bool {
	return slices.ContainsFunc(all, func(m Meeting) bool { return m.Written.After(x.Called) })
}

// people says who stands for an owner, and who above: an owner who left the team is stood for by who commands, and where nobody commands the
// administrators do.
func (c Crew) people(owner string, incident int64) (first, above []string) {
	for _, p := range c.Commander(incident) {
		if c.Staff(p) && !slices.Contains(above, p) {
			above = append(above, p)
		}
	}
	if len(above) == 0 && incident != 0 {
		_, above = c.people(owner, 0)
	}
	if len(above) == 0 {
		above = c.admins()
	}
	if c.Staff(owner) {
		return []string{owner}, above
	}
	return above, above
}

// seeing leaves those of people who may know of an incident; 0 is none.
func (c Crew) seeing(people []string, incident int64) (out []string) {
	for _, p := range people {
		if incident == 0 || c.Sees == nil || c.Sees(p, incident) {
			out = append(out, p)
		}
	}
	return out
}

func (c Crew) admins() (out []string) {
	for _, p := range c.Administrators {
		if c.Staff(p) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// Owed says whom to remind of what now.
func (b *Book) Owed(c Crew, now time.Time) (d Debts) {
	next := len(b.Reminders)
	want := func(x entry.ReminderTry) {
		next++
		if x.Try = next; x.Message == "" {
			x.Message = fmt.Sprintf("reminder-%d", next)
		}
		d.Wanted = append(d.Wanted, entry.Draft{Actor: "desk", Kind: entry.ReminderWanted, Subject: x.About, Body: x})
	}
	current := map[string]time.Time{}
	for _, y := range b.duties(c, now) {
		current[y.about] = y.due
		for person, s := range y.now(now, d.sooner) {
			k := cycle{y.about, y.due.UnixNano(), person}
			if b.told[k] >= rank(s.name) {
				continue
			}
			channel := c.Channel(person)
			if channel == "" {
				d.Unreached = append(d.Unreached, Unreached{y.about, s.name, person})
				continue
			}
			want(entry.ReminderTry{About: y.about, Due: y.due, Step: s.name, Person: person, Channel: channel})
		}
	}
	for _, r := range b.Reminders {
		due, is := current[r.About]
		owed := is && due.Equal(r.Due) && c.Staff(r.Person)
		if r.Done.IsZero() {
			d.Sends = append(d.Sends, r)
			continue
		}
		at, again := r.againAt()
		switch {
		case !owed || !r.Failed || r.repeated:
		case !again:
			d.Unreached = append(d.Unreached, Unreached{r.About, r.Step, r.Person})
		case now.Before(at) && !r.Done.After(now.Add(time.Minute)): // a clock that was set back holds nothing up
			d.sooner(at)
		default:
			x := r.ReminderTry
			x.Again, x.Twice = r.Try, r.Twice || r.Result.Uncertain
			want(x)
		}
	}
	return d
}

// now yields who is to be reminded by which step: for each person the last one that has come. It says when the next ones come.
func (y duty) now(now time.Time, sooner func(time.Time)) func(func(string, stage) bool) {
	type told struct {
		person string
		stage
	}
	var list []told
	for _, s := range y.steps {
		if now.Before(s.at) {
			if len(s.whom) > 0 {
				sooner(s.at)
			}
			continue
		}
		for _, p := range s.whom {
			i := slices.IndexFunc(list, func(t told) bool { return t.person == p })
			if i < 0 {
				list = append(list, told{p, s})
			} else {
				list[i].stage = s
			}
		}
	}
	return func(yield func(string, stage) bool) {
		for _, t := range list {
			if !yield(t.person, t.stage) {
				return
			}
		}
	}
}

// againAt says when a failed reminder is worth another try.
func (r *Reminder) againAt() (time.Time, bool) {
	if !r.Failed || !r.Result.Temporary || r.repeated || r.before >= maxRepeats {
		return time.Time{}, false
	}
	return r.Done.Add(max(min(firstRepeat<<r.before, lastRepeat), r.Result.After)), true
}

// want folds a reminder that was to be sent.
func (b *Book) want(x entry.ReminderTry, at time.Time) error {
	if x.Try != len(b.Reminders)+1 || x.Again < 0 || x.Again >= x.Try {
		return fmt.Errorf("reminder %d does not follow %d, or repeats one that is not there", x.Try, len(b.Reminders))
	}
	r := &Reminder{ReminderTry: x, Wanted: at}
	if x.Again > 0 {
		o := b.Reminders[x.Again-1]
		o.repeated, r.before = true, o.before+1
	}
	b.Reminders = append(b.Reminders, r)
	if b.told == nil {
		b.told = map[cycle]int{}
	}
	k := cycle{x.About, x.Due.UnixNano(), x.Person}
	b.told[k] = max(b.told[k], rank(x.Step))
	return nil
}

// end folds what became of it.
func (b *Book) end(x entry.NoticeResult, at time.Time, failed bool) error {
	if x.Try < 1 || x.Try > len(b.Reminders) {
		return errors.New("there is no such reminder")
	}
	r := b.Reminders[x.Try-1]
	r.Done, r.Failed, r.Result = at, failed, x
	return nil
}
