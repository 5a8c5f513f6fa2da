package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// Given two commanders, when both decide, then the second gets 409 with what the first wrote and their own words back; and what is RED is not told to a token.
func TestCommandByPrograms(t *testing.T) {
	g := elsewhere(t)
	commander, engineer := g.token(plan.Commander), g.token(plan.Engineer)
	post := func(token, path, body string, want int) string {
		t.Helper()
		w := g.ask(token, http.MethodPost, path, body)
		if w.Code != want {
			t.Fatalf("%s: %d, want %d: %s", path, w.Code, want, w.Body)
		}
		return w.Body.String()
	}
	post(commander, "/incidents/1/decisions", `{"question":"Take the shop off?","options":["yes","no"]}`, 200)
	post(commander, "/incidents/1/tasks", `{"title":"SECRET task","role":"engineer"}`, 200)
	post(commander, "/incidents/1/notes", `{"text":"SECRET note","role":"legal"}`, 200)
	post(commander, "/incidents/1/state", `{"text":"One. Two. Three. Four."}`, 422)
	post(commander, "/incidents/1/state", `{"text":"SECRET is known."}`, 200)
	post(commander, "/incidents/1/attachments", `{"name":"a.log","kind":"log","from":"web-1","bytes":"U0VDUkVU"}`, 200)
	look := func(token string) (x client.Command) {
		t.Helper()
		w := g.ask(token, http.MethodGet, "/incidents/1/command", "")
		if w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &x) != nil {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return x
	}
	c := look(engineer)
	if len(c.Decisions) != 1 || c.Decisions[0].State != "open" || len(c.Tasks) != 1 || c.Tasks[0].Title != "SECRET task" || c.Label != "TLP:AMBER" || len(c.Files) != 1 || !c.Files[0].Sound {
		t.Fatalf("%+v", c)
	}
	choice := func(option int, why string) string {
		return fmt.Sprintf(`{"option":%d,"seen":%d,"why":%q}`, option, c.Decisions[0].Entry, why)
	}
	post(commander, "/incidents/1/decisions/1/choose", choice(1, "cards are going out"), 200)
	said := post(engineer, "/incidents/1/decisions/1/choose", choice(2, "the sale runs"), 409)
	if !strings.Contains(said, `"first":"cards are going out"`) || !strings.Contains(said, `"yours":"the sale runs"`) {
		t.Errorf("the second is told %s", said)
	}
	if said := post(commander, "/incidents/1/close", `{"verdict":"true","why":"over"}`, 409); !strings.Contains(said, `"lacks":["cause","lessons"]`) {
		t.Errorf("closing in silence: %s", said)
	}
	var work client.Works
	g.must(json.Unmarshal(g.ask(engineer, http.MethodGet, "/work", "").Body.Bytes(), &work))
	if work.All != 1 || work.Work[0].Text != "SECRET task" {
		t.Errorf("%+v", work)
	}
	if w := g.ask(g.token(plan.Reader), http.MethodPost, "/incidents/1/tasks/1/done", `{}`); w.Code != 403 {
		t.Errorf("a reader: %d", w.Code)
	}
	if w := g.ask(engineer, http.MethodGet, "/incidents/2/command", ""); w.Code != 404 {
		t.Errorf("what is restricted to others: %d %s", w.Code, w.Body)
	}
	post(commander, "/incidents/1/label", `{"label":"RED"}`, 200)
	for _, path := range []string{"/incidents/1", "/incidents/1/command", "/incidents/1/timeline", "/incidents", "/work"} {
		if w := g.ask(engineer, http.MethodGet, path, ""); w.Code != 200 || strings.Contains(w.Body.String(), "SECRET") || !strings.Contains(w.Body.String(), "TLP:RED") {
			t.Errorf("%s tells a token %s", path, w.Body)
		}
	}
	if said := post(engineer, "/incidents/1/attachments/1/open", `{}`, 403); strings.Contains(said, "U0VD") {
		t.Errorf("an attachment: %s", said)
	}
	id := ""
	g.d.Read(func(s *desk.State) { id = fmt.Sprint(len(s.Runs.Books)) })
	if id != "0" {
		t.Errorf("a plan that was not given has %s playbooks", id)
	}
	post(commander, "/incidents/1/runs", `{"playbook":"skimmer"}`, 422)
	post(commander, "/incidents/1/runs/9/steps/x", `{"do":"take"}`, 404)
	post(commander, "/playbooks", `{"text":"playbook: x","why":"w"}`, 422)
	if w := g.ask(commander, http.MethodGet, "/playbooks/none", ""); w.Code != 404 {
		t.Errorf("no playbook: %d", w.Code)
	}
}

// Given an exception or a measure, when a program changes it, then an exception is named by its key and never by its place, and a reminder can be taken away.
func TestExceptionsAndMeasuresByPrograms(t *testing.T) {
	g := elsewhere(t)
	commander := g.token(plan.Commander)
	post := func(path, body string, want int) string {
		t.Helper()
		w := g.ask(commander, http.MethodPost, path, body)
		if w.Code != want {
			t.Fatalf("%s: %d, want %d: %s", path, w.Code, want, w.Body)
		}
		return w.Body.String()
	}
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if said := post("/incidents/1/triage", `{"verdict":"false-alarm","why":"ours","exception":"gone","until":"`+until+`"}`, 422); !strings.Contains(said, "any more") {
		t.Errorf("an exception that is gone: %s", said)
	}
	post("/incidents/1/triage", `{"verdict":"false-alarm","why":"ours","exception":1,"until":"`+until+`"}`, 422)
	owner := ""
	g.d.Read(func(s *desk.State) {
		for id := range s.Plan.People {
			owner = id
		}
	})
	post("/measures", `{"text":"gap","owner":"`+owner+`","due":"`+until+`","remind_hours":24}`, 200)
	remind := func() (m client.PlanMeasure) {
		t.Helper()
		g.must(json.Unmarshal(g.ask(commander, http.MethodGet, "/measures/1", "").Body.Bytes(), &m))
		return m
	}
	post("/measures/1/change", `{"text":"a wider gap","why":"seen again"}`, 200)
	if m := remind(); m.Remind != 24 {
		t.Errorf("what is not said is changed: %+v", m)
	}
	post("/measures/1/change", `{"remind_hours":0,"why":"they know"}`, 200)
	if m := remind(); m.Remind != 0 {
		t.Errorf("the reminder stays: %+v", m)
	}
}

// Given an incident that is restricted to others, when any operation on one is tried, then the answer is as of one that never was.
func TestWhatIsRestrictedIsAsWhatNeverWas(t *testing.T) {
	g := elsewhere(t)
	token, tried := g.token(plan.Engineer), 0
	for _, o := range g.ops() {
		if !strings.HasPrefix(o.path, "/incidents/{id}") {
			continue
		}
		answer := func(id string) string {
			path := strings.NewReplacer("{id}", id, "{number}", "1", "{run}", "1", "{step}", "look").Replace(o.path)
			w := g.ask(token, o.verb, path, map[bool]string{true: "{}"}[o.verb == http.MethodPost])
			return fmt.Sprint(w.Code, " ", strings.ReplaceAll(w.Body.String(), " "+id, " N"))
		}
		tried++
		if hidden, never := answer("2"), answer("9"); hidden != never {
			t.Errorf("%s %s: %s, of what never was: %s", o.verb, o.path, hidden, never)
		}
	}
	if tried < 40 {
		t.Errorf("%d operations on an incident were tried", tried)
	}
}
