// Package oncall decides who is rung, when, and when again, until somebody answers.
//
// A call rings for one incident or for several that came together. It goes through the steps of the policy; each step
// rings some people on some channels (a try each) and waits. The first answer ends it. What must be done next is Owed: a pure
// function of state and time, so that a restart owes what was owed before. A try is written down before the act (call.wanted)
// and its end after it (call.sent, call.failed); one without an end after a restart is sent again with the same Message-ID
// and marked possibly twice.
package oncall

import (
	"errors"
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
)

// testRings is how long a test call waits for its answer.
const testRings = 10 * time.Minute

// A Try is one person rung on one channel.
type Try struct {
	entry.CallTry
	Wanted time.Time
	Done   time.Time // zero: not known to be sent or failed
	Failed bool
	Result entry.CallResult
}

// A Call is the state of one.
type Call struct {
	entry.Call
	Opened   time.Time
	Policy   entry.Policy // in force when it began: later changes do not rewrite it
	Step     int          // the step that rings now, counted over all rounds; -1 before the first
	Stepped  time.Time    // when that step began
	Tries    []Try
	Answered entry.Answer
	At       time.Time // when it was answered or ended
	Ended    string    // why it ended without an answer
}

// Rings reports whether nobody has answered yet and somebody still should.
func (c *Call) Rings() bool { return c.At.IsZero() }

// need is an incident, as far as ringing goes.
type need struct {
	id       int64
	severity string
	closed   bool
	history  bool
	since    time.Time
	call     int64 // the call that covers it
	answered int   // how severe it was when that call was answered
}

// rank orders severities.
func rank(severity string) int {
	return slices.Index([]string{"low", "medium", "high", "critical"}, severity)
}

// A Book holds every call. The zero Book is empty.
type Book struct {
	Calls []*Call // by id, from 1

	needs   []*need // by incident id, from 1
	past    int     // needs that are history
	waiting []int64 // incidents not covered by a call that may have to be, in order
	ringing []int64 // calls that ring
	policy  func() entry.Policy
}

// NewBook returns an empty book that asks policy for the policy in force when a call begins.
func NewBook(policy func() entry.Policy) *Book { return &Book{policy: policy} }

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

// ErrAnswered says that somebody was faster.
var ErrAnswered = errors.New("the call is answered already")

// Get returns call id.
func (b *Book) Get(id int64) (*Call, error) {
	if id < 1 || id > int64(len(b.Calls)) {
		return nil, fmt.Errorf("no call %d", id)
	}
	return b.Calls[id-1], nil
}

// Ringing returns the calls that ring, oldest first.
func (b *Book) Ringing() []*Call {
	var cs []*Call
	for _, id := range b.ringing {
		cs = append(cs, b.Calls[id-1])
	}
	return cs
}

// Of returns the call that covers an incident, or nil.
func (b *Book) Of(incident int64) *Call {
	if incident < 1 || incident > int64(len(b.needs)) || b.needs[incident-1].call == 0 {
		return nil
	}
	return b.Calls[b.needs[incident-1].call-1]
}

// Answer decides that somebody has taken the call.
func (b *Book) Answer(actor string, id int64, person, via string) (entry.Draft, error) {
	c, err := b.Get(id)
	if err != nil {
		return entry.Draft{}, err
	}
	if !c.Rings() {
		return entry.Draft{}, fmt.Errorf("call %d: %w", id, ErrAnswered)
	}
	return draft(actor, entry.CallAnswered, id, entry.Answer{ID: id, Person: person, Via: via}), nil
}

// Test decides to ring one person on one channel, now.
func (b *Book) Test(actor string, p *plan.Plan, person, channel string) (entry.Draft, error) {
	x, ok := p.People[person]
	if !ok || x.Gone {
		return entry.Draft{}, fmt.Errorf("nobody on the team has the id %q", person)
	}
	if channel != plan.Console && !slices.Contains(x.Channels, channel) {
		return entry.Draft{}, fmt.Errorf("%s has no address for %s", person, channel)
	}
	id := int64(len(b.Calls)) + 1
	return draft(actor, entry.CallOpened, id, entry.Call{ID: id, Test: true, Person: person, Channel: channel}), nil
}

func draft(actor string, k entry.Kind, id int64, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: k, Subject: fmt.Sprintf("call:%d", id), Body: body}
}

// Owed says what must be done now, and when to look again if nothing changes before (zero: not by time alone).
// A draft changes the state, so after writing drafts, ask again.
func (b *Book) Owed(p *plan.Plan, now time.Time) (debts []Debt, again time.Time) {
	sooner := func(t time.Time) {
		if again.IsZero() || t.Before(again) {
			again = t
		}
	}
	if d, due := b.owedNew(p, now); d != nil {
		debts = append(debts, d...)
	} else if !due.IsZero() {
		sooner(due)
	}
	for _, c := range b.Ringing() {
		ds, due := b.owedCall(c, p, now)
		debts = append(debts, ds...)
		if !due.IsZero() {
			sooner(due)
		}
	}
	return debts, again
}

// wants reports whether an incident must ring somebody.
func wants(n *need, medium bool) bool {
	if n.closed || n.history || n.call != 0 {
		return false
	}
	return n.severity == "critical" || n.severity == "high" || medium && n.severity == "medium"
}

// owedNew opens a call for the incidents that no call covers, or lets them join one that rings.
func (b *Book) owedNew(p *plan.Plan, now time.Time) (debts []Debt, due time.Time) {
	policy := b.policy()
	var open []*need
	worst := "high"
	for _, id := range b.waiting {
		if n := b.needs[id-1]; wants(n, policy.Medium) {
			open = append(open, n)
			if n.severity == "critical" {
				worst = n.severity
			}
		}
	}
	if len(open) == 0 {
		return nil, time.Time{}
	}
	next := int64(len(b.Calls)) + 1
	if policy.Throttle == 0 {
		for k, n := range open {
			debts = append(debts, opening(next+int64(k), []int64{n.id}, n.severity))
		}
		return debts, time.Time{}
	}
	if c := b.joinable(worst); c != nil {
		for _, n := range open {
			d := draft("desk", entry.CallJoined, c.ID, entry.CallJoin{ID: c.ID, Incident: n.id})
			debts = append(debts, Debt{Draft: &d})
		}
		return debts, time.Time{}
	}
	if last := b.lastOpened(worst); !last.IsZero() && now.Before(last.Add(policy.Throttle)) && !turnedBack(last, now) {
		return nil, last.Add(policy.Throttle)
	}
	var ids []int64
	for _, n := range open {
		ids = append(ids, n.id)
	}
	return []Debt{opening(next, ids, worst)}, time.Time{}
}

func opening(id int64, incidents []int64, severity string) Debt {
	d := draft("desk", entry.CallOpened, id, entry.Call{ID: id, Incidents: incidents, Severity: severity})
	return Debt{Draft: &d}
}

// joinable returns the newest call that rings for something at least as bad.
func (b *Book) joinable(severity string) *Call {
	for _, id := range slices.Backward(b.ringing) {
		if c := b.Calls[id-1]; !c.Test && (c.Severity == severity || c.Severity == "critical") {
			return c
		}
	}
	return nil
}

// lastOpened returns when a call for something at least as bad began last: a critical incident does not wait because a
// lesser one rang a minute ago.
func (b *Book) lastOpened(severity string) time.Time {
	for _, c := range slices.Backward(b.Calls) {
		if !c.Test && (c.Severity == severity || c.Severity == "critical") {
			return c.Opened
		}
	}
	return time.Time{}
}

// owedCall goes on with a call that rings.
func (b *Book) owedCall(c *Call, p *plan.Plan, now time.Time) (debts []Debt, again time.Time) {
	if c.Test {
		return b.owedTest(c, now)
	}
	if d, ok := b.ended(c); ok {
		return []Debt{{Draft: &d}}, time.Time{}
	}
	for _, t := range c.Tries {
		if t.Done.IsZero() {
			debts = append(debts, Debt{Send: &Send{c, t}})
		}
	}
	wait := plan.StepOf(c.Policy, max(c.Step, 0)).Wait
	due := c.Stepped.Add(wait)
	if c.Step < 0 || !now.Before(due) || turnedBack(c.Stepped, now) || deaf(c, p) {
		return append(debts, b.ring(c, p, c.Step+1)...), time.Time{}
	}
	again = due
	for _, t := range c.Tries {
		at, ok := repeatAt(c, t)
		switch {
		case !ok:
		case now.Before(at) && !turnedBack(t.Done, now):
			if at.Before(again) {
				again = at
			}
		default:
			debts = append(debts, b.want(c, len(c.Tries)+1+count(debts), t.Step, plan.Ring{Person: t.Person, Channel: t.Channel}, t.Try))
		}
	}
	return debts, again
}

// turnedBack reports whether the clock was set back since a moment: what waits for that moment and some more would then wait
// for days, so it is due at once. A ring too many is better than none.
func turnedBack(since, now time.Time) bool { return since.After(now.Add(time.Minute)) }

// count says how many of the debts are drafts.
func count(debts []Debt) (n int) {
	for _, d := range debts {
		if d.Draft != nil {
			n++
		}
	}
	return n
}

// ring wants everybody of a step.
func (b *Book) ring(c *Call, p *plan.Plan, step int) (debts []Debt) {
	for k, r := range p.Resolve(c.Policy, step) {
		debts = append(debts, b.want(c, len(c.Tries)+1+k, step, r, 0))
	}
	return debts
}

func (b *Book) want(c *Call, try, step int, r plan.Ring, again int) Debt {
	x := entry.CallTry{ID: c.ID, Try: try, Step: step, Person: r.Person, Channel: r.Channel, Message: fmt.Sprintf("call-%d-%d", c.ID, try), Again: again}
	if again != 0 {
		before := c.Tries[again-1]
		x.Message, x.Twice = before.Message, before.Twice || before.Result.Uncertain
	}
	d := draft("desk", entry.CallWanted, c.ID, x)
	return Debt{Draft: &d}
}

// deaf reports whether waiting for an answer to the current step is of no use: it rings the console only, or every try of
// it failed for good, and a later step can reach somebody.
func deaf(c *Call, p *plan.Plan) bool {
	for _, t := range c.Tries {
		if t.Step == c.Step && t.Channel != plan.Console && (!t.Failed || t.Result.Temporary) {
			return false
		}
	}
	for step := c.Step + 1; step <= len(c.Policy.Steps)*c.Policy.Rounds; step++ {
		if len(p.Resolve(c.Policy, step)) > 1 { // the console is always among them
			return true
		}
	}
	return false
}

// repeatAt says when a failed try is worth another.
func repeatAt(c *Call, t Try) (time.Time, bool) {
	if !t.Failed || !t.Result.Temporary || t.Step != c.Step {
		return time.Time{}, false
	}
	repeats := 0
	for _, o := range c.Tries {
		if o.Again == t.Try {
			return time.Time{}, false
		}
		if o.Step == t.Step && o.Person == t.Person && o.Channel == t.Channel {
			repeats++
		}
	}
	if repeats > maxRepeats {
		return time.Time{}, false
	}
	wait := min(firstRepeat<<(repeats-1), lastRepeat)
	return t.Done.Add(max(wait, t.Result.After)), true
}

// ended reports whether nobody needs the call any more.
func (b *Book) ended(c *Call) (entry.Draft, bool) {
	why := "closed"
	for _, id := range c.Incidents {
		n := b.needs[id-1]
		if n.closed {
			continue
		}
		if n.severity == "critical" || n.severity == "high" || c.Policy.Medium && n.severity == "medium" {
			return entry.Draft{}, false
		}
		why = "lowered"
	}
	return draft("desk", entry.CallEnded, c.ID, entry.CallEnd{ID: c.ID, Why: why}), true
}

// owedTest rings once, and waits a while for the answer: a test shows that the whole way works, the answer included.
func (b *Book) owedTest(c *Call, now time.Time) (debts []Debt, again time.Time) {
	if len(c.Tries) == 0 {
		return []Debt{b.want(c, 1, 0, plan.Ring{Person: c.Person, Channel: c.Channel}, 0)}, time.Time{}
	}
	t := c.Tries[0]
	if t.Done.IsZero() {
		return []Debt{{Send: &Send{c, t}}}, time.Time{}
	}
	if over := t.Done.Add(testRings); !t.Failed && now.Before(over) && !turnedBack(t.Done, now) {
		return nil, over
	}
	d := draft("desk", entry.CallEnded, c.ID, entry.CallEnd{ID: c.ID, Why: "tested"})
	return []Debt{{Draft: &d}}, time.Time{}
}
