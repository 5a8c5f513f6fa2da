package cacao

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
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
