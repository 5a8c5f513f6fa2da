package incident

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tocsin/internal/entry"
)

func TestTaskRefusals(t *testing.T) {
	d := opened(t, 1)
	for name, x := range map[string]entry.Task{
		"no title":  {Incident: 1, Person: "anna"},
		"nobody":    {Incident: 1, Title: "t"},
		"both":      {Incident: 1, Title: "t", Person: "anna", Role: "legal"},
		"no role":   {Incident: 1, Title: "t", Role: "king"},
		"the past":  {Incident: 1, Title: "t", Person: "anna", Due: t0.Add(-time.Hour)},
		"a century": {Incident: 1, Title: "t", Person: "anna", Due: t0.AddDate(100, 0, 0)},
		"nowhere":   {Incident: 4, Title: "t", Person: "anna"},
	} {
		_, err := d.book.AddTask("person:anna", t0, x)
		refused(t, name, err, "")
	}
	added := d.do(d.book.AddTask("person:anna", t0, entry.Task{Incident: 1, Title: "t1", Person: "anna", Due: t0.Add(time.Hour)}))
	same := entry.Task{Incident: 1, ID: 1, Title: "t1", Person: "anna", Due: t0.Add(time.Hour), Text: "w"}
	_, err := d.book.ChangeTask("person:anna", t0.Add(2*time.Hour), added.N, same)
	refused(t, "no change", err, "already")
	same.Role, same.Person, same.Text = "legal", "", ""
	_, err = d.book.ChangeTask("person:anna", t0, added.N, same)
	refused(t, "no reason", err, "why")
	same.Text = "w1"
	changed := d.do(d.book.ChangeTask("person:anna", t0.Add(2*time.Hour), added.N, same)) // late, and may stay so
	same.Title, same.Text = "t2", "w2"
	_, err = d.book.ChangeTask("person:boris", t0, added.N, same)
	overtaken(t, err, changed.N, "person:anna", "w1")
	_, err = d.book.DropTask("person:anna", entry.Reply{Incident: 1, ID: 1, Person: "anna"})
	refused(t, "dropped without a reason", err, "why")
	done := d.do(d.book.FinishTask("person:anna", entry.Reply{Incident: 1, ID: 1, Person: "anna", Text: "w3"}))
	_, err = d.book.DropTask("person:boris", entry.Reply{Incident: 1, ID: 1, Person: "boris", Text: "w4"})
	overtaken(t, err, done.N, "person:anna", "w3")
	_, err = d.book.ChangeTask("person:boris", t0, changed.N, same)
	overtaken(t, err, done.N, "person:anna", "w3")
	if got := d.book.Incidents[0].Command().Tasks[0]; len(got.Versions) != 2 || got.Versions[0].What.Person != "anna" || got.Open() {
		t.Errorf("%+v", got)
	}
}

// Given tasks, questions and hand-overs in several incidents, when somebody asks for what is theirs, then it is what they or their roles have, the first due first.
func TestMine(t *testing.T) {
	d := opened(t, 3)
	add := func(incident int64, role, person string, due time.Time) {
		t.Helper()
		d.do(d.book.AddTask("person:anna", t0, entry.Task{Incident: incident, Title: fmt.Sprint("t", len(d.all)), Role: role, Person: person, Due: due}))
	}
	add(1, "legal", "", time.Time{})          // held by boris there
	add(2, "legal", "", t0.Add(3*time.Hour))  // held by nobody there
	add(3, "", "anna", t0.Add(time.Hour))     // hers
	add(3, "", "boris", t0.Add(time.Hour))    // his
	add(1, "engineer", "", t0.Add(time.Hour)) // of neither
	d.do(d.book.TakeRole("person:boris", all, 1, "legal", "boris", false))
	d.do(d.book.Ask("person:anna", entry.Question{Incident: 2, Text: "q", Person: "carla"}))
	d.do(d.book.HandOver("person:boris", entry.Handover{Incident: 1, From: "boris", To: "anna", Roles: []string{"legal"}, Text: "h"}))
	for _, tt := range []struct {
		person string
		roles  []string
		want   []string
	}{
		{"anna", []string{"legal"}, []string{"3 task 1", "2 task 1", "2 question 1", "1 handover 1"}},
		{"anna", nil, []string{"3 task 1", "2 question 1", "1 handover 1"}},
		{"boris", nil, []string{"3 task 2", "1 task 1", "2 question 1"}},
		{"", nil, []string{"2 question 1"}},
	} {
		var got []string
		for _, x := range d.book.Mine(tt.person, tt.roles) {
			got = append(got, fmt.Sprint(x.Incident, " ", x.What, " ", x.ID))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s with %v: %v, want %v", tt.person, tt.roles, got, tt.want)
		}
	}
	hidden := d.book.Without(func(id int64) bool { return id == 3 })
	if got := hidden.Mine("anna", nil); len(got) != 2 {
		t.Errorf("what is hidden is hers: %+v", got)
	}
	d.doAll(d.book.TakeOver("person:anna", entry.Reply{Incident: 1, ID: 1, Person: "anna"}))
	d.do(d.book.FinishTask("person:anna", entry.Reply{Incident: 3, ID: 1, Person: "anna"}))
	d.do(d.book.Answer("person:anna", entry.Reply{Incident: 2, ID: 1, Person: "anna", Text: "a"}))
	if got := d.book.Mine("anna", nil); len(got) != 1 || got[0].Incident != 1 || got[0].Role != "legal" {
		t.Errorf("%+v", got)
	}
}

// Given a task that is due, when time passes, then it is owed an hour before, when it is due, and each day; what was sent is not owed again.
func TestReminders(t *testing.T) {
	d := opened(t, 1)
	due := t0.Add(5 * time.Hour)
	d.do(d.book.AddTask("person:anna", t0, entry.Task{Incident: 1, Title: "t", Role: "legal", Due: due}))
	d.do(d.book.AddTask("person:anna", t0, entry.Task{Incident: 1, Title: "t", Person: "anna"}))
	owed := func(at time.Duration, want string) {
		t.Helper()
		got := d.book.Owed(t0.Add(at))
		if want == "" {
			if len(got) != 0 {
				t.Errorf("%v: %+v", at, got)
			}
			return
		}
		if len(got) != 1 || got[0].Stage != want {
			t.Fatalf("%v: %+v, want %s", at, got, want)
		}
		d.now = t0.Add(at)
		d.write(d.book.Remind(got[0]))
		if again := d.book.Owed(t0.Add(at)); len(again) != 0 {
			t.Errorf("%v: owed again: %+v", at, again)
		}
	}
	owed(3*time.Hour, "")
	owed(4*time.Hour, "soon")
	owed(5*time.Hour-time.Second, "")
	owed(5*time.Hour, "due")
	owed(28*time.Hour, "")
	owed(29*time.Hour, "again")
	d.do(d.book.TakeRole("person:boris", all, 1, "legal", "boris", false))
	if got := d.book.Owed(t0.Add(60 * time.Hour)); len(got) != 1 || !slices.Equal(got[0].People, []string{"boris"}) {
		t.Errorf("%+v", got)
	}
	// Another time begins anew, and one that is near needs no warning.
	d.now = t0.Add(30 * time.Hour)
	k := d.book.Incidents[0].Command().Tasks[0]
	d.do(d.book.ChangeTask("person:anna", d.now, k.Versions[0].N, entry.Task{Incident: 1, ID: 1, Title: "t", Person: "anna", Due: d.now.Add(90 * time.Minute), Text: "w"}))
	owed(31*time.Hour, "")
	owed(32*time.Hour, "due")
	d.do(d.book.FinishTask("person:anna", entry.Reply{Incident: 1, ID: 1, Person: "anna"}))
	owed(99*time.Hour, "")
}

// Given a reminder that reached not everybody, then it is owed again soon, and later and later, to whom it did not reach; behind the last try the next day's comes.
func TestRemindersThatFail(t *testing.T) {
	d := opened(t, 1)
	due := t0.Add(time.Hour)
	d.do(d.book.AddTask("person:anna", t0, entry.Task{Incident: 1, Title: "t", Role: "legal", Due: due}))
	d.now = due
	var first int64
	seen := int64(0)
	for n, want := range []time.Duration{0, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour} {
		if want > 0 {
			if next := d.book.NextReminder(); !next.Equal(d.now.Add(want)) {
				t.Fatalf("try %d: owed at %v, want %v", n, next, d.now.Add(want))
			}
			if early := d.book.Owed(d.now.Add(want - time.Second)); len(early) != 0 {
				t.Errorf("try %d: owed too early: %+v", n, early)
			}
		}
		d.now = d.now.Add(want)
		owed := d.book.Owed(d.now)
		if len(owed) != 1 || owed[0].Stage != "due" {
			t.Fatalf("try %d: %+v", n, owed)
		}
		d.write(d.book.Remind(owed[0]))
		sent := d.book.Reminded(seen)
		if len(sent) != 1 {
			t.Fatalf("try %d: %+v", n, sent)
		}
		if n == 0 {
			first = sent[0].N
		} else if !slices.Equal(sent[0].Only, []string{"boris"}) {
			t.Errorf("try %d goes to %q", n, sent[0].Only)
		}
		if seen = sent[0].N; sent[0].First != first {
			t.Errorf("try %d begins with %d, want %d", n, sent[0].First, first)
		}
		d.write(d.book.Unremind(sent[0], []string{"boris"}, ""))
	}
	if next := d.book.NextReminder(); next.Before(d.now.Add(23 * time.Hour)) {
		t.Errorf("behind the last try it is owed at %v", next)
	}
	d.now = d.now.Add(25 * time.Hour)
	owed := d.book.Owed(d.now)
	if len(owed) != 1 || owed[0].Stage != "again" {
		t.Fatalf("the next day: %+v", owed)
	}
	d.write(d.book.Remind(owed[0]))
	if sent := d.book.Reminded(seen); len(sent) != 1 || len(sent[0].Only) != 0 {
		t.Errorf("the next day it goes to everybody: %+v", sent)
	}
	d.do(d.book.FinishTask("person:anna", entry.Reply{Incident: 1, ID: 1, Person: "anna"}))
	if !d.book.NextReminder().IsZero() {
		t.Error("a task that is done is still owed")
	}
}

// BenchmarkMine asks for what one person has to do among 10,000 incidents.
func BenchmarkMine(b *testing.B) {
	d := crowd(b)
	for b.Loop() {
		if got := d.Mine("p7", []string{"analyst"}); len(got) == 0 {
			b.Fatal("nothing")
		}
	}
}

// crowd is a book of 10,000 incidents with 100,000 alerts and a task in each.
func crowd(tb testing.TB) *Book {
	book := &Book{}
	entries := many(tb, 10_000)
	for n := range 10_000 {
		x := entry.Task{Incident: int64(n) + 1, ID: 1, Title: "t", Person: fmt.Sprint("p", n%200)}
		if n%10 == 0 {
			x.Person, x.Role = "", "analyst"
		}
		e, _, err := entry.Make(int64(len(entries))+1, t0, entry.Draft{Actor: "p", Kind: entry.TaskAdded, Body: x})
		if err != nil {
			tb.Fatal(err)
		}
		entries = append(entries, e)
	}
	for _, e := range entries {
		if _, err := book.Apply(e); err != nil {
			tb.Fatal(err)
		}
	}
	return book
}

// BenchmarkRelated looks for what is related to one incident among 10,000.
func BenchmarkRelated(b *testing.B) {
	d := crowd(b)
	for b.Loop() {
		if got, _ := d.Related(5000, 20); len(got) == 0 {
			b.Fatal("nothing")
		}
	}
}
