package desk

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/review"
)

// still opens the desk of a house and runs nothing, so that weeks pass at once.
func (h *house) still() *Desk {
	h.t.Helper()
	o := h.o
	o.Data, o.Keys = h.data, h.keys
	d, err := Open(slog.New(slog.NewTextHandler(h, nil)), o)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// remindAfter lets days pass, and returns what is sent then, as "receiver: body".
func (h *house) remindAfter(d *Desk, days int) (out []string) {
	h.t.Helper()
	time.Sleep(time.Duration(days) * 24 * time.Hour)
	before := len(h.sent())
	for range 2 {
		d.settleReminders(h.t.Context(), time.Now())
		d.sending.Wait()
		for len(d.postmen.landed) > 0 {
			d.landedReminders(<-d.postmen.landed)
		}
	}
	for _, m := range h.sent()[before:] {
		out = append(out, m.To+": "+m.Body)
	}
	slices.Sort(out)
	return out
}

// Given a plan that nobody read, when two weeks pass, then each person gets one reminder and it escalates; who read a part does not approve of it alone, and
// what was reviewed is due a quarter later. A restart knows all of it, and owes nothing anew.
func TestReviewOfThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.o.Plan = firePlan()
		d := h.still()
		h.team(d)
		anna, boris := person("anna", plan.Commander), person("boris", plan.Engineer)
		rows, err := d.Parts(anna, time.Now())
		must(t, err)
		if len(rows) != 7 || rows[0].Over || time.Until(rows[0].Due) > review.FirstReading {
			t.Fatalf("%d parts, the first is %+v", len(rows), rows[0])
		}
		h.want(d, entry.PartPut, 0)

		if got := h.remindAfter(d, 13); len(got) != 0 {
			t.Fatalf("too early: %q", got)
		}
		got := h.remindAfter(d, 2)
		if len(got) != 2 || !strings.HasPrefix(got[0], "anna@shop.example: ") || !strings.Contains(got[0], "/review/parts/playbook:fire") || !strings.Contains(got[1], "/review/parts/glossary") {
			t.Fatalf("at first %q", got)
		}
		if got := h.remindAfter(d, 0); len(got) != 0 {
			t.Fatalf("again at once: %q", got)
		}
		must(t, d.KeepPart(anna, "playbook:fire", "boris", 30))
		if err := d.KeepPart(anna, "playbook:fire", "nobody", 30); err == nil {
			t.Error("nobody keeps a part")
		}
		page, err := d.Part(boris, "playbook:fire", time.Now())
		must(t, err)
		var names []string
		for _, s := range page.Sections {
			names = append(names, s.Name)
		}
		read := PartRead{Revision: page.Revision, Sections: names}
		for says, err := range map[string]error{
			"name yourself": d.ReadPart(Local("command"), page.ID, read),
			"not all":       d.ReadPart(boris, page.ID, PartRead{Revision: "other", Sections: names}),
			"no section":    d.ReadPart(boris, page.ID, PartRead{Revision: page.Revision, Sections: []string{"x"}}),
			"reader":        d.ReadPart(person("mallory", plan.Reader), page.ID, read),
		} {
			if err == nil {
				t.Errorf("%s: it is taken", says)
			}
		}
		must(t, d.ReadPart(boris, page.ID, read))
		token := anna
		token.Scope = []auth.Action{auth.Note}
		for says, err := range map[string]error{"another person": d.ApprovePart(boris, page.ID, page.Revision), "may not": d.ApprovePart(token, page.ID, page.Revision), "changed": d.ApprovePart(anna, page.ID, "other")} {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("approved all the same, or %v in place of %q", err, says)
			}
		}
		must(t, d.ApprovePart(anna, page.ID, page.Revision))
		page, err = d.Part(boris, "playbook:fire", time.Now())
		must(t, err)
		if page.Over || page.Sections[0].State != "same" || page.ReadBy != nil || time.Until(page.Due) < 29*24*time.Hour {
			t.Errorf("after the review: %+v", page)
		}
		whole, err := d.WholePlan(boris, time.UTC)
		must(t, err)
		if text := string(whole.Document().Markdown()); !strings.Contains(text, "Anna (anna), anna@shop.example") || whole.Playbooks[0].ReviewedBy != "anna" {
			t.Errorf("printed without people or dates: %.600s", text)
		}
		whole, err = d.WholePlan(person("mallory", plan.Reader), time.UTC)
		must(t, err)
		if text := string(whole.Document().Markdown()); strings.Contains(text, "anna@shop.example") || !strings.Contains(text, "Anna (anna)") {
			t.Error("a reader prints how people are reached, or not who they are")
		}
		must(t, d.AskReview(anna, []string{"playbook:fire"}, review.ByArchitecture, "the cellar is a new one", time.Time{}))
		if page, _ = d.Part(boris, "playbook:fire", time.Now()); page.Why != "The architecture changed." || time.Until(page.Due) != review.AfterReason {
			t.Errorf("asked for: %s %s", page.Why, page.Due)
		}
		must(t, d.Close())
		d = h.still()
		if got := h.remindAfter(d, 0); len(got) != 0 {
			t.Errorf("a restart reminds again: %q", got)
		}
		if got := h.remindAfter(d, 15); len(got) != 2 || !strings.Contains(got[0], "because you command") {
			t.Errorf("it escalates by %q", got)
		}
		must(t, d.Close())
	})
}

// Given a grave incident that is closed, when nobody reviews it, then who commands is reminded; its review has an agenda, and a gap becomes a measure that another person
// verifies. What is restricted to others is not there.
func TestReviewOfAnIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.o.Plan = firePlan()
		d := h.still()
		h.team(d)
		must(t, d.PutPerson(Local("config"), "carla", []string{plan.Legal}, Contact{Name: "Carla", Mail: "carla@shop.example"}, false))
		anna, boris, carla := person("anna", plan.Commander), person("boris", plan.Engineer), person("carla", plan.Legal)
		id, err := d.Report(anna, "it burns")
		must(t, err, d.SetSeverity(anna, id, "critical", "people are in danger"), d.Finish(anna, id, "true", "over", "none of it is known"))
		x, err := d.ReviewOf(anna, id, time.UTC)
		must(t, err)
		if !x.Owed || len(x.Agenda.Items) != 8 || !strings.Contains(x.Agenda.Text(), "Reported by a person") {
			t.Fatalf("%+v", x)
		}
		if got := strings.Join(h.remindAfter(d, 15), "\n"); !strings.Contains(got, "The internal review of incident 1 (Reported by a person) was to be held until") {
			t.Errorf("reminded by %q", got)
		}
		must(t, d.CallReview(anna, id, ReviewCalling{At: time.Now().Add(time.Hour), Chair: "anna", Invited: []string{"boris", "carla"}}))
		for field, notes := range map[string]ReviewNotes{
			"minutes":   {At: time.Now(), Attendees: []string{"anna"}},
			"attendees": {At: time.Now(), Says: "x", Attendees: []string{"nobody"}},
			"at":        {At: time.Now().Add(time.Hour), Says: "x", Attendees: []string{"anna"}},
			"gaps":      {At: time.Now(), Says: "x", Attendees: []string{"anna"}, Gaps: []string{strings.Repeat("x", longestGap+1)}},
		} {
			if f, ok := errors.AsType[FieldError](d.HoldReview(anna, id, notes)); !ok || f.Field != field {
				t.Errorf("a review without its %s: %+v", field, f)
			}
		}
		must(t, d.HoldReview(anna, id, ReviewNotes{At: time.Now(), Attendees: []string{"anna", "boris"}, Says: "we talked", Gaps: []string{"no smoke detector", " "}}))
		if x, _ = d.ReviewOf(boris, id, time.UTC); x.Owed || !x.Reviewed || x.Call.Chair != "anna" || !slices.Equal(x.Meetings[0].Gaps, []string{"no smoke detector"}) || x.Meetings[0].Says != "we talked" {
			t.Errorf("%+v", x)
		}

		n, err := d.AddMeasure(anna, id, MeasureText{Text: "buy a detector", Owner: "boris", Due: time.Now().Add(48 * time.Hour), Remind: 24 * time.Hour})
		must(t, err)
		if got := strings.Join(h.remindAfter(d, 1), "\n"); !strings.Contains(got, "boris@shop.example") || !strings.Contains(got, "Measure 1 is due on") || !strings.Contains(got, "buy a detector") {
			t.Errorf("before it is due: %q", got)
		}
		must(t, d.ChangeMeasure(anna, n, MeasureChange{Due: time.Now().Add(72 * time.Hour)}, "the shop is shut"))
		late, err := d.AddMeasure(anna, id, MeasureText{Text: " mend the roof\n", Owner: "boris", Due: time.Now().Add(time.Minute), Remind: 24 * time.Hour})
		must(t, err)
		time.Sleep(time.Hour)
		must(t, d.ChangeMeasure(anna, late, MeasureChange{Owner: "carla", Remind: new(time.Duration)}, "boris is ill"))
		if m, err := d.MeasureOf(anna, late); err != nil || m.Owner != "carla" || m.Remind != 0 || !m.Overdue || m.Hash != d.vault.Hash("measure", m.Text) {
			t.Errorf("a measure that is overdue: %+v, %v", m, err)
		}
		must(t, d.StepMeasure(anna, id, late, "dropped", "the roof is gone"))
		if err := d.StepMeasure(Local("command"), id, n, "done", "bought"); err == nil || !strings.Contains(err.Error(), "--as") {
			t.Errorf("nobody in particular says that it is done: %v", err)
		}
		must(t, d.StepMeasure(boris, 0, n, "done", "bought"), d.LinkMeasure(boris, id, n, "playbook", "fire", ""))
		if err := d.LinkMeasure(boris, id, n, "rule", "no-such-rule", ""); err == nil {
			t.Error("it is linked with a rule that is not there")
		}
		if err := d.StepMeasure(boris, id, n, "verified", "it hangs there"); err == nil {
			t.Error("who did it verifies it")
		}
		must(t, d.StepMeasure(carla, id, n, "verified", "it hangs there"))
		m, err := d.MeasureOf(carla, n)
		must(t, err)
		if m.State != review.Verified || len(m.Links) != 1 || len(m.Links[0].Revision) != 64 || m.Said[1].Text != "it hangs there" {
			t.Errorf("%+v", m)
		}

		other, err := d.AddMeasure(anna, 0, MeasureText{Text: "print the plan", Owner: "carla", Due: time.Now().Add(time.Hour)})
		must(t, err, d.Restrict(anna, id, "hr", []string{"boris"}))
		all, err := d.AllMeasures(carla)
		must(t, err)
		if len(all) != 1 || all[0].ID != other {
			t.Errorf("carla sees %+v", all)
		}
		if _, err := d.MeasureOf(carla, n); !errors.Is(err, review.ErrNotFound) {
			t.Errorf("a measure of what is restricted: %v", err)
		}
		if err := d.StepMeasure(carla, 0, n, "reopened", "x"); err == nil {
			t.Error("carla reopens what she may not see")
		}
		if _, err := d.ReviewOf(carla, id, time.UTC); err == nil {
			t.Error("carla reads the review of what is restricted")
		}
		must(t, d.Close())
	})
}

// Given an incident whose steps, calls and roles went as they went, when its review is prepared, then the agenda says what was, and nothing that was not.
func TestTheAgendaSaysWhatWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		anna, boris := person("anna", plan.Commander), person("boris", plan.Engineer)
		says := func(when string, want, not []string) {
			t.Helper()
			x, err := d.ReviewOf(anna, 1, time.UTC)
			must(t, err)
			text := x.Agenda.Text()
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("%s, the agenda lacks %q:\n%s", when, w, text)
				}
			}
			for _, w := range not {
				if strings.Contains(text, w) {
					t.Errorf("%s, the agenda says %q:\n%s", when, w, text)
				}
			}
		}
		says("while it rings", []string{"A rule of ours saw it first."}, []string{"call was answered", "calls were", "Every call", "Every role"})
		must(t, d.Answer(anna, 1, "console"), d.TakeRole(anna, 1, plan.Commander, false), d.GiveRole(anna, 1, plan.Engineer, "boris", false, ""))
		says("when somebody answered at once", []string{"Every call was answered in its time."}, []string{"Nobody held the role " + plan.RoleWord(plan.Engineer)})
		time.Sleep(40 * time.Minute)
		synctest.Wait()
		h.want(d, entry.StepLate, 1)
		must(t, d.Answer(anna, 2, "console"), d.TakeStep(anna, 1, "look", ""), d.FinishStep(anna, StepDone{Run: 1, Step: "look", Answers: map[string]string{"where": "the cellar", "big": "yes"}}))
		must(t, d.TakeStep(anna, 1, "call", ""), d.FinishStep(anna, StepDone{Run: 1, Step: "call"}), d.LeaveRole(boris, 1, plan.Engineer, "boris", "I go home"))
		says("after a late step", []string{"took 40 min in place of 30 min", "1 call was not answered in time.", "Nobody held the role " + plan.RoleWord(plan.Legal)},
			[]string{"within the plan's time", "Every call", "Nobody held the role " + plan.RoleWord(plan.Engineer), "Every role"})
		for _, role := range []string{plan.Analyst, plan.Legal, plan.Communications} {
			must(t, d.GiveRole(anna, 1, role, map[bool]string{true: "anna", false: "boris"}[role == plan.Legal], false, ""))
		}
		says("when two did all", nil, []string{"by different people", "Nobody held"})
	})
}
