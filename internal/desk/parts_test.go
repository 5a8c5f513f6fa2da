package desk

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
)

// Given an incident with a playbook, a decision, a file and a cause, when it becomes part of another, then all of it is worked on there, stands in its report, and no second
// playbook begins.
func TestAPartIsWorkedOnInTheWhole(t *testing.T) {
	d, err := Open(slog.New(slog.NewTextHandler(io.Discard, nil)), Options{Version: "test", Data: disk.NewLossy(), Keys: disk.NewLossy(), Rules: &detect.Rules{},
		Plan: fsOf([]byte(strings.Replace(fire, "asks: [where, big], within: 30m", "asks: [where, big], evidence: [smoke, ash], within: 30m", 1))), URL: "http://localhost:1", Senders: map[string]Sender{}})
	must(t, err)
	defer func() { must(t, d.Close()) }()
	anna, eve := person("anna", plan.Commander), person("eve", plan.Analyst)
	must(t, d.PutPerson(Local("config"), "anna", anna.Roles, Contact{Name: "anna"}, false), d.PutPerson(Local("config"), "eve", eve.Roles, Contact{Name: "eve"}, false))
	for _, what := range []string{"it burns", "smoke elsewhere"} {
		_, err := d.Report(anna, what)
		must(t, err)
	}
	_, err = d.BeginRun(anna, 1, "fire")
	must(t, err)
	_, err = d.AskDecision(anna, 1, DecisionAsk{Question: "Leave the house?", Options: []string{"yes", "no"}})
	must(t, err)
	_, err = d.AddFile(eve, 1, FileText{Name: "smoke.png", Kind: "image", From: "the roof", Why: "smoke"}, strings.NewReader("grey"))
	must(t, err, d.PutCause(anna, 1, CauseText{Class: "person", Sum: "a candle", Whys: []ReasonText{{Text: "it was lit", Links: nil}}}), d.Merge(anna, 1, 2, "one fire"))
	_, err = d.AddFile(eve, 2, FileText{Name: "ash.png", Kind: "image", From: "the floor", Why: "ash"}, strings.NewReader("black"))
	must(t, err)

	if next, run, ok := d.NextStep(eve, 2, ""); !ok || run != 1 || next.ID != "look" {
		t.Errorf("eve's next step is %v of run %d, %v", next, run, ok)
	}
	if work, all := d.MyWork(eve, 9); all != 1 || work[0].Incident != 2 || work[0].Step != "look" {
		t.Errorf("eve's work is %+v", work)
	}
	done := StepDone{Run: 1, Step: "look", Found: "smoke", Answers: map[string]string{"where": "the cellar", "big": "no"}}
	must(t, d.TakeStep(eve, 1, "look", ""))
	for name, tt := range map[string]struct {
		evidence []string
		why      string
		says     string
	}{
		"without evidence":      {nil, "", "This step expects evidence: smoke, ash"},
		"with a part of it":     {[]string{"1"}, "", "expects evidence"},
		"the same twice":        {[]string{"1", "1"}, " ", "expects evidence"},
		"of an incident beside": {[]string{"3/1"}, "", "no attachment"},
	} {
		done.Evidence, done.Without = tt.evidence, tt.why
		if err := d.FinishStep(eve, done); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
	}
	done.Evidence, done.Without = []string{"1", "2/1"}, ""
	must(t, d.FinishStep(eve, done), d.ReopenStep(eve, 1, "look", "again"))
	done.Evidence, done.Answers = nil, nil
	must(t, d.FinishStep(eve, done), d.ReopenStep(eve, 1, "look", "once more")) // what was attached before counts

	c, err := d.Cause(anna, 2)
	if err != nil || c.Sum != "a candle" || c.Before != 0 {
		t.Errorf("the cause of the whole is %+v, %v", c, err)
	}
	x, err := d.dossierCase(anna, 2)
	if err != nil || len(x.Decisions) != 1 || len(x.Evidence) != 2 || x.Cause.Class != "person" || !strings.HasPrefix(x.Playbook, "Fire, revision ") {
		t.Errorf("the report of the whole has %+v, %v", x, err)
	}
	d.Read(func(s *State) {
		if len(s.RunsOf(2)) != 1 || len(s.RunsOf(1)) != 1 || len(s.FilesOf(2)) != 2 {
			t.Error("the whole lacks what its part has")
		}
	})
	must(t, d.PutLessons(anna, 2, LessonsText{Follows: "no candles"}), d.Finish(anna, 2, "true", "out", ""))
	if err := d.TakeStep(eve, 1, "look", ""); !errors.Is(err, incident.ErrClosed) {
		t.Errorf("a step of a part of what is closed: %v", err)
	}
}

// Given a step without its evidence, when a reason is given, then it stands with what was found.
func TestWhyThereIsNoEvidence(t *testing.T) {
	d, err := Open(slog.New(slog.NewTextHandler(io.Discard, nil)), Options{Version: "test", Data: disk.NewLossy(), Keys: disk.NewLossy(), Rules: &detect.Rules{},
		Plan: fsOf([]byte(strings.Replace(fire, "asks: [where, big], within: 30m", "asks: [where, big], evidence: [smoke], within: 30m", 1))), URL: "http://localhost:1", Senders: map[string]Sender{}})
	must(t, err)
	defer func() { must(t, d.Close()) }()
	eve := person("eve", plan.Analyst)
	anna := person("anna", plan.Commander)
	must(t, d.PutPerson(Local("config"), "anna", anna.Roles, Contact{Name: "anna"}, false), d.PutPerson(Local("config"), "eve", eve.Roles, Contact{Name: "eve"}, false))
	_, err = d.Report(anna, "it burns")
	must(t, err)
	_, err = d.BeginRun(anna, 1, "fire")
	must(t, err, d.FinishStep(eve, StepDone{Run: 1, Step: "look", Found: "fire", Answers: map[string]string{"where": "here", "big": "no"}, Without: "the camera burnt"}))
	d.Read(func(s *State) {
		if got := d.Text(s.Runs.All[0].Marks["look"].Text); !strings.Contains(got, "fire\n") || !strings.HasSuffix(got, withoutWord+"the camera burnt") {
			t.Errorf("what was found is %q", got)
		}
	})

	// Given a page that was read at an entry, when "I have seen it" is pressed after more was written, then that is not seen.
	page := int64(0)
	d.Read(func(s *State) { page = s.Entries })
	must(t, d.Write(anna, 1, NoteText{Text: "while she read"}))
	for k, tt := range []struct{ upto, want int64 }{{page, page}, {page - 2, page}, {0, page}, {page + 1000, page + 1}} {
		d.Looked(eve, 1, tt.upto)
		if got := d.LookedAt(eve, 1); got != tt.want {
			t.Errorf("%d: seen to %d, want %d", k, got, tt.want)
		}
	}

	// Given one person who took one role of their team's roles, when they ask whose steps are theirs, then those that nobody holds are.
	both := person("anna", plan.Commander)
	both.Roles = []string{plan.Commander, plan.Analyst}
	must(t, d.TakeRole(anna, 1, plan.Commander, false))
	d.Read(func(s *State) {
		i, _ := s.Incidents.Get(1)
		if got := OwnRoles(s, both, i); !slices.Equal(got, []string{plan.Commander, plan.Analyst}) {
			t.Errorf("their roles are %v", got)
		}
	})
}
