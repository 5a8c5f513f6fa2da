package playbook

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// Runs is the state: the playbooks of the plan, and what was done by them. The zero Runs is empty.
type Runs struct {
	Books map[string]*Book
	All   []*Run // by id, ascending: from 1 without a gap, but for one that lacks some (Without)

	// Text returns a revision, whose bytes lie in the vault; nil when it cannot be read, which may be mended later (Reread). It is set before the first entry, and what it gave once it gives for ever.
	Text func(revision string) *Playbook `json:"-"`

	of       map[int64][]*Run    // by incident
	open     map[int64]*Run      // that have something to do, of incidents that are worked on
	due      entry.Agenda[int64] // by run: when Owed has something of it next
	closed   map[int64]bool      // incidents: their clocks stand still, and those of what is part of them
	into     map[int64]int64     // incidents that are part of another: their runs are worked on there
	parts    map[int64][]int64   // and the other way round
	severity map[int64]string    // of incidents
	answers  map[about]Answer    // to facts of whole incidents
	blank    map[int64]*Run      // whose text could not be read
	room     []string            // in which folds look
	words    entry.Words         // that many runs have
}

// about is a fact of a whole incident.
type about struct {
	incident int64
	fact     string
}

// A Book is a playbook of the plan with its revisions.
type Book struct {
	ID        string
	Revisions []Revision // as they came; the last one is begun
	Retired   bool
}

// Current is the revision that is begun.
func (b *Book) Current() string { return b.Revisions[len(b.Revisions)-1].Revision }

// A Revision is one state of a playbook.
type Revision struct {
	entry.Playbook
	N    int64
	Time time.Time
}

// An Answer is what somebody said of a fact.
type Answer struct {
	Value, Text string // Text is a vault object
	Person      string
	Time        time.Time
	N           int64
}

// A Run is a playbook that is worked through in an incident.
type Run struct {
	ID       int64
	Incident int64
	Playbook string
	Revision string
	Begun    time.Time
	Actor    string
	Stopped  bool
	Moves    []entry.RunMove
	Answers  map[string]Answer // to its own facts
	Marks    map[string]*Mark  // by step
	History  []Deed

	book  *Playbook
	runs  *Runs
	since map[string]time.Time // since when steps are ready
	open  []Status             // that are ready or taken, as written; Late is as of then
}

// A Mark is what was written of a step; where it stands follows from it and from the answers.
type Mark struct {
	Taken    string // who does it
	TakenVia string // the session in which they took it
	Approved string // who agreed
	AgreedBy string // the session in which they agreed
	Settled  string // done, skipped, denied; "" is none of these
	By       string
	At       time.Time
	Ready    time.Time // since when it was ready when it was settled; zero is not known
	Text     string    // vault object
	Evidence []string  // ids of attachments
	Late     []Rung    // who was rung because it is late
}

// A Rung is a role that was rung because a step was not done by a time. A step that is due anew, because the incident was closed meanwhile or the step came back, rings anew.
type Rung struct {
	Role string
	Due  time.Time
}

// A Deed is something that was done in a run.
type Deed struct {
	N    int64
	Time time.Time
	Kind entry.Kind
	Step string
	By   string
	Text string
}

// Where a step stands.
const (
	Waiting   = "waiting" // for steps, or for an answer
	Ready     = "ready"
	Taken     = "taken" // somebody does it
	Done      = "done"
	Skipped   = "skipped" // somebody decided that it is not done
	Denied    = "denied"  // its approval was refused
	NotNeeded = "not needed"
)

// Settled reports whether what comes behind a step need not wait for it any more.
func Settled(state string) bool {
	return state == Done || state == Skipped || state == Denied || state == NotNeeded
}

// A Status is where a step stands at a moment.
type Status struct {
	*Step
	State    string
	Since    time.Time // of ready and taken: when it became ready
	Due      time.Time // zero: there is no hurry
	Late     bool      // it should be done by now
	Person   string    // who does it, or settled it
	Approval string    // role that has to agree before it can be done
	WaitsFor []string  // ids of steps
	Mark     Mark
}

// Get returns run id.
func (s *Runs) Get(id int64) (*Run, error) {
	k, found := slices.BinarySearchFunc(s.All, id, func(r *Run, id int64) int { return cmp.Compare(r.ID, id) })
	if !found {
		return nil, fmt.Errorf("%w %d", ErrNoRun, id)
	}
	return s.All[k], nil
}

// ErrNoRun says that there is no run of a number. It is said of one of an incident that is restricted to others as well.
var ErrNoRun = errors.New("there is no run of a playbook of the number")

// Without returns the runs as they look to somebody from whom some incidents are hidden: runs of these are not there. It is to be read only.
func (s *Runs) Without(hidden func(incident int64) bool) Runs {
	out := *s
	out.All = slices.DeleteFunc(slices.Clone(s.All), func(r *Run) bool { return hidden(r.Incident) })
	out.of = make(map[int64][]*Run, len(s.of))
	for i, runs := range s.of {
		if !hidden(i) {
			out.of[i] = runs
		}
	}
	out.open = make(map[int64]*Run, len(s.open))
	for id, r := range s.open {
		if !hidden(r.Incident) {
			out.open[id] = r
		}
	}
	return out
}

// Covering returns the runs as they look to somebody who may not have the words of some entries of some incidents: with stands in place of their vault objects. covered
// is asked with one of these incidents and an entry of one of its runs. It is to be read only.
func (s *Runs) Covering(some map[int64]bool, covered func(incident, entry int64) bool, with string) Runs {
	out := *s
	all := &out // what covered runs ask for answers
	out.All, out.of, out.open, out.answers = slices.Clone(s.All), maps.Clone(s.of), maps.Clone(s.open), maps.Clone(s.answers)
	for k, r := range out.All {
		if !some[r.Incident] {
			continue
		}
		c := r.covering(func(n int64) bool { return covered(r.Incident, n) }, with)
		if c == nil {
			continue
		}
		c.runs, out.All[k] = all, c
		out.of[r.Incident] = slices.Clone(out.of[r.Incident])
		if j := slices.Index(out.of[r.Incident], r); j >= 0 {
			out.of[r.Incident][j] = c
		}
		if out.open[r.ID] == r {
			out.open[r.ID] = c
		}
	}
	for of, a := range s.answers {
		if a.Text != "" && some[of.incident] && covered(of.incident, a.N) {
			a.Text = with
			out.answers[of] = a
		}
	}
	return out
}

// covering is a run without the words of some entries, nil when it has none of these.
func (r *Run) covering(covered func(entry int64) bool, with string) *Run {
	hidden := map[string]bool{} // vault objects
	for _, x := range r.History {
		if x.Text != "" && covered(x.N) {
			hidden[x.Text] = true
		}
	}
	for _, a := range r.Answers {
		if a.Text != "" && covered(a.N) {
			hidden[a.Text] = true
		}
	}
	if len(hidden) == 0 {
		return nil
	}
	hide := func(text *string) {
		if hidden[*text] {
			*text = with
		}
	}
	c := *r
	c.History, c.Marks, c.Answers = slices.Clone(r.History), maps.Clone(r.Marks), maps.Clone(r.Answers)
	for k := range c.History {
		hide(&c.History[k].Text)
	}
	for step, m := range c.Marks {
		x := *m
		hide(&x.Text)
		c.Marks[step] = &x
	}
	for fact, a := range c.Answers {
		hide(&a.Text)
		c.Answers[fact] = a
	}
	return &c
}

// Of returns the runs of an incident.
func (s *Runs) Of(incident int64) []*Run { return s.of[incident] }

// Working returns the runs that have something to do, of incidents that are open, and part of none that is closed, in no order.
func (s *Runs) Working() (out []*Run) {
	for _, r := range s.open {
		out = append(out, r)
	}
	return out
}

// Doing is Open in the order in which steps are written. It is kept, and not computed for whoever asks.
func (r *Run) Doing(now time.Time) iter.Seq[Status] {
	return func(yield func(Status) bool) {
		for _, s := range r.open {
			s.Late = !s.Due.IsZero() && !now.Before(s.Due)
			if !yield(s) {
				return
			}
		}
	}
}

// Answer returns what is said of a fact in an incident as a whole: severity, affected, verdict.
func (s *Runs) Answer(incident int64, fact string) Answer {
	if fact == Severity {
		return Answer{Value: s.severity[s.root(incident)]}
	}
	newest := s.answers[about{incident, fact}]
	for range s.into { // where it is part of others, what is said there counts as well
		next, part := s.into[incident]
		if !part {
			break
		}
		incident = next
		if a := s.answers[about{incident, fact}]; a.N > newest.N {
			newest = a
		}
	}
	return newest
}

// root is the incident as which an incident is worked on.
func (s *Runs) root(incident int64) int64 {
	for range s.into {
		next, part := s.into[incident]
		if !part {
			break
		}
		incident = next
	}
	return incident
}

// whole reports whether a fact is of the incident, not of one run.
func whole(fact string) bool { return fact == Severity || fact == Affected || fact == Verdict }

// Answer returns what is said of a fact; its Value is "" when nobody has.
func (r *Run) Answer(fact string) Answer {
	if whole(fact) {
		return r.runs.Answer(r.Incident, fact)
	}
	return r.Answers[fact]
}

func (r *Run) value(fact string) string { return r.Answer(fact).Value }

// Book returns the revision that it is worked by; nil when its text cannot be read.
func (r *Run) Book() *Playbook { return r.book }

// Look returns where each step stands, in the order in which they are written.
func (r *Run) Look(now time.Time) []Status {
	states := r.states(nil)
	if states == nil {
		return nil
	}
	out := make([]Status, len(states))
	for i := range out {
		out[i] = r.status(i, states, now)
	}
	return out
}

// states returns the state of each step, in the room of a list that nobody needs any more.
func (r *Run) states(room []string) []string {
	if r.book == nil {
		return nil
	}
	out := slices.Grow(room[:0], len(r.book.Steps))[:len(r.book.Steps)]
	clear(out)
	ended := r.Stopped || r.book.ended(r.value)
	var look func(i int)
	look = func(i int) {
		if out[i] != "" {
			return
		}
		out[i] = Waiting
		s, waits := r.book.Steps[i], false
		for _, b := range s.Before {
			look(b)
			waits = waits || !Settled(out[b])
		}
		switch m := r.Marks[s.ID]; {
		case m != nil && m.Settled != "":
			out[i] = m.Settled
		case ended && (r.Stopped || !s.Always):
			out[i] = NotNeeded
		case waits:
		case !s.If.Holds(r.value):
			out[i] = NotNeeded
		case m != nil && m.Taken != "":
			out[i] = Taken
		default:
			out[i] = Ready
		}
	}
	for i := range out {
		look(i)
	}
	return out
}

// status says all of a step; states are those of all steps.
func (r *Run) status(i int, states []string, now time.Time) Status {
	s := r.book.Steps[i]
	x := Status{Step: s, State: states[i]}
	if m := r.Marks[s.ID]; m != nil {
		x.Mark = *m
	}
	switch x.State {
	case Waiting:
		for _, b := range s.Before {
			if !Settled(states[b]) {
				x.WaitsFor = append(x.WaitsFor, r.book.Steps[b].ID)
			}
		}
	case Ready, Taken:
		x.Since, x.Person = r.since[s.ID], x.Mark.Taken
		if s.Approve != "" && x.Mark.Approved == "" {
			x.Approval = s.Approve
		}
		if s.Within > 0 && !x.Since.IsZero() {
			x.Due = x.Since.Add(s.Within)
			x.Late = !now.Before(x.Due)
		}
	default:
		x.Person = x.Mark.By // "" of one that is not needed
	}
	return x
}

// Over reports whether nothing is left to do.
func (r *Run) Over() bool {
	return r.Stopped || r.book != nil && !slices.ContainsFunc(r.Look(time.Time{}), func(s Status) bool { return !Settled(s.State) })
}

// Open returns the steps that somebody can work on now: late ones first, then those that are taken, then as they are written.
func (r *Run) Open(now time.Time) (out []Status) {
	for _, s := range r.Look(now) {
		if s.State == Ready || s.State == Taken {
			out = append(out, s)
		}
	}
	rank := func(s Status) int {
		switch {
		case s.Late:
			return 0
		case s.State == Taken:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b Status) int { return rank(a) - rank(b) })
	return out
}

// Next returns the step that a holder of a role does next: an approval that is waited for, or a step of the role. ok is false when there is none.
func (r *Run) Next(role string, now time.Time) (next Status, ok bool) {
	open := r.Open(now)
	for _, mine := range []func(Status) bool{
		func(s Status) bool { return s.Approval == role && s.State == Taken },
		func(s Status) bool { return s.Role == role && (s.Approval == "" || s.State == Ready) },
		func(s Status) bool { return s.Approval == role },
		func(s Status) bool { return s.Role == role },
	} {
		if i := slices.IndexFunc(open, mine); i >= 0 {
			return open[i], true
		}
	}
	return Status{}, false
}

// Waits says in sentences what a run waits for; nothing when it is over.
func (r *Run) Waits(now time.Time) (out []string) {
	if r.book == nil {
		return []string{"The text of its playbook cannot be read: run tocsin doctor, and work from the printed plan."}
	}
	for _, s := range r.Open(now) {
		switch {
		case s.Approval != "" && s.State == Taken:
			out = append(out, fmt.Sprintf("%s needs the agreement of the %s.", s.What, s.Approval))
		case s.State == Taken:
			out = append(out, fmt.Sprintf("%s is being done by %s.", s.What, s.Person))
		default:
			out = append(out, fmt.Sprintf("%s waits for the %s.", s.What, s.Role))
		}
	}
	return out
}

// Phase is the phase in which the first open step stands; the last one when nothing is left.
func (r *Run) Phase() string {
	if r.book == nil || len(r.book.Steps) == 0 {
		return ""
	}
	for _, s := range r.Look(time.Time{}) {
		if !Settled(s.State) {
			return s.Phase
		}
	}
	return r.book.Steps[len(r.book.Steps)-1].Phase
}

// A Debt is a call that a late step owes.
type Debt struct {
	Run      int64
	Incident int64
	Step     string
	Due      time.Time
	Role     string // who is rung: first the step's own role, then the commander
}

// grace is how long after the first call for a late step the commander is rung.
const grace = 15 * time.Minute

// Owed returns the calls that late steps owe at a moment, by run. It looks at what is due, at nothing else.
func (s *Runs) Owed(now time.Time) (out []Debt) {
	ids := s.due.Due(now)
	slices.Sort(ids)
	for _, id := range ids {
		r, err := s.Get(id)
		if err != nil {
			continue
		}
		for _, x := range r.Open(now) {
			if role, at := r.owes(x); role != "" && !now.Before(at) {
				out = append(out, Debt{r.ID, r.Incident, x.ID, x.Due, role})
			}
		}
	}
	return out
}

// Next is when Owed has something next, zero when time alone brings nothing.
func (s *Runs) Next() time.Time { return s.due.Next() }

// owes is whom an open step rings next, and when; "" is nobody any more.
func (r *Run) owes(x Status) (role string, at time.Time) {
	rung := func(role string) bool {
		return slices.ContainsFunc(x.Mark.Late, func(r Rung) bool { return r.Role == role && r.Due.Equal(x.Due) })
	}
	switch {
	case x.Due.IsZero():
	case !rung(x.Role):
		return x.Role, x.Due
	case !rung("commander"):
		return "commander", x.Due.Add(grace)
	}
	return "", time.Time{}
}
