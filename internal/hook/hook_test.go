package hook

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// ledger folds drafts as a ledger would.
func ledger(t *testing.T, drafts ...entry.Draft) (*Book, []entry.Entry) {
	t.Helper()
	b := &Book{}
	var out []entry.Entry
	for k, d := range drafts {
		e, _, err := entry.Make(int64(k+1), noon, d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Apply(e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return b, out
}

func draft(k entry.Kind, body any) entry.Draft {
	return entry.Draft{Actor: "desk", Kind: k, Subject: "x", Body: body}
}

// A payload is the same whenever it is told: what happened since does not change it.
func TestPayloadIsOfItsMoment(t *testing.T) {
	b, es := ledger(t,
		draft(entry.IncidentOpened, entry.Opened{ID: 4, Title: "Keller's card", Severity: "high"}),
		draft(entry.IncidentSeverity, entry.Severity{ID: 4, From: "high", To: "critical", Text: "v1"}),
		draft(entry.IncidentPhase, entry.Phase{ID: 4, To: "containment"}),
		draft(entry.IncidentNoted, entry.Note{ID: 4, Text: "v2"}),
		draft(entry.IncidentClosed, entry.Closed{ID: 4, Verdict: "true", Text: "v3"}),
		draft(entry.IncidentReopened, entry.Reopened{ID: 4}))
	want := []string{
		`"severity":"high","incident":{"id":4,"severity":"high","phase":"identification","open":true}`,
		`"severity":"critical","incident":{"id":4,"severity":"critical","phase":"identification","open":true}`,
		`"severity":"critical","incident":{"id":4,"severity":"critical","phase":"containment","open":true}`,
		`"severity":"critical","incident":{"id":4,"severity":"critical","phase":"containment","open":true}`,
		`"severity":"critical","incident":{"id":4,"severity":"critical","phase":"containment","open":false}`,
		`"severity":"critical","incident":{"id":4,"severity":"critical","phase":"containment","open":true}`,
	}
	for k, e := range es {
		p, ok, err := b.Payload(Hook{Name: "tickets"}, e, Of{Origin: "tocsin-abc", URL: "https://t.example"})
		if err != nil || !ok {
			t.Fatalf("%s: %v %v", e.Kind, ok, err)
		}
		got, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(got), want[k]) || strings.Contains(string(got), "Keller") || strings.Contains(string(got), `"v`+string(rune('1'+k))) || !strings.Contains(string(got), `"link":"https://t.example/incidents/4"`) {
			t.Errorf("%s: %s", e.Kind, got)
		}
	}
}

func TestWants(t *testing.T) {
	for _, tt := range []struct {
		hook     Hook
		kind     entry.Kind
		severity string
		want     bool
	}{
		{Hook{}, entry.IncidentOpened, "low", true},
		{Hook{}, entry.CallAnswered, "", true},
		{Hook{}, entry.AlertRaised, "critical", false},
		{Hook{What: []string{"alert"}, Severity: "high"}, entry.AlertRaised, "critical", true},
		{Hook{What: []string{"alert"}, Severity: "high"}, entry.AlertRaised, "medium", false},
		{Hook{What: []string{"incident.closed"}}, entry.IncidentClosed, "low", true},
		{Hook{What: []string{"incident.closed"}}, entry.IncidentOpened, "low", false},
		{Hook{What: []string{"agent"}, Severity: "critical"}, entry.AgentLost, "", true},
		{Hook{What: []string{"agent"}}, entry.AgentInvited, "", false},
		{Hook{What: []string{"person"}}, entry.PersonPut, "", false},
	} {
		if got := tt.hook.Wants(tt.kind, tt.severity); got != tt.want {
			t.Errorf("%+v of %s %s: %v", tt.hook, tt.kind, tt.severity, got)
		}
	}
}

// Of a restricted incident nothing is told, nor of its alerts and calls.
func TestRestricted(t *testing.T) {
	b, es := ledger(t,
		draft(entry.IncidentOpened, entry.Opened{ID: 4, Severity: "high"}),
		draft(entry.AlertRaised, entry.Alert{ID: "a1", Rule: "insider", Level: "high", Incident: 4}),
		draft(entry.CallOpened, entry.Call{ID: 1, Incidents: []int64{4}, Severity: "high"}))
	of := Of{Origin: "o", URL: "https://t.example", Restricted: func(id int64) bool { return id == 4 }}
	h := Hook{Name: "x", What: []string{"incident", "alert", "call"}}
	for _, e := range es {
		if p, ok, err := b.Payload(h, e, of); ok || err != nil {
			t.Errorf("%s: %+v, %v", e.Kind, p, err)
		}
		if _, ok, err := b.Payload(h, e, Of{Origin: "o"}); !ok || err != nil {
			t.Errorf("%s of one that is not restricted is not told: %v", e.Kind, err)
		}
	}
}

// Of a report from outside its number is told, and the incident to which it belongs; nothing of one that belongs to a restricted incident.
func TestReports(t *testing.T) {
	b, es := ledger(t,
		draft(entry.IncidentOpened, entry.Opened{ID: 4, Severity: "high"}),
		draft(entry.ReportFiled, entry.Report{ID: 1, From: "customer", Vault: "v1", Lang: "de", Receipt: "r1"}),
		draft(entry.ReportBundled, entry.ReportBundle{Bucket: 2, Reports: []entry.Report{{ID: 2, Vault: "v2"}, {ID: 3, Vault: "v3"}}}),
		draft(entry.ReportAnswered, entry.ReportStep{ID: 1, Person: "anna", Message: &entry.ReportMessage{Vault: "v4"}}),
		draft(entry.ReportJoined, entry.ReportStep{ID: 1, Person: "anna", Incident: 4, Bucket: true}),
		draft(entry.ReportTold, entry.ReportMessage{ID: 1, Vault: "v5"}))
	h := Hook{Name: "x", What: []string{"report"}}
	want := []string{"", `"report":1,"link":"u/reports/1"}`, `"report":2,"link":"u/reports/2"}`, `"report":1,"link":"u/reports/1"}`, `"incident":{"id":4,"severity":"high","phase":"identification","open":true},"report":1,"link":"u/incidents/4"}`, ""}
	for k, e := range es {
		p, ok, err := b.Payload(h, e, Of{Origin: "o", URL: "u"})
		got, _ := json.Marshal(p)
		if err != nil || ok != (want[k] != "") || ok && (!strings.HasSuffix(string(got), want[k]) || strings.Contains(string(got), "anna") || strings.Contains(string(got), `"v`+"1")) {
			t.Errorf("%d %s: %s, %v, %v", k, e.Kind, got, ok, err)
		}
		if p, ok, _ := b.Payload(h, e, Of{Restricted: func(id int64) bool { return id == 4 }}); ok && p.Report == 1 {
			t.Errorf("%s of a restricted incident's report is told", e.Kind)
		}
	}
}

func TestOtherPayloads(t *testing.T) {
	b, es := ledger(t,
		draft(entry.AlertRaised, entry.Alert{ID: "a1", Rule: "r1", Title: "Card testing", Level: "informational", Sources: []entry.Party{{Hash: "aa"}}}),
		draft(entry.AlertRaised, entry.Alert{ID: "a2", Rule: "r1", Level: "high", History: true}),
		draft(entry.CallOpened, entry.Call{ID: 3, Incidents: []int64{4, 5}, Severity: "high"}),
		draft(entry.CallAnswered, entry.Answer{ID: 3, Person: "anna", Via: "link"}),
		draft(entry.CallOpened, entry.Call{ID: 6, Test: true, Person: "anna"}),
		draft(entry.CallAnswered, entry.Answer{ID: 6, Person: "anna"}),
		draft(entry.SourceSilent, entry.Source{Hash: "cc33", Vault: "v0", Agent: "agent-1"}),
		draft(entry.AgentLost, entry.AgentSilence{ID: "agent-1"}),
		draft(entry.SignedIn, entry.Signin{ID: "anna"}))
	want := []string{`"severity":"low","alert":"a1","rule":"r1"}`, "", `"severity":"high","incident":{"id":4},"call":3,`, `"severity":"high","incident":{"id":4},"call":3,`, "", "",
		`"source":"cc33","agent":"agent-1"}`, `"agent":"agent-1"}`, ""}
	h := Hook{What: []string{"alert", "call", "source", "agent"}}
	for k, e := range es {
		p, ok, err := b.Payload(h, e, Of{Origin: "o", URL: "u"})
		got, _ := json.Marshal(p)
		if err != nil || ok != (want[k] != "") || ok && !strings.Contains(string(got), want[k]) || strings.Contains(string(got), "anna") || strings.Contains(string(got), "Card") {
			t.Errorf("%d %s: %s, %v, %v", k, e.Kind, got, ok, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	for _, tt := range []struct {
		tries     int
		temporary bool
		after     time.Duration
		want      time.Duration
	}{{1, true, 0, 5 * time.Second}, {2, true, 0, 10 * time.Second}, {10, true, 0, 2560 * time.Second}, {11, true, 0, time.Hour}, {1 << 40, true, 0, time.Hour},
		{1, true, 10 * time.Minute, 10 * time.Minute}, {1, true, 100 * time.Hour, time.Hour}, {1, false, 0, time.Minute}, {8, false, 0, 640 * time.Second}, {0, true, -time.Hour, 5 * time.Second}} {
		if got := Backoff(tt.tries, tt.temporary, tt.after); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestSettle(t *testing.T) {
	b, _ := ledger(t,
		draft(entry.WebhookBegun, entry.Webhook{Hook: "old", Through: 0}),
		draft(entry.WebhookBegun, entry.Webhook{Hook: "kept", Through: 1}),
		draft(entry.WebhookFailed, entry.Webhook{Hook: "old", Through: 2, Since: noon, Tries: 4}),
		draft(entry.WebhookOff, entry.Webhook{Hook: "old", Through: 2, Since: noon}))
	if s := b.Hooks["old"]; !s.Off || s.Through != 2 || s.Since != 4 {
		t.Errorf("%+v", s)
	}
	got := b.Settle([]Hook{{Name: "kept"}, {Name: "new"}}, 4)
	if len(got) != 2 || got[0].Kind != entry.WebhookBegun || got[0].Body != (entry.Webhook{Hook: "new", Through: 4}) || got[1].Kind != entry.WebhookEnded || got[1].Body != (entry.Webhook{Hook: "old", Through: 2}) {
		t.Errorf("%+v", got)
	}
	for k, d := range got {
		e, _, err := entry.Make(int64(5+k), noon, d)
		if err != nil {
			t.Fatal(err)
		}
		if known, err := b.Apply(e); !known || err != nil {
			t.Fatal(known, err)
		}
	}
	if again := b.Settle([]Hook{{Name: "kept"}, {Name: "new"}}, 6); len(again) != 0 {
		t.Errorf("%+v", again)
	}
}
