package cacao

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/playbook"
)

// loose is a file as programs write it that do not keep to the specification: branches by on_success and on_failure, lists of one, keys that lead nowhere.
const loose = `{"type":"playbook","spec_version":"cacao-2.0","id":"playbook--0b8c1e55-3f0a-4f57-9a0e-6a0d0c2a9d11","name":"A loose door",
"created_by":"identity--5abe695c-7bd5-4c31-8824-2528696cdbf1","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",
"workflow_start":"start--1","workflow":{
"start--1":{"type":"start","on_completion":["action--look"]},
"action--look":{"type":"action","name":"Look","on_completion":"if-condition--1","out_args":["__kind__"]},
"if-condition--1":{"type":"if-condition","name":"is it open?","on_success":"switch-condition--1","on_failure":"end--1"},
"switch-condition--1":{"type":"switch-condition","switch":"__kind__","cases":{"front":["action--front"],"back":["action--back"]}},
"action--front":{"type":"action","name":"Shut the front","on_completion":"while-condition--1","on_failure":""},
"action--back":{"type":"action","name":"Shut the back","on_success":null,"on_completion":"while-condition--1"},
"while-condition--1":{"type":"while-condition","name":"somebody knocks","on_success":"action--answer","on_completion":"action--rest"},
"action--answer":{"type":"action","name":"Answer"},
"action--rest":{"type":"action","name":"Rest","on_completion":"end--1"},
"end--1":{"type":"end","on_completion":null}}}`

// Given a file that is written otherwise than the specification says, but whose meaning is clear, when it is read, then it is taken with warnings, and comes back as it was.
func TestLoose(t *testing.T) {
	x, findings := Read([]byte(loose))
	if x == nil {
		t.Fatal(findings)
	}
	for id, want := range map[string]string{"shut-the-front": "is-it-open = yes and kind = front", "shut-the-back": "is-it-open = yes and kind = back"} {
		if s := x.Playbook.Step(id); s == nil || !sameChoices(s.If.String(), want) {
			t.Errorf("%s is needed if %v; want %s", id, s, want)
		}
	}
	for _, says := range []string{"/workflow/if-condition--1: a step of kind if-condition has on_success and on_failure", "/workflow/while-condition--1: a step of kind while-condition has",
		"/workflow/start--1/on_completion: on_completion has a list", "/workflow/switch-condition--1/cases~1front: ", "/workflow/action--front/on_failure: on_failure leads nowhere", "/workflow/action--back/on_success: "} {
		if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Warning && strings.HasPrefix(f.String(), says) }) {
			t.Errorf("no warning says %q: %v", says, findings)
		}
	}
	if !law(t, []byte(loose)) {
		t.Error("not taken")
	}
	for name, c := range map[string]struct{ old, new, says string }{
		"several":       {`["action--front"]`, `["action--front","action--back"]`, "a list of 2 steps: it is not known whether"},
		"list of none":  {`["action--front"]`, `[]`, "is the id of a step"},
		"list of lists": {`["action--front"]`, `[["action--front"]]`, "is the id of a step"},
		"nowhere":       {`"on_success":"switch-condition--1","on_failure":"end--1"`, `"on_failure":"end--1"`, "needs on_true"},
		"dangles":       {`["action--front"]`, `["action--gone"]`, "the step action--gone, to which this points"},
		"within":        {`"type":"if-condition","name":"is it open?","on_success":"switch-condition--1"`, `"type":"parallel","next_steps":[["switch-condition--1"]]`, "next_steps is the id of a step"},
	} {
		text := strings.Replace(loose, c.old, c.new, 1)
		if got, findings := Read([]byte(text)); text == loose || got != nil || !slices.ContainsFunc(findings, func(f Finding) bool { return !f.Warning && strings.Contains(f.Says, c.says) }) {
			t.Errorf("%s: %v; want %q", name, findings, c.says)
		}
	}
}

// sameChoices reports whether two conditions join the same comparisons with and.
func sameChoices(a, b string) bool {
	of := func(s string) []string {
		parts := strings.Split(strings.NewReplacer("(", "", ")", "").Replace(s), " and ")
		slices.Sort(parts)
		return parts
	}
	return slices.Equal(of(a), of(b))
}

// Given markings, when a file is read, then the strictest counts, the ids that OASIS gave stand for their levels without a definition, and what is no marking is said.
func TestMarkings(t *testing.T) {
	const red, green = "marking-tlp--e828b379-4e03-4974-9ac4-e53a884c97c1", "marking-tlp--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
	for name, c := range map[string]struct{ more, tlp, says string }{
		"none":               {`"markings":[]`, "", ""},
		"standard":           {`"markings":["` + red + `","` + green + `"]`, "TLP:RED", "the file is marked TLP:RED"},
		"defined as weaker":  {`"markings":["` + red + `"],"data_marking_definitions":{"` + red + `":{"type":"marking-tlp","tlpv2_level":"TLP:CLEAR"}}`, "TLP:RED", "the file is marked TLP:RED"},
		"defined":            {`"markings":["m"],"data_marking_definitions":{"m":{"type":"marking-tlp","tlpv2_level":"TLP:AMBER"}}`, "TLP:AMBER", "the file is marked TLP:AMBER"},
		"unknown level":      {`"markings":["m"],"data_marking_definitions":{"m":{"type":"marking-tlp","tlpv2_level":"amber"}}`, "", `"amber" is no level`},
		"not defined":        {`"markings":["marking-tlp--1"]`, "", "is not defined in the file"},
		"a text":             {`"markings":"` + red + `"`, "", "markings is a list of ids, and here it is not"},
		"a list of numbers":  {`"markings":[1]`, "", "markings is a list of ids, and here it is not"},
		"an object in it":    {`"markings":["` + green + `",{}]`, "TLP:GREEN", "markings is a list of ids, and here it is not"},
		"definitions a list": {`"markings":["m"],"data_marking_definitions":[]`, "", "is not defined in the file"},
	} {
		x, findings := Read([]byte(strings.Replace(base, `"name":"A door"`, `"name":"A door",`+c.more, 1)))
		if x == nil || x.TLP != c.tlp {
			t.Errorf("%s: %v %v", name, x, findings)
		}
		if c.says == "" && len(findings) > 0 || c.says != "" && !slices.ContainsFunc(findings, func(f Finding) bool { return f.Warning && strings.Contains(f.Says, c.says) }) {
			t.Errorf("%s: %v; want %q", name, findings, c.says)
		}
	}
}

// Given signatures that are no list, when the file is read, then it is a signed file all the same.
func TestSignatureWrittenOtherwise(t *testing.T) {
	for more, want := range map[string]int{`"signatures":{"type":"jss"}`: 1, `"signatures":[{},{}]`: 2, `"signatures":[]`: 0, `"x":1`: 0} {
		x, findings := Read([]byte(strings.Replace(base, `"name":"A door"`, `"name":"A door",`+more, 1)))
		if x == nil || x.Signatures != want || slices.ContainsFunc(findings, func(f Finding) bool { return f.Place == "/signatures" }) != (want > 0) {
			t.Errorf("%s: %+v %v", more, x, findings)
		}
	}
}

// Given an export of somebody else's playbook, when it is read and kept, or gets another name, then its export is the file; and when it is changed, the changed one comes back.
func TestKeepAndRename(t *testing.T) {
	data := exported(t, ours(t, small))
	x := taken(t, data)
	if x.Playbook.Foreign != nil || x.By != shop.By || x.ID != ID(shop.By, "small") {
		t.Fatalf("%+v", x)
	}
	other := Origin{By: "identity--3d0a9b1e-5c51-4f3e-8f53-1f6f2a6f0c22", Created: shop.Created, Modified: shop.Modified}
	if !x.Keep() {
		t.Fatal("not kept")
	}
	x.Rename("small-2")
	q := reread(t, x.Playbook)
	got, _, err := Export(q, other)
	if err != nil || string(got) != string(data) || q.ID != "small-2" {
		t.Errorf("%v: %s\nwant %s", err, got, data)
	}
	q.Steps[0].What = "Look twice"
	changed, _, err := Export(reread(t, q), other)
	if err != nil {
		t.Fatal(err)
	}
	back := taken(t, changed)
	if string(back.Playbook.Own()) != string(q.Own()) || back.ID != ID(other.By, "small-2") {
		t.Errorf("%s came back as\n%s", q.Own(), back.Playbook.Own())
	}
	y := taken(t, []byte(base))
	y.Rename("another-door")
	if got := exported(t, reread(t, y.Playbook)); string(got) != string(mustCanonical(t, base)) {
		t.Errorf("%s", got)
	}
	if p, _ := playbook.Read("p.yaml", y.Playbook.Print()); p == nil || p.ID != "another-door" {
		t.Errorf("%v", p)
	}
}

func mustCanonical(t testing.TB, text string) []byte {
	t.Helper()
	b, err := Canonical([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Given a switch with more cases than a question has answers, or steps whose conditions are longer than one may be, when the file is read, then no step is needed always by accident:
// the file is refused with the reason.
func TestConditionsThatCannotBeWritten(t *testing.T) {
	var cases, steps []string
	for n := range 40 {
		cases = append(cases, fmt.Sprintf(`"case %d":"a%d"`, n, n))
		steps = append(steps, fmt.Sprintf(`"a%d":{"type":"action","name":"do %d","on_completion":"e"}`, n, n))
	}
	many := made(append(steps, `"s0":{"type":"switch-condition","switch":"__x__","cases":{`+strings.Join(cases, ",")+`}}`)...)
	var long []string
	for n := range 12 { // twelve ways that have ten choices each, with names as long as they may be
		for k := range 10 {
			to := fmt.Sprintf(`w%d-%d`, n, k+1)
			if k == 9 {
				to = "meet"
			}
			long = append(long, fmt.Sprintf(`"w%d-%d":{"type":"if-condition","name":"%s %d %d","condition":"?","on_true":"%s"}`, n, k, strings.Repeat("long", 9), n, k, to))
		}
	}
	var heads []string
	for n := range 12 {
		heads = append(heads, fmt.Sprintf(`"w%d-0"`, n))
	}
	tangled := made(append(long, `"s0":{"type":"parallel","next_steps":[`+strings.Join(heads, ",")+`]}`, `"meet":{"type":"action","name":"meet","on_completion":"e"}`)...)
	for name, c := range map[string]struct {
		data []byte
		says string
	}{"many cases": {many, "40 cases"}, "long conditions": {tangled, "condition"}} {
		x, findings := Read(c.data)
		if x != nil {
			for _, s := range x.Playbook.Steps {
				if strings.HasPrefix(s.What, "do ") && s.If.Always() || s.ID == "meet" && s.If.Always() {
					t.Errorf("%s: %s is needed always", name, s.ID)
				}
			}
		} else if !slices.ContainsFunc(findings, func(f Finding) bool { return !f.Warning && strings.Contains(f.Says, c.says) }) {
			t.Errorf("%s: %v; want %q", name, findings, c.says)
		}
		t.Logf("%s: taken %v, %v", name, x != nil, findings)
	}
}

// Given a switch that has nothing but a default, and texts that are longer than a step takes, when the file is read, then nothing is asked, the step is needed always, and the cut is said.
func TestOnlyDefaultAndLongTexts(t *testing.T) {
	data := made(`"s0":{"type":"switch-condition","switch":"__x__","cases":{"default":"a"}}`,
		`"a":{"type":"action","name":"do","description":"`+strings.Repeat("why ", 300)+`","commands":[{"type":"manual","command":"`+strings.Repeat("how ", 2000)+`"}],"on_completion":"e"}`)
	x, findings := Read(data)
	if x == nil || len(x.Playbook.Steps) != 1 || !x.Playbook.Steps[0].If.Always() || len(x.Playbook.Facts) > 0 {
		t.Fatalf("%v %v", x, findings)
	}
	for _, place := range []string{"/workflow/a/description", "/workflow/a/commands"} {
		if !slices.ContainsFunc(findings, func(f Finding) bool {
			return f.Warning && f.Place == place && strings.Contains(f.Says, "it is cut there")
		}) {
			t.Errorf("no warning at %s: %v", place, findings)
		}
	}
	law(t, data)
}
