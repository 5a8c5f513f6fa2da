// Package oncall decides who is rung, when, and when again, until somebody answers.
//
// A call rings for one incident or for several that came together, by the policy that is chosen for their severity. It goes through the
// policy's steps. A step is found out once, when it begins, and written down (call.stepped): whom it rings by what and when, and whom it
// names and cannot ring, with the reason. Each of these rings becomes a try when it is due, or is held back, which is written down as well
// (call.held): nothing is left out in silence. A step that reaches nobody is followed by the next one at once.
//
//	call.opened -> call.stepped -> call.wanted -> call.sent | call.failed    for each ring
//	                            -> call.held                                 throttled, barred, gone: another channel, later, or not at all
//	            -> call.passed  -> call.stepped                              the next step at once
//	            -> call.snoozed -> call.resumed -> call.stepped              from the first step again
//	            -> call.taken   -> call.answered                             where a step wants several people, else call.answered alone
//
// The answer ends it. When nobody then does anything about the incident for as long as the policy says, a new call rings for it. What must be
// done next is Owed: a pure function of state and time, so that a restart owes what was owed before. A try is written down before the act
// (call.wanted) and its end after it (call.sent, call.failed); one without an end after a restart is sent again with the same Message-ID
// and marked possibly twice.
package oncall

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// Limits of trying one person on one channel within one step.
const (
	maxRepeats  = 8
	firstRepeat = 5 * time.Second // doubles with each failure, up to lastRepeat
	lastRepeat  = 2 * time.Minute
	deafAgain   = 30 * time.Second // how soon a step that reaches nobody is looked at again
)

// A Try is one person rung on one channel.
type Try struct {
	entry.CallTry
	Wanted time.Time
	Done   time.Time // zero: not known to be sent or failed
	Failed bool
	Result entry.CallResult
}

// A Ring is one person on one channel, as a step found it out.
type Ring struct {
	entry.CallRing
	Step int
	Due  time.Time
	Try  int    // the try that did it; 0 is none
	Off  string // why it will not be done; "" is that it will, or was
}

// Pending reports whether the ring is still owed.
func (r *Ring) Pending() bool { return r.Try == 0 && r.Off == "" }

// A Step is one that began.
type Step struct {
	entry.CallStep
	At time.Time
}

// A Pass is somebody who could not.
type Pass struct {
	entry.CallPass
	At time.Time
}

// A Take is one of several answers.
type Take struct {
	entry.Answer
	At time.Time
}

// A Rest is a time in which a call was quiet.
type Rest struct {
	entry.CallSnooze
	At   time.Time
	Over time.Time // zero while it lasts
	Why  string    // why it was over: snoozed, worse
	rank int       // how severe the call was then
}

// A Hold is a ring that was held back.
type Hold struct {
	entry.CallHeld
	At time.Time
}

// A Call is the state of one.
type Call struct {
	entry.Call
	Opened   time.Time
	Policy   entry.Policy // in force when it began: later changes do not rewrite it
	Step     int          // the step that rings now, counted over all rounds and returns; -1 before the first
	Stepped  time.Time    // when that step began
	Base     int          // the step at which the policy began last: it begins anew after a snooze
	Tries    []Try
	Asked    []Ring // of every step, in order
	Steps    []Step
	Held     []Hold
	Passed   []Pass
	Taken    []Take
	Rests    []Rest
	Answered entry.Answer
	At       time.Time // when it was answered or ended
	Ended    string    // why it ended without an answer

	open   []int   // numbers of rings that are pending
	apart  []int64 // incidents that it rang for until they were restricted to some, or to others
	medium bool    // Medium rang when it began
	need   int     // the most answers that a step wanted so far
}

// Rings reports whether nobody has answered yet and somebody still should.
func (c *Call) Rings() bool { return c.At.IsZero() }

// Resting returns the snooze that lasts, if one does.
func (c *Call) Resting() (Rest, bool) {
	if n := len(c.Rests); n > 0 && c.Rests[n-1].Over.IsZero() && c.Rings() {
		return c.Rests[n-1], true
	}
	return Rest{}, false
}

// need is an incident, as far as ringing goes.
type need struct {
	id       int64
	severity string
	closed   bool
	into     int64 // the incident of which it is part, for which is rung in its place; 0 is none
	history  bool
	since    time.Time
	call     int64 // the call that covers it
	answered int   // how severe it was when that call was answered
	worked   time.Time
	held     int64 // the maintenance window that is known to hold it
	barred   []string
	only     []string // people, of a restricted incident; nil: it is not restricted
	everyone bool     // is rung at once
}

// over reports whether nobody is rung for the incident itself any more: it is closed, or merged into another.
func (n *need) over() bool { return n.closed || n.into != 0 }

// rank orders severities.
func rank(severity string) int {
	return slices.Index([]string{"low", "medium", "high", "critical"}, severity)
}

// A Book holds every call. The zero Book is empty.
type Book struct {
	Calls []*Call // by id, ascending: from 1 without a gap, but for a book that lacks some (Without)

	needs   []*need           // by incident id, from 1
	past    int               // needs that are history
	waiting []int64           // incidents not covered by a call that may have to be, in order
	ringing []int64           // calls that ring
	idle    []int64           // calls that were answered, and of whose incidents nobody has shown work yet
	tested  map[way]int64     // the last test
	back    map[way]time.Time // when a mail came back last
	last    map[way][]recent
	policy  func(severity string) entry.Policy
}

// A way is one channel of one person.
type way struct{ person, channel string }

// recent is a try that counts against a throttle.
type recent struct {
	call int64
	try  int
	at   time.Time
}

// NewBook returns an empty book that asks policy for the policy in force when a call of a severity begins.
func NewBook(policy func(severity string) entry.Policy) *Book {
	return &Book{policy: policy, tested: map[way]int64{}, last: map[way][]recent{}}
}

// A Debt is one thing that must be done now: a draft to write, or a try to send.
type Debt struct {
	Draft *entry.Draft
	Send  *Send
}

// A Send is a try whose act is owed.
type Send struct {
	Call *Call
	Try  Try
}

// Get returns call id. A book may lack some (Without).
func (b *Book) Get(id int64) (*Call, error) {
	k, found := slices.BinarySearchFunc(b.Calls, id, func(c *Call, id int64) int { return cmp.Compare(c.ID, id) })
	if !found {
		return nil, fmt.Errorf("no call %d", id)
	}
	return b.Calls[k], nil
}

// Ringing returns the calls that ring, oldest first. Those that are snoozed are among them.
func (b *Book) Ringing() []*Call {
	var cs []*Call
	for _, id := range b.ringing {
		if c, err := b.Get(id); err == nil {
			cs = append(cs, c)
		}
	}
	return cs
}

// Of returns the call that covers an incident, or nil.
func (b *Book) Of(incident int64) *Call {
	if incident < 1 || incident > int64(len(b.needs)) || b.needs[incident-1].call == 0 {
		return nil
	}
	c, _ := b.Get(b.needs[incident-1].call)
	return c
}

// Barred returns the channels that must not be used for an incident.
func (b *Book) Barred(incident int64) []string {
	if incident < 1 || incident > int64(len(b.needs)) {
		return nil
	}
	return b.needs[incident-1].barred
}

// HeldBy returns the number of the maintenance window that keeps an incident from ringing, 0 when none is known to.
func (b *Book) HeldBy(incident int64) int64 {
	if incident < 1 || incident > int64(len(b.needs)) || b.needs[incident-1].call != 0 {
		return 0
	}
	return b.needs[incident-1].held
}

// barred returns the channels that must not be used for a call: for any of its open incidents.
func (b *Book) barred(c *Call) (not []string) {
	for _, id := range c.Incidents {
		if n := b.needs[id-1]; !n.over() {
			not = append(not, n.barred...)
		}
	}
	return not
}

// severity is how bad a call is now: its worst open incident may have become worse since it began.
func (b *Book) severity(c *Call) string {
	worst := c.Severity
	for _, id := range c.Incidents {
		if n := b.needs[id-1]; !n.over() && rank(n.severity) > rank(worst) {
			worst = n.severity
		}
	}
	return worst
}

func draft(actor string, k entry.Kind, id int64, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: k, Subject: fmt.Sprintf("call:%d", id), Body: body}
}

func debt(k entry.Kind, id int64, body any) Debt {
	d := draft("desk", k, id, body)
	return Debt{Draft: &d}
}

// A look is one question of what is owed: the time, and what was decided within it.
type look struct {
	p     *plan.Plan
	now   time.Time
	again time.Time
	wants map[way]int // tries that were decided, by whom they ring
	opens int         // calls
}

// sooner notes when to look again.
func (l *look) sooner(t time.Time) {
	if !t.IsZero() && (l.again.IsZero() || t.Before(l.again)) {
		l.again = t
	}
}

// Owed says what must be done now, and when to look again if nothing changes before (zero: not by time alone).
// A draft changes the state, so after writing drafts, ask again.
func (b *Book) Owed(p *plan.Plan, now time.Time) (debts []Debt, again time.Time) {
	l := &look{p: p, now: now, wants: map[way]int{}}
	debts = append(debts, b.owedNew(l)...)
	debts = append(debts, b.owedIdle(l)...)
	for _, id := range b.ringing {
		debts = append(debts, b.owedCall(b.Calls[id-1], l)...)
	}
	if len(debts) == 0 {
		debts = append(debts, b.owedTests(l)...)
	}
	return debts, l.again
}

// wants reports whether an incident must ring somebody.
func wants(n *need, medium bool) bool {
	if n.over() || n.history || n.call != 0 {
		return false
	}
	return rings(n.severity, medium)
}

func rings(severity string, medium bool) bool {
	return severity == "critical" || severity == "high" || medium && severity == "medium"
}

// held says that an incident is kept from ringing by maintenance, if it is.
func (b *Book) held(n *need, l *look) (debts []Debt, holds bool) {
	w, holds := l.p.Holds(n.severity, l.now)
	if !holds {
		return nil, false
	}
	l.sooner(w.Until)
	if n.held != w.ID {
		x := entry.CallHeld{Why: "maintenance", Until: w.Until, Incident: n.id, Maintenance: w.ID}
		debts = append(debts, Debt{Draft: &entry.Draft{Actor: "desk", Kind: entry.CallPutOff, Subject: fmt.Sprintf("incident:%d", n.id), Body: x}})
	}
	return debts, true
}

// owedNew opens a call for the incidents that no call covers, or lets them join one that rings.
func (b *Book) owedNew(l *look) (debts []Debt) {
	var open []*need
	worst, why := "medium", ""
	medium := l.p.RingsMedium()
	for _, id := range b.waiting {
		n := b.needs[id-1]
		if !wants(n, medium) {
			continue
		}
		if d, holds := b.held(n, l); holds {
			debts = append(debts, d...)
			continue
		}
		if n.only != nil { // it rings others, and alone
			debts = append(debts, b.opening(l, []int64{n.id}, n.severity, whyNew(n), 0))
			continue
		}
		if n.everyone { // it waits for no throttle, and joins no call that somebody may have taken for another
			debts = append(debts, b.opening(l, []int64{n.id}, n.severity, "", 0))
			continue
		}
		if n.held != 0 {
			why = "maintenance"
		}
		open = append(open, n)
		if rank(n.severity) > rank(worst) {
			worst = n.severity
		}
	}
	if len(open) == 0 {
		return debts
	}
	policy := b.policy(worst)
	if policy.Throttle == 0 {
		for _, n := range open {
			debts = append(debts, b.opening(l, []int64{n.id}, n.severity, whyNew(n), 0))
		}
		return debts
	}
	if c := b.joinable(worst); c != nil {
		for _, n := range open {
			debts = append(debts, debt(entry.CallJoined, c.ID, entry.CallJoin{ID: c.ID, Incident: n.id}))
		}
		return debts
	}
	if last := b.lastOpened(worst); !last.IsZero() && l.now.Before(last.Add(policy.Throttle)) && !turnedBack(last, l.now) {
		l.sooner(last.Add(policy.Throttle))
		return debts
	}
	var ids []int64
	for _, n := range open {
		ids = append(ids, n.id)
	}
	return append(debts, b.opening(l, ids, worst, why, 0))
}

// whyNew is why a call begins for an incident that none covered.
func whyNew(n *need) string {
	if n.held != 0 {
		return "maintenance"
	}
	return ""
}

func (b *Book) opening(l *look, incidents []int64, severity, why string, before int64) Debt {
	l.opens++
	id := int64(len(b.Calls) + l.opens)
	name := b.policy(severity).ID
	if name == "" {
		name = plan.DefaultName
	}
	return debt(entry.CallOpened, id, entry.Call{ID: id, Incidents: incidents, Severity: severity, Policy: name, Why: why, Before: before})
}

// joinable returns the newest call that rings for something at least as bad. One that is snoozed would keep quiet what is new.
func (b *Book) joinable(severity string) *Call {
	for _, id := range slices.Backward(b.ringing) {
		c := b.Calls[id-1]
		if _, rests := c.Resting(); !rests && !c.Test && len(c.Who) == 0 && len(c.Incidents) > 0 && !b.restricted(c) && !b.everyone(c) && rank(c.Severity) >= rank(severity) {
			return c
		}
	}
	return nil
}

// lastOpened returns when a call for something at least as bad began last: a critical incident does not wait because a
// lesser one rang a minute ago, nor because of a call that it cannot join.
func (b *Book) lastOpened(severity string) time.Time {
	for _, c := range slices.Backward(b.Calls) {
		forAll := slices.ContainsFunc(c.Incidents, func(id int64) bool { return b.needs[id-1].everyone })
		if !c.Test && len(c.Who) == 0 && !b.restricted(c) && !forAll && rank(c.Severity) >= rank(severity) {
			return c.Opened
		}
	}
	return time.Time{}
}

// owedIdle rings again for what somebody answered, and nobody has worked on since for as long as the policy says.
func (b *Book) owedIdle(l *look) (debts []Debt) {
	for _, id := range b.idle {
		c := b.Calls[id-1]
		if due := c.At.Add(c.Policy.Attend); l.now.Before(due) && !turnedBack(c.At, l.now) {
			l.sooner(due)
			continue
		}
		var ids []int64
		worst := "medium"
		for _, i := range c.Incidents {
			if n := b.needs[i-1]; n.call == c.ID && !n.over() && !n.history && rings(n.severity, c.medium) {
				if len(ids) > 0 && (n.only != nil || b.needs[ids[0]-1].only != nil) {
					continue // what is restricted rings alone: the next look finds the others
				}
				ids = append(ids, i)
				if rank(n.severity) > rank(worst) {
					worst = n.severity
				}
			}
		}
		if len(ids) == 0 {
			continue // what it was about has gone to another call: the fold forgets it with its last incident
		}
		if w, holds := l.p.Holds(worst, l.now); holds {
			l.sooner(w.Until)
			continue
		}
		debts = append(debts, b.opening(l, ids, worst, "unattended", c.ID))
	}
	return debts
}

// turnedBack reports whether the clock was set back since a moment: what waits for that moment and some more would then wait
// for days, so it is due at once. A ring too many is better than none.
func turnedBack(since, now time.Time) bool { return since.After(now.Add(time.Minute)) }

// ended reports whether nobody needs the call any more.
func (b *Book) ended(c *Call) (entry.Draft, bool) {
	why := "closed"
	if len(c.Incidents) == 0 {
		why = "apart"
	}
	for _, id := range c.Incidents {
		n := b.needs[id-1]
		if n.over() {
			continue
		}
		if rings(n.severity, c.medium) || len(c.Who) > 0 && n.call == c.ID {
			return entry.Draft{}, false
		}
		why = "lowered"
	}
	return draft("desk", entry.CallEnded, c.ID, entry.CallEnd{ID: c.ID, Why: why}), true
}
