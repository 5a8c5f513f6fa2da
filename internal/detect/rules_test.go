package detect

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

func TestLoadRefuses(t *testing.T) {
	counted := func(id, reads string) string {
		return fmt.Sprintf("\n---\ntitle: %s\nid: %s\ncorrelation: {type: event_count, rules: [%s], timespan: 1m, condition: {gte: 2}}\n", id, id, reads)
	}
	for _, c := range []struct {
		name, text string
		want       []string // "rule: part of the reason"
		loaded     int
	}{
		{"a rule that is not there", failRule + counted("c", "fial"), []string{`c: reads the rule "fial"`}, 1},
		{"a rule that was refused", strings.Replace(failRule, "condition: s", "condition: x", 1) + counted("c", "fail"), []string{`fail: no selection "x"`, `c: "fail", which is not there or was refused`}, 0},
		{"a chain over what was refused", counted("a", "missing") + counted("b", "a"), []string{`a: missing`, `b: cannot be used`}, 0},
		{"a ring", counted("a", "b") + counted("b", "a"), []string{"b: reads itself", "a: cannot be used"}, 0},
		{"itself", counted("a", "a"), []string{"a: reads itself"}, 0},
		{"an id twice", failRule + failRule, []string{"fail: taken by the rule at t.yml:2"}, 1},
		{"a name twice", failRule + strings.Replace(loginRule, "id: login", "id: login\nname: fail", 1), []string{"login: taken"}, 1},
		{"a rule named twice in one correlation", failRule + counted("c", "fail, fail"), []string{"c: twice"}, 1},
		{"group-by over a field that its rule's records call otherwise", strings.Replace(failRule, "application", "webserver", 1) +
			"\n---\ntitle: c\ncorrelation: {type: temporal, rules: [fail], group-by: [source.ipp], timespan: 1m}\n", []string{`c: field "source.ipp"`}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, refused, _ := LoadFiles([]File{{"t.yml", []byte(c.text)}})
			if len(set.Documents()) != c.loaded {
				t.Errorf("%d loaded, want %d", len(set.Documents()), c.loaded)
			}
			if len(refused) != len(c.want) {
				t.Fatalf("%+v", refused)
			}
			for i, r := range refused {
				rule, why, _ := strings.Cut(c.want[i], ": ")
				if r.Rule != rule || !strings.Contains(r.Why, why) || r.File != "t.yml" || r.Line == 0 || r.Feature == "" {
					t.Errorf("%+v is not %q", r, c.want[i])
				}
			}
			// what is left still runs
			run(New(set, Options{}), fail(0, "1.1.1.1", "a"))
		})
	}
}

func TestLoadWarns(t *testing.T) {
	text := `
title: no id
logsource: {product: windows}
status: deprecated
detection: {s: {Image: a}, x: {user.name: b}, condition: s}
`
	_, refused, warnings := LoadFiles([]File{{"w.yml", []byte(text)}}, record.LogSource{Product: "linux"})
	var got []string
	for _, w := range warnings {
		got = append(got, w.Rule+": "+w.Why)
	}
	want := []string{
		`no id: it has no id; alerts name it "no id", and a new title makes it another rule`,
		"no id: its status is deprecated",
		"no id: no parser here gives the field Image; what is asked of it does not hold unless an application's log has it",
		"no id: the condition does not use the selection x",
		"no id: no log here gives this source: no parser reads logs of product windows, so the rule rests",
	}
	if d := cmp.Diff(want, got); d != "" || len(refused) > 0 {
		t.Error(d, refused)
	}
}

func TestHash(t *testing.T) {
	a, b := rules(t, failRule), rules(t, strings.Replace(failRule, "level: low", "level: high", 1))
	if a.Hash() == b.Hash() || a.Hash() != rules(t, failRule).Hash() {
		t.Error("the hash follows the text of the rules")
	}
	set := rules(t, everything)
	raises := map[string]bool{"fail": true, "login": false, "transfer": false, "tries": false, "stuffing": true, "in": true, "none": false}
	for id, want := range raises {
		if set.Raises(id) != want {
			t.Errorf("%s raises: %v", id, !want)
		}
	}
}

// TestCorpus loads SigmaHQ's rules as one set and steps through a record of each kind.
func TestCorpus(t *testing.T) {
	const corpus = "../../../shared/data/sigma"
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the SigmaHQ corpus is not here")
	}
	var files []File
	err := filepath.WalkDir(filepath.Join(corpus, "rules/web"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".yml") {
			data, err := os.ReadFile(name)
			files = append(files, File{filepath.Base(name), data})
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	set, refused, warnings := LoadFiles(files)
	t.Logf("%d files, %d rules, %d refused, %d warnings", len(files), len(set.Documents()), len(refused), len(warnings))
	if len(set.Documents()) < len(files)*9/10 {
		t.Errorf("%d of %d files loaded: %+v", len(set.Documents()), len(files), refused)
	}
	d := New(set, Options{})
	for i := range 100 {
		if got := run(d, webLine(i)); len(got) > 0 {
			t.Errorf("a harmless request: %v", got)
		}
	}
	bad := webLine(100)
	bad.Line.Raw += " union select "
	if got := run(d, bad); len(got) == 0 {
		t.Error("a request with an SQL keyword raised nothing")
	}
}
