package playbook

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tocsin/internal/tree"
)

// schema compiles the published schema of playbooks.
func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("../../doc/formats/playbook.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("playbook.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("playbook.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// toJSON is a piece of YAML as a JSON value.
func toJSON(t *tree.Tree) any {
	if t == nil {
		return nil
	}
	switch t.Kind {
	case tree.Null:
		return nil
	case tree.Bool:
		return t.Yes()
	case tree.Number:
		if json.Valid([]byte(t.Text)) {
			return json.Number(t.Text)
		}
	case tree.List:
		out := []any{}
		for _, v := range t.Values {
			out = append(out, toJSON(v))
		}
		return out
	case tree.Map:
		out := map[string]any{}
		for i, k := range t.Keys {
			out[k.Text] = toJSON(t.Values[i])
		}
		return out
	}
	return t.Text
}

func parse(t testing.TB, text string) *tree.Tree {
	t.Helper()
	root, fault := tree.Parse(tree.Chunk{Text: text})
	if fault != nil {
		t.Fatalf("%d:%d: %s", fault.Line, fault.Col, fault.Why)
	}
	return root
}

// beyond are the words of findings about what no schema can say.
var beyond = []string{
	"is there already", "the phases come in the order", "for which no step", "does not stand under facts", "which does not exist", "wait for each other", "waits for ", "is never", "free text",
	"only severity has an order", "can never be needed", "no answers make", "holds before anything", "at character", "depends on too many answers", "twice",
}

func TestSchemaTakesWhatIsShipped(t *testing.T) {
	s := schema(t)
	files, _ := filepath.Glob("../../plan/playbooks/*.yaml")
	if len(files) == 0 {
		t.Fatal("there are no playbooks in plan/playbooks")
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(toJSON(parse(t, string(text)))); err != nil {
			t.Errorf("%s: %#v", f, err)
		}
	}
	if err := s.Validate(toJSON(parse(t, small))); err != nil {
		t.Error(err)
	}
}

// TestSchemaRefuses: what is wrong in itself is refused by both.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	right := strings.Replace(small, "if: affected = customers and severity >= high", "if: backup = yes", 1)
	read(t, right)
	for name, x := range map[string]struct{ old, new string }{
		"unknown key":         {"title: A", "titel: B\ntitle: A"},
		"no name":             {"playbook: small\n", ""},
		"name with a capital": {"playbook: small", "playbook: Small"},
		"long name":           {"playbook: small", "playbook: " + strings.Repeat("s", 41)},
		"unknown role":        {"role: engineer, what: Shut", "role: plumber, what: Shut"},
		"unknown owner":       {"owner: commander", "owner: plumber"},
		"unknown phase":       {"phase: recovery", "phase: recovering"},
		"phase twice":         {"phase: recovery", "phase: identification"},
		"no phases":           {"phases:", "faces:"},
		"no steps":            {"phases:", "phases: []\nx:"},
		"no why":              {"why: To know., ", ""},
		"empty why":           {"why: To know., ", "why: '', "},
		"long what":           {"what: Look,", "what: " + strings.Repeat("Look ", 30) + ","},
		"what of two lines":   {"what: Look,", `what: "Look\nhere",`},
		"long why":            {"why: To know.", "why: " + strings.Repeat("know ", 130)},
		"bidi":                {"title: A small", "title: A \u202esmall"},
		"bidi in how":         {"how: With your eyes.", "how: With \u202eyour eyes."},
		"one branch":          {"          - branch: Stop it\n            steps:\n", ""},
		"branch without name": {"- branch: Proof", "- branch: ''"},
		"long time":           {"within: 30m", "within: 91d"},
		"many minutes":        {"within: 30m", "within: 129601m"},
		"many hours":          {"within: 30m", "within: 2161h"},
		"no time at all":      {"within: 30m", "within: 0m"},
		"no unit":             {"within: 30m", "within: 30"},
		"signed time":         {"within: 30m", "within: +30m"},
		"no time":             {"within: 30m", "within: soon"},
		"always yes":          {"always: true", "always: yes"},
		"one answer":          {"of: [yes, no]", "of: [yes]"},
		"answer twice":        {"of: [yes, no]", "of: [yes, no, yes]"},
		"answer true":         {"of: [yes, no]", "of: [true, false]"},
		"fact named and":      {"fact: where", "fact: and"},
		"fact known already":  {"fact: where", "fact: verdict"},
		"asks for severity":   {"asks: [where]", "asks: [severity]"},
		"asks twice":          {"asks: [where]", "asks: [where, where]"},
		"asks a text":         {"asks: [where]", "asks: where"},
		"action without do":   {"do: backup.restore, ", ""},
		"action as text":      {"action: {do: backup.restore, with: {site: shop}}", "action: backup.restore"},
		"with as list":        {"with: {site: shop}", "with: [shop]"},
		"condition cut":       {"if: backup = yes, action", "if: backup =, action"},
		"condition with and":  {"if: backup = yes, action", "if: backup = yes and, action"},
		"condition shouts":    {"if: backup = yes, action", "if: BACKUP = yes, action"},
		"condition with !":    {"if: backup = yes, action", "if: backup ! yes, action"},
		"review never":        {"owner: commander", "owner: commander\nreview: 0"},
		"review as text":      {"owner: commander", "owner: commander\nreview: soon"},
		"unknown severity":    {"owner: commander", "owner: commander\nseverity: awful"},
		"unknown criteria":    {"owner: commander", "owner: commander\ncriteria: {awful: It is awful.}"},
		"suggest as list":     {"owner: commander", "owner: commander\nsuggest: [skimmer]"},
		"too deep":            {"{step: save,", "{together: [{branch: a, steps: [{together: [{branch: a, steps: [{together: [{branch: a, steps: [{together: []}]}]}]}]}]}]}\n              - {step: save,"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(right, x.old, x.new, 1)
			if text == right {
				t.Fatal("nothing is broken")
			}
			if p, _ := Read("f.yaml", []byte(text)); p != nil {
				t.Error("the program takes it")
			}
			if s.Validate(toJSON(parse(t, text))) == nil {
				t.Error("the schema takes it")
			}
		})
	}
}

// TestSchemaAgrees: of playbooks made by chance and of broken ones, the schema takes what the program takes; and what it takes and the
// program refuses is refused for a reason that no schema can give.
func TestSchemaAgrees(t *testing.T) {
	s := schema(t)
	const seed = 6
	n := 96
	if os.Getenv("TOCSIN_SOAK") != "" {
		n = 20_000
	}
	var shipped []string
	files, _ := filepath.Glob("../../plan/playbooks/*.yaml")
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		shipped = append(shipped, string(text))
	}
	taken, refused := 0, 0
	for i := range n {
		w := &walk{rng: rand.New(rand.NewPCG(seed, uint64(i)))}
		text := string(w.invent())
		if i%16 == 0 {
			text = shipped[i/16%len(shipped)]
		}
		root := parse(t, text)
		if i%4 != 1 {
			wreck(w.rng, root)
		}
		text = root.Print()
		again, fault := tree.Parse(tree.Chunk{Text: text})
		if fault != nil {
			continue // what is no YAML any more was not broken as people break it
		}
		p, findings := Read("f.yaml", []byte(text))
		err := s.Validate(toJSON(again))
		switch {
		case p != nil && err != nil:
			t.Errorf("%d: the schema refuses what the program takes: %#v\n%s", i, err, text)
		case p == nil && err == nil && !slices.ContainsFunc(findings, func(f Finding) bool {
			return !f.Warning && slices.ContainsFunc(beyond, func(b string) bool { return strings.Contains(f.Says, b) })
		}):
			t.Errorf("%d: the schema takes what the program refuses: %v", i, findings)
		case p != nil:
			taken++
		case err != nil:
			refused++
		}
	}
	t.Logf("%d taken, %d refused by both", taken, refused)
	if taken < n/10 || refused < n/10 {
		t.Error("chance shows too little")
	}
}

// wreck changes one place of a tree.
func wreck(rng *rand.Rand, t *tree.Tree) {
	for t.Kind == tree.List || t.Kind == tree.Map {
		if len(t.Values) == 0 {
			break
		}
		i := rng.IntN(len(t.Values))
		switch v := t.Values[i]; {
		case rng.IntN(6) == 0 && t.Kind == tree.Map:
			t.Keys[i] = &tree.Tree{Kind: tree.Text, Text: []string{"other", "step", "title", "steps"}[rng.IntN(4)]}
			if n := slices.IndexFunc(t.Keys, func(k *tree.Tree) bool { return k != t.Keys[i] && k.Text == t.Keys[i].Text }); n >= 0 {
				t.Keys[i].Text = fmt.Sprint("other-", i)
			}
			return
		case rng.IntN(6) == 0:
			t.Values = slices.Delete(t.Values, i, i+1)
			if t.Kind == tree.Map {
				t.Keys = slices.Delete(t.Keys, i, i+1)
			}
			return
		case rng.IntN(8) == 0 || v.Kind != tree.List && v.Kind != tree.Map:
			t.Values[i] = []*tree.Tree{
				{Kind: tree.Text, Text: "some words"}, {Kind: tree.Text, Text: "yes"}, {Kind: tree.Number, Text: "7"}, {Kind: tree.Bool, Text: "true"}, {Kind: tree.List},
				{Kind: tree.Text, Text: strings.Repeat("long ", 30)}, {Kind: tree.Map, Keys: []*tree.Tree{{Kind: tree.Text, Text: "a"}}, Values: []*tree.Tree{{Kind: tree.Text, Text: "b"}}},
				{Kind: tree.Text, Text: "10m"}, {Kind: tree.Text, Text: "severity = high"}, {Kind: tree.Text, Text: "a\u200bb"}, {Kind: tree.Text, Text: "commander"}, {Kind: tree.Text, Text: "verdict"},
			}[rng.IntN(12)]
			return
		default:
			t = v
		}
	}
}
