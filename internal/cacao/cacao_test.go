package cacao

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/playbook"
)

var (
	shop = Origin{By: "identity--0b9fe3b6-8c8b-4d3a-9f0e-6a4b3f1f6c11", Created: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), Modified: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)}
	long = os.Getenv("TOCSIN_SOAK") != ""

	update = flag.Bool("update", false, "write golden files anew")
)

// examples are six files of a public collection, which may lie beside the project.
const examples = "../../../shared/data/cacao/examples"

// files are all example files: ours, and those beside the project.
func files(t testing.TB) (out []string) {
	t.Helper()
	for _, dir := range []string{"testdata", examples} {
		if found, err := filepath.Glob(filepath.Join(dir, "*.json")); err == nil {
			out = append(out, found...)
		}
	}
	return out
}

func load(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func taken(t testing.TB, data []byte) *Import {
	t.Helper()
	x, findings := Read(data)
	if x == nil {
		t.Fatalf("not taken: %v\n%s", findings, data)
	}
	return x
}

func exported(t testing.TB, p *playbook.Playbook) []byte {
	t.Helper()
	b, _, err := Export(p, shop)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reread is a playbook as its file gives it back.
func reread(t testing.TB, p *playbook.Playbook) *playbook.Playbook {
	t.Helper()
	q, findings := playbook.Read("p.yaml", p.Print())
	if q == nil {
		t.Fatalf("its own print does not read back: %v\n%s", findings, p.Print())
	}
	return q
}

// TestRoundTrip: what was imported, printed, read back and exported is the source, in canonical form. None of these files is refused; TestCollection tries others.
func TestRoundTrip(t *testing.T) {
	refused := map[string]int{}
	all := map[string]int{}
	for _, name := range files(t) {
		source := load(t, name)
		dir := filepath.Dir(name)
		all[dir]++
		x, findings := Read(source)
		if x == nil {
			refused[dir]++
			t.Logf("%s is refused: %v", filepath.Base(name), findings)
			if len(findings) == 0 {
				t.Errorf("%s is refused without a word", name)
			}
			continue
		}
		want, err := Canonical(source)
		if err != nil {
			t.Fatal(err)
		}
		if got := exported(t, reread(t, x.Playbook)); string(got) != string(want) {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
	for dir, n := range refused {
		t.Errorf("%s: %d of %d refused", dir, n, all[dir])
	}
}

// TestMapping: each construct of the specification becomes what doc/formats/cacao.md says.
func TestMapping(t *testing.T) {
	names, _ := filepath.Glob("testdata/*.json")
	if len(names) < 8 {
		t.Fatalf("only %d files", len(names))
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			x, findings := Read(load(t, name))
			if x == nil {
				t.Fatal(findings)
			}
			var b strings.Builder
			fmt.Fprintf(&b, "id %s, modified %s, TLP %q, %d signatures\n", x.ID, x.Modified, x.TLP, x.Signatures)
			for _, f := range findings {
				fmt.Fprintf(&b, "%v\n", f)
			}
			b.WriteString("---\n")
			b.Write(x.Playbook.Own())
			golden := strings.TrimSuffix(name, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(load(t, golden)); b.String() != want {
				t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
			}
		})
	}
}

// base is a file for tests to break.
const base = `{"type":"playbook","spec_version":"cacao-2.0","id":"playbook--61a6c41e-6efc-4516-a242-dfbc5c89d562","name":"A door",
"created_by":"identity--5abe695c-7bd5-4c31-8824-2528696cdbf1","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",
"workflow_start":"start--1","workflow":{
"start--1":{"type":"start","on_completion":"action--1"},
"action--1":{"type":"action","name":"Shut the door","description":"They come back.","commands":[{"type":"manual","command":"Shut it."}],"agent":"group--1","on_completion":"end--1"},
"end--1":{"type":"end"}},
"agent_definitions":{"group--1":{"type":"group","name":"SOC"}}}`

func TestRefused(t *testing.T) {
	taken(t, []byte(base))
	for name, x := range map[string]struct{ old, new, says string }{
		"not JSON":        {`{"type":"playbook",`, `{"type":"playbook"`, "the file is not JSON"},
		"a list":          {base, `[]`, "a CACAO playbook is an object"},
		"empty":           {base, ``, "the file is not JSON"},
		"key twice":       {`"name":"A door"`, `"name":"A door","name":"B"`, `/name: the key "name" is there twice`},
		"step twice":      {`"end--1":{"type":"end"}`, `"end--1":{"type":"end"},"end--1":{"type":"end"}`, `/workflow/end--1: the key "end--1" is there twice`},
		"deep":            {`"name":"A door"`, `"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "more than 40 deep"},
		"large":           {`"A door"`, `"` + strings.Repeat("a", MaxFile) + `"`, "at most 300000 are read"},
		"many values":     {`"name":"A door"`, `"name":"A door","x":[` + strings.Repeat("1,", 60000) + `1]`, "more than 50000 values"},
		"half pair":       {`"A door"`, `"\ud800"`, "half of a surrogate pair"},
		"not UTF-8":       {`"A door"`, "\"\xff\"", "not UTF-8"},
		"number":          {`"name":"A door"`, `"name":"A door","priority":12345678901234567890`, "/priority: the number 12345678901234567890"},
		"version 1.1":     {`cacao-2.0`, `1.1`, "/spec_version: the file is of version 1.1 of CACAO"},
		"version cacao-1": {`cacao-2.0`, `cacao-1.1`, "of version cacao-1.1 of CACAO"},
		"version 3":       {`cacao-2.0`, `cacao-3.0`, "only cacao-2.0 is read"},
		"other kind":      {`"type":"playbook"`, `"type":"report"`, `/type: the file is no CACAO playbook: its type is "report"`},
		"bundle":          {`"type":"playbook"`, `"type":"bundle"`, "is a bundle"},
		"step kind":       {`"type":"action"`, `"type":"shell"`, `/workflow/action--1: the kind of step "shell" is not known`},
		"no workflow":     {`"workflow":{`, `"work":{`, "/workflow: workflow is missing"},
		"workflow a list": {base, strings.Replace(base[:strings.Index(base, `"workflow":{`)]+`"workflow":[]}`, "x", "x", 1), "/workflow: workflow is missing"},
		"step a text":     {`{"type":"end"}`, `"end"`, "/workflow/end--1: a step is an object"},
		"no start":        {`"workflow_start":"start--1",`, ``, "/workflow_start: workflow_start is missing"},
		"start dangles":   {`"workflow_start":"start--1"`, `"workflow_start":"start--2"`, "the step start--2, with which the workflow starts, is not in it"},
		"dangles":         {`"on_completion":"end--1"`, `"on_completion":"end--2"`, "/workflow/action--1/on_completion: the step end--2, to which this points, is not in the workflow"},
		"points to a map": {`"on_completion":"end--1"`, `"on_completion":{}`, "on_completion is the id of a step"},
		"both":            {`"on_completion":"end--1"`, `"on_completion":"end--1","on_success":"end--1"`, "not both"},
		"ring":            {`"on_completion":"end--1"`, `"on_completion":"action--1"`, `goes around in a ring: "Shut the door", then "Shut the door"`},
		"nothing to do":   {`"on_completion":"action--1"`, `"on_completion":"end--1"`, "nothing is to be done"},
		"if without":      {`"type":"action"`, `"type":"if-condition"`, "a step of kind if-condition needs on_true"},
		"if condition":    {`"type":"action"`, `"type":"if-condition","on_true":"end--1","condition":7`, "condition is a text"},
		"switch without":  {`"type":"action"`, `"type":"switch-condition","cases":[]`, "needs cases"},
		"case dangles":    {`"type":"action"`, `"type":"switch-condition","switch":"__a__","cases":{"a/b":"x"}`, "/workflow/action--1/cases~1a~1b"},
		"parallel":        {`"type":"action"`, `"type":"parallel","next_steps":"end--1"`, "needs next_steps"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(base, x.old, x.new, 1)
			if text == base {
				t.Fatal("nothing is broken")
			}
			got, findings := Read([]byte(text))
			if got != nil {
				t.Fatal("taken")
			}
			if !slices.ContainsFunc(findings, func(f Finding) bool { return !f.Warning && strings.Contains(f.String(), x.says) }) {
				t.Errorf("findings: %v\nwant %q", findings, x.says)
			}
		})
	}
}

// TestHidden: what nobody can see does not come into a playbook; the file keeps it.
func TestHidden(t *testing.T) {
	source := strings.NewReplacer("They come back.", `a\u202eb\u0007c\td\u2028e`, "Shut it.", strings.Repeat("x", 9000)+" [[[{", "A door", strings.Repeat("{", 3000)).Replace(base)
	x := taken(t, []byte(source))
	if why := x.Playbook.Steps[0].Why; why != "abc    d\ne" {
		t.Errorf("why is %q", why)
	}
	want, _ := Canonical([]byte(source))
	if got := exported(t, reread(t, x.Playbook)); string(got) != string(want) {
		t.Errorf("got %s", got)
	}
}

// TestCanonical: examples of RFC 8785 (sections 3.2.2 and 3.2.3).
func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-0,0.0000001,1e21],"literals":[null,true,false]}`: `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1e-7,1e+21]}`,
		`{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"}`:                                                                   `{"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		`{"\u20ac":"E","\r":"C","\ufb33":"H","1":"1","\ud83d\ude00":"S","\u0080":"K","\u00f6":"L"}`:                                    "{\"\\r\":\"C\",\"1\":\"1\",\"\u0080\":\"K\",\"ö\":\"L\",\"€\":\"E\",\"😀\":\"S\",\"\ufb33\":\"H\"}",
		`{"a":"<&>\u2028"}`: "{\"a\":\"<&>\u2028\"}",
	} {
		got, err := Canonical([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %s (%v)\nwant %s", in, got, err, want)
		}
	}
}
