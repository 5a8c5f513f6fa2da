package review

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/internal/entry"
)

var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC) // a Black Friday

func staff(id string) bool { return id == "anna" || id == "boris" || id == "carla" || id == "dora" }

// A ledger is a book and the entries that made it, as lines.
type ledger struct {
	t     rapid.TB
	b     Book
	n     int64
	lines [][]byte
}

// fact appends a body as somebody else wrote it.
func (l *ledger) fact(at time.Time, k entry.Kind, body any) {
	l.t.Helper()
	l.add(at, entry.Draft{Actor: "desk", Kind: k, Subject: "x", Body: body}, nil)
}

func (l *ledger) add(at time.Time, d entry.Draft, err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
	l.n++
	e, text, err := entry.Make(l.n, at, d)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.b.Apply(e); err != nil {
		l.t.Fatal(err)
	}
	l.lines = append(l.lines, text)
}

// opened is a ledger with a real incident 1.
func opened(t rapid.TB) *ledger {
	l := &ledger{t: t}
	l.fact(t0, entry.IncidentOpened, entry.Opened{ID: 1, Title: "x", Severity: "high"})
	return l
}

func days(n float64) time.Time { return t0.Add(time.Duration(n * float64(day))) }

func refused(t *testing.T, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%v; want it to say %q", err, says)
	}
}

func TestMeetings(t *testing.T) {
	l := opened(t)
	call := entry.ReviewCall{Incident: 1, At: days(9), Chair: "anna", Invited: []string{"boris"}, Agenda: "v1", Hash: "h"}
	d, err := l.b.Call("person:anna", call, staff, days(1))
	l.add(days(1), d, err)
	for says, change := range map[string]func(*entry.ReviewCall){
		"incident 2":      func(x *entry.ReviewCall) { x.Incident = 2 },
		"within a year":   func(x *entry.ReviewCall) { x.At = days(0) },
		`id "eve"`:        func(x *entry.ReviewCall) { x.Chair = "eve" },
		"an agenda":       func(x *entry.ReviewCall) { x.Agenda = "" },
		"is named twice":  func(x *entry.ReviewCall) { x.Invited = []string{"boris", "boris"} },
		"nobody on the t": func(x *entry.ReviewCall) { x.Invited = []string{"eve"} },
	} {
		x := call
		change(&x)
		_, err := l.b.Call("person:anna", x, staff, days(1))
		refused(t, err, says)
	}
	l.fact(days(2), entry.IncidentClosed, entry.Closed{ID: 1, Verdict: "true"})
	if got := l.b.Unreviewed(days(15.9)); got != nil {
		t.Errorf("unreviewed too early: %v", got)
	}
	if got := l.b.Unreviewed(days(16)); len(got) != 1 {
		t.Errorf("unreviewed: %v", got)
	}
	held := entry.ReviewMeeting{Incident: 1, At: days(9), Attendees: []string{"anna", "who-left"}, Minutes: "v2", Hash: "h"}
	_, err = l.b.Hold("person:anna", held, staff, days(8))
	refused(t, err, "future")
	x := held
	x.Attendees = nil
	_, err = l.b.Hold("person:anna", x, staff, days(9))
	refused(t, err, "who was there")
	d, err = l.b.Hold("person:anna", held, staff, days(9))
	l.add(days(9), d, err)
	if got := l.b.Unreviewed(days(99)); got != nil || !l.b.Reviewed(1) || l.b.Reviewed(2) {
		t.Errorf("unreviewed: %v", got)
	}
}

func TestMeasures(t *testing.T) {
	l := opened(t)
	put := func(at time.Time, x entry.Measure) {
		t.Helper()
		d, err := l.b.PutMeasure("person:anna", x, staff, at)
		l.add(at, d, err)
	}
	m := entry.Measure{Incident: 1, Text: "v", Hash: "h", Owner: "boris", Due: days(10), Remind: 3 * day}
	put(t0, m)
	for says, change := range map[string]func(*entry.Measure){
		"no incident 7":    func(x *entry.Measure) { x.Incident = 7 },
		"what the gap is":  func(x *entry.Measure) { x.Text = "" },
		`id "eve"`:         func(x *entry.Measure) { x.Owner = "eve" },
		"within two years": func(x *entry.Measure) { x.Due = t0 },
		"90 days before":   func(x *entry.Measure) { x.Remind = 91 * day },
		"measure 9":        func(x *entry.Measure) { x.ID = 9 },
		"needs a reason":   func(x *entry.Measure) { x.ID = 1 },
	} {
		x := m
		change(&x)
		_, err := l.b.PutMeasure("person:anna", x, staff, t0)
		refused(t, err, says)
	}
	change := m
	change.ID, change.Why, change.Owner, change.Remind = 1, "v", "carla", 0
	for says, due := range map[string]time.Time{"": m.Due, "within two years": days(11)} { // after twelve days it is overdue: that may stay, and no other day that is over
		change.Due = due
		x, err := l.b.PutMeasure("person:anna", change, staff, days(12))
		if says == "" && (err != nil || x.Body.(entry.Measure).Owner != "carla" || x.Body.(entry.Measure).Remind != 0) {
			t.Errorf("another owner of what is overdue: %+v, %v", x, err)
		} else if says != "" {
			refused(t, err, says)
		}
	}
	step := func(at time.Time, f func(string, entry.MeasureStep) (entry.Draft, error), person string) {
		t.Helper()
		d, err := f("person:"+person, entry.MeasureStep{ID: 1, Person: person, Text: "v"})
		l.add(at, d, err)
	}
	_, err := l.b.Verify("person:carla", entry.MeasureStep{ID: 1, Person: "carla", Text: "v"})
	refused(t, err, "measure 1 is open")
	step(days(2), l.b.Do, "anna") // for boris, who owns it
	for _, p := range []string{"anna", "boris"} {
		_, err = l.b.Verify("person:"+p, entry.MeasureStep{ID: 1, Person: p, Text: "v"})
		refused(t, err, "Somebody else than "+p)
	}
	_, err = l.b.Verify("person:carla", entry.MeasureStep{ID: 1, Person: "carla"})
	refused(t, err, "how it was verified")
	step(days(3), l.b.Verify, "carla")
	step(days(12), l.b.Reopen, "carla")
	if x := l.b.Measures[0]; x.State != Open || !x.Overdue(days(12)) || !x.due().Equal(days(12)) || len(x.Steps) != 3 {
		t.Errorf("opened again: %+v", x)
	}
	m.ID, m.Why, m.Owner, m.Due = 1, "v2", "anna", days(20)
	put(days(12), m)
	known := func(x entry.MeasureLink) bool { return x.Ref == "skimmer" }
	link := entry.MeasureLink{ID: 1, Kind: "playbook", Ref: "skimmer", Revision: "ab"}
	d, err := l.b.Link("person:anna", link, known)
	l.add(days(13), d, err)
	_, err = l.b.Link("person:anna", link, known)
	refused(t, err, "linked with it already")
	_, err = l.b.Link("person:anna", entry.MeasureLink{ID: 1, Kind: "rule", Ref: "x"}, known)
	refused(t, err, `no rule "x"`)
	step(days(14), l.b.Drop, "anna")
	_, err = l.b.Link("person:anna", link, known)
	refused(t, err, "is dropped")
	if x := l.b.MeasuresOf(1); len(x) != 1 || x[0].State != Dropped || len(l.b.MeasuresOf(2)) != 0 {
		t.Errorf("%+v", x)
	}
}

// part is a ledger with parts that anna keeps.
func part(t rapid.TB, ids ...string) *ledger {
	l := opened(t)
	for _, id := range ids {
		d, err := l.b.PutPart("person:anna", entry.PlanPart{ID: id, Owner: "anna"}, staff)
		l.add(t0, d, err)
	}
	return l
}

func content(revision string) Content {
	return Content{Revision: revision, Sections: []string{"one", "two"}}
}

// review has a part read and approved.
func (l *ledger) review(at time.Time, id, revision string) {
	l.t.Helper()
	d, err := l.b.Read("person:anna", entry.PartReading{ID: id, Revision: revision, Against: l.b.Parts[id].Approved, Sections: []string{"one", "two"}, Person: "anna"}, content(revision))
	l.add(at, d, err)
	d, err = l.b.Approve("person:boris", id, "boris", content(revision), false)
	l.add(at, d, err)
}

func TestReviewedMeansReadComparedAndApproved(t *testing.T) {
	l := part(t, "roles")
	reading := entry.PartReading{ID: "roles", Revision: "r1", Sections: []string{"one"}, Person: "anna"}
	for says, change := range map[string]func(*entry.PartReading){
		`part "letters"`:               func(x *entry.PartReading) { x.ID = "letters" },
		"was changed while":            func(x *entry.PartReading) { x.Revision = "r0" },
		"Another revision":             func(x *entry.PartReading) { x.Against = "r0" },
		"Tick what":                    func(x *entry.PartReading) { x.Sections = nil },
		`"three" is no section`:        func(x *entry.PartReading) { x.Sections = []string{"three"} },
		`"one" is no section of roles`: func(x *entry.PartReading) { x.Sections = []string{"one", "one"} },
	} {
		x := reading
		change(&x)
		_, err := l.b.Read("person:anna", x, content("r1"))
		refused(t, err, says)
	}
	d, err := l.b.Read("person:anna", reading, content("r1"))
	l.add(days(1), d, err)
	_, err = l.b.Approve("person:boris", "roles", "boris", content("r1"), false)
	refused(t, err, "Nobody has read all")
	reading.Sections = []string{"two"}
	d, err = l.b.Read("person:anna", reading, content("r1"))
	l.add(days(2), d, err)
	_, err = l.b.Approve("person:anna", "roles", "anna", content("r1"), false)
	refused(t, err, "another person approves")
	_, err = l.b.Approve("person:boris", "roles", "boris", content("r2"), false) // it was changed after the reading
	refused(t, err, "Nobody has read all")
	d, err = l.b.Refuse("person:boris", "roles", "boris", "r1", "v")
	l.add(days(3), d, err)
	_, err = l.b.Approve("person:carla", "roles", "carla", content("r1"), false)
	refused(t, err, "Nobody has read all")
	l.review(days(4), "roles", "r1")
	if p := l.b.Parts["roles"]; p.Approved != "r1" || p.ReadBy != "anna" || p.ApprovedBy != "boris" || p.Readings != nil {
		t.Errorf("%+v", p)
	}
	if d := l.b.Due(days(5))[0]; d.Over || !d.At.Equal(days(4+Quarter)) || !strings.Contains(d.Why, "every 91 days") {
		t.Errorf("%+v", d)
	}
}

func TestDueBeforeItsTime(t *testing.T) {
	l := part(t, "roles", "playbook:skimmer", "rules", "glossary", "playbook:other")
	owed := func(now time.Time) string {
		var out []string
		for _, d := range l.b.Due(now) {
			if d.Cause != "" {
				out = append(out, fmt.Sprintf("%s %s %d", d.Part.ID, d.Cause, int64(d.At.Sub(t0)/day)))
			}
		}
		return strings.Join(out, "; ")
	}
	concerns := func(rule string) []string { return []string{"playbook:other", "playbook:unknown"} }
	if d, ok := l.b.Threats([]string{"r1", "r2"}, concerns); !ok || !d.Body.(entry.Threats).First {
		t.Error("the first rules are news")
	} else {
		l.add(t0, d, nil)
	}
	if d, ok := l.b.Facts("web-1", map[string]string{"os": "h1"}); ok {
		l.add(t0, d, nil)
	}
	for _, id := range []string{"roles", "playbook:skimmer", "rules", "glossary", "playbook:other"} {
		l.review(days(1), id, "r1")
	}
	if got := owed(days(2)); got != "" {
		t.Errorf("owed: %s", got)
	}
	l.fact(days(2), entry.RunBegun, entry.Run{ID: 1, Incident: 1, Playbook: "skimmer"})
	l.fact(days(2), entry.IncidentRoleTaken, entry.IncidentRole{ID: 1, Role: "legal", Person: "anna"})
	l.fact(days(2), entry.IncidentClosed, entry.Closed{ID: 1, Verdict: "false"})
	if got := owed(days(2)); got != "" {
		t.Errorf("after a false alarm: %s", got)
	}
	l.fact(days(3), entry.IncidentReopened, entry.Reopened{ID: 1})
	l.fact(days(3), entry.IncidentClosed, entry.Closed{ID: 1, Verdict: "true"})
	if got := owed(days(3)); got != "playbook:skimmer incident 17; roles incident 17" {
		t.Errorf("after an incident: %s", got)
	}
	d, err := l.b.Read("person:anna", entry.PartReading{ID: "roles", Revision: "r2", Against: "r1", Sections: []string{"one", "two"}, Person: "anna"}, content("r2"))
	l.add(days(4), d, err)
	d, err = l.b.Ask("person:dora", entry.PartAsk{Parts: []string{"roles"}, Cause: ByPerson, Text: "v", Due: days(20)}, days(5)) // while it is read
	l.add(days(5), d, err)
	d, err = l.b.Approve("person:boris", "roles", "boris", content("r2"), false)
	l.add(days(6), d, err)
	if got := owed(days(6)); got != "playbook:skimmer incident 17; roles person 20" {
		t.Errorf("after one was reviewed: %s", got)
	}
	if _, ok := l.b.Threats([]string{"r2", "r1"}, concerns); ok {
		t.Error("old rules are news")
	}
	x, _ := l.b.Threats([]string{"r3", "r1", "r3"}, concerns)
	l.add(days(7), x, nil)
	x, ok := l.b.Facts("web-1", map[string]string{"os": "h2", "php": "h3"})
	l.add(days(8), x, nil)
	if changed := x.Body.(entry.Architecture).Changed; !ok || fmt.Sprint(changed) != "[os php]" {
		t.Errorf("changed: %v", changed)
	}
	for n, x := range []struct {
		host    string
		facts   map[string]string
		changed string
	}{{"web-1", map[string]string{"os": "h2", "php": "h3"}, "-"}, {"web-2", map[string]string{"os": "h2"}, "[host]"}, {"web-2", nil, "[host]"}, {"web-2", nil, "-"}, {"", nil, "-"}} {
		got := "-"
		if d, ok := l.b.Facts(x.host, x.facts); ok {
			l.add(days(8), d, nil)
			got = fmt.Sprint(d.Body.(entry.Architecture).Changed)
		}
		if got != x.changed {
			t.Errorf("host %d: changed %s, want %s", n, got, x.changed)
		}
	}
	if got := owed(days(8)); got != "playbook:skimmer incident 17; roles person 20; playbook:other threat 21; rules threat 21" { // what changed a day later is due later
		t.Errorf("after new rules: %s", got)
	}
}
