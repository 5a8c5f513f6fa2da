package contact

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

// told is a book with one stakeholder by mail, one provider by phone, a text and a rule.
func newTold(t *testing.T, change func(*entry.StakeholderRule)) *ledger {
	l := &ledger{t: t}
	l.put(t0, entry.Contact{Group: Stakeholders, Ways: []string{Mail}})
	l.put(t0, entry.Contact{Group: Providers, Ways: []string{Phone}})
	d, err := l.b.PutTemplate("person:anna", entry.Template{Vault: "v", Hash: "h", Langs: []string{"en"}})
	l.add(t0, d, err)
	x := entry.StakeholderRule{Group: Stakeholders, Least: "high", Within: time.Hour, Every: 4 * time.Hour, Close: true, Template: 1}
	if change != nil {
		change(&x)
	}
	d, err = l.b.PutRule("person:anna", x)
	l.add(t0, d, err)
	return l
}

func (l *ledger) open(at time.Time, severity string) {
	l.fact(at, entry.IncidentOpened, entry.Opened{ID: 1, Title: "x", Severity: severity, Happened: at})
}

// send wants an update and has it end.
func (l *ledger) send(at time.Time, stage string, failed *entry.UpdateResult) {
	l.t.Helper()
	d, err := l.b.Want("person:anna", entry.UpdateTry{Incident: 1, Rule: 1, Contact: 1, Stage: stage, Way: Mail, Template: 1, Text: "v", Hash: "h"}, at)
	l.add(at, d, err)
	id := int64(len(l.b.Updates))
	if failed != nil {
		failed.ID = id
		l.fact(at, entry.UpdateFailed, *failed)
		return
	}
	l.fact(at, entry.UpdateSent, entry.UpdateResult{ID: id})
}

// owes holds what is owed against a line: "opened +1h late".
func (l *ledger) owes(now time.Time, want string) {
	l.t.Helper()
	got := "nothing"
	for i, d := range l.b.Owed(0, now) {
		s := fmt.Sprintf("%d %s %s", d.Contact.ID, d.Stage, d.At.Sub(t0))
		for _, x := range []struct {
			is   bool
			word string
		}{{d.Overdue, " late"}, {d.Waiting, " waiting"}, {d.Failed, " failed"}, {d.Auto(), " auto"}} {
			if x.is {
				s += x.word
			}
		}
		if i == 0 {
			got = s
		} else {
			got += "; " + s
		}
	}
	if got != want {
		l.t.Errorf("at %s is owed %q, want %q", now.Sub(t0), got, want)
	}
}

func TestOwed(t *testing.T) {
	hour := func(n float64) time.Time { return t0.Add(time.Duration(n * float64(time.Hour))) }
	l := newTold(t, nil)
	l.owes(t0, "nothing")
	l.open(hour(1), "medium")
	l.owes(hour(9), "nothing")
	l.fact(hour(10), entry.IncidentSeverity, entry.Severity{ID: 1, From: "medium", To: "critical"})
	l.owes(hour(10.5), "1 opened 11h0m0s")
	l.owes(hour(11), "1 opened 11h0m0s late")
	l.send(hour(11), Opened, nil)
	l.owes(hour(11), "1 again 15h0m0s")
	l.fact(hour(12), entry.IncidentSeverity, entry.Severity{ID: 1, From: "critical", To: "low"})
	l.owes(hour(16), "1 again 15h0m0s late") // who heard the first word hears the last one
	d, err := l.b.Waive("person:anna", entry.UpdateWaiver{Incident: 1, Rule: 1, Contact: 1, Stage: Again, Text: "v"}, hour(16))
	l.add(hour(16), d, err)
	l.owes(hour(16), "1 again 20h0m0s")
	l.fact(hour(17), entry.IncidentClosed, entry.Closed{ID: 1, Verdict: "false"})
	l.owes(hour(17), "1 closed 18h0m0s")
	if _, err := l.b.Want("a", entry.UpdateTry{Incident: 1, Rule: 1, Contact: 1, Stage: Again, Way: Mail, Text: "v"}, hour(17)); err != ErrNotOwed {
		t.Errorf("a word of a stage that is over: %v", err)
	}
	l.send(hour(17.5), Closed, nil)
	l.owes(hour(100), "nothing")
	l.fact(hour(101), entry.IncidentReopened, entry.Reopened{ID: 1})
	l.owes(hour(101), "1 again 21h30m0s late")
}

func TestOwedNot(t *testing.T) {
	l := newTold(t, nil)
	l.fact(t0, entry.IncidentOpened, entry.Opened{ID: 1, Severity: "critical", History: true})
	l.owes(t0.Add(time.Hour), "nothing") // history
	l = newTold(t, nil)
	l.open(t0, "critical")
	l.fact(t0, entry.IncidentClosed, entry.Closed{ID: 1, Verdict: "false"})
	l.owes(t0.Add(time.Hour), "nothing") // a false alarm of which nobody heard
	l = newTold(t, nil)
	l.open(t0, "critical")
	l.fact(t0, entry.IncidentClosed, entry.Closed{ID: 1, Verdict: "true"})
	l.owes(t0, "1 closed 1h0m0s") // the first word is the last one
	l = newTold(t, func(r *entry.StakeholderRule) { r.Impacts = []string{"loss"} })
	l.open(t0, "critical")
	l.owes(t0, "nothing")
	l.fact(t0.Add(time.Minute), entry.AlertRaised, entry.Alert{ID: "a", Impact: "attempt", Incident: 1})
	l.owes(t0.Add(time.Hour), "nothing")
	l.fact(t0.Add(2*time.Hour), entry.AlertGrew, entry.AlertGrowth{ID: "a", Impact: "loss"})
	l.owes(t0.Add(2*time.Hour), "1 opened 3h0m0s")
	l = newTold(t, func(r *entry.StakeholderRule) { r.Group, r.Contact = "", 2 })
	l.open(t0, "high")
	l.owes(t0, "2 opened 1h0m0s")
	if _, err := l.b.Remove("a", 2, ""); err == nil || !strings.Contains(err.Error(), "rule 1") {
		t.Errorf("a contact that a rule names: %v", err)
	}
	if _, err := l.b.Told("person:anna", entry.UpdateTry{Incident: 1, Rule: 1, Contact: 2, Stage: Opened, Way: Mail, Text: "v"}, t0); err == nil {
		t.Error("a mail to who has none")
	}
	ds, err := l.b.Told("person:anna", entry.UpdateTry{Incident: 1, Rule: 1, Contact: 2, Stage: Opened, Way: Phone}, t0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ds {
		l.add(t0, d, nil)
	}
	l.owes(t0, "2 again 4h0m0s")
}

// A mail is sent again after a temporary failure, with the same Message-ID; one that failed for good waits for a person.
func TestSends(t *testing.T) {
	l := newTold(t, func(r *entry.StakeholderRule) { r.Auto = true })
	l.open(t0, "high")
	due := t0.Add(time.Hour)
	l.owes(due, "1 opened 1h0m0s late auto")
	d, err := l.b.Want("desk", entry.UpdateTry{Incident: 1, Rule: 1, Contact: 1, Stage: Opened, Way: Mail, Text: "v", Hash: "h"}, due)
	l.add(due, d, err)
	l.owes(due, "1 opened 1h0m0s late waiting")
	if _, err := l.b.Want("desk", entry.UpdateTry{Incident: 1, Rule: 1, Contact: 1, Stage: Opened, Way: Mail, Text: "v"}, due); err == nil {
		t.Error("a second one while the first is under way")
	}
	drafts, sends, _ := l.b.Sends(due)
	if len(drafts) != 0 || len(sends) != 1 || sends[0].Message != "update-1" {
		t.Fatalf("%v %v", drafts, sends)
	}
	now := due
	for i := range maxAgains {
		l.fact(now, entry.UpdateFailed, entry.UpdateResult{ID: int64(i + 1), Temporary: true, Uncertain: i == 0})
		l.owes(now, "1 opened 1h0m0s late waiting")
		if drafts, _, again := l.b.Sends(now); len(drafts) != 0 || !again.After(now) {
			t.Fatalf("at once again: %v %v", drafts, again)
		}
		now = now.Add(lastAgain)
		drafts, _, _ := l.b.Sends(now)
		if len(drafts) != 1 {
			t.Fatalf("try %d: %d drafts", i+2, len(drafts))
		}
		if x := drafts[0].Body.(entry.UpdateTry); x.Message != "update-1" || !x.Twice || x.Again != int64(i+1) {
			t.Fatalf("%+v", x)
		}
		l.add(now, drafts[0], nil)
	}
	l.fact(now, entry.UpdateFailed, entry.UpdateResult{ID: maxAgains + 1, Temporary: true})
	if drafts, sends, again := l.b.Sends(now.Add(time.Hour)); len(drafts)+len(sends) != 0 || !again.IsZero() {
		t.Errorf("it never ends: %v %v %v", drafts, sends, again)
	}
	l.owes(now, "1 opened 1h0m0s late failed")
	l.send(now.Add(time.Minute), Opened, nil) // a person tries once more
	l.owes(now.Add(time.Minute), fmt.Sprintf("1 again %s", now.Add(time.Minute+4*time.Hour).Sub(t0)))
}
