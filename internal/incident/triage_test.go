package incident

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"tocsin/internal/entry"
)

// Given an alarm that is judged, when it is false, then it is closed in the same step, and what could keep it quiet is told.
func TestTriage(t *testing.T) {
	d := opened(t, 2)
	for name, try := range map[string]func() ([]entry.Draft, error){
		"no verdict": func() ([]entry.Draft, error) { return d.book.Triage("person:anna", "anna", 1, "perhaps", "w") },
		"no reason":  func() ([]entry.Draft, error) { return d.book.Triage("person:anna", "anna", 1, Real, "") },
		"nobody":     func() ([]entry.Draft, error) { return d.book.Triage("person:anna", "", 1, Real, "w") },
		"nowhere":    func() ([]entry.Draft, error) { return d.book.Triage("person:anna", "anna", 9, Real, "w") },
	} {
		_, err := try()
		refused(t, name, err, "")
	}
	d.doAll(d.book.Triage("person:anna", "anna", 1, Real, "w1"))
	_, err := d.book.Triage("person:anna", "anna", 1, Real, "w2")
	refused(t, "again", err, "already")
	i := d.book.Incidents[0]
	if f, ok := i.Fact(Verdict); !ok || f.What.Value != Real || i.Closed {
		t.Errorf("%+v", f)
	}
	d.doAll(d.book.Triage("person:boris", "boris", 1, FalseAlarm, "w3"))
	if !i.Closed || i.Verdict != "false" || len(i.Command().Facts) != 2 {
		t.Errorf("closed %v as %q, %+v", i.Closed, i.Verdict, i.Command().Facts)
	}
	_, err = d.book.Triage("person:anna", "anna", 1, Real, "w4")
	refused(t, "a closed one", err, "closed")
	d.do(d.book.Reopen("person:anna", 1, "w5"))
	xs, err := d.book.Triage("person:anna", "anna", 1, FalseAlarm, "w6")
	if err != nil || len(xs) != 1 || xs[0].Kind != entry.IncidentClosed {
		t.Errorf("the verdict stands, and only closing is left: %+v, %v", xs, err)
	}
}

// Given whom an incident touches, when it is answered by itself, in a run or with a step, then the incident knows it.
func TestScope(t *testing.T) {
	d := opened(t, 1)
	i := d.book.Incidents[0]
	says := func(want string) {
		t.Helper()
		if got := i.Scope(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	says(Unknown)
	put := func(k entry.Kind, body any) {
		d.write(entry.Draft{Actor: "person:anna", Kind: k, Subject: "incident:1", Body: body})
	}
	put(entry.RunBegun, entry.Run{ID: 1, Incident: 1, Playbook: "p"})
	put(entry.FactAnswered, entry.Fact{Incident: 1, Fact: Affected, Value: "site-only", Person: "anna", Why: "w"})
	says("site-only")
	put(entry.StepDone, entry.StepResult{Run: 1, Step: "s", Person: "anna", Answers: []entry.Fact{{Fact: Affected, Value: "customers"}, {Fact: "backup", Value: "yes"}}})
	says("customers")
	put(entry.FactAnswered, entry.Fact{Run: 1, Fact: Affected, Value: Unknown, Person: "anna"})
	says(Unknown)
	put(entry.FactAnswered, entry.Fact{Run: 1, Fact: "backup", Value: "no", Person: "anna"})
	if n := len(i.Command().Facts); n != 3 {
		t.Errorf("%d facts", n)
	}
}

// Given the alerts of a false alarm, when exceptions are asked for, then each names a rule and whom it is about, what covers most first and whole rules last.
func TestExceptions(t *testing.T) {
	d := newDesk(t)
	a := alert("a", "r1", "high", 0, "a1", "anna")
	b := alert("b", "r1", "high", 1, "a1")
	b.Sources = append(b.Sources, entry.Party{Hash: "web", Role: "victim"})
	nobody := alert("c", "r3", "high", 2, "")
	nobody.Techniques, a.Techniques = []string{"t"}, []string{"t"}
	account := alert("e", "r2", "high", 3, "", "anna")
	d.tell(raised(a), raised(b), raised(nobody), raised(account))
	got, err := d.book.Exceptions(1)
	if err != nil {
		t.Fatal(err)
	}
	var says []string
	for _, x := range got {
		m := x.Mute()
		says = append(says, fmt.Sprintf("%s %s/%s %v %d", m.Rule, m.Address, m.Account, x.Alerts, x.Count))
	}
	if want := []string{"r1 a1/ [a b] 2", "r2 /anna [e] 1", "r3 / [c] 1"}; !slices.Equal(says, want) {
		t.Errorf("%q, want %q", says, want)
	}
	if _, err := d.book.Exceptions(9); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	// more alerts sort the list anew: each exception keeps its key, and no two have the same
	d.tell(raised(alert("f", "r2", "high", 4, "", "anna")), raised(alert("g", "r2", "high", 5, "", "anna")))
	after, err := d.book.Exceptions(1)
	if err != nil || len(after) != 3 || after[0].Rule != "r2" || got[0].Rule != "r1" {
		t.Fatalf("%+v, %v", after, err)
	}
	if after[0].Key() != got[1].Key() || after[1].Key() != got[0].Key() || after[0].Key() == after[1].Key() {
		t.Errorf("keys %s %s were %s %s", after[0].Key(), after[1].Key(), got[0].Key(), got[1].Key())
	}
}

// Given incidents that share addresses, accounts, sessions, files and techniques, when one is asked for its kin, then the nearest is first.
func TestRelated(t *testing.T) {
	d := newDesk(t)
	week := 8 * 24 * 60
	one := alert("a", "r1", "high", 0, "a1", "anna")
	one.Techniques = []string{"attack.t1"}
	d.tell(raised(one))
	d.do(d.book.Close("person:anna", 1, "true", "w"))
	two := alert("b", "r2", "high", week, "a1", "anna")
	two.Techniques, two.Sessions = []string{"attack.t1"}, []string{"s"}
	d.tell(raised(two))
	three := alert("c", "r3", "high", 2*week, "c1", "anna")
	d.tell(raised(three))
	four := alert("d", "r4", "high", 3*week, "d1")
	four.Techniques = []string{"attack.t1"}
	four.Sources = append(four.Sources, entry.Party{Hash: "own", Role: "suspect", Own: true}, entry.Party{Hash: "many", Role: "suspect", Shared: true})
	d.tell(raised(four))
	five := alert("e", "r5", "high", 4*week, "e1")
	five.Sources = append(five.Sources, four.Sources[1:]...)
	d.tell(raised(five))
	for _, n := range []int64{2, 5} {
		d.do(d.book.AddFile("person:anna", entry.File{Incident: n, SHA256: sum('a'), Vault: "v", Name: "n", Kind: "log", Person: "anna", From: "f"}))
	}
	related := func(id int64, most int) (says []string) {
		got, _ := d.book.Related(id, most)
		for _, r := range got {
			says = append(says, fmt.Sprintf("%d:%d %v%v%v%v%d", r.Incident, r.Score, r.Addresses, r.Accounts, r.Sessions, r.Techniques, len(r.Files)))
		}
		return says
	}
	if got, want := related(2, 9), []string{"1:9 [a1][anna][][attack.t1]0", "5:8 [][][][]1", "3:3 [][anna][][]0", "4:1 [][][][attack.t1]0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, cut := d.book.Related(2, 1); len(got) != 1 || !cut {
		t.Errorf("%v, cut %v", got, cut)
	}
	if got := related(9, 9); got != nil {
		t.Errorf("of none: %v", got)
	}
	past, cut := d.book.History(3, 9)
	if len(past) != 2 || cut || past[0].Incident != 2 || past[1].Verdict != "true" || !past[1].Closed || past[1].Title != "r1" {
		t.Errorf("%+v", past)
	}
	if past, cut := d.book.History(3, 1); len(past) != 1 || !cut {
		t.Errorf("%+v", past)
	}
	hidden := d.book.Without(func(id int64) bool { return id == 1 })
	if got, _ := hidden.Related(2, 9); len(got) != 3 {
		t.Errorf("what is hidden is related: %+v", got)
	}
}

// Given an address that very many incidents share, when kin is asked for, then the look is bounded and says so.
func TestRelatedIsBounded(t *testing.T) {
	d := newDesk(t)
	for n := range chainAtMost + 10 {
		d.write(draft("detect", entry.IncidentOpened, int64(n)+1, entry.Opened{ID: int64(n) + 1, Title: "r", Severity: High, Happened: t0}))
		a := alert(fmt.Sprint("x", n), "r", "high", n, "a1")
		a.Incident, a.By = int64(n)+1, "opened"
		d.write(entry.Draft{Actor: "detect", Kind: entry.AlertRaised, Body: a})
	}
	if got, cut := d.book.Related(1, 5); len(got) != 5 || !cut || got[0].Incident != chainAtMost+10 {
		t.Errorf("cut %v, %+v", cut, got)
	}
	if _, cut := d.book.Related(1, 10_000); !cut {
		t.Error("it looked at all, or does not say that it did not")
	}
}

func sum(r rune) string { return fmt.Sprintf("%064s", string(r)) }

// Given what must be written, when an incident is to be closed as done without it, then it is refused unless there is an excuse, which stays.
func TestFinish(t *testing.T) {
	d := opened(t, 1)
	i := d.book.Incidents[0]
	lacks := func(want ...string) {
		t.Helper()
		_, err := d.book.Finish("person:anna", 1, "true", "w", "")
		l, ok := errors.AsType[*Lacks](err)
		if !ok && len(want) > 0 || ok && !slices.Equal(l.What, want) || !ok && err != nil {
			t.Errorf("%v, want it to lack %v", err, want)
		}
	}
	lacks("cause", "lessons")
	first := d.do(d.book.PutCause("person:anna", entry.Cause{Incident: 1, Text: "w"}))
	lacks("cause", "lessons") // without a class it is a story
	d.do(d.book.PutCause("person:anna", entry.Cause{Incident: 1, Class: "supplier", Text: "w", Before: first.N}))
	lacks("lessons")
	if x, err := d.book.Finish("person:anna", 1, "false", "w", ""); err != nil || len(x.Body.(entry.Closed).Lacking) != 0 {
		t.Errorf("a false alarm: %+v, %v", x, err)
	}
	d.do(d.book.Finish("person:anna", 1, "true", "w1", "w2"))
	if m := i.Timeline[len(i.Timeline)-1]; !i.Closed || m.From != "w2" || !slices.Equal(i.Excused(), []string{"lessons"}) {
		t.Errorf("%+v, %v", m, i.Excused())
	}
	_, err := d.book.PutLessons("person:anna", entry.Lessons{Incident: 1})
	refused(t, "no lesson", err, "empty")
	l := d.do(d.book.PutLessons("person:anna", entry.Lessons{Incident: 1, Well: "w3"})) // a closed one learns too
	if i.Excused() != nil && len(i.Excused()) != 0 {
		t.Errorf("still excused: %v", i.Excused())
	}
	_, err = d.book.PutLessons("person:boris", entry.Lessons{Incident: 1, Text: "w4"})
	overtaken(t, err, l.N, "person:anna", "")
	d.do(d.book.Reopen("person:anna", 1, ""))
	lacks()
	x, err := d.book.Finish("person:anna", 1, "true", "w", "an excuse that is not needed")
	if err != nil || x.Body.(entry.Closed).Excuse != "" {
		t.Errorf("%+v, %v", x, err)
	}
	_, err = d.book.Finish("person:anna", 1, "maybe", "w", "")
	refused(t, "no verdict", err, "true or a false")
}
