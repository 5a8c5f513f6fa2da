package playbook

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

// What a second person, a second revision and a second time may not take away.

const second = `playbook: second
title: Second
summary: Somebody comes second.
signs: [two]
suggest: {titles: [two]}
owner: commander
review: 90
facts:
  - {fact: where, ask: Where?, of: [here, there, unknown]}
  - {fact: how, ask: How?}
phases:
  - phase: identification
    steps:
      - {step: look, role: analyst, what: Look, why: w, how: h, done: d, asks: [where, how], within: 30m, after: []}
      - {step: again, role: engineer, what: Look again, why: w, how: h, done: d, asks: [where, how], after: []}
      - {step: wipe, role: engineer, what: Wipe, why: w, how: h, done: d, approve: commander, after: []}
`

// A desk writes what was decided, as the ledger would.
type scene struct {
	*testing.T
	runs *Runs
	now  time.Time
	n    int64
}

func newScene(t *testing.T, texts map[string]string) *scene {
	s := &scene{T: t, now: t0, runs: &Runs{Text: func(revision string) *Playbook {
		p, _ := Read("second.yaml", []byte(texts[revision]))
		return p
	}}}
	s.write(entry.Draft{Actor: "desk", Kind: entry.IncidentOpened, Subject: "incident:1", Body: entry.Opened{ID: 1, Severity: "high"}}, nil)
	s.write(s.runs.Put("desk", entry.Playbook{ID: "second", Revision: "r1", Vault: "v1", From: "shipped"}))
	d, _, err := s.runs.Begin("person:anna", 1, "second", "chosen")
	s.write(d, err)
	return s
}

func (s *scene) write(d entry.Draft, err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
	s.n++
	e, _, err := entry.Make(s.n, s.now, d)
	if err == nil {
		_, err = s.runs.Apply(e)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// late writes what is owed now, and returns the roles that are rung.
func (s *scene) late() string {
	var roles []string
	for range 3 {
		for _, x := range s.runs.Owed(s.now) {
			roles = append(roles, x.Role)
			s.write(s.runs.Late(x), nil)
		}
	}
	return strings.Join(roles, " ")
}

func work(step, person string) entry.StepWork {
	return entry.StepWork{Run: 1, Step: step, Person: person, Role: "commander"}
}

// Given a step that was rung for, when its incident is closed and opened again, or the step comes back, then it rings anew when its new time is over, and once.
func TestLateStepsRingAnew(t *testing.T) {
	closing := entry.Draft{Actor: "desk", Kind: entry.IncidentClosed, Subject: "incident:1", Body: entry.Closed{ID: 1, Verdict: "true", Text: "v"}}
	opening := entry.Draft{Actor: "desk", Kind: entry.IncidentReopened, Subject: "incident:1", Body: entry.Reopened{ID: 1, Text: "v"}}
	s := newScene(t, map[string]string{"r1": second})
	for _, tt := range []struct {
		given string
		after time.Duration
		do    []entry.Draft
		rings string
	}{
		{"in time", 29 * time.Minute, nil, ""},
		{"late", time.Minute, nil, "analyst"},
		{"later", 15 * time.Minute, nil, "commander"},
		{"much later", time.Hour, nil, ""},
		{"closed", time.Hour, []entry.Draft{closing}, ""},
		{"opened again", time.Hour, []entry.Draft{opening}, ""},
		{"late again", 30 * time.Minute, nil, "analyst"},
		{"later again", 15 * time.Minute, nil, "commander"},
		{"for ever", 24 * time.Hour, nil, ""},
	} {
		s.now = s.now.Add(tt.after)
		for _, d := range tt.do {
			s.write(d, nil)
		}
		if got := s.late(); got != tt.rings {
			t.Errorf("%s: it rings %q; want %q", tt.given, got, tt.rings)
		}
	}
}

// Given a step that somebody does, when another takes it who saw nobody do it, then they are refused; who saw them may.
func TestTakenMeanwhile(t *testing.T) {
	s := newScene(t, map[string]string{"r1": second})
	s.write(s.runs.Take("person:anna", work("look", "anna"), ""))
	for _, tt := range []struct {
		person, from string
		taken        bool
	}{
		{"boris", "", true},
		{"boris", "carla", true},
		{"boris", "anna", false},
	} {
		if _, err := s.runs.Take("person:boris", work("look", tt.person), tt.from); errors.Is(err, ErrTaken) != tt.taken || !tt.taken && err != nil {
			t.Errorf("%s, who saw %q do it: %v", tt.person, tt.from, err)
		}
	}
	s.write(s.runs.Leave("person:anna", 1, "look", "anna", ""))
	s.write(s.runs.Take("person:boris", work("look", "boris"), "anna")) // nobody is robbed
}

// Given an answer that stands, when another step answers otherwise, then it is refused; it is not when nobody knew, or the step was opened again.
func TestAnswersAreNotWrittenOver(t *testing.T) {
	s := newScene(t, map[string]string{"r1": second})
	finish := func(step, where, how string) error {
		_, err := s.runs.Finish("person:boris", entry.StepResult{Run: 1, Step: step, Person: "boris", Answers: []entry.Fact{{Fact: "where", Value: where}, {Fact: "how", Text: how}}})
		return err
	}
	s.write(s.runs.Say("person:anna", entry.Fact{Run: 1, Fact: "where", Value: "unknown", Person: "anna"}))
	if err := finish("look", "there", "v1"); err != nil {
		t.Errorf("nobody knew: %v", err)
	}
	s.write(s.runs.Finish("person:anna", entry.StepResult{Run: 1, Step: "look", Person: "anna", Answers: []entry.Fact{{Fact: "where", Value: "here"}, {Fact: "how", Text: "v1"}}}))
	for _, tt := range []struct{ where, how, fact string }{{"here", "v1", ""}, {"there", "v1", "where"}, {"here", "v2", "how"}} {
		a, other := errors.AsType[*Answered](finish("again", tt.where, tt.how))
		if other != (tt.fact != "") || other && (a.Fact != tt.fact || a.Was.Person != "anna") {
			t.Errorf("%s, %s: %+v", tt.where, tt.how, a)
		}
	}
	s.write(s.runs.Reopen("person:anna", 1, "look", "anna", "v3"))
	if err := finish("look", "there", "v2"); err != nil {
		t.Errorf("a step that is done again: %v", err)
	}
}

// Given a step that was agreed to, when its run is taken to a revision where it says something else, then it must be agreed to again; where only others changed it stands.
func TestAgreementIsToWhatWasRead(t *testing.T) {
	for _, tt := range []struct {
		given, old, new string
		stands          bool
	}{
		{"another step", "what: Look,", "what: Look well,", true},
		{"another deadline", "within: 30m", "within: 45m", true},
		{"other words", "what: Wipe,", "what: Wipe all,", false},
		{"another way", "what: Wipe, why: w, how: h,", "what: Wipe, why: w, how: other,", false},
		{"another approver", "approve: commander", "approve: legal", false},
		{"an action", "approve: commander,", "approve: commander, action: {do: incident.hold},", false},
	} {
		s := newScene(t, map[string]string{"r1": second, "r2": strings.Replace(second, tt.old, tt.new, 1)})
		if s.runs.Text("r2") == nil {
			_, f := Read("second.yaml", []byte(strings.Replace(second, tt.old, tt.new, 1)))
			t.Fatalf("%s: %v", tt.given, f)
		}
		s.write(s.runs.Approve("person:anna", work("wipe", "anna")))
		s.write(s.runs.Put("person:anna", entry.Playbook{ID: "second", Revision: "r2", Vault: "v2", From: "console", By: "anna", Approver: "carla", Text: "v"}))
		s.write(s.runs.Move("person:anna", 1, "r2", "v"))
		if _, err := s.runs.Finish("person:boris", entry.StepResult{Run: 1, Step: "wipe", Person: "boris"}); (err == nil) != tt.stands {
			t.Errorf("%s: %v", tt.given, err)
		}
	}
}

// Given a run whose text could not be read, when it can be, then its steps are there and their clocks run from then.
func TestATextThatComesBack(t *testing.T) {
	texts := map[string]string{}
	s := newScene(t, texts)
	r := s.runs.All[0]
	if r.Book() != nil || len(r.Open(s.now)) != 0 {
		t.Fatal("it is read of nothing")
	}
	s.now = s.now.Add(time.Hour)
	s.runs.Reread(s.now)
	texts["r1"] = second
	s.runs.Reread(s.now)
	if open := r.Open(s.now); len(open) != 3 || !open[0].Due.Equal(s.now.Add(30*time.Minute)) || len(s.runs.Working()) != 1 {
		t.Errorf("%+v", open)
	}
}

// Given names of playbooks, then what can be no file and no address of the console is refused.
func TestNamesOfPlaybooks(t *testing.T) {
	for id, taken := range map[string]bool{"second": true, "web-shell-2": true, "a--b": false, "x-": false, "new": false, "print": false, "glossary": false, "import": false, "new-shop": true, "Second": false} {
		p, findings := Read("x.yaml", []byte(strings.Replace(second, "playbook: second", "playbook: "+id, 1)))
		if (p != nil) != taken || BookID(id) != taken || !taken && len(findings) != 1 {
			t.Errorf("%s: %v, %v", id, p != nil, findings)
		}
	}
}
