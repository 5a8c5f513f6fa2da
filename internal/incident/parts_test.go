package incident

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tocsin/internal/entry"
)

// Given an incident with open work that becomes part of another, when the other is worked on, then the work is settled where it was written, what is written with
// one counts for both, and a real attack is not closed as a false alarm with it.
func TestPartsAreWorkedOnTogether(t *testing.T) {
	d := opened(t, 3)
	d.do(d.book.AskDecision("person:anna", entry.Decision{Incident: 1, Text: "q", Options: []string{"a", "b"}}))
	d.do(d.book.Ask("person:anna", entry.Question{Incident: 1, Text: "q", Person: "anna"}))
	d.do(d.book.TakeRole("person:anna", all, 2, "legal", "anna", false))
	d.do(d.book.TakeRole("person:anna", all, 1, "legal", "anna", false))
	d.do(d.book.HandOver("person:anna", entry.Handover{Incident: 1, From: "anna", To: "boris", Roles: []string{"legal"}, Text: "n"}))
	d.do(d.book.AddFile("person:anna", entry.File{Incident: 1, SHA256: fmt.Sprintf("%064d", 1), Bytes: 1, Vault: "v", Name: "n", Kind: "log", From: "f", Person: "anna"}))
	d.doAll(d.book.Triage("person:anna", "anna", 1, Real, "w"))
	d.do(d.book.PutLessons("person:anna", entry.Lessons{Incident: 1, Text: "l"}))
	d.doAll(d.book.Merge("person:anna", 1, 2, "w"))

	var order []int64
	for _, p := range d.book.Parts(1) {
		order = append(order, p.ID)
	}
	if !slices.Equal(order, []int64{2, 1}) {
		t.Errorf("the parts are %v", order)
	}
	seen := d.book.Incidents[0].Command().Decisions[0].N
	d.do(d.book.Choose("person:anna", seen, entry.Choice{Incident: 1, ID: 1, Option: 1, Person: "anna", Text: "w"}))
	d.doAll(d.book.LogDecision("person:anna", entry.Decision{Incident: 1, Text: "q", Options: []string{"a", "b"}, Replaces: 1}, 2, "anna", "w"))
	d.do(d.book.Answer("person:boris", entry.Reply{Incident: 1, ID: 1, Person: "boris", Text: "a"}))
	d.doAll(d.book.TakeOver("person:boris", entry.Reply{Incident: 1, ID: 1, Person: "boris"}))
	if got := d.book.Incidents[1].Roles["legal"].Person; got != "boris" {
		t.Errorf("legal of the one that is worked on is %q", got)
	}
	_, err := d.book.AskDecision("person:anna", entry.Decision{Incident: 1, Text: "new", Options: []string{"a", "b"}})
	refused(t, "a new decision with the part", err, "merged")
	if f := d.book.FileOf(2, "1/1"); f == nil || f.Named(2) != "1/1" || f.Named(1) != "1" || d.book.FileOf(2, "1") != nil || d.book.FileOf(3, "1/1") != nil || d.book.FileOf(2, "1/2") != nil {
		t.Errorf("the file of the part is %+v", f)
	}
	d.do(d.book.PutCause("person:anna", entry.Cause{Incident: 2, Class: "person", Text: "c", Whys: []entry.Reason{{Text: "w", Links: []entry.Link{{Kind: "attachment", Ref: "1/1"}}}}}))
	for verdict, want := range map[string][]string{"true": nil, "false": {"verdict"}} {
		if got := d.book.Lacking(2, verdict); !slices.Equal(got, want) {
			t.Errorf("closed as %s it lacks %v, want %v", verdict, got, want)
		}
	}
	_, err = d.book.Triage("person:anna", "anna", 2, FalseAlarm, "w")
	refused(t, "a false alarm of which a part is real", err, "incident 1")
	_, err = d.book.Finish("person:anna", 2, "false", "w", "")
	if l, ok := errors.AsType[*Lacks](err); !ok || !slices.Equal(l.What, []string{"verdict"}) {
		t.Errorf("%v", err)
	}
	d.do(d.book.Finish("person:anna", 2, "false", "w", "excuse"))
	_, err = d.book.Choose("person:anna", 1, entry.Choice{Incident: 1, ID: 2, Option: 1, Person: "anna", Text: "w"})
	if !errors.Is(err, ErrClosed) {
		t.Errorf("a decision of a part of a closed one: %v", err)
	}
}

// Given a verdict that an alarm is real, when the incident is closed as a false alarm, then the verdict is to be corrected first, or the contradiction explained.
func TestRealIsNoFalseAlarm(t *testing.T) {
	d := opened(t, 1)
	d.doAll(d.book.Triage("person:anna", "anna", 1, Real, "w"))
	_, err := d.book.Finish("person:anna", 1, "false", "w", "")
	refused(t, "judged real", err, "was judged a real attack")
	d.doAll(d.book.Triage("person:anna", "anna", 1, Unknown, "w"))
	d.do(d.book.Finish("person:anna", 1, "false", "w", ""))
}

// Given open work of an incident, when it is over, then nobody has a hand-over or a question of it to do any more, a task is reminded of once and then no more, and all comes
// back when it is reopened.
func TestOverIsNothingToDo(t *testing.T) {
	d := opened(t, 2)
	d.do(d.book.Ask("person:anna", entry.Question{Incident: 1, Text: "q", Person: "carla"}))
	d.do(d.book.TakeRole("person:boris", all, 1, "legal", "boris", false))
	d.do(d.book.HandOver("person:boris", entry.Handover{Incident: 1, From: "boris", To: "anna", Roles: []string{"legal"}, Text: "h"}))
	d.do(d.book.AddTask("person:anna", t0, entry.Task{Incident: 1, Title: "t", Person: "anna", Due: t0.Add(90 * time.Minute)}))
	what := func() (out []string) {
		for _, x := range d.book.Mine("anna", nil) {
			out = append(out, x.What)
		}
		return out
	}
	want := func(name string, of ...string) {
		t.Helper()
		if got := what(); !slices.Equal(got, of) {
			t.Errorf("%s: %v, want %v", name, got, of)
		}
	}
	want("open", Tasked, Asked, Given)
	d.do(d.book.Close("person:anna", 1, "true", "w"))
	want("closed", Tasked)
	at := t0.Add(2 * time.Hour)
	owed := d.book.Owed(at)
	if len(owed) != 1 || owed[0].Stage != "due" {
		t.Fatalf("what was promised is owed: %+v", owed)
	}
	d.now = at
	d.write(d.book.Remind(owed[0]))
	if got, next := d.book.Owed(at.AddDate(0, 0, 9)), d.book.NextReminder(); len(got) != 0 || !next.IsZero() {
		t.Errorf("closed, and owed again: %+v, next %v", got, next)
	}
	d.do(d.book.Reopen("person:anna", 1, "w"))
	want("reopened", Tasked, Asked, Given)
	if got := d.book.Owed(at.AddDate(0, 0, 9)); len(got) != 1 || got[0].Stage != "again" {
		t.Errorf("reopened: %+v", got)
	}
	d.doAll(d.book.Merge("person:anna", 1, 2, "w"))
	want("part of an open one", Tasked, Asked, Given)
	d.do(d.book.Close("person:anna", 2, "true", "w"))
	want("part of a closed one", Tasked)
	if got := d.book.Owed(at.AddDate(0, 0, 9)); len(got) != 0 {
		t.Errorf("part of a closed one: %+v", got)
	}
}

// Given a task of a role in an incident that becomes part of another, when the role is held by others there, then the task is theirs, and they are reminded of it: the part's own roles
// count again when it is taken out.
func TestRolesOfTheWholeDoTheTasksOfItsParts(t *testing.T) {
	d := opened(t, 3)
	d.do(d.book.TakeRole("person:anna", all, 1, "legal", "anna", false))
	d.do(d.book.TakeRole("person:boris", all, 2, "legal", "boris", false))
	d.do(d.book.TakeRole("person:carla", all, 2, "legal", "carla", true))
	d.do(d.book.AddTask("person:anna", t0, entry.Task{Incident: 1, Title: "t", Role: "legal", Due: t0.Add(3 * time.Hour)}))
	d.do(d.book.Ask("person:dora", entry.Question{Incident: 1, Text: "q", Person: "dora", Role: "legal"}))
	check := func(when string, whose ...string) {
		t.Helper()
		for _, p := range []string{"anna", "boris", "carla", "dora"} {
			want := 0
			if slices.Contains(whose, p) {
				want = 2
			}
			if got := d.book.Mine(p, nil); len(got) != want {
				t.Errorf("%s, %s has %+v", when, p, got)
			}
		}
		if got := d.book.Owed(t0.Add(4 * time.Hour)); len(got) != 1 || got[0].Incident != 1 || !slices.Equal(got[0].People, whose) {
			t.Errorf("%s, %+v is owed; want %v", when, got, whose)
		}
	}
	check("alone", "anna")
	d.doAll(d.book.Merge("person:anna", 1, 2, "w"))
	check("as a part", "boris", "carla")
	d.doAll(d.book.Merge("person:anna", 2, 3, "w"))
	d.do(d.book.TakeRole("person:dora", all, 3, "legal", "dora", false))
	check("as a part of a part", "dora")
	d.do(d.book.Unmerge("person:anna", 1, "w"))
	check("taken out", "anna")
}
