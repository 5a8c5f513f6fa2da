package cli

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/plan"
	"tocsin/internal/report"
	"tocsin/internal/signin"
)

// canary begins each of the words that are planted.
const canary = "ibis-"

// farCommands are arguments for each command that can ask a server elsewhere: here of the incident, the report and the task that are RED.
func farCommands(dir string) map[string]string {
	out := func(name string) string { return filepath.Join(dir, name) }
	return map[string]string{
		"agents add": "web", "agents list": "", "agents revoke": "web", "agents show": "web", "answer": "", "approvals approve": "1", "approvals deny": "1", "approvals list": "",
		"breakglass list": "", "breakglass make": "", "contacts card": "", "contacts export": "", "contacts import": out("none"), "contacts list": "", "habits reset": "x --why moved",
		"incident affected": "1", "incident exchange": "1 --out " + out("stix"), "incident label": "1", "incident list": "", "incident note": "1 heard", "incident open": "another",
		"incident report": "1 --format md --out " + out("md"), "incident restrict": "1 --kind hr --people anna", "incident role give": "1 engineer boris", "incident role hand": "1 engineer boris",
		"incident role leave": "1 engineer boris", "incident role list": "1", "incident role take": "1 engineer", "incident unrestrict": "1", "mail add": "anna " + out("none"), "mail key": "",
		"mail renew": "", "mail revocation": "", "mail revoke": "", "never add": "--from 192.0.2.1 --until 2030-01-01 --why x", "never list": "", "never remove": "1", "oncall calendar": "", "oncall gaps": "",
		"oncall now": "", "oncall schedules": "", "oncall shifts": "", "oncall simulate": "", "people approvals": "", "people rights": "", "plan export": "skimmer", "plan import": out("none") + " --why x", "plan list": "",
		"plan print": "--out " + out("plan.html"), "plan pull": out("plan"), "plan push": out("plan") + " --why x", "reports answer": "1 thanks", "reports bundle": "1", "reports close": "1 --as anna", "reports evidence": "1", "reports join": "1 2",
		"reports key": "--without-passphrase", "reports list": "", "reports open": "1", "reports reopen": "1", "reports security-txt": "", "reports show": "1", "reports spam": "1", "review done": "team --as anna", "review list": "",
		"review measure": "1 done x --as anna", "review measures": "", "search": "x", "tasks": "", "trace": "1", "watch add": "--list x 192.0.2.9", "watch import": out("none"), "watch list": "", "watch remove": "--list x 192.0.2.9",
		"webhooks list": "", "webhooks test": "x",
	}
}

// A leaf is a command that can ask a server elsewhere.
type leaf struct {
	name string
	json bool // it can print that
}

// leaves are those below a command, by what their help says.
func leaves(t *testing.T, path ...string) (out []leaf) {
	t.Helper()
	var help bytes.Buffer
	if status := Main(append(path, "--help"), Program{Files: os.DirFS("../.."), Out: &help, Err: &help}); status != 0 {
		t.Fatalf("%v --help: %d\n%s", path, status, &help)
	}
	_, list, has := strings.Cut(help.String(), "Available Commands:\n")
	if !has {
		if strings.Contains(help.String(), "--server ") {
			out = append(out, leaf{strings.Join(path, " "), strings.Contains(help.String(), "--json ")})
		}
		return out
	}
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		if name := strings.Fields(line)[0]; name != "help" {
			out = append(out, leaves(t, append(path[:len(path):len(path)], name)...)...)
		}
	}
	return out
}

// Given an incident with words in it, when each command that can asks for it with a token of who commands it, then the words come while it is GREEN, and not while it is RED: neither
// to the screen nor into a file.
func TestRedByACommandElsewhere(t *testing.T) {
	for _, label := range []string{"GREEN", "RED"} {
		t.Run(label, func(t *testing.T) {
			url := redServer(t, label)
			dir := t.TempDir()
			args := farCommands(dir)
			var said strings.Builder
			for _, x := range leaves(t) {
				a, known := args[x.name]
				if !known {
					t.Errorf("tocsin %s has no row", x.name)
					continue
				}
				line := append(strings.Fields(x.name+" "+a), "--server", url)
				for _, line := range [][]string{append(line, "--json"), line} {
					if !x.json && line[len(line)-1] == "--json" {
						continue
					}
					var out bytes.Buffer
					status := Main(line, Program{Files: os.DirFS("../.."), Out: &out, Err: &out})
					if status == 2 {
						t.Errorf("tocsin %s was not asked: %s", line, &out)
					}
					fmt.Fprintf(&said, "\n# %s: %d\n%s", line, status, &out)
				}
			}
			err := filepath.WalkDir(dir, func(name string, x os.DirEntry, err error) error {
				if err != nil || x.IsDir() {
					return err
				}
				b, err := os.ReadFile(name)
				fmt.Fprintf(&said, "\n# %s\n%s", name, b)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			text := said.String()
			if label == "RED" {
				if k := strings.Index(text, canary); k >= 0 {
					t.Errorf("it leaves: %s", text[max(0, k-200):min(len(text), k+60)])
				}
				return
			}
			for _, want := range []string{"title", "note", "task", "measure", "system", "told", "question", "reason", "label"} {
				if !strings.Contains(text, canary+want) {
					t.Errorf("%s%s does not leave while it is GREEN, so that it does not while it is RED proves nothing:\n%s", canary, want, text)
				}
			}
		})
	}
}

// redServer serves the interface for programs over a desk with an incident in which words are planted, and sets a token in the environment.
func redServer(t *testing.T, label string) (url string) {
	t.Helper()
	must := func(errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	set, err := desk.LoadRules(os.DirFS("../../rules"))
	must(err)
	d, err := desk.Open(slog.New(slog.DiscardHandler), desk.Options{Version: "test", Ballast: 1 << 16, Data: disk.NewLossy(), Keys: disk.NewLossy(), Rules: set.Rules, URL: "http://localhost", Outside: &desk.OutsideOptions{Limits: report.Usual()}})
	must(err)
	t.Cleanup(func() { _ = d.Close() })
	for id, role := range map[string]string{"anna": plan.Commander, "boris": plan.Engineer} {
		must(d.PutPerson(desk.Local("config"), id, []string{role}, desk.Contact{Name: id, Mail: id + "@shop.example"}, false))
	}
	p, _ := d.Person("anna")
	anna := desk.Actor(p)
	app := signin.NewAuthenticator(time.Now()) // some may be done only by who has a second factor
	must(d.AddApp(anna, app, app.Code(time.Now())))
	p, _ = d.Person("anna")
	anna = desk.Actor(p)
	_, err = d.Report(anna, canary+"title")
	must(err)
	_, err = d.AddTask(anna, 1, desk.TaskAsk{Title: canary + "task", Person: "anna"})
	must(err, d.Note(anna, 1, canary+"note", time.Time{}))
	_, err = d.AskQuestion(anna, 1, plan.Commander, canary+"question")
	must(err)
	_, err = d.AddMeasure(anna, 1, desk.MeasureText{Text: canary + "measure", Owner: "anna", Due: time.Now().Add(time.Hour)})
	must(err, d.PutAffected(anna, 1, desk.AffectedText{Systems: canary + "system; front; was changed; restored"}))
	_, err = d.FilePlain("x", report.Parcel{What: canary + "told"})
	must(err)
	_, err = d.DecideReport(anna, desk.ReportDeed{Report: 1, Deed: "join", Incident: 1, Reason: canary + "reason"})
	must(err, d.SetLabel(anna, 1, "", label, canary+"label"))
	scope := auth.Actions()
	token, err := d.MakeToken(anna, "red", allowed(anna, scope), 1)
	must(err)
	t.Setenv(tokenName, token)
	door := api.NewDoor(slog.New(slog.DiscardHandler), d)
	server := httptest.NewServer(door.Handler(api.Guard{Failed: func(*http.Request) time.Duration { return 0 }, Remote: func(*http.Request) string { return "192.0.2.1" }}))
	t.Cleanup(server.Close)
	return server.URL
}

// allowed are those of some actions that an actor may do.
func allowed(actor auth.Actor, some []auth.Action) (out []auth.Action) {
	for _, a := range some {
		if auth.May(actor, a) == nil {
			out = append(out, a)
		}
	}
	return out
}
