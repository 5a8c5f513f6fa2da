package desk

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

// Reports of non-delivery. What came back was not delivered, whatever the first server said: the try failed, for good, so the next step rings when nobody
// else of this one can hear it. A report is believed by the token in the address to which it came, and can only speak of that message.

// bounceForm is what forPerson and forAddress name a message by.
var bounceForm = regexp.MustCompile(`^(?:(call|notice)([0-9]{1,18})\.([0-9]{1,9})\.[a-z0-9._]+|(update)([0-9]{1,18})|(change)([0-9]{1,9})\.[a-z0-9._]+)$`)

// stuckAfter is how often a report is tried before it stands among the problems: by then the program has waited for a minute.
const stuckAfter = 5

// looked notes that the mailbox can be read, and what in it cannot be taken.
func (d *Desk) looked(l notify.Look) {
	up, why := true, ""
	if l.Tries >= stuckAfter {
		up, why = false, fmt.Sprintf("%d in the mailbox could not be taken, one of them %d times; the log says why", l.Waiting, l.Tries)
	}
	if d.mailbox.is(time.Now(), up, time.Time{}, why) {
		if up {
			d.log.Info("the mailbox for reports of non-delivery is read")
		} else {
			d.log.Warn("reports of non-delivery cannot be taken", "waiting", l.Waiting, "tries", l.Tries)
		}
		d.changed.say()
	}
	if l.Forged > 0 {
		d.log.Warn("reports of non-delivery carried no token of ours and were not believed", "count", l.Forged)
	}
}

// bounced takes one report. notify.ErrLater means that it cannot be taken yet.
func (d *Desk) bounced(r notify.Report) error {
	if r.Complaint != "" {
		d.log.Warn("somebody reported our mail as unwanted", "message", r.Ref, "kind", r.Complaint)
		return nil
	}
	words := ""
	for _, o := range r.Outcomes {
		switch {
		case o.Failed() && words == "":
			words = cameBack(o, r.By)
		case o.Waits():
			d.log.Info("a mail server still tries to deliver our mail", "message", r.Ref, "status", o.Status)
		}
	}
	at := bounceForm.FindStringSubmatch(r.Ref)
	if words == "" || at == nil {
		return nil
	}
	var news bool
	var err error
	d.Read(func(s *State) { // before its words are kept: the same report may come again and again
		x, wrong := bounceOf(s, r.Ref, at, "")
		news, err = x != nil, wrong
	})
	if err != nil || !news {
		return err
	}
	text, err := d.text(words)
	if err != nil {
		d.log.Error("keeping why a mail came back", "error", err)
		return notify.ErrLater
	}
	err = d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		x, err := bounceOf(s, r.Ref, at, text)
		if x == nil || err != nil {
			return nil, err
		}
		return []entry.Draft{*x}, nil
	})
	switch {
	case errors.Is(err, notify.ErrLater):
		return err
	case err != nil:
		d.log.Error("writing that a mail came back", "message", r.Ref, "error", err)
		return notify.ErrLater
	}
	d.log.Warn("a mail came back", "message", r.Ref)
	return nil
}

// bounceOf is the entry of what came back; nil when it is known already, or is of nothing that we know.
func bounceOf(s *State, ref string, at []string, text string) (*entry.Draft, error) {
	number := func(k int) int64 {
		n, _ := strconv.ParseInt(at[k], 10, 64)
		return n
	}
	var open, failed bool
	var x entry.Draft
	switch {
	case at[1] == "call":
		c, err := s.Calls.Get(number(2))
		n := int(number(3))
		if err != nil || n < 1 || n > len(c.Tries) {
			return nil, nil
		}
		t := c.Tries[n-1]
		if t.Channel != plan.Mail || callMail(c.ID, n, t.Person) != ref {
			return nil, nil
		}
		r := t.Result
		open, failed = t.Done.IsZero(), t.Failed && !r.Temporary
		x = entry.Draft{Kind: entry.CallFailed, Subject: subjectCall(c.ID), Body: entry.CallResult{ID: c.ID, Try: n, Twice: r.Twice, Form: r.Form, Less: r.Less, Text: text, Why: oncall.Bounced}}
	case at[1] == "notice":
		id, n := number(2), int(number(3))
		if id < 1 || id > int64(len(s.Notices.List)) {
			return nil, nil
		}
		found := false
		for _, t := range s.Notices.List[id-1].Tries {
			if t.Try == n && t.Channel == plan.Mail && noticeMail(id, n, t.Person) == ref {
				r := t.Result
				found, open, failed = true, t.Done.IsZero(), t.Failed && !r.Temporary
				x = entry.Draft{Kind: entry.NoticeFailed, Subject: fmt.Sprintf("notice:%d", id), Body: entry.NoticeResult{ID: id, Try: n, Twice: r.Twice, Form: r.Form, Less: r.Less, Text: text, Why: oncall.Bounced}}
			}
		}
		if !found {
			return nil, nil
		}
	case at[6] == "change":
		n := int(number(7))
		t, found := s.Factors.Try(n)
		if !found || t.Channel != plan.Mail || changeMail(n, t.Person) != ref {
			return nil, nil
		}
		r := t.Result
		open, failed = t.Done.IsZero(), t.Failed && !r.Temporary
		x = entry.Draft{Kind: entry.ChangeFailed, Subject: "person:" + t.Person, Body: entry.NoticeResult{Try: n, Twice: r.Twice, Form: r.Form, Less: r.Less, Text: text, Why: oncall.Bounced}}
	default:
		id := number(5)
		if id < 1 || id > int64(len(s.Contacts.Updates)) {
			return nil, nil
		}
		u := s.Contacts.Updates[id-1]
		r := u.Result
		open, failed = u.Done.IsZero(), u.Failed && !r.Temporary
		x = entry.Draft{Kind: entry.UpdateFailed, Subject: fmt.Sprintf("incident:%d", u.Incident), Body: entry.UpdateResult{ID: id, Twice: r.Twice, Form: r.Form, Less: r.Less, Text: text, Why: oncall.Bounced}}
	}
	if open {
		return nil, notify.ErrLater // the report came before we wrote that the message was taken
	}
	if failed {
		return nil, nil
	}
	x.Actor = "desk"
	return &x, nil
}

// cameBack words why, from what others wrote.
func cameBack(o notify.Outcome, by string) string {
	words := "The mail was taken, and came back: it was not delivered"
	if o.Dead() {
		words += ", because there is no such mailbox"
	}
	if o.Words != "" {
		words += ". The last server said: " + strings.TrimRight(oneLine(o.Words, 300), ".")
	}
	if o.Status != "" {
		words += " (" + o.Status + ")"
	}
	if by != "" {
		words += ". Reported by " + oneLine(by, 100)
	}
	return words + "."
}
