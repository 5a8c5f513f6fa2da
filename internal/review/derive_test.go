package review

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

// Parts stand without an entry of their own, and what happens to the plan asks for their review.
func TestDerivedParts(t *testing.T) {
	tests := []struct {
		name  string
		given []entry.Draft
		want  string // parts that are asked for before their time, with why
	}{
		{"a first start", []entry.Draft{started(), rules("a", 10, 0)}, ""},
		{"the same rules again", []entry.Draft{started(), rules("a", 10, 0), started(), rules("a", 10, 0)}, ""},
		{"a rule less", []entry.Draft{started(), rules("a", 10, 0), rules("b", 9, 0)}, ""},
		{"new rules with a new version", []entry.Draft{started(), rules("a", 10, 0), started(), rules("b", 12, 0)}, "rules: There are new rules, and with them new threats."},
		{"a changed rule", []entry.Draft{started(), rules("a", 10, 0), rules("b", 10, 1)}, "rules: There are new rules, and with them new threats."},
		{"the first host", []entry.Draft{started(), book("skimmer"), joined("a1")}, ""},
		{"a second host", []entry.Draft{started(), book("skimmer"), joined("a1"), joined("a2")}, "playbook:skimmer: The architecture changed: a new host., rules: The architecture changed: a new host."},
		{"a host goes", []entry.Draft{started(), book("skimmer"), joined("a1"), {Actor: "desk", Kind: entry.AgentRevoked, Subject: "agent:a1", Body: entry.AgentEnd{ID: "a1"}}},
			"playbook:skimmer: The architecture changed: a host that went., rules: The architecture changed: a host that went."},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			l := &ledger{t: t}
			write(l, days(0), x.given...)
			var got []string
			for _, id := range slices.Sorted(maps.Keys(l.b.Parts)) {
				for _, a := range l.b.Parts[id].Asks {
					got = append(got, id+": "+a.says())
				}
			}
			if s := strings.Join(got, ", "); s != x.want {
				t.Errorf("it asks for %q, want %q", s, x.want)
			}
		})
	}
}

func TestRetiredPart(t *testing.T) {
	l := &ledger{t: t}
	write(l, days(0), started(), book("skimmer"))
	if len(l.b.Due(days(0))) != 7 || !l.b.Due(days(0))[0].At.Equal(days(0).Add(FirstReading)) {
		t.Errorf("%+v", l.b.Due(days(0)))
	}
	write(l, days(1), entry.Draft{Actor: "desk", Kind: entry.PlaybookRetired, Subject: "playbook:skimmer", Body: entry.PlaybookEnd{ID: "skimmer"}})
	if len(l.b.Due(days(1))) != 6 {
		t.Errorf("a retired playbook is still to be reviewed: %+v", l.b.Due(days(1)))
	}
	write(l, days(2), book("skimmer"))
	if p, err := l.b.Part("playbook:skimmer"); err != nil || !p.Made.Equal(days(2)) {
		t.Errorf("%+v, %v", p, err)
	}
}

// Where nobody else could, who read it approves; who changed it does not while there is somebody else.
func TestApproveAlone(t *testing.T) {
	for _, x := range []struct {
		name, reads, approves, changed string
		alone                          bool
		want                           string
	}{
		{"two people", "anna", "boris", "", false, ""},
		{"the reader", "anna", "anna", "", false, "another person"},
		{"alone", "anna", "anna", "anna", true, ""},
		{"who changed it", "anna", "boris", "boris", false, "boris changed roles last"},
		{"the reader changed it", "anna", "boris", "anna", false, ""},
		{"nobody read it, alone", "", "anna", "", true, "Nobody has read"},
	} {
		t.Run(x.name, func(t *testing.T) {
			l := &ledger{t: t}
			write(l, days(0), started())
			now := Content{Revision: "r1", Sections: []string{"one"}, By: x.changed}
			if x.reads != "" {
				d, err := l.b.Read("person:"+x.reads, entry.PartReading{ID: "roles", Revision: "r1", Sections: []string{"one"}, Person: x.reads, Vault: "v1"}, now)
				if err != nil {
					t.Fatal(err)
				}
				write(l, days(1), d)
			}
			d, err := l.b.Approve("person:"+x.approves, "roles", x.approves, now, x.alone)
			if x.want != "" {
				if err == nil || !strings.Contains(err.Error(), x.want) {
					t.Errorf("it says %v, want %q", err, x.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			write(l, days(2), d)
			if p := l.b.Parts["roles"]; p.Approved != "r1" || p.Snapshot != "v1" || p.ReadBy != "anna" || p.due(days(2)).At != days(2+Quarter) {
				t.Errorf("%+v", p)
			}
		})
	}
}

// Given incidents that are one, when the one under whose number they are worked on is closed, then what each of them used of the plan is to be reviewed; what was taken out again is not.
func TestPartsOfAnIncidentAskForReviews(t *testing.T) {
	merge := func(k entry.Kind, id, into int64) entry.Draft {
		return entry.Draft{Actor: "person:anna", Kind: k, Subject: "incident:1", Body: entry.Merge{Incident: id, Into: into, Text: "v"}}
	}
	run := func(id, incident int64, book string) entry.Draft {
		return entry.Draft{Actor: "desk", Kind: entry.RunBegun, Subject: "run:1", Body: entry.Run{ID: id, Incident: incident, Playbook: book, Revision: "ab"}}
	}
	l := &ledger{t: t}
	write(l, days(0), started(), book("a"), book("b"), book("c"), book("d"))
	for id := range int64(4) {
		write(l, days(0), entry.Draft{Actor: "desk", Kind: entry.IncidentOpened, Subject: "incident:1", Body: entry.Opened{ID: id + 1, Title: "x", Severity: "high"}})
	}
	write(l, days(0), run(1, 1, "a"), run(2, 2, "b"), run(3, 3, "c"), run(4, 4, "d"), merge(entry.IncidentMerged, 3, 2), merge(entry.IncidentMerged, 2, 1), merge(entry.IncidentMerged, 4, 1), merge(entry.IncidentUnmerged, 4, 1))
	l.fact(days(1), entry.IncidentClosed, entry.Closed{ID: 1, Verdict: "true"})
	var got []string
	for _, id := range slices.Sorted(maps.Keys(l.b.Parts)) {
		for _, a := range l.b.Parts[id].Asks {
			got = append(got, id+" "+strings.Join(a.Refs, ","))
		}
	}
	if want := []string{"playbook:a 1", "playbook:b 1", "playbook:c 1"}; !slices.Equal(got, want) {
		t.Errorf("to be reviewed are %q, want %q", got, want)
	}
}

func started() entry.Draft {
	return entry.Draft{Actor: "desk", Kind: entry.ProgramStarted, Subject: "program", Body: entry.Started{Version: "1"}}
}

func rules(hash string, loaded, fresh int) entry.Draft {
	return entry.Draft{Actor: "desk", Kind: entry.RulesLoaded, Subject: "rules", Body: entry.Rules{Hash: hash, Loaded: loaded, Fresh: fresh}}
}

func book(id string) entry.Draft {
	return entry.Draft{Actor: "desk", Kind: entry.PlaybookPut, Subject: "playbook:" + id, Body: entry.Playbook{ID: id, Revision: "ab", Vault: "v", From: "shipped"}}
}

func joined(id string) entry.Draft {
	return entry.Draft{Actor: "desk", Kind: entry.AgentJoined, Subject: "agent:" + id, Body: entry.AgentJoin{ID: id}}
}

func write(l *ledger, at time.Time, drafts ...entry.Draft) {
	l.t.Helper()
	for _, d := range drafts {
		l.add(at, d, nil)
	}
}
