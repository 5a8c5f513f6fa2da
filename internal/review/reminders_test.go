package review

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/internal/entry"
)

func crew() Crew {
	return Crew{Staff: staff, Commander: func(incident int64) []string { return []string{"carla"} }, Administrators: []string{"dora", "anna"},
		Channel: func(p string) string { return "mail" }}
}

// settle wants what is owed, has it sent, and says what was.
func (l *ledger) settle(c Crew, now time.Time) string {
	l.t.Helper()
	for _, d := range l.b.Owed(c, now).Wanted {
		l.add(now, d, nil)
	}
	var out []string
	for _, r := range l.b.Owed(c, now).Sends {
		out = append(out, r.Step+" "+r.Person)
		l.fact(now, entry.ReminderSent, entry.NoticeResult{Try: r.Try})
	}
	return strings.Join(out, ", ")
}

func TestRemindersEscalate(t *testing.T) {
	l := part(t, "roles") // due at 14 days
	for _, x := range []struct {
		at   float64
		want string
	}{{13.9, ""}, {14, "owner anna"}, {14.1, ""}, {21, "again anna"}, {27.9, ""}, {28, "commander carla"}, {44, "administrators anna, administrators dora"}, {400, ""}} {
		if got := l.settle(crew(), days(x.at)); got != x.want {
			t.Errorf("after %v days %q, want %q", x.at, got, x.want)
		}
	}
	l.review(days(401), "roles", "r1")
	if got := l.settle(crew(), days(401+Quarter)); got != "owner anna" {
		t.Errorf("in the next round: %q", got)
	}
	if again := l.b.Owed(crew(), days(401+Quarter)).Again; !again.Equal(days(401 + Quarter + 7)) {
		t.Errorf("look again after %v", again.Sub(t0))
	}
}

func TestRemindersAfterALongNight(t *testing.T) {
	l := part(t, "roles")
	if got := l.settle(crew(), days(99)); got != "administrators anna, commander carla, administrators dora" {
		t.Errorf("each hears the last word only: %q", got)
	}
}

func TestRemindersOfWhoIsNotThere(t *testing.T) {
	l := part(t, "roles")
	c := crew()
	c.Staff = func(p string) bool { return p == "dora" }
	if got := l.settle(c, days(14)); got != "owner dora" { // neither owner nor commander are on the team
		t.Errorf("%q", got)
	}
	c = crew()
	c.Channel = func(string) string { return "" }
	if d := l.b.Owed(c, days(14)); len(d.Wanted) != 0 || fmt.Sprint(d.Unreached) != "[{part:roles owner anna}]" {
		t.Errorf("%+v", d)
	}
}

func TestRemindersOfMeasures(t *testing.T) {
	l := opened(t)
	d, err := l.b.PutMeasure("person:carla", entry.Measure{Incident: 1, Text: "v", Hash: "h", Owner: "boris", Due: days(10), Remind: 3 * day}, staff, t0)
	l.add(t0, d, err)
	see := func(at float64, want string) {
		t.Helper()
		if got := l.settle(crew(), days(at)); got != want {
			t.Errorf("after %v days %q, want %q", at, got, want)
		}
	}
	see(6.9, "")
	see(7, "before boris")
	see(10, "owner boris")
	see(11, "commander carla")
	d, err = l.b.Do("person:boris", entry.MeasureStep{ID: 1, Person: "boris", Text: "v"})
	l.add(days(12), d, err)
	see(18.9, "")
	see(19, "verify carla")
	d, err = l.b.Reopen("person:carla", entry.MeasureStep{ID: 1, Person: "carla", Text: "v"})
	l.add(days(20), d, err)
	see(20, "owner boris") // a new round
	d, err = l.b.Drop("person:carla", entry.MeasureStep{ID: 1, Person: "carla", Text: "v"})
	l.add(days(20), d, err)
	see(99, "")
}

func TestRemindersOfReviewsThatAreMissing(t *testing.T) {
	l := opened(t)
	l.fact(t0, entry.IncidentClosed, entry.Closed{ID: 1, Verdict: "true"})
	for _, x := range []struct {
		at   float64
		want string
	}{{13, ""}, {14, "commander carla"}, {44, "administrators dora, administrators anna"}} {
		if got := l.settle(crew(), days(x.at)); got != x.want {
			t.Errorf("after %v days %q, want %q", x.at, got, x.want)
		}
	}
	d, err := l.b.Hold("person:anna", entry.ReviewMeeting{Incident: 1, At: days(45), Attendees: []string{"anna"}, Minutes: "v", Hash: "h"}, staff, days(45))
	l.add(days(45), d, err)
	if d := l.b.Owed(crew(), days(99)); len(d.Wanted) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestRemindersAreTriedAgain(t *testing.T) {
	l := part(t, "roles")
	l.add(days(14), l.b.Owed(crew(), days(14)).Wanted[0], nil)
	if d := l.b.Owed(crew(), days(14)); len(d.Wanted) != 0 || len(d.Sends) != 1 {
		t.Fatalf("after a crash between wanting and sending: %+v", d)
	}
	at := days(14)
	for n := range maxRepeats + 1 {
		l.fact(at, entry.ReminderFailed, entry.NoticeResult{Try: n + 1, Temporary: true, Uncertain: n == 0})
		d := l.b.Owed(crew(), at)
		if n == maxRepeats {
			if fmt.Sprint(d.Unreached) != "[{part:roles owner anna}]" || len(d.Wanted) != 0 {
				t.Fatalf("at last: %+v", d)
			}
			break
		}
		if len(d.Wanted) != 0 || !d.Again.After(at) {
			t.Fatalf("try %d at once: %+v", n+2, d)
		}
		at = d.Again
		d = l.b.Owed(crew(), at)
		if x := d.Wanted[0].Body.(entry.ReminderTry); x.Again != n+1 || x.Message != "reminder-1" || !x.Twice {
			t.Fatalf("%+v", x)
		}
		l.add(at, d.Wanted[0], nil)
	}
	l = part(t, "roles")
	l.add(days(14), l.b.Owed(crew(), days(14)).Wanted[0], nil)
	l.fact(days(14), entry.ReminderFailed, entry.NoticeResult{Try: 1, Temporary: true})
	l.review(days(14), "roles", "r1")
	if d := l.b.Owed(crew(), days(15)); len(d.Wanted) != 0 {
		t.Errorf("of what is done already: %+v", d)
	}
}

// TestLaw: whatever people do and however the program stops and starts, what is folded live is what is folded anew from the ledger; no step of a reminder is sent to
// anybody twice, and once the program has looked, everybody who is to be reminded was, of the last step that had come.
func TestLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := part(rt, "roles", "rules", "playbook:skimmer")
		now, sent, revision := t0, map[string]bool{}, 0
		gone := map[string]bool{}
		c := crew()
		c.Staff = func(p string) bool { return staff(p) && !gone[p] }
		person := rapid.SampledFrom([]string{"anna", "boris", "carla", "dora"})
		parts := rapid.SampledFrom([]string{"roles", "rules", "playbook:skimmer"})
		try := func(d entry.Draft, err error) {
			if err == nil {
				l.add(now, d, nil)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"wait": func(rt *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 40*24).Draw(rt, "hours")) * time.Hour)
			},
			"come and go": func(rt *rapid.T) { p := person.Draw(rt, "who"); gone[p] = !gone[p] },
			"keep": func(rt *rapid.T) {
				try(l.b.PutPart("desk", entry.PlanPart{ID: parts.Draw(rt, "part"), Owner: person.Draw(rt, "owner"), Days: rapid.IntRange(0, 99).Draw(rt, "days")}, staff))
			},
			"change": func(*rapid.T) { revision++ },
			"read": func(rt *rapid.T) {
				id := parts.Draw(rt, "part")
				r := fmt.Sprint("r", revision)
				try(l.b.Read("desk", entry.PartReading{ID: id, Revision: r, Against: l.b.Parts[id].Approved, Sections: []string{"one", "two"}[:rapid.IntRange(1, 2).Draw(rt, "sections")], Person: person.Draw(rt, "who")}, content(r)))
			},
			"approve": func(rt *rapid.T) {
				id, p, r := parts.Draw(rt, "part"), person.Draw(rt, "who"), fmt.Sprint("r", revision)
				d, err := l.b.Approve("desk", id, p, content(r), false)
				if err == nil && l.b.Parts[id].reading(p, r).Person == p {
					rt.Fatal("who read it approved of it")
				}
				try(d, err)
			},
			"refuse": func(rt *rapid.T) {
				try(l.b.Refuse("desk", parts.Draw(rt, "part"), person.Draw(rt, "who"), fmt.Sprint("r", revision), "v"))
			},
			"ask": func(rt *rapid.T) {
				try(l.b.Ask("desk", entry.PartAsk{Parts: []string{parts.Draw(rt, "part")}, Cause: ByPerson, Text: "v", Due: now.Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "days")) * day)}, now))
			},
			"new rule": func(rt *rapid.T) {
				if d, ok := l.b.Threats([]string{fmt.Sprint("r", rapid.IntRange(0, 5).Draw(rt, "rule"))}, func(string) []string { return []string{"playbook:skimmer"} }); ok {
					l.add(now, d, nil)
				}
			},
			"incident": func(rt *rapid.T) {
				l.fact(now, entry.RunBegun, entry.Run{Incident: 1, Playbook: "skimmer"})
				l.fact(now, entry.IncidentClosed, entry.Closed{ID: 1, Verdict: rapid.SampledFrom([]string{"true", "false"}).Draw(rt, "verdict")})
			},
			"measure": func(rt *rapid.T) {
				try(l.b.PutMeasure("desk", entry.Measure{ID: rapid.Int64Range(0, int64(len(l.b.Measures))).Draw(rt, "measure"), Text: "v", Hash: "h", Why: "v", Owner: person.Draw(rt, "owner"),
					Due: now.Add(time.Duration(rapid.IntRange(1, 40).Draw(rt, "days")) * day), Remind: time.Duration(rapid.IntRange(0, 9).Draw(rt, "before")) * day}, staff, now))
			},
			"step": func(rt *rapid.T) {
				x := entry.MeasureStep{ID: rapid.Int64Range(0, int64(len(l.b.Measures))).Draw(rt, "measure"), Person: person.Draw(rt, "who"), Text: "v"}
				f := rapid.SampledFrom([]func(string, entry.MeasureStep) (entry.Draft, error){l.b.Do, l.b.Verify, l.b.Reopen, l.b.Drop}).Draw(rt, "step")
				try(f("desk", x))
			},
			"look": func(rt *rapid.T) {
				for _, d := range l.b.Owed(c, now).Wanted {
					l.add(now, d, nil)
				}
				if d := l.b.Owed(c, now); len(d.Wanted) != 0 {
					rt.Fatalf("what was wanted is wanted again: %+v", d.Wanted)
				}
				for _, r := range l.b.Owed(c, now).Sends {
					switch rapid.SampledFrom([]string{"sent", "sent", "failed", "gone", "stopped"}).Draw(rt, "end") {
					case "sent":
						k := fmt.Sprint(r.About, r.Due, r.Person, r.Step)
						if sent[k] {
							rt.Fatalf("%+v was sent twice", r.ReminderTry)
						}
						sent[k] = true
						l.fact(now, entry.ReminderSent, entry.NoticeResult{Try: r.Try})
					case "failed":
						l.fact(now, entry.ReminderFailed, entry.NoticeResult{Try: r.Try, Temporary: true})
					case "gone":
						l.fact(now, entry.ReminderFailed, entry.NoticeResult{Try: r.Try})
					}
				}
				for _, y := range l.b.duties(c, now) {
					for p, s := range y.now(now, func(time.Time) {}) {
						if l.b.told[cycle{y.about, y.due.UnixNano(), p}] < rank(s.name) {
							rt.Fatalf("%s was not reminded of %s, step %s", p, y.about, s.name)
						}
					}
				}
			},
		})
		var again Book
		for _, text := range l.lines {
			e, err := entry.Parse(text)
			if err == nil {
				_, err = again.Apply(e)
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		if !reflect.DeepEqual(l.b, again) {
			rt.Fatalf("live\n%+v\nreplayed\n%+v", l.b, again)
		}
	})
}

// Given a review that is called, when the time comes, then who leads it and who is invited are told at once and once, anew when it is moved, nobody who may not know of
// the incident, and nobody of one that was held or lies behind us.
func TestWhoIsInvitedIsTold(t *testing.T) {
	l := opened(t)
	call := func(now, at time.Time, invited ...string) {
		t.Helper()
		d, err := l.b.Call("person:carla", entry.ReviewCall{Incident: 1, At: at, Chair: "anna", Invited: invited, Agenda: "v", Hash: "h"}, staff, now)
		l.add(now, d, err)
	}
	call(days(1), days(3), "anna", "boris", "carla")
	c := crew()
	c.Sees = func(p string, incident int64) bool { return p != "carla" }
	for _, x := range []struct {
		at   float64
		want string
	}{{1, "invited anna, invited boris"}, {1.5, ""}, {2.9, ""}} {
		if got := l.settle(c, days(x.at)); got != x.want {
			t.Errorf("after %v days %q, want %q", x.at, got, x.want)
		}
	}
	call(days(2.9), days(5), "boris")
	if got := l.settle(c, days(2.9)); got != "invited anna, invited boris" {
		t.Errorf("moved: %q", got)
	}
	call(days(3), days(4), "boris")
	d, err := l.b.Hold("person:anna", entry.ReviewMeeting{Incident: 1, At: days(3), Attendees: []string{"anna"}, Minutes: "v", Hash: "h"}, staff, days(3.1))
	l.add(days(3.1), d, err)
	if got := l.settle(c, days(3.1)); got != "" {
		t.Errorf("it was held: %q", got)
	}
	call(days(6), days(7), "boris")
	if got := l.settle(c, days(8)); strings.Contains(got, "invited") {
		t.Errorf("it lies behind us: %q", got)
	}
}
