package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/incident"
	"tocsin/internal/notify"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
	"tocsin/internal/tlp"
)

// answerWithin is how long an answer link works.
const answerWithin = 7 * 24 * time.Hour

// Location returns the person's time zone, UTC if it names none that this machine knows.
func (c Contact) Location() *time.Location {
	if z, err := time.LoadLocation(c.Zone); err == nil {
		return z
	}
	return time.UTC
}

// contacts opens each person's vault object once.
type contacts struct {
	mu   sync.Mutex
	desk *Desk
	by   map[string]Contact // by vault object
}

func (c *contacts) open(d *Desk) { c.desk, c.by = d, map[string]Contact{} }

// Get returns the contact in a vault object; what cannot be read is an empty one with the reason as its name.
func (c *contacts) Get(vault string) Contact {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x, ok := c.by[vault]; ok {
		return x
	}
	var x Contact
	b, err := c.desk.vault.Get(vault)
	if err == nil {
		err = json.Unmarshal(b, &x)
	}
	if err != nil {
		return Contact{Name: "(not readable: " + err.Error() + ")"}
	}
	c.by[vault] = x
	return x
}

// compose words a try: to whom, and what.
func (d *Desk) compose(s oncall.Send, twice bool) (job, error) {
	j := job{person: s.Try.Person}
	if s.Try.Channel == plan.Console {
		return j, nil
	}
	var words notify.Call
	var contact Contact
	may := false
	d.Read(func(st *State) {
		p, ok := st.Plan.People[s.Try.Person]
		if ok {
			contact = d.People.Get(p.Vault)
		}
		words = d.words(st, s.Call, s.Try.Person, exitOf(s.Try))
		may = s.Call.Test || mayAnswer(st, s.Call, s.Try.Person)
		if s.Try.Channel == plan.Voice && d.o.Phone != nil {
			j.order = d.orderOf(st, s.Call, words, s.Try.Person, contact)
		}
	})
	to, id, subject := contact.Address(s.Try.Channel), s.Try.Message+"@"+d.origin(), subjectCall(s.Call.ID)
	if to == "" && s.Try.Person != "" {
		return j, fmt.Errorf("%s has no address for %s any more", s.Try.Person, s.Try.Channel)
	}
	if s.Try.Person == "" { // a chat: whoever reads it signs in to answer
		j.Message = words.Message("", id, subject)
		return j, nil
	}
	words.Twice, words.Zone = twice, contact.Location()
	if may {
		words.Answer = d.o.URL + "/answer/" + signin.Sign(d.secret, "answer", subject, s.Try.Person, s.Try.Wanted.Add(answerWithin))
	}
	j.Message = words.Message(to, id, subject)
	if s.Try.Channel == plan.Mail {
		j.Message = d.forPerson(j.Message, s.Try.Person, contact, envelope.IncidentNeeds, callMail(s.Call.ID, s.Try.Try, s.Try.Person))
	}
	return j, nil
}

// words says what a call is about, to a person: the worst of its open incidents, and how many more. Others can read over a shoulder, and a
// server on the way: of a restricted incident it says the number and the severity, and to who is not named only that they are needed. That is also all that is said of one
// whose label keeps it inside; exit "" is a page of the console.
func (d *Desk) words(s *State, c *oncall.Call, person string, exit tlp.Exit) notify.Call {
	if c.Test {
		return notify.Call{Test: true, Sample: d.Sample(), Title: "Ring me now", At: c.Opened}
	}
	worst, more := worstOf(s, c)
	if worst == nil {
		return notify.Call{Title: "closed meanwhile", At: c.Opened}
	}
	if worst.Hides(person) {
		return notify.Call{Title: "An incident needs you: sign in", At: c.Opened, Sample: worst.Sample, Incident: d.o.URL + "/",
			Known: "It is open to some people alone, and none of them has answered yet, or can be rung. Find one of those who may have to know."}
	}
	if worst.Restricted() {
		return notify.Call{Severity: Title(worst.Severity), Title: fmt.Sprintf("A restricted incident needs you: number %d", worst.ID), At: c.Opened, More: more, Sample: worst.Sample,
			Incident: fmt.Sprintf("%s/incidents/%d", d.o.URL, worst.ID)}
	}
	if exit != "" && quietOf(s, c, exit) {
		return notify.Call{Title: bareTitle, At: c.Opened, Known: bareWords, Sample: worst.Sample, Incident: d.o.URL + "/"}
	}
	if c.Why == "late" {
		return notify.Call{Severity: Title(worst.Severity), Title: "Late: " + worst.Title, At: c.Opened, Known: d.lateWords(s, c.Call), Sample: worst.Sample, Incident: fmt.Sprintf("%s/incidents/%d", d.o.URL, worst.ID)}
	}
	return notify.Call{Severity: Title(worst.Severity), Title: worst.Title, At: worst.Happened, Known: Sentence(s, worst),
		Incident: fmt.Sprintf("%s/incidents/%d", d.o.URL, worst.ID), More: more, Sample: worst.Sample}
}

// mayAnswer reports whether a person may answer a call: not one that is only about what they may not see. They could silence it.
func mayAnswer(s *State, c *oncall.Call, person string) bool {
	worst, _ := worstOf(s, c)
	return worst == nil || !worst.Hides(person)
}

// worstOf returns the worst open incident of a call, and how many more are open.
func worstOf(s *State, c *oncall.Call) (worst *incident.Incident, more int) {
	open := 0
	for _, id := range c.Incidents {
		i, err := s.Incidents.Get(id)
		if err != nil || !i.Working() {
			continue
		}
		open++
		if worst == nil || incident.Rank(i.Severity) > incident.Rank(worst.Severity) {
			worst = i
		}
	}
	return worst, max(0, open-1)
}

// Title writes a word of ours with a capital letter.
func Title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// try sends one message and says what became of it.
func (d *Desk) try(ctx context.Context, f flight, channel string, m job, twice bool) landing {
	if m.order != nil {
		return d.phone(ctx, f, m, twice)
	}
	t, err := d.carry(ctx, channel, m.Message)
	if err != nil {
		d.log.Warn("a call failed", "call", f.call, "try", f.try, "channel", channel, "error", err)
		return d.missed(f, err, twice)
	}
	return d.sent(f, t, twice)
}

// missed is the landing of a try that failed.
func (d *Desk) missed(f flight, err error, twice bool) landing {
	r := entry.CallResult{ID: f.call, Try: f.try, Twice: twice}
	if x, ok := errors.AsType[*notify.Failure](err); ok {
		r.Temporary, r.Uncertain, r.After = x.Temporary, x.Uncertain, x.After
	}
	text, verr := d.text(err.Error())
	if verr != nil {
		d.log.Error("keeping why a call failed", "error", verr)
	}
	r.Text = text
	return landing{flight: f, kind: entry.CallFailed, result: r}
}

func subjectCall(id int64) string { return fmt.Sprintf("call:%d", id) }

// origin is the right side of our Message-IDs.
func (d *Desk) origin() string { return strings.ReplaceAll(d.ledger.Head().Origin, "/", ".") }
