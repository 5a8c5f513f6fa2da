package cacao

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tocsin/internal/playbook"
)

const schemas = "../../../shared/data/cacao/schemas"

// schema compiles the schemas of the specification's committee; nil when they do not lie beside the project.
func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	if _, err := os.Stat(schemas); err != nil {
		return nil
	}
	c := jsonschema.NewCompiler()
	root := ""
	err := filepath.Walk(schemas, func(name string, f os.FileInfo, err error) error {
		if err != nil || f.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return err
		}
		id := doc.(map[string]any)["$id"].(string)
		if filepath.Base(name) == "playbook.json" {
			root = id
		}
		return c.AddResource(id, doc)
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t testing.TB, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	if s == nil {
		return nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// TestSchemas: our example files, and what we export of them after a change, are valid.
func TestSchemas(t *testing.T) {
	s := schema(t)
	if s == nil {
		t.Skip("the schemas of CACAO do not lie beside the project")
	}
	names, _ := filepath.Glob("testdata/*.json")
	for _, name := range names {
		if err := valid(t, s, load(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExamples: all six files beside the project are taken, and their exports are valid, also after changes, as far as the files themselves are. One is not: fin-playbook.json
// names an agent by no id, and a kind of command that the specification does not know; as its export is the same file, that is no more valid.
func TestExamples(t *testing.T) {
	s := schema(t)
	names, err := filepath.Glob(filepath.Join(examples, "*.json"))
	if s == nil || len(names) == 0 || err != nil {
		t.Skip("the examples and schemas of CACAO do not lie beside the project")
	}
	sound := 0
	for _, name := range names {
		source := load(t, name)
		p := taken(t, source).Playbook
		if valid(t, s, source) != nil {
			t.Logf("%s is not valid itself", filepath.Base(name))
			continue
		}
		sound++
		if err := valid(t, s, exported(t, reread(t, p))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		p.Title = "Another"
		if err := valid(t, s, exported(t, reread(t, p))); err != nil {
			t.Errorf("%s with another title: %v", name, err)
		}
		p.Phases[0].Nodes = append(p.Phases[0].Nodes, playbook.Node{Step: &playbook.Step{ID: "one-more-step", Role: "legal", What: "One more", Why: "So.", How: "So.", Done: "So."}})
		if err := valid(t, s, exported(t, reread(t, p))); err != nil {
			t.Errorf("%s with one more step: %v", name, err)
		}
	}
	if len(names) != 6 || sound != 5 {
		t.Errorf("of %d files, %d are valid", len(names), sound)
	}
}
