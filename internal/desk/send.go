package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/notify"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

// answerWithin is how long an answer link works.
const answerWithin = 7 * 24 * time.Hour

// A Contact is how a person is reached. It lies in the vault; the ledger knows the person by id.
type Contact struct {
	Name    string `json:"name"`
	Mail    string `json:"mail,omitempty"`
	Webhook string `json:"webhook,omitempty"` // the address of a Slack-format incoming webhook: a secret
	Voice   string `json:"voice,omitempty"`   // a phone: +49301234567, or sips:anna@example.com
	SMS     string `json:"sms,omitempty"`     // a phone: +49301234567
	Push    string `json:"push,omitempty"`    // where a push service takes messages for this person: a secret
	Zone    string `json:"zone,omitempty"`    // IANA name; "" is UTC
}

// Address returns where a channel reaches the person, "" when it does not.
func (c Contact) Address(channel string) string {
	switch channel {
	case plan.Mail:
		return c.Mail
	case plan.Webhook:
		return c.Webhook
	case plan.Voice:
		return c.Voice
	case plan.SMS:
		return c.SMS
	case plan.Push:
		return c.Push
	}
	return ""
}

var (
	phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`) // E.164
	sipForm   = regexp.MustCompile(`^sips?:[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$`)
)

// checkNumbers says what is wrong with a contact's phones and push address.
func checkNumbers(c Contact) error {
	if c.Voice != "" && !phoneForm.MatchString(c.Voice) && !sipForm.MatchString(c.Voice) {
		return FieldError{"voice", "This is no phone: write +49301234567, with the country and without spaces, or sips:anna@example.com."}
	}
	if c.SMS != "" && !phoneForm.MatchString(c.SMS) {
		return FieldError{"sms", "This is no phone for text messages: write +49301234567, with the country and without spaces."}
	}
	if u, err := url.Parse(c.Push); c.Push != "" && (err != nil || u.Host == "" || u.Scheme == "" || len(c.Push) > 500) {
		return FieldError{"push", "This is no address of a push service: write one such as https://ntfy.example.com/topic."}
	}
	return nil
}

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
func (d *Desk) compose(s oncall.Send, twice bool) (notify.Message, error) {
	if s.Try.Channel == plan.Console {
		return notify.Message{}, nil
	}
	var words notify.Call
	var contact Contact
	d.Read(func(st *State) {
		p, ok := st.Plan.People[s.Try.Person]
		if ok {
			contact = d.People.Get(p.Vault)
		}
		words = d.words(st, s.Call)
	})
	to := contact.Address(s.Try.Channel)
	if to == "" && s.Try.Person != "" {
		return notify.Message{}, fmt.Errorf("%s has no address for %s any more", s.Try.Person, s.Try.Channel)
	}
	if s.Try.Person == "" { // a chat: whoever reads it signs in to answer
		return words.Message("", s.Try.Message+"@"+d.origin(), subjectCall(s.Call.ID)), nil
	}
	words.Twice, words.Zone = twice, contact.Location()
	words.Answer = d.o.URL + "/answer/" + signin.Sign(d.secret, "answer", subjectCall(s.Call.ID), s.Try.Person, s.Try.Wanted.Add(answerWithin))
	return words.Message(to, s.Try.Message+"@"+d.origin(), subjectCall(s.Call.ID)), nil
}

// words says what a call is about: the worst of its open incidents, and how many more.
func (d *Desk) words(s *State, c *oncall.Call) notify.Call {
	if c.Test {
		return notify.Call{Test: true, Sample: d.Sample(), Title: "Ring me now", At: c.Opened}
	}
	worst, more := worstOf(s, c)
	if worst == nil {
		return notify.Call{Title: "closed meanwhile", At: c.Opened}
	}
	return notify.Call{Severity: Title(worst.Severity), Title: worst.Title, At: worst.Happened, Known: Sentence(s, worst),
		Incident: fmt.Sprintf("%s/incidents/%d", d.o.URL, worst.ID), More: more, Sample: worst.Sample}
}

// worstOf returns the worst open incident of a call, and how many more are open.
func worstOf(s *State, c *oncall.Call) (worst *incident.Incident, more int) {
	open := 0
	for _, id := range c.Incidents {
		i, err := s.Incidents.Get(id)
		if err != nil || i.Closed {
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
func (d *Desk) try(ctx context.Context, f flight, channel string, m notify.Message, twice bool) landing {
	var err error
	sender := d.o.Senders[channel]
	if sender == nil {
		err = fmt.Errorf("no %s sender is configured: see tocsin.yaml", channel)
	} else {
		err = sender(ctx, m)
	}
	if err != nil {
		d.log.Warn("a call failed", "call", f.call, "try", f.try, "channel", channel, "error", err)
		return d.missed(f, err, twice)
	}
	return landing{flight: f, kind: entry.CallSent, result: entry.CallResult{ID: f.call, Try: f.try, Twice: twice}}
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
