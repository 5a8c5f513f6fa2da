package desk

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
)

// burns has an incident in a house with the playbook of fires.
func burns(t *testing.T) (h *house, d *Desk, stop func()) {
	h = newHouse(t)
	h.o.Plan = firePlan()
	d, stop = h.start()
	h.team(d)
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
	time.Sleep(10 * time.Second)
	synctest.Wait()
	return h, d, stop
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for k, err := range errs {
		if err != nil {
			t.Fatalf("act %d: %v", k, err)
		}
	}
}

// Given an attack for which a playbook speaks, when the team works through it, then late steps ring, of two who decide at once the second is told, nothing can be closed in silence, and
// what comes back opens it again; a restart knows all of it.
func TestAnIncidentIsCommanded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		anna, boris := person("anna", plan.Commander), person("boris", plan.Engineer)
		h.want(d, entry.RunBegun, 1)
		must(t, d.Answer(anna, 1, "console"), d.Note(anna, 1, "I look", time.Time{}))
		time.Sleep(31 * time.Minute)
		synctest.Wait()
		h.want(d, entry.StepLate, 1)
		if r := d.Ringing(anna); len(r) != 1 || r[0].Incident != 1 {
			t.Fatalf("a late step rings %+v", r)
		}
		if m := h.sent(); !strings.Contains(m[len(m)-1].Body, "A step of Fire is late") { // nobody is an analyst, so the commander is rung
			t.Errorf("the call says %q", m[len(m)-1].Body)
		}
		must(t, d.Answer(anna, 2, "console"))

		number, err := d.AskDecision(anna, 1, DecisionAsk{Question: "Take the shop off?", Options: []string{"yes", "no"}})
		must(t, err)
		var seen int64
		d.Read(func(s *State) { i, _ := s.Incidents.Get(1); seen = i.Command().Decisions[0].N })
		must(t, d.Choose(anna, 1, number, seen, 1, "cards are going out"))
		o, ok := errors.AsType[*Overtaken](d.Choose(boris, 1, number, seen, 2, "the sale runs until noon"))
		if !ok || o.First != "cards are going out" || o.Yours != "the sale runs until noon" || !strings.Contains(o.Error(), "decided (option 1) meanwhile by person:anna") {
			t.Fatalf("the second is told %+v", o)
		}
		must(t, d.State(anna, 1, 0, "Cards are going out. The shop is off."), d.TakeStep(anna, 1, "look", ""))
		if err := d.FinishStep(anna, StepDone{Run: 1, Step: "look", Answers: map[string]string{"where": "the cellar"}}); err == nil || !strings.Contains(err.Error(), "Is it big?") {
			t.Errorf("a question without an answer: %v", err)
		}
		file, err := d.AddFile(anna, 1, FileText{Name: `..\evil/pa` + "\u202e" + `ge.html`, Kind: "document", From: "the browser of the shop's owner"}, strings.NewReader("<script>"))
		must(t, err, d.FinishStep(anna, StepDone{Run: 1, Step: "look", Found: "a skimmer", Answers: map[string]string{"where": "the cellar", "big": "yes"}, Evidence: []string{"1"}}))
		o, ok = errors.AsType[*Overtaken](d.FinishStep(boris, StepDone{Run: 1, Step: "look", Found: "I saw it, too", Answers: map[string]string{"where": "the roof", "big": "no"}}))
		if !ok || o.First != "a skimmer" || !strings.Contains(o.Yours, "I saw it, too") {
			t.Errorf("who finishes a step second is told %+v", o)
		}
		f, err := d.OpenFile(anna, 1, file, "to look at it")
		if err != nil || !f.Sound || string(f.Bytes) != "<script>" || f.Name != "pa_ge.html" {
			t.Errorf("%+v, %v", f, err)
		}
		if _, err := d.AddFile(boris, 1, FileText{Name: "again", From: "there"}, strings.NewReader("<script>")); err == nil || !strings.Contains(err.Error(), "attachment 1") {
			t.Errorf("the same bytes: %v", err)
		}
		if work, all := d.MyWork(anna, 10); all != 1 || work[0].Step != "call" || work[0].Role != plan.Commander {
			t.Errorf("anna's work is %+v", work)
		}
		if err := d.FinishStep(person("mallory", plan.Reader), StepDone{Run: 1, Step: "call"}); err == nil {
			t.Error("a reader finishes a step")
		}
		task, err := d.AddTask(anna, 1, TaskAsk{Title: "tell the bank", Person: "boris", Due: time.Now().Add(3 * time.Hour)})
		must(t, err, d.FinishTask(boris, 1, task, "told"), d.SetScope(anna, 1, "customers", ""))

		h.feed(d, request(time.Now(), "198.51.100.9", "/odd"))
		time.Sleep(time.Minute)
		synctest.Wait()
		must(t, d.Merge(anna, 2, 1, "the same hand"))
		if err := d.Note(anna, 2, "a note there", time.Time{}); err != nil {
			t.Errorf("a merged incident takes no note: %v", err)
		}
		lacks, ok := errors.AsType[*incident.Lacks](d.Finish(anna, 1, "true", "over", ""))
		if !ok || !slices.Equal(lacks.What, []string{"cause", "lessons"}) {
			t.Fatalf("closing in silence: %v", lacks)
		}
		must(t, d.PutCause(anna, 1, CauseText{Class: "third-party", Sum: "a plug-in", Whys: []ReasonText{{Text: "it was old", Links: []entry.Link{{Kind: "file", Ref: "/var/www/plugin.php"}}}}}),
			d.PutLessons(anna, 1, LessonsText{Badly: "nobody knew who updates it"}), d.Finish(anna, 1, "true", "over", ""))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.want(d, entry.RecurrenceBegun, 1)
		time.Sleep(time.Hour)
		h.feed(d, request(time.Now(), "192.0.2.7", "/fine"), request(time.Now(), "192.0.2.7", "/fine"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.want(d, entry.RecurrenceHit, 1)
		h.want(d, entry.IncidentReopened, 1)

		stop()
		d, stop = h.start()
		defer stop()
		c, err := d.Cause(anna, 1)
		if err != nil || c.Whys[0].Links[0].Ref != "/var/www/plugin.php" {
			t.Errorf("after a restart the cause is %+v, %v", c, err)
		}
		d.Read(func(s *State) {
			i, err := s.Incidents.Get(1)
			r := s.Runs.Of(1)
			if err != nil || i.Closed || i.Scope() != "customers" || !slices.Equal(s.Incidents.Family(2), []int64{1, 2}) || len(r) != 1 || r[0].Answer("big").Value != "yes" || r[0].Phase() != playbook.Identification {
				t.Errorf("after a restart: %v, %+v", err, r)
			}
		})
		if _, err := d.VerifyLedger(); err != nil {
			t.Error(err)
		}
	})
}

// Given a false alarm, when it is said so with an exception, then in one step it is closed and its address is excepted from its rule.
func TestAFalseAlarmIsOneStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		anna := person("anna", plan.Commander)
		rows, err := d.Exceptions(anna, 1)
		if err != nil || len(rows) != 1 || rows[0].Address != "192.0.2.7" || rows[0].Rule != evilRule {
			t.Fatalf("%+v, %v", rows, err)
		}
		if err := d.Triage(anna, 1, incident.FalseAlarm, "our scanner", &TriageMute{Exception: "gone", Until: time.Now().Add(time.Hour)}); err == nil || !strings.Contains(err.Error(), "any more") {
			t.Errorf("an exception that there is not: %v", err)
		}
		objects := h.size(vaultDir)
		if err := d.Triage(anna, 1, incident.FalseAlarm, "our scanner", &TriageMute{Exception: rows[0].Key(), Until: time.Now().Add(-time.Hour)}); err == nil || h.size(vaultDir) != objects {
			t.Errorf("an exception that is over: %v, and %d bytes stay in the vault", err, h.size(vaultDir)-objects)
		}
		before := h.entries(d)
		must(t, d.Triage(anna, 1, incident.FalseAlarm, "our scanner", &TriageMute{Exception: rows[0].Key(), Until: time.Now().Add(24 * time.Hour)}))
		h.want(d, entry.IncidentClosed, before[entry.IncidentClosed]+1)
		h.want(d, entry.MuteAdded, 1)
		h.feed(d, request(time.Now().Add(40*time.Minute), "192.0.2.7", "/evil"))
		time.Sleep(time.Hour)
		synctest.Wait()
		h.want(d, entry.IncidentOpened, 1)
		h.want(d, entry.RecurrenceBegun, 0) // nothing real is watched for
	})
}

// Given a change of a playbook, when it is asked for, then another person approves what they saw, runs stay where they are, and what moved on is refused.
func TestAPlaybookChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		anna, boris := person("anna", plan.Commander), person("boris", plan.Engineer)
		for _, id := range []string{"anna", "boris"} {
			must(t, d.SetPassword(t.Context(), Local("test"), id, "correct horse battery "+id))
		}
		first := d.Playbooks()[0].Revision
		text := []byte(strings.Replace(fire, "what: Look,", "what: Look twice,", 1))
		change := PlaybookChange{Text: text, Before: first, From: "console", Why: "one look misses it"}
		asked, ok := errors.AsType[Asked](d.PutPlaybook(anna, change))
		if !ok {
			t.Fatal("a playbook is changed by one person")
		}
		x, err := d.PlaybookAsked(boris, asked.ID)
		if err != nil || len(x.Changes) != 1 || x.Changes[0].ID != "look" || x.By != "anna" {
			t.Fatalf("%+v, %v", x, err)
		}
		if err := d.Approve(anna, asked.ID, true, ""); err == nil {
			t.Error("who asked approves")
		}
		must(t, d.Approve(boris, asked.ID, true, ""))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		row := d.Playbooks()[0]
		if row.Revision == first || row.By != "anna" || row.Approver != "boris" || row.Revisions != 2 {
			t.Fatalf("%+v", row)
		}
		if m, ok := errors.AsType[*PlaybookMoved](d.PutPlaybook(boris, change)); !ok || m.Now != row.Revision {
			t.Errorf("what moved on is taken: %v", m)
		}
		if bad, ok := errors.AsType[*BadPlaybook](d.PutPlaybook(boris, PlaybookChange{Text: []byte("playbook: x"), Why: "w"})); !ok || len(bad.Findings) == 0 {
			t.Errorf("no playbook: %v", bad)
		}
		d.Read(func(s *State) {
			if r := s.Runs.Of(1)[0]; r.Revision != first || r.Book().Step("look").What != "Look" {
				t.Error("the run went to another revision by itself")
			}
		})
		must(t, d.MoveRun(anna, 1, "", "the new words are better"))
		next := []byte(strings.Replace(fire, "title: Fire", "title: Great fire", 1))
		stop()
		h.o.Plan = fsOf(next)
		d, stop = h.start() // a program with another one: what people changed stays, and the new one is offered
		defer stop()
		if now := d.Playbooks()[0]; now.Revision != row.Revision || now.Offered != RevisionOf(next) {
			t.Errorf("%+v", now)
		}
		d.Read(func(s *State) {
			if s.Runs.Of(1)[0].Revision != row.Revision {
				t.Error("the run is not where it was moved to")
			}
		})
		must(t, d.TakeOffered(Local("command"), "fire", "their title is better"))
		if now := d.Playbooks()[0]; now.Title != "Great fire" || now.Offered != "" {
			t.Errorf("%+v", now)
		}
		if _, err := d.WholePlan(anna, nil); err != nil {
			t.Error(err)
		}
		source, _, err := d.ExportPlaybook("fire", "")
		must(t, err)
		if _, _, err := d.ImportPlaybook(Local("command"), source, "back again"); err == nil || !strings.Contains(err.Error(), "is this already") {
			t.Errorf("a round trip is another playbook: %v", err)
		}
		if err := d.RetirePlaybook(auth.Actor{Name: "person:carla", ID: "carla", Roles: []string{plan.Legal}}, "fire", "x"); err == nil {
			t.Error("legal changes playbooks")
		}
	})
}
