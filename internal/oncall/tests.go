package oncall

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

const (
	testRings    = 10 * time.Minute   // how long a test waits for its answer
	monthlyRings = 2 * time.Hour      // and one that nobody asked for
	testAgain    = 7 * 24 * time.Hour // after a test that nobody answered
	testFirst    = 24 * time.Hour     // after a person came
	testLate     = 5 * 24 * time.Hour // a test may be so much later than it is owed before its channel is unproven
	testFrom     = 10                 // hours of the day, by the person's clocks, Monday to Friday
	testUntil    = 16
)

// Monthly is why a test rings that nobody asked for (entry.Call.Why).
const Monthly = "monthly"

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

// owedTest rings once, and waits a while for the answer: a test shows that the whole way works, the answer included.
func (b *Book) owedTest(c *Call, l *look) []Debt {
	if len(c.Tries) == 0 {
		return []Debt{debt(entry.CallWanted, c.ID, entry.CallTry{ID: c.ID, Try: 1, Person: c.Person, Channel: c.Channel, Message: fmt.Sprintf("call-%d-1", c.ID)})}
	}
	t := c.Tries[0]
	if t.Done.IsZero() {
		return []Debt{{Send: &Send{c, t}}}
	}
	waits := testRings
	if c.Why == Monthly {
		waits = monthlyRings
	}
	if over := t.Done.Add(waits); !t.Failed && l.now.Before(over) && !turnedBack(t.Done, l.now) {
		l.sooner(over)
		return nil
	}
	return []Debt{debt(entry.CallEnded, c.ID, entry.CallEnd{ID: c.ID, Why: "tested"})}
}

// owedTests asks for the test that is owed longest, one at a time, and none while anything rings: nobody must take a call for a test.
func (b *Book) owedTests(l *look) []Debt {
	if l.p.Tests <= 0 || len(b.ringing) > 0 {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(l.p.People)) {
		x := l.p.People[id]
		if x.Gone {
			continue
		}
		for _, channel := range x.Channels {
			at := b.testAt(l.p, id, channel, l.now)
			if l.now.Before(at) {
				l.sooner(at)
				continue
			}
			n := int64(len(b.Calls)) + 1
			return []Debt{debt(entry.CallOpened, n, entry.Call{ID: n, Test: true, Person: id, Channel: channel, Why: Monthly})}
		}
	}
	return nil
}

// testAt says when a channel of a person is to be tested next: from when it is owed, at the first moment that is within working hours of the
// person, not in their quiet hours, and on a minute of its own, so that not everybody is rung at once.
func (b *Book) testAt(p *plan.Plan, person, channel string, now time.Time) time.Time {
	owed := p.Since[person].Add(testFirst)
	if c := b.testOf(person, channel); c != nil {
		wait := testAgain
		if c.Ended == "" || p.Tests < wait {
			wait = p.Tests
		}
		owed = c.Opened.Add(wait)
		if turnedBack(c.Opened, now) {
			owed = now
		}
	}
	from := owed
	if now.After(from) {
		from = now
	}
	zone, quiet := p.ZoneOf(person), p.Ways[person].Quiet
	h := fnv.New32a()
	_, _ = h.Write([]byte(person + "\x00" + channel))
	minute := int(h.Sum32() % 60)
	l := from.In(zone)
	for day := range 15 {
		for hour := testFrom; hour < testUntil; hour++ {
			at := time.Date(l.Year(), l.Month(), l.Day()+day, hour, minute, 0, 0, zone)
			if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday || quiet != nil && plan.Within(*quiet, at, zone) {
				continue
			}
			if !at.Before(from.Truncate(time.Minute)) {
				return at.UTC()
			}
		}
	}
	return from.Add(24 * time.Hour) // quiet all through working hours: it is asked again, and stays unproven
}

// testOf returns the last test of a channel that is over, or rings.
func (b *Book) testOf(person, channel string) *Call {
	c, _ := b.Get(b.tested[way{person, channel}])
	return c
}

// LastTest returns the last test of a channel of a person, or nil.
func (b *Book) LastTest(person, channel string) *Call { return b.testOf(person, channel) }

// What is known of a channel.
const (
	Proven   = "proven"  // the last test was answered, and is not too old
	Never    = "never"   // was never tested
	Failing  = "failing" // the last test could not be sent
	Silent   = "silent"  // the last test was sent, and nobody answered it
	TooOld   = "old"     // the last test was answered, and is too old
	Testing  = "testing" // a test rings
	NoWayYet = "noway"   // the person has no channel at all
	CameBack = "bounced" // a mail to them came back since the last test
)

// A Proof is what is known of one channel of one person.
type Proof struct {
	Person  string
	Channel string
	State   string // Proven, or why it is unproven
	Call    int64  // the last test; 0 is none
	At      time.Time
}

// Readiness says of each channel of each person whether it is proven, and how many of 100 are. Without anybody it is 0.
func (b *Book) Readiness(p *plan.Plan, now time.Time) (proofs []Proof, percent int) {
	every := p.Tests
	if every <= 0 {
		every = 30 * 24 * time.Hour
	}
	good := 0
	for _, id := range slices.Sorted(maps.Keys(p.People)) {
		x := p.People[id]
		if x.Gone {
			continue
		}
		if len(x.Channels) == 0 {
			proofs = append(proofs, Proof{Person: id, State: NoWayYet})
		}
		for _, channel := range x.Channels {
			f := Proof{Person: id, Channel: channel, State: Never}
			if c := b.testOf(id, channel); c != nil {
				f.Call, f.At, f.State = c.ID, c.Opened, proofOf(c, every, now)
			}
			if back := b.back[way{id, channel}]; !back.IsZero() && back.After(f.At) && f.State != Testing {
				f.State = CameBack
			}
			if f.State == Proven {
				good++
			}
			proofs = append(proofs, f)
		}
	}
	if len(proofs) > 0 {
		percent = 100 * good / len(proofs)
	}
	return proofs, percent
}

func proofOf(c *Call, every time.Duration, now time.Time) string {
	switch {
	case len(c.Tries) > 0 && c.Tries[0].Failed:
		return Failing
	case c.Rings():
		return Testing
	case c.Ended != "":
		return Silent
	case now.Sub(c.Opened) > every+testLate:
		return TooOld
	}
	return Proven
}
