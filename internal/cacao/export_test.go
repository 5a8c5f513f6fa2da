package cacao

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/playbook"
)

// small is a playbook of ours with all that one may have.
const small = `playbook: small
title: A small emergency
summary: Something is wrong.
signs: [it smells]
suggest: {techniques: [attack.t1059], titles: [smell]}
owner: legal
review: 30
severity: high
criteria: {high: it burns}
facts:
  - {fact: backup, ask: Is there a backup?, of: [yes, no]}
  - {fact: where, ask: Where was it seen?}
ends: verdict = false-alarm
phases:
  - phase: identification
    steps:
      - {step: look, role: analyst, what: Look, why: To know., how: With your eyes., done: You know., asks: [verdict, backup]}
  - phase: short-term-containment
    steps:
      - together:
          - branch: Proof
            steps:
              - {step: save, role: analyst, what: Save the proof, why: It goes., how: "1. Copy it.\n2. Seal it.", done: It is copied., evidence: [copy], within: 30m}
          - branch: Stop it
            steps:
              - {step: shut, role: engineer, what: Shut the door, why: They come back., how: Shut it., done: It is shut., approve: commander}
              - together:
                  - branch: One
                    steps: [{step: one, role: engineer, what: One, why: So., how: So., done: So., if: not (severity < high or backup != yes)}]
                  - branch: Two
                    steps: [{step: two, role: engineer, what: Two, why: So., how: So., done: So.}]
  - phase: recovery
    steps:
      - {step: restore, role: engineer, what: Restore, why: It is broken., how: Restore it., done: It runs., if: backup = yes, action: {do: backup.restore, with: {site: shop}}}
      - {step: ask, role: legal, what: Ask whom it touches, why: The law asks., how: Look., done: You know., asks: [affected], after: []}
  - phase: lessons
    steps:
      - {step: learn, role: commander, what: Learn, why: It comes again., how: Talk., done: It is written., always: true, asks: [where], if: "affected in (customers, unknown)"}
`

func ours(t testing.TB, text string) *playbook.Playbook {
	t.Helper()
	p, findings := playbook.Read("p.yaml", []byte(text))
	if p == nil {
		t.Fatal(findings, text)
	}
	return p
}

// TestOurs: a playbook of ours is exported as valid CACAO, comes back equal, and is exported as the same bytes again. Those that the project ships are, too.
func TestOurs(t *testing.T) {
	texts := []string{small}
	names, _ := filepath.Glob("../../plan/playbooks/*.yaml")
	for _, name := range names {
		texts = append(texts, string(load(t, name)))
	}
	s := schema(t)
	for _, text := range texts {
		p := ours(t, text)
		data := exported(t, p)
		if err := valid(t, s, data); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		x := taken(t, data)
		if string(x.Playbook.Print()) != string(p.Print()) {
			t.Errorf("%s came back as\n%s", p.ID, x.Playbook.Print())
		}
		if again := exported(t, x.Playbook); string(again) != string(data) {
			t.Errorf("%s is exported otherwise after its return:\n%s\n%s", p.ID, data, again)
		}
	}
}

// TestRandom is the same of playbooks made by chance.
func TestRandom(t *testing.T) {
	n := 30
	if long {
		n = 5000
	}
	s := schema(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	took := 0
	for i := range uint64(n) {
		rng := rand.New(rand.NewPCG(seed, i))
		p, _ := playbook.Read("random.yaml", invent(rng))
		if p == nil {
			continue
		}
		took++
		data := exported(t, p)
		if err := valid(t, s, data); err != nil {
			t.Fatalf("seed %d, %d: %v\n%s", seed, i, err, p.Print())
		}
		x := taken(t, data)
		if string(x.Playbook.Print()) != string(p.Print()) {
			t.Fatalf("seed %d, %d:\n%s\ncame back as\n%s", seed, i, p.Print(), x.Playbook.Print())
		}
		// Without the extension it is a file as any other: the workflow alone is read, and still a playbook.
		v, _ := parse(data)
		delete(v.(map[string]any), "playbook_extensions")
		y, findings := Read(canonical(v))
		if y == nil {
			t.Fatalf("seed %d, %d: the workflow alone is not taken: %v\n%s", seed, i, findings, p.Print())
		}
		if a, b := len(y.Playbook.Steps), len(p.Steps); a < b {
			t.Fatalf("seed %d, %d: of %d steps %d are left", seed, i, b, a)
		}
		if back := exported(t, y.Playbook); string(back) != string(canonical(v)) {
			t.Fatalf("seed %d, %d: the workflow alone is exported otherwise", seed, i)
		}
	}
	if took < n/8 {
		t.Errorf("only %d of %d were playbooks", took, n)
	}
}

// invent writes a playbook whose conditions read what is asked before.
func invent(rng *rand.Rand) []byte {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	p := &playbook.Playbook{ID: "random", Title: "Random", Summary: "Made by chance.", Owner: pick(playbook.Roles()...), Review: 90, Severity: pick("", "low", "critical")}
	for i := range rng.IntN(4) {
		f := playbook.Fact{ID: fmt.Sprintf("%dfact-%d", i, i), Ask: "What?"}
		for j := range 2 + rng.IntN(2) {
			f.Of = append(f.Of, fmt.Sprintf("v%d", j))
		}
		p.Facts = append(p.Facts, f)
	}
	var asked []string
	condition := func() string {
		if len(asked) == 0 || rng.IntN(4) == 0 {
			return "severity " + pick("=", "!=", "<", ">=") + " " + pick("medium", "high")
		}
		id := pick(asked...)
		f, _ := p.Fact(id)
		return pick("", "not ") + "(" + id + pick(" = ", " != ") + pick(f.Of...) + pick(" and ", " or ") + "severity > low)"
	}
	n := 0
	var nodes func(depth, most int) []playbook.Node
	nodes = func(depth, most int) (out []playbook.Node) {
		for range 1 + rng.IntN(most) {
			if depth < 2 && rng.IntN(4) == 0 {
				var g []playbook.Branch
				all := asked
				for b := range 2 + rng.IntN(2) {
					asked = slices.Clone(all)
					g = append(g, playbook.Branch{Name: fmt.Sprintf("branch %d", b), Nodes: nodes(depth+1, 2)})
				}
				asked = all
				out = append(out, playbook.Node{Together: g})
				continue
			}
			s := &playbook.Step{ID: fmt.Sprintf("s%d-%s", n, strings.Repeat("long", n%9)), Role: pick(playbook.Roles()...), What: pick("Do it", "Look"), Why: "It helps.", How: pick("So.", "1. a\n2. b"), Done: "It is done."}
			n++
			s.ID = strings.TrimSuffix(s.ID, "-")
			if rng.IntN(3) == 0 {
				s.If, _ = playbook.ParseCondition(condition())
			}
			s.Within = time.Duration(rng.IntN(3)) * time.Hour
			s.Always = rng.IntN(10) == 0
			for _, f := range append(slices.Clone(p.Facts), playbook.Fact{ID: playbook.Affected}, playbook.Fact{ID: playbook.Verdict}) {
				if rng.IntN(4) == 0 {
					s.Asks = append(s.Asks, f.ID)
					asked = append(asked, f.ID)
				}
			}
			out = append(out, playbook.Node{Step: s})
		}
		return out
	}
	for _, name := range playbook.Phases() {
		if rng.IntN(2) == 0 || len(p.Phases) == 0 && name == playbook.Lessons {
			p.Phases = append(p.Phases, playbook.Phase{Name: name, Nodes: nodes(0, 3)})
		}
	}
	if slices.Contains(asked, playbook.Verdict) && rng.IntN(2) == 0 {
		p.Ends, _ = playbook.ParseCondition("verdict = false-alarm")
	}
	return p.Own()
}

// TestEdits: of an imported playbook that was changed, the change is in the export, what nobody touched is as it was, the export is valid, and
// it comes back as the changed playbook.
func TestEdits(t *testing.T) {
	s := schema(t)
	for name, x := range map[string]struct{ file, old, new, gone, there string }{
		"what":                    {"sequence", "what: Decide", "what: Decide now", `"name":"Decide"`, `"name":"Decide now"`},
		"why":                     {"sequence", "why: 'What is there is the proof.'", "why: 'It goes.'", `What is there is the proof.`, `"description":"It goes."`},
		"how":                     {"sequence", "kill -STOP", "kill -9", `"type":"powershell"`, `"type":"manual"`},
		"how of another playbook": {"sequence", "and come back.", "and stop.", "", `and stop.`},
		"within":                  {"sequence", "within: '30m'", "within: '2h'", `"timeout":1800000`, `"timeout":7200000`},
		"role":                    {"sequence", "role: legal", "role: commander", "", `"role":"commander"`},
		"title":                   {"everything", "title: 'Everything around the workflow'", "title: Less", `"name":"Everything around the workflow"`, `"name":"Less"`},
		"severity":                {"everything", "severity: medium", "severity: low", `"severity":30`, `"severity":20`},
		"evidence":                {"everything", "what: 'Do it'", "what: 'Do it'\n        evidence: [a copy]\n        approve: commander\n        always: true", "", `"evidence":["a copy"]`},
		"step gone":               {"sequence", "      - step: decide\n        role: commander\n        what: Decide\n        why: 'The playbook that this was taken from gives no reason.'\n        how: |-\n          Decide by hand.\n\n          Meant to be done by: Petra\n        done: 'It is done, and what came out of it is written down.'\n", "", `"name":"Decide"`, `"name":"Ask whom the law names"`},
		"step more":               {"if", "      - step: watch-the-shop", "      - {step: more, role: legal, what: More, why: So., how: So., done: So., if: backup = no}\n      - step: watch-the-shop", "", `"name":"More"`},
		"condition":               {"if", "if: 'backup = yes'", "if: 'backup = yes and severity = high'", "", `__backup__:value = 'true' AND __severity__:value = 'high'`},
		"order":                   {"parallel", "        after:\n          - copy-the-disk\n", "        after: [call-the-team]\n        # ", "", `"name":"Open the shop"`},
		"ends":                    {"if", "phases:\n", "ends: backup = no\nphases:\n", "", `__backup__:value != 'false'`},
	} {
		t.Run(name, func(t *testing.T) {
			source := load(t, "testdata/"+x.file+".json")
			p := taken(t, source).Playbook
			text := strings.Replace(string(p.Print()), x.old, x.new, 1)
			if text == string(p.Print()) {
				t.Fatalf("nothing is changed in\n%s", text)
			}
			if name == "order" {
				text = text[:strings.Index(text, "        # ")] + text[strings.Index(text, "cacao:"):]
			}
			q := ours(t, text)
			data, findings, err := Export(q, shop)
			if err != nil {
				t.Fatal(err)
			}
			if err := valid(t, s, data); err != nil {
				t.Errorf("%v\n%s", err, data)
			}
			workflow, _ := parse(data)
			v := workflow.(map[string]any)
			delete(v, "playbook_extensions")
			if got := string(canonical(v)); x.gone != "" && strings.Contains(got, x.gone) || !strings.Contains(got, x.there) {
				t.Errorf("want %s in place of %s in\n%s", x.there, x.gone, got)
			}
			back, says := Read(data)
			if back == nil || string(back.Playbook.Own()) != string(q.Own()) {
				t.Fatalf("came back as %v %v\n%s", back, says, data)
			}
			if again := exported(t, reread(t, back.Playbook)); string(again) != string(data) {
				t.Errorf("exported again:\n%s\n%s", again, data)
			}
			src, _ := parse(source)
			for _, key := range []string{"agent_definitions", "target_definitions", "authentication_info_definitions", "markings", "data_marking_definitions", "labels", "priority", "external_references", "valid_until"} {
				was, is := src.(map[string]any)[key], v[key]
				if key == "agent_definitions" && (name == "step more" || name == "order") {
					continue // a role of ours is there, too
				}
				if string(canonical(was)) != string(canonical(is)) {
					t.Errorf("%s was %s and is %s", key, canonical(was), canonical(is))
				}
			}
			if v["signatures"] != nil || x.file == "everything" && !slices.ContainsFunc(findings, func(f Finding) bool { return f.Place == "/signatures" }) {
				t.Errorf("signatures: %v, %v", v["signatures"], findings)
			}
			if from := texts(v, "derived_from"); !slices.Contains(from, src.(map[string]any)["id"].(string)) || v["id"] == src.(map[string]any)["id"] {
				t.Errorf("%v of %v", v["id"], from)
			}
		})
	}
}

// TestOwnVersion: who made a file makes versions of it; and what was touched in no step is the same to the byte.
func TestOwnVersion(t *testing.T) {
	p := taken(t, []byte(base)).Playbook
	q := ours(t, strings.Replace(string(p.Print()), "what: 'Shut the door'", "what: Bolt the door", 1))
	data, _, err := Export(q, Origin{By: "identity--5abe695c-7bd5-4c31-8824-2528696cdbf1", Created: shop.Created, Modified: shop.Modified})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := parse(data)
	root := v.(map[string]any)
	if root["id"] != "playbook--61a6c41e-6efc-4516-a242-dfbc5c89d562" || root["created"] != "2026-01-01T00:00:00.000Z" || root["modified"] != "2026-11-28T03:00:00.000Z" || root["derived_from"] != nil {
		t.Errorf("%s", data)
	}
	if _, _, err := Export(p, Origin{By: "anna"}); err == nil {
		t.Error("anna is an identity")
	}
	p.Foreign.Source = "{"
	if _, _, err := Export(p, shop); err == nil || !strings.Contains(err.Error(), "cannot be read any more") {
		t.Error(err)
	}
}

// TestChangedElsewhere: an export of ours that another program changed is read by its workflow; what the extension says of steps still counts.
func TestChangedElsewhere(t *testing.T) {
	data := strings.Replace(string(exported(t, ours(t, small))), `"name":"Shut the door"`, `"name":"Bolt the door"`, 1)
	x, findings := Read([]byte(data))
	if x == nil || !slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.Says, "changed elsewhere") }) {
		t.Fatal(findings)
	}
	s := x.Playbook.Step("shut")
	if s == nil || s.What != "Bolt the door" || s.Role != "engineer" || s.Approve != "commander" || s.Done != "It is shut." || x.Playbook.Owner != "legal" {
		t.Errorf("%+v", s)
	}
	want, _ := Canonical([]byte(data))
	if got := exported(t, reread(t, x.Playbook)); string(got) != string(want) {
		t.Errorf("got %s", got)
	}
}

// FuzzRead: whatever a file holds, reading it ends; what is refused has a reason; what is taken is a playbook that reads back, and its export is the source.
func FuzzRead(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.json")
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(base))
	f.Fuzz(func(t *testing.T, data []byte) { law(t, data) })
}

// law holds a file against what is promised of all.
func law(t testing.TB, data []byte) (taken bool) {
	t.Helper()
	x, findings := Read(data)
	if x == nil {
		if !slices.ContainsFunc(findings, func(f Finding) bool { return !f.Warning && f.Says != "" }) {
			t.Fatal("refused without a reason")
		}
		return false
	}
	want, err := Canonical(data)
	if err != nil {
		t.Fatal(err)
	}
	q := reread(t, x.Playbook)
	if got := exported(t, q); x.Playbook.Foreign != nil && string(got) != string(want) {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	if q.Foreign == nil {
		return true
	}
	comes := func(q *playbook.Playbook) {
		t.Helper()
		changed := exported(t, q)
		again, findings := Read(changed)
		if again == nil {
			t.Fatalf("after a change it is not taken: %v\n%s\n%s", findings, changed, data)
		}
		if string(again.Playbook.Own()) != string(q.Own()) {
			t.Fatalf("came back otherwise: %s\nof\n%s\n%v\n%s", cmp.Diff(string(q.Own()), string(again.Playbook.Own())), data, findings, changed)
		}
	}
	q.Title, q.Steps[0].Why = "Another", "Because."
	comes(reread(t, q))
	// One more step in front: the workflow is written anew.
	more := &playbook.Step{ID: "one-more-step-of-ours", Role: "legal", What: "One more", Why: "So.", How: "So.\nAnd so.", Done: "So.", Asks: []string{playbook.Affected}}
	q.Phases[0].Nodes = append([]playbook.Node{{Step: more}}, q.Phases[0].Nodes...)
	if p, _ := playbook.Read("p.yaml", q.Print()); p != nil {
		comes(p)
	}
	return true
}

// TestFlows holds workflows that are made by chance against the law.
func TestFlows(t *testing.T) {
	n := 60
	if long {
		n = 10_000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	took := 0
	for i := range uint64(n) {
		if law(t, flow(rand.New(rand.NewPCG(seed, i)))) {
			took++
		}
		if t.Failed() {
			t.Fatalf("seed %d, %d", seed, i)
		}
	}
	t.Logf("%d of %d taken", took, n)
	if took < n/4 {
		t.Errorf("only %d of %d are taken", took, n)
	}
}

// FuzzFlow is the same, by a seed.
func FuzzFlow(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { law(t, flow(rand.New(rand.NewPCG(a, b)))) })
}

// flow writes a workflow by chance: mostly one that leads forward, now and then one that does not.
func flow(rng *rand.Rand) []byte {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	n := 1 + rng.IntN(12)
	steps := map[string]any{"end": map[string]any{"type": "end"}}
	to := func(i int) string {
		if rng.IntN(60) == 0 {
			return fmt.Sprintf("s%d", rng.IntN(n))
		}
		if j := i + 1 + rng.IntN(3); j < n && rng.IntN(4) > 0 {
			return fmt.Sprintf("s%d", j)
		}
		return "end"
	}
	name := func() string { return pick("__a__", "__b__", "__severity__", "__a_b__", "__1__") }
	test := func() string {
		return pick("?", name()+":value "+pick("=", "!=")+" '"+pick("x", "y z", "yes", "true", "high")+"'", name()+" = 'x' AND NOT "+name()+":value IN ('x', 'ü')", "["+name()+" = 7] OR ("+name()+" = 'x')")
	}
	for i := range n {
		s := map[string]any{"type": pick("action", "action", "action", "playbook-action", "if-condition", "if-condition", "switch-condition", "while-condition", "parallel", "start")}
		if rng.IntN(2) == 0 {
			s["name"] = pick("Do it", "Do it", "Look", "Überall", " ", strings.Repeat("long ", 40))
		}
		if rng.IntN(3) == 0 {
			s["description"] = pick("Why. And more.", "\u202e", "a\nb \nc")
		}
		if s["type"] == "action" && rng.IntN(4) == 0 {
			s["on_success"], s["on_failure"] = to(i), to(i)
		} else if rng.IntN(6) > 0 {
			s["on_completion"] = to(i)
		}
		switch s["type"] {
		case "action":
			s["commands"] = []any{map[string]any{"type": pick("manual", "bash"), "command": pick("do", "a\tb", "")}}
			if rng.IntN(2) == 0 {
				s["out_args"] = []any{name(), name()}
			}
			if rng.IntN(4) == 0 {
				s["timeout"] = float64(rng.IntN(10_000_000))
				s["targets"] = []any{"t"}
			}
		case "if-condition":
			s["condition"], s["on_true"] = test(), to(i)
			if rng.IntN(2) == 0 {
				s["on_false"] = to(i)
			}
		case "while-condition":
			s["condition"], s["on_true"] = test(), to(i)
		case "switch-condition":
			s["switch"] = name()
			cases := map[string]any{}
			for range 1 + rng.IntN(3) {
				cases[pick("x", "y z", "default", "high", "")] = to(i)
			}
			s["cases"] = cases
		case "parallel":
			s["next_steps"] = []any{to(i), to(i)}
		}
		steps[fmt.Sprintf("s%d", i)] = s
	}
	root := map[string]any{"type": "playbook", "spec_version": "cacao-2.0", "id": "playbook--1", "name": "x", "workflow_start": "s0", "workflow": steps,
		"playbook_variables": map[string]any{"__b__": map[string]any{"type": "bool", "description": "Is it b?"}}}
	if rng.IntN(3) == 0 {
		root["workflow_exception"] = to(-1)
	}
	if rng.IntN(3) == 0 {
		root["created_by"] = shop.By
	}
	return canonical(root)
}

// FuzzCanonical: what is canonical stays as it is.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":[1e3,"\u0007é"],"a":{"":null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := Canonical(data)
		if err != nil {
			return
		}
		v, _ := parse(once)
		for _, text := range []string{string(once), lined(v)} {
			if twice, err := Canonical([]byte(text)); len(text) <= MaxFile && (err != nil || string(twice) != string(once)) {
				t.Fatalf("%q becomes %q (%v)", text, twice, err)
			}
		}
	})
}
