package desk

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/cacao"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
)

// foreignFire is a file of CACAO that is called as a playbook of ours.
const foreignFire = `{"created":"2026-01-01T00:00:00.000Z","created_by":"identity--5abe695c-7bd5-4c31-8824-2528696cdbf1","description":"Of somebody else","id":"playbook--61a6c41e-6efc-4516-a242-dfbc5c89d562",` +
	`"modified":"2026-01-01T00:00:00.000Z","name":"Fire","signatures":[{"type":"jss"}],"spec_version":"cacao-2.0","type":"playbook","workflow":{"action--1":{"commands":[{"command":"rm -rf /","type":"bash"}],` +
	`"name":"Put it out","on_completion":"end--1","type":"action"},"end--1":{"type":"end"},"start--1":{"on_completion":"action--1","type":"start"}},"workflow_start":"start--1"}`

// Given a file that is called as a playbook of ours, when it is imported, then ours stays as it is, the file's gets another name and comes back as the same file; the next version of the
// file follows the one before it; and a second person sees all of what they agree to, with what the file says of itself.
func TestAnImportTakesNothingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d, stop := burns(t)
		defer stop()
		us, anna, boris := Local("command"), person("anna", plan.Commander), person("boris", plan.Engineer)
		for _, id := range []string{"anna", "boris"} {
			must(t, d.SetPassword(t.Context(), us, id, "correct horse battery "+id))
		}
		revisions := func(id string) (now string, all int) {
			for _, b := range d.Playbooks() {
				if b.ID == id {
					return b.Revision, b.Revisions
				}
			}
			return "", 0
		}
		first, _ := revisions("fire")
		id, findings, err := d.ImportPlaybook(us, []byte(foreignFire), "from our sector")
		must(t, err)
		if now, _ := revisions("fire"); id != "fire-2" || now != first || !slices.ContainsFunc(findings, func(f cacao.Finding) bool { return strings.Contains(f.Says, "there is a playbook fire already") }) {
			t.Fatalf("it became %s, and fire went from %.8s to %.8s: %v", id, first, now, findings)
		}
		same := func(id, want string) {
			t.Helper()
			if got, _, err := d.ExportPlaybook(id, ""); err != nil || string(got) != want {
				t.Errorf("%s is exported as %s (%v)\nwant %s", id, got, err, want)
			}
		}
		same("fire-2", foreignFire)
		if _, _, err := d.ImportPlaybook(us, []byte(foreignFire), "again"); err == nil || !strings.Contains(err.Error(), "fire-2 is this already") {
			t.Errorf("the same again: %v", err)
		}
		newer := strings.NewReplacer(`"modified":"2026-01`, `"modified":"2026-02`, "Of somebody else", "Of somebody else, and better").Replace(foreignFire)
		if id, _, err := d.ImportPlaybook(us, []byte(newer), "their next version"); id != "fire-2" || err != nil {
			t.Errorf("the next version becomes %s, %v", id, err)
		}
		if _, all := revisions("fire-2"); all != 2 {
			t.Errorf("it has %d revisions", all)
		}
		same("fire-2", newer)

		broken := strings.NewReplacer(`"on_completion":"end--1"`, `"on_completion":"end--2"`, `"on_completion":"action--1"`, `"on_completion":"action--2"`).Replace(foreignFire)
		if _, _, err := d.ImportPlaybook(us, []byte(broken), "x"); err == nil || !strings.Contains(err.Error(), "the step end--2") || !strings.Contains(err.Error(), "the step action--2") {
			t.Errorf("of two reasons it says %v", err)
		}

		// An export of another shop, which has a fire of its own.
		p, _ := playbook.Read("", []byte(fire))
		theirs, _, err := cacao.Export(p, cacao.Origin{By: "identity--0b9fe3b6-8c8b-4d3a-9f0e-6a4b3f1f6c11", Created: time.Now(), Modified: time.Now()})
		must(t, err)
		if id, _, err := d.ImportPlaybook(us, theirs, "of our friends"); id != "fire-3" || err != nil {
			t.Errorf("theirs becomes %s, %v", id, err)
		}
		same("fire-3", string(theirs))

		// By two people: the second sees the whole new playbook, and what the file says of itself.
		other := strings.NewReplacer("61a6c41e", "71a6c41e", `"name":"Fire"`, `"name":"Flood"`).Replace(foreignFire)
		id, _, err = d.ImportPlaybook(anna, []byte(other), "from our sector")
		asked, ok := errors.AsType[Asked](err)
		if !ok || id != "flood" {
			t.Fatalf("%s, %v", id, err)
		}
		x, err := d.PlaybookAsked(boris, asked.ID)
		must(t, err)
		if !slices.ContainsFunc(x.Changes, func(c playbook.Change) bool { return c.Kind == playbook.Added && c.ID == "put-it-out" }) ||
			!slices.ContainsFunc(x.Findings, func(f playbook.Finding) bool { return strings.Contains(f.Says, "nobody verified them") }) {
			t.Errorf("the second person sees %+v, %+v", x.Changes, x.Findings)
		}
	})
}

// Given a playbook of somebody else whose file is marked TLP:RED, when it is exported, or the plan is printed, then neither its steps nor its name are in any file.
func TestAMarkedPlaybookIsOnNoPaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d, stop := burns(t)
		defer stop()
		anna := person("anna", plan.Commander)
		for marking, there := range map[string]bool{"": true, `"markings":["marking-tlp--e828b379-4e03-4974-9ac4-e53a884c97c1"],`: false} {
			file := strings.NewReplacer(`"modified"`, marking+`"modified"`, `"Fire"`, `"Canary"`, "Put it out", "Ask the canary").Replace(foreignFire)
			if !there {
				file = strings.ReplaceAll(strings.ReplaceAll(file, "61a6c41e", "71a6c41e"), "anary", "obolt")
			}
			id, _, err := d.ImportPlaybook(Local("command"), []byte(file), "from our sector, the kobolt")
			must(t, err)
			if _, _, err := d.ExportPlaybook(id, ""); (err == nil) != there {
				t.Errorf("%s is exported: %v", id, err)
			}
		}
		for _, form := range []string{"md", "html"} {
			x, err := d.PrintPlan(anna, form, nil)
			must(t, err)
			if text := string(x.Bytes); !strings.Contains(text, "Ask the canary") || strings.Count(text, "obolt") != 1 || !strings.Contains(text, "A playbook that is kept inside") {
				t.Errorf("%s of the plan: canary %v, kobolt %d times", form, strings.Contains(text, "Ask the canary"), strings.Count(text, "obolt"))
			}
		}
	})
}
