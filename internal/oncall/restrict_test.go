package oncall

import (
	"slices"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// shop is a team of which nora and lee can be named, and whose policy rings chats, schedules and everyone.
func shop(t *testing.T) *world {
	w := newWorld(t)
	w.person("anna", []string{plan.Commander}, "mail")
	w.person("boris", []string{plan.Engineer}, "mail")
	w.person("ada", []string{plan.Administrator}, "mail")
	w.person("nora", []string{plan.Legal}, "mail", "voice")
	w.person("lee", []string{plan.Analyst}, "mail")
	w.person("mute", []string{plan.Analyst})
	w.policy(entry.Policy{Steps: []entry.PolicyStep{{Who: []string{"schedule:web", "chat:ops"}, Wait: 5 * time.Minute}, {Who: []string{plan.Everyone}, Wait: 5 * time.Minute}}, Rounds: 1, Every: 5 * time.Minute, Throttle: 2 * time.Minute, Attend: 30 * time.Minute})
	w.plan.OnCall = func(string, time.Time) []string { return []string{"boris"} }
	return w
}

func (w *world) restrict(id int64, people ...string) {
	w.t.Helper()
	w.write(entry.Draft{Actor: "person:anna", Kind: entry.IncidentRestricted, Subject: "incident:1", Body: entry.Restriction{ID: id, Kind: "hr", People: people}})
}

// rung are the people whom a call rang, sorted, each once.
func rung(c *Call) (out []string) {
	for _, t := range c.Tries {
		if t.Channel != plan.Console {
			out = append(out, t.Person)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

// Given a restricted incident and a policy that rings who is on call, a chat and everyone, when nobody answers, then the named people are rung, and
// then also who keeps the team and commands; the person on call, the chat and everybody else never.
func TestARestrictedIncidentRingsThoseWhoAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		named []string
		at    time.Duration
		want  []string
	}{
		{"at once", []string{"nora", "lee"}, time.Minute, []string{"lee", "nora"}},
		{"when nobody has answered", []string{"nora", "lee"}, 6 * time.Minute, []string{"ada", "anna", "lee", "nora"}},
		{"and for hours", []string{"nora"}, 3 * time.Hour, []string{"ada", "anna", "nora"}},
		{"who cannot be rung is not waited for", []string{"mute"}, time.Minute, []string{"ada", "anna"}},
		{"nor who is not there", []string{"nobody"}, time.Minute, []string{"ada", "anna"}},
		{"the commander may be the only one", []string{"anna"}, time.Minute, []string{"anna"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := shop(t)
			w.incident(1, "high")
			w.restrict(1, tt.named...)
			w.until(tt.at)
			c := w.book.Of(1)
			if got := rung(c); !slices.Equal(got, tt.want) {
				t.Errorf("it rang %v, want %v", got, tt.want)
			}
			if !c.Rings() {
				t.Error("it does not ring any more, and nobody has answered")
			}
		})
	}
}

// Given a call for two incidents, when one of them is restricted, then that one has a call of its own, which an answer to the first does not end;
// who may not see the one does not see its call, and the other call no longer says that it was about it.
func TestARestrictedIncidentHasACallOfItsOwn(t *testing.T) {
	w := shop(t)
	w.incident(1, "high")
	w.incident(2, "high")
	w.until(time.Minute)
	if got := w.book.Calls[0].Incidents; len(w.book.Calls) != 1 || !slices.Equal(got, []int64{1, 2}) {
		t.Fatalf("%d calls, the first for %v", len(w.book.Calls), got)
	}
	w.restrict(1, "nora")
	w.until(2 * time.Minute)
	own := w.book.Of(1)
	if len(w.book.Calls) != 2 || own.ID != 2 || !slices.Equal(own.Incidents, []int64{1}) || !slices.Equal(w.book.Calls[0].Incidents, []int64{2}) {
		t.Fatalf("%d calls; that of the restricted one is %+v", len(w.book.Calls), own)
	}
	if got := rung(own); !slices.Equal(got, []string{"nora"}) {
		t.Errorf("it rang %v", got)
	}
	view := w.book.Without(func(id int64) bool { return id == 1 })
	if _, err := view.Get(2); err == nil || len(view.Calls) != 1 || len(view.Ringing()) != 1 || view.Of(1) != nil {
		t.Errorf("others see %d calls, %d of them ring", len(view.Calls), len(view.Ringing()))
	}
	w.incident(3, "high")
	w.until(3 * time.Minute)
	if slices.Contains(w.book.Of(1).Incidents, 3) {
		t.Error("another incident joined the call of a restricted one")
	}
	answer(t, w, 1)
	w.until(4 * time.Minute)
	if !w.book.Of(1).Rings() {
		t.Error("an answer to another call ended that of the restricted incident")
	}
	w.restrict(1, "lee")
	w.until(5 * time.Minute)
	if got := rung(w.book.Of(1)); !slices.Equal(got, []string{"lee"}) {
		t.Errorf("with another named, it rings %v", got)
	}
	w.write(entry.Draft{Actor: "person:anna", Kind: entry.IncidentUnrestricted, Subject: "incident:1", Body: entry.RestrictionEnd{ID: 1}})
	w.until(6 * time.Minute)
	if got := rung(w.book.Of(1)); !slices.Contains(got, "boris") {
		t.Errorf("when everybody may see it again, it rings %v", got)
	}
}

// Given a call whose only incident is restricted, when it rings on its own, then the old one ends, and says why.
func TestTheOldCallEnds(t *testing.T) {
	w := shop(t)
	w.incident(1, "critical")
	w.until(time.Minute)
	w.restrict(1, "nora")
	w.until(2 * time.Minute)
	if c := w.book.Calls[0]; c.Rings() || c.Ended != "apart" {
		t.Errorf("the old call: rings %v, ended %q", c.Rings(), c.Ended)
	}
	if view := w.book.Without(func(int64) bool { return true }); len(view.Calls) != 0 {
		t.Error("others see the call that rang before it was restricted")
	}
}

// Given incidents that are one, when they are restricted, or others are named, or everybody may see them again, and one is taken out, then that one rings those who may see it, and nobody else.
func TestATakenOutIncidentRingsThoseWhoMaySeeIt(t *testing.T) {
	merge := func(w *world, k entry.Kind, id, into int64) {
		w.write(entry.Draft{Actor: "person:anna", Kind: k, Subject: "incident:1", Body: entry.Merge{Incident: id, Into: into, Text: "v"}})
	}
	for _, tt := range []struct {
		name  string
		first []string // named before they were one
		on    int64    // which is restricted then
		then  []string // none: it is lifted
		want  []string
	}{
		{"the whole is restricted", nil, 1, []string{"nora"}, []string{"nora"}},
		{"the part is restricted", nil, 2, []string{"nora"}, []string{"nora"}},
		{"a part of the part is restricted", nil, 3, []string{"nora"}, []string{"nora"}},
		{"others are named", []string{"lee"}, 1, []string{"nora"}, []string{"nora"}},
		{"it is lifted", []string{"lee"}, 1, nil, []string{"boris"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := shop(t)
			for id := range int64(3) {
				w.incident(id+1, "high")
				if tt.first != nil {
					w.restrict(id+1, tt.first...)
				}
			}
			merge(w, entry.IncidentMerged, 3, 2)
			merge(w, entry.IncidentMerged, 2, 1)
			if tt.then != nil {
				w.restrict(tt.on, tt.then...)
			} else {
				w.write(entry.Draft{Actor: "person:anna", Kind: entry.IncidentUnrestricted, Subject: "incident:1", Body: entry.RestrictionEnd{ID: tt.on}})
			}
			merge(w, entry.IncidentUnmerged, 2, 1)
			w.until(time.Minute)
			for _, id := range []int64{1, 2} {
				c := w.book.Of(id)
				if c == nil {
					t.Fatalf("incident %d rings nobody", id)
				}
				if got := rung(c); tt.then != nil && !slices.Equal(got, tt.want) || !slices.Contains(got, tt.want[0]) {
					t.Errorf("incident %d rings %v, want %v", id, got, tt.want)
				}
			}
			if c := w.book.Of(3); c != nil {
				t.Errorf("incident 3 is part of another, and rings %v", rung(c))
			}
		})
	}
}
