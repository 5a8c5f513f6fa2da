package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

// do writes what was decided.
func (d *desk) do(x entry.Draft, err error) entry.Entry {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(x)
	d.now = d.now.Add(time.Second)
	return d.all[len(d.all)-1]
}

// doAll writes what was decided together.
func (d *desk) doAll(xs []entry.Draft, err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(xs...)
	d.now = d.now.Add(time.Second)
}

// opened makes a desk with n incidents that have nothing in common.
func opened(t *testing.T, n int) *desk {
	d := newDesk(t)
	for k := range n {
		d.tell(raised(alert(fmt.Sprint("a", k+1), "r1", "high", 0, fmt.Sprintf("%c1", 'a'+k))))
	}
	return d
}

// refused wants an error that says something.
func refused(t *testing.T, name string, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want an error with %q", name, err, says)
	}
}

// overtaken wants the refusal that shows the other's work.
func overtaken(t *testing.T, err error, n int64, by, text string) {
	t.Helper()
	o, ok := errors.AsType[*Overtaken](err)
	if !ok {
		t.Fatalf("%v is no refusal that shows the first", err)
	}
	if o.N != n || o.By != by || o.Text != text || !strings.Contains(err.Error(), by) || !strings.Contains(err.Error(), "meanwhile") {
		t.Errorf("it shows entry %d by %s with %s: %v; want %d by %s with %s", o.N, o.By, o.Text, err, n, by, text)
	}
}

func all(string) bool { return true }

// Given a Commander, when others say what is known, then only the Commander keeps it, of two at once the second is shown the first, and each version stays.
func TestStatement(t *testing.T) {
	d := opened(t, 1)
	first := d.do(d.book.State("person:carla", "carla", all, 1, 0, "t1")) // nobody commands yet
	d.do(d.book.TakeRole("person:anna", all, 1, "commander", "anna", false))
	_, err := d.book.State("person:carla", "carla", all, 1, first.N, "t2")
	refused(t, "not the Commander", err, "kept by its Commander, anna")
	second := d.do(d.book.State("person:anna", "anna", all, 1, first.N, "t3"))
	_, err = d.book.State("person:anna", "anna", all, 1, first.N, "t4")
	overtaken(t, err, second.N, "person:anna", "t3")
	_, err = d.book.State("person:anna", "anna", all, 1, second.N+9, "t4")
	refused(t, "a version that is not there", err, "no version")
	_, err = d.book.State("person:boris", "boris", func(p string) bool { return p != "anna" }, 1, second.N, "t5")
	if err != nil {
		t.Errorf("the Commander left the team, and nobody may say what is known: %v", err)
	}
	_, err = d.book.State("person:anna", "anna", all, 1, second.N, "")
	refused(t, "empty", err, "three sentences")
	_, err = d.book.State("person:anna", "anna", all, 7, 0, "t")
	refused(t, "no such incident", err, "no such incident")
	if s := d.book.Incidents[0].Command().Statements; len(s) != 2 || s[0].What.Text != "t1" || s[1].What.Before != first.N {
		t.Errorf("%+v", s)
	}
}

func TestSentences(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		fits bool
	}{
		{"", 0, false}, {" \n. . !", 0, false},
		{"The checkout is skimmed.", 1, true}, {"no end", 1, true},
		{"Cards are stolen since 9.30 by shop.js v2.1.0 from 192.0.2.7. We took it out. Customers are not told yet.", 3, true},
		{"One. Two. Three. Four.", 4, false}, {"One\nTwo\nThree\nFour", 4, false},
		{"We see scripts, e.g. in the cart. Really?! Yes…", 3, true},
		{strings.Repeat("a", 601), 1, false}, {"一。二。三。", 1, true},
	} {
		if got := Sentences(tt.text); got != tt.n {
			t.Errorf("%.40q has %d sentences, want %d", tt.text, got, tt.n)
		}
		if err := FitsStatement(tt.text); (err == nil) != tt.fits {
			t.Errorf("%.40q: %v", tt.text, err)
		}
	}
}

// Given a decision with options, when two decide at once, then the first holds and the second is shown it; a later one takes its place, and says so.
func TestDecisions(t *testing.T) {
	d := opened(t, 1)
	for name, x := range map[string]entry.Decision{
		"no question":  {Incident: 1, Options: []string{"o1", "o2"}},
		"one option":   {Incident: 1, Text: "q", Options: []string{"o1"}},
		"seven":        {Incident: 1, Text: "q", Options: strings.Split("1234567", "")},
		"an empty one": {Incident: 1, Text: "q", Options: []string{"o1", ""}},
		"twice":        {Incident: 1, Text: "q", Options: []string{"o1", "o1"}},
		"of none":      {Incident: 1, Text: "q", Options: []string{"o1", "o2"}, Replaces: 4},
		"nowhere":      {Incident: 5, Text: "q", Options: []string{"o1", "o2"}},
	} {
		_, err := d.book.AskDecision("person:anna", x)
		refused(t, name, err, "")
	}
	q := entry.Decision{Incident: 1, Text: "q1", Options: []string{"o1", "o2"}}
	asked := d.do(d.book.AskDecision("person:anna", q))
	choice := entry.Choice{Incident: 1, ID: 1, Option: 2, Person: "anna", Text: "w1"}
	for name, x := range map[string]entry.Choice{"option 0": {Incident: 1, ID: 1, Person: "anna", Text: "w"}, "option 3": {Incident: 1, ID: 1, Option: 3, Person: "anna", Text: "w"},
		"nobody": {Incident: 1, ID: 1, Option: 1, Text: "w"}, "no reason": {Incident: 1, ID: 1, Option: 1, Person: "anna"}, "no decision": {Incident: 1, ID: 2, Option: 1, Person: "anna", Text: "w"}} {
		_, err := d.book.Choose("person:anna", asked.N, x)
		refused(t, name, err, "")
	}
	made := d.do(d.book.Choose("person:anna", asked.N, choice))
	choice.Person, choice.Option, choice.Text = "boris", 1, "w2"
	_, err := d.book.Choose("person:boris", asked.N, choice)
	overtaken(t, err, made.N, "person:anna", "w1")
	refused(t, "it says which option", err, "option 2")
	_, err = d.book.Choose("person:boris", made.N, choice)
	overtaken(t, err, made.N, "person:anna", "w1")
	_, err = d.book.WithdrawDecision("person:boris", asked.N, entry.Reply{Incident: 1, ID: 1, Person: "boris", Text: "w"})
	overtaken(t, err, made.N, "person:anna", "w1")

	// Two want to take its place; each asks, and only one may decide.
	q.Replaces = 1
	two := d.do(d.book.AskDecision("person:anna", q))
	three := d.do(d.book.AskDecision("person:boris", q))
	choice.ID = 2
	if !d.book.Incidents[0].Command().Decisions[0].Stands() {
		t.Error("what is only asked took its place")
	}
	later := d.do(d.book.Choose("person:boris", two.N, choice))
	choice.ID = 3
	_, err = d.book.Choose("person:anna", three.N, choice)
	overtaken(t, err, later.N, "person:boris", "w2")
	_, err = d.book.LogDecision("person:anna", q, 1, "anna", "w3")
	overtaken(t, err, later.N, "person:boris", "w2")
	d.do(d.book.WithdrawDecision("person:anna", three.N, entry.Reply{Incident: 1, ID: 3, Person: "anna", Text: "w4"}))
	q.Replaces = 2
	d.doAll(d.book.LogDecision("person:anna", q, 1, "anna", "w5"))
	q.Replaces = 3
	_, err = d.book.AskDecision("person:anna", q)
	refused(t, "one that was withdrawn", err, "was not made")
	got := d.book.Incidents[0].Command().Decisions
	if len(got) != 4 || got[0].Later != 2 || got[1].Later != 4 || got[2].Gone == nil || !got[3].Stands() || got[1].Stands() || got[0].Made.What.Text != "w1" {
		t.Errorf("%+v", got)
	}
	if w := got[3].Waits(t0); w != 0 {
		t.Errorf("what is decided waits for %v", w)
	}
}

// Given questions to a role, when they are answered or withdrawn, then once only, and nothing is asked of a role that is none.
func TestQuestions(t *testing.T) {
	d := opened(t, 1)
	_, err := d.book.Ask("person:anna", entry.Question{Incident: 1, Text: "q", Person: "anna", Role: "king"})
	refused(t, "no role", err, "king")
	_, err = d.book.Ask("person:anna", entry.Question{Incident: 1, Person: "anna"})
	refused(t, "empty", err, "empty")
	d.do(d.book.Ask("person:anna", entry.Question{Incident: 1, Text: "q1", Person: "anna", Role: "legal"}))
	d.do(d.book.Ask("person:anna", entry.Question{Incident: 1, Text: "q2", Person: "anna"}))
	_, err = d.book.Answer("person:boris", entry.Reply{Incident: 1, ID: 1, Person: "boris"})
	refused(t, "no answer", err, "empty")
	_, err = d.book.Answer("person:boris", entry.Reply{Incident: 1, ID: 3, Person: "boris", Text: "a"})
	refused(t, "no question", err, "no question 3")
	first := d.do(d.book.Answer("person:boris", entry.Reply{Incident: 1, ID: 1, Person: "boris", Text: "a1"}))
	_, err = d.book.Answer("person:carla", entry.Reply{Incident: 1, ID: 1, Person: "carla", Text: "a2"})
	overtaken(t, err, first.N, "person:boris", "a1")
	gone := d.do(d.book.WithdrawQuestion("person:anna", entry.Reply{Incident: 1, ID: 2, Person: "anna", Text: "a3"}))
	_, err = d.book.Answer("person:carla", entry.Reply{Incident: 1, ID: 2, Person: "carla", Text: "a4"})
	overtaken(t, err, gone.N, "person:anna", "a3")
	if q := d.book.Incidents[0].Command().Questions; q[0].Open() || q[1].Open() || q[0].Answer.What.Text != "a1" {
		t.Errorf("%+v", q)
	}
}

// Given a shift that ends, when it hands over, then the roles go with the taker's word, and not before.
func TestHandovers(t *testing.T) {
	d := opened(t, 1)
	d.do(d.book.TakeRole("person:anna", all, 1, "commander", "anna", false))
	d.do(d.book.TakeRole("person:anna", all, 1, "legal", "anna", false))
	x := entry.Handover{Incident: 1, From: "anna", To: "boris", Roles: []string{"legal", "commander", "legal"}, Text: "h1"}
	for name, change := range map[string]func(*entry.Handover){
		"to herself": func(x *entry.Handover) { x.To = "anna" }, "to nobody": func(x *entry.Handover) { x.To = "" }, "without a note": func(x *entry.Handover) { x.Text = "" },
		"a role of another": func(x *entry.Handover) { x.Roles = []string{"analyst"} },
	} {
		bad := x
		change(&bad)
		_, err := d.book.HandOver("person:anna", bad)
		refused(t, name, err, "")
	}
	d.do(d.book.HandOver("person:anna", x))
	_, err := d.book.HandOver("person:anna", x)
	refused(t, "twice", err, "waits already")
	i := d.book.Incidents[0]
	if i.Roles["commander"].Person != "anna" {
		t.Error("the role went before it was taken")
	}
	_, err = d.book.TakeOver("person:carla", entry.Reply{Incident: 1, ID: 1, Person: "carla"})
	refused(t, "somebody else", err, "for boris")
	d.do(d.book.LeaveRole("person:anna", 1, "legal", "anna", "")) // meanwhile
	d.doAll(d.book.TakeOver("person:boris", entry.Reply{Incident: 1, ID: 1, Person: "boris", Text: "h2"}))
	if i.Roles["commander"].Person != "boris" || i.Roles["legal"].Person != "" || i.Command().Handovers[0].Taken.What.Text != "h2" {
		t.Errorf("%+v", i.Roles)
	}
	_, err = d.book.TakeOver("person:boris", entry.Reply{Incident: 1, ID: 1, Person: "boris"})
	refused(t, "again", err, "already")
}

// Given a hand-over that waits, when who gave it withdraws or corrects it, then nobody has to take it any more, another may follow, and who comes too late is
// shown what became of it.
func TestAHandoverIsWithdrawn(t *testing.T) {
	d := opened(t, 1)
	d.do(d.book.TakeRole("person:carla", all, 1, "commander", "carla", false))
	d.do(d.book.TakeRole("person:anna", all, 1, "legal", "anna", false))
	x := entry.Handover{Incident: 1, From: "anna", To: "boris", Roles: []string{"legal"}, Text: "h1"}
	d.do(d.book.HandOver("person:anna", x))
	gone := entry.Reply{Incident: 1, ID: 1, Person: "anna", Text: "r1"}
	for _, c := range []struct {
		name, says string
		change     func(*entry.Reply)
	}{
		{"the taker", "from anna", func(x *entry.Reply) { x.Person = "boris" }}, {"nobody", "", func(x *entry.Reply) { x.Person = "" }},
		{"without a reason", "say why", func(x *entry.Reply) { x.Text = "" }}, {"another number", "", func(x *entry.Reply) { x.ID = 2 }},
	} {
		bad := gone
		c.change(&bad)
		_, err := d.book.WithdrawHandover("person:x", bad)
		refused(t, c.name, err, c.says)
	}
	other := x
	other.From, other.Roles = "carla", nil
	_, err := d.book.CorrectHandover("person:carla", 1, "r", other)
	refused(t, "who did not give it corrects it", err, "who alone can correct it")
	x.Text = "h2"
	d.do(d.book.SetLabel("person:anna", entry.Label{Incident: 1, What: "handover:1", Label: "RED"}))
	d.doAll(d.book.CorrectHandover("person:anna", 1, "r0", x))
	all, mine := d.book.Incidents[0].Command().Handovers, d.book.Mine("boris", nil)
	if len(all) != 2 || all[0].Open() || all[0].Gone.What.Text != "r0" || !all[1].Open() || all[1].Text != "h2" || len(mine) != 1 || mine[0].ID != 2 {
		t.Fatalf("%+v; to do: %+v", all, mine)
	}
	if l := d.book.Label(1, "handover:2"); l != "RED" {
		t.Errorf("what was RED is %s when it was corrected", l)
	}
	_, err = d.book.TakeOver("person:boris", entry.Reply{Incident: 1, ID: 1, Person: "boris"})
	overtaken(t, err, all[0].Gone.N, "person:anna", "r0")
	gone.ID, gone.Person = 2, "carla" // who has command
	n := d.do(d.book.WithdrawHandover("person:carla", gone)).N
	if mine := d.book.Mine("boris", nil); len(mine) != 0 {
		t.Errorf("to do: %+v", mine)
	}
	_, err = d.book.WithdrawHandover("person:anna", entry.Reply{Incident: 1, ID: 2, Person: "anna", Text: "r2"})
	overtaken(t, err, n, "person:carla", "r1")
	if i := d.book.Incidents[0]; i.Roles["legal"].Person != "anna" {
		t.Error("the role went with a hand-over that was withdrawn")
	}
	d.do(d.book.HandOver("person:anna", x))
}

// Given a hand-over that was GREEN before its incident became RED, when it is corrected, then the other note is RED as it is.
func TestACorrectedHandoverIsNoWider(t *testing.T) {
	d := opened(t, 1)
	x := entry.Handover{Incident: 1, From: "anna", To: "boris", Text: "h1"}
	d.do(d.book.HandOver("person:anna", x))
	d.do(d.book.SetLabel("person:anna", entry.Label{Incident: 1, What: "handover:1", Label: "GREEN", Text: "r"}))
	d.do(d.book.SetLabel("person:anna", entry.Label{Incident: 1, Label: "RED"}))
	x.Text = "h2"
	d.doAll(d.book.CorrectHandover("person:anna", 1, "r0", x))
	if was, is := d.book.Label(1, "handover:1"), d.book.Label(1, "handover:2"); was != "RED" || is != "RED" {
		t.Errorf("it was %s, and is %s", was, is)
	}
}

// Given what changed, when somebody looks who looked at an entry, then it stands in groups, the newest first, of all that is one with the incident.
func TestSince(t *testing.T) {
	d := opened(t, 2)
	n := d.do(d.book.Note("person:anna", 1, "n1", time.Time{})).N
	d.do(d.book.Note("person:anna", 1, "n2", time.Time{}))
	d.do(d.book.SetPhase("person:anna", 1, "containment"))
	d.do(d.book.Note("person:anna", 1, "n3", time.Time{}))
	d.doAll(d.book.Merge("person:anna", 2, 1, "m"))
	d.do(d.book.Note("person:boris", 2, "n4", time.Time{}))
	for _, id := range []int64{1, 2} {
		got, err := d.book.Since(id, n)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, g := range got {
			kinds = append(kinds, fmt.Sprint(g.Kind, " ", len(g.Lines)))
		}
		if want := []string{"incident.noted 3", "incident.merged 2", "incident.phase 1"}; !slices.Equal(kinds, want) {
			t.Errorf("incident %d: %v, want %v", id, kinds, want)
		}
	}
	if got, err := d.book.Since(1, d.all[len(d.all)-1].N); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := d.book.Since(9, 0); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// A text has no more sentences than ends, and one more sentence is at most one more.
func FuzzSentences(f *testing.F) {
	for _, s := range []string{"", "One. Two! Three? four", "e.g. v1.2.3", "a\u2028b", "\xff.\x00 A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Sentences(s)
		ends := 1
		for _, r := range s {
			if strings.ContainsRune(".!?…。！？\n\u2028\u2029", r) {
				ends++
			}
		}
		if n < 0 || n > ends {
			t.Fatalf("%q has %d sentences and %d ends", s, n, ends)
		}
		if more := Sentences(s + "\nNext."); more < n || more > n+1 {
			t.Fatalf("%q has %d sentences, and with one more %d", s, n, more)
		}
	})
}
