package web

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// Given an incident whose playbook is the wrong one, when the Commander switches it, takes the severity that the other one suggests, hands it to another team, and closes
// it at the same time as somebody else, then each form says what it did, nothing typed is lost, and the watch for its return is extended and ended.
func TestFormsOfTheIncidentPage(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, nil, nil, planned, func(o *desk.Options) { o.Sample, o.Watch, o.Poll = nil, []string{log}, 50*time.Millisecond }).staffed(t)
	var lines strings.Builder
	for n := range 5 {
		fmt.Fprintf(&lines, "203.0.113.9 - - [%s] \"GET /wp-content/uploads/x.php?cmd=id&x=%d HTTP/1.1\" 200 512 %s\n", time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"), n, chrome)
	}
	if err := os.WriteFile(log, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c.until(t, "a playbook is begun", func(st *desk.State) bool { return len(st.Runs.Of(1)) > 0 })
	anna, second := c.as(t, "anna"), c.as(t, plan.Engineer)
	must := func(got answer) {
		t.Helper()
		if got.code != http.StatusSeeOther {
			t.Fatalf("%d\n%s", got.code, got.body)
		}
	}
	refused := func(got answer, says ...string) {
		t.Helper()
		if got.code != http.StatusUnprocessableEntity {
			t.Fatalf("%d, want 422", got.code)
		}
		for _, want := range says {
			if !strings.Contains(got.body, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
	}

	refused(anna.post("/incidents/1/runs/1/switch", "playbook", "lost-device"), "needs a reason")
	refused(anna.post("/incidents/1/runs/1/switch", "reason", "it was a telephone"), "Choose the playbook", "it was a telephone</textarea>")
	must(anna.post("/incidents/1/runs/1/switch", "playbook", "lost-device", "reason", "it was a telephone"))
	severity, now := "", ""
	c.desk.Read(func(st *desk.State) {
		all := st.Runs.Of(1)
		if len(all) != 2 || !all[0].Stopped || all[1].Playbook != "lost-device" {
			t.Errorf("the runs after the switch: %+v", all)
		}
		severity, now = all[1].Book().Severity, st.Incidents.Incidents[0].Severity
	})
	if severity == now {
		t.Fatalf("the test needs a playbook of another severity than %s", now)
	}
	page := anna.get("/incidents/1").body
	form := page[strings.Index(page, `id="suggestion"`):]
	if !strings.Contains(form, `name="severity" value="`+severity+`"`) || strings.Contains(c.as(t, plan.Legal).get("/incidents/1").body, `id="suggestion"`) {
		t.Errorf("the suggestion is not shown, or is shown to who may not take it:\n%.600s", form)
	}
	must(anna.post("/incidents/1/severity", "severity", severity, "reason", "As the playbook says"))
	if strings.Contains(anna.get("/incidents/1").body, `id="suggestion"`) {
		t.Error("a person set the severity, and the page still suggests one")
	}

	if got := anna.post("/incidents/1/exchange", "format", "stix", "audience", "AMBER"); got.code != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "application/stix+json") || !strings.Contains(got.body, `"bundle"`) || !strings.Contains(got.header.Get("Content-Disposition"), "incident-1.stix.json") {
		t.Errorf("STIX: %d %v\n%.300s", got.code, got.header, got.body)
	}
	if got := anna.post("/incidents/1/exchange", "format", "veris", "audience", "AMBER"); got.code != http.StatusOK || !strings.Contains(got.body, `"schema_version"`) {
		t.Errorf("VERIS: %d\n%.300s", got.code, got.body)
	}
	refused(anna.post("/incidents/1/exchange", "format", "csv"), "stix or veris")
	refused(anna.post("/incidents/1/exchange", "format", "stix", "audience", "CLEAR"), `id="exchange-audience-wrong"`) // the incident is AMBER
	must(anna.post("/incidents/1/label", "label", "RED"))
	refused(anna.post("/incidents/1/exchange", "format", "stix", "audience", "AMBER"), "RED")
	refused(anna.post("/incidents/1/report", "format", "pdf", "depth", "full", "audience", "AMBER"), "RED")

	must(anna.post("/incidents/1/close", "verdict", "true", "reason", "it was a shell", "excuse", "the disk is gone"))
	refused(second.post("/incidents/1/close", "verdict", "false", "reason", "I think that it was our own scan."), "Somebody else closed it meanwhile", "I think that it was our own scan.</textarea>")
	if got := second.get("/incidents/1/close"); got.code != http.StatusSeeOther || got.location != "/incidents/1" {
		t.Errorf("closing what is closed leads to %d %q", got.code, got.location)
	}
	c.until(t, "it is watched for", func(st *desk.State) bool { return st.Returns.Of(1, time.Now()) != nil })
	if page := anna.get("/incidents/1").body; !strings.Contains(page, `action="/incidents/1/watch/longer"`) || !strings.Contains(page, "Write the report") {
		t.Error("the page of the closed incident has no form of the watch, or leads to no report")
	}
	var before time.Time
	c.desk.Read(func(st *desk.State) { before = st.Returns.Of(1, time.Now()).Until })
	longer := fmt.Sprint(before.AddDate(0, 0, 14).Unix())
	if page := anna.get("/incidents/1").body; !strings.Contains(page, `<option value="`+longer+`"`) {
		t.Errorf("the form does not offer 14 days more, until %s", longer)
	}
	refused(anna.post("/incidents/1/watch/longer", "until", longer), "Say why")
	refused(anna.post("/incidents/1/watch/longer", "until", "x", "reason", "they come back at the weekend"), "they come back at the weekend</textarea>")
	refused(anna.post("/incidents/1/watch/longer", "until", fmt.Sprint(before.AddDate(0, 0, 300).Unix()), "reason", "for ever"), `id="watch-longer-until-wrong"`)
	for range 2 { // pressed twice
		must(anna.post("/incidents/1/watch/longer", "until", longer, "reason", "they come back at the weekend"))
	}
	c.desk.Read(func(st *desk.State) {
		if until := st.Returns.Of(1, time.Now()).Until; !until.Equal(before.AddDate(0, 0, 14)) {
			t.Errorf("watched until %v, before until %v", until, before)
		}
	})
	refused(anna.post("/incidents/1/watch/end"), "needs a reason")
	must(anna.post("/incidents/1/watch/end", "reason", "the server is gone"))
	if page := anna.get("/incidents/1").body; strings.Contains(page, `id="watch"`) {
		t.Error("the watch is ended, and the page still shows it")
	}
}
