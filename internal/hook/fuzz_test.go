package hook

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"tocsin/internal/entry"
)

// FuzzPayload: whatever an entry's body says, a payload is the same when it is told again, has known members only, and holds no text of the body but its
// ids: what stands in any other member of it stays here.
func FuzzPayload(f *testing.F) {
	f.Add("incident.opened", []byte(`{"id":4,"title":"SECRET","severity":"high","why":["SECRET"]}`))
	f.Add("alert.raised", []byte(`{"id":"a1","rule":"r1","title":"SECRET","level":"high","sources":[{"hash":"SECRET"}],"vault":"SECRET","incident":4}`))
	f.Add("call.opened", []byte(`{"id":3,"incidents":[4],"person":"SECRET"}`))
	f.Add("source.silent", []byte(`{"hash":"cc","vault":"SECRET"}`))
	f.Add("agent.joined", []byte(`{"id":"agent-1","name":"SECRET","from":"SECRET"}`))
	f.Add("incident.noted", []byte(`{"id":-1,"text":"SECRET"}`))
	f.Add("report.filed", []byte(`{"id":5,"vault":"SECRET","from":"SECRET","lang":"SECRET"}`))
	f.Add("report.bundled", []byte(`{"bucket":5,"reports":[{"id":5,"vault":"SECRET"}]}`))
	members := []string{"version", "id", "hook", "kind", "entry", "at", "severity", "incident", "call", "alert", "rule", "report", "source", "agent", "link"}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		if !json.Valid(body) {
			return
		}
		e := entry.Entry{N: 7, Time: noon, Kind: entry.Kind(kind), Body: body}
		b := &Book{}
		if _, err := b.Apply(e); err != nil {
			return
		}
		h := Hook{Name: "x", What: []string{"incident", "alert", "call", "report", "source", "agent"}}
		p, ok, err := b.Payload(h, e, Of{Origin: "o", URL: "u"})
		if err != nil || !ok {
			return
		}
		told, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, _, _ := b.Payload(h, e, Of{Origin: "o", URL: "u"})
		twice, _ := json.Marshal(again)
		if !bytes.Equal(told, twice) {
			t.Fatalf("told twice it differs:\n%s\n%s", told, twice)
		}
		var has map[string]json.RawMessage
		if err := json.Unmarshal(told, &has); err != nil {
			t.Fatal(err)
		}
		for m := range has {
			if !slices.Contains(members, m) {
				t.Fatalf("the member %q is told: %s", m, told)
			}
		}
		p.Alert, p.Rule, p.Source, p.Agent, p.Severity = "", "", "", "", ""
		if p.Incident != nil {
			p.Incident.Severity, p.Incident.Phase = "", ""
		}
		if rest, err := json.Marshal(p); err != nil || bytes.Contains(rest, []byte("SECRET")) {
			t.Fatalf("more than ids and states is told: %s", told)
		}
	})
}
