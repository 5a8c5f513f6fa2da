package playbook

import (
	"testing"
	"time"

	"tocsin/internal/entry"
)

// Given a run of an incident that becomes part of another, when time passes, then its clocks go on while the other is open, it follows what is answered there, and it rests
// while that is closed.
func TestARunGoesOnInTheOther(t *testing.T) {
	p, findings := Read("small.yaml", []byte(`playbook: small
title: Small
summary: Something is wrong.
owner: commander
phases:
  - phase: identification
    steps:
      - {step: look, role: analyst, what: Look, why: To know., how: With your eyes., done: You know., within: 30m}
`))
	if p == nil {
		t.Fatal(findings)
	}
	s := &Runs{Text: func(string) *Playbook { return p }}
	n, now := int64(0), t0
	tell := func(k entry.Kind, body any) {
		t.Helper()
		n++
		e, _, err := entry.Make(n, now, entry.Draft{Actor: "desk", Kind: k, Subject: "x:1", Body: body})
		if err == nil {
			_, err = s.Apply(e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(name string, working, owed int) {
		t.Helper()
		if got, late := len(s.Working()), len(s.Owed(now)); got != working || late != owed {
			t.Errorf("%s: %d runs are worked on and %d calls are owed, want %d and %d", name, got, late, working, owed)
		}
	}
	tell(entry.IncidentOpened, entry.Opened{ID: 1, Severity: "low"})
	tell(entry.IncidentOpened, entry.Opened{ID: 2, Severity: "high"})
	tell(entry.PlaybookPut, entry.Playbook{ID: "small", Revision: "r", Vault: "v", From: "shipped"})
	tell(entry.RunBegun, entry.Run{ID: 1, Incident: 1, Playbook: "small", Revision: "r"})
	tell(entry.IncidentMerged, entry.Merge{Incident: 1, Into: 2, Text: "w"})
	want("merged", 1, 0)
	if got := s.All[0].Answer(Severity).Value; got != "high" {
		t.Errorf("the severity that it reads is %q", got)
	}
	tell(entry.FactAnswered, entry.Fact{Incident: 2, Fact: Affected, Value: "customers"})
	if got := s.All[0].Answer(Affected).Value; got != "customers" {
		t.Errorf("whom it touches is %q", got)
	}
	now = now.Add(40 * time.Minute)
	want("late", 1, 1)
	tell(entry.IncidentClosed, entry.Closed{ID: 2, Verdict: "true", Text: "w"})
	want("closed", 0, 0)
	tell(entry.IncidentReopened, entry.Reopened{ID: 2, Text: "w"})
	want("reopened", 1, 0)
	tell(entry.IncidentUnmerged, entry.Merge{Incident: 1, Into: 2, Text: "w"})
	tell(entry.IncidentClosed, entry.Closed{ID: 2, Verdict: "true", Text: "w"})
	want("taken out", 1, 0)
	now = now.Add(40 * time.Minute)
	want("taken out and late", 1, 1)
}
