package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/tlp"
)

// Given incidents that are merged, when one is read under any of their numbers, then all of both is there; taken out, each has what it had.
func TestMerge(t *testing.T) {
	d := opened(t, 4)
	note := func(id int64, text string) { t.Helper(); d.do(d.book.Note("person:anna", id, text, time.Time{})) }
	note(1, "n1")
	note(2, "n2")
	texts := func(id int64) string {
		lines, err := d.book.Timeline(id, Filter{Kinds: []entry.Kind{entry.IncidentNoted}})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, l := range lines {
			out = append(out, fmt.Sprint(l.Incident, l.Ref))
		}
		return strings.Join(out, " ")
	}
	for name, tt := range map[string]struct {
		from, into int64
		text, says string
	}{
		"itself": {1, 1, "w", "itself"}, "none": {9, 1, "w", "no such"}, "into none": {1, 9, "w", "no such"}, "no reason": {2, 1, "", "say why"},
	} {
		_, err := d.book.Merge("person:anna", tt.from, tt.into, tt.text)
		refused(t, name, err, tt.says)
	}
	d.doAll(d.book.Merge("person:anna", 3, 2, "m1"))
	d.doAll(d.book.Merge("person:anna", 2, 1, "m2")) // brings 3 along
	for name, tt := range map[string]struct {
		from, into int64
		says       string
	}{
		"again":                      {2, 4, "into incident 1 already"},
		"into a merged one":          {4, 3, "merge into that one"},
		"a circle":                   {1, 2, "take it out first"},
		"a circle over a further":    {1, 3, "take it out first"},
		"into one that is part of 1": {4, 2, "merge into that one"},
	} {
		_, err := d.book.Merge("person:anna", tt.from, tt.into, "w")
		refused(t, name, err, tt.says)
	}
	note(3, "n3") // who has the old number open loses nothing
	for _, id := range []int64{1, 2, 3} {
		if got := texts(id); got != "1n1 2n2 3n3" || d.book.Root(id) != 1 || !slices.Equal(d.book.Family(id), []int64{1, 2, 3}) {
			t.Errorf("incident %d: %s, root %d", id, got, d.book.Root(id))
		}
	}
	for name, err := range map[string]error{
		"phase": second(d.book.SetPhase("p", 2, "recovery")), "close": second(d.book.Close("p", 3, "true", "w")), "severity": second(d.book.SetSeverity("p", 2, Low, "w")),
		"role": second(d.book.TakeRole("p", all, 2, "legal", "anna", false)), "restrict": second(d.book.Restrict("p", entry.Restriction{ID: 2, Kind: "hr", People: []string{"anna"}})),
	} {
		if !errors.Is(err, ErrMerged) || !strings.Contains(err.Error(), "incident 1") {
			t.Errorf("%s of a merged one: %v", name, err)
		}
	}
	// An alert that would join 3 joins 1; one that grows stays where it is, and makes 1 worse.
	d.tell(raised(alert("x", "r9", "high", 5, "c1")))
	if a := d.book.Alerts["x"]; a.Incident != 1 || a.By != "address" {
		t.Errorf("it joined %d by %s", a.Incident, a.By)
	}
	worse := alert("a2", "r1", "critical", 0, "b1")
	worse.Count = 10
	d.tell(Change{Step: "level", Alert: worse})
	if a := d.book.Alerts["a2"]; a.Incident != 2 || d.book.Incidents[0].Severity != Critical || len(d.book.Incidents) != 4 {
		t.Errorf("in %d, of %d incidents, and 1 is %s", a.Incident, len(d.book.Incidents), d.book.Incidents[0].Severity)
	}
	d.do(d.book.Unmerge("person:anna", 2, "u1"))
	if !slices.Equal(d.book.Family(1), []int64{1}) || !slices.Equal(d.book.Family(2), []int64{2, 3}) || texts(1) != "1n1" || texts(3) != "2n2 3n3" {
		t.Errorf("%v %v %s %s", d.book.Family(1), d.book.Family(2), texts(1), texts(3))
	}
	_, err := d.book.Unmerge("person:anna", 2, "u")
	refused(t, "out again", err, "not merged")
	d.tell(raised(alert("y", "r9", "high", 6, "b1")))
	if a := d.book.Alerts["y"]; a.Incident != 2 {
		t.Errorf("it joined %d", a.Incident)
	}
	if m := d.book.Incidents[1].Command().Merges; len(m) != 2 || m[1].Kind != entry.IncidentUnmerged || !d.book.Incidents[1].Working() {
		t.Errorf("%+v", m)
	}
}

func second(_ entry.Draft, err error) error { return err }

// Given a merge of incidents that differ, when it is decided, then open work goes into no closed one, the worse severity counts, and only incidents for the same people are one.
func TestMergeOfUnlike(t *testing.T) {
	d := opened(t, 4)
	d.do(d.book.Close("person:anna", 2, "true", "w"))
	_, err := d.book.Merge("person:anna", 1, 2, "w")
	if !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	d.doAll(d.book.Merge("person:anna", 2, 1, "w")) // a closed one may go into an open one
	_, err = d.book.Reopen("person:anna", 2, "")
	refused(t, "reopened while merged", err, "merged")
	d.do(d.book.SetSeverity("person:anna", 3, Critical, "w"))
	d.doAll(d.book.Merge("person:anna", 3, 1, "w"))
	i := d.book.Incidents[0]
	if last := i.Timeline[len(i.Timeline)-1]; i.Severity != Critical || Words(last.Why[0]) == last.Why[0] {
		t.Errorf("%s: %+v", i.Severity, last)
	}
	d.do(d.book.Restrict("person:anna", entry.Restriction{ID: 4, Kind: "insider", People: []string{"anna"}}))
	_, err = d.book.Merge("person:anna", 4, 1, "w")
	refused(t, "for other people", err, "not for the same people")
	d.do(d.book.Restrict("person:anna", entry.Restriction{ID: 1, Kind: "insider", People: []string{"anna"}}))
	if !d.book.Incidents[2].Hides("boris") {
		t.Error("what is one with a restricted incident is for everybody")
	}
	d.doAll(d.book.Merge("person:anna", 4, 1, "w"))
	d.do(d.book.Hold("person:anna", 1, "w"))
	d.do(d.book.Unmerge("person:anna", 3, "w"))
	d.do(d.book.Close("person:anna", 1, "true", "w"))
	if d.book.Incidents[2].Closed || !d.book.Incidents[1].Closed || d.book.Incidents[3].Working() {
		t.Error("closing one closed what was taken out of it, or opened what is in it")
	}
	// An attack that goes on after 1 was closed is a new one, even where its alert stands in 4.
	a := alert("a4", "r1", "high", 0, "d1")
	a.Count = 100
	d.tell(Change{Step: "tenfold", Alert: a})
	if got := d.book.Alerts["a4"].Incident; got != 5 {
		t.Errorf("it is in %d", got)
	}
}

// Given labels, when a thing is asked for its own, then the narrower or younger holds, and what is RED takes all with it.
func TestLabels(t *testing.T) {
	d := opened(t, 2)
	n := d.do(d.book.Note("person:anna", 1, "n1", time.Time{})).N
	note := fmt.Sprint("note:", n)
	d.do(d.book.AddFile("person:anna", entry.File{Incident: 1, SHA256: sum('a'), Vault: "v", Name: "n", Kind: "log", Label: "GREEN", Person: "anna", From: "f"}))
	is := func(what string, want tlp.Label) {
		t.Helper()
		if got := d.book.Label(1, what); got != want {
			t.Errorf("%q is %s, want %s", what, got, want)
		}
	}
	set := func(what, label, text string) {
		t.Helper()
		d.do(d.book.SetLabel("person:anna", entry.Label{Incident: 1, What: what, Label: label, Text: text}))
	}
	is("", tlp.Amber)
	is(note, tlp.Amber)
	is("attachment:1", tlp.Green)
	set(note, "clear", "w1")
	is(note, tlp.Clear)
	for name, x := range map[string]entry.Label{
		"wider without a reason": {Incident: 1, Label: "CLEAR"}, "no label": {Incident: 1, Label: "WHITE"}, "again": {Incident: 1, What: note, Label: "CLEAR", Text: "w"},
		"no note": {Incident: 1, What: "note:999", Label: "RED"}, "no number": {Incident: 1, What: "note:01", Label: "RED"}, "no attachment": {Incident: 1, What: "attachment:2", Label: "RED"},
		"no thing": {Incident: 1, What: "cat", Label: "RED"}, "statement 1": {Incident: 1, What: "statement:1", Label: "RED"}, "no incident": {Incident: 9, Label: "RED"},
	} {
		_, err := d.book.SetLabel("person:anna", x)
		refused(t, name, err, "")
	}
	set("", "RED", "")
	is("", tlp.Red)
	is(note, tlp.Red)
	is("attachment:1", tlp.Red)
	set(note, "AMBER", "w2") // released on purpose
	is(note, tlp.Amber)
	set(note, "", "")
	is(note, tlp.Red)
	is("attachment:7", tlp.Red)
	if got := d.book.Label(9, ""); got != tlp.Red {
		t.Errorf("of no incident: %s", got)
	}
	d.doAll(d.book.Merge("person:anna", 2, 1, "w"))
	if got := d.book.Label(2, ""); got != tlp.Red {
		t.Errorf("what is one with a RED incident is %s", got)
	}
	d.do(d.book.Unmerge("person:anna", 2, "w"))
	d.do(d.book.Restrict("person:anna", entry.Restriction{ID: 2, Kind: "hr", People: []string{"anna"}}))
	if got := d.book.Label(2, ""); got != tlp.Red {
		t.Errorf("what is for named people is %s", got)
	}
	for _, e := range tlp.Exits() {
		if tlp.MayLeave(d.book.Label(1, ""), e) {
			t.Errorf("RED leaves by %s", e)
		}
	}
}

// Given notes with times and roles, when they are edited and pinned, then what they said stays, and the timeline is filtered.
func TestNotes(t *testing.T) {
	d := opened(t, 1)
	for name, x := range map[string]entry.Note{
		"empty": {ID: 1}, "no role": {ID: 1, Text: "n", Role: "king"}, "the future": {ID: 1, Text: "n", Happened: t0.Add(time.Hour)}, "learned in the future": {ID: 1, Text: "n", Learned: t0.Add(time.Hour)},
		"learned before": {ID: 1, Text: "n", Happened: t0.Add(-time.Hour), Learned: t0.Add(-2 * time.Hour)}, "nowhere": {ID: 7, Text: "n"},
	} {
		_, err := d.book.Write("person:anna", t0, x)
		refused(t, name, err, "")
	}
	first := d.do(d.book.Write("person:anna", t0, entry.Note{ID: 1, Text: "n1", Happened: t0.Add(-2 * time.Hour), Learned: t0.Add(-time.Hour), Role: "legal"}))
	d.do(d.book.Note("person:boris", 1, "n2", time.Time{}))
	i := d.book.Incidents[0]
	if m := i.line(first.N); !m.Learned.Equal(t0.Add(-time.Hour)) {
		t.Errorf("%+v", m)
	}
	edit := entry.NoteEdit{Incident: 1, Note: first.N, Text: "n3", Happened: t0.Add(-3 * time.Hour), Role: "analyst", Before: first.N, Person: "anna"}
	second := d.do(d.book.EditNote("person:anna", t0, edit))
	edit.Text = "n4"
	_, err := d.book.EditNote("person:boris", t0, edit)
	overtaken(t, err, second.N, "person:anna", "n3")
	edit.Before = second.N
	d.do(d.book.EditNote("person:boris", t0, edit))
	for name, change := range map[string]func(*entry.NoteEdit){
		"no note": func(x *entry.NoteEdit) { x.Note = 1 }, "nothing": func(x *entry.NoteEdit) { x.Text = "" }, "nobody": func(x *entry.NoteEdit) { x.Person = "" },
		"the future": func(x *entry.NoteEdit) { x.Happened = t0.Add(time.Hour) }, "no role": func(x *entry.NoteEdit) { x.Role = "king" }, "nowhere": func(x *entry.NoteEdit) { x.Incident = 3 },
	} {
		x := edit
		change(&x)
		_, err := d.book.EditNote("person:anna", t0, x)
		refused(t, name, err, "")
	}
	tag := i.Command().Lines[first.N]
	if m := i.line(first.N); m.Ref != "n4" || !m.Happened.Equal(t0.Add(-3*time.Hour)) || tag.First.Ref != "n1" || len(tag.Edits) != 2 || tag.Edits[0].What.Text != "n3" || tag.Role != "analyst" {
		t.Errorf("%+v, %+v", m, tag)
	}
	pin := entry.NotePin{Incident: 1, Note: first.N, Person: "anna"}
	d.do(d.book.Pin("person:anna", pin))
	_, err = d.book.Pin("person:anna", pin)
	refused(t, "pinned", err, "pinned already")
	d.do(d.book.Pin("person:anna", entry.NotePin{Incident: 1, Note: 1, Person: "anna"})) // any line
	d.do(d.book.Pin("person:anna", entry.NotePin{Incident: 1, Note: 1, Off: true, Person: "anna"}))
	_, err = d.book.Pin("person:anna", entry.NotePin{Incident: 1, Note: 99, Person: "anna"})
	refused(t, "no line", err, "no line")
	for name, tt := range map[string]struct {
		f    Filter
		want string
	}{
		"role":     {Filter{Role: "analyst"}, "n4"},
		"pinned":   {Filter{Pinned: true}, "n4"},
		"kind":     {Filter{Kinds: []entry.Kind{entry.IncidentNoted}}, "n4 n2"},
		"after":    {Filter{Kinds: []entry.Kind{entry.IncidentNoted}, After: first.N}, "n2"},
		"lived":    {Filter{Kinds: []entry.Kind{entry.IncidentNoted, entry.AlertRaised}, Lived: true}, "n4 a1 n2"},
		"until":    {Filter{Until: t0}, "n4"},
		"from":     {Filter{From: t0.Add(time.Second), Kinds: []entry.Kind{entry.IncidentNoted}}, "n2"},
		"no match": {Filter{Role: "legal"}, ""},
	} {
		lines, err := d.book.Timeline(1, tt.f)
		var got []string
		for _, l := range lines {
			got = append(got, l.Ref)
		}
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s (%v)", name, got, tt.want, err)
		}
	}
}
